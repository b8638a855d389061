/* Plain rows kept as columns: what sorts, joins and windows hold.
 *
 * Each column is one array that grows; a row is its position. Long text lies in an arena
 * beside them, each dictionary's once. Positions stay, addresses do not when rows are
 * added. */
#ifndef ENGINE_EXEC_ROWS_H
#define ENGINE_EXEC_ROWS_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/column/vec.h"

/* No row: gathers as NULL. */
#define ROWS_NONE UINT32_MAX

struct row_memo; /* texts kept for a dictionary */
struct row_file;
struct task;

struct row_column {
    struct type type;
    uint32_t width;
    bool is_text;
    char *data;
    uint8_t *valid; /* NULL: no row is NULL so far */
    struct row_memo *memo;
};

struct rows {
    uint32_t n_columns;
    struct row_column *columns;
    uint32_t n, cap;
    uint32_t expected; /* rows that are likely to come: room for them is made at once */
    struct arena text;
    struct row_file *file; /* NULL: in memory */
};

void rows_init(struct rows *r, const struct type *types, uint32_t n_columns);
void rows_release(struct rows *r);
/* No rows; buffers are given back. */
void rows_clear(struct rows *r);
/* The same, but the text of the rows stays, as somebody else's from now on. */
void rows_clear_but_text(struct rows *r, struct arena *text);
/* Bytes held, and an upper bound of what will be once the rows of b are in. */
int64_t rows_bytes(const struct rows *r);
int64_t rows_bytes_with(const struct rows *r, const struct batch *b);
/* All rows that count, behind the others; b may have more columns. At most 2^32 - 2 rows
 * in all: callers split what is larger (or fail). */
void rows_append(struct rows *r, const struct batch *b);
/* Moves the rows to a file that is mapped into memory, so that the kernel keeps what
 * fits: addresses are others, all else stays as it was. What they were in memory goes to
 * `old`, for the caller to release once nobody looks at it. ERR_OUTPUT; r is as before
 * then. */
enum errc rows_to_file(struct rows *r, struct task *task, struct rows *old,
                       struct err *err) MUST_CHECK;
/* Before rows_append where rows are in a file: its room on disk. Nothing in memory. */
enum errc rows_file_room(struct rows *r, const struct batch *b,
                         struct err *err) MUST_CHECK;
/* Rows from..from+n as FLAT vecs that point into the arrays. */
void rows_view(const struct rows *r, uint32_t from, uint32_t n, struct vec *columns);
/* out[to ? to[i] : i] = row ids[i] of the column; out is FLAT with room and a mask, which
 * is written only if `nulls` (some id is ROWS_NONE) or the column has NULLs: true then.
 */
bool rows_gather(const struct rows *r, uint32_t column, const uint32_t *ids, uint32_t n,
                 const uint32_t *to, bool nulls, struct vec *out);

/* out[i] = row of v at positions pick[i], i < n: FLAT into FLAT with room; returns
 * whether the mask was written, as above. */
bool vec_gather(const struct vec *v, const uint32_t *pick, uint32_t n, bool nulls,
                struct vec *out, uint32_t at);

/* Columns to gather into: FLAT with room for BATCH_ROWS, masks beside them. */
struct scratch {
    uint32_t n;
    struct vec *columns;
    uint8_t **masks;
};
void scratch_init(struct scratch *s, struct arena *a, const struct type *types,
                  uint32_t n);
/* Column c, empty: no mask shows. */
struct vec *scratch_column(struct scratch *s, uint32_t c);

#endif
