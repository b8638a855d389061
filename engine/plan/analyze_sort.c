/* ORDER BY, WHERE, DISTRIBUTE BY: expressions over what a node below puts out.
 *
 * ORDER BY may use what SELECT leaves out. The missing columns are put out by the
 * Projects below, down to where they are known, and taken away again above the Sort. */
#include "engine/plan/analyze_int.h"

#include "engine/run/settings.h"

#include <inttypes.h>

/* ---- columns that the nodes below lack ---- */

static bool hands_columns_on(const struct plan *p)
{
    static const enum plan_kind kinds[] = {
        PLAN_FILTER,      PLAN_SORT,         PLAN_WINDOW, PLAN_REPARTITION,
        PLAN_HINT,        PLAN_SAMPLE,       PLAN_OFFSET, PLAN_REPARTITION_BY,
        PLAN_LOCAL_LIMIT, PLAN_GLOBAL_LIMIT,
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (p->kind == kinds[i])
            return true;
    return false;
}

/* All that could be put out by p, each once. */
static struct exprs reachable(struct arena *a, struct plan *p)
{
    struct exprs out = exprs_copy(a, plan_output(a, p)), below;

    if (p->kind == PLAN_AGGREGATE)
        below = p->keys;
    else if (p->kind == PLAN_PROJECT || hands_columns_on(p))
        below = reachable(a, p->children[0]);
    else
        return out;
    for (uint32_t i = 0; i < below.n; i++)
        if (below.at[i]->kind == EXPR_ATTRIBUTE && !exprs_find(&out, below.at[i]->id))
            out = exprs_add(a, &out, below.at[i]);
    return out;
}

static struct plan *put_out(struct arena *a, struct plan *p, const struct exprs *wanted)
{
    struct plan *copy;

    if (p->kind != PLAN_PROJECT && p->kind != PLAN_AGGREGATE && !hands_columns_on(p))
        return p;
    copy = plan_copy(a, p);
    if (p->kind != PLAN_AGGREGATE)
        copy->children[0] = put_out(a, p->children[0], wanted);
    if (p->kind != PLAN_PROJECT && p->kind != PLAN_AGGREGATE)
        return copy;
    for (uint32_t i = 0; i < wanted->n; i++)
        if (!exprs_find(plan_output(a, p), wanted->at[i]->id))
            copy->list = exprs_add(a, &copy->list, wanted->at[i]);
    return copy;
}

/* Names of p's output first; what it lacks, from below. */
struct over {
    struct exprs list;    /* resolved */
    struct exprs missing; /* columns that p has to put out besides */
};

static void add_missing(struct analyzer *an, const struct exprs *output,
                        const struct exprs *all, const struct exprs *list,
                        struct exprs *missing)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr_set used = { 0 };

        expr_references(an->arena, list->at[i], &used);
        for (uint32_t k = 0; k < used.n; k++) {
            struct expr *e = exprs_find(all, used.ids[k]);

            if (e && !exprs_find(output, e->id) && !exprs_find(missing, e->id))
                *missing = exprs_add(an->arena, missing, e);
        }
    }
}

/* Each name is searched level by level, nearest first: columns of one level only meet
 * each other. */
static enum errc resolve_over(struct analyzer *an, struct plan *p,
                              const struct exprs *list, struct over *out)
{
    const struct exprs *output = plan_output(an->arena, p);
    struct exprs all = reachable(an->arena, p), rest = exprs_new(an->arena, 0);
    struct exprs hidden = plan_hidden(an->arena, p);
    struct scope s = { .columns = output, .hidden = &hidden, .second = &rest };

    for (uint32_t i = 0; i < all.n; i++)
        if (!exprs_find(output, all.at[i]->id))
            rest = exprs_add(an->arena, &rest, all.at[i]);
    TRY(resolve_exprs(an, &s, list, &out->list));
    out->missing = (struct exprs){ 0 };
    all = exprs_join(an->arena, &all, &hidden);
    add_missing(an, output, &all, &out->list, &out->missing);
    return ERR_OK;
}

/* ---- ORDER BY ---- */

static enum errc check_order(struct analyzer *an, const struct expr *order)
{
    if (!is_window(order))
        return ERR_OK;
    return analysis_fail(
        an, order->place,
        "[UNSUPPORTED_EXPR_FOR_OPERATOR] A query operator contains one or more "
        "unsupported expressions. Consider to rewrite it to avoid window "
        "functions, aggregate functions, and generator functions in the WHERE "
        "clause. Invalid expressions: [\"%s\"]",
        text_of(an->arena, order->args[0], PRINT_NAME));
}

/* ORDER BY 2: a whole number is a position of the list. */
static enum errc ordinal(struct analyzer *an, struct expr *order, struct plan *child,
                         struct expr **out)
{
    const struct expr *e = order->args[0];
    const struct exprs *columns = plan_output(an->arena, child);

    *out = order;
    if (e->kind != EXPR_LITERAL || e->type.id != TYPE_INT || e->value.null ||
        !settings_bool(an->settings, SET_ORDER_BY_ORDINAL))
        return ERR_OK;
    if (e->value.u.i < 1 || e->value.u.i > columns->n)
        return analysis_fail(an, e->place,
                             "[ORDER_BY_POS_OUT_OF_RANGE] ORDER BY position %" PRId64
                             " is not in select list (valid range is [1, %u]).",
                             e->value.u.i, columns->n);
    *out = expr_copy(an->arena, order);
    (*out)->args[0] = columns->at[e->value.u.i - 1];
    return ERR_OK;
}

/* ORDER BY ALL: every column, unless one is called so. */
static struct exprs order_of_all(struct analyzer *an, struct exprs order,
                                 struct plan *child)
{
    const struct exprs *columns = plan_output(an->arena, child);
    const struct expr *e = order.n == 1 ? order.at[0]->args[0] : NULL;
    struct exprs all = exprs_new(an->arena, columns->n);
    uint32_t n;

    if (!e || e->kind != EXPR_NAME || e->n_parts != 1 ||
        !same_name(e->parts[0], SV("ALL")) || find_column(columns, SV("ALL"), &n))
        return order;
    for (uint32_t i = 0; i < columns->n; i++) {
        all.at[i] = expr_copy(an->arena, order.at[0]);
        all.at[i]->args[0] = columns->at[i];
    }
    return all;
}

static struct plan *project_away(struct analyzer *an, const struct exprs *columns,
                                 struct plan *p)
{
    return plan_project(an->arena, exprs_copy(an->arena, columns), p);
}

static struct plan *sort_over(struct analyzer *an, const struct plan *p,
                              struct exprs order, struct plan *child)
{
    struct plan *sort = plan_unary(an->arena, PLAN_SORT, child);

    sort->order = order;
    sort->global = p->global;
    sort->place = p->place;
    return sort;
}

/* Over an Aggregate names mean its output, then its input, inside aggregates too. */
static enum errc sort_aggregate(struct analyzer *an, struct plan *p, struct exprs order,
                                struct plan *child, struct plan *agg, struct plan **out)
{
    struct plan *grown = agg, *below;
    struct exprs keys = exprs_new(an->arena, order.n), input, groups;
    struct scope s = {
        .columns = plan_output(an->arena, agg),
        .second = child == agg ? &input : NULL,
        .second_in_aggregates = true,
        .groups = &groups,
    };

    aggregate_input(an, agg, &input, &groups);
    TRY(resolve_exprs(an, &s, &order, &order));
    for (uint32_t i = 0; i < order.n; i++) {
        TRY(check_order(an, order.at[i]));
        keys.at[i] = order.at[i]->args[0];
    }
    TRY(over_aggregate(an, &keys, &grown));
    for (uint32_t i = 0; i < order.n; i++) {
        order.at[i] = expr_copy(an->arena, order.at[i]);
        order.at[i]->args[0] = keys.at[i];
        expr_settle(order.at[i]);
    }
    below = child == agg ? grown : plan_with_children(an->arena, child, &grown);
    *out = sort_over(an, p, order, below);
    if (grown != agg)
        *out = project_away(an, plan_output(an->arena, agg), *out);
    return ERR_OK;
}

static struct plan *aggregate_below(struct plan *p)
{
    if (p->kind == PLAN_FILTER && p->children[0]->kind == PLAN_AGGREGATE)
        return p->children[0];
    return p->kind == PLAN_AGGREGATE ? p : NULL;
}

enum errc analyze_sort(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct exprs order = exprs_copy(an->arena, &p->order);
    struct plan *child, *agg;
    struct over over;

    TRY(analyze_plan(an, p->children[0], &child));
    order = order_of_all(an, order, child);
    for (uint32_t i = 0; i < order.n; i++)
        TRY(ordinal(an, order.at[i], child, &order.at[i]));
    agg = aggregate_below(child);
    if (agg)
        return sort_aggregate(an, p, order, child, agg, out);
    TRY(resolve_over(an, child, &order, &over));
    for (uint32_t i = 0; i < order.n; i++) {
        TRY(check_order(an, over.list.at[i]));
        if (expr_has_aggregate(over.list.at[i]))
            return analysis_fail(
                an, over.list.at[i]->place,
                "[UNSUPPORTED_EXPR_FOR_OPERATOR] A query operator contains one "
                "or more unsupported expressions. Consider to rewrite it to "
                "avoid window functions, aggregate functions, and generator "
                "functions in the WHERE clause. Invalid expressions: [\"%s\"]",
                text_of(an->arena, over.list.at[i]->args[0], PRINT_NAME));
    }
    if (!over.missing.n) {
        *out = sort_over(an, p, over.list, child);
        return ERR_OK;
    }
    *out = sort_over(an, p, over.list, put_out(an->arena, child, &over.missing));
    *out = project_away(an, plan_output(an->arena, child), *out);
    return ERR_OK;
}

/* ---- WHERE ---- */

static const struct expr *find_aggregate(const struct expr *e)
{
    if (e->kind == EXPR_AGGREGATE)
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const struct expr *found = find_aggregate(e->args[i]);

        if (found)
            return found;
    }
    return NULL;
}

static enum errc check_condition(struct analyzer *an, const struct plan *p,
                                 const struct expr *e)
{
    const char *text = text_of(an->arena, e, PRINT_NAME);

    if (is_window(e))
        return analysis_fail(
            an, p->condition->place,
            "It is not allowed to use window functions inside WHERE clause.");
    if (expr_has_aggregate(e))
        return analysis_fail(
            an, p->place,
            "[INVALID_WHERE_CONDITION] The WHERE condition \"%s\" contains "
            "invalid expressions: %s. Rewrite the query to avoid window "
            "functions, aggregate functions, and generator functions in the "
            "WHERE clause.",
            text, text_of(an->arena, find_aggregate(e), PRINT_SQL));
    if (e->type.id != TYPE_BOOLEAN)
        return analysis_fail(
            an, p->condition->place,
            "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] Cannot resolve \"%s\" due "
            "to data type mismatch: Filter expression \"%s\" of type \"%s\" is "
            "not a boolean.",
            text, text, type_text(an->arena, e->type));
    return ERR_OK;
}

enum errc analyze_filter(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct expr_set used = { 0 };
    struct scope s = { .used_hidden = &used };
    struct exprs hidden, columns;
    struct expr *condition;
    struct plan *child;

    TRY(analyze_plan(an, p->children[0], &child));
    hidden = plan_hidden(an->arena, child);
    columns = *plan_output(an->arena, child);
    s.columns = &columns;
    s.hidden = &hidden;
    TRY(resolve_expr(an, &s, p->condition, &condition));
    TRY(check_condition(an, p, condition));
    child = show_hidden(an->arena, child, &used);
    *out = plan_filter(an->arena, coerce_to(an->arena, condition, type_of(TYPE_BOOLEAN)),
                       child);
    (*out)->place = p->place;
    if (used.n) {
        *out = project_away(an, &columns, *out);
        (*out)->hidden = hidden;
    }
    return ERR_OK;
}

/* ---- DISTRIBUTE BY, hints ---- */

enum errc analyze_repartition(struct analyzer *an, struct plan *p, bool keys_only,
                              struct plan **out)
{
    struct plan *child;
    struct over over;
    struct plan *to;

    TRY(analyze_plan(an, p->children[0], &child));
    TRY(resolve_over(an, child, &p->keys, &over));
    if (keys_only && over.missing.n)
        return analysis_fail(an, p->place,
                             "a partitioning hint names a column that the query does not "
                             "select: `%.*s`",
                             SV_FMT(over.missing.at[0]->name));
    to = plan_copy(an->arena, p);
    to->keys = over.list;
    to->children[0] = over.missing.n ? put_out(an->arena, child, &over.missing) : child;
    *out = over.missing.n ? project_away(an, plan_output(an->arena, child), to) : to;
    return ERR_OK;
}
