/* Adaptive execution, the part that decides: pure functions from measured sizes to plans.
 * run/adaptive.c drives them: it runs stages and asks again. Formulas: planner
 * reference, 7. */
#ifndef ENGINE_PLAN_ADAPTIVE_H
#define ENGINE_PLAN_ADAPTIVE_H

#include "engine/plan/optimize.h"
#include "engine/plan/phys.h"

/* What a materialised exchange turned out to be. */
struct stage_stats {
    bool broadcast;
    int64_t data_bytes; /* metric "data size": UnsafeRow bytes, uncompressed */
    int64_t rows;
    uint32_t n_maps, n_reducers;
    /* shuffle: bytes by map and reducer as read back from the statuses' one-byte logs */
    const int64_t *const *map_reduce_bytes; /* [map][reducer] */
    const int64_t *reduce_bytes;            /* summed over maps */
};

/* A query stage: one exchange of the plan, once it was given out to run. */
struct query_stage {
    uint32_t id;           /* AQE's stage number, from 0 */
    struct phys *exchange; /* PHYS_EXCHANGE or PHYS_BROADCAST, as it runs: children below
                              are stages or leaves. Of a reusing stage: PHYS_REUSED */
    struct query_stage *reuse_of; /* runs nothing: what this one made is read again */
    bool done;                    /* stats are known: whoever drives the plan says so */
    struct stage_stats stats;
    int32_t shuffle_id;
    void *run; /* the driver's */
};

/* Stages and subqueries of a query and of its subqueries that others may reuse. Zeroed:
 * none. Whoever drives several plans at once lets one at a time into adaptive_cut(). */
struct stage_cache {
    struct query_stage **at;
    uint32_t n, cap;
    struct phys **subqueries; /* PHYS_SUBQUERY: what equal ones reuse */
    uint32_t n_subqueries, cap_subqueries;
};

/* A plan on its way from PHYS_ADAPTIVE's initial one to the final one:
 *
 *     adaptive_init
 *     loop    adaptive_cut      what can run now; true: nothing is left to wait for
 *             (stages run; `done` and `stats` of some are set)
 *             adaptive_replan   the rest, anew from what is known now
 *     adaptive_final */
struct adaptive {
    struct planner_env env;
    struct rewrite_env rewrite;
    struct stage_cache *cache;
    struct plan *logical; /* what `current` was planned from */
    struct phys *current;
    struct exprs
        subqueries; /* EXPR_SUBQUERY_RESULT: planned once, with the initial plan */
    uint32_t n_stages;
    struct query_stage **unmarked; /* stages the logical plan does not know of, newest
                                      first */
    uint32_t n_unmarked;
};

void adaptive_init(struct adaptive *a, struct phys *adaptive, struct stage_cache *cache);
/* Exchanges of the current plan whose inputs are all there become PHYS_STAGE over new
 * stages: those not done yet in *out, broadcasts first. Returns whether every stage of
 * the plan is done. */
bool adaptive_cut(struct adaptive *a, struct query_stage ***out, uint32_t *n_out);
/* The logical plan with PLAN_STAGE in place of what runs or ran, optimised and planned
 * again; the current plan stays where that costs more shuffles or yields the same. */
enum errc adaptive_replan(struct adaptive *a, struct err *err) MUST_CHECK;
/* The last stage, ready to run. */
struct phys *adaptive_final(struct adaptive *a);

/* The read rules for the plan of a stage about to run: rebalanced partitions cut,
 * partitions coalesced, local reads; each only where what the plan demands of its rows
 * still holds. */
struct phys *adaptive_reads(struct planner_env *env, struct phys *plan);
/* OptimizeSkewedJoin, over a plan whose requirements are met. */
struct phys *adaptive_skewed_joins(struct planner_env *env, struct phys *plan);
/* An AQEShuffleRead over a PHYS_STAGE. local: of whole map outputs. */
struct phys *adaptive_read(struct arena *a, struct phys *stage, struct read_spec *specs,
                           uint32_t n, bool local);
/* Statistics of a shuffle's PHYS_STAGE that is done; NULL: another node, or it had no map
 * tasks and so has none. */
const struct stage_stats *adaptive_stats(const struct phys *p);
bool adaptive_is_shuffle(const struct phys *p); /* PHYS_STAGE of a shuffle */

/* ---- the arithmetic alone ---- */

/* What a coalesced partition may have at most: min_num of them at least, of the bytes of
 * all shuffles read together. */
int64_t adaptive_target(int64_t total, int64_t advisory, int64_t min_size,
                        int64_t min_num);
/* The reducers of shuffles that are read together, in ranges for one task each: *out,
 * with room for n_reducers and at least one. Ranges without a byte are left out, but one
 * stays where all are empty. As many as there are reducers: there is nothing to coalesce.
 */
uint32_t adaptive_coalesce(const int64_t *const *bytes_by_shuffle, uint32_t n_shuffles,
                           uint32_t n_reducers, int64_t advisory, int64_t min_size,
                           int64_t min_num, struct read_spec *out);
/* The same for the reducers [from, to) between skewed ones, the target being that of all.
 * none_if_empty: no range where all are empty. */
uint32_t adaptive_coalesce_range(const int64_t *const *bytes_by_shuffle,
                                 uint32_t n_shuffles, uint32_t from, uint32_t to,
                                 int64_t target, int64_t min_size, bool none_if_empty,
                                 struct read_spec *out);
/* Where the pieces of one reducer's data begin, by its size in each map's output; starts
 * has room for n_maps and at least one. 1: it cannot be split. */
uint32_t adaptive_split(const int64_t *map_bytes, uint32_t n_maps, int64_t target,
                        uint32_t *starts);

#endif
