/* The numbers of a task, in one list: their names, units and where the event log
 * keeps them. Columns, totals, JSON keys and views are made from this list.
 * Units and names follow Spark's Task Metrics. */
#ifndef ANALYZER_METRIC_H
#define ANALYZER_METRIC_H

#include "base/util.h"

/* X(ID, json_key, group, field): group and field are the JSON names in TaskEnd's
 * "Task Metrics"; group "" means the object itself. */
#define TASK_METRICS(X)                                                                  \
    X(DESERIALIZE_MS, "deserialize_ms", "", "Executor Deserialize Time")                 \
    X(DESERIALIZE_CPU_NS, "deserialize_cpu_ns", "", "Executor Deserialize CPU Time")     \
    X(RUN_MS, "run_ms", "", "Executor Run Time")                                         \
    X(CPU_NS, "cpu_ns", "", "Executor CPU Time")                                         \
    X(PEAK_EXECUTION_BYTES, "peak_execution_bytes", "", "Peak Execution Memory")         \
    X(PEAK_ONHEAP_BYTES, "peak_onheap_bytes", "", "Peak On Heap Execution Memory")       \
    X(PEAK_OFFHEAP_BYTES, "peak_offheap_bytes", "", "Peak Off Heap Execution Memory")    \
    X(RESULT_BYTES, "result_bytes", "", "Result Size")                                   \
    X(GC_MS, "gc_ms", "", "JVM GC Time")                                                 \
    X(RESULT_SERIALIZE_MS, "result_serialize_ms", "", "Result Serialization Time")       \
    X(SPILL_MEMORY_BYTES, "spill_memory_bytes", "", "Memory Bytes Spilled")              \
    X(SPILL_DISK_BYTES, "spill_disk_bytes", "", "Disk Bytes Spilled")                    \
    X(REMOTE_BLOCKS, "shuffle_remote_blocks", "Shuffle Read Metrics",                    \
      "Remote Blocks Fetched")                                                           \
    X(LOCAL_BLOCKS, "shuffle_local_blocks", "Shuffle Read Metrics",                      \
      "Local Blocks Fetched")                                                            \
    X(FETCH_WAIT_MS, "shuffle_fetch_wait_ms", "Shuffle Read Metrics", "Fetch Wait Time") \
    X(REMOTE_BYTES, "shuffle_remote_bytes", "Shuffle Read Metrics", "Remote Bytes Read") \
    X(REMOTE_TO_DISK_BYTES, "shuffle_remote_to_disk_bytes", "Shuffle Read Metrics",      \
      "Remote Bytes Read To Disk")                                                       \
    X(LOCAL_BYTES, "shuffle_local_bytes", "Shuffle Read Metrics", "Local Bytes Read")    \
    X(SHUFFLE_READ_ROWS, "shuffle_read_rows", "Shuffle Read Metrics",                    \
      "Total Records Read")                                                              \
    X(REMOTE_REQUESTS_MS, "shuffle_remote_requests_ms", "Shuffle Read Metrics",          \
      "Remote Requests Duration")                                                        \
    X(SHUFFLE_WRITE_BYTES, "shuffle_write_bytes", "Shuffle Write Metrics",               \
      "Shuffle Bytes Written")                                                           \
    X(SHUFFLE_WRITE_NS, "shuffle_write_ns", "Shuffle Write Metrics",                     \
      "Shuffle Write Time")                                                              \
    X(SHUFFLE_WRITE_ROWS, "shuffle_write_rows", "Shuffle Write Metrics",                 \
      "Shuffle Records Written")                                                         \
    X(INPUT_BYTES, "input_bytes", "Input Metrics", "Bytes Read")                         \
    X(INPUT_ROWS, "input_rows", "Input Metrics", "Records Read")                         \
    X(OUTPUT_BYTES, "output_bytes", "Output Metrics", "Bytes Written")                   \
    X(OUTPUT_ROWS, "output_rows", "Output Metrics", "Records Written")

#define TASK_METRIC_ID(id, key, group, field) METRIC_##id,
enum task_metric { TASK_METRICS(TASK_METRIC_ID) METRIC_COUNT };
#undef TASK_METRIC_ID

/* "run_ms" and so on; the JSON key and the name in views. */
const char *task_metric_key(enum task_metric m);

/* Executor metrics (Task Executor Metrics, StageExecutorMetrics): peaks, bytes or ms. */
#define EXECUTOR_METRICS(X)                                                              \
    X(JVMHeapMemory) X(JVMOffHeapMemory) X(OnHeapExecutionMemory)                        \
    X(OffHeapExecutionMemory) X(OnHeapStorageMemory) X(OffHeapStorageMemory)             \
    X(OnHeapUnifiedMemory) X(OffHeapUnifiedMemory) X(DirectPoolMemory)                   \
    X(MappedPoolMemory) X(ProcessTreeJVMVMemory) X(ProcessTreeJVMRSSMemory)              \
    X(ProcessTreePythonVMemory) X(ProcessTreePythonRSSMemory)                            \
    X(ProcessTreeOtherVMemory) X(ProcessTreeOtherRSSMemory) X(MinorGCCount)              \
    X(MinorGCTime) X(MajorGCCount) X(MajorGCTime) X(TotalGCTime) X(ConcurrentGCCount)    \
    X(ConcurrentGCTime)

#define EXECUTOR_METRIC_ID(name) PEAK_##name,
enum executor_metric { EXECUTOR_METRICS(EXECUTOR_METRIC_ID) PEAK_COUNT };
#undef EXECUTOR_METRIC_ID

const char *executor_metric_name(enum executor_metric m);

#endif
