/* Truth: AND, OR, NOT, comparisons of a thing with itself, and NULL where only true
 * counts.
 *
 * NULL makes these rules delicate: a AND NOT a is false, but NULL where a is NULL. Each
 * rule here holds for all three values, or asks for an operand that is never NULL. */
#include "engine/plan/opt_int.h"

static bool is(const struct expr *e, enum func_id id)
{
    return opt_is_call(e, id);
}

static struct expr *negated(struct arena *a, struct expr *e)
{
    return opt_call1(a, FUNC_NOT, e);
}

/* Is y NOT x, or x NOT y? */
static bool opposite(struct arena *a, struct expr *x, struct expr *y)
{
    return expr_same(negated(a, x), y) || expr_same(x, negated(a, y));
}

static struct expr *logic(struct arena *a, bool conj, struct expr *x, struct expr *y)
{
    return opt_call2(a, conj ? FUNC_AND : FUNC_OR, x, y);
}

/* ---- BooleanSimplification ---- */

static struct expr *null_or(struct arena *a, struct expr *x, bool otherwise)
{
    return expr_call(a, func_of(FUNC_IF), type_of(TYPE_BOOLEAN), 3,
                     opt_call1(a, FUNC_IS_NULL, x), opt_null_of(a, type_of(TYPE_BOOLEAN)),
                     opt_bool(a, otherwise));
}

/* x AND (NOT x OR c) is x AND c, if x is never NULL. NULL: nothing of the kind. */
static struct expr *absorb(struct arena *a, bool conj, struct expr *x, struct expr *y)
{
    enum func_id inner = conj ? FUNC_OR : FUNC_AND;

    if (is(y, inner) && !x->nullable) {
        if (expr_same(negated(a, x), y->args[0]))
            return logic(a, conj, x, y->args[1]);
        if (expr_same(negated(a, x), y->args[1]))
            return logic(a, conj, x, y->args[0]);
    }
    if (is(x, inner) && !y->nullable) {
        if (expr_same(x->args[0], negated(a, y)))
            return logic(a, conj, x->args[1], y);
        if (expr_same(x->args[1], negated(a, y)))
            return logic(a, conj, x->args[0], y);
    }
    return NULL;
}

static void split_chain(struct arena *a, enum func_id id, struct expr *e,
                        struct exprs *out)
{
    if (!is(e, id)) {
        *out = exprs_add(a, out, e);
        return;
    }
    split_chain(a, id, e->args[0], out);
    split_chain(a, id, e->args[1], out);
}

static struct expr *chain(struct arena *a, bool conj, const struct exprs *list)
{
    struct expr *e = list->at[0];

    for (uint32_t i = 1; i < list->n; i++)
        e = logic(a, conj, e, list->at[i]);
    return e;
}

/* Neighbours are paired until one is left. */
static struct expr *balanced(struct arena *a, bool conj, struct expr **at, uint32_t n)
{
    while (n > 1) {
        uint32_t to = 0;

        for (uint32_t i = 0; i < n; i += 2)
            at[to++] = i + 1 < n ? logic(a, conj, at[i], at[i + 1]) : at[i];
        n = to;
    }
    return at[0];
}

/* Each operand once: (a AND b) AND a AND (a AND c) is a AND b AND c. */
static struct expr *without_repeats(struct arena *a, bool conj, struct expr *e)
{
    struct exprs all = { 0 }, once = { 0 };

    split_chain(a, conj ? FUNC_AND : FUNC_OR, e, &all);
    for (uint32_t i = 0; i < all.n; i++)
        if (!opt_has(&once, all.at[i]) || !expr_deterministic(all.at[i]))
            once = exprs_add(a, &once, all.at[i]);
    return once.n == all.n ? e : balanced(a, conj, once.at, once.n);
}

/* (a OR b) AND (a OR c) is a OR (b AND c); likewise with AND and OR exchanged. */
static struct expr *factor_out(struct arena *a, bool conj, struct expr *e)
{
    enum func_id inner = conj ? FUNC_OR : FUNC_AND;
    struct exprs left = { 0 }, right = { 0 }, common = { 0 };
    struct exprs left_rest, right_rest;

    split_chain(a, inner, e->args[0], &left);
    split_chain(a, inner, e->args[1], &right);
    for (uint32_t i = 0; i < left.n; i++)
        if (opt_has(&right, left.at[i]))
            common = exprs_add(a, &common, left.at[i]);
    if (!common.n)
        return without_repeats(a, conj, e);
    left_rest = opt_minus(a, &left, &common);
    right_rest = opt_minus(a, &right, &common);
    if (left_rest.n && right_rest.n)
        common = exprs_add(
            a, &common,
            logic(a, conj, chain(a, !conj, &left_rest), chain(a, !conj, &right_rest)));
    return chain(a, !conj, &common);
}

static struct expr *simplify_pair(struct arena *a, struct expr *e)
{
    bool conj = e->func->id == FUNC_AND;
    struct expr *x = e->args[0], *y = e->args[1], *to;

    if (conj ? opt_is_true(x) : opt_is_false(x))
        return y;
    if (conj ? opt_is_true(y) : opt_is_false(y))
        return x;
    if (conj ? opt_is_false(x) || opt_is_false(y) : opt_is_true(x) || opt_is_true(y))
        return opt_bool(a, !conj);
    if (opposite(a, x, y) && expr_deterministic(x))
        return null_or(a, is(y, FUNC_NOT) && expr_same(y->args[0], x) ? x : y, !conj);
    if (expr_same(x, y) && expr_deterministic(x))
        return x;
    to = absorb(a, conj, x, y);
    return to ? to : factor_out(a, conj, e);
}

static struct expr *simplify_not(struct arena *a, struct expr *e)
{
    static const enum func_id turned[][2] = {
        { FUNC_GT, FUNC_LE },
        { FUNC_GE, FUNC_LT },
        { FUNC_LT, FUNC_GE },
        { FUNC_LE, FUNC_GT },
        { FUNC_IS_NULL, FUNC_IS_NOT_NULL },
        { FUNC_IS_NOT_NULL, FUNC_IS_NULL },
    };
    struct expr *x = e->args[0];

    if (opt_is_true(x) || opt_is_false(x))
        return opt_bool(a, opt_is_false(x));
    if (x->kind != EXPR_CALL)
        return e;
    for (size_t i = 0; i < ARRAY_LEN(turned); i++)
        if (x->func->id == turned[i][0])
            return x->n_args == 1 ? opt_call1(a, turned[i][1], x->args[0])
                                  : opt_call2(a, turned[i][1], x->args[0], x->args[1]);
    if (is(x, FUNC_NOT))
        return x->args[0];
    if (is(x, FUNC_AND) || is(x, FUNC_OR))
        return logic(a, is(x, FUNC_OR), negated(a, x->args[0]), negated(a, x->args[1]));
    return e;
}

static struct expr *simplify_boolean(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;

    if (is(e, FUNC_AND) || is(e, FUNC_OR))
        return simplify_pair(env->arena, e);
    return is(e, FUNC_NOT) ? simplify_not(env->arena, e) : e;
}

static struct plan *simplify_booleans(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, simplify_boolean, env);
}

/* ---- SimplifyBinaryComparison ---- */

struct comparing {
    struct arena *arena;
    struct exprs not_null; /* what a Filter around says IS NOT NULL of */
};

static bool is_comparison(const struct expr *e)
{
    return is(e, FUNC_EQ) || is(e, FUNC_EQ_NULL_SAFE) || is(e, FUNC_LT) ||
           is(e, FUNC_LE) || is(e, FUNC_GT) || is(e, FUNC_GE);
}

/* x = true is x; x = false is NOT x. */
static struct expr *compare_with_truth(struct arena *a, struct expr *e)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct expr *lit = e->args[i], *x = e->args[1 - i];

        if (!opt_is_true(lit) && !opt_is_false(lit))
            continue;
        if (is(e, FUNC_EQ_NULL_SAFE) && x->nullable)
            continue;
        return opt_is_true(lit) ? x : negated(a, x);
    }
    return e;
}

static struct expr *simplify_comparison(void *ctx, struct expr *e)
{
    struct comparing *c = ctx;
    struct expr *x, *y;

    if (!is_comparison(e))
        return e;
    x = e->args[0];
    y = e->args[1];
    if (expr_same(x, y) && expr_deterministic(x)) {
        if (is(e, FUNC_EQ_NULL_SAFE))
            return opt_bool(c->arena, true);
        if (opt_has(&c->not_null, x) || (!x->nullable && !y->nullable))
            return opt_bool(c->arena, !is(e, FUNC_LT) && !is(e, FUNC_GT));
    }
    if (is(e, FUNC_EQ) || is(e, FUNC_EQ_NULL_SAFE))
        return compare_with_truth(c->arena, e);
    return e;
}

static struct expr *simplify_in(void *ctx, struct expr *e)
{
    struct comparing *c = ctx;

    return expr_transform_up(c->arena, e, simplify_comparison, c);
}

static struct plan *simplify_node(void *ctx, struct plan *p)
{
    struct comparing c = { .arena = ctx };

    if (p->kind == PLAN_FILTER) {
        struct exprs all = opt_split(c.arena, p->condition);

        for (uint32_t i = 0; i < all.n; i++)
            if (is(all.at[i], FUNC_IS_NOT_NULL))
                opt_add(c.arena, &c.not_null, all.at[i]->args[0]);
    }
    return plan_map_exprs(c.arena, p, simplify_in, &c);
}

static struct plan *simplify_comparisons(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, simplify_node, env->arena);
}

/* ---- ReplaceNullWithFalseInPredicate ---- */

/* x NOT IN (.., NULL) is never true. */
static bool is_not_in_null(const struct expr *e)
{
    const struct expr *in = is(e, FUNC_NOT) ? e->args[0] : NULL;

    for (uint32_t i = 1; in && in->kind == EXPR_IN && i < in->n_args; i++)
        if (opt_is_null(in->args[i]))
            return true;
    return false;
}

/* In the place of a condition, where NULL does what false does. */
static struct expr *null_to_false(struct arena *a, struct expr *e)
{
    struct expr *copy = e;
    bool all_false = true;

    if (e->type.id != TYPE_BOOLEAN)
        return e;
    if (opt_is_null(e) || is_not_in_null(e))
        return opt_bool(a, false);
    if (e->kind != EXPR_CASE && !is(e, FUNC_AND) && !is(e, FUNC_OR) && !is(e, FUNC_IF))
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *to = null_to_false(a, e->args[i]);

        if (e->kind == EXPR_CASE && i % 2)
            all_false = all_false && opt_is_false(to);
        if (to == e->args[i])
            continue;
        if (copy == e)
            copy = expr_copy(a, e);
        copy->args[i] = to;
    }
    if (e->kind == EXPR_CASE && e->n_args % 2 == 0 && all_false) {
        struct expr *whole = expr_new(a, EXPR_CASE, e->n_args + 1);

        memcpy(whole->args, copy->args, e->n_args * sizeof *whole->args);
        whole->args[e->n_args] = opt_bool(a, false);
        copy = whole;
    }
    if (copy != e)
        expr_settle(copy);
    return copy;
}

static struct expr *conditions_of(void *ctx, struct expr *e)
{
    struct arena *a = ctx;
    struct expr *copy = e;
    uint32_t n = is(e, FUNC_IF) ? 1 : e->kind == EXPR_CASE ? e->n_args / 2 * 2 : 0;

    for (uint32_t i = 0; i < n; i += 2) {
        struct expr *to = null_to_false(a, e->args[i]);

        if (to == e->args[i])
            continue;
        if (copy == e)
            copy = expr_copy(a, e);
        copy->args[i] = to;
    }
    return copy;
}

static struct expr *conditions_in(void *ctx, struct expr *e)
{
    return expr_transform_up(ctx, e, conditions_of, ctx);
}

static struct plan *null_to_false_in(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *copy;
    struct expr *to;

    if ((p->kind != PLAN_FILTER && p->kind != PLAN_JOIN) || !p->condition)
        return plan_map_exprs(a, p, conditions_in, a);
    to = conditions_in(a, null_to_false(a, p->condition));
    if (to == p->condition)
        return p;
    copy = plan_copy(a, p);
    copy->condition = to;
    return copy;
}

static struct plan *nulls_to_false(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, null_to_false_in, env->arena);
}

/* ---- NullDownPropagation: (NOT x) IS NULL is x IS NULL ---- */

static bool null_only_from_below(const struct expr *e)
{
    return is(e, FUNC_NOT) || is(e, FUNC_LT) || is(e, FUNC_LE) || is(e, FUNC_GT) ||
           is(e, FUNC_GE);
}

static struct expr *null_test_down(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;
    struct expr *x, *left;

    if ((!is(e, FUNC_IS_NULL) && !is(e, FUNC_IS_NOT_NULL)) ||
        !null_only_from_below(e->args[0]) || !expr_deterministic(e))
        return e;
    x = e->args[0];
    left = null_test_down(env, opt_call1(env->arena, e->func->id, x->args[0]));
    if (x->n_args == 1)
        return left;
    return logic(env->arena, is(e, FUNC_IS_NOT_NULL), left,
                 null_test_down(env, opt_call1(env->arena, e->func->id, x->args[1])));
}

static struct plan *null_tests_down(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, null_test_down, env);
}

/* ---- ConstantPropagation: i = 5 AND j = i + 3 is i = 5 AND j = 8 ---- */

struct propagation {
    struct arena *arena;
    struct exprs attributes, literals, equalities;
};

/* Adds e if it says what an attribute's value is. */
static bool note_equality(struct propagation *c, struct expr *e, bool null_is_false)
{
    if (!is(e, FUNC_EQ) && !is(e, FUNC_EQ_NULL_SAFE))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        struct expr *x = e->args[i], *lit = e->args[1 - i];

        if (x->kind != EXPR_ATTRIBUTE || lit->kind != EXPR_LITERAL ||
            (x->nullable && !null_is_false))
            continue;
        c->attributes = exprs_add(c->arena, &c->attributes, x);
        c->literals = exprs_add(c->arena, &c->literals, lit);
        c->equalities = exprs_add(c->arena, &c->equalities, e);
        return true;
    }
    return false;
}

static struct expr *put_constant(void *ctx, struct expr *e)
{
    struct propagation *c = ctx;

    for (uint32_t i = c->attributes.n; e->kind == EXPR_ATTRIBUTE && i--;)
        if (c->attributes.at[i]->id == e->id)
            return c->literals.at[i];
    return e;
}

static struct expr *put_constants(void *ctx, struct expr *e)
{
    struct propagation *c = ctx;

    if ((!is(e, FUNC_EQ) && !is(e, FUNC_EQ_NULL_SAFE)) || opt_has(&c->equalities, e))
        return e;
    return expr_transform_up(c->arena, e, put_constant, c);
}

static struct expr *propagate(struct arena *a, struct expr *e, struct propagation *outer,
                              bool null_is_false)
{
    struct propagation own = { .arena = a };
    struct expr *copy = e;

    if (note_equality(outer ? outer : &own, e, null_is_false) ||
        (!is(e, FUNC_AND) && !is(e, FUNC_OR) && !is(e, FUNC_NOT)))
        return e;
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct propagation *to = !is(e, FUNC_AND) ? NULL : outer ? outer : &own;
        struct expr *x = propagate(a, e->args[i], to, null_is_false && !is(e, FUNC_NOT));

        if (x == e->args[i])
            continue;
        if (copy == e)
            copy = expr_copy(a, e);
        copy->args[i] = x;
    }
    if (is(e, FUNC_AND) && !outer && own.attributes.n)
        return expr_transform_up(a, copy, put_constants, &own);
    return copy;
}

static struct plan *propagate_in(void *ctx, struct plan *p)
{
    struct expr *to;

    if (p->kind != PLAN_FILTER)
        return p;
    to = propagate(ctx, p->condition, NULL, true);
    return to == p->condition ? p : plan_filter(ctx, to, p->children[0]);
}

static struct plan *propagate_constants(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, propagate_in, env->arena);
}

REWRITE(BooleanSimplification, simplify_booleans);
REWRITE(SimplifyBinaryComparison, simplify_comparisons);
REWRITE(ReplaceNullWithFalseInPredicate, nulls_to_false);
REWRITE(NullDownPropagation, null_tests_down);
REWRITE(ConstantPropagation, propagate_constants);
