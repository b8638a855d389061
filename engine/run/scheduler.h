/* Executors and what they run: jobs of stages of tasks.
 *
 * An executor is a group of threads, one a core, with a memory manager of its own. A job
 * is a list of stages, parents before those that read them; a stage is submitted when its
 * parents are done; its tasks go to free cores, first job first, then first stage first,
 * as Spark's FIFO does. What a task does is a callback. Several jobs may run side by
 * side: any thread may submit and wait.
 *
 * A failed attempt is tried again until spark.task.maxFailures attempts of that task
 * failed (in local mode the first is the last, but for local[n,f]); then the job fails
 * with Spark's sentence. Everything is logged as it happens. Not here yet: attempts of
 * stages, speculation, loss of executors. */
#ifndef ENGINE_RUN_SCHEDULER_H
#define ENGINE_RUN_SCHEDULER_H

#include "engine/eventlog/log.h"
#include "engine/run/task.h"

struct scheduler;
struct session_events;

/* Starts the executors that spark.master, spark.executor.instances, .cores and .memory
 * ask for, logs them, and makes a folder of its own under spark.local.dir. log NULL: no
 * events. events NULL: nobody is told. ERR_USAGE: no such master. */
enum errc scheduler_open(struct scheduler **out, const struct settings *s,
                         struct event_log *log, const struct session_events *events,
                         struct err *err) MUST_CHECK;
/* No job may be running. Takes the folder away with all in it. */
void scheduler_close(struct scheduler *s);

int32_t scheduler_cores(const struct scheduler *s); /* default parallelism */
const char *scheduler_dir(const struct scheduler *s);
struct event_log *scheduler_log(struct scheduler *s);
/* Milliseconds since 1970 of the one clock that all events go by. */
int64_t scheduler_now_ms(const struct scheduler *s);
/* Memory for broadcasts in every executor. False: one has no room for it. */
bool scheduler_hold_storage(struct scheduler *s, int64_t bytes);
void scheduler_drop_storage(struct scheduler *s, int64_t bytes);
/* Ends what runs, and fails what is submitted from now until it is taken back. Safe in a
 * signal handler. */
void scheduler_interrupt(struct scheduler *s, bool on);
bool scheduler_interrupted(const struct scheduler *s);

/* Accumulators of SQL metrics: ids unique in the application. The name is kept, not
 * copied. */
uint64_t accum_new(struct scheduler *s, const char *name);
/* A value set by the driver; logged by who sets it. */
void accum_set(struct scheduler *s, uint64_t id, int64_t value);
int64_t accum_value(struct scheduler *s, uint64_t id);
int32_t rdd_ids(struct scheduler *s, int32_t n); /* the first of n new ids */

/* ERR_..., or ERR_OK and counters in the task. Called again for another attempt after it
 * failed. Results go into what ctx points to, by t->partition. */
typedef enum errc (*task_fn)(void *ctx, struct task *t, struct err *err);

struct stage_spec { /* all borrowed until job_free */
    const char *name, *details;
    uint32_t n_tasks;
    const uint32_t *partitions; /* of the tasks; NULL: 0, 1, .. */
    task_fn run;
    void *ctx;
    const uint32_t *parents; /* positions in the job's stages, below this one's */
    uint32_t n_parents;
    bool skipped; /* its output is there already: listed, not run */
    const struct log_rdd *rdds;
    uint32_t n_rdds;
};

struct job_spec {                    /* all borrowed until job_free */
    const struct stage_spec *stages; /* the last one is the result stage or map stage that
                                        the job is for */
    uint32_t n_stages;
    bool map_job; /* the last stage writes a shuffle: AQE's stages */
    int64_t sql_execution_id, sql_root_id;
    const char *description, *call_site;
    const struct settings *settings; /* of the tasks and the job's properties */
    struct query_run *query;
    struct eval_env eval; /* partition_id is set for each task */
};

struct job;

struct job *job_submit(struct scheduler *s, const struct job_spec *spec);
/* Until nothing of the job runs any more. Its failure: the last attempt's error. */
enum errc job_wait(struct job *j, struct err *err) MUST_CHECK;
void job_cancel(struct job *j, const char *why);
int32_t job_id(const struct job *j);
int32_t job_stage_id(const struct job *j, uint32_t position);
void job_free(struct job *j); /* after job_wait */

/* For the executors' threads: scheduler.c and executor.c only. */
void scheduler_work(struct scheduler *s, struct executor *e);

#endif
