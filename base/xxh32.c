#include "base/xxh32.h"

#define XXH_P1 2654435761U
#define XXH_P2 2246822519U
#define XXH_P3 3266489917U
#define XXH_P4 668265263U
#define XXH_P5 374761393U

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static uint32_t rotl(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static uint32_t xxh_round(uint32_t lane, const unsigned char *p)
{
    return rotl(lane + le32(p) * XXH_P2, 13) * XXH_P1;
}

uint32_t xxh32(const unsigned char *p, size_t n, uint32_t seed)
{
    const unsigned char *end = p + n;
    uint32_t h = seed + XXH_P5;

    if (n >= 16) {
        uint32_t a = seed + XXH_P1 + XXH_P2, b = seed + XXH_P2, c = seed,
                 d = seed - XXH_P1;

        for (; end - p >= 16; p += 16) {
            a = xxh_round(a, p);
            b = xxh_round(b, p + 4);
            c = xxh_round(c, p + 8);
            d = xxh_round(d, p + 12);
        }
        h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
    }
    h += (uint32_t)n;
    for (; end - p >= 4; p += 4)
        h = rotl(h + le32(p) * XXH_P3, 17) * XXH_P4;
    for (; p < end; p++)
        h = rotl(h + *p * XXH_P5, 11) * XXH_P1;
    h = (h ^ h >> 15) * XXH_P2;
    h = (h ^ h >> 13) * XXH_P3;
    return h ^ h >> 16;
}
