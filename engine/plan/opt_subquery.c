/* Subqueries in expressions become joins.
 *
 * First the predicates of a correlated subquery that mention the query around are taken
 * out of its plan (PullupCorrelatedPredicates): they become the condition it is joined
 * on, kept in the expression's `filter`, and the columns that they need are put out. Then
 * each subquery's plan is optimised by itself. A correlated scalar subquery is a left
 * outer join, IN and EXISTS are semi and anti joins, or, inside an OR, a join that adds a
 * column saying whether a row was found. Scalar subqueries that are not correlated stay
 * expressions. */
#include "engine/plan/opt_int.h"

#include "engine/expr/eval.h"

/* ---- PullupCorrelatedPredicates ---- */

static bool is_outer(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_OUTER;
}

static bool has_outer(const struct expr *e)
{
    return expr_any(e, is_outer, NULL);
}

static struct expr *strip_outer(void *ctx, struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_OUTER ? e->args[0] : e;
}

struct pulling {
    struct arena *arena;
    struct exprs pulled; /* with EXPR_OUTER still in them */
};

/* Inner columns of the predicates pulled from below p that p does not put out. */
static struct exprs missing(struct arena *a, const struct exprs *pulled, struct plan *p)
{
    struct expr_set used = { 0 };
    struct exprs out = { 0 };

    for (uint32_t i = 0; i < pulled->n; i++)
        expr_references(a, pulled->at[i], &used);
    for (uint32_t i = 0; i < used.n; i++) {
        struct expr *e;

        if (exprs_find(plan_output(a, p), used.ids[i]))
            continue;
        e = exprs_find(plan_output(a, p->children[0]), used.ids[i]);
        if (e)
            out = exprs_add(a, &out, e);
    }
    return out;
}

static struct plan *pull_filter(struct arena *a, struct plan *p, struct exprs *pulled)
{
    struct exprs all = opt_split(a, p->condition), local = exprs_new(a, all.n);

    local.n = 0;
    for (uint32_t i = 0; i < all.n; i++) {
        if (has_outer(all.at[i]))
            *pulled = exprs_add(a, pulled, all.at[i]);
        else
            local.at[local.n++] = all.at[i];
    }
    if (local.n == all.n)
        return p;
    return opt_filter(a, opt_join_and(a, &local), p->children[0]);
}

/* The plan without its correlated predicates, which are added to *pulled. */
static struct plan *pull(struct arena *a, struct plan *p, struct exprs *pulled)
{
    struct plan **to = arena_array(a, p->n_children + 1, sizeof(struct plan *)), *copy;
    struct exprs more;

    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = pull(a, p->children[i], pulled);
    if (p->n_children)
        p = plan_with_children(a, p, to);
    switch (p->kind) {
    case PLAN_FILTER:
        return pull_filter(a, p, pulled);
    case PLAN_JOIN:
        if (p->condition && has_outer(p->condition) &&
            (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS)) {
            struct plan *f = plan_filter(a, p->condition, p);

            copy = plan_copy(a, p);
            copy->condition = NULL;
            f->children[0] = copy;
            return pull_filter(a, f, pulled);
        }
        return p;
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
    case PLAN_WINDOW:
        more = missing(a, pulled, p);
        if (!more.n || p->kind == PLAN_WINDOW)
            return p;
        copy = plan_copy(a, p);
        copy->list = exprs_join(a, &p->list, &more);
        if (p->kind == PLAN_AGGREGATE)
            copy->keys = exprs_join(a, &p->keys, &more);
        return copy;
    case PLAN_DISTINCT:
    default:
        return p;
    }
}

/* A subquery whose columns carry ids that the outer side has too gets new ones. */
static void renew_if_shared(struct arena *a, struct expr *sub, const struct exprs *outer)
{
    const struct exprs *before = plan_output(a, sub->plan);
    struct exprs from = *before;
    bool shared = false;

    for (uint32_t i = 0; i < before->n; i++)
        shared = shared || exprs_find(outer, before->at[i]->id);
    if (!shared)
        return;
    sub->plan = plan_fresh(a, sub->plan);
    const struct exprs *after = plan_output(a, sub->plan);
    bool renewed = !opt_same_output(&from, after);
    if (!renewed) { /* nothing made below: names of their own on top */
        struct exprs list = exprs_new(a, from.n);

        for (uint32_t i = 0; i < from.n; i++)
            list.at[i] = expr_alias(a, from.at[i], from.at[i]->name, next_expr_id());
        sub->plan = plan_project(a, list, sub->plan);
        after = plan_output(a, sub->plan);
    }
    if (sub->filter) {
        /* only inner references: outer ones are wrapped still */
        sub->filter = opt_replace(a, sub->filter, &from, after);
    }
}

struct pull_ctx {
    struct rewrite_env *env;
    struct exprs outer; /* what the node around has to offer */
};

static struct expr *pull_subquery(void *ctx, struct expr *e)
{
    struct pull_ctx *c = ctx;
    struct arena *a = c->env->arena;
    struct exprs pulled = { 0 };
    struct expr *copy;

    if (!e->plan || !e->n_outer || e->filter)
        return e;
    copy = expr_copy(a, e);
    /* conditions are made simple first: what is false anyway correlates nothing */
    copy->plan = pull(a, plan_rewrite(c->env, &BooleanSimplification, e->plan), &pulled);
    copy->filter = opt_join_and(a, &pulled);
    if (copy->filter) {
        struct exprs inner = c->outer;

        renew_if_shared(a, copy, &inner);
        copy->filter = expr_transform_up(a, copy->filter, strip_outer, NULL);
    }
    return copy;
}

static struct expr *pull_in_expr(void *ctx, struct expr *e)
{
    struct pull_ctx *c = ctx;

    return expr_transform_up(c->env->arena, e, pull_subquery, c);
}

static struct exprs inputs_of(struct arena *a, struct plan *p)
{
    struct exprs out = { 0 };

    for (uint32_t i = 0; i < p->n_children; i++)
        out = exprs_join(a, &out, plan_output(a, p->children[i]));
    return out;
}

static struct plan *pull_node(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct pull_ctx c = { env, inputs_of(env->arena, p) };

    return plan_map_exprs(env->arena, p, pull_in_expr, &c);
}

static struct plan *pullup(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, pull_node, env);
}

/* ---- OptimizeSubqueries ---- */

static struct plan *without_top_sort(struct arena *a, struct plan *p)
{
    struct plan *to;

    if (p->kind == PLAN_SORT)
        return p->children[0];
    if (p->kind != PLAN_PROJECT)
        return p;
    to = without_top_sort(a, p->children[0]);
    return plan_with_children(a, p, &to);
}

static struct expr *optimize_subquery(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx, inner = *env;
    struct expr *copy;

    if (!e->plan)
        return e;
    inner.correlated = e->filter != NULL;
    copy = expr_copy(env->arena, e);
    copy->plan = plan_optimize_batches(&inner, e->plan);
    if (e->kind != EXPR_SCALAR_SUBQUERY || e->n_outer || e->plan->kind == PLAN_SORT)
        copy->plan = without_top_sort(env->arena, copy->plan);
    return copy;
}

static struct plan *optimize_subqueries(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, optimize_subquery, env);
}

/* ---- RewriteCorrelatedScalarSubquery ---- */

/* What an expression of the subquery's plan yields if no row came in: aggregates give
 * their value for no rows, other columns NULL. NULL result: it cannot be said. */
struct zero {
    struct rewrite_env *env;
    struct exprs from, to; /* values by attribute, of the node below */
};

static bool counts(const struct agg *g)
{
    static const char *const names[] = { "count", "count_if", "regr_count",
                                         "approx_count_distinct" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(sv(names[i]), g->name))
            return true;
    return false;
}

static struct expr *zero_of(void *ctx, struct expr *e)
{
    struct zero *z = ctx;

    if (e->kind == EXPR_AGGREGATE) {
        if (counts(e->agg))
            return expr_literal(z->env->arena, value_long(0));
        return opt_null_of(z->env->arena, e->type);
    }
    return e;
}

static struct expr *null_rest(void *ctx, struct expr *e)
{
    struct zero *z = ctx;

    return e->kind == EXPR_ATTRIBUTE ? opt_null_of(z->env->arena, e->type) : e;
}

static struct expr *value_on_nothing(struct zero *z, struct expr *e)
{
    struct arena *a = z->env->arena;
    struct value v;
    struct err err;

    e = opt_without_alias(e);
    e = expr_transform_down(a, e, zero_of, z);
    e = opt_replace(a, e, &z->from, &z->to);
    e = expr_transform_up(a, e, null_rest, z);
    if (!expr_foldable(e) || eval_constant(a, e, z->env->eval, &v, &err) != ERR_OK)
        return opt_null_of(a, e->type);
    return expr_literal(a, v);
}

/* The values of the node's columns if its Aggregate got no rows; *drops: a filter above
 * the Aggregate takes that row away. False: no such Aggregate. */
static bool on_nothing(struct zero *z, struct plan *p, struct plan **having)
{
    struct arena *a = z->env->arena;
    struct exprs values;

    if (p->kind == PLAN_FILTER) {
        if (!on_nothing(z, p->children[0], having) || *having)
            return false;
        *having = p;
        return true;
    }
    if (p->kind == PLAN_PROJECT) {
        if (!on_nothing(z, p->children[0], having))
            return false;
    } else if (p->kind != PLAN_AGGREGATE) {
        return false;
    }
    values = exprs_new(a, p->list.n);
    for (uint32_t i = 0; i < p->list.n; i++)
        values.at[i] = value_on_nothing(z, p->list.at[i]);
    z->from = *plan_output(a, p);
    z->to = values;
    return true;
}

static struct expr *call_if(struct arena *a, struct expr *condition, struct expr *x,
                            struct expr *y)
{
    struct expr *e = expr_call(a, func_of(FUNC_IF), y->type, 3, condition, x, y);

    e->nullable = x->nullable || y->nullable;
    return e;
}

static struct plan *drop_having(struct arena *a, struct plan *p, struct plan *having)
{
    struct plan *to;

    if (p == having)
        return p->children[0];
    to = drop_having(a, p->children[0], having);
    return plan_with_children(a, p, &to);
}

/* p left-joined with the subquery; *value is what stands for it above. */
static struct plan *join_scalar(struct rewrite_env *env, struct plan *p, struct expr *sub,
                                struct expr **value)
{
    struct arena *a = env->arena;
    struct zero z = { .env = env };
    struct plan *having = NULL, *query = sub->plan;
    struct expr *result = plan_output(a, query)->at[0], *zero, *always, *found;
    struct exprs list;

    result = expr_copy(a, result);
    result->nullable = true;
    if (!on_nothing(&z, query, &having) || (zero = z.to.at[0])->value.null) {
        *value = result;
        return plan_join(a, JOIN_LEFT, p, query, sub->filter);
    }
    /* a row that is missing means the value for no rows, not NULL */
    always = expr_alias(a, opt_bool(a, true), SV("alwaysTrue"), next_expr_id());
    found = expr_to_attribute(a, always);
    found = expr_copy(a, found);
    found->nullable = true;
    if (having) {
        struct expr *keeps = value_on_nothing(&z, having->condition);
        struct expr *kept_id;
        struct plan *bare = drop_having(a, query, having);
        struct expr *kept =
            expr_alias(a, having->condition, SV("having"), next_expr_id());

        if (opt_is_false(keeps) || opt_is_null(keeps))
            zero = opt_null_of(a, zero->type);
        /* the condition is computed where the filter stood */
        if (bare != having->children[0]) {
            *value = result;
            return plan_join(a, JOIN_LEFT, p, query, sub->filter);
        }
        list = exprs_add(a, plan_output(a, bare), kept);
        list = exprs_add(a, &list, always);
        query = plan_project(a, list, bare);
        kept_id = expr_to_attribute(a, kept);
        kept_id = expr_copy(a, kept_id);
        kept_id->nullable = true;
        *value = call_if(a, opt_call1(a, FUNC_IS_NULL, found), zero,
                         call_if(a, kept_id, result, opt_null_of(a, result->type)));
        return plan_join(a, JOIN_LEFT, p, query, sub->filter);
    }
    list = exprs_add(a, plan_output(a, query), always);
    *value = call_if(a, opt_call1(a, FUNC_IS_NULL, found), zero, result);
    return plan_join(a, JOIN_LEFT, p, plan_project(a, list, query), sub->filter);
}

struct scalars {
    struct rewrite_env *env;
    struct plan *p; /* the child, with joins so far */
    struct exprs seen, values;
};

/* SELECT expression without FROM: the expression itself. */
static struct expr *one_row_value(struct arena *a, const struct expr *sub)
{
    const struct plan *p = sub->plan;

    if (p->kind != PLAN_PROJECT || p->children[0]->kind != PLAN_ONE_ROW)
        return NULL;
    return expr_transform_up(a, opt_without_alias(p->list.at[0]), strip_outer, NULL);
}

static struct expr *take_scalar(void *ctx, struct expr *e)
{
    struct scalars *s = ctx;
    struct expr *value;

    if (e->kind != EXPR_SCALAR_SUBQUERY || !e->n_outer)
        return e;
    value = one_row_value(s->env->arena, e);
    if (value)
        return value;
    if (!e->filter)
        return e;
    for (uint32_t i = 0; i < s->seen.n; i++)
        if (s->seen.at[i]->id == e->id)
            return s->values.at[i];
    s->p = join_scalar(s->env, s->p, e, &value);
    s->seen = exprs_add(s->env->arena, &s->seen, e);
    s->values = exprs_add(s->env->arena, &s->values, value);
    return value;
}

static struct expr *take_scalars(void *ctx, struct expr *e)
{
    struct scalars *s = ctx;

    return expr_transform_up(s->env->arena, e, take_scalar, s);
}

static bool is_correlated_scalar(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_SCALAR_SUBQUERY && e->n_outer;
}

static void has_scalar(void *ctx, struct expr *e)
{
    bool *found = ctx;

    *found = *found || expr_any(e, is_correlated_scalar, NULL);
}

static struct plan *scalar_to_join(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct arena *a = env->arena;
    struct scalars s = { .env = env };
    bool found = false;
    struct plan *out, *child;

    plan_each_expr(p, has_scalar, &found);
    if (!found || p->n_children != 1)
        return p;
    child = p->children[0];
    s.p = child;
    out = plan_map_exprs(a, p, take_scalars, &s);
    if (s.p == child)
        return out;
    out = plan_with_children(a, out, &s.p);
    if (p->kind == PLAN_PROJECT || p->kind == PLAN_AGGREGATE)
        return out;
    return plan_project(a, *plan_output(a, child), out);
}

static struct plan *rewrite_scalars(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, scalar_to_join, env);
}

/* ---- RewritePredicateSubquery ---- */

/* The subquery's plan, with ids of its own where the other side has them too. */
static struct plan *own_ids(struct arena *a, struct plan *left, struct expr *sub,
                            struct expr **condition)
{
    struct expr copy = *sub;

    copy.filter = NULL;
    struct exprs before = *plan_output(a, sub->plan);
    renew_if_shared(a, &copy, plan_output(a, left));
    *condition = sub->filter;
    if (copy.plan != sub->plan && sub->filter)
        *condition = opt_replace(a, sub->filter, &before, plan_output(a, copy.plan));
    return copy.plan;
}

/* values = columns, one by one; null_aware: NOT IN, where NULL may be equal. */
static struct expr *in_condition(struct arena *a, const struct expr *in, struct plan *sub,
                                 bool null_aware)
{
    const struct exprs *columns = plan_output(a, sub);
    struct expr *e = NULL;

    for (uint32_t i = 0; i < in->n_args; i++) {
        struct expr *eq = opt_call2(a, FUNC_EQ, in->args[i], columns->at[i]);

        if (null_aware)
            eq = opt_call2(a, FUNC_OR, eq, opt_call1(a, FUNC_IS_NULL, eq));
        e = opt_and(a, e, eq);
    }
    return e;
}

struct exist {
    struct rewrite_env *env;
    struct plan *p;
};

static struct plan *semi_join(struct rewrite_env *env, struct plan *p, struct expr *sub,
                              enum join_type type, bool null_aware);

/* Inside an OR: the join says by a column whether there is a row. */
static struct expr *exists_column(struct exist *x, struct expr *sub, bool null_aware)
{
    uint32_t id = next_expr_id();

    x->p = semi_join(x->env, x->p, sub, JOIN_EXISTENCE, null_aware);
    x->p->exists_id = id;
    x->p->output_known = false;
    return expr_attribute(x->env->arena, SV("exists"), type_of(TYPE_BOOLEAN), false, id);
}

static struct expr *put_exists(struct exist *x, struct expr *e)
{
    struct arena *a = x->env->arena;
    struct expr *copy = e;

    if (opt_is_call(e, FUNC_NOT) && e->args[0]->kind == EXPR_IN_SUBQUERY)
        return opt_call1(a, FUNC_NOT, exists_column(x, e->args[0], true));
    if (e->kind == EXPR_IN_SUBQUERY || e->kind == EXPR_EXISTS)
        return exists_column(x, e, false);
    if (!opt_has_predicate_subquery(e) || e->plan)
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *to = put_exists(x, e->args[i]);

        if (to == e->args[i])
            continue;
        if (copy == e)
            copy = expr_copy(a, e);
        copy->args[i] = to;
    }
    return copy;
}

static struct plan *semi_join(struct rewrite_env *env, struct plan *p, struct expr *sub,
                              enum join_type type, bool null_aware)
{
    struct arena *a = env->arena;
    struct expr *condition, *in = NULL, *values = sub;
    struct plan *right = own_ids(a, p, sub, &condition), *join;
    struct exist x = { env, p };

    right = RewritePredicateSubquery.apply(env, right);
    if (sub->kind == EXPR_IN_SUBQUERY) {
        values = expr_copy(a, sub);
        for (uint32_t i = 0; i < sub->n_args; i++)
            values->args[i] = put_exists(&x, sub->args[i]);
        in = in_condition(a, values, right, null_aware);
    }
    join = plan_join(a, type, x.p, right, opt_and(a, in, condition));
    return join;
}

static struct plan *apply_predicate(struct rewrite_env *env, struct plan *p,
                                    struct expr *e)
{
    struct arena *a = env->arena;
    struct exprs before = *plan_output(a, p);
    struct exist x = { env, p };
    struct plan *out;

    if (e->kind == EXPR_EXISTS || e->kind == EXPR_IN_SUBQUERY)
        out = semi_join(env, p, e, JOIN_SEMI, false);
    else if (opt_is_call(e, FUNC_NOT) && e->args[0]->kind == EXPR_EXISTS)
        out = semi_join(env, p, e->args[0], JOIN_ANTI, false);
    else if (opt_is_call(e, FUNC_NOT) && e->args[0]->kind == EXPR_IN_SUBQUERY)
        out = semi_join(env, p, e->args[0], JOIN_ANTI, true);
    else {
        e = put_exists(&x, e);
        out = plan_filter(a, e, x.p);
    }
    if (opt_same_output(&before, plan_output(a, out)))
        return out;
    return plan_project(a, before, out);
}

static struct plan *rewrite_filter(struct rewrite_env *env, struct plan *p)
{
    struct arena *a = env->arena;
    struct exprs all = opt_split(a, p->condition);
    struct exprs with = exprs_new(a, all.n), without = exprs_new(a, all.n);
    struct plan *out;

    with.n = without.n = 0;
    for (uint32_t i = 0; i < all.n; i++) {
        struct exprs *to = opt_has_predicate_subquery(all.at[i]) ? &with : &without;

        to->at[to->n++] = all.at[i];
    }
    out = opt_filter(a, opt_join_and(a, &without), p->children[0]);
    for (uint32_t i = 0; i < with.n; i++)
        out = apply_predicate(env, out, with.at[i]);
    return out;
}

static struct expr *put_in_expr(void *ctx, struct expr *e)
{
    return put_exists(ctx, e);
}

static void has_predicate(void *ctx, struct expr *e)
{
    bool *found = ctx;

    *found = *found || opt_has_predicate_subquery(e);
}

static struct plan *rewrite_predicate(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct exist x = { .env = env };
    bool found = false;
    struct plan *out;

    plan_each_expr(p, has_predicate, &found);
    if (!found)
        return p;
    if (p->kind == PLAN_FILTER)
        return rewrite_filter(env, p);
    if (p->n_children == 1) {
        x.p = p->children[0];
        out = plan_map_exprs(env->arena, p, put_in_expr, &x);
        return plan_with_children(env->arena, out, &x.p);
    }
    if (p->kind == PLAN_JOIN &&
        (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS)) {
        /* as a filter above, which is the same */
        struct plan *join = plan_copy(env->arena, p);

        join->condition = NULL;
        return rewrite_filter(env, plan_filter(env->arena, p->condition, join));
    }
    if (p->kind == PLAN_JOIN) { /* outer joins: rows of one side, marked before */
        struct plan *to[2] = { p->children[0], p->children[1] };
        uint32_t side = p->join_type == JOIN_RIGHT ? 0 : 1;
        struct exprs conjuncts = opt_split(env->arena, p->condition);
        struct exprs rest = { 0 };
        struct plan *join;

        for (uint32_t i = 0; i < conjuncts.n; i++) {
            uint32_t at = opt_covers(env->arena, plan_output(env->arena, to[1 - side]),
                                     conjuncts.at[i])
                              ? 1 - side
                              : side;
            struct expr *e = conjuncts.at[i];

            if (opt_has_predicate_subquery(e)) {
                x.p = to[at];
                e = put_exists(&x, e);
                to[at] = x.p;
            }
            rest = exprs_add(env->arena, &rest, e);
        }
        join = plan_copy(env->arena, plan_with_children(env->arena, p, to));
        join->condition = opt_join_and(env->arena, &rest);
        return plan_project(env->arena, *plan_output(env->arena, p), join);
    }
    return p;
}

static struct plan *rewrite_predicates(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, rewrite_predicate, env);
}

REWRITE(PullupCorrelatedPredicates, pullup);
REWRITE(OptimizeSubqueries, optimize_subqueries);
REWRITE(RewriteCorrelatedScalarSubquery, rewrite_scalars);
REWRITE(RewritePredicateSubquery, rewrite_predicates);
