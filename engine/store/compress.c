/* The block codecs, each by its library. Contexts of zstd and zlib are costly to make, so
 * a thread keeps its own. */
#include "engine/store/compress.h"

#include "base/mem.h"
#include "engine/store/snappy_block.h"

#include <lz4.h>
#include <pthread.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 3, GZIP_LEVEL = 6, GZIP_BITS = 15 + 16, ANY_ZLIB_BITS = 15 + 32 };

static const char *const names[N_COMPRESSIONS] = {
    [COMPRESS_NONE] = "none", [COMPRESS_SNAPPY] = "snappy",
    [COMPRESS_GZIP] = "gzip", [COMPRESS_ZSTD] = "zstd",
    [COMPRESS_LZ4] = "lz4",   [COMPRESS_LZ4_HADOOP] = "lz4hadoop",
};

bool compression_find(struct sv name, enum compression *out)
{
    static const struct {
        const char *name;
        enum compression c;
    } known[] = { { "none", COMPRESS_NONE },     { "uncompressed", COMPRESS_NONE },
                  { "snappy", COMPRESS_SNAPPY }, { "gzip", COMPRESS_GZIP },
                  { "zstd", COMPRESS_ZSTD },     { "lz4", COMPRESS_LZ4 },
                  { "lz4_raw", COMPRESS_LZ4 },   { "lz4raw", COMPRESS_LZ4 } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sv_eq_nocase(name, sv(known[i].name))) {
            *out = known[i].c;
            return true;
        }
    return false;
}

const char *compression_name(enum compression c)
{
    return names[c];
}

/* ---- zstd and zlib contexts of this thread ---- */

struct contexts {
    ZSTD_CCtx *zstd_in;
    ZSTD_DCtx *zstd_out;
};

static _Thread_local struct contexts *own;

/* Freed with the thread: a key's destructor does it. */
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void contexts_free(void *p)
{
    struct contexts *c = p;

    ZSTD_freeCCtx(c->zstd_in);
    ZSTD_freeDCtx(c->zstd_out);
    free(c);
}

static void make_key(void)
{
    if (pthread_key_create(&key, contexts_free) != 0)
        die("no thread key left");
}

static struct contexts *contexts(void)
{
    if (!own) {
        pthread_once(&once, make_key);
        own = xcalloc(1, sizeof *own);
        pthread_setspecific(key, own);
    }
    return own;
}

/* ---- compressing ---- */

size_t compress_bound(enum compression c, size_t len)
{
    switch (c) {
    case COMPRESS_NONE:
        return len;
    case COMPRESS_SNAPPY:
        return snappy_max_compressed_length(len);
    case COMPRESS_GZIP:
        return compressBound((uLong)len) + 32; /* the member's header and trailer */
    case COMPRESS_ZSTD:
        return ZSTD_compressBound(len);
    case COMPRESS_LZ4:
    case COMPRESS_LZ4_HADOOP:
        return (size_t)LZ4_compressBound((int)len) + 8;
    case N_COMPRESSIONS:
        break;
    }
    return len;
}

static size_t gzip_block(const void *in, size_t len, void *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in,
                   .avail_in = (uInt)len,
                   .next_out = out };

    z.avail_out = (uInt)compress_bound(COMPRESS_GZIP, len);
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) !=
            Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        die("zlib does not compress");
    deflateEnd(&z);
    return z.total_out;
}

static void put_be32(unsigned char *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

size_t compress_block(enum compression c, const void *in, size_t len, void *out)
{
    size_t n = compress_bound(c, len);

    switch (c) {
    case COMPRESS_NONE:
        if (len)
            memcpy(out, in, len);
        return len;
    case COMPRESS_SNAPPY:
        if (snappy_compress(in, len, out, &n) != SNAPPY_OK)
            die("snappy does not compress");
        return n;
    case COMPRESS_GZIP:
        return gzip_block(in, len, out);
    case COMPRESS_ZSTD:
        if (!contexts()->zstd_in)
            own->zstd_in = ZSTD_createCCtx();
        n = ZSTD_compressCCtx(own->zstd_in, out, n, in, len, ZSTD_LEVEL);
        if (ZSTD_isError(n))
            die("zstd does not compress: %s", ZSTD_getErrorName(n));
        return n;
    case COMPRESS_LZ4:
        return (size_t)LZ4_compress_default(in, out, (int)len, (int)n);
    case COMPRESS_LZ4_HADOOP:
        n = (size_t)LZ4_compress_default(in, (char *)out + 8, (int)len, (int)n - 8);
        put_be32(out, len);
        put_be32((unsigned char *)out + 4, n);
        return n + 8;
    case N_COMPRESSIONS:
        break;
    }
    return 0;
}

/* ---- and back ---- */

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Outer blocks of [raw length][compressed length][bytes], one after another. */
static bool lz4_hadoop(struct sv in, char *out, size_t want)
{
    size_t done = 0;

    while (in.len >= 8 && done < want) {
        size_t raw = be32(in.p), packed = be32(in.p + 4);

        if (packed > in.len - 8 || raw > want - done ||
            LZ4_decompress_safe(in.p + 8, out + done, (int)packed, (int)raw) != (int)raw)
            return false;
        done += raw;
        in = sv_from(in, 8 + packed);
    }
    return done == want;
}

static bool inflate_exact(struct sv in, void *out, size_t want)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p,
                   .avail_in = (uInt)in.len,
                   .next_out = out,
                   .avail_out = (uInt)want };
    int rc;

    if (inflateInit2(&z, ANY_ZLIB_BITS) != Z_OK)
        die("zlib does not start");
    while ((rc = inflate(&z, Z_FINISH)) == Z_STREAM_END && z.avail_in > 0 &&
           z.avail_out > 0)
        inflateReset(&z); /* a further member */
    inflateEnd(&z);
    return rc == Z_STREAM_END && z.avail_out == 0;
}

enum errc decompress_block(enum compression c, struct sv in, void *out, size_t want,
                           struct err *err)
{
    bool ok = false;

    if (in.len > INT32_MAX || want > INT32_MAX)
        return err_set(err, ERR_CORRUPT, "a %s block of %zu bytes for %zu is too large",
                       names[c], in.len, want);
    switch (c) {
    case COMPRESS_NONE:
        if ((ok = in.len == want) && want)
            memcpy(out, in.p, want);
        break;
    case COMPRESS_SNAPPY:
        ok = snappy_block_decode(in, out, want);
        break;
    case COMPRESS_GZIP:
        ok = inflate_exact(in, out, want);
        break;
    case COMPRESS_ZSTD:
        if (!contexts()->zstd_out)
            own->zstd_out = ZSTD_createDCtx();
        ok = ZSTD_decompressDCtx(own->zstd_out, out, want, in.p, in.len) == want;
        break;
    case COMPRESS_LZ4:
        ok = LZ4_decompress_safe(in.p, out, (int)in.len, (int)want) == (int)want;
        break;
    case COMPRESS_LZ4_HADOOP:
        ok = lz4_hadoop(in, out, want);
        if (!ok) /* some writers left the lengths out */
            ok = LZ4_decompress_safe(in.p, out, (int)in.len, (int)want) == (int)want;
        break;
    case N_COMPRESSIONS:
        break;
    }
    if (!ok)
        return err_set(err, ERR_CORRUPT,
                       "a %s block of %zu bytes does not hold the %zu it should",
                       names[c], in.len, want);
    return ERR_OK;
}

enum { STEP = 256 << 10 };

static char *room(struct strbuf *out, size_t n)
{
    if (out->cap - out->len < n) {
        out->cap = (out->len + n) + (out->len + n) / 2;
        out->p = xrealloc(out->p, out->cap);
    }
    return out->p + out->len;
}

static enum errc gunzip_all(struct sv in, size_t limit, struct strbuf *out,
                            struct err *err)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p };
    size_t left = in.len;
    int rc;

    if (inflateInit2(&z, ANY_ZLIB_BITS) != Z_OK)
        die("zlib does not start");
    do {
        z.next_out = (Bytef *)room(out, STEP);
        z.avail_out = STEP;
        z.avail_in = (uInt)(left > INT32_MAX ? INT32_MAX : left);
        left -= z.avail_in;
        rc = inflate(&z, Z_NO_FLUSH);
        left += z.avail_in;
        out->len += STEP - z.avail_out;
        if (rc == Z_STREAM_END && left > 0)
            rc = inflateReset(&z);
    } while (rc == Z_OK && out->len <= limit && (left > 0 || z.avail_out == 0));
    inflateEnd(&z);
    if (out->len > limit)
        return err_set(err, ERR_LIMIT, "gzip data of more than %zu bytes", limit);
    return rc == Z_STREAM_END
               ? ERR_OK
               : err_set(err, ERR_CORRUPT, "the gzip data is damaged or cut");
}

static enum errc unzstd_all(struct sv in, size_t limit, struct strbuf *out,
                            struct err *err)
{
    ZSTD_inBuffer from = { in.p, in.len, 0 };
    ZSTD_DCtx *z = ZSTD_createDCtx();
    size_t rc = 1;

    while (from.pos < from.size || rc != 0) {
        ZSTD_outBuffer to = { room(out, STEP), STEP, 0 };
        size_t before = from.pos;

        rc = ZSTD_decompressStream(z, &to, &from);
        out->len += to.pos;
        if (ZSTD_isError(rc) || out->len > limit || (to.pos == 0 && from.pos == before))
            break;
    }
    ZSTD_freeDCtx(z);
    if (out->len > limit)
        return err_set(err, ERR_LIMIT, "zstd data of more than %zu bytes", limit);
    return rc == 0 ? ERR_OK
                   : err_set(err, ERR_CORRUPT, "the zstd data is damaged or cut");
}

enum errc decompress_all(enum compression c, struct sv in, size_t limit,
                         struct strbuf *out, struct err *err)
{
    if (c == COMPRESS_GZIP)
        return gunzip_all(in, limit, out, err);
    if (c == COMPRESS_ZSTD)
        return unzstd_all(in, limit, out, err);
    if (c == COMPRESS_NONE) {
        strbuf_add(out, in);
        return ERR_OK;
    }
    return err_set(err, ERR_USAGE, "files compressed with %s cannot be read as a stream",
                   names[c]);
}
