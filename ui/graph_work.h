/* The graph in the making: what the steps of graph_build hand on. Inside of ui/graph*.
 *
 *     graph_base.c     bases: every stage that ran, with its numbers
 *     graph_edges.c    links between bases
 *     graph.c          scope
 *     graph_choice.c   what is drawn by itself
 *     graph_nodes.c    drafts, sorted: nodes and clusters
 *     graph_edges.c    edges between nodes
 *     graph_words.c    title and legend */
#ifndef UI_GRAPH_WORK_H
#define UI_GRAPH_WORK_H

#include "ui/graph_base.h"

struct graph_draft { /* a node before it has its place */
    int64_t group_ms, group_id, job_ms, job_id, submitted_ms, stage_id; /* order */
    uint32_t sql_ix, job_ix;
    uint32_t base;     /* its stage; IX_NONE: skipped or folded */
    uint64_t fold_key; /* of a folded group */
    bool skipped;
};

struct graph_work {
    struct graph *g;
    const struct analysis *a;
    const struct graph_options *options;
    struct graph_bases b;
    struct arena scratch;
    bool *in, *keep; /* per base */
    uint32_t n_in, n_keep;
    struct graph_draft *drafts;
    size_t n_drafts, cap_drafts;
    struct graph_edge *edges; /* between bases first, then between nodes */
    size_t n_edges, cap_edges;
    uint32_t *job_skipped;  /* per job: skipped stages said in a box */
    uint32_t *pill_members; /* per job: skipped stages said by a pill */
    int64_t skipped, skipped_drawn;
};

/* Stages of one group are folded together, if one of the group is drawn: those of an
 * SQL execution, else of a job. The rest is a group of its own. */
#define GRAPH_GROUP_REST ((uint64_t)3 << 32)
uint64_t graph_group(const struct graph_base *s);
void graph_choose(struct graph_work *w);

void graph_make_nodes(struct graph_work *w);
void graph_make_clusters(struct graph_work *w);

/* Fills w->edges with the lineage between bases. */
void graph_link_bases(struct graph_work *w);
/* Turns them into the graph's edges, with the steps of the critical path. */
void graph_link_nodes(struct graph_work *w);

void graph_write_words(struct graph_work *w);

static inline double graph_share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

#endif
