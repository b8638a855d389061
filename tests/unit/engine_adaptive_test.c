/* Adaptive execution's arithmetic: ranges of reducers, pieces of skewed partitions. */
#include "engine/plan/adaptive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 3000 };
#define MB(n) ((int64_t)(n)*1024 * 1024)

static struct read_spec got[MOST];

/* Ranges as pairs of numbers. */
static void assert_ranges(uint32_t n, const uint32_t *want, size_t n_want)
{
    assert_int_equal(n * 2, n_want);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(got[i].from, want[i * 2]);
        assert_int_equal(got[i].to, want[i * 2 + 1]);
        assert_int_equal(got[i].map_from, 0);
        assert_int_equal(got[i].map_to, UINT32_MAX);
    }
}

#define RANGES(n, ...)                                                                   \
    assert_ranges(n, (const uint32_t[]){ __VA_ARGS__ },                                  \
                  ARRAY_LEN(((const uint32_t[]){ __VA_ARGS__ })))

#define BYTES(...)                                                                       \
    (const int64_t[]){ __VA_ARGS__ }, ARRAY_LEN(((int64_t[]){ __VA_ARGS__ }))

static uint32_t one(const int64_t *bytes, size_t n, int64_t advisory, int64_t min_size,
                    int64_t min_num)
{
    return adaptive_coalesce(&bytes, 1, (uint32_t)n, advisory, min_size, min_num, got);
}

static uint32_t two(const int64_t *left, const int64_t *right, uint32_t n,
                    int64_t advisory, int64_t min_num)
{
    const int64_t *both[] = { left, right };

    return adaptive_coalesce(both, 2, n, advisory, 0, min_num, got);
}

static void targets(void **state)
{
    (void)state;
    assert_int_equal(adaptive_target(MB(100), MB(64), MB(1), 1), MB(64));
    assert_int_equal(adaptive_target(MB(100), MB(64), MB(1), 4), MB(25));
    assert_int_equal(adaptive_target(MB(100) + 1, MB(64), MB(1), 4), MB(25) + 1);
    assert_int_equal(adaptive_target(MB(2), MB(64), MB(1), 8), MB(1));
    assert_int_equal(adaptive_target(0, MB(64), MB(1), 2), MB(1));
    assert_int_equal(adaptive_target(0, 100, 0, 2), 16);
    assert_int_equal(adaptive_target(100, 1000, 0, 0), 100); /* no minimum given */
    assert_int_equal(adaptive_target(INT64_MAX, INT64_MAX, 1, 1), INT64_MAX);
}

static void ranges_end_at_the_target(void **state)
{
    (void)state;
    RANGES(one(BYTES(10, 0, 20, 0, 0), 100, 0, 1), 0, 5);
    RANGES(one(BYTES(10, 0, 90, 20, 0), 100, 0, 1), 0, 3, 3, 5);
    RANGES(one(BYTES(30, 30, 0, 40, 110), 100, 0, 1), 0, 4, 4, 5);
    RANGES(one(BYTES(60, 41, 59, 1), 100, 0, 1), 0, 1, 1, 3, 3, 4);
}

static void large_reducers_stand_alone(void **state)
{
    (void)state;
    RANGES(one(BYTES(110, 10, 100, 110, 0), 100, 0, 1), 0, 1, 1, 2, 2, 3, 3, 4);
    assert_int_equal(one(BYTES(100, 110, 100, 110, 110), 100, 0, 1), 5);
}

static void empty_reducers_are_not_read(void **state)
{
    (void)state;
    RANGES(one(BYTES(0, 0, 0, 0, 0), 100, 0, 2), 0, 5); /* but one task stays */
    RANGES(one(BYTES(0, 0, 0), MB(64), MB(1), 2), 0, 3);
    RANGES(one(BYTES(200, 0, 0, 300, 0, 0), 100, 0, 1), 0, 1, 3, 4);
    RANGES(one(BYTES(0, 0, 200, 0), 100, 0, 1), 2, 3);
}

static void one_reducer_and_none(void **state)
{
    const int64_t *none = NULL;

    (void)state;
    RANGES(one(BYTES(0), MB(64), MB(1), 2), 0, 1);
    RANGES(one(BYTES(MB(500)), MB(64), MB(1), 2), 0, 1);
    RANGES(adaptive_coalesce(&none, 0, 0, MB(64), MB(1), 2, got), 0, 0);
    RANGES(adaptive_coalesce(&none, 0, 200, MB(64), MB(1), 2, got), 0, 200);
}

static void shuffles_read_together_count_together(void **state)
{
    static const int64_t a[] = { 0, 10, 0, 20, 0 }, b[] = { 30, 0, 20, 0, 20 };
    static const int64_t c[] = { 30, 0, 70, 0, 30 }, d[] = { 0, 99, 0, 20, 0 };
    static const int64_t e[] = { 10, 5, 5, 0, 20 }, f[] = { 5, 10, 0, 10, 5 };

    (void)state;
    RANGES(two(a, b, 5, 100, 1), 0, 5);
    RANGES(two(a, c, 5, 100, 1), 0, 2, 2, 4, 4, 5);
    RANGES(two(d, c, 5, 100, 1), 0, 1, 1, 2, 2, 4, 4, 5);
    RANGES(two(e, f, 5, 100, 2), 0, 3, 3, 5); /* two at least */
}

static void many_shuffles(void **state)
{
    static int64_t bytes[20][50];
    const int64_t *all[20];

    (void)state;
    for (uint32_t s = 0; s < 20; s++) {
        all[s] = bytes[s];
        for (uint32_t r = 0; r < 50; r++)
            bytes[s][r] = 5; /* 100 for each reducer */
    }
    RANGES(adaptive_coalesce(all, 20, 50, 1000, 1, 1, got), 0, 10, 10, 20, 20, 30, 30, 40,
           40, 50);
}

static void small_ranges_join_the_smaller_neighbour(void **state)
{
    const int64_t m = MB(1);

    (void)state;
    RANGES(one(BYTES(1000, 500, 2000, 200, 1000), 5000, 2000, 20), 0, 5);
    RANGES(one(BYTES(64 * m - 9, m / 2, 64 * m), 64 * m, m, 1), 0, 2, 2, 3);
    /* the one before must be the smaller one */
    RANGES(one(BYTES(64 * m, m / 2, 64 * m), 64 * m, m, 1), 0, 1, 1, 3);
    /* a range that is too small has none before it */
    RANGES(one(BYTES(m / 2, 64 * m, m), 64 * m, m, 1), 0, 2, 2, 3);
    /* and the last goes back, over what is empty in between */
    RANGES(one(BYTES(64 * m, 0, 0, m / 2), 64 * m, m, 1), 0, 4);
}

static void between_skewed_reducers(void **state)
{
    static const int64_t bytes[] = { 300, 5, 10, 10, 8, 10, 10, 220, 0, 0 };
    static const int64_t more[] = { 10, 10, 10, 8, 10, 20, 7, 200, 0, 0 };
    const int64_t *both[] = { bytes, more };

    (void)state;
    RANGES(adaptive_coalesce_range(both, 2, 1, 7, 100, 0, true, got), 1, 5, 5, 7);
    RANGES(adaptive_coalesce_range(both, 2, 8, 10, 100, 0, false, got), 8, 10);
    assert_int_equal(adaptive_coalesce_range(both, 2, 8, 10, 100, 0, true, got), 0);
}

static void sums_do_not_overflow(void **state)
{
    (void)state;
    RANGES(one(BYTES(INT64_MAX, INT64_MAX, 1), MB(64), MB(1), 2), 0, 1, 1, 3);
}

/* ---- what Spark 3.5.9 did ----
 * TPC-H at scale 1, local[2], 200 reducers: bytes of the map outputs and reducers that
 * got any, as the runs' plans have them, spread evenly; and the tasks that Spark made. */

struct stage_case {
    const char *what;
    struct {
        int64_t bytes;
        uint32_t n_filled; /* reducers */
    } shuffles[3];
    uint32_t n_tasks;
};

static const struct stage_case stages[] = {
    { "q01 aggregate", { { 1824, 4 } }, 1 },
    { "q02 partsupp by nation", { { 9266113, 5 }, { 60, 1 } }, 3 },
    { "q02 suppliers by nation", { { 9026453, 25 }, { 1632, 25 } }, 2 },
    { "q02 aggregate", { { 1498468, 200 } }, 1 }, /* the rest is below 1 MB */
    { "q03 lineitem", { { 42851596, 200 } }, 2 },
    { "q04 join", { { 657880, 200 }, { 11198294, 200 } }, 2 },
    { "q07 lineitem by nation", { { 32319000, 25 }, { 144, 2 } }, 3 },
    { "q08 part and lineitem", { { 22916, 199 }, { 151203211, 200 } }, 3 }, /* 64 MB */
    { "q13 join", { { 1036698, 200 }, { 15758198, 200 } }, 2 },
    { "q14 join", { { 1275974, 200 }, { 3635364, 200 } }, 2 },
    { "q16 count", { { 853157, 200 } }, 1 },
    { "q16 distinct", { { 2897752, 200 } }, 2 },
    { "q17 joins", { { 86848975, 200 }, { 8608, 130 }, { 6793713, 200 } }, 2 },
    { "q19 join", { { 2505621, 200 }, { 26488, 185 } }, 2 },
    { "q21 lineitem thrice",
      { { 35793963, 200 }, { 54603703, 200 }, { 35793963, 200 } },
      2 },
};

static void spread(int64_t *out, uint32_t n_reducers, int64_t bytes, uint32_t n_filled)
{
    for (uint32_t i = 0; i < n_reducers; i++)
        out[i] = 0;
    for (uint32_t i = 0; i < n_filled; i++)
        out[i * n_reducers / n_filled] =
            bytes / n_filled + (i < bytes % n_filled ? 1 : 0);
}

static void stages_of_real_runs(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(stages); k++) {
        static int64_t bytes[3][200];
        const int64_t *all[3] = { bytes[0], bytes[1], bytes[2] };
        uint32_t n = 0, n_tasks;

        for (; n < 3 && stages[k].shuffles[n].n_filled; n++)
            spread(bytes[n], 200, stages[k].shuffles[n].bytes,
                   stages[k].shuffles[n].n_filled);
        n_tasks = adaptive_coalesce(all, n, 200, MB(64), MB(1), 2, got);
        if (n_tasks != stages[k].n_tasks)
            print_error("%s\n", stages[k].what);
        assert_int_equal(n_tasks, stages[k].n_tasks);
    }
}

/* ---- skew ---- */

static uint32_t starts[64];

static void assert_starts(uint32_t n, const uint32_t *want, size_t n_want)
{
    assert_int_equal(n, n_want);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(starts[i], want[i]);
}

#define STARTS(n, ...)                                                                   \
    assert_starts(n, (const uint32_t[]){ __VA_ARGS__ },                                  \
                  ARRAY_LEN(((const uint32_t[]){ __VA_ARGS__ })))

static uint32_t split(const int64_t *bytes, size_t n, int64_t target)
{
    return adaptive_split(bytes, (uint32_t)n, target, starts);
}

static void pieces_end_at_the_target(void **state)
{
    (void)state;
    STARTS(split(BYTES(100, 100, 100), 100), 0, 1, 2);
    STARTS(split(BYTES(40, 60, 50, 50), 100), 0, 2);
    STARTS(split(BYTES(250, 100, 250), 100), 0, 1, 2); /* a block is never cut */
}

static void small_pieces_join(void **state)
{
    (void)state;
    STARTS(split(BYTES(100, 1, 100), 100), 0, 2);     /* to the one before */
    STARTS(split(BYTES(1, 100, 100), 100), 0, 2);     /* which may be the small one */
    STARTS(split(BYTES(70, 40, 95), 100), 0, 2);      /* 110 of 120 */
    STARTS(split(BYTES(80, 40, 95), 100), 0, 1, 2);   /* 120: not below */
    STARTS(split(BYTES(100, 100, 19), 100), 0, 1);    /* the last one too */
    STARTS(split(BYTES(100, 100, 20), 100), 0, 1, 2); /* a fifth is enough */
    STARTS(split(BYTES(100, 10, 100, 10, 100), 100), 0, 2, 4);
}

static void nothing_to_split(void **state)
{
    (void)state;
    STARTS(split(BYTES(1000), 100), 0);
    STARTS(adaptive_split(NULL, 0, 100, starts), 0);
    STARTS(split(BYTES(0, 0, 0), 100), 0);
    STARTS(split(BYTES(500, 0, 0, 3), 100), 0); /* one huge block, crumbs behind */
}

/* Spark 3.5.9: 741,672 B from 16 maps, the other partitions' mean 194,602 B; read by maps
 * 0-2, 2-4, 4-6 and 6-16. */
static void a_real_skewed_partition(void **state)
{
    int64_t bytes[16];

    (void)state;
    for (int i = 0; i < 16; i++)
        bytes[i] = i < 6 ? 95000 : 17167;
    STARTS(split(bytes, 16, 194602), 0, 2, 4, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(ranges_end_at_the_target),
        cmocka_unit_test(large_reducers_stand_alone),
        cmocka_unit_test(empty_reducers_are_not_read),
        cmocka_unit_test(one_reducer_and_none),
        cmocka_unit_test(shuffles_read_together_count_together),
        cmocka_unit_test(many_shuffles),
        cmocka_unit_test(small_ranges_join_the_smaller_neighbour),
        cmocka_unit_test(between_skewed_reducers),
        cmocka_unit_test(sums_do_not_overflow),
        cmocka_unit_test(stages_of_real_runs),
        cmocka_unit_test(pieces_end_at_the_target),
        cmocka_unit_test(small_pieces_join),
        cmocka_unit_test(nothing_to_split),
        cmocka_unit_test(a_real_skewed_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
