/* The event log, as Spark 3.5 writes it: one JSON object a line, in the order things
 * happen. Field names, units and which events: reference/eventlog.md. Thread-safe; lines
 * are formed by the caller's thread and written by a thread of the log's own, so that
 * tasks do not wait.
 *
 * The file is DIR/APP_ID.inprogress until event_log_close puts the suffix away. */
#ifndef ENGINE_EVENTLOG_LOG_H
#define ENGINE_EVENTLOG_LOG_H

#include "engine/plan/phys.h"
#include "engine/run/task.h"

struct event_log;

enum errc event_log_open(struct event_log **out, const char *dir, struct sv app_id,
                         const struct settings *s, struct err *err) MUST_CHECK;
enum errc event_log_close(struct event_log *log, bool finished,
                          struct err *err) MUST_CHECK;
const char *event_log_path(const struct event_log *log);

struct log_rdd { /* one of a stage's RDDs */
    int32_t id;
    const char *name;
    struct sv scope; /* JSON {"id":..,"name":..} or empty */
    const int32_t *parents;
    uint32_t n_parents;
    int32_t n_partitions;
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
    const char *failure;
    const uint64_t *acc_ids; /* accumulables at completion: id, value */
    const int64_t *acc_values;
    uint32_t n_acc;
    int32_t shuffle_dep_id; /* -1: a result stage */
};

struct log_job {
    int32_t job_id;
    const struct log_stage *stages;
    uint32_t n_stages;
    int64_t sql_execution_id; /* -1: none */
    const char *description;
};

struct log_task {
    const struct task *task;
    int64_t launch_ms, finish_ms, getting_result_ms;
    const char *executor_id, *host, *locality;
    bool speculative, failed, killed, result_task;
    const char *reason; /* class, or NULL: Success */
    const char *message;
    const uint64_t *acc_ids; /* this task's updates and the totals after it */
    const int64_t *acc_updates, *acc_values;
    uint32_t n_acc;
};

void log_application_start(struct event_log *l, const char *app_id, const char *name,
                           const char *user, int64_t ms);
void log_application_end(struct event_log *l, int64_t ms);
void log_environment(struct event_log *l, const struct settings *s, int64_t ms);
void log_executor_added(struct event_log *l, const char *id, const char *host,
                        int32_t cores, int64_t memory_bytes, int64_t ms);
void log_executor_removed(struct event_log *l, const char *id, const char *reason,
                          int64_t ms);
void log_job_start(struct event_log *l, const struct log_job *j, int64_t ms);
void log_job_end(struct event_log *l, int32_t job_id, const char *failure, int64_t ms);
void log_stage_submitted(struct event_log *l, const struct log_stage *s,
                         int64_t sql_execution_id);
void log_stage_completed(struct event_log *l, const struct log_stage *s);
void log_task_start(struct event_log *l, const struct log_task *t);
void log_task_end(struct event_log *l, const struct log_task *t);
void log_sql_start(struct event_log *l, int64_t execution_id, const char *description,
                   const struct phys *plan, int64_t ms);
void log_sql_adaptive_update(struct event_log *l, int64_t execution_id,
                             const struct phys *plan);
void log_driver_accum(struct event_log *l, int64_t execution_id, const uint64_t *ids,
                      const int64_t *values, uint32_t n);
void log_sql_end(struct event_log *l, int64_t execution_id, const char *error,
                 int64_t ms);

#endif
