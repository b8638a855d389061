/* Snappy's raw blocks, decoded in 16-byte steps: most of what a scan of Parquet spends on
 * pages. (Writing them is the library's.)
 *
 *     block:    length as varint | elements
 *     element:  tag | bytes
 *
 * The tag's two low bits are its kind:
 *   - 0: literal of (tag >> 2) + 1 bytes; from 60 on 1 to 4 bytes hold the length less 1.
 *   - 1: copy of 4 to 11 bytes from up to 2^11 back, the offset's low byte follows.
 *   - 2: copy of (tag >> 2) + 1 bytes from up to 2^16 back, two bytes follow.
 *   - 3: the same with four bytes.
 *
 * From https://github.com/google/snappy/blob/main/format_description.txt */
#ifndef ENGINE_STORE_SNAPPY_BLOCK_H
#define ENGINE_STORE_SNAPPY_BLOCK_H

#include "base/sv.h"

#include <stdbool.h>
#include <stddef.h>

/* True: the block was whole and held exactly `want` bytes, which are in `out`. Never
 * writes beyond them; what is in `out` after false is anything. */
bool snappy_block_decode(struct sv in, void *out, size_t want);
/* The same on any CPU. */
bool snappy_block_decode_portable(struct sv in, void *out, size_t want);

#endif
