/* Inside of the graph model: one record per stage id that ran, before anything is
 * chosen or folded. */
#ifndef UI_GRAPH_BASE_H
#define UI_GRAPH_BASE_H

#include "ui/graph.h"

/* X(ID, text, meaning), most alarming first: only the first few find room. */
#define GRAPH_BADGES(X)                                                                  \
    X(FAIL, "FAIL", "tasks failed")                                                      \
    X(RETRY, "RETRY", "attempts beyond the first")                                       \
    X(SKEW, "SKEW", "slowest task over the median, data uneven")                         \
    X(SLOW_HOST, "SLOW HOST", "slow tasks where data is even")                           \
    X(SPILL, "SPILL", "bytes spilled to disk")                                           \
    X(GC, "GC", "garbage collection, of run time")                                       \
    X(LOW_PAR, "LOW-PAR", "fewer tasks than cores")                                      \
    X(TINY_TASKS, "TINY TASKS", "more tasks than the work is worth")                     \
    X(SMALL_FILES, "SMALL FILES", "many small files read or written")                    \
    X(ROWS, "ROWS UP", "puts out far more rows than it reads")                           \
    X(LOOP, "NESTED LOOP", "compares every pair of rows")                                \
    X(PYTHON, "PYTHON", "rows pass through Python workers")                              \
    X(BIG_RESULT, "BIG RESULT", "much data sent to the driver")                          \
    X(OTHER, "other badges", "the rule of that name has a finding here")                                     \
    X(SPEC, "SPEC", "speculative tasks")

#define GRAPH_BADGE_ID(id, text, meaning) BADGE_##id,
enum graph_badge { GRAPH_BADGES(GRAPH_BADGE_ID) BADGE_COUNT };
#undef GRAPH_BADGE_ID

struct graph_base {
    uint32_t first_ix, end_ix; /* rows of the stage's attempts */
    uint32_t shown_ix;         /* the last of them that ran */
    uint32_t attempts;         /* that ran */
    uint32_t job_ix, sql_ix;   /* IX_NONE */
    uint32_t node;             /* that draws it, own or folded; IX_NONE: out of scope */
    int64_t submitted_ms;      /* first time; APP_NONE */

    int64_t tasks, failed_tasks, speculative_tasks, wall_ms;
    int64_t total[METRIC_COUNT]; /* over its attempts */
    int64_t task_ms;           /* duration of all tasks */
    int64_t path_ms;           /* wall time on the critical path */
    int64_t slack_ms;
    int64_t heat;              /* by the option, of graph_bases.heat_total */
    bool critical, failed, incomplete;
    bool feeds_shuffle, feeds_broadcast, has_parent;
    bool outside;              /* drawn only because it feeds the chosen scope */
    uint32_t step;

    uint32_t badges;           /* bit per enum graph_badge */
    const struct finding *worst; /* the first, that saves most; NULL */
    const struct finding *other; /* the first that has no badge of its own; NULL */
    uint32_t n_findings;
    const char *operators;     /* NULL: the log does not tell */
};

struct path_step { /* from one stage of the critical path to the next */
    uint32_t from, to; /* bases */
    int64_t driver_ms, wait_ms; /* between them */
};

struct graph_bases {
    struct graph_base *items; size_t n; /* by stage id */
    uint32_t *of_stage; /* per stage row: its base, IX_NONE for what did not run */
    struct path_step *path; size_t n_path;
    int64_t heat_total;  /* of the application; for memory: the largest */
    bool heat_is_peak;
    int64_t *job_path_ms, *sql_path_ms; /* critical path inside, driver included */
    int64_t unstarted;   /* listed by a job, neither run nor skipped */
};

void graph_bases_build(struct graph_bases *b, const struct analysis *a,
                       const struct findings *findings, enum graph_heat heat,
                       struct arena *arena);

/* Fills in what the SQL plans call the work of each stage. */
void graph_operators(struct graph_bases *b, const struct app *app, struct arena *arena);

/* "Scan parquet lineitem", "SortMergeJoin". */
void graph_op_text(struct strbuf *out, const struct plan_node *node);

const char *graph_badge_text(enum graph_badge k);
const char *graph_badge_meaning(enum graph_badge k);

/* Clean, one line, at most max_chars characters, in the arena. */
const char *graph_clean(struct arena *arena, struct sv text, size_t max_chars);
/* The texts, shape and badges of a node that stands for this one stage. */
void graph_label(struct graph_node *n, const struct graph_base *b, const struct app *app,
                 struct arena *arena);
/* Title and tooltip of a cluster. */
void graph_label_sql(struct graph_cluster *c, const struct app *app, const struct sql *q,
                     int64_t path_ms, struct arena *arena);
void graph_label_job(struct graph_cluster *c, const struct app *app, const struct job *j,
                     int64_t path_ms, struct arena *arena);
/* A finished strbuf as text of the arena; the buffer is released. */
const char *graph_keep(struct arena *arena, struct strbuf *text);

#endif
