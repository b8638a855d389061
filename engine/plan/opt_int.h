/* What the opt_*.c files share: the rules, and tools to write rules with. */
#ifndef ENGINE_PLAN_OPT_INT_H
#define ENGINE_PLAN_OPT_INT_H

#include "engine/expr/func.h"
#include "engine/plan/optimize.h"
#include "engine/run/settings.h"

/* A rule of the engine, under Catalyst's name. */
#define REWRITE(rule, fn) const struct rewrite rule = { .name = #rule, .apply = fn }

/* Every rule there is: optimize.c puts them into batches. */

/* opt_finish.c: once, at first */
extern const struct rewrite ReplaceExpressions, RewriteNonCorrelatedExists,
    ComputeCurrentTime, ReplaceCurrentLike, EliminateDistinct,
    RemoveLiteralFromGroupExpressions, RemoveRepetitionFromGroupExpressions;
/* opt_sets.c: set operations become joins and aggregates */
extern const struct rewrite ReplaceIntersectWithSemiJoin, ReplaceExceptWithFilter,
    ReplaceExceptWithAntiJoin, ReplaceDistinctWithAggregate, CombineUnions,
    RewriteExceptAll, RewriteIntersectAll;
/* opt_subquery.c */
extern const struct rewrite PullupCorrelatedPredicates, OptimizeSubqueries,
    RewriteCorrelatedScalarSubquery, RewritePredicateSubquery;
/* opt_push.c: filters go down */
extern const struct rewrite PushDownPredicates, PushPredicateThroughJoin,
    PushDownLeftSemiAntiJoin, PushLeftSemiLeftAntiThroughJoin, PruneFilters;
/* opt_join.c */
extern const struct rewrite ReorderJoin, EliminateOuterJoin,
    PushExtraPredicateThroughJoin;
/* opt_infer.c */
extern const struct rewrite InferFiltersFromConstraints;
/* opt_columns.c */
extern const struct rewrite ColumnPruning, CollapseProject, RemoveRedundantAliases,
    RemoveNoopOperators, PushProjectionThroughUnion, PushProjectionThroughLimitAndOffset,
    FoldablePropagation;
/* opt_limit.c */
extern const struct rewrite LimitPushDown, LimitPushDownThroughWindow, EliminateLimits,
    EliminateOffsets, EliminateSorts, CollapseRepartition, InferWindowGroupLimit,
    CollapseWindow, TransposeWindow;
/* opt_partition.c */
extern const struct rewrite PruneFileSourcePartitions;
/* opt_empty.c: plans whose rows are known */
extern const struct rewrite ConvertToLocalRelation, PropagateEmptyRelation,
    UpdateAttributeNullability, OptimizeOneRowPlan;
/* opt_adaptive.c: with stages in the plan */
extern const struct rewrite AQEPropagateEmptyRelation, DynamicJoinSelection;
/* opt_agg.c */
extern const struct rewrite RemoveRedundantAggregates, EliminateAggregateFilter,
    DecimalAggregates, RewriteDistinctAggregates, PullOutGroupingExpressions;
/* opt_fold.c, opt_bool.c, opt_cast.c, opt_value.c: expressions alone */
extern const struct rewrite ConstantFolding, NullPropagation, NullDownPropagation,
    ConstantPropagation, OptimizeIn, OptimizeRand, ReorderAssociativeOperator,
    LikeSimplification, BooleanSimplification, SimplifyConditionals,
    PushFoldableIntoBranches, RemoveDispensableExpressions, SimplifyBinaryComparison,
    ReplaceNullWithFalseInPredicate, SimplifyCasts, SimplifyCaseConversionExpressions,
    UnwrapCastInBinaryComparison, CombineConcats, NormalizeFloatingNumbers;

/* The batches over a subquery's plan, or any other: plan_optimize without the last steps
 * that need the whole query. */
struct plan *plan_optimize_batches(struct rewrite_env *env, struct plan *p);
/* One rule, if settings do not exclude it. */
struct plan *plan_rewrite(struct rewrite_env *env, const struct rewrite *rule,
                          struct plan *p);

/* ---- tools (opt_tools.c) ---- */

/* Sets of expressions in order of insertion, equal ones once (expr_same). */
bool opt_has(const struct exprs *set, const struct expr *e);
void opt_add(struct arena *a, struct exprs *set, struct expr *e);
struct exprs opt_minus(struct arena *a, const struct exprs *set,
                       const struct exprs *without);
/* The conjuncts of e; NULL has none. And back: NULL for none. */
struct exprs opt_split(struct arena *a, struct expr *e);
struct expr *opt_join_and(struct arena *a, const struct exprs *list);
/* x AND y; either may be NULL. */
struct expr *opt_and(struct arena *a, struct expr *x, struct expr *y);
/* p under a filter; the condition may be NULL. */
struct plan *opt_filter(struct arena *a, struct expr *condition, struct plan *p);

/* Are all attributes that e uses in the list? True where it uses none. */
bool opt_covers(struct arena *a, const struct exprs *attributes, const struct expr *e);
bool opt_uses_none(struct arena *a, const struct expr *e);
/* e with attributes that `list` (a Project's or an Aggregate's) makes by aliases
 * replaced by what they stand for. */
struct expr *opt_inline(struct arena *a, struct expr *e, const struct exprs *list);
/* The same for an item of a list: its own name and id stay, inner aliases go. */
struct expr *opt_inline_item(struct arena *a, struct expr *item,
                             const struct exprs *list);
/* Attributes of `from` replaced by what stands at the same place in `to`. */
struct expr *opt_replace(struct arena *a, struct expr *e, const struct exprs *from,
                         const struct exprs *to);
struct expr *opt_without_alias(struct expr *e);
bool opt_all_deterministic(const struct exprs *list);
bool opt_all_attributes(const struct exprs *list);
/* The same attributes in the same order? */
bool opt_same_output(const struct exprs *x, const struct exprs *y);
bool opt_same_list(const struct exprs *x, const struct exprs *y); /* pointers */

bool opt_is_call(const struct expr *e, enum func_id id);
bool opt_is_true(const struct expr *e);  /* the literal */
bool opt_is_false(const struct expr *e); /* the literal */
bool opt_is_null(const struct expr *e);  /* a literal NULL of any type */
struct expr *opt_bool(struct arena *a, bool x);
struct expr *opt_null_of(struct arena *a, struct type t);
/* Calls of operators whose operands already fit: booleans, comparisons, IS NULL. */
struct expr *opt_call1(struct arena *a, enum func_id id, struct expr *x);
struct expr *opt_call2(struct arena *a, enum func_id id, struct expr *x, struct expr *y);
/* IN and EXISTS, and correlated subqueries of any kind: what joins take the place of. */
bool opt_has_predicate_subquery(const struct expr *e);
bool opt_has_correlated(const struct expr *e);
/* e as it is where every column in it is NULL; false where that cannot be said. */
bool opt_eval_on_nulls(struct rewrite_env *env, struct expr *e, struct value *out);

/* As many rows as p has at most; INT64_MAX: unknown. */
int64_t opt_max_rows(struct plan *p);
/* Does an Aggregate only make groups, without any aggregate function? */
bool opt_groups_only(const struct plan *p);
/* What surely holds for every row of p (Spark's constraints), about its output. */
struct exprs opt_constraints(struct arena *a, struct plan *p);
/* p where relations without rows among its children settle what it puts out. */
struct plan *opt_propagate_empty(struct arena *a, struct plan *p);
/* fn over every expression of every node, and of the plans of subqueries. */
struct plan *opt_each_expr(struct rewrite_env *env, struct plan *p, expr_fn fn);

#endif
