/* Expressions: what a column of a plan is computed from.
 *
 * The parser builds them unresolved, analysis gives every node a type, the optimiser
 * rewrites them, physical planning binds attributes to positions. Nodes never change once
 * built: a rewrite makes new ones, and subtrees are shared. All live in the query's
 * arena.
 *
 * An *attribute* names a column that some plan node puts out; its id, Spark's `#12`, is
 * what identifies it, the name is for people. An *alias* makes a new attribute. */
#ifndef ENGINE_EXPR_EXPR_H
#define ENGINE_EXPR_EXPR_H

#include "engine/column/value.h"

#include <stdbool.h>

struct func;
struct agg;
struct plan;
struct phys;

enum expr_kind {
    /* from the parser, gone after analysis */
    EXPR_NAME,       /* parts: a, t.a, db.t.a */
    EXPR_STAR,       /* parts: the qualifier, if any; prints as "*" */
    EXPR_FUNCTION,   /* parts: its name; args; distinct; filter in `filter`; of operators
                      * func,   too, so that they print as such */
    EXPR_LAMBDA_ARG, /* reserved */

    /* resolved; args by kind */
    EXPR_LITERAL, /* value; from the parser with a name: a timestamp written without zone,
                   * the value as of UTC: analysis reads the name in the session's zone */
    EXPR_ATTRIBUTE, /* id, name, qualifier in parts */
    EXPR_ALIAS,     /* args[0] AS name#id */
    EXPR_CALL, /* func on args: operators are functions too. name: the alias it was called
                  by ("ucase"), which prints instead of func's; else absent */
    EXPR_CAST, /* args[0] to type; try_cast: null instead of an error */
    EXPR_CASE, /* args: when, then, when, then, ... [, else]; odd count: has an else */
    EXPR_IN,   /* args[0] IN (args[1..]); all literals and many: a hash set (INSET prints)
                */
    EXPR_AGGREGATE, /* agg on args; distinct; filter; mode; id = its result's attribute id
                     */
    EXPR_WINDOW,    /* args[0]: EXPR_AGGREGATE or a window function's EXPR_CALL; window */
    EXPR_SORT_ORDER,      /* args[0]; descending, nulls_last */
    EXPR_SCALAR_SUBQUERY, /* plan; outer: attributes of the outer query it uses */
    EXPR_EXISTS,          /* plan, outer */
    EXPR_IN_SUBQUERY,     /* args (one or several) IN plan */
    EXPR_OUTER, /* args[0]: an attribute of the outer query, inside a subquery */

    /* physical */
    EXPR_BOUND, /* column `index` of the child's output; id and name kept for printing */
    EXPR_SUBQUERY_RESULT, /* a scalar subquery that runs before: its value is in *slot by
                             then */
};

enum agg_mode { AGG_COMPLETE, AGG_PARTIAL, AGG_PARTIAL_MERGE, AGG_FINAL };

enum frame_unit { FRAME_ROWS, FRAME_RANGE };
enum frame_bound {
    BOUND_UNBOUNDED,
    BOUND_CURRENT,
    BOUND_OFFSET
}; /* offset < 0: preceding */

struct window_spec {
    struct expr **partition;
    uint32_t n_partition;
    struct expr **order; /* EXPR_SORT_ORDER */
    uint32_t n_order;
    struct sv named; /* OVER w: resolved by analysis */
    bool has_frame;  /* as written; without one analysis fills in Spark's default */
    enum frame_unit unit;
    enum frame_bound lower, upper;
    struct expr *lower_offset, *upper_offset; /* literals; negative: preceding */
};

/* Where in the script: for errors. line 0: made by the planner. */
struct place {
    uint32_t line, column;   /* from 1; columns in characters */
    uint32_t offset, length; /* bytes in the script */
};

struct expr {
    enum expr_kind kind;
    struct type type; /* once resolved */
    bool nullable;
    bool resolved; /* this node and all below have a type */
    bool distinct;
    bool descending, nulls_last;
    bool ignore_nulls; /* as written, of a function that has no argument for it */
    bool try_cast;
    bool ansi; /* EXPR_CAST: an error where it does not fit, whatever the mode (INSERT) */
    bool implicit; /* a cast that analysis added: shown in plans, not in names */
    bool in_set;   /* EXPR_IN made a set by OptimizeIn: prints INSET */
    enum agg_mode mode;
    uint32_t n_args;
    struct expr **args;
    struct expr *filter; /* of an aggregate; of a subquery whose correlated predicates
                            were pulled up: what it is joined on. NULL: none */
    uint32_t id;         /* expression id; 0: none yet */
    uint32_t index;      /* EXPR_BOUND */
    struct sv name;
    struct sv *parts;
    uint32_t n_parts;
    const struct func *func;
    const struct agg *agg;
    struct value value;
    const struct value *slot; /* EXPR_SUBQUERY_RESULT */
    struct window_spec *window;
    struct plan *plan;
    struct phys *phys; /* EXPR_SUBQUERY_RESULT: the plan that yields it */
    struct expr **outer;
    uint32_t n_outer;
    struct place place;
};

/* Makers. Arguments are kept, not copied; the result's type is as resolved as its
 * arguments. A cast that analysis adds sets `implicit`: column names do not show it. */
struct expr *expr_new(struct arena *a, enum expr_kind kind, uint32_t n_args);
struct expr *expr_copy(struct arena *a, const struct expr *e); /* this node only */
struct expr *expr_literal(struct arena *a, struct value v);
struct expr *expr_attribute(struct arena *a, struct sv name, struct type t, bool nullable,
                            uint32_t id);
struct expr *expr_alias(struct arena *a, struct expr *child, struct sv name, uint32_t id);
struct expr *expr_cast(struct arena *a, struct expr *child, struct type to);
/* A call whose arguments already have the types func wants (see func.h to coerce). */
struct expr *expr_call(struct arena *a, const struct func *f, struct type type,
                       uint32_t n, ...);
/* Type, nullability and `resolved` of an alias, cast, CASE, IN, sort order or window from
 * what is below it now; others keep theirs. Transforms do it for each node they copy.
 * CASE takes the type of its first result that is not a bare NULL: coercion comes before.
 */
void expr_settle(struct expr *e);
/* The attribute that e is visible as above: e itself, or the alias's. */
struct expr *expr_to_attribute(struct arena *a, struct expr *e);

/* Rewrites bottom-up: fn gets each node with its children already rewritten and returns
 * it or another. Nodes without a change are kept, not copied. */
typedef struct expr *(*expr_fn)(void *ctx, struct expr *e);
struct expr *expr_transform_up(struct arena *a, struct expr *e, expr_fn fn, void *ctx);
struct expr *expr_transform_down(struct arena *a, struct expr *e, expr_fn fn, void *ctx);
/* Visits all nodes, parents first; stops and returns true when fn does. */
bool expr_any(const struct expr *e, bool (*fn)(void *ctx, const struct expr *e),
              void *ctx);
/* The node's own children only: arguments, filter, outer references, window; likewise. */
bool expr_each_child(const struct expr *e, bool (*fn)(void *ctx, const struct expr *e),
                     void *ctx);

/* The same computation? By structure; attributes by id; places do not count. */
bool expr_eq(const struct expr *a, const struct expr *b);
/* The same after putting commutative operands into an order (Spark's canonicalized). */
bool expr_same(const struct expr *a, const struct expr *b);
bool expr_deterministic(const struct expr *e);
/* No attribute below: its value does not depend on the row. */
bool expr_foldable(const struct expr *e);
bool expr_has_aggregate(const struct expr *e);
bool expr_has_subquery(const struct expr *e);
/* Attributes used, each once, in order of first use; those inside EXPR_OUTER are none. */
struct expr_set {
    uint32_t *ids;
    uint32_t n, cap;
}; /* in an arena: grows by copying */
void expr_references(struct arena *a, const struct expr *e, struct expr_set *out);
bool expr_set_has(const struct expr_set *s, uint32_t id);
void expr_set_add(struct arena *a, struct expr_set *s, uint32_t id);

/* Conjuncts of e in order, into *out (arena); and back. n 0: a true literal. */
uint32_t expr_split_and(struct arena *a, struct expr *e, struct expr ***out);
struct expr *expr_join_and(struct arena *a, struct expr **list, uint32_t n);

/* Spark's texts. PRINT_PLAN: with ids, "(a#1 + 1)", as EXPLAIN; PRINT_NAME: as an
 * automatic column name, "(a + 1)", "sum(DISTINCT x)"; PRINT_SQL: as `.sql`, names and
 * texts quoted. */
enum expr_print { PRINT_PLAN, PRINT_NAME, PRINT_SQL };
void expr_print(struct strbuf *out, const struct expr *e, enum expr_print how);
/* As a Filter of a plan shows its condition: a bare column has its type, "z#1: boolean".
 */
void expr_print_condition(struct strbuf *out, const struct expr *e);
/* "a, b" and so on: n of them with a separator between. */
void expr_print_list(struct strbuf *out, struct expr *const *list, uint32_t n,
                     const char *between, enum expr_print how);
/* name(args): what a func's own print hook falls back to. */
void expr_print_call(struct strbuf *out, struct sv name, const struct expr *e,
                     enum expr_print how);
/* The name of a select item that has none: as PRINT_NAME, but a column under a cast
 * keeps its own. */
void expr_print_item_name(struct strbuf *out, const struct expr *e);
/* The session's zone, in which timestamp literals print, and its name; UTC at first. Of
 * the process, as a session is. */
void expr_print_zone(const struct zone *zone, struct sv name);

#endif
