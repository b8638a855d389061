/* What has gone well so far: a write that a retry would leave wrong, a lineage so long
 * that one lost executor is half the run again. Neither has a time to save; both are
 * worth a line before the night in which it happens. */
#include "rules/finding.h"
#include "rules/loss.h"
#include "rules/plan.h"

#include <inttypes.h>

/* --- writes ----------------------------------------------------------------------------
 */

static const struct rule_param write_params[] = {
    { "min-tasks", 1, "",
      "attempts of a writing stage that failed or were killed, or speculation on",
      "without either, each task writes once" },
};

/* Not commit algorithm 2 with attempts that failed: that is unsafe-commit's. */
static bool is_at_risk(const struct unsafe_write *w, double min_tasks)
{
    bool bad = (double)w->bad_attempts >= min_tasks;

    if (w->trouble & WRITE_DIRECT)
        return bad || (w->trouble & WRITE_SPECULATION) != 0;
    return !bad && (w->trouble & WRITE_SPECULATION) != 0;
}

static void write_remedy(struct findings *out, const struct unsafe_write *w)
{
    if (w->trouble & WRITE_SPECULATION)
        finding_set(out, "spark.speculation", "false");
    if (w->trouble & WRITE_DIRECT) {
        finding_code(out, "INSERT ... ON CONFLICT / MERGE by key from a staging table");
        finding_advice(
            out,
            "Write to a staging table and move it in one transaction, or write by "
            "key, so that a row written twice is one row%s.",
            w->trouble & WRITE_SPECULATION ? "; and switch speculation off for this job"
                                           : "");
    } else {
        finding_set(out, "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version",
                    "1");
        finding_advice(out,
                       "Switch speculation off, or use commit algorithm 1 or a committer "
                       "with atomic commits.");
    }
}

static enum rule_answer write_check(const struct rule_input *in, struct findings *out)
{
    const struct unsafe_write *worst = NULL;
    struct writes all;
    size_t n = 0;

    writes_find(&all, in->app, out->arena);
    for (size_t i = 0; i < all.n; i++) {
        if (!is_at_risk(&all.items[i], in->params[0]))
            continue;
        n++;
        if (!worst || all.items[i].bad_attempts > worst->bad_attempts)
            worst = &all.items[i];
    }
    if (!worst)
        return RULE_JUDGED;
    struct finding *f =
        finding_begin(out, in->rule, "The write of SQL %" PRId64 " may write rows twice",
                      worst->q->execution_id);

    f->fault = worst->bad_attempts > 0;
    f->basis = BASIS_NONE;
    f->operator= worst->node->name;
    finding_cause(out, "%s: %s%s.", words_clean(out, worst->node->name, 60),
                  write_words(worst->trouble, out->arena),
                  worst->bad_attempts > 0
                      ? arena_printf(out->arena,
                                     ", and %" PRId64 " of its attempts failed or were "
                                     "killed",
                                     worst->bad_attempts)
                      : "");
    finding_sql(out, worst->q->execution_id);
    if (worst->stage_ix != IX_NONE)
        finding_stage(out, in->app, worst->stage_ix);
    for (size_t i = 0; i < all.n; i++)
        if (is_at_risk(&all.items[i], in->params[0]))
            finding_sql(out, all.items[i].q->execution_id);
    finding_number(out, "writes_at_risk", (double)n);
    finding_number(out, "attempts_failed", (double)worst->bad_attempts);
    write_remedy(out, worst);
    finding_risk(out, "Without speculation a slow host holds up its stage.");
    finding_verify(out, "Compare the rows of the output with those of the query.");
    return RULE_JUDGED;
}

const struct rule rule_unsafe_write = {
    .id = "unsafe-write",
    .title = "A retried or copied task would write its rows twice",
    .question = QUESTION_FAILS,
    .what = "Writes that publish rows as tasks run (databases by JDBC, commit algorithm "
            "2) where "
            "attempts failed or speculation may run copies.",
    .advice = "A staging table or a write by key; no speculation for such jobs.",
    .limits =
        "Claims no seconds. A sink is taken for direct where its tasks count rows and no "
        "bytes. foreach and sinks of one's own do not show.",
    .params = write_params,
    .n_params = ARRAY_LEN(write_params),
    .check = write_check,
};

/* --- lineage
 * ------------------------------------------------------------------------------- */

enum { LONG_STAGES, LONG_SHARE, LONG_MS };

static const struct rule_param long_params[] = {
    [LONG_STAGES] = { "min-stages", 8, "", "stages to run again for one lost executor",
                      "joins of a usual query need two to five" },
    [LONG_SHARE] = { "share", 0.25, "", "of the wall time that the loss would add",
                     "as much is a run that misses its hour" },
    [LONG_MS] = { "min-time", 60000, "ms", "that the loss would add",
                  "a checkpoint costs seconds" },
};

static enum rule_answer long_check(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    struct arena scratch = { 0 };
    uint32_t worst = IX_NONE;
    struct stage_loss k = { 0 };
    struct loss l;

    loss_build(&l, in->analysis, &scratch);
    for (uint32_t ix = 0; l.known == LOSS_KNOWN && ix < app->n_stages; ix++)
        if (l.stages[ix].executor_ix != IX_NONE &&
            l.stages[ix].stages >= in->params[LONG_STAGES] &&
            (worst == IX_NONE || l.stages[ix].wall_ms > k.wall_ms)) {
            worst = ix;
            k = l.stages[ix];
        }
    arena_release(&scratch);
    if (l.known != LOSS_KNOWN)
        return l.known == LOSS_LOCAL ? RULE_JUDGED : RULE_NO_DATA;
    if (worst == IX_NONE || (double)k.wall_ms < in->params[LONG_MS] ||
        (double)k.wall_ms <
            in->params[LONG_SHARE] * (double)in->analysis->ledgers.wall_total_ms)
        return RULE_JUDGED;
    const struct stage *s = &app->stages[worst];
    struct finding *f = finding_begin(
        out, in->rule, "An executor lost in stage %" PRId64 " would cost %s", s->stage_id,
        words_ms(out, k.wall_ms));

    f->note = true; /* nothing has happened */
    f->basis = BASIS_NONE;
    finding_cause(
        out,
        "What stage %" PRId64 " reads goes back through %u stages, whose output lies on "
        "the executors: losing executor %s there is %" PRId64 " tasks again, %s of "
        "task time.",
        s->stage_id, k.stages, words_clean(out, app->executors[k.executor_ix].id, 20),
        k.tasks, words_ms(out, k.task_ms));
    finding_stage(out, app, worst);
    finding_executor(out, app->executors[k.executor_ix].id);
    finding_number(out, "stages_again", k.stages);
    finding_number(out, "tasks_again", (double)k.tasks);
    finding_number(out, "task_time_ms", (double)k.task_ms);
    finding_number(out, "wall_ms", (double)k.wall_ms);
    finding_code(out, "df = df.checkpoint()  # or write it out and read it back");
    finding_advice(
        out, "Cut the lineage before this stage: a checkpoint, or a table that is "
             "written and read again. An external shuffle service or decommissioning "
             "with migration of blocks keeps shuffle files too.");
    finding_risk(out, "A checkpoint writes the data once more.");
    return RULE_JUDGED;
}

const struct rule rule_long_lineage = {
    .id = "long-lineage",
    .title = "One lost executor would have many stages run again",
    .question = QUESTION_FAILS,
    .what = "For each stage, the map output and cached blocks that it needs, back to "
            "files, and "
            "what making one executor's part of them again would take.",
    .advice = "A checkpoint, or a shuffle service that outlives executors.",
    .limits = "A note: nothing has happened. Silent in local mode, and where shuffle "
              "files outlive "
              "executors. Lineage is followed through 200 stages.",
    .params = long_params,
    .n_params = ARRAY_LEN(long_params),
    .check = long_check,
    .no_data_why = "no executor's task ended in the log",
};
