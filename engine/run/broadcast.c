/* Broadcasts: a job collects the side's rows, the driver makes a relation of them, every
 * executor's storage memory is charged with it. */
#include "engine/run/broadcast.h"

#include "engine/exec/hash_relation.h"
#include "engine/exec/unsafe_row.h"
#include "engine/expr/eval.h"
#include "engine/run/query_run.h"

#include <stdlib.h>

/* Spark's limits of a broadcast table. */
#define MOST_ROWS INT64_C(512000000)
#define MOST_BYTES (INT64_C(8) << 30)

static struct type *types_of(struct arena *a, const struct exprs *list)
{
    struct type *types = arena_array(a, list->n + 1, sizeof *types);

    for (uint32_t i = 0; i < list->n; i++)
        types[i] = list->at[i]->type;
    return types;
}

static enum errc build_hash(struct query_run *q, const struct phys *node,
                            const struct batch *batches, uint32_t n,
                            struct broadcast *out, struct arena *a, struct err *err)
{
    const struct exprs *columns = &node->children[0]->output;
    struct exprs keys = exprs_new(a, node->keys.n);
    struct vec *values = arena_array(a, keys.n + 1, sizeof *values);
    struct hash_relation *r;
    struct eval *eval;
    enum errc rc = ERR_OK;

    for (uint32_t i = 0; i < keys.n; i++)
        keys.at[i] = phys_bind(a, node->keys.at[i], columns);
    r = hash_relation_new(types_of(a, columns), columns->n, types_of(a, &keys), keys.n);
    eval = eval_new_list(a, keys.at, keys.n, &q->eval);
    for (uint32_t i = 0; i < n && rc == ERR_OK; i++) {
        rc = eval_run_list(eval, &batches[i], values, err);
        if (rc == ERR_OK)
            rc = hash_relation_add(r, &batches[i], values, err);
    }
    eval_release(eval);
    if (rc != ERR_OK) {
        hash_relation_free(r);
        return rc;
    }
    hash_relation_finish(r);
    out->hash = r;
    out->rows = (struct rows *)(uintptr_t)hash_relation_rows(r);
    out->has_null_key = hash_relation_has_null_key(r);
    out->data_bytes = hash_relation_spark_bytes(r, memory_page_bytes(q->driver_memory));
    return ERR_OK;
}

static void build_rows(struct query_run *q, const struct phys *node,
                       const struct batch *batches, uint32_t n, struct broadcast *out,
                       struct arena *a)
{
    const struct exprs *columns = &node->children[0]->output;

    out->rows = query_alloc(q, sizeof *out->rows);
    rows_init(out->rows, types_of(a, columns), columns->n);
    for (uint32_t i = 0; i < n; i++) {
        rows_append(out->rows, &batches[i]);
        out->data_bytes += unsafe_row_bytes(&batches[i]);
    }
}

static enum errc build(struct query_run *q, const struct phys *node, struct collected *c,
                       struct broadcast *out, struct err *err)
{
    struct arena a = { 0 };
    struct batch *batches;
    uint32_t n;
    enum errc rc = ERR_OK;

    out->rows_n = c->rows;
    out->empty = c->rows == 0;
    if (out->rows_n >= MOST_ROWS)
        rc = err_set(err, ERR_LIMIT,
                     "Cannot broadcast the table over 512000000 rows: %lld rows",
                     (long long)out->rows_n);
    if (rc == ERR_OK)
        rc = collected_batches(c, &a, &batches, &n, err);
    if (rc == ERR_OK && node->keys.n)
        rc = build_hash(q, node, batches, n, out, &a, err);
    else if (rc == ERR_OK)
        build_rows(q, node, batches, n, out, &a);
    arena_release(&a);
    if (rc == ERR_OK && out->data_bytes >= MOST_BYTES)
        rc = err_set(err, ERR_LIMIT,
                     "Cannot broadcast the table that is larger than 8.0 GiB: %lld bytes",
                     (long long)out->data_bytes);
    return rc;
}

void broadcast_free(struct broadcast *b)
{
    if (!b)
        return;
    if (b->hash)
        hash_relation_free(b->hash);
    else if (b->rows)
        rows_release(b->rows);
}

enum errc drive_broadcast(struct query_run *q, struct phys *node, struct err *err)
{
    static const char *const keys[] = { "data_bytes", "rows", "collect_ms", "build_ms",
                                        "broadcast_ms" };
    struct input *in = query_input_make(q, node);
    struct phys *child = node->children[0];
    struct collected c = { 0 };
    int64_t begin_ms = scheduler_now_ms(q->scheduler), built_ms;
    struct broadcast *b;
    enum errc rc;

    if (in->broadcast)
        return ERR_OK;
    TRY(drive_ready(q, child, false, &child, err));
    c.columns = &child->output;
    rc = collect_run(q, child, 0, query_partitions(q, child), &c, err);
    built_ms = scheduler_now_ms(q->scheduler);
    b = query_alloc(q, sizeof *b);
    if (rc == ERR_OK)
        rc = build(q, node, &c, b, err);
    collected_release(&c);
    if (rc != ERR_OK) {
        broadcast_free(b);
        return rc;
    }
    int64_t values[] = { b->data_bytes, b->rows_n, built_ms - begin_ms,
                         scheduler_now_ms(q->scheduler) - built_ms, 0 };

    /* Spark keeps what does not fit on disk: nothing fails for want of storage memory */
    if (scheduler_hold_storage(q->scheduler, b->data_bytes))
        in->held_bytes = b->data_bytes;
    driver_count(q, node, ARRAY_LEN(keys), keys, values);
    in->broadcast = b;
    in->done = true;
    return ERR_OK;
}
