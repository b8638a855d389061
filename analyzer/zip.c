/* Zip archives. The parts that count, all little-endian:
 *
 *     PK34 local header (30 bytes), name, extra, the member's bytes
 *          [PK78 descriptor: crc, stored and full length; flag 3]
 *     ...
 *     PK12 central header (46 bytes), name, extra, comment
 *     ...
 *     [PK66 zip64 end record]  [PK67 its locator, 20 bytes]
 *     PK56 end record (22 bytes), comment of up to 64 KiB
 *
 * Reading starts at the end. Where that fails - a download that broke off - the
 * local headers are walked from the front instead. A member written as a stream
 * (the History Server's are) does not state its length there: the descriptor behind
 * it is searched, and counts where the length it states is the way to it.
 *
 * Not handled: archives in several volumes, encryption, methods other than 0 and 8. */
#include "analyzer/zip.h"

#include "analyzer/codec_gzip.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define LOCAL_HEAD 30
#define CENTRAL_HEAD 46
#define END_HEAD 22
#define LOCATOR_HEAD 20
#define END64_HEAD 56
#define COMMENT_MAX 65535

#define SIG_LOCAL 0x04034b50U
#define SIG_CENTRAL 0x02014b50U
#define SIG_END 0x06054b50U
#define SIG_LOCATOR 0x07064b50U
#define SIG_END64 0x06064b50U
#define SIG_DESCRIPTOR 0x08074b50U

enum { METHOD_STORED = 0, METHOD_DEFLATE = 8 };
enum { FLAG_ENCRYPTED = 1, FLAG_DESCRIPTOR = 8 };

/* A length or offset that is in the zip64 extra field instead. */
#define ELSEWHERE 0xFFFFFFFFU

static uint32_t le16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
    return le16(p) | le16(p + 2) << 16;
}

/* Lengths beyond int64 are lies; they become the largest number. */
static int64_t le64(const unsigned char *p)
{
    uint64_t v = (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;

    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

bool zip_detect(const void *head, size_t len)
{
    return len >= 4 && (le32(head) == SIG_LOCAL || le32(head) == SIG_END);
}

/* ---- reading a piece of the archive --------------------------------------------- */

/* [at, end) of the file, as the source of a feed. */
struct span {
    int fd;
    int64_t at, end;
};

static enum next span_pull(void *from, void *buf, size_t size, size_t *got,
                           struct err *err)
{
    struct span *s = from;
    ssize_t n;

    if (s->at >= s->end)
        return NEXT_END;
    if ((int64_t)size > s->end - s->at)
        size = (size_t)(s->end - s->at);
    do {
        n = pread(s->fd, buf, size, s->at);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        err_set(err, ERR_OPEN, "%s", strerror(errno));
        return NEXT_FAIL;
    }
    s->at += n;
    *got = (size_t)n;
    return n ? NEXT_ITEM : NEXT_END;
}

static struct feed span_feed(struct span *s)
{
    return (struct feed){ .pull = span_pull, .from = s, .at_byte = s->at };
}

/* Exactly n bytes at `at`. False where the file has fewer, or cannot be read. */
static bool read_at(int fd, int64_t at, unsigned char *buf, size_t n)
{
    struct span s = { fd, at, INT64_MAX };
    size_t have = 0;

    if (at < 0 || at > INT64_MAX - (int64_t)n)
        return false;
    while (have < n) {
        size_t got = 0;

        if (span_pull(&s, buf + have, n - have, &got, NULL) != NEXT_ITEM)
            return false;
        have += got;
    }
    return true;
}

/* ---- the index, from the end ---------------------------------------------------- */

static struct zip_member *add_member(struct zip_index *index, struct arena *arena)
{
    if (index->n == index->cap) {
        struct zip_member *old = index->members;

        index->cap = index->cap ? index->cap * 2 : 8;
        index->members = arena_array(arena, index->cap, sizeof *old);
        if (index->n)
            memcpy(index->members, old, index->n * sizeof *old);
    }
    return &index->members[index->n++];
}

/* Lengths that do not fit 32 bits stand in extra field 1, in this order, each only
 * where the header says that it is elsewhere. */
static void zip64_extra(struct zip_member *m, const unsigned char *extra, size_t len,
                        bool full, bool stored, bool header)
{
    while (len >= 4) {
        size_t n = le16(extra + 2);
        const unsigned char *p = extra + 4;

        if (n > len - 4)
            return;
        if (le16(extra) == 1) {
            int64_t *into[] = { full ? &m->full_bytes : NULL,
                                stored ? &m->stored_bytes : NULL,
                                header ? &m->header_at : NULL };

            for (size_t i = 0; i < ARRAY_LEN(into); i++) {
                if (!into[i] || n < 8)
                    continue;
                *into[i] = le64(p);
                p += 8;
                n -= 8;
            }
            return;
        }
        extra += 4 + n;
        len -= 4 + n;
    }
}

/* p is a whole central header with its texts. */
static void central_member(struct zip_member *m, const unsigned char *p,
                           struct arena *arena)
{
    size_t name_len = le16(p + 28), extra_len = le16(p + 30);
    uint32_t stored = le32(p + 20), full = le32(p + 24), header = le32(p + 42);

    *m = (struct zip_member){
        .name = arena_sv(arena, (struct sv){ (const char *)p + CENTRAL_HEAD, name_len }),
        .method = (uint16_t)le16(p + 10),
        .encrypted = le16(p + 8) & FLAG_ENCRYPTED,
        .sum_known = true,
        .crc = le32(p + 16),
        .stored_bytes = stored,
        .full_bytes = full,
        .header_at = header,
    };
    zip64_extra(m, p + CENTRAL_HEAD + name_len, extra_len, full == ELSEWHERE,
                stored == ELSEWHERE, header == ELSEWHERE);
}

/* The end record: the last one whose comment reaches to the end of the file or less.
 * False: there is none. */
static bool find_end(int fd, int64_t size, int64_t *end_at, unsigned char head[END_HEAD])
{
    size_t n = (size_t)min_i64(size, END_HEAD + COMMENT_MAX);
    unsigned char *tail = xmalloc(n);
    bool found = false;

    if (n >= END_HEAD && read_at(fd, size - (int64_t)n, tail, n)) {
        for (size_t at = n - END_HEAD + 1; at-- > 0 && !found;) {
            found =
                le32(tail + at) == SIG_END && le16(tail + at + 20) <= n - END_HEAD - at;
            if (!found)
                continue;
            memcpy(head, tail + at, END_HEAD);
            *end_at = size - (int64_t)n + (int64_t)at;
        }
    }
    free(tail);
    return found;
}

/* Where the central directory lies, and how many members it should have. */
static bool find_central(int fd, int64_t size, struct span *central, int64_t *count)
{
    unsigned char end[END_HEAD], loc[LOCATOR_HEAD], end64[END64_HEAD];
    int64_t end_at;

    if (!find_end(fd, size, &end_at, end))
        return false;
    *count = le16(end + 10);
    *central = (struct span){ fd, le32(end + 16), end_at };
    if (read_at(fd, end_at - LOCATOR_HEAD, loc, sizeof loc) && le32(loc) == SIG_LOCATOR &&
        read_at(fd, le64(loc + 8), end64, sizeof end64) && le32(end64) == SIG_END64) {
        *count = le64(end64 + 32);
        central->at = le64(end64 + 48);
    }
    return true;
}

/* False where the central directory is not all there. */
static bool read_central(struct zip_index *index, int fd, int64_t size,
                         struct arena *arena)
{
    struct span central;
    int64_t count;

    if (!find_central(fd, size, &central, &count))
        return false;
    struct feed in = span_feed(&central);
    while (feed_want(&in, CENTRAL_HEAD, NULL) == NEXT_ITEM && le32(in.p) == SIG_CENTRAL) {
        size_t whole = CENTRAL_HEAD + le16(in.p + 28) + le16(in.p + 30) + le16(in.p + 32);

        if (feed_want(&in, whole, NULL) != NEXT_ITEM)
            break;
        central_member(add_member(index, arena), in.p, arena);
        feed_take(&in, whole);
    }
    feed_release(&in);
    return (int64_t)index->n >= count;
}

/* ---- the index, from the front -------------------------------------------------- */

/* p is a whole local header with its texts. */
static void local_member(struct zip_member *m, const unsigned char *p, int64_t at,
                         struct arena *arena)
{
    size_t name_len = le16(p + 26), extra_len = le16(p + 28);
    uint32_t stored = le32(p + 18), full = le32(p + 22);

    *m = (struct zip_member){
        .name = arena_sv(arena, (struct sv){ (const char *)p + LOCAL_HEAD, name_len }),
        .method = (uint16_t)le16(p + 8),
        .encrypted = le16(p + 6) & FLAG_ENCRYPTED,
        .sum_known = !(le16(p + 6) & FLAG_DESCRIPTOR),
        .crc = le32(p + 14),
        .stored_bytes = stored,
        .full_bytes = full,
        .header_at = at,
    };
    zip64_extra(m, p + LOCAL_HEAD + name_len, extra_len, full == ELSEWHERE,
                stored == ELSEWHERE, false);
}

/* A descriptor at p (24 bytes there) that ends a member of `stored` bytes? */
static bool descriptor_at(const unsigned char *p, int64_t stored, struct zip_member *m)
{
    bool narrow = le32(p + 8) == (uint64_t)stored, wide = le64(p + 8) == stored;

    if (le32(p) != SIG_DESCRIPTOR || (!narrow && !wide))
        return false;
    m->crc = le32(p + 4);
    m->stored_bytes = stored;
    m->full_bytes = wide ? le64(p + 16) : le32(p + 12);
    m->sum_known = true;
    return true;
}

/* Passes over the bytes of a member that does not state its length, and learns the
 * length from the descriptor. Without one the member goes up to the end of the file. */
static void pass_unknown(struct feed *in, struct zip_member *m)
{
    int64_t from = in->at_byte;

    m->stored_bytes = -1;
    while (feed_want(in, 24, NULL) == NEXT_ITEM) {
        const unsigned char *hit = memchr(in->p, 'P', in->len - 23);

        feed_take(in, hit ? (size_t)(hit - in->p) : in->len - 23);
        if (!hit)
            continue;
        if (descriptor_at(in->p, in->at_byte - from, m))
            return;
        feed_take(in, 1);
    }
    feed_take(in, in->len);
}

static void pass_known(struct feed *in, int64_t n)
{
    while (n > 0 && feed_want(in, 1, NULL) == NEXT_ITEM) {
        size_t step = (size_t)min_i64(n, (int64_t)in->len);

        feed_take(in, step);
        n -= (int64_t)step;
    }
}

/* Moves to the next signature of a local header. False: there is none. */
static bool next_local(struct feed *in)
{
    while (feed_want(in, LOCAL_HEAD, NULL) == NEXT_ITEM) {
        const unsigned char *hit = memchr(in->p, 'P', in->len - LOCAL_HEAD + 1);

        feed_take(in, hit ? (size_t)(hit - in->p) : in->len - LOCAL_HEAD + 1);
        if (hit && le32(in->p) == SIG_LOCAL)
            return true;
        if (hit)
            feed_take(in, 1);
    }
    return false;
}

static void read_locals(struct zip_index *index, int fd, int64_t size,
                        struct arena *arena)
{
    struct span all = { fd, 0, size };
    struct feed in = span_feed(&all);

    while (next_local(&in)) {
        size_t whole = LOCAL_HEAD + le16(in.p + 26) + le16(in.p + 28);
        struct zip_member *m;

        if (feed_want(&in, whole, NULL) != NEXT_ITEM)
            break;
        m = add_member(index, arena);
        local_member(m, in.p, in.at_byte, arena);
        feed_take(&in, whole);
        if (m->sum_known)
            pass_known(&in, m->stored_bytes);
        else
            pass_unknown(&in, m);
    }
    feed_release(&in);
}

enum errc zip_index_read(struct zip_index *index, int fd, int64_t size,
                         struct arena *arena, struct err *err)
{
    struct zip_index made = { 0 };

    if (!read_central(&made, fd, size, arena)) {
        made = (struct zip_index){ .recovered = true };
        read_locals(&made, fd, size, arena);
        if (!made.n)
            return err_set(err, ERR_CORRUPT, "a zip archive without any whole member");
    }
    *index = made;
    return ERR_OK;
}

/* ---- one member ----------------------------------------------------------------- */

struct zip_stream {
    struct zip_member member;
    struct span span;
    struct feed in;
    void *inflater;       /* NULL: a stored member */
    enum frame_step step; /* the inflater's last */
    bool ended;
    uint32_t crc;
    int64_t start_at, full_bytes; /* full_bytes: made so far */
    bool truncated;
    int64_t damage_at;
    const char *damage; /* a literal */
};

enum errc zip_stream_open(struct zip_stream **out, int fd,
                          const struct zip_member *member, struct err *err)
{
    unsigned char head[LOCAL_HEAD];
    struct zip_stream *zs;

    if (member->encrypted)
        return err_set(err, ERR_LIMIT, "the zip member is encrypted");
    if (member->method != METHOD_STORED && member->method != METHOD_DEFLATE)
        return err_set(err, ERR_LIMIT, "zip compression method %u is not supported",
                       (unsigned)member->method);
    if (!read_at(fd, member->header_at, head, sizeof head) || le32(head) != SIG_LOCAL)
        return err_set(err, ERR_CORRUPT,
                       "the zip member's header is not at byte %" PRId64,
                       member->header_at);
    zs = xcalloc(1, sizeof *zs);
    zs->member = *member;
    zs->start_at = member->header_at + LOCAL_HEAD + (int64_t)le16(head + 26) +
                   (int64_t)le16(head + 28);
    zs->span = (struct span){ fd, zs->start_at, INT64_MAX };
    if (member->stored_bytes >= 0)
        zs->span.end = add_sat(zs->start_at, member->stored_bytes);
    zs->in = span_feed(&zs->span);
    if (member->method == METHOD_DEFLATE)
        zs->inflater = codec_inflate_new(true);
    *out = zs;
    return ERR_OK;
}

static enum next stream_stop(struct zip_stream *zs, bool truncated, const char *text)
{
    zs->ended = true;
    zs->truncated = truncated;
    zs->damage = text;
    zs->damage_at = zip_stream_consumed(zs);
    return NEXT_END;
}

/* At the member's end: is it what the archive says it is? */
static enum next stream_end(struct zip_stream *zs)
{
    zs->ended = true;
    if (!zs->member.sum_known)
        return NEXT_END;
    if (zs->full_bytes < zs->member.full_bytes)
        return stream_stop(zs, true, "the zip member ends early");
    if (zs->full_bytes != zs->member.full_bytes || zs->crc != zs->member.crc)
        return stream_stop(zs, false, "the zip member has a wrong checksum");
    return NEXT_END;
}

static enum next inflate_some(struct zip_stream *zs, void *buf, size_t size, size_t *got,
                              struct err *err)
{
    while (zs->step == FRAME_MORE) {
        enum next fed = feed_want(&zs->in, 1, err);
        struct frame_io f = {
            .in = zs->in.p, .in_len = zs->in.len, .out = buf, .out_len = size
        };

        if (fed == NEXT_FAIL)
            return NEXT_FAIL;
        zs->step = codec_inflate_step(zs->inflater, &f);
        feed_take(&zs->in, f.in_len);
        *got = f.out_len;
        if (*got)
            return NEXT_ITEM; /* how the step ended is for the next call */
        if (fed == NEXT_END && zs->step == FRAME_MORE)
            return stream_stop(zs, true, "the zip member is cut off");
    }
    if (zs->step == FRAME_END)
        return stream_end(zs);
    return stream_stop(zs, false, "the zip member's deflate stream is damaged");
}

static enum next copy_some(struct zip_stream *zs, void *buf, size_t size, size_t *got,
                           struct err *err)
{
    enum next step = span_pull(&zs->span, buf, size, got, err);

    if (step != NEXT_END)
        return step;
    if (zs->span.at < zs->span.end && zs->span.end != INT64_MAX)
        return stream_stop(zs, true, "the zip member is cut off");
    return stream_end(zs);
}

enum next zip_stream_read(void *from, void *buf, size_t size, size_t *got,
                          struct err *err)
{
    struct zip_stream *zs = from;
    enum next step;

    if (zs->ended)
        return NEXT_END;
    step = zs->inflater ? inflate_some(zs, buf, size, got, err)
                        : copy_some(zs, buf, size, got, err);
    if (step == NEXT_ITEM) {
        zs->crc = codec_crc32(zs->crc, buf, *got);
        zs->full_bytes += (int64_t)*got;
    }
    return step;
}

const char *zip_stream_damage(const struct zip_stream *zs, bool *truncated,
                              int64_t *at_byte)
{
    *truncated = zs->truncated;
    *at_byte = zs->damage_at;
    return zs->damage;
}

int64_t zip_stream_consumed(const struct zip_stream *zs)
{
    return (zs->inflater ? zs->in.at_byte : zs->span.at) - zs->start_at;
}

void zip_stream_close(struct zip_stream *zs)
{
    if (!zs)
        return;
    codec_inflate_free(zs->inflater);
    feed_release(&zs->in);
    free(zs);
}
