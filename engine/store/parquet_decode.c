/* All numbers are little-endian, as on the machines this runs on; loads go through memcpy
 * since nothing is aligned. */
#include "engine/store/parquet_decode.h"

#include "engine/column/value.h"
#include "engine/store/bit_unpack.h"

#include <string.h>

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

static uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
        uint8_t b = *(*p)++;

        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* ---- hybrid ---- */

void hybrid_init(struct hybrid *h, struct sv bytes, uint32_t width)
{
    *h = (struct hybrid){ .p = (const uint8_t *)bytes.p,
                          .end = (const uint8_t *)bytes.p + bytes.len,
                          .width = width };
}

static bool next_run(struct hybrid *h)
{
    uint64_t head, bytes;

    if (!varint(&h->p, h->end, &head))
        return false;
    h->packed = head & 1;
    if (h->packed) {
        bytes = (head >> 1) * h->width;
        if (head >> 1 > UINT32_MAX / 8)
            return false;
        /* the last run may be cut where its padding would be */
        if (bytes > (uint64_t)(h->end - h->p))
            bytes = (uint64_t)(h->end - h->p);
        h->left = (uint32_t)(head >> 1) * 8;
        if (h->width && (uint64_t)h->left * h->width > bytes * 8)
            h->left = (uint32_t)(bytes * 8 / h->width);
        h->bits = h->p;
        h->bit = 0;
        h->p += bytes;
        return h->left > 0;
    }
    bytes = (h->width + 7) / 8;
    if (head >> 1 > UINT32_MAX || bytes > (uint64_t)(h->end - h->p))
        return false;
    h->left = (uint32_t)(head >> 1);
    h->value = 0;
    memcpy(&h->value, h->p, bytes);
    h->p += bytes;
    return h->left > 0;
}

bool hybrid_read(struct hybrid *h, uint32_t *out, uint32_t n)
{
    if (h->width == 0) { /* one value only: no bytes at all */
        memset(out, 0, n * sizeof *out);
        return true;
    }
    while (n > 0) {
        uint32_t k;

        if (h->left == 0 && !next_run(h))
            return false;
        k = h->left < n ? h->left : n;
        if (h->packed) {
            bit_unpack(h->bits, h->end, h->bit, h->width, k, out);
            h->bit += (uint64_t)k * h->width;
        } else {
            for (uint32_t i = 0; i < k; i++)
                out[i] = h->value;
        }
        h->left -= k;
        out += k;
        n -= k;
    }
    return true;
}

bool hybrid_read_mask(struct hybrid *h, uint8_t *out, uint32_t n, uint32_t *ones)
{
    uint32_t sum = 0;

    while (n > 0) {
        uint32_t k;

        if (h->left == 0 && !next_run(h))
            return false;
        k = h->left < n ? h->left : n;
        if (!h->packed) {
            memset(out, h->value & 1, k);
            sum += k * (h->value & 1);
        } else {
            for (uint32_t i = 0; i < k; i++) {
                uint64_t bit = h->bit + i;
                uint8_t one = h->bits[bit >> 3] >> (bit & 7) & 1;

                out[i] = one;
                sum += one;
            }
            h->bit += k;
        }
        h->left -= k;
        out += k;
        n -= k;
    }
    *ones = sum;
    return true;
}

/* ---- deltas ---- */

bool delta_init(struct delta *d, struct sv bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.p, *end = p + bytes.len;
    uint64_t block, minis, total, first;

    if (!varint(&p, end, &block) || !varint(&p, end, &minis) ||
        !varint(&p, end, &total) || !varint(&p, end, &first) || minis == 0 ||
        minis > 1 << 16 || block > 1 << 24 || block % minis != 0 ||
        block / minis % 8 != 0 || block == 0)
        return false;
    *d = (struct delta){ .p = p,
                         .end = end,
                         .total = total,
                         .per_mini = (uint32_t)(block / minis),
                         .minis = (uint32_t)minis,
                         .mini = (uint32_t)minis, /* none open */
                         .last = (int64_t)(first >> 1) ^ -(int64_t)(first & 1) };
    return true;
}

static bool next_mini(struct delta *d)
{
    uint64_t bytes;

    if (d->mini == d->minis) {
        uint64_t least;

        if (!varint(&d->p, d->end, &least) || d->minis > (uint64_t)(d->end - d->p))
            return false;
        d->least = (int64_t)(least >> 1) ^ -(int64_t)(least & 1);
        d->widths = d->p;
        d->p += d->minis;
        d->mini = 0;
    }
    d->width = d->widths[d->mini++];
    bytes = (uint64_t)d->per_mini / 8 * d->width;
    if (d->width > 64)
        return false;
    if (bytes >
        (uint64_t)(d->end - d->p)) /* the last one may be cut after its last value */
        bytes = (uint64_t)(d->end - d->p);
    d->bits = d->p;
    d->bit = 0;
    d->p += bytes;
    d->left_in_mini = d->per_mini;
    if (d->width && bytes * 8 / d->width < d->left_in_mini)
        d->left_in_mini = (uint32_t)(bytes * 8 / d->width);
    return d->left_in_mini > 0;
}

/* Values of more than 57 bits may need a ninth byte. */
static uint64_t wide_bits(const struct delta *d)
{
    uint64_t v = bits_at(d->bits, d->p, d->bit);
    unsigned shift = d->bit & 7;

    if (d->width + shift > 64) {
        const uint8_t *ninth = d->bits + (d->bit >> 3) + 8;

        if (ninth < d->p)
            v |= (uint64_t)*ninth << (64 - shift);
    }
    return d->width == 64 ? v : v & ((UINT64_C(1) << d->width) - 1);
}

bool delta_read(struct delta *d, int64_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (d->given == d->total)
            return false;
        if (d->given++ > 0) {
            if (d->left_in_mini == 0 && !next_mini(d))
                return false;
            /* deltas wrap around, so that any two values have one */
            d->last = (int64_t)((uint64_t)d->last + (uint64_t)d->least + wide_bits(d));
            d->bit += d->width;
            d->left_in_mini--;
        }
        out[i] = d->last;
    }
    return true;
}

const uint8_t *delta_end(const struct delta *d)
{
    return d->p;
}

/* ---- plain ---- */

uint32_t plain_width(const struct parquet_leaf *leaf)
{
    switch (leaf->physical) {
    case PQ_INT32:
    case PQ_FLOAT:
        return 4;
    case PQ_INT64:
    case PQ_DOUBLE:
        return 8;
    case PQ_INT96:
        return 12;
    case PQ_FIXED:
        return (uint32_t)leaf->fixed_bytes;
    case PQ_BOOLEAN:
    case PQ_BYTE_ARRAY:
        break;
    }
    return 0;
}

/* Big-endian two's complement, as decimals in byte arrays are. */
static bool decimal_of_bytes(const uint8_t *p, size_t len, i128 *out)
{
    u128 v = len && p[0] & 0x80 ? ~(u128)0 : 0;

    while (len > 16) { /* only sign may be there */
        if (*p != (uint8_t)v)
            return false;
        p++;
        len--;
    }
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    *out = (i128)v;
    return true;
}

static void store_decimal(const struct parquet_leaf *leaf, i128 v, void *out, uint32_t i)
{
    if (type_is_wide(leaf->type))
        ((i128 *)out)[i] = v;
    else
        ((int64_t *)out)[i] = (int64_t)v;
}

static int64_t micros_of(const struct parquet_leaf *leaf, int64_t v)
{
    if (leaf->time == PQ_MILLIS && __builtin_mul_overflow(v, INT64_C(1000), &v))
        return INT64_MAX;
    if (leaf->time == PQ_NANOS)
        return v / 1000 - (v % 1000 < 0);
    return v;
}

void plain_of_ints(const struct parquet_leaf *leaf, const int64_t *in, uint32_t n,
                   void *out)
{
    if (leaf->physical == PQ_INT32 && leaf->unsigned_int && leaf->type.id == TYPE_LONG) {
        for (uint32_t i = 0; i < n; i++)
            ((int64_t *)out)[i] = (uint32_t)in[i];
        return;
    }
    switch ((enum type_id)leaf->type.id) {
    case TYPE_BYTE:
        for (uint32_t i = 0; i < n; i++)
            ((int8_t *)out)[i] = (int8_t)in[i];
        break;
    case TYPE_SHORT:
        for (uint32_t i = 0; i < n; i++)
            ((int16_t *)out)[i] = (int16_t)in[i];
        break;
    case TYPE_INT:
    case TYPE_DATE:
        for (uint32_t i = 0; i < n; i++)
            ((int32_t *)out)[i] = (int32_t)in[i];
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        for (uint32_t i = 0; i < n; i++)
            ((int64_t *)out)[i] = micros_of(leaf, in[i]);
        break;
    case TYPE_DECIMAL:
        for (uint32_t i = 0; i < n; i++)
            store_decimal(leaf, leaf->unsigned_int ? (i128)(uint64_t)in[i] : in[i], out,
                          i);
        break;
    default:
        memcpy(out, in, n * sizeof *in);
    }
}

static void read_int32(const struct parquet_leaf *leaf, const uint8_t *p, uint32_t n,
                       void *out)
{
    int64_t wide[256];

    if (leaf->type.id == TYPE_INT || leaf->type.id == TYPE_DATE) {
        memcpy(out, p, (size_t)n * 4);
        return;
    }
    for (uint32_t at = 0; at < n;) {
        uint32_t k = n - at < 256 ? n - at : 256;

        for (uint32_t i = 0; i < k; i++)
            wide[i] = (int32_t)load32(p + 4 * (size_t)(at + i));
        plain_of_ints(leaf, wide, k, (char *)out + at * type_width(leaf->type));
        at += k;
    }
}

static void read_int64(const struct parquet_leaf *leaf, const uint8_t *p, uint32_t n,
                       void *out)
{
    bool as_is = leaf->type.id == TYPE_LONG || leaf->time == PQ_MICROS ||
                 (leaf->type.id == TYPE_DECIMAL && !type_is_wide(leaf->type));
    int64_t wide[256];

    if (as_is) {
        memcpy(out, p, (size_t)n * 8);
        return;
    }
    for (uint32_t at = 0; at < n;) {
        uint32_t k = n - at < 256 ? n - at : 256;

        memcpy(wide, p + 8 * (size_t)at, 8 * (size_t)k);
        plain_of_ints(leaf, wide, k, (char *)out + at * type_width(leaf->type));
        at += k;
    }
}

/* Nanoseconds of the day, then the Julian day. */
static int64_t int96_us(const uint8_t *p)
{
    enum { EPOCH_JULIAN_DAY = 2440588 };
    int64_t nanos = (int64_t)load64(p), day = (int32_t)load32(p + 8), us;

    if (__builtin_mul_overflow(day - EPOCH_JULIAN_DAY, INT64_C(86400000000), &us) ||
        __builtin_add_overflow(us, nanos / 1000, &us))
        return INT64_MAX;
    return us;
}

static bool read_fixed(const struct parquet_leaf *leaf, const uint8_t *p, uint32_t n,
                       void *out)
{
    size_t width = (size_t)leaf->fixed_bytes;

    for (uint32_t i = 0; i < n; i++, p += width) {
        i128 v;

        if (leaf->type.id != TYPE_DECIMAL) {
            ((struct str *)out)[i] = str_make((const char *)p, width);
            continue;
        }
        if (!decimal_of_bytes(p, width, &v))
            return false;
        store_decimal(leaf, v, out, i);
    }
    return true;
}

static bool read_texts(struct plain *s, const struct parquet_leaf *leaf, uint32_t n,
                       void *out)
{
    const uint8_t *p = s->p, *end = s->end;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;
        i128 v;

        if (end - p < 4)
            return false;
        len = load32(p);
        p += 4;
        if (len > (size_t)(end - p))
            return false;
        if (leaf->type.id == TYPE_DECIMAL) {
            if (!decimal_of_bytes(p, len, &v))
                return false;
            store_decimal(leaf, v, out, i);
        } else {
            ((struct str *)out)[i] = str_make((const char *)p, len);
        }
        p += len;
    }
    s->p = p;
    return true;
}

static bool read_bits(struct plain *s, uint32_t n, uint8_t *out)
{
    if ((uint64_t)s->bit + n > (uint64_t)(s->end - s->p) * 8)
        return false;
    for (uint32_t i = 0; i < n; i++, s->bit++)
        out[i] = s->p[s->bit >> 3] >> (s->bit & 7) & 1;
    return true;
}

bool plain_read(struct plain *s, const struct parquet_leaf *leaf, uint32_t n, void *out)
{
    uint64_t bytes = (uint64_t)n * plain_width(leaf);

    if (leaf->physical == PQ_BOOLEAN)
        return read_bits(s, n, out);
    if (leaf->physical == PQ_BYTE_ARRAY)
        return read_texts(s, leaf, n, out);
    if (bytes > (uint64_t)(s->end - s->p))
        return false;
    switch (leaf->physical) {
    case PQ_INT32:
        read_int32(leaf, s->p, n, out);
        break;
    case PQ_INT64:
        read_int64(leaf, s->p, n, out);
        break;
    case PQ_FLOAT:
    case PQ_DOUBLE:
        memcpy(out, s->p, bytes);
        break;
    case PQ_INT96:
        for (uint32_t i = 0; i < n; i++)
            ((int64_t *)out)[i] = int96_us(s->p + 12 * (size_t)i);
        break;
    case PQ_FIXED:
        if (!read_fixed(leaf, s->p, n, out))
            return false;
        break;
    case PQ_BOOLEAN:
    case PQ_BYTE_ARRAY:
        break;
    }
    s->p += bytes;
    return true;
}

bool plain_value(const struct parquet_leaf *leaf, struct sv bytes, struct value *out)
{
    i128 room[2] = { 0 }; /* of any type */
    struct vec one = { .type = leaf->type, .kind = VEC_CONST, .data = room };
    struct plain s = { .p = (const uint8_t *)bytes.p };

    if (!bytes.p)
        return false;
    s.end = s.p + bytes.len;
    if (leaf->physical == PQ_BYTE_ARRAY) { /* statistics leave the length out */
        i128 v;

        *out = (struct value){ .type = leaf->type };
        if (leaf->type.id != TYPE_DECIMAL) {
            out->u.s = bytes;
            return true;
        }
        if (!decimal_of_bytes(s.p, bytes.len, &v))
            return false;
        out->u.dec = v;
        return true;
    }
    if (!plain_read(&s, leaf, 1, room))
        return false;
    *out = value_at(&one, 0);
    if (type_is_text(leaf->type))
        out->u.s = bytes; /* not the short text inside `room` */
    return true;
}
