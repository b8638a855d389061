/* One column chunk read as rows of a batch, page after page.
 *
 *     file -> window (as much as a page needs) -> page (decompressed) -> levels, values
 * -> vec
 *
 * Text columns with a dictionary come out as DICT vecs, everything else FLAT. What a vec
 * points to stays until the next read of the column. */
#ifndef ENGINE_STORE_PARQUET_COLUMN_H
#define ENGINE_STORE_PARQUET_COLUMN_H

#include "engine/store/parquet_decode.h"

struct page_bytes;

enum page_kind {
    PAGE_PLAIN,
    PAGE_DICTIONARY,
    PAGE_DELTA,
    PAGE_DELTA_LENGTH,
    PAGE_DELTA_TEXT,
    PAGE_STREAM_SPLIT,
    PAGE_RLE_BOOLEAN,
};

struct parquet_column { /* zeroed: nothing open */
    int fd;
    const char *path;
    const struct parquet_leaf *leaf;
    const struct parquet_chunk *chunk;
    int64_t next_at, left; /* what of the chunk is not in the window yet */
    uint8_t *window;
    size_t from, to, cap;
    int64_t bytes_read; /* over all chunks */

    struct page_bytes *dict_bytes;
    void *dict_values;
    struct vec dict;
    uint32_t n_dict;

    struct page_bytes *page; /* the one being read */
    struct page_bytes *held; /* earlier ones that the batch's text points into */
    enum page_kind kind;
    uint32_t page_left; /* rows */
    bool has_levels;
    struct hybrid levels, codes;
    struct plain plain;
    struct delta delta;
    int64_t *lengths, *prefixes; /* PAGE_DELTA_LENGTH and _TEXT: of the page's values */
    uint32_t at, n_lengths;      /* value of the page; also PAGE_STREAM_SPLIT */
    struct sv previous;          /* PAGE_DELTA_TEXT: the value before */
    struct arena text;           /* PAGE_DELTA_TEXT: of the batch */
    char *carry;                 /* previous, across batches */

    void *values; /* BATCH_ROWS of any type */
    uint8_t *mask;
    uint32_t *code;
};

/* Begins a chunk; an earlier one is left. */
void parquet_column_begin(struct parquet_column *c, int fd, const char *path,
                          const struct parquet_leaf *leaf,
                          const struct parquet_chunk *chunk);
/* The next n rows, at most BATCH_ROWS and no more than the chunk has. */
enum errc parquet_column_read(struct parquet_column *c, uint32_t n, struct vec *out,
                              struct err *err) MUST_CHECK;
void parquet_column_release(struct parquet_column *c);

#endif
