/* Parsing the command line by the tables. See cli.h.
 *
 * The first argument that is no option names the verb; where it names none but looks
 * like a path, the verb is analyze and it is the first input. Options may stand
 * anywhere, so they are parsed twice: once to find the verb, once to apply. */
#include "ui/cli.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- exit codes -------------------------------------------------------------------- */

int exit_worse(int a, int b)
{
    static const int order[] = { 143,        130,         EXIT_INTERNAL, EXIT_INPUT,
                                 EXIT_USAGE, EXIT_OUTPUT, EXIT_FOUND,    EXIT_UNDECIDED,
                                 EXIT_DONE };

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (a == order[i] || b == order[i])
            return order[i];
    }
    return EXIT_INTERNAL;
}

int exit_of(enum errc rc)
{
    switch (rc) {
    case ERR_OK:
        return EXIT_DONE;
    case ERR_USAGE:
    case ERR_SYNTAX:
        return EXIT_USAGE;
    case ERR_OPEN:
    case ERR_NOT_A_LOG:
    case ERR_CORRUPT:
        return EXIT_INPUT;
    case ERR_LIMIT:
    case ERR_OUTPUT:
        return EXIT_OUTPUT;
    case ERR_UNDECIDED:
        return EXIT_UNDECIDED;
    }
    return EXIT_INTERNAL;
}

/* --- messages ------------------------------------------------------------------------
 */

/* One write a line: threads and pipes do not tear it. What a log or file name brought
 * in is cleaned. */
static void say(const char *fmt, va_list args)
{
    struct strbuf line = { 0 }, clean = { 0 };
    char text[2048];

    vsnprintf(text, sizeof text, fmt, args);
    utf8_clean(&clean, sv(text), 0);
    strbuf_printf(&line, "spillway: %s\n", clean.p ? clean.p : "");
    for (size_t done = 0; done < line.len;) {
        ssize_t n = write(STDERR_FILENO, line.p + done, line.len - done);

        if (n <= 0)
            break; /* nowhere left to say it */
        done += (size_t)n;
    }
    strbuf_release(&line);
    strbuf_release(&clean);
}

void cli_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
}

/* --- nearest names ---------------------------------------------------------------------
 */

/* Edits (insert, delete, replace, swap of neighbours) from a to b; names are short. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t la = strlen(a), lb = strlen(b);
    size_t row[3][LONGEST + 1];

    if (la > LONGEST || lb > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);

            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[la % 3][lb];
}

const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    size_t len = strlen(word);
    size_t best = len < 4 ? 2 : len / 2 + 1; /* farther ones have nothing in common */
    const char *found = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);

        /* "comp" begins "completion": nearer than any typo */
        if (len >= 3 && strncmp(word, names[i], len) == 0)
            d = 1;
        if (d < best) {
            best = d;
            found = names[i];
        }
    }
    return found;
}

/* --- the parser
 * --------------------------------------------------------------------------- */

static const struct verb *verb_named(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs_all[i].name, name) == 0)
            return &verbs_all[i];
    }
    return NULL;
}

static bool verb_takes(const struct verb *verb, const struct option *option)
{
    return (option->verbs & 1u << (verb - verbs_all)) != 0;
}

static const struct option *option_long(struct sv name)
{
    for (size_t i = 0; i < n_options; i++) {
        if (sv_is(name, options_all[i].name))
            return &options_all[i];
    }
    return NULL;
}

static const struct option *option_short(char letter)
{
    for (size_t i = 0; i < n_options; i++) {
        if (options_all[i].letter == letter && letter)
            return &options_all[i];
    }
    return NULL;
}

/* One step over argv: an option with its value, or an argument. */
struct args {
    char **argv;
    int argc, i;
    const char *letters;         /* rest of a group of short options */
    bool only_inputs;            /* after -- */
    const struct option *option; /* NULL: `value` is an argument */
    const char *value;
    char shown[64]; /* the option as written, without its value */
};

static enum next bad_option(const struct args *a)
{
    const char *names[64];
    size_t n = 0;

    for (size_t i = 0; i < n_options && n < ARRAY_LEN(names); i++)
        names[n++] = options_all[i].name;
    const char *near = a->shown[1] == '-' ? cli_nearest(a->shown + 2, names, n) : NULL;
    if (near)
        cli_error("unknown option %s; did you mean --%s?", a->shown, near);
    else
        cli_error("unknown option %s; spillway help lists them", a->shown);
    return NEXT_FAIL;
}

/* The value that follows as an argument of its own. */
static enum next value_apart(struct args *a)
{
    if (a->i >= a->argc) {
        cli_error("%s needs a value: %s %s", a->shown, a->shown, a->option->arg);
        return NEXT_FAIL;
    }
    a->value = a->argv[a->i++];
    return NEXT_ITEM;
}

static enum next next_letter(struct args *a)
{
    snprintf(a->shown, sizeof a->shown, "-%c", *a->letters);
    a->option = option_short(*a->letters++);
    a->value = NULL;
    if (!a->option)
        return bad_option(a);
    if (!a->option->arg)
        return NEXT_ITEM;
    if (!*a->letters)
        return value_apart(a);
    a->value = a->letters;
    a->letters = "";
    return NEXT_ITEM;
}

static enum next next_long(struct args *a, const char *arg)
{
    const char *equals = strchr(arg, '=');
    struct sv name = { arg + 2, equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2 };

    snprintf(a->shown, sizeof a->shown, "--%.*s", (int)(name.len > 60 ? 60 : name.len),
             name.p);
    a->option = option_long(name);
    a->value = equals ? equals + 1 : NULL;
    if (!a->option)
        return bad_option(a);
    if (equals && !a->option->arg) {
        cli_error("%s takes no value", a->shown);
        return NEXT_FAIL;
    }
    return a->option->arg && !equals ? value_apart(a) : NEXT_ITEM;
}

static enum next args_next(struct args *a)
{
    if (a->letters && *a->letters)
        return next_letter(a);
    while (a->i < a->argc) {
        const char *arg = a->argv[a->i++];

        a->option = NULL;
        if (!a->only_inputs && strcmp(arg, "--") == 0) {
            a->only_inputs = true;
            continue;
        }
        if (a->only_inputs || arg[0] != '-' || !arg[1]) {
            a->value = arg;
            return NEXT_ITEM;
        }
        if (arg[1] == '-')
            return next_long(a, arg);
        a->letters = arg + 1;
        return next_letter(a);
    }
    return NEXT_END;
}

/* Whether the word is one of "a|b|c". */
static bool is_one_of(const char *word, const char *values)
{
    size_t len = strlen(word);

    for (const char *p = values; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL) {
        if (strncmp(p, word, len) == 0 && (p[len] == '|' || !p[len]) && len)
            return true;
    }
    return false;
}

/* "text, plain, json" */
static void list_formats(struct strbuf *out, const struct verb *verb)
{
    for (int f = 1; f < FORMAT_COUNT; f++) {
        if (verb->formats & 1u << f)
            strbuf_printf(out, "%s%s", out->len ? ", " : "", format_name((enum format)f));
    }
}

static bool apply(struct cli *cli, const struct args *a)
{
    struct err err = { 0 };

    if (!verb_takes(cli->verb, a->option)) {
        cli_error("%s has no option %s; spillway help %s lists what it has",
                  cli->verb->name, a->shown, cli->verb->name);
        return false;
    }
    if (a->option->values && !is_one_of(a->value, a->option->values)) {
        if (a->option->set && strcmp(a->option->name, "format") == 0) {
            struct strbuf names = { 0 };

            list_formats(&names, cli->verb);
            cli_error("--format %s: not one of %s", a->value, names.p ? names.p : "");
            strbuf_release(&names);
        } else {
            cli_error("%s %s: not one of %s", a->shown, a->value, a->option->values);
        }
        return false;
    }
    if (!a->option->set(cli, a->value, &err)) {
        cli_error("%s %s: not %s", a->shown, a->value ? a->value : "", err.text);
        return false;
    }
    return true;
}

/* Sets the verb by the first argument. *takes_word: the word itself names it. */
static bool find_verb(struct cli *cli, const char *word, bool after_dashes,
                      bool *takes_word)
{
    const struct verb *verb = after_dashes ? NULL : verb_named(word);

    *takes_word = verb != NULL;
    cli->verb = verb ? verb : &verbs_all[VERB_ANALYZE];
    bool like_path = after_dashes || strpbrk(word, "/.") || strcmp(word, "-") == 0;
    if (verb || like_path || access(word, F_OK) == 0)
        return true;
    const char *names[VERB_COUNT];
    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs_all[i].name;
    const char *near = cli_nearest(word, names, VERB_COUNT);
    if (near)
        cli_error("unknown verb %s; did you mean %s?", word, near);
    else
        cli_error("%s is neither a verb nor a file; spillway help lists the verbs", word);
    return false;
}

static bool check_counts(const struct cli *cli)
{
    const struct verb *verb = cli->verb;

    if (cli->n_inputs < verb->min_inputs) {
        cli_error("%s needs an argument: spillway %s %s", verb->name, verb->name,
                  verb->args);
        return false;
    }
    if (cli->n_inputs > verb->max_inputs) {
        cli_error("%s takes %s: spillway %s%s%s", verb->name,
                  verb->max_inputs ? "one argument only" : "no arguments", verb->name,
                  *verb->args ? " " : "", verb->args);
        return false;
    }
    if (cli->format != FORMAT_NONE && !(verb->formats & 1u << cli->format)) {
        struct strbuf names = { 0 };

        list_formats(&names, verb);
        cli_error("%s cannot write %s; it has %s", verb->name, format_name(cli->format),
                  names.p ? names.p : "");
        strbuf_release(&names);
        return false;
    }
    if (cli->has_stage + cli->has_sql + cli->has_job > 1) {
        cli_error("--stage, --sql and --job: one at a time");
        return false;
    }
    return true;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
    struct args a = { .argv = argv, .argc = argc, .i = 1 };
    const char **inputs = xcalloc((size_t)argc + 1, sizeof *inputs);
    bool verb_word = false, asks_help = false;
    enum next got;

    *cli = (struct cli){
        .inputs = inputs,
        .stage_attempt = APP_NONE,
        .max_nodes = -1,
        .layout_timeout_ms = -1,
    };
    /* what people type at any program, though it is a verb here */
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        cli->verb = &verbs_all[VERB_VERSION];
        return EXIT_DONE;
    }
    while ((got = args_next(&a)) == NEXT_ITEM && a.option)
        asks_help |= a.option->set == options_all[n_options - 1].set;
    if (got == NEXT_FAIL)
        return EXIT_USAGE;
    if (got == NEXT_ITEM) {
        if (!find_verb(cli, a.value, a.only_inputs, &verb_word))
            return EXIT_USAGE;
    } else { /* no argument at all: only options, or nothing */
        cli->verb = &verbs_all[VERB_HELP];
        if (!asks_help) {
            cli_error("no log given; spillway analyze LOG, or spillway help");
            return EXIT_USAGE;
        }
    }
    a = (struct args){ .argv = argv, .argc = argc, .i = 1 };
    while ((got = args_next(&a)) == NEXT_ITEM) {
        if (a.option) {
            if (!apply(cli, &a))
                return EXIT_USAGE;
        } else if (verb_word) {
            verb_word = false; /* the verb itself */
        } else {
            inputs[cli->n_inputs++] = a.value;
        }
    }
    if (got == NEXT_FAIL)
        return EXIT_USAGE;
    if (cli->help)
        return EXIT_DONE;
    return check_counts(cli) ? EXIT_DONE : EXIT_USAGE;
}

enum format cli_format(const struct cli *cli)
{
    if (cli->format != FORMAT_NONE)
        return cli->format;
    for (int f = 1; f < FORMAT_COUNT; f++) {
        if (cli->verb->formats & 1u << f)
            return (enum format)f;
    }
    return FORMAT_TEXT;
}
