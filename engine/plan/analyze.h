/* Analysis: names become attributes, types are found, implicit casts are added.
 *
 * Errors are Spark's classes with its wording ("[UNRESOLVED_COLUMN.WITH_SUGGESTION]
 * ..."), the place in the script and the nearest names. The result prints as Spark's
 * analysed plan; plan_finish() makes of it what the optimiser takes. */
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

/* *at: where in the script the error is; line 0 where it has no place. Hints that Spark
 * does not know are dropped. */
enum errc plan_analyze(const struct analysis_env *env, struct plan *parsed,
                       struct plan **out, struct place *at, struct err *err) MUST_CHECK;

/* CREATE TEMPORARY VIEW name [(columns)] AS parsed: analysed here, for its errors and its
 * columns, and again wherever the view is used. env's arena is the catalog's. */
enum errc plan_create_view(const struct analysis_env *env, struct sv name,
                           const struct sv *columns, uint32_t n_columns,
                           struct plan *parsed, bool replace, struct place *at,
                           struct err *err) MUST_CHECK;

/* ERR_SYNTAX COLUMN_ALREADY_EXISTS where two have one name: tables and views may not. */
enum errc plan_check_names(const struct exprs *columns, struct err *err) MUST_CHECK;

/* What INSERT writes: the analysed query's columns as those of the table, under its names
 * and types (store assignment policy ANSI: what may lose values is refused, what may
 * overflow is an error at run time). `names` lists the table's columns that the query
 * gives, in its order (n_names 0: all, by position); the others are NULL. `fixed` holds
 * the values of PARTITION (k = v), one per field of `table`, NULL where the query gives
 * it (absent list: none). */
enum errc plan_for_insert(const struct analysis_env *env, struct plan *analyzed,
                          const struct schema *table, struct sv table_name,
                          const struct sv *names, uint32_t n_names,
                          struct expr *const *fixed, struct plan **out, struct place *at,
                          struct err *err) MUST_CHECK;

#endif
