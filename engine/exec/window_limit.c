/* WindowGroupLimit: of each partition the rows whose rank is at most the limit. Rows come
 * in order, so the ranks need the row before and two counters. */
#include "engine/exec/changes.h"
#include "engine/exec/list.h"
#include "engine/exec/rows.h"
#include "engine/expr/func.h"

struct window_limit {
    struct eval *eval;
    struct vec *columns; /* keys, then order */
    uint32_t n_keys, n;
    enum func_id rank;
    bool any;         /* there was a row before */
    struct rows last; /* its columns */
    struct vec *last_views;
    int64_t row, place; /* in its partition; the rank that counts */
    uint32_t sel[BATCH_ROWS];
};

static enum errc limit_open(struct op *op, struct err *err)
{
    struct window_limit *s = op->state;
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    const struct expr *rank = p->condition;
    struct exprs list = { arena_array(a, p->keys.n + p->order.n + 1, sizeof(void *)), 0 };
    struct type *types;

    (void)err;
    for (uint32_t i = 0; i < p->keys.n; i++)
        list.at[list.n++] = p->keys.at[i];
    for (uint32_t i = 0; i < p->order.n; i++) {
        struct expr *e = p->order.at[i];

        list.at[list.n++] = e->kind == EXPR_SORT_ORDER ? e->args[0] : e;
    }
    s->n_keys = p->keys.n;
    s->n = list.n;
    s->rank = rank && rank->kind == EXPR_CALL ? rank->func->id : FUNC_ROW_NUMBER;
    s->eval = op_eval(op, op_bind(op, &list, &op->children[0]->node->output), list.n);
    s->columns = arena_array(a, s->n + 1, sizeof *s->columns);
    s->last_views = arena_array(a, s->n + 1, sizeof *s->last_views);
    types = op_types(op, &list);
    rows_init(&s->last, types, s->n);
    return ERR_OK;
}

/* From which column on row i differs from the one before: s->n where it does not. */
static uint32_t differs(const struct window_limit *s, uint32_t row, uint32_t before,
                        bool first)
{
    for (uint32_t c = 0; c < s->n; c++)
        if (!values_same(&s->columns[c], row, first ? &s->last_views[c] : &s->columns[c],
                         first ? 0 : before))
            return c;
    return s->n;
}

static void count_row(struct window_limit *s, uint32_t from)
{
    if (from < s->n_keys) {
        s->row = s->place = 1;
        return;
    }
    s->row++;
    if (s->rank == FUNC_ROW_NUMBER)
        s->place = s->row;
    else if (from < s->n)
        s->place = s->rank == FUNC_RANK ? s->row : s->place + 1;
}

static void keep_last(struct window_limit *s, const struct batch *b)
{
    uint32_t row = batch_row(b, b->n_sel - 1);
    struct batch one = { b->n_rows, 1, &row, s->n, s->columns };

    rows_clear(&s->last);
    rows_append(&s->last, &one);
    rows_view(&s->last, 0, 1, s->last_views);
    s->any = true;
}

static enum op_step limit_next(struct op *op, struct batch *out, struct err *err)
{
    struct window_limit *s = op->state;
    enum op_step step;

    while ((step = op_next(op->children[0], out, err)) == OP_BATCH) {
        uint32_t n = 0;

        if (s->n && eval_run_list(s->eval, out, s->columns, err) != ERR_OK)
            return OP_FAIL;
        for (uint32_t i = 0; i < out->n_sel; i++) {
            uint32_t row = batch_row(out, i);

            if (i == 0 && !s->any)
                s->row = s->place = 1;
            else
                count_row(s, differs(s, row, i ? batch_row(out, i - 1) : 0, i == 0));
            s->sel[n] = row;
            n += s->place <= op->node->limit;
        }
        keep_last(s, out);
        if (n == 0)
            continue;
        out->sel = s->sel;
        out->n_sel = n;
        return OP_BATCH;
    }
    return step;
}

static void limit_close(struct op *op)
{
    struct window_limit *s = op->state;

    if (s->eval)
        eval_release(s->eval);
    rows_release(&s->last);
}

const struct op_class op_window_limit = {
    .kind = PHYS_WINDOW_GROUP_LIMIT,
    .state_size = sizeof(struct window_limit),
    .open = limit_open,
    .next = limit_next,
    .close = limit_close,
    .counts_rows = true,
};
