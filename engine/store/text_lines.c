#include "engine/store/text_lines.h"

#include "base/mem.h"
#include "engine/store/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEP = 1 << 20 };
#define MAX_UNPACKED ((size_t)8 << 30)

static enum compression codec_of(struct sv path)
{
    if (sv_ends(path, sv(".gz")))
        return COMPRESS_GZIP;
    if (sv_ends(path, sv(".zst")) || sv_ends(path, sv(".zstd")))
        return COMPRESS_ZSTD;
    return COMPRESS_NONE;
}

bool text_compressed(struct sv path)
{
    return codec_of(path) != COMPRESS_NONE;
}

static enum errc fill(struct text_lines *t, struct err *err)
{
    ssize_t got;

    if (t->from > 0 && t->from == t->to)
        t->from = t->to = 0;
    if (t->cap - t->to < STEP / 2 && t->from > t->cap / 2) {
        memmove(t->buf, t->buf + t->from, t->to - t->from);
        t->to -= t->from;
        t->from = 0;
    }
    if (t->cap - t->to < STEP / 2) {
        if (t->cap >= TEXT_MAX_LINE)
            return err_set(err, ERR_LIMIT, "%s: a line of over 1 GiB at byte %lld",
                           t->path, (long long)t->at);
        t->cap = t->cap ? t->cap * 2 : STEP;
        t->buf = xrealloc(t->buf, t->cap);
    }
    got = pread(t->fd, t->buf + t->to, t->cap - t->to, t->file_at);
    if (got < 0)
        return err_set(err, ERR_OPEN, "%s: %s", t->path, strerror(errno));
    t->eof = got == 0;
    t->to += (size_t)got;
    t->file_at += got;
    t->bytes_read += got;
    return ERR_OK;
}

static enum errc unpack(struct text_lines *t, enum compression c, struct err *err)
{
    struct strbuf out = { 0 };
    enum errc rc;

    while (!t->eof)
        TRY(fill(t, err));
    rc = decompress_all(c, (struct sv){ t->buf ? t->buf : "", t->to }, MAX_UNPACKED, &out,
                        err);
    if (rc != ERR_OK) {
        err_prefix(err, "%s", t->path);
        strbuf_release(&out);
        return rc;
    }
    free(t->buf);
    t->buf = out.p;
    t->to = out.len;
    t->cap = out.cap;
    t->end = INT64_MAX;
    return ERR_OK;
}

enum errc text_lines_open(struct text_lines *t, struct arena *a,
                          const struct data_file *file, int64_t offset, int64_t length,
                          struct err *err)
{
    enum compression c = codec_of(file->path);
    struct sv skipped;

    *t = (struct text_lines){ .path = arena_printf(a, "%.*s", (int)file->path.len,
                                                   file->path.p) };
    t->fd = open(t->path, O_RDONLY | O_CLOEXEC);
    if (t->fd < 0)
        return err_set(err, ERR_OPEN, "%s: %s", t->path, strerror(errno));
    t->buf = xmalloc(STEP);
    t->cap = STEP;
    if (c != COMPRESS_NONE) {
        if (offset > 0) /* all of it is the first share's */
            t->eof = true;
        else
            TRY(unpack(t, c, err));
        return ERR_OK;
    }
    t->at = t->file_at = offset;
    t->end = add_sat(offset, length);
    if (offset > 0 && text_lines_next(t, &skipped, err) == NEXT_FAIL)
        return err ? err->code : ERR_OPEN;
    if (offset == 0) {
        TRY(fill(t, err));
        if (t->to >= 3 &&
            memcmp(t->buf, "\xef\xbb\xbf", 3) == 0) { /* a byte-order mark */
            t->from = 3;
            t->mark_bytes = 3;
        }
    }
    return ERR_OK;
}

enum next text_lines_next(struct text_lines *t, struct sv *line, struct err *err)
{
    size_t seen = 0;

    if (t->at > t->end)
        return NEXT_END;
    for (;;) {
        const char *start = t->buf + t->from;
        size_t have = t->to - t->from;
        const char *nl = have > seen ? memchr(start + seen, '\n', have - seen) : NULL;

        if (nl || (t->eof && have > 0)) {
            size_t len = nl ? (size_t)(nl - start) : have, used = len + (nl != NULL);

            t->from += used;
            t->at += (int64_t)used + t->mark_bytes;
            t->mark_bytes = 0;
            if (len > 0 && start[len - 1] == '\r')
                len--;
            *line = (struct sv){ start, len };
            return NEXT_ITEM;
        }
        if (t->eof)
            return NEXT_END;
        seen = have;
        if (fill(t, err) != ERR_OK)
            return NEXT_FAIL;
    }
}

enum errc text_lines_rest(struct text_lines *t, struct sv *all, struct err *err)
{
    while (!t->eof)
        TRY(fill(t, err));
    *all = (struct sv){ t->buf ? t->buf + t->from : "", t->to - t->from };
    t->from = t->to;
    t->at = INT64_MAX;
    t->end = 0;
    return ERR_OK;
}

void text_lines_close(struct text_lines *t)
{
    if (t->buf || t->path) {
        free(t->buf);
        if (t->fd >= 0)
            close(t->fd);
    }
    *t = (struct text_lines){ .fd = -1 };
}
