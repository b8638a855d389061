/* Windows: what the parts of the operator share.
 *
 * Rows are held as a *block*: whole partitions, one behind another. Results are computed
 * for a *chunk* of them at a time, which goes out as one batch:
 *
 *     window.c         collects blocks, cuts them into chunks
 *     window_frame.c   peers; which rows each row's frame has: [lo, hi), positions in the
 *                      block
 *     window_rank.c    ranks, lag and lead, n-th values: no row is touched twice
 *     window_agg.c     aggregates over frames */
#ifndef ENGINE_EXEC_WINDOW_H
#define ENGINE_EXEC_WINDOW_H

#include "engine/exec/op.h"
#include "engine/exec/rows.h"
#include "engine/exec/sort_keys.h"
#include "engine/expr/func.h"

/* What a function works on: a column of the block, or a constant. */
struct window_input {
    int32_t column; /* -1: constant */
    struct vec constant;
};

struct window_block {
    struct rows rows;
    struct vec *columns; /* FLAT over all rows */
    uint32_t n;          /* rows of whole partitions; more may lie behind them */
    uint32_t *starts;    /* of partitions, and n */
    uint32_t n_parts, cap_parts;
};

struct window_chunk {
    uint32_t from, n;
    uint32_t part[BATCH_ROWS];               /* which partition */
    uint32_t lo[BATCH_ROWS], hi[BATCH_ROWS]; /* its rows */
    uint32_t peer_lo[BATCH_ROWS], peer_hi[BATCH_ROWS];
};

struct window;
struct window_frame;
struct window_fn;

struct window_fn_class {
    const char *name; /* of the function; NULL: aggregates */
    enum errc (*open)(struct window *w, struct window_fn *f, struct err *err);
    void (*begin)(struct window *w, struct window_fn *f); /* a new block; NULL */
    enum errc (*run)(struct window *w, struct window_fn *f, struct err *err);
    void (*close)(struct window_fn *f); /* NULL */
};

struct window_fn {
    const struct window_fn_class *cls;
    const struct expr *expr; /* the call or aggregate, bound to the block's columns */
    struct window_frame *frame;
    struct window_input *args;
    uint32_t n_args;
    struct vec out; /* FLAT; row i is the chunk's i-th */
    uint8_t *mask;
    void *state;
};

struct window {
    struct op *op;
    struct consumer consumer;
    struct eval *eval; /* of what is no column of the child; NULL: none */
    uint32_t n_child, n_extra;
    struct vec *adding;
    struct window_input *keys, *order;
    uint32_t n_keys, n_order;
    struct sort_layout order_layout;
    struct window_block block;
    struct window_chunk chunk;
    struct rows old; /* in memory before they went to a file; batches may show them */
    struct window_frame **frames;
    uint32_t n_frames;
    struct window_fn *fns;
    uint32_t n_fns;
    struct vec *columns;         /* put out */
    uint32_t tested;             /* rows whose partition is known */
    uint32_t at;                 /* rows put out */
    uint32_t peer_from, peer_to; /* the last peers found */
    bool input_done, ready;
    int64_t spilled_bytes;
};

/* Its rows from..; data of constants as it is. */
struct vec window_view(const struct window *w, const struct window_input *in,
                       uint32_t from);

/* ---- frames ---- */

struct window_frame {
    const struct window_spec *spec;
    int64_t lower, upper;       /* ROWS: offsets */
    struct eval *bounds;        /* RANGE with offsets: values to look for */
    int32_t lower_at, upper_at; /* in the evaluator's list; -1: none */
    uint32_t lower_cursor, upper_cursor, part;
    bool is_partition;                       /* all of it, for each row */
    bool grows;                              /* from the partition's first row */
    uint32_t lo[BATCH_ROWS], hi[BATCH_ROWS]; /* lo <= hi */
};

enum errc window_frame_open(struct window *w, const struct window_spec *spec,
                            struct window_frame **out, struct err *err) MUST_CHECK;
void window_find_peers(struct window *w);
enum errc window_frame_run(struct window *w, struct window_frame *f,
                           struct err *err) MUST_CHECK;

extern const struct window_fn_class window_rank_classes[], window_agg_class;

#endif
