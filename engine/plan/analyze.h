/* Analysis: names become attributes, types are found, implicit casts are added.
 *
 * Errors are Spark's classes with its wording ("[UNRESOLVED_COLUMN.WITH_SUGGESTION]
 * ..."), the place in the script and the nearest names. */
#ifndef ENGINE_PLAN_ANALYZE_H
#define ENGINE_PLAN_ANALYZE_H

#include "engine/plan/catalog.h"
#include "engine/plan/plan.h"

struct analysis_env {
    struct arena *arena;
    struct catalog *catalog;
    const struct settings *settings;
    int64_t query_start_us;
};

/* *at: where in the script the error is; line 0 where it has no place. */
enum errc plan_analyze(const struct analysis_env *env, struct plan *parsed,
                       struct plan **out, struct place *at, struct err *err) MUST_CHECK;

#endif
