/* Window: partitions are collected, computed and put out chunk by chunk; see window.h.
 *
 * Rows come ordered by partition and by the windows' order. A block ends with the last
 * partition that is whole once it has a few thousand rows. Where memory does not suffice,
 * or is asked back, the block's rows move to a mapped file (rows.h). */
#include "engine/exec/window.h"
#include "engine/exec/changes.h"
#include "engine/exec/list.h"

#include "base/mem.h"

#include <stdlib.h>

enum { BLOCK_ROWS = 2 * BATCH_ROWS, SPILL_LEAST = 1 << 16 };

/* ---- open ---- */

struct inputs { /* columns of the block */
    struct window *w;
    struct type *types;
    struct expr **extra;
};

static struct window_input input_of(struct inputs *in, struct expr *e)
{
    struct window *w = in->w;
    struct arena *a = &w->op->task->arena;

    if (e->kind == EXPR_BOUND)
        return (struct window_input){ .column = (int32_t)e->index };
    if (e->kind == EXPR_LITERAL) {
        struct vec v = vec_flat(a, e->type, 1, true);

        v.kind = VEC_CONST;
        if (e->value.null || e->type.id == TYPE_NULL)
            v.valid[0] = 0;
        else
            value_store(&v, 0, &e->value);
        return (struct window_input){ -1, v };
    }
    in->types[w->n_child + w->n_extra] = e->type;
    in->extra[w->n_extra++] = e;
    return (struct window_input){ .column = (int32_t)(w->n_child + w->n_extra - 1) };
}

static const struct window_fn_class *class_of(const struct expr *e)
{
    const char *name = e->kind == EXPR_CALL ? e->func->name : e->agg->name;

    for (const struct window_fn_class *c = window_rank_classes; c->name; c++)
        if (strcmp(c->name, name) == 0 &&
            (e->kind == EXPR_CALL || e->n_args == 1 || !e->args[1]->value.u.b))
            return c;
    return e->kind == EXPR_CALL ? NULL : &window_agg_class;
}

static bool frames_same(const struct window_spec *a, const struct window_spec *b)
{
    return a->unit == b->unit && a->lower == b->lower && a->upper == b->upper &&
           (a->lower != BOUND_OFFSET || expr_eq(a->lower_offset, b->lower_offset)) &&
           (a->upper != BOUND_OFFSET || expr_eq(a->upper_offset, b->upper_offset));
}

static enum errc open_frame(struct window *w, struct window_fn *f,
                            const struct window_spec *spec, struct err *err)
{
    for (uint32_t i = 0; i < w->n_frames; i++)
        if (frames_same(w->frames[i]->spec, spec)) {
            f->frame = w->frames[i];
            return ERR_OK;
        }
    TRY(window_frame_open(w, spec, &f->frame, err));
    w->frames[w->n_frames++] = f->frame;
    return ERR_OK;
}

static enum errc open_fn(struct window *w, struct window_fn *f, struct inputs *in,
                         const struct expr *item, const struct exprs *input,
                         struct err *err)
{
    struct arena *a = &w->op->task->arena;
    const struct expr *over = item->kind == EXPR_ALIAS ? item->args[0] : item;

    if (over->kind != EXPR_WINDOW)
        return err_set(err, ERR_USAGE, "a window's list has something else");
    f->expr = phys_bind(a, over->args[0], input);
    f->cls = class_of(f->expr);
    if (!f->cls)
        return err_set(err, ERR_USAGE, "%s() does not run in windows",
                       f->expr->func->name);
    f->n_args = f->expr->n_args;
    f->args = arena_array(a, f->n_args + 1, sizeof *f->args);
    for (uint32_t i = 0; i < f->n_args; i++)
        f->args[i] = input_of(in, f->expr->args[i]);
    f->out = vec_flat(a, over->type, BATCH_ROWS, true);
    f->mask = f->out.valid;
    if (f->cls != &window_agg_class &&
        (f->expr->kind == EXPR_CALL && strcmp(f->cls->name, "nth_value") != 0))
        return ERR_OK;
    return open_frame(w, f, over->window, err);
}

static struct window_input *open_list(struct inputs *in, const struct exprs *list,
                                      const struct exprs *input)
{
    struct arena *a = &in->w->op->task->arena;
    struct window_input *to = arena_array(a, list->n + 1, sizeof *to);

    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *e = phys_bind(a, list->at[i], input);

        to[i] = input_of(in, e->kind == EXPR_SORT_ORDER ? e->args[0] : e);
    }
    return to;
}

static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err);

static enum errc window_open(struct op *op, struct err *err)
{
    struct window *w = op->state;
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    const struct exprs *input = &p->children[0]->output;
    uint32_t most = input->n + p->keys.n + p->order.n;

    w->op = op;
    w->consumer = (struct consumer){ .name = "window", .spill = give_back, .owner = w };
    consumer_add(&op->task->memory, &w->consumer);
    for (uint32_t i = 0; i < p->list.n; i++) {
        const struct expr *e = p->list.at[i];

        most += (e->kind == EXPR_ALIAS ? e->args[0] : e)->args[0]->n_args;
    }
    struct inputs in = { w, arena_array(a, most + 1, sizeof *in.types),
                         arena_array(a, most + 1, sizeof *in.extra) };
    w->n_child = input->n;
    for (uint32_t i = 0; i < input->n; i++)
        in.types[i] = input->at[i]->type;
    w->n_keys = p->keys.n;
    w->keys = open_list(&in, &p->keys, input);
    w->n_order = p->order.n;
    w->order = open_list(&in, &p->order, input);
    sort_layout_init(&w->order_layout, a, &p->order);
    w->fns = arena_array(a, p->list.n + 1, sizeof *w->fns);
    w->frames = arena_array(a, p->list.n + 1, sizeof(void *));
    for (; w->n_fns < p->list.n; w->n_fns++)
        TRY(open_fn(w, &w->fns[w->n_fns], &in, p->list.at[w->n_fns], input, err));
    if (w->n_extra)
        w->eval = op_eval(op, in.extra, w->n_extra);
    w->adding = arena_array(a, w->n_child + w->n_extra + 1, sizeof *w->adding);
    w->columns = arena_array(a, w->n_child + w->n_fns + 1, sizeof *w->columns);
    w->block.columns = arena_array(a, w->n_child + w->n_extra + 1, sizeof(struct vec));
    rows_init(&w->block.rows, in.types, w->n_child + w->n_extra);
    for (uint32_t i = 0; i < w->n_fns; i++)
        if (w->fns[i].cls->open)
            TRY(w->fns[i].cls->open(w, &w->fns[i], err));
    return ERR_OK;
}

struct vec window_view(const struct window *w, const struct window_input *in,
                       uint32_t from)
{
    if (in->column < 0)
        return in->constant;
    struct vec v = w->block.columns[in->column];

    v.data = (char *)v.data + (size_t)from * type_width(v.type);
    if (v.valid)
        v.valid += from;
    return v;
}

/* ---- memory ---- */

static void view_block(struct window *w)
{
    rows_view(&w->block.rows, 0, w->block.rows.n, w->block.columns);
}

static enum errc to_file(struct window *w, struct err *err)
{
    int64_t held = w->consumer.used_bytes;

    rows_release(&w->old);
    TRY(rows_to_file(&w->block.rows, w->op->task, &w->old, err));
    view_block(w);
    w->spilled_bytes += held;
    w->op->task->memory.spilled_memory_bytes += held;
    memory_release(&w->consumer, held);
    return ERR_OK;
}

/* Another operator asks. What is out just now stays until the next call. */
static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err)
{
    struct window *w = c->owner;
    int64_t held = c->used_bytes;

    (void)wanted;
    if (held < SPILL_LEAST || w->block.rows.file)
        return 0;
    return to_file(w, err) == ERR_OK ? held : -1;
}

/* Rows that nobody shows any more. */
static void drop_old(struct window *w)
{
    rows_release(&w->old);
}

static enum errc add_rows(struct window *w, const struct batch *b, struct err *err)
{
    struct rows *r = &w->block.rows;

    if (r->n + (uint64_t)b->n_sel >= ROWS_NONE)
        return err_set(err, ERR_LIMIT, "too many rows in a window's partition");
    if (!r->file) {
        switch (memory_cover(&w->consumer, rows_bytes_with(r, b), err)) {
        case MEMORY_FAILED:
            return err->code;
        case MEMORY_SHORT:
            TRY(to_file(w, err));
            drop_old(w);
            break;
        case MEMORY_GRANTED:
            break;
        }
    }
    if (r->file)
        TRY(rows_file_room(r, b, err));
    rows_append(r, b);
    view_block(w);
    return ERR_OK;
}

/* ---- blocks ---- */

static void add_part(struct window_block *b, uint32_t start)
{
    if (b->n_parts + 1 >= b->cap_parts) {
        b->cap_parts = b->cap_parts ? b->cap_parts * 2 : 256;
        b->starts = xrealloc(b->starts, mem_product(b->cap_parts, sizeof *b->starts));
    }
    b->starts[b->n_parts++] = start;
}

/* Partitions that begin in the rows added last. */
static void find_parts(struct window *w)
{
    struct window_block *b = &w->block;
    uint8_t flags[BATCH_ROWS];

    if (w->tested == 0 && b->rows.n) {
        add_part(b, 0);
        w->tested = 1;
    }
    while (w->tested < b->rows.n) {
        uint32_t left = b->rows.n - w->tested, n = left < BATCH_ROWS ? left : BATCH_ROWS;

        memset(flags, 0, n);
        for (uint32_t k = 0; k < w->n_keys; k++)
            if (w->keys[k].column >= 0)
                flag_changes(&b->columns[w->keys[k].column], w->tested, n, flags);
        for (uint32_t i = 0; i < n; i++)
            if (flags[i])
                add_part(b, w->tested + i);
        w->tested += n;
    }
}

/* What is behind the block's partitions becomes the next block's beginning. */
static enum errc shift_block(struct window *w, struct err *err)
{
    struct window_block *b = &w->block;
    struct rows rest = { 0 }, done = b->rows;
    uint32_t n = done.n - b->n;
    struct type types[done.n_columns + 1];
    struct vec views[done.n_columns + 1];
    enum errc rc = ERR_OK;

    for (uint32_t c = 0; c < done.n_columns; c++)
        types[c] = done.columns[c].type;
    rows_init(&rest, types, done.n_columns);
    memory_release(&w->consumer, w->consumer.used_bytes);
    b->rows = rest;
    for (uint32_t at = b->n; at < b->n + n && rc == ERR_OK; at += BATCH_ROWS) {
        uint32_t left = b->n + n - at, part = left < BATCH_ROWS ? left : BATCH_ROWS;
        struct batch more = { part, part, NULL, done.n_columns, views };

        rows_view(&done, at, part, views);
        rc = add_rows(w, &more, err);
    }
    rows_release(&done);
    b->n = b->n_parts = 0;
    w->at = w->tested = w->peer_from = w->peer_to = 0;
    w->ready = false;
    find_parts(w);
    return rc;
}

static bool cut_block(struct window *w)
{
    struct window_block *b = &w->block;
    uint32_t whole = w->input_done ? b->rows.n
                     : b->n_parts  ? b->starts[b->n_parts - 1]
                                   : 0;

    if (!w->input_done) {
        if (whole < BLOCK_ROWS)
            return false;
        b->n_parts--;
    } else if (whole == 0) {
        return false;
    }
    b->n = whole;
    if (b->starts) /* add_part left room */
        b->starts[b->n_parts] = whole;
    w->ready = true;
    for (uint32_t i = 0; i < w->n_fns; i++)
        if (w->fns[i].cls->begin)
            w->fns[i].cls->begin(w, &w->fns[i]);
    return true;
}

static enum op_step collect(struct window *w, struct err *err)
{
    struct op *child = w->op->children[0];
    struct batch b;

    while (!w->input_done) {
        enum op_step step = op_next(child, &b, err);

        if (step == OP_FAIL)
            return OP_FAIL;
        if (step == OP_END) {
            w->input_done = true;
            break;
        }
        for (uint32_t c = 0; c < w->n_child; c++)
            w->adding[c] = b.columns[c];
        if (w->eval && eval_run_list(w->eval, &b, w->adding + w->n_child, err) != ERR_OK)
            return OP_FAIL;
        b.columns = w->adding;
        b.n_columns = w->n_child + w->n_extra;
        if (add_rows(w, &b, err) != ERR_OK)
            return OP_FAIL;
        find_parts(w);
        if (cut_block(w))
            return OP_BATCH;
    }
    return cut_block(w) ? OP_BATCH : OP_END;
}

/* ---- chunks ---- */

static void begin_chunk(struct window *w)
{
    struct window_chunk *c = &w->chunk;
    const struct window_block *b = &w->block;
    uint32_t left = b->n - w->at, part = w->at ? c->part[c->n - 1] : 0;

    c->from = w->at;
    c->n = left < BATCH_ROWS ? left : BATCH_ROWS;
    for (uint32_t i = 0; i < c->n; i++) {
        part += c->from + i >= b->starts[part + 1];
        c->part[i] = part;
        c->lo[i] = b->starts[part];
        c->hi[i] = b->starts[part + 1];
    }
    window_find_peers(w);
}

static enum op_step run_chunk(struct window *w, struct batch *out, struct err *err)
{
    begin_chunk(w);
    for (uint32_t i = 0; i < w->n_frames; i++)
        if (window_frame_run(w, w->frames[i], err) != ERR_OK)
            return OP_FAIL;
    for (uint32_t i = 0; i < w->n_fns; i++) {
        struct window_fn *f = &w->fns[i];

        f->out.valid = f->mask;
        if (f->cls->run(w, f, err) != ERR_OK)
            return OP_FAIL;
        w->columns[w->n_child + i] = f->out;
    }
    for (uint32_t c = 0; c < w->n_child; c++) {
        struct window_input in = { .column = (int32_t)c };

        w->columns[c] = window_view(w, &in, w->at);
    }
    w->at += w->chunk.n;
    *out =
        (struct batch){ w->chunk.n, w->chunk.n, NULL, w->n_child + w->n_fns, w->columns };
    return OP_BATCH;
}

static enum op_step window_next(struct op *op, struct batch *out, struct err *err)
{
    struct window *w = op->state;

    drop_old(w);
    if (w->ready && w->at == w->block.n && shift_block(w, err) != ERR_OK)
        return OP_FAIL;
    if (!w->ready) {
        enum op_step step = cut_block(w) ? OP_BATCH : collect(w, err);

        if (step != OP_BATCH)
            return step;
    }
    return run_chunk(w, out, err);
}

static void window_close(struct op *op)
{
    struct window *w = op->state;

    if (w->eval)
        eval_release(w->eval);
    for (uint32_t i = 0; i < w->n_frames; i++)
        if (w->frames[i]->bounds)
            eval_release(w->frames[i]->bounds);
    for (uint32_t i = 0; i < w->n_fns; i++)
        if (w->fns[i].cls->close && w->fns[i].state)
            w->fns[i].cls->close(&w->fns[i]);
    drop_old(w);
    rows_release(&w->block.rows);
    free(w->block.starts);
    *op_metric(op, "spill_bytes") = w->spilled_bytes;
    op->task->metrics.peak_execution_bytes += w->consumer.peak_bytes;
    consumer_remove(&w->consumer);
}

const struct op_class op_window = {
    .kind = PHYS_WINDOW,
    .state_size = sizeof(struct window),
    .open = window_open,
    .next = window_next,
    .close = window_close,
};
