/* zlib behind one door: gzip members, and the bare deflate streams in a zip. */
#ifndef ANALYZER_CODEC_GZIP_H
#define ANALYZER_CODEC_GZIP_H

#include "analyzer/codec_frame.h"

/* bare: without gzip's header and checksum. To be freed with codec_inflate_free. */
void *codec_inflate_new(bool bare);
/* FRAME_END at the end of a member; the next call begins another. With FRAME_BAD too
 * the lengths in f are those of what was used and made. */
enum frame_step codec_inflate_step(void *inflater, struct frame_io *f);
void codec_inflate_free(void *inflater); /* NULL is fine */

/* The CRC-32 of gzip and zip; crc 0 begins one. */
uint32_t codec_crc32(uint32_t crc, const void *p, size_t n);

#endif
