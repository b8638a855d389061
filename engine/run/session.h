/* A session: settings, catalog, executors; statements run in it one after another. */
#ifndef ENGINE_RUN_SESSION_H
#define ENGINE_RUN_SESSION_H

#include "engine/plan/phys.h"
#include "engine/run/settings.h"
#include "engine/sql/statement.h"

struct session;

/* What a caller wants to be told while a statement runs; any hook may be NULL. */
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

/* Opens the event log too where settings say so. ERR_USAGE: settings that make no sense.
 */
enum errc session_open(struct session **out, struct settings *settings,
                       const struct session_events *events, struct err *err) MUST_CHECK;
enum errc session_run(struct session *s, const struct script *script,
                      const struct statement *st, struct result *out, struct place *at,
                      struct err *err) MUST_CHECK;
/* From a signal handler or another thread: the running statement ends with "cancelled".
 */
void session_cancel(struct session *s);
/* The event log's path once open; NULL: none. */
const char *session_event_log(const struct session *s);
/* interrupted: the event log stays ".inprogress". */
void session_close(struct session *s, bool interrupted);

#endif
