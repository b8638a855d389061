/* The event log, as Spark 3.5 writes it: one JSON object a line, in the order things
 * happen. Field names, units and which events: reference/eventlog.md. Thread-safe; lines
 * are formed by the caller's thread and written by a thread of the log's own, so that
 * tasks do not wait for the disk. A NULL log takes every event and keeps none.
 *
 *   event_log_open, log_application_start .. one call an event .. event_log_close
 *
 * The file is DIR/APP_ID.inprogress (APP_ID.zstd.inprogress where
 * spark.eventLog.compress says so) until event_log_close puts the suffix away; with
 * spark.eventLog.rolling.enabled it is the folder DIR/eventlog_v2_APP_ID. */
#ifndef ENGINE_EVENTLOG_LOG_H
#define ENGINE_EVENTLOG_LOG_H

#include "engine/plan/phys.h"
#include "engine/run/settings.h"
#include "engine/run/task.h"

struct event_log;

/* Makes DIR where it is missing ("file:" in front is taken off) and writes LogStart. */
enum errc event_log_open(struct event_log **out, const char *dir, struct sv app_id,
                         const struct settings *s, struct err *err) MUST_CHECK;
/* Writes what is left. finished: the suffix goes; else the log stays in progress.
 * ERR_OUTPUT where anything could not be written. The log is gone either way. */
enum errc event_log_close(struct event_log *log, bool finished,
                          struct err *err) MUST_CHECK;
/* Where it is now; after a finishing close, where it will be: event_log_final_path. */
const char *event_log_path(const struct event_log *log);
const char *event_log_final_path(const struct event_log *log);

/* --- application ---------------------------------------------------------------- */

void log_resource_profile(struct event_log *l, int32_t cores, int64_t memory_bytes,
                          int64_t off_heap_bytes);
void log_environment(struct event_log *l, const struct settings *s);
void log_application_start(struct event_log *l, const char *app_id, const char *name,
                           const char *user, int64_t ms);
void log_application_end(struct event_log *l, int64_t ms);
void log_executor_added(struct event_log *l, const char *id, const char *host,
                        int32_t cores, int64_t ms);
void log_executor_removed(struct event_log *l, const char *id, const char *reason,
                          int64_t ms);
void log_block_manager_added(struct event_log *l, const char *executor_id,
                             const char *host, int64_t on_heap_bytes,
                             int64_t off_heap_bytes, int64_t ms);

/* --- jobs and stages ------------------------------------------------------------ */

/* internal.metrics.* of a stage have consecutive accumulator ids, in Spark's order. */
enum { LOG_INTERNAL_IDS = 35 };

struct log_rdd { /* one of a stage's RDDs */
    int32_t id;
    const char *name;
    struct sv scope; /* JSON {"id":..,"name":..} or absent */
    const char *call_site;
    const int32_t *parents;
    uint32_t n_parents;
    int32_t n_partitions;
    bool unordered; /* behind a shuffle: rows come in any order */
};

struct log_acc { /* a SQL metric's accumulator */
    uint64_t id;
    const char *name;
    int64_t update; /* of this task; stages have none */
    int64_t value;  /* total of the application after it */
};

struct log_stage {
    int32_t stage_id, attempt;
    const char *name, *details;
    int32_t n_tasks;
    const struct log_rdd *rdds;
    uint32_t n_rdds;
    const int32_t *parents;
    uint32_t n_parents;
    int64_t submitted_ms, completed_ms; /* 0: not yet */
    const char *failure;                /* NULL: none */
    const struct log_acc *accs;         /* by id; at completion only */
    uint32_t n_accs;
    const struct task_metrics *totals; /* over its tasks; NULL: not at completion */
    uint64_t internal_id;              /* first of LOG_INTERNAL_IDS */
};

struct log_job {
    int32_t job_id;
    const struct log_stage *stages;
    uint32_t n_stages;
    int64_t sql_execution_id;        /* -1: none */
    int64_t sql_root_id;             /* of the command it is a part of, or the same */
    const char *description;         /* NULL: none */
    const char *call_site;           /* short; NULL: none */
    const struct settings *settings; /* what is set shows among the properties */
};

void log_job_start(struct event_log *l, const struct log_job *j, int64_t ms);
/* failure NULL: succeeded. */
void log_job_end(struct event_log *l, int32_t job_id, const char *failure, int64_t ms);
/* job: whose properties the stage has. */
void log_stage_submitted(struct event_log *l, const struct log_stage *s,
                         const struct log_job *job);
void log_stage_completed(struct event_log *l, const struct log_stage *s);

/* --- tasks ---------------------------------------------------------------------- */

enum log_end_kind {
    LOG_SUCCESS,
    LOG_EXCEPTION,     /* class_name, message, trace */
    LOG_KILLED,        /* message */
    LOG_FETCH_FAILED,  /* message, fetch_* */
    LOG_EXECUTOR_LOST, /* executor_id, message */
    LOG_RESUBMITTED,
    LOG_COMMIT_DENIED,
};

struct log_end {
    enum log_end_kind kind;
    const char *class_name, *message, *trace;
    const char *executor_id; /* of the lost one, or the one fetched from */
    int32_t shuffle_id, map_index, reduce_id;
    int64_t map_id; /* its task */
};

struct executor_metrics { /* peaks while polled */
    int64_t heap_bytes;   /* of the process, as far as it stands for the JVM's heap */
    int64_t execution_bytes, storage_bytes;
    int64_t rss_bytes;
};

struct log_task {
    int64_t task_id;
    int32_t stage_id, stage_attempt, index, attempt, partition;
    int64_t launch_ms, finish_ms, getting_result_ms; /* 0: not yet */
    const char *executor_id, *host, *locality;
    bool speculative, result_task;
    struct log_end end;
    const struct task_metrics *metrics;   /* NULL: the attempt reports none */
    const struct task_metrics *totals;    /* of the stage, this task included */
    const struct executor_metrics *peaks; /* NULL: none taken */
    uint64_t internal_id;
    const struct log_acc *accs; /* this task's updates, by id */
    uint32_t n_accs;
};

void log_task_start(struct event_log *l, const struct log_task *t);
/* Fetch of a result that came as a block, before the task's end. */
void log_task_getting_result(struct event_log *l, const struct log_task *t);
void log_task_end(struct event_log *l, const struct log_task *t);
/* Only where spark.eventLog.logStageExecutorMetrics is on; else does nothing. */
void log_stage_executor_metrics(struct event_log *l, const char *executor_id,
                                int32_t stage_id, int32_t attempt,
                                const struct executor_metrics *m);
/* Adds b's counters to a's. */
void task_metrics_add(struct task_metrics *a, const struct task_metrics *b);

/* --- SQL ------------------------------------------------------------------------ */

struct log_sql {
    int64_t execution_id, root_id;
    const char *description, *details;
    const struct phys *plan;
    const struct settings *settings, *initial; /* what differs is "modified" */
};

void log_sql_start(struct event_log *l, const struct log_sql *q, int64_t ms);
void log_sql_adaptive_update(struct event_log *l, int64_t execution_id,
                             const struct phys *plan);
/* The metrics of an adaptive subquery's plan, which is no update of the whole. */
void log_sql_metric_updates(struct event_log *l, int64_t execution_id,
                            const struct phys *plan);
void log_driver_accum(struct event_log *l, int64_t execution_id, const uint64_t *ids,
                      const int64_t *values, uint32_t n);
/* error NULL: success. */
void log_sql_end(struct event_log *l, int64_t execution_id, const char *error,
                 int64_t ms);

#endif
