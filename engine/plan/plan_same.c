/* Do two plans compute the same, names and ids aside; and a plan over new ids.
 *
 * The two trees are walked side by side, children first. What the one calls #7 the other
 * may call #12: each pair of columns that both make at the same place (leaves, aliases)
 * is noted, and the second plan's expressions are read through these pairs before
 * they are compared. Conditions may list their operands in any order (expr_same). */
#include "engine/plan/plan.h"

#include "base/map.h"

struct pairs {
    struct arena *arena;
    struct map to; /* id of the second plan -> of the first; or old id -> new id */
    bool renewing;
};

static void pair(struct pairs *s, uint32_t from, uint32_t to)
{
    map_put(&s->to, from, to);
}

static struct plan *read_plan(struct pairs *s, struct plan *p);

static struct expr *read_node(void *ctx, struct expr *e)
{
    struct pairs *s = ctx;
    struct expr *copy;

    if (e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_ALIAS) {
        uint32_t id = map_get(&s->to, e->id);

        if (id == MAP_NONE || id == e->id)
            return e;
        copy = expr_copy(s->arena, e);
        copy->id = id;
        return copy;
    }
    if (!e->plan || !(e->n_outer || s->renewing))
        return e;
    copy = expr_copy(s->arena, e);
    copy->plan = read_plan(s, e->plan);
    return copy;
}

static struct expr *read_expr(void *ctx, struct expr *e)
{
    struct pairs *s = ctx;

    return expr_transform_up(s->arena, e, read_node, s);
}

static struct plan *renew_node(void *ctx, struct plan *p);

/* A subquery's plan. In a comparison only what it takes from outside has a pair. */
static struct plan *read_plan(struct pairs *s, struct plan *p)
{
    return s->renewing ? plan_transform_up(s->arena, p, renew_node, s)
                       : plan_map_all_exprs(s->arena, p, read_node, s);
}

static bool expr_pair_same(struct pairs *s, struct expr *x, struct expr *y)
{
    if (!x || !y)
        return x == y;
    if (x->kind != EXPR_ALIAS || y->kind != EXPR_ALIAS)
        return expr_same(x, read_expr(s, y));
    if (!expr_same(x->args[0], read_expr(s, y->args[0])))
        return false;
    pair(s, y->id, x->id);
    return true;
}

static bool lists_same(struct pairs *s, const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!expr_pair_same(s, x->at[i], y->at[i]))
            return false;
    return true;
}

static bool tables_same(struct pairs *s, const struct exprs *x, uint32_t n_x,
                        const struct exprs *y, uint32_t n_y)
{
    if (n_x != n_y)
        return false;
    for (uint32_t i = 0; i < n_x; i++)
        if (!lists_same(s, &x[i], &y[i]))
            return false;
    return true;
}

static bool made_same(struct pairs *s, const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++) {
        if (!type_eq(x->at[i]->type, y->at[i]->type))
            return false;
        pair(s, y->at[i]->id, x->at[i]->id);
    }
    return true;
}

static bool rows_same(const struct plan *x, const struct plan *y)
{
    if (x->n_rows != y->n_rows)
        return false;
    for (uint64_t i = 0; i < x->n_rows * x->output.n; i++)
        if (!value_eq(&x->rows[i], &y->rows[i]))
            return false;
    return true;
}

static bool names_same(const struct sv *x, uint32_t n_x, const struct sv *y, uint32_t n_y)
{
    if (n_x != n_y)
        return false;
    for (uint32_t i = 0; i < n_x; i++)
        if (!sv_eq(x[i], y[i]))
            return false;
    return true;
}

/* Columns are the same by name too, as two relations may read different ones. */
static bool relations_same(const struct plan *x, const struct plan *y)
{
    if (x->relation != y->relation || x->output.n != y->output.n)
        return false;
    for (uint32_t i = 0; i < x->output.n; i++)
        if (!sv_eq(x->output.at[i]->name, y->output.at[i]->name))
            return false;
    return true;
}

/* What these kinds say besides children and expressions; the others say nothing more. */
static bool own_same(const struct plan *x, const struct plan *y)
{
    if (x->kind == PLAN_RELATION)
        return relations_same(x, y);
    if (x->kind == PLAN_LOCAL_RELATION)
        return rows_same(x, y);
    if (x->kind == PLAN_RANGE)
        return x->range_start == y->range_start && x->range_end == y->range_end &&
               x->range_step == y->range_step;
    if (x->kind == PLAN_STAGE)
        return x->stage == y->stage;
    if (x->kind == PLAN_CTE_REF)
        return x->cte_id == y->cte_id;
    return x->kind != PLAN_UNRESOLVED_RELATION ||
           names_same(x->parts, x->n_parts, y->parts, y->n_parts);
}

static bool nodes_same(const struct plan *x, const struct plan *y)
{
    return x->kind == y->kind && x->n_children == y->n_children &&
           x->global == y->global && x->all == y->all && x->natural == y->natural &&
           x->shuffle == y->shuffle && x->having == y->having &&
           x->null_aware == y->null_aware && x->rebalance == y->rebalance &&
           x->by_name == y->by_name && x->with_replacement == y->with_replacement &&
           x->join_type == y->join_type && x->sets_kind == y->sets_kind &&
           x->n_partitions == y->n_partitions && x->lower == y->lower &&
           x->upper == y->upper && x->seed == y->seed &&
           names_same(x->using_columns, x->n_using, y->using_columns, y->n_using);
}

/* Aliases only give names. */
static const struct plan *below_names(const struct plan *p)
{
    while (p->kind == PLAN_SUBQUERY_ALIAS)
        p = p->children[0];
    return p;
}

/* Its output is a field of its own, not what is below it. */
static bool makes_output(const struct plan *p)
{
    return p->n_children == 0 || p->kind == PLAN_EXPAND || p->kind == PLAN_GENERATE ||
           p->kind == PLAN_VIEW;
}

static bool walk(struct pairs *s, const struct plan *x, const struct plan *y)
{
    x = below_names(x);
    y = below_names(y);
    if (!nodes_same(x, y) || !own_same(x, y))
        return false;
    for (uint32_t i = 0; i < x->n_children; i++)
        if (!walk(s, x->children[i], y->children[i]))
            return false;
    if (!lists_same(s, &x->list, &y->list) || !lists_same(s, &x->keys, &y->keys) ||
        !lists_same(s, &x->order, &y->order) ||
        !expr_pair_same(s, x->condition, y->condition) ||
        !expr_pair_same(s, x->limit, y->limit) ||
        !tables_same(s, x->sets, x->n_sets, y->sets, y->n_sets) ||
        !tables_same(s, x->projections, x->n_projections, y->projections,
                     y->n_projections))
        return false;
    if (x->kind == PLAN_JOIN && x->join_type == JOIN_EXISTENCE)
        pair(s, y->exists_id, x->exists_id);
    if (makes_output(x))
        return made_same(s, &x->output, &y->output);
    return true;
}

bool plan_same(const struct plan *a, const struct plan *b)
{
    struct arena scratch = { 0 };
    struct pairs s = { .arena = &scratch };
    bool same = a == b || walk(&s, a, b);

    map_release(&s.to);
    arena_release(&scratch);
    return same;
}

/* ---- new ids ---- */

static void renew(struct pairs *s, uint32_t id)
{
    if (map_get(&s->to, id) == MAP_NONE)
        pair(s, id, next_expr_id());
}

static void renew_list(struct pairs *s, const struct exprs *made)
{
    for (uint32_t i = 0; i < made->n; i++)
        renew(s, made->at[i]->id);
}

static void renew_made(struct pairs *s, const struct plan *p);

static bool renew_below(void *ctx, const struct expr *e)
{
    if (e->kind == EXPR_ALIAS)
        renew(ctx, e->id);
    if (e->plan)
        renew_made(ctx, e->plan);
    return false;
}

static void renew_expr(void *ctx, struct expr *e)
{
    expr_any(e, renew_below, ctx);
}

static void renew_made(struct pairs *s, const struct plan *p)
{
    for (uint32_t i = 0; i < p->n_children; i++)
        renew_made(s, p->children[i]);
    plan_each_expr(p, renew_expr, s);
    if (makes_output(p))
        renew_list(s, &p->output);
    if (p->kind == PLAN_JOIN && p->join_type == JOIN_EXISTENCE)
        renew(s, p->exists_id);
}

static struct plan *renew_node(void *ctx, struct plan *p)
{
    struct pairs *s = ctx;
    struct plan *copy = plan_copy(s->arena, plan_map_exprs(s->arena, p, read_expr, s));

    if (makes_output(p)) {
        copy->output = exprs_new(s->arena, p->output.n);
        for (uint32_t i = 0; i < p->output.n; i++)
            copy->output.at[i] = read_expr(s, p->output.at[i]);
    }
    if (p->kind == PLAN_JOIN && p->join_type == JOIN_EXISTENCE)
        copy->exists_id = map_get(&s->to, p->exists_id);
    return copy;
}

struct plan *plan_fresh(struct arena *a, struct plan *p)
{
    struct pairs s = { .arena = a, .renewing = true };

    renew_made(&s, p);
    p = plan_transform_up(a, p, renew_node, &s);
    map_release(&s.to);
    return p;
}
