/* Reading Parquet: the row groups whose middle lies in the split, column by column in
 * batches. */
#include "engine/store/parquet.h"

#include "base/mem.h"
#include "engine/run/settings.h"
#include "engine/store/parquet_column.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    int fd;
    const char *path;
    struct parquet_file file;
    const struct scan_request *req;
    struct parquet_column *columns; /* as requested */
    uint32_t *leaf_ix; /* UINT32_MAX: the file lacks the column, which is NULL then */
    struct vec *out;
    uint32_t *groups; /* to read */
    uint32_t n_groups, next_group;
    int64_t rows_left; /* of the group at hand */
    struct scan_counts counts;
    uint8_t missing; /* the mask of a column that is not there */
    i128 zero[1];
};

static bool in_split(const struct parquet_group *g, int64_t offset, int64_t length)
{
    int64_t middle = g->start + g->bytes / 2;

    return middle >= offset && middle - offset < length;
}

static void choose_groups(struct reader *r, struct arena *a, int64_t offset,
                          int64_t length)
{
    r->groups = arena_array(a, r->file.n_groups + 1, sizeof *r->groups);
    for (uint32_t i = 0; i < r->file.n_groups; i++) {
        const struct parquet_group *g = &r->file.groups[i];
        bool may = true;

        if (!in_split(g, offset, length) || g->rows == 0)
            continue;
        for (uint32_t f = 0; may && f < r->req->n_filters; f++)
            may = parquet_may_match(&r->file, g, r->req->filters[f]);
        if (may)
            r->groups[r->n_groups++] = i;
        else
            r->counts.row_groups_skipped++;
    }
    r->counts.row_groups = r->n_groups;
}

/* What a file holds may be read as the table's type where no value changes. */
static bool fits(const struct parquet_leaf *leaf, struct type want)
{
    struct type have = leaf->type;

    if (type_eq(have, want))
        return true;
    if (have.id == TYPE_TIMESTAMP && want.id == TYPE_TIMESTAMP_NTZ)
        return false;
    return type_is_text(have) && type_is_text(want); /* text without an annotation */
}

static enum errc match_columns(struct reader *r, struct err *err)
{
    for (uint32_t i = 0; i < r->req->n_columns; i++) {
        const struct field *f = &r->req->relation->data.fields[r->req->columns[i]];
        uint32_t ix = parquet_leaf_ix(&r->file, f->name);
        const struct parquet_leaf *leaf;
        struct strbuf have = { 0 }, want = { 0 };

        r->leaf_ix[i] = ix;
        if (ix == UINT32_MAX)
            continue;
        leaf = &r->file.leaves[ix];
        if (!leaf->no_type && fits(leaf, f->type))
            continue;
        type_print(&have, leaf->type);
        type_print(&want, f->type);
        err_set(err, ERR_CORRUPT,
                "%s: Parquet column cannot be converted. Column: [%.*s], Expected: %s, "
                "Found: %s",
                r->path, (int)f->name.len, f->name.p, want.p,
                leaf->no_type ? "a type without an SQL one" : have.p);
        strbuf_release(&have);
        strbuf_release(&want);
        return ERR_CORRUPT;
    }
    return ERR_OK;
}

static void parquet_close(struct reader *r)
{
    for (uint32_t i = 0; r->columns && i < r->req->n_columns; i++)
        parquet_column_release(&r->columns[i]);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

static enum errc open_file(const char *path, int *fd, int64_t *bytes, struct err *err)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) != 0)
        return err_set(err, ERR_OPEN, "%s: %s", path, strerror(errno));
    *bytes = st.st_size;
    return ERR_OK;
}

static enum errc parquet_reader_open(struct reader **out, struct arena *a,
                                     const struct scan_request *req,
                                     const struct data_file *file, int64_t offset,
                                     int64_t length, struct err *err)
{
    struct reader *r = arena_alloc(a, sizeof *r);
    int64_t bytes = 0;
    enum errc rc;

    r->req = req;
    r->path = arena_printf(a, "%.*s", (int)file->path.len, file->path.p);
    if ((rc = open_file(r->path, &r->fd, &bytes, err)) != ERR_OK ||
        (rc = parquet_open(a, r->fd, r->path, bytes, &r->file, err)) != ERR_OK)
        goto failed;
    r->counts.bytes_read = r->file.footer_bytes;
    r->leaf_ix = arena_array(a, req->n_columns + 1, sizeof *r->leaf_ix);
    if ((rc = match_columns(r, err)) != ERR_OK)
        goto failed;
    r->columns = arena_array(a, req->n_columns + 1, sizeof *r->columns);
    r->out = arena_array(a, req->n_columns + 1, sizeof *r->out);
    choose_groups(r, a, offset, length);
    *out = r;
    return ERR_OK;
failed:
    parquet_close(r);
    return rc;
}

static enum errc next_group(struct reader *r, struct err *err)
{
    const struct parquet_group *g = &r->file.groups[r->groups[r->next_group++]];

    for (uint32_t i = 0; i < r->req->n_columns; i++) {
        uint32_t ix = r->leaf_ix[i];
        const struct parquet_chunk *c;

        if (ix == UINT32_MAX)
            continue;
        c = &g->chunks[ix];
        if (c->bad_codec.p)
            return err_set(err, ERR_CORRUPT, "%s: compression %s is not supported",
                           r->path, c->bad_codec.p);
        parquet_column_begin(&r->columns[i], r->fd, r->path, &r->file.leaves[ix], c);
    }
    r->rows_left = g->rows;
    return ERR_OK;
}

static enum next parquet_next(struct reader *r, struct batch *out, struct err *err)
{
    uint32_t n;

    while (r->rows_left == 0) {
        if (r->next_group == r->n_groups)
            return NEXT_END;
        if (next_group(r, err) != ERR_OK)
            return NEXT_FAIL;
    }
    n = r->rows_left < BATCH_ROWS ? (uint32_t)r->rows_left : BATCH_ROWS;
    for (uint32_t i = 0; i < r->req->n_columns; i++) {
        struct type want = r->req->relation->data.fields[r->req->columns[i]].type;

        if (r->leaf_ix[i] == UINT32_MAX)
            r->out[i] = (struct vec){
                .type = want, .kind = VEC_CONST, .data = r->zero, .valid = &r->missing
            };
        else if (parquet_column_read(&r->columns[i], n, &r->out[i], err) != ERR_OK)
            return NEXT_FAIL;
        r->out[i].type = want;
    }
    r->rows_left -= n;
    r->counts.rows_read += n;
    *out = (struct batch){
        .n_rows = n, .n_sel = n, .n_columns = r->req->n_columns, .columns = r->out
    };
    return NEXT_ITEM;
}

static void parquet_counts(const struct reader *r, struct scan_counts *out)
{
    *out = r->counts;
    for (uint32_t i = 0; i < r->req->n_columns; i++)
        out->bytes_read += r->columns[i].bytes_read;
}

/* ---- what the format says of itself ---- */

static bool always_splittable(const struct relation *r, struct sv path)
{
    (void)r, (void)path;
    return true;
}

/* Of the first file that is not empty: Spark does not merge schemas unless told to. */
static enum errc parquet_infer(struct arena *a, const struct settings *s,
                               const struct relation *r, struct schema *out,
                               struct err *err)
{
    for (uint32_t i = 0; i < r->n_files; i++) {
        struct parquet_file file;
        const char *path;
        int64_t bytes = 0;
        enum errc rc;
        int fd = -1;

        if (r->files[i].bytes == 0)
            continue;
        path = arena_printf(a, "%.*s", (int)r->files[i].path.len, r->files[i].path.p);
        rc = open_file(path, &fd, &bytes, err);
        if (rc == ERR_OK)
            rc = parquet_open(a, fd, path, bytes, &file, err);
        if (fd >= 0)
            close(fd);
        if (rc == ERR_OK && (rc = parquet_schema(a, &file, out, err)) != ERR_OK)
            err_prefix(err, "%s", path);
        return rc;
    }
    (void)s;
    return err_set(err, ERR_OPEN,
                   "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for Parquet. It must "
                   "be specified manually.");
}

static bool parquet_can_push(const struct pushed *p)
{
    (void)p; /* Spark lists all of them, also those that statistics never help with */
    return true;
}

const struct format format_parquet = {
    .name = "parquet",
    .print = "parquet",
    .print_long = "Parquet",
    .columnar = true,
    .suffix = ".parquet",
    .splittable = always_splittable,
    .infer = parquet_infer,
    .can_push = parquet_can_push,
    .open = parquet_reader_open,
    .next = parquet_next,
    .counts = parquet_counts,
    .close = parquet_close,
    .create = parquet_create,
    .add = parquet_add,
    .written = parquet_written,
    .finish = parquet_finish,
    .abort = parquet_abort,
};
