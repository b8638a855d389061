/* Zstandard, as Spark and the zstd tool write it. Spark opens its frame for
 * "continuous" reading: an unfinished one is good up to its last whole block. */
#include "analyzer/codec_frame.h"

#include "base/err.h"

#include <zstd.h>

/* `zstd --long` goes up to 128 MiB; a header that asks for more is refused. */
#define WINDOW_LOG_MAX 27

static bool zstd_fits(const unsigned char *head, size_t len)
{
    if (len < 4)
        return false;
    return memcmp(head, "\x28\xB5\x2F\xFD", 4) == 0 ||
           ((head[0] & 0xF0) == 0x50 && memcmp(head + 1, "\x2A\x4D\x18", 3) == 0);
}

static void *zstd_lib_open(void)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();

    if (!ctx)
        die("out of memory (zstd)");
    ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return ctx;
}

static void zstd_lib_close(void *lib)
{
    ZSTD_freeDCtx(lib);
}

static enum frame_step zstd_lib_step(void *lib, struct frame_io *f)
{
    ZSTD_inBuffer in = { f->in, f->in_len, 0 };
    ZSTD_outBuffer out = { f->out, f->out_len, 0 };
    size_t hint = ZSTD_decompressStream(lib, &out, &in);

    if (ZSTD_isError(hint)) {
        f->wrong = ZSTD_getErrorName(hint);
        f->in_len = f->out_len = 0;
        return FRAME_BAD;
    }
    f->in_len = in.pos;
    f->out_len = out.pos;
    f->want = hint > 3 ? hint - 3 : hint; /* a block header has 3 bytes */
    return hint ? FRAME_MORE : FRAME_END;
}

static const struct frame_class zstd_frames = {
    .unit = "zstd frame",
    .starts = zstd_fits,
    .open = zstd_lib_open,
    .step = zstd_lib_step,
    .close = zstd_lib_close,
};

static void *zstd_open(void)
{
    return frame_open(&zstd_frames);
}

const struct codec_class codec_zstd = {
    .codec = CODEC_ZSTD,
    .fits = zstd_fits,
    .open = zstd_open,
    .read = frame_read,
    .close = frame_close,
};
