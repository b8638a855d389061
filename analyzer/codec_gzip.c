/* gzip: what Databricks packs older parts with, and what people send by mail. */
#include "analyzer/codec_gzip.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <zlib.h>

/* zlib's ways to ask for a wrapper: 16 more is gzip's, a negative window none. */
#define WINDOW_BITS 15
#define WINDOW_GZIP (WINDOW_BITS + 16)
#define WINDOW_BARE (-WINDOW_BITS)

void *codec_inflate_new(bool bare)
{
    z_stream *z = xcalloc(1, sizeof *z);

    if (inflateInit2(z, bare ? WINDOW_BARE : WINDOW_GZIP) != Z_OK)
        die("out of memory (zlib)");
    return z;
}

void codec_inflate_free(void *inflater)
{
    if (inflater)
        inflateEnd(inflater);
    free(inflater);
}

enum frame_step codec_inflate_step(void *inflater, struct frame_io *f)
{
    z_stream *z = inflater;
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

uint32_t codec_crc32(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}

static bool gzip_fits(const unsigned char *head, size_t len)
{
    return len >= 3 && memcmp(head, "\x1F\x8B\x08", 3) == 0;
}

static void *gzip_lib_open(void)
{
    return codec_inflate_new(false);
}

static const struct frame_class gzip_frames = {
    .unit = "gzip member",
    .starts = gzip_fits,
    .open = gzip_lib_open,
    .step = codec_inflate_step,
    .close = codec_inflate_free,
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
