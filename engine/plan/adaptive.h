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
    struct phys *exchange; /* PHYS_EXCHANGE or PHYS_BROADCAST, children below are stages
                              or leaves */
    struct query_stage *reuse_of;
    bool submitted, done;
    struct stage_stats stats;
    int32_t shuffle_id;
};

/* Exchanges of `current` whose children are all materialised become PHYS_STAGE over new
 * stages (the same exchange twice: one stage, reused). Returns the new plan; new stages
 * in *out. */
struct phys *adaptive_new_stages(struct planner_env *env, struct phys *current,
                                 struct query_stage ***all, uint32_t *n_all);
/* After stages finished: the logical plan with PLAN_STAGE in place of what ran, optimised
 * and planned again; *out is `current` where the new plan costs more shuffles. */
enum errc adaptive_replan(struct planner_env *env, struct rewrite_env *rw,
                          struct plan *logical, struct phys *current,
                          struct plan **new_logical, struct phys **out,
                          struct err *err) MUST_CHECK;
/* The read rules for a stage about to run (`is_result`: the last one): skewed joins,
 * coalescing, local reads; in Spark's order. */
struct phys *adaptive_stage_plan(struct planner_env *env, struct phys *stage_root,
                                 bool is_result);

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
