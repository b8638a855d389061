/* What the time of a task consists of. */
#ifndef ANALYZER_LEDGER_PARTS_H
#define ANALYZER_LEDGER_PARTS_H

#include "analyzer/ledger.h"

/* Parts of used time, in the order of both ledgers. */
enum part {
    PART_COMPUTE, PART_GC, PART_SHUFFLE_READ_WAIT, PART_SHUFFLE_WRITE, PART_SPILL,
    PART_PYTHON, PART_DESERIALISE, PART_RESULT, PART_SCHEDULER_DELAY, PART_IO_AND_OTHER,
    PART_LOST, /* work that did not count: failed, killed, done again */
    PART_COUNT
};

enum wall_entry part_wall_entry(enum part p);

/* Why a task's work did not count. */
enum fate { FATE_USEFUL, FATE_FAILED, FATE_KILLED, FATE_RECOMPUTED };


struct parts {
    int64_t useful_ms[PART_COUNT];          /* sums over useful tasks; PART_LOST: the others */
    int64_t failed_ms, killed_ms, recomputed_ms;
};

/* Sums over the tasks of stage ix, each as long as its span within the timeline. The
 * stage's Python time, from the SQL metrics of Spark 4, is given (0: not known). */
struct timeline;
void parts_of_stage(struct parts *out, const struct app *app, const struct timeline *t,
                    uint32_t ix, int64_t python_ms);

/* Milliseconds in Python workers per stage attempt, where plans have such metrics. The
 * array has one entry per stage. */
void python_of_stages(int64_t *python_ms, const struct app *app);

#endif
