/* analyzer/pair*: text, alignment of lists by hand, and pairs of real runs. */
#include "analyzer/pair.h"
#include "analyzer/pair_align.h"

#include "base/mem.h"
#include "tests/unit/load_helper.h"

#include <inttypes.h>
#include <string.h>

/* --- text ---------------------------------------------------------------------- */

static void what_changes_from_run_to_run_is_taken_out(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "" },
        { "user_id#267L", "user_id#" },
        { "hashpartitioning(a#1, 200), [plan_id=312]",
          "hashpartitioning(a#, #), [plan_id=#]" },
        { "/data/run-20261123/part17", "/data/run-#/part#" },
        { "file:/tmp/tmpqwxyzk/orders", "file:/tmp/tmp#/orders" },
        { "/tmp/spark-8c1e4b7a-1c2d-4e5f-8a9b-0123456789ab/x", "/tmp/spark-#/x" },
        { "UnsafeArrayData@c39e56ca1", "UnsafeArrayData@#" },
        { "template", "template" },
        { "deadbeef", "deadbeef" }, /* a word, for it has no digit */
        { "\xff\x01 7", "\xff\x01 #" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf got = { 0 };

        pair_normalise(&got, sv(cases[i].text));
        if (!sv_is(strbuf_sv(&got), cases[i].want))
            fail_msg("\"%s\" became \"%.*s\"", cases[i].text, SV_FMT(strbuf_sv(&got)));
        strbuf_release(&got);
    }
}

/* --- lists --------------------------------------------------------------------- */

#define LIST_FEATURES 10

/* A letter is a piece of work; all are of one description. Lower and upper case are
 * one query with two plans: they share eight of ten features. */
static struct pair_item *items_of(const char *letters, uint32_t n, struct arena *arena)
{
    struct pair_item *items = arena_array(arena, n + 1, sizeof *items);

    for (uint32_t i = 0; i < n; i++) {
        char low = (char)(letters[i] | 0x20);

        items[i].exact = (uint64_t)letters[i] * 977;
        items[i].what = 1;
        items[i].where = 2;
        items[i].features = arena_array(arena, LIST_FEATURES, sizeof(uint64_t));
        for (uint32_t k = 0; k < LIST_FEATURES; k++)
            items[i].features[k] = (uint64_t)(k < 8 ? low : letters[i]) * 1000 + k;
        items[i].n_features = pair_features_finish(items[i].features, LIST_FEATURES);
    }
    return items;
}

static void lists_are_paired_in_their_order(void **state)
{
    /* want: per item of base the position in head, '-' for none, in letters from 'a' */
    static const struct {
        const char *what, *base, *head, *want;
    } cases[] = {
        { "equal", "abc", "abc", "abc" },
        { "nothing", "", "abc", "" },
        { "gone", "abc", "", "---" },
        { "inserted", "abc", "axbc", "acd" },
        { "inserted before and behind", "abc", "xabcy", "bcd" },
        { "removed", "abxc", "abc", "ab-c" },
        { "another plan", "abc", "aBc", "abc" },
        { "another plan, with one inserted", "abcd", "axBcd", "acde" },
        { "a loop that grew", "aaa", "aaaaa", "abc" },
        { "a loop that shrank", "aaaaa", "aaa", "abc--" },
        { "a loop of two", "abababab", "ababxabab", "abcdfghi" },
        { "out of order", "abcd", "bcda", "dabc" },
        { "another job", "abc", "xyz", "---" },
        { "every plan another", "abc", "ABC", "abc" },
    };
    struct arena arena = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t n = (uint32_t)strlen(cases[i].base), m = (uint32_t)strlen(cases[i].head);
        struct pair_match match[16];

        pair_align(items_of(cases[i].base, n, &arena), n,
                   items_of(cases[i].head, m, &arena), m, match);
        for (uint32_t k = 0; k < n; k++) {
            char got = match[k].head == IX_NONE ? '-' : (char)('a' + match[k].head);

            if (got != cases[i].want[k])
                fail_msg("%s: item %u went to '%c', not '%c'", cases[i].what, k, got,
                         cases[i].want[k]);
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
}

/* No head twice, no base twice, in order but for the moved. */
static void check_matches(const struct pair_match *match, uint32_t n, uint32_t m)
{
    bool *taken = xcalloc((size_t)m + 1, sizeof *taken);
    uint32_t last = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (match[i].head == IX_NONE)
            continue;
        assert_true(match[i].head < m);
        assert_false(taken[match[i].head]);
        taken[match[i].head] = true;
        assert_true(match[i].score >= PAIR_LIKE && match[i].score <= 1);
        if (match[i].moved)
            continue;
        assert_true(match[i].head >= last);
        last = match[i].head;
    }
    free(taken);
}

static void long_lists_of_little_difference_end_soon(void **state)
{
    enum { N = 5000 };
    static char base[N], head[N + N / 100];
    static struct pair_match match[N];
    struct arena arena = { 0 };
    uint32_t m = 0, found = 0;

    (void)state;
    for (uint32_t i = 0; i < N;
         i++) { /* letters without rhythm; each plan of head another */
        base[i] = (char)('a' + (i * 2654435761u >> 16) % 26);
        if (i % 100 == 50)
            head[m++] = 'z';
        head[m++] = (char)(base[i] & ~0x20);
    }
    pair_align(items_of(base, N, &arena), N, items_of(head, m, &arena), m, match);
    check_matches(match, N, m);
    for (uint32_t i = 0; i < N; i++)
        found += match[i].head != IX_NONE && (head[match[i].head] | 0x20) == base[i];
    assert_true(found > N * 95 / 100);
    arena_release(&arena);
}

static void random_lists_keep_the_promises(void **state)
{
    struct arena arena = { 0 };
    uint64_t seed = 1;

    (void)state;
    for (int turn = 0; turn < 500; turn++) {
        char base[70], head[70];
        struct pair_match match[70];
        uint32_t n = 0, m = 0;

        for (;
             n < 70 && (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 58;)
            base[n++] = (char)((seed >> 40 & 1 ? 'a' : 'A') + (seed >> 33) % 4);
        for (;
             m < 70 && (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 58;)
            head[m++] = (char)((seed >> 40 & 1 ? 'a' : 'A') + (seed >> 33) % 4);
        pair_align(items_of(base, n, &arena), n, items_of(head, m, &arena), m, match);
        check_matches(match, n, m);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

/* --- real runs ----------------------------------------------------------------- */

struct two_runs {
    struct analysis base, head;
    struct pairing p;
};

/* False: the logs are not here. */
static bool load_two(struct two_runs *t, const char *folder, const char *base,
                     const char *head)
{
    char path[2][200];
    const char *names[] = { base, head };
    struct analysis *a[] = { &t->base, &t->head };

    *t = (struct two_runs){ 0 };
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
        if (!file_is_there(path[i]))
            return false;
    }
    for (int i = 0; i < 2; i++) {
        must_load(&a[i]->app, path[i]);
        analysis_build(a[i]);
    }
    pair_runs(&t->p, &t->base, &t->head);
    return true;
}

static void drop_two(struct two_runs *t)
{
    pairing_release(&t->p);
    analysis_release(&t->base);
    analysis_release(&t->head);
}

/* What must hold for any two runs. */
static void check_pairing(const struct two_runs *t)
{
    const struct pairing *p = &t->p;

    for (uint32_t i = 0; i < p->n_units; i++) {
        const struct unit_pair *u = &p->units[i];

        assert_true(u->base_ix != IX_NONE || u->head_ix != IX_NONE);
        assert_true((u->confidence > 0) ==
                    (u->base_ix != IX_NONE && u->head_ix != IX_NONE));
    }
    for (uint32_t i = 0; i < p->n_stages; i++) {
        const struct stage_pair *s = &p->stages[i];

        assert_true(s->base_ix == IX_NONE || p->stage_of_base[s->base_ix] == i);
        assert_true(s->head_ix == IX_NONE || p->stage_of_head[s->head_ix] == i);
        assert_true(s->unit == IX_NONE || s->confidence <= p->units[s->unit].confidence);
    }
    for (uint32_t i = 0; i < t->base.app.n_stages; i++)
        assert_true(!stage_ran(&t->base.app.stages[i]) || p->stage_of_base[i] != IX_NONE);
    assert_true(p->same_job == (p->why == NULL));
}

static void a_run_is_itself(void **state)
{
    struct two_runs t;

    (void)state;
    assert_true(load_two(&t, "tests/data/logs", "skewed-join", "skewed-join"));
    check_pairing(&t);
    assert_true(t.p.same_job && t.p.same_name);
    for (uint32_t i = 0; i < t.p.n_stages; i++) {
        assert_int_equal(t.p.stages[i].base_ix, t.p.stages[i].head_ix);
        assert_true(t.p.stages[i].confidence == 1);
    }
    drop_two(&t);
}

/* The same job before and after its remedy: stages that it did not touch are paired. */
static void twins_are_the_same_job(void **state)
{
    static const struct {
        const char *base, *head;
        const char *pairs; /* "2-2 3-3": stage ids that must be paired */
    } cases[] = {
        { "skewed-join", "skewed-join-salted", "2-2 3-3 4-4 5-5" },
        { "skewed-join", "skewed-join-aqe-split", "2-2 3-3" },
        { "missed-broadcast", "missed-broadcast-hinted", "3-2 4-3 5-4" },
        { "python-udf", "python-udf-native", "1-1 3-3" },
        { "recomputed-lineage", "recomputed-lineage-cached", "1-2 3-4 10-11 12-13" },
        { "repeated-shuffle", "reused-exchange-control", "1-1 4-3" },
        { "small-files-read", "small-files-read-compacted", "1-1 3-3" },
        { "small-files-write", "small-files-write-coalesced", "1-1 3-3" },
        { "spill-sort", "spill-sort-more-memory", "1-1 2-2 3-3" },
        { "too-few-partitions", "too-few-partitions-eight", "1-1 2-2" },
        { "too-many-partitions", "too-many-partitions-aqe", "1-1 2-3 3-6" },
        { "row-format-csv", "row-format-csv-as-parquet", "0-1 2-3" },
        { "missing-partition-filter", "missing-partition-filter-pruned", "3-2 5-4" },
        { "gc-collect-list", "gc-collect-list-larger-heap", "1-1 2-2" },
        { "global-sort-limit", "global-sort-limit-topk", "2-1" },
        { "coalesce-one-write", "coalesce-one-write-parallel", "1-1" },
        { "aa-run-01", "aa-run-02", "" },
        { "aa-run-01", "aa-slower-01", "" },
        { "scale-skewed-1x", "scale-skewed-10x", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *at = cases[i].pairs;
        struct two_runs t;
        int64_t from, to;
        int len;

        if (!load_two(&t, "tests/data/logs", cases[i].base, cases[i].head) &&
            !load_two(&t, SHARED_LOGS "/labelled", cases[i].base, cases[i].head))
            continue;
        check_pairing(&t);
        if (!t.p.same_job)
            fail_msg("%s, %s: %s", cases[i].base, cases[i].head, t.p.why);
        for (; sscanf(at, "%" SCNd64 "-%" SCNd64 "%n", &from, &to, &len) == 2;
             at += len) {
            uint32_t b = app_stage_last_ix(&t.base.app, from);
            uint32_t h = app_stage_last_ix(&t.head.app, to);

            if (t.p.stage_of_base[b] != t.p.stage_of_head[h])
                fail_msg("%s, %s: stage %" PRId64 " is not paired with %" PRId64,
                         cases[i].base, cases[i].head, from, to);
        }
        drop_two(&t);
    }
}

/* Another query of one name, program and set of tables is none. */
static void other_queries_of_one_program_are_not_the_same(void **state)
{
    static const char *const cases[][2] = {
        { "healthy-tpch-q12-rolling", "healthy-tpch-q5" },
        { "healthy-tpch-q12-rolling", "healthy-tpch-q1" },
        { "healthy-tpch-q5", "healthy-tpch-q1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct two_runs t;

        if (!load_two(&t, SHARED_LOGS "/labelled", cases[i][0], cases[i][1]))
            skip();
        check_pairing(&t);
        assert_true(t.p.same_name);
        if (t.p.same_job)
            fail_msg("%s is taken for %s", cases[i][0], cases[i][1]);
        drop_two(&t);
    }
}

static void series_of_one_job_is_paired_whole(void **state)
{
    (void)state;
    for (int i = 2; i <= 12; i++) {
        struct two_runs t;
        char name[20];

        snprintf(name, sizeof name, "aa-run-%02d", i);
        if (!load_two(&t, SHARED_LOGS "/labelled", "aa-run-01", name))
            skip();
        check_pairing(&t);
        for (uint32_t k = 0; k < t.p.n_stages; k++)
            assert_true(t.p.stages[k].confidence ==
                        1); /* moved or not: some ran side by side */
        drop_two(&t);
    }
}

static void other_jobs_are_not_the_same(void **state)
{
    static const char *const cases[][2] = {
        { "skewed-join", "small-files-read" },   { "healthy-aggregate", "healthy-join" },
        { "skewed-join", "healthy-aggregate" },  { "spill-sort", "skewed-join" },
        { "healthy-scan", "healthy-aggregate" }, { "gc-collect-list", "spill-sort" },
        { "streaming-control", "spill-sort" },   { "task-retry", "skewed-window" },
        { "idle-executors", "straggler-one-host" }, { "idle-executors", "job-failed" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct two_runs t;

        assert_true(load_two(&t, "tests/data/logs", cases[i][0], cases[i][1]));
        check_pairing(&t);
        if (t.p.same_job)
            fail_msg("%s is taken for %s", cases[i][0], cases[i][1]);
        drop_two(&t);
    }
}

static void empty_runs_can_be_paired(void **state)
{
    struct two_runs t = { 0 };

    (void)state;
    pair_runs(&t.p, &t.base, &t.head);
    check_pairing(&t);
    assert_int_equal(t.p.n_units, 0);
    assert_int_equal(t.p.n_stages, 0);
    pairing_release(&t.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_from_run_to_run_is_taken_out),
        cmocka_unit_test(lists_are_paired_in_their_order),
        cmocka_unit_test(long_lists_of_little_difference_end_soon),
        cmocka_unit_test(random_lists_keep_the_promises),
        cmocka_unit_test(a_run_is_itself),
        cmocka_unit_test(twins_are_the_same_job),
        cmocka_unit_test(other_queries_of_one_program_are_not_the_same),
        cmocka_unit_test(series_of_one_job_is_paired_whole),
        cmocka_unit_test(other_jobs_are_not_the_same),
        cmocka_unit_test(empty_runs_can_be_paired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
