/* Aggregation: partial, exchange, final; with one DISTINCT set four steps.
 *
 *     count(DISTINCT b), sum(f) BY a:
 *       partial    keys a, b   partial_sum(f)
 *       merge      keys a, b   merge_sum(f)                        rows together by a, b
 *       partial    keys a      merge_sum(f), partial_count(DISTINCT b)
 *       final      keys a      sum(f), count(DISTINCT b)           rows together by a
 *
 * (Several sets were made one by the optimiser, with an Expand.) A partial step puts out
 * its keys, then the buffers of its aggregates one behind the other; a merging one finds
 * them at buffer_offset. Buffers of fixed width hash, object buffers have their own
 * operator, all else is sorted. */
#include "engine/plan/phys_int.h"

#include "engine/expr/func.h"

struct step { /* one aggregate of the query, through all steps */
    struct expr *call;
    struct expr *result;  /* attribute */
    struct exprs own;     /* its buffers as this step's attributes */
    struct exprs buffers; /* as the columns of the partial output */
};

struct aggregation {
    struct arena *arena;
    struct step *steps;
    uint32_t n, n_plain; /* first those without DISTINCT */
    struct exprs keys, key_attributes, results;
};

/* ---- pieces of the query ---- */

static struct expr *plain_function(struct arena *a, const struct expr *call)
{
    struct expr *f = expr_copy(a, call);

    f->mode = AGG_COMPLETE;
    f->distinct = false;
    f->filter = NULL;
    return f;
}

static struct sv function_text(struct arena *a, const struct expr *call)
{
    struct strbuf text = { 0 };
    struct sv out;

    expr_print(&text, plain_function(a, call), PRINT_PLAN);
    out = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return out;
}

static void set_buffers(struct arena *a, struct step *s)
{
    struct type types[AGG_MAX_BUFFER];
    const char *names[AGG_MAX_BUFFER];
    uint32_t n = s->call->agg->buffers(s->call, types, names);

    s->own = exprs_new(a, n);
    s->buffers = exprs_new(a, n);
    for (uint32_t i = 0; i < n; i++) {
        s->own.at[i] = expr_attribute(a, sv(names[i]), types[i], true, next_expr_id());
        s->buffers.at[i] =
            expr_attribute(a, sv(names[i]), types[i], true, next_expr_id());
    }
}

static bool find_aggregates(void *ctx, const struct expr *e)
{
    struct aggregation *g = ctx;
    struct step *s;

    if (e->kind != EXPR_AGGREGATE)
        return false;
    for (uint32_t i = 0; i < g->n; i++)
        if (expr_same(g->steps[i].call, e))
            return false;
    s = arena_array(g->arena, g->n + 1, sizeof *s);
    if (g->n)
        memcpy(s, g->steps, g->n * sizeof *s);
    g->steps = s;
    s = &g->steps[g->n++];
    s->call = expr_copy(g->arena, e);
    s->result = expr_attribute(g->arena, function_text(g->arena, e), e->type, e->nullable,
                               e->id ? e->id : next_expr_id());
    return false;
}

/* Those with DISTINCT behind, both in their order. */
static void order_steps(struct aggregation *g)
{
    struct step *to = arena_array(g->arena, g->n + 1, sizeof *to);
    uint32_t n = 0;

    for (int distinct = 0; distinct < 2; distinct++) {
        for (uint32_t i = 0; i < g->n; i++)
            if (g->steps[i].call->distinct == (distinct == 1))
                to[n++] = g->steps[i];
        if (!distinct)
            g->n_plain = n;
    }
    g->steps = to;
}

static struct expr *named_key(struct arena *a, struct expr *e, struct sv name)
{
    return expr_alias(a, e, name, next_expr_id());
}

/* NormalizeFloatingNumbers: NaN and zero have many bit patterns, a key must have one. */
static struct expr *normalized_key(struct arena *a, struct expr *key)
{
    const struct func *f = func_of(FUNC_KNOWN_FLOATING_NORMALIZED);
    struct expr *e = key->kind == EXPR_ALIAS ? key->args[0] : key;
    struct expr *call;

    if ((e->type.id != TYPE_FLOAT && e->type.id != TYPE_DOUBLE) || !f)
        return key;
    if (e->kind == EXPR_CALL && e->func == f)
        return key;
    call = expr_call(a, func_find(SV("normalizenanandzero")), e->type, 1, e);
    call = expr_call(a, f, e->type, 1, call);
    return expr_alias(a, call, key->name, key->id);
}

static void set_keys(struct aggregation *g, const struct exprs *keys)
{
    struct arena *a = g->arena;

    g->keys = exprs_new(a, keys->n);
    for (uint32_t i = 0; i < keys->n; i++) {
        struct expr *e = keys->at[i];

        if (e->kind != EXPR_ATTRIBUTE && e->kind != EXPR_ALIAS) {
            struct strbuf text = { 0 };

            expr_print(&text, e, PRINT_PLAN);
            e = named_key(a, e, arena_sv(a, strbuf_sv(&text)));
            strbuf_release(&text);
        }
        g->keys.at[i] = e;
    }
    g->key_attributes = exprs_to_attributes(a, &g->keys);
}

static struct expr *find_result(struct aggregation *g, const struct expr *e)
{
    for (uint32_t i = 0; e->kind == EXPR_AGGREGATE && i < g->n; i++)
        if (expr_same(g->steps[i].call, e))
            return g->steps[i].result;
    for (uint32_t i = 0; i < g->keys.n; i++)
        if (g->keys.at[i]->kind == EXPR_ALIAS && expr_same(g->keys.at[i]->args[0], e))
            return g->key_attributes.at[i];
    return NULL;
}

/* Aggregates and grouping expressions as the columns that hold them by then; from the
 * top, as what is inside of one is gone. */
static struct expr *over_result(struct aggregation *g, struct expr *e)
{
    struct expr *to = find_result(g, e), *copy = NULL;

    if (to)
        return to;
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct expr *arg = over_result(g, e->args[i]);

        if (arg == e->args[i])
            continue;
        if (!copy) {
            copy = expr_copy(g->arena, e);
            copy->args = arena_array(g->arena, e->n_args, sizeof *copy->args);
            memcpy(copy->args, e->args, e->n_args * sizeof *copy->args);
        }
        copy->args[i] = arg;
    }
    return copy ? copy : e;
}

static void set_results(struct aggregation *g, const struct exprs *list)
{
    g->results = exprs_new(g->arena, list->n);
    for (uint32_t i = 0; i < list->n; i++)
        g->results.at[i] = over_result(g, list->at[i]);
}

/* ---- steps ---- */

static bool holds_text(const struct step *s)
{
    for (uint32_t i = 0; i < s->buffers.n; i++)
        if (type_is_text(s->buffers.at[i]->type))
            return true;
    return s->call->agg->buffer == AGG_BUFFER_VARIABLE && s->buffers.n == 0;
}

static enum phys_kind operator_for(const struct step *steps, uint32_t n)
{
    enum phys_kind kind = PHYS_HASH_AGG;

    for (uint32_t i = 0; i < n; i++) {
        if (steps[i].call->agg->buffer == AGG_BUFFER_OBJECT)
            return PHYS_OBJECT_AGG;
        if (holds_text(&steps[i]))
            kind = PHYS_SORT_AGG;
    }
    return kind;
}

static struct expr *in_mode(struct arena *a, const struct step *s, enum agg_mode mode)
{
    struct expr *e = expr_copy(a, s->call);

    e->mode = mode;
    e->id = s->result->id;
    if (mode == AGG_PARTIAL_MERGE || mode == AGG_FINAL)
        e->filter = NULL; /* was seen to by the partial step */
    return e;
}

/* A step over the first n aggregates: modes by their having DISTINCT. */
static struct phys *step_node(struct aggregation *g, struct phys *child,
                              const struct exprs *keys, uint32_t n, enum agg_mode plain,
                              enum agg_mode distinct)
{
    struct arena *a = g->arena;
    struct phys *p = phys_unary(a, operator_for(g->steps, n), child);
    bool last = plain == AGG_FINAL;

    p->keys = *keys;
    p->aggs = exprs_new(a, n);
    p->list = exprs_to_attributes(a, keys);
    for (uint32_t i = 0; i < n; i++) {
        enum agg_mode mode = i < g->n_plain ? plain : distinct;

        p->aggs.at[i] = in_mode(a, &g->steps[i], mode);
        if (last || g->n_plain < g->n) /* Spark says so of all four steps */
            p->agg_attributes = exprs_add(a, &p->agg_attributes, g->steps[i].result);
        else
            p->agg_attributes = exprs_join(a, &p->agg_attributes, &g->steps[i].own);
        if (last)
            continue;
        p->list = exprs_join(a, &p->list, &g->steps[i].buffers);
    }
    if (last)
        p->list = g->results;
    p->output = exprs_to_attributes(a, &p->list);
    return p;
}

static struct phys *clustered_by(struct phys *p, const struct exprs *keys,
                                 uint32_t buffer_offset)
{
    p->clustered = true;
    p->requires_keys = *keys;
    p->buffer_offset = buffer_offset;
    return p;
}

static struct exprs normalized(struct arena *a, const struct exprs *keys)
{
    struct exprs out = exprs_new(a, keys->n);

    for (uint32_t i = 0; i < keys->n; i++)
        out.at[i] = normalized_key(a, keys->at[i]);
    return out;
}

static struct phys *two_steps(struct aggregation *g, struct phys *child)
{
    struct exprs keys = normalized(g->arena, &g->keys);
    struct phys *p = step_node(g, child, &keys, g->n, AGG_PARTIAL, AGG_PARTIAL);

    p = step_node(g, p, &g->key_attributes, g->n, AGG_FINAL, AGG_FINAL);
    return clustered_by(p, &g->key_attributes, g->key_attributes.n);
}

/* What DISTINCT goes over, with a name each; the calls then use the names. */
static struct exprs name_distinct(struct aggregation *g)
{
    struct arena *a = g->arena;
    struct exprs named = { 0 };

    for (uint32_t i = g->n_plain; i < g->n; i++) {
        struct expr *call = g->steps[i].call;
        struct expr **args = arena_array(a, call->n_args + 1, sizeof *args);

        for (uint32_t k = 0; k < call->n_args; k++) {
            struct expr *arg = call->args[k], *name = NULL;

            if (expr_foldable(arg)) {
                args[k] = arg;
                continue;
            }
            for (uint32_t m = 0; m < named.n && !name; m++)
                if (expr_same(named.at[m]->kind == EXPR_ALIAS ? named.at[m]->args[0]
                                                              : named.at[m],
                              arg))
                    name = named.at[m];
            if (!name) {
                struct strbuf text = { 0 };

                expr_print(&text, arg, PRINT_PLAN);
                name = arg->kind == EXPR_ATTRIBUTE
                           ? arg
                           : named_key(a, arg, arena_sv(a, strbuf_sv(&text)));
                strbuf_release(&text);
                named = exprs_add(a, &named, name);
            }
            args[k] = expr_to_attribute(a, name);
        }
        call->args = args;
    }
    return named;
}

static struct phys *four_steps(struct aggregation *g, struct phys *child)
{
    struct arena *a = g->arena;
    struct exprs named, keys, attributes;
    struct phys *p;

    named = name_distinct(g);
    keys = exprs_join(a, &g->keys, &named);
    attributes = exprs_to_attributes(a, &keys);
    keys = normalized(a, &keys);
    p = step_node(g, child, &keys, g->n_plain, AGG_PARTIAL, AGG_PARTIAL);
    p = step_node(g, p, &attributes, g->n_plain, AGG_PARTIAL_MERGE, AGG_PARTIAL_MERGE);
    p = clustered_by(p, &attributes, attributes.n);
    p = step_node(g, p, &g->key_attributes, g->n, AGG_PARTIAL_MERGE, AGG_PARTIAL);
    p->buffer_offset = attributes.n;
    p = step_node(g, p, &g->key_attributes, g->n, AGG_FINAL, AGG_FINAL);
    return clustered_by(p, &g->key_attributes, g->key_attributes.n);
}

struct phys *phys_aggregate(struct planner_env *env, struct plan *p, struct phys *child)
{
    struct aggregation g = { .arena = env->arena };

    for (uint32_t i = 0; i < p->list.n; i++)
        (void)expr_any(p->list.at[i], find_aggregates, &g);
    order_steps(&g);
    for (uint32_t i = 0; i < g.n; i++)
        set_buffers(g.arena, &g.steps[i]);
    set_keys(&g, &p->keys);
    set_results(&g, &p->list);
    return g.n_plain == g.n ? two_steps(&g, child) : four_steps(&g, child);
}
