/* Which stage fed which: small applications with known answers, then every log. */
#include "analyzer/lineage.h"
#include "base/mem.h"
#include "tests/unit/load_helper.h"

#include <dirent.h>
#include <time.h>

#define MANY 100000

struct fixture {
    struct app app;
    struct arena arena;
    struct lineage lineage;
};

static void begin(struct fixture *f, size_t stages)
{
    *f = (struct fixture){ 0 };
    f->app.stages = xcalloc(stages, sizeof *f->app.stages);
    f->app.jobs = xcalloc(stages, sizeof *f->app.jobs);
    f->app.sqls = xcalloc(1, sizeof *f->app.sqls);
    f->app.accum_refs = xcalloc(64, sizeof *f->app.accum_refs);
    f->app.driver_accums = xcalloc(64, sizeof *f->app.driver_accums);
}

static void finish(struct fixture *f)
{
    app_release(&f->app);
    arena_release(&f->arena);
}

static uint32_t job(struct fixture *f, int64_t submitted_ms)
{
    f->app.jobs[f->app.n_jobs] =
        (struct job){ .job_id = (int64_t)f->app.n_jobs, .submitted_ms = submitted_ms };
    return (uint32_t)f->app.n_jobs++;
}

/* A stage of the job that ran in [start, end]; end APP_NONE: it was skipped. */
static struct stage *stage(struct fixture *f, int64_t id, int64_t attempt, uint32_t job_ix,
                           int64_t start_ms, int64_t end_ms, int64_t rdd_id)
{
    struct stage *s = &f->app.stages[f->app.n_stages++];
    bool ran = end_ms != APP_NONE;

    *s = (struct stage){ .stage_id = id,
                         .attempt = attempt,
                         .status = ran ? STAGE_COMPLETE : STAGE_SKIPPED,
                         .submitted_ms = ran ? start_ms : APP_NONE,
                         .completed_ms = end_ms,
                         .ran_for_job_ix = ran ? job_ix : IX_NONE,
                         .sql_execution_id = APP_NONE };
    s->job_ixs = arena_alloc(&f->arena, sizeof *s->job_ixs);
    s->job_ixs[0] = job_ix;
    s->n_jobs = 1;
    s->rdds = arena_array(&f->arena, 2, sizeof *s->rdds);
    s->rdds[0].id = rdd_id;
    s->n_rdds = 1;
    return s;
}

static void parents(struct fixture *f, struct stage *s, int64_t a, int64_t b)
{
    s->parent_ids.items = arena_array(&f->arena, 2, sizeof(int64_t));
    s->parent_ids.items[0] = a;
    s->parent_ids.items[1] = b;
    s->parent_ids.n = b < 0 ? 1 : 2;
}

static void wrote(struct stage *s, int64_t bytes, int64_t rows)
{
    s->total[METRIC_SHUFFLE_WRITE_BYTES] = bytes;
    s->total[METRIC_SHUFFLE_WRITE_ROWS] = rows;
}

static void has_read(struct stage *s, int64_t bytes, int64_t rows)
{
    s->total[METRIC_LOCAL_BYTES] = bytes;
    s->total[METRIC_SHUFFLE_READ_ROWS] = rows;
}

static int by_order(const struct link *a, const struct link *b)
{
    if (a->to_ix != b->to_ix)
        return a->to_ix < b->to_ix ? -1 : 1;
    if (a->from_ix != b->from_ix)
        return a->from_ix < b->from_ix ? -1 : 1;
    return (int)a->via - (int)b->via;
}

/* Order, positions and sums: what must hold for every application. */
static void check(struct fixture *f, const char *what)
{
    const struct lineage *l = &f->lineage;

    lineage_build(&f->lineage, &f->app, &f->arena);
    for (size_t i = 1; i < l->n_links; i++)
        if (by_order(&l->links[i - 1], &l->links[i]) >= 0)
            fail_msg("%s: links %zu and %zu", what, i - 1, i);
    assert_int_equal(l->first[0], 0);
    for (uint32_t ix = 0; ix < f->app.n_stages; ix++) {
        const struct stage *s = &f->app.stages[ix];
        int64_t bytes = 0, rows = 0;
        bool shuffles = false;

        for (uint32_t i = l->first[ix]; i < l->first[ix + 1]; i++) {
            const struct link *k = &l->links[i];

            if (k->to_ix != ix || k->from_ix >= f->app.n_stages)
                fail_msg("%s: link %u is in the wrong place", what, i);
            if (f->app.stages[k->from_ix].stage_id == s->stage_id)
                fail_msg("%s: stage at %u feeds itself", what, ix);
            if (k->via != VIA_SHUFFLE)
                continue;
            if (s->task.n > 0 && s->metrics_seen == 0) { /* it failed before it said anything */
                if (k->bytes != APP_NONE || k->rows != APP_NONE)
                    fail_msg("%s: volume of link %u is not in the log", what, i);
                continue;
            }
            if (k->bytes < 0 || k->rows < 0)
                fail_msg("%s: volume of link %u is negative", what, i);
            shuffles = true;
            bytes += k->bytes;
            rows += k->rows;
        }
        if (shuffles && (bytes != max_i64(0, stage_shuffle_read_bytes(s)) ||
                         rows != max_i64(0, s->total[METRIC_SHUFFLE_READ_ROWS])))
            fail_msg("%s: links into stage at %u do not add up to what it read", what, ix);
        if (l->source_ix[ix] != IX_NONE && !stage_ran(&f->app.stages[l->source_ix[ix]]))
            fail_msg("%s: original of stage at %u never ran", what, ix);
    }
    assert_int_equal(l->first[f->app.n_stages], l->n_links);
    if (l->skipped_found > l->skipped)
        fail_msg("%s: more originals than copies", what);
}

static const struct link *find(const struct fixture *f, uint32_t from, uint32_t to,
                               enum link_via via)
{
    for (size_t i = 0; i < f->lineage.n_links; i++) {
        const struct link *k = &f->lineage.links[i];

        if (k->from_ix == from && k->to_ix == to && k->via == via)
            return k;
    }
    fail_msg("no %s link from %u to %u", link_via_name(via), from, to);
    return NULL;
}

/* --- shuffles -------------------------------------------------------------------------------- */

/* Under AQE: the map stage is a job of its own, and comes again, skipped, in the next. */
static void a_skipped_stage_is_the_one_that_ran(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0), k = job(&f, 20);
    wrote(stage(&f, 0, 0, j, 0, 10, 5), 100, 7);
    stage(&f, 1, 0, k, 0, APP_NONE, 5);
    struct stage *s = stage(&f, 2, 0, k, 21, 30, 9);
    parents(&f, s, 1, -1);
    has_read(s, 90, 6);
    check(&f, "skipped");
    assert_int_equal(f.lineage.n_links, 1);
    const struct link *link = find(&f, 0, 2, VIA_SHUFFLE);
    assert_true(link->bytes == 90 && link->rows == 6 && !link->reused);
    assert_int_equal(f.lineage.source_ix[1], 0);
    assert_true(f.lineage.skipped == 1 && f.lineage.skipped_found == 1);
    finish(&f);
}

static void a_count_of_the_same_rdd_is_no_map_stage(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0), k = job(&f, 20), m = job(&f, 40);
    wrote(stage(&f, 0, 0, j, 0, 10, 5), 100, 7);
    stage(&f, 1, 0, k, 20, 30, 5); /* later, but wrote nothing */
    stage(&f, 2, 0, m, 0, APP_NONE, 5);
    check(&f, "count");
    assert_int_equal(f.lineage.source_ix[2], 0);
    finish(&f);
}

static void of_several_originals_the_last_before_the_copy(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t jobs[4];
    for (int i = 0; i < 4; i++)
        jobs[i] = job(&f, i * 20);
    wrote(stage(&f, 0, 0, jobs[0], 0, 10, 5), 1, 1);
    wrote(stage(&f, 1, 0, jobs[1], 20, 30, 5), 1, 1);
    stage(&f, 2, 0, jobs[2], 0, APP_NONE, 5);
    wrote(stage(&f, 3, 0, jobs[3], 60, 70, 5), 1, 1);
    check(&f, "several");
    assert_int_equal(f.lineage.source_ix[2], 1);
    finish(&f);
}

/* The output of a skipped stage is lost: its reader fails, the copy itself runs as its
 * second attempt, and then the reader again. */
static void each_attempt_reads_what_was_there(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0), k = job(&f, 20);
    wrote(stage(&f, 0, 0, j, 0, 10, 5), 100, 7);
    stage(&f, 2, 0, k, 0, APP_NONE, 5);
    wrote(stage(&f, 2, 1, k, 40, 50, 5), 60, 4);
    struct stage *first = stage(&f, 3, 0, k, 21, 35, 9), *second;
    first->status = STAGE_FAILED;
    second = stage(&f, 3, 1, k, 51, 60, 9);
    parents(&f, first, 2, -1);
    parents(&f, second, 2, -1);
    has_read(second, 100, 7);
    check(&f, "attempts");
    assert_int_equal(f.lineage.n_links, 2);
    find(&f, 0, 3, VIA_SHUFFLE);
    find(&f, 2, 4, VIA_SHUFFLE);
    finish(&f);
}

/* Half of the output is lost: who reads has one half from the repair, one from the
 * original. */
static void a_part_made_again_and_the_rest(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0), k = job(&f, 20);
    struct stage *s = stage(&f, 0, 0, j, 0, 10, 5);
    wrote(s, 100, 10);
    s->tasks = 4;
    s = stage(&f, 1, 0, k, 0, APP_NONE, 5);
    s->tasks = 4;
    s = stage(&f, 1, 1, k, 30, 40, 5);
    wrote(s, 60, 5);
    s->tasks = 2;
    s = stage(&f, 2, 0, k, 21, 29, 9);
    s->status = STAGE_FAILED;
    parents(&f, s, 1, -1);
    column_set(&s->task.field[TASK_ID], s->task.n++, 1, 1);
    s = stage(&f, 2, 1, k, 41, 50, 9);
    parents(&f, s, 1, -1);
    has_read(s, 100, 10);
    check(&f, "a part");
    assert_int_equal(f.lineage.again_ix[2], 0);
    assert_true(find(&f, 0, 3, VIA_SHUFFLE)->bytes == APP_NONE); /* it failed */
    assert_true(find(&f, 2, 4, VIA_SHUFFLE)->bytes == 60);
    assert_true(find(&f, 0, 4, VIA_SHUFFLE)->bytes == 40);
    finish(&f);
}

/* Stage 2 has another id than stage 0 and the same highest RDD: what else is there? */
static void a_stage_may_make_output_again_under_a_new_id(void **state)
{
    enum { ALL_TASKS = 4 };
    static const struct {
        const char *what;
        int64_t tasks, reader, sql_id;
        bool again;
    } cases[] = {
        { "fewer tasks than partitions", 2, 8, APP_NONE, true },
        { "read by the same RDD", ALL_TASKS, 7, APP_NONE, true },
        { "an exchange of SQL", ALL_TASKS, 8, 3, true },
        { "another shuffle of the RDD", ALL_TASKS, 8, APP_NONE, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;

        begin(&f, 8);
        uint32_t jobs[] = { job(&f, 0), job(&f, 40) };
        for (int k = 0; k < 2; k++) {
            struct stage *map = stage(&f, 2 * k, 0, jobs[k], 40 * k, 40 * k + 10, 5);
            struct stage *reader = stage(&f, 2 * k + 1, 0, jobs[k], 40 * k + 11, 40 * k + 20, 9);

            wrote(map, 100, 10);
            map->tasks = k ? cases[i].tasks : ALL_TASKS;
            map->rdds[0].partitions = ALL_TASKS;
            map->sql_execution_id = reader->sql_execution_id = cases[i].sql_id;
            parents(&f, reader, 2 * k, -1);
            has_read(reader, 100, 10);
            reader->rdds[1] = (struct rdd){ .id = k ? cases[i].reader : 7 };
            reader->rdds[1].parents.items = arena_array(&f.arena, 1, sizeof(int64_t));
            reader->rdds[1].parents.items[0] = 5;
            reader->rdds[1].parents.n = 1;
            reader->n_rdds = 2;
        }
        check(&f, cases[i].what);
        if ((f.lineage.again_ix[2] == 0) != cases[i].again)
            fail_msg("%s: %u", cases[i].what, f.lineage.again_ix[2]);
        finish(&f);
    }
}

static void volumes_follow_who_reads_whom(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0);
    wrote(stage(&f, 0, 0, j, 0, 10, 1), 100, 10);
    wrote(stage(&f, 1, 0, j, 0, 10, 2), 300, 3);
    struct stage *both = stage(&f, 2, 0, j, 11, 20, 3), *one = stage(&f, 3, 0, j, 11, 20, 4);
    parents(&f, both, 0, 1);
    parents(&f, one, 1, -1);
    has_read(both, 250, 11); /* all of stage 0, the rest is half of stage 1 */
    has_read(one, 150, 2);
    check(&f, "volumes");
    assert_true(find(&f, 0, 2, VIA_SHUFFLE)->bytes == 100);
    assert_true(find(&f, 0, 2, VIA_SHUFFLE)->rows == 10);
    assert_true(find(&f, 1, 2, VIA_SHUFFLE)->bytes == 150);
    assert_true(find(&f, 1, 2, VIA_SHUFFLE)->rows == 1);
    assert_true(find(&f, 1, 3, VIA_SHUFFLE)->bytes == 150);
    assert_false(find(&f, 0, 2, VIA_SHUFFLE)->reused);
    assert_true(find(&f, 1, 2, VIA_SHUFFLE)->reused && find(&f, 1, 3, VIA_SHUFFLE)->reused);
    finish(&f);
}

static void parents_written_by_more_are_split_in_proportion(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, 0);
    wrote(stage(&f, 0, 0, j, 0, 10, 1), 100, 1);
    wrote(stage(&f, 1, 0, j, 0, 10, 2), 200, 1);
    struct stage *s = stage(&f, 2, 0, j, 11, 20, 3);
    parents(&f, s, 0, 1);
    has_read(s, 100, 1); /* less than was written: AQE read a part only */
    check(&f, "proportion");
    assert_true(find(&f, 0, 2, VIA_SHUFFLE)->bytes == 33);
    assert_true(find(&f, 1, 2, VIA_SHUFFLE)->bytes == 67);
    finish(&f);
}

/* --- plans and caches -------------------------------------------------------------------------- */

static struct plan_node *node(struct fixture *f, const char *name, struct plan_node *left,
                              struct plan_node *right)
{
    struct plan_node *n = ARENA_NEW(&f->arena, struct plan_node);

    n->name = sv(name);
    n->children = arena_array(&f->arena, 2, sizeof(struct plan_node *));
    n->children[0] = left;
    n->children[1] = right;
    n->n_children = left ? right ? 2 : 1 : 0;
    return n;
}

/* Metrics in ascending order of accumulator, as the model has them. */
static struct plan_node *metric(struct fixture *f, struct plan_node *n, const char *name,
                                int64_t id, uint32_t stage_ix)
{
    struct plan_metric *m = arena_array(&f->arena, n->n_metrics + 1, sizeof *m);
    struct stage *s = stage_ix == IX_NONE ? NULL : &f->app.stages[stage_ix];

    if (n->n_metrics)
        memcpy(m, n->metrics, n->n_metrics * sizeof *m);
    m[n->n_metrics++] = (struct plan_metric){ sv(name), SV("sum"), id };
    n->metrics = m;
    if (!s) {
        f->app.driver_accums[f->app.n_driver_accums++] = (struct driver_accum){ 0, id, id * 10 };
        return n;
    }
    GROW(s->accums, s->n_accums, s->cap_accums);
    s->accums[s->n_accums] = (struct stage_accum){ .accumulator_id = id };
    f->app.accum_refs[f->app.n_accum_refs++] =
        (struct accum_ref){ id, stage_ix, (uint32_t)s->n_accums++ };
    return n;
}

static void plan(struct fixture *f, struct plan_node *root)
{
    struct sql *q = &f->app.sqls[0];

    f->app.n_sqls = 1;
    q->n_jobs = 2;
    GROW(q->plans, q->n_plans, q->cap_plans);
    q->plans[q->n_plans++] = root;
}

/*  Exchange            written by stage 1
 *    Join                no metrics of its own
 *      Scan              stage 1
 *      BroadcastExchange the driver's
 *        Filter          stage 0 */
static struct plan_node *broadcast_plan(struct fixture *f)
{
    struct plan_node *filter = metric(f, node(f, "Filter", NULL, NULL), "rows", 10, 0);
    struct plan_node *broadcast = node(f, "BroadcastExchange", filter, NULL);
    struct plan_node *scan, *join, *exchange;

    metric(f, metric(f, broadcast, "data size", 11, IX_NONE), "number of output rows", 12,
           IX_NONE);
    scan = metric(f, node(f, "Scan", NULL, NULL), "rows", 13, 1);
    join = node(f, "BroadcastHashJoin", scan, node(f, "BroadcastQueryStage", broadcast, NULL));
    exchange = node(f, "Exchange", join, NULL);
    metric(f, metric(f, exchange, "records read", 14, 2), "shuffle bytes written", 15, 1);
    return exchange;
}

static void three_stages(struct fixture *f)
{
    begin(f, 8);
    uint32_t j = job(f, 0), k = job(f, 20);
    stage(f, 0, 0, j, 0, 10, 1);
    stage(f, 1, 0, k, 21, 30, 2);
    stage(f, 2, 0, k, 31, 40, 3);
}

static void a_broadcast_feeds_the_stage_of_its_join(void **state)
{
    struct fixture f;

    (void)state;
    three_stages(&f);
    plan(&f, broadcast_plan(&f));
    check(&f, "broadcast");
    assert_int_equal(f.lineage.n_links, 1); /* the reader of the exchange is not fed by it */
    const struct link *link = find(&f, 0, 1, VIA_BROADCAST);
    assert_true(link->bytes == 110 && link->rows == 120 && !link->reused);
    finish(&f);
}

static void earlier_versions_of_a_plan_count(void **state)
{
    struct fixture f;

    (void)state;
    three_stages(&f);
    plan(&f, broadcast_plan(&f));
    plan(&f, node(&f, "LocalTableScan", NULL, NULL)); /* what is left of it */
    check(&f, "versions");
    find(&f, 0, 1, VIA_BROADCAST);
    finish(&f);
}

/* Dynamic pruning: the scan waits for a subquery that hands on a reused broadcast. */
static void a_subquery_feeds_the_operator_it_stands_under(void **state)
{
    struct fixture f;

    (void)state;
    three_stages(&f);
    struct plan_node *filter = metric(&f, node(&f, "Filter", NULL, NULL), "rows", 10, 0);
    struct plan_node *broadcast = node(&f, "BroadcastExchange", filter, NULL);
    struct plan_node *reused = node(&f, "ReusedExchange", broadcast, NULL);
    struct plan_node *subquery = node(&f, "SubqueryBroadcast", reused, NULL);
    plan(&f, metric(&f, node(&f, "Scan parquet", subquery, NULL), "rows", 11, 1));
    check(&f, "subquery");
    find(&f, 0, 1, VIA_SUBQUERY);
    finish(&f);
}

static void a_cached_rdd_is_read_from_who_computed_it(void **state)
{
    struct fixture f;

    (void)state;
    three_stages(&f);
    for (uint32_t ix = 0; ix < 3; ix++) {
        f.app.stages[ix].rdds[1] = (struct rdd){ .id = 0, .use_memory = ix != 2 };
        f.app.stages[ix].n_rdds = 2;
    }
    check(&f, "cache");
    assert_int_equal(f.lineage.n_links, 1); /* stage 2 has it unpersisted */
    assert_true(find(&f, 0, 1, VIA_CACHE)->bytes == APP_NONE);
    finish(&f);
}

/* --- hostile ------------------------------------------------------------------------------------ */

static int64_t cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void cycles_and_giant_ids_end(void **state)
{
    static const int64_t parent[][2] = { { 0, 1 }, { 0, INT64_MAX }, { INT64_MIN, 2 } };
    struct fixture f;

    (void)state;
    begin(&f, 8);
    uint32_t j = job(&f, APP_NONE);
    for (int i = 0; i < 3; i++) {
        struct stage *s = stage(&f, i, 0, j, 0, i == 1 ? APP_NONE : 10, 1);

        s->parent_ids = (struct ids){ arena_alloc(&f.arena, sizeof parent[i]), 2 };
        memcpy(s->parent_ids.items, parent[i], sizeof parent[i]);
        has_read(s, INT64_MAX, INT64_MIN);
        wrote(s, INT64_MIN, INT64_MAX);
    }
    check(&f, "cycles");
    finish(&f);
}

/* Long chains, one RDD for all, and a stage of very many attempts: none may cost more
 * than a little for each. */
static void many_stages_take_little_time(void **state)
{
    (void)state;
    for (int shape = 0; shape < 3; shape++) {
        struct fixture f;

        begin(&f, MANY);
        uint32_t j = job(&f, 0);
        for (int64_t i = 0; i < MANY; i++) {
            bool skipped = shape == 1 && i % 2;
            struct stage *s =
                stage(&f, shape == 2 ? 7 : i, shape == 2 ? i : 0, j, i * 10,
                      skipped ? APP_NONE : i * 10 + 9, shape == 1 ? 1 : i);

            s->completed_ms = shape == 2 ? APP_NONE : s->completed_ms;
            s->status = shape == 2 ? STAGE_FAILED : s->status;
            parents(&f, s, shape == 2 ? 7 : i - 1, shape == 2 ? 7 : i - 2);
        }
        int64_t from_ms = cpu_ms();
        check(&f, "many");
        if (cpu_ms() - from_ms > 3000)
            fail_msg("shape %d takes %lld ms", shape, (long long)(cpu_ms() - from_ms));
        finish(&f);
    }
}

/* --- every log there is ------------------------------------------------------------------------- */

static int64_t logs, skipped, found;

static void check_log(const char *path)
{
    for (size_t ix = 0, n = 1; ix < n; ix++) {
        struct fixture f = { 0 };
        struct err err = { 0 };

        if (!try_load(&f.app, path, ix, 1, &n, &err))
            return; /* not a log; tests of loading look after those */
        check(&f, path);
        logs++;
        skipped += f.lineage.skipped;
        found += f.lineage.skipped_found;
        if (f.lineage.skipped - f.lineage.skipped_found > 1)
            fail_msg("%s: %d of %d skipped stages have a known original", path,
                     (int)f.lineage.skipped_found, (int)f.lineage.skipped);
        finish(&f);
    }
}

/* A stage of a job that failed before it began, or of an empty one, has no original:
 * no log here has more than one of these. */
static void skipped_stages_of_logs_have_their_originals(void **state)
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
    print_message("%d logs: %d of %d skipped stages have a known original\n", (int)logs,
                  (int)found, (int)skipped);
    if (logs == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_skipped_stage_is_the_one_that_ran),
        cmocka_unit_test(a_count_of_the_same_rdd_is_no_map_stage),
        cmocka_unit_test(of_several_originals_the_last_before_the_copy),
        cmocka_unit_test(each_attempt_reads_what_was_there),
        cmocka_unit_test(a_part_made_again_and_the_rest),
        cmocka_unit_test(a_stage_may_make_output_again_under_a_new_id),
        cmocka_unit_test(volumes_follow_who_reads_whom),
        cmocka_unit_test(parents_written_by_more_are_split_in_proportion),
        cmocka_unit_test(a_broadcast_feeds_the_stage_of_its_join),
        cmocka_unit_test(earlier_versions_of_a_plan_count),
        cmocka_unit_test(a_subquery_feeds_the_operator_it_stands_under),
        cmocka_unit_test(a_cached_rdd_is_read_from_who_computed_it),
        cmocka_unit_test(cycles_and_giant_ids_end),
        cmocka_unit_test(many_stages_take_little_time),
        cmocka_unit_test(skipped_stages_of_logs_have_their_originals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
