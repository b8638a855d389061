/* What a failure would cost, which writes a retry spoils, and whether Spark fits. */
#include "rules/fit.h"
#include "rules/loss.h"

#include "rules_case.h"

#include <unistd.h>

struct played {
    struct rules_case c;
    struct analysis a;
    struct arena arena;
};

static void play(struct played *p, const char *text)
{
    char path[] = "/tmp/loss-test-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    *p = (struct played){ 0 };
    rules_case_load(&p->c, path, &p->a.app);
    analysis_build(&p->a);
    unlink(path);
}

static void release(struct played *p)
{
    rules_case_release(&p->c);
    analysis_release(&p->a);
    arena_release(&p->arena);
}

#define TWO_EXECUTORS                                                                    \
    "executor 1 h1 2 100\nexecutor 2 h2 2 100\nconf spark.master spark://m:7077\n"

/* Two map tasks of each executor, 10 s each; then reducers of 4 s. One executor's maps
 * are made again on the other's two slots: 10 s, and 2 s that the reducers had run by
 * half. */
static const char *const chain = "end 30000\njob 0 900 20000\n"
                                 "stage 0 1000 11100\n"
                                 "tasks 2 ms=10000 wrote=1m on=1\n"
                                 "tasks 2 ms=10000 wrote=1m on=2\n"
                                 "stage 1 11200 15300 parents=0\n"
                                 "tasks 4 ms=4000 shuffle=1m\n";

static void a_loss_costs_what_is_made_again(void **state)
{
    struct strbuf text = { 0 };
    struct played p;
    struct loss l;

    (void)state;
    strbuf_printf(&text, "%s%s", TWO_EXECUTORS, chain);
    play(&p, text.p);
    loss_build(&l, &p.a, &p.arena);
    assert_int_equal(l.known, LOSS_KNOWN);
    assert_int_equal(l.worst_ix, 1);
    assert_int_equal(l.stages[0].wall_ms, 5000); /* only what is in hand, half done */
    assert_int_equal(l.stages[0].stages, 0);
    assert_int_equal(l.stages[1].wall_ms, 12000);
    assert_int_equal(l.stages[1].stages, 1);
    assert_int_equal(l.stages[1].tasks, 4);
    assert_true(l.mean_ms > 5000 && l.mean_ms < 12000);
    assert_null(l.keeper);
    release(&p);
    strbuf_release(&text);
}

static void a_shuffle_service_keeps_map_output(void **state)
{
    struct strbuf text = { 0 };
    struct played p;
    struct loss l;

    (void)state;
    strbuf_printf(&text, "%sconf spark.shuffle.service.enabled true\n%s", TWO_EXECUTORS,
                  chain);
    play(&p, text.p);
    loss_build(&l, &p.a, &p.arena);
    assert_string_equal(l.keeper, "spark.shuffle.service.enabled");
    assert_int_equal(l.stages[1].wall_ms, 2000);
    assert_int_equal(l.stages[1].stages, 0);
    release(&p);
    strbuf_release(&text);
}

static void nothing_is_told_of_absent_executors(void **state)
{
    struct played p;
    struct loss l;

    (void)state;
    play(&p, "local 2\nend 9000\njob 0 900 8000\nstage 0 1000 8000\ntasks 4 ms=3000\n");
    loss_build(&l, &p.a, &p.arena);
    assert_int_equal(l.known, LOSS_LOCAL);
    assert_int_equal(l.worst_ix, IX_NONE);
    release(&p);
    play(&p, "end 9000\n");
    loss_build(&l, &p.a, &p.arena);
    assert_int_equal(l.known, LOSS_NOT_TOLD);
    release(&p);
}

static unsigned trouble_of(const char *detail, const char *more)
{
    struct strbuf text = { 0 };
    struct played p;
    struct writes w;
    unsigned trouble;

    strbuf_printf(
        &text,
        "local 2\n%send 60000\nsql 3 900 59000\n"
        "node 3 0 Execute_InsertIntoHadoopFsRelationCommand detail=%s\n"
        "job 0 1000 58000 sql=3\nstage 0 1001 58000\ntasks 4 ms=900 output=1m\n",
        more, detail);
    play(&p, text.p);
    writes_find(&w, &p.a.app, &p.arena);
    assert_int_equal(w.all, 1);
    trouble = w.n ? w.items[0].trouble : 0;
    release(&p);
    strbuf_release(&text);
    return trouble;
}

#define ALGORITHM_2                                                                      \
    "conf spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version 2\n"
#define INSERT                                                                           \
    "Execute_InsertIntoHadoopFsRelationCommand_file:/out/append,_false,_Parquet,_[],_"

static void writes_tell_what_a_retry_spoils(void **state)
{
    (void)state;
    /* the folder's name is no mode */
    assert_int_equal(trouble_of(INSERT "Overwrite,_[id]", ""), 0);
    assert_int_equal(trouble_of(INSERT "ErrorIfExists,_[id]", ""), 0);
    assert_int_equal(trouble_of(INSERT "Append,_[id]", ""), WRITE_APPEND);
    assert_int_equal(trouble_of(INSERT "Overwrite,_[id]", ALGORITHM_2), WRITE_COMMIT_2);
    assert_int_equal(
        trouble_of(INSERT "Overwrite,_[id]", ALGORITHM_2 "conf spark.speculation true\n"),
        WRITE_COMMIT_2 | WRITE_SPECULATION);
    assert_int_equal(
        trouble_of(INSERT "Overwrite,_[id]", "conf spark.speculation true\n"), 0);
}

static enum fit_verdict verdict_of(const char *text)
{
    struct played p;
    struct fit f;

    play(&p, text);
    fit_build(&f, &p.a, &p.arena);
    assert_true((f.instead == NULL) ==
                (f.verdict == FIT_SPARK || f.verdict == FIT_UNKNOWN));
    release(&p);
    return f.verdict;
}

static void the_verdict_goes_by_numbers(void **state)
{
    struct strbuf text = { 0 };

    (void)state;
    /* 20 s until the executor comes, for 2 s of work on 10 MiB */
    assert_int_equal(
        verdict_of("executor 1 h1 2 20000\nend 24000\njob 0 900 23500\n"
                   "stage 0 1000 23000\ntasks 2 ms=2000 cpu=1500 input=10m\n"),
        FIT_ONE_MACHINE);
    /* the same, of 40 GiB */
    assert_int_equal(
        verdict_of("executor 1 h1 2 20000\nend 24000\njob 0 900 23500\n"
                   "stage 0 1000 23000\ntasks 2 ms=2000 cpu=1500 input=20g\n"),
        FIT_SPARK);
    /* cut short, and nothing counted */
    assert_int_equal(
        verdict_of("executor 1 h1 2 20000\njob 0 900 23500\n"
                   "stage 0 1000 23000\ntasks 2 ms=2000 cpu=1500 input=10m\n"),
        FIT_UNKNOWN);
    assert_int_equal(verdict_of("executor 1 h1 2 20000\nend 24000\njob 0 900 23500\n"
                                "stage 0 1000 23000\ntasks 2 ms=2000 cpu=1500\n"),
                     FIT_UNKNOWN);
    strbuf_addz(&text, "local 2\nend 60000\n");
    for (int i = 0; i < 60; i++)
        strbuf_printf(&text,
                      "sql %d %d %d\nnode %d 0 Project\njob %d %d %d sql=%d\n"
                      "stage %d %d %d\ntasks 1 ms=200 input=1m at=%d\n",
                      i, 1000 + 900 * i, 1400 + 900 * i, i, i, 1010 + 900 * i,
                      1390 + 900 * i, i, i, 1020 + 900 * i, 1380 + 900 * i,
                      1100 + 900 * i);
    assert_int_equal(verdict_of(text.p), FIT_SHORT_QUERIES);
    strbuf_reset(&text);
    strbuf_addz(&text, "local 2\nend 60000\n");
    for (int i = 0; i < 60; i++)
        strbuf_printf(&text,
                      "job %d %d %d stream=%d\nstage %d %d %d\ntasks 1 ms=200 at=%d\n", i,
                      1010 + 900 * i, 1390 + 900 * i, 7, i, 1020 + 900 * i,
                      1380 + 900 * i, 1100 + 900 * i);
    assert_int_equal(verdict_of(text.p), FIT_SHORT_BATCHES);
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_costs_what_is_made_again),
        cmocka_unit_test(a_shuffle_service_keeps_map_output),
        cmocka_unit_test(nothing_is_told_of_absent_executors),
        cmocka_unit_test(writes_tell_what_a_retry_spoils),
        cmocka_unit_test(the_verdict_goes_by_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
