/* Set operations become joins, aggregates and filters. */
#include "engine/plan/opt_int.h"

static struct plan *distinct(struct arena *a, struct plan *p)
{
    return plan_unary(a, PLAN_DISTINCT, p);
}

/* Column by column, NULL being equal to NULL. */
static struct expr *rows_equal(struct arena *a, struct plan *left, struct plan *right)
{
    const struct exprs *x = plan_output(a, left), *y = plan_output(a, right);
    struct expr *e = NULL;

    for (uint32_t i = 0; i < x->n; i++)
        e = opt_and(a, e, opt_call2(a, FUNC_EQ_NULL_SAFE, x->at[i], y->at[i]));
    return e;
}

static struct plan *semi_distinct(struct arena *a, struct plan *p, enum join_type type)
{
    struct plan *left = p->children[0], *right = p->children[1];

    return distinct(a, plan_join(a, type, left, right, rows_equal(a, left, right)));
}

static struct plan *intersect_to_semi(void *ctx, struct plan *p)
{
    return p->kind == PLAN_INTERSECT && !p->all ? semi_distinct(ctx, p, JOIN_SEMI) : p;
}

static struct plan *replace_intersect(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, intersect_to_semi, env->arena);
}

static struct plan *except_to_anti(void *ctx, struct plan *p)
{
    return p->kind == PLAN_EXCEPT && !p->all ? semi_distinct(ctx, p, JOIN_ANTI) : p;
}

static struct plan *replace_except(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, except_to_anti, env->arena);
}

/* ---- INTERSECT ALL, EXCEPT ALL: rows are counted, then put out as often ---- */

static struct expr *named(struct arena *a, struct expr *e, const char *name)
{
    return expr_alias(a, e, sv(name), next_expr_id());
}

static struct expr *aggregate_of(struct rewrite_env *env, const char *name,
                                 struct expr *column)
{
    struct expr *out = NULL;
    struct err err = { 0 };

    if (agg_call(env->arena, env->settings, agg_find(sv(name)), &column, 1, false, NULL,
                 &out, &err) != ERR_OK)
        return NULL;
    return out;
}

/* The rows of p behind further columns. */
static struct plan *behind(struct arena *a, struct exprs first, struct plan *p)
{
    return plan_project(a, exprs_join(a, &first, plan_output(a, p)), p);
}

static struct plan *union_of(struct arena *a, struct plan *left, struct plan *right)
{
    struct plan *u = plan_new(a, PLAN_UNION, 2);

    u->children[0] = left;
    u->children[1] = right;
    u->resolved = true;
    return u;
}

/* Each row of p as often as its column `count` says. */
static struct plan *replicate(struct arena *a, struct plan *p, struct expr *count,
                              const struct exprs *columns)
{
    struct plan *g = plan_unary(a, PLAN_GENERATE, p);
    struct exprs one = { &count, 1 };

    g->list = exprs_join(a, &one, columns);
    g->output = exprs_join(a, plan_output(a, p), columns);
    g->output_known = true;
    return plan_project(a, *columns, g);
}

static struct plan *except_all(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct arena *a = env->arena;
    struct exprs columns, one;
    struct expr *plus, *minus, *sum;
    struct plan *u;

    if (p->kind != PLAN_EXCEPT || !p->all)
        return p;
    columns = *plan_output(a, p->children[0]);
    plus = named(a, expr_literal(a, value_long(1)), "vcol");
    minus = named(a, expr_literal(a, value_long(-1)), "vcol");
    u = union_of(a, behind(a, (struct exprs){ &plus, 1 }, p->children[0]),
                 behind(a, (struct exprs){ &minus, 1 }, p->children[1]));
    sum = aggregate_of(env, "sum", plan_output(a, u)->at[0]);
    if (!sum)
        return p;
    sum = named(a, sum, "sum");
    one = (struct exprs){ &sum, 1 };
    u = plan_aggregate(a, columns, exprs_join(a, &columns, &one), u);
    sum = expr_to_attribute(a, sum);
    u = plan_filter(a, opt_call2(a, FUNC_GT, sum, expr_literal(a, value_long(0))), u);
    return replicate(a, u, sum, &columns);
}

static struct plan *replace_except_all(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, except_all, env);
}

/* true and NULL, or NULL and true, in front of a side's rows: counting them says how
 * often each side has the row. */
static struct plan *marked(struct arena *a, struct plan *p, bool left)
{
    struct expr *at[2];

    for (int i = 0; i < 2; i++)
        at[i] = named(a,
                      left == (i == 0) ? opt_bool(a, true)
                                       : opt_null_of(a, type_of(TYPE_BOOLEAN)),
                      i == 0 ? "vcol1" : "vcol2");
    return behind(a, (struct exprs){ at, 2 }, p);
}

static struct plan *intersect_all(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct arena *a = env->arena;
    struct expr *counts[2], *both = NULL, *least;
    struct exprs columns, list;
    struct plan *u;

    if (p->kind != PLAN_INTERSECT || !p->all)
        return p;
    columns = *plan_output(a, p->children[0]);
    u = union_of(a, marked(a, p->children[0], true), marked(a, p->children[1], false));
    for (uint32_t i = 0; i < 2; i++) {
        counts[i] = aggregate_of(env, "count", plan_output(a, u)->at[i]);
        if (!counts[i])
            return p;
        counts[i] = named(a, counts[i], i == 0 ? "vcol1_count" : "vcol2_count");
    }
    list = (struct exprs){ counts, 2 };
    u = plan_aggregate(a, columns, exprs_join(a, &list, &columns), u);
    for (uint32_t i = 0; i < 2; i++) {
        counts[i] = expr_to_attribute(a, counts[i]);
        both = opt_and(a, both,
                       opt_call2(a, FUNC_GE, counts[i], expr_literal(a, value_long(1))));
    }
    u = plan_filter(a, both, u);
    least = expr_call(a, func_of(FUNC_IF), type_of(TYPE_LONG), 3,
                      opt_call2(a, FUNC_GT, counts[0], counts[1]), counts[1], counts[0]);
    least = named(a, least, "min_count");
    list = (struct exprs){ &least, 1 };
    u = plan_project(a, exprs_join(a, &columns, &list), u);
    return replicate(a, u, expr_to_attribute(a, least), &columns);
}

static struct plan *replace_intersect_all(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, intersect_all, env);
}

/* ---- EXCEPT of a filter over the same rows ---- */

static struct plan *below_filters(struct plan *p)
{
    while (p->kind == PLAN_FILTER)
        p = p->children[0];
    return p;
}

static bool has_subquery(void *ctx, struct expr *e)
{
    bool *found = ctx;

    *found = *found || expr_has_subquery(e);
    return *found;
}

static struct expr *look_for_subquery(void *ctx, struct expr *e)
{
    (void)has_subquery(ctx, e);
    return e;
}

static struct exprs names_as(struct arena *a, struct plan *project, struct plan *child)
{
    return project->kind == PLAN_PROJECT ? project->list : *plan_output(a, child);
}

static bool same_rows(struct arena *a, struct plan *left, struct plan *right)
{
    struct plan *l = left->kind == PLAN_PROJECT ? left->children[0] : left;
    struct plan *r = right->kind == PLAN_PROJECT ? right->children[0] : right;
    bool subquery = false;

    (void)plan_map_all_exprs(a, left, look_for_subquery, &subquery);
    (void)plan_map_all_exprs(a, right, look_for_subquery, &subquery);
    if (subquery)
        return false;
    l = below_filters(l);
    r = below_filters(r);
    return plan_same(plan_project(a, names_as(a, left, l), l),
                     plan_project(a, names_as(a, right, r), r));
}

struct naming {
    const struct exprs *columns;
    bool missing, twice;
};

static struct expr *by_name(void *ctx, struct expr *e)
{
    struct naming *n = ctx;
    struct expr *found = NULL;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < n->columns->n; i++)
        if (sv_eq(n->columns->at[i]->name, e->name)) {
            n->twice = n->twice || found;
            found = n->columns->at[i];
        }
    n->missing = n->missing || !found;
    return found ? found : e;
}

static struct plan *except_to_filter(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *left, *right, *f;
    struct naming names = { 0 };
    struct expr *condition = NULL;

    if (p->kind != PLAN_EXCEPT || p->all)
        return p;
    left = p->children[0];
    right = p->children[1];
    f = right->kind == PLAN_PROJECT ? right->children[0] : right;
    if (f->kind != PLAN_FILTER || !same_rows(a, left, right))
        return p;
    for (; f->kind == PLAN_FILTER; f = f->children[0])
        condition = opt_and(a, condition, f->condition);
    if (!expr_deterministic(condition))
        return p;
    names.columns = plan_output(a, left);
    condition = expr_transform_up(a, condition, by_name, &names);
    if (names.missing || names.twice)
        return p;
    if (condition->nullable)
        condition = opt_call2(a, FUNC_COALESCE, condition, opt_bool(a, false));
    return distinct(a, plan_filter(a, opt_call1(a, FUNC_NOT, condition), left));
}

static struct plan *replace_except_filter(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, except_to_filter, env->arena);
}

static struct plan *distinct_to_aggregate(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    const struct exprs *out;

    if (p->kind != PLAN_DISTINCT)
        return p;
    out = plan_output(a, p->children[0]);
    return plan_aggregate(a, *out, *out, p->children[0]);
}

static struct plan *replace_distinct(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, distinct_to_aggregate, env->arena);
}

/* ---- unions of unions ---- */

static uint32_t count_branches(struct plan *p, bool drop_distinct)
{
    uint32_t n = 0;

    if (drop_distinct && p->kind == PLAN_DISTINCT && p->children[0]->kind == PLAN_UNION)
        p = p->children[0];
    if (p->kind != PLAN_UNION)
        return 1;
    for (uint32_t i = 0; i < p->n_children; i++)
        n += count_branches(p->children[i], drop_distinct);
    return n;
}

static struct plan **fill_branches(struct plan *p, bool drop_distinct, struct plan **to)
{
    if (drop_distinct && p->kind == PLAN_DISTINCT && p->children[0]->kind == PLAN_UNION)
        p = p->children[0];
    if (p->kind != PLAN_UNION) {
        *to = p;
        return to + 1;
    }
    for (uint32_t i = 0; i < p->n_children; i++)
        to = fill_branches(p->children[i], drop_distinct, to);
    return to;
}

static struct plan *flat_union(struct arena *a, struct plan *u, bool drop_distinct)
{
    uint32_t n = count_branches(u, drop_distinct);
    struct plan *flat;

    if (n == u->n_children)
        return u;
    flat = plan_copy(a, u);
    flat->n_children = n;
    flat->children = arena_array(a, n, sizeof(struct plan *));
    (void)fill_branches(u, drop_distinct, flat->children);
    return flat;
}

static struct plan *combine_union(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *to;

    if (p->kind == PLAN_UNION)
        return flat_union(a, p, false);
    if (p->kind != PLAN_DISTINCT || p->children[0]->kind != PLAN_UNION)
        return p;
    to = flat_union(a, p->children[0], true);
    return plan_with_children(a, p, &to);
}

static struct plan *combine_unions(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, combine_union, env->arena);
}

REWRITE(RewriteExceptAll, replace_except_all);
REWRITE(RewriteIntersectAll, replace_intersect_all);
REWRITE(ReplaceIntersectWithSemiJoin, replace_intersect);
REWRITE(ReplaceExceptWithAntiJoin, replace_except);
REWRITE(ReplaceExceptWithFilter, replace_except_filter);
REWRITE(ReplaceDistinctWithAggregate, replace_distinct);
REWRITE(CombineUnions, combine_unions);
