/* From findings to edits of the replay: what a remedy would do to the tasks it is about.
 */
#ifndef RULES_REMEDY_H
#define RULES_REMEDY_H

#include "analyzer/forecast.h"
#include "rules/rule.h"
#include "rules/scale.h"

/* Findings that are put right together. */
struct remedy {
    const struct analysis *analysis;
    const struct finding **findings;
    size_t n;
    const struct scale *scale; /* another change on top; NULL: none. What it does itself -
                                * the number of tasks, memory - no finding does again */
};

/* A forecast_edit; ctx is a struct remedy. Each claim becomes what the entry of the
 * ledger stands for: work is taken off all tasks of the stage, a tail is levelled, too
 * few tasks are split, repetitions go, the driver's time is taken off the waits that held
 * it. */
void remedy_edit(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena);

#endif
