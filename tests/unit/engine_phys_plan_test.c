/* Physical planning: which operators, where exchanges stand, what is run once. Shapes are
 * those of Spark 3.5.9 for the same statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine_plans.h"

#include "engine/store/relation.h"

static int setup(void **state)
{
    static struct plans p;

    plans_init(&p);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    plans_release(*state);
    return 0;
}

/* A view of two bigint columns, k and v, over a file of that size. */
static void table(struct plans *p, const char *name, int64_t bytes)
{
    struct arena *a = catalog_arena(p->catalog);
    struct relation *r = ARENA_NEW(a, struct relation);
    struct field *fields = arena_array(a, 2, sizeof *fields);
    struct plan *plan;
    struct err err = { 0 };

    fields[0] =
        (struct field){ .name = SV("k"), .type = type_of(TYPE_LONG), .nullable = true };
    fields[1] = fields[0];
    fields[1].name = SV("v");
    r->format = format_find(SV("parquet"));
    r->name = sv(name);
    r->bytes = bytes;
    r->n_files = 1;
    r->data = (struct schema){ .fields = fields, .n = 2 };
    plan = plan_of_relation(a, r);
    if (catalog_add_view(p->catalog, sv(name), plan, &plan->output, true, &err) != ERR_OK)
        fail_msg("%s: %s", name, err.text);
}

static void tables(struct plans *p)
{
    table(p, "fits", 10485760);
    table(p, "over", 10485761);
    table(p, "large", 100000000);
    table(p, "small", 1000);
}

struct shape {
    const char *sql, *want;
};

static void check(struct plans *p, const struct shape *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = plans_shape_of(p, plans_physical(p, cases[i].sql));

        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\n  is   %s\n  not  %s", cases[i].sql, got, cases[i].want);
    }
}

#define CHECK(p, cases) check(p, cases, ARRAY_LEN(cases))

/* To the byte; of two that fit the smaller is built, or the right one. */
static void sizes_choose_joins(void **state)
{
    static const struct shape cases[] = {
        { "select * from large a join fits b on a.k = b.k",
          "BroadcastHashJoin Inner right(Filter(Scan parquet), "
          "BroadcastExchange(Filter(Scan parquet)))" },
        { "select * from large a join over b on a.k = b.k",
          "SortMergeJoin Inner(Sort(Exchange(Filter(Scan parquet))), "
          "Sort(Exchange(Filter(Scan parquet))))" },
        { "select * from small a join fits b on a.k = b.k",
          "BroadcastHashJoin Inner left(BroadcastExchange(Filter(Scan parquet)), "
          "Filter(Scan parquet))" },
        { "select * from small a join small b on a.k = b.k",
          "BroadcastHashJoin Inner right(Filter(Scan parquet), "
          "BroadcastExchange(Filter(Scan parquet)))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void join_types_choose_sides(void **state)
{
    static const struct shape cases[] = {
        { "select * from small a left join large b on a.k = b.k",
          "SortMergeJoin LeftOuter(Sort(Exchange(Scan parquet)), "
          "Sort(Exchange(Filter(Scan parquet))))" },
        { "select * from small a right join large b on a.k = b.k",
          "BroadcastHashJoin RightOuter left(BroadcastExchange(Filter(Scan parquet)), "
          "Scan parquet)" },
        { "select * from small a full join small b on a.k = b.k",
          "SortMergeJoin FullOuter(Sort(Exchange(Scan parquet)), "
          "Sort(Exchange(Scan parquet)))" },
        { "select * from small a left semi join large b on a.k = b.k",
          "SortMergeJoin LeftSemi(Sort(Exchange(Filter(Scan parquet))), "
          "Sort(Exchange(Filter(Scan parquet))))" },
        { "select * from large a cross join large b",
          "CartesianProduct(ColumnarToRow(Scan parquet), ColumnarToRow(Scan parquet))" },
        { "select * from large a cross join small b",
          "BroadcastNestedLoopJoin Cross right(Scan parquet, "
          "BroadcastExchange(Scan parquet))" },
        { "select * from large a left join large b on a.k < b.k",
          "BroadcastNestedLoopJoin LeftOuter right(Scan parquet, "
          "BroadcastExchange(Filter(Scan parquet)))" },
        { "select * from large a where k not in (select k from large)",
          "BroadcastHashJoin LeftAnti right(Scan parquet, "
          "BroadcastExchange(Scan parquet))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void hints_come_before_sizes(void **state)
{
    static const struct shape cases[] = {
        { "select /*+ broadcast(a) */ * from large a join small b on a.k = b.k",
          "BroadcastHashJoin Inner left(BroadcastExchange(Filter(Scan parquet)), "
          "Filter(Scan parquet))" },
        { "select /*+ broadcast(a) */ * from large a left join small b on a.k = b.k",
          "BroadcastHashJoin LeftOuter right(Scan parquet, " /* impossible: by size */
          "BroadcastExchange(Filter(Scan parquet)))" },
        { "select /*+ merge(b) */ * from large a join small b on a.k = b.k",
          "SortMergeJoin Inner(Sort(Exchange(Filter(Scan parquet))), "
          "Sort(Exchange(Filter(Scan parquet))))" },
        { "select /*+ shuffle_hash(a) */ * from large a join small b on a.k = b.k",
          "ShuffledHashJoin Inner left(Exchange(Filter(Scan parquet)), "
          "Exchange(Filter(Scan parquet)))" },
        { "select /*+ shuffle_replicate_nl(a) */ * from large a join small b on a.k = "
          "b.k",
          "CartesianProduct(Filter(ColumnarToRow(Scan parquet)), "
          "Filter(ColumnarToRow(Scan parquet)))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void thresholds_are_settings(void **state)
{
    static const struct shape never[] = {
        { "select * from small a join small b on a.k = b.k",
          "SortMergeJoin Inner(Sort(Exchange(Filter(Scan parquet))), "
          "Sort(Exchange(Filter(Scan parquet))))" },
        { "select * from small a where k not in (select k from small)",
          "BroadcastHashJoin LeftAnti right(Scan parquet, " /* even so */
          "BroadcastExchange(Scan parquet))" },
    };
    static const struct shape hashed[] = {
        { "select * from large a join small b on a.k = b.k",
          "ShuffledHashJoin Inner right(Exchange(Filter(Scan parquet)), "
          "Exchange(Filter(Scan parquet)))" },
    };

    tables(*state);
    plans_set(*state, "spark.sql.autoBroadcastJoinThreshold", "-1");
    CHECK(*state, never);
    plans_set(*state, "spark.sql.autoBroadcastJoinThreshold", "100");
    plans_set(*state, "spark.sql.join.preferSortMergeJoin", "false");
    CHECK(*state, hashed);
}

static void exchanges_stand_where_rows_must_move(void **state)
{
    static const struct shape cases[] = {
        { "select k, count(*) from large group by k",
          "HashAggregate(Exchange(HashAggregate(Scan parquet)))" },
        { "select k, v, count(*) from large group by k, v",
          "HashAggregate(Exchange(HashAggregate(Scan parquet)))" },
        { "select k, sum(c) from (select k, v, count(*) c from large group by k, v) "
          "group by k", /* by (k, v) is not by k */
          "HashAggregate(Exchange(HashAggregate(HashAggregate(Exchange(HashAggregate("
          "Scan parquet))))))" },
        { "select k, v, sum(c) from (select k, v, c from (select k, v, count(*) c from "
          "large group by k, v)) group by k, v, c", /* but by (k, v, c) it is */
          "HashAggregate(HashAggregate(HashAggregate(Exchange(HashAggregate("
          "Scan parquet)))))" },
        { "select a.k, count(*) from large a join large b on a.k = b.k group by a.k",
          "HashAggregate(HashAggregate(Project(SortMergeJoin Inner("
          "Sort(Exchange(Filter(Scan parquet))), "
          "Sort(Exchange(Filter(Scan parquet)))))))" },
        { "select * from large order by k", "Sort(Exchange(Scan parquet))" },
        { "select k, rank() over (partition by k order by v) from large",
          "Project(Window(Sort(Exchange(Scan parquet))))" },
        { "select rank() over (order by v) from large",
          "Project(Window(Sort(Exchange(Scan parquet))))" },
        { "select max(v) from large", "HashAggregate(Exchange(HashAggregate("
                                      "Scan parquet)))" },
        { "select id, count(*) from range(10) group by id", /* a range is cut by id */
          "HashAggregate(HashAggregate(Range))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

/* A join's sides are cut alike only by all keys of the join. */
static void sides_cut_by_some_keys_are_cut_again(void **state)
{
    static const struct shape cases[] = {
        { "select * from (select k, count(*) c from large group by k) a join (select k, "
          "count(*) c from large group by k) b on a.k = b.k and a.c = b.c",
          "SortMergeJoin Inner(Sort(Exchange(HashAggregate(Exchange(HashAggregate("
          "Filter(Scan parquet)))))), Sort(Exchange(HashAggregate(Exchange("
          "HashAggregate(Filter(Scan parquet)))))))" },
        { "select * from (select k, count(*) c from large group by k) a join large b on "
          "a.k = b.k",
          "SortMergeJoin Inner(Sort(HashAggregate(Exchange(HashAggregate("
          "Filter(Scan parquet))))), Sort(Exchange(Filter(Scan parquet))))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void limits_at_the_top_collect(void **state)
{
    static const struct shape cases[] = {
        { "select * from large limit 3", "CollectLimit(ColumnarToRow(Scan parquet))" },
        { "select * from large order by k limit 3",
          "TakeOrderedAndProject(ColumnarToRow(Scan parquet))" },
        { "select count(*) from (select * from large limit 3)",
          "HashAggregate(HashAggregate(GlobalLimit(Exchange(LocalLimit("
          "Scan parquet)))))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void distinct_aggregates_take_four_steps(void **state)
{
    static const struct shape cases[] = {
        { "select k, count(distinct v) from large group by k",
          "HashAggregate(Exchange(HashAggregate(HashAggregate(Exchange(HashAggregate("
          "Scan parquet))))))" },
        { "select k, count(distinct v), count(distinct v + 1) from large group by k",
          "HashAggregate(Exchange(HashAggregate(HashAggregate(Exchange(HashAggregate("
          "Expand(Scan parquet)))))))" },
    };

    tables(*state);
    CHECK(*state, cases);
}

static void plans_without_adaptive_execution_reuse_too(void **state)
{
    static const struct shape cases[] = {
        { "select * from large a join large b on a.k = b.k",
          "SortMergeJoin Inner(Sort(Exchange(Filter(ColumnarToRow(Scan parquet)))), "
          "Sort(ReusedExchange))" },
    };

    tables(*state);
    plans_set(*state, "spark.sql.adaptive.enabled", "false");
    CHECK(*state, cases);
}

static void only_plans_that_move_rows_are_adaptive(void **state)
{
    static const struct {
        const char *sql;
        bool adaptive;
    } cases[] = {
        { "select * from large where k > 1", false },
        { "select * from large limit 3", false },
        { "select * from large order by k limit 3", false },
        { "select /*+ coalesce(1) */ * from large", false },
        { "select * from large order by k", true },
        { "select * from large cross join small", true },
        { "select k from large where k > (select max(k) from small)", true },
        { "select * from large a cross join large b", false },
    };
    struct plans *p = *state;

    tables(p);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if ((plans_physical(p, cases[i].sql)->kind == PHYS_ADAPTIVE) != cases[i].adaptive)
            fail_msg("%s", cases[i].sql);
}

static void explained(struct plans *p, const char *sql, const char *want)
{
    strbuf_reset(&p->text);
    phys_print_verbose(&p->text, plans_physical(p, sql));
    strbuf_addc(&p->text, '\0');
    if (!strstr(p->text.p, want))
        fail_msg("%s\n%s\nlacks %s", sql, p->text.p, want);
}

static void lines_read_as_spark_s(void **state)
{
    struct plans *p = *state;

    tables(p);
    explained(p,
              "select * from (select k, dense_rank() over (partition by k order by v) r "
              "from large) where r <= 2",
              "dense_rank(v#");
    explained(p, "select /*+ repartition(3) */ * from small",
              "Exchange RoundRobinPartitioning(3), REPARTITION_BY_NUM, [plan_id=");
    explained(p, "select /*+ rebalance(k) */ * from small",
              ", 200), REBALANCE_PARTITIONS_BY_COL, [plan_id=");
    explained(p, "select k, count(*) from small group by k",
              "functions=[count(1)], output=[k#");
    explained(p, "select * from range(5) order by id desc",
              " DESC NULLS LAST, 200), ENSURE_REQUIREMENTS, [plan_id=");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sizes_choose_joins),
        TEST(join_types_choose_sides),
        TEST(hints_come_before_sizes),
        TEST(thresholds_are_settings),
        TEST(exchanges_stand_where_rows_must_move),
        TEST(sides_cut_by_some_keys_are_cut_again),
        TEST(limits_at_the_top_collect),
        TEST(distinct_aggregates_take_four_steps),
        TEST(plans_without_adaptive_execution_reuse_too),
        TEST(only_plans_that_move_rows_are_adaptive),
        TEST(lines_read_as_spark_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
