/* What the session's files share. For session*.c only. */
#ifndef ENGINE_RUN_SESSION_INT_H
#define ENGINE_RUN_SESSION_INT_H

#include "engine/plan/analyze.h"
#include "engine/run/query_run.h"
#include "engine/run/session.h"

struct session {
    struct arena arena; /* of the session; the catalog's */
    struct settings *settings, *initial;
    struct catalog *catalog;
    struct scheduler *scheduler;
    struct event_log *log;
    struct memory *driver_memory;
    char *final_log_path;
    const char *app_id;
    const struct zone *zone;
    struct sv zone_name;
    int64_t next_execution;
    int32_t next_shuffle;
    struct arena statement; /* plans and rows of the one that runs or ran last */
};

/* One statement on its way. */
struct running {
    struct session *s;
    const struct script *script;
    const struct statement *st;
    const char *call_site;
    int64_t root_execution; /* the command's that this query belongs to; -1: none */
    struct arena *arena; /* the session's statement arena */
    struct analysis_env analysis;
    struct eval_env eval;
    struct place *at;
};

enum errc run_analyze(struct running *r, struct plan *parsed, struct plan **out,
                      struct err *err) MUST_CHECK;
/* analysed -> optimised */
enum errc run_optimize(struct running *r, struct plan *analyzed, struct plan **out,
                       struct err *err) MUST_CHECK;
enum errc run_plan(struct running *r, struct plan *optimized, struct phys **out,
                   struct err *err) MUST_CHECK;
/* An execution of its own: logged, driven; rows in the statement's arena. */
enum errc run_execute(struct running *r, struct phys *root, struct result *out,
                      struct err *err) MUST_CHECK;
/* A command as an execution in the event log, under its name in Spark ("SetCommand"):
 * gives its id; then how it ended. */
int64_t run_command_start(struct running *r, const char *name);
void run_command_end(struct running *r, int64_t execution_id, enum errc rc,
                     const struct err *err);
/* What INSERT and CREATE TABLE AS do; rows: as analysed, in the target's order. */
enum errc run_write(struct running *r, struct plan *analyzed, const struct write_job *job,
                    struct err *err) MUST_CHECK;
/* The plans of the same: the rows' optimised one, and the physical one. */
enum errc run_plan_write(struct running *r, struct plan *analyzed,
                         const struct write_job *job, struct plan **optimized,
                         struct phys **out, struct err *err) MUST_CHECK;

/* --- statements ------------------------------------------------------------------- */

enum errc run_explain(struct running *r, struct result *out, struct err *err) MUST_CHECK;
enum errc run_set(struct running *r, struct result *out, struct err *err) MUST_CHECK;
enum errc run_reset(struct running *r, struct err *err) MUST_CHECK;
enum errc run_show(struct running *r, struct result *out, struct err *err) MUST_CHECK;
enum errc run_describe(struct running *r, struct result *out, struct err *err) MUST_CHECK;
enum errc run_cache(struct running *r, struct err *err) MUST_CHECK;
enum errc run_use(struct running *r, struct err *err) MUST_CHECK;
enum errc run_create_view(struct running *r, struct err *err) MUST_CHECK;
/* A catalog_load_fn; ctx: struct running. */
enum errc run_load_view(void *ctx, struct sv text, struct err *err) MUST_CHECK;
enum errc run_create_table(struct running *r, struct err *err) MUST_CHECK;
enum errc run_drop(struct running *r, struct err *err) MUST_CHECK;
enum errc run_insert(struct running *r, struct err *err) MUST_CHECK;
enum errc run_truncate(struct running *r, struct err *err) MUST_CHECK;
/* What an INSERT or CREATE TABLE AS would write. */
enum errc run_insert_job(struct running *r, const struct statement *st,
                         struct plan **rows, struct write_job **job,
                         struct err *err) MUST_CHECK;

/* --- results of text -------------------------------------------------------------- */

struct text_rows { /* in an arena */
    struct arena *arena;
    const char *const *columns;
    uint32_t n_columns;
    bool last_is_boolean; /* its cells are "true" and "false" */
    struct sv *cells;     /* absent: NULL */
    uint32_t n, cap;
};

void text_row(struct text_rows *t, const struct sv *cells);
void text_result(struct text_rows *t, struct result *out);
struct sv text_type(struct arena *a, struct type t);

#endif
