/* The application: everything the log said, in tables.
 *
 * Built by analyzer/load.h; read-only afterwards. All text is interned in the
 * arena (equal text, equal pointer; NUL-terminated; may hold any byte: clean it
 * before printing). Times are ms since the epoch. APP_NONE: the log does not say.
 *
 * Stage ids are Spark's; "ix" are positions in our arrays. A stage attempt is one
 * struct stage; attempts of one stage id are neighbours, in order of attempt.
 * stages are sorted by (stage_id, attempt), jobs, sql and executors by id
 * (executors: in order of first mention). */
#ifndef ANALYZER_APP_H
#define ANALYZER_APP_H

#include "analyzer/event.h"
#include "base/map.h"

#define APP_NONE INT64_MIN
#define IX_NONE UINT32_MAX

/* One number per task, as narrow as its values allow: absent while all are 0. */
struct column {
    void *v;        /* uint32_t or int64_t, by width */
    uint8_t width;  /* 0 (all zero), 4, 8 */
    uint32_t cap;
};
static inline int64_t column_get(const struct column *c, uint32_t row)
{
    if (row >= c->cap)
        return 0; /* absent columns have no room */
    return c->width == 4 ? (int64_t)((const uint32_t *)c->v)[row]
                         : ((const int64_t *)c->v)[row];
}
void column_set(struct column *c, uint32_t row, int64_t value, uint32_t cap_rows);
void column_release(struct column *c);

enum task_state { TASK_RUNNING, TASK_SUCCESS, TASK_FAILED, TASK_KILLED };

/* The tasks of one stage attempt, in order of first mention. */
enum task_field { /* columns besides the metrics */
    TASK_ID, TASK_INDEX, TASK_ATTEMPT, TASK_PARTITION, TASK_EXECUTOR_IX, TASK_HOST_IX,
    TASK_LAUNCH_MS, TASK_FINISH_MS, /* finish 0: still running */
    TASK_GETTING_RESULT_MS,         /* 0: was sent with the status */
    TASK_FLAGS,                     /* TASK_FLAG_..., state, locality and reason packed */
    TASK_FIELD_COUNT
};

#define TASK_FLAG_SPECULATIVE 1u
#define TASK_FLAG_HAS_METRICS 2u
#define TASK_FLAG_STARTED 4u  /* a TaskStart was seen */
#define TASK_FLAG_ENDED 8u
#define TASK_FLAG_RESUBMITTED 16u /* succeeded, later lost with its executor */
#define TASK_FLAG_DUPLICATE 32u   /* not the first success of its partition */
#define TASK_STATE_SHIFT 8        /* 2 bits, enum task_state */
#define TASK_LOCALITY_SHIFT 10    /* 3 bits, enum locality */
#define TASK_REASON_SHIFT 13      /* 4 bits, enum task_end_reason */

struct task_table {
    uint32_t n, cap;
    struct column field[TASK_FIELD_COUNT];
    struct column metric[METRIC_COUNT];
};

static inline enum task_state task_state(const struct task_table *t, uint32_t row)
{
    return (enum task_state)(column_get(&t->field[TASK_FLAGS], row) >> TASK_STATE_SHIFT & 3);
}

static inline enum task_end_reason task_reason(const struct task_table *t, uint32_t row)
{
    return (enum task_end_reason)(column_get(&t->field[TASK_FLAGS], row) >> TASK_REASON_SHIFT &
                                  15);
}

static inline bool task_flag(const struct task_table *t, uint32_t row, unsigned flag)
{
    return ((uint64_t)column_get(&t->field[TASK_FLAGS], row) & flag) != 0;
}

static inline int64_t task_field(const struct task_table *t, uint32_t row, enum task_field f)
{
    return column_get(&t->field[f], row);
}

static inline int64_t task_metric(const struct task_table *t, uint32_t row, enum task_metric m)
{
    return column_get(&t->metric[m], row);
}

/* Finish - launch; 0 for a running task and where clocks jump backwards. */
int64_t task_duration_ms(const struct task_table *t, uint32_t row);
/* Spark's scheduler delay: duration - run - deserialise - serialise - getting result, >= 0. */
int64_t task_scheduler_delay_ms(const struct task_table *t, uint32_t row);
int64_t task_getting_result_ms(const struct task_table *t, uint32_t row);

enum stage_status { STAGE_PENDING, STAGE_ACTIVE, STAGE_COMPLETE, STAGE_FAILED, STAGE_SKIPPED };
const char *stage_status_name(enum stage_status s); /* "complete" ... as in the JSON */

struct rdd {
    int64_t id;
    struct sv name;
    struct sv scope; /* name inside the scope: "Exchange", "WholeStageCodegen (3)" */
    struct ids parents;
    bool barrier, use_disk, use_memory, deserialized, indeterminate;
    int64_t replication, partitions;
};

/* Values of one SQL metric in one stage attempt, by task index. */
struct stage_accum {
    int64_t accumulator_id;
    struct column value; /* by task Index; n of stage.slots */
};

struct failure_group { /* tasks of a stage that ended badly in the same way */
    enum task_end_reason reason;
    struct sv class_name, text; /* text: the first task's failure_line (of killed ones
                                 * the first line, as the server has it), <= 400 bytes */
    struct sv key;              /* what the texts have in common: failure_key */
    bool varies;                /* some task's text differs from `text` */
    uint32_t tasks;
    uint32_t first_row;
};

struct stage {
    int64_t stage_id, attempt;
    enum stage_status status;
    struct sv name, details, failure; /* failure p NULL: none */
    int64_t tasks;                    /* "Number of Tasks" of this attempt */
    int64_t submitted_ms, completed_ms, first_launch_ms; /* APP_NONE */
    int64_t resource_profile_id;
    uint32_t *job_ixs;   /* jobs that list the stage id, ascending */
    size_t n_jobs;
    uint32_t ran_for_job_ix; /* the first job it was submitted for; IX_NONE: did not run */
    int64_t sql_execution_id; /* of the job that ran it (else first that lists it); APP_NONE */
    struct sv description, pool; /* spark.job.description, spark.scheduler.pool */
    struct ids parent_ids; /* as logged */
    struct rdd *rdds;      /* by id, descending; a stage that never ran has only the highest */
    size_t n_rdds;
    bool barrier;

    struct task_table task;
    int64_t completed_tasks, failed_tasks, killed_tasks, speculative_tasks; /* ends, as Spark counts them */
    int64_t completed_indices; /* distinct task indices that succeeded */
    int64_t total[METRIC_COUNT]; /* over ended tasks that have metrics, failed ones included */
    uint32_t metrics_seen;     /* bit m: some task had metric m; else it is null, not 0 */
    int64_t scheduler_delay_ms, getting_result_ms, duration_ms; /* sums over ended tasks */
    struct ev_peaks peaks;     /* over its executors */
    struct stage_accum *accums; /* ascending accumulator id */
    size_t n_accums, cap_accums;
    uint8_t *slot_done;        /* per task index: a success was seen */
    uint32_t slots;            /* task indices with values: max(tasks, largest index + 1) */
    struct failure_group *failures;
    size_t n_failures;
};

enum job_status { JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED };
const char *job_status_name(enum job_status s);

struct job {
    int64_t job_id;
    enum job_status status;
    int64_t submitted_ms, completed_ms;
    int64_t sql_execution_id; /* APP_NONE: none */
    struct sv name;        /* stage name of the largest stage id, as Spark shows it */
    struct sv description, group, pool, call_site, tags, failure;
    struct sv stream_id; int64_t stream_batch; /* structured streaming */
    struct ids stage_ids;  /* all listed, ascending */
    struct ids skipped_stage_ids; /* those of which no attempt was submitted for this job */
    struct kvs properties; /* spark.* keys of the session, for analyzer/conf.h */
    int64_t tasks;         /* tasks of its stages without Completion Time in JobStart */
    int64_t completed_tasks, failed_tasks, killed_tasks; /* ends in stages that ran for it */
    int64_t completed_indices;  /* distinct (stage, task index) that succeeded */
    int64_t completed_stages, failed_stages; /* distinct stages completed; failed attempts */
    bool started, ended;   /* JobStart, JobEnd seen */
};

struct executor {
    struct sv id, host;
    int64_t cores; /* APP_NONE: no ExecutorAdded */
    int64_t added_ms, removed_ms, request_ms;
    struct sv removed_reason;
    int64_t resource_profile_id;
    int64_t max_memory_bytes, max_onheap_bytes, max_offheap_bytes; /* of the block manager */
    bool is_driver;
    bool lost; /* removed for a fault, not by request; and before the last job ended: clusters
                * that are taken down tell of lost executors too, and nobody misses those */
    bool excluded;
    int64_t started_tasks, completed_tasks, failed_tasks, killed_tasks;
    int64_t duration_ms;
    int64_t total[METRIC_COUNT];
    struct ev_peaks peaks;
    /* At the end of the log; bytes of cached RDDs. */
    int64_t storage_memory_bytes, storage_disk_bytes, rdd_blocks;
};

struct plan_metric {
    struct sv name, type;
    int64_t accumulator_id;
};

struct plan_node {
    struct sv name;   /* nodeName, trimmed */
    struct sv detail; /* simpleString */
    struct plan_node **children;
    size_t n_children;
    struct plan_metric *metrics;
    size_t n_metrics;
    struct kvs metadata; /* of scans: Location, ReadSchema, PartitionFilters ... */
}; /* equal subtrees of several versions are one and the same */

enum sql_status { SQL_RUNNING, SQL_COMPLETED, SQL_FAILED };
const char *sql_status_name(enum sql_status s);

struct sql {
    int64_t execution_id, root_id; /* root_id == execution_id: a root */
    struct sv description, details, error;
    int64_t submitted_ms, completed_ms;
    enum sql_status status;
    uint32_t *job_ixs;
    size_t n_jobs;
    struct plan_node **plans; /* every version, oldest first: initial, each AQE update */
    size_t n_plans, cap_plans;
    struct plan_metric *extra_metrics; /* of AQE subqueries: announced without a plan */
    size_t n_extra_metrics, cap_extra_metrics;
    struct kvs modified_configs;
    bool started, ended;
};

struct driver_accum { /* DriverAccumUpdates, in order of arrival */
    int64_t execution_id, accumulator_id, value;
};

struct cached_rdd { /* from BlockUpdated */
    int64_t rdd_id;
    struct sv name;
    int64_t partitions;
    int64_t blocks, memory_bytes, disk_bytes; /* at the end of the log, or at unpersist */
    int64_t peak_memory_bytes, peak_disk_bytes, peak_blocks;
    int64_t dropped_blocks;   /* blocks that left without unpersist while the executor lived */
    int64_t disk_blocks;      /* blocks ever seen on disk */
    bool use_memory, use_disk, deserialized; /* the level asked for */
    bool unpersisted;
};

struct resource_profile {
    int64_t id, cores, memory_mib, memory_overhead_mib, offheap_mib;
    double task_cpus;
};

struct stream_batch {
    struct sv id, name;
    int64_t batch_id, batch_ms, input_rows;
    struct sv timestamp;
};

struct damage { /* one kind, all places */
    enum line_damage kind;
    int64_t count;
    struct sv part;    /* first place: file, line from 1, byte offset of the line */
    int64_t line, offset;
};

struct completeness {
    int64_t lines, events, bad_lines, unknown_events, bytes; /* bytes: decoded */
    bool truncated;    /* cut stream, torn line, or no ApplicationEnd in a log that says finished */
    bool in_progress;  /* by name, or no ApplicationEnd */
    int64_t tasks_started, tasks_ended; /* TaskStart, TaskEnd events */
    struct sv *missing_parts; size_t n_missing_parts;
    struct sv *notes; size_t n_notes, cap_notes; /* one sentence each */
    struct damage damage[DAMAGE_COUNT];
    struct unknown_event { struct sv name; int64_t count; } *unknown; /* by first appearance */
    size_t n_unknown, cap_unknown;
    int64_t clock_jumps; /* tasks, stages or jobs that end before they begin */
    int64_t orphan_task_ends; /* TaskEnd without TaskStart */
};

struct app {
    struct arena arena;
    struct intern strings;

    struct sv path;          /* of the log */
    struct sv id, attempt, name, user, spark_version;
    int version_major, version_minor; /* 0: unknown */
    bool databricks;
    int64_t start_ms, end_ms; /* end: ApplicationEnd, else the last time seen in the log */
    bool finished;            /* ApplicationEnd seen */
    int64_t cores_peak, executors_peak; /* at one moment; driver counts in local mode only */

    struct stage *stages; size_t n_stages;
    struct job *jobs; size_t n_jobs;
    struct executor *executors; size_t n_executors;
    struct sv *hosts; size_t n_hosts; /* TASK_HOST_IX */
    struct sql *sqls; size_t n_sqls;
    struct driver_accum *driver_accums; size_t n_driver_accums; /* by accumulator id, then arrival */
    struct accum_ref { /* who updated which SQL metric, by (accumulator id, stage ix) */
        int64_t accumulator_id;
        uint32_t stage_ix, accum_ix;
    } *accum_refs;
    size_t n_accum_refs;
    struct cached_rdd *cached; size_t n_cached; bool has_block_updates;
    struct resource_profile *profiles; size_t n_profiles;
    struct stream_batch *stream_batches; size_t n_stream_batches;
    struct kvs jvm, spark; /* EnvironmentUpdate: the last one's values, by key */
    double task_cpus;      /* spark.task.cpus, 1 by default */
    bool local_mode;       /* tasks ran on the driver */

    struct completeness complete;
};

void app_release(struct app *app); /* a zeroed app is fine */

/* Positions by Spark's ids; IX_NONE where there is none. */
uint32_t app_stage_ix(const struct app *app, int64_t stage_id, int64_t attempt);
/* The last attempt of the stage. */
uint32_t app_stage_last_ix(const struct app *app, int64_t stage_id);
uint32_t app_job_ix(const struct app *app, int64_t job_id);
uint32_t app_sql_ix(const struct app *app, int64_t execution_id);
uint32_t app_executor_ix(const struct app *app, struct sv id);

#define app_each_stage(app, s)                                                           \
    for (const struct stage *s = (app)->stages; s < (app)->stages + (app)->n_stages; s++)
#define app_each_job(app, j)                                                             \
    for (const struct job *j = (app)->jobs; j < (app)->jobs + (app)->n_jobs; j++)
#define app_each_sql(app, q)                                                             \
    for (const struct sql *q = (app)->sqls; q < (app)->sqls + (app)->n_sqls; q++)
#define app_each_executor(app, e)                                                        \
    for (const struct executor *e = (app)->executors;                                    \
         e < (app)->executors + (app)->n_executors; e++)

/* A job that was cancelled ends as failed too. */
bool job_was_cancelled(const struct job *j);

/* A property of the job or of Spark's environment; p NULL where unset. */
struct sv kvs_get(const struct kvs *k, const char *key);

/* The stage really ran: it has at least one task, or was submitted. */
static inline bool stage_ran(const struct stage *s)
{
    return s->task.n > 0 || s->status == STAGE_COMPLETE || s->status == STAGE_FAILED;
}

/* The final plan, NULL where the log has none. */
static inline struct plan_node *sql_final_plan(const struct sql *q)
{
    return q->n_plans ? q->plans[q->n_plans - 1] : NULL;
}

/* --- numbers over tasks ------------------------------------------------- */

/* min, 25 %, median, 75 %, max over the successful tasks, at Spark's positions:
 * value[min(floor(q * n), n - 1)] of the ascending values, no interpolation
 * (AppStatusStore.taskSummary). */
struct quantiles {
    uint32_t n; /* 0: no successful task; value is then undefined */
    int64_t value[5];
};

enum quantile { Q_MIN, Q_P25, Q_MEDIAN, Q_P75, Q_MAX };

struct quantiles stage_metric_quantiles(const struct stage *s, enum task_metric m);
struct quantiles stage_duration_quantiles(const struct stage *s);
struct quantiles stage_scheduler_delay_quantiles(const struct stage *s);
struct quantiles stage_getting_result_quantiles(const struct stage *s);
/* remote + local bytes */
struct quantiles stage_shuffle_read_quantiles(const struct stage *s);
/* Sorts values in place. */
struct quantiles quantiles_of(int64_t *values, uint32_t n);
static inline int64_t stage_shuffle_read_bytes(const struct stage *s)
{
    return add_sat(s->total[METRIC_REMOTE_BYTES], s->total[METRIC_LOCAL_BYTES]);
}

/* --- SQL metrics -------------------------------------------------------- */

/* A metric of a plan over all tasks: one value per task index (0 where the task
 * did not touch it, as Spark's SQL tab has it), driver updates one more each.
 * Attempts of a stage are joined, not replaced: a retried stage keeps what its
 * first attempt did. */
struct accum_summary {
    uint32_t n; /* values; 0: nobody updated it */
    int64_t total, min, median, max;
    int64_t max_stage_id, max_attempt, max_index; /* whose the largest is; APP_NONE: the driver's */
};

struct accum_summary app_accum(const struct app *app, int64_t accumulator_id,
                               struct sv metric_type);
/* The same over what this execution did. A cached table's plan stands in every query
 * that reads it; its numbers are those of the query that filled the cache. */
struct accum_summary app_sql_accum(const struct app *app, const struct sql *q,
                                   int64_t accumulator_id, struct sv metric_type);
/* Stage attempts whose tasks updated the accumulator, ascending; in the given arena. */
size_t app_accum_stages(const struct app *app, int64_t accumulator_id, struct arena *arena,
                        uint32_t **stage_ixs);

#endif
