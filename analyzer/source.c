/* The decoder: from the stored bytes of one part to the text of its events.
 *
 *     file | pipe with its head | memory  --->  [zip member]  --->  codec  --->  caller
 *
 * A member of a zip may hold a compressed log (the History Server packs logs as they
 * lie), so the zip layer is a source of stored bytes like a file. Regular files are
 * read with pread: the descriptor's position is nobody's, and a file that shrinks or
 * grows meanwhile only ends earlier or later. Finding logs is source_find.c. */
#include "analyzer/source.h"

#include "analyzer/codec.h"
#include "analyzer/zip.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct decoder {
    struct codec_io io;
    const struct codec_class *class;
    void *state;
    bool ended;
    struct err failed; /* of a read that delivered bytes first; code ERR_OK: none */
    /* where the stored bytes come from */
    struct sv head; /* read before the file: of a pipe, or all of it in memory */
    int fd;         /* -1: memory alone */
    bool regular;
    int64_t at; /* of a regular file */
    struct zip_stream *zip;
};

/* ---- sources of stored bytes ---------------------------------------------------- */

static enum next pull_head(struct decoder *d, void *buf, size_t size, size_t *got)
{
    size_t n = d->head.len < size ? d->head.len : size;

    memcpy(buf, d->head.p, n);
    d->head = sv_from(d->head, n);
    *got = n;
    return NEXT_ITEM;
}

static enum next pull_stored(void *from, void *buf, size_t size, size_t *got,
                             struct err *err)
{
    struct decoder *d = from;
    ssize_t n;

    if (d->head.len)
        return pull_head(d, buf, size, got);
    if (d->fd < 0)
        return NEXT_END;
    do {
        n = d->regular ? pread(d->fd, buf, size, d->at) : read(d->fd, buf, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        err_set(err, ERR_OPEN, "%s", strerror(errno));
        return NEXT_FAIL;
    }
    d->at += n;
    *got = (size_t)n;
    return n ? NEXT_ITEM : NEXT_END;
}

static enum errc open_file(struct decoder *d, const char *file, struct err *err)
{
    struct stat st;

    d->fd = open(file, O_RDONLY | O_CLOEXEC);
    if (d->fd < 0 || fstat(d->fd, &st) != 0)
        return err_set(err, ERR_OPEN, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_OPEN, "%s", strerror(EISDIR));
    d->regular = S_ISREG(st.st_mode);
    return ERR_OK;
}

static enum errc open_stored(struct decoder *d, const struct log_part *part,
                             struct err *err)
{
    if (part->stream) {
        if (part->stream->taken)
            return err_set(err, ERR_OPEN, "a pipe can be read only once");
        part->stream->taken = true;
        d->fd = part->stream->fd;
        d->head = part->stream->head;
        return ERR_OK;
    }
    if (sv_is(part->file, "-")) {
        d->fd = STDIN_FILENO;
        return ERR_OK;
    }
    TRY(open_file(d, part->file.p, err));
    if (!part->member)
        return ERR_OK;
    TRY(zip_stream_open(&d->zip, d->fd, part->member, err));
    d->io.in.pull = zip_stream_read;
    d->io.in.from = d->zip;
    return ERR_OK;
}

/* ---- the decoder ---------------------------------------------------------------- */

static struct decoder *decoder_new(void)
{
    struct decoder *d = xcalloc(1, sizeof *d);

    d->fd = -1;
    d->io.in.pull = pull_stored;
    d->io.in.from = d;
    return d;
}

/* Looks at the first bytes; they stay in the window. */
static enum errc choose_codec(struct decoder *d, struct err *err)
{
    if (feed_want(&d->io.in, CODEC_HEAD_BYTES, err) == NEXT_FAIL)
        return err ? err->code : ERR_OPEN;
    d->class = codec_class_of(d->io.in.p, d->io.in.len);
    if (d->class->open)
        d->state = d->class->open();
    return ERR_OK;
}

enum errc decoder_open(struct decoder **out, const struct log_part *part, struct err *err)
{
    struct decoder *d = decoder_new();
    enum errc rc;

    if ((rc = open_stored(d, part, err)) != ERR_OK)
        goto failed;
    if ((rc = choose_codec(d, err)) != ERR_OK)
        goto failed;
    *out = d;
    return ERR_OK;
failed:
    decoder_close(d);
    return rc;
}

struct decoder *decoder_open_memory(const void *stored, size_t size)
{
    struct decoder *d = decoder_new();

    d->head = (struct sv){ stored, size };
    enum errc rc = choose_codec(d, NULL);
    if (rc != ERR_OK)
        die("reading from memory failed");
    return d;
}

/* Damage to the zip is the cause of what the codec may say about its end. */
static void note_zip_damage(struct decoder *d)
{
    struct decode_damage *damage = &d->io.damage;
    const char *text;
    int64_t at_byte;
    bool truncated;

    if (!d->zip || !(text = zip_stream_damage(d->zip, &truncated, &at_byte)))
        return;
    *damage = (struct decode_damage){ .truncated = truncated,
                                      .corrupt = !truncated,
                                      .at_byte = at_byte };
    snprintf(damage->text, sizeof damage->text, "%s", text);
}

enum next decoder_read(struct decoder *d, void *buf, size_t size, size_t *got,
                       struct err *err)
{
    struct codec_io *io = &d->io;
    enum next step = NEXT_ITEM;

    assert(size > 0);
    io->out = buf;
    io->room = size;
    io->made = 0;
    if (d->failed.code != ERR_OK) {
        if (err)
            *err = d->failed;
        return NEXT_FAIL;
    }
    while (!d->ended && !io->made && step == NEXT_ITEM)
        step = d->class->read(d->state, io, &d->failed);
    if (step == NEXT_END) {
        d->ended = true;
        note_zip_damage(d);
    }
    *got = io->made;
    if (io->made)
        return NEXT_ITEM; /* an error waits for the next call */
    if (step != NEXT_FAIL)
        return NEXT_END;
    if (err)
        *err = d->failed;
    return NEXT_FAIL;
}

const struct decode_damage *decoder_damage(const struct decoder *d)
{
    return &d->io.damage;
}

enum codec decoder_codec(const struct decoder *d)
{
    return d->class->codec;
}

int64_t decoder_consumed(const struct decoder *d)
{
    return d->zip ? zip_stream_consumed(d->zip) : d->io.in.at_byte;
}

bool decoder_is_plain_file(const struct decoder *d)
{
    return d->regular && !d->zip && d->class == &codec_none;
}

int decoder_fd(const struct decoder *d)
{
    return d->fd;
}

void decoder_close(struct decoder *d)
{
    if (!d)
        return;
    if (d->class && d->class->close)
        d->class->close(d->state);
    zip_stream_close(d->zip);
    feed_release(&d->io.in);
    if (d->fd > STDIN_FILENO)
        close(d->fd);
    free(d);
}
