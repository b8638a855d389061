/* The moments of a run, sorted. See timeline.h.
 *
 * A million tasks are two million moments, so they are sorted by digits of the time
 * since the start (stable, as many passes as the span needs), not by comparing. */
#include "analyzer/timeline.h"

#include "base/mem.h"

#include <stdlib.h>

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)
#define PARTS_LIMIT 64 /* of divide_exactly */

static int64_t clip(const struct timeline *t, int64_t ms)
{
    return min_i64(max_i64(ms, t->start_ms), t->end_ms);
}

/* When the task ended, or must have: its stage's completion, its executor's removal and
 * the application's end are the last moments that it can have run. */
static int64_t task_end_ms(const struct timeline *t, const struct stage *s, uint32_t row)
{
    int64_t end_ms = task_field(&s->task, row, TASK_FINISH_MS);
    size_t executor_ix = (size_t)task_field(&s->task, row, TASK_EXECUTOR_IX);

    if (end_ms != 0)
        return end_ms;
    end_ms = t->end_ms;
    if (s->completed_ms != APP_NONE)
        end_ms = min_i64(end_ms, s->completed_ms);
    if (executor_ix < t->n_executors && t->executors[executor_ix].removed_ms != APP_NONE)
        end_ms = min_i64(end_ms, t->executors[executor_ix].removed_ms);
    return end_ms;
}

bool timeline_task_span(const struct timeline *t, const struct stage *s, uint32_t row,
                        int64_t *start_ms, int64_t *end_ms)
{
    int64_t launch_ms = task_field(&s->task, row, TASK_LAUNCH_MS);
    int64_t finish_ms = task_end_ms(t, s, row);

    if (launch_ms <= 0 || finish_ms <= launch_ms || launch_ms >= t->end_ms ||
        finish_ms <= t->start_ms)
        return false;
    *start_ms = clip(t, launch_ms);
    *end_ms = clip(t, finish_ms);
    return *end_ms > *start_ms;
}

bool timeline_stage_span(const struct timeline *t, const struct stage *s, int64_t *start_ms,
                         int64_t *end_ms)
{
    int64_t from_ms = s->submitted_ms, to_ms = s->completed_ms;

    if (!stage_ran(s))
        return false;
    /* some writers repeat the time of completion as that of submission */
    if (from_ms == APP_NONE || (s->first_launch_ms != APP_NONE && s->first_launch_ms < from_ms))
        from_ms = s->first_launch_ms;
    if (to_ms == APP_NONE || to_ms < from_ms) {
        to_ms = from_ms;
        for (uint32_t row = 0; row < s->task.n; row++)
            to_ms = max_i64(to_ms, task_end_ms(t, s, row));
        if (s->status == STAGE_ACTIVE && s->task.n == 0)
            to_ms = t->end_ms;
    }
    if (from_ms == APP_NONE)
        return false;
    *start_ms = clip(t, from_ms);
    *end_ms = clip(t, to_ms);
    return true;
}

/* --- collecting ------------------------------------------------------------------------ */

static void add(struct timeline *t, int64_t at_ms, enum step step, uint32_t stage_ix,
                uint32_t count)
{
    t->moments[t->n++] = (struct moment){ at_ms, stage_ix, count, step };
}

/* Profile ids above 0 that executors were added with: their pools, from 1 on. */
static void find_pools(struct timeline *t, const struct app *app, struct map *pools)
{
    t->n_pools = 1;
    app_each_executor(app, x)
    {
        if (x->resource_profile_id > 0 && map_get(pools, x->resource_profile_id) == MAP_NONE)
            map_put(pools, x->resource_profile_id, t->n_pools++);
    }
}

static uint32_t pool_of_profile(const struct map *pools, int64_t profile_id)
{
    uint32_t pool = profile_id > 0 ? map_get(pools, profile_id) : MAP_NONE;

    return pool == MAP_NONE ? 0 : pool;
}

static int64_t whole_cpus(double cpus)
{
    return cpus >= 1 && cpus < 1024 ? (int64_t)cpus : 1;
}

static void find_slots(struct timeline *t, const struct app *app, const struct map *pools)
{
    struct map cpus = { 0 }; /* by profile id; profile 0 is what spark.task.cpus says */

    t->task_cpus = whole_cpus(app->task_cpus);
    for (size_t i = 0; i < app->n_profiles; i++)
        if (app->profiles[i].id > 0 && app->profiles[i].task_cpus > 0)
            map_put(&cpus, app->profiles[i].id, (uint32_t)whole_cpus(app->profiles[i].task_cpus));
    t->pool_of = xcalloc(app->n_stages, sizeof *t->pool_of);
    t->cpus_of = xcalloc(app->n_stages, sizeof *t->cpus_of);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        int64_t id = app->stages[ix].resource_profile_id;
        uint32_t own = id > 0 ? map_get(&cpus, id) : MAP_NONE;

        t->pool_of[ix] = pool_of_profile(pools, id);
        t->cpus_of[ix] = own == MAP_NONE ? t->task_cpus : (int64_t)own;
    }
    map_release(&cpus);
}

static void add_executors(struct timeline *t, const struct app *app, const struct map *pools)
{
    app_each_executor(app, x)
    {
        if (x->cores == APP_NONE || x->cores <= 0 || (x->is_driver && !app->local_mode))
            continue;
        int64_t came_ms = clip(t, x->added_ms == APP_NONE ? t->start_ms : x->added_ms);
        int64_t gone_ms = clip(t, x->removed_ms == APP_NONE ? t->end_ms : x->removed_ms);

        if (t->first_executor_ms == APP_NONE || came_ms < t->first_executor_ms)
            t->first_executor_ms = came_ms;
        if (gone_ms <= came_ms)
            continue;
        uint32_t pool = pool_of_profile(pools, x->resource_profile_id);

        add(t, came_ms, STEP_EXECUTOR_CAME, pool, (uint32_t)x->cores);
        add(t, gone_ms, STEP_EXECUTOR_GONE, pool, (uint32_t)x->cores);
    }
}

/* Since when the task could have started; APP_NONE: since the stage was submitted. A
 * repetition waits from the end of the try before it; a copy made for speed never
 * waits, for nobody needs it. */
static int64_t waiting_from(const struct timeline *t, const struct stage *s, uint32_t row,
                            int64_t start_ms, struct map *row_of)
{
    int64_t index = task_field(&s->task, row, TASK_INDEX), from_ms, to_ms;
    uint32_t before = map_get(row_of, index);

    map_put(row_of, index, row);
    if (before == MAP_NONE)
        return APP_NONE;
    if (task_flag(&s->task, row, TASK_FLAG_SPECULATIVE) ||
        !timeline_task_span(t, s, before, &from_ms, &to_ms))
        return start_ms;
    return min_i64(to_ms, start_ms);
}

static void add_stages(struct timeline *t, const struct app *app)
{
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        int64_t from_ms, to_ms, first_ms = INT64_MAX;
        bool repeats = s->failed_tasks > 0 || s->killed_tasks > 0 ||
                       s->speculative_tasks > 0 || s->task.field[TASK_ATTEMPT].width > 0;
        struct map row_of = { 0 }; /* task index -> its row seen last */
        uint32_t seen = 0;

        if (!timeline_stage_span(t, s, &from_ms, &to_ms))
            continue;
        for (uint32_t row = 0; row < s->task.n; row++) {
            int64_t start_ms, end_ms;

            if (!timeline_task_span(t, s, row, &start_ms, &end_ms))
                continue;
            add(t, start_ms, STEP_TASK_START, ix, 1);
            add(t, end_ms, STEP_TASK_END, ix, 1);
            first_ms = min_i64(first_ms, start_ms);
            int64_t ready_ms = repeats ? waiting_from(t, s, row, start_ms, &row_of) : APP_NONE;
            if (ready_ms == APP_NONE)
                seen++;
            else
                add(t, ready_ms, STEP_STAGE_READY, ix, 1);
        }
        map_release(&row_of);
        if (seen)
            add(t, min_i64(from_ms, first_ms), STEP_STAGE_READY, ix, seen);
    }
}

static void add_jobs(struct timeline *t, const struct app *app)
{
    app_each_job(app, j)
    {
        if (j->submitted_ms != APP_NONE) {
            int64_t at_ms = clip(t, j->submitted_ms);

            if (t->first_job_ms == APP_NONE || at_ms < t->first_job_ms)
                t->first_job_ms = at_ms;
            t->last_job_ms = max_i64(t->last_job_ms,
                                     clip(t, j->ended && j->completed_ms != APP_NONE
                                                 ? j->completed_ms
                                                 : t->end_ms));
        }
    }
}

/* --- sorting ----------------------------------------------------------------------------- */

static void sort_moments(struct timeline *t)
{
    struct moment *from = t->moments, *to = xmalloc(mem_product(t->n, sizeof *to));
    uint64_t span = ((uint64_t)(t->end_ms - t->start_ms) << 3) | 7;

    for (int shift = 0; shift < 64 && span >> shift; shift += DIGIT_BITS) {
        size_t count[DIGITS] = { 0 }, at = 0;

        for (size_t i = 0; i < t->n; i++) {
            uint64_t key = (uint64_t)(from[i].at_ms - t->start_ms) << 3 | from[i].step;
            count[key >> shift & (DIGITS - 1)]++;
        }
        for (size_t d = 0; d < DIGITS; d++) {
            size_t n = count[d];

            count[d] = at;
            at += n;
        }
        for (size_t i = 0; i < t->n; i++) {
            uint64_t key = (uint64_t)(from[i].at_ms - t->start_ms) << 3 | from[i].step;
            to[count[key >> shift & (DIGITS - 1)]++] = from[i];
        }
        struct moment *swap = from;
        from = to;
        to = swap;
    }
    t->moments = from;
    free(to);
}

static void build(struct timeline *t, const struct app *app, bool tasks)
{
    size_t most = app->n_executors * 2 + app->n_stages;
    struct map pools = { 0 };

    *t = (struct timeline){ .executors = app->executors,
                            .n_executors = app->n_executors,
                            .first_executor_ms = APP_NONE,
                            .first_job_ms = APP_NONE,
                            .last_job_ms = APP_NONE };
    find_pools(t, app, &pools);
    find_slots(t, app, &pools);
    if (app->start_ms == APP_NONE || app->end_ms == APP_NONE)
        goto done;
    t->start_ms = app->start_ms;
    /* a span of more than a century is a damaged clock; it would break the arithmetic */
    t->end_ms = min_i64(app->end_ms, add_sat(app->start_ms, INT64_C(4000000000000)));
    if (tasks)
        app_each_stage(app, s) most += (size_t)s->task.n * 3;
    t->moments = xmalloc(mem_product(most, sizeof *t->moments));
    add_executors(t, app, &pools);
    if (tasks)
        add_stages(t, app);
    add_jobs(t, app);
    sort_moments(t);
done:
    map_release(&pools);
}

void timeline_build(struct timeline *t, const struct app *app)
{
    build(t, app, true);
}

void timeline_build_executors(struct timeline *t, const struct app *app)
{
    build(t, app, false);
}

void timeline_release(struct timeline *t)
{
    free(t->moments);
    free(t->pool_of);
    free(t->cpus_of);
    *t = (struct timeline){ 0 };
}

size_t timeline_find(const struct timeline *t, int64_t at_ms)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (t->moments[mid].at_ms < at_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* --- exact division ------------------------------------------------------------------------- */

__extension__ typedef unsigned __int128 wide;

void divide_exactly(int64_t total, const int64_t *weights, size_t n, size_t otherwise,
                    int64_t *parts)
{
    wide whole = 0, rest[PARTS_LIMIT];
    int64_t given = 0;

    for (size_t i = 0; i < n; i++)
        whole = whole + (uint64_t)max_i64(0, weights[i]);
    for (size_t i = 0; i < n; i++) {
        parts[i] = 0;
        rest[i] = 0;
        if (whole == 0 || weights[i] <= 0)
            continue;
        wide product = (wide)(uint64_t)total * (uint64_t)weights[i];
        parts[i] = (int64_t)(product / whole);
        rest[i] = product % whole;
        given += parts[i];
    }
    if (whole == 0) {
        parts[otherwise] = total;
        return;
    }
    for (; given < total; given++) { /* fewer than n turns */
        size_t best = 0;

        for (size_t i = 1; i < n; i++)
            if (rest[i] > rest[best])
                best = i;
        parts[best]++;
        rest[best] = 0;
    }
}
