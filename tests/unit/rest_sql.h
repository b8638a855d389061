/* SQL executions as the History Server's REST interface would answer: the plan as
 * its graph, and metrics as text. For tests; see rest.h.
 *
 * Node ids are given in the order of a walk from the root. Wrappers (InputAdapter,
 * query stages, ReusedSubquery) are no nodes; an exchange or subquery that comes
 * again as an equal tree under a query stage or ReusedExchange is the same node. */
#ifndef TESTS_UNIT_REST_SQL_H
#define TESTS_UNIT_REST_SQL_H

#include "tests/unit/rest.h"

/* --- metrics as text -------------------------------------------------------------- */

static inline void text_grouped(struct strbuf *out, int64_t v)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%" PRId64, v < 0 ? -v : v);

    if (v < 0)
        strbuf_addc(out, '-');
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            strbuf_addc(out, ',');
        strbuf_addc(out, digits[i]);
    }
}

/* Half up, as Java rounds. */
static inline int64_t tenths(double v)
{
    return (int64_t)(v * 10 + 0.5);
}

static inline void text_bytes(struct strbuf *out, int64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    int u = 0;

    while (u < 6 && bytes >= (int64_t)2 << (10 * (u + 1)))
        u++; /* a unit is used from twice its size on */
    int64_t t = tenths((double)bytes / (double)((int64_t)1 << (10 * u)));
    strbuf_printf(out, "%" PRId64 ".%d %s", t / 10, (int)(t % 10), units[u]);
}

static inline void text_ms(struct strbuf *out, int64_t ms)
{
    if (ms < 1000) {
        strbuf_printf(out, "%" PRId64 " ms", ms);
    } else if (ms < 3600000) {
        bool minutes = ms >= 60000;
        int64_t t = tenths((float)ms / (minutes ? 60000.0f : 1000.0f));

        strbuf_printf(out, "%" PRId64 ".%d %s", t / 10, (int)(t % 10),
                      minutes ? "m" : "s");
    } else {
        int64_t h = (int64_t)((double)((float)ms / 3600000.0f) * 100 + 0.5);

        strbuf_printf(out, "%" PRId64 ".%02d h", h / 100, (int)(h % 100));
    }
}

static inline void text_value(struct strbuf *out, struct sv type, int64_t v)
{
    if (sv_is(type, "sum")) {
        text_grouped(out, v);
    } else if (sv_is(type, "average")) {
        text_grouped(out, v / 10);
        if (v % 10)
            strbuf_printf(out, ".%d", (int)(v % 10));
    } else if (sv_is(type, "timing")) {
        text_ms(out, v);
    } else if (sv_is(type, "nsTiming")) {
        text_ms(out, v / 1000000);
    } else if (sv_is(type, "size")) {
        text_bytes(out, v);
    } else {
        strbuf_printf(out, "[unknown] %" PRId64, v);
    }
}

static inline int64_t stage_accum_value(const struct stage *s, int64_t accumulator_id,
                                        uint32_t slot)
{
    for (size_t i = 0; i < s->n_accums; i++)
        if (s->accums[i].accumulator_id == accumulator_id)
            return column_get(&s->accums[i].value, slot);
    return 0;
}

/* The task that wrote the largest value. Of several equal ones in a stage the server
 * names the one that ended first; ours, the lowest index. */
static inline int64_t task_of(const struct app *app, const struct accum_summary *a,
                              int64_t accumulator_id)
{
    const struct stage *s =
        &app->stages[app_stage_ix(app, a->max_stage_id, a->max_attempt)];
    const struct task_table *t = &s->task;
    int64_t id = -1, first_ms = INT64_MAX;

    for (uint32_t row = 0; row < t->n; row++) {
        uint32_t slot = (uint32_t)task_field(t, row, TASK_INDEX);

        if (task_state(t, row) != TASK_SUCCESS ||
            task_field(t, row, TASK_FINISH_MS) >= first_ms ||
            stage_accum_value(s, accumulator_id, slot) != a->max)
            continue;
        id = task_field(t, row, TASK_ID);
        first_ms = task_field(t, row, TASK_FINISH_MS);
    }
    return id;
}

/* False where nobody updated the metric. */
static inline bool metric_text(struct strbuf *out, const struct app *app,
                               const struct sql *q, const struct plan_metric *m)
{
    struct accum_summary a = app_sql_accum(app, q, m->accumulator_id, m->type);
    bool average = sv_is(m->type, "average");

    if (a.n == 0)
        return false;
    if (sv_starts(m->type, SV("v2Custom"))) {
        strbuf_addz(out, "N/A");
        return true;
    }
    if (sv_is(m->type, "sum") || a.n == 1) {
        text_value(out, m->type, a.total);
        return true;
    }
    strbuf_addz(out, average ? "(min, med, max (stageId: taskId)):\n("
                             : "total (min, med, max (stageId: taskId))\n");
    if (!average) {
        text_value(out, m->type, a.total);
        strbuf_addz(out, " (");
    }
    text_value(out, m->type, a.min);
    strbuf_addz(out, ", ");
    text_value(out, m->type, a.median);
    strbuf_addz(out, ", ");
    text_value(out, m->type, a.max);
    if (a.max_stage_id == APP_NONE)
        strbuf_addz(out, " (driver))");
    else
        strbuf_printf(out, " (stage %" PRId64 ".%" PRId64 ": task %" PRId64 "))",
                      a.max_stage_id, a.max_attempt, task_of(app, &a, m->accumulator_id));
    return true;
}

/* --- the plan as a graph -------------------------------------------------------------
 */

struct graph_walk {
    const struct app *app;
    const struct sql *q;
    cJSON *nodes, *edges;
    int next_id;
    int wanted_id; /* the walk leaves the node with that id in wanted */
    const struct plan_node *wanted;
    bool result_stage_is_node; /* as on servers that do not know ResultQueryStage */
    struct known_tree {
        const struct plan_node *node;
        int id;
    } seen[512]; /* exchanges and subqueries */
    size_t n_seen;
};

static inline bool same_tree(const struct plan_node *a, const struct plan_node *b)
{
    if (a == b)
        return true;
    if (!sv_eq(a->name, b->name) || !sv_eq(a->detail, b->detail) ||
        a->n_children != b->n_children)
        return false;
    for (size_t i = 0; i < a->n_children; i++)
        if (!same_tree(a->children[i], b->children[i]))
            return false;
    return true;
}

static inline int seen_id(const struct graph_walk *w, const struct plan_node *n)
{
    for (size_t i = 0; i < w->n_seen; i++)
        if (same_tree(w->seen[i].node, n))
            return w->seen[i].id;
    return -1;
}

static inline void put_edge(struct graph_walk *w, int from, int to)
{
    cJSON *e = cJSON_CreateObject();

    put_i64(e, "fromId", from);
    put_i64(e, "toId", to);
    cJSON_AddItemToArray(w->edges, e);
}

static inline int put_node(struct graph_walk *w, const struct plan_node *n,
                           int64_t cluster)
{
    cJSON *o = cJSON_CreateObject();
    struct strbuf text = { 0 };

    cJSON_AddItemToArray(w->nodes, o);
    if (w->next_id == w->wanted_id)
        w->wanted = n;
    put_i64(o, "nodeId", w->next_id);
    put_text(o, "nodeName", n->name);
    if (cluster >= 0)
        put_i64(o, "wholeStageCodegenId", cluster);
    put_text(o, "desc", n->detail);
    cJSON *metrics = cJSON_AddArrayToObject(o, "metrics");
    for (size_t i = 0; i < n->n_metrics; i++) {
        strbuf_reset(&text);
        if (!metric_text(&text, w->app, w->q, &n->metrics[i]))
            continue;
        cJSON *m = cJSON_CreateObject();
        cJSON_AddItemToArray(metrics, m);
        put_text(m, "name", n->metrics[i].name);
        put_text(m, "value", strbuf_sv(&text));
    }
    strbuf_release(&text);
    return w->next_id++;
}

/* cluster: number of the code generation the node is fused into, -1: none. */
static inline void walk_plan(struct graph_walk *w, const struct plan_node *n, int parent,
                             int64_t cluster)
{
    const struct plan_node *child = n->n_children ? n->children[0] : NULL;
    bool stage = sv_is(n->name, "BroadcastQueryStage") ||
                 sv_is(n->name, "ShuffleQueryStage") ||
                 sv_is(n->name, "TableCacheQueryStage") ||
                 (sv_is(n->name, "ResultQueryStage") && !w->result_stage_is_node);
    int same;

    if (sv_starts(n->name, SV("WholeStageCodegen"))) {
        struct sv number = sv_from(n->name, sizeof "WholeStageCodegen (" - 1);
        int64_t id = -1;

        put_node(w, n, -1);
        if (number.len > 1)
            number.len--; /* the closing bracket */
        if (child)
            walk_plan(w, child, parent, sv_i64(number, &id) ? id : -1);
    } else if (sv_is(n->name, "InputAdapter") || stage) {
        if (child && stage && (same = seen_id(w, child)) >= 0)
            put_edge(w, same, parent);
        else if (child)
            walk_plan(w, child, parent, -1);
    } else if (sv_is(n->name, "Subquery") && cluster >= 0) {
        walk_plan(w, n, parent, -1);
    } else if (sv_is(n->name, "Subquery") && (same = seen_id(w, n)) >= 0) {
        put_edge(w, same, parent);
    } else if (sv_is(n->name, "ReusedSubquery") && child) {
        walk_plan(w, child, parent, cluster);
    } else if (sv_is(n->name, "ReusedExchange") && child &&
               (same = seen_id(w, child)) >= 0) {
        put_edge(w, same, parent);
    } else {
        int id = put_node(w, n, cluster);

        if ((sv_has(n->name, "Exchange") || sv_is(n->name, "Subquery")) &&
            w->n_seen < ARRAY_LEN(w->seen))
            w->seen[w->n_seen++] = (struct known_tree){ n, id };
        if (parent >= 0)
            put_edge(w, id, parent);
        for (size_t i = 0; i < n->n_children; i++)
            walk_plan(w, n->children[i], id, cluster);
    }
}

/* --- executions ----------------------------------------------------------------------
 */

static inline void put_job_ids(cJSON *o, const char *key, const struct app *app,
                               const struct sql *q, enum job_status status)
{
    cJSON *ids = cJSON_AddArrayToObject(o, key);

    for (size_t i = 0; i < q->n_jobs; i++)
        if (app->jobs[q->job_ixs[i]].status == status)
            cJSON_AddItemToArray(
                ids, cJSON_CreateNumber((double)app->jobs[q->job_ixs[i]].job_id));
}

static inline cJSON *rest_execution(const struct app *app, const struct sql *q)
{
    static const char *const states[] = { "RUNNING", "COMPLETED", "FAILED" };
    cJSON *o = cJSON_CreateObject();

    put_i64(o, "id", q->execution_id);
    put_text(o, "status", sv(states[q->status]));
    put_text(o, "description", q->description);
    put_time(o, "submissionTime", q->submitted_ms);
    if (q->completed_ms != APP_NONE)
        put_i64(o, "duration", q->completed_ms - q->submitted_ms);
    put_job_ids(o, "runningJobIds", app, q, JOB_RUNNING);
    put_job_ids(o, "successJobIds", app, q, JOB_SUCCEEDED);
    put_job_ids(o, "failedJobIds", app, q, JOB_FAILED);
    put_text(o, "errorMessage", q->error);
    put_i64(o, "rootExecutionId", q->root_id);
    cJSON *configs = put_object(o, "modifiedConfigs");
    for (size_t i = 0; i < q->modified_configs.n; i++)
        put_text(configs, q->modified_configs.items[i].key.p,
                 q->modified_configs.items[i].value);
    struct graph_walk w = { .app = app,
                            .q = q,
                            .nodes = cJSON_AddArrayToObject(o, "nodes"),
                            .edges = cJSON_AddArrayToObject(o, "edges") };
    if (sql_final_plan(q))
        walk_plan(&w, sql_final_plan(q), -1, -1);
    return o;
}

static inline cJSON *rest_sql(const struct app *app)
{
    cJSON *list = cJSON_CreateArray();

    app_each_sql (app, q)
        cJSON_AddItemToArray(list, rest_execution(app, q));
    return list;
}

#endif
