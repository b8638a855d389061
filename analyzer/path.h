/* The critical path as segments, before their time is divided. See ledger.h for the
 * segments and docs/method.md for the definition. */
#ifndef ANALYZER_PATH_H
#define ANALYZER_PATH_H

#include "analyzer/ledger.h"
#include "analyzer/timeline.h"

/* Fills segments (ms of driver segments only), and critical and slack of the stages. */
void path_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                const struct timeline *t, struct arena *arena);

#endif
