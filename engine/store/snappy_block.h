/* Snappy's raw blocks, decoded in 16-byte steps: most of what a scan of Parquet spends on
 * pages. (Writing them is the library's.)
 *
 *     block:    length as varint | elements
 *     element:  tag | bytes        kind in the tag's two low bits:
 *       0  literal of (tag >> 2) + 1 bytes; from 60 on the length less 1 takes 1 to 4
 * bytes 1  copy of 4 to 11 bytes from up to 2^11 back: low offset byte 2  copy of (tag >>
 * 2) + 1 bytes from up to 2^16 back: two bytes 3  the same with four bytes
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

#endif
