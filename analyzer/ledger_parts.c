/* What the time of a task consists of. See ledger_parts.h.
 *
 * A task's span is launch to finish. Deserialising, result time and scheduler delay
 * are Spark's own; the rest is run time. Of run time, executor CPU time is compute;
 * GC, fetch wait, shuffle write and spill come out of what the CPU did not use, in this
 * order, so that together they never exceed it (GC is counted for the whole JVM and
 * shuffle write time includes compressing, which is CPU time). What nobody claims is
 * input, output and other waiting; out of it comes what SQL metrics say of Python
 * workers. Logs before 2.1 have no CPU time: there compute is what the others leave.
 * Tasks without metrics (still running) are divided as the stage's others were. */
#include "analyzer/ledger_parts.h"

#include "analyzer/timeline.h"
#include "base/mem.h"

#include <stdlib.h>

/* Spilled data is written once and read back once. What a disk does is taken from the
 * stage's own shuffle writes if they are large enough to tell. */
#define SPILL_MEASURED_FROM (INT64_C(64) << 20)
#define PLAN_DEPTH_LIMIT 1000

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
        return LEDGER_SPILL_BYTES_PER_MS;
    return max_i64(1, bytes / ms);
}

/* Nearest whole ms: tasks of less than one are many where they matter. */
static int64_t ms_of_ns(int64_t ns)
{
    return ns / 1000000 + (ns % 1000000 >= 500000);
}

static void parts_of_task(int64_t ms[PART_COUNT], const struct stage *s, uint32_t row,
                          int64_t span_ms, int64_t spill_bytes_per_ms)
{
    const struct task_table *t = &s->task;
    bool has_cpu = (s->metrics_seen & 1u << METRIC_CPU_NS) != 0;
    int64_t left = span_ms;

    ms[PART_DESERIALISE] += take(&left, task_metric(t, row, METRIC_DESERIALIZE_MS));
    ms[PART_RESULT] += take(&left, add_sat(task_metric(t, row, METRIC_RESULT_SERIALIZE_MS),
                                           task_getting_result_ms(t, row)));
    int64_t run = take(&left, task_metric(t, row, METRIC_RUN_MS));
    ms[PART_SCHEDULER_DELAY] += left;
    if (has_cpu)
        ms[PART_COMPUTE] += take(&run, ms_of_ns(task_metric(t, row, METRIC_CPU_NS)));
    ms[PART_GC] += take(&run, task_metric(t, row, METRIC_GC_MS));
    ms[PART_SHUFFLE_READ_WAIT] += take(&run, task_metric(t, row, METRIC_FETCH_WAIT_MS));
    ms[PART_SHUFFLE_WRITE] += take(&run, ms_of_ns(task_metric(t, row, METRIC_SHUFFLE_WRITE_NS)));
    int64_t spilled = max_i64(0, task_metric(t, row, METRIC_SPILL_DISK_BYTES));
    ms[PART_SPILL] += take(&run, min_i64(spilled / spill_bytes_per_ms, span_ms) * 2);
    ms[has_cpu ? PART_IO_AND_OTHER : PART_COMPUTE] += run;
}

/* --- fates --------------------------------------------------------------------------------- */

/* What earlier attempts of the stage at hand had finished. */
struct history {
    struct map done;     /* partitions */
    int64_t partitions;  /* how many there are; 0: not known */
    bool all;            /* all of them, by another stage whose output this one makes again */
    bool by_count;       /* tasks do not tell their partition: what exceeds the missing is repeated */
    int64_t repeated;    /* by_count: tasks of this attempt that count as repeated */
    struct map lost;     /* task indices of this attempt whose success was lost */
};

/* Attempt ix follows: what is known of the attempts before it is kept for the same
 * stage, forgotten for another. */
static void history_next(struct history *h, const struct app *app, const struct lineage *lineage,
                         uint32_t ix)
{
    const struct stage *s = &app->stages[ix];
    bool first = ix == 0 || app->stages[ix - 1].stage_id != s->stage_id;
    int64_t done;

    map_release(&h->lost);
    if (first) {
        map_release(&h->done);
        *h = (struct history){ .partitions = s->tasks,
                               .by_count = app->version_major == 3 ? app->version_minor < 3
                                                                   : app->version_major < 3 &&
                                                                         app->version_major > 0 };
    }
    h->all |= lineage->again_ix[ix] != IX_NONE;
    h->repeated = 0;
    if (h->by_count && !first && stage_ran(s)) {
        done = (int64_t)h->done.n;
        h->repeated = s->completed_indices - max_i64(0, sub_sat(h->partitions, done));
    }
}

static void history_add(struct history *h, const struct app *app, uint32_t ix)
{
    const struct stage *s = &app->stages[ix];
    bool again = ix + 1 < app->n_stages && app->stages[ix + 1].stage_id == s->stage_id;

    for (uint32_t row = 0; again && row < s->task.n; row++)
        if (task_state(&s->task, row) == TASK_SUCCESS)
            map_put(&h->done, task_field(&s->task, row, TASK_PARTITION), 1);
}

static enum fate fate_of(struct history *h, const struct stage *s, uint32_t row)
{
    const struct task_table *t = &s->task;
    int64_t index = task_field(t, row, TASK_INDEX);

    switch (task_state(t, row)) {
    case TASK_FAILED:
        return FATE_FAILED;
    case TASK_KILLED:
        return FATE_KILLED;
    case TASK_RUNNING:
        return FATE_USEFUL; /* for all that is known */
    case TASK_SUCCESS:
        break;
    }
    bool duplicate = task_flag(t, row, TASK_FLAG_DUPLICATE);
    bool lost_before = duplicate && map_get(&h->lost, index) != MAP_NONE;
    if (task_flag(t, row, TASK_FLAG_RESUBMITTED))
        map_put(&h->lost, index, 1);
    if (duplicate)
        return lost_before ? FATE_RECOMPUTED : FATE_KILLED; /* else the copy that came second */
    if (h->all)
        return FATE_RECOMPUTED;
    if (h->by_count)
        return h->repeated-- > 0 ? FATE_RECOMPUTED : FATE_USEFUL;
    return map_get(&h->done, task_field(t, row, TASK_PARTITION)) != MAP_NONE ? FATE_RECOMPUTED
                                                                            : FATE_USEFUL;
}

/* Shares time of unknown use among the parts that the stage's other tasks had. */
static void share_unknown(struct parts *p, int64_t unknown_ms)
{
    int64_t ms[PART_LOST];

    divide_exactly(unknown_ms, p->useful_ms, PART_LOST, PART_IO_AND_OTHER, ms);
    for (int i = 0; i < PART_LOST; i++)
        p->useful_ms[i] += ms[i];
}

static void parts_of_stage(struct parts *out, struct history *h, const struct timeline *t,
                           const struct stage *s, int64_t python_ms)
{
    int64_t speed = spill_speed(s), unknown_ms = 0, fate_ms[FATE_COUNT] = { 0 };

    for (uint32_t row = 0; row < s->task.n; row++) {
        enum fate fate = fate_of(h, s, row); /* in order of rows, also without a span */
        int64_t start_ms, end_ms;

        if (!timeline_task_span(t, s, row, &start_ms, &end_ms))
            continue;
        fate_ms[fate] += end_ms - start_ms;
        if (fate == FATE_USEFUL && task_flag(&s->task, row, TASK_FLAG_HAS_METRICS))
            parts_of_task(out->useful_ms, s, row, end_ms - start_ms, speed);
        else if (fate == FATE_USEFUL)
            unknown_ms += end_ms - start_ms;
    }
    out->useful_ms[PART_PYTHON] = take(&out->useful_ms[PART_IO_AND_OTHER], python_ms);
    share_unknown(out, unknown_ms);
    out->failed_ms = fate_ms[FATE_FAILED];
    out->killed_ms = fate_ms[FATE_KILLED];
    out->recomputed_ms = fate_ms[FATE_RECOMPUTED];
    out->useful_ms[PART_LOST] = out->failed_ms + out->killed_ms + out->recomputed_ms;
}

/* --- Python ------------------------------------------------------------------------------------ */

/* Spark 4 times its Python workers: how long they ran, among other things. Spark 3 does
 * not; there Python hides in "io and other". */
static bool is_python_time(struct sv name)
{
    return sv_is(name, "time to run Python workers") ||
           sv_is(name, "time to execute Python code");
}

/* Sum over all stages' values of the accumulator into their entries. */
static void add_python_metric(int64_t *python_ms, const struct app *app,
                              const struct plan_metric *m)
{
    int64_t unit = sv_is(m->type, "nsTiming") ? 1000000 : 1;
    size_t low = 0, high = app->n_accum_refs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (app->accum_refs[mid].accumulator_id < m->accumulator_id)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < app->n_accum_refs && app->accum_refs[low].accumulator_id == m->accumulator_id;
         low++) {
        uint32_t ix = app->accum_refs[low].stage_ix;
        const struct stage *s = &app->stages[ix];
        const struct column *v = &s->accums[app->accum_refs[low].accum_ix].value;

        for (uint32_t slot = 0; slot < s->slots && slot < v->cap; slot++)
            python_ms[ix] = add_sat(python_ms[ix], max_i64(0, column_get(v, slot)) / unit);
    }
}

/* Nodes and accumulators come again in plan versions and reused exchanges. */
static void python_of_node(int64_t *python_ms, const struct app *app, const struct plan_node *n,
                           struct map *nodes, struct map *accums, int depth)
{
    if (depth > PLAN_DEPTH_LIMIT || map_get(nodes, (int64_t)(intptr_t)n) != MAP_NONE)
        return;
    map_put(nodes, (int64_t)(intptr_t)n, 1);
    for (size_t i = 0; i < n->n_metrics; i++) {
        if (!is_python_time(n->metrics[i].name) ||
            map_get(accums, n->metrics[i].accumulator_id) != MAP_NONE)
            continue;
        map_put(accums, n->metrics[i].accumulator_id, 1);
        add_python_metric(python_ms, app, &n->metrics[i]);
    }
    for (size_t i = 0; i < n->n_children; i++)
        python_of_node(python_ms, app, n->children[i], nodes, accums, depth + 1);
}

static void python_of_stages(int64_t *python_ms, const struct app *app)
{
    struct map nodes = { 0 }, accums = { 0 };

    app_each_sql(app, q)
    {
        for (size_t i = 0; i < q->n_plans; i++)
            python_of_node(python_ms, app, q->plans[i], &nodes, &accums, 0);
    }
    map_release(&nodes);
    map_release(&accums);
}

void parts_of_stages(struct parts *out, const struct app *app, const struct lineage *lineage,
                     const struct timeline *t)
{
    int64_t *python_ms = xcalloc(app->n_stages, sizeof *python_ms);
    struct history h = { 0 };

    python_of_stages(python_ms, app);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        out[ix] = (struct parts){ 0 };
        history_next(&h, app, lineage, ix);
        parts_of_stage(&out[ix], &h, t, &app->stages[ix], python_ms[ix]);
        history_add(&h, app, ix);
    }
    map_release(&h.done);
    map_release(&h.lost);
    free(python_ms);
}
