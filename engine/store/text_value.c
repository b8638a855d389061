#include "engine/store/text_value.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"
#include "engine/column/number.h"
#include "engine/expr/cast.h"

#include <math.h>

void text_batch_init(struct text_batch *b, const struct type *types, uint32_t n)
{
    *b = (struct text_batch){ .n_columns = n };
    b->vecs = arena_array(&b->columns, n + 1, sizeof *b->vecs);
    for (uint32_t i = 0; i < n; i++)
        b->vecs[i] = vec_flat(&b->columns, types[i], BATCH_ROWS, true);
}

void text_batch_reset(struct text_batch *b)
{
    b->rows = 0;
    arena_reset(&b->text);
}

void text_batch_release(struct text_batch *b)
{
    arena_release(&b->columns);
    arena_release(&b->text);
    *b = (struct text_batch){ 0 };
}

void text_null(struct text_batch *b, uint32_t column)
{
    struct vec *v = &b->vecs[column];
    size_t width = type_width(v->type);

    v->valid[b->rows] = 0;
    memset((char *)v->data + b->rows * width, 0, width);
}

/* Digits with an optional sign, nothing else. */
static bool whole_number(struct sv s, int64_t min, int64_t max, int64_t *out)
{
    return s.len > 0 && s.p[0] != ' ' && sv_i64(s, out) && *out >= min && *out <= max;
}

static bool store_integer(struct vec *v, uint32_t row, struct sv s)
{
    int64_t i;

    switch ((enum type_id)v->type.id) {
    case TYPE_BYTE:
        if (!whole_number(s, INT8_MIN, INT8_MAX, &i))
            return false;
        ((int8_t *)v->data)[row] = (int8_t)i;
        return true;
    case TYPE_SHORT:
        if (!whole_number(s, INT16_MIN, INT16_MAX, &i))
            return false;
        ((int16_t *)v->data)[row] = (int16_t)i;
        return true;
    case TYPE_INT:
        if (!whole_number(s, INT32_MIN, INT32_MAX, &i))
            return false;
        ((int32_t *)v->data)[row] = (int32_t)i;
        return true;
    default:
        if (!whole_number(s, INT64_MIN, INT64_MAX, &i))
            return false;
        ((int64_t *)v->data)[row] = i;
        return true;
    }
}

static bool real(struct sv s, const struct text_options *o, double *out)
{
    if (sv_eq(s, o->nan))
        *out = NAN;
    else if (sv_eq(s, o->inf))
        *out = INFINITY;
    else if (sv_eq(s, o->minus_inf))
        *out = -INFINITY;
    else
        return double_parse(s, out);
    return true;
}

static bool store_decimal(struct vec *v, uint32_t row, struct sv s)
{
    i128 d;

    if (s.len == 0 || s.p[0] == ' ' || s.p[s.len - 1] == ' ' ||
        decimal_parse(s, v->type, &d) != DECIMAL_OK)
        return false;
    if (type_is_wide(v->type))
        ((i128 *)v->data)[row] = d;
    else
        ((int64_t *)v->data)[row] = (int64_t)d;
    return true;
}

static bool store(struct text_batch *b, struct vec *v, struct sv s,
                  const struct text_options *o)
{
    uint32_t row = b->rows;
    int64_t i;
    int32_t days;
    double f;

    switch ((enum type_id)v->type.id) {
    case TYPE_NULL:
        return false;
    case TYPE_BOOLEAN:
        if (!sv_eq_nocase(s, sv("true")) && !sv_eq_nocase(s, sv("false")))
            return false;
        ((uint8_t *)v->data)[row] = s.len == 4;
        return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return store_integer(v, row, s);
    case TYPE_FLOAT:
        if (!real(s, o, &f))
            return false;
        if (!isfinite(f) || !float_parse(s, &((float *)v->data)[row]))
            ((float *)v->data)[row] = (float)f;
        return true;
    case TYPE_DOUBLE:
        if (!real(s, o, &f))
            return false;
        ((double *)v->data)[row] = f;
        return true;
    case TYPE_DECIMAL:
        return store_decimal(v, row, s);
    case TYPE_STRING:
    case TYPE_BINARY:
        if (s.len > STR_INLINE)
            s = arena_sv(&b->text, s);
        ((struct str *)v->data)[row] = str_make(s.p, s.len);
        return true;
    case TYPE_DATE:
        if (!date_parse(s, &days))
            return false;
        ((int32_t *)v->data)[row] = days;
        return true;
    case TYPE_TIMESTAMP:
        if (!timestamp_parse(s, o->zone, 0, &i))
            return false;
        ((int64_t *)v->data)[row] = i;
        return true;
    case TYPE_TIMESTAMP_NTZ:
        if (!timestamp_ntz_parse(s, false, &i))
            return false;
        ((int64_t *)v->data)[row] = i;
        return true;
    case TYPE_INTERVAL_MONTH:
        if (!interval_parse(s, v->type, &i))
            return false;
        ((int32_t *)v->data)[row] = (int32_t)i;
        return true;
    case TYPE_INTERVAL_DAY:
        if (!interval_parse(s, v->type, &i))
            return false;
        ((int64_t *)v->data)[row] = i;
        return true;
    }
    return false;
}

bool text_cell(struct text_batch *b, uint32_t column, struct sv text,
               const struct text_options *o)
{
    struct vec *v = &b->vecs[column];

    if (store(b, v, text, o)) {
        v->valid[b->rows] = 1;
        return true;
    }
    text_null(b, column);
    return false;
}

/* ---- writing ---- */

static void print_timestamp(struct strbuf *out, int64_t us, const struct zone *zone,
                            bool with_zone)
{
    int64_t local = with_zone ? zone_to_local_us(zone, us) : us;
    int64_t days = floor_div(local, DAY_US), of_day = floor_mod(local, DAY_US);
    int32_t offset = with_zone ? zone_offset_s(zone, us) : 0;
    char date[DATE_TEXT + 1];
    size_t n = date_format(date, days);

    strbuf_add(out, (struct sv){ date, n });
    strbuf_printf(out, "T%02d:%02d:%02d.%03d", (int)(of_day / HOUR_US),
                  (int)(of_day / MINUTE_US % 60), (int)(of_day / SECOND_US % 60),
                  (int)(of_day / 1000 % 1000));
    if (!with_zone)
        return;
    if (offset == 0)
        strbuf_addc(out, 'Z');
    else
        strbuf_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+',
                      (offset < 0 ? -offset : offset) / 3600,
                      (offset < 0 ? -offset : offset) / 60 % 60);
}

void text_print(struct strbuf *out, const struct vec *v, uint32_t row,
                const struct zone *zone)
{
    struct value x = value_at(v, row);

    if (x.type.id == TYPE_TIMESTAMP || x.type.id == TYPE_TIMESTAMP_NTZ)
        print_timestamp(out, x.u.i, zone, x.type.id == TYPE_TIMESTAMP);
    else if (type_is_text(x.type))
        strbuf_add(out, x.u.s);
    else
        value_print(out, &x, zone);
}
