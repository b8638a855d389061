/* What adaptive execution's optimiser does over plans with stages in them: Spark's
 * AQEOptimizer. */
#include "engine/plan/adaptive.h"
#include "engine/plan/join_keys.h"
#include "engine/plan/opt_int.h"

/* ---- AQEPropagateEmptyRelation ---- */

/* The rows of the stage that p is, or that it is an aggregate of; -1: not known. For an
 * aggregate more than there are, but 0 only if there are none. */
static int64_t stage_rows(const struct plan *p)
{
    const struct phys *q;

    if (p->kind != PLAN_STAGE)
        return -1;
    q = p->phys;
    if ((q->kind == PHYS_HASH_AGG || q->kind == PHYS_OBJECT_AGG ||
         q->kind == PHYS_SORT_AGG) &&
        q->keys.n)
        q = q->children[0];
    return q->kind == PHYS_STAGE && q->stage->done ? q->stage->stats.rows : -1;
}

/* A REPARTITION by the user at the top of the query is there for its own sake. */
static bool is_repartition(const struct plan *p)
{
    const struct phys *q = p->kind == PLAN_STAGE ? p->phys : NULL;

    if (!q || q->kind != PHYS_STAGE)
        return p->kind == PLAN_REPARTITION || p->kind == PLAN_REPARTITION_BY;
    q = q->children[0]->kind == PHYS_REUSED ? q->children[0]->reused : q->children[0];
    return q->origin == ORIGIN_REPARTITION_BY_COL ||
           q->origin == ORIGIN_REPARTITION_BY_NUM;
}

static const struct plan *root_repartition(const struct plan *p)
{
    while ((p->kind == PLAN_PROJECT || p->kind == PLAN_FILTER) && p->n_children == 1)
        p = p->children[0];
    return is_repartition(p) ? p : NULL;
}

struct propagating {
    struct arena *arena;
    const struct plan *root; /* this one stays */
};

static struct plan *propagate_node(void *ctx, struct plan *p)
{
    const struct propagating *s = ctx;

    if (p == s->root)
        return p;
    if (p->kind == PLAN_STAGE)
        return stage_rows(p) == 0 ? plan_empty(s->arena, plan_output(s->arena, p)) : p;
    if (p->kind == PLAN_JOIN && !p->condition && stage_rows(p->children[1]) > 0) {
        if (p->join_type == JOIN_SEMI)
            return p->children[0];
        if (p->join_type == JOIN_ANTI)
            return plan_empty(s->arena, plan_output(s->arena, p));
    }
    return opt_propagate_empty(s->arena, p);
}

static struct plan *propagate(struct rewrite_env *env, struct plan *p)
{
    struct propagating s = { env->arena, root_repartition(p) };

    return plan_transform_up(env->arena, p, propagate_node, &s);
}

/* ---- DynamicJoinSelection ---- */

static const struct stage_stats *shuffle_stats_of(const struct plan *p)
{
    return p->kind == PLAN_STAGE ? adaptive_stats(p->phys) : NULL;
}

static bool mostly_empty(const struct rewrite_env *env, const struct stage_stats *s)
{
    uint32_t filled = 0;

    for (uint32_t i = 0; i < s->n_reducers; i++)
        filled += s->reduce_bytes[i] > 0;
    return filled > 0 && (double)filled / (double)s->n_reducers <
                             settings_double(env->settings, SET_NON_EMPTY_RATIO);
}

static bool prefers_hash(const struct rewrite_env *env, const struct stage_stats *s)
{
    int64_t most = settings_int(env->settings, SET_LOCAL_MAP_BYTES);

    if (settings_int(env->settings, SET_ADVISORY_BYTES) > most)
        return false;
    for (uint32_t i = 0; i < s->n_reducers; i++)
        if (s->reduce_bytes[i] > most)
            return false;
    return true;
}

static bool may_broadcast(enum join_type t, bool left)
{
    switch (t) {
    case JOIN_INNER:
    case JOIN_CROSS:
        return true;
    case JOIN_RIGHT:
        return left;
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        return !left;
    case JOIN_FULL:
        break;
    }
    return false;
}

/* Tasks over empty partitions end at once; a broadcast would have none of these. For
 * joins that keep the other side's rows it is that side which must be empty. */
static bool demotes(const struct rewrite_env *env, const struct plan *join, bool left)
{
    const struct stage_stats *own = shuffle_stats_of(join->children[left ? 0 : 1]);
    const struct stage_stats *other = shuffle_stats_of(join->children[left ? 1 : 0]);
    bool keeps = join->join_type == JOIN_LEFT || join->join_type == JOIN_RIGHT ||
                 join->join_type == JOIN_ANTI;

    if (!may_broadcast(join->join_type, left))
        return false;
    if (mostly_empty(env, own))
        return !keeps;
    return other && mostly_empty(env, other) && keeps;
}

static enum join_hint hint_for(const struct rewrite_env *env, const struct plan *join,
                               bool left)
{
    const struct stage_stats *own = shuffle_stats_of(join->children[left ? 0 : 1]);
    bool demote, hash;

    if (!own)
        return HINT_NONE;
    demote = demotes(env, join, left);
    hash = prefers_hash(env, own);
    if (demote)
        return hash ? HINT_SHUFFLE_HASH : HINT_NO_BROADCAST_HASH;
    return hash ? HINT_PREFER_SHUFFLE_HASH : HINT_NONE;
}

static struct plan *select_join(void *ctx, struct plan *p)
{
    const struct rewrite_env *env = ctx;
    enum join_hint left, right;
    struct plan *to;

    if (p->kind != PLAN_JOIN || !join_keys_of(env->arena, p).left.n)
        return p;
    left = p->hint_left != HINT_NONE ? p->hint_left : hint_for(env, p, true);
    right = p->hint_right != HINT_NONE ? p->hint_right : hint_for(env, p, false);
    if (left == p->hint_left && right == p->hint_right)
        return p;
    to = plan_copy(env->arena, p);
    to->hint_left = left;
    to->hint_right = right;
    return to;
}

static struct plan *select_joins(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, select_join, env);
}

REWRITE(AQEPropagateEmptyRelation, propagate);
REWRITE(DynamicJoinSelection, select_joins);
