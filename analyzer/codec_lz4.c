/* LZ4 in both framings met in the wild.
 *
 * Spark's `.lz4` is lz4-java's LZ4Block stream, little-endian:
 *
 *     8  "LZ4Block"
 *     1  token: high nibble 1 stored, 2 packed; low nibble L, blocks of 1 << (10 + L)
 *     4  stored length      4  full length
 *     4  xxHash32 of the unpacked bytes, seed 0x9747B28C, top four bits cleared
 *     n  the block
 *
 * A block with both lengths 0 ends a stream; another may follow, and a killed
 * writer leaves the end mark out. The lz4 tool writes standard frames instead. */
#include "analyzer/codec_chunk.h"
#include "analyzer/codec_frame.h"

#include "base/err.h"
#include "base/xxh32.h"

#include <lz4.h>
#include <lz4frame.h>

#define BLOCK_HEAD 21
#define BLOCK_SEED 0x9747B28CU
#define BLOCK_SUM_MASK 0x0FFFFFFFU

enum { BLOCK_STORED = 0x10, BLOCK_PACKED = 0x20 };

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* ---- LZ4Block ------------------------------------------------------------------- */

static bool block_fits(const unsigned char *head, size_t len)
{
    return len >= 8 && memcmp(head, "LZ4Block", 8) == 0;
}

static enum next block_head(struct codec_io *io, struct chunk *c, struct err *err)
{
    enum next got = chunk_head_bytes(io, "LZ4 block", BLOCK_HEAD, err);
    const unsigned char *p = io->in.p;

    if (got != NEXT_ITEM)
        return got;
    if (!block_fits(p, BLOCK_HEAD))
        return codec_corrupt(io, "no LZ4 block begins where one is due");
    unsigned method = p[8] & 0xF0;
    c->head_bytes = BLOCK_HEAD;
    c->stored_bytes = le32(p + 9);
    c->full_bytes = le32(p + 13);
    c->sum = le32(p + 17);
    c->packed = method == BLOCK_PACKED;
    if (!c->packed && method != BLOCK_STORED)
        return codec_corrupt(io, "LZ4 block: unknown method 0x%02x", p[8]);
    if (c->full_bytes > CODEC_CHUNK_MAX ||
        c->stored_bytes > (size_t)LZ4_compressBound((int)c->full_bytes))
        return codec_corrupt(io, "LZ4 block: impossible length %zu of %zu",
                             c->stored_bytes, c->full_bytes);
    if (!c->full_bytes)
        c->stored_bytes = 0; /* an end mark */
    else if (!c->packed && c->stored_bytes != c->full_bytes)
        return codec_corrupt(io, "LZ4 block: a stored block with two lengths");
    return NEXT_ITEM;
}

static const char *block_unpack(const struct chunk *c, const unsigned char *stored,
                                unsigned char *to)
{
    if (!c->packed) {
        memcpy(to, stored, c->full_bytes);
    } else {
        int made = LZ4_decompress_safe((const char *)stored, (char *)to,
                                       (int)c->stored_bytes, (int)c->full_bytes);

        if (made < 0 || (size_t)made != c->full_bytes)
            return "cannot be unpacked";
    }
    if ((xxh32(to, c->full_bytes, BLOCK_SEED) & BLOCK_SUM_MASK) != c->sum)
        return "wrong checksum";
    return NULL;
}

static const struct chunk_class block_chunks = {
    .unit = "LZ4 block",
    .head_bytes = BLOCK_HEAD,
    .head = block_head,
    .unpack = block_unpack,
};

static enum next block_read(void *state, struct codec_io *io, struct err *err)
{
    return chunk_read(&block_chunks, state, io, err);
}

const struct codec_class codec_lz4_block = {
    .codec = CODEC_LZ4,
    .fits = block_fits,
    .open = chunk_open,
    .read = block_read,
    .close = chunk_close,
};

/* ---- standard frames ------------------------------------------------------------ */

static bool frame_fits(const unsigned char *head, size_t len)
{
    return len >= 4 && memcmp(head, "\x04\x22\x4D\x18", 4) == 0;
}

static void *frame_lib_open(void)
{
    LZ4F_dctx *ctx = NULL;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION)))
        die("out of memory (LZ4 frame)");
    return ctx;
}

static void frame_lib_close(void *lib)
{
    LZ4F_freeDecompressionContext(lib);
}

static enum frame_step frame_lib_step(void *lib, struct frame_io *f)
{
    size_t hint = LZ4F_decompress(lib, f->out, &f->out_len, f->in, &f->in_len, NULL);

    if (LZ4F_isError(hint)) {
        f->wrong = LZ4F_getErrorName(hint);
        f->in_len = f->out_len = 0;
        return FRAME_BAD;
    }
    /* The hint ends behind the next block's header of 4 bytes: see codec_frame.h. */
    f->want = hint > 4 ? hint - 4 : hint;
    return hint ? FRAME_MORE : FRAME_END;
}

static const struct frame_class lz4_frames = {
    .unit = "LZ4 frame",
    .starts = frame_fits,
    .open = frame_lib_open,
    .step = frame_lib_step,
    .close = frame_lib_close,
};

static void *lz4_frame_open(void)
{
    return frame_open(&lz4_frames);
}

const struct codec_class codec_lz4_frame = {
    .codec = CODEC_LZ4,
    .fits = frame_fits,
    .open = lz4_frame_open,
    .read = frame_read,
    .close = frame_close,
};
