/* Events of tasks: the bulk of every log.
 *
 * Task metrics appear twice, in Spark's logs and here: as the Task Metrics object and as
 * accumulables internal.metrics.*, whose ids a stage has in a row in the order of
 * `internal` below. An accumulable is listed when the task touched it: what is not zero,
 * and all of a group (shuffle read) once the task had to do with that. */
#include "engine/eventlog/log_task.h"
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"

#include <stddef.h>

enum group { ALONE, READ };

static const struct internal {
    const char *name;
    ptrdiff_t at; /* in struct task_metrics; -1: never counted here */
    enum group group;
} internal[LOG_INTERNAL_IDS] = {
#define M(name, field)                                                                   \
    {                                                                                    \
        name, offsetof(struct task_metrics, field), ALONE                                \
    }
#define R(name, field)                                                                   \
    {                                                                                    \
        "shuffle.read." name, offsetof(struct task_metrics, field), READ                 \
    }
#define P(name)                                                                          \
    {                                                                                    \
        "shuffle.push.read." name, -1, READ                                              \
    }
    M("executorDeserializeTime", deserialize_ms),
    M("executorDeserializeCpuTime", deserialize_cpu_ns),
    M("executorRunTime", run_ms),
    M("executorCpuTime", cpu_ns),
    M("resultSize", result_bytes),
    M("jvmGCTime", gc_ms),
    M("resultSerializationTime", result_serialize_ms),
    M("memoryBytesSpilled", memory_spilled_bytes),
    M("diskBytesSpilled", disk_spilled_bytes),
    M("peakExecutionMemory", peak_execution_bytes),
    { "updatedBlockStatuses", -1, ALONE },
    R("remoteBlocksFetched", remote_blocks),
    R("localBlocksFetched", local_blocks),
    R("remoteBytesRead", remote_bytes),
    R("remoteBytesReadToDisk", remote_to_disk_bytes),
    R("localBytesRead", local_bytes),
    R("fetchWaitTime", fetch_wait_ms),
    R("recordsRead", shuffle_read_rows),
    P("corruptMergedBlockChunks"),
    P("mergedFetchFallbackCount"),
    P("remoteMergedBlocksFetched"),
    P("localMergedBlocksFetched"),
    P("remoteMergedChunksFetched"),
    P("localMergedChunksFetched"),
    P("remoteMergedBytesRead"),
    P("localMergedBytesRead"),
    { "shuffle.read.remoteReqsDuration", -1, READ },
    P("remoteMergedReqsDuration"),
    M("shuffle.write.bytesWritten", shuffle_write_bytes),
    M("shuffle.write.recordsWritten", shuffle_write_rows),
    M("shuffle.write.writeTime", shuffle_write_ns),
    M("input.bytesRead", input_bytes),
    M("input.recordsRead", input_rows),
    M("output.bytesWritten", output_bytes),
    M("output.recordsWritten", output_rows),
#undef M
#undef R
#undef P
};

static int64_t metric(const struct task_metrics *m, const struct internal *i)
{
    int64_t x = 0;

    if (i->at >= 0)
        memcpy(&x, (const char *)m + i->at, sizeof x);
    return x;
}

void task_metrics_add(struct task_metrics *a, const struct task_metrics *b)
{
    for (uint32_t i = 0; i < LOG_INTERNAL_IDS; i++) {
        if (internal[i].at < 0)
            continue;
        int64_t sum = metric(a, &internal[i]) + metric(b, &internal[i]);

        memcpy((char *)a + internal[i].at, &sum, sizeof sum);
    }
    a->reads_shuffle |= b->reads_shuffle;
}

static void sql_accumulable(struct strbuf *b, const struct log_acc *a, bool update)
{
    js_comma(b);
    JS_RAW(b, "{\"ID\":");
    js_int(b, (int64_t)a->id);
    js_key_textz(b, "Name", a->name);
    if (update) {
        JS_RAW(b, ",\"Update\":\"");
        js_int(b, a->update);
        strbuf_addc(b, '"');
    }
    JS_RAW(b, ",\"Value\":\"");
    js_int(b, a->value);
    JS_RAW(b, "\",\"Internal\":true,\"Count Failed Values\":true,\"Metadata\":\"sql\"}");
}

static void internal_accumulable(struct strbuf *b, uint64_t id, const char *name,
                                 const int64_t *update, int64_t value)
{
    js_comma(b);
    JS_RAW(b, "{\"ID\":");
    js_int(b, (int64_t)id);
    JS_RAW(b, ",\"Name\":\"internal.metrics.");
    strbuf_addz(b, name);
    strbuf_addc(b, '"');
    if (update) {
        JS_RAW(b, ",\"Update\":");
        js_int(b, *update);
    }
    JS_RAW(b, ",\"Value\":");
    js_int(b, value);
    JS_RAW(b, ",\"Internal\":true,\"Count Failed Values\":true}");
}

void log_accumulables(struct strbuf *b, const struct log_acc *accs, uint32_t n,
                      const struct task_metrics *update,
                      const struct task_metrics *totals, uint64_t internal_id)
{
    JS_RAW(b, ",\"Accumulables\":[");
    for (uint32_t i = 0; i < n; i++)
        sql_accumulable(b, &accs[i], update != NULL);
    for (uint32_t i = 0; totals && i < LOG_INTERNAL_IDS; i++) {
        const struct task_metrics *seen = update ? update : totals;
        int64_t mine = metric(seen, &internal[i]);

        if (mine || (internal[i].group == READ && seen->reads_shuffle))
            internal_accumulable(b, internal_id + i, internal[i].name,
                                 update ? &mine : NULL, metric(totals, &internal[i]));
    }
    strbuf_addc(b, ']');
}

void log_executor_metrics(struct strbuf *b, const struct executor_metrics *m)
{
    static const struct executor_metrics zero;

    if (!m)
        m = &zero;
    strbuf_addc(b, '{');
    js_key_int(b, "JVMHeapMemory", m->heap_bytes);
    js_key_int(b, "JVMOffHeapMemory", 0);
    js_key_int(b, "OnHeapExecutionMemory", m->execution_bytes);
    js_key_int(b, "OffHeapExecutionMemory", 0);
    js_key_int(b, "OnHeapStorageMemory", m->storage_bytes);
    js_key_int(b, "OffHeapStorageMemory", 0);
    js_key_int(b, "OnHeapUnifiedMemory", m->execution_bytes + m->storage_bytes);
    JS_RAW(b, ",\"OffHeapUnifiedMemory\":0,\"DirectPoolMemory\":0,\"MappedPoolMemory\":0,"
              "\"ProcessTreeJVMVMemory\":0,\"ProcessTreeJVMRSSMemory\":0,"
              "\"ProcessTreePythonVMemory\":0,\"ProcessTreePythonRSSMemory\":0,"
              "\"ProcessTreeOtherVMemory\":0");
    js_key_int(b, "ProcessTreeOtherRSSMemory", m->rss_bytes);
    JS_RAW(b, ",\"MinorGCCount\":0,\"MinorGCTime\":0,\"MajorGCCount\":0,"
              "\"MajorGCTime\":0,\"TotalGCTime\":0}");
}

static void task_info(struct strbuf *b, const struct log_task *t, bool ended)
{
    bool killed = t->end.kind == LOG_KILLED || t->end.kind == LOG_COMMIT_DENIED;
    bool failed = t->end.kind != LOG_SUCCESS && !killed;

    JS_RAW(b, ",\"Task Info\":{\"Task ID\":");
    js_int(b, t->task_id);
    js_key_int(b, "Index", t->index);
    js_key_int(b, "Attempt", t->attempt);
    js_key_int(b, "Partition ID", t->partition);
    js_key_int(b, "Launch Time", t->launch_ms);
    js_key_textz(b, "Executor ID", t->executor_id);
    js_key_textz(b, "Host", t->host);
    js_key_textz(b, "Locality", t->locality);
    js_key_bool(b, "Speculative", t->speculative);
    js_key_int(b, "Getting Result Time", t->getting_result_ms);
    js_key_int(b, "Finish Time", ended ? t->finish_ms : 0);
    js_key_bool(b, "Failed", ended && failed);
    js_key_bool(b, "Killed", ended && killed);
    if (ended)
        log_accumulables(b, t->accs, t->n_accs, t->metrics, t->metrics ? t->totals : NULL,
                         t->internal_id);
    else
        JS_RAW(b, ",\"Accumulables\":[]");
    strbuf_addc(b, '}');
}

static void end_reason(struct strbuf *b, const struct log_end *e)
{
    JS_RAW(b, ",\"Task End Reason\":{\"Reason\":");
    switch (e->kind) {
    case LOG_SUCCESS:
        JS_RAW(b, "\"Success\"");
        break;
    case LOG_EXCEPTION:
        JS_RAW(b, "\"ExceptionFailure\"");
        js_key_textz(b, "Class Name", e->class_name);
        js_key_textz(b, "Description", e->message);
        JS_RAW(b, ",\"Stack Trace\":[]");
        js_key_textz(b, "Full Stack Trace", e->trace ? e->trace : e->message);
        JS_RAW(b, ",\"Accumulator Updates\":[]");
        break;
    case LOG_KILLED:
        JS_RAW(b, "\"TaskKilled\"");
        js_key_textz(b, "Kill Reason", e->message);
        JS_RAW(b, ",\"Accumulator Updates\":[]");
        break;
    case LOG_FETCH_FAILED:
        JS_RAW(b, "\"FetchFailed\"");
        if (e->executor_id) {
            JS_RAW(b, ",\"Block Manager Address\":{");
            js_key_textz(b, "Executor ID", e->executor_id);
            JS_RAW(b, ",\"Host\":\"localhost\",\"Port\":1}");
        }
        js_key_int(b, "Shuffle ID", e->shuffle_id);
        js_key_int(b, "Map ID", e->map_id);
        js_key_int(b, "Map Index", e->map_index);
        js_key_int(b, "Reduce ID", e->reduce_id);
        js_key_textz(b, "Message", e->message);
        break;
    case LOG_EXECUTOR_LOST:
        JS_RAW(b, "\"ExecutorLostFailure\"");
        js_key_textz(b, "Executor ID", e->executor_id);
        JS_RAW(b, ",\"Exit Caused By App\":true");
        js_key_textz(b, "Loss Reason", e->message);
        break;
    case LOG_RESUBMITTED:
        JS_RAW(b, "\"Resubmitted\"");
        break;
    case LOG_COMMIT_DENIED:
        JS_RAW(b, "\"TaskCommitDenied\",\"Job ID\":-1,\"Partition ID\":-1,"
                  "\"Attempt Number\":-1");
        break;
    }
    strbuf_addc(b, '}');
}

static void task_metrics(struct strbuf *b, const struct task_metrics *m)
{
    JS_RAW(b, ",\"Task Metrics\":{\"Executor Deserialize Time\":");
    js_int(b, m->deserialize_ms);
    js_key_int(b, "Executor Deserialize CPU Time", m->deserialize_cpu_ns);
    js_key_int(b, "Executor Run Time", m->run_ms);
    js_key_int(b, "Executor CPU Time", m->cpu_ns);
    js_key_int(b, "Peak Execution Memory", m->peak_execution_bytes);
    js_key_int(b, "Result Size", m->result_bytes);
    js_key_int(b, "JVM GC Time", m->gc_ms);
    js_key_int(b, "Result Serialization Time", m->result_serialize_ms);
    js_key_int(b, "Memory Bytes Spilled", m->memory_spilled_bytes);
    js_key_int(b, "Disk Bytes Spilled", m->disk_spilled_bytes);
    JS_RAW(b, ",\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":");
    js_int(b, m->remote_blocks);
    js_key_int(b, "Local Blocks Fetched", m->local_blocks);
    js_key_int(b, "Fetch Wait Time", m->fetch_wait_ms);
    js_key_int(b, "Remote Bytes Read", m->remote_bytes);
    js_key_int(b, "Remote Bytes Read To Disk", m->remote_to_disk_bytes);
    js_key_int(b, "Local Bytes Read", m->local_bytes);
    js_key_int(b, "Total Records Read", m->shuffle_read_rows);
    JS_RAW(b, ",\"Remote Requests Duration\":0,\"Push Based Shuffle\":{"
              "\"Corrupt Merged Block Chunks\":0,\"Merged Fetch Fallback Count\":0,"
              "\"Merged Remote Blocks Fetched\":0,\"Merged Local Blocks Fetched\":0,"
              "\"Merged Remote Chunks Fetched\":0,\"Merged Local Chunks Fetched\":0,"
              "\"Merged Remote Bytes Read\":0,\"Merged Local Bytes Read\":0,"
              "\"Merged Remote Requests Duration\":0}},"
              "\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":");
    js_int(b, m->shuffle_write_bytes);
    js_key_int(b, "Shuffle Write Time", m->shuffle_write_ns);
    js_key_int(b, "Shuffle Records Written", m->shuffle_write_rows);
    JS_RAW(b, "},\"Input Metrics\":{\"Bytes Read\":");
    js_int(b, m->input_bytes);
    js_key_int(b, "Records Read", m->input_rows);
    JS_RAW(b, "},\"Output Metrics\":{\"Bytes Written\":");
    js_int(b, m->output_bytes);
    js_key_int(b, "Records Written", m->output_rows);
    JS_RAW(b, "},\"Updated Blocks\":[]}");
}

void log_task_start(struct event_log *l, const struct log_task *t)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":");
    js_int(b, t->stage_id);
    js_key_int(b, "Stage Attempt ID", t->stage_attempt);
    task_info(b, t, false);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_task_getting_result(struct event_log *l, const struct log_task *t)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerTaskGettingResult\"");
    task_info(b, t, false);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_task_end(struct event_log *l, const struct log_task *t)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":");
    js_int(b, t->stage_id);
    js_key_int(b, "Stage Attempt ID", t->stage_attempt);
    js_key_textz(b, "Task Type", t->result_task ? "ResultTask" : "ShuffleMapTask");
    end_reason(b, &t->end);
    task_info(b, t, true);
    JS_RAW(b, ",\"Task Executor Metrics\":");
    log_executor_metrics(b, t->peaks);
    if (t->metrics)
        task_metrics(b, t->metrics);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_stage_executor_metrics(struct event_log *l, const char *executor_id,
                                int32_t stage_id, int32_t attempt,
                                const struct executor_metrics *m)
{
    if (!l || !log_wants_stage_metrics(l))
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerStageExecutorMetrics\"");
    js_key_textz(b, "Executor ID", executor_id);
    js_key_int(b, "Stage ID", stage_id);
    js_key_int(b, "Stage Attempt ID", attempt);
    JS_RAW(b, ",\"Executor Metrics\":");
    log_executor_metrics(b, m);
    strbuf_addc(b, '}');
    log_commit(l);
}
