/* spillway help [VERB], spillway VERB --help, spillway help --man. */
#include "ui/help.h"
#include "ui/page.h"

#include <stdio.h>

static bool takes(size_t verb, const struct option *o)
{
    return (o->verbs & 1u << verb) != 0;
}

/* "text|plain|json|md": of --format, only what the verb has. */
static void add_values(struct strbuf *out, const struct verb *verb,
                       const struct option *o)
{
    bool first = true;

    if (strcmp(o->name, "format") != 0 || !verb) {
        strbuf_addz(out, o->values);
        return;
    }
    for (int f = 1; f < FORMAT_COUNT; f++) {
        if (!(verb->formats & 1u << f))
            continue;
        strbuf_printf(out, "%s%s", first ? "" : "|", format_name((enum format)f));
        first = false;
    }
}

void help_option_head(struct strbuf *out, const struct verb *verb, const struct option *o)
{
    if (o->letter)
        strbuf_printf(out, "-%c, ", o->letter);
    strbuf_printf(out, "--%s", o->name);
    if (o->values) {
        strbuf_addc(out, ' ');
        add_values(out, verb, o);
    } else if (o->arg) {
        strbuf_printf(out, " %s", o->arg);
    }
}

static void options(struct page *p, const struct verb *verb)
{
    page_add(p, "\n%sOptions%s\n", page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN));
    for (size_t i = 0; i < n_options; i++) {
        const struct option *o = &options_all[i];
        struct strbuf head = { 0 };

        if (!takes((size_t)(verb - verbs_all), o))
            continue;
        strbuf_fill(&head, ' ', o->letter ? 2 : 6);
        help_option_head(&head, verb, o);
        if (head.len > 34) {
            page_add(p, "%s\n", head.p);
            strbuf_reset(&head);
        }
        strbuf_fill(&head, ' ', 36 - head.len);
        page_wrap(p, head.p, "                                    ", sv(o->help));
        strbuf_release(&head);
    }
}

/* Paragraphs or lines, as they stand in the table. */
static void paragraphs(struct page *p, const char *indent, const char *text, bool wrap)
{
    struct sv rest = sv(text);

    while (rest.len) {
        size_t end = sv_find(rest, SV("\n"));
        struct sv line = { rest.p, end == SIZE_MAX ? rest.len : end };

        if (wrap)
            page_wrap(p, indent, indent, line);
        else
            page_add(p, "%s%.*s\n", indent, SV_FMT(line));
        rest = sv_from(rest, line.len + 1);
    }
}

static void help_verb(struct page *p, const struct verb *verb)
{
    page_add(p, "%sspillway %s%s%s%s%s\n\n", page_mark(p, STYLE_BOLD), verb->name,
             page_mark(p, STYLE_PLAIN), " [OPTIONS]", *verb->args ? " " : "", verb->args);
    paragraphs(p, "", verb->about, true);
    options(p, verb);
    page_add(p, "\n%sExamples%s\n", page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN));
    paragraphs(p, "  ", verb->example, false);
}

static void exit_codes(struct page *p)
{
    page_add(p, "\n%sExit status%s\n", page_mark(p, STYLE_BOLD),
             page_mark(p, STYLE_PLAIN));
#define LINE(id, code, meaning) page_add(p, "  %3d  %s\n", code, meaning);
    EXIT_CODES(LINE)
#undef LINE
}

static void help_all(struct page *p)
{
    page_add(p,
             "%sspillway%s reads an Apache Spark event log and says what to change.\n\n",
             page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN));
    page_add(
        p, "  spillway LOG                      is the same as spillway analyze LOG\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct strbuf head = { 0 };

        strbuf_printf(&head, "  spillway %s %s", verbs_all[i].name, verbs_all[i].args);
        strbuf_fill(&head, ' ', head.len < 36 ? 36 - head.len : 1);
        page_wrap(p, head.p, "                                    ",
                  sv(verbs_all[i].summary));
        strbuf_release(&head);
    }
    exit_codes(p);
    page_add(p, "\n%sNext:%s spillway help analyze\n", page_mark(p, STYLE_BOLD),
             page_mark(p, STYLE_PLAIN));
}

static const struct verb *asked_about(const struct cli *cli)
{
    const char *names[VERB_COUNT];
    const char *word = cli->inputs[0];

    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs_all[i].name;
        if (strcmp(word, names[i]) == 0)
            return &verbs_all[i];
    }
    const char *near = cli_nearest(word, names, VERB_COUNT);
    if (near)
        cli_error("no verb %s; did you mean %s?", word, near);
    else
        cli_error("no verb %s; spillway help lists them", word);
    return NULL;
}

int verb_help(const struct cli *cli)
{
    const struct verb *about = NULL;
    struct page p;

    if (cli->help) { /* spillway VERB --help; spillway --help */
        about = cli->verb == &verbs_all[VERB_HELP] ? NULL : cli->verb;
    } else if (cli->n_inputs && !(about = asked_about(cli))) {
        return EXIT_USAGE;
    }
    page_init(&p, cli);
    if (cli->man)
        manpage(&p.text);
    else if (about)
        help_verb(&p, about);
    else
        help_all(&p);
    int code = cli_write(cli, cli->man ? strbuf_sv(&p.text) : page_finish(&p));
    page_release(&p);
    return code;
}
