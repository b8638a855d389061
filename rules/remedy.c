/* Claims as edits. See remedy.h. */
#include "rules/remedy.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct taken { /* of one stage, or of the application: by entry */
    double ms[WALL_COUNT];
    double alone; /* of WALL_TOO_FEW_TASKS: what one task took longer than the others */
};

static int64_t claim_ms(const struct claim *c, enum bound bound)
{
    return bound == BOUND_LOW        ? c->low_ms
           : bound == BOUND_EXPECTED ? c->expected_ms
                                     : c->high_ms;
}

/* Entries that are the tasks' own time. */
static bool is_work(enum wall_entry e)
{
    return e >= WALL_COMPUTE && e <= WALL_IO_AND_OTHER;
}

static double held(const struct ledgers *l, uint32_t ix, enum wall_entry e)
{
    return (double)ledger_stage_ms(l, ix, e);
}

static double share(double part, double whole)
{
    return whole > 0 ? fmin(fmax(part / whole, 0), 1) : 0;
}

/* A stage that is nothing but a repetition goes as a whole, though its tasks count. */
static void edit_retries(struct sim_table *t, const struct ledgers *l, uint32_t ix,
                         double gone, struct arena *arena)
{
    bool whole = held(l, ix, WALL_RETRIES) > 0.9 * (double)ledger_stage_wall_ms(l, ix);

    if (!whole)
        sim_drop_retries(t, ix, gone, arena);
    else if (gone > 0.99)
        sim_remove(t, ix);
    else
        sim_shrink(t, ix, gone, arena);
}

static void edit_stage(struct sim_table *t, const struct ledgers *l, uint32_t ix,
                       const struct taken *k, struct arena *arena)
{
    double work = 0, taken = 0, shrunk, more;
    double wall = (double)ledger_stage_wall_ms(l, ix);

    for (int e = 0; e < WALL_COUNT; e++)
        if (is_work((enum wall_entry)e)) {
            work += held(l, ix, (enum wall_entry)e);
            taken += k->ms[e];
        }
    shrunk = share(taken, work);
    if (shrunk > 0)
        sim_shrink(t, ix, shrunk, arena);
    /* shorter tasks leave a shorter tail and less emptiness beside them; only what is
     * claimed beyond that is an edit of its own */
    more =
        k->ms[WALL_STRAGGLER_TAIL] - shrunk * held(l, ix, WALL_STRAGGLER_TAIL) + k->alone;
    if (more >= 1)
        sim_level(t, ix, (int64_t)more, arena);
    more =
        k->ms[WALL_TOO_FEW_TASKS] - k->alone - shrunk * held(l, ix, WALL_TOO_FEW_TASKS);
    if (more >= 1 && wall > more)
        sim_split(t, ix, (uint32_t)fmin(64, ceil(wall / (wall - more))),
                  (wall - more) / wall, arena);
    if (k->ms[WALL_RETRIES] > 0)
        edit_retries(t, l, ix, share(k->ms[WALL_RETRIES], held(l, ix, WALL_RETRIES)),
                     arena);
    if (k->ms[WALL_SCHEDULING] > 0)
        sim_hasten(t, ix, share(k->ms[WALL_SCHEDULING], held(l, ix, WALL_SCHEDULING)),
                   arena);
}

/* The driver's time lies between stages: each gap gives its share. */
static void edit_gaps(struct sim_table *t, const struct ledgers *l, const struct taken *k)
{
    for (size_t i = 0; i < l->n_segments; i++) {
        const struct segment *s = &l->segments[i];
        uint32_t next = IX_NONE;
        double ms = 0;

        for (int e = 0; e < WALL_COUNT; e++)
            ms += (double)s->ms[e] * share(k->ms[e], (double)l->wall_ms[e]);
        if (s->kind != SEGMENT_DRIVER || ms < 1)
            continue;
        for (size_t n = i + 1; n < l->n_segments && next == IX_NONE; n++)
            next = l->segments[n].stage_ix;
        sim_shorten_lag(t, next, (int64_t)ms);
    }
}

/* The other change gives the stage another number of tasks, or memory, and this finding
 * is about that. */
static bool is_done_already(const struct remedy *r, const struct finding *f,
                            const struct claim *c)
{
    static const char *const of_number[] = { "too-few-partitions", "too-many-partitions",
                                             "scheduling-overhead", "single-writer" };
    const struct scale *s = r->scale;
    bool other_number;

    if (!s || c->stage_ix == IX_NONE)
        return false;
    other_number = s->stages[c->stage_ix].n !=
                   (uint64_t)r->analysis->app.stages[c->stage_ix].completed_indices;
    if (c->entry == WALL_SPILL)
        return s->what.memory_bytes > 0 || s->what.cores > 0 || other_number;
    for (size_t i = 0; i < ARRAY_LEN(of_number); i++)
        if (strcmp(f->rule->id, of_number[i]) == 0)
            return other_number;
    return false;
}

/* Rules of one task that holds up its stage: what they claim of empty slots goes when
 * that task is cut, not when all are. */
static bool is_of_one_task(const struct finding *f)
{
    static const char *const ids[] = { "skewed-join", "skewed-aggregation",
                                       "unsplittable-input", "straggler" };

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (strcmp(f->rule->id, ids[i]) == 0)
            return !f->cuts_all;
    return false;
}

void remedy_edit(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena)
{
    const struct remedy *r = ctx;
    const struct ledgers *l = &r->analysis->ledgers;
    struct taken *stages = xcalloc(t->n_stages + 1, sizeof *stages);
    bool *any = xcalloc(t->n_stages + 1, sizeof *any);

    for (size_t i = 0; i < r->n; i++)
        for (size_t c = 0; c < r->findings[i]->n_claims; c++) {
            const struct claim *claim = &r->findings[i]->claims[c];
            size_t at = claim->stage_ix == IX_NONE ? t->n_stages : claim->stage_ix;

            if (is_done_already(r, r->findings[i], claim))
                continue;
            stages[at].ms[claim->entry] += (double)claim_ms(claim, bound);
            if (claim->entry == WALL_TOO_FEW_TASKS && is_of_one_task(r->findings[i]))
                stages[at].alone += (double)claim_ms(claim, bound);
            any[at] = true;
        }
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        if (any[ix] && t->stages[ix].present)
            edit_stage(t, l, ix, &stages[ix], arena);
    if (any[t->n_stages])
        edit_gaps(t, l, &stages[t->n_stages]);
    free(any);
    free(stages);
}
