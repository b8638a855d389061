/* The codecs an event log may be packed with: what each offers to the decoder,
 * and the window of stored bytes that all of them read from.
 *
 * Two kinds of framing cover all six. Chunks (LZ4Block, snappy, LZF) have a header
 * with both lengths and are unpacked whole: codec_chunk.c drives them. Frames
 * (zstd, LZ4 frame, gzip) are streams of their library: codec_frame.c. */
#ifndef ANALYZER_CODEC_H
#define ANALYZER_CODEC_H

#include "analyzer/source.h"

/* No writer of event logs makes chunks larger than this (lz4-java's limit; Spark's
 * are 32 KiB): a header that claims more is damage, not a reason to allocate. */
#define CODEC_CHUNK_MAX ((size_t)32 << 20)

/* A window over stored bytes that refills itself. Zeroed but for pull and from:
 * at the beginning. */
struct feed {
    const unsigned char *p; /* the next byte */
    size_t len;             /* bytes in the window from p on */
    int64_t at_byte;        /* offset of p in the stream */
    bool ended;             /* nothing follows the window */
    unsigned char *buf;     /* owned; p points into it */
    size_t cap;
    /* Up to size bytes: NEXT_ITEM with *got > 0, NEXT_END, NEXT_FAIL. */
    enum next (*pull)(void *from, void *buf, size_t size, size_t *got, struct err *err);
    void *from;
};

/* NEXT_ITEM: at least want bytes are in the window. NEXT_END: the stream has fewer. */
enum next feed_want(struct feed *in, size_t want, struct err *err) MUST_CHECK;
void feed_take(struct feed *in, size_t n); /* n <= in->len */
void feed_release(struct feed *in);

/* What a codec works on during one call of decoder_read. */
struct codec_io {
    struct feed in;
    unsigned char *out; /* where the next decoded byte goes */
    size_t room;        /* bytes free there */
    size_t made;        /* bytes put there in this call */
    struct decode_damage damage;
};

void codec_made(struct codec_io *io, size_t n);
/* True where asking for n stored bytes may wait though there is something to hand out. */
bool codec_would_wait(const struct codec_io *io, size_t n);
/* Note damage (the first one stays) at io->in.at_byte; return NEXT_END. */
enum next codec_truncated(struct codec_io *io, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum next codec_corrupt(struct codec_io *io, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct codec_class {
    enum codec codec;
    bool (*fits)(const unsigned char *head, size_t len); /* by the first bytes */
    void *(*open)(void);                                 /* NULL: without state */
    /* Fills what it can of io->out. NEXT_ITEM: io->made > 0. NEXT_END: at the end, or
     * stopped by damage, with io->made >= 0. */
    enum next (*read)(void *state, struct codec_io *io, struct err *err);
    void (*close)(void *state); /* NULL where open is */
};

/* The class for stored bytes that begin so; never NULL. */
const struct codec_class *codec_class_of(const unsigned char *head, size_t len);
/* Bytes that codec_class_of wants to see. */
#define CODEC_HEAD_BYTES 16

extern const struct codec_class codec_none, codec_zstd, codec_lz4_block, codec_lz4_frame,
    codec_snappy, codec_lzf, codec_gzip;

#endif
