/* Aggregates over frames.
 *
 *     the whole partition   one state for each, all of a block at once
 *     growing               one state; the rows that are new to each frame are added
 *     moving                a state for each frame: its rows, as Spark does, so that sums
 *                           of doubles are the same to the last bit; frames of more than
 *                           MOVING_MOST rows are put together from a tree of partial
 *                           states, 16 children a node
 *
 * Rows with the same frame share its state. Text in states lies in a heap: of the chunk,
 * or of the partition for what lives longer. */
#include "engine/exec/window.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FANOUT = 16, MOVING_MOST = 512, TREE_LEVELS = 8 };

struct level {
    uint32_t n;
    struct vec *buffers;
};

struct tree {
    bool built;
    uint32_t lo, hi; /* the partition */
    uint32_t n_levels;
    struct level levels[TREE_LEVELS]; /* 0: nodes of FANOUT rows */
    struct arena arena, heap;
    uint8_t *states; /* of the nodes over a batch of rows, or of nodes */
    uint8_t *at[BATCH_ROWS / FANOUT];
};

struct window_agg {
    struct agg_run run;
    size_t state_bytes;
    bool deep; /* states point into the heap */
    struct arena chunk_heap, long_heap;
    struct vec *views; /* arguments */
    uint32_t n_buffers;
    struct type buffer_types[AGG_MAX_BUFFER];
    /* of the frames of a chunk */
    uint8_t *states; /* BATCH_ROWS */
    uint8_t *at[BATCH_ROWS];
    struct vec finals;
    uint32_t frame_of[BATCH_ROWS];
    /* growing */
    uint8_t *state;
    uint32_t lo, hi;
    /* whole partitions */
    uint8_t *part_states;
    struct vec part_results;
    struct tree tree;
};

static bool points(struct type t)
{
    return type_is_text(t);
}

static enum errc agg_open(struct window *w, struct window_fn *f, struct err *err)
{
    struct arena *a = &w->op->task->arena;
    struct window_agg *g = ARENA_NEW(a, struct window_agg);
    const struct expr *e = f->expr;
    const char *names[AGG_MAX_BUFFER];
    struct type *types = arena_array(a, e->n_args + 1, sizeof *types);

    (void)err;
    f->state = g;
    for (uint32_t i = 0; i < e->n_args; i++)
        types[i] = e->args[i]->type;
    g->run = (struct agg_run){ .agg = e->agg,
                               .expr = e,
                               .heap = &g->chunk_heap,
                               .arg_types = types,
                               .n_args = e->n_args,
                               .result = e->type };
    g->state_bytes = (e->agg->state_bytes(&g->run) + 7) & ~(size_t)7;
    g->n_buffers = e->agg->buffers(e, g->buffer_types, names);
    g->deep = points(e->type) || e->agg->buffer == AGG_BUFFER_OBJECT;
    for (uint32_t i = 0; i < g->n_buffers; i++)
        g->deep = g->deep || points(g->buffer_types[i]);
    g->views = arena_array(a, e->n_args + 1, sizeof *g->views);
    g->states = arena_alloc(a, BATCH_ROWS * g->state_bytes);
    g->state = arena_alloc(a, g->state_bytes);
    g->tree.states = arena_alloc(a, BATCH_ROWS / FANOUT * g->state_bytes);
    g->finals = vec_flat(a, e->type, BATCH_ROWS, true);
    return ERR_OK;
}

/* ---- adding rows ---- */

static void view_args(struct window *w, struct window_fn *f, uint32_t from)
{
    struct window_agg *g = f->state;

    for (uint32_t i = 0; i < f->n_args; i++)
        g->views[i] = window_view(w, &f->args[i], from);
}

/* All rows from..to to one state. */
static void add_range(struct window *w, struct window_fn *f, uint8_t *state,
                      uint32_t from, uint32_t to)
{
    struct window_agg *g = f->state;
    uint8_t *states[BATCH_ROWS];

    while (from < to) {
        uint32_t n = to - from < BATCH_ROWS ? to - from : BATCH_ROWS;
        struct batch b = { n, n, NULL, f->n_args, g->views };

        view_args(w, f, from);
        if (g->run.agg->update_all) {
            g->run.agg->update_all(&g->run, state, g->views, &b);
        } else {
            for (uint32_t i = 0; i < n; i++)
                states[i] = state;
            g->run.agg->update(&g->run, states, g->views, &b);
        }
        from += n;
    }
}

/* ---- whole partitions ---- */

static void add_parts(struct window *w, struct window_fn *f)
{
    struct window_agg *g = f->state;
    const struct window_block *b = &w->block;
    uint8_t *states[BATCH_ROWS];
    uint32_t part = 0;

    for (uint32_t at = 0; at < b->n;) {
        uint32_t left = b->n - at, n = left < BATCH_ROWS ? left : BATCH_ROWS;
        struct batch rows = { n, n, NULL, f->n_args, g->views };

        while (at >= b->starts[part + 1])
            part++;
        if (b->starts[part + 1] >= at + n) {
            add_range(w, f, g->part_states + part * g->state_bytes, at, at + n);
            at += n;
            continue;
        }
        for (uint32_t i = 0, p = part; i < n; i++) {
            p += at + i >= b->starts[p + 1];
            states[i] = g->part_states + p * g->state_bytes;
        }
        view_args(w, f, at);
        g->run.agg->update(&g->run, states, g->views, &rows);
        at += n;
    }
}

static void finish_parts(struct window *w, struct window_fn *f)
{
    struct window_agg *g = f->state;
    uint32_t n_parts = w->block.n_parts;
    size_t width = type_width(g->run.result);

    free(g->part_results.data);
    free(g->part_results.valid);
    g->part_results = (struct vec){ .type = g->run.result };
    g->part_results.data = xcalloc(n_parts, width);
    g->part_results.valid = xmalloc(n_parts);
    for (uint32_t at = 0; at < n_parts; at += BATCH_ROWS) {
        uint32_t n = n_parts - at < BATCH_ROWS ? n_parts - at : BATCH_ROWS;

        for (uint32_t i = 0; i < n; i++)
            g->at[i] = g->part_states + (at + i) * g->state_bytes;
        memset(g->finals.valid, 1, n);
        g->run.agg->final(&g->run, g->at, n, &g->finals);
        memcpy((char *)g->part_results.data + at * width, g->finals.data, n * width);
        memcpy(g->part_results.valid + at, g->finals.valid, n);
    }
}

static void agg_begin(struct window *w, struct window_fn *f)
{
    struct window_agg *g = f->state;

    g->lo = g->hi = ROWS_NONE;
    g->tree.built = false;
    arena_reset(&g->long_heap);
    if (!f->frame->is_partition)
        return;
    free(g->part_states);
    g->part_states = xcalloc(w->block.n_parts, g->state_bytes);
    g->run.heap = &g->long_heap;
    add_parts(w, f);
    finish_parts(w, f);
}

/* ---- the tree ---- */

static int64_t tree_bytes(const struct window_agg *g, uint32_t rows)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < g->n_buffers; i++)
        bytes += (int64_t)type_width(g->buffer_types[i]) + 1;
    return bytes * ((int64_t)rows / FANOUT + TREE_LEVELS) * (FANOUT + 1) / FANOUT;
}

static void level_room(struct window_agg *g, struct level *l, uint32_t n)
{
    struct arena *a = &g->tree.arena;

    l->n = n;
    l->buffers = arena_array(a, g->n_buffers + 1, sizeof *l->buffers);
    for (uint32_t i = 0; i < g->n_buffers; i++)
        l->buffers[i] = vec_flat(a, g->buffer_types[i], n, true);
}

static struct vec part_of(const struct vec *v, uint32_t from)
{
    struct vec part = *v;

    part.data = (char *)v->data + (size_t)from * type_width(v->type);
    part.valid = v->valid + from;
    return part;
}

/* Nodes from.. of the level, n of them, out of their states. */
static void put_nodes(struct window_agg *g, struct level *l, uint32_t from, uint32_t n)
{
    struct vec to[AGG_MAX_BUFFER];

    for (uint32_t i = 0; i < g->n_buffers; i++)
        to[i] = part_of(&l->buffers[i], from);
    g->run.agg->partial(&g->run, g->tree.at, n, to);
}

/* Children from.. of a level, n of them, to states[0], [1].. by FANOUT. */
static void merge_nodes(struct window_agg *g, const struct level *l, uint32_t from,
                        uint32_t n, uint8_t *const *states)
{
    struct vec views[AGG_MAX_BUFFER];
    struct batch b = { n, n, NULL, g->n_buffers, views };

    for (uint32_t i = 0; i < g->n_buffers; i++)
        views[i] = part_of(&l->buffers[i], from);
    g->run.agg->merge(&g->run, (uint8_t **)(uintptr_t)states, views, &b);
}

static void build_level(struct window *w, struct window_fn *f, uint32_t k)
{
    struct window_agg *g = f->state;
    struct tree *t = &g->tree;
    uint32_t below = k ? t->levels[k - 1].n : t->hi - t->lo;
    uint8_t *states[BATCH_ROWS];

    level_room(g, &t->levels[k], (below + FANOUT - 1) / FANOUT);
    for (uint32_t from = 0; from < below; from += BATCH_ROWS) {
        uint32_t n = below - from < BATCH_ROWS ? below - from : BATCH_ROWS;
        uint32_t nodes = (n + FANOUT - 1) / FANOUT;
        struct batch b = { n, n, NULL, f->n_args, g->views };

        memset(t->states, 0, nodes * g->state_bytes);
        for (uint32_t i = 0; i < nodes; i++)
            t->at[i] = t->states + i * g->state_bytes;
        for (uint32_t i = 0; i < n; i++)
            states[i] = t->at[i / FANOUT];
        if (k) {
            merge_nodes(g, &t->levels[k - 1], from, n, states);
        } else {
            view_args(w, f, t->lo + from);
            g->run.agg->update(&g->run, states, g->views, &b);
        }
        put_nodes(g, &t->levels[k], from / FANOUT, nodes);
    }
}

/* False: no memory for it; frames are added up row by row then. */
static bool build_tree(struct window *w, struct window_fn *f, uint32_t lo, uint32_t hi)
{
    struct window_agg *g = f->state;
    struct tree *t = &g->tree;

    if (t->built && t->lo == lo)
        return t->n_levels > 0;
    arena_reset(&t->arena);
    arena_reset(&t->heap);
    t->built = true;
    t->lo = lo;
    t->hi = hi;
    t->n_levels = 0;
    int64_t want = tree_bytes(g, hi - lo);
    int64_t got = memory_acquire(&w->consumer, want, 0, &(struct err){ 0 });
    if (got < want) {
        if (got > 0)
            memory_release(&w->consumer, got);
        return false;
    }
    struct arena *heap = g->run.heap;
    g->run.heap = &t->heap;
    do
        build_level(w, f, t->n_levels++);
    while (t->levels[t->n_levels - 1].n > FANOUT && t->n_levels < TREE_LEVELS);
    g->run.heap = heap;
    return true;
}

/* Rows to a node's edge, nodes to an edge of theirs, and so on up; then down again: rows
 * go in in their order. */
static void add_by_tree(struct window *w, struct window_fn *f, uint8_t *state,
                        uint32_t lo, uint32_t hi)
{
    struct window_agg *g = f->state;
    const struct tree *t = &g->tree;
    uint32_t tail[TREE_LEVELS + 1][2], from = lo - t->lo, to = hi - t->lo, k = 0;
    uint8_t *states[BATCH_ROWS];

    for (uint32_t i = 0; i < 2 * FANOUT; i++)
        states[i] = state;
    for (;; k++) {
        uint32_t first = (from + FANOUT - 1) / FANOUT, last = to / FANOUT;
        uint32_t left = first * FANOUT, right = last * FANOUT;
        bool inner = first < last && k < t->n_levels;

        if (!inner)
            left = right = to;
        if (k == 0)
            add_range(w, f, state, t->lo + from, t->lo + left);
        else
            for (uint32_t at = from; at < left; at += FANOUT) {
                uint32_t n = left - at < FANOUT ? left - at : FANOUT;

                merge_nodes(g, &t->levels[k - 1], at, n, states);
            }
        tail[k][0] = right;
        tail[k][1] = to;
        if (!inner)
            break;
        from = first;
        to = last;
    }
    while (k-- > 0) {
        uint32_t at = tail[k][0], n = tail[k][1] - at;

        if (k == 0)
            add_range(w, f, state, t->lo + at, t->lo + at + n);
        else if (n)
            merge_nodes(g, &t->levels[k - 1], at, n, states);
    }
}

/* ---- frames of a chunk ---- */

static void grow_state(struct window *w, struct window_fn *f, uint32_t lo, uint32_t hi)
{
    struct window_agg *g = f->state;

    if (g->lo != lo) {
        memset(g->state, 0, g->state_bytes);
        arena_reset(&g->long_heap);
        g->lo = g->hi = lo;
    }
    g->run.heap = &g->long_heap;
    add_range(w, f, g->state, g->hi, hi);
    g->hi = hi;
    g->run.heap = &g->chunk_heap;
}

/* The result so far, whose text must outlive the state. */
static void keep_result(struct window_agg *g, uint32_t at)
{
    struct vec one = part_of(&g->finals, at);

    one.valid[0] = 1;
    g->run.agg->final(&g->run, &g->state, 1, &one);
    if (points(one.type) && one.valid[0]) {
        struct str *s = one.data;

        *s = str_keep(&g->chunk_heap, s);
    }
}

static bool wants_tree(const struct window *w, const struct window_frame *fr)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < w->chunk.n; i++)
        rows += fr->hi[i] - fr->lo[i];
    return rows / w->chunk.n > MOVING_MOST;
}

/* States of all frames, or (deep and growing) their results. How many there are. */
static uint32_t run_frames(struct window *w, struct window_fn *f)
{
    struct window_agg *g = f->state;
    const struct window_frame *fr = f->frame;
    const struct window_chunk *c = &w->chunk;
    bool tree = !fr->grows && wants_tree(w, fr);
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n; i++) {
        bool same = i && fr->lo[i] == fr->lo[i - 1] && fr->hi[i] == fr->hi[i - 1];
        uint8_t *state = g->states + n * g->state_bytes;

        if (same) {
            g->frame_of[i] = n - 1;
            continue;
        }
        if (fr->grows) {
            grow_state(w, f, fr->lo[i], fr->hi[i]);
            if (g->deep)
                keep_result(g, n);
            else
                memcpy(state, g->state, g->state_bytes);
        } else {
            uint32_t many = fr->hi[i] - fr->lo[i];
            bool by_tree =
                tree && many > MOVING_MOST && build_tree(w, f, c->lo[i], c->hi[i]);

            memset(state, 0, g->state_bytes);
            if (by_tree)
                add_by_tree(w, f, state, fr->lo[i], fr->hi[i]);
            else
                add_range(w, f, state, fr->lo[i], fr->hi[i]);
        }
        g->at[n] = state;
        g->frame_of[i] = n++;
    }
    return n;
}

static enum errc agg_run(struct window *w, struct window_fn *f, struct err *err)
{
    struct window_agg *g = f->state;
    const struct window_chunk *c = &w->chunk;

    (void)err;
    if (f->frame->is_partition) {
        if (!vec_gather(&g->part_results, c->part, c->n, false, &f->out, 0))
            f->out.valid = NULL;
        return ERR_OK;
    }
    arena_reset(&g->chunk_heap);
    g->run.heap = &g->chunk_heap;
    uint32_t n = run_frames(w, f);
    if (!(g->deep && f->frame->grows)) {
        memset(g->finals.valid, 1, n);
        g->run.agg->final(&g->run, g->at, n, &g->finals);
    }
    if (!vec_gather(&g->finals, g->frame_of, c->n, false, &f->out, 0))
        f->out.valid = NULL;
    return ERR_OK;
}

static void agg_close(struct window_fn *f)
{
    struct window_agg *g = f->state;

    arena_release(&g->chunk_heap);
    arena_release(&g->long_heap);
    arena_release(&g->tree.arena);
    arena_release(&g->tree.heap);
    free(g->part_states);
    free(g->part_results.data);
    free(g->part_results.valid);
}

const struct window_fn_class window_agg_class = {
    .open = agg_open,
    .begin = agg_begin,
    .run = agg_run,
    .close = agg_close,
};
