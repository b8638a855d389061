/* Joins: their order, their type, what their conditions say about one side. */
#include "engine/plan/opt_int.h"

/* ---- ReorderJoin: by conditions, in the order as written ---- */

struct flat {
    struct plan **plans;
    enum join_type *types;
    uint32_t n;
    struct exprs conditions;
};

static bool is_inner(const struct plan *p)
{
    return p->kind == PLAN_JOIN &&
           (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS) &&
           p->hint_left == HINT_NONE && p->hint_right == HINT_NONE;
}

static uint32_t count_inputs(const struct plan *p)
{
    if (p->kind == PLAN_FILTER && is_inner(p->children[0]))
        return count_inputs(p->children[0]);
    return is_inner(p) ? count_inputs(p->children[0]) + 1 : 1;
}

static void flatten(struct arena *a, struct plan *p, enum join_type type, struct flat *f)
{
    struct exprs more;

    if (is_inner(p)) {
        flatten(a, p->children[0], p->join_type, f);
        f->plans[f->n] = p->children[1];
        f->types[f->n++] = p->join_type;
        more = opt_split(a, p->condition);
    } else if (p->kind == PLAN_FILTER && is_inner(p->children[0])) {
        flatten(a, p->children[0], JOIN_INNER, f);
        more = opt_split(a, p->condition);
    } else {
        f->plans[f->n] = p;
        f->types[f->n++] = type;
        return;
    }
    f->conditions = exprs_join(a, &f->conditions, &more);
}

static bool join_computes(const struct expr *e)
{
    return expr_deterministic(e) && !opt_has_predicate_subquery(e) &&
           !opt_has_correlated(e);
}

/* Conditions that are computable over `columns` go to *in, the others to *out. */
static void take_conditions(struct arena *a, const struct exprs *from,
                            const struct exprs *columns, struct exprs *in,
                            struct exprs *out)
{
    *in = exprs_new(a, from->n);
    *out = exprs_new(a, from->n);
    in->n = out->n = 0;
    for (uint32_t i = 0; i < from->n; i++) {
        bool fits = (!columns || opt_covers(a, columns, from->at[i])) &&
                    join_computes(from->at[i]);
        struct exprs *to = fits ? in : out;

        to->at[to->n++] = from->at[i];
    }
}

static bool about_one(struct arena *a, const struct expr *e, struct plan *p)
{
    return expr_deterministic(e) && !opt_uses_none(a, e) &&
           opt_covers(a, plan_output(a, p), e);
}

/* Does some condition join the two, and is not about one of them alone? */
static bool conditions_join(struct arena *a, const struct exprs *conditions,
                            struct plan *left, struct plan *right)
{
    struct exprs both = exprs_join(a, plan_output(a, left), plan_output(a, right));

    for (uint32_t i = 0; i < conditions->n; i++) {
        struct expr *e = conditions->at[i];

        if (!about_one(a, e, left) && !about_one(a, e, right) && opt_covers(a, &both, e))
            return true;
    }
    return false;
}

static struct plan *ordered_join(struct arena *a, struct flat *f)
{
    struct plan *joined = f->plans[0];
    struct exprs conditions = f->conditions, in, out;
    bool first = true;

    while (f->n > 2) {
        uint32_t pick = 1;
        struct exprs both;

        for (uint32_t i = 1; i < f->n; i++)
            if (conditions_join(a, &conditions, joined, f->plans[i])) {
                pick = i;
                break;
            }
        both = exprs_join(a, plan_output(a, joined), plan_output(a, f->plans[pick]));
        take_conditions(a, &conditions, &both, &in, &out);
        joined =
            plan_join(a, f->types[pick], joined, f->plans[pick], opt_join_and(a, &in));
        conditions = out;
        first = false;
        for (uint32_t i = pick; i + 1 < f->n; i++) {
            f->plans[i] = f->plans[i + 1];
            f->types[i] = f->types[i + 1];
        }
        f->n--;
    }
    enum join_type type =
        f->types[1] == JOIN_INNER && (!first || f->types[0] == JOIN_INNER) ? JOIN_INNER
                                                                           : JOIN_CROSS;
    take_conditions(a, &conditions, NULL, &in, &out);
    joined = plan_join(a, type, joined, f->plans[1], opt_join_and(a, &in));
    return opt_filter(a, opt_join_and(a, &out), joined);
}

static bool same_conditions(struct arena *a, struct expr *x, struct expr *y)
{
    struct exprs p = opt_split(a, x), q = opt_split(a, y);

    if (p.n != q.n)
        return false;
    for (uint32_t i = 0; i < p.n; i++)
        if (p.at[i] != q.at[i])
            return false;
    return true;
}

/* Are the joins of both trees the same, down to the same inputs? */
static bool same_joins(struct arena *a, struct plan *x, struct plan *y)
{
    if (x == y)
        return true;
    if (x->kind != y->kind || (x->kind != PLAN_JOIN && x->kind != PLAN_FILTER) ||
        !same_conditions(a, x->condition, y->condition))
        return false;
    if (x->kind == PLAN_JOIN &&
        (x->join_type != y->join_type || !same_joins(a, x->children[1], y->children[1])))
        return false;
    return same_joins(a, x->children[0], y->children[0]);
}

static struct plan *reorder(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    bool filter = p->kind == PLAN_FILTER && is_inner(p->children[0]);
    struct flat f = { 0 };
    struct plan *joined;
    uint32_t n;

    if (!filter && !is_inner(p))
        return p;
    n = count_inputs(p);
    if (n <= 2)
        return p;
    f.plans = arena_array(a, n, sizeof(struct plan *));
    f.types = arena_array(a, n, sizeof *f.types);
    flatten(a, p, JOIN_INNER, &f);
    if (!f.conditions.n)
        return p;
    joined = ordered_join(a, &f);
    if (same_joins(a, p, joined))
        return p;
    if (opt_same_output(plan_output(a, p), plan_output(a, joined)))
        return joined;
    return plan_project(a, *plan_output(a, p), joined);
}

static struct plan *reorder_joins(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, reorder, env->arena);
}

/* ---- EliminateOuterJoin ---- */

/* NULL or false where all its columns are NULL: rows made up by an outer join go. */
static bool drops_nulls(struct rewrite_env *env, struct expr *e)
{
    struct value v;

    return opt_eval_on_nulls(env, e, &v) && (v.null || !v.u.b);
}

static bool side_drops_nulls(struct rewrite_env *env, const struct exprs *conditions,
                             struct plan *side)
{
    const struct exprs *columns = plan_output(env->arena, side);

    for (uint32_t i = 0; i < conditions->n; i++) {
        struct expr *e = conditions->at[i];

        if (!opt_uses_none(env->arena, e) && opt_covers(env->arena, columns, e) &&
            drops_nulls(env, e))
            return true;
    }
    return false;
}

static enum join_type narrower(struct rewrite_env *env, struct plan *filter,
                               struct plan *join)
{
    struct exprs conditions = opt_split(env->arena, filter->condition);
    struct exprs known = opt_constraints(env->arena, filter);
    bool left, right;

    conditions = exprs_join(env->arena, &conditions, &known);
    left = side_drops_nulls(env, &conditions, join->children[0]);
    right = side_drops_nulls(env, &conditions, join->children[1]);
    switch (join->join_type) {
    case JOIN_RIGHT:
        return left ? JOIN_INNER : JOIN_RIGHT;
    case JOIN_LEFT:
        return right ? JOIN_INNER : JOIN_LEFT;
    case JOIN_FULL:
        return left && right ? JOIN_INNER
               : left        ? JOIN_LEFT
               : right       ? JOIN_RIGHT
                             : JOIN_FULL;
    default:
        return join->join_type;
    }
}

/* An Aggregate that only makes groups (a DISTINCT) of one side's columns needs no rows
 * that an outer join multiplies or fills up. */
static struct plan *drop_outer_side(struct arena *a, struct plan *p)
{
    struct plan *below = p->children[0], *project = NULL, *join, *side;
    struct expr_set used = { 0 };

    if (below->kind == PLAN_PROJECT && opt_all_deterministic(&below->list)) {
        project = below;
        below = below->children[0];
    }
    join = below;
    if (join->kind != PLAN_JOIN ||
        (join->join_type != JOIN_LEFT && join->join_type != JOIN_RIGHT))
        return p;
    side = join->children[join->join_type == JOIN_LEFT ? 0 : 1];
    for (uint32_t i = 0; i < p->keys.n; i++)
        expr_references(
            a, project ? opt_inline(a, p->keys.at[i], &project->list) : p->keys.at[i],
            &used);
    for (uint32_t i = 0; i < p->list.n; i++)
        expr_references(
            a, project ? opt_inline(a, p->list.at[i], &project->list) : p->list.at[i],
            &used);
    for (uint32_t i = 0; i < used.n; i++)
        if (!exprs_find(plan_output(a, side), used.ids[i]))
            return p;
    if (project) {
        for (uint32_t i = 0; i < project->list.n; i++)
            if (!opt_covers(a, plan_output(a, side), project->list.at[i]))
                return p;
        side = plan_with_children(a, project, &side);
    }
    return plan_with_children(a, p, &side);
}

static struct plan *eliminate_outer(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct plan *join;
    enum join_type type;

    if (opt_groups_only(p))
        return drop_outer_side(env->arena, p);
    if (p->kind != PLAN_FILTER || p->children[0]->kind != PLAN_JOIN)
        return p;
    join = p->children[0];
    if (join->join_type != JOIN_LEFT && join->join_type != JOIN_RIGHT &&
        join->join_type != JOIN_FULL)
        return p;
    type = narrower(env, p, join);
    if (type == join->join_type)
        return p;
    join = plan_copy(env->arena, join);
    join->join_type = type;
    return plan_with_children(env->arena, p, &join);
}

static struct plan *eliminate_outer_joins(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, eliminate_outer, env);
}

/* ---- PushExtraPredicateThroughJoin ---- */

/* What e says about these columns alone, weaker than e; NULL: nothing. */
static struct expr *weaker(struct arena *a, struct expr *e, const struct exprs *columns)
{
    struct expr *x, *y;

    if (opt_is_call(e, FUNC_AND)) {
        x = weaker(a, e->args[0], columns);
        y = weaker(a, e->args[1], columns);
        return opt_and(a, x, y);
    }
    if (opt_is_call(e, FUNC_OR)) {
        x = weaker(a, e->args[0], columns);
        y = weaker(a, e->args[1], columns);
        return x && y ? opt_call2(a, FUNC_OR, x, y) : NULL;
    }
    return opt_covers(a, columns, e) ? e : NULL;
}

static struct expr *extra(struct arena *a, struct plan *join, const struct exprs *columns)
{
    const struct exprs *left = plan_output(a, join->children[0]);
    const struct exprs *right = plan_output(a, join->children[1]);
    struct exprs all = opt_split(a, join->condition);
    struct expr *out = NULL;

    for (uint32_t i = 0; i < all.n; i++) {
        struct expr *e = all.at[i];

        if (expr_deterministic(e) && !opt_uses_none(a, e) && !opt_covers(a, left, e) &&
            !opt_covers(a, right, e))
            out = opt_and(a, out, weaker(a, e, columns));
    }
    return out;
}

static struct plan *push_extra(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct expr *left = NULL, *right = NULL;
    struct plan *to[2];

    if (p->kind != PLAN_JOIN || !p->condition || p->join_type == JOIN_FULL ||
        p->join_type == JOIN_EXISTENCE)
        return p;
    if (p->join_type != JOIN_LEFT && p->join_type != JOIN_ANTI)
        left = extra(a, p, plan_output(a, p->children[0]));
    if (p->join_type != JOIN_RIGHT)
        right = extra(a, p, plan_output(a, p->children[1]));
    if (!left && !right)
        return p;
    to[0] = opt_filter(a, left, p->children[0]);
    to[1] = opt_filter(a, right, p->children[1]);
    return plan_with_children(a, p, to);
}

static struct plan *push_extra_predicates(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, push_extra, env->arena);
}

REWRITE(ReorderJoin, reorder_joins);
REWRITE(EliminateOuterJoin, eliminate_outer_joins);
REWRITE(PushExtraPredicateThroughJoin, push_extra_predicates);
