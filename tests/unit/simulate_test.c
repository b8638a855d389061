/* The replay: tables by hand with known ends, then what must hold for every log: played
 * without an edit it ends when the run did, and edits keep their promises. */
#include "rules/remedy.h"
#include "rules/scale.h"
#include "tests/unit/load_helper.h"

#include <dirent.h>
#include <math.h>

/* --- tables by hand -------------------------------------------------------------------
 */

enum { MOST = 16 };

struct fixture {
    struct arena arena;
    struct sim_table t;
};

static void begin(struct fixture *f, int32_t slots)
{
    *f = (struct fixture){ 0 };
    f->t.stages = arena_array(&f->arena, MOST, sizeof *f->t.stages);
    f->t.executors = arena_array(&f->arena, MOST, sizeof *f->t.executors);
    f->t.n_pools = 1;
    f->t.executors[f->t.n_executors++] =
        (struct sim_executors){ .stage_ix = IX_NONE, .slots = slots };
}

/* A stage of n tasks of run_ms each, lag_ms after `after` (IX_NONE: after the start). */
static struct sim_stage *stage(struct fixture *f, uint32_t n, int32_t run_ms,
                               uint32_t after, int64_t lag_ms)
{
    struct sim_stage *x = &f->t.stages[f->t.n_stages++];

    *x =
        (struct sim_stage){ .present = true, .n = n, .chain = IX_NONE, .lag_ms = lag_ms };
    x->tasks = arena_array(&f->arena, n, sizeof *x->tasks);
    for (uint32_t i = 0; i < n; i++)
        x->tasks[i] = (struct sim_task){ .rank = (int64_t)(f->t.n_tasks + i),
                                         .run_ms = run_ms,
                                         .row = i,
                                         .prior = IX_NONE,
                                         .flags = SIM_COUNTS };
    f->t.n_tasks += n;
    if (after != IX_NONE) {
        x->after = arena_array(&f->arena, 1, sizeof *x->after);
        x->after[0] = after;
        x->n_after = 1;
    }
    return x;
}

static struct sim_result play(struct fixture *f, const struct sim_table *t)
{
    struct sim_result r;

    sim_replay(&r, t, &f->arena, true);
    return r;
}

static void ends(struct fixture *f, int64_t wanted)
{
    struct sim_result r = play(f, &f->t);

    assert_int_equal(r.end_ms, wanted);
    assert_false(r.stuck);
}

static void tasks_take_turns_on_slots(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 2);
    stage(&f, 5, 100, IX_NONE, 10);
    ends(&f, 310);
    f.t.executors[0].slots = 5;
    ends(&f, 110);
    f.t.stages[0].end_lag_ms = 7;
    f.t.tail_ms = 20;
    ends(&f, 137);
    arena_release(&f.arena);
}

static void stages_wait_for_stages(void **state)
{
    struct fixture f;
    struct sim_result r;

    (void)state;
    begin(&f, 4);
    stage(&f, 4, 100, IX_NONE, 0);
    stage(&f, 2, 50, 0, 5);
    stage(&f, 2, 300, IX_NONE, 0); /* shares the slots with the first */
    r = play(&f, &f.t);
    assert_int_equal(r.stages[1].start_ms, 105);
    assert_int_equal(r.stages[1].end_ms, 155);
    assert_int_equal(r.stages[2].end_ms, 400);
    sim_remove(&f.t, 0);
    r = play(&f, &f.t);
    assert_int_equal(r.stages[1].start_ms, 5);
    assert_int_equal(r.end_ms, 300);
    arena_release(&f.arena);
}

static void chains_wait_for_all_before(void **state)
{
    static uint32_t both[] = { 0, 1 };
    struct fixture f;

    (void)state;
    begin(&f, 8);
    stage(&f, 1, 100, IX_NONE, 0);
    stage(&f, 1, 250, IX_NONE, 0);
    stage(&f, 1, 10, IX_NONE, 3);
    f.t.chains = arena_array(&f.arena, 1, sizeof *f.t.chains);
    f.t.chains[0] = (struct sim_chain){ both, 2 };
    f.t.n_chains = 1;
    f.t.stages[2].chain = 0;
    f.t.stages[2].chain_at = 2;
    ends(&f, 263);
    f.t.stages[2].chain_at = 1;
    ends(&f, 250);
    arena_release(&f.arena);
}

static void executors_come_and_go(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1);
    stage(&f, 4, 100, IX_NONE, 0);
    f.t.executors[f.t.n_executors++] =
        (struct sim_executors){ .stage_ix = 0, .lag_ms = 150, .slots = 1 };
    ends(&f, 300); /* 0-100, 100-200, 150-250, 200-300 */
    f.t.executors[f.t.n_executors++] =
        (struct sim_executors){ .stage_ix = 0, .lag_ms = 210, .slots = -1 };
    f.t.stages[0].n = 3;
    ends(&f, 250);
    arena_release(&f.arena);
}

static void attempts_follow_each_other(void **state)
{
    struct fixture f;
    struct sim_stage *x;

    (void)state;
    begin(&f, 4);
    x = stage(&f, 3, 100, IX_NONE, 0);
    x->retried = true;
    x->tasks[0].flags = 0; /* failed */
    x->tasks[2].prior = 0;
    ends(&f, 200);
    sim_drop_retries(&f.t, 0, 1, &f.arena);
    ends(&f, 100);
    /* a copy that comes when the original has ended does not run */
    x = &f.t.stages[0];
    x->tasks[0] =
        (struct sim_task){ .run_ms = 100, .prior = IX_NONE, .flags = SIM_COUNTS };
    x->tasks[2].flags = SIM_COPY;
    x->tasks[2].run_ms = 500;
    x->tasks[2].delay_ms = 100;
    ends(&f, 100);
    arena_release(&f.arena);
}

static void what_cannot_run_is_said(void **state)
{
    struct fixture f;
    struct sim_result r;

    (void)state;
    begin(&f, 0);
    stage(&f, 2, 100, IX_NONE, 0);
    r = play(&f, &f.t);
    assert_true(r.stuck);
    assert_int_equal(r.end_ms, 100);
    arena_release(&f.arena);
    begin(&f, 2); /* two stages that wait for each other */
    stage(&f, 1, 100, 1, 0);
    stage(&f, 1, 100, 0, 0);
    r = play(&f, &f.t);
    assert_true(r.stuck);
    assert_int_equal(r.end_ms, 200);
    arena_release(&f.arena);
}

static void edits_change_tasks(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 4);
    stage(&f, 4, 100, IX_NONE, 0);
    f.t.stages[0].tasks[3].run_ms = 900;
    sim_level(&f.t, 0, 600, &f.arena); /* 900 -> 300, 200 for each of the others */
    ends(&f, 300);
    assert_int_equal(sim_task_ms(&f.t), 1200);
    sim_shrink(&f.t, 0, 0.5, &f.arena);
    ends(&f, 150);
    sim_slots_times(&f.t, 2, &f.arena);
    assert_int_equal(sim_slots_peak(&f.t), 8);
    sim_split(&f.t, 0, 2, 0.5, &f.arena);
    assert_int_equal(f.t.n_tasks, 8);
    ends(&f, 75);
    sim_slots_fixed(&f.t, 1, &f.arena);
    ends(&f, 600);
    sim_shorten_lag(&f.t, 0, 50); /* there is none */
    ends(&f, 600);
    arena_release(&f.arena);
}

/* --- every log
 * -------------------------------------------------------------------------- */

struct errors {
    double *of;
    size_t n, cap;
};

static void errors_add(struct errors *e, double error)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 64;
        e->of = realloc(e->of, e->cap * sizeof *e->of);
        assert_non_null(e->of);
    }
    e->of[e->n++] = error;
}

static void nothing_changes(void *ctx, struct sim_table *t, enum bound bound,
                            struct arena *arena)
{
    (void)ctx, (void)t, (void)bound, (void)arena;
}

/* More slots, faster tasks, another seed: what cannot make a run longer does not. List
 * scheduling has anomalies, where a task in time takes a slot that another needed: within
 * a twentieth. */
static void edits_hold(const char *path, const struct analysis *a,
                       const struct sim_table *t, const struct sim_result *base)
{
    struct arena scratch = { 0 };
    struct sim_table copy;
    struct sim_result r;
    struct forecast f;

    sim_copy(&copy, t, &scratch);
    sim_slots_times(&copy, 2, &scratch);
    sim_replay(&r, &copy, &scratch, false);
    if ((double)r.end_ms > 1.05 * (double)base->end_ms + 50)
        fail_msg("%s: twice the slots take %lld instead of %lld ms", path,
                 (long long)r.end_ms, (long long)base->end_ms);
    sim_copy(&copy, t, &scratch);
    for (uint32_t ix = 0; ix < copy.n_stages; ix++)
        sim_shrink(&copy, ix, 0.5, &scratch);
    sim_replay(&r, &copy, &scratch, false);
    if ((double)r.end_ms > 1.05 * (double)base->end_ms + 50)
        fail_msg("%s: half the work takes %lld instead of %lld ms", path,
                 (long long)r.end_ms, (long long)base->end_ms);
    forecast(&f, t, base, nothing_changes, NULL, FORECAST_SAMPLES, &scratch);
    assert_int_equal(f.expected_ms, t->end_ms);
    assert_true(f.low_ms <= f.expected_ms && f.expected_ms <= f.high_ms);

    struct what_if same = { .data = 1 };
    struct scale scale;
    scale_build(&scale, a, &same, &scratch);
    forecast(&f, t, base, scale_edit, &scale, FORECAST_SAMPLES, &scratch);
    if (f.expected_ms - t->end_ms > 20 || t->end_ms - f.expected_ms > 20)
        fail_msg("%s: once the data takes %lld instead of %lld ms", path,
                 (long long)f.expected_ms, (long long)t->end_ms);
    same.data = 3;
    scale_build(&scale, a, &same, &scratch);
    forecast(&f, t, base, scale_edit, &scale, FORECAST_SAMPLES, &scratch);
    if (f.expected_ms + 50 < t->end_ms)
        fail_msg("%s: three times the data takes %lld instead of %lld ms", path,
                 (long long)f.expected_ms, (long long)t->end_ms);
    assert_true(f.low_ms <= f.expected_ms && f.expected_ms <= f.high_ms);
    arena_release(&scratch);
}

static void savings_hold(const char *path, const struct analysis *a)
{
    struct arena scratch = { 0 };
    struct findings found;
    int64_t claimed = 0;

    rules_run(&found, a, &scratch);
    for (size_t i = 0; i < found.n; i++) {
        const struct finding *f = &found.items[i];
        int64_t own = 0;

        for (size_t c = 0; c < f->n_claims; c++)
            own += f->claims[c].expected_ms;
        claimed += own;
        if (f->expected_ms > own || f->low_ms > f->expected_ms ||
            f->expected_ms > f->high_ms)
            fail_msg("%s: %s saves %lld (%lld to %lld) of %lld ms claimed", path,
                     f->rule->id, (long long)f->expected_ms, (long long)f->low_ms,
                     (long long)f->high_ms, (long long)own);
    }
    if (found.saving_ms > claimed)
        fail_msg("%s: all together save %lld of %lld ms claimed", path,
                 (long long)found.saving_ms, (long long)claimed);
    if (found.saving_ms > 0)
        assert_true(found.wall_ms.low <= found.wall_ms.expected &&
                    found.wall_ms.expected <= found.wall_ms.high &&
                    found.wall_ms.expected == a->ledgers.wall_total_ms - found.saving_ms);
    arena_release(&scratch);
}

static void one_log(const char *path, struct errors *errors)
{
    size_t n = 1;

    for (size_t i = 0; i < n; i++) {
        struct analysis a = { 0 };
        struct sim_table t;
        struct sim_result r;
        struct err err = { 0 };

        if (!try_load(&a.app, path, i, 0, &n, &err))
            continue;
        analysis_build(&a);
        sim_build(&t, &a.app, &a.lineage, &a.ledgers, &a.arena);
        sim_replay(&r, &t, &a.arena, true);
        if (t.n_tasks && t.end_ms > 0) {
            if (a.app.finished)
                errors_add(errors,
                           fabs((double)(r.end_ms - t.end_ms)) / (double)t.end_ms);
            edits_hold(path, &a, &t, &r);
        }
        savings_hold(path, &a);
        analysis_release(&a);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void replays_end_when_the_runs_did(void **state)
{
    static const char *const folders[] = {
        SHARED_LOGS "/labelled", SHARED_LOGS "/real", SHARED_LOGS "/history-server",
        SHARED_LOGS "/minimal",  "tests/data/logs",   "tests/data/minimal"
    };
    struct errors errors = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        DIR *dir = opendir(folders[i]);
        struct dirent *e;

        while (dir && (e = readdir(dir)) != NULL) {
            char path[512];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", folders[i], e->d_name);
            one_log(path, &errors);
        }
        if (dir)
            closedir(dir);
    }
    assert_true(errors.n > 20);
    qsort(errors.of, errors.n, sizeof *errors.of, by_size);
    print_message("%zu logs: median %.3f %%, ninth decile %.3f %%, worst %.3f %%\n",
                  errors.n, 100 * errors.of[errors.n / 2],
                  100 * errors.of[errors.n * 9 / 10], 100 * errors.of[errors.n - 1]);
    assert_true(errors.of[errors.n / 2] < 0.001);
    assert_true(errors.of[errors.n * 9 / 10] < 0.01);
    assert_true(errors.of[errors.n - 1] < 0.04);
    free(errors.of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_take_turns_on_slots),
        cmocka_unit_test(stages_wait_for_stages),
        cmocka_unit_test(chains_wait_for_all_before),
        cmocka_unit_test(executors_come_and_go),
        cmocka_unit_test(attempts_follow_each_other),
        cmocka_unit_test(what_cannot_run_is_said),
        cmocka_unit_test(edits_change_tasks),
        cmocka_unit_test(replays_end_when_the_runs_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
