/* Casts: those that change nothing go; those around a column that is compared with a
 * literal move to the literal.
 *
 * CAST(b AS INT) > 5 with a tinyint b is b > 5; with 1000 instead of 5 it is false, but
 * NULL where b is; with 5.5 and decimals it depends on how the literal rounds. */
#include "engine/plan/opt_int.h"

#include "engine/column/decimal.h"
#include "engine/expr/cast.h"
#include "engine/expr/eval.h"

static bool is(const struct expr *e, enum func_id id)
{
    return opt_is_call(e, id);
}

/* ---- SimplifyCasts ---- */

static bool decimal_holds(struct type wide, struct type narrow)
{
    return wide.precision - wide.scale >= narrow.precision - narrow.scale &&
           wide.scale >= narrow.scale;
}

/* Between numbers, without loss of digits or range (Cast.canUpCast). */
static bool can_up_cast(struct type from, struct type to)
{
    if (type_eq(from, to))
        return true;
    if (to.id == TYPE_DECIMAL) {
        if (from.id == TYPE_DECIMAL)
            return decimal_holds(to, from);
        return type_is_integral(from) && decimal_holds(to, decimal_for(from));
    }
    if (from.id == TYPE_DECIMAL)
        return type_is_integral(to) && decimal_holds(decimal_for(to), from);
    return from.id <= to.id; /* tinyint ... bigint, float, double */
}

static struct expr *simplify_cast(void *ctx, struct expr *e)
{
    struct arena *a = ctx;
    struct expr *inner, *copy;

    if (e->kind != EXPR_CAST)
        return e;
    inner = e->args[0];
    if (type_eq(inner->type, e->type))
        return inner;
    if (inner->kind != EXPR_CAST || !type_is_numeric(e->type) ||
        !type_is_numeric(inner->type) || !type_is_numeric(inner->args[0]->type) ||
        !can_up_cast(inner->args[0]->type, inner->type) ||
        !can_up_cast(inner->type, e->type))
        return e;
    copy = expr_copy(a, e);
    copy->args[0] = inner->args[0];
    expr_settle(copy);
    return copy;
}

static struct plan *simplify_casts(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, simplify_cast, env->arena);
}

/* ---- UnwrapCastInBinaryComparison ---- */

static struct expr *call2(struct arena *a, enum func_id id, struct expr *x,
                          struct expr *y)
{
    return opt_call2(a, id, x, y);
}

static struct expr *null_literal(struct arena *a)
{
    return opt_null_of(a, type_of(TYPE_BOOLEAN));
}

static struct expr *false_if_not_null(struct arena *a, struct expr *x)
{
    return call2(a, FUNC_AND, opt_call1(a, FUNC_IS_NULL, x), null_literal(a));
}

static struct expr *true_if_not_null(struct arena *a, struct expr *x)
{
    return call2(a, FUNC_OR, opt_call1(a, FUNC_IS_NOT_NULL, x), null_literal(a));
}

/* Integers of four and eight bytes have more digits than what they would become. */
static bool can_unwrap(struct type from, struct type to)
{
    if ((from.id == TYPE_INT && to.id == TYPE_FLOAT) ||
        (from.id == TYPE_LONG && (to.id == TYPE_FLOAT || to.id == TYPE_DOUBLE)))
        return false;
    return type_is_numeric(from) && type_is_numeric(to) && can_up_cast(from, to);
}

static bool unwraps(const struct expr *cast, const struct expr *lit)
{
    return cast->kind == EXPR_CAST && type_eq(cast->type, lit->type) &&
           can_unwrap(cast->args[0]->type, cast->type) && !expr_foldable(cast->args[0]);
}

/* The ends of an integral or floating type; decimals have none here. */
static bool range_of(struct type t, struct value *min, struct value *max)
{
    static const int bits[] = { [TYPE_BYTE] = 7, [TYPE_SHORT] = 15, [TYPE_INT] = 31 };

    *min = *max = (struct value){ .type = t };
    switch ((enum type_id)t.id) {
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
        max->u.i = (INT64_C(1) << bits[t.id]) - 1;
        min->u.i = -max->u.i - 1;
        return true;
    case TYPE_LONG:
        max->u.i = INT64_MAX;
        min->u.i = INT64_MIN;
        return true;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        max->u.f = __builtin_nan("");
        min->u.f = -__builtin_inf();
        return true;
    default:
        return false;
    }
}

static bool converted(struct rewrite_env *env, const struct value *v, struct type to,
                      struct value *out)
{
    struct err err;

    return cast_value(env->arena, v, to, CAST_TRY,
                      env->eval && env->eval->zone ? env->eval->zone : &zone_utc, out,
                      &err) == ERR_OK &&
           !out->null;
}

/* The literal is beyond the column's type, or at its very end: `past` is the sign of
 * literal - end, `end` that of the end itself. */
static struct expr *compare_with_end(struct arena *a, struct expr *e, struct expr *x,
                                     const struct value *end, int past, bool upper)
{
    enum func_id id = e->func->id;
    bool less = id == FUNC_LT || id == FUNC_LE;
    bool strict = id == FUNC_LT || id == FUNC_GT;
    struct expr *at_end = expr_literal(a, *end);

    if (id == FUNC_EQ_NULL_SAFE) {
        if (past == 0)
            return call2(a, id, x, at_end);
        return expr_deterministic(e) ? opt_bool(a, false) : e;
    }
    if (id == FUNC_EQ)
        return past == 0 ? call2(a, id, x, at_end) : false_if_not_null(a, x);
    if (past == 0 && strict == (less == upper)) /* x < max, x >= max and their mirrors */
        return strict ? opt_call1(a, FUNC_NOT, call2(a, FUNC_EQ, x, at_end))
                      : call2(a, FUNC_EQ, x, at_end);
    return less == upper ? true_if_not_null(a, x) : false_if_not_null(a, x);
}

static struct expr *compare_rounded(struct arena *a, struct expr *e, struct expr *x,
                                    struct expr *lit, int cmp)
{
    enum func_id id = e->func->id;

    if (cmp == 0)
        return call2(a, id, x, lit);
    if (id == FUNC_EQ)
        return false_if_not_null(a, x);
    if (id == FUNC_EQ_NULL_SAFE)
        return expr_deterministic(e) ? opt_bool(a, false) : e;
    if (cmp < 0) /* the literal went up */
        return call2(a, id == FUNC_LT || id == FUNC_LE ? FUNC_LT : FUNC_GE, x, lit);
    return call2(a, id == FUNC_LT || id == FUNC_LE ? FUNC_LE : FUNC_GT, x, lit);
}

/* e: CAST(x AS ..) op literal. */
static struct expr *unwrap_number(struct rewrite_env *env, struct expr *e)
{
    struct expr *x = e->args[0]->args[0], *lit = e->args[1];
    struct arena *a = env->arena;
    struct value min, max, wide, narrow;

    if (opt_is_null(lit))
        return e;
    if (range_of(x->type, &min, &max)) {
        if (!converted(env, &max, lit->type, &wide))
            return e;
        int past = value_cmp(&lit->value, &wide);
        if (past >= 0)
            return compare_with_end(a, e, x, &max, past, true);
        if (!converted(env, &min, lit->type, &wide))
            return e;
        past = value_cmp(&lit->value, &wide);
        if (past <= 0)
            return compare_with_end(a, e, x, &min, past, false);
    }
    if (!converted(env, &lit->value, x->type, &narrow) ||
        !converted(env, &narrow, lit->type, &wide))
        return e;
    return compare_rounded(a, e, x, expr_literal(a, narrow),
                           value_cmp(&lit->value, &wide));
}

/* CAST(ts AS DATE) op a day: op the moments where days begin. */
static struct expr *unwrap_date(struct rewrite_env *env, struct expr *e)
{
    struct arena *a = env->arena;
    struct expr *x = e->args[0]->args[0], *begin, *end;
    struct value day = e->args[1]->value, moment;

    if (!converted(env, &day, x->type, &moment))
        return e;
    begin = expr_literal(a, moment);
    day.u.i++;
    if (day.u.i > INT32_MAX || !converted(env, &day, x->type, &moment))
        return e;
    end = expr_literal(a, moment);
    switch (e->func->id) {
    case FUNC_GT:
        return call2(a, FUNC_GE, x, end);
    case FUNC_GE:
        return call2(a, FUNC_GE, x, begin);
    case FUNC_LT:
        return call2(a, FUNC_LT, x, begin);
    case FUNC_LE:
        return call2(a, FUNC_LT, x, end);
    default:
        return call2(a, FUNC_AND, call2(a, FUNC_GE, x, begin), call2(a, FUNC_LT, x, end));
    }
}

static enum func_id mirrored(enum func_id id)
{
    switch (id) {
    case FUNC_LT:
        return FUNC_GT;
    case FUNC_LE:
        return FUNC_GE;
    case FUNC_GT:
        return FUNC_LT;
    case FUNC_GE:
        return FUNC_LE;
    default:
        return id;
    }
}

static bool is_comparison(const struct expr *e)
{
    return is(e, FUNC_EQ) || is(e, FUNC_EQ_NULL_SAFE) || is(e, FUNC_LT) ||
           is(e, FUNC_LE) || is(e, FUNC_GT) || is(e, FUNC_GE);
}

static struct expr *turned(struct arena *a, struct expr *e)
{
    if (!is_comparison(e))
        return e;
    return call2(a, mirrored(e->func->id), e->args[1], e->args[0]);
}

static struct expr *unwrap_comparison(struct rewrite_env *env, struct expr *e)
{
    struct expr *x = e->args[0], *y = e->args[1];

    if (x->kind == EXPR_LITERAL && unwraps(y, x)) {
        struct expr *there = turned(env->arena, e), *back;

        back = unwrap_number(env, there);
        return back == there ? e : turned(env->arena, back);
    }
    if (y->kind != EXPR_LITERAL)
        return e;
    if (unwraps(x, y))
        return unwrap_number(env, e);
    if (x->kind == EXPR_CAST && x->type.id == TYPE_DATE && y->type.id == TYPE_DATE &&
        !y->value.null && !is(e, FUNC_EQ_NULL_SAFE) &&
        (x->args[0]->type.id == TYPE_TIMESTAMP ||
         x->args[0]->type.id == TYPE_TIMESTAMP_NTZ))
        return unwrap_date(env, e);
    return e;
}

/* Elements that the column's type cannot hold are equal to no row; NULLs come first. */
static struct expr *unwrap_in(struct rewrite_env *env, struct expr *e)
{
    struct arena *a = env->arena;
    struct expr *cast = e->args[0], *x, *in;
    struct exprs nulls = { 0 }, values = { 0 };
    bool none = false;

    if (cast->kind != EXPR_CAST || e->n_args < 2)
        return e;
    x = cast->args[0];
    for (uint32_t i = 1; i < e->n_args; i++) {
        struct expr *lit = e->args[i], *eq;

        if (lit->kind != EXPR_LITERAL || !unwraps(cast, lit))
            return e;
        if (opt_is_null(lit)) {
            nulls = exprs_add(a, &nulls, opt_null_of(a, x->type));
            continue;
        }
        eq = unwrap_number(env, call2(a, FUNC_EQ, cast, lit));
        if (is(eq, FUNC_EQ) && eq->args[0] == x)
            values = exprs_add(a, &values, eq->args[1]);
        else if (is(eq, FUNC_AND))
            none = true;
        else
            return e;
    }
    if (!values.n && !none)
        return e;
    values = exprs_join(a, &nulls, &values);
    if (!values.n)
        return false_if_not_null(a, x);
    in = expr_new(a, EXPR_IN, values.n + 1);
    in->in_set = e->in_set;
    in->args[0] = x;
    memcpy(in->args + 1, values.at, values.n * sizeof *values.at);
    expr_settle(in);
    return in;
}

static struct expr *unwrap(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;

    if (is_comparison(e))
        return unwrap_comparison(env, e);
    return e->kind == EXPR_IN ? unwrap_in(env, e) : e;
}

static struct plan *unwrap_casts(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, unwrap, env);
}

REWRITE(SimplifyCasts, simplify_casts);
REWRITE(UnwrapCastInBinaryComparison, unwrap_casts);
