/* Logical plans: what a query asks for, before and after optimisation.
 *
 * The parser makes one with names, analysis binds it, the optimiser rewrites it. A node
 * never changes once built; rewrites make new nodes and share what stays. Node and rule
 * names are Catalyst's, so that a plan printed here reads like Spark's. All in the
 * query's arena.
 *
 * Fields by kind (others are empty):
 *
 * from the parser, gone after analysis
 *   PLAN_UNRESOLVED_RELATION  parts (db.t or `parquet`.`path`), options
 *   PLAN_UNRESOLVED_VALUES    projections: the rows; parts: column names, if given
 *   PLAN_UNRESOLVED_FUNCTION  FROM range(10): name, list (arguments)
 *   PLAN_WITH_WINDOW          WINDOW w AS (..): parts, list (EXPR_WINDOW without
 *                             argument); parsed scripts have none: the parser puts the
 *                             definitions in the place of their names
 *
 * gone after plan_finish(), which stands between analysis and optimisation
 *   PLAN_SUBQUERY_ALIAS       name (or parts, of a table), columns (t(a, b))
 *   PLAN_VIEW                 name, output; child: a Project that puts out exactly that
 *   PLAN_WITH                 child 0 the body, 1..n PLAN_CTE_DEF
 *   PLAN_CTE_DEF              name, cte_id; child
 *   PLAN_CTE_REF              name, cte_id, output
 *   PLAN_HINT                 name, list (parameters); after analysis: hint_left
 *
 * the rest
 *   PLAN_RELATION             relation; output: its columns, data then partition columns
 *   PLAN_LOCAL_RELATION       rows (n_rows x output): VALUES, empty relations
 *   PLAN_RANGE                range_*, n_partitions; output: id bigint
 *   PLAN_ONE_ROW              SELECT without FROM
 *   PLAN_PROJECT              list
 *   PLAN_FILTER               condition (HAVING before analysis: having)
 *   PLAN_JOIN                 join_type, condition; hint_left/right; before analysis
 *                             using_columns, natural
 *   PLAN_AGGREGATE            keys, list (what is put out: keys, aliases of aggregates;
 *                             before analysis as written). Grouping sets before analysis:
 *                             sets_kind and sets, see below
 *   PLAN_SORT                 order, global
 *   PLAN_GLOBAL_LIMIT, PLAN_LOCAL_LIMIT, PLAN_OFFSET   limit (literal after analysis)
 *   PLAN_DISTINCT
 *   PLAN_UNION, PLAN_INTERSECT, PLAN_EXCEPT   all; by_name
 *   PLAN_WINDOW               list (aliases of EXPR_WINDOW, added to the child's output),
 *                             keys (partition), order
 *   PLAN_WINDOW_GROUP_LIMIT   keys, order, condition = the rank function, limit
 *   PLAN_EXPAND               projections, output
 *   PLAN_GENERATE             replicaterows: list (how often, then the columns of a row);
 *                             output: columns of the child that stay, then those
 *   PLAN_REPARTITION          n_partitions, shuffle (coalesce: shuffle false)
 *   PLAN_REPARTITION_BY       keys (hash) or order (range), n_partitions or 0; rebalance
 *   PLAN_SAMPLE               fraction lower..upper, with_replacement, seed
 *   PLAN_STAGE                AQE: a part that ran or runs: phys, its plan over stages;
 *                             stage, the first of these; origin, what it stands for;
 *                             output
 *
 * GROUP BY: SETS_NONE: keys. SETS_ROLLUP, SETS_CUBE: sets are the elements, (a, b) being
 * one of two columns. SETS_LIST: sets; a mixture (GROUP BY a, ROLLUP (b, c)) is such a
 * list, multiplied out. GROUP BY ALL: the one key is EXPR_NAME "ALL". */
#ifndef ENGINE_PLAN_PLAN_H
#define ENGINE_PLAN_PLAN_H

#include "engine/expr/expr.h"

struct relation;
struct query_stage;

enum plan_kind {
    PLAN_UNRESOLVED_RELATION,
    PLAN_UNRESOLVED_VALUES,
    PLAN_UNRESOLVED_FUNCTION,
    PLAN_WITH_WINDOW,
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
    PLAN_VIEW,
    PLAN_WITH,
    PLAN_CTE_DEF,
    PLAN_CTE_REF,
    PLAN_WINDOW,
    PLAN_WINDOW_GROUP_LIMIT,
    PLAN_EXPAND,
    PLAN_GENERATE,
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
    struct exprs hidden; /* analysis only: keys that a Project over USING leaves out,
                          * which qualified names still find */
    uint32_t exists_id;
    uint32_t cte_id;
    enum grouping_sets sets_kind;
    struct exprs *sets;
    uint32_t n_sets;
    struct exprs *projections;
    uint32_t n_projections;
    struct sv name;
    struct sv *parts;
    uint32_t n_parts;
    struct sv *columns; /* of PLAN_SUBQUERY_ALIAS and PLAN_CTE_DEF before analysis */
    uint32_t n_columns;
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
    struct phys *phys;
    struct plan *origin;
    struct place place;
};

/* Of a Generate's output, logical or physical: the child's columns that stay, and behind
 * them what a row is made of, one for each of the list but how often. */
static inline void generate_parts(const struct exprs *list, const struct exprs *output,
                                  struct exprs *kept, struct exprs *made)
{
    uint32_t n_made = list->n - 1, n_kept = output->n - n_made;

    *kept = (struct exprs){ output->at, n_kept };
    *made = (struct exprs){ output->at + n_kept, n_made };
}

/* Makers. Children are put in by the caller; `resolved` is taken over by plan_unary. */
struct plan *plan_new(struct arena *a, enum plan_kind kind, uint32_t n_children);
/* This node only, with a list of children of its own; output is computed anew. */
struct plan *plan_copy(struct arena *a, const struct plan *p);
struct plan *plan_unary(struct arena *a, enum plan_kind kind, struct plan *child);
struct plan *plan_project(struct arena *a, struct exprs list, struct plan *child);
struct plan *plan_filter(struct arena *a, struct expr *condition, struct plan *child);
struct plan *plan_join(struct arena *a, enum join_type type, struct plan *left,
                       struct plan *right, struct expr *condition);
struct plan *plan_aggregate(struct arena *a, struct exprs keys, struct exprs list,
                            struct plan *child);
/* No rows, these columns. */
struct plan *plan_empty(struct arena *a, const struct exprs *output);

struct exprs exprs_new(struct arena *a, uint32_t n);
struct exprs exprs_copy(struct arena *a, const struct exprs *list);
/* A new list with e (or all of b) behind. */
struct exprs exprs_add(struct arena *a, const struct exprs *list, struct expr *e);
struct exprs exprs_join(struct arena *a, const struct exprs *x, const struct exprs *y);
/* The attribute with this id; NULL: none. */
struct expr *exprs_find(const struct exprs *list, uint32_t id);
/* The attributes that a list of attributes and aliases puts out. */
struct exprs exprs_to_attributes(struct arena *a, const struct exprs *list);

/* What the node puts out, computed once. For resolved nodes. */
const struct exprs *plan_output(struct arena *a, struct plan *p);
/* Nothing in it, its expressions or below is left for analysis. */
bool plan_is_resolved(const struct plan *p);

typedef struct plan *(*plan_fn)(void *ctx, struct plan *p);
/* As expr_transform_*: unchanged nodes are kept. Subquery plans inside expressions are
 * not entered (see plan_transform_subqueries). */
struct plan *plan_transform_up(struct arena *a, struct plan *p, plan_fn fn, void *ctx);
struct plan *plan_transform_down(struct arena *a, struct plan *p, plan_fn fn, void *ctx);
/* The node over other children (as many as it has): itself where they are the same. */
struct plan *plan_with_children(struct arena *a, struct plan *p, struct plan *const *to);
/* One plan's nodes are the other's or copies of them: what a rewrite put between them it
 * took away again. The same expressions in the same places; leaves are never copied. */
bool plan_nodes_same(const struct plan *p, const struct plan *q);
/* Every expression of this node through fn (itself transforming as it likes). */
struct plan *plan_map_exprs(struct arena *a, struct plan *p, expr_fn fn, void *ctx);
/* The same for this node and all below, bottom-up; expressions from the leaves up too. */
struct plan *plan_map_all_exprs(struct arena *a, struct plan *p, expr_fn fn, void *ctx);
/* The plan of every subquery in expressions of this node and of those below through fn,
 * which sees to subqueries inside that plan itself. */
struct plan *plan_transform_subqueries(struct arena *a, struct plan *p, plan_fn fn,
                                       void *ctx);
/* Every expression of this node, in a fixed order. */
void plan_each_expr(const struct plan *p, void (*fn)(void *ctx, struct expr *e),
                    void *ctx);

/* Equal but for expression ids, names of columns and places (Spark's sameResult). */
bool plan_same(const struct plan *a, const struct plan *b);

/* The plan over new ids for all that it makes, for a second use beside the first. */
struct plan *plan_fresh(struct arena *a, struct plan *p);

/* From what analysis yields to what rules work on: aliases, views and hints are gone
 * (hints into the joins they are for), CTEs stand in place. Spark's rules
 * EliminateResolvedHint, EliminateSubqueryAliases, EliminateView, InlineCTE. */
struct plan *plan_finish(struct arena *a, struct plan *p);

/* As EXPLAIN EXTENDED prints parsed, analysed and optimised plans: a tree with "+- " and
 * ":- ", each line with its end. */
void plan_print(struct strbuf *out, struct plan *p);
/* The node's own line, without its end. */
void plan_print_node(struct strbuf *out, struct plan *p);
/* "[a#1, b#2]", cut as spark.sql.debug.maxToStringFields says. */
void plan_print_exprs(struct strbuf *out, const struct exprs *list, const char *between);
/* What a WindowGroupLimit ranks by: rank() and dense_rank() name the order's columns. */
void plan_print_rank(struct strbuf *out, const struct expr *rank,
                     const struct exprs *order);
/* "replicaterows(n, a, b)" of a Generate's list. */
void plan_print_generator(struct strbuf *out, const struct exprs *list);
/* That setting, for all printing of this process; 25 at first. */
void plan_print_fields(uint32_t most);

/* The next expression id of the process; from 1, as 0 is none. */
uint32_t next_expr_id(void);

#endif
