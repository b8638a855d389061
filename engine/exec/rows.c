/* Rows as growing columns; see rows.h. */
#include "engine/exec/rows.h"

#include "engine/exec/rows_file.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROWS = 1024, MEMO_MOST = 1 << 16 };

struct row_memo {
    uint32_t serial, n, cap;
    struct str *kept;
    uint8_t *known;
};

struct sixteen {
    uint64_t half[2];
};

void rows_init(struct rows *r, const struct type *types, uint32_t n_columns)
{
    *r = (struct rows){ .n_columns = n_columns };
    r->columns = xcalloc(n_columns ? n_columns : 1, sizeof *r->columns);
    for (uint32_t c = 0; c < n_columns; c++)
        r->columns[c] = (struct row_column){ .type = types[c],
                                             .width = (uint32_t)type_width(types[c]),
                                             .is_text = type_is_text(types[c]) };
}

void row_memo_free(struct row_memo *m)
{
    if (!m)
        return;
    free(m->kept);
    free(m->known);
    free(m);
}

void rows_clear_but_text(struct rows *r, struct arena *text)
{
    if (r->file)
        row_file_forget(r);
    for (uint32_t c = 0; c < r->n_columns; c++) {
        struct row_column *col = &r->columns[c];

        free(col->data);
        free(col->valid);
        row_memo_free(col->memo);
        col->data = NULL;
        col->valid = NULL;
        col->memo = NULL;
    }
    if (text)
        *text = r->text;
    else
        arena_release(&r->text);
    r->text = (struct arena){ 0 };
    r->n = r->cap = 0;
}

void rows_clear(struct rows *r)
{
    rows_clear_but_text(r, NULL);
}

void rows_release(struct rows *r)
{
    if (!r->columns)
        return;
    rows_clear(r);
    free(r->columns);
    *r = (struct rows){ 0 };
}

/* ---- room ---- */

static int64_t row_width(const struct rows *r)
{
    int64_t width = 0;

    for (uint32_t c = 0; c < r->n_columns; c++)
        width += r->columns[c].width + (r->columns[c].valid ? 1 : 0);
    return width;
}

int64_t rows_bytes(const struct rows *r)
{
    if (r->file)
        return 0;
    return row_width(r) * r->cap + (int64_t)r->text.used_bytes;
}

uint32_t rows_cap_for(const struct rows *r, uint64_t n)
{
    uint64_t cap = r->cap;

    if (n <= cap)
        return r->cap;
    cap = cap < 1 << 16 ? cap * 2 : cap + cap / 2;
    if (cap < FIRST_ROWS)
        cap = FIRST_ROWS;
    if (cap < r->expected)
        cap = r->expected;
    if (cap < n)
        cap = n;
    assert(n < ROWS_NONE);
    return cap >= ROWS_NONE ? ROWS_NONE - 1 : (uint32_t)cap;
}

int64_t vec_long_text(const struct vec *v, const struct batch *b)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (vec_is_null(v, row))
            continue;
        const struct str *s = vec_at(v, row);
        bytes += s->len > STR_INLINE ? s->len : 0;
    }
    return bytes;
}

int64_t rows_bytes_with(const struct rows *r, const struct batch *b)
{
    int64_t width = 0, text = 0;

    if (r->file)
        return 0;
    for (uint32_t c = 0; c < r->n_columns; c++) {
        const struct vec *v = &b->columns[c];
        bool mask = r->columns[c].valid || v->valid || (v->dict && v->dict->valid);

        width += r->columns[c].width + mask;
        if (r->columns[c].is_text)
            text += vec_long_text(v, b);
    }
    return width * rows_cap_for(r, (uint64_t)r->n + b->n_sel) +
           (int64_t)r->text.used_bytes + text;
}

static void grow(struct rows *r, uint32_t cap)
{
    if (cap <= r->cap)
        return;
    for (uint32_t c = 0; c < r->n_columns; c++) {
        struct row_column *col = &r->columns[c];

        col->data = xrealloc(col->data, mem_product(cap, col->width));
        if (col->valid)
            col->valid = xrealloc(col->valid, cap);
    }
    r->cap = cap;
}

/* ---- adding ---- */

static void add_mask(struct rows *r, struct row_column *col, const struct vec *v,
                     const struct batch *b)
{
    bool may =
        v->valid || (v->kind == VEC_DICT && v->dict->valid) || v->type.id == TYPE_NULL;

    if (!may && !col->valid)
        return;
    if (!col->valid) {
        col->valid = xmalloc(r->cap);
        memset(col->valid, 1, r->n);
    }
    uint8_t *to = col->valid + r->n;
    if (v->type.id == TYPE_NULL)
        memset(to, 0, b->n_sel);
    else if (!may)
        memset(to, 1, b->n_sel);
    else if (v->kind == VEC_FLAT && !b->sel)
        memcpy(to, v->valid, b->n_sel);
    else if (v->kind == VEC_FLAT)
        for (uint32_t i = 0; i < b->n_sel; i++)
            to[i] = v->valid[b->sel[i]];
    else
        for (uint32_t i = 0; i < b->n_sel; i++)
            to[i] = !vec_is_null(v, batch_row(b, i));
}

/* to[i] = value of row i that counts, by the column's form. */
#define ADD_VALUES(T)                                                                    \
    do {                                                                                 \
        T *out = (T *)(void *)to;                                                        \
        if (v->kind == VEC_FLAT && !b->sel) {                                            \
            memcpy(out, v->data, b->n_sel * sizeof(T));                                  \
        } else if (v->kind == VEC_FLAT) {                                                \
            const T *from = v->data;                                                     \
            for (uint32_t i = 0; i < b->n_sel; i++)                                      \
                out[i] = from[b->sel[i]];                                                \
        } else if (v->kind == VEC_CONST) {                                               \
            const T x = *(const T *)v->data;                                             \
            for (uint32_t i = 0; i < b->n_sel; i++)                                      \
                out[i] = x;                                                              \
        } else {                                                                         \
            const T *from = v->dict->data;                                               \
            for (uint32_t i = 0; i < b->n_sel; i++) {                                    \
                uint32_t row = batch_row(b, i);                                          \
                out[i] = !v->valid || v->valid[row] ? from[v->codes[row]] : (T){ 0 };    \
            }                                                                            \
        }                                                                                \
    } while (0)

static void add_fixed(char *to, uint32_t width, const struct vec *v,
                      const struct batch *b)
{
    switch (width) {
    case 1:
        ADD_VALUES(uint8_t);
        break;
    case 2:
        ADD_VALUES(uint16_t);
        break;
    case 4:
        ADD_VALUES(uint32_t);
        break;
    case 8:
        ADD_VALUES(uint64_t);
        break;
    default:
        ADD_VALUES(struct sixteen);
        break;
    }
}

static char *text_room(struct rows *r, size_t bytes)
{
    return r->file ? row_file_text(r->file, bytes) : arena_bytes(&r->text, bytes);
}

static struct str keep_text(struct rows *r, const struct str *s)
{
    struct str kept = *s;

    if (s->len <= STR_INLINE)
        return kept;
    char *p = text_room(r, s->len);
    memcpy(p, s->u.p, s->len);
    kept.u.p = p;
    return kept;
}

static void memo_start(struct row_memo *m, const struct vec *dict)
{
    if (dict->serial && dict->serial == m->serial && dict->n_values == m->n)
        return;
    if (dict->n_values > m->cap) {
        m->cap = dict->n_values;
        m->kept = xrealloc(m->kept, mem_product(m->cap, sizeof *m->kept));
        m->known = xrealloc(m->known, m->cap);
    }
    m->serial = dict->serial;
    m->n = dict->n_values;
    memset(m->known, 0, m->n);
}

/* Text of a dictionary: each entry is kept once. */
static void add_shared_text(struct rows *r, struct row_column *col, const struct vec *v,
                            const struct batch *b)
{
    struct str *to = (struct str *)(void *)col->data + r->n;
    const struct str *from = v->dict->data;

    if (!col->memo)
        col->memo = xcalloc(1, sizeof *col->memo);
    memo_start(col->memo, v->dict);
    struct row_memo *m = col->memo;
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (vec_is_null(v, row)) {
            to[i] = (struct str){ 0 };
            continue;
        }
        uint32_t code = v->codes[row];
        if (!m->known[code]) {
            m->kept[code] = keep_text(r, &from[code]);
            m->known[code] = 1;
        }
        to[i] = m->kept[code];
    }
}

/* Values first, then the long ones' bytes move over in one piece. */
static void add_text(struct rows *r, struct row_column *col, const struct vec *v,
                     const struct batch *b)
{
    struct str *to = (struct str *)(void *)col->data + r->n;
    const uint8_t *valid = col->valid ? col->valid + r->n : NULL;
    size_t bytes = 0;

    if (v->kind == VEC_CONST && b->n_sel && !vec_is_null(v, 0)) {
        struct str kept = keep_text(r, v->data);

        for (uint32_t i = 0; i < b->n_sel; i++)
            to[i] = kept;
        return;
    }
    if (v->kind == VEC_DICT && v->dict->n_values && v->dict->n_values <= MEMO_MOST) {
        add_shared_text(r, col, v, b);
        return;
    }
    add_fixed((char *)to, sizeof *to, v, b);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        if (valid && !valid[i])
            to[i] = (struct str){ 0 };
        bytes += to[i].len > STR_INLINE ? to[i].len : 0;
    }
    if (bytes == 0)
        return;
    char *p = text_room(r, bytes);
    for (uint32_t i = 0; i < b->n_sel; i++)
        if (to[i].len > STR_INLINE) {
            memcpy(p, to[i].u.p, to[i].len);
            to[i].u.p = p;
            p += to[i].len;
        }
}

void rows_append(struct rows *r, const struct batch *b)
{
    if (b->n_sel == 0)
        return;
    grow(r, rows_cap_for(r, (uint64_t)r->n + b->n_sel));
    for (uint32_t c = 0; c < r->n_columns; c++) {
        struct row_column *col = &r->columns[c];
        const struct vec *v = &b->columns[c];

        add_mask(r, col, v, b);
        if (v->type.id == TYPE_NULL)
            memset(col->data + (size_t)r->n * col->width, 0, b->n_sel * col->width);
        else if (col->is_text)
            add_text(r, col, v, b);
        else
            add_fixed(col->data + (size_t)r->n * col->width, col->width, v, b);
    }
    r->n += b->n_sel;
}

/* ---- reading ---- */

void rows_view(const struct rows *r, uint32_t from, uint32_t n, struct vec *columns)
{
    static char nothing[16];

    (void)n;
    for (uint32_t c = 0; c < r->n_columns; c++) {
        const struct row_column *col = &r->columns[c];

        columns[c] = (struct vec){
            .type = col->type,
            .data = col->data ? col->data + (size_t)from * col->width : nothing,
            .valid = col->valid ? col->valid + from : NULL,
        };
    }
}

#define GATHER(T)                                                                        \
    do {                                                                                 \
        const T *from = (const T *)(const void *)data;                                   \
        T *out_ = (T *)out;                                                              \
        if (to)                                                                          \
            for (uint32_t i = 0; i < n; i++)                                             \
                out_[to[i]] = from[ids[i]];                                              \
        else                                                                             \
            for (uint32_t i = 0; i < n; i++)                                             \
                out_[i] = from[ids[i]];                                                  \
    } while (0)

static void gather_fixed(uint32_t width, const char *data, const uint32_t *ids,
                         uint32_t n, const uint32_t *to, void *out)
{
    switch (width) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        GATHER(struct sixteen);
        break;
    }
}

/* The same where some ids are ROWS_NONE. */
static void gather_some(uint32_t width, const char *data, const uint32_t *ids, uint32_t n,
                        const uint32_t *to, char *out)
{
    for (uint32_t i = 0; i < n; i++) {
        char *at = out + (size_t)(to ? to[i] : i) * width;

        if (ids[i] == ROWS_NONE)
            memset(at, 0, width);
        else
            memcpy(at, data + (size_t)ids[i] * width, width);
    }
}

bool rows_gather(const struct rows *r, uint32_t column, const uint32_t *ids, uint32_t n,
                 const uint32_t *to, bool nulls, struct vec *out)
{
    const struct row_column *col = &r->columns[column];

    if (nulls)
        gather_some(col->width, col->data, ids, n, to, out->data);
    else if (n)
        gather_fixed(col->width, col->data, ids, n, to, out->data);
    if (!nulls && !col->valid)
        return false;
    for (uint32_t i = 0; i < n; i++)
        out->valid[to ? to[i] : i] =
            ids[i] != ROWS_NONE && (!col->valid || col->valid[ids[i]]);
    return true;
}

bool vec_gather(const struct vec *v, const uint32_t *pick, uint32_t n, bool nulls,
                struct vec *out, uint32_t at)
{
    size_t width = type_width(v->type);
    char *to = (char *)out->data + at * width;
    bool mask = nulls || v->valid || (v->kind == VEC_DICT && v->dict->valid);

    if (v->kind == VEC_FLAT && !nulls) {
        gather_fixed((uint32_t)width, v->data, pick, n, NULL, to);
        if (v->valid)
            for (uint32_t i = 0; i < n; i++)
                out->valid[at + i] = v->valid[pick[i]];
        return mask;
    }
    for (uint32_t i = 0; i < n; i++) {
        bool null = pick[i] == ROWS_NONE || (mask && vec_is_null(v, pick[i]));

        if (mask)
            out->valid[at + i] = !null;
        if (null)
            memset(to + i * width, 0, width);
        else
            memcpy(to + i * width, vec_at(v, pick[i]), width);
    }
    return mask;
}

/* ---- scratch ---- */

void scratch_init(struct scratch *s, struct arena *a, const struct type *types,
                  uint32_t n)
{
    s->n = n;
    s->columns = arena_array(a, n ? n : 1, sizeof *s->columns);
    s->masks = arena_array(a, n ? n : 1, sizeof *s->masks);
    for (uint32_t c = 0; c < n; c++) {
        s->columns[c] = vec_flat(a, types[c], BATCH_ROWS, true);
        s->masks[c] = s->columns[c].valid;
    }
}

struct vec *scratch_column(struct scratch *s, uint32_t c)
{
    s->columns[c].valid = s->masks[c];
    return &s->columns[c];
}
