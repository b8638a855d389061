/* Analysis, as its parts see each other. For analyze*.c only.
 *
 * One pass, from the leaves up: a plan's children are analysed, their output is the scope
 * in which its expressions are resolved, and what Spark's Analyzer does in further rounds
 * (grouping, windows, columns that ORDER BY needs and SELECT lacks) follows at once.
 *
 *     analyze.c        the walk over plans, CTEs, views, limits
 *     analyze_hint.c   join and partitioning hints
 *     analyze_name.c   columns by name, stars, suggestions
 *     analyze_expr.c   expressions: types, calls, coercion, subqueries
 *     analyze_subquery.c  plans inside expressions
 *     analyze_outer.c  where these may use the query around
 *     analyze_select.c select lists, lateral aliases, HAVING
 *     analyze_sort.c   ORDER BY with what SELECT lacks, WHERE, DISTRIBUTE BY
 *     analyze_group.c  GROUP BY: ordinals, aliases, ALL, checks, grouping sets
 *     analyze_over.c   checks of aggregates, what stands over them
 *     analyze_window.c OVER: frames, PLAN_WINDOW nodes
 *     analyze_join.c   USING, NATURAL, self joins
 *     analyze_set.c    UNION, INTERSECT, EXCEPT, VALUES */
#ifndef ENGINE_PLAN_ANALYZE_INT_H
#define ENGINE_PLAN_ANALYZE_INT_H

#include "engine/expr/func.h"
#include "engine/plan/analyze.h"

/* What names mean where an expression stands. */
struct scope {
    const struct exprs *columns;
    const struct exprs *hidden;  /* by qualified name only: keys that USING merged */
    const struct exprs *second;  /* where columns has no such name; NULL: none */
    const struct exprs *aliases; /* of the select list so far; NULL: none in sight */
    const struct exprs *items;   /* GROUP BY: the select list, for what columns has not */
    bool second_first;           /* HAVING: `second` goes before columns */
    bool
        second_in_aggregates; /* ORDER BY, HAVING: arguments of aggregates see it first */
    const struct exprs *groups;   /* of the aggregate that `second` is below of */
    struct expr_set *used_hidden; /* ids of hidden columns that were used; or NULL */
    bool in_window;               /* of OVER: no lateral aliases */
    bool no_outer;                /* VALUES, LIMIT */
};

/* A query around: what a subquery may refer to. */
struct outer {
    const struct scope *scope;
    struct exprs used; /* attributes, in order of first use */
};

struct cte {
    struct cte *next; /* defined before, or around */
    struct sv name;
    struct plan *def; /* PLAN_CTE_DEF, analysed */
};

struct used_columns { /* of CTEs that were referred to */
    struct used_columns *next;
    const struct exprs *of;
};

struct analyzer {
    const struct analysis_env *env;
    struct arena *arena;
    const struct settings *settings;
    struct place *at;
    struct err *err;
    struct outer *outer; /* NULL: not in a subquery */
    struct cte *ctes;
    struct used_columns *used;
    struct plan **defs; /* all CTEs of the statement, for the one PLAN_WITH */
    uint32_t n_defs, cap_defs;
    const struct zone *zone; /* the session's, once it was wanted */
    struct sv creating;      /* the view being replaced: its own plan must not use it */
    uint32_t depth;          /* of views and subqueries */
};

/* Fills the error and its place. */
enum errc analysis_fail(struct analyzer *an, struct place at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The place of an error that a callee has worded. */
enum errc place_error(struct analyzer *an, struct place at, enum errc rc);

enum errc analyze_plan(struct analyzer *an, struct plan *p, struct plan **out) MUST_CHECK;

/* ---- names ---- */

bool same_name(struct sv a, struct sv b); /* without regard to case */
enum errc resolve_name(struct analyzer *an, const struct scope *s, struct expr *e,
                       bool in_aggregate, struct expr **out) MUST_CHECK;
/* The columns of a star, in order. */
enum errc expand_star(struct analyzer *an, const struct scope *s, struct expr *star,
                      struct exprs *out) MUST_CHECK;
/* Is a single match there? For USING: by name alone. */
struct expr *find_column(const struct exprs *columns, struct sv name, uint32_t *n);
enum errc fail_unresolved(struct analyzer *an, struct expr *name,
                          const struct exprs *columns);
/* Keys that USING joins below merged: visible by qualifier. */
struct exprs plan_hidden(struct arena *a, struct plan *p);
/* The plan with these hidden columns put out too. */
struct plan *show_hidden(struct arena *a, struct plan *p, const struct expr_set *ids);

/* ---- expressions ---- */

enum errc resolve_expr(struct analyzer *an, const struct scope *s, struct expr *e,
                       struct expr **out) MUST_CHECK;
enum errc resolve_exprs(struct analyzer *an, const struct scope *s,
                        const struct exprs *list, struct exprs *out) MUST_CHECK;
/* `e` itself where it has the type; else under an implicit cast. */
struct expr *coerce_to(struct arena *a, struct expr *e, struct type t);
/* Outer columns only where they may be. */
enum errc check_outer(struct analyzer *an, const struct expr *subquery,
                      const struct plan *p) MUST_CHECK;
/* Of a correlated scalar subquery's aggregate: one group for each outer row. */
enum errc check_groups(struct analyzer *an, const struct expr *subquery,
                       const struct plan *agg) MUST_CHECK;
/* Outer columns that p uses, each once. */
void collect_outer(struct arena *a, const struct plan *p, struct exprs *list);
/* values: left of IN, resolved. */
enum errc resolve_subquery(struct analyzer *an, const struct scope *s, struct expr *e,
                           const struct exprs *values, struct expr **out) MUST_CHECK;
/* Calls func with resolved arguments; the error gets the place. */
enum errc call_func(struct analyzer *an, enum func_id id, struct place at, uint32_t n,
                    struct expr **args, struct expr **out) MUST_CHECK;
/* The value of an expression that depends on no row. */
enum errc constant_value(struct analyzer *an, struct expr *e,
                         struct value *out) MUST_CHECK;
/* The text of an expression in the arena, as names or plans have it. */
const char *text_of(struct arena *a, const struct expr *e, enum expr_print how);
const char *type_text(struct arena *a, struct type t); /* "INT", upper case */
bool is_window(const struct expr *e);                  /* e or something in it */
bool is_grouping_call(const struct expr *e);           /* grouping(), grouping_id() */
bool has_grouping_call(const struct expr *e);
/* The expression below aliases. */
struct expr *trim_aliases(struct arena *a, struct expr *e);

/* ---- select, group, window, join, set ---- */

enum errc analyze_select(struct analyzer *an, struct plan *p, struct plan *having,
                         struct plan **out) MUST_CHECK;
enum errc analyze_sort(struct analyzer *an, struct plan *p, struct plan **out) MUST_CHECK;
enum errc analyze_filter(struct analyzer *an, struct plan *p,
                         struct plan **out) MUST_CHECK;
enum errc analyze_repartition(struct analyzer *an, struct plan *p, bool keys_too,
                              struct plan **out) MUST_CHECK;

/* What a GROUP BY with grouping sets became, for grouping() in HAVING and ORDER BY. */
struct grouping {
    struct exprs by; /* the expressions grouped by */
    struct expr *gid;
    struct expr **attributes; /* by.n: what Expand puts out for them */
};
/* keys, sets and list of p over the analysed child: an Aggregate, maybe over Expand. */
enum errc group_by(struct analyzer *an, struct plan *p, struct plan *child,
                   const struct scope *s, struct exprs list,
                   struct plan **out) MUST_CHECK;
/* Over an Aggregate, maybe below a Filter: expressions that use its aggregates, its keys
 * and its output, each put over what it puts out. What that lacks is added to it; then
 * *io is a new Aggregate, and the caller projects the additions away. */
enum errc over_aggregate(struct analyzer *an, struct exprs *list,
                         struct plan **io) MUST_CHECK;
/* The grouping sets that an Aggregate was made for; false: none. */
bool grouping_of(struct analyzer *an, const struct plan *agg, struct grouping *out);
/* The columns below it, and what it groups by: those of the query, not Expand's. */
void aggregate_input(struct analyzer *an, const struct plan *agg, struct exprs *columns,
                     struct exprs *groups);
enum errc replace_grouping(struct analyzer *an, const struct grouping *g, struct expr *e,
                           struct expr **out) MUST_CHECK;
/* Every column outside aggregates is grouped by; aggregates do not nest. */
enum errc check_aggregate(struct analyzer *an, struct plan *agg) MUST_CHECK;

/* Windows of the list go to PLAN_WINDOW nodes over p (having, or NULL: a condition in
 * between; not yet over the aggregate). p's (Project or Aggregate). */
enum errc extract_windows(struct analyzer *an, struct plan *p, struct exprs *having,
                          struct plan **out) MUST_CHECK;
enum errc resolve_window(struct analyzer *an, const struct scope *s, struct expr *e,
                         struct expr **out) MUST_CHECK;

enum errc analyze_hint(struct analyzer *an, struct plan *p, struct plan **out) MUST_CHECK;
enum errc analyze_join(struct analyzer *an, struct plan *p, struct plan **out) MUST_CHECK;
/* `right` with new ids where `left` puts out the same ones. */
struct plan *dedup_right(struct arena *a, struct plan *left, struct plan *right);

enum errc analyze_set(struct analyzer *an, struct plan *p, struct plan **out) MUST_CHECK;
enum errc analyze_values(struct analyzer *an, struct plan *p,
                         struct plan **out) MUST_CHECK;

#endif
