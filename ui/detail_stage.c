/* --stage N: everything about one stage attempt on one screen: where it stands in the
 * run, what its time went into, how even its tasks are, and which were slow or failed. */
#include "ui/detail.h"
#include "ui/render_json.h"

#include "analyzer/failure.h"

#include <inttypes.h>
#include <stdlib.h>

#define SLOWEST 10  /* tasks */
#define EXECUTORS 8 /* rows */
#define OPERATORS 12

static bool saw(const struct stage *s, enum task_metric m)
{
    return (s->metrics_seen & 1u << m) != 0;
}

/* Time since the application began. */
static const char *since_start(struct report *r, int64_t ms)
{
    if (ms == APP_NONE || r->a->app.start_ms == APP_NONE)
        return "-";
    return text_ms(&r->arena, sub_sat(ms, r->a->app.start_ms));
}

/* --- where it stands
 * ----------------------------------------------------------------------- */

static void head(struct page *p, struct report *r, uint32_t ix)
{
    struct arena *a = &r->arena;
    const struct stage *s = &r->a->app.stages[ix];
    int64_t path_ms = ledger_stage_wall_ms(&r->a->ledgers, ix);
    struct strbuf text = { 0 };

    strbuf_printf(&text, "%sStage %s%s  %s", page_mark(p, STYLE_BOLD), stage_label(a, s),
                  page_mark(p, STYLE_PLAIN), stage_status_name(s->status));
    if (s->submitted_ms != APP_NONE && s->completed_ms != APP_NONE)
        strbuf_printf(&text, "  %s from %s to %s of the run",
                      text_ms(a, sub_sat(s->completed_ms, s->submitted_ms)),
                      since_start(r, s->submitted_ms), since_start(r, s->completed_ms));
    else if (s->submitted_ms != APP_NONE)
        strbuf_printf(&text, "  since %s of the run", since_start(r, s->submitted_ms));
    if (path_ms > 0)
        strbuf_printf(
            &text, ", %s on the critical path (%s of it all)", text_ms(a, path_ms),
            text_share(a, (double)path_ms / (double)r->a->ledgers.wall_total_ms));
    else if (stage_ran(s))
        strbuf_printf(&text, ", off the critical path with %s to spare",
                      text_ms(a, r->a->ledgers.stages[ix].slack_ms));
    page_wrap(p, "", "  ", strbuf_sv(&text));
    strbuf_release(&text);
}

static const char *link_text(struct report *r, const struct link *link, uint32_t other_ix)
{
    struct arena *a = &r->arena;
    struct strbuf text = { 0 };

    strbuf_printf(&text, "stage %s by %s", stage_label(a, &r->a->app.stages[other_ix]),
                  link_via_name(link->via));
    if (link->bytes != APP_NONE)
        strbuf_printf(&text, " (%s%s%s)", text_bytes(a, link->bytes),
                      link->rows != APP_NONE ? ", " : "",
                      link->rows != APP_NONE
                          ? arena_printf(a, "%s row%s", text_count(a, link->rows),
                                         link->rows == 1 ? "" : "s")
                          : "");
    const char *kept = arena_sv(a, strbuf_sv(&text)).p;
    strbuf_release(&text);
    return kept;
}

static void links(struct page *p, struct report *r, uint32_t ix)
{
    const struct lineage *l = &r->a->lineage;
    struct strbuf from = { 0 }, to = { 0 };

    for (size_t i = 0; i < l->n_links; i++) {
        const struct link *link = &l->links[i];
        struct strbuf *side = link->to_ix == ix     ? &from
                              : link->from_ix == ix ? &to
                                                    : NULL;

        if (side)
            strbuf_printf(
                side, "%s%s", side->len ? "; " : "",
                link_text(r, link, link->to_ix == ix ? link->from_ix : link->to_ix));
    }
    detail_line(p, r, "Fed by", from.p);
    detail_line(p, r, "Feeds", to.p);
    strbuf_release(&from);
    strbuf_release(&to);
}

static void place(struct page *p, struct report *r, uint32_t ix)
{
    struct arena *a = &r->arena;
    const struct app *app = &r->a->app;
    const struct stage *s = &app->stages[ix];
    struct strbuf text = { 0 };

    detail_line(p, r, "Name", text_clean(a, sv_first_line(s->name), 200));
    uint32_t sql_ix =
        s->sql_execution_id == APP_NONE ? IX_NONE : app_sql_ix(app, s->sql_execution_id);
    if (sql_ix != IX_NONE)
        detail_line(
            p, r, "SQL",
            arena_printf(
                a, "%" PRId64 "  %s", s->sql_execution_id,
                text_clean(a, sv_first_line(app->sqls[sql_ix].description), 120)));
    for (size_t i = 0; i < s->n_jobs && i < 20; i++)
        strbuf_printf(&text, "%s%" PRId64, i ? ", " : "",
                      app->jobs[s->job_ixs[i]].job_id);
    if (s->n_jobs > 20)
        strbuf_printf(&text, " and %zu more", s->n_jobs - 20);
    detail_line(p, r, s->n_jobs == 1 ? "Job" : "Jobs", text.p);
    strbuf_release(&text);
    links(p, r, ix);
    if (s->barrier)
        detail_line(p, r, "Barrier", "all tasks start together or not at all");
    if (s->failure.len)
        detail_line(p, r, "Failure", text_clean(a, failure_line(s->failure, a), 400));
}

static void tasks_line(struct page *p, struct report *r, const struct stage *s)
{
    struct arena *a = &r->arena;
    struct strbuf text = { 0 };

    strbuf_printf(&text, "%s of %s succeeded", text_exact(a, s->completed_indices),
                  text_exact(a, s->tasks));
    if (s->completed_tasks > s->completed_indices)
        strbuf_printf(&text, ", %s of them again",
                      text_exact(a, s->completed_tasks - s->completed_indices));
    if (s->failed_tasks)
        strbuf_printf(&text, ", %s failed", text_exact(a, s->failed_tasks));
    if (s->killed_tasks)
        strbuf_printf(&text, ", %s killed", text_exact(a, s->killed_tasks));
    if (s->speculative_tasks)
        strbuf_printf(&text, ", %s speculative", text_exact(a, s->speculative_tasks));
    strbuf_printf(&text, "; %s of task time", text_ms(a, s->duration_ms));
    if (saw(s, METRIC_CPU_NS))
        strbuf_printf(&text, ", %s on CPU",
                      text_ms(a, s->total[METRIC_CPU_NS] / 1000000));
    if (saw(s, METRIC_GC_MS) && s->total[METRIC_GC_MS])
        strbuf_printf(&text, ", %s in GC", text_ms(a, s->total[METRIC_GC_MS]));
    detail_line(p, r, "Tasks", text.p);
    strbuf_release(&text);
}

static void ledger(struct page *p, struct report *r, uint32_t ix)
{
    int64_t total = ledger_stage_wall_ms(&r->a->ledgers, ix);
    struct strbuf text = { 0 };
    bool done[WALL_COUNT] = { false };

    if (total <= 0)
        return;
    for (int n = 0; n < WALL_COUNT; n++) {
        int64_t most = 0;
        int best = -1;

        for (int e = 0; e < WALL_COUNT; e++) {
            int64_t ms = ledger_stage_ms(&r->a->ledgers, ix, (enum wall_entry)e);

            if (!done[e] && ms > most) {
                most = ms;
                best = e;
            }
        }
        if (best < 0)
            break;
        done[best] = true;
        strbuf_printf(&text, "%s%s %s (%s)", n ? ", " : "",
                      wall_entry_name((enum wall_entry)best), text_ms(&r->arena, most),
                      text_share(&r->arena, (double)most / (double)total));
    }
    detail_line(p, r, "Wall clock", text.p);
    strbuf_release(&text);
}

/* --- how even it is
 * ------------------------------------------------------------------------- */

enum unit { UNIT_MS, UNIT_BYTES, UNIT_COUNT };

static const char *in_unit(struct arena *a, enum unit unit, int64_t n)
{
    switch (unit) {
    case UNIT_MS:
        return text_ms(a, n);
    case UNIT_BYTES:
        return text_bytes(a, n);
    case UNIT_COUNT:
        return text_count(a, n);
    }
    return "";
}

static void quantile_row(struct table *t, const char *name, enum unit unit,
                         struct quantiles q, int64_t total)
{
    if (!q.n || q.value[Q_MAX] == 0)
        return;
    table_cell(t, "%s", name);
    for (int i = Q_MIN; i <= Q_MAX; i++)
        table_cell(t, "%s", in_unit(t->arena, unit, q.value[i]));
    table_cell(t, "%s", in_unit(t->arena, unit, total));
}

static void quantiles(struct page *p, struct report *r, const struct stage *s)
{
    static const struct table_column columns[] = {
        { "Of the successful tasks", false, 0, 0 },
        { "Min", true, 0, 0 },
        { "25%", true, 0, 0 },
        { "Median", true, 0, 0 },
        { "75%", true, 0, 0 },
        { "Max", true, 0, 0 },
        { "Total", true, 0, 0 },
    };
    static const struct {
        enum task_metric metric;
        const char *name;
        enum unit unit;
    } rows[] = {
        { METRIC_RUN_MS, "run time", UNIT_MS },
        { METRIC_GC_MS, "garbage collection", UNIT_MS },
        { METRIC_DESERIALIZE_MS, "deserialise", UNIT_MS },
        { METRIC_INPUT_BYTES, "input", UNIT_BYTES },
        { METRIC_INPUT_ROWS, "input rows", UNIT_COUNT },
        { METRIC_SHUFFLE_READ_ROWS, "shuffle read rows", UNIT_COUNT },
        { METRIC_FETCH_WAIT_MS, "shuffle read wait", UNIT_MS },
        { METRIC_SHUFFLE_WRITE_BYTES, "shuffle write", UNIT_BYTES },
        { METRIC_SHUFFLE_WRITE_ROWS, "shuffle write rows", UNIT_COUNT },
        { METRIC_SPILL_DISK_BYTES, "spill to disk", UNIT_BYTES },
        { METRIC_PEAK_EXECUTION_BYTES, "peak execution memory", UNIT_BYTES },
        { METRIC_OUTPUT_BYTES, "output", UNIT_BYTES },
        { METRIC_OUTPUT_ROWS, "output rows", UNIT_COUNT },
        { METRIC_RESULT_BYTES, "result to the driver", UNIT_BYTES },
    };
    struct table t;

    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    quantile_row(&t, "duration", UNIT_MS, stage_duration_quantiles(s), s->duration_ms);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].metric == METRIC_SHUFFLE_READ_ROWS)
            quantile_row(&t, "shuffle read", UNIT_BYTES, stage_shuffle_read_quantiles(s),
                         stage_shuffle_read_bytes(s));
        quantile_row(&t, rows[i].name, rows[i].unit,
                     stage_metric_quantiles(s, rows[i].metric), s->total[rows[i].metric]);
    }
    quantile_row(&t, "scheduler delay", UNIT_MS, stage_scheduler_delay_quantiles(s),
                 s->scheduler_delay_ms);
    if (t.n) {
        page_newline(p);
        table_print(&t, p, 0);
    }
    table_release(&t);
}

/* --- executors
 * -------------------------------------------------------------------------------- */

struct share {
    uint32_t executor_ix, tasks, failed;
    int64_t duration_ms, longest_ms, read_bytes, spill_bytes;
};

static int most_time_first(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    if (x->duration_ms != y->duration_ms)
        return x->duration_ms > y->duration_ms ? -1 : 1;
    return x->executor_ix < y->executor_ix ? -1 : x->executor_ix > y->executor_ix;
}

static int64_t task_read_bytes(const struct task_table *t, uint32_t row)
{
    return add_sat(add_sat(task_metric(t, row, METRIC_INPUT_BYTES),
                           task_metric(t, row, METRIC_REMOTE_BYTES)),
                   task_metric(t, row, METRIC_LOCAL_BYTES));
}

static size_t share_out(struct report *r, const struct stage *s, struct share **out)
{
    const struct app *app = &r->a->app;
    struct share *shares = arena_array(&r->arena, app->n_executors + 1, sizeof *shares);
    size_t n = 0;

    for (uint32_t row = 0; row < s->task.n; row++) {
        int64_t ix = task_field(&s->task, row, TASK_EXECUTOR_IX);

        if (ix < 0 || (size_t)ix >= app->n_executors)
            continue;
        struct share *e = &shares[ix];
        int64_t ms = task_duration_ms(&s->task, row);
        e->tasks++;
        e->failed += task_state(&s->task, row) == TASK_FAILED;
        e->duration_ms = add_sat(e->duration_ms, ms);
        e->longest_ms = max_i64(e->longest_ms, ms);
        e->read_bytes = add_sat(e->read_bytes, task_read_bytes(&s->task, row));
        e->spill_bytes =
            add_sat(e->spill_bytes, task_metric(&s->task, row, METRIC_SPILL_DISK_BYTES));
    }
    for (uint32_t ix = 0; ix < app->n_executors; ix++) {
        if (!shares[ix].tasks)
            continue;
        shares[n] = shares[ix];
        shares[n++].executor_ix = ix;
    }
    if (n)
        qsort(shares, n, sizeof *shares, most_time_first);
    *out = shares;
    return n;
}

static void executors(struct page *p, struct report *r, const struct stage *s)
{
    static const struct table_column columns[] = {
        { "Executor", false, 0, 0 }, { "Host", false, 10, 0 },    { "Tasks", true, 0, 0 },
        { "Failed", true, 0, 0 },    { "Task time", true, 0, 0 }, { "Share", true, 0, 0 },
        { "Mean", true, 0, 1 },      { "Longest", true, 0, 0 },   { "Read", true, 0, 0 },
        { "Spill", true, 0, 0 },
    };
    struct share *shares;
    size_t n = share_out(r, s, &shares);
    struct table t;

    if (n < 2)
        return; /* one executor did it all: nothing to compare */
    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n && i < EXECUTORS; i++) {
        const struct share *e = &shares[i];
        const struct executor *executor = &r->a->app.executors[e->executor_ix];

        table_text(&t, executor->id);
        table_text(&t, executor->host);
        table_count(&t, e->tasks);
        table_count(&t, e->failed ? (int64_t)e->failed : APP_NONE);
        table_ms(&t, e->duration_ms);
        table_cell(&t, "%s",
                   s->duration_ms > 0 ? text_share(&r->arena, (double)e->duration_ms /
                                                                  (double)s->duration_ms)
                                      : "-");
        table_ms(&t, e->duration_ms / (int64_t)e->tasks);
        table_ms(&t, e->longest_ms);
        table_bytes(&t, e->read_bytes ? e->read_bytes : APP_NONE);
        table_bytes(&t, e->spill_bytes ? e->spill_bytes : APP_NONE);
    }
    page_newline(p);
    table_print(&t, p, 0);
    if (n > EXECUTORS)
        page_add(p, "%s\n",
                 text_plural(&r->arena, (int64_t)(n - EXECUTORS), "executor more",
                             "executors more"));
    table_release(&t);
}

/* --- failures and slow tasks
 * ------------------------------------------------------------------ */

static const char *reason_name(enum task_end_reason reason)
{
    switch (reason) {
    case REASON_SUCCESS:
        return "succeeded";
    case REASON_RESUBMITTED:
        return "lost its output";
    case REASON_FETCH_FAILED:
        return "fetch failed";
    case REASON_EXCEPTION:
        return "exception";
    case REASON_RESULT_LOST:
        return "result lost";
    case REASON_KILLED:
        return "killed";
    case REASON_COMMIT_DENIED:
        return "commit denied";
    case REASON_EXECUTOR_LOST:
        return "executor lost";
    case REASON_UNKNOWN:
        return "unknown reason";
    }
    return "";
}

static void failures(struct page *p, struct report *r, const struct stage *s)
{
    struct arena *a = &r->arena;

    for (size_t i = 0; i < s->n_failures && i < 5; i++) {
        const struct failure_group *g = &s->failures[i];
        const char *first = arena_printf(a, "%sFailures%s   ", page_mark(p, STYLE_RED),
                                         page_mark(p, STYLE_PLAIN));

        if (i == 0)
            page_newline(p);
        page_wrapf(p, i ? "           " : first, "           ",
                   "%s: %s%s%s%s%s (%s: task index %" PRId64 ")",
                   text_plural(a, g->tasks, "task", "tasks"), reason_name(g->reason),
                   g->class_name.len ? ", " : "", text_clean(a, g->class_name, 80),
                   g->text.len ? ": " : "", text_clean(a, g->text, 200),
                   g->varies ? "for example" : "first",
                   task_field(&s->task, g->first_row, TASK_INDEX));
    }
    if (s->n_failures > 5)
        page_add(p, "           %zu more kinds of failure\n", s->n_failures - 5);
}

static const char *task_outcome(const struct stage *s, uint32_t row)
{
    const struct task_table *t = &s->task;

    switch (task_state(t, row)) {
    case TASK_RUNNING:
        return s->completed_ms == APP_NONE ? "running" : "end not logged";
    case TASK_SUCCESS:
        return task_flag(t, row, TASK_FLAG_SPECULATIVE) ? "speculative" : "";
    case TASK_FAILED:
    case TASK_KILLED:
        return reason_name(task_reason(t, row));
    }
    return "";
}

struct timed_row {
    int64_t ms;
    uint32_t row;
};

static int slowest_first(const void *a, const void *b)
{
    const struct timed_row *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms > y->ms ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void slowest(struct page *p, struct report *r, const struct stage *s,
                    uint32_t limit)
{
    static const struct table_column columns[] = {
        { "Slowest", true, 0, 0 },    { "Task", true, 0, 1 },
        { "Try", true, 0, 3 },        { "Executor", false, 0, 0 },
        { "Host", false, 10, 0 },     { "Took", true, 0, 0 },
        { "CPU", true, 0, 4 },        { "GC", true, 0, 0 },
        { "Input", true, 0, 0 },      { "Shuf.read", true, 0, 0 },
        { "Shuf.write", true, 0, 2 }, { "Spill", true, 0, 0 },
        { "Peak", true, 0, 0 },       { "", false, 0, 0 },
    };
    const struct task_table *tasks = &s->task;
    struct timed_row *rows = arena_array(&r->arena, tasks->n + 1, sizeof *rows);
    struct table t;

    if (tasks->n == 0)
        return;
    for (uint32_t row = 0; row < tasks->n; row++)
        rows[row] = (struct timed_row){ task_duration_ms(tasks, row), row };
    qsort(rows, tasks->n, sizeof *rows, slowest_first);
    table_init(&t, &r->arena, columns, ARRAY_LEN(columns));
    for (uint32_t i = 0; i < tasks->n && i < limit; i++) {
        uint32_t row = rows[i].row;
        int64_t executor_ix = task_field(tasks, row, TASK_EXECUTOR_IX);
        int64_t read = add_sat(task_metric(tasks, row, METRIC_REMOTE_BYTES),
                               task_metric(tasks, row, METRIC_LOCAL_BYTES));
        int64_t cpu_ms = task_metric(tasks, row, METRIC_CPU_NS) / 1000000;
        const enum task_metric bytes[] = { METRIC_SHUFFLE_WRITE_BYTES,
                                           METRIC_SPILL_DISK_BYTES,
                                           METRIC_PEAK_EXECUTION_BYTES };

        table_cell(&t, "index %" PRId64, task_field(tasks, row, TASK_INDEX));
        table_cell(&t, "%" PRId64, task_field(tasks, row, TASK_ID));
        table_cell(&t, "%" PRId64, task_field(tasks, row, TASK_ATTEMPT));
        bool known = executor_ix >= 0 && (size_t)executor_ix < r->a->app.n_executors;
        table_text(&t, known ? r->a->app.executors[executor_ix].id : SV("?"));
        table_text(&t, known ? r->a->app.executors[executor_ix].host : SV("?"));
        table_ms(&t, task_state(tasks, row) == TASK_RUNNING ? APP_NONE : rows[i].ms);
        table_ms(&t, cpu_ms ? cpu_ms : APP_NONE);
        int64_t gc_ms = task_metric(tasks, row, METRIC_GC_MS);
        table_ms(&t, gc_ms ? gc_ms : APP_NONE);
        int64_t input = task_metric(tasks, row, METRIC_INPUT_BYTES);
        table_bytes(&t, input ? input : APP_NONE);
        table_bytes(&t, read ? read : APP_NONE);
        for (size_t k = 0; k < ARRAY_LEN(bytes); k++) {
            int64_t n = task_metric(tasks, row, bytes[k]);

            table_bytes(&t, n ? n : APP_NONE);
        }
        table_cell(&t, "%s", task_outcome(s, row));
    }
    page_newline(p);
    table_print(&t, p, 0);
    table_release(&t);
}

/* --- operators
 * ---------------------------------------------------------------------------------- */

static bool node_ran_in(const struct app *app, const struct plan_node *node,
                        int64_t stage_id, struct arena *arena)
{
    for (size_t i = 0; i < node->n_metrics; i++) {
        uint32_t *ixs = NULL;
        size_t n = app_accum_stages(app, node->metrics[i].accumulator_id, arena, &ixs);

        for (size_t k = 0; k < n; k++) {
            if (app->stages[ixs[k]].stage_id == stage_id)
                return true;
        }
    }
    return false;
}

static void add_operators(struct strbuf *out, struct report *r,
                          const struct plan_node *node, int64_t stage_id, size_t *n)
{
    /* data flows from the leaves up */
    for (size_t i = 0; i < node->n_children; i++)
        add_operators(out, r, node->children[i], stage_id, n);
    if (sv_starts(node->name, SV("WholeStageCodegen")) ||
        !node_ran_in(&r->a->app, node, stage_id, &r->arena))
        return;
    if ((*n)++ < OPERATORS)
        strbuf_printf(out, "%s%s", out->len ? " \u2192 " : "",
                      text_clean(&r->arena, node->name, 50));
}

static void operators(struct page *p, struct report *r, const struct stage *s)
{
    uint32_t ix = s->sql_execution_id == APP_NONE
                      ? IX_NONE
                      : app_sql_ix(&r->a->app, s->sql_execution_id);
    struct strbuf text = { 0 };
    size_t n = 0;

    if (ix == IX_NONE || !sql_final_plan(&r->a->app.sqls[ix]))
        return;
    add_operators(&text, r, sql_final_plan(&r->a->app.sqls[ix]), s->stage_id, &n);
    if (n > OPERATORS)
        strbuf_printf(&text, " and %zu more", n - OPERATORS);
    detail_line(p, r, "Operators", text.p);
    strbuf_release(&text);
}

/* --- the screen
 * ------------------------------------------------------------------------------------ */

static bool about_stage(const struct report *r, const struct finding *f, int64_t stage_id)
{
    for (size_t i = 0; i < f->n_stages; i++) {
        if (r->a->app.stages[f->stage_ixs[i]].stage_id == stage_id)
            return true;
    }
    return false;
}

static enum errc no_such_stage(struct report *r, const struct cli *cli, struct err *err)
{
    const struct app *app = &r->a->app;
    uint32_t last = app_stage_last_ix(app, cli->stage_id);

    if (!app->n_stages)
        return err_set(err, ERR_USAGE, "no stage %" PRId64 ": the log has no stages",
                       cli->stage_id);
    if (last != IX_NONE)
        return err_set(err, ERR_USAGE,
                       "no attempt %" PRId64 " of stage %" PRId64
                       ": its last one is %" PRId64,
                       cli->stage_attempt, cli->stage_id, app->stages[last].attempt);
    return err_set(
        err, ERR_USAGE, "no stage %" PRId64 ": the log has %" PRId64 " to %" PRId64,
        cli->stage_id, app->stages[0].stage_id, app->stages[app->n_stages - 1].stage_id);
}

static void next(struct page *p, struct report *r, const struct stage *s)
{
    const char *path = text_shell(&r->arena, r->path);

    if (sv_is(r->path, "-"))
        return;
    page_newline(p);
    page_add(p, "%sNext:%s ", page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN));
    if (s->sql_execution_id != APP_NONE)
        page_add(p, "spillway analyze %s --sql %" PRId64 "\n", path, s->sql_execution_id);
    else
        page_add(p, "spillway graph %s --stage %" PRId64 "\n", path, s->stage_id);
}

enum errc detail_stage(struct page *p, struct report *r, const struct cli *cli, bool json,
                       struct err *err)
{
    const struct app *app = &r->a->app;
    uint32_t ix = cli->stage_attempt == APP_NONE
                      ? app_stage_last_ix(app, cli->stage_id)
                      : app_stage_ix(app, cli->stage_id, cli->stage_attempt);

    if (ix == IX_NONE)
        return no_such_stage(r, cli, err);
    const struct stage *s = &app->stages[ix];
    if (json) {
        struct json_writer w = { .out = &p->text };

        json_stage(&w, r->a, ix);
        page_newline(p);
        return ERR_OK;
    }
    head(p, r, ix);
    page_newline(p);
    place(p, r, ix);
    if (!stage_ran(s)) {
        uint32_t ran = r->a->lineage.source_ix[ix];

        detail_line(
            p, r, "Skipped",
            ran == IX_NONE || ran == ix
                ? "its output was there already; the log does not tell from which stage"
                : arena_printf(&r->arena,
                               "its output was there already: stage %s wrote it",
                               stage_label(&r->arena, &app->stages[ran])));
        if (ran != IX_NONE && ran != ix && !sv_is(r->path, "-"))
            page_add(p, "\n%sNext:%s spillway analyze %s --stage %s\n",
                     page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
                     text_shell(&r->arena, r->path),
                     stage_label(&r->arena, &app->stages[ran]));
        return ERR_OK;
    }
    operators(p, r, s);
    tasks_line(p, r, s);
    ledger(p, r, ix);
    quantiles(p, r, s);
    executors(p, r, s);
    failures(p, r, s);
    slowest(p, r, s, cli->top ? (uint32_t)cli->top : SLOWEST);
    detail_findings(p, r, about_stage, s->stage_id);
    next(p, r, s);
    return ERR_OK;
}
