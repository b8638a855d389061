/* Events of SQL executions besides their plans (log_plan.c). */
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"

#define SQL_UI "{\"Event\":\"org.apache.spark.sql.execution.ui."

void log_driver_accum(struct event_log *l, int64_t execution_id, const uint64_t *ids,
                      const int64_t *values, uint32_t n)
{
    if (!l || n == 0)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, SQL_UI "SparkListenerDriverAccumUpdates\"");
    js_key_int(b, "executionId", execution_id);
    JS_RAW(b, ",\"accumUpdates\":[");
    for (uint32_t i = 0; i < n; i++) {
        js_comma(b);
        strbuf_addc(b, '[');
        js_int(b, (int64_t)ids[i]);
        strbuf_addc(b, ',');
        js_int(b, values[i]);
        strbuf_addc(b, ']');
    }
    JS_RAW(b, "]}");
    log_commit(l);
}

void log_sql_end(struct event_log *l, int64_t execution_id, const char *error, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, SQL_UI "SparkListenerSQLExecutionEnd\"");
    js_key_int(b, "executionId", execution_id);
    js_key_int(b, "time", ms);
    js_key_textz(b, "errorMessage", error);
    strbuf_addc(b, '}');
    log_commit(l);
}
