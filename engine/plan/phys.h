/* Physical plans: operators, as Spark names them, with distributions and orders met.
 *
 * Nodes never change once built, but for `metrics`, `stage` and `reused`, which planning
 * fills in. Expressions use attributes; the executor binds them to its children's output
 * when it opens an operator (phys_bind).
 *
 *   PHYS_SCAN            relation, output, partition_filters, data_filters, pushed;
 * partitions PHYS_LOCAL_SCAN      rows PHYS_RANGE           range_* PHYS_ONE_ROW "Scan
 * OneRowRelation" PHYS_FILTER          condition PHYS_PROJECT         list PHYS_HASH_AGG,
 * PHYS_OBJECT_AGG, PHYS_SORT_AGG   keys, aggs (EXPR_AGGREGATE with mode), list (result
 * expressions; partial: keys then buffers); required distribution in `requires_keys`
 *   PHYS_EXPAND          projections
 *   PHYS_GENERATE        list, output: as PLAN_GENERATE's
 *   PHYS_SORT            order, global
 *   PHYS_SORT_MERGE_JOIN, PHYS_BROADCAST_HASH_JOIN, PHYS_SHUFFLED_HASH_JOIN   left_keys,
 * right_keys, condition, join_type, build_left, null_aware, skew PHYS_BROADCAST_NL_JOIN,
 * PHYS_CARTESIAN   condition, join_type, build_left PHYS_EXCHANGE        partitioning;
 * origin PHYS_BROADCAST       mode: identity, or keys of a hashed relation (bound);
 * null_aware PHYS_AQE_READ        specs: which map and reduce ranges each task reads;
 * read_kind PHYS_REUSED          reused: the exchange whose result it reads; output:
 * renamed attributes PHYS_STAGE           AQE: child's stage ran or runs PHYS_WINDOW
 * list, keys, order;   PHYS_WINDOW_GROUP_LIMIT   keys, order, condition, limit, partial
 *   PHYS_LOCAL_LIMIT, PHYS_GLOBAL_LIMIT, PHYS_COLLECT_LIMIT, PHYS_OFFSET   limit, offset
 *   PHYS_TAKE_ORDERED    limit, offset, order, list
 *   PHYS_UNION, PHYS_COALESCE (n_partitions), PHYS_SAMPLE
 *   PHYS_COLUMNAR_TO_ROW shown above columnar scans, as Spark has it; runs as a
 * pass-through PHYS_SUBQUERY        a scalar subquery's plan; PHYS_REUSED_SUBQUERY
 *   PHYS_ADAPTIVE        AdaptiveSparkPlan: child the current plan, initial the first
 *   PHYS_WRITE           "Execute InsertIntoHadoopFsRelationCommand": write. Its child is
 *                        PHYS_WRITE_FILES over the rows; AQE's plan of one has it below
 *                        PHYS_ADAPTIVE
 *   PHYS_COMMAND         commands that run on the driver */
#ifndef ENGINE_PLAN_PHYS_H
#define ENGINE_PLAN_PHYS_H

#include "engine/plan/plan.h"
#include "engine/store/format.h"

enum phys_kind {
    PHYS_SCAN,
    PHYS_LOCAL_SCAN,
    PHYS_RANGE,
    PHYS_ONE_ROW,
    PHYS_FILTER,
    PHYS_PROJECT,
    PHYS_HASH_AGG,
    PHYS_OBJECT_AGG,
    PHYS_SORT_AGG,
    PHYS_EXPAND,
    PHYS_GENERATE,
    PHYS_SORT,
    PHYS_SORT_MERGE_JOIN,
    PHYS_BROADCAST_HASH_JOIN,
    PHYS_SHUFFLED_HASH_JOIN,
    PHYS_BROADCAST_NL_JOIN,
    PHYS_CARTESIAN,
    PHYS_EXCHANGE,
    PHYS_BROADCAST,
    PHYS_AQE_READ,
    PHYS_REUSED,
    PHYS_STAGE,
    PHYS_WINDOW,
    PHYS_WINDOW_GROUP_LIMIT,
    PHYS_LOCAL_LIMIT,
    PHYS_GLOBAL_LIMIT,
    PHYS_COLLECT_LIMIT,
    PHYS_OFFSET,
    PHYS_TAKE_ORDERED,
    PHYS_UNION,
    PHYS_COALESCE,
    PHYS_SAMPLE,
    PHYS_COLUMNAR_TO_ROW,
    PHYS_SUBQUERY,
    PHYS_REUSED_SUBQUERY,
    PHYS_ADAPTIVE,
    PHYS_WRITE,
    PHYS_WRITE_FILES,
    PHYS_COMMAND,
    N_PHYS_KINDS
};

enum partitioning_kind {
    PART_UNKNOWN,
    PART_SINGLE,
    PART_HASH,
    PART_RANGE,
    PART_ROUND_ROBIN,
    PART_BROADCAST,
    PART_COLLECTION
};

struct partitioning {
    enum partitioning_kind kind;
    struct exprs keys;         /* HASH: expressions; RANGE: sort orders */
    uint32_t n;                /* partitions */
    struct partitioning *more; /* COLLECTION: each of these holds (a join's two sides) */
    uint32_t n_more;
};

enum exchange_origin {
    ORIGIN_ENSURE_REQUIREMENTS,
    ORIGIN_REPARTITION_BY_COL,
    ORIGIN_REPARTITION_BY_NUM,
    ORIGIN_REBALANCE_BY_COL,
    ORIGIN_REBALANCE_BY_NONE
};
/* AQE_WHOLE: reducers one by one, maybe again for each piece of another side. */
enum aqe_read { AQE_COALESCED, AQE_LOCAL, AQE_SKEWED, AQE_COALESCED_SKEWED, AQE_WHOLE };

/* What one task of a PHYS_AQE_READ reads: map outputs [map_from, map_to) of reducers
 * [from, to). */
struct read_spec {
    uint32_t from, to, map_from, map_to; /* map_to UINT32_MAX: all */
};

enum metric_kind { METRIC_SUM, METRIC_SIZE, METRIC_MS, METRIC_NS, METRIC_AVERAGE };

struct metric_def {
    const char *key;       /* for us: "rows", "build_ms" */
    const char *name;      /* Spark's: "number of output rows" */
    enum metric_kind kind; /* "sum", "size", "timing", "nsTiming", "average" in the log */
    bool on_driver;        /* tasks have no share in it */
};

struct phys_class {
    const char *name; /* "HashAggregate"; the node's own nodeName may add to it ("Scan
                         parquet t") */
    const struct metric_def *metrics; /* in the order of Spark's plan info */
    uint32_t n_metrics;
};
extern const struct phys_class phys_classes[N_PHYS_KINDS];
struct phys;
/* The node's own list: scans and AQE reads have others by what they do. At most
 * PHYS_MAX_METRICS. */
enum { PHYS_MAX_METRICS = 24 };
const struct metric_def *phys_metrics(const struct phys *p, uint32_t *n);

struct write_job {
    struct sv target;
    const struct format *format;
    struct schema data, partition;
    bool overwrite, dynamic;
    struct sv folder; /* overwritten alone: "y=2020"; empty: all of the target */
    struct sv *option_keys, *option_values;
    uint32_t n_options;
    struct sv fixed; /* "y=2020/m=1": of PARTITION (..); empty: none */
    struct sv table; /* empty: a directory, or a table that is made with the rows */
};

struct phys {
    enum phys_kind kind;
    uint32_t
        id; /* in this plan, from 1, preorder of the printed plan (FORMATTED shows it) */
    uint32_t codegen; /* whole-stage unit it is shown in, "*(2)"; 0: none */
    uint32_t plan_id; /* exchanges, subqueries: "[plan_id=12]", "[id=#12]"; never again */
    bool global, null_aware, build_left, partial, skew, is_final_plan;
    enum join_type join_type;
    uint32_t n_children;
    struct phys **children;
    struct exprs output;
    struct exprs list, keys, order, aggs, left_keys, right_keys, partition_filters,
        data_filters;
    bool clustered;             /* aggregates: rows must lie together by requires_keys, */
    struct exprs requires_keys; /* or all in one partition where there are none */
    uint32_t buffer_offset;     /* where the first merged aggregate's buffers begin in the
                                   child's output */
    struct exprs agg_attributes; /* what `aggs` put out: results, or buffers one by one */
    struct expr *condition;
    struct exprs *projections;
    uint32_t n_projections;
    int64_t limit, offset; /* limit -1: none */
    const struct relation *relation;
    const uint32_t
        *columns; /* PHYS_SCAN: positions in relation->data, as output lists them */
    uint32_t n_columns;
    const struct pushed *const *pushed;
    uint32_t n_pushed;
    struct value *rows;
    uint64_t n_rows;
    int64_t range_start, range_end, range_step;
    uint32_t n_partitions;
    double lower, upper;
    int64_t seed;
    struct partitioning partitioning; /* of an exchange: what it makes */
    enum exchange_origin origin;
    enum aqe_read read_kind;
    struct read_spec *specs;
    uint32_t n_specs;
    struct phys *reused, *initial;
    struct write_job *write;
    const struct plan *logical; /* what it was planned from: AQE goes back to it */
    struct query_stage *stage;
    uint64_t
        *metrics; /* accumulator ids, per phys_metrics; set when a plan is registered */
    uint64_t
        codegen_metric; /* "duration" of the whole-stage unit this node is the top of */
    struct sv text;     /* PHYS_COMMAND, PHYS_SUBQUERY: the name */
};

struct phys *phys_new(struct arena *a, enum phys_kind kind, uint32_t n_children);
struct phys *phys_copy(struct arena *a, const struct phys *p);
typedef struct phys *(*phys_fn)(void *ctx, struct phys *p);
/* Stages are leaves to it: what ran does not change. */
struct phys *phys_transform_up(struct arena *a, struct phys *p, phys_fn fn, void *ctx);
/* The EXPR_SUBQUERY_RESULT of an equal subquery, PHYS_SUBQUERY `of`. */
struct expr *phys_reused_subquery(struct arena *a, const struct expr *result,
                                  struct phys *of);
/* A PHYS_WRITE of the rows, or of PHYS_ADAPTIVE's. */
struct phys *phys_write(struct arena *a, struct write_job *job, struct phys *rows);
/* `write` with other rows: what it counts goes to the same metrics. */
struct phys *phys_write_again(struct arena *a, const struct phys *write,
                              struct phys *rows);
/* The PHYS_WRITE at a plan's root; NULL: it is none. */
struct phys *phys_write_of(struct phys *root);
struct phys *phys_write_rows(const struct phys *write);
/* p over other children (as many as it has): itself where they are the same. */
struct phys *phys_with_children(struct arena *a, struct phys *p, struct phys *const *to);
/* The next "[plan_id=..]" of the process. */
uint32_t next_plan_id(void);
/* What the node's rows are laid out and ordered by. An order's further arguments equal
 * its first (both keys of a join). */
struct partitioning phys_partitioning(struct arena *a, const struct phys *p);
struct exprs phys_ordering(struct arena *a, const struct phys *p);
/* e over the attributes of `input` as EXPR_BOUND. */
struct expr *phys_bind(struct arena *a, struct expr *e, const struct exprs *input);
/* Equal but for ids: what exchange reuse goes by. */
bool phys_same(const struct phys *a, const struct phys *b);

/* EXPLAIN, in Spark's layout. `formatted`: the tree, then a block per node. */
void phys_print(struct strbuf *out, const struct phys *p, bool formatted);
/* As EXTENDED has it: aggregates with what they put out. */
void phys_print_verbose(struct strbuf *out, const struct phys *p);
/* The node's own line without children, as SparkPlanInfo's simpleString; and its
 * nodeName. */
void phys_print_node(struct strbuf *out, const struct phys *p);
void phys_node_name(struct strbuf *out, const struct phys *p);

struct planner_env {
    struct arena *arena;
    const struct settings *settings;
    int32_t cores;      /* default parallelism */
    uint32_t n_codegen; /* whole-stage units so far: numbers go on from stage to stage of
                           one AdaptiveSparkPlan; a subquery's plan has its own env */
};

/* Strategies, EnsureRequirements, ColumnarToRow, codegen numbers, reuse, subqueries; the
 * root is PHYS_ADAPTIVE where Spark's is. */
enum errc phys_plan(struct planner_env *env, struct plan *optimized, struct phys **out,
                    struct err *err) MUST_CHECK;

#endif
