/* Key columns into words and hashes; see keys.h. */
#include "engine/exec/keys.h"

#include "base/mem.h"

#include <stdlib.h>

static uint32_t bits_of(struct type t)
{
    return t.id == TYPE_BOOLEAN || t.id == TYPE_NULL ? 8 : (uint32_t)type_width(t) * 8;
}

/* Widest first, so that words fill without gaps. */
void key_layout_init(struct key_layout *l, struct arena *a, const struct type *types,
                     uint32_t n)
{
    static const uint32_t sizes[] = { 128, 64, 32, 16, 8 };
    uint32_t at = 0; /* bits given out */

    *l = (struct key_layout){ .n_keys = n };
    l->parts = arena_array(a, n ? n : 1, sizeof *l->parts);
    for (uint32_t c = 0; c < n; c++) {
        struct key_part *p = &l->parts[c];

        p->type = types[c];
        p->is_text = type_is_text(types[c]);
        p->bits = p->is_text ? 0 : bits_of(types[c]);
        if (p->is_text)
            p->text = l->n_texts++;
    }
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        for (uint32_t c = 0; c < n; c++)
            if (l->parts[c].bits == sizes[s]) {
                l->parts[c].word = at / 64;
                l->parts[c].shift = at % 64;
                at += sizes[s];
            }
    l->n_words = (at + 63) / 64;
    l->null_word = l->n_words;
    if (n > KEY_NULLS)
        l->n_words += (n - KEY_NULLS + 63) / 64;
    l->bytes = 8 + 8 * l->n_words + 16 * l->n_texts;
}

void key_batch_init(struct key_batch *k, struct arena *a, const struct key_layout *l)
{
    *k = (struct key_batch){ 0 };
    k->check = arena_array(a, BATCH_ROWS, sizeof *k->check);
    k->words = arena_array(a, (size_t)BATCH_ROWS * (l->n_words + 1), sizeof *k->words);
    k->texts = arena_array(a, (size_t)BATCH_ROWS * (l->n_texts + 1), sizeof *k->texts);
    k->scratch = arena_array(a, 2 * BATCH_ROWS, sizeof *k->scratch);
}

void key_batch_release(struct key_batch *k)
{
    free(k->hashes);
    k->hashes = NULL;
    k->hashes_cap = 0;
}

/* ---- values ---- */

#define LOAD(T)                                                                          \
    do {                                                                                 \
        const T *from = v->kind == VEC_DICT ? v->dict->data : v->data;                   \
        if (v->kind == VEC_FLAT && !b->sel)                                              \
            for (uint32_t i = 0; i < n; i++)                                             \
                to[i] = from[i];                                                         \
        else if (v->kind == VEC_FLAT)                                                    \
            for (uint32_t i = 0; i < n; i++)                                             \
                to[i] = from[b->sel[i]];                                                 \
        else if (v->kind == VEC_CONST)                                                   \
            for (uint32_t i = 0; i < n; i++)                                             \
                to[i] = from[0];                                                         \
        else                                                                             \
            for (uint32_t i = 0; i < n; i++) {                                           \
                uint32_t row = batch_row(b, i);                                          \
                to[i] = !v->valid || v->valid[row] ? from[v->codes[row]] : 0;            \
            }                                                                            \
    } while (0)

static void normalise_double(uint64_t *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        double f;

        memcpy(&f, &to[i], sizeof f);
        to[i] = f != f ? UINT64_C(0x7ff8000000000000) : f == 0 ? 0 : to[i];
    }
}

static void normalise_float(uint64_t *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)to[i];
        float f;

        memcpy(&f, &bits, sizeof f);
        to[i] = f != f ? UINT32_C(0x7fc00000) : f == 0 ? 0 : bits;
    }
}

/* Zero-extended bits of the rows that count; a wide decimal's halves one behind the
 * other. */
static void load(const struct vec *v, const struct batch *b, uint32_t bits, uint64_t *to)
{
    uint32_t n = b->n_sel;

    switch (bits) {
    case 8:
        LOAD(uint8_t);
        break;
    case 16:
        LOAD(uint16_t);
        break;
    case 32:
        LOAD(uint32_t);
        break;
    case 64:
        LOAD(uint64_t);
        break;
    default:
        for (uint32_t i = 0; i < n; i++) {
            uint32_t row = batch_row(b, i);
            uint64_t half[2] = { 0 };

            if (!vec_is_null(v, row))
                memcpy(half, vec_at(v, row), sizeof half);
            to[i] = half[0];
            to[BATCH_ROWS + i] = half[1];
        }
        break;
    }
    if (v->type.id == TYPE_DOUBLE)
        normalise_double(to, n);
    else if (v->type.id == TYPE_FLOAT)
        normalise_float(to, n);
}

static bool may_be_null(const struct vec *v)
{
    return v->valid || (v->kind == VEC_DICT && v->dict->valid) || v->type.id == TYPE_NULL;
}

static bool null_at(const struct vec *v, uint32_t row)
{
    return v->type.id == TYPE_NULL || vec_is_null(v, row);
}

/* ---- hashes ---- */

static uint64_t load64(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t text_hash(const struct str *s)
{
    if (s->len <= STR_INLINE) {
        uint64_t w[2];

        memcpy(w, s, sizeof w);
        return key_mix(w[0], w[1]);
    }
    const char *p = s->u.p;
    size_t left = s->len;
    uint64_t h = left;
    for (; left > 8; left -= 8, p += 8)
        h = key_mix(h, load64(p));
    return key_mix(h, load64(s->u.p + s->len - 8));
}

/* The hashes of a dictionary's texts, computed once for it. NULL: rather row by row. */
static const uint64_t *dict_hashes(struct key_batch *k, const struct vec *dict,
                                   uint32_t n_rows)
{
    if (!dict->n_values)
        return NULL;
    if (dict->serial && dict->serial == k->hashes_serial && dict->n_values == k->hashes_n)
        return k->hashes;
    if (dict->n_values > n_rows)
        return NULL;
    if (dict->n_values > k->hashes_cap) {
        k->hashes_cap = dict->n_values;
        k->hashes = xrealloc(k->hashes, mem_product(k->hashes_cap, sizeof *k->hashes));
    }
    const struct str *text = dict->data;
    for (uint32_t i = 0; i < dict->n_values; i++)
        k->hashes[i] = dict->valid && !dict->valid[i] ? 0 : text_hash(&text[i]);
    k->hashes_serial = dict->serial;
    k->hashes_n = dict->n_values;
    return k->hashes;
}

/* ---- a batch ---- */

static void encode_text(struct key_batch *k, const struct key_part *p,
                        const struct vec *v, const struct batch *b)
{
    struct str *to = k->texts + (size_t)p->text * BATCH_ROWS;
    uint64_t *check = k->check;
    bool nulls = may_be_null(v);
    const uint64_t *hashes =
        v->kind == VEC_DICT ? dict_hashes(k, v->dict, b->n_sel) : NULL;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (nulls && null_at(v, row)) {
            to[i] = (struct str){ 0 };
            continue;
        }
        to[i] = *(const struct str *)vec_at(v, row);
        check[i] = key_mix(check[i], hashes ? hashes[v->codes[row]] : text_hash(&to[i]));
    }
}

static void mark_nulls(const struct key_layout *l, struct key_batch *k, uint32_t c,
                       const struct vec *v, const struct batch *b, uint64_t *nulls,
                       uint64_t *values)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint64_t null = null_at(v, batch_row(b, i));

        if (values) {
            values[i] &= null - 1;
            if (l->parts[c].bits == 128)
                values[BATCH_ROWS + i] &= null - 1;
        }
        if (c < KEY_NULLS)
            nulls[i] |= null << c;
        else
            k->words[(size_t)(l->null_word + (c - KEY_NULLS) / 64) * BATCH_ROWS + i] |=
                null << ((c - KEY_NULLS) % 64);
    }
}

static void encode_fixed(const struct key_layout *l, struct key_batch *k, uint32_t c,
                         const struct vec *v, const struct batch *b, uint64_t *nulls)
{
    const struct key_part *p = &l->parts[c];
    uint64_t *to = k->words + (size_t)p->word * BATCH_ROWS;
    bool alone = p->bits >= 64;
    uint64_t *values = alone ? to : k->scratch;

    load(v, b, p->bits, values);
    if (may_be_null(v))
        mark_nulls(l, k, c, v, b, nulls, values);
    if (alone)
        return;
    for (uint32_t i = 0; i < b->n_sel; i++)
        to[i] |= values[i] << p->shift;
}

void keys_encode(const struct key_layout *l, const struct vec *columns,
                 const struct batch *b, struct key_batch *k)
{
    uint64_t nulls[BATCH_ROWS];
    uint32_t n = b->n_sel;

    memset(nulls, 0, n * sizeof *nulls);
    for (uint32_t w = 0; w < l->n_words; w++)
        memset(k->words + (size_t)w * BATCH_ROWS, 0, n * sizeof *k->words);
    for (uint32_t c = 0; c < l->n_keys; c++)
        if (!l->parts[c].is_text)
            encode_fixed(l, k, c, &columns[c], b, nulls);
    for (uint32_t c = 0; c < l->n_keys; c++)
        if (l->parts[c].is_text && may_be_null(&columns[c]))
            mark_nulls(l, k, c, &columns[c], b, nulls, NULL);
    uint64_t *check = k->check;
    if (l->n_words == 1)
        for (uint32_t i = 0; i < n; i++)
            check[i] = key_mix(nulls[i], k->words[i]);
    else {
        memcpy(check, nulls, n * sizeof *check);
        for (uint32_t w = 0; w < l->n_words; w++)
            for (uint32_t i = 0; i < n; i++)
                check[i] = key_mix(check[i], k->words[(size_t)w * BATCH_ROWS + i]);
    }
    for (uint32_t c = 0; c < l->n_keys; c++)
        if (l->parts[c].is_text)
            encode_text(k, &l->parts[c], &columns[c], b);
    for (uint32_t i = 0; i < n; i++)
        check[i] = (check[i] & ~KEY_NULL_MASK) | nulls[i];
}

/* ---- back ---- */

static bool stored_null(const struct key_layout *l, uint32_t c, const char *key)
{
    if (c < KEY_NULLS)
        return load64(key) >> c & 1;
    c -= KEY_NULLS;
    return load64(key + 8 + 8 * (l->null_word + c / 64)) >> (c % 64) & 1;
}

#define STORE(T)                                                                         \
    for (uint32_t i = 0; i < n; i++)                                                     \
    ((T *)out->data)[i] = (T)(load64(keys[i] + at) >> p->shift)

bool keys_decode(const struct key_layout *l, uint32_t c, const char *const *keys,
                 uint32_t n, struct vec *out)
{
    const struct key_part *p = &l->parts[c];
    size_t at = 8 + 8 * (p->is_text ? l->n_words + 2 * p->text : p->word);
    bool any = false;

    switch (p->bits) {
    case 8:
        STORE(uint8_t);
        break;
    case 16:
        STORE(uint16_t);
        break;
    case 32:
        STORE(uint32_t);
        break;
    case 64:
        STORE(uint64_t);
        break;
    default: /* text, wide decimals */
        for (uint32_t i = 0; i < n; i++)
            memcpy((char *)out->data + 16 * (size_t)i, keys[i] + at, 16);
        break;
    }
    for (uint32_t i = 0; i < n; i++) {
        out->valid[i] = !stored_null(l, c, keys[i]);
        any |= !out->valid[i];
    }
    return any;
}
