/* Digests after RFC 1321 and FIPS 180-4.
 *
 * All of them pad alike: a one bit, zeros, and the length in bits at the end of the last
 * block; they differ in the block's size, the order of bytes and what is done to a block.
 * The constants of SHA-2 are the fractional parts of roots of primes, computed when first
 * needed (integer roots: no floating point). */
#include "engine/expr/digest.h"

#include <pthread.h>

static uint32_t left32(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t right32(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint64_t right64(uint64_t x, int n)
{
    return x >> n | x << (64 - n);
}

static uint64_t read_big(const unsigned char *p, int bytes)
{
    uint64_t x = 0;

    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[i];
    return x;
}

/* ---- MD5 ---- */

static uint32_t sines[64]; /* floor(2^32 |sin(i + 1)|) */

static void md5_block(void *state, const unsigned char *p)
{
    static const int shifts[4][4] = {
        { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
    };
    uint32_t *h = state, w[16], a = h[0], b = h[1], c = h[2], d = h[3];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] | (uint32_t)p[4 * i + 1] << 8 |
               (uint32_t)p[4 * i + 2] << 16 | (uint32_t)p[4 * i + 3] << 24;
    for (int i = 0; i < 64; i++) {
        int round = i / 16, g;
        uint32_t f;

        switch (round) {
        case 0:
            f = (b & c) | (~b & d);
            g = i;
            break;
        case 1:
            f = (d & b) | (~d & c);
            g = (5 * i + 1) % 16;
            break;
        case 2:
            f = b ^ c ^ d;
            g = (3 * i + 5) % 16;
            break;
        default:
            f = c ^ (b | ~d);
            g = 7 * i % 16;
            break;
        }
        f += a + sines[i] + w[g];
        a = d;
        d = c;
        c = b;
        b += left32(f, shifts[round][i % 4]);
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
}

/* ---- SHA-1 ---- */

static void sha1_block(void *state, const unsigned char *p)
{
    static const uint32_t k[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t *h = state, w[80], v[5];

    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? (uint32_t)read_big(p + 4 * i, 4)
                      : left32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? (v[1] & v[2]) | (~v[1] & v[3])
                     : i < 40 ? v[1] ^ v[2] ^ v[3]
                     : i < 60 ? (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])
                              : v[1] ^ v[2] ^ v[3];
        uint32_t next = left32(v[0], 5) + f + v[4] + k[i / 20] + w[i];

        v[4] = v[3];
        v[3] = v[2];
        v[2] = left32(v[1], 30);
        v[1] = v[0];
        v[0] = next;
    }
    for (int i = 0; i < 5; i++)
        h[i] += v[i];
}

/* ---- SHA-2 ---- */

static uint64_t roots[80];   /* fractions of cube roots of the first 80 primes */
static uint64_t squares[16]; /* of square roots of the first 16 */

static void sha256_block(void *state, const unsigned char *p)
{
    uint32_t *h = state, w[64], v[8];

    for (int i = 0; i < 64; i++) {
        if (i < 16) {
            w[i] = (uint32_t)read_big(p + 4 * i, 4);
            continue;
        }
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (right32(a, 7) ^ right32(a, 18) ^ a >> 3) + w[i - 7] +
               (right32(b, 17) ^ right32(b, 19) ^ b >> 10);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t t = v[7] + (right32(v[4], 6) ^ right32(v[4], 11) ^ right32(v[4], 25)) +
                     ((v[4] & v[5]) ^ (~v[4] & v[6])) + (uint32_t)(roots[i] >> 32) + w[i];
        uint32_t u = (right32(v[0], 2) ^ right32(v[0], 13) ^ right32(v[0], 22)) +
                     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t;
        v[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

static void sha512_block(void *state, const unsigned char *p)
{
    uint64_t *h = state, w[80], v[8];

    for (int i = 0; i < 80; i++) {
        if (i < 16) {
            w[i] = read_big(p + 8 * i, 8);
            continue;
        }
        uint64_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (right64(a, 1) ^ right64(a, 8) ^ a >> 7) + w[i - 7] +
               (right64(b, 19) ^ right64(b, 61) ^ b >> 6);
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
        uint64_t t = v[7] + (right64(v[4], 14) ^ right64(v[4], 18) ^ right64(v[4], 41)) +
                     ((v[4] & v[5]) ^ (~v[4] & v[6])) + roots[i] + w[i];
        uint64_t u = (right64(v[0], 28) ^ right64(v[0], 34) ^ right64(v[0], 39)) +
                     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t;
        v[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

/* ---- constants ---- */

__extension__ typedef unsigned __int128 u128_t;

/* Is r^degree <= n * 2^(64 * degree)? r has 64 bits of fraction and a few before them,
 * so its cube has up to 210 bits: compared piece by piece. */
static bool root_fits(u128_t r, int degree, uint64_t n)
{
    uint32_t limb[14] = { 0 }, part[5], product[14];
    int len = 1;

    limb[0] = 1;
    for (int i = 0; i < 5; i++)
        part[i] = i < 4 ? (uint32_t)(r >> (32 * i)) : 0;
    for (int times = 0; times < degree; times++, len += 3) {
        memset(product, 0, sizeof product);
        for (int i = 0; i < len; i++) {
            uint64_t carry = 0;

            for (int j = 0; j < 4; j++) {
                carry += (uint64_t)limb[i] * part[j] + product[i + j];
                product[i + j] = (uint32_t)carry;
                carry >>= 32;
            }
            product[i + 4] = (uint32_t)(product[i + 4] + carry);
        }
        memcpy(limb, product, sizeof limb);
    }
    /* n stands at limb 2 * degree */
    uint64_t high = 0;
    for (int i = 13; i >= 2 * degree; i--) {
        if (high >> 32)
            return false;
        high = high << 32 | limb[i];
    }
    return high < n;
}

static uint64_t root_fraction(int degree, uint64_t n)
{
    u128_t r = 0;

    for (int bit = 69; bit >= 0; bit--)
        if (root_fits(r | (u128_t)1 << bit, degree, n))
            r |= (u128_t)1 << bit;
    return (uint64_t)r;
}

/* The table of RFC 1321: the C library's sin is not sure to give all of its bits. */
static void fill_sines(void)
{
    static const uint32_t table[64] = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a,
        0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
        0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
        0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8,
        0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
        0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
        0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
        0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
        0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
    };

    memcpy(sines, table, sizeof sines);
}

static uint32_t crc_table[256];

static void fill_tables(void)
{
    uint64_t prime = 2;

    for (int n = 0; n < 80; prime++) {
        bool is_prime = true;

        for (uint64_t d = 2; d * d <= prime; d++)
            is_prime = is_prime && prime % d != 0;
        if (!is_prime)
            continue;
        if (n < 16)
            squares[n] = root_fraction(2, prime);
        roots[n++] = root_fraction(3, prime);
    }
    fill_sines();
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        crc_table[i] = c;
    }
}

static void need_tables(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fill_tables);
}

/* ---- all of them ---- */

union state {
    uint32_t w32[8];
    uint64_t w64[8];
};

static const struct kind {
    void (*block)(void *state, const unsigned char *p);
    size_t block_bytes, bytes;
    bool little;
} kinds[] = {
    [DIGEST_MD5] = { md5_block, 64, 16, true },
    [DIGEST_SHA1] = { sha1_block, 64, 20, false },
    [DIGEST_SHA224] = { sha256_block, 64, 28, false },
    [DIGEST_SHA256] = { sha256_block, 64, 32, false },
    [DIGEST_SHA384] = { sha512_block, 128, 48, false },
    [DIGEST_SHA512] = { sha512_block, 128, 64, false },
};

static void start_state(enum digest which, union state *h)
{
    static const uint32_t first[] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                      0xc3d2e1f0 };

    if (which == DIGEST_MD5 || which == DIGEST_SHA1)
        memcpy(h->w32, first, sizeof first);
    for (int i = 0; i < 8; i++) {
        if (which == DIGEST_SHA224)
            h->w32[i] = (uint32_t)squares[i + 8];
        else if (which == DIGEST_SHA256)
            h->w32[i] = (uint32_t)(squares[i] >> 32);
        else if (which == DIGEST_SHA384)
            h->w64[i] = squares[i + 8];
        else if (which == DIGEST_SHA512)
            h->w64[i] = squares[i];
    }
}

static void put_state(const struct kind *k, const union state *h, unsigned char *to)
{
    for (size_t i = 0; i < k->bytes; i++) {
        if (k->block_bytes == 128)
            to[i] = (unsigned char)(h->w64[i / 8] >> (56 - 8 * (i % 8)));
        else if (k->little)
            to[i] = (unsigned char)(h->w32[i / 4] >> (8 * (i % 4)));
        else
            to[i] = (unsigned char)(h->w32[i / 4] >> (24 - 8 * (i % 4)));
    }
}

size_t digest(enum digest which, struct sv s, unsigned char *to)
{
    const struct kind *k = &kinds[which];
    unsigned char last[256] = { 0 };
    union state h = { 0 };
    size_t size = k->block_bytes, at = 0, field = size == 128 ? 16 : 8;

    need_tables();
    start_state(which, &h);
    for (; at + size <= s.len; at += size)
        k->block(&h, (const unsigned char *)s.p + at);
    size_t rest = s.len - at, end = rest + 1 + field <= size ? size : 2 * size;
    if (rest)
        memcpy(last, s.p + at, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        uint64_t bits = (uint64_t)s.len * 8;

        last[k->little ? end - 8 + i : end - 1 - i] = (unsigned char)(bits >> (8 * i));
    }
    for (size_t i = 0; i < end; i += size)
        k->block(&h, last + i);
    put_state(k, &h, to);
    return k->bytes;
}

uint32_t crc32_of(struct sv s)
{
    uint32_t c = UINT32_MAX;

    need_tables();
    for (size_t i = 0; i < s.len; i++)
        c = crc_table[(c ^ (unsigned char)s.p[i]) & 0xff] ^ c >> 8;
    return ~c;
}
