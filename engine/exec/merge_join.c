/* SortMergeJoin: both children come sorted by their keys, ascending, NULLs first.
 *
 *     streamed   a batch at a time
 *     window     rows of the other side: from the first that the streamed batch may still
 *                meet to beyond the last; each row's key as a prefix (sort_keys.h)
 *
 *         streamed   [ 4 4 7 9 ]
 *         window      2 | 4 4 5 7 7 8 | 11      2: dropped next; 11: enough is read
 *
 * One pass over both finds each streamed row's candidates, which lie together in the
 * window; join_pairs.h makes rows of them. Where memory ends before the window reaches far
 * enough, the streamed rows below its last key are joined first and the window moves on.
 * Where the rows of one key alone are too many, they go to a file, and each run of
 * streamed rows with that key reads it from the start. */
#include "engine/exec/join_pairs.h"
#include "engine/exec/sort_keys.h"
#include "engine/exec/spill.h"

#include "base/mem.h"

#include <stdlib.h>

enum { COMPACT_FROM = 4 * BATCH_ROWS };

struct keys { /* of one side */
    struct eval *eval;
    struct vec *columns;
};

struct window {
    struct rows rows; /* columns, then keys where prefixes do not say all */
    struct sort_item *items;
    uint8_t *keyless, *seen;
    uint32_t cap, lo; /* rows before lo are done with */
    struct vec *views; /* of its columns, as they lie now */
    uint32_t n_put;    /* columns without the keys */
};

/* The build rows of one key, in a file. */
struct group {
    bool on, reading, leaving;
    struct rows key; /* its columns, one row */
    struct vec *key_views;
    struct sort_item item;
    struct spill_file file;
    struct spill_reader reader;
    struct type *types;
    uint64_t n, at; /* rows; those before the piece at hand */
    struct rows piece;
    uint8_t *seen; /* of a full join */
};

struct merge_join {
    struct join_sides sides;
    struct group group;
    struct join_pairs pairs;
    struct sort_layout layout;
    struct keys stream_keys, build_keys;
    struct consumer consumer;
    struct window win;
    bool build_done, stream_done, have;
    bool pending; /* `more` is not in the window yet */
    struct batch more, stream;
    struct vec *more_columns;
    uint32_t more_positions[BATCH_ROWS];
    struct sort_item items[BATCH_ROWS]; /* of the streamed batch, by i-th row */
    uint8_t keyless[BATCH_ROWS];
    uint32_t from, to; /* of its rows that count: those joined now */
    uint32_t positions[BATCH_ROWS];
};

/* ---- open ---- */

static void open_keys(struct op *op, struct keys *k, const struct exprs *keys,
                      uint32_t child)
{
    k->eval = op_eval(op, op_bind(op, keys, &op->node->children[child]->output), keys->n);
    k->columns = arena_array(&op->task->arena, keys->n + 1, sizeof *k->columns);
}

static void open_window(struct op *op, struct merge_join *m, const struct exprs *keys)
{
    struct arena *a = &op->task->arena;
    const struct join_sides *j = &m->sides;
    uint32_t n = j->only_stream && !j->condition ? 0 : j->n_build;
    struct type *types = arena_array(a, n + keys->n + 1, sizeof *types);

    m->win.n_put = n;
    if (n)
        memcpy(types, j->build_types, n * sizeof *types);
    for (uint32_t k = 0; k < keys->n; k++)
        types[n + k] = keys->at[k]->type;
    rows_init(&m->win.rows, types, n + (m->layout.exact ? 0 : keys->n));
    m->win.views = arena_array(a, n + keys->n + 1, sizeof *m->win.views);
    m->more_columns = arena_array(a, n + keys->n + 1, sizeof *m->more_columns);
    spill_init(&m->group.file, op->task);
    m->group.types = types;
    rows_init(&m->group.piece, types, n);
    rows_init(&m->group.key, types + n, keys->n);
    m->group.key_views = arena_array(a, keys->n + 1, sizeof *m->group.key_views);
}

static enum errc merge_open(struct op *op, struct err *err)
{
    struct merge_join *m = op->state;
    const struct phys *p = op->node;
    struct join_sides *j = &m->sides;
    const struct exprs *keys[2] = { &p->left_keys, &p->right_keys };

    (void)err;
    m->consumer.name = "sort merge join";
    m->consumer.owner = op;
    consumer_add(&op->task->memory, &m->consumer);
    join_sides_open(op, j, p->join_type == JOIN_RIGHT);
    join_pairs_init(&m->pairs, op, j);
    sort_layout_init(&m->layout, &op->task->arena, keys[j->stream]);
    open_keys(op, &m->stream_keys, keys[j->stream], j->stream);
    open_keys(op, &m->build_keys, keys[j->build], j->build);
    open_window(op, m, keys[j->build]);
    return ERR_OK;
}

/* ---- keys ---- */

static void mark_keyless(const struct merge_join *m, const struct keys *k,
                         const struct batch *b, uint8_t *to)
{
    memset(to, 0, b->n_sel);
    for (uint32_t c = 0; c < m->layout.n; c++) {
        const struct vec *v = &k->columns[c];

        if (v->type.id == TYPE_NULL)
            memset(to, 1, b->n_sel);
        else if (v->valid || (v->kind == VEC_DICT && v->dict->valid))
            for (uint32_t i = 0; i < b->n_sel; i++)
                to[i] |= vec_is_null(v, batch_row(b, i));
    }
}

/* Row `at` of the window against the i-th streamed one. */
static inline int compare(const struct merge_join *m, uint32_t at, uint32_t i)
{
    const struct window *w = &m->win;
    int order = sort_item_cmp(&w->items[at], &m->items[i]);

    if (order || m->layout.exact)
        return order;
    return sort_compare(&m->layout, w->views + w->n_put, at, m->stream_keys.columns,
                        batch_row(&m->stream, i));
}

/* ---- the window ---- */

static void window_room(struct window *w, uint32_t n)
{
    if (n <= w->cap)
        return;
    w->cap = n > w->cap + w->cap / 2 ? n : w->cap + w->cap / 2;
    w->items = xrealloc(w->items, mem_product(w->cap, sizeof *w->items));
    w->keyless = xrealloc(w->keyless, w->cap);
    w->seen = xrealloc(w->seen, w->cap);
}

/* An empty window's arrays. */
static void window_forget(struct window *w)
{
    free(w->items);
    free(w->keyless);
    free(w->seen);
    w->items = NULL;
    w->keyless = w->seen = NULL;
    w->cap = 0;
}

static int64_t window_bytes(const struct window *w)
{
    return rows_bytes(&w->rows) + (int64_t)w->cap * ((int64_t)sizeof *w->items + 2);
}

static int64_t window_bytes_with(const struct window *w, const struct batch *b)
{
    int64_t n = (int64_t)w->rows.n + b->n_sel;
    int64_t grown = max_i64(n, (int64_t)w->cap + w->cap / 2);
    int64_t cap = n <= w->cap ? w->cap : grown;

    return rows_bytes_with(&w->rows, b) + cap * ((int64_t)sizeof *w->items + 2);
}

/* Takes the rows before lo away, and gives memory back. */
static void window_compact(struct merge_join *m)
{
    struct window *w = &m->win;
    uint32_t left = w->rows.n - w->lo;
    struct rows old = w->rows;

    if (w->lo == 0)
        return;
    if (left) {
        struct type types[old.n_columns + 1];
        struct batch b = { left, left, NULL, old.n_columns, w->views };

        for (uint32_t c = 0; c < old.n_columns; c++)
            types[c] = old.columns[c].type;
        rows_view(&old, w->lo, left, w->views);
        rows_init(&w->rows, types, old.n_columns);
        rows_append(&w->rows, &b);
        rows_release(&old);
        memmove(w->items, w->items + w->lo, left * sizeof *w->items);
        memmove(w->keyless, w->keyless + w->lo, left);
        memmove(w->seen, w->seen + w->lo, left);
    } else {
        rows_clear(&w->rows);
    }
    w->lo = 0;
    m->pairs.left_over = 0;
    rows_view(&w->rows, 0, w->rows.n, w->views);
    int64_t spare = m->consumer.used_bytes - window_bytes(w);
    if (spare > 0)
        memory_release(&m->consumer, spare);
}

/* The next batch of the build side, with its keys, as `more`. */
static enum op_step fetch(struct op *op, struct merge_join *m, struct err *err)
{
    struct batch *b = &m->more;
    uint32_t n = m->win.n_put;
    enum op_step step = op_next(op->children[m->sides.build], b, err);

    m->build_done = step == OP_END;
    if (step != OP_BATCH)
        return step;
    if (eval_run_list(m->build_keys.eval, b, m->build_keys.columns, err) != ERR_OK)
        return OP_FAIL;
    if (n)
        memcpy(m->more_columns, b->columns, n * sizeof *m->more_columns);
    memcpy(m->more_columns + n, m->build_keys.columns,
           m->layout.n * sizeof *m->more_columns);
    b->columns = m->more_columns;
    b->n_columns = m->win.rows.n_columns;
    m->pending = true;
    return OP_BATCH;
}

static enum memory_answer window_cover(struct merge_join *m, struct err *err)
{
    enum memory_answer got =
        memory_cover(&m->consumer, window_bytes_with(&m->win, &m->more), err);

    if (got != MEMORY_SHORT)
        return got;
    window_compact(m);
    if (m->win.rows.n == 0)
        window_forget(&m->win);
    return memory_cover(&m->consumer, window_bytes_with(&m->win, &m->more), err);
}

/* A batch more in the window. OP_END: there is no more, or (pending) no memory for it. */
static enum op_step window_grow(struct op *op, struct merge_join *m, struct err *err)
{
    struct window *w = &m->win;

    if (!m->pending) {
        enum op_step step = m->build_done ? OP_END : fetch(op, m, err);

        if (step != OP_BATCH)
            return step;
    }
    switch (window_cover(m, err)) {
    case MEMORY_FAILED:
        return OP_FAIL;
    case MEMORY_SHORT:
        return OP_END;
    case MEMORY_GRANTED:
        break;
    }
    uint32_t n = w->rows.n, more = m->more.n_sel;
    if ((uint64_t)n + more >= ROWS_NONE) {
        err_set(err, ERR_LIMIT, "too many rows of one key in a join");
        return OP_FAIL;
    }
    window_room(w, n + more);
    sort_encode(&m->layout, m->build_keys.columns, &m->more, n, w->items + n);
    mark_keyless(m, &m->build_keys, &m->more, w->keyless + n);
    memset(w->seen + n, 0, more);
    rows_append(&w->rows, &m->more);
    rows_view(&w->rows, 0, w->rows.n, w->views);
    m->pending = false;
    return OP_BATCH;
}

/* ---- a streamed batch ---- */

static enum op_step next_stream(struct op *op, struct merge_join *m, struct err *err)
{
    struct batch *b = &m->stream;
    enum op_step step = op_next(op->children[m->sides.stream], b, err);

    if (step != OP_BATCH)
        return step;
    if (eval_run_list(m->stream_keys.eval, b, m->stream_keys.columns, err) != ERR_OK)
        return OP_FAIL;
    sort_encode(&m->layout, m->stream_keys.columns, b, 0, m->items);
    mark_keyless(m, &m->stream_keys, b, m->keyless);
    m->from = m->to = 0;
    m->have = true;
    return OP_BATCH;
}

/* Build rows that no streamed row can meet any more. */
static void drop_below(struct merge_join *m, uint32_t i)
{
    struct window *w = &m->win;

    while (w->lo < w->rows.n && (w->keyless[w->lo] || compare(m, w->lo, i) < 0))
        w->lo++;
}

/* ---- a key of too many rows ---- */

static enum errc spill_window(struct merge_join *m, struct op *op, struct err *err)
{
    struct window *w = &m->win;
    int64_t held = m->consumer.used_bytes;

    m->group.n += w->rows.n - w->lo;
    for (uint32_t at = w->lo; w->n_put && at < w->rows.n; at += BATCH_ROWS) {
        uint32_t left = w->rows.n - at, n = left < BATCH_ROWS ? left : BATCH_ROWS;
        struct batch b = { n, n, NULL, w->n_put, w->views };

        rows_view(&w->rows, at, n, w->views);
        TRY(spill_add(&m->group.file, &b, err));
    }
    w->lo = w->rows.n;
    window_compact(m);
    held -= m->consumer.used_bytes;
    op->task->memory.spilled_memory_bytes += held;
    *op_metric(op, "spill_bytes") += held;
    return ERR_OK;
}

/* Rows of `more` with the group's key go to its file; what follows stays pending. */
static enum errc spill_more(struct merge_join *m, struct err *err)
{
    struct group *g = &m->group;
    struct batch b = m->more;
    struct sort_item items[BATCH_ROWS];
    uint32_t n = 0;

    sort_encode(&m->layout, m->build_keys.columns, &b, 0, items);
    while (n < b.n_sel && sort_item_cmp(&items[n], &g->item) == 0 &&
           (m->layout.exact ||
            sort_compare(&m->layout, m->build_keys.columns, batch_row(&b, n),
                         g->key_views, 0) == 0))
        n++;
    if (!b.sel && n < b.n_sel)
        for (uint32_t i = 0; i < b.n_sel; i++)
            m->more_positions[i] = i;
    if (!b.sel && n < b.n_sel)
        b.sel = m->more_positions;
    m->more.sel = b.sel ? b.sel + n : NULL;
    m->more.n_sel -= n;
    m->pending = m->more.n_sel > 0;
    b.n_sel = n;
    b.n_columns = m->win.n_put;
    g->n += n;
    return b.n_columns ? spill_add(&g->file, &b, err) : ERR_OK;
}

/* All rows of the window have the key of the streamed row `from`. */
static enum errc begin_group(struct op *op, struct merge_join *m, struct err *err)
{
    struct group *g = &m->group;
    uint32_t row = batch_row(&m->stream, m->from);
    struct batch key = { m->stream.n_rows, 1, &row, m->layout.n, m->stream_keys.columns };

    g->on = true;
    g->n = 0;
    g->item = m->items[m->from];
    rows_append(&g->key, &key);
    rows_view(&g->key, 0, 1, g->key_views);
    TRY(spill_window(m, op, err));
    for (;;) {
        if (m->pending) {
            TRY(spill_more(m, err));
            if (m->pending)
                break;
        }
        enum op_step step = fetch(op, m, err);
        if (step == OP_FAIL)
            return err->code;
        if (step == OP_END)
            break;
    }
    if (m->sides.build_outer)
        g->seen = xcalloc(g->n + 1, 1);
    return spill_flush(&g->file, err);
}

static void end_group(struct merge_join *m)
{
    struct group *g = &m->group;

    rows_clear(&g->key);
    rows_clear(&g->piece);
    spill_reset(&g->file);
    free(g->seen);
    g->seen = NULL;
    g->on = g->leaving = false;
    m->pairs.left_over = 0;
}

static void open_group(struct merge_join *m)
{
    struct group *g = &m->group;

    rows_clear(&g->piece);
    g->at = 0;
    spill_open(&g->reader, &g->file, (struct spill_extent){ 0, g->file.end }, g->types,
               m->win.n_put);
}

/* The next rows of the file as `piece`. */
static enum next read_piece(struct merge_join *m, struct err *err)
{
    struct group *g = &m->group;
    struct join_pairs *p = &m->pairs;
    struct batch b;

    g->at += g->piece.n;
    rows_clear(&g->piece);
    enum next got = spill_read(&g->reader, &b, err);
    if (got != NEXT_ITEM)
        return got;
    rows_append(&g->piece, &b);
    p->build = &g->piece;
    p->seen = g->seen ? g->seen + g->at : NULL;
    p->left_over = 0;
    return NEXT_ITEM;
}

static bool in_group(const struct merge_join *m, uint32_t i)
{
    const struct group *g = &m->group;

    return !m->keyless[i] && sort_item_cmp(&g->item, &m->items[i]) == 0 &&
           (m->layout.exact ||
            sort_compare(&m->layout, g->key_views, 0, m->stream_keys.columns,
                         batch_row(&m->stream, i)) == 0);
}

/* The streamed rows being joined with the file, piece by piece. */
static enum op_step read_group(struct merge_join *m, struct batch *out, struct err *err)
{
    struct group *g = &m->group;
    struct join_pairs *p = &m->pairs;

    switch (m->win.n_put ? read_piece(m, err) : NEXT_END) {
    case NEXT_FAIL:
        return OP_FAIL;
    case NEXT_ITEM:
        for (uint32_t i = 0; i < p->in.n_sel; i++) {
            uint32_t row = batch_row(&p->in, i);

            p->head[row] = 0;
            p->end[row] = g->piece.n;
        }
        join_pairs_begin(p);
        return OP_END;
    case NEXT_END:
        break;
    }
    spill_close(&g->reader);
    g->reading = false;
    p->left_over = 0;
    return join_pairs_end_parts(p, out);
}

/* Rows of the file that had no pair, of a full join. */
static enum op_step leave_group(struct merge_join *m, struct batch *out, struct err *err)
{
    struct group *g = &m->group;
    struct join_pairs *p = &m->pairs;

    for (;;) {
        if (g->piece.n && join_pairs_left_over(p, g->piece.n, out) == OP_BATCH)
            return OP_BATCH;
        enum next got = read_piece(m, err);
        if (got == NEXT_FAIL)
            return OP_FAIL;
        if (got == NEXT_ITEM)
            continue;
        spill_close(&g->reader);
        end_group(m);
        return OP_END;
    }
}

/* ---- a streamed batch against the window ---- */

/* Dropped rows are to be put out before they go. */
static bool owes(const struct merge_join *m)
{
    return m->sides.build_outer && m->pairs.left_over < m->win.lo;
}

/* Reads until the window goes beyond the batch's last key, and sets `to`: before the rows
 * that it cannot tell all candidates of. OP_END: dropped rows come out first, or the key
 * is a group now. */
static enum op_step reach(struct op *op, struct merge_join *m, uint32_t last,
                          struct err *err)
{
    struct window *w = &m->win;
    enum op_step step = OP_BATCH;

    drop_below(m, m->from);
    while (!owes(m) &&
           (w->lo == w->rows.n || compare(m, w->rows.n - 1, last) <= 0)) {
        if (w->lo == w->rows.n || (w->lo >= COMPACT_FROM && w->lo >= w->rows.n / 2))
            window_compact(m);
        if ((step = window_grow(op, m, err)) != OP_BATCH)
            break;
        drop_below(m, m->from);
    }
    if (step == OP_FAIL)
        return step;
    if (owes(m))
        return OP_END;
    m->to = m->stream.n_sel;
    if (!m->pending)
        return OP_BATCH;
    while (m->to > m->from && w->rows.n > w->lo &&
           compare(m, w->rows.n - 1, m->to - 1) <= 0)
        m->to--;
    if (m->to > m->from && w->lo < w->rows.n)
        return OP_BATCH;
    if (w->lo < w->rows.n)
        return begin_group(op, m, err) == ERR_OK ? OP_END : OP_FAIL;
    (void)memory_refused(window_bytes_with(w, &m->more), m->consumer.used_bytes, err);
    return OP_FAIL;
}

/* The candidates of the streamed rows from..to. */
static void find_candidates(struct merge_join *m)
{
    struct window *w = &m->win;
    struct join_pairs *p = &m->pairs;
    uint32_t at = w->lo, end = w->lo; /* of the key that was met last */

    p->unique = true;
    for (uint32_t i = m->from; i < m->to; i++) {
        uint32_t row = batch_row(&m->stream, i);

        p->head[row] = ROWS_NONE;
        if (m->keyless[i])
            continue;
        if (at == end || compare(m, at, i) != 0) {
            for (at = end; at < w->rows.n; at++)
                if (!w->keyless[at] && compare(m, at, i) >= 0)
                    break;
            for (end = at; end < w->rows.n && compare(m, end, i) == 0;)
                end++;
        }
        if (at == end)
            continue;
        p->head[row] = at;
        p->end[row] = end;
        p->unique = p->unique && end - at == 1;
    }
}

/* The streamed rows from..to as the pairs' batch. */
static void take_rows(struct merge_join *m)
{
    struct join_pairs *p = &m->pairs;
    const struct batch *b = &m->stream;

    p->in = *b;
    p->in.n_sel = m->to - m->from;
    if (b->sel) {
        p->in.sel = b->sel + m->from;
    } else if (p->in.n_sel < b->n_sel) {
        for (uint32_t i = m->from; i < m->to; i++)
            m->positions[i] = i;
        p->in.sel = m->positions + m->from;
    }
    m->from = m->to;
    m->have = m->from < b->n_sel;
}

static void begin_pairs(struct merge_join *m)
{
    struct join_pairs *p = &m->pairs;

    find_candidates(m);
    take_rows(m);
    p->build = &m->win.rows;
    p->seen = m->sides.build_outer ? m->win.seen : NULL;
    join_pairs_begin(p);
}

static void begin_reading(struct merge_join *m)
{
    struct join_pairs *p = &m->pairs;

    for (m->to = m->from; m->to < m->stream.n_sel && in_group(m, m->to);)
        m->to++;
    take_rows(m);
    p->parts = true;
    p->unique = false;
    /* without a condition on columns the key alone is a pair */
    memset(p->hit, m->win.n_put == 0, p->in.n_rows);
    open_group(m);
    m->group.reading = true;
}

/* The streamed rows are past the group's key. */
static void pass_group(struct merge_join *m)
{
    if (!m->sides.build_outer) {
        end_group(m);
        return;
    }
    open_group(m);
    m->group.leaving = true;
}

/* OP_BATCH: pairs are to be made; OP_END: something else comes first. */
static enum op_step join_some(struct op *op, struct merge_join *m, struct err *err)
{
    uint32_t n = m->stream.n_sel, first = m->from;

    while (first < n && m->keyless[first])
        first++;
    if (first == n || first > m->from) { /* NULLs come first: they meet nothing */
        m->to = first;
        begin_pairs(m);
        return OP_BATCH;
    }
    if (m->group.on) {
        if (in_group(m, first))
            begin_reading(m);
        else
            pass_group(m);
        return OP_END;
    }
    uint32_t last = n - 1;
    while (m->keyless[last]) /* of several key columns any may be NULL */
        last--;
    enum op_step step = reach(op, m, last, err);
    if (step == OP_BATCH)
        begin_pairs(m);
    return step;
}

/* What is left of the build side when the streamed one has ended, for a full join. */
static enum op_step rest_of_build(struct op *op, struct merge_join *m, struct batch *out,
                                  struct err *err)
{
    struct window *w = &m->win;

    for (;;) {
        m->pairs.build = &w->rows;
        m->pairs.seen = w->seen;
        w->lo = w->rows.n;
        if (join_pairs_left_over(&m->pairs, w->lo, out) == OP_BATCH)
            return OP_BATCH;
        window_compact(m);
        enum op_step step = window_grow(op, m, err);
        if (step == OP_END && m->pending) {
            (void)memory_refused(window_bytes_with(w, &m->more), m->consumer.used_bytes,
                                 err);
            return OP_FAIL;
        }
        if (step != OP_BATCH)
            return step;
    }
}

/* ---- next, close ---- */

/* Nothing of the streamed rows to come can be put out. */
static bool is_over(const struct merge_join *m)
{
    const struct join_sides *j = &m->sides;
    bool needs_pair = !j->stream_outer && (!j->only_stream || j->type == JOIN_SEMI);

    return needs_pair && m->build_done && !m->group.on && m->win.lo == m->win.rows.n;
}

static enum op_step merge_next(struct op *op, struct batch *out, struct err *err)
{
    struct merge_join *m = op->state;
    struct join_pairs *p = &m->pairs;

    for (;;) {
        enum op_step step;

        if (p->busy) {
            step = join_pairs_next(p, out, err);
            if (step != OP_END)
                return step;
        } else if (m->group.reading || m->group.leaving) {
            step = m->group.reading ? read_group(m, out, err) : leave_group(m, out, err);
            if (step != OP_END)
                return step;
        } else if (owes(m)) {
            p->build = &m->win.rows;
            p->seen = m->win.seen;
            if (join_pairs_left_over(p, m->win.lo, out) == OP_BATCH)
                return OP_BATCH;
        } else if (m->have) {
            if (join_some(op, m, err) == OP_FAIL)
                return OP_FAIL;
        } else if (m->stream_done && m->group.on) {
            pass_group(m);
        } else if (m->stream_done) {
            return m->sides.build_outer ? rest_of_build(op, m, out, err) : OP_END;
        } else if (is_over(m)) {
            return OP_END;
        } else {
            step = next_stream(op, m, err);
            if (step == OP_FAIL)
                return step;
            m->stream_done = step == OP_END;
        }
    }
}

static void release_keys(struct keys *k)
{
    if (k->eval)
        eval_release(k->eval);
}

static void merge_close(struct op *op)
{
    struct merge_join *m = op->state;

    release_keys(&m->stream_keys);
    release_keys(&m->build_keys);
    join_sides_close(&m->sides);
    if (m->group.reading || m->group.leaving)
        spill_close(&m->group.reader);
    end_group(m);
    rows_release(&m->group.key);
    rows_release(&m->group.piece);
    spill_release(&m->group.file);
    rows_release(&m->win.rows);
    window_forget(&m->win);
    if (m->consumer.task) {
        op->task->metrics.peak_execution_bytes += m->consumer.peak_bytes;
        consumer_remove(&m->consumer);
    }
}

const struct op_class op_merge_join = {
    .kind = PHYS_SORT_MERGE_JOIN,
    .state_size = sizeof(struct merge_join),
    .open = merge_open,
    .next = merge_next,
    .close = merge_close,
    .counts_rows = true,
};
