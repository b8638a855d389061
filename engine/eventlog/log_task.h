/* What events of tasks and of stages share: accumulables and executor metrics. For the
 * files of engine/eventlog only. */
#ifndef ENGINE_EVENTLOG_LOG_TASK_H
#define ENGINE_EVENTLOG_LOG_TASK_H

#include "engine/eventlog/log.h"

/* "Accumulables":[...]. update NULL: of a stage, values alone. */
void log_accumulables(struct strbuf *b, const struct log_acc *accs, uint32_t n,
                      const struct task_metrics *update,
                      const struct task_metrics *totals, uint64_t internal_id);
/* The object; NULL: all zero. */
void log_executor_metrics(struct strbuf *b, const struct executor_metrics *m);

#endif
