/* The application's own events, executors, block managers and blocks, and the
 * dispatch of all others. See app_build.h. */
#include "analyzer/app_build.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void app_builder_init(struct app_builder *b)
{
    struct app *app = b->app;

    app->strings.arena = &app->arena;
    app->start_ms = app->end_ms = APP_NONE;
    app->task_cpus = 1;
    b->first_ms = INT64_MAX;
    b->last_ms = APP_NONE;
    for (int d = 0; d < DAMAGE_COUNT; d++)
        app->complete.damage[d].kind = (enum line_damage)d;
}

void app_builder_part(struct app_builder *b, struct sv path)
{
    b->part = build_text(b, path);
    b->part_lines = b->part_offset = 0;
}

struct sv build_text(struct app_builder *b, struct sv text)
{
    return intern(&b->app->strings, text);
}

void build_note(struct app_builder *b, const char *text)
{
    struct completeness *c = &b->app->complete;

    GROW(c->notes, c->n_notes, c->cap_notes);
    c->notes[c->n_notes++] = build_text(b, sv(text));
}

void build_damage(struct app_builder *b, enum line_damage kind, int64_t line, int64_t offset)
{
    struct damage *d = &b->app->complete.damage[kind];

    if (d->count++ == 0) {
        d->part = b->part;
        d->line = line;
        d->offset = offset;
    }
}

void build_saw_time(struct app_builder *b, int64_t ms)
{
    if (ms <= 0)
        return;
    b->first_ms = min_i64(b->first_ms, ms);
    b->last_ms = max_i64(b->last_ms, ms);
}

void build_peaks(struct ev_peaks *into, const struct ev_peaks *from)
{
    for (uint32_t left = from->seen; left; left &= left - 1) {
        int m = __builtin_ctz(left);

        if (!(into->seen & 1u << m) || into->value[m] < from->value[m])
            into->value[m] = from->value[m];
    }
    into->seen |= from->seen;
}

struct kvs build_kvs(struct app_builder *b, const struct kvs *from)
{
    struct kvs out = { 0 };

    out.items = arena_array(&b->app->arena, from->n, sizeof *out.items);
    for (size_t i = 0; i < from->n; i++)
        out.items[out.n++] =
            (struct kv){ build_text(b, from->items[i].key), build_text(b, from->items[i].value) };
    return out;
}

/* --- the application ------------------------------------------------------- */

static void log_start(struct app_builder *b, const struct ev_version *e, struct sv event)
{
    struct app *app = b->app;

    if (sv_has(event, "DBCEventLogging"))
        app->databricks = true;
    if (!app->spark_version.p)
        app->spark_version = build_text(b, e->version);
}

static void app_start(struct app_builder *b, const struct ev_app *e)
{
    struct app *app = b->app;

    build_saw_time(b, e->time_ms);
    if (b->app_started)
        return; /* files that were joined, or a part that repeats its head: the first one counts */
    b->app_started = true;
    app->name = build_text(b, e->name);
    app->id = build_text(b, e->id);
    app->attempt = build_text(b, e->attempt);
    app->user = build_text(b, e->user);
    if (e->time_ms > 0)
        app->start_ms = e->time_ms;
}

static void app_end(struct app_builder *b, const struct ev_app *e)
{
    build_saw_time(b, e->time_ms);
    b->app->finished = true;
    if (e->time_ms > 0)
        b->app->end_ms = max_i64(b->app->end_ms, e->time_ms);
}

static int by_key(const void *x, const void *y)
{
    return sv_cmp(((const struct kv *)x)->key, ((const struct kv *)y)->key);
}

static void environment(struct app_builder *b, const struct ev_environment *e)
{
    struct app *app = b->app;

    app->jvm = build_kvs(b, &e->jvm);
    app->spark = build_kvs(b, &e->spark);
    qsort(app->spark.items, app->spark.n, sizeof *app->spark.items, by_key);
}

static void resource_profile(struct app_builder *b, const struct ev_resource_profile *e)
{
    struct app *app = b->app;
    uint32_t ix = map_get(&b->profile_by_id, e->id);

    if (ix == MAP_NONE) {
        GROW(app->profiles, app->n_profiles, b->cap_profiles);
        ix = (uint32_t)app->n_profiles++;
        map_put(&b->profile_by_id, e->id, ix);
    }
    app->profiles[ix] = (struct resource_profile){ e->id,
                                                   e->cores,
                                                   e->memory_mib,
                                                   e->memory_overhead_mib,
                                                   e->offheap_mib,
                                                   e->task_cpus };
}

/* --- executors ------------------------------------------------------------- */

struct executor *build_executor(struct app_builder *b, struct sv id)
{
    struct app *app = b->app;

    id = build_text(b, id.p ? id : SV(""));
    uint32_t ix = map_get(&b->executor_by_id, (int64_t)(intptr_t)id.p);
    if (ix != MAP_NONE)
        return &app->executors[ix];
    GROW(app->executors, app->n_executors, b->cap_executors);
    ix = (uint32_t)app->n_executors++;
    map_put(&b->executor_by_id, (int64_t)(intptr_t)id.p, ix);
    app->executors[ix] = (struct executor){
        .id = id,
        .is_driver = sv_is(id, "driver") || sv_is(id, "<driver>"),
        .cores = APP_NONE,
        .added_ms = APP_NONE,
        .removed_ms = APP_NONE,
        .request_ms = APP_NONE,
        .resource_profile_id = APP_NONE,
        .max_memory_bytes = APP_NONE,
        .max_onheap_bytes = APP_NONE,
        .max_offheap_bytes = APP_NONE,
    };
    return &app->executors[ix];
}

static void executor_added(struct app_builder *b, const struct ev_executor *e)
{
    struct executor *x = build_executor(b, e->id);

    build_saw_time(b, e->time_ms);
    x->host = build_text(b, e->host);
    if (e->cores >= 0 && e->cores <= INT32_MAX)
        x->cores = e->cores;
    x->added_ms = e->time_ms;
    x->request_ms = e->request_ms;
    x->resource_profile_id = e->resource_profile_id;
}

/* Executors go because nobody needs them any more, or because something broke; only
 * the reason tells. The first list holds Spark's own words for "was asked to". */
static bool reason_is_fault(struct sv reason)
{
    static const char *const asked[] = { "killed by driver", "idle", "decommission",
                                         "removed by driver", "request", "exited with code 0",
                                         "shutdown", "shutting down", "driver is stopping" };
    static const char *const broke[] = { "lost", "exited with code 137", "exceeding",
                                         "heartbeat", "out of memory", "oom", "preempt",
                                         "unexpected", "crash" };

    for (size_t i = 0; i < ARRAY_LEN(broke); i++)
        if (sv_has_nocase(reason, broke[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        if (sv_has_nocase(reason, asked[i]))
            return false;
    return true;
}

static uint32_t executor_removed(struct app_builder *b, const struct ev_executor *e)
{
    struct executor *x = build_executor(b, e->id);

    build_saw_time(b, e->time_ms);
    x->removed_ms = e->time_ms;
    x->removed_reason = build_text(b, e->reason);
    x->lost = reason_is_fault(e->reason);
    return (uint32_t)(x - b->app->executors);
}

static void executor_excluded(struct app_builder *b, const struct ev_executor *e)
{
    if (e->id.p)
        build_executor(b, e->id)->excluded = true;
    for (size_t i = 0; !e->id.p && i < b->app->n_executors; i++)
        if (e->host.p && sv_eq(b->app->executors[i].host, e->host))
            b->app->executors[i].excluded = true;
}

static void block_manager_added(struct app_builder *b, const struct ev_block_manager *e)
{
    struct executor *x = build_executor(b, e->executor_id);

    build_saw_time(b, e->time_ms);
    if (!x->host.p)
        x->host = build_text(b, e->host);
    if (x->added_ms == APP_NONE && e->time_ms > 0)
        x->added_ms = e->time_ms;
    x->max_memory_bytes = e->max_memory;
    x->max_onheap_bytes = e->max_onheap;
    x->max_offheap_bytes = e->max_offheap;
}

/* --- cached blocks ----------------------------------------------------------- */

/* "rdd_<rdd>_<split>" */
static bool rdd_of_block(struct sv block_id, int64_t *rdd_id)
{
    if (!sv_starts(block_id, SV("rdd_")))
        return false;
    struct sv rest = sv_from(block_id, 4);
    size_t end = sv_find(rest, SV("_"));
    return end != SIZE_MAX && sv_i64((struct sv){ rest.p, end }, rdd_id);
}

static struct cached_rdd *cached_rdd(struct app_builder *b, int64_t rdd_id, uint32_t *ix)
{
    struct app *app = b->app;

    *ix = map_get(&b->cached_by_rdd, rdd_id);
    if (*ix == MAP_NONE) {
        GROW(app->cached, app->n_cached, b->cap_cached);
        *ix = (uint32_t)app->n_cached++;
        map_put(&b->cached_by_rdd, rdd_id, *ix);
        app->cached[*ix] = (struct cached_rdd){ .rdd_id = rdd_id, .partitions = APP_NONE };
    }
    return &app->cached[*ix];
}

/* A block's new sizes, for its executor and its RDD (NULL: not for that). */
static void block_counts(struct cached_rdd *c, struct executor *x, struct block *k,
                         int64_t memory_bytes, int64_t disk_bytes)
{
    bool was = k->memory_bytes > 0 || k->disk_bytes > 0;
    bool is = memory_bytes > 0 || disk_bytes > 0;
    int64_t more_memory = sub_sat(memory_bytes, k->memory_bytes);
    int64_t more_disk = sub_sat(disk_bytes, k->disk_bytes);
    bool newly_on_disk = disk_bytes > 0 && k->disk_bytes == 0;

    x->storage_memory_bytes = add_sat(x->storage_memory_bytes, more_memory);
    x->storage_disk_bytes = add_sat(x->storage_disk_bytes, more_disk);
    k->memory_bytes = memory_bytes;
    k->disk_bytes = disk_bytes;
    x->rdd_blocks += is - was;
    if (!c)
        return;
    c->memory_bytes = add_sat(c->memory_bytes, more_memory);
    c->disk_bytes = add_sat(c->disk_bytes, more_disk);
    c->blocks += is - was;
    c->disk_blocks += newly_on_disk;
    c->dropped_blocks += was && !is && !c->unpersisted && x->removed_ms == APP_NONE;
    c->peak_memory_bytes = max_i64(c->peak_memory_bytes, c->memory_bytes);
    c->peak_disk_bytes = max_i64(c->peak_disk_bytes, c->disk_bytes);
    c->peak_blocks = max_i64(c->peak_blocks, c->blocks);
}

static struct block *block_of(struct app_builder *b, struct sv block_id, uint32_t cached_ix,
                              uint32_t executor_ix)
{
    char name[256]; /* rdd_<rdd>_<split> is far shorter; what is cut is no real block */

    snprintf(name, sizeof name, "%" PRIu32 "|%.*s", executor_ix, SV_FMT(block_id));
    int64_t key = (int64_t)(intptr_t)build_text(b, sv(name)).p;
    uint32_t ix = map_get(&b->block_by_name, key);

    if (ix != MAP_NONE)
        return &b->blocks[ix];
    GROW(b->blocks, b->n_blocks, b->cap_blocks);
    ix = (uint32_t)b->n_blocks++;
    map_put(&b->block_by_name, key, ix);
    b->blocks[ix] = (struct block){
        .cached_ix = cached_ix,
        .executor_ix = executor_ix,
        .next_of_rdd = map_get(&b->block_by_cached, cached_ix),
        .next_of_executor = map_get(&b->block_by_executor, executor_ix),
    };
    map_put(&b->block_by_cached, cached_ix, ix);
    map_put(&b->block_by_executor, executor_ix, ix);
    return &b->blocks[ix];
}

/* Blocks of RDDs only: a broadcast's removal is logged like its arrival, so what is
 * held at the end cannot be told (the History Server counts those twice). */
static void block_updated(struct app_builder *b, const struct ev_block *e)
{
    uint32_t cached_ix;
    int64_t rdd_id;

    b->app->has_block_updates = true;
    if (!rdd_of_block(e->block_id, &rdd_id))
        return;
    struct cached_rdd *c = cached_rdd(b, rdd_id, &cached_ix);
    struct executor *x = build_executor(b, e->executor_id);
    struct block *k = block_of(b, e->block_id, cached_ix, (uint32_t)(x - b->app->executors));
    bool held = e->use_disk || e->use_memory;
    if (held && c->unpersisted) { /* persisted again */
        c->unpersisted = false;
        c->memory_bytes = c->disk_bytes = c->blocks = 0;
    }
    c->use_memory |= e->use_memory;
    c->use_disk |= e->use_disk;
    c->deserialized |= held && e->deserialized;
    block_counts(c, x, k, held ? max_i64(0, e->memory_bytes) : 0,
                 held ? max_i64(0, e->disk_bytes) : 0);
}

/* The RDD keeps its numbers as they were; its executors have room again. */
static void unpersist(struct app_builder *b, const struct ev_id *e)
{
    uint32_t cached_ix = map_get(&b->cached_by_rdd, e->id);

    if (cached_ix == MAP_NONE)
        return;
    b->app->cached[cached_ix].unpersisted = true;
    for (uint32_t ix = map_get(&b->block_by_cached, cached_ix); ix != MAP_NONE;
         ix = b->blocks[ix].next_of_rdd) {
        struct block *k = &b->blocks[ix];

        block_counts(NULL, &b->app->executors[k->executor_ix], k, 0, 0);
    }
}

/* What an executor held went with it. */
static void drop_blocks_of(struct app_builder *b, uint32_t executor_ix)
{
    for (uint32_t ix = map_get(&b->block_by_executor, executor_ix); ix != MAP_NONE;
         ix = b->blocks[ix].next_of_executor) {
        struct block *k = &b->blocks[ix];

        block_counts(&b->app->cached[k->cached_ix], &b->app->executors[executor_ix], k, 0, 0);
    }
}

/* --- streaming ---------------------------------------------------------------- */

static void stream_progress(struct app_builder *b, const struct ev_stream *e)
{
    struct app *app = b->app;

    GROW(app->stream_batches, app->n_stream_batches, b->cap_stream_batches);
    app->stream_batches[app->n_stream_batches++] = (struct stream_batch){
        .id = build_text(b, e->id),
        .name = build_text(b, e->name),
        .batch_id = e->batch_id,
        .batch_ms = e->batch_ms,
        .input_rows = e->input_rows,
        .timestamp = build_text(b, e->timestamp),
    };
}

/* --- order of things ------------------------------------------------------------ */

static void unknown_event(struct app_builder *b, struct sv name)
{
    struct completeness *c = &b->app->complete;

    c->unknown_events++;
    name = build_text(b, name.p ? name : SV(""));
    uint32_t ix = map_get(&b->unknown_by_name, (int64_t)(intptr_t)name.p);
    if (ix == MAP_NONE) {
        GROW(c->unknown, c->n_unknown, c->cap_unknown);
        ix = (uint32_t)c->n_unknown++;
        c->unknown[ix] = (struct unknown_event){ name, 0 };
        map_put(&b->unknown_by_name, (int64_t)(intptr_t)name.p, ix);
    }
    c->unknown[ix].count++;
}

static void apply(struct app_builder *b, const struct event *e)
{
    switch (e->kind) {
    case EVENT_UNKNOWN:
        unknown_event(b, e->name);
        return;
    case EVENT_LOG_START:
        log_start(b, e->body, e->name);
        break;
    case EVENT_APP_START:
        app_start(b, e->body);
        break;
    case EVENT_APP_END:
        app_end(b, e->body);
        break;
    case EVENT_ENVIRONMENT:
        environment(b, e->body);
        break;
    case EVENT_RESOURCE_PROFILE:
        resource_profile(b, e->body);
        break;
    case EVENT_EXECUTOR_ADDED:
        executor_added(b, e->body);
        break;
    case EVENT_EXECUTOR_REMOVED:
        drop_blocks_of(b, executor_removed(b, e->body));
        break;
    case EVENT_EXECUTOR_EXCLUDED:
        executor_excluded(b, e->body);
        break;
    case EVENT_BLOCK_MANAGER_ADDED:
        block_manager_added(b, e->body);
        break;
    case EVENT_BLOCK_MANAGER_REMOVED:
        break; /* ExecutorRemoved says the same, with the reason */
    case EVENT_BLOCK_UPDATED:
        block_updated(b, e->body);
        break;
    case EVENT_UNPERSIST:
        unpersist(b, e->body);
        break;
    case EVENT_JOB_START:
        build_job_start(b, e->body);
        break;
    case EVENT_JOB_END:
        build_job_end(b, e->body);
        break;
    case EVENT_STAGE_SUBMITTED:
        build_stage_submitted(b, e->body);
        break;
    case EVENT_STAGE_COMPLETED:
        build_stage_completed(b, e->body);
        break;
    case EVENT_STAGE_EXECUTOR_METRICS:
        build_stage_peaks(b, e->body);
        break;
    case EVENT_TASK_START:
        build_task_start(b, e->body);
        break;
    case EVENT_TASK_GETTING_RESULT:
        build_task_getting_result(b, e->body);
        break;
    case EVENT_TASK_END:
        build_task_end(b, e->body);
        break;
    case EVENT_SQL_START:
        build_sql_start(b, e->body);
        break;
    case EVENT_SQL_END:
        build_sql_end(b, e->body);
        break;
    case EVENT_SQL_PLAN:
        build_sql_plan(b, e->body);
        break;
    case EVENT_SQL_METRICS:
        build_sql_metrics(b, e->body);
        break;
    case EVENT_DRIVER_ACCUMS:
        build_driver_accums(b, e->body);
        break;
    case EVENT_STREAM_PROGRESS:
        stream_progress(b, e->body);
        break;
    case EVENT_STREAM_STARTED:
    case EVENT_STREAM_TERMINATED:
    case EVENT_IGNORED:
        break;
    case EVENT_KIND_COUNT:
        abort();
    }
    b->known_events++;
}

/* A damaged line that yields no event. */
static bool line_is_lost(enum line_damage kind)
{
    return kind == DAMAGE_NOT_JSON || kind == DAMAGE_NO_EVENT || kind == DAMAGE_FIELDS ||
           kind == DAMAGE_TORN || kind == DAMAGE_TOO_LONG;
}

void app_builder_apply(struct app_builder *b, const struct event_batch *batch, int64_t bytes)
{
    struct completeness *c = &b->app->complete;

    for (size_t i = 0; i < batch->n_damage; i++) {
        const struct damage_note *d = &batch->damage[i];

        build_damage(b, d->kind, b->part_lines + d->line + 1,
                     b->part_offset + (int64_t)d->offset);
        c->bad_lines += line_is_lost(d->kind);
    }
    for (size_t i = 0; i < batch->n; i++)
        apply(b, &batch->events[i]);
    c->events += (int64_t)batch->n;
    c->lines += batch->lines;
    c->bytes += bytes;
    b->part_lines += batch->lines;
    b->part_offset += bytes;
}
