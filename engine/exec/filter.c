/* Filter: narrows the selection. */
#include "engine/exec/list.h"

struct filter {
    struct eval *eval;
    uint32_t sel[BATCH_ROWS];
};

static enum errc filter_open(struct op *op, struct err *err)
{
    struct filter *f = op->state;
    struct exprs one = { (struct expr **)(uintptr_t)&op->node->condition, 1 };

    (void)err;
    f->eval = op_eval(op, op_bind(op, &one, &op->children[0]->node->output), 1);
    return ERR_OK;
}

static enum op_step filter_next(struct op *op, struct batch *out, struct err *err)
{
    struct filter *f = op->state;

    for (;;) {
        uint32_t n = 0;
        enum op_step step = op_next(op->children[0], out, err);

        if (step != OP_BATCH)
            return step;
        if (eval_filter(f->eval, out, f->sel, &n, err) != ERR_OK)
            return OP_FAIL;
        if (n == 0)
            continue;
        if (n < out->n_sel) {
            out->sel = f->sel;
            out->n_sel = n;
        }
        return OP_BATCH;
    }
}

static void filter_close(struct op *op)
{
    struct filter *f = op->state;

    if (f->eval)
        eval_release(f->eval);
}

const struct op_class op_filter = {
    .kind = PHYS_FILTER,
    .state_size = sizeof(struct filter),
    .open = filter_open,
    .next = filter_next,
    .close = filter_close,
    .counts_rows = true,
};
