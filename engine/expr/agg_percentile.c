/* percentile, median, approx_percentile, mode: aggregates that keep all values.
 *
 * The state is a list of (value, how often); the partial column its bytes. percentile
 * takes values as doubles and interpolates. approx_percentile yields a value that
 * occurs, the one Spark's summary finds while that is exact (some 5,000 rows at the
 * default accuracy); beyond, Spark's answer may be off by its accuracy, this one is not.
 * mode of equally frequent values is the smallest. */
#include "engine/expr/agg_list.h"

#include <math.h>
#include <stdlib.h>

struct entry {
    union {
        double f;
        int64_t i;
        wide_col dec;
        struct str s;
    } u;
    int64_t count;
};

struct values {
    struct entry *entries;
    uint32_t n, cap;
};

static size_t values_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct values);
}

static uint32_t name_buffer(const struct expr *e, struct type *types, const char **names)
{
    (void)e;
    types[0] = type_of(TYPE_BINARY);
    names[0] = "buf";
    return 1;
}

static struct entry *values_add(struct values *s, struct arena *heap, uint32_t n)
{
    if (s->n + n > s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 8;

        while (cap < s->n + n)
            cap *= 2;
        struct entry *grown = arena_array(heap, cap, sizeof *grown);
        if (s->n)
            memcpy(grown, s->entries, s->n * sizeof *grown);
        s->entries = grown;
        s->cap = cap;
    }
    s->n += n;
    return &s->entries[s->n - n];
}

static double as_double(const struct value *x)
{
    switch ((enum type_id)x->type.id) {
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return x->u.f;
    case TYPE_DECIMAL:
        return decimal_to_double(x->u.dec, x->type.scale);
    default: /* integers of all kinds */
        return (double)x->u.i;
    }
}

/* A constant argument as double; NAN where it is NULL or fails. */
static double constant_argument(const struct expr *e, uint32_t i)
{
    struct arena scratch = { 0 };
    struct value v;
    struct err err;
    double x = (double)NAN;
    struct expr *d = expr_cast(&scratch, e->args[i], type_of(TYPE_DOUBLE));

    if (eval_constant(&scratch, d, NULL, &v, &err) == ERR_OK && !v.null)
        x = v.u.f;
    arena_release(&scratch);
    return x;
}

static enum errc check_share(struct agg_bind *b, struct err *err)
{
    struct expr e = { .kind = EXPR_AGGREGATE, .args = b->args, .n_args = b->n_args };

    if (!expr_foldable(b->args[1]) ||
        (!type_is_numeric(b->args[1]->type) && b->args[1]->type.id != TYPE_STRING))
        return err_set(err, ERR_SYNTAX,
                       "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] `%s`: the percentage "
                       "should be a foldable \"DOUBLE\" expression.",
                       b->agg->name);
    double share = constant_argument(&e, 1);
    if (!(share >= 0 && share <= 1))
        return err_set(err, ERR_SYNTAX,
                       "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] `%s`: the percentage must "
                       "be between [0.0, 1.0] (current value = %g).",
                       b->agg->name, share);
    return ERR_OK;
}

static enum errc bind_percentile(struct agg_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;

    if (t.id == TYPE_STRING || t.id == TYPE_NULL)
        b->want[0] = type_of(TYPE_DOUBLE);
    else if (!type_is_numeric(t))
        return agg_refuse(b, 0, "\"NUMERIC\"", err);
    if (b->n_args > 1)
        TRY(check_share(b, err));
    if (b->n_args > 2) {
        if (!type_is_integral(b->args[2]->type))
            return agg_refuse(b, 2, "\"INTEGRAL\"", err);
        b->want[2] = type_of(TYPE_LONG);
    }
    b->type = type_of(TYPE_DOUBLE);
    return ERR_OK;
}

static enum errc bind_approx(struct agg_bind *b, struct err *err)
{
    struct type t = b->args[0]->type;

    if (t.id == TYPE_STRING || t.id == TYPE_NULL)
        t = b->want[0] = type_of(TYPE_DOUBLE);
    else if (!type_is_numeric(t) && t.id != TYPE_DATE && t.id != TYPE_TIMESTAMP &&
             t.id != TYPE_TIMESTAMP_NTZ)
        return agg_refuse(b, 0, "\"NUMERIC\"", err);
    TRY(check_share(b, err));
    b->type = t;
    return ERR_OK;
}

/* ---- doubles ---- */

static void doubles_update(const struct agg_run *r, uint8_t **states,
                           const struct vec *args, const struct batch *b)
{
    bool weighted = r->n_args > 2 &&
                    strcmp(r->agg->name, "percentile") == 0; /* percentile's frequency */

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct value x = value_at(&args[0], row);
        int64_t count = 1;

        if (weighted) {
            struct value f = value_at(&args[2], row);

            count = f.null ? 0 : f.u.i;
        }
        if (x.null || count <= 0)
            continue;
        struct entry *e = values_add((struct values *)states[i], r->heap, 1);
        e->u.f = as_double(&x);
        e->count = count;
    }
}

static void values_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                           struct vec *buffers)
{
    (void)r;
    for (uint32_t i = 0; i < n; i++) {
        const struct values *s = (const struct values *)states[i];

        ((struct str *)buffers[0].data)[i] =
            str_make((const char *)s->entries, s->n * sizeof *s->entries);
    }
}

static void doubles_merge(const struct agg_run *r, uint8_t **states,
                          const struct vec *buffers, const struct batch *b)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        struct sv bytes = str_sv(vec_at(&buffers[0], batch_row(b, i)));
        uint32_t n = (uint32_t)(bytes.len / sizeof(struct entry));

        if (n)
            memcpy(values_add((struct values *)states[i], r->heap, n), bytes.p,
                   n * sizeof(struct entry));
    }
}

/* NaN is above all. */
static int by_double(const void *a, const void *b)
{
    double x = ((const struct entry *)a)->u.f, y = ((const struct entry *)b)->u.f;

    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return x < y ? -1 : x > y;
}

/* The value at a place from 0 in the sorted list. */
static double value_at_place(const struct values *s, int64_t place)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (place < s->entries[i].count)
            return s->entries[i].u.f;
        place -= s->entries[i].count;
    }
    return s->entries[s->n - 1].u.f;
}

static int64_t total_count(const struct values *s)
{
    int64_t n = 0;

    for (uint32_t i = 0; i < s->n; i++)
        n += s->entries[i].count;
    return n;
}

static double interpolate(const struct values *s, double share)
{
    double at = (double)(total_count(s) - 1) * share;
    double low = floor(at), high = ceil(at);
    double x = value_at_place(s, (int64_t)low), y = value_at_place(s, (int64_t)high);

    return low == high || x == y ? x : (high - at) * x + (at - low) * y;
}

static void percentile_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                             struct vec *out)
{
    double share = r->n_args > 1 ? constant_argument(r->expr, 1) : 0.5;

    for (uint32_t i = 0; i < n; i++) {
        struct values *s = (struct values *)states[i];

        out->valid[i] = s->n > 0;
        if (!s->n)
            continue;
        qsort(s->entries, s->n, sizeof *s->entries, by_double);
        ((double *)out->data)[i] = interpolate(s, share);
    }
}

static void approx_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                         struct vec *out)
{
    double share = constant_argument(r->expr, 1);
    double accuracy = r->n_args > 2 ? constant_argument(r->expr, 2) : 10000;

    for (uint32_t i = 0; i < n; i++) {
        struct values *s = (struct values *)states[i];
        struct value x = { .type = out->type, .null = s->n == 0 };

        if (s->n) {
            double rank = ceil(share * (double)s->n);

            qsort(s->entries, s->n, sizeof *s->entries, by_double);
            if (share <= 1 / accuracy || rank < 1)
                rank = 1;
            if (share >= 1 - 1 / accuracy)
                rank = (double)s->n;
            double f = s->entries[(uint32_t)rank - 1].u.f;
            if (out->type.id == TYPE_FLOAT || out->type.id == TYPE_DOUBLE)
                x.u.f = f;
            else if (out->type.id == TYPE_DECIMAL)
                x.null = !decimal_from_double(f, out->type, &x.u.dec);
            else
                x.u.i = (int64_t)f;
        }
        value_store(out, i, &x);
    }
}

/* ---- mode ---- */

static enum errc bind_any(struct agg_bind *b, struct err *err)
{
    (void)err;
    b->type = b->args[0]->type;
    return ERR_OK;
}

static void mode_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                        const struct batch *b)
{
    size_t width = type_width(args[0].type);

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (args[0].type.id == TYPE_NULL || agg_null_at(&args[0], row))
            continue;
        struct entry *e = values_add((struct values *)states[i], r->heap, 1);
        memcpy(&e->u, vec_at(&args[0], row), width);
        if (type_is_text(args[0].type))
            e->u.s = str_keep(r->heap, &e->u.s);
        e->count = 1;
    }
}

/* Text travels as length and bytes, other values as they are. */
static void mode_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                         struct vec *buffers)
{
    if (!type_is_text(r->result)) {
        values_partial(r, states, n, buffers);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct values *s = (const struct values *)states[i];
        size_t bytes = 0, at = 0;

        for (uint32_t k = 0; k < s->n; k++)
            bytes += sizeof(uint32_t) + s->entries[k].u.s.len;
        char *to = arena_bytes(r->heap, bytes + 1);
        for (uint32_t k = 0; k < s->n; k++) {
            struct sv text = str_sv(&s->entries[k].u.s);
            uint32_t len = (uint32_t)text.len;

            memcpy(to + at, &len, sizeof len);
            memcpy(to + at + sizeof len, text.p, len);
            at += sizeof len + len;
        }
        ((struct str *)buffers[0].data)[i] = str_make(to, bytes);
    }
}

static void mode_merge(const struct agg_run *r, uint8_t **states,
                       const struct vec *buffers, const struct batch *b)
{
    if (!type_is_text(r->result)) {
        doubles_merge(r, states, buffers, b);
        return;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        struct sv bytes = str_sv(vec_at(&buffers[0], batch_row(b, i)));

        for (size_t at = 0; at + sizeof(uint32_t) <= bytes.len;) {
            uint32_t len;

            memcpy(&len, bytes.p + at, sizeof len);
            at += sizeof len;
            struct str text = str_make(bytes.p + at, len);
            struct entry *e = values_add((struct values *)states[i], r->heap, 1);
            e->u.s = str_keep(r->heap, &text);
            e->count = 1;
            at += len;
        }
    }
}

static struct value entry_value(const struct entry *e, struct type t)
{
    struct vec v = { .type = t, .kind = VEC_CONST, .data = (void *)(uintptr_t)&e->u };

    return value_at(&v, 0);
}

/* Merge sort: qsort does not pass the type along. */
static void sort_entries(struct entry *e, struct entry *spare, uint32_t n, struct type t)
{
    uint32_t half = n / 2, i = 0, k = half;

    if (n < 2)
        return;
    sort_entries(e, spare, half, t);
    sort_entries(e + half, spare, n - half, t);
    for (uint32_t to = 0; to < n; to++) {
        bool left = k == n;

        if (i < half && k < n) {
            struct value x = entry_value(&e[i], t), y = entry_value(&e[k], t);

            left = value_cmp(&x, &y) <= 0;
        }
        spare[to] = left ? e[i++] : e[k++];
    }
    memcpy(e, spare, n * sizeof *e);
}

static void mode_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                       struct vec *out)
{
    for (uint32_t i = 0; i < n; i++) {
        struct values *s = (struct values *)states[i];
        struct value best = { .type = r->result, .null = true };
        uint32_t most = 0, run = 0;

        if (s->n)
            sort_entries(s->entries, arena_array(r->heap, s->n, sizeof *s->entries), s->n,
                         r->result);
        for (uint32_t k = 0; k < s->n; k++) {
            struct value x = entry_value(&s->entries[k], r->result);
            struct value before = k ? entry_value(&s->entries[k - 1], r->result) : x;

            run = k && value_cmp(&x, &before) == 0 ? run + 1 : 1;
            if (run > most) {
                most = run;
                best = x;
            }
        }
        value_store(out, i, &best);
    }
}

/* median(x) is percentile(x, 0.5). */
static struct expr *as_percentile(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    struct expr *args[2] = { e->args[0], expr_literal(a, value_double(0.5)) }, *out;
    struct err err;

    if (agg_call(a, s, agg_find(SV("percentile")), args, 2, e->distinct, e->filter, &out,
                 &err) != ERR_OK)
        die("median was bound, but: %s", err.text);
    out->id = e->id;
    return out;
}

#define KEEPS(text, more, min, max, filling, tail, as, hook, up, part, down, fin, words) \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = min, .max_args = max,                 \
        .fill = filling, .plan_tail = tail, .replace = as, .buffer = AGG_BUFFER_OBJECT,  \
        .duplicates_matter = true, .bind = hook, .buffers = name_buffer,                 \
        .state_bytes = values_bytes, .update = up, .merge = down, .partial = part,       \
        .final = fin, .usage = words                                                     \
    }

const struct agg percentile_aggs[] = {
    KEEPS("percentile", NULL, 2, 3, "i1", "0, 0, false", NULL, bind_percentile,
          doubles_update, values_partial, doubles_merge, percentile_final,
          "percentile(col, percentage[, frequency]) - Exact, interpolated."),
    KEEPS("median", NULL, 1, 1, NULL, NULL, as_percentile, bind_percentile,
          doubles_update, values_partial, doubles_merge, percentile_final,
          "median(col) - The middle value."),
    KEEPS("percentile_approx", "approx_percentile", 2, 3, "i10000", "0, 0", NULL,
          bind_approx, doubles_update, values_partial, doubles_merge, approx_final,
          "percentile_approx(col, percentage[, accuracy]) - A value that occurs."),
    KEEPS("mode", NULL, 1, 1, NULL, "0, 0", NULL, bind_any, mode_update, mode_partial,
          mode_merge, mode_final, "mode(col) - The most frequent value."),
    { 0 },
};
