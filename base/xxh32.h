/* xxHash32, the sum in LZ4 blocks as lz4-java frames them. Published algorithm and
 * constants: the xxHash specification, "XXH32". */
#ifndef BASE_XXH32_H
#define BASE_XXH32_H

#include <stddef.h>
#include <stdint.h>

uint32_t xxh32(const unsigned char *p, size_t n, uint32_t seed);

#endif
