/* What the writers of the graph share: colours, order, pieces of text. */
#ifndef UI_GRAPH_DRAW_H
#define UI_GRAPH_DRAW_H

#include "ui/graph.h"

extern const double graph_heat_cuts[GRAPH_HEAT_STEPS - 1]; /* shares between the steps */
extern const char *const graph_heat_fill[GRAPH_HEAT_STEPS];
extern const char *const graph_heat_ink[GRAPH_HEAT_STEPS];
extern const char *const graph_heat_words[GRAPH_HEAT_STEPS];
/* Of two runs: shares of the wall clock between the steps of a change. */
extern const double graph_change_cuts[GRAPH_CHANGE_STEPS - 1];

/* The boxes of the scale in the legend, from left to right. */
struct graph_scale_box {
    const char *fill, *ink, *words;
};
#define GRAPH_SCALE_MOST 8
size_t graph_scale(struct graph_scale_box boxes[GRAPH_SCALE_MOST], const struct graph *g);
const char *graph_node_fill(const struct graph_node *n);
const char *graph_node_ink(const struct graph_node *n);

/* Each node's column, 0 for sources. *drawn says per edge whether to draw it: data
 * always; the driver's steps from job to job as long as no row grows longer than
 * GRAPH_ROW columns, else the picture would be one stage high and a street long.
 * Edges against graph_order (of folded groups, of a retry) have no say. */
#define GRAPH_ROW 7
uint32_t *graph_layers(const struct graph *g, bool **drawn, struct arena *arena);
/* Per node: the step that leads to it and is not drawn; IX_NONE. */
uint32_t *graph_hidden_steps(const struct graph *g, const bool *drawn, struct arena *arena);
/* Positions of nodes, sources first as far as there is no circle. */
uint32_t *graph_order(const struct graph *g, struct arena *arena);
/* Positions of edges by source: of node i, out[first[i]] .. out[first[i + 1] - 1]. */
uint32_t *graph_edges_out(const struct graph *g, bool with_then, struct arena *arena,
                          uint32_t **first);

/* "79.0 GiB, 1.2G rows"; a then-edge: "driver 3.2s" or "wait 1.1s". Empty where nothing is known. */
void graph_edge_text(struct strbuf *out, const struct graph_edge *e);
/* "Stage 42.1 to Stage 57.0: shuffle, 79.0 GiB ...", one line. */
void graph_edge_tip(struct strbuf *out, const struct graph *g, const struct graph_edge *e);
/* 1 to 8 by the root of its bytes against the most that any edge moves. */
double graph_edge_width(const struct graph_edge *e, int64_t most_bytes);
int64_t graph_most_bytes(const struct graph *g);
/* "SPILL: bytes spilled to disk;  FAIL: ..."; empty where no badge is drawn. */
void graph_badge_words(struct strbuf *out, const struct graph *g);
/* Tokens for style sheets: "stage map heat-3 crit". */
void graph_node_class(struct strbuf *out, const struct graph_node *n);
void graph_edge_class(struct strbuf *out, const struct graph_edge *e);
/* "edge_stage-1-0_stage-2-0_shuffle": unique, no node's id has a "_". */
void graph_edge_id(struct strbuf *out, const struct graph *g, const struct graph_edge *e);
/* Where a stage links to: link_base with {stage} and {attempt} filled in, else with
 * "#stage-42" after it. Nothing for other nodes, or without link_base. */
void graph_node_link(struct strbuf *out, const struct graph *g,
                     const struct graph_node *n);
/* "41%"; and n eighths of blocks for it, as many as width asks. */
void graph_bar(struct strbuf *out, double share, uint32_t width, bool ascii);

static inline double graph_share_of(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* Pieces of DOT: a quoted string; a line of a box's table (nothing for ""), size in
 * points; a cell with a badge. */
void graph_dot_quoted(struct strbuf *out, const char *text);
void graph_dot_row(struct strbuf *out, int size, const char *text, bool bold);
void graph_dot_badge(struct strbuf *out, const char *text);

/* Escapes for XML text and quoted attributes. */
void graph_xml(struct strbuf *out, const char *text);

#endif
