/* SQL metrics over all tasks. See app.h. */
#include "analyzer/app.h"

#include "base/mem.h"

#include <stdlib.h>

static size_t first_ref(const struct app *app, int64_t accumulator_id)
{
    size_t low = 0, high = app->n_accum_refs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (app->accum_refs[mid].accumulator_id < accumulator_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static size_t first_driver(const struct app *app, int64_t accumulator_id)
{
    size_t low = 0, high = app->n_driver_accums;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (app->driver_accums[mid].accumulator_id < accumulator_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct gather {
    struct accum_summary out;
    bool average, sum;
    int64_t *values;      /* non-zero ones; zeros are only counted */
    size_t n, cap;
    int64_t zeros;
    int64_t best; /* largest so far, -1: none, and whose: */
    uint32_t best_ix, best_slot; /* stage IX_NONE: the driver's */
};

/* A negative value means "never touched", but sums may well go below zero. */
static void gather(struct gather *g, int64_t value)
{
    if ((value < 0 && !g->sum) || (g->average && value == 0))
        return;
    if (value == 0) {
        g->zeros++;
        return;
    }
    GROW(g->values, g->n, g->cap);
    g->values[g->n++] = value;
    g->out.total = add_sat(g->out.total, value);
}

/* One stage id's attempts: refs [from, to). The first attempt has a slot for every
 * task; later ones run what was missing again, so of them only successes count, and
 * of the earlier ones too once there is more than one. */
static void gather_stage(struct gather *g, const struct app *app, size_t from, size_t to)
{
    int64_t seen = 0, slots = 0;

    for (size_t i = from; i < to; i++) {
        const struct stage *s = &app->stages[app->accum_refs[i].stage_ix];
        const struct column *v = &s->accums[app->accum_refs[i].accum_ix].value;

        slots = max_i64(slots, s->tasks == APP_NONE ? (int64_t)s->slots : s->tasks);
        for (uint32_t slot = 0; slot < s->slots && slot < v->cap; slot++) {
            int64_t value = column_get(v, slot);

            if (value == 0 || (to - from > 1 && !s->slot_done[slot]))
                continue;
            seen++;
            gather(g, value);
            if (value > g->best) {
                g->best = value;
                g->best_ix = app->accum_refs[i].stage_ix;
                g->best_slot = slot;
            }
        }
    }
    if (!g->average && slots > seen) {
        g->zeros += slots - seen;
        if (g->best < 0) { /* all it has is zeros */
            g->best = 0;
            g->best_ix = app->accum_refs[from].stage_ix;
        }
    }
}

/* The value at position k among zeros, then the values ascending. */
static int64_t at_rank(struct gather *g, int64_t k)
{
    if (k < g->zeros)
        return 0;
    size_t low = 0, high = g->n - 1, want = (size_t)(k - g->zeros);

    while (low < high) { /* quick select; see quantile.c for the careful one */
        int64_t pivot = g->values[low + (high - low) / 2];
        size_t i = low, j = high;

        for (;;) {
            while (g->values[i] < pivot)
                i++;
            while (g->values[j] > pivot)
                j--;
            if (i >= j)
                break;
            int64_t t = g->values[i];
            g->values[i++] = g->values[j];
            g->values[j--] = t;
        }
        if (want <= j)
            high = j;
        else
            low = j + 1;
    }
    return g->values[want];
}

static void summarise(struct gather *g)
{
    int64_t n = add_sat((int64_t)g->n, g->zeros);

    if (n == 0)
        return;
    g->out.n = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    g->out.min = g->zeros ? 0 : INT64_MAX;
    for (size_t i = 0; i < g->n; i++) {
        g->out.min = min_i64(g->out.min, g->values[i]);
        g->out.max = max_i64(g->out.max, g->values[i]);
    }
    g->out.median = at_rank(g, n / 2);
}

static struct accum_summary summary_in(const struct app *app, int64_t execution_id,
                                       int64_t accumulator_id, struct sv metric_type)
{
    struct gather g = { .average = sv_is(metric_type, "average"),
                        .sum = sv_is(metric_type, "sum"),
                        .best = -1,
                        .best_ix = IX_NONE };

    g.out.max_stage_id = g.out.max_attempt = g.out.max_index = APP_NONE;
    for (size_t i = first_ref(app, accumulator_id);
         i < app->n_accum_refs && app->accum_refs[i].accumulator_id == accumulator_id;) {
        const struct stage *s = &app->stages[app->accum_refs[i].stage_ix];
        size_t to = i;

        while (to < app->n_accum_refs &&
               app->accum_refs[to].accumulator_id == accumulator_id &&
               app->stages[app->accum_refs[to].stage_ix].stage_id == s->stage_id)
            to++;
        if (execution_id == APP_NONE || s->sql_execution_id == execution_id)
            gather_stage(&g, app, i, to);
        i = to;
    }
    for (size_t i = first_driver(app, accumulator_id);
         i < app->n_driver_accums && app->driver_accums[i].accumulator_id == accumulator_id;
         i++) {
        const struct driver_accum *d = &app->driver_accums[i];

        if (execution_id != APP_NONE && d->execution_id != execution_id)
            continue;
        gather(&g, d->value);
        if (d->value > g.best) {
            g.best = d->value;
            g.best_ix = IX_NONE;
        }
    }
    summarise(&g);
    if (g.best_ix != IX_NONE) {
        g.out.max_stage_id = app->stages[g.best_ix].stage_id;
        g.out.max_attempt = app->stages[g.best_ix].attempt;
        g.out.max_index = g.best_slot;
    }
    free(g.values);
    return g.out;
}

struct accum_summary app_accum(const struct app *app, int64_t accumulator_id,
                               struct sv metric_type)
{
    return summary_in(app, APP_NONE, accumulator_id, metric_type);
}

struct accum_summary app_sql_accum(const struct app *app, const struct sql *q,
                                   int64_t accumulator_id, struct sv metric_type)
{
    return summary_in(app, q->execution_id, accumulator_id, metric_type);
}

size_t app_accum_stages(const struct app *app, int64_t accumulator_id, struct arena *arena,
                        uint32_t **stage_ixs)
{
    size_t from = first_ref(app, accumulator_id), n = 0;

    while (from + n < app->n_accum_refs &&
           app->accum_refs[from + n].accumulator_id == accumulator_id)
        n++;
    *stage_ixs = arena_array(arena, n, sizeof **stage_ixs);
    for (size_t i = 0; i < n; i++)
        (*stage_ixs)[i] = app->accum_refs[from + i].stage_ix;
    return n;
}
