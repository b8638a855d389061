/* Rows that the plan holds itself: VALUES, range(), and the one row of no FROM. */
#include "engine/exec/list.h"
#include "engine/exec/rows.h"
#include "engine/run/query.h"

struct local_scan {
    uint64_t at, end;
    struct scratch out;
};

static enum errc local_open(struct op *op, struct err *err)
{
    struct local_scan *s = op->state;

    (void)err;
    query_slice(op->node->n_rows, query_partitions(op->task->query, op->node),
                op->partition, &s->at, &s->end);
    scratch_init(&s->out, &op->task->arena, op_types(op, &op->node->output),
                 op->n_columns);
    return ERR_OK;
}

static enum op_step local_next(struct op *op, struct batch *out, struct err *err)
{
    struct local_scan *s = op->state;
    uint32_t n = (uint32_t)min_i64((int64_t)(s->end - s->at), BATCH_ROWS);

    (void)err;
    if (n == 0)
        return OP_END;
    for (uint32_t c = 0; c < op->n_columns; c++) {
        struct vec *v = scratch_column(&s->out, c);

        memset(v->valid, 1, n);
        for (uint32_t i = 0; i < n; i++)
            value_store(v, i, &op->node->rows[(s->at + i) * op->n_columns + c]);
    }
    s->at += n;
    *out = (struct batch){ n, n, NULL, op->n_columns, s->out.columns };
    return OP_BATCH;
}

const struct op_class op_local_scan = {
    .kind = PHYS_LOCAL_SCAN,
    .state_size = sizeof(struct local_scan),
    .open = local_open,
    .next = local_next,
    .counts_rows = true,
    .own_children = true,
};

/* ---- range ---- */

struct range {
    i128 at, end; /* in steps from the start */
    int64_t *ids;
    struct vec column;
};

static enum errc range_open(struct op *op, struct err *err)
{
    struct range *r = op->state;
    const struct phys *p = op->node;
    uint32_t n = query_partitions(op->task->query, p);
    i128 step = p->range_step, span = (i128)p->range_end - p->range_start;
    i128 total = step == 0 || (span > 0) != (step > 0)
                     ? 0
                     : (span + (step > 0 ? step - 1 : step + 1)) / step;

    (void)err;
    r->at = total * op->partition / n;
    r->end = total * (op->partition + 1) / n;
    r->ids = arena_array(&op->task->arena, BATCH_ROWS, sizeof *r->ids);
    r->column = (struct vec){ .type = type_of(TYPE_LONG), .data = r->ids };
    return ERR_OK;
}

static enum op_step range_next(struct op *op, struct batch *out, struct err *err)
{
    struct range *r = op->state;
    i128 left = r->end - r->at;
    uint32_t n = left > BATCH_ROWS ? BATCH_ROWS : (uint32_t)left;
    uint64_t first = (uint64_t)op->node->range_start +
                     (uint64_t)r->at * (uint64_t)op->node->range_step;

    (void)err;
    if (n == 0)
        return OP_END;
    for (uint32_t i = 0; i < n; i++)
        r->ids[i] = (int64_t)(first + i * (uint64_t)op->node->range_step);
    r->at += n;
    *out = (struct batch){ n, n, NULL, 1, &r->column };
    return OP_BATCH;
}

const struct op_class op_range = {
    .kind = PHYS_RANGE,
    .state_size = sizeof(struct range),
    .open = range_open,
    .next = range_next,
    .counts_rows = true,
    .own_children = true,
};

/* ---- one row ---- */

static enum op_step one_next(struct op *op, struct batch *out, struct err *err)
{
    bool *given = op->state;

    (void)err;
    if (*given || op->partition)
        return OP_END;
    *given = true;
    *out = (struct batch){ .n_rows = 1, .n_sel = 1 };
    return OP_BATCH;
}

const struct op_class op_one_row = {
    .kind = PHYS_ONE_ROW,
    .state_size = sizeof(bool),
    .next = one_next,
    .counts_rows = true,
    .own_children = true,
};
