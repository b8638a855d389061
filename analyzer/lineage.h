/* Which stage fed which, across jobs.
 *
 * Parent IDs do not cross jobs, and under AQE each query stage is a job of its
 * own; but a later job lists the earlier stage again, skipped, under a new stage
 * id with the same RDD ids. So a skipped stage is the stage that ran with the
 * same highest RDD id. Broadcasts and subqueries come from the SQL plan: the
 * stages under a BroadcastExchange or Subquery feed the stage of the operator
 * above it. Cached RDDs: the stage whose tasks first computed the RDD.
 *
 * Shuffle links of a stage share what it read: their bytes and rows add up to its
 * own. A damaged log may hold cycles of links: who follows them must stand that. */
#ifndef ANALYZER_LINEAGE_H
#define ANALYZER_LINEAGE_H

#include "analyzer/app.h"

enum link_via { VIA_SHUFFLE, VIA_BROADCAST, VIA_CACHE, VIA_SUBQUERY };
const char *link_via_name(enum link_via via); /* "shuffle" ..., as in the JSON */

struct link {
    uint32_t from_ix, to_ix; /* attempts that ran; from: the last one that had completed
                              * when `to` was submitted, else the last that completed */
    enum link_via via;
    int64_t bytes, rows;     /* moved along this edge; APP_NONE where the log cannot tell, as
                              * for an attempt that failed before it said what it read */
    bool reused;             /* the exchange also feeds another stage */
};

struct lineage {
    struct link *links; /* by (to_ix, from_ix, via), no duplicates */
    size_t n_links;
    uint32_t *first;     /* n_stages + 1: links of stage i are first[i] .. first[i+1]-1 */
    uint32_t *source_ix; /* per stage: a skipped stage's original that ran, IX_NONE unknown; else itself */
    uint32_t *again_ix;  /* per stage: whose shuffle output it made again, all or part of it,
                          * for that had been lost; IX_NONE: nobody's */
    int64_t skipped, skipped_found; /* skipped stages, and how many have a known original */
};

/* Fills in again_ix, from source_ix. lineage_build does it. */
void lineage_find_again(struct lineage *l, const struct app *app);

void lineage_build(struct lineage *l, const struct app *app, struct arena *arena);

#endif
