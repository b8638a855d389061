/* A loaded application as the History Server's REST interface would answer: the same
 * keys, made from our model. For tests, which compare it with real answers.
 *
 * What the model does not hold is left out here; the comparison has a list of those
 * keys. Where the server deviates from the events, this is what the events say. */
#ifndef TESTS_UNIT_REST_H
#define TESTS_UNIT_REST_H

#include "analyzer/app.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <cjson/cJSON.h>

static inline void put_i64(cJSON *o, const char *key, int64_t v)
{
    cJSON_AddNumberToObject(o, key, (double)v);
}

static inline void put_text(cJSON *o, const char *key, struct sv text)
{
    if (text.p)
        cJSON_AddStringToObject(o, key, text.p);
}

/* "2023-11-14T22:13:20.200GMT"; nothing where the time is not known. */
static inline void put_time(cJSON *o, const char *key, int64_t ms)
{
    char text[64];
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    if (ms <= 0)
        return;
    gmtime_r(&s, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03dGMT", (int)(ms % 1000));
    cJSON_AddStringToObject(o, key, text);
}

static inline cJSON *put_object(cJSON *o, const char *key)
{
    return cJSON_AddObjectToObject(o, key);
}

static inline int64_t known(int64_t v)
{
    return v == APP_NONE ? 0 : v;
}

/* --- application ------------------------------------------------------------------- */

static inline cJSON *rest_application(const struct app *app)
{
    cJSON *o = cJSON_CreateObject();
    put_text(o, "id", app->id);
    put_text(o, "name", app->name);
    cJSON *attempts = cJSON_AddArrayToObject(o, "attempts");
    cJSON *a = cJSON_CreateObject();

    cJSON_AddItemToArray(attempts, a);
    put_text(a, "attemptId", app->attempt);
    put_time(a, "startTime", app->start_ms);
    put_time(a, "endTime", app->end_ms);
    put_i64(a, "duration", app->end_ms - app->start_ms);
    put_text(a, "sparkUser", app->user);
    cJSON_AddBoolToObject(a, "completed", app->finished);
    put_text(a, "appSparkVersion", app->spark_version);
    put_i64(a, "startTimeEpoch", app->start_ms);
    put_i64(a, "endTimeEpoch", app->end_ms);
    return o;
}

/* --- tasks ------------------------------------------------------------------------- */

static const struct rest_metric { /* where a metric stands in a task, a stage, a summary
                                   */
    const char *task_group, *task_key, *stage_key, *summary_key;
    enum task_metric m;
} rest_metrics[] = {
    { NULL, "executorDeserializeTime", "executorDeserializeTime",
      "executorDeserializeTime", METRIC_DESERIALIZE_MS },
    { NULL, "executorDeserializeCpuTime", "executorDeserializeCpuTime",
      "executorDeserializeCpuTime", METRIC_DESERIALIZE_CPU_NS },
    { NULL, "executorRunTime", "executorRunTime", "executorRunTime", METRIC_RUN_MS },
    { NULL, "executorCpuTime", "executorCpuTime", "executorCpuTime", METRIC_CPU_NS },
    { NULL, "resultSize", "resultSize", "resultSize", METRIC_RESULT_BYTES },
    { NULL, "jvmGcTime", "jvmGcTime", "jvmGcTime", METRIC_GC_MS },
    { NULL, "resultSerializationTime", "resultSerializationTime",
      "resultSerializationTime", METRIC_RESULT_SERIALIZE_MS },
    { NULL, "memoryBytesSpilled", "memoryBytesSpilled", "memoryBytesSpilled",
      METRIC_SPILL_MEMORY_BYTES },
    { NULL, "diskBytesSpilled", "diskBytesSpilled", "diskBytesSpilled",
      METRIC_SPILL_DISK_BYTES },
    { NULL, "peakExecutionMemory", "peakExecutionMemory", "peakExecutionMemory",
      METRIC_PEAK_EXECUTION_BYTES },
    { "inputMetrics", "bytesRead", "inputBytes", "bytesRead", METRIC_INPUT_BYTES },
    { "inputMetrics", "recordsRead", "inputRecords", "recordsRead", METRIC_INPUT_ROWS },
    { "outputMetrics", "bytesWritten", "outputBytes", "bytesWritten",
      METRIC_OUTPUT_BYTES },
    { "outputMetrics", "recordsWritten", "outputRecords", "recordsWritten",
      METRIC_OUTPUT_ROWS },
    { "shuffleReadMetrics", "remoteBlocksFetched", "shuffleRemoteBlocksFetched",
      "remoteBlocksFetched", METRIC_REMOTE_BLOCKS },
    { "shuffleReadMetrics", "localBlocksFetched", "shuffleLocalBlocksFetched",
      "localBlocksFetched", METRIC_LOCAL_BLOCKS },
    { "shuffleReadMetrics", "fetchWaitTime", "shuffleFetchWaitTime", "fetchWaitTime",
      METRIC_FETCH_WAIT_MS },
    { "shuffleReadMetrics", "remoteBytesRead", "shuffleRemoteBytesRead",
      "remoteBytesRead", METRIC_REMOTE_BYTES },
    { "shuffleReadMetrics", "remoteBytesReadToDisk", "shuffleRemoteBytesReadToDisk",
      "remoteBytesReadToDisk", METRIC_REMOTE_TO_DISK_BYTES },
    { "shuffleReadMetrics", "localBytesRead", "shuffleLocalBytesRead", NULL,
      METRIC_LOCAL_BYTES },
    { "shuffleReadMetrics", "recordsRead", "shuffleReadRecords", "readRecords",
      METRIC_SHUFFLE_READ_ROWS },
    { "shuffleReadMetrics", "remoteReqsDuration", "shuffleRemoteReqsDuration",
      "remoteReqsDuration", METRIC_REMOTE_REQUESTS_MS },
    { "shuffleWriteMetrics", "bytesWritten", "shuffleWriteBytes", "writeBytes",
      METRIC_SHUFFLE_WRITE_BYTES },
    { "shuffleWriteMetrics", "writeTime", "shuffleWriteTime", "writeTime",
      METRIC_SHUFFLE_WRITE_NS },
    { "shuffleWriteMetrics", "recordsWritten", "shuffleWriteRecords", "writeRecords",
      METRIC_SHUFFLE_WRITE_ROWS },
};

/* The object itself for no group, else the sub-object, made when first asked for. */
static inline cJSON *group_of(cJSON *o, const char *group)
{
    cJSON *g = group ? cJSON_GetObjectItemCaseSensitive(o, group) : o;

    return g ? g : put_object(o, group);
}

static inline cJSON *rest_task(const struct app *app, const struct stage *s, uint32_t row)
{
    static const char *const states[] = { "RUNNING", "SUCCESS", "FAILED", "KILLED" };
    static const char *const localities[] = { "PROCESS_LOCAL", "NODE_LOCAL", "NO_PREF",
                                              "RACK_LOCAL", "ANY" };
    const struct task_table *t = &s->task;
    cJSON *o = cJSON_CreateObject();

    put_i64(o, "taskId", task_field(t, row, TASK_ID));
    put_i64(o, "index", task_field(t, row, TASK_INDEX));
    put_i64(o, "attempt", task_field(t, row, TASK_ATTEMPT));
    put_i64(o, "partitionId", task_field(t, row, TASK_PARTITION));
    put_time(o, "launchTime", task_field(t, row, TASK_LAUNCH_MS));
    put_time(o, "resultFetchStart", task_field(t, row, TASK_GETTING_RESULT_MS));
    put_i64(o, "duration", task_duration_ms(t, row));
    put_text(o, "executorId", app->executors[task_field(t, row, TASK_EXECUTOR_IX)].id);
    put_text(o, "host", app->hosts[task_field(t, row, TASK_HOST_IX)]);
    put_text(o, "status", sv(states[task_state(t, row)]));
    put_text(o, "taskLocality",
             sv(localities[task_field(t, row, TASK_FLAGS) >> TASK_LOCALITY_SHIFT & 7]));
    cJSON_AddBoolToObject(o, "speculative", task_flag(t, row, TASK_FLAG_SPECULATIVE));
    put_i64(o, "schedulerDelay", task_scheduler_delay_ms(t, row));
    put_i64(o, "gettingResultTime", task_getting_result_ms(t, row));
    cJSON *metrics = put_object(o, "taskMetrics");
    for (size_t i = 0; i < ARRAY_LEN(rest_metrics); i++)
        put_i64(group_of(metrics, rest_metrics[i].task_group), rest_metrics[i].task_key,
                task_metric(t, row, rest_metrics[i].m));
    return o;
}

static inline cJSON *rest_task_list(const struct app *app)
{
    cJSON *lists = cJSON_CreateObject();

    app_each_stage (app, s) {
        char key[64];

        if (s->task.n == 0)
            continue;
        snprintf(key, sizeof key, "%" PRId64 ".%" PRId64, s->stage_id, s->attempt);
        cJSON *list = cJSON_AddArrayToObject(lists, key);
        for (uint32_t row = 0; row < s->task.n; row++)
            cJSON_AddItemToArray(list, rest_task(app, s, row));
    }
    return lists;
}

/* --- quantiles --------------------------------------------------------------------- */

static inline void put_quantiles(cJSON *o, const char *key, struct quantiles q)
{
    double values[5];

    for (int i = 0; i < 5; i++)
        values[i] = (double)q.value[i];
    cJSON_AddItemToObject(o, key, cJSON_CreateDoubleArray(values, 5));
}

static inline struct quantiles total_blocks_quantiles(const struct stage *s)
{
    int64_t *values = xmalloc(mem_product(s->task.n, sizeof *values));
    uint32_t n = 0;

    for (uint32_t row = 0; row < s->task.n; row++)
        if (task_state(&s->task, row) == TASK_SUCCESS)
            values[n++] = task_metric(&s->task, row, METRIC_REMOTE_BLOCKS) +
                          task_metric(&s->task, row, METRIC_LOCAL_BLOCKS);
    struct quantiles q = quantiles_of(values, n);
    free(values);
    return q;
}

static inline cJSON *rest_summary(const struct stage *s)
{
    struct quantiles duration = stage_duration_quantiles(s);
    cJSON *o = cJSON_CreateObject();

    if (duration.n == 0) {
        char text[96];

        snprintf(text, sizeof text,
                 "No tasks reported metrics for %" PRId64 " / %" PRId64 " yet.",
                 s->stage_id, s->attempt);
        put_i64(o, "!status", 404);
        put_text(o, "!text", sv(text));
        return o;
    }
    const double at[] = { 0, 0.25, 0.5, 0.75, 1 };
    cJSON_AddItemToObject(o, "quantiles", cJSON_CreateDoubleArray(at, 5));
    put_quantiles(o, "duration", duration);
    put_quantiles(o, "schedulerDelay", stage_scheduler_delay_quantiles(s));
    put_quantiles(o, "gettingResultTime", stage_getting_result_quantiles(s));
    for (size_t i = 0; i < ARRAY_LEN(rest_metrics); i++)
        if (rest_metrics[i].summary_key)
            put_quantiles(group_of(o, rest_metrics[i].task_group),
                          rest_metrics[i].summary_key,
                          stage_metric_quantiles(s, rest_metrics[i].m));
    cJSON *read = group_of(o, "shuffleReadMetrics");
    put_quantiles(read, "readBytes", stage_shuffle_read_quantiles(s));
    put_quantiles(read, "totalBlocksFetched", total_blocks_quantiles(s));
    return o;
}

static inline cJSON *rest_task_summary(const struct app *app)
{
    cJSON *all = cJSON_CreateObject();

    app_each_stage (app, s) {
        char key[64];

        snprintf(key, sizeof key, "%" PRId64 ".%" PRId64, s->stage_id, s->attempt);
        if (s->task.n)
            cJSON_AddItemToObject(all, key, rest_summary(s));
    }
    return all;
}

/* --- stages ------------------------------------------------------------------------ */

static inline void put_killed(cJSON *o, const struct stage *s)
{
    for (size_t i = 0; i < s->n_failures; i++) {
        const struct failure_group *g = &s->failures[i];

        if (g->reason != REASON_KILLED || !g->text.p)
            continue;
        cJSON *old = cJSON_GetObjectItemCaseSensitive(o, g->text.p);
        if (old)
            cJSON_SetNumberValue(old, old->valuedouble + g->tasks);
        else
            put_i64(o, g->text.p, g->tasks);
    }
}

/* Peaks that are all zero were left out of the answers' stages. */
static inline bool any_peak(const struct ev_peaks *p)
{
    for (int m = 0; m < PEAK_COUNT; m++)
        if (p->value[m])
            return true;
    return false;
}

static inline void put_peaks(cJSON *o, const char *key, const struct ev_peaks *p)
{
    cJSON *peaks = put_object(o, key);
    for (int m = 0; m < PEAK_COUNT; m++)
        put_i64(peaks, executor_metric_name((enum executor_metric)m), p->value[m]);
}

/* Sums over the tasks of one executor, by the rules that hold for whole stages. */
static inline void put_executor_of_stage(cJSON *summary, const struct app *app,
                                         const struct stage *s, uint32_t executor_ix)
{
    static const struct {
        const char *key;
        enum task_metric m;
    } sums[] = {
        { "inputBytes", METRIC_INPUT_BYTES },
        { "inputRecords", METRIC_INPUT_ROWS },
        { "outputBytes", METRIC_OUTPUT_BYTES },
        { "outputRecords", METRIC_OUTPUT_ROWS },
        { "shuffleReadRecords", METRIC_SHUFFLE_READ_ROWS },
        { "shuffleWrite", METRIC_SHUFFLE_WRITE_BYTES },
        { "shuffleWriteRecords", METRIC_SHUFFLE_WRITE_ROWS },
        { "memoryBytesSpilled", METRIC_SPILL_MEMORY_BYTES },
        { "diskBytesSpilled", METRIC_SPILL_DISK_BYTES },
    };
    const struct task_table *t = &s->task;
    int64_t by_state[4] = { 0 }, ms = 0, read_bytes = 0, resubmitted = 0, rows = 0;
    int64_t total[METRIC_COUNT] = { 0 };

    for (uint32_t row = 0; row < t->n; row++) {
        if (task_field(t, row, TASK_EXECUTOR_IX) != executor_ix)
            continue;
        rows++;
        by_state[task_state(t, row)]++;
        resubmitted += task_flag(t, row, TASK_FLAG_RESUBMITTED);
        ms += task_duration_ms(t, row);
        read_bytes += task_metric(t, row, METRIC_REMOTE_BYTES) +
                      task_metric(t, row, METRIC_LOCAL_BYTES);
        for (int m = 0; m < METRIC_COUNT; m++)
            total[m] += task_metric(t, row, (enum task_metric)m);
    }
    if (rows == 0)
        return;
    cJSON *o = put_object(summary, app->executors[executor_ix].id.p);
    put_i64(o, "taskTime", ms);
    put_i64(o, "failedTasks", by_state[TASK_FAILED] + resubmitted);
    put_i64(o, "succeededTasks", by_state[TASK_SUCCESS]);
    put_i64(o, "killedTasks", by_state[TASK_KILLED]);
    put_i64(o, "shuffleRead", read_bytes);
    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        put_i64(o, sums[i].key, total[sums[i].m]);
}

static inline void put_speculation(cJSON *o, const struct stage *s)
{
    const struct task_table *t = &s->task;
    int64_t by_state[4] = { 0 };

    if (s->speculative_tasks == 0)
        return;
    for (uint32_t row = 0; row < t->n; row++)
        if (task_flag(t, row, TASK_FLAG_SPECULATIVE))
            by_state[task_state(t, row)]++;
    cJSON *spec = put_object(o, "speculationSummary");
    put_i64(spec, "numTasks", s->speculative_tasks);
    put_i64(spec, "numActiveTasks", by_state[TASK_RUNNING]);
    put_i64(spec, "numCompletedTasks", by_state[TASK_SUCCESS]);
    put_i64(spec, "numFailedTasks", by_state[TASK_FAILED]);
    put_i64(spec, "numKilledTasks", by_state[TASK_KILLED]);
}

static inline int64_t running_tasks(const struct stage *s)
{
    int64_t n = 0;

    for (uint32_t row = 0; row < s->task.n; row++)
        n += task_state(&s->task, row) == TASK_RUNNING;
    return n;
}

static inline cJSON *rest_stage(const struct app *app, const struct stage *s)
{
    static const char *const states[] = { "PENDING", "ACTIVE", "COMPLETE", "FAILED",
                                          "SKIPPED" };
    cJSON *o = cJSON_CreateObject();

    put_text(o, "status", sv(states[s->status]));
    put_i64(o, "stageId", s->stage_id);
    put_i64(o, "attemptId", s->attempt);
    put_i64(o, "numTasks", known(s->tasks));
    put_i64(o, "numActiveTasks", running_tasks(s));
    put_i64(o, "numCompleteTasks", s->completed_tasks);
    put_i64(o, "numFailedTasks", s->failed_tasks);
    put_i64(o, "numKilledTasks", s->killed_tasks);
    put_i64(o, "numCompletedIndices", s->completed_indices);
    put_time(o, "submissionTime", s->submitted_ms);
    put_time(o, "firstTaskLaunchedTime", s->first_launch_ms);
    put_time(o, "completionTime", s->completed_ms);
    put_text(o, "failureReason", s->failure);
    for (size_t i = 0; i < ARRAY_LEN(rest_metrics); i++)
        put_i64(o, rest_metrics[i].stage_key, s->total[rest_metrics[i].m]);
    put_i64(o, "shuffleReadBytes", stage_shuffle_read_bytes(s));
    put_text(o, "name", s->name);
    put_text(o, "description", s->description);
    put_text(o, "schedulingPool", s->pool.p ? s->pool : SV("default"));
    put_i64(o, "resourceProfileId", known(s->resource_profile_id));
    if (any_peak(&s->peaks))
        put_peaks(o, "peakExecutorMetrics", &s->peaks);
    put_killed(put_object(o, "killedTasksSummary"), s);
    put_speculation(o, s);
    cJSON *rdds = cJSON_AddArrayToObject(o, "rddIds");
    for (size_t i = 0; i < s->n_rdds; i++) /* ours descend */
        cJSON_AddItemToArray(rdds,
                             cJSON_CreateNumber((double)s->rdds[s->n_rdds - 1 - i].id));
    cJSON *summary = put_object(o, "executorSummary");
    for (uint32_t x = 0; x < app->n_executors; x++)
        put_executor_of_stage(summary, app, s, x);
    return o;
}

static inline cJSON *rest_stages(const struct app *app)
{
    cJSON *list = cJSON_CreateArray();

    app_each_stage (app, s)
        cJSON_AddItemToArray(list, rest_stage(app, s));
    return list;
}

/* --- jobs -------------------------------------------------------------------------- */

static inline cJSON *rest_job(const struct app *app, const struct job *j)
{
    static const char *const states[] = { "RUNNING", "SUCCEEDED", "FAILED" };
    cJSON *o = cJSON_CreateObject();
    int64_t skipped_tasks = 0, active_tasks = 0, active_stages = 0;

    put_i64(o, "jobId", j->job_id);
    put_text(o, "name", j->name);
    put_text(o, "description", j->description);
    put_time(o, "submissionTime", j->submitted_ms);
    put_time(o, "completionTime", j->completed_ms);
    cJSON *ids = cJSON_AddArrayToObject(o, "stageIds");
    cJSON *killed = put_object(o, "killedTasksSummary");
    for (size_t i = 0; i < j->stage_ids.n; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateNumber((double)j->stage_ids.items[i]));
    put_text(o, "jobGroup", j->group);
    put_text(o, "status", sv(states[j->status]));
    for (size_t i = 0; i < j->skipped_stage_ids.n; i++) {
        uint32_t ix = app_stage_ix(app, j->skipped_stage_ids.items[i], 0);

        skipped_tasks += ix == IX_NONE ? 0 : known(app->stages[ix].tasks);
    }
    app_each_stage (app, s) {
        if (s->ran_for_job_ix != (uint32_t)(j - app->jobs))
            continue;
        active_tasks += running_tasks(s);
        active_stages += s->status == STAGE_ACTIVE;
        put_killed(killed, s);
    }
    put_i64(o, "numTasks", j->tasks);
    put_i64(o, "numActiveTasks", active_tasks);
    put_i64(o, "numCompletedTasks", j->completed_tasks);
    put_i64(o, "numSkippedTasks", skipped_tasks);
    put_i64(o, "numFailedTasks", j->failed_tasks);
    put_i64(o, "numKilledTasks", j->killed_tasks);
    put_i64(o, "numCompletedIndices", j->completed_indices);
    put_i64(o, "numActiveStages", active_stages);
    put_i64(o, "numCompletedStages", j->completed_stages);
    put_i64(o, "numSkippedStages", (int64_t)j->skipped_stage_ids.n);
    put_i64(o, "numFailedStages", j->failed_stages);
    return o;
}

static inline cJSON *rest_jobs(const struct app *app)
{
    cJSON *list = cJSON_CreateArray();

    app_each_job (app, j)
        cJSON_AddItemToArray(list, rest_job(app, j));
    return list;
}

/* --- executors and storage -----------------------------------------------------------
 */

static inline cJSON *rest_executor(const struct app *app, const struct executor *x)
{
    cJSON *o = cJSON_CreateObject();

    put_text(o, "id", x->id);
    put_text(o, "host", x->host); /* the comparison takes the port off */
    cJSON_AddBoolToObject(o, "isActive", x->removed_ms == APP_NONE);
    put_i64(o, "rddBlocks", x->rdd_blocks);
    put_i64(o, "memoryUsed", x->storage_memory_bytes);
    put_i64(o, "diskUsed", x->storage_disk_bytes);
    put_i64(o, "totalCores", known(x->cores));
    put_i64(o, "maxTasks", (int64_t)((double)known(x->cores) / app->task_cpus));
    put_i64(o, "activeTasks",
            x->started_tasks - x->completed_tasks - x->failed_tasks - x->killed_tasks);
    put_i64(o, "failedTasks", x->failed_tasks);
    put_i64(o, "completedTasks", x->completed_tasks);
    put_i64(o, "totalTasks", x->started_tasks);
    put_i64(o, "totalDuration", x->duration_ms);
    put_i64(o, "totalGCTime", x->total[METRIC_GC_MS]);
    put_i64(o, "totalInputBytes", x->total[METRIC_INPUT_BYTES]);
    put_i64(o, "totalShuffleRead",
            x->total[METRIC_REMOTE_BYTES] + x->total[METRIC_LOCAL_BYTES]);
    put_i64(o, "totalShuffleWrite", x->total[METRIC_SHUFFLE_WRITE_BYTES]);
    cJSON_AddBoolToObject(o, "isExcluded", x->excluded);
    put_i64(o, "maxMemory", known(x->max_memory_bytes));
    put_time(o, "addTime", x->added_ms);
    put_time(o, "removeTime", x->removed_ms);
    put_text(o, "removeReason", x->removed_reason);
    put_i64(o, "resourceProfileId", known(x->resource_profile_id));
    if (x->max_onheap_bytes != APP_NONE && x->max_offheap_bytes != APP_NONE) {
        cJSON *m = put_object(o, "memoryMetrics");

        put_i64(m, "usedOnHeapStorageMemory", x->storage_memory_bytes);
        put_i64(m, "totalOnHeapStorageMemory", x->max_onheap_bytes);
        put_i64(m, "totalOffHeapStorageMemory", x->max_offheap_bytes);
    }
    put_peaks(o, "peakMemoryMetrics", &x->peaks);
    return o;
}

static inline cJSON *rest_executors(const struct app *app)
{
    cJSON *list = cJSON_CreateArray();

    app_each_executor (app, x)
        cJSON_AddItemToArray(list, rest_executor(app, x));
    return list;
}

static inline const struct rdd *rdd_by_id(const struct app *app, int64_t id)
{
    app_each_stage (app, s)
        for (size_t i = 0; i < s->n_rdds; i++)
            if (s->rdds[i].id == id)
                return &s->rdds[i];
    return NULL;
}

static inline cJSON *rest_storage(const struct app *app)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < app->n_cached; i++) {
        const struct cached_rdd *c = &app->cached[i];
        const struct rdd *rdd = rdd_by_id(app, c->rdd_id);
        char level[128];

        if (c->unpersisted || c->blocks == 0)
            continue; /* the server forgets those */
        snprintf(level, sizeof level, "%s%s%s %dx Replicated", c->use_disk ? "Disk " : "",
                 c->use_memory ? "Memory " : "",
                 c->deserialized ? "Deserialized" : "Serialized",
                 rdd ? (int)rdd->replication : 0);
        cJSON *o = cJSON_CreateObject();
        cJSON_AddItemToArray(list, o);
        put_i64(o, "id", c->rdd_id);
        put_text(o, "name", c->name);
        put_i64(o, "numPartitions", known(c->partitions));
        put_i64(o, "numCachedPartitions", c->blocks);
        put_text(o, "storageLevel", sv(level));
        put_i64(o, "memoryUsed", c->memory_bytes);
        put_i64(o, "diskUsed", c->disk_bytes);
    }
    return list;
}

#endif
