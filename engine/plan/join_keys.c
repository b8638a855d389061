/* Equi-join keys out of a join's condition. */
#include "engine/plan/join_keys.h"

#include "engine/expr/func.h"

bool expr_fits(struct arena *a, const struct expr *e, const struct exprs *columns)
{
    struct expr_set used = { 0 };

    expr_references(a, e, &used);
    for (uint32_t i = 0; i < used.n; i++)
        if (!exprs_find(columns, used.ids[i]))
            return false;
    return true;
}

static bool is_call(const struct expr *e, enum func_id id)
{
    return e->kind == EXPR_CALL && e->func->id == id;
}

/* Puts the operands of a comparison on their sides of the join. */
static bool sides_of(struct arena *a, struct plan *join, const struct expr *e,
                     struct expr **left, struct expr **right)
{
    const struct exprs *l = plan_output(a, join->children[0]);
    const struct exprs *r = plan_output(a, join->children[1]);
    struct expr *x = e->args[0], *y = e->args[1];

    if (expr_foldable(x) || expr_foldable(y))
        return false;
    for (int turn = 0; turn < 2; turn++) {
        if (expr_fits(a, x, l) && expr_fits(a, y, r)) {
            *left = x;
            *right = y;
            return true;
        }
        x = e->args[1];
        y = e->args[0];
    }
    return false;
}

/* Spark's Literal.default: zero, empty, false. */
static struct value default_of(struct type t)
{
    struct value v = { .type = t };

    if (type_is_text(t))
        v.u.s = SV("");
    else if (t.id == TYPE_DECIMAL)
        v.u.dec = 0;
    return v;
}

static struct expr *or_default(struct arena *a, struct expr *e)
{
    struct expr *call = expr_call(a, func_of(FUNC_COALESCE), e->type, 2, e,
                                  expr_literal(a, default_of(e->type)));

    call->nullable = false;
    return call;
}

static struct expr *is_null(struct arena *a, struct expr *e)
{
    struct expr *call = expr_call(a, func_of(FUNC_IS_NULL), type_of(TYPE_BOOLEAN), 1, e);

    call->nullable = false;
    return call;
}

static void add_pair(struct arena *a, struct join_keys *k, struct expr *l, struct expr *r)
{
    k->left = exprs_add(a, &k->left, l);
    k->right = exprs_add(a, &k->right, r);
}

struct join_keys join_keys_of(struct arena *a, struct plan *join)
{
    struct join_keys k = { 0 };
    struct expr **parts;
    uint32_t n, n_rest = 0;

    if (!join->condition)
        return k;
    n = expr_split_and(a, join->condition, &parts);
    for (uint32_t i = 0; i < n; i++) {
        struct expr *e = parts[i], *l, *r;

        if (is_call(e, FUNC_EQ) && sides_of(a, join, e, &l, &r)) {
            add_pair(a, &k, l, r);
        } else if (is_call(e, FUNC_EQ_NULL_SAFE) && sides_of(a, join, e, &l, &r)) {
            add_pair(a, &k, or_default(a, l), or_default(a, r));
            add_pair(a, &k, is_null(a, l), is_null(a, r));
        } else {
            parts[n_rest++] = e;
        }
    }
    if (n_rest)
        k.rest = expr_join_and(a, parts, n_rest);
    return k;
}

bool join_null_aware(struct arena *a, struct plan *join, struct expr **left,
                     struct expr **right)
{
    const struct expr *e = join->condition;

    if (join->join_type != JOIN_ANTI || !e || !is_call(e, FUNC_OR))
        return false;
    if (!is_call(e->args[0], FUNC_EQ) || !is_call(e->args[1], FUNC_IS_NULL))
        return false;
    if (!expr_same(e->args[0], e->args[1]->args[0]))
        return false;
    return sides_of(a, join, e->args[0], left, right);
}
