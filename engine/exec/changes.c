/* Changes from row to row; see changes.h. */
#include "engine/exec/changes.h"

struct sixteen {
    uint64_t a, b;
};

static bool doubles_same(double x, double y)
{
    return x == y || (x != x && y != y);
}

static bool bytes_same(const struct vec *v, const void *x, const void *y)
{
    switch (v->type.id) {
    case TYPE_FLOAT:
        return doubles_same((double)*(const float *)x, (double)*(const float *)y);
    case TYPE_DOUBLE:
        return doubles_same(*(const double *)x, *(const double *)y);
    case TYPE_STRING:
    case TYPE_BINARY:
        return str_eq(x, y);
    default:
        return memcmp(x, y, type_width(v->type)) == 0;
    }
}

bool values_same(const struct vec *x, uint32_t x_row, const struct vec *y, uint32_t y_row)
{
    if (x->type.id == TYPE_NULL)
        return true;
    bool x_null = vec_is_null(x, x_row), y_null = vec_is_null(y, y_row);

    if (x_null || y_null)
        return x_null == y_null;
    return bytes_same(x, vec_at(x, x_row), vec_at(y, y_row));
}

#define FLAG(T, DIFFERS)                                                                 \
    do {                                                                                 \
        const T *p = (const T *)v->data + from;                                          \
        for (uint32_t i = 0; i < n; i++) {                                               \
            const T x = p[(int64_t)i - 1], y = p[i];                                     \
            flags[i] |= (DIFFERS);                                                       \
        }                                                                                \
    } while (0)

static void flag_values(const struct vec *v, uint32_t from, uint32_t n, uint8_t *flags)
{
    switch (v->type.id) {
    case TYPE_FLOAT:
        FLAG(float, !(x == y || (x != x && y != y)));
        return;
    case TYPE_DOUBLE:
        FLAG(double, !(x == y || (x != x && y != y)));
        return;
    case TYPE_STRING:
    case TYPE_BINARY:
        for (uint32_t i = 0; i < n; i++)
            flags[i] |= !str_eq((const struct str *)v->data + from + i - 1,
                                (const struct str *)v->data + from + i);
        return;
    default:
        break;
    }
    switch (type_width(v->type)) {
    case 1:
        FLAG(uint8_t, x != y);
        return;
    case 2:
        FLAG(uint16_t, x != y);
        return;
    case 4:
        FLAG(uint32_t, x != y);
        return;
    case 8:
        FLAG(uint64_t, x != y);
        return;
    default:
        FLAG(struct sixteen, x.a != y.a || x.b != y.b);
        return;
    }
}

void flag_changes(const struct vec *v, uint32_t from, uint32_t n, uint8_t *flags)
{
    if (v->kind == VEC_CONST || v->type.id == TYPE_NULL || n == 0)
        return;
    if (!v->valid) {
        flag_values(v, from, n, flags);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        flags[i] |= !values_same(v, from + i - 1, v, from + i);
}
