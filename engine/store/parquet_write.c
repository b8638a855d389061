/* Writing Parquet as Spark's default has it: v1 pages of at most 20,000 rows or about 1
 * MB, a dictionary per column chunk until it passes 1 MB, statistics per chunk, a new row
 * group when parquet.block.size is reached. A row group is kept, compressed, until it is
 * complete.
 *
 *     batch -> per column: codes or plain bytes, levels -> page -> chunk -> row group ->
 * file */
#include "engine/store/parquet.h"

#include "base/mem.h"
#include "engine/run/settings.h"
#include "engine/store/parquet_encode.h"
#include "engine/store/thrift.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_ROWS = 20000, PAGE_SIZE = 1 << 20 };

struct column_writer {
    struct parquet_leaf leaf;
    bool required;
    /* the page at hand */
    uint32_t *levels; /* 1: there; PAGE_ROWS of them */
    uint32_t rows, there;
    uint32_t *codes; /* while the dictionary holds */
    struct strbuf plain;
    /* the chunk */
    bool with_dictionary;
    struct dictionary dictionary;
    struct strbuf pages; /* headers and compressed bodies, without the dictionary's */
    int64_t raw_bytes, values, nulls;
    bool has_plain_pages, has_code_pages;
    struct extremes extremes;
};

struct chunk_info { /* for the footer */
    int64_t dictionary_at, data_at, bytes, raw_bytes, values, nulls;
    bool plain_pages, code_pages;
    struct strbuf min, max;
    bool bounded;
};

struct group_info {
    struct chunk_info *chunks;
    int64_t rows, raw_bytes, bytes, at;
};

struct writer {
    const char *path;
    int fd;
    int64_t at; /* bytes written */
    const struct schema *schema;
    enum compression codec;
    int64_t group_bytes;
    struct column_writer *columns;
    int64_t rows, group_rows;
    struct group_info *groups;
    uint32_t n_groups, cap_groups;
    struct strbuf scratch, body;
};

/* ---- file ---- */

static enum errc put(struct writer *w, struct sv bytes, struct err *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(w->fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ERR_OUTPUT, "%s: %s", w->path, strerror(errno));
        w->at += n;
        bytes = sv_from(bytes, (size_t)n);
    }
    return ERR_OK;
}

static bool codec_of(const struct write_request *req, enum compression *out,
                     struct sv *name)
{
    *name = settings_text(req->settings, SET_PARQUET_CODEC);
    for (uint32_t i = 0; i < req->n_options; i++)
        if (sv_is(req->option_keys[i], "compression") ||
            sv_is(req->option_keys[i], "parquet.compression"))
            *name = req->option_values[i];
    return compression_find(*name, out);
}

enum errc parquet_create(struct writer **out, struct arena *a,
                         const struct write_request *req, struct err *err)
{
    struct writer *w = arena_alloc(a, sizeof *w);
    struct sv ts = settings_text(req->settings, SET_PARQUET_TS_TYPE), codec;

    w->path = req->path;
    w->schema = req->schema;
    w->group_bytes = settings_int(req->settings, SET_PARQUET_BLOCK);
    w->columns = arena_array(a, req->schema->n + 1, sizeof *w->columns);
    if (!codec_of(req, &w->codec, &codec))
        return err_set(err, ERR_USAGE,
                       "Parquet files cannot be compressed with \"%.*s\": none, snappy, "
                       "gzip, zstd and lz4 are known",
                       (int)codec.len, codec.p);
    for (uint32_t i = 0; i < req->schema->n; i++) {
        const struct field *f = &req->schema->fields[i];
        struct column_writer *c = &w->columns[i];

        if (!parquet_leaf_for(f->type, sv_is(ts, "INT96"), sv_is(ts, "TIMESTAMP_MILLIS"),
                              &c->leaf))
            return err_set(
                err, ERR_USAGE,
                "[UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE] The Parquet datasource doesn't "
                "support the column `%.*s` of the type \"VOID\".",
                (int)f->name.len, f->name.p);
        c->leaf.name = f->name;
        c->leaf.optional = f->nullable;
    }
    w->fd = open(req->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return err_set(err, ERR_OUTPUT, "%s: %s", req->path, strerror(errno));
    for (uint32_t i = 0; i < req->schema->n; i++) {
        struct column_writer *c = &w->columns[i];

        c->levels = xcalloc(PAGE_ROWS, sizeof *c->levels);
        c->codes = xcalloc(PAGE_ROWS, sizeof *c->codes);
        c->with_dictionary = c->leaf.physical != PQ_BOOLEAN;
    }
    *out = w;
    return put(w, sv("PAR1"), err);
}

/* ---- pages ---- */

/* Header and compressed body behind what the chunk has. */
static void add_page(struct writer *w, struct column_writer *c, struct strbuf *to,
                     struct sv raw, uint32_t values, enum parquet_page kind,
                     enum parquet_encoding encoding)
{
    struct thrift_out t = { .out = to };
    size_t bound = compress_bound(w->codec, raw.len), before = to->len, packed;

    strbuf_reset(&w->scratch);
    if (w->scratch.cap < bound + 1) {
        w->scratch.p = xrealloc(w->scratch.p, bound + 1);
        w->scratch.cap = bound + 1;
    }
    packed = compress_block(w->codec, raw.p, raw.len, w->scratch.p);
    thrift_put_int(&t, 1, THRIFT_I32, kind);
    thrift_put_int(&t, 2, THRIFT_I32, (int64_t)raw.len);
    thrift_put_int(&t, 3, THRIFT_I32, (int64_t)packed);
    thrift_put_struct(&t, kind == PQ_DATA_PAGE ? 5 : 7);
    thrift_put_int(&t, 1, THRIFT_I32, values);
    thrift_put_int(&t, 2, THRIFT_I32, encoding);
    if (kind == PQ_DATA_PAGE) {
        thrift_put_int(&t, 3, THRIFT_I32, PQ_RLE);
        thrift_put_int(&t, 4, THRIFT_I32, PQ_BIT_PACKED);
    }
    thrift_put_end(&t);
    strbuf_addc(to, THRIFT_STOP);
    c->raw_bytes += (int64_t)(to->len - before + raw.len);
    strbuf_add(to, (struct sv){ w->scratch.p, packed });
}

static void pack_booleans(struct strbuf *out, struct sv bytes)
{
    for (size_t i = 0; i < bytes.len; i += 8) {
        unsigned packed = 0;

        for (size_t j = 0; j < 8 && i + j < bytes.len; j++)
            packed |= (unsigned)(bytes.p[i + j] & 1) << j;
        strbuf_addc(out, (char)packed);
    }
}

static void end_page(struct writer *w, struct column_writer *c)
{
    enum parquet_encoding encoding = PQ_PLAIN;
    struct strbuf *body = &w->body;

    if (c->rows == 0)
        return;
    strbuf_reset(body);
    if (c->leaf.optional) {
        uint32_t len;

        strbuf_add(body, (struct sv){ "\0\0\0\0", 4 });
        hybrid_encode(body, c->levels, c->rows, 1);
        len = (uint32_t)body->len - 4;
        memcpy(body->p, &len, 4);
    }
    if (c->with_dictionary && (c->there > 0 || c->has_code_pages)) {
        uint32_t width = bits_needed(c->dictionary.n > 1 ? c->dictionary.n - 1 : 1);

        encoding = PQ_PLAIN_DICTIONARY;
        strbuf_addc(body, (char)width);
        hybrid_encode(body, c->codes, c->there, width);
        c->has_code_pages = true;
    } else {
        if (c->leaf.physical == PQ_BOOLEAN)
            pack_booleans(body, strbuf_sv(&c->plain));
        else
            strbuf_add(body, strbuf_sv(&c->plain));
        c->has_plain_pages = true;
    }
    add_page(w, c, &c->pages, strbuf_sv(body), c->rows, PQ_DATA_PAGE, encoding);
    strbuf_reset(&c->plain);
    c->rows = c->there = 0;
}

/* The dictionary grew too large: what the page has so far goes out with it, the rest
 * plain. */
static void leave_dictionary(struct writer *w, struct column_writer *c)
{
    end_page(w, c);
    c->with_dictionary = false;
}

static void add_value(struct writer *w, struct column_writer *c, const void *value)
{
    size_t before = c->plain.len;

    plain_append(&c->plain, &c->leaf, value);
    if (c->with_dictionary) {
        struct sv plain = { c->plain.p + before, c->plain.len - before };
        uint32_t code = dictionary_code(&c->dictionary, plain);

        if (code != UINT32_MAX) {
            c->codes[c->there] = code;
            c->plain.len = before;
        } else {
            struct strbuf kept = { 0 };

            strbuf_add(&kept, plain);
            c->plain.len = before;
            leave_dictionary(w, c);
            strbuf_add(&c->plain, strbuf_sv(&kept));
            strbuf_release(&kept);
        }
    }
    c->levels[c->rows++] = 1;
    c->there++;
}

static void add_column(struct writer *w, struct column_writer *c, const struct vec *v,
                       const struct batch *b)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        c->values++;
        if (vec_is_null(v, row)) {
            c->levels[c->rows++] = 0;
            c->nulls++;
        } else {
            struct value x = value_at(v, row);

            extremes_add(&c->extremes, &x);
            add_value(w, c, vec_at(v, row));
        }
        if (c->rows == PAGE_ROWS || c->plain.len >= PAGE_SIZE)
            end_page(w, c);
    }
}

/* ---- row groups ---- */

static int64_t group_size(const struct writer *w)
{
    int64_t n = 0;

    for (uint32_t i = 0; i < w->schema->n; i++) {
        const struct column_writer *c = &w->columns[i];

        n += (int64_t)(c->pages.len + c->plain.len + c->dictionary.plain.len) +
             c->there * 2;
    }
    return n;
}

static enum errc end_chunk(struct writer *w, struct column_writer *c,
                           struct chunk_info *k, struct err *err)
{
    int64_t start = w->at;

    end_page(w, c);
    *k = (struct chunk_info){ .values = c->values, .nulls = c->nulls };
    k->plain_pages = c->has_plain_pages;
    k->code_pages = c->has_code_pages;
    k->bounded = extremes_plain(&c->extremes, &c->leaf, &k->min, &k->max);
    if (c->has_code_pages) {
        struct strbuf page = { 0 };
        enum errc rc;

        k->dictionary_at = w->at;
        add_page(w, c, &page, strbuf_sv(&c->dictionary.plain), c->dictionary.n,
                 PQ_DICTIONARY_PAGE, PQ_PLAIN_DICTIONARY);
        rc = put(w, strbuf_sv(&page), err);
        strbuf_release(&page);
        if (rc != ERR_OK)
            return rc;
    }
    k->data_at = w->at;
    TRY(put(w, strbuf_sv(&c->pages), err));
    k->bytes = w->at - start;
    k->raw_bytes = c->raw_bytes;
    strbuf_reset(&c->pages);
    dictionary_reset(&c->dictionary);
    extremes_reset(&c->extremes);
    c->raw_bytes = c->values = c->nulls = 0;
    c->has_plain_pages = c->has_code_pages = false;
    c->with_dictionary = c->leaf.physical != PQ_BOOLEAN;
    return ERR_OK;
}

static enum errc end_group(struct writer *w, struct err *err)
{
    struct group_info *g;

    if (w->group_rows == 0)
        return ERR_OK;
    GROW(w->groups, w->n_groups, w->cap_groups);
    g = &w->groups[w->n_groups++];
    *g = (struct group_info){ .rows = w->group_rows, .at = w->at };
    g->chunks = xcalloc(w->schema->n + 1, sizeof *g->chunks);
    for (uint32_t i = 0; i < w->schema->n; i++) {
        TRY(end_chunk(w, &w->columns[i], &g->chunks[i], err));
        g->raw_bytes += g->chunks[i].raw_bytes;
        g->bytes += g->chunks[i].bytes;
    }
    w->group_rows = 0;
    return ERR_OK;
}

enum errc parquet_add(struct writer *w, const struct batch *b, struct err *err)
{
    for (uint32_t i = 0; i < w->schema->n; i++)
        add_column(w, &w->columns[i], &b->columns[i], b);
    w->rows += b->n_sel;
    w->group_rows += b->n_sel;
    return group_size(w) >= w->group_bytes ? end_group(w, err) : ERR_OK;
}

int64_t parquet_written(const struct writer *w)
{
    return w->at + group_size(w);
}

/* ---- footer ---- */

static void put_logical(struct thrift_out *t, const struct parquet_leaf *l)
{
    enum { CONVERTED = 6, SCALE = 7, PRECISION = 8, LOGICAL = 10 };
    int16_t member = 0;
    int converted = -1;

    switch ((enum type_id)l->type.id) {
    case TYPE_STRING:
        converted = 0;
        member = 1;
        break;
    case TYPE_DATE:
        converted = 6;
        member = 6;
        break;
    case TYPE_BYTE:
    case TYPE_SHORT:
        converted = l->type.id == TYPE_BYTE ? 15 : 16;
        member = 10;
        break;
    case TYPE_DECIMAL:
        converted = 5;
        member = 5;
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        if (l->physical == PQ_INT96)
            return;
        if (l->type.id == TYPE_TIMESTAMP)
            converted = l->time == PQ_MILLIS ? 9 : 10;
        member = 8;
        break;
    default:
        return;
    }
    if (converted >= 0)
        thrift_put_int(t, CONVERTED, THRIFT_I32, converted);
    if (l->type.id == TYPE_DECIMAL) {
        thrift_put_int(t, SCALE, THRIFT_I32, l->type.scale);
        thrift_put_int(t, PRECISION, THRIFT_I32, l->type.precision);
    }
    thrift_put_struct(t, LOGICAL);
    thrift_put_struct(t, member);
    if (l->type.id == TYPE_DECIMAL) {
        thrift_put_int(t, 1, THRIFT_I32, l->type.scale);
        thrift_put_int(t, 2, THRIFT_I32, l->type.precision);
    } else if (member == 10) {
        thrift_put_int(t, 1, THRIFT_BYTE, l->type.id == TYPE_BYTE ? 8 : 16);
        thrift_put_bool(t, 2, true);
    } else if (member == 8) {
        thrift_put_bool(t, 1, l->type.id == TYPE_TIMESTAMP);
        thrift_put_struct(t, 2);
        thrift_put_struct(t, (int16_t)l->time);
        thrift_put_end(t);
        thrift_put_end(t);
    }
    thrift_put_end(t);
    thrift_put_end(t);
}

static void put_schema(struct thrift_out *t, const struct writer *w)
{
    thrift_put_list(t, 2, THRIFT_STRUCT, w->schema->n + 1);
    thrift_put_struct(t, 0);
    thrift_put_binary(t, 4, sv("spark_schema"));
    thrift_put_int(t, 5, THRIFT_I32, w->schema->n);
    thrift_put_end(t);
    for (uint32_t i = 0; i < w->schema->n; i++) {
        const struct parquet_leaf *l = &w->columns[i].leaf;

        thrift_put_struct(t, 0);
        thrift_put_int(t, 1, THRIFT_I32, l->physical);
        if (l->physical == PQ_FIXED)
            thrift_put_int(t, 2, THRIFT_I32, l->fixed_bytes);
        thrift_put_int(t, 3, THRIFT_I32, l->optional);
        thrift_put_binary(t, 4, l->name);
        put_logical(t, l);
        thrift_put_end(t);
    }
}

static int64_t codec_number(enum compression c)
{
    switch (c) {
    case COMPRESS_NONE:
        return 0;
    case COMPRESS_SNAPPY:
        return 1;
    case COMPRESS_GZIP:
        return 2;
    case COMPRESS_LZ4_HADOOP:
        return 5;
    case COMPRESS_ZSTD:
        return 6;
    case COMPRESS_LZ4:
        return 7;
    case N_COMPRESSIONS:
        break;
    }
    return 0;
}

static void put_chunk(struct thrift_out *t, const struct writer *w, uint32_t ix,
                      const struct chunk_info *k)
{
    const struct parquet_leaf *l = &w->columns[ix].leaf;

    thrift_put_struct(t, 0);
    thrift_put_int(t, 2, THRIFT_I64, k->code_pages ? k->dictionary_at : k->data_at);
    thrift_put_struct(t, 3);
    thrift_put_int(t, 1, THRIFT_I32, l->physical);
    thrift_put_list(t, 2, THRIFT_I32, 1u + k->plain_pages + k->code_pages);
    thrift_put_element_int(t, PQ_RLE);
    if (k->plain_pages)
        thrift_put_element_int(t, PQ_PLAIN);
    if (k->code_pages)
        thrift_put_element_int(t, PQ_PLAIN_DICTIONARY);
    thrift_put_list(t, 3, THRIFT_BINARY, 1);
    thrift_put_element_binary(t, l->name);
    thrift_put_int(t, 4, THRIFT_I32, codec_number(w->codec));
    thrift_put_int(t, 5, THRIFT_I64, k->values);
    thrift_put_int(t, 6, THRIFT_I64, k->raw_bytes);
    thrift_put_int(t, 7, THRIFT_I64, k->bytes);
    thrift_put_int(t, 9, THRIFT_I64, k->data_at);
    if (k->code_pages)
        thrift_put_int(t, 11, THRIFT_I64, k->dictionary_at);
    thrift_put_struct(t, 12);
    thrift_put_int(t, 3, THRIFT_I64, k->nulls);
    if (k->bounded) {
        thrift_put_binary(t, 5, k->max.len ? strbuf_sv(&k->max) : sv(""));
        thrift_put_binary(t, 6, k->min.len ? strbuf_sv(&k->min) : sv(""));
    }
    thrift_put_end(t);
    thrift_put_end(t);
    thrift_put_end(t);
}

static void put_groups(struct thrift_out *t, const struct writer *w)
{
    thrift_put_list(t, 4, THRIFT_STRUCT, w->n_groups);
    for (uint32_t i = 0; i < w->n_groups; i++) {
        const struct group_info *g = &w->groups[i];

        thrift_put_struct(t, 0);
        thrift_put_list(t, 1, THRIFT_STRUCT, w->schema->n);
        for (uint32_t c = 0; c < w->schema->n; c++)
            put_chunk(t, w, c, &g->chunks[c]);
        thrift_put_int(t, 2, THRIFT_I64, g->raw_bytes);
        thrift_put_int(t, 3, THRIFT_I64, g->rows);
        thrift_put_int(t, 5, THRIFT_I64, g->at);
        thrift_put_int(t, 6, THRIFT_I64, g->bytes);
        thrift_put_end(t);
    }
}

/* The type as Spark's own schema in the footer has it. */
static void json_type(struct strbuf *out, struct type t)
{
    switch ((enum type_id)t.id) {
    case TYPE_BYTE:
        strbuf_addz(out, "byte");
        break;
    case TYPE_SHORT:
        strbuf_addz(out, "short");
        break;
    case TYPE_INT:
        strbuf_addz(out, "integer");
        break;
    case TYPE_LONG:
        strbuf_addz(out, "long");
        break;
    default:
        type_print(out, t);
    }
}

static void json_name(struct strbuf *out, struct sv s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '"' || s.p[i] == '\\')
            strbuf_printf(out, "\\%c", s.p[i]);
        else if ((unsigned char)s.p[i] < 0x20)
            strbuf_printf(out, "\\u%04x", s.p[i]);
        else
            strbuf_addc(out, s.p[i]);
}

static void put_pairs(struct thrift_out *t, const struct writer *w)
{
    struct strbuf json = { 0 };

    strbuf_addz(&json, "{\"type\":\"struct\",\"fields\":[");
    for (uint32_t i = 0; i < w->schema->n; i++) {
        const struct field *f = &w->schema->fields[i];

        strbuf_addz(&json, i ? ",{\"name\":\"" : "{\"name\":\"");
        json_name(&json, f->name);
        strbuf_addz(&json, "\",\"type\":\"");
        json_type(&json, f->type);
        strbuf_printf(&json, "\",\"nullable\":%s,\"metadata\":{}}",
                      f->nullable ? "true" : "false");
    }
    strbuf_addz(&json, "]}");
    thrift_put_list(t, 5, THRIFT_STRUCT, 2);
    thrift_put_struct(t, 0);
    /* says that dates and timestamps are in the proleptic Gregorian calendar */
    thrift_put_binary(t, 1, sv("org.apache.spark.version"));
    thrift_put_binary(t, 2, sv("3.5.0"));
    thrift_put_end(t);
    thrift_put_struct(t, 0);
    thrift_put_binary(t, 1, sv("org.apache.spark.sql.parquet.row.metadata"));
    thrift_put_binary(t, 2, strbuf_sv(&json));
    thrift_put_end(t);
    strbuf_release(&json);
}

static void put_orders(struct thrift_out *t, const struct writer *w)
{
    thrift_put_list(t, 7, THRIFT_STRUCT, w->schema->n);
    for (uint32_t i = 0; i < w->schema->n; i++) {
        thrift_put_struct(t, 0);
        thrift_put_struct(t, 1); /* TYPE_ORDER: as the type orders */
        thrift_put_end(t);
        thrift_put_end(t);
    }
}

static enum errc put_footer(struct writer *w, struct err *err)
{
    struct strbuf f = { 0 };
    struct thrift_out t = { .out = &f };
    uint32_t len;
    enum errc rc;

    thrift_put_int(&t, 1, THRIFT_I32, 1);
    put_schema(&t, w);
    thrift_put_int(&t, 3, THRIFT_I64, w->rows);
    put_groups(&t, w);
    put_pairs(&t, w);
    thrift_put_binary(&t, 6, sv("spillway version " SPILLWAY_VERSION));
    put_orders(&t, w);
    strbuf_addc(&f, THRIFT_STOP);
    len = (uint32_t)f.len;
    strbuf_add(&f, (struct sv){ (char *)&len, 4 });
    strbuf_addz(&f, "PAR1");
    rc = put(w, strbuf_sv(&f), err);
    strbuf_release(&f);
    return rc;
}

static void release(struct writer *w)
{
    for (uint32_t i = 0; i < w->schema->n; i++) {
        struct column_writer *c = &w->columns[i];

        free(c->levels);
        free(c->codes);
        strbuf_release(&c->plain);
        strbuf_release(&c->pages);
        dictionary_release(&c->dictionary);
        extremes_release(&c->extremes);
    }
    for (uint32_t g = 0; g < w->n_groups; g++) {
        for (uint32_t i = 0; i < w->schema->n; i++) {
            strbuf_release(&w->groups[g].chunks[i].min);
            strbuf_release(&w->groups[g].chunks[i].max);
        }
        free(w->groups[g].chunks);
    }
    free(w->groups);
    strbuf_release(&w->scratch);
    strbuf_release(&w->body);
}

enum errc parquet_finish(struct writer *w, struct write_counts *out, struct err *err)
{
    enum errc rc = end_group(w, err);

    if (rc == ERR_OK)
        rc = put_footer(w, err);
    if (close(w->fd) != 0 && rc == ERR_OK)
        rc = err_set(err, ERR_OUTPUT, "%s: %s", w->path, strerror(errno));
    *out = (struct write_counts){ .bytes = w->at, .rows = w->rows };
    release(w);
    if (rc != ERR_OK)
        unlink(w->path);
    return rc;
}

void parquet_abort(struct writer *w)
{
    close(w->fd);
    unlink(w->path);
    release(w);
}
