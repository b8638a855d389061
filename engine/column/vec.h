/* Columns of a batch.
 *
 * A vec shows the values of one column for the rows of one batch. It owns nothing:
 * whoever filled it owns the bytes, and they stay as they are until the next call to the
 * operator (or evaluator) that filled it. Who keeps rows longer, copies them.
 *
 *     FLAT   data[row]                       valid[row]
 *     CONST  data[0] for every row           valid[0]
 *     DICT   dict->data[codes[row]]          dict's valid by code, and valid[row] if not
 * NULL
 *
 * A batch has n_rows rows in its columns, of which the selection, if there is one, names
 * those that count (a filter only narrows the selection). Kernels read and write at the
 * rows' own positions, so columns made from a batch line up with it. */
#ifndef ENGINE_COLUMN_VEC_H
#define ENGINE_COLUMN_VEC_H

#include "base/arena.h"
#include "engine/column/type.h"

#include <string.h>

enum { BATCH_ROWS = 2048 }; /* at most, in every batch */

/* Text: up to 12 bytes inside, longer ones by pointer with their first 4 bytes beside the
 * length, so that most comparisons end without following it. Unused bytes are zero. */
struct str {
    uint32_t len;
    char prefix[4]; /* of all texts; with `tail` 12 bytes of a short one */
    union {
        char tail[8];
        const char *p; /* len > 12: all bytes, the first 4 included */
    } u;
};

enum { STR_INLINE = 12 };

static inline struct str str_make(const char *p, size_t len)
{
    struct str s = { .len = (uint32_t)len };

    if (len <= STR_INLINE) {
        if (len) /* prefix and tail are one field of 12 bytes */
            memcpy((char *)&s + offsetof(struct str, prefix), p, len);
    } else {
        memcpy(s.prefix, p, 4);
        s.u.p = p;
    }
    return s;
}

/* Valid as long as *s and the bytes behind it. */
static inline struct sv str_sv(const struct str *s)
{
    return (struct sv){ s->len <= STR_INLINE ? s->prefix : s->u.p, s->len };
}

bool str_eq(const struct str *a, const struct str *b);
/* By bytes, as Spark orders strings: negative, 0, positive. */
int str_cmp(const struct str *a, const struct str *b);
/* Copies long bytes into the arena, so that the result does not depend on the batch. */
struct str str_keep(struct arena *a, const struct str *s);

enum vec_kind { VEC_FLAT, VEC_CONST, VEC_DICT };

struct vec {
    struct type type;
    enum vec_kind kind;
    void *data;     /* FLAT: a value a row; CONST: one; DICT: NULL */
    uint8_t *valid; /* 1 or 0 a row (CONST: one); NULL: all valid. NULL rows' data is zero
                       or stale, never trapping */
    const uint32_t *codes;  /* DICT */
    const struct vec *dict; /* DICT: a FLAT vec, which says for itself: */
    uint32_t n_values;      /* values of a dictionary; 0: not known */
    uint32_t serial; /* equal for the same dictionary with the same content, so that what
                        was computed from it once can be kept; 0: nothing is known */
};

struct batch {
    uint32_t n_rows;
    uint32_t n_sel;      /* rows that count: n_rows where sel is NULL */
    const uint32_t *sel; /* ascending positions, or NULL for all */
    uint32_t n_columns;
    struct vec *columns;
};

/* for (i ...) { uint32_t row = batch_row(b, i); } over the rows that count. */
static inline uint32_t batch_row(const struct batch *b, uint32_t i)
{
    return b->sel ? b->sel[i] : i;
}

/* Room for `rows` FLAT values, zeroed, and a valid mask of ones where `with_valid`. */
struct vec vec_flat(struct arena *a, struct type t, uint32_t rows, bool with_valid);
/* v as FLAT: itself where it is, else unpacked into the arena. */
struct vec vec_flatten(struct arena *a, const struct vec *v, const struct batch *b);
/* The same into an `out` with room, and a mask where v has one or its dictionary has. */
void vec_unpack(struct vec *out, const struct vec *v, const struct batch *b);
/* A serial for a dictionary that was just filled. */
uint32_t vec_new_serial(void);
bool vec_is_null(const struct vec *v, uint32_t row);
/* The address of the row's value, through constants and dictionaries. */
const void *vec_at(const struct vec *v, uint32_t row);

#endif
