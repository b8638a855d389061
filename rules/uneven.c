/* One task holds up its stage: because it has more data (skew, of a join, of a
 * grouping, of an input file), or although it has not (a straggler).
 *
 * All four rules look at the same stages and share one decision, so that a stage is
 * never accused twice:
 *
 *     slowest task >= 4 x the true median, and >= 1 s     (or 2 x where the tail is long)
 *        its data explains half of what it takes beyond the median
 *            the data comes from a shuffle   join / window, grouping, repartition
 *            the data comes from files       unsplittable input
 *        it does not
 *            the slowest *warm* task is a straggler, from 2 s on
 *
 * What can be saved is the stage's `straggler tail` in the ledger: the time in which
 * slots stood empty because nothing of the stage was left to start. A hot task that
 * ran beside the others cost nothing, and then the finding is a note.
 *
 * Not seen: skew spread over many hot keys (no single slow task); work that grows with
 * the square of the rows of a key; stages whose tasks the log lacks. */
#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

enum uneven { UNEVEN_NO, UNEVEN_JOIN, UNEVEN_GROUPING, UNEVEN_INPUT, UNEVEN_STRAGGLER };

/* The four share their thresholds; a straggler has a higher floor. */
enum {
    P_RATIO,
    P_MIN_MS,
    P_DATA_RATIO,
    P_EXPLAINED,
    P_MIN_TASKS,
    P_LONG_RATIO,
    P_LONG_TAIL,
    P_STAGE_SHARE
};

/* clang-format off */
#define SHARED_PARAMS(min_ms, min_ms_source, data_ratio, data_source)                    \
    [P_RATIO] = { "ratio", 4, "x", "slowest task over the true median",                  \
                  "tools ask 2 to 5 (rules.md 2, 5, 7); below 4 healthy stages appear" },\
    [P_MIN_MS] = { "min-task", (min_ms), "ms", "slowest task", min_ms_source },          \
    [P_DATA_RATIO] = { "data-ratio", (data_ratio), "x", "its data over the median task's",\
                       data_source },                                                    \
    [P_EXPLAINED] = { "explained", 0.5, "", "share of its extra time that data explains",\
                      "SparkForensics" },                                                \
    [P_MIN_TASKS] = { "min-tasks", 4, "", "tasks that make a median",                    \
                      "of three tasks, one is always far off" },                         \
    [P_LONG_RATIO] = { "long-ratio", 2, "x", "enough where the tail is long",            \
                       "Dr. Elephant's lowest step" },                                   \
    [P_LONG_TAIL] = { "long-tail", 60000, "ms", "time lost to the slowest task",         \
                      "a minute is worth a look whatever the ratio" },                   \
    [P_STAGE_SHARE] = { "stages-share", 0.005, "", "of the wall time the stages accused take",\
                        "SparkForensics" }
/* clang-format on */

static const struct rule_param skew_params[] = { SHARED_PARAMS(
    1000, "tasks under a second are not worth a change", 4,
    "between rapids-tools' 3 and Spark's own 5 (skewedPartitionFactor)") };
static const struct rule_param grouping_params[] = { SHARED_PARAMS(
    1000, "tasks under a second are not worth a change", 3,
    "rapids-tools; grouping keeps more per row than a join") };
static const struct rule_param straggler_params[] = { SHARED_PARAMS(
    2000, "a second's delay has a hundred innocent causes", 3, "as in skew") };

struct suspect {
    uint32_t stage_ix;
    enum uneven kind;
    enum shuffle_use use;
    const struct plan_node *node;
    uint32_t row; /* the task */
    int64_t task_ms, tail_ms;
    double data_ratio, explained;
    enum data_kind data;
    const double *of; /* the task's data, by kind */
};

static bool stands_out(const double *p, int64_t ms, double median_ms, int64_t tail_ms)
{
    double ratio = median_ms > 0 ? (double)ms / median_ms : (double)ms;

    if ((double)ms < p[P_MIN_MS])
        return false;
    return ratio >= p[P_RATIO] ||
           (ratio >= p[P_LONG_RATIO] && (double)tail_ms >= p[P_LONG_TAIL]);
}

/* True for skew. out->explained is set either way. */
static bool data_explains(const double *p, const struct shape *sh, struct suspect *out)
{
    double wanted = p[P_DATA_RATIO];
    double ratio = (double)out->task_ms / (sh->median_ms > 0 ? sh->median_ms : 1);

    if (ratio < p[P_RATIO]) /* a long tail: data need not stand out further than time */
        wanted = p[P_LONG_RATIO];
    out->data_ratio = shape_data_ratio(sh, out->of, &out->data);
    out->explained = shape_explained(sh, out->task_ms, out->data_ratio);
    return out->data_ratio >= wanted && out->explained >= p[P_EXPLAINED];
}

/* Whether the slow task worked that much more: its CPU time over the median's is at
 * least half of what its time is. Then it is no straggler: it had costlier rows. */
static bool worked_more(const struct stage *s, const struct suspect *sus,
                        double median_ms)
{
    uint32_t n = s->task.n;
    int64_t *cpu = xmalloc(mem_product(n, sizeof *cpu));
    uint32_t k = 0;

    for (uint32_t row = 0; row < n; row++)
        if (task_state(&s->task, row) == TASK_SUCCESS)
            cpu[k++] = task_metric(&s->task, row, METRIC_CPU_NS);
    double median_cpu = (double)quantiles_of(cpu, k).value[Q_MEDIAN];
    double own_cpu = (double)task_metric(&s->task, sus->row, METRIC_CPU_NS);

    free(cpu);
    if (own_cpu < 0.25e6 * (double)sus->task_ms || median_cpu <= 0)
        return false; /* under a quarter of its time on a core: it waited */
    return own_cpu / median_cpu >= 0.5 * (double)sus->task_ms / median_ms;
}

/* A stage with fewer tasks than slots has no tail in the ledger: all it leaves empty
 * is `too few tasks`. What of that the slowest task costs: its time beyond the 75th
 * percentile. */
static int64_t alone_ms(const struct ledgers *l, const struct shape *sh, uint32_t ix)
{
    return min_i64(ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS), sh->max_ms - sh->p75_ms);
}

static enum uneven judge(const struct rule_input *in, uint32_t ix, struct suspect *out)
{
    const struct stage *s = &in->app->stages[ix];
    const struct shape *sh = &in->shapes[ix];
    const struct ledgers *l = &in->analysis->ledgers;
    const double *p = in->params;

    if (!sh->detailed || sh->n < (uint32_t)p[P_MIN_TASKS])
        return UNEVEN_NO;
    *out = (struct suspect){ .stage_ix = ix,
                             .row = sh->max_row,
                             .task_ms = sh->max_ms,
                             .tail_ms = ledger_stage_ms(l, ix, WALL_STRAGGLER_TAIL) +
                                        alone_ms(l, sh, ix),
                             .of = sh->data_hot };
    if (stands_out(p, sh->max_ms, sh->median_ms, out->tail_ms) &&
        data_explains(p, sh, out)) {
        if (out->data == DATA_INPUT_BYTES || out->data == DATA_INPUT_ROWS)
            return UNEVEN_INPUT;
        out->use = stage_shuffle_use(in->app, &in->analysis->lineage, s, &out->node);
        return out->use == USE_JOIN ? UNEVEN_JOIN : UNEVEN_GROUPING;
    }
    if (sh->warm_row == IX_NONE)
        return UNEVEN_NO;
    out->row = sh->warm_row;
    out->task_ms = sh->warm_max_ms;
    out->of = sh->data_warm;
    if (!stands_out(p, out->task_ms, sh->median_ms, out->tail_ms) ||
        data_explains(p, sh, out) || out->explained >= p[P_EXPLAINED] ||
        worked_more(s, out, sh->median_ms))
        return UNEVEN_NO;
    return UNEVEN_STRAGGLER;
}

static int by_tail(const void *a, const void *b)
{
    const struct suspect *x = a, *y = b;

    if (x->tail_ms != y->tail_ms)
        return x->tail_ms > y->tail_ms ? -1 : 1;
    if (x->task_ms != y->task_ms)
        return x->task_ms > y->task_ms ? -1 : 1;
    return x->stage_ix < y->stage_ix ? -1 : x->stage_ix > y->stage_ix;
}

/* All stages of one kind, worst first; in the findings' arena. */
static struct suspect *suspects(const struct rule_input *in, struct findings *out,
                                enum uneven kind, size_t *n, bool *judged)
{
    struct suspect *list = NULL;
    size_t cap = 0;
    int64_t span_ms = 0;

    *n = 0;
    *judged = false;
    for (uint32_t ix = 0; ix < in->app->n_stages; ix++) {
        struct suspect one;

        *judged |= in->shapes[ix].n > 0;
        if (judge(in, ix, &one) != kind)
            continue;
        GROW(list, *n, cap);
        one.kind = kind;
        list[(*n)++] = one;
        span_ms = add_sat(span_ms, shape_span_ms(&in->shapes[ix]));
    }
    if (*n == 0 || (double)span_ms < in->params[P_STAGE_SHARE] *
                                         (double)in->analysis->ledgers.wall_total_ms) {
        *n = 0;
        free(list);
        return NULL;
    }
    qsort(list, *n, sizeof *list, by_tail);
    struct suspect *kept = arena_array(out->arena, *n, sizeof *kept);

    memcpy(kept, list, *n * sizeof *kept);
    free(list);
    return kept;
}

/* --- what is said ------------------------------------------------------------ */

static const char *data_words(struct findings *out, const struct suspect *sus,
                              double value)
{
    if (sus->data == DATA_SHUFFLE_ROWS || sus->data == DATA_INPUT_ROWS)
        return arena_printf(out->arena, "%s rows", words_count(out, whole(value)));
    return words_bytes(out, whole(value));
}

static void evidence(const struct rule_input *in, struct findings *out,
                     const struct suspect *list, size_t n)
{
    const struct suspect *w = &list[0];
    const struct stage *s = &in->app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    int64_t index = task_field(&s->task, w->row, TASK_INDEX);

    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", sh->n);
    finding_number(out, "slow_task_index", (double)index);
    finding_number(out, "slow_task_ms", (double)w->task_ms);
    finding_number(out, "median_task_ms", sh->median_ms);
    finding_number(out, "time_ratio",
                   sh->median_ms > 0 ? (double)w->task_ms / sh->median_ms : 0);
    if (w->data == DATA_SHUFFLE_BYTES || w->data == DATA_SHUFFLE_ROWS) {
        finding_number(out, "slow_task_shuffle_read_bytes", w->of[DATA_SHUFFLE_BYTES]);
        finding_number(out, "median_shuffle_read_bytes",
                       sh->data_median[DATA_SHUFFLE_BYTES]);
        finding_number(out, "slow_task_shuffle_read_rows", w->of[DATA_SHUFFLE_ROWS]);
        finding_number(out, "median_shuffle_read_rows",
                       sh->data_median[DATA_SHUFFLE_ROWS]);
    } else if (w->data != DATA_NONE) {
        finding_number(out, "slow_task_input_bytes", w->of[DATA_INPUT_BYTES]);
        finding_number(out, "median_input_bytes", sh->data_median[DATA_INPUT_BYTES]);
    }
    finding_number(out, "lost_to_slow_task_ms", (double)w->tail_ms);
    if (n > 1)
        finding_number(out, "stages_affected", (double)n);
}

/* Places and claims of up to n stages. The tail goes as far as the task can be cut:
 * expect four fifths, for no cut is even. */
static void claims(const struct rule_input *in, struct findings *out,
                   const struct suspect *list, size_t n, double low, double expected)
{
    const struct ledgers *l = &in->analysis->ledgers;

    for (size_t i = 0; i < n; i++) {
        uint32_t ix = list[i].stage_ix;
        double few = (double)ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS);
        double alone = few > 0 ? (double)alone_ms(l, &in->shapes[ix], ix) / few : 0;

        finding_claim(out, l, ix, WALL_TOO_FEW_TASKS, low * alone, expected * alone,
                      alone);
        finding_stage(out, in->app, list[i].stage_ix);
        finding_claim(out, &in->analysis->ledgers, list[i].stage_ix, WALL_STRAGGLER_TAIL,
                      low, expected, 1);
    }
}

static int64_t pow2_at_most(int64_t n)
{
    int64_t p = 1;

    while (p <= n / 2)
        p *= 2;
    return p;
}

static const char *const salt_code =
    "from pyspark.sql import functions as F\n"
    "salted = big.withColumn('salt', (F.rand() * K).cast('int'))\n"
    "copies = small.withColumn('salt', F.explode(F.sequence(F.lit(0), F.lit(K - 1))))\n"
    "joined = salted.join(copies, ['key', 'salt'])  # K: 2 x the slots of the cluster";

/* AQE splits a partition larger than max(threshold, factor x median), into pieces of
 * the advisory size: the settings that make it split this one. */
static void let_aqe_split(const struct app *app, struct findings *out,
                          const struct sql *q, const struct suspect *w,
                          const struct shape *sh)
{
    const int64_t mib = 1 << 20;
    int64_t hot = whole(w->of[DATA_SHUFFLE_BYTES]);
    int64_t median = whole(sh->data_median[DATA_SHUFFLE_BYTES]);
    int64_t threshold = conf_bytes(
        app, q, "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", 256 * mib);
    double factor =
        conf_double(app, q, "spark.sql.adaptive.skewJoin.skewedPartitionFactor", 5);
    int64_t advisory =
        conf_bytes(app, q, "spark.sql.adaptive.advisoryPartitionSizeInBytes", 64 * mib);
    int64_t slots = max_i64(app->cores_peak, 2);

    if (!conf_bool(app, q, "spark.sql.adaptive.enabled", true))
        finding_set(out, "spark.sql.adaptive.enabled", "true");
    if (!conf_bool(app, q, "spark.sql.adaptive.skewJoin.enabled", true))
        finding_set(out, "spark.sql.adaptive.skewJoin.enabled", "true");
    if (hot <= threshold)
        finding_set(out, "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes",
                    "%s", words_setting(out, pow2_at_most(max_i64(hot / 2, mib))));
    if ((double)hot <= factor * (double)median)
        finding_set(out, "spark.sql.adaptive.skewJoin.skewedPartitionFactor", "2");
    if (hot / max_i64(advisory, 1) < min_i64(slots, 4))
        finding_set(out, "spark.sql.adaptive.advisoryPartitionSizeInBytes", "%s",
                    words_setting(out, pow2_at_most(max_i64(hot / slots, mib))));
}

static void say_join(const struct rule_input *in, struct findings *out,
                     const struct suspect *w)
{
    const struct app *app = in->app;
    const struct stage *s = &app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    const struct sql *q = stage_sql(app, s);
    bool aqe = sql_is_adaptive(app, q);
    bool skew_join = aqe && conf_bool(app, q, "spark.sql.adaptive.skewJoin.enabled",
                                      app->version_major >= 3);
    int64_t threshold = conf_bytes(
        app, q, "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", 256 << 20);
    bool full_outer = w->node && sv_has(w->node->detail, "FullOuter");
    bool split = w->node && sv_has(w->node->name, "skew=true");
    const char *why =
        !q                       ? "RDD joins are never split by Spark"
        : app->version_major < 3 ? "this version of Spark cannot split it by itself"
        : !aqe ? "adaptive execution is off, so Spark could not split it"
        : !skew_join
            ? "spark.sql.adaptive.skewJoin.enabled is false, so Spark did not split it"
        : split      ? "adaptive execution did split partitions, but not finely enough"
        : full_outer ? "adaptive execution cannot split a full outer join"
        : w->of[DATA_SHUFFLE_BYTES] <= (double)threshold
            ? arena_printf(out->arena,
                           "adaptive execution splits only partitions above %s",
                           words_bytes(out, threshold))
            : "adaptive execution did not split it (another exchange would have been "
              "needed, or "
              "the side cannot be split)";

    finding_cause(
        out,
        "A join key is hot: task %" PRId64 " of stage %" PRId64
        " reads %s where the median task reads %s, and takes %s against %s; %s.",
        task_field(&s->task, w->row, TASK_INDEX), s->stage_id,
        data_words(out, w, w->of[w->data]), data_words(out, w, sh->data_median[w->data]),
        words_ms(out, w->task_ms), words_ms(out, whole(sh->median_ms)), why);
    if (w->node)
        out->items[out->n - 1].operator= w->node->name;
    if (q && app->version_major >= 3 && !full_outer) {
        let_aqe_split(app, out, q, w, sh);
        if (skew_join && w->of[DATA_SHUFFLE_BYTES] > (double)threshold && !split &&
            (app->version_major > 3 || app->version_minor >= 3))
            finding_set(out, "spark.sql.adaptive.forceOptimizeSkewedJoin", "true");
        finding_advice(
            out, "Let adaptive execution split the hot partition with these values, "
                 "or salt the key; if the hot key is NULL or a default value, filter "
                 "it out before the join.");
    } else {
        finding_advice(
            out, "Salt the hot key (below), or join its rows apart from the rest; "
                 "if it is NULL or a default value, filter it out before the join.");
    }
    finding_code(out, salt_code);
    finding_risk(out,
                 "The other side's partition is read once for each piece: with few slots "
                 "the copies can cost what the split saves.");
    finding_verify(out,
                   "Stage %" PRId64 "'s slowest task should come under 2 x the median.",
                   s->stage_id);
}

static void say_grouping(const struct rule_input *in, struct findings *out,
                         const struct suspect *w)
{
    const struct stage *s = &in->app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    const char *what = w->use == USE_WINDOW     ? "window's partition key"
                       : w->use == USE_GROUPING ? "grouping key"
                                                : "shuffle key";

    finding_cause(out,
                  "A %s is hot: task %" PRId64 " of stage %" PRId64
                  " reads %s where the median task reads %s, and takes %s against %s.",
                  what, task_field(&s->task, w->row, TASK_INDEX), s->stage_id,
                  data_words(out, w, w->of[w->data]),
                  data_words(out, w, sh->data_median[w->data]), words_ms(out, w->task_ms),
                  words_ms(out, whole(sh->median_ms)));
    if (w->node)
        out->items[out->n - 1].operator= w->node->name;
    if (w->use == USE_WINDOW)
        finding_code(out,
                     "-- top n per key in two steps: rank within (key, salt), keep n,\n"
                     "-- then rank what is left within key");
    else
        finding_code(out, "-- in two steps: GROUP BY key, salt, then GROUP BY key\n"
                          "SELECT key, sum(s) FROM (SELECT key, sum(v) AS s FROM t\n"
                          "GROUP BY key, floor(rand() * 16)) GROUP BY key");
    finding_advice(
        out, w->use == USE_OTHER
                 ? "Spread the hot key: repartition by more columns or by a salted "
                   "key, or use REBALANCE, whose partitions adaptive execution splits."
                 : "Work on the hot key in two steps with a salt, or use an aggregate "
                   "that combines before the shuffle (reduceByKey, not groupByKey).");
    finding_risk(out,
                 "A salted step adds a shuffle; it is wrong for functions that cannot be "
                 "combined from parts.");
    finding_verify(out,
                   "Stage %" PRId64 "'s slowest task should come under 2 x the median.",
                   s->stage_id);
}

static void say_input(const struct rule_input *in, struct findings *out,
                      const struct suspect *w)
{
    const struct app *app = in->app;
    const struct stage *s = &app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    const struct plan_node *scan = stage_operator(app, s, node_is_scan);
    int64_t max_split = conf_bytes(app, stage_sql(app, s),
                                   "spark.sql.files.maxPartitionBytes", 128 << 20);
    double per_slot =
        (double)s->total[METRIC_INPUT_BYTES] / (double)max_i64(app->cores_peak, 1);

    finding_cause(
        out,
        "One file or block is far larger than the rest and was read by one task: "
        "task %" PRId64 " of stage %" PRId64 " reads %s, the median task %s, and "
        "takes %s against %s.",
        task_field(&s->task, w->row, TASK_INDEX), s->stage_id,
        words_bytes(out, whole(w->of[DATA_INPUT_BYTES])),
        words_bytes(out, whole(sh->data_median[DATA_INPUT_BYTES])),
        words_ms(out, w->task_ms), words_ms(out, whole(sh->median_ms)));
    if (scan)
        out->items[out->n - 1].operator= scan->name;
    finding_number(out, "max_split_bytes", (double)max_split);
    /* a file that can be split never gives a task more than its share of the total */
    if (w->of[DATA_INPUT_BYTES] > 1.2 * (double)max_split ||
        w->of[DATA_INPUT_BYTES] > 1.2 * per_slot)
        out->items[out->n - 1].confidence = CONFIDENCE_HIGH;
    bool columnar = scan && (sv_has_nocase(scan->name, "parquet") ||
                             sv_has_nocase(scan->name, "orc"));

    if (columnar)
        finding_advice(
            out, "A row group is never split, and this file seems to be one: write it "
                 "with smaller ones (parquet.block.size) or as several files. Until "
                 "then, repartition right after reading it.");
    else
        finding_advice(
            out, "Store the file in a form that splits: Parquet or ORC, or several "
                 "files instead of one gzip text file. Until then, repartition right "
                 "after reading it.");
    finding_code(out,
                 "spark.read....repartition(N)  # N: 2 x the slots; before the work");
    finding_risk(out, "A repartition shuffles the whole input once.");
    finding_verify(out, "No task of the scan should read more than %s.",
                   words_bytes(out, max_split));
}

/* The one executor on which the stage's tasks are slow, p NULL: not one. It has two
 * slow tasks or more, all slow tasks ran on it, and most of what it ran was slow. */
static struct sv slow_executor(const struct app *app, const struct stage *s,
                               const struct shape *sh, double ratio, struct sv *host)
{
    int64_t on = -1;
    uint32_t slow = 0, others = 0;

    for (uint32_t row = 0; row < s->task.n; row++) {
        if (task_state(&s->task, row) != TASK_SUCCESS)
            continue;
        if ((double)task_duration_ms(&s->task, row) < ratio * sh->median_ms)
            continue;
        int64_t ix = task_field(&s->task, row, TASK_EXECUTOR_IX);

        if (on >= 0 && ix != on)
            return (struct sv){ 0 };
        on = ix;
        slow++;
    }
    for (uint32_t row = 0; row < s->task.n; row++)
        if (task_field(&s->task, row, TASK_EXECUTOR_IX) == on &&
            (double)task_duration_ms(&s->task, row) < ratio * sh->median_ms)
            others++;
    if (slow < 2 || others >= slow || on < 0 || (size_t)on >= app->n_executors)
        return (struct sv){ 0 };
    *host = app->executors[on].host;
    return app->executors[on].id;
}

static bool one_host(const struct app *app)
{
    for (size_t i = 1; i < app->n_hosts; i++)
        if (!sv_eq(app->hosts[i], app->hosts[0]))
            return false;
    return true;
}

static void say_straggler(const struct rule_input *in, struct findings *out,
                          const struct suspect *w)
{
    const struct app *app = in->app;
    const struct stage *s = &app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    bool speculation = conf_bool(app, NULL, "spark.speculation", false);
    int64_t run_ms = task_metric(&s->task, w->row, METRIC_RUN_MS);
    int64_t cpu_ms = task_metric(&s->task, w->row, METRIC_CPU_NS) / 1000000;
    int64_t ix = task_field(&s->task, w->row, TASK_EXECUTOR_IX);
    struct sv host = { 0 };
    struct sv slow = slow_executor(app, s, sh, 2, &host);
    bool waited = cpu_ms < run_ms / 2;

    if (ix >= 0 && (size_t)ix < app->n_executors) {
        finding_executor(out, app->executors[ix].id);
        if (!slow.p)
            host = app->executors[ix].host;
    }
    finding_cause(out,
                  "Task %" PRId64 " of stage %" PRId64
                  " takes %s, the median task %s, with %s; "
                  "it ran on executor %s of host %s%s%s.",
                  task_field(&s->task, w->row, TASK_INDEX), s->stage_id,
                  words_ms(out, w->task_ms), words_ms(out, whole(sh->median_ms)),
                  w->data == DATA_NONE ? "no more data than the others"
                                       : "data that does not explain it",
                  ix >= 0 && (size_t)ix < app->n_executors
                      ? words_clean(out, app->executors[ix].id, 40)
                      : "?",
                  words_clean(out, host, 60),
                  slow.p ? ", where most tasks of the stage are slow" : "",
                  waited ? ", and spent most of the time waiting, not on a core" : "");
    finding_number(out, "slow_task_cpu_ms", (double)cpu_ms);
    finding_number(out, "slow_task_gc_ms",
                   (double)task_metric(&s->task, w->row, METRIC_GC_MS));
    finding_number(out, "slow_task_fetch_wait_ms",
                   (double)task_metric(&s->task, w->row, METRIC_FETCH_WAIT_MS));
    finding_word(out, "host", "%s", words_clean(out, host, 60));
    if (speculation) {
        finding_advice(
            out, "%s Speculation is on and did not help: %s.",
            slow.p ? "Look at that host: disk, network, other work on it."
                   : "Look at what the task waits for (an external call, a disk, a "
                     "lock) and at its host.",
            s->speculative_tasks > 0 ? "the copy was no faster, or came too late"
            : one_host(app) ? "a copy needs an executor on another host, and there is "
                              "only one"
                            : "no copy was started");
    } else {
        finding_set(out, "spark.speculation", "true");
        finding_advice(
            out, "%s A speculative copy elsewhere would have bounded the wait%s.",
            slow.p ? "Look at that host: disk, network, other work on it."
                   : "Look at what the task waits for and at its host.",
            one_host(app) ? ", but only with executors on more than one host" : "");
        finding_risk(
            out, "Speculative copies run the same work twice: keep it off for tasks that "
                 "write outside Spark.");
    }
    finding_verify(out,
                   "Stage %" PRId64
                   " should end within 2 x its median task after the last "
                   "launch.",
                   s->stage_id);
}

/* --- the rules ----------------------------------------------------------------- */

/* Up to this many stages get a finding each; more are one finding with the worst. */
#define SEPARATE_LIMIT 3

/* What holds up a stage, for the title. */
static const char *const culprits[] = { [UNEVEN_NO] = "",
                                        [UNEVEN_JOIN] = "A hot join key",
                                        [UNEVEN_GROUPING] = "A hot key",
                                        [UNEVEN_INPUT] = "One large piece of input",
                                        [UNEVEN_STRAGGLER] = "A slow task" };

static enum rule_answer
check(const struct rule_input *in, struct findings *out, enum uneven kind,
      void (*say)(const struct rule_input *, struct findings *, const struct suspect *),
      double low, double expected)
{
    size_t n;
    bool judged;
    struct suspect *list = suspects(in, out, kind, &n, &judged);
    size_t each = n > SEPARATE_LIMIT ? n : 1;

    for (size_t i = 0; i < n; i += each) {
        if (each == 1)
            finding_begin(out, in->rule, "%s holds up stage %" PRId64, culprits[kind],
                          in->app->stages[list[i].stage_ix].stage_id);
        else
            finding_begin(out, in->rule, "%s holds up each of %zu stages", culprits[kind],
                          n);
        claims(in, out, list + i, each, low, expected);
        evidence(in, out, list + i, each);
        say(in, out, &list[i]);
    }
    return judged ? RULE_JUDGED : RULE_NO_DATA;
}

static enum rule_answer check_join(const struct rule_input *in, struct findings *out)
{
    return check(in, out, UNEVEN_JOIN, say_join, 0.4, 0.8);
}

static enum rule_answer check_grouping(const struct rule_input *in, struct findings *out)
{
    return check(in, out, UNEVEN_GROUPING, say_grouping, 0.3, 0.7);
}

static enum rule_answer check_input(const struct rule_input *in, struct findings *out)
{
    return check(in, out, UNEVEN_INPUT, say_input, 0.5, 0.8);
}

static enum rule_answer check_straggler(const struct rule_input *in, struct findings *out)
{
    return check(in, out, UNEVEN_STRAGGLER, say_straggler, 0.3, 0.7);
}

#define NO_TASKS .no_data_why = "no task ends in the log", .enable = NULL

const struct rule rule_skewed_join = {
    .id = "skewed-join",
    .title = "A hot join key holds up its stage",
    .question = QUESTION_MOVES,
    .what =
        "A reduce task of a join that is slow because it reads far more than the median "
        "task: its time and its shuffle bytes or rows stand out together.",
    .advice = "Let adaptive execution split the partition, or salt the key.",
    .limits = "Silent where adaptive execution has split the partition, for tasks under "
              "a second, "
              "and where several keys are hot at once. Seconds only as far as slots "
              "stood empty.",
    .params = skew_params,
    .n_params = ARRAY_LEN(skew_params),
    .check = check_join,
    NO_TASKS
};

const struct rule rule_skewed_aggregation = {
    .id = "skewed-aggregation",
    .title = "A hot key of a grouping or window holds up its stage",
    .question = QUESTION_MOVES,
    .what =
        "As skewed-join, in a stage that groups, ranks or repartitions what it reads.",
    .advice = "Two steps with a salt, or an aggregate that combines before the shuffle.",
    .limits = "As skewed-join. A single key cannot be split by settings.",
    .params = grouping_params,
    .n_params = ARRAY_LEN(grouping_params),
    .check = check_grouping,
    NO_TASKS
};

const struct rule rule_unsplittable_input = {
    .id = "unsplittable-input",
    .title = "One large piece of input is read by a single task",
    .question = QUESTION_SCALES,
    .what = "A task of a scan that is slow because it reads far more input than the "
            "median task: "
            "a file that cannot be split (gzip text), or one huge row group.",
    .advice = "Store the data in a form that splits, or in several files.",
    .limits =
        "The log does not name the file; the bytes of columnar formats are those read.",
    .params = skew_params,
    .n_params = ARRAY_LEN(skew_params),
    .check = check_input,
    NO_TASKS
};

const struct rule rule_straggler = {
    .id = "straggler",
    .title = "A task is slow though its data is like the others'",
    .question = QUESTION_FAILS,
    .what =
        "A task far slower than the median one that neither its data nor its CPU time "
        "explains; the executor is named where all slow tasks ran on one.",
    .advice = "Look at the host or the external call; speculation bounds the wait.",
    .limits = "The first tasks of an executor are excused for 30 s (class loading, code "
              "generation, start of Python).",
    .params = straggler_params,
    .n_params = ARRAY_LEN(straggler_params),
    .check = check_straggler,
    NO_TASKS
};
