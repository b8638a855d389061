/* Reading CSV: records of a share, the wanted columns of each as typed values. */
#include "engine/run/settings.h"
#include "engine/store/csv.h"
#include "engine/store/text_lines.h"
#include "engine/store/text_write.h"

#include <stdlib.h>

struct reader {
    const struct scan_request *req;
    struct csv_options o;
    struct text_lines lines;
    struct sv all; /* multi-line: what is left */
    struct csv_cell *cells;
    uint32_t most;            /* cells of a record, as the table has columns */
    bool skip_header, strict; /* strict: the number of cells is looked at */
    uint32_t corrupt; /* wanted column for records that do not parse; UINT32_MAX: none */
    uint32_t corrupt_at; /* its position in the table; no cell stands for it */
    struct text_batch rows;
    struct arena escapes; /* of the record at hand */
    int64_t n_rows;
};

static void csv_close(struct reader *r)
{
    text_lines_close(&r->lines);
    text_batch_release(&r->rows);
    arena_release(&r->escapes);
}

static void find_corrupt(struct reader *r)
{
    const struct schema *data = &r->req->relation->data;
    struct sv name = SV("_corrupt_record");

    (void)relation_option(r->req->relation, "columnNameOfCorruptRecord", &name);
    r->corrupt = r->corrupt_at = UINT32_MAX;
    r->most = data->n;
    for (uint32_t i = 0; i < data->n; i++)
        if (data->fields[i].type.id == TYPE_STRING && sv_eq(data->fields[i].name, name))
            r->corrupt_at = i;
    if (r->corrupt_at == UINT32_MAX)
        return;
    r->most--;
    for (uint32_t i = 0; i < r->req->n_columns; i++)
        if (r->req->columns[i] == r->corrupt_at)
            r->corrupt = i;
}

static enum errc csv_open(struct reader **out, struct arena *a,
                          const struct scan_request *req, const struct data_file *file,
                          int64_t offset, int64_t length, struct err *err)
{
    struct reader *r = arena_alloc(a, sizeof *r);
    struct type *types = arena_array(a, req->n_columns + 1, sizeof *types);
    enum errc rc;

    r->req = req;
    find_corrupt(r);
    TRY(csv_options_read(&r->o, req->relation, req->zone ? req->zone : &zone_utc, err));
    r->cells = arena_array(a, r->most + 1, sizeof *r->cells);
    r->skip_header = r->o.header && offset == 0;
    /* with fewer columns than there are Spark parses only those, and does not count the
     * others */
    r->strict = (r->o.mode != MODE_PERMISSIVE || r->corrupt != UINT32_MAX) &&
                req->n_columns - (r->corrupt != UINT32_MAX) == r->most;
    for (uint32_t i = 0; i < req->n_columns; i++)
        types[i] = req->relation->data.fields[req->columns[i]].type;
    rc = text_lines_open(&r->lines, a, file, offset, length, err);
    if (rc == ERR_OK && r->o.multi_line)
        rc = text_lines_rest(&r->lines, &r->all, err);
    if (rc != ERR_OK) {
        csv_close(r);
        return rc;
    }
    text_batch_init(&r->rows, types, req->n_columns);
    *out = r;
    return ERR_OK;
}

/* The next record's cells. */
static enum next next_record(struct reader *r, uint32_t *n, struct sv *record,
                             struct err *err)
{
    struct sv line;

    arena_reset(&r->escapes);
    for (;;) {
        if (r->o.multi_line) {
            if (r->all.len == 0)
                return NEXT_END;
            if (!csv_is_record(&r->o, sv_first_line(r->all))) {
                size_t nl = sv_find(r->all, sv("\n"));

                r->all =
                    nl == SIZE_MAX ? (struct sv){ r->all.p, 0 } : sv_from(r->all, nl + 1);
                continue;
            }
            *record = r->all;
            *n = csv_split(&r->o, &r->escapes, r->all, r->cells, r->most, &r->all);
            record->len -= r->all.len;
        } else {
            enum next got = text_lines_next(&r->lines, &line, err);

            if (got != NEXT_ITEM)
                return got;
            if (!csv_is_record(&r->o, line))
                continue;
            *record = line;
            *n = csv_split(&r->o, &r->escapes, line, r->cells, r->most, NULL);
        }
        if (!r->skip_header)
            return NEXT_ITEM;
        r->skip_header = false;
        arena_reset(&r->escapes);
    }
}

static struct sv without_end(struct sv record)
{
    while (record.len &&
           (record.p[record.len - 1] == '\n' || record.p[record.len - 1] == '\r'))
        record.len--;
    return record;
}

/* False: some cell was not of its type. */
static bool put_cells(struct reader *r, uint32_t n, struct sv record)
{
    bool good = !r->strict || n == r->most;

    for (uint32_t i = 0; i < r->req->n_columns; i++) {
        uint32_t c = r->req->columns[i];

        if (i == r->corrupt)
            continue;
        c -= c > r->corrupt_at;
        if (c >= n || csv_is_null(&r->o, &r->cells[c]))
            text_null(&r->rows, i);
        else if (r->cells[c].quoted && r->cells[c].text.len == 0)
            good &= text_cell(&r->rows, i, r->o.empty_text, &r->o.cell);
        else
            good &= text_cell(&r->rows, i, r->cells[c].text, &r->o.cell);
    }
    if (r->corrupt != UINT32_MAX) {
        text_null(&r->rows, r->corrupt);
        if (!good)
            (void)text_cell(&r->rows, r->corrupt, without_end(record), &r->o.cell);
    }
    return good;
}

static enum next csv_next(struct reader *r, struct batch *out, struct err *err)
{
    enum next got = NEXT_ITEM;
    struct sv record;
    uint32_t n;

    text_batch_reset(&r->rows);
    while (r->rows.rows < BATCH_ROWS &&
           (got = next_record(r, &n, &record, err)) == NEXT_ITEM) {
        if (put_cells(r, n, record) || r->o.mode == MODE_PERMISSIVE) {
            r->rows.rows++;
        } else if (r->o.mode == MODE_FAIL_FAST) {
            err_set(err, ERR_CORRUPT,
                    "%s: [MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records "
                    "are detected in record parsing, before byte %lld. Parse Mode: "
                    "FAILFAST. To process malformed records as null result, try setting "
                    "the option 'mode' as 'PERMISSIVE'.",
                    r->lines.path, (long long)r->lines.at);
            return NEXT_FAIL;
        }
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

static void csv_counts(const struct reader *r, struct scan_counts *out)
{
    *out =
        (struct scan_counts){ .bytes_read = r->lines.bytes_read, .rows_read = r->n_rows };
}

static bool csv_splittable(const struct relation *r, struct sv path)
{
    struct sv v;

    return !text_compressed(path) &&
           !(relation_option(r, "multiLine", &v) && sv_eq_nocase(v, sv("true")));
}

static bool csv_can_push(const struct pushed *p)
{
    return p != NULL; /* Spark lists them; rows are filtered above all the same */
}

const struct format format_csv = {
    .name = "csv",
    .print = "csv",
    .print_long = "CSV",
    .suffix = ".csv",
    .splittable = csv_splittable,
    .infer = csv_infer,
    .can_push = csv_can_push,
    .open = csv_open,
    .next = csv_next,
    .counts = csv_counts,
    .close = csv_close,
    .create = csv_create,
    .add = text_add,
    .written = text_written,
    .finish = text_finish,
    .abort = text_abort,
};
