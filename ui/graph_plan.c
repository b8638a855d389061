/* An SQL execution's plan as a picture: operators inside the stages that ran them.
 *
 * Which stage ran an operator is told by who updated its metrics; operators without
 * metrics (Project) are where their input is, else where their output goes. Exchanges
 * stand between stages, for both sides work on them. Code generation and the frames
 * of adaptive execution are left out; the time of generated code, which is all that
 * Spark measures of the operators in it, is said on the last of them. */
#include "ui/graph_plan.h"

#include "base/mem.h"
#include "base/units.h"
#include "ui/graph_base.h"
#include "ui/graph_draw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OPS_MOST 400 /* of a plan; beyond it nobody reads a picture */
#define NAME_CHARS 40
#define FINDING_CHARS 60
#define FONT "DejaVu Sans,Verdana,Helvetica,sans-serif"

struct op {
    const struct plan_node *node;
    uint32_t parent;   /* IX_NONE: the root */
    uint32_t stage_ix; /* IX_NONE: unknown, or an exchange */
    bool exchange;
    int64_t time_ms;     /* of its own metric, or of the generated code that ends in it */
    const char *time_of; /* "sort", "generated code" ... */
};

struct plan_drawing {
    const struct app *app;
    const struct findings *findings;
    const struct sql *q;
    struct arena *arena;
    struct op *ops;
    uint32_t n_ops, left_out;
    const char *prefix; /* of ids: "p" final, "i" initial */
    bool with_numbers;
    int64_t task_ms; /* of the execution's stages */
};

/* --- operators ----------------------------------------------------------------- */

static bool is_frame(struct sv name)
{
    return sv_is(name, "InputAdapter") || sv_ends(name, SV("QueryStage")) ||
           sv_is(name, "AdaptiveSparkPlan") || sv_is(name, "ColumnarToRow");
}

static struct accum_summary metric(const struct plan_drawing *d,
                                   const struct plan_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_metrics; i++)
        if (sv_is(node->metrics[i].name, name))
            return app_sql_accum(d->app, d->q, node->metrics[i].accumulator_id,
                                 node->metrics[i].type);
    return (struct accum_summary){ 0 };
}

/* The stage with the most of its metrics: a join of broadcast rows has some of the
 * broadcast's. */
static uint32_t stage_of(const struct plan_drawing *d, const struct plan_node *node)
{
    uint32_t best = IX_NONE;

    for (size_t i = 0; i < node->n_metrics; i++) {
        uint32_t *ixs;
        size_t n =
            app_accum_stages(d->app, node->metrics[i].accumulator_id, d->arena, &ixs);

        for (size_t k = 0; k < n; k++)
            if (d->app->stages[ixs[k]].sql_execution_id == d->q->execution_id &&
                (best == IX_NONE || ixs[k] > best))
                best = ixs[k];
    }
    return best;
}

static void op_time(const struct plan_drawing *d, struct op *op)
{
    static const char *const names[][2] = {
        { "sort time", "sort" },         { "time in aggregation build", "aggregation" },
        { "time to build", "build" },    { "time to run Python workers", "Python" },
        { "scan time", "scan" },         { "time to collect", "collect" },
        { "fetch wait time", "waiting" }
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct accum_summary m = metric(d, op->node, names[i][0]);

        if (m.n && m.total > op->time_ms) {
            op->time_ms = m.total;
            op->time_of = names[i][1];
        }
    }
}

struct open_op {
    const struct plan_node *node;
    uint32_t parent;
    int64_t code_ms; /* of the generated code that it ends; 0: none */
    uint32_t code_stage;
};

static void add_op(struct plan_drawing *d, struct open_op *o)
{
    struct op *op = &d->ops[d->n_ops];

    *op = (struct op){ .node = o->node, .parent = o->parent, .stage_ix = IX_NONE };
    op->exchange = sv_has(o->node->name, "Exchange");
    if (d->with_numbers) {
        op_time(d, op);
        if (!op->exchange)
            op->stage_ix = stage_of(d, o->node);
        if (op->stage_ix == IX_NONE && !op->exchange)
            op->stage_ix = o->code_stage;
        if (o->code_ms > op->time_ms) {
            op->time_ms = o->code_ms;
            op->time_of = "generated code";
        }
    }
    o->parent = d->n_ops++;
    o->code_ms = 0;
    o->code_stage = IX_NONE;
}

static void collect(struct plan_drawing *d, const struct plan_node *root)
{
    struct open_op *open = NULL;
    size_t n = 0, cap = 0;

    d->ops = arena_array(d->arena, OPS_MOST, sizeof *d->ops);
    d->n_ops = d->left_out = 0;
    GROW(open, n, cap);
    open[n++] = (struct open_op){ root, IX_NONE, 0, IX_NONE };
    while (n) {
        struct open_op o = open[--n];

        if (sv_starts(o.node->name, SV("WholeStageCodegen"))) {
            struct accum_summary m = metric(d, o.node, "duration");

            o.code_ms = m.n && d->with_numbers ? m.total : 0;
            o.code_stage = d->with_numbers ? stage_of(d, o.node) : IX_NONE;
        } else if (!is_frame(o.node->name)) {
            if (d->n_ops == OPS_MOST) {
                d->left_out++;
                continue; /* with what is below it */
            }
            add_op(d, &o);
        }
        for (size_t i = o.node->n_children; i-- > 0;) {
            GROW(open, n, cap);
            open[n] = o;
            open[n++].node = o.node->children[i];
        }
    }
    free(open);
}

/* Parents come before children in ops. */
static void settle(struct plan_drawing *d)
{
    for (uint32_t i = d->n_ops; i-- > 0;) {
        const struct op *op = &d->ops[i];

        if (op->parent != IX_NONE && op->stage_ix != IX_NONE &&
            !d->ops[op->parent].exchange && d->ops[op->parent].stage_ix == IX_NONE)
            d->ops[op->parent].stage_ix = op->stage_ix;
    }
    for (uint32_t i = 0; i < d->n_ops; i++) {
        struct op *op = &d->ops[i];

        if (op->stage_ix == IX_NONE && !op->exchange && op->parent != IX_NONE)
            op->stage_ix = d->ops[op->parent].stage_ix;
    }
}

/* --- labels -------------------------------------------------------------------- */

static void add_number(struct strbuf *out, const struct plan_drawing *d,
                       const struct plan_node *node, const char *name, const char *label,
                       void (*print)(struct strbuf *, int64_t))
{
    struct accum_summary m = metric(d, node, name);

    if (!m.n || m.total <= 0)
        return;
    strbuf_addz(out, out->len ? ", " : "");
    print(out, m.total);
    strbuf_addz(out, label);
}

static bool rows_of(const struct plan_drawing *d, const struct plan_node *node,
                    int64_t *rows)
{
    static const char *const names[] = { "number of output rows",
                                         "shuffle records written", "records read" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct accum_summary m = metric(d, node, names[i]);

        if (m.n) {
            *rows = m.total;
            return true;
        }
    }
    return false;
}

/* "3,000 files, 12 MiB, 60 partitions; no partition filter" */
static void scan_words(struct strbuf *out, const struct plan_drawing *d,
                       const struct plan_node *node)
{
    struct sv filter = kvs_get(&node->metadata, "PartitionFilters");

    add_number(out, d, node, "number of files read", " files read", units_count);
    add_number(out, d, node, "size of files read", "", units_bytes);
    add_number(out, d, node, "number of partitions read", " partition folders",
               units_count);
    if (!filter.p)
        return;
    if (sv_is(filter, "[]")) {
        strbuf_addz(out, out->len ? "; no partition filter" : "no partition filter");
    } else {
        strbuf_addz(out, out->len ? "; pruned by " : "pruned by ");
        strbuf_addz(out, graph_clean(d->arena, filter, 50));
    }
}

static uint8_t heat_of(double share)
{
    uint8_t step = 0;

    while (step < GRAPH_HEAT_STEPS - 1 && share >= graph_heat_cuts[step])
        step++;
    return step;
}

/* The finding is about this operator: it names it, and its stage, if it has stages. */
static const struct finding *finding_of(const struct plan_drawing *d, const struct op *op)
{
    for (size_t i = 0; i < d->findings->n && d->with_numbers; i++) {
        const struct finding *f = &d->findings->items[i];
        bool here = f->n_stages == 0, mine = f->n_sqls == 0;

        if (!f->operator.len || !sv_starts(op->node->name, sv_first_line(f->operator)))
            continue;
        for (size_t k = 0; k < f->n_stages; k++)
            here |= f->stage_ixs[k] == op->stage_ix;
        for (size_t k = 0; k < f->n_sqls; k++)
            mine |= f->sql_ids[k] == d->q->execution_id;
        if (mine && (here || op->exchange))
            return f;
    }
    return NULL;
}

static void op_label(struct strbuf *out, const struct plan_drawing *d,
                     const struct op *op, const struct finding *f)
{
    struct strbuf line = { 0 };
    double share = graph_share_of(op->time_ms, d->task_ms);

    strbuf_addz(out, "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" "
                     "CELLPADDING=\"1\">");
    graph_op_text(&line, op->node);
    graph_dot_row(out, 11, graph_clean(d->arena, strbuf_sv(&line), NAME_CHARS), true);
    strbuf_reset(&line);
    if (op->time_ms > 0) {
        graph_bar(&line, share, 10, false);
        strbuf_addc(&line, ' ');
        units_share(&line, share);
        strbuf_addz(&line, "  ");
        units_ms(&line, op->time_ms);
        strbuf_printf(&line, " %s", op->time_of);
        graph_dot_row(out, 9, line.p, false);
        strbuf_reset(&line);
    }
    if (sv_has(op->node->name, "Scan"))
        scan_words(&line, d, op->node);
    add_number(&line, d, op->node, "shuffle bytes written", " shuffled", units_bytes);
    add_number(&line, d, op->node, "data size", " of rows", units_bytes);
    add_number(&line, d, op->node, "peak memory", " peak memory", units_bytes);
    add_number(&line, d, op->node, "number of written files", " files written",
               units_count);
    add_number(&line, d, op->node, "number of skewed partitions", " skewed partitions",
               units_count);
    if (line.len && d->with_numbers)
        graph_dot_row(out, 9, line.p, false);
    strbuf_reset(&line);
    add_number(&line, d, op->node, "spill size", "", units_bytes);
    if ((line.len && d->with_numbers) || f) {
        strbuf_addz(out, "<TR><TD ALIGN=\"LEFT\"><TABLE BORDER=\"0\" CELLSPACING=\"0\" "
                         "CELLPADDING=\"0\"><TR>");
        if (line.len)
            graph_dot_badge(out, arena_printf(d->arena, "SPILL %s", line.p));
        if (f)
            graph_dot_badge(out, graph_clean(d->arena,
                                             sv(f->title ? f->title : f->rule->title),
                                             FINDING_CHARS));
        strbuf_addz(out, "</TR></TABLE></TD></TR>");
    }
    strbuf_addz(out, "</TABLE>>");
    strbuf_release(&line);
}

static void write_op(struct strbuf *out, const struct plan_drawing *d, uint32_t i)
{
    const struct op *op = &d->ops[i];
    const struct finding *f = finding_of(d, op);
    uint8_t heat = heat_of(graph_share_of(op->time_ms, d->task_ms));
    const char *shape = sv_has(op->node->name, "Scan") ? "tab" : "box";

    strbuf_printf(out, "    \"%s%" PRIu32 "\" [id=\"%s%" PRIu32 "\", shape=%s, label=",
                  d->prefix, i, d->prefix, i, shape);
    op_label(out, d, op, f);
    strbuf_printf(out, ", fillcolor=\"%s\", fontcolor=\"%s\"%s, tooltip=",
                  d->with_numbers ? graph_heat_fill[heat] : "#ffffff",
                  d->with_numbers ? graph_heat_ink[heat] : "#1a1a1a",
                  f              ? ", color=\"#8b0000\", penwidth=3"
                  : op->exchange ? ", style=\"filled,rounded\""
                                 : "");
    graph_dot_quoted(out, graph_clean(d->arena, op->node->detail, 300));
    strbuf_addz(out, "];\n");
}

/* --- picture ------------------------------------------------------------------- */

static void write_stage(struct strbuf *out, const struct plan_drawing *d,
                        uint32_t stage_ix)
{
    const struct stage *s = &d->app->stages[stage_ix];
    struct strbuf title = { 0 };

    strbuf_printf(&title, "Stage %" PRId64 ".%" PRId64 "  \xC2\xB7  %" PRId64 " task%s, ",
                  s->stage_id, s->attempt, s->tasks, s->tasks == 1 ? "" : "s");
    units_ms(&title, s->duration_ms);
    strbuf_addz(&title, "  \xC2\xB7  ");
    units_share(&title, graph_share_of(s->duration_ms, d->task_ms));
    strbuf_printf(out,
                  "  subgraph \"cluster-%s-%" PRIu32 "\" { labeljust=l; style=rounded; "
                  "color=\"#8a8a8a\"; fontsize=11; fontcolor=\"#333333\"; label=",
                  d->prefix, stage_ix);
    graph_dot_quoted(out, title.p);
    strbuf_addz(out, ";\n");
    for (uint32_t i = 0; i < d->n_ops; i++)
        if (d->ops[i].stage_ix == stage_ix)
            write_op(out, d, i);
    strbuf_addz(out, "  }\n");
    strbuf_release(&title);
}

static void write_edges(struct strbuf *out, const struct plan_drawing *d)
{
    for (uint32_t i = 0; i < d->n_ops; i++) {
        const struct op *op = &d->ops[i];
        struct strbuf label = { 0 };
        int64_t rows;

        if (op->parent == IX_NONE)
            continue;
        if (d->with_numbers && rows_of(d, op->node, &rows)) {
            units_count(&label, rows);
            strbuf_addz(&label, rows == 1 ? " row" : " rows");
        }
        strbuf_printf(out,
                      "  \"%s%" PRIu32 "\" -> \"%s%" PRIu32 "\" [id=\"edge_%s%" PRIu32
                      "_%s%" PRIu32 "\", label=",
                      d->prefix, i, d->prefix, op->parent, d->prefix, i, d->prefix,
                      op->parent);
        graph_dot_quoted(out, label.p ? label.p : "");
        strbuf_printf(out, "%s];\n",
                      sv_has(op->node->name, "BroadcastExchange") ? ", style=dashed"
                                                                  : "");
        strbuf_release(&label);
    }
}

static void write_plan(struct strbuf *out, struct plan_drawing *d,
                       const struct plan_node *root, const char *title)
{
    bool *written = arena_array(d->arena, d->app->n_stages + 1, sizeof *written);

    collect(d, root);
    settle(d);
    if (title) {
        strbuf_printf(out,
                      "  subgraph \"cluster-%s\" { labeljust=l; style=dashed; "
                      "color=\"#8a8a8a\"; fontsize=14; fontcolor=\"#333333\"; label=",
                      d->prefix);
        graph_dot_quoted(out, title);
        strbuf_addz(out, ";\n");
    }
    for (uint32_t i = 0; i < d->n_ops; i++) {
        uint32_t ix = d->ops[i].stage_ix;

        if (ix == IX_NONE) {
            write_op(out, d, i);
        } else if (!written[ix]) {
            written[ix] = true;
            write_stage(out, d, ix);
        }
    }
    if (title)
        strbuf_addz(out, "  }\n");
    write_edges(out, d);
}

static void write_head(struct strbuf *out, const struct plan_drawing *d)
{
    struct strbuf line = { 0 };

    strbuf_addz(out, "  label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
    strbuf_printf(&line, "SQL %" PRId64 "  ", d->q->execution_id);
    strbuf_addz(&line, graph_clean(d->arena, sv_first_line(d->q->description), 80));
    graph_dot_row(out, 18, line.p, true);
    strbuf_reset(&line);
    if (d->q->ended && d->q->completed_ms != APP_NONE && d->q->submitted_ms != APP_NONE) {
        units_ms(&line, sub_sat(d->q->completed_ms, d->q->submitted_ms));
        strbuf_addz(&line, " of wall clock, ");
    }
    units_ms(&line, d->task_ms);
    strbuf_printf(&line, " of task time; %s",
                  d->q->n_plans > 1
                      ? arena_printf(d->arena,
                                     "adaptive execution changed the plan %zu time%s",
                                     d->q->n_plans - 1, d->q->n_plans == 2 ? "" : "s")
                      : "one version of the plan");
    graph_dot_row(out, 11, line.p, false);
    graph_dot_row(
        out, 10,
        "Colour and bar: time of the operator, or of the generated code that ends in "
        "it, as a share of the task time",
        false);
    graph_dot_row(out, 10,
                  "Frames: stages; between them, rounded, the exchanges; red border: a "
                  "finding is about "
                  "it; edges: rows out",
                  false);
    if (d->left_out)
        graph_dot_row(out, 11,
                      arena_printf(d->arena,
                                   "%" PRIu32 " operators and what is below them are "
                                   "not drawn: more than %d",
                                   d->left_out, OPS_MOST),
                      true);
    graph_dot_row(out, 9, "spillway " SPILLWAY_VERSION, false);
    strbuf_addz(out, "</TABLE>>;\n");
    strbuf_release(&line);
}

enum errc graph_plan_dot(struct strbuf *out, const struct analysis *a,
                         const struct findings *findings, int64_t execution_id,
                         bool initial, struct err *err)
{
    struct arena arena = { 0 };
    struct plan_drawing d = { .app = &a->app, .findings = findings, .arena = &arena };
    uint32_t ix = app_sql_ix(&a->app, execution_id);
    struct strbuf body = { 0 };

    if (ix == IX_NONE)
        return a->app.n_sqls
                   ? err_set(err, ERR_USAGE,
                             "no SQL execution %" PRId64 ": the log has %zu from %" PRId64
                             " to %" PRId64,
                             execution_id, a->app.n_sqls, a->app.sqls[0].execution_id,
                             a->app.sqls[a->app.n_sqls - 1].execution_id)
                   : err_set(err, ERR_USAGE, "the log has no SQL executions");
    d.q = &a->app.sqls[ix];
    if (!d.q->n_plans)
        return err_set(err, ERR_USAGE, "SQL %" PRId64 ": the log has no plan of it",
                       execution_id);
    app_each_stage (&a->app, s)
        if (s->sql_execution_id == execution_id)
            d.task_ms = add_sat(d.task_ms, s->duration_ms);
    initial = initial && d.q->n_plans > 1;
    d.prefix = "p";
    d.with_numbers = true;
    write_plan(&body, &d, sql_final_plan(d.q), initial ? "Final plan, as it ran" : NULL);
    strbuf_addz(out,
                "digraph plan {\n  rankdir=LR; charset=\"UTF-8\"; bgcolor=\"#ffffff\"; "
                "fontname=\"" FONT "\";\n  nslimit=2; nslimit1=2; ranksep=0.5; "
                "nodesep=0.3; pad=0.2; labelloc=t; labeljust=l;\n");
    write_head(out, &d);
    strbuf_addz(out, "  node [fontname=\"" FONT "\", fontsize=10, margin=\"0.12,0.06\", "
                     "style=filled, color=\"#333333\"];\n"
                     "  edge [fontname=\"" FONT "\", fontsize=9, color=\"#4d4d4d\", "
                     "fontcolor=\"#333333\"];\n");
    strbuf_add(out, strbuf_sv(&body));
    strbuf_reset(&body);
    if (initial) {
        d.prefix = "i";
        d.with_numbers = false;
        write_plan(&body, &d, d.q->plans[0], "Initial plan, before adaptive execution");
        strbuf_add(out, strbuf_sv(&body));
    }
    strbuf_addz(out, "}\n");
    strbuf_release(&body);
    arena_release(&arena);
    return ERR_OK;
}
