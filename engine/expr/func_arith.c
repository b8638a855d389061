/* + - * / % div, unary minus, abs and their likes.
 *
 * ANSI off, the default: integers wrap, a decimal that does not fit and anything divided
 * by zero are NULL. ANSI on: both are errors.
 *
 * Decimals: operands come with their own types, the result's was chosen so that most
 * results fit (decimal_result). Where neither digits nor scale were cut and everything
 * fits, no row needs a check, and with at most 18 digits all is int64 arithmetic. */
#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"
#include "engine/run/settings.h"

#include <math.h>

/* ---- binding ---- */

static enum errc bind_arith(struct func_bind *b, enum decimal_op op, struct err *err)
{
    struct type t;

    if (!func_arith_types(b, &t))
        return func_refuse_pair(b, err);
    b->type = t;
    if (t.id == TYPE_DECIMAL)
        b->type = decimal_result(
            op, b->want[0], b->want[1],
            !b->settings || settings_bool(b->settings, SET_DECIMAL_PRECISION_LOSS));
    return ERR_OK;
}

static enum errc bind_add(struct func_bind *b, struct err *err)
{
    if (moments_bind_add(b))
        return ERR_OK;
    TRY(moments_refuse(b, false, err));
    if (b->done)
        return ERR_OK;
    return bind_arith(b, DEC_ADD, err);
}

static enum errc bind_subtract(struct func_bind *b, struct err *err)
{
    if (moments_bind_subtract(b))
        return ERR_OK;
    TRY(moments_refuse(b, true, err));
    if (b->done)
        return ERR_OK;
    return bind_arith(b, DEC_SUBTRACT, err);
}

static enum errc bind_multiply(struct func_bind *b, struct err *err)
{
    if (moments_bind_multiply(b))
        return ERR_OK;
    return bind_arith(b, DEC_MULTIPLY, err);
}

/* Only decimals divide as what they are. */
static enum errc bind_divide(struct func_bind *b, struct err *err)
{
    if (moments_bind_divide(b))
        return ERR_OK;
    TRY(bind_arith(b, DEC_DIVIDE, err));
    if (b->type.id != TYPE_DECIMAL)
        b->type = b->want[0] = b->want[1] = type_of(TYPE_DOUBLE);
    return ERR_OK;
}

static enum errc bind_remainder(struct func_bind *b, struct err *err)
{
    return bind_arith(b, DEC_REMAINDER, err);
}

static enum errc bind_div(struct func_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;

    if ((t.id == TYPE_INTERVAL_MONTH || t.id == TYPE_INTERVAL_DAY) &&
        t.id == b->args[1]->type.id) {
        b->type = type_of(TYPE_LONG);
        return ERR_OK;
    }
    if (!func_arith_types(b, &t))
        return func_refuse_pair(b, err);
    if (t.id != TYPE_DECIMAL) {
        for (uint32_t i = 0; i < 2; i++)
            if (!type_is_integral(b->args[i]->type) && b->args[i]->type.id != TYPE_NULL &&
                b->args[i]->type.id != TYPE_STRING)
                return func_refuse(b, i, "(\"BIGINT\" or \"DECIMAL\")", err);
        b->want[0] = b->want[1] = type_of(TYPE_LONG);
    }
    b->type = type_of(TYPE_LONG);
    return ERR_OK;
}

static bool is_interval(struct type t)
{
    return t.id == TYPE_INTERVAL_MONTH || t.id == TYPE_INTERVAL_DAY;
}

/* One number, or an interval. */
static enum errc bind_unary(struct func_bind *b, struct err *err)
{
    if (!is_interval(b->args[0]->type))
        return func_bind_sig(b, "n:1", err);
    b->type = b->args[0]->type;
    return ERR_OK;
}

/* ---- + - * of integers and floating point ---- */

/* Wrapping: through the unsigned type. */
#define WRAP(T, U, op) (T)((U)x op(U) y)
KERNEL2(add_i8, int8_t, int8_t, int8_t, x + y)
KERNEL2(add_i16, int16_t, int16_t, int16_t, x + y)
KERNEL2(add_i32, int32_t, int32_t, int32_t, WRAP(int32_t, uint32_t, +))
KERNEL2(add_i64, int64_t, int64_t, int64_t, WRAP(int64_t, uint64_t, +))
KERNEL2(add_f32, float, float, float, x + y)
KERNEL2(add_f64, double, double, double, x + y)
KERNEL2(sub_i8, int8_t, int8_t, int8_t, x - y)
KERNEL2(sub_i16, int16_t, int16_t, int16_t, x - y)
KERNEL2(sub_i32, int32_t, int32_t, int32_t, WRAP(int32_t, uint32_t, -))
KERNEL2(sub_i64, int64_t, int64_t, int64_t, WRAP(int64_t, uint64_t, -))
KERNEL2(sub_f32, float, float, float, x - y)
KERNEL2(sub_f64, double, double, double, x - y)
KERNEL2(mul_i8, int8_t, int8_t, int8_t, x *y)
KERNEL2(mul_i16, int16_t, int16_t, int16_t, x *y)
KERNEL2(mul_i32, int32_t, int32_t, int32_t, WRAP(int32_t, uint32_t, *))
KERNEL2(mul_i64, int64_t, int64_t, int64_t, WRAP(int64_t, uint64_t, *))
KERNEL2(mul_f32, float, float, float, x *y)
KERNEL2(mul_f64, double, double, double, x *y)

enum { ADD, SUBTRACT, MULTIPLY };

struct arith {
    kernel2_fn i8, i16, i32, i64, f32, f64;
    const char *tolerant; /* for the error's hint */
};

static const struct arith ariths[] = {
    [ADD] = { add_i8, add_i16, add_i32, add_i64, add_f32, add_f64, "try_add" },
    [SUBTRACT] = { sub_i8, sub_i16, sub_i32, sub_i64, sub_f32, sub_f64, "try_subtract" },
    [MULTIPLY] = { mul_i8, mul_i16, mul_i32, mul_i64, mul_f32, mul_f64, "try_multiply" },
};

static kernel2_fn arith_kernel(const struct arith *a, struct type t)
{
    switch ((enum type_id)t.id) {
    case TYPE_BYTE:
        return a->i8;
    case TYPE_SHORT:
        return a->i16;
    case TYPE_INT:
    case TYPE_INTERVAL_MONTH:
        return a->i32;
    case TYPE_LONG:
    case TYPE_INTERVAL_DAY:
        return a->i64;
    case TYPE_FLOAT:
        return a->f32;
    case TYPE_DOUBLE:
        return a->f64;
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_DECIMAL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        break;
    }
    return NULL;
}

static enum errc run_arith(struct eval_call *c, int op, struct err *err);

static enum errc overflowed(const char *what, const char *tolerant, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[ARITHMETIC_OVERFLOW] %s overflow. Use '%s' to tolerate overflow and "
                   "return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to "
                   "\"false\" to bypass this error.",
                   what, tolerant);
}

static enum errc divided_by_zero(struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate "
                   "divisor being 0 and return NULL instead. If necessary set "
                   "\"spark.sql.ansi.enabled\" to \"false\" to bypass this error.");
}

static bool fits_width(int64_t x, size_t width)
{
    int64_t limit = width < 8 ? INT64_C(1) << (width * 8 - 1) : 0;

    return width == 8 || (x >= -limit && x < limit);
}

static enum errc check_integers(struct eval_call *c, const struct vec *a,
                                const struct vec *b, int op, struct err *err)
{
    size_t width = type_width(c->out->type);

    EACH_VALID_ROW(c, row)
    {
        int64_t x = int_at(a, row), y = int_at(b, row), r;
        bool over = op == ADD        ? __builtin_add_overflow(x, y, &r)
                    : op == SUBTRACT ? __builtin_sub_overflow(x, y, &r)
                                     : __builtin_mul_overflow(x, y, &r);

        if (over || !fits_width(r, width))
            return overflowed(is_interval(c->out->type) ? "interval"
                              : width == 8              ? "long"
                                                        : "integer",
                              ariths[op].tolerant, err);
    }
    return ERR_OK;
}

/* try_add and its like: what overflows is NULL. Other types than integers do so anyway.
 */
static enum errc run_try(struct eval_call *c, int op, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    size_t width = type_width(c->out->type);

    if (!type_is_integral(c->out->type))
        return run_arith(c, op, err);
    EACH_VALID_ROW(c, row)
    {
        int64_t x = int_at(a, row), y = int_at(b, row);
        struct value r = { .type = c->out->type };
        bool over = op == ADD        ? __builtin_add_overflow(x, y, &r.u.i)
                    : op == SUBTRACT ? __builtin_sub_overflow(x, y, &r.u.i)
                                     : __builtin_mul_overflow(x, y, &r.u.i);

        r.null = over || !fits_width(r.u.i, width);
        value_store(c->out, row, &r);
    }
    return ERR_OK;
}

/* ---- decimals ---- */

/* Is the type wide enough for every result, so that no row needs a check? */
static bool sum_always_fits(struct type a, struct type b, struct type r)
{
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
    int whole = whole_a > whole_b ? whole_a : whole_b;

    return r.scale == scale && r.precision >= whole + scale + 1;
}

static bool product_always_fits(struct type a, struct type b, struct type r)
{
    return r.scale == a.scale + b.scale && r.precision >= a.precision + b.precision;
}

#define LOOP_DECIMALS(TA, TB, TR, X)                                                     \
    do {                                                                                 \
        const TA *pa = a->data;                                                          \
        const TB *pb = b->data;                                                          \
        TR *to = c->out->data;                                                           \
        bool ca = a->kind == VEC_CONST, cb = b->kind == VEC_CONST;                       \
        if (ca || cb || rows->sel) {                                                     \
            for (uint32_t i = 0; i < rows->n_sel; i++) {                                 \
                uint32_t row = batch_row(rows, i);                                       \
                const TR x = pa[ca ? 0 : row], y = pb[cb ? 0 : row];                     \
                to[row] = (X);                                                           \
            }                                                                            \
        } else {                                                                         \
            for (uint32_t row = 0; row < rows->n_rows; row++) {                          \
                const TR x = pa[row], y = pb[row];                                       \
                to[row] = (X);                                                           \
            }                                                                            \
        }                                                                                \
    } while (0)

/* Sums that fit; ka and kb bring the operands to the result's scale. */
static void add_fitting(struct eval_call *c, const struct vec *a, const struct vec *b,
                        bool subtract)
{
    const struct batch *rows = c->batch;
    i128 ka = decimal_pow10[c->out->type.scale - a->type.scale];
    i128 kb = decimal_pow10[c->out->type.scale - b->type.scale];

    if (subtract)
        kb = -kb;
    if (!type_is_wide(c->out->type)) { /* then neither is an operand */
        int64_t ma = (int64_t)ka, mb = (int64_t)kb;

        if (ma == 1 && mb == 1)
            add_i64(rows, a, b, c->out);
        else if (ma == 1 && mb == -1)
            sub_i64(rows, a, b, c->out);
        else
            LOOP_DECIMALS(
                int64_t, int64_t, int64_t,
                (int64_t)((uint64_t)x * (uint64_t)ma + (uint64_t)y * (uint64_t)mb));
    } else if (type_is_wide(a->type) && type_is_wide(b->type)) {
        LOOP_DECIMALS(wide_col, wide_col, wide_col, x * ka + y * kb);
    } else if (type_is_wide(a->type)) {
        LOOP_DECIMALS(wide_col, int64_t, wide_col, x * ka + y * kb);
    } else if (type_is_wide(b->type)) {
        LOOP_DECIMALS(int64_t, wide_col, wide_col, x * ka + y * kb);
    } else {
        LOOP_DECIMALS(int64_t, int64_t, wide_col, x * ka + y * kb);
    }
}

KERNEL2(mul_i64_wide, int64_t, int64_t, wide_col, (i128)x *(i128)y)

static void multiply_fitting(struct eval_call *c, const struct vec *a,
                             const struct vec *b)
{
    const struct batch *rows = c->batch;

    if (!type_is_wide(c->out->type))
        mul_i64(rows, a, b, c->out);
    else if (type_is_wide(a->type) && type_is_wide(b->type))
        LOOP_DECIMALS(wide_col, wide_col, wide_col, x * y);
    else if (type_is_wide(a->type))
        LOOP_DECIMALS(wide_col, int64_t, wide_col, x * y);
    else if (type_is_wide(b->type))
        LOOP_DECIMALS(int64_t, wide_col, wide_col, x * y);
    else
        mul_i64_wide(rows, a, b, c->out);
}

/* 0 where x is that of its low 64 bits. */
static inline uint64_t beyond_long(i128 x)
{
    return (uint64_t)((u128)x >> 64) ^ (uint64_t)((int64_t)x >> 63);
}

#define LONGS_PRODUCT                                                                    \
    (over |= beyond_long(x) | beyond_long(y), (i128)(int64_t)x * (int64_t)y)

/* Wide operands are mostly small: their product cannot have more than 38 digits then.
 * False: some are not, and nothing is computed. */
static bool multiply_longs(struct eval_call *c, const struct vec *a, const struct vec *b)
{
    const struct batch *rows = c->batch;
    uint64_t over = 0;

    if (type_is_wide(a->type) && type_is_wide(b->type))
        LOOP_DECIMALS(wide_col, wide_col, wide_col, LONGS_PRODUCT);
    else if (type_is_wide(a->type))
        LOOP_DECIMALS(wide_col, int64_t, wide_col, LONGS_PRODUCT);
    else if (type_is_wide(b->type))
        LOOP_DECIMALS(int64_t, wide_col, wide_col, LONGS_PRODUCT);
    else
        LOOP_DECIMALS(int64_t, int64_t, wide_col, LONGS_PRODUCT);
    return over == 0;
}

static bool fits_long(i128 x)
{
    return x >= INT64_MIN && x <= INT64_MAX;
}

typedef bool (*decimal_fn)(i128 x, struct type a, i128 y, struct type b, struct type r,
                           i128 *out);

static enum errc decimal_overflow(const struct eval_call *c, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[NUMERIC_VALUE_OUT_OF_RANGE] The result of the operation cannot be "
                   "represented as Decimal(%d, %d). If necessary set "
                   "\"spark.sql.ansi.enabled\" to \"false\" to bypass this error, and "
                   "return NULL instead.",
                   c->out->type.precision, c->out->type.scale);
}

static enum errc decimals_checked(struct eval_call *c, const struct vec *a,
                                  const struct vec *b, decimal_fn fn, bool divides,
                                  bool ansi, struct err *err)
{
    EACH_VALID_ROW(c, row)
    {
        i128 x = decimal_at(a, row), y = decimal_at(b, row), r = 0;

        if (fn(x, a->type, y, b->type, c->out->type, &r)) {
            decimal_put(c->out, row, r);
            continue;
        }
        if (ansi && divides && y == 0)
            return divided_by_zero(err);
        if (ansi)
            return decimal_overflow(c, err);
        c->out->valid[row] = 0;
        decimal_put(c->out, row, 0);
    }
    return ERR_OK;
}

/* Full scale but possibly too many digits: operands of 64 bits cannot exceed 38. */
static bool multiply_full_scale(i128 x, struct type a, i128 y, struct type b,
                                struct type r, i128 *out)
{
    if (LIKELY(fits_long(x) && fits_long(y))) {
        *out = (i128)(int64_t)x * (int64_t)y;
        return decimal_fits(*out, r.precision);
    }
    return decimal_multiply(x, a, y, b, r, out);
}

static enum errc run_decimal(struct eval_call *c, const struct vec *a,
                             const struct vec *b, int op, struct err *err)
{
    struct type r = c->out->type;

    if (op == MULTIPLY) {
        if (product_always_fits(a->type, b->type, r)) {
            multiply_fitting(c, a, b);
            return ERR_OK;
        }
        bool full = r.scale == a->type.scale + b->type.scale;
        if (full && r.precision == 38 && multiply_longs(c, a, b))
            return ERR_OK;
        return decimals_checked(c, a, b, full ? multiply_full_scale : decimal_multiply,
                                false, eval_ansi(c), err);
    }
    if (sum_always_fits(a->type, b->type, r)) {
        add_fitting(c, a, b, op == SUBTRACT);
        return ERR_OK;
    }
    return decimals_checked(c, a, b, op == ADD ? decimal_add : decimal_subtract, false,
                            eval_ansi(c), err);
}

static enum errc run_arith(struct eval_call *c, int op, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);

    if (c->out->type.id == TYPE_DECIMAL)
        return run_decimal(c, a, b, op, err);
    if (type_width(c->out->type) <= 8 && c->out->type.id != TYPE_FLOAT &&
        c->out->type.id != TYPE_DOUBLE && (eval_ansi(c) || is_interval(c->out->type)))
        TRY(check_integers(c, a, b, op, err));
    arith_kernel(&ariths[op], c->out->type)(c->batch, a, b, c->out);
    return ERR_OK;
}

static enum errc run_add(struct eval_call *c, struct err *err)
{
    return run_arith(c, ADD, err);
}

static enum errc run_subtract(struct eval_call *c, struct err *err)
{
    return run_arith(c, SUBTRACT, err);
}

static enum errc run_multiply(struct eval_call *c, struct err *err)
{
    return run_arith(c, MULTIPLY, err);
}

static enum errc run_try_add(struct eval_call *c, struct err *err)
{
    return run_try(c, ADD, err);
}

static enum errc run_try_subtract(struct eval_call *c, struct err *err)
{
    return run_try(c, SUBTRACT, err);
}

static enum errc run_try_multiply(struct eval_call *c, struct err *err)
{
    return run_try(c, MULTIPLY, err);
}

/* ---- division ---- */

static enum errc divide(struct eval_call *c, bool ansi, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    double *out = c->out->data;

    if (c->out->type.id == TYPE_DECIMAL)
        return decimals_checked(c, a, b, decimal_divide, true, ansi, err);
    EACH_VALID_ROW(c, row)
    {
        double x = ARG_AT(double, a, row), y = ARG_AT(double, b, row);

        out[row] = x / (y == 0 ? 1 : y);
        if (UNLIKELY(y == 0)) {
            if (ansi)
                return divided_by_zero(err);
            c->out->valid[row] = 0;
        }
    }
    return ERR_OK;
}

static enum errc run_try_divide(struct eval_call *c, struct err *err)
{
    return divide(c, false, err);
}

static enum errc run_divide(struct eval_call *c, struct err *err)
{
    return divide(c, eval_ansi(c), err);
}

static enum errc run_div(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    int64_t *out = c->out->data;
    bool ansi = eval_ansi(c), decimals = a->type.id == TYPE_DECIMAL;

    EACH_VALID_ROW(c, row)
    {
        bool ok;

        if (decimals) {
            ok = decimal_div(decimal_at(a, row), a->type, decimal_at(b, row), b->type,
                             &out[row]);
        } else {
            bool months = a->type.id == TYPE_INTERVAL_MONTH;
            int64_t x = months ? ARG_AT(int32_t, a, row) : ARG_AT(int64_t, a, row);
            int64_t y = months ? ARG_AT(int32_t, b, row) : ARG_AT(int64_t, b, row);

            ok = y != 0;
            if (ansi && x == INT64_MIN && y == -1)
                return overflowed("Overflow in integral divide.", "try_divide", err);
            out[row] = y == -1 ? (int64_t) - (uint64_t)x : x / (ok ? y : 1);
        }
        if (ok)
            continue;
        if (ansi)
            return divided_by_zero(err);
        c->out->valid[row] = 0;
        out[row] = 0;
    }
    return ERR_OK;
}

/* Sign of the dividend; positive: as pmod wants it, ((x % y) + y) % y where negative. */
static void remainder_integers(struct eval_call *c, const struct vec *a,
                               const struct vec *b, bool positive)
{
    size_t width = type_width(c->out->type);
    struct value r = { .type = c->out->type };

    EACH_VALID_ROW(c, row)
    {
        int64_t x = int_at(a, row), y = int_at(b, row);

        if (y == 0) {
            c->out->valid[row] = 0;
            continue;
        }
        r.u.i = y == -1 ? 0 : x % y;
        if (positive && r.u.i < 0) {
            int64_t sum = (int64_t)((uint64_t)r.u.i + (uint64_t)y);

            if (width < 8 && !fits_width(sum, width)) /* Java's narrow sums wrap */
                sum = width == 1 ? (int8_t)sum : width == 2 ? (int16_t)sum : (int32_t)sum;
            r.u.i = y == -1 ? 0 : sum % y;
        }
        value_store(c->out, row, &r);
    }
}

static void remainder_floating(struct eval_call *c, const struct vec *a,
                               const struct vec *b, bool positive)
{
    struct value r = { .type = c->out->type };
    bool narrow = c->out->type.id == TYPE_FLOAT;

    EACH_VALID_ROW(c, row)
    {
        double x = narrow ? (double)ARG_AT(float, a, row) : ARG_AT(double, a, row);
        double y = narrow ? (double)ARG_AT(float, b, row) : ARG_AT(double, b, row);

        if (y == 0) {
            c->out->valid[row] = 0;
            continue;
        }
        r.u.f = fmod(x, y);
        if (positive && r.u.f < 0)
            r.u.f = fmod(narrow ? (double)((float)r.u.f + (float)y) : r.u.f + y, y);
        value_store(c->out, row, &r);
    }
}

static bool decimal_pmod(i128 x, struct type a, i128 y, struct type b, struct type r,
                         i128 *out)
{
    struct type mine = r;
    i128 rest;

    if (!decimal_remainder(x, a, y, b, r, &rest))
        return false;
    if (rest >= 0) {
        *out = rest;
        return true;
    }
    if (!decimal_add(rest, mine, y, b, type_decimal(DECIMAL_MAX_PRECISION, r.scale),
                     &rest))
        return false;
    return decimal_remainder(rest, mine, y, b, r, out);
}

static enum errc run_any_remainder(struct eval_call *c, bool positive, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    uint8_t id = c->out->type.id;

    if (id == TYPE_DECIMAL)
        return decimals_checked(c, a, b, positive ? decimal_pmod : decimal_remainder,
                                true, eval_ansi(c), err);
    if (eval_ansi(c))
        EACH_VALID_ROW(c, row)
        {
            struct value y = value_at(b, row);

            if (id == TYPE_FLOAT || id == TYPE_DOUBLE ? y.u.f == 0 : y.u.i == 0)
                return divided_by_zero(err);
        }
    if (id == TYPE_FLOAT || id == TYPE_DOUBLE)
        remainder_floating(c, a, b, positive);
    else
        remainder_integers(c, a, b, positive);
    return ERR_OK;
}

static enum errc run_remainder(struct eval_call *c, struct err *err)
{
    return run_any_remainder(c, false, err);
}

static enum errc run_pmod(struct eval_call *c, struct err *err)
{
    return run_any_remainder(c, true, err);
}

/* ---- one operand ---- */

KERNEL1(neg_i8, int8_t, int8_t, -x)
KERNEL1(neg_i16, int16_t, int16_t, -x)
KERNEL1(neg_i32, int32_t, int32_t, 0 - (uint32_t)x)
KERNEL1(neg_i64, int64_t, int64_t, 0 - (uint64_t)x)
KERNEL1(neg_f32, float, float, -x)
KERNEL1(neg_f64, double, double, -x)
KERNEL1(neg_wide, wide_col, wide_col, -x)
KERNEL1(abs_i8, int8_t, int8_t, x < 0 ? -x : x)
KERNEL1(abs_i16, int16_t, int16_t, x < 0 ? -x : x)
KERNEL1(abs_i32, int32_t, int32_t, x < 0 ? 0 - (uint32_t)x : (uint32_t)x)
KERNEL1(abs_i64, int64_t, int64_t, x < 0 ? 0 - (uint64_t)x : (uint64_t)x)
KERNEL1(abs_f32, float, float, fabsf(x))
KERNEL1(abs_f64, double, double, fabs(x))
KERNEL1(abs_wide, wide_col, wide_col, x < 0 ? -x : x)

struct unary {
    kernel1_fn i8, i16, i32, i64, f32, f64, wide;
};

static const struct unary negate = { neg_i8,  neg_i16, neg_i32, neg_i64,
                                     neg_f32, neg_f64, neg_wide };
static const struct unary absolute = { abs_i8,  abs_i16, abs_i32, abs_i64,
                                       abs_f32, abs_f64, abs_wide };

static kernel1_fn unary_kernel(const struct unary *u, struct type t)
{
    if (t.id == TYPE_FLOAT)
        return u->f32;
    if (t.id == TYPE_DOUBLE)
        return u->f64;
    switch (type_width(t)) {
    case 1:
        return u->i8;
    case 2:
        return u->i16;
    case 4:
        return u->i32;
    case 8:
        return u->i64;
    default:
        return u->wide;
    }
}

static enum errc check_smallest(struct eval_call *c, const struct vec *a, struct err *err)
{
    size_t width = type_width(c->out->type);
    uint8_t id = c->out->type.id;

    if (id == TYPE_FLOAT || id == TYPE_DOUBLE || id == TYPE_DECIMAL ||
        (!eval_ansi(c) && !is_interval(c->out->type)))
        return ERR_OK;
    EACH_VALID_ROW(c, row)
    if (int_at(a, row) == (int64_t)(UINT64_MAX << (width * 8 - 1)))
        return overflowed(width == 8 ? "long" : "integer", "try_subtract", err);
    return ERR_OK;
}

static enum errc run_unary(struct eval_call *c, const struct unary *u, struct err *err)
{
    const struct vec *a = eval_flat(c, 0);

    TRY(check_smallest(c, a, err));
    unary_kernel(u, c->out->type)(c->batch, a, c->out);
    return ERR_OK;
}

static enum errc run_negate(struct eval_call *c, struct err *err)
{
    return run_unary(c, &negate, err);
}

static enum errc run_abs(struct eval_call *c, struct err *err)
{
    return run_unary(c, &absolute, err);
}

static enum errc run_positive(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0);
    size_t width = type_width(c->out->type);
    char *to = c->out->data;

    (void)err;
    EACH_ROW(c, row)
    memcpy(to + row * width, vec_at(a, row), width);
    return ERR_OK;
}

/* ---- what DecimalAggregates writes ---- */

static enum errc bind_unscaled(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_DECIMAL)
        return func_refuse(b, 0, "\"DECIMAL\"", err);
    b->type = type_of(TYPE_LONG);
    return ERR_OK;
}

static enum errc run_unscaled(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0);
    int64_t *to = c->out->data;

    (void)err;
    EACH_ROW(c, row)
    to[row] = (int64_t)decimal_at(a, row);
    return ERR_OK;
}

/* The call's type says precision and scale; made by a rewrite, never by name. */
static enum errc run_make_decimal(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int64_t x = ARG_AT(int64_t, a, row);

        decimal_put(c->out, row, x);
        if (!decimal_fits(x, c->out->type.precision))
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT
#define TRYING(text, hook, fn, words)                                                    \
    {                                                                                    \
        .name = text, .min_args = 2, .max_args = 2, .flags = STRICT | FUNC_MAYBE_NULL,   \
        .bind = hook, .run = fn, .usage = words                                          \
    }

static void print_make_decimal(struct strbuf *out, const struct expr *e,
                               enum expr_print how)
{
    strbuf_addz(out, "MakeDecimal(");
    expr_print(out, e->args[0], how);
    strbuf_printf(out, ",%u,%u)", e->type.precision, e->type.scale);
}

const struct func arith_funcs[] = {
    { .name = "+",
      .symbol = "+",
      .id = FUNC_ADD,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_DECIMAL_NULL | FUNC_COMMUTATIVE,
      .bind = bind_add,
      .run = run_add,
      .usage = "expr1 + expr2 - Returns `expr1`+`expr2`." },
    { .name = "-",
      .symbol = "-",
      .id = FUNC_SUBTRACT,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_DECIMAL_NULL,
      .bind = bind_subtract,
      .run = run_subtract,
      .usage = "expr1 - expr2 - Returns `expr1`-`expr2`." },
    { .name = "*",
      .symbol = "*",
      .id = FUNC_MULTIPLY,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_DECIMAL_NULL | FUNC_COMMUTATIVE,
      .bind = bind_multiply,
      .run = run_multiply,
      .usage = "expr1 * expr2 - Returns `expr1`*`expr2`." },
    { .name = "/",
      .symbol = "/",
      .id = FUNC_DIVIDE,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_divide,
      .run = run_divide,
      .usage = "expr1 / expr2 - Returns `expr1`/`expr2`, NULL where `expr2` is 0." },
    { .name = "%",
      .symbol = "%",
      .aliases = "mod",
      .id = FUNC_REMAINDER,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_remainder,
      .run = run_remainder,
      .usage = "expr1 % expr2 - Returns the remainder after `expr1`/`expr2`." },
    { .name = "div",
      .symbol = "div",
      .id = FUNC_DIV,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_div,
      .run = run_div,
      .usage = "expr1 div expr2 - Divides and drops the fraction." },
    { .name = "pmod",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_remainder,
      .run = run_pmod,
      .usage =
          "pmod(expr1, expr2) - Returns the positive value of `expr1` mod `expr2`." },
    { .name = "unaryminus", /* -x; only negative(x) shows its name */
      .aliases = "negative",
      .symbol = "-",
      .id = FUNC_NEGATE,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_unary,
      .run = run_negate,
      .usage = "negative(expr) - Returns the negated value of `expr`." },
    { .name = "positive",
      .symbol = "+",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_unary,
      .run = run_positive,
      .usage = "positive(expr) - Returns the value of `expr`." },
    { .name = "abs",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_unary,
      .run = run_abs,
      .usage = "abs(expr) - Returns the absolute value of the number or interval." },
    TRYING("try_add", bind_add, run_try_add, "try_add(a, b) - NULL on overflow."),
    TRYING("try_subtract", bind_subtract, run_try_subtract,
           "try_subtract(a, b) - NULL on overflow."),
    TRYING("try_multiply", bind_multiply, run_try_multiply,
           "try_multiply(a, b) - NULL on overflow."),
    TRYING("try_divide", bind_divide, run_try_divide, "try_divide(a, b) - NULL by zero."),
    { .name = "unscaledvalue",
      .id = FUNC_UNSCALED_VALUE,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_unscaled,
      .run = run_unscaled },
    { .name = "makedecimal",
      .id = FUNC_MAKE_DECIMAL,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .run = run_make_decimal,
      .print = print_make_decimal },
    { 0 },
};
