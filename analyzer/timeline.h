/* Everything that happens to tasks and executors, in order of time: what the sweeps
 * of the ledgers walk over. Times are clipped to the application's span. */
#ifndef ANALYZER_TIMELINE_H
#define ANALYZER_TIMELINE_H

#include "analyzer/app.h"

enum step {            /* at one moment, in this order */
    STEP_TASK_END,     /* frees its slot before somebody takes it */
    STEP_EXECUTOR_GONE,
    STEP_EXECUTOR_CAME,
    STEP_STAGE_READY,  /* count tasks of the stage wait from now on: first tries when it is
                        * submitted, repetitions when the try before has ended */
    STEP_TASK_START,
};

struct moment {
    int64_t at_ms;
    uint32_t stage_ix; /* executor steps: the pool */
    uint32_t count;    /* cores of an executor, tasks of a stage; else 1 */
    enum step step;
};

struct timeline {
    int64_t start_ms, end_ms;      /* of the application; equal where there is no span */
    struct moment *moments;        /* by time, then step */
    size_t n;
    /* Executors of one resource profile are a pool: only stages of that profile run on
     * them. Profiles that no executor was added for (they change what tasks ask for, not
     * what executors have) and unknown ones belong to pool 0, the default profile's. */
    uint32_t n_pools;
    uint32_t *pool_of;             /* per stage */
    int64_t *cpus_of;              /* per stage: cores that a task of it holds, at least 1 */
    int64_t task_cpus;             /* of the default profile: spark.task.cpus */
    const struct executor *executors; /* the application's */
    size_t n_executors;
    int64_t first_executor_ms;     /* APP_NONE: none */
    int64_t first_job_ms, last_job_ms; /* submission of the first, end of the last; APP_NONE */
};

void timeline_build(struct timeline *t, const struct app *app);
/* The same with the executors' moments alone. */
void timeline_build_executors(struct timeline *t, const struct app *app);
void timeline_release(struct timeline *t);

/* First moment at or after a time. */
size_t timeline_find(const struct timeline *t, int64_t at_ms);

/* Slots of a pool whose executors have `cores`, with tasks running that hold `used` of
 * them, for tasks of `cpus`: those that run, and as many as there is room for. */
static inline int64_t pool_slots(int64_t running, int64_t cores, int64_t used, int64_t cpus)
{
    return running + max_i64(0, cores - used) / cpus;
}

/* A task's span, clipped; false where it has none inside the application. A task whose
 * end is not in the log ran until its stage completed, its executor was removed, or the
 * application ended, whichever came first. */
bool timeline_task_span(const struct timeline *t, const struct stage *s, uint32_t row,
                        int64_t *start_ms, int64_t *end_ms);

/* A stage attempt's span from submission to completion, clipped, as wide as its tasks
 * where the log lacks either; false for stages that did not run. */
bool timeline_stage_span(const struct timeline *t, const struct stage *s, int64_t *start_ms,
                         int64_t *end_ms);

/* Divides total in the proportion of the weights, in whole numbers that add up to it
 * exactly (largest remainders, ties to the lower position). All weights zero: all of it
 * goes to position `otherwise`. Negative weights count as zero. */
void divide_exactly(int64_t total, const int64_t *weights, size_t n, size_t otherwise,
                    int64_t *parts);

#endif
