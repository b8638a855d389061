/* Whether Spark is the right tool for what the application did, by its numbers. A
 * verdict, not a finding: nothing in the job is wrong. Definitions: docs/method.md,
 * section 8. */
#ifndef RULES_FIT_H
#define RULES_FIT_H

#include "rules/rule.h"

enum fit_verdict {
    FIT_UNKNOWN, /* no task ended in the log, the log is cut short, or it does not tell
                  * how much was read */
    FIT_SPARK,   /* as good as anything */
    FIT_ONE_MACHINE, /* all of it fits one process, and more time goes into running Spark
                      * than into the work */
    FIT_SHORT_QUERIES, /* many queries, each over before Spark has warmed up */
    FIT_LOOKUPS,       /* .. that fetch a few rows of many: serving */
    FIT_SHORT_BATCHES  /* micro-batches of less than a second */
};
const char *fit_verdict_name(enum fit_verdict v); /* "spark", "one machine" ... */

struct fit {
    enum fit_verdict verdict;
    const char *why;     /* a sentence with the numbers; "" where unknown */
    const char *instead; /* what would serve; NULL: nothing else need */
    int64_t
        data_bytes; /* read from files, or shuffled at most; APP_NONE: nobody counted */
    int64_t cpu_ms; /* of all tasks; APP_NONE */
    int64_t work_ms, running_ms;        /* of the wall account: tasks at work; starting,
                                         * planning,        scheduling and waiting for Spark */
    int64_t queries, short_queries;     /* root SQL executions; of less than a second */
    int64_t query_ms;                   /* the median one; APP_NONE */
    int64_t batches, batch_interval_ms; /* of the stream with most; APP_NONE */
};

void fit_build(struct fit *out, const struct analysis *a, struct arena *arena);

#endif
