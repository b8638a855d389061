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

#include "analyzer/pair.h"
#include "base/err.h"
#include "rules/rule.h"

enum graph_heat {
    HEAT_WALL, HEAT_TASK, HEAT_CPU, HEAT_SHUFFLE, HEAT_SPILL, HEAT_GC, HEAT_ROWS, HEAT_MEM,
    HEAT_COUNT
};
const char *graph_heat_name(enum graph_heat h); /* "wall" ..., as on the command line */
bool graph_heat_parse(struct sv text, enum graph_heat *out);

enum graph_scope { GRAPH_WHOLE, GRAPH_SQL, GRAPH_JOB, GRAPH_STAGE };

struct graph_pick {
    enum graph_scope scope; /* not GRAPH_WHOLE */
    int64_t id;
};
/* "sql:7", "job:3", "stage:42". */
bool graph_pick_parse(struct sv text, struct graph_pick *out);
/* Of a list "sql:7,stage:3": the first, taken off *list; false where it is none of these. */
bool graph_pick_next(struct sv *list, struct graph_pick *out);

struct graph_options {
    enum graph_heat heat;
    enum graph_scope scope; /* an execution or a job with what feeds it; a stage and some steps around */
    int64_t scope_id;
    uint32_t hops;      /* steps around the scope; 0: two of a stage, else what feeds it */
    const struct graph_pick *only, *hide; /* of the scope, these alone; all but these */
    size_t n_only, n_hide;
    const char *link_base; /* address that stages link to, see graph_link_allowed; NULL: none */
    bool fold_alike;    /* of a loop's executions or jobs one is drawn, see graph_alike.c */
    uint32_t max_nodes; /* 0: all. Otherwise the rest is folded, and the graph says so */
};

enum graph_shape {
    SHAPE_RESULT, SHAPE_SHUFFLE_MAP, SHAPE_SCAN, SHAPE_BROADCAST,
    SHAPE_SKIPPED, /* all skipped stages of one job of which two stages or more are drawn */
    SHAPE_FOLDED   /* all stages of one cluster that were cut, or of a loop but for one turn */
};

/* Of a graph of two runs; CHANGE_NONE elsewhere, and for skipped and folded stages. */
enum graph_change {
    CHANGE_NONE, CHANGE_SAME, CHANGE_FASTER, CHANGE_SLOWER, CHANGE_ADDED, CHANGE_REMOVED
};

#define GRAPH_BADGES_SHOWN 3
#define GRAPH_HEAT_STEPS 5
#define GRAPH_CHANGE_STEPS 4

struct graph_node {
    enum graph_shape shape;
    uint32_t stage_ix; /* the last attempt that ran, of the base run where change is
                        * CHANGE_REMOVED; IX_NONE: skipped or folded */
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
    enum graph_change change; /* share and heat are then of the change, heat below
                               * GRAPH_CHANGE_STEPS */
    const char *was;   /* "+38s (+18%), was 3m30s"; NULL or "": not compared */
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
    enum graph_change change; /* SAME: was_ are set; ADDED, REMOVED: one run alone has it */
    int64_t was_bytes, was_rows;
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
    const char *link_base;  /* of the options, checked and clean; NULL */
    bool is_diff;           /* of two runs: node.change and edge.change are set */
};

/* Fails with ERR_USAGE where the log has no such execution, job or stage. A log
 * without stages gives a graph without nodes. */
MUST_CHECK enum errc graph_build(struct graph *g, const struct analysis *a,
                                 const struct findings *findings,
                                 const struct graph_options *options, struct err *err);
void graph_release(struct graph *g);

/* The head run's graph with what changed since the base run, removed stages included.
 * Heat wall or task only, else ERR_USAGE. The scope is of the head run. */
struct graph_runs {
    const struct analysis *base, *head;
    const struct pairing *pairs;     /* of the two */
    const struct findings *findings; /* of head */
};
MUST_CHECK enum errc graph_build_diff(struct graph *g, const struct graph_runs *runs,
                                      const struct graph_options *options, struct err *err);

/* Addresses of the web and relative ones; no other schemes, no blanks or controls, ASCII. */
bool graph_link_allowed(struct sv url);
/* Adds a script to a finished SVG of either writer: pan, zoom, search, tracing. */
void graph_interactive(struct strbuf *svg);

void graph_dot(struct strbuf *out, const struct graph *g, const char *nslimit);
void graph_svg(struct strbuf *out, const struct graph *g);
void graph_txt(struct strbuf *out, const struct graph *g, uint32_t width, bool ascii);
#endif
