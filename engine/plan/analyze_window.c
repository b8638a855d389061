/* OVER: frames, checks, and the Window nodes that windows become.
 *
 * Spark's ExtractWindowExpressions, step by step: what windows work on becomes columns of
 * the node below (_w0, _w1, ..), each kind of partition and order a Window node above it,
 * then a Project of all of that and of the items that had windows, and one of the list as
 * it was asked for. */
#include "engine/plan/analyze_int.h"

#include <stdio.h>
#include <string.h>

/* ---- frames ---- */

struct frame {
    enum frame_unit unit;
    enum frame_bound lower, upper;
    struct expr *lower_offset, *upper_offset;
};

static bool is_func(const struct expr *f, const char *name)
{
    return f->kind == EXPR_CALL && strcmp(f->func->name, name) == 0;
}

static bool is_shift(const struct expr *f)
{
    return is_func(f, "lag") || is_func(f, "lead");
}

/* Functions that make their own frame need no other and take none. */
static bool own_frame(struct analyzer *an, const struct expr *f, struct frame *out)
{
    struct expr *offset;

    if (f->kind != EXPR_CALL || is_func(f, "nth_value"))
        return false;
    *out = (struct frame){ .unit = is_func(f, "cume_dist") ? FRAME_RANGE : FRAME_ROWS,
                           .lower = BOUND_UNBOUNDED,
                           .upper = BOUND_CURRENT };
    if (!is_shift(f))
        return true;
    offset = f->args[1];
    if (is_func(f, "lag") && offset->kind == EXPR_LITERAL) {
        offset = expr_copy(an->arena, offset);
        offset->value.u.i = -offset->value.u.i;
    }
    out->lower = out->upper = BOUND_OFFSET;
    out->lower_offset = out->upper_offset = offset;
    return true;
}

static struct frame default_frame(const struct window_spec *w)
{
    if (w->n_order)
        return (struct frame){ FRAME_RANGE, BOUND_UNBOUNDED, BOUND_CURRENT, NULL, NULL };
    return (struct frame){ FRAME_ROWS, BOUND_UNBOUNDED, BOUND_UNBOUNDED, NULL, NULL };
}

static bool same_frame(const struct window_spec *w, const struct frame *f)
{
    return w->unit == f->unit && w->lower == f->lower && w->upper == f->upper &&
           w->lower != BOUND_OFFSET && w->upper != BOUND_OFFSET;
}

static void set_frame(struct window_spec *w, const struct frame *f)
{
    w->has_frame = true;
    w->unit = f->unit;
    w->lower = f->lower;
    w->upper = f->upper;
    w->lower_offset = f->lower_offset;
    w->upper_offset = f->upper_offset;
}

static const char *function_name(const struct expr *f)
{
    return f->kind == EXPR_CALL ? f->func->name : f->agg->name;
}

static enum errc fill_frame(struct analyzer *an, struct expr *e)
{
    struct window_spec *w = e->window;
    const struct expr *f = e->args[0];
    struct frame own, none = default_frame(w);

    if (f->kind == EXPR_CALL && !w->n_order)
        return analysis_fail(
            an, e->place,
            "Window function %s() requires window to be ordered, please add "
            "ORDER BY clause. For example SELECT %s()(value_expr) OVER "
            "(PARTITION BY window_partition ORDER BY window_ordering) from "
            "table.",
            function_name(f), function_name(f));
    if (own_frame(an, f, &own)) {
        if (w->has_frame && is_shift(f))
            return analysis_fail(an, e->place,
                                 "Cannot specify window frame for %s function.",
                                 function_name(f));
        if (w->has_frame && !same_frame(w, &own))
            return analysis_fail(
                an, e->place,
                "Window Frame of function %s must match the required frame "
                "%s BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                function_name(f), own.unit == FRAME_ROWS ? "ROWS" : "RANGE");
        set_frame(w, &own);
    } else if (!w->has_frame) {
        set_frame(w, &none);
    }
    return ERR_OK;
}

/* ---- offsets of a frame ---- */

static bool offset_value(const struct expr *e, int64_t *out)
{
    if (!e || e->kind != EXPR_LITERAL || e->value.null || !type_is_integral(e->type))
        return false;
    *out = e->value.u.i;
    return true;
}

static enum errc check_offset(struct analyzer *an, const struct expr *e,
                              struct expr **offset)
{
    struct window_spec *w = e->window;
    struct type t, want;

    if (!*offset)
        return ERR_OK;
    if (!expr_foldable(*offset))
        return analysis_fail(
            an, e->place,
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE] "
            "Cannot resolve the window frame: bound expression \"%s\" is not "
            "foldable.",
            text_of(an->arena, *offset, PRINT_NAME));
    t = (*offset)->type;
    if (w->unit == FRAME_ROWS) {
        if (t.id != TYPE_INT)
            return analysis_fail(
                an, e->place,
                "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE] "
                "Cannot resolve the window frame: the data type of the bound "
                "\"%s\" does not match the expected data type \"INT\".",
                type_text(an->arena, t));
        return ERR_OK;
    }
    if (w->n_order != 1)
        return analysis_fail(
            an, e->place,
            "[DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER] Cannot resolve the "
            "window: A range window frame with value boundaries cannot be used "
            "in a window specification with multiple order by expressions.");
    want = w->order[0]->args[0]->type;
    if (want.id == TYPE_STRING || want.id == TYPE_BINARY || want.id == TYPE_BOOLEAN)
        return analysis_fail(
            an, e->place,
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE] Cannot "
            "resolve the window frame: The data type of the bound \"%s\" does "
            "not match the expected data type (\"NUMERIC\" or \"INTERVAL DAY "
            "TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\").",
            type_text(an->arena, want));
    if (type_is_numeric(want) && type_is_numeric(t)) {
        *offset = coerce_to(an->arena, *offset, want);
        return ERR_OK;
    }
    bool zoned = want.id == TYPE_TIMESTAMP || want.id == TYPE_TIMESTAMP_NTZ;
    if (t.id == want.id || (zoned && t.id == TYPE_INTERVAL_DAY) ||
        ((zoned || want.id == TYPE_DATE) && t.id == TYPE_INTERVAL_MONTH) ||
        (want.id == TYPE_DATE && t.id == TYPE_INT))
        return ERR_OK;
    return analysis_fail(
        an, e->place,
        "[DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE] Cannot resolve the "
        "window: The data type \"%s\" used in the order specification does not "
        "match the data type \"%s\" which is used in the range frame.",
        type_text(an->arena, want), type_text(an->arena, t));
}

static enum errc check_bounds(struct analyzer *an, const struct expr *e)
{
    struct window_spec *w = e->window;
    int64_t lower = 0, upper = 0;
    bool know_lower = w->lower == BOUND_CURRENT || offset_value(w->lower_offset, &lower);
    bool know_upper = w->upper == BOUND_CURRENT || offset_value(w->upper_offset, &upper);

    TRY(check_offset(an, e, &w->lower_offset));
    TRY(check_offset(an, e, &w->upper_offset));
    if (know_lower && know_upper && lower > upper)
        return analysis_fail(
            an, e->place,
            "[DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON] "
            "Cannot resolve the window frame due to data type mismatch: The "
            "lower bound of a window frame must be less than or equal to the "
            "upper bound.");
    return ERR_OK;
}

/* ---- resolving ---- */

static struct expr **resolved_list(struct analyzer *an, const struct scope *s,
                                   struct expr **list, uint32_t n, enum errc *rc)
{
    struct exprs out = exprs_new(an->arena, n);

    for (uint32_t i = 0; i < n && *rc == ERR_OK; i++)
        *rc = resolve_expr(an, s, list[i], &out.at[i]);
    return out.at;
}

/* lag and lead with all of their arguments: offset 1, default NULL. */
static struct expr *fill_shift(struct analyzer *an, struct expr *f)
{
    struct expr *to;

    if (!is_shift(f))
        return f;
    to = expr_new(an->arena, EXPR_CALL, 3);
    struct expr **args = to->args;
    *to = *f;
    to->args = args;
    to->n_args = 3;
    memcpy(args, f->args, f->n_args * sizeof *args);
    if (f->n_args < 2)
        args[1] = expr_literal(an->arena, value_int(1));
    if (f->n_args < 3)
        args[2] = expr_literal(an->arena, value_null(f->type));
    to->nullable = args[0]->nullable || args[2]->nullable;
    return to;
}

enum errc resolve_window(struct analyzer *an, const struct scope *s, struct expr *e,
                         struct expr **out)
{
    struct window_spec *w = ARENA_NEW(an->arena, struct window_spec);
    struct scope inside = *s;
    enum errc rc = ERR_OK;
    struct expr *f;

    inside.in_window = true;
    *w = *e->window;
    TRY(resolve_expr(an, &inside, e->args[0], &f));
    w->partition = resolved_list(an, &inside, w->partition, w->n_partition, &rc);
    w->order = resolved_list(an, &inside, w->order, w->n_order, &rc);
    TRY(rc);
    if (w->lower_offset)
        TRY(resolve_expr(an, &inside, w->lower_offset, &w->lower_offset));
    if (w->upper_offset)
        TRY(resolve_expr(an, &inside, w->upper_offset, &w->upper_offset));
    *out = expr_copy(an->arena, e);
    (*out)->window = w;
    (*out)->args[0] = f = fill_shift(an, f);
    if (f->kind != EXPR_AGGREGATE &&
        !(f->kind == EXPR_CALL && (f->func->flags & FUNC_WINDOW_ONLY)))
        return analysis_fail(
            an, e->place,
            "[UNSUPPORTED_EXPR_FOR_WINDOW] Expression \"%s\" not supported "
            "within a window function.",
            text_of(an->arena, f, PRINT_NAME));
    TRY(fill_frame(an, *out));
    TRY(check_bounds(an, *out));
    expr_settle(*out);
    if (f->kind == EXPR_AGGREGATE && f->distinct)
        return analysis_fail(
            an, e->place,
            "[DISTINCT_WINDOW_FUNCTION_UNSUPPORTED] Distinct window functions "
            "are not supported: \"%s\".",
            text_of(an->arena, *out, PRINT_NAME));
    if (f->kind == EXPR_AGGREGATE && f->filter)
        return analysis_fail(
            an, e->place,
            "window aggregate function with filter predicate is not supported "
            "yet.");
    return ERR_OK;
}

/* ---- extraction ---- */

struct extraction {
    struct analyzer *an;
    struct exprs regular;   /* items without windows */
    struct exprs extracted; /* columns that windows need besides */
    struct exprs windows;   /* aliases of windows */
};

static bool put_out_already(const struct extraction *x, uint32_t id)
{
    return exprs_find(&x->regular, id) || exprs_find(&x->extracted, id);
}

/* What a window works on, as a column of the node below. */
static struct expr *extract(struct extraction *x, struct expr *e)
{
    struct arena *a = x->an->arena;
    struct expr *alias;

    if (e->kind == EXPR_ATTRIBUTE) {
        if (!put_out_already(x, e->id))
            x->extracted = exprs_add(a, &x->extracted, e);
        return e;
    }
    if (e->kind == EXPR_LITERAL || expr_foldable(e))
        return e;
    for (uint32_t i = 0; i < x->extracted.n; i++)
        if (x->extracted.at[i]->kind == EXPR_ALIAS &&
            expr_same(x->extracted.at[i]->args[0], e))
            return expr_to_attribute(a, x->extracted.at[i]);
    alias = expr_alias(a, e, sv(arena_printf(a, "_w%u", x->extracted.n)), next_expr_id());
    x->extracted = exprs_add(a, &x->extracted, alias);
    return expr_to_attribute(a, alias);
}

static struct expr *extract_window(struct extraction *x, const struct expr *e)
{
    struct arena *a = x->an->arena;
    struct window_spec *w = ARENA_NEW(a, struct window_spec);
    struct expr *to = expr_copy(a, e), *f = expr_copy(a, e->args[0]);

    for (uint32_t i = 0; i < f->n_args; i++)
        f->args[i] = extract(x, f->args[i]);
    to->args[0] = f;
    *w = *e->window;
    w->partition = arena_array(a, w->n_partition + 1, sizeof *w->partition);
    w->order = arena_array(a, w->n_order + 1, sizeof *w->order);
    for (uint32_t i = 0; i < w->n_partition; i++)
        w->partition[i] = extract(x, e->window->partition[i]);
    for (uint32_t i = 0; i < w->n_order; i++) {
        w->order[i] = expr_copy(a, e->window->order[i]);
        w->order[i]->args[0] = extract(x, e->window->order[i]->args[0]);
        expr_settle(w->order[i]);
    }
    to->window = w;
    return to;
}

/* An item with windows over what is below; aggregates that are none of the windows'
 * become columns too. */
static struct expr *extract_item(struct extraction *x, struct expr *e)
{
    struct expr *copy = NULL;

    if (e->kind == EXPR_WINDOW)
        return extract_window(x, e);
    if (e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_AGGREGATE)
        return extract(x, e);
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *to = extract_item(x, e->args[i]);

        if (to == e->args[i])
            continue;
        copy = copy ? copy : expr_copy(x->an->arena, e);
        copy->args[i] = to;
    }
    if (copy)
        expr_settle(copy);
    return copy ? copy : e;
}

/* Windows of an item to aliases; the item over their columns. */
static struct expr *lift_windows(struct extraction *x, struct expr *e)
{
    struct arena *a = x->an->arena;
    struct expr *copy = NULL;

    if (e->kind == EXPR_ALIAS && e->args[0]->kind == EXPR_WINDOW) {
        x->windows = exprs_add(a, &x->windows, e);
        return expr_to_attribute(a, e);
    }
    if (e->kind == EXPR_WINDOW) {
        struct expr *alias =
            expr_alias(a, e, sv(arena_printf(a, "_we%u", x->windows.n)), next_expr_id());

        x->windows = exprs_add(a, &x->windows, alias);
        return expr_to_attribute(a, alias);
    }
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *to = lift_windows(x, e->args[i]);

        if (to == e->args[i])
            continue;
        copy = copy ? copy : expr_copy(a, e);
        copy->args[i] = to;
    }
    if (copy)
        expr_settle(copy);
    return copy ? copy : e;
}

static bool lists_same(struct expr *const *a, uint32_t n_a, struct expr *const *b,
                       uint32_t n_b)
{
    if (n_a != n_b)
        return false;
    for (uint32_t i = 0; i < n_a; i++)
        if (!expr_same(a[i], b[i]))
            return false;
    return true;
}

static const struct window_spec *spec_of(const struct expr *alias)
{
    return alias->args[0]->window;
}

/* Spark keeps ranks and the like apart from aggregates, and lag from both... only by
 * whether it is SQL's own or Python's: all of ours are of one kind. */
static bool same_group(const struct expr *a, const struct expr *b)
{
    const struct window_spec *x = spec_of(a), *y = spec_of(b);

    return lists_same(x->partition, x->n_partition, y->partition, y->n_partition) &&
           lists_same(x->order, x->n_order, y->order, y->n_order);
}

static struct plan *add_windows(struct analyzer *an, const struct exprs *windows,
                                struct plan *child)
{
    bool *done = arena_array(an->arena, windows->n + 1, sizeof *done);

    for (uint32_t i = 0; i < windows->n; i++) {
        const struct window_spec *w = spec_of(windows->at[i]);
        struct plan *p;

        if (done[i])
            continue;
        p = plan_unary(an->arena, PLAN_WINDOW, child);
        p->keys = (struct exprs){ w->partition, w->n_partition };
        p->order = (struct exprs){ w->order, w->n_order };
        for (uint32_t k = i; k < windows->n; k++)
            if (!done[k] && same_group(windows->at[i], windows->at[k])) {
                p->list = exprs_add(an->arena, &p->list, windows->at[k]);
                done[k] = true;
            }
        child = p;
    }
    return child;
}

/* HAVING between the aggregate and its windows. */
static enum errc put_having(struct analyzer *an, struct exprs *having, struct plan **io)
{
    struct plan *agg = *io, *grown = agg;

    TRY(over_aggregate(an, having, &grown));
    *io = plan_filter(an->arena, having->at[0], grown);
    if (grown != agg)
        *io = plan_project(an->arena, exprs_copy(an->arena, plan_output(an->arena, agg)),
                           *io);
    return ERR_OK;
}

enum errc extract_windows(struct analyzer *an, struct plan *p, struct exprs *having,
                          struct plan **out)
{
    struct extraction x = { .an = an };
    struct exprs with = { 0 }, list;
    struct plan *below, *above;

    for (uint32_t i = 0; i < p->list.n; i++)
        if (!is_window(p->list.at[i]))
            x.regular = exprs_add(an->arena, &x.regular, p->list.at[i]);
    for (uint32_t i = 0; i < p->list.n; i++)
        if (is_window(p->list.at[i]))
            with = exprs_add(an->arena, &with, extract_item(&x, p->list.at[i]));
    below = plan_copy(an->arena, p);
    below->list = exprs_join(an->arena, &x.regular, &x.extracted);
    if (having)
        TRY(put_having(an, having, &below));
    for (uint32_t i = 0; i < with.n; i++)
        with.at[i] = lift_windows(&x, with.at[i]);
    above = add_windows(an, &x.windows, below);
    list = exprs_join(an->arena, plan_output(an->arena, above), &with);
    above = plan_project(an->arena, list, above);
    *out = plan_project(an->arena, exprs_to_attributes(an->arena, &p->list), above);
    (*out)->place = p->place;
    return ERR_OK;
}
