/* One task that holds up its stage: the decision that the rules of skew and of
 * stragglers share, so that a stage is never accused twice. Each rule says what its
 * kind means and what to do. See uneven.c for how it is decided. */
#ifndef RULES_UNEVEN_H
#define RULES_UNEVEN_H

#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

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
#define UNEVEN_PARAMS(min_ms, min_ms_source, data_ratio, data_source)                    \
    [P_RATIO] = { "ratio", 4, "x", "slowest task over the true median",                  \
                  "tools ask 2 to 5; below 4 healthy stages appear" },                     \
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

/* A stage and the task that holds it up. */
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

/* Writes what is special to one suspect into the newest finding. */
typedef void uneven_say(const struct rule_input *in, struct findings *out,
                        const struct suspect *w);

/* The check of a rule: a finding for each stage of the kind, or one for all where they are
 * many, with evidence and claims of low and expected shares of what the task costs. */
enum rule_answer uneven_check(const struct rule_input *in, struct findings *out,
                              enum uneven kind, uneven_say *say, double low,
                              double expected);

/* An amount of the data that stands out: "1.8M rows", "24.0 MiB". */
const char *uneven_data_words(struct findings *out, const struct suspect *sus, double value);

#endif
