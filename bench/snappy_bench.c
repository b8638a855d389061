/* Decoding of Snappy's blocks, here and by the library; see bench/snappy. */
#include "engine/store/snappy_block.h"

#include <snappy-c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BYTES = 1 << 20, WORDS = BYTES / 8, ROUNDS = 60 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t seed = 88172645463325252;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 11;
}

static uint64_t prices(uint64_t i)
{
    (void)i;
    return 90000 + rnd() % 10000000;
}

static uint64_t ids(uint64_t i)
{
    return i * 4 + rnd() % 3;
}

static uint64_t few(uint64_t i)
{
    (void)i;
    return rnd() % 2000;
}

static uint64_t text(uint64_t i)
{
    static const char words[] =
        "carefully final deposits sleep after the quick requests ";
    uint64_t w;

    (void)i;
    memcpy(&w, words + rnd() % (sizeof words - 8), 8);
    return w;
}

int main(void)
{
    static const struct {
        const char *name;
        uint64_t (*next)(uint64_t i);
    } kinds[] = {
        { "prices", prices }, { "ids", ids }, { "few", few }, { "text", text }
    };
    uint64_t *plain = malloc(BYTES);
    size_t room = snappy_max_compressed_length(BYTES);
    char *block = malloc(room), *out = malloc(BYTES);

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t len = room;
        double theirs = 1e9, own = 1e9;

        for (uint64_t i = 0; i < WORDS; i++)
            plain[i] = kinds[k].next(i);
        snappy_compress((char *)plain, BYTES, block, &len);
        for (int round = 0; round < ROUNDS; round++) {
            size_t n = BYTES;
            double from = now(), took;

            snappy_uncompress(block, len, out, &n);
            took = now() - from;
            theirs = took < theirs ? took : theirs;
            from = now();
            bool ok = snappy_block_decode((struct sv){ block, len }, out, BYTES);
            took = now() - from;
            if (!ok || memcmp(out, plain, BYTES) != 0)
                return 1;
            own = took < own ? took : own;
        }
        printf("%-8s %3.0f %% of %d KiB   library %5.2f GB/s   own %5.2f GB/s   %.2f x\n",
               kinds[k].name, 100.0 * (double)len / BYTES, BYTES >> 10,
               BYTES / theirs / 1e9, BYTES / own / 1e9, theirs / own);
    }
    return 0;
}
