/* Builds an application from its events, one batch after the other, in order.
 *
 *     struct app_builder b = { .app = app };
 *     app_builder_init(&b);
 *     for each part: app_builder_part(&b, path);
 *         for each chunk: app_builder_apply(&b, &batch);
 *     app_builder_finish(&b);
 *
 * The files of this module: app_build.c (application, executors, blocks, order of
 * things), app_build_jobs.c (jobs, stages, tasks), app_build_sql.c (executions,
 * plans), app_build_finish.c (sorting, statuses, what can be told at the end). */
#ifndef ANALYZER_APP_BUILD_H
#define ANALYZER_APP_BUILD_H

#include "analyzer/app.h"

struct task_page;

struct block { /* a cached RDD block on one executor */
    uint32_t cached_ix, executor_ix;
    int64_t memory_bytes, disk_bytes;
    uint32_t next_of_rdd, next_of_executor; /* IX_NONE: last */
};

/* Which jobs list a stage id; a chain through job_listings. */
struct job_listing {
    uint32_t job_ix, place; /* place in the job's stage_ids */
    uint32_t next;          /* IX_NONE: last */
};

struct app_builder {
    struct app *app;

    struct map stage_by_id;   /* stage id << 32 | attempt -> position */
    struct map job_by_id, sql_by_id, profile_by_id;
    struct map executor_by_id, host_by_name; /* by the interned text's address */
    struct map cached_by_rdd, block_by_name;
    struct map block_by_cached, block_by_executor; /* position -> newest block */
    struct map scope_by_text;  /* position in scopes */
    struct map listing_by_stage; /* stage id -> newest listing */
    struct map task_page_by_number;
    struct map unknown_by_name;
    struct map node_by_hash;   /* plan nodes made so far, to share equal subtrees */

    struct task_page **task_pages;
    struct block *blocks;
    struct sv *scopes;
    struct job_listing *listings;
    struct job_list {          /* jobs that were live when a stage was submitted */
        uint32_t *ixs;
        size_t n;
    } *stage_jobs;             /* per stage, as long as cap_stages */
    bool **job_stage_ran;      /* per job, parallel to its stage_ids */
    struct plan_node **nodes;
    size_t cap_stages, cap_jobs, cap_executors, cap_hosts, cap_sqls, cap_driver_accums;
    size_t cap_cached, cap_profiles, cap_stream_batches;
    size_t n_task_pages, cap_task_pages, n_blocks, cap_blocks;
    size_t n_scopes, cap_scopes, n_listings, cap_listings, n_nodes, cap_nodes;
    struct kvs last_properties; /* of the job before: usually the same again */

    struct sv part;            /* being read */
    int64_t part_lines, part_offset; /* of the chunks applied so far */
    uint64_t known_events;     /* events with a meaning for us */
    int64_t first_ms, last_ms; /* seen anywhere in the log */
    bool app_started;
};

void app_builder_init(struct app_builder *b);
/* A new part begins; path is what messages call it. */
void app_builder_part(struct app_builder *b, struct sv path);
/* Applies a decoded chunk of `bytes` decoded bytes. The batch may be reset after. */
void app_builder_apply(struct app_builder *b, const struct event_batch *batch, int64_t bytes);
/* Sorts and completes the application and frees what was only needed to build it. */
void app_builder_finish(struct app_builder *b);
/* Frees the same without completing; for failures. */
void app_builder_release(struct app_builder *b);

/* --- shared between the files of this module ------------------------------ */

void build_note(struct app_builder *b, const char *text);
void build_damage(struct app_builder *b, enum line_damage kind, int64_t line, int64_t offset);
/* Widens the span of times seen; unknown and non-positive ones are passed over. */
void build_saw_time(struct app_builder *b, int64_t ms);
struct sv build_text(struct app_builder *b, struct sv text);
struct executor *build_executor(struct app_builder *b, struct sv id);
void build_peaks(struct ev_peaks *into, const struct ev_peaks *from);
struct kvs build_kvs(struct app_builder *b, const struct kvs *from);

void build_job_start(struct app_builder *b, const struct ev_job_start *e);
void build_job_end(struct app_builder *b, const struct ev_job_end *e);
void build_stage_submitted(struct app_builder *b, const struct ev_stage *e);
void build_stage_completed(struct app_builder *b, const struct ev_stage *e);
void build_stage_peaks(struct app_builder *b, const struct ev_stage_peaks *e);
void build_task_start(struct app_builder *b, const struct ev_task *e);
void build_task_getting_result(struct app_builder *b, const struct ev_task *e);
void build_task_end(struct app_builder *b, const struct ev_task_end *e);
void build_jobs_release(struct app_builder *b);
struct job *build_job(struct app_builder *b, int64_t job_id);

void build_sql_start(struct app_builder *b, const struct ev_sql_start *e);
void build_sql_end(struct app_builder *b, const struct ev_sql_end *e);
void build_sql_plan(struct app_builder *b, const struct ev_sql_plan *e);
void build_sql_metrics(struct app_builder *b, const struct ev_sql_plan *e);
void build_driver_accums(struct app_builder *b, const struct ev_driver_accums *e);

#endif
