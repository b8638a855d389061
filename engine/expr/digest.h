/* MD5, SHA-1, the SHA-2 family and CRC-32 of bytes. */
#ifndef ENGINE_EXPR_DIGEST_H
#define ENGINE_EXPR_DIGEST_H

#include "base/sv.h"

enum digest {
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA224,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512
};

enum { DIGEST_MAX = 64 };
/* Into at most DIGEST_MAX bytes; returns how many. */
size_t digest(enum digest which, struct sv s, unsigned char *to);
/* The CRC of zlib and java.util.zip. */
uint32_t crc32_of(struct sv s);

#endif
