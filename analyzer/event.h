/* Events of the log as records: what decoding a line yields.
 *
 * Text in a record points into the decoded chunk or into the batch's arena, and
 * is good until the batch is reset. Numbers that the line does not hold are
 * EVENT_NONE (times, ids, sizes) unless the field says otherwise; text that it
 * does not hold has p == NULL. Spark's "not known" (-1) of times, partitions and
 * peaks counts as not held. The driver's executor id is "driver" in all versions. */
#ifndef ANALYZER_EVENT_H
#define ANALYZER_EVENT_H

#include "analyzer/metric.h"
#include "base/arena.h"

#define EVENT_NONE INT64_MIN

enum event_kind {
    EVENT_UNKNOWN,          /* valid, with an "Event" we do not know: `name` says which */
    EVENT_LOG_START,        /* body: struct ev_version; also Databricks' metadata line */
    EVENT_APP_START,        /* struct ev_app */
    EVENT_APP_END,          /* struct ev_app */
    EVENT_ENVIRONMENT,      /* struct ev_environment */
    EVENT_RESOURCE_PROFILE, /* struct ev_resource_profile */
    EVENT_EXECUTOR_ADDED,   /* struct ev_executor */
    EVENT_EXECUTOR_REMOVED, /* struct ev_executor */
    EVENT_EXECUTOR_EXCLUDED,   /* struct ev_executor; or blacklisted; nodes: host only */
    EVENT_BLOCK_MANAGER_ADDED, /* struct ev_block_manager */
    EVENT_BLOCK_MANAGER_REMOVED,  /* struct ev_block_manager */
    EVENT_BLOCK_UPDATED,          /* struct ev_block */
    EVENT_UNPERSIST,              /* struct ev_id: rdd id */
    EVENT_JOB_START,              /* struct ev_job_start */
    EVENT_JOB_END,                /* struct ev_job_end */
    EVENT_STAGE_SUBMITTED,        /* struct ev_stage */
    EVENT_STAGE_COMPLETED,        /* struct ev_stage */
    EVENT_STAGE_EXECUTOR_METRICS, /* struct ev_stage_peaks */
    EVENT_TASK_START,             /* struct ev_task */
    EVENT_TASK_GETTING_RESULT,    /* struct ev_task */
    EVENT_TASK_END,               /* struct ev_task_end */
    EVENT_SQL_START,              /* struct ev_sql_start */
    EVENT_SQL_END,                /* struct ev_sql_end */
    EVENT_SQL_PLAN,               /* struct ev_sql_plan: SQLAdaptiveExecutionUpdate */
    EVENT_SQL_METRICS,     /* struct ev_sql_plan: SQLAdaptiveSQLMetricUpdates, no plan */
    EVENT_DRIVER_ACCUMS,   /* struct ev_driver_accums */
    EVENT_STREAM_STARTED,  /* struct ev_stream */
    EVENT_STREAM_PROGRESS, /* struct ev_stream */
    EVENT_STREAM_TERMINATED, /* struct ev_stream */
    EVENT_IGNORED,           /* known by name, nothing in it that is used (no body) */
    EVENT_KIND_COUNT
};

struct kv {
    struct sv key, value;
};

struct kvs {
    struct kv *items; /* in the order of the log */
    size_t n;
};

struct ids {
    int64_t *items;
    size_t n;
};

struct ev_version {
    struct sv version;
};
struct ev_id {
    int64_t id;
};

struct ev_app {
    struct sv name, id, attempt, user;
    int64_t time_ms;
};

struct ev_environment {
    struct kvs jvm, spark;
}; /* the other lists are not kept */

struct ev_resource_profile {
    int64_t id, cores, memory_mib, memory_overhead_mib, offheap_mib;
    double task_cpus; /* 0: not given */
};

struct ev_executor {
    int64_t time_ms;
    struct sv id, host, reason;
    int64_t cores, resource_profile_id;
    int64_t request_ms, registration_ms;
};

struct ev_block_manager {
    int64_t time_ms;
    struct sv executor_id, host;
    int64_t max_memory, max_onheap, max_offheap; /* bytes */
};

struct ev_block {
    struct sv executor_id, block_id;
    bool use_disk, use_memory, deserialized;
    int64_t replication, memory_bytes, disk_bytes;
};

struct ev_rdd {
    int64_t id;
    struct sv name, scope; /* scope: the JSON text inside the string, unescaped */
    struct ids parents;
    bool barrier, use_disk, use_memory, deserialized, indeterminate;
    int64_t replication, partitions;
};

struct ev_accum { /* of a task or stage: name does not begin "internal.metrics." and value
                     is a whole number */
    int64_t id, value; /* the task's Update; for stages: Value */
};

struct ev_stage_info {
    int64_t stage_id, attempt; /* attempt: 0 where missing */
    struct sv name, details, failure;
    int64_t tasks, submitted_ms, completed_ms, resource_profile_id;
    struct ids parents;
    struct ev_rdd *rdds;
    size_t n_rdds;
};

struct ev_job_start {
    int64_t job_id, time_ms;
    struct ev_stage_info *stages;
    size_t n_stages;
    struct ids stage_ids;
    struct kvs properties;
};

struct ev_job_end {
    int64_t job_id, time_ms;
    bool succeeded;
    struct sv message; /* of the exception */
};

struct ev_stage {
    struct ev_stage_info info;
    struct kvs properties;
};

struct ev_peaks {
    uint32_t seen; /* bit per enum executor_metric; -1 in the log counts as not seen */
    int64_t value[PEAK_COUNT];
};

struct ev_stage_peaks {
    struct sv executor_id;
    int64_t stage_id, attempt;
    struct ev_peaks peaks;
};

enum task_end_reason { /* Spark's names; order is that of severity in views */
                       REASON_SUCCESS,
                       REASON_RESUBMITTED,
                       REASON_FETCH_FAILED,
                       REASON_EXCEPTION,
                       REASON_RESULT_LOST,
                       REASON_KILLED,
                       REASON_COMMIT_DENIED,
                       REASON_EXECUTOR_LOST,
                       REASON_UNKNOWN,
};

enum locality {
    LOCALITY_PROCESS,
    LOCALITY_NODE,
    LOCALITY_NO_PREF,
    LOCALITY_RACK,
    LOCALITY_ANY
};

struct ev_task {
    int64_t stage_id, stage_attempt;                 /* EVENT_NONE in TaskGettingResult */
    int64_t task_id, index, attempt, partition;      /* partition EVENT_NONE: as index */
    int64_t launch_ms, finish_ms, getting_result_ms; /* 0: not (yet) */
    struct sv executor_id, host;
    enum locality locality;
    bool speculative, failed, killed;
};

struct ev_task_end {
    struct ev_task task;
    bool result_task; /* Task Type is ResultTask */
    enum task_end_reason reason;
    struct sv reason_class; /* ExceptionFailure: Class Name */
    struct sv reason_text;  /* Description, Message, Loss Reason or Kill Reason */
    struct sv
        lost_executor; /* ExecutorLostFailure: Executor ID; FetchFailed: whose output */
    bool exit_caused_by_app; /* ExecutorLostFailure; true where missing */
    int64_t fetch_shuffle_id, fetch_map_id, fetch_map_index, fetch_reduce_id;
    bool has_metrics;      /* "Task Metrics" is there */
    uint32_t metrics_seen; /* bit per enum task_metric */
    int64_t metric[METRIC_COUNT];
    struct ev_peaks peaks;
    struct ev_accum *accums;
    size_t n_accums;
};

struct ev_plan_metric {
    struct sv name, type;
    int64_t accumulator_id;
};

struct ev_plan_node {
    struct sv name, detail; /* nodeName, simpleString */
    struct ev_plan_node **children;
    size_t n_children;
    struct ev_plan_metric *metrics;
    size_t n_metrics;
    struct kvs metadata;
};

struct ev_sql_start {
    int64_t execution_id, root_id, time_ms; /* root_id EVENT_NONE: not given */
    struct sv description, details;
    struct ev_plan_node *plan; /* NULL: none */
    struct kvs modified_configs;
};

struct ev_sql_end {
    int64_t execution_id, time_ms;
    struct sv error; /* p NULL: not in this version; empty: success */
};

struct ev_sql_plan {
    int64_t execution_id;
    struct ev_plan_node *plan;
    struct ev_plan_metric *metrics; /* EVENT_SQL_METRICS */
    size_t n_metrics;
};

struct ev_driver_accums {
    int64_t execution_id;
    struct ev_accum *items;
    size_t n;
};

struct ev_stream {
    struct sv id, run_id, name, timestamp, exception; /* timestamp: ISO-8601 */
    int64_t batch_id, input_rows;                     /* rows: of all sources */
    int64_t batch_ms; /* triggerExecution, else batchDuration */
};

struct event {
    enum event_kind kind;
    uint32_t line;   /* within the chunk, from 0 */
    uint64_t offset; /* of the line within the chunk */
    struct sv name;  /* of the event, as logged */
    void *body;      /* by kind; NULL for UNKNOWN and IGNORED */
};

/* What was wrong with a line. Lines with FATAL kinds yield no event. */
enum line_damage {
    DAMAGE_NOT_JSON, /* fatal: a full parser would refuse the line */
    DAMAGE_NO_EVENT, /* fatal: JSON, but no object with an "Event" */
    DAMAGE_FIELDS,   /* fatal: a known event without the fields it is nothing without */
    DAMAGE_EMPTY,    /* a line of blanks only */
    DAMAGE_NUL,      /* NUL bytes in the line */
    DAMAGE_CRLF,     /* carriage return before the newline */
    DAMAGE_BOM,      /* byte order mark in front */
    DAMAGE_UTF8,     /* bytes that are not UTF-8 */
    DAMAGE_DUPLICATE_KEY, /* a field of ours twice in one object: the last one counts */
    DAMAGE_BARE_NAN,      /* NaN or Infinity as a bare word: read as null */
    DAMAGE_TORN,          /* fatal: last line of a part, without newline, not JSON */
    DAMAGE_TOO_LONG,      /* fatal: longer than the reader's limit; skipped */
    DAMAGE_COUNT
};

struct damage_note {
    enum line_damage kind;
    uint32_t line;
    uint64_t offset;
};

/* A zeroed one is empty. Use it for chunk after chunk, with a reset between: the
 * decoder remembers in it what the lines of the log look like, and guesses. */
struct event_batch {
    struct arena arena;
    struct event *events;
    size_t n, cap;
    struct damage_note *damage;
    size_t n_damage, cap_damage;
    uint32_t lines; /* in the chunk, damaged ones included */
    void *memo;     /* the decoder's, kept by reset */
};

void event_batch_reset(struct event_batch *b);
void event_batch_release(struct event_batch *b);
const char *line_damage_name(enum line_damage d); /* "not JSON", "CRLF line ends", ... */

/* A way to decode for one instruction set. All give the same records. */
struct decode_isa {
    const char *name; /* "portable", "sse4.2", "avx2", "avx512" */
    bool (*supported)(void);
    /* Decodes the lines of text[0, len), appending to b. text must be followed by
     * DECODE_PADDING readable bytes (any content). last: a final line without
     * newline is the end of its part (torn if it is not JSON). */
    void (*lines)(const char *text, size_t len, bool last, struct event_batch *b);
    /* True where the bytes are one JSON value as a full parser would have it,
     * blanks around it allowed. Same padding rule. For tests and fuzzing. */
    bool (*valid)(const char *text, size_t len);
};

#define DECODE_PADDING 64

extern const struct decode_isa *const decode_isas[]; /* best first, NULL at the end */
/* The best supported one, or the one named by SPILLWAY_ISA in the environment. */
const struct decode_isa *decode_isa_best(void);

#endif
