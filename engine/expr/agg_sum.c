/* count, count_if, sum, try_sum, and their states.
 *
 * Integers add up in 64 bits and wrap, as Spark's do with ANSI off; everything floating
 * in double, in the order of the rows. Decimals add up in 128 bits. The sum's type has
 * ten digits more than the argument's, so that below 28 digits only 10^10 rows could
 * overflow it: those sums are checked when they leave the state, others at each step. */
#include "engine/expr/agg_sum.h"
#include "engine/run/settings.h"

/* ---- count ---- */

static enum errc bind_count(struct agg_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_LONG);
    b->nullable = false;
    return ERR_OK;
}

static enum errc bind_count_if(struct agg_bind *b, struct err *err)
{
    TRY(agg_bind_sig(b, "b:l", err));
    return bind_count(b, err);
}

static uint32_t count_buffers(const struct expr *e, struct type *types,
                              const char **names)
{
    (void)e;
    types[0] = type_of(TYPE_LONG);
    names[0] = "count";
    return 1;
}

static size_t long_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(int64_t);
}

static bool never_null(const struct vec *v)
{
    return !v->valid && (v->kind != VEC_DICT || !v->dict->valid) &&
           v->type.id != TYPE_NULL;
}

static bool any_null(const struct agg_run *r, const struct vec *args, uint32_t row)
{
    for (uint32_t k = 0; k < r->n_args; k++)
        if (args[k].type.id == TYPE_NULL || agg_null_at(&args[k], row))
            return true;
    return false;
}

static bool none_null(const struct agg_run *r, const struct vec *args)
{
    for (uint32_t k = 0; k < r->n_args; k++)
        if (!never_null(&args[k]))
            return false;
    return true;
}

static void count_update(const struct agg_run *r, uint8_t **states,
                         const struct vec *args, const struct batch *b)
{
    bool all = none_null(r, args);

    for (uint32_t i = 0; i < b->n_sel; i++)
        *(int64_t *)states[i] += all || !any_null(r, args, batch_row(b, i));
}

KERNEL_CLONES static uint32_t count_ones(const uint8_t *valid, uint32_t n)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += valid[i];
    return sum;
}

static void count_update_all(const struct agg_run *r, uint8_t *state,
                             const struct vec *args, const struct batch *b)
{
    int64_t n = b->n_sel;

    if (!none_null(r, args) && r->n_args == 1 && args->kind == VEC_FLAT && !b->sel) {
        n = count_ones(args->valid, b->n_rows);
    } else if (!none_null(r, args)) {
        n = 0;
        for (uint32_t i = 0; i < b->n_sel; i++)
            n += !any_null(r, args, batch_row(b, i));
    }
    *(int64_t *)state += n;
}

static void count_if_update(const struct agg_run *r, uint8_t **states,
                            const struct vec *args, const struct batch *b)
{
    (void)r;
    AGG_EACH(uint8_t, &args[0], b, *(int64_t *)states[i] += x);
}

static void count_merge(const struct agg_run *r, uint8_t **states,
                        const struct vec *buffers, const struct batch *b)
{
    (void)r;
    AGG_EACH(int64_t, &buffers[0], b, *(int64_t *)states[i] += x);
}

static void count_out(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                      struct vec *out)
{
    int64_t *to = out->data;

    (void)r;
    for (uint32_t i = 0; i < n; i++)
        to[i] = *(const int64_t *)states[i];
}

/* ---- sum ---- */

struct sum_long {
    int64_t sum;
    int64_t seen;
};

struct sum_double {
    double sum;
    int64_t seen;
};

static bool is_floating(struct type t)
{
    return t.id == TYPE_FLOAT || t.id == TYPE_DOUBLE;
}

static enum errc bind_sum(struct agg_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;

    if (t.id == TYPE_INTERVAL_DAY || t.id == TYPE_INTERVAL_MONTH) {
        b->type = t;
        return ERR_OK;
    }
    if (t.id == TYPE_STRING || t.id == TYPE_NULL)
        t = b->want[0] = type_of(TYPE_DOUBLE);
    if (!type_is_numeric(t))
        return agg_refuse(b, 0, "\"NUMERIC\" or \"ANSI INTERVAL\"", err);
    b->type = t.id == TYPE_DECIMAL ? sum_decimal_type(t)
              : is_floating(t)     ? type_of(TYPE_DOUBLE)
                                   : type_of(TYPE_LONG);
    return ERR_OK;
}

static uint32_t sum_buffers(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    names[0] = "sum";
    if (e->type.id != TYPE_DECIMAL)
        return 1;
    types[1] = type_of(TYPE_BOOLEAN);
    names[1] = "isEmpty";
    return 2;
}

static size_t sum_bytes(const struct agg_run *r)
{
    return r->result.id == TYPE_DECIMAL ? sizeof(struct sum_decimal)
                                        : sizeof(struct sum_long);
}

static inline void add_long(uint8_t *state, int64_t x)
{
    struct sum_long *s = (struct sum_long *)state;

    s->sum = (int64_t)((uint64_t)s->sum + (uint64_t)x);
    s->seen = 1;
}

static inline void add_double(uint8_t *state, double x)
{
    struct sum_double *s = (struct sum_double *)state;

    s->sum += x;
    s->seen = 1;
}

static void sum_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                       const struct batch *b)
{
    const struct vec *v = &args[0];

    switch ((enum type_id)v->type.id) {
    case TYPE_BYTE:
        AGG_EACH(int8_t, v, b, add_long(states[i], x));
        break;
    case TYPE_SHORT:
        AGG_EACH(int16_t, v, b, add_long(states[i], x));
        break;
    case TYPE_INT:
    case TYPE_INTERVAL_MONTH:
        AGG_EACH(int32_t, v, b, add_long(states[i], x));
        break;
    case TYPE_LONG:
    case TYPE_INTERVAL_DAY:
        AGG_EACH(int64_t, v, b, add_long(states[i], x));
        break;
    case TYPE_FLOAT:
        AGG_EACH(float, v, b, add_double(states[i], (double)x));
        break;
    case TYPE_DOUBLE:
        AGG_EACH(double, v, b, add_double(states[i], x));
        break;
    case TYPE_DECIMAL:
        if (!type_is_wide(v->type))
            AGG_EACH(int64_t, v, b, add_decimal(states[i], x));
        else if (sums_fit(r->arg_types[0]))
            AGG_EACH(wide_col, v, b, add_decimal(states[i], x));
        else
            AGG_EACH(wide_col, v, b, add_decimal_checked(states[i], x));
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

/* The rows' sum, where neither they nor the state can come near 38 digits on the way:
 * 2048 values below 2^110 stay below 2^121. */
static bool sum_small(const struct vec *v, const struct batch *b,
                      const struct sum_decimal *state, i128 *out, uint64_t *seen)
{
    const i128 far = (i128)1 << 120;
    uint64_t bits = 0;
    i128 sum = 0;

    if (state->over || state->sum > far || state->sum < -far || b->n_rows > BATCH_ROWS)
        return false;
    AGG_EACH(wide_col, v, b, {
        uint64_t high = (uint64_t)((u128)x >> 64);

        bits |= high ^ (uint64_t)((int64_t)high >> 63);
        sum += x;
        *seen |= 1;
    });
    if (bits >> (110 - 64))
        return false;
    *out = sum;
    return true;
}

/* Into locals, so that the loops vectorise; doubles keep their order. */
static void sum_update_all(const struct agg_run *r, uint8_t *state,
                           const struct vec *args, const struct batch *b)
{
    const struct vec *v = &args[0];
    struct sum_long *l = (struct sum_long *)state;
    struct sum_double *f = (struct sum_double *)state;
    struct sum_decimal *d = (struct sum_decimal *)state;
    uint64_t sum = 0, seen = 0;
    double fsum = f->sum;
    i128 wide = 0;

    switch ((enum type_id)v->type.id) {
    case TYPE_BYTE:
        AGG_EACH(int8_t, v, b, sum += (uint64_t)x; seen |= 1);
        break;
    case TYPE_SHORT:
        AGG_EACH(int16_t, v, b, sum += (uint64_t)x; seen |= 1);
        break;
    case TYPE_INT:
    case TYPE_INTERVAL_MONTH:
        AGG_EACH(int32_t, v, b, sum += (uint64_t)x; seen |= 1);
        break;
    case TYPE_LONG:
    case TYPE_INTERVAL_DAY:
        AGG_EACH(int64_t, v, b, sum += (uint64_t)x; seen |= 1);
        break;
    case TYPE_FLOAT:
        AGG_EACH(float, v, b, fsum += (double)x; seen |= 1);
        break;
    case TYPE_DOUBLE:
        AGG_EACH(double, v, b, fsum += x; seen |= 1);
        break;
    case TYPE_DECIMAL:
        if (!type_is_wide(v->type))
            AGG_EACH(int64_t, v, b, wide += x; seen |= 1);
        else if (sums_fit(r->arg_types[0]))
            AGG_EACH(wide_col, v, b, wide += x; seen |= 1);
        else if (!sum_small(v, b, d, &wide, &seen))
            AGG_EACH(wide_col, v, b, add_decimal_checked(state, x));
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
    if (r->result.id == TYPE_DECIMAL) {
        d->sum += wide;
        d->seen |= (uint8_t)seen;
    } else if (is_floating(r->result)) {
        f->sum = fsum;
        f->seen |= (int64_t)seen;
    } else {
        l->sum = (int64_t)((uint64_t)l->sum + sum);
        l->seen |= (int64_t)seen;
    }
}

/* A decimal's NULL sum that is not empty has overflowed. */
static void merge_decimal(uint8_t **states, const struct vec *buffers,
                          const struct batch *b)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct sum_decimal *s = (struct sum_decimal *)states[i];

        if (*(const uint8_t *)vec_at(&buffers[1], row))
            continue;
        if (vec_is_null(&buffers[0], row)) {
            s->seen = s->over = 1;
            continue;
        }
        const void *at = vec_at(&buffers[0], row);
        add_decimal_checked(states[i], type_is_wide(buffers[0].type)
                                           ? *(const wide_col *)at
                                           : *(const int64_t *)at);
    }
}

static void sum_merge(const struct agg_run *r, uint8_t **states,
                      const struct vec *buffers, const struct batch *b)
{
    if (r->result.id == TYPE_DECIMAL)
        merge_decimal(states, buffers, b);
    else if (is_floating(r->result))
        AGG_EACH(double, &buffers[0], b, add_double(states[i], x));
    else if (r->result.id == TYPE_INTERVAL_MONTH)
        AGG_EACH(int32_t, &buffers[0], b, add_long(states[i], x));
    else
        AGG_EACH(int64_t, &buffers[0], b, add_long(states[i], x));
}

static void sum_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                      struct vec *out)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct sum_long *l = (const struct sum_long *)states[i];
        const struct sum_decimal *d = (const struct sum_decimal *)states[i];

        if (r->result.id == TYPE_DECIMAL) {
            out->valid[i] = d->seen && decimal_sum_ok(d, r->result);
            decimal_put(out, i, out->valid[i] ? d->sum : 0);
            continue;
        }
        out->valid[i] = l->seen != 0;
        if (r->result.id == TYPE_INTERVAL_MONTH)
            ((int32_t *)out->data)[i] = (int32_t)l->sum;
        else /* the double's bits are where the integer's would be */
            memcpy((int64_t *)out->data + i, &l->sum, sizeof l->sum);
    }
}

static void sum_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                        struct vec *buffers)
{
    if (r->result.id != TYPE_DECIMAL) {
        sum_final(r, states, n, &buffers[0]);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct sum_decimal *s = (const struct sum_decimal *)states[i];
        bool ok = decimal_sum_ok(s, buffers[0].type);

        buffers[0].valid[i] = ok; /* an empty sum is 0 */
        decimal_put(&buffers[0], i, ok ? s->sum : 0);
        ((uint8_t *)buffers[1].data)[i] = !s->seen;
    }
}

/* ---- try_sum: whole numbers and intervals that overflow are NULL ---- */

struct sum_checked {
    int64_t sum;
    uint8_t seen, over;
};

static bool is_checked(struct type result)
{
    return result.id != TYPE_DECIMAL && !is_floating(result);
}

/* Months are counted in 32 bits. */
static inline void add_checked(uint8_t *state, int64_t x, bool narrow)
{
    struct sum_checked *s = (struct sum_checked *)state;

    s->seen = 1;
    if (__builtin_add_overflow(s->sum, x, &s->sum) ||
        (narrow && s->sum != (int32_t)s->sum))
        s->over = 1;
}

static uint32_t try_sum_buffers(const struct expr *e, struct type *types,
                                const char **names)
{
    if (!is_checked(e->type))
        return sum_buffers(e, types, names);
    types[0] = e->type;
    names[0] = "sum";
    types[1] = type_of(TYPE_BOOLEAN);
    names[1] = "isEmpty";
    return 2;
}

static void try_sum_update(const struct agg_run *r, uint8_t **states,
                           const struct vec *args, const struct batch *b)
{
    bool narrow = r->result.id == TYPE_INTERVAL_MONTH;
    const struct vec *v = &args[0];

    switch ((int)v->type.id) {
    case TYPE_BYTE:
        AGG_EACH(int8_t, v, b, add_checked(states[i], x, narrow));
        break;
    case TYPE_SHORT:
        AGG_EACH(int16_t, v, b, add_checked(states[i], x, narrow));
        break;
    case TYPE_INT:
    case TYPE_INTERVAL_MONTH:
        AGG_EACH(int32_t, v, b, add_checked(states[i], x, narrow));
        break;
    case TYPE_LONG:
    case TYPE_INTERVAL_DAY:
        AGG_EACH(int64_t, v, b, add_checked(states[i], x, narrow));
        break;
    default:
        sum_update(r, states, args, b);
    }
}

static void try_sum_merge(const struct agg_run *r, uint8_t **states,
                          const struct vec *buffers, const struct batch *b)
{
    bool narrow = r->result.id == TYPE_INTERVAL_MONTH;

    if (!is_checked(r->result)) {
        sum_merge(r, states, buffers, b);
        return;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct sum_checked *s = (struct sum_checked *)states[i];

        if (*(const uint8_t *)vec_at(&buffers[1], row))
            continue;
        if (vec_is_null(&buffers[0], row))
            s->seen = s->over = 1;
        else
            add_checked(states[i], whole_at(&buffers[0], row), narrow);
    }
}

static void put_checked(const struct sum_checked *s, bool valid, struct vec *out,
                        uint32_t i)
{
    out->valid[i] = valid;
    put_whole(out, i, s->sum);
}

static void try_sum_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                          struct vec *out)
{
    if (!is_checked(r->result)) {
        sum_final(r, states, n, out);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct sum_checked *s = (const struct sum_checked *)states[i];

        put_checked(s, s->seen && !s->over, out, i);
    }
}

static void try_sum_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                            struct vec *buffers)
{
    if (!is_checked(r->result)) {
        sum_partial(r, states, n, buffers);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct sum_checked *s = (const struct sum_checked *)states[i];

        put_checked(s, !s->over, &buffers[0], i); /* an empty sum is 0 */
        ((uint8_t *)buffers[1].data)[i] = !s->seen;
    }
}

/* count(IF(x = false, NULL, x)) */
static struct expr *count_if_as_count(struct arena *a, const struct settings *s,
                                      const struct expr *e)
{
    struct expr *args[2] = { e->args[0], expr_literal(a, value_bool(false)) }, *arg, *out;
    struct err err;

    if (func_call(a, s, func_of(FUNC_NULLIF), args, 2, &arg, &err) != ERR_OK ||
        agg_call(a, s, agg_find(SV("count")), &arg, 1, e->distinct, e->filter, &out,
                 &err) != ERR_OK)
        die("count_if was bound, but: %s", err.text);
    out->id = e->id;
    return out;
}

const struct agg sum_aggs[] = {
    { .name = "count",
      .min_args = 1,
      .max_args = 255,
      .duplicates_matter = true,
      .bind = bind_count,
      .buffers = count_buffers,
      .state_bytes = long_bytes,
      .update = count_update,
      .update_all = count_update_all,
      .merge = count_merge,
      .partial = count_out,
      .final = count_out,
      .usage = "count(expr[, expr...]) - Rows where no expression is NULL." },
    { .name = "count_if",
      .min_args = 1,
      .max_args = 1,
      .duplicates_matter = true,
      .bind = bind_count_if,
      .buffers = count_buffers,
      .state_bytes = long_bytes,
      .update = count_if_update,
      .merge = count_merge,
      .partial = count_out,
      .final = count_out,
      .replace = count_if_as_count,
      .usage = "count_if(expr) - Rows where the condition is true." },
    { .name = "sum",
      .min_args = 1,
      .max_args = 1,
      .duplicates_matter = true,
      .bind = bind_sum,
      .buffers = sum_buffers,
      .state_bytes = sum_bytes,
      .update = sum_update,
      .update_all = sum_update_all,
      .merge = sum_merge,
      .partial = sum_partial,
      .final = sum_final,
      .usage = "sum(expr) - The sum of the values that are not NULL." },
    { .name = "try_sum",
      .min_args = 1,
      .max_args = 1,
      .duplicates_matter = true,
      .bind = bind_sum,
      .buffers = try_sum_buffers,
      .state_bytes = sum_bytes,
      .update = try_sum_update,
      .merge = try_sum_merge,
      .partial = try_sum_partial,
      .final = try_sum_final,
      .usage = "try_sum(expr) - The sum, or NULL where it overflows." },
    { 0 },
};
