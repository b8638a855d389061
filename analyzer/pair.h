/* Which SQL execution and which stage of one run is which of another.
 *
 * Ids say nothing: a retried query, an inserted one or adaptive execution shifts
 * them. What stays is the order of the work, the shape of the plans, the
 * descriptions and the call sites. So the executions (and the jobs outside of SQL) of
 * both runs are laid side by side in their order, as `diff` does with lines, by
 * likeness instead of equality; then the stages within each pair in the same way.
 *
 * The base run is what was, the head run what is. Same runs in, same pairs out. */
#ifndef ANALYZER_PAIR_H
#define ANALYZER_PAIR_H

#include "analyzer/analysis.h"

/* Alike enough to be the same work; confidence of a pair is from here to 1. */
#define PAIR_LIKE 0.5
/* Of the task time of each run, in paired stages, or in executions of one name whose
 * plans are alike; below it they are not the same job.
 * A third, for one query rewritten takes much of a small job with it. Applications of
 * other names must be surer: there the time is weighed by confidence. */
#define PAIR_SHARE (1.0 / 3)
#define PAIR_SHARE_RENAMED 0.8

struct unit_pair { /* an SQL execution, or a job outside of SQL */
    bool is_sql;
    uint32_t base_ix, head_ix; /* in sqls or jobs; IX_NONE: the other run alone has it */
    double confidence; /* 1: plan, description and call site are the same; 0: unpaired */
    bool same_plan;    /* the initial plans have one shape; false for jobs */
    bool moved;        /* paired out of order */
};

struct stage_pair {
    uint32_t base_ix, head_ix; /* the last attempt that ran; IX_NONE */
    uint32_t unit;             /* of pairing.units; IX_NONE: a stage of no job */
    double confidence;         /* at most its unit's; 0: unpaired */
    bool moved;
};

struct pairing { /* zeroed: empty */
    struct arena arena;
    struct unit_pair *units;
    size_t n_units; /* in head's order; what base alone has
                     * stands where it stood */
    struct stage_pair *stages;
    size_t n_stages;                         /* by unit, in the same order */
    uint32_t *stage_of_base, *stage_of_head; /* per stage row: its pair's position, for
                                              * all attempts; IX_NONE: did not run */
    double base_share, head_share;           /* of task time in paired stages */
    bool same_name;  /* of the applications, but for numbers in them */
    bool same_job;   /* comparable as far as the work goes */
    const char *why; /* one sentence, where same_job is false; else NULL */
};

void pair_runs(struct pairing *p, const struct analysis *base,
               const struct analysis *head);
void pairing_release(struct pairing *p);

/* Text without what changes from run to run: numbers, expression ids, hex and UUIDs
 * become "#", names of temporary folders "tmp#". */
struct strbuf;
void pair_normalise(struct strbuf *out, struct sv text);

#endif
