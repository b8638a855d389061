/* SQL executions, their plans and metrics. See app_build.h.
 *
 * Adaptive execution logs the whole tree again after every stage, mostly the same
 * nodes. A node is therefore made once: equal name, detail, metrics and (equal, so
 * identical) children give the node that is there already. */
#include "analyzer/app_build.h"

#include "base/mem.h"

#include <stdlib.h>

#define PLAN_DEPTH_LIMIT 900 /* below cJSON's nesting limit of 1000 */

static struct sql *sql_of(struct app_builder *b, int64_t execution_id)
{
    struct app *app = b->app;
    uint32_t ix = map_get(&b->sql_by_id, execution_id);

    if (ix != MAP_NONE)
        return &app->sqls[ix];
    GROW(app->sqls, app->n_sqls, b->cap_sqls);
    ix = (uint32_t)app->n_sqls++;
    map_put(&b->sql_by_id, execution_id, ix);
    app->sqls[ix] = (struct sql){ .execution_id = execution_id,
                                  .root_id = execution_id,
                                  .submitted_ms = APP_NONE,
                                  .completed_ms = APP_NONE };
    return &app->sqls[ix];
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 31;
}

static uint64_t hash_of(const struct plan_node *n)
{
    uint64_t h = mix((uint64_t)(uintptr_t)n->name.p, (uint64_t)(uintptr_t)n->detail.p);

    for (size_t i = 0; i < n->n_children; i++)
        h = mix(h, (uint64_t)(uintptr_t)n->children[i]);
    for (size_t i = 0; i < n->n_metrics; i++)
        h = mix(h, (uint64_t)n->metrics[i].accumulator_id);
    return mix(h, n->metadata.n);
}

/* Interned text: pointers compare. */
static bool same_node(const struct plan_node *x, const struct plan_node *y)
{
    if (x->name.p != y->name.p || x->detail.p != y->detail.p ||
        x->n_children != y->n_children || x->n_metrics != y->n_metrics ||
        x->metadata.n != y->metadata.n)
        return false;
    for (size_t i = 0; i < x->n_children; i++)
        if (x->children[i] != y->children[i])
            return false;
    for (size_t i = 0; i < x->n_metrics; i++)
        if (x->metrics[i].accumulator_id != y->metrics[i].accumulator_id ||
            x->metrics[i].name.p != y->metrics[i].name.p)
            return false;
    for (size_t i = 0; i < x->metadata.n; i++)
        if (x->metadata.items[i].value.p != y->metadata.items[i].value.p)
            return false;
    return true;
}

static struct plan_node *keep_node(struct app_builder *b, const struct plan_node *made)
{
    struct arena *arena = &b->app->arena;
    int64_t hash = (int64_t)hash_of(made);
    uint32_t ix = map_get(&b->node_by_hash, hash);

    if (ix != MAP_NONE && same_node(b->nodes[ix], made))
        return b->nodes[ix];
    struct plan_node *n = ARENA_NEW(arena, struct plan_node);
    *n = *made;
    n->children = arena_array(arena, n->n_children, sizeof *n->children);
    n->metrics = arena_array(arena, n->n_metrics, sizeof *n->metrics);
    n->metadata.items = arena_array(arena, n->metadata.n, sizeof *n->metadata.items);
    if (n->n_children)
        memcpy(n->children, made->children, n->n_children * sizeof *n->children);
    if (n->n_metrics)
        memcpy(n->metrics, made->metrics, n->n_metrics * sizeof *n->metrics);
    if (n->metadata.n)
        memcpy(n->metadata.items, made->metadata.items,
               n->metadata.n * sizeof *n->metadata.items);
    GROW(b->nodes, b->n_nodes, b->cap_nodes);
    b->nodes[b->n_nodes] = n;
    map_put(&b->node_by_hash, hash, (uint32_t)b->n_nodes++);
    return n;
}

static struct plan_node *make_node(struct app_builder *b, const struct ev_plan_node *e,
                                   int depth, struct arena *scratch)
{
    struct plan_node made = {
        .name = build_text(b, sv_trim(e->name.p ? e->name : SV(""))),
        .detail = build_text(b, e->detail),
        .n_metrics = e->n_metrics,
    };

    made.children = arena_array(scratch, e->n_children, sizeof *made.children);
    for (size_t i = 0; i < e->n_children && depth < PLAN_DEPTH_LIMIT; i++)
        if (e->children[i])
            made.children[made.n_children++] =
                make_node(b, e->children[i], depth + 1, scratch);
    made.metrics = arena_array(scratch, e->n_metrics, sizeof *made.metrics);
    for (size_t i = 0; i < e->n_metrics; i++)
        made.metrics[i] = (struct plan_metric){ build_text(b, e->metrics[i].name),
                                                build_text(b, e->metrics[i].type),
                                                e->metrics[i].accumulator_id };
    made.metadata.items = arena_array(scratch, e->metadata.n, sizeof *made.metadata.items);
    for (size_t i = 0; i < e->metadata.n; i++)
        made.metadata.items[made.metadata.n++] =
            (struct kv){ build_text(b, e->metadata.items[i].key),
                         build_text(b, e->metadata.items[i].value) };
    return keep_node(b, &made);
}

static void add_plan(struct app_builder *b, struct sql *q, const struct ev_plan_node *plan)
{
    struct arena scratch = { 0 };

    if (!plan)
        return;
    GROW(q->plans, q->n_plans, q->cap_plans);
    q->plans[q->n_plans++] = make_node(b, plan, 0, &scratch);
    arena_release(&scratch);
}

void build_sql_start(struct app_builder *b, const struct ev_sql_start *e)
{
    if (e->execution_id < 0)
        return;
    struct sql *q = sql_of(b, e->execution_id);
    if (q->started)
        return;
    q->started = true;
    q->description = build_text(b, e->description);
    q->details = build_text(b, e->details);
    q->modified_configs = build_kvs(b, &e->modified_configs);
    if (e->root_id != EVENT_NONE)
        q->root_id = e->root_id;
    if (e->time_ms > 0)
        q->submitted_ms = e->time_ms;
    build_saw_time(b, e->time_ms);
    add_plan(b, q, e->plan);
}

void build_sql_end(struct app_builder *b, const struct ev_sql_end *e)
{
    if (e->execution_id < 0)
        return;
    struct sql *q = sql_of(b, e->execution_id);
    q->ended = true;
    q->error = build_text(b, e->error);
    if (e->time_ms > 0)
        q->completed_ms = e->time_ms;
    build_saw_time(b, e->time_ms);
}

void build_sql_plan(struct app_builder *b, const struct ev_sql_plan *e)
{
    if (e->execution_id >= 0)
        add_plan(b, sql_of(b, e->execution_id), e->plan);
}

void build_sql_metrics(struct app_builder *b, const struct ev_sql_plan *e)
{
    if (e->execution_id < 0)
        return;
    struct sql *q = sql_of(b, e->execution_id);
    for (size_t i = 0; i < e->n_metrics; i++) {
        GROW(q->extra_metrics, q->n_extra_metrics, q->cap_extra_metrics);
        q->extra_metrics[q->n_extra_metrics++] =
            (struct plan_metric){ build_text(b, e->metrics[i].name),
                                  build_text(b, e->metrics[i].type),
                                  e->metrics[i].accumulator_id };
    }
}

void build_driver_accums(struct app_builder *b, const struct ev_driver_accums *e)
{
    struct app *app = b->app;

    for (size_t i = 0; i < e->n; i++) {
        GROW(app->driver_accums, app->n_driver_accums, b->cap_driver_accums);
        app->driver_accums[app->n_driver_accums++] =
            (struct driver_accum){ e->execution_id, e->items[i].id, e->items[i].value };
    }
}
