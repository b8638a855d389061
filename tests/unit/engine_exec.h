/* One operator over batches that the test makes. */
#ifndef TESTS_ENGINE_EXEC_H
#define TESTS_ENGINE_EXEC_H

#include "engine/exec/op.h"
#include "engine/expr/func.h"
#include "engine/run/query.h"
#include "engine/run/settings.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/engine_rows.h"

struct bench {
    struct arena a;
    struct settings *settings;
    struct memory *pool;
    struct task task;
    int64_t *values; /* metrics of the last operator, summed */
};

#define POOL_ALL (INT64_C(1) << 30)

/* A task with a pool of about that many bytes. */
static inline void bench_begin(struct bench *b, int64_t pool)
{
    *b = (struct bench){ 0 };
    b->settings = settings_new(&b->a);
    b->pool = memory_new((INT64_C(300) << 20) + pool * 10 / 6, 1, b->settings);
    b->task.settings = b->settings;
    b->task.eval.settings = b->settings;
    b->task.eval.zone = &zone_utc;
    b->task.temp_dir = "/tmp";
    task_memory_begin(&b->task.memory, b->pool);
}

static inline void bench_end(struct bench *b)
{
    assert_int_equal(b->task.memory.used_bytes, 0); /* operators gave all back */
    task_memory_end(&b->task.memory);
    assert_int_equal(memory_execution_used(b->pool), 0);
    memory_free(b->pool);
    metric_sink_release(&b->task.sink);
    arena_release(&b->task.arena);
    arena_release(&b->a);
}

/* ---- plans ---- */

static inline struct phys *new_node(struct arena *a, enum phys_kind kind, uint32_t n)
{
    struct phys *p = ARENA_NEW(a, struct phys);

    p->kind = kind;
    p->limit = -1;
    p->n_children = n;
    p->children = arena_array(a, n + 1, sizeof *p->children);
    return p;
}

static inline struct exprs list_of(struct arena *a, uint32_t n, ...)
{
    struct exprs list = { arena_array(a, n + 1, sizeof(void *)), n };
    va_list ap;

    va_start(ap, n);
    for (uint32_t i = 0; i < n; i++)
        list.at[i] = va_arg(ap, struct expr *);
    va_end(ap);
    return list;
}

/* A child to be fed: attributes first_id, first_id + 1 .. */
static inline struct phys *fed_node(struct arena *a, const struct type *types, uint32_t n,
                                    uint32_t first_id)
{
    struct phys *p = new_node(a, PHYS_LOCAL_SCAN, 0);

    p->output.at = arena_array(a, n + 1, sizeof(void *));
    p->output.n = n;
    for (uint32_t i = 0; i < n; i++)
        p->output.at[i] = expr_attribute(a, sv("c"), types[i], true, first_id + i);
    return p;
}

static inline struct expr *sort_by(struct arena *a, struct expr *e, bool descending,
                                   bool nulls_last)
{
    struct expr *o = expr_new(a, EXPR_SORT_ORDER, 1);

    o->args[0] = e;
    o->type = e->type;
    o->descending = descending;
    o->nulls_last = nulls_last;
    o->resolved = true;
    return o;
}

static inline struct expr *call2(struct bench *b, enum func_id id, struct expr *x,
                                 struct expr *y)
{
    struct expr *args[2] = { x, y }, *out = NULL;
    struct err err = { 0 };

    if (func_call(&b->a, b->settings, func_of(id), args, 2, &out, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return out;
}

static inline struct expr *agg_of(struct bench *b, const char *name, struct expr *arg,
                                  enum agg_mode mode, uint32_t id)
{
    struct expr *out = NULL;
    struct err err = { 0 };

    if (agg_call(&b->a, b->settings, agg_find(sv(name)), &arg, arg ? 1 : 0, false, NULL,
                 &out, &err) != ERR_OK)
        fail_msg("%s", err.text);
    out->mode = mode;
    out->id = id;
    return out;
}

/* ---- feeding ---- */

struct feed {
    const struct batch *batches;
    uint32_t n, at;
    bool fails; /* at the end */
};

static inline enum next feed_next(void *ctx, struct batch *out, struct err *err)
{
    struct feed *f = ctx;

    while (f->at < f->n) {
        *out = f->batches[f->at++];
        if (out->n_sel)
            return NEXT_ITEM;
    }
    if (f->fails) {
        err_set(err, ERR_CORRUPT, "the child failed");
        return NEXT_FAIL;
    }
    return NEXT_END;
}

static inline struct batch *make_batches(struct arena *a, const struct type *types,
                                         uint32_t n_types, uint32_t n, uint32_t rows,
                                         uint32_t domain, uint32_t nulls, bool forms)
{
    struct batch *b = arena_array(a, n + 1, sizeof *b);

    for (uint32_t i = 0; i < n; i++)
        b[i] = rnd_batch(a, types, n_types, rows ? 1 + rnd_below(rows) : 0, domain, nulls,
                         forms);
    return b;
}

static inline enum op_step drain(struct op *op, struct text_rows *out, struct err *err)
{
    struct batch b;
    enum op_step step;

    while ((step = op_next(op, &b, err)) == OP_BATCH) {
        assert_true(b.n_sel > 0 && b.n_sel <= b.n_rows && b.n_rows <= BATCH_ROWS);
        if (!b.sel)
            assert_int_equal(b.n_sel, b.n_rows);
        text_rows_batch(out, &b);
    }
    return step;
}

/* All rows of the node over its feeds. */
static inline void run_over(struct bench *b, const struct phys *node, struct feed *feeds,
                            struct text_rows *out)
{
    struct op_source sources[2] = {
        { feed_next, &feeds[0] }, { feed_next, node->n_children > 1 ? &feeds[1] : NULL }
    };
    struct err err = { 0 };
    struct op *op = NULL;

    for (uint32_t i = 0; i < node->n_children; i++)
        feeds[i].at = 0;
    if (op_open_over(&op, node, &b->task, sources, &err) != ERR_OK)
        fail_msg("open: %s", err.text);
    if (drain(op, out, &err) != OP_END)
        fail_msg("next: %s", err.text);
    assert_int_equal(op_next(op, &(struct batch){ 0 }, &err), OP_END);
    op_close(op);
}

static inline void assert_rows(struct text_rows *got, struct text_rows *want,
                               const char *what)
{
    text_rows_sort(got);
    text_rows_sort(want);
    for (size_t i = 0; i < got->n && i < want->n; i++)
        if (strcmp(got->at[i], want->at[i]) != 0)
            fail_msg("%s: row %zu is \"%s\", not \"%s\" (%zu rows, %zu wanted)", what, i,
                     got->at[i], want->at[i], got->n, want->n);
    if (got->n != want->n)
        fail_msg("%s: %zu rows, %zu wanted", what, got->n, want->n);
    text_rows_release(got);
    text_rows_release(want);
}

/* ---- what the rest of the engine gives when it is there ---- */

__attribute__((weak)) const struct broadcast *query_broadcast(const struct query_run *q,
                                                              const struct phys *node)
{
    (void)q;
    (void)node;
    return NULL;
}

__attribute__((weak)) const struct scan_partition *
query_scan(const struct query_run *q, const struct phys *scan, uint32_t p)
{
    (void)q;
    (void)scan;
    (void)p;
    return NULL;
}

__attribute__((weak)) const struct relation *
query_scan_relation(const struct query_run *q, const struct phys *scan)
{
    (void)q;
    return scan->relation;
}

__attribute__((weak)) uint32_t query_partitions(const struct query_run *q,
                                                const struct phys *node)
{
    (void)q;
    (void)node;
    return 1;
}

__attribute__((weak)) void query_coalesced(const struct query_run *q,
                                           const struct phys *node, uint32_t p,
                                           uint32_t *from, uint32_t *to)
{
    (void)q;
    (void)node;
    *from = p;
    *to = p + 1;
}

__attribute__((weak)) void query_slice(uint64_t n_rows, uint32_t n, uint32_t p,
                                       uint64_t *from, uint64_t *to)
{
    *from = n_rows * p / n;
    *to = n_rows * (p + 1) / n;
}

__attribute__((weak)) struct shuffle *query_shuffle(const struct query_run *q,
                                                    const struct phys *node)
{
    (void)q;
    (void)node;
    return NULL;
}

__attribute__((weak)) struct read_spec query_read_spec(const struct phys *leaf,
                                                       uint32_t p)
{
    (void)leaf;
    return (struct read_spec){ p, p + 1, 0, UINT32_MAX };
}

#endif
