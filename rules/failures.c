/* What failed: jobs, executors, fetches, tasks; and a log that ends too early.
 *
 * One cause, one finding. A lost executor explains the tasks and the map output that
 * went with it; a failed job explains the failures of the tasks that failed it. What
 * is explained is mentioned there: tasks are then not accused again, fetch failures
 * (which cost whole stages) at most in a note. Killed tasks (speculation's losers,
 * cancelled stages) and denied commits are no failures; executors released on request
 * are not lost. */
#include "analyzer/failure.h"
#include "rules/finding.h"
#include "rules/shape.h"

#include <inttypes.h>

#define MIB (INT64_C(1) << 20)

static int64_t tasks_with(const struct stage *s, enum task_end_reason reason)
{
    int64_t n = 0;

    for (size_t i = 0; i < s->n_failures; i++)
        if (s->failures[i].reason == reason)
            n += s->failures[i].tasks;
    return n;
}

static int64_t app_tasks_with(const struct app *app, enum task_end_reason reason)
{
    int64_t n = 0;

    app_each_stage (app, s)
        n += tasks_with(s, reason);
    return n;
}

static bool is_own_failure(enum task_end_reason r)
{
    return r == REASON_EXCEPTION || r == REASON_RESULT_LOST || r == REASON_UNKNOWN;
}

/* The commonest failure of the stage's own tasks; NULL: none. */
static const struct failure_group *main_failure(const struct stage *s)
{
    const struct failure_group *main = NULL;

    for (size_t i = 0; i < s->n_failures; i++)
        if (is_own_failure(s->failures[i].reason) &&
            (!main || s->failures[i].tasks > main->tasks))
            main = &s->failures[i];
    return main;
}

static int64_t own_failures(const struct stage *s)
{
    return tasks_with(s, REASON_EXCEPTION) + tasks_with(s, REASON_RESULT_LOST) +
           tasks_with(s, REASON_UNKNOWN);
}

static const char *class_words(struct findings *out, const struct failure_group *g)
{
    return g && g->class_name.len ? words_clean(out, g->class_name, 100) : "an error";
}

/* Everything the ledger has for the attempt: it was run only to make good a loss. */
static void claim_whole_stage(const struct rule_input *in, struct findings *out,
                              uint32_t ix)
{
    for (enum wall_entry e = 0; e < WALL_COUNT; e++)
        finding_claim(out, &in->analysis->ledgers, ix, e, 0.8, 1, 1);
}

static void claim_retries(const struct rule_input *in, struct findings *out, uint32_t ix)
{
    finding_stage(out, in->app, ix);
    finding_claim(out, &in->analysis->ledgers, ix, WALL_RETRIES, 0.5, 0.9, 1);
}

/* An attempt that computes map output again which had been there: another stage's, or
 * that of an earlier attempt which did not fail. */
static bool is_recomputation(const struct rule_input *in, uint32_t ix)
{
    const struct app *app = in->app;
    const struct stage *s = &app->stages[ix];

    if (in->analysis->lineage.again_ix[ix] != IX_NONE)
        return true;
    if (s->attempt == 0 || !stage_ran(s))
        return false;
    return ix == 0 || app->stages[ix - 1].stage_id != s->stage_id ||
           app->stages[ix - 1].status != STAGE_FAILED;
}

/* --- jobs ------------------------------------------------------------------------ */

static bool stage_failed_job(const struct app *app, const struct job *j,
                             const struct stage *s)
{
    if (s->status != STAGE_FAILED && own_failures(s) == 0)
        return false;
    for (size_t i = 0; i < s->n_jobs; i++)
        if (app->jobs + s->job_ixs[i] == j)
            return true;
    return false;
}

/* The stage that ended the job: failed, and last of those; NULL: not in the log. */
static const struct stage *failing_stage(const struct app *app, const struct job *j)
{
    const struct stage *best = NULL;

    app_each_stage (app, s) {
        if (!stage_failed_job(app, j, s))
            continue;
        if (!best || (s->status == STAGE_FAILED) >= (best->status == STAGE_FAILED))
            best = s;
    }
    return best;
}

static void say_job(const struct rule_input *in, struct findings *out,
                    const struct job *j, size_t n)
{
    const struct app *app = in->app;
    const struct stage *s = failing_stage(app, j);
    const struct failure_group *g = s ? main_failure(s) : NULL;
    int64_t limit = conf_i64(app, NULL, "spark.task.maxFailures", 4);
    struct finding *f;

    if (n == 1)
        f = finding_begin(out, in->rule, "Job %" PRId64 " failed", j->job_id);
    else
        f = finding_begin(out, in->rule, "%zu jobs failed", n);
    f->fault = true;
    f->confidence = CONFIDENCE_HIGH;
    if (s && g)
        finding_cause(
            out,
            "A task of stage %" PRId64 " failed in every attempt it had, with %s: %s",
            s->stage_id, class_words(out, g), words_clean(out, g->text, 200));
    else
        finding_cause(out, "%s",
                      j->failure.len ? words_clean(out, failure_line(j->failure, out->arena), 300)
                                     : "The log does not say why.");
    app_each_job (app, other) {
        if (other->status != JOB_FAILED || job_was_cancelled(other))
            continue;
        finding_job(out, other->job_id);
        finding_sql(out, other->sql_execution_id);
        for (uint32_t ix = 0; ix < app->n_stages; ix++)
            if (stage_failed_job(app, other, &app->stages[ix]))
                finding_stage(out, app, ix);
    }
    finding_number(out, "failed_jobs", (double)n);
    if (s) {
        finding_number(out, "stage_id", (double)s->stage_id);
        finding_number(out, "failed_tasks", (double)s->failed_tasks);
    }
    if (g) {
        finding_word(out, "exception", "%s", class_words(out, g));
        finding_word(out, "message", "%s", words_clean(out, g->text, 300));
    }
    finding_number(out, "max_failures", (double)limit);
    if (g && sv_has(g->class_name, "OutOfMemory"))
        finding_advice(out,
                       "The task ran out of memory: raise the executor's heap or cut the "
                       "partitions finer; retrying the same task cannot help.");
    else
        finding_advice(out, "Mend the cause in the exception (bad record, missing file, "
                            "permission); retries of the same input end the same way.");
    finding_verify(out, "The job should end with JobSucceeded.");
}

static enum rule_answer check_jobs(const struct rule_input *in, struct findings *out)
{
    const struct job *first = NULL;
    size_t n = 0;

    app_each_job (in->app, j) {
        if (j->status != JOB_FAILED || job_was_cancelled(j))
            continue;
        if (!first)
            first = j;
        n++;
    }
    if (first)
        say_job(in, out, first, n);
    return in->app->n_jobs ? RULE_JUDGED : RULE_NO_DATA;
}

static const struct rule_param job_params[] = {
    { "min-jobs", 1, "", "failed jobs that were not cancelled",
      "a failed job is a failed job" },
};

const struct rule rule_job_failure = {
    .id = "job-failure",
    .title = "A job failed",
    .question = QUESTION_FAILS,
    .what =
        "Jobs that ended in failure, with the stage and the exception that ended them.",
    .advice = "Mend the cause; retries cannot.",
    .limits = "Cancelled jobs are no failures.",
    .params = job_params,
    .n_params = ARRAY_LEN(job_params),
    .check = check_jobs,
    .no_data_why = "the log has no job",
};

/* --- executors -------------------------------------------------------------------- */

static size_t lost_executors(const struct app *app)
{
    size_t n = 0;

    app_each_executor (app, e)
        n += e->lost;
    return n;
}

/* Work went with the executors: tasks that ran, or map output that was fetched later. */
static bool loss_cost_work(const struct rule_input *in)
{
    const struct app *app = in->app;

    if (app_tasks_with(app, REASON_EXECUTOR_LOST) > 0 ||
        app_tasks_with(app, REASON_RESUBMITTED) > 0)
        return true;
    if (lost_executors(app) == 0)
        return false;
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (is_recomputation(in, ix))
            return true;
    return app_tasks_with(app, REASON_FETCH_FAILED) > 0;
}

/* "; 1 running task went with it, 50 finished ones had to run again" */
static const char *what_went(const struct rule_input *in, struct findings *out, size_t lost)
{
    int64_t tasks = app_tasks_with(in->app, REASON_EXECUTOR_LOST);
    int64_t again = app_tasks_with(in->app, REASON_RESUBMITTED);
    int64_t fetches = app_tasks_with(in->app, REASON_FETCH_FAILED);
    struct strbuf text = { 0 };

    if (tasks)
        strbuf_printf(&text, "; %" PRId64 " running task%s went with %s", tasks,
                      tasks == 1 ? "" : "s", lost == 1 ? "it" : "them");
    if (again)
        strbuf_printf(&text, "%s%" PRId64 " finished task%s had to run again",
                      text.len ? ", " : "; ", again, again == 1 ? "" : "s");
    if (fetches)
        strbuf_printf(&text, "%s%" PRId64 " fetch%s failed", text.len ? ", " : "; ",
                      fetches, fetches == 1 ? "" : "es");
    const char *kept = text.len ? arena_sv(out->arena, strbuf_sv(&text)).p : "";

    strbuf_release(&text);
    return kept;
}

static void loss_remedy(const struct rule_input *in, struct findings *out, struct sv why)
{
    const struct app *app = in->app;
    int64_t heap = conf_bytes(app, NULL, "spark.executor.memory", 1024 * MIB);
    int64_t usual = max_i64(heap / 10, 384 * MIB);
    int64_t overhead = conf_bytes(app, NULL, "spark.executor.memoryOverhead", usual);

    if (sv_has(why, "code 52") || sv_has(why, "code: 52") || sv_has(why, "status 52")) {
        finding_set(out, "spark.executor.memory", "%s", words_setting(out, add_sat(heap, heap)));
        finding_advice(
            out, "Status 52 is Spark's word for an OutOfMemoryError: what its tasks held did "
                 "not fit the heap. Give each task less (more partitions, fewer cores for an "
                 "executor, nothing cached deserialised), or raise the heap.");
        return;
    }
    bool killed = sv_has(why, "137") || sv_has_nocase(why, "memory limit") ||
                  sv_has_nocase(why, "OOM") || sv_has_nocase(why, "exceeding");

    if (killed && conf_master(app) == CONF_MASTER_STANDALONE) {
        finding_advice(
            out, "The process was killed from outside (137 is kill -9): by hand, with its "
                 "machine, or by the system for want of memory, which its log tells "
                 "(dmesg). If it was memory, leave more of the machine free: less heap "
                 "or fewer executors on it.");
    } else if (killed) {
        finding_set(out, "spark.executor.memoryOverhead", "%s",
                    words_setting(out, max_i64(add_sat(overhead, overhead), 1024 * MIB)));
        finding_advice(
            out, "The process was killed from outside (status 137 or a memory limit): "
                 "most often the container's limit. Raise the overhead, or look for "
                 "native and Python memory; else look for preemption.");
    } else if (sv_has_nocase(why, "heartbeat")) {
        finding_advice(
            out, "The executor fell silent: long collections or a stuck host. Look at "
                 "its GC time and logs; raise its heap before any timeout.");
    } else if (sv_has_nocase(why, "preempt") || sv_has_nocase(why, "spot") ||
               sv_has_nocase(why, "decommission")) {
        finding_set(out, "spark.decommission.enabled", "true");
        finding_set(out, "spark.storage.decommission.enabled", "true");
        finding_set(out, "spark.storage.decommission.shuffleBlocks.enabled", "true");
        finding_advice(
            out, "The node was taken away: let Spark move shuffle blocks first, or use "
                 "nodes that stay.");
    } else {
        finding_advice(out,
                       "Read the executor's own log at the time of its loss; an external "
                       "shuffle service or decommissioning keeps map output.");
    }
}

static enum rule_answer check_executors(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct executor *first = NULL;
    int64_t tasks = app_tasks_with(app, REASON_EXECUTOR_LOST);
    size_t lost = lost_executors(app);

    if (!loss_cost_work(in) && lost == 0)
        return app->n_executors || app->n_stages ? RULE_JUDGED : RULE_NO_DATA;
    app_each_executor (app, e)
        if (e->lost &&
            (!first || (e->removed_ms != APP_NONE && e->removed_ms < first->removed_ms)))
            first = e;
    if (!first && tasks == 0)
        return RULE_JUDGED; /* lost map output without a lost executor: fetch-failure's */
    struct finding *f;

    if (lost == 1)
        f = finding_begin(out, in->rule, "Executor %s was lost%s",
                          words_clean(out, first->id, 40),
                          loss_cost_work(in) ? " with work on it" : "");
    else
        f = finding_begin(out, in->rule, "%zu executors were lost",
                          max_i64((int64_t)lost, 1) > 1 ? lost : (size_t)1);
    f->fault = loss_cost_work(in);
    f->note = !f->fault;
    f->confidence = CONFIDENCE_HIGH;
    struct sv why = first ? first->removed_reason : (struct sv){ 0 };

    finding_cause(out, "%s%s.",
                  why.len ? words_clean(out, sv_first_line(why), 160)
                          : "The log does not say why",
                  what_went(in, out, lost));
    app_each_executor (app, e)
        if (e->lost)
            finding_executor(out, e->id);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];

        if (tasks_with(s, REASON_EXECUTOR_LOST) || tasks_with(s, REASON_RESUBMITTED))
            claim_retries(in, out, ix);
        else if (lost > 0 && tasks_with(s, REASON_FETCH_FAILED))
            claim_retries(in, out, ix);
        if (lost > 0 && is_recomputation(in, ix)) {
            finding_stage(out, app, ix);
            claim_whole_stage(in, out, ix);
        }
    }
    finding_number(out, "executors_lost", (double)lost);
    finding_number(out, "executor_lost_tasks", (double)tasks);
    finding_number(out, "resubmitted_tasks",
                   (double)app_tasks_with(app, REASON_RESUBMITTED));
    finding_number(out, "fetch_failed_tasks",
                   (double)app_tasks_with(app, REASON_FETCH_FAILED));
    if (why.len)
        finding_word(out, "reason", "%s", words_clean(out, sv_first_line(why), 200));
    if (first)
        finding_word(out, "host", "%s", words_clean(out, first->host, 80));
    loss_remedy(in, out, why);
    finding_verify(out, "No executor should be removed with a fault, no task end in "
                        "ExecutorLostFailure.");
    return RULE_JUDGED;
}

static const struct rule_param loss_params[] = {
    { "min-executors", 1, "", "removed for a fault", "each costs what it held" },
};

const struct rule rule_executor_loss = {
    .id = "executor-loss",
    .title = "An executor died",
    .question = QUESTION_FAILS,
    .what =
        "Executors removed for a fault, with the tasks and the map output that went with "
        "them.",
    .advice = "By the reason: memory overhead, preemption, a bad host.",
    .limits =
        "Executors released by dynamic allocation or at the end are not lost. One that "
        "held nothing is a note.",
    .params = loss_params,
    .n_params = ARRAY_LEN(loss_params),
    .check = check_executors,
    .no_data_why = "the log has no executor and no stage",
};

/* --- fetches ----------------------------------------------------------------------- */

static enum rule_answer check_fetch(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    int64_t tasks = app_tasks_with(app, REASON_FETCH_FAILED);
    const struct stage *s = NULL;

    if (tasks == 0)
        return app->n_stages ? RULE_JUDGED : RULE_NO_DATA;
    app_each_stage (app, one)
        if (tasks_with(one, REASON_FETCH_FAILED) && !s)
            s = one;
    bool loss = lost_executors(app) > 0;
    const struct failure_group *g = NULL;

    for (size_t i = 0; i < s->n_failures; i++)
        if (s->failures[i].reason == REASON_FETCH_FAILED)
            g = &s->failures[i];
    struct finding *f = finding_begin(
        out, in->rule, "Map output was lost: %" PRId64 " task%s could not fetch it",
        tasks, tasks == 1 ? "" : "s");

    f->fault = !loss;
    f->note = loss;
    f->confidence = CONFIDENCE_HIGH;
    finding_cause(out, "Stage %" PRId64 " could not read its shuffle%s%s.", s->stage_id,
                  loss ? ", for an executor was lost (see executor-loss): " : ": ",
                  words_clean(out, g->text, 200));
    size_t again = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (tasks_with(&app->stages[ix], REASON_FETCH_FAILED)) {
            claim_retries(in, out, ix);
        } else if (is_recomputation(in, ix)) {
            finding_stage(out, app, ix);
            if (!loss)
                claim_whole_stage(in, out, ix);
        }
        again += app->stages[ix].attempt > 0;
    }
    finding_number(out, "fetch_failed_tasks", (double)tasks);
    finding_number(out, "stage_attempts_again", (double)again);
    finding_number(out, "executors_lost", (double)lost_executors(app));
    finding_word(out, "message", "%s", words_clean(out, g->text, 300));
    finding_advice(
        out, "Find out why map output went away (a lost node or disk, preemption, full "
             "local folders). An external shuffle service or decommissioning with "
             "shuffle migration keeps it.");
    finding_verify(out, "No stage should have a second attempt.");
    return RULE_JUDGED;
}

static const struct rule_param fetch_params[] = {
    { "min-tasks", 1, "", "that ended with FetchFailed", "one runs stages again" },
};

const struct rule rule_fetch_failure = {
    .id = "fetch-failure",
    .title = "Map output was lost and stages ran again",
    .question = QUESTION_FAILS,
    .what =
        "Tasks that could not fetch shuffle data, and the stages that ran again for it.",
    .advice = "Keep map output: shuffle service, decommissioning, healthy disks.",
    .limits = "A note where a lost executor explains it.",
    .params = fetch_params,
    .n_params = ARRAY_LEN(fetch_params),
    .check = check_fetch,
    .no_data_why = "the log has no stage",
};

/* --- tasks ------------------------------------------------------------------------- */

static bool fails_a_job(const struct app *app, const struct stage *s)
{
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct job *j = &app->jobs[s->job_ixs[i]];

        if (j->status == JOB_FAILED && !job_was_cancelled(j))
            return true;
    }
    return false;
}

static enum rule_answer check_tasks(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct stage *worst = NULL;
    int64_t tasks = 0;
    size_t stages = 0;

    app_each_stage (app, s) {
        int64_t n = own_failures(s);

        if (n == 0 || fails_a_job(app, s))
            continue;
        tasks += n;
        stages++;
        if (!worst || n > own_failures(worst))
            worst = s;
    }
    if (!worst)
        return app->n_stages ? RULE_JUDGED : RULE_NO_DATA;
    const struct failure_group *g = main_failure(worst);
    struct finding *f =
        finding_begin(out, in->rule, "%" PRId64 " task%s failed and ran again", tasks,
                      tasks == 1 ? "" : "s");

    f->fault = true;
    f->confidence = CONFIDENCE_HIGH;
    finding_cause(out, "%" PRId64 " task%s of stage %" PRId64 "%s failed with %s: %s",
                  own_failures(worst), own_failures(worst) == 1 ? "" : "s",
                  worst->stage_id, stages > 1 ? " (and others)" : "", class_words(out, g),
                  words_clean(out, g->text, 200));
    claim_retries(in, out, (uint32_t)(worst - app->stages));
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (own_failures(&app->stages[ix]) && !fails_a_job(app, &app->stages[ix]) &&
            &app->stages[ix] != worst)
            claim_retries(in, out, ix);
    finding_number(out, "failed_tasks", (double)tasks);
    finding_number(out, "stages_affected", (double)stages);
    finding_word(out, "exception", "%s", class_words(out, g));
    finding_word(out, "message", "%s", words_clean(out, g->text, 300));
    finding_number(out, "max_failures",
                   (double)conf_i64(app, NULL, "spark.task.maxFailures", 4));
    if (sv_has(g->class_name, "OutOfMemory")) {
        int64_t heap = conf_bytes(app, NULL, "spark.executor.memory", 1024 * MIB);

        finding_set(out, "spark.executor.memory", "%s",
                    words_setting(out, add_sat(heap, heap)));
        finding_advice(
            out, "Tasks ran out of memory and got through on a retry: raise the heap or "
                 "cut the partitions finer before one fails for good.");
    } else {
        finding_advice(
            out, "Find the cause in the exception: retries cost time, hide flaky input, "
                 "and one more failure of the same task fails the job.");
    }
    finding_verify(out, "No task should end in failure.");
    return RULE_JUDGED;
}

static const struct rule_param task_params[] = {
    { "min-tasks", 1, "", "failed tasks", "each retry may be the last one allowed" },
};

const struct rule rule_task_failures = {
    .id = "task-failures",
    .title = "Tasks fail and succeed when retried",
    .question = QUESTION_FAILS,
    .what = "Tasks that threw, ran out of memory or lost their result, in jobs that "
            "succeeded "
            "all the same.",
    .advice = "Mend the cause in the exception.",
    .limits = "Not counted: tasks lost with their executor, failed fetches, killed "
              "copies, denied "
              "commits, and the tasks of a job that failed (job-failure has them).",
    .params = task_params,
    .n_params = ARRAY_LEN(task_params),
    .check = check_tasks,
    .no_data_why = "the log has no stage",
};

/* --- the log itself ------------------------------------------------------------------
 */

static enum rule_answer check_log(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct completeness *c = &app->complete;
    int64_t open_jobs = 0, running = c->tasks_started - c->tasks_ended;

    if (app->finished && !c->truncated && c->n_missing_parts == 0)
        return RULE_JUDGED;
    app_each_job (app, j)
        open_jobs += j->status == JOB_RUNNING;
    struct finding *f =
        finding_begin(out, in->rule,
                      c->n_missing_parts ? "Parts of the log are missing"
                                         : "The log ends before the application does");

    f->note = true;
    f->app_wide = true;
    f->confidence = CONFIDENCE_HIGH;
    finding_cause(out,
                  "There is %s ApplicationEnd; %" PRId64 " job%s and %" PRId64
                  " task%s are open at "
                  "its end%s%s.",
                  app->finished ? "an" : "no", open_jobs, open_jobs == 1 ? "" : "s",
                  max_i64(running, 0), running == 1 ? "" : "s",
                  c->in_progress ? ", and it is marked as in progress" : "",
                  c->truncated && app->finished ? ", and lines are torn or cut off" : "");
    finding_number(out, "open_jobs", (double)open_jobs);
    finding_number(out, "open_tasks", (double)max_i64(running, 0));
    finding_number(out, "bad_lines", (double)c->bad_lines);
    finding_number(out, "missing_parts", (double)c->n_missing_parts);
    finding_advice(
        out, "All numbers are of what is there: the rest of the run is unknown. If the "
             "application still runs, look again when it has ended; if not, it was "
             "killed, or its log was cut.");
    return RULE_JUDGED;
}

static const struct rule_param log_params[] = {
    { "application-end", 1, "", "ApplicationEnd events a whole log has",
      "Spark writes one" },
};

const struct rule rule_truncated_log = {
    .id = "truncated-log",
    .title = "The log ends before the application does",
    .question = QUESTION_FAILS,
    .what =
        "A log without ApplicationEnd, torn, or with parts missing: a fact to read every "
        "other number with.",
    .advice = "Look again when the application has ended, or find the rest of the log.",
    .limits = "Always a note. `spillway check` has the details.",
    .params = log_params,
    .n_params = ARRAY_LEN(log_params),
    .check = check_log,
};
