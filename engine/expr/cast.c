/* CAST over batches.
 *
 * cast_one() has the rules. What a plan casts in every row (whole numbers and decimals to
 * wider ones, to double and back, dates to text) has loops of its own here, which tests
 * hold against the rules; everything else takes the way over single values. */
#include "engine/expr/cast.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"
#include "engine/expr/eval.h"

struct cast_job {
    const struct vec *in; /* FLAT */
    const struct batch *batch;
    struct vec *out;
    enum cast_mode mode;
    const struct zone *zone;
    struct arena *text;
};

/* ---- errors ---- */

static void print_upper(struct strbuf *out, struct type t)
{
    size_t from = out->len;

    type_print(out, t);
    for (size_t i = from; i < out->len; i++)
        if (out->p[i] >= 'a' && out->p[i] <= 'z')
            out->p[i] = (char)(out->p[i] - 32);
}

/* As Spark quotes values in errors: literals, but NaN and the like bare. */
static void print_culprit(struct strbuf *out, const struct value *x)
{
    struct expr literal = { .kind = EXPR_LITERAL, .type = x->type, .value = *x };

    if (x->type.id == TYPE_FLOAT ||
        (x->type.id == TYPE_DOUBLE && !(x->u.f - x->u.f == 0)))
        value_print(out, x, &zone_utc);
    else
        expr_print(out, &literal, PRINT_SQL);
}

/* Spark casts numbers to timestamps by way of double and bigint, and says so. */
static void show_as_spark(enum cast_answer answer, struct value *x, struct type *to)
{
    if (to->id != TYPE_TIMESTAMP ||
        (x->type.id != TYPE_FLOAT && x->type.id != TYPE_DOUBLE))
        return;
    x->type = type_of(TYPE_DOUBLE);
    if (answer == CAST_OVERFLOW) {
        x->u.f *= 1e6;
        *to = type_of(TYPE_LONG);
    }
}

static enum errc cast_error(enum cast_answer answer, const struct value *from,
                            struct type to, struct err *err)
{
    static const char bypass[] =
        "If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error";
    struct strbuf value = { 0 }, from_name = { 0 }, to_name = { 0 };
    struct value shown = *from, *x = &shown;
    i128 whole;

    show_as_spark(answer, x, &to);
    print_culprit(&value, x);
    print_upper(&from_name, x->type);
    print_upper(&to_name, to);
    if (answer == CAST_PRECISION && x->type.id == TYPE_STRING &&
        decimal_parse(sv_trim(x->u.s), type_decimal(38, 0), &whole) == DECIMAL_OVERFLOW) {
        err_set(
            err, ERR_SYNTAX,
            "[NUMERIC_OUT_OF_SUPPORTED_RANGE] The value %.*s cannot be interpreted as "
            "a numeric since it has more than 38 digits.",
            SV_FMT(x->u.s));
    } else if (answer == CAST_PRECISION) {
        strbuf_reset(&value);
        if (x->type.id == TYPE_STRING)
            strbuf_add(&value, number_trim(x->u.s));
        else
            cast_text(&value, x, true, &zone_utc);
        err_set(err, ERR_SYNTAX,
                "[NUMERIC_VALUE_OUT_OF_RANGE] %s cannot be represented as Decimal(%u, "
                "%u). %s, and return NULL instead.",
                value.p, to.precision, to.scale, bypass);
    } else if (answer == CAST_OVERFLOW) {
        err_set(
            err, ERR_SYNTAX,
            "[CAST_OVERFLOW] The value %s of the type \"%s\" cannot be cast to \"%s\" "
            "due to an overflow. Use `try_cast` to tolerate overflow and return NULL "
            "instead. %s.",
            value.p, from_name.p, to_name.p, bypass);
    } else {
        err_set(err, ERR_SYNTAX,
                "[CAST_INVALID_INPUT] The value %s of the type \"%s\" cannot be cast to "
                "\"%s\" because it is malformed. Correct the value as per the syntax, or "
                "change its target type. Use `try_cast` to tolerate malformed input and "
                "return NULL instead. %s.",
                value.p, from_name.p, to_name.p, bypass);
    }
    strbuf_release(&value);
    strbuf_release(&from_name);
    strbuf_release(&to_name);
    return ERR_SYNTAX;
}

enum errc cast_value(struct arena *a, const struct value *x, struct type to,
                     enum cast_mode mode, const struct zone *zone, struct value *out,
                     struct err *err)
{
    struct value made = { .type = to, .null = true };
    enum cast_answer answer;

    if (!x->null) {
        answer = cast_one(a, x, mode != CAST_LEGACY, zone, &made);
        if (answer != CAST_OK)
            made = value_null(to);
        if (answer > CAST_NULL &&
            (mode == CAST_ANSI || (mode == CAST_LEGACY && answer == CAST_RAISES)))
            return cast_error(answer, x, to, err);
    }
    *out = made;
    return ERR_OK;
}

/* ---- any type, value by value ---- */

static enum errc cast_each(const struct cast_job *j, struct err *err)
{
    const struct batch *b = j->batch;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct value x = value_at(j->in, row), y;

        TRY(cast_value(j->text, &x, j->out->type, j->mode, j->zone, &y, err));
        value_store(j->out, row, &y);
    }
    return ERR_OK;
}

/* ---- loops for what is common ---- */

/* Runs `body` with `row` over the rows that count; a plain loop where all do. */
#define EACH_ROW(b, ...)                                                                 \
    do {                                                                                 \
        const uint32_t *sel_ = (b)->sel;                                                 \
        if (sel_)                                                                        \
            for (uint32_t i_ = 0; i_ < (b)->n_sel; i_++) {                               \
                const uint32_t row = sel_[i_];                                           \
                __VA_ARGS__;                                                             \
            }                                                                            \
        else                                                                             \
            for (uint32_t row = 0; row < (b)->n_rows; row++) {                           \
                __VA_ARGS__;                                                             \
            }                                                                            \
    } while (0)

#define CONVERT(S, D)                                                                    \
    do {                                                                                 \
        const S *from = j->in->data;                                                     \
        D *to = j->out->data;                                                            \
        EACH_ROW(j->batch, to[row] = (D)from[row]);                                      \
    } while (0)

/* Whole numbers to whole numbers (wrapping) and to float and double. */
#define CONVERT_TO_ALL(S)                                                                \
    switch (j->out->type.id) {                                                           \
    case TYPE_BYTE:                                                                      \
        CONVERT(S, int8_t);                                                              \
        return true;                                                                     \
    case TYPE_SHORT:                                                                     \
        CONVERT(S, int16_t);                                                             \
        return true;                                                                     \
    case TYPE_INT:                                                                       \
        CONVERT(S, int32_t);                                                             \
        return true;                                                                     \
    case TYPE_LONG:                                                                      \
        CONVERT(S, int64_t);                                                             \
        return true;                                                                     \
    case TYPE_FLOAT:                                                                     \
        CONVERT(S, float);                                                               \
        return true;                                                                     \
    case TYPE_DOUBLE:                                                                    \
        CONVERT(S, double);                                                              \
        return true;                                                                     \
    default:                                                                             \
        return false;                                                                    \
    }

static bool rows_byte(const struct cast_job *j)
{
    CONVERT_TO_ALL(int8_t)
}

static bool rows_short(const struct cast_job *j)
{
    CONVERT_TO_ALL(int16_t)
}

static bool rows_int(const struct cast_job *j)
{
    CONVERT_TO_ALL(int32_t)
}

static bool rows_long(const struct cast_job *j)
{
    CONVERT_TO_ALL(int64_t)
}

static bool rows_float_to_double(const struct cast_job *j)
{
    CONVERT(float, double);
    return true;
}

/* Times a power of ten where no value of the source type can be too long: arithmetic is
 * unsigned, as rows that are NULL may hold anything. */
#define WIDEN(S, D, U)                                                                   \
    do {                                                                                 \
        const S *from = j->in->data;                                                     \
        D *to = j->out->data;                                                            \
        const U unit = (U)decimal_pow10[up];                                             \
        EACH_ROW(j->batch, to[row] = (D)((U)(D)from[row] * unit));                       \
    } while (0)

/* Whole digits of the source and its scale; false: not a source of these loops. */
static bool decimal_source(struct type t, int *whole, int *scale)
{
    struct type d = decimal_for(t);

    if (!type_is_integral(t) && t.id != TYPE_DECIMAL)
        return false;
    *whole = d.precision - d.scale;
    *scale = d.scale;
    return true;
}

/* To a decimal with room for all of the source's digits. */
static bool rows_to_wider_decimal(const struct cast_job *j)
{
    struct type t = j->out->type, s = j->in->type;
    int whole, scale, up;

    if (!decimal_source(s, &whole, &scale) || t.precision - t.scale < whole ||
        t.scale < scale)
        return false;
    up = t.scale - scale;
    if (type_is_wide(t)) {
        if (type_is_wide(s))
            WIDEN(i128, i128, u128);
        else if (type_width(s) == 8)
            WIDEN(int64_t, i128, u128);
        else if (s.id == TYPE_INT)
            WIDEN(int32_t, i128, u128);
        else
            return false;
        return true;
    }
    if (type_width(s) == 8)
        WIDEN(int64_t, int64_t, uint64_t);
    else if (s.id == TYPE_INT)
        WIDEN(int32_t, int64_t, uint64_t);
    else
        return false;
    return true;
}

/* Fewer digits, in 64 bits: rounded half up, NULL where too long. */
static bool rows_to_narrower_decimal(const struct cast_job *j)
{
    struct type t = j->out->type, s = j->in->type;
    int64_t *to = j->out->data;
    const int64_t *from = j->in->data;

    if (s.id != TYPE_DECIMAL || type_is_wide(s) || type_is_wide(t) || t.scale > s.scale ||
        !j->out->valid || j->mode == CAST_ANSI)
        return false;
    const int64_t unit = (int64_t)decimal_pow10[s.scale - t.scale], half = unit / 2;
    const int64_t limit = (int64_t)decimal_pow10[t.precision];
    EACH_ROW(j->batch, {
        int64_t x = from[row], q = x / unit, r = x % unit;
        q += unit > 1 ? (r >= half) - (r <= -half) : 0;
        to[row] = q;
        if (q >= limit || q <= -limit)
            j->out->valid[row] = 0;
    });
    return true;
}

/* Exact where the unscaled value is below 2^53 and the scale at most 22: one division. */
static bool rows_decimal_to_double(const struct cast_job *j)
{
    struct type s = j->in->type;
    const int64_t *from = j->in->data;
    double *to = j->out->data;
    const double unit = (double)decimal_pow10[s.scale];

    if (type_is_wide(s))
        return false;
    if (s.precision <= 15)
        EACH_ROW(j->batch, to[row] = (double)from[row] / unit);
    else
        EACH_ROW(j->batch, to[row] = decimal_to_double(from[row], s.scale));
    return true;
}

static bool rows_date_to_timestamp(const struct cast_job *j)
{
    const int32_t *from = j->in->data;
    int64_t *to = j->out->data;

    if (j->out->type.id == TYPE_TIMESTAMP && j->zone != &zone_utc)
        return false;
    EACH_ROW(j->batch, to[row] = from[row] * DAY_US);
    return true;
}

static bool rows_timestamp_to_date(const struct cast_job *j)
{
    const int64_t *from = j->in->data;
    int32_t *to = j->out->data;

    if (j->in->type.id == TYPE_TIMESTAMP && j->zone != &zone_utc)
        return false;
    EACH_ROW(j->batch, to[row] = (int32_t)floor_div(from[row], DAY_US));
    return true;
}

static bool rows_date_to_text(const struct cast_job *j)
{
    const int32_t *from = j->in->data;
    struct str *to = j->out->data;
    char text[DATE_TEXT];

    EACH_ROW(j->batch, {
        if (!j->in->valid || j->in->valid[row]) {
            size_t n = date_format(text, from[row]);
            struct str s = str_make(text, n);
            to[row] = str_keep(j->text, &s);
        }
    });
    return true;
}

/* bigint and smaller by their value. */
static bool rows_long_to_text(const struct cast_job *j)
{
    const void *from = j->in->data;
    enum type_id id = (enum type_id)j->in->type.id;
    struct str *to = j->out->data;
    char text[NUMBER_TEXT];

    if (id != TYPE_INT && id != TYPE_LONG)
        return false;
    EACH_ROW(j->batch, {
        int64_t x =
            id == TYPE_INT ? ((const int32_t *)from)[row] : ((const int64_t *)from)[row];
        struct str s = str_make(text, long_format(text, x));
        to[row] = str_keep(j->text, &s);
    });
    return true;
}

/* Text into rows of type D, NULL where `parsed` is false of it; `text` is the row's. */
#define PARSE(D, X, parsed)                                                              \
    do {                                                                                 \
        const struct str *from = j->in->data;                                            \
        D *to = j->out->data;                                                            \
        EACH_ROW(j->batch, {                                                             \
            X x;                                                                         \
            if (j->out->valid[row]) {                                                    \
                const struct sv text = str_sv(&from[row]);                               \
                if (parsed)                                                              \
                    to[row] = (D)x;                                                      \
                else                                                                     \
                    j->out->valid[row] = 0;                                              \
            }                                                                            \
        });                                                                              \
    } while (0)

/* What is no number, date or so is NULL here: ANSI, which has to say what it was, goes
 * value by value. */
static bool rows_from_text(const struct cast_job *j)
{
    struct type t = j->out->type;
    bool fraction = j->mode == CAST_LEGACY; /* TRY_CAST takes whole numbers only */

    if (j->mode == CAST_ANSI || !j->out->valid)
        return false;
    if (t.id == TYPE_DATE)
        PARSE(int32_t, int32_t, date_parse(text, &x));
    else if (t.id == TYPE_INT)
        PARSE(int32_t, int64_t, long_parse(text, fraction, &x) && x == (int32_t)x);
    else if (t.id == TYPE_LONG)
        PARSE(int64_t, int64_t, long_parse(text, fraction, &x));
    else if (t.id == TYPE_DOUBLE)
        PARSE(double, double, double_parse(text, &x));
    else if (t.id == TYPE_DECIMAL && !type_is_wide(t))
        PARSE(int64_t, i128, decimal_parse(sv_trim(text), t, &x) == DECIMAL_OK);
    else if (t.id == TYPE_TIMESTAMP)
        PARSE(int64_t, int64_t, timestamp_parse(text, j->zone, TODAY, &x));
    else
        return false;
    return true;
}

static int64_t stop_at_ends(double x, double low, double high, int64_t top)
{
    return x >= high ? top : x <= low ? -top - 1 : x == x ? (int64_t)x : 0;
}

/* To int and bigint, stopping at their ends; NaN is 0. */
static bool rows_double_to_whole(const struct cast_job *j)
{
    const double *from = j->in->data;

    if (j->mode != CAST_LEGACY)
        return false;
    if (j->out->type.id == TYPE_INT) {
        int32_t *to = j->out->data;
        EACH_ROW(j->batch, to[row] = (int32_t)stop_at_ends(from[row], -0x1p31, 0x1p31 - 1,
                                                           INT32_MAX));
        return true;
    }
    if (j->out->type.id == TYPE_LONG) {
        int64_t *to = j->out->data;
        EACH_ROW(j->batch, to[row] = stop_at_ends(from[row], -0x1p63, 0x1p63, INT64_MAX));
        return true;
    }
    return false;
}

/* Text that stays text, whatever it is called. */
static bool rows_same_bytes(const struct cast_job *j)
{
    const struct str *from = j->in->data;
    struct str *to = j->out->data;

    EACH_ROW(j->batch, to[row] = from[row]);
    return true;
}

static bool narrows(struct type from, struct type to)
{
    return type_is_integral(to) && to.id < from.id;
}

/* True where a loop did it. Only what needs no error text. */
static bool cast_fast(const struct cast_job *j)
{
    struct type from = j->in->type, to = j->out->type;

    if (type_is_text(from) && type_is_text(to))
        return rows_same_bytes(j);
    if (to.id == TYPE_DECIMAL)
        return rows_to_wider_decimal(j) || rows_to_narrower_decimal(j);
    if (j->mode != CAST_LEGACY && narrows(from, to))
        return false;
    switch ((enum type_id)from.id) {
    case TYPE_BYTE:
        return rows_byte(j);
    case TYPE_SHORT:
        return rows_short(j);
    case TYPE_INT:
        return to.id == TYPE_STRING ? rows_long_to_text(j) : rows_int(j);
    case TYPE_LONG:
        return to.id == TYPE_STRING ? rows_long_to_text(j) : rows_long(j);
    case TYPE_DECIMAL:
        return to.id == TYPE_DOUBLE && rows_decimal_to_double(j);
    case TYPE_DATE:
        return to.id == TYPE_STRING
                   ? rows_date_to_text(j)
                   : (to.id == TYPE_TIMESTAMP || to.id == TYPE_TIMESTAMP_NTZ) &&
                         rows_date_to_timestamp(j);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        return to.id == TYPE_DATE && rows_timestamp_to_date(j);
    case TYPE_STRING:
        return rows_from_text(j);
    case TYPE_FLOAT:
        return to.id == TYPE_DOUBLE && rows_float_to_double(j);
    case TYPE_DOUBLE:
        return rows_double_to_whole(j);
    case TYPE_BOOLEAN: /* bytes of 0 and 1 */
        return type_is_numeric(to) && rows_byte(j);
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return false;
    }
    return false;
}

/* ---- whole columns ---- */

static void copy_nulls(const struct cast_job *j)
{
    const uint8_t *valid = j->in->valid;
    uint8_t *to = j->out->valid;

    if (!to)
        return;
    if (valid)
        EACH_ROW(j->batch, to[row] = valid[row]);
    else
        EACH_ROW(j->batch, to[row] = 1);
}

static enum errc cast_constant(const struct vec *in, const struct cast_job *j,
                               struct err *err)
{
    struct value x = value_at(in, 0), y;

    TRY(cast_value(j->text, &x, j->out->type, j->mode, j->zone, &y, err));
    for (uint32_t i = 0; i < j->batch->n_sel; i++)
        value_store(j->out, batch_row(j->batch, i), &y);
    return ERR_OK;
}

enum errc cast_rows(const struct vec *in, const struct batch *b, struct vec *out,
                    enum cast_mode mode, const struct zone *zone, struct arena *text,
                    struct err *err)
{
    struct cast_job j = { in, b, out, mode, zone, text };

    if (in->kind == VEC_CONST)
        return cast_constant(in, &j, err);
    struct vec flat = vec_flatten(text, in, b);
    j.in = &flat;
    copy_nulls(&j);
    return cast_fast(&j) ? ERR_OK : cast_each(&j, err);
}

enum errc cast_run(struct eval_call *c, struct err *err)
{
    enum cast_mode mode = c->expr->try_cast ? CAST_TRY
                          : c->expr->ansi || eval_ansi(c) ? CAST_ANSI
                                            : CAST_LEGACY;

    return cast_rows(&c->args[0], c->batch, c->out, mode, c->env->zone, c->text, err);
}

/* ---- nullability ---- */

/* Does every value of `from` fit the decimal? */
static bool decimal_holds(struct type from, struct type to)
{
    struct type d = decimal_for(from);

    if (from.id == TYPE_BOOLEAN)
        d = type_decimal(1, 0);
    else if (!type_is_integral(from) && from.id != TYPE_DECIMAL)
        return false;
    return to.precision - to.scale >= d.precision - d.scale &&
           (from.id != TYPE_DECIMAL || to.scale >= d.scale ||
            to.precision - to.scale > d.precision - d.scale);
}

bool cast_may_null(struct type from, struct type to)
{
    if (type_eq(from, to) || from.id == TYPE_NULL)
        return from.id == TYPE_NULL && to.id != TYPE_NULL;
    if (from.id == TYPE_STRING)
        return to.id != TYPE_BINARY;
    if (to.id == TYPE_STRING || to.id == TYPE_BINARY)
        return false;
    bool real = from.id == TYPE_FLOAT || from.id == TYPE_DOUBLE;
    bool moment = from.id == TYPE_TIMESTAMP || from.id == TYPE_TIMESTAMP_NTZ;
    if (to.id == TYPE_DATE)
        return !moment;
    if (to.id == TYPE_DECIMAL)
        return !decimal_holds(from, to);
    if (from.id == TYPE_DATE)
        return to.id != TYPE_TIMESTAMP && to.id != TYPE_TIMESTAMP_NTZ;
    if (real && (to.id == TYPE_TIMESTAMP || type_is_integral(to)))
        return true;
    if (from.id == TYPE_DECIMAL && type_is_integral(to))
        return true;
    if (moment && type_is_integral(to) && to.id != TYPE_LONG)
        return true;
    return false;
}
