/* What the phys_*.c files share. */
#ifndef ENGINE_PLAN_PHYS_INT_H
#define ENGINE_PLAN_PHYS_INT_H

#include "engine/plan/phys.h"
#include "engine/plan/stats.h"
#include "engine/run/settings.h"

enum { PHYS_LISTS = 10 };

/* A node over a child whose output it passes on. */
struct phys *phys_unary(struct arena *a, enum phys_kind kind, struct phys *child);
/* Where a node keeps its lists of expressions. */
void phys_lists(struct phys *p, struct exprs *lists[PHYS_LISTS]);
/* The node with every expression through fn, leaves first. */
struct phys *phys_map_exprs(struct arena *a, struct phys *p, expr_fn fn, void *ctx);

/* ---- strategies ---- */

/* The physical plan of a logical one, without exchanges. */
enum errc phys_later(struct planner_env *env, struct plan *p, struct phys **out,
                     struct err *err) MUST_CHECK;
struct phys *phys_project(struct planner_env *env, struct exprs list, struct phys *child);
struct phys *phys_filter(struct planner_env *env, struct expr *condition,
                         struct phys *child);
/* Project and Filter nodes over a file relation (PhysicalOperation). NULL: p is
 * something else. */
struct phys *phys_scan(struct planner_env *env, struct plan *p);
struct phys *phys_aggregate(struct planner_env *env, struct plan *p, struct phys *child);
struct phys *phys_join(struct planner_env *env, struct plan *p, struct phys *left,
                       struct phys *right);
/* IS NOT NULL of something that is NULL wherever a column in it is. */
bool phys_rejects_null(const struct expr *e);
/* Reducers of a new shuffle. */
uint32_t phys_shuffle_partitions(const struct planner_env *env);
/* A logical plan with stages in it, planned and prepared. subqueries:
 * EXPR_SUBQUERY_RESULT each, what takes the place of scalar subqueries of that id. */
enum errc phys_replan(struct planner_env *env, struct plan *p,
                      const struct exprs *subqueries, struct phys **out,
                      struct err *err) MUST_CHECK;
/* The subqueries of a plan, each id once. */
struct exprs phys_subquery_results(struct arena *a, struct phys *p);
/* Spark's texts of a file scan's metadata, in the order of its line. */
void phys_read_schema(struct strbuf *out, const struct phys *scan);

/* ---- preparation ---- */

/* RemoveRedundantProjects, EnsureRequirements, RemoveRedundantSorts. */
struct phys *phys_prepare(struct planner_env *env, struct phys *p);
struct phys *phys_ensure(struct planner_env *env, struct phys *p);
/* ColumnarToRow where rows are wanted, then numbers of whole-stage units. */
struct phys *phys_codegen(struct planner_env *env, struct phys *p);
/* ReuseExchangeAndSubquery, for plans that run without AQE. */
struct phys *phys_reuse(struct planner_env *env, struct phys *p);

/* ---- distributions ---- */

enum distribution_kind {
    DIST_ANY,
    DIST_ALL,
    DIST_CLUSTERED,
    DIST_ORDERED,
    DIST_BROADCAST
};

struct distribution {
    enum distribution_kind kind;
    struct exprs keys; /* CLUSTERED: expressions; ORDERED: sort orders */
};

/* What the node wants of child i. */
struct distribution phys_requires(struct arena *a, const struct phys *p, uint32_t i);
struct exprs phys_requires_order(struct arena *a, const struct phys *p, uint32_t i);
bool partitioning_satisfies(const struct partitioning *p, const struct distribution *d);
/* Do rows and their order lie as every node above stages wants them? */
bool phys_requirements_hold(struct arena *a, const struct phys *p);
/* Is `has` sorted enough for `wants`? */
bool order_satisfies(const struct exprs *has, const struct exprs *wants);
struct expr *sort_ascending(struct arena *a, struct expr *key);
struct exprs sort_all_ascending(struct arena *a, const struct exprs *keys);

#endif
