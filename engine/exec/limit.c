/* LocalLimit, GlobalLimit, CollectLimit (a task's share of it), Offset: the first rows,
 * and all but the first. A global limit counts the rows its offset drops. */
#include "engine/exec/list.h"

struct limit {
    int64_t skip, left; /* left -1: all */
    uint32_t sel[BATCH_ROWS];
};

static enum errc limit_open(struct op *op, struct err *err)
{
    struct limit *l = op->state;
    bool global = op->node->kind == PHYS_GLOBAL_LIMIT || op->node->kind == PHYS_OFFSET;

    (void)err;
    l->left = op->node->limit;
    if (op->node->kind == PHYS_OFFSET)
        l->left = -1;
    if (global)
        l->skip = max_i64(op->node->offset, 0);
    return ERR_OK;
}

static void drop_first(struct limit *l, struct batch *b, uint32_t n)
{
    if (b->sel) {
        b->sel += n;
    } else {
        for (uint32_t i = n; i < b->n_rows; i++)
            l->sel[i - n] = i;
        b->sel = l->sel;
    }
    b->n_sel -= n;
}

static enum op_step limit_next(struct op *op, struct batch *out, struct err *err)
{
    struct limit *l = op->state;

    while (l->left != 0) { /* else without pulling: the child may be costly */
        enum op_step step = op_next(op->children[0], out, err);

        if (step != OP_BATCH)
            return step;
        if (l->left >= 0) {
            if (out->n_sel > l->left) {
                out->n_sel = (uint32_t)l->left;
                if (!out->sel)
                    out->n_rows = out->n_sel;
            }
            l->left -= out->n_sel;
        }
        uint32_t skip = (uint32_t)min_i64(l->skip, out->n_sel);
        l->skip -= skip;
        if (skip == out->n_sel)
            continue;
        if (skip)
            drop_first(l, out, skip);
        return OP_BATCH;
    }
    return OP_END;
}

#define LIMIT_CLASS(name, k)                                                             \
    const struct op_class name = {                                                       \
        .kind = k,                                                                       \
        .state_size = sizeof(struct limit),                                              \
        .open = limit_open,                                                              \
        .next = limit_next,                                                              \
        .counts_rows = true,                                                             \
    }

LIMIT_CLASS(op_local_limit, PHYS_LOCAL_LIMIT);
LIMIT_CLASS(op_global_limit, PHYS_GLOBAL_LIMIT);
LIMIT_CLASS(op_collect_limit, PHYS_COLLECT_LIMIT);
LIMIT_CLASS(op_offset, PHYS_OFFSET);
