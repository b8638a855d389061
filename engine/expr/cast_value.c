/* Spark 3.5's rules for casting one value: Cast.scala, by target type.
 *
 * Without `strict` whole numbers wrap, doubles stop at the ends of int or bigint (and
 * wrap from there, for smaller types), decimals lose their high bits; with it all of
 * these are overflows. */
#include "engine/expr/cast.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"

#include <math.h>

struct cast_rule {
    struct arena *arena;
    const struct value *x;
    struct type to;
    bool strict;
    const struct zone *zone;
};

/* ---- to whole numbers ---- */

static int64_t wrap(enum type_id to, int64_t x)
{
    return to == TYPE_BYTE    ? (int8_t)x
           : to == TYPE_SHORT ? (int16_t)x
           : to == TYPE_INT   ? (int32_t)x
                              : x;
}

static int64_t saturate(double x, int64_t low, int64_t high)
{
    if (isnan(x))
        return 0;
    /* (double)INT64_MAX is 2^63, which is already too large */
    return x <= (double)low ? low : x >= (double)high ? high : (int64_t)x;
}

static enum cast_answer double_to_whole(const struct cast_rule *r, int64_t *out)
{
    static const int64_t most[] = { [TYPE_BYTE] = INT8_MAX,
                                    [TYPE_SHORT] = INT16_MAX,
                                    [TYPE_INT] = INT32_MAX,
                                    [TYPE_LONG] = INT64_MAX };
    int64_t high = most[r->to.id];
    double x = r->x->u.f;

    if (!r->strict) {
        *out = r->to.id == TYPE_LONG
                   ? saturate(x, INT64_MIN, INT64_MAX)
                   : wrap((enum type_id)r->to.id, saturate(x, INT32_MIN, INT32_MAX));
        return CAST_OK;
    }
    if (!(floor(x) <= (double)high && ceil(x) >= (double)(-high - 1)))
        return CAST_OVERFLOW;
    *out = saturate(x, -high - 1, high);
    return CAST_OK;
}

/* One field of an interval, in its own unit; seconds without their fraction. */
static int64_t interval_units(const struct value *x)
{
    static const int64_t size[] = {
        [UNIT_YEAR] = 12,      [UNIT_MONTH] = 1,          [UNIT_DAY] = DAY_US,
        [UNIT_HOUR] = HOUR_US, [UNIT_MINUTE] = MINUTE_US, [UNIT_SECOND] = SECOND_US
    };

    return x->u.i / size[x->type.units & 15];
}

/* A decimal's integer part, its low 64 bits. */
static bool decimal_whole(const struct value *x, int64_t *out)
{
    i128 whole = x->u.dec / decimal_pow10[x->type.scale];

    *out = (int64_t)(uint64_t)(u128)whole;
    return whole == *out;
}

static enum cast_answer to_whole(const struct cast_rule *r, struct value *out)
{
    enum type_id to = (enum type_id)r->to.id;
    const struct value *x = r->x;
    bool checked = r->strict, fits = true;
    int64_t i = x->u.i;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        if (!long_parse(x->u.s, !r->strict, &i) || wrap(to, i) != i)
            return CAST_MALFORMED;
        break;
    case TYPE_BOOLEAN:
        i = x->u.b;
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return double_to_whole(r, &out->u.i);
    case TYPE_DECIMAL:
        fits = decimal_whole(x, &i);
        break;
    case TYPE_TIMESTAMP:
        i = floor_div(x->u.i, SECOND_US);
        break;
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        i = interval_units(x);
        checked = true; /* in every mode */
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        break;
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
        return CAST_NULL;
    }
    if (checked && (!fits || wrap(to, i) != i))
        return r->strict ? CAST_OVERFLOW : CAST_RAISES;
    out->u.i = wrap(to, i);
    return CAST_OK;
}

/* ---- to float, double ---- */

static enum cast_answer to_real(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;
    bool single = r->to.id == TYPE_FLOAT;
    double f = 0;
    float parsed;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        if (single ? !float_parse(x->u.s, &parsed) : !double_parse(x->u.s, &f))
            return CAST_MALFORMED;
        if (single)
            f = (double)parsed;
        break;
    case TYPE_BOOLEAN:
        f = x->u.b;
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG: /* straight to float: by way of double would round twice */
        f = single ? (double)(float)x->u.i : (double)x->u.i;
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        f = x->u.f;
        break;
    case TYPE_DECIMAL:
        f = decimal_to_double(x->u.dec, x->type.scale);
        break;
    case TYPE_TIMESTAMP:
        f = (double)x->u.i / 1e6;
        break;
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return CAST_NULL;
    }
    out->u.f = single ? (double)(float)f : f;
    return CAST_OK;
}

/* ---- to decimal ---- */

static enum cast_answer string_to_decimal(const struct cast_rule *r, struct value *out)
{
    switch (decimal_parse(sv_trim(r->x->u.s), r->to, &out->u.dec)) {
    case DECIMAL_OK:
        return CAST_OK;
    case DECIMAL_BAD:
        return CAST_MALFORMED;
    case DECIMAL_OVERFLOW:
        break;
    }
    return CAST_PRECISION;
}

static enum cast_answer to_decimal(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;
    struct type t = r->to;
    i128 *dec = &out->u.dec;
    bool fits = true;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        return string_to_decimal(r, out);
    case TYPE_BOOLEAN:
        fits = decimal_from_long(x->u.b, t, dec);
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        fits = decimal_from_long(x->u.i, t, dec);
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (!isfinite(x->u.f))
            return CAST_NULL;
        fits = decimal_from_double(x->u.f, t, dec);
        break;
    case TYPE_DECIMAL:
        fits = decimal_rescale(x->u.dec, x->type.scale, t.precision, t.scale, dec);
        break;
    case TYPE_TIMESTAMP:
        fits = decimal_from_double((double)x->u.i / 1e6, t, dec);
        break;
    case TYPE_INTERVAL_MONTH:
        fits = decimal_from_long(interval_units(x), t, dec);
        break;
    case TYPE_INTERVAL_DAY:
        if ((x->type.units & 15) == UNIT_SECOND)
            fits = decimal_rescale(x->u.i, 6, t.precision, t.scale, dec);
        else
            fits = decimal_from_long(interval_units(x), t, dec);
        break;
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
        return CAST_NULL;
    }
    return fits ? CAST_OK : CAST_PRECISION;
}

/* ---- to boolean ---- */

static enum cast_answer to_boolean(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        return boolean_parse(x->u.s, &out->u.b) ? CAST_OK : CAST_MALFORMED;
    case TYPE_BOOLEAN:
        out->u.b = x->u.b;
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
        out->u.b = x->u.i != 0;
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        out->u.b = x->u.f != 0;
        break;
    case TYPE_DECIMAL:
        out->u.b = x->u.dec != 0;
        break;
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return CAST_NULL;
    }
    return CAST_OK;
}

/* ---- to dates and times ---- */

static enum cast_answer to_date(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;
    int32_t days;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        if (!date_parse(x->u.s, &days))
            return CAST_MALFORMED;
        out->u.i = days;
        return CAST_OK;
    case TYPE_TIMESTAMP:
        out->u.i = floor_div(zone_to_local_us(r->zone, x->u.i), DAY_US);
        return CAST_OK;
    case TYPE_TIMESTAMP_NTZ:
        out->u.i = floor_div(x->u.i, DAY_US);
        return CAST_OK;
    default:
        return CAST_NULL;
    }
}

/* Seconds in decimal to microseconds, cut, the low 64 bits. */
static int64_t decimal_to_us(const struct value *x)
{
    int scale = x->type.scale;
    i128 unit = scale >= 6 ? decimal_pow10[scale - 6] : 1;
    u128 us = scale >= 6 ? (u128)(x->u.dec / unit)
                         : (u128)x->u.dec * (u128)decimal_pow10[6 - scale];

    return (int64_t)(uint64_t)us;
}

static enum cast_answer to_timestamp(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        return timestamp_parse(x->u.s, r->zone, TODAY, &out->u.i) ? CAST_OK
                                                                  : CAST_MALFORMED;
    case TYPE_BOOLEAN:
        out->u.i = x->u.b;
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        if (__builtin_mul_overflow(x->u.i, SECOND_US, &out->u.i))
            out->u.i = x->u.i < 0 ? INT64_MIN : INT64_MAX;
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        if (!isfinite(x->u.f))
            return CAST_MALFORMED;
        if (r->strict && !(fabs(x->u.f * 1e6) < 0x1p63))
            return CAST_OVERFLOW;
        out->u.i = saturate(x->u.f * 1e6, INT64_MIN, INT64_MAX);
        break;
    case TYPE_DECIMAL:
        out->u.i = decimal_to_us(x);
        break;
    case TYPE_DATE:
        out->u.i = zone_to_utc_us(r->zone, (int64_t)((uint64_t)x->u.i * DAY_US));
        break;
    case TYPE_TIMESTAMP:
        out->u.i = x->u.i;
        break;
    case TYPE_TIMESTAMP_NTZ:
        out->u.i = zone_to_utc_us(r->zone, x->u.i);
        break;
    case TYPE_NULL:
    case TYPE_BINARY:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return CAST_NULL;
    }
    return CAST_OK;
}

static enum cast_answer to_ntz(const struct cast_rule *r, struct value *out)
{
    const struct value *x = r->x;

    switch ((enum type_id)x->type.id) {
    case TYPE_STRING:
        return timestamp_ntz_parse(x->u.s, true, &out->u.i) ? CAST_OK : CAST_MALFORMED;
    case TYPE_DATE:
        out->u.i = (int64_t)((uint64_t)x->u.i * DAY_US);
        return CAST_OK;
    case TYPE_TIMESTAMP:
        out->u.i = zone_to_local_us(r->zone, x->u.i);
        return CAST_OK;
    case TYPE_TIMESTAMP_NTZ:
        out->u.i = x->u.i;
        return CAST_OK;
    default:
        return CAST_NULL;
    }
}

/* ---- to intervals ---- */

static int64_t unit_size(enum interval_unit unit)
{
    return unit == UNIT_YEAR     ? 12
           : unit == UNIT_MONTH  ? 1
           : unit == UNIT_DAY    ? DAY_US
           : unit == UNIT_HOUR   ? HOUR_US
           : unit == UNIT_MINUTE ? MINUTE_US
                                 : SECOND_US;
}

static enum cast_answer to_interval(const struct cast_rule *r, struct value *out)
{
    enum interval_unit last = (enum interval_unit)(r->to.units & 15);
    const struct value *x = r->x;
    i128 exact;

    if (x->type.id == TYPE_STRING)
        return interval_parse(x->u.s, r->to, &out->u.i) ? CAST_OK : CAST_RAISES;
    if (x->type.id == r->to.id) { /* without what is smaller than the last unit */
        out->u.i = last == UNIT_SECOND ? x->u.i : x->u.i - x->u.i % unit_size(last);
        return CAST_OK;
    }
    if (x->type.id == TYPE_DECIMAL) { /* rounded to months or microseconds */
        if (!decimal_multiply(x->u.dec, x->type, unit_size(last), type_decimal(20, 0),
                              type_decimal(38, 0), &exact))
            return CAST_RAISES;
    } else if (type_is_integral(x->type)) {
        exact = (i128)x->u.i * unit_size(last);
    } else {
        return CAST_NULL;
    }
    bool months = r->to.id == TYPE_INTERVAL_MONTH;
    if (exact > (months ? INT32_MAX : INT64_MAX) ||
        exact < (months ? INT32_MIN : INT64_MIN))
        return r->strict ? CAST_OVERFLOW : CAST_RAISES;
    out->u.i = (int64_t)exact;
    return CAST_OK;
}

/* ---- to text and bytes ---- */

static enum cast_answer to_string(const struct cast_rule *r, struct value *out)
{
    char small[CAST_TEXT];
    struct strbuf text = { 0 };
    size_t n;

    if (type_is_text(r->x->type)) {
        out->u.s = r->x->u.s;
        return CAST_OK;
    }
    if (cast_format(small, &n, r->x, r->strict, r->zone)) {
        out->u.s = arena_sv(r->arena, (struct sv){ small, n });
        return CAST_OK;
    }
    cast_text(&text, r->x, r->strict, r->zone);
    out->u.s = arena_sv(r->arena, strbuf_sv(&text));
    strbuf_release(&text);
    return CAST_OK;
}

/* Whole numbers highest byte first. */
static enum cast_answer to_binary(const struct cast_rule *r, struct value *out)
{
    size_t n = type_width(r->x->type);
    char bytes[8];

    if (type_is_text(r->x->type)) {
        out->u.s = r->x->u.s;
        return CAST_OK;
    }
    if (!type_is_integral(r->x->type))
        return CAST_NULL;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)((uint64_t)r->x->u.i >> 8 * (n - 1 - i));
    out->u.s = arena_sv(r->arena, (struct sv){ bytes, n });
    return CAST_OK;
}

enum cast_answer cast_one(struct arena *a, const struct value *x, bool strict,
                          const struct zone *zone, struct value *out)
{
    struct cast_rule r = { a, x, out->type, strict, zone };

    out->null = false;
    switch ((enum type_id)out->type.id) {
    case TYPE_NULL:
        return CAST_NULL;
    case TYPE_BOOLEAN:
        return to_boolean(&r, out);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return to_whole(&r, out);
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return to_real(&r, out);
    case TYPE_DECIMAL:
        return to_decimal(&r, out);
    case TYPE_STRING:
        return to_string(&r, out);
    case TYPE_BINARY:
        return to_binary(&r, out);
    case TYPE_DATE:
        return to_date(&r, out);
    case TYPE_TIMESTAMP:
        return to_timestamp(&r, out);
    case TYPE_TIMESTAMP_NTZ:
        return to_ntz(&r, out);
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return to_interval(&r, out);
    }
    return CAST_NULL;
}
