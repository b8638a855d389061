/* What is known before any row: constants, NULL that spreads, conditions with one way.
 *
 * A constant whose computation fails (ANSI) stays as it is: the query fails where and if
 * it is computed. */
#include "engine/plan/opt_int.h"

#include "engine/expr/eval.h"

static bool is(const struct expr *e, enum func_id id)
{
    return opt_is_call(e, id);
}

static bool is_foldable_kind(const struct expr *e)
{
    return e->kind == EXPR_CALL || e->kind == EXPR_CAST || e->kind == EXPR_CASE ||
           e->kind == EXPR_IN;
}

/* ---- ConstantFolding ---- */

static struct expr *fold(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;
    struct value v;
    struct err err;

    if (!is_foldable_kind(e) || !expr_foldable(e) ||
        eval_constant(env->arena, e, env->eval, &v, &err) != ERR_OK)
        return e;
    if (v.null)
        return opt_null_of(env->arena, e->type);
    v.type = e->type;
    return expr_literal(env->arena, v);
}

static struct expr *fold_down(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;

    return expr_transform_down(env->arena, e, fold, env);
}

static struct plan *fold_in(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;

    return plan_map_exprs(env->arena, p, fold_down, env);
}

static struct plan *fold_constants(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, fold_in, env);
}

/* ---- NullPropagation ---- */

static bool any_null_literal(const struct expr *e)
{
    for (uint32_t i = 0; i < e->n_args; i++)
        if (opt_is_null(e->args[i]))
            return true;
    return false;
}

static struct expr *coalesce_known(struct arena *a, struct expr *e)
{
    struct exprs rest = { 0 };

    for (uint32_t i = 0; i < e->n_args; i++) {
        if (opt_is_null(e->args[i]))
            continue;
        rest = exprs_add(a, &rest, e->args[i]);
        if (!e->args[i]->nullable)
            break;
    }
    if (!rest.n)
        return opt_null_of(a, e->type);
    if (rest.n == 1)
        return rest.at[0];
    if (rest.n == e->n_args)
        return e;
    struct expr *copy = expr_new(a, EXPR_CALL, rest.n);
    struct expr **args = copy->args;
    *copy = *e;
    copy->args = args;
    copy->n_args = rest.n;
    memcpy(args, rest.at, rest.n * sizeof *args);
    expr_settle(copy);
    return copy;
}

static struct expr *count_known(struct arena *a, struct expr *e)
{
    bool all_null = true, any_nullable = false, one;
    struct expr *copy;

    if (!sv_is(SV("count"), e->agg->name))
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        all_null = all_null && opt_is_null(e->args[i]);
        any_nullable = any_nullable || e->args[i]->nullable;
    }
    if (all_null)
        return expr_literal(a, value_long(0));
    one = e->n_args == 1 && e->args[0]->kind == EXPR_LITERAL &&
          e->args[0]->type.id == TYPE_INT && e->args[0]->value.u.i == 1;
    if (any_nullable || e->distinct || one)
        return e;
    copy = expr_copy(a, e);
    copy->n_args = 1;
    copy->args[0] = expr_literal(a, value_int(1));
    return copy;
}

static struct expr *spread_null_call(struct arena *a, struct expr *e)
{
    switch (e->func->id) {
    case FUNC_IS_NULL:
    case FUNC_IS_NOT_NULL:
        return e->args[0]->nullable ? e : opt_bool(a, is(e, FUNC_IS_NOT_NULL));
    case FUNC_EQ_NULL_SAFE:
        if (opt_is_null(e->args[0]))
            return opt_call1(a, FUNC_IS_NULL, e->args[1]);
        return opt_is_null(e->args[1]) ? opt_call1(a, FUNC_IS_NULL, e->args[0]) : e;
    case FUNC_COALESCE:
        return coalesce_known(a, e);
    default:
        /* Spark's Concat is not marked as such, though it yields NULL too */
        return (e->func->flags & FUNC_NULL_INTOLERANT) && any_null_literal(e) &&
                       !sv_is(SV("concat"), e->func->name)
                   ? opt_null_of(a, e->type)
                   : e;
    }
}

static struct expr *spread_null(void *ctx, struct expr *e)
{
    struct arena *a = ctx;

    switch (e->kind) {
    case EXPR_CALL:
        return spread_null_call(a, e);
    case EXPR_CAST:
        return opt_is_null(e->args[0]) ? opt_null_of(a, e->type) : e;
    case EXPR_IN:
        return opt_is_null(e->args[0]) ? opt_null_of(a, e->type) : e;
    case EXPR_IN_SUBQUERY:
        return e->n_args == 1 && opt_is_null(e->args[0]) ? opt_null_of(a, e->type) : e;
    case EXPR_AGGREGATE:
        return count_known(a, e);
    case EXPR_WINDOW:
        return e->args[0]->kind == EXPR_LITERAL ? e->args[0] : e;
    default:
        return e;
    }
}

/* count(NULL) OVER (..) became a literal: no window, so a Project above adds it. */
static struct plan *constants_off_window(void *ctx, struct plan *p)
{
    struct exprs windows = { 0 }, list = { 0 };
    const struct exprs *all;
    struct arena *a = ctx;
    struct plan *rest;

    if (p->kind != PLAN_WINDOW)
        return p;
    all = plan_output(a, p);
    for (uint32_t i = 0, child = all->n - p->list.n; i < all->n; i++) {
        struct expr *e = i < child ? all->at[i] : p->list.at[i - child];
        bool constant =
            i >= child && e->kind == EXPR_ALIAS && e->args[0]->kind == EXPR_LITERAL;

        list = exprs_add(a, &list, constant ? e : all->at[i]);
        if (i >= child && !constant)
            windows = exprs_add(a, &windows, e);
    }
    if (windows.n == p->list.n)
        return p;
    if (!windows.n)
        return plan_project(a, list, p->children[0]);
    rest = plan_copy(a, p);
    rest->list = windows;
    return plan_project(a, list, rest);
}

static struct plan *spread_nulls(struct rewrite_env *env, struct plan *p)
{
    p = plan_map_all_exprs(env->arena, p, spread_null, env->arena);
    return plan_transform_up(env->arena, p, constants_off_window, env->arena);
}

/* ---- SimplifyConditionals ---- */

static bool never_true(const struct expr *e)
{
    return opt_is_false(e) || opt_is_null(e);
}

/* cond where it becomes true or false, as `then` says: NULL counts as false. */
static struct expr *truth_of(struct arena *a, struct expr *cond, bool then)
{
    struct expr *e =
        cond->nullable ? opt_call2(a, FUNC_EQ_NULL_SAFE, cond, opt_bool(a, true)) : cond;

    return then ? e : opt_call1(a, FUNC_NOT, e);
}

static bool true_and_false(const struct expr *x, const struct expr *y)
{
    return (opt_is_true(x) && opt_is_false(y)) || (opt_is_false(x) && opt_is_true(y));
}

static struct expr *simplify_if(struct arena *a, struct expr *e)
{
    struct expr *cond = e->args[0], *x = e->args[1], *y = e->args[2];

    if (opt_is_true(cond))
        return x;
    if (never_true(cond))
        return y;
    if (expr_deterministic(cond) && expr_same(x, y))
        return x;
    if (true_and_false(x, y))
        return truth_of(a, cond, opt_is_true(x));
    if (cond->nullable || e->type.id != TYPE_BOOLEAN)
        return e;
    if (opt_is_null(x) && opt_is_false(y))
        return opt_call2(a, FUNC_AND, cond, x);
    if (opt_is_null(x) && opt_is_true(y))
        return opt_call2(a, FUNC_OR, opt_call1(a, FUNC_NOT, cond), x);
    if (opt_is_false(x) && opt_is_null(y))
        return opt_call2(a, FUNC_AND, opt_call1(a, FUNC_NOT, cond), y);
    if (opt_is_true(x) && opt_is_null(y))
        return opt_call2(a, FUNC_OR, cond, y);
    return e;
}

static struct expr *case_of(struct arena *a, struct expr *const *args, uint32_t n)
{
    struct expr *e = expr_new(a, EXPR_CASE, n);

    memcpy(e->args, args, n * sizeof *args);
    expr_settle(e);
    return e;
}

/* Branches that never apply go; those behind one that always does, too. */
static struct expr *prune_branches(struct arena *a, struct expr *e)
{
    struct expr **args = arena_array(a, e->n_args, sizeof *args);
    uint32_t n = 0, pairs = e->n_args / 2;

    for (uint32_t i = 0; i < pairs; i++) {
        if (never_true(e->args[2 * i]))
            continue;
        if (opt_is_true(e->args[2 * i]) && !n)
            return e->args[2 * i + 1];
        args[n++] = e->args[2 * i];
        args[n++] = e->args[2 * i + 1];
        if (opt_is_true(e->args[2 * i]))
            return n == e->n_args ? e : case_of(a, args, n);
    }
    if (e->n_args % 2 && !opt_is_null(e->args[2 * pairs]))
        args[n++] = e->args[2 * pairs];
    if (!n)
        return opt_null_of(a, e->type);
    if (n == e->n_args)
        return e;
    return n == 1 ? args[0] : case_of(a, args, n);
}

static struct expr *simplify_case(struct arena *a, struct expr *e)
{
    struct expr *last, *to = prune_branches(a, e);
    uint32_t n;

    if (to != e || e->kind != EXPR_CASE)
        return to;
    last = e->n_args % 2 ? e->args[e->n_args - 1] : opt_null_of(a, e->type);
    n = e->n_args / 2;
    for (uint32_t i = 0; i < n; i++)
        if (!expr_same(e->args[2 * i + 1], last)) {
            if (n == 1 && true_and_false(e->args[1], last))
                return truth_of(a, e->args[0], opt_is_true(e->args[1]));
            return e;
        }
    while (n && expr_deterministic(e->args[2 * n - 2]))
        n--;
    if (!n)
        return last;
    if (2 * n + 1 >= e->n_args)
        return e;
    struct expr **args = arena_array(a, 2 * n + 1, sizeof *args);
    memcpy(args, e->args, 2 * n * sizeof *args);
    args[2 * n] = last;
    return case_of(a, args, 2 * n + e->n_args % 2);
}

static struct expr *simplify_conditional(void *ctx, struct expr *e)
{
    if (is(e, FUNC_IF))
        return simplify_if(ctx, e);
    return e->kind == EXPR_CASE ? simplify_case(ctx, e) : e;
}

static struct plan *simplify_conditionals(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, simplify_conditional, env->arena);
}

/* ---- PushFoldableIntoBranches ----
 *
 * f(IF(c, 1, x), 2) becomes IF(c, f(1, 2), f(x, 2)): worth it where at most one branch is
 * left to compute. */

static bool is_branching(const struct expr *e)
{
    return is(e, FUNC_IF) || e->kind == EXPR_CASE;
}

static bool is_branch_result(const struct expr *e, uint32_t i)
{
    if (e->kind == EXPR_CALL)
        return i > 0;
    return i % 2 == 1 || i + 1 == e->n_args;
}

static bool most_branches_fold(const struct expr *e)
{
    uint32_t unknown = 0;

    for (uint32_t i = 0; i < e->n_args; i++)
        unknown += is_branch_result(e, i) && !expr_foldable(e->args[i]);
    return unknown < 2;
}

/* Of the functions with one or two arguments, those that Spark lets in. */
static bool can_enter(const struct expr *e)
{
    static const char *const names[] = {
        "abs",      "bin",        "factorial",  "hex",         "lower",     "upper",
        "ascii",    "base64",     "bit_length", "chr",         "length",    "year",
        "month",    "quarter",    "day",        "dayofmonth",  "dayofweek", "dayofyear",
        "weekday",  "weekofyear", "hour",       "minute",      "second",    "last_day",
        "acos",     "asin",       "atan",       "cbrt",        "ceil",      "cos",
        "cosh",     "exp",        "expm1",      "floor",       "ln",        "log10",
        "log1p",    "log2",       "rint",       "signum",      "sign",      "sin",
        "sinh",     "sqrt",       "tan",        "tanh",        "degrees",   "radians",
        "atan2",    "power",      "hypot",      "log",         "pmod",      "add_months",
        "date_add", "date_sub",   "datediff",   "find_in_set", "round",     "bround",
    };

    if (e->kind == EXPR_CAST)
        return true;
    if (e->kind != EXPR_CALL || e->n_args > 2 || is(e, FUNC_AND) || is(e, FUNC_OR) ||
        is(e, FUNC_NOT) || is(e, FUNC_COALESCE))
        return false;
    if (e->func->id != FUNC_OTHER)
        return e->func->id != FUNC_MURMUR3 && e->func->id != FUNC_XXHASH64 &&
               e->func->id != FUNC_NEGATE && e->func->id != FUNC_UNSCALED_VALUE &&
               e->func->id != FUNC_MAKE_DECIMAL &&
               e->func->id != FUNC_KNOWN_FLOATING_NORMALIZED;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(sv(names[i]), e->func->name))
            return true;
    return e->func->symbol != NULL;
}

static struct expr *with_arg(struct arena *a, const struct expr *e, uint32_t i,
                             struct expr *arg)
{
    struct expr *copy = expr_copy(a, e);

    copy->args[i] = arg;
    expr_settle(copy);
    return copy;
}

static struct expr *push_into(struct arena *a, struct expr *e, uint32_t which)
{
    struct expr *in = e->args[which], *out;
    bool add_else = in->kind == EXPR_CASE && in->n_args % 2 == 0;

    out = expr_new(a, in->kind, in->n_args + add_else);
    struct expr **args = out->args;
    *out = *in;
    out->args = args;
    out->n_args = in->n_args + add_else;
    out->type = e->type;
    for (uint32_t i = 0; i < in->n_args; i++)
        args[i] =
            is_branch_result(in, i) ? with_arg(a, e, which, in->args[i]) : in->args[i];
    if (add_else)
        args[in->n_args] = with_arg(a, e, which, opt_null_of(a, in->type));
    expr_settle(out);
    return out;
}

static struct expr *push_foldable(void *ctx, struct expr *e)
{
    if ((e->n_args != 1 && e->n_args != 2) || !can_enter(e))
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (!is_branching(e->args[i]) || !most_branches_fold(e->args[i]))
            continue;
        if (e->n_args == 1 || expr_foldable(e->args[1 - i]))
            return push_into(ctx, e, i);
    }
    return e;
}

static struct plan *push_foldables(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, push_foldable, env->arena);
}

/* ---- ReorderAssociativeOperator: 3 + i + 4 is i + 7, of integers ---- */

struct reordering {
    struct rewrite_env *env;
    const struct exprs *groups; /* an Aggregate's keys stay recognisable */
};

static void flatten(struct reordering *r, enum func_id id, struct expr *e,
                    struct exprs *known, struct exprs *others)
{
    if (is(e, id) && !opt_has(r->groups, e)) {
        flatten(r, id, e->args[0], known, others);
        flatten(r, id, e->args[1], known, others);
        return;
    }
    struct exprs *to = expr_foldable(e) ? known : others;
    *to = exprs_add(r->env->arena, to, e);
}

static struct expr *operate(struct arena *a, const struct expr *like,
                            const struct exprs *list)
{
    struct expr *e = list->at[0];

    for (uint32_t i = 1; i < list->n; i++)
        e = expr_call(a, like->func, like->type, 2, e, list->at[i]);
    return e;
}

static struct expr *reorder(void *ctx, struct expr *e)
{
    struct reordering *r = ctx;
    struct exprs known = { 0 }, others = { 0 };
    struct expr *sum;

    if ((!is(e, FUNC_ADD) && !is(e, FUNC_MULTIPLY)) || !type_is_integral(e->type) ||
        !expr_deterministic(e))
        return e;
    flatten(r, e->func->id, e, &known, &others);
    if (known.n < 2)
        return e;
    sum = fold(r->env, operate(r->env->arena, e, &known));
    if (sum->kind != EXPR_LITERAL)
        return e;
    if (!others.n)
        return sum;
    others = exprs_add(r->env->arena, &others, sum);
    struct exprs two = exprs_new(r->env->arena, 2);
    others.n--;
    two.at[0] = operate(r->env->arena, e, &others);
    two.at[1] = sum;
    return operate(r->env->arena, e, &two);
}

static struct expr *reorder_in(void *ctx, struct expr *e)
{
    struct reordering *r = ctx;

    return expr_transform_down(r->env->arena, e, reorder, r);
}

static struct plan *reorder_node(void *ctx, struct plan *p)
{
    struct exprs none = { 0 };
    struct reordering r = { ctx, p->kind == PLAN_AGGREGATE ? &p->keys : &none };

    return plan_map_exprs(r.env->arena, p, reorder_in, &r);
}

static struct plan *reorder_all(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, reorder_node, env);
}

REWRITE(ConstantFolding, fold_constants);
REWRITE(NullPropagation, spread_nulls);
REWRITE(SimplifyConditionals, simplify_conditionals);
REWRITE(PushFoldableIntoBranches, push_foldables);
REWRITE(ReorderAssociativeOperator, reorder_all);
