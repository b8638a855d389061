/* One run as lists of items to be aligned. Inside of analyzer/pair*. */
#ifndef ANALYZER_PAIR_ITEMS_H
#define ANALYZER_PAIR_ITEMS_H

#include "analyzer/pair_align.h"

struct run_unit { /* an SQL execution, or a job outside of one */
    bool is_sql;
    uint32_t ix;
    int64_t submitted_ms;
    uint64_t shape;             /* of the first plan; 0: none */
    uint32_t *stages, n_stages; /* last attempts that ran, in order of submission */
};

struct pair_run {
    const struct app *app;
    struct arena *arena;
    struct run_unit *works;
    struct pair_item *items;
    uint32_t n;
    uint32_t *loose; /* stages of no job */
    uint32_t n_loose;
    int64_t task_ms;
};

/* Fills all from app and arena. Units are in order of submission. */
void pair_run_build(struct pair_run *r);
/* items[0 .. n) of those stages, all of unit w; NULL: of none. */
void pair_stage_items(const struct pair_run *r, const struct run_unit *w,
                      const uint32_t *stages, uint32_t n, struct pair_item *items,
                      struct arena *arena);
#endif
