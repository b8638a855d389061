/* One task is slow although its data and its work are like the others': a slow host, a
 * lock, a call to the outside. Which one is decided in uneven.c. */
#include "rules/uneven.h"

#include <inttypes.h>

static const struct rule_param straggler_params[] = { UNEVEN_PARAMS(
    2000, "a second's delay has a hundred innocent causes", 3, "as in skew") };

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
    } else if (one_host(app)) { /* a copy would meet the same */
        finding_advice(out,
                       "Look at what the task waits for: an external call, a disk, a "
                       "lock, other work on the host. Speculation needs executors "
                       "on more than one host.");
    } else {
        finding_set(out, "spark.speculation", "true");
        finding_advice(out,
                       "%s A speculative copy elsewhere would have bounded the wait.",
                       slow.p ? "Look at that host: disk, network, other work on it."
                              : "Look at what the task waits for and at its host.");
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

static enum rule_answer check_straggler(const struct rule_input *in, struct findings *out)
{
    return uneven_check(in, out, UNEVEN_STRAGGLER, say_straggler, 0.3, 0.7);
}

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
    .no_data_why = "no task ends in the log",
};
