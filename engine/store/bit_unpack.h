/* Integers of a fixed number of bits, packed from the lowest bit on, as Parquet's hybrid
 * and delta encodings hold them. AVX2 is used where the CPU has it; the results are the
 * same. */
#ifndef ENGINE_STORE_BIT_UNPACK_H
#define ENGINE_STORE_BIT_UNPACK_H

#include <stdint.h>

/* n values of `width` bits (1..32) from bit `bit` of bytes that end at `end`; zeros
 * beyond it. */
void bit_unpack(const uint8_t *bits, const uint8_t *end, uint64_t bit, uint32_t width,
                uint32_t n, uint32_t *out);
/* The same on any CPU. */
void bit_unpack_portable(const uint8_t *bits, const uint8_t *end, uint64_t bit,
                         uint32_t width, uint32_t n, uint32_t *out);
/* The up to 64 bits at a position, zeros beyond the end. */
uint64_t bits_at(const uint8_t *bits, const uint8_t *end, uint64_t bit);

#endif
