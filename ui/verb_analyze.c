/* spillway analyze LOG...: one application in full, or many in a line each.
 *
 * Many are loaded by a few threads, each taking the next log and leaving behind its
 * finished text or row; results are put out in order, whichever thread was first. */
#include "base/file.h"
#include "base/mem.h"
#include "ui/detail.h"
#include "ui/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static bool has_detail(const struct cli *cli)
{
    return cli->has_stage || cli->has_sql || cli->has_job;
}

static int fail_code(const struct cli *cli, const struct report *r)
{
    enum severity worst;

    return cli->has_fail_on && report_worst(r, &worst) && worst >= cli->fail_on
               ? EXIT_FOUND
               : EXIT_DONE;
}

/* --- one application
 * ----------------------------------------------------------------------- */

static enum errc detail(struct page *p, struct report *r, const struct cli *cli,
                        struct err *err)
{
    bool json = cli_format(cli) == FORMAT_JSON;

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
        code = exit_worse(code, fail_code(cli, &r));
    }
    page_release(&p);
    report_release(&r);
    analysis_release(&a);
    return code;
}

/* --- many
 * ------------------------------------------------------------------------------------ */

/* What is left of an application once it was looked at. */
struct outcome {
    bool done;
    int code;
    struct sv path, error; /* error: text of a failure, heap */
    struct strbuf text;    /* the record, for formats that have one each */
    /* for the table of text */
    struct sv name, findings, completeness; /* heap, one block in `row` */
    struct arena row;
    int64_t start_ms, wall_ms, saving_ms;
    bool healthy, any;
    enum severity worst;
};

struct crew {
    const struct cli *cli;
    const struct log_input *logs;
    struct outcome *outcomes;
    size_t n;
    int threads_each;
    _Atomic size_t next;
    pthread_mutex_t lock; /* of outcomes[].done and progress */
    pthread_cond_t one_done;
    struct progress progress;
    size_t n_done;
};

/* "skewed-join, spill +2" */
static struct sv finding_ids(struct report *r, struct arena *arena)
{
    enum { SHOWN = 3 };
    struct strbuf text = { 0 };
    size_t n = 0, more = 0;

    for (size_t i = 0; i < r->findings.n; i++) {
        const struct finding *f = &r->findings.items[i];
        bool before = false;

        if (f->severity == SEVERITY_NOTE)
            continue;
        for (size_t k = 0; k < i && !before; k++)
            before = r->findings.items[k].rule == f->rule;
        if (before)
            continue;
        if (n++ < SHOWN)
            strbuf_printf(&text, "%s%s", text.len ? ", " : "", f->rule->id);
        else
            more++;
    }
    if (more)
        strbuf_printf(&text, " +%zu", more);
    struct sv kept = arena_sv(arena, strbuf_sv(&text));
    strbuf_release(&text);
    return kept;
}

static void keep_row(struct outcome *o, struct report *r)
{
    const struct app *app = &r->a->app;

    o->name = arena_sv(&o->row, app->name);
    o->findings = finding_ids(r, &o->row);
    o->completeness =
        r->lossy ? arena_sv(&o->row, sv(report_completeness(r))) : (struct sv){ 0 };
    o->start_ms = app->start_ms;
    o->wall_ms = r->a->ledgers.wall_total_ms;
    o->saving_ms = r->saving_ms;
    o->healthy = r->healthy;
    o->any = report_worst(r, &o->worst);
}

static void look_at(struct crew *crew, size_t i)
{
    struct outcome *o = &crew->outcomes[i];
    const struct cli *cli = crew->cli;
    struct analysis a = { 0 };
    struct report r = { 0 };
    struct err err = { 0 };

    enum errc rc = cli_try_analysis(&crew->logs[i], crew->threads_each, NULL, &a, &err);
    if (rc != ERR_OK) {
        o->code = exit_of(rc);
        o->error = arena_sv(&o->row, sv(err.text));
        return;
    }
    report_build(&r, &a, crew->logs[i].path);
    o->code = fail_code(cli, &r);
    if (cli_format(cli) == FORMAT_TEXT) {
        keep_row(o, &r);
    } else {
        struct page p;

        page_init(&p, cli);
        render(&p, &r, cli);
        o->text = p.text; /* taken over */
    }
    report_release(&r);
    analysis_release(&a);
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    size_t i;

    while ((i = atomic_fetch_add(&crew->next, 1)) < crew->n) {
        look_at(crew, i);
        pthread_mutex_lock(&crew->lock);
        crew->outcomes[i].done = true;
        crew->n_done++;
        progress_count(&crew->progress, crew->n_done, crew->n);
        pthread_cond_broadcast(&crew->one_done);
        pthread_mutex_unlock(&crew->lock);
    }
    return NULL;
}

static int processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int by_path(const void *a, const void *b)
{
    const struct log_input *x = a, *y = b;

    return sv_cmp(x->path, y->path);
}

/* Puts out the records as they get ready, in order. */
static int write_records(struct crew *crew)
{
    struct file_writer w = { 0 };
    struct err err = { 0 };
    enum errc rc = file_writer_open(&w, crew->cli->output, &err);

    for (size_t i = 0; i < crew->n; i++) {
        struct outcome *o = &crew->outcomes[i];

        pthread_mutex_lock(&crew->lock);
        while (!o->done)
            pthread_cond_wait(&crew->one_done, &crew->lock);
        pthread_mutex_unlock(&crew->lock);
        if (rc == ERR_OK)
            rc = file_writer_add(&w, strbuf_sv(&o->text), &err);
        if (rc == ERR_OK && w.slot < 0)
            rc = file_writer_flush(&w, &err); /* somebody may read along */
        strbuf_release(&o->text);
    }
    if (rc == ERR_OK)
        rc = file_writer_commit(&w, &err);
    file_writer_release(&w);
    if (rc == ERR_OK)
        return EXIT_DONE;
    cli_error("%s", err.text);
    return EXIT_OUTPUT;
}

/* --- the table
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
    static const char *const words[] = { [SEVERITY_NOTE] = "fine",
                                         [SEVERITY_WARNING] = "warning",
                                         [SEVERITY_CRITICAL] = "critical" };
    const char *log = o->completeness.len ? o->completeness.p : "";

    table_text(t, o->name);
    date_cell(t, dates ? o->start_ms : APP_NONE);
    table_ms(t, o->wall_ms);
    table_ms(t, !o->healthy && o->saving_ms > 0 ? o->saving_ms : APP_NONE);
    table_cell(t, "%s", o->any ? words[o->worst] : words[SEVERITY_NOTE]);
    table_cell(t, "%s%s%s", o->findings.len ? o->findings.p : "",
               o->findings.len && *log ? "; " : "", log);
    table_text(t, sv_from(o->path, folder_len));
}

/* Bytes of the folder, with its slash, that all paths share. */
static size_t common_folder(const struct outcome *const *rows, size_t n)
{
    size_t len = n ? rows[0]->path.len : 0;

    for (size_t i = 1; i < n; i++) {
        size_t k = 0;

        while (k < len && k < rows[i]->path.len &&
               rows[i]->path.p[k] == rows[0]->path.p[k])
            k++;
        len = k;
    }
    while (len > 0 && rows[0]->path.p[len - 1] != '/')
        len--;
    return len;
}

static int write_table(struct crew *crew, size_t n_failed)
{
    static const struct table_column columns[] = {
        { "Application", false, 12, 0 }, { "Started", false, 0, 0 },
        { "Wall", true, 0, 0 },          { "Saves", true, 0, 0 },
        { "Verdict", false, 0, 0 },      { "Findings", false, 16, 0 },
        { "Path", false, 20, 0 },
    };
    const struct outcome **rows = xcalloc(crew->n + 1, sizeof *rows);
    struct arena arena = { 0 };
    struct table t;
    struct page p;
    size_t n = 0;

    page_init(&p, crew->cli);
    for (size_t i = 0; i < crew->n; i++) {
        if (!crew->outcomes[i].error.p)
            rows[n++] = &crew->outcomes[i];
    }
    n_failed += crew->n - n;
    if (n)
        qsort(rows, n, sizeof *rows, newest_first);
    table_init(&t, &arena, columns, ARRAY_LEN(columns));
    size_t folder_len = common_folder(rows, n);
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
    int cores = processors();
    int threads = cli->threads ? cli->threads : cores;
    struct crew crew = { .cli = cli, .logs = set->logs, .n = set->n };
    int code = EXIT_DONE, started = 0;

    if ((size_t)threads > set->n)
        threads = (int)set->n;
    crew.threads_each = cores / threads > 1 ? cores / threads : 1;
    crew.outcomes = xcalloc(set->n, sizeof *crew.outcomes);
    qsort(set->logs, set->n, sizeof *set->logs, by_path);
    for (size_t i = 0; i < set->n; i++)
        crew.outcomes[i].path = set->logs[i].path;
    pthread_mutex_init(&crew.lock, NULL);
    pthread_cond_init(&crew.one_done, NULL);
    progress_init(&crew.progress, "", !cli->quiet && !cli->no_progress);
    pthread_t *workers = xcalloc((size_t)threads, sizeof *workers);
    for (; started < threads; started++) {
        if (pthread_create(&workers[started], NULL, work, &crew) != 0)
            break;
    }
    if (started == 0)
        work(&crew); /* no thread to be had: alone, then */
    if (cli_format(cli) != FORMAT_TEXT)
        code = write_records(&crew);
    for (int i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    progress_end(&crew.progress);
    for (size_t i = 0; i < set->n; i++) {
        if (crew.outcomes[i].error.p)
            cli_error("%s", crew.outcomes[i].error.p);
        code = exit_worse(code, crew.outcomes[i].code);
    }
    if (cli_format(cli) == FORMAT_TEXT)
        code = exit_worse(code, write_table(&crew, set->n_failed));
    for (size_t i = 0; i < set->n; i++)
        arena_release(&crew.outcomes[i].row);
    free(workers);
    free(crew.outcomes);
    pthread_mutex_destroy(&crew.lock);
    pthread_cond_destroy(&crew.one_done);
    return code;
}

int verb_analyze(const struct cli *cli)
{
    struct log_set set;
    int code = cli_open_logs(cli, &set);
    bool many = set.n > 1 || cli->n_inputs > 1;

    if (many && (has_detail(cli) || cli->n_emits)) {
        cli_error("%s one application, and here are %zu",
                  has_detail(cli) ? "--stage, --sql and --job look into"
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
