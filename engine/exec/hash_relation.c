/* Hash tables of joins; see hash_relation.h.
 *
 *     rows      the build side's columns
 *     keys      per row: check, words, texts (keys.h); given up where heads are direct
 *     heads     direct: 1 + row by key - least key
 *     slots     hashed: 32 bits of the hash | 1 + row
 *     chain     1 + the next row of the same key; none where keys are unique
 *     known     a bit per integral key from the least one on: most rows that find nothing
 *               are told by it, before their hash is computed */
#include "engine/exec/hash_relation.h"

#include "base/mem.h"
#include "engine/exec/unsafe_row.h"

#include <stdlib.h>

enum { DIRECT_FACTOR = 4, DIRECT_LEAST = 1024, PREFETCH_FROM = 1 << 14, KNOWN_BYTES = 1 << 20 };

struct hash_relation {
    struct rows rows;
    struct key_layout layout;
    struct key_batch batch;
    struct arena arena;
    char *keys; /* rows.n x layout.bytes */
    uint32_t keys_cap;
    struct arena text; /* long text of keys */
    uint32_t n_found;  /* rows that can be found */
    uint32_t n_keys;   /* different ones */
    bool null_key, unique, finished;
    int64_t min, max; /* of a single integral key */
    bool integral;
    uint32_t *heads;
    uint64_t n_heads;
    uint64_t *slots;
    uint32_t bits;
    uint32_t *chain;
    uint64_t *known; /* NULL: too large */
    uint64_t n_known;
    int64_t unsafe_bytes, key_text_bytes;
};

static inline uint64_t load64(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

static bool is_integral(struct type t)
{
    return type_is_integral(t) || t.id == TYPE_DATE || t.id == TYPE_TIMESTAMP ||
           t.id == TYPE_TIMESTAMP_NTZ || (t.id == TYPE_DECIMAL && !type_is_wide(t));
}

struct hash_relation *hash_relation_new(const struct type *types, uint32_t n_columns,
                                        const struct type *key_types, uint32_t n_keys)
{
    struct hash_relation *r = xcalloc(1, sizeof *r);

    rows_init(&r->rows, types, n_columns);
    key_layout_init(&r->layout, &r->arena, key_types, n_keys);
    key_batch_init(&r->batch, &r->arena, &r->layout);
    r->integral = n_keys == 1 && is_integral(key_types[0]);
    r->min = INT64_MAX;
    r->max = INT64_MIN;
    return r;
}

void hash_relation_free(struct hash_relation *r)
{
    if (!r)
        return;
    rows_release(&r->rows);
    key_batch_release(&r->batch);
    arena_release(&r->arena);
    arena_release(&r->text);
    free(r->keys);
    free(r->heads);
    free(r->slots);
    free(r->known);
    free(r->chain);
    free(r);
}

/* ---- bytes ---- */

static uint64_t slots_for(uint64_t n)
{
    uint64_t slots = 64;

    while (slots < n * 2)
        slots *= 2;
    return slots;
}

int64_t hash_relation_bytes(const struct hash_relation *r)
{
    int64_t bytes = rows_bytes(&r->rows) + (int64_t)r->text.used_bytes;

    bytes += r->keys ? (int64_t)r->keys_cap * r->layout.bytes : 0;
    bytes += (int64_t)r->n_heads * 4 + (r->slots ? (int64_t)8 << r->bits : 0);
    bytes += r->known ? (int64_t)(r->n_known / 8) : 0;
    return bytes + (r->chain ? (int64_t)r->rows.n * 4 : 0);
}

int64_t hash_relation_bytes_with(const struct hash_relation *r, const struct batch *b)
{
    uint64_t n = (uint64_t)r->rows.n + b->n_sel, cap = r->keys_cap;

    if (n > cap)
        cap = n > cap * 3 / 2 ? n : cap * 3 / 2;
    return rows_bytes_with(&r->rows, b) + (int64_t)r->text.used_bytes +
           (int64_t)(cap * r->layout.bytes + slots_for(n) * 8 + n * 4);
}

/* ---- building ---- */

/* The word of a single integral key with its sign. */
static inline int64_t signed_key(uint64_t word, uint32_t bits)
{
    uint32_t up = 64 - bits;

    return (int64_t)(word << up) >> up;
}

static void keep_keys(struct hash_relation *r, uint32_t n)
{
    const struct key_batch *k = &r->batch;
    uint32_t n_words = r->layout.n_words, bits = r->layout.parts[0].bits;

    for (uint32_t i = 0; i < n; i++) {
        char *to = r->keys + (size_t)(r->rows.n + i) * r->layout.bytes;

        memcpy(to, &k->check[i], 8);
        for (uint32_t w = 0; w < n_words; w++)
            memcpy(to + 8 + 8 * w, &k->words[(size_t)w * BATCH_ROWS + i], 8);
        for (uint32_t x = 0; x < r->layout.n_texts; x++) {
            const struct str *s = &k->texts[(size_t)x * BATCH_ROWS + i];
            struct str kept = str_keep(&r->text, s);

            r->key_text_bytes += (s->len + 7) & ~7u;
            memcpy(to + 8 + 8 * n_words + 16 * x, &kept, sizeof kept);
        }
        if (k->check[i] & KEY_NULL_MASK) {
            r->null_key = true;
        } else if (r->integral) {
            int64_t key = signed_key(k->words[i], bits);

            r->min = min_i64(r->min, key);
            r->max = max_i64(r->max, key);
        }
    }
}

enum errc hash_relation_add(struct hash_relation *r, const struct batch *b,
                            const struct vec *keys, struct err *err)
{
    uint64_t n = (uint64_t)r->rows.n + b->n_sel;

    if (n >= ROWS_NONE)
        return err_set(err, ERR_LIMIT, "more than %u rows on a join's build side",
                       ROWS_NONE - 1);
    if (b->n_sel == 0)
        return ERR_OK;
    keys_encode(&r->layout, keys, b, &r->batch);
    if (n > r->keys_cap) {
        uint64_t cap = (uint64_t)r->keys_cap * 3 / 2;

        r->keys_cap = (uint32_t)(n > cap ? n : cap);
        r->keys = xrealloc(r->keys, mem_product(r->keys_cap, r->layout.bytes));
    }
    keep_keys(r, b->n_sel);
    r->unsafe_bytes += unsafe_row_bytes(b);
    rows_append(&r->rows, b);
    return ERR_OK;
}

static void build_direct(struct hash_relation *r)
{
    uint32_t bits = r->layout.parts[0].bits;

    r->n_heads = (uint64_t)r->max - (uint64_t)r->min + 1;
    r->heads = xcalloc(r->n_heads, sizeof *r->heads);
    for (uint32_t i = r->rows.n; i-- > 0;) { /* chains in the order of the rows */
        const char *key = r->keys + (size_t)i * r->layout.bytes;

        if (load64(key) & KEY_NULL_MASK)
            continue;
        uint64_t at = (uint64_t)signed_key(load64(key + 8), bits) - (uint64_t)r->min;
        r->chain[i] = r->heads[at];
        r->n_keys += r->heads[at] == 0;
        r->heads[at] = i + 1;
        r->n_found++;
    }
    free(r->keys);
    r->keys = NULL;
    r->keys_cap = 0;
}

/* With an own key as a constant number of words the compiler unrolls it. */
static inline __attribute__((always_inline)) bool
same_stored(const struct hash_relation *r, const char *a, const char *b)
{
    uint32_t fixed = 8 + 8 * r->layout.n_words;

    if (memcmp(a, b, fixed) != 0)
        return false;
    for (uint32_t x = 0; x < r->layout.n_texts; x++)
        if (!str_eq((const struct str *)(const void *)(a + fixed + 16 * x),
                    (const struct str *)(const void *)(b + fixed + 16 * x)))
            return false;
    return true;
}

static void build_slots(struct hash_relation *r)
{
    uint64_t n = slots_for(r->rows.n), mask = n - 1;

    r->bits = (uint32_t)__builtin_ctzll(n);
    r->slots = xcalloc(n, sizeof *r->slots);
    for (uint32_t i = r->rows.n; i-- > 0;) {
        const char *key = r->keys + (size_t)i * r->layout.bytes;
        uint64_t check = load64(key), at = check >> (64 - r->bits);
        uint32_t tag = (uint32_t)(check >> 16);

        if (i >= 16)
            __builtin_prefetch(
                &r->slots[load64(key - 16 * (size_t)r->layout.bytes) >> (64 - r->bits)],
                1);
        if (check & KEY_NULL_MASK)
            continue;
        r->n_found++;
        for (;; at = (at + 1) & mask) {
            uint64_t slot = r->slots[at];

            if (!slot) {
                r->n_keys++;
                break;
            }
            uint32_t head = (uint32_t)slot;
            if ((uint32_t)(slot >> 32) == tag &&
                same_stored(r, key, r->keys + (size_t)(head - 1) * r->layout.bytes)) {
                r->chain[i] = head;
                break;
            }
        }
        r->slots[at] = (uint64_t)tag << 32 | (i + 1);
    }
}

/* In the place of the chain that unique keys do not need, or small. */
static void build_known(struct hash_relation *r, uint64_t span)
{
    uint32_t bits = r->layout.parts[0].bits;

    uint64_t most = r->unique ? (uint64_t)r->rows.n * 4 : 0;

    if (span / 8 + 8 > (most > KNOWN_BYTES ? most : KNOWN_BYTES))
        return;
    r->n_known = (span | 63) + 1;
    r->known = xcalloc(r->n_known / 64, sizeof *r->known);
    for (uint32_t i = 0; i < r->rows.n; i++) {
        const char *key = r->keys + (size_t)i * r->layout.bytes;
        uint64_t at = (uint64_t)signed_key(load64(key + 8), bits) - (uint64_t)r->min;

        if (!(load64(key) & KEY_NULL_MASK))
            r->known[at / 64] |= UINT64_C(1) << (at % 64);
    }
}

void hash_relation_finish(struct hash_relation *r)
{
    uint64_t span = r->max >= r->min ? (uint64_t)r->max - (uint64_t)r->min : UINT64_MAX;

    r->chain = xcalloc(r->rows.n ? r->rows.n : 1, sizeof *r->chain);
    if (r->integral && span < (uint64_t)r->rows.n * DIRECT_FACTOR + DIRECT_LEAST)
        build_direct(r);
    else
        build_slots(r);
    r->unique = r->n_keys == r->n_found;
    if (r->slots && r->integral && r->max >= r->min)
        build_known(r, span);
    if (r->unique) {
        free(r->chain);
        r->chain = NULL;
    }
    r->finished = true;
}

/* ---- looking at it ---- */

const struct rows *hash_relation_rows(const struct hash_relation *r)
{
    return &r->rows;
}

bool hash_relation_has_null_key(const struct hash_relation *r)
{
    return r->null_key;
}

bool hash_relation_is_unique(const struct hash_relation *r)
{
    return r->unique;
}

uint32_t hash_relation_next(const struct hash_relation *r, uint32_t row)
{
    return r->chain ? r->chain[row] - 1 : ROWS_NONE;
}

/* Integral keys of 64 bits together make Spark's map of longs, others its map of bytes:
 * key and value rows, two lengths and a link, at most half full. */
int64_t hash_relation_spark_bytes(const struct hash_relation *r, int64_t page_bytes)
{
    uint32_t bits = 0;
    bool longs = r->layout.n_keys > 0;

    for (uint32_t c = 0; c < r->layout.n_keys; c++) {
        longs = longs && type_is_integral(r->layout.parts[c].type);
        bits += r->layout.parts[c].bits;
    }
    if (longs && bits <= 64) {
        int64_t page = 1 << 20, need = r->unsafe_bytes + (int64_t)r->n_found * 8;
        int64_t array = (int64_t)slots_for(r->n_keys) * 16;

        while (page < need)
            page *= 2;
        if (r->integral && r->max >= r->min &&
            (uint64_t)r->max - (uint64_t)r->min < (uint64_t)array / 8)
            array = (r->max - r->min + 1) * 8;
        return page + array;
    }
    int64_t key_bytes = (8 + 8 * (int64_t)r->layout.n_keys) * r->n_found;
    int64_t need = r->unsafe_bytes + key_bytes + r->key_text_bytes + 16 * r->n_found;
    int64_t pages = page_bytes > 0 ? (need + page_bytes - 1) / page_bytes : 1;
    return max_i64(pages, 1) * page_bytes + (int64_t)slots_for(r->n_keys) * 16;
}

/* ---- probing ---- */

void hash_prober_init(struct hash_prober *p, struct arena *a,
                      const struct hash_relation *r)
{
    p->relation = r;
    key_batch_init(&p->keys, a, &r->layout);
}

void hash_prober_release(struct hash_prober *p)
{
    key_batch_release(&p->keys);
}

static uint32_t probe_direct(const struct hash_relation *r, const struct key_batch *k,
                             uint32_t n, uint32_t *head)
{
    uint32_t bits = r->layout.parts[0].bits, found = 0;
    uint64_t min = (uint64_t)r->min;

    if (r->n_heads > PREFETCH_FROM)
        for (uint32_t i = 0; i < n; i++) {
            uint64_t at = (uint64_t)signed_key(k->words[i], bits) - min;

            __builtin_prefetch(&r->heads[at < r->n_heads ? at : 0]);
        }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)signed_key(k->words[i], bits) - min;
        bool known = at < r->n_heads && !(k->check[i] & KEY_NULL_MASK);

        head[i] = (known ? r->heads[at] : 0) - 1;
        found += head[i] != ROWS_NONE;
    }
    return found;
}

static inline __attribute__((always_inline)) bool same_key(const char *row,
                                                           const struct key_batch *k,
                                                           uint32_t i, uint32_t n_words,
                                                           uint32_t n_texts)
{
    if (load64(row) != k->check[i])
        return false;
    for (uint32_t w = 0; w < n_words; w++)
        if (load64(row + 8 + 8 * w) != k->words[(size_t)w * BATCH_ROWS + i])
            return false;
    for (uint32_t x = 0; x < n_texts; x++)
        if (!str_eq((const struct str *)(const void *)(row + 8 + 8 * n_words + 16 * x),
                    &k->texts[(size_t)x * BATCH_ROWS + i]))
            return false;
    return true;
}

static inline __attribute__((always_inline)) uint32_t
probe_slots(const struct hash_relation *r, const struct key_batch *k, uint32_t n,
            uint32_t *head, uint32_t n_words, uint32_t n_texts)
{
    uint64_t mask = ((uint64_t)1 << r->bits) - 1;
    uint32_t shift = 64 - r->bits, found = 0, bytes = r->layout.bytes;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t check = k->check[i], at = check >> shift;
        uint32_t tag = (uint32_t)(check >> 16);

        head[i] = ROWS_NONE;
        if (check & KEY_NULL_MASK)
            continue;
        for (uint64_t slot; (slot = r->slots[at]) != 0; at = (at + 1) & mask) {
            uint32_t row = (uint32_t)slot - 1;

            if ((uint32_t)(slot >> 32) == tag &&
                same_key(r->keys + (size_t)row * bytes, k, i, n_words, n_texts)) {
                head[i] = row;
                found++;
                break;
            }
        }
    }
    return found;
}

static void prefetch(const struct hash_relation *r, const struct key_batch *k, uint32_t n)
{
    uint32_t shift = 64 - r->bits;

    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(&r->slots[k->check[i] >> shift]);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t slot = r->slots[k->check[i] >> shift];

        if (slot && (uint32_t)(slot >> 32) == (uint32_t)(k->check[i] >> 16))
            __builtin_prefetch(r->keys + (size_t)((uint32_t)slot - 1) * r->layout.bytes);
    }
}

#define PASS(T)                                                                          \
    do {                                                                                 \
        const T *p_ = v->data;                                                           \
        for (uint32_t i = 0; i < b->n_sel; i++) {                                        \
            uint32_t row = batch_row(b, i);                                              \
            uint64_t at = (uint64_t)(int64_t)p_[row] - min;                              \
            uint64_t in = at < r->n_known ? at : 0;                                      \
            to[n] = i;                                                                   \
            n += at < r->n_known && (r->known[in / 64] >> (in % 64) & 1);                \
        }                                                                                \
    } while (0)

/* The rows, by number, that may find something. */
static uint32_t pass_known(const struct hash_relation *r, const struct vec *v,
                           const struct batch *b, uint32_t *to)
{
    uint64_t min = (uint64_t)r->min;
    uint32_t n = 0;

    switch (type_width(v->type)) {
    case 1:
        PASS(int8_t);
        break;
    case 2:
        PASS(int16_t);
        break;
    case 4:
        PASS(int32_t);
        break;
    default:
        PASS(int64_t);
        break;
    }
    return n;
}

static uint32_t probe(struct hash_prober *p, const struct vec *keys,
                      const struct batch *b, uint32_t *head);

/* Only those rows are looked up. */
static uint32_t probe_known(struct hash_prober *p, const struct vec *keys,
                            const struct batch *b, uint32_t *head)
{
    uint32_t pass[BATCH_ROWS], sel[BATCH_ROWS], found[BATCH_ROWS];
    uint32_t n = pass_known(p->relation, &keys[0], b, pass);
    struct batch some = *b;

    if (n == b->n_sel)
        return probe(p, keys, b, head);
    memset(head, 0xff, b->n_sel * sizeof *head); /* ROWS_NONE */
    if (n == 0)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        sel[i] = batch_row(b, pass[i]);
    some.sel = sel;
    some.n_sel = n;
    uint32_t hits = probe(p, keys, &some, found);
    for (uint32_t i = 0; i < n; i++)
        head[pass[i]] = found[i];
    return hits;
}

uint32_t hash_probe(struct hash_prober *p, const struct vec *keys, const struct batch *b,
                    uint32_t *head)
{
    if (p->relation->known && keys[0].kind == VEC_FLAT)
        return probe_known(p, keys, b, head);
    return probe(p, keys, b, head);
}

static uint32_t probe(struct hash_prober *p, const struct vec *keys,
                      const struct batch *b, uint32_t *head)
{
    const struct hash_relation *r = p->relation;
    const struct key_batch *k = &p->keys;

    keys_encode(&r->layout, keys, b, &p->keys);
    if (r->heads)
        return probe_direct(r, k, b->n_sel, head);
    if (r->rows.n > PREFETCH_FROM / 4)
        prefetch(r, k, b->n_sel);
    if (r->layout.n_texts == 0 && r->layout.n_words == 1)
        return probe_slots(r, k, b->n_sel, head, 1, 0);
    return probe_slots(r, k, b->n_sel, head, r->layout.n_words, r->layout.n_texts);
}
