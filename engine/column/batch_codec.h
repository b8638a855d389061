/* A batch as bytes and back: what shuffles, broadcasts and spills write.
 *
 *     u32 rows, u32 columns, then for each column, every part padded to 8 bytes:
 *     u8 form (flat, one for all, dictionary, narrow), u8 has mask, u8 width, u8 text
 *     (1: lengths of four bytes, 2: of one), u32 entries (narrow: bytes of an offset)
 *     | mask, a bit a row | codes of a dictionary, one or two bytes each
 *     | values, or base and offsets from it, or lengths and bytes of text
 *
 * Whole numbers are written as offsets from the smallest where that is shorter.
 * Only the rows that count are written, in their order; the batch read back has no
 * selection. Constants stay constants; text behind a dictionary stays so where rows share
 * entries. The bytes are for this machine: byte order and widths are its own. */
#ifndef ENGINE_COLUMN_BATCH_CODEC_H
#define ENGINE_COLUMN_BATCH_CODEC_H

#include "engine/column/vec.h"

/* Appends to out; the part starts at a multiple of 8 if out's length is one. */
void batch_encode(struct strbuf *out, const struct batch *b);
/* Fixed-width columns written as they are stay views into `bytes` where they are aligned
 * to 8, others are copies in the arena; long text points into `bytes`. *used is what this batch took. ERR_CORRUPT
 * when cut, or when it does not have these columns. */
enum errc batch_decode(struct arena *a, struct sv bytes, const struct type *types,
                       uint32_t n_columns, struct batch *out, size_t *used,
                       struct err *err) MUST_CHECK;

#endif
