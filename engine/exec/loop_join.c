/* BroadcastNestedLoopJoin, CartesianProduct: every row with every row.
 *
 * Nothing is copied: of one side a batch, of the other a single row as constants. Which
 * of the sides gives the single row depends on which makes fewer batches. */
#include "engine/exec/hash_join.h"
#include "engine/run/query.h"

#include "base/mem.h"

#include <stdlib.h>

struct loop_join {
    struct join_sides sides;
    const struct rows *rows;
    struct rows own;
    struct consumer consumer;
    uint8_t *build_matched;
    struct vec *singles; /* constants of a single row */
    bool ready, have, by_stream, stream_done;
    struct batch batch;
    uint32_t i, at; /* row of the stream that counts; row of the build side */
    uint32_t unmatched_at;
    uint8_t matched[BATCH_ROWS], exists[BATCH_ROWS];
    uint32_t sel[BATCH_ROWS];
};

static enum errc loop_open(struct op *op, struct err *err)
{
    struct loop_join *l = op->state;
    const struct phys *p = op->node;
    bool cartesian = p->kind == PHYS_CARTESIAN;
    uint32_t left = op->partition, right = op->partition;

    join_sides_open(op, &l->sides, !cartesian && p->build_left);
    l->singles = arena_array(&op->task->arena, l->sides.n_stream + l->sides.n_build + 1,
                             sizeof(struct vec));
    l->consumer.name = "nested loop join";
    consumer_add(&op->task->memory, &l->consumer);
    if (cartesian && !op->over) {
        uint32_t n = query_partitions(op->task->query, p->children[1]);

        left = op->partition / (n ? n : 1);
        right = op->partition % (n ? n : 1);
        TRY(op_open_child(op, 1, right, err));
    }
    return op_open_child(op, l->sides.stream, left, err);
}

static enum errc to_file(struct op *op, struct err *err)
{
    struct loop_join *l = op->state;
    int64_t held = l->consumer.used_bytes;
    struct rows old = { 0 };

    TRY(rows_to_file(&l->own, op->task, &old, err));
    rows_release(&old);
    op->task->memory.spilled_memory_bytes += held;
    memory_release(&l->consumer, held);
    return ERR_OK;
}

/* Rows of a cartesian product beyond memory go to a mapped file, as Spark's go to disk;
 * those of a nested loop were broadcast, and fit. */
static enum errc collect_batch(struct op *op, const struct batch *b, struct err *err)
{
    struct loop_join *l = op->state;

    if ((uint64_t)l->own.n + b->n_sel >= ROWS_NONE)
        return err_set(err, ERR_LIMIT, "too many rows in one part of a join");
    if (!l->own.file)
        switch (memory_cover(&l->consumer, rows_bytes_with(&l->own, b), err)) {
        case MEMORY_FAILED:
            return err->code;
        case MEMORY_SHORT:
            TRY(to_file(op, err));
            break;
        case MEMORY_GRANTED:
            break;
        }
    if (l->own.file)
        TRY(rows_file_room(&l->own, b, err));
    rows_append(&l->own, b);
    return ERR_OK;
}

static enum errc collect(struct op *op, struct err *err)
{
    struct loop_join *l = op->state;
    struct batch b;
    enum op_step step;

    rows_init(&l->own, l->sides.build_types, l->sides.n_build);
    while ((step = op_next(op->children[l->sides.build], &b, err)) == OP_BATCH) {
        TRY(collect_batch(op, &b, err));
    }
    l->rows = &l->own;
    return step == OP_FAIL ? err->code : ERR_OK;
}

static enum errc get_ready(struct op *op, struct err *err)
{
    struct loop_join *l = op->state;

    if (op->children[l->sides.build]) {
        TRY(collect(op, err));
    } else {
        const struct broadcast *b =
            query_broadcast(op->task->query, op->node->children[l->sides.build]);

        if (!b || !b->rows)
            return err_set(err, ERR_OPEN, "the broadcast side of a join is not there");
        l->rows = b->rows;
    }
    if (l->sides.build_outer || l->sides.only_build)
        l->build_matched = xcalloc(l->rows->n + 1, 1);
    l->ready = true;
    return ERR_OK;
}

/* The columns of one row as constants. */
static void single(const struct vec *from, uint32_t row, struct vec *to, uint32_t n)
{
    static uint8_t null;

    for (uint32_t c = 0; c < n; c++) {
        to[c] = (struct vec){ .type = from[c].type, .kind = VEC_CONST };
        to[c].data = (void *)(uintptr_t)vec_at(&from[c], row);
        if (vec_is_null(&from[c], row)) {
            to[c].valid = &null;
            to[c].data = from[c].kind == VEC_DICT ? from[c].dict->data : from[c].data;
        }
    }
}

/* The stream's batch with build row `at`. */
static void with_build_row(struct loop_join *l, struct batch *out)
{
    struct join_sides *j = &l->sides;
    struct vec view[j->n_build + 1];

    rows_view(l->rows, l->at, 1, view);
    single(view, 0, j->columns + j->build_at, j->n_build);
    for (uint32_t c = 0; c < j->n_stream; c++)
        j->columns[j->stream_at + c] = l->batch.columns[c];
    *out = l->batch;
    out->columns = j->columns;
    out->n_columns = j->n_stream + j->n_build;
}

/* Build rows from `at` with the stream's i-th row. */
static void with_stream_row(struct loop_join *l, struct batch *out)
{
    struct join_sides *j = &l->sides;
    uint32_t left = l->rows->n - l->at, n = left < BATCH_ROWS ? left : BATCH_ROWS;

    rows_view(l->rows, l->at, n, j->columns + j->build_at);
    single(l->batch.columns, batch_row(&l->batch, l->i), j->columns + j->stream_at,
           j->n_stream);
    *out = (struct batch){ n, n, NULL, j->n_stream + j->n_build, j->columns };
}

static enum errc look(struct loop_join *l, struct batch *out, struct err *err)
{
    uint32_t n = 0;

    if (!l->sides.condition)
        return ERR_OK;
    TRY(eval_filter(l->sides.condition, out, l->sel, &n, err));
    if (n < out->n_sel) {
        out->sel = l->sel;
        out->n_sel = n;
    }
    return ERR_OK;
}

static void note_matches(struct loop_join *l, const struct batch *out)
{
    if (l->by_stream) {
        l->matched[l->i] |= out->n_sel > 0;
        for (uint32_t k = 0; l->build_matched && k < out->n_sel; k++)
            l->build_matched[l->at + batch_row(out, k)] = 1;
        return;
    }
    if (out->n_sel && l->build_matched)
        l->build_matched[l->at] = 1;
    if (!l->sides.stream_outer && !l->sides.only_stream)
        return;
    for (uint32_t i = 0, k = 0; i < l->batch.n_sel && k < out->n_sel; i++)
        if (batch_row(&l->batch, i) == batch_row(out, k)) {
            l->matched[i] = 1;
            k++;
        }
}

/* Steps on; false: all rows of the batch were with all rows. */
static bool more(const struct loop_join *l)
{
    if (l->rows->n == 0)
        return false;
    return l->by_stream ? l->i < l->batch.n_sel : l->at < l->rows->n;
}

static void step_on(struct loop_join *l)
{
    if (!l->by_stream) {
        l->at++;
        return;
    }
    l->at += BATCH_ROWS;
    if (l->at >= l->rows->n ||
        (l->sides.only_stream && !l->build_matched && l->matched[l->i])) {
        l->at = 0;
        l->i++;
    }
}

static enum op_step combine(struct loop_join *l, struct batch *out, struct err *err)
{
    while (more(l)) {
        if (l->by_stream)
            with_stream_row(l, out);
        else
            with_build_row(l, out);
        if (look(l, out, err) != ERR_OK)
            return OP_FAIL;
        note_matches(l, out);
        step_on(l);
        if (out->n_sel && !l->sides.only_stream && !l->sides.only_build)
            return OP_BATCH;
    }
    return OP_END;
}

/* What is put out of the stream's batch by whether its rows matched. */
static bool by_match(struct op *op, struct loop_join *l, struct batch *out)
{
    struct join_sides *j = &l->sides;
    const struct batch *b = &l->batch;
    uint8_t want = j->type == JOIN_SEMI;
    uint32_t n = 0;

    for (uint32_t c = 0; c < j->n_stream; c++)
        j->columns[j->stream_at + c] = b->columns[c];
    *out = *b;
    out->columns = j->columns;
    out->n_columns = j->n_stream;
    if (j->type == JOIN_EXISTENCE) {
        join_exists_column(op, j, b, l->matched, l->exists);
        out->n_columns++;
        return true;
    }
    if (j->stream_outer) {
        join_null_side(j, true);
        out->n_columns += j->n_build;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        l->sel[n] = batch_row(b, i);
        n += l->matched[i] == want;
    }
    out->sel = l->sel;
    out->n_sel = n;
    return n > 0;
}

static bool lonely_build(struct loop_join *l, struct batch *out)
{
    struct join_sides *j = &l->sides;

    while (l->unmatched_at < l->rows->n) {
        uint32_t from = l->unmatched_at, left = l->rows->n - from, n = 0;
        uint32_t rows = left < BATCH_ROWS ? left : BATCH_ROWS;

        l->unmatched_at += rows;
        for (uint32_t i = 0; i < rows; i++) {
            l->sel[n] = i;
            n += !l->build_matched[from + i];
        }
        if (n == 0)
            continue;
        rows_view(l->rows, from, rows, j->columns + j->build_at);
        join_null_side(j, false);
        *out = (struct batch){ rows, n, l->sel, j->n_stream + j->n_build, j->columns };
        return true;
    }
    return false;
}

/* The build side by whether its rows matched, once all of the stream has passed. */
static bool build_by_match(struct loop_join *l, struct batch *out)
{
    struct join_sides *j = &l->sides;
    bool all = j->type == JOIN_EXISTENCE;
    uint8_t want = j->type == JOIN_SEMI;

    while (l->unmatched_at < l->rows->n) {
        uint32_t from = l->unmatched_at, left = l->rows->n - from, n = 0;
        uint32_t rows = left < BATCH_ROWS ? left : BATCH_ROWS;

        l->unmatched_at += rows;
        for (uint32_t i = 0; i < rows; i++) {
            l->sel[n] = i;
            n += all || l->build_matched[from + i] == want;
        }
        if (n == 0)
            continue;
        rows_view(l->rows, from, rows, j->columns);
        if (all)
            j->columns[j->n_build] = (struct vec){ .type = type_of(TYPE_BOOLEAN),
                                                   .data = l->build_matched + from };
        *out = (struct batch){ rows, n, l->sel, j->n_build + all, j->columns };
        return true;
    }
    return false;
}

static enum op_step loop_next(struct op *op, struct batch *out, struct err *err)
{
    struct loop_join *l = op->state;
    struct join_sides *j = &l->sides;

    if (!l->ready && get_ready(op, err) != ERR_OK)
        return OP_FAIL;
    while (!l->stream_done) {
        if (!l->have) {
            enum op_step step = op_next(op->children[j->stream], &l->batch, err);

            if (step == OP_FAIL)
                return step;
            l->stream_done = step == OP_END;
            l->have = step == OP_BATCH;
            if (!l->have)
                continue;
            memset(l->matched, 0, l->batch.n_sel);
            l->i = l->at = 0;
            l->by_stream =
                (uint64_t)l->batch.n_sel * ((l->rows->n + BATCH_ROWS - 1) / BATCH_ROWS) <
                l->rows->n;
        }
        enum op_step step = combine(l, out, err);
        if (step != OP_END)
            return step;
        l->have = false;
        if ((j->only_stream || j->stream_outer) && by_match(op, l, out))
            return OP_BATCH;
    }
    if (j->only_build)
        return build_by_match(l, out) ? OP_BATCH : OP_END;
    return l->build_matched && lonely_build(l, out) ? OP_BATCH : OP_END;
}

static void loop_close(struct op *op)
{
    struct loop_join *l = op->state;

    join_sides_close(&l->sides);
    rows_release(&l->own);
    free(l->build_matched);
    op->task->metrics.peak_execution_bytes += l->consumer.peak_bytes;
    consumer_remove(&l->consumer);
}

#define LOOP_CLASS(name, k)                                                              \
    const struct op_class name = {                                                       \
        .kind = k,                                                                       \
        .state_size = sizeof(struct loop_join),                                          \
        .open = loop_open,                                                               \
        .next = loop_next,                                                               \
        .close = loop_close,                                                             \
        .counts_rows = true,                                                             \
        .own_children = true,                                                            \
    }

LOOP_CLASS(op_nested_loop_join, PHYS_BROADCAST_NL_JOIN);
LOOP_CLASS(op_cartesian, PHYS_CARTESIAN);
