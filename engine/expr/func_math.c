/* Mathematical functions: of doubles, rounding, bits, numerals.
 *
 * Where Java's result is NaN because of the argument's range, Spark's logarithms say
 * NULL. Rounding works on the decimal text of a double, as Java's BigDecimal.valueOf
 * does: 1.005 rounds to 1.01 although the double lies below. */
#include "engine/column/number.h"
#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"

#include <math.h>
#include <stdlib.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

/* ---- Java's exp, log, cosh ----
 *
 * Spark calls StrictMath, which prescribes fdlibm's method to the last bit; the C
 * library's functions are closer to the true value, and so differ now and then. */

static const double ln2_high = 6.93147180369123816490e-01;
static const double ln2_low = 1.90821492927058770002e-10;

/* x = k ln 2 + r; exp(r) by a rational function of r * r. */
static double strict_exp(double x)
{
    static const double p[] = { 1.66666666666666019037e-01, -2.77777777770155933842e-03,
                                6.61375632143793436117e-05, -1.65339022054652515390e-06,
                                4.13813679705723846039e-08 };
    double size = fabs(x), high = x, low = 0;
    int k = 0;

    if (!(size < 709.0) || size < 1e-8)
        return exp(x); /* the ends and the middle: both exact, or not finite */
    if (size > 0.5 * 0.69314718055994530942) {
        if (size < 1.5 * 0.69314718055994530942)
            k = x < 0 ? -1 : 1;
        else
            k = (int)(1.44269504088896338700e+00 * x + (x < 0 ? -0.5 : 0.5));
        high = x - k * ln2_high;
        low = k * ln2_low;
    }
    double r = high - low, t = r * r;
    double c = r - t * (p[0] + t * (p[1] + t * (p[2] + t * (p[3] + t * p[4]))));
    if (k == 0)
        return 1 - (r * c / (c - 2.0) - r);
    return ldexp(1 - ((low - r * c / (2.0 - c)) - high), k);
}

/* x = 2^k (1 + f), f between sqrt(1/2) - 1 and sqrt(2) - 1; s = f / (2 + f) and a
 * polynomial in s * s. */
static double strict_log(double x)
{
    static const double g[] = { 6.666666666666735130e-01, 3.999999999940941908e-01,
                                2.857142874366239149e-01, 2.222219843214978396e-01,
                                1.818357216161805012e-01, 1.531383769920937332e-01,
                                1.479819860511658591e-01 };
    uint64_t bits;
    int k = 0;

    if (!(x > 0) || isinf(x))
        return log(x);
    if (x < 2.2250738585072014e-308) { /* no full precision: make it larger */
        k = -54;
        x *= 18014398509481984.0;
    }
    memcpy(&bits, &x, sizeof bits);
    int32_t fraction = (int32_t)(bits >> 32 & 0xfffff);
    int32_t up = (fraction + 0x95f64) & 0x100000; /* above sqrt(2): halve once more */
    k += (int)(bits >> 52) - 1023 + (up >> 20);
    bits = (bits & UINT64_C(0xfffffffffffff)) | (uint64_t)(up ^ 0x3ff00000) << 32;
    memcpy(&x, &bits, sizeof x);
    double f = x - 1.0, dk = k;
    if ((0xfffff & (2 + fraction)) < 3) { /* next to 1 */
        if (f == 0)
            return dk * ln2_high + dk * ln2_low;
        double r = f * f * (0.5 - 0.33333333333333333 * f);
        return k == 0 ? f - r : dk * ln2_high - ((r - dk * ln2_low) - f);
    }
    double s = f / (2.0 + f), z = s * s, w = z * z;
    double even = w * (g[1] + w * (g[3] + w * g[5]));
    double odd = z * (g[0] + w * (g[2] + w * (g[4] + w * g[6])));
    double r = odd + even;
    if (((fraction - 0x6147a) | (0x6b851 - fraction)) > 0) {
        double half = 0.5 * f * f;

        if (k == 0)
            return f - (half - s * (half + r));
        return dk * ln2_high - ((half - (s * (half + r) + dk * ln2_low)) - f);
    }
    if (k == 0)
        return f - s * (f - r);
    return dk * ln2_high - ((s * (f - r) - dk * ln2_low) - f);
}

static double strict_cosh(double x)
{
    double size = fabs(x);

    if (size < 0.5 * 0.69314718055994530942) {
        double t = expm1(size), w = 1.0 + t;

        return size < 1e-17 ? w : 1.0 + t * t / (w + w);
    }
    if (size < 22) {
        double t = strict_exp(size);

        return 0.5 * t + 0.5 / t;
    }
    return cosh(x);
}

/* ---- one double ---- */

#define UNARY(fn, X)                                                                     \
    KERNEL1(fn##_loop, double, double, X)                                                \
    static enum errc run_##fn(struct eval_call *c, struct err *err)                      \
    {                                                                                    \
        (void)err;                                                                       \
        fn##_loop(c->batch, eval_flat(c, 0), c->out);                                    \
        return ERR_OK;                                                                   \
    }

UNARY(sqrt, sqrt(x))
UNARY(cbrt, (double)cbrtl(x)) /* the double one errs for 27 */
UNARY(exp, strict_exp(x))
UNARY(expm1, expm1(x))
UNARY(sin, sin(x))
UNARY(cos, cos(x))
UNARY(tan, tan(x))
UNARY(cot, 1 / tan(x))
UNARY(sec, 1 / cos(x))
UNARY(csc, 1 / sin(x))
UNARY(asin, asin(x))
UNARY(acos, acos(x))
UNARY(atan, atan(x))
UNARY(sinh, sinh(x))
UNARY(cosh, strict_cosh(x))
UNARY(tanh, tanh(x))
UNARY(asinh, isinf(x) ? x : strict_log(x + sqrt(x * x + 1.0)))
UNARY(acosh, strict_log(x + sqrt(x * x - 1.0)))
UNARY(atanh, 0.5 * (log1p(x) - log1p(-x)))
UNARY(degrees, x *(180.0 / M_PI))
UNARY(radians, x *(M_PI / 180.0))
UNARY(rint, rint(x))
UNARY(sign, x > 0 ? 1.0 : x < 0 ? -1.0 : x)

/* NULL where x is not above the least. */
#define LOGARITHM(fn, least, X)                                                          \
    static enum errc run_##fn(struct eval_call *c, struct err *err)                      \
    {                                                                                    \
        const struct vec *v = eval_flat(c, 0);                                           \
        double *to = c->out->data;                                                       \
                                                                                         \
        (void)err;                                                                       \
        EACH_VALID_ROW(c, row)                                                           \
        {                                                                                \
            double x = ARG_AT(double, v, row);                                           \
            bool ok = !(x <= (least));                                                   \
                                                                                         \
            to[row] = ok ? (X) : 0;                                                      \
            c->out->valid[row] = ok;                                                     \
        }                                                                                \
        return ERR_OK;                                                                   \
    }

LOGARITHM(ln, 0.0, strict_log(x))
LOGARITHM(log10, 0.0, log10(x))
LOGARITHM(log2, 0.0, strict_log(x) / strict_log(2.0))
LOGARITHM(log1p, -1.0, log1p(x))

static enum errc run_log(struct eval_call *c, struct err *err)
{
    if (c->n_args == 1)
        return run_ln(c, err);
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    double *to = c->out->data;

    EACH_VALID_ROW(c, row)
    {
        double base = ARG_AT(double, a, row), x = ARG_AT(double, b, row);
        bool ok = !(base <= 0) && !(x <= 0);

        to[row] = ok ? strict_log(x) / strict_log(base) : 0;
        c->out->valid[row] = ok;
    }
    return ERR_OK;
}

/* ---- two doubles ---- */

#define BINARY(fn, X)                                                                    \
    KERNEL2(fn##_loop, double, double, double, X)                                        \
    static enum errc run_##fn(struct eval_call *c, struct err *err)                      \
    {                                                                                    \
        (void)err;                                                                       \
        fn##_loop(c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);                   \
        return ERR_OK;                                                                   \
    }

/* Java differs from C for 1 to the NaN and -1 to infinity. */
static inline double java_pow(double x, double y)
{
    if (y != y || ((x == 1 || x == -1) && isinf(y)))
        return (double)NAN;
    return pow(x, y);
}

BINARY(pow, java_pow(x, y))
BINARY(atan2, atan2(x, y))
BINARY(hypot, hypot(x, y))

static enum errc run_e(struct eval_call *c, struct err *err)
{
    (void)err;
    EACH_ROW(c, row)
    ((double *)c->out->data)[row] = 2.7182818284590452354;
    return ERR_OK;
}

static enum errc run_pi(struct eval_call *c, struct err *err)
{
    (void)err;
    EACH_ROW(c, row)
    ((double *)c->out->data)[row] = M_PI;
    return ERR_OK;
}

static enum errc bind_double(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_DOUBLE);
    return ERR_OK;
}

/* ---- rounding ---- */

/* The scale argument, which has to be constant. NULL: the result is NULL. */
static enum errc round_scale(struct func_bind *b, int *scale, struct err *err)
{
    struct value v;

    *scale = 0;
    if (b->n_args < 2)
        return ERR_OK;
    if (!type_is_integral(b->args[1]->type) && b->args[1]->type.id != TYPE_NULL &&
        b->args[1]->type.id != TYPE_STRING)
        return func_refuse(b, 1, "\"INT\"", err);
    b->want[1] = type_of(TYPE_INT);
    if (!expr_foldable(b->args[1]))
        return err_set(err, ERR_SYNTAX,
                       "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] Cannot resolve \"%s\" due "
                       "to data type mismatch: the input `scale` should be a foldable "
                       "\"INT\" expression.",
                       b->func->name);
    struct expr *as_int = expr_cast(b->arena, b->args[1], type_of(TYPE_INT));
    TRY(eval_constant(b->arena, as_int, NULL, &v, err));
    *scale = v.null                           ? 0
             : v.u.i > DECIMAL_MAX_PRECISION  ? DECIMAL_MAX_PRECISION
             : v.u.i < -DECIMAL_MAX_PRECISION ? -DECIMAL_MAX_PRECISION
                                              : (int)v.u.i;
    return ERR_OK;
}

static struct type bounded(int precision, int scale)
{
    return type_decimal(
        precision > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : precision, scale);
}

/* One more digit before the point than there was: 9.9 becomes 10. */
static struct type rounded_type(struct type t, int scale)
{
    int whole = t.precision - t.scale + 1;

    if (t.id != TYPE_DECIMAL)
        return t;
    if (scale < 0)
        return bounded(whole > -scale + 1 ? whole : -scale + 1, 0);
    int kept = t.scale < scale ? t.scale : scale;
    return bounded(whole + kept, kept);
}

static enum errc bind_round(struct func_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;
    int scale;

    TRY(round_scale(b, &scale, err));
    if (t.id == TYPE_STRING || t.id == TYPE_NULL)
        t = b->want[0] = type_of(TYPE_DOUBLE);
    if (!type_is_numeric(t))
        return func_refuse(b, 0, "\"NUMERIC\"", err);
    b->type = rounded_type(t, scale);
    return ERR_OK;
}

/* floor and ceil yield whole numbers; with a scale, decimals. */
static enum errc bind_floor(struct func_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;
    int scale;

    if (t.id == TYPE_STRING || t.id == TYPE_NULL || t.id == TYPE_FLOAT)
        t = b->want[0] = type_of(TYPE_DOUBLE);
    if (!type_is_numeric(t))
        return func_refuse(b, 0, "(\"DECIMAL\" or \"DOUBLE\" or \"BIGINT\")", err);
    if (b->n_args == 2) {
        TRY(round_scale(b, &scale, err));
        t = b->want[0] = decimal_for(t);
        b->type = rounded_type(t, scale);
        return ERR_OK;
    }
    if (type_is_integral(t))
        b->want[0] = type_of(TYPE_LONG);
    if (t.id != TYPE_DECIMAL)
        t = type_of(TYPE_LONG);
    else if (t.scale != 0) /* whole already: as it is */
        t = bounded(t.precision - t.scale + 1, 0);
    b->type = t;
    return ERR_OK;
}

static int scale_at(struct eval_call *c, uint32_t row)
{
    int64_t s = c->n_args > 1 ? ARG_AT(int32_t, eval_flat(c, 1), row) : 0;

    return s > 400 ? 400 : s < -400 ? -400 : (int)s;
}

/* By the shortest text of the double. */
static double round_text(double x, int scale, enum decimal_rounding how)
{
    char text[NUMBER_TEXT], out[DECIMAL_TEXT + 8];
    struct type t;
    i128 n;

    size_t len = double_format(text, x);
    if (decimal_parse_literal((struct sv){ text, len }, &n, &t) != DECIMAL_OK)
        return fabs(x) < 1 ? 0 : x; /* tiny, or huge and whole */
    if (scale >= t.scale)
        return x;
    if (scale < -38 || !decimal_round(n, t.scale, scale, how, &n))
        return x;
    len = decimal_format(out, n, scale > 0 ? scale : 0);
    out[len] = 0;
    double r = strtod(out, NULL);
    return r == 0 && x < 0 ? 0 : r;
}

static double round_double(double x, int scale, enum decimal_rounding how)
{
    static const double pow10[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

    if (isnan(x) || isinf(x))
        return x;
    if (scale >= 0 && scale < (int)ARRAY_LEN(pow10)) {
        /* far from a tie there is only one answer, and the quotient is rounded once */
        double shifted = fabs(x) * pow10[scale], whole = floor(shifted);
        double rest = shifted - whole;

        if (shifted < 1e15 && fabs(rest - 0.5) > 1e-4) {
            double r = (whole + (rest > 0.5)) / pow10[scale];
            return r == 0 ? 0 : x < 0 ? -r : r;
        }
    }
    return round_text(x, scale, how);
}

/* Digits before the point; what the type cannot hold wraps as Java's toInt does. */
static int64_t round_integer(int64_t x, int scale, size_t width,
                             enum decimal_rounding how)
{
    i128 r;

    if (scale >= 0)
        return x;
    if (!decimal_round(x, 0, scale < -38 ? -38 : scale, how, &r))
        return 0;
    switch (width) {
    case 1:
        return (int8_t)r;
    case 2:
        return (int16_t)r;
    case 4:
        return (int32_t)r;
    default:
        return (int64_t)r;
    }
}

static bool round_decimal(struct eval_call *c, const struct vec *v, uint32_t row,
                          int scale, enum decimal_rounding how)
{
    int from = v->type.scale;
    i128 r;

    if (!decimal_round(decimal_at(v, row), from, scale > from ? from : scale, how, &r) ||
        !decimal_fits(r, c->out->type.precision))
        return false;
    decimal_put(c->out, row, r);
    return true;
}

static enum errc round_rows(struct eval_call *c, enum decimal_rounding how)
{
    const struct vec *v = eval_flat(c, 0);
    struct value x = { .type = c->out->type };

    EACH_VALID_ROW(c, row)
    {
        int scale = scale_at(c, row);

        if (v->type.id == TYPE_DECIMAL) {
            if (!round_decimal(c, v, row, scale, how)) {
                c->out->valid[row] = 0;
                decimal_put(c->out, row, 0);
            }
        } else if (v->type.id == TYPE_DOUBLE) {
            ((double *)c->out->data)[row] =
                round_double(ARG_AT(double, v, row), scale, how);
        } else if (v->type.id == TYPE_FLOAT) {
            ((float *)c->out->data)[row] =
                (float)round_double((double)ARG_AT(float, v, row), scale, how);
        } else {
            x.u.i = round_integer(int_at(v, row), scale, type_width(v->type), how);
            value_store(c->out, row, &x);
        }
    }
    return ERR_OK;
}

static enum errc run_round(struct eval_call *c, struct err *err)
{
    (void)err;
    return round_rows(c, ROUND_HALF_UP);
}

static enum errc run_bround(struct eval_call *c, struct err *err)
{
    (void)err;
    return round_rows(c, ROUND_HALF_EVEN);
}

static int64_t double_to_long(double x)
{
    if (x != x)
        return 0;
    if (x >= 9223372036854775808.0)
        return INT64_MAX;
    return x < -9223372036854775808.0 ? INT64_MIN : (int64_t)x;
}

static enum errc floor_rows(struct eval_call *c, bool up)
{
    const struct vec *v = eval_flat(c, 0);

    if (c->out->type.id == TYPE_DECIMAL)
        return round_rows(c, up ? ROUND_CEIL : ROUND_FLOOR);
    int64_t *to = c->out->data;
    EACH_VALID_ROW(c, row)
    {
        if (v->type.id == TYPE_LONG) {
            to[row] = ARG_AT(int64_t, v, row);
        } else {
            double x = ARG_AT(double, v, row);

            to[row] = double_to_long(up ? ceil(x) : floor(x));
        }
    }
    return ERR_OK;
}

static enum errc run_floor(struct eval_call *c, struct err *err)
{
    (void)err;
    return floor_rows(c, false);
}

static enum errc run_ceil(struct eval_call *c, struct err *err)
{
    (void)err;
    return floor_rows(c, true);
}

/* ---- counting ---- */

static enum errc run_factorial(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);
    int64_t *to = c->out->data;

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int32_t n = ARG_AT(int32_t, v, row);

        if (n < 0 || n > 20) {
            c->out->valid[row] = 0;
            continue;
        }
        to[row] = 1;
        for (int32_t i = 2; i <= n; i++)
            to[row] *= i;
    }
    return ERR_OK;
}

static bool width_bucket(double x, double low, double high, int64_t n, int64_t *out)
{
    if (n <= 0 || n == INT64_MAX || isnan(x) || low == high || !isfinite(low) ||
        !isfinite(high))
        return false;
    double from = low < high ? low : high, to = low < high ? high : low;
    int64_t bucket;

    if (x < from)
        bucket = 0;
    else if (x >= to)
        bucket = n + 1;
    else
        bucket = (int64_t)((double)n * (x - from) / (to - from)) + 1;
    *out = bucket;
    if (low > high) { /* numbered the other way round */
        if (x > low)
            *out = 0;
        else if (x <= high)
            *out = n + 1;
        else
            *out = (int64_t)((double)n * (low - x) / (low - high)) + 1;
    }
    return true;
}

static enum errc run_width_bucket(struct eval_call *c, struct err *err)
{
    (void)err;
    for (uint32_t i = 0; i < 4; i++)
        (void)eval_flat(c, i);
    EACH_VALID_ROW(c, row)
    if (!width_bucket(ARG_AT(double, &c->args[0], row), ARG_AT(double, &c->args[1], row),
                      ARG_AT(double, &c->args[2], row), ARG_AT(int64_t, &c->args[3], row),
                      (int64_t *)c->out->data + row))
        c->out->valid[row] = 0;
    return ERR_OK;
}

/* log(x): log(e(), x). */
static enum errc bind_log(struct func_bind *b, struct err *err)
{
    if (b->n_args == 1) {
        struct expr **args = arena_array(b->arena, 2, sizeof *args);
        struct type *want = arena_array(b->arena, 2, sizeof *want);

        TRY(func_call(b->arena, b->settings, func_find(SV("e")), NULL, 0, &args[0], err));
        args[1] = b->args[0];
        want[0] = args[0]->type;
        want[1] = b->want[0];
        b->args = args;
        b->want = want;
        b->n_args = 2;
    }
    return func_bind_sig(b, "dd:d", err);
}

/* CEIL(x), but ceil(x, 1). */
static void print_whole(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    struct sv name = e->name.p ? e->name : sv(e->func->name);

    if (e->n_args == 1 && !e->name.p)
        name = e->func->name[0] == 'c' ? SV("CEIL") : SV("FLOOR");
    expr_print_call(out, name, e, how);
}

#define STRICT FUNC_NULL_INTOLERANT
#define CAPITALS FUNC_CAPITALS
#define MATH1(text, flag, fn, words)                                                     \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .flags = STRICT | flag,              \
        .sig = "d:d", .run = run_##fn, .usage = words                                    \
    }
#define MATH_LOG(text, flag, fn, words)                                                  \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1,                                      \
        .flags = STRICT | flag | FUNC_MAYBE_NULL, .sig = "d:d", .run = run_##fn,         \
        .usage = words                                                                   \
    }
#define MATH2(text, more, fn, words)                                                     \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = 2, .max_args = 2,                     \
        .flags = STRICT | CAPITALS, .sig = "dd:d", .run = run_##fn, .usage = words       \
    }
#define ROUNDING(text, more, filling, hook, show, fn, words)                             \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = 1, .max_args = 2, .fill = filling,    \
        .print = show, .flags = STRICT | FUNC_DECIMAL_NULL, .bind = hook,                \
        .run = run_##fn, .usage = words                                                  \
    }

const struct func math_funcs[] = {
    MATH1("sqrt", CAPITALS, sqrt, "sqrt(expr) - The square root."),
    MATH1("cbrt", CAPITALS, cbrt, "cbrt(expr) - The cube root."),
    MATH1("exp", CAPITALS, exp, "exp(expr) - e to the power of `expr`."),
    MATH1("expm1", CAPITALS, expm1, "expm1(expr) - exp(`expr`) - 1."),
    MATH_LOG("ln", 0, ln, "ln(expr) - The natural logarithm."),
    MATH_LOG("log10", CAPITALS, log10, "log10(expr) - The logarithm to base 10."),
    MATH_LOG("log2", CAPITALS, log2, "log2(expr) - The logarithm to base 2."),
    MATH_LOG("log1p", CAPITALS, log1p, "log1p(expr) - ln(1 + `expr`)."),
    { .name = "log",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL | CAPITALS,
      .bind = bind_log,
      .run = run_log,
      .usage = "log(base, expr) - The logarithm of `expr` to `base`, e if left out." },
    MATH1("sin", CAPITALS, sin, "sin(expr) - The sine."),
    MATH1("cos", CAPITALS, cos, "cos(expr) - The cosine."),
    MATH1("tan", CAPITALS, tan, "tan(expr) - The tangent."),
    MATH1("cot", CAPITALS, cot, "cot(expr) - The cotangent."),
    MATH1("sec", CAPITALS, sec, "sec(expr) - The secant."),
    MATH1("csc", CAPITALS, csc, "csc(expr) - The cosecant."),
    MATH1("asin", CAPITALS, asin, "asin(expr) - The inverse sine."),
    MATH1("acos", CAPITALS, acos, "acos(expr) - The inverse cosine."),
    MATH1("atan", CAPITALS, atan, "atan(expr) - The inverse tangent."),
    MATH1("sinh", CAPITALS, sinh, "sinh(expr) - The hyperbolic sine."),
    MATH1("cosh", CAPITALS, cosh, "cosh(expr) - The hyperbolic cosine."),
    MATH1("tanh", CAPITALS, tanh, "tanh(expr) - The hyperbolic tangent."),
    MATH1("asinh", CAPITALS, asinh, "asinh(expr) - The inverse hyperbolic sine."),
    MATH1("acosh", CAPITALS, acosh, "acosh(expr) - The inverse hyperbolic cosine."),
    MATH1("atanh", CAPITALS, atanh, "atanh(expr) - The inverse hyperbolic tangent."),
    MATH1("degrees", CAPITALS, degrees, "degrees(expr) - Radians as degrees."),
    MATH1("radians", CAPITALS, radians, "radians(expr) - Degrees as radians."),
    MATH1("rint", 0, rint, "rint(expr) - The nearest whole number, ties to even."),
    { .name = "signum",
      .aliases = "sign",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT | CAPITALS,
      .sig = "d:d",
      .run = run_sign,
      .usage = "sign(expr) - -1.0, 0.0 or 1.0." },
    MATH2("power", "pow", pow, "pow(expr1, expr2) - `expr1` to the power of `expr2`."),
    MATH2("atan2", NULL, atan2, "atan2(y, x) - The angle of the point (x, y)."),
    MATH2("hypot", NULL, hypot, "hypot(a, b) - sqrt(a * a + b * b)."),
    { .name = "e",
      .flags = FUNC_NOT_NULL | CAPITALS,
      .bind = bind_double,
      .run = run_e,
      .usage = "e() - Euler's number." },
    { .name = "pi",
      .flags = FUNC_NOT_NULL | CAPITALS,
      .bind = bind_double,
      .run = run_pi,
      .usage = "pi() - Half the circumference of the unit circle." },
    ROUNDING("round", NULL, "i0", bind_round, NULL, round,
             "round(expr, d) - Rounded to `d` digits, ties away from zero."),
    ROUNDING("bround", NULL, "i0", bind_round, NULL, bround,
             "bround(expr, d) - Rounded to `d` digits, ties to even."),
    ROUNDING("floor", NULL, NULL, bind_floor, print_whole, floor,
             "floor(expr[, scale]) - The largest number not above `expr`."),
    ROUNDING("ceil", "ceiling", NULL, bind_floor, print_whole, ceil,
             "ceil(expr[, scale]) - The smallest number not below `expr`."),
    { .name = "factorial",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "i:l",
      .run = run_factorial,
      .usage = "factorial(expr) - The factorial of a number from 0 to 20." },
    { .name = "width_bucket",
      .min_args = 4,
      .max_args = 4,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "dddl:l",
      .run = run_width_bucket,
      .usage = "width_bucket(value, min, max, n) - The bucket of n equal ones." },
    { 0 },
};
