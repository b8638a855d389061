/* The graph in DOT, for graphviz and for people who like to change it by hand.
 *
 * Every attribute graphviz needs is written out, so that `dot -Tsvg` draws the
 * same picture as we do. Nodes hold an HTML-like table: name and place on the
 * critical path, what the stage does, a bar of text blocks, numbers, badges. Text
 * is clean already (graph_label.c); here it is escaped for its three places:
 * quoted strings (where \ and " count, and & because graphviz decodes entities),
 * HTML-like labels (XML), and identifiers, which are ours. */
#include "ui/graph_draw.h"

#include "base/mem.h"
#include "base/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* DejaVu and Verdana have the same widths, so boxes fit where either exists. */
#define FONT "DejaVu Sans,Verdana,Helvetica,sans-serif"
#define BLUE "#1552c4"
#define DARK_RED "#8b0000"
#define GREY "#8a8a8a"

void graph_dot_quoted(struct strbuf *out, const char *text)
{
    strbuf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_addc(out, '\\');
        if (*text == '&')
            strbuf_addz(out, "&amp;");
        else if (*text == '\n')
            strbuf_addz(out, "&#10;");
        else
            strbuf_addc(out, *text);
    }
    strbuf_addc(out, '"');
}

static void font(struct strbuf *out, int size, const char *color)
{
    strbuf_printf(out, "<FONT POINT-SIZE=\"%d\"", size);
    if (color)
        strbuf_printf(out, " COLOR=\"%s\"", color);
    strbuf_addc(out, '>');
}

void graph_dot_row(struct strbuf *out, int size, const char *text, bool bold)
{
    if (!*text)
        return;
    strbuf_addz(out, "<TR><TD ALIGN=\"LEFT\">");
    font(out, size, NULL);
    strbuf_addz(out, bold ? "<B>" : "");
    graph_xml(out, text);
    strbuf_addz(out, bold ? "</B>" : "");
    strbuf_addz(out, "</FONT></TD></TR>");
}

/* Inner tables are stretched to the width of the box, all columns alike: an empty
 * cell over many columns takes the stretch, so that the others stay as they are. */
#define FILLER "<TD COLSPAN=\"24\"></TD>"
#define SPACER "<TD WIDTH=\"5\"></TD>"

void graph_dot_badge(struct strbuf *out, const char *text)
{
    strbuf_addz(
        out, "<TD BGCOLOR=\"#ffffff\" BORDER=\"1\" COLOR=\"#5a0f0f\" CELLPADDING=\"3\">");
    font(out, 9, "#5a0f0f");
    strbuf_addz(out, "<B>");
    graph_xml(out, text);
    strbuf_addz(out, "</B></FONT></TD>" SPACER);
}

static void badge_row(struct strbuf *out, const struct graph_node *n)
{
    char more[16];

    if (n->n_badges == 0)
        return;
    strbuf_addz(out, "<TR><TD ALIGN=\"LEFT\"><TABLE BORDER=\"0\" CELLSPACING=\"0\" "
                     "CELLPADDING=\"0\"><TR>");
    for (uint32_t i = 0; i < n->n_badges; i++)
        graph_dot_badge(out, n->badges[i]);
    if (n->more_badges) {
        snprintf(more, sizeof more, "+%" PRIu32, n->more_badges);
        graph_dot_badge(out, more);
    }
    strbuf_addz(out, FILLER "</TR></TABLE></TD></TR>");
}

static const char *shape_of(enum graph_shape s)
{
    switch (s) {
    case SHAPE_RESULT:
    case SHAPE_SHUFFLE_MAP:
    case SHAPE_SKIPPED:
        return "box";
    case SHAPE_SCAN:
        return "tab";
    case SHAPE_BROADCAST:
        return "component";
    case SHAPE_FOLDED:
        return "box3d";
    }
    return "box";
}

/* 9 to 22 points by the root of the task time: areas then compare like times. */
static int title_size(const struct graph_node *n, int64_t most_ms)
{
    double share = most_ms > 0 ? (double)n->task_ms / (double)most_ms : 0;

    return most_ms > 0 ? (int)lround(9 + 13 * sqrt(fmin(share, 1))) : 12;
}

/* before: the step of the critical path to it, if that is not drawn as an edge. */
static void node_label(struct strbuf *out, const struct graph_node *n, int size,
                       const struct graph_edge *before)
{
    struct strbuf line = { 0 };

    if (n->step)
        strbuf_printf(&line, "(%" PRIu32 ") ", n->step);
    strbuf_addz(&line, n->name);
    if (n->stage_ix != IX_NONE) {
        strbuf_addz(&line, "  ");
        units_ms(&line, n->wall_ms);
    }
    strbuf_addz(
        out,
        "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
    graph_dot_row(out, size, line.p, true);
    strbuf_reset(&line);
    if (before && n->step)
        graph_edge_text(&line, before);
    if (line.len) {
        strbuf_addz(&line, " before it");
        graph_dot_row(out, 9, line.p, false);
        strbuf_reset(&line);
    }
    graph_dot_row(out, 10, n->what, false);
    if (n->shape != SHAPE_SKIPPED) {
        if (n->was)
            graph_dot_row(out, 10, n->was, true);
        if (n->share > 0 && !n->was) {
            graph_bar(&line, n->share, 10, false);
            strbuf_addc(&line, ' ');
            units_share(&line, n->share);
            graph_dot_row(out, 10, line.p, false);
            strbuf_reset(&line);
        }
        units_count(&line, n->tasks);
        strbuf_addz(&line, n->tasks == 1 ? " task, " : " tasks, ");
        units_ms(&line, n->task_ms);
        if (n->in_bytes) {
            strbuf_addz(&line, "; in ");
            units_bytes(&line, n->in_bytes);
        }
        if (n->out_bytes) {
            strbuf_addz(&line, "; out ");
            units_bytes(&line, n->out_bytes);
        }
        graph_dot_row(out, 9, line.p, false);
        graph_dot_row(out, 9, n->skipped, false);
        badge_row(out, n);
    }
    strbuf_addz(out, "</TABLE>>");
    strbuf_release(&line);
}

static void node_style(struct strbuf *out, const struct graph_node *n)
{
    bool rounded = n->shape == SHAPE_RESULT || n->shape == SHAPE_SKIPPED;

    strbuf_printf(out, ", shape=%s, style=\"filled%s%s%s\"", shape_of(n->shape),
                  rounded ? ",rounded" : "",
                  n->shape == SHAPE_SKIPPED || n->change == CHANGE_REMOVED ? ",dashed"
                                                                           : "",
                  n->incomplete ? ",dotted" : "");
    if (n->shape == SHAPE_SKIPPED)
        strbuf_printf(out, ", fillcolor=\"#ffffff\", color=\"" GREY
                           "\", fontcolor=\"#4a4a4a\"");
    else
        strbuf_printf(out, ", fillcolor=\"%s\", fontcolor=\"%s\"", graph_node_fill(n),
                      graph_node_ink(n));
    if (n->change == CHANGE_REMOVED)
        strbuf_addz(out, ", color=\"" GREY "\", penwidth=2");
    else if (n->failed)
        strbuf_addz(out, ", color=\"" DARK_RED "\", penwidth=3");
    else if (n->critical && n->step)
        strbuf_addz(out, ", color=\"" BLUE "\", penwidth=4");
    if (n->stage_ix != IX_NONE && n->attempts > 1)
        strbuf_addz(out, ", peripheries=2");
}

/* Nodes and clusters by the cluster they are in, as chains of positions. */
struct nest {
    const struct graph *g;
    uint32_t *first_node, *next_node;   /* IX_NONE ends; last ones first */
    uint32_t *first_child, *next_child; /* likewise */
    const uint32_t *hidden_step;        /* per node: graph_hidden_steps */
    int64_t most_ms;                    /* task time of the largest node */
};

static void write_node(struct strbuf *out, const struct nest *nest, uint32_t node,
                       int indent)
{
    const struct graph_node *n = &nest->g->nodes[node];
    uint32_t step = nest->hidden_step[node];
    struct strbuf link = { 0 };
    bool small = n->shape == SHAPE_SKIPPED || (n->shape == SHAPE_FOLDED && !n->step);

    strbuf_fill(out, ' ', (size_t)indent * 2);
    strbuf_printf(out, "\"%s\" [id=\"%s\", class=\"", n->id, n->id);
    graph_node_class(out, n);
    strbuf_addz(out, "\", label=");
    node_label(out, n, small ? 10 : title_size(n, nest->most_ms),
               step == IX_NONE ? NULL : &nest->g->edges[step]);
    node_style(out, n);
    strbuf_addz(out, ", tooltip=");
    graph_dot_quoted(out, n->tooltip);
    graph_node_link(&link, nest->g, n);
    if (link.len) {
        strbuf_addz(out, ", URL=");
        graph_dot_quoted(out, link.p);
    }
    strbuf_release(&link);
    strbuf_addz(out, "];\n");
}

static void cluster_head(struct strbuf *out, const struct graph_cluster *c, int indent)
{
    bool outer = c->parent == IX_NONE;

    strbuf_fill(out, ' ', (size_t)indent * 2);
    strbuf_printf(out, "subgraph \"cluster-%s\" {\n", c->id);
    strbuf_fill(out, ' ', (size_t)indent * 2 + 2);
    strbuf_printf(
        out,
        "id=\"%s\"; class=\"cluster %s\"; labeljust=l; style=rounded; color=\"%s\"; "
        "penwidth=%s; fontsize=%d; fontcolor=\"#333333\"; label=",
        c->id, c->id[0] == 's' ? "sql" : "job", outer ? "#8a8a8a" : "#b5b5b5",
        outer ? "1.2" : "0.8", outer ? 12 : 10);
    graph_dot_quoted(out, c->title);
    strbuf_addz(out, "; tooltip=");
    graph_dot_quoted(out, c->tooltip);
    strbuf_addz(out, ";\n");
}

/* A cluster's own nodes, then the clusters inside it: two levels at most. */
static void write_cluster(struct strbuf *out, const struct nest *n, uint32_t cluster,
                          int indent)
{
    cluster_head(out, &n->g->clusters[cluster], indent);
    for (uint32_t i = n->first_node[cluster]; i != IX_NONE; i = n->next_node[i])
        write_node(out, n, i, indent + 1);
    for (uint32_t k = n->first_child[cluster]; k != IX_NONE; k = n->next_child[k])
        write_cluster(out, n, k, indent + 1);
    strbuf_fill(out, ' ', (size_t)indent * 2);
    strbuf_addz(out, "}\n");
}

static void nest_build(struct nest *n, const struct graph *g, struct arena *arena)
{
    n->g = g;
    n->first_node = arena_array(arena, g->n_clusters + 1, sizeof(uint32_t));
    n->first_child = arena_array(arena, g->n_clusters + 1, sizeof(uint32_t));
    n->next_child = arena_array(arena, g->n_clusters + 1, sizeof(uint32_t));
    n->next_node = arena_array(arena, g->n_nodes + 1, sizeof(uint32_t));
    for (size_t i = 0; i < g->n_clusters; i++)
        n->first_node[i] = n->first_child[i] = n->next_child[i] = IX_NONE;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        uint32_t c = g->nodes[i].cluster;

        if (g->nodes[i].shape != SHAPE_FOLDED)
            n->most_ms = max_i64(n->most_ms, g->nodes[i].task_ms);
        if (c == IX_NONE)
            continue;
        n->next_node[i] = n->first_node[c];
        n->first_node[c] = i;
    }
    for (uint32_t i = 0; i < g->n_clusters; i++) {
        uint32_t p = g->clusters[i].parent;

        if (p == IX_NONE)
            continue;
        n->next_child[i] = n->first_child[p];
        n->first_child[p] = i;
    }
}

static void write_nodes(struct strbuf *out, const struct graph *g, const bool *drawn)
{
    struct arena arena = { 0 };
    struct nest nest = { 0 };

    nest_build(&nest, g, &arena);
    nest.hidden_step = graph_hidden_steps(g, drawn, &arena);
    bool *written = arena_array(&arena, g->n_clusters + 1, sizeof *written);
    /* last first: with rankdir=LR graphviz stacks what it meets later above */
    for (uint32_t i = (uint32_t)g->n_nodes; i-- > 0;) {
        uint32_t c = g->nodes[i].cluster;

        if (c == IX_NONE) {
            write_node(out, &nest, i, 1);
            continue;
        }
        c = g->clusters[c].parent == IX_NONE ? c : g->clusters[c].parent;
        if (!written[c])
            write_cluster(out, &nest, c, 1);
        written[c] = true;
    }
    arena_release(&arena);
}

/* --- edges --------------------------------------------------------------------- */

static void edge_tooltip(struct strbuf *out, const struct graph *g,
                         const struct graph_edge *e)
{
    static const char *const keys[] = { "tooltip", "edgetooltip", "labeltooltip" };
    struct strbuf tip = { 0 };

    graph_edge_tip(&tip, g, e);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        strbuf_printf(out, ", %s=", keys[i]);
        graph_dot_quoted(out, tip.p);
    }
    strbuf_release(&tip);
}

static void edge_style(struct strbuf *out, const struct graph_edge *e, double width)
{
    double drawn = e->critical && width < 4 ? 4 : width; /* heads grow with the line */

    const char *style = e->then || e->folded          ? "dotted"
                        : e->change == CHANGE_REMOVED ? "dashed"
                        : e->via == VIA_BROADCAST     ? "dashed"
                        : e->via == VIA_SUBQUERY      ? "dashed"
                                                      : "solid";

    if (e->then)
        strbuf_printf(out, ", style=dotted, color=\"" BLUE "\", fontcolor=\"" BLUE
                           "\", penwidth=2, arrowhead=vee");
    else if (e->change == CHANGE_REMOVED)
        strbuf_printf(out, ", style=dashed, color=\"" GREY "\", penwidth=%.1f", width);
    else if (e->critical)
        strbuf_printf(out, ", style=%s, color=\"" BLUE "\", penwidth=%.1f", style,
                      width > 4 ? width : 4.0);
    else if (e->reused || e->via == VIA_CACHE) /* two lines with nothing between */
        strbuf_printf(out,
                      ", style=%s, color=\"" GREY ":#ffffff:" GREY "\", penwidth=%.1f",
                      style, width > 3 ? 3.0 : width);
    else
        strbuf_printf(out, ", style=%s, color=\"#4d4d4d\", penwidth=%.1f", style, width);
    strbuf_printf(out, ", arrowsize=%.2f", e->then ? 0.8 : 1.0 - 0.08 * drawn);
}

/* Bytes above rows: half as wide as side by side. */
static void edge_label(struct strbuf *out, const struct graph_edge *e, double width)
{
    struct strbuf text = { 0 };

    graph_edge_text(&text, e);
    if (text.len) {
        struct sv all = strbuf_sv(&text);
        size_t comma = sv_find(all, SV(", "));

        /* graphviz leaves room for the text but not for the breadth of the line */
        strbuf_printf(out, ", label=<<TABLE BORDER=\"0\" CELLPADDING=\"%d\"><TR><TD%s>",
                      1 + (int)(width / 2 + 0.5),
                      e->then ? " BGCOLOR=\"#ffffff\"" : ""); /* it may lie on its line */
        if (comma != SIZE_MAX) {
            strbuf_add(out, (struct sv){ all.p, comma });
            strbuf_addz(out, "<BR/>");
            all = sv_from(all, comma + 2);
        }
        strbuf_add(out, all);
        strbuf_addz(out, "</TD></TR></TABLE>>");
    }
    strbuf_release(&text);
}

static void write_edge(struct strbuf *out, const struct graph *g,
                       const struct graph_edge *e, int64_t most_bytes, bool with_label)
{
    double width = graph_edge_width(e, most_bytes);

    strbuf_printf(out, "  \"%s\" -> \"%s\" [id=\"", g->nodes[e->from].id,
                  g->nodes[e->to].id);
    graph_edge_id(out, g, e);
    strbuf_addz(out, "\", class=\"");
    graph_edge_class(out, e);
    strbuf_printf(out, "\", weight=%d",
                  e->then                                ? 1
                  : e->critical                          ? 20
                  : e->reused && e->via != VIA_BROADCAST ? 0
                                                         : 1 + (int)width);
    edge_style(out, e, width);
    if (with_label)
        edge_label(out, e, width);
    edge_tooltip(out, g, e);
    strbuf_addz(out, "];\n");
}

struct by_weight {
    bool critical;
    int64_t bytes;
    uint32_t edge;
};

static int heavier(const void *a, const void *b)
{
    const struct by_weight *x = a, *y = b;

    if (x->critical != y->critical)
        return x->critical ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->edge < y->edge ? -1 : x->edge > y->edge;
}

/* Heaviest first: graphviz routes early ones straighter. */
static void write_edges(struct strbuf *out, const struct graph *g, const bool *drawn)
{
    struct by_weight *order = xcalloc(g->n_edges + 1, sizeof *order);
    bool *told = xcalloc(g->n_nodes + 1, sizeof *told); /* what the source sends again */
    int64_t most_bytes = graph_most_bytes(g);

    for (uint32_t i = 0; i < g->n_edges; i++)
        order[i] = (struct by_weight){ g->edges[i].critical, g->edges[i].bytes, i };
    qsort(order, g->n_edges, sizeof *order, heavier);
    for (size_t i = 0; i < g->n_edges; i++) {
        const struct graph_edge *e = &g->edges[order[i].edge];

        if (!drawn[order[i].edge])
            continue;
        write_edge(out, g, e, most_bytes, !e->reused || e->critical || !told[e->from]);
        told[e->from] |= e->reused;
    }
    free(order);
    free(told);
}

/* --- title and legend ---------------------------------------------------------- */

static void legend_row(struct strbuf *out, int size, const char *color, const char *text,
                       bool bold)
{
    strbuf_addz(out, "<TR><TD ALIGN=\"LEFT\">");
    font(out, size, color);
    strbuf_addz(out, bold ? "<B>" : "");
    graph_xml(out, text);
    strbuf_addz(out, bold ? "</B></FONT></TD></TR>" : "</FONT></TD></TR>");
}

static void heat_scale(struct strbuf *out, const struct graph *g)
{
    struct graph_scale_box boxes[GRAPH_SCALE_MOST];
    size_t n = graph_scale(boxes, g);

    strbuf_addz(out, "<TR><TD ALIGN=\"LEFT\"><TABLE BORDER=\"0\" CELLSPACING=\"0\" "
                     "CELLPADDING=\"3\"><TR>");
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(out, "<TD BORDER=\"1\" COLOR=\"#666666\" BGCOLOR=\"%s\">",
                      boxes[i].fill);
        font(out, 9, boxes[i].ink);
        graph_xml(out, boxes[i].words);
        strbuf_addz(out, "</FONT></TD>");
    }
    strbuf_addz(out, SPACER "<TD ALIGN=\"LEFT\">");
    font(out, 10, "#333333");
    graph_xml(out, g->heat_label);
    strbuf_addz(out, "</FONT></TD>" FILLER "</TR></TABLE></TD></TR>");
}

static void path_words(struct strbuf *out, const struct graph *g)
{
    bool then = false;

    for (size_t i = 0; i < g->n_edges; i++)
        then |= g->edges[i].then;
    if (g->has_path)
        strbuf_addz(out, "Blue: the critical path, (1), (2) ... in its order");
    if (then)
        strbuf_addz(out, "; dotted blue: the driver goes on to the next job");
}

static void edge_words(struct strbuf *out, const struct graph *g)
{
    bool data = false, dashed = false, reused = false, folded = false;

    for (size_t i = 0; i < g->n_edges; i++) {
        const struct graph_edge *e = &g->edges[i];

        data |= !e->then;
        dashed |= !e->then && (e->via == VIA_BROADCAST || e->via == VIA_SUBQUERY);
        reused |= e->reused && !e->critical;
        folded |= e->folded;
    }
    if (data)
        strbuf_addz(out, "Edges: bytes and rows moved");
    strbuf_addz(out, dashed ? "; dashed: broadcast or subquery" : "");
    strbuf_addz(out, reused ? "; double grey: used by other stages too" : "");
    strbuf_addz(out, folded ? "; dotted: to or from folded stages" : "");
    if (g->is_diff)
        strbuf_addz(out, "; base run \xE2\x86\x92 this run; dashed with \xE2\x88\x92: "
                         "only the base run had it, with +: only this run has it");
}

static void write_legend(struct strbuf *out, const struct graph *g)
{
    struct strbuf words = { 0 };

    strbuf_addz(out, "  label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"1\">");
    legend_row(out, 18, "#111111", g->title, true);
    legend_row(out, 11, "#333333", g->subtitle, false);
    legend_row(out, 11, "#333333", g->totals, false);
    if (g->folded)
        legend_row(out, 11, "#8b0000", g->folded, false);
    if (g->n_nodes == 0)
        legend_row(out, 14, "#111111", "No stage ran.", true);
    else
        heat_scale(out, g);
    path_words(&words, g);
    if (words.len)
        legend_row(out, 10, BLUE, words.p, false);
    strbuf_reset(&words);
    edge_words(&words, g);
    if (words.len)
        legend_row(out, 10, "#333333", words.p, false);
    strbuf_reset(&words);
    graph_badge_words(&words, g);
    if (words.len)
        legend_row(out, 10, "#333333", words.p, false);
    legend_row(out, 9, "#666666", "spillway " SPILLWAY_VERSION, false);
    strbuf_addz(out, "</TABLE>>;\n");
    strbuf_release(&words);
}

void graph_dot(struct strbuf *out, const struct graph *g, const char *nslimit)
{
    struct arena arena = { 0 };
    bool *drawn;

    strbuf_printf(out,
                  "digraph spillway {\n"
                  "  rankdir=LR; charset=\"UTF-8\"; bgcolor=\"#ffffff\"; fontname=\"" FONT
                  "\";\n"
                  "  nslimit=%s; nslimit1=%s; ranksep=0.7; nodesep=0.3; pad=0.2;\n"
                  "  labelloc=t; labeljust=l; id=\"spillway-graph\"; tooltip=",
                  nslimit, nslimit);
    graph_dot_quoted(out, g->title);
    strbuf_addz(out, ";\n");
    write_legend(out, g);
    strbuf_printf(out,
                  "  node [fontname=\"" FONT "\", fontsize=10, margin=\"0.16,0.07\", "
                  "color=\"#333333\", penwidth=1];\n"
                  "  edge [fontname=\"" FONT "\", fontsize=9, fontcolor=\"#333333\"];\n");
    graph_layers(g, &drawn, &arena);
    write_nodes(out, g, drawn);
    write_edges(out, g, drawn);
    strbuf_addz(out, "}\n");
    arena_release(&arena);
}
