/* A batch as bytes and back: what shuffles, broadcasts and spills write.
 *
 *     u32 rows, u32 columns, then for each column, every part padded to 8 bytes:
 *     u8 form (flat, one for all, dictionary), u8 has mask, u8 width, u8 is text,
 *     u32 entries | mask | codes of a dictionary | values, or lengths and bytes of text
 *
 * Only the rows that count are written, in their order; the batch read back has no
 * selection. Constants stay constants; text behind a dictionary stays so where rows share
 * entries. The bytes are for this machine: byte order and widths are its own. */
#ifndef ENGINE_COLUMN_BATCH_CODEC_H
#define ENGINE_COLUMN_BATCH_CODEC_H

#include "engine/column/vec.h"

/* Appends to out; the part starts at a multiple of 8 if out's length is one. */
void batch_encode(struct strbuf *out, const struct batch *b);
/* Fixed-width columns are views into `bytes` where they are aligned to 8, else copies in
 * the arena; long text points into `bytes`. *used is what this batch took. ERR_CORRUPT
 * when cut, or when it does not have these columns. */
enum errc batch_decode(struct arena *a, struct sv bytes, const struct type *types,
                       uint32_t n_columns, struct batch *out, size_t *used,
                       struct err *err) MUST_CHECK;

#endif
