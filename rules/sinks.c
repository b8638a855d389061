/* Where results go: too much of them to the driver, or to files that a retry can spoil.
 */
#include "rules/node.h"

#include <inttypes.h>

/* --- results on the driver --------------------------------------------------------- */

enum { RESULT_BYTES, RESULT_OF_TASK, RESULT_LIMIT };

static const struct rule_param result_params[] = {
    [RESULT_BYTES] = { "min-bytes", 10485760, "bytes",
                       "results of a stage, without the frame "
                       "of each",
                       "a table of more than people read" },
    [RESULT_OF_TASK] = { "frame", 8192, "bytes", "of a task's result that is metrics",
                         "metrics of a task take some kB" },
    [RESULT_LIMIT] = { "of-limit", 0.25, "",
                       "of spark.driver.maxResultSize: a warning whatever "
                       "the time",
                       "at the limit the job fails" },
};

static double result_bytes(const struct rule_input *in, const struct stage *s)
{
    double frames = in->params[RESULT_OF_TASK] * (double)s->task.n;

    return (double)s->total[METRIC_RESULT_BYTES] - frames;
}

static bool feeds_broadcast(const struct lineage *l, uint32_t ix)
{
    for (size_t i = 0; i < l->n_links; i++)
        if (l->links[i].from_ix == ix && l->links[i].via == VIA_BROADCAST)
            return true;
    return false;
}

static enum rule_answer result_check(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    uint32_t worst = IX_NONE;
    bool judged = false, broadcast = true;
    double most = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        double bytes = result_bytes(in, &app->stages[ix]);

        judged |= in->shapes[ix].n > 0;
        if (bytes < in->params[RESULT_BYTES])
            continue;
        bool feeds = feeds_broadcast(&in->analysis->lineage, ix);

        if (worst == IX_NONE || (broadcast && !feeds) ||
            (broadcast == feeds && bytes > most)) {
            worst = ix;
            most = bytes;
        }
        broadcast &= feeds;
    }
    if (worst == IX_NONE)
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[worst];
    int64_t limit = conf_bytes(app, NULL, "spark.driver.maxResultSize", INT64_C(1) << 30);
    struct finding *f =
        finding_begin(out, in->rule, "Stage %" PRId64 " sends %s to the driver",
                      s->stage_id, words_bytes(out, whole(most)));

    f->note = broadcast; /* the broadcast is what to judge: oversized-broadcast does */
    f->fault = limit > 0 && most >= in->params[RESULT_LIMIT] * (double)limit;
    finding_cause(
        out,
        "Stage %" PRId64 " (%s) returns %s in %u results, %s; the driver has to hold "
        "them all.",
        s->stage_id, words_clean(out, s->name, 60), words_bytes(out, whole(most)),
        in->shapes[worst].n, broadcast ? "to be broadcast" : "collected by the program");
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (result_bytes(in, &app->stages[ix]) < in->params[RESULT_BYTES])
            continue;
        finding_stage(out, app, ix);
        finding_claim(out, &in->analysis->ledgers, ix, WALL_RESULT, 0.3, 0.8, 1);
    }
    finding_number(out, "result_bytes", most);
    finding_number(out, "max_result_size_bytes", (double)limit);
    finding_code(
        out, "df.write.parquet(path)  # or df.limit(n), df.agg(...) before collect()");
    finding_advice(
        out, broadcast ? "It is collected to be broadcast: broadcast less, or shuffle."
                       : "Write the result out, or aggregate or limit it before it is "
                         "collected; toLocalIterator holds one partition at a time.");
    finding_verify(out, "Result bytes of the stage below %s.",
                   words_bytes(out, whole(in->params[RESULT_BYTES])));
    return RULE_JUDGED;
}

const struct rule rule_large_driver_result = {
    .id = "large-driver-result",
    .title = "Much data is collected on the driver",
    .question = QUESTION_MOVES,
    .what = "Stages whose tasks return megabytes of results to the driver.",
    .advice = "Write it, or reduce it before.",
    .limits =
        "What the program does with the rows afterwards shows as driver code and is not "
        "claimed. A note where only broadcasts are collected.",
    .params = result_params,
    .n_params = ARRAY_LEN(result_params),
    .check = result_check,
    .no_data_why = "no task ends in the log",
};

/* --- commits ----------------------------------------------------------------------- */

#define COMMIT_KEY "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version"

static const struct rule_param commit_params[] = {
    { "min-tasks", 1, "", "attempts that failed or were killed in a stage that writes",
      "one may have left files behind" },
};

/* Committers for object stores have no algorithm 1 or 2. */
static bool other_committer(const struct app *app, const struct sql *q)
{
    struct setting protocol = conf_get(app, q, "spark.sql.sources.commitProtocolClass");

    return protocol.value.p && sv_has(protocol.value, "PathOutputCommitProtocol");
}

static int64_t bad_attempts(const struct stage *s)
{
    return s->total[METRIC_OUTPUT_BYTES] > 0 || s->total[METRIC_OUTPUT_ROWS] > 0
               ? add_sat(s->failed_tasks, s->killed_tasks)
               : 0;
}

static enum rule_answer commit_check(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    uint32_t worst = IX_NONE;
    int64_t most = 0, sum = 0;
    bool unknown = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        const struct sql *q = stage_sql(app, s);
        int64_t n = bad_attempts(s), version = conf_i64(app, q, COMMIT_KEY, -1);

        if ((double)n < in->params[0] || other_committer(app, q))
            continue;
        unknown |= version < 0;
        if (version != 2)
            continue;
        sum = add_sat(sum, n);
        if (n > most) {
            most = n;
            worst = ix;
        }
    }
    if (worst == IX_NONE)
        return unknown ? RULE_NO_DATA : RULE_JUDGED;
    const struct stage *s = &app->stages[worst];
    struct finding *f =
        finding_begin(out, in->rule,
                      "Stage %" PRId64 " wrote with commit algorithm 2, and %" PRId64
                      " of its attempts failed",
                      s->stage_id, most);

    f->fault = true;
    f->basis = BASIS_NONE;
    finding_cause(
        out,
        "Algorithm 2 moves a task's files into the result when the task commits: an "
        "attempt that fails while it commits, or a job that fails after it, leaves rows "
        "behind (stage %" PRId64 ", %s).",
        s->stage_id, words_clean(out, s->name, 80));
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if ((double)bad_attempts(&app->stages[ix]) >= in->params[0] &&
            conf_i64(app, stage_sql(app, &app->stages[ix]), COMMIT_KEY, -1) == 2)
            finding_stage(out, app, ix);
    finding_number(out, "attempts_failed", (double)sum);
    finding_number(out, "output_bytes", (double)s->total[METRIC_OUTPUT_BYTES]);
    finding_set(out, COMMIT_KEY, "1");
    finding_code(out,
                 "df.write.mode('overwrite')  # a rerun replaces, where append doubles");
    finding_advice(out,
                   "Use algorithm 1, which moves files only when the job commits, or a "
                   "committer or table format with atomic commits; overwrite rather than "
                   "append, so that a rerun replaces.");
    finding_risk(out,
                 "Algorithm 1 renames all files on the driver at the end: slow on object "
                 "stores, where a committer made for them belongs.");
    finding_verify(out, "Compare the rows of the output with those of the query.");
    return RULE_JUDGED;
}

const struct rule rule_unsafe_commit = {
    .id = "unsafe-commit",
    .title = "Retried tasks wrote with a commit that is not atomic",
    .question = QUESTION_FAILS,
    .what = "Stages that write files with commit algorithm 2 and had attempts that "
            "failed or were "
            "killed.",
    .advice = "Commit algorithm 1, or an atomic committer.",
    .limits =
        "Claims no seconds: it is about rows. Whether an attempt really left files, only "
        "the output tells. JDBC is unsafe-write's; table formats are not judged.",
    .params = commit_params,
    .n_params = ARRAY_LEN(commit_params),
    .check = commit_check,
    .no_data_why =
        "attempts failed in a stage that writes, and the commit algorithm is not known",
};
