/* The optimiser: Catalyst's rules under their names, in batches to a fixed point.
 *
 * Each rule is a descriptor in one list; plan_rewrite() runs it or
 * leaves it out where spark.sql.optimizer.excludedRules names it. */
#ifndef ENGINE_PLAN_OPTIMIZE_H
#define ENGINE_PLAN_OPTIMIZE_H

#include "engine/plan/plan.h"
#include "engine/plan/stats.h"

struct rewrite_env {
    struct arena *arena;
    const struct settings *settings;
    const struct eval_env *eval; /* for constant folding */
    bool adaptive;               /* plan_reoptimize runs: it has exclusions of its own */
    bool correlated;             /* a subquery's plan whose columns are known outside by id */
};

struct rewrite {
    const char *name; /* Catalyst's: "PushDownPredicates" */
    struct plan *(*apply)(struct rewrite_env *env, struct plan *p);
};

struct rewrite_batch {
    const char *name;
    const struct rewrite *const *rules; /* NULL behind the last */
    bool once;
};

extern const struct rewrite_batch rewrite_batches[];
extern const uint32_t n_rewrite_batches;

enum errc plan_optimize(struct rewrite_env *env, struct plan *analyzed, struct plan **out,
                        struct err *err) MUST_CHECK;
/* The smaller set that AQE runs again over plans with PLAN_STAGE leaves. */
enum errc plan_reoptimize(struct rewrite_env *env, struct plan *p, struct plan **out,
                          struct err *err) MUST_CHECK;

#endif
