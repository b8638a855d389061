/* A session: settings, catalog, executors; statements run in it one after another. */
#ifndef ENGINE_RUN_SESSION_H
#define ENGINE_RUN_SESSION_H

#include "engine/plan/phys.h"
#include "engine/run/settings.h"
#include "engine/sql/statement.h"

struct session;

/* What a caller wants to be told while a statement runs; any hook may be NULL. Hooks are
 * called by any thread, one at a time, and should be quick: the scheduler waits. */
struct session_events {
    void *ctx;
    void (*stage_begun)(void *ctx, int32_t stage_id, const char *name, int32_t tasks);
    void (*stage_progress)(void *ctx, int32_t stage_id, int32_t done, int32_t tasks);
    void (*stage_ended)(void *ctx, int32_t stage_id, bool ok, int64_t ms);
};

/* A statement's result: rows for queries, SHOW, DESCRIBE, EXPLAIN, SET. Batches are the
 * session's until the next statement. */
struct result {
    struct schema schema;
    struct batch *batches;
    uint32_t n_batches;
    uint64_t n_rows;
};

/* Opens the event log too where settings say so. The settings are the session's from now
 * on: SET changes them. ERR_USAGE: settings that make no sense. */
enum errc session_open(struct session **out, struct settings *settings,
                       const struct session_events *events, struct err *err) MUST_CHECK;
/* The script's plans live as long as the session: views are made of them. *at: where in
 * the script an error is; line 0 where it has no place. */
enum errc session_run(struct session *s, const struct script *script,
                      const struct statement *st, struct result *out, struct place *at,
                      struct err *err) MUST_CHECK;
/* From a signal handler or another thread: the running statement ends with "cancelled".
 */
void session_cancel(struct session *s);
/* In which results' timestamps print. */
const struct zone *session_zone(const struct session *s);
/* Where the event log is once the session was closed without interruption; NULL: none.
 * Valid until then. */
const char *session_event_log(const struct session *s);
/* interrupted: the event log stays ".inprogress". */
void session_close(struct session *s, bool interrupted);

#endif
