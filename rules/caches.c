/* Caches that nobody reads, and caches that do not fit.
 *
 * A persisted RDD stands, with its storage level, in every stage that is computed from
 * it, skipped ones included: they tell who uses it. How many blocks fit only block
 * updates tell, which Spark logs when asked to. */
#include "rules/node.h"

#include <inttypes.h>

static const struct rdd *stage_rdd(const struct stage *s, int64_t id)
{
    for (size_t i = 0; i < s->n_rdds; i++)
        if (s->rdds[i].id == id)
            return &s->rdds[i];
    return NULL;
}

/* --- unused ------------------------------------------------------------------------ */

enum { UNUSED_SHARE, UNUSED_TASKS };

static const struct rule_param unused_params[] = {
    [UNUSED_SHARE] = { "stages-share", 0.02, "",
                       "of the wall time the stages that fill it take",
                       "keeping a small result costs nothing" },
    [UNUSED_TASKS] = { "min-task-time", 1000, "ms", "of the stages that fill it",
                       "less is not worth a change" },
};

static void count_cache_scan(const struct plan_node *node, void *context)
{
    size_t *n = context;

    *n += node_is(node, "InMemoryTableScan");
}

struct cache_use {
    int64_t rdd_id;
    struct sv name;
    int64_t user; /* SQL execution, or -1 - job id */
    bool again;   /* by somebody else, too */
    int64_t work_ms, task_ms;
    size_t stages;
};

static struct cache_use *use_of(struct cache_use *uses, size_t *n, const struct rdd *r)
{
    for (size_t i = 0; i < *n; i++)
        if (uses[i].rdd_id == r->id)
            return &uses[i];
    if (*n == 256)
        return NULL; /* a loop that caches: not for this rule */
    uses[*n] = (struct cache_use){ .rdd_id = r->id, .name = r->name, .user = APP_NONE };
    return &uses[(*n)++];
}

static size_t find_uses(const struct rule_input *in, struct cache_use *uses)
{
    const struct app *app = in->app;
    size_t n = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];

        for (size_t i = 0; stage_ran(s) && i < s->n_rdds; i++) {
            const struct rdd *r = &s->rdds[i];
            struct cache_use *u;

            if (!(r->use_memory || r->use_disk) || !(u = use_of(uses, &n, r)))
                continue;
            int64_t user = s->sql_execution_id != APP_NONE ? s->sql_execution_id
                           : s->ran_for_job_ix != IX_NONE
                               ? -1 - app->jobs[s->ran_for_job_ix].job_id
                               : APP_NONE;

            u->again |= u->stages > 0 && u->user != user;
            u->user = user;
            u->stages++;
            u->work_ms = add_sat(u->work_ms, stage_work_ms(in, ix));
            u->task_ms = add_sat(u->task_ms, in->shapes[ix].total_ms);
        }
    }
    return n;
}

/* The query reads it at two places itself. */
static bool read_twice_in_query(const struct app *app, const struct cache_use *u)
{
    size_t scans = 0;
    uint32_t ix = u->user >= 0 ? app_sql_ix(app, u->user) : IX_NONE;

    if (ix != IX_NONE && sql_final_plan(&app->sqls[ix]))
        plan_each(sql_final_plan(&app->sqls[ix]), count_cache_scan, &scans);
    return scans > 1;
}

static enum rule_answer unused_check(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    struct cache_use uses[256];
    size_t n = find_uses(in, uses);
    const struct cache_use *w = NULL;
    double wall = (double)in->analysis->ledgers.wall_total_ms;

    for (size_t i = 0; i < n && app->finished; i++) {
        const struct cache_use *u = &uses[i];

        if (!u->again && u->stages && (double)u->task_ms >= in->params[UNUSED_TASKS] &&
            (double)u->work_ms >= in->params[UNUSED_SHARE] * wall &&
            !read_twice_in_query(app, u) && (!w || u->work_ms > w->work_ms))
            w = u;
    }
    if (!w)
        return app->finished || n == 0 ? RULE_JUDGED : RULE_NO_DATA;
    finding_begin(out, in->rule, "A cache is filled that nobody reads again");
    finding_cause(
        out, "RDD %" PRId64 " (%s) is persisted, but only the %s that fills it uses it.",
        w->rdd_id, words_clean(out, w->name, 80), w->user >= 0 ? "query" : "job");
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!stage_ran(&app->stages[ix]) || !stage_rdd(&app->stages[ix], w->rdd_id))
            continue;
        finding_stage(out, app, ix);
        claim_work(in, out, ix, 0.05, 0.3, 0.6);
    }
    finding_number(out, "rdd_id", (double)w->rdd_id);
    finding_number(out, "stages_with_it", (double)w->stages);
    finding_number(out, "task_time_ms", (double)w->task_ms);
    for (size_t i = 0; i < app->n_cached; i++)
        if (app->cached[i].rdd_id == w->rdd_id)
            finding_number(out, "peak_memory_bytes",
                           (double)app->cached[i].peak_memory_bytes);
    finding_code(out, "# remove .cache() / .persist() / CACHE TABLE here");
    finding_advice(
        out, "Drop the cache: making its blocks takes time, and the memory they hold "
             "is missing elsewhere.");
    finding_verify(out, "The plan should not show InMemoryTableScan.");
    return RULE_JUDGED;
}

const struct rule rule_unused_cache = {
    .id = "unused-cache",
    .title = "Persisted data that no later job reads",
    .question = QUESTION_SPILLS,
    .what = "Persisted RDDs and tables that only the query or job uses that fills them.",
    .advice = "Do not persist them.",
    .limits =
        "Judged when the application has ended. More than 256 persisted RDDs are not "
        "looked at.",
    .params = unused_params,
    .n_params = ARRAY_LEN(unused_params),
    .check = unused_check,
    .no_data_why = "the application has not ended: what is cached may yet be read",
};

/* --- eviction ---------------------------------------------------------------------- */

enum { EVICT_SHARE, EVICT_BLOCKS };

static const struct rule_param evict_params[] = {
    [EVICT_SHARE] = { "share", 0.1, "", "of the blocks dropped or put on disk",
                      "SparkForensics: 10 % of the partitions missing, 15 % on disk" },
    [EVICT_BLOCKS] = { "min-blocks", 2, "", "blocks", "one may be chance" },
};

/* Partitions that found no room when they were made: Spark then stores nothing, and says
 * nothing. Only where some stage has computed them all. */
static int64_t never_stored(const struct app *app, const struct cached_rdd *c)
{
    if (c->peak_blocks >= c->partitions)
        return 0;
    app_each_stage (app, s)
        if (stage_rdd(s, c->rdd_id) && s->tasks >= c->partitions &&
            s->completed_indices == s->tasks)
            return c->partitions - c->peak_blocks;
    return 0;
}

static enum rule_answer evict_check(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    const struct cached_rdd *w = NULL;
    double worst = 0, part = 0;
    bool persists = false;

    app_each_stage (app, s)
        for (size_t i = 0; i < s->n_rdds; i++)
            persists |= s->rdds[i].use_memory;
    if (!app->has_block_updates)
        return persists ? RULE_NO_DATA : RULE_JUDGED;
    for (size_t i = 0; i < app->n_cached; i++) {
        const struct cached_rdd *c = &app->cached[i];
        int64_t lost = max_i64(c->dropped_blocks, never_stored(app, c));
        double bad = (double)add_sat(c->disk_blocks, lost);
        double share = bad / (double)max_i64(max_i64(c->peak_blocks, c->partitions), 1);

        if (c->use_memory && bad >= in->params[EVICT_BLOCKS] &&
            share >= in->params[EVICT_SHARE] && bad > worst) {
            w = c;
            worst = bad;
            part = share > 1 ? 1 : share;
        }
    }
    if (!w)
        return RULE_JUDGED;
    finding_begin(out, in->rule, "%.0f of %" PRId64 " cached blocks do not fit memory",
                  worst, max_i64(w->peak_blocks, w->partitions));
    finding_cause(
        out,
        "RDD %" PRId64 " (%s): %" PRId64 " blocks went to disk, %" PRId64
        " were dropped, %" PRId64 " found no room; %s stayed in memory at most.",
        w->rdd_id, words_clean(out, w->name, 80), w->disk_blocks, w->dropped_blocks,
        never_stored(app, w), words_bytes(out, w->peak_memory_bytes));
    bool fills = true;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!stage_ran(&app->stages[ix]) || !stage_rdd(&app->stages[ix], w->rdd_id))
            continue;
        finding_stage(out, app, ix);
        if (!fills) { /* later ones read from disk, or compute again what was dropped */
            finding_claim(out, &in->analysis->ledgers, ix, WALL_IO_AND_OTHER, 0.02 * part,
                          0.4 * part, 0.9 * part);
            finding_claim(out, &in->analysis->ledgers, ix, WALL_COMPUTE, 0.02 * part,
                          0.3 * part, 0.8 * part);
        }
        fills = false;
    }
    finding_number(out, "blocks_on_disk", (double)w->disk_blocks);
    finding_number(out, "blocks_dropped", (double)w->dropped_blocks);
    finding_number(out, "blocks_never_stored", (double)never_stored(app, w));
    finding_number(out, "peak_memory_bytes", (double)w->peak_memory_bytes);
    finding_number(out, "peak_disk_bytes", (double)w->peak_disk_bytes);
    finding_code(out,
                 "df.select('what', 'is', 'used').cache()  # fewer columns and rows\n"
                 "df.persist(StorageLevel.MEMORY_AND_DISK)  # dropped blocks are read, "
                 "not computed");
    finding_advice(
        out,
        "Cache fewer columns or rows, unpersist what is done with, or give the "
        "executors about %s more storage memory; do not cache what is cheap to read.",
        words_bytes(out, max_i64(w->peak_disk_bytes, w->peak_memory_bytes / 2)));
    finding_verify(out, "No blocks on disk or dropped in the Storage page.");
    return RULE_JUDGED;
}

const struct rule rule_cache_eviction = {
    .id = "cache-eviction",
    .title = "Cached data is larger than storage memory",
    .question = QUESTION_SPILLS,
    .what =
        "Persisted data of which a share of the blocks went to disk, was dropped while "
        "its executor lived, or found no room at all.",
    .advice = "Cache less, or give it more memory.",
    .limits =
        "Only with block updates in the log. Data persisted on disk on purpose is left "
        "alone.",
    .params = evict_params,
    .n_params = ARRAY_LEN(evict_params),
    .check = evict_check,
    .no_data_why = "data is cached, but the log does not tell what became of its blocks",
    .enable = "spark.eventLog.logBlockUpdates.enabled=true",
};
