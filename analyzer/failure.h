/* Messages of failures: the line that says what went wrong, and which messages say the
 * same of different tasks. */
#ifndef ANALYZER_FAILURE_H
#define ANALYZER_FAILURE_H

#include "base/arena.h"
#include "base/strbuf.h"

/* One line out of a message of many: the first one. A Python traceback in it gives way
 * to the error that it ends with:
 *
 *     ... failed 3 times: PythonException: Traceback (most recent call last):
 *       File "worker.py", line 1247, in main
 *     ZeroDivisionError: division by zero
 *
 * is "... failed 3 times: PythonException: ZeroDivisionError: division by zero". Where
 * the error was cut off, the first line stays. p NULL for NULL; points into the message
 * where that is enough, else into the arena. */
struct sv failure_line(struct sv message, struct arena *arena);

/* Appends the line without what differs from task to task: numbers, ids and host names
 * with digits in them become "#", words with a slash in them (paths, addresses) "/". */
void failure_key(struct sv line, struct strbuf *out);

#endif
