/* One task has more data than the others: a hot key of a join, of a grouping or window,
 * or a piece of input that does not split. Which task and whether its data explains it
 * is decided in uneven.c; here is what to do about it. */
#include "rules/pieces.h"
#include "rules/uneven.h"

#include <inttypes.h>

#define NO_TASKS .no_data_why = "no task ends in the log", .enable = NULL

static const struct rule_param skew_params[] = { UNEVEN_PARAMS(
    1000, "tasks under a second are not worth a change", 4,
    "between rapids-tools' 3 and Spark's own 5 (skewedPartitionFactor)") };
static const struct rule_param grouping_params[] = { UNEVEN_PARAMS(
    1000, "tasks under a second are not worth a change", 3,
    "rapids-tools; grouping keeps more per row than a join") };
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
        "Task %" PRId64 " of stage %" PRId64
        " reads %s where the median task reads %s, and takes %s against %s; %s.",
        task_field(&s->task, w->row, TASK_INDEX), s->stage_id,
        uneven_data_words(out, w, w->of[w->data]),
        uneven_data_words(out, w, sh->data_median[w->data]), words_ms(out, w->task_ms),
        words_ms(out, whole(sh->median_ms)), why);
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
                  uneven_data_words(out, w, w->of[w->data]),
                  uneven_data_words(out, w, sh->data_median[w->data]),
                  words_ms(out, w->task_ms), words_ms(out, whole(sh->median_ms)));
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
             : w->use == USE_WINDOW
                 ? "Do the window in two steps with a salt, where the function allows "
                   "(ranks, sums); else part the hot key further, by day or the like, or "
                   "leave its rows out."
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

/* --- the rules ----------------------------------------------------------------- */

static enum rule_answer check_join(const struct rule_input *in, struct findings *out)
{
    return uneven_check(in, out, UNEVEN_JOIN, say_join, 0.4, 0.8);
}

static enum rule_answer check_grouping(const struct rule_input *in, struct findings *out)
{
    return uneven_check(in, out, UNEVEN_GROUPING, say_grouping, 0.3, 0.7);
}

static enum rule_answer check_input(const struct rule_input *in, struct findings *out)
{
    enum rule_answer answer = uneven_check(in, out, UNEVEN_INPUT, say_input, 0.5, 0.8);

    pieces_check(in, out);
    return answer;
}

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
            "a file that cannot be split (gzip text), or one huge row group; or one that "
            "reads half as much again as Spark's splits allow while slots stand empty.",
    .advice = "Store the data in a form that splits, or in several files.",
    .limits =
        "The log does not name the file; the bytes of columnar formats are those read.",
    .params = skew_params,
    .n_params = ARRAY_LEN(skew_params),
    .check = check_input,
    NO_TASKS
};
