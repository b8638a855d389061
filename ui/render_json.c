/* The machine's view: schema spillway/analysis/1 (docs/analysis-json.md).
 *
 * Everything goes into one buffer. What the log does not hold is null: a metric that
 * no task of a stage had, the end of what still ran, quantiles without a success. */
#include "rules/chain.h"
#include "ui/render_json.h"

#include "analyzer/failure.h"

#include <math.h>
#include <stdlib.h>

static double share_of(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void put_share(struct json_writer *w, const char *key, int64_t part, int64_t whole)
{
    json_key(w, key);
    json_rounded(w, share_of(part, whole), 6);
}

/* Absent text of a log may be an empty string: both say nothing. */
static struct sv or_null(struct sv text)
{
    return text.len ? text : (struct sv){ 0 };
}

/* The first line, as Spark's own tools show it, and the line that tells. */
static void put_failure(struct json_writer *w, const char *key, const char *line_key,
                        struct sv message)
{
    struct arena scratch = { 0 };

    json_put_text(w, key, message.p ? sv_first_line(message) : message);
    json_put_text(w, line_key, failure_line(message, &scratch));
    arena_release(&scratch);
}

static void put_ids(struct json_writer *w, const char *key, const struct ids *ids)
{
    json_key(w, key);
    json_array(w);
    for (size_t i = 0; i < ids->n; i++)
        json_int(w, ids->items[i]);
    json_array_end(w);
}

static int64_t span(int64_t from_ms, int64_t to_ms)
{
    return from_ms == APP_NONE || to_ms == APP_NONE ? APP_NONE : sub_sat(to_ms, from_ms);
}

/* --- application and log
 * ---------------------------------------------------------------- */

static void put_application(struct json_writer *w, const struct app *app)
{
    json_key(w, "application");
    json_object(w);
    json_put_text(w, "id", app->id);
    json_put_text(w, "attempt", app->attempt);
    json_put_text(w, "name", app->name);
    json_put_text(w, "spark_version", app->spark_version);
    json_put_text(w, "user", app->user);
    json_put_int(w, "start_ms", app->start_ms);
    json_put_int(w, "end_ms", app->end_ms);
    json_put_int(w, "wall_ms", span(app->start_ms, app->end_ms));
    json_put_bool(w, "finished", app->finished);
    json_put_int(w, "cores_peak", app->cores_peak);
    json_put_int(w, "executors_peak", app->executors_peak);
    json_put_bool(w, "local_mode", app->local_mode);
    json_object_end(w);
}

static void put_damage(struct json_writer *w, const struct completeness *c)
{
    json_key(w, "damage");
    json_array(w);
    for (int k = 0; k < DAMAGE_COUNT; k++) {
        const struct damage *d = &c->damage[k];

        if (!d->count)
            continue;
        json_object(w);
        json_put_text(w, "kind", sv(line_damage_name((enum line_damage)k)));
        json_put_int(w, "count", d->count);
        json_put_text(w, "first_file", d->part);
        json_put_int(w, "first_line", d->line);
        json_put_int(w, "first_offset_bytes", d->offset);
        json_object_end(w);
    }
    json_array_end(w);
}

void json_completeness(struct json_writer *w, const struct app *app)
{
    const struct completeness *c = &app->complete;

    json_object(w);
    json_put_int(w, "lines", c->lines);
    json_put_int(w, "events", c->events);
    json_put_int(w, "bad_lines", c->bad_lines);
    json_put_int(w, "unknown_events", c->unknown_events);
    json_put_bool(w, "truncated", c->truncated);
    json_put_bool(w, "in_progress", c->in_progress);
    json_put_int(w, "tasks_started", c->tasks_started);
    json_put_int(w, "tasks_ended", c->tasks_ended);
    json_put_int(w, "orphan_task_ends", c->orphan_task_ends);
    json_put_int(w, "clock_jumps", c->clock_jumps);
    json_put_int(w, "decoded_bytes", c->bytes);
    json_key(w, "missing_parts");
    json_array(w);
    for (size_t i = 0; i < c->n_missing_parts; i++)
        json_text(w, c->missing_parts[i]);
    json_array_end(w);
    json_key(w, "notes");
    json_array(w);
    for (size_t i = 0; i < c->n_notes; i++)
        json_text(w, c->notes[i]);
    json_array_end(w);
    put_damage(w, c);
    json_key(w, "unknown");
    json_array(w);
    for (size_t i = 0; i < c->n_unknown; i++) {
        json_object(w);
        json_put_text(w, "event", c->unknown[i].name);
        json_put_int(w, "count", c->unknown[i].count);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

static void put_entry(struct json_writer *w, const char *name, int64_t ms, int64_t total)
{
    json_object(w);
    json_put_text(w, "entry", sv(name));
    json_put_int(w, "ms", ms);
    put_share(w, "share", ms, total);
    json_object_end(w);
}

static void put_ledgers(struct json_writer *w, const struct ledgers *l)
{
    json_key(w, "ledgers");
    json_object(w);
    json_key(w, "wall");
    json_array(w);
    for (int e = 0; e < WALL_COUNT; e++)
        put_entry(w, wall_entry_name((enum wall_entry)e), l->wall_ms[e],
                  l->wall_total_ms);
    json_array_end(w);
    json_key(w, "core_time");
    json_array(w);
    for (int e = 0; e < CORE_COUNT; e++)
        put_entry(w, core_entry_name((enum core_entry)e), l->core_ms[e],
                  l->core_total_ms);
    json_array_end(w);
    json_object_end(w);
}

static void put_path(struct json_writer *w, const struct analysis *a)
{
    json_key(w, "critical_path");
    json_array(w);
    for (size_t i = 0; i < a->ledgers.n_segments; i++) {
        const struct segment *s = &a->ledgers.segments[i];
        const struct stage *stage =
            s->stage_ix == IX_NONE ? NULL : &a->app.stages[s->stage_ix];

        json_object(w);
        json_put_text(w, "kind", sv(segment_kind_name(s->kind)));
        json_put_int(w, "stage_id", stage ? stage->stage_id : APP_NONE);
        json_put_int(w, "attempt", stage ? stage->attempt : APP_NONE);
        json_put_int(w, "sql_execution_id", s->sql_execution_id);
        json_put_int(w, "start_ms", s->start_ms);
        json_put_int(w, "ms", s->end_ms - s->start_ms);
        json_object_end(w);
    }
    json_array_end(w);
}

/* --- jobs and stages
 * ---------------------------------------------------------------------- */

void json_job(struct json_writer *w, const struct app *app, const struct job *j)
{
    (void)app;
    json_object(w);
    json_put_int(w, "job_id", j->job_id);
    json_put_text(w, "status", sv(job_status_name(j->status)));
    json_put_int(w, "sql_execution_id", j->sql_execution_id);
    json_put_text(w, "name", or_null(j->name));
    json_put_text(w, "description", or_null(j->description));
    json_put_int(w, "submitted_ms", j->submitted_ms);
    json_put_int(w, "completed_ms", j->ended ? j->completed_ms : APP_NONE);
    put_ids(w, "stage_ids", &j->stage_ids);
    put_ids(w, "skipped_stage_ids", &j->skipped_stage_ids);
    json_put_int(w, "tasks", j->tasks);
    json_put_int(w, "completed_tasks", j->completed_tasks);
    json_put_int(w, "failed_tasks", j->failed_tasks);
    json_put_int(w, "killed_tasks", j->killed_tasks);
    put_failure(w, "failure", "failure_line", j->failure);
    json_object_end(w);
}

static void put_parents(struct json_writer *w, const struct analysis *a, uint32_t ix)
{
    json_key(w, "parents");
    json_array(w);
    for (uint32_t l = a->lineage.first[ix]; l < a->lineage.first[ix + 1]; l++) {
        const struct link *link = &a->lineage.links[l];
        const struct stage *from = &a->app.stages[link->from_ix];

        json_object(w);
        json_put_int(w, "stage_id", from->stage_id);
        json_put_int(w, "attempt", from->attempt);
        json_put_text(w, "via", sv(link_via_name(link->via)));
        json_put_int(w, "bytes", link->bytes);
        json_put_int(w, "rows", link->rows);
        json_put_bool(w, "reused", link->reused);
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_quantiles(struct json_writer *w, const char *key, struct quantiles q,
                          bool seen)
{
    json_key(w, key);
    if (!seen || !q.n) {
        json_null(w);
        return;
    }
    json_array(w);
    for (int i = Q_MIN; i <= Q_MAX; i++)
        json_int(w, q.value[i]);
    json_array_end(w);
}

static bool saw(const struct stage *s, enum task_metric m)
{
    return (s->metrics_seen & 1u << m) != 0;
}

static void put_all_quantiles(struct json_writer *w, const struct stage *s)
{
    static const enum task_metric metrics[] = {
        METRIC_RUN_MS,           METRIC_INPUT_BYTES, METRIC_SHUFFLE_WRITE_BYTES,
        METRIC_SPILL_DISK_BYTES, METRIC_GC_MS,       METRIC_PEAK_EXECUTION_BYTES
    };

    json_key(w, "quantiles");
    json_object(w);
    put_quantiles(w, "duration_ms", stage_duration_quantiles(s), s->task.n > 0);
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        struct quantiles q = { 0 };

        if (saw(s, metrics[i]))
            q = stage_metric_quantiles(s, metrics[i]);
        put_quantiles(w, task_metric_key(metrics[i]), q, saw(s, metrics[i]));
        if (metrics[i] == METRIC_INPUT_BYTES) {
            bool seen = saw(s, METRIC_LOCAL_BYTES) || saw(s, METRIC_REMOTE_BYTES);
            struct quantiles read = { 0 };

            if (seen)
                read = stage_shuffle_read_quantiles(s);
            put_quantiles(w, "shuffle_read_bytes", read, seen);
        }
    }
    json_object_end(w);
}

static void put_metric(struct json_writer *w, const char *key, const struct stage *s,
                       enum task_metric m)
{
    json_put_int(w, key, saw(s, m) ? s->total[m] : APP_NONE);
}

static void put_stage_metrics(struct json_writer *w, const struct stage *s)
{
    bool reads = saw(s, METRIC_LOCAL_BYTES) || saw(s, METRIC_REMOTE_BYTES);
    bool ended = s->completed_tasks + s->failed_tasks + s->killed_tasks > 0;

    put_metric(w, "run_ms", s, METRIC_RUN_MS);
    put_metric(w, "cpu_ns", s, METRIC_CPU_NS);
    put_metric(w, "gc_ms", s, METRIC_GC_MS);
    put_metric(w, "deserialize_ms", s, METRIC_DESERIALIZE_MS);
    json_put_int(w, "scheduler_delay_ms", ended ? s->scheduler_delay_ms : APP_NONE);
    json_put_int(w, "getting_result_ms", ended ? s->getting_result_ms : APP_NONE);
    json_put_int(w, "duration_ms", ended ? s->duration_ms : APP_NONE);
    put_metric(w, "result_serialize_ms", s, METRIC_RESULT_SERIALIZE_MS);
    put_metric(w, "result_bytes", s, METRIC_RESULT_BYTES);
    put_metric(w, "input_bytes", s, METRIC_INPUT_BYTES);
    put_metric(w, "input_rows", s, METRIC_INPUT_ROWS);
    put_metric(w, "output_bytes", s, METRIC_OUTPUT_BYTES);
    put_metric(w, "output_rows", s, METRIC_OUTPUT_ROWS);
    json_put_int(w, "shuffle_read_bytes", reads ? stage_shuffle_read_bytes(s) : APP_NONE);
    put_metric(w, "shuffle_read_rows", s, METRIC_SHUFFLE_READ_ROWS);
    put_metric(w, "shuffle_remote_bytes", s, METRIC_REMOTE_BYTES);
    put_metric(w, "shuffle_fetch_wait_ms", s, METRIC_FETCH_WAIT_MS);
    put_metric(w, "shuffle_write_bytes", s, METRIC_SHUFFLE_WRITE_BYTES);
    put_metric(w, "shuffle_write_rows", s, METRIC_SHUFFLE_WRITE_ROWS);
    put_metric(w, "shuffle_write_ns", s, METRIC_SHUFFLE_WRITE_NS);
    put_metric(w, "spill_memory_bytes", s, METRIC_SPILL_MEMORY_BYTES);
    put_metric(w, "spill_disk_bytes", s, METRIC_SPILL_DISK_BYTES);
    put_metric(w, "peak_execution_bytes", s, METRIC_PEAK_EXECUTION_BYTES);
}

void json_stage(struct json_writer *w, const struct analysis *a, uint32_t ix)
{
    const struct stage *s = &a->app.stages[ix];
    uint32_t ran_ix = a->lineage.source_ix[ix];

    json_object(w);
    json_put_int(w, "stage_id", s->stage_id);
    json_put_int(w, "attempt", s->attempt);
    json_put_text(w, "status", sv(stage_status_name(s->status)));
    json_put_text(w, "name", s->name);
    json_put_text(w, "description", or_null(s->description));
    json_put_int(w, "sql_execution_id", s->sql_execution_id);
    json_key(w, "job_ids");
    json_array(w);
    for (size_t i = 0; i < s->n_jobs; i++)
        json_int(w, a->app.jobs[s->job_ixs[i]].job_id);
    json_array_end(w);
    put_parents(w, a, ix);
    if (s->status == STAGE_SKIPPED) /* which stage did its work */
        json_put_int(w, "ran_as_stage_id",
                     ran_ix != IX_NONE && ran_ix != ix ? a->app.stages[ran_ix].stage_id
                                                       : APP_NONE);
    json_put_int(w, "tasks", s->tasks);
    json_put_int(w, "completed_tasks", s->completed_tasks);
    json_put_int(w, "failed_tasks", s->failed_tasks);
    json_put_int(w, "killed_tasks", s->killed_tasks);
    json_put_int(w, "speculative_tasks", s->speculative_tasks);
    json_put_int(w, "submitted_ms", s->submitted_ms);
    json_put_int(w, "completed_ms", s->completed_ms);
    json_put_int(w, "wall_ms", span(s->submitted_ms, s->completed_ms));
    put_stage_metrics(w, s);
    put_failure(w, "failure", "failure_line", s->failure);
    put_all_quantiles(w, s);
    json_put_bool(w, "critical", a->ledgers.stages[ix].critical);
    json_put_int(w, "slack_ms", stage_ran(s) ? a->ledgers.stages[ix].slack_ms : APP_NONE);
    json_put_int(w, "path_ms", ledger_stage_wall_ms(&a->ledgers, ix));
    json_object_end(w);
}

/* --- executors
 * ------------------------------------------------------------------------------ */

static void put_executor(struct json_writer *w, const struct executor *e)
{
    int64_t ended = e->completed_tasks + e->failed_tasks + e->killed_tasks;

    json_object(w);
    json_put_text(w, "executor_id", e->id);
    json_put_text(w, "host", e->host);
    json_put_int(w, "cores", e->cores);
    json_put_int(w, "added_ms", e->added_ms);
    json_put_int(w, "removed_ms", e->removed_ms);
    json_put_text(w, "removed_reason", e->removed_reason);
    json_put_bool(w, "lost", e->lost);
    json_put_bool(w, "driver", e->is_driver);
    json_put_int(w, "tasks", max_i64(e->started_tasks, ended));
    json_put_int(w, "failed_tasks", e->failed_tasks);
    json_put_int(w, "run_ms", e->total[METRIC_RUN_MS]);
    json_put_int(w, "duration_ms", e->duration_ms);
    json_put_int(w, "gc_ms", e->total[METRIC_GC_MS]);
    json_put_int(w, "input_bytes", e->total[METRIC_INPUT_BYTES]);
    json_put_int(w, "shuffle_read_bytes",
                 add_sat(e->total[METRIC_REMOTE_BYTES], e->total[METRIC_LOCAL_BYTES]));
    json_put_int(w, "shuffle_write_bytes", e->total[METRIC_SHUFFLE_WRITE_BYTES]);
    json_put_int(w, "max_memory_bytes", e->max_memory_bytes);
    json_key(w, "peaks");
    json_object(w);
    for (int m = 0; m < PEAK_COUNT; m++) {
        if (e->peaks.seen & 1u << m)
            json_put_int(w, executor_metric_name((enum executor_metric)m),
                         e->peaks.value[m]);
    }
    json_object_end(w);
    json_object_end(w);
}

/* --- SQL
 * -------------------------------------------------------------------------------------
 */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Ids of the stages whose tasks updated a metric of the node, ascending. */
static void put_node_stages(struct json_writer *w, const struct app *app,
                            const struct plan_node *node, struct arena *arena)
{
    uint32_t *all = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < node->n_metrics; i++) {
        uint32_t *ixs = NULL;
        size_t more = app_accum_stages(app, node->metrics[i].accumulator_id, arena, &ixs);

        if (n + more > cap) {
            cap = (n + more) * 2;
            uint32_t *room = arena_array(arena, cap, sizeof *room);
            if (n)
                memcpy(room, all, n * sizeof *room);
            all = room;
        }
        if (more)
            memcpy(all + n, ixs, more * sizeof *ixs);
        n += more;
    }
    if (n)
        qsort(all, n, sizeof *all, by_number);
    json_key(w, "stage_ids");
    json_array(w);
    for (size_t i = 0; i < n; i++) {
        /* stages are sorted by id: attempts of one are neighbours */
        if (i == 0 || app->stages[all[i]].stage_id != app->stages[all[i - 1]].stage_id)
            json_int(w, app->stages[all[i]].stage_id);
    }
    json_array_end(w);
}

static bool named_before(const struct plan_node *node, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (sv_eq(node->metrics[k].name, node->metrics[i].name))
            return true;
    }
    return false;
}

static void put_node(struct json_writer *w, const struct app *app, const struct sql *q,
                     const struct plan_node *node, struct arena *arena)
{
    json_object(w);
    json_put_text(w, "name", node->name);
    json_put_text(w, "detail", node->detail);
    put_node_stages(w, app, node, arena);
    json_key(w, "metrics");
    json_object(w);
    for (size_t i = 0; i < node->n_metrics; i++) {
        const struct plan_metric *m = &node->metrics[i];

        if (named_before(node, i))
            continue; /* a key twice in one object helps nobody */
        struct accum_summary sum = app_sql_accum(app, q, m->accumulator_id, m->type);
        json_key_text(w, m->name);
        json_object(w);
        json_put_int(w, "total", sum.n ? sum.total : APP_NONE);
        json_put_int(w, "min", sum.n ? sum.min : APP_NONE);
        json_put_int(w, "median", sum.n ? sum.median : APP_NONE);
        json_put_int(w, "max", sum.n ? sum.max : APP_NONE);
        json_put_text(w, "type", m->type);
        json_object_end(w);
    }
    json_object_end(w);
    json_key(w, "children");
    json_array(w);
    for (size_t i = 0; i < node->n_children; i++)
        put_node(w, app, q, node->children[i], arena);
    json_array_end(w);
    json_object_end(w);
}

void json_sql(struct json_writer *w, const struct app *app, const struct sql *q,
              struct arena *arena)
{
    int64_t completed_ms = q->ended ? q->completed_ms : APP_NONE;

    json_object(w);
    json_put_int(w, "execution_id", q->execution_id);
    json_put_int(w, "root_execution_id", q->root_id);
    json_put_text(w, "description", q->description);
    json_put_text(w, "status", sv(sql_status_name(q->status)));
    json_put_int(w, "submitted_ms", q->submitted_ms);
    json_put_int(w, "completed_ms", completed_ms);
    json_put_int(w, "wall_ms", span(q->submitted_ms, completed_ms));
    json_key(w, "job_ids");
    json_array(w);
    for (size_t i = 0; i < q->n_jobs; i++)
        json_int(w, app->jobs[q->job_ixs[i]].job_id);
    json_array_end(w);
    put_failure(w, "error", "error_line", or_null(q->error));
    json_put_int(w, "plan_versions", (int64_t)q->n_plans);
    json_key(w, "plan");
    if (sql_final_plan(q))
        put_node(w, app, q, sql_final_plan(q), arena);
    else
        json_null(w);
    json_object_end(w);
}

/* --- settings and findings
 * ---------------------------------------------------------------------- */

void json_setting(struct json_writer *w, const struct setting *s)
{
    json_object(w);
    json_put_text(w, "key", s->key);
    json_put_text(w, "value", s->value);
    json_put_text(w, "source",
                  s->source == CONF_UNKNOWN ? (struct sv){ 0 }
                                            : sv(conf_source_name(s->source)));
    json_put_text(w, "scope", or_null(s->scope));
    json_object_end(w);
}

static void put_settings(struct json_writer *w, const struct app *app,
                         struct arena *arena)
{
    struct setting_list list = { 0 };

    conf_list(app, &list, arena);
    json_key(w, "settings");
    json_array(w);
    for (size_t i = 0; i < list.n; i++)
        json_setting(w, &list.items[i]);
    json_array_end(w);
}

static void put_kvs(struct json_writer *w, const char *key, const struct kvs *kvs)
{
    json_key(w, key);
    json_object(w);
    for (size_t i = 0; i < kvs->n; i++) {
        json_key_text(w, kvs->items[i].key);
        json_text(w, kvs->items[i].value);
    }
    json_object_end(w);
}

static void put_strings(struct json_writer *w, const char *key, const char *const *items,
                        size_t n)
{
    json_key(w, key);
    json_array(w);
    for (size_t i = 0; i < n; i++)
        json_text(w, sv(items[i]));
    json_array_end(w);
}

static void put_where(struct json_writer *w, const struct app *app,
                      const struct finding *f)
{
    json_key(w, "where");
    json_object(w);
    json_put_bool(w, "app", f->app_wide);
    put_ids(w, "job_ids", &(struct ids){ f->job_ids, f->n_jobs });
    json_key(w, "stage_ids");
    json_array(w);
    for (size_t i = 0; i < f->n_stages; i++) {
        int64_t id = app->stages[f->stage_ixs[i]].stage_id;

        /* attempts of one stage are one id here */
        if (i == 0 || app->stages[f->stage_ixs[i - 1]].stage_id != id)
            json_int(w, id);
    }
    json_array_end(w);
    put_ids(w, "sql_execution_ids", &(struct ids){ f->sql_ids, f->n_sqls });
    json_key(w, "executor_ids");
    json_array(w);
    for (size_t i = 0; i < f->n_executors; i++)
        json_text(w, f->executor_ids[i]);
    json_array_end(w);
    json_put_text(w, "operator", f->operator);
    json_object_end(w);
}

static void put_evidence(struct json_writer *w, const struct finding *f)
{
    json_key(w, "evidence");
    json_object(w);
    for (size_t i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];

        json_key(w, e->key);
        if (e->is_text)
            json_text(w, e->text);
        else if (e->number == floor(e->number) && fabs(e->number) < 9007199254740992.0)
            json_int(w, (int64_t)e->number);
        else
            json_rounded(w, e->number, 6);
    }
    json_object_end(w);
}

static void put_chain(struct json_writer *w, const struct finding *f)
{
    json_key(w, "chain");
    json_array(w);
    for (size_t i = 0; i < f->n_chain; i++) {
        json_object(w);
        json_put_text(w, "link", sv(chain_name(f->chain[i].kind)));
        json_put_text(w, "text", sv(f->chain[i].text));
        json_object_end(w);
    }
    json_array_end(w);
}

void json_finding(struct json_writer *w, const struct app *app, const struct finding *f)
{
    json_object(w);
    json_put_text(w, "id", sv(f->rule->id));
    json_put_text(w, "severity", sv(severity_name(f->severity)));
    json_put_text(w, "question", sv(question_name(f->rule->question)));
    put_where(w, app, f);
    json_put_text(w, "title", sv(f->title));
    json_put_text(w, "cause", sv(f->cause));
    put_evidence(w, f);
    put_chain(w, f);
    json_key(w, "saves_ms");
    if (f->has_saving) {
        json_object(w);
        json_put_int(w, "low", f->low_ms);
        json_put_int(w, "expected", f->expected_ms);
        json_put_int(w, "high", f->high_ms);
        json_object_end(w);
    } else {
        json_null(w);
    }
    json_put_text(w, "basis", sv(basis_name(f->basis)));
    json_put_text(w, "confidence", sv(confidence_name(f->confidence)));
    json_put_text(w, "follows", f->follows ? sv(f->follows->id) : (struct sv){ 0 });
    json_key(w, "remedy");
    json_object(w);
    put_kvs(w, "settings", &f->settings);
    put_strings(w, "sql", f->sql, f->n_sql);
    put_strings(w, "code", f->code, f->n_code);
    json_put_text(w, "text", sv(f->text));
    json_object_end(w);
    json_put_text(w, "risk", sv(f->risk));
    json_put_text(w, "verify", sv(f->verify));
    json_object_end(w);
}

static void put_range(struct json_writer *w, const char *key, int64_t low,
                      int64_t expected, int64_t high)
{
    json_key(w, key);
    json_object(w);
    json_put_int(w, "low", low);
    json_put_int(w, "expected", expected);
    json_put_int(w, "high", high);
    json_object_end(w);
}

static void put_plan_of_changes(struct json_writer *w, struct report *r)
{
    struct kvs settings = report_settings(r);

    json_key(w, "plan_of_changes");
    json_object(w);
    json_key(w, "finding_ids");
    json_array(w);
    for (size_t i = 0; i < r->findings.n; i++) {
        const struct finding *f = &r->findings.items[i];
        bool before = false;

        for (size_t k = 0; k < i && !before; k++)
            before =
                r->findings.items[k].rule == f->rule && r->findings.items[k].has_saving;
        if (f->has_saving && !f->note && !before)
            json_text(w, sv(f->rule->id));
    }
    json_array_end(w);
    put_kvs(w, "settings", &settings);
    json_put_int(w, "wall_ms_now", span(r->a->app.start_ms, r->a->app.end_ms));
    if (r->saving_ms > 0) {
        put_range(w, "wall_ms_predicted", r->findings.wall_ms.low,
                  r->findings.wall_ms.expected, r->findings.wall_ms.high);
    } else {
        json_put_null(w, "wall_ms_predicted");
    }
    json_object_end(w);
}

static void put_stage_of(struct json_writer *w, const char *key, const struct app *app,
                         uint32_t ix)
{
    json_put_int(w, key, ix == IX_NONE ? APP_NONE : app->stages[ix].stage_id);
}

static void put_more_data(struct json_writer *w, const struct outlook *o)
{
    if (!o->data_known) {
        json_put_null(w, "data");
        return;
    }
    json_key(w, "data");
    json_array(w);
    json_object(w);
    json_put_int(w, "factor", OUTLOOK_DATA);
    put_range(w, "wall_ms", o->data_ms.low, o->data_ms.expected, o->data_ms.high);
    if (o->breaks)
        json_put_text(w, "breaks_first", sv(o->breaks));
    else
        json_put_null(w, "breaks_first");
    json_object_end(w);
    json_array_end(w);
}

static void put_scales(struct json_writer *w, struct report *r)
{
    const struct outlook *o = report_outlook(r);

    json_key(w, "scales");
    json_object(w);
    if (!o->known) {
        json_put_null(w, "replay_error");
        json_put_null(w, "data");
        json_put_null(w, "cores");
    } else {
        json_key(w, "replay_error");
        json_rounded(w, o->replay_error, 3);
        put_more_data(w, o);
        json_key(w, "cores");
        json_array(w);
        json_object(w);
        json_put_int(w, "factor", OUTLOOK_SLOTS);
        put_range(w, "wall_ms", o->slots_ms.low, o->slots_ms.expected, o->slots_ms.high);
        json_object_end(w);
        json_array_end(w);
    }
    json_object_end(w);
}

static void put_stage_loss(struct json_writer *w, const struct app *app,
                           const struct loss *l, uint32_t ix)
{
    const struct stage_loss *k = &l->stages[ix];

    json_object(w);
    json_put_int(w, "stage_id", app->stages[ix].stage_id);
    json_put_int(w, "attempt", app->stages[ix].attempt);
    json_put_text(w, "executor_id", app->executors[k->executor_ix].id);
    json_put_int(w, "wall_ms", k->wall_ms);
    json_put_int(w, "task_ms", k->task_ms);
    json_put_int(w, "tasks", k->tasks);
    json_put_int(w, "stages_again", k->stages);
    json_object_end(w);
}

/* What losing one executor costs: on average, at worst, and stage by stage. */
static void put_loss(struct json_writer *w, struct report *r)
{
    static const char *const known[] = {
        [LOSS_NOT_TOLD] = "unknown", [LOSS_LOCAL] = "local", [LOSS_KNOWN] = "known"
    };
    const struct loss *l = report_loss(r);
    const struct app *app = &r->a->app;
    bool any = l->known == LOSS_KNOWN && l->worst_ix != IX_NONE;

    json_key(w, "executor_loss");
    json_object(w);
    json_put_text(w, "basis", sv(known[l->known]));
    json_put_int(w, "mean_wall_ms", any ? l->mean_ms : APP_NONE);
    json_key(w, "worst");
    if (any)
        put_stage_loss(w, app, l, l->worst_ix);
    else
        json_null(w);
    if (l->keeper)
        json_put_text(w, "shuffle_kept_by", sv(l->keeper));
    else
        json_put_null(w, "shuffle_kept_by");
    json_put_bool(w, "decommissions", l->decommissions);
    json_put_bool(w, "at_least", l->bounded);
    json_key(w, "stages");
    json_array(w);
    for (uint32_t ix = 0; any && ix < app->n_stages; ix++)
        if (l->stages[ix].executor_ix != IX_NONE)
            put_stage_loss(w, app, l, ix);
    json_array_end(w);
    json_object_end(w);
}

static void put_writes(struct json_writer *w, struct report *r)
{
    const struct writes *all = report_writes(r);

    json_put_int(w, "writes", (int64_t)all->all);
    json_key(w, "unsafe_writes");
    json_array(w);
    for (size_t i = 0; i < all->n; i++) {
        json_object(w);
        json_put_int(w, "sql_execution_id", all->items[i].q->execution_id);
        json_put_text(w, "operator", all->items[i].node->name);
        json_put_text(w, "why", sv(write_words(all->items[i].trouble, &r->arena)));
        json_put_int(w, "bad_attempts", all->items[i].bad_attempts);
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_fit(struct json_writer *w, const struct fit *f)
{
    json_key(w, "fit");
    json_object(w);
    if (f->verdict == FIT_UNKNOWN)
        json_put_null(w, "verdict");
    else
        json_put_text(w, "verdict", sv(fit_verdict_name(f->verdict)));
    json_put_text(w, "why", sv(f->why));
    if (f->instead)
        json_put_text(w, "instead", sv(f->instead));
    else
        json_put_null(w, "instead");
    json_put_int(w, "data_bytes", f->data_bytes);
    json_put_int(w, "cpu_ms", f->cpu_ms);
    json_put_int(w, "work_wall_ms", f->work_ms);
    json_put_int(w, "running_wall_ms", f->running_ms);
    json_put_int(w, "queries", f->queries);
    json_put_int(w, "short_queries", f->short_queries);
    json_put_int(w, "median_query_ms", f->query_ms);
    json_put_int(w, "batches", f->batches);
    json_put_int(w, "batch_interval_ms", f->batch_interval_ms);
    json_object_end(w);
}

static void put_questions(struct json_writer *w, struct report *r)
{
    const struct facts *f = &r->facts;
    const struct app *app = &r->a->app;

    json_key(w, "questions");
    json_object(w);
    json_key(w, "moves");
    json_object(w);
    json_put_int(w, "input_bytes", f->input_bytes);
    json_put_int(w, "input_rows", f->input_rows);
    json_put_int(w, "input_files", f->input_files);
    json_put_int(w, "shuffle_write_bytes", f->shuffle_write_bytes);
    json_put_int(w, "shuffle_read_bytes", f->shuffle_read_bytes);
    json_put_int(w, "exchanges", f->exchanges);
    put_stage_of(w, "largest_shuffle_from_stage_id", app, f->edge_from_ix);
    put_stage_of(w, "largest_shuffle_to_stage_id", app, f->edge_to_ix);
    json_put_int(w, "largest_shuffle_bytes", f->edge_bytes);
    json_put_int(w, "broadcasts", f->broadcasts);
    json_put_int(w, "broadcast_bytes", f->broadcast_bytes);
    json_put_int(w, "result_bytes", f->result_bytes);
    json_put_int(w, "output_bytes", f->output_bytes);
    json_put_int(w, "output_rows", f->output_rows);
    json_put_int(w, "output_files", f->output_files);
    json_object_end(w);
    json_key(w, "spills");
    json_object(w);
    json_put_int(w, "memory_bytes", f->spill_memory_bytes);
    json_put_int(w, "disk_bytes", f->spill_disk_bytes);
    json_put_int(w, "stages", (int64_t)f->spilling_stages);
    json_key(w, "largest_stage_ids");
    json_array(w);
    for (size_t i = 0; i < f->n_spill; i++)
        json_int(w, app->stages[f->spill_ix[i]].stage_id);
    json_array_end(w);
    json_put_int(w, "peak_execution_bytes", f->peak_bytes);
    put_stage_of(w, "peak_stage_id", app, f->peak_ix);
    json_put_int(w, "cache_peak_memory_bytes", f->cache_memory_bytes);
    json_put_int(w, "cache_peak_disk_bytes", f->cache_disk_bytes);
    json_object_end(w);
    json_key(w, "fails");
    json_object(w);
    json_put_int(w, "failed_tasks", f->failed_tasks);
    json_put_int(w, "killed_tasks", f->killed_tasks);
    json_put_int(w, "speculative_tasks", f->speculative_tasks);
    json_put_int(w, "failed_stage_attempts", f->failed_attempts);
    json_put_int(w, "retried_stages", f->retried_stages);
    json_put_int(w, "failed_jobs", f->failed_jobs);
    json_put_int(w, "cancelled_jobs", f->cancelled_jobs);
    json_put_int(w, "lost_executors", f->lost_executors);
    json_put_int(w, "retry_wall_ms", f->retry_ms);
    put_loss(w, r);
    put_writes(w, r);
    json_object_end(w);
    put_scales(w, r);
    put_fit(w, report_fit(r));
    json_object_end(w);
}

static void put_judgement(struct json_writer *w, struct report *r)
{
    json_key(w, "findings");
    json_array(w);
    for (size_t i = 0; i < r->findings.n; i++)
        json_finding(w, &r->a->app, &r->findings.items[i]);
    json_array_end(w);
    json_key(w, "not_judged");
    json_array(w);
    for (size_t i = 0; i < r->findings.n_not_judged; i++) {
        const struct not_judged *n = &r->findings.not_judged[i];

        json_object(w);
        json_put_text(w, "id", sv(n->rule->id));
        json_put_text(w, "why", sv(n->why));
        json_put_text(w, "enable", sv(n->enable));
        json_object_end(w);
    }
    json_array_end(w);
    put_plan_of_changes(w, r);
    put_questions(w, r);
}

void render_json(struct strbuf *out, struct report *r)
{
    const struct app *app = &r->a->app;
    struct json_writer w = { .out = out };

    json_object(&w);
    json_put_text(&w, "schema", sv(ANALYSIS_SCHEMA));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_put_text(&w, "log", r->path);
    put_application(&w, app);
    json_key(&w, "completeness");
    json_completeness(&w, app);
    put_ledgers(&w, &r->a->ledgers);
    put_path(&w, r->a);
    json_key(&w, "jobs");
    json_array(&w);
    app_each_job (app, j)
        json_job(&w, app, j);
    json_array_end(&w);
    json_key(&w, "stages");
    json_array(&w);
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        json_stage(&w, r->a, ix);
    json_array_end(&w);
    json_key(&w, "executors");
    json_array(&w);
    app_each_executor (app, e)
        put_executor(&w, e);
    json_array_end(&w);
    json_key(&w, "sql");
    json_array(&w);
    app_each_sql (app, q)
        json_sql(&w, app, q, &r->arena);
    json_array_end(&w);
    put_settings(&w, app, &r->arena);
    put_judgement(&w, r);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}
