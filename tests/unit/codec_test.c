/* The codecs: real files of each, made ones cut and damaged at every byte. */
#include "analyzer/codec.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/xxh32.h"

#include <lz4.h>
#include <lz4frame.h>
#include <setjmp.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

/* ---- text and ways to pack it --------------------------------------------------- */

/* Lines as in a log: packs well, repeats at short and long distances. */
static void log_text(struct strbuf *out, size_t lines)
{
    for (size_t i = 0; i < lines; i++)
        strbuf_printf(
            out,
            "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%zu,\"Task Info\":"
            "{\"Task ID\":%zu,\"Launch Time\":%zu}}%s\n",
            i / 7, i, 1600000000000 + i * i * 37, i % 5 ? "" : "aaaaaaaaaaaaaaaa");
}

static struct sv piece(struct sv text, size_t at, size_t n)
{
    struct sv rest = sv_from(text, at);

    return (struct sv){ rest.p, rest.len < n ? rest.len : n };
}

static void add_le32(struct strbuf *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        strbuf_addc(out, (char)(v >> (8 * i)));
}

static void add_be16(struct strbuf *out, size_t v)
{
    strbuf_addc(out, (char)(v >> 8));
    strbuf_addc(out, (char)v);
}

static void pack_none(struct strbuf *out, struct sv text)
{
    strbuf_add(out, text);
}

static void zstd_frame(struct strbuf *out, struct sv text, bool checksum, bool finish)
{
    size_t cap = ZSTD_compressBound(text.len) + 64;
    char *buf = xmalloc(cap);
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    ZSTD_inBuffer in = { text.p, text.len, 0 };
    ZSTD_outBuffer to = { buf, cap, 0 };

    ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, checksum);
    size_t left = ZSTD_compressStream2(ctx, &to, &in, finish ? ZSTD_e_end : ZSTD_e_flush);
    assert_int_equal(left, 0);
    strbuf_add(out, (struct sv){ buf, to.pos });
    ZSTD_freeCCtx(ctx);
    free(buf);
}

static void pack_zstd(struct strbuf *out, struct sv text)
{
    zstd_frame(out, text, false, true);
}

/* Many frames, one in two with a checksum, skippable ones between. */
static void pack_zstd_frames(struct strbuf *out, struct sv text)
{
    for (size_t at = 0, i = 0; at < text.len; at += 700, i++) {
        zstd_frame(out, piece(text, at, 700), i % 2, true);
        if (i % 3 == 0)
            strbuf_add(out, SV("\x5A\x2A\x4D\x18\x03\0\0\0abc"));
    }
}

static void lz4_block(struct strbuf *out, struct sv text, bool packed)
{
    size_t cap = (size_t)LZ4_compressBound((int)text.len);
    char *buf = xmalloc(cap);
    int n = packed ? LZ4_compress_default(text.p, buf, (int)text.len, (int)cap)
                   : (int)text.len;
    uint32_t sum = xxh32((const unsigned char *)text.p, text.len, 0x9747B28CU);

    strbuf_addz(out, "LZ4Block");
    strbuf_addc(out, packed ? 0x25 : 0x15);
    add_le32(out, (uint32_t)n);
    add_le32(out, (uint32_t)text.len);
    add_le32(out, sum & 0x0FFFFFFFU);
    strbuf_add(out, (struct sv){ packed ? buf : text.p, (size_t)n });
    free(buf);
}

static void lz4_end(struct strbuf *out)
{
    strbuf_add(out, SV("LZ4Block\x15\0\0\0\0\0\0\0\0\0\0\0\0"));
}

/* Two streams, each with an end mark; stored blocks among the packed ones. */
static void pack_lz4_block(struct strbuf *out, struct sv text)
{
    for (size_t at = 0, i = 0; at < text.len; at += 600, i++) {
        lz4_block(out, piece(text, at, 600), i % 3 != 2);
        if (i == 3)
            lz4_end(out);
    }
    lz4_end(out);
}

static void pack_lz4_frame(struct strbuf *out, struct sv text)
{
    LZ4F_preferences_t prefs = { .frameInfo.contentChecksumFlag =
                                     LZ4F_contentChecksumEnabled };

    for (size_t at = 0; at < text.len; at += 2000) {
        struct sv part = piece(text, at, 2000);
        size_t cap = LZ4F_compressFrameBound(part.len, &prefs);
        char *buf = xmalloc(cap);
        size_t n = LZ4F_compressFrame(buf, cap, part.p, part.len, &prefs);

        strbuf_add(out, (struct sv){ buf, n });
        free(buf);
    }
}

static void snappy_chunk(struct strbuf *out, struct sv text)
{
    size_t n = snappy_max_compressed_length(text.len);
    char *buf = xmalloc(n);

    assert_int_equal(snappy_compress(text.p, text.len, buf, &n), SNAPPY_OK);
    add_be16(out, n >> 16);
    add_be16(out, n & 0xFFFF);
    strbuf_add(out, (struct sv){ buf, n });
    free(buf);
}

static void snappy_head(struct strbuf *out)
{
    strbuf_add(out, SV("\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"));
}

/* Two streams, one behind the other. */
static void pack_snappy(struct strbuf *out, struct sv text)
{
    for (size_t at = 0, i = 0; at < text.len; at += 500, i++) {
        if (i == 0 || i == 4)
            snappy_head(out);
        snappy_chunk(out, piece(text, at, 500));
    }
}

static void lzf_literals(struct strbuf *out, struct sv text)
{
    for (size_t at = 0; at < text.len; at += 32) {
        struct sv run = piece(text, at, 32);

        strbuf_addc(out, (char)(run.len - 1));
        strbuf_add(out, run);
    }
}

/* The longest earlier copy of the text at `at`, within LZF's reach. */
static size_t lzf_longest(struct sv text, size_t at, size_t *distance)
{
    size_t best = 0;

    for (size_t back = 1; back <= at && back <= 8192; back++) {
        size_t n = 0;

        while (n < 264 && at + n < text.len && text.p[at + n] == text.p[at + n - back])
            n++;
        if (n > best) {
            best = n;
            *distance = back;
        }
    }
    return best;
}

/* Slow and thorough: finds every copy there is, those that feed on themselves too. */
static void lzf_payload(struct strbuf *out, struct sv text)
{
    size_t done = 0;

    for (size_t at = 0; at < text.len;) {
        size_t distance = 0, n = lzf_longest(text, at, &distance);

        if (n < 3) {
            at++;
            continue;
        }
        lzf_literals(out, (struct sv){ text.p + done, at - done });
        size_t code = n - 2, far = distance - 1;
        strbuf_addc(out, (char)((code < 7 ? code : 7) << 5 | far >> 8));
        if (code >= 7)
            strbuf_addc(out, (char)(code - 7));
        strbuf_addc(out, (char)far);
        at += n;
        done = at;
    }
    lzf_literals(out, sv_from(text, done));
}

static void lzf_chunk(struct strbuf *out, struct sv text, bool packed)
{
    struct strbuf payload = { 0 };

    if (packed)
        lzf_payload(&payload, text);
    else
        strbuf_add(&payload, text);
    strbuf_addz(out, "ZV");
    strbuf_addc(out, packed);
    add_be16(out, payload.len);
    if (packed)
        add_be16(out, text.len);
    strbuf_add(out, strbuf_sv(&payload));
    strbuf_release(&payload);
}

static void pack_lzf(struct strbuf *out, struct sv text)
{
    for (size_t at = 0, i = 0; at < text.len; at += 900, i++)
        lzf_chunk(out, piece(text, at, 900), i % 3 != 2);
}

static void gzip_member(struct strbuf *out, struct sv text)
{
    z_stream z = { 0 };
    uLong cap;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    cap = deflateBound(&z, text.len);
    Bytef *buf = xmalloc(cap);
    z.next_in = (Bytef *)(uintptr_t)text.p;
    z.avail_in = (uInt)text.len;
    z.next_out = buf;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    strbuf_add(out, (struct sv){ (char *)buf, z.total_out });
    deflateEnd(&z);
    free(buf);
}

static void pack_gzip(struct strbuf *out, struct sv text)
{
    for (size_t at = 0; at < text.len; at += 1500)
        gzip_member(out, piece(text, at, 1500));
}

static const struct packer {
    const char *name;
    void (*pack)(struct strbuf *out, struct sv text);
    enum codec codec;
    size_t unit;  /* text that is lost at most when one byte is missing */
    bool checked; /* a checksum over every byte: damage never shows in the text */
} packers[] = {
    { "none", pack_none, CODEC_NONE, 1, false },
    { "zstd", pack_zstd, CODEC_ZSTD, 8000, false },
    { "zstd frames", pack_zstd_frames, CODEC_ZSTD, 700, false },
    { "lz4 blocks", pack_lz4_block, CODEC_LZ4, 600, true },
    { "lz4 frames", pack_lz4_frame, CODEC_LZ4, 2000, false },
    { "snappy", pack_snappy, CODEC_SNAPPY, 500, false },
    { "lzf", pack_lzf, CODEC_LZF, 900, false },
    { "gzip", pack_gzip, CODEC_GZIP, 1500, false },
};

/* ---- reading -------------------------------------------------------------------- */

struct result {
    struct strbuf text;
    struct decode_damage damage;
    enum codec codec;
    int64_t consumed;
};

/* All of the stored bytes, `step` decoded ones at a time. */
static void unpack(struct result *r, struct sv stored, size_t step)
{
    struct decoder *d = decoder_open_memory(stored.p, stored.len);
    char *buf = xmalloc(step);
    struct err err = { 0 };
    enum next next;
    size_t got;

    while ((next = decoder_read(d, buf, step, &got, &err)) == NEXT_ITEM) {
        assert_in_range(got, 1, step);
        strbuf_add(&r->text, (struct sv){ buf, got });
    }
    assert_int_equal(next, NEXT_END);
    assert_int_equal(decoder_read(d, buf, step, &got, &err),
                     NEXT_END); /* and stays there */
    r->damage = *decoder_damage(d);
    r->codec = decoder_codec(d);
    r->consumed = decoder_consumed(d);
    decoder_close(d);
    free(buf);
}

static bool damaged(const struct result *r)
{
    assert_int_equal(r->damage.text[0] != '\0', r->damage.truncated || r->damage.corrupt);
    return r->damage.text[0] != '\0';
}

static void result_release(struct result *r)
{
    strbuf_release(&r->text);
}

struct fixture {
    struct strbuf text, stored;
};

static int fixture_new(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    log_text(&f->text, 40);
    *state = f;
    return 0;
}

static int fixture_free(void **state)
{
    struct fixture *f = *state;

    strbuf_release(&f->text);
    strbuf_release(&f->stored);
    free(f);
    return 0;
}

static struct sv packed(struct fixture *f, const struct packer *p)
{
    strbuf_reset(&f->stored);
    p->pack(&f->stored, strbuf_sv(&f->text));
    return strbuf_sv(&f->stored);
}

/* ---- tests ---------------------------------------------------------------------- */

static void every_codec_gives_back_the_text(void **state)
{
    static const size_t steps[] = { 1, 7, 499, 4096, 1 << 20 };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        struct sv stored = packed(f, &packers[i]);

        assert_int_equal(codec_detect(stored.p, stored.len), packers[i].codec);
        for (size_t j = 0; j < ARRAY_LEN(steps); j++) {
            struct result r = { 0 };

            unpack(&r, stored, steps[j]);
            if (!sv_eq(strbuf_sv(&r.text), strbuf_sv(&f->text)) || damaged(&r))
                fail_msg("%s by %zu: %zu bytes of %zu, %s", packers[i].name, steps[j],
                         r.text.len, f->text.len, r.damage.text);
            assert_int_equal(r.codec, packers[i].codec);
            assert_int_equal(r.consumed, stored.len);
            result_release(&r);
        }
    }
}

static void what_is_cut_off_is_read_up_to_there(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        struct sv stored = packed(f, &packers[i]);
        size_t before = 0, n_clean = 0;

        for (size_t cut = 16; cut < stored.len; cut++) {
            struct result r = { 0 };

            unpack(&r, (struct sv){ stored.p, cut }, 4096);
            if (!sv_starts(strbuf_sv(&f->text), strbuf_sv(&r.text)))
                fail_msg("%s cut at %zu: not the beginning of the text", packers[i].name,
                         cut);
            if (r.text.len < before)
                fail_msg("%s cut at %zu: less text than of less", packers[i].name, cut);
            if (r.damage.corrupt)
                fail_msg("%s cut at %zu: called corrupt", packers[i].name, cut);
            before = r.text.len;
            n_clean += !damaged(&r);
            result_release(&r);
        }
        if (packers[i].codec != CODEC_NONE && n_clean > 40) /* the seams between chunks */
            fail_msg("%s: %zu cuts were not noticed", packers[i].name, n_clean);
        if (f->text.len - before > packers[i].unit)
            fail_msg("%s: the last byte cost %zu", packers[i].name, f->text.len - before);
    }
}

static void no_damaged_byte_does_harm(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
        struct sv stored = packed(f, &packers[i]);
        char *copy = xmalloc(stored.len);

        for (size_t at = 8; at < stored.len; at++) {
            struct result r = { 0 };

            memcpy(copy, stored.p, stored.len);
            copy[at] = (char)(copy[at] ^ (1 << at % 8));
            unpack(&r, (struct sv){ copy, stored.len }, 1 << 16);
            if (packers[i].checked && !sv_starts(strbuf_sv(&f->text), strbuf_sv(&r.text)))
                fail_msg("%s, byte %zu: wrong text got through", packers[i].name, at);
            result_release(&r);
        }
        free(copy);
    }
}

/* All that was whole before the damage is delivered, though a library may hold it. */
static void text_before_the_damage_is_delivered(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 1; i < ARRAY_LEN(packers); i++) {
        struct result r = { 0 };
        struct sv stored = packed(f, &packers[i]);

        strbuf_addz(&f->stored, "garbage behind the last of it");
        unpack(&r, strbuf_sv(&f->stored), 1 << 20);
        if (!sv_eq(strbuf_sv(&r.text), strbuf_sv(&f->text)))
            fail_msg("%s: %zu bytes of %zu", packers[i].name, r.text.len, f->text.len);
        assert_true(r.damage.corrupt);
        assert_int_equal(r.damage.at_byte, stored.len);
        result_release(&r);
    }
}

/* A block in the middle of one zstd frame is broken: those before it are whole. */
static void zstd_gives_the_blocks_before_a_broken_one(void **state)
{
    struct strbuf text = { 0 }, stored = { 0 };
    struct result r = { 0 };

    (void)state;
    log_text(&text, 8000); /* several blocks of 128 KiB */
    pack_zstd(&stored, strbuf_sv(&text));
    memset(stored.p + stored.len / 2, 0xFF, 64);
    unpack(&r, strbuf_sv(&stored), 1 << 20);
    assert_true(r.damage.corrupt);
    assert_true(r.text.len >= (size_t)128 << 10);
    assert_true(sv_starts(strbuf_sv(&text), (struct sv){ r.text.p, 128 << 10 }));
    result_release(&r);
    strbuf_release(&text);
    strbuf_release(&stored);
}

static void an_unfinished_zstd_frame_gives_what_was_flushed(void **state)
{
    struct fixture *f = *state;
    struct result r = { 0 };

    strbuf_reset(&f->stored);
    zstd_frame(&f->stored, strbuf_sv(&f->text), false, false);
    unpack(&r, strbuf_sv(&f->stored), 4096);
    assert_true(sv_eq(strbuf_sv(&r.text), strbuf_sv(&f->text)));
    assert_true(r.damage.truncated);
    result_release(&r);
}

/* As a writer that was killed leaves it. */
static void lz4_needs_no_end_mark(void **state)
{
    struct fixture *f = *state;
    struct result r = { 0 };

    strbuf_reset(&f->stored);
    lz4_block(&f->stored, strbuf_sv(&f->text), true);
    unpack(&r, strbuf_sv(&f->stored), 4096);
    assert_true(sv_eq(strbuf_sv(&r.text), strbuf_sv(&f->text)));
    assert_false(damaged(&r));
    result_release(&r);
}

static void lz4_checksums_are_compared(void **state)
{
    struct strbuf stored = { 0 };
    struct result r = { 0 };

    (void)state;
    lz4_block(&stored, SV("first"), false);
    lz4_block(&stored, SV("second"), false);
    stored.p[stored.len - 1] ^= 1;
    unpack(&r, strbuf_sv(&stored), 4096);
    assert_true(sv_is(strbuf_sv(&r.text), "first"));
    assert_string_equal(r.damage.text, "LZ4 block: wrong checksum");
    assert_int_equal(r.damage.at_byte, 21 + 5);
    result_release(&r);
    strbuf_release(&stored);
}

#define BYTES(text) text, sizeof(text) - 1

static void impossible_headers_are_damage(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t n;
    } cases[] = {
        { "lz4: 2 GiB block", BYTES("LZ4Block\x25\x10\0\0\0\0\0\0\x80\0\0\0\0....") },
        { "lz4: stored 4 GiB",
          BYTES("LZ4Block\x25\xFF\xFF\xFF\xFF\1\0\0\0\0\0\0\0....") },
        { "lz4: method", BYTES("LZ4Block\x35\1\0\0\0\1\0\0\0\0\0\0\0....") },
        { "lz4: stored twice", BYTES("LZ4Block\x15\2\0\0\0\1\0\0\0\0\0\0\0....") },
        { "snappy: negative", BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\x90\0\0\0....") },
        { "snappy: empty", BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\0....") },
        { "snappy: unpacks to 2 GiB",
          BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\x05\xFF\xFF\xFF\xFF\x07") },
        { "snappy: other magic",
          BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1\x82SNAPPX\0........") },
        { "lzf: type", BYTES("ZV\0\0\1aZV\2\0\1....") },
        { "lzf: copy from before", BYTES("ZV\1\0\2\0\3\x20\0") },
        { "lzf: literals pass the end", BYTES("ZV\1\0\3\0\1\1ab") },
        { "lzf: copy cut off", BYTES("ZV\1\0\3\0\7\0a\x20") },
        { "lzf: long copy cut off", BYTES("ZV\1\0\4\0\7\0a\xE0\0") },
        { "lzf: too short", BYTES("ZV\1\0\2\0\7\0a") },
        { "zstd: 256 MiB window", BYTES("\x28\xB5\x2F\xFD\0\x90\1\0\0") },
        { "zstd: reserved block", BYTES("\x28\xB5\x2F\xFD\0\x50\x07\0\0") },
        { "gzip: flags", BYTES("\x1F\x8B\x08\xFF\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result r = { 0 };

        unpack(&r, (struct sv){ cases[i].bytes, cases[i].n }, 4096);
        if (!damaged(&r))
            fail_msg("%s: taken for %zu good bytes", cases[i].name, r.text.len);
        if (!r.damage.corrupt && !sv_starts(sv(cases[i].name), SV("gzip")))
            fail_msg("%s: %s", cases[i].name, r.damage.text);
        result_release(&r);
    }
}

static void windows_of_128_mib_are_read(void **state)
{
    struct result r = { 0 };

    (void)state;
    /* a frame with that window and one raw block of two bytes */
    unpack(&r, SV("\x28\xB5\x2F\xFD\0\x88\x11\0\0hi"), 4096);
    assert_true(sv_is(strbuf_sv(&r.text), "hi"));
    assert_false(damaged(&r));
    result_release(&r);
}

static void nothing_is_an_empty_text(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        { BYTES("") },
        { BYTES("LZ4Block\x15\0\0\0\0\0\0\0\0\0\0\0\0") },
        { BYTES("\x82SNAPPY\0\0\0\0\1\0\0\0\1") },
        { BYTES("\x28\xB5\x2F\xFD\x20\0\1\0\0") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result r = { 0 };

        unpack(&r, (struct sv){ cases[i].bytes, cases[i].n }, 16);
        assert_int_equal(r.text.len, 0);
        assert_false(damaged(&r));
        result_release(&r);
    }
}

/* Values published with the algorithm; blocks from lz4-java prove the long path. */
static void xxh32_is_the_published_one(void **state)
{
    (void)state;
    assert_int_equal(xxh32((const unsigned char *)"", 0, 0), 0x02CC5D05U);
    assert_int_equal(xxh32((const unsigned char *)"abc", 3, 0), 0x32D153FFU);
    assert_int_equal(
        xxh32((const unsigned char *)"Nobody inspects the spammish repetition", 39,
                    0),
        0xE2293B2FU);
}

static void detection_goes_by_content(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum codec codec;
    } cases[] = {
        { BYTES(""), CODEC_NONE },
        { BYTES("{\"Event\":"), CODEC_NONE },
        { BYTES("\x28\xB5\x2F"), CODEC_NONE },
        { BYTES("\x28\xB5\x2F\xFD"), CODEC_ZSTD },
        { BYTES("\x50\x2A\x4D\x18"), CODEC_ZSTD },
        { BYTES("\x5F\x2A\x4D\x18"), CODEC_ZSTD },
        { BYTES("LZ4Bloc"), CODEC_NONE },
        { BYTES("LZ4Block"), CODEC_LZ4 },
        { BYTES("\x04\x22\x4D\x18"), CODEC_LZ4 },
        { BYTES("\x82SNAPPY\0"), CODEC_SNAPPY },
        { BYTES("ZV\0"), CODEC_LZF },
        { BYTES("ZV\1"), CODEC_LZF },
        { BYTES("ZVZ"), CODEC_NONE },
        { BYTES("\x1F\x8B\x08"), CODEC_GZIP },
        { BYTES("\x1F\x8B\x07"), CODEC_NONE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (codec_detect(cases[i].bytes, cases[i].n) != cases[i].codec)
            fail_msg("case %zu: not %s", i, codec_name(cases[i].codec));
    }
}

/* Written by Spark and the Java libraries: tests/data/README.md. */
static void files_of_the_java_writers_are_read(void **state)
{
    static const struct {
        const char *path;
        enum codec codec;
        size_t bytes;
        unsigned long crc;
    } cases[] = {
        { "tests/data/codec/spark.zstd", CODEC_ZSTD, 392387, 0xade41797 },
        { "tests/data/codec/spark.lz4", CODEC_LZ4, 98304, 0x3faf40e2 },
        { "tests/data/codec/spark.snappy", CODEC_SNAPPY, 111454, 0x3cc4fbed },
        { "tests/data/codec/spark.lzf", CODEC_LZF, 100000, 0x1d62b99f },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_part part = { .path = sv(cases[i].path), .file = sv(cases[i].path) };
        struct decoder *d = NULL;
        struct err err = { 0 };
        char buf[10000];
        size_t got, all = 0;
        unsigned long crc = 0;

        if (decoder_open(&d, &part, &err) != ERR_OK)
            fail_msg("%s: %s", cases[i].path, err.text);
        while (decoder_read(d, buf, sizeof buf, &got, &err) == NEXT_ITEM) {
            crc = crc32(crc, (Bytef *)buf, (uInt)got);
            all += got;
        }
        if (all != cases[i].bytes || crc != cases[i].crc ||
            decoder_codec(d) != cases[i].codec || decoder_damage(d)->text[0])
            fail_msg("%s: %zu bytes, crc %lx, %s", cases[i].path, all, crc,
                     decoder_damage(d)->text);
        assert_false(decoder_is_plain_file(d));
        decoder_close(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detection_goes_by_content),
        cmocka_unit_test(xxh32_is_the_published_one),
        cmocka_unit_test_setup_teardown(every_codec_gives_back_the_text, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(what_is_cut_off_is_read_up_to_there, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(no_damaged_byte_does_harm, fixture_new,
                                        fixture_free),
        cmocka_unit_test_setup_teardown(text_before_the_damage_is_delivered, fixture_new,
                                        fixture_free),
        cmocka_unit_test(zstd_gives_the_blocks_before_a_broken_one),
        cmocka_unit_test_setup_teardown(an_unfinished_zstd_frame_gives_what_was_flushed,
                                        fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(lz4_needs_no_end_mark, fixture_new, fixture_free),
        cmocka_unit_test(lz4_checksums_are_compared),
        cmocka_unit_test(impossible_headers_are_damage),
        cmocka_unit_test(windows_of_128_mib_are_read),
        cmocka_unit_test(nothing_is_an_empty_text),
        cmocka_unit_test(files_of_the_java_writers_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
