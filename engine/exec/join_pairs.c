/* Pairs, conditions, rows without a pair; see join_pairs.h. */
#include "engine/exec/join_pairs.h"

void join_pairs_init(struct join_pairs *j, struct op *op, struct join_sides *sides)
{
    struct arena *a = &op->task->arena;
    uint32_t n = sides->n_stream + sides->n_build;
    struct type *types = arena_array(a, n + 1, sizeof *types);

    j->sides = sides;
    j->arena = a;
    j->n_out = op->n_columns;
    j->test = arena_array(a, n + 1, sizeof *j->test);
    j->codes = arena_array(a, n + 1, sizeof *j->codes);
    for (uint32_t c = 0; c < n; c++) {
        j->test[c] = sides->nulls[c];
        types[c] = sides->nulls[c].type;
    }
    scratch_init(&j->scratch, a, types, n);
}

/* ---- columns ---- */

static bool any_none(const uint32_t *ids, uint32_t n)
{
    uint32_t none = 0;

    for (uint32_t i = 0; i < n; i++)
        none |= ids[i] == ROWS_NONE;
    return none;
}

static struct vec build_column(struct join_pairs *j, uint32_t c, const uint32_t *ids, uint32_t n,
                               const uint32_t *to, bool nulls)
{
    struct vec *v = scratch_column(&j->scratch, j->sides->build_at + c);
    struct vec out = *v;

    if (!rows_gather(j->build, c, ids, n, to, nulls, v))
        out.valid = NULL;
    return out;
}

static struct vec gathered_codes(struct join_pairs *j, uint32_t c, const struct vec *v,
                                 const uint32_t *row, uint32_t n)
{
    struct vec *room = scratch_column(&j->scratch, c);
    struct vec out = *v;

    if (!j->codes[c])
        j->codes[c] =
            arena_array(j->arena, BATCH_ROWS, sizeof **j->codes);
    for (uint32_t i = 0; i < n; i++)
        j->codes[c][i] = v->codes[row[i]];
    out.codes = j->codes[c];
    if (v->valid) {
        for (uint32_t i = 0; i < n; i++)
            room->valid[i] = v->valid[row[i]];
        out.valid = room->valid;
    }
    return out;
}

/* Rows of the streamed batch: constants stay, dictionaries stay. */
static struct vec streamed_column(struct join_pairs *j, uint32_t c, const uint32_t *row,
                                  uint32_t n)
{
    const struct vec *v = &j->in.columns[c];

    if (v->kind == VEC_CONST)
        return *v;
    if (v->kind == VEC_DICT)
        return gathered_codes(j, j->sides->stream_at + c, v, row, n);
    struct vec *room = scratch_column(&j->scratch, j->sides->stream_at + c);
    struct vec out = *room;
    if (!vec_gather(v, row, n, false, room, 0))
        out.valid = NULL;
    return out;
}

static void put_out(struct join_pairs *j, struct batch *out, uint32_t n_rows, uint32_t n_sel,
                    const uint32_t *sel)
{
    *out = (struct batch){ n_rows, n_sel, sel, j->n_out, j->sides->columns };
}

/* ---- one candidate a row at most: rows stay in their places ---- */

static void aligned_build(struct join_pairs *j, const uint32_t *sel, uint32_t n, bool nulls,
                          const bool *only, struct vec *to)
{
    for (uint32_t c = 0; c < j->sides->n_build; c++)
        if (!only || only[c])
            to[j->sides->build_at + c] = build_column(j, c, j->ids, n, sel, nulls);
}

static void streamed_through(struct join_pairs *j, struct vec *to)
{
    for (uint32_t c = 0; c < j->sides->n_stream; c++)
        to[j->sides->stream_at + c] = j->in.columns[c];
}

/* The rows that have a pair, in j->pass; their build rows in j->ids. */
static enum errc aligned_pass(struct join_pairs *j, uint32_t *n_pass, struct err *err)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < j->in.n_sel; i++) {
        uint32_t row = batch_row(&j->in, i);

        j->pass[n] = row;
        j->ids[n] = j->head[row];
        n += j->head[row] != ROWS_NONE;
    }
    *n_pass = n;
    if (!j->sides->condition || n == 0)
        return ERR_OK;
    aligned_build(j, j->pass, n, false, j->sides->build_used, j->test);
    streamed_through(j, j->test);
    struct batch b = { j->in.n_rows, n, j->pass, j->sides->n_stream + j->sides->n_build, j->test };
    TRY(eval_filter(j->sides->condition, &b, j->pass, n_pass, err));
    for (uint32_t i = 0; i < *n_pass; i++)
        j->ids[i] = j->head[j->pass[i]];
    return ERR_OK;
}

static bool semi_out(struct join_pairs *j, struct batch *out)
{
    const uint8_t *hit = j->hit;
    uint32_t n = 0;

    *out = j->in;
    out->n_columns = j->n_out;
    if (j->sides->type == JOIN_EXISTENCE) {
        struct vec *v = &j->sides->columns[j->sides->n_stream];

        streamed_through(j, j->sides->columns);
        memcpy(j->exists, hit, j->in.n_rows);
        *v = (struct vec){ .type = type_of(TYPE_BOOLEAN), .data = j->exists };
        out->columns = j->sides->columns;
        return out->n_sel > 0;
    }
    uint8_t want = j->sides->type == JOIN_SEMI;
    for (uint32_t i = 0; i < j->in.n_sel; i++) {
        uint32_t row = batch_row(&j->in, i);

        j->sel[n] = row;
        n += hit[row] == want;
    }
    out->sel = j->sel;
    out->n_sel = n;
    return n > 0;
}

/* All of `in` at once. False: no row comes of it. */
static enum op_step aligned_out(struct join_pairs *j, struct batch *out, struct err *err)
{
    uint32_t n = 0;

    j->busy = false;
    if (aligned_pass(j, &n, err) != ERR_OK)
        return OP_FAIL;
    if (j->seen)
        for (uint32_t i = 0; i < n; i++)
            j->seen[j->ids[i]] = 1;
    if (j->sides->only_stream) {
        memset(j->hit, 0, j->in.n_rows);
        for (uint32_t i = 0; i < n; i++)
            j->hit[j->pass[i]] = 1;
        return semi_out(j, out) ? OP_BATCH : OP_END;
    }
    if (j->sides->stream_outer && n < j->in.n_sel) {
        uint32_t hits = 0;

        for (uint32_t i = 0; i < j->in.n_sel; i++) {
            uint32_t row = batch_row(&j->in, i);
            bool is_hit = hits < n && j->pass[hits] == row;

            hits += is_hit;
            j->sel[i] = row;
            j->row[i] = is_hit ? j->head[row] : ROWS_NONE;
        }
        n = j->in.n_sel;
        memcpy(j->ids, j->row, n * sizeof *j->ids);
        memcpy(j->pass, j->sel, n * sizeof *j->pass);
    }
    if (n == 0)
        return OP_END;
    aligned_build(j, j->pass, n, j->sides->stream_outer && any_none(j->ids, n), NULL,
                  j->sides->columns);
    streamed_through(j, j->sides->columns);
    put_out(j, out, j->in.n_rows, n, n == j->in.n_rows ? NULL : j->pass);
    return OP_BATCH;
}

/* ---- pairs ---- */

static uint32_t candidate_after(const struct join_pairs *j, uint32_t row, uint32_t id)
{
    return id + 1 < j->end[row] ? id + 1 : ROWS_NONE;
}

/* The next candidates into row, ids, last. A row that has none, but may come out, is there
 * with ROWS_NONE. */
static void collect_candidates(struct join_pairs *j)
{
    bool keep = j->sides->stream_outer && !j->parts;
    uint32_t n = 0, at = j->at, id = j->id;

    while (n < BATCH_ROWS && at < j->in.n_sel) {
        uint32_t row = batch_row(&j->in, at);

        if (id == ROWS_NONE) {
            id = j->head[row];
            if (id == ROWS_NONE && keep) {
                j->row[n] = row;
                j->ids[n] = ROWS_NONE;
                j->last[n++] = 1;
            }
            if (id == ROWS_NONE) {
                at++;
                continue;
            }
        }
        if (j->sides->only_stream && j->hit[row]) { /* one is enough */
            id = ROWS_NONE;
            at++;
            continue;
        }
        while (id != ROWS_NONE && n < BATCH_ROWS) {
            j->row[n] = row;
            j->ids[n] = id;
            id = candidate_after(j, row, id);
            j->last[n++] = id == ROWS_NONE;
        }
        if (id == ROWS_NONE)
            at++;
    }
    j->n = n;
    j->at = at;
    j->id = id;
}

/* Which candidates pass, by position, in j->pass. */
static enum errc test_candidates(struct join_pairs *j, uint32_t *n_pass, struct err *err)
{
    uint32_t n = 0, some = 0;

    for (uint32_t i = 0; i < j->n; i++) {
        j->pass[n] = i;
        n += j->ids[i] != ROWS_NONE;
        some = j->ids[i] != ROWS_NONE ? j->ids[i] : some;
    }
    *n_pass = n;
    if (!j->sides->condition || n == 0)
        return ERR_OK;
    if (n < j->n) /* any row will do where none is tested */
        for (uint32_t i = 0; i < j->n; i++)
            j->sel[i] = j->ids[i] == ROWS_NONE ? some : j->ids[i];
    else
        memcpy(j->sel, j->ids, n * sizeof *j->sel);
    for (uint32_t c = 0; c < j->sides->n_stream; c++)
        if (j->sides->stream_used[c])
            j->test[j->sides->stream_at + c] = streamed_column(j, c, j->row, j->n);
    for (uint32_t c = 0; c < j->sides->n_build; c++)
        if (j->sides->build_used[c])
            j->test[j->sides->build_at + c] = build_column(j, c, j->sel, j->n, NULL, false);
    struct batch b = { j->n, n, n < j->n ? j->pass : NULL, j->sides->n_stream + j->sides->n_build,
                       j->test };
    return eval_filter(j->sides->condition, &b, j->pass, n_pass, err);
}

/* Keeps what passes, and the last candidate of a row that had no pass as a row without a
 * pair. */
static void keep_pairs(struct join_pairs *j, uint32_t n_pass)
{
    uint32_t n = 0, p = 0;

    if (j->parts && j->sides->stream_outer)
        for (uint32_t i = 0; i < n_pass; i++)
            j->hit[j->row[j->pass[i]]] = 1;
    if (j->parts || !j->sides->stream_outer) {
        if (n_pass == j->n)
            return;
        for (uint32_t i = 0; i < n_pass; i++) {
            j->row[i] = j->row[j->pass[i]];
            j->ids[i] = j->ids[j->pass[i]];
        }
        j->n = n_pass;
        return;
    }
    for (uint32_t i = 0; i < j->n; i++) {
        bool passes = p < n_pass && j->pass[p] == i;
        bool is_last = j->last[i];

        p += passes;
        j->row_hit |= passes;
        if (passes || (is_last && !j->row_hit)) {
            j->row[n] = j->row[i];
            j->ids[n++] = passes ? j->ids[i] : ROWS_NONE;
        }
        if (is_last)
            j->row_hit = false;
    }
    j->n = n;
}

static void pairs_out(struct join_pairs *j, struct batch *out)
{
    bool nulls = j->sides->stream_outer && any_none(j->ids, j->n);

    for (uint32_t c = 0; c < j->sides->n_stream; c++)
        j->sides->columns[j->sides->stream_at + c] = streamed_column(j, c, j->row, j->n);
    for (uint32_t c = 0; c < j->sides->n_build; c++)
        j->sides->columns[j->sides->build_at + c] = build_column(j, c, j->ids, j->n, NULL, nulls);
    put_out(j, out, j->n, j->n, NULL);
}

void join_pairs_begin(struct join_pairs *j)
{
    j->busy = true;
    j->at = 0;
    j->id = ROWS_NONE;
    j->row_hit = false;
    if (j->sides->only_stream && !j->parts)
        memset(j->hit, 0, j->in.n_rows);
}

enum op_step join_pairs_next(struct join_pairs *j, struct batch *out, struct err *err)
{
    if (!j->parts && (j->unique || (j->sides->only_stream && !j->sides->condition)))
        return aligned_out(j, out, err);
    for (;;) {
        uint32_t n_pass = 0;

        collect_candidates(j);
        if (j->n == 0)
            break;
        if (test_candidates(j, &n_pass, err) != ERR_OK)
            return OP_FAIL;
        if (j->seen)
            for (uint32_t i = 0; i < n_pass; i++)
                j->seen[j->ids[j->pass[i]]] = 1;
        if (j->sides->only_stream) {
            for (uint32_t i = 0; i < n_pass; i++)
                j->hit[j->row[j->pass[i]]] = 1;
            continue;
        }
        keep_pairs(j, n_pass);
        if (j->n == 0)
            continue;
        pairs_out(j, out);
        return OP_BATCH;
    }
    j->busy = false;
    return !j->parts && j->sides->only_stream && semi_out(j, out) ? OP_BATCH : OP_END;
}

enum op_step join_pairs_end_parts(struct join_pairs *j, struct batch *out)
{
    uint32_t n = 0;

    j->parts = false;
    if (j->sides->only_stream)
        return semi_out(j, out) ? OP_BATCH : OP_END;
    if (!j->sides->stream_outer)
        return OP_END;
    for (uint32_t i = 0; i < j->in.n_sel; i++) {
        uint32_t row = batch_row(&j->in, i);

        j->sel[n] = row;
        n += !j->hit[row];
    }
    if (n == 0)
        return OP_END;
    streamed_through(j, j->sides->columns);
    join_null_side(j->sides, true);
    put_out(j, out, j->in.n_rows, n, n == j->in.n_rows ? NULL : j->sel);
    return OP_BATCH;
}

enum op_step join_pairs_left_over(struct join_pairs *j, uint32_t to, struct batch *out)
{
    uint32_t n = 0;

    for (; j->left_over < to && n < BATCH_ROWS; j->left_over++) {
        j->ids[n] = j->left_over;
        n += !j->seen[j->left_over];
    }
    if (n == 0)
        return OP_END;
    join_null_side(j->sides, false);
    for (uint32_t c = 0; c < j->sides->n_build; c++)
        j->sides->columns[j->sides->build_at + c] = build_column(j, c, j->ids, n, NULL, false);
    put_out(j, out, n, n, NULL);
    return OP_BATCH;
}
