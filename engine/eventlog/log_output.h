/* Where the event log's lines end up: one file, or with spark.eventLog.rolling.enabled a
 * folder of files, each begun before the line that would take it past
 * spark.eventLog.rolling.maxFileSize. Names and layout: reference/eventlog.md, 1.2 and
 * 1.3. Used by the log's own thread only. */
#ifndef ENGINE_EVENTLOG_LOG_OUTPUT_H
#define ENGINE_EVENTLOG_LOG_OUTPUT_H

#include "base/err.h"
#include "base/sv.h"
#include "engine/run/settings.h"

struct log_output;

/* Makes DIR where it is missing and the first file in it. ERR_USAGE: a setting that Spark
 * refuses; ERR_OUTPUT: nothing can be written there. */
enum errc log_output_open(struct log_output **out, const char *dir, struct sv app_id,
                          const struct settings *s, struct err *err) MUST_CHECK;
/* Whole lines, each with its end. A failure is kept for log_output_close, and what comes
 * after it is dropped. */
void log_output_write(struct log_output *o, struct sv lines);
/* Ends the stream; finished: the name says so from now on. Frees o either way. */
enum errc log_output_close(struct log_output *o, bool finished,
                           struct err *err) MUST_CHECK;

/* Bytes to gather before a write: few calls, and frames that compress well. */
size_t log_output_wants(const struct log_output *o);
/* The file or folder now, and after a finishing close. */
const char *log_output_path(const struct log_output *o);
const char *log_output_final_path(const struct log_output *o);

#endif
