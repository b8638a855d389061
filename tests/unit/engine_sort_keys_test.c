/* Short keys in order, held against the library's sort. */
#include "base/mem.h"
#include "engine/exec/sort_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_state = 7;

static uint32_t random_key(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

static int by_value(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return a < b ? -1 : a > b;
}

static void check(uint32_t (*key)(uint32_t i, uint32_t n), uint32_t n)
{
    uint32_t *keys = xmalloc(mem_product(n, sizeof *keys)), *order;
    uint64_t *want = xmalloc(mem_product(n, sizeof *want));

    for (uint32_t i = 0; i < n; i++) {
        keys[i] = key(i, n);
        want[i] = (uint64_t)keys[i] << 32 | i;
    }
    if (n)
        qsort(want, n, sizeof *want, by_value);
    order = sort_short_keys(keys, n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(order[i], (uint32_t)want[i]);
    free(order);
    free(want);
}

static uint32_t any(uint32_t i, uint32_t n)
{
    (void)i;
    (void)n;
    return random_key();
}
static uint32_t bytes_wide(uint32_t i, uint32_t n)
{
    (void)i;
    (void)n;
    return random_key() % 250;
}
static uint32_t far_up(uint32_t i, uint32_t n)
{
    (void)i;
    (void)n;
    return 0xfffff000u | random_key() % 3000;
}
static uint32_t all_one(uint32_t i, uint32_t n)
{
    (void)i;
    (void)n;
    return 42;
}
static uint32_t most_in_one_bucket(uint32_t i, uint32_t n)
{
    (void)n;
    return i % 50 ? random_key() % 5000 : random_key();
}
static uint32_t falling(uint32_t i, uint32_t n)
{
    return n - i;
}
static uint32_t runs(uint32_t i, uint32_t n)
{
    return i % (n / 7 + 1) * 3;
}

static void keys_come_in_order(void **state)
{
    static uint32_t (*const kinds[])(uint32_t, uint32_t) = {
        any, bytes_wide, far_up, all_one, most_in_one_bucket, falling, runs,
    };
    static const uint32_t sizes[] = { 0, 1, 2, 3, 24, 25, 300, 5000, 200000 };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
            check(kinds[k], sizes[s]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
