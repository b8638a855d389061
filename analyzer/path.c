/* The critical path, walked backwards from the end of the application.
 *
 *     app start                                                          app end
 *     |startup| planning | wait | stage 0 | planning | stage 3 | ... | shutdown |
 *
 * The last stage to end is on the path. What it waited for is, of all it depends on,
 * what ended last before it was submitted: its lineage parents, an earlier attempt of
 * its own, and whatever of the same chain came before; a chain is an SQL execution with
 * those nested in it, or a job outside of any. A stage whose parents ran in the same job
 * waited for those alone: the scheduler submits it when they end. A stage with none of
 * these, the first of its chain, waited for the last stage that ended at all; but where
 * that one belongs to another job group whose work ran beside this group's, for the last
 * one of its own group. What lies between the two is the driver's: planning inside an
 * SQL execution, driver code outside. Each step goes back in time, for stages that took
 * no time are left out; so the walk ends.
 *
 * A stage that had to queue, because other stages held every slot until its first task
 * began, did not wait for the driver or its parents but for those others: the path goes
 * back through the one that let the slot go (a resource dependency). So a busy cluster
 * shows as the work that kept it busy, and "queueing" is what is left where no such
 * stage is found.
 *
 * Slack of the stages beside the path is found over the same edges, forwards: a stage
 * could have ended as late as the one that its successor did wait for, and that much
 * later than it as the successor has slack itself. */
#include "analyzer/path.h"

#include "base/mem.h"

#include <stdlib.h>

#define NO_GROUP 0
#define LAUNCH_MS 100     /* from a slot's release to the next task on it, generously */
#define STARVED_MS 1000   /* without a task for so long, a stage has not really begun */
#define HOLDERS_LIMIT 256 /* stages at work at one moment that are looked at */

struct node { /* a stage attempt that took time */
    uint32_t ix;
    int64_t start_ms, work_ms, end_ms; /* work_ms: it was let to work */
    uint32_t chain;
};

/* Work that one driver thread submitted, as far as the log tells: of an SQL execution,
 * with those nested in it, of a job outside of any, or a stage without a job. */
struct chain {
    uint32_t group; /* of its jobs, by first appearance; NO_GROUP */
    bool used, sql;
    int64_t start_ms, end_ms; /* of its stages */
    /* Slack: a later chain waited for what had ended here by waited_ms; that could have
     * gone on until deadline_ms. INT64_MAX: nobody waited. */
    int64_t waited_ms, deadline_ms;
};

struct span {
    int64_t start_ms, end_ms, sql_id;
};

struct path {
    const struct app *app;
    const struct lineage *lineage;
    const struct timeline *t;
    struct node *by_end, *by_chain; /* by end; by (chain, end) */
    size_t n;
    struct chain *chains;           /* positions: SQL executions, jobs, stages */
    struct node *by_group;          /* of chains in a group, by (group, end); group as chain */
    size_t n_by_group;
    uint32_t *node_of;              /* stage ix -> position in by_end, IX_NONE */
    bool *queued;                   /* per stage: others held all slots until work_ms */
    struct span *cover;             /* SQL executions, without overlap, ascending */
    size_t n_cover;
    struct segment *segments;       /* latest first while walking */
    size_t n_segments, cap_segments;
};

/* --- nodes -------------------------------------------------------------------------------- */

static int by_end(const void *x, const void *y)
{
    const struct node *a = x, *b = y;

    if (a->end_ms != b->end_ms)
        return a->end_ms < b->end_ms ? -1 : 1;
    return a->ix < b->ix ? -1 : a->ix > b->ix;
}

static int by_chain(const void *x, const void *y)
{
    const struct node *a = x, *b = y;

    if (a->chain != b->chain)
        return a->chain < b->chain ? -1 : 1;
    return by_end(x, y);
}

static uint32_t chain_of(const struct app *app, uint32_t ix)
{
    const struct stage *s = &app->stages[ix];
    uint32_t sql_ix = s->sql_execution_id == APP_NONE ? IX_NONE
                                                      : app_sql_ix(app, s->sql_execution_id);

    if (sql_ix != IX_NONE) {
        uint32_t root_ix = app_sql_ix(app, app->sqls[sql_ix].root_id);

        return root_ix == IX_NONE ? sql_ix : root_ix;
    }
    if (s->ran_for_job_ix != IX_NONE)
        return (uint32_t)app->n_sqls + s->ran_for_job_ix;
    return (uint32_t)(app->n_sqls + app->n_jobs) + ix;
}

/* Where a stage's first task found every slot taken until the moment it began, and
 * where a stage that had begun was left without a running task for long, for the same
 * reason: what matters is when it was let to work for good, so the last such moment is
 * its work_ms. */
static void find_queued(struct path *p, int64_t *work_ms)
{
    const struct timeline *t = p->t;
    struct {
        int64_t used, cores, last_full_ms;
    } *pools = xcalloc(t->n_pools, sizeof *pools), *pool;
    uint32_t *running_of = xcalloc(p->app->n_stages, sizeof *running_of);
    int64_t *idle_since_ms = xcalloc(p->app->n_stages, sizeof *idle_since_ms);

    p->queued = xcalloc(p->app->n_stages, sizeof *p->queued);
    for (uint32_t i = 0; i < t->n_pools; i++)
        pools[i].last_full_ms = INT64_MIN / 2;
    for (size_t i = 0; i < t->n; i++) {
        const struct moment *m = &t->moments[i];
        bool of_executor = m->step == STEP_EXECUTOR_GONE || m->step == STEP_EXECUTOR_CAME;
        uint32_t ix = m->stage_ix;

        pool = &pools[of_executor ? ix : t->pool_of[ix]];
        if (pool->used > 0 && pool->used >= pool->cores)
            pool->last_full_ms = m->at_ms; /* it was full until now */
        switch (m->step) {
        case STEP_TASK_END:
            pool->used -= t->cpus_of[ix];
            if (--running_of[ix] == 0)
                idle_since_ms[ix] = m->at_ms;
            break;
        case STEP_EXECUTOR_GONE:
            pool->cores -= m->count;
            break;
        case STEP_EXECUTOR_CAME:
            pool->cores += m->count;
            break;
        case STEP_STAGE_READY:
            idle_since_ms[ix] = m->at_ms;
            break;
        case STEP_TASK_START:
            if (running_of[ix]++ == 0 && m->at_ms - pool->last_full_ms <= LAUNCH_MS &&
                (work_ms[ix] == APP_NONE || m->at_ms - idle_since_ms[ix] >= STARVED_MS)) {
                work_ms[ix] = m->at_ms;
                p->queued[ix] = pool->last_full_ms > idle_since_ms[ix];
            } else if (work_ms[ix] == APP_NONE) {
                work_ms[ix] = m->at_ms;
            }
            pool->used += t->cpus_of[ix];
            break;
        }
    }
    free(pools);
    free(running_of);
    free(idle_since_ms);
}

/* Times and groups of the chains. Job groups are interned: equal ones are one text. */
static void collect_chains(struct path *p)
{
    size_t n_chains = p->app->n_sqls + p->app->n_jobs + p->app->n_stages;
    struct map groups = { 0 };

    p->chains = xcalloc(n_chains, sizeof *p->chains);
    p->by_group = xmalloc(mem_product(p->n, sizeof *p->by_group));
    for (size_t i = 0; i < p->n; i++) {
        const struct node *n = &p->by_end[i];
        struct chain *c = &p->chains[n->chain];
        uint32_t job_ix = p->app->stages[n->ix].ran_for_job_ix;

        if (!c->used)
            *c = (struct chain){ NO_GROUP, true, n->chain < p->app->n_sqls, n->start_ms,
                                 n->end_ms, INT64_MAX, INT64_MAX };
        c->start_ms = min_i64(c->start_ms, n->start_ms);
        c->end_ms = max_i64(c->end_ms, n->end_ms);
        if (job_ix == IX_NONE || p->app->jobs[job_ix].group.len == 0)
            continue;
        int64_t key = (int64_t)(intptr_t)p->app->jobs[job_ix].group.p;
        if (map_get(&groups, key) == MAP_NONE)
            map_put(&groups, key, groups.n + 1);
        c->group = map_get(&groups, key);
        p->by_group[p->n_by_group] = *n;
        p->by_group[p->n_by_group++].chain = c->group;
    }
    if (p->n_by_group)
        qsort(p->by_group, p->n_by_group, sizeof *p->by_group, by_chain);
    map_release(&groups);
}

static void collect_nodes(struct path *p)
{
    int64_t *work_ms = xmalloc(mem_product(p->app->n_stages, sizeof *work_ms));

    for (uint32_t ix = 0; ix < p->app->n_stages; ix++)
        work_ms[ix] = APP_NONE;
    find_queued(p, work_ms);
    p->by_end = xmalloc(mem_product(p->app->n_stages, sizeof *p->by_end));
    p->by_chain = xmalloc(mem_product(p->app->n_stages, sizeof *p->by_chain));
    p->node_of = xmalloc(mem_product(p->app->n_stages, sizeof *p->node_of));
    for (uint32_t ix = 0; ix < p->app->n_stages; ix++) {
        struct node n = { .ix = ix };

        p->node_of[ix] = IX_NONE;
        if (!timeline_stage_span(p->t, &p->app->stages[ix], &n.start_ms, &n.end_ms) ||
            n.end_ms <= n.start_ms)
            continue;
        n.chain = chain_of(p->app, ix);
        /* no task is known: nothing tells waiting from working */
        n.work_ms = work_ms[ix] == APP_NONE ? n.start_ms : work_ms[ix];
        n.work_ms = min_i64(max_i64(n.work_ms, n.start_ms), n.end_ms);
        p->by_end[p->n] = p->by_chain[p->n] = n;
        p->n++;
    }
    if (p->n) {
        qsort(p->by_end, p->n, sizeof *p->by_end, by_end);
        qsort(p->by_chain, p->n, sizeof *p->by_chain, by_chain);
    }
    for (uint32_t i = 0; i < p->n; i++)
        p->node_of[p->by_end[i].ix] = i;
    free(work_ms);
}

/* Last of v[0, n) that is not after the key in the given order; NULL: none. */
static const struct node *last_before(const struct node *v, size_t n, const struct node *key,
                                      int (*order)(const void *, const void *))
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (order(&v[mid], key) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? &v[low - 1] : NULL;
}

static const struct node *later(const struct node *a, const struct node *b)
{
    if (!a || !b)
        return a ? a : b;
    return by_end(a, b) >= 0 ? a : b;
}

/* Node of a stage if it ended by the given time. */
static const struct node *ended_by(const struct path *p, uint32_t ix, int64_t ms)
{
    uint32_t at = p->node_of[ix];

    return at != IX_NONE && p->by_end[at].end_ms <= ms ? &p->by_end[at] : NULL;
}

static bool overlap(const struct chain *a, const struct chain *b)
{
    return a->start_ms < b->end_ms && b->start_ms < a->end_ms;
}

static const struct chain *chain_at(const struct path *p, const struct node *n)
{
    return &p->chains[p->by_end[p->node_of[n->ix]].chain];
}

/* The last stage that ended before the node began, of its job group where groups are
 * seen to work beside each other. */
static const struct node *last_of_all(const struct path *p, const struct node *n)
{
    struct node key = { .ix = IX_NONE, .end_ms = n->start_ms };
    const struct node *any = last_before(p->by_end, p->n, &key, by_end);

    key.chain = p->chains[n->chain].group;
    if (!any || key.chain == NO_GROUP || p->chains[any->chain].group == key.chain)
        return any;
    const struct node *same = last_before(p->by_group, p->n_by_group, &key, by_chain);
    if (!same || same->chain != key.chain || !overlap(chain_at(p, same), &p->chains[any->chain]))
        return any;
    return &p->by_end[p->node_of[same->ix]];
}

/* The last stage of the chain that ended before the node began; where a job outside of
 * SQL came after it, of the same group and not beside it, that one: the driver can run
 * jobs of its own while it prepares a query. */
static const struct node *last_of_chain(const struct path *p, const struct node *n)
{
    struct node key = { .ix = IX_NONE, .end_ms = n->start_ms, .chain = n->chain };
    const struct node *best = last_before(p->by_chain, p->n, &key, by_chain);
    const struct node *any = last_of_all(p, n);

    if (!best || best->chain != n->chain)
        return any;
    best = &p->by_end[p->node_of[best->ix]];
    const struct chain *other = any ? &p->chains[any->chain] : NULL;
    if (other && !other->sql && other->group == p->chains[n->chain].group &&
        other->start_ms >= best->end_ms)
        return later(best, any);
    return best;
}

/* What the node waited for; NULL: for nothing that ran. */
static const struct node *before(const struct path *p, const struct node *n, bool *by_job)
{
    uint32_t job_ix = p->app->stages[n->ix].ran_for_job_ix;
    const struct node *best = NULL;
    bool in_job = false;

    for (uint32_t i = p->lineage->first[n->ix]; i < p->lineage->first[n->ix + 1]; i++) {
        const struct link *k = &p->lineage->links[i];
        const struct node *from = ended_by(p, k->from_ix, n->start_ms);

        best = later(best, from);
        in_job |= from && k->via == VIA_SHUFFLE && job_ix != IX_NONE &&
                  p->app->stages[k->from_ix].ran_for_job_ix == job_ix;
    }
    if (n->ix > 0 && p->app->stages[n->ix - 1].stage_id == p->app->stages[n->ix].stage_id)
        best = later(best, ended_by(p, n->ix - 1, n->start_ms));
    if (by_job)
        *by_job = in_job;
    return in_job ? best : later(best, last_of_chain(p, n));
}

static void find_waits(const struct path *p, struct stage_path *stages)
{
    for (uint32_t ix = 0; ix < p->app->n_stages; ix++) {
        struct node n = { .ix = ix, .chain = chain_of(p->app, ix) };
        const struct node *w = NULL;

        if (timeline_stage_span(p->t, &p->app->stages[ix], &n.start_ms, &n.end_ms))
            w = before(p, &n, &stages[ix].waited_in_job);
        stages[ix].waited_ix = w ? w->ix : IX_NONE;
        stages[ix].chain = n.chain;
    }
}

/* --- the driver's time ------------------------------------------------------------------------ */

static int by_start(const void *x, const void *y)
{
    const struct span *a = x, *b = y;

    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return a->sql_id < b->sql_id ? -1 : a->sql_id > b->sql_id;
}

/* When the execution ended; one without an end in a log that has one, with its jobs. */
static int64_t sql_end_ms(const struct path *p, const struct sql *q)
{
    int64_t end_ms = q->submitted_ms;

    if (q->completed_ms != APP_NONE)
        return q->completed_ms;
    if (!p->app->finished)
        return p->t->end_ms;
    for (size_t i = 0; i < q->n_jobs; i++)
        end_ms = max_i64(end_ms, p->app->jobs[q->job_ixs[i]].completed_ms);
    return end_ms;
}

/* Where executions overlap, the time is the one's that began first. */
static void cover_with_sql(struct path *p)
{
    struct span *spans = xmalloc(mem_product(p->app->n_sqls, sizeof *spans));
    int64_t until_ms = p->t->start_ms;
    size_t n = 0;

    app_each_sql(p->app, q)
    {
        if (q->submitted_ms == APP_NONE)
            continue;
        int64_t end_ms = sql_end_ms(p, q);

        spans[n++] = (struct span){ max_i64(q->submitted_ms, p->t->start_ms),
                                    min_i64(end_ms, p->t->end_ms), q->execution_id };
    }
    if (n)
        qsort(spans, n, sizeof *spans, by_start);
    for (size_t i = 0; i < n; i++) {
        spans[i].start_ms = max_i64(spans[i].start_ms, until_ms);
        if (spans[i].end_ms <= spans[i].start_ms)
            continue;
        until_ms = spans[i].end_ms;
        spans[p->n_cover++] = spans[i];
    }
    p->cover = spans;
}

static void add_segment(struct path *p, const struct segment *s)
{
    if (s->end_ms <= s->start_ms)
        return;
    GROW(p->segments, p->n_segments, p->cap_segments);
    p->segments[p->n_segments++] = *s;
}

static void add_driver(struct path *p, int64_t start_ms, int64_t end_ms, enum wall_entry entry,
                       int64_t sql_id)
{
    struct segment s = { .kind = SEGMENT_DRIVER,
                         .start_ms = start_ms,
                         .end_ms = end_ms,
                         .stage_ix = IX_NONE,
                         .sql_execution_id = sql_id };

    s.ms[entry] = end_ms - start_ms;
    add_segment(p, &s);
}

/* Time outside SQL executions: before the first executor, after the last job, between. */
static void add_outside(struct path *p, int64_t start_ms, int64_t end_ms)
{
    int64_t executor_ms = p->t->first_executor_ms, last_ms = p->t->last_job_ms;
    int64_t ready_ms = executor_ms == APP_NONE ? start_ms : max_i64(start_ms, executor_ms);
    int64_t over_ms = last_ms == APP_NONE ? end_ms : min_i64(end_ms, last_ms);

    ready_ms = min_i64(ready_ms, end_ms);
    over_ms = max_i64(over_ms, ready_ms);
    add_driver(p, over_ms, end_ms, WALL_SHUTDOWN, APP_NONE);
    add_driver(p, ready_ms, over_ms, WALL_DRIVER_CODE, APP_NONE);
    add_driver(p, start_ms, ready_ms, WALL_STARTUP, APP_NONE);
}

/* A gap on the path, latest piece first. Where the stage after it (NULL: none) belongs to
 * an execution that was open by then, the gap is that one's as far as it reaches. */
static void add_gap(struct path *p, int64_t start_ms, int64_t end_ms, const struct node *after)
{
    uint32_t sql_ix = after ? app_sql_ix(p->app, p->app->stages[after->ix].sql_execution_id)
                            : IX_NONE;
    size_t low = 0, high = p->n_cover;

    if (sql_ix != IX_NONE && end_ms > start_ms) {
        const struct sql *q = &p->app->sqls[sql_ix];
        int64_t own_ms = max_i64(start_ms, q->submitted_ms);

        if (q->submitted_ms != APP_NONE && own_ms < end_ms && sql_end_ms(p, q) >= end_ms) {
            add_driver(p, own_ms, end_ms, WALL_PLANNING, q->execution_id);
            end_ms = own_ms;
        }
    }
    while (low < high) { /* first execution that begins at or after the gap's end */
        size_t mid = low + (high - low) / 2;

        if (p->cover[mid].start_ms < end_ms)
            low = mid + 1;
        else
            high = mid;
    }
    while (end_ms > start_ms && low > 0 && p->cover[low - 1].end_ms > start_ms) {
        const struct span *c = &p->cover[--low];
        int64_t inside_end_ms = min_i64(end_ms, c->end_ms);
        int64_t inside_start_ms = max_i64(start_ms, c->start_ms);

        add_outside(p, inside_end_ms, end_ms);
        add_driver(p, inside_start_ms, inside_end_ms, WALL_PLANNING, c->sql_id);
        end_ms = inside_start_ms;
    }
    add_outside(p, start_ms, end_ms);
}

/* --- the walk ------------------------------------------------------------------------------------- */

/* Who held the slots until the node was let to work: a stage at work at that
 * moment, else the last one that ended while the node waited; NULL: none. */
static const struct node *holder(const struct path *p, const struct node *n)
{
    struct node key = { .ix = IX_NONE, .end_ms = n->work_ms - 1 };
    const struct node *before = last_before(p->by_end, p->n, &key, by_end);
    size_t at = before ? (size_t)(before - p->by_end) + 1 : 0;

    for (size_t i = at; i < p->n && i < at + HOLDERS_LIMIT; i++)
        if (p->by_end[i].work_ms < n->work_ms && p->by_end[i].ix != n->ix)
            return &p->by_end[i];
    return before && before->end_ms > n->start_ms ? before : NULL;
}

static void add_stage(struct path *p, const struct node *n, int64_t start_ms, int64_t end_ms)
{
    int64_t work_ms = min_i64(n->work_ms, end_ms);
    struct segment s = { .kind = SEGMENT_STAGE,
                         .start_ms = work_ms,
                         .end_ms = end_ms,
                         .stage_ix = n->ix,
                         .sql_execution_id = APP_NONE };

    add_segment(p, &s);
    s.kind = SEGMENT_WAIT;
    s.start_ms = start_ms;
    s.end_ms = work_ms;
    add_segment(p, &s);
}

static void walk_back(struct path *p, struct stage_path *stages)
{
    const struct node *n = p->n ? &p->by_end[p->n - 1] : NULL, *after = NULL;
    int64_t at_ms = p->t->end_ms;

    while (n) {
        int64_t end_ms = min_i64(n->end_ms, at_ms);
        const struct node *held =
            n->work_ms > n->start_ms && p->queued[n->ix] ? holder(p, n) : NULL;

        add_gap(p, end_ms, at_ms, after);
        stages[n->ix].critical = true;
        at_ms = n->start_ms;
        if (held) /* what lies between its end and our first task is still our wait */
            at_ms = min_i64(held->end_ms, n->work_ms);
        add_stage(p, n, at_ms, end_ms);
        after = n;
        n = held ? held : before(p, n, NULL);
    }
    add_gap(p, p->t->start_ms, at_ms, after);
}

/* Latest start first: by then the slack of all that depends on a node is known. */
static int latest_first(const void *x, const void *y)
{
    const struct node *a = x, *b = y;

    if (a->start_ms != b->start_ms)
        return a->start_ms > b->start_ms ? -1 : 1;
    return a->ix > b->ix ? -1 : a->ix < b->ix;
}

/* From could have ended as late as the one that `to` waited for did, and as much later
 * as `to` could have. */
static void give_slack(struct stage_path *stages, const struct node *from,
                       const struct node *to, const struct node *waited_for)
{
    if (from && waited_for) {
        int64_t slack_ms = waited_for->end_ms - from->end_ms + stages[to->ix].slack_ms;

        stages[from->ix].slack_ms =
            min_i64(stages[from->ix].slack_ms, max_i64(0, slack_ms));
    }
}

/* A chain that begins after another one waited for all of it, not only for its last. */
static void give_chain_slack(struct path *p, const struct stage_path *stages,
                             const struct node *to, const struct node *waited_for)
{
    struct chain *c = &p->chains[waited_for->chain];
    int64_t deadline_ms = waited_for->end_ms + stages[to->ix].slack_ms;

    if (waited_for->chain != to->chain && deadline_ms < c->deadline_ms) {
        c->deadline_ms = deadline_ms;
        c->waited_ms = waited_for->end_ms;
    }
}

static void find_slack(struct path *p, struct stage_path *stages)
{
    struct node *order = xmalloc(mem_product(p->n, sizeof *order));
    int64_t end_ms = p->n ? p->by_end[p->n - 1].end_ms : 0;

    for (size_t i = 0; i < p->n; i++) {
        order[i] = p->by_end[i];
        stages[order[i].ix].slack_ms = end_ms - order[i].end_ms;
    }
    if (p->n)
        qsort(order, p->n, sizeof *order, latest_first);
    for (size_t i = 0; i < p->n; i++) {
        const struct node *n = &order[i], *waited_for = before(p, n, NULL);
        const struct chain *c = &p->chains[n->chain];
        struct stage_path *s = &stages[n->ix];

        if (c->deadline_ms != INT64_MAX && n->end_ms <= c->waited_ms)
            s->slack_ms = min_i64(s->slack_ms, c->deadline_ms - n->end_ms);
        if (s->critical)
            s->slack_ms = 0;
        if (!waited_for)
            continue;
        give_chain_slack(p, stages, n, waited_for);
        give_slack(stages, waited_for, n, waited_for);
        for (uint32_t k = p->lineage->first[n->ix]; k < p->lineage->first[n->ix + 1]; k++)
            give_slack(stages, ended_by(p, p->lineage->links[k].from_ix, n->start_ms), n,
                       waited_for);
    }
    free(order);
}

void path_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                const struct timeline *t, struct arena *arena)
{
    struct path p = { .app = app, .lineage = lineage, .t = t };

    l->stages = arena_array(arena, app->n_stages, sizeof *l->stages);
    collect_nodes(&p);
    collect_chains(&p);
    cover_with_sql(&p);
    walk_back(&p, l->stages);
    find_slack(&p, l->stages);
    find_waits(&p, l->stages);
    l->segments = arena_array(arena, p.n_segments, sizeof *l->segments);
    for (size_t i = 0; i < p.n_segments; i++)
        l->segments[i] = p.segments[p.n_segments - 1 - i];
    l->n_segments = p.n_segments;
    free(p.by_end);
    free(p.by_chain);
    free(p.by_group);
    free(p.chains);
    free(p.node_of);
    free(p.queued);
    free(p.cover);
    free(p.segments);
}
