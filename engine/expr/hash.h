/* Spark's hashes of columns; see hash.c. */
#ifndef ENGINE_EXPR_HASH_H
#define ENGINE_EXPR_HASH_H

#include "engine/column/vec.h"

/* Mixes the column into out[row], for rows that count. */
void murmur3_column(const struct vec *v, const struct batch *b, uint32_t *out);
void xxhash64_column(const struct vec *v, const struct batch *b, uint64_t *out);
/* Java's BigInteger.toByteArray of an unscaled decimal: 1 to 16 bytes. */
size_t decimal_bytes(char *to, i128 x);

#endif
