/* Adaptive execution's arithmetic: which reducers one task reads, where a skewed
 * partition is cut.
 *
 * Coalescing walks the reducers once and closes the open range where the next reducer
 * would take it past the target. A range that is too small to stand alone goes to its
 * smaller neighbour: to the range closed before it where that is smaller than the reducer
 * that follows, else on into that one. So [64 MB, 0.5 MB, 64 MB] is two tasks, not three.
 * Ranges of empty reducers are read by nobody. */
#include "engine/plan/adaptive.h"

/* As in Spark, where it keeps the target of an empty table above 0. */
enum { LEAST_TARGET = 16 };

/* Pieces of a skewed partition: two together below this much of the target are one, */
static const double MERGED_FACTOR = 1.2;
/* and a piece below this much of it is none of its own. */
static const double SMALL_FACTOR = 0.2;

int64_t adaptive_target(int64_t total, int64_t advisory, int64_t min_size,
                        int64_t min_num)
{
    int64_t n = max_i64(min_num, 1);
    int64_t share = total / n + (total % n > 0);

    return max_i64(min_i64(max_i64(share, LEAST_TARGET), advisory), min_size);
}

/* ---- coalescing ---- */

static int64_t reducer_bytes(const int64_t *const *bytes_by_shuffle, uint32_t n_shuffles,
                             uint32_t reducer)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < n_shuffles; i++)
        sum = add_sat(sum, bytes_by_shuffle[i][reducer]);
    return sum;
}

struct ranges {
    struct read_spec *out;
    uint32_t n;
    uint32_t from;        /* where the open range begins */
    int64_t open_bytes;   /* what it has so far */
    int64_t closed_bytes; /* of the range before; 0: none */
};

static void close_range(struct ranges *r, uint32_t to, bool empty_too)
{
    if (r->open_bytes > 0 || empty_too)
        r->out[r->n++] = (struct read_spec){ r->from, to, 0, UINT32_MAX };
}

/* The reducer at `at` does not fit any more. */
static void pass_target(struct ranges *r, uint32_t at, int64_t bytes, int64_t min_size)
{
    if (r->open_bytes >= min_size) {
        close_range(r, at, false);
        r->closed_bytes = r->open_bytes;
    } else if (r->closed_bytes > 0 && r->closed_bytes < bytes) {
        r->out[r->n - 1].to = at;
        r->closed_bytes = add_sat(r->closed_bytes, r->open_bytes);
    } else {
        r->open_bytes = add_sat(r->open_bytes, bytes);
        return;
    }
    r->from = at;
    r->open_bytes = bytes;
}

uint32_t adaptive_coalesce_range(const int64_t *const *bytes_by_shuffle,
                                 uint32_t n_shuffles, uint32_t from, uint32_t to,
                                 int64_t target, int64_t min_size, bool none_if_empty,
                                 struct read_spec *out)
{
    struct ranges r = { .out = out, .from = from };

    for (uint32_t i = from; i < to; i++) {
        int64_t bytes = reducer_bytes(bytes_by_shuffle, n_shuffles, i);

        if (i > r.from && add_sat(r.open_bytes, bytes) > target)
            pass_target(&r, i, bytes, min_size);
        else
            r.open_bytes = add_sat(r.open_bytes, bytes);
    }
    if (r.open_bytes < min_size && r.closed_bytes > 0)
        r.out[r.n - 1].to = to;
    else
        close_range(&r, to, !none_if_empty && r.n == 0);
    return r.n;
}

uint32_t adaptive_coalesce(const int64_t *const *bytes_by_shuffle, uint32_t n_shuffles,
                           uint32_t n_reducers, int64_t advisory, int64_t min_size,
                           int64_t min_num, struct read_spec *out)
{
    int64_t total = 0;

    for (uint32_t i = 0; i < n_reducers; i++)
        total = add_sat(total, reducer_bytes(bytes_by_shuffle, n_shuffles, i));
    return adaptive_coalesce_range(bytes_by_shuffle, n_shuffles, 0, n_reducers,
                                   adaptive_target(total, advisory, min_size, min_num),
                                   min_size, false, out);
}

/* ---- splitting ---- */

struct pieces {
    uint32_t *starts;
    uint32_t n;         /* the last of them is open */
    int64_t open_bytes; /* what it has so far */
    int64_t last_bytes; /* of the piece before; -1: none */
    double target;
};

/* The open piece is full: it stays one, or joins the piece before. */
static void close_piece(struct pieces *p)
{
    double open = (double)p->open_bytes, last = (double)p->last_bytes;
    bool joins = p->last_bytes >= 0 &&
                 (open + last < p->target * MERGED_FACTOR ||
                  open < p->target * SMALL_FACTOR || last < p->target * SMALL_FACTOR);

    if (joins) {
        p->n--;
        p->last_bytes = add_sat(p->last_bytes, p->open_bytes);
    } else {
        p->last_bytes = p->open_bytes;
    }
}

uint32_t adaptive_split(const int64_t *map_bytes, uint32_t n_maps, int64_t target,
                        uint32_t *starts)
{
    struct pieces p = { starts, 1, 0, -1, (double)target };

    starts[0] = 0;
    for (uint32_t i = 0; i < n_maps; i++) {
        if (i > 0 && add_sat(p.open_bytes, map_bytes[i]) > target) {
            close_piece(&p);
            p.starts[p.n++] = i;
            p.open_bytes = map_bytes[i];
        } else {
            p.open_bytes = add_sat(p.open_bytes, map_bytes[i]);
        }
    }
    close_piece(&p);
    return p.n;
}
