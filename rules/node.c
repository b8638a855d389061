/* What an operator of a plan did. See node.h. */
#include "rules/node.h"

#define STEPS_LIMIT 200 /* operators on the way down; plans of logs are not trusted */

bool node_is(const struct plan_node *node, const char *name)
{
    return sv_starts(node->name, sv(name));
}

int64_t node_metric(const struct app *app, const struct sql *q,
                    const struct plan_node *node, const char *name)
{
    const struct plan_metric *m = plan_metric(node, name);

    return m ? app_sql_accum(app, q, m->accumulator_id, m->type).total : 0;
}

static bool is_wrapper(const struct plan_node *node)
{
    static const char *const names[] = { "WholeStageCodegen",   "InputAdapter",
                                         "AdaptiveSparkPlan",   "ShuffleQueryStage",
                                         "BroadcastQueryStage", "TableCacheQueryStage",
                                         "ResultQueryStage",    "AQEShuffleRead",
                                         "CustomShuffleReader", "ColumnarToRow",
                                         "RowToColumnar" };

    if (node->n_children != 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (node_is(node, names[i]))
            return true;
    return false;
}

const struct plan_node *node_inner(const struct plan_node *node)
{
    for (int i = 0; i < STEPS_LIMIT && is_wrapper(node); i++)
        node = node->children[0];
    return node;
}

/* As many rows come out as go in. */
static bool keeps_rows(const struct plan_node *node)
{
    static const char *const names[] = { "Project",           "Sort",
                                         "Exchange",          "Window",
                                         "BroadcastExchange", "BatchEvalPython",
                                         "ArrowEvalPython",   "ReusedExchange" };

    if (node->n_children != 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(node->name, names[i]))
            return true;
    return is_wrapper(node);
}

int64_t node_rows(const struct app *app, const struct sql *q,
                  const struct plan_node *node)
{
    for (int i = 0; i < STEPS_LIMIT; i++) {
        /* what was written to a shuffle counts once, whoever reads it how often */
        int64_t rows = node_metric(app, q, node, "shuffle records written");

        if (rows > 0)
            return rows;
        rows = node_metric(app, q, node, "number of output rows");
        if (rows > 0)
            return rows;
        if (!keeps_rows(node))
            return plan_metric(node, "number of output rows") ? 0 : APP_NONE;
        node = node->children[0];
    }
    return APP_NONE;
}

const struct plan_node *node_below(const struct plan_node *node, const char *name)
{
    for (int i = 0; i < STEPS_LIMIT; i++) {
        if (node_is(node, name))
            return node;
        if (!keeps_rows(node) || node_is(node, "Exchange"))
            return NULL;
        node = node->children[0];
    }
    return NULL;
}

const struct plan_node *node_source_scan(const struct plan_node *node)
{
    for (int i = 0; i < STEPS_LIMIT; i++) {
        if (node_is_scan(node) && node->n_children == 0)
            return node;
        if (node->n_children != 1)
            return NULL;
        node = node->children[0];
    }
    return NULL;
}

static bool in_list(const uint32_t *list, size_t n, uint32_t ix)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == ix)
            return true;
    return false;
}

size_t node_stages(const struct app *app, const struct sql *q,
                   const struct plan_node *node, struct arena *arena,
                   uint32_t **stage_ixs)
{
    size_t n = 0, cap = 0;

    *stage_ixs = NULL;
    for (size_t m = 0; m < node->n_metrics; m++) {
        uint32_t *list;
        size_t found =
            app_accum_stages(app, node->metrics[m].accumulator_id, arena, &list);

        /* readers of a shuffle update the exchange's metrics too: whoever wrote it first
         */
        if (node_is(node, "Exchange") &&
            !sv_is(node->metrics[m].name, "shuffle bytes written") &&
            plan_metric(node, "shuffle bytes written"))
            continue;
        for (size_t i = 0; i < found; i++) {
            if (app->stages[list[i]].sql_execution_id != q->execution_id ||
                in_list(*stage_ixs, n, list[i]))
                continue;
            if (n == cap) {
                uint32_t *more = arena_array(arena, cap ? 2 * cap : 4, sizeof *more);

                if (n)
                    memcpy(more, *stage_ixs, n * sizeof *more);
                *stage_ixs = more;
                cap = cap ? 2 * cap : 4;
            }
            (*stage_ixs)[n++] = list[i];
        }
    }
    return n;
}

/* --- spots ----------------------------------------------------------------------- */

int64_t stage_work_ms(const struct rule_input *in, uint32_t stage_ix)
{
    return shape_span_ms(&in->shapes[stage_ix]);
}

struct spot *spots_add(struct spots *s, const struct plan_node *node)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i].node == node)
            return NULL;
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 8;
        struct spot *more = arena_array(s->arena, cap, sizeof *more);

        if (s->n)
            memcpy(more, s->items, s->n * sizeof *more);
        s->items = more;
        s->cap = cap;
    }
    struct spot *spot = &s->items[s->n++];

    *spot = (struct spot){ .q = s->q, .node = node };
    spot->n_stages = node_stages(s->in->app, s->q, node, s->arena, &spot->stage_ixs);
    for (size_t i = 0; i < spot->n_stages; i++)
        spot->weight_ms =
            add_sat(spot->weight_ms, stage_work_ms(s->in, spot->stage_ixs[i]));
    return spot;
}

void spots_walk(struct spots *s, void (*visit)(const struct plan_node *node, void *spots))
{
    app_each_sql (s->in->app, q) {
        s->q = q;
        if (sql_final_plan(q))
            plan_each(sql_final_plan(q), visit, s);
    }
}

const struct spot *spots_worst(const struct spots *s)
{
    const struct spot *worst = NULL;

    for (size_t i = 0; i < s->n; i++)
        if (!worst || s->items[i].weight_ms > worst->weight_ms)
            worst = &s->items[i];
    return worst;
}

bool spots_matter(const struct spots *s, double share, double min_ms)
{
    double sum = 0;

    for (size_t i = 0; i < s->n; i++)
        sum += (double)s->items[i].weight_ms;
    return s->n && sum >= min_ms &&
           sum >= share * (double)s->in->analysis->ledgers.wall_total_ms;
}

static void place(const struct spots *s, struct findings *out, const struct spot *spot)
{
    finding_sql(out, spot->q->execution_id);
    for (size_t i = 0; i < spot->n_stages; i++)
        finding_stage(out, s->in->app, spot->stage_ixs[i]);
}

void spots_place(const struct spots *s, struct findings *out)
{
    const struct spot *worst = spots_worst(s);

    place(s, out, worst);
    for (size_t i = 0; i < s->n; i++)
        place(s, out, &s->items[i]);
    out->items[out->n - 1].operator= worst->node->name;
}

void claim_work(const struct rule_input *in, struct findings *out, uint32_t stage_ix,
                double low, double expected, double high)
{
    static const enum wall_entry entries[] = {
        WALL_COMPUTE,        WALL_GC,           WALL_SHUFFLE_READ_WAIT,
        WALL_SHUFFLE_WRITE,  WALL_SPILL,        WALL_PYTHON,
        WALL_DESERIALISE,    WALL_IO_AND_OTHER, WALL_SCHEDULER_DELAY,
        WALL_STRAGGLER_TAIL, WALL_TOO_FEW_TASKS
    };

    finding_stage(out, in->app, stage_ix);
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        finding_claim(out, &in->analysis->ledgers, stage_ix, entries[i], low, expected,
                      high);
}
