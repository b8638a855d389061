/* Spark's two hashes of rows: Murmur3 (32 bits), which places rows in exchanges and is
 * hash(), and xxHash64.
 *
 * Each column is mixed into the hash so far, which serves as its seed; NULL leaves it as
 * it is. Values are hashed by their Java representation: booleans and small integers as
 * int, -0.0 as 0.0, narrow decimals as long, wide ones as the big-endian bytes of their
 * unscaled value. Murmur3's tail is Spark's own: byte by byte, each sign-extended and
 * mixed as a whole word. */
#include "engine/expr/hash.h"

#include "engine/expr/eval.h"
#include "engine/expr/kernel.h"

/* ---- Murmur3, x86 32 bits ---- */

static inline uint32_t rotl32(uint32_t x, int r)
{
    return x << r | x >> (32 - r);
}

static inline uint64_t rotl64(uint64_t x, int r)
{
    return x << r | x >> (64 - r);
}

static inline uint32_t mix_word(uint32_t h, uint32_t k)
{
    k *= 0xcc9e2d51u;
    k = rotl32(k, 15);
    k *= 0x1b873593u;
    h ^= k;
    h = rotl32(h, 13);
    return h * 5 + 0xe6546b64u;
}

static inline uint32_t finish32(uint32_t h, uint32_t length)
{
    h ^= length;
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static inline uint32_t murmur_int(int32_t x, uint32_t seed)
{
    return finish32(mix_word(seed, (uint32_t)x), 4);
}

static inline uint32_t murmur_long(int64_t x, uint32_t seed)
{
    uint32_t h = mix_word(seed, (uint32_t)(uint64_t)x);

    return finish32(mix_word(h, (uint32_t)((uint64_t)x >> 32)), 8);
}

static uint32_t murmur_bytes(struct sv s, uint32_t seed)
{
    uint32_t h = seed;
    size_t i = 0;

    for (; i + 4 <= s.len; i += 4) {
        uint32_t word;

        memcpy(&word, s.p + i, 4);
        h = mix_word(h, word);
    }
    for (; i < s.len; i++)
        h = mix_word(h, (uint32_t)(int32_t)(signed char)s.p[i]);
    return finish32(h, (uint32_t)s.len);
}

/* ---- xxHash64 ---- */

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static inline uint64_t finish64(uint64_t h)
{
    h ^= h >> 33;
    h *= P2;
    h ^= h >> 29;
    h *= P3;
    return h ^ h >> 32;
}

static inline uint64_t xx_int(int32_t x, uint64_t seed)
{
    uint64_t h = seed + P5 + 4;

    h ^= (uint64_t)(uint32_t)x * P1;
    h = rotl64(h, 23) * P2 + P3;
    return finish64(h);
}

static inline uint64_t xx_long(int64_t x, uint64_t seed)
{
    uint64_t h = seed + P5 + 8;

    h ^= rotl64((uint64_t)x * P2, 31) * P1;
    h = rotl64(h, 27) * P1 + P4;
    return finish64(h);
}

static inline uint64_t read64(const char *p)
{
    uint64_t x;

    memcpy(&x, p, 8);
    return x;
}

static uint64_t xx_stripes(const char **p, const char *end, uint64_t seed)
{
    uint64_t v[4] = { seed + P1 + P2, seed + P2, seed, seed - P1 };
    uint64_t h;

    for (; *p + 32 <= end; *p += 32)
        for (int k = 0; k < 4; k++)
            v[k] = rotl64(v[k] + read64(*p + 8 * k) * P2, 31) * P1;
    h = rotl64(v[0], 1) + rotl64(v[1], 7) + rotl64(v[2], 12) + rotl64(v[3], 18);
    for (int k = 0; k < 4; k++) {
        h ^= rotl64(v[k] * P2, 31) * P1;
        h = h * P1 + P4;
    }
    return h;
}

static uint64_t xx_bytes(struct sv s, uint64_t seed)
{
    const char *p = s.p, *end = s.p + s.len;
    uint64_t h = s.len >= 32 ? xx_stripes(&p, end, seed) : seed + P5;

    h += s.len;
    for (; p + 8 <= end; p += 8) {
        h ^= rotl64(read64(p) * P2, 31) * P1;
        h = rotl64(h, 27) * P1 + P4;
    }
    if (p + 4 <= end) {
        uint32_t word;

        memcpy(&word, p, 4);
        h ^= word * P1;
        h = rotl64(h, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++) {
        h ^= (uint64_t)(unsigned char)*p * P5;
        h = rotl64(h, 11) * P1;
    }
    return finish64(h);
}

/* ---- values ---- */

size_t decimal_bytes(char *to, i128 x)
{
    unsigned char raw[16];
    size_t from = 0;

    for (int i = 0; i < 16; i++)
        raw[i] = (unsigned char)(x >> (8 * (15 - i)));
    while (from < 15 && ((raw[from] == 0 && raw[from + 1] < 0x80) ||
                         (raw[from] == 0xff && raw[from + 1] >= 0x80)))
        from++;
    memcpy(to, raw + from, 16 - from);
    return 16 - from;
}

static inline int32_t float_bits(float x)
{
    int32_t bits;

    if (x == 0) /* -0.0 too */
        return 0;
    if (x != x)
        return 0x7fc00000;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline int64_t double_bits(double x)
{
    int64_t bits;

    if (x == 0)
        return 0;
    if (x != x)
        return INT64_C(0x7ff8000000000000);
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

#define HASH_EACH(T, X)                                                                  \
    do {                                                                                 \
        const T *data = v->kind == VEC_DICT ? v->dict->data : v->data;                   \
        if (v->kind == VEC_FLAT && !v->valid && !b->sel)                                 \
            for (uint32_t row = 0; row < b->n_rows; row++) {                             \
                const T x = data[row];                                                   \
                out[row] = (X);                                                          \
            }                                                                            \
        else                                                                             \
            for (uint32_t i = 0; i < b->n_sel; i++) {                                    \
                uint32_t row = batch_row(b, i);                                          \
                if (vec_is_null(v, row))                                                 \
                    continue;                                                            \
                const T x = data[v->kind == VEC_FLAT    ? row                            \
                                 : v->kind == VEC_CONST ? 0                              \
                                                        : v->codes[row]];                \
                out[row] = (X);                                                          \
            }                                                                            \
    } while (0)

#define HASH_COLUMN(of_int, of_long, of_bytes)                                           \
    switch ((enum type_id)v->type.id) {                                                  \
    case TYPE_NULL:                                                                      \
        break;                                                                           \
    case TYPE_BOOLEAN:                                                                   \
        HASH_EACH(uint8_t, of_int(x, out[row]));                                         \
        break;                                                                           \
    case TYPE_BYTE:                                                                      \
        HASH_EACH(int8_t, of_int(x, out[row]));                                          \
        break;                                                                           \
    case TYPE_SHORT:                                                                     \
        HASH_EACH(int16_t, of_int(x, out[row]));                                         \
        break;                                                                           \
    case TYPE_INT:                                                                       \
    case TYPE_DATE:                                                                      \
    case TYPE_INTERVAL_MONTH:                                                            \
        HASH_EACH(int32_t, of_int(x, out[row]));                                         \
        break;                                                                           \
    case TYPE_LONG:                                                                      \
    case TYPE_TIMESTAMP:                                                                 \
    case TYPE_TIMESTAMP_NTZ:                                                             \
    case TYPE_INTERVAL_DAY:                                                              \
        HASH_EACH(int64_t, of_long(x, out[row]));                                        \
        break;                                                                           \
    case TYPE_FLOAT:                                                                     \
        HASH_EACH(float, of_int(float_bits(x), out[row]));                               \
        break;                                                                           \
    case TYPE_DOUBLE:                                                                    \
        HASH_EACH(double, of_long(double_bits(x), out[row]));                            \
        break;                                                                           \
    case TYPE_DECIMAL:                                                                   \
        if (!type_is_wide(v->type)) {                                                    \
            HASH_EACH(int64_t, of_long(x, out[row]));                                    \
        } else {                                                                         \
            char raw[16];                                                                \
            HASH_EACH(wide_col,                                                          \
                      of_bytes(((struct sv){ raw, decimal_bytes(raw, x) }), out[row]));  \
        }                                                                                \
        break;                                                                           \
    case TYPE_STRING:                                                                    \
    case TYPE_BINARY:                                                                    \
        HASH_EACH(struct str, of_bytes(str_sv(&x), out[row]));                           \
        break;                                                                           \
    }

KERNEL_CLONES void murmur3_column(const struct vec *v, const struct batch *b,
                                  uint32_t *out)
{
    HASH_COLUMN(murmur_int, murmur_long, murmur_bytes)
}

void xxhash64_column(const struct vec *v, const struct batch *b, uint64_t *out)
{
    HASH_COLUMN(xx_int, xx_long, xx_bytes)
}

void eval_murmur3(const struct vec *columns, uint32_t n, const struct batch *b,
                  uint32_t *out)
{
    for (uint32_t row = 0; row < b->n_rows; row++)
        out[row] = 42;
    for (uint32_t k = 0; k < n; k++)
        murmur3_column(&columns[k], b, out);
}
