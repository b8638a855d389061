/* What the tasks of a stage look like: true medians, the slowest task that is not
 * excused, and how much more data than its like that task had.
 *
 * Computed once for all rules. Of successful tasks only. */
#ifndef RULES_SHAPE_H
#define RULES_SHAPE_H

#include "rules/rule.h"

/* The kinds of data a task can have had more of than others. */
enum data_kind {
    DATA_NONE,
    DATA_SHUFFLE_BYTES,
    DATA_SHUFFLE_ROWS,
    DATA_INPUT_BYTES,
    DATA_INPUT_ROWS
};
#define DATA_KINDS (DATA_INPUT_ROWS + 1)

struct shape {
    uint32_t n;                   /* successful tasks; 0: nothing below is set */
    double median_ms;             /* mean of the middle two where n is even */
    int64_t p75_ms, max_ms;       /* task durations, cold ones included */
    int64_t total_ms;             /* sum of durations */
    int64_t launch_ms, finish_ms; /* first launch and last finish: the stage at work */

    /* Below: only where `detailed`, that is where the slowest task takes a second and
     * twice the median. Others are even, or too short to matter. */
    bool detailed;
    uint32_t max_row;  /* the slowest task */
    uint32_t warm_row; /* the slowest among those that did not start on a cold executor;
                        * IX_NONE: all were cold */
    int64_t warm_max_ms;
    uint32_t
        cold_tasks; /* of which the start explains what they took beyond the median */
    uint32_t slow_tasks; /* warm ones that took more than twice the median */
    double data_median[DATA_KINDS];
    double data_max[DATA_KINDS];  /* of any task */
    double data_hot[DATA_KINDS];  /* of the slowest task */
    double data_warm[DATA_KINDS]; /* of the slowest warm one */
};

/* Shapes of all stage attempts, in the arena. */
struct shape *shapes_of(const struct app *app, struct arena *arena);

/* How many times the median task's data a task had, in the kind of data where it
 * stands out most (shuffle before input). of: sh->data_hot or sh->data_warm. 1, and
 * DATA_NONE, where it stands out in none. */
double shape_data_ratio(const struct shape *sh, const double *of, enum data_kind *kind);
/* Of a task's time above the median, the share (0 ... 1) that its data explains when
 * time goes with data: 0 for a straggler, 1 for skew. */
double shape_explained(const struct shape *sh, int64_t task_ms, double data_ratio);
/* First launch to last finish; 0 for a stage without tasks. */
static inline int64_t shape_span_ms(const struct shape *sh)
{
    return sh->n ? max_i64(sub_sat(sh->finish_ms, sh->launch_ms), 0) : 0;
}
/* The stages that `accused` says were at work for at least this share of the
 * application's wall time, together: many small ones may be one large problem. */
bool stages_matter(const struct rule_input *in, double least_share,
                   bool (*accused)(const struct rule_input *in, uint32_t stage_ix));
/* Value of one kind for one task. */
int64_t shape_data(const struct stage *s, uint32_t row, enum data_kind kind);

#endif
