/* Results of tasks on the driver: batches as bytes, by partition, opened in order. */
#include "engine/exec/op.h"
#include "engine/run/query_run.h"

#include "base/mem.h"

#include <stdlib.h>

struct collecting {
    struct collected *out;
    uint32_t first; /* part of partition `from` */
    uint32_t from;
    _Atomic int64_t bytes;
    int64_t most_bytes; /* spark.driver.maxResultSize; 0: no limit */
};

static enum errc take_rows(struct collecting *c, struct op *op, struct strbuf *part,
                           struct err *err)
{
    struct batch b;
    enum op_step step;
    int64_t rows = 0;

    while ((step = op_next(op, &b, err)) == OP_BATCH) {
        if (b.n_sel == 0)
            continue;
        batch_encode(part, &b);
        rows += b.n_sel;
    }
    c->out->rows += step == OP_FAIL ? 0 : rows;
    return step == OP_FAIL ? err->code : ERR_OK;
}

static enum errc collect_task(void *ctx, struct task *t, struct err *err)
{
    struct collecting *c = ctx;
    struct strbuf *part = &c->out->parts[c->first + (uint32_t)t->partition - c->from];
    int64_t begin_ns = op_now_ns();
    struct op *op;
    enum errc rc;

    strbuf_reset(part); /* of a failed attempt */
    TRY(op_open(&op, c->out->root, t, err));
    rc = take_rows(c, op, part, err);
    task_durations(t, c->out->root, begin_ns);
    op_close(op);
    t->metrics.result_bytes = (int64_t)part->len;
    c->bytes += (int64_t)part->len;
    if (rc == ERR_OK && c->most_bytes && c->bytes > c->most_bytes)
        rc = err_set(err, ERR_LIMIT,
                     "Total size of serialized results is bigger than "
                     "spark.driver.maxResultSize (%lld bytes)",
                     (long long)c->most_bytes);
    return rc;
}

enum errc collect_run(struct query_run *q, const struct phys *root, uint32_t from,
                      uint32_t to, struct collected *out, struct err *err)
{
    struct collecting c = { .out = out, .first = out->n, .from = from };
    uint32_t n = to - from;
    uint32_t *partitions = xcalloc(n + 1, sizeof *partitions);
    enum errc rc;

    out->root = root;
    out->parts = xrealloc(out->parts, (out->n + n + 1) * sizeof *out->parts);
    memset(out->parts + out->n, 0, n * sizeof *out->parts);
    out->n += n;
    for (uint32_t i = 0; i < n; i++)
        partitions[i] = from + i;
    c.most_bytes = settings_int(q->settings, SET_MAX_RESULT_SIZE);
    rc = drive_job(q, root, NULL, partitions, n, collect_task, &c, err);
    free(partitions);
    return rc;
}

int64_t collected_bytes(const struct collected *c)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < c->n; i++)
        bytes += (int64_t)c->parts[i].len;
    return bytes;
}

static enum errc open_part(struct strbuf *part, struct arena *a, const struct type *types,
                           uint32_t n_columns, struct batch **all, uint32_t *n,
                           uint32_t *cap, struct err *err)
{
    char *bytes = arena_alloc(a, part->len + 8); /* batches point into it */
    struct sv left = { bytes, part->len };

    if (part->len)
        memcpy(bytes, part->p, part->len);
    strbuf_release(part);
    while (left.len) {
        size_t used;

        GROW(*all, *n, *cap);
        TRY(batch_decode(a, left, types, n_columns, &(*all)[*n], &used, err));
        ++*n;
        left = sv_from(left, used);
    }
    return ERR_OK;
}

enum errc collected_batches(struct collected *c, struct arena *a, struct batch **out,
                            uint32_t *n, struct err *err)
{
    const struct exprs *columns = c->columns ? c->columns : &c->root->output;
    struct type *types = arena_array(a, columns->n + 1, sizeof *types);
    struct batch *all = NULL;
    uint32_t cap = 0;
    enum errc rc = ERR_OK;

    *n = 0;
    for (uint32_t i = 0; i < columns->n; i++)
        types[i] = columns->at[i]->type;
    for (uint32_t i = 0; i < c->n && rc == ERR_OK; i++)
        rc = open_part(&c->parts[i], a, types, columns->n, &all, n, &cap, err);
    *out = arena_array(a, *n + 1, sizeof **out);
    if (*n)
        memcpy(*out, all, *n * sizeof **out);
    free(all);
    return rc;
}

void collected_release(struct collected *c)
{
    for (uint32_t i = 0; i < c->n; i++)
        strbuf_release(&c->parts[i]);
    free(c->parts);
    *c = (struct collected){ 0 };
}
