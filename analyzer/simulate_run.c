/* The replay of a table. See simulate.h.
 *
 * Time goes from event to event: stages that are submitted, slots that come or go, and a
 * slot that is free while somebody waits. A task's length is known when it is launched,
 * so a stage's end is known with its last launch, and what follows from it is entered
 * then. */
#include "analyzer/sim_heap.h"
#include "analyzer/sim_slots.h"
#include "analyzer/simulate.h"

#include <stdlib.h>

struct progress {     /* of a stage */
    uint32_t at;      /* its next task */
    uint32_t waiting; /* for so many ends */
    int64_t ready_ms; /* the latest of those that came */
    int64_t start_ms, last_ms, end_ms;
    int64_t *finish_ms; /* per task, where attempts follow each other */
    bool submitted, ended;
};

struct pool {
    struct sim_slots slots;
    struct sim_heap active; /* stages by the rank of their next task */
};

struct run {
    const struct sim_table *t;
    struct arena *arena;
    struct progress *stages;
    struct pool *pools;
    struct sim_heap events; /* value: a stage, or n_stages + an executor step */
    int64_t now_ms, end_ms;
    bool stuck;

    /* stages that wait for a stage: followers[first[ix]] .. followers[first[ix + 1]] */
    uint32_t *first, *followers;
    /* chains: position of a stage in the row of all chains, who waits for one to have
     * ended up to there (a list by next_waiter), and how far each has */
    uint32_t *chain_from, *chain_of, *chain_done, *waiter, *next_waiter;
    int64_t *chain_end_ms;
    /* executor steps by the stage they follow */
    uint32_t *step_of, *next_step;
};

/* --- what follows what
 * ------------------------------------------------------------------ */

static uint32_t *filled(struct run *r, size_t n, uint32_t with)
{
    uint32_t *out = arena_array(r->arena, n + 1, sizeof *out);

    for (size_t i = 0; i <= n; i++)
        out[i] = with;
    return out;
}

static void find_followers(struct run *r)
{
    const struct sim_table *t = r->t;
    uint32_t *at;

    r->first = filled(r, t->n_stages + 1, 0);
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        for (uint32_t i = 0; i < t->stages[ix].n_after; i++)
            r->first[t->stages[ix].after[i] + 1]++;
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        r->first[ix + 1] += r->first[ix];
    r->followers = filled(r, r->first[t->n_stages], 0);
    at = filled(r, t->n_stages, 0);
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        for (uint32_t i = 0; i < t->stages[ix].n_after; i++) {
            uint32_t from = t->stages[ix].after[i];

            r->followers[r->first[from] + at[from]++] = ix;
            r->stages[ix].waiting++;
        }
}

static void find_chains(struct run *r)
{
    const struct sim_table *t = r->t;
    uint32_t n = 0;

    r->chain_from = filled(r, t->n_chains, 0);
    r->chain_of = filled(r, t->n_stages, IX_NONE);
    for (uint32_t c = 0; c < t->n_chains; c++) {
        r->chain_from[c] = n;
        for (uint32_t i = 0; i < t->chains[c].n; i++)
            r->chain_of[t->chains[c].stage_ixs[i]] = c;
        n += t->chains[c].n;
    }
    r->chain_done = filled(r, t->n_chains, 0);
    r->chain_end_ms = arena_array(r->arena, t->n_chains + 1, sizeof *r->chain_end_ms);
    r->waiter = filled(r, n, IX_NONE);
    r->next_waiter = filled(r, t->n_stages, IX_NONE);
    for (uint32_t ix = 0; ix < t->n_stages; ix++) {
        const struct sim_stage *x = &t->stages[ix];

        if (x->chain == IX_NONE || x->chain_at == 0)
            continue;
        uint32_t last = r->chain_from[x->chain] + x->chain_at - 1;
        r->next_waiter[ix] = r->waiter[last];
        r->waiter[last] = ix;
        r->stages[ix].waiting++;
    }
}

static void find_steps(struct run *r)
{
    const struct sim_table *t = r->t;

    r->step_of = filled(r, t->n_stages, IX_NONE);
    r->next_step = filled(r, t->n_executors, IX_NONE);
    for (uint32_t i = (uint32_t)t->n_executors; i-- > 0;) {
        const struct sim_executors *x = &t->executors[i];

        if (x->stage_ix == IX_NONE) {
            sim_heap_push(&r->events, x->lag_ms, (uint32_t)t->n_stages + i);
            continue;
        }
        r->next_step[i] = r->step_of[x->stage_ix];
        r->step_of[x->stage_ix] = i;
    }
}

static void enter_steps(struct run *r, uint32_t ix, bool after_end, int64_t at_ms)
{
    const struct sim_table *t = r->t;

    for (uint32_t i = r->step_of[ix]; i != IX_NONE; i = r->next_step[i])
        if (t->executors[i].after_end == after_end)
            sim_heap_push(&r->events, at_ms + t->executors[i].lag_ms,
                          (uint32_t)t->n_stages + i);
}

/* --- stages
 * ------------------------------------------------------------------------------- */

static void submit(struct run *r, uint32_t ix)
{
    const struct sim_stage *x = &r->t->stages[ix];
    int64_t lag_ms = x->present ? x->lag_ms : 0;

    if (r->stages[ix].submitted)
        return;
    r->stages[ix].submitted = true;
    sim_heap_push(&r->events, r->stages[ix].ready_ms + max_i64(lag_ms, 0), ix);
}

static void came(struct run *r, uint32_t ix, int64_t end_ms)
{
    struct progress *p = &r->stages[ix];

    p->ready_ms = max_i64(p->ready_ms, end_ms);
    if (p->waiting > 0 && --p->waiting == 0)
        submit(r, ix);
}

static void advance_chain(struct run *r, uint32_t c)
{
    const struct sim_chain *x = &r->t->chains[c];

    while (r->chain_done[c] < x->n && r->stages[x->stage_ixs[r->chain_done[c]]].ended) {
        uint32_t at = r->chain_done[c]++;

        r->chain_end_ms[c] =
            max_i64(r->chain_end_ms[c], r->stages[x->stage_ixs[at]].end_ms);
        for (uint32_t ix = r->waiter[r->chain_from[c] + at]; ix != IX_NONE;
             ix = r->next_waiter[ix])
            came(r, ix, r->chain_end_ms[c]);
    }
}

static void stage_ends(struct run *r, uint32_t ix, int64_t end_ms)
{
    struct progress *p = &r->stages[ix];

    p->end_ms = max_i64(end_ms, p->start_ms);
    p->ended = true;
    if (r->t->stages[ix].present)
        r->end_ms = max_i64(r->end_ms, p->end_ms);
    enter_steps(r, ix, true, p->end_ms);
    for (uint32_t i = r->first[ix]; i < r->first[ix + 1]; i++)
        came(r, r->followers[i], p->end_ms);
    if (r->chain_of[ix] != IX_NONE)
        advance_chain(r, r->chain_of[ix]);
}

static void stage_comes(struct run *r, uint32_t ix, int64_t at_ms)
{
    const struct sim_stage *x = &r->t->stages[ix];
    struct progress *p = &r->stages[ix];

    p->start_ms = p->last_ms = at_ms;
    enter_steps(r, ix, false, at_ms);
    if (!x->present || x->n == 0) {
        stage_ends(r, ix, at_ms + (x->present ? x->end_lag_ms : 0));
        return;
    }
    if (x->retried)
        p->finish_ms = arena_array(r->arena, x->n, sizeof *p->finish_ms);
    sim_heap_push(&r->pools[x->pool].active, x->tasks[0].rank, ix);
}

/* --- tasks
 * -------------------------------------------------------------------------------- */

/* When the task runs, its slot being free at slot_ms; false: it does not any more. */
static bool launch_time(const struct progress *p, const struct sim_task *k,
                        int64_t slot_ms, int64_t *at_ms)
{
    int64_t ready_ms = max_i64(p->start_ms, slot_ms);

    if (k->prior != IX_NONE && p->finish_ms) {
        if (!(k->flags & SIM_COPY))
            ready_ms = max_i64(ready_ms, p->finish_ms[k->prior]);
        else if (p->finish_ms[k->prior] <= ready_ms + k->delay_ms)
            return false;
    }
    *at_ms = max_i64(ready_ms + k->delay_ms, p->start_ms);
    return true;
}

/* The next task of the pool's first stage. */
static void launch(struct run *r, struct pool *pool, bool slotless)
{
    uint32_t ix = pool->active.at[0].value;
    const struct sim_stage *x = &r->t->stages[ix];
    struct progress *p = &r->stages[ix];
    const struct sim_task *k = &x->tasks[p->at];
    int64_t at_ms, end_ms;

    if (launch_time(p, k, slotless ? 0 : sim_slots_first_ms(&pool->slots), &at_ms)) {
        end_ms = at_ms + k->run_ms;
        if (!slotless)
            sim_slots_take(&pool->slots, end_ms);
        if (p->finish_ms)
            p->finish_ms[p->at] = end_ms;
        if (k->flags & SIM_COUNTS)
            p->last_ms = max_i64(p->last_ms, end_ms);
    } else {
        p->finish_ms[p->at] = p->finish_ms[k->prior];
    }
    if (++p->at < x->n) {
        sim_heap_rekey(&pool->active, x->tasks[p->at].rank);
        return;
    }
    (void)sim_heap_pop(&pool->active);
    stage_ends(r, ix, p->last_ms + x->end_lag_ms);
}

static bool next_is_slotless(const struct run *r, const struct pool *pool)
{
    uint32_t ix = pool->active.at[0].value;

    return r->t->stages[ix].tasks[r->stages[ix].at].flags & SIM_NO_SLOT;
}

/* The pool that launches next, and when; NULL: nobody waits, or no slot exists. */
static struct pool *next_pool(struct run *r, int64_t *at_ms, bool *slotless)
{
    struct pool *best = NULL;

    for (uint32_t i = 0; i < r->t->n_pools; i++) {
        struct pool *p = &r->pools[i];
        int64_t ms = r->now_ms;
        bool without;

        if (p->active.n == 0)
            continue;
        without = next_is_slotless(r, p);
        if (!without && sim_slots_n(&p->slots) == 0)
            continue;
        if (!without)
            ms = max_i64(ms, sim_slots_first_ms(&p->slots));
        if (!best || ms < *at_ms) {
            best = p;
            *at_ms = ms;
            *slotless = without;
        }
    }
    return best;
}

static struct pool *any_active(struct run *r)
{
    for (uint32_t i = 0; i < r->t->n_pools; i++)
        if (r->pools[i].active.n)
            return &r->pools[i];
    return NULL;
}

static void happen(struct run *r)
{
    struct sim_pair e = sim_heap_pop(&r->events);

    r->now_ms = max_i64(r->now_ms, e.key);
    if (e.value >= r->t->n_stages) {
        const struct sim_executors *x = &r->t->executors[e.value - r->t->n_stages];

        sim_slots_change(&r->pools[x->pool].slots, x->slots, e.key);
    } else {
        stage_comes(r, e.value, e.key);
    }
}

/* Stages that wait for each other, which a log with jumping clocks may say: the first of
 * them goes on. */
static bool force(struct run *r, uint32_t *from)
{
    while (*from < r->t->n_stages && r->stages[*from].submitted)
        ++*from;
    if (*from == r->t->n_stages)
        return false;
    r->stuck = true;
    submit(r, *from);
    return true;
}

static void play(struct run *r)
{
    uint32_t forced = 0;

    for (;;) {
        int64_t at_ms = 0;
        bool slotless = false;
        struct pool *p = next_pool(r, &at_ms, &slotless);

        if (r->events.n && (!p || r->events.at[0].key <= at_ms)) {
            happen(r);
        } else if (p) {
            r->now_ms = at_ms;
            launch(r, p, slotless);
        } else if ((p = any_active(r)) != NULL) {
            r->stuck = true;
            launch(r, p, true);
        } else if (!force(r, &forced)) {
            return;
        }
    }
}

static void tell(struct sim_result *out, struct run *r)
{
    out->stages = arena_array(r->arena, r->t->n_stages, sizeof *out->stages);
    for (size_t ix = 0; ix < r->t->n_stages; ix++) {
        const struct progress *p = &r->stages[ix];

        out->stages[ix] = (struct sim_span){ p->start_ms, p->end_ms };
    }
}

void sim_replay(struct sim_result *out, const struct sim_table *t, struct arena *arena,
                bool spans)
{
    struct run r = { .t = t, .arena = arena };

    r.stages = arena_array(arena, t->n_stages, sizeof *r.stages);
    r.pools = xcalloc(t->n_pools, sizeof *r.pools);
    find_followers(&r);
    find_chains(&r);
    find_steps(&r);
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        if (r.stages[ix].waiting == 0)
            submit(&r, ix);
    play(&r);
    *out = (struct sim_result){ .end_ms = r.end_ms + t->tail_ms, .stuck = r.stuck };
    if (spans)
        tell(out, &r);
    for (uint32_t i = 0; i < t->n_pools; i++) {
        sim_slots_release(&r.pools[i].slots);
        free(r.pools[i].active.at);
    }
    free(r.pools);
    free(r.events.at);
}
