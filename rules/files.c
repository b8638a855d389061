/* Files: read in very many small pieces, written in very many small pieces, or all
 * written by one task.
 *
 * Opening (or creating) a file has a price that its bytes do not explain. It is not
 * logged; what a stage's tasks take beyond the time that their bytes ask for is, and
 * of that a price of some tens of ms a file is believed, no more. */
#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>

#define MIB (INT64_C(1) << 20)
#define GOOD_FILE_BYTES (128 * MIB)
/* What a core reads or writes of Parquet or CSV: slowly, and usually. */
#define SLOW_BYTES_PER_MS (20.0 * (double)MIB / 1000)
#define USUAL_BYTES_PER_MS (50.0 * (double)MIB / 1000)

struct files { /* of one scan or one write */
    int64_t n, bytes;
    struct sv place;
    const struct plan_node *node;
    int64_t execution_id;
};

/* The rule's worst case and the sum over all. */
struct files_seen {
    const struct rule_input *in;
    struct findings *out;
    const struct sql *q;
    struct files worst;
    size_t n_bad;
    bool any; /* some scan or write told its files */
};

enum { FILES_MIN, FILES_MEAN, FILES_STAGE_SHARE };

static const struct rule_param files_params[] = {
    [FILES_MIN] = { "min-files", 100, "", "files of one scan or write",
                    "SparkForensics, DataFlint" },
    [FILES_MEAN] = { "max-mean", 3.0 * 1048576, "bytes", "mean size",
                     "SparkForensics, DataFlint" },
    [FILES_STAGE_SHARE] = { "min-saving", 0.005, "",
                            "of the application's wall time; less is "
                            "not reported",
                            "SparkForensics' band of a warning" },
};

static bool are_small(const struct rule_input *in, const struct files *f)
{
    return (double)f->n > in->params[FILES_MIN] &&
           (double)f->bytes < in->params[FILES_MEAN] * (double)f->n;
}

/* Share of the stage's task time that n files cost beyond what their bytes ask for at
 * that speed, if only as many files were needed as good ones hold the bytes (one for
 * each slot at least); at most price_ms for each file. */
static double share_of_opening(const struct app *app, const struct stage *s,
                               const struct files *f, double price_ms,
                               double bytes_per_ms)
{
    double run = (double)s->duration_ms;
    double opening = run - (double)f->bytes / bytes_per_ms;
    int64_t needed =
        max_i64(f->bytes / GOOD_FILE_BYTES + 1, min_i64(app_slots(app), f->n));

    if (opening <= 0 || run <= 0)
        return 0;
    if (opening > price_ms * (double)f->n)
        opening = price_ms * (double)f->n;
    return opening / run * (1 - (double)needed / (double)f->n);
}

static void claim_opening(const struct rule_input *in, struct findings *out, uint32_t ix,
                          const struct files *f, double usual_ms, double dear_ms)
{
    static const enum wall_entry entries[] = { WALL_COMPUTE, WALL_IO_AND_OTHER,
                                               WALL_SCHEDULER_DELAY, WALL_DESERIALISE,
                                               WALL_SCHEDULING };
    const struct app *app = in->app;
    const struct stage *s = &app->stages[ix];
    double least = share_of_opening(app, s, f, usual_ms / 3, SLOW_BYTES_PER_MS);
    double usual = share_of_opening(app, s, f, usual_ms, USUAL_BYTES_PER_MS);
    double most = share_of_opening(app, s, f, dear_ms, USUAL_BYTES_PER_MS);

    finding_stage(out, app, ix);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        finding_claim(out, &in->analysis->ledgers, ix, entries[i], least, usual, most);
}

static int64_t metric_total(const struct app *app, const struct plan_node *node,
                            const char *name)
{
    const struct plan_metric *m = plan_metric(node, name);

    return m ? app_accum(app, m->accumulator_id, m->type).total : 0;
}

/* Some stage has a total of it: bytes were read, or written. */
static bool app_moved(const struct app *app, enum task_metric m)
{
    app_each_stage (app, s)
        if (s->total[m] > 0)
            return true;
    return false;
}

static void keep_worst(struct files_seen *seen, const struct files *f)
{
    if (seen->n_bad++ == 0 || f->n > seen->worst.n)
        seen->worst = *f;
}

/* Less than half a per cent of the run: not worth the reader's time. */
static bool worth_saying(const struct rule_input *in, const struct findings *out)
{
    const struct finding *f = &out->items[out->n - 1];
    int64_t sum = 0;

    for (size_t i = 0; i < f->n_claims; i++)
        sum = add_sat(sum, f->claims[i].expected_ms);
    return (double)sum >=
           in->params[FILES_STAGE_SHARE] * (double)in->analysis->ledgers.wall_total_ms;
}

/* --- reading ----------------------------------------------------------------------- */

static void scan_seen(const struct plan_node *node, void *context)
{
    struct files_seen *seen = context;
    const struct app *app = seen->in->app;
    uint32_t *stages;

    if (!plan_metric(node, "number of files read"))
        return;
    struct files f = { .n = metric_total(app, node, "number of files read"),
                       .bytes = metric_total(app, node, "size of files read"),
                       .place = kvs_get(&node->metadata, "Location"),
                       .node = node,
                       .execution_id = seen->q->execution_id };

    seen->any |= f.n > 0;
    if (!are_small(seen->in, &f))
        return;
    keep_worst(seen, &f);
    finding_sql(seen->out, seen->q->execution_id);
    for (size_t m = 0; m < node->n_metrics; m++) {
        size_t n = app_accum_stages(app, node->metrics[m].accumulator_id,
                                    seen->out->arena, &stages);

        if (n == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            claim_opening(seen->in, seen->out, stages[i], &f, 20, 60);
        break; /* the node's other metrics are of the same stages */
    }
}

static enum rule_answer check_read(const struct rule_input *in, struct findings *out)
{
    struct files_seen seen = { .in = in, .out = out };
    size_t before = out->n;

    finding_begin(out, in->rule, "%s", "");
    app_each_sql (in->app, q) {
        seen.q = q;
        plan_each(sql_final_plan(q), scan_seen, &seen);
    }
    if (seen.n_bad == 0 || !worth_saying(in, out)) {
        out->n = before;
        return seen.any || !app_moved(in->app, METRIC_INPUT_BYTES) ? RULE_JUDGED
                                                                   : RULE_NO_DATA;
    }
    struct finding *f = &out->items[out->n - 1];
    int64_t mean = seen.worst.bytes / max_i64(seen.worst.n, 1);

    f->title =
        arena_printf(out->arena, "%" PRId64 " files of %s on average are read one by one",
                     seen.worst.n, words_bytes(out, mean));
    f->operator= seen.worst.node->name;
    finding_cause(out,
                  "SQL %" PRId64 " scans %" PRId64
                  " files, %s together; opening them takes longer than "
                  "reading them (%s).",
                  seen.worst.execution_id, seen.worst.n,
                  words_bytes(out, seen.worst.bytes), words_clean(out, seen.worst.place, 120));
    finding_number(out, "files_read", (double)seen.worst.n);
    finding_number(out, "mean_file_bytes", (double)mean);
    finding_number(out, "input_file_bytes", (double)seen.worst.bytes);
    finding_number(out, "scans_affected", (double)seen.n_bad);
    finding_code(out, "spark.read.parquet(path).repartition(N).write.parquet(compacted)\n"
                      "# or OPTIMIZE / rewrite_data_files; N = bytes / 128 MiB");
    finding_advice(out,
                   "Compact the table to files of about 128 MiB (%" PRId64
                   " here), and have its writer make fewer.",
                   seen.worst.bytes / GOOD_FILE_BYTES + 1);
    finding_risk(out,
                 "Compaction rewrites the data once; readers must not see both copies.");
    finding_verify(out, "`number of files read` of the scan should fall below %.0f.",
                   in->params[FILES_MIN]);
    return RULE_JUDGED;
}

const struct rule rule_small_files_read = {
    .id = "small-files-read",
    .title = "The input is stored in very many small files",
    .question = QUESTION_MOVES,
    .what = "Scans of more than a hundred files that are small on average, where opening "
            "them "
            "costs a share of the run.",
    .advice = "Compact the table.",
    .limits =
        "Reads of RDDs (textFile, binaryFiles) do not log their files. Listing on the "
        "driver is not counted in.",
    .params = files_params,
    .n_params = ARRAY_LEN(files_params),
    .check = check_read,
    .no_data_why = "no scan in the log says how many files it read",
};

/* --- writing ------------------------------------------------------------------------ */

/* Stages that wrote output for the execution. */
static bool wrote_for(const struct stage *s, int64_t execution_id)
{
    return s->sql_execution_id == execution_id && s->total[METRIC_OUTPUT_BYTES] > 0;
}

static void write_seen(const struct plan_node *node, void *context)
{
    struct files_seen *seen = context;
    const struct app *app = seen->in->app;

    if (!plan_metric(node, "number of written files"))
        return;
    struct files f = { .n = metric_total(app, node, "number of written files"),
                       .bytes = metric_total(app, node, "written output"),
                       .place = node->detail,
                       .node = node,
                       .execution_id = seen->q->execution_id };

    seen->any |= f.n > 0;
    if (!are_small(seen->in, &f))
        return;
    keep_worst(seen, &f);
    finding_sql(seen->out, seen->q->execution_id);
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (wrote_for(&app->stages[ix], seen->q->execution_id))
            claim_opening(seen->in, seen->out, ix, &f, 50, 150);
}

/* Writes of RDDs: each task that wrote made a file. */
static void rdd_writes(struct files_seen *seen)
{
    const struct app *app = seen->in->app;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        struct files f = { .bytes = s->total[METRIC_OUTPUT_BYTES],
                           .place = s->name,
                           .execution_id = APP_NONE };

        if (f.bytes <= 0 || s->sql_execution_id != APP_NONE)
            continue;
        for (uint32_t row = 0; row < s->task.n; row++)
            f.n += task_state(&s->task, row) == TASK_SUCCESS &&
                   task_metric(&s->task, row, METRIC_OUTPUT_BYTES) > 0;
        seen->any = true;
        if (!are_small(seen->in, &f))
            continue;
        keep_worst(seen, &f);
        claim_opening(seen->in, seen->out, ix, &f, 50, 150);
    }
}

static enum rule_answer check_write(const struct rule_input *in, struct findings *out)
{
    struct files_seen seen = { .in = in, .out = out };
    size_t before = out->n;

    finding_begin(out, in->rule, "%s", "");
    app_each_sql (in->app, q) {
        seen.q = q;
        plan_each(sql_final_plan(q), write_seen, &seen);
    }
    rdd_writes(&seen);
    if (seen.n_bad == 0 || !worth_saying(in, out)) {
        out->n = before;
        return seen.any || !app_moved(in->app, METRIC_OUTPUT_BYTES) ? RULE_JUDGED
                                                                    : RULE_NO_DATA;
    }
    struct finding *f = &out->items[out->n - 1];
    int64_t mean = seen.worst.bytes / max_i64(seen.worst.n, 1);
    int64_t files = seen.worst.bytes / GOOD_FILE_BYTES + 1;
    int64_t parts = seen.worst.node
                        ? metric_total(in->app, seen.worst.node, "number of dynamic part")
                        : 0;

    f->title = arena_printf(out->arena, "%" PRId64 " files of %s on average are written",
                            seen.worst.n, words_bytes(out, mean));
    if (seen.worst.node)
        f->operator= seen.worst.node->name;
    finding_cause(out,
                  "%s goes into %" PRId64 " files, for each task writes its own%s: %s.",
                  words_bytes(out, seen.worst.bytes), seen.worst.n,
                  parts > 0 ? " in each partition folder" : "",
                  words_clean(out, seen.worst.place, 120));
    finding_number(out, "files_written", (double)seen.worst.n);
    finding_number(out, "mean_file_bytes", (double)mean);
    finding_number(out, "output_bytes", (double)seen.worst.bytes);
    finding_number(out, "writes_affected", (double)seen.n_bad);
    if (parts > 0) {
        finding_number(out, "dynamic_partitions", (double)parts);
        finding_code(
            out,
            "df.repartition('partition_column').write.partitionBy('partition_column')");
        finding_hint(out, "/*+ REBALANCE(partition_column) */");
        finding_advice(
            out,
            "Bring the rows of a partition folder together before the write, so "
            "that few tasks write to each of the %" PRId64 " folders.",
            parts);
    } else {
        finding_code(
            out, arena_printf(out->arena,
                              "df.coalesce(%" PRId64 ").write...  # or repartition",
                              max_i64(files, min_i64(app_slots(in->app), seen.worst.n))));
        finding_hint(out, "/*+ REBALANCE */");
        finding_advice(out,
                       "Write %" PRId64 " to %" PRId64
                       " files instead: coalesce before the "
                       "write, or let REBALANCE size them.",
                       files, max_i64(files, app_slots(in->app)));
    }
    finding_risk(
        out,
        "Too few writers make the write itself slow: keep at least one for each slot.");
    finding_verify(out, "`number of written files` should be near %" PRId64 ".",
                   max_i64(files, min_i64(app_slots(in->app), seen.worst.n)));
    return RULE_JUDGED;
}

const struct rule rule_small_files_write = {
    .id = "small-files-write",
    .title = "The output goes to very many small files",
    .question = QUESTION_MOVES,
    .what =
        "Writes of more than a hundred files that are small on average, and what making "
        "them cost the writing stage.",
    .advice = "Fewer writers, or rows brought together by partition before the write.",
    .limits = "Sinks that do not log written files (some table formats) do not show.",
    .params = files_params,
    .n_params = ARRAY_LEN(files_params),
    .check = check_write,
    .no_data_why = "no write in the log says how many files it made",
};

/* --- one writer ------------------------------------------------------------------------
 */

enum { WRITER_MIN_MS, WRITER_BYTES, WRITER_STAGE_SHARE };

static const struct rule_param writer_params[] = {
    [WRITER_MIN_MS] = { "min-task", 3000, "ms", "the writing task",
                        "as too-few-partitions" },
    [WRITER_BYTES] = { "min-output", 5.0 * 1048576, "bytes", "written",
                       "a small result belongs in one file" },
    [WRITER_STAGE_SHARE] = { "stage-share", 0.005, "",
                             "stage's span of the application's", "SparkForensics" },
};

static bool has_single_writer(const struct rule_input *in, uint32_t ix)
{
    const struct stage *s = &in->app->stages[ix];
    const struct shape *sh = &in->shapes[ix];
    const double *p = in->params;

    return s->tasks == 1 && s->attempt == 0 && sh->n == 1 &&
           (double)sh->max_ms >= p[WRITER_MIN_MS] &&
           (double)s->total[METRIC_OUTPUT_BYTES] >= p[WRITER_BYTES] &&
           app_slots(in->app) > 1 &&
           (double)sh->max_ms >=
               p[WRITER_STAGE_SHARE] * (double)in->analysis->ledgers.wall_total_ms;
}

static enum rule_answer check_writer(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    uint32_t worst = IX_NONE;
    size_t n = 0;
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (!has_single_writer(in, ix))
            continue;
        n++;
        if (worst == IX_NONE || in->shapes[ix].max_ms > in->shapes[worst].max_ms)
            worst = ix;
    }
    if (n == 0)
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[worst];
    int64_t files =
        max_i64(s->total[METRIC_OUTPUT_BYTES] / GOOD_FILE_BYTES + 1, app_slots(app));
    bool coalesced = stage_has_scope(s, "Coalesce") || stage_has_scope(s, "coalesce");

    if (n == 1)
        finding_begin(out, in->rule, "One task writes %s in stage %" PRId64,
                      words_bytes(out, s->total[METRIC_OUTPUT_BYTES]), s->stage_id);
    else
        finding_begin(out, in->rule, "%zu writes are made by a single task", n);
    finding_cause(
        out, "Stage %" PRId64 " (%s) has one task, which works for %s and writes %s%s.",
        s->stage_id, words_clean(out, s->name, 60),
        words_ms(out, in->shapes[worst].max_ms),
        words_bytes(out, s->total[METRIC_OUTPUT_BYTES]),
        coalesced ? "; coalesce(1) pulls the work before it into that task too" : "");
    finding_stage(out, app, worst);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!has_single_writer(in, ix))
            continue;
        finding_stage(out, app, ix);
        finding_claim(out, &in->analysis->ledgers, ix, WALL_TOO_FEW_TASKS, 0.4, 0.7, 1);
    }
    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "task_ms", (double)in->shapes[worst].max_ms);
    finding_number(out, "output_bytes", (double)s->total[METRIC_OUTPUT_BYTES]);
    finding_number(out, "input_bytes", (double)s->total[METRIC_INPUT_BYTES]);
    finding_number(out, "slots", (double)app_slots(app));
    if (coalesced)
        finding_code(out, "df.repartition(1).write...  # if it must be one file: only "
                          "the write is serial");
    finding_code(
        out, arena_printf(out->arena,
                          "df.write...  # without coalesce(1), or coalesce(%" PRId64 ")",
                          files));
    finding_advice(out,
                   "Let all slots write (%" PRId64 " files). If one file is required, "
                   "repartition(1) at least keeps the computation parallel.",
                   files);
    finding_risk(out, "Readers that expect a single file must take several.");
    finding_verify(out, "Stage %" PRId64 " should have at least %" PRId64 " tasks.",
                   s->stage_id, app_slots(app));
    return RULE_JUDGED;
}

const struct rule rule_single_writer = {
    .id = "single-writer",
    .title = "One task writes the whole output",
    .question = QUESTION_SCALES,
    .what = "A stage of one task that writes megabytes while the other slots are empty.",
    .advice = "Write with all slots, or make only the last step serial.",
    .limits = "Sinks that do not report output bytes do not show.",
    .params = writer_params,
    .n_params = ARRAY_LEN(writer_params),
    .check = check_writer,
    .no_data_why = "no task ends in the log",
};
