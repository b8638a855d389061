/* Reading JSON lines: an object a line (an array of objects is as many rows). Schema
 * inference goes over all values: columns in the order of their names, types wide enough
 * for all. */
#include "engine/run/settings.h"
#include "engine/store/csv.h"
#include "engine/store/json_scan.h"
#include "engine/store/text_lines.h"
#include "engine/store/text_write.h"

#include "base/mem.h"

#include <stdlib.h>

struct reader {
    const struct scan_request *req;
    struct csv_options o; /* mode and texts of doubles; the rest is CSV's */
    struct text_lines lines;
    struct sv all;
    bool multi_line;
    struct text_batch rows;
    struct arena escapes;
    struct json_in array; /* of a line that is an array: what is left */
    uint32_t corrupt;     /* column for records that do not parse; UINT32_MAX: none */
    int64_t n_rows;
};

/* ---- inference ---- */

enum json_guess {
    GUESS_NULL,
    GUESS_BOOLEAN,
    GUESS_LONG,
    GUESS_DECIMAL,
    GUESS_DOUBLE,
    GUESS_STRING,
    GUESS_NESTED
};

struct found {
    struct sv name;
    enum json_guess g;
    uint8_t digits;
};

struct founds {
    struct found *at;
    uint32_t n, cap;
    bool corrupt;
};

static enum json_guess guess_of(enum json_kind kind, struct sv text, uint8_t *digits)
{
    int64_t i;

    switch (kind) {
    case JSON_TRUE:
    case JSON_FALSE:
        return GUESS_BOOLEAN;
    case JSON_INTEGER:
        if (sv_i64(text, &i))
            return GUESS_LONG;
        *digits = (uint8_t)(text.len - (text.p[0] == '-') > 255
                                ? 255
                                : text.len - (text.p[0] == '-'));
        return *digits <= DECIMAL_MAX_PRECISION ? GUESS_DECIMAL : GUESS_DOUBLE;
    case JSON_REAL:
    case JSON_NO_NUMBER:
        return GUESS_DOUBLE;
    case JSON_TEXT:
        return GUESS_STRING;
    case JSON_OBJECT:
    case JSON_ARRAY:
        return GUESS_NESTED;
    case JSON_NULL:
    case JSON_BAD:
        break;
    }
    return GUESS_NULL;
}

static enum json_guess wider(enum json_guess a, enum json_guess b)
{
    enum json_guess low = a < b ? a : b, high = a < b ? b : a;

    if (low == GUESS_NULL || low == high)
        return high;
    if (low >= GUESS_LONG && high <= GUESS_DOUBLE)
        return high;
    return high == GUESS_NESTED ? GUESS_NESTED : GUESS_STRING;
}

static void note(struct founds *fs, struct arena *a, struct sv key, enum json_kind kind,
                 struct sv text)
{
    uint8_t digits = 0;
    enum json_guess g = guess_of(kind, text, &digits);
    uint32_t i = 0;

    while (i < fs->n && !sv_eq(fs->at[i].name, key))
        i++;
    if (i == fs->n) {
        GROW(fs->at, fs->n, fs->cap);
        fs->at[fs->n++] = (struct found){ .name = arena_sv(a, key) };
    }
    fs->at[i].g = wider(fs->at[i].g, g);
    if (digits > fs->at[i].digits)
        fs->at[i].digits = digits;
}

/* Is the text one object? Looks before anything is noted, so that half of a bad one is
 * not. */
static bool note_object(struct founds *fs, struct arena *a, struct json_in *in)
{
    struct json_in look = *in;
    bool first = true, bad = false;
    struct sv key, text;

    if (json_scan_value(&look, &text) != JSON_OBJECT)
        return false;
    json_scan_open_object(in);
    while (json_scan_next_key(in, &first, &key, &bad)) {
        enum json_kind kind = json_scan_value(in, &text);

        note(fs, a, key, kind, text);
    }
    return true;
}

static bool note_record(struct founds *fs, struct arena *a, struct json_in *in)
{
    json_scan_blanks(in);
    if (in->p < in->end && *in->p == '[') {
        in->p++;
        do {
            if (!note_object(fs, a, in))
                return false;
            json_scan_blanks(in);
        } while (in->p < in->end && *in->p++ == ',');
        return true;
    }
    return note_object(fs, a, in);
}

static enum errc look_at_file(struct founds *fs, struct arena *a,
                              const struct data_file *f, bool multi_line, struct err *err)
{
    struct text_lines t;
    struct arena scratch = { 0 };
    struct sv line;
    enum next got = NEXT_END;
    enum errc rc = text_lines_open(&t, a, f, 0, INT64_MAX / 2, err);

    if (rc == ERR_OK && multi_line) {
        if ((rc = text_lines_rest(&t, &line, err)) == ERR_OK) {
            struct json_in in = { .p = line.p,
                                  .end = line.p + line.len,
                                  .text = &scratch };

            fs->corrupt |= !note_record(fs, a, &in);
        }
    }
    while (rc == ERR_OK && !multi_line &&
           (got = text_lines_next(&t, &line, err)) == NEXT_ITEM) {
        struct json_in in = { .p = line.p, .end = line.p + line.len, .text = &scratch };

        if (sv_trim(line).len == 0)
            continue;
        fs->corrupt |= !note_record(fs, a, &in);
        arena_reset(&scratch);
    }
    text_lines_close(&t);
    arena_release(&scratch);
    return got == NEXT_FAIL ? ERR_OPEN : rc;
}

static int by_name(const void *a, const void *b)
{
    return sv_cmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static struct type type_of_found(const struct found *f)
{
    switch (f->g) {
    case GUESS_BOOLEAN:
        return type_of(TYPE_BOOLEAN);
    case GUESS_LONG:
        return type_of(TYPE_LONG);
    case GUESS_DECIMAL:
        return type_decimal(f->digits > 20 ? f->digits : 20, 0);
    case GUESS_DOUBLE:
        return type_of(TYPE_DOUBLE);
    case GUESS_NULL:
    case GUESS_STRING:
    case GUESS_NESTED:
        break;
    }
    return type_of(TYPE_STRING);
}

static bool is_multi_line(const struct relation *r)
{
    struct sv v;

    return relation_option(r, "multiLine", &v) && sv_eq_nocase(v, sv("true"));
}

static enum errc json_infer(struct arena *a, const struct settings *s,
                            const struct relation *r, struct schema *out, struct err *err)
{
    struct founds fs = { 0 };
    struct schema schema = { 0 };
    enum errc rc = ERR_OK;

    (void)s;
    for (uint32_t i = 0; i < r->n_files && rc == ERR_OK; i++)
        rc = look_at_file(&fs, a, &r->files[i], is_multi_line(r), err);
    if (rc == ERR_OK && r->n_files == 0)
        rc = err_set(err, ERR_OPEN,
                     "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for JSON. It must "
                     "be specified manually.");
    if (rc == ERR_OK && fs.corrupt)
        note(&fs, a, sv("_corrupt_record"), JSON_TEXT, sv(""));
    if (rc == ERR_OK && fs.n)
        qsort(fs.at, fs.n, sizeof *fs.at, by_name);
    schema.fields = arena_array(a, fs.n + 1, sizeof *schema.fields);
    for (uint32_t i = 0; i < fs.n && rc == ERR_OK; i++) {
        if (fs.at[i].g == GUESS_NESTED)
            rc = err_set(err, ERR_USAGE,
                         "JSON field %.*s is nested: only flat records can be read; "
                         "declare it as string to get its text",
                         (int)fs.at[i].name.len, fs.at[i].name.p);
        else
            schema.fields[schema.n++] = (struct field){ .name = fs.at[i].name,
                                                        .type = type_of_found(&fs.at[i]),
                                                        .nullable = true };
    }
    free(fs.at);
    if (rc == ERR_OK)
        *out = schema;
    return rc;
}

/* ---- reading ---- */

static void json_close(struct reader *r)
{
    text_lines_close(&r->lines);
    text_batch_release(&r->rows);
    arena_release(&r->escapes);
}

static enum errc json_open(struct reader **out, struct arena *a,
                           const struct scan_request *req, const struct data_file *file,
                           int64_t offset, int64_t length, struct err *err)
{
    struct reader *r = arena_alloc(a, sizeof *r);
    struct type *types = arena_array(a, req->n_columns + 1, sizeof *types);
    enum errc rc;

    r->req = req;
    r->corrupt = UINT32_MAX;
    TRY(csv_options_read(&r->o, req->relation, req->zone ? req->zone : &zone_utc, err));
    r->o.cell.inf = sv("Infinity");
    r->o.cell.minus_inf = sv("-Infinity");
    for (uint32_t i = 0; i < req->n_columns; i++) {
        const struct field *f = &req->relation->data.fields[req->columns[i]];

        types[i] = f->type;
        if (sv_is(f->name, "_corrupt_record") && f->type.id == TYPE_STRING)
            r->corrupt = i;
    }
    r->multi_line = is_multi_line(req->relation);
    rc = text_lines_open(&r->lines, a, file, offset, length, err);
    if (rc == ERR_OK && r->multi_line)
        rc = text_lines_rest(&r->lines, &r->all, err);
    if (rc != ERR_OK) {
        json_close(r);
        return rc;
    }
    text_batch_init(&r->rows, types, req->n_columns);
    *out = r;
    return ERR_OK;
}

static bool unbase64(struct arena *a, struct sv s, struct sv *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *bytes = arena_bytes(a, s.len);
    unsigned bits = 0, have = 0;
    size_t n = 0;

    for (size_t i = 0; i < s.len && s.p[i] != '='; i++) {
        const char *d = s.p[i] ? strchr(digits, s.p[i]) : NULL;

        if (!d)
            return false;
        bits = bits << 6 | (unsigned)(d - digits);
        if ((have += 6) >= 8)
            bytes[n++] = (char)(bits >> (have -= 8));
    }
    *out = (struct sv){ bytes, n };
    return true;
}

static bool put_text(struct reader *r, uint32_t c, struct sv text)
{
    struct type t = r->rows.vecs[c].type;
    struct sv bytes;

    switch ((enum type_id)t.id) {
    case TYPE_BINARY:
        return unbase64(&r->escapes, text, &bytes) &&
               text_cell(&r->rows, c, bytes, &r->o.cell);
    case TYPE_FLOAT:
    case TYPE_DOUBLE: /* only what numbers cannot say */
        return (sv_is(text, "NaN") || sv_is(text, "Infinity") || sv_is(text, "+INF") ||
                sv_is(text, "-Infinity") || sv_is(text, "INF") || sv_is(text, "-INF")) &&
               text_cell(&r->rows, c,
                         sv_has(text, "N") && !sv_has(text, "I") ? sv("NaN")
                         : text.p[0] == '-'                      ? sv("-Infinity")
                                                                 : sv("Infinity"),
                         &r->o.cell);
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        return false;
    case TYPE_DECIMAL:
    case TYPE_STRING:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        break;
    }
    return text_cell(&r->rows, c, text, &r->o.cell);
}

static bool put_number(struct reader *r, uint32_t c, struct sv text, bool integer)
{
    struct type t = r->rows.vecs[c].type;
    int64_t i;

    if (t.id == TYPE_STRING || type_is_numeric(t))
        return (integer || !type_is_integral(t)) &&
               text_cell(&r->rows, c, text, &r->o.cell);
    if (t.id == TYPE_TIMESTAMP && integer && sv_i64(text, &i)) { /* seconds */
        ((int64_t *)r->rows.vecs[c].data)[r->rows.rows] = i * 1000000;
        r->rows.vecs[c].valid[r->rows.rows] = 1;
        return true;
    }
    return false;
}

static bool put_no_number(struct reader *r, uint32_t c, struct sv text)
{
    enum type_id id = (enum type_id)r->rows.vecs[c].type.id;
    struct strbuf quoted = { 0 };
    bool ok;

    if (id == TYPE_FLOAT || id == TYPE_DOUBLE)
        return text_cell(&r->rows, c, text, &r->o.cell);
    if (id != TYPE_STRING)
        return false;
    strbuf_printf(&quoted, "\"%.*s\"", SV_FMT(text)); /* as the source writes it again */
    ok = text_cell(&r->rows, c, strbuf_sv(&quoted), &r->o.cell);
    strbuf_release(&quoted);
    return ok;
}

/* False: the value is not of the column's type, which is NULL then. */
static bool put_value(struct reader *r, uint32_t c, enum json_kind kind, struct sv text)
{
    struct strbuf compact = { 0 };
    bool ok = false;

    switch (kind) {
    case JSON_BAD:
        return false;
    case JSON_NULL:
        text_null(&r->rows, c);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        ok = (r->rows.vecs[c].type.id == TYPE_BOOLEAN ||
              r->rows.vecs[c].type.id == TYPE_STRING) &&
             text_cell(&r->rows, c, text, &r->o.cell);
        break;
    case JSON_NO_NUMBER:
        ok = put_no_number(r, c, text);
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        ok = put_number(r, c, text, kind == JSON_INTEGER);
        break;
    case JSON_TEXT:
        ok = put_text(r, c, text);
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (r->rows.vecs[c].type.id == TYPE_STRING) {
            json_scan_compact(&compact, text);
            ok = text_cell(&r->rows, c, strbuf_sv(&compact), &r->o.cell);
            strbuf_release(&compact);
        }
        break;
    }
    if (!ok)
        text_null(&r->rows, c);
    return ok;
}

static uint32_t column_of(const struct reader *r, struct sv key, uint32_t hint)
{
    for (uint32_t k = 0; k < r->req->n_columns;
         k++) { /* most records have the same order */
        uint32_t i = (hint + k) % r->req->n_columns;

        if (sv_eq(r->req->relation->data.fields[r->req->columns[i]].name, key))
            return i;
    }
    return UINT32_MAX;
}

static void all_null(struct reader *r)
{
    for (uint32_t c = 0; c < r->req->n_columns; c++)
        text_null(&r->rows, c);
}

/* False: no JSON, then all is NULL; or a value of another type, which is NULL alone. */
static bool put_object(struct reader *r, struct json_in *in)
{
    bool first = true, bad = false, good = true;
    uint32_t hint = 0;
    struct sv key, text;

    all_null(r);
    if (!json_scan_open_object(in))
        return false;
    while (json_scan_next_key(in, &first, &key, &bad)) {
        uint32_t c = column_of(r, key, hint);
        enum json_kind kind = json_scan_value(in, &text);

        if ((bad = kind == JSON_BAD))
            break;
        if (c == UINT32_MAX)
            continue;
        good &= put_value(r, c, kind, text);
        hint = c + 1;
    }
    if (bad)
        all_null(r);
    return good && !bad;
}

/* One record of the text: false where there is none. *good: it was sound. */
static enum next next_record(struct reader *r, struct sv *record, bool *good,
                             struct err *err)
{
    struct json_in in;

    if (r->array.p) { /* go on in an array */
        *record = (struct sv){ r->array.p, (size_t)(r->array.end - r->array.p) };
        *good = put_object(r, &r->array);
        json_scan_blanks(&r->array);
        if (!*good || r->array.p >= r->array.end || *r->array.p++ != ',')
            r->array.p = NULL;
        return NEXT_ITEM;
    }
    do {
        if (r->multi_line) {
            if (r->all.len == 0)
                return NEXT_END;
            *record = r->all;
            r->all.len = 0;
        } else {
            enum next got = text_lines_next(&r->lines, record, err);

            if (got != NEXT_ITEM)
                return got;
        }
    } while (sv_trim(*record).len == 0);
    arena_reset(&r->escapes);
    in = (struct json_in){ .p = record->p,
                           .end = record->p + record->len,
                           .text = &r->escapes };
    json_scan_blanks(&in);
    if (in.p < in.end && *in.p == '[') {
        in.p++;
        r->array = in;
        return next_record(r, record, good, err);
    }
    *good = put_object(r, &in);
    json_scan_blanks(&in);
    *good = *good && in.p == in.end;
    return NEXT_ITEM;
}

static enum next json_next(struct reader *r, struct batch *out, struct err *err)
{
    enum next got = NEXT_ITEM;
    struct sv record;
    bool good;

    text_batch_reset(&r->rows);
    while (r->rows.rows < BATCH_ROWS &&
           (got = next_record(r, &record, &good, err)) == NEXT_ITEM) {
        if (!good && r->o.mode == MODE_FAIL_FAST) {
            err_set(
                err, ERR_CORRUPT,
                "%s: [MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records "
                "are detected in record parsing, before byte %lld. Parse Mode: "
                "FAILFAST. To process malformed records as null result, try setting "
                "the option 'mode' as 'PERMISSIVE'.",
                r->lines.path, (long long)r->lines.at);
            return NEXT_FAIL;
        }
        if (!good && r->o.mode == MODE_DROP_MALFORMED)
            continue;
        if (!good && r->corrupt != UINT32_MAX)
            text_cell(&r->rows, r->corrupt, record, &r->o.cell);
        r->rows.rows++;
    }
    if (got == NEXT_FAIL || r->rows.rows == 0)
        return got == NEXT_ITEM ? NEXT_END : got;
    r->n_rows += r->rows.rows;
    *out = (struct batch){ .n_rows = r->rows.rows,
                           .n_sel = r->rows.rows,
                           .n_columns = r->rows.n_columns,
                           .columns = r->rows.vecs };
    return NEXT_ITEM;
}

static void json_counts(const struct reader *r, struct scan_counts *out)
{
    *out =
        (struct scan_counts){ .bytes_read = r->lines.bytes_read, .rows_read = r->n_rows };
}

static bool json_splittable(const struct relation *r, struct sv path)
{
    return !text_compressed(path) && !is_multi_line(r);
}

static bool json_can_push(const struct pushed *p)
{
    return p != NULL;
}

const struct format format_json = {
    .name = "json",
    .print = "json",
    .print_long = "JSON",
    .suffix = ".json",
    .splittable = json_splittable,
    .infer = json_infer,
    .can_push = json_can_push,
    .open = json_open,
    .next = json_next,
    .counts = json_counts,
    .close = json_close,
    .create = json_create,
    .add = text_add,
    .written = text_written,
    .finish = text_finish,
    .abort = text_abort,
};
