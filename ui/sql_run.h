/* A SQL script on the engine, for the verbs that run one: what of the engine they need,
 * under names that do not meet those of logs and rules.
 *
 *   sql_run_new, sql_run_set .., sql_run_parse, sql_run_open, sql_run_statement ..,
 *   sql_run_close, sql_run_free */
#ifndef UI_SQL_RUN_H
#define UI_SQL_RUN_H

#include "base/err.h"
#include "base/strbuf.h"

enum sql_rows { SQL_ROWS_TEXT, SQL_ROWS_CSV, SQL_ROWS_JSON };
enum sql_way { SQL_RUN, SQL_EXPLAIN, SQL_EXPLAIN_EXTENDED };

struct sql_hooks { /* NULL hooks: nobody is told. Any thread calls, one at a time */
    void *ctx;
    void (*progress)(void *ctx, int32_t stage_id, int32_t done, int32_t tasks);
    void (*begun)(void *ctx, int32_t stage_id, const char *name, int32_t tasks);
    void (*ended)(void *ctx, int32_t stage_id, bool ok, int64_t ms);
};

struct sql_run;

struct sql_run *sql_run_new(void);
void sql_run_free(struct sql_run *r);

enum errc sql_run_set(struct sql_run *r, const char *key, const char *value,
                      struct err *err) MUST_CHECK;
/* The key that was meant, if the engine does not read this one. Absent: none is near. */
struct sv sql_run_near(const char *key);
bool sql_run_keeps_log(const struct sql_run *r); /* settings ask for an event log */
/* file NULL: -e. The message may have the lines of a caret behind it. */
enum errc sql_run_parse(struct sql_run *r, struct sv text, const char *file,
                        struct err *err) MUST_CHECK;
enum errc sql_run_open(struct sql_run *r, const struct sql_hooks *hooks,
                       struct err *err) MUST_CHECK;
uint32_t sql_run_statements(const struct sql_run *r);
/* Statement i sets a key that the engine does not read, and there is one of nearly that
 * name: both. */
bool sql_run_strange_set(const struct sql_run *r, uint32_t i, struct sv *key,
                         struct sv *near);
/* Statement i; rows are appended to out. Explaining runs only what names things (SET,
 * views) and prints the plan of the rest. On failure *message has a line, or more with
 * the place. */
enum errc sql_run_statement(struct sql_run *r, uint32_t i, enum sql_way way,
                            enum sql_rows rows, struct strbuf *out,
                            struct strbuf *message) MUST_CHECK;
void sql_run_cancel(struct sql_run *r); /* safe in a signal handler */
/* Where the event log is after a close without interruption; NULL: none. Until
 * sql_run_free. */
const char *sql_run_log(const struct sql_run *r);
void sql_run_close(struct sql_run *r, bool interrupted);

#endif
