/* SQL executions' plans: trees of nodes with the ids of their metrics.
 *
 * Spark's tree has nodes that our physical plans keep as numbers: a whole-stage unit is a
 * node WholeStageCodegen (n) above its operators, with InputAdapter where the unit ends.
 * Subqueries inside a node's expressions stand among its children. */
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"

#include <stdio.h>

#define SQL_UI "{\"Event\":\"org.apache.spark.sql.execution.ui."

static const char *const metric_types[] = {
    [METRIC_SUM] = "sum",     [METRIC_SIZE] = "size",       [METRIC_MS] = "timing",
    [METRIC_NS] = "nsTiming", [METRIC_AVERAGE] = "average",
};

static void metric(struct strbuf *b, const char *name, uint64_t id, enum metric_kind kind)
{
    js_comma(b);
    strbuf_addc(b, '{');
    js_key_textz(b, "name", name);
    js_key_int(b, "accumulatorId", (int64_t)id);
    js_key_textz(b, "metricType", metric_types[kind]);
    strbuf_addc(b, '}');
}

static void metrics(struct strbuf *b, const struct phys *p)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(p, &n);

    JS_RAW(b, ",\"metrics\":[");
    for (uint32_t i = 0; p->metrics && i < n; i++)
        metric(b, defs[i].name, p->metrics[i], defs[i].kind);
    strbuf_addc(b, ']');
}

/* A scan's own line names what its metadata holds, in this order. */
static void scan_metadata(struct strbuf *b, struct sv line)
{
    static const char *const in_line[] = { "Batched",          "DataFilters",
                                           "Format",           "Location",
                                           "PartitionFilters", "PushedFilters",
                                           "ReadSchema" };
    static const uint8_t as_logged[] = { 3, 6, 2, 0, 4, 5, 1 };
    struct sv value[ARRAY_LEN(in_line)] = { 0 };
    size_t from = 0;

    for (size_t i = 0; i < ARRAY_LEN(in_line); i++) {
        char mark[32];
        size_t at;

        snprintf(mark, sizeof mark, i ? ", %s: " : " %s: ", in_line[i]);
        at = sv_find(sv_from(line, from), sv(mark));
        if (at == SIZE_MAX)
            continue;
        for (size_t k = i; k-- > 0;)
            if (value[k].p) { /* the one before ends here */
                value[k].len = (size_t)(line.p + from + at - value[k].p);
                break;
            }
        from += at + strlen(mark);
        value[i] = sv_from(line, from);
    }
    for (size_t i = 0; i < ARRAY_LEN(as_logged); i++)
        if (value[as_logged[i]].p)
            js_key_text(b, in_line[as_logged[i]], value[as_logged[i]]);
}

static void node(struct strbuf *b, const struct phys *p, uint32_t unit);

struct subqueries {
    struct strbuf *b;
};

static bool one_subquery(void *ctx, const struct expr *e)
{
    struct subqueries *s = ctx;

    if (e->kind == EXPR_SUBQUERY_RESULT && e->phys) {
        js_comma(s->b);
        node(s->b, e->phys, 0);
    }
    return false;
}

static void expr_subqueries(struct subqueries *s, const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        (void)expr_any(list->at[i], one_subquery, s);
}

static void children(struct strbuf *b, const struct phys *p, uint32_t unit)
{
    struct subqueries s = { b };
    const struct exprs *const lists[] = { &p->list,
                                          &p->keys,
                                          &p->order,
                                          &p->aggs,
                                          &p->left_keys,
                                          &p->right_keys,
                                          &p->partition_filters,
                                          &p->data_filters };

    JS_RAW(b, ",\"children\":[");
    for (uint32_t i = 0; i < p->n_children; i++) {
        js_comma(b);
        node(b, p->children[i], unit);
    }
    if (p->kind == PHYS_REUSED && p->n_children == 0 && p->reused) {
        js_comma(b);
        node(b, p->reused, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        expr_subqueries(&s, lists[i]);
    if (p->condition)
        (void)expr_any(p->condition, one_subquery, &s);
    strbuf_addc(b, ']');
}

static void own_node(struct strbuf *b, const struct phys *p)
{
    struct strbuf text = { 0 };

    strbuf_addc(b, '{');
    phys_node_name(&text, p);
    js_key_text(b, "nodeName", strbuf_sv(&text));
    strbuf_reset(&text);
    phys_print_node(&text, p);
    js_key_text(b, "simpleString", strbuf_sv(&text));
    children(b, p, p->codegen);
    JS_RAW(b, ",\"metadata\":{");
    if (p->kind == PHYS_SCAN)
        scan_metadata(b, strbuf_sv(&text));
    strbuf_addc(b, '}');
    strbuf_release(&text);
    metrics(b, p);
    strbuf_addc(b, '}');
}

/* unit: the whole-stage unit of the node above, 0: none. */
static void node(struct strbuf *b, const struct phys *p, uint32_t unit)
{
    bool leaves = unit && p->codegen != unit;
    bool enters = p->codegen && p->codegen != unit;

    if (leaves)
        JS_RAW(b, "{\"nodeName\":\"InputAdapter\",\"simpleString\":\"InputAdapter\","
                  "\"children\":[");
    if (enters) {
        JS_RAW(b, "{\"nodeName\":\"WholeStageCodegen (");
        js_int(b, p->codegen);
        JS_RAW(b, ")\",\"simpleString\":\"WholeStageCodegen (");
        js_int(b, p->codegen);
        JS_RAW(b, ")\",\"children\":[");
    }
    own_node(b, p);
    if (enters) {
        JS_RAW(b, "],\"metadata\":{},\"metrics\":[");
        if (p->codegen_metric)
            metric(b, "duration", p->codegen_metric, METRIC_MS);
        JS_RAW(b, "]}");
    }
    if (leaves)
        JS_RAW(b, "],\"metadata\":{},\"metrics\":[]}");
}

static void plan(struct strbuf *b, const struct phys *p)
{
    struct strbuf text = { 0 };

    phys_print(&text, p, true);
    js_key(b, "physicalPlanDescription");
    if (!sv_starts(strbuf_sv(&text), SV("== "))) {
        struct strbuf whole = { 0 };

        strbuf_addz(&whole, "== Physical Plan ==\n");
        strbuf_add(&whole, strbuf_sv(&text));
        js_text(b, strbuf_sv(&whole));
        strbuf_release(&whole);
    } else {
        js_text(b, strbuf_sv(&text));
    }
    strbuf_release(&text);
    js_key(b, "sparkPlanInfo");
    node(b, p, 0);
}

struct modified {
    struct strbuf *b;
    const struct settings *initial;
};

static void modified_config(void *ctx, struct sv key, struct sv value, struct sv meaning,
                            bool set)
{
    struct modified *m = ctx;
    struct sv was;

    (void)meaning;
    (void)set;
    if (!sv_starts(key, SV("spark.sql.")))
        return;
    if (m->initial && settings_find(m->initial, key, &was) && sv_eq(was, value))
        return;
    js_comma(m->b);
    js_text(m->b, key);
    strbuf_addc(m->b, ':');
    js_text(m->b, log_redacted(key, value));
}

void log_sql_start(struct event_log *l, const struct log_sql *q, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);
    struct modified m = { b, q->initial };

    JS_RAW(b, SQL_UI "SparkListenerSQLExecutionStart\"");
    js_key_int(b, "executionId", q->execution_id);
    js_key_int(b, "rootExecutionId", q->root_id);
    js_key_textz(b, "description", q->description);
    js_key_textz(b, "details", q->details);
    plan(b, q->plan);
    js_key_int(b, "time", ms);
    JS_RAW(b, ",\"modifiedConfigs\":{");
    if (q->settings)
        settings_each(q->settings, false, modified_config, &m);
    JS_RAW(b, "},\"jobTags\":[]}");
    log_commit(l);
}

void log_sql_adaptive_update(struct event_log *l, int64_t execution_id,
                             const struct phys *p)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, SQL_UI "SparkListenerSQLAdaptiveExecutionUpdate\"");
    js_key_int(b, "executionId", execution_id);
    plan(b, p);
    strbuf_addc(b, '}');
    log_commit(l);
}

static void all_metrics(struct strbuf *b, const struct phys *p, uint32_t unit)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(p, &n);

    if (p->codegen && p->codegen != unit && p->codegen_metric)
        metric(b, "duration", p->codegen_metric, METRIC_MS);
    for (uint32_t i = 0; p->metrics && i < n; i++)
        metric(b, defs[i].name, p->metrics[i], defs[i].kind);
    for (uint32_t i = 0; i < p->n_children; i++)
        all_metrics(b, p->children[i], p->codegen);
}

void log_sql_metric_updates(struct event_log *l, int64_t execution_id,
                            const struct phys *p)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, SQL_UI "SparkListenerSQLAdaptiveSQLMetricUpdates\"");
    js_key_int(b, "executionId", execution_id);
    JS_RAW(b, ",\"sqlPlanMetrics\":[");
    all_metrics(b, p, 0);
    JS_RAW(b, "]}");
    log_commit(l);
}
