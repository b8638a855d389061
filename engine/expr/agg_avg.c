/* avg and its states: sums in double, in the order of the rows; decimals in 128 bits with
 * four digits more behind the point; intervals in their unit. */
#include "engine/expr/agg_sum.h"

struct avg_double {
    double sum;
    int64_t count;
};

struct avg_interval { /* months or microseconds */
    int64_t sum, count;
};

struct avg_decimal {
    struct sum_decimal sum;
    int64_t count;
};

static bool is_interval(struct type t)
{
    return t.id == TYPE_INTERVAL_MONTH || t.id == TYPE_INTERVAL_DAY;
}

static enum errc bind_avg(struct agg_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;

    if (is_interval(t)) {
        b->type = t.id == TYPE_INTERVAL_DAY ? type_interval(UNIT_DAY, UNIT_SECOND)
                                            : type_interval(UNIT_YEAR, UNIT_MONTH);
        return ERR_OK;
    }
    if (t.id == TYPE_DECIMAL) {
        int p = t.precision + 4, s = t.scale + 4;

        b->type = type_decimal(p > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : p,
                               s > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : s);
        return ERR_OK;
    }
    if (t.id == TYPE_STRING || t.id == TYPE_NULL)
        t = b->want[0] = type_of(TYPE_DOUBLE);
    if (!type_is_numeric(t))
        return agg_refuse(b, 0, "\"NUMERIC\" or \"ANSI INTERVAL\"", err);
    b->type = type_of(TYPE_DOUBLE);
    return ERR_OK;
}

static uint32_t avg_buffers(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    if (e->type.id == TYPE_DECIMAL)
        types[0] = sum_decimal_type(e->args[0]->type);
    names[0] = "sum";
    types[1] = type_of(TYPE_LONG);
    names[1] = "count";
    return 2;
}

static size_t avg_bytes(const struct agg_run *r)
{
    return r->result.id == TYPE_DECIMAL ? sizeof(struct avg_decimal)
                                        : sizeof(struct avg_double);
}

static inline void avg_add(uint8_t *state, double x)
{
    struct avg_double *s = (struct avg_double *)state;

    s->sum += x;
    s->count++;
}

static inline void avg_add_interval(uint8_t *state, int64_t x)
{
    struct avg_interval *s = (struct avg_interval *)state;

    s->sum = (int64_t)((uint64_t)s->sum + (uint64_t)x);
    s->count++;
}

static inline void avg_add_decimal(uint8_t *state, i128 x)
{
    struct avg_decimal *s = (struct avg_decimal *)state;

    s->sum.sum += x;
    s->count++;
}

static inline void avg_add_checked(uint8_t *state, i128 x)
{
    add_decimal_checked(state, x); /* the sum comes first */
    ((struct avg_decimal *)state)->count++;
}

static void avg_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                       const struct batch *b)
{
    const struct vec *v = &args[0];

    switch ((enum type_id)v->type.id) {
    case TYPE_BYTE:
        AGG_EACH(int8_t, v, b, avg_add(states[i], x));
        break;
    case TYPE_SHORT:
        AGG_EACH(int16_t, v, b, avg_add(states[i], x));
        break;
    case TYPE_INT:
        AGG_EACH(int32_t, v, b, avg_add(states[i], x));
        break;
    case TYPE_LONG:
        AGG_EACH(int64_t, v, b, avg_add(states[i], (double)x));
        break;
    case TYPE_FLOAT:
        AGG_EACH(float, v, b, avg_add(states[i], (double)x));
        break;
    case TYPE_DOUBLE:
        AGG_EACH(double, v, b, avg_add(states[i], x));
        break;
    case TYPE_INTERVAL_MONTH:
        AGG_EACH(int32_t, v, b, avg_add_interval(states[i], x));
        break;
    case TYPE_INTERVAL_DAY:
        AGG_EACH(int64_t, v, b, avg_add_interval(states[i], x));
        break;
    case TYPE_DECIMAL:
        if (!type_is_wide(v->type))
            AGG_EACH(int64_t, v, b, avg_add_decimal(states[i], x));
        else if (sums_fit(r->arg_types[0]))
            AGG_EACH(wide_col, v, b, avg_add_decimal(states[i], x));
        else
            AGG_EACH(wide_col, v, b, avg_add_checked(states[i], x));
        break;
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        break;
    }
}

static void avg_merge(const struct agg_run *r, uint8_t **states,
                      const struct vec *buffers, const struct batch *b)
{
    bool decimal = r->result.id == TYPE_DECIMAL;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        int64_t count = *(const int64_t *)vec_at(&buffers[1], row);
        const void *at = vec_at(&buffers[0], row);

        if (is_interval(r->result)) {
            struct avg_interval *s = (struct avg_interval *)states[i];

            s->sum += whole_at(&buffers[0], row);
            s->count += count;
            continue;
        }
        if (!decimal) {
            struct avg_double *s = (struct avg_double *)states[i];

            s->sum += *(const double *)at;
            s->count += count;
            continue;
        }
        struct avg_decimal *s = (struct avg_decimal *)states[i];
        if (vec_is_null(&buffers[0], row))
            s->sum.over = 1;
        else
            add_decimal_checked(states[i], type_is_wide(buffers[0].type)
                                               ? *(const wide_col *)at
                                               : *(const int64_t *)at);
        s->count += count;
    }
}

static void avg_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                        struct vec *buffers)
{
    int64_t *counts = buffers[1].data;

    for (uint32_t i = 0; i < n; i++) {
        if (is_interval(r->result)) {
            const struct avg_interval *s = (const struct avg_interval *)states[i];

            put_whole(&buffers[0], i, s->sum);
            counts[i] = s->count;
            continue;
        }
        if (r->result.id != TYPE_DECIMAL) {
            const struct avg_double *s = (const struct avg_double *)states[i];

            ((double *)buffers[0].data)[i] = s->sum;
            counts[i] = s->count;
            continue;
        }
        const struct avg_decimal *s = (const struct avg_decimal *)states[i];
        bool ok = decimal_sum_ok(&s->sum, buffers[0].type);

        buffers[0].valid[i] = ok;
        decimal_put(&buffers[0], i, ok ? s->sum.sum : 0);
        counts[i] = s->count;
    }
}

/* sum / count, rounded half up to the result's scale. */
static bool decimal_mean(i128 sum, int64_t count, struct type from, struct type r,
                         i128 *out)
{
    i128 limit = decimal_pow10[33], scaled;
    int more = r.scale - from.scale;

    if (more < 0 || more > 4 || sum >= limit || sum <= -limit)
        return decimal_divide(sum, from, count, type_decimal(20, 0), r, out);
    scaled = sum * decimal_pow10[more];
    if (scaled >= INT64_MIN / 4 && scaled <= INT64_MAX / 4 && count < INT64_MAX / 4) {
        int64_t twice = (int64_t)scaled * 2;

        *out = (twice + (twice < 0 ? -count : count)) / (count * 2);
    } else {
        *out = (scaled * 2 + (scaled < 0 ? -(i128)count : count)) / ((i128)count * 2);
    }
    return decimal_fits(*out, r.precision);
}

/* Rounded half away from zero, as Spark divides intervals. */
static void interval_mean(const struct avg_interval *s, struct vec *out, uint32_t i)
{
    i128 twice = (i128)s->sum * 2, count = s->count;

    out->valid[i] = count != 0;
    put_whole(out, i,
              count ? (int64_t)((twice + (twice < 0 ? -count : count)) / (count * 2))
                    : 0);
}

static void avg_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                      struct vec *out)
{
    struct type from =
        r->result.id == TYPE_DECIMAL ? sum_decimal_type(r->arg_types[0]) : r->result;

    for (uint32_t i = 0; i < n; i++) {
        if (is_interval(r->result)) {
            interval_mean((const struct avg_interval *)states[i], out, i);
            continue;
        }
        if (r->result.id != TYPE_DECIMAL) {
            const struct avg_double *s = (const struct avg_double *)states[i];

            out->valid[i] = s->count != 0;
            ((double *)out->data)[i] = s->count ? s->sum / (double)s->count : 0;
            continue;
        }
        const struct avg_decimal *s = (const struct avg_decimal *)states[i];
        i128 mean = 0;

        out->valid[i] = s->count && decimal_sum_ok(&s->sum, from) &&
                        decimal_mean(s->sum.sum, s->count, from, r->result, &mean);
        decimal_put(out, i, mean);
    }
}

const struct agg avg_aggs[] = {
    { .name = "avg",
      .aliases = "mean try_avg",
      .min_args = 1,
      .max_args = 1,
      .duplicates_matter = true,
      .bind = bind_avg,
      .buffers = avg_buffers,
      .state_bytes = avg_bytes,
      .update = avg_update,
      .merge = avg_merge,
      .partial = avg_partial,
      .final = avg_final,
      .usage = "avg(expr) - The mean of the values that are not NULL." },
    { 0 },
};
