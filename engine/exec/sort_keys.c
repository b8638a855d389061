/* Sorting: bytes of the prefix by radix, lowest first, leaving out those that all rows
 * share; then runs of equal prefixes by their keys. See sort_keys.h. */
#include "engine/exec/sort_keys.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PREFIX_BITS = 96, SMALL = 96 };

void sort_layout_init(struct sort_layout *l, struct arena *a, const struct exprs *orders)
{
    uint32_t bits = 0;

    *l = (struct sort_layout){ .n = orders->n, .exact = true };
    l->keys = arena_array(a, orders->n + 1, sizeof *l->keys);
    for (uint32_t i = 0; i < orders->n; i++) {
        const struct expr *e = orders->at[i];

        l->keys[i].type = e->type;
        if (e->kind == EXPR_SORT_ORDER) {
            l->keys[i].type = e->args[0]->type;
            l->keys[i].descending = e->descending;
            l->keys[i].nulls_last = e->nulls_last;
        }
        if (type_is_text(l->keys[i].type))
            l->exact = false;
        bits += 8 + 8 * (uint32_t)type_width(l->keys[i].type);
    }
    l->exact = l->exact && bits <= PREFIX_BITS;
}

/* ---- prefixes ---- */

static uint64_t double_bits(double f)
{
    uint64_t u;

    if (f != f)
        return UINT64_MAX;
    if (f == 0)
        f = 0;
    memcpy(&u, &f, sizeof u);
    return u >> 63 ? ~u : u | UINT64_C(1) << 63;
}

static uint32_t float_bits(float f)
{
    uint32_t u;

    if (f != f)
        return UINT32_MAX;
    if (f == 0)
        f = 0;
    memcpy(&u, &f, sizeof u);
    return u >> 31 ? ~u : u | UINT32_C(1) << 31;
}

/* Adds `size` bits below the `at` highest. */
static inline void put(u128 *to, uint64_t bits, uint32_t size, uint32_t at)
{
    int shift = 128 - (int)at - (int)size;

    *to |= shift >= 0 ? (u128)bits << shift : (u128)bits >> -shift;
}

#define ROWS(T, SIZE, X)                                                                 \
    for (uint32_t i = 0; i < b->n_sel; i++) {                                            \
        uint32_t row = batch_row(b, i);                                                  \
        if (nulls && vec_is_null(v, row))                                                \
            continue;                                                                    \
        const T x = *(const T *)(flat ? (const char *)v->data + sizeof(T) * row          \
                                      : vec_at(v, row));                                 \
        uint64_t bits = (uint64_t)(X);                                                   \
        if (k->descending)                                                               \
            bits = ~bits & (SIZE == 64 ? UINT64_MAX : (UINT64_C(1) << (SIZE % 64)) - 1); \
        put(&to[i], bits, SIZE, at);                                                     \
    }

static uint64_t text_high(const struct str *s)
{
    uint64_t w;

    if (s->len <= STR_INLINE) {
        memcpy(&w, s->prefix, sizeof w);
    } else {
        memcpy(&w, s->u.p, sizeof w);
    }
    return __builtin_bswap64(w);
}

static uint32_t text_low(const struct str *s)
{
    uint32_t w;

    memcpy(&w, s->len <= STR_INLINE ? s->prefix + 8 : s->u.p + 8, sizeof w);
    return __builtin_bswap32(w);
}

static void put_text(u128 *to, const struct sort_key *k, const struct vec *v,
                     const struct batch *b, uint32_t at)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (vec_is_null(v, row))
            continue;
        const struct str *s = vec_at(v, row);
        uint64_t high = text_high(s);
        uint32_t low = text_low(s);
        put(&to[i], k->descending ? ~high : high, 64, at);
        put(&to[i], k->descending ? ~low : low, 32, at + 64);
    }
}

#define SIGNED(U, x) ((U)(x) ^ (U)((U)1 << (8 * sizeof(U) - 1)))

static void put_values(u128 *to, const struct sort_key *k, const struct vec *v,
                       const struct batch *b, uint32_t at)
{
    bool flat = v->kind == VEC_FLAT;
    bool nulls = v->valid || (v->dict && v->dict->valid);

    switch ((enum type_id)k->type.id) {
    case TYPE_NULL:
        return;
    case TYPE_BOOLEAN:
        ROWS(uint8_t, 8, x);
        return;
    case TYPE_BYTE:
        ROWS(uint8_t, 8, SIGNED(uint8_t, x));
        return;
    case TYPE_SHORT:
        ROWS(uint16_t, 16, SIGNED(uint16_t, x));
        return;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        ROWS(uint32_t, 32, SIGNED(uint32_t, x));
        return;
    case TYPE_FLOAT:
        ROWS(float, 32, float_bits(x));
        return;
    case TYPE_DOUBLE:
        ROWS(double, 64, double_bits(x));
        return;
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DAY:
        ROWS(uint64_t, 64, SIGNED(uint64_t, x));
        return;
    case TYPE_STRING:
    case TYPE_BINARY:
        put_text(to, k, v, b, at);
        return;
    case TYPE_DECIMAL:
        break;
    }
    if (!type_is_wide(k->type)) {
        ROWS(uint64_t, 64, SIGNED(uint64_t, x));
        return;
    }
    struct halves {
        uint64_t low, high;
    };
    ROWS(struct halves, 64, SIGNED(uint64_t, x.high));
    at += 64;
    if (at < PREFIX_BITS)
        ROWS(struct halves, 64, x.low);
}

/* ---- packed ---- */

/* EACH(T, X): S with u, the value's bits in order, for rows 0..n of FLAT v, and i. */
#define EACH_BITS(T, X, S)                                                               \
    do {                                                                                 \
        const T *p_ = v->data;                                                           \
        for (uint32_t i = 0; i < n; i++) {                                               \
            uint32_t row = sel ? sel[i] : i;                                             \
            const T x = p_[row];                                                         \
            uint64_t u = (uint64_t)(X);                                                  \
            S;                                                                           \
        }                                                                                \
    } while (0)

#define EACH_ORDERED(S)                                                                  \
    switch (type_width(v->type)) {                                                       \
    case 1:                                                                              \
        if (v->type.id == TYPE_BOOLEAN)                                                  \
            EACH_BITS(uint8_t, x, S);                                                    \
        else                                                                             \
            EACH_BITS(uint8_t, SIGNED(uint8_t, x), S);                                   \
        break;                                                                           \
    case 2:                                                                              \
        EACH_BITS(uint16_t, SIGNED(uint16_t, x), S);                                     \
        break;                                                                           \
    case 4:                                                                              \
        if (v->type.id == TYPE_FLOAT)                                                    \
            EACH_BITS(float, float_bits(x), S);                                          \
        else                                                                             \
            EACH_BITS(uint32_t, SIGNED(uint32_t, x), S);                                 \
        break;                                                                           \
    default:                                                                             \
        if (v->type.id == TYPE_DOUBLE)                                                   \
            EACH_BITS(double, double_bits(x), S);                                        \
        else                                                                             \
            EACH_BITS(uint64_t, SIGNED(uint64_t, x), S);                                 \
    }

static bool packable(struct type t)
{
    return t.id != TYPE_NULL && !type_is_text(t) && type_width(t) <= 8;
}

/* Values of NULLs are none; without masks the loop has no branch. */
static void pack_key(struct sort_key *k, const struct vec *v, uint32_t n)
{
    const uint32_t *sel = NULL;
    uint64_t least = UINT64_MAX, most = 0;

    k->packed = true;
    k->no_nulls = !v->valid || !memchr(v->valid, 0, n);
    if (k->no_nulls) {
        EACH_ORDERED({
            least = u < least ? u : least;
            most = u > most ? u : most;
        });
    } else {
        EACH_ORDERED({
            if (v->valid[i]) {
                least = u < least ? u : least;
                most = u > most ? u : most;
            }
        });
    }
    k->base = least <= most ? least : 0;
    k->bits = least < most ? 64 - (uint32_t)__builtin_clzll(most - least) : 0;
}

static uint32_t key_bits(const struct sort_key *k)
{
    if (k->packed)
        return k->bits + !k->no_nulls;
    return type_is_text(k->type) ? PREFIX_BITS : 8 + 8 * (uint32_t)type_width(k->type);
}

struct sort_layout sort_pack(const struct sort_layout *l, struct arena *a,
                             const struct vec *keys, uint32_t n)
{
    struct sort_layout to = *l;
    uint32_t bits = 0;

    to.exact = true;
    to.keys = arena_array(a, l->n + 1, sizeof *to.keys);
    for (uint32_t c = 0; c < l->n; c++) {
        to.keys[c] = l->keys[c];
        if (packable(keys[c].type) && keys[c].kind == VEC_FLAT)
            pack_key(&to.keys[c], &keys[c], n);
        to.exact = to.exact && !type_is_text(keys[c].type);
        bits += key_bits(&to.keys[c]);
    }
    to.exact = to.exact && bits <= PREFIX_BITS;
    to.narrow = to.exact && bits <= 32;
    return to;
}

static void put_packed(u128 *to, const struct sort_key *k, const struct vec *v,
                       const struct batch *b, uint32_t at)
{
    uint64_t mask = k->bits == 64 ? UINT64_MAX : (UINT64_C(1) << k->bits) - 1;
    uint64_t flip = k->descending ? mask : 0;
    const uint32_t *sel = b->sel;
    uint32_t n = b->n_sel;
    int shift = 128 - (int)at - (int)k->bits - !k->no_nulls;

    if (key_bits(k) == 0)
        return;      /* one value alone orders nothing, and 128 is no shift */
    if (shift < 0) { /* the lowest bits do not go in */
        EACH_ORDERED({
            bool null = !k->no_nulls && !v->valid[row];
            u128 w = null ? 0 : ((u - k->base) & mask) ^ flip;

            w |= !k->no_nulls && null == k->nulls_last ? (u128)1 << k->bits : 0;
            to[i] |= w >> -shift;
        });
    } else if (k->no_nulls) {
        EACH_ORDERED({ to[i] |= (u128)(((u - k->base) & mask) ^ flip) << shift; });
    } else {
        EACH_ORDERED({
            bool null = !v->valid[row];
            u128 w = null ? 0 : ((u - k->base) & mask) ^ flip;

            w |= null == k->nulls_last ? (u128)1 << k->bits : 0;
            to[i] |= w << shift;
        });
    }
}

/* ---- all keys ---- */

/* Without NULLs, and not packed: the byte is the same for all rows. */
static void put_null_bytes(u128 *to, const struct sort_key *k, const struct vec *v,
                           const struct batch *b, uint32_t at)
{
    bool may = k->type.id == TYPE_NULL || v->valid || (v->dict && v->dict->valid);
    u128 one = (u128)1 << (120 - at);

    if (!may) {
        for (uint32_t i = 0; i < b->n_sel && !k->nulls_last; i++)
            to[i] |= one;
        return;
    }
    for (uint32_t i = 0; i < b->n_sel; i++) {
        bool null = k->type.id == TYPE_NULL || vec_is_null(v, batch_row(b, i));

        if (null == k->nulls_last)
            to[i] |= one;
    }
}

/* One key of eight bytes that is nowhere NULL: the usual key of a join. */
static bool encode_long(const struct sort_layout *l, const struct vec *v,
                        const struct batch *b, uint32_t first, struct sort_item *to)
{
    const struct sort_key *k = &l->keys[0];
    const uint64_t *values = v->data;
    uint64_t flip = k->descending ? ~(UINT64_C(1) << 63) : UINT64_C(1) << 63;
    uint64_t mark = k->nulls_last ? 0 : UINT64_C(1) << 56;

    if (l->n != 1 || k->packed || v->kind != VEC_FLAT || v->valid ||
        type_is_text(k->type) || type_is_wide(k->type) ||
        type_width(k->type) != sizeof *values || k->type.id == TYPE_DOUBLE)
        return false;
    for (uint32_t i = 0, n = b->n_sel; i < n; i++) {
        uint64_t bits = values[b->sel ? b->sel[i] : i] ^ flip;

        to[i] = (struct sort_item){ mark | bits >> 8, (uint32_t)(bits << 24), first + i };
    }
    return true;
}

void sort_encode(const struct sort_layout *l, const struct vec *keys,
                 const struct batch *b, uint32_t first, struct sort_item *to)
{
    u128 acc[BATCH_ROWS];
    uint32_t at = 0;

    if (l->n == 1 && encode_long(l, keys, b, first, to))
        return;
    memset(acc, 0, b->n_sel * sizeof *acc);
    for (uint32_t c = 0; c < l->n && at < PREFIX_BITS; c++) {
        const struct sort_key *k = &l->keys[c];

        if (k->packed) {
            put_packed(acc, k, &keys[c], b, at);
            at += key_bits(k);
            continue;
        }
        if (at > PREFIX_BITS - 8)
            break;
        put_null_bytes(acc, k, &keys[c], b, at);
        at += 8;
        if (at < PREFIX_BITS)
            put_values(acc, k, &keys[c], b, at);
        at += type_is_text(k->type) ? PREFIX_BITS : 8 * (uint32_t)type_width(k->type);
    }
    for (uint32_t i = 0; i < b->n_sel; i++)
        to[i] = (struct sort_item){ (uint64_t)(acc[i] >> 64), (uint32_t)(acc[i] >> 32),
                                    first + i };
}

/* ---- by the first key ---- */

bool sort_narrow(const struct sort_layout *l, const struct vec *key,
                 const struct batch *b, const struct vec *best, uint32_t bound,
                 uint32_t *sel, uint32_t *n_out)
{
    const struct vec *v = key;
    const uint32_t *in = b->sel;
    uint32_t n = 0;
    int64_t last;

    if (l->n == 0 || !packable(v->type) || v->type.id == TYPE_DOUBLE ||
        v->type.id == TYPE_FLOAT || v->kind != VEC_FLAT || v->valid ||
        (type_width(v->type) != 4 && type_width(v->type) != 8) ||
        vec_is_null(best, bound))
        return false;
    bool down = l->keys[0].descending, wide = type_width(v->type) == 8;
    last = wide ? *(const int64_t *)vec_at(best, bound)
                : *(const int32_t *)vec_at(best, bound);
#define NARROW(T, OP)                                                                    \
    for (uint32_t i = 0; i < b->n_sel; i++) {                                            \
        uint32_t row = in ? in[i] : i;                                                   \
        sel[n] = row;                                                                    \
        n += ((const T *)v->data)[row] OP last;                                          \
    }
    if (wide && down)
        NARROW(int64_t, >=)
    else if (wide)
        NARROW(int64_t, <=)
    else if (down)
        NARROW(int32_t, >=)
    else
        NARROW(int32_t, <=)
    *n_out = n;
    return true;
}

/* ---- full comparison ---- */

#define CMP(T)                                                                           \
    do {                                                                                 \
        T p = *(const T *)a, q = *(const T *)b;                                          \
        return p < q ? -1 : p > q;                                                       \
    } while (0)

static int value_order(struct type t, const void *a, const void *b)
{
    switch ((enum type_id)t.id) {
    case TYPE_NULL:
        return 0;
    case TYPE_BOOLEAN:
        CMP(uint8_t);
    case TYPE_BYTE:
        CMP(int8_t);
    case TYPE_SHORT:
        CMP(int16_t);
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        CMP(int32_t);
    case TYPE_FLOAT: {
        uint32_t p = float_bits(*(const float *)a), q = float_bits(*(const float *)b);

        return p < q ? -1 : p > q;
    }
    case TYPE_DOUBLE: {
        uint64_t p = double_bits(*(const double *)a), q = double_bits(*(const double *)b);

        return p < q ? -1 : p > q;
    }
    case TYPE_STRING:
    case TYPE_BINARY:
        return str_cmp(a, b);
    case TYPE_LONG:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_DAY:
        CMP(int64_t);
    case TYPE_DECIMAL:
        break;
    }
    if (!type_is_wide(t))
        CMP(int64_t);
    i128 p, q;
    memcpy(&p, a, sizeof p);
    memcpy(&q, b, sizeof q);
    return p < q ? -1 : p > q;
}

int sort_compare(const struct sort_layout *l, const struct vec *x, uint32_t x_row,
                 const struct vec *y, uint32_t y_row)
{
    for (uint32_t c = 0; c < l->n; c++) {
        const struct sort_key *k = &l->keys[c];
        bool x_null = k->type.id == TYPE_NULL || vec_is_null(&x[c], x_row);
        bool y_null = k->type.id == TYPE_NULL || vec_is_null(&y[c], y_row);

        if (x_null || y_null) {
            if (x_null && y_null)
                continue;
            return x_null == k->nulls_last ? 1 : -1;
        }
        int order = value_order(k->type, vec_at(&x[c], x_row), vec_at(&y[c], y_row));
        if (order)
            return k->descending ? -order : order;
    }
    return 0;
}

/* ---- sorting ---- */

struct sorting {
    const struct sort_layout *layout;
    const struct vec *keys;
};

static bool before(const struct sorting *s, const struct sort_item *x,
                   const struct sort_item *y)
{
    int order = sort_item_cmp(x, y);

    if (order == 0 && !s->layout->exact)
        order = sort_compare(s->layout, s->keys, x->row, s->keys, y->row);
    return order ? order < 0 : x->row < y->row;
}

static void insertion_sort(const struct sorting *s, struct sort_item *items, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct sort_item x = items[i];
        uint32_t k = i;

        for (; k > 0 && before(s, &x, &items[k - 1]); k--)
            items[k] = items[k - 1];
        items[k] = x;
    }
}

static void merge_sort(const struct sorting *s, struct sort_item *items,
                       struct sort_item *temp, uint32_t n)
{
    if (n <= 24) {
        insertion_sort(s, items, n);
        return;
    }
    uint32_t half = n / 2, i = 0, k = half, to = 0;
    merge_sort(s, items, temp, half);
    merge_sort(s, items + half, temp, n - half);
    if (before(s, &items[half - 1], &items[half]))
        return;
    memcpy(temp, items, half * sizeof *items);
    while (i < half && k < n)
        items[to++] = before(s, &items[k], &temp[i]) ? items[k++] : temp[i++];
    while (i < half)
        items[to++] = temp[i++];
}

static inline uint32_t digit(const struct sort_item *x, uint32_t byte)
{
    return byte < 4 ? x->low >> (8 * byte) & 255
                    : (uint32_t)(x->high >> (8 * (byte - 4))) & 255;
}

/* The bytes in which items differ; returns how many. */
static uint32_t differing_bytes(const struct sort_item *items, uint32_t n,
                                uint32_t bytes[12])
{
    struct sort_item any = { 0 };
    uint32_t found = 0;

    for (uint32_t i = 1; i < n; i++) {
        any.low |= items[i].low ^ items[0].low;
        any.high |= items[i].high ^ items[0].high;
    }
    for (uint32_t byte = 0; byte < 12; byte++)
        if (digit(&any, byte))
            bytes[found++] = byte;
    return found;
}

/* From how many there are of each byte to where the first of them goes. */
static void counts_to_places(uint32_t counts[256])
{
    uint32_t sum = 0;

    for (uint32_t d = 0; d < 256; d++) {
        uint32_t n = counts[d];

        counts[d] = sum;
        sum += n;
    }
}

/* A pass for each byte that differs, the lowest first; all are counted in one. */
static void radix_sort(struct sort_item *items, struct sort_item *temp, uint32_t n)
{
    uint32_t counts[12][256], bytes[12];
    uint32_t n_bytes = differing_bytes(items, n, bytes);
    struct sort_item *from = items, *to = temp;

    memset(counts, 0, n_bytes * sizeof *counts);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n_bytes; k++)
            counts[k][digit(&items[i], bytes[k])]++;
    for (uint32_t k = 0; k < n_bytes; k++) {
        uint32_t *at = counts[k], byte = bytes[k];

        counts_to_places(at);
        for (uint32_t i = 0; i < n; i++)
            to[at[digit(&from[i], byte)]++] = from[i];
        struct sort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, (size_t)n * sizeof *items);
}

void sort_items(const struct sort_layout *l, const struct vec *keys,
                struct sort_item *items, struct sort_item *temp, uint32_t n)
{
    struct sorting s = { l, keys };

    if (n <= SMALL) {
        merge_sort(&s, items, temp, n);
        return;
    }
    radix_sort(items, temp, n);
    if (l->exact)
        return;
    for (uint32_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && sort_item_cmp(&items[from], &items[to]) == 0;)
            to++;
        if (to - from > 1)
            merge_sort(&s, items + from, temp, to - from);
    }
}

/* ---- short keys ----
 * Rows go to 256 buckets by the highest bits that differ, then each bucket is sorted by
 * the bits below while it is in the cache. A pair is the key above its row, so that pairs
 * order rows of one key as they came. */

enum { FEW = 24 };

typedef uint32_t __attribute__((may_alias)) in_place_row;

static void insert_pairs(uint64_t *pairs, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint64_t x = pairs[i];
        uint32_t k = i;

        for (; k > 0 && x < pairs[k - 1]; k--)
            pairs[k] = pairs[k - 1];
        pairs[k] = x;
    }
}

/* By the lowest `bits` of the key. Returns which of the two arrays it ends up in. */
static const uint64_t *sort_bucket(uint64_t *pairs, uint64_t *temp, uint32_t n,
                                   uint32_t bits)
{
    uint64_t *from = pairs, *to = temp;

    if (n <= FEW) {
        insert_pairs(pairs, n);
        return pairs;
    }
    for (uint32_t shift = 32; shift < 32 + bits; shift += 8) {
        uint32_t at[256] = { 0 };

        for (uint32_t i = 0; i < n; i++)
            at[from[i] >> shift & 255]++;
        counts_to_places(at);
        for (uint32_t i = 0; i < n; i++)
            to[at[from[i] >> shift & 255]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* Rows of pairs[from..to) to the same places, of half the width, of the same memory: what
 * is behind them has not been read yet, what is before them has. */
static void put_rows(in_place_row *rows, const uint64_t *sorted, uint32_t from,
                     uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        rows[from + i] = (uint32_t)sorted[i];
}

static uint64_t *to_buckets(const uint32_t *keys, uint32_t n, uint32_t shift,
                            uint32_t ends[256])
{
    uint64_t *pairs = xmalloc(mem_product(n, sizeof *pairs));

    memset(ends, 0, 256 * sizeof *ends);
    for (uint32_t i = 0; i < n; i++)
        ends[keys[i] >> shift & 255]++;
    counts_to_places(ends);
    for (uint32_t i = 0; i < n; i++)
        pairs[ends[keys[i] >> shift & 255]++] = (uint64_t)keys[i] << 32 | i;
    return pairs;
}

uint32_t *sort_short_keys(uint32_t *keys, uint32_t n)
{
    uint32_t any = 0, most = 0, shift = 0, ends[256];
    uint64_t *pairs, *temp;

    for (uint32_t i = 1; i < n; i++)
        any |= keys[i] ^ keys[0];
    while (any >> shift > 255)
        shift++;
    pairs = to_buckets(keys, n, shift, ends);
    free(keys);
    for (uint32_t k = 0, from = 0; k < 256; from = ends[k++])
        most = ends[k] - from > most ? ends[k] - from : most;
    temp = shift ? xmalloc(mem_product(most, sizeof *temp)) : NULL;
    for (uint32_t k = 0, from = 0; k < 256; from = ends[k++]) {
        uint32_t in = ends[k] - from;
        const uint64_t *sorted = shift ? sort_bucket(pairs + from, temp, in, shift)
                                       : pairs + from; /* they came by row */

        put_rows((in_place_row *)pairs, sorted, from, in);
    }
    free(temp);
    return xrealloc(pairs, mem_product(n, sizeof *keys));
}
