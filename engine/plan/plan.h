/* Logical plans: what a query asks for, before and after optimisation.
 *
 * The parser makes one with names, analysis binds it, the optimiser rewrites it. A node
 * never changes once built; rewrites make new nodes and share what stays. Node and rule
 * names are Catalyst's, so that a plan printed here reads like Spark's. All in the
 * query's arena.
 *
 * Fields by kind (others are empty):
 *
 *   PLAN_UNRESOLVED_RELATION  parts (db.t or `parquet`.`path`), options
 *   PLAN_RELATION             relation; output: its columns, data then partition columns
 *   PLAN_LOCAL_RELATION       rows (n_rows x output) : VALUES, empty relations
 *   PLAN_RANGE                range_*; output: id bigint
 *   PLAN_ONE_ROW              SELECT without FROM
 *   PLAN_PROJECT              list
 *   PLAN_FILTER               condition          (HAVING before analysis: having)
 *   PLAN_JOIN                 join_type, condition; using: USING columns (natural: all
 * common); hint_left/right PLAN_AGGREGATE            keys, list (list: what is put out:
 * keys, aliases of aggregates; before analysis as written); grouping sets before
 * analysis: sets_kind, sets PLAN_SORT                 order, global PLAN_GLOBAL_LIMIT,
 * PLAN_LOCAL_LIMIT, PLAN_OFFSET   limit (literal after analysis) PLAN_DISTINCT
 *   PLAN_UNION, PLAN_INTERSECT, PLAN_EXCEPT   all; by_name
 *   PLAN_SUBQUERY_ALIAS       name, columns (t(a, b)): removed at the end of analysis
 *   PLAN_WITH                 ctes: name + child 1..n; child 0 the body; gone after
 * analysis PLAN_CTE_REF              name (inlined: gone after optimisation) PLAN_WINDOW
 * list (aliases of EXPR_WINDOW, added to the child's output), keys (partition), order
 *   PLAN_WINDOW_GROUP_LIMIT   keys, order, condition = the rank function, limit
 *   PLAN_EXPAND               projections (n_projections lists), output
 *   PLAN_REPARTITION          n_partitions, shuffle  (coalesce: shuffle false)
 *   PLAN_REPARTITION_BY       keys (hash) or order (range), n_partitions or 0; rebalance
 *   PLAN_HINT                 name, list (parameters); gone after analysis
 *   PLAN_SAMPLE               fraction lower..upper, seed
 *   PLAN_GENERATE             reserved
 *   PLAN_STAGE                AQE: a query stage that ran: stage; output, measured size
 * and rows commands: see command.h */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "engine/expr/expr.h"

struct relation;
struct query_stage;

enum plan_kind {
    PLAN_UNRESOLVED_RELATION,
    PLAN_RELATION,
    PLAN_LOCAL_RELATION,
    PLAN_RANGE,
    PLAN_ONE_ROW,
    PLAN_PROJECT,
    PLAN_FILTER,
    PLAN_JOIN,
    PLAN_AGGREGATE,
    PLAN_SORT,
    PLAN_GLOBAL_LIMIT,
    PLAN_LOCAL_LIMIT,
    PLAN_OFFSET,
    PLAN_DISTINCT,
    PLAN_UNION,
    PLAN_INTERSECT,
    PLAN_EXCEPT,
    PLAN_SUBQUERY_ALIAS,
    PLAN_WITH,
    PLAN_CTE_REF,
    PLAN_WINDOW,
    PLAN_WINDOW_GROUP_LIMIT,
    PLAN_EXPAND,
    PLAN_REPARTITION,
    PLAN_REPARTITION_BY,
    PLAN_HINT,
    PLAN_SAMPLE,
    PLAN_STAGE,
    N_PLAN_KINDS
};

enum join_type {
    JOIN_INNER,
    JOIN_CROSS,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_FULL,
    JOIN_SEMI,
    JOIN_ANTI,
    JOIN_EXISTENCE, /* left plus a boolean column: attribute exists_id */
};
const char *join_type_name(enum join_type t); /* "Inner", "LeftOuter", "LeftSemi", ... */

enum join_hint {
    HINT_NONE,
    HINT_BROADCAST,
    HINT_MERGE,
    HINT_SHUFFLE_HASH,
    HINT_SHUFFLE_REPLICATE_NL,
    HINT_NO_BROADCAST_HASH,
    HINT_PREFER_SHUFFLE_HASH
};
enum grouping_sets { SETS_NONE, SETS_ROLLUP, SETS_CUBE, SETS_LIST };

struct exprs { /* a list in the arena */
    struct expr **at;
    uint32_t n;
};

struct plan {
    enum plan_kind kind;
    bool resolved; /* analysis is done with it and all below */
    bool global, all, natural, shuffle, having, null_aware, rebalance, by_name,
        with_replacement;
    bool output_known; /* output is filled in */
    uint32_t n_children;
    struct plan **children;
    struct exprs list, keys, order;
    struct expr *condition, *limit;
    struct exprs
        output; /* EXPR_ATTRIBUTE each: what the parent sees; plan_output() computes it */
    enum join_type join_type;
    enum join_hint hint_left, hint_right;
    struct sv *using_columns;
    uint32_t n_using;
    uint32_t exists_id;
    enum grouping_sets sets_kind;
    struct exprs *sets;
    uint32_t n_sets;
    struct exprs *projections;
    uint32_t n_projections;
    struct sv name;
    struct sv *parts; /* of a relation's name; column aliases of PLAN_SUBQUERY_ALIAS; cte
                         names of PLAN_WITH */
    uint32_t n_parts;
    struct sv *option_keys, *option_values;
    uint32_t n_options;
    const struct relation *relation;
    struct value *rows; /* n_rows x output.n, row by row */
    uint64_t n_rows;
    int64_t range_start, range_end, range_step;
    uint32_t n_partitions; /* 0: not said */
    double lower, upper;   /* PLAN_SAMPLE */
    int64_t seed;
    struct query_stage *stage;
    struct place place;
};

struct plan *plan_new(struct arena *a, enum plan_kind kind, uint32_t n_children);
struct plan *
plan_copy(struct arena *a,
          const struct plan *p); /* this node only; output_known is cleared */
struct plan *plan_unary(struct arena *a, enum plan_kind kind, struct plan *child);
/* What the node puts out, computed once. For resolved nodes. */
const struct exprs *plan_output(struct arena *a, struct plan *p);

typedef struct plan *(*plan_fn)(void *ctx, struct plan *p);
/* As expr_transform_*: unchanged nodes are kept. Subquery plans inside expressions are
 * not entered (see plan_transform_subqueries). */
struct plan *plan_transform_up(struct arena *a, struct plan *p, plan_fn fn, void *ctx);
struct plan *plan_transform_down(struct arena *a, struct plan *p, plan_fn fn, void *ctx);
/* Every expression of this node through fn (itself transforming as it likes). */
struct plan *plan_map_exprs(struct arena *a, struct plan *p, expr_fn fn, void *ctx);
struct plan *plan_transform_subqueries(struct arena *a, struct plan *p, plan_fn fn,
                                       void *ctx);
/* Every expression of this node, in a fixed order. */
void plan_each_expr(const struct plan *p, void (*fn)(void *ctx, struct expr *e),
                    void *ctx);

/* Equal but for expression ids and places (Spark's sameResult after canonicalising). */
bool plan_same(const struct plan *a, const struct plan *b);

/* As EXPLAIN EXTENDED prints parsed, analysed and optimised plans: a tree with "+- " and
 * ":- ". */
void plan_print(struct strbuf *out, struct plan *p);

/* The next expression id of the session; starts at 0 as Spark's does. */
uint32_t next_expr_id(void);

#endif
