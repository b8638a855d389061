/* What can only be told when all events are in: order, statuses, spans, peaks.
 * See app_build.h. */
#include "analyzer/app_build.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- order ------------------------------------------------------------------------ */

static int by_stage(const void *x, const void *y)
{
    const struct stage *a = x, *b = y;

    if (a->stage_id != b->stage_id)
        return a->stage_id < b->stage_id ? -1 : 1;
    return a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

static int by_job(const void *x, const void *y)
{
    const struct job *a = x, *b = y;

    return a->job_id < b->job_id ? -1 : a->job_id > b->job_id;
}

static int by_execution(const void *x, const void *y)
{
    const struct sql *a = x, *b = y;

    return a->execution_id < b->execution_id ? -1 : a->execution_id > b->execution_id;
}

/* Jobs come in order of their ids but for damage; stages refer to them by position,
 * so those are put right as well. */
static void sort_jobs(struct app_builder *b)
{
    struct app *app = b->app;
    uint32_t *new_ix = xmalloc(mem_product(app->n_jobs, sizeof *new_ix));
    int64_t *old_ids = xmalloc(mem_product(app->n_jobs, sizeof *old_ids));

    for (size_t i = 0; i < app->n_jobs; i++)
        old_ids[i] = app->jobs[i].job_id;
    if (app->n_jobs)
        qsort(app->jobs, app->n_jobs, sizeof *app->jobs, by_job);
    for (size_t i = 0; i < app->n_jobs; i++)
        new_ix[i] = app_job_ix(app, old_ids[i]);
    for (size_t i = 0; i < app->n_stages; i++)
        if (app->stages[i].ran_for_job_ix != IX_NONE)
            app->stages[i].ran_for_job_ix = new_ix[app->stages[i].ran_for_job_ix];
    free(new_ix);
    free(old_ids);
}

/* --- who belongs to whom ------------------------------------------------------------ */

static void skipped_stages(struct app_builder *b)
{
    struct app *app = b->app;

    for (size_t i = 0; i < app->n_jobs; i++) {
        struct job *j = &app->jobs[i]; /* still in order of arrival, as job_stage_ran is */
        const bool *ran = b->job_stage_ran[i];

        j->skipped_stage_ids.items =
            arena_array(&app->arena, j->stage_ids.n, sizeof(int64_t));
        for (size_t k = 0; k < j->stage_ids.n; k++)
            if (!ran[k] && j->ended)
                j->skipped_stage_ids.items[j->skipped_stage_ids.n++] = j->stage_ids.items[k];
    }
}

/* Per stage id: the jobs that list it. Jobs are sorted, so lists come out ascending. */
static void jobs_of_stages(struct app *app)
{
    for (size_t i = 0; i < app->n_jobs; i++) {
        const struct job *j = &app->jobs[i];

        for (size_t k = 0; k < j->stage_ids.n; k++)
            for (uint32_t s = app_stage_last_ix(app, j->stage_ids.items[k]);
                 s != IX_NONE && app->stages[s].stage_id == j->stage_ids.items[k];
                 s = s ? s - 1 : IX_NONE)
                app->stages[s].n_jobs++;
    }
    for (size_t s = 0; s < app->n_stages; s++) {
        app->stages[s].job_ixs =
            arena_array(&app->arena, app->stages[s].n_jobs, sizeof(uint32_t));
        app->stages[s].n_jobs = 0;
    }
    for (size_t i = 0; i < app->n_jobs; i++) {
        const struct job *j = &app->jobs[i];

        for (size_t k = 0; k < j->stage_ids.n; k++)
            for (uint32_t s = app_stage_last_ix(app, j->stage_ids.items[k]);
                 s != IX_NONE && app->stages[s].stage_id == j->stage_ids.items[k];
                 s = s ? s - 1 : IX_NONE)
                app->stages[s].job_ixs[app->stages[s].n_jobs++] = (uint32_t)i;
    }
}

static void inherit_from_jobs(struct app *app)
{
    for (size_t i = 0; i < app->n_stages; i++) {
        struct stage *s = &app->stages[i];
        uint32_t job_ix = s->ran_for_job_ix != IX_NONE ? s->ran_for_job_ix
                          : s->n_jobs                  ? s->job_ixs[0]
                                                       : IX_NONE;

        if (job_ix == IX_NONE)
            continue;
        if (s->sql_execution_id == APP_NONE)
            s->sql_execution_id = app->jobs[job_ix].sql_execution_id;
        if (!s->description.p)
            s->description = app->jobs[job_ix].description;
        if (!s->pool.p)
            s->pool = app->jobs[job_ix].pool;
    }
}

/* Distinct stages completed, and distinct task indices over a stage's attempts. */
static void job_counts(struct app *app)
{
    for (size_t i = 0; i < app->n_jobs; i++) {
        struct job *j = &app->jobs[i];

        for (size_t k = 0; k < j->stage_ids.n; k++) {
            uint32_t last = app_stage_last_ix(app, j->stage_ids.items[k]), first = last;
            uint32_t slots = 0;
            bool completed = false;

            if (last == IX_NONE)
                continue;
            while (first > 0 && app->stages[first - 1].stage_id == app->stages[last].stage_id)
                first--;
            for (uint32_t s = first; s <= last; s++) {
                if (app->stages[s].ran_for_job_ix != i)
                    continue;
                completed |= app->stages[s].status == STAGE_COMPLETE;
                slots = app->stages[s].slots > slots ? app->stages[s].slots : slots;
            }
            j->completed_stages += completed;
            for (uint32_t slot = 0; slot < slots; slot++) {
                bool done = false;

                for (uint32_t s = first; s <= last && !done; s++)
                    done = app->stages[s].ran_for_job_ix == i && slot < app->stages[s].slots &&
                           app->stages[s].slot_done[slot];
                j->completed_indices += done;
            }
        }
    }
}

static void jobs_of_sqls(struct app *app)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < app->n_jobs; i++) {
            uint32_t ix = app->jobs[i].sql_execution_id == APP_NONE
                              ? IX_NONE
                              : app_sql_ix(app, app->jobs[i].sql_execution_id);

            if (ix == IX_NONE)
                continue;
            if (pass == 1)
                app->sqls[ix].job_ixs[app->sqls[ix].n_jobs] = (uint32_t)i;
            app->sqls[ix].n_jobs++;
        }
        for (size_t i = 0; pass == 0 && i < app->n_sqls; i++) {
            app->sqls[i].job_ixs =
                arena_array(&app->arena, app->sqls[i].n_jobs, sizeof(uint32_t));
            app->sqls[i].n_jobs = 0;
        }
    }
}

/* Running while there is no end or a job of it runs; failed by its own error or by
 * a job's. An end without "errorMessage" (before 3.4) is no failure. */
static void sql_statuses(struct app *app)
{
    for (size_t i = 0; i < app->n_sqls; i++) {
        struct sql *q = &app->sqls[i];
        bool running = !q->ended, failed = q->error.len > 0;

        for (size_t k = 0; k < q->n_jobs; k++) {
            running |= app->jobs[q->job_ixs[k]].status == JOB_RUNNING;
            failed |= app->jobs[q->job_ixs[k]].status == JOB_FAILED;
        }
        q->status = running ? SQL_RUNNING : failed ? SQL_FAILED : SQL_COMPLETED;
    }
}

/* --- SQL metrics ---------------------------------------------------------------------- */

static int by_accum(const void *x, const void *y)
{
    const struct accum_ref *a = x, *b = y;

    if (a->accumulator_id != b->accumulator_id)
        return a->accumulator_id < b->accumulator_id ? -1 : 1;
    return a->stage_ix < b->stage_ix ? -1 : a->stage_ix > b->stage_ix;
}

/* Keeps the order of arrival within one accumulator: qsort is not stable, and the
 * execution and value tell nothing about it, so a merge is done by hand. */
static void sort_driver_accums(struct driver_accum *v, struct driver_accum *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, j = half;

    sort_driver_accums(v, spare, half);
    sort_driver_accums(v + half, spare, n - half);
    for (size_t k = 0; k < n; k++)
        spare[k] = j == n || (i < half && v[i].accumulator_id <= v[j].accumulator_id) ? v[i++]
                                                                                      : v[j++];
    memcpy(v, spare, n * sizeof *v);
}

static void index_accums(struct app *app)
{
    size_t n = 0;

    for (size_t s = 0; s < app->n_stages; s++)
        n += app->stages[s].n_accums;
    app->accum_refs = xmalloc(mem_product(n, sizeof *app->accum_refs));
    for (uint32_t s = 0; s < app->n_stages; s++)
        for (uint32_t a = 0; a < app->stages[s].n_accums; a++)
            app->accum_refs[app->n_accum_refs++] =
                (struct accum_ref){ app->stages[s].accums[a].accumulator_id, s, a };
    if (n)
        qsort(app->accum_refs, n, sizeof *app->accum_refs, by_accum);
    struct driver_accum *spare =
        xmalloc(mem_product(app->n_driver_accums, sizeof *app->driver_accums));
    sort_driver_accums(app->driver_accums, spare, app->n_driver_accums);
    free(spare);
}

/* --- spans and peaks --------------------------------------------------------------------- */

static void application_span(struct app_builder *b)
{
    struct app *app = b->app;

    if (app->start_ms == APP_NONE && b->first_ms != INT64_MAX) {
        app->start_ms = b->first_ms;
        build_note(b, "no ApplicationStart: the application begins with the first time in the log");
    }
    if (app->end_ms == APP_NONE && b->last_ms != APP_NONE)
        app->end_ms = b->last_ms;
    if (app->start_ms != APP_NONE && app->end_ms < app->start_ms) {
        app->end_ms = app->start_ms;
        app->complete.clock_jumps++;
    }
}

struct change {
    int64_t at_ms, cores;
    int step; /* +1 added, -1 removed */
};

static int by_time(const void *x, const void *y)
{
    const struct change *a = x, *b = y;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->step - b->step; /* who leaves makes room before who comes */
}

static bool counts_as_executor(const struct app *app, const struct executor *x)
{
    if (x->is_driver)
        return app->local_mode;
    return x->cores != APP_NONE || x->started_tasks > 0;
}

static void executor_peaks(struct app *app)
{
    struct change *changes = xmalloc(mem_product(app->n_executors * 2, sizeof *changes));
    int64_t cores = 0, executors = 0;
    size_t n = 0;

    for (size_t i = 0; i < app->n_executors; i++) {
        const struct executor *x = &app->executors[i];
        int64_t has = x->cores == APP_NONE ? 0 : x->cores;

        if (!counts_as_executor(app, x))
            continue;
        changes[n++] =
            (struct change){ x->added_ms == APP_NONE ? app->start_ms : x->added_ms, has, 1 };
        if (x->removed_ms != APP_NONE)
            changes[n++] = (struct change){ x->removed_ms, has, -1 };
    }
    if (n)
        qsort(changes, n, sizeof *changes, by_time);
    for (size_t i = 0; i < n; i++) {
        cores += changes[i].step * changes[i].cores;
        executors += changes[i].step;
        app->cores_peak = max_i64(app->cores_peak, cores);
        app->executors_peak = max_i64(app->executors_peak, executors);
    }
    free(changes);
}

/* "3.5.1", "3.3.0-amzn-0", "4.2.0-SNAPSHOT": the first two numbers. */
static void parse_version(struct app *app)
{
    int parts[2] = { 0, 0 };
    size_t i = 0;

    for (int k = 0; k < 2; k++) {
        for (; i < app->spark_version.len; i++) {
            char c = app->spark_version.p[i];

            if (c < '0' || c > '9' || parts[k] > 10000)
                break;
            parts[k] = parts[k] * 10 + (c - '0');
        }
        if (i < app->spark_version.len && app->spark_version.p[i] == '.')
            i++;
        else
            break;
    }
    app->version_major = parts[0];
    app->version_minor = parts[1];
}

static void settings(struct app *app)
{
    int64_t cpus;

    if (sv_i64(kvs_get(&app->spark, "spark.task.cpus"), &cpus) && cpus > 0 && cpus < 1024)
        app->task_cpus = (double)cpus;
    for (size_t i = 0; i < app->n_executors; i++)
        if (app->executors[i].is_driver && app->executors[i].started_tasks > 0)
            app->local_mode = true;
    struct sv master = kvs_get(&app->spark, "spark.master");
    if (sv_is(master, "local") || sv_starts(master, SV("local[")))
        app->local_mode = true;
    for (size_t i = 0; i < app->n_executors; i++)
        if (!app->executors[i].is_driver && app->executors[i].cores != APP_NONE)
            app->local_mode = false; /* local-cluster, or a driver that helped */
}

/* Executors that were removed after the last job are not lost to anybody. */
static void lost_executors(struct app *app)
{
    int64_t last_ms = INT64_MIN;

    for (size_t i = 0; i < app->n_jobs; i++) {
        if (app->jobs[i].completed_ms == APP_NONE)
            return; /* one is still open */
        last_ms = max_i64(last_ms, app->jobs[i].completed_ms);
    }
    for (size_t i = 0; i < app->n_executors && app->n_jobs > 0; i++)
        if (app->executors[i].removed_ms != APP_NONE && app->executors[i].removed_ms > last_ms)
            app->executors[i].lost = false;
}

static void clock_jumps(struct app *app)
{
    int64_t *jumps = &app->complete.clock_jumps;

    for (size_t i = 0; i < app->n_stages; i++) {
        const struct stage *s = &app->stages[i];

        *jumps += s->completed_ms != APP_NONE && s->submitted_ms != APP_NONE &&
                  s->completed_ms < s->submitted_ms;
    }
    for (size_t i = 0; i < app->n_jobs; i++) {
        const struct job *j = &app->jobs[i];

        *jumps += j->completed_ms != APP_NONE && j->submitted_ms != APP_NONE &&
                  j->completed_ms < j->submitted_ms;
    }
}

static void cached_names(struct app *app)
{
    struct map by_rdd = { 0 };

    for (uint32_t i = 0; i < app->n_cached; i++)
        map_put(&by_rdd, app->cached[i].rdd_id, i);
    for (size_t s = 0; s < app->n_stages; s++) {
        for (size_t r = 0; r < app->stages[s].n_rdds; r++) {
            const struct rdd *rdd = &app->stages[s].rdds[r];
            uint32_t ix = map_get(&by_rdd, rdd->id);

            if (ix == MAP_NONE)
                continue;
            app->cached[ix].use_memory |= rdd->use_memory;
            app->cached[ix].use_disk |= rdd->use_disk;
            app->cached[ix].deserialized |= rdd->deserialized;
            if (app->cached[ix].name.p)
                continue;
            app->cached[ix].name = rdd->name;
            app->cached[ix].partitions = rdd->partitions;
        }
    }
    map_release(&by_rdd);
}

/* Walking from NULL to NULL is not defined: tables without rows get an address too. */
static void never_null(struct app *app)
{
    if (!app->stages)
        app->stages = xcalloc(1, sizeof *app->stages);
    if (!app->jobs)
        app->jobs = xcalloc(1, sizeof *app->jobs);
    if (!app->sqls)
        app->sqls = xcalloc(1, sizeof *app->sqls);
    if (!app->executors)
        app->executors = xcalloc(1, sizeof *app->executors);
}

void app_builder_finish(struct app_builder *b)
{
    struct app *app = b->app;

    never_null(app);
    skipped_stages(b);
    if (app->n_stages)
        qsort(app->stages, app->n_stages, sizeof *app->stages, by_stage);
    if (app->n_sqls)
        qsort(app->sqls, app->n_sqls, sizeof *app->sqls, by_execution);
    sort_jobs(b);
    jobs_of_stages(app);
    inherit_from_jobs(app);
    jobs_of_sqls(app);
    sql_statuses(app);
    index_accums(app);
    parse_version(app);
    settings(app);
    application_span(b);
    executor_peaks(app);
    lost_executors(app);
    clock_jumps(app);
    cached_names(app);
    job_counts(app);
    app_builder_release(b);
}

void app_builder_release(struct app_builder *b)
{
    /* job_stage_ran is in order of arrival and has one entry per job, sorted or not */
    build_jobs_release(b);
    free(b->blocks);
    free(b->nodes);
    map_release(&b->sql_by_id);
    map_release(&b->profile_by_id);
    map_release(&b->executor_by_id);
    map_release(&b->cached_by_rdd);
    map_release(&b->block_by_name);
    map_release(&b->block_by_cached);
    map_release(&b->block_by_executor);
    map_release(&b->unknown_by_name);
    map_release(&b->node_by_hash);
    *b = (struct app_builder){ 0 };
}
