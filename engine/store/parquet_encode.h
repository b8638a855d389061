/* Values of one column on their way into pages: plain bytes, dictionary, runs, bounds. */
#ifndef ENGINE_STORE_PARQUET_ENCODE_H
#define ENGINE_STORE_PARQUET_ENCODE_H

#include "engine/column/value.h"
#include "engine/store/parquet_meta.h"

/* The physical side of an SQL type when written; what leaf_type reads back. `int96`:
 * timestamps as Spark's default has them. False: no Parquet type (void). */
bool parquet_leaf_for(struct type t, bool int96, bool millis, struct parquet_leaf *out);

/* Appends values in runs: RLE where eight or more are equal, else bit-packed. */
void hybrid_encode(struct strbuf *out, const uint32_t *values, uint32_t n,
                   uint32_t width);
uint32_t bits_needed(uint32_t most);

/* Appends the row's value in plain encoding (booleans not: they are packed by the page).
 */
void plain_append(struct strbuf *out, const struct parquet_leaf *leaf, const void *value);

/* Distinct values of a column chunk, as long as they stay small. */
struct dictionary {      /* zeroed: empty */
    struct strbuf plain; /* the values, plain-encoded, in order of first appearance */
    uint32_t *at;        /* where each begins in it */
    uint32_t n, cap;
    uint32_t *slots; /* code + 1; 0: free */
    uint32_t n_slots;
};

/* The code of a plain-encoded value; UINT32_MAX where the dictionary is full (1 MB). */
uint32_t dictionary_code(struct dictionary *d, struct sv plain);
void dictionary_reset(struct dictionary *d);
void dictionary_release(struct dictionary *d);

/* Least and greatest value of a chunk. */
struct extremes {
    bool any, unusable; /* a NaN came by: nothing is said */
    struct value min, max;
    struct strbuf min_text, max_text; /* where text is kept */
};

void extremes_add(struct extremes *e, const struct value *v);
/* As statistics hold them (no length in front of text). False: not to be written. */
bool extremes_plain(const struct extremes *e, const struct parquet_leaf *leaf,
                    struct strbuf *min, struct strbuf *max);
void extremes_reset(struct extremes *e);
void extremes_release(struct extremes *e);

#endif
