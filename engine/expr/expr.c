/* Expression trees: making, rewriting, comparing, asking.
 *
 * The children of a node are its arguments, then an aggregate's filter, a subquery's
 * outer references and the parts of a window. map_children() is the one place that
 * rebuilds a node over others; each_child() the one that walks them. */
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
        e->nullable = e->kind == EXPR_IN_SUBQUERY;
        for (uint32_t i = 0; i < e->n_args; i++)
            e->nullable = e->nullable || e->args[i]->nullable;
        break;
    case EXPR_NAME:
    case EXPR_STAR:
    case EXPR_FUNCTION:
    case EXPR_LAMBDA_ARG:
    case EXPR_LITERAL:
    case EXPR_ATTRIBUTE:
    case EXPR_CALL:
    case EXPR_AGGREGATE:
    case EXPR_SCALAR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_BOUND:
    case EXPR_SUBQUERY_RESULT:
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

static bool each_child(const struct expr *e, child_fn fn, void *ctx)
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

    return any->fn(any->ctx, e) || each_child(e, any_below, ctx);
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

/* ---- comparing ----
 *
 * expr_same() compares up to what Spark's canonical forms leave equal: a > b and b < a,
 * NOT a > b and a <= b, operands of a chain of one commutative operator in any order, the
 * list of IN in any order. Chains are matched as bags; a hash of each operand keeps that
 * from comparing every pair. */

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
        return a->try_cast == b->try_cast && type_eq(a->type, b->type);
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
    const struct expr *left, *right;
};

static enum func_id call_id(const struct expr *e)
{
    return e->kind == EXPR_CALL ? e->func->id : FUNC_OTHER;
}

static struct comparison read_comparison(const struct expr *e)
{
    bool negated = call_id(e) == FUNC_NOT;
    struct comparison c = { FUNC_OTHER, NULL, NULL };

    if (negated)
        e = e->args[0];
    enum func_id id = call_id(e);
    if (id != FUNC_LT && id != FUNC_LE && id != FUNC_GT && id != FUNC_GE)
        return c;
    bool strict = (id == FUNC_LT || id == FUNC_GT) != negated;
    bool swap = (id == FUNC_GT || id == FUNC_GE) != negated;
    c.id = strict ? FUNC_LT : FUNC_LE;
    c.left = e->args[swap ? 1 : 0];
    c.right = e->args[swap ? 0 : 1];
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
    each_child(e, add_hash, &sum);
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

bool expr_same(const struct expr *a, const struct expr *b)
{
    if (a == b)
        return true;
    struct comparison x = read_comparison(a), y = read_comparison(b);
    if (x.id != FUNC_OTHER || y.id != FUNC_OTHER)
        return x.id == y.id && expr_same(x.left, y.left) && expr_same(x.right, y.right);
    if (!nodes_equal(a, b))
        return false;
    if (is_commutative(a) || is_associative(a))
        return chains_same(a, b);
    if (a->kind == EXPR_IN)
        return in_lists_same(a, b);
    return children_equal(a, b, expr_same);
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
        return each_child(e, has_aggregate, NULL);
    struct expr rest = *e; /* the window's own parts */
    rest.n_args = 0;
    return each_child(over, has_aggregate, NULL) ||
           each_child(&rest, has_aggregate, NULL);
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

/* What EXPR_OUTER holds belongs to another query. */
static bool add_reference(void *ctx, const struct expr *e)
{
    struct referring *r = ctx;

    if (e->kind == EXPR_ATTRIBUTE)
        expr_set_add(r->arena, r->set, e->id);
    return e->kind == EXPR_OUTER ? false : each_child(e, add_reference, r);
}

void expr_references(struct arena *a, const struct expr *e, struct expr_set *out)
{
    struct referring r = { a, out };

    add_reference(&r, e);
}

/* ---- conjunctions ---- */

static uint32_t count_and(const struct expr *e)
{
    if (call_id(e) != FUNC_AND)
        return 1;
    return count_and(e->args[0]) + count_and(e->args[1]);
}

static struct expr **fill_and(struct expr *e, struct expr **to)
{
    if (call_id(e) != FUNC_AND) {
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
