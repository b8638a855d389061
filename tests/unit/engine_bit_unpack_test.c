/* Unpacking of bits: every width, every start within a byte, ends that cut values off;
 * both ways of doing it. The bytes are on the heap, so that a read beyond them shows. */
#include "engine/store/bit_unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 300 };

static uint32_t naive(const uint8_t *bytes, size_t n_bytes, uint64_t bit, uint32_t width)
{
    uint32_t v = 0;

    for (uint32_t k = 0; k < width; k++, bit++)
        if (bit >> 3 < n_bytes && bytes[bit >> 3] >> (bit & 7) & 1)
            v |= UINT32_C(1) << k;
    return v;
}

static void check(uint32_t width, uint32_t start, uint32_t n, size_t n_bytes,
                  uint64_t *seed)
{
    uint8_t *bytes = malloc(n_bytes ? n_bytes : 1);
    uint32_t *fast = malloc(n * sizeof *fast), *slow = malloc(n * sizeof *slow);

    for (size_t i = 0; i < n_bytes; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(*seed >> 56);
    }
    bit_unpack(bytes, bytes + n_bytes, start, width, n, fast);
    bit_unpack_portable(bytes, bytes + n_bytes, start, width, n, slow);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t want = naive(bytes, n_bytes, start + (uint64_t)i * width, width);

        assert_int_equal(fast[i], want);
        assert_int_equal(slow[i], want);
    }
    free(bytes);
    free(fast);
    free(slow);
}

static void all_widths_starts_and_ends(void **state)
{
    static const uint32_t counts[] = { 1, 7, 8, 9, 31, 64, MOST };
    uint64_t seed = 1;

    (void)state;
    for (uint32_t width = 1; width <= 32; width++)
        for (uint32_t start = 0; start < 20; start++)
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                size_t whole = (start + (size_t)counts[c] * width + 7) / 8;

                check(width, start, counts[c], whole, &seed);
                check(width, start, counts[c], whole + 40, &seed);
                check(width, start, counts[c], whole / 2, &seed);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_widths_starts_and_ends) };

    return cmocka_run_group_tests_name("engine_bit_unpack", tests, NULL, NULL);
}
