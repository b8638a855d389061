/* Frames of compressed bytes; see block.h. */
#include "engine/store/block.h"

#include "engine/store/compress.h"

#include <string.h>

static const char magic[4] = { 'S', 'P', 'W', 'B' };

static uint64_t word(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t turn(uint64_t h, uint64_t w)
{
    h = (h ^ w) * UINT64_C(0x9FB21C651E98DF25);
    return h ^ h >> 29;
}

/* Four chains side by side keep the multiplier busy. */
uint64_t block_check(const void *from, size_t len)
{
    const char *p = from;
    uint64_t h[4] = { len, ~(uint64_t)len, UINT64_C(0x7F4A7C15), UINT64_C(0xD6E8FEB8) };
    size_t left = len;

    for (; left >= 32; left -= 32, p += 32)
        for (int k = 0; k < 4; k++)
            h[k] = turn(h[k], word(p + 8 * k));
    for (; left >= 8; left -= 8, p += 8)
        h[0] = turn(h[0], word(p));
    if (left) {
        char tail[8] = { 0 };

        memcpy(tail, p, left);
        h[1] = turn(h[1], word(tail));
    }
    return turn(turn(turn(h[0], h[1]), h[2]), h[3]);
}

static void put(struct strbuf *out, size_t at, size_t raw, size_t stored, bool packed)
{
    uint32_t head[3] = { (uint32_t)raw, (uint32_t)stored << 1 | packed,
                         (uint32_t)block_check(out->p + at + BLOCK_HEAD, stored) };

    memcpy(out->p + at, magic, sizeof magic);
    memcpy(out->p + at + sizeof magic, head, sizeof head);
}

void block_write(struct strbuf *out, struct sv raw, bool compress)
{
    size_t at = out->len;

    if (compress && raw.len > 64) {
        strbuf_fill(out, 0, BLOCK_HEAD + compress_bound(COMPRESS_LZ4, raw.len));
        size_t n = compress_block(COMPRESS_LZ4, raw.p, raw.len, out->p + at + BLOCK_HEAD);
        if (n && n < raw.len) {
            out->len = at + BLOCK_HEAD + n;
            put(out, at, raw.len, n, true);
            return;
        }
        out->len = at;
    }
    strbuf_fill(out, 0, BLOCK_HEAD);
    strbuf_add(out, raw);
    put(out, at, raw.len, raw.len, false);
}

enum errc block_peek(struct sv head, size_t *raw_bytes, size_t *stored_bytes,
                     struct err *err)
{
    uint32_t h[3];

    if (head.len < BLOCK_HEAD || memcmp(head.p, magic, sizeof magic) != 0)
        return err_set(err, ERR_CORRUPT, "no block of rows where one should begin");
    memcpy(h, head.p + sizeof magic, sizeof h);
    if (h[0] > BLOCK_MAX_BYTES || (h[1] >> 1) > h[0] ||
        (!(h[1] & 1) && h[1] >> 1 != h[0]))
        return err_set(err, ERR_CORRUPT, "a block of rows has impossible lengths");
    *raw_bytes = h[0];
    *stored_bytes = h[1] >> 1;
    return ERR_OK;
}

enum errc block_read(struct sv in, void *to, size_t *used, struct err *err)
{
    size_t raw = 0, stored = 0;
    uint32_t h[3];

    TRY(block_peek(in, &raw, &stored, err));
    memcpy(h, in.p + sizeof magic, sizeof h);
    if (stored > in.len - BLOCK_HEAD)
        return err_set(err, ERR_CORRUPT, "a block of rows is cut short");
    struct sv bytes = { in.p + BLOCK_HEAD, stored };
    if ((uint32_t)block_check(bytes.p, bytes.len) != h[2])
        return err_set(err, ERR_CORRUPT, "a block of rows does not match its checksum");
    if (h[1] & 1)
        TRY(decompress_block(COMPRESS_LZ4, bytes, to, raw, err));
    else if (raw)
        memcpy(to, bytes.p, raw);
    *used = BLOCK_HEAD + stored;
    return ERR_OK;
}
