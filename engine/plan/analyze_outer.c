/* Where a subquery may use columns of the query around it: in WHERE and HAVING, and only
 * where these can be moved up to a join of both queries. Spark refuses the rest when it
 * analyses; so must we, as the rewrite of subqueries relies on it. */
#include "engine/plan/analyze_int.h"

static bool see_outer(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_OUTER;
}

static void note_outer(void *ctx, struct expr *e)
{
    const struct expr **found = ctx;

    if (!*found && expr_any(e, see_outer, NULL))
        *found = e;
}

/* An expression of this node that uses the outer query; NULL: none. */
static const struct expr *outer_in_node(const struct plan *p)
{
    const struct expr *found = NULL;

    plan_each_expr(p, note_outer, &found);
    return found;
}

static const struct expr *outer_below(const struct plan *p)
{
    const struct expr *found = outer_in_node(p);

    for (uint32_t i = 0; i < p->n_children && !found; i++)
        found = outer_below(p->children[i]);
    return found;
}

/* May filters of this child move above the node? */
static bool lets_filters_up(const struct plan *p, uint32_t child)
{
    if (p->kind == PLAN_JOIN)
        switch (p->join_type) {
        case JOIN_INNER:
        case JOIN_CROSS:
            return true;
        case JOIN_LEFT:
        case JOIN_SEMI:
        case JOIN_ANTI:
        case JOIN_EXISTENCE:
            return child == 0;
        case JOIN_RIGHT:
            return child == 1;
        case JOIN_FULL:
            return false;
        }
    static const enum plan_kind kinds[] = {
        PLAN_PROJECT,     PLAN_FILTER,         PLAN_AGGREGATE, PLAN_SUBQUERY_ALIAS,
        PLAN_SORT,        PLAN_HINT,           PLAN_VIEW,      PLAN_DISTINCT,
        PLAN_REPARTITION, PLAN_REPARTITION_BY,
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (p->kind == kinds[i])
            return true;
    return false;
}

enum errc check_outer(struct analyzer *an, const struct expr *subquery,
                      const struct plan *p)
{
    const struct expr *e = outer_in_node(p);

    if (e && p->kind != PLAN_FILTER)
        return analysis_fail(
            an, e->place.line ? e->place : subquery->place,
            "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE] Unsupported "
            "subquery expression: Expressions referencing the outer query are not "
            "supported outside of WHERE/HAVING clauses: \"%s\".",
            text_of(an->arena, e, PRINT_NAME));
    for (uint32_t i = 0; i < p->n_children; i++) {
        if (!lets_filters_up(p, i) && (e = outer_below(p->children[i])) != NULL)
            return analysis_fail(
                an, e->place.line ? e->place : subquery->place,
                "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_"
                "IS_NOT_ALLOWED] Unsupported subquery expression: Accessing outer query "
                "column is not allowed in this location: \"%s\".",
                text_of(an->arena, e, PRINT_NAME));
        TRY(check_outer(an, subquery, p->children[i]));
    }
    return ERR_OK;
}

/* ---- GROUP BY of a scalar subquery ---- */

/* Columns that a condition sets equal to something of the outer query. */
static void add_tied(struct analyzer *an, const struct plan *p, struct expr_set *tied)
{
    struct expr **list;
    uint32_t n =
        p->kind == PLAN_FILTER ? expr_split_and(an->arena, p->condition, &list) : 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct expr *e = list[i];

        if (e->kind != EXPR_CALL ||
            (e->func->id != FUNC_EQ && e->func->id != FUNC_EQ_NULL_SAFE))
            continue;
        for (uint32_t k = 0; k < 2; k++)
            if (expr_any(e->args[1 - k], see_outer, NULL) &&
                !expr_any(e->args[k], see_outer, NULL))
                expr_references(an->arena, e->args[k], tied);
    }
    for (uint32_t i = 0; i < p->n_children; i++)
        add_tied(an, p->children[i], tied);
}

/* One group for each outer row: it groups by nothing but columns tied to that row. */
enum errc check_groups(struct analyzer *an, const struct expr *subquery,
                       const struct plan *agg)
{
    struct expr_set tied = { 0 }, used = { 0 };

    add_tied(an, agg, &tied);
    for (uint32_t i = 0; i < agg->keys.n; i++)
        expr_references(an->arena, agg->keys.at[i], &used);
    for (uint32_t i = 0; i < used.n; i++) {
        struct exprs input, groups;
        const struct expr *column;

        if (expr_set_has(&tied, used.ids[i]))
            continue;
        aggregate_input(an, agg, &input, &groups);
        column = exprs_find(&input, used.ids[i]);
        return analysis_fail(
            an, subquery->place,
            "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_CORRELATED_COLUMNS_IN_GROUP_"
            "BY] "
            "Unsupported subquery expression: A GROUP BY clause in a scalar correlated "
            "subquery cannot contain non-correlated columns: %.*s.",
            SV_FMT(column ? column->name : SV("?")));
    }
    return ERR_OK;
}

/* ---- the list ---- */

struct collecting {
    struct arena *arena;
    struct exprs *list;
};

static bool collect_one(void *ctx, const struct expr *e)
{
    struct collecting *c = ctx;

    if (e->kind == EXPR_OUTER && !exprs_find(c->list, e->args[0]->id))
        *c->list = exprs_add(c->arena, c->list, e->args[0]);
    return false;
}

static void collect_expr(void *ctx, struct expr *e)
{
    expr_any(e, collect_one, ctx);
}

/* Parents first, as Spark lists them. */
void collect_outer(struct arena *a, const struct plan *p, struct exprs *list)
{
    struct collecting c = { a, list };

    plan_each_expr(p, collect_expr, &c);
    for (uint32_t i = 0; i < p->n_children; i++)
        collect_outer(a, p->children[i], list);
}
