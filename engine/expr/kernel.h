/* Loops of kernels: a macro makes one function per pair of types, with a loop of its own
 * for rows with and without a selection and for constant operands, so that each is plain
 * enough to be vectorised. For func_*.c and eval*.c only. */
#ifndef ENGINE_EXPR_KERNEL_H
#define ENGINE_EXPR_KERNEL_H

#include "engine/expr/eval.h"
#include "engine/expr/func.h"

/* All arguments FLAT, for who looks at them row by row. */
static inline void flatten_all(struct eval_call *c)
{
    for (uint32_t i = 0; i < c->n_args; i++)
        (void)eval_flat(c, i);
}

/* A wide decimal in a column: 8 bytes are all the alignment there is. */
typedef i128 wide_col __attribute__((aligned(8)));

#define KERNEL_INLINE static inline __attribute__((always_inline))

/* Compiled for AVX2 as well, chosen at run time. Sanitizers and function multiversioning
 * do not go together. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNEL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define KERNEL_CLONES
#endif

/* The rows that count; the second form leaves out those already known to be NULL. */
#define EACH_ROW(c, row)                                                                 \
    for (uint32_t i_ = 0, row;                                                           \
         i_ < (c)->batch->n_sel && (row = batch_row((c)->batch, i_), true); i_++)
#define EACH_VALID_ROW(c, row)                                                           \
    EACH_ROW(c, row)                                                                     \
    if (!(c)->out->valid || (c)->out->valid[row])

/* Element of an argument that is FLAT or CONST. */
#define ARG_AT(T, v, row) (((const T *)(v)->data)[(v)->kind == VEC_CONST ? 0 : (row)])

static inline struct sv arg_sv(const struct vec *v, uint32_t row)
{
    return str_sv((const struct str *)v->data + (v->kind == VEC_CONST ? 0 : row));
}

/* out = X of x. */
#define KERNEL1(fn, TA, TR, X)                                                           \
    KERNEL_CLONES static void fn(const struct batch *rows, const struct vec *va,         \
                                 struct vec *out)                                        \
    {                                                                                    \
        const TA *a = va->data;                                                          \
        TR *restrict to = out->data;                                                     \
        if (va->kind == VEC_CONST) {                                                     \
            const TA x = a[0];                                                           \
            const TR r = (TR)(X);                                                        \
            for (uint32_t row = 0; row < rows->n_rows; row++)                            \
                to[row] = r;                                                             \
        } else if (!rows->sel) {                                                         \
            for (uint32_t row = 0; row < rows->n_rows; row++) {                          \
                const TA x = a[row];                                                     \
                to[row] = (TR)(X);                                                       \
            }                                                                            \
        } else {                                                                         \
            for (uint32_t i = 0; i < rows->n_sel; i++) {                                 \
                uint32_t row = rows->sel[i];                                             \
                const TA x = a[row];                                                     \
                to[row] = (TR)(X);                                                       \
            }                                                                            \
        }                                                                                \
    }

/* out = X of x and y. */
#define KERNEL2(fn, TA, TB, TR, X)                                                       \
    KERNEL_INLINE void fn##_loop(const struct batch *rows, const TA *a, const TB *b,     \
                                 TR *restrict to, bool ca, bool cb)                      \
    {                                                                                    \
        const TA a0 = ca ? a[0] : (TA)0;                                                 \
        const TB b0 = cb ? b[0] : (TB)0;                                                 \
        if (!rows->sel) {                                                                \
            for (uint32_t row = 0; row < rows->n_rows; row++) {                          \
                const TA x = ca ? a0 : a[row];                                           \
                const TB y = cb ? b0 : b[row];                                           \
                to[row] = (TR)(X);                                                       \
            }                                                                            \
        } else {                                                                         \
            for (uint32_t i = 0; i < rows->n_sel; i++) {                                 \
                uint32_t row = rows->sel[i];                                             \
                const TA x = ca ? a0 : a[row];                                           \
                const TB y = cb ? b0 : b[row];                                           \
                to[row] = (TR)(X);                                                       \
            }                                                                            \
        }                                                                                \
    }                                                                                    \
    KERNEL_CLONES static void fn(const struct batch *rows, const struct vec *va,         \
                                 const struct vec *vb, struct vec *out)                  \
    {                                                                                    \
        if (va->kind == VEC_CONST && vb->kind == VEC_CONST)                              \
            fn##_loop(rows, va->data, vb->data, out->data, true, true);                  \
        else if (va->kind == VEC_CONST)                                                  \
            fn##_loop(rows, va->data, vb->data, out->data, true, false);                 \
        else if (vb->kind == VEC_CONST)                                                  \
            fn##_loop(rows, va->data, vb->data, out->data, false, true);                 \
        else                                                                             \
            fn##_loop(rows, va->data, vb->data, out->data, false, false);                \
    }

typedef void (*kernel1_fn)(const struct batch *rows, const struct vec *a,
                           struct vec *out);
typedef void (*kernel2_fn)(const struct batch *rows, const struct vec *a,
                           const struct vec *b, struct vec *out);

/* A row of a decimal column of either width. */
static inline i128 decimal_at(const struct vec *v, uint32_t row)
{
    if (type_is_wide(v->type))
        return ARG_AT(wide_col, v, row);
    return ARG_AT(int64_t, v, row);
}

static inline void decimal_put(struct vec *out, uint32_t row, i128 x)
{
    if (type_is_wide(out->type))
        ((wide_col *)out->data)[row] = x;
    else
        ((int64_t *)out->data)[row] = (int64_t)x;
}

/* Any integral value, date, timestamp or interval of a FLAT or CONST argument. */
static inline int64_t int_at(const struct vec *v, uint32_t row)
{
    switch (type_width(v->type)) {
    case 1:
        return ARG_AT(int8_t, v, row);
    case 2:
        return ARG_AT(int16_t, v, row);
    case 4:
        return ARG_AT(int32_t, v, row);
    default:
        return ARG_AT(int64_t, v, row);
    }
}

/* Text made by a kernel: bytes into c->text, which the next run resets. */
static inline void text_put(struct eval_call *c, uint32_t row, struct sv s)
{
    ((struct str *)c->out->data)[row] = str_make(s.p, s.len);
}

#endif
