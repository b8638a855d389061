/* The picture of one SQL execution's plan. */
#ifndef UI_GRAPH_PLAN_H
#define UI_GRAPH_PLAN_H

#include "ui/graph.h"

/* DOT of the final plan: operators inside their stages, with rows, time, memory,
 * spill, files and the findings about them. initial: the first plan beside it, where
 * adaptive execution changed it. ERR_USAGE where the log has no such execution, or no
 * plan of it. */
MUST_CHECK enum errc graph_plan_dot(struct strbuf *out, const struct analysis *a,
                                    const struct findings *findings, int64_t execution_id,
                                    bool initial, struct err *err);
#endif
