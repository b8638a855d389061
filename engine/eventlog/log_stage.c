/* Events of jobs and stages. */
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"
#include "engine/eventlog/log_task.h"

#include <stdio.h>

static void int_list(struct strbuf *b, const char *key, const int32_t *at, uint32_t n)
{
    js_key(b, key);
    strbuf_addc(b, '[');
    for (uint32_t i = 0; i < n; i++) {
        js_comma(b);
        js_int(b, at[i]);
    }
    strbuf_addc(b, ']');
}

static void rdd_info(struct strbuf *b, const struct log_rdd *r)
{
    js_comma(b);
    JS_RAW(b, "{\"RDD ID\":");
    js_int(b, r->id);
    js_key_textz(b, "Name", r->name);
    if (r->scope.p)
        js_key_text(b, "Scope", r->scope);
    js_key_textz(b, "Callsite", r->call_site);
    int_list(b, "Parent IDs", r->parents, r->n_parents);
    JS_RAW(b, ",\"Storage Level\":{\"Use Disk\":false,\"Use Memory\":false,"
              "\"Use Off Heap\":false,\"Deserialized\":false,\"Replication\":1},"
              "\"Barrier\":false");
    js_key_textz(b, "DeterministicLevel", r->unordered ? "UNORDERED" : "DETERMINATE");
    js_key_int(b, "Number of Partitions", r->n_partitions);
    JS_RAW(b, ",\"Number of Cached Partitions\":0,\"Memory Size\":0,\"Disk Size\":0}");
}

static void stage_info(struct strbuf *b, const struct log_stage *s)
{
    JS_RAW(b, "{\"Stage ID\":");
    js_int(b, s->stage_id);
    js_key_int(b, "Stage Attempt ID", s->attempt);
    js_key_textz(b, "Stage Name", s->name);
    js_key_int(b, "Number of Tasks", s->n_tasks);
    js_key(b, "RDD Info");
    strbuf_addc(b, '[');
    for (uint32_t i = 0; i < s->n_rdds; i++)
        rdd_info(b, &s->rdds[i]);
    strbuf_addc(b, ']');
    int_list(b, "Parent IDs", s->parents, s->n_parents);
    js_key_textz(b, "Details", s->details);
    if (s->submitted_ms)
        js_key_int(b, "Submission Time", s->submitted_ms);
    if (s->completed_ms)
        js_key_int(b, "Completion Time", s->completed_ms);
    if (s->failure)
        js_key_textz(b, "Failure Reason", s->failure);
    log_accumulables(b, s->accs, s->n_accs, NULL, s->totals, s->internal_id);
    JS_RAW(b, ",\"Resource Profile Id\":0,\"Shuffle Push Enabled\":false,"
              "\"Shuffle Push Mergers Count\":0}");
}

static void property(void *ctx, struct sv key, struct sv value, struct sv meaning,
                     bool set)
{
    struct strbuf *b = ctx;

    (void)meaning;
    (void)set;
    js_comma(b);
    js_text(b, key);
    strbuf_addc(b, ':');
    js_text(b, log_redacted(key, value));
}

/* Always there, if empty: the History Server's SQL listener needs it. */
static void properties(struct strbuf *b, const struct log_job *j)
{
    JS_RAW(b, ",\"Properties\":{");
    if (j->call_site)
        js_key_textz(b, "callSite.short", j->call_site);
    if (j->sql_execution_id >= 0) {
        char id[24];

        snprintf(id, sizeof id, "%lld", (long long)j->sql_execution_id);
        js_key_textz(b, "spark.sql.execution.id", id);
        snprintf(id, sizeof id, "%lld", (long long)j->sql_root_id);
        js_key_textz(b, "spark.sql.execution.root.id", id);
    }
    if (j->description)
        js_key_textz(b, "spark.job.description", j->description);
    if (j->settings)
        settings_each(j->settings, false, property, b);
    strbuf_addc(b, '}');
}

void log_job_start(struct event_log *l, const struct log_job *j, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":");
    js_int(b, j->job_id);
    js_key_int(b, "Submission Time", ms);
    JS_RAW(b, ",\"Stage Infos\":[");
    for (uint32_t i = 0; i < j->n_stages; i++) {
        js_comma(b);
        stage_info(b, &j->stages[i]);
    }
    JS_RAW(b, "],\"Stage IDs\":[");
    for (uint32_t i = 0; i < j->n_stages; i++) {
        js_comma(b);
        js_int(b, j->stages[i].stage_id);
    }
    strbuf_addc(b, ']');
    properties(b, j);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_job_end(struct event_log *l, int32_t job_id, const char *failure, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":");
    js_int(b, job_id);
    js_key_int(b, "Completion Time", ms);
    if (failure) {
        JS_RAW(b, ",\"Job Result\":{\"Result\":\"JobFailed\",\"Exception\":{");
        js_key_textz(b, "Message", failure);
        JS_RAW(b, ",\"Stack Trace\":[]}}}");
    } else {
        JS_RAW(b, ",\"Job Result\":{\"Result\":\"JobSucceeded\"}}");
    }
    log_commit(l);
}

void log_stage_submitted(struct event_log *l, const struct log_stage *s,
                         const struct log_job *job)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":");
    stage_info(b, s);
    properties(b, job);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_stage_completed(struct event_log *l, const struct log_stage *s)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":");
    stage_info(b, s);
    strbuf_addc(b, '}');
    log_commit(l);
}
