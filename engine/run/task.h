/* One attempt of one task, as operators see it. */
#ifndef ENGINE_RUN_TASK_H
#define ENGINE_RUN_TASK_H

#include "engine/expr/eval.h"
#include "engine/plan/phys.h"
#include "engine/run/memory.h"

#include <stdatomic.h>

/* Spark's task metrics (reference/eventlog.md); operators and the shuffle add to them. */
struct task_metrics {
    int64_t run_ms, cpu_ns, deserialize_ms, deserialize_cpu_ns, gc_ms, result_bytes,
        result_serialize_ms;
    int64_t memory_spilled_bytes, disk_spilled_bytes, peak_execution_bytes;
    int64_t input_bytes, input_rows, output_bytes, output_rows;
    int64_t shuffle_write_bytes, shuffle_write_rows, shuffle_write_ns;
    int64_t local_blocks, remote_blocks, local_bytes, remote_bytes, remote_to_disk_bytes,
        fetch_wait_ms, shuffle_read_rows;
    int64_t reads_shuffle; /* 1: had to do with shuffle blocks, even if there were none */
};

struct executor;
struct query_run;

/* One operator instance's counters go to the plan node's accumulators: a task sums them
 * here by accumulator id, and the scheduler adds finished tasks up. */
struct metric_sink {
    uint64_t *ids;
    int64_t *values;
    uint32_t n, cap;
};

struct task {
    struct arena arena; /* released with the task */
    struct executor *executor;
    struct query_run *query; /* shuffles, broadcasts, settings */
    const struct settings *settings;
    struct eval_env eval;
    struct task_memory memory;
    struct task_metrics metrics;
    struct metric_sink sink;
    int64_t task_id;
    int32_t stage_id, stage_attempt, partition, attempt;
    const char *temp_dir;          /* for spill files */
    const _Atomic bool *cancelled; /* looked at once a batch */
};

#endif
