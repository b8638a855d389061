/* Aggregates: what their list may hold, and what may stand over them.
 *
 * HAVING and ORDER BY are written as if they stood beside the list. What they use of the
 * aggregate is put out by it, under the list's own column where it has the same. */
#include "engine/plan/analyze_int.h"

/* ---- checks ---- */

static enum errc check_nested(struct analyzer *an, const struct expr *e)
{
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (expr_has_aggregate(e->args[i]))
            return analysis_fail(
                an, e->args[i]->place,
                "[NESTED_AGGREGATE_FUNCTION] It is not allowed to use an "
                "aggregate function in the argument of another aggregate "
                "function. Please use the inner aggregate function in a "
                "sub-query.");
        if (is_window(e->args[i]))
            return analysis_fail(
                an, e->args[i]->place,
                "It is not allowed to use a window function inside an "
                "aggregate function. Please use the inner window function in a "
                "sub-query.");
    }
    return ERR_OK;
}

static enum errc fail_ungrouped(struct analyzer *an, const struct plan *agg,
                                const struct expr *e)
{
    const char *text = text_of(an->arena, e, PRINT_NAME);

    if (!agg->keys.n)
        return analysis_fail(
            an, agg->place,
            "[MISSING_GROUP_BY] The query does not include a GROUP BY clause. "
            "Add GROUP BY or turn it into the window functions using OVER "
            "clauses.");
    return analysis_fail(
        an, e->place,
        "[MISSING_AGGREGATION] The non-aggregating expression \"%s\" is based "
        "on columns which are not participating in the GROUP BY clause. Add "
        "the columns or the expression to the GROUP BY, aggregate the "
        "expression, or use \"any_value(%s)\" if you do not care which of the "
        "values within a group is returned.",
        text, text);
}

static enum errc check_item(struct analyzer *an, const struct plan *agg,
                            const struct expr *e);

static enum errc check_items(struct analyzer *an, const struct plan *agg,
                             struct expr *const *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        TRY(check_item(an, agg, list[i]));
    return ERR_OK;
}

static bool is_lateral_reference(const struct plan *agg, const struct expr *e)
{
    for (uint32_t i = 0; i < agg->list.n; i++)
        if (agg->list.at[i]->kind == EXPR_ALIAS && agg->list.at[i]->id == e->id)
            return true;
    return false;
}

static enum errc check_item(struct analyzer *an, const struct plan *agg,
                            const struct expr *e)
{
    if (e->kind == EXPR_AGGREGATE)
        return check_nested(an, e);
    if (is_grouping_call(e))
        return analysis_fail(
            an, e->place,
            "[UNSUPPORTED_GROUPING_EXPRESSION] grouping()/grouping_id() can "
            "only be used with GroupingSets/Cube/Rollup.");
    for (uint32_t i = 0; i < agg->keys.n; i++)
        if (expr_same(agg->keys.at[i], e))
            return ERR_OK;
    if (e->kind == EXPR_SCALAR_SUBQUERY && e->n_outer)
        return analysis_fail(
            an, e->place,
            "[SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION] The correlated "
            "scalar "
            "subquery '\"%s\"' is neither present in GROUP BY, nor in an aggregate "
            "function. Add it to GROUP BY using ordinal position or wrap it in `first()` "
            "(or `first_value`) if you don't care which value you get.",
            text_of(an->arena, e, PRINT_NAME));
    if (e->kind == EXPR_ATTRIBUTE)
        return is_lateral_reference(agg, e) ? ERR_OK : fail_ungrouped(an, agg, e);
    if (e->kind == EXPR_WINDOW) {
        const struct expr *f = e->args[0];
        const struct window_spec *w = e->window;

        TRY(check_items(an, agg, f->args, f->n_args));
        TRY(check_items(an, agg, w->partition, w->n_partition));
        return check_items(an, agg, w->order, w->n_order);
    }
    if (e->kind == EXPR_OUTER)
        return ERR_OK;
    TRY(check_items(an, agg, e->outer, e->n_outer));
    return check_items(an, agg, e->args, e->n_args);
}

enum errc check_aggregate(struct analyzer *an, struct plan *agg)
{
    return check_items(an, agg, agg->list.at, agg->list.n);
}

/* ---- over an Aggregate: HAVING, ORDER BY ---- */

struct standing {
    struct analyzer *an;
    const struct plan *agg;
    struct exprs extra;
};

static struct expr *put_out_by(struct arena *a, const struct exprs *list,
                               const struct expr *e)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *item = list->at[i];

        if (expr_same(item->kind == EXPR_ALIAS ? item->args[0] : item, e))
            return expr_to_attribute(a, item);
    }
    return NULL;
}

static struct expr *add_extra(struct standing *s, struct expr *e)
{
    struct arena *a = s->an->arena;
    struct expr *found = put_out_by(a, &s->extra, e);

    if (found)
        return found;
    if (e->kind != EXPR_ATTRIBUTE)
        e = expr_alias(a, e, sv(text_of(a, e, PRINT_PLAN)), next_expr_id());
    s->extra = exprs_add(a, &s->extra, e);
    return expr_to_attribute(a, e);
}

static struct expr *stand_over(void *ctx, struct expr *e)
{
    struct standing *s = ctx;
    struct expr *found;

    if (e->kind == EXPR_ALIAS || e->kind == EXPR_SORT_ORDER || e->kind == EXPR_LITERAL ||
        e->kind == EXPR_OUTER)
        return e;
    found = put_out_by(s->an->arena, &s->agg->list, e);
    if (found)
        return found;
    if (e->kind == EXPR_AGGREGATE)
        return add_extra(s, e);
    for (uint32_t i = 0; i < s->agg->keys.n; i++)
        if (expr_same(s->agg->keys.at[i], e))
            return add_extra(s, e);
    return e;
}

static enum errc check_stands(struct analyzer *an, const struct plan *agg,
                              const struct exprs *extra, const struct expr *e)
{
    struct expr_set used = { 0 };

    expr_references(an->arena, e, &used);
    for (uint32_t i = 0; i < used.n; i++) {
        const struct exprs *out = plan_output(an->arena, (struct plan *)(uintptr_t)agg);
        struct exprs input, groups;
        struct expr *name, *column;

        if (exprs_find(out, used.ids[i]) || exprs_find(extra, used.ids[i]))
            continue;
        aggregate_input(an, agg, &input, &groups);
        column = exprs_find(&input, used.ids[i]);
        name = expr_new(an->arena, EXPR_NAME, 0);
        name->parts = arena_array(an->arena, 1, sizeof *name->parts);
        name->n_parts = 1;
        name->parts[0] = column ? column->name : SV("");
        name->place = e->place;
        return fail_unresolved(an, name, out);
    }
    return ERR_OK;
}

enum errc over_aggregate(struct analyzer *an, struct exprs *list, struct plan **io)
{
    struct standing s = { .an = an, .agg = *io };
    struct exprs out = exprs_new(an->arena, list->n);
    struct grouping g;
    bool sets = grouping_of(an, *io, &g);

    for (uint32_t i = 0; i < list->n; i++) {
        out.at[i] = list->at[i];
        if (sets)
            TRY(replace_grouping(an, &g, out.at[i], &out.at[i]));
        out.at[i] = expr_transform_down(an->arena, out.at[i], stand_over, &s);
    }
    for (uint32_t i = 0; i < s.extra.n; i++)
        TRY(check_item(an, *io, s.extra.at[i]));
    for (uint32_t i = 0; i < list->n; i++)
        TRY(check_stands(an, *io, &s.extra, out.at[i]));
    *list = out;
    if (!s.extra.n)
        return ERR_OK;
    *io = plan_copy(an->arena, *io);
    (*io)->list = exprs_join(an->arena, &(*io)->list, &s.extra);
    return ERR_OK;
}
