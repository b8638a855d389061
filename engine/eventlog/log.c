/* The event log's thread.
 *
 * Callers add lines to the buffer `front` under the lock. The writer sleeps until there
 * is a good deal of it, or a while has passed, takes the buffer away whole and leaves an
 * empty one, and writes without the lock: who logs waits for a memory copy at most. A
 * failed write is kept and reported by event_log_close: the run itself goes on. */
#include "engine/eventlog/log.h"
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"
#include "engine/eventlog/log_output.h"

#include "base/mem.h"
#include "base/units.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { WAKE_MS = 500 }; /* at the latest: so that a running log can be read */

struct event_log {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct strbuf front; /* by callers */
    struct strbuf back;  /* the writer's */
    size_t wake_bytes;
    bool closing, stage_metrics;
    struct log_output *output;
};

struct strbuf *log_begin(struct event_log *l)
{
    pthread_mutex_lock(&l->lock);
    return &l->front;
}

void log_commit(struct event_log *l)
{
    strbuf_addc(&l->front, '\n');
    if (l->front.len >= l->wake_bytes)
        pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

bool log_wants_stage_metrics(const struct event_log *l)
{
    return l->stage_metrics;
}

struct sv log_redacted(struct sv key, struct sv value)
{
    static const char *const words[] = { "secret", "password", "token", "access.key",
                                         "accesskey" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (sv_has_nocase(key, words[i]))
            return SV("*********(redacted)");
    return value;
}

const char *event_log_path(const struct event_log *log)
{
    return log_output_path(log->output);
}

const char *event_log_final_path(const struct event_log *log)
{
    return log_output_final_path(log->output);
}

static void *writer_main(void *arg)
{
    struct event_log *l = arg;
    bool last = false;

    pthread_mutex_lock(&l->lock);
    while (!last) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAKE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (!l->closing && l->front.len < l->wake_bytes)
            pthread_cond_timedwait(&l->wake, &l->lock, &until);
        last = l->closing;
        if (l->front.len == 0)
            continue;
        struct strbuf taken = l->front;
        l->front = l->back;
        l->back = taken;
        pthread_mutex_unlock(&l->lock);
        log_output_write(l->output, strbuf_sv(&l->back));
        strbuf_reset(&l->back);
        pthread_mutex_lock(&l->lock);
        last = l->closing && l->front.len == 0;
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void log_start(struct event_log *l)
{
    struct strbuf *b = log_begin(l);

    /* The version whose events these are: readers take their defaults from it. */
    JS_RAW(b, "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.9\"}");
    log_commit(l);
}

static void log_free(struct event_log *l)
{
    strbuf_release(&l->front);
    strbuf_release(&l->back);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->wake);
    free(l);
}

/* Both names have been Spark's. */
static bool stage_metrics_wanted(const struct settings *s)
{
    struct sv value;
    bool wanted = false;

    return (settings_find(s, SV("spark.eventLog.logStageExecutorMetrics.enabled"),
                          &value) ||
            settings_find(s, SV("spark.eventLog.logStageExecutorMetrics"), &value)) &&
           units_parse_bool(value, &wanted) && wanted;
}

enum errc event_log_open(struct event_log **out, const char *dir, struct sv app_id,
                         const struct settings *s, struct err *err)
{
    struct log_output *output;
    struct event_log *l;

    TRY(log_output_open(&output, dir, app_id, s, err));
    l = xcalloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    l->output = output;
    l->wake_bytes = log_output_wants(output);
    l->stage_metrics = stage_metrics_wanted(s);
    if (pthread_create(&l->thread, NULL, writer_main, l)) {
        log_free(l);
        TRY(log_output_close(output, false, err));
        return err_set(err, ERR_OUTPUT, "event log: no thread to write it");
    }
    log_start(l);
    *out = l;
    return ERR_OK;
}

enum errc event_log_close(struct event_log *l, bool finished, struct err *err)
{
    enum errc rc;

    if (!l)
        return ERR_OK;
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    rc = log_output_close(l->output, finished, err);
    log_free(l);
    return rc;
}
