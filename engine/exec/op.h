/* Operators: one file and one class each, pulled batch by batch.
 *
 * op_open builds the tree for one task from a stage's physical plan; op_next wraps the
 * class's next: it counts rows, so that no operator can forget or invent them, and looks
 * whether the task was cancelled. An operator frees files and consumers in close; memory
 * of its state is the task's arena. A batch that an operator puts out stays as it is
 * until it is called again.
 *
 * Metrics by key, as plan/phys_class.c has them; a key that a node lacks is counted
 * nowhere. Counted in tasks: rows; batches; scan_ms; spill_bytes, peak_bytes, build_ms,
 * sort_fallbacks, probes of aggregates; sort_ms, peak_bytes, spill_bytes of sorts;
 * build_ms, build_bytes of hash joins; and what is read of a shuffle for its exchange.
 * What ends in _ms is kept in ns here. */
#ifndef ENGINE_EXEC_OP_H
#define ENGINE_EXEC_OP_H

#include "engine/exec/unsafe_row.h"
#include "engine/run/task.h"

enum op_step { OP_BATCH, OP_END, OP_FAIL };

struct op;

struct op_class {
    enum phys_kind kind;
    size_t state_size;
    /* Children are open; NULL: nothing to prepare. */
    enum errc (*open)(struct op *op, struct err *err);
    enum op_step (*next)(struct op *op, struct batch *out, struct err *err);
    void (*close)(struct op *op); /* after failures too; NULL: the arena owns all of it */
    /* About how many rows will come, once open; NULL, or below 0: not known. */
    int64_t (*expect)(const struct op *op);
    bool counts_rows;  /* op_next adds the batch's rows to metric "rows", if the node has
                          one */
    bool own_children; /* opens them itself (op_open_child), or has none in this task */
};

struct op {
    const struct op_class *cls;
    const struct phys *node;
    struct task *task;
    struct op **children; /* NULL where not open */
    uint32_t n_children;
    void *state;
    int64_t *metrics;   /* by position in phys_classes[node->kind].metrics */
    int64_t *rows;      /* of them, "rows" */
    uint32_t partition; /* of this node's: of the task's, or the share of it a union or a
                           coalesce gives its child */
    uint32_t n_columns; /* of node->output */
    bool done;
    bool over; /* opened over sources */
};

/* Rows from elsewhere in a child's place. */
struct op_source {
    enum next (*next)(void *ctx, struct batch *out, struct err *err);
    void *ctx;
};

/* ERR_LIMIT out of memory, ERR_OPEN and ERR_CORRUPT for files, ERR_SYNTAX for SQL errors
 * at run time. */
enum errc op_open(struct op **out, const struct phys *node, struct task *task,
                  struct err *err) MUST_CHECK;
/* This one node over a source for each child: the last step of TakeOrderedAndProject,
 * which merges what tasks put out (opened otherwise it is a task's share: the best rows
 * in order, with the child's columns). */
enum errc op_open_over(struct op **out, const struct phys *node, struct task *task,
                       const struct op_source *sources, struct err *err) MUST_CHECK;
enum op_step op_next(struct op *op, struct batch *out, struct err *err);
int64_t op_expect(const struct op *op); /* about how many rows come; -1: not known */
void op_close(struct op *op); /* adds the metrics to the task's sink; children too */
/* The metric by our key ("rows", "spill_bytes"); a dummy where the node has none. */
int64_t *op_metric(struct op *op, const char *key);
/* The one list, exec/list.c; NULL: the node does not run in tasks. */
const struct op_class *op_class_of(enum phys_kind kind);
void metric_sink_add(struct metric_sink *s, uint64_t id, int64_t value);
void metric_sink_release(struct metric_sink *s);

/* ---- for operators ---- */

enum errc op_open_child(struct op *op, uint32_t child, uint32_t partition,
                        struct err *err) MUST_CHECK;
void op_close_child(struct op *op, uint32_t child);
/* Expressions of the node over what a child puts out (or over any list). */
struct expr **op_bind(struct op *op, const struct exprs *list, const struct exprs *input);
struct eval *op_eval(struct op *op, struct expr *const *bound, uint32_t n);
struct type *op_types(struct op *op, const struct exprs *list);
int64_t op_now_ns(void);

#endif
