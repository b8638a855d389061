/* The order in which things are derived. See analysis.h. */
#include "analyzer/analysis.h"

void analysis_build(struct analysis *a)
{
    lineage_build(&a->lineage, &a->app, &a->arena);
    ledgers_build(&a->ledgers, &a->app, &a->lineage, &a->arena);
}

void analysis_release(struct analysis *a)
{
    app_release(&a->app);
    arena_release(&a->arena);
    *a = (struct analysis){ 0 };
}
