/* The events of the log but for those of tasks: their objects as shapes, in the order
 * in which Spark writes the keys.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_EVENT_H
#define ANALYZER_DECODE_EVENT_H

#include "analyzer/decode_field.h"

#define NONE EVENT_NONE

enum shape_id {
    SHAPE_IGNORED, SHAPE_VERSION, SHAPE_APP, SHAPE_ENVIRONMENT, SHAPE_AMOUNT, SHAPE_FRACTION,
    SHAPE_EXECUTOR_REQUESTS,
    SHAPE_TASK_REQUESTS, SHAPE_PROFILE, SHAPE_EXECUTOR_INFO, SHAPE_EXECUTOR, SHAPE_EXCLUDED,
    SHAPE_MANAGER_ID, SHAPE_MANAGER, SHAPE_BLOCK_MANAGER_ID, SHAPE_LEVEL, SHAPE_BLOCK, SHAPE_BLOCK_UPDATED, SHAPE_UNPERSIST,
    SHAPE_RDD_LEVEL, SHAPE_RDD, SHAPE_STAGE_INFO, SHAPE_JOB_START, SHAPE_EXCEPTION, SHAPE_JOB_RESULT,
    SHAPE_JOB_END, SHAPE_STAGE, SHAPE_PEAKS, SHAPE_STAGE_PEAKS, SHAPE_PLAN_METRIC, SHAPE_PLAN_NODE,
    SHAPE_SQL_START, SHAPE_SQL_END, SHAPE_SQL_PLAN, SHAPE_DRIVER_ACCUMS, SHAPE_BATCH_TIMES,
    SHAPE_SOURCE, SHAPE_PROGRESS, SHAPE_STREAM, SHAPE_TASK_INFO, SHAPE_ENDED_TASK_INFO, SHAPE_TASK,
    SHAPE_ACCUM, SHAPE_END_MANAGER, SHAPE_END_REASON, SHAPE_PUSH, SHAPE_SHUFFLE_READ, SHAPE_SHUFFLE_WRITE, SHAPE_INPUT,
    SHAPE_OUTPUT, SHAPE_METRICS, SHAPE_TASK_END, SHAPE_COUNT
};

_Static_assert((int)SHAPE_COUNT <= (int)SHAPE_MAX, "room in the memo");

#define EVENT_NAME { KEY("Event"), .kind = FIELD_EVENT }

static const struct field ignored_fields[] = { EVENT_NAME };
static const struct shape ignored_shape = { FIELDS(ignored_fields), .id = SHAPE_IGNORED };

/* "<driver>" was the driver's name until 1.3. */
static const char *read_executor_id(struct decode *d, const char *p, struct sv *id)
{
    p = read_text(d, p, id);
    if (id->p && id->len == 8 && memcmp(id->p, "<driver>", 8) == 0)
        *id = (struct sv){ id->p + 1, 6 };
    return p;
}

/* ---- the application ---- */

static bool version_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_version *)rec)->version.p != NULL;
}

static const struct field version_fields[] = {
    FIELD("Spark Version", FIELD_TEXT, struct ev_version, version),
    EVENT_NAME,
};
static const struct shape version_shape = {
    FIELDS(version_fields), .id = SHAPE_VERSION, .size = sizeof(struct ev_version),
    .complete = version_complete,
};

static const struct ev_app blank_app = { .time_ms = NONE };
static const struct field app_fields[] = {
    FIELD("App Name", FIELD_TEXT, struct ev_app, name),
    FIELD("App ID", FIELD_TEXT, struct ev_app, id),
    FIELD("Timestamp", FIELD_COUNT, struct ev_app, time_ms),
    FIELD("User", FIELD_TEXT, struct ev_app, user),
    FIELD("App Attempt ID", FIELD_TEXT, struct ev_app, attempt),
    EVENT_NAME,
};
static const struct shape app_shape = {
    FIELDS(app_fields), .id = SHAPE_APP, .size = sizeof(struct ev_app), .blank = &blank_app,
};

static const struct field environment_fields[] = {
    FIELD("JVM Information", FIELD_KVS, struct ev_environment, jvm),
    FIELD("Spark Properties", FIELD_KVS, struct ev_environment, spark),
    SKIPPED("Hadoop Properties"),
    SKIPPED("System Properties"),
    SKIPPED("Metrics Properties"),
    SKIPPED("Classpath Entries"),
    EVENT_NAME,
};
static const struct shape environment_shape = {
    FIELDS(environment_fields), .id = SHAPE_ENVIRONMENT, .size = sizeof(struct ev_environment),
};

/* {"Resource Name":"cores","Amount":8,...}: the amount lands at offset 0 of where
 * the object does. */
struct amount { int64_t whole; };
struct fraction { double value; };
static const struct field amount_fields[] = {
    SKIPPED("Resource Name"),
    FIELD("Amount", FIELD_I64, struct amount, whole),
    SKIPPED("Discovery Script"),
    SKIPPED("Vendor"),
};
static const struct shape amount_shape = { FIELDS(amount_fields), .id = SHAPE_AMOUNT };
static const struct field fraction_fields[] = {
    SKIPPED("Resource Name"),
    FIELD("Amount", FIELD_DOUBLE, struct fraction, value),
};
static const struct shape fraction_shape = { FIELDS(fraction_fields), .id = SHAPE_FRACTION };

#define AMOUNT(name, member)                                                             \
    OBJECT_AT(name, offsetof(struct ev_resource_profile, member), amount_shape)
static const struct field executor_request_fields[] = {
    AMOUNT("cores", cores),
    AMOUNT("memory", memory_mib),
    AMOUNT("memoryOverhead", memory_overhead_mib),
    AMOUNT("offHeap", offheap_mib),
};
static const struct shape executor_requests_shape = {
    FIELDS(executor_request_fields), .id = SHAPE_EXECUTOR_REQUESTS,
};
static const struct field task_request_fields[] = {
    OBJECT_AT("cpus", offsetof(struct ev_resource_profile, task_cpus), fraction_shape),
};
static const struct shape task_requests_shape = {
    FIELDS(task_request_fields), .id = SHAPE_TASK_REQUESTS,
};

static bool profile_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_resource_profile *)rec)->id != NONE;
}

static const struct ev_resource_profile blank_profile = {
    .id = NONE, .cores = NONE, .memory_mib = NONE, .memory_overhead_mib = NONE, .offheap_mib = NONE,
};
static const struct field profile_fields[] = {
    FIELD("Resource Profile Id", FIELD_I64, struct ev_resource_profile, id),
    OBJECT("Executor Resource Requests", executor_requests_shape),
    OBJECT("Task Resource Requests", task_requests_shape),
    EVENT_NAME,
};
static const struct shape profile_shape = {
    FIELDS(profile_fields), .id = SHAPE_PROFILE, .size = sizeof(struct ev_resource_profile),
    .blank = &blank_profile, .complete = profile_complete,
};

/* ---- executors, block managers, blocks ---- */

static const char *executor_id_field(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_executor *)rec)->id);
}

/* A node that is excluded has no executor. */
static bool executor_complete(struct decode *d, void *rec)
{
    struct ev_executor *e = rec;

    (void)d;
    return e->id.p || e->host.p;
}

static bool executor_named(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_executor *)rec)->id.p != NULL;
}

static const struct ev_executor blank_executor = {
    .time_ms = NONE, .cores = NONE, .resource_profile_id = NONE,
    .request_ms = NONE, .registration_ms = NONE,
};
static const struct field executor_info_fields[] = {
    FIELD("Host", FIELD_TEXT, struct ev_executor, host),
    FIELD("Total Cores", FIELD_I64, struct ev_executor, cores),
    SKIPPED("Log Urls"),
    SKIPPED("Attributes"),
    SKIPPED("Resources"),
    FIELD("Resource Profile Id", FIELD_I64, struct ev_executor, resource_profile_id),
    FIELD("Registration Time", FIELD_COUNT, struct ev_executor, registration_ms),
    FIELD("Request Time", FIELD_COUNT, struct ev_executor, request_ms),
};
static const struct shape executor_info_shape = {
    FIELDS(executor_info_fields), .id = SHAPE_EXECUTOR_INFO,
};
static const struct field executor_fields[] = {
    FIELD("Timestamp", FIELD_COUNT, struct ev_executor, time_ms),
    HOOK("Executor ID", struct ev_executor, id, executor_id_field),
    OBJECT("Executor Info", executor_info_shape),
    FIELD("Removed Reason", FIELD_TEXT, struct ev_executor, reason),
    EVENT_NAME,
};
static const struct shape executor_shape = {
    FIELDS(executor_fields), .id = SHAPE_EXECUTOR, .size = sizeof(struct ev_executor),
    .blank = &blank_executor, .complete = executor_named,
};
static const struct field excluded_fields[] = {
    FIELD("time", FIELD_COUNT, struct ev_executor, time_ms),
    HOOK("executorId", struct ev_executor, id, executor_id_field),
    FIELD("hostId", FIELD_TEXT, struct ev_executor, host),
    EVENT_NAME,
};
static const struct shape excluded_shape = {
    FIELDS(excluded_fields), .id = SHAPE_EXCLUDED, .size = sizeof(struct ev_executor),
    .blank = &blank_executor, .complete = executor_complete,
};

static const char *manager_executor(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_block_manager *)rec)->executor_id);
}

static bool manager_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_block_manager *)rec)->executor_id.p != NULL;
}

static const struct ev_block_manager blank_manager = {
    .time_ms = NONE, .max_memory = NONE, .max_onheap = NONE, .max_offheap = NONE,
};
static const struct field manager_id_fields[] = {
    HOOK("Executor ID", struct ev_block_manager, executor_id, manager_executor),
    FIELD("Host", FIELD_TEXT, struct ev_block_manager, host),
    SKIPPED("Port"),
};
static const struct shape manager_id_shape = { FIELDS(manager_id_fields), .id = SHAPE_MANAGER_ID };
static const struct field manager_fields[] = {
    OBJECT("Block Manager ID", manager_id_shape),
    FIELD("Maximum Memory", FIELD_I64, struct ev_block_manager, max_memory),
    FIELD("Timestamp", FIELD_COUNT, struct ev_block_manager, time_ms),
    FIELD("Maximum Onheap Memory", FIELD_I64, struct ev_block_manager, max_onheap),
    FIELD("Maximum Offheap Memory", FIELD_I64, struct ev_block_manager, max_offheap),
    EVENT_NAME,
};
static const struct shape manager_shape = {
    FIELDS(manager_fields), .id = SHAPE_MANAGER, .size = sizeof(struct ev_block_manager),
    .blank = &blank_manager, .complete = manager_complete,
};

static const char *block_executor(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_block *)rec)->executor_id);
}

static bool block_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_block *)rec)->block_id.p != NULL;
}

static const struct ev_block blank_block = {
    .replication = NONE, .memory_bytes = NONE, .disk_bytes = NONE,
};
static const struct field block_manager_fields[] = {
    HOOK("Executor ID", struct ev_block, executor_id, block_executor),
    SKIPPED("Host"),
    SKIPPED("Port"),
};
static const struct shape block_manager_shape = {
    FIELDS(block_manager_fields), .id = SHAPE_BLOCK_MANAGER_ID,
};
static const struct field level_fields[] = {
    FIELD("Use Disk", FIELD_BOOL, struct ev_block, use_disk),
    FIELD("Use Memory", FIELD_BOOL, struct ev_block, use_memory),
    SKIPPED("Use Off Heap"),
    FIELD("Deserialized", FIELD_BOOL, struct ev_block, deserialized),
    FIELD("Replication", FIELD_I64, struct ev_block, replication),
};
static const struct shape level_shape = { FIELDS(level_fields), .id = SHAPE_LEVEL };
static const struct field block_fields[] = {
    OBJECT("Block Manager ID", block_manager_shape),
    FIELD("Block ID", FIELD_TEXT, struct ev_block, block_id),
    OBJECT("Storage Level", level_shape),
    FIELD("Memory Size", FIELD_I64, struct ev_block, memory_bytes),
    FIELD("Disk Size", FIELD_I64, struct ev_block, disk_bytes),
};
static const struct shape block_shape = { FIELDS(block_fields), .id = SHAPE_BLOCK };
static const struct field block_updated_fields[] = {
    OBJECT("Block Updated Info", block_shape),
    EVENT_NAME,
};
static const struct shape block_updated_shape = {
    FIELDS(block_updated_fields), .id = SHAPE_BLOCK_UPDATED, .size = sizeof(struct ev_block),
    .blank = &blank_block, .complete = block_complete,
};

static bool id_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_id *)rec)->id != NONE;
}

static const struct ev_id blank_id = { NONE };
static const struct field unpersist_fields[] = {
    FIELD("RDD ID", FIELD_I64, struct ev_id, id),
    EVENT_NAME,
};
static const struct shape unpersist_shape = {
    FIELDS(unpersist_fields), .id = SHAPE_UNPERSIST, .size = sizeof(struct ev_id),
    .blank = &blank_id, .complete = id_complete,
};

/* ---- jobs and stages ---- */

static const char *rdd_level_of_determinism(struct decode *d, const char *p, void *rec)
{
    struct sv text;

    p = read_text(d, p, &text);
    ((struct ev_rdd *)rec)->indeterminate = sv_is(text, "INDETERMINATE");
    return p;
}

static const struct ev_rdd blank_rdd = { .id = NONE, .replication = NONE, .partitions = NONE };
static const struct field rdd_level_fields[] = {
    FIELD("Use Disk", FIELD_BOOL, struct ev_rdd, use_disk),
    FIELD("Use Memory", FIELD_BOOL, struct ev_rdd, use_memory),
    SKIPPED("Use Off Heap"),
    FIELD("Deserialized", FIELD_BOOL, struct ev_rdd, deserialized),
    FIELD("Replication", FIELD_I64, struct ev_rdd, replication),
};
static const struct shape rdd_level_shape = { FIELDS(rdd_level_fields), .id = SHAPE_RDD_LEVEL };
static const struct field rdd_fields[] = {
    FIELD("RDD ID", FIELD_I64, struct ev_rdd, id),
    FIELD("Name", FIELD_TEXT, struct ev_rdd, name),
    FIELD("Scope", FIELD_TEXT, struct ev_rdd, scope),
    SKIPPED("Callsite"),
    FIELD("Parent IDs", FIELD_IDS, struct ev_rdd, parents),
    OBJECT("Storage Level", rdd_level_shape),
    FIELD("Barrier", FIELD_BOOL, struct ev_rdd, barrier),
    HOOK("DeterministicLevel", struct ev_rdd, indeterminate, rdd_level_of_determinism),
    FIELD("Number of Partitions", FIELD_I64, struct ev_rdd, partitions),
    SKIPPED("Number of Cached Partitions"),
    SKIPPED("Memory Size"),
    SKIPPED("Disk Size"),
};
static const struct shape rdd_shape = {
    FIELDS(rdd_fields), .id = SHAPE_RDD, .size = sizeof(struct ev_rdd), .blank = &blank_rdd,
};

static bool stage_info_complete(struct decode *d, void *rec)
{
    bool complete = ((struct ev_stage_info *)rec)->stage_id != NONE;

    d->lacking |= !complete;
    return complete;
}

#define BLANK_STAGE_INFO                                                                 \
    { .stage_id = NONE, .tasks = NONE, .submitted_ms = NONE, .completed_ms = NONE,       \
      .resource_profile_id = NONE }
static const struct ev_stage_info blank_stage_info = BLANK_STAGE_INFO;
static const struct field stage_info_fields[] = {
    FIELD("Stage ID", FIELD_I64, struct ev_stage_info, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_stage_info, attempt),
    FIELD("Stage Name", FIELD_TEXT, struct ev_stage_info, name),
    FIELD("Number of Tasks", FIELD_I64, struct ev_stage_info, tasks),
    LIST("RDD Info", struct ev_stage_info, rdds, rdd_shape),
    FIELD("Parent IDs", FIELD_IDS, struct ev_stage_info, parents),
    FIELD("Details", FIELD_TEXT, struct ev_stage_info, details),
    FIELD("Submission Time", FIELD_COUNT, struct ev_stage_info, submitted_ms),
    FIELD("Completion Time", FIELD_COUNT, struct ev_stage_info, completed_ms),
    FIELD("Failure Reason", FIELD_TEXT, struct ev_stage_info, failure),
    SKIPPED("Accumulables"),
    FIELD("Resource Profile Id", FIELD_I64, struct ev_stage_info, resource_profile_id),
    SKIPPED("Shuffle Push Enabled"),
    SKIPPED("Shuffle Push Mergers Count"),
};
static const struct shape stage_info_shape = {
    FIELDS(stage_info_fields), .id = SHAPE_STAGE_INFO, .size = sizeof(struct ev_stage_info),
    .blank = &blank_stage_info, .complete = stage_info_complete,
};

static bool job_start_complete(struct decode *d, void *rec)
{
    return ((struct ev_job_start *)rec)->job_id != NONE && !d->lacking;
}

static const struct ev_job_start blank_job_start = { .job_id = NONE, .time_ms = NONE };
static const struct field job_start_fields[] = {
    FIELD("Job ID", FIELD_I64, struct ev_job_start, job_id),
    FIELD("Submission Time", FIELD_COUNT, struct ev_job_start, time_ms),
    LIST("Stage Infos", struct ev_job_start, stages, stage_info_shape),
    FIELD("Stage IDs", FIELD_IDS, struct ev_job_start, stage_ids),
    FIELD("Properties", FIELD_KVS, struct ev_job_start, properties),
    EVENT_NAME,
};
static const struct shape job_start_shape = {
    FIELDS(job_start_fields), .id = SHAPE_JOB_START, .size = sizeof(struct ev_job_start),
    .blank = &blank_job_start, .complete = job_start_complete,
};

static const char *job_result(struct decode *d, const char *p, void *rec)
{
    struct sv text;

    p = read_text(d, p, &text);
    ((struct ev_job_end *)rec)->succeeded = sv_is(text, "JobSucceeded");
    return p;
}

static bool job_end_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_job_end *)rec)->job_id != NONE;
}

static const struct ev_job_end blank_job_end = { .job_id = NONE, .time_ms = NONE };
static const struct field exception_fields[] = {
    FIELD("Message", FIELD_TEXT, struct ev_job_end, message),
    SKIPPED("Stack Trace"),
};
static const struct shape exception_shape = { FIELDS(exception_fields), .id = SHAPE_EXCEPTION };
static const struct field job_result_fields[] = {
    HOOK("Result", struct ev_job_end, succeeded, job_result),
    OBJECT("Exception", exception_shape),
};
static const struct shape job_result_shape = { FIELDS(job_result_fields), .id = SHAPE_JOB_RESULT };
static const struct field job_end_fields[] = {
    FIELD("Job ID", FIELD_I64, struct ev_job_end, job_id),
    FIELD("Completion Time", FIELD_COUNT, struct ev_job_end, time_ms),
    OBJECT("Job Result", job_result_shape),
    EVENT_NAME,
};
static const struct shape job_end_shape = {
    FIELDS(job_end_fields), .id = SHAPE_JOB_END, .size = sizeof(struct ev_job_end),
    .blank = &blank_job_end, .complete = job_end_complete,
};

static bool stage_complete(struct decode *d, void *rec)
{
    return stage_info_complete(d, &((struct ev_stage *)rec)->info);
}

static const struct ev_stage blank_stage = { .info = BLANK_STAGE_INFO };
static const struct field stage_fields[] = {
    OBJECT_AT("Stage Info", offsetof(struct ev_stage, info), stage_info_shape),
    FIELD("Properties", FIELD_KVS, struct ev_stage, properties),
    EVENT_NAME,
};
static const struct shape stage_shape = {
    FIELDS(stage_fields), .id = SHAPE_STAGE, .size = sizeof(struct ev_stage),
    .blank = &blank_stage, .complete = stage_complete,
};

#define PEAK(name)                                                                       \
    { KEY(#name), NUMBER_KIND(#name, FIELD_COUNT), .mark = UINT32_C(1) << PEAK_##name,               \
      .offset = offsetof(struct ev_peaks, value) + sizeof(int64_t) * PEAK_##name },
static const struct field peak_fields[] = {
    EXECUTOR_METRICS(PEAK)
    /* Databricks has these after MappedPoolMemory */
    SKIPPED("NettyDirectMemory"),
    SKIPPED("JvmDirectMemory"),
    SKIPPED("SparkDirectMemoryOverLimit"),
    SKIPPED("TotalOffHeapMemory"),
};
static const struct shape peaks_shape = {
    FIELDS(peak_fields), .id = SHAPE_PEAKS, .seen_at = offsetof(struct ev_peaks, seen),
};

/* A task that never reported logs -1 for the first and 0 for the others. */
static void settle_peaks(struct ev_peaks *peaks)
{
    int64_t any = 0;

    if (peaks->seen >> PEAK_JVMHeapMemory & 1)
        return;
    for (unsigned i = 0; i < PEAK_COUNT; i++)
        any |= peaks->value[i];
    if (any == 0)
        peaks->seen = 0;
}

static const char *stage_peaks_executor(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_stage_peaks *)rec)->executor_id);
}

static bool stage_peaks_complete(struct decode *d, void *rec)
{
    struct ev_stage_peaks *e = rec;

    (void)d;
    settle_peaks(&e->peaks);
    return e->executor_id.p && e->stage_id != NONE;
}

static const struct ev_stage_peaks blank_stage_peaks = { .stage_id = NONE };
static const struct field stage_peaks_fields[] = {
    HOOK("Executor ID", struct ev_stage_peaks, executor_id, stage_peaks_executor),
    FIELD("Stage ID", FIELD_I64, struct ev_stage_peaks, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_stage_peaks, attempt),
    OBJECT_AT("Executor Metrics", offsetof(struct ev_stage_peaks, peaks), peaks_shape),
    EVENT_NAME,
};
static const struct shape stage_peaks_shape = {
    FIELDS(stage_peaks_fields), .id = SHAPE_STAGE_PEAKS, .size = sizeof(struct ev_stage_peaks),
    .blank = &blank_stage_peaks, .complete = stage_peaks_complete,
};

/* ---- SQL ---- */

static bool plan_metric_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_plan_metric *)rec)->accumulator_id != NONE;
}

static const struct ev_plan_metric blank_plan_metric = { .accumulator_id = NONE };
static const struct field plan_metric_fields[] = {
    FIELD("name", FIELD_TEXT, struct ev_plan_metric, name),
    FIELD("accumulatorId", FIELD_I64, struct ev_plan_metric, accumulator_id),
    FIELD("metricType", FIELD_TEXT, struct ev_plan_metric, type),
};
static const struct shape plan_metric_shape = {
    FIELDS(plan_metric_fields), .id = SHAPE_PLAN_METRIC, .size = sizeof(struct ev_plan_metric),
    .blank = &blank_plan_metric, .complete = plan_metric_complete,
};

static const char *read_plan_node(struct decode *d, const char *p, struct ev_plan_node **node);

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
        stack_take(d, base, sizeof(struct ev_plan_node *), &((struct ev_plan_node *)rec)->children);
    return p;
}

static const struct field plan_node_fields[] = {
    FIELD("nodeName", FIELD_TEXT, struct ev_plan_node, name),
    FIELD("simpleString", FIELD_TEXT, struct ev_plan_node, detail),
    { KEY("children"), .kind = FIELD_HOOK, .offset = offsetof(struct ev_plan_node, children),
      .arg = sizeof(void *) + sizeof(size_t), .hook = plan_children },
    FIELD("metadata", FIELD_KVS, struct ev_plan_node, metadata),
    LIST("metrics", struct ev_plan_node, metrics, plan_metric_shape),
    SKIPPED("explainId"),
};
static const struct shape plan_node_shape = {
    FIELDS(plan_node_fields), .id = SHAPE_PLAN_NODE, .size = sizeof(struct ev_plan_node),
};

/* *node is NULL where the value is no object. */
static const char *read_plan_node(struct decode *d, const char *p, struct ev_plan_node **node)
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

static bool sql_start_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_sql_start *)rec)->execution_id != NONE;
}

static const struct ev_sql_start blank_sql_start = {
    .execution_id = NONE, .root_id = NONE, .time_ms = NONE,
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
    FIELDS(sql_start_fields), .id = SHAPE_SQL_START, .size = sizeof(struct ev_sql_start),
    .blank = &blank_sql_start, .complete = sql_start_complete,
};

static bool sql_end_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_sql_end *)rec)->execution_id != NONE;
}

static const struct ev_sql_end blank_sql_end = { .execution_id = NONE, .time_ms = NONE };
static const struct field sql_end_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_sql_end, execution_id),
    FIELD("time", FIELD_COUNT, struct ev_sql_end, time_ms),
    FIELD("errorMessage", FIELD_TEXT, struct ev_sql_end, error),
    EVENT_NAME,
};
static const struct shape sql_end_shape = {
    FIELDS(sql_end_fields), .id = SHAPE_SQL_END, .size = sizeof(struct ev_sql_end),
    .blank = &blank_sql_end, .complete = sql_end_complete,
};

static const char *sql_plan_info(struct decode *d, const char *p, void *rec)
{
    return read_plan_node(d, p, &((struct ev_sql_plan *)rec)->plan);
}

static bool sql_plan_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_sql_plan *)rec)->execution_id != NONE;
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
    FIELDS(sql_plan_fields), .id = SHAPE_SQL_PLAN, .size = sizeof(struct ev_sql_plan),
    .blank = &blank_sql_plan, .complete = sql_plan_complete,
};

/* [id, value] */
static const char *driver_accum_element(struct decode *d, const char *p, const void *arg)
{
    struct ids pair = { 0 };

    (void)arg;
    if (*p != '[')
        return skip_value(&d->scan, p);
    if ((p = read_ids(d, p, &pair)) && pair.n == 2)
        stack_push(d, &(struct ev_accum){ pair.items[0], pair.items[1] }, sizeof(struct ev_accum));
    return p;
}

static const char *driver_accum_updates(struct decode *d, const char *p, void *rec)
{
    size_t base = d->stack_len;

    if ((p = read_array(d, p, driver_accum_element, NULL)))
        stack_take(d, base, sizeof(struct ev_accum), &((struct ev_driver_accums *)rec)->items);
    return p;
}

static bool driver_accums_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_driver_accums *)rec)->execution_id != NONE;
}

static const struct ev_driver_accums blank_driver_accums = { .execution_id = NONE };
static const struct field driver_accum_fields[] = {
    FIELD("executionId", FIELD_I64, struct ev_driver_accums, execution_id),
    { KEY("accumUpdates"), .kind = FIELD_HOOK, .offset = offsetof(struct ev_driver_accums, items),
      .arg = sizeof(void *) + sizeof(size_t), .hook = driver_accum_updates },
    EVENT_NAME,
};
static const struct shape driver_accums_shape = {
    FIELDS(driver_accum_fields), .id = SHAPE_DRIVER_ACCUMS, .size = sizeof(struct ev_driver_accums),
    .blank = &blank_driver_accums, .complete = driver_accums_complete,
};

/* ---- streaming ---- */

struct source_rows { int64_t rows; };
static const struct source_rows blank_source = { NONE };
static const struct field source_fields[] = {
    FIELD("numInputRows", FIELD_I64, struct source_rows, rows),
};
static const struct shape source_shape = {
    FIELDS(source_fields), .id = SHAPE_SOURCE, .size = sizeof(struct source_rows),
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

static bool stream_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_stream *)rec)->id.p != NULL;
}

static const struct ev_stream blank_stream = {
    .batch_id = NONE, .batch_ms = NONE, .input_rows = NONE,
};
static const struct field batch_times_fields[] = {
    FIELD("triggerExecution", FIELD_COUNT, struct ev_stream, batch_ms),
};
static const struct shape batch_times_shape = {
    FIELDS(batch_times_fields), .id = SHAPE_BATCH_TIMES,
};
#define STREAM_FIELDS                                                                    \
    FIELD("id", FIELD_TEXT, struct ev_stream, id),                                       \
    FIELD("runId", FIELD_TEXT, struct ev_stream, run_id),                                \
    FIELD("name", FIELD_TEXT, struct ev_stream, name),                                   \
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
static const struct shape progress_shape = { FIELDS(progress_fields), .id = SHAPE_PROGRESS };
static const struct field stream_fields[] = {
    STREAM_FIELDS,
    FIELD("exception", FIELD_TEXT, struct ev_stream, exception),
    OBJECT("progress", progress_shape),
    EVENT_NAME,
};
static const struct shape stream_shape = {
    FIELDS(stream_fields), .id = SHAPE_STREAM, .size = sizeof(struct ev_stream),
    .blank = &blank_stream, .complete = stream_complete,
};

#endif
