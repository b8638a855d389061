/* Adaptive execution, the part that runs: stages as they become ready, each a job in a
 * thread of its own; after each the plan is made anew from what was measured. Decisions:
 * plan/adaptive.h. */
#include "engine/plan/adaptive.h"

#include "engine/run/query_run.h"

#include "base/mem.h"

#include <stdlib.h>

struct stage_thread {
    struct loop *loop;
    struct query_stage *stage;
    pthread_t thread;
    bool ended, taken;
    struct err err;
    enum errc rc;
};

struct loop {
    struct query_run *q;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct stage_thread **threads;
    uint32_t n, cap;
};

static void *stage_main(void *arg)
{
    struct stage_thread *t = arg;

    t->rc = drive_materialise(t->loop->q, t->stage->exchange, &t->err);
    pthread_mutex_lock(&t->loop->lock);
    t->ended = true;
    pthread_cond_signal(&t->loop->ended);
    pthread_mutex_unlock(&t->loop->lock);
    return NULL;
}

static enum errc start_stage(struct loop *l, struct query_stage *s, struct err *err)
{
    struct stage_thread *t;

    s->submitted = true;
    if (s->reuse_of)
        return ERR_OK;
    t = xcalloc(1, sizeof *t);
    t->loop = l;
    t->stage = s;
    if (pthread_create(&t->thread, NULL, stage_main, t)) {
        free(t);
        return err_set(err, ERR_LIMIT, "no thread for a query stage");
    }
    GROW(l->threads, l->n, l->cap);
    l->threads[l->n++] = t;
    return ERR_OK;
}

static void measure(struct query_run *q, struct query_stage *s)
{
    const struct input *in = query_input(q, s->exchange);
    struct stage_stats *st = &s->stats;

    s->done = true;
    if (in->broadcast) {
        st->broadcast = true;
        st->data_bytes = in->broadcast->data_bytes;
        st->rows = in->broadcast->rows_n;
        return;
    }
    s->shuffle_id = shuffle_id_of(in->shuffle);
    st->rows = shuffle_rows(in->shuffle);
    st->data_bytes = metric_total(q, s->exchange, "data_bytes");
    pthread_mutex_lock(&q->lock);
    shuffle_stats(in->shuffle, &q->arena, &st->map_reduce_bytes, &st->reduce_bytes,
                  &st->n_maps, &st->n_reducers);
    pthread_mutex_unlock(&q->lock);
}

/* Waits for one stage at least, takes in all that ended. False: none was running. */
static bool wait_some(struct loop *l, enum errc *rc, struct err *err)
{
    uint32_t running = 0, took = 0;

    *rc = ERR_OK;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        running = 0;
        for (uint32_t i = 0; i < l->n; i++) {
            struct stage_thread *t = l->threads[i];

            if (t->taken)
                continue;
            if (!t->ended) {
                running++;
                continue;
            }
            t->taken = true;
            took++;
            if (t->rc != ERR_OK && *rc == ERR_OK) {
                *rc = t->rc;
                *err = t->err;
            }
        }
        if (took || !running)
            break;
        pthread_cond_wait(&l->ended, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    for (uint32_t i = 0; i < l->n && *rc == ERR_OK; i++)
        if (l->threads[i]->taken && !l->threads[i]->stage->done)
            measure(l->q, l->threads[i]->stage);
    return took > 0;
}

static void end_loop(struct loop *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        pthread_join(l->threads[i]->thread, NULL);
        free(l->threads[i]);
    }
    free(l->threads);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->ended);
}

static void reused_are_done(struct query_stage **all, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (all[i]->reuse_of && all[i]->reuse_of->done && !all[i]->done) {
            all[i]->stats = all[i]->reuse_of->stats;
            all[i]->shuffle_id = all[i]->reuse_of->shuffle_id;
            all[i]->done = true;
        }
}

/* The plan as the log and EXPLAIN have it from now on. */
static void show(struct query_run *q, struct phys *adaptive, struct phys *current,
                 bool final)
{
    adaptive->children[0] = current;
    adaptive->is_final_plan = final;
    query_register_metrics(q, adaptive);
    if (q->root == adaptive)
        log_sql_adaptive_update(scheduler_log(q->scheduler), q->execution_id, adaptive);
    else
        log_sql_metric_updates(scheduler_log(q->scheduler), q->execution_id, adaptive);
}

static bool all_done(struct query_stage **all, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!all[i]->done)
            return false;
    return true;
}

struct planning {
    struct planner_env env;
    struct rewrite_env rewrite;
    struct arena arena; /* kept with the query */
};

static enum errc run_stages(struct loop *l, struct planning *p, struct phys *adaptive,
                            struct phys **out, struct err *err)
{
    struct phys *current = adaptive->children[0];
    struct plan *logical = (struct plan *)(uintptr_t)adaptive->logical;
    struct query_stage **all = NULL;
    uint32_t n = 0, before = 0;

    for (;;) {
        enum errc rc;

        current = adaptive_new_stages(&p->env, current, &all, &n);
        if (n > before)
            show(l->q, adaptive, current, false);
        for (; before < n; before++)
            TRY(start_stage(l, all[before], err));
        reused_are_done(all, n);
        if (all_done(all, n))
            break;
        (void)wait_some(l, &rc, err);
        if (rc != ERR_OK)
            return rc;
        reused_are_done(all, n);
        TRY(adaptive_replan(&p->env, &p->rewrite, logical, current, &logical, &current,
                            err));
    }
    *out = adaptive_stage_plan(&p->env, current, true);
    return ERR_OK;
}

enum errc drive_adaptive(struct query_run *q, struct phys *adaptive, struct phys **out,
                         struct err *err)
{
    struct planning *p = query_alloc(q, sizeof *p);
    struct loop l = { .q = q };
    enum errc rc;

    query_keep_arena(q, &p->arena);
    p->env = (struct planner_env){ .arena = &p->arena,
                                   .settings = q->settings,
                                   .cores = scheduler_cores(q->scheduler) };
    p->rewrite = (struct rewrite_env){ .arena = &p->arena,
                                       .settings = q->settings,
                                       .eval = &q->eval };
    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.ended, NULL);
    rc = drive_subqueries(q, adaptive->children[0], err);
    if (rc == ERR_OK)
        rc = run_stages(&l, p, adaptive, out, err);
    end_loop(&l);
    if (rc == ERR_OK)
        show(q, adaptive, *out, true);
    return rc;
}
