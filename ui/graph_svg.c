/* The graph as SVG without graphviz: columns of boxes, sources to the left.
 *
 * For builds without graphviz, and for graphs on which graphviz ran out of time.
 * Plainer than its pictures (boxes of one size, no frames, edges may pass behind
 * boxes) but linear in the number of stages, so there is always a picture.
 *
 * Columns are the layers of the graph. Within a column stages stand near what
 * feeds them: a few sweeps order each column by the mean place of the neighbours
 * on its left, then on its right. Stages without any edge fill a block below. */
#include "ui/graph_draw.h"

#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define BOX_W 285
#define BOX_H 78
#define GAP_X 110 /* room for the labels of edges */
#define GAP_Y 24
#define MARGIN 20
#define HEAD_LINE 18
#define BOX_CHARS 42 /* of 11 px that surely fit into a box */
#define GRID_COLUMNS 4
#define SWEEPS 6
#define BLUE "#1552c4"

struct place {
    double key;
    uint32_t node;
};

struct svg {
    struct strbuf *out;
    const struct graph *g;
    struct arena arena;
    uint32_t *layer, n_layers;
    uint32_t *first; /* of layer i in `order`: first[i] .. first[i+1]-1 */
    struct place *order;
    uint32_t *row; /* per node, within its layer */
    bool *drawn;   /* per edge */
    bool *linked;  /* per node: has an edge */
    double *x, *y; /* upper left corner, per node */
    double width, height, top;
};

static int by_key(const void *a, const void *b)
{
    const struct place *p = a, *q = b;

    if (p->key != q->key)
        return p->key < q->key ? -1 : 1;
    return p->node < q->node ? -1 : p->node > q->node;
}

/* --- places -------------------------------------------------------------------- */

static void fill_layers(struct svg *s)
{
    const struct graph *g = s->g;
    uint32_t *at;

    s->linked = arena_array(&s->arena, g->n_nodes + 1, sizeof *s->linked);
    s->row = arena_array(&s->arena, g->n_nodes + 1, sizeof *s->row);
    s->order = arena_array(&s->arena, g->n_nodes + 1, sizeof *s->order);
    s->layer = graph_layers(g, &s->drawn, &s->arena);
    for (size_t i = 0; i < g->n_nodes; i++)
        s->n_layers = s->layer[i] + 1 > s->n_layers ? s->layer[i] + 1 : s->n_layers;
    for (size_t i = 0; i < g->n_edges; i++)
        if (s->drawn[i])
            s->linked[g->edges[i].from] = s->linked[g->edges[i].to] = true;
    s->first = arena_array(&s->arena, s->n_layers + 2, sizeof *s->first);
    at = arena_array(&s->arena, s->n_layers + 2, sizeof *at);
    for (size_t i = 0; i < g->n_nodes; i++)
        if (s->linked[i])
            s->first[s->layer[i] + 1]++;
    for (uint32_t i = 0; i < s->n_layers; i++)
        at[i + 1] = s->first[i + 1] += s->first[i];
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (!s->linked[i])
            continue;
        uint32_t k = at[s->layer[i]]++;
        s->order[k].node = i;
        s->row[i] = k - s->first[s->layer[i]];
    }
}

/* One sweep: every node goes to the mean place of its neighbours on one side. */
static void sweep(struct svg *s, bool from_left)
{
    const struct graph *g = s->g;
    double *sum = arena_array(&s->arena, g->n_nodes + 1, sizeof *sum);
    uint32_t *n = arena_array(&s->arena, g->n_nodes + 1, sizeof *n);

    for (size_t i = 0; i < g->n_edges; i++) {
        const struct graph_edge *e = &g->edges[i];
        uint32_t moved = from_left ? e->to : e->from, fixed = from_left ? e->from : e->to;

        if (!s->drawn[i])
            continue;
        sum[moved] += s->row[fixed];
        n[moved]++;
    }
    for (uint32_t l = 0; l < s->n_layers; l++) {
        uint32_t count = s->first[l + 1] - s->first[l];
        struct place *p = s->order + s->first[l];

        for (uint32_t i = 0; i < count; i++)
            p[i].key = n[p[i].node] ? sum[p[i].node] / n[p[i].node] : s->row[p[i].node];
        qsort(p, count, sizeof *p, by_key);
        for (uint32_t i = 0; i < count; i++)
            s->row[p[i].node] = i;
    }
}

static void place_nodes(struct svg *s)
{
    const struct graph *g = s->g;
    uint32_t tallest = 0, alone = 0;

    s->x = arena_array(&s->arena, g->n_nodes + 1, sizeof *s->x);
    s->y = arena_array(&s->arena, g->n_nodes + 1, sizeof *s->y);
    for (int i = 0; i < SWEEPS; i++)
        sweep(s, i % 2 == 0);
    for (uint32_t l = 0; l < s->n_layers; l++)
        if (s->first[l + 1] - s->first[l] > tallest)
            tallest = s->first[l + 1] - s->first[l];
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        uint32_t l = s->layer[i];

        if (s->linked[i]) {
            double free_rows = tallest - (double)(s->first[l + 1] - s->first[l]);

            s->x[i] = MARGIN + l * (BOX_W + GAP_X);
            s->y[i] = s->top + (s->row[i] + free_rows / 2) * (BOX_H + GAP_Y);
        } else {
            s->x[i] = MARGIN + alone % GRID_COLUMNS * (BOX_W + GAP_Y);
            s->y[i] =
                s->top + (tallest + (double)(alone / GRID_COLUMNS)) * (BOX_H + GAP_Y);
            alone++;
        }
        s->width = fmax(s->width, s->x[i] + BOX_W + MARGIN);
        s->height = fmax(s->height, s->y[i] + BOX_H + MARGIN);
    }
}

/* --- text ---------------------------------------------------------------------- */

static void text_at(struct strbuf *out, double x, double y, int size, const char *fill,
                    bool bold, const char *text, size_t max_chars)
{
    struct strbuf cut = { 0 };

    utf8_clean(&cut, sv(text), max_chars);
    strbuf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" fill=\"%s\"%s>", x,
                  y, size, fill, bold ? " font-weight=\"bold\"" : "");
    graph_xml(out, cut.p ? cut.p : "");
    strbuf_addz(out, "</text>\n");
    strbuf_release(&cut);
}

static void head_text(struct svg *s, struct strbuf *head, int size, const char *fill,
                      bool bold, const char *text)
{
    s->top += size > 12 ? size + 8 : HEAD_LINE;
    text_at(head, MARGIN, s->top, size, fill, bold, text, 0);
    s->width = fmax(s->width, 2 * MARGIN + (double)utf8_width(sv(text)) * size * 0.62);
}

static void heat_scale(struct svg *s, struct strbuf *head)
{
    struct graph_scale_box boxes[GRAPH_SCALE_MOST];
    size_t n = graph_scale(boxes, s->g);
    double x = MARGIN, width = s->g->is_diff ? 146 : 96;

    head_text(s, head, 11, "#333333", false, s->g->heat_label);
    s->top += 6;
    for (size_t i = 0; i < n; i++) {
        strbuf_printf(
            head,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"18\" fill=\"%s\" "
            "stroke=\"#666666\"/>\n",
            x, s->top, width, boxes[i].fill);
        text_at(head, x + 6, s->top + 13, 10, boxes[i].ink, false, boxes[i].words, 0);
        x += width + 6;
    }
    s->top += 22;
}

static void write_head(struct svg *s, struct strbuf *head)
{
    const struct graph *g = s->g;
    struct strbuf words = { 0 };

    s->top = MARGIN - 8;
    head_text(s, head, 18, "#111111", true, g->title);
    head_text(s, head, 11, "#333333", false, g->subtitle);
    head_text(s, head, 11, "#333333", false, g->totals);
    if (g->folded)
        head_text(s, head, 11, "#8b0000", false, g->folded);
    if (g->n_nodes)
        heat_scale(s, head);
    else
        head_text(s, head, 14, "#111111", true, "No stage ran.");
    if (g->has_path)
        head_text(s, head, 10, BLUE, false,
                  "Blue: the critical path, (1), (2) ... in its order; dotted: the "
                  "driver goes on");
    graph_badge_words(&words, g);
    if (words.len)
        head_text(s, head, 10, "#333333", false, words.p);
    head_text(s, head, 9, "#666666", false, "spillway " SPILLWAY_VERSION);
    s->top += MARGIN;
    strbuf_release(&words);
}

/* --- boxes and edges ----------------------------------------------------------- */

static void title_tag(struct strbuf *out, const char *text)
{
    strbuf_addz(out, "<title>");
    graph_xml(out, text);
    strbuf_addz(out, "</title>\n");
}

static void box_lines(struct svg *s, const struct graph_node *n, double x, double y)
{
    const char *ink = graph_node_ink(n);
    struct strbuf line = { 0 };

    if (n->step)
        strbuf_printf(&line, "(%" PRIu32 ") ", n->step);
    strbuf_addz(&line, n->name);
    if (n->stage_ix != IX_NONE) {
        strbuf_addz(&line, "  ");
        units_ms(&line, n->wall_ms);
    }
    if (n->share > 0 && !n->was) {
        strbuf_addz(&line, "  ");
        units_share(&line, n->share);
    }
    text_at(s->out, x + 8, y + 17, 13, ink, true, line.p, 30);
    text_at(s->out, x + 8, y + 33, n->was ? 10 : 11, ink, n->was,
            n->was ? n->was : n->what, BOX_CHARS);
    strbuf_reset(&line);
    if (n->shape != SHAPE_SKIPPED) {
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
        text_at(s->out, x + 8, y + 49, 10, ink, false, line.p, BOX_CHARS + 5);
        strbuf_reset(&line);
    }
    for (uint32_t i = 0; i < n->n_badges; i++)
        strbuf_printf(&line, "%s[%s]", i ? " " : "", n->badges[i]);
    if (n->more_badges)
        strbuf_printf(&line, " +%" PRIu32, n->more_badges);
    if (line.len)
        text_at(s->out, x + 8, y + 67, 10, ink, true, line.p, BOX_CHARS);
    strbuf_release(&line);
}

static void write_box(struct svg *s, uint32_t node)
{
    const struct graph_node *n = &s->g->nodes[node];
    double x = s->x[node], y = s->y[node];
    struct strbuf link = { 0 };
    const char *stroke = n->failed                   ? "#8b0000"
                         : n->critical && n->step    ? BLUE
                         : n->shape == SHAPE_SKIPPED ? "#8a8a8a"
                                                     : "#333333";

    strbuf_printf(s->out, "<g id=\"%s\" class=\"", n->id);
    graph_node_class(s->out, n);
    strbuf_addz(s->out, "\">");
    title_tag(s->out, n->tooltip);
    graph_node_link(&link, s->g, n);
    if (link.len) {
        strbuf_addz(s->out, "<a href=\"");
        graph_xml(s->out, link.p);
        strbuf_addz(s->out, "\">");
    }
    if (n->attempts > 1 && n->stage_ix != IX_NONE)
        strbuf_printf(
            s->out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"%s\"/>\n",
            x - 5, y - 5, BOX_W + 10, BOX_H + 10, stroke);
    strbuf_printf(s->out,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\"%s fill=\"%s\" "
                  "stroke=\"%s\" stroke-width=\"%d\"%s/>\n",
                  x, y, BOX_W, BOX_H,
                  n->shape == SHAPE_RESULT || n->shape == SHAPE_SKIPPED ? " rx=\"12\""
                                                                        : "",
                  graph_node_fill(n), stroke,
                  n->failed                ? 3
                  : n->critical && n->step ? 4
                                           : 1,
                  n->incomplete ? " stroke-dasharray=\"2 3\""
                  : n->shape == SHAPE_SKIPPED || n->change == CHANGE_REMOVED
                      ? " stroke-dasharray=\"6 4\""
                      : "");
    box_lines(s, n, x, y);
    strbuf_addz(s->out, link.len ? "</a></g>\n" : "</g>\n");
    strbuf_release(&link);
}

/* How far down an edge is pulled: of one that passes a box between its ends, as it
 * would seem to end and to begin there. */
static double edge_dip(const struct svg *s, const struct graph_edge *e)
{
    bool passes = s->x[e->to] - s->x[e->from] > 2 * BOX_W &&
                  fabs(s->y[e->to] - s->y[e->from]) < BOX_H;

    return passes ? BOX_H + GAP_Y : 0;
}

static void write_edge(struct svg *s, const struct graph_edge *e, int64_t most_bytes)
{
    double x1 = s->x[e->from] + BOX_W, y1 = s->y[e->from] + BOX_H / 2.0;
    double x2 = s->x[e->to], y2 = s->y[e->to] + BOX_H / 2.0;
    double bend = fmin(fmax(fabs(x2 - x1) / 2, 60), 2 * GAP_X),
           width = graph_edge_width(e, most_bytes);
    double dip = edge_dip(s, e);
    const char *dash =
        e->then || e->folded ? " stroke-dasharray=\"2 5\""
        : e->change == CHANGE_REMOVED || e->via == VIA_BROADCAST || e->via == VIA_SUBQUERY
            ? " stroke-dasharray=\"7 5\""
            : "";
    struct strbuf text = { 0 };

    if (e->then)
        width = 2;
    else if (e->critical)
        width = fmax(width, 4);
    strbuf_addz(s->out, "<g id=\"");
    graph_edge_id(s->out, s->g, e);
    strbuf_addz(s->out, "\" class=\"edge ");
    graph_edge_class(s->out, e);
    strbuf_addz(s->out, "\">");
    graph_edge_tip(&text, s->g, e);
    title_tag(s->out, text.p);
    strbuf_reset(&text);
    strbuf_printf(s->out,
                  "<path d=\"M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f\" fill=\"none\" "
                  "stroke=\"%s\" stroke-width=\"%.1f\"%s/>\n",
                  x1, y1, x1 + bend, y1 + dip, fmax(x2 - bend, 2), y2 + dip, x2 - 6, y2,
                  e->critical ? BLUE
                  : e->reused ? "#8a8a8a"
                              : "#4d4d4d",
                  width, dash);
    strbuf_printf(s->out, "<path d=\"M%.1f,%.1f l-9,-5 l0,10 z\" fill=\"%s\"/>\n", x2, y2,
                  e->critical ? BLUE : "#4d4d4d");
    graph_edge_text(&text, e);
    if (text.len) /* in the gap before the target, where its other edges are not yet */
        text_at(s->out, x1 + 6, y1 + (dip > 0     ? 0.45 * dip
                                         : y2 > y1 ? 14
                                                   : -6), 9, e->then ? BLUE : "#333333",
                false, text.p, 24);
    strbuf_addz(s->out, "</g>\n");
    strbuf_release(&text);
}

void graph_svg(struct strbuf *out, const struct graph *g)
{
    struct svg s = { .out = out, .g = g };
    struct strbuf head = { 0 };
    int64_t most_bytes = graph_most_bytes(g);

    write_head(&s, &head);
    s.height = s.top + MARGIN;
    fill_layers(&s);
    place_nodes(&s);
    for (size_t i = 0; i < g->n_edges; i++)
        if (s.drawn[i] && edge_dip(&s, &g->edges[i]) > 0)
            s.height = fmax(s.height, s.y[g->edges[i].from] + 2 * BOX_H + MARGIN);
    strbuf_printf(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"spillway-graph\" width=\"%.0f\" "
        "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
        "font-family=\"DejaVu Sans,Verdana,Helvetica,sans-serif\">\n",
        s.width, s.height, s.width, s.height);
    title_tag(out, g->title);
    strbuf_printf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n",
                  s.width, s.height);
    strbuf_add(out, strbuf_sv(&head));
    for (size_t i = 0; i < g->n_edges; i++)
        if (s.drawn[i])
            write_edge(&s, &g->edges[i], most_bytes);
    for (uint32_t i = 0; i < g->n_nodes; i++)
        write_box(&s, i);
    strbuf_addz(out, "</svg>\n");
    strbuf_release(&head);
    arena_release(&s.arena);
}
