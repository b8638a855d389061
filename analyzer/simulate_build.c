/* The table of a run, from its log. See simulate.h.
 *
 * Delays are found by laying the log over the rules of the replay: tasks in order of
 * launch take the slot that has been free the longest, and what is left between that
 * moment (or the stage's submission) and the launch is the task's own delay. */
#include "analyzer/simulate.h"

#include "analyzer/sim_heap.h"
#include "analyzer/sim_slots.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>

struct build {
    struct sim_table *t;
    const struct app *app;
    const struct lineage *lineage;
    const struct ledgers *ledgers;
    struct timeline timeline;
    struct arena *arena;
    int64_t *slot_cpus; /* per pool: cores that a slot has */
};

static int64_t since_start(const struct build *b, int64_t ms)
{
    return ms - b->timeline.start_ms;
}

/* --- stages ------------------------------------------------------------------------- */

static int by_rank(const void *x, const void *y)
{
    const struct sim_task *a = x, *b = y;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static uint32_t task_flags(const struct stage *s, uint32_t row)
{
    uint32_t flags = 0;

    if (task_state(&s->task, row) == TASK_SUCCESS &&
        !task_flag(&s->task, row, TASK_FLAG_DUPLICATE))
        flags |= SIM_COUNTS;
    if (task_flag(&s->task, row, TASK_FLAG_SPECULATIVE))
        flags |= SIM_COPY;
    return flags;
}

/* Attempts of one index, one after the other. */
static void find_priors(struct sim_stage *x, const struct stage *s)
{
    struct map last = { 0 };

    for (uint32_t i = 0; i < x->n; i++) {
        int64_t index = task_field(&s->task, x->tasks[i].row, TASK_INDEX);

        x->tasks[i].prior = map_get(&last, index);
        if (x->tasks[i].prior == MAP_NONE)
            x->tasks[i].prior = IX_NONE;
        map_put(&last, index, i);
    }
    map_release(&last);
}

static void take_tasks(struct build *b, uint32_t ix)
{
    const struct stage *s = &b->app->stages[ix];
    struct sim_stage *x = &b->t->stages[ix];
    bool sorted = true, again = false;

    x->tasks = arena_array(b->arena, s->task.n, sizeof *x->tasks);
    for (uint32_t row = 0; row < s->task.n; row++) {
        int64_t from_ms, to_ms;

        if (!timeline_task_span(&b->timeline, s, row, &from_ms, &to_ms))
            continue;
        struct sim_task *k = &x->tasks[x->n];
        *k = (struct sim_task){ .rank = since_start(b, from_ms),
                                .run_ms = (int32_t)min_i64(to_ms - from_ms, INT32_MAX),
                                .row = row,
                                .prior = IX_NONE,
                                .flags = task_flags(s, row) };
        sorted = sorted && (x->n == 0 || x->tasks[x->n - 1].rank <= k->rank);
        again = again || task_field(&s->task, row, TASK_ATTEMPT) > 0 ||
                (k->flags & SIM_COUNTS) == 0;
        x->n++;
    }
    if (!sorted)
        qsort(x->tasks, x->n, sizeof *x->tasks, by_rank);
    x->retried = again;
    if (again)
        find_priors(x, s);
    b->t->n_tasks += x->n;
}

static void take_stages(struct build *b)
{
    struct sim_table *t = b->t;

    t->n_stages = b->app->n_stages;
    t->stages = arena_array(b->arena, t->n_stages, sizeof *t->stages);
    for (uint32_t ix = 0; ix < t->n_stages; ix++) {
        struct sim_stage *x = &t->stages[ix];
        int64_t from_ms, to_ms, last_ms;

        x->chain = IX_NONE;
        if (!timeline_stage_span(&b->timeline, &b->app->stages[ix], &from_ms, &to_ms))
            continue;
        x->present = true;
        x->pool = b->timeline.pool_of[ix];
        x->start_ms = since_start(b, from_ms);
        x->end_ms = since_start(b, to_ms);
        take_tasks(b, ix);
        last_ms = x->start_ms;
        for (uint32_t i = 0; i < x->n; i++) {
            const struct sim_task *k = &x->tasks[i];

            if (k->flags & SIM_COUNTS)
                last_ms = max_i64(last_ms, k->rank + k->run_ms);
        }
        if (x->n)
            x->start_ms = min_i64(x->start_ms, x->tasks[0].rank);
        x->end_lag_ms = x->end_ms - last_ms;
    }
}

/* --- what waits for what ---------------------------------------------------------------
 */

struct by_end {
    uint32_t chain, ix;
    int64_t end_ms;
};

static int chain_order(const void *x, const void *y)
{
    const struct by_end *a = x, *b = y;

    if (a->chain != b->chain)
        return a->chain < b->chain ? -1 : 1;
    if (a->end_ms != b->end_ms)
        return a->end_ms < b->end_ms ? -1 : 1;
    return a->ix < b->ix ? -1 : a->ix > b->ix;
}

/* Chains that ran, numbered anew; position[ix]: of the stage in its chain. */
static void take_chains(struct build *b, uint32_t *chain_of, uint32_t *position)
{
    struct sim_table *t = b->t;
    struct by_end *all = xmalloc(mem_product(t->n_stages + 1, sizeof *all));
    uint32_t n = 0;

    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        if (t->stages[ix].present)
            all[n++] =
                (struct by_end){ b->ledgers->stages[ix].chain, ix, t->stages[ix].end_ms };
    if (n)
        qsort(all, n, sizeof *all, chain_order);
    t->chains = arena_array(b->arena, n, sizeof *t->chains);
    uint32_t *ixs = arena_array(b->arena, n, sizeof *ixs);
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || all[i].chain != all[i - 1].chain)
            t->chains[t->n_chains++].stage_ixs = ixs + i;
        struct sim_chain *c = &t->chains[t->n_chains - 1];

        ixs[i] = all[i].ix;
        chain_of[all[i].ix] = (uint32_t)t->n_chains - 1;
        position[all[i].ix] = c->n++;
    }
    free(all);
}

static void wait_for(struct sim_stage *x, uint32_t ix)
{
    for (uint32_t i = 0; i < x->n_after; i++)
        if (x->after[i] == ix)
            return;
    x->after[x->n_after++] = ix;
}

static void take_waits(struct build *b)
{
    struct sim_table *t = b->t;
    uint32_t *chain_of = xcalloc(t->n_stages + 1, sizeof *chain_of);
    uint32_t *position = xcalloc(t->n_stages + 1, sizeof *position);

    take_chains(b, chain_of, position);
    for (uint32_t ix = 0; ix < t->n_stages; ix++) {
        struct sim_stage *x = &t->stages[ix];
        const struct stage_path *p = &b->ledgers->stages[ix];
        uint32_t first = b->lineage->first[ix], end = b->lineage->first[ix + 1];
        int64_t ready_ms = 0;

        if (!x->present)
            continue;
        x->after = arena_array(b->arena, end - first + 2, sizeof *x->after);
        for (uint32_t i = first; i < end; i++) {
            uint32_t from = b->lineage->links[i].from_ix;

            if (t->stages[from].present && t->stages[from].end_ms <= x->start_ms &&
                t->stages[from].start_ms < t->stages[from].end_ms)
                wait_for(x, from);
        }
        if (ix > 0 && b->app->stages[ix - 1].stage_id == b->app->stages[ix].stage_id &&
            t->stages[ix - 1].present && t->stages[ix - 1].end_ms <= x->start_ms &&
            t->stages[ix - 1].start_ms < t->stages[ix - 1].end_ms)
            wait_for(x, ix - 1);
        if (p->waited_ix != IX_NONE && !p->waited_in_job) {
            wait_for(x, p->waited_ix);
            if (chain_of[p->waited_ix] != chain_of[ix]) {
                x->chain = chain_of[p->waited_ix];
                x->chain_at = position[p->waited_ix] + 1;
            }
        }
        for (uint32_t i = 0; i < x->n_after; i++)
            ready_ms = max_i64(ready_ms, t->stages[x->after[i]].end_ms);
        x->lag_ms = x->start_ms - ready_ms;
        t->tail_ms = max_i64(t->tail_ms, x->end_ms);
    }
    t->tail_ms = t->end_ms - t->tail_ms;
    free(chain_of);
    free(position);
}

/* --- executors -------------------------------------------------------------------------
 */

struct anchor {
    int64_t at_ms;
    uint32_t stage_ix;
    bool is_end;
};

static int anchor_order(const void *x, const void *y)
{
    const struct anchor *a = x, *b = y;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->is_end != b->is_end)
        return a->is_end ? -1 : 1;
    return a->stage_ix < b->stage_ix ? -1 : a->stage_ix > b->stage_ix;
}

/* Slots follow demand: they come and go so long after a stage began or ended as they did
 * in the log. Those that go only after the last stage stay: nobody asks. */
static void take_executors(struct build *b)
{
    struct sim_table *t = b->t;
    struct anchor *anchors = xmalloc(mem_product(2 * t->n_stages + 1, sizeof *anchors));
    size_t n = 0, at = 0, most = 0;
    int64_t last_ms = t->end_ms - t->tail_ms;

    for (uint32_t ix = 0; ix < t->n_stages; ix++) {
        const struct sim_stage *x = &t->stages[ix];

        if (!x->present)
            continue;
        anchors[n++] = (struct anchor){ x->start_ms, ix, false };
        anchors[n++] = (struct anchor){ x->end_ms, ix, true };
    }
    if (n)
        qsort(anchors, n, sizeof *anchors, anchor_order);
    for (size_t i = 0; i < b->timeline.n; i++)
        most += b->timeline.moments[i].step == STEP_EXECUTOR_CAME ||
                b->timeline.moments[i].step == STEP_EXECUTOR_GONE;
    t->executors = arena_array(b->arena, most, sizeof *t->executors);
    for (size_t i = 0; i < b->timeline.n; i++) {
        const struct moment *m = &b->timeline.moments[i];
        int64_t at_ms = since_start(b, m->at_ms);
        int32_t slots = 0;

        if (m->step == STEP_EXECUTOR_CAME || m->step == STEP_EXECUTOR_GONE)
            slots = (int32_t)min_i64(m->count / b->slot_cpus[m->stage_ix], INT32_MAX);
        if (slots == 0 || (m->step == STEP_EXECUTOR_GONE && at_ms >= last_ms))
            continue;
        while (at < n && anchors[at].at_ms < at_ms)
            at++;
        struct sim_executors *x = &t->executors[t->n_executors++];
        *x = (struct sim_executors){
            .stage_ix = IX_NONE,
            .lag_ms = at_ms,
            .pool = m->stage_ix,
            .slots = m->step == STEP_EXECUTOR_CAME ? slots : -slots,
        };
        if (at > 0) {
            x->stage_ix = anchors[at - 1].stage_ix;
            x->after_end = anchors[at - 1].is_end;
            x->lag_ms -= anchors[at - 1].at_ms;
        }
    }
    free(anchors);
}

/* Cores per slot: what most tasks of the pool held. */
static void find_slot_cpus(struct build *b)
{
    uint64_t *most = xcalloc(b->timeline.n_pools, sizeof *most);

    b->slot_cpus = xcalloc(b->timeline.n_pools, sizeof *b->slot_cpus);
    for (uint32_t i = 0; i < b->timeline.n_pools; i++)
        b->slot_cpus[i] = b->timeline.task_cpus;
    for (uint32_t ix = 0; ix < b->app->n_stages; ix++) {
        uint32_t pool = b->timeline.pool_of[ix];

        if (b->app->stages[ix].task.n > most[pool]) {
            most[pool] = b->app->stages[ix].task.n;
            b->slot_cpus[pool] = b->timeline.cpus_of[ix];
        }
    }
    free(most);
}

/* --- delays
 * ------------------------------------------------------------------------------ */

/* Launches in order of time: stages that have begun in a heap by their next one. */
struct launches {
    const struct sim_table *t;
    uint32_t *order; /* stages by their first launch */
    uint32_t n, begun;
    uint32_t *next; /* per stage */
    struct sim_heap at_work;
};

static int first_order(const void *x, const void *y)
{
    const struct sim_pair *a = x, *b = y;

    return sim_pair_before(*a, *b) ? -1 : sim_pair_before(*b, *a);
}

static void launches_begin(struct launches *l, const struct sim_table *t)
{
    struct sim_pair *firsts = xmalloc(mem_product(t->n_stages + 1, sizeof *firsts));

    *l = (struct launches){ .t = t };
    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        if (t->stages[ix].n)
            firsts[l->n++] = (struct sim_pair){ t->stages[ix].tasks[0].rank, ix };
    if (l->n)
        qsort(firsts, l->n, sizeof *firsts, first_order);
    l->order = xmalloc(mem_product(l->n + 1, sizeof *l->order));
    for (uint32_t i = 0; i < l->n; i++)
        l->order[i] = firsts[i].value;
    l->next = xcalloc(t->n_stages + 1, sizeof *l->next);
    free(firsts);
}

static bool launches_next(struct launches *l, uint32_t *stage_ix, uint32_t *at)
{
    const struct sim_stage *stages = l->t->stages;

    while (l->begun < l->n &&
           (l->at_work.n == 0 ||
            stages[l->order[l->begun]].tasks[0].rank <= l->at_work.at[0].key)) {
        uint32_t ix = l->order[l->begun++];

        sim_heap_push(&l->at_work, stages[ix].tasks[0].rank, ix);
    }
    if (l->at_work.n == 0)
        return false;
    *stage_ix = l->at_work.at[0].value;
    *at = l->next[*stage_ix]++;
    if (l->next[*stage_ix] < stages[*stage_ix].n)
        sim_heap_rekey(&l->at_work, stages[*stage_ix].tasks[l->next[*stage_ix]].rank);
    else
        (void)sim_heap_pop(&l->at_work);
    return true;
}

static void launches_end(struct launches *l)
{
    free(l->order);
    free(l->next);
    free(l->at_work.at);
}

/* The scheduler has the slot back before the driver writes down the end of the task in
 * it: results are fetched and decoded between. What overlaps by more is beside the slots.
 */
enum { HANDOVER_MS = 1000 };

static void find_delays(struct build *b)
{
    struct sim_table *t = b->t;
    struct launches all;
    uint32_t stage_ix, at;
    struct sim_slots *pools = xcalloc(t->n_pools, sizeof *pools);
    size_t next = 0;

    /* executors in order of time: as take_executors met them */
    int64_t *at_ms = xmalloc(mem_product(t->n_executors + 1, sizeof *at_ms));
    for (size_t i = 0; i < t->n_executors; i++) {
        const struct sim_executors *x = &t->executors[i];
        const struct sim_stage *s =
            x->stage_ix == IX_NONE ? NULL : &t->stages[x->stage_ix];

        at_ms[i] = x->lag_ms + (!s ? 0 : x->after_end ? s->end_ms : s->start_ms);
    }
    launches_begin(&all, t);
    while (launches_next(&all, &stage_ix, &at)) {
        struct sim_stage *s = &t->stages[stage_ix];
        struct sim_task *k = &s->tasks[at];
        struct sim_slots *p = &pools[s->pool];
        int64_t ready_ms = s->start_ms;

        for (; next < t->n_executors && at_ms[next] <= k->rank; next++)
            sim_slots_change(&pools[t->executors[next].pool], t->executors[next].slots,
                             at_ms[next]);
        if (k->prior != IX_NONE && !(k->flags & SIM_COPY)) {
            const struct sim_task *before = &s->tasks[k->prior];

            ready_ms = max_i64(ready_ms, before->rank + before->run_ms);
        } else if (k->prior != IX_NONE) {
            ready_ms = max_i64(ready_ms, s->tasks[k->prior].rank);
        }
        if (sim_slots_n(p) == 0 || sim_slots_first_ms(p) > k->rank + HANDOVER_MS) {
            k->flags |= SIM_NO_SLOT;
        } else {
            ready_ms = max_i64(ready_ms, sim_slots_first_ms(p));
            sim_slots_take(p, k->rank + k->run_ms);
        }
        k->delay_ms = (int32_t)max_i64(min_i64(k->rank - ready_ms, INT32_MAX), INT32_MIN);
    }
    for (uint32_t i = 0; i < t->n_pools; i++)
        sim_slots_release(&pools[i]);
    free(pools);
    free(at_ms);
    launches_end(&all);
}

void sim_build(struct sim_table *t, const struct app *app, const struct lineage *lineage,
               const struct ledgers *ledgers, struct arena *arena)
{
    struct build b = {
        .t = t, .app = app, .lineage = lineage, .ledgers = ledgers, .arena = arena
    };

    *t = (struct sim_table){ 0 };
    timeline_build_executors(&b.timeline, app);
    t->n_pools = b.timeline.n_pools;
    t->end_ms = b.timeline.end_ms - b.timeline.start_ms;
    find_slot_cpus(&b);
    if (t->end_ms > 0) {
        take_stages(&b);
        take_waits(&b);
        take_executors(&b);
        find_delays(&b);
    }
    free(b.slot_cpus);
    timeline_release(&b.timeline);
}
