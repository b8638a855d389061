/* Gathering what views show. See report.h. */
#include "ui/report.h"

#include "base/mem.h"
#include "rules/plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- facts ----------------------------------------------------------------------------
 */

static bool saw(const struct stage *s, enum task_metric m)
{
    return (s->metrics_seen & 1u << m) != 0;
}

/* Sum over all attempts; APP_NONE where no task had the metric. */
static int64_t sum_metric(const struct app *app, enum task_metric m)
{
    int64_t sum = APP_NONE;

    app_each_stage (app, s) {
        if (saw(s, m))
            sum = add_sat(sum == APP_NONE ? 0 : sum, s->total[m]);
    }
    return sum;
}

struct plan_walk {
    const struct app *app;
    struct map seen; /* accumulators already counted: plans share subtrees */
    struct facts *facts;
};

static void add_to(int64_t *sum, int64_t n)
{
    *sum = add_sat(*sum == APP_NONE ? 0 : *sum, n);
}

static void walk_plan(struct plan_walk *w, const struct plan_node *node)
{
    bool broadcast = sv_starts(node->name, SV("BroadcastExchange"));

    for (size_t i = 0; i < node->n_metrics; i++) {
        const struct plan_metric *m = &node->metrics[i];
        bool read = sv_is(m->name, "number of files read");
        bool written = sv_is(m->name, "number of written files");
        bool data = broadcast && sv_is(m->name, "data size");

        if (!read && !written && !data)
            continue;
        if (map_get(&w->seen, m->accumulator_id) != MAP_NONE)
            continue;
        map_put(&w->seen, m->accumulator_id, 0);
        struct accum_summary sum = app_accum(w->app, m->accumulator_id, m->type);
        if (!sum.n)
            continue;
        add_to(read      ? &w->facts->input_files
               : written ? &w->facts->output_files
                         : &w->facts->broadcast_bytes,
               sum.total);
        w->facts->broadcasts += data;
    }
    for (size_t i = 0; i < node->n_children; i++)
        walk_plan(w, node->children[i]);
}

static void facts_of_plans(struct facts *f, const struct app *app)
{
    struct plan_walk walk = { .app = app, .facts = f };

    app_each_sql (app, q) {
        if (sql_final_plan(q))
            walk_plan(&walk, sql_final_plan(q));
    }
    map_release(&walk.seen);
}

/* Keeps the largest spillers in f->spill_ix, largest first. */
static void note_spill(struct facts *f, const struct app *app, uint32_t ix)
{
    int64_t bytes = app->stages[ix].total[METRIC_SPILL_DISK_BYTES];
    size_t at = f->n_spill;

    f->spilling_stages++;
    while (at > 0 &&
           app->stages[f->spill_ix[at - 1]].total[METRIC_SPILL_DISK_BYTES] < bytes)
        at--;
    if (at == ARRAY_LEN(f->spill_ix))
        return;
    if (f->n_spill < ARRAY_LEN(f->spill_ix))
        f->n_spill++;
    for (size_t i = f->n_spill - 1; i > at; i--)
        f->spill_ix[i] = f->spill_ix[i - 1];
    f->spill_ix[at] = ix;
}

static void facts_of_stages(struct facts *f, const struct app *app)
{
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        bool again = ix > 0 && app->stages[ix - 1].stage_id == s->stage_id;

        f->tasks += s->completed_tasks + s->failed_tasks + s->killed_tasks;
        f->failed_tasks += s->failed_tasks;
        f->killed_tasks += s->killed_tasks;
        f->speculative_tasks += s->speculative_tasks;
        f->failed_attempts += s->status == STAGE_FAILED;
        if (again && stage_ran(s) &&
            (ix < 2 || app->stages[ix - 2].stage_id != s->stage_id))
            f->retried_stages++;
        if (s->failed_tasks &&
            (f->failing_ix == IX_NONE ||
             s->failed_tasks > app->stages[f->failing_ix].failed_tasks))
            f->failing_ix = ix;
        if (s->total[METRIC_SHUFFLE_WRITE_BYTES] > 0 && !again)
            f->exchanges++;
        if (s->total[METRIC_SPILL_DISK_BYTES] > 0 ||
            s->total[METRIC_SPILL_MEMORY_BYTES] > 0)
            note_spill(f, app, ix);
        if (saw(s, METRIC_PEAK_EXECUTION_BYTES)) {
            struct quantiles q = stage_metric_quantiles(s, METRIC_PEAK_EXECUTION_BYTES);

            if (q.n && (f->peak_bytes == APP_NONE || q.value[Q_MAX] > f->peak_bytes)) {
                f->peak_bytes = q.value[Q_MAX];
                f->peak_ix = ix;
            }
        }
    }
}

static void facts_build(struct facts *f, const struct analysis *a)
{
    const struct app *app = &a->app;

    *f = (struct facts){
        .input_bytes = sum_metric(app, METRIC_INPUT_BYTES),
        .input_rows = sum_metric(app, METRIC_INPUT_ROWS),
        .input_files = APP_NONE,
        .output_bytes = sum_metric(app, METRIC_OUTPUT_BYTES),
        .output_rows = sum_metric(app, METRIC_OUTPUT_ROWS),
        .output_files = APP_NONE,
        .shuffle_write_bytes = sum_metric(app, METRIC_SHUFFLE_WRITE_BYTES),
        .shuffle_read_bytes = sum_metric(app, METRIC_LOCAL_BYTES),
        .edge_from_ix = IX_NONE,
        .edge_to_ix = IX_NONE,
        .edge_bytes = APP_NONE,
        .broadcast_bytes = APP_NONE,
        .result_bytes = sum_metric(app, METRIC_RESULT_BYTES),
        .spill_memory_bytes = sum_metric(app, METRIC_SPILL_MEMORY_BYTES),
        .spill_disk_bytes = sum_metric(app, METRIC_SPILL_DISK_BYTES),
        .peak_bytes = APP_NONE,
        .peak_ix = IX_NONE,
        .failing_ix = IX_NONE,
        .cache_memory_bytes = app->has_block_updates ? 0 : APP_NONE,
        .cache_disk_bytes = app->has_block_updates ? 0 : APP_NONE,
        .retry_ms = a->ledgers.wall_ms[WALL_RETRIES],
    };
    int64_t remote = sum_metric(app, METRIC_REMOTE_BYTES);
    if (remote != APP_NONE)
        add_to(&f->shuffle_read_bytes, remote);
    facts_of_stages(f, app);
    facts_of_plans(f, app);
    for (size_t i = 0; i < a->lineage.n_links; i++) {
        const struct link *link = &a->lineage.links[i];

        if (link->via == VIA_SHUFFLE && link->bytes != APP_NONE &&
            (f->edge_bytes == APP_NONE || link->bytes > f->edge_bytes)) {
            f->edge_bytes = link->bytes;
            f->edge_from_ix = link->from_ix;
            f->edge_to_ix = link->to_ix;
        }
    }
    for (size_t i = 0; i < app->n_cached && app->has_block_updates; i++) {
        f->cache_memory_bytes += app->cached[i].peak_memory_bytes;
        f->cache_disk_bytes += app->cached[i].peak_disk_bytes;
    }
    app_each_job (app, j) {
        f->jobs++;
        if (j->status == JOB_FAILED && job_was_cancelled(j))
            f->cancelled_jobs++;
        else
            f->failed_jobs += j->status == JOB_FAILED;
    }
    app_each_executor (app, e)
        f->lost_executors += e->lost;
}

/* --- completeness
 * ----------------------------------------------------------------------- */

static struct gap *add_gap(struct report *r, const char *kind, int64_t count, bool lossy)
{
    GROW(r->gaps, r->n_gaps, r->cap_gaps);
    struct gap *g = &r->gaps[r->n_gaps++];

    *g = (struct gap){ .kind = kind, .count = count, .lossy = lossy, .text = "" };
    r->lossy |= lossy;
    return g;
}

static bool loses_lines(enum line_damage kind)
{
    switch (kind) {
    case DAMAGE_NOT_JSON:
    case DAMAGE_NO_EVENT:
    case DAMAGE_FIELDS:
    case DAMAGE_TORN:
    case DAMAGE_TOO_LONG:
        return true;
    case DAMAGE_EMPTY:
    case DAMAGE_NUL:
    case DAMAGE_CRLF:
    case DAMAGE_BOM:
    case DAMAGE_UTF8:
    case DAMAGE_DUPLICATE_KEY:
    case DAMAGE_BARE_NAN:
    case DAMAGE_COUNT:
        return false;
    }
    return false;
}

const char *report_place(struct report *r, struct sv path)
{
    return sv_is(path, "-") ? "standard input" : text_clean(&r->arena, path, 0);
}

static void gaps_of_lines(struct report *r, const struct completeness *c)
{
    for (int k = 0; k < DAMAGE_COUNT; k++) {
        const struct damage *d = &c->damage[k];

        if (!d->count)
            continue;
        struct gap *g = add_gap(r, line_damage_name((enum line_damage)k), d->count,
                                loses_lines((enum line_damage)k));
        g->part = d->part;
        g->line = d->line;
        g->offset = d->offset;
        g->text = arena_printf(
            &r->arena, "%s: %s%s, first at %s:%" PRId64 " (byte %" PRId64 ")",
            line_damage_name((enum line_damage)k),
            text_plural(&r->arena, d->count, "line", "lines"), g->lossy ? " lost" : "",
            report_place(r, d->part), d->line, d->offset);
    }
}

static void gaps_of_events(struct report *r, const struct completeness *c)
{
    if (c->unknown_events) {
        struct strbuf names = { 0 };

        for (size_t i = 0; i < c->n_unknown && i < 3; i++)
            strbuf_printf(&names, "%s%s", i ? ", " : "",
                          text_clean(&r->arena, c->unknown[i].name, 60));
        if (c->n_unknown > 3)
            strbuf_printf(&names, " and %zu more kinds", c->n_unknown - 3);
        add_gap(r, "unknown event", c->unknown_events, false)->text = arena_printf(
            &r->arena, "unknown events: %s left out (%s)",
            text_exact(&r->arena, c->unknown_events), names.p ? names.p : "");
        strbuf_release(&names);
    }
    if (c->orphan_task_ends)
        add_gap(r, "task end without start", c->orphan_task_ends, false)->text =
            arena_printf(&r->arena,
                         "task ends without a start: %s; times of those tasks are as "
                         "their end gives them",
                         text_exact(&r->arena, c->orphan_task_ends));
    if (c->clock_jumps)
        add_gap(r, "clock jump", c->clock_jumps, false)->text = arena_printf(
            &r->arena, "clock jumps: %s before it began; the time counts as 0",
            text_plural(&r->arena, c->clock_jumps, "task, stage or job ends",
                        "tasks, stages or jobs end"));
}

void report_gaps(struct report *r, const struct app *app)
{
    const struct completeness *c = &app->complete;

    if (!app->finished)
        add_gap(r, "unfinished", 1, true)->text =
            "unfinished: the application's end is not in the log; it still ran, was "
            "killed, or "
            "the log was cut";
    else if (c->in_progress)
        add_gap(r, "in progress", 1, false)->text =
            "in progress by its name, though the application's end is in it";
    else if (c->truncated)
        add_gap(r, "truncated", 1, true)->text =
            "truncated: something of the end is missing";
    for (size_t i = 0; i < c->n_missing_parts; i++) {
        struct gap *g = add_gap(r, "missing part", 1, true);

        g->part = c->missing_parts[i];
        g->text = arena_printf(&r->arena, "missing part: %s",
                               text_clean(&r->arena, c->missing_parts[i], 80));
    }
    gaps_of_lines(r, c);
    gaps_of_events(r, c);
    for (size_t i = 0; i < c->n_notes; i++)
        add_gap(r, "note", 1, false)->text = text_clean(&r->arena, c->notes[i], 0);
}

const char *report_stream_words(const struct report *r)
{
    return app_is_stream(&r->a->app)
               ? "; a stream runs as long as it is let run: its batches would be shorter"
               : "";
}

const char *report_completeness(struct report *r)
{
    const struct completeness *c = &r->a->app.complete;
    int64_t lost = 0;

    for (int k = 0; k < DAMAGE_COUNT; k++)
        lost += loses_lines((enum line_damage)k) ? c->damage[k].count : 0;
    if (c->n_missing_parts)
        return "log incomplete: parts missing";
    if (!r->a->app.finished)
        return "log unfinished";
    if (c->truncated)
        return "log truncated";
    if (lost)
        return arena_printf(&r->arena, "log damaged: %s lost",
                            text_plural(&r->arena, lost, "line", "lines"));
    return r->lossy ? "log incomplete" : "log complete";
}

bool report_worst(const struct report *r, enum severity *out)
{
    for (size_t i = 0; i < r->findings.n; i++) {
        enum severity s = r->findings.items[i].severity;

        if (i == 0 || s > *out)
            *out = s;
    }
    return r->findings.n > 0;
}

int report_code(const struct report *r, const struct cli *cli)
{
    enum severity worst;

    return cli->has_fail_on && report_worst(r, &worst) && worst >= cli->fail_on
               ? EXIT_FOUND
               : EXIT_DONE;
}

/* Notes go last: they are not worth a number above a warning's. */
static void set_order(struct report *r)
{
    size_t n = 0;

    r->shown = arena_array(&r->arena, r->findings.n + 1, sizeof *r->shown);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < r->findings.n; i++) {
            if ((r->findings.items[i].severity == SEVERITY_NOTE) == (pass == 1))
                r->shown[n++] = i;
        }
    }
}

void report_build(struct report *r, const struct analysis *a, struct sv path)
{
    *r = (struct report){ .a = a, .path = path };
    rules_run(&r->findings, a, &r->arena);
    set_order(r);
    facts_build(&r->facts, a);
    report_gaps(r, &a->app);
    r->saving_ms = r->findings.saving_ms;
    r->healthy = !report_worst(r, &r->worst) || r->worst == SEVERITY_NOTE;
}

const struct outlook *report_outlook(struct report *r)
{
    if (!r->has_outlook)
        outlook_build(&r->outlook, r->a, &r->arena);
    r->has_outlook = true;
    return &r->outlook;
}

const struct loss *report_loss(struct report *r)
{
    if (!r->has_loss) {
        loss_build(&r->loss, r->a, &r->arena);
        writes_find(&r->writes, &r->a->app, &r->arena);
    }
    r->has_loss = true;
    return &r->loss;
}

const struct writes *report_writes(struct report *r)
{
    (void)report_loss(r);
    return &r->writes;
}

const struct fit *report_fit(struct report *r)
{
    if (!r->has_fit)
        fit_build(&r->fit, r->a, &r->arena);
    r->has_fit = true;
    return &r->fit;
}

void report_release(struct report *r)
{
    free(r->gaps);
    arena_release(&r->arena);
    *r = (struct report){ 0 };
}

/* --- words -----------------------------------------------------------------------------
 */

const char *stage_label(struct arena *a, const struct stage *s)
{
    return s->attempt ? arena_printf(a, "%" PRId64 ".%" PRId64, s->stage_id, s->attempt)
                      : arena_printf(a, "%" PRId64, s->stage_id);
}

static void list_stages(struct strbuf *out, struct report *r, const struct finding *f)
{
    enum { SHOWN = 4 };

    strbuf_addz(out, f->n_stages == 1 ? "stage " : "stages ");
    for (size_t i = 0; i < f->n_stages && i < SHOWN; i++)
        strbuf_printf(out, "%s%s", i ? ", " : "",
                      stage_label(&r->arena, &r->a->app.stages[f->stage_ixs[i]]));
    if (f->n_stages > SHOWN)
        strbuf_printf(out, " and %zu more", f->n_stages - SHOWN);
}

static void list_ids(struct strbuf *out, const char *one, const char *many,
                     const int64_t *ids, size_t n)
{
    enum { SHOWN = 4 };

    strbuf_printf(out, "%s%s ", out->len ? ", " : "", n == 1 ? one : many);
    for (size_t i = 0; i < n && i < SHOWN; i++)
        strbuf_printf(out, "%s%" PRId64, i ? ", " : "", ids[i]);
    if (n > SHOWN)
        strbuf_printf(out, " and %zu more", n - SHOWN);
}

const char *report_where(struct report *r, const struct finding *f, size_t max)
{
    struct strbuf out = { 0 };

    if (f->n_stages)
        list_stages(&out, r, f);
    if (f->n_sqls) {
        uint32_t ix = app_sql_ix(&r->a->app, f->sql_ids[0]);

        list_ids(&out, "SQL", "SQL", f->sql_ids, f->n_sqls);
        if (f->n_sqls == 1 && ix != IX_NONE && r->a->app.sqls[ix].description.len && max)
            strbuf_printf(&out, " \"%s\"",
                          text_clean(&r->arena,
                                     sv_first_line(r->a->app.sqls[ix].description), max));
    } else if (f->n_jobs) {
        list_ids(&out, "job", "jobs", f->job_ids, f->n_jobs);
    }
    if (f->n_executors) {
        strbuf_printf(&out, "%s%s %s", out.len ? ", " : "",
                      f->n_executors == 1 ? "executor" : "executors",
                      text_clean(&r->arena, f->executor_ids[0], 20));
        if (f->n_executors > 1)
            strbuf_printf(&out, " and %zu more", f->n_executors - 1);
    }
    if (!out.len)
        strbuf_addz(&out, "whole application");
    const char *kept = arena_sv(&r->arena, strbuf_sv(&out)).p;
    strbuf_release(&out);
    return kept;
}

const char *const *report_next(struct report *r)
{
    const char **next = arena_array(&r->arena, 4, sizeof *next);
    const char *path = text_shell(&r->arena, r->path);
    bool again = !sv_is(r->path, "-"); /* standard input cannot be read twice */
    size_t n = 0;

    if (r->findings.n && !r->healthy) {
        const struct finding *f = report_shown(r, 1);

        if (!again)
            ;
        else if (f->n_stages)
            next[n++] =
                arena_printf(&r->arena, "spillway analyze %s --stage %s", path,
                             stage_label(&r->arena, &r->a->app.stages[f->stage_ixs[0]]));
        else if (f->n_sqls)
            next[n++] = arena_printf(&r->arena, "spillway analyze %s --sql %" PRId64,
                                     path, f->sql_ids[0]);
        else if (f->n_jobs)
            next[n++] = arena_printf(&r->arena, "spillway analyze %s --job %" PRId64,
                                     path, f->job_ids[0]);
        next[n++] = arena_printf(&r->arena, "spillway rules %s", f->rule->id);
        if (again && n < 2)
            next[n++] = arena_printf(&r->arena, "spillway graph %s -o stages.svg", path);
    } else if (r->n_gaps && again) {
        next[n++] = arena_printf(&r->arena, "spillway check %s", path);
    } else if (r->findings.n && again) {
        next[n++] = arena_printf(&r->arena, "spillway analyze %s --verbose", path);
    }
    return next;
}

static bool has_key(const struct kv *items, size_t n, struct sv key)
{
    for (size_t i = 0; i < n; i++) {
        if (sv_eq(items[i].key, key))
            return true;
    }
    return false;
}

struct kvs report_settings(struct report *r)
{
    size_t room = 0, n = 0;

    for (size_t i = 0; i < r->findings.n; i++)
        room += r->findings.items[i].settings.n;
    struct kv *items = arena_array(&r->arena, room ? room : 1, sizeof *items);
    for (size_t i = 0; i < r->findings.n; i++) {
        const struct kvs *own = &r->findings.items[i].settings;

        for (size_t k = 0; k < own->n && !r->findings.items[i].note; k++) {
            if (!has_key(items, n, own->items[k].key))
                items[n++] = own->items[k];
        }
    }
    return (struct kvs){ items, n };
}

const char *evidence_text(struct arena *a, const struct evidence *e)
{
    if (e->is_text)
        return text_clean(a, e->text, 0);
    if (fabs(e->number) < 9007199254740992.0 && e->number == floor(e->number))
        return arena_printf(a, "%.0f", e->number);
    return arena_printf(a, "%.4g", e->number);
}
