/* Volumes, task counts and task times under a change. See scale.h.
 *
 * Data goes through the stages: what reads files has `data` times as much; what reads
 * shuffles has as many times more as the stages it reads from put out, each by its bytes.
 * A stage that groups down to few rows puts out as many per task as it did, whatever it
 * reads. Task times are a fixed part and one that goes with the task's data. */
#include "rules/scale.h"

#include "base/mem.h"
#include "rules/finding.h"
#include "rules/node.h"

#include <math.h>
#include <stdlib.h>

/* What starting costs, and rows: Spark 3.5 on one core, an aggregate, a join and a sort
 * of 0.1, 0.4 and 1.6 million rows, three times each in one JVM. A pipeline that reads
 * Parquet did 11 (strings) to 30 million rows a second, fetching, sorting and merging 1.3
 * to 1.6; rows in earnest are wider. The first query of its kind took 0.3 to 1 s more
 * than the third (classes, generated code, compilation), which falls on the first wave of
 * tasks. */
#define ROWS_PER_MS_FILES 4000.0
#define ROWS_PER_MS_SHUFFLE 1000.0
#define START_MS_FIRST 500.0      /* at most, of a task in its stage's first wave */
#define START_MS_LATER 50.0       /* .. and in later ones, and where rows are not known */
#define MERGED_ROWS_PER_MS 1600.0 /* rows that a join would shuffle, sort and merge */
#define GROUPED_SHARE 0.05 /* rows out of rows in: below, groups are all there are */
#define HOT_RATIO 4.0      /* times the median's data: one key, that no cut divides */
#define ROW_EXPANSION 5.0  /* rows in memory against their compressed shuffle bytes */
#define FLOOR_BYTES                                                                      \
    134217728.0 /* two pages of 64 MiB: what a sort or a hash map takes at once */
#define BROADCAST_MOST_BYTES                                                             \
    (INT64_C(8) << 30) /* BroadcastExchangeExec.MAX_BROADCAST_TABLE_BYTES */
#define MANY_TASKS 1e6
#define TASKS_PLAYED 5e6 /* at most, in one replay */

/* --- the cluster ----------------------------------------------------------------------
 */

static int64_t executors_now(const struct app *app)
{
    return max_i64(app->executors_peak, 1);
}

static int64_t cores_now(const struct app *app)
{
    int64_t cores = conf_executor_cores(app);

    return cores > 0 ? cores : max_i64(app->cores_peak / executors_now(app), 1);
}

static int64_t cores_then(const struct scale *s)
{
    return s->what.cores > 0 ? s->what.cores : cores_now(&s->analysis->app);
}

static int64_t executors_then(const struct scale *s)
{
    return s->what.executors > 0 ? s->what.executors : executors_now(&s->analysis->app);
}

static double slots_ratio(const struct scale *s)
{
    const struct app *app = &s->analysis->app;

    return (double)(executors_then(s) * cores_then(s)) /
           (double)(executors_now(app) * cores_now(app));
}

/* Execution memory of one task where all slots of an executor are busy; 0: not known. */
static double grant_bytes(const struct scale *s, bool then)
{
    const struct app *app = &s->analysis->app;
    int64_t region = conf_execution_region_bytes(app);

    if (then && s->what.memory_bytes > 0)
        region = conf_region_of_heap_bytes(app, s->what.memory_bytes);
    if (region <= 0)
        return 0;
    return (double)region / (double)max_i64(then ? cores_then(s) : cores_now(app), 1);
}

/* --- how many tasks
 * --------------------------------------------------------------------- */

static double parallelism(const struct scale *s, bool then)
{
    const struct app *app = &s->analysis->app;
    int64_t n = conf_default_parallelism(app);
    enum conf_source source = conf_get(app, NULL, "spark.default.parallelism").source;

    if (n <= 0)
        n = 1;
    if (then && source != CONF_SET && source != CONF_SESSION)
        return fmax(1, (double)n * slots_ratio(s));
    return (double)n;
}

/* Largest piece of a file that one task reads (FilePartition.maxSplitBytes). */
static double split_bytes(const struct scale *s, const struct sql *q, double total,
                          bool then)
{
    const struct app *app = &s->analysis->app;
    double most =
        (double)conf_bytes(app, q, "spark.sql.files.maxPartitionBytes", 128 << 20);
    double open = (double)conf_bytes(app, q, "spark.sql.files.openCostInBytes", 4 << 20);

    return fmin(most, fmax(open, total / parallelism(s, then)));
}

/* Size of a reducer that adaptive execution joins small ones to. */
static double reducer_bytes(const struct scale *s, const struct sql *q, double total,
                            bool then)
{
    const struct app *app = &s->analysis->app;
    double wanted = (double)conf_bytes(
        app, q, "spark.sql.adaptive.advisoryPartitionSizeInBytes", 64 << 20);
    double least = (double)conf_bytes(
        app, q, "spark.sql.adaptive.coalescePartitions.minPartitionSize", 1 << 20);

    if (!conf_bool(app, q, "spark.sql.adaptive.coalescePartitions.parallelismFirst",
                   true))
        return wanted;
    return fmin(wanted, fmax(least, total / parallelism(s, then)));
}

static uint32_t at_least(uint32_t n, double wanted, double most)
{
    return (uint32_t)fmin(fmax(wanted, n > most ? n : 1), fmin(most, 1e7));
}

static uint32_t scan_tasks(const struct scale *s, const struct stage *x, uint32_t n,
                           double volume)
{
    const struct sql *q = stage_sql(&s->analysis->app, x);
    double bytes = (double)x->total[METRIC_INPUT_BYTES], now, then;

    if (!q || bytes <= 0)
        return at_least(n, ceil(n * volume), 1e7);
    now = bytes / split_bytes(s, q, bytes, false);
    then = bytes * volume / split_bytes(s, q, bytes * volume, true);
    return at_least(n, round(n * then / fmax(now, 1e-9)), 1e7);
}

static uint32_t reduce_tasks(const struct scale *s, const struct stage *x, uint32_t n,
                             double volume)
{
    const struct app *app = &s->analysis->app;
    const struct sql *q = stage_sql(app, x);
    double initial = (double)conf_initial_shuffle_partitions(app, q), most = initial;
    double bytes = (double)stage_shuffle_read_bytes(x);
    bool joined =
        q && conf_aqe_on(app, q) && n < initial &&
        conf_bool(app, q, "spark.sql.adaptive.coalescePartitions.enabled", true);

    if (s->what.partitions > 0)
        most = (double)s->what.partitions;
    if (joined && bytes > 0)
        return at_least(
            1,
            round(n * (bytes * volume / reducer_bytes(s, q, bytes * volume, true)) /
                  fmax(bytes / reducer_bytes(s, q, bytes, false), 1e-9)),
            most);
    return s->what.partitions > 0 && q && n >= initial && initial > 0
               ? (uint32_t)fmin(most, 1e7)
               : n;
}

/* --- what the stages have
 * ----------------------------------------------------------------- */

static bool groups_down(const struct stage *x)
{
    double in =
        (double)add_sat(x->total[METRIC_INPUT_ROWS], x->total[METRIC_SHUFFLE_READ_ROWS]);
    double out = (double)x->total[METRIC_SHUFFLE_WRITE_ROWS];

    return in > 0 && out > 0 && out < GROUPED_SHARE * in;
}

static double put_out(const struct scale *s, uint32_t ix)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    const struct scale_stage *k = &s->stages[ix];

    if (!groups_down(x) || k->n == 0)
        return k->volume;
    return fmin(k->volume, (double)k->n / (double)max_i64(x->completed_indices, 1));
}

static double volume_of(const struct scale *s, uint32_t ix, bool *reads_shuffle)
{
    const struct lineage *l = &s->analysis->lineage;
    const struct stage *x = &s->analysis->app.stages[ix];
    double bytes = 0, more = 0, files = (double)x->total[METRIC_INPUT_BYTES];

    for (uint32_t i = l->first[ix]; i < l->first[ix + 1]; i++) {
        const struct link *k = &l->links[i];
        double weight = k->bytes > 0 ? (double)k->bytes : 1;

        if (k->via != VIA_SHUFFLE || s->stages[k->from_ix].n == 0)
            continue;
        bytes += weight;
        more += weight * put_out(s, k->from_ix);
    }
    *reads_shuffle = bytes > files;
    if (bytes > 0)
        return (more + files * s->what.data) / (bytes + files);
    return files > 0 || x->total[METRIC_INPUT_ROWS] > 0 ||
                   x->total[METRIC_SHUFFLE_WRITE_BYTES] > 0
               ? s->what.data
               : 1;
}

struct by_start {
    int64_t ms;
    uint32_t ix;
};

static int start_order(const void *a, const void *b)
{
    const struct by_start *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->ix < y->ix ? -1 : x->ix > y->ix;
}

static struct by_start *in_order(const struct app *app)
{
    struct by_start *order = xmalloc(mem_product(app->n_stages + 1, sizeof *order));

    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        order[ix] = (struct by_start){ app->stages[ix].submitted_ms, ix };
    if (app->n_stages)
        qsort(order, app->n_stages, sizeof *order, start_order);
    return order;
}

static void find_volumes(struct scale *s)
{
    const struct app *app = &s->analysis->app;
    struct by_start *order = in_order(app);

    for (size_t i = 0; i < app->n_stages; i++) {
        uint32_t ix = order[i].ix, n;
        const struct stage *x = &app->stages[ix];
        struct scale_stage *k = &s->stages[ix];
        bool reads_shuffle;

        n = (uint32_t)min_i64(x->completed_indices, UINT32_MAX);
        if (!stage_ran(x) || n == 0)
            continue;
        k->volume = volume_of(s, ix, &reads_shuffle);
        if (reads_shuffle)
            k->n = reduce_tasks(s, x, n, k->volume);
        else if (x->total[METRIC_INPUT_BYTES] > 0 || x->total[METRIC_INPUT_ROWS] > 0)
            k->n = scan_tasks(s, x, n, k->volume);
        else
            k->n = n;
        k->n = (uint32_t)max_i64(k->n, 1);
    }
    free(order);
}

/* --- what breaks
 * ---------------------------------------------------------------------------- */

/* Of many of a kind the heaviest is told, and how many there are. */
static void warn(struct scale *s, enum scale_kind kind, uint32_t ix, double weight,
                 const char *text)
{
    struct scale_warning *w = &s->warnings[kind];

    w->n++;
    if (w->text && weight <= w->weight)
        return;
    w->stage_ix = ix;
    w->weight = weight;
    w->text = text;
}

/* Execution memory that a task would want with `share` times its data. Operators take
 * pages at once, however few their rows: what tiny tasks peak at does not grow. */
static double wanted_bytes(const struct stage *x, uint32_t row, double share)
{
    double peak = (double)task_metric(&x->task, row, METRIC_PEAK_EXECUTION_BYTES);
    double bytes = (double)add_sat(task_metric(&x->task, row, METRIC_LOCAL_BYTES),
                                   task_metric(&x->task, row, METRIC_REMOTE_BYTES));
    double grows = fmin(peak, fmax(peak - FLOOR_BYTES, ROW_EXPANSION * bytes));

    return fmax(peak + (share - 1) * grows, 0);
}

/* What the largest task would want against what it would get. */
static void check_memory(struct scale *s, uint32_t ix)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    const struct scale_stage *k = &s->stages[ix];
    struct findings text = { .arena = s->arena };
    double grant = s->grant, share, wanted = 0;

    if (k->n == 0 || grant <= 0 || x->total[METRIC_SPILL_DISK_BYTES] > 0)
        return;
    share = k->volume * (double)x->completed_indices / (double)k->n;
    for (uint32_t row = 0; row < x->task.n; row++)
        if (task_state(&x->task, row) == TASK_SUCCESS)
            wanted = fmax(wanted, wanted_bytes(x, row, share));
    if (wanted > grant)
        warn(s, BREAKS_MEMORY, ix, wanted,
             arena_printf(s->arena,
                          "stage %lld begins to spill: its largest task would want %s, a "
                          "slot has %s",
                          (long long)x->stage_id, words_bytes(&text, whole(wanted)),
                          words_bytes(&text, whole(grant))));
}

static void check_single(struct scale *s, uint32_t ix)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    const struct scale_stage *k = &s->stages[ix];
    struct findings text = { .arena = s->arena };

    if (k->n == 1 && k->volume >= 2 && x->duration_ms >= 1000)
        warn(s, BREAKS_SINGLE, ix, (double)x->duration_ms * k->volume,
             arena_printf(
                 s->arena,
                 "stage %lld has one task for %.3g times the data: %s, on one slot",
                 (long long)x->stage_id, k->volume,
                 words_ms(&text, whole((double)x->duration_ms * k->volume))));
}

static void check_result(struct scale *s)
{
    const struct app *app = &s->analysis->app;
    int64_t most = conf_bytes(app, NULL, "spark.driver.maxResultSize", INT64_C(1) << 30);
    struct findings text = { .arena = s->arena };

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *x = &app->stages[ix];
        double bytes = (double)x->total[METRIC_RESULT_BYTES] * s->stages[ix].volume;

        if (s->stages[ix].n && most > 0 && bytes > (double)most &&
            x->total[METRIC_RESULT_BYTES] <= most)
            warn(s, BREAKS_RESULT, ix, bytes,
                 arena_printf(s->arena,
                              "stage %lld fails: its results would be %s, "
                              "spark.driver.maxResultSize is %s",
                              (long long)x->stage_id, words_bytes(&text, whole(bytes)),
                              words_bytes(&text, most)));
    }
}

/* Map outputs times reducers: each is a block somebody asks for. */
static void check_blocks(struct scale *s)
{
    const struct lineage *l = &s->analysis->lineage;
    struct findings text = { .arena = s->arena };

    for (size_t i = 0; i < l->n_links; i++) {
        const struct link *k = &l->links[i];
        double blocks = (double)s->stages[k->from_ix].n * s->stages[k->to_ix].n;
        double bytes = k->bytes > 0 ? (double)k->bytes * put_out(s, k->from_ix) : 0;
        double now = (double)s->analysis->app.stages[k->from_ix].completed_indices *
                     (double)s->analysis->app.stages[k->to_ix].completed_indices;

        if (k->via == VIA_SHUFFLE && blocks > 1e6 && blocks > now &&
            bytes / blocks < 16384)
            warn(s, BREAKS_BLOCKS, k->to_ix, blocks,
                 arena_printf(
                     s->arena,
                     "stage %lld fetches %s blocks of %s on average: too many small ones",
                     (long long)s->analysis->app.stages[k->to_ix].stage_id,
                     words_count(&text, whole(blocks)),
                     words_bytes(&text, whole(bytes / blocks))));
    }
}

struct broadcasts {
    struct scale *s;
    const struct sql *q;
};

static const struct plan_node *built_side(const struct plan_node *join, size_t *side)
{
    for (*side = 0; *side < join->n_children; ++*side) {
        const struct plan_node *x = node_inner(join->children[*side]);

        if (node_is(x, "BroadcastExchange"))
            return x;
    }
    return NULL;
}

/* Whether so many times the data takes a side past the threshold that it is under now.
 * Without adaptive execution the planner goes by the files' size and the width of the
 * columns read (about half of it, where the log does not tell); with it, a side is
 * broadcast too if it turns out to be small. Hints stay. */
static bool crosses_threshold(const struct broadcasts *b, const struct plan_node *x)
{
    const struct app *app = &b->s->analysis->app;
    double limit = (double)conf_broadcast_threshold_bytes(app, b->q, false);
    double bytes = (double)node_metric(app, b->q, x, "data size");
    const struct plan_node *scan = node_source_scan(x);
    double files = scan ? (double)node_metric(app, b->q, scan, "size of files read") : 0;
    double planned = files > 0 ? files / 2 : bytes, f = b->s->what.data;
    bool adaptive = sql_is_adaptive(app, b->q);

    if (bytes <= 0 || limit <= 0 || bytes > limit)
        return false;
    return planned * f > limit && (planned <= limit || adaptive) &&
           (!adaptive || bytes * f > limit);
}

/* A join that would be planned as a shuffle: both sides go through one more. */
static void check_join(const struct plan_node *node, void *ctx)
{
    struct broadcasts *b = ctx;
    const struct app *app = &b->s->analysis->app;
    const struct plan_node *x;
    int64_t stream, built;
    uint32_t *stages;
    size_t side, n;

    if (!sv_has(node->name, "BroadcastHashJoin") || node->n_children != 2 ||
        !(x = built_side(node, &side)) || !crosses_threshold(b, x))
        return;
    stream = node_rows(app, b->q, node->children[1 - side]);
    built = node_rows(app, b->q, x);
    n = node_stages(app, b->q, node, b->s->arena, &stages);
    if (n && stream != APP_NONE && built != APP_NONE)
        b->s->stages[stages[0]].merged_rows +=
            b->s->what.data * ((double)stream + (double)built);
}

static void check_broadcast(const struct plan_node *node, void *ctx)
{
    struct broadcasts *b = ctx;
    const struct app *app = &b->s->analysis->app;
    struct findings text = { .arena = b->s->arena };
    int64_t bytes, limit;
    double then;

    if (!node_is(node, "BroadcastExchange"))
        return;
    bytes = node_metric(app, b->q, node, "data size");
    limit = conf_broadcast_threshold_bytes(app, b->q, false);
    then = (double)bytes * b->s->what.data;
    if (bytes > 0 && then > (double)BROADCAST_MOST_BYTES)
        warn(b->s, BREAKS_BROADCAST, IX_NONE, then,
             arena_printf(
                 b->s->arena,
                 "SQL %lld fails: a broadcast of %s would be %s, Spark's limit is 8 GiB",
                 (long long)b->q->execution_id, words_bytes(&text, bytes),
                 words_bytes(&text, whole(then))));
    else if (crosses_threshold(b, node))
        warn(b->s, BREAKS_PLAN, IX_NONE, then,
             arena_printf(
                 b->s->arena,
                 "SQL %lld: a broadcast of %s would be %s, and the planner counts it "
                 "beyond "
                 "the threshold of %s: the join is planned as a shuffle, which is in "
                 "the numbers",
                 (long long)b->q->execution_id, words_bytes(&text, bytes),
                 words_bytes(&text, whole(then)), words_bytes(&text, limit)));
}

/* More tasks than that are as many in fewer: each stage's number is cut by the same
 * share, and its tasks have more each. */
static void check_tasks(struct scale *s)
{
    const struct app *app = &s->analysis->app;
    struct findings text = { .arena = s->arena };
    double now = 0, then = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        now += s->stages[ix].n ? (double)app->stages[ix].completed_indices : 0;
        then += (double)s->stages[ix].n;
    }
    if (then > MANY_TASKS && then > 2 * now)
        warn(s, BREAKS_TASKS, IX_NONE, then,
             arena_printf(s->arena,
                          "there would be %s tasks: the driver schedules each, and keeps "
                          "what it says",
                          words_count(&text, whole(then))));
    for (uint32_t ix = 0; ix < app->n_stages && then > TASKS_PLAYED; ix++)
        if (s->stages[ix].n)
            s->stages[ix].n =
                (uint32_t)fmax(1, floor((double)s->stages[ix].n * TASKS_PLAYED / then));
}

/* Tasks without input and shuffles, as of data made in the program. */
static void check_untold(struct scale *s)
{
    const struct app *app = &s->analysis->app;
    double all = 0, untold = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        double ms = (double)app->stages[ix].duration_ms;

        all += ms;
        if (s->stages[ix].n == 0 || s->stages[ix].volume <= 1)
            untold += ms;
    }
    if (s->what.data > 1 && untold > all / 2)
        warn(s, BREAKS_UNKNOWN, IX_NONE, untold,
             "most of the task time is in stages whose data the log does not tell: they "
             "are "
             "taken to stay as they are");
}

static void find_warnings(struct scale *s)
{
    const struct app *app = &s->analysis->app;

    check_result(s);
    if (s->what.data > 1)
        app_each_sql (app, q) {
            struct broadcasts b = { s, q };

            if (sql_final_plan(q)) {
                plan_each(sql_final_plan(q), check_broadcast, &b);
                plan_each(sql_final_plan(q), check_join, &b);
            }
        }
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        check_single(s, ix);
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        check_memory(s, ix);
    check_blocks(s);
    check_tasks(s);
    check_untold(s);
}

void scale_build(struct scale *s, const struct analysis *a, const struct what_if *what,
                 struct arena *arena)
{
    *s = (struct scale){ .analysis = a, .what = *what, .arena = arena };
    if (!(s->what.data > 0))
        s->what.data = 1;
    s->stages = arena_array(arena, a->app.n_stages + 1, sizeof *s->stages);
    s->grant_now = grant_bytes(s, false);
    s->grant = grant_bytes(s, true);
    find_volumes(s);
    find_warnings(s);
}

/* --- the edit
 * --------------------------------------------------------------------------------- */

struct parts { /* of one task's time, in ms */
    double fixed, start, variable, hot;
};

static struct parts parts_of(const struct stage *x, const struct sim_task *k, bool first,
                             enum bound bound)
{
    double ms = k->run_ms, run, read, fetched, start;
    struct parts p = { ms, 0, 0, 0 };

    if (k->row == IX_NONE || !task_flag(&x->task, k->row, TASK_FLAG_HAS_METRICS))
        return p;
    run = fmin(ms, (double)task_metric(&x->task, k->row, METRIC_RUN_MS));
    read = (double)task_metric(&x->task, k->row, METRIC_INPUT_ROWS);
    fetched = (double)task_metric(&x->task, k->row, METRIC_SHUFFLE_READ_ROWS);
    start = fmax(run - read / ROWS_PER_MS_FILES - fetched / ROWS_PER_MS_SHUFFLE, 0);
    if (read + fetched <= 0)
        start = fmin(START_MS_LATER, run / 2);
    p.start =
        bound == BOUND_LOW ? 0 : fmin(start, first ? START_MS_FIRST : START_MS_LATER);
    p.fixed = ms - run;
    p.variable = run - p.start;
    return p;
}

static double spilling_ms(const struct scale *s, uint32_t ix, const struct sim_task *k,
                          double share)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    double grant = s->grant, bytes, wanted;

    if (k->row == IX_NONE || grant <= 0 || x->total[METRIC_SPILL_DISK_BYTES] > 0)
        return 0;
    wanted = wanted_bytes(x, k->row, share);
    if (wanted <= grant)
        return 0;
    bytes = (double)add_sat(task_metric(&x->task, k->row, METRIC_LOCAL_BYTES),
                            task_metric(&x->task, k->row, METRIC_REMOTE_BYTES)) *
            share;
    return 2 * bytes / (double)LEDGER_SPILL_BYTES_PER_MS;
}

/* Share of the stage's time that goes with spill, as more memory for a task or less data
 * in each - `share` times what it had - does away with it. */
static double spill_gone(const struct scale *s, uint32_t ix, double share)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    const struct ledgers *l = &s->analysis->ledgers;
    double now = s->grant_now, then = s->grant, over, tasks, left;

    if (x->total[METRIC_SPILL_MEMORY_BYTES] <= 0 || now <= 0 || share <= 0)
        return 0;
    tasks = (double)max_i64(x->completed_indices, 1);
    over = (double)x->total[METRIC_SPILL_MEMORY_BYTES] / tasks;
    left = fmax((now + over) * share - then, 0) / (over * share);
    return fmax(1 - left, 0) * (double)ledger_stage_ms(l, ix, WALL_SPILL) /
           fmax((double)ledger_stage_wall_ms(l, ix), 1);
}

static int by_ms(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Variable time beyond what an even task has stays with its task however many there are.
 */
static void find_hot(struct parts *parts, uint32_t n)
{
    double *values = xmalloc(mem_product(n + 1, sizeof *values)), median;

    for (uint32_t i = 0; i < n; i++)
        values[i] = parts[i].variable;
    qsort(values, n, sizeof *values, by_ms);
    median = n ? values[n / 2] : 0;
    for (uint32_t i = 0; i < n; i++)
        if (median > 0 && parts[i].variable > HOT_RATIO * median) {
            parts[i].hot = parts[i].variable - median;
            parts[i].variable = median;
        }
    free(values);
}

static void edit_stage(const struct scale *s, struct sim_table *t, uint32_t ix,
                       enum bound bound, struct arena *arena)
{
    const struct stage *x = &s->analysis->app.stages[ix];
    const struct scale_stage *k = &s->stages[ix];
    struct sim_stage *to = &t->stages[ix];
    uint32_t n = to->n, n_then = k->n;
    double share, gone, merging = 0;
    int64_t wave = max_i64(sim_slots_peak(t), 1);
    struct parts *parts = xmalloc(mem_product(n + 1, sizeof *parts));
    struct sim_task *tasks;

    /* attempts that did not count stay what they are to their stage: so many in a task */
    if (x->completed_indices > 0 && (uint32_t)x->completed_indices != n)
        n_then =
            (uint32_t)fmax(1, round((double)n_then * n / (double)x->completed_indices));
    share = k->volume * (double)n / (double)n_then;
    gone = spill_gone(s, ix, share);
    for (uint32_t i = 0; i < n; i++)
        parts[i] = parts_of(x, &to->tasks[i], i < wave, bound);
    if (bound != BOUND_HIGH)
        merging = k->merged_rows / MERGED_ROWS_PER_MS / (double)n_then;
    if (n_then > n)
        find_hot(parts, n);
    tasks = arena_array(arena, n_then, sizeof *tasks);
    for (uint32_t i = 0; i < n_then; i++) {
        uint32_t from = (uint32_t)((uint64_t)i * n / n_then);
        uint32_t next = (uint32_t)((uint64_t)(i + 1) * n / n_then);
        bool first = i == 0 || (uint32_t)((uint64_t)(i - 1) * n / n_then) != from;
        /* what held up one task beside its work - classes, a collection - holds up none
         * of its pieces again */
        double ms = first ? parts[from].fixed : fmin(parts[from].fixed, START_MS_LATER);
        double start = i < wave
                           ? parts[from].start
                           : fmin(parts[from].start, START_MS_LATER - (first ? 0 : ms));
        double variable = parts[from].variable;

        /* a task of several has the data of all, and starts once */
        for (uint32_t f = from + 1; n_then < n && f < next; f++)
            variable += parts[f].variable;
        ms += variable * (n_then <= n ? k->volume : share);
        tasks[i] = to->tasks[from];
        ms += merging + start;
        if (bound != BOUND_HIGH)
            ms += spilling_ms(s, ix, &tasks[i], share);
        ms *= 1 - gone;
        if (first) /* with its spill: it is no smaller for the others being cut */
            ms += parts[from].hot * k->volume;
        tasks[i].run_ms = (int32_t)fmin(ms, (double)INT32_MAX);
        if (n_then != n)
            tasks[i].prior = IX_NONE;
    }
    t->n_tasks += n_then;
    t->n_tasks -= n;
    to->tasks = tasks;
    to->n = n_then;
    to->retried = to->retried && n_then == n;
    free(parts);
}

void scale_edit(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena)
{
    const struct scale *s = ctx;
    double slots = slots_ratio(s);

    for (uint32_t ix = 0; ix < t->n_stages; ix++)
        if (t->stages[ix].present && t->stages[ix].n && s->stages[ix].n)
            edit_stage(s, t, ix, bound, arena);
    if (s->what.executors > 0)
        sim_slots_fixed(t, (uint32_t)fmax(1, round((double)sim_slots_peak(t) * slots)),
                        arena);
    else if (s->what.cores > 0)
        sim_slots_times(t, slots, arena);
}

/* --- the outlook
 * ---------------------------------------------------------------------------- */

static void twice_the_slots(void *ctx, struct sim_table *t, enum bound bound,
                            struct arena *arena)
{
    (void)ctx, (void)bound;
    sim_slots_times(t, OUTLOOK_SLOTS, arena);
}

static const char *first_to_break(const struct scale *s)
{
    for (int i = 0; i < BREAKS_UNKNOWN; i++)
        if (s->warnings[i].n)
            return s->warnings[i].text;
    return NULL;
}

void outlook_build(struct outlook *out, const struct analysis *a, struct arena *arena)
{
    enum { MOST_TASKS = 100000 }; /* some 40 ms a replay with ten times as many */
    struct what_if what = { .data = OUTLOOK_DATA };
    struct arena scratch = { 0 };
    const struct replay *r;
    struct scale scale;
    struct forecast f;

    *out = (struct outlook){ 0 };
    if (a->app.complete.tasks_ended > MOST_TASKS)
        return;
    r = analysis_replay(a);
    if (r->table.n_tasks && r->table.end_ms > 0) {
        out->known = true;
        forecast(&f, &r->table, &r->base, twice_the_slots, NULL, 0, &scratch);
        out->slots_ms.low = f.low_ms;
        out->slots_ms.expected = f.expected_ms;
        out->slots_ms.high = f.high_ms;
        out->replay_error = (double)(f.replay_ms - f.now_ms) / (double)f.now_ms;
        scale_build(&scale, a, &what, arena);
        forecast(&f, &r->table, &r->base, scale_edit, &scale, 0, &scratch);
        out->data_ms.low = f.low_ms;
        out->data_ms.expected = f.expected_ms;
        out->data_ms.high = f.high_ms;
        out->breaks = first_to_break(&scale);
        out->data_known = scale.warnings[BREAKS_UNKNOWN].n == 0;
    }
    arena_release(&scratch);
}
