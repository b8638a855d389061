/* The command line: parsing by the tables, exit codes, laying out text, whole files. */
#include "base/file.h"
#include "ui/help.h"
#include "ui/page.h"
#include "ui/progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_ARGS 12

/* Parses "analyze a.zst -j 4" with stderr switched off. */
static int parse(struct cli *cli, const char *line)
{
    static char words[512];
    static char *argv[MAX_ARGS + 1];
    int argc = 0;
    char *save = NULL;

    snprintf(words, sizeof words, "spillway %s", line);
    for (char *w = strtok_r(words, " ", &save); w && argc < MAX_ARGS;
         w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    int quiet = open("/dev/null", O_WRONLY), kept = dup(STDERR_FILENO);
    dup2(quiet, STDERR_FILENO);
    int code = cli_parse(cli, argc, argv);
    dup2(kept, STDERR_FILENO);
    close(quiet);
    close(kept);
    return code;
}

static void forget(struct cli *cli)
{
    free((void *)(uintptr_t)cli->inputs);
    *cli = (struct cli){ 0 };
}

static void right_lines_are_taken(void **state)
{
    static const struct {
        const char *line;
        enum verb_id verb;
        size_t n_inputs;
    } cases[] = {
        { "analyze a.zst", VERB_ANALYZE, 1 },
        { "a.zst", VERB_ANALYZE, 1 },
        { "-", VERB_ANALYZE, 1 },
        { "./check", VERB_ANALYZE, 1 },
        { "-- check", VERB_ANALYZE, 1 },
        { "-- -odd.zst", VERB_ANALYZE, 1 },
        { "--json logs/a logs/b", VERB_ANALYZE, 2 },
        { "-j4 -q analyze a.zst --stage 3.1", VERB_ANALYZE, 1 },
        { "analyze --stage=3 a.zst", VERB_ANALYZE, 1 },
        { "-qv a.zst", VERB_ANALYZE, 1 },
        { "a.zst -f json -o out.json", VERB_ANALYZE, 1 },
        { "check check", VERB_CHECK, 1 },
        { "check - a.zst", VERB_CHECK, 2 },
        { "conf a.zst --json", VERB_CONF, 1 },
        { "rules", VERB_RULES, 0 },
        { "rules spill", VERB_RULES, 1 },
        { "graph a.zst -o x.svg --max-nodes all", VERB_GRAPH, 1 },
        { "completion zsh", VERB_COMPLETION, 1 },
        { "help analyze", VERB_HELP, 1 },
        { "help --man", VERB_HELP, 0 },
        { "--help", VERB_HELP, 0 },
        { "check --help", VERB_CHECK, 0 },
        { "--version", VERB_VERSION, 0 },
        { "version --json", VERB_VERSION, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cli cli;
        int code = parse(&cli, cases[i].line);

        if (code != EXIT_DONE)
            fail_msg("\"%s\" gives %d", cases[i].line, code);
        if (cli.verb != &verbs_all[cases[i].verb] || cli.n_inputs != cases[i].n_inputs)
            fail_msg("\"%s\" is %s of %zu", cases[i].line, cli.verb->name, cli.n_inputs);
        forget(&cli);
    }
}

static void wrong_lines_are_wrong_usage(void **state)
{
    static const char *const lines[] = {
        "",
        "-q",
        "analyse x",
        "xyzzy",
        "analyze",
        "rules a b",
        "conf a.zst b.zst",
        "version x",
        "a.zst --nope",
        "a.zst -Z",
        "a.zst --stage",
        "a.zst -j",
        "a.zst --stage=",
        "a.zst --sql=x",
        "a.zst --sql -3",
        "a.zst --json=yes",
        "a.zst --format tex",
        "a.zst -f svg",
        "check a.zst --stage 1",
        "a.zst --stage 1 --sql 2",
        "a.zst --width 20",
        "a.zst --top 0",
        "a.zst --color maybe",
        "graph a.zst --layout-timeout -1",
        "graph a.zst --max-nodes 0",
        "a.zst -o",
        "a.zst --output=",
        "a.zst --stage 99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct cli cli;

        if (parse(&cli, lines[i]) != EXIT_USAGE)
            fail_msg("\"%s\" was accepted", lines[i]);
        forget(&cli);
    }
}

static void options_reach_the_call(void **state)
{
    struct cli cli;

    (void)state;
    assert_int_equal(
        parse(&cli, "a.zst --stage 42.1 -j 3 --top 7 --width 90 -qv --ascii"), 0);
    assert_true(cli.has_stage && cli.quiet && cli.verbose && cli.ascii);
    assert_int_equal(cli.stage_id, 42);
    assert_int_equal(cli.stage_attempt, 1);
    assert_int_equal(cli.threads, 3);
    assert_int_equal(cli.top, 7);
    assert_int_equal(cli_width(&cli), 90);
    forget(&cli);
    assert_int_equal(parse(&cli, "a.zst --stage 42 --fail-on warning --color never"), 0);
    assert_true(cli.stage_attempt == APP_NONE);
    assert_true(cli.has_fail_on && cli.fail_on == SEVERITY_WARNING &&
                cli.color == WHEN_NEVER);
    assert_int_equal(cli_format(&cli), FORMAT_TEXT);
    forget(&cli);
    assert_int_equal(
        parse(&cli, "graph a.zst --max-nodes 30 --layout-timeout 2m --heat gc"), 0);
    assert_int_equal(cli.max_nodes, 30);
    assert_int_equal(cli.layout_timeout_ms, 120000);
    assert_string_equal(cli.heat, "gc");
    forget(&cli);
}

static void the_tables_are_sound(void **state)
{
    (void)state;
    for (size_t v = 0; v < VERB_COUNT; v++) {
        const struct verb *verb = &verbs_all[v];

        if (!verb->run || !verb->summary || !verb->about || !verb->example ||
            !verb->formats)
            fail_msg("verb %s lacks something", verb->name);
    }
    for (size_t i = 0; i < n_options; i++) {
        const struct option *o = &options_all[i];

        if (!o->set || !o->verbs || !o->help || (o->values && !o->arg))
            fail_msg("option %s lacks something", o->name);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(options_all[k].name, o->name) == 0 ||
                (o->letter && options_all[k].letter == o->letter))
                fail_msg("option %s is there twice", o->name);
        }
    }
}

static void every_verb_and_option_is_in_every_text(void **state)
{
    void (*const texts[])(struct strbuf *) = { manpage, completion_bash, completion_zsh,
                                               completion_fish };

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        struct strbuf out = { 0 };

        texts[t](&out);
        for (size_t v = 0; v < VERB_COUNT; v++) {
            if (!sv_has(strbuf_sv(&out), verbs_all[v].name))
                fail_msg("text %zu lacks the verb %s", t, verbs_all[v].name);
        }
        for (size_t i = 0; i < n_options; i++) {
            const char *name = options_all[i].name;
            char dashed[80];
            size_t n = 0;

            /* the man page escapes hyphens */
            for (const char *c = name; *c && n < 70; c++) {
                if (*c == '-' && t == 0)
                    dashed[n++] = '\\';
                dashed[n++] = *c;
            }
            dashed[n] = '\0';
            if (!sv_has(strbuf_sv(&out), dashed))
                fail_msg("text %zu lacks --%s", t, name);
        }
        strbuf_release(&out);
    }
}

static void the_worst_code_wins(void **state)
{
    static const int order[] = { 130, 6, 4, 2, 7, 1, 3, 0 }; /* interface.md */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        for (size_t k = i; k < ARRAY_LEN(order); k++) {
            assert_int_equal(exit_worse(order[i], order[k]), order[i]);
            assert_int_equal(exit_worse(order[k], order[i]), order[i]);
        }
    }
    assert_int_equal(exit_of(ERR_NOT_A_LOG), EXIT_INPUT);
    assert_int_equal(exit_of(ERR_OUTPUT), EXIT_OUTPUT);
}

static void near_names_are_found(void **state)
{
    static const char *const names[] = { "analyze", "check", "conf", "completion",
                                         "version" };
    static const struct {
        const char *word, *near;
    } cases[] = {
        { "analyse", "analyze" },
        { "anlayze", "analyze" },
        { "chek", "check" },
        { "comp", "completion" },
        { "verison", "version" },
        { "xyzzy", NULL },
        { "", NULL },
        { "a", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *near = cli_nearest(cases[i].word, names, ARRAY_LEN(names));

        if ((near == NULL) != (cases[i].near == NULL) ||
            (near && strcmp(near, cases[i].near) != 0))
            fail_msg("\"%s\": %s", cases[i].word, near ? near : "none");
    }
}

/* --- text ------------------------------------------------------------------------------
 */

static void assert_lines_fit(struct sv text, size_t width)
{
    while (text.len) {
        size_t end = sv_find(text, SV("\n"));
        struct sv line = { text.p, end == SIZE_MAX ? text.len : end };

        if (page_text_width(line) > width)
            fail_msg("wider than %zu: %.*s", width, SV_FMT(line));
        text = sv_from(text, line.len + 1);
    }
}

static void paragraphs_wrap_at_the_width(void **state)
{
    struct page p = { .width = 40 };

    (void)state;
    page_wrap(&p, "Do   ", "     ",
              SV("one two  three four five six seven eight nine ten"));
    assert_string_equal(p.text.p, "Do   one two  three four five six seven\n"
                                  "     eight nine ten\n");
    page_release(&p);
    for (int width = 40; width < 130; width += 7) {
        p = (struct page){ .width = width, .color = true };
        page_wrapf(&p, "", "  ", "%s%s%s %s", page_mark(&p, STYLE_BOLD),
                   "bold words here", page_mark(&p, STYLE_PLAIN),
                   "and "
                   "/a/path/that/is/longer/than/any/line/should/be/and/goes/on/and/on/"
                   "and/on/and/"
                   "on/and/on/and/on/for/ever with \u4e2d\u6587\u5b57\u7b26 behind it");
        assert_lines_fit(strbuf_sv(&p.text), (size_t)width);
        page_release(&p);
    }
}

static void tables_leave_out_empty_columns_and_fit(void **state)
{
    static const struct table_column columns[] = { { "Name", false, 6, 0 },
                                                   { "Time", true, 0, 0 },
                                                   { "Never", true, 0, 0 } };
    struct arena arena = { 0 };
    struct page p = { .width = 40 };
    struct table t;

    (void)state;
    table_init(&t, &arena, columns, ARRAY_LEN(columns));
    table_text(&t, SV("a name that is far too long for a narrow page"));
    table_ms(&t, 1500);
    table_ms(&t, APP_NONE);
    table_text(&t, SV("b\tc"));
    table_ms(&t, 90);
    table_ms(&t, APP_NONE);
    table_print(&t, &p, 0);
    assert_lines_fit(strbuf_sv(&p.text), 40);
    assert_false(sv_has(strbuf_sv(&p.text), "Never"));
    assert_false(sv_has(strbuf_sv(&p.text), "\t"));
    table_release(&t);
    page_release(&p);
    arena_release(&arena);
}

static void ascii_keeps_the_columns(void **state)
{
    struct page p = { .width = 80, .ascii = true };

    (void)state;
    page_add(&p, "\u251c\u2500 caf\u00e9 \u2588\u258f  \nnext");
    struct sv text = page_finish(&p);
    assert_true(sv_is(text, "+- caf? #|\nnext"));
    page_release(&p);
}

static void bars_have_the_length_of_their_share(void **state)
{
    struct strbuf out = { 0 };

    (void)state;
    page_bar(&out, 0.5, 10, true);
    assert_string_equal(out.p, "#####");
    strbuf_reset(&out);
    page_bar(&out, 7.0, 4, true);
    assert_string_equal(out.p, "####");
    strbuf_reset(&out);
    page_bar(&out, 0.5, 3, false);
    assert_string_equal(out.p, "\u2588\u258c");
    strbuf_release(&out);
}

static void paths_can_be_pasted_into_a_shell(void **state)
{
    static const struct {
        const char *path, *shown;
    } cases[] = {
        { "/logs/app-1.zst", "/logs/app-1.zst" },
        { "a b", "'a b'" },
        { "it's", "'it'\\''s'" },
        { "$(rm -rf x)", "'$(rm -rf x)'" },
        { "-x", "./'-x'" },
        { "-", "-" },
        { "a.zip!b", "'a.zip!b'" },
    };
    struct arena arena = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(text_shell(&arena, sv(cases[i].path)), cases[i].shown);
    assert_string_equal(text_exact(&arena, 1234567), "1,234,567");
    assert_string_equal(text_exact(&arena, -12), "-12");
    assert_string_equal(text_exact(&arena, APP_NONE), "-");
    assert_string_equal(text_plural(&arena, 1, "task", "tasks"), "1 task");
    arena_release(&arena);
}

static void progress_tells_rate_and_rest(void **state)
{
    struct load_progress now = { .read_bytes = 1 << 20,
                                 .total_bytes = 4 << 20,
                                 .events = 5000 };
    struct strbuf out = { 0 };

    (void)state;
    progress_text(&out, "app.zst", &now, 1000);
    assert_string_equal(out.p,
                        "app.zst  1.0 MiB of 4.0 MiB  25%  5.0k events/s  ETA 3.0s");
    strbuf_reset(&out);
    now.total_bytes = -1;
    progress_text(&out, "-", &now, 1000);
    assert_string_equal(out.p, "-  1.0 MiB  5.0k events/s");
    strbuf_release(&out);
}

/* --- files
 * -------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/spillway-cli-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int count_entries(void)
{
    char command[128];
    int n = -1;

    snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
    FILE *pipe = popen(command, "r");
    if (!pipe || fscanf(pipe, "%d", &n) != 1)
        n = -1;
    if (pipe)
        pclose(pipe);
    return n;
}

static void a_file_appears_whole_or_not_at_all(void **state)
{
    char path[128], text[16] = { 0 };
    struct file_writer w;
    struct err err = { 0 };
    struct stat st;

    (void)state;
    snprintf(path, sizeof path, "%s/out", folder);
    assert_int_equal(file_writer_open(&w, path, &err), ERR_OK);
    assert_int_equal(file_writer_add(&w, SV("half"), &err), ERR_OK);
    assert_int_equal(stat(path, &st), -1);
    file_writer_release(&w);
    assert_int_equal(count_entries(), 0);

    assert_int_equal(file_write(path, SV("first"), &err), ERR_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(file_writer_open(&w, path, &err), ERR_OK);
    assert_int_equal(file_writer_add(&w, SV("second"), &err), ERR_OK);
    file_writers_abandon(); /* as on a signal */
    file_writer_release(&w);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, sizeof text - 1, f), 5);
    fclose(f);
    assert_string_equal(text, "first");
    assert_int_equal(file_write(path, SV("second"), &err), ERR_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(count_entries(), 1);
}

static void what_cannot_be_written_is_an_answer(void **state)
{
    char path[128];
    struct err err = { 0 };

    (void)state;
    assert_int_equal(file_write("/dev/full", SV("x"), &err), ERR_OUTPUT);
    assert_true(sv_has(sv(err.text), "/dev/full"));
    assert_int_equal(file_write(folder, SV("x"), &err), ERR_OUTPUT);
    snprintf(path, sizeof path, "%s/none/out", folder);
    assert_int_equal(file_write(path, SV("x"), &err), ERR_OUTPUT);
    assert_int_equal(file_write("/dev/null", SV("x"), &err), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_lines_are_taken),
        cmocka_unit_test(wrong_lines_are_wrong_usage),
        cmocka_unit_test(options_reach_the_call),
        cmocka_unit_test(the_tables_are_sound),
        cmocka_unit_test(every_verb_and_option_is_in_every_text),
        cmocka_unit_test(the_worst_code_wins),
        cmocka_unit_test(near_names_are_found),
        cmocka_unit_test(paragraphs_wrap_at_the_width),
        cmocka_unit_test(tables_leave_out_empty_columns_and_fit),
        cmocka_unit_test(ascii_keeps_the_columns),
        cmocka_unit_test(bars_have_the_length_of_their_share),
        cmocka_unit_test(paths_can_be_pasted_into_a_shell),
        cmocka_unit_test(progress_tells_rate_and_rest),
        cmocka_unit_test_setup_teardown(a_file_appears_whole_or_not_at_all, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_an_answer, make_folder,
                                        drop_folder),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
