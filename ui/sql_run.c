/* A SQL script on the engine, for the verbs that run one. */
#include "ui/sql_run.h"

#include "base/mem.h"
#include "engine/sql/statement.h"
#include "ui/result.h"

#include <stdlib.h>

struct sql_run {
    struct arena arena;
    struct settings *settings;
    struct session *session;
    struct script script;
    struct session_events events;
    const char *log;
    bool has_rows; /* of an earlier statement */
};

struct sql_run *sql_run_new(void)
{
    struct sql_run *r = xcalloc(1, sizeof *r);

    r->settings = settings_new(&r->arena);
    return r;
}

void sql_run_free(struct sql_run *r)
{
    if (!r)
        return;
    sql_run_close(r, true);
    arena_release(&r->arena);
    free(r);
}

enum errc sql_run_set(struct sql_run *r, const char *key, const char *value,
                      struct err *err)
{
    return settings_put(r->settings, sv(key), sv(value), err);
}

struct sv sql_run_near(const char *key)
{
    return setting_of(sv(key)) == N_SETTINGS ? settings_nearest(sv(key))
                                             : (struct sv){ 0 };
}

bool sql_run_keeps_log(const struct sql_run *r)
{
    return settings_bool(r->settings, SET_EVENT_LOG);
}

enum errc sql_run_parse(struct sql_run *r, struct sv text, const char *file,
                        struct err *err)
{
    return sql_parse(&r->arena, arena_sv(&r->arena, text), file, &r->script, err);
}

enum errc sql_run_open(struct sql_run *r, const struct sql_hooks *hooks, struct err *err)
{
    r->events = (struct session_events){ .ctx = hooks->ctx,
                                         .stage_begun = hooks->begun,
                                         .stage_progress = hooks->progress,
                                         .stage_ended = hooks->ended };
    TRY(session_open(&r->session, r->settings, &r->events, err));
    if (session_event_log(r->session))
        r->log = arena_sv(&r->arena, sv(session_event_log(r->session))).p;
    return ERR_OK;
}

uint32_t sql_run_statements(const struct sql_run *r)
{
    return r->script.n;
}

bool sql_run_strange_set(const struct sql_run *r, uint32_t i, struct sv *key,
                         struct sv *near)
{
    const struct statement *st = &r->script.statements[i];

    if (st->kind != STMT_SET || !st->key.len || setting_of(st->key) != N_SETTINGS)
        return false;
    *key = st->key;
    *near = settings_nearest(st->key);
    return near->p != NULL;
}

const char *sql_run_log(const struct sql_run *r)
{
    return r->log;
}

void sql_run_cancel(struct sql_run *r)
{
    if (r->session)
        session_cancel(r->session);
}

void sql_run_close(struct sql_run *r, bool interrupted)
{
    session_close(r->session, interrupted);
    r->session = NULL;
}

/* What goes wrong while rows flow has no place but its statement's. */
static void say_error(const struct sql_run *r, const struct statement *st,
                      const struct err *err, struct place at, struct strbuf *message)
{
    const char *file = r->script.file ? r->script.file : "-e";

    if (at.line == 0) {
        strbuf_printf(message, "%s:%u: %s", file, st->place.line, err->text);
        return;
    }
    strbuf_printf(message, "%s:%u:%u: %s\n", file, at.line, at.column, err->text);
    sql_caret(message, r->script.text, at);
    while (message->len && message->p[message->len - 1] == '\n')
        message->p[--message->len] = '\0';
}

static void add_rows(struct sql_run *r, const struct result *result,
                     enum sql_rows rows, struct strbuf *out)
{
    const struct zone *zone = session_zone(r->session);

    if (result->schema.n == 0)
        return; /* a statement without rows */
    if (r->has_rows && rows != SQL_ROWS_JSON)
        strbuf_addc(out, '\n');
    r->has_rows = true;
    switch (rows) {
    case SQL_ROWS_TEXT:
        result_text(out, result, zone);
        break;
    case SQL_ROWS_CSV:
        result_csv(out, result, zone);
        break;
    case SQL_ROWS_JSON:
        result_json(out, result, zone);
        break;
    }
}

/* How a statement is explained: printed, run all the same, or left out. */
enum explaining { PRINT, DO, LEAVE };

static enum explaining explaining(const struct statement *st)
{
    switch (st->kind) {
    case STMT_QUERY:
    case STMT_INSERT:
        return PRINT;
    case STMT_CREATE_TABLE:
        return st->query ? PRINT : LEAVE;
    case STMT_EXPLAIN:
    case STMT_SET:
    case STMT_RESET:
    case STMT_CREATE_VIEW:
    case STMT_CACHE:
    case STMT_USE:
    case STMT_DESCRIBE:
    case STMT_SHOW:
        return DO;
    case STMT_DROP:
    case STMT_TRUNCATE:
        break;
    }
    return LEAVE;
}

enum errc sql_run_statement(struct sql_run *r, uint32_t i, enum sql_way way,
                            enum sql_rows rows, struct strbuf *out,
                            struct strbuf *message)
{
    struct statement *st = &r->script.statements[i];
    struct statement explain = { .kind = STMT_EXPLAIN,
                                 .text = st->text,
                                 .place = st->place,
                                 .inner = st,
                                 .explain = way == SQL_EXPLAIN ? EXPLAIN_FORMATTED
                                                               : EXPLAIN_EXTENDED };
    struct result result = { 0 };
    struct place at = { 0 };
    struct err err = { 0 };
    enum errc rc;

    if (way != SQL_RUN && explaining(st) == LEAVE)
        return ERR_OK;
    if (way != SQL_RUN && explaining(st) == PRINT)
        st = &explain;
    rc = session_run(r->session, &r->script, st, &result, &at, &err);
    if (rc == ERR_OK)
        add_rows(r, &result, rows, out);
    else
        say_error(r, st, &err, at, message);
    return rc;
}
