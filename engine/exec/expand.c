/* Expand: each row once per projection, for grouping sets and several DISTINCTs. */
#include "engine/exec/list.h"

struct expand {
    struct eval **evals;
    struct vec *columns;
    struct batch child;
    uint32_t next; /* projection; 0: pull first */
};

static enum errc expand_open(struct op *op, struct err *err)
{
    struct expand *x = op->state;
    const struct phys *node = op->node;
    struct arena *a = &op->task->arena;

    (void)err;
    x->evals = arena_array(a, node->n_projections + 1, sizeof *x->evals);
    x->columns = arena_array(a, node->output.n + 1, sizeof *x->columns);
    for (uint32_t i = 0; i < node->n_projections; i++) {
        const struct exprs *list = &node->projections[i];

        x->evals[i] =
            op_eval(op, op_bind(op, list, &op->children[0]->node->output), list->n);
    }
    return ERR_OK;
}

static enum op_step expand_next(struct op *op, struct batch *out, struct err *err)
{
    struct expand *x = op->state;

    if (op->node->n_projections == 0)
        return OP_END;
    if (x->next == 0) {
        enum op_step step = op_next(op->children[0], &x->child, err);

        if (step != OP_BATCH)
            return step;
    }
    if (eval_run_list(x->evals[x->next], &x->child, x->columns, err) != ERR_OK)
        return OP_FAIL;
    x->next = (x->next + 1) % op->node->n_projections;
    *out = x->child;
    out->columns = x->columns;
    out->n_columns = op->node->output.n;
    return OP_BATCH;
}

static void expand_close(struct op *op)
{
    struct expand *x = op->state;

    for (uint32_t i = 0; x->evals && i < op->node->n_projections; i++)
        if (x->evals[i])
            eval_release(x->evals[i]);
}

const struct op_class op_expand = {
    .kind = PHYS_EXPAND,
    .state_size = sizeof(struct expand),
    .open = expand_open,
    .next = expand_next,
    .close = expand_close,
    .counts_rows = true,
};
