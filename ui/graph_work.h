/* The graph in the making: what the steps of graph_build hand on. Inside of ui/graph*.
 *
 *     graph_base.c     bases: every stage that ran, with its numbers
 *     graph_edges.c    links between bases
 *     graph.c          scope
 *     graph_alike.c    loops: executions and jobs that did the same work
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

enum graph_kind_of { KIND_SQL, KIND_JOB, KIND_STAGE };

struct graph_kind { /* executions, jobs or stages alike, of which one is drawn, if anything */
    enum graph_kind_of of;
    uint32_t shown_base;  /* of the one: its first stage */
    uint64_t shown_group; /* its execution or job */
    int64_t shown_id;
    int64_t *ids;         /* of the others, ascending */
    uint32_t n_units;     /* others */
    int64_t first_ms, first_id;    /* where their box stands: the first of the others */
    int64_t median_ms, slowest_ms; /* wall time of one, of the others */
};

struct graph_work {
    struct graph *g;
    const struct analysis *a;
    const struct graph_options *options;
    struct graph_bases b;
    struct arena scratch;
    bool *in, *keep; /* per base */
    uint32_t *kind;  /* per base: position in kinds + 1 of those that share a box; 0 */
    struct graph_kind *kinds;
    uint64_t *fold_keys;       /* per base that is in and not kept: its box */
    uint32_t n_kinds, n_alike; /* n_alike: stages in all of them */
    uint32_t n_hidden;         /* by --hide and --only */
    int64_t hidden_ms;         /* their task time */
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
#define GRAPH_COLD_SHARE 0.005 /* of the whole; below it a stage is cold */
#define GRAPH_GROUP_REST ((uint64_t)3 << 32)
#define GRAPH_GROUP_KIND ((uint64_t)4 << 32) /* and a position in kinds */
uint64_t graph_group(const struct graph_base *s);
void graph_choose(struct graph_work *w);
/* "SQL", "job", "stage". */
const char *graph_kind_word(enum graph_kind_of of);
/* Before graph_choose: fills kind and kinds, nothing unless options say fold_alike. */
void graph_fold_alike(struct graph_work *w);

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
