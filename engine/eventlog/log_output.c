#include "engine/eventlog/log_output.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "engine/eventlog/log_codec.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRITE_BYTES = 256 << 10,
    WRITE_BYTES_PACKED = 4 << 20,
    ROLL_BYTES_MIN = 10 << 20, /* Spark's least spark.eventLog.rolling.maxFileSize */
};

struct log_output {
    enum log_codec codec;
    int fd;
    bool rolling;
    size_t roll_bytes, file_bytes; /* unpacked, of the file that is open */
    int index;                     /* of that file, from 1 */
    char *name;                    /* the application's, as files have it */
    char *path, *final_path;       /* of the file, or of the folder */
    char *status, *final_status;   /* rolling: the empty file that says how far it is */
    struct strbuf packed;
    struct err failed; /* code ERR_OK: none */
};

size_t log_output_wants(const struct log_output *o)
{
    return o->codec == LOG_PLAIN ? WRITE_BYTES : WRITE_BYTES_PACKED;
}

const char *log_output_path(const struct log_output *o)
{
    return o->path;
}

const char *log_output_final_path(const struct log_output *o)
{
    return o->final_path;
}

/* --- names -------------------------------------------------------------------------- */

static char *text_of(struct strbuf *b)
{
    char *s = strdup(b->p);

    if (!s)
        die("out of memory");
    strbuf_release(b);
    return s;
}

/* Spark's sanitised name: no dot, lower case, so that what follows a dot is a codec. */
static char *file_name(struct sv app_id)
{
    struct strbuf out = { 0 };

    for (size_t i = 0; i < app_id.len; i++) {
        char c = app_id.p[i];

        if (c == ' ' || c == ':' || c == '/')
            c = '-';
        else if (strchr(".${}'\"", c))
            c = '_';
        strbuf_addc(&out, (char)tolower((unsigned char)c));
    }
    return text_of(&out);
}

static const char *without_scheme(const char *dir)
{
    if (strncmp(dir, "file://", 7) == 0)
        return dir + 7;
    return strncmp(dir, "file:", 5) == 0 ? dir + 5 : dir;
}

static void name_file(struct log_output *o, const char *dir)
{
    struct strbuf path = { 0 }, now = { 0 };

    strbuf_printf(&path, "%s/%s%s", dir, o->name, log_codec_suffix(o->codec));
    strbuf_printf(&now, "%s.inprogress", path.p);
    o->final_path = text_of(&path);
    o->path = text_of(&now);
}

static void name_folder(struct log_output *o, const char *dir)
{
    struct strbuf path = { 0 }, final = { 0 }, now = { 0 };

    strbuf_printf(&path, "%s/eventlog_v2_%s", dir, o->name);
    strbuf_printf(&final, "%s/appstatus_%s", path.p, o->name);
    strbuf_printf(&now, "%s.inprogress", final.p);
    o->final_status = text_of(&final);
    o->status = text_of(&now);
    o->path = text_of(&path);
    o->final_path = strdup(o->path);
    if (!o->final_path)
        die("out of memory");
}

/* --- files -------------------------------------------------------------------------- */

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

static int make_file(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        err_set(err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return fd;
}

static void write_packed(struct log_output *o)
{
    struct sv bytes = strbuf_sv(&o->packed);

    while (bytes.len && o->failed.code == ERR_OK) {
        ssize_t n = write(o->fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err_set(&o->failed, ERR_OUTPUT, "%s: %s", o->path, strerror(errno));
        else
            bytes = sv_from(bytes, (size_t)n);
    }
    strbuf_reset(&o->packed);
}

static void open_file(struct log_output *o)
{
    struct strbuf path = { 0 };

    o->index++;
    if (o->rolling)
        strbuf_printf(&path, "%s/events_%d_%s%s", o->path, o->index, o->name,
                      log_codec_suffix(o->codec));
    else
        strbuf_addz(&path, o->path);
    o->fd = make_file(path.p, &o->failed);
    strbuf_release(&path);
    o->file_bytes = 0;
    log_codec_head(o->codec, &o->packed);
}

static void close_file(struct log_output *o)
{
    if (o->fd < 0)
        return;
    log_codec_tail(o->codec, &o->packed);
    write_packed(o);
    if (close(o->fd) && o->failed.code == ERR_OK)
        err_set(&o->failed, ERR_OUTPUT, "%s: %s", o->path, strerror(errno));
    o->fd = -1;
}

/* --- the whole ---------------------------------------------------------------------- */

static enum errc read_settings(struct log_output *o, const struct settings *s,
                               struct err *err)
{
    struct sv codec = settings_text(s, SET_EVENT_LOG_CODEC);
    int64_t most = settings_int(s, SET_EVENT_LOG_ROLL_BYTES);

    if (settings_bool(s, SET_EVENT_LOG_COMPRESS) && !log_codec_find(codec, &o->codec))
        return err_set(err, ERR_USAGE,
                       "spark.eventLog.compression.codec: no codec \"%.*s\"; there are "
                       "zstd, lz4, snappy and lzf",
                       SV_FMT(codec));
    o->rolling = settings_bool(s, SET_EVENT_LOG_ROLLING);
    if (o->rolling && most < ROLL_BYTES_MIN)
        return err_set(err, ERR_USAGE,
                       "spark.eventLog.rolling.maxFileSize: %lld is below Spark's least, "
                       "%d bytes (10m)",
                       (long long)most, ROLL_BYTES_MIN);
    o->roll_bytes = (size_t)most;
    return ERR_OK;
}

static void log_output_free(struct log_output *o)
{
    if (o->fd >= 0)
        close(o->fd);
    strbuf_release(&o->packed);
    free(o->name);
    free(o->path);
    free(o->final_path);
    free(o->status);
    free(o->final_status);
    free(o);
}

static enum errc begin(struct log_output *o, const char *dir, struct err *err)
{
    int status;

    TRY(make_folders(dir, err));
    if (o->rolling) {
        name_folder(o, dir);
        TRY(make_folders(o->path, err));
        status = make_file(o->status, err);
        if (status < 0)
            return ERR_OUTPUT;
        close(status);
    } else {
        name_file(o, dir);
    }
    open_file(o);
    if (o->failed.code != ERR_OK && err)
        *err = o->failed;
    return o->failed.code;
}

enum errc log_output_open(struct log_output **out, const char *dir, struct sv app_id,
                          const struct settings *s, struct err *err)
{
    struct log_output *o = xcalloc(1, sizeof *o);
    enum errc rc;

    o->fd = -1;
    o->name = file_name(app_id);
    rc = read_settings(o, s, err);
    if (rc == ERR_OK)
        rc = begin(o, without_scheme(dir), err);
    if (rc != ERR_OK) {
        log_output_free(o);
        return rc;
    }
    *out = o;
    return ERR_OK;
}

/* How many of the bytes, in whole lines, still go into the open file. A line alone is
 * never refused: Spark too writes it, into a file of its own. */
static size_t fitting(const struct log_output *o, struct sv lines)
{
    size_t at = 0;

    if (!o->rolling || o->file_bytes + lines.len <= o->roll_bytes)
        return lines.len;
    while (at < lines.len) {
        const char *end = memchr(lines.p + at, '\n', lines.len - at);
        size_t next = end ? (size_t)(end + 1 - lines.p) : lines.len;

        /* Spark counts the JSON without its line's end. */
        if (o->file_bytes + at > 0 && o->file_bytes + next - 1 > o->roll_bytes)
            break;
        at = next;
    }
    return at;
}

void log_output_write(struct log_output *o, struct sv lines)
{
    while (lines.len && o->failed.code == ERR_OK) {
        size_t n = fitting(o, lines);

        if (n == 0) {
            close_file(o);
            if (o->failed.code == ERR_OK)
                open_file(o);
            continue;
        }
        log_codec_pack(o->codec, (struct sv){ lines.p, n }, &o->packed);
        write_packed(o);
        o->file_bytes += n;
        lines = sv_from(lines, n);
    }
}

enum errc log_output_close(struct log_output *o, bool finished, struct err *err)
{
    const char *from = o->rolling ? o->status : o->path;
    const char *to = o->rolling ? o->final_status : o->final_path;
    enum errc rc;

    close_file(o);
    if (o->failed.code == ERR_OK && finished && rename(from, to))
        err_set(&o->failed, ERR_OUTPUT, "%s: %s", to, strerror(errno));
    rc = o->failed.code;
    if (rc != ERR_OK && err)
        *err = o->failed;
    log_output_free(o);
    return rc;
}
