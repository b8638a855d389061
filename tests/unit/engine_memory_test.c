/* The memory manager: Spark's arithmetic, shares of tasks, who spills. */
#include "engine/run/memory.h"
#include "engine/run/settings.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MB (INT64_C(1) << 20)

static struct memory *pool_of(struct arena *a, int64_t heap, int32_t cores)
{
    return memory_new(heap, cores, settings_new(a));
}

static void pool_and_page_are_sparks(void **state)
{
    static const struct {
        int64_t heap;
        int32_t cores;
        int64_t pool, page;
    } cases[] = {
        { 1024 * MB, 1, 455501414, 16777200 },  { 1024 * MB, 2, 455501414, 8388592 },
        { 1024 * MB, 4, 455501414, 4194288 },   { 512 * MB, 2, 133378867, 2097136 },
        { 4096 * MB, 2, 2388236697, 67108848 }, { 300 * MB, 2, 0, 1048560 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena a = { 0 };
        struct memory *m = pool_of(&a, cases[i].heap, cases[i].cores);

        assert_int_equal(memory_pool_bytes(m), cases[i].pool);
        assert_int_equal(memory_page_bytes(m), cases[i].page);
        memory_free(m);
        arena_release(&a);
    }
}

static void a_lone_task_may_have_all_two_a_half_each(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 1024 * MB, 2);
    struct task_memory one, two;
    struct consumer c = { .name = "c" }, d = { .name = "d" };
    struct err err = { 0 };
    int64_t all = memory_pool_bytes(m);

    (void)state;
    task_memory_begin(&one, m);
    task_memory_begin(&two, m);
    consumer_add(&one, &c);
    consumer_add(&two, &d);
    assert_int_equal(memory_acquire(&c, all + 5, 0, &err), all);
    memory_release(&c, all - 1);
    assert_int_equal(memory_acquire(&d, all, 0, &err), all / 2);
    assert_int_equal(memory_acquire(&c, all, 0, &err), all / 2 - 1);
    memory_release(&d, all / 2);
    /* who holds nothing does not count */
    assert_int_equal(memory_acquire(&c, all, 0, &err), all - all / 2);
    assert_int_equal(c.peak_bytes, all);
    assert_int_equal(one.peak_bytes, all);
    task_memory_end(&one);
    task_memory_end(&two);
    assert_int_equal(memory_execution_used(m), 0);
    memory_free(m);
    arena_release(&a);
}

static void storage_gives_what_is_free_and_takes_it_back(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 1024 * MB, 1);
    struct task_memory t;
    struct consumer c = { .name = "c" };
    struct err err = { 0 };
    int64_t all = memory_pool_bytes(m), region = all / 2;

    (void)state;
    task_memory_begin(&t, m);
    consumer_add(&t, &c);
    assert_true(memory_storage_acquire(m, all)); /* all that execution leaves */
    assert_false(memory_storage_acquire(m, 1));
    memory_storage_release(m, all - region);
    assert_int_equal(memory_acquire(&c, all, 0, &err), all - region);
    assert_false(memory_storage_acquire(m, 1));
    memory_storage_release(m, region - 10);
    assert_int_equal(memory_acquire(&c, all, 0, &err), region - 10);
    assert_int_equal(memory_storage_used(m), 10);
    task_memory_end(&t);
    memory_storage_release(m, 10);
    memory_free(m);
    arena_release(&a);
}

/* ---- spilling ---- */

static char order[64];

static int64_t spill_all(struct consumer *c, int64_t wanted, struct err *err)
{
    int64_t had = c->used_bytes;

    (void)wanted;
    (void)err;
    strcat(order, c->name);
    memory_release(c, had);
    return had;
}

static int64_t spill_fails(struct consumer *c, int64_t wanted, struct err *err)
{
    (void)c;
    (void)wanted;
    err_set(err, ERR_OUTPUT, "disk full");
    return -1;
}

static void smallest_that_covers_spills_first_the_asking_one_last(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 1024 * MB, 1);
    int64_t all = memory_pool_bytes(m);
    struct err err = { 0 };
    static const struct {
        int64_t ask;
        int self;
        const char *order;
        int64_t got;
    } cases[] = {
        { 5, 0, "a", 5 },      { 10, 0, "a", 10 },  { 15, 0, "b", 15 },
        { 35, 0, "c", 35 },    { 55, 0, "cb", 55 }, { 90, 0, "cba", 70 },
        { 90, 1, "cbax", 90 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct task_memory t;
        struct consumer x = { .name = "x", .spill = spill_all };
        struct consumer c[4] = { { .name = "a", .spill = spill_all },
                                 { .name = "b", .spill = spill_all },
                                 { .name = "c", .spill = spill_all },
                                 { .name = "-" } };
        const int64_t holds[4] = { 10, 20, 40, 100 };

        task_memory_begin(&t, m);
        for (int k = 0; k < 4; k++) {
            consumer_add(&t, &c[k]);
            assert_int_equal(memory_acquire(&c[k], holds[k], 0, &err), holds[k]);
        }
        consumer_add(&t, &x);
        assert_int_equal(memory_acquire(&x, all - 170, 0, &err), all - 170);
        order[0] = 0;
        int64_t got = memory_acquire(&x, cases[i].ask, cases[i].self, &err);
        assert_string_equal(order, cases[i].order);
        assert_int_equal(got, cases[i].got);
        task_memory_end(&t);
        assert_int_equal(memory_execution_used(m), 0);
    }
    memory_free(m);
    arena_release(&a);
}

static void a_failed_spill_is_an_error_and_holds_nothing(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 1024 * MB, 1);
    struct task_memory t;
    struct consumer x = { .name = "x" }, y = { .name = "y", .spill = spill_fails };
    struct err err = { 0 };

    (void)state;
    task_memory_begin(&t, m);
    consumer_add(&t, &x);
    consumer_add(&t, &y);
    assert_int_equal(memory_cover(&y, 1000, &err), MEMORY_GRANTED);
    assert_true(y.used_bytes >= 1000); /* in steps */
    int64_t held = y.used_bytes;
    assert_int_equal(memory_cover(&y, 1001, &err), MEMORY_GRANTED);
    assert_int_equal(y.used_bytes, held);
    assert_int_equal(memory_cover(&x, memory_pool_bytes(m), &err), MEMORY_FAILED);
    assert_string_equal(err.text, "disk full");
    assert_int_equal(x.used_bytes, 0);
    y.spill = NULL;
    assert_int_equal(memory_cover(&x, memory_pool_bytes(m), &err), MEMORY_SHORT);
    assert_int_equal(x.used_bytes, 0);
    task_memory_end(&t);
    assert_int_equal(memory_refused(7, 3, &err), ERR_LIMIT);
    assert_string_equal(err.text, "[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 7 bytes "
                                  "of memory, got 3.");
    memory_free(m);
    arena_release(&a);
}

/* ---- threads ---- */

struct waiter {
    struct memory *pool;
    struct task_memory task;
    int64_t ask, got;
    _Atomic bool stop;
};

static void *wait_for_share(void *arg)
{
    struct waiter *w = arg;
    struct consumer c = { .name = "w" };
    struct err err = { 0 };

    task_memory_begin(&w->task, w->pool);
    w->task.cancelled = &w->stop;
    consumer_add(&w->task, &c);
    w->got = memory_acquire(&c, w->ask, 0, &err);
    task_memory_end(&w->task);
    return NULL;
}

static void a_task_waits_for_its_least_share(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 1024 * MB, 2);
    int64_t all = memory_pool_bytes(m);
    struct task_memory t;
    struct consumer c = { .name = "c" };
    struct err err = { 0 };

    (void)state;
    for (int cancel = 0; cancel < 2; cancel++) {
        struct waiter w = { .pool = m, .ask = all };
        pthread_t thread;

        task_memory_begin(&t, m);
        consumer_add(&t, &c);
        assert_int_equal(memory_acquire(&c, all, 0, &err), all);
        pthread_create(&thread, NULL, wait_for_share, &w);
        usleep(20000);
        if (cancel)
            atomic_store(&w.stop, true);
        else
            memory_release(&c, all / 2);
        pthread_join(thread, NULL);
        assert_int_equal(w.got, cancel ? 0 : all / 2);
        task_memory_end(&t);
    }
    memory_free(m);
    arena_release(&a);
}

static void *grab_and_give(void *arg)
{
    struct memory *m = arg;
    struct err err = { 0 };

    for (int round = 0; round < 30; round++) {
        struct task_memory t;
        struct consumer c[3] = { { .name = "a", .spill = spill_all },
                                 { .name = "b", .spill = NULL },
                                 { .name = "c", .spill = NULL } };

        task_memory_begin(&t, m);
        for (int k = 0; k < 3; k++)
            consumer_add(&t, &c[k]);
        c[0].spill = NULL;
        for (int k = 0; k < 50; k++) {
            struct consumer *x = &c[k % 3];

            if (memory_acquire(x, 3 * MB, 0, &err) < 3 * MB)
                memory_release(x, x->used_bytes);
            if (k % 7 == 0)
                memory_release(x, x->used_bytes / 2);
        }
        task_memory_end(&t);
    }
    return NULL;
}

static void tasks_side_by_side_leave_nothing_behind(void **state)
{
    struct arena a = { 0 };
    struct memory *m = pool_of(&a, 512 * MB, 4);
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, grab_and_give, m);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(memory_execution_used(m), 0);
    memory_free(m);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_and_page_are_sparks),
        cmocka_unit_test(a_lone_task_may_have_all_two_a_half_each),
        cmocka_unit_test(storage_gives_what_is_free_and_takes_it_back),
        cmocka_unit_test(smallest_that_covers_spills_first_the_asking_one_last),
        cmocka_unit_test(a_failed_spill_is_an_error_and_holds_nothing),
        cmocka_unit_test(a_task_waits_for_its_least_share),
        cmocka_unit_test(tasks_side_by_side_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
