/* TakeOrderedAndProject: the best rows in order.
 *
 * Rows pile up; whenever there are many more than wanted they are sorted, the best stay,
 * and from then on only rows whose prefix is not after the last of these are taken in.
 * What is wanted beyond MOST_KEPT rows is sorted like any rows, with spilling.
 *
 * A task's share puts out the child's columns; the last step, over the shares, drops the
 * offset and projects. */
#include "engine/exec/list.h"
#include "engine/exec/sorter.h"

#include "base/mem.h"

#include <stdlib.h>

enum { MOST_KEPT = 1 << 17, SLACK = 1 << 13 };

struct take {
    struct sort_layout layout;
    uint32_t n_child, n_extra, want;
    const struct type *types;
    uint32_t *key_at;
    struct eval *eval, *project;
    struct vec *columns, *keys, *projected;
    struct sorter *sorter; /* NULL: rows are kept here */
    struct rows rows;
    struct consumer consumer;
    struct sort_item *items;
    bool bounded, finished;
    bool no_columns; /* rows are counted above, and no more */
    struct sort_item last; /* of the best, once bounded */
    struct scratch out;
    uint32_t at;
    int64_t given, skip;
    uint32_t sel[BATCH_ROWS];
};

static enum errc take_open(struct op *op, struct err *err)
{
    struct take *t = op->state;
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    const struct exprs *input = &p->children[0]->output;
    struct expr **bound = op_bind(op, &p->order, input);
    struct expr **extra = arena_array(a, p->order.n + 1, sizeof *extra);
    struct type *types = arena_array(a, input->n + p->order.n + 1, sizeof *types);

    (void)err;
    t->key_at = arena_array(a, p->order.n + 1, sizeof *t->key_at);
    t->n_child = input->n;
    for (uint32_t i = 0; i < input->n; i++)
        types[i] = input->at[i]->type;
    for (uint32_t i = 0; i < p->order.n; i++) {
        struct expr *e = bound[i]->kind == EXPR_SORT_ORDER ? bound[i]->args[0] : bound[i];

        t->key_at[i] = e->kind == EXPR_BOUND ? e->index : input->n + t->n_extra;
        if (e->kind == EXPR_BOUND)
            continue;
        types[input->n + t->n_extra] = e->type;
        extra[t->n_extra++] = e;
    }
    if (t->n_extra)
        t->eval = op_eval(op, extra, t->n_extra);
    bool last = op->over || p->global;

    t->no_columns = last && !p->output.n;
    if (last && p->list.n) {
        t->project = op_eval(op, op_bind(op, &p->list, input), p->list.n);
        t->projected = arena_array(a, p->list.n, sizeof *t->projected);
    }
    t->types = types;
    uint32_t n = t->n_child + t->n_extra;
    t->columns = arena_array(a, n + 1, sizeof *t->columns);
    t->keys = arena_array(a, p->order.n + 1, sizeof *t->keys);
    sort_layout_init(&t->layout, a, &p->order);
    t->skip = last ? max_i64(p->offset, 0) : 0;
    if (p->limit < 0 || p->limit > MOST_KEPT) {
        t->sorter = sorter_new(op->task, types, n, &t->layout, t->key_at);
        return ERR_OK;
    }
    t->want = (uint32_t)p->limit;
    rows_init(&t->rows, types, n);
    scratch_init(&t->out, a, types, n);
    t->consumer.name = "take";
    consumer_add(&op->task->memory, &t->consumer);
    return ERR_OK;
}

static void keys_of(const struct take *t, const struct vec *columns)
{
    for (uint32_t k = 0; k < t->layout.n; k++)
        t->keys[k] = columns[t->key_at[k]];
}

static void gather(struct take *t, const struct sort_item *items, uint32_t n,
                   struct batch *out)
{
    uint32_t ids[BATCH_ROWS];

    for (uint32_t i = 0; i < n; i++)
        ids[i] = items[i].row;
    for (uint32_t c = 0; c < t->rows.n_columns; c++) {
        struct vec *v = scratch_column(&t->out, c);

        if (!rows_gather(&t->rows, c, ids, n, NULL, false, v))
            v->valid = NULL;
    }
    *out = (struct batch){ n, n, NULL, t->rows.n_columns, t->out.columns };
}

/* Sorts what piled up; items then name the best in order. */
static void sort_pile(struct take *t)
{
    struct sort_item *temp = xmalloc(mem_product(t->rows.n + 1, sizeof *temp));
    struct vec columns[t->rows.n_columns + 1];

    t->items = xrealloc(t->items, mem_product(t->rows.n + 1, sizeof *t->items));
    for (uint32_t i = 0; i < t->rows.n; i += BATCH_ROWS) {
        uint32_t n = t->rows.n - i < BATCH_ROWS ? t->rows.n - i : BATCH_ROWS;
        struct batch b = { n, n, NULL, t->rows.n_columns, columns };

        rows_view(&t->rows, i, n, columns);
        keys_of(t, columns);
        sort_encode(&t->layout, t->keys, &b, i, t->items + i);
    }
    rows_view(&t->rows, 0, t->rows.n, columns);
    keys_of(t, columns);
    sort_items(&t->layout, t->keys, t->items, temp, t->rows.n);
    free(temp);
}

static void keep_best(struct take *t)
{
    struct rows best;

    sort_pile(t);
    rows_init(&best, t->types, t->rows.n_columns);
    for (uint32_t i = 0; i < t->want; i += BATCH_ROWS) {
        uint32_t n = t->want - i < BATCH_ROWS ? t->want - i : BATCH_ROWS;
        struct batch b;

        gather(t, t->items + i, n, &b);
        rows_append(&best, &b);
    }
    t->last = t->items[t->want - 1];
    t->bounded = true;
    rows_release(&t->rows);
    t->rows = best;
}

/* By the first key alone, which few rows get past. How many are left. */
static uint32_t narrow(struct take *t, struct batch *b)
{
    uint32_t key = t->key_at[0], n = 0;
    struct vec best[t->rows.n_columns + 1];

    rows_view(&t->rows, 0, t->want, best);
    if (sort_narrow(&t->layout, &t->keys[0], b, &best[key], t->want - 1, t->sel, &n)) {
        b->sel = t->sel;
        b->n_sel = n;
    }
    return b->n_sel;
}

/* Rows that may be among the best. */
static void leave_out(struct take *t, struct batch *b)
{
    struct sort_item items[BATCH_ROWS];
    uint32_t n = 0;

    keys_of(t, b->columns);
    if (narrow(t, b) == 0)
        return;
    sort_encode(&t->layout, t->keys, b, 0, items);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        t->sel[n] = batch_row(b, i);
        n += sort_item_cmp(&items[i], &t->last) <= 0;
    }
    if (n < b->n_sel) {
        b->sel = t->sel;
        b->n_sel = n;
    }
}

static enum errc take_in(struct take *t, struct batch *b, struct err *err)
{
    if (t->sorter)
        return sorter_add(t->sorter, b, err);
    if (t->want == 0)
        return ERR_OK;
    if (t->bounded)
        leave_out(t, b);
    if (b->n_sel == 0)
        return ERR_OK;
    int64_t want = rows_bytes_with(&t->rows, b) + (int64_t)(t->rows.n + b->n_sel) * 32;
    enum memory_answer got = memory_cover(&t->consumer, want, err);
    if (got == MEMORY_FAILED)
        return err->code;
    if (got == MEMORY_SHORT)
        return memory_refused(want, t->consumer.used_bytes, err);
    rows_append(&t->rows, b);
    if (t->rows.n >= 2 * t->want + SLACK)
        keep_best(t);
    return ERR_OK;
}

static enum errc take_all(struct op *op, struct err *err)
{
    struct take *t = op->state;
    struct batch b;
    enum op_step step;

    while ((step = op_next(op->children[0], &b, err)) == OP_BATCH) {
        for (uint32_t c = 0; c < t->n_child; c++)
            t->columns[c] = b.columns[c];
        if (t->eval)
            TRY(eval_run_list(t->eval, &b, t->columns + t->n_child, err));
        b.columns = t->columns;
        b.n_columns = t->n_child + t->n_extra;
        TRY(take_in(t, &b, err));
    }
    if (step == OP_FAIL)
        return err->code;
    t->finished = true;
    if (t->sorter)
        return sorter_finish(t->sorter, err);
    sort_pile(t);
    if (t->rows.n < t->want)
        t->want = t->rows.n;
    return ERR_OK;
}

static enum next next_rows(struct take *t, struct batch *out, struct err *err)
{
    if (t->sorter)
        return sorter_next(t->sorter, out, err);
    uint32_t n = t->want - t->at < BATCH_ROWS ? t->want - t->at : BATCH_ROWS;
    if (n == 0)
        return NEXT_END;
    gather(t, t->items + t->at, n, out);
    t->at += n;
    return NEXT_ITEM;
}

static enum op_step take_next(struct op *op, struct batch *out, struct err *err)
{
    struct take *t = op->state;
    int64_t limit = op->node->limit;

    if (!t->finished && take_all(op, err) != ERR_OK)
        return OP_FAIL;
    for (;;) {
        enum next got = next_rows(t, out, err);

        if (got != NEXT_ITEM)
            return got == NEXT_FAIL ? OP_FAIL : OP_END;
        if (limit >= 0 && t->given + out->n_sel > limit)
            out->n_sel = out->n_rows = (uint32_t)(limit - t->given);
        if (out->n_sel == 0)
            return OP_END;
        t->given += out->n_sel;
        out->n_columns = t->n_child;
        uint32_t skip = (uint32_t)min_i64(t->skip, out->n_sel);
        t->skip -= skip;
        if (skip == out->n_sel)
            continue;
        for (uint32_t i = skip; skip && i < out->n_rows; i++)
            t->sel[i - skip] = i;
        if (skip) {
            out->sel = t->sel;
            out->n_sel -= skip;
        }
        break;
    }
    if (t->no_columns)
        out->n_columns = 0;
    if (!t->project)
        return OP_BATCH;
    if (eval_run_list(t->project, out, t->projected, err) != ERR_OK)
        return OP_FAIL;
    out->columns = t->projected;
    out->n_columns = op->node->list.n;
    return OP_BATCH;
}

static void take_close(struct op *op)
{
    struct take *t = op->state;

    if (t->eval)
        eval_release(t->eval);
    if (t->project)
        eval_release(t->project);
    sorter_free(t->sorter);
    rows_release(&t->rows);
    free(t->items);
    consumer_remove(&t->consumer);
}

const struct op_class op_take_ordered = {
    .kind = PHYS_TAKE_ORDERED,
    .state_size = sizeof(struct take),
    .open = take_open,
    .next = take_next,
    .close = take_close,
};
