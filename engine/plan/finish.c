/* From an analysed plan to one that the optimiser works on: what only gave names goes.
 *
 * Join hints come first, as they must be seen through aliases: a hint belongs to the side
 * of the nearest join above it, nodes with one child in between do not matter (Spark's
 * EliminateResolvedHint). Then aliases and views are their children, and each reference
 * to a CTE is its definition. A second use of one gets new ids, with a Project that gives
 * its columns the ids which the reference had. */
#include "engine/plan/plan.h"

/* ---- hints ---- */

/* Children through which a hint reaches the join above. */
static bool hints_pass(const struct plan *p)
{
    return p->n_children == 1 || p->kind == PLAN_INTERSECT || p->kind == PLAN_EXCEPT;
}

/* The plan without the hints of its side; the outermost one counts. */
static struct plan *take_hints(struct arena *a, struct plan *p, enum join_hint *hint)
{
    struct plan *to[2];

    if (p->kind == PLAN_HINT) {
        if (*hint == HINT_NONE)
            *hint = p->hint_left;
        return take_hints(a, p->children[0], hint);
    }
    if (!hints_pass(p) || p->n_children > ARRAY_LEN(to))
        return p;
    memcpy(to, p->children, p->n_children * sizeof *to);
    to[0] = take_hints(a, to[0], hint);
    return plan_with_children(a, p, to);
}

static struct plan *hints_to_join(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    enum join_hint left = HINT_NONE, right = HINT_NONE;
    struct plan *to[2];

    if (p->kind != PLAN_JOIN || p->hint_left != HINT_NONE || p->hint_right != HINT_NONE)
        return p;
    to[0] = take_hints(a, p->children[0], &left);
    to[1] = take_hints(a, p->children[1], &right);
    if (left == HINT_NONE && right == HINT_NONE)
        return p;
    p = plan_copy(a, plan_with_children(a, p, to));
    p->hint_left = left;
    p->hint_right = right;
    return p;
}

/* Views cast each column to the type that it had when the view was made: as a rule the
 * one it still has. */
static struct expr *drop_idle_cast(void *ctx, struct expr *e)
{
    (void)ctx;
    while (e->kind == EXPR_CAST && type_eq(e->type, e->args[0]->type))
        e = e->args[0];
    return e;
}

static struct expr *drop_idle_casts(void *ctx, struct expr *e)
{
    return expr_transform_up(ctx, e, drop_idle_cast, NULL);
}

static struct plan *drop_names(void *ctx, struct plan *p)
{
    if (p->kind == PLAN_VIEW && p->children[0]->kind == PLAN_PROJECT)
        return plan_map_exprs(ctx, p->children[0], drop_idle_casts, ctx);
    while (p->kind == PLAN_HINT || p->kind == PLAN_SUBQUERY_ALIAS || p->kind == PLAN_VIEW)
        p = p->children[0];
    return p;
}

/* ---- CTEs ---- */

struct scope { /* definitions in sight, innermost first */
    struct scope *outer;
    uint32_t cte_id;
    struct plan *plan;
    bool used;
};

struct finishing {
    struct arena *arena;
    struct scope *scope;
};

static struct plan *inline_ctes(struct finishing *f, struct plan *p);

/* The columns of p under the ids that `as` has. */
static struct plan *under_ids(struct arena *a, struct plan *p, const struct exprs *as)
{
    const struct exprs *out = plan_output(a, p);
    struct exprs list = exprs_new(a, as->n);
    bool same = out->n == as->n;

    for (uint32_t i = 0; i < as->n && i < out->n; i++) {
        same = same && out->at[i]->id == as->at[i]->id;
        list.at[i] = out->at[i]->id == as->at[i]->id
                         ? out->at[i]
                         : expr_alias(a, out->at[i], as->at[i]->name, as->at[i]->id);
    }
    return same ? p : plan_project(a, list, p);
}

static struct plan *resolve_ref(struct finishing *f, struct plan *p)
{
    struct scope *s = f->scope;
    struct plan *def;

    while (s && s->cte_id != p->cte_id)
        s = s->outer;
    if (!s)
        return p;
    def = s->used ? plan_fresh(f->arena, s->plan) : s->plan;
    s->used = true;
    return under_ids(f->arena, def, &p->output);
}

static struct plan *inline_with(struct finishing *f, struct plan *p)
{
    struct scope *before = f->scope;
    struct plan *body;

    for (uint32_t i = 1; i < p->n_children; i++) {
        struct scope *s = ARENA_NEW(f->arena, struct scope);

        s->plan = inline_ctes(f, p->children[i]->children[0]);
        s->cte_id = p->children[i]->cte_id;
        s->outer = f->scope;
        f->scope = s;
    }
    body = inline_ctes(f, p->children[0]);
    f->scope = before;
    return body;
}

static struct expr *inline_in_expr(void *ctx, struct expr *e)
{
    struct finishing *f = ctx;
    struct plan *to = e->plan ? inline_ctes(f, e->plan) : NULL;
    struct expr *copy;

    if (to == e->plan)
        return e;
    copy = expr_copy(f->arena, e);
    copy->plan = to;
    return copy;
}

static struct expr *inline_in_exprs(void *ctx, struct expr *e)
{
    struct finishing *f = ctx;

    return expr_has_subquery(e) ? expr_transform_up(f->arena, e, inline_in_expr, f) : e;
}

static struct plan *inline_ctes(struct finishing *f, struct plan *p)
{
    if (p->kind == PLAN_WITH)
        return inline_with(f, p);
    if (p->kind == PLAN_CTE_REF)
        return resolve_ref(f, p);
    if (p->n_children) {
        struct plan **to = arena_array(f->arena, p->n_children, sizeof *to);

        for (uint32_t i = 0; i < p->n_children; i++)
            to[i] = inline_ctes(f, p->children[i]);
        p = plan_with_children(f->arena, p, to);
    }
    return plan_map_exprs(f->arena, p, inline_in_exprs, f);
}

/* ---- all of it ---- */

static struct plan *finish_names(void *ctx, struct plan *p)
{
    struct arena *a = ctx;

    p = plan_transform_up(a, p, hints_to_join, a);
    p = plan_transform_up(a, p, drop_names, a);
    return plan_transform_subqueries(a, p, finish_names, a);
}

struct plan *plan_finish(struct arena *a, struct plan *p)
{
    struct finishing f = { .arena = a };

    return inline_ctes(&f, finish_names(a, p));
}
