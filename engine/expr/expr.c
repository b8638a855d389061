/* Expression trees: making, rewriting, asking. Comparing is in expr_same.c.
 *
 * The children of a node are its arguments, then an aggregate's filter, a subquery's
 * outer references and the parts of a window. map_children() is the one place that
 * rebuilds a node over others; expr_each_child() the one that walks them. */
#include "engine/expr/expr.h"

#include "engine/expr/cast.h"
#include "engine/expr/func.h"
#include "engine/plan/plan.h"

#include <stdarg.h>

/* ---- makers ---- */

struct expr *expr_new(struct arena *a, enum expr_kind kind, uint32_t n_args)
{
    struct expr *e = ARENA_NEW(a, struct expr);

    e->kind = kind;
    e->n_args = n_args;
    if (n_args)
        e->args = arena_array(a, n_args, sizeof(struct expr *));
    return e;
}

struct expr *expr_copy(struct arena *a, const struct expr *e)
{
    struct expr *copy = ARENA_NEW(a, struct expr);

    *copy = *e;
    if (e->n_args) {
        copy->args = arena_array(a, e->n_args, sizeof(struct expr *));
        memcpy(copy->args, e->args, e->n_args * sizeof(struct expr *));
    }
    return copy;
}

struct expr *expr_literal(struct arena *a, struct value v)
{
    struct expr *e = expr_new(a, EXPR_LITERAL, 0);

    e->value = v;
    e->type = v.type;
    e->nullable = v.null;
    e->resolved = true;
    return e;
}

struct expr *expr_attribute(struct arena *a, struct sv name, struct type t, bool nullable,
                            uint32_t id)
{
    struct expr *e = expr_new(a, EXPR_ATTRIBUTE, 0);

    e->name = name;
    e->type = t;
    e->nullable = nullable;
    e->id = id;
    e->resolved = true;
    return e;
}

struct expr *expr_alias(struct arena *a, struct expr *child, struct sv name, uint32_t id)
{
    struct expr *e = expr_new(a, EXPR_ALIAS, 1);

    e->args[0] = child;
    e->name = name;
    e->id = id;
    e->place = child->place;
    expr_settle(e);
    return e;
}

struct expr *expr_cast(struct arena *a, struct expr *child, struct type to)
{
    struct expr *e = expr_new(a, EXPR_CAST, 1);

    e->args[0] = child;
    e->type = to;
    e->place = child->place;
    expr_settle(e);
    return e;
}

struct expr *expr_call(struct arena *a, const struct func *f, struct type type,
                       uint32_t n, ...)
{
    struct expr *e = expr_new(a, EXPR_CALL, n);
    va_list ap;

    va_start(ap, n);
    e->resolved = true;
    for (uint32_t i = 0; i < n; i++) {
        e->args[i] = va_arg(ap, struct expr *);
        e->resolved = e->resolved && e->args[i]->resolved;
    }
    va_end(ap);
    e->func = f;
    e->type = type;
    e->nullable = func_nullable(f, type, e->args, n);
    if (n)
        e->place = e->args[0]->place;
    return e;
}

struct expr *expr_to_attribute(struct arena *a, struct expr *e)
{
    struct strbuf text = { 0 };
    struct expr *attribute;

    if (e->kind == EXPR_ATTRIBUTE)
        return e;
    if (e->name.p) {
        attribute = expr_attribute(a, e->name, e->type, e->nullable, e->id);
    } else { /* an aggregate's result, named as EXPLAIN names it */
        expr_print(&text, e, PRINT_NAME);
        attribute =
            expr_attribute(a, arena_sv(a, strbuf_sv(&text)), e->type, e->nullable, e->id);
        strbuf_release(&text);
    }
    attribute->place = e->place;
    attribute->resolved = e->resolved;
    return attribute;
}

static bool args_resolved(const struct expr *e)
{
    for (uint32_t i = 0; i < e->n_args; i++)
        if (!e->args[i]->resolved)
            return false;
    return true;
}

/* Results of CASE: every second argument, and the else. */
static bool case_is_result(const struct expr *e, uint32_t i)
{
    return i % 2 == 1 || i + 1 == e->n_args;
}

static void settle_case(struct expr *e)
{
    struct type t = type_of(TYPE_NULL);

    e->nullable = e->n_args % 2 == 0; /* no else */
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (!case_is_result(e, i))
            continue;
        e->nullable = e->nullable || e->args[i]->nullable;
        if (t.id == TYPE_NULL)
            t = e->args[i]->type;
    }
    e->type = t;
}

/* A plan that was just rewritten may not know yet. */
static bool query_nullable(const struct plan *p)
{
    if (!p || !p->output_known)
        return true;
    for (uint32_t i = 0; i < p->output.n; i++)
        if (p->output.at[i]->nullable)
            return true;
    return false;
}

void expr_settle(struct expr *e)
{
    switch (e->kind) {
    case EXPR_ALIAS:
    case EXPR_SORT_ORDER:
    case EXPR_WINDOW:
    case EXPR_OUTER:
        e->type = e->args[0]->type;
        e->nullable = e->args[0]->nullable;
        break;
    case EXPR_CAST:
        e->nullable = e->try_cast || e->args[0]->nullable ||
                      cast_may_null(e->args[0]->type, e->type);
        break;
    case EXPR_CASE:
        settle_case(e);
        break;
    case EXPR_IN:
    case EXPR_IN_SUBQUERY:
        e->type = type_of(TYPE_BOOLEAN);
        e->nullable = e->kind == EXPR_IN_SUBQUERY && query_nullable(e->plan);
        for (uint32_t i = 0; i < e->n_args; i++)
            e->nullable = e->nullable || e->args[i]->nullable;
        break;
    case EXPR_NAME:
    case EXPR_STAR:
    case EXPR_FUNCTION:
    case EXPR_LAMBDA_ARG:
    case EXPR_LITERAL:
    case EXPR_ATTRIBUTE:
    case EXPR_AGGREGATE:
    case EXPR_SCALAR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_BOUND:
    case EXPR_SUBQUERY_RESULT:
        return;
    case EXPR_CALL:
        e->nullable = func_nullable(e->func, e->type, e->args, e->n_args);
        return;
    }
    if (e->kind != EXPR_IN_SUBQUERY) /* that one is the analyser's to resolve */
        e->resolved = args_resolved(e);
}

/* ---- walking and rewriting ---- */

typedef bool (*child_fn)(void *ctx, const struct expr *child);

static bool each_of(struct expr *const *list, uint32_t n, child_fn fn, void *ctx)
{
    for (uint32_t i = 0; i < n; i++)
        if (fn(ctx, list[i]))
            return true;
    return false;
}

bool expr_each_child(const struct expr *e, bool (*fn)(void *ctx, const struct expr *e),
                     void *ctx)
{
    const struct window_spec *w = e->window;

    if (each_of(e->args, e->n_args, fn, ctx) || (e->filter && fn(ctx, e->filter)) ||
        each_of(e->outer, e->n_outer, fn, ctx))
        return true;
    if (!w)
        return false;
    return each_of(w->partition, w->n_partition, fn, ctx) ||
           each_of(w->order, w->n_order, fn, ctx) ||
           (w->lower_offset && fn(ctx, w->lower_offset)) ||
           (w->upper_offset && fn(ctx, w->upper_offset));
}

struct any {
    bool (*fn)(void *ctx, const struct expr *e);
    void *ctx;
};

static bool any_below(void *ctx, const struct expr *e)
{
    const struct any *any = ctx;

    return any->fn(any->ctx, e) || expr_each_child(e, any_below, ctx);
}

bool expr_any(const struct expr *e, bool (*fn)(void *ctx, const struct expr *e),
              void *ctx)
{
    struct any any = { fn, ctx };

    return any_below(&any, e);
}

struct transform {
    struct arena *arena;
    expr_fn fn;
    void *ctx;
    struct expr *(*step)(struct transform *t, struct expr *e);
};

/* The list itself where nothing changed. */
static struct expr **map_list(struct transform *t, struct expr **list, uint32_t n)
{
    struct expr **copy = NULL;

    for (uint32_t i = 0; i < n; i++) {
        struct expr *e = t->step(t, list[i]);

        if (e == list[i])
            continue;
        if (!copy) {
            copy = arena_array(t->arena, n, sizeof *copy);
            memcpy(copy, list, n * sizeof *copy);
        }
        copy[i] = e;
    }
    return copy ? copy : list;
}

static struct expr *map_one(struct transform *t, struct expr *e)
{
    return e ? t->step(t, e) : NULL;
}

static struct window_spec *map_window(struct transform *t, struct window_spec *w)
{
    struct window_spec mapped;

    if (!w)
        return NULL;
    mapped = *w;
    mapped.partition = map_list(t, w->partition, w->n_partition);
    mapped.order = map_list(t, w->order, w->n_order);
    mapped.lower_offset = map_one(t, w->lower_offset);
    mapped.upper_offset = map_one(t, w->upper_offset);
    if (mapped.partition == w->partition && mapped.order == w->order &&
        mapped.lower_offset == w->lower_offset && mapped.upper_offset == w->upper_offset)
        return w;
    struct window_spec *copy = ARENA_NEW(t->arena, struct window_spec);
    *copy = mapped;
    return copy;
}

static struct expr *map_children(struct transform *t, struct expr *e)
{
    if (!e->n_args && !e->filter && !e->n_outer && !e->window)
        return e;
    struct expr **args = map_list(t, e->args, e->n_args);
    struct expr *filter = map_one(t, e->filter);
    struct expr **outer = map_list(t, e->outer, e->n_outer);
    struct window_spec *window = map_window(t, e->window);

    if (args == e->args && filter == e->filter && outer == e->outer &&
        window == e->window)
        return e;
    struct expr *copy = ARENA_NEW(t->arena, struct expr);
    *copy = *e;
    copy->args = args;
    copy->filter = filter;
    copy->outer = outer;
    copy->window = window;
    expr_settle(copy);
    return copy;
}

static struct expr *step_up(struct transform *t, struct expr *e)
{
    return t->fn(t->ctx, map_children(t, e));
}

static struct expr *step_down(struct transform *t, struct expr *e)
{
    return map_children(t, t->fn(t->ctx, e));
}

struct expr *expr_transform_up(struct arena *a, struct expr *e, expr_fn fn, void *ctx)
{
    struct transform t = { a, fn, ctx, step_up };

    return step_up(&t, e);
}

struct expr *expr_transform_down(struct arena *a, struct expr *e, expr_fn fn, void *ctx)
{
    struct transform t = { a, fn, ctx, step_down };

    return step_down(&t, e);
}

/* ---- asking ---- */

static bool is_random(void *ctx, const struct expr *e)
{
    (void)ctx;
    if (e->kind == EXPR_CALL)
        return e->func->flags & FUNC_NONDETERMINISTIC;
    return e->kind == EXPR_AGGREGATE && e->agg->order_matters;
}

bool expr_deterministic(const struct expr *e)
{
    return !expr_any(e, is_random, NULL);
}

static bool varies(void *ctx, const struct expr *e)
{
    (void)ctx;
    switch (e->kind) {
    case EXPR_LITERAL:
    case EXPR_CAST:
    case EXPR_CASE:
    case EXPR_IN:
        return false;
    case EXPR_CALL:
        return e->func->flags & (FUNC_NONDETERMINISTIC | FUNC_WINDOW_ONLY);
    case EXPR_NAME:
    case EXPR_STAR:
    case EXPR_FUNCTION:
    case EXPR_LAMBDA_ARG:
    case EXPR_ATTRIBUTE:
    case EXPR_ALIAS:
    case EXPR_AGGREGATE:
    case EXPR_WINDOW:
    case EXPR_SORT_ORDER:
    case EXPR_SCALAR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_IN_SUBQUERY:
    case EXPR_OUTER:
    case EXPR_BOUND:
    case EXPR_SUBQUERY_RESULT:
        return true;
    }
    return true;
}

bool expr_foldable(const struct expr *e)
{
    return !expr_any(e, varies, NULL);
}

/* The aggregate that a window runs is none of the query's; its arguments may hold some.
 */
static bool has_aggregate(void *ctx, const struct expr *e)
{
    const struct expr *over = e->kind == EXPR_WINDOW ? e->args[0] : NULL;

    (void)ctx;
    if (e->kind == EXPR_AGGREGATE)
        return true;
    if (!over || over->kind != EXPR_AGGREGATE)
        return expr_each_child(e, has_aggregate, NULL);
    struct expr rest = *e; /* the window's own parts */
    rest.n_args = 0;
    return expr_each_child(over, has_aggregate, NULL) ||
           expr_each_child(&rest, has_aggregate, NULL);
}

bool expr_has_aggregate(const struct expr *e)
{
    return has_aggregate(NULL, e);
}

static bool is_subquery(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_SCALAR_SUBQUERY || e->kind == EXPR_EXISTS ||
           e->kind == EXPR_IN_SUBQUERY;
}

bool expr_has_subquery(const struct expr *e)
{
    return expr_any(e, is_subquery, NULL);
}

bool expr_set_has(const struct expr_set *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->ids[i] == id)
            return true;
    return false;
}

void expr_set_add(struct arena *a, struct expr_set *s, uint32_t id)
{
    if (expr_set_has(s, id))
        return;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 8;
        uint32_t *ids = arena_array(a, cap, sizeof *ids);

        if (s->n)
            memcpy(ids, s->ids, s->n * sizeof *ids);
        s->ids = ids;
        s->cap = cap;
    }
    s->ids[s->n++] = id;
}

struct referring {
    struct arena *arena;
    struct expr_set *set;
};

/* What EXPR_OUTER holds belongs to another query; the condition that a subquery is joined
 * on has columns of both, those of this one are in `outer` too. */
static bool add_reference(void *ctx, const struct expr *e)
{
    struct referring *r = ctx;

    if (e->kind == EXPR_ATTRIBUTE)
        expr_set_add(r->arena, r->set, e->id);
    if (e->plan) {
        struct expr rest = *e;

        rest.filter = NULL;
        return expr_each_child(&rest, add_reference, r);
    }
    return e->kind == EXPR_OUTER ? false : expr_each_child(e, add_reference, r);
}

void expr_references(struct arena *a, const struct expr *e, struct expr_set *out)
{
    struct referring r = { a, out };

    add_reference(&r, e);
}

/* ---- conjunctions ---- */

static bool is_and(const struct expr *e)
{
    return e->kind == EXPR_CALL && e->func->id == FUNC_AND;
}

static uint32_t count_and(const struct expr *e)
{
    if (!is_and(e))
        return 1;
    return count_and(e->args[0]) + count_and(e->args[1]);
}

static struct expr **fill_and(struct expr *e, struct expr **to)
{
    if (!is_and(e)) {
        *to = e;
        return to + 1;
    }
    return fill_and(e->args[1], fill_and(e->args[0], to));
}

uint32_t expr_split_and(struct arena *a, struct expr *e, struct expr ***out)
{
    uint32_t n = count_and(e);

    *out = arena_array(a, n, sizeof **out);
    fill_and(e, *out);
    return n;
}

struct expr *expr_join_and(struct arena *a, struct expr **list, uint32_t n)
{
    struct expr *e;

    if (!n)
        return expr_literal(a, value_bool(true));
    e = list[0];
    for (uint32_t i = 1; i < n; i++)
        e = expr_call(a, func_of(FUNC_AND), type_of(TYPE_BOOLEAN), 2, e, list[i]);
    return e;
}
