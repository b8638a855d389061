/* Constraints: what holds for every row of a plan; and the filters that follow. */
#include "engine/plan/opt_int.h"

/* ---- IS NOT NULL ---- */

static struct expr *not_null(struct arena *a, struct expr *e)
{
    return opt_call1(a, FUNC_IS_NOT_NULL, e);
}

static bool is_strict(const struct expr *e)
{
    if (e->kind == EXPR_CAST)
        return true;
    return e->kind == EXPR_CALL && (e->func->flags & FUNC_NULL_INTOLERANT);
}

/* Attributes without which e is NULL. */
static void add_strict(struct arena *a, struct expr *e, struct exprs *out)
{
    if (e->kind == EXPR_ATTRIBUTE)
        opt_add(a, out, not_null(a, e));
    if (!is_strict(e))
        return;
    for (uint32_t i = 0; i < e->n_args; i++)
        add_strict(a, e->args[i], out);
}

static void add_not_nulls(struct arena *a, const struct exprs *constraints,
                          const struct exprs *output, struct exprs *out)
{
    struct exprs found = { 0 };

    for (uint32_t i = 0; i < constraints->n; i++) {
        struct expr *e = constraints->at[i];

        if (!opt_is_call(e, FUNC_IS_NOT_NULL))
            add_strict(a, e, &found);
        else if (e->args[0]->kind != EXPR_ATTRIBUTE)
            add_strict(a, e->args[0], &found);
    }
    for (uint32_t i = 0; i < output->n; i++)
        if (!output->at[i]->nullable)
            opt_add(a, &found, not_null(a, output->at[i]));
    for (uint32_t i = 0; i < found.n; i++)
        if (!opt_has(constraints, found.at[i]))
            opt_add(a, out, found.at[i]);
}

/* ---- what follows from equalities ---- */

static bool is_cast_attribute(const struct expr *e)
{
    return e->kind == EXPR_CAST && e->args[0]->kind == EXPR_ATTRIBUTE;
}

static void add_replaced(struct arena *a, const struct exprs *predicates,
                         const struct expr *but, struct expr *from, struct expr *to,
                         struct exprs *out)
{
    struct exprs x = { &from, 1 }, y = { &to, 1 };

    for (uint32_t i = 0; i < predicates->n; i++) {
        struct expr *e = predicates->at[i], *replaced;

        if (expr_same(e, but))
            continue;
        replaced = opt_replace(a, e, &x, &y);
        if (replaced != e && !opt_has(predicates, replaced))
            opt_add(a, out, replaced);
    }
}

static struct exprs inferred(struct arena *a, const struct exprs *constraints)
{
    struct exprs predicates = exprs_new(a, constraints->n), out = { 0 };

    predicates.n = 0;
    for (uint32_t i = 0; i < constraints->n; i++)
        if (!opt_is_call(constraints->at[i], FUNC_IS_NOT_NULL))
            predicates.at[predicates.n++] = constraints->at[i];
    for (uint32_t i = 0; i < predicates.n; i++) {
        struct expr *e = predicates.at[i], *l, *r;

        if (!opt_is_call(e, FUNC_EQ))
            continue;
        l = e->args[0];
        r = e->args[1];
        if (l->kind == EXPR_ATTRIBUTE && r->kind == EXPR_ATTRIBUTE) {
            add_replaced(a, &predicates, e, l, r, &out);
            add_replaced(a, &predicates, e, r, l, &out);
        } else if (is_cast_attribute(l) && r->kind == EXPR_ATTRIBUTE) {
            add_replaced(a, &predicates, e, r, l, &out);
        } else if (l->kind == EXPR_ATTRIBUTE && is_cast_attribute(r)) {
            add_replaced(a, &predicates, e, l, r, &out);
        }
    }
    return opt_minus(a, &out, constraints);
}

/* ---- constraints of a plan ---- */

static void add_all(struct arena *a, struct exprs *set, const struct exprs *more)
{
    for (uint32_t i = 0; i < more->n; i++)
        opt_add(a, set, more->at[i]);
}

static void add_conjuncts(struct arena *a, struct exprs *set, struct expr *e)
{
    struct exprs list = opt_split(a, e);

    add_all(a, set, &list);
}

struct same_as {
    struct expr *what, *attribute;
};

static struct expr *put_attribute(void *ctx, struct expr *e)
{
    const struct same_as *s = ctx;

    return expr_same(e, s->what) ? s->attribute : e;
}

/* An alias is equal to what it stands for, in all that is known of that. */
static struct exprs with_aliases(struct arena *a, struct exprs set,
                                 const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *item = list->at[i];
        struct same_as s;
        uint32_t n = set.n;

        if (item->kind != EXPR_ALIAS || expr_has_aggregate(item) ||
            !expr_deterministic(item))
            continue;
        s = (struct same_as){ item->args[0], expr_to_attribute(a, item) };
        if (s.what->kind == EXPR_LITERAL) {
            opt_add(a, &set,
                    s.what->value.null
                        ? opt_call2(a, FUNC_EQ_NULL_SAFE, s.attribute, s.what)
                        : opt_call2(a, FUNC_EQ_NULL_SAFE, s.attribute, s.what));
            continue;
        }
        for (uint32_t k = 0; k < n; k++) {
            struct expr *e = expr_transform_down(a, set.at[k], put_attribute, &s);

            if (e != set.at[k])
                opt_add(a, &set, e);
        }
        opt_add(a, &set, opt_call2(a, FUNC_EQ_NULL_SAFE, s.what, s.attribute));
    }
    return set;
}

static struct exprs join_constraints(struct arena *a, struct plan *p)
{
    struct exprs set = { 0 }, right;

    if (p->join_type == JOIN_FULL)
        return set;
    if (p->join_type == JOIN_RIGHT)
        return opt_constraints(a, p->children[1]);
    set = opt_constraints(a, p->children[0]);
    if (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS) {
        right = opt_constraints(a, p->children[1]);
        add_all(a, &set, &right);
    }
    if (p->condition && (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS ||
                         p->join_type == JOIN_SEMI))
        add_conjuncts(a, &set, p->condition);
    return set;
}

/* What holds in every branch, said about the first one's columns. */
static struct exprs union_constraints(struct arena *a, struct plan *p)
{
    struct exprs set = opt_constraints(a, p->children[0]);

    for (uint32_t k = 1; k < p->n_children; k++) {
        struct exprs other = opt_constraints(a, p->children[k]), both = { 0 };

        for (uint32_t i = 0; i < set.n; i++) {
            struct expr *e = opt_replace(a, set.at[i], plan_output(a, p->children[0]),
                                         plan_output(a, p->children[k]));
            if (opt_has(&other, e))
                opt_add(a, &both, set.at[i]);
        }
        set = both;
    }
    return set;
}

static struct exprs valid(struct arena *a, struct plan *p)
{
    struct exprs set = { 0 };

    switch (p->kind) {
    case PLAN_FILTER:
        set = opt_constraints(a, p->children[0]);
        add_conjuncts(a, &set, p->condition);
        return set;
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
        return with_aliases(a, opt_constraints(a, p->children[0]), &p->list);
    case PLAN_JOIN:
        return join_constraints(a, p);
    case PLAN_UNION:
        return union_constraints(a, p);
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
    case PLAN_SORT:
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
    case PLAN_DISTINCT:
    case PLAN_WINDOW:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
    case PLAN_SAMPLE:
        return opt_constraints(a, p->children[0]);
    default:
        return set;
    }
}

static struct exprs about_output(struct arena *a, const struct exprs *set,
                                 const struct exprs *output)
{
    struct exprs out = exprs_new(a, set->n);

    out.n = 0;
    for (uint32_t i = 0; i < set->n; i++)
        if (!opt_uses_none(a, set->at[i]) && opt_covers(a, output, set->at[i]) &&
            expr_deterministic(set->at[i]))
            out.at[out.n++] = set->at[i];
    return out;
}

struct exprs opt_constraints(struct arena *a, struct plan *p)
{
    struct exprs set = valid(a, p), more = inferred(a, &set), strict = { 0 };
    const struct exprs *output = plan_output(a, p);

    add_not_nulls(a, &set, output, &strict);
    set = exprs_copy(a, &set);
    add_all(a, &set, &more);
    add_all(a, &set, &strict);
    return about_output(a, &set, output);
}

/* ---- InferFiltersFromConstraints ---- */

static struct plan *infer_filter(struct arena *a, struct plan *p)
{
    struct exprs all = opt_constraints(a, p);
    struct exprs known = opt_constraints(a, p->children[0]);
    struct exprs more;

    add_conjuncts(a, &known, p->condition);
    more = opt_minus(a, &all, &known);
    if (!more.n)
        return p;
    return plan_filter(a, opt_and(a, opt_join_and(a, &more), p->condition),
                       p->children[0]);
}

static struct plan *infer_side(struct arena *a, struct plan *side,
                               const struct exprs *constraints)
{
    struct exprs known = opt_constraints(a, side), all = exprs_copy(a, constraints);
    const struct exprs *output = plan_output(a, side);
    struct exprs more = { 0 };

    add_not_nulls(a, constraints, output, &more);
    add_all(a, &all, &more);
    all = about_output(a, &all, output);
    more = opt_minus(a, &all, &known);
    return opt_filter(a, opt_join_and(a, &more), side);
}

static struct plan *infer_join(struct arena *a, struct plan *p)
{
    struct exprs all, right, more;
    struct plan *to[2] = { p->children[0], p->children[1] };

    if (p->join_type == JOIN_FULL || p->join_type == JOIN_EXISTENCE)
        return p;
    all = exprs_copy(a, &(struct exprs){ 0 });
    right = opt_constraints(a, to[0]);
    add_all(a, &all, &right);
    right = opt_constraints(a, to[1]);
    add_all(a, &all, &right);
    if (p->condition)
        add_conjuncts(a, &all, p->condition);
    more = inferred(a, &all);
    add_all(a, &all, &more);
    if (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS ||
        p->join_type == JOIN_SEMI || p->join_type == JOIN_RIGHT)
        to[0] = infer_side(a, to[0], &all);
    if (p->join_type != JOIN_RIGHT)
        to[1] = infer_side(a, to[1], &all);
    return plan_with_children(a, p, to);
}

static struct plan *infer(void *ctx, struct plan *p)
{
    if (p->kind == PLAN_FILTER)
        return infer_filter(ctx, p);
    return p->kind == PLAN_JOIN ? infer_join(ctx, p) : p;
}

static struct plan *infer_filters(struct rewrite_env *env, struct plan *p)
{
    if (!settings_bool(env->settings, SET_CONSTRAINTS))
        return p;
    return plan_transform_down(env->arena, p, infer, env->arena);
}

REWRITE(InferFiltersFromConstraints, infer_filters);
