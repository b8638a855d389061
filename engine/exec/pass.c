/* Operators that hand on what others made: ColumnarToRow, Union, Coalesce. */
#include "engine/exec/list.h"
#include "engine/run/query.h"

static enum op_step pass_next(struct op *op, struct batch *out, struct err *err)
{
    enum op_step step = op_next(op->children[0], out, err);

    if (step == OP_BATCH)
        ++*op_metric(op, "batches");
    return step;
}

const struct op_class op_columnar_to_row = {
    .kind = PHYS_COLUMNAR_TO_ROW,
    .next = pass_next,
    .counts_rows = true,
};

/* ---- union: a task reads one partition of one child ---- */

struct union_state {
    uint32_t child;
};

static enum errc union_open(struct op *op, struct err *err)
{
    struct union_state *u = op->state;
    uint32_t partition = op->partition;

    for (uint32_t i = 0; !op->over && i < op->n_children; i++) {
        uint32_t n = query_partitions(op->task->query, op->node->children[i]);

        if (partition < n) {
            u->child = i;
            return op_open_child(op, i, partition, err);
        }
        partition -= n;
    }
    return ERR_OK;
}

static enum op_step union_next(struct op *op, struct batch *out, struct err *err)
{
    struct union_state *u = op->state;

    while (u->child < op->n_children && op->children[u->child]) {
        enum op_step step = op_next(op->children[u->child], out, err);

        if (step != OP_END)
            return step;
        if (!op->over)
            break;
        u->child++;
    }
    return OP_END;
}

const struct op_class op_union = {
    .kind = PHYS_UNION,
    .state_size = sizeof(struct union_state),
    .open = union_open,
    .next = union_next,
    .counts_rows = true,
    .own_children = true,
};

/* ---- coalesce: a task reads several partitions, one after another ---- */

struct coalesce {
    uint32_t next, end;
};

static enum errc coalesce_open(struct op *op, struct err *err)
{
    struct coalesce *c = op->state;

    (void)err;
    if (!op->over)
        query_coalesced(op->task->query, op->node, op->partition, &c->next, &c->end);
    return ERR_OK;
}

static enum op_step coalesce_next(struct op *op, struct batch *out, struct err *err)
{
    struct coalesce *c = op->state;

    for (;;) {
        if (!op->children[0]) {
            if (c->next >= c->end)
                return OP_END;
            if (op_open_child(op, 0, c->next++, err) != ERR_OK)
                return OP_FAIL;
        }
        enum op_step step = op_next(op->children[0], out, err);
        if (step != OP_END)
            return step;
        if (op->over)
            return OP_END;
        op_close_child(op, 0);
    }
}

const struct op_class op_coalesce = {
    .kind = PHYS_COALESCE,
    .state_size = sizeof(struct coalesce),
    .open = coalesce_open,
    .next = coalesce_next,
    .counts_rows = true,
    .own_children = true,
};
