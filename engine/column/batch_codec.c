/* Batches as bytes; see batch_codec.h. */
#include "engine/column/batch_codec.h"

enum form { FORM_FLAT, FORM_CONST, FORM_DICT, FORM_NARROW };
enum { TEXT_LENGTHS = 1, TEXT_SHORT = 2 };

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

/* Is any row that counts NULL? Their masks go to `mask`. */
static bool find_nulls(const struct vec *v, const struct batch *b, uint8_t *mask)
{
    if (!v->valid && !(v->kind == VEC_DICT && v->dict->valid))
        return false;
    if (v->kind == VEC_FLAT && !b->sel)
        memcpy(mask, v->valid, b->n_sel);
    else
        for (uint32_t i = 0; i < b->n_sel; i++)
            mask[i] = !vec_is_null(v, batch_row(b, i));
    return memchr(mask, 0, b->n_sel) != NULL;
}

static void put_mask(struct strbuf *out, const uint8_t *mask, uint32_t n)
{
    uint8_t *to = (uint8_t *)room(out, (n + 7) / 8);

    for (uint32_t i = 0; i < n; i++)
        to[i / 8] |= (uint8_t)((mask[i] & 1) << (i % 8));
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

/* ---- whole numbers as offsets from the smallest ---- */

static bool is_whole(struct type t)
{
    return t.id != TYPE_FLOAT && t.id != TYPE_DOUBLE && !type_is_text(t) &&
           type_width(t) > 1;
}

/* Values as 64 bits; false: one does not fit. Those of NULL rows are the first valid. */
static bool widen(const char *from, size_t width, const uint8_t *mask, uint32_t n,
                  int64_t *to)
{
    bool fits = true;
    int64_t spare = 0;

#define WIDEN(T)                                                                         \
    for (uint32_t i = 0; i < n; i++) {                                                   \
        T x;                                                                             \
        memcpy(&x, from + i * sizeof x, sizeof x);                                       \
        to[i] = x;                                                                       \
    }
    switch (width) {
    case 2:
        WIDEN(int16_t)
        break;
    case 4:
        WIDEN(int32_t)
        break;
    case 8:
        memcpy(to, from, n * sizeof *to);
        break;
    default:
        for (uint32_t i = 0; i < n; i++) {
            struct sixteen x;

            memcpy(&x, from + i * sizeof x, sizeof x);
            to[i] = (int64_t)x.half[0];
            fits &= (!mask || mask[i]) ? x.half[1] == (uint64_t)(to[i] >> 63) : true;
        }
    }
#undef WIDEN
    if (!mask || !fits)
        return fits;
    for (uint32_t i = n; i-- > 0;)
        spare = mask[i] ? to[i] : spare;
    for (uint32_t i = 0; i < n; i++)
        to[i] = mask[i] ? to[i] : spare;
    return true;
}

/* Bytes that hold every offset from *base: 1, 2, 4 or 8. */
static uint32_t offset_bytes(const int64_t *x, uint32_t n, int64_t *base)
{
    int64_t low = x[0], high = x[0];

    for (uint32_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    uint64_t range = (uint64_t)high - (uint64_t)low;
    *base = low;
    return range <= UINT8_MAX ? 1 : range <= UINT16_MAX ? 2 : range <= UINT32_MAX ? 4 : 8;
}

static void put_offsets(struct strbuf *out, const int64_t *x, uint32_t n, int64_t base,
                        uint32_t width)
{
    char *to;

    memcpy(room(out, sizeof base), &base, sizeof base);
    to = room(out, (size_t)n * width);
#define OFFSETS(T)                                                                       \
    for (uint32_t i = 0; i < n; i++) {                                                   \
        T d = (T)((uint64_t)x[i] - (uint64_t)base);                                      \
        memcpy(to + i * sizeof d, &d, sizeof d);                                         \
    }
    switch (width) {
    case 1:
        OFFSETS(uint8_t)
        break;
    case 2:
        OFFSETS(uint16_t)
        break;
    case 4:
        OFFSETS(uint32_t)
        break;
    default:
        OFFSETS(uint64_t)
    }
#undef OFFSETS
}

/* Writes the column's head too. False: nothing is written, as it would not be shorter. */
static bool put_narrow(struct strbuf *out, struct column_head *head, const struct vec *v,
                       const struct batch *b, const uint8_t *mask)
{
    char room_for[BATCH_ROWS * sizeof(struct sixteen)];
    const char *values = room_for;
    int64_t x[BATCH_ROWS], base;
    uint32_t width;

    x[0] = 0;
    if (!is_whole(v->type))
        return false;
    if (v->kind == VEC_FLAT && !b->sel)
        values = v->data;
    else
        put_values(room_for, v, b);
    if (!widen(values, head->width, mask, b->n_sel, x))
        return false;
    width = offset_bytes(x, b->n_sel, &base);
    if (width >= head->width)
        return false;
    head->form = FORM_NARROW;
    head->entries = width;
    memcpy(room(out, sizeof *head), head, sizeof *head);
    if (mask)
        put_mask(out, mask, b->n_sel);
    put_offsets(out, x, b->n_sel, base, width);
    return true;
}

/* ---- text ---- */

/* Lengths, then the bytes. rows NULL: one after another from the first. */
static void put_text(struct strbuf *out, struct column_head *head, size_t head_at,
                     const struct vec *v, const uint32_t *rows, uint32_t n)
{
    uint32_t lens[BATCH_ROWS], most = 0;
    size_t bytes = 0;
    char *to;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = rows ? rows[i] : i;

        lens[i] = vec_is_null(v, row) ? 0 : ((const struct str *)vec_at(v, row))->len;
        most = lens[i] > most ? lens[i] : most;
        bytes += lens[i];
    }
    head->is_text = most <= UINT8_MAX ? TEXT_SHORT : TEXT_LENGTHS;
    memcpy(out->p + head_at, head, sizeof *head);
    if (head->is_text == TEXT_SHORT) {
        to = room(out, n);
        for (uint32_t i = 0; i < n; i++)
            to[i] = (char)(uint8_t)lens[i];
    } else {
        memcpy(room(out, n * sizeof *lens), lens, n * sizeof *lens);
    }
    to = room(out, bytes);
    for (uint32_t i = 0; i < n; i++) {
        if (!lens[i])
            continue;
        struct sv s = str_sv(vec_at(v, rows ? rows[i] : i));
        memcpy(to, s.p, s.len);
        to += s.len;
    }
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
    if (n == 0)
        return false;
    *n_used = n;
    return true;
}

/* One or two bytes each, as the number of entries says. */
static void put_codes(struct strbuf *out, const uint32_t *codes, uint32_t n,
                      uint32_t entries)
{
    char *to = room(out, entries <= 256 ? n : n * sizeof(uint16_t));

    for (uint32_t i = 0; i < n; i++)
        if (entries <= 256) {
            to[i] = (char)(uint8_t)codes[i];
        } else {
            uint16_t code = (uint16_t)codes[i];
            memcpy(to + i * sizeof code, &code, sizeof code);
        }
}

static void encode_const(struct strbuf *out, struct column_head *head,
                         const struct vec *v)
{
    size_t at = out->len;

    head->form = FORM_CONST;
    head->entries = 1;
    head->has_mask = v->valid && !v->valid[0]; /* and then it is NULL */
    memcpy(room(out, sizeof *head), head, sizeof *head);
    if (head->has_mask)
        return;
    if (head->is_text)
        put_text(out, head, at, v, NULL, 1);
    else
        memcpy(room(out, head->width), v->data, head->width);
}

static void encode_column(struct strbuf *out, const struct vec *v, const struct batch *b)
{
    uint32_t codes[BATCH_ROWS], used[BATCH_ROWS];
    uint8_t mask[BATCH_ROWS];
    size_t at = out->len;
    struct column_head head = { .width = (uint8_t)type_width(v->type),
                                .is_text = type_is_text(v->type),
                                .entries = b->n_sel };

    if (v->kind == VEC_CONST) {
        encode_const(out, &head, v);
        return;
    }
    head.has_mask = find_nulls(v, b, mask);
    if (put_narrow(out, &head, v, b, head.has_mask ? mask : NULL))
        return;
    if (v->kind == VEC_DICT && head.is_text && renumber(v, b, codes, used, &head.entries))
        head.form = FORM_DICT;
    memcpy(room(out, sizeof head), &head, sizeof head);
    if (head.has_mask)
        put_mask(out, mask, b->n_sel);
    if (head.form == FORM_DICT) {
        put_codes(out, codes, b->n_sel, head.entries);
        put_text(out, &head, at, v->dict, used, head.entries);
    } else if (head.is_text) {
        put_text(out, &head, at, v, b->sel, b->n_sel);
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

static uint32_t length_at(const char *lens, bool is_short, uint32_t i)
{
    uint32_t len;

    if (is_short)
        return (uint8_t)lens[i];
    memcpy(&len, lens + i * sizeof len, sizeof len);
    return len;
}

static struct str *take_text(struct cursor *c, uint32_t n, bool is_short)
{
    const char *lens = take(c, is_short ? n : n * sizeof(uint32_t));
    uint64_t bytes = 0;

    if (!lens)
        return NULL;
    for (uint32_t i = 0; i < n; i++)
        bytes += length_at(lens, is_short, i);
    const char *p = take(c, bytes);
    if (!p)
        return NULL;
    struct str *to = arena_array(c->arena, n ? n : 1, sizeof *to);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = length_at(lens, is_short, i);

        to[i] = str_make(p, len);
        p += len;
    }
    return to;
}

static uint8_t *take_mask(struct cursor *c, uint32_t n)
{
    const uint8_t *bits = (const uint8_t *)take(c, (n + 7) / 8);
    uint8_t *to;

    if (!bits)
        return NULL;
    to = arena_alloc(c->arena, n ? n : 1);
    for (uint32_t i = 0; i < n; i++)
        to[i] = bits[i / 8] >> (i % 8) & 1;
    return to;
}

/* NULL: cut, or a code without entry. */
static uint32_t *take_codes(struct cursor *c, uint32_t n, uint32_t entries)
{
    const char *p = take(c, entries <= 256 ? n : n * sizeof(uint16_t));
    uint32_t *to;
    bool sane = true;

    if (!p || entries > DICT_CODES)
        return NULL;
    to = arena_array(c->arena, n ? n : 1, sizeof *to);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t code;

        if (entries <= 256) {
            to[i] = (uint8_t)p[i];
        } else {
            memcpy(&code, p + i * sizeof code, sizeof code);
            to[i] = code;
        }
        sane &= to[i] < entries;
    }
    return sane ? to : NULL;
}

static void *take_entries(struct cursor *c, const struct column_head *head, uint32_t n)
{
    return head->is_text ? (void *)take_text(c, n, head->is_text == TEXT_SHORT)
                         : take_aligned(c, (size_t)n * head->width);
}

/* Offsets of `from` bytes as values of `width` bytes. */
static void *take_offsets(struct cursor *c, uint32_t n, uint32_t from, size_t width)
{
    const char *at = take(c, sizeof(int64_t)), *p;
    uint64_t base;
    char *to;

    if (!at || (from != 1 && from != 2 && from != 4 && from != 8))
        return NULL;
    memcpy(&base, at, sizeof base);
    p = take(c, (size_t)n * from);
    if (!p)
        return NULL;
    to = arena_alloc(c->arena, n * width + 16);
#define VALUES(T, U)                                                                     \
    for (uint32_t i = 0; i < n; i++) {                                                   \
        T d;                                                                             \
        memcpy(&d, p + i * sizeof d, sizeof d);                                          \
        U x = (U)(base + d);                                                             \
        memcpy(to + i * sizeof x, &x, sizeof x);                                         \
    }
#define VALUES_OF(T)                                                                     \
    switch (width) {                                                                     \
    case 2:                                                                              \
        VALUES(T, uint16_t)                                                              \
        break;                                                                           \
    case 4:                                                                              \
        VALUES(T, uint32_t)                                                              \
        break;                                                                           \
    case 8:                                                                              \
        VALUES(T, uint64_t)                                                              \
        break;                                                                           \
    default:                                                                             \
        for (uint32_t i = 0; i < n; i++) {                                               \
            T d;                                                                         \
            memcpy(&d, p + i * sizeof d, sizeof d);                                      \
            uint64_t x = base + d;                                                       \
            struct sixteen wide = { { x, (uint64_t)((int64_t)x >> 63) } };               \
            memcpy(to + i * sizeof wide, &wide, sizeof wide);                            \
        }                                                                                \
    }
    switch (from) {
    case 1:
        VALUES_OF(uint8_t)
        break;
    case 2:
        VALUES_OF(uint16_t)
        break;
    case 4:
        VALUES_OF(uint32_t)
        break;
    default:
        VALUES_OF(uint64_t)
    }
#undef VALUES_OF
#undef VALUES
    return to;
}

static bool decode_column(struct cursor *c, struct type t, uint32_t rows, struct vec *out)
{
    struct column_head head;
    const char *p = take(c, sizeof head);

    if (!p)
        return false;
    memcpy(&head, p, sizeof head);
    if (head.width != type_width(t) || (head.is_text != 0) != type_is_text(t) ||
        head.is_text > TEXT_SHORT || head.has_mask > 1)
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
        out->valid = take_mask(c, rows);
        if (!out->valid)
            return false;
    }
    if (head.form == FORM_NARROW) {
        out->data = head.is_text || head.entries >= head.width
                        ? NULL
                        : take_offsets(c, rows, head.entries, head.width);
        return out->data != NULL;
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
    out->codes = take_codes(c, rows, head.entries);
    if (!out->codes)
        return false;
    dict->data = take_text(c, head.entries, head.is_text == TEXT_SHORT);
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
