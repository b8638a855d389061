/* Adaptive execution, the part that runs: stages as they become ready, each a job in a
 * thread of its own; after each the plan is made anew from what was measured. Decisions:
 * plan/adaptive.h.
 *
 * A query and its subqueries are plans with loops of their own, and reuse each other's
 * stages: whoever finds a stage that another loop began waits for its end like for one of
 * its own. One lock of the query is held while a loop plans or shows its plan, and given
 * up while it waits. */
#include "engine/plan/adaptive.h"

#include "engine/run/query_run.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* A stage that runs, or did: in the query's memory. */
struct stage_run {
    struct query_run *q;
    struct query_stage *stage;
    pthread_t thread;
    bool ended; /* the rest is set */
    struct stage_stats stats;
    int32_t shuffle_id;
    struct err err;
    enum errc rc;
};

struct loop {
    struct query_run *q;
    struct adaptive plan;
    struct phys *shown;           /* PHYS_ADAPTIVE */
    struct query_stage **pending; /* not known to be done, as they are taken in */
    uint32_t n_pending, cap_pending;
    struct stage_run **started; /* by this loop */
    uint32_t n_started, cap_started;
};

/* ---- stages ---- */

static void measure(struct stage_run *r)
{
    struct query_run *q = r->q;
    const struct phys *exchange = r->stage->exchange;
    const struct input *in = query_input(q, exchange);
    struct stage_stats *st = &r->stats;

    if (in->broadcast) {
        st->broadcast = true;
        st->data_bytes = in->broadcast->data_bytes;
        st->rows = in->broadcast->rows_n;
        return;
    }
    r->shuffle_id = shuffle_id_of(in->shuffle);
    st->rows = shuffle_rows(in->shuffle);
    st->data_bytes = metric_total(q, exchange, "data_bytes");
    pthread_mutex_lock(&q->lock);
    shuffle_stats(in->shuffle, &q->arena, &st->map_reduce_bytes, &st->reduce_bytes,
                  &st->n_maps, &st->n_reducers);
    pthread_mutex_unlock(&q->lock);
}

static void *stage_main(void *arg)
{
    struct stage_run *r = arg;

    r->rc = drive_materialise(r->q, r->stage->exchange, &r->err);
    if (r->rc == ERR_OK)
        measure(r);
    pthread_mutex_lock(&r->q->stage_lock);
    r->ended = true;
    pthread_cond_broadcast(&r->q->stage_ended);
    pthread_mutex_unlock(&r->q->stage_lock);
    return NULL;
}

static bool goes_before(const struct query_stage *s, const struct query_stage *other)
{
    bool broadcast = query_exchange_of(s->exchange)->kind == PHYS_BROADCAST;
    bool other_too = query_exchange_of(other->exchange)->kind == PHYS_BROADCAST;

    return broadcast != other_too ? broadcast : s->id < other->id;
}

/* Makes known what runs a stage; under the lock, for others may find it. */
static void add_pending(struct loop *l, struct query_stage *s)
{
    uint32_t at = l->n_pending;
    struct stage_run *r;

    GROW(l->pending, l->n_pending, l->cap_pending);
    for (; at > 0 && goes_before(s, l->pending[at - 1]); at--)
        l->pending[at] = l->pending[at - 1];
    l->pending[at] = s;
    l->n_pending++;
    if (s->reuse_of) {
        s->run = s->reuse_of->run;
        return;
    }
    r = query_alloc(l->q, sizeof *r);
    r->q = l->q;
    r->stage = s;
    s->run = r;
}

static enum errc start(struct loop *l, struct stage_run *r, struct err *err)
{
    if (pthread_create(&r->thread, NULL, stage_main, r)) {
        r->rc = err_set(&r->err, ERR_LIMIT, "no thread for a query stage");
        r->ended = true;
        *err = r->err;
        return r->rc;
    }
    GROW(l->started, l->n_started, l->cap_started);
    l->started[l->n_started++] = r;
    return ERR_OK;
}

/* Takes in the first of the pending stages if it ended: broadcasts first, then in the
 * order of their numbers, one at a time, whatever order they end in. What is known when
 * the rest is planned then does not depend on how fast tasks were, and so neither does
 * the plan. It costs little: jobs get cores in much the same order. Under the lock. */
static bool take_ended(struct loop *l, enum errc *rc, struct err *err)
{
    struct query_stage *s;
    const struct stage_run *r;

    *rc = ERR_OK;
    assert(l->n_pending > 0); /* what is not done was given out */
    s = l->pending[0];
    r = s->run;
    if (!r->ended)
        return false;
    if (r->rc != ERR_OK) {
        *rc = r->rc;
        *err = r->err;
        return true;
    }
    s->stats = r->stats;
    s->shuffle_id = r->shuffle_id;
    s->done = true;
    l->n_pending--;
    memmove(l->pending, l->pending + 1, l->n_pending * sizeof(struct query_stage *));
    return true;
}

/* ---- the plan as shown ---- */

/* The plan as the log and EXPLAIN have it from now on. */
static void show(struct loop *l, struct phys *current, bool final)
{
    struct query_run *q = l->q;

    if (l->shown->children[0]->kind == PHYS_WRITE)
        current = phys_write_again(l->plan.env.arena, l->shown->children[0], current);
    l->shown->children[0] = current;
    l->shown->is_final_plan = final;
    query_register_metrics(q, l->shown);
    if (q->root == l->shown)
        log_sql_adaptive_update(scheduler_log(q->scheduler), q->execution_id, q->root);
    else
        log_sql_metric_updates(scheduler_log(q->scheduler), q->execution_id, l->shown);
}

static void count_read(struct query_run *q, const struct phys *read)
{
    static const char *const keys[] = { "partitions", "partition_bytes", "coalesced",
                                        "skewed", "skewed_splits" };
    const struct stage_stats *s = adaptive_stats(read->children[0]);
    int64_t values[ARRAY_LEN(keys)] = { read->n_specs };

    for (uint32_t i = 0; read->read_kind != AQE_LOCAL && i < read->n_specs; i++) {
        const struct read_spec *r = &read->specs[i];
        bool whole = r->map_to == UINT32_MAX;
        const struct read_spec *before = i ? r - 1 : NULL;

        values[2] += whole && r->to != r->from + 1;
        values[3] += !whole &&
                     !(before && before->map_to != UINT32_MAX && before->from == r->from);
        values[4] += !whole;
        for (uint32_t k = r->from; s && whole && k < r->to; k++)
            values[1] += s->reduce_bytes[k];
        for (uint32_t m = r->map_from; s && !whole && m < r->map_to; m++)
            values[1] += s->map_reduce_bytes[m][r->from];
    }
    driver_count(q, read, ARRAY_LEN(keys), keys, values);
}

static void count_reads(struct query_run *q, const struct phys *p)
{
    if (p->kind == PHYS_AQE_READ)
        count_read(q, p);
    for (uint32_t i = 0; p->kind != PHYS_STAGE && i < p->n_children; i++)
        count_reads(q, p->children[i]);
}

/* ---- the loop ---- */

/* Under the lock; new stages are pending, those to start in *out. */
static bool find_stages(struct loop *l, struct stage_run ***out, uint32_t *n_out)
{
    struct query_stage **new;
    uint32_t n;
    bool done = adaptive_cut(&l->plan, &new, &n);

    *n_out = 0;
    *out = query_alloc(l->q, (n + 1) * sizeof **out);
    for (uint32_t i = 0; i < n; i++) {
        add_pending(l, new[i]);
        if (!new[i]->reuse_of)
            (*out)[(*n_out)++] = new[i]->run;
    }
    if (n)
        show(l, l->plan.current, false);
    return done;
}

static enum errc one_round(struct loop *l, bool *done, struct err *err)
{
    struct stage_run **new;
    enum errc rc = ERR_OK, failed;
    uint32_t n;

    *done = find_stages(l, &new, &n);
    if (*done)
        return ERR_OK;
    for (uint32_t i = 0; i < n && rc == ERR_OK; i++) {
        count_reads(l->q, new[i]->stage->exchange);
        rc = start(l, new[i], err);
    }
    while (rc == ERR_OK && !take_ended(l, &failed, err))
        pthread_cond_wait(&l->q->stage_ended, &l->q->stage_lock);
    if (rc == ERR_OK)
        rc = failed;
    return rc == ERR_OK ? adaptive_replan(&l->plan, err) : rc;
}

static enum errc run_stages(struct loop *l, struct phys **out, struct err *err)
{
    enum errc rc = ERR_OK;
    bool done = false;

    pthread_mutex_lock(&l->q->stage_lock);
    while (rc == ERR_OK && !done)
        rc = one_round(l, &done, err);
    if (rc == ERR_OK) {
        *out = adaptive_final(&l->plan);
        show(l, *out, true);
        count_reads(l->q, *out);
    }
    pthread_mutex_unlock(&l->q->stage_lock);
    return rc;
}

static void end_loop(struct loop *l)
{
    for (uint32_t i = 0; i < l->n_started; i++)
        pthread_join(l->started[i]->thread, NULL);
    free(l->started);
    free(l->pending);
}

enum errc drive_adaptive(struct query_run *q, struct phys *adaptive, struct phys **out,
                         struct err *err)
{
    struct arena *arena = query_alloc(q, sizeof *arena); /* kept with the query */
    struct loop l = { .q = q, .shown = adaptive };
    enum errc rc;

    query_keep_arena(q, arena);
    l.plan.env = (struct planner_env){ .arena = arena,
                                       .settings = q->settings,
                                       .cores = scheduler_cores(q->scheduler) };
    l.plan.rewrite =
        (struct rewrite_env){ .arena = arena, .settings = q->settings, .eval = &q->eval };
    adaptive_init(&l.plan, adaptive, &q->stages);
    rc = run_stages(&l, out, err);
    end_loop(&l);
    return rc;
}
