/* Events as text, so that tests can compare decoders with each other and with what
 * is expected. One line an event or note: "0 TASK_START stage=1 attempt=0 ...";
 * fields the log does not give are left out. Included by test programs. */
#ifndef TESTS_EVENT_DUMP_H
#define TESTS_EVENT_DUMP_H

#include "analyzer/event.h"
#include "base/strbuf.h"

#include <inttypes.h>

static inline void dump_text(struct strbuf *out, const char *name, struct sv text)
{
    if (!text.p)
        return;
    strbuf_printf(out, " %s=\"", name);
    strbuf_add(out, text);
    strbuf_addc(out, '"');
}

static inline void dump_i64(struct strbuf *out, const char *name, int64_t value)
{
    if (value != EVENT_NONE)
        strbuf_printf(out, " %s=%" PRId64, name, value);
}

static inline void dump_flag(struct strbuf *out, const char *name, bool set)
{
    if (set)
        strbuf_printf(out, " %s", name);
}

static inline void dump_ids(struct strbuf *out, const char *name, struct ids ids)
{
    for (size_t i = 0; i < ids.n; i++)
        strbuf_printf(out, "%s%s%" PRId64, i ? "," : " ", i ? "" : name, ids.items[i]);
}

static inline void dump_kvs(struct strbuf *out, const char *name, struct kvs kvs)
{
    for (size_t i = 0; i < kvs.n; i++) {
        strbuf_printf(out, " %s.", name);
        strbuf_add(out, kvs.items[i].key);
        strbuf_addz(out, "=\"");
        strbuf_add(out, kvs.items[i].value);
        strbuf_addc(out, '"');
    }
}

static inline void dump_accums(struct strbuf *out, const struct ev_accum *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strbuf_printf(out, " accum.%" PRId64 "=%" PRId64, items[i].id, items[i].value);
}

static inline void dump_app(struct strbuf *out, const struct ev_app *e)
{
    dump_text(out, "name", e->name);
    dump_text(out, "id", e->id);
    dump_text(out, "attempt", e->attempt);
    dump_text(out, "user", e->user);
    dump_i64(out, "time", e->time_ms);
}

static inline void dump_profile(struct strbuf *out, const struct ev_resource_profile *e)
{
    dump_i64(out, "id", e->id);
    dump_i64(out, "cores", e->cores);
    dump_i64(out, "memory", e->memory_mib);
    dump_i64(out, "overhead", e->memory_overhead_mib);
    dump_i64(out, "offheap", e->offheap_mib);
    if (e->task_cpus != 0)
        strbuf_printf(out, " cpus=%g", e->task_cpus);
}

static inline void dump_executor(struct strbuf *out, const struct ev_executor *e)
{
    dump_i64(out, "time", e->time_ms);
    dump_text(out, "id", e->id);
    dump_text(out, "host", e->host);
    dump_text(out, "reason", e->reason);
    dump_i64(out, "cores", e->cores);
    dump_i64(out, "profile", e->resource_profile_id);
    dump_i64(out, "request", e->request_ms);
    dump_i64(out, "registration", e->registration_ms);
}

static inline void dump_manager(struct strbuf *out, const struct ev_block_manager *e)
{
    dump_i64(out, "time", e->time_ms);
    dump_text(out, "executor", e->executor_id);
    dump_text(out, "host", e->host);
    dump_i64(out, "max", e->max_memory);
    dump_i64(out, "onheap", e->max_onheap);
    dump_i64(out, "offheap", e->max_offheap);
}

static inline void dump_block(struct strbuf *out, const struct ev_block *e)
{
    dump_text(out, "executor", e->executor_id);
    dump_text(out, "block", e->block_id);
    dump_flag(out, "disk", e->use_disk);
    dump_flag(out, "memory", e->use_memory);
    dump_flag(out, "deserialized", e->deserialized);
    dump_i64(out, "replication", e->replication);
    dump_i64(out, "memory_bytes", e->memory_bytes);
    dump_i64(out, "disk_bytes", e->disk_bytes);
}

static inline void dump_rdd(struct strbuf *out, const struct ev_rdd *r)
{
    strbuf_addz(out, " rdd{");
    dump_i64(out, "id", r->id);
    dump_text(out, "name", r->name);
    dump_text(out, "scope", r->scope);
    dump_ids(out, "parents=", r->parents);
    dump_flag(out, "barrier", r->barrier);
    dump_flag(out, "disk", r->use_disk);
    dump_flag(out, "memory", r->use_memory);
    dump_flag(out, "deserialized", r->deserialized);
    dump_flag(out, "indeterminate", r->indeterminate);
    dump_i64(out, "replication", r->replication);
    dump_i64(out, "partitions", r->partitions);
    strbuf_addz(out, " }");
}

static inline void dump_stage(struct strbuf *out, const struct ev_stage_info *s)
{
    dump_i64(out, "stage", s->stage_id);
    dump_i64(out, "attempt", s->attempt);
    dump_text(out, "name", s->name);
    dump_text(out, "details", s->details);
    dump_text(out, "failure", s->failure);
    dump_i64(out, "tasks", s->tasks);
    dump_i64(out, "submitted", s->submitted_ms);
    dump_i64(out, "completed", s->completed_ms);
    dump_i64(out, "profile", s->resource_profile_id);
    dump_ids(out, "parents=", s->parents);
    for (size_t i = 0; i < s->n_rdds; i++)
        dump_rdd(out, &s->rdds[i]);
}

static inline void dump_job_start(struct strbuf *out, const struct ev_job_start *e)
{
    dump_i64(out, "job", e->job_id);
    dump_i64(out, "time", e->time_ms);
    for (size_t i = 0; i < e->n_stages; i++) {
        strbuf_addz(out, " {");
        dump_stage(out, &e->stages[i]);
        strbuf_addz(out, " }");
    }
    dump_ids(out, "stages=", e->stage_ids);
    dump_kvs(out, "properties", e->properties);
}

static inline void dump_peaks(struct strbuf *out, const struct ev_peaks *p)
{
    for (unsigned i = 0; i < PEAK_COUNT; i++)
        if (p->seen >> i & 1)
            dump_i64(out, executor_metric_name((enum executor_metric)i), p->value[i]);
}

static inline void dump_task(struct strbuf *out, const struct ev_task *t)
{
    static const char *const localities[] = { "process", "node", "no-pref", "rack",
                                              "any" };

    dump_i64(out, "stage", t->stage_id);
    dump_i64(out, "stage_attempt", t->stage_attempt);
    dump_i64(out, "task", t->task_id);
    dump_i64(out, "index", t->index);
    dump_i64(out, "attempt", t->attempt);
    dump_i64(out, "partition", t->partition);
    dump_i64(out, "launch", t->launch_ms);
    dump_i64(out, "finish", t->finish_ms);
    dump_i64(out, "getting", t->getting_result_ms);
    dump_text(out, "executor", t->executor_id);
    dump_text(out, "host", t->host);
    strbuf_printf(out, " %s", localities[t->locality]);
    dump_flag(out, "speculative", t->speculative);
    dump_flag(out, "failed", t->failed);
    dump_flag(out, "killed", t->killed);
}

static inline void dump_task_end(struct strbuf *out, const struct ev_task_end *e)
{
    dump_task(out, &e->task);
    dump_flag(out, "result_task", e->result_task);
    strbuf_printf(out, " reason=%d", (int)e->reason);
    dump_text(out, "class", e->reason_class);
    dump_text(out, "text", e->reason_text);
    dump_text(out, "lost", e->lost_executor);
    dump_flag(out, "not_by_app", !e->exit_caused_by_app);
    dump_i64(out, "shuffle", e->fetch_shuffle_id);
    dump_i64(out, "map", e->fetch_map_id);
    dump_i64(out, "map_index", e->fetch_map_index);
    dump_i64(out, "reduce", e->fetch_reduce_id);
    dump_flag(out, "metrics", e->has_metrics);
    for (unsigned i = 0; i < METRIC_COUNT; i++)
        if (e->metrics_seen >> i & 1)
            dump_i64(out, task_metric_key((enum task_metric)i), e->metric[i]);
    dump_peaks(out, &e->peaks);
    dump_accums(out, e->accums, e->n_accums);
}

static inline void dump_plan_metrics(struct strbuf *out, const struct ev_plan_metric *m,
                                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(out, " metric{");
        dump_text(out, "name", m[i].name);
        dump_text(out, "type", m[i].type);
        dump_i64(out, "id", m[i].accumulator_id);
        strbuf_addz(out, " }");
    }
}

static inline void dump_plan(struct strbuf *out, const struct ev_plan_node *node)
{
    if (!node)
        return;
    strbuf_addz(out, " node{");
    dump_text(out, "name", node->name);
    dump_text(out, "detail", node->detail);
    dump_plan_metrics(out, node->metrics, node->n_metrics);
    dump_kvs(out, "metadata", node->metadata);
    for (size_t i = 0; i < node->n_children; i++)
        dump_plan(out, node->children[i]);
    strbuf_addz(out, " }");
}

static inline void dump_sql_start(struct strbuf *out, const struct ev_sql_start *e)
{
    dump_i64(out, "id", e->execution_id);
    dump_i64(out, "root", e->root_id);
    dump_i64(out, "time", e->time_ms);
    dump_text(out, "description", e->description);
    dump_text(out, "details", e->details);
    dump_plan(out, e->plan);
    dump_kvs(out, "configs", e->modified_configs);
}

static inline void dump_stream(struct strbuf *out, const struct ev_stream *e)
{
    dump_text(out, "id", e->id);
    dump_text(out, "run", e->run_id);
    dump_text(out, "name", e->name);
    dump_text(out, "timestamp", e->timestamp);
    dump_text(out, "exception", e->exception);
    dump_i64(out, "batch", e->batch_id);
    dump_i64(out, "batch_ms", e->batch_ms);
    dump_i64(out, "rows", e->input_rows);
}

static inline void dump_body(struct strbuf *out, const struct event *e)
{
    switch (e->kind) {
    case EVENT_UNKNOWN:
    case EVENT_IGNORED:
    case EVENT_KIND_COUNT:
        dump_text(out, "event", e->name);
        break;
    case EVENT_LOG_START:
        dump_text(out, "version", ((const struct ev_version *)e->body)->version);
        break;
    case EVENT_APP_START:
    case EVENT_APP_END:
        dump_app(out, e->body);
        break;
    case EVENT_ENVIRONMENT:
        dump_kvs(out, "jvm", ((const struct ev_environment *)e->body)->jvm);
        dump_kvs(out, "spark", ((const struct ev_environment *)e->body)->spark);
        break;
    case EVENT_RESOURCE_PROFILE:
        dump_profile(out, e->body);
        break;
    case EVENT_EXECUTOR_ADDED:
    case EVENT_EXECUTOR_REMOVED:
    case EVENT_EXECUTOR_EXCLUDED:
        dump_executor(out, e->body);
        break;
    case EVENT_BLOCK_MANAGER_ADDED:
    case EVENT_BLOCK_MANAGER_REMOVED:
        dump_manager(out, e->body);
        break;
    case EVENT_BLOCK_UPDATED:
        dump_block(out, e->body);
        break;
    case EVENT_UNPERSIST:
        dump_i64(out, "rdd", ((const struct ev_id *)e->body)->id);
        break;
    case EVENT_JOB_START:
        dump_job_start(out, e->body);
        break;
    case EVENT_JOB_END: {
        const struct ev_job_end *j = e->body;

        dump_i64(out, "job", j->job_id);
        dump_i64(out, "time", j->time_ms);
        dump_flag(out, "succeeded", j->succeeded);
        dump_text(out, "message", j->message);
        break;
    }
    case EVENT_STAGE_SUBMITTED:
    case EVENT_STAGE_COMPLETED:
        dump_stage(out, &((const struct ev_stage *)e->body)->info);
        dump_kvs(out, "properties", ((const struct ev_stage *)e->body)->properties);
        break;
    case EVENT_STAGE_EXECUTOR_METRICS: {
        const struct ev_stage_peaks *s = e->body;

        dump_text(out, "executor", s->executor_id);
        dump_i64(out, "stage", s->stage_id);
        dump_i64(out, "attempt", s->attempt);
        dump_peaks(out, &s->peaks);
        break;
    }
    case EVENT_TASK_START:
    case EVENT_TASK_GETTING_RESULT:
        dump_task(out, e->body);
        break;
    case EVENT_TASK_END:
        dump_task_end(out, e->body);
        break;
    case EVENT_SQL_START:
        dump_sql_start(out, e->body);
        break;
    case EVENT_SQL_END:
        dump_i64(out, "id", ((const struct ev_sql_end *)e->body)->execution_id);
        dump_i64(out, "time", ((const struct ev_sql_end *)e->body)->time_ms);
        dump_text(out, "error", ((const struct ev_sql_end *)e->body)->error);
        break;
    case EVENT_SQL_PLAN:
    case EVENT_SQL_METRICS: {
        const struct ev_sql_plan *s = e->body;

        dump_i64(out, "id", s->execution_id);
        dump_plan(out, s->plan);
        dump_plan_metrics(out, s->metrics, s->n_metrics);
        break;
    }
    case EVENT_DRIVER_ACCUMS:
        dump_i64(out, "id", ((const struct ev_driver_accums *)e->body)->execution_id);
        dump_accums(out, ((const struct ev_driver_accums *)e->body)->items,
                    ((const struct ev_driver_accums *)e->body)->n);
        break;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_PROGRESS:
    case EVENT_STREAM_TERMINATED:
        dump_stream(out, e->body);
        break;
    }
}

static inline void dump_event(struct strbuf *out, const struct event *e)
{
    static const char *const names[EVENT_KIND_COUNT] = {
        "UNKNOWN",
        "LOG_START",
        "APP_START",
        "APP_END",
        "ENVIRONMENT",
        "RESOURCE_PROFILE",
        "EXECUTOR_ADDED",
        "EXECUTOR_REMOVED",
        "EXECUTOR_EXCLUDED",
        "BLOCK_MANAGER_ADDED",
        "BLOCK_MANAGER_REMOVED",
        "BLOCK_UPDATED",
        "UNPERSIST",
        "JOB_START",
        "JOB_END",
        "STAGE_SUBMITTED",
        "STAGE_COMPLETED",
        "STAGE_EXECUTOR_METRICS",
        "TASK_START",
        "TASK_GETTING_RESULT",
        "TASK_END",
        "SQL_START",
        "SQL_END",
        "SQL_PLAN",
        "SQL_METRICS",
        "DRIVER_ACCUMS",
        "STREAM_STARTED",
        "STREAM_PROGRESS",
        "STREAM_TERMINATED",
        "IGNORED",
    };

    strbuf_printf(out, "%" PRIu32 " %s", e->line, names[e->kind]);
    dump_body(out, e);
    strbuf_addc(out, '\n');
}

/* All events, then all notes, then the number of lines. */
static inline void dump_batch(struct strbuf *out, const struct event_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        dump_event(out, &b->events[i]);
    for (size_t i = 0; i < b->n_damage; i++)
        strbuf_printf(out, "%" PRIu32 " %s @%" PRIu64 "\n", b->damage[i].line,
                      line_damage_name(b->damage[i].kind), b->damage[i].offset);
    strbuf_printf(out, "%" PRIu32 " lines\n", b->lines);
}

#endif
