/* What the time of a task consists of. See ledger_parts.h.
 *
 * A task's span is launch to finish. Deserialising, result time and scheduler delay
 * are Spark's own; the rest is run time. Of run time, executor CPU time is compute;
 * GC, fetch wait, shuffle write and spill come out of what the CPU did not use, in this
 * order, so that together they never exceed it (GC is counted for the whole JVM and
 * shuffle write time includes compressing, which is CPU time). What nobody claims is
 * input, output and other waiting. Logs before 2.1 have no CPU time: there compute is
 * what the others leave. */
#include "analyzer/ledger_parts.h"

#include "analyzer/timeline.h"
#include "base/mem.h"

#include <stdlib.h>

/* Spilled data is written once and read back once. What a disk does is taken from the
 * stage's own shuffle writes if they are large enough to tell, else this much: a plain
 * cloud volume (the usual 125 MB/s general-purpose disk, in bytes per ms). */
#define SPILL_BYTES_PER_MS INT64_C(125000)
#define SPILL_MEASURED_FROM (INT64_C(64) << 20)

enum wall_entry part_wall_entry(enum part p)
{
    static const enum wall_entry entries[] = {
        [PART_COMPUTE] = WALL_COMPUTE,
        [PART_GC] = WALL_GC,
        [PART_SHUFFLE_READ_WAIT] = WALL_SHUFFLE_READ_WAIT,
        [PART_SHUFFLE_WRITE] = WALL_SHUFFLE_WRITE,
        [PART_SPILL] = WALL_SPILL,
        [PART_PYTHON] = WALL_PYTHON,
        [PART_DESERIALISE] = WALL_DESERIALISE,
        [PART_RESULT] = WALL_RESULT,
        [PART_SCHEDULER_DELAY] = WALL_SCHEDULER_DELAY,
        [PART_IO_AND_OTHER] = WALL_IO_AND_OTHER,
        [PART_LOST] = WALL_RETRIES,
    };

    return entries[p];
}

/* Moves at most `want` from what is left. */
static int64_t take(int64_t *left, int64_t want)
{
    int64_t got = min_i64(*left, max_i64(0, want));

    *left -= got;
    return got;
}

static int64_t spill_speed(const struct stage *s)
{
    int64_t bytes = s->total[METRIC_SHUFFLE_WRITE_BYTES];
    int64_t ms = s->total[METRIC_SHUFFLE_WRITE_NS] / 1000000;

    if (bytes < SPILL_MEASURED_FROM || ms < 1000)
        return SPILL_BYTES_PER_MS;
    return max_i64(1, bytes / ms);
}

static void parts_of_task(int64_t ms[PART_COUNT], const struct stage *s, uint32_t row,
                          int64_t span_ms, int64_t spill_bytes_per_ms)
{
    const struct task_table *t = &s->task;
    int64_t left = span_ms;

    ms[PART_DESERIALISE] += take(&left, task_metric(t, row, METRIC_DESERIALIZE_MS));
    ms[PART_RESULT] += take(&left, add_sat(task_metric(t, row, METRIC_RESULT_SERIALIZE_MS),
                                           task_getting_result_ms(t, row)));
    int64_t run = take(&left, task_flag(t, row, TASK_FLAG_HAS_METRICS)
                                  ? task_metric(t, row, METRIC_RUN_MS)
                                  : span_ms);
    ms[PART_SCHEDULER_DELAY] += left;
    if (s->metrics_seen & 1u << METRIC_CPU_NS)
        ms[PART_COMPUTE] += take(&run, task_metric(t, row, METRIC_CPU_NS) / 1000000);
    ms[PART_GC] += take(&run, task_metric(t, row, METRIC_GC_MS));
    ms[PART_SHUFFLE_READ_WAIT] += take(&run, task_metric(t, row, METRIC_FETCH_WAIT_MS));
    ms[PART_SHUFFLE_WRITE] += take(&run, task_metric(t, row, METRIC_SHUFFLE_WRITE_NS) / 1000000);
    int64_t spilled = task_metric(t, row, METRIC_SPILL_DISK_BYTES);
    ms[PART_SPILL] += take(&run, spilled / spill_bytes_per_ms * 2);
    if (s->metrics_seen & 1u << METRIC_CPU_NS)
        ms[PART_IO_AND_OTHER] += run;
    else
        ms[PART_COMPUTE] += run;
}

/* --- fates --------------------------------------------------------------------------------- */

/* Partitions that an earlier attempt of the stage had finished: a later one does them
 * again because their output was lost. */
static void done_before(struct map *done, const struct app *app, uint32_t ix)
{
    for (uint32_t at = ix; at > 0 && app->stages[at - 1].stage_id == app->stages[ix].stage_id;
         at--) {
        const struct task_table *t = &app->stages[at - 1].task;

        for (uint32_t row = 0; row < t->n; row++)
            if (task_state(t, row) == TASK_SUCCESS)
                map_put(done, task_field(t, row, TASK_PARTITION), 1);
    }
}

static enum fate fate_of(const struct app *app, uint32_t ix, uint32_t row, struct map *done)
{
    const struct task_table *t = &app->stages[ix].task;

    switch (task_state(t, row)) {
    case TASK_FAILED:
        return FATE_FAILED;
    case TASK_KILLED:
        return FATE_KILLED;
    case TASK_RUNNING:
    case TASK_SUCCESS:
        break;
    }
    if (task_flag(t, row, TASK_FLAG_DUPLICATE))
        return FATE_KILLED; /* the copy that came second */
    if (map_get(done, task_field(t, row, TASK_PARTITION)) != MAP_NONE)
        return FATE_RECOMPUTED;
    return FATE_USEFUL;
}

void parts_of_stage(struct parts *out, const struct app *app, const struct timeline *t,
                    uint32_t ix, int64_t python_ms)
{
    const struct stage *s = &app->stages[ix];
    int64_t speed = spill_speed(s);
    struct map done = { 0 };

    *out = (struct parts){ 0 };
    if (s->attempt > 0)
        done_before(&done, app, ix);
    for (uint32_t row = 0; row < s->task.n; row++) {
        int64_t start_ms, end_ms;

        if (!timeline_task_span(t, s, row, &start_ms, &end_ms))
            continue;
        enum fate fate = fate_of(app, ix, row, &done);
        int64_t span_ms = end_ms - start_ms;
        if (fate == FATE_USEFUL)
            parts_of_task(out->useful_ms, s, row, span_ms, speed);
        out->failed_ms += fate == FATE_FAILED ? span_ms : 0;
        out->killed_ms += fate == FATE_KILLED ? span_ms : 0;
        out->recomputed_ms += fate == FATE_RECOMPUTED ? span_ms : 0;
    }
    map_release(&done);
    out->useful_ms[PART_LOST] = out->failed_ms + out->killed_ms + out->recomputed_ms;
    out->useful_ms[PART_PYTHON] = take(&out->useful_ms[PART_IO_AND_OTHER], python_ms);
}

/* --- Python ------------------------------------------------------------------------------------ */

static void python_of_node(int64_t *python_ms, const struct app *app, const struct plan_node *n,
                           int depth)
{
    for (size_t i = 0; i < n->n_metrics; i++) {
        if (!sv_is(n->metrics[i].name, "time to run Python workers"))
            continue;
        struct arena scratch = { 0 };
        uint32_t *ixs;
        size_t count = app_accum_stages(app, n->metrics[i].accumulator_id, &scratch, &ixs);

        for (size_t k = 0; k < count; k++) {
            const struct stage *s = &app->stages[ixs[k]];

            for (size_t a = 0; a < s->n_accums; a++)
                for (uint32_t slot = 0;
                     s->accums[a].accumulator_id == n->metrics[i].accumulator_id &&
                     slot < s->slots;
                     slot++)
                    python_ms[ixs[k]] =
                        add_sat(python_ms[ixs[k]],
                                max_i64(0, column_get(&s->accums[a].value, slot)));
        }
        arena_release(&scratch);
    }
    for (size_t i = 0; i < n->n_children && depth < 1000; i++)
        python_of_node(python_ms, app, n->children[i], depth + 1);
}

void python_of_stages(int64_t *python_ms, const struct app *app)
{
    app_each_sql(app, q)
    {
        if (q->n_plans)
            python_of_node(python_ms, app, sql_final_plan(q), 0);
    }
}
