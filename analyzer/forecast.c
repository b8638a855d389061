/* Ranges of replays. See forecast.h. */
#include "analyzer/forecast.h"

#include <math.h>
#include <stdlib.h>

/* A replay takes some 100 ns a task: samples are as many as a third of a second holds. */
enum { TASKS_IN_TIME = 1000000 };

static int64_t end_of(const struct sim_table *t, bool *stuck)
{
    struct arena scratch = { 0 };
    struct sim_result r;

    sim_replay(&r, t, &scratch, false);
    arena_release(&scratch);
    if (stuck)
        *stuck |= r.stuck;
    return r.end_ms;
}

static int64_t edited_end(const struct sim_table *t, forecast_edit edit, void *ctx,
                          enum bound bound, bool *stuck)
{
    struct arena scratch = { 0 };
    struct sim_table copy;
    int64_t end_ms;

    sim_copy(&copy, t, &scratch);
    edit(ctx, &copy, bound, &scratch);
    end_ms = end_of(&copy, stuck);
    arena_release(&scratch);
    return end_ms;
}

int64_t forecast_saving(const struct sim_table *t, int64_t base_ms, forecast_edit edit,
                        void *ctx, enum bound bound)
{
    return base_ms - edited_end(t, edit, ctx, bound, NULL);
}

static int64_t sample_saving(const struct sim_table *t, uint64_t seed, forecast_edit edit,
                             void *ctx)
{
    struct arena scratch = { 0 };
    struct sim_table drawn;
    int64_t saving_ms;

    sim_copy(&drawn, t, &scratch);
    sim_resample(&drawn, seed, &scratch);
    saving_ms = forecast_saving(&drawn, end_of(&drawn, NULL), edit, ctx, BOUND_EXPECTED);
    arena_release(&scratch);
    return saving_ms;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Returns how many tasks there are with the change. */
static size_t replay_edited(struct forecast *out, const struct sim_table *t,
                            const struct sim_result *base, forecast_edit edit, void *ctx,
                            struct arena *arena)
{
    struct sim_table copy;
    struct sim_result r;

    out->replay_ms = base->end_ms;
    out->before = base->stages;
    out->stuck = base->stuck;
    sim_copy(&copy, t, arena);
    edit(ctx, &copy, BOUND_EXPECTED, arena);
    out->task_ms = sim_task_ms(&copy);
    sim_replay(&r, &copy, arena, true);
    out->after = r.stages;
    out->stuck |= r.stuck;
    out->expected_ms = r.end_ms;
    return copy.n_tasks;
}

int64_t forecast_both(int64_t a_ms, int64_t b_ms)
{
    return (int64_t)ceil(hypot((double)a_ms, (double)b_ms));
}

static int64_t run_noise(int64_t wall_ms)
{
    double run = hypot(FORECAST_RUN_NOISE * (double)wall_ms, FORECAST_START_NOISE_MS);

    return (int64_t)ceil(1.645 * sqrt(2) * run); /* nine in ten, of a difference */
}

void forecast(struct forecast *out, const struct sim_table *t,
              const struct sim_result *base, forecast_edit edit, void *ctx,
              uint32_t samples, struct arena *arena)
{
    int64_t savings[FORECAST_SAMPLES + 2], expected, error, least, most;
    size_t n = 0, n_tasks;

    *out = (struct forecast){ .now_ms = t->end_ms, .task_ms_now = sim_task_ms(t) };
    n_tasks = replay_edited(out, t, base, edit, ctx, arena);
    expected = out->replay_ms - out->expected_ms;
    savings[n++] = out->replay_ms - edited_end(t, edit, ctx, BOUND_LOW, &out->stuck);
    savings[n++] = out->replay_ms - edited_end(t, edit, ctx, BOUND_HIGH, &out->stuck);
    least = min_i64(min_i64(savings[0], savings[1]), expected);
    most = max_i64(max_i64(savings[0], savings[1]), expected);
    out->samples = (uint32_t)min_i64(
        min_i64(samples, FORECAST_SAMPLES), 2 * TASKS_IN_TIME / max_i64((int64_t)(t->n_tasks + n_tasks), 1));
    if (out->samples >= 10) {
        n = 0;
        for (uint32_t i = 0; i < out->samples; i++)
            savings[n++] = sample_saving(t, i + 1, edit, ctx);
        qsort(savings, n, sizeof *savings, by_value);
        least = min_i64(least, savings[n / 20]);
        most = max_i64(most, savings[n - 1 - n / 20]);
    } else {
        out->samples = 0;
    }
    error = out->replay_ms > t->end_ms ? out->replay_ms - t->end_ms
                                       : t->end_ms - out->replay_ms;
    out->expected_ms = max_i64(t->end_ms - expected, 0);
    out->less_ms = most - expected + error;
    out->more_ms = expected - least + error;
    out->run_ms = run_noise(out->expected_ms);
    out->low_ms = max_i64(out->expected_ms - forecast_both(out->less_ms, out->run_ms), 0);
    out->high_ms = add_sat(out->expected_ms, forecast_both(out->more_ms, out->run_ms));
}
