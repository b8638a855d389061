#include "engine/store/parquet_encode.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DICTIONARY = 1 << 20,
    MAX_BOUND = 4096 /* longer texts are left out of statistics */
};

/* Bytes that hold any decimal of that many digits, with its sign. */
static int32_t bytes_of_digits(int digits)
{
    int32_t n = 1;

    while (pow(2.0, 8.0 * n - 1) < pow(10.0, digits))
        n++;
    return n;
}

bool parquet_leaf_for(struct type t, bool int96, bool millis, struct parquet_leaf *out)
{
    struct parquet_leaf l = { .type = t };

    switch ((enum type_id)t.id) {
    case TYPE_NULL:
        return false;
    case TYPE_BOOLEAN:
        l.physical = PQ_BOOLEAN;
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_INTERVAL_MONTH:
        l.physical = PQ_INT32;
        break;
    case TYPE_LONG:
    case TYPE_INTERVAL_DAY:
        l.physical = PQ_INT64;
        break;
    case TYPE_FLOAT:
        l.physical = PQ_FLOAT;
        break;
    case TYPE_DOUBLE:
        l.physical = PQ_DOUBLE;
        break;
    case TYPE_DECIMAL:
        l.physical = t.precision <= 9    ? PQ_INT32
                     : t.precision <= 18 ? PQ_INT64
                                         : PQ_FIXED;
        if (l.physical == PQ_FIXED)
            l.fixed_bytes = bytes_of_digits(t.precision);
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        l.physical = PQ_BYTE_ARRAY;
        break;
    case TYPE_TIMESTAMP:
        l.physical = int96 ? PQ_INT96 : PQ_INT64;
        l.time = millis ? PQ_MILLIS : PQ_MICROS;
        break;
    case TYPE_TIMESTAMP_NTZ:
        l.physical = PQ_INT64;
        l.time = PQ_MICROS;
        break;
    }
    *out = l;
    return true;
}

/* ---- runs ---- */

static void put_varint(struct strbuf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        strbuf_addc(out, (char)(v | 0x80));
    strbuf_addc(out, (char)v);
}

uint32_t bits_needed(uint32_t most)
{
    return most ? 32 - (uint32_t)__builtin_clz(most) : 0;
}

static void put_rle(struct strbuf *out, uint32_t value, uint32_t n, uint32_t width)
{
    put_varint(out, (uint64_t)n << 1);
    for (uint32_t bits = 0; bits < width; bits += 8)
        strbuf_addc(out, (char)(value >> bits));
}

/* Groups of eight; the last may be filled up with zeros that nobody reads. */
static void put_packed(struct strbuf *out, const uint32_t *values, uint32_t n,
                       uint32_t width)
{
    uint64_t bits = 0;
    uint32_t have = 0, groups = (n + 7) / 8;

    put_varint(out, (uint64_t)groups << 1 | 1);
    for (uint32_t i = 0; i < groups * 8; i++) {
        bits |= (uint64_t)(i < n ? values[i] : 0) << have;
        for (have += width; have >= 8; have -= 8, bits >>= 8)
            strbuf_addc(out, (char)bits);
    }
}

static uint32_t run_at(const uint32_t *values, uint32_t i, uint32_t n)
{
    uint32_t j = i + 1;

    while (j < n && values[j] == values[i])
        j++;
    return j - i;
}

void hybrid_encode(struct strbuf *out, const uint32_t *values, uint32_t n, uint32_t width)
{
    if (width == 0)
        return;
    for (uint32_t i = 0; i < n;) {
        uint32_t run = run_at(values, i, n), from = i;

        if (run >= 8) {
            put_rle(out, values[i], run, width);
            i += run;
            continue;
        }
        /* up to where a run begins, in whole groups of eight but at the end */
        while (i < n && ((run = run_at(values, i, n)) < 8 || (i - from) % 8 != 0)) {
            uint32_t to_group = 8 - (i - from) % 8;

            i += run < to_group ? run : to_group;
        }
        put_packed(out, values + from, i - from, width);
    }
}

/* ---- plain ---- */

static void put_bytes(struct strbuf *out, const void *p, size_t n)
{
    strbuf_add(out, (struct sv){ p, n });
}

static void put_fixed_decimal(struct strbuf *out, i128 v, int32_t bytes)
{
    for (int32_t i = bytes - 1; i >= 0; i--)
        strbuf_addc(out, (char)(v >> (8 * i)));
}

static void put_int96(struct strbuf *out, int64_t us)
{
    enum { EPOCH_JULIAN_DAY = 2440588 };
    const int64_t day_us = INT64_C(86400000000);
    int64_t day = us / day_us, rest = us % day_us, nanos;
    int32_t julian;

    if (rest < 0) {
        rest += day_us;
        day--;
    }
    nanos = rest * 1000;
    julian = (int32_t)(day + EPOCH_JULIAN_DAY);
    put_bytes(out, &nanos, 8);
    put_bytes(out, &julian, 4);
}

static int64_t int_at(struct type t, const void *p)
{
    switch (type_width(t)) {
    case 1:
        return *(const int8_t *)p;
    case 2:
        return *(const int16_t *)p;
    case 4:
        return *(const int32_t *)p;
    default:
        return *(const int64_t *)p;
    }
}

void plain_append(struct strbuf *out, const struct parquet_leaf *leaf, const void *value)
{
    int64_t wide;
    int32_t narrow;
    i128 decimal;
    struct sv text;
    uint32_t len;

    switch (leaf->physical) {
    case PQ_BOOLEAN:
        strbuf_addc(out, *(const char *)value);
        break;
    case PQ_INT32:
        narrow = (int32_t)int_at(leaf->type, value);
        put_bytes(out, &narrow, 4);
        break;
    case PQ_INT64:
        wide = *(const int64_t *)value;
        if (leaf->time == PQ_MILLIS)
            wide = wide / 1000 - (wide % 1000 < 0);
        put_bytes(out, &wide, 8);
        break;
    case PQ_INT96:
        put_int96(out, *(const int64_t *)value);
        break;
    case PQ_FLOAT:
        put_bytes(out, value, 4);
        break;
    case PQ_DOUBLE:
        put_bytes(out, value, 8);
        break;
    case PQ_BYTE_ARRAY:
        text = str_sv(value);
        len = (uint32_t)text.len;
        put_bytes(out, &len, 4);
        strbuf_add(out, text);
        break;
    case PQ_FIXED:
        memcpy(&decimal, value, sizeof decimal); /* columns align it to 8 only */
        put_fixed_decimal(out, decimal, leaf->fixed_bytes);
        break;
    }
}

/* ---- dictionary ---- */

static uint32_t hash_of(struct sv s)
{
    uint64_t h = sv_hash(s);

    return (uint32_t)(h ^ h >> 32);
}

static struct sv entry(const struct dictionary *d, uint32_t code)
{
    size_t from = d->at[code], to = code + 1 < d->n ? d->at[code + 1] : d->plain.len;

    return (struct sv){ d->plain.p + from, to - from };
}

static void rehash(struct dictionary *d)
{
    d->n_slots = d->n_slots ? d->n_slots * 2 : 1024;
    d->slots = xrealloc(d->slots, d->n_slots * sizeof *d->slots);
    memset(d->slots, 0, d->n_slots * sizeof *d->slots);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t at = hash_of(entry(d, i)) & (d->n_slots - 1);

        while (d->slots[at])
            at = (at + 1) & (d->n_slots - 1);
        d->slots[at] = i + 1;
    }
}

uint32_t dictionary_code(struct dictionary *d, struct sv plain)
{
    uint32_t at;

    if (d->n * 2 >= d->n_slots)
        rehash(d);
    at = hash_of(plain) & (d->n_slots - 1);
    for (; d->slots[at]; at = (at + 1) & (d->n_slots - 1))
        if (sv_eq(entry(d, d->slots[at] - 1), plain))
            return d->slots[at] - 1;
    if (d->plain.len + plain.len > MAX_DICTIONARY)
        return UINT32_MAX;
    GROW(d->at, d->n, d->cap);
    d->at[d->n] = (uint32_t)d->plain.len;
    strbuf_add(&d->plain, plain);
    d->slots[at] = ++d->n;
    return d->n - 1;
}

void dictionary_reset(struct dictionary *d)
{
    strbuf_reset(&d->plain);
    d->n = 0;
    if (d->n_slots)
        memset(d->slots, 0, d->n_slots * sizeof *d->slots);
}

void dictionary_release(struct dictionary *d)
{
    strbuf_release(&d->plain);
    free(d->at);
    free(d->slots);
    *d = (struct dictionary){ 0 };
}

/* ---- extremes ---- */

static void keep(struct value *to, struct strbuf *text, const struct value *v)
{
    *to = *v;
    if (!type_is_text(v->type))
        return;
    strbuf_reset(text);
    strbuf_add(text, v->u.s);
    to->u.s = v->u.s.len ? strbuf_sv(text) : sv("");
}

void extremes_add(struct extremes *e, const struct value *v)
{
    bool real = v->type.id == TYPE_FLOAT || v->type.id == TYPE_DOUBLE;

    if (real && isnan(v->u.f))
        e->unusable = true;
    if (!e->any || value_cmp(v, &e->min) < 0)
        keep(&e->min, &e->min_text, v);
    if (!e->any || value_cmp(v, &e->max) > 0)
        keep(&e->max, &e->max_text, v);
    e->any = true;
}

static void put_bound(struct strbuf *out, const struct parquet_leaf *leaf,
                      const struct value *v, bool least)
{
    i128 room[1] = { 0 };
    struct vec one = { .type = leaf->type, .kind = VEC_CONST, .data = room };
    struct value x = *v;

    if (type_is_text(v->type)) {
        strbuf_add(out, v->u.s);
        return;
    }
    if (leaf->type.id == TYPE_FLOAT || leaf->type.id == TYPE_DOUBLE)
        x.u.f = x.u.f == 0
                    ? (least ? -0.0 : 0.0)
                    : x.u.f; /* the two zeros are equal: bounds must hold for both */
    value_store(&one, 0, &x);
    plain_append(out, leaf, room);
}

bool extremes_plain(const struct extremes *e, const struct parquet_leaf *leaf,
                    struct strbuf *min, struct strbuf *max)
{
    if (!e->any || e->unusable || leaf->physical == PQ_INT96 ||
        e->min_text.len + e->max_text.len > MAX_BOUND)
        return false;
    put_bound(min, leaf, &e->min, true);
    put_bound(max, leaf, &e->max, false);
    return true;
}

void extremes_reset(struct extremes *e)
{
    e->any = e->unusable = false;
    strbuf_reset(&e->min_text);
    strbuf_reset(&e->max_text);
}

void extremes_release(struct extremes *e)
{
    strbuf_release(&e->min_text);
    strbuf_release(&e->max_text);
}
