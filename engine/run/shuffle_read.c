/* The reduce side of a shuffle.
 *
 * Parts of one map's file that lie side by side are fetched with one read. Frames are
 * opened one by one; small ones are put together until there is a batch worth calling
 * operators for. Text points into the opened frames, which live until the next call. */
#include "engine/run/shuffle_parts.h"

#include "base/mem.h"
#include "engine/store/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GOOD_ROWS = BATCH_ROWS / 2, /* put out as it is */
    FETCH_BYTES = 8 << 20,      /* of one read, if the part is longer */
};

struct shuffle_reader {
    struct shuffle *shuffle;
    struct task *task;
    struct read_spec spec;
    uint32_t map, chunk;
    uint64_t at, end; /* of the chunk's part, in the file */
    char *fetched; /* bytes [fetched_from, at) are behind us, up to fetched_len ahead */
    size_t fetched_len, fetched_used, fetched_cap;
    struct sv ahead; /* not yet opened frames */
    int fd;
    bool own_fd;
    struct arena arena; /* of the batch put out: reset with each call */
    struct batch held;  /* opened, but did not fit any more */
    struct arena held_arena;
    bool has_held, ended;
};

static const struct map_output *output_of(const struct shuffle_reader *r)
{
    return &r->shuffle->maps[r->map];
}

static enum errc lost(const struct shuffle_reader *r, const char *why, struct err *err)
{
    return err_set(err, ERR_OPEN,
                   "FetchFailed: shuffle %d, map %u, reducers %u to %u: %s",
                   r->shuffle->id, r->map, r->spec.from, r->spec.to, why);
}

enum errc shuffle_reader_open(struct shuffle_reader **out, struct shuffle *s,
                              struct read_spec spec, struct task *task, struct err *err)
{
    struct shuffle_reader *r = xcalloc(1, sizeof *r);

    if (spec.map_to > s->n_maps)
        spec.map_to = s->n_maps;
    if (spec.to > s->n_reducers)
        spec.to = s->n_reducers;
    *r = (struct shuffle_reader){
        .shuffle = s, .task = task, .spec = spec, .map = spec.map_from, .fd = -1
    };
    task->metrics.reads_shuffle = 1;
    for (uint32_t m = spec.map_from; m < spec.map_to; m++)
        if (!s->maps[m].done) {
            r->map = m;
            lost(r, "Missing an output location", err);
            free(r);
            return ERR_OPEN;
        }
    *out = r;
    return ERR_OK;
}

static void close_file(struct shuffle_reader *r)
{
    if (r->own_fd && r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->own_fd = false;
}

static void count_blocks(struct shuffle_reader *r, const struct map_output *m)
{
    struct task_metrics *count = &r->task->metrics;

    for (uint32_t k = r->spec.from; k < r->spec.to; k++) {
        int64_t bytes = map_output_bytes(r->shuffle, m, k, k + 1);

        count->local_bytes += bytes;
        count->local_blocks += bytes > 0;
    }
}

/* The next part of some map that is not empty. False: there is none. */
static bool next_part(struct shuffle_reader *r)
{
    while (r->map < r->spec.map_to) {
        const struct map_output *m = output_of(r);

        if (r->chunk == 0)
            count_blocks(r, m);
        while (r->chunk < m->n_chunks) {
            const uint64_t *starts =
                m->starts + (size_t)r->chunk++ * (r->shuffle->n_reducers + 1);

            r->at = starts[r->spec.from];
            r->end = starts[r->spec.to];
            if (r->end > r->at)
                return true;
        }
        r->map++;
        r->chunk = 0;
        close_file(r);
    }
    return false;
}

static enum errc open_output(struct shuffle_reader *r, struct err *err)
{
    const struct map_output *m = output_of(r);

    if (r->fd >= 0)
        return ERR_OK;
    if (m->fd >= 0) {
        r->fd = m->fd;
        return ERR_OK;
    }
    r->fd = open(m->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return lost(r, strerror(errno), err);
    r->own_fd = true;
    return ERR_OK;
}

/* At least `need` bytes ahead: more of the part is read behind what is left. */
static enum errc fetch(struct shuffle_reader *r, size_t need, struct err *err)
{
    size_t want = r->end - r->at > FETCH_BYTES ? FETCH_BYTES : (size_t)(r->end - r->at);

    TRY(open_output(r, err));
    if (want < need - r->ahead.len)
        want = need - r->ahead.len;
    if (want > r->end - r->at)
        return lost(r, "the output ends inside a frame", err);
    if (r->fetched_cap < r->ahead.len + want) {
        char *larger = xmalloc(r->ahead.len + want);

        if (r->ahead.len)
            memcpy(larger, r->ahead.p, r->ahead.len);
        free(r->fetched);
        r->fetched = larger;
        r->fetched_cap = r->ahead.len + want;
    } else if (r->ahead.len) {
        memmove(r->fetched, r->ahead.p, r->ahead.len);
    }
    r->ahead.p = r->fetched;
    while (want) {
        ssize_t n = pread(r->fd, r->fetched + r->ahead.len, want, (off_t)r->at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lost(r, n ? strerror(errno) : "the file is shorter", err);
        r->ahead.len += (size_t)n;
        r->at += (uint64_t)n;
        want -= (size_t)n;
    }
    return ERR_OK;
}

/* The part's bytes in memory need no reading. */
static void take_memory(struct shuffle_reader *r)
{
    r->ahead = (struct sv){ output_of(r)->memory + r->at, (size_t)(r->end - r->at) };
    r->at = r->end;
}

/* Opens the next frame into the arena. */
static enum next next_frame(struct shuffle_reader *r, struct arena *a, struct batch *out,
                            struct err *err)
{
    size_t raw, stored, used;
    char *bytes;

    if (r->ahead.len == 0 && r->at == r->end) {
        if (!next_part(r))
            return NEXT_END;
        if (output_of(r)->memory)
            take_memory(r);
    }
    if (r->ahead.len < BLOCK_HEAD && fetch(r, BLOCK_HEAD, err) != ERR_OK)
        return NEXT_FAIL;
    if (block_peek(r->ahead, &raw, &stored, err) != ERR_OK)
        return NEXT_FAIL;
    if (r->ahead.len < BLOCK_HEAD + stored &&
        fetch(r, BLOCK_HEAD + stored, err) != ERR_OK)
        return NEXT_FAIL;
    bytes = arena_alloc(a, raw + 8);
    if (block_read(r->ahead, bytes, &used, err) != ERR_OK)
        return NEXT_FAIL;
    r->ahead = sv_from(r->ahead, used);
    if (batch_decode(a, (struct sv){ bytes, raw }, r->shuffle->types,
                     r->shuffle->n_columns, out, &used, err) != ERR_OK)
        return NEXT_FAIL;
    r->task->metrics.shuffle_read_rows += out->n_rows;
    return NEXT_ITEM;
}

/* --- putting small frames together ------------------------------------------------ */

static void append_valid(struct arena *a, struct vec *to, uint32_t at,
                         const struct vec *from, uint32_t n)
{
    bool may_be_null = from->valid || (from->kind == VEC_DICT && from->dict->valid);

    if (!may_be_null && !to->valid)
        return;
    if (!to->valid) {
        to->valid = arena_alloc(a, BATCH_ROWS);
        memset(to->valid, 1, BATCH_ROWS);
    }
    if (!may_be_null)
        memset(to->valid + at, 1, n);
    else if (from->kind == VEC_FLAT)
        memcpy(to->valid + at, from->valid, n);
    else
        for (uint32_t i = 0; i < n; i++)
            to->valid[at + i] = !vec_is_null(from, i);
}

static void append(struct arena *a, struct vec *to, uint32_t at, const struct vec *from,
                   uint32_t n)
{
    size_t width = type_width(to->type);
    char *data = (char *)to->data + at * width;

    append_valid(a, to, at, from, n);
    if (from->kind == VEC_FLAT) {
        memcpy(data, from->data, n * width);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!vec_is_null(from, i))
            memcpy(data + i * width, vec_at(from, i), width);
        else
            memset(data + i * width, 0, width);
}

static void begin_together(struct shuffle_reader *r, struct batch *out)
{
    out->columns =
        arena_array(&r->arena, r->shuffle->n_columns + 1, sizeof *out->columns);
    out->n_columns = r->shuffle->n_columns;
    for (uint32_t c = 0; c < out->n_columns; c++)
        out->columns[c] = vec_flat(&r->arena, r->shuffle->types[c], BATCH_ROWS, false);
}

static void add_together(struct shuffle_reader *r, struct batch *out,
                         const struct batch *more)
{
    for (uint32_t c = 0; c < out->n_columns; c++)
        append(&r->arena, &out->columns[c], out->n_rows, &more->columns[c], more->n_rows);
    out->n_rows += more->n_rows;
    out->n_sel = out->n_rows;
}

/* The frame opened last by the call before, if it did not fit, else a new one. */
static enum next first_frame(struct shuffle_reader *r, struct batch *out, struct err *err)
{
    struct arena was = r->arena;

    if (!r->has_held) {
        arena_reset(&r->arena);
        return next_frame(r, &r->arena, out, err);
    }
    r->arena = r->held_arena;
    r->held_arena = was;
    arena_reset(&r->held_arena);
    r->has_held = false;
    *out = r->held;
    return NEXT_ITEM;
}

enum next shuffle_read(struct shuffle_reader *r, struct batch *out, struct err *err)
{
    struct batch first, together = { 0 };
    enum next got;

    if (r->ended)
        return NEXT_END;
    got = first_frame(r, &first, err);
    if (got != NEXT_ITEM || first.n_rows >= GOOD_ROWS) {
        r->ended = got == NEXT_END;
        *out = first;
        return got;
    }
    begin_together(r, &together);
    add_together(r, &together, &first);
    while (together.n_rows < GOOD_ROWS) {
        struct batch more;

        /* into its own arena: it may have to wait for the next call, and small frames
         * are the rule */
        got = next_frame(r, &r->arena, &more, err);
        if (got == NEXT_FAIL)
            return got;
        if (got == NEXT_END) {
            r->ended = true;
            break;
        }
        if (together.n_rows + more.n_rows > BATCH_ROWS) {
            struct strbuf copy = { 0 };

            /* rare: a large frame behind small ones; it is kept for the next call */
            batch_encode(&copy, &more);
            char *bytes = arena_alloc(&r->held_arena, copy.len + 8);
            size_t used;
            memcpy(bytes, copy.p, copy.len);
            enum errc rc = batch_decode(&r->held_arena, (struct sv){ bytes, copy.len },
                                        r->shuffle->types, r->shuffle->n_columns,
                                        &r->held, &used, err);
            strbuf_release(&copy);
            if (rc != ERR_OK)
                return NEXT_FAIL;
            r->has_held = true;
            break;
        }
        add_together(r, &together, &more);
    }
    *out = together;
    return NEXT_ITEM;
}

int64_t shuffle_reader_rows(const struct shuffle_reader *r)
{
    const struct shuffle *s = r->shuffle;
    double rows = 0;

    for (uint32_t i = r->spec.map_from; i < r->spec.map_to; i++) {
        const struct map_output *m = &s->maps[i];
        int64_t all = m->done ? map_output_bytes(s, m, 0, s->n_reducers) : 0;

        if (all > 0)
            rows += (double)m->rows *
                    (double)map_output_bytes(s, m, r->spec.from, r->spec.to) /
                    (double)all;
    }
    return (int64_t)rows;
}

void shuffle_reader_close(struct shuffle_reader *r)
{
    if (!r)
        return;
    close_file(r);
    free(r->fetched);
    arena_release(&r->arena);
    arena_release(&r->held_arena);
    free(r);
}
