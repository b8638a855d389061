/* Leaves that read what an earlier stage shuffled: exchanges, stages, adaptive and reused
 * reads. What is read is counted for the exchange's node. */
#include "engine/exec/list.h"
#include "engine/plan/adaptive.h"
#include "engine/run/query.h"

#include <string.h>

struct exchange_read {
    struct shuffle_reader *reader;
    const struct phys *exchange; /* NULL: its metrics are not known */
    struct task_metrics read;    /* by this leaf */
};

static const struct phys *exchange_of(const struct phys *p)
{
    while (p && p->kind != PHYS_EXCHANGE) {
        if (p->kind == PHYS_REUSED)
            p = p->reused;
        else if (p->kind == PHYS_STAGE && p->stage)
            p = p->stage->exchange;
        else
            p = p->n_children ? p->children[0] : NULL;
    }
    return p;
}

static enum errc read_open(struct op *op, struct err *err)
{
    struct exchange_read *r = op->state;
    struct shuffle *s = query_shuffle(op->task->query, op->node);

    if (!s)
        return err_set(err, ERR_OPEN, "%s has nothing to read",
                       phys_classes[op->node->kind].name);
    r->exchange = exchange_of(op->node);
    return shuffle_reader_open(&r->reader, s, query_read_spec(op->node, op->partition),
                               op->task, err);
}

/* The task's counters move while a block is read: by this leaf alone. */
static void count(struct exchange_read *r, const struct task_metrics *before,
                  const struct task_metrics *after)
{
#define ADD(field) r->read.field += after->field - before->field
    ADD(local_blocks);
    ADD(remote_blocks);
    ADD(local_bytes);
    ADD(remote_bytes);
    ADD(remote_to_disk_bytes);
    ADD(fetch_wait_ms);
    ADD(shuffle_read_rows);
#undef ADD
}

static enum op_step read_next(struct op *op, struct batch *out, struct err *err)
{
    struct exchange_read *r = op->state;
    enum next got;

    do {
        struct task_metrics before = op->task->metrics;

        got = shuffle_read(r->reader, out, err);
        count(r, &before, &op->task->metrics);
    } while (got == NEXT_ITEM && out->n_sel == 0);
    return got == NEXT_ITEM ? OP_BATCH : got == NEXT_END ? OP_END : OP_FAIL;
}

static void report(struct op *op, const struct exchange_read *r)
{
    const struct {
        const char *key;
        int64_t value;
    } counted[] = {
        { "read_records", r->read.shuffle_read_rows },
        { "local_blocks", r->read.local_blocks },
        { "remote_blocks", r->read.remote_blocks },
        { "local_bytes", r->read.local_bytes },
        { "remote_bytes", r->read.remote_bytes },
        { "remote_disk_bytes", r->read.remote_to_disk_bytes },
        { "fetch_wait_ms", r->read.fetch_wait_ms },
    };
    uint32_t n = 0;
    const struct metric_def *m;

    if (!r->exchange || !r->exchange->metrics)
        return;
    m = phys_metrics(r->exchange, &n);
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < ARRAY_LEN(counted); k++)
            if (strcmp(m[i].key, counted[k].key) == 0 &&
                (counted[k].value || m[i].kind == METRIC_MS))
                metric_sink_add(&op->task->sink, r->exchange->metrics[i],
                                counted[k].value);
}

static int64_t read_expect(const struct op *op)
{
    const struct exchange_read *r = op->state;

    return shuffle_reader_rows(r->reader);
}

static void read_close(struct op *op)
{
    struct exchange_read *r = op->state;

    shuffle_reader_close(r->reader);
    report(op, r);
}

#define READ_CLASS(name, k)                                                              \
    const struct op_class name = {                                                       \
        .kind = k,                                                                       \
        .state_size = sizeof(struct exchange_read),                                      \
        .open = read_open,                                                               \
        .next = read_next,                                                               \
        .close = read_close,                                                             \
        .expect = read_expect,                                                           \
        .own_children = true,                                                            \
    }

READ_CLASS(op_read_exchange, PHYS_EXCHANGE);
READ_CLASS(op_read_stage, PHYS_STAGE);
READ_CLASS(op_read_aqe, PHYS_AQE_READ);
READ_CLASS(op_read_reused, PHYS_REUSED);
