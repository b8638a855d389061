/* Many logs. See crew.h. */
#include "ui/crew.h"

#include "base/file.h"
#include "base/mem.h"
#include "ui/progress.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct gang {
    struct crew *crew;
    const struct log_input *logs;
    crew_render render;
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

static void keep_findings(struct outcome *o, const struct report *r)
{
    o->list = arena_array(&o->row, r->findings.n, sizeof *o->list);
    for (size_t i = 0; i < r->findings.n; i++) {
        const struct finding *f = &r->findings.items[i];
        size_t k = 0;

        if (f->severity == SEVERITY_NOTE)
            continue;
        while (k < o->n_list && o->list[k].rule != f->rule)
            k++;
        if (k == o->n_list)
            o->list[o->n_list++].rule = f->rule;
        o->list[k].saves_ms = add_sat(o->list[k].saves_ms, f->expected_ms);
    }
}

static void keep_row(struct outcome *o, struct report *r)
{
    const struct app *app = &r->a->app;

    o->name = arena_sv(&o->row, app->name);
    o->id = arena_sv(&o->row, app->id);
    o->version = arena_sv(&o->row, app->spark_version);
    o->findings = finding_ids(r, &o->row);
    o->completeness =
        r->lossy ? arena_sv(&o->row, sv(report_completeness(r))) : (struct sv){ 0 };
    o->start_ms = app->start_ms;
    o->wall_ms = r->a->ledgers.wall_total_ms;
    o->saving_ms = r->saving_ms;
    o->core_ms = r->a->ledgers.core_total_ms;
    o->healthy = r->healthy;
    o->any = report_worst(r, &o->worst);
    keep_findings(o, r);
}

static void look_at(struct gang *g, size_t i)
{
    struct outcome *o = &g->crew->outcomes[i];
    const struct cli *cli = g->crew->cli;
    struct analysis a = { 0 };
    struct report r = { 0 };
    struct err err = { 0 };

    enum errc rc = cli_try_analysis(&g->logs[i], g->threads_each, NULL, &a, &err);
    if (rc != ERR_OK) {
        o->code = exit_of(rc);
        o->error = arena_sv(&o->row, sv(err.text));
        return;
    }
    report_build(&r, &a, g->logs[i].path);
    o->code = report_code(&r, cli);
    keep_row(o, &r);
    if (g->render) {
        struct page p;

        page_init(&p, cli);
        g->render(&p, &r, cli);
        o->text = p.text; /* taken over */
    }
    report_release(&r);
    analysis_release(&a);
}

static void *work(void *arg)
{
    struct gang *g = arg;
    size_t i;

    while ((i = atomic_fetch_add(&g->next, 1)) < g->crew->n) {
        look_at(g, i);
        pthread_mutex_lock(&g->lock);
        g->crew->outcomes[i].done = true;
        g->n_done++;
        progress_count(&g->progress, g->n_done, g->crew->n);
        pthread_cond_broadcast(&g->one_done);
        pthread_mutex_unlock(&g->lock);
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
static int write_records(struct gang *g)
{
    struct file_writer w = { 0 };
    struct err err = { 0 };
    enum errc rc = file_writer_open(&w, g->crew->cli->output, &err);

    for (size_t i = 0; i < g->crew->n; i++) {
        struct outcome *o = &g->crew->outcomes[i];

        pthread_mutex_lock(&g->lock);
        while (!o->done)
            pthread_cond_wait(&g->one_done, &g->lock);
        pthread_mutex_unlock(&g->lock);
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

int crew_run(struct crew *crew, const struct cli *cli, struct log_set *set,
             crew_render render)
{
    int cores = processors();
    int threads = cli->threads ? cli->threads : cores;
    struct gang g = { .crew = crew, .logs = set->logs, .render = render };
    int code = EXIT_DONE, started = 0;

    if ((size_t)threads > set->n)
        threads = (int)set->n;
    *crew = (struct crew){ .cli = cli, .n = set->n };
    g.threads_each = cores / threads > 1 ? cores / threads : 1;
    crew->outcomes = xcalloc(set->n, sizeof *crew->outcomes);
    qsort(set->logs, set->n, sizeof *set->logs, by_path);
    for (size_t i = 0; i < set->n; i++)
        crew->outcomes[i].path = set->logs[i].path;
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.one_done, NULL);
    progress_init(&g.progress, "", !cli->quiet && !cli->no_progress);
    pthread_t *workers = xcalloc((size_t)threads, sizeof *workers);
    for (; started < threads; started++) {
        if (pthread_create(&workers[started], NULL, work, &g) != 0)
            break;
    }
    if (started == 0)
        work(&g); /* no thread to be had: alone, then */
    if (render)
        code = write_records(&g);
    for (int i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    progress_end(&g.progress);
    for (size_t i = 0; i < set->n; i++) {
        if (crew->outcomes[i].error.p)
            cli_error("%s", crew->outcomes[i].error.p);
        code = exit_worse(code, crew->outcomes[i].code);
    }
    free(workers);
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.one_done);
    return code;
}

void crew_release(struct crew *crew)
{
    for (size_t i = 0; i < crew->n; i++)
        arena_release(&crew->outcomes[i].row);
    free(crew->outcomes);
    *crew = (struct crew){ 0 };
}

/* --- for tables
 * -------------------------------------------------------------------------- */

size_t crew_folder(const struct outcome *const *rows, size_t n)
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

const struct outcome **crew_rows(const struct crew *crew, size_t *n)
{
    const struct outcome **rows = xcalloc(crew->n + 1, sizeof *rows);

    *n = 0;
    for (size_t i = 0; i < crew->n; i++)
        if (!crew->outcomes[i].error.p)
            rows[(*n)++] = &crew->outcomes[i];
    return rows;
}

const char *outcome_verdict(const struct outcome *o)
{
    static const char *const words[] = { [SEVERITY_NOTE] = "fine",
                                         [SEVERITY_WARNING] = "warning",
                                         [SEVERITY_CRITICAL] = "critical" };

    return words[o->any ? o->worst : SEVERITY_NOTE];
}

int64_t outcome_saving_ms(const struct outcome *o)
{
    return o->healthy ? 0 : o->saving_ms;
}
