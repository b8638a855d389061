/* Compressed frames with checksums, for files that only this process reads: spills,
 * shuffles. Damage is an error, never wrong rows.
 *
 *     u32 "SPWB" | u32 raw length | u32 stored length | u32 check of the stored bytes
 *
 * The lowest bit of the stored length is not part of it: 1 where the bytes are LZ4. */
#ifndef ENGINE_STORE_BLOCK_H
#define ENGINE_STORE_BLOCK_H

#include "base/err.h"
#include "base/strbuf.h"

enum { BLOCK_HEAD = 16 };
/* Longer raw bytes do not go into one frame. */
#define BLOCK_MAX_BYTES ((size_t)1 << 30)

/* Appends a frame of raw, which may be empty; stored as it is where that is not longer.
 */
void block_write(struct strbuf *out, struct sv raw, bool compress);
/* What a frame that starts with these BLOCK_HEAD bytes needs. ERR_CORRUPT: none does. */
enum errc block_peek(struct sv head, size_t *raw_bytes, size_t *stored_bytes,
                     struct err *err) MUST_CHECK;
/* The frame at the start of `in`, whose raw bytes fit `to`; *used with its head. */
enum errc block_read(struct sv in, void *to, size_t *used, struct err *err) MUST_CHECK;
/* 64 bits of any bytes, each from all of them; stable on this machine only. */
uint64_t block_check(const void *p, size_t len);

#endif
