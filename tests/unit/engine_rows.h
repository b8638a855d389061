/* Batches of random rows, in every form a column can have. */
#ifndef TESTS_ENGINE_ROWS_H
#define TESTS_ENGINE_ROWS_H

#include "engine/column/value.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t rows_seed = 1;

static inline uint64_t rnd(void)
{
    rows_seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = rows_seed;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline uint32_t rnd_below(uint32_t n)
{
    return n ? (uint32_t)(rnd() % n) : 0;
}

/* Value k of the type: equal k, equal value; the order is not that of k. */
static inline void rnd_value(struct arena *a, struct type t, uint32_t k, void *to)
{
    int64_t i = (int64_t)k - 7;
    double f = (double)k / 4 - 3;
    float g = (float)f;
    char text[64];

    switch (t.id) {
    case TYPE_STRING:
    case TYPE_BINARY: {
        int n =
            snprintf(text, sizeof text, k % 3 ? "%u" : "a longer text with %u inside", k);
        struct str s = str_make(text, (size_t)n);

        s = str_keep(a, &s);
        memcpy(to, &s, sizeof s);
        return;
    }
    case TYPE_FLOAT:
        memcpy(to, &g, sizeof g);
        return;
    case TYPE_DOUBLE:
        memcpy(to, &f, sizeof f);
        return;
    case TYPE_BOOLEAN:
        *(uint8_t *)to = k & 1;
        return;
    default:
        break;
    }
    if (type_is_wide(t)) {
        i128 w = (i128)i * 1000000000 * 1000000000;

        memcpy(to, &w, sizeof w);
    } else {
        memcpy(to, &i, type_width(t)); /* little-endian */
    }
}

/* kind: as given; values 0..domain-1; nulls in a hundred. */
static inline struct vec rnd_vec(struct arena *a, struct type t, enum vec_kind kind,
                                 uint32_t rows, uint32_t domain, uint32_t nulls)
{
    uint32_t entries = kind == VEC_FLAT ? rows : kind == VEC_CONST ? 1 : domain;
    struct vec v = vec_flat(a, t, entries, nulls > 0);
    size_t width = type_width(t);

    for (uint32_t i = 0; i < entries; i++) {
        uint32_t k = kind == VEC_DICT ? i : rnd_below(domain);

        if (nulls && rnd_below(100) < nulls)
            v.valid[i] = 0;
        else
            rnd_value(a, t, k, (char *)v.data + i * width);
    }
    v.kind = kind == VEC_CONST ? VEC_CONST : VEC_FLAT;
    if (kind != VEC_DICT)
        return v;
    struct vec *dict = ARENA_NEW(a, struct vec);
    uint32_t *codes = arena_array(a, rows + 1, sizeof *codes);
    *dict = v;
    struct vec out = { .type = t, .kind = VEC_DICT, .dict = dict, .codes = codes };
    if (nulls) {
        out.valid = arena_alloc(a, rows + 1);
        memset(out.valid, 1, rows);
    }
    for (uint32_t i = 0; i < rows; i++) {
        codes[i] = rnd_below(domain);
        if (nulls && rnd_below(100) < nulls) {
            out.valid[i] = 0;
            codes[i] = UINT32_MAX; /* not to be looked up */
        }
    }
    return out;
}

/* Some rows of the batch count. */
static inline void rnd_select(struct arena *a, struct batch *b, uint32_t percent)
{
    uint32_t *sel = arena_array(a, b->n_rows + 1, sizeof *sel);

    b->n_sel = 0;
    for (uint32_t i = 0; i < b->n_rows; i++)
        if (rnd_below(100) < percent)
            sel[b->n_sel++] = i;
    b->sel = sel;
}

static inline struct batch rnd_batch(struct arena *a, const struct type *types,
                                     uint32_t n, uint32_t rows, uint32_t domain,
                                     uint32_t nulls, bool forms)
{
    struct batch b = { .n_rows = rows, .n_sel = rows, .n_columns = n };

    b.columns = arena_array(a, n + 1, sizeof *b.columns);
    for (uint32_t c = 0; c < n; c++) {
        enum vec_kind kind = !forms              ? VEC_FLAT
                             : rnd_below(6) == 0 ? VEC_CONST
                             : rnd_below(2)      ? VEC_DICT
                                                 : VEC_FLAT;

        b.columns[c] = rnd_vec(a, types[c], kind, rows, domain, nulls);
    }
    if (forms && rnd_below(2))
        rnd_select(a, &b, 60);
    return b;
}

/* "1|NULL|text" of a row, to compare rows by. */
static inline void row_print(struct strbuf *out, const struct batch *b, uint32_t row)
{
    for (uint32_t c = 0; c < b->n_columns; c++) {
        struct value v = value_at(&b->columns[c], row);

        if (c)
            strbuf_addc(out, '|');
        if (vec_is_null(&b->columns[c], row))
            strbuf_addz(out, "NULL");
        else
            value_print(out, &v, &zone_utc);
    }
}

/* The rows that count as text, one each. */
struct text_rows {
    char **at;
    size_t n, cap;
};

static inline void text_rows_add(struct text_rows *t, char *row)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->at = realloc(t->at, t->cap * sizeof *t->at);
    }
    t->at[t->n++] = row;
}

static inline void text_rows_batch(struct text_rows *t, const struct batch *b)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        struct strbuf s = { 0 };

        strbuf_addz(&s, "");
        row_print(&s, b, batch_row(b, i));
        text_rows_add(t, s.p);
    }
}

static inline int text_rows_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void text_rows_sort(struct text_rows *t)
{
    if (t->n)
        qsort(t->at, t->n, sizeof *t->at, text_rows_cmp);
}

static inline void text_rows_release(struct text_rows *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->at[i]);
    free(t->at);
    *t = (struct text_rows){ 0 };
}

#endif
