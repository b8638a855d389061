/* The events of the log: their objects as shapes, in the order in which Spark writes
 * the keys. Here are the application, executors and blocks.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_EVENT_H
#define ANALYZER_DECODE_EVENT_H

#include "analyzer/decode_field.h"

#define NONE EVENT_NONE

enum shape_id {
    SHAPE_IGNORED,
    SHAPE_VERSION,
    SHAPE_APP,
    SHAPE_ENVIRONMENT,
    SHAPE_AMOUNT,
    SHAPE_FRACTION,
    SHAPE_EXECUTOR_REQUESTS,
    SHAPE_TASK_REQUESTS,
    SHAPE_PROFILE,
    SHAPE_EXECUTOR_INFO,
    SHAPE_EXECUTOR,
    SHAPE_EXCLUDED,
    SHAPE_MANAGER_ID,
    SHAPE_MANAGER,
    SHAPE_BLOCK_MANAGER_ID,
    SHAPE_LEVEL,
    SHAPE_BLOCK,
    SHAPE_BLOCK_UPDATED,
    SHAPE_UNPERSIST,
    SHAPE_RDD_LEVEL,
    SHAPE_RDD,
    SHAPE_STAGE_INFO,
    SHAPE_JOB_START,
    SHAPE_EXCEPTION,
    SHAPE_JOB_RESULT,
    SHAPE_JOB_END,
    SHAPE_STAGE,
    SHAPE_PEAKS,
    SHAPE_STAGE_PEAKS,
    SHAPE_PLAN_METRIC,
    SHAPE_PLAN_NODE,
    SHAPE_SQL_START,
    SHAPE_SQL_END,
    SHAPE_SQL_PLAN,
    SHAPE_DRIVER_ACCUMS,
    SHAPE_BATCH_TIMES,
    SHAPE_SOURCE,
    SHAPE_PROGRESS,
    SHAPE_STREAM,
    SHAPE_TASK_INFO,
    SHAPE_ENDED_TASK_INFO,
    SHAPE_TASK,
    SHAPE_ACCUM,
    SHAPE_END_MANAGER,
    SHAPE_END_REASON,
    SHAPE_PUSH,
    SHAPE_SHUFFLE_READ,
    SHAPE_SHUFFLE_WRITE,
    SHAPE_INPUT,
    SHAPE_OUTPUT,
    SHAPE_METRICS,
    SHAPE_TASK_END,
    SHAPE_COUNT
};

_Static_assert((int)SHAPE_COUNT <= (int)SHAPE_MAX, "room in the memo");

#define EVENT_NAME                                                                       \
    {                                                                                    \
        KEY("Event"), .kind = FIELD_EVENT                                                \
    }

static const struct field ignored_fields[] = { EVENT_NAME };
static const struct shape ignored_shape = { FIELDS(ignored_fields), .id = SHAPE_IGNORED };

/* ---- the application ---- */

static const struct field version_fields[] = {
    FIELD("Spark Version", FIELD_TEXT, struct ev_version, version),
    EVENT_NAME,
};
static const struct shape version_shape = {
    FIELDS(version_fields),
    .id = SHAPE_VERSION,
    .size = sizeof(struct ev_version),
    TEXT_AT(struct ev_version, version),
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
    FIELDS(app_fields),
    .id = SHAPE_APP,
    .size = sizeof(struct ev_app),
    .blank = &blank_app,
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
    FIELDS(environment_fields),
    .id = SHAPE_ENVIRONMENT,
    .size = sizeof(struct ev_environment),
};

/* {"Resource Name":"cores","Amount":8,...}: the amount lands at offset 0 of where
 * the object does. */
struct amount {
    int64_t whole;
};
struct fraction {
    double value;
};
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
static const struct shape fraction_shape = { FIELDS(fraction_fields),
                                             .id = SHAPE_FRACTION };

#define AMOUNT(name, member)                                                             \
    OBJECT_AT(name, offsetof(struct ev_resource_profile, member), amount_shape)
static const struct field executor_request_fields[] = {
    AMOUNT("cores", cores),
    AMOUNT("memory", memory_mib),
    AMOUNT("memoryOverhead", memory_overhead_mib),
    AMOUNT("offHeap", offheap_mib),
};
static const struct shape executor_requests_shape = {
    FIELDS(executor_request_fields),
    .id = SHAPE_EXECUTOR_REQUESTS,
};
static const struct field task_request_fields[] = {
    OBJECT_AT("cpus", offsetof(struct ev_resource_profile, task_cpus), fraction_shape),
};
static const struct shape task_requests_shape = {
    FIELDS(task_request_fields),
    .id = SHAPE_TASK_REQUESTS,
};

static const struct ev_resource_profile blank_profile = {
    .id = NONE,
    .cores = NONE,
    .memory_mib = NONE,
    .memory_overhead_mib = NONE,
    .offheap_mib = NONE,
};
static const struct field profile_fields[] = {
    FIELD("Resource Profile Id", FIELD_I64, struct ev_resource_profile, id),
    OBJECT("Executor Resource Requests", executor_requests_shape),
    OBJECT("Task Resource Requests", task_requests_shape),
    EVENT_NAME,
};
static const struct shape profile_shape = {
    FIELDS(profile_fields),
    .id = SHAPE_PROFILE,
    .size = sizeof(struct ev_resource_profile),
    .blank = &blank_profile,
    NUMBER_AT(struct ev_resource_profile, id),
};

/* ---- executors, block managers, blocks ---- */

/* A node that is excluded has no executor. */
static bool executor_complete(struct decode *d, void *rec)
{
    struct ev_executor *e = rec;

    (void)d;
    return e->id.p || e->host.p;
}

static const struct ev_executor blank_executor = {
    .time_ms = NONE,
    .cores = NONE,
    .resource_profile_id = NONE,
    .request_ms = NONE,
    .registration_ms = NONE,
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
    FIELDS(executor_info_fields),
    .id = SHAPE_EXECUTOR_INFO,
};
static const struct field executor_fields[] = {
    FIELD("Timestamp", FIELD_COUNT, struct ev_executor, time_ms),
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_executor, id),
    OBJECT("Executor Info", executor_info_shape),
    FIELD("Removed Reason", FIELD_TEXT, struct ev_executor, reason),
    EVENT_NAME,
};
static const struct shape executor_shape = {
    FIELDS(executor_fields),
    .id = SHAPE_EXECUTOR,
    .size = sizeof(struct ev_executor),
    .blank = &blank_executor,
    TEXT_AT(struct ev_executor, id),
};
static const struct field excluded_fields[] = {
    FIELD("time", FIELD_COUNT, struct ev_executor, time_ms),
    FIELD("executorId", FIELD_EXECUTOR, struct ev_executor, id),
    FIELD("hostId", FIELD_TEXT, struct ev_executor, host),
    EVENT_NAME,
};
static const struct shape excluded_shape = {
    FIELDS(excluded_fields),
    .id = SHAPE_EXCLUDED,
    .size = sizeof(struct ev_executor),
    .blank = &blank_executor,
    .complete = executor_complete,
};

static const struct ev_block_manager blank_manager = {
    .time_ms = NONE,
    .max_memory = NONE,
    .max_onheap = NONE,
    .max_offheap = NONE,
};
static const struct field manager_id_fields[] = {
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_block_manager, executor_id),
    FIELD("Host", FIELD_TEXT, struct ev_block_manager, host),
    SKIPPED("Port"),
};
static const struct shape manager_id_shape = { FIELDS(manager_id_fields),
                                               .id = SHAPE_MANAGER_ID };
static const struct field manager_fields[] = {
    OBJECT("Block Manager ID", manager_id_shape),
    FIELD("Maximum Memory", FIELD_I64, struct ev_block_manager, max_memory),
    FIELD("Timestamp", FIELD_COUNT, struct ev_block_manager, time_ms),
    FIELD("Maximum Onheap Memory", FIELD_I64, struct ev_block_manager, max_onheap),
    FIELD("Maximum Offheap Memory", FIELD_I64, struct ev_block_manager, max_offheap),
    EVENT_NAME,
};
static const struct shape manager_shape = {
    FIELDS(manager_fields),
    .id = SHAPE_MANAGER,
    .size = sizeof(struct ev_block_manager),
    .blank = &blank_manager,
    TEXT_AT(struct ev_block_manager, executor_id),
};

static const struct ev_block blank_block = {
    .replication = NONE,
    .memory_bytes = NONE,
    .disk_bytes = NONE,
};
static const struct field block_manager_fields[] = {
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_block, executor_id),
    SKIPPED("Host"),
    SKIPPED("Port"),
};
static const struct shape block_manager_shape = {
    FIELDS(block_manager_fields),
    .id = SHAPE_BLOCK_MANAGER_ID,
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
    FIELDS(block_updated_fields),       .id = SHAPE_BLOCK_UPDATED,
    .size = sizeof(struct ev_block),    .blank = &blank_block,
    TEXT_AT(struct ev_block, block_id),
};

static const struct ev_id blank_id = { NONE };
static const struct field unpersist_fields[] = {
    FIELD("RDD ID", FIELD_I64, struct ev_id, id),
    EVENT_NAME,
};
static const struct shape unpersist_shape = {
    FIELDS(unpersist_fields), .id = SHAPE_UNPERSIST,       .size = sizeof(struct ev_id),
    .blank = &blank_id,       NUMBER_AT(struct ev_id, id),
};

#endif
