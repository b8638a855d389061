/* The few questions the scanner asks about many bytes at once, answered with the
 * instructions of one set. Included by decode_isa.c only, which is compiled once
 * for each set; DECODE_ISA names it.
 *
 * All loads are unaligned and may reach VEC_BYTES past p; no line is closer than
 * DECODE_PADDING to the end of readable memory. */
#ifndef ANALYZER_SCAN_VEC_H
#define ANALYZER_SCAN_VEC_H

#include "base/util.h"

#include <string.h>

#define VEC_LEVEL_portable 0
#define VEC_LEVEL_sse42 1
#define VEC_LEVEL_avx2 2
#define VEC_LEVEL_avx512 3
#define VEC_JOIN_(a, b) a##b
#define VEC_JOIN(a, b) VEC_JOIN_(a, b)
#define VEC_LEVEL VEC_JOIN(VEC_LEVEL_, DECODE_ISA)

#if VEC_LEVEL > 0
#include <immintrin.h>
#endif

#define BYTES_OF(c) (UINT64_C(0x0101010101010101) * (c))

/* Eight bytes, the first one lowest. */
static inline uint64_t load_8(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* How many of the eight bytes in w are digits, counted from the first. */
static inline unsigned digits_in_8(uint64_t w)
{
    /* the addition may carry out of a byte above 0xF9: into those behind it only */
    uint64_t other = ((w & BYTES_OF(0xF0)) ^ BYTES_OF(0x30)) |
                     (((w + BYTES_OF(0x06)) & BYTES_OF(0xF0)) ^ BYTES_OF(0x30));

    return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* The value of the first n digits of w, 1 <= n <= 8. */
static inline uint64_t value_of_8(uint64_t w, unsigned n)
{
    w = (w - BYTES_OF('0')) << (64 - 8 * n); /* zeros move in as leading digits */
    w = w * 10 + (w >> 8);
    return (((w & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064)) +
            (((w >> 16) & UINT64_C(0x000000FF000000FF)) *
             UINT64_C(0x0000271000000001))) >>
           32;
}

#if VEC_LEVEL == 0

#define VEC_NAME "portable"
enum { VEC_BYTES = 8 };

static inline uint64_t zero_bytes(uint64_t w)
{
    return (w - BYTES_OF(0x01)) & ~w & BYTES_OF(0x80); /* exact up to the first one */
}

/* Plain bytes at p: neither quote nor backslash, from 0x20 to 0x7F. At most
 * VEC_BYTES are looked at. */
static inline unsigned vec_plain(const char *p)
{
    uint64_t w = load_8(p);
    uint64_t stop = zero_bytes(w ^ BYTES_OF('"')) | zero_bytes(w ^ BYTES_OF('\\')) |
                    ((w - BYTES_OF(0x20)) & BYTES_OF(0x80)) | (w & BYTES_OF(0x80));

    return stop ? (unsigned)__builtin_ctzll(stop) >> 3 : VEC_BYTES;
}

/* Bytes at p before a quote, a backslash, a NUL or a newline; *high is set where
 * one of the VEC_BYTES at p is above 0x7F. */
static inline unsigned vec_text(const char *p, bool *high)
{
    uint64_t w = load_8(p);
    uint64_t stop = zero_bytes(w ^ BYTES_OF('"')) | zero_bytes(w ^ BYTES_OF('\\')) |
                    zero_bytes(w ^ BYTES_OF('\n')) | zero_bytes(w);

    *high |= (w & BYTES_OF(0x80)) != 0;
    return stop ? (unsigned)__builtin_ctzll(stop) >> 3 : VEC_BYTES;
}

/* How many digits stand at p; more than 15 where there are as many or more. */
static inline unsigned vec_digits(const char *p)
{
    unsigned n = digits_in_8(load_8(p));

    return n < 8 ? n : 8 + digits_in_8(load_8(p + 8));
}

/* The value of the first n of them, 1 <= n <= 16. */
static inline uint64_t vec_number(const char *p, unsigned n)
{
    if (n <= 8)
        return value_of_8(load_8(p), n);
    uint64_t high = value_of_8(load_8(p), 8);
    unsigned rest = n - 8;
    static const uint32_t ten_to[] = { 1,      10,      100,      1000,     10000,
                                       100000, 1000000, 10000000, 100000000 };

    return high * ten_to[rest] + value_of_8(load_8(p + 8), rest);
}

/* True where the 1 <= n <= 32 bytes at p are those at key; 32 are readable at both. */
static inline bool vec_same(const char *p, const char *key, unsigned n)
{
    for (; n > 8; n -= 8, p += 8, key += 8)
        if (load_8(p) != load_8(key))
            return false;
    return ((load_8(p) ^ load_8(key)) << (64 - 8 * n)) == 0; /* 1 <= n <= 8 */
}

/* True where the 32 <= n <= 64 bytes at p are those at q. */
static inline bool vec_same_64(const char *p, const char *q, unsigned n)
{
    uint64_t other = load_8(p + n - 8) ^ load_8(q + n - 8);

    for (unsigned i = 0; i + 8 < n; i += 8)
        other |= load_8(p + i) ^ load_8(q + i);
    return other == 0;
}

#else

/* Constants that the compiler does not know (event.c), so that it takes them from
 * memory; it would rather build them anew, from three instructions each time. */
enum { VEC_LOWEST_DIGIT, VEC_TENTH_DIGIT, VEC_MINUS_ZERO, VEC_CONSTANTS };
extern __attribute__((visibility("hidden")))
const int8_t vec_constants[VEC_CONSTANTS][16];

static inline __m128i load_16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m128i constant_16(int which)
{
    return _mm_load_si128((const __m128i *)(const void *)vec_constants[which]);
}

/* 32 bytes of which the first n have all bits set, the others none. */
static inline const char *first_bytes(unsigned n)
{
#define ONES_8 -1, -1, -1, -1, -1, -1, -1, -1
    static const char window[64] = { ONES_8, ONES_8, ONES_8, ONES_8 };
#undef ONES_8

    return window + 32 - n;
}

static inline unsigned vec_digits(const char *p)
{
    __m128i v = _mm_add_epi8(load_16(p), constant_16(VEC_LOWEST_DIGIT));
    __m128i other = _mm_cmpgt_epi8(v, constant_16(VEC_TENTH_DIGIT));

#if VEC_LEVEL == 1
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(other) | 0x10000);
#else
    return _tzcnt_u32((unsigned)_mm_movemask_epi8(other)); /* 32 for none */
#endif
}

static inline uint64_t vec_number(const char *p, unsigned n)
{
    /* bytes to the right end, zeros (index with the top bit) before them */
    static const char shift[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                    -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,
                                    6,  7,  8,  9,  10, 11, 12, 13, 14, 15 };
    __m128i v = _mm_add_epi8(load_16(p), constant_16(VEC_MINUS_ZERO));

    v = _mm_shuffle_epi8(v, load_16(shift + n));
    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x010A)); /* 10 * even + odd */
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00010064));
    v = _mm_packus_epi32(v, v);
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00012710));
    uint64_t pair = (uint64_t)_mm_cvtsi128_si64(v);

    return (pair & 0xFFFFFFFF) * 100000000 + (pair >> 32);
}

#if VEC_LEVEL == 1

#define VEC_NAME "sse4.2"
enum { VEC_BYTES = 16 };

static inline unsigned vec_plain(const char *p)
{
    __m128i v = load_16(p);
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    stop = _mm_or_si128(stop, _mm_cmplt_epi8(v, _mm_set1_epi8(0x20))); /* signed */
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(stop) | 0x10000);
}

static inline unsigned vec_text(const char *p, bool *high)
{
    __m128i v = load_16(p);
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
    stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
    *high |= _mm_movemask_epi8(v) != 0;
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(stop) | 0x10000);
}

static inline bool vec_same(const char *p, const char *key, unsigned n)
{
    __m128i other =
        _mm_and_si128(_mm_xor_si128(load_16(p), load_16(key)), load_16(first_bytes(n)));
    __m128i rest = _mm_and_si128(_mm_xor_si128(load_16(p + 16), load_16(key + 16)),
                                 load_16(first_bytes(n) + 16));

    return _mm_testz_si128(_mm_or_si128(other, rest), _mm_or_si128(other, rest));
}

static inline bool vec_same_64(const char *p, const char *q, unsigned n)
{
    __m128i other = _mm_xor_si128(load_16(p + n - 16), load_16(q + n - 16));

    for (unsigned i = 0; i + 16 < n; i += 16)
        other = _mm_or_si128(other, _mm_xor_si128(load_16(p + i), load_16(q + i)));
    return _mm_testz_si128(other, other);
}

#else

static inline __m256i load_32(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

#if VEC_LEVEL == 2

#define VEC_NAME "avx2"
enum { VEC_BYTES = 32 };

static inline unsigned vec_plain(const char *p)
{
    __m256i v = load_32(p);
    __m256i stop = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                                   _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));

    stop =
        _mm256_or_si256(stop, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v)); /* signed */
    return _tzcnt_u32((unsigned)_mm256_movemask_epi8(stop));
}

static inline unsigned vec_text(const char *p, bool *high)
{
    __m256i v = load_32(p);
    __m256i stop = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                                   _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));

    stop = _mm256_or_si256(stop, _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')));
    stop = _mm256_or_si256(stop, _mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
    *high |= _mm256_movemask_epi8(v) != 0;
    return _tzcnt_u32((unsigned)_mm256_movemask_epi8(stop));
}

#else

#define VEC_NAME "avx512"
enum { VEC_BYTES = 64 };

static inline unsigned vec_plain(const char *p)
{
    __m512i v = _mm512_loadu_si512(p);
    __mmask64 stop = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
                     _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) |
                     _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20)); /* signed */

    return (unsigned)_tzcnt_u64(stop);
}

static inline unsigned vec_text(const char *p, bool *high)
{
    __m512i v = _mm512_loadu_si512(p);
    __mmask64 stop = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
                     _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) |
                     _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')) |
                     _mm512_cmpeq_epi8_mask(v, _mm512_setzero_si512());

    *high |= _mm512_movepi8_mask(v) != 0;
    return (unsigned)_tzcnt_u64(stop);
}

#endif

static inline __m256i other_32(const char *p, const char *q)
{
    return _mm256_xor_si256(load_32(p), load_32(q));
}

static inline bool vec_same(const char *p, const char *key, unsigned n)
{
    return _mm256_testz_si256(other_32(p, key), load_32(first_bytes(n)));
}

/* The two blocks may overlap: cheaper than a mask. */
static inline bool vec_same_64(const char *p, const char *q, unsigned n)
{
    __m256i other = _mm256_or_si256(other_32(p, q), other_32(p + n - 32, q + n - 32));

    return _mm256_testz_si256(other, other);
}

#endif /* 32 bytes and more */
#endif /* x86 */
#endif
