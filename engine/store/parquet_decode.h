/* Parquet's encodings, decoded a batch at a time. None trusts its bytes: each call
 * returns false where they end too early or make no sense. */
#ifndef ENGINE_STORE_PARQUET_DECODE_H
#define ENGINE_STORE_PARQUET_DECODE_H

#include "engine/column/vec.h"
#include "engine/store/parquet_meta.h"

/* RLE and bit-packed runs, mixed: levels, dictionary indices, booleans. */
struct hybrid {
    const uint8_t *p, *end;
    uint32_t width; /* bits a value, 0..32 */
    uint32_t left;  /* values left of the run at hand */
    bool packed;
    uint32_t value;      /* of an RLE run */
    const uint8_t *bits; /* of a packed run */
    uint64_t bit;        /* position in it */
};

void hybrid_init(struct hybrid *h, struct sv bytes, uint32_t width);
bool hybrid_read(struct hybrid *h, uint32_t *out, uint32_t n);
/* Width 1 into bytes; *ones counts them. */
bool hybrid_read_mask(struct hybrid *h, uint8_t *out, uint32_t n, uint32_t *ones);

/* DELTA_BINARY_PACKED: first value, then blocks of miniblocks of deltas over a least one.
 */
struct delta {
    const uint8_t *p, *end;
    uint64_t total, given;
    uint32_t per_mini, minis;
    int64_t last, least;
    const uint8_t *widths;
    uint32_t mini, left_in_mini, width;
    const uint8_t *bits;
    uint64_t bit;
};

bool delta_init(struct delta *d, struct sv bytes);
bool delta_read(struct delta *d, int64_t *out, uint32_t n);
/* Where the encoded integers end, once all were read. */
const uint8_t *delta_end(const struct delta *d);

/* Plain values in their SQL representation (`leaf->type`). Text points into the bytes. */
struct plain {
    const uint8_t *p, *end;
    uint32_t bit; /* of booleans */
};

bool plain_read(struct plain *s, const struct parquet_leaf *leaf, uint32_t n, void *out);
/* Bytes a value takes in plain encoding; 0: varies (or a bit). */
uint32_t plain_width(const struct parquet_leaf *leaf);
/* int64 as stored to the leaf's SQL representation: for delta encodings. */
void plain_of_ints(const struct parquet_leaf *leaf, const int64_t *in, uint32_t n,
                   void *out);

/* A statistic (one plain value without a length) as a value. False: not of this type. */
struct value;
bool plain_value(const struct parquet_leaf *leaf, struct sv bytes, struct value *out);

#endif
