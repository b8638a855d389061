/* Time in which nothing of the job runs: the driver works or waits while executors
 * stand by, or executors are held that have nothing to do.
 *
 * The driver's time is wall time, and claimed. Idle executors are money, not time:
 * their finding counts core-hours and claims no second. */
#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>

/* --- the driver ------------------------------------------------------------------- */

enum { DRIVER_MIN_MS, DRIVER_SHARE, DRIVER_LONG_MS, DRIVER_LONG_SHARE, DRIVER_EDGE_MS };

static const struct rule_param driver_params[] = {
    [DRIVER_MIN_MS] = { "min-gap", 4000, "ms", "driver time between jobs, in all",
                        "seconds pass between jobs of every session" },
    [DRIVER_SHARE] = { "share", 0.2, "", "of the time from the first job to the last",
                       "SprkLogs warns from 20 % of driver time" },
    [DRIVER_LONG_MS] = { "long-gap", 60000, "ms", "enough with the lower share",
                         "Databricks' guide: gaps of a minute between jobs" },
    [DRIVER_LONG_SHARE] = { "long-share", 0.05, "", "of the wall time",
                            "ten times SparkForensics' band of a warning: not all of it "
                            "can go" },
    [DRIVER_EDGE_MS] = { "edge", 60000, "ms",
                         "before the first job and after the last one this "
                         "much belongs to start and stop",
                         "a session on a cluster takes up to a minute to start" },
};

struct driver_time {
    int64_t between_ms;  /* driver code from the first job to the last */
    int64_t beyond_ms;   /* before and after, beyond the edges */
    int64_t planning_ms; /* inside SQL executions, for comparison */
    int64_t largest_ms, largest_at_ms;
    int64_t span_ms; /* first job's start to last job's end */
};

/* Adds one driver segment, cut at the first job's start and the last one's end. */
static void driver_segment(struct driver_time *t, const struct segment *g, int64_t first,
                           int64_t last, int64_t edge_ms)
{
    int64_t len = sub_sat(g->end_ms, g->start_ms), code = g->ms[WALL_DRIVER_CODE];
    int64_t inside = sub_sat(min_i64(g->end_ms, last), max_i64(g->start_ms, first));

    if (len <= 0)
        return;
    inside = max_i64(inside, 0);
    int64_t between = whole((double)code * ((double)inside / (double)len));

    t->between_ms = add_sat(t->between_ms, between);
    t->beyond_ms = add_sat(t->beyond_ms, max_i64(code - between - edge_ms, 0));
    t->planning_ms = add_sat(t->planning_ms, g->ms[WALL_PLANNING]);
    if (between > t->largest_ms) {
        t->largest_ms = between;
        t->largest_at_ms = max_i64(g->start_ms, first);
    }
}

static struct driver_time driver_time(const struct rule_input *in)
{
    const struct app *app = in->app;
    const struct ledgers *l = &in->analysis->ledgers;
    struct driver_time t = { 0 };
    int64_t first = INT64_MAX, last = INT64_MIN;

    app_each_job (app, j) {
        if (j->submitted_ms == APP_NONE)
            continue;
        first = min_i64(first, j->submitted_ms);
        last = max_i64(last,
                       j->completed_ms == APP_NONE ? j->submitted_ms : j->completed_ms);
    }
    if (first >= last)
        return t;
    t.span_ms = sub_sat(last, first);
    for (size_t i = 0; i < l->n_segments; i++)
        if (l->segments[i].kind == SEGMENT_DRIVER)
            driver_segment(&t, &l->segments[i], first, last,
                           (int64_t)in->params[DRIVER_EDGE_MS]);
    t.largest_at_ms = t.largest_ms ? sub_sat(t.largest_at_ms, app->start_ms) : 0;
    return t;
}

/* Someone types: the gaps are their thinking. */
static bool is_interactive(const struct app *app)
{
    static const char *const names[] = { "shell",      "zeppelin",     "jupyter",
                                         "notebook",   "thrift",       "livy",
                                         "sparksql::", "hive on spark" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_has_nocase(app->name, names[i]))
            return true;
    return false;
}

static enum rule_answer check_driver(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const double *p = in->params;

    if (app->n_jobs == 0 || in->analysis->ledgers.n_segments == 0)
        return RULE_NO_DATA;
    if (app_is_stream(app) || is_interactive(app))
        return RULE_JUDGED; /* waiting for the trigger, or for someone who thinks */
    struct driver_time t = driver_time(in);
    double between = (double)t.between_ms, code = between + (double)t.beyond_ms;
    double wall = (double)in->analysis->ledgers.wall_total_ms;

    if (!(between >= p[DRIVER_MIN_MS] &&
          between >= p[DRIVER_SHARE] * (double)t.span_ms) &&
        !(code >= p[DRIVER_LONG_MS] && code >= p[DRIVER_LONG_SHARE] * wall))
        return RULE_JUDGED;
    struct finding *f =
        finding_begin(out, in->rule, "The driver works or waits alone for %s of %s",
                      words_ms(out, whole(code)), words_ms(out, whole(wall)));
    double held = (double)in->analysis->ledgers.wall_ms[WALL_DRIVER_CODE];
    double share = held > 0 ? code / held : 0;

    f->app_wide = true;
    finding_cause(
        out,
        "Between its jobs the driver runs code of its own, or waits, while no task "
        "runs; the longest such gap is %s, at %s after the start.",
        words_ms(out, t.largest_ms), words_ms(out, t.largest_at_ms));
    finding_claim(out, &in->analysis->ledgers, IX_NONE, WALL_DRIVER_CODE, 0.2 * share,
                  0.6 * share, share);
    finding_number(out, "driver_gap_ms", code);
    finding_number(out, "driver_gap_share", wall > 0 ? code / wall : 0);
    finding_number(out, "jobs_span_ms", (double)t.span_ms);
    finding_number(out, "largest_gap_ms", (double)t.largest_ms);
    finding_number(out, "largest_gap_at_ms", (double)t.largest_at_ms);
    finding_number(out, "planning_ms", (double)t.planning_ms);
    finding_number(out, "jobs", (double)app->n_jobs);
    finding_code(out,
                 "from concurrent.futures import ThreadPoolExecutor\n"
                 "with ThreadPoolExecutor(4) as pool:  # independent jobs side by side\n"
                 "    list(pool.map(run_report, reports))");
    finding_advice(
        out, "Find what the driver does there (polling, external calls, files one by "
             "one, pandas on collected rows): take it off the path, do it in tasks, or "
             "run independent jobs at the same time.");
    finding_risk(out, "Jobs that run side by side share slots and memory.");
    finding_verify(
        out, "`driver code` in the wall-clock ledger should shrink by what was moved.");
    f->confidence = CONFIDENCE_LOW; /* the log says that it waits, not for what */
    return RULE_JUDGED;
}

const struct rule rule_driver_idle_time = {
    .id = "driver-idle-time",
    .title = "The driver works or waits while no task runs",
    .question = QUESTION_SCALES,
    .what = "Time between jobs, outside any SQL execution, in which only the driver is "
            "at work "
            "or waits for something outside Spark.",
    .advice = "Move the driver's work into tasks, or run jobs side by side.",
    .limits =
        "Silent for streaming; a note for shells and notebooks. Planning inside a query "
        "is "
        "not counted, nor the first minute before the first job and after the last.",
    .params = driver_params,
    .n_params = ARRAY_LEN(driver_params),
    .check = check_driver,
    .no_data_why = "the log has no job",
};

/* --- executors with nothing to do -----------------------------------------------------
 */

enum { IDLE_SHARE, IDLE_MIN_WALL, IDLE_CORE_HOURS };

static const struct rule_param idle_params[] = {
    [IDLE_SHARE] = { "idle", 0.6, "", "of the core time offered",
                     "spark-advisor warns under 40 % of slots used, SparkForensics and "
                     "DataFlint "
                     "over 50 % idle" },
    [IDLE_MIN_WALL] = { "min-wall", 10000, "ms", "application's wall time",
                        "a start takes seconds" },
    [IDLE_CORE_HOURS] = { "warn-from", 10, "core-hours", "idle; less is a note",
                          "about what a day of one core costs is worth a change" },
};

static const char *idle_reason(enum core_entry e)
{
    switch ((int)e) {
    case CORE_IDLE_DRIVER:
        return "while only the driver worked";
    case CORE_IDLE_TAIL:
        return "while the last tasks of a stage ran";
    case CORE_IDLE_TOO_FEW_TASKS:
        return "because stages had fewer tasks than slots";
    case CORE_IDLE_SCHEDULING:
        return "with tasks waiting to be launched";
    case CORE_IDLE_BEFORE:
        return "before the first job";
    case CORE_IDLE_AFTER:
        return "after the last job";
    default:
        return "";
    }
}

static void idle_remedy(const struct rule_input *in, struct findings *out, double busy,
                        enum core_entry most)
{
    const struct app *app = in->app;
    bool dynamic = conf_bool(app, NULL, "spark.dynamicAllocation.enabled", false);
    int64_t fit = whole((double)app->executors_peak * busy / 0.7) + 1;

    if (dynamic) {
        int64_t idle_ms =
            conf_ms(app, NULL, "spark.dynamicAllocation.executorIdleTimeout", 60000);
        int64_t least = conf_i64(app, NULL, "spark.dynamicAllocation.minExecutors", 0);

        if (idle_ms > 30000)
            finding_set(out, "spark.dynamicAllocation.executorIdleTimeout", "30s");
        if (least > fit)
            finding_set(out, "spark.dynamicAllocation.minExecutors", "%" PRId64, fit);
        if (most == CORE_IDLE_TOO_FEW_TASKS || most == CORE_IDLE_TAIL)
            finding_set(out, "spark.dynamicAllocation.maxExecutors", "%" PRId64, fit);
        finding_advice(
            out, "Dynamic allocation is on and still holds too much: release sooner and "
                 "ask for less; see also why stages cannot use the slots.");
    } else {
        finding_set(out, "spark.dynamicAllocation.enabled", "true");
        if (app->version_major >= 3)
            finding_set(out, "spark.dynamicAllocation.shuffleTracking.enabled", "true");
        finding_advice(
            out,
            "Release executors while they are not needed (dynamic allocation), or "
            "start about %" PRId64 " instead of %" PRId64 "; or give stages more "
            "tasks than slots.",
            min_i64(fit, app->executors_peak), app->executors_peak);
    }
    finding_risk(out, "New executors take seconds to start and begin cold.");
}

static enum rule_answer check_idle(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct ledgers *l = &in->analysis->ledgers;
    int64_t idle = 0;
    enum core_entry most = CORE_FIRST_IDLE;

    if (app->local_mode)
        return RULE_JUDGED; /* one process: nothing to give back */
    if (l->core_total_ms <= 0 || app->n_executors == 0)
        return RULE_NO_DATA;
    for (enum core_entry e = CORE_FIRST_IDLE; e < CORE_COUNT; e++) {
        idle += l->core_ms[e];
        if (l->core_ms[e] > l->core_ms[most])
            most = e;
    }
    double share = (double)idle / (double)l->core_total_ms;
    double hours = (double)idle / 3600e3;

    if (share < in->params[IDLE_SHARE] || l->core_clipped ||
        (double)l->wall_total_ms < in->params[IDLE_MIN_WALL])
        return RULE_JUDGED;
    struct finding *f = finding_begin(
        out, in->rule, "%.0f%% of the executors' core time is idle", share * 100);

    f->app_wide = true;
    f->fault = hours >= in->params[IDLE_CORE_HOURS];
    f->confidence = app->finished ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    finding_cause(
        out, "Of %.2f core-hours held, tasks used %.2f; most of the rest stood idle %s.",
        (double)l->core_total_ms / 3600e3, (double)l->core_total_ms / 3600e3 - hours,
        idle_reason(most));
    finding_number(out, "idle_share", share);
    finding_number(out, "idle_core_hours", hours);
    finding_number(out, "held_core_hours", (double)l->core_total_ms / 3600e3);
    finding_number(out, "executors_peak", (double)app->executors_peak);
    finding_number(out, "cores_peak", (double)app->cores_peak);
    finding_word(out, "mostly_idle", "%s", idle_reason(most));
    idle_remedy(in, out, 1 - share, most);
    finding_verify(out, "Busy share of core time above %.0f%%.",
                   (1 - in->params[IDLE_SHARE]) * 100);
    return RULE_JUDGED;
}

const struct rule rule_idle_executors = {
    .id = "idle-executors",
    .title = "Executors are held that have nothing to do",
    .question = QUESTION_FIT,
    .what = "Core time offered by executors against core time used by tasks, and the "
            "main reason "
            "for the difference.",
    .advice = "Fewer executors, dynamic allocation, or stages that can use the slots.",
    .limits = "Not for local mode. Claims no seconds: it is money, not time.",
    .params = idle_params,
    .n_params = ARRAY_LEN(idle_params),
    .check = check_idle,
    .no_data_why = "the log says nothing of executors and their cores",
};
