/* A loaded log with everything derived from it. */
#ifndef ANALYZER_ANALYSIS_H
#define ANALYZER_ANALYSIS_H

#include "analyzer/conf.h"
#include "analyzer/ledger.h"

struct replay; /* analyzer/forecast.h */

struct analysis {
    struct app app;
    struct lineage lineage;
    struct ledgers ledgers;
    struct replay *replay; /* what analysis_replay keeps */
    struct arena arena;    /* of lineage and ledgers */
};

/* Derives lineage and ledgers of a->app, which is loaded already. */
void analysis_build(struct analysis *a);
void analysis_release(struct analysis *a); /* the app too */

#endif
