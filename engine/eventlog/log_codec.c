#include "engine/eventlog/log_codec.h"

#include "base/mem.h"
#include "base/util.h"
#include "base/xxh32.h"
#include "engine/store/compress.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 32 << 10, /* Spark's spark.io.compression.{lz4,snappy}.blockSize */
    LZF_BLOCK = 65535,
    LZ4_LEVEL = 5, /* of the token: blocks of 1 << (10 + 5) bytes */
    LZ4_PACKED = 0x20 | LZ4_LEVEL,
    LZ4_STORED = 0x10 | LZ4_LEVEL,
};

#define LZ4_SEED 0x9747B28CU
#define LZ4_SUM_MASK 0x0FFFFFFFU

static const struct {
    const char *name, *class_name, *suffix;
} known[] = {
    [LOG_PLAIN] = { "", "", "" },
    [LOG_ZSTD] = { "zstd", "org.apache.spark.io.ZStdCompressionCodec", ".zstd" },
    [LOG_LZ4] = { "lz4", "org.apache.spark.io.LZ4CompressionCodec", ".lz4" },
    [LOG_SNAPPY] = { "snappy", "org.apache.spark.io.SnappyCompressionCodec", ".snappy" },
    [LOG_LZF] = { "lzf", "org.apache.spark.io.LZFCompressionCodec", ".lzf" },
};

bool log_codec_find(struct sv name, enum log_codec *out)
{
    for (size_t i = LOG_ZSTD; i < ARRAY_LEN(known); i++)
        if (sv_eq_nocase(name, sv(known[i].name)) ||
            sv_eq(name, sv(known[i].class_name))) {
            *out = (enum log_codec)i;
            return true;
        }
    return false;
}

const char *log_codec_suffix(enum log_codec c)
{
    return known[c].suffix;
}

static void add_le32(struct strbuf *out, uint32_t v)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        strbuf_addc(out, (char)(v >> shift & 0xFF));
}

static void add_be(struct strbuf *out, uint32_t v, unsigned bytes)
{
    while (bytes-- > 0)
        strbuf_addc(out, (char)(v >> 8 * bytes & 0xFF));
}

static void add_bytes(struct strbuf *out, const void *p, size_t n)
{
    strbuf_add(out, (struct sv){ p, n });
}

/* Into room of its own, which the caller frees. */
static char *packed_block(enum compression c, struct sv text, size_t *len)
{
    char *room = xmalloc(compress_bound(c, text.len));

    *len = compress_block(c, text.p, text.len, room);
    return room;
}

/* --- lz4-java's LZ4Block ----------------------------------------------------------- */

static void lz4_block(struct strbuf *out, struct sv text)
{
    size_t n;
    char *packed = packed_block(COMPRESS_LZ4, text, &n);
    bool stored = n >= text.len;
    uint32_t sum = xxh32((const unsigned char *)text.p, text.len, LZ4_SEED);

    strbuf_addz(out, "LZ4Block");
    strbuf_addc(out, stored ? LZ4_STORED : LZ4_PACKED);
    add_le32(out, (uint32_t)(stored ? text.len : n));
    add_le32(out, (uint32_t)text.len);
    add_le32(out, sum & LZ4_SUM_MASK);
    add_bytes(out, stored ? text.p : packed, stored ? text.len : n);
    free(packed);
}

static void lz4_end(struct strbuf *out)
{
    strbuf_addz(out, "LZ4Block");
    strbuf_addc(out, LZ4_STORED);
    strbuf_fill(out, '\0', 12);
}

/* --- snappy-java's stream ---------------------------------------------------------- */

static void snappy_head(struct strbuf *out)
{
    add_bytes(out, "\x82SNAPPY", 8); /* its last byte is 0 */
    add_be(out, 1, 4);               /* version, and oldest that can read it */
    add_be(out, 1, 4);
}

static void snappy_chunk(struct strbuf *out, struct sv text)
{
    size_t n;
    char *packed = packed_block(COMPRESS_SNAPPY, text, &n);

    add_be(out, (uint32_t)n, 4);
    add_bytes(out, packed, n);
    free(packed);
}

/* --- compress-lzf's chunks --------------------------------------------------------- */

enum {
    LZF_HASH_BITS = 13,
    LZF_FAR = 1 << 13, /* farthest copy */
    LZF_LITERALS = 32,
    LZF_LONGEST = 264,
};

static void lzf_literals(struct strbuf *out, const char *from, size_t n)
{
    for (size_t run; n > 0; n -= run, from += run) {
        run = n < LZF_LITERALS ? n : LZF_LITERALS;
        strbuf_addc(out, (char)(run - 1));
        add_bytes(out, from, run);
    }
}

static void lzf_copy(struct strbuf *out, size_t distance, size_t n)
{
    size_t far = distance - 1, len = n - 2;

    if (len < 7) {
        strbuf_addc(out, (char)(len << 5 | far >> 8));
    } else {
        strbuf_addc(out, (char)(7 << 5 | far >> 8));
        strbuf_addc(out, (char)(len - 7));
    }
    strbuf_addc(out, (char)(far & 0xFF));
}

static size_t lzf_slot(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t three = (uint32_t)u[0] << 16 | (uint32_t)u[1] << 8 | u[2];

    return three * 2654435761U >> (32 - LZF_HASH_BITS);
}

/* Greedy: the last place with the same three bytes, if it is near enough. */
static void lzf_pack(struct strbuf *out, struct sv text)
{
    uint32_t last[1 << LZF_HASH_BITS] = { 0 }; /* place + 1; 0: none */
    size_t at = 0, literals = 0;

    while (at + 3 <= text.len) {
        uint32_t *slot = &last[lzf_slot(text.p + at)];
        size_t before = *slot, n = 0;

        *slot = (uint32_t)at + 1;
        if (before && at - (before - 1) <= LZF_FAR) {
            const char *a = text.p + (before - 1), *b = text.p + at;
            size_t most = text.len - at < LZF_LONGEST ? text.len - at : LZF_LONGEST;

            while (n < most && a[n] == b[n])
                n++;
        }
        if (n < 3) {
            at++;
            continue;
        }
        lzf_literals(out, text.p + literals, at - literals);
        lzf_copy(out, at - (before - 1), n);
        at += n;
        literals = at;
    }
    lzf_literals(out, text.p + literals, text.len - literals);
}

static void lzf_chunk(struct strbuf *out, struct sv text)
{
    struct strbuf packed = { 0 };

    lzf_pack(&packed, text);
    bool stored = packed.len + 2 >= text.len;
    strbuf_addz(out, "ZV");
    strbuf_addc(out, stored ? 0 : 1);
    add_be(out, (uint32_t)(stored ? text.len : packed.len), 2);
    if (!stored)
        add_be(out, (uint32_t)text.len, 2);
    strbuf_add(out, stored ? text : strbuf_sv(&packed));
    strbuf_release(&packed);
}

/* --- all of them ------------------------------------------------------------------- */

void log_codec_head(enum log_codec c, struct strbuf *out)
{
    if (c == LOG_SNAPPY)
        snappy_head(out);
}

static void in_blocks(struct sv text, size_t most, struct strbuf *out,
                      void (*pack)(struct strbuf *, struct sv))
{
    while (text.len) {
        struct sv block = { text.p, text.len < most ? text.len : most };

        pack(out, block);
        text = sv_from(text, block.len);
    }
}

void log_codec_pack(enum log_codec c, struct sv text, struct strbuf *out)
{
    size_t n;
    char *frame;

    switch (c) {
    case LOG_PLAIN:
        strbuf_add(out, text);
        break;
    case LOG_ZSTD:
        frame = packed_block(COMPRESS_ZSTD, text, &n);
        add_bytes(out, frame, n);
        free(frame);
        break;
    case LOG_LZ4:
        in_blocks(text, BLOCK, out, lz4_block);
        break;
    case LOG_SNAPPY:
        in_blocks(text, BLOCK, out, snappy_chunk);
        break;
    case LOG_LZF:
        in_blocks(text, LZF_BLOCK, out, lzf_chunk);
        break;
    }
}

void log_codec_tail(enum log_codec c, struct strbuf *out)
{
    if (c == LOG_LZ4)
        lz4_end(out);
}
