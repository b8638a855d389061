/* The order in which things are derived. See analysis.h. */
#include "analyzer/analysis.h"

#include "analyzer/forecast.h"
#include "base/mem.h"

#include <stdlib.h>

void analysis_build(struct analysis *a)
{
    lineage_build(&a->lineage, &a->app, &a->arena);
    ledgers_build(&a->ledgers, &a->app, &a->lineage, &a->arena);
    a->replay = xcalloc(1, sizeof *a->replay);
}

const struct replay *analysis_replay(const struct analysis *a)
{
    struct replay *r = a->replay;

    if (r->built)
        return r;
    sim_build(&r->table, &a->app, &a->lineage, &a->ledgers, &r->arena);
    if (r->table.n_tasks)
        sim_replay(&r->base, &r->table, &r->arena, true);
    r->built = true;
    return r;
}

void analysis_release(struct analysis *a)
{
    app_release(&a->app);
    if (a->replay)
        arena_release(&a->replay->arena);
    free(a->replay);
    arena_release(&a->arena);
    *a = (struct analysis){ 0 };
}
