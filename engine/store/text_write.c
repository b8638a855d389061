/* Rows as lines, in blocks of a megabyte, each compressed by itself where asked: members
 * of gzip and frames of zstd may follow one another in a file. */
#include "engine/store/text_write.h"

#include "base/mem.h"
#include "engine/store/compress.h"
#include "engine/store/text_value.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

struct writer {
    const char *path;
    int fd;
    const struct write_request *req;
    struct schema schema;
    const struct zone *zone;
    enum compression codec;
    void (*row)(struct writer *w, const struct batch *b, uint32_t row);
    struct sv separator, null_text, empty_text;
    char quote, escape;
    bool quote_all, keep_nulls, trim;
    struct strbuf block, packed, cell;
    int64_t bytes, rows;
};

static struct sv option(const struct write_request *req, const char *key, struct sv dflt)
{
    for (uint32_t i = 0; i < req->n_options; i++)
        if (sv_eq_nocase(req->option_keys[i], sv(key)))
            return req->option_values[i];
    return dflt;
}

static bool flag(const struct write_request *req, const char *key, bool dflt)
{
    struct sv v = option(req, key, (struct sv){ 0 });

    return v.p ? sv_eq_nocase(v, sv("true")) : dflt;
}

static enum errc put_block(struct writer *w, struct err *err)
{
    struct sv out = w->block.len ? strbuf_sv(&w->block) : sv("");

    if (w->codec != COMPRESS_NONE) {
        size_t bound = compress_bound(w->codec, out.len);

        if (w->packed.cap < bound) {
            w->packed.p = xrealloc(w->packed.p, bound);
            w->packed.cap = bound;
        }
        out = (struct sv){ w->packed.p,
                           compress_block(w->codec, out.p, out.len, w->packed.p) };
    }
    while (out.len > 0) {
        ssize_t n = write(w->fd, out.p, out.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ERR_OUTPUT, "%s: %s", w->path, strerror(errno));
        w->bytes += n;
        out = sv_from(out, (size_t)n);
    }
    strbuf_reset(&w->block);
    return ERR_OK;
}

static enum errc flush(struct writer *w, struct err *err)
{
    return w->block.len ? put_block(w, err) : ERR_OK;
}

/* ---- CSV ---- */

static bool needs_quotes(const struct writer *w, struct sv s)
{
    if (w->quote_all)
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\n' || s.p[i] == '\r' || (w->quote && s.p[i] == w->quote) ||
            s.p[i] == w->separator.p[0])
            return true;
    return false;
}

static void put_csv(struct writer *w, struct sv s)
{
    while (w->trim && s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = sv_from(s, 1);
    while (w->trim && s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    if (s.len == 0) {
        strbuf_add(&w->block, w->empty_text);
        return;
    }
    if (!needs_quotes(w, s) || !w->quote) {
        strbuf_add(&w->block, s);
        return;
    }
    strbuf_addc(&w->block, w->quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == w->quote || (s.p[i] == w->escape && w->escape != w->quote))
            strbuf_addc(&w->block, w->escape);
        strbuf_addc(&w->block, s.p[i]);
    }
    strbuf_addc(&w->block, w->quote);
}

static void csv_row(struct writer *w, const struct batch *b, uint32_t row)
{
    for (uint32_t c = 0; c < w->schema.n; c++) {
        if (c)
            strbuf_add(&w->block, w->separator);
        if (vec_is_null(&b->columns[c], row)) {
            strbuf_add(&w->block, w->null_text);
            continue;
        }
        strbuf_reset(&w->cell);
        text_print(&w->cell, &b->columns[c], row, w->zone);
        put_csv(w, w->cell.len ? strbuf_sv(&w->cell) : sv(""));
    }
    strbuf_addc(&w->block, '\n');
}

static void csv_header(struct writer *w)
{
    for (uint32_t c = 0; c < w->schema.n; c++) {
        if (c)
            strbuf_add(&w->block, w->separator);
        put_csv(w, w->schema.fields[c].name);
    }
    strbuf_addc(&w->block, '\n');
}

/* ---- JSON ---- */

static void put_json_text(struct strbuf *out, struct sv s)
{
    strbuf_addc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\')
            strbuf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f')
            strbuf_printf(out, "\\%c",
                          c == '\n'   ? 'n'
                          : c == '\r' ? 'r'
                          : c == '\t' ? 't'
                          : c == '\b' ? 'b'
                                      : 'f');
        else if (c < 0x20)
            strbuf_printf(out, "\\u%04X", c);
        else
            strbuf_addc(out, (char)c);
    }
    strbuf_addc(out, '"');
}

static void put_base64(struct strbuf *out, struct sv s)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    strbuf_addc(out, '"');
    for (size_t i = 0; i < s.len; i += 3) {
        unsigned v = (unsigned)(unsigned char)s.p[i] << 16;

        if (i + 1 < s.len)
            v |= (unsigned)(unsigned char)s.p[i + 1] << 8;
        if (i + 2 < s.len)
            v |= (unsigned char)s.p[i + 2];
        strbuf_addc(out, digits[v >> 18]);
        strbuf_addc(out, digits[v >> 12 & 63]);
        strbuf_addc(out, i + 1 < s.len ? digits[v >> 6 & 63] : '=');
        strbuf_addc(out, i + 2 < s.len ? digits[v & 63] : '=');
    }
    strbuf_addc(out, '"');
}

static void put_json(struct writer *w, const struct vec *v, uint32_t row)
{
    struct value x = value_at(v, row);
    bool real = x.type.id == TYPE_DOUBLE || x.type.id == TYPE_FLOAT;

    if (x.type.id == TYPE_BINARY) {
        put_base64(&w->block, x.u.s);
    } else if (x.type.id == TYPE_STRING) {
        put_json_text(&w->block, x.u.s);
    } else if (type_is_numeric(x.type) && !(real && !isfinite(x.u.f))) {
        text_print(&w->block, v, row, w->zone);
    } else if (x.type.id == TYPE_BOOLEAN) {
        strbuf_addz(&w->block, x.u.b ? "true" : "false");
    } else {
        strbuf_reset(&w->cell);
        text_print(&w->cell, v, row, w->zone);
        put_json_text(&w->block, strbuf_sv(&w->cell));
    }
}

static void json_row(struct writer *w, const struct batch *b, uint32_t row)
{
    bool first = true;

    strbuf_addc(&w->block, '{');
    for (uint32_t c = 0; c < w->schema.n; c++) {
        bool null = vec_is_null(&b->columns[c], row);

        if (null && !w->keep_nulls)
            continue;
        if (!first)
            strbuf_addc(&w->block, ',');
        first = false;
        put_json_text(&w->block, w->schema.fields[c].name);
        strbuf_addc(&w->block, ':');
        if (null)
            strbuf_addz(&w->block, "null");
        else
            put_json(w, &b->columns[c], row);
    }
    strbuf_addz(&w->block, "}\n");
}

/* ---- both ---- */

static enum errc create(struct writer **out, struct arena *a,
                        const struct write_request *req, struct err *err)
{
    struct writer *w = arena_alloc(a, sizeof *w);
    struct sv codec = option(req, "compression", option(req, "codec", sv("none")));

    w->path = req->path;
    w->req = req;
    w->schema = *req->schema;
    w->zone = req->zone ? req->zone : &zone_utc;
    if (!compression_find(codec, &w->codec) ||
        (w->codec != COMPRESS_NONE && w->codec != COMPRESS_GZIP &&
         w->codec != COMPRESS_ZSTD))
        return err_set(err, ERR_USAGE,
                       "text files cannot be compressed with \"%.*s\": none, gzip and "
                       "zstd are known",
                       (int)codec.len, codec.p);
    w->fd = open(req->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return err_set(err, ERR_OUTPUT, "%s: %s", req->path, strerror(errno));
    *out = w;
    return ERR_OK;
}

enum errc csv_create(struct writer **out, struct arena *a,
                     const struct write_request *req, struct err *err)
{
    struct sv quote = option(req, "quote", sv("\"")),
              escape = option(req, "escape", sv("\\"));
    struct writer *w;

    TRY(create(&w, a, req, err));
    w->row = csv_row;
    w->separator = option(req, "sep", option(req, "delimiter", sv(",")));
    if (sv_is(w->separator, "\\t"))
        w->separator = sv("\t");
    w->null_text = option(req, "nullValue", sv(""));
    w->empty_text = option(req, "emptyValue", sv("\"\""));
    w->quote = quote.len ? quote.p[0] : '\0';
    w->escape = escape.len ? escape.p[0] : '\0';
    w->quote_all = flag(req, "quoteAll", false);
    w->trim = flag(req, "ignoreLeadingWhiteSpace", true);
    if (flag(req, "header", false))
        csv_header(w);
    *out = w;
    return ERR_OK;
}

enum errc json_create(struct writer **out, struct arena *a,
                      const struct write_request *req, struct err *err)
{
    TRY(create(out, a, req, err));
    (*out)->row = json_row;
    (*out)->keep_nulls = !flag(req, "ignoreNullFields", true);
    return ERR_OK;
}

enum errc text_add(struct writer *w, const struct batch *b, struct err *err)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        w->row(w, b, batch_row(b, i));
        if (w->block.len >= BLOCK)
            TRY(flush(w, err));
    }
    w->rows += b->n_sel;
    return ERR_OK;
}

int64_t text_written(const struct writer *w)
{
    return w->bytes + (int64_t)w->block.len;
}

static void release(struct writer *w)
{
    strbuf_release(&w->block);
    strbuf_release(&w->packed);
    strbuf_release(&w->cell);
}

enum errc text_finish(struct writer *w, struct write_counts *out, struct err *err)
{
    /* a compressed file without rows is a stream of nothing, not an empty file */
    enum errc rc = w->bytes == 0 ? put_block(w, err) : flush(w, err);

    if (close(w->fd) != 0 && rc == ERR_OK)
        rc = err_set(err, ERR_OUTPUT, "%s: %s", w->path, strerror(errno));
    *out = (struct write_counts){ .bytes = w->bytes, .rows = w->rows };
    release(w);
    if (rc != ERR_OK)
        unlink(w->path);
    return rc;
}

void text_abort(struct writer *w)
{
    close(w->fd);
    unlink(w->path);
    release(w);
}
