/* External sort; see sorter.h.
 *
 *     adding    rows in columns (rows.h), nothing else
 *     run       items are made and sorted, rows written by them batch by batch
 *     merging   a heap of runs by the prefix of their next row; a full batch goes out, or
 *               what there is when a run's batch comes to its end
 *
 * An item, its double for the radix passes and its place in the order are accounted for
 * while rows are added, so that sorting needs no more memory than was granted. */
#include "engine/exec/sorter.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

struct run {
    struct spill_extent part;
    struct spill_reader reader;
    struct batch batch;
    struct vec *keys;
    struct sort_item *items; /* of the batch */
    uint32_t at;
};

struct sorter {
    struct task *task;
    const struct type *types;
    uint32_t n_columns;
    struct sort_layout layout;
    const uint32_t *key_columns;
    struct consumer consumer;
    struct rows rows;
    struct spill_file file;
    struct run *runs;
    uint32_t n_runs, cap_runs;
    uint32_t *heap, n_heap;
    uint32_t *order; /* of the rows in memory, once sorted */
    uint32_t at;
    bool finished;
    struct arena old_text; /* of rows spilled while their batch was out */
    struct scratch out;
    struct vec *key_vecs;
    int64_t spilled_bytes, sort_ns;
};

static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err);

struct sorter *sorter_new(struct task *task, const struct type *types, uint32_t n_columns,
                          const struct sort_layout *layout, const uint32_t *key_columns)
{
    struct arena *a = &task->arena;
    struct sorter *s = ARENA_NEW(a, struct sorter);

    s->task = task;
    s->types = types;
    s->n_columns = n_columns;
    s->layout = *layout;
    s->key_columns = key_columns;
    s->consumer = (struct consumer){ .name = "sort", .spill = give_back, .owner = s };
    consumer_add(&task->memory, &s->consumer);
    rows_init(&s->rows, types, n_columns);
    spill_init(&s->file, task);
    scratch_init(&s->out, a, types, n_columns);
    s->key_vecs = arena_array(a, layout->n + 1, sizeof *s->key_vecs);
    return s;
}

static void key_columns_of(const struct sorter *s, const struct vec *columns,
                           struct vec *keys)
{
    for (uint32_t k = 0; k < s->layout.n; k++)
        keys[k] = columns[s->key_columns[k]];
}

/* ---- sorting what is in memory ---- */

static void encode(struct sorter *s, const struct sort_layout *layout, uint32_t from,
                   uint32_t n, struct vec *columns, struct sort_item *to)
{
    struct batch b = { n, n, NULL, s->n_columns, columns };

    rows_view(&s->rows, from, n, columns);
    key_columns_of(s, columns, s->key_vecs);
    sort_encode(layout, s->key_vecs, &b, from, to);
}

static void sort_long(struct sorter *s, const struct sort_layout *layout,
                      struct vec *columns)
{
    uint32_t n = s->rows.n;
    struct sort_item *items = xmalloc(mem_product(n, 2 * sizeof *items));

    s->order = xmalloc(mem_product(n, sizeof *s->order));
    for (uint32_t i = 0; i < n; i += BATCH_ROWS)
        encode(s, layout, i, n - i < BATCH_ROWS ? n - i : BATCH_ROWS, columns, items + i);
    rows_view(&s->rows, 0, n, columns);
    key_columns_of(s, columns, s->key_vecs);
    sort_items(layout, s->key_vecs, items, items + n, n);
    for (uint32_t i = 0; i < n; i++)
        s->order[i] = items[i].row;
    free(items);
}

/* Keys that fit into half a word: half the bytes to move, in half the memory. */
static void sort_short(struct sorter *s, const struct sort_layout *layout,
                       struct vec *columns)
{
    uint32_t n = s->rows.n, *keys = xmalloc(mem_product(n, sizeof *keys));
    struct sort_item items[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i += BATCH_ROWS) {
        uint32_t part = n - i < BATCH_ROWS ? n - i : BATCH_ROWS;

        encode(s, layout, i, part, columns, items);
        for (uint32_t k = 0; k < part; k++)
            keys[i + k] = (uint32_t)(items[k].high >> 32);
    }
    s->order = sort_short_keys(keys, n);
}

static void sort_rows(struct sorter *s)
{
    int64_t from = op_now_ns();
    uint32_t n = s->rows.n;
    struct vec columns[s->n_columns + 1];
    struct arena packed = { 0 };
    struct sort_layout layout;

    rows_view(&s->rows, 0, n, columns);
    key_columns_of(s, columns, s->key_vecs);
    layout = sort_pack(&s->layout, &packed, s->key_vecs, n);
    s->at = 0;
    if (layout.narrow)
        sort_short(s, &layout, columns);
    else
        sort_long(s, &layout, columns);
    arena_release(&packed);
    s->sort_ns += op_now_ns() - from;
}

/* The next rows in memory, in order. */
static void gather(struct sorter *s, struct batch *out)
{
    uint32_t left = s->rows.n - s->at, n = left < BATCH_ROWS ? left : BATCH_ROWS;
    const uint32_t *ids = s->order + s->at;

    for (uint32_t c = 0; c < s->n_columns; c++) {
        struct vec *v = scratch_column(&s->out, c);

        if (!rows_gather(&s->rows, c, ids, n, NULL, false, v))
            v->valid = NULL;
    }
    s->at += n;
    *out = (struct batch){ n, n, NULL, s->n_columns, s->out.columns };
}

/* ---- spilling ---- */

static void drop_rows(struct sorter *s, struct arena *text)
{
    rows_clear_but_text(&s->rows, text);
    free(s->order);
    s->order = NULL;
    s->at = 0;
}

/* Writes what is in memory (and not yet out) as a run. */
static enum errc write_run(struct sorter *s, struct err *err)
{
    struct spill_extent part = { .from = s->file.end };
    struct batch b;

    if (!s->order)
        sort_rows(s);
    while (s->at < s->rows.n) {
        gather(s, &b);
        TRY(spill_add(&s->file, &b, err));
    }
    TRY(spill_flush(&s->file, err));
    part.to = s->file.end;
    if (part.to > part.from) {
        GROW(s->runs, s->n_runs, s->cap_runs);
        s->runs[s->n_runs++] = (struct run){ .part = part };
    }
    int64_t freed = s->consumer.used_bytes;
    s->spilled_bytes += freed;
    s->task->memory.spilled_memory_bytes += freed;
    return ERR_OK;
}

/* Another operator asks. While rows go out of memory, the rest becomes a run too; the
 * columns that are out just now are copies, their text stays until the next call. */
static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err)
{
    struct sorter *s = c->owner;
    int64_t held = c->used_bytes;

    (void)wanted;
    if (s->rows.n == 0 || (s->finished && s->n_runs))
        return 0;
    if (s->finished) { /* columns that are out must not be overwritten */
        struct scratch out = s->out;

        scratch_init(&s->out, &s->task->arena, s->types, s->n_columns);
        enum errc rc = write_run(s, err);
        s->out = out;
        if (rc != ERR_OK)
            return -1;
        drop_rows(s, &s->old_text);
    } else {
        if (write_run(s, err) != ERR_OK)
            return -1;
        drop_rows(s, NULL);
    }
    memory_release(c, c->used_bytes);
    return held;
}

enum {
    ITEM_BYTES = 2 * sizeof(struct sort_item) + sizeof(uint32_t),
    EXPECT_FROM = 1 << 12
};

/* Room for all at once spares the copies of growing step by step; a little more than
 * expected, as that is not exact. */
void sorter_expect(struct sorter *s, int64_t rows)
{
    rows += rows / 32;
    if (rows >= EXPECT_FROM && rows < (int64_t)ROWS_NONE)
        s->rows.expected = (uint32_t)rows;
}

enum errc sorter_add(struct sorter *s, const struct batch *b, struct err *err)
{
    for (bool again = false;;) {
        int64_t want =
            rows_bytes_with(&s->rows, b) + ((int64_t)s->rows.n + b->n_sel) * ITEM_BYTES;
        bool full = (uint64_t)s->rows.n + b->n_sel >= ROWS_NONE;
        enum memory_answer got =
            full ? MEMORY_SHORT : memory_cover(&s->consumer, want, err);

        if (got == MEMORY_FAILED)
            return err->code;
        if (got == MEMORY_GRANTED)
            break;
        if (s->rows.expected) { /* not room for all: then by steps */
            s->rows.expected = 0;
            continue;
        }
        if (again || s->rows.n == 0)
            return memory_refused(want, s->consumer.used_bytes, err);
        again = true;
        TRY(write_run(s, err));
        drop_rows(s, NULL);
        memory_release(&s->consumer, s->consumer.used_bytes);
    }
    rows_append(&s->rows, b);
    return ERR_OK;
}

/* ---- merging ---- */

static bool run_before(struct sorter *s, uint32_t x, uint32_t y)
{
    const struct run *a = &s->runs[x], *b = &s->runs[y];
    int order = sort_item_cmp(&a->items[a->at], &b->items[b->at]);

    if (order == 0 && !s->layout.exact)
        order = sort_compare(&s->layout, a->keys, a->at, b->keys, b->at);
    return order ? order < 0 : x < y;
}

static void sift_down(struct sorter *s, uint32_t i)
{
    uint32_t *h = s->heap;

    for (;;) {
        uint32_t least = i, left = 2 * i + 1;

        if (left < s->n_heap && run_before(s, h[left], h[least]))
            least = left;
        if (left + 1 < s->n_heap && run_before(s, h[left + 1], h[least]))
            least = left + 1;
        if (least == i)
            return;
        uint32_t swap = h[i];
        h[i] = h[least];
        h[least] = swap;
        i = least;
    }
}

static enum next run_load(struct sorter *s, struct run *r, struct err *err)
{
    enum next got = spill_read(&r->reader, &r->batch, err);

    if (got != NEXT_ITEM)
        return got;
    key_columns_of(s, r->batch.columns, r->keys);
    sort_encode(&s->layout, r->keys, &r->batch, 0, r->items);
    r->at = 0;
    return NEXT_ITEM;
}

static enum errc start_merge(struct sorter *s, struct err *err)
{
    struct arena *a = &s->task->arena;

    s->heap = arena_array(a, s->n_runs + 1, sizeof *s->heap);
    s->n_heap = 0;
    for (uint32_t i = 0; i < s->n_runs; i++) {
        struct run *r = &s->runs[i];

        spill_open(&r->reader, &s->file, r->part, s->types, s->n_columns);
        r->keys = arena_array(a, s->layout.n + 1, sizeof *r->keys);
        r->items = arena_array(a, BATCH_ROWS, sizeof *r->items);
        enum next got = run_load(s, r, err);
        if (got == NEXT_FAIL)
            return err->code;
        if (got == NEXT_ITEM)
            s->heap[s->n_heap++] = i;
    }
    for (uint32_t i = s->n_heap / 2; i-- > 0;)
        sift_down(s, i);
    return ERR_OK;
}

/* Rows picked run by run go to their places column by column. */
static void gather_runs(struct sorter *s, const uint32_t *run, const uint32_t *row,
                        uint32_t n)
{
    for (uint32_t c = 0; c < s->n_columns; c++) {
        struct vec *v = scratch_column(&s->out, c);
        size_t width = type_width(s->types[c]);
        bool nulls = false;

        for (uint32_t i = 0; i < n; i++) {
            const struct vec *from = &s->runs[run[i]].batch.columns[c];

            v->valid[i] = !vec_is_null(from, row[i]);
            nulls |= !v->valid[i];
            if (v->valid[i])
                memcpy((char *)v->data + i * width, vec_at(from, row[i]), width);
        }
        if (!nulls)
            v->valid = NULL;
    }
}

static enum next merge_next(struct sorter *s, struct batch *out, struct err *err)
{
    uint32_t run[BATCH_ROWS], row[BATCH_ROWS], n = 0;

    /* a run whose batch was used up is reloaded now that its rows are not needed */
    if (s->n_heap && s->runs[s->heap[0]].at == s->runs[s->heap[0]].batch.n_rows) {
        enum next got = run_load(s, &s->runs[s->heap[0]], err);

        if (got == NEXT_FAIL)
            return got;
        if (got == NEXT_END)
            s->heap[0] = s->heap[--s->n_heap];
        sift_down(s, 0);
    }
    while (n < BATCH_ROWS && s->n_heap) {
        struct run *r = &s->runs[s->heap[0]];

        run[n] = s->heap[0];
        row[n++] = r->at++;
        if (r->at == r->batch.n_rows)
            break;
        sift_down(s, 0);
    }
    if (n == 0)
        return NEXT_END;
    gather_runs(s, run, row, n);
    *out = (struct batch){ n, n, NULL, s->n_columns, s->out.columns };
    return NEXT_ITEM;
}

/* ---- the end ---- */

enum errc sorter_finish(struct sorter *s, struct err *err)
{
    if (s->n_runs) {
        if (s->rows.n) {
            TRY(write_run(s, err));
            drop_rows(s, NULL);
            memory_release(&s->consumer, s->consumer.used_bytes);
        }
        TRY(start_merge(s, err));
    } else {
        sort_rows(s);
    }
    s->finished = true;
    return ERR_OK;
}

enum next sorter_next(struct sorter *s, struct batch *out, struct err *err)
{
    if (s->n_runs && !s->heap) { /* spilled while going out */
        if (start_merge(s, err) != ERR_OK)
            return NEXT_FAIL;
    }
    arena_release(&s->old_text);
    if (s->heap)
        return merge_next(s, out, err);
    if (s->at >= s->rows.n)
        return NEXT_END;
    gather(s, out);
    return NEXT_ITEM;
}

int64_t sorter_peak_bytes(const struct sorter *s)
{
    return s->consumer.peak_bytes;
}

int64_t sorter_spilled_bytes(const struct sorter *s)
{
    return s->spilled_bytes;
}

int64_t sorter_sort_ns(const struct sorter *s)
{
    return s->sort_ns;
}

void sorter_free(struct sorter *s)
{
    if (!s)
        return;
    rows_release(&s->rows);
    free(s->order);
    for (uint32_t i = 0; i < s->n_runs; i++)
        spill_close(&s->runs[i].reader);
    free(s->runs);
    spill_release(&s->file);
    arena_release(&s->old_text);
    consumer_remove(&s->consumer);
}
