/* Joins: a small side that is shuffled, a large one that is broadcast, pairs that are
 * tried one by one, and results far larger than what was read.
 *
 * All from the plan that ran last, with the numbers that its operators reported. What
 * the planner believed does not matter; what came does. */
#include "rules/node.h"

#include <inttypes.h>

/* A join may build only from the side whose rows it need not all put out. */
static bool may_broadcast(const struct plan_node *join, size_t side)
{
    struct sv d = join->detail;

    if (sv_has(d, " FullOuter"))
        return false;
    if (sv_has(d, " RightOuter"))
        return side == 0;
    if (sv_has(d, " LeftOuter") || sv_has(d, " LeftSemi") || sv_has(d, " LeftAnti") ||
        sv_has(d, " ExistenceJoin"))
        return side == 1;
    return true;
}

/* --- a small side that is shuffled -------------------------------------------------- */

enum {
    MISSED_SMALL,
    MISSED_RATIO,
    MISSED_LARGE,
    MISSED_SMALL2,
    MISSED_LARGE2,
    MISSED_SHARE
};

static const struct rule_param missed_params[] = {
    [MISSED_SMALL] = { "small", 10.0 * 1048576, "bytes",
                       "the small side, or what the "
                       "threshold in effect allows",
                       "Spark's autoBroadcastJoinThreshold" },
    [MISSED_RATIO] = { "ratio", 10, "x", "large side over the small one",
                       "tools ask for 100 and up; near 1 nothing is gained" },
    [MISSED_LARGE] = { "large", 5.0 * 1048576, "bytes", "the large side",
                       "less is moved in no time" },
    [MISSED_SMALL2] = { "small-of-huge", 100.0 * 1048576, "bytes",
                        "the small side where the other is huge",
                        "SparkForensics, DataFlint: second tier" },
    [MISSED_LARGE2] = { "huge", 10737418240.0, "bytes", "a huge side",
                        "SparkForensics, DataFlint: second tier" },
    [MISSED_SHARE] = { "stages-share", 0.005, "",
                       "of the wall time the stages accused take, together",
                       "SparkForensics" },
};

/* The exchange that a side of a join comes from, aggregates in between or not. */
static const struct plan_node *side_exchange(const struct plan_node *side)
{
    for (int i = 0; i < 50 && side; i++) {
        if (sv_is(side->name, "Exchange"))
            return side;
        side = side->n_children == 1 ? side->children[0] : NULL;
    }
    return NULL;
}

/* Bytes that a side brings to the join: its rows, as wide as they were on the way. */
static int64_t side_bytes(const struct app *app, const struct sql *q,
                          const struct plan_node *side)
{
    const struct plan_node *x = side_exchange(side);
    int64_t rows = node_rows(app, q, side);

    if (!x || rows == APP_NONE)
        return APP_NONE;
    int64_t bytes = node_metric(app, q, x, "data size"), of = node_rows(app, q, x);

    if (of <= 0 || bytes <= 0)
        return APP_NONE;
    return rows >= of ? bytes : whole((double)bytes / (double)of * (double)rows);
}

enum { M_SMALL, M_LARGE, M_SIDE, M_SKEWED };

static void missed_visit(const struct plan_node *node, void *context)
{
    struct spots *spots = context;
    const struct rule_input *in = spots->in;
    const double *p = in->params;
    int64_t bytes[2];

    if (!node_is_shuffled_join(node) || node->n_children != 2)
        return;
    spots->kind = true;
    for (size_t i = 0; i < 2; i++)
        bytes[i] = side_bytes(in->app, spots->q, node->children[i]);
    if (bytes[0] <= 0 || bytes[1] <= 0)
        return;
    spots->any = true;
    size_t side = bytes[0] < bytes[1] ? 0 : 1;
    double small = (double)bytes[side], large = (double)bytes[1 - side];
    double allowed = (double)conf_broadcast_threshold_bytes(in->app, spots->q, true);

    if (allowed < p[MISSED_SMALL])
        allowed = p[MISSED_SMALL];
    if (!may_broadcast(node, side) || large < p[MISSED_LARGE] ||
        large < p[MISSED_RATIO] * small ||
        (small > allowed && (small > p[MISSED_SMALL2] || large < p[MISSED_LARGE2])))
        return;
    struct spot *spot = spots_add(spots, node);

    if (!spot)
        return;
    spot->value[M_SMALL] = small;
    spot->value[M_LARGE] = large;
    spot->value[M_SIDE] = (double)side;
    for (size_t i = 0; i < spot->n_stages; i++) {
        const struct shape *sh = &in->shapes[spot->stage_ixs[i]];

        if (sh->n >= 4 && sh->max_ms >= 1000 && (double)sh->max_ms >= 4 * sh->median_ms)
            spot->value[M_SKEWED] = 1;
    }
}

static void missed_remedy(const struct rule_input *in, struct findings *out,
                          const struct spot *w)
{
    int64_t small = whole(w->value[M_SMALL]);
    int64_t threshold = conf_broadcast_threshold_bytes(in->app, w->q, false);
    bool off = threshold < 0;

    if (threshold < small && (double)small <= in->params[MISSED_SMALL]) {
        struct setting usual =
            conf_unset(in->app, "spark.sql.autoBroadcastJoinThreshold");

        if (usual.value.p && usual.value.len)
            finding_set(out, "spark.sql.autoBroadcastJoinThreshold", "%.*s",
                        SV_FMT(usual.value));
        else
            finding_set(out, "spark.sql.autoBroadcastJoinThreshold", "10m");
        finding_advice(out, "%s: set it back, or give the small side a BROADCAST hint.",
                       off ? "Broadcasts are switched off (autoBroadcastJoinThreshold)"
                           : "autoBroadcastJoinThreshold is below the side's size");
    } else {
        finding_advice(out,
                       "Give the small side a BROADCAST hint: the planner's estimate "
                       "was too high, or a hint asked for this join.");
    }
    finding_hint(out, "/*+ BROADCAST(small_side) */");
    finding_code(out, "large.join(F.broadcast(small), key)");
    finding_risk(out,
                 "The small side must stay small: it has to fit the driver and every "
                 "executor.");
    finding_verify(out, "The plan should show BroadcastHashJoin, and no Exchange of the "
                        "large side.");
}

static bool outlasts_a_join(const struct plan_node *node)
{
    return node_is_window(node) || sv_has(node->name, "Python") ||
           sv_has(node->name, "Generate") || sv_has(node->name, "Expand") ||
           node_is(node, "Execute Insert") || sv_has(node->name, "WriteFiles");
}

/* The stage does nothing costly beside its join and what goes with it. */
static bool joins_only(const struct app *app, uint32_t stage_ix)
{
    const struct stage *s = &app->stages[stage_ix];

    return s->total[METRIC_OUTPUT_BYTES] == 0 && !stage_operator(app, s, outlasts_a_join);
}

static enum rule_answer missed_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, missed_visit);
    if (!spots_matter(&spots, in->params[MISSED_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *small = words_bytes(out, whole(w->value[M_SMALL]));
    const char *large = words_bytes(out, whole(w->value[M_LARGE]));
    struct finding *f =
        finding_begin(out, in->rule, "%s are shuffled to join %s that could be broadcast",
                      large, small);
    bool skewed = true;

    for (size_t i = 0; i < spots.n; i++)
        skewed &= spots.items[i].value[M_SKEWED] > 0;
    f->note = skewed; /* its skew has a finding of its own; this is one of the cures */
    finding_cause(out,
                  "SQL %" PRId64 ": %s shuffles and sorts both sides, %s and %s, though "
                  "the small one fits every executor.",
                  w->q->execution_id, words_clean(out, w->node->name, 40), large, small);
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        const struct plan_node *x =
            side_exchange(s->node->children[s->value[M_SIDE] > 0 ? 0 : 1]);
        uint32_t *maps;
        size_t n = x ? node_stages(in->app, s->q, x, out->arena, &maps) : 0;

        /* fetching, sorting and merging go with the join's stage; probing a table and
         * what follows it move into the stage that wrote the large side, which then
         * writes none: rows are prepared for a shuffle at about the price of reading
         * them. What else the join's stage does (windows, writes) stays. */
        for (size_t k = 0; k < s->n_stages; k++) {
            double gone = joins_only(in->app, s->stage_ixs[k]) ? 0.85 : 0.6;

            claim_work(in, out, s->stage_ixs[k], 0.5 * gone, gone, 0.97);
        }
        for (size_t k = 0; k < n; k++)
            claim_work(in, out, maps[k], 0.05, 0.4, 0.75);
    }
    finding_number(out, "small_side_bytes", w->value[M_SMALL]);
    finding_number(out, "large_side_bytes", w->value[M_LARGE]);
    finding_number(out, "joins_affected", (double)spots.n);
    missed_remedy(in, out, w);
    return RULE_JUDGED;
}

const struct rule rule_missed_broadcast = {
    .id = "missed-broadcast",
    .title = "A small side is shuffled and sorted instead of broadcast",
    .question = QUESTION_MOVES,
    .what = "Shuffled joins of which one side is small enough to broadcast, as the bytes "
            "that came tell, and the other many times larger.",
    .advice = "Broadcast the small side.",
    .limits = "Outer joins only where the side may be built. A note where the join's "
              "stage is skewed. Sides without an exchange of their own are not sized.",
    .params = missed_params,
    .n_params = ARRAY_LEN(missed_params),
    .check = missed_check,
    .no_data_why = "no shuffled join in the log tells the sizes of its sides",
};

/* --- a large side that is broadcast ------------------------------------------------- */

enum { OVER_BYTES, OVER_ROWS, OVER_RATIO, OVER_ALWAYS, OVER_SHARE, OVER_MIN };

static const struct rule_param over_params[] = {
    [OVER_BYTES] = { "min-bytes", 67108864, "bytes", "data size of the broadcast",
                     "six times Spark's threshold; smaller ones are common and "
                     "harmless" },
    [OVER_ROWS] = { "min-rows", 200000, "", "rows broadcast",
                    "few rows may show one memory page of 64 MiB as their size" },
    [OVER_RATIO] = { "ratio", 20, "x",
                     "rows of the other side over these that justify it",
                     "shuffling 20 x 64 MiB costs more than the broadcast" },
    [OVER_ALWAYS] = { "always", 1073741824, "bytes",
                      "from here on whatever the other side",
                      "SparkForensics, DataFlint" },
    [OVER_SHARE] = { "share", 0.005, "", "of the wall time that making it takes",
                     "SparkForensics" },
    [OVER_MIN] = { "min-time", 500, "ms", "to collect, build and send it",
                   "less is not worth a change" },
};

enum { O_BYTES, O_ROWS, O_BUILD, O_STREAM };

static void over_visit(const struct plan_node *node, void *context)
{
    struct spots *spots = context;
    const struct rule_input *in = spots->in;
    const struct app *app = in->app;
    const double *p = in->params;

    if (!sv_has(node->name, "BroadcastHashJoin") || node->n_children != 2)
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct plan_node *x = node_inner(node->children[i]);

        if (!node_is(x, "BroadcastExchange"))
            continue;
        double bytes = (double)node_metric(app, spots->q, x, "data size");
        double rows = (double)node_metric(app, spots->q, x, "number of output rows");
        int64_t stream = node_rows(app, spots->q, node->children[1 - i]);

        spots->kind = true;
        spots->any |= bytes > 0;
        if (bytes < p[OVER_BYTES] || rows < p[OVER_ROWS] ||
            (bytes < p[OVER_ALWAYS] && (double)stream >= p[OVER_RATIO] * rows))
            continue;
        struct spot *spot = spots_add(spots, node);

        if (!spot)
            continue;
        int64_t build = add_sat(node_metric(app, spots->q, x, "time to build"),
                                node_metric(app, spots->q, x, "time to broadcast"));

        spot->value[O_BYTES] = bytes;
        spot->value[O_ROWS] = rows;
        spot->value[O_BUILD] = (double)build;
        spot->value[O_STREAM] = (double)stream;
        spot->weight_ms =
            add_sat(build, node_metric(app, spots->q, x, "time to collect"));
    }
}

static void over_remedy(const struct rule_input *in, struct findings *out,
                        const struct spot *w)
{
    double allowed = (double)conf_broadcast_threshold_bytes(in->app, w->q, false);

    if (allowed >= w->value[O_BYTES]) {
        struct setting usual =
            conf_unset(in->app, "spark.sql.autoBroadcastJoinThreshold");

        finding_set(out, "spark.sql.autoBroadcastJoinThreshold", "%s",
                    usual.value.len
                        ? arena_printf(out->arena, "%.*s", SV_FMT(usual.value))
                        : "10m");
        finding_advice(out,
                       "autoBroadcastJoinThreshold was raised to where this happens: "
                       "set it back and let a shuffled join do it.");
    } else {
        finding_advice(out,
                       "It is larger than autoBroadcastJoinThreshold allows, so a hint "
                       "asked for it, or the planner's estimate was far too low: drop "
                       "the hint, or ask for a shuffled join.");
    }
    finding_hint(out, "/*+ MERGE(side) */ or /*+ SHUFFLE_HASH(side) */");
    finding_code(out, "orders.join(customers, key)  # without F.broadcast(...)");
    finding_risk(out,
                 "Both sides are shuffled then; on few executors that can take as long.");
    finding_verify(
        out, "The plan should show SortMergeJoin or ShuffledHashJoin in its place.");
}

static enum rule_answer over_check(const struct rule_input *in, struct findings *out)
{
    const struct ledgers *l = &in->analysis->ledgers;
    struct spots spots = { .in = in, .arena = out->arena };
    double build = 0;

    spots_walk(&spots, over_visit);
    if (!spots_matter(&spots, in->params[OVER_SHARE], in->params[OVER_MIN]))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *size = words_bytes(out, whole(w->value[O_BYTES]));

    finding_begin(out, in->rule, "%s are broadcast (%s rows)", size,
                  words_count(out, whole(w->value[O_ROWS])));
    finding_cause(out,
                  "SQL %" PRId64
                  " broadcasts %s rows: the driver takes %s to collect them, "
                  "build the table and send it, and every executor holds %s.",
                  w->q->execution_id, words_count(out, whole(w->value[O_ROWS])),
                  words_ms(out, w->weight_ms), size);
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        build += spots.items[i].value[O_BUILD];
        for (size_t k = 0; k < spots.items[i].n_stages; k++) {
            uint32_t ix = spots.items[i].stage_ixs[k];

            /* tasks that read the table wait for it and collect around it */
            finding_claim(out, l, ix, WALL_GC, 0, 0.4, 0.9);
            finding_claim(out, l, ix, WALL_IO_AND_OTHER, 0, 0.3, 0.6);
        }
    }
    double share = (double)l->wall_ms[WALL_PLANNING] > build
                       ? build / (double)l->wall_ms[WALL_PLANNING]
                       : 1;

    finding_claim(out, l, IX_NONE, WALL_PLANNING, 0.1 * share, 0.5 * share, share);
    finding_number(out, "broadcast_bytes", w->value[O_BYTES]);
    finding_number(out, "broadcast_rows", w->value[O_ROWS]);
    if (w->value[O_STREAM] >= 0)
        finding_number(out, "other_side_rows", w->value[O_STREAM]);
    finding_number(out, "making_it_ms", (double)w->weight_ms);
    over_remedy(in, out, w);
    return RULE_JUDGED;
}

const struct rule rule_oversized_broadcast = {
    .id = "oversized-broadcast",
    .title = "A large side is broadcast",
    .question = QUESTION_MOVES,
    .what =
        "Broadcasts of many rows and bytes for a join whose other side is not very much "
        "larger, with what the driver took to collect, build and send them.",
    .advice = "Let a shuffled join do it.",
    .limits = "The size is that of the table as built, in whole memory pages. What the "
              "shuffles of the other join will cost is only allowed for in the range.",
    .params = over_params,
    .n_params = ARRAY_LEN(over_params),
    .check = over_check,
    .no_data_why = "no broadcast in the log tells its size",
};

/* --- every row against every row ---------------------------------------------------- */

enum { NESTED_PAIRS, NESTED_SIDE, NESTED_TASKS, NESTED_SHARE };

static const struct rule_param nested_params[] = {
    [NESTED_PAIRS] = { "min-pairs", 10000000, "",
                       "rows of one side times rows of the other",
                       "ten times SparkForensics' output rows; a core tries some "
                       "millions "
                       "a second" },
    [NESTED_SIDE] = { "min-side", 10, "", "rows of the smaller side",
                      "scalar subqueries are joined this way, rightly" },
    [NESTED_TASKS] = { "min-task-time", 1000, "ms", "of the stages that try them",
                       "less is not worth a change" },
    [NESTED_SHARE] = { "stages-share", 0.005, "",
                       "of the wall time the stages accused take, together",
                       "SparkForensics" },
};

enum { N_LEFT, N_RIGHT, N_OUT, N_PAIRS };

static bool is_nested(const struct plan_node *node)
{
    return sv_has(node->name, "NestedLoopJoin") || sv_has(node->name, "CartesianProduct");
}

/* A product computes both sides again for each pair of partitions: what is not read
 * from a shuffle is counted once a task on the other side. */
static double pairs_tried(const struct rule_input *in, const struct spot *s)
{
    double pairs = s->value[N_LEFT] * s->value[N_RIGHT];

    if (!sv_has(s->node->name, "CartesianProduct") || s->n_stages == 0 ||
        side_exchange(s->node->children[0]) || side_exchange(s->node->children[1]))
        return pairs;
    return pairs / (double)max_i64(in->shapes[s->stage_ixs[0]].n, 1);
}

static void nested_visit(const struct plan_node *node, void *context)
{
    struct spots *spots = context;
    const struct rule_input *in = spots->in;
    const double *p = in->params;

    if (!is_nested(node) || node->n_children != 2)
        return;
    spots->kind = true;
    double left = (double)node_rows(in->app, spots->q, node->children[0]);
    double right = (double)node_rows(in->app, spots->q, node->children[1]);
    double rows = (double)node_metric(in->app, spots->q, node, "number of output rows");

    if (left < 0 || right < 0)
        return;
    spots->any = true;
    if (left * right < p[NESTED_PAIRS] || left < p[NESTED_SIDE] || right < p[NESTED_SIDE])
        return;
    struct spot *spot = spots_add(spots, node);
    int64_t task_ms = 0;

    if (!spot)
        return;
    spot->value[N_LEFT] = left;
    spot->value[N_RIGHT] = right;
    spot->value[N_OUT] = rows;
    if (spot->n_stages == 0 && rows == 0) { /* no row came out: no stage told of it */
        const struct plan_node *side = node->children[0];

        spot->n_stages = node_stages(in->app, spots->q, node_inner(side), spots->arena,
                                     &spot->stage_ixs);
        for (size_t i = 0; i < spot->n_stages; i++)
            spot->weight_ms =
                add_sat(spot->weight_ms, stage_work_ms(in, spot->stage_ixs[i]));
    }
    for (size_t i = 0; i < spot->n_stages; i++)
        task_ms = add_sat(task_ms, in->shapes[spot->stage_ixs[i]].total_ms);
    spot->value[N_PAIRS] = pairs_tried(in, spot);
    if ((double)task_ms < p[NESTED_TASKS] || spot->value[N_PAIRS] < p[NESTED_PAIRS])
        spots->n--;
}

static void nested_remedy(struct findings *out, const struct spot *w)
{
    struct sv d = w->node->detail;

    if (sv_has(d, "LeftAnti") && sv_has(d, "isnull(")) {
        finding_code(out, "WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.key = a.key)");
        finding_advice(out,
                       "NOT IN over a column that may be NULL cannot use a hash table: "
                       "say NOT EXISTS, or exclude NULLs on both sides.");
    } else if (sv_has(d, " OR ") && sv_has(d, " = ")) {
        finding_code(out, "a JOIN b ON a.x = b.x UNION a JOIN b ON a.y = b.y");
        finding_advice(out, "The equalities stand under OR: join once for each and unite "
                            "the results.");
    } else if (sv_has(d, ">") || sv_has(d, "<")) {
        finding_code(out,
                     "JOIN b ON a.v DIV 1000 = b.block AND a.v BETWEEN b.low AND b.high"
                     "  -- b.block: explode(sequence(low DIV 1000, high DIV 1000))");
        finding_advice(out,
                       "Only a range relates the sides: cut it into blocks and join on "
                       "the block as well, so that rows meet only their neighbours.");
    } else {
        finding_code(out, "a JOIN b ON a.key = b.key AND ...");
        finding_advice(out,
                       "No equality relates the sides: add the key that is missing, or "
                       "reduce one side before.");
    }
    finding_verify(out, "The plan should show a hash or sort-merge join in its place.");
}

static enum rule_answer nested_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, nested_visit);
    if (!spots_matter(&spots, in->params[NESTED_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *pairs = words_count(out, whole(w->value[N_PAIRS]));

    finding_begin(out, in->rule, "A join tries %s pairs of rows one by one", pairs);
    finding_cause(out,
                  "SQL %" PRId64
                  ": %s sets every row of one side against every row of the "
                  "other; of %s pairs %s match.",
                  w->q->execution_id, words_clean(out, w->node->name, 40), pairs,
                  words_count(out, whole(w->value[N_OUT])));
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        /* rows that come out have to be made by any join */
        double idle = 1 - s->value[N_OUT] / s->value[N_PAIRS];

        if (idle < 0.1)
            idle = 0.1;
        for (size_t k = 0; k < s->n_stages; k++)
            claim_work(in, out, s->stage_ixs[k], 0.5 * idle, 0.85 * idle, 0.97 * idle);
    }
    finding_number(out, "left_rows", w->value[N_LEFT]);
    finding_number(out, "right_rows", w->value[N_RIGHT]);
    finding_number(out, "pairs", w->value[N_PAIRS]);
    finding_number(out, "output_rows", w->value[N_OUT]);
    nested_remedy(out, w);
    return RULE_JUDGED;
}

const struct rule rule_nested_loop_join = {
    .id = "nested-loop-join",
    .title = "A join sets every row against every row",
    .question = QUESTION_SCALES,
    .what = "BroadcastNestedLoopJoin and CartesianProduct that try millions of pairs.",
    .advice = "Give the join an equality.",
    .limits = "Small ones, as for scalar subqueries, are left alone.",
    .params = nested_params,
    .n_params = ARRAY_LEN(nested_params),
    .check = nested_check,
    .no_data_why = "no nested-loop join in the log tells the rows of its sides",
};

/* --- far more rows than were read --------------------------------------------------- */

enum { EXPL_RATIO, EXPL_ROWS, EXPL_TASKS, EXPL_SHARE };

static const struct rule_param expl_params[] = {
    [EXPL_RATIO] = { "ratio", 10, "x", "rows out over rows in (of the larger side)",
                     "spark-tui's warning; a hundred is critical there" },
    [EXPL_ROWS] = { "min-rows", 1000000, "", "rows out", "SparkForensics" },
    [EXPL_TASKS] = { "min-task-time", 1000, "ms", "of the stages that make them",
                     "less is not worth a change" },
    [EXPL_SHARE] = { "stages-share", 0.005, "",
                     "of the wall time the stages accused take, together",
                     "SparkForensics" },
};

enum { E_IN, E_OUT };

static void expl_visit(const struct plan_node *node, void *context)
{
    struct spots *spots = context;
    const struct rule_input *in = spots->in;
    const double *p = in->params;
    bool join = sv_has(node->name, "Join") && node->n_children == 2 && !is_nested(node);

    if (!join && !(node_is(node, "Generate") && node->n_children == 1))
        return;
    spots->kind = true;
    double rows = (double)node_metric(in->app, spots->q, node, "number of output rows");
    double most = 0;

    for (size_t i = 0; i < node->n_children; i++) {
        int64_t n = node_rows(in->app, spots->q, node->children[i]);

        if (n == APP_NONE)
            return;
        if ((double)n > most)
            most = (double)n;
    }
    spots->any |= rows > 0;
    if (most <= 0 || rows < p[EXPL_RATIO] * most || rows < p[EXPL_ROWS])
        return;
    struct spot *spot = spots_add(spots, node);
    int64_t task_ms = 0;

    if (!spot)
        return;
    spot->value[E_IN] = most;
    spot->value[E_OUT] = rows;
    for (size_t i = 0; i < spot->n_stages; i++)
        task_ms = add_sat(task_ms, in->shapes[spot->stage_ixs[i]].total_ms);
    if ((double)task_ms < p[EXPL_TASKS])
        spots->n--;
}

static enum rule_answer expl_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, expl_visit);
    if (!spots_matter(&spots, in->params[EXPL_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    bool join = w->node->n_children == 2;
    const char *rows = words_count(out, whole(w->value[E_OUT]));
    const char *from = words_count(out, whole(w->value[E_IN]));

    finding_begin(out, in->rule, "%s turns %s rows into %s",
                  join ? "A join" : "An explode", from, rows);
    finding_cause(
        out, "SQL %" PRId64 ": %s puts out %.0f rows for each row it reads (%s).",
        w->q->execution_id, words_clean(out, w->node->name, 40),
        w->value[E_OUT] / w->value[E_IN], words_clean(out, w->node->detail, 120));
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        double extra = 1 - s->value[E_IN] / s->value[E_OUT];

        for (size_t k = 0; k < s->n_stages; k++)
            claim_work(in, out, s->stage_ixs[k], 0.2 * extra, 0.7 * extra, 0.95 * extra);
    }
    finding_number(out, "input_rows", w->value[E_IN]);
    finding_number(out, "output_rows", w->value[E_OUT]);
    finding_number(out, "rows_per_input_row", w->value[E_OUT] / w->value[E_IN]);
    if (join) {
        finding_code(out,
                     "SELECT ... FROM (SELECT key, sum(v) v, count(*) n FROM a GROUP BY "
                     "key) JOIN (SELECT key, sum(w) w, count(*) m FROM b GROUP BY key) "
                     "USING (key)  -- sum over pairs: v * m, w * n");
        finding_advice(out,
                       "The key is not unique on either side: join on a finer key, or "
                       "add up each side before the join.");
    } else {
        finding_code(out,
                     "SELECT aggregate(items, 0, (s, x) -> s + x) FROM t  -- instead of "
                     "explode and GROUP BY");
        finding_advice(out,
                       "Filter before the explode, keep only the columns that are needed "
                       "beside it, or compute on the array itself.");
    }
    finding_verify(out,
                   "`number of output rows` of the operator should be near its input.");
    return RULE_JUDGED;
}

const struct rule rule_row_explosion = {
    .id = "row-explosion",
    .title = "A join or explode puts out far more rows than it reads",
    .question = QUESTION_MOVES,
    .what = "Equality joins and generators whose output has many times the rows of their "
            "larger input.",
    .advice = "A finer key, or aggregates before the join.",
    .limits =
        "Nested loops are nested-loop-join's. If all the rows are wanted, nothing is "
        "wrong: the low end is small.",
    .params = expl_params,
    .n_params = ARRAY_LEN(expl_params),
    .check = expl_check,
    .no_data_why = "no join or generator in the log tells its rows",
};
