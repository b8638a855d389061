/* Logical plans: making, output, rewriting.
 *
 * node_lists() is the one place that knows where a node keeps expressions: mapping,
 * visiting and comparing go through it, so that a new field is one line here. */
#include "engine/plan/plan.h"

#include <stdatomic.h>

uint32_t next_expr_id(void)
{
    static atomic_uint last;

    return atomic_fetch_add(&last, 1) + 1;
}

const char *join_type_name(enum join_type t)
{
    switch (t) {
    case JOIN_INNER:
        return "Inner";
    case JOIN_CROSS:
        return "Cross";
    case JOIN_LEFT:
        return "LeftOuter";
    case JOIN_RIGHT:
        return "RightOuter";
    case JOIN_FULL:
        return "FullOuter";
    case JOIN_SEMI:
        return "LeftSemi";
    case JOIN_ANTI:
        return "LeftAnti";
    case JOIN_EXISTENCE:
        return "ExistenceJoin";
    }
    return "";
}

/* ---- lists ---- */

struct exprs exprs_new(struct arena *a, uint32_t n)
{
    return (struct exprs){ .at = arena_array(a, n ? n : 1, sizeof(struct expr *)),
                           .n = n };
}

struct exprs exprs_join(struct arena *a, const struct exprs *x, const struct exprs *y)
{
    struct exprs out = exprs_new(a, x->n + y->n);

    if (x->n)
        memcpy(out.at, x->at, x->n * sizeof *out.at);
    if (y->n)
        memcpy(out.at + x->n, y->at, y->n * sizeof *out.at);
    return out;
}

struct exprs exprs_copy(struct arena *a, const struct exprs *list)
{
    return exprs_join(a, list, &(struct exprs){ 0 });
}

struct exprs exprs_add(struct arena *a, const struct exprs *list, struct expr *e)
{
    return exprs_join(a, list, &(struct exprs){ .at = &e, .n = 1 });
}

struct expr *exprs_find(const struct exprs *list, uint32_t id)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->at[i]->id == id)
            return list->at[i];
    return NULL;
}

struct exprs exprs_to_attributes(struct arena *a, const struct exprs *list)
{
    struct exprs out = exprs_new(a, list->n);

    for (uint32_t i = 0; i < list->n; i++)
        out.at[i] = expr_to_attribute(a, list->at[i]);
    return out;
}

/* ---- makers ---- */

struct plan *plan_new(struct arena *a, enum plan_kind kind, uint32_t n_children)
{
    struct plan *p = ARENA_NEW(a, struct plan);

    p->kind = kind;
    p->n_children = n_children;
    if (n_children)
        p->children = arena_array(a, n_children, sizeof(struct plan *));
    return p;
}

struct plan *plan_copy(struct arena *a, const struct plan *p)
{
    struct plan *copy = ARENA_NEW(a, struct plan);

    *copy = *p;
    copy->output_known = false;
    if (p->n_children) {
        copy->children = arena_array(a, p->n_children, sizeof(struct plan *));
        memcpy(copy->children, p->children, p->n_children * sizeof(struct plan *));
    }
    return copy;
}

struct plan *plan_unary(struct arena *a, enum plan_kind kind, struct plan *child)
{
    struct plan *p = plan_new(a, kind, 1);

    p->children[0] = child;
    p->resolved = child->resolved;
    p->place = child->place;
    return p;
}

struct plan *plan_project(struct arena *a, struct exprs list, struct plan *child)
{
    struct plan *p = plan_unary(a, PLAN_PROJECT, child);

    p->list = list;
    return p;
}

struct plan *plan_filter(struct arena *a, struct expr *condition, struct plan *child)
{
    struct plan *p = plan_unary(a, PLAN_FILTER, child);

    p->condition = condition;
    return p;
}

struct plan *plan_join(struct arena *a, enum join_type type, struct plan *left,
                       struct plan *right, struct expr *condition)
{
    struct plan *p = plan_new(a, PLAN_JOIN, 2);

    p->join_type = type;
    p->children[0] = left;
    p->children[1] = right;
    p->condition = condition;
    p->resolved = left->resolved && right->resolved;
    p->place = left->place;
    return p;
}

struct plan *plan_aggregate(struct arena *a, struct exprs keys, struct exprs list,
                            struct plan *child)
{
    struct plan *p = plan_unary(a, PLAN_AGGREGATE, child);

    p->keys = keys;
    p->list = list;
    return p;
}

struct plan *plan_empty(struct arena *a, const struct exprs *output)
{
    struct plan *p = plan_new(a, PLAN_LOCAL_RELATION, 0);

    p->output = exprs_copy(a, output);
    p->resolved = true;
    return p;
}

/* ---- output ---- */

static struct expr *with_nullable(struct arena *a, struct expr *attribute, bool nullable)
{
    struct expr *copy;

    if (attribute->nullable == nullable)
        return attribute;
    copy = expr_copy(a, attribute);
    copy->nullable = nullable;
    return copy;
}

static struct exprs all_nullable(struct arena *a, const struct exprs *list)
{
    struct exprs out = exprs_new(a, list->n);

    for (uint32_t i = 0; i < list->n; i++)
        out.at[i] = with_nullable(a, list->at[i], true);
    return out;
}

static struct exprs join_output(struct arena *a, struct plan *p)
{
    const struct exprs *left = plan_output(a, p->children[0]);
    const struct exprs *right = plan_output(a, p->children[1]);
    struct exprs l = *left, r = *right;

    switch (p->join_type) {
    case JOIN_SEMI:
    case JOIN_ANTI:
        return l;
    case JOIN_EXISTENCE:
        return exprs_add(
            a, left,
            expr_attribute(a, SV("exists"), type_of(TYPE_BOOLEAN), false, p->exists_id));
    case JOIN_LEFT:
        r = all_nullable(a, right);
        break;
    case JOIN_RIGHT:
        l = all_nullable(a, left);
        break;
    case JOIN_FULL:
        l = all_nullable(a, left);
        r = all_nullable(a, right);
        break;
    case JOIN_INNER:
    case JOIN_CROSS:
        break;
    }
    return exprs_join(a, &l, &r);
}

/* The first child's columns; nullable where any child's is (UNION) or all are
 * (INTERSECT). */
static struct exprs set_output(struct arena *a, struct plan *p)
{
    struct exprs out = exprs_copy(a, plan_output(a, p->children[0]));

    for (uint32_t k = 1; k < p->n_children; k++) {
        const struct exprs *other = plan_output(a, p->children[k]);

        for (uint32_t i = 0; i < out.n && i < other->n; i++) {
            bool x = out.at[i]->nullable, y = other->at[i]->nullable;

            out.at[i] =
                with_nullable(a, out.at[i], p->kind == PLAN_UNION ? x || y : x && y);
        }
    }
    return out;
}

/* A table's columns are known under its alias alone. */
static struct exprs alias_output(struct arena *a, struct plan *p)
{
    const struct exprs *below = plan_output(a, p->children[0]);
    struct exprs out = exprs_new(a, below->n);
    struct sv *parts = p->parts;
    uint32_t n_parts = p->n_parts;

    if (!n_parts) {
        parts = arena_array(a, 1, sizeof *parts);
        parts[0] = p->name;
        n_parts = 1;
    }
    for (uint32_t i = 0; i < below->n; i++) {
        out.at[i] = expr_copy(a, below->at[i]);
        out.at[i]->parts = parts;
        out.at[i]->n_parts = n_parts;
    }
    return out;
}

static struct exprs compute_output(struct arena *a, struct plan *p)
{
    switch (p->kind) {
    case PLAN_RELATION:
    case PLAN_LOCAL_RELATION:
    case PLAN_RANGE:
    case PLAN_EXPAND:
    case PLAN_GENERATE:
    case PLAN_CTE_REF:
    case PLAN_STAGE:
    case PLAN_VIEW:
        return p->output;
    case PLAN_ONE_ROW:
    case PLAN_UNRESOLVED_RELATION:
    case PLAN_UNRESOLVED_VALUES:
    case PLAN_UNRESOLVED_FUNCTION:
        return (struct exprs){ 0 };
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
        return exprs_to_attributes(a, &p->list);
    case PLAN_WINDOW: {
        struct exprs added = exprs_to_attributes(a, &p->list);

        return exprs_join(a, plan_output(a, p->children[0]), &added);
    }
    case PLAN_JOIN:
        return join_output(a, p);
    case PLAN_UNION:
    case PLAN_INTERSECT:
        return set_output(a, p);
    case PLAN_SUBQUERY_ALIAS:
        return alias_output(a, p);
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
    case PLAN_DISTINCT:
    case PLAN_EXCEPT:
    case PLAN_WITH:
    case PLAN_WITH_WINDOW:
    case PLAN_CTE_DEF:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
    case PLAN_HINT:
    case PLAN_SAMPLE:
        return *plan_output(a, p->children[0]);
    case N_PLAN_KINDS:
        break;
    }
    return (struct exprs){ 0 };
}

const struct exprs *plan_output(struct arena *a, struct plan *p)
{
    if (!p->output_known) {
        p->output = compute_output(a, p);
        p->output_known = true;
    }
    return &p->output;
}

/* ---- expressions of a node ---- */

enum { NODE_LISTS = 3 };

static void node_lists(const struct plan *p, const struct exprs *lists[NODE_LISTS])
{
    lists[0] = &p->list;
    lists[1] = &p->keys;
    lists[2] = &p->order;
}

void plan_each_expr(const struct plan *p, void (*fn)(void *ctx, struct expr *e),
                    void *ctx)
{
    const struct exprs *lists[NODE_LISTS];

    node_lists(p, lists);
    for (size_t k = 0; k < NODE_LISTS; k++)
        for (uint32_t i = 0; i < lists[k]->n; i++)
            fn(ctx, lists[k]->at[i]);
    for (uint32_t k = 0; k < p->n_sets; k++)
        for (uint32_t i = 0; i < p->sets[k].n; i++)
            fn(ctx, p->sets[k].at[i]);
    for (uint32_t k = 0; k < p->n_projections; k++)
        for (uint32_t i = 0; i < p->projections[k].n; i++)
            fn(ctx, p->projections[k].at[i]);
    if (p->condition)
        fn(ctx, p->condition);
    if (p->limit)
        fn(ctx, p->limit);
}

struct mapper {
    struct arena *arena;
    expr_fn fn;
    void *ctx;
    bool changed;
};

static struct expr *map_expr(struct mapper *m, struct expr *e)
{
    struct expr *to = e ? m->fn(m->ctx, e) : NULL;

    m->changed = m->changed || to != e;
    return to;
}

/* The list itself where nothing changed: most of the time, so nothing is made before. */
static struct exprs map_exprs(struct mapper *m, const struct exprs *list)
{
    struct exprs out = *list;

    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *to = map_expr(m, list->at[i]);

        if (to == list->at[i])
            continue;
        if (out.at == list->at) {
            out = exprs_new(m->arena, list->n);
            memcpy(out.at, list->at, list->n * sizeof *out.at);
        }
        out.at[i] = to;
    }
    return out;
}

static struct exprs *map_table(struct mapper *m, struct exprs *rows, uint32_t n)
{
    struct exprs *out;

    if (!n)
        return rows;
    out = arena_array(m->arena, n, sizeof *out);
    for (uint32_t i = 0; i < n; i++)
        out[i] = map_exprs(m, &rows[i]);
    return out;
}

struct plan *plan_map_exprs(struct arena *a, struct plan *p, expr_fn fn, void *ctx)
{
    struct mapper m = { a, fn, ctx, false };
    struct exprs list = map_exprs(&m, &p->list);
    struct exprs keys = map_exprs(&m, &p->keys);
    struct exprs order = map_exprs(&m, &p->order);
    struct exprs *sets = map_table(&m, p->sets, p->n_sets);
    struct exprs *projections = map_table(&m, p->projections, p->n_projections);
    struct expr *condition = map_expr(&m, p->condition);
    struct expr *limit = map_expr(&m, p->limit);

    if (!m.changed)
        return p;
    struct plan *mapped = plan_copy(a, p);
    mapped->list = list;
    mapped->keys = keys;
    mapped->order = order;
    mapped->sets = sets;
    mapped->projections = projections;
    mapped->condition = condition;
    mapped->limit = limit;
    return mapped;
}

struct mapping_all {
    struct arena *arena;
    expr_fn fn;
    void *ctx;
};

static struct expr *map_one_up(void *ctx, struct expr *e)
{
    struct mapping_all *m = ctx;

    return expr_transform_up(m->arena, e, m->fn, m->ctx);
}

static struct plan *map_node(void *ctx, struct plan *p)
{
    struct mapping_all *m = ctx;

    return plan_map_exprs(m->arena, p, map_one_up, m);
}

struct plan *plan_map_all_exprs(struct arena *a, struct plan *p, expr_fn fn, void *ctx)
{
    struct mapping_all m = { a, fn, ctx };

    return plan_transform_up(a, p, map_node, &m);
}

/* ---- transforms ---- */

struct plan *plan_with_children(struct arena *a, struct plan *p, struct plan *const *to)
{
    struct plan *copy;

    if (!p->n_children || memcmp(to, p->children, p->n_children * sizeof *to) == 0)
        return p;
    copy = plan_copy(a, p);
    memcpy(copy->children, to, p->n_children * sizeof *to);
    return copy;
}

static bool items_same(const struct exprs *p, const struct exprs *q)
{
    return p->n == q->n &&
           (p->at == q->at || memcmp(p->at, q->at, p->n * sizeof *p->at) == 0);
}

/* All that a node is beside what it is over and what follows from that. Padding may make
 * a copy look different: no harm. */
static bool node_same(const struct plan *p, const struct plan *q)
{
    struct plan one = *p, other = *q;

    if (!items_same(&p->list, &q->list) || !items_same(&p->keys, &q->keys) ||
        !items_same(&p->order, &q->order))
        return false;
    one.list = other.list = one.keys = other.keys = (struct exprs){ 0 };
    one.order = other.order = (struct exprs){ 0 };
    one.output_known = other.output_known = false;
    one.output = other.output = (struct exprs){ 0 };
    one.children = other.children = NULL;
    return memcmp(&one, &other, sizeof one) == 0;
}

bool plan_nodes_same(const struct plan *p, const struct plan *q)
{
    if (p == q)
        return true;
    /* a Generate's output is its own, not its list's */
    if (p->n_children == 0 || p->kind == PLAN_GENERATE || p->kind != q->kind ||
        p->n_children != q->n_children || !node_same(p, q))
        return false;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (!plan_nodes_same(p->children[i], q->children[i]))
            return false;
    return true;
}

struct transform {
    struct arena *arena;
    plan_fn fn;
    void *ctx;
    struct plan *(*step)(struct transform *t, struct plan *p);
};

static struct plan *map_children(struct transform *t, struct plan *p)
{
    struct plan *few[4];
    struct plan **to = p->n_children <= ARRAY_LEN(few)
                           ? few
                           : arena_array(t->arena, p->n_children, sizeof *to);

    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = t->step(t, p->children[i]);
    return plan_with_children(t->arena, p, to);
}

static struct plan *step_up(struct transform *t, struct plan *p)
{
    return t->fn(t->ctx, map_children(t, p));
}

static struct plan *step_down(struct transform *t, struct plan *p)
{
    return map_children(t, t->fn(t->ctx, p));
}

struct plan *plan_transform_up(struct arena *a, struct plan *p, plan_fn fn, void *ctx)
{
    struct transform t = { a, fn, ctx, step_up };

    return step_up(&t, p);
}

struct plan *plan_transform_down(struct arena *a, struct plan *p, plan_fn fn, void *ctx)
{
    struct transform t = { a, fn, ctx, step_down };

    return step_down(&t, p);
}

struct subqueries {
    struct arena *arena;
    plan_fn fn;
    void *ctx;
};

static struct expr *map_subquery(void *ctx, struct expr *e)
{
    struct subqueries *s = ctx;
    struct plan *to = e->plan ? s->fn(s->ctx, e->plan) : NULL;
    struct expr *copy;

    if (to == e->plan)
        return e;
    copy = expr_copy(s->arena, e);
    copy->plan = to;
    return copy;
}

struct plan *plan_transform_subqueries(struct arena *a, struct plan *p, plan_fn fn,
                                       void *ctx)
{
    struct subqueries s = { a, fn, ctx };

    return plan_map_all_exprs(a, p, map_subquery, &s);
}

/* ---- asking ---- */

static void see_resolved(void *ctx, struct expr *e)
{
    bool *all = ctx;

    *all = *all && e->resolved;
}

bool plan_is_resolved(const struct plan *p)
{
    bool all = p->kind != PLAN_UNRESOLVED_RELATION && p->kind != PLAN_UNRESOLVED_VALUES &&
               p->kind != PLAN_UNRESOLVED_FUNCTION && p->kind != PLAN_WITH_WINDOW &&
               !p->having && !p->natural && !p->n_using && !p->n_columns &&
               p->sets_kind == SETS_NONE &&
               !(p->kind == PLAN_HINT && p->hint_left == HINT_NONE);

    if (p->resolved)
        return true;
    for (uint32_t i = 0; i < p->n_children && all; i++)
        all = plan_is_resolved(p->children[i]);
    plan_each_expr(p, see_resolved, &all);
    return all;
}
