/* Numbers of the graph: attempts put together, the critical path in steps, heat,
 * and which badges each stage has earned.
 *
 * Badges of two kinds: what the model says without doubt (failures, retries,
 * spill, GC, speculation) and what needs judgement (skew, parallelism, files),
 * which comes from the findings alone, so that the picture never claims what the
 * report does not. */
#include "ui/graph_base.h"

#define SPILL_WORTH_SHOWING (1 << 20) /* bytes; less comes and goes with the weather */
#define GC_WORTH_SHOWING_MS 1000      /* below it, a collection or two */
#define GC_WORTH_SHOWING_SHARE 0.1

#define BADGE_BIT(k) (1u << BADGE_##k)

static const struct {
    const char *rule;
    enum graph_badge badge;
} badge_of_rule[] = {
    { "skewed-join", BADGE_SKEW },
    { "skewed-aggregation", BADGE_SKEW },
    { "unsplittable-input", BADGE_SKEW },
    { "straggler", BADGE_SLOW_HOST },
    { "spill", BADGE_SPILL },
    { "gc-pressure", BADGE_GC },
    { "too-few-partitions", BADGE_LOW_PAR },
    { "single-writer", BADGE_LOW_PAR },
    { "too-many-partitions", BADGE_TINY_TASKS },
    { "scheduling-overhead", BADGE_TINY_TASKS },
    { "small-files-read", BADGE_SMALL_FILES },
    { "small-files-write", BADGE_SMALL_FILES },
    { "row-explosion", BADGE_ROWS },
    { "nested-loop-join", BADGE_LOOP },
    { "python-udf", BADGE_PYTHON },
    { "large-driver-result", BADGE_BIG_RESULT },
    { "task-failures", BADGE_FAIL },
    { "executor-loss", BADGE_FAIL },
    { "fetch-failure", BADGE_RETRY },
    { "job-failure", BADGE_FAIL },
};

const char *graph_badge_text(enum graph_badge k)
{
#define BADGE_TEXT(id, text, meaning) text,
    static const char *const texts[] = { GRAPH_BADGES(BADGE_TEXT) };

    return texts[k];
}

const char *graph_badge_meaning(enum graph_badge k)
{
#define BADGE_MEANING(id, text, meaning) meaning,
    static const char *const meanings[] = { GRAPH_BADGES(BADGE_MEANING) };

    return meanings[k];
}

/* Submitted, or with tasks. A stage that is only listed by its job did neither. */
static bool was_started(const struct stage *s)
{
    return stage_ran(s) || (s->status != STAGE_SKIPPED && s->submitted_ms != APP_NONE);
}

/* From the first launch to the last finish, for logs whose stages begin and end in
 * the same moment though their tasks took time. */
static int64_t span_of_tasks(const struct stage *s)
{
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (uint32_t row = 0; row < s->task.n; row++) {
        first = min_i64(first, task_field(&s->task, row, TASK_LAUNCH_MS));
        last = max_i64(last, task_field(&s->task, row, TASK_FINISH_MS));
    }
    return last > first ? sub_sat(last, first) : 0;
}

static void add_attempt(struct graph_base *b, const struct stage *s, uint32_t ix)
{
    if (b->submitted_ms == APP_NONE)
        b->submitted_ms = s->submitted_ms;
    b->shown_ix = ix;
    b->attempts++;
    b->tasks = max_i64(b->tasks, s->tasks);
    b->failed_tasks = add_sat(b->failed_tasks, s->failed_tasks);
    b->speculative_tasks = add_sat(b->speculative_tasks, s->speculative_tasks);
    b->task_ms = add_sat(b->task_ms, s->duration_ms);
    for (int m = 0; m < METRIC_COUNT; m++)
        b->total[m] = m == METRIC_PEAK_EXECUTION_BYTES
                          ? max_i64(b->total[m], s->total[m])
                          : add_sat(b->total[m], s->total[m]);
    if (s->submitted_ms != APP_NONE && s->completed_ms > s->submitted_ms)
        b->wall_ms = add_sat(b->wall_ms, sub_sat(s->completed_ms, s->submitted_ms));
    else
        b->wall_ms = add_sat(b->wall_ms, span_of_tasks(s));
    if (s->ran_for_job_ix != IX_NONE && b->job_ix == IX_NONE)
        b->job_ix = s->ran_for_job_ix;
    b->failed = s->status == STAGE_FAILED;
    b->incomplete = s->status == STAGE_ACTIVE || s->status == STAGE_PENDING;
}

/* The SQL execution of the job that ran it, as the stage has it. */
static uint32_t sql_of(const struct app *app, const struct graph_base *b)
{
    int64_t id = app->stages[b->shown_ix].sql_execution_id;

    return id == APP_NONE ? IX_NONE : app_sql_ix(app, id);
}

static void gather_stages(struct graph_bases *b, const struct app *app,
                          struct arena *arena)
{
    b->items = arena_array(arena, app->n_stages, sizeof *b->items);
    b->of_stage = arena_array(arena, app->n_stages, sizeof *b->of_stage);
    for (uint32_t i = 0; i < app->n_stages;) {
        struct graph_base base = { .first_ix = i,
                                   .job_ix = IX_NONE,
                                   .sql_ix = IX_NONE,
                                   .node = IX_NONE,
                                   .submitted_ms = APP_NONE };
        int64_t id = app->stages[i].stage_id;
        uint32_t end = i;

        for (; end < app->n_stages && app->stages[end].stage_id == id; end++) {
            b->of_stage[end] = IX_NONE;
            if (was_started(&app->stages[end]))
                add_attempt(&base, &app->stages[end], end);
        }
        base.end_ix = end;
        if (base.attempts) {
            base.sql_ix = sql_of(app, &base);
            for (uint32_t k = i; k < end; k++)
                b->of_stage[k] = (uint32_t)b->n;
            b->items[b->n++] = base;
        } else if (app->stages[i].status != STAGE_SKIPPED) {
            b->unstarted++;
        }
        i = end;
    }
}

static void mark_links(struct graph_bases *b, const struct lineage *l)
{
    for (size_t i = 0; i < l->n_links; i++) {
        uint32_t from = b->of_stage[l->links[i].from_ix];
        uint32_t to = b->of_stage[l->links[i].to_ix];

        if (from == IX_NONE || to == IX_NONE || from == to)
            continue;
        b->items[to].has_parent = true;
        b->items[from].feeds_shuffle |= l->links[i].via == VIA_SHUFFLE;
        b->items[from].feeds_broadcast |= l->links[i].via == VIA_BROADCAST;
    }
}

/* Which attempt of the path's stages comes when; the driver's time goes to the
 * execution it was in. */
static void walk_path(struct graph_bases *b, const struct analysis *a,
                      struct arena *arena)
{
    const struct ledgers *l = &a->ledgers;
    uint32_t before = IX_NONE, steps = 0;
    int64_t driver_ms = 0, wait_ms = 0;

    b->path = arena_array(arena, l->n_segments, sizeof *b->path);
    b->job_path_ms = arena_array(arena, a->app.n_jobs, sizeof *b->job_path_ms);
    b->sql_path_ms = arena_array(arena, a->app.n_sqls, sizeof *b->sql_path_ms);
    for (size_t i = 0; i < l->n_segments; i++) {
        const struct segment *s = &l->segments[i];
        int64_t ms = sub_sat(s->end_ms, s->start_ms);
        uint32_t at = s->stage_ix == IX_NONE ? IX_NONE : b->of_stage[s->stage_ix];
        uint32_t sql = s->sql_execution_id == APP_NONE
                           ? IX_NONE
                           : app_sql_ix(&a->app, s->sql_execution_id);

        if (at != IX_NONE) {
            sql = b->items[at].sql_ix;
            if (b->items[at].job_ix != IX_NONE)
                b->job_path_ms[b->items[at].job_ix] += ms;
        }
        if (sql != IX_NONE)
            b->sql_path_ms[sql] += ms;
        if (s->kind != SEGMENT_STAGE || at == IX_NONE) {
            *(s->kind == SEGMENT_DRIVER ? &driver_ms : &wait_ms) += ms;
            continue;
        }
        struct graph_base *base = &b->items[at];
        base->critical = true;
        base->path_ms = add_sat(base->path_ms, ms);
        if (base->step == 0)
            base->step = ++steps;
        if (before != IX_NONE && before != at)
            b->path[b->n_path++] = (struct path_step){ before, at, driver_ms, wait_ms };
        before = at;
        driver_ms = wait_ms = 0;
    }
    for (size_t i = 0; i < b->n; i++) {
        b->items[i].slack_ms = INT64_MAX;
        for (uint32_t k = b->items[i].first_ix; k < b->items[i].end_ix; k++)
            b->items[i].slack_ms = min_i64(b->items[i].slack_ms, l->stages[k].slack_ms);
    }
}

static int64_t heat_of(const struct graph_base *b, enum graph_heat heat)
{
    const int64_t *t = b->total;

    switch (heat) {
    case HEAT_WALL:
        return b->path_ms;
    case HEAT_TASK:
        return b->task_ms;
    case HEAT_CPU:
        return add_sat(t[METRIC_CPU_NS], t[METRIC_DESERIALIZE_CPU_NS]);
    case HEAT_SHUFFLE:
        return add_sat(add_sat(t[METRIC_REMOTE_BYTES], t[METRIC_LOCAL_BYTES]),
                       t[METRIC_SHUFFLE_WRITE_BYTES]);
    case HEAT_SPILL:
        return t[METRIC_SPILL_DISK_BYTES];
    case HEAT_GC:
        return t[METRIC_GC_MS];
    case HEAT_ROWS:
        return add_sat(t[METRIC_INPUT_ROWS], t[METRIC_SHUFFLE_READ_ROWS]);
    case HEAT_MEM:
        return t[METRIC_PEAK_EXECUTION_BYTES];
    case HEAT_COUNT:
        break;
    }
    return 0;
}

static void set_heat(struct graph_bases *b, const struct analysis *a,
                     enum graph_heat heat)
{
    b->heat_is_peak = heat == HEAT_MEM;
    for (size_t i = 0; i < b->n; i++) {
        int64_t value = max_i64(heat_of(&b->items[i], heat), 0);

        b->items[i].heat = value;
        b->heat_total = b->heat_is_peak ? max_i64(b->heat_total, value)
                                        : add_sat(b->heat_total, value);
    }
    if (heat == HEAT_WALL) /* driver and waiting belong to the whole */
        b->heat_total = a->ledgers.wall_total_ms;
}

static void badges_of_model(struct graph_base *b)
{
    int64_t gc_ms = b->total[METRIC_GC_MS], run_ms = b->total[METRIC_RUN_MS];

    if (b->failed_tasks > 0 || b->failed)
        b->badges |= BADGE_BIT(FAIL);
    if (b->attempts > 1)
        b->badges |= BADGE_BIT(RETRY);
    if (b->total[METRIC_SPILL_DISK_BYTES] >= SPILL_WORTH_SHOWING)
        b->badges |= BADGE_BIT(SPILL);
    if (gc_ms >= GC_WORTH_SHOWING_MS &&
        (double)gc_ms >= GC_WORTH_SHOWING_SHARE * (double)run_ms)
        b->badges |= BADGE_BIT(GC);
    if (b->speculative_tasks > 0)
        b->badges |= BADGE_BIT(SPEC);
}

static enum graph_badge badge_for(const struct finding *f)
{
    for (size_t i = 0; i < ARRAY_LEN(badge_of_rule); i++)
        if (sv_is(sv(f->rule->id), badge_of_rule[i].rule))
            return badge_of_rule[i].badge;
    return BADGE_OTHER;
}

static void badges_of_findings(struct graph_bases *b, const struct findings *findings,
                               size_t n_stages)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->items[i];
        enum graph_badge badge = badge_for(f);

        for (size_t k = 0; k < f->n_stages; k++) {
            uint32_t at =
                f->stage_ixs[k] < n_stages ? b->of_stage[f->stage_ixs[k]] : IX_NONE;

            if (at == IX_NONE)
                continue;
            b->items[at].badges |= 1u << badge;
            b->items[at].n_findings++;
            if (!b->items[at].worst)
                b->items[at].worst = f;
            if (badge == BADGE_OTHER && !b->items[at].other)
                b->items[at].other = f;
        }
    }
}

void graph_bases_build(struct graph_bases *b, const struct analysis *a,
                       const struct findings *findings, enum graph_heat heat,
                       struct arena *arena)
{
    *b = (struct graph_bases){ 0 };
    gather_stages(b, &a->app, arena);
    mark_links(b, &a->lineage);
    walk_path(b, a, arena);
    set_heat(b, a, heat);
    for (size_t i = 0; i < b->n; i++)
        badges_of_model(&b->items[i]);
    badges_of_findings(b, findings, a->app.n_stages);
}
