/* Jobs, stage attempts and tasks. See app_build.h.
 *
 * Counting follows what Spark's own status store does with the same events
 * (AppStatusListener), so that numbers can be held against the History Server's,
 * but for these: a task whose start the log lacks still counts in the totals, and
 * nothing that comes late is dropped. */
#include "analyzer/app_build.h"

#include "analyzer/failure.h"
#include "analyzer/json.h"
#include "base/mem.h"

#include <stdlib.h>

#define ID_LIMIT ((int64_t)INT32_MAX) /* Spark's job, stage and attempt ids are int32 */
#define SLOT_LIMIT ((int64_t)1 << 24) /* task indices beyond have no SQL metrics kept */
#define FAILURE_TEXT_LIMIT 400        /* of the line of a failure */
#define FAILURE_GROUP_LIMIT 64        /* kinds of failure told apart in one stage */

/* --- where a task is ----------------------------------------------------------- */

#define TASK_PAGE_BITS 10

struct task_page {
    struct task_place {
        uint32_t stage_ix, row; /* stage_ix IX_NONE: no such task yet */
    } at[1 << TASK_PAGE_BITS];
};

static struct task_place *task_place(struct app_builder *b, int64_t task_id)
{
    int64_t number = task_id >> TASK_PAGE_BITS;
    uint32_t ix = map_get(&b->task_page_by_number, number);

    if (ix == MAP_NONE) {
        struct task_page *page = xmalloc(sizeof *page);

        for (size_t i = 0; i < ARRAY_LEN(page->at); i++)
            page->at[i].stage_ix = IX_NONE;
        GROW(b->task_pages, b->n_task_pages, b->cap_task_pages);
        ix = (uint32_t)b->n_task_pages++;
        b->task_pages[ix] = page;
        map_put(&b->task_page_by_number, number, ix);
    }
    return &b->task_pages[ix]->at[task_id & ((1 << TASK_PAGE_BITS) - 1)];
}

/* --- stages ---------------------------------------------------------------------- */

static uint32_t stage_ix(struct app_builder *b, int64_t stage_id, int64_t attempt)
{
    struct app *app = b->app;
    int64_t key = stage_id << 32 | attempt;
    uint32_t ix = map_get(&b->stage_by_id, key);

    if (ix != MAP_NONE)
        return ix;
    if (app->n_stages == b->cap_stages) {
        GROW(app->stages, app->n_stages, b->cap_stages);
        b->stage_jobs =
            xrealloc(b->stage_jobs, mem_product(b->cap_stages, sizeof *b->stage_jobs));
    }
    ix = (uint32_t)app->n_stages++;
    map_put(&b->stage_by_id, key, ix);
    b->stage_jobs[ix] = (struct job_list){ 0 };
    app->stages[ix] = (struct stage){
        .stage_id = stage_id,
        .attempt = attempt,
        .status = STAGE_PENDING,
        .tasks = APP_NONE,
        .submitted_ms = APP_NONE,
        .completed_ms = APP_NONE,
        .first_launch_ms = APP_NONE,
        .resource_profile_id = APP_NONE,
        .sql_execution_id = APP_NONE,
        .ran_for_job_ix = IX_NONE,
    };
    return ix;
}

static bool ids_fit(int64_t stage_id, int64_t attempt)
{
    return stage_id >= 0 && stage_id <= ID_LIMIT && attempt >= 0 && attempt <= ID_LIMIT;
}

/* An RDD's scope is JSON in a string; only the name in it is wanted, and the same
 * few texts come again and again. */
static struct sv scope_name(struct app_builder *b, struct sv text)
{
    if (!text.p)
        return text;
    text = build_text(b, text);
    uint32_t ix = map_get(&b->scope_by_text, (int64_t)(intptr_t)text.p);
    if (ix == MAP_NONE) {
        struct arena scratch = { 0 };

        GROW(b->scopes, b->n_scopes, b->cap_scopes);
        ix = (uint32_t)b->n_scopes++;
        b->scopes[ix] = build_text(b, json_text_field(text, "name", &scratch));
        map_put(&b->scope_by_text, (int64_t)(intptr_t)text.p, ix);
        arena_release(&scratch);
    }
    return b->scopes[ix];
}

static struct rdd make_rdd(struct app_builder *b, const struct ev_rdd *e)
{
    struct rdd r = {
        .id = e->id,
        .name = build_text(b, e->name),
        .scope = scope_name(b, e->scope),
        .barrier = e->barrier,
        .use_disk = e->use_disk,
        .use_memory = e->use_memory,
        .deserialized = e->deserialized,
        .indeterminate = e->indeterminate,
        .replication = e->replication,
        .partitions = e->partitions,
    };

    if (e->parents.n) {
        r.parents.items = arena_array(&b->app->arena, e->parents.n, sizeof *r.parents.items);
        memcpy(r.parents.items, e->parents.items, e->parents.n * sizeof *r.parents.items);
        r.parents.n = e->parents.n;
    }
    return r;
}

static int by_id_descending(const void *x, const void *y)
{
    int64_t a = ((const struct rdd *)x)->id, b = ((const struct rdd *)y)->id;

    return a > b ? -1 : a < b;
}

static void take_rdds(struct app_builder *b, struct stage *s, const struct ev_stage_info *e,
                      bool ran)
{
    if (e->n_rdds == 0 || (ran && s->n_rdds == e->n_rdds && e->n_rdds > 1))
        return; /* nothing new: the copy at completion repeats the one at submission */
    if (!ran) {
        size_t top = 0;

        if (s->n_rdds)
            return;
        for (size_t i = 1; i < e->n_rdds; i++)
            if (e->rdds[i].id > e->rdds[top].id)
                top = i;
        s->rdds = ARENA_NEW(&b->app->arena, struct rdd);
        s->rdds[0] = make_rdd(b, &e->rdds[top]);
        s->n_rdds = 1;
        return;
    }
    s->rdds = arena_array(&b->app->arena, e->n_rdds, sizeof *s->rdds);
    s->n_rdds = e->n_rdds;
    for (size_t i = 0; i < e->n_rdds; i++) {
        s->rdds[i] = make_rdd(b, &e->rdds[i]);
        s->barrier |= s->rdds[i].barrier;
    }
    qsort(s->rdds, s->n_rdds, sizeof *s->rdds, by_id_descending);
}

/* The newest info of an attempt counts, but never unsays what is known. */
static void take_info(struct app_builder *b, struct stage *s, const struct ev_stage_info *e,
                      bool ran)
{
    if (e->name.p)
        s->name = build_text(b, e->name);
    if (e->details.p)
        s->details = build_text(b, e->details);
    if (e->failure.p)
        s->failure = build_text(b, e->failure);
    if (e->tasks >= 0)
        s->tasks = e->tasks;
    if (e->submitted_ms > 0)
        s->submitted_ms = e->submitted_ms;
    if (e->completed_ms > 0)
        s->completed_ms = e->completed_ms;
    if (e->resource_profile_id != EVENT_NONE)
        s->resource_profile_id = e->resource_profile_id;
    if (e->parents.n && !s->parent_ids.n) {
        size_t size = e->parents.n * sizeof *s->parent_ids.items;

        s->parent_ids.items = arena_array(&b->app->arena, e->parents.n, sizeof(int64_t));
        memcpy(s->parent_ids.items, e->parents.items, size);
        s->parent_ids.n = e->parents.n;
    }
    take_rdds(b, s, e, ran);
    build_saw_time(b, e->submitted_ms);
    build_saw_time(b, e->completed_ms);
}

static struct sv prop(const struct kvs *k, const char *key)
{
    return kvs_get(k, key);
}

static int64_t prop_id(const struct kvs *k, const char *key)
{
    int64_t id;

    return sv_i64(kvs_get(k, key), &id) && id >= 0 ? id : APP_NONE;
}

/* --- jobs -------------------------------------------------------------------------- */

struct job *build_job(struct app_builder *b, int64_t job_id)
{
    struct app *app = b->app;
    uint32_t ix = map_get(&b->job_by_id, job_id);

    if (ix != MAP_NONE)
        return &app->jobs[ix];
    if (app->n_jobs == b->cap_jobs) {
        GROW(app->jobs, app->n_jobs, b->cap_jobs);
        b->job_stage_ran =
            xrealloc(b->job_stage_ran, mem_product(b->cap_jobs, sizeof *b->job_stage_ran));
    }
    ix = (uint32_t)app->n_jobs++;
    map_put(&b->job_by_id, job_id, ix);
    b->job_stage_ran[ix] = NULL;
    app->jobs[ix] = (struct job){ .job_id = job_id,
                                  .submitted_ms = APP_NONE,
                                  .completed_ms = APP_NONE,
                                  .sql_execution_id = APP_NONE,
                                  .stream_batch = APP_NONE };
    return &app->jobs[ix];
}

static int by_number(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

/* The stage ids of JobStart, ascending and each once; ids of Stage Infos are in
 * "Stage IDs" too, but damaged or hand-made logs may have one list only. */
static void take_stage_ids(struct app_builder *b, struct job *j, const struct ev_job_start *e)
{
    size_t most = e->stage_ids.n + e->n_stages, n = 0;
    int64_t *ids = arena_array(&b->app->arena, most, sizeof *ids);

    for (size_t i = 0; i < e->stage_ids.n; i++)
        if (ids_fit(e->stage_ids.items[i], 0))
            ids[n++] = e->stage_ids.items[i];
    for (size_t i = 0; i < e->n_stages; i++)
        if (ids_fit(e->stages[i].stage_id, 0))
            ids[n++] = e->stages[i].stage_id;
    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n; i++)
        if (j->stage_ids.n == 0 || ids[i] != ids[j->stage_ids.n - 1])
            ids[j->stage_ids.n++] = ids[i];
    j->stage_ids.items = ids;
}

static void list_stages(struct app_builder *b, struct job *j)
{
    uint32_t job_ix = (uint32_t)(j - b->app->jobs);

    b->job_stage_ran[job_ix] = xcalloc(j->stage_ids.n, sizeof(bool));
    for (size_t i = 0; i < j->stage_ids.n; i++) {
        int64_t id = j->stage_ids.items[i];
        uint32_t next = map_get(&b->listing_by_stage, id);

        GROW(b->listings, b->n_listings, b->cap_listings);
        b->listings[b->n_listings] = (struct job_listing){ job_ix, (uint32_t)i, next };
        map_put(&b->listing_by_stage, id, (uint32_t)b->n_listings++);
    }
}

/* What differs from job to job has fields of its own; the rest is the session's
 * settings, usually those of the job before, and then shared with it. */
static bool is_setting(struct sv key)
{
    static const char *const own[] = { "spark.sql.execution.id", "spark.sql.execution.root.id",
                                       "spark.sql.execution.query.id", "spark.job.description",
                                       "spark.job.tags", "spark.job.interruptOnCancel",
                                       "spark.jobGroup.id", "spark.rdd.scope",
                                       "spark.sql.dataset." };

    if (!sv_starts(key, SV("spark.")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (sv_starts(key, sv(own[i])))
            return false;
    return true;
}

static struct kvs take_properties(struct app_builder *b, const struct kvs *from)
{
    struct kvs settings = { 0 }, made;
    struct arena scratch = { 0 };

    settings.items = arena_array(&scratch, from->n, sizeof *settings.items);
    for (size_t i = 0; i < from->n; i++)
        if (is_setting(from->items[i].key))
            settings.items[settings.n++] = from->items[i];
    bool same = settings.n == b->last_properties.n;
    for (size_t i = 0; same && i < settings.n; i++)
        same = sv_eq(settings.items[i].key, b->last_properties.items[i].key) &&
               sv_eq(settings.items[i].value, b->last_properties.items[i].value);
    made = same ? b->last_properties : build_kvs(b, &settings);
    b->last_properties = made;
    arena_release(&scratch);
    return made;
}

void build_job_start(struct app_builder *b, const struct ev_job_start *e)
{
    struct app *app = b->app;

    if (!ids_fit(e->job_id, 0))
        return;
    struct job *j = build_job(b, e->job_id);
    if (j->started)
        return; /* said twice */
    j->started = true;
    if (e->time_ms > 0)
        j->submitted_ms = e->time_ms;
    build_saw_time(b, e->time_ms);
    take_stage_ids(b, j, e);
    list_stages(b, j);
    j->sql_execution_id = prop_id(&e->properties, "spark.sql.execution.id");
    j->description = build_text(b, prop(&e->properties, "spark.job.description"));
    j->group = build_text(b, prop(&e->properties, "spark.jobGroup.id"));
    j->pool = build_text(b, prop(&e->properties, "spark.scheduler.pool"));
    j->call_site = build_text(b, prop(&e->properties, "callSite.short"));
    j->tags = build_text(b, prop(&e->properties, "spark.job.tags"));
    j->stream_id = build_text(b, prop(&e->properties, "sql.streaming.queryId"));
    j->stream_batch = prop_id(&e->properties, "streaming.sql.batchId");
    j->properties = take_properties(b, &e->properties);
    int64_t top = -1;
    for (size_t i = 0; i < e->n_stages; i++) {
        const struct ev_stage_info *info = &e->stages[i];

        if (!ids_fit(info->stage_id, info->attempt))
            continue;
        uint32_t ix = stage_ix(b, info->stage_id, info->attempt); /* may move the stages */
        struct stage *s = &app->stages[ix];
        take_info(b, s, info, false);
        if (info->completed_ms <= 0 && info->tasks > 0)
            j->tasks = add_sat(j->tasks, info->tasks);
        if (info->stage_id > top && info->name.p) {
            top = info->stage_id;
            j->name = s->name;
        }
    }
}

void build_job_end(struct app_builder *b, const struct ev_job_end *e)
{
    if (!ids_fit(e->job_id, 0))
        return;
    struct job *j = build_job(b, e->job_id);
    build_saw_time(b, e->time_ms);
    j->ended = true;
    j->status = e->succeeded ? JOB_SUCCEEDED : JOB_FAILED;
    j->failure = build_text(b, e->message);
    if (e->time_ms > 0)
        j->completed_ms = e->time_ms;
    for (size_t i = 0; i < j->stage_ids.n; i++) {
        uint32_t ix = map_get(&b->stage_by_id, j->stage_ids.items[i] << 32);

        if (ix != MAP_NONE && b->app->stages[ix].status == STAGE_PENDING)
            b->app->stages[ix].status = STAGE_SKIPPED;
    }
}

/* --- stage events ------------------------------------------------------------------- */

/* The jobs that are live now and list the stage: it runs for them. */
static void assign_jobs(struct app_builder *b, uint32_t ix)
{
    struct app *app = b->app;
    struct stage *s = &app->stages[ix];
    struct job_list *list = &b->stage_jobs[ix];
    uint32_t first = map_get(&b->listing_by_stage, s->stage_id);
    size_t n = 0;

    for (uint32_t l = first; l != MAP_NONE; l = b->listings[l].next)
        n += !app->jobs[b->listings[l].job_ix].ended;
    list->ixs = arena_array(&app->arena, n, sizeof *list->ixs);
    list->n = 0;
    for (uint32_t l = first; l != MAP_NONE; l = b->listings[l].next) {
        uint32_t job_ix = b->listings[l].job_ix;

        if (app->jobs[job_ix].ended)
            continue;
        list->ixs[list->n++] = job_ix;
        b->job_stage_ran[job_ix][b->listings[l].place] = true;
        s->ran_for_job_ix = job_ix; /* the chain is newest first: the oldest stays */
    }
}

void build_stage_submitted(struct app_builder *b, const struct ev_stage *e)
{
    if (!ids_fit(e->info.stage_id, e->info.attempt))
        return;
    uint32_t ix = stage_ix(b, e->info.stage_id, e->info.attempt);
    struct stage *s = &b->app->stages[ix];

    take_info(b, s, &e->info, true);
    s->failure = (struct sv){ 0 };
    s->status = STAGE_ACTIVE;
    s->sql_execution_id = prop_id(&e->properties, "spark.sql.execution.id");
    s->description = build_text(b, prop(&e->properties, "spark.job.description"));
    s->pool = build_text(b, prop(&e->properties, "spark.scheduler.pool"));
    assign_jobs(b, ix);
}

void build_stage_completed(struct app_builder *b, const struct ev_stage *e)
{
    if (!ids_fit(e->info.stage_id, e->info.attempt))
        return;
    uint32_t ix = stage_ix(b, e->info.stage_id, e->info.attempt);
    struct stage *s = &b->app->stages[ix];

    take_info(b, s, &e->info, true);
    if (s->failure.p)
        s->status = STAGE_FAILED;
    else
        s->status = e->info.submitted_ms > 0 ? STAGE_COMPLETE : STAGE_SKIPPED;
    for (size_t i = 0; i < b->stage_jobs[ix].n; i++)
        b->app->jobs[b->stage_jobs[ix].ixs[i]].failed_stages += s->status == STAGE_FAILED;
}

void build_stage_peaks(struct app_builder *b, const struct ev_stage_peaks *e)
{
    build_peaks(&build_executor(b, e->executor_id)->peaks, &e->peaks);
    if (!ids_fit(e->stage_id, e->attempt))
        return;
    uint32_t ix = map_get(&b->stage_by_id, e->stage_id << 32 | e->attempt);
    if (ix != MAP_NONE)
        build_peaks(&b->app->stages[ix].peaks, &e->peaks);
}

/* --- tasks ---------------------------------------------------------------------------- */

static uint32_t host_ix(struct app_builder *b, struct sv host)
{
    struct app *app = b->app;

    host = build_text(b, host.p ? host : SV(""));
    uint32_t ix = map_get(&b->host_by_name, (int64_t)(intptr_t)host.p);
    if (ix != MAP_NONE)
        return ix;
    GROW(app->hosts, app->n_hosts, b->cap_hosts);
    ix = (uint32_t)app->n_hosts++;
    app->hosts[ix] = host;
    map_put(&b->host_by_name, (int64_t)(intptr_t)host.p, ix);
    return ix;
}

static void set_field(struct task_table *t, uint32_t row, enum task_field f, int64_t value)
{
    column_set(&t->field[f], row, value == EVENT_NONE ? 0 : value, t->cap);
}

static void set_locality(struct task_table *t, uint32_t row, enum locality locality)
{
    int64_t flags = column_get(&t->field[TASK_FLAGS], row) & ~((int64_t)7 << TASK_LOCALITY_SHIFT);

    column_set(&t->field[TASK_FLAGS], row, flags | (int64_t)locality << TASK_LOCALITY_SHIFT,
               t->cap);
}

static void add_flags(struct task_table *t, uint32_t row, int64_t flags)
{
    column_set(&t->field[TASK_FLAGS], row, column_get(&t->field[TASK_FLAGS], row) | flags,
               t->cap);
}

/* A new row for the task. The number of tasks that the stage says it has is the
 * first guess for the room, if it is a modest one. */
static uint32_t new_row(struct app_builder *b, struct stage *s, const struct ev_task *e)
{
    struct task_table *t = &s->task;
    uint32_t row = t->n;

    if (t->n == t->cap) {
        int64_t guess = s->tasks > 0 && s->tasks <= 4096 ? s->tasks : 16;

        t->cap = t->cap ? t->cap * 2 : (uint32_t)guess;
    }
    t->n++;
    struct executor *x = build_executor(b, e->executor_id);
    if (!x->host.p)
        x->host = build_text(b, e->host);
    set_field(t, row, TASK_ID, e->task_id);
    set_field(t, row, TASK_INDEX, e->index);
    set_field(t, row, TASK_ATTEMPT, e->attempt);
    set_field(t, row, TASK_PARTITION, e->partition == EVENT_NONE ? e->index : e->partition);
    set_field(t, row, TASK_EXECUTOR_IX, x - b->app->executors);
    set_field(t, row, TASK_HOST_IX, host_ix(b, e->host));
    set_field(t, row, TASK_LAUNCH_MS, e->launch_ms);
    add_flags(t, row, e->speculative ? TASK_FLAG_SPECULATIVE : 0);
    set_locality(t, row, e->locality);
    s->speculative_tasks += e->speculative;
    if (e->launch_ms > 0 && (s->first_launch_ms == APP_NONE || e->launch_ms < s->first_launch_ms))
        s->first_launch_ms = e->launch_ms;
    build_saw_time(b, e->launch_ms);
    return row;
}

void build_task_start(struct app_builder *b, const struct ev_task *e)
{
    b->app->complete.tasks_started++;
    if (!ids_fit(e->stage_id, e->stage_attempt) || e->task_id < 0)
        return;
    struct task_place *place = task_place(b, e->task_id);
    if (place->stage_ix != IX_NONE)
        return; /* said twice */
    uint32_t ix = stage_ix(b, e->stage_id, e->stage_attempt);
    struct stage *s = &b->app->stages[ix];
    *place = (struct task_place){ ix, new_row(b, s, e) };
    add_flags(&s->task, place->row, TASK_FLAG_STARTED);
    build_executor(b, e->executor_id)->started_tasks++;
    if (s->status == STAGE_PENDING)
        s->status = STAGE_ACTIVE;
}

void build_task_getting_result(struct app_builder *b, const struct ev_task *e)
{
    if (e->task_id < 0)
        return;
    struct task_place *place = task_place(b, e->task_id);
    if (place->stage_ix != IX_NONE)
        set_field(&b->app->stages[place->stage_ix].task, place->row, TASK_GETTING_RESULT_MS,
                  e->getting_result_ms);
}

/* Room for the SQL metrics of task index `slot`; doubling, as indices come in any order. */
static void need_slot(struct stage *s, uint32_t slot)
{
    if (slot < s->slots)
        return;
    uint32_t slots = s->slots * 2 > slot + 1 ? s->slots * 2 : slot + 1;
    if (s->tasks > slot && s->tasks < slots)
        slots = (uint32_t)s->tasks;
    s->slot_done = xrealloc(s->slot_done, slots);
    memset(s->slot_done + s->slots, 0, slots - s->slots);
    s->slots = slots;
}

/* The stage's values of one SQL metric. Tasks list them in ascending order, so the
 * place after the one found last is tried first. */
static struct stage_accum *stage_accum(struct stage *s, int64_t id, size_t *hint)
{
    size_t low = 0, high = s->n_accums;

    if (*hint < s->n_accums && s->accums[*hint].accumulator_id == id)
        return &s->accums[(*hint)++];
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (s->accums[mid].accumulator_id < id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->n_accums || s->accums[low].accumulator_id != id) {
        GROW(s->accums, s->n_accums, s->cap_accums);
        memmove(s->accums + low + 1, s->accums + low,
                (s->n_accums - low) * sizeof *s->accums);
        s->accums[low] = (struct stage_accum){ .accumulator_id = id };
        s->n_accums++;
    }
    *hint = low + 1;
    return &s->accums[low];
}

/* SQL metrics, by task index: the first success of an index is final; what failed
 * tries wrote before it stays where the success wrote nothing. */
static void take_accums(struct stage *s, uint32_t row, const struct ev_task_end *e)
{
    int64_t index = e->task.index;
    size_t hint = 0;

    if (index < 0 || index >= SLOT_LIMIT || (s->tasks != APP_NONE && index >= s->tasks))
        return;
    need_slot(s, (uint32_t)index);
    if (s->slot_done[index]) {
        if (e->reason == REASON_SUCCESS)
            add_flags(&s->task, row, TASK_FLAG_DUPLICATE);
        return;
    }
    for (size_t i = 0; i < e->n_accums; i++) {
        struct stage_accum *a = stage_accum(s, e->accums[i].id, &hint);

        column_set(&a->value, (uint32_t)index, e->accums[i].value, s->slots);
    }
    if (e->reason == REASON_SUCCESS) {
        s->slot_done[index] = 1;
        s->completed_indices++;
    }
}

/* What makes failures of a stage the same. Reasons of killed tasks count as they are,
 * as Spark counts them. */
static struct sv group_key(struct app_builder *b, enum task_end_reason reason, struct sv line)
{
    struct strbuf key = { 0 };

    if (reason == REASON_KILLED || line.len == 0)
        return build_text(b, line);
    failure_key(line, &key);
    struct sv made = build_text(b, strbuf_sv(&key));
    strbuf_release(&key);
    return made;
}

static void take_failure(struct app_builder *b, struct stage *s, uint32_t row,
                         const struct ev_task_end *e)
{
    struct arena scratch = { 0 };
    struct sv text = e->reason == REASON_KILLED ? sv_first_line(e->reason_text)
                                                : failure_line(e->reason_text, &scratch);
    struct sv class_name = build_text(b, e->reason_class), key;

    if (text.len > FAILURE_TEXT_LIMIT)
        text.len = FAILURE_TEXT_LIMIT;
    key = group_key(b, e->reason, text);
    for (size_t i = 0; i < s->n_failures; i++) {
        struct failure_group *g = &s->failures[i];

        if ((g->reason == e->reason && g->class_name.p == class_name.p && g->key.p == key.p) ||
            (i == FAILURE_GROUP_LIMIT - 1)) {
            g->varies |= !sv_eq(g->text, text);
            g->tasks++;
            goto done;
        }
    }
    s->failures = xrealloc(s->failures, mem_product(s->n_failures + 1, sizeof *s->failures));
    s->failures[s->n_failures++] = (struct failure_group){
        e->reason, class_name, build_text(b, text), key, false, 1, row
    };
done:
    arena_release(&scratch);
}

static void take_metrics(struct stage *s, struct executor *x, uint32_t row,
                         const struct ev_task_end *e)
{
    for (uint32_t left = e->metrics_seen; left; left &= left - 1) {
        int m = __builtin_ctz(left);
        int64_t value = e->metric[m];

        if (value == 0)
            continue;
        column_set(&s->task.metric[m], row, value, s->task.cap);
        s->total[m] = add_sat(s->total[m], value);
        if (x)
            x->total[m] = add_sat(x->total[m], value);
    }
    s->metrics_seen |= e->metrics_seen;
    add_flags(&s->task, row, TASK_FLAG_HAS_METRICS);
}

/* Counts one end, first or repeated, as Spark does. */
static void count_end(struct app_builder *b, uint32_t ix, struct executor *x,
                      enum task_end_reason reason)
{
    struct stage *s = &b->app->stages[ix];
    bool ok = reason == REASON_SUCCESS;
    bool killed = reason == REASON_KILLED || reason == REASON_COMMIT_DENIED;

    s->completed_tasks += ok;
    s->killed_tasks += killed;
    s->failed_tasks += !ok && !killed;
    if (x) {
        x->completed_tasks += ok;
        x->killed_tasks += killed;
        x->failed_tasks += !ok && !killed;
    }
    for (size_t i = 0; i < b->stage_jobs[ix].n; i++) {
        struct job *j = &b->app->jobs[b->stage_jobs[ix].ixs[i]];

        j->completed_tasks += ok;
        j->killed_tasks += killed;
        j->failed_tasks += !ok && !killed;
    }
}

static void first_end(struct app_builder *b, struct stage *s, struct executor *x, uint32_t row,
                      const struct ev_task_end *e)
{
    struct task_table *t = &s->task;
    bool killed = e->task.killed || e->reason == REASON_KILLED || e->reason == REASON_COMMIT_DENIED;
    enum task_state state = e->reason == REASON_SUCCESS ? TASK_SUCCESS
                            : killed                    ? TASK_KILLED
                                                        : TASK_FAILED;

    /* a task that ended without a time ended when it began, for all that is known */
    int64_t finish_ms = e->task.finish_ms > 0 ? e->task.finish_ms : e->task.launch_ms;
    set_field(t, row, TASK_FINISH_MS, finish_ms);
    if (e->task.getting_result_ms != EVENT_NONE) /* the end's word counts, 0 included */
        set_field(t, row, TASK_GETTING_RESULT_MS, e->task.getting_result_ms);
    set_locality(t, row, e->task.locality);
    add_flags(t, row,
              TASK_FLAG_ENDED | (int64_t)state << TASK_STATE_SHIFT |
                  (int64_t)e->reason << TASK_REASON_SHIFT);
    build_saw_time(b, finish_ms);
    if (finish_ms < e->task.launch_ms)
        b->app->complete.clock_jumps++;
    if (e->has_metrics)
        take_metrics(s, x, row, e);
    build_peaks(&s->peaks, &e->peaks);
    int64_t ms = task_duration_ms(t, row);
    s->duration_ms = add_sat(s->duration_ms, ms);
    s->scheduler_delay_ms = add_sat(s->scheduler_delay_ms, task_scheduler_delay_ms(t, row));
    s->getting_result_ms = add_sat(s->getting_result_ms, task_getting_result_ms(t, row));
    if (x) {
        x->duration_ms = add_sat(x->duration_ms, ms);
        build_peaks(&x->peaks, &e->peaks);
    }
    take_accums(s, row, e);
}

void build_task_end(struct app_builder *b, const struct ev_task_end *e)
{
    b->app->complete.tasks_ended++;
    if (!ids_fit(e->task.stage_id, e->task.stage_attempt) || e->task.task_id < 0)
        return;
    struct task_place *place = task_place(b, e->task.task_id);
    if (place->stage_ix == IX_NONE) {
        uint32_t ix = stage_ix(b, e->task.stage_id, e->task.stage_attempt);

        *place = (struct task_place){ ix, new_row(b, &b->app->stages[ix], &e->task) };
        b->app->complete.orphan_task_ends++;
        if (b->app->stages[ix].status == STAGE_PENDING)
            b->app->stages[ix].status = STAGE_ACTIVE;
    }
    struct stage *s = &b->app->stages[place->stage_ix];
    struct executor *x = build_executor(b, e->task.executor_id);
    if (x->removed_ms != APP_NONE)
        x = NULL; /* as Spark has it: ends that come after the removal are not its own */
    count_end(b, place->stage_ix, x, e->reason);
    if (!task_flag(&s->task, place->row, TASK_FLAG_ENDED))
        first_end(b, s, x, place->row, e);
    else if (e->reason == REASON_RESUBMITTED)
        add_flags(&s->task, place->row, TASK_FLAG_RESUBMITTED);
    if (e->reason != REASON_SUCCESS)
        take_failure(b, s, place->row, e);
}

void build_jobs_release(struct app_builder *b)
{
    for (size_t i = 0; i < b->n_task_pages; i++)
        free(b->task_pages[i]);
    free(b->task_pages);
    for (size_t i = 0; i < b->app->n_jobs && b->job_stage_ran; i++)
        free(b->job_stage_ran[i]);
    free(b->job_stage_ran);
    free(b->stage_jobs);
    free(b->listings);
    free(b->scopes);
    map_release(&b->task_page_by_number);
    map_release(&b->stage_by_id);
    map_release(&b->job_by_id);
    map_release(&b->listing_by_stage);
    map_release(&b->scope_by_text);
    map_release(&b->host_by_name);
}
