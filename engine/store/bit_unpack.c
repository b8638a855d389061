/* Unpacking of bits; see bit_unpack.h. */
#include "engine/store/bit_unpack.h"

#include <string.h>

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

uint64_t bits_at(const uint8_t *bits, const uint8_t *end, uint64_t bit)
{
    const uint8_t *p = bits + (bit >> 3);
    uint64_t v = 0;

    if (end - p >= 8)
        return load64(p) >> (bit & 7);
    if (p < end)
        memcpy(&v, p, (size_t)(end - p));
    return v >> (bit & 7);
}

static inline __attribute__((always_inline)) void
unpack_width(const uint8_t *bits, uint64_t bit, uint32_t *out, uint32_t n, uint32_t width)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;

    for (uint32_t i = 0; i < n; i++, bit += width)
        out[i] = (uint32_t)(load64(bits + (bit >> 3)) >> (bit & 7) & mask);
}

void bit_unpack_portable(const uint8_t *bits, const uint8_t *end, uint64_t bit,
                         uint32_t width, uint32_t n, uint32_t *out)
{
    uint64_t mask = (UINT64_C(1) << width) - 1;
    int64_t whole = ((end - bits - 8) * 8 - (int64_t)bit) / (int64_t)width;
    /* values whose 8-byte load ends inside */
    uint32_t safe = whole <= 0 ? 0 : whole < (int64_t)n ? (uint32_t)whole : n;

    switch (width) { /* a known width makes the loop twice as fast */
#define CASE(w)                                                                          \
    case w:                                                                              \
        unpack_width(bits, bit, out, safe, w);                                           \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
        CASE(15)
        CASE(16)
#undef CASE
    default:
        unpack_width(bits, bit, out, safe, width);
    }
    bit += (uint64_t)safe * width;
    for (uint32_t i = safe; i < n; i++, bit += width)
        out[i] = (uint32_t)(bits_at(bits, end, bit) & mask);
}

#ifdef __x86_64__
#include <immintrin.h>

enum { LANE = 16, LARGEST = 25 }; /* bits that fit 32 from any bit of a byte on */

/* Eight values take `width` bytes, so their places in those bytes are the same each time:
 * the first four come from one load of 16 bytes, the others from a second one. Returns
 * how many were unpacked. */
__attribute__((target("avx2"))) static uint32_t unpack_avx2(const uint8_t *bits,
                                                            const uint8_t *end,
                                                            uint64_t bit, uint32_t width,
                                                            uint32_t n, uint32_t *out)
{
    const uint8_t *p = bits + (bit >> 3);
    uint32_t first = bit & 7, upper = (4 * width + first) >> 3, done = 0;
    uint8_t from[32];
    uint32_t down[8];

    for (uint32_t i = 0; i < 8; i++) {
        uint32_t at = i * width + first, byte = (at >> 3) - (i < 4 ? 0 : upper);

        down[i] = at & 7;
        for (uint32_t k = 0; k < 4; k++)
            from[4 * i + k] = (uint8_t)(byte + k);
    }
    __m256i places = _mm256_loadu_si256((const __m256i *)(const void *)from);
    __m256i shift = _mm256_loadu_si256((const __m256i *)(const void *)down);
    __m256i mask = _mm256_set1_epi32((int)((1u << width) - 1));

    for (; done + 8 <= n && end - p >= (int64_t)upper + LANE; done += 8, p += width) {
        __m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + upper));
        __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
        __m256i values = _mm256_and_si256(
            _mm256_srlv_epi32(_mm256_shuffle_epi8(both, places), shift), mask);

        _mm256_storeu_si256((__m256i *)(void *)(out + done), values);
    }
    return done;
}
#endif

void bit_unpack(const uint8_t *bits, const uint8_t *end, uint64_t bit, uint32_t width,
                uint32_t n, uint32_t *out)
{
    uint32_t done = 0;

#ifdef __x86_64__
    if (width <= LARGEST && __builtin_cpu_supports("avx2"))
        done = unpack_avx2(bits, end, bit, width, n, out);
#endif
    bit_unpack_portable(bits, end, bit + (uint64_t)done * width, width, n - done,
                        out + done);
}
