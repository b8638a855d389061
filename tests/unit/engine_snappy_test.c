/* Snappy's blocks against the library: the same bytes where a block is whole, and the
 * same verdict where it is not. */
#include "engine/store/snappy_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snappy-c.h>

enum { MOST = 1 << 16, ROUNDS = 3000, DAMAGES = 12 };

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % below);
}

/* Text that repeats itself from near and far, with stretches that do not. */
static size_t make_text(uint8_t *to)
{
    size_t len = rnd(8) ? rnd(MOST / 8) : rnd(MOST), at = 0;

    while (at < len) {
        size_t part = 1 + rnd(rnd(4) ? 20 : 300);

        part = part < len - at ? part : len - at;
        if (at == 0 || rnd(3) == 0) {
            for (size_t i = 0; i < part; i++)
                to[at + i] = (uint8_t)rnd(256);
        } else {
            size_t back = 1 + rnd(rnd(2) ? 20 : (uint32_t)at);

            back = back < at ? back : at;
            for (size_t i = 0; i < part; i++)
                to[at + i] = to[at + i - back];
        }
        at += part;
    }
    return len;
}

/* Buffers of exactly the block's sizes, so that a sanitizer sees a byte too far. */
static bool own(const char *in, size_t len, const uint8_t *text, size_t want)
{
    char *block = malloc(len + 1);
    uint8_t *out = malloc(want + 1);
    bool ok;

    memcpy(block + 1, in, len);
    out[0] = 42;
    ok = snappy_block_decode((struct sv){ block + 1, len }, out + 1, want);
    assert_int_equal(out[0], 42);
    if (ok && text)
        assert_memory_equal(out + 1, text, want);
    memset(out + 1, 0, want);
    assert_int_equal(
        snappy_block_decode_portable((struct sv){ block + 1, len }, out + 1, want), ok);
    assert_int_equal(out[0], 42);
    if (ok && text)
        assert_memory_equal(out + 1, text, want);
    free(block);
    free(out);
    return ok;
}

static void blocks_open_as_by_the_library(void **state)
{
    uint8_t *text = malloc(MOST), *other = malloc(2 * MOST);
    char *block = malloc(snappy_max_compressed_length(MOST));

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = make_text(text), len = snappy_max_compressed_length(n);

        assert_int_equal(snappy_compress((char *)text, n, block, &len), SNAPPY_OK);
        assert_true(own(block, len, text, n));
        assert_false(own(block, len, NULL, n + 1));
        if (n)
            assert_false(own(block, len, NULL, n - 1));
        for (int i = 0; i < DAMAGES; i++) {
            size_t whole = 0, at = rnd((uint32_t)len), cut = rnd(4) ? len : at;
            char was = block[at];

            block[at] = (char)rnd(256);
            if (snappy_uncompressed_length(block, cut, &whole) == SNAPPY_OK &&
                whole <= 2 * MOST) {
                bool theirs =
                    snappy_uncompress(block, cut, (char *)other, &whole) == SNAPPY_OK;

                assert_int_equal(own(block, cut, theirs ? other : NULL, whole), theirs);
            }
            block[at] = was;
        }
    }
    free(text);
    free(other);
    free(block);
}

/* What the library's writer never makes: lengths and offsets of every width. */
static void every_element_is_read(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        const char *want;
    } cases[] = {
        { "\x00", 1, "" },
        { "\x03\x08"
          "abc",
          5, "abc" },
        { "\x03\xf0\x02"
          "abc",
          6, "abc" }, /* literal, one byte of length */
        { "\x03\xf4\x02\x00"
          "abc",
          7, "abc" },
        { "\x03\xf8\x02\x00\x00"
          "abc",
          8, "abc" },
        { "\x03\xfc\x02\x00\x00\x00"
          "abc",
          9, "abc" },
        { "\x07\x08"
          "abc\x01\x03",
          7, "abcabca" },
        { "\x05\x08"
          "abc\x06\x03\x00",
          8, "abcab" },
        { "\x05\x08"
          "abc\x07\x03\x00\x00\x00",
          10, "abcab" },
        { "\x07\x00"
          "a\x16\x01\x00",
          6, "aaaaaaa" },
    };
    static const struct {
        const char *in;
        size_t len, want;
    } bad[] = {
        { "", 0, 0 },
        { "\x80", 1, 0 },
        { "\x80\x80\x80\x80\x80\x01", 6, 0 },
        { "\x03\x08"
          "ab",
          4, 3 },
        { "\x05\x08"
          "abc\x06\x00\x00",
          8, 5 }, /* from nowhere */
        { "\x05\x08"
          "abc\x06\x04\x00",
          8, 5 }, /* from before the begin */
        { "\x05\x08"
          "abc\x07\x03\x00\x00\x01",
          10, 5 },
        { "\x05\x08"
          "abc\x06\x03",
          7, 5 },
        { "\x03\xfc\xff\xff\xff\xff"
          "abc",
          9, 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(own(cases[i].in, cases[i].len, (const uint8_t *)cases[i].want,
                        strlen(cases[i].want)));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(own(bad[i].in, bad[i].len, NULL, bad[i].want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_open_as_by_the_library),
        cmocka_unit_test(every_element_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
