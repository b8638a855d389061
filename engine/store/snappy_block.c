/* Snappy's raw blocks; see snappy_block.h.
 *
 * Far from both ends elements are copied in whole steps that may write beyond the element
 * (what follows overwrites it); near an end byte by byte. */
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

/* Elements while both ends are far. False: damaged. */
static bool far_from_ends(struct walk *w)
{
    static const uint32_t masks[4] = { 0, 0xff, 0xffff, 0xffffffff };
    const uint8_t *in = w->in, *in_far = w->in_end - HEAD - NEAR;
    uint8_t *out = w->out, *out_far = w->out_end - NEAR;

    while (in < in_far && out < out_far) {
        uint32_t tag = *in, kind = tag & 3;
        size_t len, offset;

        if (kind == 0) {
            if (tag >= LONG_LITERAL) {
                w->in = in;
                w->out = out;
                if (!element(w))
                    return false;
                in = w->in;
                out = w->out;
                continue;
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
        if (offset - 1 >= (size_t)(out - w->out_begin))
            return false;
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
    return true;
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

bool snappy_block_decode(struct sv in, void *out, size_t want)
{
    struct walk w = { .in = (const uint8_t *)in.p, .out = out, .out_begin = out };
    uint64_t len;

    w.in_end = w.in + in.len;
    w.out_end = w.out + want;
    if (!read_length(&w, &len) || len != want)
        return false;
    if (in.len > HEAD + NEAR && want > NEAR && !far_from_ends(&w))
        return false;
    while (w.in < w.in_end)
        if (!element(&w))
            return false;
    return w.out == w.out_end;
}
