/* The log's file: lines gathered by callers, written by one thread. For the files of
 * engine/eventlog only. */
#ifndef ENGINE_EVENTLOG_LOG_FILE_H
#define ENGINE_EVENTLOG_LOG_FILE_H

#include "engine/eventlog/log.h"

/* Locks the log and gives the buffer to add one line to, without its end. */
struct strbuf *log_begin(struct event_log *l);
void log_commit(struct event_log *l);
bool log_wants_stage_metrics(const struct event_log *l);
/* Keys whose values nobody should read in a log: Spark's spark.redaction.regex. */
struct sv log_redacted(struct sv key, struct sv value);

#endif
