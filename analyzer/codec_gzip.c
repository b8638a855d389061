/* gzip: what Databricks packs older parts with, and what people send by mail. */
#include "analyzer/codec_frame.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for the gzip wrapper */

static bool gzip_fits(const unsigned char *head, size_t len)
{
    return len >= 3 && memcmp(head, "\x1F\x8B\x08", 3) == 0;
}

static void *gzip_lib_open(void)
{
    z_stream *z = xcalloc(1, sizeof *z);

    if (inflateInit2(z, GZIP_WINDOW) != Z_OK)
        die("out of memory (zlib)");
    return z;
}

static void gzip_lib_close(void *lib)
{
    inflateEnd(lib);
    free(lib);
}

static enum frame_step gzip_lib_step(void *lib, struct frame_io *f)
{
    z_stream *z = lib;
    uInt in_len = f->in_len > UINT32_MAX ? UINT32_MAX : (uInt)f->in_len;
    uInt out_len = f->out_len > UINT32_MAX ? UINT32_MAX : (uInt)f->out_len;

    z->next_in = (Bytef *)(uintptr_t)f->in; /* zlib does not write there */
    z->avail_in = in_len;
    z->next_out = f->out;
    z->avail_out = out_len;
    int rc = inflate(z, Z_NO_FLUSH);
    f->in_len = in_len - z->avail_in;
    f->out_len = out_len - z->avail_out;
    if (rc == Z_STREAM_END) {
        inflateReset(z);
        return FRAME_END;
    }
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return FRAME_MORE;
    f->wrong = z->msg ? z->msg : "cannot be unpacked";
    return FRAME_BAD;
}

static const struct frame_class gzip_frames = {
    .unit = "gzip member",
    .starts = gzip_fits,
    .open = gzip_lib_open,
    .step = gzip_lib_step,
    .close = gzip_lib_close,
};

static void *gzip_open(void)
{
    return frame_open(&gzip_frames);
}

const struct codec_class codec_gzip = {
    .codec = CODEC_GZIP,
    .fits = gzip_fits,
    .open = gzip_open,
    .read = frame_read,
    .close = frame_close,
};
