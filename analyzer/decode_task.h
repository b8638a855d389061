/* The events of tasks, which are nearly all of a log.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_TASK_H
#define ANALYZER_DECODE_TASK_H

#include "analyzer/decode_event.h"

/* ---- accumulables ---- */

struct accumulable {
    int64_t id, update;
    struct sv name;
};
static const struct accumulable blank_accumulable = { .id = NONE, .update = NONE };
static const struct field accumulable_fields[] = {
    FIELD("ID", FIELD_I64, struct accumulable, id),
    FIELD("Name", FIELD_TEXT, struct accumulable, name),
    FIELD("Update", FIELD_I64, struct accumulable, update),
    SKIPPED("Value"),
    SKIPPED("Internal"),
    SKIPPED("Count Failed Values"),
    SKIPPED("Metadata"),
};
static const struct shape accumulable_shape = {
    FIELDS(accumulable_fields), .id = SHAPE_ACCUM, .size = sizeof(struct accumulable),
    .blank = &blank_accumulable,
};

/* Spark's own numbers of the task are taken from Task Metrics instead, but for the
 * peak of execution memory, which is nowhere else before 3.0. */
static void keep_accumulable(struct decode *d, const struct accumulable *a)
{
    if (sv_starts(a->name, SV("internal.metrics."))) {
        if (sv_is(a->name, "internal.metrics.peakExecutionMemory"))
            d->task_peak = a->update;
    } else if (a->id != NONE && a->update != NONE) {
        stack_push(d, &(struct ev_accum){ a->id, a->update }, sizeof(struct ev_accum));
    }
}

static const char *accumulable_element(struct decode *d, const char *p, const void *arg)
{
    struct accumulable a;

    (void)arg;
    if (!(p = read_record(d, p, &accumulable_shape, &a)))
        return NULL;
    keep_accumulable(d, &a);
    return p;
}

static const char *task_accumulables(struct decode *d, const char *p, void *rec)
{
    size_t base = d->stack_len;

    d->task_peak = NONE;
    if ((p = read_array(d, p, accumulable_element, NULL)))
        stack_take(d, base, sizeof(struct ev_accum), &((struct ev_task_end *)rec)->accums);
    return p;
}

/* ---- Task Info ---- */

static const char *task_locality(struct decode *d, const char *p, void *rec)
{
    static const char *const names[] = {
        [LOCALITY_PROCESS] = "PROCESS_LOCAL", [LOCALITY_NODE] = "NODE_LOCAL",
        [LOCALITY_NO_PREF] = "NO_PREF",       [LOCALITY_RACK] = "RACK_LOCAL",
    };
    struct ev_task *task = rec;
    struct sv text;

    p = read_text(d, p, &text);
    task->locality = LOCALITY_ANY;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(text, names[i]))
            task->locality = (enum locality)i;
    return p;
}

static const char *task_executor(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_task *)rec)->executor_id);
}

/* struct ev_task is the first member of struct ev_task_end. */
#define TASK_INFO_FIELDS                                                                 \
    FIELD("Task ID", FIELD_I64, struct ev_task, task_id),                                \
    FIELD("Index", FIELD_I64, struct ev_task, index),                                    \
    FIELD("Attempt", FIELD_I64, struct ev_task, attempt),                                \
    FIELD("Partition ID", FIELD_TIME, struct ev_task, partition),                        \
    FIELD("Launch Time", FIELD_TIME, struct ev_task, launch_ms),                         \
    HOOK("Executor ID", struct ev_task, executor_id, task_executor),                     \
    FIELD("Host", FIELD_TEXT, struct ev_task, host),                                     \
    HOOK("Locality", struct ev_task, locality, task_locality),                           \
    FIELD("Speculative", FIELD_BOOL, struct ev_task, speculative),                       \
    FIELD("Getting Result Time", FIELD_TIME, struct ev_task, getting_result_ms),         \
    FIELD("Finish Time", FIELD_TIME, struct ev_task, finish_ms),                         \
    FIELD("Failed", FIELD_BOOL, struct ev_task, failed),                                 \
    FIELD("Killed", FIELD_BOOL, struct ev_task, killed)

static const struct field task_info_fields[] = {
    TASK_INFO_FIELDS,
    SKIPPED("Accumulables"), /* of a task that has just started: there by accident */
};
static const struct shape task_info_shape = { FIELDS(task_info_fields), .id = SHAPE_TASK_INFO };
static const struct field ended_task_info_fields[] = {
    TASK_INFO_FIELDS,
    { KEY("Accumulables"), .kind = FIELD_HOOK, .offset = offsetof(struct ev_task_end, accums),
      .arg = sizeof(void *) + sizeof(size_t), .hook = task_accumulables },
};
static const struct shape ended_task_info_shape = {
    FIELDS(ended_task_info_fields), .id = SHAPE_ENDED_TASK_INFO,
};

#define BLANK_TASK                                                                       \
    { .stage_id = NONE, .stage_attempt = NONE, .task_id = NONE, .index = NONE,           \
      .attempt = NONE, .partition = NONE, .locality = LOCALITY_ANY }
static const struct ev_task blank_task = BLANK_TASK;
static const struct field task_fields[] = {
    FIELD("Stage ID", FIELD_I64, struct ev_task, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_task, stage_attempt),
    OBJECT("Task Info", task_info_shape),
    EVENT_NAME,
};

static bool task_start_complete(struct decode *d, void *rec)
{
    struct ev_task *task = rec;

    (void)d;
    if (task->stage_attempt == NONE)
        task->stage_attempt = 0; /* not logged before 1.2 */
    return task->stage_id != NONE && task->task_id != NONE;
}

static const struct shape task_start_shape = {
    FIELDS(task_fields), .id = SHAPE_TASK, .size = sizeof(struct ev_task),
    .blank = &blank_task, .complete = task_start_complete,
};

static bool task_result_complete(struct decode *d, void *rec)
{
    (void)d;
    return ((struct ev_task *)rec)->task_id != NONE;
}

static const struct shape task_result_shape = {
    FIELDS(task_fields), .id = SHAPE_TASK, .size = sizeof(struct ev_task),
    .blank = &blank_task, .complete = task_result_complete,
};

/* ---- Task Metrics ---- */

static const struct field shuffle_read_fields[] = {
    METRIC("Remote Blocks Fetched", REMOTE_BLOCKS),
    METRIC("Local Blocks Fetched", LOCAL_BLOCKS),
    METRIC("Fetch Wait Time", FETCH_WAIT_MS),
    METRIC("Remote Bytes Read", REMOTE_BYTES),
    METRIC("Remote Bytes Read To Disk", REMOTE_TO_DISK_BYTES),
    METRIC("Local Bytes Read", LOCAL_BYTES),
    METRIC("Total Records Read", SHUFFLE_READ_ROWS),
    METRIC("Remote Requests Duration", REMOTE_REQUESTS_MS),
    SKIPPED("Push Based Shuffle"),
    SKIPPED("Shuffle Push Read Metrics"),
};
static const struct shape shuffle_read_shape = {
    FIELDS(shuffle_read_fields), .id = SHAPE_SHUFFLE_READ,
};
static const struct field shuffle_write_fields[] = {
    METRIC("Shuffle Bytes Written", SHUFFLE_WRITE_BYTES),
    METRIC("Shuffle Write Time", SHUFFLE_WRITE_NS),
    METRIC("Shuffle Records Written", SHUFFLE_WRITE_ROWS),
};
static const struct shape shuffle_write_shape = {
    FIELDS(shuffle_write_fields), .id = SHAPE_SHUFFLE_WRITE,
};
static const struct field input_fields[] = {
    SKIPPED("Data Read Method"),
    METRIC("Bytes Read", INPUT_BYTES),
    METRIC("Records Read", INPUT_ROWS),
};
static const struct shape input_shape = { FIELDS(input_fields), .id = SHAPE_INPUT };
static const struct field output_fields[] = {
    SKIPPED("Data Write Method"),
    METRIC("Bytes Written", OUTPUT_BYTES),
    METRIC("Records Written", OUTPUT_ROWS),
};
static const struct shape output_shape = { FIELDS(output_fields), .id = SHAPE_OUTPUT };

static const char *metrics_host(struct decode *d, const char *p, void *rec)
{
    (void)rec;
    return read_text(d, p, &d->task_host);
}

static const struct field metrics_fields[] = {
    { KEY("Host Name"), .kind = FIELD_HOOK, .hook = metrics_host },
    METRIC("Executor Deserialize Time", DESERIALIZE_MS),
    METRIC("Executor Deserialize CPU Time", DESERIALIZE_CPU_NS),
    METRIC("Executor Run Time", RUN_MS),
    METRIC("Executor CPU Time", CPU_NS),
    METRIC("Peak Execution Memory", PEAK_EXECUTION_BYTES),
    METRIC("Peak On Heap Execution Memory", PEAK_ONHEAP_BYTES),
    METRIC("Peak Off Heap Execution Memory", PEAK_OFFHEAP_BYTES),
    METRIC("Result Size", RESULT_BYTES),
    METRIC("JVM GC Time", GC_MS),
    METRIC("Result Serialization Time", RESULT_SERIALIZE_MS),
    METRIC("Memory Bytes Spilled", SPILL_MEMORY_BYTES),
    METRIC("Disk Bytes Spilled", SPILL_DISK_BYTES),
    OBJECT("Shuffle Read Metrics", shuffle_read_shape),
    OBJECT("Shuffle Write Metrics", shuffle_write_shape),
    OBJECT("Input Metrics", input_shape),
    OBJECT("Output Metrics", output_shape),
    SKIPPED("Updated Blocks"),
};
static const struct shape metrics_shape = { FIELDS(metrics_fields), .id = SHAPE_METRICS };

static const char *read_metrics(struct decode *d, const char *p, struct ev_task_end *e)
{
    memset(e->metric, 0, sizeof e->metric);
    e->metrics_seen = 0;
    e->has_metrics = *p == '{';
    d->task_host = (struct sv){ 0 };
    return read_object(d, p, &metrics_shape, e);
}

static const char *task_end_metrics(struct decode *d, const char *p, void *rec)
{
    d->metrics_last = *p == '{';
    return read_metrics(d, p, rec);
}

/* ---- Task End Reason ---- */

static const char *reason_word(struct decode *d, const char *p, void *rec)
{
    static const char *const names[] = {
        [REASON_SUCCESS] = "Success",
        [REASON_RESUBMITTED] = "Resubmitted",
        [REASON_FETCH_FAILED] = "FetchFailed",
        [REASON_EXCEPTION] = "ExceptionFailure",
        [REASON_RESULT_LOST] = "TaskResultLost",
        [REASON_KILLED] = "TaskKilled",
        [REASON_COMMIT_DENIED] = "TaskCommitDenied",
        [REASON_EXECUTOR_LOST] = "ExecutorLostFailure",
    };
    struct ev_task_end *e = rec;
    struct sv text;

    p = read_text(d, p, &text);
    e->reason = REASON_UNKNOWN;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(text, names[i]))
            e->reason = (enum task_end_reason)i;
    return p;
}

static const char *reason_executor(struct decode *d, const char *p, void *rec)
{
    return read_executor_id(d, p, &((struct ev_task_end *)rec)->lost_executor);
}

/* 1.x logs the metrics of a task that threw with the exception. */
static const char *reason_metrics(struct decode *d, const char *p, void *rec)
{
    return d->metrics_last ? skip_value(&d->scan, p) : read_metrics(d, p, rec);
}

static const struct field end_manager_fields[] = {
    HOOK("Executor ID", struct ev_task_end, lost_executor, reason_executor),
    SKIPPED("Host"),
    SKIPPED("Port"),
};
static const struct shape end_manager_shape = { FIELDS(end_manager_fields), .id = SHAPE_END_MANAGER };
static const struct field end_reason_fields[] = {
    HOOK("Reason", struct ev_task_end, reason, reason_word),
    OBJECT("Block Manager Address", end_manager_shape),
    FIELD("Shuffle ID", FIELD_I64, struct ev_task_end, fetch_shuffle_id),
    FIELD("Map ID", FIELD_I64, struct ev_task_end, fetch_map_id),
    FIELD("Map Index", FIELD_I64, struct ev_task_end, fetch_map_index),
    FIELD("Reduce ID", FIELD_I64, struct ev_task_end, fetch_reduce_id),
    FIELD("Message", FIELD_TEXT, struct ev_task_end, reason_text),
    FIELD("Class Name", FIELD_TEXT, struct ev_task_end, reason_class),
    FIELD("Description", FIELD_TEXT, struct ev_task_end, reason_text),
    SKIPPED("Stack Trace"),
    SKIPPED("Full Stack Trace"),
    SKIPPED("Accumulator Updates"),
    { KEY("Metrics"), .kind = FIELD_HOOK, .hook = reason_metrics },
    FIELD("Kill Reason", FIELD_TEXT, struct ev_task_end, reason_text),
    HOOK("Executor ID", struct ev_task_end, lost_executor, reason_executor),
    FIELD("Exit Caused By App", FIELD_BOOL, struct ev_task_end, exit_caused_by_app),
    FIELD("Loss Reason", FIELD_TEXT, struct ev_task_end, reason_text),
};
static const struct shape end_reason_shape = { FIELDS(end_reason_fields), .id = SHAPE_END_REASON };

/* ---- TaskEnd ---- */

static const char *task_type(struct decode *d, const char *p, void *rec)
{
    struct sv text;

    p = read_text(d, p, &text);
    ((struct ev_task_end *)rec)->result_task = sv_is(text, "ResultTask");
    return p;
}

#define NO_REASON REASON_UNKNOWN + 1 /* until the line gives one */

static const struct ev_task_end blank_task_end = {
    .task = BLANK_TASK, .reason = (enum task_end_reason)(NO_REASON), .exit_caused_by_app = true,
    .fetch_shuffle_id = NONE, .fetch_map_id = NONE, .fetch_map_index = NONE, .fetch_reduce_id = NONE,
};
static const struct field task_end_fields[] = {
    FIELD("Stage ID", FIELD_I64, struct ev_task, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_task, stage_attempt),
    HOOK("Task Type", struct ev_task_end, result_task, task_type),
    OBJECT("Task End Reason", end_reason_shape),
    OBJECT("Task Info", ended_task_info_shape),
    OBJECT_AT("Task Executor Metrics", offsetof(struct ev_task_end, peaks), peaks_shape),
    { KEY("Task Metrics"), .kind = FIELD_HOOK, .hook = task_end_metrics },
    EVENT_NAME,
};

static bool task_end_complete(struct decode *d, void *rec)
{
    struct ev_task_end *e = rec;

    if (e->reason == (enum task_end_reason)(NO_REASON))
        e->reason = e->task.killed ? REASON_KILLED :
                    e->task.failed ? REASON_UNKNOWN : REASON_SUCCESS;
    if (e->has_metrics && d->task_peak != NONE &&
        !(e->metrics_seen >> METRIC_PEAK_EXECUTION_BYTES & 1)) {
        e->metrics_seen |= UINT32_C(1) << METRIC_PEAK_EXECUTION_BYTES;
        e->metric[METRIC_PEAK_EXECUTION_BYTES] = d->task_peak;
    }
    if (!e->task.host.p)
        e->task.host = d->task_host;
    return task_start_complete(d, rec);
}

static const struct shape task_end_shape = {
    FIELDS(task_end_fields), .id = SHAPE_TASK_END, .size = sizeof(struct ev_task_end),
    .blank = &blank_task_end, .complete = task_end_complete,
};

_Static_assert(offsetof(struct ev_task_end, task) == 0, "shapes of a task serve its end too");
_Static_assert(METRIC_COUNT <= 32 && PEAK_COUNT <= 32, "one bit each");

#endif
