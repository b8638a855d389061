/* Plans whose rows are known: none, one, or all of them; and what can be NULL. */
#include "engine/plan/opt_int.h"

#include "engine/expr/eval.h"

/* ---- PropagateEmptyRelation ---- */

static bool is_empty(const struct plan *p)
{
    return p->kind == PLAN_LOCAL_RELATION && p->n_rows == 0;
}

static struct plan *empty_as(struct arena *a, struct plan *p)
{
    return plan_empty(a, plan_output(a, p));
}

/* The rows of one side of an outer join, the other side's columns being NULL. */
static struct plan *one_side(struct arena *a, struct plan *join, uint32_t side)
{
    const struct exprs *out = plan_output(a, join);
    const struct exprs *own = plan_output(a, join->children[side]);
    struct exprs list = exprs_new(a, out->n);

    for (uint32_t i = 0; i < out->n; i++) {
        struct expr *e = exprs_find(own, out->at[i]->id);

        list.at[i] = e ? e
                       : expr_alias(a, opt_null_of(a, out->at[i]->type), out->at[i]->name,
                                    out->at[i]->id);
    }
    return plan_project(a, list, join->children[side]);
}

static struct plan *empty_join(struct arena *a, struct plan *p)
{
    bool left = is_empty(p->children[0]), right = is_empty(p->children[1]);
    bool never =
        p->condition && (opt_is_false(p->condition) || opt_is_null(p->condition));

    if (!left && !right && !never)
        return p;
    switch (p->join_type) {
    case JOIN_INNER:
    case JOIN_CROSS:
        return empty_as(a, p);
    case JOIN_SEMI:
        return empty_as(a, p);
    case JOIN_ANTI:
        return left ? empty_as(a, p) : p->children[0];
    case JOIN_LEFT:
        return left ? empty_as(a, p) : one_side(a, p, 0);
    case JOIN_RIGHT:
        return right ? empty_as(a, p) : one_side(a, p, 1);
    case JOIN_FULL:
        if (left && right)
            return empty_as(a, p);
        return left ? one_side(a, p, 1) : right ? one_side(a, p, 0) : p;
    case JOIN_EXISTENCE:
        return left ? empty_as(a, p) : p;
    }
    return p;
}

/* The only branch left, under the union's own names. */
static struct plan *only_branch(struct arena *a, const struct exprs *out, struct plan *p)
{
    const struct exprs *own = plan_output(a, p);
    struct exprs list = exprs_new(a, out->n);

    if (opt_same_output(out, own))
        return p;
    for (uint32_t i = 0; i < out->n; i++)
        list.at[i] = own->at[i]->id == out->at[i]->id
                         ? own->at[i]
                         : expr_alias(a, own->at[i], out->at[i]->name, out->at[i]->id);
    return plan_project(a, list, p);
}

static struct plan *empty_union(struct arena *a, struct plan *p)
{
    struct exprs out = *plan_output(a, p);
    struct plan *u = plan_copy(a, p);
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n_children; i++)
        if (!is_empty(p->children[i]))
            u->children[n++] = p->children[i];
    if (n == p->n_children)
        return p;
    if (n == 0)
        return plan_empty(a, &out);
    u->n_children = n;
    /* a union's columns have the first branch's ids */
    return only_branch(a, &out, n == 1 ? u->children[0] : u);
}

struct plan *opt_propagate_empty(struct arena *a, struct plan *p)
{
    switch (p->kind) {
    case PLAN_UNION:
        return empty_union(a, p);
    case PLAN_JOIN:
        return empty_join(a, p);
    case PLAN_AGGREGATE:
        return p->keys.n && is_empty(p->children[0]) ? empty_as(a, p) : p;
    case PLAN_INTERSECT:
        return is_empty(p->children[0]) || is_empty(p->children[1]) ? empty_as(a, p) : p;
    case PLAN_EXCEPT:
        return is_empty(p->children[0]) ? empty_as(a, p) : p;
    case PLAN_PROJECT:
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
    case PLAN_DISTINCT:
    case PLAN_WINDOW:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_EXPAND:
    case PLAN_GENERATE:
    case PLAN_SAMPLE:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        return is_empty(p->children[0]) ? empty_as(a, p) : p;
    default:
        return p;
    }
}

static struct plan *propagate_empty(void *ctx, struct plan *p)
{
    return opt_propagate_empty(ctx, p);
}

static struct plan *propagate_empties(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, propagate_empty, env->arena);
}

/* ---- ConvertToLocalRelation ---- */

enum { MOST_CELLS = 100000 };

static bool is_unevaluable(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->plan || e->kind == EXPR_AGGREGATE || e->kind == EXPR_WINDOW ||
           e->kind == EXPR_OUTER ||
           (e->kind == EXPR_CALL &&
            (e->func->flags & (FUNC_WINDOW_ONLY | FUNC_NONDETERMINISTIC)));
}

struct row {
    struct arena *arena;
    const struct exprs *columns;
    const struct value *values;
};

static struct expr *value_of_column(void *ctx, struct expr *e)
{
    const struct row *r = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < r->columns->n; i++)
        if (r->columns->at[i]->id == e->id)
            return expr_literal(r->arena, r->values[i]);
    return e;
}

static bool eval_row(struct rewrite_env *env, struct expr *e, struct plan *local,
                     uint64_t row, struct value *out)
{
    struct row r = { env->arena, &local->output, local->rows + row * local->output.n };
    struct err err;

    e = expr_transform_up(env->arena, opt_without_alias(e), value_of_column, &r);
    return eval_constant(env->arena, e, env->eval, out, &err) == ERR_OK;
}

static struct plan *local_project(struct rewrite_env *env, struct plan *p)
{
    struct plan *local = p->children[0], *to;

    if (local->n_rows * p->list.n > MOST_CELLS)
        return p;
    for (uint32_t i = 0; i < p->list.n; i++)
        if (expr_any(p->list.at[i], is_unevaluable, NULL))
            return p;
    to = plan_new(env->arena, PLAN_LOCAL_RELATION, 0);
    to->resolved = true;
    to->output = exprs_to_attributes(env->arena, &p->list);
    to->output_known = true;
    to->n_rows = local->n_rows;
    to->rows = arena_array(env->arena, local->n_rows * p->list.n + 1, sizeof *to->rows);
    for (uint64_t row = 0; row < local->n_rows; row++)
        for (uint32_t i = 0; i < p->list.n; i++)
            if (!eval_row(env, p->list.at[i], local, row, &to->rows[row * p->list.n + i]))
                return p;
    return to;
}

static struct plan *first_rows(struct arena *a, struct plan *local, uint64_t n)
{
    struct plan *to = plan_copy(a, local);

    to->output_known = true;
    to->n_rows = n;
    return to;
}

static struct plan *local_filter(struct rewrite_env *env, struct plan *p)
{
    struct plan *local = p->children[0], *to;
    uint32_t width = local->output.n;
    struct value keep;

    if (local->n_rows > MOST_CELLS || expr_any(p->condition, is_unevaluable, NULL))
        return p;
    to = first_rows(env->arena, local, 0);
    to->rows = arena_array(env->arena, local->n_rows * width + 1, sizeof *to->rows);
    for (uint64_t row = 0; row < local->n_rows; row++) {
        if (!eval_row(env, p->condition, local, row, &keep))
            return p;
        if (!keep.null && keep.u.b && width)
            memcpy(to->rows + to->n_rows * width, local->rows + row * width,
                   width * sizeof *to->rows);
        to->n_rows += !keep.null && keep.u.b;
    }
    return to;
}

static struct plan *to_local(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct plan *local = p->n_children == 1 ? p->children[0] : NULL;

    if (!local || local->kind != PLAN_LOCAL_RELATION)
        return p;
    if (p->kind == PLAN_PROJECT)
        return local_project(env, p);
    if (p->kind == PLAN_FILTER)
        return local_filter(env, p);
    if ((p->kind == PLAN_GLOBAL_LIMIT || p->kind == PLAN_LOCAL_LIMIT) &&
        p->limit->kind == EXPR_LITERAL && p->limit->value.u.i >= 0)
        return (uint64_t)p->limit->value.u.i < local->n_rows
                   ? first_rows(env->arena, local, (uint64_t)p->limit->value.u.i)
                   : local;
    return p;
}

static struct plan *convert_to_local(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, to_local, env);
}

/* ---- UpdateAttributeNullability ---- */

struct known {
    struct arena *arena;
    const struct plan *p;
};

static struct expr *set_nullable(struct arena *a, struct expr *e, bool nullable)
{
    struct expr *copy;

    if (e->nullable == nullable)
        return e;
    copy = expr_copy(a, e);
    copy->nullable = nullable;
    return copy;
}

static struct expr *as_below(void *ctx, struct expr *e)
{
    const struct known *k = ctx;

    if (e->kind == EXPR_CALL)
        return set_nullable(k->arena, e,
                            func_nullable(e->func, e->type, e->args, e->n_args));
    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < k->p->n_children; i++) {
        struct expr *below = exprs_find(plan_output(k->arena, k->p->children[i]), e->id);

        if (below)
            return set_nullable(k->arena, e, below->nullable);
    }
    return e;
}

static struct expr *exprs_as_below(void *ctx, struct expr *e)
{
    const struct known *k = ctx;

    return expr_transform_up(k->arena, e, as_below, ctx);
}

static struct plan *update_node(void *ctx, struct plan *p)
{
    struct known k = { ctx, p };

    return p->n_children ? plan_map_exprs(ctx, p, exprs_as_below, &k) : p;
}

static struct plan *update_nullability(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, update_node, env->arena);
}

/* ---- OptimizeOneRowPlan ---- */

static struct plan *one_row(void *ctx, struct plan *p)
{
    struct arena *a = ctx;

    if (!p->n_children || (p->kind != PLAN_SORT && p->kind != PLAN_AGGREGATE))
        return p;
    if (opt_max_rows(p->children[0]) > 1)
        return p;
    if (p->kind == PLAN_SORT)
        return p->children[0];
    if (opt_groups_only(p))
        return plan_project(a, p->list, p->children[0]);
    return p;
}

static struct plan *optimize_one_row(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, one_row, env->arena);
}

REWRITE(PropagateEmptyRelation, propagate_empties);
REWRITE(ConvertToLocalRelation, convert_to_local);
REWRITE(UpdateAttributeNullability, update_nullability);
REWRITE(OptimizeOneRowPlan, optimize_one_row);
