/* The application's tables: columns, quantiles, SQL metrics, look-ups. */
#include "analyzer/app.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void columns_widen_and_keep_what_they_held(void **state)
{
    struct column c = { 0 };

    (void)state;
    column_set(&c, 5, 0, 16);
    assert_int_equal(c.width, 0); /* zeros cost nothing */
    column_set(&c, 3, UINT32_MAX, 16);
    assert_int_equal(c.width, 4);
    column_set(&c, 4, (int64_t)UINT32_MAX + 1, 16);
    assert_int_equal(c.width, 8);
    column_set(&c, 100, -1, 128);
    assert_true(column_get(&c, 3) == UINT32_MAX);
    assert_true(column_get(&c, 4) == (int64_t)UINT32_MAX + 1);
    assert_true(column_get(&c, 100) == -1);
    assert_true(column_get(&c, 99) == 0);
    assert_true(column_get(&c, 5000) == 0);
    column_set(&c, 3, 0, 128);
    assert_true(column_get(&c, 3) == 0);
    column_release(&c);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Against sorting, over sizes, value ranges (many equal) and arrangements. */
static void quantiles_are_those_of_the_sorted_values(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        uint32_t n = 1 + (uint32_t)(round % 97);
        uint64_t range = round % 3 == 0 ? 3 : round % 3 == 1 ? 100 : UINT64_MAX;
        int64_t values[97], sorted[97];

        for (uint32_t i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            values[i] = (int64_t)(round % 7 == 0 ? i : (seed >> 7) % range);
            sorted[i] = values[i];
        }
        qsort(sorted, n, sizeof *sorted, by_value);
        struct quantiles q = quantiles_of(values, n);
        for (uint32_t k = 0; k < 5; k++) {
            uint32_t rank = k * n / 4 < n ? k * n / 4 : n - 1;

            if (q.value[k] != sorted[rank])
                fail_msg("round %d, n %u, quantile %u", round, n, k);
        }
    }
    assert_int_equal(quantiles_of(NULL, 0).n, 0);
}

/* Two attempts of a stage: four tasks, of which the second attempt runs one again. */
static struct app *retried_stage(void)
{
    struct app *app = xcalloc(1, sizeof *app);

    app->stages = xcalloc(2, sizeof *app->stages);
    app->n_stages = 2;
    app->accum_refs = xcalloc(2, sizeof *app->accum_refs);
    for (uint32_t i = 0; i < 2; i++) {
        struct stage *s = &app->stages[i];

        s->stage_id = 3;
        s->attempt = i;
        s->tasks = i == 0 ? 4 : 1;
        s->slots = (uint32_t)s->tasks;
        s->slot_done = xcalloc(s->slots, 1);
        s->accums = xcalloc(1, sizeof *s->accums);
        s->n_accums = 1;
        s->accums[0].accumulator_id = 70;
        app->accum_refs[app->n_accum_refs++] = (struct accum_ref){ 70, i, 0 };
    }
    return app;
}

static void retried_stages_keep_the_metrics_of_their_first_attempt(void **state)
{
    struct app *app = retried_stage();
    static const int64_t first[] = { 10, 20, 999, 40 };

    (void)state;
    for (uint32_t slot = 0; slot < 4; slot++) {
        column_set(&app->stages[0].accums[0].value, slot, first[slot], 4);
        app->stages[0].slot_done[slot] = slot != 2; /* task 2 failed */
    }
    column_set(&app->stages[1].accums[0].value, 0, 30, 1);
    app->stages[1].slot_done[0] = 1;
    struct accum_summary a = app_accum(app, 70, SV("sum"));
    assert_int_equal(a.n, 4);
    assert_true(a.total == 100);
    assert_true(a.min == 10 && a.median == 30 && a.max == 40);
    assert_true(a.max_stage_id == 3 && a.max_attempt == 0 && a.max_index == 3);
    assert_int_equal(app_accum(app, 71, SV("sum")).n, 0);
    app_release(app);
    free(app);
}

static void untouched_tasks_count_as_zero_but_not_in_averages(void **state)
{
    struct app *app = retried_stage();

    (void)state;
    app->n_accum_refs = 1;
    column_set(&app->stages[0].accums[0].value, 1, 8, 4);
    struct accum_summary sum = app_accum(app, 70, SV("sum"));
    assert_int_equal(sum.n, 4);
    assert_true(sum.min == 0 && sum.median == 0 && sum.max == 8);
    struct accum_summary average = app_accum(app, 70, SV("average"));
    assert_int_equal(average.n, 1);
    assert_true(average.min == 8 && average.median == 8);
    app_release(app);
    free(app);
}

static void stages_are_found_by_id_and_attempt(void **state)
{
    struct app *app = retried_stage();

    (void)state;
    assert_int_equal(app_stage_ix(app, 3, 0), 0);
    assert_int_equal(app_stage_ix(app, 3, 1), 1);
    assert_true(app_stage_ix(app, 3, 2) == IX_NONE);
    assert_int_equal(app_stage_last_ix(app, 3), 1);
    assert_true(app_stage_last_ix(app, 2) == IX_NONE);
    assert_true(app_job_ix(app, 0) == IX_NONE);
    app_release(app);
    free(app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_widen_and_keep_what_they_held),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(retried_stages_keep_the_metrics_of_their_first_attempt),
        cmocka_unit_test(untouched_tasks_count_as_zero_but_not_in_averages),
        cmocka_unit_test(stages_are_found_by_id_and_attempt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
