/* Memory: spill for want of execution memory, and time lost to garbage collection.
 *
 * Both have one remedy for the application (settings of executors and partitions), so
 * each rule makes one finding with the worst stage named.
 *
 * Spilled bytes are priced by the ledger, from bytes on disk: `Memory Bytes Spilled`
 * is the deserialised size and says six times too much. */
#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>
#include <math.h>

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* The worst of the stages that a rule accuses, and how many there are. */
struct worst {
    uint32_t stage_ix;
    int64_t value;
    size_t n;
    int64_t sum;
};

static void worst_take(struct worst *w, uint32_t stage_ix, int64_t value)
{
    if (w->n == 0 || value > w->value) {
        w->stage_ix = stage_ix;
        w->value = value;
    }
    w->sum = add_sat(w->sum, value);
    w->n++;
}

/* Cores of the executor with most of them: tasks that share its memory. */
static int64_t cores_of_executor(const struct app *app)
{
    int64_t cores = 1;

    app_each_executor (app, e)
        if (e->cores != APP_NONE)
            cores = max_i64(cores, min_i64(e->cores, 100000));
    return cores;
}

static const char *heap_key(const struct app *app)
{
    return app->local_mode ? "spark.driver.memory" : "spark.executor.memory";
}

/* --- spill ----------------------------------------------------------------------- */

enum { SPILL_DISK, SPILL_MEMORY, SPILL_DATA_SHARE, SPILL_STAGE_SHARE, SPILL_SURE };

static const struct rule_param spill_params[] = {
    [SPILL_DISK] = { "min-disk", 32.0 * 1048576, "bytes", "spilled to disk by a stage",
                     "a spark.buffer page or two per slot is noise; tools start at 0 to "
                     "1 GiB" },
    [SPILL_MEMORY] = { "min-memory", 32.0 * 1048576, "bytes",
                       "the same before serialisation", "as min-disk" },
    [SPILL_DATA_SHARE] = { "min-share-of-data", 0.01, "",
                           "disk spill over what the stage reads",
                           "spark-advisor mutes below 1 %" },
    [SPILL_STAGE_SHARE] = { "stages-share", 0.005, "",
                            "of the wall time the stages accused take, together",
                            "SparkForensics" },
    [SPILL_SURE] = { "sure-from", 1073741824.0, "bytes",
                     "below, the page cache hides the cost: the saving may be nothing",
                     "SparkForensics' severe spill; spill-sort and its cure take equally "
                     "long" },
};

static bool stage_spills(const struct rule_input *in, uint32_t ix)
{
    const struct stage *s = &in->app->stages[ix];
    const double *p = in->params;
    int64_t data =
        add_sat(add_sat(stage_shuffle_read_bytes(s), s->total[METRIC_INPUT_BYTES]),
                s->total[METRIC_SHUFFLE_WRITE_BYTES]);
    double disk = (double)s->total[METRIC_SPILL_DISK_BYTES];

    return disk >= p[SPILL_DISK] &&
           (double)s->total[METRIC_SPILL_MEMORY_BYTES] >= p[SPILL_MEMORY] &&
           disk >= p[SPILL_DATA_SHARE] * (double)data;
}

/* Largest wish for memory of one task: what it held and what it had to put away. */
struct wish {
    int64_t wanted_bytes, held_bytes;
    uint32_t spilling, n;
};

static struct wish stage_wish(const struct stage *s)
{
    struct wish w = { 0 };

    for (uint32_t row = 0; row < s->task.n; row++) {
        if (task_state(&s->task, row) != TASK_SUCCESS)
            continue;
        int64_t held = task_metric(&s->task, row, METRIC_PEAK_EXECUTION_BYTES);
        int64_t spilled = task_metric(&s->task, row, METRIC_SPILL_MEMORY_BYTES);

        w.n++;
        w.spilling += spilled > 0;
        w.held_bytes = max_i64(w.held_bytes, held);
        w.wanted_bytes = max_i64(w.wanted_bytes, add_sat(held, spilled));
    }
    return w;
}

/* Execution memory that a task can count on when all slots of its executor work. */
static int64_t task_share_bytes(const struct app *app, double fraction)
{
    double heap = (double)conf_bytes(app, NULL, heap_key(app), GIB) - 300.0 * (double)MIB;

    return max_i64(whole(heap * fraction / (double)cores_of_executor(app)), 8 * MIB);
}

/* Settings that make each task's part `times` smaller. */
static void cut_finer(const struct app *app, struct findings *out, const struct stage *s,
                      double times)
{
    const struct sql *q = stage_sql(app, s);
    int64_t read = stage_shuffle_read_bytes(s), tasks = max_i64(s->tasks, 1);
    int64_t slots = app_slots(app);

    if (q && read > 0 && sql_is_adaptive(app, q) &&
        stage_has_scope(s, "AQEShuffleRead")) {
        double part = (double)read / (double)tasks / times;

        finding_set(out, "spark.sql.adaptive.advisoryPartitionSizeInBytes", "%s",
                    words_setting(out, whole(part)));
    } else if (q && read > 0) {
        double parts = (double)tasks * times;
        int64_t n = ((int64_t)(parts < 1e6 ? parts : 1e6) / slots + 1) * slots;

        if (n > conf_i64(app, q, "spark.sql.shuffle.partitions", 200) || n / 2 > tasks)
            finding_set(out, "spark.sql.shuffle.partitions", "%" PRId64, n);
    } else if (q && s->total[METRIC_INPUT_BYTES] > 0) {
        double input = (double)s->total[METRIC_INPUT_BYTES] / (double)tasks / times;

        finding_set(out, "spark.sql.files.maxPartitionBytes", "%s",
                    words_setting(out, max_i64(whole(input), 4 * MIB)));
    }
}

static void spill_remedy(const struct rule_input *in, struct findings *out,
                         const struct stage *s, const struct wish *w)
{
    const struct app *app = in->app;
    double fraction = conf_double(app, NULL, "spark.memory.fraction", 0.6);
    double share = (double)max_i64(w->held_bytes, task_share_bytes(app, fraction));
    double times = (double)w->wanted_bytes / share;
    double heap = (double)w->wanted_bytes * (double)cores_of_executor(app) / 0.6 +
                  300.0 * (double)MIB;

    if (5 * w->spilling < w->n) { /* SparkForensics' border between skew and volume */
        finding_advice(
            out,
            "Only %u of %u tasks spill: they have far more data than the others. "
            "That is skew, and neither more partitions nor a larger heap is its "
            "remedy.",
            w->spilling, w->n);
        return;
    }
    if (fraction < 0.6) {
        finding_set(out, "spark.memory.fraction", "0.6");
        times *= fraction / 0.6; /* what is still missing then */
    }
    if (times > 1.1)
        cut_finer(app, out, s, 1.25 * times);
    finding_number(out, "heap_without_spill_bytes", heap);
    finding_advice(
        out,
        "Cut the work finer, so that a task's share of memory holds its part; or "
        "give each executor about %s of heap (%s), or fewer cores. A little spill "
        "is fine: the aim is that it stops costing time.",
        words_setting(out, whole(heap)), heap_key(app));
}

static enum rule_answer check_spill(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    struct worst w = { 0 };
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (stage_spills(in, ix))
            worst_take(&w, ix, app->stages[ix].total[METRIC_SPILL_DISK_BYTES]);
    }
    if (w.n == 0 || !stages_matter(in, in->params[SPILL_STAGE_SHARE], stage_spills))
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[w.stage_ix];
    struct wish wish = stage_wish(s);
    bool sure = (double)w.sum >= in->params[SPILL_SURE];

    if (w.n == 1)
        finding_begin(out, in->rule, "Stage %" PRId64 " spills %s to disk", s->stage_id,
                      words_bytes(out, w.value));
    else
        finding_begin(out, in->rule, "%zu stages spill %s to disk", w.n,
                      words_bytes(out, w.sum));
    finding_cause(
        out,
        "Execution memory is short: in stage %" PRId64
        ", %u of %u tasks spill, %s to disk in all; the largest task got %s and wanted "
        "about %s.",
        s->stage_id, wish.spilling, wish.n, words_bytes(out, w.value),
        words_bytes(out, wish.held_bytes), words_bytes(out, wish.wanted_bytes));
    finding_stage(out, app, w.stage_ix);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!stage_spills(in, ix))
            continue;
        finding_stage(out, app, ix);
        /* the ledger's price is a disk's; what fits the page cache costs a tenth of it */
        finding_claim(out, &in->analysis->ledgers, ix, WALL_SPILL, sure ? 0.3 : 0,
                      sure ? 0.7 : 0.1, 1);
    }
    finding_number(out, "disk_spill_bytes", (double)w.sum);
    finding_number(out, "worst_stage_id", (double)s->stage_id);
    finding_number(out, "worst_stage_disk_spill_bytes", (double)w.value);
    finding_number(out, "worst_stage_memory_spill_bytes",
                   (double)s->total[METRIC_SPILL_MEMORY_BYTES]);
    finding_number(out, "spilling_tasks", wish.spilling);
    finding_number(out, "task_peak_execution_bytes", (double)wish.held_bytes);
    finding_number(out, "task_wanted_bytes", (double)wish.wanted_bytes);
    spill_remedy(in, out, s, &wish);
    finding_risk(
        out, "More partitions are more small files and tasks; a larger heap can lengthen "
             "single collections.");
    finding_verify(out,
                   "`Disk Bytes Spilled` of stage %" PRId64
                   " should be near 0; the time saved depends on the disks.",
                   s->stage_id);
    out->items[out->n - 1].confidence = sure ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
    return RULE_JUDGED;
}

const struct rule rule_spill = {
    .id = "spill",
    .title = "Sorts or aggregates spill to disk",
    .question = QUESTION_SPILLS,
    .what =
        "Stages whose tasks spill to disk for want of execution memory, with what the "
        "largest task got and what it wanted.",
    .advice = "More partitions, or more execution memory for each task.",
    .limits = "Small spills stay in the page cache and cost nothing: then it is a note. "
              "Engines "
              "that spill elsewhere (GPU, Photon) do not show.",
    .params = spill_params,
    .n_params = ARRAY_LEN(spill_params),
    .check = check_spill,
    .no_data_why = "no task ends in the log",
};

/* --- garbage collection ------------------------------------------------------------- */

enum { GC_SHARE, GC_MIN_MS, GC_STAGE_SHARE, GC_WALL_SHARE };

static const struct rule_param gc_params[] = {
    [GC_SHARE] = { "share", 0.1, "", "of the stage's run time",
                   "SparkForensics, Kubeflow 10 %; Dr. Elephant 8 %; Spark's UI marks 10 "
                   "%" },
    [GC_MIN_MS] = { "min-time", 1000, "ms", "over the stage's tasks",
                    "13 ms in a 6 ms task have been reported as a warning" },
    [GC_WALL_SHARE] = { "wall-share", 0.002, "", "of the wall time that could go at most",
                        "less is not worth a line: half of what is worth a warning" },
    [GC_STAGE_SHARE] = { "stages-share", 0.005, "",
                         "of the wall time the stages accused take, together",
                         "SparkForensics" },
};

static bool stage_collects(const struct rule_input *in, uint32_t ix)
{
    const struct stage *s = &in->app->stages[ix];
    double gc = (double)s->total[METRIC_GC_MS], run = (double)s->total[METRIC_RUN_MS];

    return gc >= in->params[GC_MIN_MS] && run > 0 && gc >= in->params[GC_SHARE] * run;
}

/* What the heap looks like to the tasks that share it. */
struct heap {
    int64_t bytes, tasks;
    int64_t peak_bytes; /* 0: the log has no peaks */
    bool ample;
};

/* More heap does not help where each task has plenty. Peaks say nothing either way: used
 * heap counts garbage, and a peak is what a heartbeat every ten seconds happened to see
 * (264 of 640 MiB in gc-collect-list, which is seven times as fast with 4 GiB). */
static struct heap heap_of(const struct app *app)
{
    struct heap h = { .bytes = conf_bytes(app, NULL, heap_key(app), GIB),
                      .tasks = max_i64(cores_of_executor(app), 1) };

    app_each_executor (app, e)
        if (e->peaks.seen & 1u << PEAK_JVMHeapMemory)
            h.peak_bytes = max_i64(h.peak_bytes, e->peaks.value[PEAK_JVMHeapMemory]);
    h.ample = h.bytes / h.tasks > 2 * GIB;
    return h;
}

/* Cause and remedy are of one mind: short, so raise it; ample, so leave it. */
static void gc_cause(struct findings *out, const struct stage *s, const struct heap *h)
{
    finding_cause(out,
                  "%s: stage %" PRId64 " has %s of collection in %s of run time, with a "
                  "heap of %s for %" PRId64 " task%s at once.",
                  h->ample ? "Tasks make new objects faster than the collector can clear "
                             "them, in a heap that is large enough"
                           : "The heap is short for what the tasks keep in it",
                  s->stage_id, words_ms(out, s->total[METRIC_GC_MS]),
                  words_ms(out, s->total[METRIC_RUN_MS]), words_bytes(out, h->bytes),
                  h->tasks, h->tasks == 1 ? "" : "s");
}

static void gc_remedy(const struct app *app, struct findings *out, const struct heap *h)
{
    if (h->peak_bytes > 0)
        finding_number(out, "peak_heap_bytes", (double)h->peak_bytes);
    if (h->ample) {
        finding_advice(
            out, "Make fewer objects: DataFrame operators instead of RDD objects, no "
                 "collect_list of whole groups, serialised caching. Or let more threads "
                 "collect (-XX:+UseParallelGC, -XX:ParallelGCThreads). More heap will "
                 "not help.");
        return;
    }
    /* steps as other advisors take them (Dr. Elephant): small heaps double, others grow by half */
    finding_set(out, heap_key(app), "%s",
                words_setting(out, add_sat(h->bytes, h->bytes < 4 * GIB ? h->bytes
                                                                        : h->bytes / 2)));
    finding_advice(out,
                   "Raise the heap, or run fewer tasks in it (%s). Or keep fewer objects: "
                   "DataFrame operators instead of RDD objects, no collect_list of whole "
                   "groups, serialised caching.",
                   app->local_mode ? "local[N]" : "spark.executor.cores");
    finding_risk(out, app->local_mode
                          ? "A larger heap can lengthen single collections."
                          : "Larger executors are fewer on the same cluster.");
}

/* What a heap that thrashes costs beside its collections: threads that wait for memory,
 * pages that come and go, work of the collector that no pause shows. A stage that does
 * nothing but compute is seldom off the CPU for longer than it is on it; where it is, and
 * neither bytes nor Python explain that, a short heap does. Of `io and other`, as a share. */
#define HEALTHY_BYTES_PER_MS 50000.0 /* a slow disk's or network's 50 MB/s */

static bool is_python(const struct plan_node *node)
{
    return sv_has(node->name, "Python") || sv_has(node->name, "Pandas") ||
           sv_has(node->name, "InArrow");
}

static double thrashing_share(const struct rule_input *in, uint32_t ix,
                              const struct heap *h)
{
    const struct ledgers *l = &in->analysis->ledgers;
    const struct stage *s = &in->app->stages[ix];
    double other = (double)ledger_stage_ms(l, ix, WALL_IO_AND_OTHER);
    double compute = (double)ledger_stage_ms(l, ix, WALL_COMPUTE);
    double bytes = (double)s->total[METRIC_INPUT_BYTES] +
                   (double)stage_shuffle_read_bytes(s) +
                   (double)s->total[METRIC_SHUFFLE_WRITE_BYTES] +
                   (double)s->total[METRIC_OUTPUT_BYTES];
    double slots = (double)app_slots(in->app);

    if (h->ample || other <= 0 || s->total[METRIC_CPU_NS] <= 0 ||
        stage_operator(in->app, s, is_python) || stage_has_scope(s, "PythonRDD"))
        return 0;
    other -= compute + bytes / HEALTHY_BYTES_PER_MS / slots;
    return other > 0 ? other / (double)ledger_stage_ms(l, ix, WALL_IO_AND_OTHER) : 0;
}

/* Nothing in such a heap is fast: launching, deserialising, writing and computing wait for
 * the same memory. */
static void claim_slowed(const struct rule_input *in, struct findings *out, uint32_t ix,
                         double thrashing)
{
    static const enum wall_entry waits[] = { WALL_DESERIALISE, WALL_SCHEDULER_DELAY,
                                             WALL_SHUFFLE_WRITE, WALL_RESULT };
    const struct ledgers *l = &in->analysis->ledgers;

    for (size_t i = 0; i < ARRAY_LEN(waits); i++)
        finding_claim(out, l, ix, waits[i], 0, 0.6 * thrashing, 1);
    finding_claim(out, l, ix, WALL_COMPUTE, 0, 0.1, 0.4);
}

/* So little of the wall time that nobody would change a job for it. */
static bool is_idle_talk(const struct rule_input *in, const struct findings *out,
                         double share)
{
    const struct finding *f = &out->items[out->n - 1];
    int64_t high = 0;

    for (size_t i = 0; i < f->n_claims; i++)
        high = add_sat(high, f->claims[i].high_ms);
    return (double)high < share * (double)in->analysis->ledgers.wall_total_ms;
}

static enum rule_answer check_gc(const struct rule_input *in, struct findings *out)
{
    const struct app *app = in->app;
    struct worst w = { 0 };
    bool judged = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        judged |= in->shapes[ix].n > 0;
        if (stage_collects(in, ix))
            worst_take(&w, ix, app->stages[ix].total[METRIC_GC_MS]);
    }
    if (w.n == 0 || !stages_matter(in, in->params[GC_STAGE_SHARE], stage_collects))
        return judged ? RULE_JUDGED : RULE_NO_DATA;
    const struct stage *s = &app->stages[w.stage_ix];
    double share = (double)s->total[METRIC_GC_MS] / (double)s->total[METRIC_RUN_MS];
    struct heap heap = heap_of(app);
    double thrashing_ms = 0;

    if (w.n == 1)
        finding_begin(out, in->rule,
                      "Stage %" PRId64 " spends %.0f%% of its run time on garbage "
                      "collection",
                      s->stage_id, share * 100);
    else
        finding_begin(out, in->rule,
                      "%zu stages spend over %.0f%% of their run time on garbage "
                      "collection",
                      w.n, in->params[GC_SHARE] * 100);
    gc_cause(out, s, &heap);
    finding_stage(out, app, w.stage_ix);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (!stage_collects(in, ix))
            continue;
        finding_stage(out, app, ix);
        double thrashing = thrashing_share(in, ix, &heap);

        /* a healthy stage keeps some per cent of it */
        finding_claim(out, &in->analysis->ledgers, ix, WALL_GC, 0.3,
                      thrashing > 0 ? 0.9 : 0.6, 0.95);
        if (thrashing > 0) {
            claim_slowed(in, out, ix, thrashing);
            finding_claim(out, &in->analysis->ledgers, ix, WALL_IO_AND_OTHER,
                          0.3 * thrashing, thrashing, 1);
            thrashing_ms += thrashing * (double)ledger_stage_ms(&in->analysis->ledgers,
                                                                ix, WALL_IO_AND_OTHER);
        }
    }
    if (is_idle_talk(in, out, in->params[GC_WALL_SHARE])) {
        out->n--;
        return RULE_JUDGED;
    }
    finding_number(out, "gc_ms", (double)w.sum);
    finding_number(out, "worst_stage_id", (double)s->stage_id);
    finding_number(out, "worst_stage_gc_ms", (double)w.value);
    finding_number(out, "worst_stage_gc_share", share);
    finding_number(out, "heap_bytes", (double)heap.bytes);
    finding_number(out, "tasks_at_once", (double)heap.tasks);
    if (thrashing_ms >= 1)
        finding_number(out, "wall_off_cpu_unexplained_ms", round(thrashing_ms));
    gc_remedy(app, out, &heap);
    finding_verify(out,
                   "GC time of stage %" PRId64 " should fall under 5%% of its run time.",
                   s->stage_id);
    return RULE_JUDGED;
}

const struct rule rule_gc_pressure = {
    .id = "gc-pressure",
    .title = "Much of the run time is garbage collection",
    .question = QUESTION_SPILLS,
    .what =
        "Stages whose tasks stood still for collections for a tenth of their run time.",
    .advice = "A larger heap, fewer tasks at once, fewer objects.",
    .limits = "A pause is counted in every task that runs at the time, as Spark does: "
              "the share "
              "is right, the sum is of core time.",
    .params = gc_params,
    .n_params = ARRAY_LEN(gc_params),
    .check = check_gc,
    .no_data_why = "no task ends in the log",
};
