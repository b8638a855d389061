/* Conditions: which rows are left.
 *
 * Conjuncts run one after the other on what the earlier ones left, cheap ones first where
 * order cannot show. Over a whole batch a comparison makes a byte a row (vectorised) and
 * bytes become positions eight at a time through a table; over a selection comparisons
 * with a constant write positions directly, without a branch. */
#include "engine/expr/eval_node.h"

#include <assert.h>

/* ---- bytes to positions ---- */

/* For each byte of bits: where its ones are, padded with zeros. */
static const struct ones {
    uint8_t at[256][8];
} ones = {
#define ONE_BIT(x, k) ((x) >> (k)&1)
#define COUNT_BELOW(x, k) __builtin_popcount((x) & ((1u << (k)) - 1))
#define NTH(x, n)                                                                        \
    (uint8_t)((ONE_BIT(x, 0) && COUNT_BELOW(x, 0) == (n) ? 0 : 0) +                      \
              (ONE_BIT(x, 1) && COUNT_BELOW(x, 1) == (n) ? 1 : 0) +                      \
              (ONE_BIT(x, 2) && COUNT_BELOW(x, 2) == (n) ? 2 : 0) +                      \
              (ONE_BIT(x, 3) && COUNT_BELOW(x, 3) == (n) ? 3 : 0) +                      \
              (ONE_BIT(x, 4) && COUNT_BELOW(x, 4) == (n) ? 4 : 0) +                      \
              (ONE_BIT(x, 5) && COUNT_BELOW(x, 5) == (n) ? 5 : 0) +                      \
              (ONE_BIT(x, 6) && COUNT_BELOW(x, 6) == (n) ? 6 : 0) +                      \
              (ONE_BIT(x, 7) && COUNT_BELOW(x, 7) == (n) ? 7 : 0))
#define ROW(x)                                                                           \
    {                                                                                    \
        NTH(x, 0), NTH(x, 1), NTH(x, 2), NTH(x, 3), NTH(x, 4), NTH(x, 5), NTH(x, 6),     \
            NTH(x, 7)                                                                    \
    }
#define ROWS4(x) ROW(x), ROW((x) + 1), ROW((x) + 2), ROW((x) + 3)
#define ROWS16(x) ROWS4(x), ROWS4((x) + 4), ROWS4((x) + 8), ROWS4((x) + 12)
#define ROWS64(x) ROWS16(x), ROWS16((x) + 16), ROWS16((x) + 32), ROWS16((x) + 48)
    .at = { ROWS64(0u), ROWS64(64u), ROWS64(128u), ROWS64(192u) },
};

/* Writes up to 8 positions beyond the count. */
static uint32_t bytes_to_rows(const uint8_t *data, const uint8_t *valid, uint32_t n_rows,
                              uint32_t *to)
{
    uint32_t n = 0, row = 0;

    for (; row + 8 <= n_rows; row += 8) {
        uint64_t bytes, known = UINT64_C(0x0101010101010101);

        memcpy(&bytes, data + row, 8);
        bytes &= known;
        if (valid) {
            memcpy(&known, valid + row, 8);
            bytes &= known;
        }
        /* the low bit of byte k becomes bit k */
        uint32_t bits = (uint32_t)(bytes * UINT64_C(0x0102040810204080) >> 56);
        const uint8_t *at = ones.at[bits];
        for (uint32_t k = 0; k < 8; k++)
            to[n + k] = row + at[k];
        n += (uint32_t)(bytes * UINT64_C(0x0101010101010101) >> 56); /* their sum */
    }
    for (; row < n_rows; row++) {
        to[n] = row;
        n += data[row] & 1 & (valid ? valid[row] : 1);
    }
    return n;
}

static bool row_true(const struct vec *v, uint32_t row)
{
    return !vec_is_null(v, row) && (*(const uint8_t *)vec_at(v, row) & 1);
}

static uint32_t select_by_code(const struct vec *v, const struct batch *b, uint32_t *to)
{
    const uint8_t *data = v->dict->data, *known = v->dict->valid;
    uint32_t n = 0;

    if (!known && !v->valid) {
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);

            to[n] = row;
            n += data[v->codes[row]] & 1;
        }
        return n;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        to[n] = row;
        n += row_true(v, row);
    }
    return n;
}

static uint32_t select_all(const struct batch *b, uint32_t *to)
{
    if (b->sel && b->sel != to)
        memmove(to, b->sel, b->n_sel * sizeof *to);
    for (uint32_t i = 0; !b->sel && i < b->n_sel; i++)
        to[i] = i;
    return b->n_sel;
}

uint32_t select_true(const struct vec *v, const struct batch *b, uint32_t *to,
                     uint32_t *rest, uint32_t *n_rest)
{
    uint32_t n = 0, m = 0;

    if (rest) {
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);
            bool yes = v->type.id != TYPE_NULL && row_true(v, row);

            to[n] = row;
            n += yes;
            rest[m] = row;
            m += !yes;
        }
        *n_rest = m;
        return n;
    }
    if (v->type.id == TYPE_NULL)
        return 0;
    if (v->kind == VEC_CONST)
        return row_true(v, 0) ? select_all(b, to) : 0;
    if (v->kind == VEC_DICT)
        return select_by_code(v, b, to);
    const uint8_t *data = v->data;
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        to[n] = row;
        n += data[row] & 1 & (v->valid ? v->valid[row] : 1);
    }
    return n;
}

/* ---- comparisons of a selection with a constant ---- */

typedef uint32_t (*select_fn)(const struct vec *v, const void *constant,
                              const struct batch *b, uint32_t *to);

#define SELECT(fn, T, X)                                                                 \
    static uint32_t fn(const struct vec *v, const void *constant, const struct batch *b, \
                       uint32_t *to)                                                     \
    {                                                                                    \
        const T *data = v->data;                                                         \
        const T y = *(const T *)constant;                                                \
        uint32_t n = 0;                                                                  \
                                                                                         \
        if (!v->valid)                                                                   \
            for (uint32_t i = 0; i < b->n_sel; i++) {                                    \
                uint32_t row = b->sel[i];                                                \
                const T x = data[row];                                                   \
                to[n] = row;                                                             \
                n += (X);                                                                \
            }                                                                            \
        else                                                                             \
            for (uint32_t i = 0; i < b->n_sel; i++) {                                    \
                uint32_t row = b->sel[i];                                                \
                const T x = data[row];                                                   \
                to[n] = row;                                                             \
                n += (X)&v->valid[row];                                                  \
            }                                                                            \
        return n;                                                                        \
    }

#define SELECTS(suffix, T)                                                               \
    SELECT(eq_##suffix, T, x == y)                                                       \
    SELECT(lt_##suffix, T, x < y)                                                        \
    SELECT(le_##suffix, T, x <= y)                                                       \
    SELECT(gt_##suffix, T, x > y)                                                        \
    SELECT(ge_##suffix, T, x >= y)

SELECTS(i8, int8_t)
SELECTS(i16, int16_t)
SELECTS(i32, int32_t)
SELECTS(i64, int64_t)
/* Constants are no NaN here; a NaN of a row is above them. */
SELECT(eq_f64, double, x == y)
SELECT(lt_f64, double, x < y)
SELECT(le_f64, double, x <= y)
SELECT(gt_f64, double, !(x <= y))
SELECT(ge_f64, double, !(x < y))

/* Two words decide for text of up to 12 bytes, the first one for most longer ones. */
static uint32_t eq_text(const struct vec *v, const void *constant, const struct batch *b,
                        uint32_t *to)
{
    const struct str *data = v->data, *y = constant;
    uint64_t head, tail;
    uint32_t n = 0;

    memcpy(&head, y, 8);
    memcpy(&tail, &y->u, 8);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = b->sel[i];
        uint64_t h, t;

        if (v->valid && !v->valid[row])
            continue;
        memcpy(&h, &data[row], 8);
        memcpy(&t, &data[row].u, 8);
        to[n] = row;
        n += h == head && (t == tail || (y->len > STR_INLINE && str_eq(&data[row], y)));
    }
    return n;
}

enum { EQ, LT, LE, GT, GE, N_COMPARISONS };

static const select_fn selects[][N_COMPARISONS] = {
    { eq_i8, lt_i8, le_i8, gt_i8, ge_i8 },
    { eq_i16, lt_i16, le_i16, gt_i16, ge_i16 },
    { eq_i32, lt_i32, le_i32, gt_i32, ge_i32 },
    { eq_i64, lt_i64, le_i64, gt_i64, ge_i64 },
};
static const select_fn select_doubles[] = { eq_f64, lt_f64, le_f64, gt_f64, ge_f64 };

static int comparison_of(const struct node *n)
{
    if (n->kind != NODE_CALL)
        return N_COMPARISONS;
    switch (n->expr->func->id) {
    case FUNC_EQ:
        return EQ;
    case FUNC_LT:
        return LT;
    case FUNC_LE:
        return LE;
    case FUNC_GT:
        return GT;
    case FUNC_GE:
        return GE;
    default: /* no comparison */
        return N_COMPARISONS;
    }
}

static int mirrored(int op)
{
    static const int mirror[] = { EQ, GT, GE, LT, LE };

    return mirror[op];
}

static select_fn select_for(struct type t, int op)
{
    if (type_is_text(t))
        return op == EQ ? eq_text : NULL;
    if (t.id == TYPE_DOUBLE)
        return select_doubles[op];
    if (t.id == TYPE_FLOAT || type_is_wide(t) || t.id == TYPE_NULL)
        return NULL;
    return selects[__builtin_ctzl(type_width(t))][op];
}

/* ---- conjuncts ---- */

struct filter {
    struct node **conjuncts;
    uint32_t n;
    uint32_t *rows; /* BATCH_ROWS and a little: the table writes ahead */
};

static uint32_t count_conjuncts(const struct node *n)
{
    if (n->kind != NODE_LOGIC || n->expr->func->id != FUNC_AND)
        return 1;
    return count_conjuncts(n->args[0]) + count_conjuncts(n->args[1]);
}

static void add_conjuncts(struct filter *f, struct node *n)
{
    if (n->kind == NODE_LOGIC && n->expr->func->id == FUNC_AND) {
        add_conjuncts(f, n->args[0]);
        add_conjuncts(f, n->args[1]);
    } else {
        f->conjuncts[f->n++] = n;
    }
}

/* Text is dearer than numbers even where it only looks up a code. */
static uint32_t rank(const struct node *n)
{
    return n->cost;
}

static void sort_by_cost(struct filter *f)
{
    for (uint32_t i = 1; i < f->n; i++) {
        struct node *n = f->conjuncts[i];
        uint32_t k = i;

        for (; k > 0 && rank(f->conjuncts[k - 1]) > rank(n); k--)
            f->conjuncts[k] = f->conjuncts[k - 1];
        f->conjuncts[k] = n;
    }
}

static struct filter *make_filter(struct eval *e)
{
    struct filter *f = ARENA_NEW(e->arena, struct filter);
    uint32_t n = 0;
    bool fixed = e->ansi;

    for (uint32_t i = 0; i < e->n_roots; i++)
        n += count_conjuncts(e->roots[i]);
    f->conjuncts = arena_array(e->arena, n + 1, sizeof *f->conjuncts);
    for (uint32_t i = 0; i < e->n_roots; i++)
        add_conjuncts(f, e->roots[i]);
    for (uint32_t i = 0; i < f->n; i++)
        fixed = fixed || f->conjuncts[i]->varies;
    if (!fixed)
        sort_by_cost(f);
    f->rows = arena_array(&e->memory, BATCH_ROWS + 16, sizeof *f->rows);
    return f;
}

/* A comparison of something with a constant, over a selection. False: not of that kind.
 */
static enum errc try_select(struct eval *e, struct node *n, const struct batch *b,
                            uint32_t *to, uint32_t *n_out, bool *done, struct err *err)
{
    int op = comparison_of(n);
    struct node *x, *y;

    *done = false;
    if (op == N_COMPARISONS || !b->sel ||
        (n->column >= 0 && !n->varies && b->columns[n->column].kind == VEC_DICT))
        return ERR_OK;
    x = n->args[0];
    y = n->args[1];
    if (x->constant) {
        x = n->args[1];
        y = n->args[0];
        op = mirrored(op);
    }
    select_fn fn = select_for(x->expr->type, op);
    if (!y->constant || !fn || n->constant)
        return ERR_OK;
    TRY(node_eval(e, y, b, err));
    if (vec_is_null(&y->result, 0) || y->result.type.id == TYPE_NULL) {
        *n_out = 0;
        *done = true;
        return ERR_OK;
    }
    if (y->result.type.id == TYPE_DOUBLE &&
        *(const double *)y->result.data != *(const double *)y->result.data)
        return ERR_OK;
    TRY(node_eval(e, x, b, err));
    if (x->result.kind == VEC_CONST)
        return ERR_OK;
    *n_out = fn(node_flat(e, x, b), y->result.data, b, to);
    *done = true;
    return ERR_OK;
}

static enum errc run_conjunct(struct eval *e, struct filter *f, struct node *n,
                              const struct batch *b, uint32_t *to, uint32_t *n_out,
                              struct err *err)
{
    bool done;

    TRY(try_select(e, n, b, to, n_out, &done, err));
    if (done)
        return ERR_OK;
    TRY(node_eval(e, n, b, err));
    const struct vec *v = &n->result;
    if (b->sel || v->kind != VEC_FLAT) {
        *n_out = select_true(v, b, to, NULL, NULL);
        return ERR_OK;
    }
    *n_out = bytes_to_rows(v->data, v->valid, b->n_rows, f->rows);
    memcpy(to, f->rows, *n_out * sizeof *to);
    return ERR_OK;
}

enum errc eval_filter(struct eval *e, const struct batch *b, uint32_t *sel_out,
                      uint32_t *n_out, struct err *err)
{
    struct batch now = *b;
    struct narrow s;

    assert(b->n_rows <= BATCH_ROWS);
    if (!e->filter)
        e->filter = make_filter(e);
    node_start_run(e);
    for (uint32_t i = 0; i < e->filter->n && now.n_sel; i++) {
        uint32_t n;

        TRY(run_conjunct(e, e->filter, e->filter->conjuncts[i], &now, sel_out, &n, err));
        if (n == now.n_sel)
            continue;                          /* the same rows: still the same scope */
        narrow_enter(e, &s, &now, sel_out, n); /* left by the end of the run */
        now = s.batch;
    }
    if (now.sel != sel_out)
        (void)select_all(&now, sel_out);
    *n_out = now.n_sel;
    return ERR_OK;
}
