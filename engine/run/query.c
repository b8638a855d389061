/* What the stages of a query know of each other. */
#include "engine/run/query_run.h"

#include "engine/exec/op.h"
#include "engine/plan/adaptive.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void query_run_init(struct query_run *q)
{
    pthread_mutex_init(&q->lock, NULL);
    pthread_mutex_init(&q->stage_lock, NULL);
    pthread_cond_init(&q->stage_ended, NULL);
    pthread_cond_init(&q->subquery_ended, NULL);
}

void query_run_release(struct query_run *q)
{
    for (struct input *in = q->inputs; in; in = in->next) {
        shuffle_free(in->shuffle);
        range_bounds_free(in->bounds);
        broadcast_free(in->broadcast);
        if (in->held_bytes)
            scheduler_drop_storage(q->scheduler, in->held_bytes);
    }
    for (uint32_t i = 0; i < q->n_kept; i++)
        arena_release(q->kept[i]);
    free(q->kept);
    arena_release(&q->arena);
    free(q->stages.at);
    free(q->stages.subqueries);
    pthread_mutex_destroy(&q->lock);
    pthread_mutex_destroy(&q->stage_lock);
    pthread_cond_destroy(&q->stage_ended);
    pthread_cond_destroy(&q->subquery_ended);
}

void *query_alloc(struct query_run *q, size_t size)
{
    pthread_mutex_lock(&q->lock);
    void *p = arena_alloc(&q->arena, size);
    pthread_mutex_unlock(&q->lock);
    return p;
}

/* --- leaves ----------------------------------------------------------------------- */

bool query_is_leaf(const struct phys *node)
{
    switch (node->kind) {
    case PHYS_EXCHANGE:
    case PHYS_BROADCAST:
    case PHYS_STAGE:
    case PHYS_AQE_READ:
    case PHYS_REUSED:
        return true;
    default:
        return false;
    }
}

const struct phys *query_exchange_of(const struct phys *node)
{
    for (;;) {
        switch (node->kind) {
        case PHYS_STAGE: {
            const struct query_stage *s = node->stage;

            while (s->reuse_of)
                s = s->reuse_of;
            node = s->exchange;
            break;
        }
        case PHYS_AQE_READ:
            node = node->children[0];
            break;
        case PHYS_REUSED:
            node = node->reused;
            break;
        default:
            return node;
        }
    }
}

struct input *query_input(const struct query_run *q, const struct phys *node)
{
    const struct phys *exchange = query_exchange_of(node);
    struct query_run *shared = (struct query_run *)(uintptr_t)q; /* the lock alone */
    struct input *in;

    pthread_mutex_lock(&shared->lock);
    for (in = q->inputs; in && in->node != exchange; in = in->next)
        ;
    pthread_mutex_unlock(&shared->lock);
    return in;
}

struct input *query_input_make(struct query_run *q, const struct phys *exchange)
{
    struct input *in = query_input(q, exchange);

    if (in)
        return in;
    pthread_mutex_lock(&q->lock);
    in = ARENA_NEW(&q->arena, struct input);
    in->node = exchange;
    in->query = q;
    in->next = q->inputs;
    q->inputs = in;
    pthread_mutex_unlock(&q->lock);
    return in;
}

struct shuffle *query_shuffle(const struct query_run *q, const struct phys *node)
{
    struct input *in = query_input(q, node);

    return in ? in->shuffle : NULL;
}

const struct broadcast *query_broadcast(const struct query_run *q,
                                        const struct phys *node)
{
    struct input *in = query_input(q, node);

    return in ? in->broadcast : NULL;
}

struct read_spec query_read_spec(const struct phys *leaf, uint32_t p)
{
    if (leaf->kind == PHYS_AQE_READ) {
        assert(p < leaf->n_specs);
        return leaf->specs[p];
    }
    return (struct read_spec){ .from = p, .to = p + 1, .map_to = UINT32_MAX };
}

static uint32_t add_leaves(struct query_run *q, const struct phys *p, struct input **out,
                           uint32_t n, uint32_t room)
{
    if (query_is_leaf(p)) {
        struct input *in = query_input(q, p);

        if (!in || !in->shuffle)
            return n;
        for (uint32_t i = 0; i < n; i++)
            if (out[i] == in)
                return n;
        assert(n < room);
        out[n++] = in;
        return n;
    }
    for (uint32_t i = 0; i < p->n_children; i++)
        n = add_leaves(q, p->children[i], out, n, room);
    return n;
}

static uint32_t count_leaves(const struct phys *p)
{
    uint32_t n = 0;

    if (query_is_leaf(p))
        return 1;
    for (uint32_t i = 0; i < p->n_children; i++)
        n += count_leaves(p->children[i]);
    return n;
}

uint32_t query_leaves(struct query_run *q, const struct phys *root, struct input ***out)
{
    uint32_t room = count_leaves(root);

    *out = query_alloc(q, (room + 1) * sizeof **out);
    return add_leaves(q, root, *out, 0, room);
}

/* --- scans ------------------------------------------------------------------------ */

struct scan_parts *query_scan_parts(const struct query_run *q, const struct phys *scan)
{
    struct query_run *shared = (struct query_run *)(uintptr_t)q;
    struct scan_parts *s;

    pthread_mutex_lock(&shared->lock);
    for (s = q->scans; s && s->scan != scan; s = s->next)
        ;
    pthread_mutex_unlock(&shared->lock);
    return s;
}

/* Under the lock: the arena is the query's. */
static enum errc find_scan(struct query_run *q, const struct phys *scan, struct err *err)
{
    struct scan_parts *s = ARENA_NEW(&q->arena, struct scan_parts);

    s->scan = scan;
    TRY(scan_prune(q, scan, &s->relation, err));
    relation_partitions(&q->arena, s->relation, q->settings,
                        scheduler_cores(q->scheduler), &s->parts, &s->n);
    s->next = q->scans;
    q->scans = s;
    return ERR_OK;
}

enum errc query_find_scans(struct query_run *q, const struct phys *root, struct err *err)
{
    enum errc rc;

    if (query_is_leaf(root))
        return ERR_OK;
    for (uint32_t i = 0; i < root->n_children; i++)
        TRY(query_find_scans(q, root->children[i], err));
    if (root->kind != PHYS_SCAN || query_scan_parts(q, root))
        return ERR_OK;
    pthread_mutex_lock(&q->lock);
    rc = find_scan(q, root, err);
    pthread_mutex_unlock(&q->lock);
    return rc;
}

const struct relation *query_scan_relation(const struct query_run *q,
                                           const struct phys *scan)
{
    return query_scan_parts(q, scan)->relation;
}

const struct scan_partition *query_scan(const struct query_run *q,
                                        const struct phys *scan, uint32_t p)
{
    const struct scan_parts *s = query_scan_parts(q, scan);

    assert(s && p < s->n);
    return &s->parts[p];
}

/* --- partitions ------------------------------------------------------------------- */

static uint32_t parallelism(const struct query_run *q)
{
    return (uint32_t)scheduler_cores(q->scheduler);
}

static uint32_t leaf_partitions(const struct query_run *q, const struct phys *node)
{
    const struct phys *exchange;
    const struct input *in;

    if (node->kind == PHYS_AQE_READ)
        return node->n_specs;
    exchange = query_exchange_of(node);
    in = query_input(q, exchange);
    if (in && in->shuffle)
        return shuffle_n_reducers(in->shuffle);
    return exchange->kind == PHYS_BROADCAST ? 1 : exchange->partitioning.n;
}

uint32_t query_partitions(const struct query_run *q, const struct phys *node)
{
    uint32_t n = 0;

    if (query_is_leaf(node))
        return leaf_partitions(q, node);
    switch (node->kind) {
    case PHYS_SCAN: {
        const struct scan_parts *s = query_scan_parts(q, node);

        return s ? s->n : 0;
    }
    case PHYS_LOCAL_SCAN:
        n = parallelism(q);
        if (node->n_rows < n)
            n = (uint32_t)node->n_rows;
        return n; /* Spark makes none of no rows */
    case PHYS_RANGE:
        return node->n_partitions ? node->n_partitions : parallelism(q);
    case PHYS_ONE_ROW:
        return 1;
    case PHYS_UNION:
        for (uint32_t i = 0; i < node->n_children; i++)
            n += query_partitions(q, node->children[i]);
        return n;
    case PHYS_CARTESIAN:
        return query_partitions(q, node->children[0]) *
               query_partitions(q, node->children[1]);
    case PHYS_COALESCE:
        n = query_partitions(q, node->children[0]);
        return n > node->n_partitions ? node->n_partitions : n;
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
        return query_partitions(q, node->children[node->build_left ? 1 : 0]);
    default:
        return node->n_children ? query_partitions(q, node->children[0]) : 1;
    }
}

void query_coalesced(const struct query_run *q, const struct phys *node, uint32_t p,
                     uint32_t *from, uint32_t *to)
{
    uint64_t all = query_partitions(q, node->children[0]);
    uint64_t n = query_partitions(q, node);

    *from = (uint32_t)(all * p / n);
    *to = (uint32_t)(all * (p + 1) / n);
}

void query_slice(uint64_t n_rows, uint32_t n, uint32_t p, uint64_t *from, uint64_t *to)
{
    __extension__ typedef unsigned __int128 wide;

    *from = (uint64_t)((wide)n_rows * p / n);
    *to = (uint64_t)((wide)n_rows * (p + 1) / n);
}

/* --- metrics ---------------------------------------------------------------------- */

static uint64_t metric_id(const struct phys *node, const char *key, bool *there)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(node, &n);

    *there = false;
    for (uint32_t i = 0; node->metrics && i < n; i++)
        if (strcmp(defs[i].key, key) == 0) {
            *there = true;
            return node->metrics[i];
        }
    return 0;
}

void task_count(struct task *t, const struct phys *node, const char *key, int64_t value)
{
    bool there;
    uint64_t id = metric_id(node, key, &there);

    if (there)
        metric_sink_add(&t->sink, id, value);
}

static void unit_durations(struct task *t, const struct phys *p, uint32_t unit,
                           int64_t ms)
{
    if (query_is_leaf(p))
        return;
    if (p->codegen && p->codegen != unit && p->codegen_metric)
        metric_sink_add(&t->sink, p->codegen_metric, ms);
    for (uint32_t i = 0; p->kind != PHYS_UNION && i < p->n_children; i++)
        unit_durations(t, p->children[i], p->codegen, ms);
}

void task_durations(struct task *t, const struct phys *root, int64_t begin_ns)
{
    unit_durations(t, root, 0, (op_now_ns() - begin_ns) / 1000000);
}

void driver_count(struct query_run *q, const struct phys *node, uint32_t n,
                  const char *const *keys, const int64_t *values)
{
    uint64_t ids[8];
    int64_t found[8];
    uint32_t k = 0;

    assert(n <= ARRAY_LEN(ids));
    for (uint32_t i = 0; i < n; i++) {
        bool there;

        ids[k] = metric_id(node, keys[i], &there);
        if (!there)
            continue;
        found[k] = values[i];
        accum_set(q->scheduler, ids[k], values[i]);
        k++;
    }
    log_driver_accum(scheduler_log(q->scheduler), q->execution_id, ids, found, k);
}

int64_t metric_total(struct query_run *q, const struct phys *node, const char *key)
{
    bool there;
    uint64_t id = metric_id(node, key, &there);

    return there ? accum_value(q->scheduler, id) : 0;
}

void query_keep_arena(struct query_run *q, struct arena *a)
{
    pthread_mutex_lock(&q->lock);
    GROW(q->kept, q->n_kept, q->cap_kept);
    q->kept[q->n_kept++] = a;
    pthread_mutex_unlock(&q->lock);
}

/* Children first, as Spark makes metrics when a plan is first asked for them. Nodes that
 * an earlier version of the plan had keep theirs. */
static void register_node(struct query_run *q, struct phys *p, uint32_t unit);

struct registering {
    struct query_run *q;
};

static bool register_subquery(void *ctx, const struct expr *e)
{
    struct registering *r = ctx;

    if (e->kind == EXPR_SUBQUERY_RESULT && e->phys)
        register_node(r->q, e->phys, 0);
    return false;
}

static void register_exprs(struct query_run *q, const struct exprs *list)
{
    struct registering r = { q };

    for (uint32_t i = 0; i < list->n; i++)
        (void)expr_any(list->at[i], register_subquery, &r);
}

static void register_node(struct query_run *q, struct phys *p, uint32_t unit)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(p, &n);
    struct registering r = { q };

    if (p->codegen && p->codegen != unit && !p->codegen_metric)
        p->codegen_metric = accum_new(q->scheduler, "duration");
    if (!p->metrics && n) {
        p->metrics = query_alloc(q, n * sizeof *p->metrics);
        for (uint32_t i = 0; i < n; i++)
            p->metrics[i] = accum_new(q->scheduler, defs[i].name);
    }
    register_exprs(q, &p->list);
    register_exprs(q, &p->keys);
    register_exprs(q, &p->aggs);
    register_exprs(q, &p->partition_filters);
    register_exprs(q, &p->data_filters);
    if (p->condition)
        (void)expr_any(p->condition, register_subquery, &r);
    for (uint32_t i = 0; i < p->n_children; i++)
        register_node(q, p->children[i], p->codegen);
}

void query_register_metrics(struct query_run *q, struct phys *root)
{
    register_node(q, root, 0);
}
