/* Codecs made of frames that a library decodes as a stream. */
#ifndef ANALYZER_CODEC_FRAME_H
#define ANALYZER_CODEC_FRAME_H

#include "analyzer/codec.h"

enum frame_step { FRAME_MORE, FRAME_END, FRAME_BAD };

/* One call of the library. */
struct frame_io {
    const unsigned char *in;
    size_t in_len; /* bytes offered, then bytes used */
    unsigned char *out;
    size_t out_len;    /* room, then bytes made */
    size_t want;       /* set by the step: most bytes to offer next; 0: any number */
    const char *wrong; /* set with FRAME_BAD */
};

/* zstd and LZ4F tell nothing of what they decoded in a call that ends in an error.
 * So they are offered one block, then the next block's header, never both: `want`
 * is their hint without that header. Whole blocks decode in place, without a copy. */
struct frame_class {
    const char *unit;                                      /* "zstd frame" */
    bool (*starts)(const unsigned char *head, size_t len); /* of 4 bytes */
    void *(*open)(void);
    enum frame_step (*step)(void *lib, struct frame_io *f);
    void (*close)(void *lib);
};

void *frame_open(const struct frame_class *class);
enum next frame_read(void *state, struct codec_io *io, struct err *err);
void frame_close(void *state);

#endif
