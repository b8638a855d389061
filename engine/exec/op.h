/* Operators: one file and one class each, pulled batch by batch.
 *
 * op_open builds the tree for one task from a stage's physical plan; op_next wraps the
 * class's next: it counts rows and time, so that no operator can forget or invent them,
 * and looks whether the task was cancelled. An operator frees files and consumers in
 * close; memory of its state is the task's arena. A batch that an operator puts out stays
 * as it is until it is called again. */
#ifndef ENGINE_EXEC_OP_H
#define ENGINE_EXEC_OP_H

#include "engine/run/task.h"

enum op_step { OP_BATCH, OP_END, OP_FAIL };

struct op;

struct op_class {
    enum phys_kind kind;
    size_t state_size;
    enum errc (*open)(struct op *op,
                      struct err *err); /* children are open; NULL: nothing to prepare */
    enum op_step (*next)(struct op *op, struct batch *out, struct err *err);
    void (*close)(struct op *op); /* after failures too; NULL: the arena owns all of it */
    bool counts_rows; /* op_next adds the batch's rows to metric "rows", if the node has
                         one */
};

struct op {
    const struct op_class *cls;
    const struct phys *node;
    struct task *task;
    struct op **children;
    uint32_t n_children;
    void *state;
    int64_t *metrics;   /* by position in phys_classes[node->kind].metrics; ms and ns kept
                           in ns until the end */
    uint32_t n_columns; /* of node->output */
    bool done;
};

/* ERR_LIMIT out of memory, ERR_OPEN and ERR_CORRUPT for files, ERR_SYNTAX for SQL errors
 * at run time. */
enum errc op_open(struct op **out, const struct phys *node, struct task *task,
                  struct err *err) MUST_CHECK;
enum op_step op_next(struct op *op, struct batch *out, struct err *err);
void op_close(struct op *op); /* adds the metrics to the task's sink; children too */
/* The metric by our key ("rows", "spill_bytes"); a dummy where the node has none. */
int64_t *op_metric(struct op *op, const char *key);
const struct op_class *op_class_of(enum phys_kind kind); /* the one list: exec/list.c */

/* Bytes these rows would have as Spark's UnsafeRows (8 per 64 columns of null bits, 8 a
 * column, text and wide decimals padded to 8): the metric "data size" and AQE's measure.
 */
int64_t unsafe_row_bytes(const struct batch *b);

#endif
