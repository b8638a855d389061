/* Events of the application: environment, executors, start and end. */
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"

#include <sys/utsname.h>

static void resource(struct strbuf *b, const char *name, int64_t amount)
{
    js_key(b, name);
    strbuf_printf(b, "{\"Resource Name\":\"%s\",\"Amount\":%lld,", name,
                  (long long)amount);
    JS_RAW(b, "\"Discovery Script\":\"\",\"Vendor\":\"\"}");
}

void log_resource_profile(struct event_log *l, int32_t cores, int64_t memory_bytes,
                          int64_t off_heap_bytes)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b,
           "{\"Event\":\"SparkListenerResourceProfileAdded\",\"Resource Profile Id\":0,"
           "\"Executor Resource Requests\":{");
    resource(b, "cores", cores);
    resource(b, "memory", memory_bytes >> 20);
    resource(b, "offHeap", off_heap_bytes >> 20);
    JS_RAW(b, "},\"Task Resource Requests\":{\"cpus\":{\"Resource Name\":\"cpus\","
              "\"Amount\":1.0}}}");
    log_commit(l);
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

/* What a JVM would say of itself is said of this program: the keys are required. */
void log_environment(struct event_log *l, const struct settings *s)
{
    struct utsname os;

    if (!l)
        return;
    if (uname(&os))
        memset(&os, 0, sizeof os);
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerEnvironmentUpdate\",\"JVM Information\":{"
              "\"Java Home\":\"\",\"Java Version\":\"none (Spillway " SPILLWAY_VERSION
              ")\",\"Scala Version\":\"none\"},\"Spark Properties\":{");
    settings_each(s, false, property, b);
    JS_RAW(b, "},\"Hadoop Properties\":{},\"System Properties\":{");
    js_key_textz(b, "os.name", os.sysname);
    js_key_textz(b, "os.version", os.release);
    js_key_textz(b, "os.arch", os.machine);
    JS_RAW(b, ",\"file.encoding\":\"UTF-8\"},\"Metrics Properties\":{},"
              "\"Classpath Entries\":{}}");
    log_commit(l);
}

void log_application_start(struct event_log *l, const char *app_id, const char *name,
                           const char *user, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerApplicationStart\"");
    js_key_textz(b, "App Name", name);
    js_key_textz(b, "App ID", app_id);
    js_key_int(b, "Timestamp", ms);
    js_key_textz(b, "User", user);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_application_end(struct event_log *l, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerApplicationEnd\"");
    js_key_int(b, "Timestamp", ms);
    strbuf_addc(b, '}');
    log_commit(l);
}

void log_executor_added(struct event_log *l, const char *id, const char *host,
                        int32_t cores, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerExecutorAdded\"");
    js_key_int(b, "Timestamp", ms);
    js_key_textz(b, "Executor ID", id);
    JS_RAW(b, ",\"Executor Info\":{");
    js_key_textz(b, "Host", host);
    js_key_int(b, "Total Cores", cores);
    JS_RAW(b, ",\"Log Urls\":{},\"Attributes\":{},\"Resources\":{},"
              "\"Resource Profile Id\":0}}");
    log_commit(l);
}

void log_executor_removed(struct event_log *l, const char *id, const char *reason,
                          int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerExecutorRemoved\"");
    js_key_int(b, "Timestamp", ms);
    js_key_textz(b, "Executor ID", id);
    js_key_textz(b, "Removed Reason", reason);
    strbuf_addc(b, '}');
    log_commit(l);
}

/* There is no port to reach a group of threads: they are numbered from 1. */
void log_block_manager_added(struct event_log *l, const char *executor_id,
                             const char *host, int64_t on_heap_bytes,
                             int64_t off_heap_bytes, int64_t ms)
{
    if (!l)
        return;
    struct strbuf *b = log_begin(l);

    JS_RAW(b, "{\"Event\":\"SparkListenerBlockManagerAdded\",\"Block Manager ID\":{");
    js_key_textz(b, "Executor ID", executor_id);
    js_key_textz(b, "Host", host);
    JS_RAW(b, ",\"Port\":1}");
    js_key_int(b, "Maximum Memory", on_heap_bytes + off_heap_bytes);
    js_key_int(b, "Timestamp", ms);
    js_key_int(b, "Maximum Onheap Memory", on_heap_bytes);
    js_key_int(b, "Maximum Offheap Memory", off_heap_bytes);
    strbuf_addc(b, '}');
    log_commit(l);
}
