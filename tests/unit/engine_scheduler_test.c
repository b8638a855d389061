/* The scheduler: order of stages, retries, failures, cancellation, counters. Tasks are
 * plain functions here. */
#include "base/arena.h"
#include "engine/run/executor.h"
#include "engine/run/scheduler.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
    struct scheduler *scheduler;
};

static struct settings *settings_with(struct arena *a, const char *master)
{
    struct settings *s = settings_new(a);
    struct err err = { 0 };

    if (settings_put(s, SV("spark.master"), sv(master), &err) != ERR_OK)
        fail_msg("%s", err.text);
    return s;
}

static void open_with(struct fixture *f, const char *master, struct event_log *log)
{
    struct err err = { 0 };

    f->settings = settings_with(&f->arena, master);
    if (scheduler_open(&f->scheduler, f->settings, log, NULL, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    scheduler_close(f->scheduler);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static struct job *submit(struct fixture *f, const struct stage_spec *stages, uint32_t n)
{
    struct job_spec spec = {
        .stages = stages, .n_stages = n, .sql_execution_id = -1, .settings = f->settings
    };

    return job_submit(f->scheduler, &spec);
}

struct seen {
    _Atomic int runs[64];
    _Atomic int order;
    int first[8], last[8]; /* of each stage */
    pthread_mutex_t lock;
    struct fixture *f;
    uint64_t metric;
};

struct stage_ctx {
    struct seen *seen;
    int stage;
};

static enum errc note(void *ctx, struct task *t, struct err *err)
{
    struct stage_ctx *c = ctx;
    int at;

    (void)err;
    pthread_mutex_lock(&c->seen->lock);
    at = ++c->seen->order;
    if (!c->seen->first[c->stage])
        c->seen->first[c->stage] = at;
    c->seen->last[c->stage] = at;
    pthread_mutex_unlock(&c->seen->lock);
    c->seen->runs[t->partition]++;
    return ERR_OK;
}

static void stages_wait_for_their_parents(void **state)
{
    static const uint32_t parents[] = { 0, 1 };
    struct fixture *f = *state;
    struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct stage_ctx ctx[3] = { { &seen, 0 }, { &seen, 1 }, { &seen, 2 } };
    struct stage_spec stages[3] = {
        { .name = "a", .n_tasks = 5, .run = note, .ctx = &ctx[0] },
        { .name = "b", .n_tasks = 3, .run = note, .ctx = &ctx[1] },
        { .name = "c",
          .n_tasks = 4,
          .run = note,
          .ctx = &ctx[2],
          .parents = parents,
          .n_parents = 2 },
    };
    struct err err = { 0 };

    open_with(f, "local[4]", NULL);
    struct job *j = submit(f, stages, 3);
    assert_int_equal(job_wait(j, &err), ERR_OK);
    assert_int_equal(seen.order, 12);
    assert_true(seen.first[2] > seen.last[0] && seen.first[2] > seen.last[1]);
    assert_int_equal(job_stage_id(j, 2), 2);
    job_free(j);
}

static void skipped_and_empty_stages_do_not_run(void **state)
{
    static const uint32_t parents[] = { 0, 1 };
    struct fixture *f = *state;
    struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct stage_ctx ctx[3] = { { &seen, 0 }, { &seen, 1 }, { &seen, 2 } };
    struct stage_spec stages[3] = {
        { .name = "a", .n_tasks = 5, .run = note, .ctx = &ctx[0], .skipped = true },
        { .name = "b", .n_tasks = 0, .run = note, .ctx = &ctx[1] },
        { .name = "c",
          .n_tasks = 2,
          .run = note,
          .ctx = &ctx[2],
          .parents = parents,
          .n_parents = 2 },
    };
    struct err err = { 0 };

    open_with(f, "local[2]", NULL);
    struct job *j = submit(f, stages, 3);
    assert_int_equal(job_wait(j, &err), ERR_OK);
    assert_int_equal(seen.order, 2);
    job_free(j);
}

struct flaky {
    _Atomic int tries;
    int fail; /* this many times */
};

static enum errc fail_some(void *ctx, struct task *t, struct err *err)
{
    struct flaky *f = ctx;

    if (t->partition == 1 && ++f->tries <= f->fail)
        return err_set(err, ERR_OPEN, "/x: gone");
    return ERR_OK;
}

static void attempts_are_counted(void **state)
{
    static const struct {
        const char *master;
        int fail;
        int tries;
        bool ok;
    } cases[] = {
        { "local[2]", 1, 1, false },
        { "local[2,3]", 2, 3, true },
        { "local[2,3]", 9, 3, false },
        { "local-cluster[2,1,512]", 3, 4, true },
        { "local-cluster[2,1,512]", 4, 4, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct flaky flaky = { .fail = cases[i].fail };
        struct stage_spec stage = {
            .name = "s", .n_tasks = 3, .run = fail_some, .ctx = &flaky
        };
        struct err err = { 0 };

        scheduler_close(f->scheduler);
        f->scheduler = NULL;
        open_with(f, cases[i].master, NULL);
        struct job *j = submit(f, &stage, 1);
        enum errc rc = job_wait(j, &err);
        job_free(j);
        if ((rc == ERR_OK) != cases[i].ok || flaky.tries != cases[i].tries)
            fail_msg("case %zu: code %d after %d tries", i, (int)rc, flaky.tries);
        if (rc != ERR_OK)
            assert_string_equal(err.text, "/x: gone");
    }
}

static enum errc until_cancelled(void *ctx, struct task *t, struct err *err)
{
    struct timespec nap = { .tv_nsec = 1000000 };

    (void)ctx;
    while (!*t->cancelled)
        nanosleep(&nap, NULL);
    return err_set(err, ERR_LIMIT, "cancelled");
}

static void cancelling_ends_a_job(void **state)
{
    struct fixture *f = *state;
    struct stage_spec stage = { .name = "s", .n_tasks = 9, .run = until_cancelled };
    struct err err = { 0 };

    open_with(f, "local[2]", NULL);
    struct job *j = submit(f, &stage, 1);
    job_cancel(j, "by the test");
    assert_int_not_equal(job_wait(j, &err), ERR_OK);
    assert_non_null(strstr(err.text, "by the test"));
    job_free(j);
    j = submit(f, &stage, 1);
    scheduler_interrupt(f->scheduler, true);
    assert_int_not_equal(job_wait(j, &err), ERR_OK);
    job_free(j);
}

static enum errc count(void *ctx, struct task *t, struct err *err)
{
    struct seen *seen = ctx;

    (void)err;
    t->sink.ids = calloc(2, sizeof *t->sink.ids);
    t->sink.values = calloc(2, sizeof *t->sink.values);
    t->sink.n = t->sink.cap = 2;
    t->sink.ids[0] = t->sink.ids[1] = seen->metric;
    t->sink.values[0] = t->partition;
    t->sink.values[1] = 100;
    return ERR_OK;
}

static void *whole_job(void *arg)
{
    struct seen *seen = arg;
    struct stage_spec stage = { .name = "s", .n_tasks = 10, .run = count, .ctx = seen };
    struct err err = { 0 };
    struct job *j = submit(seen->f, &stage, 1);

    assert_int_equal(job_wait(j, &err), ERR_OK);
    job_free(j);
    return NULL;
}

static void counters_of_jobs_side_by_side_add_up(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { .f = f };
    pthread_t threads[6];

    open_with(f, "local[3]", NULL);
    seen.metric = accum_new(f->scheduler, "number of output rows");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, whole_job, &seen), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(accum_value(f->scheduler, seen.metric), 6 * (45 + 1000));
}

static void masters(void **state)
{
    static const struct {
        const char *master;
        int executors, cores, failures;
        int64_t mib; /* 0: refused */
    } cases[] = {
        { "local", 1, 1, 1, 1024 },
        { "local[3]", 1, 3, 1, 1024 },
        { "local[3,4]", 1, 3, 4, 1024 },
        { "local-cluster[2,3,600]", 2, 3, 4, 600 },
        { "yarn", 0, 0, 0, 0 },
        { "local[0]", 0, 0, 0, 0 },
        { "local[2", 0, 0, 0, 0 },
        { "local-cluster[2,3]", 0, 0, 0, 0 },
        { "local-cluster[2,3,100]", 0, 0, 0, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings *s = settings_with(&f->arena, cases[i].master);
        struct cluster_plan plan = { 0 };
        struct err err = { 0 };
        enum errc rc = cluster_plan_read(s, &plan, &err);

        if ((rc == ERR_OK) != (cases[i].mib != 0))
            fail_msg("%s: %s", cases[i].master, err.text);
        if (plan.executors != cases[i].executors || plan.cores != cases[i].cores ||
            plan.max_failures != cases[i].failures ||
            plan.heap_bytes != cases[i].mib << 20)
            fail_msg("%s: %d x %d", cases[i].master, plan.executors, plan.cores);
    }
}

static void the_folder_goes_with_the_scheduler(void **state)
{
    struct fixture *f = *state;
    char path[512];

    open_with(f, "local[1]", NULL);
    snprintf(path, sizeof path, "%s/file", scheduler_dir(f->scheduler));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(path, sizeof path, "%s", scheduler_dir(f->scheduler));
    scheduler_close(f->scheduler);
    f->scheduler = NULL;
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(stages_wait_for_their_parents),
        T(skipped_and_empty_stages_do_not_run),
        T(attempts_are_counted),
        T(cancelling_ends_a_job),
        T(counters_of_jobs_side_by_side_add_up),
        T(masters),
        T(the_folder_goes_with_the_scheduler),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
