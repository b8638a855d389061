/* The critical path and both ledgers: small applications with known answers, then what
 * must hold for every log, real or hostile. Times are ms after the application's start. */
#include "analyzer/ledger.h"
#include "base/mem.h"
#include "tests/unit/load_helper.h"

#include <dirent.h>
#include <time.h>

#define T0 INT64_C(1700000000000)
#define MOST 64 /* of anything in a fixture */

/* --- applications by hand --------------------------------------------------------------- */

struct fixture {
    struct app app;
    struct arena arena;
    struct lineage lineage;
    struct ledgers ledgers;
};

static int64_t at(int64_t ms)
{
    return ms == APP_NONE ? APP_NONE : T0 + ms;
}

static void begin(struct fixture *f, int64_t end_ms)
{
    *f = (struct fixture){ 0 };
    f->app.start_ms = T0;
    f->app.end_ms = T0 + end_ms;
    f->app.finished = true;
    f->app.task_cpus = 1;
    f->app.version_major = 3;
    f->app.version_minor = 5;
    f->app.stages = xcalloc(MOST, sizeof *f->app.stages);
    f->app.jobs = xcalloc(MOST, sizeof *f->app.jobs);
    f->app.sqls = xcalloc(MOST, sizeof *f->app.sqls);
    f->app.executors = xcalloc(MOST, sizeof *f->app.executors);
}

static void finish(struct fixture *f)
{
    app_release(&f->app);
    arena_release(&f->arena);
}

static void executor(struct fixture *f, int64_t cores, int64_t added_ms, int64_t removed_ms)
{
    f->app.executors[f->app.n_executors++] = (struct executor){
        .cores = cores,
        .added_ms = at(added_ms),
        .removed_ms = at(removed_ms),
        .resource_profile_id = 0,
    };
    f->app.cores_peak += cores;
}

static uint32_t job(struct fixture *f, int64_t start_ms, int64_t end_ms, int64_t sql_id)
{
    f->app.jobs[f->app.n_jobs] = (struct job){
        .job_id = (int64_t)f->app.n_jobs,
        .status = JOB_SUCCEEDED,
        .submitted_ms = at(start_ms),
        .completed_ms = at(end_ms),
        .sql_execution_id = sql_id,
        .started = true,
        .ended = end_ms != APP_NONE,
    };
    return (uint32_t)f->app.n_jobs++;
}

static void sql(struct fixture *f, int64_t id, int64_t start_ms, int64_t end_ms)
{
    f->app.sqls[f->app.n_sqls++] = (struct sql){ .execution_id = id,
                                                 .root_id = id,
                                                 .submitted_ms = at(start_ms),
                                                 .completed_ms = at(end_ms) };
}

/* A complete stage of the job, without tasks yet; parent -1: none. */
static struct stage *stage(struct fixture *f, int64_t id, int64_t attempt, uint32_t job_ix,
                           int64_t start_ms, int64_t end_ms, int64_t parent)
{
    struct stage *s = &f->app.stages[f->app.n_stages++];

    *s = (struct stage){ .stage_id = id,
                         .attempt = attempt,
                         .status = end_ms == APP_NONE ? STAGE_ACTIVE : STAGE_COMPLETE,
                         .submitted_ms = at(start_ms),
                         .completed_ms = at(end_ms),
                         .first_launch_ms = APP_NONE,
                         .ran_for_job_ix = job_ix,
                         .sql_execution_id = f->app.jobs[job_ix].sql_execution_id };
    s->job_ixs = arena_alloc(&f->arena, sizeof *s->job_ixs);
    s->job_ixs[0] = job_ix;
    s->n_jobs = 1;
    if (parent >= 0) {
        s->parent_ids.items = arena_alloc(&f->arena, sizeof *s->parent_ids.items);
        s->parent_ids.items[0] = parent;
        s->parent_ids.n = 1;
    }
    return s;
}

static void set(struct stage *s, struct column *c, uint32_t row, int64_t value)
{
    column_set(c, row, value, MOST);
    (void)s;
}

/* Runs half of its time on the CPU. */
static void task(struct stage *s, int64_t index, int64_t start_ms, int64_t end_ms,
                 enum task_state state)
{
    uint32_t row = s->task.n++;
    int64_t flags = TASK_FLAG_STARTED | (int64_t)state << TASK_STATE_SHIFT;

    set(s, &s->task.field[TASK_ID], row, row);
    set(s, &s->task.field[TASK_INDEX], row, index);
    set(s, &s->task.field[TASK_PARTITION], row, index);
    set(s, &s->task.field[TASK_LAUNCH_MS], row, at(start_ms));
    s->tasks = max_i64(s->tasks, index + 1);
    if (s->first_launch_ms == APP_NONE || at(start_ms) < s->first_launch_ms)
        s->first_launch_ms = at(start_ms);
    if (state != TASK_RUNNING) {
        flags |= TASK_FLAG_ENDED | TASK_FLAG_HAS_METRICS;
        set(s, &s->task.field[TASK_FINISH_MS], row, at(end_ms));
        set(s, &s->task.metric[METRIC_RUN_MS], row, end_ms - start_ms);
        set(s, &s->task.metric[METRIC_CPU_NS], row, (end_ms - start_ms) * 500000);
        s->metrics_seen |= 1u << METRIC_RUN_MS | 1u << METRIC_CPU_NS;
    }
    set(s, &s->task.field[TASK_FLAGS], row, flags);
    s->completed_tasks += state == TASK_SUCCESS;
    s->completed_indices += state == TASK_SUCCESS;
    s->failed_tasks += state == TASK_FAILED;
    s->killed_tasks += state == TASK_KILLED;
}

static void flag(struct stage *s, uint32_t row, unsigned flags)
{
    set(s, &s->task.field[TASK_FLAGS], row,
        task_field(&s->task, row, TASK_FLAGS) | (int64_t)flags);
}

/* --- what must hold always ------------------------------------------------------------------ */

#define SPAN_LIMIT_MS INT64_C(4000000000000)

static void check_segments(const struct fixture *f, const char *what)
{
    const struct ledgers *l = &f->ledgers;
    int64_t at_ms = f->app.start_ms, wall[WALL_COUNT] = { 0 };

    for (size_t i = 0; i < l->n_segments; i++) {
        const struct segment *s = &l->segments[i];
        int64_t sum = 0;

        if (s->start_ms != at_ms || s->end_ms <= s->start_ms)
            fail_msg("%s: segment %zu does not follow", what, i);
        if ((s->kind == SEGMENT_DRIVER) != (s->stage_ix == IX_NONE))
            fail_msg("%s: segment %zu has the wrong owner", what, i);
        if (s->stage_ix != IX_NONE && !l->stages[s->stage_ix].critical)
            fail_msg("%s: segment %zu is not critical", what, i);
        for (int e = 0; e < WALL_COUNT; e++) {
            if (s->ms[e] < 0)
                fail_msg("%s: segment %zu, %s is negative", what, i,
                         wall_entry_name((enum wall_entry)e));
            sum += s->ms[e];
            wall[e] += s->ms[e];
        }
        if (sum != s->end_ms - s->start_ms)
            fail_msg("%s: segment %zu is divided wrongly", what, i);
        at_ms = s->end_ms;
    }
    for (int e = 0; e < WALL_COUNT; e++)
        assert_true(wall[e] == l->wall_ms[e]);
    if (at_ms != f->app.start_ms + l->wall_total_ms)
        fail_msg("%s: the path ends early", what);
}

static void check_stages(const struct fixture *f, const char *what)
{
    const struct ledgers *l = &f->ledgers;
    int64_t on_path = 0, of_stages = 0;

    for (size_t i = 0; i < l->n_segments; i++)
        on_path += l->segments[i].kind == SEGMENT_DRIVER
                       ? 0
                       : l->segments[i].end_ms - l->segments[i].start_ms;
    for (uint32_t ix = 0; ix < f->app.n_stages; ix++) {
        int64_t sum = 0;

        if (l->stages[ix].slack_ms < 0 || (l->stages[ix].critical && l->stages[ix].slack_ms))
            fail_msg("%s: slack of stage at %u", what, ix);
        for (int e = 0; e < WALL_COUNT; e++)
            sum += ledger_stage_ms(l, ix, (enum wall_entry)e);
        assert_true(sum == ledger_stage_wall_ms(l, ix));
        of_stages += sum;
    }
    if (on_path != of_stages)
        fail_msg("%s: look-ups by stage miss segments", what);
}

static void check(struct fixture *f, const char *what)
{
    int64_t span_ms = 0, sum = 0;

    if (f->app.start_ms != APP_NONE && f->app.end_ms != APP_NONE)
        span_ms = min_i64(max_i64(0, sub_sat(f->app.end_ms, f->app.start_ms)), SPAN_LIMIT_MS);
    lineage_build(&f->lineage, &f->app, &f->arena);
    ledgers_build(&f->ledgers, &f->app, &f->lineage, &f->arena);
    if (f->ledgers.wall_total_ms != span_ms)
        fail_msg("%s: total is %lld, not the span", what, (long long)f->ledgers.wall_total_ms);
    if (f->ledgers.n_segments || span_ms)
        check_segments(f, what);
    check_stages(f, what);
    for (int e = 0; e < CORE_COUNT; e++) {
        if (f->ledgers.core_ms[e] < 0)
            fail_msg("%s: core %s is negative", what, core_entry_name((enum core_entry)e));
        sum += f->ledgers.core_ms[e];
    }
    if (sum != f->ledgers.core_total_ms)
        fail_msg("%s: core time does not add up", what);
}

/* --- known answers --------------------------------------------------------------------------- */

struct wall {
    enum wall_entry entry;
    int64_t ms;
};

/* Exactly these entries, and no others. */
static void wall_is(const struct fixture *f, const struct wall *want, size_t n)
{
    int64_t ms[WALL_COUNT] = { 0 };

    for (size_t i = 0; i < n; i++)
        ms[want[i].entry] = want[i].ms;
    for (int e = 0; e < WALL_COUNT; e++)
        if (f->ledgers.wall_ms[e] != ms[e])
            fail_msg("%s is %lld, not %lld", wall_entry_name((enum wall_entry)e),
                     (long long)f->ledgers.wall_ms[e], (long long)ms[e]);
}
#define WALL_IS(f, ...)                                                                  \
    wall_is((f), (const struct wall[]){ __VA_ARGS__ },                                   \
            ARRAY_LEN(((const struct wall[]){ __VA_ARGS__ })))

struct core {
    enum core_entry entry;
    int64_t ms;
};

static void core_is(const struct fixture *f, const struct core *want, size_t n)
{
    int64_t ms[CORE_COUNT] = { 0 };

    for (size_t i = 0; i < n; i++)
        ms[want[i].entry] = want[i].ms;
    for (int e = 0; e < CORE_COUNT; e++)
        if (f->ledgers.core_ms[e] != ms[e])
            fail_msg("%s is %lld, not %lld", core_entry_name((enum core_entry)e),
                     (long long)f->ledgers.core_ms[e], (long long)ms[e]);
}
#define CORE_IS(f, ...)                                                                  \
    core_is((f), (const struct core[]){ __VA_ARGS__ },                                   \
            ARRAY_LEN(((const struct core[]){ __VA_ARGS__ })))

static void two_stages_in_a_row(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1000);
    executor(&f, 2, 100, APP_NONE);
    uint32_t j = job(&f, 200, 900, APP_NONE);
    struct stage *a = stage(&f, 0, 0, j, 200, 500, -1), *b = stage(&f, 1, 0, j, 510, 900, 0);
    for (int i = 0; i < 2; i++) {
        task(a, i, 210, 500, TASK_SUCCESS);
        task(b, i, 520, 900, TASK_SUCCESS);
    }
    check(&f, "two stages");
    WALL_IS(&f, { WALL_STARTUP, 100 }, { WALL_DRIVER_CODE, 110 }, { WALL_SHUTDOWN, 100 },
            { WALL_SCHEDULING, 20 }, { WALL_COMPUTE, 335 }, { WALL_IO_AND_OTHER, 335 });
    CORE_IS(&f, { CORE_COMPUTE, 670 }, { CORE_IO_AND_OTHER, 670 }, { CORE_IDLE_BEFORE, 200 },
            { CORE_IDLE_AFTER, 200 }, { CORE_IDLE_DRIVER, 20 }, { CORE_IDLE_SCHEDULING, 40 });
    assert_int_equal(f.ledgers.n_segments, 8);
    assert_true(ledger_stage_wall_ms(&f.ledgers, 0) == 300);
    assert_true(ledger_stage_ms(&f.ledgers, 1, WALL_SCHEDULING) == 10);
    assert_false(f.ledgers.core_clipped);
    finish(&f);
}

static void the_last_task_of_a_stage_is_its_tail(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 400);
    executor(&f, 2, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 400, APP_NONE), 0, 400, -1);
    task(s, 0, 0, 400, TASK_SUCCESS);
    for (int i = 1; i < 4; i++)
        task(s, i, i * 100 - 100, i * 100, TASK_SUCCESS);
    check(&f, "tail");
    WALL_IS(&f, { WALL_COMPUTE, 175 }, { WALL_IO_AND_OTHER, 175 }, { WALL_STRAGGLER_TAIL, 50 });
    CORE_IS(&f, { CORE_COMPUTE, 350 }, { CORE_IO_AND_OTHER, 350 }, { CORE_IDLE_TAIL, 100 });
    finish(&f);
}

static void a_stage_smaller_than_the_cluster_has_too_few_tasks(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 300);
    executor(&f, 1, 0, APP_NONE);
    executor(&f, 2, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 300, APP_NONE), 0, 300, -1);
    task(s, 0, 0, 300, TASK_SUCCESS);
    check(&f, "too few");
    WALL_IS(&f, { WALL_COMPUTE, 50 }, { WALL_IO_AND_OTHER, 50 }, { WALL_TOO_FEW_TASKS, 200 });
    CORE_IS(&f, { CORE_COMPUTE, 150 }, { CORE_IO_AND_OTHER, 150 },
            { CORE_IDLE_TOO_FEW_TASKS, 600 });
    finish(&f);
}

static void before_the_first_executor_a_stage_waits_for_one(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 800);
    executor(&f, 1, 600, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 100, 800, APP_NONE), 100, 800, -1);
    task(s, 0, 600, 800, TASK_SUCCESS);
    check(&f, "late executor");
    WALL_IS(&f, { WALL_STARTUP, 100 }, { WALL_WAIT_EXECUTORS, 500 }, { WALL_COMPUTE, 100 },
            { WALL_IO_AND_OTHER, 100 });
    finish(&f);
}

static void a_queued_stage_hands_the_path_to_whom_it_queued_for(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 600);
    executor(&f, 2, 0, APP_NONE);
    struct stage *a = stage(&f, 0, 0, job(&f, 100, 500, APP_NONE), 100, 500, -1);
    struct stage *b = stage(&f, 1, 0, job(&f, 200, 600, APP_NONE), 200, 600, -1);
    for (int i = 0; i < 2; i++) {
        task(a, i, 100, 500, TASK_SUCCESS);
        task(b, i, 500, 600, TASK_SUCCESS);
    }
    check(&f, "queue");
    assert_true(f.ledgers.stages[0].critical && f.ledgers.stages[1].critical);
    assert_true(f.ledgers.wall_ms[WALL_QUEUEING] == 0);
    assert_true(ledger_stage_wall_ms(&f.ledgers, 0) == 400);
    finish(&f);
}

static void work_that_did_not_count_is_retries(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 200);
    executor(&f, 2, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 200, APP_NONE), 0, 200, -1);
    task(s, 0, 0, 100, TASK_FAILED);
    task(s, 1, 0, 200, TASK_SUCCESS);
    task(s, 0, 100, 200, TASK_SUCCESS);
    set(s, &s->task.field[TASK_ATTEMPT], 2, 1);
    check(&f, "failed task");
    WALL_IS(&f, { WALL_COMPUTE, 75 }, { WALL_IO_AND_OTHER, 75 }, { WALL_RETRIES, 50 });
    CORE_IS(&f, { CORE_COMPUTE, 150 }, { CORE_IO_AND_OTHER, 150 }, { CORE_FAILED, 100 });
    finish(&f);
}

/* While a task is at its first try, its second one does not wait yet. */
static void what_is_tried_again_waits_from_the_first_try_on(void **state)
{
    struct fixture f;

    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        begin(&f, 400);
        executor(&f, 2, 0, APP_NONE);
        struct stage *s = stage(&f, 0, 0, job(&f, 0, 400, APP_NONE), 0, 400, -1);
        task(s, 0, 0, 300, copy ? TASK_KILLED : TASK_FAILED);
        task(s, 1, 0, 100, TASK_SUCCESS);
        task(s, 0, copy ? 200 : 300, 400, TASK_SUCCESS);
        flag(s, 2, copy ? TASK_FLAG_SPECULATIVE : 0);
        set(s, &s->task.field[TASK_ATTEMPT], 2, 1);
        check(&f, "tried again");
        assert_true(f.ledgers.core_ms[CORE_IDLE_SCHEDULING] == 0);
        assert_true(f.ledgers.wall_ms[WALL_SCHEDULING] == 0);
        finish(&f);
    }
}

/* The map stage was done under another id; its output was lost, and a second attempt of
 * the copy computes one partition again. */
static void a_lost_partition_is_recomputed(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 400);
    executor(&f, 2, 0, APP_NONE);
    uint32_t j = job(&f, 0, 400, APP_NONE);
    struct stage *first = stage(&f, 0, 0, j, 0, 100, -1);
    for (int i = 0; i < 2; i++)
        task(first, i, 0, 100, TASK_SUCCESS);
    struct stage *again = stage(&f, 0, 1, j, 100, 400, -1);
    task(again, 0, 100, 400, TASK_SUCCESS); /* partition 1 as index 0 */
    set(again, &again->task.field[TASK_PARTITION], 0, 1);
    check(&f, "recomputed");
    assert_true(f.ledgers.core_ms[CORE_RECOMPUTED] == 300);
    /* all of it, the idle slot beside it too, is there for the loss alone */
    assert_true(ledger_stage_ms(&f.ledgers, 1, WALL_RETRIES) == 300);
    finish(&f);
}

/* A later job finds half of the output lost and runs its map stage under a new id. */
static void a_partition_recomputed_under_a_new_id_counts_too(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 400);
    executor(&f, 2, 0, APP_NONE);
    for (int k = 0; k < 2; k++) {
        uint32_t j = job(&f, 200 * k, 200 * k + 200, APP_NONE);
        struct stage *s = stage(&f, k, 0, j, 200 * k, 200 * k + 200, -1);

        s->rdds = ARENA_NEW(&f.arena, struct rdd);
        s->rdds[0] = (struct rdd){ .id = 5, .partitions = 2 };
        s->n_rdds = 1;
        s->total[METRIC_SHUFFLE_WRITE_ROWS] = 10;
        for (int i = 0; i < 2 - k; i++)
            task(s, i, 200 * k, 200 * k + 200, TASK_SUCCESS);
    }
    check(&f, "recomputed under a new id");
    assert_true(f.ledgers.core_ms[CORE_RECOMPUTED] == 200);
    assert_true(ledger_stage_ms(&f.ledgers, 0, WALL_RETRIES) == 0);
    assert_true(ledger_stage_ms(&f.ledgers, 1, WALL_RETRIES) == 200);
    finish(&f);
}

/* Three tasks whose ends are not in the log: the first went with its executor, the
 * second was over when its stage was, the third may have run to the end. */
static void a_task_without_an_end_stops_where_it_must_have(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 400);
    executor(&f, 1, 0, 100);
    executor(&f, 2, 0, APP_NONE);
    uint32_t j = job(&f, 0, 400, APP_NONE);
    struct stage *s = stage(&f, 0, 0, j, 0, 200, -1);
    task(s, 0, 0, 0, TASK_RUNNING);
    task(s, 1, 0, 0, TASK_RUNNING);
    set(s, &s->task.field[TASK_EXECUTOR_IX], 1, 1);
    s = stage(&f, 1, 0, j, 200, APP_NONE, -1);
    task(s, 0, 300, 0, TASK_RUNNING);
    set(s, &s->task.field[TASK_EXECUTOR_IX], 0, 1);
    check(&f, "no ends");
    assert_true(f.ledgers.core_ms[CORE_IO_AND_OTHER] == 100 + 200 + 100);
    finish(&f);
}

/* Two profiles at once: four cores for tasks of one, four others for tasks of two. */
static void a_profile_has_executors_and_tasks_of_its_own(void **state)
{
    static struct resource_profile profiles[] = { { .id = 0, .task_cpus = 1 },
                                                  { .id = 7, .task_cpus = 2 } };
    struct fixture f;

    (void)state;
    begin(&f, 200);
    executor(&f, 4, 0, APP_NONE);
    executor(&f, 4, 0, APP_NONE);
    f.app.executors[1].resource_profile_id = 7;
    f.app.profiles = xmalloc(sizeof profiles); /* the application frees it */
    memcpy(f.app.profiles, profiles, sizeof profiles);
    f.app.n_profiles = ARRAY_LEN(profiles);
    uint32_t j = job(&f, 0, 200, APP_NONE);
    struct stage *s = stage(&f, 0, 0, j, 0, 200, -1);
    s->resource_profile_id = 7;
    task(s, 0, 0, 100, TASK_SUCCESS);
    task(s, 1, 0, 200, TASK_SUCCESS);
    check(&f, "profiles");
    /* both slots of two cores work for 100 ms, then one */
    assert_true(ledger_stage_ms(&f.ledgers, 0, WALL_STRAGGLER_TAIL) == 50);
    assert_true(f.ledgers.core_ms[CORE_COMPUTE] == 300);
    finish(&f);
}

/* A profile for tasks alone runs on the executors of the default one. */
static void a_profile_without_executors_shares_the_default_ones(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 100);
    executor(&f, 4, 0, APP_NONE);
    f.app.profiles = xcalloc(1, sizeof *f.app.profiles);
    f.app.profiles[0] = (struct resource_profile){ .id = 7, .task_cpus = 2 };
    f.app.n_profiles = 1;
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 100, APP_NONE), 0, 100, -1);
    s->resource_profile_id = 7;
    task(s, 0, 0, 100, TASK_SUCCESS);
    task(s, 1, 0, 100, TASK_SUCCESS);
    check(&f, "profile without executors");
    assert_true(ledger_stage_ms(&f.ledgers, 0, WALL_TOO_FEW_TASKS) == 0);
    assert_true(f.ledgers.core_ms[CORE_COMPUTE] == 200);
    assert_true(f.ledgers.core_total_ms == 400);
    finish(&f);
}

static void resubmitted_work_and_losing_copies(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 300);
    executor(&f, 2, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 300, APP_NONE), 0, 300, -1);
    task(s, 0, 0, 100, TASK_SUCCESS); /* lost with its executor */
    flag(s, 0, TASK_FLAG_RESUBMITTED);
    task(s, 0, 100, 200, TASK_SUCCESS);
    flag(s, 1, TASK_FLAG_DUPLICATE);
    task(s, 1, 0, 200, TASK_SUCCESS);
    task(s, 1, 200, 300, TASK_SUCCESS); /* a copy that came second */
    flag(s, 3, TASK_FLAG_DUPLICATE | TASK_FLAG_SPECULATIVE);
    check(&f, "resubmitted");
    assert_true(f.ledgers.core_ms[CORE_RECOMPUTED] == 100);
    assert_true(f.ledgers.core_ms[CORE_KILLED] == 100);
    assert_true(f.ledgers.core_ms[CORE_COMPUTE] == 150);
    finish(&f);
}

/* What happens between two jobs outside SQL is on the path, not the driver's time. */
static void a_query_between_two_jobs_is_on_the_path(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 900);
    executor(&f, 1, 0, APP_NONE);
    sql(&f, 7, 250, 750);
    static const int64_t span[][2] = { { 100, 200 }, { 300, 700 }, { 800, 900 } };
    for (int i = 0; i < 3; i++) {
        struct stage *s = stage(&f, i, 0, job(&f, span[i][0], span[i][1], i == 1 ? 7 : APP_NONE),
                                span[i][0], span[i][1], -1);
        task(s, 0, span[i][0], span[i][1], TASK_SUCCESS);
    }
    check(&f, "query between jobs");
    for (int i = 0; i < 3; i++)
        assert_true(f.ledgers.stages[i].critical);
    WALL_IS(&f, { WALL_DRIVER_CODE, 200 }, { WALL_PLANNING, 100 }, { WALL_COMPUTE, 300 },
            { WALL_IO_AND_OTHER, 300 });
    finish(&f);
}

/* Two groups side by side: the path stays in the one that ends last. */
static void groups_beside_each_other_are_kept_apart(void **state)
{
    static const struct {
        int64_t start_ms, end_ms;
        const char *group;
    } runs[] = { { 0, 100, "a" }, { 0, 140, "b" }, { 150, 300, "a" }, { 145, 200, "b" } };
    struct fixture f;

    (void)state;
    begin(&f, 300);
    executor(&f, 4, 0, APP_NONE);
    f.app.strings.arena = &f.app.arena;
    for (int i = 0; i < 4; i++) {
        uint32_t j = job(&f, runs[i].start_ms, runs[i].end_ms, APP_NONE);
        struct stage *s = stage(&f, i, 0, j, runs[i].start_ms, runs[i].end_ms, -1);

        f.app.jobs[j].group = intern(&f.app.strings, sv(runs[i].group));
        task(s, 0, runs[i].start_ms, runs[i].end_ms, TASK_SUCCESS);
    }
    check(&f, "groups");
    assert_true(f.ledgers.stages[0].critical && f.ledgers.stages[2].critical);
    assert_false(f.ledgers.stages[1].critical || f.ledgers.stages[3].critical);
    assert_true(f.ledgers.wall_ms[WALL_DRIVER_CODE] == 50);
    finish(&f);
}

static void slack_is_what_a_parent_had_to_spare(void **state)
{
    struct fixture f;
    int64_t parents[] = { 0, 1 };

    (void)state;
    begin(&f, 700);
    executor(&f, 4, 0, APP_NONE);
    uint32_t j = job(&f, 100, 600, APP_NONE), k = job(&f, 610, 700, APP_NONE);
    static const int64_t span[][2] = { { 100, 300 }, { 100, 500 }, { 510, 600 }, { 610, 700 } };
    for (int i = 0; i < 4; i++) {
        struct stage *s = stage(&f, i, 0, i < 3 ? j : k, span[i][0], span[i][1], -1);

        task(s, 0, span[i][0], span[i][1], TASK_SUCCESS);
        if (i == 2)
            s->parent_ids = (struct ids){ parents, 2 };
    }
    check(&f, "slack");
    assert_true(f.ledgers.stages[0].slack_ms == 200);
    for (int i = 1; i < 4; i++)
        assert_true(f.ledgers.stages[i].critical);
    finish(&f);
}

/* A job beside the path, of a chain that the next chain waited for as a whole. */
static void a_whole_chain_is_waited_for(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 700);
    executor(&f, 4, 0, APP_NONE);
    sql(&f, 1, 50, 510);
    sql(&f, 2, 550, 700);
    uint32_t j = job(&f, 100, 300, 1), k = job(&f, 100, 500, 1), m = job(&f, 600, 700, 2);
    task(stage(&f, 0, 0, j, 100, 300, -1), 0, 100, 300, TASK_SUCCESS);
    task(stage(&f, 1, 0, k, 100, 500, -1), 0, 100, 500, TASK_SUCCESS);
    task(stage(&f, 2, 0, m, 600, 700, -1), 0, 600, 700, TASK_SUCCESS);
    check(&f, "chains");
    assert_true(f.ledgers.stages[0].slack_ms == 200);
    assert_true(f.ledgers.wall_ms[WALL_PLANNING] == 110);
    finish(&f);
}

static void nothing_ran(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 500);
    check(&f, "no jobs");
    WALL_IS(&f, { WALL_DRIVER_CODE, 500 });
    finish(&f);
    begin(&f, 500);
    executor(&f, 3, 200, 400);
    check(&f, "no jobs, an executor");
    assert_true(f.ledgers.wall_ms[WALL_STARTUP] == 200);
    CORE_IS(&f, { CORE_IDLE_BEFORE, 600 });
    finish(&f);
    begin(&f, 0);
    check(&f, "no time");
    assert_int_equal(f.ledgers.n_segments, 0);
    finish(&f);
    begin(&f, 10);
    f.app.start_ms = APP_NONE;
    check(&f, "no start");
    finish(&f);
}

static void a_log_that_grows_ends_where_it_ends(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 500);
    f.app.finished = false;
    executor(&f, 1, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 100, APP_NONE, APP_NONE), 100, APP_NONE, -1);
    s->tasks = 2;
    task(s, 0, 100, 300, TASK_SUCCESS);
    task(s, 1, 300, APP_NONE, TASK_RUNNING);
    check(&f, "in progress");
    WALL_IS(&f, { WALL_DRIVER_CODE, 100 }, { WALL_COMPUTE, 200 }, { WALL_IO_AND_OTHER, 200 });
    finish(&f);
}

static void more_tasks_than_cores_raise_the_offer(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 100);
    executor(&f, 1, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 100, APP_NONE), 0, 100, -1);
    for (int i = 0; i < 3; i++)
        task(s, i, 0, 100, TASK_SUCCESS);
    check(&f, "clipped");
    assert_true(f.ledgers.core_clipped);
    assert_true(f.ledgers.core_total_ms == 300);
    finish(&f);
}

static void the_parts_of_a_task_fill_it(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1000);
    executor(&f, 1, 0, APP_NONE);
    struct stage *s = stage(&f, 0, 0, job(&f, 0, 1000, APP_NONE), 0, 1000, -1);
    task(s, 0, 0, 1000, TASK_SUCCESS);
    static const struct {
        enum task_metric metric;
        int64_t value;
    } metrics[] = {
        { METRIC_DESERIALIZE_MS, 50 }, { METRIC_RESULT_SERIALIZE_MS, 20 },
        { METRIC_RUN_MS, 900 },        { METRIC_CPU_NS, 400600000 },
        { METRIC_GC_MS, 100 },         { METRIC_FETCH_WAIT_MS, 80 },
        { METRIC_SHUFFLE_WRITE_NS, 60400000 }, { METRIC_SPILL_DISK_BYTES, 12500000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        set(s, &s->task.metric[metrics[i].metric], 0, metrics[i].value);
    check(&f, "parts");
    WALL_IS(&f, { WALL_DESERIALISE, 50 }, { WALL_RESULT, 20 }, { WALL_SCHEDULER_DELAY, 30 },
            { WALL_COMPUTE, 401 }, { WALL_GC, 100 }, { WALL_SHUFFLE_READ_WAIT, 80 },
            { WALL_SHUFFLE_WRITE, 60 }, { WALL_SPILL, 200 }, { WALL_IO_AND_OTHER, 59 });
    finish(&f);
}

/* --- every log there is ------------------------------------------------------------------------ */

static int logs_checked;

static void check_log(const char *path)
{
    for (size_t ix = 0, n = 1; ix < n; ix++) {
        struct fixture f = { 0 };
        struct err err = { 0 };

        if (!try_load(&f.app, path, ix, 1, &n, &err))
            return; /* not a log; tests of loading look after those */
        check(&f, path);
        logs_checked++;
        finish(&f);
    }
}

static void logs_of_all_kinds_add_up(void **state)
{
    static const char *const folders[] = { SHARED_LOGS "/labelled", SHARED_LOGS "/real",
                                           SHARED_LOGS "/history-server",
                                           SHARED_LOGS "/minimal", "tests/data/logs",
                                           "tests/data/minimal" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        struct dirent **names;
        int n = scandir(folders[i], &names, NULL, alphasort);

        for (int k = 0; k < n; k++) {
            char path[1024];

            snprintf(path, sizeof path, "%s/%s", folders[i], names[k]->d_name);
            if (names[k]->d_name[0] != '.')
                check_log(path);
            free(names[k]);
        }
        if (n >= 0)
            free(names);
    }
    if (logs_checked == 0)
        skip();
}

/* --- hostile applications ------------------------------------------------------------------------ */

static uint64_t seed;

static int64_t pick(int64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((seed >> 33) % (uint64_t)below);
}

/* Mostly inside the application, sometimes anywhere at all. */
static int64_t odd_time(int64_t span_ms)
{
    static const int64_t ends[] = { APP_NONE, INT64_MIN + 1, -1, 0, 1, INT64_MAX };

    if (pick(12) == 0)
        return ends[pick(ARRAY_LEN(ends))];
    return T0 + pick(span_ms * 3 / 2 + 1) - span_ms / 4;
}

static int64_t odd_number(void)
{
    static const int64_t numbers[] = { 0, 1, -1, 7, 1000, INT64_C(1) << 40, INT64_MAX,
                                       INT64_MIN, INT64_MIN + 1 };

    return pick(3) ? pick(2000) : numbers[pick(ARRAY_LEN(numbers))];
}

static void odd_stage(struct fixture *f, int64_t span_ms)
{
    struct stage *last = f->app.n_stages ? &f->app.stages[f->app.n_stages - 1] : NULL;
    bool again = last && pick(4) == 0;
    int64_t id = again ? last->stage_id : last ? last->stage_id + 1 + pick(2) : pick(2);
    struct stage *s = stage(f, id, again ? last->attempt + 1 : 0,
                            (uint32_t)pick((int64_t)f->app.n_jobs), 0, 1, -1);

    s->submitted_ms = odd_time(span_ms);
    s->completed_ms = odd_time(span_ms);
    s->status = (enum stage_status)pick(5);
    s->ran_for_job_ix = pick(3) ? s->ran_for_job_ix : IX_NONE;
    s->parent_ids.n = (size_t)pick(4);
    s->parent_ids.items = arena_array(&f->arena, 4, sizeof(int64_t));
    for (size_t i = 0; i < s->parent_ids.n; i++)
        s->parent_ids.items[i] = pick(8) ? pick(20) : odd_number();
    s->n_rdds = (size_t)pick(3);
    s->rdds = arena_array(&f->arena, 3, sizeof *s->rdds);
    for (size_t i = 0; i < s->n_rdds; i++)
        s->rdds[i] = (struct rdd){ .id = pick(5), .use_memory = pick(2) };
    for (int m = 0; m < METRIC_COUNT; m++)
        s->total[m] = odd_number();
    for (int64_t i = pick(12); i > 0; i--) {
        task(s, pick(6), 0, 1, (enum task_state)pick(4));
        uint32_t row = s->task.n - 1;

        set(s, &s->task.field[TASK_LAUNCH_MS], row, odd_time(span_ms));
        set(s, &s->task.field[TASK_FINISH_MS], row, pick(5) ? odd_time(span_ms) : 0);
        set(s, &s->task.field[TASK_EXECUTOR_IX], row, pick(5));
        set(s, &s->task.field[TASK_ATTEMPT], row, pick(3));
        flag(s, row, (unsigned)pick(64));
        for (int m = 0; m < METRIC_COUNT; m++)
            set(s, &s->task.metric[m], row, odd_number());
    }
    s->first_launch_ms = pick(3) ? s->first_launch_ms : odd_time(span_ms);
    s->tasks = pick(3) ? s->tasks : odd_number();
    s->metrics_seen = (uint32_t)pick(1 << 30);
}

static void odd_app(struct fixture *f)
{
    static const int64_t spans[] = { 1, 10, 1000, 100000, INT64_C(1) << 41, INT64_MAX / 4 };
    int64_t span_ms = spans[pick(ARRAY_LEN(spans))];

    begin(f, span_ms);
    f->app.finished = pick(2);
    f->app.task_cpus = (double)(1 + pick(3));
    f->app.local_mode = pick(4) == 0;
    for (int64_t i = pick(5); i > 0; i--) {
        executor(f, pick(4), 0, APP_NONE);
        struct executor *x = &f->app.executors[f->app.n_executors - 1];

        x->cores = pick(6) ? x->cores : odd_number();
        x->is_driver = pick(5) == 0;
        x->added_ms = odd_time(span_ms);
        x->removed_ms = odd_time(span_ms);
    }
    for (int64_t i = 0, n = pick(5); i < n; i++) {
        sql(f, i, 0, 1);
        f->app.sqls[i].root_id = pick(5);
        f->app.sqls[i].submitted_ms = odd_time(span_ms);
        f->app.sqls[i].completed_ms = odd_time(span_ms);
    }
    for (int64_t i = 1 + pick(6); i > 0; i--) {
        uint32_t j = job(f, 0, 1, pick(2) ? pick(6) : APP_NONE);

        f->app.jobs[j].submitted_ms = odd_time(span_ms);
        f->app.jobs[j].completed_ms = odd_time(span_ms);
        f->app.jobs[j].group = pick(2) ? (struct sv){ 0 } : pick(2) ? SV("a") : SV("b");
        f->app.jobs[j].ended = pick(2);
    }
    for (int64_t i = pick(12); i > 0; i--)
        odd_stage(f, span_ms);
}

static void hostile_applications_add_up_too(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 4000; round++) {
        struct fixture f;
        char what[32];

        seed = round;
        snprintf(what, sizeof what, "seed %d", (int)round);
        odd_app(&f);
        check(&f, what);
        finish(&f);
    }
}

/* --- size ------------------------------------------------------------------------------------------- */

static int64_t cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 500 stages of 2,000 tasks on 200 cores, one after the other. */
static void a_million_tasks(void **state)
{
    enum { STAGES = 500, TASKS = 2000, CORES = 200 };
    struct fixture f;

    (void)state;
    begin(&f, STAGES * 1000);
    f.app.stages = xrealloc(f.app.stages, STAGES * sizeof *f.app.stages);
    executor(&f, CORES, 0, APP_NONE);
    uint32_t j = job(&f, 0, STAGES * 1000, APP_NONE);
    for (int64_t i = 0; i < STAGES; i++) {
        struct stage *s = stage(&f, i, 0, j, i * 1000, i * 1000 + 999, i - 1);

        for (uint32_t row = 0; row < TASKS; row++) {
            int64_t start_ms = at(i * 1000 + row / CORES * 99);

            column_set(&s->task.field[TASK_ID], row, row, TASKS);
            column_set(&s->task.field[TASK_INDEX], row, row, TASKS);
            column_set(&s->task.field[TASK_PARTITION], row, row, TASKS);
            column_set(&s->task.field[TASK_LAUNCH_MS], row, start_ms, TASKS);
            column_set(&s->task.field[TASK_FINISH_MS], row, start_ms + 90 + row % 8, TASKS);
            column_set(&s->task.field[TASK_FLAGS], row,
                       TASK_FLAG_ENDED | TASK_FLAG_HAS_METRICS | TASK_SUCCESS << TASK_STATE_SHIFT,
                       TASKS);
            for (int m = 0; m < METRIC_COUNT; m++)
                column_set(&s->task.metric[m], row, m == METRIC_RUN_MS ? 80 : 1 + row % 40, TASKS);
        }
        s->task.n = TASKS;
        s->tasks = s->completed_tasks = TASKS;
        s->first_launch_ms = at(i * 1000);
        s->metrics_seen = UINT32_MAX;
    }
    int64_t from_ms = cpu_ms();
    check(&f, "a million tasks");
    print_message("a million tasks: %lld ms of CPU time\n", (long long)(cpu_ms() - from_ms));
    for (uint32_t ix = 0; ix < STAGES; ix++)
        assert_true(f.ledgers.stages[ix].critical);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_stages_in_a_row),
        cmocka_unit_test(the_last_task_of_a_stage_is_its_tail),
        cmocka_unit_test(a_stage_smaller_than_the_cluster_has_too_few_tasks),
        cmocka_unit_test(before_the_first_executor_a_stage_waits_for_one),
        cmocka_unit_test(a_queued_stage_hands_the_path_to_whom_it_queued_for),
        cmocka_unit_test(work_that_did_not_count_is_retries),
        cmocka_unit_test(what_is_tried_again_waits_from_the_first_try_on),
        cmocka_unit_test(a_lost_partition_is_recomputed),
        cmocka_unit_test(a_partition_recomputed_under_a_new_id_counts_too),
        cmocka_unit_test(a_task_without_an_end_stops_where_it_must_have),
        cmocka_unit_test(a_profile_has_executors_and_tasks_of_its_own),
        cmocka_unit_test(a_profile_without_executors_shares_the_default_ones),
        cmocka_unit_test(resubmitted_work_and_losing_copies),
        cmocka_unit_test(a_query_between_two_jobs_is_on_the_path),
        cmocka_unit_test(groups_beside_each_other_are_kept_apart),
        cmocka_unit_test(slack_is_what_a_parent_had_to_spare),
        cmocka_unit_test(a_whole_chain_is_waited_for),
        cmocka_unit_test(nothing_ran),
        cmocka_unit_test(a_log_that_grows_ends_where_it_ends),
        cmocka_unit_test(more_tasks_than_cores_raise_the_offer),
        cmocka_unit_test(the_parts_of_a_task_fill_it),
        cmocka_unit_test(logs_of_all_kinds_add_up),
        cmocka_unit_test(hostile_applications_add_up_too),
        cmocka_unit_test(a_million_tasks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
