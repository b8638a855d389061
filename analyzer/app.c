/* Looking things up in a loaded application, and letting go of it. See app.h. */
#include "analyzer/app.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Room for cap rows of the given width, what is new zeroed. */
static void column_reshape(struct column *c, uint8_t width, uint32_t cap)
{
    if (c->width == 4 && width == 8) {
        int64_t *wide = xmalloc(mem_product(cap, 8));

        for (uint32_t i = 0; i < c->cap; i++)
            wide[i] = ((uint32_t *)c->v)[i];
        free(c->v);
        c->v = wide;
    } else {
        c->v = xrealloc(c->v, mem_product(cap, width));
    }
    memset((char *)c->v + (size_t)c->cap * width, 0, (size_t)(cap - c->cap) * width);
    c->width = width;
    c->cap = cap;
}

void column_set(struct column *c, uint32_t row, int64_t value, uint32_t cap_rows)
{
    uint8_t width = value >= 0 && value <= UINT32_MAX ? 4 : 8;

    if (value == 0 && (c->width == 0 || row >= c->cap))
        return;
    if (c->width < width || row >= c->cap) {
        uint32_t cap = row >= c->cap ? cap_rows : c->cap;

        assert(cap > row);
        column_reshape(c, c->width > width ? c->width : width, cap);
    }
    if (c->width == 4)
        ((uint32_t *)c->v)[row] = (uint32_t)value;
    else
        ((int64_t *)c->v)[row] = value;
}

void column_release(struct column *c)
{
    free(c->v);
    *c = (struct column){ 0 };
}

int64_t task_duration_ms(const struct task_table *t, uint32_t row)
{
    int64_t finish_ms = task_field(t, row, TASK_FINISH_MS);

    if (finish_ms == 0)
        return 0;
    return max_i64(0, sub_sat(finish_ms, task_field(t, row, TASK_LAUNCH_MS)));
}

int64_t task_getting_result_ms(const struct task_table *t, uint32_t row)
{
    int64_t since_ms = task_field(t, row, TASK_GETTING_RESULT_MS);

    if (since_ms <= 0)
        return 0;
    return max_i64(0, sub_sat(task_field(t, row, TASK_FINISH_MS), since_ms));
}

int64_t task_scheduler_delay_ms(const struct task_table *t, uint32_t row)
{
    int64_t rest_ms = task_duration_ms(t, row);

    rest_ms = sub_sat(rest_ms, task_metric(t, row, METRIC_RUN_MS));
    rest_ms = sub_sat(rest_ms, task_metric(t, row, METRIC_DESERIALIZE_MS));
    rest_ms = sub_sat(rest_ms, task_metric(t, row, METRIC_RESULT_SERIALIZE_MS));
    rest_ms = sub_sat(rest_ms, task_getting_result_ms(t, row));
    return max_i64(0, rest_ms);
}

const char *stage_status_name(enum stage_status s)
{
    static const char *const names[] = { "pending", "active", "complete", "failed", "skipped" };

    return names[s];
}

const char *job_status_name(enum job_status s)
{
    static const char *const names[] = { "running", "succeeded", "failed" };

    return names[s];
}

const char *sql_status_name(enum sql_status s)
{
    static const char *const names[] = { "running", "completed", "failed" };

    return names[s];
}

/* First position in [0, n) whose stage is not before (stage_id, attempt). */
static uint32_t stage_lower_bound(const struct app *app, int64_t stage_id, int64_t attempt)
{
    size_t low = 0, high = app->n_stages;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct stage *s = &app->stages[mid];

        if (s->stage_id < stage_id || (s->stage_id == stage_id && s->attempt < attempt))
            low = mid + 1;
        else
            high = mid;
    }
    return (uint32_t)low;
}

uint32_t app_stage_ix(const struct app *app, int64_t stage_id, int64_t attempt)
{
    uint32_t ix = stage_lower_bound(app, stage_id, attempt);

    if (ix < app->n_stages && app->stages[ix].stage_id == stage_id &&
        app->stages[ix].attempt == attempt)
        return ix;
    return IX_NONE;
}

uint32_t app_stage_last_ix(const struct app *app, int64_t stage_id)
{
    uint32_t ix = stage_lower_bound(app, stage_id, INT64_MAX);

    if (ix > 0 && app->stages[ix - 1].stage_id == stage_id)
        return ix - 1;
    return IX_NONE;
}

uint32_t app_job_ix(const struct app *app, int64_t job_id)
{
    size_t low = 0, high = app->n_jobs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (app->jobs[mid].job_id < job_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < app->n_jobs && app->jobs[low].job_id == job_id ? (uint32_t)low : IX_NONE;
}

uint32_t app_sql_ix(const struct app *app, int64_t execution_id)
{
    size_t low = 0, high = app->n_sqls;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (app->sqls[mid].execution_id < execution_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < app->n_sqls && app->sqls[low].execution_id == execution_id ? (uint32_t)low
                                                                             : IX_NONE;
}

uint32_t app_executor_ix(const struct app *app, struct sv id)
{
    for (size_t i = 0; i < app->n_executors; i++)
        if (sv_eq(app->executors[i].id, id))
            return (uint32_t)i;
    return IX_NONE;
}

struct sv kvs_get(const struct kvs *k, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < k->n; i++)
        if (k->items[i].key.len == len && memcmp(k->items[i].key.p, key, len) == 0)
            return k->items[i].value;
    return (struct sv){ 0 };
}

static void stage_release(struct stage *s)
{
    for (int f = 0; f < TASK_FIELD_COUNT; f++)
        column_release(&s->task.field[f]);
    for (int m = 0; m < METRIC_COUNT; m++)
        column_release(&s->task.metric[m]);
    for (size_t i = 0; i < s->n_accums; i++)
        column_release(&s->accums[i].value);
    free(s->accums);
    free(s->slot_done);
    free(s->failures);
}

bool job_was_cancelled(const struct job *j)
{
    return sv_has_nocase(j->failure, "cancelled") || sv_has_nocase(j->failure, "canceled");
}

void app_release(struct app *app)
{
    for (size_t i = 0; i < app->n_stages; i++)
        stage_release(&app->stages[i]);
    for (size_t i = 0; i < app->n_sqls; i++) {
        free(app->sqls[i].plans);
        free(app->sqls[i].extra_metrics);
    }
    free(app->stages);
    free(app->jobs);
    free(app->executors);
    free(app->hosts);
    free(app->sqls);
    free(app->driver_accums);
    free(app->accum_refs);
    free(app->cached);
    free(app->profiles);
    free(app->stream_batches);
    free(app->complete.notes);
    free(app->complete.unknown);
    intern_release(&app->strings);
    arena_release(&app->arena);
    *app = (struct app){ 0 };
}
