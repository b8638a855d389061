/* Snappy's raw blocks; see snappy_block.h.
 *
 * Far from both ends elements are copied in whole steps that may write beyond the element
 * (what follows overwrites it); near an end byte by byte. A copy from within the last
 * step, as columns of integers have them all the time, would wait until what it reads has
 * left the store buffer: with SSSE3 the last step stays in a register and such a copy is
 * a shuffle of it. */
#include "engine/store/snappy_block.h"

#include <stdint.h>
#include <string.h>

enum {
    STEP = 16,
    LONGEST = 64,           /* an element whose length is in its tag */
    HEAD = 5,               /* tag and at most four bytes */
    NEAR = LONGEST + STEP,  /* of an end */
    LONG_LITERAL = 60 << 2, /* tags from here on */
};

struct walk {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_begin, *out_end;
};

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

static inline void step(uint8_t *to, const uint8_t *from)
{
    uint64_t half[2];

    memcpy(half, from, sizeof half);
    memcpy(to, half, sizeof half);
}

/* Overlapping: the bytes between the places repeat. */
static void repeat(uint8_t *to, size_t offset, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = to[i - offset];
}

static bool literal(struct walk *w, size_t len)
{
    if (len > (size_t)(w->in_end - w->in) || len > (size_t)(w->out_end - w->out))
        return false;
    memcpy(w->out, w->in, len);
    w->in += len;
    w->out += len;
    return true;
}

/* One element with every bound looked at. */
static bool element(struct walk *w)
{
    uint32_t tag = *w->in++, kind = tag & 3, extra = kind == 3 ? 4 : kind;
    uint64_t bits = 0;
    size_t len = (tag >> 2) + 1, offset;

    if (kind == 0) {
        if (tag < LONG_LITERAL)
            return literal(w, len);
        extra = (tag >> 2) - 59;
    }
    if (extra > (size_t)(w->in_end - w->in))
        return false;
    for (uint32_t i = 0; i < extra; i++)
        bits |= (uint64_t)*w->in++ << 8 * i;
    if (kind == 0)
        return literal(w, (size_t)bits + 1);
    offset = (size_t)bits;
    if (kind == 1) {
        len = 4 + (tag >> 2 & 7);
        offset |= (size_t)(tag >> 5) << 8;
    }
    if (offset == 0 || offset > (size_t)(w->out - w->out_begin) ||
        len > (size_t)(w->out_end - w->out))
        return false;
    repeat(w->out, offset, len);
    w->out += len;
    return true;
}

enum walked { WALKED, WALKED_TO_LONG_LITERAL, WALK_DAMAGED };

/* Elements while both ends are far, up to a literal with a length of its own. */
static enum walked far_from_ends(struct walk *w)
{
    static const uint32_t masks[4] = { 0, 0xff, 0xffff, 0xffffffff };
    const uint8_t *in = w->in, *in_far = w->in_end - HEAD - NEAR;
    const uint8_t *begin = w->out_begin;
    uint8_t *out = w->out, *out_far = w->out_end - NEAR;

    while (in < in_far && out < out_far) {
        uint32_t tag = *in, kind = tag & 3;
        size_t len, offset;

        if (kind == 0) {
            if (tag >= LONG_LITERAL) {
                w->in = in;
                w->out = out;
                return WALKED_TO_LONG_LITERAL;
            }
            len = (tag >> 2) + 1;
            in++;
            step(out, in);
            for (size_t at = STEP; at < len; at += STEP)
                step(out + at, in + at);
            in += len;
            out += len;
            continue;
        }
        len = kind == 1 ? 4 + (tag >> 2 & 7) : (tag >> 2) + 1;
        offset = (load32(in + 1) & masks[kind]) | (kind == 1 ? (tag >> 5) << 8 : 0);
        in += kind == 3 ? HEAD : kind + 1;
        if (offset - 1 >= (size_t)(out - begin))
            return WALK_DAMAGED;
        if (offset >= STEP) {
            step(out, out - offset);
            for (size_t at = STEP; at < len; at += STEP)
                step(out + at, out + at - offset);
        } else if (offset >= 8) {
            for (size_t at = 0; at < len; at += 8)
                memcpy(out + at, out + at - offset, 8);
        } else {
            repeat(out, offset, len);
        }
        out += len;
    }
    w->in = in;
    w->out = out;
    return WALKED;
}

#ifdef __x86_64__
#include <immintrin.h>

#define AS_SSSE3 __attribute__((target("ssse3")))

enum { NONE = 0x80 }; /* in a shuffle: zero */

/* Sixteen bytes from SLIDE + n on move a register by n bytes, zeros come in. */
static const _Alignas(64) uint8_t slide[3 * STEP] = {
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, 0,    1,    2,    3,    4,    5,    6,    7,
    8,    9,    10,   11,   12,   13,   14,   15,   NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
};

/* For each offset: the last `offset` bytes of a register, again and again. */
static const _Alignas(64) uint8_t repeated[STEP + 1][STEP] = {
#define FROM(o, i) (uint8_t)(STEP - (o) + (i) % (o))
#define REPEATED(o)                                                                      \
    [o] = { FROM(o, 0),  FROM(o, 1),  FROM(o, 2),  FROM(o, 3), FROM(o, 4),  FROM(o, 5),  \
            FROM(o, 6),  FROM(o, 7),  FROM(o, 8),  FROM(o, 9), FROM(o, 10), FROM(o, 11), \
            FROM(o, 12), FROM(o, 13), FROM(o, 14), FROM(o, 15) }
    REPEATED(1),  REPEATED(2),  REPEATED(3),  REPEATED(4),  REPEATED(5),  REPEATED(6),
    REPEATED(7),  REPEATED(8),  REPEATED(9),  REPEATED(10), REPEATED(11), REPEATED(12),
    REPEATED(13), REPEATED(14), REPEATED(15), REPEATED(16),
};

/* And how far back the same bytes lie, a step at least. */
static const uint8_t step_back[STEP + 1] = { 0,  16, 16, 18, 16, 20, 18, 21, 16,
                                             18, 20, 22, 24, 26, 28, 30, 16 };

AS_SSSE3 static inline __m128i load128(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

AS_SSSE3 static inline void store128(uint8_t *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

/* The last step of the output, once the first len (at most a step) of data follow. */
AS_SSSE3 static inline __m128i follow(__m128i last, __m128i data, size_t len)
{
    return _mm_or_si128(_mm_shuffle_epi8(last, load128(slide + STEP + len)),
                        _mm_shuffle_epi8(data, load128(slide + len)));
}

/* The same as far_from_ends(). A literal is told from a copy by a branch, as one mostly
 * follows the other; the two kinds of copies, in no order, by arithmetic. */
AS_SSSE3 static enum walked far_from_ends_ssse3(struct walk *w)
{
    const uint8_t *in = w->in, *in_far = w->in_end - HEAD - NEAR;
    const uint8_t *begin = w->out_begin;
    uint8_t *out = w->out, *out_far = w->out_end - NEAR, first[STEP] = { 0 };
    size_t there = (size_t)(out - begin);
    __m128i last;

    there = there < STEP ? there : STEP;
    memcpy(first + STEP - there, out - there, there);
    last = load128(first);
    while (in < in_far && out < out_far) {
        uint32_t tag = *in, next;
        size_t kind = tag & 3, len, offset, one = (size_t)0 - (kind & 1);
        __m128i data;

        if (kind == 0) {
            if (tag >= LONG_LITERAL) {
                w->in = in;
                w->out = out;
                return WALKED_TO_LONG_LITERAL;
            }
            len = (tag >> 2) + 1;
            in++;
            data = load128(in);
            store128(out, data);
            if (len <= STEP) {
                last = follow(last, data, len);
            } else {
                for (size_t at = STEP; at < len; at += STEP)
                    store128(out + at, load128(in + at));
                last = load128(in + len - STEP);
            }
            in += len;
            out += len;
            continue;
        }
        next = load32(in + 1);
        if (__builtin_expect(kind == 3, 0)) {
            len = (tag >> 2) + 1;
            offset = next;
            in += HEAD;
        } else {
            len = (((tag >> 2) + 1) & ~one) | ((4 + (tag >> 2 & 7)) & one);
            offset = ((next & 0xffff) & ~one) | (((next & 0xff) | (tag >> 5) << 8) & one);
            in += kind + 1;
        }
        if (offset - 1 >= (size_t)(out - begin))
            return WALK_DAMAGED;
        if (offset <= STEP)
            data = _mm_shuffle_epi8(last, load128(repeated[offset]));
        else
            data = load128(out - offset);
        store128(out, data);
        if (len <= STEP) {
            last = follow(last, data, len);
        } else {
            size_t back = offset <= STEP ? step_back[offset] : offset;

            for (size_t at = STEP; at < len; at += STEP)
                store128(out + at, load128(out + at - back));
            last = load128(out + len - STEP);
        }
        out += len;
    }
    w->in = in;
    w->out = out;
    return WALKED;
}
#endif

static bool walk(struct walk *w, enum walked (*far)(struct walk *w))
{
    enum walked so_far = WALKED_TO_LONG_LITERAL;

    while (so_far == WALKED_TO_LONG_LITERAL && w->in_end - w->in > HEAD + NEAR &&
           w->out_end - w->out > NEAR) {
        so_far = far(w);
        if (so_far == WALKED_TO_LONG_LITERAL && !element(w))
            return false;
    }
    if (so_far == WALK_DAMAGED)
        return false;
    while (w->in < w->in_end)
        if (!element(w))
            return false;
    return w->out == w->out_end;
}

static bool read_length(struct walk *w, uint64_t *len)
{
    *len = 0;
    for (uint32_t shift = 0; shift < 35 && w->in < w->in_end; shift += 7) {
        uint8_t byte = *w->in++;

        *len |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool decode(struct sv in, void *out, size_t want,
                   enum walked (*far)(struct walk *w))
{
    struct walk w = { .in = (const uint8_t *)in.p, .out = out, .out_begin = out };
    uint64_t len;

    w.in_end = w.in + in.len;
    w.out_end = w.out + want;
    return read_length(&w, &len) && len == want && walk(&w, far);
}

bool snappy_block_decode_portable(struct sv in, void *out, size_t want)
{
    return decode(in, out, want, far_from_ends);
}

bool snappy_block_decode(struct sv in, void *out, size_t want)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("ssse3"))
        return decode(in, out, want, far_from_ends_ssse3);
#endif
    return decode(in, out, want, far_from_ends);
}
