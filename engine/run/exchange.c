/* Map tasks of shuffles: which reducer each row goes to.
 *
 * A range exchange first runs its child for a sample of keys, as Spark does: up to
 * 100 x partitions rows in all, three times as many by partition as even parts would
 * need, each weighted by what it stands for; bounds are where the weights pass equal
 * steps. */
#include "engine/exec/op.h"
#include "engine/exec/rows.h"
#include "engine/exec/sort_keys.h"
#include "engine/exec/unsafe_row.h"
#include "engine/run/query_run.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

struct range_bounds { /* n bounds, n + 1 partitions */
    struct rows rows;
    struct vec *columns;
    struct sort_item *items;
    uint32_t n;
};

/* The expressions that rows are placed by. */
static struct exprs keys_of(struct arena *a, const struct phys *exchange, bool order)
{
    struct exprs keys = exprs_new(a, exchange->partitioning.keys.n);

    for (uint32_t i = 0; i < keys.n; i++) {
        struct expr *e = exchange->partitioning.keys.at[i];

        keys.at[i] = order && e->kind == EXPR_SORT_ORDER ? e->args[0] : e;
        keys.at[i] = phys_bind(a, keys.at[i], &exchange->children[0]->output);
    }
    return keys;
}

/* --- sampling --------------------------------------------------------------------- */

struct sample { /* of one task */
    struct rows keys;
    uint32_t *slots; /* rows of the reservoir */
    uint32_t n_slots;
    int64_t seen;
};

struct sampling {
    const struct phys *exchange;
    struct sample *samples; /* by partition */
    uint32_t per_task;
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Rows of the batch that enter the reservoir: positions into sel, their slots' rows set.
 */
static uint32_t choose(struct sample *s, uint32_t room, const struct batch *b,
                       uint64_t *random, uint32_t *sel)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint64_t at = (uint64_t)s->seen++;

        if (s->n_slots < room)
            at = s->n_slots++;
        else if ((at = next_random(random) % (at + 1)) >= room)
            continue;
        s->slots[at] = s->keys.n + n;
        sel[n++] = batch_row(b, i);
    }
    return n;
}

static enum errc sample_rows(struct op *op, struct eval *eval, struct task *t,
                             const struct sampling *g, struct sample *s, struct err *err)
{
    uint32_t n_keys = g->exchange->partitioning.keys.n;
    struct vec *columns = arena_array(&t->arena, n_keys + 1, sizeof *columns);
    uint32_t *sel = arena_array(&t->arena, BATCH_ROWS, sizeof *sel);
    uint64_t random = (uint64_t)t->partition;
    struct batch b;
    enum op_step step;

    while ((step = op_next(op, &b, err)) == OP_BATCH) {
        struct batch keys = {
            .n_rows = b.n_rows, .n_columns = n_keys, .columns = columns, .sel = sel
        };

        TRY(eval_run_list(eval, &b, columns, err));
        keys.n_sel = choose(s, g->per_task, &b, &random, sel);
        if (keys.n_sel)
            rows_append(&s->keys, &keys);
    }
    return step == OP_FAIL ? err->code : ERR_OK;
}

static enum errc sample_task(void *ctx, struct task *t, struct err *err)
{
    const struct sampling *g = ctx;
    struct sample *s = &g->samples[t->partition];
    struct exprs keys = keys_of(&t->arena, g->exchange, true);
    struct type *types = arena_array(&t->arena, keys.n + 1, sizeof *types);
    struct eval *eval;
    struct op *op;
    enum errc rc;

    for (uint32_t i = 0; i < keys.n; i++)
        types[i] = keys.at[i]->type;
    rows_release(&s->keys); /* of a failed attempt */
    rows_init(&s->keys, types, keys.n);
    s->n_slots = 0;
    s->seen = 0;
    if (!s->slots)
        s->slots = xcalloc(g->per_task, sizeof *s->slots);
    TRY(op_open(&op, g->exchange->children[0], t, err));
    eval = eval_new_list(&t->arena, keys.at, keys.n, &t->eval);
    rc = sample_rows(op, eval, t, g, s, err);
    eval_release(eval);
    op_close(op);
    return rc;
}

struct candidate {
    const struct vec *columns;
    uint32_t row;
    double weight;
};

static int by_key(const void *a, const void *b, void *ctx)
{
    const struct candidate *x = a, *y = b;

    return sort_compare(ctx, x->columns, x->row, y->columns, y->row);
}

static void add_bound(struct range_bounds *r, const struct candidate *c, uint32_t n_keys)
{
    struct batch one = { .n_rows = c->row + 1,
                         .n_sel = 1,
                         .sel = &c->row,
                         .n_columns = n_keys,
                         .columns = (struct vec *)(uintptr_t)c->columns };

    rows_append(&r->rows, &one);
    r->n++;
}

static void pick_bounds(struct range_bounds *r, const struct sort_layout *layout,
                        struct candidate *all, uint32_t n, uint32_t partitions)
{
    double sum = 0, reached = 0, step, target;
    const struct candidate *last = NULL;

    if (partitions > n)
        partitions = n;
    qsort_r(all, n, sizeof *all, by_key, (void *)(uintptr_t)layout);
    for (uint32_t i = 0; i < n; i++)
        sum += all[i].weight;
    step = target = partitions ? sum / partitions : 0;
    for (uint32_t i = 0; i < n && r->n + 1 < partitions; i++) {
        reached += all[i].weight;
        if (reached < target)
            continue;
        if (last && by_key(&all[i], last, (void *)(uintptr_t)layout) <= 0)
            continue;
        add_bound(r, &all[i], layout->n);
        target += step;
        last = &all[i];
    }
}

static struct candidate *all_candidates(struct arena *a, const struct sampling *g,
                                        uint32_t n_tasks, uint32_t n_keys, uint32_t *n)
{
    struct candidate *all;
    uint32_t k = 0;

    *n = 0;
    for (uint32_t i = 0; i < n_tasks; i++)
        *n += g->samples[i].n_slots;
    all = arena_array(a, *n + 1, sizeof *all);
    for (uint32_t i = 0; i < n_tasks; i++) {
        struct sample *s = &g->samples[i];
        struct vec *columns = arena_array(a, n_keys + 1, sizeof *columns);

        if (!s->n_slots)
            continue;
        rows_view(&s->keys, 0, s->keys.n, columns);
        for (uint32_t j = 0; j < s->n_slots; j++)
            all[k++] = (struct candidate){ columns, s->slots[j],
                                           (double)s->seen / (double)s->n_slots };
    }
    return all;
}

static struct range_bounds *make_bounds(struct query_run *q, const struct sampling *g,
                                        uint32_t n_tasks)
{
    const struct partitioning *part = &g->exchange->partitioning;
    struct range_bounds *r = query_alloc(q, sizeof *r);
    struct arena a = { 0 };
    struct exprs keys = keys_of(&a, g->exchange, true);
    struct type *types = arena_array(&a, keys.n + 1, sizeof *types);
    struct sort_layout layout;
    uint32_t n;

    for (uint32_t i = 0; i < keys.n; i++)
        types[i] = keys.at[i]->type;
    rows_init(&r->rows, types, keys.n);
    sort_layout_init(&layout, &a, &part->keys);
    struct candidate *all = all_candidates(&a, g, n_tasks, keys.n, &n);
    pick_bounds(r, &layout, all, n, part->n);
    r->columns = query_alloc(q, (keys.n + 1) * sizeof *r->columns);
    r->items = query_alloc(q, (r->n + 1) * sizeof *r->items);
    rows_view(&r->rows, 0, r->n, r->columns);
    for (uint32_t at = 0; at < r->n; at += BATCH_ROWS) {
        uint32_t some = r->n - at < BATCH_ROWS ? r->n - at : BATCH_ROWS;
        struct vec *columns = arena_array(&a, keys.n + 1, sizeof *columns);
        struct batch b = {
            .n_rows = some, .n_sel = some, .n_columns = keys.n, .columns = columns
        };

        rows_view(&r->rows, at, some, columns);
        sort_encode(&layout, columns, &b, at, r->items + at);
    }
    arena_release(&a);
    return r;
}

void range_bounds_free(struct range_bounds *r)
{
    if (r)
        rows_release(&r->rows);
}

enum errc exchange_sample(struct query_run *q, struct input *in, uint32_t *n_partitions,
                          struct err *err)
{
    uint32_t partitions = in->node->partitioning.n, tasks = in->n_maps;
    int64_t by_partition = settings_int(q->settings, SET_RANGE_SAMPLE);
    int64_t wanted = min_i64(by_partition * partitions, 1000000);
    struct sampling g = { .exchange = in->node };
    enum errc rc = ERR_OK;

    g.samples = xcalloc(tasks + 1, sizeof *g.samples);
    g.per_task = (uint32_t)max_i64((3 * wanted + tasks - 1) / max_i64(tasks, 1), 1);
    if (partitions > 1 && tasks > 0)
        rc = drive_job(q, in->node->children[0], NULL, NULL, tasks, sample_task, &g, err);
    if (rc == ERR_OK) {
        in->bounds = make_bounds(q, &g, partitions > 1 ? tasks : 0);
        *n_partitions = in->bounds->n + 1;
    }
    for (uint32_t i = 0; i < tasks; i++) {
        if (g.samples[i].slots)
            rows_release(&g.samples[i].keys);
        free(g.samples[i].slots);
    }
    free(g.samples);
    return rc;
}

/* --- placing rows ----------------------------------------------------------------- */

struct placing {
    const struct input *in;
    struct eval *eval; /* of the keys; NULL: none */
    struct vec *columns;
    struct sort_layout layout;
    struct sort_item items[BATCH_ROWS];
    uint32_t hash[BATCH_ROWS];
    uint32_t to[BATCH_ROWS];
    uint32_t next; /* round robin */
};

static void place_hash(struct placing *p, const struct batch *b, uint32_t n_keys,
                       uint32_t n)
{
    eval_murmur3(p->columns, n_keys, b, p->hash);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        int64_t mod = (int32_t)p->hash[row] % (int64_t)n;

        p->to[row] = (uint32_t)(mod < 0 ? mod + n : mod);
    }
}

/* The first partition whose bound is not below the row. */
static void place_range(struct placing *p, const struct batch *b)
{
    const struct range_bounds *r = p->in->bounds;

    sort_encode(&p->layout, p->columns, b, 0, p->items);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i), low = 0, high = r->n;

        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            int cmp = sort_item_cmp(&p->items[i], &r->items[mid]);

            if (cmp == 0 && !p->layout.exact)
                cmp = sort_compare(&p->layout, p->columns, row, r->columns, mid);
            if (cmp > 0)
                low = mid + 1;
            else
                high = mid;
        }
        p->to[row] = low;
    }
}

static enum errc place(struct placing *p, const struct batch *b, struct err *err)
{
    const struct partitioning *part = &p->in->node->partitioning;
    uint32_t n = shuffle_n_reducers(p->in->shuffle);

    if (p->eval)
        TRY(eval_run_list(p->eval, b, p->columns, err));
    if (n > 1 && part->kind == PART_HASH)
        place_hash(p, b, part->keys.n, n);
    else if (n > 1 && part->kind == PART_RANGE)
        place_range(p, b);
    else if (n > 1 && part->kind == PART_ROUND_ROBIN)
        for (uint32_t i = 0; i < b->n_sel; i++)
            p->to[batch_row(b, i)] = p->next++ % n;
    return ERR_OK;
}

static struct placing *placing_new(const struct input *in, struct task *t)
{
    struct placing *p = arena_alloc(&t->arena, sizeof *p);
    const struct partitioning *part = &in->node->partitioning;

    p->in = in;
    if (part->kind == PART_HASH || part->kind == PART_RANGE) {
        struct exprs keys = keys_of(&t->arena, in->node, part->kind == PART_RANGE);

        p->columns = arena_array(&t->arena, keys.n + 1, sizeof *p->columns);
        if (keys.n)
            p->eval = eval_new_list(&t->arena, keys.at, keys.n, &t->eval);
        if (part->kind == PART_RANGE)
            sort_layout_init(&p->layout, &t->arena, &part->keys);
    } else if (part->kind == PART_ROUND_ROBIN) {
        uint64_t random = (uint64_t)t->partition;

        p->next = (uint32_t)(next_random(&random) % (part->n ? part->n : 1));
    }
    return p;
}

static void count_output(const struct input *in, struct task *t, int64_t data_bytes)
{
    const struct task_metrics *m = &t->metrics;

    task_count(t, in->node, "data_bytes", data_bytes);
    task_count(t, in->node, "write_bytes", m->shuffle_write_bytes);
    task_count(t, in->node, "write_records", m->shuffle_write_rows);
    task_count(t, in->node, "write_ns", m->shuffle_write_ns);
}

enum errc exchange_map_task(void *ctx, struct task *t, struct err *err)
{
    const struct input *in = ctx;
    struct shuffle_writer *w = NULL;
    struct placing *p;
    struct op *op;
    struct batch b;
    int64_t data_bytes = 0;
    enum op_step step = OP_FAIL;
    enum errc rc;

    TRY(op_open(&op, in->node->children[0], t, err));
    p = placing_new(in, t);
    rc = shuffle_writer_open(&w, in->shuffle, (uint32_t)t->partition, t, err);
    while (rc == ERR_OK && (step = op_next(op, &b, err)) == OP_BATCH) {
        rc = place(p, &b, err);
        if (rc == ERR_OK) {
            data_bytes += unsafe_row_bytes(&b);
            rc = shuffle_write(w, &b, p->to, err);
        }
    }
    if (rc == ERR_OK && step == OP_FAIL)
        rc = err->code;
    op_close(op); /* before the output is made: its memory is free for that */
    if (p->eval)
        eval_release(p->eval);
    if (rc != ERR_OK) {
        shuffle_writer_abandon(w);
        return rc;
    }
    TRY(shuffle_writer_commit(w, err));
    count_output(in, t, data_bytes);
    return ERR_OK;
}
