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

/* What became of a task's work. Recomputed: it succeeded, but for a partition that had
 * been computed before and was lost. */
enum fate { FATE_USEFUL, FATE_FAILED, FATE_KILLED, FATE_RECOMPUTED, FATE_COUNT };

struct parts {
    int64_t useful_ms[PART_COUNT]; /* sums over useful tasks; PART_LOST: the others */
    int64_t failed_ms, killed_ms, recomputed_ms;
};

/* Sums over the tasks of every stage attempt, each task as long as its span within the
 * timeline. The array has one entry per attempt, in order. */
struct timeline;
void parts_of_stages(struct parts *out, const struct app *app, const struct lineage *lineage,
                     const struct timeline *t);

#endif
