/* Map tasks of shuffles, and the sampling that range exchanges begin with.
 *
 * A range exchange first runs its child for a sample of keys, as Spark does: up to
 * 100 x partitions rows in all, three times as many by task as even parts would need. */
#include "engine/exec/op.h"
#include "engine/exec/place.h"
#include "engine/exec/unsafe_row.h"
#include "engine/run/query_run.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- sampling --------------------------------------------------------------------- */

struct sampling {
    const struct phys *exchange, *child;
    struct range_sample **samples; /* by partition */
    uint32_t per_task;
};

static enum errc sample_task(void *ctx, struct task *t, struct err *err)
{
    const struct sampling *g = ctx;
    const struct phys *child = g->child;
    struct range_sample **s = &g->samples[t->partition];
    enum op_step step = OP_FAIL;
    int64_t begin_ns = op_now_ns();
    enum errc rc = ERR_OK;
    struct batch b;
    struct op *op;

    range_sample_free(*s); /* of a failed attempt */
    *s = NULL;
    TRY(op_open(&op, child, t, err));
    *s =
        range_sample_new(t, &g->exchange->partitioning.keys, &child->output, g->per_task);
    while (rc == ERR_OK && (step = op_next(op, &b, err)) == OP_BATCH)
        rc = range_sample_add(*s, &b, err);
    if (rc == ERR_OK && step == OP_FAIL)
        rc = err->code;
    range_sample_finish(*s);
    task_durations(t, child, begin_ns);
    op_close(op);
    return rc;
}

enum errc exchange_sample(struct query_run *q, struct input *in, uint32_t *n_partitions,
                          struct err *err)
{
    const struct partitioning *part = &in->node->partitioning;
    uint32_t tasks = part->n > 1 ? in->n_maps : 0;
    int64_t wanted =
        min_i64(settings_int(q->settings, SET_RANGE_SAMPLE) * part->n, 1000000);
    struct sampling g = { .exchange = in->node, .child = in->child };
    enum errc rc = ERR_OK;

    g.samples = xcalloc(tasks + 1, sizeof *g.samples);
    if (tasks) {
        g.per_task = (uint32_t)max_i64((3 * wanted + tasks - 1) / tasks, 1);
        rc = drive_job(q, in->child, NULL, NULL, tasks, sample_task, &g, err);
    }
    if (rc == ERR_OK) {
        in->bounds = range_bounds_new(&part->keys, g.samples, tasks, part->n);
        *n_partitions = range_bounds_partitions(in->bounds);
    }
    for (uint32_t i = 0; i < tasks; i++)
        range_sample_free(g.samples[i]);
    free(g.samples);
    return rc;
}

/* --- map tasks -------------------------------------------------------------------- */

static void count_output(const struct input *in, struct task *t, int64_t data_bytes)
{
    const struct task_metrics *m = &t->metrics;

    task_count(t, in->node, "data_bytes", data_bytes);
    task_count(t, in->node, "write_bytes", m->shuffle_write_bytes);
    task_count(t, in->node, "write_records", m->shuffle_write_rows);
    task_count(t, in->node, "write_ns", m->shuffle_write_ns);
}

static enum errc write_rows(const struct input *in, struct op *op, struct placer *placer,
                            struct shuffle_writer *w, int64_t *data_bytes,
                            struct err *err)
{
    uint32_t to[BATCH_ROWS] = { 0 };
    enum op_step step;
    struct batch b;

    while ((step = op_next(op, &b, err)) == OP_BATCH) {
        if (shuffle_n_reducers(in->shuffle) > 1)
            TRY(placer_run(placer, &b, to, err));
        *data_bytes += unsafe_row_bytes(&b);
        TRY(shuffle_write(w, &b, to, err));
    }
    return step == OP_FAIL ? err->code : ERR_OK;
}

/* What a map task sends to the driver: a byte of each reducer's size, up to as many as
 * spark.shuffle.minNumPartitionsToHighlyCompress; a bit of each beyond. */
static int64_t status_bytes(uint32_t reducers)
{
    return reducers <= 2000 ? reducers : (reducers + 7) / 8;
}

enum errc exchange_map_task(void *ctx, struct task *t, struct err *err)
{
    const struct input *in = ctx;
    const struct phys *child = in->child;
    struct partitioning part = in->node->partitioning;
    struct shuffle_writer *w = NULL;
    struct placer *placer;
    struct op *op;
    int64_t data_bytes = 0, begin_ns = op_now_ns();
    enum errc rc;

    TRY(op_open(&op, child, t, err));
    part.n = shuffle_n_reducers(in->shuffle);
    placer = placer_new(t, &part, &child->output, in->bounds);
    rc = shuffle_writer_open(&w, in->shuffle, (uint32_t)t->partition, t, err);
    if (rc == ERR_OK)
        rc = write_rows(in, op, placer, w, &data_bytes, err);
    placer_release(placer);
    task_durations(t, child, begin_ns);
    op_close(op); /* before the output is made: its memory is free for that */
    if (rc != ERR_OK) {
        shuffle_writer_abandon(w);
        return rc;
    }
    TRY(shuffle_writer_commit(w, err));
    count_output(in, t, data_bytes);
    t->metrics.result_bytes = status_bytes(part.n);
    return ERR_OK;
}
