/* Physical planning: one operator or a few for each logical node, top-down, first choice
 * wins; then what stands between them (phys_prepare.c).
 *
 * Scans, aggregates and joins have files of their own. The root is special: a LIMIT there
 * collects, and with a SORT below it keeps the best rows only (SpecialLimits).
 *
 * A plan that needs rows laid out in some way, or has subqueries, runs adaptively: it
 * stays as planned below PHYS_ADAPTIVE until its stages ran. Others get their
 * ColumnarToRow and whole-stage numbers here.
 *
 * Every node knows the logical node it came from, as adaptive execution goes back to it;
 * exchanges and sorts that were put between do not. */
#include "engine/plan/phys_int.h"

#include "engine/plan/adaptive.h"

#include <inttypes.h>

/* ---- simple nodes ---- */

struct phys *phys_project(struct planner_env *env, struct exprs list, struct phys *child)
{
    struct phys *p = phys_unary(env->arena, PHYS_PROJECT, child);

    p->list = list;
    p->output = exprs_to_attributes(env->arena, &list);
    return p;
}

/* Columns that `IS NOT NULL` holds for are never NULL above. */
static struct exprs without_nulls(struct arena *a, struct expr *condition,
                                  const struct exprs *output)
{
    struct exprs out = exprs_copy(a, output);
    struct expr_set sure = { 0 };
    struct expr **parts;
    uint32_t n = expr_split_and(a, condition, &parts);

    for (uint32_t i = 0; i < n; i++)
        if (phys_rejects_null(parts[i]))
            expr_references(a, parts[i], &sure);
    for (uint32_t i = 0; i < out.n; i++)
        if (out.at[i]->nullable && expr_set_has(&sure, out.at[i]->id)) {
            out.at[i] = expr_copy(a, out.at[i]);
            out.at[i]->nullable = false;
        }
    return out;
}

struct phys *phys_filter(struct planner_env *env, struct expr *condition,
                         struct phys *child)
{
    struct phys *p = phys_unary(env->arena, PHYS_FILTER, child);

    p->condition = condition;
    p->output = without_nulls(env->arena, condition, &child->output);
    return p;
}

static struct phys *sort_node(struct planner_env *env, const struct plan *p,
                              struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_SORT, child);

    out->order = p->order;
    out->global = p->global;
    return out;
}

static struct phys *window_node(struct planner_env *env, struct plan *p,
                                struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_WINDOW, child);
    struct exprs added = exprs_to_attributes(env->arena, &p->list);

    out->list = p->list;
    out->keys = p->keys;
    out->order = p->order;
    out->output = exprs_join(env->arena, &child->output, &added);
    return out;
}

static int64_t limit_of(const struct plan *p)
{
    return p->limit && p->limit->kind == EXPR_LITERAL ? p->limit->value.u.i : 0;
}

static struct phys *window_limit_node(struct planner_env *env, const struct plan *p,
                                      struct phys *child)
{
    for (int partial = 1; partial >= 0; partial--) {
        child = phys_unary(env->arena, PHYS_WINDOW_GROUP_LIMIT, child);
        child->keys = p->keys;
        child->order = p->order;
        child->condition = p->condition;
        child->limit = limit_of(p);
        child->partial = partial == 1;
    }
    return child;
}

static struct phys *expand_node(struct planner_env *env, struct plan *p,
                                struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_EXPAND, child);

    out->projections = p->projections;
    out->n_projections = p->n_projections;
    out->output = *plan_output(env->arena, p);
    return out;
}

static struct phys *generate_node(struct planner_env *env, struct plan *p,
                                  struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_GENERATE, child);

    out->list = p->list;
    out->output = *plan_output(env->arena, p);
    return out;
}

static struct phys *sample_node(struct planner_env *env, const struct plan *p,
                                struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_SAMPLE, child);

    out->lower = p->lower;
    out->upper = p->upper;
    out->seed = p->seed;
    return out;
}

static struct phys *exchange_node(struct planner_env *env, struct partitioning to,
                                  enum exchange_origin origin, struct phys *child)
{
    struct phys *out = phys_unary(env->arena, PHYS_EXCHANGE, child);

    if (to.n == 1)
        to = (struct partitioning){ .kind = PART_SINGLE, .n = 1 };
    out->partitioning = to;
    out->origin = origin;
    out->plan_id = next_plan_id();
    return out;
}

static struct phys *repartition_node(struct planner_env *env, const struct plan *p,
                                     struct phys *child)
{
    struct partitioning to = { .kind = PART_ROUND_ROBIN, .n = p->n_partitions };
    struct phys *out;

    if (p->shuffle)
        return exchange_node(env, to, ORIGIN_REPARTITION_BY_NUM, child);
    out = phys_unary(env->arena, PHYS_COALESCE, child);
    out->n_partitions = p->n_partitions;
    return out;
}

static struct phys *repartition_by_node(struct planner_env *env, const struct plan *p,
                                        struct phys *child)
{
    struct partitioning to = { .kind = PART_ROUND_ROBIN,
                               .n = p->n_partitions ? p->n_partitions
                                                    : phys_shuffle_partitions(env) };
    enum exchange_origin origin =
        p->n_partitions ? ORIGIN_REPARTITION_BY_NUM : ORIGIN_REPARTITION_BY_COL;

    if (p->order.n) {
        to.kind = PART_RANGE;
        to.keys = p->order;
    } else if (p->keys.n) {
        to.kind = PART_HASH;
        to.keys = p->keys;
    }
    if (p->rebalance)
        origin = to.kind == PART_ROUND_ROBIN ? ORIGIN_REBALANCE_BY_NONE
                                             : ORIGIN_REBALANCE_BY_COL;
    return exchange_node(env, to, origin, child);
}

/* ---- leaves ---- */

static struct phys *local_node(struct planner_env *env, const struct plan *p)
{
    struct phys *out = phys_new(env->arena, PHYS_LOCAL_SCAN, 0);

    out->rows = p->rows;
    out->n_rows = p->n_rows;
    out->output = p->output;
    return out;
}

static struct phys *range_node(struct planner_env *env, struct plan *p)
{
    struct phys *out = phys_new(env->arena, PHYS_RANGE, 0);

    out->range_start = p->range_start;
    out->range_end = p->range_end;
    out->range_step = p->range_step;
    out->n_partitions = p->n_partitions ? p->n_partitions : (uint32_t)env->cores;
    out->output = *plan_output(env->arena, p);
    return out;
}

/* ---- limits ---- */

struct top {               /* LIMIT, OFFSET, their order; a Project between */
    int64_t limit, offset; /* limit -1: none */
    struct plan *below;
};

static bool is_limit(const struct plan *p)
{
    return p->kind == PLAN_GLOBAL_LIMIT && p->children[0]->kind == PLAN_LOCAL_LIMIT &&
           limit_of(p) == limit_of(p->children[0]);
}

/* LIMIT n; OFFSET m over LIMIT n (n counts from the start); LIMIT n over OFFSET m, whose
 * local limit the optimiser pushed below. */
static bool find_top(struct plan *p, struct top *t)
{
    struct plan *c;

    *t = (struct top){ .limit = -1 };
    if (is_limit(p)) {
        t->limit = limit_of(p);
        t->below = p->children[0]->children[0];
        return true;
    }
    if (p->kind == PLAN_OFFSET) {
        t->offset = limit_of(p);
        t->below = p->children[0];
        if (is_limit(t->below)) {
            t->limit = limit_of(t->below);
            t->below = t->below->children[0]->children[0];
        }
        return true;
    }
    if (p->kind != PLAN_GLOBAL_LIMIT || p->children[0]->kind != PLAN_OFFSET)
        return false;
    c = p->children[0]->children[0];
    if (c->kind != PLAN_LOCAL_LIMIT ||
        limit_of(c) != limit_of(p) + limit_of(p->children[0]))
        return false;
    t->offset = limit_of(p->children[0]);
    t->limit = limit_of(c);
    t->below = c->children[0];
    return true;
}

static enum errc take_ordered(struct planner_env *env, const struct top *t,
                              struct phys **out, struct err *err)
{
    struct plan *sort = t->below;
    struct phys *child, *p;

    *out = NULL;
    if (sort->kind == PLAN_PROJECT)
        sort = sort->children[0];
    if (sort->kind != PLAN_SORT || !sort->global || t->limit < 0 ||
        t->limit >= settings_int(env->settings, SET_TOP_K))
        return ERR_OK;
    TRY(phys_later(env, sort->children[0], &child, err));
    p = phys_unary(env->arena, PHYS_TAKE_ORDERED, child);
    p->limit = t->limit;
    p->offset = t->offset;
    p->order = sort->order;
    p->list = t->below->kind == PLAN_PROJECT ? t->below->list : child->output;
    p->output = exprs_to_attributes(env->arena, &p->list);
    *out = p;
    return ERR_OK;
}

static enum errc root_limit(struct planner_env *env, struct plan *p, struct phys **out,
                            struct err *err)
{
    struct top t;

    *out = NULL;
    if (!find_top(p, &t))
        return ERR_OK;
    TRY(take_ordered(env, &t, out, err));
    if (*out)
        return ERR_OK;
    TRY(phys_later(env, t.below, out, err));
    *out = phys_unary(env->arena, PHYS_COLLECT_LIMIT, *out);
    (*out)->limit = t.limit;
    (*out)->offset = t.offset;
    return ERR_OK;
}

static enum errc inner_limit(struct planner_env *env, struct plan *p, struct phys **out,
                             struct err *err)
{
    struct plan *below = p->children[0];
    enum phys_kind kind =
        p->kind == PLAN_LOCAL_LIMIT ? PHYS_LOCAL_LIMIT : PHYS_GLOBAL_LIMIT;
    int64_t limit = limit_of(p), offset = 0;
    struct top t;

    *out = NULL;
    if (find_top(p, &t)) {
        TRY(take_ordered(env, &t, out, err));
        if (*out)
            return ERR_OK;
        if (t.offset || p->kind == PLAN_OFFSET) {
            below = t.below;
            limit = t.limit;
            offset = t.offset;
        }
    } else if (p->kind == PLAN_OFFSET) {
        limit = -1;
        offset = limit_of(p);
    }
    TRY(phys_later(env, below, out, err));
    *out = phys_unary(env->arena, kind, *out);
    (*out)->limit = limit;
    (*out)->offset = offset;
    return ERR_OK;
}

/* ---- all nodes ---- */

static void link(struct phys *p, const struct plan *logical)
{
    if (p->logical || p->kind == PHYS_STAGE)
        return;
    p->logical = logical;
    for (uint32_t i = 0; i < p->n_children; i++)
        link(p->children[i], logical);
}

/* What was planned before stands for another node now. */
static struct phys *relink(struct arena *a, struct phys *p, const struct plan *from,
                           const struct plan *to)
{
    if (p->logical && p->logical != from)
        return p;
    p = phys_copy(a, p);
    p->logical = to;
    for (uint32_t i = 0; p->kind != PHYS_STAGE && i < p->n_children; i++)
        p->children[i] = relink(a, p->children[i], from, to);
    return p;
}

static enum errc plan_join_node(struct planner_env *env, struct plan *p,
                                struct phys **out, struct err *err)
{
    struct phys *left, *right;

    TRY(phys_later(env, p->children[0], &left, err));
    TRY(phys_later(env, p->children[1], &right, err));
    *out = phys_join(env, p, left, right);
    return ERR_OK;
}

static enum errc plan_union(struct planner_env *env, struct plan *p, struct phys **out,
                            struct err *err)
{
    struct phys *u = phys_new(env->arena, PHYS_UNION, p->n_children);

    for (uint32_t i = 0; i < p->n_children; i++)
        TRY(phys_later(env, p->children[i], &u->children[i], err));
    u->output = *plan_output(env->arena, p);
    *out = u;
    return ERR_OK;
}

static struct phys *unary_node(struct planner_env *env, struct plan *p,
                               struct phys *child)
{
    switch (p->kind) {
    case PLAN_PROJECT:
        return phys_project(env, p->list, child);
    case PLAN_FILTER:
        return phys_filter(env, p->condition, child);
    case PLAN_AGGREGATE:
        return phys_aggregate(env, p, child);
    case PLAN_SORT:
        return sort_node(env, p, child);
    case PLAN_WINDOW:
        return window_node(env, p, child);
    case PLAN_WINDOW_GROUP_LIMIT:
        return window_limit_node(env, p, child);
    case PLAN_EXPAND:
        return expand_node(env, p, child);
    case PLAN_GENERATE:
        return generate_node(env, p, child);
    case PLAN_SAMPLE:
        return sample_node(env, p, child);
    case PLAN_REPARTITION:
        return repartition_node(env, p, child);
    case PLAN_REPARTITION_BY:
        return repartition_by_node(env, p, child);
    default:
        return NULL;
    }
}

static enum errc plan_unary_node(struct planner_env *env, struct plan *p,
                                 struct phys **out, struct err *err)
{
    struct phys *child;

    TRY(phys_later(env, p->children[0], &child, err));
    *out = unary_node(env, p, child);
    return ERR_OK;
}

static enum errc plan_node(struct planner_env *env, struct plan *p, struct phys **out,
                           struct err *err)
{
    *out = phys_scan(env, p);
    if (*out)
        return ERR_OK;
    switch (p->kind) {
    case PLAN_LOCAL_RELATION:
        *out = local_node(env, p);
        return ERR_OK;
    case PLAN_RANGE:
        *out = range_node(env, p);
        return ERR_OK;
    case PLAN_ONE_ROW:
        *out = phys_new(env->arena, PHYS_ONE_ROW, 0);
        return ERR_OK;
    case PLAN_STAGE:
        *out = relink(env->arena, p->phys, p->phys->logical, p);
        return ERR_OK;
    case PLAN_JOIN:
        return plan_join_node(env, p, out, err);
    case PLAN_UNION:
        return plan_union(env, p, out, err);
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
        return inner_limit(env, p, out, err);
    case PLAN_PROJECT:
    case PLAN_FILTER:
    case PLAN_AGGREGATE:
    case PLAN_SORT:
    case PLAN_WINDOW:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_EXPAND:
    case PLAN_GENERATE:
    case PLAN_SAMPLE:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
        return plan_unary_node(env, p, out, err);
    default:
        break;
    }
    return err_set(err, ERR_USAGE, "no physical operator for a logical node of kind %d",
                   (int)p->kind);
}

enum errc phys_later(struct planner_env *env, struct plan *p, struct phys **out,
                     struct err *err)
{
    TRY(plan_node(env, p, out, err));
    link(*out, p);
    return ERR_OK;
}

/* ---- subqueries ---- */

struct planning_subqueries {
    struct planner_env *env;
    struct err *err;
    enum errc rc;
    struct exprs seen; /* what took the place of each */
};

static enum errc plan_whole(struct planner_env *env, struct plan *p, bool subquery,
                            struct phys **out, struct err *err);

static struct phys *subquery_node(struct planning_subqueries *s, struct expr *e)
{
    struct planner_env own = *s->env;
    struct phys *p = phys_new(s->env->arena, PHYS_SUBQUERY, 1);

    own.n_codegen = 0;
    s->rc = plan_whole(&own, e->plan, true, &p->children[0], s->err);
    if (s->rc != ERR_OK)
        return NULL;
    p->id = e->id ? e->id : next_expr_id();
    p->text = settings_bool(own.settings, SET_ADAPTIVE) ? SV("subquery")
                                                        : SV("scalar-subquery");
    p->plan_id = next_plan_id();
    p->output = p->children[0]->output;
    return p;
}

static struct expr *result_of(const struct exprs *results, uint32_t id)
{
    for (uint32_t i = 0; i < results->n; i++)
        if (results->at[i]->id == id)
            return results->at[i];
    return NULL;
}

static struct expr *plan_subquery(void *ctx, struct expr *e)
{
    struct planning_subqueries *s = ctx;
    struct expr *out;
    struct phys *p;

    if (e->kind != EXPR_SCALAR_SUBQUERY || s->rc != ERR_OK)
        return e;
    out = result_of(&s->seen, e->id);
    if (out)
        return out;
    p = subquery_node(s, e);
    if (!p)
        return e;
    out = expr_new(s->env->arena, EXPR_SUBQUERY_RESULT, 0);
    out->type = e->type;
    out->nullable = true;
    out->resolved = true;
    out->id = p->id;
    out->phys = p;
    out->slot = ARENA_NEW(s->env->arena, struct value);
    s->seen = exprs_add(s->env->arena, &s->seen, out);
    return out;
}

static struct phys *plan_subqueries(void *ctx, struct phys *p)
{
    struct planning_subqueries *s = ctx;

    return phys_map_exprs(s->env->arena, p, plan_subquery, s);
}

/* ---- the whole ---- */

static bool has_result(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_SUBQUERY_RESULT;
}

static bool needs_adaptive(struct arena *a, struct phys *p)
{
    struct exprs *lists[PHYS_LISTS];
    struct phys copy = *p;

    if (p->kind == PHYS_EXCHANGE || p->kind == PHYS_BROADCAST)
        return true;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (phys_requires(a, p, i).kind != DIST_ANY || needs_adaptive(a, p->children[i]))
            return true;
    phys_lists(&copy, lists);
    for (size_t k = 0; k < PHYS_LISTS; k++)
        for (uint32_t i = 0; i < lists[k]->n; i++)
            if (expr_any(lists[k]->at[i], has_result, NULL))
                return true;
    return p->condition && expr_any(p->condition, has_result, NULL);
}

static enum errc plan_root(struct planner_env *env, struct plan *p, bool subquery,
                           struct phys **out, struct err *err)
{
    (void)subquery;
    TRY(root_limit(env, p, out, err));
    if (!*out)
        return phys_later(env, p, out, err);
    link(*out, p);
    return ERR_OK;
}

static enum errc plan_whole(struct planner_env *env, struct plan *p, bool subquery,
                            struct phys **out, struct err *err)
{
    struct planning_subqueries subs = { .env = env, .err = err };
    struct phys *root, *top;
    bool adaptive;

    TRY(plan_root(env, p, subquery, &root, err));
    root = phys_transform_up(env->arena, root, plan_subqueries, &subs);
    if (subs.rc != ERR_OK)
        return subs.rc;
    adaptive = settings_bool(env->settings, SET_ADAPTIVE) &&
               (subquery || settings_bool(env->settings, SET_ADAPTIVE_FORCE) ||
                needs_adaptive(env->arena, root));
    root = phys_prepare(env, root);
    if (!adaptive) {
        root = phys_codegen(env, root);
        *out = phys_reuse(env, root);
        return ERR_OK;
    }
    top = phys_unary(env->arena, PHYS_ADAPTIVE, root);
    top->initial = root;
    top->logical = p;
    *out = top;
    return ERR_OK;
}

struct results { /* found in a plan, or to be put into one */
    struct arena *arena;
    struct exprs list;
};

static bool add_result(void *ctx, const struct expr *e)
{
    struct results *r = ctx;

    if (e->kind == EXPR_SUBQUERY_RESULT && e->phys && !result_of(&r->list, e->id))
        r->list = exprs_add(r->arena, &r->list, (struct expr *)(uintptr_t)e);
    return false;
}

static void find_results(struct results *r, struct phys *p)
{
    struct exprs *lists[PHYS_LISTS];

    phys_lists(p, lists);
    for (size_t k = 0; k < PHYS_LISTS; k++)
        for (uint32_t i = 0; i < lists[k]->n; i++)
            (void)expr_any(lists[k]->at[i], add_result, r);
    if (p->condition)
        (void)expr_any(p->condition, add_result, r);
    for (uint32_t i = 0; i < p->n_children; i++)
        find_results(r, p->children[i]);
}

struct exprs phys_subquery_results(struct arena *a, struct phys *p)
{
    struct results r = { .arena = a };

    find_results(&r, p);
    return r.list;
}

static struct expr *put_result(void *ctx, struct expr *e)
{
    const struct results *r = ctx;
    struct expr *result = NULL;

    if (e->kind == EXPR_SCALAR_SUBQUERY)
        result = result_of(&r->list, e->id);
    return result ? result : e;
}

static struct phys *put_results(void *ctx, struct phys *p)
{
    struct results *r = ctx;

    return phys_map_exprs(r->arena, p, put_result, r);
}

enum errc phys_replan(struct planner_env *env, struct plan *p,
                      const struct exprs *subqueries, struct phys **out, struct err *err)
{
    struct results r = { env->arena, *subqueries };
    struct phys *root;

    TRY(plan_root(env, p, false, &root, err));
    if (subqueries->n)
        root = phys_transform_up(env->arena, root, put_results, &r);
    *out = phys_prepare(env, root);
    return ERR_OK;
}

enum errc phys_plan(struct planner_env *env, struct plan *optimized, struct phys **out,
                    struct err *err)
{
    return plan_whole(env, optimized, false, out, err);
}
