/* min, max, bool_and, bool_or, first, last, any_value, max_by, min_by: aggregates that
 * keep values of their rows. NaN is above all numbers. */
#include "engine/expr/agg_list.h"

/* ---- min, max ---- */

static enum errc bind_ordered(struct agg_bind *b, struct err *err)
{
    (void)err;
    b->type = b->args[0]->type;
    return ERR_OK;
}

static enum errc bind_boolean(struct agg_bind *b, struct err *err)
{
    return agg_bind_sig(b, "b:b", err);
}

static uint32_t min_buffers(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    names[0] = "min";
    return 1;
}

static uint32_t max_buffers(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    names[0] = "max";
    return 1;
}

static size_t slot_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct slot);
}

#define LESS_FLOAT(x, y) ((x) < (y) || ((y) != (y) && (x) == (x)))
#define LESS(x, y) ((x) < (y))

/* Replaces the slot's value where x comes before it (max: after it). */
#define KEEP(T, field, less)                                                             \
    AGG_EACH(T, v, b, {                                                                  \
        struct slot *s = (struct slot *)states[i];                                       \
        T old = s->u.field;                                                              \
        if (!s->set || (max ? less(old, x) : less(x, old))) {                            \
            s->u.field = x;                                                              \
            s->set = 1;                                                                  \
        }                                                                                \
    })

static void text_update(const struct agg_run *r, uint8_t **states, const struct vec *v,
                        const struct batch *b, bool max)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct slot *s = (struct slot *)states[i];

        if (agg_null_at(v, row))
            continue;
        int order = s->set ? str_cmp(vec_at(v, row), &s->u.s) : 0;
        if (!s->set || (max ? order > 0 : order < 0))
            slot_store(s, v, row, r->heap);
    }
}

static void extreme_update(const struct agg_run *r, uint8_t **states, const struct vec *v,
                           const struct batch *b, bool max)
{
    switch ((enum type_id)v->type.id) {
    case TYPE_BOOLEAN:
        KEEP(uint8_t, u8, LESS);
        break;
    case TYPE_BYTE:
        KEEP(int8_t, i8, LESS);
        break;
    case TYPE_SHORT:
        KEEP(int16_t, i16, LESS);
        break;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        KEEP(int32_t, i32, LESS);
        break;
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DAY:
        KEEP(int64_t, i64, LESS);
        break;
    case TYPE_FLOAT:
        KEEP(float, f32, LESS_FLOAT);
        break;
    case TYPE_DOUBLE:
        KEEP(double, f64, LESS_FLOAT);
        break;
    case TYPE_DECIMAL:
        if (type_is_wide(v->type))
            KEEP(wide_col, wide, LESS);
        else
            KEEP(int64_t, i64, LESS);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        text_update(r, states, v, b, max);
        break;
    case TYPE_NULL:
        break;
    }
}

static void min_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                       const struct batch *b)
{
    extreme_update(r, states, &args[0], b, false);
}

static void max_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                       const struct batch *b)
{
    extreme_update(r, states, &args[0], b, true);
}

static void slot_out(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                     struct vec *out)
{
    (void)r;
    for (uint32_t i = 0; i < n; i++)
        slot_put((const struct slot *)states[i], out, i);
}

/* ---- first, last, any_value ---- */

/* The second argument, if there is one: are NULLs passed over? */
static bool ignores_nulls(const struct expr *e)
{
    struct value v;

    return e->n_args > 1 && func_literal(e->args[1], &v) && v.u.b;
}

static enum errc bind_first(struct agg_bind *b, struct err *err)
{
    struct value v;

    if (b->n_args > 1 && (!func_literal(b->args[1], &v) || v.type.id != TYPE_BOOLEAN))
        return agg_refuse(b, 1, "\"BOOLEAN\"", err);
    b->type = b->args[0]->type;
    b->nullable = b->args[0]->nullable || true; /* no rows: NULL */
    return ERR_OK;
}

static uint32_t first_buffers(const struct expr *e, struct type *types,
                              const char **names)
{
    types[0] = e->type;
    names[0] = "first";
    types[1] = type_of(TYPE_BOOLEAN);
    names[1] = "valueSet";
    return 2;
}

static uint32_t last_buffers(const struct expr *e, struct type *types, const char **names)
{
    uint32_t n = first_buffers(e, types, names);

    names[0] = "last";
    return n;
}

static void keep_row(const struct agg_run *r, struct slot *s, const struct vec *v,
                     uint32_t row)
{
    if (v->type.id != TYPE_NULL && !agg_null_at(v, row)) {
        slot_store(s, v, row, r->heap);
        return;
    }
    s->set = 1;
    s->null = 1;
}

static void pick_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                        const struct batch *b, bool last)
{
    bool ignore = ignores_nulls(r->expr);

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct slot *s = (struct slot *)states[i];

        if ((s->set && !last) || (ignore && agg_null_at(&args[0], row)))
            continue;
        keep_row(r, s, &args[0], row);
    }
}

static void first_update(const struct agg_run *r, uint8_t **states,
                         const struct vec *args, const struct batch *b)
{
    pick_update(r, states, args, b, false);
}

static void last_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                        const struct batch *b)
{
    pick_update(r, states, args, b, true);
}

static void pick_merge(const struct agg_run *r, uint8_t **states,
                       const struct vec *buffers, const struct batch *b, bool last)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct slot *s = (struct slot *)states[i];

        if ((s->set && !last) || vec_is_null(&buffers[1], row) ||
            !*(const uint8_t *)vec_at(&buffers[1], row))
            continue;
        keep_row(r, s, &buffers[0], row);
    }
}

static void first_merge(const struct agg_run *r, uint8_t **states,
                        const struct vec *buffers, const struct batch *b)
{
    pick_merge(r, states, buffers, b, false);
}

static void last_merge(const struct agg_run *r, uint8_t **states,
                       const struct vec *buffers, const struct batch *b)
{
    pick_merge(r, states, buffers, b, true);
}

static void pick_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                         struct vec *buffers)
{
    slot_out(r, states, n, &buffers[0]);
    for (uint32_t i = 0; i < n; i++)
        ((uint8_t *)buffers[1].data)[i] = ((const struct slot *)states[i])->set;
}

/* ---- max_by, min_by ---- */

struct by {
    struct slot value, key;
};

static enum errc bind_by(struct agg_bind *b, struct err *err)
{
    (void)err;
    b->type = b->args[0]->type;
    return ERR_OK;
}

static uint32_t by_buffers(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    names[0] = "valueWithExtremumOrdering";
    types[1] = e->args[1]->type;
    names[1] = "extremumOrdering";
    return 2;
}

static size_t by_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct by);
}

static int compare_slot(const struct vec *v, uint32_t row, const struct slot *s)
{
    struct vec held = { .type = v->type,
                        .kind = VEC_CONST,
                        .data = (void *)(uintptr_t)&s->u };
    struct value x = value_at(v, row), y = value_at(&held, 0);

    return value_cmp(&x, &y);
}

/* Of equal keys the last row's value stays, as Spark's greatest(old, new) has it. */
static void by_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                      const struct batch *b, int sign)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct by *s = (struct by *)states[i];

        if (agg_null_at(&args[1], row) || args[1].type.id == TYPE_NULL)
            continue;
        if (s->key.set && sign * compare_slot(&args[1], row, &s->key) < 0)
            continue;
        keep_row(r, &s->value, &args[0], row);
        keep_row(r, &s->key, &args[1], row);
    }
}

static void max_by_update(const struct agg_run *r, uint8_t **states,
                          const struct vec *args, const struct batch *b)
{
    by_update(r, states, args, b, 1);
}

static void min_by_update(const struct agg_run *r, uint8_t **states,
                          const struct vec *args, const struct batch *b)
{
    by_update(r, states, args, b, -1);
}

static void by_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                       struct vec *buffers)
{
    (void)r;
    for (uint32_t i = 0; i < n; i++) {
        const struct by *s = (const struct by *)states[i];

        slot_put(&s->value, &buffers[0], i);
        slot_put(&s->key, &buffers[1], i);
    }
}

/* ---- what stands for others ---- */

static struct expr *renamed(struct arena *a, const struct expr *e, struct sv name)
{
    struct expr *copy = expr_copy(a, e);

    copy->agg = agg_find(name);
    copy->name = (struct sv){ 0 };
    return copy;
}

static struct expr *as_min(struct arena *a, const struct settings *s,
                           const struct expr *e)
{
    (void)s;
    return renamed(a, e, SV("min"));
}

static struct expr *as_max(struct arena *a, const struct settings *s,
                           const struct expr *e)
{
    (void)s;
    return renamed(a, e, SV("max"));
}

static struct expr *as_first(struct arena *a, const struct settings *s,
                             const struct expr *e)
{
    (void)s;
    return renamed(a, e, SV("first"));
}

/* Whether NULLs are passed over shows in plans only. */
static void print_pick(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    expr_print(out, e->args[0], how);
    if (how != PRINT_PLAN)
        return;
    strbuf_addz(out, ", ");
    if (e->n_args > 1)
        expr_print(out, e->args[1], how);
    else
        strbuf_addz(out, "false");
}

#define EXTREME(text, more, hook, layout, fn, as, words)                                 \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = 1, .max_args = 1, .bind = hook,       \
        .buffers = layout, .state_bytes = slot_bytes, .update = fn, .merge = fn,         \
        .partial = slot_out, .final = slot_out, .replace = as, .usage = words            \
    }
#define PICK(text, more, layout, up, down, as, words)                                    \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = 1, .max_args = 2,                     \
        .order_matters = true, .bind = bind_first, .buffers = layout,                    \
        .state_bytes = slot_bytes, .update = up, .merge = down, .partial = pick_partial, \
        .final = slot_out, .print_args = print_pick, .replace = as, .usage = words       \
    }
#define BY(text, fn, words)                                                              \
    {                                                                                    \
        .name = text, .min_args = 2, .max_args = 2, .bind = bind_by,                     \
        .buffers = by_buffers, .state_bytes = by_bytes, .update = fn, .merge = fn,       \
        .partial = by_partial, .final = slot_out, .usage = words                         \
    }

const struct agg extreme_aggs[] = {
    EXTREME("min", NULL, bind_ordered, min_buffers, min_update, NULL,
            "min(expr) - The smallest value."),
    EXTREME("max", NULL, bind_ordered, max_buffers, max_update, NULL,
            "max(expr) - The largest value."),
    EXTREME("bool_and", "every", bind_boolean, min_buffers, min_update, as_min,
            "bool_and(expr) - Are all values true?"),
    EXTREME("bool_or", "some any", bind_boolean, max_buffers, max_update, as_max,
            "bool_or(expr) - Is any value true?"),
    PICK("first", "first_value", first_buffers, first_update, first_merge, NULL,
         "first(expr [, ignore_nulls]) - The first row's value."),
    PICK("last", "last_value", last_buffers, last_update, last_merge, NULL,
         "last(expr [, ignore_nulls]) - The last row's value."),
    PICK("any_value", NULL, first_buffers, first_update, first_merge, as_first,
         "any_value(expr [, ignore_nulls]) - Some row's value."),
    BY("max_by", max_by_update, "max_by(x, y) - The x of the largest y."),
    BY("min_by", min_by_update, "min_by(x, y) - The x of the smallest y."),
    { 0 },
};
