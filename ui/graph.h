/* The stage graph: what ran, what fed what, and where the time went.
 *
 * graph_build() makes a drawing-independent model: one node per stage that ran
 * (its attempts together), edges from the lineage, the critical path, clusters
 * by SQL execution and job, badges, and every text already cleaned: valid UTF-8
 * without control characters, cut to length. Writers only escape and place.
 *
 *     analysis + findings -> graph_build -> graph_dot -> graph_layout (graphviz) -> svg, png
 *                                        -> graph_svg   (our own layers)
 *                                        -> graph_txt
 *
 * Output depends on nothing but the log, the options and the version. */
#ifndef UI_GRAPH_H
#define UI_GRAPH_H

#include "base/err.h"
#include "rules/rule.h"

enum graph_heat {
    HEAT_WALL, HEAT_TASK, HEAT_CPU, HEAT_SHUFFLE, HEAT_SPILL, HEAT_GC, HEAT_ROWS, HEAT_MEM,
    HEAT_COUNT
};
const char *graph_heat_name(enum graph_heat h); /* "wall" ..., as on the command line */
bool graph_heat_parse(struct sv text, enum graph_heat *out);

enum graph_scope { GRAPH_WHOLE, GRAPH_SQL, GRAPH_JOB, GRAPH_STAGE };

struct graph_options {
    enum graph_heat heat;
    enum graph_scope scope; /* an execution or a job with what feeds it; a stage and two steps around */
    int64_t scope_id;
    uint32_t max_nodes; /* 0: all. Otherwise the rest is folded, and the graph says so */
};

enum graph_shape {
    SHAPE_RESULT, SHAPE_SHUFFLE_MAP, SHAPE_SCAN, SHAPE_BROADCAST,
    SHAPE_SKIPPED, /* all skipped stages of one job of which two stages or more are drawn */
    SHAPE_FOLDED   /* all stages of one cluster that were cut */
};

#define GRAPH_BADGES_SHOWN 3
#define GRAPH_HEAT_STEPS 5
extern const double graph_heat_cuts[GRAPH_HEAT_STEPS - 1]; /* shares between the steps */
extern const char *const graph_heat_fill[GRAPH_HEAT_STEPS];
extern const char *const graph_heat_ink[GRAPH_HEAT_STEPS];
extern const char *const graph_heat_words[GRAPH_HEAT_STEPS];

struct graph_node {
    enum graph_shape shape;
    uint32_t stage_ix; /* the last attempt that ran; IX_NONE: skipped or folded */
    uint32_t members;  /* stages it stands for */
    uint32_t attempts; /* that ran */
    uint32_t cluster;  /* innermost one drawn, IX_NONE: none */
    int64_t job_id, sql_id; /* APP_NONE */
    const char *id;    /* "stage-42-1": unique, of [a-z0-9-] */
    const char *name;  /* "Stage 42.1" */
    const char *what;  /* operators, else the call site: at most 60 characters */
    const char *skipped; /* "2 skipped, ran as stages 6, 15": of the job, where it has no pill; "" */
    const char *tooltip; /* several lines */
    int64_t tasks, wall_ms, task_ms, path_ms, in_bytes, out_bytes;
    double share;      /* of the heat's total */
    uint8_t heat;      /* step, 0 .. GRAPH_HEAT_STEPS-1 */
    bool critical, failed, incomplete;
    uint32_t step;     /* place on the critical path, from 1; 0: not on it */
    const char *badges[GRAPH_BADGES_SHOWN];
    uint32_t n_badges, more_badges; /* more: those that found no room */
};

struct graph_edge { /* from != to; sorted by (to, from, via, then), no duplicates */
    uint32_t from, to;
    enum link_via via;
    int64_t bytes, rows; /* APP_NONE: not known */
    bool reused;         /* what it carries feeds another stage as well */
    bool critical;       /* both ends follow each other on the critical path */
    bool folded;         /* an end of it is a folded group */
    bool then;           /* no data: the driver went on from one to the other */
    int64_t driver_ms, wait_ms; /* on the path between the two; of critical ones */
};

struct graph_cluster { /* an SQL execution or a job with two nodes or more */
    const char *id;      /* "sql-7", "job-12" */
    const char *title, *tooltip;
    uint32_t parent;     /* IX_NONE */
};

struct graph_legend_badge {
    const char *text, *meaning;
};

struct graph {
    struct arena arena;
    struct graph_node *nodes; size_t n_nodes; /* in order of first submission, sources first */
    struct graph_edge *edges; size_t n_edges;
    struct graph_cluster *clusters; size_t n_clusters; /* parents first */
    const char *title, *subtitle;
    const char *heat_label; /* what the fill means */
    const char *totals;
    const char *folded;     /* what was cut or left out; NULL: nothing */
    struct graph_legend_badge *badges; size_t n_badges; /* that occur */
    bool has_path;
};

/* Fails with ERR_USAGE where the log has no such execution, job or stage. A log
 * without stages gives a graph without nodes. */
MUST_CHECK enum errc graph_build(struct graph *g, const struct analysis *a,
                                 const struct findings *findings,
                                 const struct graph_options *options, struct err *err);
void graph_release(struct graph *g);

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
/* "41%"; and n eighths of blocks for it, as many as width asks. */
void graph_bar(struct strbuf *out, double share, uint32_t width, bool ascii);

void graph_dot(struct strbuf *out, const struct graph *g, const char *nslimit);
void graph_svg(struct strbuf *out, const struct graph *g);
void graph_txt(struct strbuf *out, const struct graph *g, uint32_t width, bool ascii);
/* Escapes for XML text and quoted attributes. */
void graph_xml(struct strbuf *out, const char *text);

#endif
