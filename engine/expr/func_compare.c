/* Logic, comparisons and choices by NULL.
 *
 * AND, OR, IF and COALESCE are the evaluator's (eval_lazy.c): it computes arguments only
 * where they count. A comparison yields 0 or 1; NaN equals NaN and is above all numbers,
 * -0.0 equals 0.0, text compares by bytes. */
#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"

#include <math.h>

/* ---- binding ---- */

static enum errc bind_not(struct func_bind *b, struct err *err)
{
    return func_bind_sig(b, "b:b", err);
}

static enum errc bind_logic(struct func_bind *b, struct err *err)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;

    for (uint32_t i = 0; i < 2; i++)
        if (b->args[i]->type.id != TYPE_BOOLEAN && b->args[i]->type.id != TYPE_NULL)
            return type_eq(l, r) || l.id == TYPE_NULL || r.id == TYPE_NULL
                       ? func_refuse_both(b, "\"BOOLEAN\"", err)
                       : func_refuse_pair(b, err);
    return func_bind_sig(b, "b*:b", err);
}

/* 1 or 0 as a literal of any exact type; -1: neither. */
static int truth_of(const struct expr *e)
{
    struct value v;
    i128 one = 1, x;

    if (!type_is_numeric(e->type) || !func_literal(e, &v))
        return -1;
    if (e->type.id == TYPE_DECIMAL) {
        for (int i = 0; i < e->type.scale; i++)
            one *= 10;
        x = v.u.dec;
    } else if (type_is_integral(e->type)) {
        x = v.u.i;
    } else {
        return -1;
    }
    return x == one ? 1 : x == 0 ? 0 : -1;
}

/* A boolean beside the literal 1 is the boolean, beside 0 its opposite. */
static bool equals_truth(struct func_bind *b)
{
    uint32_t at = b->args[0]->type.id == TYPE_BOOLEAN ? 0 : 1;
    struct expr *e = b->args[at], *both[2];
    int truth = truth_of(b->args[1 - at]);

    if (e->type.id != TYPE_BOOLEAN || truth < 0)
        return false;
    b->done = truth ? e : func_must_call(b->arena, b->settings, FUNC_NOT, &e, 1);
    if (b->func->id == FUNC_EQ_NULL_SAFE) {
        both[0] = func_must_call(b->arena, b->settings, FUNC_IS_NOT_NULL, &e, 1);
        both[1] = b->done;
        b->done = func_must_call(b->arena, b->settings, FUNC_AND, both, 2);
    }
    return true;
}

static enum errc bind_compare(struct func_bind *b, struct err *err)
{
    struct type t, l = b->args[0]->type, r = b->args[1]->type;
    bool equality = b->func->id == FUNC_EQ || b->func->id == FUNC_EQ_NULL_SAFE;

    if (!func_compare_type(b->settings, b->args[0], b->args[1], &t) ||
        (!equality && ((l.id == TYPE_BOOLEAN && type_is_numeric(r)) ||
                       (r.id == TYPE_BOOLEAN && type_is_numeric(l)))))
        return func_refuse_pair(b, err);
    if (equality && equals_truth(b))
        return ERR_OK;
    b->want[0] = b->want[1] = t;
    b->type = type_of(TYPE_BOOLEAN);
    return ERR_OK;
}

static enum errc bind_if(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_BOOLEAN && b->args[0]->type.id != TYPE_NULL)
        return func_refuse(b, 0, "\"BOOLEAN\"", err);
    b->want[0] = type_of(TYPE_BOOLEAN);
    return func_unify(b, 1, &b->type, err);
}

static enum errc bind_same(struct func_bind *b, struct err *err)
{
    return func_unify(b, 0, &b->type, err);
}

/* a keeps its type, whatever it is compared as. */
static enum errc bind_nullif(struct func_bind *b, struct err *err)
{
    struct type t;

    if (!func_compare_type(b->settings, b->args[0], b->args[1], &t))
        return func_refuse_pair(b, err);
    b->type = b->args[0]->type;
    return ERR_OK;
}

static struct expr *replace_nullif(struct arena *a, const struct settings *s,
                                   const struct expr *e)
{
    struct expr *args[3] = { func_must_call(a, s, FUNC_EQ, e->args, 2),
                             expr_literal(a, value_null(e->type)), e->args[0] };

    return func_must_call(a, s, FUNC_IF, args, 3);
}

static enum errc bind_nvl2(struct func_bind *b, struct err *err)
{
    return func_unify(b, 1, &b->type, err);
}

static struct expr *replace_nvl2(struct arena *a, const struct settings *s,
                                 const struct expr *e)
{
    struct expr *args[3] = { func_must_call(a, s, FUNC_IS_NOT_NULL, e->args, 1),
                             e->args[1], e->args[2] };

    return func_must_call(a, s, FUNC_IF, args, 3);
}

static struct expr *replace_nvl(struct arena *a, const struct settings *s,
                                const struct expr *e)
{
    return func_must_call(a, s, FUNC_COALESCE, e->args, 2);
}

/* Only float and double: planning puts these around keys of groups and joins. */
static enum errc bind_normalize(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_FLOAT)
        return func_bind_sig(b, "d:d", err);
    b->type = b->args[0]->type;
    return ERR_OK;
}

static struct expr *replace_known(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    (void)a;
    (void)s;
    return e->args[0];
}

static enum errc bind_is_nan(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_FLOAT)
        return func_bind_sig(b, "d:b", err);
    b->type = type_of(TYPE_BOOLEAN);
    return ERR_OK;
}

static enum errc bind_nanvl(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_FLOAT || b->args[1]->type.id != TYPE_FLOAT)
        return func_bind_sig(b, "dd:d", err);
    b->type = b->args[0]->type;
    return ERR_OK;
}

/* ---- comparisons ---- */

KERNEL2(eq_i8, int8_t, int8_t, uint8_t, x == y)
KERNEL2(eq_i16, int16_t, int16_t, uint8_t, x == y)
KERNEL2(eq_i32, int32_t, int32_t, uint8_t, x == y)
KERNEL2(eq_i64, int64_t, int64_t, uint8_t, x == y)
KERNEL2(eq_f32, float, float, uint8_t, (x == y) | ((x != x) & (y != y)))
KERNEL2(eq_f64, double, double, uint8_t, (x == y) | ((x != x) & (y != y)))
KERNEL2(eq_wide, wide_col, wide_col, uint8_t, x == y)
KERNEL2(lt_i8, int8_t, int8_t, uint8_t, x < y)
KERNEL2(lt_i16, int16_t, int16_t, uint8_t, x < y)
KERNEL2(lt_i32, int32_t, int32_t, uint8_t, x < y)
KERNEL2(lt_i64, int64_t, int64_t, uint8_t, x < y)
KERNEL2(lt_f32, float, float, uint8_t, (x < y) | ((y != y) & (x == x)))
KERNEL2(lt_f64, double, double, uint8_t, (x < y) | ((y != y) & (x == x)))
KERNEL2(lt_wide, wide_col, wide_col, uint8_t, x < y)
KERNEL2(le_i8, int8_t, int8_t, uint8_t, x <= y)
KERNEL2(le_i16, int16_t, int16_t, uint8_t, x <= y)
KERNEL2(le_i32, int32_t, int32_t, uint8_t, x <= y)
KERNEL2(le_i64, int64_t, int64_t, uint8_t, x <= y)
KERNEL2(le_f32, float, float, uint8_t, (x <= y) | (y != y))
KERNEL2(le_f64, double, double, uint8_t, (x <= y) | (y != y))
KERNEL2(le_wide, wide_col, wide_col, uint8_t, x <= y)

enum { EQ, LT, LE };

/* By width of the value; floating point apart. */
static kernel2_fn compare_kernel(int op, struct type t)
{
    static const kernel2_fn integers[][3] = { { eq_i8, lt_i8, le_i8 },
                                              { eq_i16, lt_i16, le_i16 },
                                              { eq_i32, lt_i32, le_i32 },
                                              { eq_i64, lt_i64, le_i64 },
                                              { eq_wide, lt_wide, le_wide } };
    static const kernel2_fn floats[][3] = { { eq_f32, lt_f32, le_f32 },
                                            { eq_f64, lt_f64, le_f64 } };

    if (t.id == TYPE_FLOAT || t.id == TYPE_DOUBLE)
        return floats[t.id == TYPE_DOUBLE][op];
    return integers[__builtin_ctzl(type_width(t))][op];
}

/* The dictionary-free path; one that compares codes stands in the evaluator. */
static void compare_text(struct eval_call *c, int op, const struct vec *a,
                         const struct vec *b)
{
    uint8_t *to = c->out->data;

    if (op == EQ) {
        EACH_VALID_ROW(c, row)
        to[row] = str_eq(&ARG_AT(struct str, a, row), &ARG_AT(struct str, b, row));
        return;
    }
    EACH_VALID_ROW(c, row)
    {
        int order = str_cmp(&ARG_AT(struct str, a, row), &ARG_AT(struct str, b, row));

        to[row] = op == LT ? order < 0 : order <= 0;
    }
}

static void compare(struct eval_call *c, int op, const struct vec *a, const struct vec *b)
{
    if (type_is_text(a->type))
        compare_text(c, op, a, b);
    else
        compare_kernel(op, a->type)(c->batch, a, b, c->out);
}

static enum errc run_eq(struct eval_call *c, struct err *err)
{
    (void)err;
    compare(c, EQ, eval_flat(c, 0), eval_flat(c, 1));
    return ERR_OK;
}

static enum errc run_lt(struct eval_call *c, struct err *err)
{
    (void)err;
    compare(c, LT, eval_flat(c, 0), eval_flat(c, 1));
    return ERR_OK;
}

static enum errc run_le(struct eval_call *c, struct err *err)
{
    (void)err;
    compare(c, LE, eval_flat(c, 0), eval_flat(c, 1));
    return ERR_OK;
}

static enum errc run_gt(struct eval_call *c, struct err *err)
{
    (void)err;
    compare(c, LT, eval_flat(c, 1), eval_flat(c, 0));
    return ERR_OK;
}

static enum errc run_ge(struct eval_call *c, struct err *err)
{
    (void)err;
    compare(c, LE, eval_flat(c, 1), eval_flat(c, 0));
    return ERR_OK;
}

/* Equal, or both NULL. NULL rows of text are not to be looked at. */
static enum errc run_eq_null_safe(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    uint8_t *to = c->out->data;
    bool text = type_is_text(a->type);

    (void)err;
    if (!text)
        compare(c, EQ, a, b);
    else if (!a->valid && !b->valid)
        compare_text(c, EQ, a, b);
    if (!a->valid && !b->valid)
        return ERR_OK;
    EACH_ROW(c, row)
    {
        bool na = vec_is_null(a, row), nb = vec_is_null(b, row);

        if (na || nb)
            to[row] = na && nb;
        else if (text)
            to[row] = str_eq(&ARG_AT(struct str, a, row), &ARG_AT(struct str, b, row));
    }
    return ERR_OK;
}

/* ---- NOT, IS NULL ---- */

KERNEL1(not_u8, uint8_t, uint8_t, x ^ 1)

static enum errc run_not(struct eval_call *c, struct err *err)
{
    (void)err;
    not_u8(c->batch, eval_flat(c, 0), c->out);
    return ERR_OK;
}

static void tell_nulls(struct eval_call *c, uint8_t when_null)
{
    const struct vec *v = &c->args[0];
    uint8_t *to = c->out->data;

    if (v->type.id == TYPE_NULL) {
        memset(to, when_null, c->batch->n_rows);
    } else if (v->kind == VEC_FLAT && v->valid) {
        for (uint32_t i = 0; i < c->batch->n_rows; i++)
            to[i] = v->valid[i] ^ when_null;
    } else if (v->valid || (v->kind == VEC_DICT && v->dict->valid)) {
        EACH_ROW(c, row)
        to[row] = vec_is_null(v, row) ? when_null : !when_null;
    } else {
        memset(to, !when_null, c->batch->n_rows);
    }
}

static enum errc run_is_null(struct eval_call *c, struct err *err)
{
    (void)err;
    tell_nulls(c, 1);
    return ERR_OK;
}

static enum errc run_is_not_null(struct eval_call *c, struct err *err)
{
    (void)err;
    tell_nulls(c, 0);
    return ERR_OK;
}

/* ---- NaN ---- */

KERNEL1(nan_f32, float, uint8_t, x != x)
KERNEL1(nan_f64, double, uint8_t, x != x)

static enum errc run_is_nan(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    (v->type.id == TYPE_FLOAT ? nan_f32 : nan_f64)(c->batch, v, c->out);
    if (v->valid) /* NULL is no NaN */
        EACH_ROW(c, row)
    if (vec_is_null(v, row))
        ((uint8_t *)c->out->data)[row] = 0;
    return ERR_OK;
}

KERNEL1(one_zero_f32, float, float, x == 0 ? 0.0F : x != x ? (float)NAN : x)
KERNEL1(one_zero_f64, double, double, x == 0 ? 0.0 : x != x ? (double)NAN : x)

static enum errc run_normalize(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    if (v->type.id == TYPE_FLOAT)
        one_zero_f32(c->batch, v, c->out);
    else
        one_zero_f64(c->batch, v, c->out);
    return ERR_OK;
}

static enum errc run_nanvl(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);

    (void)err;
    EACH_ROW(c, row)
    {
        struct value x = value_at(a, row);

        if (!x.null && isnan(x.u.f))
            x = value_at(b, row);
        value_store(c->out, row, &x);
    }
    return ERR_OK;
}

/* ---- greatest, least: NULLs are left out ---- */

static enum errc run_extreme(struct eval_call *c, int sign)
{
    for (uint32_t i = 0; i < c->n_args; i++)
        (void)eval_flat(c, i);
    EACH_ROW(c, row)
    {
        struct value best = value_at(eval_flat(c, 0), row);

        for (uint32_t i = 1; i < c->n_args; i++) {
            struct value x = value_at(eval_flat(c, i), row);

            if (!x.null && (best.null || sign * value_cmp(&x, &best) > 0))
                best = x;
        }
        value_store(c->out, row, &best);
    }
    return ERR_OK;
}

static enum errc run_greatest(struct eval_call *c, struct err *err)
{
    (void)err;
    return run_extreme(c, 1);
}

static enum errc run_least(struct eval_call *c, struct err *err)
{
    (void)err;
    return run_extreme(c, -1);
}

/* ---- texts that are not name(args) ---- */

static void print_not(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addz(out, how == PRINT_PLAN ? "NOT " : "(NOT ");
    expr_print(out, e->args[0], how);
    if (how != PRINT_PLAN)
        strbuf_addc(out, ')');
}

static void print_null_test(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    bool negated = e->func->id == FUNC_IS_NOT_NULL;

    if (how == PRINT_PLAN)
        strbuf_addz(out, negated ? "isnotnull(" : "isnull(");
    else
        strbuf_addc(out, '(');
    expr_print(out, e->args[0], how);
    if (how != PRINT_PLAN)
        strbuf_addz(out, negated ? " IS NOT NULL" : " IS NULL");
    strbuf_addc(out, ')');
}

static void print_if(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    static const char *const plan[] = { "if (", ") ", " else ", "" };
    static const char *const name[] = { "(IF(", ", ", ", ", "))" };
    const char *const *part = how == PRINT_PLAN ? plan : name;

    for (uint32_t i = 0; i < 3; i++) {
        strbuf_addz(out, part[i]);
        expr_print(out, e->args[i], how);
    }
    strbuf_addz(out, part[3]);
}

#define STRICT FUNC_NULL_INTOLERANT

#define COMPARISON(text, func_id, flag, hook, words)                                     \
    {                                                                                    \
        .name = text, .symbol = text, .id = func_id, .min_args = 2, .max_args = 2,       \
        .flags = flag, .bind = bind_compare, .run = hook, .usage = words                 \
    }

const struct func compare_funcs[] = {
    { .name = "and",
      .symbol = "AND",
      .id = FUNC_AND,
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_LAZY | FUNC_COMMUTATIVE,
      .bind = bind_logic,
      .usage = "expr1 and expr2 - Logical AND." },
    { .name = "or",
      .symbol = "OR",
      .id = FUNC_OR,
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_LAZY | FUNC_COMMUTATIVE,
      .bind = bind_logic,
      .usage = "expr1 or expr2 - Logical OR." },
    { .name = "not",
      .symbol = "NOT",
      .aliases = "!",
      .id = FUNC_NOT,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_not,
      .run = run_not,
      .print = print_not,
      .usage = "not expr - Logical not." },
    { .name = "=",
      .symbol = "=",
      .aliases = "==",
      .id = FUNC_EQ,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_COMMUTATIVE,
      .bind = bind_compare,
      .run = run_eq,
      .usage = "expr1 = expr2 - Returns true if `expr1` equals `expr2`." },
    COMPARISON("<=>", FUNC_EQ_NULL_SAFE, FUNC_NOT_NULL | FUNC_COMMUTATIVE,
               run_eq_null_safe, "expr1 <=> expr2 - As =, but NULL equals NULL."),
    COMPARISON("<", FUNC_LT, STRICT, run_lt,
               "expr1 < expr2 - Returns true if `expr1` is less than `expr2`."),
    COMPARISON("<=", FUNC_LE, STRICT, run_le,
               "expr1 <= expr2 - Returns true if `expr1` is at most `expr2`."),
    COMPARISON(">", FUNC_GT, STRICT, run_gt,
               "expr1 > expr2 - Returns true if `expr1` is greater than `expr2`."),
    COMPARISON(">=", FUNC_GE, STRICT, run_ge,
               "expr1 >= expr2 - Returns true if `expr1` is at least `expr2`."),
    { .name = "isnull",
      .id = FUNC_IS_NULL,
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NOT_NULL,
      .sig = "a:b",
      .run = run_is_null,
      .print = print_null_test,
      .usage = "isnull(expr) - Returns true if `expr` is NULL." },
    { .name = "isnotnull",
      .id = FUNC_IS_NOT_NULL,
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NOT_NULL,
      .sig = "a:b",
      .run = run_is_not_null,
      .print = print_null_test,
      .usage = "isnotnull(expr) - Returns true if `expr` is not NULL." },
    { .name = "coalesce",
      .id = FUNC_COALESCE,
      .min_args = 1,
      .max_args = 255,
      .flags = FUNC_LAZY | FUNC_ALL_NULL,
      .bind = bind_same,
      .usage = "coalesce(expr1, expr2, ...) - Returns the first that is not NULL." },
    { .name = "if",
      .id = FUNC_IF,
      .min_args = 3,
      .max_args = 3,
      .flags = FUNC_LAZY,
      .bind = bind_if,
      .print = print_if,
      .usage = "if(expr1, expr2, expr3) - `expr2` where `expr1` is true, else `expr3`." },
    { .name = "nullif",
      .id = FUNC_NULLIF,
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_MAYBE_NULL,
      .bind = bind_nullif,
      .replace = replace_nullif,
      .usage = "nullif(expr1, expr2) - NULL if `expr1` equals `expr2`, else `expr1`." },
    { .name = "nvl",
      .aliases = "ifnull",
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_ALL_NULL,
      .bind = bind_same,
      .replace = replace_nvl,
      .usage = "nvl(expr1, expr2) - `expr2` if `expr1` is NULL, else `expr1`." },
    { .name = "nvl2",
      .min_args = 3,
      .max_args = 3,
      .bind = bind_nvl2,
      .replace = replace_nvl2,
      .usage = "nvl2(expr1, expr2, expr3) - `expr2` if `expr1` is not NULL, else "
               "`expr3`." },
    { .name = "isnan",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NOT_NULL,
      .bind = bind_is_nan,
      .run = run_is_nan,
      .usage = "isnan(expr) - Returns true if `expr` is NaN." },
    { .name = "nanvl",
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_MAYBE_NULL,
      .bind = bind_nanvl,
      .run = run_nanvl,
      .usage = "nanvl(expr1, expr2) - `expr1` if it is not NaN, else `expr2`." },
    { .name = "normalizenanandzero",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_normalize,
      .run = run_normalize,
      .usage = "normalizenanandzero(expr) - One NaN and one zero instead of many." },
    { .name = "knownfloatingpointnormalized",
      .id = FUNC_KNOWN_FLOATING_NORMALIZED,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_normalize,
      .replace = replace_known,
      .usage = "knownfloatingpointnormalized(expr) - `expr`: it is normalised." },
    { .name = "greatest",
      .min_args = 2,
      .max_args = 255,
      .flags = FUNC_ALL_NULL,
      .bind = bind_same,
      .run = run_greatest,
      .usage = "greatest(expr, ...) - The greatest of all that are not NULL." },
    { .name = "least",
      .min_args = 2,
      .max_args = 255,
      .flags = FUNC_ALL_NULL,
      .bind = bind_same,
      .run = run_least,
      .usage = "least(expr, ...) - The least of all that are not NULL." },
    { 0 },
};
