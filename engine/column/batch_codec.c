/* Batches as bytes; see batch_codec.h. */
#include "engine/column/batch_codec.h"

enum form { FORM_FLAT, FORM_CONST, FORM_DICT };

/* Dictionaries with larger codes are written out row by row. */
enum { DICT_CODES = 4096 };

struct column_head {
    uint8_t form, has_mask, width, is_text;
    uint32_t entries;
};

static size_t pad8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static char *room(struct strbuf *out, size_t n)
{
    size_t at = out->len;

    strbuf_fill(out, 0, pad8(n));
    return out->p + at;
}

/* ---- writing ---- */

static bool may_be_null(const struct vec *v)
{
    return v->valid || (v->kind == VEC_DICT && v->dict->valid);
}

static void put_mask(struct strbuf *out, const struct vec *v, const struct batch *b)
{
    uint8_t *to = (uint8_t *)room(out, b->n_sel);

    if (v->kind == VEC_FLAT && !b->sel) {
        memcpy(to, v->valid, b->n_sel);
        return;
    }
    for (uint32_t i = 0; i < b->n_sel; i++)
        to[i] = !vec_is_null(v, batch_row(b, i));
}

struct sixteen {
    uint64_t half[2];
};

/* Values of the rows that count, in a row. Codes of NULL rows are not looked at. */
static void put_values(char *to, const struct vec *v, const struct batch *b)
{
    size_t width = type_width(v->type);

    if (v->kind == VEC_FLAT && !b->sel) {
        memcpy(to, v->data, b->n_sel * width);
        return;
    }
    if (v->kind == VEC_DICT) {
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);

            if (!v->valid || v->valid[row])
                memcpy(to + i * width, vec_at(v, row), width);
        }
        return;
    }
#define PICK(T)                                                                          \
    do {                                                                                 \
        const T *from = v->data;                                                         \
        for (uint32_t i = 0; i < b->n_sel; i++)                                          \
            memcpy(to + i * sizeof(T), &from[b->sel[i]], sizeof(T));                     \
    } while (0)
    switch (width) {
    case 1:
        PICK(uint8_t);
        break;
    case 2:
        PICK(uint16_t);
        break;
    case 4:
        PICK(uint32_t);
        break;
    case 8:
        PICK(uint64_t);
        break;
    default:
        PICK(struct sixteen);
        break;
    }
#undef PICK
}

/* Lengths, then the bytes. rows NULL: one text, the first. */
static void put_text(struct strbuf *out, const struct vec *v, const uint32_t *rows,
                     uint32_t n)
{
    size_t at = out->len, bytes = 0;

    room(out, n * sizeof(uint32_t));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = rows ? rows[i] : i;
        uint32_t len =
            vec_is_null(v, row) ? 0 : ((const struct str *)vec_at(v, row))->len;

        memcpy(out->p + at + i * sizeof len, &len, sizeof len);
        bytes += len;
    }
    char *to = room(out, bytes);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = rows ? rows[i] : i;

        if (vec_is_null(v, row))
            continue;
        struct sv s = str_sv(vec_at(v, row));
        if (s.len)
            memcpy(to, s.p, s.len);
        to += s.len;
    }
}

/* Text of all rows that count, without a list of them. */
static void put_rows_text(struct strbuf *out, const struct vec *v, const struct batch *b)
{
    uint32_t rows[BATCH_ROWS];

    if (!b->sel) {
        put_text(out, v, NULL, b->n_sel);
        return;
    }
    memcpy(rows, b->sel, b->n_sel * sizeof *rows);
    put_text(out, v, rows, b->n_sel);
}

/* The entries that rows use, numbered anew in order of first use. False: too many, or
 * not worth it. */
static bool renumber(const struct vec *v, const struct batch *b, uint32_t *codes,
                     uint32_t *used, uint32_t *n_used)
{
    uint16_t as[DICT_CODES]; /* 1 + the new number */
    uint32_t n = 0;

    memset(as, 0, sizeof as);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        codes[i] = 0;
        if (vec_is_null(v, row))
            continue;
        uint32_t code = v->codes[row];
        if (code >= DICT_CODES)
            return false;
        if (!as[code]) {
            if (n >= b->n_sel / 2)
                return false;
            used[n++] = code;
            as[code] = (uint16_t)n;
        }
        codes[i] = as[code] - 1u;
    }
    *n_used = n;
    return n > 0;
}

static void encode_column(struct strbuf *out, const struct vec *v, const struct batch *b)
{
    uint32_t codes[BATCH_ROWS], used[BATCH_ROWS];
    struct column_head head = { .width = (uint8_t)type_width(v->type),
                                .is_text = type_is_text(v->type),
                                .entries = b->n_sel };

    if (v->kind == VEC_CONST) {
        head.form = FORM_CONST;
        head.entries = 1;
        head.has_mask = v->valid && !v->valid[0]; /* and then it is NULL */
    } else {
        head.has_mask = may_be_null(v);
        if (v->kind == VEC_DICT && head.is_text &&
            renumber(v, b, codes, used, &head.entries))
            head.form = FORM_DICT;
    }
    memcpy(room(out, sizeof head), &head, sizeof head);
    if (v->kind == VEC_CONST) {
        if (head.has_mask)
            return;
        if (head.is_text)
            put_text(out, v, NULL, 1);
        else
            memcpy(room(out, head.width), v->data, head.width);
        return;
    }
    if (head.has_mask)
        put_mask(out, v, b);
    if (head.form == FORM_DICT) {
        memcpy(room(out, b->n_sel * sizeof *codes), codes, b->n_sel * sizeof *codes);
        put_text(out, v->dict, used, head.entries);
    } else if (head.is_text) {
        put_rows_text(out, v, b);
    } else {
        put_values(room(out, (size_t)b->n_sel * head.width), v, b);
    }
}

void batch_encode(struct strbuf *out, const struct batch *b)
{
    uint32_t head[2] = { b->n_sel, b->n_columns };

    memcpy(room(out, sizeof head), head, sizeof head);
    for (uint32_t c = 0; b->n_sel && c < b->n_columns; c++)
        encode_column(out, &b->columns[c], b);
}

/* ---- reading ---- */

struct cursor {
    struct arena *arena;
    struct sv left;
};

/* n bytes and their padding; NULL: cut. */
static const char *take(struct cursor *c, size_t n)
{
    const char *p = c->left.p;

    if (n > c->left.len || pad8(n) > c->left.len)
        return NULL;
    c->left.p += pad8(n);
    c->left.len -= pad8(n);
    return p;
}

/* The same at a place fit for values. */
static void *take_aligned(struct cursor *c, size_t n)
{
    const char *p = take(c, n);

    if (!p || (uintptr_t)p % 8 == 0)
        return (void *)(uintptr_t)p;
    void *copy = arena_alloc(c->arena, n ? n : 1);
    memcpy(copy, p, n);
    return copy;
}

static struct str *take_text(struct cursor *c, uint32_t n)
{
    const char *lens = take(c, n * sizeof(uint32_t));
    uint64_t bytes = 0;

    if (!lens)
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;

        memcpy(&len, lens + i * sizeof len, sizeof len);
        bytes += len;
    }
    const char *p = take(c, bytes);
    if (!p)
        return NULL;
    struct str *to = arena_array(c->arena, n ? n : 1, sizeof *to);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;

        memcpy(&len, lens + i * sizeof len, sizeof len);
        to[i] = str_make(p, len);
        p += len;
    }
    return to;
}

static bool mask_is_sane(const uint8_t *mask, uint32_t n)
{
    uint8_t all = 0;

    for (uint32_t i = 0; i < n; i++)
        all |= mask[i];
    return all <= 1;
}

static bool codes_are_sane(const uint32_t *codes, uint32_t n, uint32_t entries)
{
    bool sane = true;

    for (uint32_t i = 0; i < n; i++)
        sane &= codes[i] < entries;
    return sane;
}

static void *take_entries(struct cursor *c, const struct column_head *head, uint32_t n)
{
    return head->is_text ? (void *)take_text(c, n)
                         : take_aligned(c, (size_t)n * head->width);
}

static bool decode_column(struct cursor *c, struct type t, uint32_t rows, struct vec *out)
{
    struct column_head head;
    const char *p = take(c, sizeof head);

    if (!p)
        return false;
    memcpy(&head, p, sizeof head);
    if (head.width != type_width(t) || head.is_text != type_is_text(t) ||
        head.has_mask > 1)
        return false;
    *out = (struct vec){ .type = t };
    if (head.form == FORM_CONST) {
        out->kind = VEC_CONST;
        if (head.has_mask) {
            out->data = arena_alloc(c->arena, 16);
            out->valid = arena_alloc(c->arena, 1);
            return true;
        }
        out->data = take_entries(c, &head, 1);
        return out->data != NULL;
    }
    if (head.has_mask) {
        out->valid = (uint8_t *)(uintptr_t)take(c, rows);
        if (!out->valid || !mask_is_sane(out->valid, rows))
            return false;
    }
    if (head.form == FORM_FLAT) {
        out->data = take_entries(c, &head, rows);
        return head.entries == rows && out->data;
    }
    if (head.form != FORM_DICT || !head.is_text)
        return false;
    struct vec *dict = ARENA_NEW(c->arena, struct vec);
    *dict = (struct vec){ .type = t, .n_values = head.entries };
    out->kind = VEC_DICT;
    out->dict = dict;
    out->codes = take_aligned(c, rows * sizeof(uint32_t));
    if (!out->codes || !codes_are_sane(out->codes, rows, head.entries))
        return false;
    dict->data = take_text(c, head.entries);
    return dict->data != NULL;
}

enum errc batch_decode(struct arena *a, struct sv bytes, const struct type *types,
                       uint32_t n_columns, struct batch *out, size_t *used,
                       struct err *err)
{
    struct cursor c = { a, bytes };
    const char *p = take(&c, 8);
    uint32_t head[2];

    if (!p)
        return err_set(err, ERR_CORRUPT, "a batch of rows is cut short");
    memcpy(head, p, sizeof head);
    if (head[0] > BATCH_ROWS || head[1] != n_columns)
        return err_set(err, ERR_CORRUPT, "a batch of %u rows, %u columns cannot be",
                       head[0], head[1]);
    struct batch b = { .n_rows = head[0], .n_sel = head[0], .n_columns = n_columns };
    b.columns = arena_array(a, n_columns ? n_columns : 1, sizeof *b.columns);
    for (uint32_t i = 0; i < n_columns; i++) {
        b.columns[i] = (struct vec){ .type = types[i] };
        if (b.n_rows && !decode_column(&c, types[i], b.n_rows, &b.columns[i]))
            return err_set(err, ERR_CORRUPT, "column %u of a batch of rows is damaged",
                           i);
        if (!b.n_rows)
            b.columns[i].data = arena_alloc(a, 16);
    }
    *out = b;
    *used = (size_t)(c.left.p - bytes.p);
    return ERR_OK;
}
