/* Is it a log? Asked of a part by decoding its beginning. A pipe can be asked only
 * once: what is read from it is gone, so it is kept for the decoder; and a zip, which
 * is read from its end, is copied to a nameless file. */
#include "analyzer/source_find.h"

#include "analyzer/zip.h"

#include "base/mem.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define PROBE_BYTES ((size_t)1 << 20)     /* decoded, where an event must show up */
#define PROBE_STEP ((size_t)64 << 10)     /* decoded at a time: most logs need one */
#define PIPE_PEEK_BYTES ((size_t)8 << 20) /* stored bytes of a pipe, for the same */

/* A brace and later "Event". `from` is how much was searched before. */
static bool shows_event(struct sv text, size_t from)
{
    const char *brace = text.len ? memchr(text.p, '{', text.len) : NULL;
    size_t start = from > 8 ? from - 8 : 0;

    if (!brace)
        return false;
    if ((size_t)(brace - text.p) > start)
        start = (size_t)(brace - text.p);
    return sv_find(sv_from(text, start), SV("\"Event\"")) != SIZE_MAX;
}

static enum errc no_log(const struct decoder *d, size_t decoded, struct err *err)
{
    const struct decode_damage *damage = decoder_damage(d);
    enum codec codec = decoder_codec(d);

    if (damage->text[0] && decoded < PROBE_BYTES)
        return err_set(err, ERR_CORRUPT,
                       "damaged before the first event (byte %" PRId64 ": %s)",
                       damage->at_byte, damage->text);
    if (!decoded)
        return err_set(err, ERR_NOT_A_LOG, "empty");
    if (codec == CODEC_NONE)
        return err_set(err, ERR_NOT_A_LOG, "not a Spark event log");
    return err_set(err, ERR_NOT_A_LOG, "%s data, but no Spark event log in it",
                   codec_name(codec));
}

/* *decoded: how many bytes were looked at. */
static enum errc probe(struct decoder *d, size_t *decoded, struct err *err)
{
    char *text = NULL;
    enum next step = NEXT_ITEM;
    bool shown = false;
    size_t have = 0;

    while (!shown && have < PROBE_BYTES) {
        size_t got = 0;

        text = xrealloc(text, have + PROBE_STEP);
        step = decoder_read(d, text + have, PROBE_STEP, &got, err);
        if (step != NEXT_ITEM)
            break;
        shown = shows_event((struct sv){ text, have + got }, have);
        have += got;
    }
    free(text);
    *decoded = have;
    if (shown)
        return ERR_OK;
    return step == NEXT_FAIL ? ERR_OPEN : no_log(d, have, err);
}

enum errc probe_part(const struct log_part *part, struct err *err)
{
    struct decoder *d = NULL;
    size_t decoded;
    enum errc rc = decoder_open(&d, part, err);

    if (rc == ERR_OK)
        rc = probe(d, &decoded, err);
    decoder_close(d);
    return rc;
}

/* ---- pipes ---------------------------------------------------------------------- */

static ssize_t read_more(int fd, void *buf, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, buf, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static bool write_all(int fd, struct sv bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = sv_from(bytes, (size_t)n);
    }
    return true;
}

/* A file without a name; the system frees it when the program ends. */
static enum errc nameless_file(int *fd, struct arena *arena, struct err *err)
{
    const char *dir = getenv("TMPDIR");

    dir = dir && *dir ? dir : "/tmp";
    char *name = (char *)(uintptr_t)arena_printf(arena, "%s/spillway-XXXXXX", dir);
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd < 0)
        return err_set(err, ERR_OUTPUT, "a zip from a pipe needs room in %s: %s", dir,
                       strerror(errno));
    unlink(name);
    return ERR_OK;
}

/* The rest of the pipe behind `head` to a file that can be read from its end. The
 * file stays open: it has no other name than its number. */
static enum errc spool(struct sv *file, int from, struct sv head, struct arena *arena,
                       struct err *err)
{
    char *buf = xmalloc(PROBE_STEP);
    ssize_t n = 0;
    int to = -1;
    enum errc rc;

    if ((rc = nameless_file(&to, arena, err)) != ERR_OK)
        goto done;
    bool written = write_all(to, head);
    while (written && (n = read_more(from, buf, PROBE_STEP)) > 0)
        written = write_all(to, (struct sv){ buf, (size_t)n });
    if (!written)
        rc = err_set(err, ERR_OUTPUT, "copying a zip from a pipe: %s", strerror(errno));
    else if (n < 0)
        rc = err_set(err, ERR_OPEN, "%s", strerror(errno));
    if (rc != ERR_OK)
        close(to);
    else
        *file = sv(arena_printf(arena, "/dev/fd/%d", to));
done:
    free(buf);
    return rc;
}

/* Does what was read of a pipe show an event? *enough: more of it would not help. */
static enum errc probe_head(struct sv head, bool *enough, struct err *err)
{
    struct decoder *d = decoder_open_memory(head.p, head.len);
    size_t decoded = 0;
    enum errc rc = probe(d, &decoded, err);

    *enough = rc == ERR_OK || decoded >= PROBE_BYTES || decoder_damage(d)->corrupt;
    decoder_close(d);
    return rc;
}

/* Reads as much of the pipe as it takes to see that it is a log: little, for one that
 * is still being written must not wait for its end. */
static enum errc peek(int fd, struct strbuf *head, bool *zip, struct err *err)
{
    char *buf = xmalloc(PROBE_STEP);
    size_t next_look = 0;
    bool enough = false;
    enum errc rc = ERR_OK;

    while (!enough && !*zip) {
        ssize_t n = read_more(fd, buf, PROBE_STEP);

        if (n < 0) {
            rc = err_set(err, ERR_OPEN, "%s", strerror(errno));
            break;
        }
        strbuf_add(head, (struct sv){ buf, (size_t)n });
        *zip = zip_detect(head->p, head->len);
        bool last = n == 0 || head->len >= PIPE_PEEK_BYTES;
        if (*zip || (head->len < next_look && !last))
            continue;
        rc = probe_head(strbuf_sv(head), &enough, err);
        enough = enough || last;
        next_look =
            head->len < PROBE_STEP ? 0 : head->len * 2; /* it starts over each time */
    }
    free(buf);
    return *zip ? ERR_OK : rc;
}

enum errc probe_pipe(struct probe_pipe *out, int fd, struct arena *arena, struct err *err)
{
    struct strbuf head = { 0 };
    struct probe_pipe made = { 0 };
    bool zip = false;
    enum errc rc = peek(fd, &head, &zip, err);

    if (rc == ERR_OK && zip) {
        rc = spool(&made.spooled, fd, strbuf_sv(&head), arena, err);
    } else if (rc == ERR_OK) {
        made.stream = ARENA_NEW(arena, struct log_stream);
        made.stream->fd = fd;
        made.stream->head = arena_sv(arena, strbuf_sv(&head));
    }
    if (rc == ERR_OK)
        *out = made;
    strbuf_release(&head);
    return rc;
}
