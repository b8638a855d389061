/* Rows in a file mapped into memory.
 *
 * Operators that look at their rows in many places (windows) could not read them back
 * batch by batch. So the arrays lie in a file, each in a piece of its own; one that grows
 * moves to a larger piece and leaves a hole. Text lies in pieces that never move. Space
 * is allocated on disk before it is written to: a full disk is an error, not a signal. */
#include "engine/exec/rows_file.h"

#include "base/mem.h"
#include "engine/exec/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct piece {
    char *p;
    size_t bytes;
    int64_t at;
};

struct row_file {
    struct task *task;
    int fd;
    int64_t end;
    struct piece *pieces;
    uint32_t n_pieces, cap_pieces;
    char *text;
    size_t text_left;
};

enum { PIECE_ALIGN = 1 << 16, TEXT_PIECE = 1 << 22 };

static enum errc piece_new(struct row_file *f, size_t bytes, char **out, struct err *err)
{
    struct piece piece = { .bytes = (bytes + PIECE_ALIGN) & ~(size_t)(PIECE_ALIGN - 1),
                           .at = f->end };
    int rc = posix_fallocate(f->fd, f->end, (off_t)piece.bytes);

    if (rc)
        return err_set(err, ERR_OUTPUT, "a spill file cannot be written: %s",
                       strerror(rc));
    piece.p = mmap(NULL, piece.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, f->end);
    if (piece.p == MAP_FAILED)
        return err_set(err, ERR_OUTPUT, "a spill file cannot be mapped: %s",
                       strerror(errno));
    f->end += (int64_t)piece.bytes;
    f->task->memory.spilled_disk_bytes += (int64_t)piece.bytes;
    GROW(f->pieces, f->n_pieces, f->cap_pieces);
    f->pieces[f->n_pieces++] = piece;
    *out = piece.p;
    return ERR_OK;
}

static void piece_drop(struct row_file *f, const void *p)
{
    for (uint32_t i = 0; i < f->n_pieces; i++)
        if (f->pieces[i].p == p) {
            munmap(f->pieces[i].p, f->pieces[i].bytes);
#ifdef FALLOC_FL_PUNCH_HOLE
            /* where it cannot be done, the file is larger */
            (void)!fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             f->pieces[i].at, (off_t)f->pieces[i].bytes);
#endif
            f->pieces[i] = f->pieces[--f->n_pieces];
            return;
        }
}

static void file_free(struct row_file *f)
{
    for (uint32_t i = 0; i < f->n_pieces; i++)
        munmap(f->pieces[i].p, f->pieces[i].bytes);
    free(f->pieces);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

void row_file_forget(struct rows *r)
{
    for (uint32_t c = 0; c < r->n_columns; c++) {
        r->columns[c].data = NULL;
        r->columns[c].valid = NULL;
    }
    file_free(r->file);
    r->file = NULL;
}

char *row_file_text(struct row_file *f, size_t bytes)
{
    char *p = f->text;

    f->text += bytes;
    f->text_left -= bytes;
    return p;
}

/* ---- room ---- */

static enum errc text_reserve(struct row_file *f, size_t bytes, struct err *err)
{
    if (bytes <= f->text_left)
        return ERR_OK;
    size_t want = bytes < TEXT_PIECE ? TEXT_PIECE : bytes;
    TRY(piece_new(f, want, &f->text, err));
    f->text_left = want;
    return ERR_OK;
}

/* An array of `old` bytes becomes one of `bytes`. */
static enum errc array_grow(struct row_file *f, char **at, size_t old, size_t bytes,
                            struct err *err)
{
    char *to = NULL;

    TRY(piece_new(f, bytes, &to, err));
    if (old)
        memcpy(to, *at, old);
    if (*at)
        piece_drop(f, *at);
    *at = to;
    return ERR_OK;
}

static enum errc columns_grow(struct rows *r, uint32_t cap, struct err *err)
{
    for (uint32_t c = 0; c < r->n_columns; c++) {
        struct row_column *col = &r->columns[c];
        char *valid = (char *)col->valid;
        enum errc rc = array_grow(r->file, &col->data, (size_t)r->n * col->width,
                                  mem_product(cap, col->width), err);

        if (rc == ERR_OK)
            rc = array_grow(r->file, &valid, r->n, cap, err);
        col->valid = (uint8_t *)valid;
        TRY(rc);
    }
    r->cap = cap;
    return ERR_OK;
}

enum errc rows_file_room(struct rows *r, const struct batch *b, struct err *err)
{
    uint32_t cap = rows_cap_for(r, (uint64_t)r->n + b->n_sel);
    int64_t text = 0;

    for (uint32_t c = 0; c < r->n_columns; c++)
        if (r->columns[c].is_text)
            text += vec_long_text(&b->columns[c], b);
    TRY(text_reserve(r->file, (size_t)text, err));
    return cap > r->cap ? columns_grow(r, cap, err) : ERR_OK;
}

/* ---- moving ---- */

static void move_text(struct rows *r, const struct row_column *col)
{
    struct str *s = (struct str *)(void *)col->data;

    for (uint32_t i = 0; i < r->n; i++) {
        if (!col->valid[i]) {
            s[i] = (struct str){ 0 };
        } else if (s[i].len > STR_INLINE) {
            char *p = row_file_text(r->file, s[i].len);

            memcpy(p, s[i].u.p, s[i].len);
            s[i].u.p = p;
        }
    }
}

/* A dictionary's text is as often there as it has rows: less than an append counts. */
static enum errc text_bytes(struct rows *r, const struct rows *old, struct err *err)
{
    struct vec columns[old->n_columns + 1];
    struct batch b = { old->n, old->n, NULL, old->n_columns, columns };
    int64_t bytes = 0;

    rows_view(old, 0, old->n, columns);
    for (uint32_t c = 0; c < old->n_columns; c++)
        if (old->columns[c].is_text)
            bytes += vec_long_text(&columns[c], &b);
    return text_reserve(r->file, (size_t)bytes, err);
}

static enum errc copy_columns(struct rows *to, const struct rows *from, struct err *err)
{
    TRY(columns_grow(to, from->cap, err));
    TRY(text_bytes(to, from, err));
    to->n = from->n;
    for (uint32_t c = 0; c < to->n_columns; c++) {
        struct row_column *col = &to->columns[c];
        const struct row_column *was = &from->columns[c];

        memcpy(col->data, was->data, (size_t)to->n * col->width);
        if (was->valid)
            memcpy(col->valid, was->valid, to->n);
        else
            memset(col->valid, 1, to->n);
        if (col->is_text)
            move_text(to, col);
    }
    return ERR_OK;
}

enum errc rows_to_file(struct rows *r, struct task *task, struct rows *old,
                       struct err *err)
{
    struct type types[r->n_columns + 1];
    struct rows to;
    enum errc rc;

    for (uint32_t c = 0; c < r->n_columns; c++)
        types[c] = r->columns[c].type;
    rows_init(&to, types, r->n_columns);
    to.file = xcalloc(1, sizeof *to.file);
    to.file->task = task;
    to.file->fd = -1;
    rc = spill_temp_file(task, &to.file->fd, err);
    if (rc == ERR_OK && r->n)
        rc = copy_columns(&to, r, err);
    if (rc != ERR_OK) {
        rows_release(&to);
        return rc;
    }
    *old = *r;
    *r = to;
    return ERR_OK;
}
