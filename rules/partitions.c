/* How the work is cut: too few tasks for the slots, so many that starting them is the
 * work, tasks that launching costs as much as running.
 *
 * The last two are two sides of one thing and often meet in one stage. Each is found
 * on its own evidence, but the seconds are promised once (ranking sees to it). */
#include "rules/finding.h"
#include "rules/pieces.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>

#define MIB (INT64_C(1) << 20)
#define TARGET_BYTES (64 * MIB) /* of a shuffle partition: AQE's advisory size */

static int64_t stage_data_bytes(const struct stage *s)
{
    return add_sat(stage_shuffle_read_bytes(s), s->total[METRIC_INPUT_BYTES]);
}

/* --- too few --------------------------------------------------------------------- */

enum { FEW_MIN_MS, FEW_IDLE, FEW_STAGE_SHARE };

static const struct rule_param few_params[] = {
    [FEW_MIN_MS] = { "min-task", 3000, "ms", "longest task",
                     "shorter ones are not worth cutting" },
    [FEW_IDLE] = { "idle", 0.4, "",
                   "share of the stage's slot time for which it had no task",
                   "SparkForensics' stage shape asks tasks / cores < 0.5" },
    [FEW_STAGE_SHARE] = { "stages-share", 0.005, "",
                          "of the wall time the stages accused take, together",
                          "SparkForensics" },
};

/* Jobs of Spark's own that look at files when a table is opened (schema, footers):
 * outside any query, on no data. Cutting them is not the user's to do. */
static bool opens_a_table(const struct stage *s)
{
    static const char *const readers[] = { "load at ",  "parquet at ", "csv at ",
                                           "json at ",  "orc at ",     "text at ",
                                           "table at ", "option at " };

    if (s->sql_execution_id != APP_NONE || stage_data_bytes(s) > 64 * MIB)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (sv_starts(s->name, sv(readers[i])))
            return true;
    return false;
}

/* A scan of a small table that waits for its storage rather than computes: more tasks would
 * wait for the same. */
static bool waits_for_storage(const struct stage *s)
{
    int64_t cpu_ms = s->total[METRIC_CPU_NS] / 1000000;

    return s->total[METRIC_INPUT_BYTES] > 0 && stage_data_bytes(s) < TARGET_BYTES &&
           stage_shuffle_read_bytes(s) == 0 && cpu_ms > 0 &&
           cpu_ms < s->total[METRIC_RUN_MS] / 4;
}

static bool stage_has_too_few(const struct rule_input *in, uint32_t ix)
{
    const struct ledgers *l = &in->analysis->ledgers;
    const struct stage *s = &in->app->stages[ix];
    int64_t wall = ledger_stage_wall_ms(l, ix);
    const struct shape *sh = &in->shapes[ix];

    if (s->tasks < 1)
        return false; /* the log does not say how many, or lies */
    if (sh->n >= 4 && (double)sh->max_ms >= 4 * sh->median_ms)
        return false; /* one task is long, not all too few: see uneven.c */
    if ((double)sh->max_ms < in->params[FEW_MIN_MS] || s->barrier ||
        opens_a_table(s) || waits_for_storage(s) || input_is_whole(in, ix))
        return false; /* the last is unsplittable-input's */
    if (s->tasks <= 1 && s->total[METRIC_OUTPUT_BYTES] > 0)
        return false; /* single-writer's */
    return wall > 0 && (double)ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS) >=
                           in->params[FEW_IDLE] * (double)wall;
}

static void few_remedy(const struct rule_input *in, struct findings *out,
                       const struct stage *s, int64_t slots)
{
    const struct app *app = in->app;
    const struct sql *q = stage_sql(app, s);
    const struct plan_node *window = stage_operator(app, s, node_is_window);
    int64_t shuffled = stage_shuffle_read_bytes(s);
    int64_t want = max_i64(2 * slots, shuffled / TARGET_BYTES + 1);
    int64_t set = conf_i64(app, q, "spark.sql.shuffle.partitions", 200);

    if (q && shuffled > 0 && set < want) {
        finding_set(out, "spark.sql.shuffle.partitions", "%" PRId64, want);
        finding_advice(out, "Give the shuffle at least two partitions for each slot.");
    } else if (q && shuffled > 0 && stage_has_scope(s, "AQEShuffleRead")) {
        finding_set(out, "spark.sql.adaptive.coalescePartitions.minPartitionSize",
                    "%" PRId64 "k", max_i64(shuffled / want / 1024, 1));
        if (!conf_bool(app, q, "spark.sql.adaptive.coalescePartitions.parallelismFirst",
                       true))
            finding_set(out, "spark.sql.adaptive.coalescePartitions.parallelismFirst",
                        "true");
        finding_advice(
            out, "Adaptive execution merged the partitions into too few for work this "
                 "heavy per byte: let it make smaller ones.");
    } else if (q && shuffled > 0) {
        finding_code(
            out, window
                     ? "Window.partitionBy('key').orderBy(...)  # not over all rows"
                     : "df.repartition(N)  # N: 2 x the slots; not 1, not coalesce(1)");
        finding_advice(
            out,
            "Everything goes through %" PRId64 " partition%s: a window or sort over "
            "all rows, or a repartition(n) in the code. Partition the window, or "
            "sort and rank within keys first.",
            s->tasks, s->tasks == 1 ? "" : "s");
    } else if (q && s->total[METRIC_INPUT_BYTES] > want * MIB) {
        int64_t split = s->total[METRIC_INPUT_BYTES] / want;

        finding_set(out, "spark.sql.files.maxPartitionBytes", "%s",
                    words_setting(out, max_i64(split, MIB)));
        finding_code(out, "df.repartition(N)  # where the files do not split");
        finding_advice(
            out, "Read the input in smaller splits; where files do not split (gzip, one "
                 "row group), repartition after reading or store them in more pieces.");
    } else {
        finding_code(
            out, q ? "df.repartition(N)  # before the heavy part; N: 2 x the slots"
                   : "sc.parallelize(items, N)  # or rdd.repartition(N); N: 2 x the slots");
        finding_advice(out, "Cut the work into at least %" PRId64 " partitions.", want);
    }
}

static enum rule_answer check_few(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct ledgers *l = &in->analysis->ledgers;
    uint32_t worst = IX_NONE;
    size_t n = 0;
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (!stage_has_too_few(in, ix))
            continue;
        n++;
        if (worst == IX_NONE || ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS) >
                                    ledger_stage_ms(l, worst, WALL_TOO_FEW_TASKS))
            worst = ix;
    }
    if (n == 0 || !stages_matter(in, in->params[FEW_STAGE_SHARE], stage_has_too_few))
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[worst];
    const struct shape *sh = &in->shapes[worst];
    int64_t slots = app_slots(app);

    if (n == 1)
        finding_begin(out, in->rule,
                      "Stage %" PRId64 " has %" PRId64 " task%s for %" PRId64 " slots",
                      s->stage_id, s->tasks, s->tasks == 1 ? "" : "s", slots);
    else
        finding_begin(out, in->rule, "%zu long stages have fewer tasks than slots", n);
    int64_t idle = max_i64(slots - s->tasks, 1);
    const char *longest = words_ms(out, sh->max_ms);

    if (n == 1 && s->tasks == 1) /* the title has the numbers */
        finding_cause(out, "It runs %s (%s), while %" PRId64 " slot%s nothing to do.",
                      longest, words_clean(out, s->name, 60), idle,
                      idle == 1 ? " has" : "s have");
    else
        finding_cause(out,
                      "Stage %" PRId64 " (%s) runs %" PRId64 " task%s, the longest for %s, "
                      "while %" PRId64 " of %" PRId64 " slots ha%s nothing to do.",
                      s->stage_id, words_clean(out, s->name, 60), s->tasks,
                      s->tasks == 1 ? "" : "s", longest, idle, slots,
                      idle == 1 ? "s" : "ve");
    finding_stage(out, app, worst);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!stage_has_too_few(in, ix))
            continue;
        finding_stage(out, app, ix);
        finding_claim(out, l, ix, WALL_TOO_FEW_TASKS, 0.4, 0.7, 1);
    }
    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", (double)s->tasks);
    finding_number(out, "slots", (double)slots);
    finding_number(out, "longest_task_ms", (double)sh->max_ms);
    finding_number(out, "data_bytes", (double)stage_data_bytes(s));
    finding_number(out, "idle_share",
                   (double)ledger_stage_ms(l, worst, WALL_TOO_FEW_TASKS) /
                       (double)ledger_stage_wall_ms(l, worst));
    few_remedy(in, out, s, slots);
    finding_risk(out, "More tasks write more shuffle blocks and output files.");
    finding_verify(out, "Stage %" PRId64 " should have a task for every slot: %" PRId64
                        " or more.",
                   s->stage_id, slots);
    return RULE_JUDGED;
}

const struct rule rule_too_few_partitions = {
    .id = "too-few-partitions",
    .title = "A long stage has fewer tasks than there are slots",
    .question = QUESTION_SCALES,
    .what = "Stages on the critical path that leave slots empty from beginning to end "
            "because "
            "they never had a task for them.",
    .advice = "More partitions: at least two for each slot.",
    .limits = "Stages off the critical path save nothing and are not named, nor are small scans "
              "that wait for storage; barrier "
              "stages have "
              "the tasks they need. One task that writes is single-writer's.",
    .params = few_params,
    .n_params = ARRAY_LEN(few_params),
    .check = check_few,
    .no_data_why = "no task ends in the log",
};

/* --- scheduling overhead ------------------------------------------------------------ */

enum { SCHED_TASKS, SCHED_SHARE, SCHED_MEDIAN, SCHED_STAGE_SHARE };

static const struct rule_param sched_params[] = {
    [SCHED_TASKS] = { "min-tasks", 500, "", "of the stage",
                      "few tasks cannot cost much" },
    [SCHED_SHARE] = { "share", 0.3, "",
                      "of task time that is scheduler delay, deserialisation "
                      "and result serialisation",
                      "a tenth is usual for tasks of 100 ms" },
    [SCHED_MEDIAN] = { "max-median", 500, "ms", "median task",
                       "SparkForensics' and DataFlint's tiny tasks" },
    [SCHED_STAGE_SHARE] = { "stages-share", 0.005, "",
                            "of the wall time the stages accused take, together",
                            "SparkForensics" },
};

/* Share of the tasks' time that is neither running nor fetching the result. */
static double overhead_share(const struct stage *s)
{
    int64_t over =
        add_sat(add_sat(s->scheduler_delay_ms, s->total[METRIC_DESERIALIZE_MS]),
                s->total[METRIC_RESULT_SERIALIZE_MS]);

    return s->duration_ms > 0 ? (double)over / (double)s->duration_ms : 0;
}

static bool sched_costs(const struct rule_input *in, uint32_t ix, const double *p)
{
    const struct stage *s = &in->app->stages[ix];

    return in->shapes[ix].n >= p[SCHED_TASKS] &&
           in->shapes[ix].median_ms <= p[SCHED_MEDIAN] &&
           overhead_share(s) >= p[SCHED_SHARE];
}

static bool stage_costs_launching(const struct rule_input *in, uint32_t ix)
{
    return sched_costs(in, ix, in->params);
}

/* How many tasks would do: two for each slot, or as the bytes ask. */
static int64_t tasks_needed(const struct app *app, const struct stage *s)
{
    return max_i64(2 * app_slots(app), stage_data_bytes(s) / TARGET_BYTES + 1);
}

/* The part of per-task costs that goes when the stage runs with the tasks it needs. */
static double tasks_cut(const struct app *app, const struct stage *s)
{
    int64_t needed = tasks_needed(app, s);

    return s->tasks > needed ? 1 - (double)needed / (double)s->tasks : 0;
}

static void claim_launching(const struct rule_input *in, struct findings *out,
                            uint32_t ix)
{
    static const enum wall_entry entries[] = { WALL_SCHEDULER_DELAY, WALL_DESERIALISE,
                                               WALL_SCHEDULING };
    double cut = tasks_cut(in->app, &in->app->stages[ix]);

    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        finding_claim(out, &in->analysis->ledgers, ix, entries[i], 0.5 * cut, 0.95 * cut,
                      cut);
}

static enum rule_answer check_sched(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    uint32_t worst = IX_NONE;
    size_t n = 0;
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (!sched_costs(in, ix, in->params))
            continue;
        n++;
        if (worst == IX_NONE ||
            app->stages[ix].duration_ms > app->stages[worst].duration_ms)
            worst = ix;
    }
    if (n == 0 ||
        !stages_matter(in, in->params[SCHED_STAGE_SHARE], stage_costs_launching))
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[worst];
    double share = overhead_share(s);

    if (n == 1)
        finding_begin(out, in->rule,
                      "Launching stage %" PRId64 "'s %u tasks costs %.0f%% of their "
                      "time",
                      s->stage_id, in->shapes[worst].n, share * 100);
    else
        finding_begin(out, in->rule,
                      "In %zu stages launching tasks costs over %.0f%% of their time", n,
                      in->params[SCHED_SHARE] * 100);
    finding_cause(out,
                  "Stage %" PRId64
                  " (%s) is cut into %u tasks of %s (median); %.0f%% of their time "
                  "goes to launching them.",
                  s->stage_id, words_clean(out, s->name, 60), in->shapes[worst].n,
                  words_ms(out, whole(in->shapes[worst].median_ms)), share * 100);
    finding_stage(out, app, worst);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!sched_costs(in, ix, in->params))
            continue;
        finding_stage(out, app, ix);
        claim_launching(in, out, ix);
    }
    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", in->shapes[worst].n);
    finding_number(out, "tasks_needed", (double)tasks_needed(app, s));
    finding_number(out, "median_task_ms", in->shapes[worst].median_ms);
    finding_number(out, "overhead_share", share);
    finding_number(out, "scheduler_delay_ms", (double)s->scheduler_delay_ms);
    finding_advice(out,
                   "Cut the work into about %" PRId64
                   " tasks: coalesce, fewer slices at the "
                   "source, or larger splits.",
                   tasks_needed(app, s));
    finding_code(
        out, "df.coalesce(N)  # or spark.range(0, n, 1, N), sc.parallelize(items, N)");
    finding_verify(out,
                   "Median task of stage %" PRId64 " above 0.5 s, overhead under 10%%.",
                   s->stage_id);
    return RULE_JUDGED;
}

const struct rule rule_scheduling_overhead = {
    .id = "scheduling-overhead",
    .title = "Tasks so short that launching them costs as much as running them",
    .question = QUESTION_SCALES,
    .what = "Stages of many short tasks whose time goes to scheduler delay, "
            "deserialisation and "
            "result serialisation.",
    .advice = "Fewer, larger tasks.",
    .limits = "Fetching large results is not counted: it is the result, not the launch.",
    .params = sched_params,
    .n_params = ARRAY_LEN(sched_params),
    .check = check_sched,
    .no_data_why = "no task ends in the log",
};

/* --- too many --------------------------------------------------------------------- */

enum { MANY_TASKS, MANY_MEDIAN, MANY_SPAN_SHARE };

static const struct rule_param many_params[] = {
    [MANY_TASKS] = { "min-tasks", 150, "", "of the stage",
                     "SparkForensics asks 100; listing 60 folders is healthy" },
    [MANY_MEDIAN] = { "max-median", 100, "ms", "median task",
                      "a task costs 6 to 62 ms to start (SparkForensics, 14 logs)" },
    [MANY_SPAN_SHARE] = { "stages-share", 0.005, "",
                          "of the wall time the stages accused take, together",
                          "SparkForensics" },
};

/* What a task's data asks of its run time, at a slow 20 MiB/s; the rest is the price
 * of being a task. */
static double run_share_of_being_a_task(const struct stage *s)
{
    double data_ms =
        (double)add_sat(stage_data_bytes(s), s->total[METRIC_SHUFFLE_WRITE_BYTES]) /
        (20.0 * (double)MIB) * 1000;
    double run_ms = (double)s->total[METRIC_RUN_MS];

    return run_ms > data_ms ? 1 - data_ms / run_ms : 0;
}

static bool is_cut_too_fine(const struct rule_input *in, uint32_t ix)
{
    const struct shape *sh = &in->shapes[ix];

    return sh->n >= in->params[MANY_TASKS] && sh->median_ms <= in->params[MANY_MEDIAN] &&
           tasks_cut(in->app, &in->app->stages[ix]) > 0.5;
}

/* Source tasks whose launching is the point are scheduling-overhead's: here a note. */
static bool launching_is_the_point(const struct rule_input *in, uint32_t ix)
{
    double p[ARRAY_LEN(sched_params)];

    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        p[i] = sched_params[i].value;
    return stage_shuffle_read_bytes(&in->app->stages[ix]) == 0 && sched_costs(in, ix, p);
}

static void many_remedy(const struct rule_input *in, struct findings *out,
                        const struct stage *s)
{
    const struct app *app = in->app;
    const struct sql *q = stage_sql(app, s);
    int64_t needed = tasks_needed(app, s);

    if (q && s->ran_for_job_ix != IX_NONE && app->jobs[s->ran_for_job_ix].stream_id.len &&
        s->tasks == conf_i64(app, q, "spark.sql.shuffle.partitions", 200)) {
        finding_set(out, "spark.sql.shuffle.partitions", "%" PRId64, needed);
        finding_advice(out, "A query with state keeps one task for each of its partitions "
                            "of state in every batch, and keeps their number from its "
                            "first start: set it, and start from a new checkpoint.");
    } else if (q && stage_shuffle_read_bytes(s) > 0 && app->version_major >= 3 &&
        !sql_is_adaptive(app, q)) {
        finding_set(out, "spark.sql.adaptive.enabled", "true");
        finding_advice(
            out,
            "Adaptive execution is off: on, it merges small partitions after each "
            "shuffle. Without it, set spark.sql.shuffle.partitions to %" PRId64 ".",
            needed);
    } else if (q && stage_shuffle_read_bytes(s) > 0 &&
               !conf_bool(app, q, "spark.sql.adaptive.coalescePartitions.enabled",
                          true)) {
        finding_set(out, "spark.sql.adaptive.coalescePartitions.enabled", "true");
        finding_advice(out, "Merging of small partitions is switched off: switch it on.");
    } else if (q && stage_shuffle_read_bytes(s) > 0) {
        finding_set(out, "spark.sql.shuffle.partitions", "%" PRId64, needed);
        finding_advice(
            out,
            "Adaptive execution does not merge these: the number was asked for "
            "(repartition(n), a cached or bucketed table). Ask for about %" PRId64 ".",
            needed);
    } else {
        finding_code(out,
                     "df.coalesce(N)  # or fewer slices or partitions at the source");
        finding_advice(out, "About %" PRId64 " tasks would do for %s of data.", needed,
                       words_bytes(out, stage_data_bytes(s)));
    }
}

static enum rule_answer check_many(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct ledgers *l = &in->analysis->ledgers;
    uint32_t worst = IX_NONE;
    size_t n = 0, effects = 0;
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (!is_cut_too_fine(in, ix))
            continue;
        n++;
        effects += launching_is_the_point(in, ix);
        if (worst == IX_NONE || in->shapes[ix].total_ms > in->shapes[worst].total_ms)
            worst = ix;
    }
    if (n == 0 || !stages_matter(in, in->params[MANY_SPAN_SHARE], is_cut_too_fine))
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[worst];
    const struct shape *sh = &in->shapes[worst];
    struct finding *f;

    if (n == 1)
        f = finding_begin(out, in->rule, "Stage %" PRId64 " is cut into %u tasks of %s",
                          s->stage_id, sh->n, words_ms(out, whole(sh->median_ms)));
    else
        f = finding_begin(out, in->rule,
                          "%zu stages are cut into hundreds of tasks that last "
                          "milliseconds",
                          n);
    f->note = effects == n;
    finding_cause(out,
                  "Stage %" PRId64
                  " (%s) has %u tasks, %s the median, for %s of data: about %" PRId64
                  " would do.",
                  s->stage_id, words_clean(out, s->name, 60), sh->n,
                  words_ms(out, whole(sh->median_ms)),
                  words_bytes(out, stage_data_bytes(s)), tasks_needed(app, s));
    finding_stage(out, app, worst);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!is_cut_too_fine(in, ix))
            continue;
        finding_stage(out, app, ix);
        if (launching_is_the_point(in, ix))
            continue;
        double run = tasks_cut(app, &app->stages[ix]) *
                     run_share_of_being_a_task(&app->stages[ix]);

        claim_launching(in, out, ix);
        finding_claim(out, l, ix, WALL_COMPUTE, 0.4 * run, 0.95 * run, run);
        finding_claim(out, l, ix, WALL_GC, 0, 0.95 * run, run);
        finding_claim(out, l, ix, WALL_IO_AND_OTHER, 0.4 * run, 0.95 * run, run);
        finding_claim(out, l, ix, WALL_SHUFFLE_WRITE, 0, 0.9 * run, run);
    }
    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", sh->n);
    finding_number(out, "tasks_needed", (double)tasks_needed(app, s));
    finding_number(out, "median_task_ms", sh->median_ms);
    finding_number(out, "data_bytes", (double)stage_data_bytes(s));
    if (n > 1)
        finding_number(out, "stages_affected", (double)n);
    many_remedy(in, out, s);
    finding_risk(
        out, "Fewer partitions are larger ones: watch for spill when the data grows.");
    finding_verify(out, "Stage %" PRId64 " should run about %" PRId64 " tasks.",
                   s->stage_id, tasks_needed(app, s));
    return RULE_JUDGED;
}

const struct rule rule_too_many_partitions = {
    .id = "too-many-partitions",
    .title = "Far more partitions than the data needs",
    .question = QUESTION_SCALES,
    .what = "Stages of very many tasks that are over in milliseconds, held against the "
            "number "
            "that slots and bytes ask for.",
    .advice = "Let adaptive execution merge partitions, or ask for fewer.",
    .limits = "Where launching the tasks is the whole cost, scheduling-overhead has the "
              "seconds "
              "and this is a note.",
    .params = many_params,
    .n_params = ARRAY_LEN(many_params),
    .check = check_many,
    .no_data_why = "no task ends in the log",
};
