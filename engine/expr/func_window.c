/* Functions of a window only: described here, computed by the window operator. */
#include "engine/expr/func_list.h"

static enum errc bind_int(struct func_bind *b, struct err *err)
{
    for (uint32_t i = 0; i < b->n_args; i++) /* ntile(n) */
        if (b->args[i]->type.id != TYPE_INT && !type_is_integral(b->args[i]->type))
            return func_refuse(b, i, "\"INT\"", err);
        else
            b->want[i] = type_of(TYPE_INT);
    b->type = type_of(TYPE_INT);
    return ERR_OK;
}

static enum errc bind_double(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_DOUBLE);
    return ERR_OK;
}

/* lag(value [, offset [, default]]): the default is cast to the value's type, even where
 * that loses something. */
static enum errc bind_shift(struct func_bind *b, struct err *err)
{
    b->type = b->args[0]->type;
    if (b->n_args > 1) {
        if (!type_is_integral(b->args[1]->type))
            return func_refuse(b, 1, "\"INT\"", err);
        b->want[1] = type_of(TYPE_INT);
    }
    if (b->n_args > 2) {
        struct type t = b->type, other = b->args[2]->type;

        if (!type_eq(t, other) && !coerce_union(t, other, &t))
            return func_refuse_pair(b, err);
        if (b->type.id == TYPE_NULL)
            b->want[0] = b->type = t;
        b->want[2] = b->type;
    }
    return ERR_OK;
}

static enum errc bind_nth(struct func_bind *b, struct err *err)
{
    if (!type_is_integral(b->args[1]->type))
        return func_refuse(b, 1, "\"INT\"", err);
    b->want[1] = type_of(TYPE_INT);
    b->type = b->args[0]->type;
    return ERR_OK;
}

#define RANKING(text, func_id, min, max, hook, words)                                    \
    {                                                                                    \
        .name = text, .id = func_id, .min_args = min, .max_args = max,                   \
        .flags = FUNC_WINDOW_ONLY | FUNC_NOT_NULL, .bind = hook, .usage = words          \
    }

const struct func window_funcs[] = {
    RANKING("row_number", FUNC_ROW_NUMBER, 0, 0, bind_int,
            "row_number() - Numbers the rows of a partition from 1."),
    RANKING("rank", FUNC_RANK, 0, 0, bind_int,
            "rank() - One more than the rows before; equal rows share it."),
    RANKING("dense_rank", FUNC_DENSE_RANK, 0, 0, bind_int,
            "dense_rank() - As rank, without gaps."),
    RANKING("percent_rank", FUNC_OTHER, 0, 0, bind_double,
            "percent_rank() - (rank - 1) / (rows of the partition - 1)."),
    RANKING("cume_dist", FUNC_OTHER, 0, 0, bind_double,
            "cume_dist() - The share of rows that are not after this one."),
    RANKING("ntile", FUNC_OTHER, 0, 1, bind_int,
            "ntile(n) - Divides the rows of a partition into n buckets."),
    { .name = "lag",
      .min_args = 1,
      .max_args = 3,
      .flags = FUNC_WINDOW_ONLY | FUNC_MAYBE_NULL,
      .bind = bind_shift,
      .usage = "lag(input [, offset [, default]]) - The value `offset` rows before." },
    { .name = "lead",
      .min_args = 1,
      .max_args = 3,
      .flags = FUNC_WINDOW_ONLY | FUNC_MAYBE_NULL,
      .bind = bind_shift,
      .usage = "lead(input [, offset [, default]]) - The value `offset` rows after." },
    { .name = "nth_value",
      .min_args = 2,
      .max_args = 3,
      .flags = FUNC_WINDOW_ONLY | FUNC_MAYBE_NULL,
      .bind = bind_nth,
      .usage = "nth_value(input, n [, ignoreNulls]) - The n-th row's value of the "
               "frame." },
    { 0 },
};
