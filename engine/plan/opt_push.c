/* Filters go towards the data. */
#include "engine/plan/opt_int.h"

/* ---- through nodes with one child, and unions ---- */

/* Deterministic conjuncts of a condition, and the others. */
struct halves {
    struct exprs yes, no;
};

typedef bool (*expr_test)(void *ctx, struct expr *e);

static struct halves partition(struct arena *a, const struct exprs *list, expr_test test,
                               void *ctx)
{
    struct halves h = { exprs_new(a, list->n), exprs_new(a, list->n) };

    h.yes.n = h.no.n = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        struct exprs *to = test(ctx, list->at[i]) ? &h.yes : &h.no;

        to->at[to->n++] = list->at[i];
    }
    return h;
}

static bool is_deterministic(void *ctx, struct expr *e)
{
    (void)ctx;
    return expr_deterministic(e);
}

struct sides {
    struct arena *arena;
    const struct exprs *attributes;
    const struct exprs *list; /* inlined first; NULL: as it is */
    bool some;                /* it must use some attribute */
};

static bool computable(void *ctx, struct expr *e)
{
    const struct sides *s = ctx;

    if (!expr_deterministic(e) || (s->some && opt_uses_none(s->arena, e)))
        return false;
    if (s->list)
        e = opt_inline(s->arena, e, s->list);
    return opt_covers(s->arena, s->attributes, e);
}

static struct plan *over_child(struct arena *a, struct plan *p, struct plan *child)
{
    return plan_with_children(a, p, &child);
}

/* CombineFilters */
static struct plan *combine(struct arena *a, struct plan *f, struct plan *below)
{
    struct exprs all = opt_split(a, f->condition), has = opt_split(a, below->condition);
    struct halves h = partition(a, &all, is_deterministic, NULL);
    struct exprs fresh = { 0 };

    if (!expr_deterministic(below->condition) || !h.yes.n)
        return f;
    for (uint32_t i = 0; i < h.yes.n; i++)
        if (!opt_has(&has, h.yes.at[i]))
            opt_add(a, &fresh, h.yes.at[i]);
    if (fresh.n)
        below = plan_filter(a, opt_and(a, below->condition, opt_join_and(a, &fresh)),
                            below->children[0]);
    return opt_filter(a, opt_join_and(a, &h.no), below);
}

static struct plan *through_project(struct arena *a, struct plan *f, struct plan *project)
{
    struct plan *filter;

    if (!opt_all_deterministic(&project->list))
        return f;
    filter =
        plan_filter(a, opt_inline(a, f->condition, &project->list), project->children[0]);
    return over_child(a, project, filter);
}

/* Aliases of an Aggregate without aggregate functions in them. */
static struct exprs plain_items(struct arena *a, const struct exprs *list)
{
    struct exprs out = exprs_new(a, list->n);

    out.n = 0;
    for (uint32_t i = 0; i < list->n; i++)
        if (!expr_has_aggregate(list->at[i]))
            out.at[out.n++] = list->at[i];
    return out;
}

/* The conjuncts that pass go below p, inlined over `list`; the rest stays. */
static struct plan *push_some(struct arena *a, struct plan *f, struct plan *p,
                              struct sides *s)
{
    struct exprs all = opt_split(a, f->condition);
    struct halves h = partition(a, &all, computable, s);
    struct expr *down;

    if (!h.yes.n)
        return f;
    down = opt_join_and(a, &h.yes);
    if (s->list)
        down = opt_inline(a, down, s->list);
    p = over_child(a, p, plan_filter(a, down, p->children[0]));
    return opt_filter(a, opt_join_and(a, &h.no), p);
}

static struct plan *through_aggregate(struct arena *a, struct plan *f, struct plan *p)
{
    struct exprs items = plain_items(a, &p->list);
    struct sides s = { a, plan_output(a, p->children[0]), &items, true };

    if (!p->keys.n || !opt_all_deterministic(&p->list))
        return f;
    return push_some(a, f, p, &s);
}

static struct plan *through_window(struct arena *a, struct plan *f, struct plan *p)
{
    struct sides s = { a, &p->keys, NULL, true };

    return opt_all_attributes(&p->keys) ? push_some(a, f, p, &s) : f;
}

static struct plan *through_same(struct arena *a, struct plan *f, struct plan *p)
{
    struct sides s = { a, plan_output(a, p->children[0]), NULL, false };

    if (!opt_all_deterministic(&p->keys) || !opt_all_deterministic(&p->order))
        return f;
    return push_some(a, f, p, &s);
}

static struct plan *through_union(struct arena *a, struct plan *f, struct plan *u)
{
    struct exprs all = opt_split(a, f->condition);
    const struct exprs *out = plan_output(a, u);
    struct sides s = { a, out, NULL, true };
    struct halves h = partition(a, &all, computable, &s);
    struct plan **children;
    struct expr *down;

    if (!h.yes.n)
        return f;
    down = opt_join_and(a, &h.yes);
    children = arena_array(a, u->n_children, sizeof(struct plan *));
    for (uint32_t i = 0; i < u->n_children; i++)
        children[i] = plan_filter(
            a, opt_replace(a, down, out, plan_output(a, u->children[i])), u->children[i]);
    return opt_filter(a, opt_join_and(a, &h.no), plan_with_children(a, u, children));
}

/* ---- through joins ---- */

struct join_sides {
    struct exprs left, right, both;
};

static struct join_sides sort_sides(struct arena *a, const struct exprs *conjuncts,
                                    struct plan *join)
{
    struct join_sides s;
    struct sides side = { a, plan_output(a, join->children[0]), NULL, false };
    struct halves h = partition(a, conjuncts, computable, &side);

    s.left = h.yes;
    side.attributes = plan_output(a, join->children[1]);
    h = partition(a, &h.no, computable, &side);
    s.right = h.yes;
    s.both = h.no;
    return s;
}

/* What a join can compute itself: subqueries that become joins are not. */
static bool within_join(void *ctx, struct expr *e)
{
    (void)ctx;
    return expr_deterministic(e) && !opt_has_predicate_subquery(e) &&
           !opt_has_correlated(e);
}

static struct plan *rejoin(struct arena *a, struct plan *join, struct expr *left,
                           struct expr *right, struct expr *condition)
{
    struct plan *p = plan_copy(a, join);

    p->children[0] = opt_filter(a, left, join->children[0]);
    p->children[1] = opt_filter(a, right, join->children[1]);
    p->condition = condition;
    return p;
}

static struct plan *filter_over_join(struct arena *a, struct plan *f, struct plan *join)
{
    struct exprs all = opt_split(a, f->condition), above;
    struct join_sides s;
    struct expr *left, *right;

    s = sort_sides(a, &all, join);
    left = opt_join_and(a, &s.left);
    right = opt_join_and(a, &s.right);
    switch (join->join_type) {
    case JOIN_INNER:
    case JOIN_CROSS: {
        struct halves h = partition(a, &s.both, within_join, NULL);

        if (!left && !right && !h.yes.n)
            return f;
        join = rejoin(a, join, left, right,
                      opt_and(a, opt_join_and(a, &h.yes), join->condition));
        return opt_filter(a, opt_join_and(a, &h.no), join);
    }
    case JOIN_RIGHT:
        if (!right)
            return f;
        above = exprs_join(a, &s.left, &s.both);
        return opt_filter(a, opt_join_and(a, &above),
                          rejoin(a, join, NULL, right, join->condition));
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        if (!left)
            return f;
        above = exprs_join(a, &s.right, &s.both);
        return opt_filter(a, opt_join_and(a, &above),
                          rejoin(a, join, left, NULL, join->condition));
    case JOIN_FULL:
        break;
    }
    return f;
}

static struct plan *join_condition(struct arena *a, struct plan *join)
{
    struct exprs all = opt_split(a, join->condition), stay;
    struct join_sides s = sort_sides(a, &all, join);
    struct expr *left = opt_join_and(a, &s.left), *right = opt_join_and(a, &s.right);

    switch (join->join_type) {
    case JOIN_INNER:
    case JOIN_CROSS:
    case JOIN_SEMI:
        if (!left && !right)
            return join;
        return rejoin(a, join, left, right, opt_join_and(a, &s.both));
    case JOIN_RIGHT:
        if (!left)
            return join;
        stay = exprs_join(a, &s.right, &s.both);
        return rejoin(a, join, left, NULL, opt_join_and(a, &stay));
    case JOIN_LEFT:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        if (!right)
            return join;
        stay = exprs_join(a, &s.left, &s.both);
        return rejoin(a, join, NULL, right, opt_join_and(a, &stay));
    case JOIN_FULL:
        break;
    }
    return join;
}

static struct plan *push_through_join(void *ctx, struct plan *p)
{
    if (p->kind == PLAN_FILTER && p->children[0]->kind == PLAN_JOIN)
        return filter_over_join(ctx, p, p->children[0]);
    return p->kind == PLAN_JOIN && p->condition ? join_condition(ctx, p) : p;
}

static struct plan *push(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *below;

    if (p->kind != PLAN_FILTER)
        return push_through_join(a, p);
    below = p->children[0];
    switch (below->kind) {
    case PLAN_FILTER:
        return combine(a, p, below);
    case PLAN_PROJECT:
        return through_project(a, p, below);
    case PLAN_AGGREGATE:
        return through_aggregate(a, p, below);
    case PLAN_WINDOW:
        return through_window(a, p, below);
    case PLAN_UNION:
        return through_union(a, p, below);
    case PLAN_DISTINCT:
    case PLAN_SORT:
    case PLAN_GENERATE:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        return through_same(a, p, below);
    case PLAN_JOIN:
        return push_through_join(a, p);
    default:
        return p;
    }
}

static struct plan *push_predicates(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, push, env->arena);
}

static struct plan *push_predicates_through_join(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, push_through_join, env->arena);
}

/* ---- semi and anti joins go down as filters do ---- */

static struct plan *semi_over(struct arena *a, struct plan *join, struct plan *left,
                              struct expr *condition)
{
    struct plan *p = plan_copy(a, join);

    p->children[0] = left;
    p->condition = condition;
    return p;
}

/* The condition uses nothing of the left side but what `keep` has. */
static bool left_part_is(struct arena *a, struct plan *join, const struct exprs *keep)
{
    const struct exprs *right = plan_output(a, join->children[1]);
    struct expr_set used = { 0 };

    expr_references(a, join->condition, &used);
    for (uint32_t i = 0; i < used.n; i++)
        if (!exprs_find(right, used.ids[i]) && !exprs_find(keep, used.ids[i]))
            return false;
    return true;
}

static bool has_scalar(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_has_subquery(list->at[i]))
            return true;
    return false;
}

static struct plan *semi_through_project(struct arena *a, struct plan *join,
                                         struct plan *project)
{
    struct expr *condition =
        join->condition ? opt_inline(a, join->condition, &project->list) : NULL;

    if (!opt_all_deterministic(&project->list) || has_scalar(&project->list))
        return join;
    return over_child(a, project, semi_over(a, join, project->children[0], condition));
}

static struct plan *semi_through_aggregate(struct arena *a, struct plan *join,
                                           struct plan *p)
{
    struct exprs items = plain_items(a, &p->list);
    struct exprs keys = exprs_to_attributes(a, &items);
    struct expr *condition;

    if (!join->condition || !p->keys.n || !opt_all_deterministic(&p->list) ||
        has_scalar(&p->list) || !left_part_is(a, join, &keys))
        return join;
    condition = opt_inline(a, join->condition, &items);
    return over_child(a, p, semi_over(a, join, p->children[0], condition));
}

static struct plan *semi_through_union(struct arena *a, struct plan *join, struct plan *u)
{
    const struct exprs *out = plan_output(a, u);
    struct plan **children = arena_array(a, u->n_children, sizeof(struct plan *));

    for (uint32_t i = 0; i < u->n_children; i++) {
        struct plan *right = i ? plan_fresh(a, join->children[1]) : join->children[1];
        struct expr *condition = join->condition;
        struct plan *one;

        if (condition) {
            condition = opt_replace(a, condition, out, plan_output(a, u->children[i]));
            condition = opt_replace(a, condition, plan_output(a, join->children[1]),
                                    plan_output(a, right));
        }
        one = semi_over(a, join, u->children[i], condition);
        one->children[1] = right;
        children[i] = one;
    }
    return plan_with_children(a, u, children);
}

static struct plan *semi_through_same(struct arena *a, struct plan *join, struct plan *p)
{
    if (!opt_all_deterministic(&p->keys) || !opt_all_deterministic(&p->order))
        return join;
    return over_child(a, p, semi_over(a, join, p->children[0], join->condition));
}

/* PushLeftSemiLeftAntiThroughJoin: to the side of the join below that it is about. */
static struct plan *semi_through_join(struct arena *a, struct plan *join,
                                      struct plan *below)
{
    bool left = false, right = false;
    struct plan *to[2];

    if (!join->condition)
        return join;
    switch (below->join_type) {
    case JOIN_INNER:
    case JOIN_CROSS:
        left = right = true;
        break;
    case JOIN_LEFT:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        left = true;
        break;
    case JOIN_RIGHT:
        right = true;
        break;
    case JOIN_FULL:
        break;
    }
    to[0] = below->children[0];
    to[1] = below->children[1];
    if (left && left_part_is(a, join, plan_output(a, to[0])))
        to[0] = semi_over(a, join, to[0], join->condition);
    else if (right && left_part_is(a, join, plan_output(a, to[1])))
        to[1] = semi_over(a, join, to[1], join->condition);
    else
        return join;
    return plan_with_children(a, below, to);
}

static struct plan *push_semi(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *below;

    if (p->kind != PLAN_JOIN || (p->join_type != JOIN_SEMI && p->join_type != JOIN_ANTI))
        return p;
    below = p->children[0];
    switch (below->kind) {
    case PLAN_PROJECT:
        return semi_through_project(a, p, below);
    case PLAN_AGGREGATE:
        return semi_through_aggregate(a, p, below);
    case PLAN_UNION:
        return semi_through_union(a, p, below);
    case PLAN_DISTINCT:
    case PLAN_SORT:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        return semi_through_same(a, p, below);
    default:
        return p;
    }
}

static struct plan *push_semi_join(void *ctx, struct plan *p)
{
    if (p->kind == PLAN_JOIN &&
        (p->join_type == JOIN_SEMI || p->join_type == JOIN_ANTI) &&
        p->children[0]->kind == PLAN_JOIN)
        return semi_through_join(ctx, p, p->children[0]);
    return p;
}

static struct plan *push_semi_joins(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, push_semi, env->arena);
}

static struct plan *push_semi_joins_through_join(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, push_semi_join, env->arena);
}

/* ---- filters that say nothing ---- */

static struct plan *prune_filter(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct exprs all, known, stay;

    if (p->kind != PLAN_FILTER)
        return p;
    if (opt_is_true(p->condition))
        return p->children[0];
    if (opt_is_false(p->condition) || opt_is_null(p->condition))
        return plan_empty(a, plan_output(a, p));
    all = opt_split(a, p->condition);
    known = opt_constraints(a, p->children[0]);
    stay = exprs_new(a, all.n);
    stay.n = 0;
    for (uint32_t i = 0; i < all.n; i++)
        if (!expr_deterministic(all.at[i]) || !opt_has(&known, all.at[i]))
            stay.at[stay.n++] = all.at[i];
    if (stay.n == all.n)
        return p;
    return opt_filter(a, opt_join_and(a, &stay), p->children[0]);
}

static struct plan *prune_filters(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, prune_filter, env->arena);
}

REWRITE(PushDownPredicates, push_predicates);
REWRITE(PushPredicateThroughJoin, push_predicates_through_join);
REWRITE(PushDownLeftSemiAntiJoin, push_semi_joins);
REWRITE(PushLeftSemiLeftAntiThroughJoin, push_semi_joins_through_join);
REWRITE(PruneFilters, prune_filters);
