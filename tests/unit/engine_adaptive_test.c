/* Adaptive execution's arithmetic: ranges of reducers, pieces of skewed partitions; and
 * its plans, from stages whose sizes the test makes up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/engine_plans.h"

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

/* ---- plans ---- */

struct run {
    struct plans plans;
    struct adaptive a;
    struct stage_cache cache;
    struct query_stage *stages[32]; /* by number */
    uint32_t n;
    struct phys *final;
};

static int run_setup(void **state)
{
    static struct run r;

    r = (struct run){ 0 };
    plans_init(&r.plans);
    plans_set(&r.plans, "spark.sql.autoBroadcastJoinThreshold", "-1");
    plans_set(&r.plans, "spark.sql.shuffle.partitions", "4");
    *state = &r;
    return 0;
}

static int run_teardown(void **state)
{
    struct run *r = *state;

    free(r->cache.at);
    free(r->cache.subqueries);
    plans_release(&r->plans);
    return 0;
}

static void more_stages(struct run *r)
{
    struct query_stage **new;
    uint32_t n;

    (void)adaptive_cut(&r->a, &new, &n);
    for (uint32_t i = 0; i < n; i++)
        if (new[i]->id >= r->n)
            r->n = new[i]->id + 1;
    for (uint32_t i = 0; i < n; i++)
        r->stages[new[i]->id] = new[i];
}

static void begin(struct run *r, const char *sql)
{
    struct phys *root = plans_physical(&r->plans, sql);

    assert_int_equal(root->kind, PHYS_ADAPTIVE);
    r->n = 0;
    r->cache.n = 0;
    r->a = (struct adaptive){
        .env = r->plans.env,
        .rewrite = { .arena = &r->plans.arena,
                     .settings = r->plans.settings,
                     .eval = &r->plans.eval },
    };
    adaptive_init(&r->a, root, &r->cache);
    more_stages(r);
}

/* The stage ended: every map task wrote these bytes for the four reducers. */
static void ended(struct run *r, uint32_t stage, uint32_t n_maps, int64_t rows,
                  const int64_t *bytes)
{
    struct arena *a = &r->plans.arena;
    struct query_stage *s = r->stages[stage];
    const int64_t **maps = arena_array(a, n_maps + 1, sizeof *maps);
    int64_t *sums = arena_array(a, 4, sizeof *sums);
    struct err err;

    assert_true(stage < r->n && !s->done);
    for (uint32_t i = 0; i < n_maps; i++)
        maps[i] = bytes;
    for (uint32_t i = 0; i < 4; i++) {
        sums[i] = bytes[i] * n_maps;
        s->stats.data_bytes += sums[i];
    }
    s->stats.rows = rows;
    s->stats.n_maps = n_maps;
    s->stats.n_reducers = 4;
    s->stats.map_reduce_bytes = maps;
    s->stats.reduce_bytes = sums;
    s->done = true;
    assert_int_equal(adaptive_replan(&r->a, &err), ERR_OK);
    more_stages(r);
}

static void broadcast_ended(struct run *r, uint32_t stage, int64_t rows, int64_t bytes)
{
    struct query_stage *s = r->stages[stage];
    struct err err;

    assert_int_equal(s->exchange->kind, PHYS_BROADCAST);
    s->stats =
        (struct stage_stats){ .broadcast = true, .rows = rows, .data_bytes = bytes };
    s->done = true;
    assert_int_equal(adaptive_replan(&r->a, &err), ERR_OK);
    more_stages(r);
}

static void assert_final(struct run *r, const char *want)
{
    struct query_stage **new;
    uint32_t n;

    assert_true(adaptive_cut(&r->a, &new, &n));
    assert_int_equal(n, 0);
    r->final = adaptive_final(&r->a);
    assert_string_equal(plans_shape_of(&r->plans, r->final), want);
}

#define EACH(a, b, c, d)                                                                 \
    (const int64_t[])                                                                    \
    {                                                                                    \
        a, b, c, d                                                                       \
    }
#define EVEN(x) EACH(x, x, x, x)

static const char join_of_two[] = "select a.id, b.id from range(0, 900, 1, 3) a join "
                                  "range(0, 60, 1, 2) b on a.id = b.id + 1";

static void what_ran_stays_what_it_was(void **state)
{
    struct run *r = *state;

    begin(r, join_of_two);
    assert_int_equal(r->n, 2);
    ended(r, 0, 3, 900, EVEN(MB(3)));
    ended(r, 1, 2, 60, EVEN(MB(3)));
    assert_final(r, "SortMergeJoin Inner("
                    "Sort(AQEShuffleRead coalesced 2(Exchange(Range))), "
                    "Sort(AQEShuffleRead coalesced 2(Exchange(Range))))");
}

static void small_sides_are_broadcast(void **state)
{
    struct run *r = *state;

    plans_set(&r->plans, "spark.sql.adaptive.autoBroadcastJoinThreshold", "10m");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(MB(30)));
    assert_int_equal(r->n, 2);
    ended(r, 1, 2, 60, EVEN(MB(1)));
    assert_int_equal(r->n, 3);
    broadcast_ended(r, 2, 60, MB(1));
    assert_final(r, "BroadcastHashJoin Inner right("
                    "AQEShuffleRead local 3(Exchange(Range)), "
                    "BroadcastExchange(AQEShuffleRead local 2(Exchange(Range))))");
}

/* The first side that is known to be small is, whatever the other turns out to be. */
static void a_broadcast_that_began_is_used(void **state)
{
    struct run *r = *state;

    plans_set(&r->plans, "spark.sql.adaptive.autoBroadcastJoinThreshold", "10m");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(100000));
    assert_int_equal(r->n, 3);
    ended(r, 1, 2, 60, EVEN(10));
    assert_int_equal(r->n, 3);
    broadcast_ended(r, 2, 900, MB(1));
    assert_final(r, "BroadcastHashJoin Inner left("
                    "BroadcastExchange(AQEShuffleRead local 1(Exchange(Range))), "
                    "AQEShuffleRead local 1(Exchange(Range)))");
}

static void mostly_empty_sides_are_not_broadcast(void **state)
{
    struct run *r = *state;

    plans_set(&r->plans, "spark.sql.adaptive.autoBroadcastJoinThreshold", "10m");
    plans_set(&r->plans, "spark.sql.adaptive.nonEmptyPartitionRatioForBroadcastJoin",
              "0.3");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(MB(30)));
    ended(r, 1, 2, 60, EACH(0, 0, 1000, 0));
    assert_int_equal(r->n, 2);
    assert_final(r, "SortMergeJoin Inner(Sort(Exchange(Range)), Sort(Exchange(Range)))");
}

static void small_partitions_may_be_hashed(void **state)
{
    struct run *r = *state;

    plans_set(&r->plans, "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold",
              "64m");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(MB(30)));
    ended(r, 1, 2, 60, EVEN(MB(3)));
    assert_final(r, "ShuffledHashJoin Inner right(Exchange(Range), Exchange(Range))");
}

static void joins_with_nothing_are_nothing(void **state)
{
    struct run *r = *state;

    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(MB(30)));
    ended(r, 1, 2, 0, EVEN(0));
    assert_final(r, "LocalTableScan");
    begin(r, "select a.id, b.id from range(0, 900, 1, 3) a left join range(0, 60, 1, 2) "
             "b on a.id = b.id + 1");
    ended(r, 0, 3, 900, EVEN(MB(30)));
    ended(r, 1, 2, 0, EVEN(0));
    assert_final(r, "Project(Exchange(Range))");
}

/* A global aggregate of nothing is a row. */
static void sums_of_nothing_are_rows(void **state)
{
    struct run *r = *state;

    begin(r, "select count(*) from range(0, 900, 1, 3) where id + rand(1) > 1e9");
    ended(r, 0, 3, 3, EACH(3, 0, 0, 0));
    assert_int_equal(r->n, 1);
    r->final = adaptive_final(&r->a);
    assert_int_equal(r->final->kind, PHYS_HASH_AGG);
    begin(r, "select id % 7, count(*) from range(0, 900, 1, 3) where id + rand(1) > 1e9 "
             "group by id % 7");
    ended(r, 0, 3, 0, EVEN(0));
    assert_final(r, "LocalTableScan");
}

static void skewed_partitions_are_cut(void **state)
{
    struct run *r = *state;
    const struct phys *left;

    plans_set(&r->plans, "spark.sql.adaptive.coalescePartitions.enabled", "false");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EACH(MB(1), MB(1), MB(200), MB(1)));
    ended(r, 1, 2, 60, EVEN(MB(1)));
    assert_final(r, "SortMergeJoin(skew=true) Inner("
                    "Sort(AQEShuffleRead skewed 6(Exchange(Range))), "
                    "Sort(AQEShuffleRead whole 6(Exchange(Range))))");
    left = r->final->children[0]->children[0];
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(left->specs[2 + i].from, 2);
        assert_int_equal(left->specs[2 + i].map_from, i);
        assert_int_equal(left->specs[2 + i].map_to, i + 1);
    }
}

static void cut_partitions_stand_between_coalesced_ones(void **state)
{
    struct run *r = *state;
    const struct phys *right;

    begin(r, join_of_two);
    ended(r, 0, 3, 900, EACH(1000, 1000, MB(200), 1000));
    ended(r, 1, 2, 60, EVEN(1000));
    assert_final(r, "SortMergeJoin(skew=true) Inner("
                    "Sort(AQEShuffleRead both 5(Exchange(Range))), "
                    "Sort(AQEShuffleRead coalesced 5(Exchange(Range))))");
    right = r->final->children[1]->children[0];
    assert_int_equal(right->specs[0].to, 2);
    assert_int_equal(right->specs[1].from, 2);
    assert_int_equal(right->specs[3].from, 2);
    assert_int_equal(right->specs[4].from, 3);
}

/* Cutting the right side would put out left rows without a match. */
static void outer_joins_keep_their_inner_side_whole(void **state)
{
    struct run *r = *state;

    begin(r, "select a.id, b.id from range(0, 900, 1, 3) a left join range(0, 60, 1, 2) "
             "b on a.id = b.id + 1");
    ended(r, 0, 3, 900, EVEN(MB(1)));
    ended(r, 1, 2, 60, EACH(MB(1), MB(1), MB(400), MB(1)));
    assert_final(r, "SortMergeJoin LeftOuter("
                    "Sort(AQEShuffleRead coalesced 3(Exchange(Range))), "
                    "Sort(AQEShuffleRead coalesced 3(Exchange(Range))))");
}

static void skew_stays_where_rows_must_lie_together(void **state)
{
    static const char sql[] = "select a.id, count(*) from range(0, 900, 1, 3) a join "
                              "range(0, 60, 1, 2) b on a.id = b.id group by a.id";
    struct run *r = *state;

    begin(r, sql);
    ended(r, 0, 3, 900, EACH(MB(1), MB(1), MB(200), MB(1)));
    ended(r, 1, 2, 60, EVEN(MB(1)));
    assert_int_equal(r->n, 2);
    assert_final(r, "HashAggregate(HashAggregate(Project(SortMergeJoin Inner("
                    "Sort(AQEShuffleRead coalesced 3(Exchange(Range))), "
                    "Sort(AQEShuffleRead coalesced 3(Exchange(Range)))))))");
    plans_set(&r->plans, "spark.sql.adaptive.forceOptimizeSkewedJoin", "true");
    begin(r, sql);
    ended(r, 0, 3, 900, EACH(MB(1), MB(1), MB(200), MB(1)));
    ended(r, 1, 2, 60, EVEN(MB(1)));
    assert_int_equal(r->n, 3); /* at the price of a shuffle */
}

static void equal_exchanges_are_one_stage(void **state)
{
    static const char sql[] =
        "select * from (select id % 7, count(*) from range(0, 900, 1, 3) group by id % 7 "
        "having count(*) > 1) a cross join (select id % 7, count(*) from range(0, 900, "
        "1, 3) group by id % 7 having count(*) > 2) b";
    struct run *r = *state;

    begin(r, sql);
    assert_int_equal(r->n, 2);
    assert_null(r->stages[0]->reuse_of);
    assert_ptr_equal(r->stages[1]->reuse_of, r->stages[0]);
    plans_set(&r->plans, "spark.sql.exchange.reuse", "false");
    begin(r, sql);
    assert_null(r->stages[1]->reuse_of);
}

static void rebalanced_partitions_are_cut(void **state)
{
    struct run *r = *state;

    begin(r, "select /*+ rebalance(x) */ * from (select id, id % 3 x from range(0, 900, "
             "1, 3))");
    ended(r, 0, 3, 900, EACH(MB(50), 1000, 1000, 1000));
    assert_final(r, "AQEShuffleRead both 4(Exchange(Project(Range)))");
}

static void repartitions_by_number_stay(void **state)
{
    struct run *r = *state;

    begin(r, "select /*+ repartition(4) */ * from range(0, 900, 1, 3)");
    ended(r, 0, 3, 900, EVEN(10));
    assert_final(r, "Exchange(Range)");
    begin(r, "select /*+ repartition(id) */ * from range(0, 900, 1, 3)");
    ended(r, 0, 3, 0, EVEN(0)); /* and at the top of a query even where it is empty */
    assert_final(r, "AQEShuffleRead coalesced 1(Exchange(Range))");
}

static void one_row_needs_no_order(void **state)
{
    struct run *r = *state;

    begin(r, "select id % 7, count(*) c from range(0, 900, 1, 3) group by id % 7 order "
             "by c");
    assert_int_equal(r->n, 1);
    ended(r, 0, 3, 1, EACH(1, 0, 0, 0));
    assert_int_equal(r->n, 1); /* the range exchange is gone */
    assert_final(r, "HashAggregate(AQEShuffleRead coalesced 1(Exchange(HashAggregate("
                    "Project(Range)))))");
}

static void rules_can_be_left_out(void **state)
{
    struct run *r = *state;

    plans_set(&r->plans, "spark.sql.adaptive.optimizer.excludedRules",
              "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation");
    begin(r, join_of_two);
    ended(r, 0, 3, 900, EVEN(MB(30)));
    ended(r, 1, 2, 0, EVEN(0));
    assert_final(r, "SortMergeJoin Inner(Sort(Exchange(Range)), Sort(Exchange(Range)))");
}

#define PLANS(test) cmocka_unit_test_setup_teardown(test, run_setup, run_teardown)

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
        PLANS(what_ran_stays_what_it_was),
        PLANS(small_sides_are_broadcast),
        PLANS(a_broadcast_that_began_is_used),
        PLANS(mostly_empty_sides_are_not_broadcast),
        PLANS(small_partitions_may_be_hashed),
        PLANS(joins_with_nothing_are_nothing),
        PLANS(sums_of_nothing_are_rows),
        PLANS(skewed_partitions_are_cut),
        PLANS(cut_partitions_stand_between_coalesced_ones),
        PLANS(outer_joins_keep_their_inner_side_whole),
        PLANS(skew_stays_where_rows_must_lie_together),
        PLANS(equal_exchanges_are_one_stage),
        PLANS(rebalanced_partitions_are_cut),
        PLANS(repartitions_by_number_stay),
        PLANS(one_row_needs_no_order),
        PLANS(rules_can_be_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
