/* Events of jobs and stages, and the peaks of executor metrics.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_STAGE_H
#define ANALYZER_DECODE_STAGE_H

#include "analyzer/decode_event.h"

static const struct ev_rdd blank_rdd = { .id = NONE,
                                         .replication = NONE,
                                         .partitions = NONE };
static const struct field rdd_level_fields[] = {
    FIELD("Use Disk", FIELD_BOOL, struct ev_rdd, use_disk),
    FIELD("Use Memory", FIELD_BOOL, struct ev_rdd, use_memory),
    SKIPPED("Use Off Heap"),
    FIELD("Deserialized", FIELD_BOOL, struct ev_rdd, deserialized),
    FIELD("Replication", FIELD_I64, struct ev_rdd, replication),
};
static const struct shape rdd_level_shape = { FIELDS(rdd_level_fields),
                                              .id = SHAPE_RDD_LEVEL };
static const struct field rdd_fields[] = {
    FIELD("RDD ID", FIELD_I64, struct ev_rdd, id),
    FIELD("Name", FIELD_TEXT, struct ev_rdd, name),
    FIELD("Scope", FIELD_TEXT, struct ev_rdd, scope),
    SKIPPED("Callsite"),
    FIELD("Parent IDs", FIELD_IDS, struct ev_rdd, parents),
    OBJECT("Storage Level", rdd_level_shape),
    FIELD("Barrier", FIELD_BOOL, struct ev_rdd, barrier),
    IS_WORD("DeterministicLevel", struct ev_rdd, indeterminate, "INDETERMINATE"),
    FIELD("Number of Partitions", FIELD_I64, struct ev_rdd, partitions),
    SKIPPED("Number of Cached Partitions"),
    SKIPPED("Memory Size"),
    SKIPPED("Disk Size"),
};
static const struct shape rdd_shape = {
    FIELDS(rdd_fields),
    .id = SHAPE_RDD,
    .size = sizeof(struct ev_rdd),
    .blank = &blank_rdd,
};

static bool stage_info_complete(struct decode *d, void *rec)
{
    bool complete = ((struct ev_stage_info *)rec)->stage_id != NONE;

    d->lacking |= !complete;
    return complete;
}

#define BLANK_STAGE_INFO                                                                 \
    {                                                                                    \
        .stage_id = NONE, .tasks = NONE, .submitted_ms = NONE, .completed_ms = NONE,     \
        .resource_profile_id = NONE                                                      \
    }
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
    FIELDS(stage_info_fields),
    .id = SHAPE_STAGE_INFO,
    .size = sizeof(struct ev_stage_info),
    .blank = &blank_stage_info,
    .complete = stage_info_complete,
};

static bool job_start_complete(struct decode *d, void *rec)
{
    (void)rec;
    return !d->lacking;
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
    FIELDS(job_start_fields),
    .id = SHAPE_JOB_START,
    .size = sizeof(struct ev_job_start),
    .blank = &blank_job_start,
    NUMBER_AT(struct ev_job_start, job_id),
    .complete = job_start_complete,
};

static const struct ev_job_end blank_job_end = { .job_id = NONE, .time_ms = NONE };
static const struct field exception_fields[] = {
    FIELD("Message", FIELD_TEXT, struct ev_job_end, message),
    SKIPPED("Stack Trace"),
};
static const struct shape exception_shape = { FIELDS(exception_fields),
                                              .id = SHAPE_EXCEPTION };
static const struct field job_result_fields[] = {
    IS_WORD("Result", struct ev_job_end, succeeded, "JobSucceeded"),
    OBJECT("Exception", exception_shape),
};
static const struct shape job_result_shape = { FIELDS(job_result_fields),
                                               .id = SHAPE_JOB_RESULT };
static const struct field job_end_fields[] = {
    FIELD("Job ID", FIELD_I64, struct ev_job_end, job_id),
    FIELD("Completion Time", FIELD_COUNT, struct ev_job_end, time_ms),
    OBJECT("Job Result", job_result_shape),
    EVENT_NAME,
};
static const struct shape job_end_shape = {
    FIELDS(job_end_fields),
    .id = SHAPE_JOB_END,
    .size = sizeof(struct ev_job_end),
    .blank = &blank_job_end,
    NUMBER_AT(struct ev_job_end, job_id),
};

static const struct ev_stage blank_stage = { .info = BLANK_STAGE_INFO };
static const struct field stage_fields[] = {
    OBJECT_AT("Stage Info", offsetof(struct ev_stage, info), stage_info_shape),
    FIELD("Properties", FIELD_KVS, struct ev_stage, properties),
    EVENT_NAME,
};
static const struct shape stage_shape = {
    FIELDS(stage_fields),
    .id = SHAPE_STAGE,
    .size = sizeof(struct ev_stage),
    .blank = &blank_stage,
    NUMBER_AT(struct ev_stage, info.stage_id),
};

#define PEAK(name)                                                                       \
    { KEY(#name), NUMBER_KIND(#name, FIELD_COUNT), .mark = UINT32_C(1) << PEAK_##name,   \
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
    FIELDS(peak_fields),
    .id = SHAPE_PEAKS,
    .seen_at = offsetof(struct ev_peaks, seen),
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

static bool stage_peaks_complete(struct decode *d, void *rec)
{
    struct ev_stage_peaks *e = rec;

    (void)d;
    settle_peaks(&e->peaks);
    return e->executor_id.p != NULL;
}

static const struct ev_stage_peaks blank_stage_peaks = { .stage_id = NONE };
static const struct field stage_peaks_fields[] = {
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_stage_peaks, executor_id),
    FIELD("Stage ID", FIELD_I64, struct ev_stage_peaks, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_stage_peaks, attempt),
    OBJECT_AT("Executor Metrics", offsetof(struct ev_stage_peaks, peaks), peaks_shape),
    EVENT_NAME,
};
static const struct shape stage_peaks_shape = {
    FIELDS(stage_peaks_fields),
    .id = SHAPE_STAGE_PEAKS,
    .size = sizeof(struct ev_stage_peaks),
    .blank = &blank_stage_peaks,
    NUMBER_AT(struct ev_stage_peaks, stage_id),
    .complete = stage_peaks_complete,
};

#endif
