/* What losing one executor would cost, and which writes would not survive a retry:
 * the run as it was, asked what it stood to lose. Definitions: docs/method.md, section 8.
 */
#ifndef RULES_LOSS_H
#define RULES_LOSS_H

#include "rules/rule.h"

/* While a stage runs it needs the map output of the stages it reads, and those of them
 * that are lost are made again from what they read, and so on down to files and
 * replicated data. Tasks of the stages needed that ran on the executor are done again on
 * the slots that are left, one stage after another, and what the executor was running
 * starts over. */
struct stage_loss {
    int64_t wall_ms, task_ms; /* of the executor whose loss costs most while it runs */
    int64_t tasks;            /* to run again */
    uint32_t stages;          /* that they are of, beside itself */
    uint32_t executor_ix;     /* IX_NONE: nothing to lose */
};

enum loss_known {
    LOSS_NOT_TOLD, /* no task of an executor is in the log */
    LOSS_LOCAL,    /* one process: losing it is losing the run */
    LOSS_KNOWN
};

struct loss {
    enum loss_known known;
    struct stage_loss *stages; /* per stage attempt */
    uint32_t worst_ix;         /* stage attempt; IX_NONE: nothing would be lost */
    int64_t mean_ms; /* over the time that stages run, and the executors that worked in
                        each */
    const char
        *keeper; /* setting by which shuffle files outlive an executor; NULL: none */
    bool decommissions; /* executors that are asked to leave hand on their blocks */
    bool bounded; /* lineage was longer than is followed: the cost is at least that */
};

void loss_build(struct loss *out, const struct analysis *a, struct arena *arena);

/* A write that a retried task, a speculative copy or a second run can leave wrong. */
enum write_trouble {
    WRITE_APPEND = 1,       /* a second run doubles the rows */
    WRITE_COMMIT_2 = 2,     /* tasks publish before the job does */
    WRITE_ITSELF = 4,       /* it replaces what the same query reads */
    WRITE_DIRECT = 8,       /* rows go out as they come (JDBC): no commit */
    WRITE_SPECULATION = 16, /* and copies of tasks may run: spark.speculation */
    WRITE_SEVERAL = 32      /* one of several outputs of its job or application: a failure
                               after the first leaves them apart */
};

struct unsafe_write {
    const struct sql *q;
    const struct plan_node *node;
    unsigned trouble;     /* enum write_trouble, or'd; never 0 */
    int64_t bad_attempts; /* failed or killed, in stages of it that write */
    uint32_t stage_ix;    /* with most of them; IX_NONE: none */
};

struct writes {
    struct unsafe_write *items; /* by execution */
    size_t n, cap;
    size_t all; /* writes of the application, safe ones too */
};

void writes_find(struct writes *out, const struct app *app, struct arena *arena);
/* "a second run appends its rows again; ...": the troubles in words. */
const char *write_words(unsigned trouble, struct arena *arena);

#endif
