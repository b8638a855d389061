/* Frames: lo and hi of each row. Bounds only move forward within a partition. */
#include "engine/exec/changes.h"
#include "engine/exec/window.h"

/* ---- open ---- */

static enum errc row_offset(struct window *w, const struct expr *e, int64_t *out,
                            struct err *err)
{
    struct value v;

    if (!e)
        return ERR_OK;
    TRY(eval_constant(&w->op->task->arena, e, &w->op->task->eval, &v, err));
    *out = v.null ? 0 : v.u.i;
    return ERR_OK;
}

/* The value that the bound of a row is at: its own, and the offset the way rows go. */
static enum errc bound_value(struct window *w, struct expr *offset, struct expr **out,
                             struct err *err)
{
    struct arena *a = &w->op->task->arena;
    const struct sort_key *key = &w->order_layout.keys[0];
    struct expr *column = expr_new(a, EXPR_BOUND, 0);
    struct expr *args[2] = { column, offset };

    column->type = key->type;
    column->nullable = column->resolved = true;
    TRY(func_call(a, w->op->task->settings,
                  func_of(key->descending ? FUNC_SUBTRACT : FUNC_ADD), args, 2, out,
                  err));
    if (!type_eq((*out)->type, key->type))
        *out = expr_cast(a, *out, key->type);
    return ERR_OK;
}

enum errc window_frame_open(struct window *w, const struct window_spec *spec,
                            struct window_frame **out, struct err *err)
{
    struct window_frame *f = ARENA_NEW(&w->op->task->arena, struct window_frame);
    struct expr *bounds[2];
    uint32_t n = 0;

    f->spec = spec;
    f->lower_at = f->upper_at = -1;
    f->part = UINT32_MAX;
    f->grows = spec->lower == BOUND_UNBOUNDED;
    f->is_partition = f->grows && spec->upper == BOUND_UNBOUNDED;
    *out = f;
    if (spec->unit == FRAME_ROWS) {
        TRY(row_offset(w, spec->lower == BOUND_OFFSET ? spec->lower_offset : NULL,
                       &f->lower, err));
        return row_offset(w, spec->upper == BOUND_OFFSET ? spec->upper_offset : NULL,
                          &f->upper, err);
    }
    if (spec->lower == BOUND_OFFSET) {
        f->lower_at = (int32_t)n;
        TRY(bound_value(w, spec->lower_offset, &bounds[n++], err));
    }
    if (spec->upper == BOUND_OFFSET) {
        f->upper_at = (int32_t)n;
        TRY(bound_value(w, spec->upper_offset, &bounds[n++], err));
    }
    if (n)
        f->bounds = op_eval(w->op, bounds, n);
    return ERR_OK;
}

/* ---- peers ---- */

static void flag_peers(const struct window *w, uint32_t from, uint32_t n, uint8_t *flags)
{
    memset(flags, 0, n);
    for (uint32_t k = 0; k < w->n_order; k++)
        if (w->order[k].column >= 0)
            flag_changes(&w->block.columns[w->order[k].column], from, n, flags);
}

/* The first row from `from` on that differs from the one before, at most `end`. */
static uint32_t next_change(const struct window *w, uint32_t from, uint32_t end)
{
    uint8_t flags[256];

    while (from < end) {
        uint32_t n = end - from < sizeof flags ? end - from : (uint32_t)sizeof flags;

        flag_peers(w, from, n, flags);
        const uint8_t *hit = memchr(flags, 1, n);
        if (hit)
            return from + (uint32_t)(hit - flags);
        from += n;
    }
    return end;
}

void window_find_peers(struct window *w)
{
    struct window_chunk *c = &w->chunk;
    uint8_t flags[BATCH_ROWS];
    uint32_t skip = c->from == 0;

    flags[0] = 1;
    flag_peers(w, c->from + skip, c->n - skip, flags + skip);
    for (uint32_t i = 0; i < c->n;) {
        uint32_t row = c->from + i;

        if (row >= w->peer_to || row < w->peer_from) {
            uint32_t k = i + 1, end = c->hi[i];

            while (k < c->n && c->from + k < end && !flags[k])
                k++;
            w->peer_from = row;
            w->peer_to = k < c->n || c->from + k >= end
                             ? c->from + k
                             : next_change(w, c->from + k, end);
        }
        for (; i < c->n && c->from + i < w->peer_to; i++) {
            c->peer_lo[i] = w->peer_from;
            c->peer_hi[i] = w->peer_to;
        }
    }
}

/* ---- bounds ---- */

static inline uint32_t clamp(int64_t x, uint32_t lo, uint32_t hi)
{
    return x < lo ? lo : x > hi ? hi : (uint32_t)x;
}

static void lower_rows(const struct window *w, struct window_frame *f)
{
    const struct window_chunk *c = &w->chunk;
    bool peers = f->spec->unit == FRAME_RANGE;

    if (f->spec->lower == BOUND_UNBOUNDED)
        memcpy(f->lo, c->lo, c->n * sizeof *f->lo);
    else if (peers)
        memcpy(f->lo, c->peer_lo, c->n * sizeof *f->lo);
    else
        for (uint32_t i = 0; i < c->n; i++)
            f->lo[i] = clamp((int64_t)c->from + i + f->lower, c->lo[i], c->hi[i]);
}

static void upper_rows(const struct window *w, struct window_frame *f)
{
    const struct window_chunk *c = &w->chunk;
    bool peers = f->spec->unit == FRAME_RANGE;

    if (f->spec->upper == BOUND_UNBOUNDED)
        memcpy(f->hi, c->hi, c->n * sizeof *f->hi);
    else if (peers)
        memcpy(f->hi, c->peer_hi, c->n * sizeof *f->hi);
    else
        for (uint32_t i = 0; i < c->n; i++)
            f->hi[i] = clamp((int64_t)c->from + i + f->upper + 1, c->lo[i], c->hi[i]);
}

/* Rows whose key is before the bound are no part of the frame (lower); those not after it
 * are (upper). The lower end stops where the upper one is, and neither goes back: bounds
 * of rows whose sum or difference wraps around say nothing about others. */
static void search(const struct window *w, struct window_frame *f,
                   const struct vec *bound, bool upper, uint32_t *to)
{
    const struct window_chunk *c = &w->chunk;
    uint32_t *cursor = upper ? &f->upper_cursor : &f->lower_cursor;
    struct vec key = window_view(w, &w->order[0], 0);

    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t at = *cursor < c->lo[i] ? c->lo[i] : *cursor;

        uint32_t end = upper ? c->hi[i] : f->hi[i];

        while (at < end &&
               sort_compare(&w->order_layout, &key, key.kind == VEC_CONST ? 0 : at, bound,
                            i) < (upper ? 1 : 0))
            at++;
        *cursor = to[i] = at;
    }
}

static enum errc search_bounds(struct window *w, struct window_frame *f, struct err *err)
{
    struct vec bounds[2], key = window_view(w, &w->order[0], w->chunk.from);
    struct batch b = { w->chunk.n, w->chunk.n, NULL, 1, &key };

    TRY(eval_run_list(f->bounds, &b, bounds, err));
    if (f->upper_at >= 0)
        search(w, f, &bounds[f->upper_at], true, f->hi);
    else
        upper_rows(w, f);
    if (f->lower_at >= 0)
        search(w, f, &bounds[f->lower_at], false, f->lo);
    else
        lower_rows(w, f);
    return ERR_OK;
}

enum errc window_frame_run(struct window *w, struct window_frame *f, struct err *err)
{
    if (w->chunk.from == 0)
        f->lower_cursor = f->upper_cursor = 0;
    if (f->bounds) {
        TRY(search_bounds(w, f, err));
    } else {
        lower_rows(w, f);
        upper_rows(w, f);
    }
    for (uint32_t i = 0; i < w->chunk.n; i++)
        f->hi[i] = f->hi[i] < f->lo[i] ? f->lo[i] : f->hi[i];
    return ERR_OK;
}
