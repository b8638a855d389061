/* Files that Spark could not cut. A scan packs pieces of files into tasks of at most
 * maxSplitBytes; a file that does not split (gzip text) or one huge row group is a piece
 * whatever its size. So a task that read more than the formula allows read such a piece:
 * no median is needed, and one file alone is seen too.
 *
 * Cut where slots had no task the while: a large piece among many costs nothing. Tasks
 * that one piece makes far slower than the others are uneven.c's. */
#include "rules/pieces.h"

#include "rules/finding.h"
#include "rules/node.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>
#include <math.h>

#define OVER 1.5  /* what packing and the end of a record may add is far less */
#define EMPTY 0.4 /* of the stage's slot time, as too-few-partitions asks */

static bool is_file_scan(const struct plan_node *node)
{
    return node_is_scan(node) && plan_metric(node, "size of files read");
}

int64_t input_split_bytes(const struct app *app, const struct stage *s)
{
    const struct sql *q = stage_sql(app, s);
    const struct plan_node *scan = q ? stage_operator(app, s, is_file_scan) : NULL;
    int64_t most, cores = conf_default_parallelism(app);
    double open, total;

    if (!scan)
        return 0;
    most = conf_bytes(app, q, "spark.sql.files.maxPartitionBytes", 128 << 20);
    if (conf_master(app) != CONF_MASTER_LOCAL || cores <= 0)
        return most; /* how many executors had registered by then is not known */
    open = (double)conf_bytes(app, q, "spark.sql.files.openCostInBytes", 4 << 20);
    total = (double)node_metric(app, q, scan, "size of files read") +
            open * (double)node_metric(app, q, scan, "number of files read");
    return min_i64(most, whole(fmax(open, total / (double)cores)));
}

/* Tasks that read more than one split on purpose: coalesce, products, buckets. */
static bool joins_splits(const struct app *app, const struct stage *s)
{
    const struct plan_node *scan = stage_operator(app, s, is_file_scan);

    return stage_has_scope(s, "CoalescedRDD") || stage_has_scope(s, "Coalesce") ||
           stage_has_scope(s, "coalesce") || stage_has_scope(s, "CartesianRDD") ||
           (scan && (kvs_get(&scan->metadata, "SelectedBucketsCount").p ||
                     sv_has(scan->detail, "Bucketed: true")));
}

static int64_t largest_input(const struct stage *s)
{
    int64_t most = 0;

    for (uint32_t row = 0; row < s->task.n; row++)
        if (task_state(&s->task, row) == TASK_SUCCESS)
            most = max_i64(most, task_metric(&s->task, row, METRIC_INPUT_BYTES));
    return most;
}

bool input_is_whole(const struct rule_input *in, uint32_t ix)
{
    const struct ledgers *l = &in->analysis->ledgers;
    const struct stage *s = &in->app->stages[ix];
    const struct shape *sh = &in->shapes[ix];
    int64_t wall = ledger_stage_wall_ms(l, ix), split;

    if (sh->n == 0 || sh->detailed || sh->max_ms < 1000 || wall <= 0 ||
        s->total[METRIC_INPUT_BYTES] <= 0 || stage_shuffle_read_bytes(s) > 0 ||
        (double)ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS) < EMPTY * (double)wall)
        return false;
    split = input_split_bytes(in->app, s);
    return split > 0 && !joins_splits(in->app, s) && (double)largest_input(s) > OVER * (double)split;
}

static void say(const struct rule_input *in, struct findings *out, uint32_t ix, size_t n)
{
    const struct stage *s = &in->app->stages[ix];
    const struct plan_node *scan = stage_operator(in->app, s, is_file_scan);
    int64_t split = input_split_bytes(in->app, s), most = largest_input(s);
    bool columnar =
        sv_has_nocase(scan->name, "parquet") || sv_has_nocase(scan->name, "orc");
    struct finding *f = &out->items[out->n - 1];

    f->confidence = CONFIDENCE_HIGH;
    f->cuts_all = true;
    f->operator= scan->name;
    finding_cause(
        out,
        "Stage %" PRId64 " reads %s in %" PRId64 " task%s, up to %s in one, where "
        "Spark would give a task no more than %s: %s.",
        s->stage_id, words_bytes(out, s->total[METRIC_INPUT_BYTES]), s->tasks,
        s->tasks == 1 ? "" : "s", words_bytes(out, most), words_bytes(out, split),
        columnar ? "it cannot cut a row group" : "the file does not split");
    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", (double)s->tasks);
    finding_number(out, "largest_input_bytes", (double)most);
    finding_number(out, "max_split_bytes", (double)split);
    if (n > 1)
        finding_number(out, "stages_affected", (double)n);
    finding_advice(out, "%s Until then, repartition right after reading it.",
                   columnar
                       ? "Write it with smaller row groups (parquet.block.size) or as "
                         "several files."
                       : "Store it in a form that splits: Parquet or ORC, or several "
                         "files instead of one gzip text file.");
    finding_code(out,
                 "spark.read....repartition(N)  # N: 2 x the slots; before the work");
    finding_risk(out, "A repartition shuffles the whole input once.");
    finding_verify(out, "No task of the scan should read more than %s.",
                   words_bytes(out, split));
}

void pieces_check(const struct rule_input *in, struct findings *out)
{
    const struct ledgers *l = &in->analysis->ledgers;
    uint32_t worst = IX_NONE;
    size_t n = 0;

    for (uint32_t ix = 0; ix < in->app->n_stages; ix++) {
        if (!input_is_whole(in, ix))
            continue;
        n++;
        if (worst == IX_NONE || ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS) >
                                    ledger_stage_ms(l, worst, WALL_TOO_FEW_TASKS))
            worst = ix;
    }
    if (n == 0)
        return;
    finding_begin(out, in->rule,
                  n == 1 ? "Input that does not split keeps slots empty in stage %" PRId64
                         : "Input that does not split keeps slots empty, most in stage "
                           "%" PRId64,
                  in->app->stages[worst].stage_id);
    finding_stage(out, in->app, worst);
    for (uint32_t ix = 0; ix < in->app->n_stages; ix++)
        if (input_is_whole(in, ix)) {
            finding_stage(out, in->app, ix);
            finding_claim(out, l, ix, WALL_TOO_FEW_TASKS, 0.4, 0.7, 1);
        }
    say(in, out, worst, n);
}
