/* The critical path and the two accounts that always add up.
 * Definitions: docs/method.md, sections 1 to 3. */
#ifndef ANALYZER_LEDGER_H
#define ANALYZER_LEDGER_H

#include "analyzer/lineage.h"

/* --- critical path ------------------------------------------------------- */

enum segment_kind { SEGMENT_DRIVER, SEGMENT_WAIT, SEGMENT_STAGE };
const char *segment_kind_name(enum segment_kind k); /* "driver", "wait", "stage" */

/* X(ID, name): entries of the wall-clock account. */
#define WALL_ENTRIES(X)                                                                  \
    X(STARTUP, "startup")           /* before the first executor */                      \
    X(PLANNING, "planning")         /* inside an SQL execution, no job of the path active */ \
    X(DRIVER_CODE, "driver code")   /* outside any SQL execution and job */              \
    X(SHUTDOWN, "shutdown")         /* after the last job */                             \
    X(WAIT_EXECUTORS, "waiting for executors")                                           \
    X(QUEUEING, "queueing")         /* all slots ran other stages */                     \
    X(SCHEDULING, "scheduling")     /* slots were free, no task ran */                   \
    X(COMPUTE, "compute")                                                                \
    X(GC, "gc")                                                                          \
    X(SHUFFLE_READ_WAIT, "shuffle read wait")                                            \
    X(SHUFFLE_WRITE, "shuffle write")                                                    \
    X(SPILL, "spill")               /* modelled from spilled bytes */                    \
    X(PYTHON, "python")                                                                  \
    X(DESERIALISE, "deserialise")                                                        \
    X(RESULT, "result")                                                                  \
    X(SCHEDULER_DELAY, "scheduler delay")                                                \
    X(IO_AND_OTHER, "io and other")                                                      \
    X(RETRIES, "retries")           /* attempts that did not count */                    \
    X(STRAGGLER_TAIL, "straggler tail")                                                  \
    X(TOO_FEW_TASKS, "too few tasks")                                                    \
    X(SHARING, "sharing")           /* other stages held the slots */

#define WALL_ID(id, name) WALL_##id,
enum wall_entry { WALL_ENTRIES(WALL_ID) WALL_COUNT };
#undef WALL_ID
const char *wall_entry_name(enum wall_entry e);

struct segment {
    enum segment_kind kind;
    int64_t start_ms, end_ms;  /* segments follow each other without gap or overlap */
    uint32_t stage_ix;         /* stage and wait segments; else IX_NONE */
    int64_t sql_execution_id;  /* driver segments inside an execution; else APP_NONE */
    int64_t ms[WALL_COUNT];    /* adds up to end_ms - start_ms */
};

struct stage_path {
    bool critical;
    int64_t slack_ms; /* how much later it could have ended without moving the end; 0 on the path */
    uint32_t first_segment, n_segments; /* its segments, which are neighbours; n 0: beside the path */
    uint32_t waited_ix; /* stage attempt whose end it waited for to be submitted; IX_NONE: none */
    bool waited_in_job; /* .. because of lineage alone: the scheduler submitted it */
    uint32_t chain;     /* work of one driver thread, as far as the log tells: equal numbers */
};

/* What a disk does with spilled data where the log does not tell: a plain cloud volume
 * (the usual 125 MB/s general-purpose disk, in bytes per ms). */
#define LEDGER_SPILL_BYTES_PER_MS INT64_C(125000)

/* --- core time ------------------------------------------------------------ */

/* X(ID, name): used core time by what it was used for and by fate, and idle core
 * time by reason, in ms of one core. */
#define CORE_ENTRIES(X)                                                                  \
    X(COMPUTE, "compute") X(GC, "gc") X(SHUFFLE_READ_WAIT, "shuffle read wait")          \
    X(SHUFFLE_WRITE, "shuffle write") X(SPILL, "spill") X(PYTHON, "python")              \
    X(DESERIALISE, "deserialise") X(RESULT, "result")                                    \
    X(SCHEDULER_DELAY, "scheduler delay") X(IO_AND_OTHER, "io and other")                \
    X(FAILED, "failed") X(KILLED, "killed") X(RECOMPUTED, "recomputed")                  \
    X(IDLE_DRIVER, "idle: driver") X(IDLE_TAIL, "idle: tail")                            \
    X(IDLE_TOO_FEW_TASKS, "idle: too few tasks") X(IDLE_SCHEDULING, "idle: scheduling")  \
    X(IDLE_BEFORE, "idle: not needed yet") X(IDLE_AFTER, "idle: not needed any more")

#define CORE_ID(id, name) CORE_##id,
enum core_entry { CORE_ENTRIES(CORE_ID) CORE_COUNT };
#undef CORE_ID
#define CORE_FIRST_IDLE CORE_IDLE_DRIVER
const char *core_entry_name(enum core_entry e);

struct ledgers {
    struct segment *segments; /* ascending; empty where the log has no span of time */
    size_t n_segments;
    struct stage_path *stages; /* per stage attempt of the app */
    int64_t wall_ms[WALL_COUNT], wall_total_ms; /* adds up exactly to end - start */
    int64_t core_ms[CORE_COUNT], core_total_ms; /* adds up exactly to what was offered */
    bool core_clipped; /* clearly more tasks ran than cores were offered: offer raised to use */
};

void ledgers_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                   struct arena *arena);

/* What the wall account holds under entry for one stage attempt. A rule may claim
 * no more than it finds here. */
int64_t ledger_stage_ms(const struct ledgers *l, uint32_t stage_ix, enum wall_entry entry);
/* All entries of the stage's segments together: the wall time it is on the path. */
int64_t ledger_stage_wall_ms(const struct ledgers *l, uint32_t stage_ix);

#endif
