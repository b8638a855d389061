/* Footer and page headers (the format's thrift definitions give the field numbers), and
 * what SQL type each physical and logical type is read as: the table that Spark 3.5 goes
 * by. */
#include "engine/store/parquet_meta.h"

#include "engine/store/thrift.h"

#include <string.h>
#include <unistd.h>

enum { TAIL_BYTES = 8, MAX_FOOTER = 256 << 20, MAX_LEAVES = 100000 };

static const char magic[4] = { 'P', 'A', 'R', '1' };

/* ---- schema elements ---- */

enum converted { /* ConvertedType, as far as it says something */
                 CONVERTED_UTF8 = 0,
                 CONVERTED_ENUM = 4,
                 CONVERTED_DECIMAL = 5,
                 CONVERTED_DATE = 6,
                 CONVERTED_TIME_MILLIS = 7,
                 CONVERTED_TIME_MICROS = 8,
                 CONVERTED_TS_MILLIS = 9,
                 CONVERTED_TS_MICROS = 10,
                 CONVERTED_UINT_8 = 11,
                 CONVERTED_INT_8 = 15,
                 CONVERTED_JSON = 19,
                 CONVERTED_NONE = -1
};

enum logical { /* members of the union LogicalType */
               LOGICAL_NONE = 0,
               LOGICAL_STRING = 1,
               LOGICAL_ENUM = 4,
               LOGICAL_DECIMAL = 5,
               LOGICAL_DATE = 6,
               LOGICAL_TIME = 7,
               LOGICAL_TIMESTAMP = 8,
               LOGICAL_INTEGER = 10,
               LOGICAL_UNKNOWN = 11,
               LOGICAL_JSON = 12,
};

struct element {
    struct sv name;
    int64_t physical, fixed_bytes, repetition, n_children, converted, scale, precision;
    int64_t logical, unit, bits;
    bool utc, is_signed;
};

static void read_unit(struct thrift_in *in, struct element *e)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f)) {
        e->unit = f.id;
        thrift_skip(in, f.type);
    }
}

/* The members of one logical type: field numbers mean different things in each. */
static void read_logical_body(struct thrift_in *in, struct element *e)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f)) {
        if (e->logical == LOGICAL_DECIMAL && f.id == 1)
            e->scale = thrift_int(in, &f);
        else if (e->logical == LOGICAL_DECIMAL && f.id == 2)
            e->precision = thrift_int(in, &f);
        else if (e->logical == LOGICAL_INTEGER && f.id == 1)
            e->bits = thrift_int(in, &f);
        else if (e->logical == LOGICAL_INTEGER && f.id == 2)
            e->is_signed = thrift_bool(&f);
        else if ((e->logical == LOGICAL_TIMESTAMP || e->logical == LOGICAL_TIME) &&
                 f.id == 1)
            e->utc = thrift_bool(&f);
        else if ((e->logical == LOGICAL_TIMESTAMP || e->logical == LOGICAL_TIME) &&
                 f.id == 2 && f.type == THRIFT_STRUCT)
            read_unit(in, e);
        else
            thrift_skip(in, f.type);
    }
}

static void read_logical(struct thrift_in *in, struct element *e)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f)) {
        e->logical = f.id;
        if (f.type == THRIFT_STRUCT)
            read_logical_body(in, e);
        else
            thrift_skip(in, f.type);
    }
}

static struct element read_element(struct thrift_in *in)
{
    struct element e = { .physical = -1, .converted = CONVERTED_NONE };
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f)) {
        switch (f.id) {
        case 1:
            e.physical = thrift_int(in, &f);
            break;
        case 2:
            e.fixed_bytes = thrift_int(in, &f);
            break;
        case 3:
            e.repetition = thrift_int(in, &f);
            break;
        case 4:
            e.name = thrift_binary(in, &f);
            break;
        case 5:
            e.n_children = thrift_int(in, &f);
            break;
        case 6:
            e.converted = thrift_int(in, &f);
            break;
        case 7:
            e.scale = thrift_int(in, &f);
            break;
        case 8:
            e.precision = thrift_int(in, &f);
            break;
        case 10:
            if (f.type == THRIFT_STRUCT)
                read_logical(in, &e);
            else
                thrift_skip(in, f.type);
            break;
        default:
            thrift_skip(in, f.type);
        }
    }
    return e;
}

/* Older writers say it with a converted type only: the same, as a logical one. */
static void unify(struct element *e)
{
    if (e->logical != LOGICAL_NONE)
        return;
    switch (e->converted) {
    case CONVERTED_UTF8:
    case CONVERTED_JSON:
        e->logical = LOGICAL_STRING;
        break;
    case CONVERTED_ENUM:
        e->logical = LOGICAL_ENUM;
        break;
    case CONVERTED_DECIMAL:
        e->logical = LOGICAL_DECIMAL;
        break;
    case CONVERTED_DATE:
        e->logical = LOGICAL_DATE;
        break;
    case CONVERTED_TIME_MILLIS:
    case CONVERTED_TIME_MICROS:
        e->logical = LOGICAL_TIME;
        break;
    case CONVERTED_TS_MILLIS:
    case CONVERTED_TS_MICROS:
        e->logical = LOGICAL_TIMESTAMP;
        e->unit = e->converted == CONVERTED_TS_MILLIS ? PQ_MILLIS : PQ_MICROS;
        e->utc = true;
        break;
    default:
        if (e->converted >= CONVERTED_UINT_8 && e->converted < CONVERTED_INT_8 + 4) {
            e->logical = LOGICAL_INTEGER;
            e->is_signed = e->converted >= CONVERTED_INT_8;
            e->bits = 8 << ((e->converted - CONVERTED_UINT_8) & 3);
        }
    }
}

/* Decimal digits that a fixed length holds with a sign. */
static int digits_of_bytes(int64_t n)
{
    return n >= 16 ? DECIMAL_MAX_PRECISION
                   : (int)(((double)n * 8 - 1) * 0.30102999566398120);
}

static bool integer_type(const struct element *e, struct parquet_leaf *l)
{
    bool is64 = e->physical == PQ_INT64;
    int64_t bits = e->logical == LOGICAL_INTEGER ? e->bits : is64 ? 64 : 32;

    l->unsigned_int = e->logical == LOGICAL_INTEGER && !e->is_signed;
    if (l->unsigned_int)
        bits *= 2;
    switch (bits) {
    case 8:
        l->type = type_of(TYPE_BYTE);
        return !is64;
    case 16:
        l->type = type_of(TYPE_SHORT);
        return !is64;
    case 32:
        l->type = type_of(TYPE_INT);
        return !is64;
    case 64:
        l->type = type_of(TYPE_LONG);
        return is64 || l->unsigned_int;
    case 128: /* unsigned 64 */
        l->type = type_decimal(20, 0);
        return is64;
    default:
        return false;
    }
}

static bool decimal_type(const struct element *e, struct parquet_leaf *l)
{
    int64_t most = e->physical == PQ_INT32   ? 9
                   : e->physical == PQ_INT64 ? 18
                   : e->physical == PQ_FIXED ? digits_of_bytes(e->fixed_bytes)
                                             : DECIMAL_MAX_PRECISION;

    if (e->precision < 1 || e->precision > most || e->scale < 0 ||
        e->scale > e->precision)
        return false;
    l->type = type_decimal((int)e->precision, (int)e->scale);
    return true;
}

static bool leaf_type(const struct element *e, struct parquet_leaf *l)
{
    if (e->logical == LOGICAL_DECIMAL && e->physical != PQ_BOOLEAN &&
        e->physical != PQ_INT96 && e->physical != PQ_FLOAT && e->physical != PQ_DOUBLE)
        return decimal_type(e, l);
    switch ((enum parquet_type)e->physical) {
    case PQ_BOOLEAN:
        l->type = type_of(TYPE_BOOLEAN);
        return true;
    case PQ_INT32:
        if (e->logical == LOGICAL_DATE) {
            l->type = type_of(TYPE_DATE);
            return true;
        }
        return e->logical != LOGICAL_TIME && integer_type(e, l);
    case PQ_INT64:
        if (e->logical == LOGICAL_TIMESTAMP) {
            l->time = (enum parquet_time)e->unit;
            l->type = type_of(e->utc ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
            return e->unit >= PQ_MILLIS && e->unit <= PQ_NANOS;
        }
        return e->logical != LOGICAL_TIME && integer_type(e, l);
    case PQ_INT96:
        l->type = type_of(TYPE_TIMESTAMP);
        return true;
    case PQ_FLOAT:
        l->type = type_of(TYPE_FLOAT);
        return true;
    case PQ_DOUBLE:
        l->type = type_of(TYPE_DOUBLE);
        return true;
    case PQ_BYTE_ARRAY:
        l->type = type_of(e->logical == LOGICAL_STRING || e->logical == LOGICAL_ENUM ||
                                  e->logical == LOGICAL_JSON
                              ? TYPE_STRING
                              : TYPE_BINARY);
        return true;
    case PQ_FIXED:
        l->type = type_of(TYPE_BINARY);
        return e->fixed_bytes > 0;
    }
    return false;
}

/* The tree comes as a list in depth-first order. Leaves below a group are nested. */
static void read_schema(struct arena *a, struct thrift_in *in,
                        const struct thrift_field *f, struct parquet_file *out)
{
    enum thrift_type of;
    uint32_t n = thrift_list(in, f, &of);
    int64_t open[64] = { 0 }; /* children still to come, per open group */
    int depth = -1;

    if (of != THRIFT_STRUCT || n > MAX_LEAVES) {
        in->bad = true;
        return;
    }
    out->leaves = arena_array(a, n, sizeof *out->leaves);
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        struct element e = read_element(in);
        struct parquet_leaf *l;

        while (depth > 0 && open[depth] <= 0)
            depth--;
        if (depth >= 0)
            open[depth]--;
        if (e.n_children > 0 || i == 0) {
            if (depth + 1 >= (int)(sizeof open / sizeof *open) || e.n_children > n) {
                in->bad = true;
                return;
            }
            open[++depth] = e.n_children;
            continue;
        }
        unify(&e);
        l = &out->leaves[out->n_leaves++];
        l->name = e.name;
        l->nested = depth > 0 || e.repetition == 2;
        l->optional = e.repetition == 1;
        l->fixed_bytes = (int32_t)e.fixed_bytes;
        l->physical = (enum parquet_type)e.physical;
        l->no_type = e.physical < 0 || e.physical > PQ_FIXED || e.fixed_bytes < 0 ||
                     e.fixed_bytes > 1 << 24 || !leaf_type(&e, l);
    }
}

/* ---- row groups ---- */

static struct parquet_stats read_stats(struct thrift_in *in)
{
    struct parquet_stats s = { .nulls = -1 };
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f)) {
        if (f.id == 3)
            s.nulls = thrift_int(in, &f);
        else if (f.id == 5)
            s.max = thrift_binary(in, &f);
        else if (f.id == 6)
            s.min = thrift_binary(in, &f);
        else
            thrift_skip(in,
                        f.type); /* the old min and max did not say how they compare */
    }
    return s;
}

static void set_codec(struct parquet_chunk *c, int64_t codec)
{
    static const struct {
        enum compression c;
        const char *bad;
    } codecs[] = { { COMPRESS_NONE, NULL },     { COMPRESS_SNAPPY, NULL },
                   { COMPRESS_GZIP, NULL },     { COMPRESS_NONE, "lzo" },
                   { COMPRESS_NONE, "brotli" }, { COMPRESS_LZ4_HADOOP, NULL },
                   { COMPRESS_ZSTD, NULL },     { COMPRESS_LZ4, NULL } };

    if (codec < 0 || codec >= (int64_t)(sizeof codecs / sizeof *codecs)) {
        c->bad_codec = sv("unknown");
        return;
    }
    c->codec = codecs[codec].c;
    c->bad_codec = sv(codecs[codec].bad);
}

static void read_chunk_meta(struct thrift_in *in, struct parquet_chunk *c)
{
    struct thrift_field f = { 0 };
    int64_t data = 0, dictionary = 0;

    while (thrift_next(in, &f)) {
        switch (f.id) {
        case 4:
            set_codec(c, thrift_int(in, &f));
            break;
        case 5:
            c->values = thrift_int(in, &f);
            break;
        case 7:
            c->bytes = thrift_int(in, &f);
            break;
        case 9:
            data = thrift_int(in, &f);
            break;
        case 11:
            dictionary = thrift_int(in, &f);
            break;
        case 12:
            if (f.type == THRIFT_STRUCT)
                c->stats = read_stats(in);
            else
                thrift_skip(in, f.type);
            break;
        default:
            thrift_skip(in, f.type);
        }
    }
    /* some writers say 0 where there is no dictionary */
    c->start = dictionary > 0 && dictionary < data ? dictionary : data;
}

static void read_chunks(struct arena *a, struct thrift_in *in,
                        const struct thrift_field *list, const struct parquet_file *file,
                        struct parquet_group *g)
{
    enum thrift_type of;
    uint32_t n = thrift_list(in, list, &of);

    if (of != THRIFT_STRUCT || n != file->n_leaves) {
        in->bad = true;
        return;
    }
    g->chunks = arena_array(a, n ? n : 1, sizeof *g->chunks);
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        struct thrift_field f = { 0 };

        g->chunks[i].stats.nulls = -1;
        while (thrift_next(in, &f))
            if (f.id == 3 && f.type == THRIFT_STRUCT)
                read_chunk_meta(in, &g->chunks[i]);
            else
                thrift_skip(in, f.type);
    }
}

static void read_group(struct arena *a, struct thrift_in *in,
                       const struct parquet_file *file, struct parquet_group *g)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f))
        if (f.id == 1)
            read_chunks(a, in, &f, file, g);
        else if (f.id == 3)
            g->rows = thrift_int(in, &f);
        else
            thrift_skip(in, f.type);
    /* a group's place is that of its first chunk; the fields that say so are often absent
     */
    for (uint32_t i = 0; g->chunks && i < file->n_leaves; i++) {
        if (i == 0 || g->chunks[i].start < g->start)
            g->start = g->chunks[i].start;
        if (__builtin_add_overflow(g->bytes, g->chunks[i].bytes, &g->bytes))
            in->bad = true;
    }
    in->bad |= g->rows < 0 || (file->n_leaves > 0 && !g->chunks);
}

static void read_groups(struct arena *a, struct thrift_in *in,
                        const struct thrift_field *list, struct parquet_file *out)
{
    enum thrift_type of;
    uint32_t n = thrift_list(in, list, &of);

    if (of != THRIFT_STRUCT && n > 0) {
        in->bad = true;
        return;
    }
    out->groups = arena_array(a, n ? n : 1, sizeof *out->groups);
    for (uint32_t i = 0; i < n && !in->bad; i++)
        read_group(a, in, out, &out->groups[out->n_groups++]);
}

static void read_pairs(struct thrift_in *in, const struct thrift_field *list,
                       struct parquet_file *out)
{
    enum thrift_type of;
    uint32_t n = thrift_list(in, list, &of);

    for (uint32_t i = 0; i < n && !in->bad && of == THRIFT_STRUCT; i++) {
        struct thrift_field f = { 0 };
        struct sv name = { 0 }, value = { 0 };

        while (thrift_next(in, &f))
            if (f.id == 1)
                name = thrift_binary(in, &f);
            else if (f.id == 2)
                value = thrift_binary(in, &f);
            else
                thrift_skip(in, f.type);
        if (sv_is(name, "org.apache.spark.sql.parquet.row.metadata"))
            out->spark_schema = value;
    }
}

static bool read_footer(struct arena *a, struct sv bytes, struct parquet_file *out)
{
    struct thrift_in in = { .p = (const uint8_t *)bytes.p,
                            .end = (const uint8_t *)bytes.p + bytes.len };
    struct thrift_field f = { 0 };

    while (thrift_next(&in, &f)) {
        if (f.id == 2)
            read_schema(a, &in, &f, out);
        else if (f.id == 3)
            out->rows = thrift_int(&in, &f);
        else if (f.id == 4)
            read_groups(a, &in, &f, out);
        else if (f.id == 5)
            read_pairs(&in, &f, out);
        else
            thrift_skip(&in, f.type);
    }
    return !in.bad && out->leaves && out->groups;
}

static bool pread_all(int fd, void *to, size_t n, int64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)to + done, n - done, at + (int64_t)done);

        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* No chunk may lie outside the file: then reading needs no further checks. */
static bool chunks_inside(const struct parquet_file *f, int64_t end)
{
    for (uint32_t g = 0; g < f->n_groups; g++) {
        if (!f->groups[g].chunks) /* the schema came behind */
            return f->n_leaves == 0;
        if (f->groups[g].rows == 0) /* pyarrow's empty file has one that starts nowhere */
            continue;
        for (uint32_t c = 0; c < f->n_leaves; c++) {
            const struct parquet_chunk *k = &f->groups[g].chunks[c];

            if (k->start < 4 || k->bytes < 0 || k->start > end ||
                k->bytes > end - k->start)
                return false;
        }
    }
    return true;
}

enum errc parquet_open(struct arena *a, int fd, const char *path, int64_t file_bytes,
                       struct parquet_file *out, struct err *err)
{
    struct parquet_file f = { 0 };
    unsigned char tail[TAIL_BYTES];
    int64_t len;
    char *bytes;

    if (file_bytes < TAIL_BYTES + 4 ||
        !pread_all(fd, tail, sizeof tail, file_bytes - TAIL_BYTES) ||
        memcmp(tail + 4, magic, 4) != 0)
        return err_set(err, ERR_CORRUPT, "%s: is not a Parquet file (no PAR1 at its end)",
                       path);
    len = (int64_t)tail[0] | (int64_t)tail[1] << 8 | (int64_t)tail[2] << 16 |
          (int64_t)tail[3] << 24;
    if (len > file_bytes - TAIL_BYTES - 4 || len > MAX_FOOTER)
        return err_set(err, ERR_CORRUPT, "%s: the footer's length is impossible", path);
    bytes = arena_bytes(a, (size_t)len);
    if (!pread_all(fd, bytes, (size_t)len, file_bytes - TAIL_BYTES - len))
        return err_set(err, ERR_OPEN, "%s: the footer cannot be read", path);
    if (!read_footer(a, (struct sv){ bytes, (size_t)len }, &f))
        return err_set(err, ERR_CORRUPT, "%s: the footer is damaged", path);
    if (!chunks_inside(&f, file_bytes - TAIL_BYTES - len))
        return err_set(err, ERR_CORRUPT, "%s: the footer names bytes outside the file",
                       path);
    f.footer_bytes = len + TAIL_BYTES;
    *out = f;
    return ERR_OK;
}

/* ---- pages ---- */

static void read_data_header(struct thrift_in *in, struct parquet_header *h)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f))
        if (f.id == 1)
            h->values = (int32_t)thrift_int(in, &f);
        else if (f.id == 2)
            h->encoding = (enum parquet_encoding)thrift_int(in, &f);
        else if (f.id == 3 && h->kind == PQ_DATA_PAGE)
            h->levels = (enum parquet_encoding)thrift_int(in, &f);
        else
            thrift_skip(in, f.type);
}

static void read_data_header_v2(struct thrift_in *in, struct parquet_header *h)
{
    struct thrift_field f = { 0 };

    while (thrift_next(in, &f))
        switch (f.id) {
        case 1:
            h->values = (int32_t)thrift_int(in, &f);
            break;
        case 2:
            h->v2_nulls = (int32_t)thrift_int(in, &f);
            break;
        case 4:
            h->encoding = (enum parquet_encoding)thrift_int(in, &f);
            break;
        case 5:
            h->v2_def_bytes = (int32_t)thrift_int(in, &f);
            break;
        case 6:
            h->v2_rep_bytes = (int32_t)thrift_int(in, &f);
            break;
        case 7:
            h->v2_compressed = thrift_bool(&f);
            break;
        default:
            thrift_skip(in, f.type);
        }
}

bool parquet_page_header(struct sv bytes, struct parquet_header *out, size_t *used)
{
    struct thrift_in in = { .p = (const uint8_t *)bytes.p,
                            .end = (const uint8_t *)bytes.p + bytes.len };
    struct parquet_header h = {
        .raw_bytes = -1, .bytes = -1, .v2_compressed = true, .levels = PQ_RLE
    };
    struct thrift_field f = { 0 };

    while (thrift_next(&in, &f)) {
        if (f.id == 1)
            h.kind = (enum parquet_page)thrift_int(&in, &f);
        else if (f.id == 2)
            h.raw_bytes = (int32_t)thrift_int(&in, &f);
        else if (f.id == 3)
            h.bytes = (int32_t)thrift_int(&in, &f);
        else if ((f.id == 5 || f.id == 7) && f.type == THRIFT_STRUCT)
            read_data_header(&in, &h);
        else if (f.id == 8 && f.type == THRIFT_STRUCT)
            read_data_header_v2(&in, &h);
        else
            thrift_skip(&in, f.type);
    }
    *used = (size_t)(in.p - (const uint8_t *)bytes.p);
    if (in.bad || h.raw_bytes < 0 || h.bytes < 0 || h.values < 0 || h.v2_def_bytes < 0 ||
        h.v2_rep_bytes < 0)
        return false;
    *out = h;
    return true;
}

enum errc parquet_schema(struct arena *a, const struct parquet_file *f,
                         struct schema *out, struct err *err)
{
    struct schema s = { .fields = arena_array(a, f->n_leaves + 1, sizeof *s.fields) };

    for (uint32_t i = 0; i < f->n_leaves; i++) {
        const struct parquet_leaf *l = &f->leaves[i];

        if (l->nested || l->no_type)
            return err_set(err, ERR_USAGE, "column %.*s %s", (int)l->name.len, l->name.p,
                           l->nested ? "is nested: only flat columns can be read"
                                     : "has a Parquet type that no SQL type stands for");
        s.fields[s.n++] =
            (struct field){ .name = l->name, .type = l->type, .nullable = true };
    }
    *out = s;
    return ERR_OK;
}
