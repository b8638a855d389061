/* Sums of decimals, of which sums and means are made. For agg_sum.c and agg_avg.c only.
 */
#ifndef ENGINE_EXPR_AGG_SUM_H
#define ENGINE_EXPR_AGG_SUM_H

#include "engine/expr/agg_list.h"

struct sum_decimal {
    wide_col sum;
    uint8_t seen, over;
};

static inline struct type sum_decimal_type(struct type t)
{
    int p = t.precision + 10;

    return type_decimal(p > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : p, t.scale);
}

/* Ten digits more than any one value: only 10^10 rows overflow. */
static inline bool sums_fit(struct type arg)
{
    return arg.precision <= 27;
}

static inline void add_decimal(uint8_t *state, i128 x)
{
    struct sum_decimal *s = (struct sum_decimal *)state;

    s->sum += x;
    s->seen = 1;
}

/* Sums of 38 digits: two of them fit 128 bits, then it is too late. */
static inline void add_decimal_checked(uint8_t *state, i128 x)
{
    struct sum_decimal *s = (struct sum_decimal *)state;

    s->seen = 1;
    if (s->over)
        return;
    s->over = __builtin_add_overflow((i128)s->sum, x, &x) ||
              !decimal_fits(x, DECIMAL_MAX_PRECISION);
    s->sum = x;
}

static inline bool decimal_sum_ok(const struct sum_decimal *s, struct type t)
{
    return !s->over && decimal_fits(s->sum, t.precision);
}

/* Sums of whole numbers and intervals: months have 32 bits, all others 64. */
static inline int64_t whole_at(const struct vec *v, uint32_t row)
{
    return v->type.id == TYPE_INTERVAL_MONTH ? *(const int32_t *)vec_at(v, row)
                                             : *(const int64_t *)vec_at(v, row);
}

static inline void put_whole(struct vec *v, uint32_t i, int64_t x)
{
    if (v->type.id == TYPE_INTERVAL_MONTH)
        ((int32_t *)v->data)[i] = (int32_t)x;
    else
        ((int64_t *)v->data)[i] = x;
}

#endif
