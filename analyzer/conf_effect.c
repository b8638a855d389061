/* What several settings, the master and the log make together. See conf.h.
 *
 * What the log measured goes before what settings promise: executors announce their
 * memory region, resource profiles their heap and overhead. A setting comes first only
 * where the measured thing is made from it. */
#include "analyzer/conf.h"

#define MIB ((int64_t)1024 * 1024)
#define RESERVED_BYTES (300 * MIB) /* of the heap, for Spark's own objects */
#define MIN_OVERHEAD_BYTES (384 * MIB)
#define EMR_OVERHEAD_FACTOR 0.1875  /* EMR's documentation of Spark's defaults */
#define FOREIGN_OVERHEAD_FACTOR 0.4 /* Python and R on Kubernetes */
#define LEGACY_SAFETY_FRACTION 0.8  /* spark.shuffle.safetyFraction, before 1.6 */
#define MAX_ROOT_DEPTH 8            /* commands stand above AdaptiveSparkPlan */

/* Profile 0 is what the settings came to; it is logged since 3.1. */
static const struct resource_profile *default_profile(const struct app *app)
{
    for (size_t i = 0; i < app->n_profiles; i++)
        if (app->profiles[i].id == 0)
            return &app->profiles[i];
    return NULL;
}

static bool is_set(const struct app *app, const char *key)
{
    enum conf_source source = conf_get(app, NULL, key).source;

    return source == CONF_SET || source == CONF_SESSION;
}

/* --- executors ----------------------------------------------------------------- */

int64_t conf_executor_memory_bytes(const struct app *app)
{
    const struct resource_profile *p = default_profile(app);
    bool local = conf_master(app) == CONF_MASTER_LOCAL;

    if (local)
        return conf_bytes(app, NULL, "spark.driver.memory", APP_NONE);
    if (!is_set(app, "spark.executor.memory") && p && p->memory_mib > 0 &&
        p->memory_mib < INT64_MAX / MIB)
        return p->memory_mib * MIB;
    return conf_bytes(app, NULL, "spark.executor.memory", APP_NONE);
}

static double overhead_factor(const struct app *app)
{
    static const char key[] = "spark.executor.memoryOverheadFactor";

    if (is_set(app, key))
        return conf_double(app, NULL, key, 0.1);
    if (sv_has(app->spark_version, "amzn"))
        return EMR_OVERHEAD_FACTOR;
    if (conf_master(app) == CONF_MASTER_KUBERNETES) {
        struct sv type = conf_get(app, NULL, "spark.kubernetes.resource.type").value;

        if (type.p && (sv_is(type, "python") || sv_is(type, "r")))
            return FOREIGN_OVERHEAD_FACTOR;
    }
    return 0.1;
}

int64_t conf_executor_overhead_bytes(const struct app *app)
{
    const struct resource_profile *p = default_profile(app);
    int64_t bytes = conf_bytes(app, NULL, "spark.executor.memoryOverhead", APP_NONE);
    int64_t heap = conf_executor_memory_bytes(app);

    switch (conf_master(app)) {
    case CONF_MASTER_LOCAL:
    case CONF_MASTER_STANDALONE:
        return 0;
    case CONF_MASTER_UNKNOWN:
        if (bytes == APP_NONE)
            return APP_NONE;
        break;
    case CONF_MASTER_YARN:
    case CONF_MASTER_KUBERNETES:
    case CONF_MASTER_MESOS:
        break;
    }
    if (bytes != APP_NONE)
        return bytes;
    if (p && p->memory_overhead_mib > 0 && p->memory_overhead_mib < INT64_MAX / MIB)
        return p->memory_overhead_mib * MIB;
    if (heap == APP_NONE)
        return APP_NONE;
    /* whole MiB, as Spark counts */
    int64_t share = (int64_t)((double)(heap / MIB) * overhead_factor(app)) * MIB;
    return max_i64(share, conf_bytes(app, NULL, "spark.executor.minMemoryOverhead",
                                     MIN_OVERHEAD_BYTES));
}

int64_t conf_executor_cores(const struct app *app)
{
    bool local = conf_master(app) == CONF_MASTER_LOCAL;
    int64_t cores = APP_NONE;

    if (!local && is_set(app, "spark.executor.cores"))
        return conf_i64(app, NULL, "spark.executor.cores", APP_NONE);
    app_each_executor (app, e)
        if (e->is_driver == local && e->cores != APP_NONE)
            cores = max_i64(cores, e->cores);
    if (cores > 0)
        return cores;
    return local ? conf_default_parallelism(app)
                 : conf_i64(app, NULL, "spark.executor.cores", APP_NONE);
}

int64_t conf_region_of_heap_bytes(const struct app *app, int64_t heap_bytes)
{
    bool before_unified = !conf_exists(app, "spark.memory.fraction");

    if (heap_bytes < 0)
        return APP_NONE;
    if (before_unified || conf_bool(app, NULL, "spark.memory.useLegacyMode", false))
        return (int64_t)((double)heap_bytes * LEGACY_SAFETY_FRACTION *
                         conf_double(app, NULL, "spark.shuffle.memoryFraction", 0.2));
    double fraction = conf_double(app, NULL, "spark.memory.fraction", 0.6);
    return (int64_t)((double)max_i64(0, heap_bytes - RESERVED_BYTES) * fraction);
}

int64_t conf_execution_region_bytes(const struct app *app)
{
    bool local = conf_master(app) == CONF_MASTER_LOCAL;
    int64_t region = APP_NONE;

    app_each_executor (app, e)
        if (e->is_driver == local && e->max_onheap_bytes != APP_NONE)
            region = max_i64(region, e->max_onheap_bytes);
    if (region > 0)
        return region;
    return conf_region_of_heap_bytes(app, conf_executor_memory_bytes(app));
}

int64_t conf_offheap_bytes(const struct app *app)
{
    if (!conf_bool(app, NULL, "spark.memory.offHeap.enabled", false))
        return 0;
    return max_i64(0, conf_bytes(app, NULL, "spark.memory.offHeap.size", 0));
}

/* --- planning and scheduling --------------------------------------------------- */

bool conf_aqe_on(const struct app *app, const struct sql *sql)
{
    const struct plan_node *node = sql && sql->n_plans ? sql->plans[0] : NULL;

    for (int depth = 0; node && depth < MAX_ROOT_DEPTH; depth++) {
        if (sv_is(node->name, "AdaptiveSparkPlan"))
            return true;
        node = node->n_children == 1 ? node->children[0] : NULL;
    }
    /* 1.6 and 2.x had a setting of that name for something much smaller */
    return conf_exists(app, "spark.sql.adaptive.skewJoin.enabled") &&
           conf_bool(app, sql, "spark.sql.adaptive.enabled", false);
}

int64_t conf_broadcast_threshold_bytes(const struct app *app, const struct sql *sql,
                                       bool at_run_time)
{
    int64_t bytes = APP_NONE;

    if (at_run_time && conf_aqe_on(app, sql)) {
        bytes = conf_bytes(app, sql, "spark.sql.adaptive.autoBroadcastJoinThreshold",
                           APP_NONE);
        if (bytes == APP_NONE && app->databricks)
            bytes = conf_bytes(app, sql,
                               "spark.databricks.adaptive.autoBroadcastJoinThreshold",
                               APP_NONE);
    }
    if (bytes == APP_NONE)
        bytes = conf_bytes(app, sql, "spark.sql.autoBroadcastJoinThreshold", APP_NONE);
    return bytes;
}

int64_t conf_initial_shuffle_partitions(const struct app *app, const struct sql *sql)
{
    int64_t n = APP_NONE;

    if (conf_aqe_on(app, sql) &&
        conf_bool(app, sql, "spark.sql.adaptive.coalescePartitions.enabled", true))
        n = conf_i64(app, sql,
                     "spark.sql.adaptive.coalescePartitions.initialPartitionNum",
                     APP_NONE);
    /* Databricks' "auto" is no number: cannot be told */
    return n > 0 ? n : conf_i64(app, sql, "spark.sql.shuffle.partitions", APP_NONE);
}

int64_t conf_default_parallelism(const struct app *app)
{
    int64_t n = conf_i64(app, NULL, "spark.default.parallelism", APP_NONE);

    if (n > 0)
        return n;
    if (app->cores_peak <= 0)
        return APP_NONE;
    return conf_master(app) == CONF_MASTER_LOCAL ? app->cores_peak
                                                 : max_i64(2, app->cores_peak);
}

int64_t conf_task_max_failures(const struct app *app)
{
    struct setting s = conf_get(app, NULL, "spark.task.maxFailures");
    struct sv master = conf_get(app, NULL, "spark.master").value;
    size_t comma = sv_find(master, SV(","));
    int64_t n = 1;

    if (conf_master(app) != CONF_MASTER_LOCAL)
        return conf_i64(app, NULL, "spark.task.maxFailures", APP_NONE);
    if (s.source != CONF_SET)
        return s.value.p && sv_i64(s.value, &n) ? n : 1;
    /* set, which local mode does not read: "local[4,3]" is where it would say so */
    if (comma != SIZE_MAX && sv_ends(master, SV("]")))
        sv_i64(sv_trim((struct sv){ master.p + comma + 1, master.len - comma - 2 }), &n);
    return n;
}
