/* Batches of rules, in Catalyst's order, each run once or until nothing changes. */
#include "engine/plan/opt_int.h"

#include <assert.h>
#include <string.h>

enum {
    MOST_TURNS = 100, /* spark.sql.optimizer.maxIterations */
    MOST_RULES = 128,
};

typedef const struct rewrite *const rule_list[];

static rule_list finish_analysis = {
    &ReplaceExpressions, &RewriteNonCorrelatedExists, &PullOutGroupingExpressions,
    &ComputeCurrentTime, &ReplaceCurrentLike,         NULL,
};
static rule_list distinct = {
    &EliminateDistinct,
    NULL,
};
static rule_list unions = {
    &RemoveNoopOperators,
    &CombineUnions,
    NULL,
};
static rule_list local_early = {
    &ConvertToLocalRelation,
    &PropagateEmptyRelation,
    &UpdateAttributeNullability,
    NULL,
};
static rule_list pullup = {
    &PullupCorrelatedPredicates,
    NULL,
};
static rule_list subqueries = {
    &OptimizeSubqueries,
    NULL,
};
static rule_list replace_operators = {
    &RewriteExceptAll,
    &RewriteIntersectAll,
    &ReplaceIntersectWithSemiJoin,
    &ReplaceExceptWithFilter,
    &ReplaceExceptWithAntiJoin,
    &ReplaceDistinctWithAggregate,
    NULL,
};
static rule_list aggregate = {
    &RemoveLiteralFromGroupExpressions,
    &RemoveRepetitionFromGroupExpressions,
    NULL,
};
static rule_list operators = {
    /* down */
    &PushProjectionThroughUnion,
    &PushProjectionThroughLimitAndOffset,
    &ReorderJoin,
    &EliminateOuterJoin,
    &PushDownPredicates,
    &PushDownLeftSemiAntiJoin,
    &PushLeftSemiLeftAntiThroughJoin,
    &LimitPushDown,
    &LimitPushDownThroughWindow,
    &ColumnPruning,
    /* together */
    &CollapseRepartition,
    &CollapseProject,
    &CollapseWindow,
    &EliminateOffsets,
    &EliminateLimits,
    &CombineUnions,
    /* simpler */
    &TransposeWindow,
    &NullPropagation,
    &RewriteNonCorrelatedExists,
    &NullDownPropagation,
    &ConstantPropagation,
    &FoldablePropagation,
    &OptimizeIn,
    &OptimizeRand,
    &ConstantFolding,
    &EliminateAggregateFilter,
    &ReorderAssociativeOperator,
    &LikeSimplification,
    &BooleanSimplification,
    &SimplifyConditionals,
    &PushFoldableIntoBranches,
    &RemoveDispensableExpressions,
    &SimplifyBinaryComparison,
    &ReplaceNullWithFalseInPredicate,
    &PruneFilters,
    &SimplifyCasts,
    &SimplifyCaseConversionExpressions,
    &RewriteCorrelatedScalarSubquery,
    &RemoveRedundantAliases,
    &RemoveRedundantAggregates,
    &UnwrapCastInBinaryComparison,
    &RemoveNoopOperators,
    &CombineConcats,
    NULL,
};
static rule_list infer_filters = {
    &InferFiltersFromConstraints,
    NULL,
};
static rule_list extra_predicates = {
    &PushExtraPredicateThroughJoin,
    NULL,
};
static rule_list predicates = {
    &PushDownPredicates,
    NULL,
};
static rule_list early_scans = {
    &PruneFileSourcePartitions,
    NULL,
};
static rule_list sorts = {
    &EliminateSorts,
    NULL,
};
static rule_list decimals = {
    &DecimalAggregates,
    NULL,
};
static rule_list distincts = {
    &RewriteDistinctAggregates,
    NULL,
};
static rule_list local = {
    &ConvertToLocalRelation,
    &PropagateEmptyRelation,
    &UpdateAttributeNullability,
    NULL,
};
static rule_list one_row = {
    &OptimizeOneRowPlan,
    NULL,
};
static rule_list rewrite_subquery = {
    &RewritePredicateSubquery,
    &PushPredicateThroughJoin,
    &LimitPushDown,
    &ColumnPruning,
    &CollapseProject,
    &RemoveRedundantAliases,
    &RemoveNoopOperators,
    NULL,
};
static rule_list floating = {
    &NormalizeFloatingNumbers,
    NULL,
};
static rule_list cleanup = {
    &BooleanSimplification,
    &PruneFilters,
    NULL,
};
static rule_list window_limits = {
    &InferWindowGroupLimit, &LimitPushDown,   &LimitPushDownThroughWindow,
    &EliminateLimits,       &ConstantFolding, NULL,
};

const struct rewrite_batch rewrite_batches[] = {
    { "Finish Analysis", finish_analysis, true },
    { "Eliminate Distinct", distinct, true },
    { "Union", unions, false },
    { "LocalRelation early", local_early, false },
    { "Pullup Correlated Expressions", pullup, true },
    { "Subquery", subqueries, true },
    { "Replace Operators", replace_operators, false },
    { "Aggregate", aggregate, false },
    { "Operator Optimization before Inferring Filters", operators, false },
    { "Infer Filters", infer_filters, true },
    { "Operator Optimization after Inferring Filters", operators, false },
    { "Push extra predicate through join", extra_predicates, true },
    { "Push extra predicate through join", predicates, false },
    { "Early Filter and Projection Push-Down", early_scans, true },
    { "Eliminate Sorts", sorts, true },
    { "Decimal Optimizations", decimals, false },
    { "Distinct Aggregate Rewrite", distincts, true },
    { "LocalRelation", local, false },
    { "Optimize One Row Plan", one_row, false },
    { "RewriteSubquery", rewrite_subquery, true },
    { "NormalizeFloatingNumbers", floating, true },
    { "Cleanup filters that cannot be pushed down", cleanup, true },
    { "Infer window group limit", window_limits, true },
};
const uint32_t n_rewrite_batches = ARRAY_LEN(rewrite_batches);

/* Over plans with stages in them. */
static rule_list adaptive_empty = {
    &AQEPropagateEmptyRelation,
    &ConvertToLocalRelation,
    &UpdateAttributeNullability,
    NULL,
};
static rule_list adaptive_joins = {
    &DynamicJoinSelection,
    NULL,
};
static rule_list adaptive_limits = {
    &EliminateLimits,
    NULL,
};
static const struct rewrite_batch adaptive_batches[] = {
    { "Propagate Empty Relations", adaptive_empty, false },
    { "Dynamic Join Selection", adaptive_joins, true },
    { "Eliminate Limits", adaptive_limits, false },
    { "Optimize One Row Plan", one_row, false },
};

/* ---- running ---- */

static bool names_rule(struct sv list, const char *name)
{
    while (list.len) {
        const char *comma = memchr(list.p, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.p) : list.len;
        struct sv one = sv_trim((struct sv){ list.p, n });
        size_t len = strlen(name);

        /* Spark wants the class: org.apache.spark.sql.catalyst.optimizer.ColumnPruning */
        if (one.len >= len && memcmp(one.p + one.len - len, name, len) == 0 &&
            (one.len == len || one.p[one.len - len - 1] == '.'))
            return true;
        n += comma != NULL;
        list = (struct sv){ list.p + n, list.len - n };
    }
    return false;
}

/* Without these a plan cannot be run: settings do not reach them (nonExcludableRules). */
static bool is_needed(const struct rewrite *rule)
{
    static const struct rewrite *const needed[] = {
        &ReplaceExpressions,           &RewriteNonCorrelatedExists,
        &PullOutGroupingExpressions,   &ComputeCurrentTime,
        &ReplaceCurrentLike,           &RewriteDistinctAggregates,
        &ReplaceIntersectWithSemiJoin, &ReplaceExceptWithFilter,
        &ReplaceExceptWithAntiJoin,    &ReplaceDistinctWithAggregate,
        &PullupCorrelatedPredicates,   &RewriteCorrelatedScalarSubquery,
        &RewritePredicateSubquery,     &NormalizeFloatingNumbers,
        &OptimizeSubqueries,           &RewriteExceptAll,
        &RewriteIntersectAll,
    };

    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (needed[i] == rule)
            return true;
    return false;
}

struct plan *plan_rewrite(struct rewrite_env *env, const struct rewrite *rule,
                          struct plan *p)
{
    enum setting excluded = env->adaptive ? SET_ADAPTIVE_EXCLUDED : SET_EXCLUDED_RULES;

    if (names_rule(settings_text(env->settings, excluded), rule->name) &&
        !is_needed(rule))
        return p;
    return rule->apply(env, p);
}

/* The plans that rules have left as they are: a rule is not asked again about the same
 * one. What comes out depends on the plan alone. */
struct left_alone {
    uint32_t n;
    struct {
        const struct rewrite *rule;
        const struct plan *plan;
    } at[MOST_RULES];
};

static const struct plan **left_by(struct left_alone *l, const struct rewrite *rule)
{
    uint32_t i = 0;

    while (i < l->n && l->at[i].rule != rule)
        i++;
    if (i == l->n) {
        assert(l->n < MOST_RULES);
        l->at[l->n++].rule = rule;
        l->at[i].plan = NULL;
    }
    return &l->at[i].plan;
}

static struct plan *run_batch(struct rewrite_env *env, const struct rewrite_batch *batch,
                              struct left_alone *left, struct plan *p)
{
    for (int turn = 0; turn < MOST_TURNS; turn++) {
        struct plan *before = p;

        for (const struct rewrite *const *rule = batch->rules; *rule; rule++) {
            const struct plan **known = left_by(left, *rule);
            struct plan *was = p;

            if (*known == p)
                continue;
            p = plan_rewrite(env, *rule, p);
            if (p == was)
                *known = p;
        }
        if (batch->once)
            return p;
        if (plan_nodes_same(p, before)) /* one rule may undo another */
            return before;
    }
    return p;
}

struct plan *plan_optimize_batches(struct rewrite_env *env, struct plan *p)
{
    struct left_alone left = { 0 };

    for (uint32_t i = 0; i < n_rewrite_batches; i++)
        p = run_batch(env, &rewrite_batches[i], &left, p);
    return p;
}

/* With spark.sql.crossJoin.enabled off only CROSS JOIN may pair everything. */
static enum errc check_products(const struct plan *p, struct err *err)
{
    bool pairs = p->kind == PLAN_JOIN &&
                 (!p->condition || p->condition->kind == EXPR_LITERAL) &&
                 (p->join_type == JOIN_INNER || p->join_type == JOIN_LEFT ||
                  p->join_type == JOIN_RIGHT || p->join_type == JOIN_FULL);

    if (pairs)
        return err_set(err, ERR_SYNTAX,
                       "Detected implicit cartesian product for %s join between logical "
                       "plans. Join condition is missing or trivial. Either: use the "
                       "CROSS JOIN syntax to allow cartesian products between these "
                       "relations, or: enable implicit cartesian products by setting the "
                       "configuration variable spark.sql.crossJoin.enabled=true",
                       p->join_type == JOIN_INNER ? "INNER" : "OUTER");
    for (uint32_t i = 0; i < p->n_children; i++)
        TRY(check_products(p->children[i], err));
    return ERR_OK;
}

enum errc plan_optimize(struct rewrite_env *env, struct plan *analyzed, struct plan **out,
                        struct err *err)
{
    *out = plan_optimize_batches(env, analyzed);
    if (settings_bool(env->settings, SET_CROSS_JOIN))
        return ERR_OK;
    return check_products(*out, err);
}

enum errc plan_reoptimize(struct rewrite_env *env, struct plan *p, struct plan **out,
                          struct err *err)
{
    struct rewrite_env own = *env;
    struct left_alone left = { 0 };

    (void)err;
    own.adaptive = true;
    for (size_t i = 0; i < ARRAY_LEN(adaptive_batches); i++)
        p = run_batch(&own, &adaptive_batches[i], &left, p);
    *out = p;
    return ERR_OK;
}
