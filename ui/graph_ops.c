/* What a stage does, in the words of its SQL plan.
 *
 * "save at NativeMethodAccessorImpl.java:0" says nothing; "Scan parquet orders,
 * SortMergeJoin, HashAggregate" does. A plan node updates its metrics from the
 * stages in which it runs, so each stage collects the nodes whose metrics it
 * updated. Exchanges are edges of the graph and code generation is no work of
 * its own: both are left out. A node without metrics (Project) cannot be placed. */
#include "ui/graph_base.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>

#define OPS_KEPT 16 /* per stage; plans of hundreds of operators in a stage exist */
#define OPS_SHOWN 3
#define OPS_CHARS 56
#define OP_CHARS 30

/* Higher is more telling; 0: not shown. */
static int op_rank(struct sv name)
{
    static const struct {
        const char *part;
        int rank;
    } ranks[] = {
        { "WholeStageCodegen", 0 },
        { "Exchange", 0 },
        { "QueryStage", 0 },
        { "AQEShuffleRead", 0 },
        { "ShuffleReader", 0 },
        { "AdaptiveSparkPlan", 0 },
        { "InputAdapter", 0 },
        { "ColumnarToRow", 0 },
        { "RowToColumnar", 0 },
        { "ReusedSubquery", 0 },
        { "MapStage", 0 },
        { "ResultStage", 0 },
        { "Python", 9 },
        { "Pandas", 9 },
        { "Cartesian", 9 },
        { "NestedLoop", 9 },
        { "Scan", 8 },
        { "Join", 8 },
        { "Insert", 7 },
        { "Window", 7 },
        { "Generate", 7 },
        { "Expand", 7 },
        { "Aggregate", 6 },
        { "TakeOrdered", 5 },
        { "Sort", 5 },
        { "Range", 5 },
        { "Filter", 2 },
        { "Project", 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(ranks); i++)
        if (sv_has(name, ranks[i].part))
            return ranks[i].rank;
    return 3;
}

struct op_list {
    const struct plan_node *ops[OPS_KEPT]; /* sources first */
    uint32_t n;
};

static void add_op(struct op_list *l, const struct plan_node *node)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->ops[i] == node)
            return;
    if (l->n < OPS_KEPT)
        l->ops[l->n++] = node;
}

/* Gives node to every stage that updated one of its metrics. */
static void place_node(struct op_list *lists, const struct graph_bases *b,
                       const struct app *app, const struct plan_node *node,
                       struct arena *scratch)
{
    for (size_t m = 0; m < node->n_metrics; m++) {
        uint32_t *stage_ixs;
        size_t n =
            app_accum_stages(app, node->metrics[m].accumulator_id, scratch, &stage_ixs);

        for (size_t i = 0; i < n; i++)
            if (b->of_stage[stage_ixs[i]] != IX_NONE)
                add_op(&lists[b->of_stage[stage_ixs[i]]], node);
    }
}

/* Parents are met before children; walked backwards, sources come first. No
 * recursion: the depth of a plan is the log's to choose. */
static void place_plan(struct op_list *lists, const struct graph_bases *b,
                       const struct app *app, const struct plan_node *root)
{
    const struct plan_node **open = NULL, **seen = NULL;
    size_t n_open = 0, cap_open = 0, n_seen = 0, cap_seen = 0;
    struct arena scratch = { 0 };

    GROW(open, n_open, cap_open);
    open[n_open++] = root;
    while (n_open) {
        const struct plan_node *node = open[--n_open];

        if (node->n_metrics && op_rank(node->name) > 0) {
            GROW(seen, n_seen, cap_seen);
            seen[n_seen++] = node;
        }
        for (size_t i = 0; i < node->n_children; i++) {
            GROW(open, n_open, cap_open);
            open[n_open++] = node->children[i];
        }
    }
    while (n_seen)
        place_node(lists, b, app, seen[--n_seen], &scratch);
    arena_release(&scratch);
    free(open);
    free(seen);
}

/* "Scan parquet" of a path becomes "Scan parquet lineitem". */
static struct sv location_name(const struct plan_node *node)
{
    struct sv where = kvs_get(&node->metadata, "Location");
    size_t end = 0, begin;

    if (!where.p)
        return (struct sv){ 0 };
    size_t bracket = sv_find(where, SV("["));
    where = bracket == SIZE_MAX ? where : sv_from(where, bracket + 1);
    while (end < where.len && where.p[end] != ',' && where.p[end] != ']')
        end++;
    while (end && where.p[end - 1] == '/')
        end--;
    begin = end;
    while (begin && where.p[begin - 1] != '/')
        begin--;
    return (struct sv){ where.p + begin, end - begin };
}

void graph_op_text(struct strbuf *out, const struct plan_node *node)
{
    struct sv name = sv_trim(node->name), where;
    size_t space = name.len, dot;

    while (space && name.p[space - 1] != ' ')
        space--;
    struct sv last = sv_from(name, space);
    bool scan = sv_has((struct sv){ name.p, space }, "Scan ");
    bool bare_scan =
        scan && sv_find(name, SV(" ")) + 1 == space; /* the format, no table */

    /* the table without its catalogue: "Scan parquet spark_catalog.default.orders" */
    for (dot = last.len; dot && last.p[dot - 1] != '.';)
        dot--;
    if (scan && dot > 0 && dot < last.len) {
        utf8_clean(out, (struct sv){ name.p, space }, OP_CHARS);
        utf8_clean(out, sv_from(last, dot), OP_CHARS);
        return;
    }
    utf8_clean(out, name, OP_CHARS);
    if (bare_scan && (where = location_name(node)).len) {
        strbuf_addc(out, ' ');
        utf8_clean(out, where, OP_CHARS);
    }
}

/* The most telling few, in the order of the data's way. */
static const char *list_text(const struct op_list *l, struct arena *arena)
{
    bool shown[OPS_KEPT] = { false };
    struct strbuf text = { 0 };
    struct sv before = { 0 };
    unsigned left_out = 0;

    for (uint32_t want = 0; want < OPS_SHOWN && want < l->n; want++) {
        int best = 0;
        uint32_t at = 0;

        for (uint32_t i = 0; i < l->n; i++) {
            int rank = op_rank(l->ops[i]->name);
            bool again = false;

            for (uint32_t k = 0; k < l->n; k++)
                again |= shown[k] && sv_eq(l->ops[k]->name, l->ops[i]->name);
            if (!shown[i] && !again && rank > best) {
                best = rank;
                at = i;
            }
        }
        if (best > 0)
            shown[at] = true;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        struct strbuf op = { 0 };

        if (!shown[i] || sv_eq(l->ops[i]->name, before))
            continue;
        graph_op_text(&op, l->ops[i]);
        if (text.len && text.len + op.len + 2 > OPS_CHARS) {
            left_out++;
        } else {
            strbuf_addz(&text, text.len ? ", " : "");
            strbuf_add(&text, strbuf_sv(&op));
        }
        before = l->ops[i]->name;
        strbuf_release(&op);
    }
    if (left_out)
        strbuf_printf(&text, " +%u", left_out);
    const char *made =
        text.len ? graph_clean(arena, strbuf_sv(&text), OPS_CHARS + 4) : NULL;
    strbuf_release(&text);
    return made;
}

void graph_operators(struct graph_bases *b, const struct app *app, struct arena *arena)
{
    struct op_list *lists;

    if (b->n == 0 || app->n_sqls == 0)
        return;
    lists = xcalloc(b->n, sizeof *lists);
    app_each_sql (app, q) {
        if (sql_final_plan(q))
            place_plan(lists, b, app, sql_final_plan(q));
    }
    for (size_t i = 0; i < b->n; i++)
        b->items[i].operators = list_text(&lists[i], arena);
    free(lists);
}
