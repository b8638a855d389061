/* The pipeline from files to model. See load.h.
 *
 *     reader (one at a time)      decoders (all threads)        applier (in order)
 *     stored bytes -> chunk  ->   lines -> records in a batch -> application
 *
 * There are no dedicated threads. Each worker takes a free slot (a buffer and a
 * batch), fills it with the next chunk of whole lines under the reader's lock (which
 * is where decompression happens), and decodes it without any lock. Then it applies
 * whatever is next in the order of the log, if nobody else is doing so, and goes on
 * with another slot: a worker never waits for its own chunk's turn, so one that the
 * system has put to sleep holds up nobody until the slots run out. Nothing is copied
 * between threads, and events are applied in the order of the log whatever the number
 * of workers.
 *
 * A chunk ends with a newline, or with its part. What follows the last newline is
 * carried into the next chunk. A line that outgrows a chunk grows the buffer; one
 * that outgrows LINE_LIMIT is counted and passed over, so memory stays bounded. */
#include "analyzer/load.h"

#include "analyzer/app_build.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)512 << 10) /* about an L2 cache; see docs/performance.md */
#define LINE_LIMIT ((size_t)512 << 20)  /* a longer line is no event that Spark wrote */
#define BUFFER_KEEP ((size_t)8 << 20)   /* larger buffers are given back after use */

struct buffer {
    char *p;
    size_t cap;
};

struct chunk { /* a slot: free, being read and decoded, or ready to be applied */
    enum { CHUNK_FREE, CHUNK_BUSY, CHUNK_READY } state;
    struct event_batch batch;
    struct buffer buffer;
    size_t len;
    size_t skipped_bytes; /* of an overlong line, before this chunk */
    bool too_long;        /* such a line was passed over before this chunk */
    bool last;            /* ends its part */
    size_t part_ix;
    uint64_t turn;        /* order of application */
    int64_t read_bytes;   /* stored bytes read so far, for progress */
};

struct loader {
    const struct log_input *input;
    const struct load_options *options;
    const struct decode_isa *isa;
    struct app_builder builder;

    pthread_mutex_t read_lock;
    struct decoder *decoder; /* of part_ix, NULL: to be opened */
    size_t part_ix;
    struct buffer carry; /* begins the next chunk */
    size_t carry_len;
    uint64_t next_turn;
    int64_t read_before;  /* stored bytes of the parts that are done */
    struct err err;
    bool failed;

    pthread_mutex_t slot_lock; /* guards what follows, and the slots' state */
    pthread_cond_t slot_free;
    struct chunk *slots;
    size_t n_slots;
    uint64_t turn;        /* next to be applied */
    bool applying;        /* somebody is; who sets it owns the builder */
    size_t applied_part;  /* part the builder is in; SIZE_MAX: none yet */

    /* Said by the reader while others apply: kept apart, added at the end. */
    struct strbuf notes;  /* one a line */
    bool cut;
};

static void buffer_need(struct buffer *b, size_t size)
{
    if (b->cap >= size)
        return;
    b->cap = size;
    b->p = xrealloc(b->p, mem_product(1, size + DECODE_PADDING));
}

/* --- reading ------------------------------------------------------------------------ */

static void note_damage(struct loader *l)
{
    const struct decode_damage *d = decoder_damage(l->decoder);

    if (!d->truncated && !d->corrupt)
        return;
    strbuf_printf(&l->notes, "%.*s: %s (byte %" PRId64 " of the stored file)\n",
                  SV_FMT(l->input->parts[l->part_ix].path), d->text, d->at_byte);
    l->cut = true;
}

/* Reads until the chunk holds `want` bytes or the part ends. */
static enum next fill(struct loader *l, struct chunk *c, size_t want, bool *ended)
{
    *ended = false;
    while (c->len < want) {
        size_t got = 0;
        enum next step =
            decoder_read(l->decoder, c->buffer.p + c->len, want - c->len, &got, &l->err);

        if (step == NEXT_FAIL)
            return NEXT_FAIL;
        if (step == NEXT_END) {
            *ended = true;
            break;
        }
        c->len += got;
    }
    return NEXT_ITEM;
}

/* Drops bytes until a line begins again. */
static enum next pass_over_line(struct loader *l, struct chunk *c, bool *ended)
{
    c->too_long = true;
    for (;;) {
        char *nl = memchr(c->buffer.p, '\n', c->len);

        if (nl) {
            size_t used = (size_t)(nl - c->buffer.p) + 1;

            c->skipped_bytes += used;
            c->len -= used;
            memmove(c->buffer.p, nl + 1, c->len);
            return NEXT_ITEM;
        }
        c->skipped_bytes += c->len;
        c->len = 0;
        if (*ended)
            return NEXT_ITEM;
        if (fill(l, c, CHUNK_BYTES, ended) == NEXT_FAIL)
            return NEXT_FAIL;
    }
}

/* Fills the chunk from the open part: whole lines, the rest is carried over. */
static enum next read_part(struct loader *l, struct chunk *c)
{
    size_t want = CHUNK_BYTES;
    bool ended = false;

    buffer_need(&c->buffer, want > l->carry_len * 2 ? want : l->carry_len * 2);
    memcpy(c->buffer.p, l->carry.p ? l->carry.p : "", l->carry_len);
    c->len = l->carry_len;
    l->carry_len = 0;
    if (want < c->len * 2)
        want = c->len * 2;
    for (;;) {
        if (fill(l, c, want, &ended) == NEXT_FAIL)
            return NEXT_FAIL;
        c->last = ended;
        if (ended)
            return NEXT_ITEM;
        char *nl = memrchr(c->buffer.p, '\n', c->len);
        if (nl) {
            size_t used = (size_t)(nl - c->buffer.p) + 1;

            l->carry_len = c->len - used;
            buffer_need(&l->carry, l->carry_len);
            memcpy(l->carry.p, c->buffer.p + used, l->carry_len);
            c->len = used;
            return NEXT_ITEM;
        }
        if (want >= LINE_LIMIT) {
            if (pass_over_line(l, c, &ended) == NEXT_FAIL)
                return NEXT_FAIL;
            want = CHUNK_BYTES;
            continue;
        }
        want *= 2;
        buffer_need(&c->buffer, want);
    }
}

/* Opens the part; one that cannot be opened is a missing one, unless it is alone. */
static bool open_part(struct loader *l)
{
    const struct log_part *part = &l->input->parts[l->part_ix];
    struct err err = { 0 };

    if (decoder_open(&l->decoder, part, &err) == ERR_OK)
        return true;
    err_prefix(&err, "%.*s", SV_FMT(part->path));
    if (l->input->n_parts == 1) {
        l->err = err;
        l->failed = true;
        return false;
    }
    strbuf_printf(&l->notes, "%s\n", err.text);
    l->cut = true;
    return false;
}

static void close_part(struct loader *l)
{
    note_damage(l);
    l->read_before += decoder_consumed(l->decoder);
    decoder_close(l->decoder);
    l->decoder = NULL;
    l->part_ix++;
}

/* The next chunk of the log, or false at its end or after a failure. */
static bool read_chunk(struct loader *l, struct chunk *c)
{
    c->len = c->skipped_bytes = 0;
    c->too_long = c->last = false;
    while (!l->failed && l->part_ix < l->input->n_parts) {
        if (!l->decoder && !open_part(l)) {
            l->part_ix++;
            continue;
        }
        c->part_ix = l->part_ix;
        if (read_part(l, c) == NEXT_FAIL) {
            err_prefix(&l->err, "%.*s", SV_FMT(l->input->parts[l->part_ix].path));
            l->failed = true;
            decoder_close(l->decoder);
            l->decoder = NULL;
            return false;
        }
        if (c->last)
            close_part(l);
        c->turn = l->next_turn++;
        c->read_bytes = l->read_before + (l->decoder ? decoder_consumed(l->decoder) : 0);
        return true;
    }
    return false;
}

/* --- applying -------------------------------------------------------------------------- */

static void apply_chunk(struct loader *l, struct chunk *c)
{
    struct app_builder *b = &l->builder;
    struct load_progress p = { c->read_bytes, l->input->bytes, b->app->complete.events };

    if (l->applied_part != c->part_ix) {
        l->applied_part = c->part_ix;
        app_builder_part(b, l->input->parts[c->part_ix].path);
    }
    if (c->too_long) {
        build_damage(b, DAMAGE_TOO_LONG, b->part_lines + 1, b->part_offset);
        b->app->complete.bad_lines++;
        b->app->complete.lines++;
        b->part_lines++;
        b->part_offset += (int64_t)c->skipped_bytes;
    }
    app_builder_apply(b, &c->batch, (int64_t)c->len);
    event_batch_reset(&c->batch);
    if (c->buffer.cap > BUFFER_KEEP) {
        free(c->buffer.p);
        c->buffer = (struct buffer){ 0 };
    }
    if (l->options->progress)
        l->options->progress(l->options->progress_arg, &p);
}

static struct chunk *slot_to_apply(struct loader *l)
{
    for (size_t i = 0; i < l->n_slots; i++)
        if (l->slots[i].state == CHUNK_READY && l->slots[i].turn == l->turn)
            return &l->slots[i];
    return NULL;
}

/* With the slot lock held: applies all that is ready and in turn, unless somebody
 * else is at it, who will then come to it. */
static void apply_ready(struct loader *l)
{
    struct chunk *c;

    if (l->applying)
        return;
    l->applying = true;
    while ((c = slot_to_apply(l))) {
        pthread_mutex_unlock(&l->slot_lock);
        apply_chunk(l, c);
        pthread_mutex_lock(&l->slot_lock);
        c->state = CHUNK_FREE;
        l->turn++;
        pthread_cond_signal(&l->slot_free);
    }
    l->applying = false;
}

/* --- working ------------------------------------------------------------------------- */

static struct chunk *take_slot(struct loader *l)
{
    struct chunk *c = NULL;

    pthread_mutex_lock(&l->slot_lock);
    for (;;) {
        for (size_t i = 0; i < l->n_slots && !c; i++)
            if (l->slots[i].state == CHUNK_FREE)
                c = &l->slots[i];
        if (c)
            break;
        pthread_cond_wait(&l->slot_free, &l->slot_lock);
    }
    c->state = CHUNK_BUSY;
    pthread_mutex_unlock(&l->slot_lock);
    return c;
}

static void *work(void *arg)
{
    struct loader *l = arg;

    for (;;) {
        struct chunk *c = take_slot(l);

        pthread_mutex_lock(&l->read_lock);
        bool more = read_chunk(l, c);
        pthread_mutex_unlock(&l->read_lock);
        if (more)
            l->isa->lines(c->buffer.p, c->len, c->last, &c->batch);
        pthread_mutex_lock(&l->slot_lock);
        c->state = more ? CHUNK_READY : CHUNK_FREE;
        if (!more)
            pthread_cond_signal(&l->slot_free);
        apply_ready(l);
        pthread_mutex_unlock(&l->slot_lock);
        if (!more)
            return NULL;
    }
}

static int processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return CPU_COUNT(&set);
}

static void run_workers(struct loader *l)
{
    pthread_t threads[64];
    int n = l->options->threads > 0 ? l->options->threads : processors(), started = 0;

    if (n > (int)ARRAY_LEN(threads))
        n = (int)ARRAY_LEN(threads);
    if (l->input->bytes >= 0 && l->input->bytes < 64 << 10 && l->options->threads <= 0)
        n = 1; /* starting a thread costs as much as reading a small log */
    l->n_slots = n == 1 ? 1 : (size_t)n * 2 + 1;
    l->slots = xcalloc(l->n_slots, sizeof *l->slots);
    for (; started < n - 1; started++)
        if (pthread_create(&threads[started], NULL, work, l) != 0)
            break; /* fewer threads, same result */
    work(l);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < l->n_slots; i++) {
        free(l->slots[i].buffer.p);
        event_batch_release(&l->slots[i].batch);
    }
    free(l->slots);
}

/* --- after ---------------------------------------------------------------------------------- */

/* What the source knew, and what the events tell about whether the log is whole. */
static void judge_completeness(struct loader *l)
{
    const struct log_input *in = l->input;
    struct app *app = l->builder.app;
    struct completeness *c = &app->complete;

    c->missing_parts = arena_array(&app->arena, in->n_missing, sizeof *c->missing_parts);
    for (size_t i = 0; i < in->n_missing; i++)
        c->missing_parts[c->n_missing_parts++] = build_text(&l->builder, in->missing[i]);
    for (size_t i = 0; i < in->n_notes; i++)
        build_note(&l->builder, arena_sv(&app->arena, in->notes[i]).p);
    for (struct sv rest = strbuf_sv(&l->notes); rest.len;) {
        struct sv line = sv_first_line(rest);

        build_note(&l->builder, arena_sv(&app->arena, line).p);
        rest = sv_from(rest, line.len + 1);
    }
    c->truncated |= l->cut;
    c->in_progress = in->in_progress || !app->finished;
    if (c->damage[DAMAGE_TORN].count || c->damage[DAMAGE_TOO_LONG].count)
        c->truncated = true;
    /* Without its ApplicationEnd, a log that does not call itself unfinished was cut;
     * but clusters of Databricks live on, and write none. */
    if (!app->finished && !in->in_progress && !app->databricks)
        c->truncated = true;
}

static enum errc nothing_found(const struct loader *l, struct err *err)
{
    const struct completeness *c = &l->builder.app->complete;

    if (c->bytes == 0)
        return err_set(err, ERR_NOT_A_LOG, "%.*s: empty: no event was written",
                       SV_FMT(l->input->path));
    if (c->events == 0)
        return err_set(err, ERR_NOT_A_LOG,
                       "%.*s: no Spark event log: none of its %" PRId64
                       " lines is an event (is it a driver log, or another file?)",
                       SV_FMT(l->input->path), c->lines);
    return err_set(err, ERR_NOT_A_LOG,
                   "%.*s: no Spark event log: %" PRId64
                   " lines have an \"Event\", but no name that Spark uses (first: \"%.40s\")",
                   SV_FMT(l->input->path), c->events, c->n_unknown ? c->unknown[0].name.p : "");
}

enum errc app_load(struct app *app, const struct log_input *input,
                   const struct load_options *options, struct err *err)
{
    static const struct load_options none;
    struct loader l = {
        .input = input,
        .options = options ? options : &none,
        .isa = decode_isa_best(),
        .builder = { .app = app },
        .read_lock = PTHREAD_MUTEX_INITIALIZER,
        .slot_lock = PTHREAD_MUTEX_INITIALIZER,
        .slot_free = PTHREAD_COND_INITIALIZER,
        .applied_part = SIZE_MAX,
    };
    enum errc rc = ERR_OK;

    app_builder_init(&l.builder);
    app->path = build_text(&l.builder, input->path);
    run_workers(&l);
    free(l.carry.p);
    decoder_close(l.decoder);
    l.decoder = NULL;
    if (l.failed) {
        rc = l.err.code ? l.err.code : ERR_OPEN;
        if (err)
            *err = l.err;
    } else if (l.builder.known_events == 0) {
        rc = nothing_found(&l, err);
    }
    if (rc != ERR_OK) {
        strbuf_release(&l.notes);
        app_builder_release(&l.builder);
        app_release(app);
        return rc;
    }
    judge_completeness(&l);
    strbuf_release(&l.notes);
    app_builder_finish(&l.builder);
    return ERR_OK;
}
