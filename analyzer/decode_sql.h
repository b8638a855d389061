/* Events of SQL executions and streaming queries.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_SQL_H
#define ANALYZER_DECODE_SQL_H

#include "analyzer/decode_event.h"

/* ---- SQL ---- */

static const struct ev_plan_metric blank_plan_metric = { .accumulator_id = NONE };
static const struct field plan_metric_fields[] = {
    FIELD("name", FIELD_TEXT, struct ev_plan_metric, name),
    FIELD("accumulatorId", FIELD_I64, struct ev_plan_metric, accumulator_id),
    FIELD("metricType", FIELD_TEXT, struct ev_plan_metric, type),
};
static const struct shape plan_metric_shape = {
    FIELDS(plan_metric_fields),
    .id = SHAPE_PLAN_METRIC,
    .size = sizeof(struct ev_plan_metric),
    .blank = &blank_plan_metric,
    NUMBER_AT(struct ev_plan_metric, accumulator_id),
};

static const char *read_plan_node(struct decode *d, const char *p,
                                  struct ev_plan_node **node);

static const char *child_element(struct decode *d, const char *p, const void *arg)
{
    struct ev_plan_node *child;

    (void)arg;
    if ((p = read_plan_node(d, p, &child)) && child)
        stack_push(d, &child, sizeof child);
    return p;
}

static const char *plan_children(struct decode *d, const char *p, void *rec)
{
    size_t base = d->stack_len;

    if ((p = read_array(d, p, child_element, NULL)))
        stack_take(d, base, sizeof(struct ev_plan_node *),
                   &((struct ev_plan_node *)rec)->children);
    return p;
}

static const struct field plan_node_fields[] = {
    FIELD("nodeName", FIELD_TEXT, struct ev_plan_node, name),
    FIELD("simpleString", FIELD_TEXT, struct ev_plan_node, detail),
    { KEY("children"), .kind = FIELD_HOOK,
      .offset = offsetof(struct ev_plan_node, children),
      .arg = sizeof(void *) + sizeof(size_t), .hook = plan_children },
    FIELD("metadata", FIELD_KVS, struct ev_plan_node, metadata),
    LIST("metrics", struct ev_plan_node, metrics, plan_metric_shape),
    SKIPPED("explainId"),
};
static const struct shape plan_node_shape = {
    FIELDS(plan_node_fields),
    .id = SHAPE_PLAN_NODE,
    .size = sizeof(struct ev_plan_node),
};

/* *node is NULL where the value is no object. */
static const char *read_plan_node(struct decode *d, const char *p,
                                  struct ev_plan_node **node)
{
    *node = NULL;
    if (*p != '{')
        return skip_value(&d->scan, p);
    *node = ARENA_NEW(d->scan.arena, struct ev_plan_node);
    return read_record(d, p, &plan_node_shape, *node);
}

static const char *sql_start_plan(struct decode *d, const char *p, void *rec)
{
    return read_plan_node(d, p, &((struct ev_sql_start *)rec)->plan);
}

static const struct ev_sql_start blank_sql_start = {
    .execution_id = NONE,
    .root_id = NONE,
    .time_ms = NONE,
};
static const struct field sql_start_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_sql_start, execution_id),
    FIELD("rootExecutionId", FIELD_I64, struct ev_sql_start, root_id),
    FIELD("description", FIELD_TEXT, struct ev_sql_start, description),
    FIELD("details", FIELD_TEXT, struct ev_sql_start, details),
    SKIPPED("physicalPlanDescription"),
    HOOK("sparkPlanInfo", struct ev_sql_start, plan, sql_start_plan),
    FIELD("time", FIELD_COUNT, struct ev_sql_start, time_ms),
    FIELD("modifiedConfigs", FIELD_KVS, struct ev_sql_start, modified_configs),
    SKIPPED("jobTags"),
    SKIPPED("jobGroupId"),
    SKIPPED("queryId"),
    EVENT_NAME,
};
static const struct shape sql_start_shape = {
    FIELDS(sql_start_fields),
    .id = SHAPE_SQL_START,
    .size = sizeof(struct ev_sql_start),
    .blank = &blank_sql_start,
    NUMBER_AT(struct ev_sql_start, execution_id),
};

static const struct ev_sql_end blank_sql_end = { .execution_id = NONE, .time_ms = NONE };
static const struct field sql_end_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_sql_end, execution_id),
    FIELD("time", FIELD_COUNT, struct ev_sql_end, time_ms),
    FIELD("errorMessage", FIELD_TEXT, struct ev_sql_end, error),
    EVENT_NAME,
};
static const struct shape sql_end_shape = {
    FIELDS(sql_end_fields),
    .id = SHAPE_SQL_END,
    .size = sizeof(struct ev_sql_end),
    .blank = &blank_sql_end,
    NUMBER_AT(struct ev_sql_end, execution_id),
};

static const char *sql_plan_info(struct decode *d, const char *p, void *rec)
{
    return read_plan_node(d, p, &((struct ev_sql_plan *)rec)->plan);
}

static const struct ev_sql_plan blank_sql_plan = { .execution_id = NONE };
static const struct field sql_plan_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_sql_plan, execution_id),
    SKIPPED("physicalPlanDescription"),
    HOOK("sparkPlanInfo", struct ev_sql_plan, plan, sql_plan_info),
    LIST("sqlPlanMetrics", struct ev_sql_plan, metrics, plan_metric_shape),
    EVENT_NAME,
};
static const struct shape sql_plan_shape = {
    FIELDS(sql_plan_fields),
    .id = SHAPE_SQL_PLAN,
    .size = sizeof(struct ev_sql_plan),
    .blank = &blank_sql_plan,
    NUMBER_AT(struct ev_sql_plan, execution_id),
};

/* [id, value] */
static const char *driver_accum_element(struct decode *d, const char *p, const void *arg)
{
    struct ids pair = { 0 };

    (void)arg;
    if (*p != '[')
        return skip_value(&d->scan, p);
    if ((p = read_ids(d, p, &pair)) && pair.n == 2)
        stack_push(d, &(struct ev_accum){ pair.items[0], pair.items[1] },
                   sizeof(struct ev_accum));
    return p;
}

static const char *driver_accum_updates(struct decode *d, const char *p, void *rec)
{
    size_t base = d->stack_len;

    if ((p = read_array(d, p, driver_accum_element, NULL)))
        stack_take(d, base, sizeof(struct ev_accum),
                   &((struct ev_driver_accums *)rec)->items);
    return p;
}

static const struct ev_driver_accums blank_driver_accums = { .execution_id = NONE };
static const struct field driver_accum_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_driver_accums, execution_id),
    { KEY("accumUpdates"), .kind = FIELD_HOOK,
      .offset = offsetof(struct ev_driver_accums, items),
      .arg = sizeof(void *) + sizeof(size_t), .hook = driver_accum_updates },
    EVENT_NAME,
};
static const struct shape driver_accums_shape = {
    FIELDS(driver_accum_fields),
    .id = SHAPE_DRIVER_ACCUMS,
    .size = sizeof(struct ev_driver_accums),
    .blank = &blank_driver_accums,
    NUMBER_AT(struct ev_driver_accums, execution_id),
};

/* ---- streaming ---- */

struct source_rows {
    int64_t rows;
};
static const struct source_rows blank_source = { NONE };
static const struct field source_fields[] = {
    FIELD("numInputRows", FIELD_I64, struct source_rows, rows),
};
static const struct shape source_shape = {
    FIELDS(source_fields),
    .id = SHAPE_SOURCE,
    .size = sizeof(struct source_rows),
    .blank = &blank_source,
};

static const char *stream_sources(struct decode *d, const char *p, void *rec)
{
    struct ev_stream *e = rec;
    size_t base = d->stack_len;
    struct {
        struct source_rows *items;
        size_t n;
    } sources;

    e->input_rows = NONE;
    if (!(p = read_array(d, p, record_element, &source_shape)))
        return NULL;
    stack_take(d, base, sizeof(struct source_rows), &sources);
    for (size_t i = 0; i < sources.n; i++)
        if (sources.items[i].rows != NONE)
            e->input_rows = add_sat(max_i64(e->input_rows, 0), sources.items[i].rows);
    return p;
}

/* What the trigger took comes before batchDuration, which only newer logs have. */
static const char *stream_batch_duration(struct decode *d, const char *p, void *rec)
{
    struct ev_stream *e = rec;
    int64_t ms = 0;
    bool whole;

    if ((p = read_whole(d, p, &ms, &whole)) && whole && e->batch_ms == NONE)
        e->batch_ms = ms;
    return p;
}

static const struct ev_stream blank_stream = {
    .batch_id = NONE,
    .batch_ms = NONE,
    .input_rows = NONE,
};
static const struct field batch_times_fields[] = {
    FIELD("triggerExecution", FIELD_COUNT, struct ev_stream, batch_ms),
};
static const struct shape batch_times_shape = {
    FIELDS(batch_times_fields),
    .id = SHAPE_BATCH_TIMES,
};
#define STREAM_FIELDS                                                                    \
    FIELD("id", FIELD_TEXT, struct ev_stream, id),                                       \
        FIELD("runId", FIELD_TEXT, struct ev_stream, run_id),                            \
        FIELD("name", FIELD_TEXT, struct ev_stream, name),                               \
        FIELD("timestamp", FIELD_TEXT, struct ev_stream, timestamp)
static const struct field progress_fields[] = {
    STREAM_FIELDS,
    FIELD("batchId", FIELD_I64, struct ev_stream, batch_id),
    { KEY("batchDuration"), .kind = FIELD_HOOK, .hook = stream_batch_duration },
    OBJECT("durationMs", batch_times_shape),
    SKIPPED("eventTime"),
    SKIPPED("stateOperators"),
    HOOK("sources", struct ev_stream, input_rows, stream_sources),
    SKIPPED("sink"),
    SKIPPED("observedMetrics"),
};
static const struct shape progress_shape = { FIELDS(progress_fields),
                                             .id = SHAPE_PROGRESS };
static const struct field stream_fields[] = {
    STREAM_FIELDS,
    FIELD("exception", FIELD_TEXT, struct ev_stream, exception),
    OBJECT("progress", progress_shape),
    EVENT_NAME,
};
static const struct shape stream_shape = {
    FIELDS(stream_fields),
    .id = SHAPE_STREAM,
    .size = sizeof(struct ev_stream),
    .blank = &blank_stream,
    TEXT_AT(struct ev_stream, id),
};

#endif
