/* Which operators a stage ran, by the metrics that its tasks updated. */
#ifndef RULES_PLAN_H
#define RULES_PLAN_H

#include "analyzer/conf.h"
#include "analyzer/lineage.h"

typedef bool plan_match(const struct plan_node *node);

/* The first operator, from the top of the newest plan down, that matches and whose
 * metrics the stage's tasks updated. NULL: none, or no plan. */
const struct plan_node *stage_operator(const struct app *app, const struct stage *s,
                                       plan_match *match);

/* Calls visit for each node of the plan, parents first. */
void plan_each(const struct plan_node *root,
               void (*visit)(const struct plan_node *node, void *context), void *context);

/* The metric of that name, NULL where the node has none. */
const struct plan_metric *plan_metric(const struct plan_node *node, const char *name);

bool node_is_shuffled_join(const struct plan_node *node); /* sort-merge, shuffled hash */
bool node_is_window(const struct plan_node *node);
bool node_is_grouping(const struct plan_node *node); /* aggregates of all kinds */
bool node_is_scan(const struct plan_node *node);

/* What the stage does with what it reads from a shuffle. */
enum shuffle_use { USE_NONE, USE_JOIN, USE_WINDOW, USE_GROUPING, USE_OTHER };
enum shuffle_use stage_shuffle_use(const struct app *app, const struct lineage *l,
                                   const struct stage *s, const struct plan_node **node);

/* The SQL execution that the stage ran for; NULL: none in the log. */
const struct sql *stage_sql(const struct app *app, const struct stage *s);
/* Whether adaptive execution was on for the execution (NULL: false). */
bool sql_is_adaptive(const struct app *app, const struct sql *q);
/* Tasks of the default resource profile that could run at once at the peak, at least 1. */
int64_t app_slots(const struct app *app);

/* Some job is a micro-batch: the application runs as long as it is let to. */
bool app_is_stream(const struct app *app);

/* True where the stage has an RDD with that name or scope. */
bool stage_has_scope(const struct stage *s, const char *name);

#endif
