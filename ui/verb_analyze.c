/* spillway analyze LOG...: one application in full, or many in a line each. */
#include "ui/crew.h"
#include "ui/detail.h"

#include <stdlib.h>
#include <time.h>

static bool has_detail(const struct cli *cli)
{
    return cli->has_stage || cli->has_sql || cli->has_job || cli->why;
}

/* --- one application
 * ----------------------------------------------------------------------- */

static enum errc detail(struct page *p, struct report *r, const struct cli *cli,
                        struct err *err)
{
    bool json = cli_format(cli) == FORMAT_JSON;

    if (cli->why)
        return detail_finding(p, r, cli, json, err);
    if (cli->has_stage)
        return detail_stage(p, r, cli, json, err);
    return cli->has_sql ? detail_sql(p, r, cli, json, err)
                        : detail_job(p, r, cli, json, err);
}

static void render(struct page *p, struct report *r, const struct cli *cli)
{
    switch (cli_format(cli)) {
    case FORMAT_JSON:
        render_json(&p->text, r);
        break;
    case FORMAT_PLAIN:
        render_plain(&p->text, r);
        break;
    case FORMAT_MD:
        render_md(p, r);
        break;
    case FORMAT_TEXT:
    case FORMAT_NONE:
    case FORMAT_CSV:
    case FORMAT_SVG:
    case FORMAT_PNG:
    case FORMAT_DOT:
    case FORMAT_TXT:
    case FORMAT_COUNT:
        render_text(p, r, cli);
    }
}

/* JSON and records for machines are not folded to ASCII: their readers know UTF-8. */
static struct sv finished(struct page *p, const struct cli *cli)
{
    return cli_format(cli) == FORMAT_TEXT ? page_finish(p) : strbuf_sv(&p->text);
}

/* Further files of the same analysis; the worst code of their writing. */
static int emit_files(struct report *r, const struct cli *cli)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < cli->n_emits; i++) {
        struct cli other = *cli;
        struct page p;

        other.format = cli->emits[i].format;
        other.output = cli->emits[i].file;
        other.color = WHEN_NEVER;
        page_init(&p, &other);
        if (other.format == FORMAT_NONE)
            render_conf(&p.text, r);
        else
            render(&p, r, &other);
        code = exit_worse(code, cli_write(&other, finished(&p, &other)));
        page_release(&p);
    }
    return code;
}

static int analyze_one(const struct cli *cli, const struct log_input *log)
{
    struct analysis a = { 0 };
    struct report r = { 0 };
    struct page p;
    struct err err = { 0 };
    int code = cli_load_analysis(cli, log, &a);

    if (code != EXIT_DONE)
        return code;
    page_init(&p, cli);
    report_build(&r, &a, log->path);
    if (!has_detail(cli))
        render(&p, &r, cli);
    else if (detail(&p, &r, cli, &err) != ERR_OK) {
        cli_error("%s", err.text);
        code = exit_of(err.code);
    }
    if (code == EXIT_DONE) {
        code = exit_worse(cli_write(cli, finished(&p, cli)), emit_files(&r, cli));
        code = exit_worse(code, report_code(&r, cli));
    }
    page_release(&p);
    report_release(&r);
    analysis_release(&a);
    return code;
}

/* --- many
 * ---------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
    const struct outcome *x = *(const struct outcome *const *)a;
    const struct outcome *y = *(const struct outcome *const *)b;

    if (x->start_ms != y->start_ms)
        return x->start_ms > y->start_ms ? -1 : 1;
    return sv_cmp(x->path, y->path);
}

/* "2026-11-22" in UTC: dates of a log mean the same everywhere. */
static void date_cell(struct table *t, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm day;
    char text[32];

    if (ms == APP_NONE || !gmtime_r(&seconds, &day) ||
        !strftime(text, sizeof text, "%Y-%m-%d", &day))
        table_cell(t, "-");
    else
        table_cell(t, "%s", text);
}

static void table_row(struct table *t, const struct outcome *o, size_t folder_len,
                      bool dates)
{
    const char *log = o->completeness.len ? o->completeness.p : "";

    table_text(t, o->name);
    date_cell(t, dates ? o->start_ms : APP_NONE);
    table_ms(t, o->wall_ms);
    table_ms(t, outcome_saving_ms(o) > 0 ? outcome_saving_ms(o) : APP_NONE);
    table_cell(t, "%s", outcome_verdict(o));
    table_cell(t, "%s%s%s", o->findings.len ? o->findings.p : "",
               o->findings.len && *log ? "; " : "", log);
    table_text(t, sv_from(o->path, folder_len));
}

static int write_table(const struct crew *crew, size_t n_failed)
{
    static const struct table_column columns[] = {
        { "Application", false, 12, 0 }, { "Started", false, 0, 0 },
        { "Wall", true, 0, 0 },          { "Saves", true, 0, 0 },
        { "Verdict", false, 0, 0 },      { "Findings", false, 16, 0 },
        { "Path", false, 20, 0 },
    };
    struct arena arena = { 0 };
    struct table t;
    struct page p;
    size_t n;
    const struct outcome **rows = crew_rows(crew, &n);

    page_init(&p, crew->cli);
    n_failed += crew->n - n;
    if (n)
        qsort(rows, n, sizeof *rows, newest_first);
    table_init(&t, &arena, columns, ARRAY_LEN(columns));
    size_t folder_len = crew_folder(rows, n);
    for (size_t i = 0; i < n; i++)
        table_row(&t, rows[i], folder_len, p.width >= 110); /* else the path needs it */
    if (n)
        table_print(&t, &p, 0);
    page_newline(&p);
    page_add(&p, "%s%s%s, newest first",
             text_plural(&arena, (int64_t)n, "application", "applications"),
             folder_len ? " in " : "",
             folder_len
                 ? text_clean(&arena, (struct sv){ rows[0]->path.p, folder_len }, 0)
                 : "");
    if (n_failed)
        page_add(&p, "; %zu could not be read", n_failed);
    page_newline(&p);
    const struct outcome *most = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!rows[i]->healthy && (!most || rows[i]->saving_ms > most->saving_ms))
            most = rows[i];
    }
    if (most)
        page_add(&p, "\n%sNext:%s spillway analyze %s\n", page_mark(&p, STYLE_BOLD),
                 page_mark(&p, STYLE_PLAIN), text_shell(&arena, most->path));
    int code = cli_write(crew->cli, page_finish(&p));
    table_release(&t);
    page_release(&p);
    arena_release(&arena);
    free(rows);
    return code;
}

static int analyze_many(const struct cli *cli, struct log_set *set)
{
    bool text = cli_format(cli) == FORMAT_TEXT;
    struct crew crew;
    int code = crew_run(&crew, cli, set, text ? NULL : render);

    if (text)
        code = exit_worse(code, write_table(&crew, set->n_failed));
    crew_release(&crew);
    return code;
}

int verb_analyze(const struct cli *cli)
{
    struct log_set set;
    int code = cli_open_logs(cli, &set);
    bool many = set.n > 1 || cli->n_inputs > 1;

    if (many && (has_detail(cli) || cli->n_emits)) {
        cli_error("%s one application, and here are %zu",
                  has_detail(cli) ? "--stage, --sql, --job and --why look into"
                                  : "--emit writes of",
                  set.n);
        code = exit_worse(code, EXIT_USAGE);
    } else if (set.n && !many) {
        code = exit_worse(code, analyze_one(cli, &set.logs[0]));
    } else if (set.n) {
        code = exit_worse(code, analyze_many(cli, &set));
    }
    log_set_release(&set);
    return code;
}
