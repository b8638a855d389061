/* Zip archives as the History Server exports them: a list of members, and the bytes
 * of one member as a stream. Stored and deflated members, zip64, data descriptors.
 *
 * Nothing is trusted: names are text, offsets and sizes are checked when they are
 * used, and a member is never held in memory as a whole. */
#ifndef ANALYZER_ZIP_H
#define ANALYZER_ZIP_H

#include "base/arena.h"
#include "base/err.h"

struct zip_member {
    struct sv name;  /* as the archive has it: may hold "..", any byte */
    uint16_t method; /* 0 stored, 8 deflate */
    bool encrypted;
    bool sum_known;       /* crc and full_bytes are set */
    uint32_t crc;         /* of the unpacked bytes */
    int64_t stored_bytes; /* -1: up to where deflate ends, or to the end of the file */
    int64_t full_bytes;
    int64_t header_at; /* offset of the local header */
};

struct zip_index {
    struct zip_member *members; /* in the arena, in the archive's order */
    size_t n, cap;
    bool recovered; /* the central directory is missing or damaged: the members were
                     * found by their local headers, and the last may be cut off */
};

bool zip_detect(const void *head, size_t len);

/* Lists the members of the archive in fd, of `size` bytes. fd is read with pread.
 * ERR_CORRUPT: not one member can be found. */
enum errc zip_index_read(struct zip_index *index, int fd, int64_t size,
                         struct arena *arena, struct err *err) MUST_CHECK;

/* The unpacked bytes of one member. */
struct zip_stream;

/* ERR_CORRUPT: no member begins there. ERR_LIMIT: encrypted or an unknown method.
 * fd is borrowed. */
enum errc zip_stream_open(struct zip_stream **out, int fd,
                          const struct zip_member *member, struct err *err) MUST_CHECK;
/* As a pull function of struct feed; zs is a struct zip_stream. NEXT_END also where
 * damage stops it. */
enum next zip_stream_read(void *zs, void *buf, size_t size, size_t *got, struct err *err);
/* NULL: none so far. One line of text. */
const char *zip_stream_damage(const struct zip_stream *zs, bool *truncated,
                              int64_t *at_byte);
/* Stored bytes of the member used so far. */
int64_t zip_stream_consumed(const struct zip_stream *zs);
void zip_stream_close(struct zip_stream *zs); /* NULL is fine */

#endif
