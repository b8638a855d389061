/* The list of codecs, the window they read from, and the codec of plain files. */
#include "analyzer/codec.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Large enough that system calls do not count, small enough for the cache. */
#define FEED_BYTES ((size_t)256 << 10)

static const struct codec_class *const classes[] = {
    &codec_zstd,   &codec_lz4_block, &codec_lz4_frame,
    &codec_snappy, &codec_lzf,       &codec_gzip,
};

const struct codec_class *codec_class_of(const unsigned char *head, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (classes[i]->fits(head, len))
            return classes[i];
    }
    return &codec_none;
}

enum codec codec_detect(const void *head, size_t len)
{
    return codec_class_of(head, len)->codec;
}

const char *codec_name(enum codec codec)
{
    switch (codec) {
    case CODEC_NONE:
        return "none";
    case CODEC_ZSTD:
        return "zstd";
    case CODEC_LZ4:
        return "lz4";
    case CODEC_SNAPPY:
        return "snappy";
    case CODEC_LZF:
        return "lzf";
    case CODEC_GZIP:
        return "gzip";
    }
    return "none";
}

/* Makes room behind the window for at least `more` bytes. */
static void feed_room(struct feed *in, size_t want)
{
    size_t cap = want > FEED_BYTES ? want : FEED_BYTES;

    if (in->len && in->p != in->buf)
        memmove(in->buf, in->p, in->len);
    if (cap > in->cap) {
        in->buf = xrealloc(in->buf, cap);
        in->cap = cap;
    }
    in->p = in->buf;
}

enum next feed_want(struct feed *in, size_t want, struct err *err)
{
    if (LIKELY(in->len >= want))
        return NEXT_ITEM;
    if (in->ended)
        return NEXT_END;
    feed_room(in, want);
    while (in->len < want) {
        size_t got = 0;
        enum next step =
            in->pull(in->from, in->buf + in->len, in->cap - in->len, &got, err);

        if (step == NEXT_FAIL)
            return NEXT_FAIL;
        if (step == NEXT_END) {
            in->ended = true;
            return NEXT_END;
        }
        in->len += got;
    }
    return NEXT_ITEM;
}

void feed_take(struct feed *in, size_t n)
{
    in->p += n;
    in->len -= n;
    in->at_byte += (int64_t)n;
}

void feed_release(struct feed *in)
{
    free(in->buf);
    *in = (struct feed){ 0 };
}

void codec_made(struct codec_io *io, size_t n)
{
    io->out += n;
    io->room -= n;
    io->made += n;
}

bool codec_would_wait(const struct codec_io *io, size_t n)
{
    return io->made && io->in.len < n && !io->in.ended;
}

static void damage_text(struct codec_io *io, const char *fmt, va_list ap)
{
    io->damage.at_byte = io->in.at_byte;
    vsnprintf(io->damage.text, sizeof io->damage.text, fmt, ap);
}

enum next codec_truncated(struct codec_io *io, const char *fmt, ...)
{
    va_list ap;

    if (io->damage.truncated || io->damage.corrupt)
        return NEXT_END;
    va_start(ap, fmt);
    io->damage.truncated = true;
    damage_text(io, fmt, ap);
    va_end(ap);
    return NEXT_END;
}

enum next codec_corrupt(struct codec_io *io, const char *fmt, ...)
{
    va_list ap;

    if (io->damage.truncated || io->damage.corrupt)
        return NEXT_END;
    va_start(ap, fmt);
    io->damage.corrupt = true;
    damage_text(io, fmt, ap);
    va_end(ap);
    return NEXT_END;
}

/* ---- not packed at all ---------------------------------------------------------- */

/* What the window holds (the bytes looked at for detection), and from then on
 * straight into the caller's buffer. */
static enum next none_read(void *state, struct codec_io *io, struct err *err)
{
    struct feed *in = &io->in;
    size_t n = in->len < io->room ? in->len : io->room;

    (void)state;
    if (n) {
        memcpy(io->out, in->p, n);
        feed_take(in, n);
        codec_made(io, n);
        return NEXT_ITEM;
    }
    if (in->ended)
        return NEXT_END;
    enum next step = in->pull(in->from, io->out, io->room, &n, err);
    if (step == NEXT_ITEM) {
        in->at_byte += (int64_t)n;
        codec_made(io, n);
    }
    return step;
}

static bool none_fits(const unsigned char *head, size_t len)
{
    (void)head;
    (void)len;
    return true;
}

const struct codec_class codec_none = {
    .codec = CODEC_NONE,
    .fits = none_fits,
    .read = none_read,
};
