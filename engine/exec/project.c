/* Project: new columns from expressions. */
#include "engine/exec/list.h"

struct project {
    struct eval *eval;
    struct vec *columns;
};

static enum errc project_open(struct op *op, struct err *err)
{
    struct project *p = op->state;
    const struct exprs *list = &op->node->list;

    (void)err;
    p->eval = op_eval(op, op_bind(op, list, &op->children[0]->node->output), list->n);
    p->columns = arena_array(&op->task->arena, list->n + 1, sizeof *p->columns);
    return ERR_OK;
}

static enum op_step project_next(struct op *op, struct batch *out, struct err *err)
{
    struct project *p = op->state;
    enum op_step step = op_next(op->children[0], out, err);

    if (step != OP_BATCH)
        return step;
    if (op->node->list.n && eval_run_list(p->eval, out, p->columns, err) != ERR_OK)
        return OP_FAIL;
    out->columns = p->columns;
    out->n_columns = op->node->list.n;
    return OP_BATCH;
}

static void project_close(struct op *op)
{
    struct project *p = op->state;

    if (p->eval)
        eval_release(p->eval);
}

static int64_t project_expect(const struct op *op)
{
    return op_expect(op->children[0]);
}

const struct op_class op_project = {
    .kind = PHYS_PROJECT,
    .state_size = sizeof(struct project),
    .open = project_open,
    .next = project_next,
    .close = project_close,
    .expect = project_expect,
    .counts_rows = true,
};
