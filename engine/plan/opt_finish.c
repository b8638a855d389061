/* What stands for something else: nvl is coalesce, now() a literal, EXISTS of a query of
 * its own a scalar subquery; DISTINCT and keys of groups that change nothing. */
#include "engine/plan/opt_int.h"

#include "engine/expr/eval.h"

/* ---- ReplaceExpressions ---- */

static struct expr *replace_call(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;
    struct expr *to;

    if (e->kind == EXPR_AGGREGATE && e->agg->replace) {
        to = e->agg->replace(env->arena, env->settings, e);
        return expr_transform_up(env->arena, to, replace_call, env);
    }
    if (e->kind != EXPR_CALL || !e->func->replace)
        return e;
    to = e->func->replace(env->arena, env->settings, e);
    /* what stands for it may have to be replaced in turn */
    return to == e ? e : expr_transform_up(env->arena, to, replace_call, env);
}

static struct plan *replace_all(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, replace_call, env);
}

/* ---- ComputeCurrentTime, ReplaceCurrentLike ---- */

static struct expr *computed(struct rewrite_env *env, struct expr *e,
                             const char *const *names)
{
    struct value v;
    struct err err;

    if (e->kind != EXPR_CALL || e->n_args)
        return e;
    for (; *names; names++)
        if (sv_is(sv(*names), e->func->name) &&
            eval_constant(env->arena, e, env->eval, &v, &err) == ERR_OK)
            return expr_literal(env->arena, v);
    return e;
}

static struct expr *compute_time(void *ctx, struct expr *e)
{
    static const char *const names[] = { "current_date",   "current_timestamp", "now",
                                         "localtimestamp", "current_timezone",  NULL };

    return computed(ctx, e, names);
}

static struct plan *compute_times(struct rewrite_env *env, struct plan *p)
{
    return opt_each_expr(env, p, compute_time);
}

static struct expr *replace_current(void *ctx, struct expr *e)
{
    static const char *const names[] = { "current_user", "current_database",
                                         "current_catalog", NULL };

    return computed(ctx, e, names);
}

static struct plan *replace_currents(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, replace_current, env);
}

/* ---- RewriteNonCorrelatedExists ---- */

static struct expr *exists_to_scalar(void *ctx, struct expr *e)
{
    struct arena *a = ctx;
    struct expr *one, *scalar;
    struct exprs list;
    struct plan *local, *global;

    if (e->kind != EXPR_EXISTS || e->n_outer || e->filter)
        return e;
    one = expr_literal(a, value_int(1));
    list = exprs_new(a, 1);
    list.at[0] = expr_alias(a, one, SV("col"), next_expr_id());
    local = plan_unary(a, PLAN_LOCAL_LIMIT, plan_project(a, list, e->plan));
    local->limit = one;
    global = plan_unary(a, PLAN_GLOBAL_LIMIT, local);
    global->limit = one;
    scalar = expr_new(a, EXPR_SCALAR_SUBQUERY, 0);
    scalar->id = e->id;
    scalar->plan = global;
    scalar->type = one->type;
    scalar->nullable = true;
    scalar->resolved = true;
    scalar->place = e->place;
    return opt_call1(a, FUNC_IS_NOT_NULL, scalar);
}

static struct plan *rewrite_exists(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, exists_to_scalar, env->arena);
}

/* ---- EliminateDistinct ---- */

static struct expr *without_distinct(void *ctx, struct expr *e)
{
    struct expr *copy;

    if (e->kind != EXPR_AGGREGATE || !e->distinct || e->agg->duplicates_matter)
        return e;
    copy = expr_copy(ctx, e);
    copy->distinct = false;
    return copy;
}

static struct plan *eliminate_distinct(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, without_distinct, env->arena);
}

/* ---- keys of groups ---- */

static struct plan *with_keys(struct arena *a, struct plan *p, struct exprs keys)
{
    return plan_aggregate(a, keys, p->list, p->children[0]);
}

static struct plan *drop_literal_keys(void *ctx, struct plan *p)
{
    struct exprs keys = { 0 };

    if (p->kind != PLAN_AGGREGATE || !p->keys.n)
        return p;
    for (uint32_t i = 0; i < p->keys.n; i++)
        if (!expr_foldable(p->keys.at[i]))
            keys = exprs_add(ctx, &keys, p->keys.at[i]);
    if (keys.n == p->keys.n)
        return p;
    if (!keys.n) { /* no key at all would make a group of no rows */
        struct expr *only = p->keys.at[0];

        if (p->keys.n == 1 && only->kind == EXPR_LITERAL && only->type.id == TYPE_INT &&
            !only->value.null && only->value.u.i == 0)
            return p;
        keys = exprs_add(ctx, &keys, expr_literal(ctx, value_int(0)));
    }
    return with_keys(ctx, p, keys);
}

static struct plan *drop_literals(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, drop_literal_keys, env->arena);
}

static struct plan *drop_repeated_keys(void *ctx, struct plan *p)
{
    struct exprs keys = { 0 };

    if (p->kind != PLAN_AGGREGATE || p->keys.n < 2)
        return p;
    for (uint32_t i = 0; i < p->keys.n; i++)
        opt_add(ctx, &keys, p->keys.at[i]);
    return keys.n == p->keys.n ? p : with_keys(ctx, p, keys);
}

static struct plan *drop_repeated(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, drop_repeated_keys, env->arena);
}

REWRITE(ReplaceExpressions, replace_all);
REWRITE(ComputeCurrentTime, compute_times);
REWRITE(ReplaceCurrentLike, replace_currents);
REWRITE(RewriteNonCorrelatedExists, rewrite_exists);
REWRITE(EliminateDistinct, eliminate_distinct);
REWRITE(RemoveLiteralFromGroupExpressions, drop_literals);
REWRITE(RemoveRepetitionFromGroupExpressions, drop_repeated);
