/* Edits of a table. See sim_edit.h. */
#include "analyzer/sim_edit.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void sim_copy(struct sim_table *out, const struct sim_table *t, struct arena *arena)
{
    *out = *t;
    out->stages = arena_array(arena, t->n_stages, sizeof *out->stages);
    if (t->n_stages)
        memcpy(out->stages, t->stages, t->n_stages * sizeof *out->stages);
}

static struct sim_stage *own_tasks(struct sim_table *t, uint32_t ix, struct arena *arena)
{
    struct sim_stage *x = &t->stages[ix];
    struct sim_task *tasks = arena_array(arena, x->n, sizeof *tasks);

    if (x->n)
        memcpy(tasks, x->tasks, x->n * sizeof *tasks);
    x->tasks = tasks;
    return x;
}

static int32_t share_of(int32_t ms, double share)
{
    double part = (double)ms * fmin(fmax(share, 0), 1);

    return (int32_t)lround(part);
}

void sim_shrink(struct sim_table *t, uint32_t stage_ix, double share, struct arena *arena)
{
    struct sim_stage *x = own_tasks(t, stage_ix, arena);

    for (uint32_t i = 0; i < x->n; i++)
        x->tasks[i].run_ms -= share_of(x->tasks[i].run_ms, share);
}

static int64_t median_ms(const struct sim_stage *x)
{
    int64_t *values = xmalloc(mem_product(x->n + 1, sizeof *values)), out;

    for (uint32_t i = 0; i < x->n; i++)
        values[i] = x->tasks[i].run_ms;
    out = x->n ? quantiles_of(values, x->n).value[Q_MEDIAN] : 0;
    free(values);
    return out;
}

void sim_level(struct sim_table *t, uint32_t stage_ix, int64_t ms, struct arena *arena)
{
    struct sim_stage *x = own_tasks(t, stage_ix, arena);
    int64_t longest = 0, cap, over = 0, under = 0;

    for (uint32_t i = 0; i < x->n; i++)
        longest = max_i64(longest, x->tasks[i].run_ms);
    cap = max_i64(longest - max_i64(ms, 0), median_ms(x));
    for (uint32_t i = 0; i < x->n; i++) {
        if (x->tasks[i].run_ms > cap)
            over += x->tasks[i].run_ms - cap;
        else
            under++;
    }
    for (uint32_t i = 0; i < x->n; i++) {
        struct sim_task *k = &x->tasks[i];

        if (k->run_ms > cap)
            k->run_ms = (int32_t)cap;
        else if (under)
            k->run_ms = (int32_t)min_i64(cap, k->run_ms + over / under);
    }
}

void sim_split(struct sim_table *t, uint32_t stage_ix, uint32_t pieces, double share,
               struct arena *arena)
{
    struct sim_stage *x = &t->stages[stage_ix];
    struct sim_task *tasks;
    uint32_t n = 0;

    if (pieces < 2 || x->n == 0 || x->n > UINT32_MAX / 8 / pieces)
        return;
    tasks = arena_array(arena, (size_t)x->n * pieces, sizeof *tasks);
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < pieces; k++) {
            struct sim_task *to = &tasks[n++];

            *to = x->tasks[i];
            to->run_ms = share_of(x->tasks[i].run_ms, share);
            if (to->prior != IX_NONE)
                to->prior = to->prior * pieces + k;
        }
    t->n_tasks += n - x->n;
    x->tasks = tasks;
    x->n = n;
}

void sim_drop_retries(struct sim_table *t, uint32_t stage_ix, double share,
                      struct arena *arena)
{
    struct sim_stage *x = own_tasks(t, stage_ix, arena);

    for (uint32_t i = 0; i < x->n; i++) {
        struct sim_task *k = &x->tasks[i];

        if (!(k->flags & SIM_COUNTS))
            k->run_ms -= share_of(k->run_ms, share);
    }
}

void sim_hasten(struct sim_table *t, uint32_t stage_ix, double share, struct arena *arena)
{
    struct sim_stage *x = own_tasks(t, stage_ix, arena);

    for (uint32_t i = 0; i < x->n; i++)
        if (x->tasks[i].delay_ms > 0)
            x->tasks[i].delay_ms -= share_of(x->tasks[i].delay_ms, share);
}

void sim_shorten_lag(struct sim_table *t, uint32_t stage_ix, int64_t ms)
{
    int64_t *lag = stage_ix == IX_NONE ? &t->tail_ms : &t->stages[stage_ix].lag_ms;

    *lag = max_i64(*lag - max_i64(ms, 0), 0);
}

void sim_remove(struct sim_table *t, uint32_t stage_ix)
{
    struct sim_stage *x = &t->stages[stage_ix];

    t->n_tasks -= x->n;
    x->present = false;
    x->n = 0;
}

/* --- slots ----------------------------------------------------------------------------
 */

void sim_slots_times(struct sim_table *t, double factor, struct arena *arena)
{
    struct sim_executors *steps = arena_array(arena, t->n_executors, sizeof *steps);
    int64_t *had = xcalloc(t->n_pools, sizeof *had),
            *has = xcalloc(t->n_pools, sizeof *has);

    for (size_t i = 0; i < t->n_executors; i++) {
        const struct sim_executors *x = &t->executors[i];
        int64_t wanted;

        had[x->pool] = max_i64(had[x->pool] + x->slots, 0);
        wanted = (int64_t)llround((double)had[x->pool] * factor);
        if (had[x->pool] > 0)
            wanted = max_i64(wanted, 1);
        steps[i] = *x;
        steps[i].slots = (int32_t)(min_i64(wanted, INT32_MAX) - has[x->pool]);
        has[x->pool] = min_i64(wanted, INT32_MAX);
    }
    t->executors = steps;
    free(had);
    free(has);
}

void sim_slots_fixed(struct sim_table *t, uint32_t slots, struct arena *arena)
{
    struct sim_executors *steps = arena_array(arena, t->n_executors + 1, sizeof *steps);
    size_t n = 0;
    bool done = false;

    for (size_t i = 0; i < t->n_executors; i++) {
        const struct sim_executors *x = &t->executors[i];

        if (x->pool == 0 && (done || x->slots < 0))
            continue;
        steps[n] = *x;
        if (x->pool == 0)
            steps[n].slots = (int32_t)min_i64(slots, INT32_MAX);
        done = done || x->pool == 0;
        n++;
    }
    if (!done)
        steps[n++] =
            (struct sim_executors){ .stage_ix = IX_NONE,
                                    .slots = (int32_t)min_i64(slots, INT32_MAX) };
    t->executors = steps;
    t->n_executors = n;
}

int64_t sim_slots_peak(const struct sim_table *t)
{
    int64_t now = 0, most = 0;

    for (size_t i = 0; i < t->n_executors; i++)
        if (t->executors[i].pool == 0) {
            now += t->executors[i].slots;
            most = max_i64(most, now);
        }
    return most;
}

/* --- the bootstrap
 * ---------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state) /* splitmix64, by Steele, Lea and Flood */
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void resample_stage(struct sim_table *t, uint32_t ix, uint64_t *random,
                           struct arena *arena)
{
    const struct sim_task *from = t->stages[ix].tasks;
    uint32_t *counting, n = 0;

    if (t->stages[ix].n < 2)
        return;
    counting = xmalloc(mem_product(t->stages[ix].n, sizeof *counting));
    for (uint32_t i = 0; i < t->stages[ix].n; i++)
        if (from[i].flags & SIM_COUNTS)
            counting[n++] = i;
    struct sim_stage *x = own_tasks(t, ix, arena);
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_task *drawn = &from[counting[next_random(random) % n]];

        x->tasks[counting[i]].run_ms = drawn->run_ms;
        x->tasks[counting[i]].row = drawn->row;
    }
    free(counting);
}

void sim_resample(struct sim_table *t, uint64_t seed, struct arena *arena)
{
    for (uint32_t ix = 0; ix < t->n_stages; ix++) {
        uint64_t random = seed * UINT64_C(0x100000001b3) + ix;

        resample_stage(t, ix, &random, arena);
    }
}

int64_t sim_task_ms(const struct sim_table *t)
{
    int64_t sum = 0;

    for (size_t ix = 0; ix < t->n_stages; ix++)
        for (uint32_t i = 0; i < t->stages[ix].n; i++)
            sum = add_sat(sum, t->stages[ix].tasks[i].run_ms);
    return sum;
}
