/* BroadcastHashJoin, ShuffledHashJoin: a stream of rows against a hash relation.
 *
 * Where a stream row has at most one partner, or needs none put out, the stream's columns
 * pass through and the selection says which rows are left; the build side's columns are
 * gathered to the rows' own positions. Else pairs of a stream row and a build row are
 * gathered, a batch at a time, the condition looks at them, and for outer and semi joins
 * it is noted which rows had a partner. */
#include "engine/exec/hash_join.h"
#include "engine/exec/hash_relation.h"
#include "engine/run/query.h"

#include "base/mem.h"

#include <stdlib.h>

struct hash_join {
    struct join_sides sides;
    const struct hash_relation *relation;
    struct hash_relation *own; /* of a shuffled hash join */
    struct consumer consumer;
    struct hash_prober prober;
    struct eval *keys, *build_keys;
    struct vec *key_vecs;
    uint32_t n_keys;
    struct scratch build_out, pairs_out; /* build columns; stream columns of pairs */
    uint8_t *build_matched;              /* per row of the relation, where they matter */
    bool ready, stream_done;
    uint32_t unmatched_at;
    /* the stream's batch */
    struct batch batch;
    bool have;       /* there is one, with rows not dealt with */
    uint32_t i, cur; /* next pair: i-th row that counts, its build row */
    uint32_t head[BATCH_ROWS];
    uint8_t matched[BATCH_ROWS], exists[BATCH_ROWS];
    uint32_t sel[BATCH_ROWS], pick[BATCH_ROWS], ids[BATCH_ROWS];
    uint32_t pair[BATCH_ROWS]; /* i of each pair */
};

/* ---- open ---- */

static enum errc join_open(struct op *op, struct err *err)
{
    struct hash_join *h = op->state;
    struct join_sides *j = &h->sides;
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;

    join_sides_open(op, j, p->build_left);
    const struct exprs *keys = p->build_left ? &p->right_keys : &p->left_keys;
    const struct exprs *build = p->build_left ? &p->left_keys : &p->right_keys;
    h->n_keys = keys->n;
    h->keys = op_eval(op, op_bind(op, keys, &p->children[j->stream]->output), keys->n);
    h->build_keys =
        op_eval(op, op_bind(op, build, &p->children[j->build]->output), build->n);
    h->key_vecs = arena_array(a, keys->n + 1, sizeof *h->key_vecs);
    scratch_init(&h->build_out, a, j->build_types, j->n_build);
    scratch_init(&h->pairs_out, a, j->stream_types, j->n_stream);
    h->consumer.name = "hash join";
    consumer_add(&op->task->memory, &h->consumer);
    TRY(op_open_child(op, j->stream, op->partition, err));
    if (p->kind == PHYS_SHUFFLED_HASH_JOIN)
        TRY(op_open_child(op, j->build, op->partition, err));
    return ERR_OK;
}

/* ---- the build side ---- */

static enum errc add_build(struct hash_join *h, const struct batch *b, struct err *err)
{
    int64_t want = hash_relation_bytes_with(h->own, b);

    TRY(eval_run_list(h->build_keys, b, h->key_vecs, err));
    switch (memory_cover(&h->consumer, want, err)) {
    case MEMORY_FAILED:
        return err->code;
    case MEMORY_SHORT: {
        enum errc rc = memory_refused(want, h->consumer.used_bytes, err);

        err_prefix(err, "There is no enough memory to build hash map: ");
        return rc;
    }
    case MEMORY_GRANTED:
        break;
    }
    return hash_relation_add(h->own, b, h->key_vecs, err);
}

static enum errc build(struct op *op, struct err *err)
{
    struct hash_join *h = op->state;
    const struct join_sides *j = &h->sides;
    const struct phys *p = op->node;
    const struct exprs *keys = p->build_left ? &p->left_keys : &p->right_keys;
    struct op *child = op->children[j->build];
    int64_t from = op_now_ns();
    struct batch b;
    enum op_step step;

    h->own = hash_relation_new(j->build_types, j->n_build, op_types(op, keys), keys->n);
    while ((step = op_next(child, &b, err)) == OP_BATCH)
        TRY(add_build(h, &b, err));
    if (step == OP_FAIL)
        return err->code;
    hash_relation_finish(h->own);
    h->relation = h->own;
    *op_metric(op, "build_ms") = op_now_ns() - from;
    *op_metric(op, "build_bytes") = h->consumer.peak_bytes;
    op->task->metrics.peak_execution_bytes += h->consumer.peak_bytes;
    return ERR_OK;
}

static enum errc get_ready(struct op *op, struct err *err)
{
    struct hash_join *h = op->state;
    const struct join_sides *j = &h->sides;

    if (op->children[j->build]) {
        TRY(build(op, err));
    } else {
        const struct broadcast *b =
            query_broadcast(op->task->query, op->node->children[j->build]);

        if (!b || !b->hash)
            return err_set(err, ERR_OPEN, "the broadcast side of a join is not there");
        h->relation = b->hash;
    }
    hash_prober_init(&h->prober, &op->task->arena, h->relation);
    if (j->build_outer)
        h->build_matched = xcalloc(hash_relation_rows(h->relation)->n + 1, 1);
    h->ready = true;
    return ERR_OK;
}

/* ---- joined columns ---- */

static void pass_stream(struct hash_join *h)
{
    const struct join_sides *j = &h->sides;

    for (uint32_t c = 0; c < j->n_stream; c++)
        j->columns[j->stream_at + c] = h->batch.columns[c];
}

/* Build rows ids[] to positions `to` (or in a row); only what the condition needs, if
 * so asked. */
static void put_build(struct hash_join *h, const uint32_t *ids, uint32_t n,
                      const uint32_t *to, bool nulls, bool for_condition)
{
    const struct join_sides *j = &h->sides;

    for (uint32_t c = 0; c < j->n_build; c++) {
        if (for_condition && !j->build_used[c]) {
            j->columns[j->build_at + c] = j->nulls[j->build_at + c];
            continue;
        }
        struct vec *v = scratch_column(&h->build_out, c);

        if (!rows_gather(hash_relation_rows(h->relation), c, ids, n, to, nulls, v))
            v->valid = NULL;
        j->columns[j->build_at + c] = *v;
    }
}

static void put_stream(struct hash_join *h, const uint32_t *rows, uint32_t n,
                       bool for_condition)
{
    const struct join_sides *j = &h->sides;

    for (uint32_t c = 0; c < j->n_stream; c++) {
        if (for_condition && !j->stream_used[c]) {
            j->columns[j->stream_at + c] = j->nulls[j->stream_at + c];
            continue;
        }
        struct vec *v = scratch_column(&h->pairs_out, c);

        if (!vec_gather(&h->batch.columns[c], rows, n, false, v, 0))
            v->valid = NULL;
        j->columns[j->stream_at + c] = *v;
    }
}

static struct batch joined(const struct hash_join *h, uint32_t n)
{
    const struct join_sides *j = &h->sides;

    return (struct batch){ n, n, NULL, j->n_stream + j->n_build, j->columns };
}

/* ---- one partner at most ---- */

static void mark_build(struct hash_join *h, const uint32_t *ids, uint32_t n)
{
    if (h->build_matched)
        for (uint32_t i = 0; i < n; i++)
            h->build_matched[ids[i]] = 1;
}

/* Inner: rows with a partner; outer: all. False: none is left. */
static bool pass_unique(struct hash_join *h, uint32_t found, struct batch *out)
{
    const struct join_sides *j = &h->sides;
    const struct batch *b = &h->batch;
    uint32_t n = 0;

    *out = *b;
    out->n_columns = j->n_stream + j->n_build;
    out->columns = j->columns;
    pass_stream(h);
    if (found == b->n_sel) {
        put_build(h, h->head, found, b->sel, false, false);
        mark_build(h, h->head, found);
        return found > 0;
    }
    if (j->stream_outer) {
        put_build(h, h->head, b->n_sel, b->sel, true, false);
        for (uint32_t i = 0; h->build_matched && i < b->n_sel; i++)
            if (h->head[i] != ROWS_NONE)
                h->build_matched[h->head[i]] = 1;
        return true;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        h->sel[n] = batch_row(b, i);
        h->ids[n] = h->head[i];
        n += h->head[i] != ROWS_NONE;
    }
    put_build(h, h->ids, n, h->sel, false, false);
    mark_build(h, h->ids, n);
    out->sel = h->sel;
    out->n_sel = n;
    return n > 0;
}

/* ---- semi, anti, existence: by which rows are matched ---- */

static bool pass_matched(struct op *op, struct hash_join *h, struct batch *out)
{
    struct join_sides *j = &h->sides;
    const struct batch *b = &h->batch;
    uint32_t n = 0;

    *out = *b;
    pass_stream(h);
    out->columns = j->columns;
    out->n_columns = j->n_stream;
    if (j->type == JOIN_EXISTENCE) {
        join_exists_column(op, j, b, h->matched, h->exists);
        out->n_columns++;
        return true;
    }
    uint8_t want = j->type == JOIN_SEMI;
    for (uint32_t i = 0; i < b->n_sel; i++) {
        h->sel[n] = batch_row(b, i);
        n += h->matched[i] == want;
    }
    if (n < b->n_sel) {
        out->sel = h->sel;
        out->n_sel = n;
    }
    return n > 0;
}

/* NOT IN: a NULL on the build side is equal to nothing and unequal to nothing, so that no
 * row passes; a NULL of the stream passes only where there is nothing to compare with. */
static void match_null_aware(struct hash_join *h)
{
    const struct hash_relation *r = h->relation;
    uint32_t n = h->batch.n_sel;

    if (hash_relation_rows(r)->n == 0) {
        memset(h->matched, 0, n);
        return;
    }
    bool none = hash_relation_has_null_key(r);
    for (uint32_t i = 0; i < n; i++)
        h->matched[i] = none || h->head[i] != ROWS_NONE ||
                        vec_is_null(&h->key_vecs[0], batch_row(&h->batch, i));
}

/* ---- pairs ---- */

/* The next pairs, up to a batch of them. A row known to be matched needs no more where
 * only that counts. */
static uint32_t next_pairs(struct hash_join *h)
{
    uint32_t n = 0;
    bool once = h->sides.only_stream;

    while (n < BATCH_ROWS && h->i < h->batch.n_sel) {
        if (h->cur == ROWS_NONE || (once && h->matched[h->i])) {
            h->i++;
            h->cur = h->i < h->batch.n_sel ? h->head[h->i] : ROWS_NONE;
            continue;
        }
        h->pair[n] = h->i;
        h->pick[n] = batch_row(&h->batch, h->i);
        h->ids[n++] = h->cur;
        h->cur = hash_relation_next(h->relation, h->cur);
    }
    return n;
}

/* A batch of joined rows that passed the condition. False: no more pairs. */
static enum op_step join_pairs(struct hash_join *h, struct batch *out, struct err *err)
{
    const struct join_sides *j = &h->sides;
    uint32_t n;

    while ((n = next_pairs(h)) > 0) {
        put_stream(h, h->pick, n, j->only_stream);
        put_build(h, h->ids, n, NULL, false, j->only_stream);
        *out = joined(h, n);
        if (j->condition) {
            uint32_t left = 0;

            if (eval_filter(j->condition, out, h->sel, &left, err) != ERR_OK)
                return OP_FAIL;
            out->sel = left < n ? h->sel : NULL;
            out->n_sel = left;
        }
        for (uint32_t k = 0; k < out->n_sel; k++) {
            uint32_t row = batch_row(out, k);

            h->matched[h->pair[row]] = 1;
            if (h->build_matched)
                h->build_matched[h->ids[row]] = 1;
        }
        if (!j->only_stream && out->n_sel)
            return OP_BATCH;
    }
    return OP_END;
}

/* Stream rows of an outer join that found no partner. */
static bool lonely_stream(struct hash_join *h, struct batch *out)
{
    struct join_sides *j = &h->sides;
    const struct batch *b = &h->batch;
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        h->sel[n] = batch_row(b, i);
        n += !h->matched[i];
    }
    *out = *b;
    pass_stream(h);
    join_null_side(j, true);
    out->columns = j->columns;
    out->n_columns = j->n_stream + j->n_build;
    out->sel = h->sel;
    out->n_sel = n;
    return n > 0;
}

static bool lonely_build(struct hash_join *h, struct batch *out)
{
    uint32_t rows = hash_relation_rows(h->relation)->n, n = 0;

    for (; h->unmatched_at < rows && n < BATCH_ROWS; h->unmatched_at++)
        if (!h->build_matched[h->unmatched_at])
            h->ids[n++] = h->unmatched_at;
    if (n == 0)
        return false;
    put_build(h, h->ids, n, NULL, false, false);
    join_null_side(&h->sides, false);
    *out = joined(h, n);
    return true;
}

/* ---- next ---- */

/* Pulls a batch and deals with it where that needs no pairs. OP_BATCH with have set:
 * pairs are to be made; with have unset: out is an answer (maybe of no rows). */
static enum op_step take_batch(struct op *op, struct batch *out, struct err *err)
{
    struct hash_join *h = op->state;
    const struct join_sides *j = &h->sides;
    enum op_step step = op_next(op->children[j->stream], &h->batch, err);
    bool any;

    if (step != OP_BATCH)
        return step;
    if (eval_run_list(h->keys, &h->batch, h->key_vecs, err) != ERR_OK)
        return OP_FAIL;
    uint32_t n = h->batch.n_sel;
    uint32_t found = hash_probe(&h->prober, h->key_vecs, &h->batch, h->head);
    if (op->node->null_aware && j->type == JOIN_ANTI && !j->condition) {
        match_null_aware(h);
        any = pass_matched(op, h, out);
    } else if (j->only_stream && !j->condition) {
        for (uint32_t i = 0; i < n; i++)
            h->matched[i] = h->head[i] != ROWS_NONE;
        any = pass_matched(op, h, out);
    } else if (hash_relation_is_unique(h->relation) &&
               (!j->condition || j->type == JOIN_INNER)) {
        any = pass_unique(h, found, out);
        if (any && j->condition) {
            if (eval_filter(j->condition, out, h->pick, &n, err) != ERR_OK)
                return OP_FAIL;
            out->sel = h->pick;
            out->n_sel = n;
        }
    } else {
        memset(h->matched, 0, n);
        h->i = 0;
        h->cur = n ? h->head[0] : ROWS_NONE;
        h->have = true;
        return OP_BATCH;
    }
    if (!any)
        out->n_sel = 0;
    return OP_BATCH;
}

static enum op_step join_next(struct op *op, struct batch *out, struct err *err)
{
    struct hash_join *h = op->state;
    struct join_sides *j = &h->sides;

    if (!h->ready && get_ready(op, err) != ERR_OK)
        return OP_FAIL;
    while (!h->stream_done) {
        if (!h->have) {
            enum op_step step = take_batch(op, out, err);

            if (step == OP_FAIL)
                return step;
            h->stream_done = step == OP_END;
            if (h->stream_done || h->have || out->n_sel == 0)
                continue;
            return OP_BATCH;
        }
        enum op_step step = join_pairs(h, out, err);
        if (step != OP_END)
            return step;
        h->have = false;
        if (j->only_stream ? pass_matched(op, h, out)
                           : j->stream_outer && lonely_stream(h, out))
            return OP_BATCH;
    }
    return h->build_matched && lonely_build(h, out) ? OP_BATCH : OP_END;
}

static void join_close(struct op *op)
{
    struct hash_join *h = op->state;

    if (h->keys)
        eval_release(h->keys);
    if (h->build_keys)
        eval_release(h->build_keys);
    join_sides_close(&h->sides);
    hash_prober_release(&h->prober);
    hash_relation_free(h->own);
    free(h->build_matched);
    consumer_remove(&h->consumer);
}

#define JOIN_CLASS(name, k)                                                              \
    const struct op_class name = {                                                       \
        .kind = k,                                                                       \
        .state_size = sizeof(struct hash_join),                                          \
        .open = join_open,                                                               \
        .next = join_next,                                                               \
        .close = join_close,                                                             \
        .counts_rows = true,                                                             \
        .own_children = true,                                                            \
    }

JOIN_CLASS(op_broadcast_hash_join, PHYS_BROADCAST_HASH_JOIN);
JOIN_CLASS(op_shuffled_hash_join, PHYS_SHUFFLED_HASH_JOIN);
