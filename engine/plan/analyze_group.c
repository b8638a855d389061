/* GROUP BY: keys by position, alias and ALL; grouping sets.
 *
 * Grouping sets become an Expand: each row once per set, with the keys that the set lacks
 * as NULL and a number that tells the sets apart (a bit per key, 1: not grouped by; the
 * first key is the highest bit):
 *
 *     Aggregate [s#1, a#2, spark_grouping_id#3L], [...]
 *     +- Expand [[.., s#8, a#9, 0], [.., s#8, null, 1]], [.., s#1, a#2,
 * spark_grouping_id#3L]
 *        +- Project [.., s#5 AS s#8, a#6 AS a#9] */
#include "engine/plan/analyze_int.h"

#include "engine/run/settings.h"

#include <inttypes.h>

enum { MAX_KEYS = 62 }; /* bits of the grouping id */

/* ---- keys ---- */

static enum errc key_by_position(struct analyzer *an, struct expr *e,
                                 const struct exprs *list, struct expr **out)
{
    int64_t i = e->value.u.i;
    struct expr *item;

    if (i < 1 || i > list->n)
        return analysis_fail(an, e->place,
                             "[GROUP_BY_POS_OUT_OF_RANGE] GROUP BY position %" PRId64
                             " is not in select list (valid range is [1, %u]).",
                             i, list->n);
    item = list->at[i - 1];
    if (expr_has_aggregate(item))
        return analysis_fail(
            an, e->place,
            "[GROUP_BY_POS_AGGREGATE] GROUP BY %" PRId64
            " refers to an expression %s that contains an aggregate function. "
            "Aggregate functions are not allowed in GROUP BY.",
            i, text_of(an->arena, item, PRINT_SQL));
    *out = item->kind == EXPR_ALIAS ? item->args[0] : item;
    return ERR_OK;
}

static enum errc resolve_key(struct analyzer *an, const struct scope *s, struct expr *e,
                             const struct exprs *list, struct expr **out)
{
    if (e->kind == EXPR_LITERAL && e->type.id == TYPE_INT && !e->value.null &&
        settings_bool(an->settings, SET_GROUP_BY_ORDINAL))
        return key_by_position(an, e, list, out);
    TRY(resolve_expr(an, s, e, out));
    *out = trim_aliases(an->arena, *out);
    if (expr_has_aggregate(*out))
        return analysis_fail(
            an, e->place,
            "[GROUP_BY_AGGREGATE] Aggregate functions are not allowed in GROUP "
            "BY, but found %s.",
            text_of(an->arena, *out, PRINT_NAME));
    if (is_window(*out))
        return analysis_fail(
            an, e->place,
            "[UNSUPPORTED_EXPR_FOR_OPERATOR] window functions are not allowed "
            "in GROUP BY: %s.",
            text_of(an->arena, *out, PRINT_NAME));
    return ERR_OK;
}

/* GROUP BY ALL: every item without an aggregate. */
static bool says_all(const struct plan *p, const struct scope *s)
{
    uint32_t n;

    return p->sets_kind == SETS_NONE && p->keys.n == 1 &&
           p->keys.at[0]->kind == EXPR_NAME && p->keys.at[0]->n_parts == 1 &&
           same_name(p->keys.at[0]->parts[0], SV("ALL")) &&
           !find_column(s->columns, SV("ALL"), &n);
}

static void keys_of_all(struct analyzer *an, const struct exprs *list, struct exprs *keys)
{
    *keys = exprs_new(an->arena, 0);
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *e =
            list->at[i]->kind == EXPR_ALIAS ? list->at[i]->args[0] : list->at[i];

        if (!expr_has_aggregate(e))
            *keys = exprs_add(an->arena, keys, e);
    }
}

/* ---- sets ---- */

struct sets {
    struct exprs by;
    uint64_t *at; /* bit i: by[i] is in the set */
    uint32_t n;
};

static uint32_t key_ix(struct sets *sets, struct expr *e)
{
    uint32_t i = 0;

    while (i < sets->by.n && !expr_same(sets->by.at[i], e))
        i++;
    return i;
}

static enum errc add_key(struct analyzer *an, struct sets *sets, struct expr *e)
{
    if (key_ix(sets, e) < sets->by.n)
        return ERR_OK;
    if (sets->by.n == MAX_KEYS)
        return analysis_fail(
            an, e->place,
            "[GROUPING_SIZE_LIMIT_EXCEEDED] Grouping sets size cannot be "
            "greater than %d.",
            MAX_KEYS);
    sets->by = exprs_add(an->arena, &sets->by, e);
    return ERR_OK;
}

/* A parsed set (or element of ROLLUP, CUBE) as bits. */
static enum errc set_bits(struct analyzer *an, const struct scope *s,
                          const struct exprs *list, const struct exprs *set,
                          struct sets *sets, uint64_t *bits)
{
    *bits = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        struct expr *e;

        TRY(resolve_key(an, s, set->at[i], list, &e));
        TRY(add_key(an, sets, e));
        *bits |= UINT64_C(1) << key_ix(sets, e);
    }
    return ERR_OK;
}

static void rollup_sets(const uint64_t *elements, uint32_t n, struct sets *sets)
{
    for (uint32_t k = n + 1; k-- > 0;) {
        uint64_t bits = 0;

        for (uint32_t i = 0; i < k; i++)
            bits |= elements[i];
        sets->at[sets->n++] = bits;
    }
}

static void cube_sets(const uint64_t *elements, uint32_t n, struct sets *sets)
{
    for (uint32_t k = 1u << n; k-- > 0;) {
        uint64_t bits = 0;

        for (uint32_t i = 0; i < n; i++)
            if (k >> (n - 1 - i) & 1)
                bits |= elements[i];
        sets->at[sets->n++] = bits;
    }
}

static enum errc read_sets(struct analyzer *an, const struct plan *p,
                           const struct scope *s, const struct exprs *list,
                           struct sets *sets)
{
    uint64_t *elements = arena_array(an->arena, p->n_sets + 1, sizeof *elements);
    uint32_t n = p->n_sets;

    for (uint32_t i = 0; i < p->keys.n; i++) {
        struct expr *e;

        TRY(resolve_key(an, s, p->keys.at[i], list, &e));
        TRY(add_key(an, sets, e));
    }
    for (uint32_t i = 0; i < n; i++)
        TRY(set_bits(an, s, list, &p->sets[i], sets, &elements[i]));
    if (p->sets_kind == SETS_CUBE && n > 12)
        return analysis_fail(an, p->place, "a CUBE of more than 12 elements");
    sets->at =
        arena_array(an->arena, p->sets_kind == SETS_CUBE ? (size_t)1 << n : (size_t)n + 1,
                    sizeof *sets->at);
    if (p->sets_kind == SETS_ROLLUP) {
        rollup_sets(elements, n, sets);
    } else if (p->sets_kind == SETS_CUBE) {
        cube_sets(elements, n, sets);
    } else {
        memcpy(sets->at, elements, n * sizeof *elements);
        sets->n = n;
    }
    return ERR_OK;
}

static uint64_t grouping_id(const struct sets *sets, uint32_t set)
{
    uint64_t id = 0;

    for (uint32_t i = 0; i < sets->by.n; i++)
        id = id << 1 | !(sets->at[set] >> i & 1);
    return id;
}

static bool sets_repeat(const struct sets *sets)
{
    for (uint32_t i = 0; i < sets->n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (sets->at[i] == sets->at[k])
                return true;
    return false;
}

static struct expr *key_alias(struct analyzer *an, struct expr *e)
{
    struct sv name =
        e->kind == EXPR_ATTRIBUTE ? e->name : sv(text_of(an->arena, e, PRINT_PLAN));

    return expr_alias(an->arena, e, name, next_expr_id());
}

/* The Expand over child; g gets its key columns. */
static struct plan *expand(struct analyzer *an, const struct sets *sets,
                           struct plan *child, struct exprs *keys)
{
    struct arena *a = an->arena;
    const struct exprs *below = plan_output(a, child);
    struct exprs aliases = exprs_new(a, sets->by.n), project;
    bool repeat = sets_repeat(sets);
    uint32_t n = below->n + sets->by.n + 1 + repeat;
    struct plan *p;

    for (uint32_t i = 0; i < sets->by.n; i++)
        aliases.at[i] = key_alias(an, sets->by.at[i]);
    project = exprs_join(a, below, &aliases);
    p = plan_unary(a, PLAN_EXPAND, plan_project(a, project, child));
    p->n_projections = sets->n;
    p->projections = arena_array(a, sets->n + 1, sizeof *p->projections);
    *keys = exprs_new(a, sets->by.n);
    for (uint32_t i = 0; i < sets->by.n; i++) {
        keys->at[i] = expr_to_attribute(a, aliases.at[i]);
        keys->at[i] = expr_copy(a, keys->at[i]);
        keys->at[i]->id = next_expr_id();
        if (sets->by.at[i]->kind == EXPR_ATTRIBUTE) { /* known by its table still */
            keys->at[i]->parts = sets->by.at[i]->parts;
            keys->at[i]->n_parts = sets->by.at[i]->n_parts;
        }
    }
    for (uint32_t k = 0; k < sets->n; k++) {
        struct exprs row = exprs_new(a, n);

        memcpy(row.at, below->at, below->n * sizeof *row.at);
        for (uint32_t i = 0; i < sets->by.n; i++) {
            bool in = sets->at[k] >> i & 1;

            row.at[below->n + i] = in ? expr_to_attribute(a, aliases.at[i])
                                      : expr_literal(a, value_null(keys->at[i]->type));
            keys->at[i]->nullable = keys->at[i]->nullable || !in;
        }
        row.at[below->n + sets->by.n] =
            expr_literal(a, value_long((int64_t)grouping_id(sets, k)));
        if (repeat)
            row.at[n - 1] = expr_literal(a, value_int((int32_t)k));
        p->projections[k] = row;
    }
    *keys = exprs_add(a, keys,
                      expr_attribute(a, SV("spark_grouping_id"), type_of(TYPE_LONG),
                                     false, next_expr_id()));
    if (repeat)
        *keys = exprs_add(a, keys,
                          expr_attribute(a, SV("_gen_grouping_pos"), type_of(TYPE_INT),
                                         false, next_expr_id()));
    p->output = exprs_join(a, below, keys);
    p->resolved = true;
    return p;
}

/* ---- grouping(), and keys read as Expand's columns ---- */

bool grouping_of(struct analyzer *an, const struct plan *agg, struct grouping *out)
{
    const struct plan *e = agg->children[0], *project;
    uint32_t n = 0;

    if (agg->kind != PLAN_AGGREGATE || e->kind != PLAN_EXPAND)
        return false;
    while (n < agg->keys.n && !(agg->keys.at[n]->kind == EXPR_ATTRIBUTE &&
                                sv_is(agg->keys.at[n]->name, "spark_grouping_id")))
        n++;
    if (n == agg->keys.n)
        return false;
    project = e->children[0];
    out->gid = agg->keys.at[n];
    out->attributes = agg->keys.at;
    out->by = exprs_new(an->arena, n);
    for (uint32_t i = 0; i < n; i++)
        out->by.at[i] = project->list.at[project->list.n - n + i]->args[0];
    return true;
}

void aggregate_input(struct analyzer *an, const struct plan *agg, struct exprs *columns,
                     struct exprs *groups)
{
    struct grouping g;

    if (grouping_of(an, agg, &g)) {
        *columns = *plan_output(an->arena, agg->children[0]->children[0]->children[0]);
        *groups = g.by;
    } else {
        *columns = *plan_output(an->arena, agg->children[0]);
        *groups = agg->keys;
    }
}

struct replacing {
    struct analyzer *an;
    const struct grouping *g;
    enum errc rc;
};

static enum errc grouping_bit(struct analyzer *an, const struct grouping *g,
                              struct expr *call, struct expr **out)
{
    const struct func *shift = func_find(SV("shiftright")), *and = func_find(SV("&"));
    struct expr *args[2];
    uint32_t i = 0;

    while (i < g->by.n && !expr_same(g->by.at[i], call->args[0]) &&
           !expr_same(g->attributes[i], call->args[0])) /* ORDER BY sees Expand's */
        i++;
    if (i == g->by.n)
        return analysis_fail(
            an, call->place,
            "[GROUPING_COLUMN_MISMATCH] Column of grouping (%s) can't be found "
            "in grouping columns %s.",
            text_of(an->arena, call->args[0], PRINT_NAME),
            g->by.n ? text_of(an->arena, g->by.at[0], PRINT_NAME) : "");
    if (!shift || !and)
        return analysis_fail(an, call->place, "grouping() needs shiftright and &");
    args[0] = g->gid;
    args[1] = expr_literal(an->arena, value_int((int32_t)(g->by.n - 1 - i)));
    TRY(func_call(an->arena, an->settings, shift, args, 2, &args[0], an->err));
    args[1] = expr_literal(an->arena, value_long(1));
    TRY(func_call(an->arena, an->settings, and, args, 2, &args[0], an->err));
    *out = expr_cast(an->arena, args[0], type_of(TYPE_BYTE));
    (*out)->place = call->place;
    return ERR_OK;
}

static enum errc grouping_bits(struct analyzer *an, const struct grouping *g,
                               struct expr *call, struct expr **out)
{
    bool same = call->n_args == 0 || call->n_args == g->by.n;

    for (uint32_t i = 0; same && i < call->n_args; i++)
        same = expr_same(call->args[i], g->by.at[i]) ||
               expr_same(call->args[i], g->attributes[i]);
    if (!same)
        return analysis_fail(
            an, call->place,
            "[GROUPING_ID_COLUMN_MISMATCH] Columns of grouping_id does not "
            "match grouping columns: %u columns.",
            g->by.n);
    *out = g->gid;
    return ERR_OK;
}

static struct expr *replace_call(void *ctx, struct expr *e)
{
    struct replacing *r = ctx;
    struct expr *to = e;

    if (r->rc != ERR_OK || !is_grouping_call(e))
        return e;
    r->rc = same_name(e->parts[0], SV("grouping")) ? grouping_bit(r->an, r->g, e, &to)
                                                   : grouping_bits(r->an, r->g, e, &to);
    return to;
}

/* Keys outside aggregates are Expand's columns. */
static struct expr *read_keys(struct arena *a, const struct grouping *g, struct expr *e)
{
    struct expr *copy = NULL;

    if (e->kind == EXPR_AGGREGATE)
        return e;
    for (uint32_t i = 0; i < g->by.n; i++)
        if (e->kind != EXPR_ALIAS && expr_same(g->by.at[i], e))
            return g->attributes[i];
    for (uint32_t i = 0; i < e->n_args; i++) {
        bool window_aggregate =
            e->kind == EXPR_WINDOW && e->args[i]->kind == EXPR_AGGREGATE;
        struct expr *to = e->args[i];

        if (window_aggregate) {
            struct expr *inner = expr_copy(a, to);

            for (uint32_t k = 0; k < to->n_args; k++)
                inner->args[k] = read_keys(a, g, to->args[k]);
            to = inner;
        } else {
            to = read_keys(a, g, to);
        }
        if (to == e->args[i])
            continue;
        if (!copy)
            copy = expr_copy(a, e);
        copy->args[i] = to;
    }
    if (e->window) {
        struct window_spec *w = ARENA_NEW(a, struct window_spec);

        *w = *e->window;
        w->partition = arena_array(a, w->n_partition + 1, sizeof *w->partition);
        w->order = arena_array(a, w->n_order + 1, sizeof *w->order);
        for (uint32_t i = 0; i < w->n_partition; i++)
            w->partition[i] = read_keys(a, g, e->window->partition[i]);
        for (uint32_t i = 0; i < w->n_order; i++)
            w->order[i] = read_keys(a, g, e->window->order[i]);
        copy = copy ? copy : expr_copy(a, e);
        copy->window = w;
    }
    if (!copy)
        return e;
    expr_settle(copy);
    return copy;
}

enum errc replace_grouping(struct analyzer *an, const struct grouping *g, struct expr *e,
                           struct expr **out)
{
    struct replacing r = { an, g, ERR_OK };

    e = expr_transform_up(an->arena, e, replace_call, &r);
    *out = read_keys(an->arena, g, e);
    return r.rc;
}

/* ---- the Aggregate ---- */

static enum errc group_by_sets(struct analyzer *an, struct plan *p, struct plan *child,
                               const struct scope *s, struct exprs list,
                               struct plan **out)
{
    struct sets sets = { 0 };
    struct grouping g;
    struct exprs keys;

    TRY(read_sets(an, p, s, &list, &sets));
    child = expand(an, &sets, child, &keys);
    *out = plan_aggregate(an->arena, keys, list, child);
    if (!grouping_of(an, *out, &g))
        return ERR_OK;
    list = exprs_copy(an->arena, &list);
    for (uint32_t i = 0; i < list.n; i++)
        TRY(replace_grouping(an, &g, list.at[i], &list.at[i]));
    (*out)->list = list;
    return ERR_OK;
}

enum errc group_by(struct analyzer *an, struct plan *p, struct plan *child,
                   const struct scope *s, struct exprs list, struct plan **out)
{
    struct exprs keys = { 0 };
    struct scope names = *s;

    if (settings_bool(an->settings, SET_GROUP_BY_ALIASES))
        names.items = &list;
    if (p->kind == PLAN_AGGREGATE && p->sets_kind != SETS_NONE)
        return group_by_sets(an, p, child, &names, list, out);
    if (p->kind == PLAN_AGGREGATE && says_all(p, s)) {
        keys_of_all(an, &list, &keys);
    } else if (p->kind == PLAN_AGGREGATE) {
        keys = exprs_new(an->arena, p->keys.n);
        for (uint32_t i = 0; i < keys.n; i++)
            TRY(resolve_key(an, &names, p->keys.at[i], &list, &keys.at[i]));
    }
    *out = plan_aggregate(an->arena, keys, list, child);
    return ERR_OK;
}
