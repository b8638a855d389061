/* Operators' names and metrics, in the order in which Spark 3.5.9 lists them. */
#include "engine/plan/phys.h"

#define SUM(key, name)                                                                   \
    {                                                                                    \
        key, name, METRIC_SUM, false                                                     \
    }
#define SIZE(key, name)                                                                  \
    {                                                                                    \
        key, name, METRIC_SIZE, false                                                    \
    }
#define MS(key, name)                                                                    \
    {                                                                                    \
        key, name, METRIC_MS, false                                                      \
    }
#define NS(key, name)                                                                    \
    {                                                                                    \
        key, name, METRIC_NS, false                                                      \
    }
#define DRIVER_MS(key, name)                                                             \
    {                                                                                    \
        key, name, METRIC_MS, true                                                       \
    }

#define ROWS SUM("rows", "number of output rows")

static const struct metric_def scan_metrics[] = {
    SUM("files", "number of files read"),
    MS("scan_ms", "scan time"),
    DRIVER_MS("metadata_ms", "metadata time"),
    SIZE("file_bytes", "size of files read"),
    ROWS,
};
static const struct metric_def partitioned_scan_metrics[] = {
    SUM("files", "number of files read"),
    MS("scan_ms", "scan time"),
    DRIVER_MS("pruning_ms", "dynamic partition pruning time"),
    DRIVER_MS("metadata_ms", "metadata time"),
    SIZE("file_bytes", "size of files read"),
    ROWS,
    SUM("partitions", "number of partitions read"),
};
static const struct metric_def row_scan_metrics[] = {
    ROWS,
    SUM("files", "number of files read"),
    DRIVER_MS("metadata_ms", "metadata time"),
    SIZE("file_bytes", "size of files read"),
};
static const struct metric_def partitioned_row_scan_metrics[] = {
    ROWS,
    SUM("files", "number of files read"),
    DRIVER_MS("metadata_ms", "metadata time"),
    SIZE("file_bytes", "size of files read"),
    SUM("partitions", "number of partitions read"),
    DRIVER_MS("pruning_ms", "dynamic partition pruning time"),
};
static const struct metric_def row_metrics[] = { ROWS };
static const struct metric_def to_row_metrics[] = {
    ROWS,
    SUM("batches", "number of input batches"),
};
static const struct metric_def hash_agg_metrics[] = {
    SIZE("spill_bytes", "spill size"),
    MS("build_ms", "time in aggregation build"),
    SIZE("peak_bytes", "peak memory"),
    ROWS,
    SUM("sort_fallbacks", "number of sort fallback tasks"),
    { "probes", "avg hash probes per key", METRIC_AVERAGE, false },
};
static const struct metric_def object_agg_metrics[] = {
    ROWS,
    MS("build_ms", "time in aggregation build"),
    SIZE("spill_bytes", "spill size"),
    SUM("sort_fallbacks", "number of sort fallback tasks"),
};
static const struct metric_def sort_metrics[] = {
    MS("sort_ms", "sort time"),
    SIZE("peak_bytes", "peak memory"),
    SIZE("spill_bytes", "spill size"),
};
static const struct metric_def merge_join_metrics[] = {
    ROWS,
    SIZE("spill_bytes", "spill size"),
};
static const struct metric_def hash_join_metrics[] = {
    ROWS,
    SIZE("build_bytes", "data size of build side"),
    MS("build_ms", "time to build hash map"),
};
static const struct metric_def window_metrics[] = { SIZE("spill_bytes", "spill size") };
static const struct metric_def broadcast_metrics[] = {
    MS("broadcast_ms", "time to broadcast"), MS("build_ms", "time to build"),
    MS("collect_ms", "time to collect"),     ROWS,
    SIZE("data_bytes", "data size"),
};
static const struct metric_def subquery_metrics[] = {
    SIZE("data_bytes", "data size"),
    MS("collect_ms", "time to collect"),
};
static const struct metric_def write_metrics[] = {
    MS("task_commit_ms", "task commit time"),
    SUM("files", "number of written files"),
    MS("job_commit_ms", "job commit time"),
    ROWS,
    SUM("dynamic_partitions", "number of dynamic part"),
    SIZE("written_bytes", "written output"),
};

#define SHUFFLE_METRICS_1                                                                \
    SUM("write_records", "shuffle records written"),                                     \
        SUM("merged_local_chunks", "local merged chunks fetched"),                       \
        NS("write_ns", "shuffle write time"),                                            \
        SIZE("merged_remote_bytes", "remote merged bytes read"),                         \
        SUM("merged_local_blocks", "local merged blocks fetched"),                       \
        SUM("merged_corrupt", "corrupt merged block chunks"),                            \
        MS("merged_remote_ms", "remote merged reqs duration"),                           \
        SUM("merged_remote_blocks", "remote merged blocks fetched"),                     \
        SUM("read_records", "records read"), SIZE("local_bytes", "local bytes read"),    \
        MS("fetch_wait_ms", "fetch wait time"),                                          \
        SIZE("remote_bytes", "remote bytes read"),                                       \
        SUM("merged_fallbacks", "merged fetch fallback count"),                          \
        SUM("local_blocks", "local blocks read"),                                        \
        SUM("merged_remote_chunks", "remote merged chunks fetched"),                     \
        SUM("remote_blocks", "remote blocks read")
#define SHUFFLE_METRICS_2                                                                \
    MS("remote_reqs_ms", "remote reqs duration"),                                        \
        SIZE("remote_disk_bytes", "remote bytes read to disk"),                          \
        SIZE("write_bytes", "shuffle bytes written")
#define MERGED_LOCAL SIZE("merged_local_bytes", "local merged bytes read")

static const struct metric_def exchange_metrics[] = {
    SHUFFLE_METRICS_1, SIZE("data_bytes", "data size"),
    MERGED_LOCAL,      SUM("partitions", "number of partitions"),
    SHUFFLE_METRICS_2,
};
/* Collecting limits shuffle into one partition without an Exchange. */
static const struct metric_def limit_metrics[] = {
    SHUFFLE_METRICS_1,
    MERGED_LOCAL,
    SHUFFLE_METRICS_2,
};

#define READ_PARTITIONS SUM("partitions", "number of partitions")
#define READ_METRICS READ_PARTITIONS, SIZE("partition_bytes", "partition data size")
#define READ_COALESCED SUM("coalesced", "number of coalesced partitions")
#define READ_SKEWED                                                                      \
    SUM("skewed", "number of skewed partitions"),                                        \
        SUM("skewed_splits", "number of skewed partition splits")

static const struct metric_def coalesced_read_metrics[] = { READ_METRICS,
                                                            READ_COALESCED };
static const struct metric_def skewed_read_metrics[] = { READ_METRICS, READ_SKEWED };
static const struct metric_def both_read_metrics[] = { READ_METRICS, READ_COALESCED,
                                                       READ_SKEWED };
static const struct metric_def local_read_metrics[] = { READ_PARTITIONS };
static const struct metric_def whole_read_metrics[] = { READ_METRICS };

#define METRICS(list) .metrics = (list), .n_metrics = ARRAY_LEN(list)

const struct phys_class phys_classes[N_PHYS_KINDS] = {
    [PHYS_SCAN] = { .name = "Scan", METRICS(scan_metrics) },
    [PHYS_LOCAL_SCAN] = { .name = "LocalTableScan", METRICS(row_metrics) },
    [PHYS_RANGE] = { .name = "Range", METRICS(row_metrics) },
    [PHYS_ONE_ROW] = { .name = "Scan OneRowRelation", METRICS(row_metrics) },
    [PHYS_FILTER] = { .name = "Filter", METRICS(row_metrics) },
    [PHYS_PROJECT] = { .name = "Project" },
    [PHYS_HASH_AGG] = { .name = "HashAggregate", METRICS(hash_agg_metrics) },
    [PHYS_OBJECT_AGG] = { .name = "ObjectHashAggregate", METRICS(object_agg_metrics) },
    [PHYS_SORT_AGG] = { .name = "SortAggregate", METRICS(row_metrics) },
    [PHYS_EXPAND] = { .name = "Expand", METRICS(row_metrics) },
    [PHYS_GENERATE] = { .name = "Generate", METRICS(row_metrics) },
    [PHYS_SORT] = { .name = "Sort", METRICS(sort_metrics) },
    [PHYS_SORT_MERGE_JOIN] = { .name = "SortMergeJoin", METRICS(merge_join_metrics) },
    [PHYS_BROADCAST_HASH_JOIN] = { .name = "BroadcastHashJoin", METRICS(row_metrics) },
    [PHYS_SHUFFLED_HASH_JOIN] = { .name = "ShuffledHashJoin",
                                  METRICS(hash_join_metrics) },
    [PHYS_BROADCAST_NL_JOIN] = { .name = "BroadcastNestedLoopJoin",
                                 METRICS(row_metrics) },
    [PHYS_CARTESIAN] = { .name = "CartesianProduct", METRICS(row_metrics) },
    [PHYS_EXCHANGE] = { .name = "Exchange", METRICS(exchange_metrics) },
    [PHYS_BROADCAST] = { .name = "BroadcastExchange", METRICS(broadcast_metrics) },
    [PHYS_AQE_READ] = { .name = "AQEShuffleRead", METRICS(coalesced_read_metrics) },
    [PHYS_REUSED] = { .name = "ReusedExchange" },
    [PHYS_STAGE] = { .name = "ShuffleQueryStage" },
    [PHYS_WINDOW] = { .name = "Window", METRICS(window_metrics) },
    [PHYS_WINDOW_GROUP_LIMIT] = { .name = "WindowGroupLimit", METRICS(row_metrics) },
    [PHYS_LOCAL_LIMIT] = { .name = "LocalLimit" },
    [PHYS_GLOBAL_LIMIT] = { .name = "GlobalLimit" },
    [PHYS_COLLECT_LIMIT] = { .name = "CollectLimit", METRICS(limit_metrics) },
    [PHYS_OFFSET] = { .name = "GlobalLimit" },
    [PHYS_TAKE_ORDERED] = { .name = "TakeOrderedAndProject", METRICS(limit_metrics) },
    [PHYS_UNION] = { .name = "Union" },
    [PHYS_COALESCE] = { .name = "Coalesce" },
    [PHYS_SAMPLE] = { .name = "Sample", METRICS(row_metrics) },
    [PHYS_COLUMNAR_TO_ROW] = { .name = "ColumnarToRow", METRICS(to_row_metrics) },
    [PHYS_SUBQUERY] = { .name = "Subquery", METRICS(subquery_metrics) },
    [PHYS_REUSED_SUBQUERY] = { .name = "ReusedSubquery" },
    [PHYS_ADAPTIVE] = { .name = "AdaptiveSparkPlan" },
    [PHYS_WRITE] = { .name = "Execute InsertIntoHadoopFsRelationCommand",
                     METRICS(write_metrics) },
    [PHYS_WRITE_FILES] = { .name = "WriteFiles" },
    [PHYS_COMMAND] = { .name = "Execute" },
};

#define LIST(list) (*n = ARRAY_LEN(list), (list))

const struct metric_def *phys_metrics(const struct phys *p, uint32_t *n)
{
    if (p->kind == PHYS_SCAN && p->relation) {
        bool columnar = p->relation->format && p->relation->format->columnar;

        if (p->relation->partition.n)
            return columnar ? LIST(partitioned_scan_metrics)
                            : LIST(partitioned_row_scan_metrics);
        return columnar ? LIST(scan_metrics) : LIST(row_scan_metrics);
    }
    if (p->kind == PHYS_AQE_READ) {
        switch (p->read_kind) {
        case AQE_COALESCED:
            return LIST(coalesced_read_metrics);
        case AQE_LOCAL:
            return LIST(local_read_metrics);
        case AQE_SKEWED:
            return LIST(skewed_read_metrics);
        case AQE_COALESCED_SKEWED:
            return LIST(both_read_metrics);
        case AQE_WHOLE:
            return LIST(whole_read_metrics);
        }
    }
    *n = phys_classes[p->kind].n_metrics;
    return phys_classes[p->kind].metrics;
}
