/* What rules are written with: sets of expressions, inlining, small questions. */
#include "engine/plan/opt_int.h"

#include "engine/expr/eval.h"
#include "engine/plan/adaptive.h"

/* ---- sets ---- */

bool opt_has(const struct exprs *set, const struct expr *e)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (expr_same(set->at[i], e))
            return true;
    return false;
}

void opt_add(struct arena *a, struct exprs *set, struct expr *e)
{
    if (!opt_has(set, e))
        *set = exprs_add(a, set, e);
}

struct exprs opt_minus(struct arena *a, const struct exprs *set,
                       const struct exprs *without)
{
    struct exprs out = exprs_new(a, set->n);

    out.n = 0;
    for (uint32_t i = 0; i < set->n; i++)
        if (!opt_has(without, set->at[i]))
            out.at[out.n++] = set->at[i];
    return out;
}

struct exprs opt_split(struct arena *a, struct expr *e)
{
    struct exprs out = { 0 };

    if (e)
        out.n = expr_split_and(a, e, &out.at);
    return out;
}

struct expr *opt_join_and(struct arena *a, const struct exprs *list)
{
    return list->n ? expr_join_and(a, list->at, list->n) : NULL;
}

struct expr *opt_and(struct arena *a, struct expr *x, struct expr *y)
{
    if (!x || !y)
        return x ? x : y;
    return opt_call2(a, FUNC_AND, x, y);
}

struct plan *opt_filter(struct arena *a, struct expr *condition, struct plan *p)
{
    return condition ? plan_filter(a, condition, p) : p;
}

/* ---- attributes ---- */

bool opt_covers(struct arena *a, const struct exprs *attributes, const struct expr *e)
{
    struct expr_set used = { 0 };

    expr_references(a, e, &used);
    for (uint32_t i = 0; i < used.n; i++)
        if (!exprs_find(attributes, used.ids[i]))
            return false;
    return true;
}

bool opt_uses_none(struct arena *a, const struct expr *e)
{
    struct expr_set used = { 0 };

    expr_references(a, e, &used);
    return used.n == 0;
}

struct replacing {
    const struct exprs *from, *to; /* to NULL: aliases in from */
};

static struct expr *replace_attribute(void *ctx, struct expr *e)
{
    const struct replacing *r = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < r->from->n; i++) {
        struct expr *x = r->from->at[i];

        if (x->id != e->id)
            continue;
        if (r->to)
            return r->to->at[i];
        return x->kind == EXPR_ALIAS ? x->args[0] : e;
    }
    return e;
}

struct expr *opt_inline(struct arena *a, struct expr *e, const struct exprs *list)
{
    struct replacing r = { list, NULL };

    return expr_transform_up(a, e, replace_attribute, &r);
}

struct expr *opt_replace(struct arena *a, struct expr *e, const struct exprs *from,
                         const struct exprs *to)
{
    struct replacing r = { from, to };

    return expr_transform_up(a, e, replace_attribute, &r);
}

struct expr *opt_without_alias(struct expr *e)
{
    while (e->kind == EXPR_ALIAS)
        e = e->args[0];
    return e;
}

struct expr *opt_inline_item(struct arena *a, struct expr *item, const struct exprs *list)
{
    struct expr *e;

    if (item->kind == EXPR_ALIAS) {
        e = opt_without_alias(opt_inline(a, item->args[0], list));
        if (e == item->args[0])
            return item;
    } else {
        e = opt_inline(a, item, list);
        if (e == item)
            return item;
        e = opt_without_alias(e);
    }
    struct expr *alias = expr_alias(a, e, item->name, item->id);
    alias->parts = item->parts;
    alias->n_parts = item->n_parts;
    return alias;
}

bool opt_all_deterministic(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!expr_deterministic(list->at[i]))
            return false;
    return true;
}

bool opt_all_attributes(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->at[i]->kind != EXPR_ATTRIBUTE)
            return false;
    return true;
}

bool opt_same_output(const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (x->at[i]->id != y->at[i]->id)
            return false;
    return true;
}

bool opt_same_list(const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (x->at[i] != y->at[i])
            return false;
    return true;
}

/* ---- expressions ---- */

bool opt_is_call(const struct expr *e, enum func_id id)
{
    return e->kind == EXPR_CALL && e->func->id == id;
}

bool opt_is_true(const struct expr *e)
{
    return e->kind == EXPR_LITERAL && e->type.id == TYPE_BOOLEAN && !e->value.null &&
           e->value.u.b;
}

bool opt_is_false(const struct expr *e)
{
    return e->kind == EXPR_LITERAL && e->type.id == TYPE_BOOLEAN && !e->value.null &&
           !e->value.u.b;
}

bool opt_is_null(const struct expr *e)
{
    return e->kind == EXPR_LITERAL && e->value.null;
}

struct expr *opt_bool(struct arena *a, bool x)
{
    return expr_literal(a, value_bool(x));
}

struct expr *opt_null_of(struct arena *a, struct type t)
{
    return expr_literal(a, value_null(t));
}

struct expr *opt_call1(struct arena *a, enum func_id id, struct expr *x)
{
    return expr_call(a, func_of(id), type_of(TYPE_BOOLEAN), 1, x);
}

struct expr *opt_call2(struct arena *a, enum func_id id, struct expr *x, struct expr *y)
{
    return expr_call(a, func_of(id), type_of(TYPE_BOOLEAN), 2, x, y);
}

static bool is_predicate_subquery(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_IN_SUBQUERY || e->kind == EXPR_EXISTS;
}

bool opt_has_predicate_subquery(const struct expr *e)
{
    return expr_any(e, is_predicate_subquery, NULL);
}

static bool is_correlated(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->plan && e->n_outer;
}

bool opt_has_correlated(const struct expr *e)
{
    return expr_any(e, is_correlated, NULL);
}

static bool is_unevaluable(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->plan || e->kind == EXPR_AGGREGATE || e->kind == EXPR_WINDOW ||
           e->kind == EXPR_OUTER ||
           (e->kind == EXPR_CALL && (e->func->flags & FUNC_WINDOW_ONLY));
}

static struct expr *null_for_attribute(void *ctx, struct expr *e)
{
    return e->kind == EXPR_ATTRIBUTE ? opt_null_of(ctx, e->type) : e;
}

bool opt_eval_on_nulls(struct rewrite_env *env, struct expr *e, struct value *out)
{
    struct err err;

    if (expr_any(e, is_unevaluable, NULL) || !expr_deterministic(e))
        return false;
    e = expr_transform_up(env->arena, e, null_for_attribute, env->arena);
    return eval_constant(env->arena, e, env->eval, out, &err) == ERR_OK;
}

/* ---- plans ---- */

static int64_t literal_rows(const struct expr *e)
{
    return e && e->kind == EXPR_LITERAL && !e->value.null && e->value.u.i >= 0
               ? e->value.u.i
               : INT64_MAX;
}

static int64_t smaller(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

static int64_t add_rows(int64_t x, int64_t y)
{
    return x > INT64_MAX - y ? INT64_MAX : x + y;
}

static int64_t join_rows(struct plan *p)
{
    int64_t left = opt_max_rows(p->children[0]), right, product;

    if (p->join_type == JOIN_SEMI || p->join_type == JOIN_ANTI ||
        p->join_type == JOIN_EXISTENCE)
        return left;
    right = opt_max_rows(p->children[1]);
    if (left == INT64_MAX || right == INT64_MAX ||
        __builtin_mul_overflow(left, right, &product))
        return INT64_MAX;
    switch (p->join_type) {
    case JOIN_LEFT:
        return product > left ? product : left;
    case JOIN_RIGHT:
        return product > right ? product : right;
    case JOIN_FULL:
        return product > add_rows(left, right) ? product : add_rows(left, right);
    default:
        return product;
    }
}

/* What stands over a stage that ran may make more of its rows: an aggregate without keys
 * makes one of none. -1: not known. */
static int64_t rows_over_stage(const struct phys *q)
{
    for (;; q = q->children[0])
        switch (q->kind) {
        case PHYS_STAGE:
            return q->stage->done ? q->stage->stats.rows : -1;
        case PHYS_HASH_AGG:
        case PHYS_OBJECT_AGG:
        case PHYS_SORT_AGG:
            if (!q->keys.n)
                return 1;
            break;
        case PHYS_PROJECT:
        case PHYS_FILTER:
        case PHYS_SORT:
            break;
        default:
            return -1;
        }
}

int64_t opt_max_rows(struct plan *p)
{
    int64_t n = 0;

    switch (p->kind) {
    case PLAN_LOCAL_RELATION:
        return (int64_t)p->n_rows;
    case PLAN_ONE_ROW:
        return 1;
    case PLAN_STAGE:
        n = rows_over_stage(p->phys);
        return n >= 0 ? n : opt_max_rows(p->origin);
    case PLAN_RANGE:
        if ((p->range_step > 0) == (p->range_end > p->range_start)) {
            i128 span = (i128)p->range_end - p->range_start;
            i128 rows =
                (span + p->range_step + (p->range_step > 0 ? -1 : 1)) / p->range_step;
            return rows > INT64_MAX ? INT64_MAX : (int64_t)rows;
        }
        return 0;
    case PLAN_GLOBAL_LIMIT:
        return smaller(literal_rows(p->limit), opt_max_rows(p->children[0]));
    case PLAN_AGGREGATE:
        return p->keys.n ? opt_max_rows(p->children[0]) : 1;
    case PLAN_UNION:
        for (uint32_t i = 0; i < p->n_children; i++)
            n = add_rows(n, opt_max_rows(p->children[i]));
        return n;
    case PLAN_OFFSET: {
        int64_t skip = literal_rows(p->limit), below = opt_max_rows(p->children[0]);

        if (below == INT64_MAX || skip == INT64_MAX)
            return below;
        return below > skip ? below - skip : 0;
    }
    case PLAN_JOIN:
        return join_rows(p);
    case PLAN_INTERSECT:
        return smaller(opt_max_rows(p->children[0]), opt_max_rows(p->children[1]));
    case PLAN_EXCEPT:
    case PLAN_PROJECT:
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_DISTINCT:
    case PLAN_WINDOW:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        return opt_max_rows(p->children[0]);
    default:
        return INT64_MAX;
    }
}

bool opt_groups_only(const struct plan *p)
{
    if (p->kind != PLAN_AGGREGATE || !p->keys.n)
        return false;
    for (uint32_t i = 0; i < p->list.n; i++)
        if (expr_has_aggregate(p->list.at[i]))
            return false;
    return true;
}

struct each {
    struct rewrite_env *env;
    expr_fn fn;
};

static struct plan *each_in_subquery(void *ctx, struct plan *p)
{
    struct each *each = ctx;

    return opt_each_expr(each->env, p, each->fn);
}

struct plan *opt_each_expr(struct rewrite_env *env, struct plan *p, expr_fn fn)
{
    struct each each = { env, fn };

    p = plan_map_all_exprs(env->arena, p, fn, env);
    return plan_transform_subqueries(env->arena, p, each_in_subquery, &each);
}
