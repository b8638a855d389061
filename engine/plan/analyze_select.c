/* SELECT: the list over what FROM and WHERE give, with GROUP BY, HAVING and OVER.
 *
 *     child -> stars -> items resolved and named -> Project | Aggregate -> HAVING
 *           -> lateral aliases to Projects below -> windows to PLAN_WINDOW */
#include "engine/plan/analyze_int.h"

#include <stdlib.h>

/* ---- the list ---- */

static enum errc expand_stars(struct analyzer *an, const struct scope *s,
                              const struct exprs *list, struct exprs *out)
{
    *out = exprs_new(an->arena, 0);
    for (uint32_t i = 0; i < list->n; i++) {
        struct exprs star;

        if (list->at[i]->kind != EXPR_STAR) {
            *out = exprs_add(an->arena, out, list->at[i]);
            continue;
        }
        TRY(expand_star(an, s, list->at[i], &star));
        *out = exprs_join(an->arena, out, &star);
    }
    return ERR_OK;
}

/* A column keeps its name; what has none is called as it is written. */
static struct expr *named(struct analyzer *an, struct expr *e)
{
    struct strbuf text = { 0 };
    struct expr *to;

    if (e->kind == EXPR_ATTRIBUTE && sv_starts(e->name, SV("lateralAliasReference("))) {
        struct sv name = sv_from(e->name, strlen("lateralAliasReference("));

        name.len--;
        return expr_alias(an->arena, e, name, next_expr_id());
    }
    if (e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_ALIAS)
        return e;
    if (e->kind == EXPR_OUTER)
        strbuf_add(&text, e->args[0]->name);
    else
        expr_print_item_name(&text, e);
    to = expr_alias(an->arena, e, arena_sv(an->arena, strbuf_sv(&text)), next_expr_id());
    to->place = e->place;
    strbuf_release(&text);
    return to;
}

static struct expr *drop_inner_alias(void *ctx, struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_ALIAS ? e->args[0] : e;
}

/* An alias inside an expression names nothing. */
static struct expr *clean_item(struct analyzer *an, struct expr *e)
{
    struct expr *child, *copy;

    if (e->kind != EXPR_ALIAS)
        return e;
    child = expr_transform_up(an->arena, e->args[0], drop_inner_alias, NULL);
    if (child == e->args[0])
        return e;
    copy = expr_copy(an->arena, e);
    copy->args[0] = child;
    return copy;
}

static enum errc resolve_list(struct analyzer *an, struct scope *s, struct exprs *list)
{
    struct exprs done = exprs_new(an->arena, 0);

    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *e;

        s->aliases = &done;
        TRY(resolve_expr(an, s, list->at[i], &e));
        done = exprs_add(an->arena, &done, clean_item(an, named(an, e)));
    }
    s->aliases = NULL;
    *list = done;
    return ERR_OK;
}

/* ---- aliases used beside their definition ----
 *
 * SELECT a AS x, x + 1 is two Projects: the lower one puts out all columns and x, the
 * upper one is the list with x for its definition. Where the lower one uses aliases
 * again, it is split likewise. */

static bool is_lateral(const struct expr *e)
{
    return e->kind == EXPR_ATTRIBUTE && sv_starts(e->name, SV("lateralAliasReference("));
}

static bool see_lateral(void *ctx, const struct expr *e)
{
    (void)ctx;
    return is_lateral(e);
}

struct laterals {
    struct arena *arena;
    struct expr_set ids;
};

static bool collect_lateral(void *ctx, const struct expr *e)
{
    struct laterals *l = ctx;

    if (is_lateral(e))
        expr_set_add(l->arena, &l->ids, e->id);
    return false;
}

static struct expr *plain_reference(void *ctx, struct expr *e)
{
    struct expr *copy;

    if (!is_lateral(e))
        return e;
    copy = expr_copy(ctx, e);
    copy->name = sv_from(e->name, strlen("lateralAliasReference("));
    copy->name.len--;
    return copy;
}

static bool has_windows(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (is_window(list->at[i]))
            return true;
    return false;
}

/* The Project of a list, its windows below it. */
static enum errc project_windows(struct analyzer *an, struct exprs list,
                                 struct plan *child, struct plan **out)
{
    struct plan *p = plan_project(an->arena, list, child);

    p->resolved = true;
    if (has_windows(&list))
        return extract_windows(an, p, NULL, out);
    *out = p;
    return ERR_OK;
}

static enum errc split_laterals(struct analyzer *an, struct exprs list,
                                struct plan *child, struct plan **out)
{
    struct laterals l = { .arena = an->arena };
    struct exprs inner, outer = exprs_new(an->arena, list.n);
    struct plan *below;

    for (uint32_t i = 0; i < list.n; i++)
        expr_any(list.at[i], collect_lateral, &l);
    if (!l.ids.n)
        return project_windows(an, list, child, out);
    inner = exprs_copy(an->arena, plan_output(an->arena, child));
    for (uint32_t i = 0; i < list.n; i++) {
        bool used =
            list.at[i]->kind == EXPR_ALIAS && expr_set_has(&l.ids, list.at[i]->id);

        if (used)
            inner = exprs_add(an->arena, &inner, list.at[i]);
        outer.at[i] =
            used ? expr_to_attribute(an->arena, list.at[i])
                 : expr_transform_up(an->arena, list.at[i], plain_reference, an->arena);
    }
    TRY(split_laterals(an, inner, child, &below));
    return project_windows(an, outer, below, out);
}

static bool list_has_lateral(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_any(list->at[i], see_lateral, NULL))
            return true;
    return false;
}

/* Of an aggregate: it puts out what the list needs of it, a Project above the rest. */
struct lowering {
    struct analyzer *an;
    const struct exprs *keys;
    struct exprs made; /* keys, and aliases of aggregates */
};

static struct expr *lower(struct lowering *l, struct expr *e)
{
    struct expr *alias;

    for (uint32_t i = 0; i < l->made.n; i++) {
        struct expr *m = l->made.at[i];

        if (expr_same(m->kind == EXPR_ALIAS ? m->args[0] : m, e))
            return expr_to_attribute(l->an->arena, m);
    }
    alias = named(l->an, e);
    l->made = exprs_add(l->an->arena, &l->made, alias);
    return expr_to_attribute(l->an->arena, alias);
}

static struct expr *lower_expr(struct lowering *l, struct expr *e);

static struct expr **lower_list(struct lowering *l, struct expr **list, uint32_t n)
{
    struct expr **to = arena_array(l->an->arena, n + 1, sizeof *to);

    for (uint32_t i = 0; i < n; i++)
        to[i] = lower_expr(l, list[i]);
    return to;
}

/* The aggregate that a window runs stays; what it works on is put out below. */
static struct expr *lower_window(struct lowering *l, struct expr *e)
{
    struct arena *a = l->an->arena;
    struct expr *to = expr_copy(a, e), *f = expr_copy(a, e->args[0]);
    struct window_spec *w = ARENA_NEW(a, struct window_spec);

    f->args = lower_list(l, f->args, f->n_args);
    *w = *e->window;
    w->partition = lower_list(l, w->partition, w->n_partition);
    w->order = lower_list(l, w->order, w->n_order);
    to->args[0] = f;
    to->window = w;
    return to;
}

static struct expr *lower_expr(struct lowering *l, struct expr *e)
{
    struct expr *to;

    if (e->kind == EXPR_AGGREGATE)
        return lower(l, e);
    if (e->kind == EXPR_WINDOW)
        return lower_window(l, e);
    for (uint32_t i = 0; i < l->keys->n; i++)
        if (e->kind != EXPR_ALIAS && expr_same(l->keys->at[i], e))
            return lower(l, e);
    if (!e->n_args)
        return e;
    to = expr_copy(l->an->arena, e);
    to->args = lower_list(l, e->args, e->n_args);
    expr_settle(to);
    return to;
}

static enum errc lower_aggregate(struct analyzer *an, struct plan *agg, struct plan **out)
{
    struct lowering l = { .an = an, .keys = &agg->keys };
    struct exprs list = exprs_new(an->arena, agg->list.n);
    struct plan *copy = plan_copy(an->arena, agg);

    for (uint32_t i = 0; i < list.n; i++)
        list.at[i] = lower_expr(&l, agg->list.at[i]);
    copy->list = l.made;
    return split_laterals(an, list, copy, out);
}

/* ---- together ---- */

static bool has_aggregates(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_has_aggregate(list->at[i]))
            return true;
    return false;
}

static bool window_only(const struct expr *e)
{
    return e->kind == EXPR_CALL && (e->func->flags & FUNC_WINDOW_ONLY);
}

static const struct expr *bare_window_function(const struct expr *e)
{
    if (window_only(e))
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const struct expr *found;

        if (e->kind == EXPR_WINDOW && i == 0)
            continue;
        if ((found = bare_window_function(e->args[i])) != NULL)
            return found;
    }
    return NULL;
}

static enum errc check_list(struct analyzer *an, const struct plan *p)
{
    for (uint32_t i = 0; i < p->list.n; i++) {
        const struct expr *f = bare_window_function(p->list.at[i]);

        if (f)
            return analysis_fail(
                an, f->place,
                "[WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE] Window function \"%s\" "
                "requires an OVER clause.",
                text_of(an->arena, f, PRINT_NAME));
        if (p->kind == PLAN_PROJECT && has_grouping_call(p->list.at[i]))
            return analysis_fail(
                an, p->list.at[i]->place,
                "[UNSUPPORTED_GROUPING_EXPRESSION] grouping()/grouping_id() "
                "can only be used with GroupingSets/Cube/Rollup.");
    }
    return ERR_OK;
}

/* HAVING sees the aggregate's input before its output (SQL's rule), but for columns that
 * are neither grouped by nor inside an aggregate. The input shows the hidden keys of
 * USING that it names. */
static enum errc resolve_having(struct analyzer *an, struct plan *having,
                                struct plan **agg_io, struct expr **out)
{
    struct plan *agg = *agg_io, *shown;
    struct exprs input, groups, hidden = plan_hidden(an->arena, agg->children[0]);
    struct expr_set used = { 0 };
    struct scope s = {
        .columns = plan_output(an->arena, agg),
        .second = &input,
        .second_first = true,
        .second_in_aggregates = true,
        .groups = &groups,
        .hidden = &hidden,
        .used_hidden = &used,
    };

    aggregate_input(an, agg, &input, &groups);
    TRY(resolve_expr(an, &s, having->condition, out));
    shown = show_hidden(an->arena, agg->children[0], &used);
    if (shown != agg->children[0])
        *agg_io = plan_with_children(an->arena, agg, &shown);
    if ((*out)->type.id != TYPE_BOOLEAN && (*out)->type.id != TYPE_NULL)
        return analysis_fail(
            an, having->place,
            "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] Cannot resolve \"%s\" due "
            "to data type mismatch: Filter expression \"%s\" of type \"%s\" is "
            "not a boolean.",
            text_of(an->arena, *out, PRINT_NAME), text_of(an->arena, *out, PRINT_NAME),
            type_text(an->arena, (*out)->type));
    return ERR_OK;
}

static enum errc add_having(struct analyzer *an, struct plan *having, struct plan *agg,
                            struct plan **out)
{
    struct exprs condition = exprs_new(an->arena, 1);
    struct plan *grown, *filter;

    TRY(resolve_having(an, having, &agg, &condition.at[0]));
    grown = agg;
    if (has_windows(&agg->list))
        return extract_windows(an, agg, &condition, out);
    TRY(over_aggregate(an, &condition, &grown));
    filter = plan_filter(an->arena, condition.at[0], grown);
    filter->place = having->place;
    filter->resolved = true;
    *out = filter;
    if (grown != agg)
        *out = plan_project(an->arena, exprs_copy(an->arena, plan_output(an->arena, agg)),
                            filter);
    return ERR_OK;
}

static enum errc finish_aggregate(struct analyzer *an, struct plan *agg,
                                  struct plan *having, struct plan **out)
{
    TRY(check_list(an, agg));
    TRY(check_aggregate(an, agg));
    if (list_has_lateral(&agg->list)) {
        if (having)
            return analysis_fail(
                an, having->place,
                "HAVING together with aliases that are used in the list that defines "
                "them is not supported: use a subquery");
        return lower_aggregate(an, agg, out);
    }
    if (having)
        return add_having(an, having, agg, out);
    if (has_windows(&agg->list))
        return extract_windows(an, agg, NULL, out);
    *out = agg;
    return ERR_OK;
}

enum errc analyze_select(struct analyzer *an, struct plan *p, struct plan *having,
                         struct plan **out)
{
    struct expr_set used = { 0 };
    struct scope s = { .used_hidden = &used };
    struct exprs hidden, list;
    struct plan *child, *made;

    TRY(analyze_plan(an, p->children[0], &child));
    hidden = plan_hidden(an->arena, child);
    s.columns = plan_output(an->arena, child);
    s.hidden = &hidden;
    TRY(expand_stars(an, &s, &p->list, &list));
    TRY(resolve_list(an, &s, &list));
    child = show_hidden(an->arena, child, &used);
    if (p->kind == PLAN_AGGREGATE || having || has_aggregates(&list)) {
        struct plan *shown;

        TRY(group_by(an, p, child, &s, list, &made));
        /* keys may be hidden ones too: once more, over a child that shows them */
        if ((shown = show_hidden(an->arena, child, &used)) != child)
            TRY(group_by(an, p, shown, &s, list, &made));
        made->place = p->place;
        made->resolved = true;
        return finish_aggregate(an, made, having, out);
    }
    made = plan_project(an->arena, list, child);
    made->place = p->place;
    made->resolved = true;
    TRY(check_list(an, made));
    return split_laterals(an, list, child, out);
}
