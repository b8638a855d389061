/* The families of aggregates, and what they share. For the agg*.c files only. */
#ifndef ENGINE_EXPR_AGG_LIST_H
#define ENGINE_EXPR_AGG_LIST_H

#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"

extern const struct agg sum_aggs[], avg_aggs[], extreme_aggs[], moment_aggs[], bit_aggs[],
    percentile_aggs[], sketch_aggs[];

/* struct func.sig for an aggregate's arguments. */
enum errc agg_bind_sig(struct agg_bind *b, const char *sig, struct err *err);
enum errc agg_refuse(const struct agg_bind *b, uint32_t i, const char *wanted,
                     struct err *err);

static inline bool agg_null_at(const struct vec *v, uint32_t row)
{
    if (v->kind == VEC_FLAT)
        return v->valid && !v->valid[row];
    return vec_is_null(v, row);
}

/* For every row that counts and is not NULL in v: S with x, its value, and i. */
#define AGG_EACH(T, v, b, S)                                                             \
    do {                                                                                 \
        const struct vec *v_ = (v);                                                      \
        const struct batch *b_ = (b);                                                    \
        const T *data_ = v_->kind == VEC_DICT ? v_->dict->data : v_->data;               \
        if (v_->kind == VEC_FLAT && !v_->valid && !b_->sel) {                            \
            for (uint32_t i = 0; i < b_->n_rows; i++) {                                  \
                const T x = data_[i];                                                    \
                S;                                                                       \
            }                                                                            \
        } else if (v_->kind == VEC_FLAT && !v_->valid) {                                 \
            for (uint32_t i = 0; i < b_->n_sel; i++) {                                   \
                const T x = data_[b_->sel[i]];                                           \
                S;                                                                       \
            }                                                                            \
        } else {                                                                         \
            for (uint32_t i = 0; i < b_->n_sel; i++) {                                   \
                uint32_t row_ = batch_row(b_, i);                                        \
                if (agg_null_at(v_, row_))                                               \
                    continue;                                                            \
                const T x = data_[v_->kind == VEC_FLAT    ? row_                         \
                                  : v_->kind == VEC_CONST ? 0                            \
                                                          : v_->codes[row_]];            \
                S;                                                                       \
            }                                                                            \
        }                                                                                \
    } while (0)

/* One value of any type in a state; long text in memory of its own, reused while it
 * fits. */
struct slot {
    union {
        uint8_t u8;
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        wide_col wide;
        struct str s;
    } u;
    uint32_t cap; /* bytes at u.s.u.p that are ours */
    uint8_t set;  /* 0: no value yet */
    uint8_t null; /* set, to NULL */
};

/* Value of a row that is not NULL. */
void slot_store(struct slot *s, const struct vec *v, uint32_t row, struct arena *heap);
/* Row of a FLAT vec with a mask. */
void slot_put(const struct slot *s, struct vec *out, uint32_t row);

#endif
