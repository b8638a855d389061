/* The run played again: tasks on slots, stages after what they waited for, the driver's
 * gaps between. Definitions: docs/method.md, section 4.
 *
 *     table    what there is to do: stage attempts with their tasks in order of launch,
 *              what each stage waits for and how long after that it was submitted,
 *              executors that come and go some time after a stage began or ended
 *     replay   list scheduling of a table: a free slot takes, of the stages of its pool
 *              that have been submitted, the task that was launched first in the log
 *
 * Delays that nothing else explains (the driver's gaps, launch delays, waits for
 * locality) are measured by laying the log over the same rules, and are played as
 * constants. So a replay without edits ends when the run did, up to what the rules
 * cannot say: slots that stood empty while somebody waited.
 *
 * An edit is a table of its own that shares what it leaves as it was. Savings are
 * differences of two replays, never of a replay and the log. */
#ifndef ANALYZER_SIMULATE_H
#define ANALYZER_SIMULATE_H

#include "analyzer/ledger.h"
#include "analyzer/timeline.h"

#define SIM_COUNTS 1u  /* the stage is not over before it ends */
#define SIM_NO_SLOT 2u /* ran beside more tasks than there were slots known */
#define SIM_COPY 4u    /* speculative: not launched once what it copies has ended */

struct sim_task {
    int64_t rank; /* when it was launched, in ms since the application's start: who is
                   * first has the slot */
    int32_t run_ms;
    int32_t delay_ms; /* from when it could run and its slot was free to its launch; may
                       * be negative where the log breaks the rules */
    uint32_t row;     /* of the stage's task table; IX_NONE: an edit made it */
    uint32_t prior;   /* position of the attempt before it, of the same index; IX_NONE */
    uint32_t flags;
};

struct sim_stage {
    struct sim_task *tasks; /* by rank */
    uint32_t n;
    bool present; /* false: did not run, or an edit took it away: it takes no time, and
                   * whoever waits for it waits for what it waited for */
    bool retried; /* some task has a prior */
    uint32_t pool;
    uint32_t *after; /* stage attempts whose end it waits for */
    uint32_t n_after;
    uint32_t chain, chain_at; /* .. and for the first chain_at stages of that chain to
                               * end; chain IX_NONE: for none */
    int64_t lag_ms; /* from the last of these to its submission; of a stage that waits for
                     * none, from the application's start */
    int64_t end_lag_ms;       /* from its last task that counts to its end */
    int64_t start_ms, end_ms; /* in the log, since the application's start */
};

struct sim_chain { /* stages by end */
    uint32_t *stage_ixs;
    uint32_t n;
};

struct sim_executors { /* slots that come or go */
    int64_t lag_ms;
    uint32_t
        stage_ix; /* after its start or end; IX_NONE: after the application's start */
    bool after_end;
    uint32_t pool;
    int32_t slots; /* < 0: they go */
};

struct sim_table {
    struct sim_stage *stages; /* per stage attempt of the application */
    size_t n_stages;
    struct sim_chain *chains;
    size_t n_chains;
    struct sim_executors *executors; /* in the log's order */
    size_t n_executors;
    uint32_t n_pools;
    int64_t tail_ms; /* from the end of the last stage to the application's */
    int64_t end_ms;  /* of the application, in the log, since its start */
    size_t n_tasks;
};

/* From a log; text and arrays in the arena. A log without a span of time, or without
 * stages that ran, makes a table with nothing to do. */
void sim_build(struct sim_table *t, const struct app *app, const struct lineage *lineage,
               const struct ledgers *ledgers, struct arena *arena);

struct sim_result {
    int64_t end_ms; /* of the application, since its start */
    struct sim_span {
        int64_t start_ms,
            end_ms; /* of the stage: submission, end; equal where not present */
    } * stages;     /* NULL: not asked for; else per stage attempt */
    bool stuck; /* tasks were left that no slot could take: end_ms is then the last end */
};

/* Linear in tasks and stages, but for the logarithm of slots. The arena may be reset
 * after; spans: whether to tell of the stages. */
void sim_replay(struct sim_result *out, const struct sim_table *t, struct arena *arena,
                bool spans);

#endif
