/* Rules about one function each: IN, LIKE, rand, upper, concat, keys of floating point.
 */
#include "engine/plan/opt_int.h"

#include "engine/expr/text.h"

#include <stdlib.h>

static bool is(const struct expr *e, enum func_id id)
{
    return opt_is_call(e, id);
}

static bool is_named(const struct expr *e, const char *name)
{
    return e->kind == EXPR_CALL && sv_is(sv(name), e->func->name);
}

/* ---- OptimizeIn ---- */

static bool all_literals(const struct expr *e)
{
    for (uint32_t i = 1; i < e->n_args; i++)
        if (e->args[i]->kind != EXPR_LITERAL)
            return false;
    return e->n_args > 1;
}

static int order_of(const void *x, const void *y)
{
    const struct expr *a = *(struct expr *const *)x, *b = *(struct expr *const *)y;

    if (a->value.null || b->value.null)
        return a->value.null ? b->value.null - 1 : 1;
    return value_cmp(&a->value, &b->value);
}

/* Each element once, in the order written. Long lists are sorted to find repeats. */
static uint32_t without_repeats(struct arena *a, struct expr **list, uint32_t n,
                                struct expr **out)
{
    struct expr **sorted = arena_array(a, n, sizeof *sorted);
    uint32_t kept = 0, distinct = 1;

    memcpy(sorted, list, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, order_of);
    for (uint32_t i = 1; i < n; i++)
        distinct += order_of(&sorted[i - 1], &sorted[i]) != 0;
    if (distinct == n) {
        memcpy(out, list, n * sizeof *out);
        return n;
    }
    for (uint32_t i = 0; i < n && kept < distinct; i++) {
        uint32_t k = 0;

        while (k < kept && order_of(&out[k], &list[i]))
            k++;
        if (k == kept)
            out[kept++] = list[i];
    }
    return kept;
}

static struct expr *optimize_in_list(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;
    struct expr *to, **list;
    uint32_t n;

    if (e->kind != EXPR_IN || e->in_set || !all_literals(e))
        return e;
    list = arena_array(env->arena, e->n_args, sizeof *list);
    n = without_repeats(env->arena, e->args + 1, e->n_args - 1, list);
    if (n == 1)
        return opt_call2(env->arena, FUNC_EQ, e->args[0], list[0]);
    bool set = n > settings_int(env->settings, SET_IN_SET);
    if (n + 1 == e->n_args && !set)
        return e;
    to = expr_new(env->arena, EXPR_IN, n + 1);
    to->in_set = set;
    to->args[0] = e->args[0];
    memcpy(to->args + 1, list, n * sizeof *list);
    to->place = e->place;
    expr_settle(to);
    return to;
}

static struct plan *optimize_in(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, optimize_in_list, env);
}

/* ---- OptimizeRand: a number from 0 to 1 beside one that is outside ---- */

static struct expr *known_rand(void *ctx, struct expr *e)
{
    struct expr *lit = e->n_args == 2 ? e->args[1] : NULL;
    double x;

    if (!lit || !is(e->args[0], FUNC_RAND) || lit->kind != EXPR_LITERAL ||
        lit->value.null || lit->type.id != TYPE_DOUBLE)
        return e;
    x = lit->value.u.f;
    if (is(e, FUNC_GT) || is(e, FUNC_GE)) {
        if (x >= 1)
            return opt_bool(ctx, false);
        return x < 0 || (x == 0 && is(e, FUNC_GE)) ? opt_bool(ctx, true) : e;
    }
    if (is(e, FUNC_LT) || is(e, FUNC_LE)) {
        if (x >= 1)
            return opt_bool(ctx, true);
        return x < 0 || (x == 0 && is(e, FUNC_LT)) ? opt_bool(ctx, false) : e;
    }
    return e;
}

static struct plan *optimize_rand(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, known_rand, env->arena);
}

/* ---- LikeSimplification ---- */

static struct expr *text_test(struct arena *a, enum func_id id, struct expr *x,
                              struct sv text)
{
    return opt_call2(a, id, x, expr_literal(a, value_string(text)));
}

/* Characters as Java counts them: those beyond the first 65,536 are two. */
static int32_t java_length(struct sv s)
{
    int32_t n = 0;

    for (size_t i = 0; i < s.len;) {
        size_t bytes = char_bytes(s.p + i, s.len - i);

        n += bytes == 4 ? 2 : 1;
        i += bytes;
    }
    return n;
}

static struct expr *both_ends(struct arena *a, struct expr *x, struct sv first,
                              struct sv last)
{
    int32_t least = java_length(first) + java_length(last);
    struct expr *length = expr_call(a, func_of(FUNC_LENGTH), type_of(TYPE_INT), 1, x);

    return opt_call2(a, FUNC_AND,
                     opt_call2(a, FUNC_GE, length, expr_literal(a, value_int(least))),
                     opt_call2(a, FUNC_AND, text_test(a, FUNC_STARTS_WITH, x, first),
                               text_test(a, FUNC_ENDS_WITH, x, last)));
}

/* Only % at the ends or one in the middle; no _ and no escapes. */
static struct expr *simplify_like(void *ctx, struct expr *e)
{
    struct arena *a = ctx;
    struct expr *x, *pattern;
    struct sv p, escape = SV("\\");
    const char *percent;

    if (!is(e, FUNC_LIKE) || e->args[1]->kind != EXPR_LITERAL)
        return e;
    x = e->args[0];
    pattern = e->args[1];
    if (pattern->value.null)
        return opt_null_of(a, e->type);
    if (e->n_args > 2) {
        if (e->args[2]->kind != EXPR_LITERAL || e->args[2]->value.null)
            return e;
        escape = e->args[2]->value.u.s;
    }
    p = pattern->value.u.s;
    if ((escape.len && memmem(p.p, p.len, escape.p, escape.len)) ||
        memchr(p.p, '_', p.len))
        return e;
    percent = memchr(p.p, '%', p.len);
    if (!percent)
        return text_test(a, FUNC_EQ, x, p);
    size_t at = (size_t)(percent - p.p);
    struct sv rest = sv_from(p, at + 1);
    const char *second = memchr(rest.p, '%', rest.len);
    if (!second && at && !rest.len)
        return text_test(a, FUNC_STARTS_WITH, x, (struct sv){ p.p, at });
    if (!second && !at && rest.len)
        return text_test(a, FUNC_ENDS_WITH, x, rest);
    if (!second && at && rest.len)
        return both_ends(a, x, (struct sv){ p.p, at }, rest);
    if (second && !at && rest.len > 1 && second == rest.p + rest.len - 1)
        return text_test(a, FUNC_CONTAINS, x, (struct sv){ rest.p, rest.len - 1 });
    return e;
}

static struct plan *simplify_likes(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, simplify_like, env->arena);
}

/* ---- RemoveDispensableExpressions: +x is x ---- */

static struct expr *without_plus(void *ctx, struct expr *e)
{
    (void)ctx;
    return is_named(e, "positive") ? e->args[0] : e;
}

static struct plan *remove_dispensable(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, without_plus, NULL);
}

/* ---- SimplifyCaseConversionExpressions: upper(lower(x)) is upper(x) ---- */

static struct expr *outer_case(void *ctx, struct expr *e)
{
    struct expr *copy;

    if ((!is_named(e, "upper") && !is_named(e, "lower")) ||
        (!is_named(e->args[0], "upper") && !is_named(e->args[0], "lower")))
        return e;
    copy = expr_copy(ctx, e);
    copy->args[0] = e->args[0]->args[0];
    return copy;
}

static struct plan *simplify_case(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, outer_case, env->arena);
}

/* ---- CombineConcats: concat(concat(a, b), c) is concat(a, b, c) ---- */

static void flatten(struct arena *a, struct expr *e, struct exprs *out)
{
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (is_named(e->args[i], "concat") && type_eq(e->args[i]->type, e->type))
            flatten(a, e->args[i], out);
        else
            *out = exprs_add(a, out, e->args[i]);
    }
}

static struct expr *combine_concat(void *ctx, struct expr *e)
{
    struct exprs parts = { 0 };
    struct expr *copy;

    if (!is_named(e, "concat"))
        return e;
    flatten(ctx, e, &parts);
    if (parts.n == e->n_args)
        return e;
    copy = expr_copy(ctx, e);
    copy->args = parts.at;
    copy->n_args = parts.n;
    return copy;
}

static struct plan *combine_concats(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, combine_concat, env->arena);
}

/* ---- NormalizeFloatingNumbers ----
 *
 * Keys of joins and partitions of windows are compared bit by bit further down; NaN has
 * many patterns of bits and zero two. Aggregates see to theirs in physical planning. */

static struct expr *normalized(struct arena *a, struct expr *e)
{
    const struct func *known = func_of(FUNC_KNOWN_FLOATING_NORMALIZED);

    if ((e->type.id != TYPE_FLOAT && e->type.id != TYPE_DOUBLE) || !known ||
        (e->kind == EXPR_CALL && e->func == known))
        return e;
    e = expr_call(a, func_find(SV("normalizenanandzero")), e->type, 1, e);
    return expr_call(a, known, e->type, 1, e);
}

static bool is_key_pair(struct arena *a, const struct plan *join, const struct expr *e)
{
    const struct exprs *left = plan_output(a, join->children[0]);
    const struct exprs *right = plan_output(a, join->children[1]);
    const struct expr *x, *y;

    if (!is(e, FUNC_EQ) && !is(e, FUNC_EQ_NULL_SAFE))
        return false;
    x = e->args[0];
    y = e->args[1];
    if (opt_uses_none(a, x) || opt_uses_none(a, y))
        return false;
    return (opt_covers(a, left, x) && opt_covers(a, right, y)) ||
           (opt_covers(a, left, y) && opt_covers(a, right, x));
}

static struct plan *normalize_join(struct arena *a, struct plan *p)
{
    struct exprs all = opt_split(a, p->condition);
    bool changed = false;
    struct plan *copy;

    for (uint32_t i = 0; i < all.n; i++) {
        struct expr *e = all.at[i], *x, *y;

        if (!is_key_pair(a, p, e))
            continue;
        x = normalized(a, e->args[0]);
        y = normalized(a, e->args[1]);
        if (x == e->args[0] && y == e->args[1])
            continue;
        all.at[i] = opt_call2(a, e->func->id, x, y);
        changed = true;
    }
    if (!changed)
        return p;
    copy = plan_copy(a, p);
    copy->condition = opt_join_and(a, &all);
    return copy;
}

static struct plan *normalize_window(struct arena *a, struct plan *p)
{
    struct exprs keys = exprs_copy(a, &p->keys);
    struct plan *copy;

    for (uint32_t i = 0; i < keys.n; i++)
        keys.at[i] = normalized(a, keys.at[i]);
    if (opt_same_list(&keys, &p->keys))
        return p;
    copy = plan_copy(a, p);
    copy->keys = keys;
    return copy;
}

static struct plan *normalize_node(void *ctx, struct plan *p)
{
    if (p->kind == PLAN_JOIN)
        return normalize_join(ctx, p);
    return p->kind == PLAN_WINDOW ? normalize_window(ctx, p) : p;
}

static struct plan *normalize(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, normalize_node, env->arena);
}

REWRITE(OptimizeIn, optimize_in);
REWRITE(OptimizeRand, optimize_rand);
REWRITE(LikeSimplification, simplify_likes);
REWRITE(RemoveDispensableExpressions, remove_dispensable);
REWRITE(SimplifyCaseConversionExpressions, simplify_case);
REWRITE(CombineConcats, combine_concats);
REWRITE(NormalizeFloatingNumbers, normalize);
