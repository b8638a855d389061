/* Limits and sorts: as early and as few as possible. Windows, which have sorts too. */
#include "engine/plan/opt_int.h"

static bool literal_int(const struct expr *e, int64_t *n)
{
    if (!e || e->kind != EXPR_LITERAL || e->value.null)
        return false;
    *n = e->value.u.i;
    return true;
}

static struct expr *int_literal(struct arena *a, int64_t n)
{
    return expr_literal(a, n == (int32_t)n ? value_int((int32_t)n) : value_long(n));
}

static struct plan *limit_over(struct arena *a, enum plan_kind kind, struct expr *n,
                               struct plan *child)
{
    struct plan *p = plan_unary(a, kind, child);

    p->limit = n;
    return p;
}

/* ---- LimitPushDown ---- */

static struct plan *strip_global(struct plan *p)
{
    return p->kind == PLAN_GLOBAL_LIMIT ? p->children[0] : p;
}

/* A local limit on p, unless it has no more rows anyway. */
static struct plan *local_limit(struct arena *a, struct expr *n, struct plan *p)
{
    int64_t most = 0;
    struct plan *bare = strip_global(p);

    if (!literal_int(n, &most))
        return p;
    if (bare->kind == PLAN_LOCAL_LIMIT) {
        int64_t has = 0;

        if (literal_int(bare->limit, &has) && has <= most)
            return p;
    } else if (opt_max_rows(p) <= most) {
        return p;
    }
    return limit_over(a, PLAN_LOCAL_LIMIT, n, bare == p ? p : bare->children[0]);
}

static struct plan *limit_join(struct arena *a, struct expr *n, struct plan *join)
{
    struct plan *to[2] = { join->children[0], join->children[1] };
    bool plain = !join->condition;

    switch (join->join_type) {
    case JOIN_LEFT:
        to[0] = local_limit(a, n, to[0]);
        break;
    case JOIN_RIGHT:
        to[1] = local_limit(a, n, to[1]);
        break;
    case JOIN_INNER:
    case JOIN_CROSS:
        if (plain) {
            to[0] = local_limit(a, n, to[0]);
            to[1] = local_limit(a, n, to[1]);
        }
        break;
    case JOIN_SEMI:
    case JOIN_ANTI:
        if (plain)
            to[0] = local_limit(a, n, to[0]);
        break;
    case JOIN_FULL:
    case JOIN_EXISTENCE:
        break;
    }
    return plan_with_children(a, join, to);
}

static struct plan *limit_union(struct arena *a, struct expr *n, struct plan *u)
{
    struct plan **to = arena_array(a, u->n_children, sizeof(struct plan *));

    for (uint32_t i = 0; i < u->n_children; i++)
        to[i] = local_limit(a, n, u->children[i]);
    return plan_with_children(a, u, to);
}

static struct plan *limit_down(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *child, *to;
    int64_t n = 0, skip = 0;

    if (p->kind != PLAN_LOCAL_LIMIT)
        return p;
    child = p->children[0];
    switch (child->kind) {
    case PLAN_UNION:
        to = limit_union(a, p->limit, child);
        return plan_with_children(a, p, &to);
    case PLAN_JOIN:
        to = limit_join(a, p->limit, child);
        return plan_with_children(a, p, &to);
    case PLAN_PROJECT:
        if (child->children[0]->kind != PLAN_JOIN)
            return p;
        to = limit_join(a, p->limit, child->children[0]);
        to = plan_with_children(a, child, &to);
        return plan_with_children(a, p, &to);
    case PLAN_AGGREGATE:
        if (!literal_int(p->limit, &n) || n != 1 || !opt_groups_only(child))
            return p;
        to = limit_over(a, PLAN_LOCAL_LIMIT, p->limit, child->children[0]);
        return plan_with_children(a, p,
                                  &(struct plan *){ plan_project(a, child->list, to) });
    case PLAN_OFFSET:
        if (!literal_int(p->limit, &n) || !literal_int(child->limit, &skip) ||
            n > INT32_MAX - skip)
            return p;
        to =
            limit_over(a, PLAN_LOCAL_LIMIT, int_literal(a, n + skip), child->children[0]);
        return plan_with_children(a, child, &to);
    default:
        return p;
    }
}

static struct plan *push_limits(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, limit_down, env->arena);
}

/* ---- EliminateLimits, EliminateOffsets ---- */

static struct plan *drop_limit(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *child;
    int64_t n = 0, m = 0;

    if ((p->kind != PLAN_GLOBAL_LIMIT && p->kind != PLAN_LOCAL_LIMIT) ||
        !literal_int(p->limit, &n))
        return p;
    child = p->children[0];
    if (n == 0)
        return plan_empty(a, plan_output(a, p));
    if (opt_max_rows(child) <= n)
        return child;
    if (child->kind == p->kind && literal_int(child->limit, &m))
        return limit_over(a, p->kind, n < m ? p->limit : child->limit,
                          child->children[0]);
    return p;
}

static struct plan *eliminate_limits(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, drop_limit, env->arena);
}

static struct plan *drop_offset(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    int64_t n = 0, m = 0;

    if (p->kind != PLAN_OFFSET || !literal_int(p->limit, &n))
        return p;
    if (n == 0)
        return p->children[0];
    if (opt_max_rows(p->children[0]) <= n)
        return plan_empty(a, plan_output(a, p));
    if (p->children[0]->kind == PLAN_OFFSET && literal_int(p->children[0]->limit, &m) &&
        n <= INT32_MAX - m)
        return limit_over(a, PLAN_OFFSET, int_literal(a, n + m),
                          p->children[0]->children[0]);
    return p;
}

static struct plan *eliminate_offsets(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, drop_offset, env->arena);
}

/* ---- EliminateSorts ---- */

/* The plan without sorts that nobody above sees. Unless `spread`, somebody sees how the rows
 * are spread: a global sort leaves its ranges. */
static struct plan *without_sorts(struct arena *a, struct plan *p, bool spread)
{
    struct plan *to, *ranges;

    switch (p->kind) {
    case PLAN_SORT:
        if (spread || !p->global)
            return without_sorts(a, p->children[0], spread);
        ranges = plan_unary(a, PLAN_REPARTITION_BY,
                            without_sorts(a, p->children[0], true));
        ranges->order = p->order;
        return ranges;
    case PLAN_PROJECT:
        if (!opt_all_deterministic(&p->list))
            return p;
        break;
    case PLAN_FILTER:
        if (!expr_deterministic(p->condition))
            return p;
        break;
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        if (!opt_all_deterministic(&p->keys) || !opt_all_deterministic(&p->order))
            return p;
        spread = true;
        break;
    default:
        return p;
    }
    to = without_sorts(a, p->children[0], spread);
    return plan_with_children(a, p, &to);
}

static bool minds_order(void *ctx, const struct expr *e)
{
    static const char *const fine[] = { "min",      "max",     "count",
                                        "bit_and",  "bit_or",  "bit_xor",
                                        "bool_and", "bool_or", "count_if" };
    static const char *const exact[] = { "sum", "avg" };

    (void)ctx;
    if (e->kind == EXPR_CALL && (e->func->flags & FUNC_NONDETERMINISTIC))
        return true;
    if (e->kind != EXPR_AGGREGATE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (sv_is(sv(fine[i]), e->agg->name))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(exact); i++)
        if (sv_is(sv(exact[i]), e->agg->name))
            return e->args[0]->type.id == TYPE_FLOAT ||
                   e->args[0]->type.id == TYPE_DOUBLE;
    return true;
}

static bool order_matters(const struct plan *p)
{
    for (uint32_t i = 0; i < p->list.n; i++)
        if (expr_any(p->list.at[i], minds_order, NULL))
            return true;
    return false;
}

static struct plan *drop_sorts(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *to[2];
    struct exprs order;

    switch (p->kind) {
    case PLAN_SORT:
        order = exprs_new(a, p->order.n);
        order.n = 0;
        for (uint32_t i = 0; i < p->order.n; i++)
            if (!expr_foldable(p->order.at[i]->args[0]))
                order.at[order.n++] = p->order.at[i];
        if (!order.n)
            return p->children[0];
        if (p->global && opt_max_rows(p->children[0]) <= 1)
            return p->children[0];
        to[0] = without_sorts(a, p->children[0], p->global);
        if (order.n == p->order.n)
            return plan_with_children(a, p, to);
        p = plan_copy(a, p);
        p->order = order;
        p->children[0] = to[0];
        return p;
    case PLAN_JOIN:
        if (p->condition && !expr_deterministic(p->condition))
            return p;
        to[0] = without_sorts(a, p->children[0], true);
        to[1] = without_sorts(a, p->children[1], true);
        return plan_with_children(a, p, to);
    case PLAN_AGGREGATE:
        if (order_matters(p))
            return p;
        to[0] = without_sorts(a, p->children[0], true);
        return plan_with_children(a, p, to);
    default:
        return p;
    }
}

static struct plan *eliminate_sorts(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, drop_sorts, env->arena);
}

/* ---- CollapseRepartition ---- */

static bool is_repartition(const struct plan *p)
{
    return p->kind == PLAN_REPARTITION || p->kind == PLAN_REPARTITION_BY;
}

static struct plan *drop_repartition(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *child;

    if (!is_repartition(p))
        return p;
    child = p->children[0];
    if (is_repartition(child) && !child->rebalance) {
        bool shuffles = p->kind == PLAN_REPARTITION_BY || p->shuffle;
        bool below = child->kind == PLAN_REPARTITION_BY || child->shuffle;

        if (shuffles || !below) {
            if (!shuffles && p->n_partitions > child->n_partitions)
                return child;
            return plan_with_children(a, p, child->children);
        }
        if (p->n_partitions >= child->n_partitions && child->n_partitions)
            return child;
    }
    if (p->kind == PLAN_REPARTITION_BY && (p->keys.n || p->rebalance) &&
        child->kind == PLAN_SORT) {
        struct plan *to = without_sorts(a, child, true);

        return plan_with_children(a, p, &to);
    }
    return p;
}

static struct plan *collapse_repartition(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, drop_repartition, env->arena);
}

/* ---- windows ---- */

static bool same_exprs(const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!expr_same(x->at[i], y->at[i]))
            return false;
    return true;
}

static bool list_uses(struct arena *a, const struct exprs *list, const struct exprs *made)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr_set used = { 0 };

        expr_references(a, list->at[i], &used);
        for (uint32_t k = 0; k < used.n; k++)
            if (exprs_find(made, used.ids[k]))
                return true;
    }
    return false;
}

static bool window_uses(struct arena *a, const struct plan *upper,
                        const struct plan *lower)
{
    return list_uses(a, &upper->list, &lower->list) ||
           list_uses(a, &upper->keys, &lower->list) ||
           list_uses(a, &upper->order, &lower->list);
}

static struct plan *collapse_window(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *lower;

    if (p->kind != PLAN_WINDOW || p->children[0]->kind != PLAN_WINDOW)
        return p;
    lower = p->children[0];
    if (!same_exprs(&p->keys, &lower->keys) || !same_exprs(&p->order, &lower->order) ||
        window_uses(a, p, lower))
        return p;
    p = plan_copy(a, p);
    p->list = exprs_join(a, &lower->list, &p->list);
    p->children[0] = lower->children[0];
    return p;
}

static struct plan *collapse_windows(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, collapse_window, env->arena);
}

/* The upper one's keys are a beginning of the lower one's: below, it needs no shuffle of
 * its own. */
static struct plan *transpose(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *lower, *inner;
    struct exprs out;

    if (p->kind != PLAN_WINDOW || p->children[0]->kind != PLAN_WINDOW)
        return p;
    lower = p->children[0];
    if (p->keys.n >= lower->keys.n || window_uses(a, p, lower) ||
        !opt_all_deterministic(&p->list) || !opt_all_deterministic(&lower->list))
        return p;
    for (uint32_t i = 0; i < p->keys.n; i++)
        if (!expr_same(p->keys.at[i], lower->keys.at[i]))
            return p;
    out = *plan_output(a, p);
    inner = plan_with_children(a, p, lower->children);
    return plan_project(a, out, plan_with_children(a, lower, &inner));
}

static struct plan *transpose_windows(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, transpose, env->arena);
}

static bool is_rank(const struct expr *e)
{
    return e->kind == EXPR_WINDOW && (opt_is_call(e->args[0], FUNC_RANK) ||
                                      opt_is_call(e->args[0], FUNC_DENSE_RANK) ||
                                      opt_is_call(e->args[0], FUNC_ROW_NUMBER));
}

/* ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW */
static bool is_expanding(const struct expr *item)
{
    const struct expr *e = item->kind == EXPR_ALIAS ? item->args[0] : item;

    return e->kind == EXPR_WINDOW && e->window->unit == FRAME_ROWS &&
           e->window->lower == BOUND_UNBOUNDED && e->window->upper == BOUND_CURRENT;
}

static bool all_expanding(const struct plan *w)
{
    for (uint32_t i = 0; i < w->list.n; i++)
        if (!is_expanding(w->list.at[i]))
            return false;
    return true;
}

static struct plan *limit_window(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *w, *to;
    int64_t n = 0;

    if (p->kind != PLAN_LOCAL_LIMIT || !literal_int(p->limit, &n))
        return p;
    w = p->children[0];
    if (w->kind != PLAN_WINDOW || w->keys.n || !all_expanding(w) || !w->order.n ||
        opt_max_rows(w->children[0]) <= n)
        return p;
    for (uint32_t i = 0; i < w->list.n; i++)
        if (!is_rank(opt_without_alias(w->list.at[i])))
            return p;
    to = plan_unary(a, PLAN_SORT, w->children[0]);
    to->order = w->order;
    to->global = true;
    to = limit_over(a, PLAN_LOCAL_LIMIT, p->limit, to);
    to = limit_over(a, PLAN_GLOBAL_LIMIT, p->limit, to);
    return plan_with_children(a, w, &to);
}

static struct plan *push_limits_through_windows(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, limit_window, env->arena);
}

/* ---- InferWindowGroupLimit ---- */

static bool is_attribute(const struct expr *e, uint32_t id)
{
    return e->kind == EXPR_ATTRIBUTE && e->id == id;
}

/* The most that a conjunct lets the rank `id` be. */
static bool rank_limit(const struct expr *e, uint32_t id, int64_t *n)
{
    bool left = e->kind == EXPR_CALL && e->n_args == 2 && is_attribute(e->args[0], id);
    bool right = e->kind == EXPR_CALL && e->n_args == 2 && is_attribute(e->args[1], id);

    if ((!left && !right) || !literal_int(e->args[left ? 1 : 0], n))
        return false;
    switch (e->func->id) {
    case FUNC_EQ:
        return true;
    case FUNC_LE:
        return left;
    case FUNC_GE:
        return right;
    case FUNC_LT:
        *n -= 1;
        return left;
    case FUNC_GT:
        *n -= 1;
        return right;
    default:
        return false;
    }
}

static bool find_rank_limit(struct arena *a, struct plan *filter, const struct plan *w,
                            struct expr **rank, int64_t *least)
{
    struct exprs all = opt_split(a, filter->condition);

    *rank = NULL;
    for (uint32_t i = 0; i < w->list.n; i++) {
        struct expr *item = w->list.at[i];

        if (item->kind != EXPR_ALIAS || !is_rank(item->args[0]))
            continue;
        for (uint32_t k = 0; k < all.n; k++) {
            int64_t n = 0;

            if (rank_limit(all.at[k], item->id, &n) && (!*rank || n < *least)) {
                *rank = item->args[0]->args[0];
                *least = n;
            }
        }
    }
    return *rank != NULL;
}

static struct plan *group_limit(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct arena *a = env->arena;
    struct plan *w, *limit, *to;
    struct expr *rank;
    int64_t n = 0;

    if (p->kind != PLAN_FILTER || p->children[0]->kind != PLAN_WINDOW)
        return p;
    w = p->children[0];
    if (w->children[0]->kind == PLAN_WINDOW_GROUP_LIMIT || !w->order.n ||
        !all_expanding(w) || !find_rank_limit(a, p, w, &rank, &n) ||
        n > settings_int(env->settings, SET_WINDOW_GROUP_LIMIT))
        return p;
    if (n <= 0)
        return plan_empty(a, plan_output(a, p));
    limit = plan_unary(a, PLAN_WINDOW_GROUP_LIMIT, w->children[0]);
    limit->keys = w->keys;
    limit->order = w->order;
    limit->condition = rank;
    limit->limit = int_literal(a, n);
    to = plan_with_children(a, w, &limit);
    return plan_with_children(a, p, &to);
}

static struct plan *infer_group_limits(struct rewrite_env *env, struct plan *p)
{
    if (settings_int(env->settings, SET_WINDOW_GROUP_LIMIT) < 0)
        return p;
    return plan_transform_down(env->arena, p, group_limit, env);
}

REWRITE(LimitPushDown, push_limits);
REWRITE(EliminateLimits, eliminate_limits);
REWRITE(EliminateOffsets, eliminate_offsets);
REWRITE(EliminateSorts, eliminate_sorts);
REWRITE(CollapseRepartition, collapse_repartition);
REWRITE(CollapseWindow, collapse_windows);
REWRITE(TransposeWindow, transpose_windows);
REWRITE(LimitPushDownThroughWindow, push_limits_through_windows);
REWRITE(InferWindowGroupLimit, infer_group_limits);
