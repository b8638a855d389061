/* Codecs made of chunks: a header with both lengths, then the packed bytes. A chunk
 * is delivered whole or not at all. */
#ifndef ANALYZER_CODEC_CHUNK_H
#define ANALYZER_CODEC_CHUNK_H

#include "analyzer/codec.h"

struct chunk {
    size_t head_bytes;   /* of the header, in front of the stored bytes */
    size_t stored_bytes; /* at most CODEC_CHUNK_MAX and a bit */
    size_t full_bytes;   /* unpacked, at most CODEC_CHUNK_MAX; 0: carries no text */
    bool packed;         /* false: stored as it is */
    uint32_t sum;        /* of the unpacked bytes, where the codec has one */
};

struct chunk_class {
    const char *unit;  /* for messages: "LZ4 block" */
    size_t head_bytes; /* of the shortest header */
    /* Reads the header at the window's beginning, without taking it. NEXT_END: no
     * more chunks, or damage, which it has noted. */
    enum next (*head)(struct codec_io *io, struct chunk *c, struct err *err);
    /* Unpacks into full_bytes at `to`. NULL, or what is wrong. */
    const char *(*unpack)(const struct chunk *c, const unsigned char *stored,
                          unsigned char *to);
};

/* The state of all chunk codecs: an unpacked chunk that did not fit the caller's
 * buffer. */
void *chunk_open(void);
enum next chunk_read(const struct chunk_class *class, void *state, struct codec_io *io,
                     struct err *err);
void chunk_close(void *state);

/* The header's first n bytes in the window; NEXT_END at the stream's end, which is
 * noted as damage unless it falls between chunks. */
enum next chunk_head_bytes(struct codec_io *io, const char *unit, size_t n,
                           struct err *err);

#endif
