/* A session: what stays between statements, and the way of a query through it.
 *
 *     parsed -> run_analyze -> run_optimize -> run_plan -> run_execute -> rows */
#include "engine/run/session_int.h"

#include "engine/plan/optimize.h"
#include "engine/plan/plan.h"

#include "base/mem.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* --- opening ---------------------------------------------------------------------- */

static int64_t wall_us(void)
{
    struct timeval t;

    gettimeofday(&t, NULL);
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static const char *user_name(void)
{
    const struct passwd *p = getpwuid(geteuid());

    return p && p->pw_name ? p->pw_name : "unknown";
}

static enum errc open_log(struct session *s, struct err *err)
{
    const char *dir;

    if (!settings_bool(s->settings, SET_EVENT_LOG))
        return ERR_OK;
    dir = arena_sv(&s->arena, settings_text(s->settings, SET_EVENT_LOG_DIR)).p;
    if (!dir || !*dir)
        dir = "/tmp/spark-events"; /* Spark's default */
    TRY(event_log_open(&s->log, dir, sv(s->app_id), s->settings, err));
    s->final_log_path = strdup(event_log_final_path(s->log));
    if (!s->final_log_path)
        die("out of memory");
    return ERR_OK;
}

/* Several executors on one machine are what Spark calls a local cluster. */
static struct sv master_name(struct session *s)
{
    const struct settings *set = s->settings;
    struct sv master = settings_text(set, SET_MASTER);
    int64_t cores = settings_int(set, SET_EXECUTOR_CORES);

    if (settings_int(set, SET_EXECUTOR_INSTANCES) <= 0 ||
        sv_starts(master, SV("local-cluster")))
        return master;
    return sv(arena_printf(&s->arena, "local-cluster[%lld,%lld,%lld]",
                           (long long)settings_int(set, SET_EXECUTOR_INSTANCES),
                           (long long)(cores > 0 ? cores : 1),
                           (long long)(settings_int(set, SET_EXECUTOR_MEMORY) >> 20)));
}

/* What Spark says of an application among its settings; the user's word stays. */
static void name_application(struct session *s, int64_t start_ms)
{
    const struct {
        const char *key;
        struct sv value;
    } said[] = {
        { "spark.app.id", sv(s->app_id) },
        { "spark.app.name", settings_text(s->settings, SET_APP_NAME) },
        { "spark.app.startTime",
          sv(arena_printf(&s->arena, "%lld", (long long)start_ms)) },
        { "spark.driver.host", SV("localhost") },
        { "spark.executor.id", SV("driver") },
        { "spark.master", master_name(s) },
        { "spark.submit.deployMode", SV("client") },
    };
    struct err ignored;
    struct sv have;

    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (setting_of(sv(said[i].key)) != N_SETTINGS ||
            !settings_find(s->settings, sv(said[i].key), &have))
            (void)!settings_put(s->settings, sv(said[i].key), said[i].value, &ignored);
}

enum errc session_open(struct session **out, struct settings *settings,
                       const struct session_events *events, struct err *err)
{
    struct session *s = xcalloc(1, sizeof *s);
    int64_t start_ms = wall_us() / 1000;
    enum errc rc;

    mem_keep_freed();
    s->settings = settings;
    s->app_id = arena_printf(&s->arena, "local-%lld", (long long)start_ms);
    name_application(s, start_ms);
    s->initial = settings_copy(&s->arena, settings);
    settings_seal(settings);
    s->catalog = catalog_new(&s->arena);
    s->driver_memory = memory_new(settings_int(settings, SET_DRIVER_MEMORY), 1, settings);
    rc = open_log(s, err);
    if (rc == ERR_OK)
        rc = scheduler_open(&s->scheduler, settings, s->log, events, err);
    if (rc != ERR_OK) {
        session_close(s, true);
        return rc;
    }
    log_environment(s->log, settings);
    log_application_start(s->log, s->app_id,
                          arena_sv(&s->arena, settings_text(settings, SET_APP_NAME)).p,
                          user_name(), start_ms);
    *out = s;
    return ERR_OK;
}

void session_close(struct session *s, bool interrupted)
{
    struct err err = { 0 };

    if (!s)
        return;
    if (s->scheduler && !interrupted)
        log_application_end(s->log, scheduler_now_ms(s->scheduler));
    scheduler_close(s->scheduler);
    if (event_log_close(s->log, !interrupted, &err) != ERR_OK)
        fprintf(stderr, "spillway: event log: %s\n", err.text);
    memory_free(s->driver_memory);
    free(s->final_log_path);
    arena_release(&s->statement);
    arena_release(&s->arena);
    free(s);
}

void session_cancel(struct session *s)
{
    scheduler_interrupt(s->scheduler, true);
}

const char *session_event_log(const struct session *s)
{
    return s->final_log_path;
}

const struct zone *session_zone(const struct session *s)
{
    return s->zone;
}

/* --- the way of a query ----------------------------------------------------------- */

enum errc run_analyze(struct running *r, struct plan *parsed, struct plan **out,
                      struct err *err)
{
    return plan_analyze(&r->analysis, parsed, out, r->at, err);
}

enum errc run_optimize(struct running *r, struct plan *analyzed, struct plan **out,
                       struct err *err)
{
    struct rewrite_env env = { .arena = r->arena,
                               .settings = r->s->settings,
                               .eval = &r->eval };

    return plan_optimize(&env, plan_finish(r->arena, analyzed), out, err);
}

enum errc run_plan(struct running *r, struct plan *optimized, struct phys **out,
                   struct err *err)
{
    struct planner_env env = { .arena = r->arena,
                               .settings = r->s->settings,
                               .cores = scheduler_cores(r->s->scheduler) };

    return phys_plan(&env, optimized, out, err);
}

static void output_schema(struct arena *a, const struct exprs *columns,
                          struct schema *out)
{
    out->n = columns->n;
    out->fields = arena_array(a, columns->n + 1, sizeof *out->fields);
    for (uint32_t i = 0; i < columns->n; i++)
        out->fields[i] = (struct field){ columns->at[i]->name, columns->at[i]->type,
                                         columns->at[i]->nullable };
}

enum errc run_execute(struct running *r, struct phys *root, struct result *out,
                      struct err *err)
{
    struct session *s = r->s;
    struct query_run q = {
        .scheduler = s->scheduler,
        .settings = s->settings,
        .initial = s->initial,
        .eval = r->eval,
        .driver_memory = s->driver_memory,
        .execution_id = s->next_execution,
        .root_id = r->root_execution >= 0 ? r->root_execution : s->next_execution,
        .description = arena_sv(r->arena, r->st->text).p,
        .call_site = r->call_site,
        .next_shuffle = &s->next_shuffle,
        .root = root,
    };
    struct log_sql line = { .execution_id = q.execution_id,
                            .root_id = q.root_id,
                            .description = q.description,
                            .details = r->call_site,
                            .plan = root,
                            .settings = s->settings,
                            .initial = s->initial };
    struct rows_out rows = { 0 };
    enum errc rc;

    s->next_execution++;
    query_run_init(&q);
    query_register_metrics(&q, root);
    log_sql_start(s->log, &line, scheduler_now_ms(s->scheduler));
    rc = drive_collect(&q, root, r->arena, &rows, err);
    log_sql_end(s->log, q.execution_id, rc == ERR_OK ? NULL : err->text,
                scheduler_now_ms(s->scheduler));
    query_run_release(&q);
    if (rc != ERR_OK)
        return rc;
    output_schema(r->arena, &root->output, &out->schema);
    out->batches = rows.batches;
    out->n_batches = rows.n_batches;
    out->n_rows = rows.n_rows;
    return ERR_OK;
}

int64_t run_command_start(struct running *r, const char *name)
{
    struct session *s = r->s;
    struct phys *node = phys_new(r->arena, PHYS_COMMAND, 0);
    int64_t id = s->next_execution++;

    node->text = sv(name);
    struct log_sql line = { .execution_id = id,
                            .root_id = id,
                            .description = arena_sv(r->arena, r->st->text).p,
                            .details = r->call_site,
                            .plan = node,
                            .settings = s->settings,
                            .initial = s->initial };
    log_sql_start(s->log, &line, scheduler_now_ms(s->scheduler));
    return id;
}

void run_command_end(struct running *r, int64_t execution_id, enum errc rc,
                     const struct err *err)
{
    log_sql_end(r->s->log, execution_id, rc == ERR_OK ? NULL : err->text,
                scheduler_now_ms(r->s->scheduler));
}

static enum errc run_query(struct running *r, struct result *out, struct err *err)
{
    struct plan *plan;
    struct phys *phys;

    TRY(run_analyze(r, r->st->query, &plan, err));
    struct exprs columns = *plan_output(r->arena, plan);
    TRY(run_optimize(r, plan, &plan, err));
    TRY(run_plan(r, plan, &phys, err));
    TRY(run_execute(r, phys, out, err));
    output_schema(r->arena, &columns, &out->schema); /* names as analysed */
    return ERR_OK;
}

/* The rows are in the order of these columns by the query's own ORDER BY or SORT BY. */
static bool is_sorted_by(const struct plan *rows, const struct exprs *columns,
                         uint32_t first, uint32_t n)
{
    if (rows->kind != PLAN_SORT || rows->order.n < n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct expr *e = rows->order.at[i];

        if (e->descending || e->nulls_last || e->args[0]->kind != EXPR_ATTRIBUTE ||
            e->args[0]->id != columns->at[first + i]->id)
            return false;
    }
    return true;
}

/* Rows of a partitioned target come sorted by its partition columns (V1Writes). */
static struct plan *sorted_for(struct arena *a, struct plan *rows,
                               const struct write_job *job)
{
    const struct exprs *columns = plan_output(a, rows);
    struct plan *sort;

    if (!job->partition.n || is_sorted_by(rows, columns, job->data.n, job->partition.n))
        return rows;
    sort = plan_unary(a, PLAN_SORT, rows);
    sort->order = exprs_new(a, job->partition.n);
    for (uint32_t i = 0; i < job->partition.n; i++) {
        struct expr *e = expr_new(a, EXPR_SORT_ORDER, 1);

        e->args[0] = columns->at[job->data.n + i];
        e->resolved = true;
        expr_settle(e);
        sort->order.at[i] = e;
    }
    return sort;
}

enum errc run_plan_write(struct running *r, struct plan *analyzed,
                         const struct write_job *job, struct plan **optimized,
                         struct phys **out, struct err *err)
{
    struct phys *rows;

    TRY(run_optimize(r, sorted_for(r->arena, analyzed, job), optimized, err));
    TRY(run_plan(r, *optimized, &rows, err));
    *out = phys_write(r->arena, (struct write_job *)(uintptr_t)job, rows);
    return ERR_OK;
}

/* Without ANSI mode no casts overflow but those to the target's columns, for which Spark
 * has a class of its own. */
static void overflow_of_insert(struct err *err)
{
    static const char from[] = "[CAST_OVERFLOW]",
                      to[] = "[CAST_OVERFLOW_IN_TABLE_INSERT]";
    char *at = strstr(err->text, from);
    char rest[sizeof err->text];

    if (!at)
        return;
    snprintf(rest, sizeof rest, "%s", at + sizeof from - 1);
    snprintf(at, sizeof err->text - (size_t)(at - err->text), "%s%s", to, rest);
}

enum errc run_write(struct running *r, struct plan *analyzed, const struct write_job *job,
                    struct err *err)
{
    struct result none = { 0 };
    struct plan *optimized;
    struct phys *root;
    enum errc rc;

    TRY(run_plan_write(r, analyzed, job, &optimized, &root, err));
    rc = run_execute(r, root, &none, err);
    if (rc != ERR_OK && !settings_bool(r->s->settings, SET_ANSI))
        overflow_of_insert(err);
    return rc;
}

/* --- statements ------------------------------------------------------------------- */

static enum errc take_zone(struct session *s, struct err *err)
{
    struct sv name = settings_text(s->settings, SET_TIME_ZONE);

    if (s->zone && sv_eq(name, s->zone_name))
        return ERR_OK;
    if (name.len)
        TRY(zone_open(&s->arena, name, &s->zone, err));
    else
        s->zone = zone_local(&s->arena);
    s->zone_name = arena_sv(&s->arena, name);
    expr_print_zone(s->zone, s->zone_name);
    return ERR_OK;
}

static enum errc run_command(struct running *r, struct result *out, struct err *err)
{
    switch (r->st->kind) {
    case STMT_EXPLAIN:
        return run_explain(r, out, err);
    case STMT_SET:
        return run_set(r, out, err);
    case STMT_RESET:
        return run_reset(r, err);
    case STMT_CREATE_VIEW:
        return run_create_view(r, err);
    case STMT_DROP:
        return run_drop(r, err);
    case STMT_CREATE_TABLE:
        return run_create_table(r, err);
    case STMT_DESCRIBE:
        return run_describe(r, out, err);
    case STMT_SHOW:
        return run_show(r, out, err);
    case STMT_CACHE:
        return run_cache(r, err);
    case STMT_USE:
        return run_use(r, err);
    case STMT_TRUNCATE:
        return run_truncate(r, err);
    case STMT_QUERY:
    case STMT_INSERT:
        break;
    }
    return err_set(err, ERR_USAGE, "no such statement");
}

/* Spark's name for what a statement does on the driver; NULL: it is a query, or says
 * itself when it begins. */
static const char *command_name(const struct statement *st)
{
    switch (st->kind) {
    case STMT_EXPLAIN:
        return "ExplainCommand";
    case STMT_SET:
        return "SetCommand";
    case STMT_RESET:
        return "ResetCommand";
    case STMT_CREATE_VIEW:
        return st->query ? "CreateViewCommand" : "CreateTempViewUsing";
    case STMT_DROP:
        return st->is_view ? "DropTempViewCommand" : "DropTableCommand";
    case STMT_CREATE_TABLE:
        return st->query ? NULL : "CreateDataSourceTableCommand";
    case STMT_DESCRIBE:
        return st->query ? "DescribeQueryCommand" : "DescribeTableCommand";
    case STMT_SHOW:
        return sv_is(st->key, "columns")     ? "ShowColumnsCommand"
               : sv_is(st->key, "views")     ? "ShowViewsCommand"
               : sv_is(st->key, "functions") ? "ShowFunctionsCommand"
               : sv_is(st->key, "tables")    ? "ShowTablesCommand"
                                             : "ShowNamespacesCommand";
    case STMT_CACHE:
        return st->negate ? "UncacheTableCommand" : "CacheTableCommand";
    case STMT_USE:
        return "SetNamespaceCommand";
    case STMT_TRUNCATE:
        return "TruncateTableCommand";
    case STMT_QUERY:
    case STMT_INSERT:
        break;
    }
    return NULL;
}

static enum errc dispatch(struct running *r, struct result *out, struct err *err)
{
    const char *name = command_name(r->st);
    int64_t id;
    enum errc rc;

    if (r->st->kind == STMT_QUERY)
        return run_query(r, out, err);
    if (r->st->kind == STMT_INSERT)
        return run_insert(r, err);
    if (!name)
        return run_command(r, out, err);
    id = run_command_start(r, name);
    rc = run_command(r, out, err);
    run_command_end(r, id, rc, err);
    return rc;
}

enum errc session_run(struct session *s, const struct script *script,
                      const struct statement *st, struct result *out, struct place *at,
                      struct err *err)
{
    struct running r = { .s = s,
                         .script = script,
                         .st = st,
                         .arena = &s->statement,
                         .root_execution = -1,
                         .at = at };
    int64_t now_us = wall_us();

    *at = (struct place){ 0 };
    *out = (struct result){ 0 };
    arena_reset(&s->statement);
    TRY(take_zone(s, err));
    plan_print_fields((uint32_t)settings_int(s->settings, SET_MAX_TO_STRING_FIELDS));
    r.analysis = (struct analysis_env){ &s->statement, s->catalog, s->settings, now_us };
    r.eval = (struct eval_env){ .settings = s->settings,
                                .zone = s->zone,
                                .query_start_us = now_us };
    catalog_set_loader(s->catalog, run_load_view, &r);
    r.call_site = arena_printf(&s->statement, "sql at %s:%u",
                               script->file ? script->file : "-e", st->place.line);
    enum errc rc = dispatch(&r, out, err);

    catalog_set_loader(s->catalog, NULL, NULL); /* r ends here */
    return rc;
}
