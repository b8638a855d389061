/* What an operator of a plan did: its rows and bytes, the stages that ran it, and the
 * list of operators that a rule accuses. */
#ifndef RULES_NODE_H
#define RULES_NODE_H

#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

/* What the metric came to in this execution; 0: no such metric, or nobody updated it. */
int64_t node_metric(const struct app *app, const struct sql *q,
                    const struct plan_node *node, const char *name);
/* Rows that come out of the node: its own number, else that of the operators below that
 * neither add nor drop rows. APP_NONE: not known. */
int64_t node_rows(const struct app *app, const struct sql *q,
                  const struct plan_node *node);
/* Steps over what is no operator of its own (WholeStageCodegen, InputAdapter, query
 * stages, reads of a shuffle, conversions): the node that does the work. */
const struct plan_node *node_inner(const struct plan_node *node);
/* The first node with that text in its name below steps that change no rows (sorts,
 * projections, too); NULL where something else comes first. */
const struct plan_node *node_below(const struct plan_node *node, const char *name);
/* The first scan of files on the way down through operators with one child; NULL: none.
 */
const struct plan_node *node_source_scan(const struct plan_node *node);
/* Stage attempts of this execution whose tasks updated metrics of the node, ascending. */
size_t node_stages(const struct app *app, const struct sql *q,
                   const struct plan_node *node, struct arena *arena,
                   uint32_t **stage_ixs);
bool node_is(const struct plan_node *node, const char *name); /* the name begins so */

/* An operator that a rule accuses, with up to three numbers of the rule's own. */
struct spot {
    const struct sql *q;
    const struct plan_node *node;
    uint32_t *stage_ixs;
    size_t n_stages;
    double value[4];
    int64_t weight_ms; /* what it is ranked by: the wall time of its stages, or a cost */
};

struct spots {
    const struct rule_input *in;
    struct arena *arena;
    const struct sql *q; /* of the plan that is walked */
    struct spot *items;
    size_t n, cap;
    bool kind; /* there is an operator of the kind */
    bool any;  /* and some of them told its numbers */
};

/* Adds one with the stages that ran the node; each node of a plan once, those of cached
 * tables too, which stand in every query that reads them. NULL where it was there. */
struct spot *spots_add(struct spots *s, const struct plan_node *node);
/* Walks the final plans of all executions. */
void spots_walk(struct spots *s,
                void (*visit)(const struct plan_node *node, void *spots));
/* The one with the largest weight. */
const struct spot *spots_worst(const struct spots *s);
/* All weights together are at least that share of the application's wall time, and
 * that many ms. */
bool spots_matter(const struct spots *s, double share, double min_ms);
/* No data where there are operators of the kind and none told its numbers. */
static inline enum rule_answer spots_answer(const struct spots *s)
{
    return s->any || !s->kind ? RULE_JUDGED : RULE_NO_DATA;
}
/* Enters where: the worst one's stages first, then those of all. */
void spots_place(const struct spots *s, struct findings *out);

/* Wall time of tasks at work for the stage (first launch to last finish). */
int64_t stage_work_ms(const struct rule_input *in, uint32_t stage_ix);
/* Claims shares of all entries of the stage that are its tasks' work or follow from its
 * length: compute, collection, waiting for data, spill, tail, empty slots. */
void claim_work(const struct rule_input *in, struct findings *out, uint32_t stage_ix,
                double low, double expected, double high);

#endif
