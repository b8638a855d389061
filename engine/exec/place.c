/* Rows to reducers; see place.h. */
#include "engine/exec/place.h"

#include "base/mem.h"
#include "engine/exec/rows.h"
#include "engine/exec/sort_keys.h"

#include <stdlib.h>

static struct eval *eval_keys(struct task *task, const struct exprs *keys,
                              const struct exprs *input)
{
    struct arena *a = &task->arena;
    struct expr **bound = arena_array(a, keys->n + 1, sizeof *bound);

    for (uint32_t i = 0; i < keys->n; i++) {
        bound[i] = phys_bind(a, keys->at[i], input);
        if (bound[i]->kind == EXPR_SORT_ORDER)
            bound[i] = bound[i]->args[0];
    }
    return eval_new_list(a, bound, keys->n, &task->eval);
}

/* ---- samples ---- */

struct range_sample {
    struct eval *eval;
    struct vec *keys;
    struct rows rows; /* of keys; those that count are named by `at` */
    uint32_t *at;
    uint32_t most, n;
    uint64_t seen, seed;
};

struct range_sample *range_sample_new(struct task *task, const struct exprs *orders,
                                      const struct exprs *input, uint32_t most)
{
    struct range_sample *s = xcalloc(1, sizeof *s);
    struct type types[orders->n + 1];
    struct sort_layout layout;

    sort_layout_init(&layout, &task->arena, orders);
    for (uint32_t i = 0; i < orders->n; i++)
        types[i] = layout.keys[i].type;
    rows_init(&s->rows, types, orders->n);
    s->keys = xcalloc(orders->n + 1, sizeof *s->keys);
    s->eval = eval_keys(task, orders, input);
    s->most = most ? most : 1;
    s->at = xcalloc(s->most, sizeof *s->at);
    s->seed = (uint64_t)task->partition + 1;
    return s;
}

static uint64_t throw(struct range_sample * s)
{
    uint64_t z = s->seed += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Rows that are replaced later stay in `rows`: their number grows with the logarithm of
 * what was seen. */
enum errc range_sample_add(struct range_sample *s, const struct batch *b, struct err *err)
{
    uint32_t sel[BATCH_ROWS], n = 0;

    TRY(eval_run_list(s->eval, b, s->keys, err));
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint64_t place = s->seen++;

        if (s->n < s->most)
            place = s->n++;
        else
            place = throw(s) % s->seen;
        if (place >= s->most)
            continue;
        s->at[place] = s->rows.n + n;
        sel[n++] = batch_row(b, i);
    }
    struct batch keys = { b->n_rows, n, sel, s->rows.n_columns, s->keys };
    rows_append(&s->rows, &keys);
    return ERR_OK;
}

void range_sample_finish(struct range_sample *s)
{
    if (s->eval)
        eval_release(s->eval);
    s->eval = NULL;
}

void range_sample_free(struct range_sample *s)
{
    if (!s)
        return;
    range_sample_finish(s);
    rows_release(&s->rows);
    free(s->keys);
    free(s->at);
    free(s);
}

/* ---- bounds ---- */

struct range_bounds {
    struct arena arena;
    struct sort_layout layout;
    struct rows rows;
    struct vec *keys;
    struct sort_item *items;
    uint32_t n;
};

static void encode_rows(const struct sort_layout *l, const struct rows *rows,
                        struct vec *view, struct sort_item *items)
{
    for (uint32_t i = 0; i < rows->n; i += BATCH_ROWS) {
        uint32_t n = rows->n - i < BATCH_ROWS ? rows->n - i : BATCH_ROWS;
        struct batch b = { n, n, NULL, rows->n_columns, view };

        rows_view(rows, i, n, view);
        sort_encode(l, view, &b, i, items + i);
    }
    rows_view(rows, 0, rows->n, view);
}

/* All samples' rows with the weight of each. */
static void gather_samples(struct rows *all, double **weights,
                           struct range_sample *const *samples, uint32_t n)
{
    uint64_t rows = 0, at = 0;

    for (uint32_t i = 0; i < n; i++)
        rows += samples[i]->n;
    *weights = xcalloc(rows + 1, sizeof **weights);
    for (uint32_t i = 0; i < n; i++) {
        const struct range_sample *s = samples[i];
        struct vec view[s->rows.n_columns + 1];

        rows_view(&s->rows, 0, s->rows.n, view);
        for (uint32_t k = 0; k < s->n; k += BATCH_ROWS) {
            uint32_t part = s->n - k < BATCH_ROWS ? s->n - k : BATCH_ROWS;
            struct batch b = { BATCH_ROWS, part, s->at + k, s->rows.n_columns, view };

            rows_append(all, &b);
        }
        for (uint32_t k = 0; k < s->n; k++)
            (*weights)[at++] = (double)s->seen / s->n;
    }
}

static bool differ(const struct sort_layout *l, const struct vec *keys,
                   const struct sort_item *x, const struct sort_item *y)
{
    return sort_item_cmp(x, y) != 0 ||
           (!l->exact && sort_compare(l, keys, x->row, keys, y->row) != 0);
}

struct range_bounds *range_bounds_new(const struct exprs *orders,
                                      struct range_sample *const *samples, uint32_t n,
                                      uint32_t partitions)
{
    struct range_bounds *r = xcalloc(1, sizeof *r);
    struct rows all;
    struct type types[orders->n + 1];
    struct vec view[orders->n + 1];
    double *weights, sum = 0, so_far = 0;

    sort_layout_init(&r->layout, &r->arena, orders);
    for (uint32_t i = 0; i < orders->n; i++)
        types[i] = r->layout.keys[i].type;
    rows_init(&all, types, orders->n);
    rows_init(&r->rows, types, orders->n);
    gather_samples(&all, &weights, samples, n);
    struct sort_item *items = xcalloc(2 * (size_t)all.n + 1, sizeof *items);
    encode_rows(&r->layout, &all, view, items);
    if (all.n)
        sort_items(&r->layout, view, items, items + all.n, all.n);
    for (uint32_t i = 0; i < all.n; i++)
        sum += weights[i];
    double step = partitions ? sum / partitions : sum, target = step;
    const struct sort_item *last = NULL;
    for (uint32_t i = 0; i < all.n && r->rows.n + 1 < partitions; i++) {
        so_far += weights[items[i].row];
        if (so_far < target || (last && !differ(&r->layout, view, last, &items[i])))
            continue;
        struct batch b = { all.n, 1, &items[i].row, orders->n, view };
        rows_append(&r->rows, &b);
        last = &items[i];
        target += step;
    }
    r->n = r->rows.n;
    r->keys = arena_array(&r->arena, orders->n + 1, sizeof *r->keys);
    r->items = arena_array(&r->arena, r->n + 1, sizeof *r->items);
    encode_rows(&r->layout, &r->rows, r->keys, r->items);
    free(items);
    free(weights);
    rows_release(&all);
    return r;
}

uint32_t range_bounds_partitions(const struct range_bounds *r)
{
    return r->n + 1;
}

void range_bounds_free(struct range_bounds *r)
{
    if (!r)
        return;
    rows_release(&r->rows);
    arena_release(&r->arena);
    free(r);
}

/* ---- placing ---- */

struct placer {
    const struct partitioning *how;
    const struct range_bounds *bounds;
    struct eval *eval;
    struct vec *keys;
    uint32_t n, next;
    uint64_t inverse;  /* 2^64 / n, for remainders without division */
    uint32_t overhang; /* 2^32 mod n */
};

struct placer *placer_new(struct task *task, const struct partitioning *p,
                          const struct exprs *input, const struct range_bounds *bounds)
{
    struct placer *x = ARENA_NEW(&task->arena, struct placer);

    x->how = p;
    x->bounds = bounds;
    x->n = p->n ? p->n : 1;
    x->next = (uint32_t)task->partition % x->n;
    x->inverse = UINT64_MAX / x->n + 1;
    x->overhang = (uint32_t)((UINT64_C(1) << 32) % x->n);
    if (p->kind != PART_HASH && p->kind != PART_RANGE)
        return x;
    x->eval = eval_keys(task, &p->keys, input);
    x->keys = arena_array(&task->arena, p->keys.n + 1, sizeof *x->keys);
    return x;
}

void placer_release(struct placer *p)
{
    if (p && p->eval)
        eval_release(p->eval);
}

/* The remainder, never negative, of the hash as a signed number. */
static void place_hash(const struct placer *p, const struct batch *b, uint32_t *reducer)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i), h = reducer[row];
        uint32_t r = (uint32_t)(((u128)(p->inverse * h) * p->n) >> 64);

        if (h >> 31)
            r = r >= p->overhang ? r - p->overhang : r + p->n - p->overhang;
        reducer[row] = r;
    }
}

static bool is_after(const struct placer *p, const struct sort_item *x, uint32_t row,
                     uint32_t bound)
{
    const struct range_bounds *r = p->bounds;
    int order = sort_item_cmp(x, &r->items[bound]);

    if (order == 0 && !r->layout.exact)
        order = sort_compare(&r->layout, p->keys, row, r->keys, bound);
    return order > 0;
}

static void place_range(const struct placer *p, const struct batch *b, uint32_t *reducer)
{
    struct sort_item items[BATCH_ROWS];

    sort_encode(&p->bounds->layout, p->keys, b, 0, items);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i), low = 0, high = p->bounds->n;

        while (low < high) { /* the first bound that the row is not after */
            uint32_t middle = (low + high) / 2;

            if (is_after(p, &items[i], row, middle))
                low = middle + 1;
            else
                high = middle;
        }
        reducer[row] = low;
    }
}

enum errc placer_run(struct placer *p, const struct batch *b, uint32_t *reducer,
                     struct err *err)
{
    if (p->eval)
        TRY(eval_run_list(p->eval, b, p->keys, err));
    switch (p->how->kind) {
    case PART_HASH:
        eval_murmur3(p->keys, p->how->keys.n, b, reducer);
        place_hash(p, b, reducer);
        break;
    case PART_RANGE:
        place_range(p, b, reducer);
        break;
    case PART_ROUND_ROBIN:
        for (uint32_t i = 0; i < b->n_sel; i++) {
            p->next = p->next + 1 < p->n ? p->next + 1 : 0;
            reducer[batch_row(b, i)] = p->next;
        }
        break;
    case PART_SINGLE:
    case PART_UNKNOWN:
    case PART_BROADCAST:
    case PART_COLLECTION:
        for (uint32_t i = 0; i < b->n_sel; i++)
            reducer[batch_row(b, i)] = 0;
        break;
    }
    return ERR_OK;
}
