/* Single values: made, compared, taken from and put into columns. value_print stands
 * with the casts to text. */
#include "engine/column/value.h"

#include <math.h>

struct value value_null(struct type t)
{
    return (struct value){ .type = t, .null = true };
}

struct value value_bool(bool b)
{
    return (struct value){ .type = type_of(TYPE_BOOLEAN), .u.b = b };
}

struct value value_int(int32_t i)
{
    return (struct value){ .type = type_of(TYPE_INT), .u.i = i };
}

struct value value_long(int64_t i)
{
    return (struct value){ .type = type_of(TYPE_LONG), .u.i = i };
}

struct value value_double(double f)
{
    return (struct value){ .type = type_of(TYPE_DOUBLE), .u.f = f };
}

struct value value_string(struct sv s)
{
    return (struct value){ .type = type_of(TYPE_STRING), .u.s = s };
}

struct value value_decimal(i128 unscaled, int precision, int scale)
{
    return (struct value){ .type = type_decimal(precision, scale), .u.dec = unscaled };
}

static int cmp_double(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
    return a < b ? -1 : a > b;
}

int value_cmp(const struct value *a, const struct value *b)
{
    switch ((enum type_id)a->type.id) {
    case TYPE_NULL:
        return 0;
    case TYPE_BOOLEAN:
        return (int)a->u.b - (int)b->u.b;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return cmp_double(a->u.f, b->u.f);
    case TYPE_DECIMAL:
        return a->u.dec < b->u.dec ? -1 : a->u.dec > b->u.dec;
    case TYPE_STRING:
    case TYPE_BINARY:
        return sv_cmp(a->u.s, b->u.s);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        break;
    }
    return a->u.i < b->u.i ? -1 : a->u.i > b->u.i;
}

bool value_eq(const struct value *a, const struct value *b)
{
    if (!type_eq(a->type, b->type) || a->null != b->null)
        return false;
    return a->null || value_cmp(a, b) == 0;
}

struct value value_at(const struct vec *v, uint32_t row)
{
    struct value x = { .type = v->type, .null = vec_is_null(v, row) };
    const void *at;

    if (x.null)
        return x;
    at = vec_at(v, row);
    switch ((enum type_id)v->type.id) {
    case TYPE_NULL:
        x.null = true;
        break;
    case TYPE_BOOLEAN:
        x.u.b = *(const uint8_t *)at != 0;
        break;
    case TYPE_BYTE:
        x.u.i = *(const int8_t *)at;
        break;
    case TYPE_SHORT:
        x.u.i = *(const int16_t *)at;
        break;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        x.u.i = *(const int32_t *)at;
        break;
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DAY:
        x.u.i = *(const int64_t *)at;
        break;
    case TYPE_FLOAT:
        x.u.f = (double)*(const float *)at;
        break;
    case TYPE_DOUBLE:
        x.u.f = *(const double *)at;
        break;
    case TYPE_DECIMAL:
        if (type_is_wide(v->type))
            memcpy(&x.u.dec, at, sizeof x.u.dec);
        else
            x.u.dec = *(const int64_t *)at;
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        x.u.s = str_sv(at);
        break;
    }
    return x;
}

void value_store(struct vec *v, uint32_t row, const struct value *x)
{
    char *at = (char *)v->data + row * type_width(v->type);

    if (v->valid)
        v->valid[row] = !x->null;
    if (x->null) {
        memset(at, 0, type_width(v->type));
        return;
    }
    switch ((enum type_id)v->type.id) {
    case TYPE_NULL:
        break;
    case TYPE_BOOLEAN:
        *(uint8_t *)at = x->u.b;
        break;
    case TYPE_BYTE:
        *(int8_t *)at = (int8_t)x->u.i;
        break;
    case TYPE_SHORT:
        *(int16_t *)(void *)at = (int16_t)x->u.i;
        break;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        *(int32_t *)(void *)at = (int32_t)x->u.i;
        break;
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DAY:
        *(int64_t *)(void *)at = x->u.i;
        break;
    case TYPE_FLOAT:
        *(float *)(void *)at = (float)x->u.f;
        break;
    case TYPE_DOUBLE:
        *(double *)(void *)at = x->u.f;
        break;
    case TYPE_DECIMAL:
        if (type_is_wide(v->type))
            memcpy(at, &x->u.dec, sizeof x->u.dec);
        else
            *(int64_t *)(void *)at = (int64_t)x->u.dec;
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        *(struct str *)(void *)at = str_make(x->u.s.p, x->u.s.len);
        break;
    }
}
