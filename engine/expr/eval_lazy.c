/* Nodes that ask for arguments only where they count: AND, OR, CASE, IF, COALESCE, and
 * IN, which looks into a set.
 *
 * Arguments that cost next to nothing are computed for all rows after all: a dense loop
 * beats a sparse one, and the result serves others. */
#include "engine/expr/eval_node.h"

#include <assert.h>
#include <stdlib.h>

enum { CHEAP = 3 };

/* May it be computed for more rows than were asked for? */
static bool is_cheap(const struct eval *e, const struct node *n)
{
    return !n->varies &&
           (n->constant || n->kind == NODE_COLUMN || (n->cost <= CHEAP && !e->ansi));
}

static const uint32_t *rows_of(struct eval *e, struct node *n, const struct batch *b,
                               uint32_t which)
{
    uint32_t *all;

    if (b->sel)
        return b->sel;
    all = node_sel(e, n, which);
    for (uint32_t i = 0; i < b->n_rows; i++)
        all[i] = i;
    return all;
}

/* Computes n for the given rows of b, or for all. */
static enum errc eval_rows(struct eval *e, struct node *n, const struct batch *b,
                           const uint32_t *sel, uint32_t n_sel, struct err *err)
{
    struct narrow s;
    enum errc rc;

    if (n_sel == b->n_sel || is_cheap(e, n))
        return node_eval(e, n, b, err);
    narrow_enter(e, &s, b, sel, n_sel);
    rc = node_eval(e, n, &s.batch, err);
    narrow_leave(e, &s);
    return rc;
}

/* ---- copying results together ---- */

#define COPY_ROWS(T)                                                                     \
    do {                                                                                 \
        T *to = out->data;                                                               \
        const T *from = v->kind == VEC_DICT ? v->dict->data : v->data;                   \
        if (v->kind == VEC_CONST)                                                        \
            for (uint32_t i = 0; i < n; i++)                                             \
                to[sel[i]] = from[0];                                                    \
        else if (v->kind == VEC_FLAT)                                                    \
            for (uint32_t i = 0; i < n; i++)                                             \
                to[sel[i]] = from[sel[i]];                                               \
        else                                                                             \
            for (uint32_t i = 0; i < n; i++)                                             \
                if (out->valid[sel[i]])                                                  \
                    to[sel[i]] = from[v->codes[sel[i]]];                                 \
    } while (0)

void rows_copy(struct vec *out, const struct vec *v, const uint32_t *sel, uint32_t n)
{
    if (v->type.id == TYPE_NULL) {
        for (uint32_t i = 0; i < n; i++)
            out->valid[sel[i]] = 0;
        return;
    }
    if (v->valid || (v->kind == VEC_DICT && v->dict->valid))
        for (uint32_t i = 0; i < n; i++)
            out->valid[sel[i]] = !vec_is_null(v, sel[i]);
    switch (type_width(out->type)) {
    case 1:
        COPY_ROWS(uint8_t);
        break;
    case 2:
        COPY_ROWS(uint16_t);
        break;
    case 4:
        COPY_ROWS(uint32_t);
        break;
    case 8:
        COPY_ROWS(uint64_t);
        break;
    default:
        COPY_ROWS(struct str);
        break;
    }
}

static void finish_mask(struct node *n, const struct batch *b)
{
    if (!memchr(n->result.valid, 0, b->n_rows))
        n->result.valid = NULL;
}

/* ---- all rows at once ----
 *
 * Where arguments are cheap, each is computed for all rows, and what counts is blended
 * together from the last to the first: no row is looked at on its own. */

#define BLEND(T)                                                                         \
    KERNEL_CLONES static void blend_##T(T *restrict to, const T *restrict from,          \
                                        const uint8_t *restrict yes, uint32_t n)         \
    {                                                                                    \
        for (uint32_t i = 0; i < n; i++)                                                 \
            to[i] = yes[i] ? from[i] : to[i];                                            \
    }                                                                                    \
    KERNEL_CLONES static void blend_one_##T(T *restrict to, const T from,                \
                                            const uint8_t *restrict yes, uint32_t n)     \
    {                                                                                    \
        for (uint32_t i = 0; i < n; i++)                                                 \
            to[i] = yes[i] ? from : to[i];                                               \
    }
BLEND(uint8_t)
BLEND(uint16_t)
BLEND(uint32_t)
BLEND(uint64_t)
BLEND(wide_col)

#define BLEND_CASE(T)                                                                    \
    if (v->kind == VEC_CONST)                                                            \
        blend_one_##T(out->data, *(const T *)v->data, yes, n);                           \
    else                                                                                 \
        blend_##T(out->data, v->data, yes, n);                                           \
    break

/* The rows where yes is 1 become those of v, FLAT or CONST. */
static void blend(struct vec *out, const struct vec *v, const uint8_t *yes, uint32_t n)
{
    if (v->type.id == TYPE_NULL || (v->kind == VEC_CONST && v->valid && !v->valid[0])) {
        for (uint32_t i = 0; i < n; i++)
            out->valid[i] &= yes[i] ^ 1;
        return;
    }
    if (v->kind == VEC_FLAT && v->valid)
        blend_uint8_t(out->valid, v->valid, yes, n);
    else
        for (uint32_t i = 0; i < n; i++)
            out->valid[i] |= yes[i];
    switch (type_width(out->type)) {
    case 1:
        BLEND_CASE(uint8_t);
    case 2:
        BLEND_CASE(uint16_t);
    case 4:
        BLEND_CASE(uint32_t);
    case 8:
        BLEND_CASE(uint64_t);
    default:
        BLEND_CASE(wide_col);
    }
}

/* Arguments from `first` on are cheap, and all rows count. */
static bool can_blend(const struct eval *e, const struct node *n, const struct batch *b,
                      uint32_t first)
{
    if (b->sel || n->expr->type.id == TYPE_NULL)
        return false;
    for (uint32_t i = first; i < n->n_args; i++)
        if (!is_cheap(e, n->args[i]))
            return false;
    return true;
}

/* Where a condition is true, as a mask in `room`. */
static void true_rows(const struct vec *v, uint8_t *room, uint32_t n)
{
    const uint8_t *data = v->data, *valid = v->valid;

    if (v->type.id == TYPE_NULL || v->kind == VEC_CONST)
        memset(room, v->type.id != TYPE_NULL && (!valid || valid[0]) && (data[0] & 1), n);
    else if (!valid)
        memcpy(room, data, n);
    else
        for (uint32_t i = 0; i < n; i++)
            room[i] = data[i] & valid[i];
}

static void fill_last(struct vec *out, const struct vec *v, uint32_t n)
{
    uint8_t all[BATCH_ROWS];

    memset(all, 1, n);
    blend(out, v, all, n);
}

static enum errc blend_choice(struct eval *e, struct node *n, const struct batch *b,
                              struct err *err)
{
    uint32_t pairs = n->n_args / 2;
    struct vec out;
    uint8_t yes[BATCH_ROWS];

    for (uint32_t i = 0; i < n->n_args; i++) {
        TRY(node_eval(e, n->args[i], b, err));
        (void)node_flat(e, n->args[i], b);
    }
    out = node_out(e, n, true);
    if (n->n_args % 2)
        fill_last(&out, &n->args[2 * pairs]->result, b->n_rows);
    else
        memset(out.valid, 0, b->n_rows);
    for (uint32_t i = pairs; i--;) {
        true_rows(&n->args[2 * i]->result, yes, b->n_rows);
        blend(&out, &n->args[2 * i + 1]->result, yes, b->n_rows);
    }
    n->result = out;
    finish_mask(n, b);
    return ERR_OK;
}

static enum errc blend_coalesce(struct eval *e, struct node *n, const struct batch *b,
                                struct err *err)
{
    struct vec out;

    for (uint32_t i = 0; i < n->n_args; i++) {
        TRY(node_eval(e, n->args[i], b, err));
        (void)node_flat(e, n->args[i], b);
    }
    out = node_out(e, n, true);
    fill_last(&out, &n->args[n->n_args - 1]->result, b->n_rows);
    for (uint32_t i = n->n_args - 1; i--;) {
        const struct vec *v = &n->args[i]->result;

        if (v->type.id == TYPE_NULL || (v->kind == VEC_CONST && v->valid && !v->valid[0]))
            continue;
        if (v->kind == VEC_CONST || !v->valid)
            fill_last(&out, v, b->n_rows);
        else
            blend(&out, v, v->valid, b->n_rows);
    }
    n->result = out;
    finish_mask(n, b);
    return ERR_OK;
}

/* ---- CASE, IF ---- */

enum errc node_eval_choice(struct eval *e, struct node *n, const struct batch *b,
                           struct err *err)
{
    if (can_blend(e, n, b, 1))
        return blend_choice(e, n, b, err);
    struct vec out = node_out(e, n, true);
    uint32_t *taken = node_sel(e, n, 2), n_left = b->n_sel, i = 0;
    const uint32_t *left = rows_of(e, n, b, 0);
    uint32_t *spare = node_sel(e, n, 1);

    for (; i + 1 < n->n_args && n_left; i += 2) {
        uint32_t n_rest;

        TRY(eval_rows(e, n->args[i], b, left, n_left, err));
        struct batch now = *b;
        now.sel = left;
        now.n_sel = n_left;
        uint32_t n_taken = select_true(&n->args[i]->result, &now, taken, spare, &n_rest);
        if (n_taken) {
            TRY(eval_rows(e, n->args[i + 1], b, taken, n_taken, err));
            rows_copy(&out, &n->args[i + 1]->result, taken, n_taken);
        }
        left = spare;
        spare = node_sel(e, n, spare == n->sel[1] ? 0 : 1);
        n_left = n_rest;
    }
    if (n_left && n->n_args % 2) {
        TRY(eval_rows(e, n->args[n->n_args - 1], b, left, n_left, err));
        rows_copy(&out, &n->args[n->n_args - 1]->result, left, n_left);
    } else {
        for (i = 0; i < n_left; i++)
            out.valid[left[i]] = 0;
    }
    n->result = out;
    finish_mask(n, b);
    return ERR_OK;
}

/* ---- COALESCE ---- */

enum errc node_eval_coalesce(struct eval *e, struct node *n, const struct batch *b,
                             struct err *err)
{
    if (can_blend(e, n, b, 1))
        return blend_coalesce(e, n, b, err);
    struct vec out = node_out(e, n, true);
    const uint32_t *left = rows_of(e, n, b, 0);
    uint32_t *found = node_sel(e, n, 2), *spare = node_sel(e, n, 1);
    uint32_t n_left = b->n_sel;

    for (uint32_t i = 0; i < n->n_args && n_left; i++) {
        uint32_t n_found = 0, n_rest = 0;

        TRY(eval_rows(e, n->args[i], b, left, n_left, err));
        const struct vec *v = &n->args[i]->result;
        if (v->type.id == TYPE_NULL)
            continue;
        for (uint32_t k = 0; k < n_left; k++) {
            uint32_t row = left[k];
            bool null = vec_is_null(v, row);

            found[n_found] = row;
            n_found += !null;
            spare[n_rest] = row;
            n_rest += null;
        }
        rows_copy(&out, v, found, n_found);
        left = spare;
        spare = node_sel(e, n, spare == n->sel[1] ? 0 : 1);
        n_left = n_rest;
    }
    for (uint32_t k = 0; k < n_left; k++)
        out.valid[left[k]] = 0;
    n->result = out;
    finish_mask(n, b);
    return ERR_OK;
}

/* ---- AND, OR ---- */

/* A boolean as two masks: is it true, is it false? Neither where NULL. Rows that do not
 * count have what was there before. */
struct tri {
    uint8_t yes[BATCH_ROWS], no[BATCH_ROWS];
};

KERNEL_CLONES
static void tri_split(uint8_t *restrict yes, uint8_t *restrict no,
                      const uint8_t *restrict data, const uint8_t *restrict valid,
                      uint32_t n)
{
    if (!valid)
        for (uint32_t i = 0; i < n; i++) {
            yes[i] = data[i] & 1;
            no[i] = (data[i] & 1) ^ 1;
        }
    else
        for (uint32_t i = 0; i < n; i++) {
            yes[i] = (uint8_t)(data[i] & valid[i]);
            no[i] = (uint8_t)((data[i] ^ 1) & valid[i]);
        }
}

static void tri_load(struct tri *to, const struct vec *v, const struct batch *b)
{
    const uint8_t *data = v->data, *valid = v->valid;

    if (v->type.id == TYPE_NULL || v->kind == VEC_CONST) {
        bool null = vec_is_null(v, 0) || v->type.id == TYPE_NULL;

        memset(to->yes, !null && (data[0] & 1), b->n_rows);
        memset(to->no, !null && !(data[0] & 1), b->n_rows);
    } else if (v->kind == VEC_FLAT && !b->sel) {
        tri_split(to->yes, to->no, data, valid, b->n_rows);
    } else if (v->kind == VEC_FLAT) {
        const uint32_t *sel = b->sel;

        for (uint32_t i = 0, n = b->n_sel; i < n; i++) {
            uint8_t known = valid ? valid[sel[i]] : 1, x = data[sel[i]] & 1;

            to->yes[sel[i]] = x & known;
            to->no[sel[i]] = (x ^ 1) & known;
        }
    } else {
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);
            bool null = vec_is_null(v, row);
            uint8_t x = null ? 0 : *(const uint8_t *)vec_at(v, row) & 1;

            to->yes[row] = !null && x;
            to->no[row] = !null && !x;
        }
    }
}

/* For AND: yes is what both are, no what either is; for OR the other way round. */
KERNEL_CLONES
static void tri_join_all(uint8_t *restrict both, uint8_t *restrict either,
                         const uint8_t *restrict both2, const uint8_t *restrict either2,
                         uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        both[i] &= both2[i];
        either[i] |= either2[i];
    }
}

static void tri_join(struct tri *l, const struct tri *r, bool and, const struct batch *b)
{
    uint8_t *both = and? l->yes : l->no, *either = and? l->no : l->yes;
    const uint8_t *both2 = and? r->yes : r->no, *either2 = and? r->no : r->yes;
    const uint32_t *sel = b->sel;

    if (!sel) {
        tri_join_all(both, either, both2, either2, b->n_rows);
        return;
    }
    for (uint32_t i = 0, n = b->n_sel; i < n; i++) {
        both[sel[i]] &= both2[sel[i]];
        either[sel[i]] |= either2[sel[i]];
    }
}

/* The rows where the right side still matters, and what joins without effect elsewhere.
 */
static uint32_t undecided(const struct tri *l, struct tri *r, bool and,
                          const struct batch *b, uint32_t *to)
{
    const uint8_t *decided = and? l->no : l->yes;
    const uint32_t *sel = b->sel;
    uint32_t n = 0, n_rows = b->n_sel;

    if (!sel) {
        memset(r->yes, and, n_rows);
        memset(r->no, !and, n_rows);
    }
    for (uint32_t i = 0; i < n_rows; i++) {
        uint32_t row = sel ? sel[i] : i;

        if (sel) {
            r->yes[row] = and;
            r->no[row] = !and;
        }
        to[n] = row;
        n += !decided[row];
    }
    return n;
}

KERNEL_CLONES
static void tri_store_all(uint8_t *restrict data, uint8_t *restrict valid,
                          const uint8_t *restrict yes, const uint8_t *restrict no,
                          uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        data[i] = yes[i];
        valid[i] = yes[i] | no[i];
    }
}

static void tri_store(struct vec *out, const struct tri *t, const struct batch *b)
{
    uint8_t *data = out->data, *valid = out->valid;
    const uint32_t *sel = b->sel;

    if (!sel) {
        tri_store_all(data, valid, t->yes, t->no, b->n_rows);
        return;
    }
    for (uint32_t i = 0, n = b->n_sel; i < n; i++) {
        data[sel[i]] = t->yes[sel[i]];
        valid[sel[i]] = t->yes[sel[i]] | t->no[sel[i]];
    }
}

enum errc node_eval_logic(struct eval *e, struct node *n, const struct batch *b,
                          struct err *err)
{
    bool and = n->expr->func->id == FUNC_AND;
    struct tri l, r;
    struct vec out;

    TRY(node_eval(e, n->args[0], b, err));
    tri_load(&l, &n->args[0]->result, b);
    if (is_cheap(e, n->args[1])) {
        TRY(node_eval(e, n->args[1], b, err));
        tri_load(&r, &n->args[1]->result, b);
    } else {
        uint32_t *rows = node_sel(e, n, 0), n_rows = undecided(&l, &r, and, b, rows);
        struct batch now = *b;

        now.sel = rows;
        now.n_sel = n_rows;
        if (n_rows) {
            TRY(eval_rows(e, n->args[1], b, rows, n_rows, err));
            tri_load(&r, &n->args[1]->result, n_rows == b->n_sel ? b : &now);
        }
    }
    tri_join(&l, &r, and, b);
    out = node_out(e, n, true);
    tri_store(&out, &l, b);
    n->result = out;
    finish_mask(n, b);
    return ERR_OK;
}

/* ---- IN ---- */

/* Values of the list, NULLs left out. Integers of all kinds are sorted numbers, text
 * stands in a table by hash, anything else is sorted. */
struct in_set {
    bool has_null;
    uint32_t n;
    int64_t *ints;
    struct value *values;
    struct str *table;
    uint32_t mask; /* of table; a slot of length UINT32_MAX is empty */
};

static int by_value(const void *a, const void *b)
{
    return value_cmp(a, b);
}

static bool is_long(struct type t)
{
    return !type_is_text(t) && t.id != TYPE_FLOAT && t.id != TYPE_DOUBLE &&
           !type_is_wide(t);
}

static uint32_t str_hash(const struct str *s)
{
    uint64_t head, tail;

    if (s->len > STR_INLINE)
        return (uint32_t)sv_hash(str_sv(s));
    memcpy(&head, s, sizeof head);
    memcpy(&tail, &s->u, sizeof tail);
    head = (head ^ (tail * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xff51afd7ed558ccd);
    return (uint32_t)(head >> 32);
}

static bool is_empty(const struct str *s)
{
    return s->len == UINT32_MAX;
}

static bool table_has(const struct in_set *set, const struct str *s)
{
    for (uint32_t k = str_hash(s) & set->mask;; k = (k + 1) & set->mask) {
        if (is_empty(&set->table[k]))
            return false;
        if (str_eq(&set->table[k], s))
            return true;
    }
}

static void make_table(struct in_set *set, struct arena *keep)
{
    uint32_t cap = 8;

    while (cap < set->n * 2)
        cap *= 2;
    set->mask = cap - 1;
    set->table = arena_array(keep, cap, sizeof *set->table);
    for (uint32_t i = 0; i < cap; i++)
        set->table[i].len = UINT32_MAX;
    for (uint32_t i = 0; i < set->n; i++) {
        struct sv text = arena_sv(keep, set->values[i].u.s);
        struct str s = str_make(text.p, text.len);
        uint32_t k = str_hash(&s) & set->mask;

        while (!is_empty(&set->table[k]))
            k = (k + 1) & set->mask;
        set->table[k] = s;
    }
}

/* All of the list is there before a row is: a literal or a computed constant each. */
static enum errc make_set(struct eval *e, struct node *n, const struct batch *b,
                          struct err *err)
{
    const struct expr *x = n->expr;
    struct in_set *set = ARENA_NEW(&e->memory, struct in_set);

    set->values = arena_array(&e->memory, x->n_args, sizeof *set->values);
    for (uint32_t i = 1; i < x->n_args; i++) {
        struct value v;

        if (n->n_args == 1) {
            v = x->args[i]->value;
        } else {
            TRY(node_eval(e, n->args[i], b, err));
            v = value_at(&n->args[i]->result, 0);
        }
        if (v.null || v.type.id == TYPE_NULL)
            set->has_null = true;
        else
            set->values[set->n++] = v;
    }
    if (type_is_text(x->args[0]->type)) {
        make_table(set, &e->memory);
    } else {
        qsort(set->values, set->n, sizeof *set->values, by_value);
    }
    if (is_long(x->args[0]->type)) {
        set->ints = arena_array(&e->memory, set->n + 1, sizeof *set->ints);
        for (uint32_t i = 0; i < set->n; i++) {
            const struct value *v = &set->values[i];

            set->ints[i] = v->type.id == TYPE_DECIMAL   ? (int64_t)v->u.dec
                           : v->type.id == TYPE_BOOLEAN ? v->u.b
                                                        : v->u.i;
        }
    }
    n->set = set;
    return ERR_OK;
}

static bool ints_have(const struct in_set *set, int64_t x)
{
    uint32_t from = 0, to = set->n;

    if (to <= 8) {
        bool found = false;

        for (uint32_t i = 0; i < to; i++)
            found |= set->ints[i] == x;
        return found;
    }
    while (from < to) {
        uint32_t mid = (from + to) / 2;

        if (set->ints[mid] < x)
            from = mid + 1;
        else
            to = mid;
    }
    return from < set->n && set->ints[from] == x;
}

static bool set_has(const struct in_set *set, const struct vec *v, uint32_t row)
{
    if (type_is_text(v->type))
        return table_has(set, &ARG_AT(struct str, v, row));
    if (set->ints)
        return ints_have(set, int_at(v, row));
    struct value x = value_at(v, row);
    return set->n && bsearch(&x, set->values, set->n, sizeof x, by_value);
}

static enum errc in_set_rows(struct eval *e, struct node *n, const struct batch *b)
{
    const struct vec *v = node_flat(e, n->args[0], b);
    const struct in_set *set = n->set;
    struct vec out = node_out(e, n, true);
    uint8_t *to = out.data;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (v->type.id == TYPE_NULL || vec_is_null(v, row)) {
            out.valid[row] = 0;
            continue;
        }
        to[row] = set_has(set, v, row);
        out.valid[row] = to[row] || !set->has_null;
    }
    n->result = out;
    return ERR_OK;
}

/* The list varies by row: one comparison after the other. */
static enum errc in_list_rows(struct eval *e, struct node *n, const struct batch *b,
                              struct err *err)
{
    struct vec out = node_out(e, n, true);
    uint8_t *to = out.data, null_seen[BATCH_ROWS] = { 0 };

    for (uint32_t k = 0; k < n->n_args; k++)
        TRY(node_eval(e, n->args[k], b, err));
    for (uint32_t i = 0; i < b->n_sel; i++)
        to[batch_row(b, i)] = 0;
    for (uint32_t k = 1; k < n->n_args; k++)
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);
            struct value x = value_at(&n->args[0]->result, row);
            struct value y = value_at(&n->args[k]->result, row);

            if (x.null || y.null)
                null_seen[row] = 1;
            else
                to[row] |= value_cmp(&x, &y) == 0;
        }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        out.valid[row] = to[row] || !null_seen[row];
    }
    n->result = out;
    return ERR_OK;
}

enum errc node_eval_in(struct eval *e, struct node *n, const struct batch *b,
                       struct err *err)
{
    bool fixed = true;
    enum errc rc;

    for (uint32_t i = 1; i < n->n_args; i++)
        fixed = fixed && n->args[i]->constant;
    if (fixed && !n->set)
        TRY(make_set(e, n, b, err));
    if (fixed) {
        TRY(node_eval(e, n->args[0], b, err));
        rc = in_set_rows(e, n, b);
    } else {
        rc = in_list_rows(e, n, b, err);
    }
    if (rc == ERR_OK)
        finish_mask(n, b);
    return rc;
}
