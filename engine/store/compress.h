/* Whole blocks compressed and back: pages of Parquet, blocks of shuffles and spills, text
 * files. */
#ifndef ENGINE_STORE_COMPRESS_H
#define ENGINE_STORE_COMPRESS_H

#include "base/err.h"
#include "base/strbuf.h"
#include "base/sv.h"

#include <stddef.h>

enum compression {
    COMPRESS_NONE,
    COMPRESS_SNAPPY, /* raw block */
    COMPRESS_GZIP,   /* zlib's gzip member; reading takes zlib streams and several members
                        too */
    COMPRESS_ZSTD,
    COMPRESS_LZ4,        /* raw block */
    COMPRESS_LZ4_HADOOP, /* big-endian lengths before each block, as old Parquet writers
                            have it */
    N_COMPRESSIONS
};

/* "none"/"uncompressed", "snappy", "gzip", "zstd", "lz4": case-blind. False: not known
 * here. */
bool compression_find(struct sv name, enum compression *out);
const char *compression_name(enum compression c);

/* Room that compress_block may need for `len` bytes. */
size_t compress_bound(enum compression c, size_t len);
/* Bytes written to `out` (of at least compress_bound bytes). */
size_t compress_block(enum compression c, const void *in, size_t len, void *out);
/* Exactly `want` bytes into `out`; ERR_CORRUPT where they do not come out. */
enum errc decompress_block(enum compression c, struct sv in, void *out, size_t want,
                           struct err *err) MUST_CHECK;
/* A whole file's worth whose size is not known ahead (gzip, zstd), appended to out; at
 * most `limit` bytes. ERR_CORRUPT where it is damaged, ERR_LIMIT where it is longer. */
enum errc decompress_all(enum compression c, struct sv in, size_t limit,
                         struct strbuf *out, struct err *err) MUST_CHECK;

#endif
