/* Drives the codecs made of chunks. A chunk is unpacked into the caller's buffer
 * where it fits there, else into one of ours and copied from it. */
#include "analyzer/codec_chunk.h"

#include "base/mem.h"

#include <stdlib.h>

struct chunk_state {
    unsigned char *bytes; /* one unpacked chunk */
    size_t cap;
    size_t at, len; /* not yet handed out: [at, len) */
};

void *chunk_open(void)
{
    return xcalloc(1, sizeof(struct chunk_state));
}

void chunk_close(void *state)
{
    struct chunk_state *st = state;

    free(st->bytes);
    free(st);
}

enum next chunk_head_bytes(struct codec_io *io, const char *unit, size_t n,
                           struct err *err)
{
    enum next got = feed_want(&io->in, n, err);

    if (got == NEXT_END && io->in.len)
        return codec_truncated(io, "the header of the last %s is cut off", unit);
    return got;
}

static void hand_out(struct chunk_state *st, struct codec_io *io)
{
    size_t n = st->len - st->at < io->room ? st->len - st->at : io->room;

    memcpy(io->out, st->bytes + st->at, n);
    st->at += n;
    codec_made(io, n);
}

static void keep_room(struct chunk_state *st, size_t n)
{
    if (n <= st->cap)
        return;
    free(st->bytes); /* handed out already: nothing to carry over */
    st->bytes = xmalloc(n);
    st->cap = n;
}

/* Takes the chunk, whose header and stored bytes are in the window. */
static enum next take_chunk(const struct chunk_class *class, struct chunk_state *st,
                            const struct chunk *c, struct codec_io *io)
{
    bool direct = c->full_bytes <= io->room;
    const char *wrong = NULL;

    if (!direct)
        keep_room(st, c->full_bytes);
    if (c->full_bytes)
        wrong = class->unpack(c, io->in.p + c->head_bytes, direct ? io->out : st->bytes);
    if (wrong)
        return codec_corrupt(io, "%s: %s", class->unit, wrong);
    feed_take(&io->in, c->head_bytes + c->stored_bytes);
    if (direct) {
        codec_made(io, c->full_bytes);
    } else {
        st->at = 0;
        st->len = c->full_bytes;
    }
    return NEXT_ITEM;
}

/* Header and stored bytes of the next chunk in the window. */
static enum next next_chunk(const struct chunk_class *class, struct chunk *c,
                            struct codec_io *io, struct err *err)
{
    enum next got = class->head(io, c, err);

    if (got != NEXT_ITEM)
        return got;
    got = feed_want(&io->in, c->head_bytes + c->stored_bytes, err);
    if (got == NEXT_END)
        return codec_truncated(io, "the last %s is cut off", class->unit);
    return got;
}

enum next chunk_read(const struct chunk_class *class, void *state, struct codec_io *io,
                     struct err *err)
{
    struct chunk_state *st = state;

    while (io->room) {
        struct chunk c = { 0 };
        enum next got;

        if (st->at < st->len) {
            hand_out(st, io);
            continue;
        }
        if (codec_would_wait(io, class->head_bytes))
            return NEXT_ITEM;
        if ((got = next_chunk(class, &c, io, err)) != NEXT_ITEM)
            return got;
        if ((got = take_chunk(class, st, &c, io)) != NEXT_ITEM)
            return got;
    }
    return NEXT_ITEM;
}
