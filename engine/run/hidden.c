/* Shuffles that are no nodes of the plan: operators whose last step wants all rows.
 *
 * TakeOrderedAndProject inside of a plan: the best rows of every task move to one task,
 * by a shuffle that is the operator's own and no node of the plan (at the root the driver
 * does the last step, drive.c).
 *
 *     TakeOrderedAndProject        as planned and shown
 *     +- child
 *
 *     TakeOrderedAndProject        what runs: the last step
 *     +- Exchange, single          counts into the operator's shuffle metrics
 *        +- TakeOrderedAndProject  a task's share
 *           +- child
 *
 * Nodes that others know by their address (exchanges, stages) stay as they are: only the
 * path from the stage's root to the operator is copied. */
#include "engine/run/query_run.h"

static struct phys *copy_of(struct query_run *q, const struct phys *p)
{
    pthread_mutex_lock(&q->lock);
    struct phys *copy = phys_copy(&q->arena, p);

    if (p->n_children) {
        copy->children = arena_array(&q->arena, p->n_children, sizeof(struct phys *));
        memcpy(copy->children, p->children, p->n_children * sizeof(struct phys *));
    }
    pthread_mutex_unlock(&q->lock);
    return copy;
}

/* The operator's ids where it has a metric of the key, else none that anybody sees. */
static void share_metrics(struct query_run *q, const struct phys *take,
                          struct phys *exchange)
{
    uint32_t n, n_take;
    const struct metric_def *defs = phys_metrics(exchange, &n);
    const struct metric_def *have = phys_metrics(take, &n_take);

    if (!take->metrics)
        return;
    exchange->metrics = query_alloc(q, n * sizeof *exchange->metrics);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;

        while (k < n_take && strcmp(have[k].key, defs[i].key) != 0)
            k++;
        exchange->metrics[i] =
            k < n_take ? take->metrics[k] : accum_new(q->scheduler, defs[i].name);
    }
}

/* global: the child is run as it is, a share or what has been through here already. */
static struct phys *to_one(struct query_run *q, struct phys *child)
{
    pthread_mutex_lock(&q->lock);
    struct phys *exchange = phys_new(&q->arena, PHYS_EXCHANGE, 1);
    pthread_mutex_unlock(&q->lock);

    exchange->children[0] = child;
    exchange->output = child->output;
    exchange->global = true;
    exchange->partitioning = (struct partitioning){ .kind = PART_SINGLE, .n = 1 };
    return exchange;
}

static enum errc take_to_one(struct query_run *q, struct phys *take, struct phys **out,
                             struct err *err)
{
    struct phys *share = copy_of(q, take), *last = copy_of(q, take), *exchange;

    share->output = take->children[0]->output;
    exchange = to_one(q, share);
    share_metrics(q, take, exchange);
    last->children[0] = exchange;
    last->global = true;
    *out = last;
    return drive_prepare(q, exchange, err);
}

/* Rows of the broadcast side that no task found a match for are known to no task alone. */
static bool keeps_build(const struct phys *join)
{
    switch (join->join_type) {
    case JOIN_FULL:
        return true;
    case JOIN_RIGHT:
        return !join->build_left;
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        return join->build_left;
    case JOIN_INNER:
    case JOIN_CROSS:
        break;
    }
    return false;
}

/* Spark matches in two jobs; here one task sees all of the streamed side. */
static enum errc stream_to_one(struct query_run *q, struct phys *join, struct phys **out,
                               struct err *err)
{
    uint32_t side = join->build_left ? 1 : 0;
    struct phys *stream = join->children[side], *exchange;

    *out = join;
    if (query_partitions(q, stream) <= 1)
        return ERR_OK;
    exchange = to_one(q, stream);
    *out = copy_of(q, join);
    (*out)->children[side] = exchange;
    return drive_prepare(q, exchange, err);
}

static enum errc hide(struct query_run *q, struct phys *p, bool root, struct phys **out,
                      struct err *err)
{
    struct phys *copy = p;

    *out = p;
    if (query_is_leaf(p))
        return ERR_OK;
    for (uint32_t i = 0; i < p->n_children; i++) {
        struct phys *child;

        TRY(hide(q, p->children[i], false, &child, err));
        if (child == p->children[i])
            continue;
        if (copy == p)
            copy = copy_of(q, p);
        copy->children[i] = child;
    }
    *out = copy;
    if (p->kind == PHYS_BROADCAST_NL_JOIN && keeps_build(p))
        return stream_to_one(q, copy, out, err);
    if (p->kind != PHYS_TAKE_ORDERED || root)
        return ERR_OK;
    if (query_partitions(q, copy->children[0]) > 1)
        return take_to_one(q, copy, out, err);
    *out = copy_of(q, copy);
    (*out)->global = true;
    return ERR_OK;
}

enum errc drive_ready(struct query_run *q, struct phys *root, bool collected,
                      struct phys **out, struct err *err)
{
    TRY(drive_inputs(q, root, err));
    return hide(q, root, collected, out, err);
}
