/* From operators to a plan that can run: projects and sorts that do nothing go,
 * ColumnarToRow comes in, whole-stage units get their numbers, equal exchanges and
 * subqueries run once.
 *
 * Whole-stage units: operators that Spark would generate code for, as long as one stands
 * directly on another; a merge join's and a shuffled hash join's children are units of
 * their own. Units are numbered from below, left before right. */
#include "engine/plan/phys_int.h"

/* ---- RemoveRedundantProjects ---- */

static bool same_columns(const struct exprs *x, const struct exprs *y, bool in_order)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++) {
        const struct expr *other = in_order
                                       ? (y->at[i]->id == x->at[i]->id ? y->at[i] : NULL)
                                       : exprs_find(y, x->at[i]->id);

        if (!other || (!x->at[i]->nullable && other->nullable))
            return false;
    }
    return true;
}

static bool merges(const struct phys *agg)
{
    for (uint32_t i = 0; i < agg->aggs.n; i++)
        if (agg->aggs.at[i]->mode == AGG_FINAL ||
            agg->aggs.at[i]->mode == AGG_PARTIAL_MERGE)
            return true;
    return false;
}

/* Does the node care in which order its child's columns come? */
static bool needs_order(const struct phys *p, bool above)
{
    switch (p->kind) {
    case PHYS_PROJECT:
    case PHYS_TAKE_ORDERED:
        return false;
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
        return merges(p);
    case PHYS_FILTER:
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
    case PHYS_CARTESIAN:
    case PHYS_WINDOW:
        return above;
    default:
        return true;
    }
}

static struct exprs passed_on(struct arena *a, const struct phys *p)
{
    const struct exprs *l = &p->children[0]->output, *r;

    switch (p->kind) {
    case PHYS_FILTER: /* the same columns in the child's new order, as nullable as here */
        return *l;
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
    case PHYS_CARTESIAN:
        r = &p->children[1]->output;
        if (p->join_type == JOIN_SEMI || p->join_type == JOIN_ANTI)
            return *l;
        if (p->join_type == JOIN_EXISTENCE)
            return exprs_add(a, l, p->output.at[p->output.n - 1]);
        return exprs_join(a, l, r);
    case PHYS_WINDOW: {
        struct exprs added = exprs_to_attributes(a, &p->list);

        return exprs_join(a, l, &added);
    }
    default:
        return p->output;
    }
}

/* Attributes as the node had them (nullability), in the order of `order`. */
static struct exprs ordered_as(struct arena *a, const struct exprs *own,
                               const struct exprs *order)
{
    struct exprs out = exprs_new(a, order->n);

    for (uint32_t i = 0; i < order->n; i++) {
        struct expr *e = exprs_find(own, order->at[i]->id);

        out.at[i] = e ? e : order->at[i];
    }
    return out;
}

static struct phys *drop_projects(struct arena *a, struct phys *p, bool in_order)
{
    struct phys *few[4];
    struct phys **to = few;
    bool below = needs_order(p, in_order);
    struct phys *out;

    if (p->kind == PHYS_STAGE)
        return p;
    if (p->kind == PHYS_PROJECT && p->logical == p->children[0]->logical &&
        same_columns(&p->output, &p->children[0]->output, in_order))
        return drop_projects(a, p->children[0], in_order);
    if (p->n_children > ARRAY_LEN(few))
        to = arena_array(a, p->n_children, sizeof *to);
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = drop_projects(a, p->children[i], below);
    out = phys_with_children(a, p, to);
    if (out != p && !below) {
        struct exprs order = passed_on(a, out);

        if (p->kind == PHYS_FILTER || p->n_children == 2 || p->kind == PHYS_WINDOW)
            out->output = ordered_as(a, &p->output, &order);
    }
    return out;
}

/* ---- RemoveRedundantSorts ---- */

static struct phys *drop_sort(void *ctx, struct phys *p)
{
    struct arena *a = ctx;
    struct exprs has;
    struct partitioning cut;
    struct distribution want;

    if (p->kind != PHYS_SORT)
        return p;
    has = phys_ordering(a, p->children[0]);
    cut = phys_partitioning(a, p->children[0]);
    want = phys_requires(a, p, 0);
    return order_satisfies(&has, &p->order) && partitioning_satisfies(&cut, &want)
               ? p->children[0]
               : p;
}

struct phys *phys_prepare(struct planner_env *env, struct phys *p)
{
    p = drop_projects(env->arena, p, true);
    p = phys_ensure(env, p);
    return phys_transform_up(env->arena, p, drop_sort, env->arena);
}

/* ---- ColumnarToRow ---- */

static bool is_columnar(const struct phys *p)
{
    if (p->kind == PHYS_SCAN)
        return p->relation->format && p->relation->format->columnar;
    if (p->kind != PHYS_UNION)
        return false;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (!is_columnar(p->children[i]))
            return false;
    return true;
}

static struct phys *to_rows(struct arena *a, struct phys *p)
{
    struct phys *few[4];
    struct phys **to = few;

    if (p->kind == PHYS_STAGE || p->kind == PHYS_ADAPTIVE ||
        p->kind == PHYS_COLUMNAR_TO_ROW)
        return p;
    if (is_columnar(p))
        return phys_unary(a, PHYS_COLUMNAR_TO_ROW, p);
    if (p->n_children > ARRAY_LEN(few))
        to = arena_array(a, p->n_children, sizeof *to);
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = to_rows(a, p->children[i]);
    return phys_with_children(a, p, to);
}

/* ---- whole-stage units ---- */

enum { MOST_FIELDS = 100 }; /* spark.sql.codegen.maxFields */

static bool generates(const struct phys *p)
{
    if (p->output.n > MOST_FIELDS)
        return false;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (p->children[i]->output.n > MOST_FIELDS)
            return false;
    switch (p->kind) {
    case PHYS_FILTER:
    case PHYS_PROJECT:
    case PHYS_HASH_AGG:
    case PHYS_EXPAND:
    case PHYS_SORT:
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_RANGE:
    case PHYS_ONE_ROW:
    case PHYS_LOCAL_SCAN:
    case PHYS_SAMPLE:
    case PHYS_COLUMNAR_TO_ROW:
    case PHYS_LOCAL_LIMIT:
    case PHYS_GLOBAL_LIMIT:
    case PHYS_OFFSET:
        return true;
    case PHYS_SORT_AGG:
        return p->keys.n == 0;
    case PHYS_BROADCAST_NL_JOIN:
        return p->join_type != JOIN_FULL &&
               (p->join_type == JOIN_INNER || p->join_type == JOIN_CROSS ||
                p->build_left == (p->join_type == JOIN_RIGHT));
    default:
        return false;
    }
}

static struct phys *number_units(struct planner_env *env, struct phys *p);

/* p as part of a unit that has no number yet (0 stands for it). */
static struct phys *inside(struct planner_env *env, struct phys *p, bool *marked)
{
    struct arena *a = env->arena;
    bool apart = p->kind == PHYS_SORT_MERGE_JOIN || p->kind == PHYS_SHUFFLED_HASH_JOIN;
    struct phys *out;

    if (!generates(p))
        return number_units(env, p);
    out = phys_copy(a, p);
    *marked = true;
    for (uint32_t i = 0; i < p->n_children; i++) {
        bool in_unit = false;

        out->children[i] = apart ? number_units(env, p->children[i])
                                 : inside(env, p->children[i], &in_unit);
        if (in_unit)
            out->children[i]->codegen = UINT32_MAX; /* the unit of its parent */
    }
    return out;
}

static void set_number(struct phys *p, uint32_t number)
{
    p->codegen = number;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (p->children[i]->codegen == UINT32_MAX)
            set_number(p->children[i], number);
}

static struct phys *number_units(struct planner_env *env, struct phys *p)
{
    struct phys *few[4];
    struct phys **to = few;
    bool marked = false;

    if (p->kind == PHYS_STAGE || p->kind == PHYS_ADAPTIVE || p->kind == PHYS_LOCAL_SCAN)
        return p;
    if (generates(p)) {
        p = inside(env, p, &marked);
        set_number(p, ++env->n_codegen);
        return p;
    }
    if (p->n_children > ARRAY_LEN(few))
        to = arena_array(env->arena, p->n_children, sizeof *to);
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = number_units(env, p->children[i]);
    return phys_with_children(env->arena, p, to);
}

struct phys *phys_codegen(struct planner_env *env, struct phys *p)
{
    p = to_rows(env->arena, p);
    return settings_bool(env->settings, SET_CODEGEN) ? number_units(env, p) : p;
}

/* ---- reuse ---- */

struct reuse {
    struct arena *arena;
    struct phys **seen;
    uint32_t n;
};

static void see(struct reuse *r, struct phys *p)
{
    struct phys **more = arena_array(r->arena, r->n + 1, sizeof(struct phys *));

    if (r->n)
        memcpy(more, r->seen, r->n * sizeof *more);
    more[r->n++] = p;
    r->seen = more;
}

static struct phys *reuse_exchange(void *ctx, struct phys *p)
{
    struct reuse *r = ctx;
    struct phys *out;

    if (p->kind != PHYS_EXCHANGE && p->kind != PHYS_BROADCAST)
        return p;
    for (uint32_t i = 0; i < r->n; i++) {
        if (!phys_same(r->seen[i], p))
            continue;
        out = phys_new(r->arena, PHYS_REUSED, 0);
        out->reused = r->seen[i];
        out->output = p->output;
        return out;
    }
    see(r, p);
    return p;
}

static struct expr *reuse_subquery(void *ctx, struct expr *e)
{
    struct reuse *r = ctx;

    if (e->kind != EXPR_SUBQUERY_RESULT || !e->phys || e->phys->kind != PHYS_SUBQUERY)
        return e;
    for (uint32_t i = 0; i < r->n; i++)
        if (r->seen[i] == e->phys)
            return e;
        else if (phys_same(r->seen[i], e->phys))
            return phys_reused_subquery(r->arena, e, r->seen[i]);
    see(r, e->phys);
    return e;
}

static struct phys *reuse_in_node(void *ctx, struct phys *p)
{
    struct reuse *r = ctx;

    return phys_map_exprs(r->arena, p, reuse_subquery, r);
}

struct phys *phys_reuse(struct planner_env *env, struct phys *p)
{
    struct reuse exchanges = { .arena = env->arena }, subqueries = exchanges;

    if (settings_bool(env->settings, SET_EXCHANGE_REUSE))
        p = phys_transform_up(env->arena, p, reuse_exchange, &exchanges);
    if (settings_bool(env->settings, SET_SUBQUERY_REUSE))
        p = phys_transform_up(env->arena, p, reuse_in_node, &subqueries);
    return p;
}
