/* snappy-java's stream: not the framing format of Snappy itself. A header of 16
 * bytes (magic, then two big-endian versions), then chunks of a big-endian length
 * and one raw Snappy block. No checksum, no end mark. Streams may be joined: a
 * header then stands where a length is due, and is negative as one. */
#include "analyzer/codec_chunk.h"

#include <snappy-c.h>

#define STREAM_HEAD 16
#define LENGTH_BYTES 4
#define VARINT_BYTES 5 /* at most, of the unpacked length at a block's beginning */

static bool snappy_fits(const unsigned char *head, size_t len)
{
    return len >= 8 && memcmp(head, "\x82SNAPPY\0", 8) == 0;
}

/* The unpacked length that the block states of itself. */
static bool full_length(const unsigned char *block, size_t n, size_t *full)
{
    return snappy_uncompressed_length((const char *)block, n, full) == SNAPPY_OK;
}

static enum next snappy_head(struct codec_io *io, struct chunk *c, struct err *err)
{
    enum next got = chunk_head_bytes(io, "snappy chunk", LENGTH_BYTES, err);

    if (got != NEXT_ITEM)
        return got;
    if (io->in.p[0] == 0x82) {
        if ((got = chunk_head_bytes(io, "snappy stream", STREAM_HEAD, err)) != NEXT_ITEM)
            return got;
        if (!snappy_fits(io->in.p, STREAM_HEAD))
            return codec_corrupt(io, "no snappy chunk begins where one is due");
        c->head_bytes = STREAM_HEAD;
        return NEXT_ITEM;
    }
    const unsigned char *p = io->in.p;
    c->packed = true;
    c->head_bytes = LENGTH_BYTES;
    c->stored_bytes = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (!c->stored_bytes ||
        c->stored_bytes > snappy_max_compressed_length(CODEC_CHUNK_MAX))
        return codec_corrupt(io, "snappy chunk: impossible length %zu", c->stored_bytes);
    size_t look = c->stored_bytes < VARINT_BYTES ? c->stored_bytes : VARINT_BYTES;
    if ((got = chunk_head_bytes(io, "snappy chunk", LENGTH_BYTES + look, err)) !=
        NEXT_ITEM)
        return got;
    if (!full_length(io->in.p + LENGTH_BYTES, look, &c->full_bytes) ||
        c->full_bytes > CODEC_CHUNK_MAX)
        return codec_corrupt(io, "snappy chunk: impossible unpacked length");
    return NEXT_ITEM;
}

static const char *snappy_unpack(const struct chunk *c, const unsigned char *stored,
                                 unsigned char *to)
{
    size_t made = c->full_bytes;
    snappy_status rc =
        snappy_uncompress((const char *)stored, c->stored_bytes, (char *)to, &made);

    return rc == SNAPPY_OK && made == c->full_bytes ? NULL : "cannot be unpacked";
}

static const struct chunk_class snappy_chunks = {
    .unit = "snappy chunk",
    .head_bytes = LENGTH_BYTES,
    .head = snappy_head,
    .unpack = snappy_unpack,
};

static enum next snappy_read(void *state, struct codec_io *io, struct err *err)
{
    return chunk_read(&snappy_chunks, state, io, err);
}

const struct codec_class codec_snappy = {
    .codec = CODEC_SNAPPY,
    .fits = snappy_fits,
    .open = chunk_open,
    .read = snappy_read,
    .close = chunk_close,
};
