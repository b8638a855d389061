/* LZF in the chunks of compress-lzf: "ZV", a type byte (0 stored, 1 packed), the
 * stored length in 16 bits big-endian, for packed chunks the full length likewise.
 * No header, checksum or end mark.
 *
 * Packed bytes are instructions: a control byte below 32 copies that many literals
 * and one more; else its upper three bits are a length (7: add the next byte), the
 * lower five and the next byte a distance less one, and length + 2 bytes are copied
 * from there. Source and target may overlap: that is how runs are written. */
#include "analyzer/codec_chunk.h"

#define HEAD_STORED 5
#define HEAD_PACKED 7

static bool lzf_fits(const unsigned char *head, size_t len)
{
    return len >= 3 && head[0] == 'Z' && head[1] == 'V' && head[2] <= 1;
}

static size_t be16(const unsigned char *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static enum next lzf_head(struct codec_io *io, struct chunk *c, struct err *err)
{
    enum next got = chunk_head_bytes(io, "LZF chunk", HEAD_STORED, err);

    if (got != NEXT_ITEM)
        return got;
    if (!lzf_fits(io->in.p, HEAD_STORED))
        return codec_corrupt(io, "no LZF chunk begins where one is due");
    c->packed = io->in.p[2] == 1;
    c->head_bytes = c->packed ? HEAD_PACKED : HEAD_STORED;
    if ((got = chunk_head_bytes(io, "LZF chunk", c->head_bytes, err)) != NEXT_ITEM)
        return got;
    c->stored_bytes = be16(io->in.p + 3);
    c->full_bytes = c->packed ? be16(io->in.p + 5) : c->stored_bytes;
    return NEXT_ITEM;
}

/* Byte by byte where the copy feeds on itself. */
static void copy_back(unsigned char *to, size_t distance, size_t n)
{
    const unsigned char *from = to - distance;

    if (distance >= n) {
        memcpy(to, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static const char *lzf_unpack(const struct chunk *c, const unsigned char *stored,
                              unsigned char *to)
{
    const unsigned char *p = stored, *end = stored + c->stored_bytes;
    size_t at = 0;

    if (!c->packed) {
        memcpy(to, stored, c->full_bytes);
        return NULL;
    }
    while (p < end) {
        size_t control = *p++, n = control >> 5;

        if (n == 0) {
            n = control + 1;
            if (n > (size_t)(end - p) || n > c->full_bytes - at)
                return "literals pass the end";
            memcpy(to + at, p, n);
            p += n;
        } else {
            if (end - p < (n == 7 ? 2 : 1))
                return "a copy is cut off";
            if (n == 7)
                n += *p++;
            n += 2;
            size_t distance = ((control & 31) << 8 | *p++) + 1;
            if (distance > at || n > c->full_bytes - at)
                return "a copy from outside";
            copy_back(to + at, distance, n);
        }
        at += n;
    }
    return at == c->full_bytes ? NULL : "too short";
}

static const struct chunk_class lzf_chunks = {
    .unit = "LZF chunk",
    .head_bytes = HEAD_STORED,
    .head = lzf_head,
    .unpack = lzf_unpack,
};

static enum next lzf_read(void *state, struct codec_io *io, struct err *err)
{
    return chunk_read(&lzf_chunks, state, io, err);
}

const struct codec_class codec_lzf = {
    .codec = CODEC_LZF,
    .fits = lzf_fits,
    .open = chunk_open,
    .read = lzf_read,
    .close = chunk_close,
};
