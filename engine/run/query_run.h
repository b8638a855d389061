/* A query while it runs: its stages' outputs, and the steps of driving it. For run/ only;
 * operators see query.h. */
#ifndef ENGINE_RUN_QUERY_RUN_H
#define ENGINE_RUN_QUERY_RUN_H

#include "engine/exec/place.h"
#include "engine/plan/adaptive.h"
#include "engine/run/query.h"
#include "engine/run/scheduler.h"

#include <pthread.h>

/* What a PHYS_EXCHANGE or PHYS_BROADCAST has made, or is about to. */
struct input {
    struct input *next;
    const struct phys *node;
    struct shuffle *shuffle;
    struct broadcast *broadcast;
    struct range_bounds *bounds; /* of a range exchange */
    bool done;
    struct phys *child; /* of an exchange: the tree that its map tasks run */
    /* the stage that writes the shuffle, as jobs list it */
    struct query_run *query;
    uint32_t n_maps;
    struct input **parents;
    uint32_t n_parents;
    struct log_rdd *rdds;
    uint32_t n_rdds;
    int32_t top_rdd;
    int64_t held_bytes; /* storage memory of a broadcast */
};

struct scan_parts {
    struct scan_parts *next;
    const struct phys *scan;
    const struct relation *relation; /* with the files that are read */
    struct scan_partition *parts;
    uint32_t n;
    bool counted; /* files and bytes were logged */
};

struct subquery_value {
    struct subquery_value *next;
    const struct phys *node;
    struct value value;
    bool ended; /* value is there; or rc, err say why not */
    enum errc rc;
    struct err err;
};

struct query_run {
    struct scheduler *scheduler;
    const struct settings *settings, *initial;
    struct eval_env eval;
    struct memory *driver_memory;
    int64_t execution_id, root_id; /* root_id: of the command it is a part of, or its own */
    const char *description, *call_site;
    pthread_mutex_t lock; /* of the lists and the arena */
    struct arena arena;
    struct input *inputs; /* newest first */
    struct scan_parts *scans;
    struct subquery_value *subqueries;
    const struct phys
        *root;           /* of the query, as logged; subqueries have roots of their own */
    struct arena **kept; /* released with the query */
    uint32_t n_kept, cap_kept;
    int32_t *next_shuffle; /* of the session */
    /* AQE: held while one of the query's plans is planned or shown */
    pthread_mutex_t stage_lock;
    pthread_cond_t stage_ended;
    struct stage_cache stages;
    pthread_cond_t subquery_ended; /* with `lock` */
};

void query_run_init(struct query_run *q);
void query_run_release(struct query_run *q); /* files of its shuffles too */

/* Memory of the query's lifetime, from any thread. */
void *query_alloc(struct query_run *q, size_t size);

/* The exchange or broadcast behind a leaf: through stages, reads and reuse. */
const struct phys *query_exchange_of(const struct phys *node);
bool query_is_leaf(const struct phys *node);
/* NULL: not yet known. */
struct input *query_input(const struct query_run *q, const struct phys *node);
struct input *query_input_make(struct query_run *q, const struct phys *exchange);
/* Finds the splits of all scans above the leaves. */
enum errc query_find_scans(struct query_run *q, const struct phys *root,
                           struct err *err) MUST_CHECK;
struct scan_parts *query_scan_parts(const struct query_run *q, const struct phys *scan);
/* The shuffle leaves of a stage's tree, each once, in order: into *out (query's memory).
 */
uint32_t query_leaves(struct query_run *q, const struct phys *root, struct input ***out);

/* The stage's RDDs, as Spark would have made them of these operators; what reads them.
 * `top`: name of the operator above, NULL: none. */
uint32_t lineage_of(struct query_run *q, const struct phys *root, const char *top,
                    struct log_rdd **out, int32_t *top_rdd);

/* Counts into the node's metric, by key, of a task. */
void task_count(struct task *t, const struct phys *node, const char *key, int64_t value);
/* "duration" of the whole-stage units in the task's tree: Spark's lasts from a unit's start
 * to its end, and all begin with the task. */
void task_durations(struct task *t, const struct phys *root, int64_t begin_ns);
/* Sets metrics on the driver and logs them. */
void driver_count(struct query_run *q, const struct phys *node, uint32_t n,
                  const char *const *keys, const int64_t *values);
int64_t metric_total(struct query_run *q, const struct phys *node, const char *key);
/* The arena, zeroed by now, is released with the query. */
void query_keep_arena(struct query_run *q, struct arena *a);
/* Gives every node without metrics its accumulators. */
void query_register_metrics(struct query_run *q, struct phys *root);

/* The scan's relation with the files its partition filters leave; in the query's arena,
 * whose lock the caller holds. Values of subqueries are known by now. */
enum errc scan_prune(struct query_run *q, const struct phys *scan,
                     const struct relation **out, struct err *err) MUST_CHECK;

/* --- exchange.c: map tasks -------------------------------------------------------- */

enum errc drive_subqueries(struct query_run *q, struct phys *root,
                           struct err *err) MUST_CHECK;
void broadcast_free(struct broadcast *b);       /* NULL: nothing */
enum errc exchange_map_task(void *ctx /* struct input */, struct task *t,
                            struct err *err) MUST_CHECK;
/* Of a range exchange: runs its child once for a sample of keys. */
enum errc exchange_sample(struct query_run *q, struct input *in, uint32_t *n_partitions,
                          struct err *err) MUST_CHECK;

/* --- collect.c: results of tasks on the driver ------------------------------------ */

struct collected {        /* zeroed: nothing */
    struct strbuf *parts; /* encoded batches of each task */
    uint32_t n;
    const struct phys *root;     /* what tasks run */
    const struct exprs *columns; /* of its rows: not of a task's share of TakeOrdered.. */
    _Atomic int64_t rows;
};

/* Runs root's partitions [from, to) as a job, appends their rows in order. */
enum errc collect_run(struct query_run *q, const struct phys *root, uint32_t from,
                      uint32_t to, struct collected *out, struct err *err) MUST_CHECK;
int64_t collected_bytes(const struct collected *c);
/* Batches in the arena, which takes over the bytes. */
enum errc collected_batches(struct collected *c, struct arena *a, struct batch **out,
                            uint32_t *n, struct err *err) MUST_CHECK;
void collected_release(struct collected *c);

/* --- drive.c ---------------------------------------------------------------------- */

struct rows_out { /* a result on the driver */
    struct batch *batches;
    uint32_t n_batches;
    uint64_t n_rows;
};

/* Runs what the tree's leaves need, then root; rows into arena a. */
enum errc drive_collect(struct query_run *q, struct phys *root, struct arena *a,
                        struct rows_out *out, struct err *err) MUST_CHECK;
/* Subqueries, broadcasts and range samples below root (not below leaves that are there);
 * shuffles are made known, so that jobs can list them. */
enum errc drive_inputs(struct query_run *q, struct phys *root,
                       struct err *err) MUST_CHECK;
/* drive_inputs, and *out the tree that tasks are to run for it. collected: the driver
 * does the last step of a TakeOrderedAndProject at the root. */
enum errc drive_ready(struct query_run *q, struct phys *root, bool collected,
                      struct phys **out, struct err *err) MUST_CHECK;
/* Makes the exchange known to jobs, with all that it needs. */
enum errc drive_prepare(struct query_run *q, struct phys *exchange,
                        struct err *err) MUST_CHECK;
/* A job for root's tree: all stages it needs, those there already as skipped. run, ctx:
 * of the last stage. in: the last stage is this input's map stage (root its exchange). */
enum errc drive_job(struct query_run *q, const struct phys *root, struct input *in,
                    const uint32_t *partitions, uint32_t n_tasks, task_fn run, void *ctx,
                    struct err *err) MUST_CHECK;
/* An AQE plan: stages as they become ready; *out the final plan, ready to run. */
enum errc drive_adaptive(struct query_run *q, struct phys *adaptive, struct phys **out,
                         struct err *err) MUST_CHECK;
/* Runs the exchange's own job: AQE's query stages. */
enum errc drive_materialise(struct query_run *q, struct phys *exchange,
                            struct err *err) MUST_CHECK;
/* A plan with a PHYS_WRITE at its root. */
enum errc drive_write(struct query_run *q, struct phys *root,
                      struct err *err) MUST_CHECK;
enum errc drive_broadcast(struct query_run *q, struct phys *broadcast,
                          struct err *err) MUST_CHECK;

#endif
