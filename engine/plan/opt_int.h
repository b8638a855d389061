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
    ComputeCurrentTime, EliminateDistinct, RemoveLiteralFromGroupExpressions,
    RemoveRepetitionFromGroupExpressions;
/* opt_sets.c: set operations become joins and aggregates */
extern const struct rewrite ReplaceIntersectWithSemiJoin, ReplaceExceptWithFilter,
    ReplaceExceptWithAntiJoin, ReplaceDistinctWithAggregate, RewriteExceptAll,
    RewriteIntersectAll, CombineUnions, RemoveNoopUnion;
/* opt_subquery.c */
extern const struct rewrite PullupCorrelatedPredicates, OptimizeSubqueries,
    RewriteCorrelatedScalarSubquery, RewritePredicateSubquery;
/* opt_push.c: filters go down */
extern const struct rewrite PushDownPredicates, PushPredicateThroughJoin,
    PushDownLeftSemiAntiJoin, PushLeftSemiLeftAntiThroughJoin, PruneFilters;
/* opt_join.c */
extern const struct rewrite ReorderJoin, EliminateOuterJoin,
    PushExtraPredicateThroughJoin, CheckCartesianProducts;
/* opt_infer.c */
extern const struct rewrite InferFiltersFromConstraints;
/* opt_columns.c */
extern const struct rewrite ColumnPruning, CollapseProject, RemoveRedundantAliases,
    RemoveNoopOperators, PushProjectionThroughUnion, PushProjectionThroughLimitAndOffset,
    FoldablePropagation;
/* opt_limit.c */
extern const struct rewrite LimitPushDown, LimitPushDownThroughWindow, EliminateLimits,
    EliminateOffsets, EliminateSorts, CollapseRepartition, OptimizeRepartition,
    InferWindowGroupLimit, CollapseWindow, TransposeWindow, OptimizeWindowFunctions;
/* opt_empty.c: plans whose rows are known */
extern const struct rewrite ConvertToLocalRelation, PropagateEmptyRelation,
    UpdateAttributeNullability, OptimizeOneRowPlan;
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

/* Are all attributes that e uses put out by `output`? */
bool opt_covers(struct arena *a, const struct exprs *output, const struct expr *e);
/* Attributes of the list's aliases put in: e over what is below a Project. */
struct expr *opt_inline(struct arena *a, struct expr *e, const struct exprs *list);
/* The same attribute ids replaced by other expressions, pairwise. */
struct expr *opt_replace(struct arena *a, struct expr *e, const struct exprs *from,
                         const struct exprs *to);
bool opt_true(const struct expr *e);  /* the literal */
bool opt_false(const struct expr *e); /* false or NULL of boolean */
bool opt_null(const struct expr *e);
struct expr *opt_bool(struct arena *a, bool x);
struct expr *opt_null_of(struct arena *a, struct type t);
struct expr *opt_and(struct arena *a, struct expr *x, struct expr *y); /* NULL: none */
struct expr *opt_call1(struct arena *a, enum func_id id, struct expr *x);
struct expr *opt_call2(struct arena *a, enum func_id id, struct expr *x, struct expr *y);
/* fn over every expression of every node; parents see rewritten children. */
struct plan *opt_each_expr(struct rewrite_env *env, struct plan *p, expr_fn fn);
bool opt_is_call(const struct expr *e, enum func_id id);
/* Any aggregate or window function in it? */
bool opt_deterministic(const struct exprs *list);

#endif
