/* What is to be seen in every log there is: a table with one row for each log of the
 * corpus (made by logs_table.py with Python's json, not from our own output), what is
 * damaged in those that are, and that the number of threads changes nothing. */
#include "base/map.h"
#include "tests/unit/load_helper.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static const struct row {
    const char *path, *app_id;
    int64_t lines, bad_lines, first_bad_line;
    int64_t task_starts, task_ends;
    int64_t completed, failed, killed, resubmitted; /* ends, by reason */
    int64_t ends_without_start;
    int64_t jobs, jobs_without_start, stages, sqls, executors_removed;
    bool finished, stream_cut;
    int64_t run_ms; /* over tasks that ended with metrics */
} rows[] = {
#include "tests/unit/logs_table.h"
};

/* Damage and notes, by hand. note: part of the one note there is; NULL: no notes. */
static const struct damaged {
    const char *path;
    int64_t not_json;
    bool truncated, in_progress;
    const char *note;
} damaged[] = {
    { "real/spark-3.1.1-malformed-line.zstd", 1, false, false, NULL },
    /* ends between two lines: no ApplicationEnd in a file that says it is finished */
    { "real/spark-3.1.1-truncated", 0, true, true, NULL },
    /* a cluster that lives on: Databricks logs have no end */
    { "real/databricks-3.4.1-nds-q88.zstd", 0, false, true, NULL },
    { "real/databricks-rolling", 0, false, false, NULL },
    { "labelled/killed-in-progress", 0, false, true, NULL },
    { "labelled/rolled-several-files", 0, false, false, NULL },
    { "labelled/rolled-compacted", 0, false, false,
      "compacted, events of finished jobs" },
};

static bool load_shared(struct app *app, const char *name, int threads)
{
    struct err err = { 0 };
    char path[512];

    snprintf(path, sizeof path, SHARED_LOGS "/%s", name);
    if (!file_is_there(path))
        return false;
    if (!try_load(app, path, 0, threads, NULL, &err))
        fail_msg("%s", err.text);
    return true;
}

struct seen {
    const char *name, *what;
    int wrong;
};

static void expect(struct seen *s, const char *what, int64_t expected, int64_t got)
{
    if (expected == got)
        return;
    print_error("%s: %s: %" PRId64 " expected, %" PRId64 " seen\n", s->name, what,
                expected, got);
    s->wrong++;
}

static void expect_row(struct seen *s, const struct row *r, const struct app *app)
{
    int64_t completed = 0, failed = 0, killed = 0, resubmitted = 0, run_ms = 0, ended = 0;
    int64_t unstarted = 0, removed = 0, tasks = 0;

    app_each_stage (app, stage) {
        completed += stage->completed_tasks;
        failed += stage->failed_tasks;
        killed += stage->killed_tasks;
        run_ms += stage->total[METRIC_RUN_MS];
        tasks += stage->task.n;
        for (uint32_t row = 0; row < stage->task.n; row++) {
            resubmitted += task_flag(&stage->task, row, TASK_FLAG_RESUBMITTED);
            ended += task_flag(&stage->task, row, TASK_FLAG_ENDED);
        }
    }
    app_each_job (app, j)
        unstarted += !j->started;
    app_each_executor (app, x)
        removed += x->removed_ms != APP_NONE;
    if (!sv_is(app->id, r->app_id)) {
        print_error("%s: application %s\n", s->name, app->id.p ? app->id.p : "(none)");
        s->wrong++;
    }
    expect(s, "lines", r->lines, app->complete.lines);
    expect(s, "bad lines", r->bad_lines, app->complete.bad_lines);
    expect(s, "events", r->lines - r->bad_lines, app->complete.events);
    expect(s, "TaskStart", r->task_starts, app->complete.tasks_started);
    expect(s, "TaskEnd", r->task_ends, app->complete.tasks_ended);
    expect(s, "rows of tasks", r->task_starts + r->ends_without_start, tasks);
    expect(s, "tasks that ended", r->task_ends - r->resubmitted, ended);
    expect(s, "ends with success", r->completed, completed);
    expect(s, "failed ends", r->failed, failed);
    expect(s, "killed ends", r->killed, killed);
    expect(s, "resubmitted", r->resubmitted, resubmitted);
    expect(s, "ends without start", r->ends_without_start,
           app->complete.orphan_task_ends);
    expect(s, "jobs", r->jobs, (int64_t)app->n_jobs);
    expect(s, "jobs without start", r->jobs_without_start, unstarted);
    expect(s, "stage attempts", r->stages, (int64_t)app->n_stages);
    expect(s, "SQL executions", r->sqls, (int64_t)app->n_sqls);
    expect(s, "executors removed", r->executors_removed, removed);
    expect(s, "finished", r->finished, app->finished);
    expect(s, "run ms", r->run_ms, run_ms);
    if (r->stream_cut)
        expect(s, "truncated", true, app->complete.truncated);
}

/* --- damage ------------------------------------------------------------------------ */

static void damage_is_counted_and_located(void **state)
{
    struct seen s = { 0 };
    int loaded = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        const struct damaged *d = &damaged[i];
        struct app app = { 0 };
        bool noted = d->note == NULL;

        if (!load_shared(&app, d->path, 0))
            continue;
        s.name = d->path;
        expect(&s, "not JSON", d->not_json, app.complete.damage[DAMAGE_NOT_JSON].count);
        expect(&s, "truncated", d->truncated, app.complete.truncated);
        expect(&s, "in progress", d->in_progress, app.complete.in_progress);
        for (size_t k = 0; k < app.complete.n_notes && d->note; k++)
            noted |= sv_has(app.complete.notes[k], d->note);
        expect(&s, "the note", true, noted);
        expect(&s, "notes", d->note != NULL, (int64_t)app.complete.n_notes);
        if (d->not_json)
            for (size_t k = 0; k < ARRAY_LEN(rows); k++)
                if (strcmp(rows[k].path, d->path) == 0)
                    expect(&s, "line of the first bad line", rows[k].first_bad_line,
                           app.complete.damage[DAMAGE_NOT_JSON].line);
        app_release(&app);
        loaded++;
    }
    if (loaded == 0)
        skip();
    assert_int_equal(s.wrong, 0);
}

/* --- threads -------------------------------------------------------------------------
 */

static void digest_number(uint64_t *h, int64_t v)
{
    *h = (*h ^ (uint64_t)v) * 0x100000001b3u;
    *h ^= *h >> 29;
}

static void digest_text(uint64_t *h, struct sv text)
{
    digest_number(h, text.p ? (int64_t)text.len : -1);
    digest_number(h, text.p ? (int64_t)sv_hash(text) : 0);
}

static void digest_kvs(uint64_t *h, const struct kvs *k)
{
    for (size_t i = 0; i < k->n; i++) {
        digest_text(h, k->items[i].key);
        digest_text(h, k->items[i].value);
    }
}

static void digest_plan(uint64_t *h, const struct plan_node *n)
{
    digest_text(h, n->name);
    digest_text(h, n->detail);
    digest_kvs(h, &n->metadata);
    for (size_t i = 0; i < n->n_metrics; i++) {
        digest_number(h, n->metrics[i].accumulator_id);
        digest_text(h, n->metrics[i].name);
        digest_text(h, n->metrics[i].type);
    }
    for (size_t i = 0; i < n->n_children; i++)
        digest_plan(h, n->children[i]);
}

static void digest_stage(uint64_t *h, const struct stage *s)
{
    const int64_t numbers[] = {
        s->stage_id,
        s->attempt,
        s->status,
        s->tasks,
        s->submitted_ms,
        s->completed_ms,
        s->first_launch_ms,
        s->resource_profile_id,
        s->ran_for_job_ix,
        s->sql_execution_id,
        s->barrier,
        s->completed_tasks,
        s->failed_tasks,
        s->killed_tasks,
        s->speculative_tasks,
        s->completed_indices,
        s->metrics_seen,
        s->scheduler_delay_ms,
        s->getting_result_ms,
        s->duration_ms,
        s->peaks.seen,
        s->slots,
    };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        digest_number(h, numbers[i]);
    digest_text(h, s->name);
    digest_text(h, s->details);
    digest_text(h, s->failure);
    for (size_t i = 0; i < s->n_jobs; i++)
        digest_number(h, s->job_ixs[i]);
    for (size_t i = 0; i < s->parent_ids.n; i++)
        digest_number(h, s->parent_ids.items[i]);
    for (size_t i = 0; i < s->n_rdds; i++) {
        digest_number(h, s->rdds[i].id);
        digest_text(h, s->rdds[i].name);
        digest_text(h, s->rdds[i].scope);
    }
    for (int m = 0; m < METRIC_COUNT; m++)
        digest_number(h, s->total[m]);
    for (int m = 0; m < PEAK_COUNT; m++)
        digest_number(h, s->peaks.value[m]);
    for (uint32_t row = 0; row < s->task.n; row++) {
        for (int f = 0; f < TASK_FIELD_COUNT; f++)
            digest_number(h, task_field(&s->task, row, (enum task_field)f));
        for (int m = 0; m < METRIC_COUNT; m++)
            digest_number(h, task_metric(&s->task, row, (enum task_metric)m));
    }
    for (size_t i = 0; i < s->n_accums; i++) {
        digest_number(h, s->accums[i].accumulator_id);
        for (uint32_t slot = 0; slot < s->slots; slot++)
            digest_number(h, column_get(&s->accums[i].value, slot));
    }
    for (size_t i = 0; i < s->n_failures; i++) {
        digest_number(h, s->failures[i].reason);
        digest_number(h, s->failures[i].tasks);
        digest_number(h, s->failures[i].first_row);
        digest_text(h, s->failures[i].text);
    }
}

static void digest_job(uint64_t *h, const struct job *j)
{
    const int64_t numbers[] = { j->job_id,           j->status,
                                j->submitted_ms,     j->completed_ms,
                                j->sql_execution_id, j->tasks,
                                j->completed_tasks,  j->failed_tasks,
                                j->killed_tasks,     j->completed_indices,
                                j->completed_stages, j->failed_stages,
                                j->started,          j->ended };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        digest_number(h, numbers[i]);
    digest_text(h, j->name);
    digest_text(h, j->description);
    digest_text(h, j->failure);
    digest_kvs(h, &j->properties);
    for (size_t i = 0; i < j->stage_ids.n; i++)
        digest_number(h, j->stage_ids.items[i]);
    for (size_t i = 0; i < j->skipped_stage_ids.n; i++)
        digest_number(h, j->skipped_stage_ids.items[i]);
}

static void digest_sql(uint64_t *h, const struct sql *q)
{
    digest_number(h, q->execution_id);
    digest_number(h, q->root_id);
    digest_number(h, q->submitted_ms);
    digest_number(h, q->completed_ms);
    digest_number(h, q->status);
    digest_text(h, q->description);
    digest_text(h, q->error);
    for (size_t i = 0; i < q->n_jobs; i++)
        digest_number(h, q->job_ixs[i]);
    for (size_t i = 0; i < q->n_plans; i++)
        digest_plan(h, q->plans[i]);
    digest_kvs(h, &q->modified_configs);
}

static uint64_t digest(const struct app *app)
{
    const struct completeness *c = &app->complete;
    uint64_t h = 0xcbf29ce484222325u;

    digest_text(&h, app->id);
    digest_text(&h, app->name);
    digest_text(&h, app->spark_version);
    digest_number(&h, app->start_ms);
    digest_number(&h, app->end_ms);
    digest_number(&h, app->cores_peak);
    digest_number(&h, app->executors_peak);
    app_each_stage (app, s)
        digest_stage(&h, s);
    app_each_job (app, j)
        digest_job(&h, j);
    app_each_sql (app, q)
        digest_sql(&h, q);
    app_each_executor (app, x) {
        digest_text(&h, x->id);
        digest_text(&h, x->host);
        digest_number(&h, x->added_ms);
        digest_number(&h, x->removed_ms);
        digest_number(&h, x->started_tasks);
        digest_number(&h, x->duration_ms);
        for (int m = 0; m < METRIC_COUNT; m++)
            digest_number(&h, x->total[m]);
    }
    for (size_t i = 0; i < app->n_driver_accums; i++) {
        digest_number(&h, app->driver_accums[i].accumulator_id);
        digest_number(&h, app->driver_accums[i].execution_id);
        digest_number(&h, app->driver_accums[i].value);
    }
    for (size_t i = 0; i < app->n_cached; i++) {
        digest_number(&h, app->cached[i].rdd_id);
        digest_number(&h, app->cached[i].memory_bytes);
        digest_number(&h, app->cached[i].peak_memory_bytes);
        digest_number(&h, app->cached[i].dropped_blocks);
    }
    digest_kvs(&h, &app->spark);
    digest_number(&h, c->lines);
    digest_number(&h, c->events);
    digest_number(&h, c->bad_lines);
    digest_number(&h, c->unknown_events);
    digest_number(&h, c->bytes);
    for (size_t i = 0; i < c->n_notes; i++)
        digest_text(&h, c->notes[i]);
    for (size_t i = 0; i < c->n_unknown; i++) {
        digest_text(&h, c->unknown[i].name);
        digest_number(&h, c->unknown[i].count);
    }
    for (int d = 0; d < DAMAGE_COUNT; d++) {
        digest_number(&h, c->damage[d].count);
        digest_number(&h, c->damage[d].line);
        digest_number(&h, c->damage[d].offset);
    }
    return h;
}

/* One test for each row: what is in the log, with one thread and with four. */
static void log_shows_what_is_in_it(void **state)
{
    const struct row *r = *state;
    struct seen s = { .name = r->path };
    struct app one = { 0 }, four = { 0 };

    if (!load_shared(&one, r->path, 1))
        skip();
    expect_row(&s, r, &one);
    assert_true(load_shared(&four, r->path, 4));
    if (digest(&one) != digest(&four))
        fail_msg("%s: one thread and four threads disagree", r->path);
    app_release(&one);
    app_release(&four);
    assert_int_equal(s.wrong, 0);
}

/* --- damage done here ------------------------------------------------------------------
 */

#define MINIMAL "tests/data/minimal/app-minimal-0001"

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* The text with `with` before (or in place of) each newline from line `from` to `to`. */
static void rewrite_newlines(struct strbuf *out, const char *text, int from, int to,
                             const char *with)
{
    int line = 1;

    for (const char *p = text; *p; p++) {
        if (*p == '\n' && line >= from && line <= to)
            strbuf_addz(out, with);
        else
            strbuf_addc(out, *p);
        line += *p == '\n';
    }
}

static uint64_t digest_of_work(const struct app *app)
{
    uint64_t h = 0;

    app_each_stage (app, s)
        digest_stage(&h, s);
    app_each_job (app, j)
        digest_job(&h, j);
    app_each_sql (app, q)
        digest_sql(&h, q);
    return h;
}

static void harmless_damage_changes_no_number(void **state)
{
    static const struct {
        enum line_damage kind;
        int64_t count, lines, first_line;
    } cases[] = {
        { DAMAGE_CRLF, 67, 67, 1 },
        { DAMAGE_EMPTY, 1, 68, 11 },
        { DAMAGE_BOM, 1, 67, 1 },
        { DAMAGE_NOT_JSON, 1, 68, 4 },
    };
    char folder[] = "/tmp/spillway-logs-XXXXXX", path[64];
    char *text = slurp(MINIMAL, NULL);
    struct app clean = { 0 };
    struct seen s = { 0 };

    (void)state;
    assert_non_null(text);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/app", folder);
    must_load(&clean, MINIMAL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };
        struct app app = { 0 };

        if (cases[i].kind == DAMAGE_BOM)
            strbuf_addz(&out, "\xEF\xBB\xBF");
        if (cases[i].kind == DAMAGE_CRLF)
            rewrite_newlines(&out, text, 1, 1000, "\r\n");
        else if (cases[i].kind == DAMAGE_EMPTY)
            rewrite_newlines(&out, text, 10, 10, "\n\n");
        else if (cases[i].kind == DAMAGE_NOT_JSON)
            rewrite_newlines(&out, text, 3, 3,
                             "\n{\"Event\":\"SparkListenerTaskEnd\",\n");
        else
            strbuf_addz(&out, text);
        write_bytes(path, out.p, out.len);
        must_load(&app, path);
        s.name = line_damage_name(cases[i].kind);
        expect(&s, "count", cases[i].count, app.complete.damage[cases[i].kind].count);
        expect(&s, "first line", cases[i].first_line,
               app.complete.damage[cases[i].kind].line);
        expect(&s, "lines", cases[i].lines, app.complete.lines);
        expect(&s, "events", 67, app.complete.events);
        expect(&s, "digest", (int64_t)digest_of_work(&clean),
               (int64_t)digest_of_work(&app));
        app_release(&app);
        strbuf_release(&out);
    }
    unlink(path);
    rmdir(folder);
    app_release(&clean);
    free(text);
    assert_int_equal(s.wrong, 0);
}

static void torn_line_is_told(void **state)
{
    char folder[] = "/tmp/spillway-logs-XXXXXX", path[64];
    struct seen s = { .name = "cut after 30,000 bytes" };
    struct app app = { 0 };
    char *text = slurp(MINIMAL, NULL);
    int64_t whole = 0, last_begins = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/app", folder);
    write_bytes(path, text, 30000);
    for (int64_t i = 0; i < 30000; i++)
        if (text[i] == '\n') {
            whole++;
            last_begins = i + 1;
        }
    must_load(&app, path);
    expect(&s, "torn", 1, app.complete.damage[DAMAGE_TORN].count);
    expect(&s, "line", whole + 1, app.complete.damage[DAMAGE_TORN].line);
    expect(&s, "offset", last_begins, app.complete.damage[DAMAGE_TORN].offset);
    expect(&s, "events", whole, app.complete.events);
    expect(&s, "truncated", true, app.complete.truncated);
    expect(&s, "in progress", true, app.complete.in_progress);
    app_release(&app);
    free(text);
    unlink(path);
    rmdir(folder);
    assert_int_equal(s.wrong, 0);
}

static void missing_part_is_named(void **state)
{
    char folder[] = "/tmp/spillway-logs-XXXXXX", dir[64], path[128];
    const char *const names[] = { "events_1_app", "events_3_app", "appstatus_app" };
    char *text = slurp(MINIMAL, NULL);
    size_t half = (size_t)(strchr(text + 30000, '\n') + 1 - text);
    struct app app = { 0 };

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(dir, sizeof dir, "%s/eventlog_v2_app", folder);
    assert_int_equal(mkdir(dir, 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        write_bytes(path, i == 1 ? text + half : text,
                    i == 0   ? half
                    : i == 1 ? strlen(text) - half
                             : 0);
    }
    must_load(&app, dir);
    assert_int_equal(app.complete.events, 67);
    assert_int_equal(app.complete.n_missing_parts, 1);
    assert_true(sv_has(app.complete.missing_parts[0], "events_2"));
    app_release(&app);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    rmdir(folder);
    free(text);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(damage_is_counted_and_located),
        cmocka_unit_test(harmless_damage_changes_no_number),
        cmocka_unit_test(torn_line_is_told),
        cmocka_unit_test(missing_part_is_named),
    };
    struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(others)];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].path,
                                        .test_func = log_shows_what_is_in_it,
                                        .initial_state = (void *)(uintptr_t)&rows[i] };
    memcpy(tests + ARRAY_LEN(rows), others, sizeof others);
    return cmocka_run_group_tests_name("logs", tests, NULL, NULL);
}
