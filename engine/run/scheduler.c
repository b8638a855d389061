/* The scheduler: one lock, one list of jobs, threads that ask it for work.
 *
 *     job_submit    JobStart; stages without unfinished parents: StageSubmitted
 *     a free core   takes the next task of the first stage that has one: TaskStart
 *     task is over  counters to accumulators: TaskEnd; last one: StageCompleted, stages
 *                   that waited for it; last stage: JobEnd
 *
 * All of it happens under the lock, so that the log has it in this order; tasks
 * themselves run without it. A stage's lines cost some ten microseconds a task, small
 * against what a task does. A failed job waits for its running tasks before it ends: they
 * use what the job's owner may free then. */
#include "engine/run/scheduler.h"

#include "engine/run/executor.h"
#include "engine/run/local_dir.h"
#include "engine/run/session.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 50 }; /* how often a waiting driver looks whether it was interrupted */

enum stage_state { STAGE_WAITING, STAGE_RUNNING, STAGE_DONE };

struct run_stage {
    struct stage_spec spec;
    struct job *job;
    enum stage_state state;
    int32_t stage_id;
    int32_t *parent_ids;
    uint32_t next; /* task not yet given out */
    uint32_t finished;
    uint32_t *again; /* indices to run once more */
    uint32_t n_again, cap_again;
    uint16_t *failures; /* by index */
    uint64_t internal_id;
    struct task_metrics totals;
    uint64_t *touched; /* accumulators its tasks updated, ascending */
    uint32_t n_touched, cap_touched;
    int64_t submitted_ms, completed_ms;
};

struct job {
    struct scheduler *scheduler;
    struct job *next;
    struct job_spec spec;
    struct run_stage *stages;
    int32_t id;
    _Atomic bool cancelled;
    bool over;
    uint32_t running; /* attempts */
    struct err err;
    char *failure; /* NULL: none */
};

struct accum {
    const char *name;
    int64_t value;
};

struct worker {
    struct scheduler *scheduler;
    struct executor *executor;
    pthread_t thread;
};

struct scheduler {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct event_log *log;
    const struct session_events *events;
    const struct settings *settings;
    struct cluster_plan plan;
    struct executor *executors;
    struct worker *workers;
    uint32_t n_workers;
    bool closing;
    _Atomic bool interrupted;
    struct local_dir dir;
    struct job *jobs; /* not over, by id */
    int32_t next_job, next_stage, next_rdd;
    int64_t next_task;
    struct accum *accums;
    uint32_t n_accums, cap_accums;
    int64_t start_ms;
    int64_t start_ns; /* monotonic */
    int64_t rss_bytes, rss_at_ns;
};

struct attempt {
    struct run_stage *stage;
    uint32_t index, number;
    int64_t launch_ms;
    struct log_task line;
};

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t scheduler_now_ms(const struct scheduler *s)
{
    return s->start_ms + (clock_ns(CLOCK_MONOTONIC) - s->start_ns) / 1000000;
}

/* --- accumulators ----------------------------------------------------------------- */

static uint64_t accum_add(struct scheduler *s, const char *name)
{
    GROW(s->accums, s->n_accums, s->cap_accums);
    s->accums[s->n_accums] = (struct accum){ .name = name };
    return s->n_accums++;
}

uint64_t accum_new(struct scheduler *s, const char *name)
{
    pthread_mutex_lock(&s->lock);
    uint64_t id = accum_add(s, name);
    pthread_mutex_unlock(&s->lock);
    return id;
}

void accum_set(struct scheduler *s, uint64_t id, int64_t value)
{
    pthread_mutex_lock(&s->lock);
    if (id < s->n_accums)
        s->accums[id].value = value;
    pthread_mutex_unlock(&s->lock);
}

int64_t accum_value(struct scheduler *s, uint64_t id)
{
    pthread_mutex_lock(&s->lock);
    int64_t value = id < s->n_accums ? s->accums[id].value : 0;
    pthread_mutex_unlock(&s->lock);
    return value;
}

int32_t rdd_ids(struct scheduler *s, int32_t n)
{
    pthread_mutex_lock(&s->lock);
    int32_t first = s->next_rdd;
    s->next_rdd += n;
    pthread_mutex_unlock(&s->lock);
    return first;
}

static void stage_touches(struct run_stage *st, uint64_t id)
{
    uint32_t at = st->n_touched;

    while (at > 0 && st->touched[at - 1] > id)
        at--;
    if (at > 0 && st->touched[at - 1] == id)
        return;
    GROW(st->touched, st->n_touched, st->cap_touched);
    memmove(st->touched + at + 1, st->touched + at,
            (st->n_touched - at) * sizeof *st->touched);
    st->touched[at] = id;
    st->n_touched++;
}

static int by_id(const void *a, const void *b)
{
    const struct log_acc *x = a, *y = b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* The task's counters, each id once, added to the application's. */
static struct log_acc *take_counters(struct scheduler *s, struct run_stage *st,
                                     struct task *t, uint32_t *n)
{
    struct log_acc *accs = arena_array(&t->arena, t->sink.n + 1, sizeof *accs);
    uint32_t k = 0;

    for (uint32_t i = 0; i < t->sink.n; i++)
        accs[i] = (struct log_acc){ .id = t->sink.ids[i], .update = t->sink.values[i] };
    qsort(accs, t->sink.n, sizeof *accs, by_id);
    for (uint32_t i = 0; i < t->sink.n; i++) {
        if (k > 0 && accs[k - 1].id == accs[i].id)
            accs[k - 1].update += accs[i].update;
        else
            accs[k++] = accs[i];
    }
    *n = k;
    for (uint32_t i = 0; i < k; i++) {
        struct accum *total = &s->accums[accs[i].id];

        assert(accs[i].id < s->n_accums);
        total->value += accs[i].update;
        accs[i].name = total->name;
        accs[i].value = total->value;
        stage_touches(st, accs[i].id);
    }
    return accs;
}

/* --- stages ----------------------------------------------------------------------- */

static struct log_stage stage_line(const struct run_stage *st)
{
    return (struct log_stage){
        .stage_id = st->stage_id,
        .name = st->spec.name,
        .details = st->spec.details ? st->spec.details : st->spec.name,
        .n_tasks = (int32_t)st->spec.n_tasks,
        .rdds = st->spec.rdds,
        .n_rdds = st->spec.n_rdds,
        .parents = st->parent_ids,
        .n_parents = st->spec.n_parents,
        .submitted_ms = st->submitted_ms,
        .completed_ms = st->completed_ms,
    };
}

static struct log_job job_line(const struct job *j)
{
    return (struct log_job){
        .job_id = j->id,
        .sql_execution_id = j->spec.sql_execution_id,
        .sql_root_id = j->spec.sql_root_id,
        .description = j->spec.description,
        .call_site = j->spec.call_site,
        .settings = j->spec.settings,
    };
}

static void stage_over(struct run_stage *st, const char *failure);

static void stage_submit(struct run_stage *st)
{
    struct scheduler *s = st->job->scheduler;
    struct log_job job = job_line(st->job);

    st->state = STAGE_RUNNING;
    st->submitted_ms = scheduler_now_ms(s);
    st->internal_id = s->n_accums;
    for (int i = 0; i < LOG_INTERNAL_IDS; i++)
        (void)accum_add(s, NULL);
    struct log_stage line = stage_line(st);
    log_stage_submitted(s->log, &line, &job);
    if (s->events && s->events->stage_begun)
        s->events->stage_begun(s->events->ctx, st->stage_id, st->spec.name,
                               (int32_t)st->spec.n_tasks);
    if (st->spec.n_tasks == 0)
        stage_over(st, NULL);
    else
        pthread_cond_broadcast(&s->work);
}

static bool parents_done(const struct run_stage *st)
{
    for (uint32_t i = 0; i < st->spec.n_parents; i++)
        if (st->job->stages[st->spec.parents[i]].state != STAGE_DONE)
            return false;
    return true;
}

/* Submits what can run now; false: nothing is left to do. */
static bool job_advance(struct job *j)
{
    bool left = false;

    for (uint32_t i = 0; i < j->spec.n_stages; i++) {
        struct run_stage *st = &j->stages[i];

        if (st->state == STAGE_WAITING && !j->cancelled && parents_done(st))
            stage_submit(st); /* an empty one is done at once */
        left |= st->state != STAGE_DONE;
    }
    return left;
}

static void peaks_of(struct scheduler *s, const struct executor *e,
                     struct executor_metrics *out)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now - s->rss_at_ns > 100000000) { /* asking the kernel each time would cost */
        FILE *f = fopen("/proc/self/statm", "re");
        long long size, resident;

        if (f && fscanf(f, "%lld %lld", &size, &resident) == 2)
            s->rss_bytes = resident * sysconf(_SC_PAGESIZE);
        if (f)
            fclose(f);
        s->rss_at_ns = now;
    }
    *out = (struct executor_metrics){ .heap_bytes = s->rss_bytes,
                                      .execution_bytes = memory_execution_used(e->memory),
                                      .storage_bytes = memory_storage_used(e->memory),
                                      .rss_bytes = s->rss_bytes };
}

static void stage_over(struct run_stage *st, const char *failure)
{
    struct scheduler *s = st->job->scheduler;
    struct log_acc *accs = xcalloc(st->n_touched + 1, sizeof *accs);

    for (uint32_t i = 0; i < st->n_touched; i++)
        accs[i] = (struct log_acc){ .id = st->touched[i],
                                    .name = s->accums[st->touched[i]].name,
                                    .value = s->accums[st->touched[i]].value };
    st->state = STAGE_DONE;
    st->completed_ms = scheduler_now_ms(s);
    struct log_stage line = stage_line(st);
    line.failure = failure;
    line.accs = accs;
    line.n_accs = st->n_touched;
    line.totals = &st->totals;
    line.internal_id = st->internal_id;
    for (int32_t i = 0; s->log && i < s->plan.executors; i++) {
        struct executor_metrics m;

        peaks_of(s, &s->executors[i], &m);
        log_stage_executor_metrics(s->log, s->executors[i].id, st->stage_id, 0, &m);
    }
    log_stage_completed(s->log, &line);
    if (s->events && s->events->stage_ended)
        s->events->stage_ended(s->events->ctx, st->stage_id, !failure,
                               st->completed_ms - st->submitted_ms);
    free(accs);
}

/* --- jobs ------------------------------------------------------------------------- */

static void job_over(struct job *j)
{
    struct scheduler *s = j->scheduler;

    for (uint32_t i = 0; i < j->spec.n_stages; i++)
        if (j->stages[i].state == STAGE_RUNNING)
            stage_over(&j->stages[i], j->failure);
    log_job_end(s->log, j->id, j->failure, scheduler_now_ms(s));
    for (struct job **at = &s->jobs; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            break;
        }
    j->over = true;
    pthread_cond_broadcast(&s->done);
}

/* The job ends now, or when its last running attempt does. */
static void job_fail(struct job *j, const struct err *err, const char *failure)
{
    if (!j->failure) {
        j->err = *err;
        j->failure = strdup(failure);
        if (!j->failure)
            die("out of memory");
    }
    j->cancelled = true;
}

static void job_settle(struct job *j)
{
    if (j->over || j->running)
        return;
    if (j->cancelled || !job_advance(j))
        job_over(j);
}

struct job *job_submit(struct scheduler *s, const struct job_spec *spec)
{
    struct job *j = xcalloc(1, sizeof *j), **at;
    struct log_stage *lines = xcalloc(spec->n_stages, sizeof *lines);
    struct log_job line;

    j->scheduler = s;
    j->spec = *spec;
    j->stages = xcalloc(spec->n_stages, sizeof *j->stages);
    pthread_mutex_lock(&s->lock);
    j->id = s->next_job++;
    for (uint32_t i = 0; i < spec->n_stages; i++) {
        struct run_stage *st = &j->stages[i];

        st->spec = spec->stages[i];
        st->job = j;
        st->stage_id = s->next_stage++;
        st->state = st->spec.skipped ? STAGE_DONE : STAGE_WAITING;
        st->failures = xcalloc(st->spec.n_tasks + 1, sizeof *st->failures);
        st->parent_ids = xcalloc(st->spec.n_parents + 1, sizeof *st->parent_ids);
        for (uint32_t k = 0; k < st->spec.n_parents; k++)
            st->parent_ids[k] = j->stages[st->spec.parents[k]].stage_id;
        lines[i] = stage_line(st);
    }
    line = job_line(j);
    line.stages = lines;
    line.n_stages = spec->n_stages;
    log_job_start(s->log, &line, scheduler_now_ms(s));
    free(lines);
    for (at = &s->jobs; *at; at = &(*at)->next)
        ;
    *at = j;
    job_settle(j);
    pthread_mutex_unlock(&s->lock);
    return j;
}

static void cancel_locked(struct job *j, const char *why)
{
    struct err err = { 0 };

    if (j->over || j->cancelled)
        return;
    err_set(&err, ERR_LIMIT, "cancelled: %s", why);
    char text[640];
    snprintf(text, sizeof text, "Job %d cancelled %s", j->id, why);
    job_fail(j, &err, text);
    job_settle(j);
}

void job_cancel(struct job *j, const char *why)
{
    pthread_mutex_lock(&j->scheduler->lock);
    cancel_locked(j, why);
    pthread_mutex_unlock(&j->scheduler->lock);
}

enum errc job_wait(struct job *j, struct err *err)
{
    struct scheduler *s = j->scheduler;

    pthread_mutex_lock(&s->lock);
    while (!j->over) {
        struct timespec until;

        if (s->interrupted) {
            cancel_locked(j, "by interrupt");
            if (j->over)
                break;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&s->done, &s->lock, &until);
    }
    pthread_mutex_unlock(&s->lock);
    if (j->failure && err)
        *err = j->err;
    return j->failure ? j->err.code : ERR_OK;
}

int32_t job_id(const struct job *j)
{
    return j->id;
}

int32_t job_stage_id(const struct job *j, uint32_t position)
{
    return j->stages[position].stage_id;
}

void job_free(struct job *j)
{
    if (!j)
        return;
    assert(j->over);
    for (uint32_t i = 0; i < j->spec.n_stages; i++) {
        free(j->stages[i].again);
        free(j->stages[i].failures);
        free(j->stages[i].touched);
        free(j->stages[i].parent_ids);
    }
    free(j->stages);
    free(j->failure);
    free(j);
}

/* --- tasks ------------------------------------------------------------------------ */

static bool take_task(struct scheduler *s, struct attempt *out)
{
    for (struct job *j = s->jobs; j; j = j->next)
        for (uint32_t i = 0; i < j->spec.n_stages && !j->cancelled; i++) {
            struct run_stage *st = &j->stages[i];

            if (st->state != STAGE_RUNNING)
                continue;
            *out = (struct attempt){ .stage = st };
            if (st->n_again)
                out->index = st->again[--st->n_again];
            else if (st->next < st->spec.n_tasks)
                out->index = st->next++;
            else
                continue;
            out->number = st->failures[out->index];
            return true;
        }
    return false;
}

static void begin_attempt(struct scheduler *s, struct executor *e, struct attempt *a,
                          struct task *t)
{
    struct run_stage *st = a->stage;
    struct job *j = st->job;
    uint32_t partition = st->spec.partitions ? st->spec.partitions[a->index] : a->index;

    j->running++;
    *t = (struct task){ .executor = e,
                        .query = j->spec.query,
                        .settings = j->spec.settings,
                        .eval = j->spec.eval,
                        .task_id = s->next_task++,
                        .stage_id = st->stage_id,
                        .partition = (int32_t)partition,
                        .attempt = (int32_t)a->number,
                        .temp_dir = e->dir,
                        .cancelled = &j->cancelled };
    t->eval.partition_id = t->partition;
    a->launch_ms = scheduler_now_ms(s);
    a->line = (struct log_task){
        .task_id = t->task_id,
        .stage_id = st->stage_id,
        .index = (int32_t)a->index,
        .attempt = (int32_t)a->number,
        .partition = t->partition,
        .launch_ms = a->launch_ms,
        .executor_id = e->id,
        .host = e->host,
        .locality = st->spec.n_parents ? "NODE_LOCAL" : "PROCESS_LOCAL",
        .result_task = st == &j->stages[j->spec.n_stages - 1] && !j->spec.map_job
    };
    log_task_start(s->log, &a->line);
}

/* The class that Spark's exception for such an error has. */
static const char *exception_class(const struct err *err)
{
    struct sv text = sv(err->text);

    switch (err->code) {
    case ERR_LIMIT:
        return "org.apache.spark.memory.SparkOutOfMemoryError";
    case ERR_SYNTAX:
        if (sv_starts(text, SV("[DIVIDE_BY_ZERO")) ||
            sv_starts(text, SV("[ARITHMETIC_OVERFLOW")))
            return "org.apache.spark.SparkArithmeticException";
        if (sv_starts(text, SV("[CAST_INVALID_INPUT")))
            return "org.apache.spark.SparkNumberFormatException";
        return "org.apache.spark.SparkRuntimeException";
    case ERR_OPEN:
    case ERR_CORRUPT:
    case ERR_OUTPUT:
        return "java.io.IOException";
    case ERR_OK:
    case ERR_USAGE:
    case ERR_NOT_A_LOG:
    case ERR_UNDECIDED:
        break;
    }
    return "org.apache.spark.SparkException";
}

static void attempt_failed(struct scheduler *s, struct attempt *a, const struct err *err)
{
    struct run_stage *st = a->stage;
    struct job *j = st->job;
    uint32_t failures = ++st->failures[a->index];

    if (failures < (uint32_t)s->plan.max_failures) {
        GROW(st->again, st->n_again, st->cap_again);
        st->again[st->n_again++] = a->index;
        pthread_cond_signal(&s->work);
        return;
    }
    char text[1200];
    snprintf(text, sizeof text,
             "Job aborted due to stage failure: Task %u in stage %d.0 failed %u times, "
             "most recent failure: Lost task %u.%u in stage %d.0 (TID %lld) (%s executor "
             "%s): %s: %s\nDriver stacktrace:",
             a->index, st->stage_id, failures, a->index, a->number, st->stage_id,
             (long long)a->line.task_id, a->line.host, a->line.executor_id,
             a->line.end.class_name, err->text);
    job_fail(j, err, text);
}

static void end_attempt(struct scheduler *s, struct executor *e, struct attempt *a,
                        struct task *t, enum errc rc, const struct err *err)
{
    struct run_stage *st = a->stage;
    struct job *j = st->job;
    struct executor_metrics peaks;

    a->line.finish_ms = scheduler_now_ms(s);
    peaks_of(s, e, &peaks);
    peaks.execution_bytes = max_i64(peaks.execution_bytes, t->memory.peak_bytes);
    a->line.peaks = &peaks;
    task_metrics_add(&st->totals, &t->metrics);
    a->line.metrics = &t->metrics;
    a->line.totals = &st->totals;
    a->line.internal_id = st->internal_id;
    if (rc == ERR_OK) {
        a->line.accs = take_counters(s, st, t, &a->line.n_accs);
        st->finished++;
    } else if (j->cancelled) {
        a->line.end =
            (struct log_end){ .kind = LOG_KILLED, .message = "Stage cancelled" };
    } else {
        a->line.end = (struct log_end){ .kind = LOG_EXCEPTION,
                                        .class_name = exception_class(err),
                                        .message = err->text };
    }
    log_task_end(s->log, &a->line);
    j->running--;
    if (a->line.end.kind == LOG_EXCEPTION)
        attempt_failed(s, a, err);
    if (s->events && s->events->stage_progress)
        s->events->stage_progress(s->events->ctx, st->stage_id, (int32_t)st->finished,
                                  (int32_t)st->spec.n_tasks);
    if (st->state == STAGE_RUNNING && st->finished == st->spec.n_tasks && !j->cancelled) {
        stage_over(st, NULL);
        (void)job_advance(j);
    }
    job_settle(j);
}

static enum errc run_attempt(struct attempt *a, struct task *t, struct executor *e,
                             struct err *err)
{
    int64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t begin_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    enum errc rc;

    task_memory_begin(&t->memory, e->memory);
    t->memory.cancelled = t->cancelled;
    rc = a->stage->spec.run(a->stage->spec.ctx, t, err);
    task_memory_end(&t->memory);
    t->metrics.run_ms = (clock_ns(CLOCK_MONOTONIC) - begin_ns) / 1000000;
    t->metrics.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin_cpu_ns;
    t->metrics.peak_execution_bytes = t->memory.peak_bytes;
    t->metrics.memory_spilled_bytes = t->memory.spilled_memory_bytes;
    t->metrics.disk_spilled_bytes = t->memory.spilled_disk_bytes;
    return rc;
}

void scheduler_work(struct scheduler *s, struct executor *e)
{
    struct attempt a;

    pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        struct task *t;
        struct err err = { 0 };
        enum errc rc;

        if (!take_task(s, &a)) {
            pthread_cond_wait(&s->work, &s->lock);
            continue;
        }
        t = xmalloc(sizeof *t);
        begin_attempt(s, e, &a, t);
        pthread_mutex_unlock(&s->lock);
        rc = run_attempt(&a, t, e, &err);
        pthread_mutex_lock(&s->lock);
        end_attempt(s, e, &a, t, rc, &err);
        pthread_mutex_unlock(&s->lock);
        arena_release(&t->arena);
        free(t->sink.ids);
        free(t->sink.values);
        free(t);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
}

/* --- opening and closing ---------------------------------------------------------- */

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    scheduler_work(w->scheduler, w->executor);
    return NULL;
}

static void log_executors(struct scheduler *s)
{
    int64_t now = scheduler_now_ms(s);

    log_resource_profile(s->log, s->plan.local ? 1 : s->plan.cores, s->plan.heap_bytes,
                         0);
    if (!s->plan.local) {
        struct memory *driver =
            memory_new(settings_int(s->settings, SET_DRIVER_MEMORY), 1, s->settings);

        log_block_manager_added(s->log, "driver", "localhost", memory_pool_bytes(driver),
                                0, now);
        memory_free(driver);
    }
    for (int32_t i = 0; i < s->plan.executors; i++) {
        struct executor *e = &s->executors[i];

        log_executor_added(s->log, e->id, e->host, e->cores, now);
        log_block_manager_added(s->log, e->id, e->host, memory_pool_bytes(e->memory), 0,
                                now);
    }
}

static enum errc start_executors(struct scheduler *s, struct err *err)
{
    s->executors = xcalloc((size_t)s->plan.executors, sizeof *s->executors);
    s->workers =
        xcalloc((size_t)s->plan.executors * (size_t)s->plan.cores, sizeof *s->workers);
    for (int32_t i = 0; i < s->plan.executors; i++) {
        struct executor *e = &s->executors[i];

        snprintf(e->id, sizeof e->id, "%d", i);
        if (s->plan.local)
            snprintf(e->id, sizeof e->id, "driver");
        e->host = "localhost";
        e->cores = s->plan.cores;
        e->memory = memory_new(s->plan.heap_bytes, e->cores, s->settings);
        e->dir = s->dir.path;
    }
    log_executors(s);
    for (int32_t i = 0; i < s->plan.executors * s->plan.cores; i++) {
        struct worker *w = &s->workers[i];

        *w = (struct worker){ .scheduler = s,
                              .executor = &s->executors[i % s->plan.executors] };
        if (pthread_create(&w->thread, NULL, worker_main, w))
            return err_set(err, ERR_LIMIT, "no more threads: %d of %d executor cores", i,
                           s->plan.executors * s->plan.cores);
        s->n_workers++;
    }
    return ERR_OK;
}

enum errc scheduler_open(struct scheduler **out, const struct settings *settings,
                         struct event_log *log, const struct session_events *events,
                         struct err *err)
{
    struct scheduler *s = xcalloc(1, sizeof *s);
    enum errc rc;

    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->done, NULL);
    s->log = log;
    s->events = events;
    s->settings = settings;
    s->start_ms = clock_ns(CLOCK_REALTIME) / 1000000;
    s->start_ns = clock_ns(CLOCK_MONOTONIC);
    rc = cluster_plan_read(settings, &s->plan, err);
    if (rc == ERR_OK)
        rc = local_dir_make(settings_text(settings, SET_LOCAL_DIR), &s->dir, err);
    if (rc == ERR_OK)
        rc = start_executors(s, err);
    if (rc != ERR_OK) {
        scheduler_close(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void scheduler_close(struct scheduler *s)
{
    if (!s)
        return;
    assert(!s->jobs);
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < s->n_workers; i++)
        pthread_join(s->workers[i].thread, NULL);
    for (int32_t i = 0; s->executors && i < s->plan.executors; i++)
        memory_free(s->executors[i].memory);
    local_dir_remove(&s->dir);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->done);
    free(s->executors);
    free(s->workers);
    free(s->accums);
    free(s);
}

int32_t scheduler_cores(const struct scheduler *s)
{
    int64_t said = settings_int(s->settings, SET_DEFAULT_PARALLELISM);
    int32_t cores = s->plan.executors * s->plan.cores;

    if (said > 0)
        return (int32_t)said;
    return s->plan.local || cores > 2 ? cores : 2;
}

const char *scheduler_dir(const struct scheduler *s)
{
    return s->dir.path;
}

struct event_log *scheduler_log(struct scheduler *s)
{
    return s->log;
}

bool scheduler_hold_storage(struct scheduler *s, int64_t bytes)
{
    int32_t i;

    for (i = 0; i < s->plan.executors; i++)
        if (!memory_storage_acquire(s->executors[i].memory, bytes))
            break;
    if (i == s->plan.executors)
        return true;
    while (i-- > 0)
        memory_storage_release(s->executors[i].memory, bytes);
    return false;
}

void scheduler_drop_storage(struct scheduler *s, int64_t bytes)
{
    for (int32_t i = 0; i < s->plan.executors; i++)
        memory_storage_release(s->executors[i].memory, bytes);
}

void scheduler_interrupt(struct scheduler *s, bool on)
{
    s->interrupted = on;
}

bool scheduler_interrupted(const struct scheduler *s)
{
    return s->interrupted;
}
