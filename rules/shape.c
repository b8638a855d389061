/* What the tasks of a stage look like. See shape.h.
 *
 * A task is *cold* when it was launched while its executor's very first task was in
 * the first half of its life (launches can be logged some ms before the finish that
 * made room for them, so "before the first finish" would take in the second wave):
 * it pays for class loading, code generation and the start of Python workers (3 to
 * 16 s on busy machines), which is nobody's skew. It excuses COLD_EXCUSE_MS, no more. */
#include "rules/shape.h"

#include "base/mem.h"

#include <stdlib.h>

#define DETAIL_MIN_MS 1000 /* tasks under a second are nothing */
#define DETAIL_RATIO 2.0
#define COLD_EXCUSE_MS 30000 /* twice the slowest start seen on the labelled logs */

/* Until when an executor is cold, by position: INT64_MIN where it ran nothing. */
static int64_t *cold_until(const struct app *app)
{
    int64_t *until = xmalloc(mem_product(app->n_executors + 1, sizeof *until));
    int64_t *launch = xmalloc(mem_product(app->n_executors + 1, sizeof *launch));
    int64_t *finish = xmalloc(mem_product(app->n_executors + 1, sizeof *finish));

    for (size_t i = 0; i <= app->n_executors; i++)
        launch[i] = finish[i] = INT64_MAX;
    app_each_stage (app, s) {
        for (uint32_t row = 0; row < s->task.n; row++) {
            uint64_t ix = (uint64_t)task_field(&s->task, row, TASK_EXECUTOR_IX);
            int64_t end = task_field(&s->task, row, TASK_FINISH_MS);

            if (ix >= app->n_executors || end <= 0)
                continue;
            finish[ix] = min_i64(finish[ix], end);
            launch[ix] = min_i64(launch[ix], task_field(&s->task, row, TASK_LAUNCH_MS));
        }
    }
    for (size_t i = 0; i <= app->n_executors; i++)
        until[i] = finish[i] == INT64_MAX ? INT64_MIN
                                          : launch[i] + sub_sat(finish[i], launch[i]) / 2;
    free(launch);
    free(finish);
    return until;
}

int64_t shape_data(const struct stage *s, uint32_t row, enum data_kind kind)
{
    switch (kind) {
    case DATA_NONE:
        return 0;
    case DATA_SHUFFLE_BYTES:
        return add_sat(task_metric(&s->task, row, METRIC_REMOTE_BYTES),
                       task_metric(&s->task, row, METRIC_LOCAL_BYTES));
    case DATA_SHUFFLE_ROWS:
        return task_metric(&s->task, row, METRIC_SHUFFLE_READ_ROWS);
    case DATA_INPUT_BYTES:
        return task_metric(&s->task, row, METRIC_INPUT_BYTES);
    case DATA_INPUT_ROWS:
        return task_metric(&s->task, row, METRIC_INPUT_ROWS);
    }
    return 0;
}

static bool counts(const struct stage *s, uint32_t row)
{
    return task_state(&s->task, row) == TASK_SUCCESS;
}

/* The value of rank k < n among v, of which only the n are looked at; room takes n.
 * Counts values by their upper bits and goes on with the bucket that holds the rank: a
 * few passes whatever the values are, where this runs over every task of the log. */
static int64_t value_of_rank(const int64_t *v, uint32_t n, uint32_t k, int64_t *room)
{
    enum { BUCKETS = 1024 };
    uint32_t count[BUCKETS];

    while (true) {
        int64_t low = v[0], high = v[0];
        unsigned shift = 0;

        for (uint32_t i = 1; i < n; i++) {
            low = min_i64(low, v[i]);
            high = max_i64(high, v[i]);
        }
        uint64_t span = (uint64_t)high - (uint64_t)low;

        while (span >> shift >= BUCKETS)
            shift++;
        memset(count, 0, sizeof count);
        for (uint32_t i = 0; i < n; i++)
            count[((uint64_t)v[i] - (uint64_t)low) >> shift]++;
        uint32_t bucket = 0;

        while (k >= count[bucket])
            k -= count[bucket++];
        if (shift == 0)
            return low + (int64_t)bucket;
        uint32_t kept = 0;

        for (uint32_t i = 0; i < n; i++) /* room may be v: kept never overtakes i */
            if (((uint64_t)v[i] - (uint64_t)low) >> shift == bucket)
                room[kept++] = v[i];
        v = room;
        n = kept;
    }
}

/* Of n > 0 values. Spark's own median is the upper of the middle two; taking one of
 * them has inflated a ratio of 3 to 172 in other tools: the mean it is. */
static double true_median(const int64_t *v, uint32_t n, int64_t *room)
{
    double upper = (double)value_of_rank(v, n, n / 2, room);

    if (n % 2)
        return upper;
    return ((double)value_of_rank(v, n, n / 2 - 1, room) + upper) / 2;
}

static void shape_times(struct shape *sh, const struct stage *s, int64_t *values,
                        int64_t *room)
{
    uint32_t n = 0;

    sh->launch_ms = INT64_MAX;
    sh->max_row = IX_NONE;
    for (uint32_t row = 0; row < s->task.n; row++) {
        if (!counts(s, row))
            continue;
        int64_t ms = task_duration_ms(&s->task, row);

        if (n == 0 || ms > sh->max_ms) {
            sh->max_ms = ms;
            sh->max_row = row;
        }
        values[n++] = ms;
        sh->total_ms = add_sat(sh->total_ms, ms);
        sh->launch_ms = min_i64(sh->launch_ms, task_field(&s->task, row, TASK_LAUNCH_MS));
        sh->finish_ms = max_i64(sh->finish_ms, task_field(&s->task, row, TASK_FINISH_MS));
    }
    sh->n = n;
    if (n == 0)
        return;
    sh->median_ms = true_median(values, n, room);
    sh->p75_ms = value_of_rank(values, n, (uint32_t)((uint64_t)n * 3 / 4), room);
}

/* The first wave of a stage: tasks launched in the first half of its quickest task's
 * life. Where most of it is slow and the rest is not, new code was compiled: the wave
 * is as cold as an executor's first tasks. Its end, or INT64_MIN. */
static int64_t cold_wave_ms(const struct shape *sh, const struct stage *s)
{
    int64_t finish = INT64_MAX;
    uint32_t wave = 0, slow = 0;

    for (uint32_t row = 0; row < s->task.n; row++)
        if (counts(s, row))
            finish = min_i64(finish, task_field(&s->task, row, TASK_FINISH_MS));
    int64_t until = sh->launch_ms + sub_sat(finish, sh->launch_ms) / 2;

    for (uint32_t row = 0; row < s->task.n; row++) {
        if (!counts(s, row) || task_field(&s->task, row, TASK_LAUNCH_MS) >= until)
            continue;
        wave++;
        slow += (double)task_duration_ms(&s->task, row) > DETAIL_RATIO * sh->median_ms;
    }
    return wave >= 2 && wave <= sh->n / 2 && 2 * slow > wave ? until : INT64_MIN;
}

static bool is_cold(const struct shape *sh, const struct app *app, const struct stage *s,
                    uint32_t row, const int64_t *cold, int64_t wave_ms)
{
    uint64_t ix = (uint64_t)task_field(&s->task, row, TASK_EXECUTOR_IX);
    int64_t launch = task_field(&s->task, row, TASK_LAUNCH_MS);

    if ((double)task_duration_ms(&s->task, row) > sh->median_ms + COLD_EXCUSE_MS)
        return false;
    return launch < wave_ms || (ix < app->n_executors && launch < cold[ix]);
}

static void shape_warmth(struct shape *sh, const struct app *app, const struct stage *s,
                         const int64_t *cold)
{
    int64_t wave_ms = cold_wave_ms(sh, s);

    sh->warm_row = IX_NONE;
    for (uint32_t row = 0; row < s->task.n; row++) {
        int64_t ms = task_duration_ms(&s->task, row);

        if (!counts(s, row))
            continue;
        if (is_cold(sh, app, s, row, cold, wave_ms)) {
            sh->cold_tasks++;
            continue;
        }
        sh->slow_tasks += (double)ms > DETAIL_RATIO * sh->median_ms;
        if (sh->warm_row == IX_NONE || ms > sh->warm_max_ms) {
            sh->warm_row = row;
            sh->warm_max_ms = ms;
        }
    }
}

static void shape_data_of(struct shape *sh, const struct stage *s, int64_t *values,
                          int64_t *room)
{
    for (enum data_kind kind = DATA_SHUFFLE_BYTES; kind < DATA_KINDS; kind++) {
        uint32_t n = 0;

        for (uint32_t row = 0; row < s->task.n; row++)
            if (counts(s, row))
                values[n++] = shape_data(s, row, kind);
        sh->data_max[kind] = (double)value_of_rank(values, n, n - 1, room);
        sh->data_median[kind] = true_median(values, n, room);
        sh->data_hot[kind] = (double)shape_data(s, sh->max_row, kind);
        if (sh->warm_row != IX_NONE)
            sh->data_warm[kind] = (double)shape_data(s, sh->warm_row, kind);
    }
}

struct shape *shapes_of(const struct app *app, struct arena *arena)
{
    struct shape *shapes = arena_array(arena, app->n_stages + 1, sizeof *shapes);
    int64_t *cold = cold_until(app);
    int64_t *values = NULL;
    uint32_t cap = 0;

    for (size_t i = 0; i < app->n_stages; i++) {
        const struct stage *s = &app->stages[i];
        struct shape *sh = &shapes[i];

        if (s->task.n == 0)
            continue;
        if (s->task.n > cap) {
            cap = s->task.n;
            values = xrealloc(values, mem_product(cap, 2 * sizeof *values));
        }
        shape_times(sh, s, values, values + cap);
        if (sh->n == 0 || sh->max_ms < DETAIL_MIN_MS ||
            (double)sh->max_ms < DETAIL_RATIO * sh->median_ms)
            continue;
        sh->detailed = true;
        shape_warmth(sh, app, s, cold);
        shape_data_of(sh, s, values, values + cap);
    }
    free(values);
    free(cold);
    return shapes;
}

double shape_data_ratio(const struct shape *sh, const double *of, enum data_kind *kind)
{
    double best = 1;

    *kind = DATA_NONE;
    for (enum data_kind k = DATA_SHUFFLE_BYTES; k < DATA_KINDS; k++) {
        if (k == DATA_INPUT_BYTES && sh->data_max[DATA_SHUFFLE_BYTES] > 0)
            break; /* the stage reads a shuffle: its input is a side matter */
        if (of[k] <= 0)
            continue;
        /* where most tasks had nothing of it, the few that had are all there is */
        double ratio = sh->data_median[k] > 0 ? of[k] / sh->data_median[k] : 1e6;

        if (ratio > best) {
            best = ratio;
            *kind = k;
        }
    }
    return best;
}

double shape_explained(const struct shape *sh, int64_t task_ms, double data_ratio)
{
    double above = (double)task_ms - sh->median_ms;
    double by_data = (data_ratio - 1) * sh->median_ms;

    if (above <= 0)
        return 1;
    return by_data <= 0 ? 0 : by_data >= above ? 1 : by_data / above;
}

bool stages_matter(const struct rule_input *in, double least_share,
                   bool (*accused)(const struct rule_input *in, uint32_t stage_ix))
{
    double sum_ms = 0;

    for (uint32_t ix = 0; ix < in->app->n_stages; ix++)
        if (accused(in, ix))
            sum_ms += (double)shape_span_ms(&in->shapes[ix]);
    return sum_ms >= least_share * (double)in->analysis->ledgers.wall_total_ms;
}
