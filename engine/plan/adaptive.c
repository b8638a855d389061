/* Adaptive execution: which exchanges run next, and what is planned anew after them.
 *
 * A stage is found again in the logical plan by links: every operator knows the logical
 * node that it was planned from. An exchange that was put between two operators has no
 * link; it goes by the first one below. The topmost operator with that link and all below
 * it, down to the stage, then stand for the logical node: for an aggregate in two steps
 * that is the final step over the stage of the partial one.
 *
 *     Sort            PLAN_STAGE              Sort
 *     +- Aggregate      phys: HashAggregate   +- HashAggregate (as it was)
 *        +- ...               +- PHYS_STAGE      +- PHYS_STAGE
 *
 * Stages that the logical plan does not know of yet are kept until a new plan is taken:
 * a plan that was turned down leaves both, logical and physical, as they were. Reused
 * stages that are done when they are found are never marked, as in Spark. */
#include "engine/plan/adaptive.h"

#include "engine/plan/phys_int.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>

void adaptive_init(struct adaptive *a, struct phys *adaptive, struct stage_cache *cache)
{
    a->cache = cache;
    a->current = adaptive->children[0];
    if (a->current->kind == PHYS_WRITE)
        a->current = phys_write_rows(a->current);
    a->logical = (struct plan *)(uintptr_t)adaptive->logical;
    a->subqueries = phys_subquery_results(a->env.arena, a->current);
}

/* ---- stages ---- */

bool adaptive_is_shuffle(const struct phys *p)
{
    if (p->kind != PHYS_STAGE)
        return false;
    p = p->children[0];
    return (p->kind == PHYS_REUSED ? p->reused : p)->kind == PHYS_EXCHANGE;
}

const struct stage_stats *adaptive_stats(const struct phys *p)
{
    if (!adaptive_is_shuffle(p) || !p->stage->done || !p->stage->stats.n_maps)
        return NULL;
    return &p->stage->stats;
}

static const struct plan *link_of(const struct phys *p)
{
    const struct plan *found = p->logical;

    for (uint32_t i = 0; !found && p->kind != PHYS_STAGE && i < p->n_children; i++)
        found = link_of(p->children[i]);
    return found;
}

static struct query_stage *same_stage(const struct stage_cache *c,
                                      const struct phys *exchange)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (phys_same(c->at[i]->exchange, exchange))
            return c->at[i];
    return NULL;
}

static struct phys *reusing(struct arena *a, const struct phys *exchange,
                            struct query_stage *of)
{
    struct phys *p = phys_new(a, PHYS_REUSED, 0);

    p->reused = of->exchange;
    p->output = exchange->output;
    return p;
}

/* ReuseAdaptiveSubquery: equal subqueries of a stage's plan run once. */
static struct expr *reuse_subquery(void *ctx, struct expr *e)
{
    struct adaptive *a = ctx;
    struct stage_cache *c = a->cache;

    if (e->kind != EXPR_SUBQUERY_RESULT || !e->phys || e->phys->kind != PHYS_SUBQUERY)
        return e;
    for (uint32_t i = 0; i < c->n_subqueries; i++) {
        if (c->subqueries[i] == e->phys)
            return e;
        if (!phys_same(c->subqueries[i], e->phys))
            continue;
        return phys_reused_subquery(a->env.arena, e, c->subqueries[i]);
    }
    GROW(c->subqueries, c->n_subqueries, c->cap_subqueries);
    c->subqueries[c->n_subqueries++] = e->phys;
    return e;
}

static struct phys *reuse_in_node(void *ctx, struct phys *p)
{
    struct adaptive *a = ctx;

    return phys_map_exprs(a->env.arena, p, reuse_subquery, a);
}

/* A stage's plan, as all rules for it leave it. */
static struct phys *stage_plan(struct adaptive *a, struct phys *p)
{
    if (a->subqueries.n && settings_bool(a->env.settings, SET_SUBQUERY_REUSE))
        p = phys_transform_up(a->env.arena, p, reuse_in_node, a);
    return adaptive_reads(&a->env, p);
}

struct new_stages {
    struct query_stage **at;
    uint32_t n, cap;
};

static struct query_stage *new_stage(struct adaptive *a, struct phys *exchange)
{
    struct arena *arena = a->env.arena;
    struct query_stage *stage = ARENA_NEW(arena, struct query_stage);
    struct phys *child = stage_plan(a, exchange->children[0]);
    bool reuse = settings_bool(a->env.settings, SET_EXCHANGE_REUSE);

    exchange = phys_codegen(&a->env, phys_with_children(arena, exchange, &child));
    stage->id = a->n_stages++;
    stage->exchange = exchange;
    stage->reuse_of = reuse ? same_stage(a->cache, exchange) : NULL;
    if (stage->reuse_of) {
        stage->exchange = reusing(arena, exchange, stage->reuse_of);
        stage->done = stage->reuse_of->done;
        stage->stats = stage->reuse_of->stats;
        stage->shuffle_id = stage->reuse_of->shuffle_id;
        return stage;
    }
    GROW(a->cache->at, a->cache->n, a->cache->cap);
    a->cache->at[a->cache->n++] = stage;
    return stage;
}

static struct phys *stage_node(struct arena *a, const struct phys *exchange,
                               struct query_stage *stage)
{
    struct phys *p = phys_unary(a, PHYS_STAGE, stage->exchange);

    p->output = exchange->output;
    p->logical = link_of(exchange);
    p->stage = stage;
    return p;
}

static struct phys *cut(struct adaptive *a, struct phys *p, struct new_stages *out,
                        bool *done)
{
    struct arena *arena = a->env.arena;
    struct query_stage *stage;
    struct phys **children;

    *done = true;
    if (p->kind == PHYS_STAGE)
        *done = p->stage->done;
    if (p->kind == PHYS_STAGE || !p->n_children)
        return p;
    children = arena_array(arena, p->n_children, sizeof(struct phys *));
    for (uint32_t i = 0; i < p->n_children; i++) {
        bool child_done;

        children[i] = cut(a, p->children[i], out, &child_done);
        *done &= child_done;
    }
    p = phys_with_children(arena, p, children);
    if ((p->kind != PHYS_EXCHANGE && p->kind != PHYS_BROADCAST) || !*done)
        return p;
    stage = new_stage(a, p);
    *done = stage->done;
    if (!stage->done) {
        GROW(out->at, out->n, out->cap);
        out->at[out->n++] = stage;
    }
    return stage_node(arena, p, stage);
}

static struct query_stage **joined(struct arena *a, struct query_stage **x, uint32_t n,
                                   struct query_stage **y, uint32_t m)
{
    struct query_stage **out = arena_array(a, (size_t)n + m + 1, sizeof *out);

    for (uint32_t i = 0; i < n; i++)
        out[i] = x[i];
    for (uint32_t i = 0; i < m; i++)
        out[n + i] = y[i];
    return out;
}

static bool is_broadcast(const struct query_stage *s)
{
    const struct phys *e = s->exchange;

    return (e->kind == PHYS_REUSED ? e->reused : e)->kind == PHYS_BROADCAST;
}

bool adaptive_cut(struct adaptive *a, struct query_stage ***out, uint32_t *n_out)
{
    struct arena *arena = a->env.arena;
    struct new_stages new = { 0 };
    uint32_t k = 0;
    bool done;

    a->current = cut(a, a->current, &new, &done);
    a->unmarked = joined(arena, new.at, new.n, a->unmarked, a->n_unmarked);
    a->n_unmarked += new.n;
    *out = arena_array(arena, new.n + 1, sizeof **out);
    *n_out = new.n;
    for (int broadcasts = 1; broadcasts >= 0; broadcasts--)
        for (uint32_t i = 0; i < new.n; i++)
            if (is_broadcast(new.at[i]) == (broadcasts == 1))
                (*out)[k++] = new.at[i];
    free(new.at);
    return done;
}

/* ---- into the logical plan ---- */

static struct phys *find_stage(struct phys *p, const struct query_stage *stage)
{
    struct phys *found = NULL;

    if (p->kind == PHYS_STAGE)
        return p->stage == stage ? p : NULL;
    for (uint32_t i = 0; !found && i < p->n_children; i++)
        found = find_stage(p->children[i], stage);
    return found;
}

/* The first node that was planned from `logical`; the stage itself is such a one. */
static struct phys *planned_from(struct phys *p, const struct phys *stage)
{
    struct phys *found = NULL;

    if (p == stage || p->logical == stage->logical)
        return p;
    for (uint32_t i = 0; !found && p->kind != PHYS_STAGE && i < p->n_children; i++)
        found = planned_from(p->children[i], stage);
    return found;
}

static struct query_stage *first_stage(const struct phys *p)
{
    struct query_stage *found = NULL;

    if (p->kind == PHYS_STAGE)
        return p->stage;
    for (uint32_t i = 0; !found && i < p->n_children; i++)
        found = first_stage(p->children[i]);
    return found;
}

struct marking {
    const struct plan *from;
    struct plan *to;
};

static struct plan *mark_node(void *ctx, struct plan *p)
{
    const struct marking *m = ctx;

    return p == m->from ? m->to : p;
}

static struct plan *mark(struct adaptive *a, struct plan *p, const struct phys *stage)
{
    struct arena *arena = a->env.arena;
    struct plan *origin = (struct plan *)(uintptr_t)stage->logical;
    struct plan *to = plan_new(arena, PLAN_STAGE, 0);
    struct marking m = { origin, to };

    to->phys = planned_from(a->current, stage);
    to->origin = origin;
    to->stage = first_stage(to->phys);
    to->output = *plan_output(arena, origin);
    to->output_known = true;
    to->resolved = true;
    return plan_transform_down(arena, p, mark_node, &m);
}

static struct plan *marked(struct adaptive *a)
{
    struct plan *p = a->logical;

    for (uint32_t i = 0; i < a->n_unmarked; i++) {
        const struct phys *stage = find_stage(a->current, a->unmarked[i]);

        if (stage && stage->logical)
            p = mark(a, p, stage);
    }
    return p;
}

/* ---- planning anew ---- */

struct cost {
    uint32_t skewed_joins, shuffles;
};

static void count_cost(const struct phys *p, struct cost *c)
{
    if (p->kind == PHYS_STAGE)
        return;
    c->shuffles += p->kind == PHYS_EXCHANGE;
    c->skewed_joins += p->skew;
    for (uint32_t i = 0; i < p->n_children; i++)
        count_cost(p->children[i], c);
}

/* More joins rid of their skew, where that is wanted at any price; then fewer shuffles.
 */
static bool is_better(const struct adaptive *a, const struct phys *than,
                      const struct phys *now)
{
    bool force = settings_bool(a->env.settings, SET_FORCE_SKEW_JOIN);
    struct cost x = { 0 }, y = { 0 };

    count_cost(than, &x);
    count_cost(now, &y);
    if (force && x.skewed_joins != y.skewed_joins)
        return y.skewed_joins > x.skewed_joins;
    if (x.shuffles != y.shuffles)
        return y.shuffles < x.shuffles;
    return !phys_same(than, now);
}

static bool is_broadcast_join(const struct phys *p)
{
    return p->kind == PHYS_BROADCAST_HASH_JOIN || p->kind == PHYS_BROADCAST_NL_JOIN;
}

/* What was broadcast must be what a broadcast join builds from, nothing else. */
static bool is_valid(const struct phys *p)
{
    if (p->kind == PHYS_STAGE)
        return adaptive_is_shuffle(p);
    for (uint32_t i = 0; i < p->n_children; i++) {
        bool build = is_broadcast_join(p) && (i == 0) == p->build_left;

        if (!(build && p->children[i]->kind == PHYS_STAGE) && !is_valid(p->children[i]))
            return false;
    }
    return true;
}

enum errc adaptive_replan(struct adaptive *a, struct err *err)
{
    struct plan *logical;
    struct phys *p;

    TRY(plan_reoptimize(&a->rewrite, marked(a), &logical, err));
    TRY(phys_replan(&a->env, logical, &a->subqueries, &p, err));
    p = adaptive_skewed_joins(&a->env, p);
    if (!is_valid(p) || !is_better(a, a->current, p))
        return ERR_OK;
    a->current = p;
    a->logical = logical;
    a->n_unmarked = 0;
    return ERR_OK;
}

struct phys *adaptive_final(struct adaptive *a)
{
    return phys_codegen(&a->env, stage_plan(a, a->current));
}
