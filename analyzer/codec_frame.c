/* Drives the codecs made of frames: any number of them, one behind the other. */
#include "analyzer/codec_frame.h"

#include "base/mem.h"

#include <stdlib.h>

/* Every magic number is this long or shorter. */
#define FRAME_MAGIC 4
/* Offered of a new frame, to learn the header's length: given a whole one, zstd would
 * decode it at one go, and tell nothing of it if its last block is broken. */
#define FRAME_FIRST 5

struct frame_state {
    const struct frame_class *class;
    void *lib;
    size_t want;   /* as in struct frame_io */
    bool inside;   /* of a frame */
    bool flushing; /* the last call filled its buffer: the library may hold more */
};

void *frame_open(const struct frame_class *class)
{
    struct frame_state *st = xcalloc(1, sizeof *st);

    st->class = class;
    st->lib = class->open();
    return st;
}

void frame_close(void *state)
{
    struct frame_state *st = state;

    st->class->close(st->lib);
    free(st);
}

/* Between frames: NEXT_ITEM where another one begins. */
static enum next frame_start(struct frame_state *st, struct codec_io *io, struct err *err)
{
    enum next got = feed_want(&io->in, FRAME_MAGIC, err);

    if (got == NEXT_END && io->in.len)
        return codec_truncated(io, "the last %s is cut off", st->class->unit);
    if (got != NEXT_ITEM)
        return got;
    if (!st->class->starts(io->in.p, io->in.len))
        return codec_corrupt(io, "no %s begins where one is due", st->class->unit);
    st->inside = true;
    st->want = FRAME_FIRST;
    return NEXT_ITEM;
}

/* Inside a frame: NEXT_ITEM where there are bytes to offer. */
static enum next frame_more(struct frame_state *st, struct codec_io *io, struct err *err)
{
    enum next got = feed_want(&io->in, 1, err);

    if (got == NEXT_END)
        return codec_truncated(io, "the last %s is unfinished", st->class->unit);
    return got;
}

static enum next frame_decode(struct frame_state *st, struct codec_io *io)
{
    struct frame_io f = {
        .in = io->in.p,
        .in_len = st->want && st->want < io->in.len ? st->want : io->in.len,
        .out = io->out,
        .out_len = io->room,
    };

    if (st->flushing)
        f.in_len = 0; /* first what is ready: the next block may be damaged */
    bool offered = f.in_len > 0;
    enum frame_step step = st->class->step(st->lib, &f);
    st->want = f.want;
    st->inside = step == FRAME_MORE;
    st->flushing = st->inside && f.out_len == io->room;
    feed_take(&io->in, f.in_len);
    codec_made(io, f.out_len);
    if (step == FRAME_BAD)
        return codec_corrupt(io, "%s: %s", st->class->unit, f.wrong);
    if (step == FRAME_MORE && offered && !f.in_len && !f.out_len)
        return codec_corrupt(io, "%s: cannot be unpacked", st->class->unit);
    return NEXT_ITEM;
}

enum next frame_read(void *state, struct codec_io *io, struct err *err)
{
    struct frame_state *st = state;
    enum next got = NEXT_ITEM;

    while (io->room && got == NEXT_ITEM) {
        if (!st->flushing && codec_would_wait(io, st->inside ? 1 : FRAME_MAGIC))
            break;
        if (!st->inside)
            got = frame_start(st, io, err);
        else if (!st->flushing)
            got = frame_more(st, io, err);
        if (got == NEXT_ITEM)
            got = frame_decode(st, io);
    }
    return got;
}
