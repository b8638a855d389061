/* The event log's file and its thread.
 *
 * Callers add lines to the buffer `front` under the lock. The writer sleeps until there
 * is a good deal of it, or a while has passed, takes the buffer away whole and leaves an
 * empty one, and writes without the lock: who logs waits for a memory copy at most. With
 * compression each taken buffer is one zstd frame; readers take frames one after another
 * as one stream. A failed write is kept and reported by event_log_close: the run itself
 * goes on. */
#include "engine/eventlog/log.h"
#include "engine/eventlog/log_file.h"
#include "engine/eventlog/log_json.h"

#include "base/mem.h"
#include "base/units.h"
#include "engine/store/compress.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WAKE_BYTES = 256 << 10,    /* plain text: few calls */
    WAKE_BYTES_ZSTD = 4 << 20, /* larger frames compress better */
    WAKE_MS = 500,             /* else: so that a running log can be read */
};

struct event_log {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    struct strbuf front; /* by callers */
    struct strbuf back;  /* the writer's */
    bool closing, compress, stage_metrics;
    int fd;
    char *path, *final_path;
    struct err failed; /* code ERR_OK: none */
};

struct strbuf *log_begin(struct event_log *l)
{
    pthread_mutex_lock(&l->lock);
    return &l->front;
}

void log_commit(struct event_log *l)
{
    strbuf_addc(&l->front, '\n');
    if (l->front.len >= (size_t)(l->compress ? WAKE_BYTES_ZSTD : WAKE_BYTES))
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
    return log->path;
}

const char *event_log_final_path(const struct event_log *log)
{
    return log->final_path;
}

static void write_all(struct event_log *l, struct sv bytes)
{
    while (bytes.len && l->failed.code == ERR_OK) {
        ssize_t n = write(l->fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_set(&l->failed, ERR_OUTPUT, "%s: %s", l->path, strerror(errno));
            return;
        }
        bytes = sv_from(bytes, (size_t)n);
    }
}

static void write_back(struct event_log *l)
{
    if (l->compress) {
        size_t room = compress_bound(COMPRESS_ZSTD, l->back.len);
        char *frame = xmalloc(room);
        size_t n = compress_block(COMPRESS_ZSTD, l->back.p, l->back.len, frame);

        write_all(l, (struct sv){ frame, n });
        free(frame);
    } else {
        write_all(l, strbuf_sv(&l->back));
    }
    strbuf_reset(&l->back);
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
        if (!l->closing && l->front.len < WAKE_BYTES)
            pthread_cond_timedwait(&l->wake, &l->lock, &until);
        last = l->closing;
        if (l->front.len == 0)
            continue;
        struct strbuf taken = l->front;
        l->front = l->back;
        l->back = taken;
        pthread_mutex_unlock(&l->lock);
        write_back(l);
        pthread_mutex_lock(&l->lock);
        last = l->closing && l->front.len == 0;
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Spark's sanitised name: no dot, lower case, so that what follows a dot is a codec. */
static void file_name(struct strbuf *out, struct sv app_id)
{
    for (size_t i = 0; i < app_id.len; i++) {
        char c = app_id.p[i];

        if (c == ' ' || c == ':' || c == '/')
            c = '-';
        else if (strchr(".${}'\"", c))
            c = '_';
        strbuf_addc(out, (char)tolower((unsigned char)c));
    }
}

/* Makes the folder and those above it. */
static enum errc make_folders(const char *dir, struct err *err)
{
    struct strbuf path = { 0 };
    enum errc rc = ERR_OK;

    strbuf_addz(&path, dir);
    for (size_t i = 1; i <= path.len && rc == ERR_OK; i++) {
        char was = path.p[i];

        if (was != '/' && was != '\0')
            continue;
        path.p[i] = '\0';
        if (mkdir(path.p, 0777) && errno != EEXIST)
            rc = err_set(err, ERR_OUTPUT, "%s: %s", path.p, strerror(errno));
        path.p[i] = was;
    }
    strbuf_release(&path);
    return rc;
}

static const char *without_scheme(const char *dir)
{
    if (strncmp(dir, "file://", 7) == 0)
        return dir + 7;
    return strncmp(dir, "file:", 5) == 0 ? dir + 5 : dir;
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
    if (l->fd >= 0)
        close(l->fd);
    strbuf_release(&l->front);
    strbuf_release(&l->back);
    free(l->path);
    free(l->final_path);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->wake);
    free(l);
}

enum errc event_log_open(struct event_log **out, const char *dir, struct sv app_id,
                         const struct settings *s, struct err *err)
{
    struct strbuf path = { 0 };
    struct event_log *l;
    struct sv value;
    enum errc rc = ERR_OK;

    if (settings_bool(s, SET_EVENT_LOG_COMPRESS) &&
        !settings_says(s, SET_EVENT_LOG_CODEC, "zstd"))
        return err_set(err, ERR_USAGE,
                       "spark.eventLog.compression.codec: only zstd is written here");
    dir = without_scheme(dir);
    TRY(make_folders(dir, err));
    l = xcalloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    l->compress = settings_bool(s, SET_EVENT_LOG_COMPRESS);
    l->stage_metrics =
        (settings_find(s, SV("spark.eventLog.logStageExecutorMetrics.enabled"), &value) ||
         settings_find(s, SV("spark.eventLog.logStageExecutorMetrics"), &value)) &&
        units_parse_bool(value, &l->stage_metrics) && l->stage_metrics;
    strbuf_printf(&path, "%s/", dir);
    file_name(&path, app_id);
    if (l->compress)
        strbuf_addz(&path, ".zstd");
    l->final_path = strdup(path.p);
    strbuf_addz(&path, ".inprogress");
    l->path = strdup(path.p);
    strbuf_release(&path);
    if (!l->path || !l->final_path)
        die("out of memory");
    l->fd = open(l->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (l->fd < 0)
        rc = err_set(err, ERR_OUTPUT, "%s: %s", l->path, strerror(errno));
    else if (pthread_create(&l->thread, NULL, writer_main, l))
        rc = err_set(err, ERR_OUTPUT, "event log: no thread to write it");
    if (rc != ERR_OK) {
        log_free(l);
        return rc;
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
    if (l->failed.code == ERR_OK && close(l->fd))
        err_set(&l->failed, ERR_OUTPUT, "%s: %s", l->path, strerror(errno));
    else if (l->failed.code != ERR_OK)
        close(l->fd);
    l->fd = -1;
    if (l->failed.code == ERR_OK && finished && rename(l->path, l->final_path))
        err_set(&l->failed, ERR_OUTPUT, "%s: %s", l->final_path, strerror(errno));
    rc = l->failed.code;
    if (rc != ERR_OK && err)
        *err = l->failed;
    log_free(l);
    return rc;
}
