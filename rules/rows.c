/* Operators that make rows travel or multiply for nothing: sorts of everything to keep
 * a few rows, expansions for several distinct counts, rows sent through Python. */
#include "rules/node.h"

#include <ctype.h>
#include <inttypes.h>

#define STAGE_SHARE_PARAM                                                                \
    {                                                                                    \
        "stages-share", 0.005, "", "of the wall time the stages accused take, together", \
            "SparkForensics"                                                             \
    }

static int64_t task_time_ms(const struct rule_input *in, const struct spot *spot)
{
    int64_t sum = 0;

    for (size_t i = 0; i < spot->n_stages; i++)
        sum = add_sat(sum, in->shapes[spot->stage_ixs[i]].total_ms);
    return sum;
}

/* --- sorts ------------------------------------------------------------------------- */

enum { SORT_RATIO, SORT_BYTES, SORT_SHARE };

static const struct rule_param sort_params[] = {
    [SORT_RATIO] = { "ratio", 100, "x", "rows sorted over rows kept",
                     "a top-n of each task moves n rows a task, not all" },
    [SORT_BYTES] = { "min-bytes", 1048576, "bytes", "moved for the sort",
                     "less is sorted in no time" },
    [SORT_SHARE] = STAGE_SHARE_PARAM,
};

enum { S_ROWS, S_KEPT, S_KIND, S_BYTES };
enum { SORT_LIMIT, SORT_RANK, SORT_LOST, SORT_TWICE };

static int64_t first_number(struct sv text)
{
    size_t i = 0;
    int64_t n = 0;

    while (i < text.len && !isdigit((unsigned char)text.p[i]))
        i++;
    for (; i < text.len && isdigit((unsigned char)text.p[i]) && n < INT64_C(1) << 50; i++)
        n = 10 * n + (text.p[i] - '0');
    return n;
}

static bool is_global_sort(const struct plan_node *node)
{
    return sv_is(node->name, "Sort") && sv_has(node->detail, "], true");
}

/* The sort of everything that feeds the node through steps that keep its order or throw
 * rows away. */
static const struct plan_node *sort_under(const struct plan_node *node,
                                          bool over_exchange)
{
    for (int i = 0; i < 50 && node->n_children == 1; i++) {
        node = node_inner(node->children[0]);
        if (is_global_sort(node))
            return node;
        if (!sv_has(node->name, "Limit") && !sv_is(node->name, "Project") &&
            !sv_is(node->name, "Filter") &&
            !(over_exchange && sv_is(node->name, "Exchange") &&
              sv_has(node->detail, "SinglePartition")))
            return NULL;
    }
    return NULL;
}

static const struct plan_node *sort_exchange(const struct plan_node *sort)
{
    const struct plan_node *x =
        sort->n_children == 1 ? node_inner(sort->children[0]) : sort;

    return sv_is(x->name, "Exchange") && x->n_children == 1 ? x : NULL;
}

static void sort_add(struct spots *s, const struct plan_node *sort, double kept, int kind)
{
    const struct plan_node *x = sort_exchange(sort);
    const double *p = s->in->params;

    if (!x)
        return;
    double rows = (double)node_rows(s->in->app, s->q, x);
    double bytes = (double)node_metric(s->in->app, s->q, x, "data size");

    s->any |= rows > 0;
    if (bytes < p[SORT_BYTES] || (kind != SORT_LOST && rows < p[SORT_RATIO] * kept))
        return;
    struct spot *spot = spots_add(s, sort);
    uint32_t *maps;

    if (!spot)
        return;
    spot->value[S_ROWS] = rows;
    spot->value[S_KEPT] = kept;
    spot->value[S_KIND] = kind;
    spot->value[S_BYTES] = bytes;
    for (size_t n = node_stages(s->in->app, s->q, x, s->arena, &maps), i = 0; i < n; i++)
        spot->weight_ms = add_sat(spot->weight_ms, stage_work_ms(s->in, maps[i]));
}

static void sort_visit(const struct plan_node *node, void *context)
{
    struct spots *s = context;
    const struct plan_node *sort, *window;

    s->kind |= is_global_sort(node);
    if (node->n_children != 1)
        return;
    if (sv_is(node->name, "GlobalLimit") || sv_is(node->name, "CollectLimit")) {
        if ((sort = sort_under(node, true)))
            sort_add(s, sort, (double)max_i64(first_number(node->detail), 1), SORT_LIMIT);
    } else if (sv_is(node->name, "TakeOrderedAndProject")) {
        if ((sort = sort_under(node, false)))
            sort_add(s, sort, (double)max_i64(first_number(node->detail), 1), SORT_TWICE);
    } else if (sv_is(node->name, "Exchange") &&
               (sv_has(node->detail, " hashpartitioning") ||
                sv_has(node->detail, " RoundRobinPartitioning"))) {
        if ((sort = sort_under(node, false)))
            sort_add(s, sort, 0, SORT_LOST);
    } else if (sv_is(node->name, "Filter")) {
        window = node_inner(node->children[0]);
        if (!sv_is(window->name, "Window") || window->n_children != 1 ||
            !(sv_has(window->detail, "row_number()") || sv_has(window->detail, "rank(")))
            return;
        sort = node_inner(window->children[0]);
        if (sv_is(sort->name, "Sort") && sort_exchange(sort) &&
            sv_has(sort_exchange(sort)->detail, "SinglePartition"))
            sort_add(s, sort,
                     (double)max_i64(
                         node_metric(s->in->app, s->q, node, "number of output rows"), 1),
                     SORT_RANK);
    }
}

static void sort_claim(const struct rule_input *in, struct findings *out,
                       const struct spot *s)
{
    const struct plan_node *x = sort_exchange(s->node);
    const struct plan_node *scan = node_source_scan(x);
    uint32_t *maps, *all;
    size_t n = node_stages(in->app, s->q, x, out->arena, &maps);
    size_t m = scan ? node_stages(in->app, s->q, scan, out->arena, &all) : 0;

    for (size_t i = 0; i < s->n_stages; i++)
        claim_work(in, out, s->stage_ixs[i], 0.5, 0.85, 0.97);
    for (size_t i = 0; i < m; i++) { /* range bounds are sampled by a stage of its own */
        bool writes = false;

        for (size_t k = 0; k < n; k++)
            writes |= maps[k] == all[i];
        if (!writes)
            claim_work(in, out, all[i], 0.7, 0.95, 1);
    }
    for (size_t i = 0; i < n; i++)
        claim_work(in, out, maps[i], 0.2, 0.5, 0.8);
}

static void sort_remedy(const struct rule_input *in, struct findings *out,
                        const struct spot *w)
{
    const char *key = "spark.sql.execution.topKSortFallbackThreshold";
    int64_t fallback = conf_i64(in->app, w->q, key, INT64_C(2147483632));

    if (w->value[S_KIND] == SORT_LIMIT && (double)fallback <= w->value[S_KEPT]) {
        finding_set(out, key, "2147483632");
        finding_advice(out,
                       "topKSortFallbackThreshold is %" PRId64
                       ", so a limit of %.0f sorts "
                       "everything: leave it at its default, and each task keeps its top "
                       "rows only.",
                       fallback, w->value[S_KEPT]);
    } else if (w->value[S_KIND] == SORT_LOST) {
        finding_code(out,
                     "df.repartition(key).sortWithinPartitions(x)  # or no sort at all");
        finding_advice(out,
                       "The order is lost in the shuffle that follows: drop the sort, or "
                       "sort within partitions after it.");
    } else if (w->value[S_KIND] == SORT_TWICE) {
        finding_code(out,
                     "# remove the .orderBy() / ORDER BY before the one that counts");
        finding_advice(out,
                       "The first rows are picked by an order of their own: drop the "
                       "sort before it.");
    } else {
        finding_code(out,
                     "SELECT ... ORDER BY x LIMIT n  -- the limit next to the order");
        finding_advice(
            out, "Ask for the top rows as ORDER BY with LIMIT in one step: each task "
                 "then keeps n rows, and nothing else moves.");
    }
    finding_verify(out, "The plan should show TakeOrderedAndProject, or no Sort at all.");
}

static enum rule_answer sort_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, sort_visit);
    if (!spots_matter(&spots, in->params[SORT_SHARE], 1))
        return spots.any || !spots.kind || spots.n == 0 ? RULE_JUDGED : RULE_NO_DATA;
    const struct spot *w = spots_worst(&spots);
    const char *rows = words_count(out, whole(w->value[S_ROWS]));

    if (w->value[S_KIND] == SORT_LOST)
        finding_begin(out, in->rule, "%s rows are sorted, and shuffled out of order",
                      rows);
    else
        finding_begin(out, in->rule, "%s rows are sorted to keep %s", rows,
                      words_count(out, whole(w->value[S_KEPT])));
    finding_cause(out,
                  "SQL %" PRId64 " shuffles %s to bring all rows into one order (%s)%s.",
                  w->q->execution_id, words_bytes(out, whole(w->value[S_BYTES])),
                  words_clean(out, w->node->detail, 80),
                  w->value[S_KIND] == SORT_LOST ? ", which the next shuffle destroys"
                                                : ", though only the first are wanted");
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++)
        sort_claim(in, out, &spots.items[i]);
    finding_number(out, "rows_sorted", w->value[S_ROWS]);
    finding_number(out, "rows_kept", w->value[S_KEPT]);
    finding_number(out, "bytes_shuffled", w->value[S_BYTES]);
    sort_remedy(in, out, w);
    return RULE_JUDGED;
}

const struct rule rule_unneeded_global_sort = {
    .id = "unneeded-global-sort",
    .title = "Everything is sorted to keep a few rows",
    .question = QUESTION_MOVES,
    .what = "Sorts over all partitions below a limit or a filter on a rank that keeps a "
            "hundredth or less, or before a shuffle that destroys their order.",
    .advice = "ORDER BY with LIMIT in one step, or no sort.",
    .limits = "A sorted result that is written or returned whole may be wanted so.",
    .params = sort_params,
    .n_params = ARRAY_LEN(sort_params),
    .check = sort_check,
};

/* --- expansions -------------------------------------------------------------------- */

enum { EXPAND_RATIO, EXPAND_ROWS, EXPAND_TASKS, EXPAND_SHARE };

static const struct rule_param expand_params[] = {
    [EXPAND_RATIO] = { "ratio", 2, "x", "rows out over rows in",
                       "two distinct counts double the rows" },
    [EXPAND_ROWS] = { "min-rows", 1000000, "", "rows out", "as row-explosion" },
    [EXPAND_TASKS] = { "min-task-time", 1000, "ms", "of the stages that make them",
                       "less is not worth a change" },
    [EXPAND_SHARE] = STAGE_SHARE_PARAM,
};

enum { X_IN, X_OUT, X_SETS };

static void expand_visit(const struct plan_node *node, void *context)
{
    struct spots *s = context;
    const double *p = s->in->params;

    if (!sv_is(node->name, "Expand") || node->n_children != 1)
        return;
    s->kind = true;
    double rows = (double)node_metric(s->in->app, s->q, node, "number of output rows");
    double from = (double)node_rows(s->in->app, s->q, node->children[0]);

    s->any |= rows > 0 && from > 0;
    if (from <= 0 || rows < p[EXPAND_ROWS] || rows < p[EXPAND_RATIO] * from)
        return;
    struct spot *spot = spots_add(s, node);

    if (!spot)
        return;
    spot->value[X_IN] = from;
    spot->value[X_OUT] = rows;
    spot->value[X_SETS] = sv_has(node->detail, "grouping_id");
    if ((double)task_time_ms(s->in, spot) < p[EXPAND_TASKS])
        s->n--;
}

static enum rule_answer expand_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, expand_visit);
    if (!spots_matter(&spots, in->params[EXPAND_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);

    finding_begin(out, in->rule, "Every row is processed %.0f times for %s",
                  w->value[X_OUT] / w->value[X_IN],
                  w->value[X_SETS] > 0 ? "grouping sets" : "distinct aggregates");
    finding_cause(
        out, "SQL %" PRId64 ": Expand makes %s rows of %s, one copy for each %s.",
        w->q->execution_id, words_count(out, whole(w->value[X_OUT])),
        words_count(out, whole(w->value[X_IN])),
        w->value[X_SETS] > 0 ? "grouping set" : "column that is counted distinctly");
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        double extra = 1 - s->value[X_IN] / s->value[X_OUT];

        for (size_t k = 0; k < s->n_stages; k++)
            claim_work(in, out, s->stage_ixs[k], 0.1 * extra, 0.6 * extra, 0.95 * extra);
    }
    finding_number(out, "input_rows", w->value[X_IN]);
    finding_number(out, "output_rows", w->value[X_OUT]);
    finding_number(out, "copies_of_a_row", w->value[X_OUT] / w->value[X_IN]);
    if (w->value[X_SETS] > 0) {
        finding_code(out,
                     "GROUP BY a, b, GROUPING SETS ((a, b), (a))  -- only what is used");
        finding_advice(
            out, "Ask only for the grouping sets that are used; or group finely once, "
                 "and roll the small result up (sums, counts, minima).");
    } else {
        finding_code(out,
                     "approx_count_distinct(a), approx_count_distinct(b)\n"
                     "-- or one count(DISTINCT) for each query, joined on the group key");
        finding_advice(
            out, "Use approx_count_distinct where a per cent is near enough, or count "
                 "each column in a query of its own over a cached input.");
    }
    finding_risk(out, "approx_count_distinct is off by 5 %% by default.");
    finding_verify(out, "The plan should not show Expand.");
    return RULE_JUDGED;
}

const struct rule rule_distinct_expansion = {
    .id = "distinct-expansion",
    .title = "Rows are multiplied for several distinct counts or grouping sets",
    .question = QUESTION_MOVES,
    .what = "Expand operators (several count(DISTINCT), cube, rollup, grouping sets) "
            "that make "
            "millions of rows.",
    .advice = "Approximate or separate counts; only the grouping sets that are used.",
    .limits = "What the copies cost in later stages is not claimed.",
    .params = expand_params,
    .n_params = ARRAY_LEN(expand_params),
    .check = expand_check,
    .no_data_why = "no Expand in the log tells its rows",
};

/* --- Python ------------------------------------------------------------------------ */

enum { PY_ROWS, PY_WAIT, PY_TASKS, PY_SHARE };

static const struct rule_param py_params[] = {
    [PY_ROWS] = { "min-rows", 10000, "", "sent through Python", "fewer are nothing" },
    [PY_WAIT] = { "waiting", 0.25, "",
                  "share of the stages' run time that neither CPU nor "
                  "collection nor fetching explains",
                  "the JVM waits while Python works" },
    [PY_TASKS] = { "min-task-time", 1000, "ms", "of the stages",
                   "starting a worker takes some hundred ms" },
    [PY_SHARE] = STAGE_SHARE_PARAM,
};

enum { Y_ROWS, Y_WAIT, Y_BYTES };

static void py_visit(const struct plan_node *node, void *context)
{
    struct spots *s = context;
    const struct app *app = s->in->app;
    const double *p = s->in->params;
    double run = 0, known = 0;

    if (!sv_has(node->name, "EvalPython") || node->n_children != 1)
        return;
    s->kind = true;
    double rows = (double)node_metric(app, s->q, node, "number of output rows");

    if (rows <= 0)
        rows = (double)node_rows(app, s->q, node->children[0]);
    s->any |= rows > 0;
    if (rows < p[PY_ROWS])
        return;
    struct spot *spot = spots_add(s, node);

    if (!spot)
        return;
    for (size_t i = 0; i < spot->n_stages; i++) {
        const struct stage *st = &app->stages[spot->stage_ixs[i]];

        run += (double)st->total[METRIC_RUN_MS];
        known += (double)st->total[METRIC_CPU_NS] / 1e6 +
                 (double)st->total[METRIC_GC_MS] +
                 (double)st->total[METRIC_FETCH_WAIT_MS];
    }
    spot->value[Y_ROWS] = rows;
    spot->value[Y_WAIT] = run > known ? (run - known) / run : 0;
    spot->value[Y_BYTES] =
        (double)node_metric(app, s->q, node, "data sent to Python workers");
    if ((double)task_time_ms(s->in, spot) < p[PY_TASKS] ||
        spot->value[Y_WAIT] < p[PY_WAIT])
        s->n--;
}

static enum rule_answer py_check(const struct rule_input *in, struct findings *out)
{
    const struct ledgers *l = &in->analysis->ledgers;
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, py_visit);
    if (!spots_matter(&spots, in->params[PY_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *rows = words_count(out, whole(w->value[Y_ROWS]));
    bool arrow = sv_has(w->node->name, "Arrow");

    finding_begin(out, in->rule, "%s rows pass through a Python function", rows);
    finding_cause(out,
                  "SQL %" PRId64
                  ": %s sends %s rows to Python workers and back; the tasks "
                  "wait for them for %.0f%% of their run time.",
                  w->q->execution_id, words_clean(out, w->node->detail, 100), rows,
                  w->value[Y_WAIT] * 100);
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];

        for (size_t k = 0; k < s->n_stages; k++) {
            finding_claim(out, l, s->stage_ixs[k], WALL_PYTHON, 0.3, 0.8, 1);
            finding_claim(out, l, s->stage_ixs[k], WALL_IO_AND_OTHER, 0.3, 0.8, 0.97);
            finding_claim(out, l, s->stage_ixs[k], WALL_COMPUTE, 0, 0.2, 0.6);
        }
    }
    finding_number(out, "rows", w->value[Y_ROWS]);
    finding_number(out, "waiting_share", w->value[Y_WAIT]);
    if (w->value[Y_BYTES] > 0)
        finding_number(out, "bytes_sent", w->value[Y_BYTES]);
    finding_code(
        out, "F.when(F.col('x') > 10, 'high').otherwise('low')  # instead of a udf\n"
             "transform(items, x -> x + 1)  # SQL's higher-order functions, for arrays");
    if (arrow)
        finding_advice(
            out, "Say it in built-in functions, which run in the JVM as compiled code; "
                 "the Arrow transfer is already the cheaper way out.");
    else
        finding_advice(
            out, "Say it in built-in functions, which run in the JVM as compiled code. "
                 "If it must be Python, a pandas_udf works on batches.");
    finding_verify(out, "The plan should not show %s.",
                   words_clean(out, w->node->name, 30));
    return RULE_JUDGED;
}

const struct rule rule_python_udf = {
    .id = "python-udf",
    .title = "Rows pass through Python workers",
    .question = QUESTION_MOVES,
    .what = "BatchEvalPython and ArrowEvalPython over many rows in stages that wait "
            "rather than "
            "compute.",
    .advice = "Built-in functions, else functions on batches.",
    .limits =
        "Whether a built-in function can do it, the log cannot tell. Functions on whole "
        "groups (applyInPandas) and RDDs of Python are not judged.",
    .params = py_params,
    .n_params = ARRAY_LEN(py_params),
    .check = py_check,
    .no_data_why = "no Python evaluation in the log tells its rows",
};
