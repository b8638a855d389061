/* What all operators have in common; see op.h. */
#include "engine/exec/op.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t op_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- metrics ---- */

int64_t *op_metric(struct op *op, const char *key)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(op->node, &n);

    for (uint32_t i = 0; i < n; i++)
        if (strcmp(defs[i].key, key) == 0)
            return &op->metrics[i];
    return &op->metrics[n]; /* counted nowhere */
}

void metric_sink_add(struct metric_sink *s, uint64_t id, int64_t value)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->ids[i] == id) {
            s->values[i] += value;
            return;
        }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->ids = xrealloc(s->ids, mem_product(s->cap, sizeof *s->ids));
        s->values = xrealloc(s->values, mem_product(s->cap, sizeof *s->values));
    }
    s->ids[s->n] = id;
    s->values[s->n++] = value;
}

void metric_sink_release(struct metric_sink *s)
{
    free(s->ids);
    free(s->values);
    *s = (struct metric_sink){ 0 };
}

static void report_metrics(struct op *op)
{
    uint32_t n;
    const struct metric_def *defs = phys_metrics(op->node, &n);

    if (!op->node->metrics || !op->metrics)
        return;
    for (uint32_t i = 0; i < n; i++) {
        int64_t value = op->metrics[i];

        if (defs[i].kind == METRIC_MS)
            value /= 1000000;
        /* Spark lists what was touched: times are, whatever they come to */
        if (value == 0 && (defs[i].on_driver ||
                           (defs[i].kind != METRIC_MS && defs[i].kind != METRIC_NS)))
            continue;
        metric_sink_add(&op->task->sink, op->node->metrics[i], value);
    }
}

/* ---- open, next, close ---- */

static enum op_step source_next(struct op *op, struct batch *out, struct err *err)
{
    const struct op_source *s = op->state;

    switch (s->next(s->ctx, out, err)) {
    case NEXT_ITEM:
        return OP_BATCH;
    case NEXT_END:
        return OP_END;
    case NEXT_FAIL:
        break;
    }
    return OP_FAIL;
}

static const struct op_class source_class = { .next = source_next, .own_children = true };

/* A stand-in for the child: its node is for looking at. */
static struct op *source_op(struct task *task, const struct phys *node,
                            const struct op_source *source)
{
    struct op *op = ARENA_NEW(&task->arena, struct op);

    op->cls = &source_class;
    op->node = node;
    op->task = task;
    op->n_columns = node->output.n;
    op->state = ARENA_NEW(&task->arena, struct op_source);
    *(struct op_source *)op->state = *source;
    return op;
}

static enum errc open_at(struct op **out, const struct phys *node, struct task *task,
                         uint32_t partition, const struct op_source *sources,
                         struct err *err)
{
    struct arena *a = &task->arena;
    const struct op_class *cls = op_class_of(node->kind);
    enum errc rc = ERR_OK;

    if (!cls)
        return err_set(err, ERR_USAGE, "%s does not run in a task",
                       phys_classes[node->kind].name);
    struct op *op = ARENA_NEW(a, struct op);
    op->over = sources != NULL;
    op->cls = cls;
    op->node = node;
    op->task = task;
    op->partition = partition;
    op->n_columns = node->output.n;
    op->n_children = node->n_children;
    op->children = arena_array(a, node->n_children + 1, sizeof(struct op *));
    op->metrics = arena_array(a, PHYS_MAX_METRICS + 1, sizeof(int64_t));
    op->rows = op_metric(op, "rows");
    op->state = arena_alloc(a, cls->state_size ? cls->state_size : 1);
    for (uint32_t i = 0; i < node->n_children && rc == ERR_OK; i++)
        if (sources)
            op->children[i] = source_op(task, node->children[i], &sources[i]);
        else if (!cls->own_children)
            rc = open_at(&op->children[i], node->children[i], task, partition, NULL, err);
    if (rc == ERR_OK && cls->open)
        rc = cls->open(op, err);
    if (rc != ERR_OK) {
        op_close(op);
        return rc;
    }
    *out = op;
    return ERR_OK;
}

enum errc op_open(struct op **out, const struct phys *node, struct task *task,
                  struct err *err)
{
    return open_at(out, node, task, (uint32_t)task->partition, NULL, err);
}

enum errc op_open_over(struct op **out, const struct phys *node, struct task *task,
                       const struct op_source *sources, struct err *err)
{
    return open_at(out, node, task, (uint32_t)task->partition, sources, err);
}

enum errc op_open_child(struct op *op, uint32_t child, uint32_t partition,
                        struct err *err)
{
    if (op->over)
        return ERR_OK;
    return open_at(&op->children[child], op->node->children[child], op->task, partition,
                   NULL, err);
}

void op_close_child(struct op *op, uint32_t child)
{
    op_close(op->children[child]);
    op->children[child] = NULL;
}

int64_t op_expect(const struct op *op)
{
    return op->cls->expect ? op->cls->expect(op) : -1;
}

enum op_step op_next(struct op *op, struct batch *out, struct err *err)
{
    const struct task *t = op->task;

    if (op->done)
        return OP_END;
    if (t->cancelled && atomic_load_explicit(t->cancelled, memory_order_relaxed)) {
        err_set(err, ERR_LIMIT, "cancelled");
        return OP_FAIL;
    }
    enum op_step step = op->cls->next(op, out, err);
    if (step == OP_END)
        op->done = true;
    else if (step == OP_BATCH && op->cls->counts_rows)
        *op->rows += out->n_sel;
    return step;
}

void op_close(struct op *op)
{
    if (!op)
        return;
    if (op->cls->close)
        op->cls->close(op);
    report_metrics(op);
    for (uint32_t i = 0; i < op->n_children; i++)
        op_close(op->children[i]);
}

/* ---- helpers ---- */

struct expr **op_bind(struct op *op, const struct exprs *list, const struct exprs *input)
{
    struct arena *a = &op->task->arena;
    struct expr **bound = arena_array(a, list->n + 1, sizeof *bound);

    for (uint32_t i = 0; i < list->n; i++)
        bound[i] = phys_bind(a, list->at[i], input);
    return bound;
}

struct eval *op_eval(struct op *op, struct expr *const *bound, uint32_t n)
{
    struct eval_env env = op->task->eval;

    env.partition_id = (int32_t)op->partition;
    return eval_new_list(&op->task->arena, bound, n, &env);
}

struct type *op_types(struct op *op, const struct exprs *list)
{
    struct type *types = arena_array(&op->task->arena, list->n + 1, sizeof *types);

    for (uint32_t i = 0; i < list->n; i++)
        types[i] = list->at[i]->type;
    return types;
}
