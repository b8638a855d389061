/* Sort: within the task's rows. Keys that are no columns are computed beside them. */
#include "engine/exec/list.h"
#include "engine/exec/sorter.h"

struct sort {
    struct sorter *sorter;
    struct eval *eval; /* of the keys that are no columns; NULL: none */
    struct vec *columns;
    uint32_t n_child, n_extra;
    bool sorted;
};

static enum errc sort_open(struct op *op, struct err *err)
{
    struct sort *s = op->state;
    struct arena *a = &op->task->arena;
    const struct exprs *order = &op->node->order;
    const struct exprs *input = &op->children[0]->node->output;
    struct expr **bound = op_bind(op, order, input);
    struct expr **extra = arena_array(a, order->n + 1, sizeof *extra);
    uint32_t *at = arena_array(a, order->n + 1, sizeof *at);
    struct type *types = arena_array(a, input->n + order->n + 1, sizeof *types);
    struct sort_layout layout;

    (void)err;
    s->n_child = input->n;
    for (uint32_t i = 0; i < input->n; i++)
        types[i] = input->at[i]->type;
    for (uint32_t i = 0; i < order->n; i++) {
        struct expr *e = bound[i]->kind == EXPR_SORT_ORDER ? bound[i]->args[0] : bound[i];

        at[i] = e->kind == EXPR_BOUND ? e->index : input->n + s->n_extra;
        if (e->kind == EXPR_BOUND)
            continue;
        types[input->n + s->n_extra] = e->type;
        extra[s->n_extra++] = e;
    }
    if (s->n_extra)
        s->eval = op_eval(op, extra, s->n_extra);
    s->columns = arena_array(a, s->n_child + s->n_extra + 1, sizeof *s->columns);
    sort_layout_init(&layout, a, order);
    s->sorter = sorter_new(op->task, types, s->n_child + s->n_extra, &layout, at);
    return ERR_OK;
}

static enum op_step sort_all(struct op *op, struct err *err)
{
    struct sort *s = op->state;
    struct batch b;
    enum op_step step;

    sorter_expect(s->sorter, op_expect(op->children[0]));
    while ((step = op_next(op->children[0], &b, err)) == OP_BATCH) {
        for (uint32_t c = 0; c < s->n_child; c++)
            s->columns[c] = b.columns[c];
        if (s->eval && eval_run_list(s->eval, &b, s->columns + s->n_child, err) != ERR_OK)
            return OP_FAIL;
        b.columns = s->columns;
        b.n_columns = s->n_child + s->n_extra;
        if (sorter_add(s->sorter, &b, err) != ERR_OK)
            return OP_FAIL;
    }
    if (step == OP_FAIL || sorter_finish(s->sorter, err) != ERR_OK)
        return OP_FAIL;
    s->sorted = true;
    return OP_BATCH;
}

static enum op_step sort_next(struct op *op, struct batch *out, struct err *err)
{
    struct sort *s = op->state;

    if (!s->sorted && sort_all(op, err) == OP_FAIL)
        return OP_FAIL;
    switch (sorter_next(s->sorter, out, err)) {
    case NEXT_ITEM:
        out->n_columns = s->n_child;
        return OP_BATCH;
    case NEXT_END:
        return OP_END;
    case NEXT_FAIL:
        break;
    }
    return OP_FAIL;
}

static void sort_close(struct op *op)
{
    struct sort *s = op->state;

    if (s->eval)
        eval_release(s->eval);
    if (!s->sorter)
        return;
    *op_metric(op, "sort_ms") = sorter_sort_ns(s->sorter);
    *op_metric(op, "peak_bytes") = sorter_peak_bytes(s->sorter);
    *op_metric(op, "spill_bytes") = sorter_spilled_bytes(s->sorter);
    op->task->metrics.peak_execution_bytes += sorter_peak_bytes(s->sorter);
    sorter_free(s->sorter);
}

const struct op_class op_sort = {
    .kind = PHYS_SORT,
    .state_size = sizeof(struct sort),
    .open = sort_open,
    .next = sort_next,
    .close = sort_close,
    .counts_rows = true,
};
