/* Functions of a window that need no state per frame: ranks from peers, and values of
 * other rows by their positions. */
#include "engine/exec/window.h"

#include <inttypes.h>

/* ---- ranks ---- */

static enum errc row_number_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    int32_t *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++)
        to[i] = (int32_t)(c->from + i - c->lo[i] + 1);
    f->out.valid = NULL;
    return ERR_OK;
}

static enum errc rank_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    int32_t *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++)
        to[i] = (int32_t)(c->peer_lo[i] - c->lo[i] + 1);
    f->out.valid = NULL;
    return ERR_OK;
}

struct dense {
    int32_t rank;
    uint32_t peer; /* the last row's peers */
};

static enum errc dense_open(struct window *w, struct window_fn *f, struct err *err)
{
    (void)err;
    f->state = ARENA_NEW(&w->op->task->arena, struct dense);
    return ERR_OK;
}

static enum errc dense_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    struct dense *d = f->state;
    int32_t *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->from + i == c->lo[i])
            d->rank = 1;
        else if (c->peer_lo[i] != d->peer)
            d->rank++;
        d->peer = c->peer_lo[i];
        to[i] = d->rank;
    }
    f->out.valid = NULL;
    return ERR_OK;
}

static enum errc percent_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    double *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t n = c->hi[i] - c->lo[i];

        to[i] = n > 1 ? (double)(c->peer_lo[i] - c->lo[i]) / (double)(n - 1) : 0;
    }
    f->out.valid = NULL;
    return ERR_OK;
}

static enum errc cume_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    double *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++)
        to[i] = (double)(c->peer_hi[i] - c->lo[i]) / (double)(c->hi[i] - c->lo[i]);
    f->out.valid = NULL;
    return ERR_OK;
}

/* ---- constants among the arguments ---- */

static enum errc constant_of(struct window *w, const struct window_fn *f, uint32_t arg,
                             int64_t *out, struct err *err)
{
    struct value v;

    TRY(eval_constant(&w->op->task->arena, f->expr->args[arg], &w->op->task->eval, &v,
                      err));
    if (!v.null)
        *out = v.type.id == TYPE_BOOLEAN ? v.u.b : v.u.i;
    return ERR_OK;
}

struct ntile {
    int64_t n;
};

static enum errc ntile_open(struct window *w, struct window_fn *f, struct err *err)
{
    struct ntile *s = ARENA_NEW(&w->op->task->arena, struct ntile);

    s->n = 1;
    f->state = s;
    if (f->n_args)
        TRY(constant_of(w, f, 0, &s->n, err));
    s->n = s->n < 1 ? 1 : s->n;
    return ERR_OK;
}

/* The first (rows % n) buckets have a row more. */
static enum errc ntile_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    const struct ntile *s = f->state;
    int32_t *to = f->out.data;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++) {
        int64_t rows = c->hi[i] - c->lo[i], at = c->from + i - c->lo[i];
        int64_t size = rows / s->n, larger = rows % s->n, edge = larger * (size + 1);

        to[i] = (int32_t)(at < edge ? at / (size + 1) + 1
                                    : larger + (at - edge) / (size ? size : 1) + 1);
    }
    f->out.valid = NULL;
    return ERR_OK;
}

/* ---- values of other rows ---- */

/* out[i] = the argument's value at ids[i]; ROWS_NONE: NULL. */
static void gather(struct window *w, struct window_fn *f, const uint32_t *ids)
{
    const struct window_input *in = &f->args[0];
    uint32_t n = w->chunk.n, none = 0;

    for (uint32_t i = 0; i < n; i++)
        none |= ids[i] == ROWS_NONE;
    if (in->column < 0) {
        size_t width = type_width(f->out.type);

        for (uint32_t i = 0; i < n; i++) {
            f->out.valid[i] = ids[i] != ROWS_NONE && !vec_is_null(&in->constant, 0);
            memcpy((char *)f->out.data + i * width, in->constant.data, width);
        }
        return;
    }
    if (!rows_gather(&w->block.rows, (uint32_t)in->column, ids, n, NULL, none, &f->out))
        f->out.valid = NULL;
}

static bool is_null_at(const struct window *w, const struct window_input *in,
                       uint32_t row)
{
    const struct vec *v = in->column < 0 ? &in->constant : &w->block.columns[in->column];

    return vec_is_null(v, in->column < 0 ? 0 : row);
}

struct shift {
    int64_t by; /* rows after; negative: before */
    bool ignore_nulls;
    uint32_t next;  /* row whose answer the cursor is at */
    uint32_t found; /* the answer; ROWS_NONE: none yet */
    int64_t seen;   /* values between the row and the cursor */
    uint32_t ids[BATCH_ROWS];
};

static enum errc shift_open(struct window *w, struct window_fn *f, bool back,
                            struct err *err)
{
    struct shift *s = ARENA_NEW(&w->op->task->arena, struct shift);

    s->by = 1;
    f->state = s;
    if (f->n_args > 1)
        TRY(constant_of(w, f, 1, &s->by, err));
    s->by = back ? -s->by : s->by;
    s->ignore_nulls = f->expr->ignore_nulls;
    return ERR_OK;
}

static enum errc lag_open(struct window *w, struct window_fn *f, struct err *err)
{
    return shift_open(w, f, true, err);
}

static enum errc lead_open(struct window *w, struct window_fn *f, struct err *err)
{
    return shift_open(w, f, false, err);
}

/* The value that is -by values before the row. The cursor stands on the answer, which
 * moves on by one value whenever the row has passed one. */
static uint32_t value_before(const struct window *w, const struct window_fn *f,
                             struct shift *s, uint32_t row, uint32_t lo)
{
    const struct window_input *in = &f->args[0];

    if (row == lo) {
        s->found = ROWS_NONE;
        s->seen = 0;
    } else if (!is_null_at(w, in, row - 1)) {
        s->seen++;
        if (s->seen >= -s->by) {
            s->found = s->found == ROWS_NONE ? lo : s->found + 1;
            while (is_null_at(w, in, s->found))
                s->found++;
        }
    }
    return s->found;
}

/* The by-th value after the row; the cursor is on it, or at the partition's end. */
static uint32_t value_after(const struct window *w, const struct window_fn *f,
                            struct shift *s, uint32_t row, uint32_t lo, uint32_t hi)
{
    const struct window_input *in = &f->args[0];

    if (row == lo) {
        s->found = row;
        s->seen = 0;
    } else if (!is_null_at(w, in, row) && s->seen > 0) {
        s->seen--;
    }
    while (s->seen < s->by && s->found < hi) {
        s->found++;
        s->seen += s->found < hi && !is_null_at(w, in, s->found);
    }
    return s->seen == s->by && s->found < hi ? s->found : ROWS_NONE;
}

static void shift_ids(const struct window *w, const struct window_fn *f, struct shift *s)
{
    const struct window_chunk *c = &w->chunk;

    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t row = c->from + i;
        int64_t to = (int64_t)row + s->by;

        if (s->ignore_nulls && s->by < 0)
            s->ids[i] = value_before(w, f, s, row, c->lo[i]);
        else if (s->ignore_nulls && s->by > 0)
            s->ids[i] = value_after(w, f, s, row, c->lo[i], c->hi[i]);
        else
            s->ids[i] = to < c->lo[i] || to >= c->hi[i] ? ROWS_NONE : (uint32_t)to;
    }
}

/* The default of rows that there is no other for. */
static void put_default(const struct window *w, struct window_fn *f, const uint32_t *ids)
{
    struct vec from = window_view(w, &f->args[2], w->chunk.from);
    size_t width = type_width(f->out.type);

    if (f->n_args < 3 || !f->out.valid || from.type.id == TYPE_NULL)
        return;
    for (uint32_t i = 0; i < w->chunk.n; i++) {
        if (ids[i] != ROWS_NONE)
            continue;
        f->out.valid[i] = !vec_is_null(&from, i);
        if (f->out.valid[i])
            memcpy((char *)f->out.data + i * width, vec_at(&from, i), width);
    }
}

static enum errc shift_run(struct window *w, struct window_fn *f, struct err *err)
{
    struct shift *s = f->state;

    (void)err;
    shift_ids(w, f, s);
    gather(w, f, s->ids);
    if (f->n_args > 2)
        put_default(w, f, s->ids);
    return ERR_OK;
}

/* ---- n-th of a frame ---- */

struct nth {
    int64_t n;
    bool ignore_nulls, last;
    uint32_t lo, found; /* the answer for frames that begin at lo, however long */
    uint32_t ids[BATCH_ROWS];
};

static enum errc nth_open(struct window *w, struct window_fn *f, struct err *err)
{
    struct nth *s = ARENA_NEW(&w->op->task->arena, struct nth);
    int64_t ignore = f->expr->ignore_nulls;

    f->state = s;
    s->n = 1;
    if (f->expr->kind == EXPR_AGGREGATE) {
        s->last = strcmp(f->cls->name, "last") == 0;
        return ERR_OK;
    }
    TRY(constant_of(w, f, 1, &s->n, err));
    if (s->n < 1)
        return err_set(err, ERR_SYNTAX,
                       "[DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE] The offset of nth_value() "
                       "must be between (0, 9223372036854775807] (current value = "
                       "%" PRId64 "L).",
                       s->n);
    if (f->n_args > 2)
        TRY(constant_of(w, f, 2, &ignore, err));
    s->ignore_nulls = ignore;
    return ERR_OK;
}

static void nth_begin(struct window *w, struct window_fn *f)
{
    struct nth *s = f->state;

    (void)w;
    s->lo = ROWS_NONE;
}

static uint32_t nth_value(const struct window *w, const struct window_fn *f,
                          struct nth *s, uint32_t lo, uint32_t hi, uint32_t end)
{
    if (s->lo != lo) {
        int64_t left = s->n;

        s->lo = lo;
        for (s->found = lo; s->found < end; s->found++)
            if (!is_null_at(w, &f->args[0], s->found) && --left == 0)
                break;
    }
    return s->found < hi ? s->found : ROWS_NONE;
}

static enum errc nth_run(struct window *w, struct window_fn *f, struct err *err)
{
    const struct window_chunk *c = &w->chunk;
    struct nth *s = f->state;
    const uint32_t *lo = f->frame->lo, *hi = f->frame->hi;

    (void)err;
    for (uint32_t i = 0; i < c->n; i++) {
        if (s->ignore_nulls)
            s->ids[i] = nth_value(w, f, s, lo[i], hi[i], c->hi[i]);
        else if (s->last)
            s->ids[i] = lo[i] < hi[i] ? hi[i] - 1 : ROWS_NONE;
        else
            s->ids[i] = s->n <= (int64_t)(hi[i] - lo[i]) ? lo[i] + (uint32_t)(s->n - 1)
                                                         : ROWS_NONE;
    }
    gather(w, f, s->ids);
    return ERR_OK;
}

const struct window_fn_class window_rank_classes[] = {
    { .name = "row_number", .run = row_number_run },
    { .name = "rank", .run = rank_run },
    { .name = "dense_rank", .open = dense_open, .run = dense_run },
    { .name = "percent_rank", .run = percent_run },
    { .name = "cume_dist", .run = cume_run },
    { .name = "ntile", .open = ntile_open, .run = ntile_run },
    { .name = "lag", .open = lag_open, .run = shift_run },
    { .name = "lead", .open = lead_open, .run = shift_run },
    { .name = "nth_value", .open = nth_open, .begin = nth_begin, .run = nth_run },
    { .name = "first", .open = nth_open, .begin = nth_begin, .run = nth_run },
    { .name = "last", .open = nth_open, .begin = nth_begin, .run = nth_run },
    { .name = "any_value", .open = nth_open, .begin = nth_begin, .run = nth_run },
    { 0 },
};
