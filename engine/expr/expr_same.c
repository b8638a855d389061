/* Equality of expressions.
 *
 * expr_same() compares up to what Spark's canonical forms leave equal: a > b and b < a,
 * NOT a > b and a <= b, operands of a chain of one commutative operator in any order, the
 * list of IN in any order. Chains are matched as bags; a hash of each operand keeps that
 * from comparing every pair. */
#include "engine/expr/expr.h"

#include "engine/expr/func.h"
#include "engine/plan/plan.h"

typedef bool (*same_fn)(const struct expr *a, const struct expr *b);

static bool lists_equal(struct expr *const *a, struct expr *const *b, uint32_t n,
                        same_fn same)
{
    for (uint32_t i = 0; i < n; i++)
        if (!same(a[i], b[i]))
            return false;
    return true;
}

static bool both_equal(const struct expr *a, const struct expr *b, same_fn same)
{
    return a == b || (a && b && same(a, b));
}

static bool windows_equal(const struct window_spec *a, const struct window_spec *b,
                          same_fn same)
{
    if (a == b)
        return true;
    return a && b && a->n_partition == b->n_partition && a->n_order == b->n_order &&
           sv_eq(a->named, b->named) && a->has_frame == b->has_frame &&
           a->unit == b->unit && a->lower == b->lower && a->upper == b->upper &&
           lists_equal(a->partition, b->partition, a->n_partition, same) &&
           lists_equal(a->order, b->order, a->n_order, same) &&
           both_equal(a->lower_offset, b->lower_offset, same) &&
           both_equal(a->upper_offset, b->upper_offset, same);
}

static bool parts_equal(const struct expr *a, const struct expr *b)
{
    if (a->n_parts != b->n_parts)
        return false;
    for (uint32_t i = 0; i < a->n_parts; i++)
        if (!sv_eq(a->parts[i], b->parts[i]))
            return false;
    return true;
}

/* All that a node says besides its children. */
static bool nodes_equal(const struct expr *a, const struct expr *b)
{
    if (a->kind != b->kind || a->resolved != b->resolved ||
        (a->resolved && !type_eq(a->type, b->type)) || a->n_args != b->n_args ||
        a->n_outer != b->n_outer)
        return false;
    switch (a->kind) {
    case EXPR_NAME:
    case EXPR_STAR:
    case EXPR_LAMBDA_ARG:
        return parts_equal(a, b);
    case EXPR_FUNCTION:
        return parts_equal(a, b) && a->distinct == b->distinct &&
               a->ignore_nulls == b->ignore_nulls;
    case EXPR_LITERAL:
        return value_eq(&a->value, &b->value);
    case EXPR_ATTRIBUTE:
    case EXPR_ALIAS:
        return a->id == b->id;
    case EXPR_CALL:
        return a->func == b->func;
    case EXPR_CAST:
        return a->try_cast == b->try_cast && a->ansi == b->ansi &&
               type_eq(a->type, b->type);
    case EXPR_AGGREGATE:
        return a->agg == b->agg && a->distinct == b->distinct && a->mode == b->mode;
    case EXPR_SORT_ORDER:
        return a->descending == b->descending && a->nulls_last == b->nulls_last;
    case EXPR_SCALAR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_IN_SUBQUERY:
        return a->plan == b->plan || plan_same(a->plan, b->plan);
    case EXPR_BOUND:
        return a->index == b->index;
    case EXPR_SUBQUERY_RESULT:
        return a->slot == b->slot && a->id == b->id;
    case EXPR_CASE:
    case EXPR_IN:
    case EXPR_WINDOW:
    case EXPR_OUTER:
        return true;
    }
    return false;
}

static bool children_equal(const struct expr *a, const struct expr *b, same_fn same)
{
    return lists_equal(a->args, b->args, a->n_args, same) &&
           lists_equal(a->outer, b->outer, a->n_outer, same) &&
           both_equal(a->filter, b->filter, same) &&
           windows_equal(a->window, b->window, same);
}

bool expr_eq(const struct expr *a, const struct expr *b)
{
    return a == b || (nodes_equal(a, b) && children_equal(a, b, expr_eq));
}

/* A comparison read so that it says < or <=; NOT is gone into it. */
struct comparison {
    enum func_id id; /* FUNC_LT, FUNC_LE; FUNC_OTHER: no such comparison */
    bool swapped;
    const struct expr *left, *right;
};

static enum func_id call_id(const struct expr *e)
{
    return e->kind == EXPR_CALL ? e->func->id : FUNC_OTHER;
}

static struct comparison read_comparison(const struct expr *e)
{
    bool negated = call_id(e) == FUNC_NOT;
    struct comparison c = { .id = FUNC_OTHER };

    if (negated)
        e = e->args[0];
    enum func_id id = call_id(e);
    if (id != FUNC_LT && id != FUNC_LE && id != FUNC_GT && id != FUNC_GE)
        return c;
    bool strict = (id == FUNC_LT || id == FUNC_GT) != negated;
    c.swapped = (id == FUNC_GT || id == FUNC_GE) != negated;
    c.id = strict ? FUNC_LT : FUNC_LE;
    c.left = e->args[c.swapped ? 1 : 0];
    c.right = e->args[c.swapped ? 0 : 1];
    return c;
}

/* Order within a call of this kind does not count. */
static bool is_commutative(const struct expr *e)
{
    return e->kind == EXPR_CALL && (e->func->flags & FUNC_COMMUTATIVE);
}

/* A chain of them may be regrouped too. */
static bool is_associative(const struct expr *e)
{
    enum func_id id = call_id(e);

    return id == FUNC_AND || id == FUNC_OR || id == FUNC_ADD || id == FUNC_MULTIPLY;
}

static uint32_t mix(uint32_t h, uint64_t x)
{
    x = (x ^ h) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(x >> 32) ^ (uint32_t)x;
}

static uint32_t hash_same(const struct expr *e);

static bool add_hash(void *ctx, const struct expr *child)
{
    uint32_t *sum = ctx;

    *sum += mix(7, hash_same(child)); /* a sum: in any order */
    return false;
}

static void chain_hash(const struct expr *top, const struct expr *e, uint32_t *sum);

/* Equal for whatever expr_same() calls equal. */
static uint32_t hash_same(const struct expr *e)
{
    struct comparison c = read_comparison(e);
    uint32_t sum = 0;

    if (c.id != FUNC_OTHER)
        return mix(mix((uint32_t)c.id, hash_same(c.left)), hash_same(c.right));
    if (is_associative(e)) {
        chain_hash(e, e, &sum);
        return mix((uint32_t)call_id(e), sum);
    }
    expr_each_child(e, add_hash, &sum);
    uint32_t h = mix(mix((uint32_t)e->kind, sum), e->type.id);
    if (e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_ALIAS)
        h = mix(h, e->id);
    else if (e->kind == EXPR_CALL)
        h = mix(h, sv_hash(sv(e->func->name)));
    else if (e->kind == EXPR_BOUND)
        h = mix(h, e->index);
    else if (e->kind == EXPR_LITERAL && !e->value.null && type_is_text(e->type))
        h = mix(h, sv_hash(e->value.u.s));
    else if (e->kind == EXPR_LITERAL && !e->value.null && type_is_integral(e->type))
        h = mix(h, (uint64_t)e->value.u.i);
    return h;
}

static bool in_chain(const struct expr *top, const struct expr *e)
{
    return call_id(e) == call_id(top) && e->func == top->func &&
           type_eq(e->type, top->type);
}

static void chain_hash(const struct expr *top, const struct expr *e, uint32_t *sum)
{
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (in_chain(top, e->args[i]))
            chain_hash(top, e->args[i], sum);
        else
            add_hash(sum, e->args[i]);
    }
}

/* Operands of a chain, in the caller's arena. */
struct bag {
    struct arena *arena;
    const struct expr **at;
    uint32_t *hash;
    uint32_t n, cap;
};

static void bag_add(struct bag *bag, const struct expr *e)
{
    if (bag->n == bag->cap) {
        uint32_t cap = bag->cap ? bag->cap * 2 : 16;
        const struct expr **at = arena_array(bag->arena, cap, sizeof *at);
        uint32_t *hash = arena_array(bag->arena, cap, sizeof *hash);

        if (bag->n) {
            memcpy(at, bag->at, bag->n * sizeof *at);
            memcpy(hash, bag->hash, bag->n * sizeof *hash);
        }
        bag->at = at;
        bag->hash = hash;
        bag->cap = cap;
    }
    bag->at[bag->n] = e;
    bag->hash[bag->n++] = hash_same(e);
}

static void bag_add_chain(struct bag *bag, const struct expr *top, const struct expr *e)
{
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (is_associative(top) && in_chain(top, e->args[i]))
            bag_add_chain(bag, top, e->args[i]);
        else
            bag_add(bag, e->args[i]);
    }
}

static bool bags_same(const struct bag *a, struct bag *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        uint32_t k = i;

        while (k < b->n && (b->hash[k] != a->hash[i] || !expr_same(a->at[i], b->at[k])))
            k++;
        if (k == b->n)
            return false;
        b->at[k] = b->at[i]; /* taken: what stood here may still be wanted */
        b->hash[k] = b->hash[i];
    }
    return true;
}

static bool chains_same(const struct expr *a, const struct expr *b)
{
    struct arena scratch = { 0 };
    struct bag x = { .arena = &scratch }, y = { .arena = &scratch };
    bool same;

    bag_add_chain(&x, a, a);
    bag_add_chain(&y, b, b);
    same = bags_same(&x, &y);
    arena_release(&scratch);
    return same;
}

static bool in_lists_same(const struct expr *a, const struct expr *b)
{
    struct arena scratch = { 0 };
    struct bag x = { .arena = &scratch }, y = { .arena = &scratch };
    bool same;

    for (uint32_t i = 1; i < a->n_args; i++) {
        bag_add(&x, a->args[i]);
        bag_add(&y, b->args[i]);
    }
    same = expr_same(a->args[0], b->args[0]) && bags_same(&x, &y);
    arena_release(&scratch);
    return same;
}

/* x > x is not x < x: Spark turns the greater operand to one side, and here is none. */
static bool comparisons_same(struct comparison x, struct comparison y)
{
    return x.id == y.id && expr_same(x.left, y.left) && expr_same(x.right, y.right) &&
           (x.swapped == y.swapped || !expr_same(x.left, x.right));
}

bool expr_same(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return true;
    struct comparison x = read_comparison(a), y = read_comparison(b);
    if (x.id != FUNC_OTHER || y.id != FUNC_OTHER)
        return comparisons_same(x, y);
    if (!nodes_equal(a, b))
        return false;
    if (is_commutative(a) || is_associative(a))
        return chains_same(a, b);
    if (a->kind == EXPR_IN)
        return in_lists_same(a, b);
    return children_equal(a, b, expr_same);
}
