/* The map side of a shuffle.
 *
 * Every reducer has room for `cap` rows in arrays that all reducers share, a column each:
 * row k of reducer r is entry r * cap + k. A batch is scattered in two passes: first the
 * entry of each row, then the values, column by column, so that the inner loops know
 * their width. When a reducer's room is full its rows become one frame (encoded, LZ4) in
 * its output, and the room is free again.
 *
 * Long text is copied to a heap of the reducer; until the frame is made, the entries hold
 * offsets, as the heap moves while it grows. Outputs are written to the file reducer by
 * reducer, when the map is done or a good deal has gathered. */
#include "engine/run/shuffle_parts.h"

#include "base/mem.h"
#include "engine/store/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    WANTED_BYTES = 16 << 20, /* of the arrays */
    LEAST_ROWS = 32,         /* a reducer's room, whatever memory there is */
    CHUNK_BYTES = 64 << 20,  /* gathered outputs that are written before the end */
    SMALL_BYTES = 64 << 10,  /* an output up to here needs no file */
    HEAP_BYTES = 1 << 20,    /* long text of a reducer that makes a frame early */
    MOST_PIECES = 512,       /* of one writev */
    POOL_SHARE = 32,         /* of the pool, at most, for one writer */
};

struct column {
    char *data;     /* n_reducers x cap values */
    uint8_t *valid; /* NULL: no NULL so far */
    size_t width;
    bool text;
};

struct shuffle_writer {
    struct shuffle *shuffle;
    struct task *task;
    struct consumer memory;
    uint32_t map, cap;
    struct column *columns;
    uint32_t *filled;       /* rows by reducer */
    struct strbuf *heaps;   /* long text by reducer; NULL: no text columns */
    struct strbuf *outputs; /* frames by reducer */
    size_t pending;         /* bytes of all outputs */
    struct strbuf scratch;
    struct vec *vecs; /* of the batch that becomes a frame */
    struct map_output done;
    int fd;
    int64_t written;
    int64_t write_ns;
};

static size_t row_bytes(const struct shuffle *s)
{
    size_t bytes = 0;

    for (uint32_t c = 0; c < s->n_columns; c++)
        bytes += type_width(s->types[c]) + 1;
    return bytes ? bytes : 1;
}

/* Rows of room by reducer: what memory allows, between the least and a batch. It is held
 * to the end, so most of a small pool stays for the operators below. */
static uint32_t rows_of_room(struct shuffle_writer *w, struct err *err)
{
    const struct shuffle *s = w->shuffle;
    size_t per_row = row_bytes(s) * s->n_reducers;
    size_t want =
        per_row * BATCH_ROWS < WANTED_BYTES ? per_row * BATCH_ROWS : WANTED_BYTES;
    size_t share = (size_t)memory_pool_bytes(w->task->memory.pool) / POOL_SHARE;

    want = want < share ? want : share;
    int64_t got = memory_acquire(&w->memory, (int64_t)want, 0, err);
    size_t rows = got > 0 ? (size_t)got / per_row : 0;

    if (rows < LEAST_ROWS)
        rows = LEAST_ROWS;
    return rows > BATCH_ROWS ? BATCH_ROWS : (uint32_t)rows;
}

enum errc shuffle_writer_open(struct shuffle_writer **out, struct shuffle *s,
                              uint32_t map, struct task *task, struct err *err)
{
    struct shuffle_writer *w = xcalloc(1, sizeof *w);
    bool text = false;

    w->shuffle = s;
    w->task = task;
    w->map = map;
    w->fd = -1;
    w->done.fd = -1;
    w->memory = (struct consumer){ .name = "shuffle write", .owner = w };
    consumer_add(&task->memory, &w->memory);
    w->cap = rows_of_room(w, err);
    w->columns = xcalloc(s->n_columns + 1, sizeof *w->columns);
    for (uint32_t c = 0; c < s->n_columns; c++) {
        struct column *col = &w->columns[c];

        col->width = type_width(s->types[c]);
        col->text = type_is_text(s->types[c]);
        col->data = xmalloc(mem_product((size_t)s->n_reducers * w->cap, col->width));
        text |= col->text;
    }
    w->filled = xcalloc(s->n_reducers, sizeof *w->filled);
    w->outputs = xcalloc(s->n_reducers, sizeof *w->outputs);
    w->heaps = text ? xcalloc(s->n_reducers, sizeof *w->heaps) : NULL;
    w->vecs = xcalloc(s->n_columns + 1, sizeof *w->vecs);
    *out = w;
    return ERR_OK;
}

/* --- scattering ------------------------------------------------------------------- */

struct rows { /* part of a batch: rows [0, n) go to entries at[] */
    const uint32_t *row, *at, *reducer;
    uint32_t n;
};

#define SCATTER(type)                                                                    \
    do {                                                                                 \
        const type *restrict from = v->data;                                             \
        type *restrict to = (type *)(void *)col->data;                                   \
        for (uint32_t i = 0; i < p->n; i++)                                              \
            to[p->at[i]] = from[p->row[i]];                                              \
    } while (0)

struct sixteen {
    uint64_t half[2];
};

static void scatter_flat(struct column *col, const struct vec *v, const struct rows *p)
{
    switch (col->width) {
    case 1:
        SCATTER(uint8_t);
        break;
    case 2:
        SCATTER(uint16_t);
        break;
    case 4:
        SCATTER(uint32_t);
        break;
    case 8:
        SCATTER(uint64_t);
        break;
    default:
        SCATTER(struct sixteen);
    }
}

#define SPREAD(type)                                                                     \
    do {                                                                                 \
        const type *restrict from = base;                                                \
        type *restrict to = (type *)(void *)col->data;                                   \
        for (uint32_t i = 0; i < p->n; i++)                                              \
            to[p->at[i]] = from[v->codes ? v->codes[p->row[i]] : 0];                     \
    } while (0)

/* Constants and dictionaries. Codes of NULL rows may be anything: those are looked at
 * first. */
static void scatter_coded(struct column *col, const struct vec *v, const struct rows *p)
{
    const void *base = v->kind == VEC_DICT ? v->dict->data : v->data;

    if (v->kind == VEC_DICT && v->valid) {
        for (uint32_t i = 0; i < p->n; i++)
            if (v->valid[p->row[i]])
                memcpy(col->data + p->at[i] * col->width,
                       (const char *)base + v->codes[p->row[i]] * col->width, col->width);
            else
                memset(col->data + p->at[i] * col->width, 0, col->width);
        return;
    }
    switch (col->width) {
    case 1:
        SPREAD(uint8_t);
        break;
    case 2:
        SPREAD(uint16_t);
        break;
    case 4:
        SPREAD(uint32_t);
        break;
    case 8:
        SPREAD(uint64_t);
        break;
    default:
        SPREAD(struct sixteen);
    }
}

static bool may_be_null(const struct vec *v)
{
    return v->valid || (v->kind == VEC_DICT && v->dict->valid);
}

static void scatter_valid(struct shuffle_writer *w, struct column *col,
                          const struct vec *v, const struct rows *p)
{
    size_t entries = (size_t)w->shuffle->n_reducers * w->cap;

    if (!may_be_null(v)) {
        if (col->valid)
            for (uint32_t i = 0; i < p->n; i++)
                col->valid[p->at[i]] = 1;
        return;
    }
    if (!col->valid) {
        col->valid = xmalloc(entries);
        memset(col->valid, 1, entries);
    }
    if (v->kind == VEC_FLAT)
        for (uint32_t i = 0; i < p->n; i++)
            col->valid[p->at[i]] = v->valid[p->row[i]];
    else
        for (uint32_t i = 0; i < p->n; i++)
            col->valid[p->at[i]] = !vec_is_null(v, p->row[i]);
}

/* The bytes of long text go to their reducer's heap. */
static void keep_text(struct shuffle_writer *w, struct column *col, const struct rows *p)
{
    struct str *all = (struct str *)(void *)col->data;

    for (uint32_t i = 0; i < p->n; i++) {
        struct str *s = &all[p->at[i]];
        struct strbuf *heap;

        if (col->valid && !col->valid[p->at[i]]) {
            memset(s, 0, sizeof *s);
            continue;
        }
        if (s->len <= STR_INLINE)
            continue;
        heap = &w->heaps[p->reducer[i]];
        size_t at = heap->len;
        strbuf_add(heap, (struct sv){ s->u.p, s->len });
        s->u.p = (const char *)(uintptr_t)at;
    }
}

static void scatter(struct shuffle_writer *w, const struct batch *b, const struct rows *p)
{
    for (uint32_t c = 0; c < w->shuffle->n_columns; c++) {
        struct column *col = &w->columns[c];
        const struct vec *v = &b->columns[c];

        if (v->kind == VEC_FLAT)
            scatter_flat(col, v, p);
        else
            scatter_coded(col, v, p);
        scatter_valid(w, col, v, p);
        if (col->text)
            keep_text(w, col, p);
    }
}

/* --- frames ----------------------------------------------------------------------- */

static void point_text(struct str *s, const uint8_t *valid, uint32_t n, const char *heap)
{
    for (uint32_t i = 0; i < n; i++)
        if (s[i].len > STR_INLINE && (!valid || valid[i]))
            s[i].u.p = heap + (uintptr_t)s[i].u.p;
}

/* The reducer's rows as one frame of its output. */
static void make_frame(struct shuffle_writer *w, uint32_t reducer)
{
    uint32_t n = w->filled[reducer];
    size_t first = (size_t)reducer * w->cap;
    struct batch b = {
        .n_rows = n, .n_sel = n, .n_columns = w->shuffle->n_columns, .columns = w->vecs
    };

    if (n == 0)
        return;
    for (uint32_t c = 0; c < b.n_columns; c++) {
        struct column *col = &w->columns[c];

        w->vecs[c] = (struct vec){ .type = w->shuffle->types[c],
                                   .kind = VEC_FLAT,
                                   .data = col->data + first * col->width,
                                   .valid = col->valid ? col->valid + first : NULL };
        if (col->text)
            point_text(w->vecs[c].data, w->vecs[c].valid, n, w->heaps[reducer].p);
    }
    strbuf_reset(&w->scratch);
    batch_encode(&w->scratch, &b);
    size_t before = w->outputs[reducer].len;
    block_write(&w->outputs[reducer], strbuf_sv(&w->scratch), w->shuffle->compress);
    w->pending += w->outputs[reducer].len - before;
    w->filled[reducer] = 0;
    if (w->heaps)
        strbuf_reset(&w->heaps[reducer]);
}

/* --- the file --------------------------------------------------------------------- */

static enum errc open_file(struct shuffle_writer *w, struct err *err)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/shuffle_%d_%lld_0.data", w->shuffle->dir,
             w->shuffle->id, (long long)w->task->task_id);
    w->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0)
        return err_set(err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
    w->done.path = strdup(path);
    if (!w->done.path)
        die("out of memory");
    return ERR_OK;
}

static enum errc write_pieces(struct shuffle_writer *w, struct iovec *at, int n,
                              struct err *err)
{
    while (n > 0) {
        ssize_t done = writev(w->fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set(err, ERR_OUTPUT, "%s: %s", w->done.path, strerror(errno));
        while (n > 0 && (size_t)done >= at->iov_len) {
            done -= (ssize_t)at->iov_len;
            at++;
            n--;
        }
        if (n > 0) {
            at->iov_base = (char *)at->iov_base + done;
            at->iov_len -= (size_t)done;
        }
    }
    return ERR_OK;
}

/* Where each reducer's part of the chunk begins, from `base` on. */
static void add_chunk(struct shuffle_writer *w, uint64_t base)
{
    uint32_t n = w->shuffle->n_reducers;
    struct map_output *m = &w->done;
    uint64_t *starts;

    m->starts = xrealloc(
        m->starts, mem_product((size_t)(m->n_chunks + 1) * (n + 1), sizeof *m->starts));
    starts = m->starts + (size_t)m->n_chunks++ * (n + 1);
    for (uint32_t r = 0; r < n; r++) {
        starts[r] = base;
        base += w->outputs[r].len;
    }
    starts[n] = base;
}

static enum errc write_chunk(struct shuffle_writer *w, struct err *err)
{
    struct iovec pieces[MOST_PIECES];
    int n = 0;

    if (w->fd < 0)
        TRY(open_file(w, err));
    add_chunk(w, (uint64_t)w->written);
    for (uint32_t r = 0; r < w->shuffle->n_reducers; r++) {
        if (w->outputs[r].len == 0)
            continue;
        pieces[n++] = (struct iovec){ w->outputs[r].p, w->outputs[r].len };
        if (n == MOST_PIECES) {
            TRY(write_pieces(w, pieces, n, err));
            n = 0;
        }
    }
    TRY(write_pieces(w, pieces, n, err));
    w->written += (int64_t)w->pending;
    w->pending = 0;
    for (uint32_t r = 0; r < w->shuffle->n_reducers; r++)
        strbuf_reset(&w->outputs[r]);
    return ERR_OK;
}

static void keep_in_memory(struct shuffle_writer *w)
{
    char *to = xmalloc(w->pending + 1);

    add_chunk(w, 0);
    w->done.memory = to;
    for (uint32_t r = 0; r < w->shuffle->n_reducers; r++)
        if (w->outputs[r].len) {
            memcpy(to, w->outputs[r].p, w->outputs[r].len);
            to += w->outputs[r].len;
        }
    w->written = (int64_t)w->pending;
}

/* --- the writer ------------------------------------------------------------------- */

enum errc shuffle_write(struct shuffle_writer *w, const struct batch *b,
                        const uint32_t *reducer, struct err *err)
{
    uint32_t row[BATCH_ROWS], at[BATCH_ROWS], to[BATCH_ROWS];
    uint32_t i = 0;

    while (i < b->n_sel) {
        struct rows part = { .row = row, .at = at, .reducer = to };
        uint32_t full = UINT32_MAX;

        for (; i < b->n_sel; i++) {
            uint32_t r = reducer[batch_row(b, i)];

            if (w->filled[r] == w->cap ||
                (w->heaps && w->heaps[r].len >= HEAP_BYTES && w->filled[r])) {
                full = r;
                break;
            }
            row[part.n] = batch_row(b, i);
            to[part.n] = r;
            at[part.n++] = r * w->cap + w->filled[r]++;
        }
        scatter(w, b, &part);
        if (full != UINT32_MAX) {
            int64_t begin_ns = shuffle_clock_ns();

            make_frame(w, full);
            w->write_ns += shuffle_clock_ns() - begin_ns;
        }
    }
    w->done.rows += b->n_sel;
    if (w->pending >= CHUNK_BYTES) {
        int64_t begin_ns = shuffle_clock_ns();

        TRY(write_chunk(w, err));
        w->write_ns += shuffle_clock_ns() - begin_ns;
    }
    return ERR_OK;
}

/* Frees all but what went over to the shuffle. */
static void writer_free(struct shuffle_writer *w)
{
    for (uint32_t c = 0; c < w->shuffle->n_columns; c++) {
        free(w->columns[c].data);
        free(w->columns[c].valid);
    }
    for (uint32_t r = 0; r < w->shuffle->n_reducers; r++) {
        strbuf_release(&w->outputs[r]);
        if (w->heaps)
            strbuf_release(&w->heaps[r]);
    }
    consumer_remove(&w->memory);
    if (w->fd >= 0)
        close(w->fd);
    map_output_release(&w->done);
    strbuf_release(&w->scratch);
    free(w->columns);
    free(w->filled);
    free(w->heaps);
    free(w->outputs);
    free(w->vecs);
    free(w);
}

/* The status: a byte a reducer, or an average above the limit. */
static void make_status(struct shuffle_writer *w)
{
    const struct shuffle *s = w->shuffle;
    struct map_output *m = &w->done;
    int64_t total = 0, others = 0;

    m->sizes = xcalloc(s->n_reducers, sizeof *m->sizes);
    for (uint32_t r = 0; r < s->n_reducers; r++) {
        int64_t bytes = map_output_bytes(s, m, r, r + 1);

        if (s->n_reducers <= s->highly_above || bytes >= s->accurate_bytes) {
            m->sizes[r] = shuffle_size_pack(bytes);
        } else if (bytes > 0) {
            total += bytes;
            others++;
        }
    }
    if (others)
        m->average = max_i64(total / others, 1);
}

static void register_output(struct shuffle_writer *w)
{
    struct shuffle *s = w->shuffle;

    w->done.done = true;
    w->done.task_id = w->task->task_id;
    if (w->fd >= 0 && shuffle_keep_open()) {
        w->done.fd = w->fd;
        w->fd = -1;
    }
    pthread_mutex_lock(&s->lock);
    map_output_release(&s->maps[w->map]); /* an earlier attempt's */
    s->maps[w->map] = w->done;
    pthread_mutex_unlock(&s->lock);
    w->done = (struct map_output){ .fd = -1 };
}

enum errc shuffle_writer_commit(struct shuffle_writer *w, struct err *err)
{
    int64_t begin_ns = shuffle_clock_ns();
    enum errc rc = ERR_OK;

    for (uint32_t r = 0; r < w->shuffle->n_reducers; r++)
        make_frame(w, r);
    if (w->written == 0 && w->pending <= SMALL_BYTES) {
        if (w->pending)
            keep_in_memory(w);
    } else if (w->pending) {
        rc = write_chunk(w, err);
    }
    if (rc == ERR_OK) {
        struct task_metrics *m = &w->task->metrics;

        make_status(w);
        m->shuffle_write_bytes += w->written;
        m->shuffle_write_rows += w->done.rows;
        m->shuffle_write_ns += w->write_ns + shuffle_clock_ns() - begin_ns;
        register_output(w);
    }
    writer_free(w);
    return rc;
}

void shuffle_writer_abandon(struct shuffle_writer *w)
{
    if (w)
        writer_free(w);
}
