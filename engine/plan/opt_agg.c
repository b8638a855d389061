/* Aggregates: grouping expressions, decimals as integers, several DISTINCT sets. */
#include "engine/plan/opt_int.h"

static bool is_agg(const struct expr *e, const char *name)
{
    return e->kind == EXPR_AGGREGATE && sv_is(sv(name), e->agg->name);
}

/* ---- PullOutGroupingExpressions ---- */

struct groups {
    struct arena *arena;
    struct exprs what, names; /* expressions, and the attributes they get */
};

static struct expr *put_group(struct groups *g, struct expr *e)
{
    struct expr *copy = e;

    if (e->kind == EXPR_AGGREGATE || expr_foldable(e))
        return e;
    for (uint32_t i = 0; i < g->what.n; i++)
        if (expr_same(g->what.at[i], e))
            return g->names.at[i];
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *to = put_group(g, e->args[i]);

        if (to == e->args[i])
            continue;
        if (copy == e)
            copy = expr_copy(g->arena, e);
        copy->args[i] = to;
    }
    return copy;
}

static struct plan *pull_groups(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct groups g = { .arena = a };
    struct exprs below, keys, list;

    if (p->kind != PLAN_AGGREGATE)
        return p;
    keys = exprs_copy(a, &p->keys);
    below = exprs_copy(a, plan_output(a, p->children[0]));
    for (uint32_t i = 0; i < keys.n; i++) {
        struct expr *e = keys.at[i], *alias;

        if (e->kind == EXPR_ATTRIBUTE || expr_foldable(e) || !e->n_args)
            continue;
        for (uint32_t k = 0; k < g.what.n; k++)
            if (expr_same(g.what.at[k], e))
                keys.at[i] = g.names.at[k];
        if (keys.at[i] != e)
            continue;
        alias = expr_alias(a, e, SV("_groupingexpression"), next_expr_id());
        below = exprs_add(a, &below, alias);
        g.what = exprs_add(a, &g.what, e);
        g.names = exprs_add(a, &g.names, expr_to_attribute(a, alias));
        keys.at[i] = g.names.at[g.names.n - 1];
    }
    if (!g.what.n)
        return p;
    list = exprs_copy(a, &p->list);
    for (uint32_t i = 0; i < list.n; i++)
        list.at[i] = put_group(&g, list.at[i]);
    return plan_aggregate(a, keys, list, plan_project(a, below, p->children[0]));
}

static struct plan *pull_out_groups(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, pull_groups, env->arena);
}

/* ---- RemoveRedundantAggregates ---- */

static bool minds_duplicates(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_AGGREGATE && e->agg->duplicates_matter && !e->distinct;
}

static bool upper_minds(const struct plan *p)
{
    for (uint32_t i = 0; i < p->list.n; i++)
        if (expr_any(p->list.at[i], minds_duplicates, NULL))
            return true;
    return false;
}

/* Columns of an Aggregate that are no aggregates. */
static bool uses_plain(struct arena *a, const struct exprs *list,
                       const struct plan *lower)
{
    struct expr_set used = { 0 };

    for (uint32_t i = 0; i < list->n; i++)
        expr_references(a, list->at[i], &used);
    for (uint32_t i = 0; i < used.n; i++) {
        struct expr *item = exprs_find(&lower->list, used.ids[i]);

        if (!item || expr_has_aggregate(item) || !expr_deterministic(item))
            return false;
    }
    return true;
}

static struct plan *drop_lower(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *lower;
    struct exprs keys, list;

    if (p->kind != PLAN_AGGREGATE || p->children[0]->kind != PLAN_AGGREGATE)
        return p;
    lower = p->children[0];
    if (!lower->keys.n || upper_minds(p) || !uses_plain(a, &p->list, lower) ||
        !uses_plain(a, &p->keys, lower))
        return p;
    keys = exprs_copy(a, &p->keys);
    list = exprs_copy(a, &p->list);
    for (uint32_t i = 0; i < keys.n; i++)
        keys.at[i] = opt_without_alias(opt_inline(a, keys.at[i], &lower->list));
    for (uint32_t i = 0; i < list.n; i++)
        list.at[i] = opt_inline_item(a, list.at[i], &lower->list);
    return plan_aggregate(a, keys, list, lower->children[0]);
}

static struct plan *remove_redundant(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, drop_lower, env->arena);
}

/* ---- EliminateAggregateFilter ---- */

static struct expr *drop_agg_filter(void *ctx, struct expr *e)
{
    struct arena *a = ctx;
    struct expr *copy;

    if (e->kind != EXPR_AGGREGATE || !e->filter)
        return e;
    if (opt_is_true(e->filter)) {
        copy = expr_copy(a, e);
        copy->filter = NULL;
        return copy;
    }
    if (!opt_is_false(e->filter))
        return e;
    /* of no rows at all: 0 of what counts, NULL of the others */
    return e->nullable ? opt_null_of(a, e->type)
                       : expr_literal(a, (struct value){ .type = e->type });
}

static struct plan *eliminate_filters(struct rewrite_env *env, struct plan *p)
{
    return plan_map_all_exprs(env->arena, p, drop_agg_filter, env->arena);
}

/* ---- DecimalAggregates: digits that fit a long are added up as such ---- */

enum { LONG_DIGITS = 18, DOUBLE_DIGITS = 15 };

static struct expr *unscaled(struct arena *a, struct expr *e)
{
    return expr_call(a, func_of(FUNC_UNSCALED_VALUE), type_of(TYPE_LONG), 1, e);
}

static struct expr *rebuilt(struct rewrite_env *env, const struct expr *e,
                            struct expr *arg)
{
    struct expr *args[1] = { arg }, *out;
    struct err err;

    if (agg_call(env->arena, env->settings, e->agg, args, 1, e->distinct, e->filter, &out,
                 &err) != ERR_OK)
        return NULL;
    out->id = e->id;
    return out;
}

static struct expr *decimal_aggregate(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;
    struct arena *a = env->arena;
    struct expr *arg, *inner, *ten;
    struct type t;
    double power = 1;

    if ((!is_agg(e, "sum") && !is_agg(e, "avg")) || e->n_args != 1 ||
        e->args[0]->type.id != TYPE_DECIMAL)
        return e;
    arg = e->args[0];
    t = arg->type;
    if (is_agg(e, "sum")) {
        if (t.precision + 10 > LONG_DIGITS || !func_of(FUNC_MAKE_DECIMAL))
            return e;
        inner = rebuilt(env, e, unscaled(a, arg));
        if (!inner)
            return e;
        return expr_call(a, func_of(FUNC_MAKE_DECIMAL),
                         type_decimal((uint8_t)(t.precision + 10), t.scale), 1, inner);
    }
    if (t.precision + 4 > DOUBLE_DIGITS)
        return e;
    inner = rebuilt(env, e, unscaled(a, arg));
    if (!inner)
        return e;
    for (int i = 0; i < t.scale; i++)
        power *= 10;
    ten = expr_literal(a, value_double(power));
    inner = expr_call(a, func_of(FUNC_DIVIDE), type_of(TYPE_DOUBLE), 2, inner, ten);
    return expr_cast(a, inner,
                     type_decimal((uint8_t)(t.precision + 4), (uint8_t)(t.scale + 4)));
}

static struct expr *decimal_in_item(void *ctx, struct expr *e)
{
    struct rewrite_env *env = ctx;

    return expr_transform_up(env->arena, e, decimal_aggregate, env);
}

static struct plan *decimal_list(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;

    if (p->kind != PLAN_AGGREGATE)
        return p;
    return plan_map_exprs(env->arena, p, decimal_in_item, env);
}

static struct plan *decimal_aggregates(struct rewrite_env *env, struct plan *p)
{
    if (!func_of(FUNC_UNSCALED_VALUE))
        return p;
    return plan_transform_up(env->arena, p, decimal_list, env);
}

/* ---- RewriteDistinctAggregates ----
 *
 * count(DISTINCT a), count(DISTINCT b), sum(c) BY k:
 *
 *     Aggregate k: count(a) FILTER gid = 1, count(b) FILTER gid = 2,
 *                  first(sum, ignoring NULL) FILTER gid = 0
 *     +- Aggregate k, a, b, gid: sum(c)
 *        +- Expand (k, NULL, NULL, 0, c), (k, a, NULL, 1, NULL), (k, NULL, b, 2, NULL)
 */

struct distincts {
    struct rewrite_env *env;
    struct arena *arena;
    struct exprs calls;    /* all aggregates, each once */
    struct exprs *sets;    /* DISTINCT: the arguments of each set */
    struct expr **filters; /* and its filter */
    uint32_t n_sets;
    struct exprs inputs;      /* what plain aggregates read, */
    struct exprs input_names; /* and as attributes of the Expand */
    struct exprs values;      /* what DISTINCT is about, over all sets */
    struct exprs value_names;
    struct expr *gid;
};

static bool collect_call(void *ctx, const struct expr *e)
{
    struct distincts *d = ctx;
    union {
        const struct expr *in;
        struct expr *out;
    } u = { .in = e };

    if (e->kind == EXPR_AGGREGATE)
        opt_add(d->arena, &d->calls, u.out);
    return false;
}

static bool same_filter(const struct expr *x, const struct expr *y)
{
    return x == y || (x && y && expr_same(x, y));
}

static bool same_set(const struct exprs *x, const struct exprs *y)
{
    for (uint32_t i = 0; i < x->n; i++)
        if (!opt_has(y, x->at[i]))
            return false;
    for (uint32_t i = 0; i < y->n; i++)
        if (!opt_has(x, y->at[i]))
            return false;
    return true;
}

static struct exprs varying_args(struct arena *a, const struct expr *call)
{
    struct exprs out = { 0 };

    for (uint32_t i = 0; i < call->n_args; i++)
        if (!expr_foldable(call->args[i]))
            opt_add(a, &out, call->args[i]);
    return out;
}

/* Of constants alone, the first: a set without columns could not be told from another,
 * and has nowhere to put its filter. */
static struct exprs set_args(struct arena *a, const struct expr *call)
{
    struct exprs out = varying_args(a, call);

    if (!out.n && call->n_args)
        opt_add(a, &out, call->args[0]);
    return out;
}

static uint32_t set_of(struct distincts *d, const struct expr *call)
{
    struct exprs args = set_args(d->arena, call);

    for (uint32_t i = 0; i < d->n_sets; i++)
        if (same_set(&d->sets[i], &args) && same_filter(d->filters[i], call->filter))
            return i;
    d->sets[d->n_sets] = args;
    d->filters[d->n_sets] = call->filter;
    return d->n_sets++;
}

static struct expr *column_for(struct arena *a, const struct expr *e, bool nullable)
{
    struct strbuf text = { 0 };
    struct expr *out;

    expr_print(&text, e, PRINT_SQL);
    out = expr_attribute(a, arena_sv(a, strbuf_sv(&text)), e->type,
                         nullable || e->nullable, next_expr_id());
    strbuf_release(&text);
    return out;
}

static void find_sets(struct distincts *d, const struct plan *p)
{
    struct arena *a = d->arena;

    for (uint32_t i = 0; i < p->list.n; i++)
        (void)expr_any(p->list.at[i], collect_call, d);
    d->sets = arena_array(a, d->calls.n + 1, sizeof *d->sets);
    d->filters = arena_array(a, d->calls.n + 1, sizeof *d->filters);
    for (uint32_t i = 0; i < d->calls.n; i++)
        if (d->calls.at[i]->distinct)
            (void)set_of(d, d->calls.at[i]);
}

/* A set's argument where its filter holds, else NULL, which no DISTINCT counts. */
static struct expr *filtered(struct distincts *d, uint32_t set, struct expr *e)
{
    struct expr *out;

    if (!d->filters[set])
        return e;
    out = expr_call(d->arena, func_of(FUNC_IF), e->type, 3, d->filters[set], e,
                    opt_null_of(d->arena, e->type));
    out->nullable = true;
    return out;
}

static void find_columns(struct distincts *d)
{
    struct arena *a = d->arena;

    for (uint32_t s = 0; s < d->n_sets; s++)
        for (uint32_t i = 0; i < d->sets[s].n; i++) {
            struct expr *e = filtered(d, s, d->sets[s].at[i]);

            if (opt_has(&d->values, e))
                continue;
            d->values = exprs_add(a, &d->values, e);
            d->value_names = exprs_add(a, &d->value_names, column_for(a, e, true));
        }
    for (uint32_t i = 0; i < d->calls.n; i++) {
        struct expr *call = d->calls.at[i];

        if (call->distinct)
            continue;
        struct exprs args = varying_args(a, call);
        if (call->filter)
            opt_add(a, &args, call->filter);
        for (uint32_t k = 0; k < args.n; k++)
            if (!opt_has(&d->inputs, args.at[k])) {
                d->inputs = exprs_add(a, &d->inputs, args.at[k]);
                d->input_names =
                    exprs_add(a, &d->input_names, column_for(a, args.at[k], true));
            }
    }
    d->gid = expr_attribute(a, SV("gid"), type_of(TYPE_INT), false, next_expr_id());
}

/* The projection of set s - 1, or for the plain aggregates where s is 0. */
static struct exprs projection(struct distincts *d, const struct exprs *keys, uint32_t s)
{
    struct arena *a = d->arena;
    struct exprs out = exprs_copy(a, keys);

    for (uint32_t i = 0; i < d->values.n; i++) {
        bool mine = false;

        for (uint32_t k = 0; s && k < d->sets[s - 1].n && !mine; k++)
            mine = expr_same(filtered(d, s - 1, d->sets[s - 1].at[k]), d->values.at[i]);
        out = exprs_add(a, &out,
                        mine ? d->values.at[i] : opt_null_of(a, d->values.at[i]->type));
    }
    out = exprs_add(a, &out, expr_literal(a, value_int((int32_t)s)));
    for (uint32_t i = 0; i < d->inputs.n; i++)
        out = exprs_add(a, &out,
                        s ? opt_null_of(a, d->inputs.at[i]->type) : d->inputs.at[i]);
    return out;
}

static struct expr *renamed_to(const struct exprs *from, const struct exprs *to,
                               struct expr *e)
{
    for (uint32_t i = 0; i < from->n; i++)
        if (expr_same(from->at[i], e))
            return to->at[i];
    return e;
}

static struct expr *gid_is(struct distincts *d, uint32_t s)
{
    return opt_call2(d->arena, FUNC_EQ, d->gid,
                     expr_literal(d->arena, value_int((int32_t)s)));
}

/* count(DISTINCT a) over the rows of its set. */
static struct expr *upper_distinct(struct distincts *d, const struct expr *call)
{
    uint32_t s = set_of(d, call);
    struct expr *out = expr_copy(d->arena, call);

    out->distinct = false;
    out->filter = gid_is(d, s + 1);
    for (uint32_t i = 0; i < out->n_args; i++)
        if (d->filters[s] ? opt_has(&d->sets[s], call->args[i])
                          : !expr_foldable(call->args[i]))
            out->args[i] =
                renamed_to(&d->values, &d->value_names, filtered(d, s, call->args[i]));
    return out;
}

static struct expr *lower_plain(struct distincts *d, const struct expr *call)
{
    struct expr *out = expr_copy(d->arena, call);

    for (uint32_t i = 0; i < out->n_args; i++)
        out->args[i] = renamed_to(&d->inputs, &d->input_names, call->args[i]);
    if (out->filter)
        out->filter = renamed_to(&d->inputs, &d->input_names, out->filter);
    out->id = next_expr_id();
    return out;
}

/* The one value that the group of plain aggregates has. */
static struct expr *upper_plain(struct distincts *d, const struct expr *call,
                                struct expr *column)
{
    struct expr *args[2] = { column, opt_bool(d->arena, true) }, *out;
    struct err err;

    if (agg_call(d->arena, d->env->settings, agg_find(SV("first")), args, 2, false,
                 gid_is(d, 0), &out, &err) != ERR_OK)
        return NULL;
    out->id = call->id;
    if (!is_agg(call, "count") && !is_agg(call, "count_if"))
        return out;
    out->id = next_expr_id();
    return expr_call(d->arena, func_of(FUNC_COALESCE), type_of(TYPE_LONG), 2, out,
                     expr_literal(d->arena, value_long(0)));
}

struct putting {
    struct arena *arena;
    struct exprs from, to;
};

static struct expr *put_call(void *ctx, struct expr *e)
{
    const struct putting *p = ctx;

    return e->kind == EXPR_AGGREGATE ? renamed_to(&p->from, &p->to, e) : e;
}

static struct plan *expand_of(struct distincts *d, struct exprs keys, struct exprs names,
                              bool plain, struct plan *child)
{
    struct arena *a = d->arena;
    struct plan *expand = plan_unary(a, PLAN_EXPAND, child);
    uint32_t first = plain ? 0 : 1;

    expand->output = exprs_join(a, &names, &d->value_names);
    expand->output = exprs_add(a, &expand->output, d->gid);
    expand->output = exprs_join(a, &expand->output, &d->input_names);
    expand->output_known = true;
    expand->n_projections = d->n_sets + 1 - first;
    expand->projections =
        arena_array(a, expand->n_projections, sizeof *expand->projections);
    for (uint32_t s = first; s <= d->n_sets; s++)
        expand->projections[s - first] = projection(d, &keys, s);
    return expand;
}

static struct plan *split_distincts(struct distincts *d, struct plan *p)
{
    struct arena *a = d->arena;
    struct putting put = { .arena = a };
    struct exprs names = exprs_new(a, p->keys.n), lower_keys, lower_list, list;
    struct plan *lower;
    bool plain = false;

    for (uint32_t i = 0; i < p->keys.n; i++)
        names.at[i] = p->keys.at[i]->kind == EXPR_ATTRIBUTE
                          ? p->keys.at[i]
                          : column_for(a, p->keys.at[i], true);
    find_columns(d);
    lower_keys = exprs_join(a, &names, &d->value_names);
    lower_keys = exprs_add(a, &lower_keys, d->gid);
    lower_list = lower_keys;
    for (uint32_t i = 0; i < d->calls.n; i++) {
        struct expr *call = d->calls.at[i], *to, *below;

        if (call->distinct) {
            to = upper_distinct(d, call);
        } else {
            plain = true;
            below = expr_alias(a, lower_plain(d, call), SV("plain"), next_expr_id());
            lower_list = exprs_add(a, &lower_list, below);
            to = upper_plain(d, call, expr_to_attribute(a, below));
            if (!to)
                return p;
        }
        put.from = exprs_add(a, &put.from, call);
        put.to = exprs_add(a, &put.to, to);
    }
    lower = plan_aggregate(a, lower_keys, lower_list,
                           expand_of(d, p->keys, names, plain, p->children[0]));
    list = exprs_copy(a, &p->list);
    for (uint32_t i = 0; i < list.n; i++)
        list.at[i] = expr_transform_up(a, opt_replace(a, list.at[i], &p->keys, &names),
                                       put_call, &put);
    return plan_aggregate(a, names, list, lower);
}

static struct plan *rewrite_distinct(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct distincts d = { .env = env, .arena = env->arena };
    bool split = false;

    if (p->kind != PLAN_AGGREGATE)
        return p;
    find_sets(&d, p);
    /* over no rows at all a constant is no row either, which only the gid can tell */
    for (uint32_t i = 0; i < d.n_sets; i++)
        split = split || d.filters[i] ||
                (!p->keys.n && d.sets[i].n && expr_foldable(d.sets[i].at[0]));
    if (!split && d.n_sets < 2)
        return p;
    return split_distincts(&d, p);
}

static struct plan *rewrite_distincts(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, rewrite_distinct, env);
}

REWRITE(PullOutGroupingExpressions, pull_out_groups);
REWRITE(RemoveRedundantAggregates, remove_redundant);
REWRITE(EliminateAggregateFilter, eliminate_filters);
REWRITE(DecimalAggregates, decimal_aggregates);
REWRITE(RewriteDistinctAggregates, rewrite_distincts);
