/* Finding and making groups; see group_table.h. */
#include "engine/exec/group_table.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FIRST_BITS = 10, PREFETCH_FROM_BITS = 14 };

void groups_init(struct group_table *t, struct arena *a, const struct type *key_types,
                 uint32_t n_keys, size_t state_bytes)
{
    *t = (struct group_table){ 0 };
    key_layout_init(&t->keys, a, key_types, n_keys);
    t->state_at = t->keys.bytes;
    t->stride = (t->state_at + state_bytes + 7) & ~(size_t)7;
}

void groups_clear(struct group_table *t)
{
    for (uint32_t i = 0; i < t->n_chunks; i++)
        free(t->chunks[i]);
    free(t->chunks);
    free(t->slots);
    arena_release(&t->text);
    t->chunks = NULL;
    t->slots = NULL;
    t->n_chunks = t->cap_chunks = 0;
    t->n = t->cap = t->bits = 0;
}

void groups_release(struct group_table *t)
{
    groups_clear(t);
    free(t->direct);
    t->direct = NULL;
}

static uint32_t cap_for(const struct group_table *t, uint64_t n)
{
    uint64_t cap = t->cap ? t->cap : 512;

    while (cap < n)
        cap = cap < GROUPS_CHUNK ? cap * 2 : cap + GROUPS_CHUNK;
    return cap > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)cap;
}

static uint32_t bits_for(const struct group_table *t, uint64_t n)
{
    uint32_t bits = t->bits ? t->bits : FIRST_BITS;

    if (n < t->likely && n * 2 > (uint64_t)1 << bits)
        n = t->likely;
    while (n * 2 > (uint64_t)1 << bits)
        bits++;
    return bits;
}

int64_t groups_bytes(const struct group_table *t)
{
    return (int64_t)(t->stride * t->cap) + (t->bits ? (int64_t)8 << t->bits : 0) +
           (int64_t)t->text.used_bytes;
}

/* While the slots double, the old ones are still held: as in Spark's map, that is what
 * memory runs short of first. */
int64_t groups_bytes_with(const struct group_table *t, uint32_t more, int64_t text)
{
    uint64_t n = (uint64_t)t->n + more;
    uint32_t bits = bits_for(t, n);
    int64_t slots = (int64_t)8 << bits;

    if (t->bits && bits > t->bits)
        slots += (int64_t)8 << t->bits;
    return (int64_t)(t->stride * cap_for(t, n)) + slots + (int64_t)t->text.used_bytes +
           text;
}

static inline uint64_t load64(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

static inline uint64_t slot_of(uint64_t check, uint32_t row)
{
    return (check >> 16 & UINT64_C(0xffffffff)) << 32 | (row + 1);
}

static void rehash(struct group_table *t, uint32_t bits)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;

    free(t->slots);
    t->slots = xcalloc((size_t)1 << bits, sizeof *t->slots);
    t->bits = bits;
    for (uint32_t i = 0; i < t->n; i++) {
        uint64_t check = load64(group_row(t, i)), at = check >> (64 - bits);

        while (t->slots[at])
            at = (at + 1) & mask;
        t->slots[at] = slot_of(check, i);
    }
}

static void add_rows(struct group_table *t, uint32_t cap)
{
    if (t->cap < GROUPS_CHUNK) {
        uint32_t first = cap < GROUPS_CHUNK ? cap : GROUPS_CHUNK;

        if (t->n_chunks == 0) {
            GROW(t->chunks, t->n_chunks, t->cap_chunks);
            t->chunks[t->n_chunks++] = NULL;
        }
        t->chunks[0] = xrealloc(t->chunks[0], mem_product(first, t->stride));
        t->cap = first;
    }
    for (; t->cap < cap; t->cap += GROUPS_CHUNK) {
        GROW(t->chunks, t->n_chunks, t->cap_chunks);
        t->chunks[t->n_chunks++] = xmalloc(mem_product(GROUPS_CHUNK, t->stride));
    }
}

void groups_reserve(struct group_table *t, uint32_t more)
{
    uint64_t n = (uint64_t)t->n + more;
    uint32_t cap = cap_for(t, n), bits = bits_for(t, n);

    if (cap != t->cap)
        add_rows(t, cap);
    if (bits != t->bits)
        rehash(t, bits);
}

static inline __attribute__((always_inline)) bool
same_key(const struct group_table *t, const char *row, const struct key_batch *k,
         uint32_t i, uint32_t n_words, uint32_t n_texts)
{
    if (load64(row) != k->check[i])
        return false;
    (void)t;
    for (uint32_t w = 0; w < n_words; w++)
        if (load64(row + 8 + 8 * w) != k->words[(size_t)w * BATCH_ROWS + i])
            return false;
    for (uint32_t x = 0; x < n_texts; x++) {
        const char *at = row + 8 + 8 * n_words + 16 * x;
        const struct str *s = &k->texts[(size_t)x * BATCH_ROWS + i];

        if (load64(at) != load64((const char *)s))
            return false;
        if (load64(at + 8) != load64((const char *)s + 8) &&
            !str_eq((const struct str *)(const void *)at, s))
            return false;
    }
    return true;
}

static uint32_t add_group(struct group_table *t, const struct key_batch *k, uint32_t i,
                          uint64_t at)
{
    uint32_t n_words = t->keys.n_words;
    char *row = group_row(t, t->n);

    memcpy(row, &k->check[i], 8);
    for (uint32_t w = 0; w < n_words; w++)
        memcpy(row + 8 + 8 * w, &k->words[(size_t)w * BATCH_ROWS + i], 8);
    for (uint32_t x = 0; x < t->keys.n_texts; x++) {
        struct str s = str_keep(&t->text, &k->texts[(size_t)x * BATCH_ROWS + i]);

        memcpy(row + 8 + 8 * n_words + 16 * x, &s, sizeof s);
    }
    memset(row + t->state_at, 0, t->stride - t->state_at);
    t->slots[at] = slot_of(k->check[i], t->n);
    return t->n++;
}

static inline __attribute__((always_inline)) void find(struct group_table *t,
                                                       const struct key_batch *k,
                                                       uint32_t n, uint32_t *group,
                                                       uint32_t n_words, uint32_t n_texts)
{
    uint64_t mask = ((uint64_t)1 << t->bits) - 1, probes = 0;
    uint32_t shift = 64 - t->bits;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t check = k->check[i], at = check >> shift;
        uint32_t tag = (uint32_t)(check >> 16);

        /* tables are often written in the order of a key: the row before had it too */
        if (i > 0 && check == k->check[i - 1] &&
            same_key(t, group_row(t, group[i - 1]), k, i, n_words, n_texts)) {
            group[i] = group[i - 1];
            probes++;
            continue;
        }
        for (;; at = (at + 1) & mask) {
            uint64_t slot = t->slots[at];

            probes++;
            if (!slot) {
                group[i] = add_group(t, k, i, at);
                break;
            }
            if ((uint32_t)(slot >> 32) == tag) {
                uint32_t row = (uint32_t)slot - 1;

                if (same_key(t, group_row(t, row), k, i, n_words, n_texts)) {
                    group[i] = row;
                    break;
                }
            }
        }
    }
    t->probes += probes;
}

/* Slots, then the rows they name, are on their way before they are looked at. */
static void prefetch(const struct group_table *t, const struct key_batch *k, uint32_t n)
{
    uint32_t shift = 64 - t->bits;

    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(&t->slots[k->check[i] >> shift]);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t slot = t->slots[k->check[i] >> shift];

        if (slot)
            __builtin_prefetch(group_row(t, (uint32_t)slot - 1));
    }
}

enum { PREFETCH_ROWS = 256 };

void groups_find(struct group_table *t, const struct key_batch *k, uint32_t n,
                 uint32_t *group)
{
    t->lookups += n;
    for (uint32_t from = 0; from < n; from += PREFETCH_ROWS) {
        uint32_t part = n - from < PREFETCH_ROWS ? n - from : PREFETCH_ROWS;
        struct key_batch at = { .check = k->check + from,
                                .words = k->words + from,
                                .texts = k->texts + from };

        if (t->bits < PREFETCH_FROM_BITS)
            part = n;
        else
            prefetch(t, &at, part);
        if (t->keys.n_texts == 0 && t->keys.n_words == 1)
            find(t, &at, part, group + from, 1, 0);
        else if (t->keys.n_texts == 0 && t->keys.n_words == 2)
            find(t, &at, part, group + from, 2, 0);
        else
            find(t, &at, part, group + from, t->keys.n_words, t->keys.n_texts);
        if (t->bits < PREFETCH_FROM_BITS)
            break;
    }
}
