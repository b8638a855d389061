/* The critical path, walked backwards from the end of the application.
 *
 *     app start                                                          app end
 *     |startup| planning | wait | stage 0 | planning | stage 3 | ... | shutdown |
 *
 * The last stage to end is on the path. What it waited for is, of all it depends on,
 * what ended last before it was submitted: its lineage parents, an earlier attempt of
 * its own, and whatever of the same chain (the same SQL execution, else the same job
 * group, else the jobs that have neither) came before. A stage with none of these
 * waited for the last stage that ended at all. What lies between the two is the
 * driver's: planning inside an SQL execution, driver code outside. Each step goes back
 * in time, for stages that took no time are left out; so the walk ends.
 *
 * A stage that had to queue, because other stages held every slot until its first task
 * began, did not wait for the driver or its parents but for those others: the path goes
 * back through the one that let the slot go (a resource dependency). So a busy cluster
 * shows as the work that kept it busy, and "queueing" is what is left where no such
 * stage is found.
 *
 * Slack of the stages beside the path is found over the same edges, forwards. */
#include "analyzer/path.h"

#include "base/mem.h"

#include <stdlib.h>

#define NO_CHAIN INT64_C(-1)
#define LAUNCH_MS 100     /* from a slot's release to the next task on it, generously */
#define STARVED_MS 1000   /* without a task for so long, a stage has not really begun */
#define HOLDERS_LIMIT 256 /* stages at work at one moment that are looked at */

struct node { /* a stage attempt that took time */
    uint32_t ix;
    int64_t start_ms, work_ms, end_ms; /* work_ms: it was let to work */
    int64_t chain;
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

/* The driver thread that submitted the stage, as far as the log tells. Job groups are
 * interned, so their address names them; it only has to differ from SQL ids. */
static int64_t chain_of(const struct app *app, const struct stage *s)
{
    uint32_t sql_ix = s->sql_execution_id == APP_NONE ? IX_NONE
                                                      : app_sql_ix(app, s->sql_execution_id);

    if (sql_ix != IX_NONE)
        return app->sqls[sql_ix].root_id;
    if (s->ran_for_job_ix != IX_NONE && app->jobs[s->ran_for_job_ix].group.len)
        return INT64_MIN / 2 + (int64_t)(sv_hash(app->jobs[s->ran_for_job_ix].group) >> 8);
    return NO_CHAIN;
}

/* Where a stage's first task found every slot taken until the moment it began, and
 * where a stage that had begun was left without a running task for long, for the same
 * reason: what matters is when it was let to work for good, so the last such moment is
 * its work_ms. */
static void find_queued(struct path *p, int64_t *work_ms)
{
    const struct timeline *t = p->t;
    int64_t running = 0, cores = 0, last_full_ms = INT64_MIN / 2;
    uint32_t *running_of = xcalloc(p->app->n_stages, sizeof *running_of);
    int64_t *idle_since_ms = xcalloc(p->app->n_stages, sizeof *idle_since_ms);

    p->queued = xcalloc(p->app->n_stages, sizeof *p->queued);
    for (size_t i = 0; i < t->n; i++) {
        const struct moment *m = &t->moments[i];
        uint32_t ix = m->stage_ix;

        if (running > 0 && running * t->task_cpus >= cores)
            last_full_ms = m->at_ms; /* it was full until now */
        switch (m->step) {
        case STEP_TASK_END:
            running--;
            if (--running_of[ix] == 0)
                idle_since_ms[ix] = m->at_ms;
            break;
        case STEP_EXECUTOR_GONE:
            cores -= m->count;
            break;
        case STEP_EXECUTOR_CAME:
            cores += m->count;
            break;
        case STEP_STAGE_READY:
            idle_since_ms[ix] = m->at_ms;
            break;
        case STEP_TASK_START:
            if (running_of[ix]++ == 0 && m->at_ms - last_full_ms <= LAUNCH_MS &&
                (work_ms[ix] == APP_NONE || m->at_ms - idle_since_ms[ix] >= STARVED_MS)) {
                work_ms[ix] = m->at_ms;
                p->queued[ix] = last_full_ms > idle_since_ms[ix];
            } else if (work_ms[ix] == APP_NONE) {
                work_ms[ix] = m->at_ms;
            }
            running++;
            break;
        }
    }
    free(running_of);
    free(idle_since_ms);
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
        n.chain = chain_of(p->app, &p->app->stages[ix]);
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

/* What the node waited for; NULL: for nothing that ran. */
static const struct node *before(const struct path *p, const struct node *n)
{
    struct node key = { .ix = IX_NONE, .end_ms = n->start_ms, .chain = n->chain };
    const struct node *best = last_before(p->by_chain, p->n, &key, by_chain);

    if (best && best->chain != n->chain)
        best = NULL;
    for (uint32_t i = p->lineage->first[n->ix]; i < p->lineage->first[n->ix + 1]; i++)
        best = later(best, ended_by(p, p->lineage->links[i].from_ix, n->start_ms));
    if (n->ix > 0 && p->app->stages[n->ix - 1].stage_id == p->app->stages[n->ix].stage_id)
        best = later(best, ended_by(p, n->ix - 1, n->start_ms));
    return best ? best : last_before(p->by_end, p->n, &key, by_end);
}

/* --- the driver's time ------------------------------------------------------------------------ */

static int by_start(const void *x, const void *y)
{
    const struct span *a = x, *b = y;

    if (a->start_ms != b->start_ms)
        return a->start_ms < b->start_ms ? -1 : 1;
    return a->sql_id < b->sql_id ? -1 : a->sql_id > b->sql_id;
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
        int64_t end_ms = q->completed_ms == APP_NONE ? p->t->end_ms : q->completed_ms;

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

/* A gap on the path, latest piece first. */
static void add_gap(struct path *p, int64_t start_ms, int64_t end_ms)
{
    size_t low = 0, high = p->n_cover;

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
    const struct node *n = p->n ? &p->by_end[p->n - 1] : NULL;
    int64_t at_ms = p->t->end_ms;

    while (n) {
        int64_t end_ms = min_i64(n->end_ms, at_ms);
        const struct node *held =
            n->work_ms > n->start_ms && p->queued[n->ix] ? holder(p, n) : NULL;

        add_gap(p, end_ms, at_ms);
        stages[n->ix].critical = true;
        at_ms = n->start_ms;
        if (held) /* what lies between its end and our first task is still our wait */
            at_ms = min_i64(held->end_ms, n->work_ms);
        add_stage(p, n, at_ms, end_ms);
        n = held ? held : before(p, n);
    }
    add_gap(p, p->t->start_ms, at_ms);
}

/* Latest start first: by then the slack of all that depends on a node is known. */
static int latest_first(const void *x, const void *y)
{
    const struct node *a = x, *b = y;

    if (a->start_ms != b->start_ms)
        return a->start_ms > b->start_ms ? -1 : 1;
    return a->ix > b->ix ? -1 : a->ix < b->ix;
}

static void give_slack(struct stage_path *stages, const struct node *from,
                       const struct node *to)
{
    int64_t slack_ms;

    if (!from || to->start_ms < from->end_ms)
        return;
    slack_ms = to->start_ms - from->end_ms + stages[to->ix].slack_ms;
    stages[from->ix].slack_ms = min_i64(stages[from->ix].slack_ms, slack_ms);
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
        const struct node *n = &order[i];

        if (stages[n->ix].critical)
            stages[n->ix].slack_ms = 0;
        give_slack(stages, before(p, n), n);
        for (uint32_t k = p->lineage->first[n->ix]; k < p->lineage->first[n->ix + 1]; k++)
            give_slack(stages, ended_by(p, p->lineage->links[k].from_ix, n->start_ms), n);
    }
    free(order);
}

void path_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                const struct timeline *t, struct arena *arena)
{
    struct path p = { .app = app, .lineage = lineage, .t = t };

    l->stages = arena_array(arena, app->n_stages, sizeof *l->stages);
    collect_nodes(&p);
    cover_with_sql(&p);
    walk_back(&p, l->stages);
    find_slack(&p, l->stages);
    l->segments = arena_array(arena, p.n_segments, sizeof *l->segments);
    for (size_t i = 0; i < p.n_segments; i++)
        l->segments[i] = p.segments[p.n_segments - 1 - i];
    l->n_segments = p.n_segments;
    free(p.by_end);
    free(p.by_chain);
    free(p.node_of);
    free(p.queued);
    free(p.cover);
    free(p.segments);
}
