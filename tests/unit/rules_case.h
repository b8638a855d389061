/* A case of a rule: a few lines that describe an application, made into an event
 * log. The language is in tests/rules/README.md. For tests only. */
#ifndef TESTS_UNIT_RULES_CASE_H
#define TESTS_UNIT_RULES_CASE_H

#include "load_helper.h"

#include "base/arena.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

#define CASE_T0 INT64_C(1700000000000)

struct case_line { /* an event, to be put in order of time */
    int64_t ms;
    size_t seq;
    char *json;
};

struct case_slot {
    const char *executor, *host;
    int64_t free_ms, until_ms;
};

struct case_expect {
    char *words[4];
    size_t n;
};

struct rules_case {
    struct arena arena;
    const char *path;
    struct case_line *lines;
    size_t n_lines, cap_lines;
    struct case_slot *slots;
    size_t n_slots, cap_slots;
    struct case_expect *expects;
    size_t n_expects, cap_expects;
    /* what is open */
    const char *app_name;
    struct strbuf conf, stage_infos, stage_ids;
    int64_t job_id, job_start, job_end, job_sql;
    const char *job_failed, *job_stream;
    int64_t stage_cached; /* id of a persisted RDD, -1: none */
    int64_t stage_id, stage_attempt, stage_submit, stage_end, stage_tasks, next_index;
    const char *stage_name, *stage_parents, *stage_scope, *stage_failed;
    struct case_sql {
        int64_t id, start, end;
        struct strbuf plan;
        int depth; /* of the open node, -1: none */
    } sqls[64];
    size_t n_sqls;
    int64_t task_id, end_ms;
    size_t stage_line, job_line; /* placeholders, filled at their end */
    bool in_stage, in_job;
};

static inline void case_add(struct rules_case *c, int64_t ms, struct strbuf *json)
{
    GROW(c->lines, c->n_lines, c->cap_lines);
    c->lines[c->n_lines] = (struct case_line){ ms, c->n_lines, json->p };
    c->n_lines++;
    *json = (struct strbuf){ 0 };
}

/* "12k" */
static inline int64_t case_number(const char *text)
{
    char *unit;
    double value = strtod(text, &unit);

    value *= *unit == 'k'   ? 1024.0
             : *unit == 'm' ? 1048576.0
             : *unit == 'g' ? 1073741824.0
                            : 1.0;
    return (int64_t)value;
}

/* Value of key=value among the words, NULL where it is not there; "_" is a blank. */
static inline char *case_value(struct rules_case *c, char **words, size_t n,
                               const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], key, len) != 0 || words[i][len] != '=')
            continue;
        char *copy = (char *)(uintptr_t)arena_sv(&c->arena, sv(words[i] + len + 1)).p;

        return copy;
    }
    return NULL;
}

static inline char *case_text(struct rules_case *c, char **words, size_t n,
                              const char *key)
{
    char *text = case_value(c, words, n, key);

    for (char *p = text; p && *p; p++)
        *p = *p == '_' ? ' ' : *p == '~' ? '_' : *p;
    return text;
}

static inline int64_t case_key(struct rules_case *c, char **words, size_t n,
                               const char *key, int64_t otherwise)
{
    const char *text = case_value(c, words, n, key);

    return text ? case_number(text) : otherwise;
}

/* --- stages and jobs ------------------------------------------------------------ */

static inline void case_stage_info(struct rules_case *c, struct strbuf *b, bool done)
{
    strbuf_printf(
        b,
        "{\"Stage ID\":%" PRId64 ",\"Stage Attempt ID\":%" PRId64
        ",\"Stage Name\":\"%s\",\"Number of Tasks\":%" PRId64
        ",\"RDD Info\":[",
        c->stage_id, c->stage_attempt, c->stage_name, c->stage_tasks);
    if (c->stage_cached >= 0)
        strbuf_printf(b,
                      "{\"RDD ID\":%" PRId64
                      ",\"Name\":\"cached\",\"Parent IDs\":[],\"Storage Level\":{\"Use "
                      "Disk\":true,\"Use Memory\":true,\"Deserialized\":true,"
                      "\"Replication\":1},\"Barrier\":false,\"Number of Partitions\":4,"
                      "\"Number of Cached Partitions\":0,\"Memory Size\":0,\"Disk "
                      "Size\":0},",
                      c->stage_cached);
    strbuf_printf(
        b,
        "{\"RDD ID\":%" PRId64
        ",\"Name\":\"MapPartitionsRDD\",\"Scope\":\"{\\\"id\\\":\\\"1\\\",\\\"name\\\":"
        "\\\"%s\\\"}\",\"Parent IDs\":[],\"Storage Level\":{\"Use Disk\":false,\"Use "
        "Memory\":false,\"Deserialized\":false,\"Replication\":1},\"Barrier\":false,"
        "\"Number of Partitions\":%" PRId64
        ",\"Number of Cached Partitions\":0,\"Memory Size\":0,\"Disk Size\":0}],"
        "\"Parent IDs\":[%s],\"Details\":\"\",\"Accumulables\":[],\"Resource Profile "
        "Id\":0",
        c->stage_id * 10 + 5, c->stage_scope, c->stage_tasks, c->stage_parents);
    if (done)
        strbuf_printf(b, ",\"Submission Time\":%" PRId64 ",\"Completion Time\":%" PRId64,
                      CASE_T0 + c->stage_submit, CASE_T0 + c->stage_end);
    if (done && c->stage_failed)
        strbuf_printf(b, ",\"Failure Reason\":\"%s\"", c->stage_failed);
    strbuf_addz(b, "}");
}

static inline void case_end_stage(struct rules_case *c)
{
    struct strbuf b = { 0 };

    if (!c->in_stage)
        return;
    c->in_stage = false;
    strbuf_addz(&b, "{\"Event\":\"SparkListenerStageSubmitted\",\"Stage Info\":");
    case_stage_info(c, &b, false);
    b.p[--b.len] = '\0';
    strbuf_printf(&b, ",\"Submission Time\":%" PRId64 "},\"Properties\":{",
                  CASE_T0 + c->stage_submit);
    if (c->job_sql >= 0)
        strbuf_printf(&b, "\"spark.sql.execution.id\":\"%" PRId64 "\"", c->job_sql);
    strbuf_addz(&b, "}}");
    c->lines[c->stage_line].json = b.p;
    b = (struct strbuf){ 0 };
    if (c->stage_end >= 0) {
        strbuf_addz(&b, "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":");
        case_stage_info(c, &b, true);
        strbuf_addz(&b, "}");
        case_add(c, c->stage_end, &b);
    }
    if (c->stage_attempt == 0 ||
        !strstr(c->stage_ids.p ? c->stage_ids.p : "",
                arena_printf(&c->arena, "%" PRId64, c->stage_id))) {
        if (c->stage_ids.len) {
            strbuf_addz(&c->stage_ids, ",");
            strbuf_addz(&c->stage_infos, ",");
        }
        strbuf_printf(&c->stage_ids, "%" PRId64, c->stage_id);
        case_stage_info(c, &c->stage_infos, false);
    }
}

static inline void case_end_job(struct rules_case *c)
{
    struct strbuf b = { 0 };

    case_end_stage(c);
    if (!c->in_job)
        return;
    c->in_job = false;
    strbuf_printf(
        &b,
        "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":%" PRId64
        ",\"Submission Time\":%" PRId64 ",\"Stage Infos\":[%s],\"Stage IDs\":[%s],"
        "\"Properties\":{",
        c->job_id, CASE_T0 + c->job_start, c->stage_infos.p ? c->stage_infos.p : "",
        c->stage_ids.p ? c->stage_ids.p : "");
    if (c->job_sql >= 0)
        strbuf_printf(&b, "\"spark.sql.execution.id\":\"%" PRId64 "\"", c->job_sql);
    if (c->job_stream)
        strbuf_printf(&b,
                      "%s\"sql.streaming.queryId\":\"%s\",\"streaming.sql.batchId\":\"%" PRId64
                      "\"",
                      c->job_sql >= 0 ? "," : "", c->job_stream, c->job_id);
    strbuf_addz(&b, "}}");
    c->lines[c->job_line].json = b.p;
    b = (struct strbuf){ 0 };
    if (c->job_end >= 0) {
        strbuf_printf(&b,
                      "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":%" PRId64
                      ",\"Completion Time\":%" PRId64
                      ",\"Job Result\":{\"Result\":\"%s\"",
                      c->job_id, CASE_T0 + c->job_end,
                      c->job_failed ? "JobFailed" : "JobSucceeded");
        if (c->job_failed)
            strbuf_printf(&b, ",\"Exception\":{\"Message\":\"%s\",\"Stack Trace\":[]}",
                          c->job_failed);
        strbuf_addz(&b, "}}");
        case_add(c, c->job_end, &b);
    }
    strbuf_release(&c->stage_infos);
    strbuf_release(&c->stage_ids);
}

/* --- tasks -------------------------------------------------------------------------- */

static inline struct case_slot *case_free_slot(struct rules_case *c, const char *on)
{
    struct case_slot *best = NULL;

    for (size_t i = 0; i < c->n_slots; i++) {
        struct case_slot *s = &c->slots[i];
        int64_t start = s->free_ms > c->stage_submit ? s->free_ms : c->stage_submit + 1;

        if ((on && strcmp(on, s->executor) != 0) || start >= s->until_ms)
            continue;
        if (!best || s->free_ms < best->free_ms)
            best = s;
    }
    if (!best)
        fail_msg("%s: no slot for a task of stage %" PRId64, c->path, c->stage_id);
    return best;
}

static inline void case_reason(struct strbuf *b, const char *fail, const char *message)
{
    const char *text = message ? message : "it broke";

    if (!fail)
        strbuf_addz(b, "{\"Reason\":\"Success\"}");
    else if (strcmp(fail, "lost") == 0)
        strbuf_printf(
            b,
            "{\"Reason\":\"ExecutorLostFailure\",\"Executor ID\":\"1\",\"Exit Caused By "
            "App\":true,\"Loss Reason\":\"%s\"}",
            text);
    else if (strcmp(fail, "fetch") == 0)
        strbuf_printf(
            b,
            "{\"Reason\":\"FetchFailed\",\"Block Manager Address\":{\"Executor "
            "ID\":\"1\","
            "\"Host\":\"h1\",\"Port\":1},\"Shuffle ID\":0,\"Map ID\":0,\"Map Index\":0,"
            "\"Reduce ID\":0,\"Message\":\"%s\"}",
            text);
    else if (strcmp(fail, "killed") == 0)
        strbuf_printf(b, "{\"Reason\":\"TaskKilled\",\"Kill Reason\":\"another attempt "
                         "succeeded\",\"Accumulator Updates\":[]}");
    else if (strcmp(fail, "resubmitted") == 0)
        strbuf_addz(b, "{\"Reason\":\"Resubmitted\"}");
    else
        strbuf_printf(
            b,
            "{\"Reason\":\"ExceptionFailure\",\"Class "
            "Name\":\"%s\",\"Description\":\"%s\","
            "\"Stack Trace\":[],\"Full Stack Trace\":\"\",\"Accumulator Updates\":[]}",
            fail, text);
}

static inline void case_task(struct rules_case *c, char **w, size_t n)
{
    const char *on = case_value(c, w, n, "on"), *fail = case_value(c, w, n, "fail");
    const char *message = case_text(c, w, n, "message");
    int64_t ms = case_key(c, w, n, "ms", 100), at = case_key(c, w, n, "at", -1);
    int64_t run = case_key(c, w, n, "run", ms > 10 ? ms - 5 : ms);
    int64_t cpu = case_key(c, w, n, "cpu", run), index = case_key(c, w, n, "index", -1);
    struct case_slot *slot = case_free_slot(c, on);
    int64_t launch = at >= 0                           ? at
                     : slot->free_ms > c->stage_submit ? slot->free_ms
                                                       : c->stage_submit + 1;
    bool killed = fail && strcmp(fail, "killed") == 0;
    bool bare = fail && (strcmp(fail, "lost") == 0 || strcmp(fail, "fetch") == 0 ||
                         strcmp(fail, "resubmitted") == 0);
    struct strbuf info = { 0 }, b = { 0 };

    slot->free_ms = launch + ms;
    if (index < 0)
        index = c->next_index++;
    strbuf_printf(
        &info,
        "\"Task ID\":%" PRId64 ",\"Index\":%" PRId64 ",\"Attempt\":%" PRId64
        ",\"Partition ID\":%" PRId64 ",\"Launch Time\":%" PRId64
        ",\"Executor ID\":\"%s\","
        "\"Host\":\"%s\",\"Locality\":\"PROCESS_LOCAL\",\"Speculative\":false,\"Getting "
        "Result Time\":0",
        c->task_id++, index, case_key(c, w, n, "attempt", 0), index, CASE_T0 + launch,
        slot->executor, slot->host);
    strbuf_printf(&b,
                  "{\"Event\":\"SparkListenerTaskStart\",\"Stage ID\":%" PRId64
                  ",\"Stage Attempt ID\":%" PRId64
                  ",\"Task Info\":{%s,\"Finish Time\":0,\"Failed\":"
                  "false,\"Killed\":false,\"Accumulables\":[]}}",
                  c->stage_id, c->stage_attempt, info.p);
    case_add(c, launch, &b);
    strbuf_printf(&b,
                  "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%" PRId64
                  ",\"Stage Attempt ID\":%" PRId64
                  ",\"Task Type\":\"ResultTask\",\"Task End "
                  "Reason\":",
                  c->stage_id, c->stage_attempt);
    case_reason(&b, fail, message);
    strbuf_printf(&b,
                  ",\"Task Info\":{%s,\"Finish Time\":%" PRId64
                  ",\"Failed\":%s,\"Killed\":%s,"
                  "\"Accumulables\":[",
                  info.p, CASE_T0 + launch + ms, fail && !killed ? "true" : "false",
                  killed ? "true" : "false");
    for (size_t i = 0, first = 1; i < n && !fail; i++) {
        if (strncmp(w[i], "accum=", 6) != 0)
            continue;
        const char *value = strchr(w[i], ':');

        strbuf_printf(&b,
                      "%s{\"ID\":%" PRId64 ",\"Name\":\"m\",\"Update\":\"%" PRId64
                      "\",\"Value\":\"0\",\"Internal\":true,\"Count Failed "
                      "Values\":true,\"Metadata\":\"sql\"}",
                      first ? "" : ",", case_number(w[i] + 6),
                      value ? case_number(value + 1) : 1);
        first = 0;
    }
    strbuf_addz(&b, "]}");
    if (!bare)
        strbuf_printf(
            &b,
            ",\"Task Metrics\":{\"Executor Deserialize Time\":%" PRId64
            ",\"Executor Deserialize CPU Time\":0,\"Executor Run Time\":%" PRId64
            ",\"Executor CPU Time\":%" PRId64 ",\"Peak Execution Memory\":%" PRId64
            ",\"Result Size\":%" PRId64 ",\"JVM GC Time\":%" PRId64
            ",\"Result Serialization Time\":0,\"Memory Bytes Spilled\":%" PRId64
            ",\"Disk Bytes Spilled\":%" PRId64
            ",\"Shuffle Read Metrics\":{\"Remote Blocks Fetched\":0,\"Local Blocks "
            "Fetched\":1,\"Fetch Wait Time\":0,\"Remote Bytes Read\":0,\"Remote Bytes "
            "Read To "
            "Disk\":0,\"Local Bytes Read\":%" PRId64 ",\"Total Records Read\":%" PRId64
            "},\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":%" PRId64
            ",\"Shuffle Write "
            "Time\":0,\"Shuffle Records Written\":%" PRId64
            "},\"Input Metrics\":{\"Bytes "
            "Read\":%" PRId64 ",\"Records Read\":%" PRId64
            "},\"Output Metrics\":{\"Bytes Written\":%" PRId64
            ",\"Records Written\":%" PRId64 "},\"Updated Blocks\":[]}",
            case_key(c, w, n, "deser", 0), run, cpu * 1000000,
            case_key(c, w, n, "peak", 0), case_key(c, w, n, "result", 1000),
            case_key(c, w, n, "gc", 0),
            case_key(c, w, n, "spill_memory", 0), case_key(c, w, n, "spill_disk", 0),
            case_key(c, w, n, "shuffle", 0), case_key(c, w, n, "shuffle_rows", 0),
            case_key(c, w, n, "wrote", 0), case_key(c, w, n, "wrote_rows", 0),
            case_key(c, w, n, "input", 0), case_key(c, w, n, "input_rows", 0),
            case_key(c, w, n, "output", 0), case_key(c, w, n, "output_rows", 0));
    strbuf_addz(&b, "}");
    case_add(c, launch + ms, &b);
    strbuf_release(&info);
    c->stage_tasks += !fail || case_key(c, w, n, "attempt", 0) == 0;
}

/* --- statements ----------------------------------------------------------------------
 */

static inline void case_executor(struct rules_case *c, char **w, size_t n)
{
    struct strbuf b = { 0 };
    int64_t cores = case_number(w[3]), added = case_number(w[4]);
    int64_t removed = n > 5 ? case_number(w[5]) : INT64_MAX;

    for (int64_t i = 0; i < cores; i++) {
        GROW(c->slots, c->n_slots, c->cap_slots);
        c->slots[c->n_slots++] =
            (struct case_slot){ arena_sv(&c->arena, sv(w[1])).p,
                                arena_sv(&c->arena, sv(w[2])).p, added, removed };
    }
    strbuf_printf(
        &b,
        "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":%" PRId64
        ",\"Executor ID\":\"%s\",\"Executor Info\":{\"Host\":\"%s\",\"Total "
        "Cores\":%" PRId64
        ",\"Log Urls\":{},\"Attributes\":{},\"Resources\":{},\"Resource Profile Id\":0}}",
        CASE_T0 + added, w[1], w[2], cores);
    case_add(c, added, &b);
    if (n <= 5)
        return;
    strbuf_printf(&b,
                  "{\"Event\":\"SparkListenerExecutorRemoved\",\"Timestamp\":%" PRId64
                  ",\"Executor ID\":\"%s\",\"Removed Reason\":\"",
                  CASE_T0 + removed, w[1]);
    for (size_t i = 6; i < n; i++)
        strbuf_printf(&b, "%s%s", i > 6 ? " " : "", w[i]);
    strbuf_addz(&b, "\"}");
    case_add(c, removed, &b);
}

/* Closes nodes of the open plan down to depth. */
static inline void case_plan_to(struct case_sql *q, int depth)
{
    for (; q->depth >= depth; q->depth--)
        strbuf_addz(&q->plan, "]}");
}

static inline void case_node(struct rules_case *c, char **w, size_t n)
{
    size_t sql = 0;
    int depth = (int)case_number(w[2]);
    char *name = (char *)(uintptr_t)arena_sv(&c->arena, sv(w[3])).p;
    const char *detail = case_text(c, w, n, "detail");

    while (sql < c->n_sqls && c->sqls[sql].id != case_number(w[1]))
        sql++;
    if (sql == c->n_sqls)
        fail_msg("%s: node of an unknown sql", c->path);
    for (char *p = name; *p; p++)
        if (*p == '_')
            *p = ' ';
    struct strbuf *b = &c->sqls[sql].plan;
    bool sibling = c->sqls[sql].depth >= depth;

    case_plan_to(&c->sqls[sql], depth);
    strbuf_printf(
        b, "%s{\"nodeName\":\"%s\",\"simpleString\":\"%s\",\"metadata\":{},\"metrics\":[",
        sibling ? "," : "", name, detail ? detail : name);
    bool first = true;

    for (size_t i = 4; i < n; i++) {
        char *eq = strchr(w[i], '=');

        if (!eq || strncmp(w[i], "detail=", 7) == 0)
            continue;
        *eq = '\0';
        for (char *p = w[i]; *p; p++)
            if (*p == '_')
                *p = ' ';
        strbuf_printf(b,
                      "%s{\"name\":\"%s\",\"accumulatorId\":%s,\"metricType\":\"sum\"}",
                      first ? "" : ",", w[i], eq + 1);
        first = false;
    }
    strbuf_addz(b, "],\"children\":[");
    c->sqls[sql].depth = depth;
}

static inline void case_finish_sqls(struct rules_case *c)
{
    for (size_t i = 0; i < c->n_sqls; i++) {
        struct strbuf b = { 0 };

        case_plan_to(&c->sqls[i], 0);
        strbuf_printf(
            &b,
            "{\"Event\":\"org.apache.spark.sql.execution.ui."
            "SparkListenerSQLExecutionStart\",\"executionId\":%" PRId64
            ",\"rootExecutionId\":%" PRId64 ",\"description\":\"q\",\"details\":\"\","
            "\"physicalPlanDescription\":\"\",\"sparkPlanInfo\":%s,\"time\":%" PRId64
            ",\"modifiedConfigs\":{}}",
            c->sqls[i].id, c->sqls[i].id,
            c->sqls[i].plan.len
                ? c->sqls[i].plan.p
                : "{\"nodeName\":\"Project\",\"simpleString\":\"Project\","
                  "\"children\":[],\"metadata\":{},\"metrics\":[]}",
            CASE_T0 + c->sqls[i].start);
        /* before everything else of that time */
        GROW(c->lines, c->n_lines, c->cap_lines);
        c->lines[c->n_lines++] = (struct case_line){ c->sqls[i].start, 0, b.p };
        strbuf_release(&c->sqls[i].plan);
        b = (struct strbuf){ 0 };
        strbuf_printf(&b,
                      "{\"Event\":\"org.apache.spark.sql.execution.ui."
                      "SparkListenerSQLExecutionEnd\",\"executionId\":%" PRId64
                      ",\"time\":%" PRId64 ",\"errorMessage\":\"\"}",
                      c->sqls[i].id, CASE_T0 + c->sqls[i].end);
        case_add(c, c->sqls[i].end, &b);
    }
}

static inline void case_open_job(struct rules_case *c, char **w, size_t n)
{
    struct strbuf b = { 0 };

    case_end_job(c);
    c->in_job = true;
    c->job_id = case_number(w[1]);
    c->job_start = case_number(w[2]);
    c->job_end = case_number(w[3]);
    c->job_sql = case_key(c, w, n, "sql", -1);
    c->job_failed = case_text(c, w, n, "failed");
    c->job_stream = case_value(c, w, n, "stream");
    c->job_line = c->n_lines;
    case_add(c, c->job_start, &b);
}

static inline void case_open_stage(struct rules_case *c, char **w, size_t n)
{
    struct strbuf b = { 0 };

    case_end_stage(c);
    c->in_stage = true;
    c->stage_id = case_number(w[1]);
    c->stage_submit = case_number(w[2]);
    c->stage_end = case_number(w[3]);
    c->stage_attempt = case_key(c, w, n, "attempt", 0);
    c->stage_cached = case_key(c, w, n, "cached", -1);
    c->stage_name = case_text(c, w, n, "name");
    c->stage_name = c->stage_name ? c->stage_name : "collect at job.py:1";
    c->stage_parents = case_value(c, w, n, "parents");
    c->stage_parents = c->stage_parents ? c->stage_parents : "";
    c->stage_scope = case_value(c, w, n, "scope");
    c->stage_scope = c->stage_scope ? c->stage_scope : "WholeStageCodegen (1)";
    c->stage_failed = case_text(c, w, n, "failed");
    c->stage_tasks = c->next_index = 0;
    c->stage_line = c->n_lines;
    case_add(c, c->stage_submit, &b);
}

static inline void case_statement(struct rules_case *c, char **w, size_t n)
{
    struct strbuf b = { 0 };

    if (strcmp(w[0], "app") == 0) {
        c->app_name = arena_sv(&c->arena, sv(w[1])).p;
    } else if (strcmp(w[0], "end") == 0) {
        c->end_ms = case_number(w[1]);
    } else if (strcmp(w[0], "local") == 0) {
        char *driver[] = { w[0], (char *)(uintptr_t) "driver",
                           (char *)(uintptr_t) "localhost", w[1],
                           (char *)(uintptr_t) "50" };

        strbuf_printf(&c->conf, "%s\"spark.master\":\"local[%s]\"",
                      c->conf.len ? "," : "", w[1]);
        case_executor(c, driver, 5);
    } else if (strcmp(w[0], "conf") == 0) {
        strbuf_printf(&c->conf, "%s\"%s\":\"%s\"", c->conf.len ? "," : "", w[1], w[2]);
    } else if (strcmp(w[0], "executor") == 0) {
        case_executor(c, w, n);
    } else if (strcmp(w[0], "sql") == 0) {
        c->sqls[c->n_sqls].id = case_number(w[1]);
        c->sqls[c->n_sqls].start = case_number(w[2]);
        c->sqls[c->n_sqls++].end = case_number(w[3]);
        c->sqls[c->n_sqls - 1].depth = -1;
    } else if (strcmp(w[0], "node") == 0) {
        case_node(c, w, n);
    } else if (strcmp(w[0], "driver") == 0) {
        strbuf_printf(
            &b,
            "{\"Event\":\"org.apache.spark.sql.execution.ui."
            "SparkListenerDriverAccumUpdates\",\"executionId\":%s,\"accumUpdates\":[[%s,"
            "%" PRId64 "]]}",
            w[1], w[2], case_number(w[3]));
        case_add(c, c->sqls[0].start + 1, &b);
    } else if (strcmp(w[0], "block") == 0) {
        strbuf_printf(
            &b,
            "{\"Event\":\"SparkListenerBlockUpdated\",\"Block Updated Info\":{\"Block Manager "
            "ID\":{\"Executor ID\":\"driver\",\"Host\":\"h\",\"Port\":1},\"Block "
            "ID\":\"rdd_%s_%s\",\"Storage Level\":{\"Use Disk\":%s,\"Use "
            "Memory\":%s,\"Deserialized\":true,\"Replication\":1},\"Memory Size\":%" PRId64
            ",\"Disk Size\":%" PRId64 "}}",
            w[2], w[3], case_number(w[5]) ? "true" : "false",
            case_number(w[4]) ? "true" : "false", case_number(w[4]), case_number(w[5]));
        case_add(c, case_number(w[1]), &b);
    } else if (strcmp(w[0], "job") == 0) {
        case_open_job(c, w, n);
    } else if (strcmp(w[0], "stage") == 0) {
        case_open_stage(c, w, n);
    } else if (strcmp(w[0], "tasks") == 0) {
        for (int64_t i = case_number(w[1]); i > 0; i--)
            case_task(c, w + 2, n - 2);
    } else if (strcmp(w[0], "expect") == 0) {
        GROW(c->expects, c->n_expects, c->cap_expects);
        struct case_expect *e = &c->expects[c->n_expects++];

        *e = (struct case_expect){ .n = n - 1 };
        for (size_t i = 1; i < n && i <= ARRAY_LEN(e->words); i++) {
            e->words[i - 1] = (char *)(uintptr_t)arena_sv(&c->arena, sv(w[i])).p;
            bool words = strcmp(w[1], "says") == 0 || strcmp(w[1], "chain") == 0;
            for (char *p = e->words[i - 1]; words && *p; p++)
                if (*p == '_')
                    *p = ' ';
        }
    } else {
        fail_msg("%s: what is \"%s\"?", c->path, w[0]);
    }
}

static inline int case_order(const void *a, const void *b)
{
    const struct case_line *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static inline void case_write(struct rules_case *c, FILE *out)
{
    fprintf(out, "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.1\"}\n");
    fprintf(
        out,
        "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"JVM Information\":{},\"Spark "
        "Properties\":{%s},\"Hadoop Properties\":{},\"System Properties\":{},\"Metrics "
        "Properties\":{},\"Classpath Entries\":{}}\n",
        c->conf.p ? c->conf.p : "");
    fprintf(out,
            "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"%s\",\"App "
            "ID\":\"app-1\","
            "\"Timestamp\":%" PRId64 ",\"User\":\"u\"}\n",
            c->app_name ? c->app_name : "case", CASE_T0);
    if (c->n_lines)
        qsort(c->lines, c->n_lines, sizeof *c->lines, case_order);
    for (size_t i = 0; i < c->n_lines; i++)
        if (c->lines[i].json)
            fprintf(out, "%s\n", c->lines[i].json);
    if (c->end_ms >= 0)
        fprintf(out,
                "{\"Event\":\"SparkListenerApplicationEnd\",\"Timestamp\":%" PRId64 "}\n",
                CASE_T0 + c->end_ms);
}

/* Reads the case and loads the log that it describes. */
static inline void rules_case_load(struct rules_case *c, const char *path,
                                   struct app *app)
{
    char *text = slurp(path, NULL), *save_line = NULL;
    char name[] = "/tmp/rules_case_XXXXXX";
    struct err err = { 0 };

    *c = (struct rules_case){ .path = path, .end_ms = -1, .job_sql = -1 };
    if (!text)
        fail_msg("%s: cannot be read", path);
    for (char *line = strtok_r(text, "\n", &save_line); line;
         line = strtok_r(NULL, "\n", &save_line)) {
        char *words[32], *save = NULL;
        size_t n = 0;

        for (char *p = line; (p = strchr(p, '#')); p++)
            if (p == line || p[-1] == ' ') /* else of a column: day#3 */
                *p = '\0';
        for (char *w = strtok_r(line, " \t", &save); w && n < ARRAY_LEN(words);
             w = strtok_r(NULL, " \t", &save))
            words[n++] = w;
        if (n)
            case_statement(c, words, n);
    }
    free(text);
    case_end_job(c);
    case_finish_sqls(c);
    int fd = mkstemp(name);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

    if (!out)
        fail_msg("cannot write to /tmp");
    case_write(c, out);
    fclose(out);
    bool ok = try_load(app, name, 0, 1, NULL, &err);

    if (getenv("RULES_CASE_KEEP"))
        fprintf(stderr, "%s: %s\n", path, name);
    else
        unlink(name);
    if (!ok)
        fail_msg("%s: %s", path, err.text);
    if (app->complete.bad_lines)
        fail_msg("%s: the log made of it has bad lines", path);
}

static inline void rules_case_release(struct rules_case *c)
{
    for (size_t i = 0; i < c->n_lines; i++)
        free(c->lines[i].json);
    free(c->lines);
    free(c->slots);
    free(c->expects);
    strbuf_release(&c->conf);
    arena_release(&c->arena);
}

#endif
