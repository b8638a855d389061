/* Batches in a file that is removed as soon as it is open; see spill.h. */
#include "engine/exec/spill.h"

#include "base/mem.h"
#include "engine/column/batch_codec.h"
#include "engine/run/settings.h"
#include "engine/store/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITE_BYTES = 1 << 20 };

void spill_init(struct spill_file *f, struct task *task)
{
    *f = (struct spill_file){ .task = task, .fd = -1, .compress = true };
    if (task->settings)
        f->compress = settings_bool(task->settings, SET_SPILL_COMPRESS);
}

enum errc spill_temp_file(const struct task *task, int *fd, struct err *err)
{
    char path[4096];
    const char *dir = task->temp_dir ? task->temp_dir : "/tmp";

    if (snprintf(path, sizeof path, "%s/spill-XXXXXX", dir) >= (int)sizeof path)
        return err_set(err, ERR_OUTPUT, "%s: the path is too long", dir);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return err_set(err, ERR_OUTPUT, "%s: cannot make a spill file: %s", dir,
                       strerror(errno));
    unlink(path); /* it goes with the descriptor, whatever happens */
    return ERR_OK;
}

static enum errc write_pending(struct spill_file *f, struct err *err)
{
    size_t done = 0;

    while (done < f->pending.len) {
        ssize_t n = pwrite(f->fd, f->pending.p + done, f->pending.len - done,
                           f->flushed + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ERR_OUTPUT, "a spill file cannot be written: %s",
                           strerror(errno));
        done += (size_t)n;
    }
    f->task->memory.spilled_disk_bytes += (int64_t)done;
    f->flushed += (int64_t)done;
    strbuf_reset(&f->pending);
    return ERR_OK;
}

enum errc spill_add(struct spill_file *f, const struct batch *b, struct err *err)
{
    if (b->n_sel == 0)
        return ERR_OK;
    if (f->fd < 0)
        TRY(spill_temp_file(f->task, &f->fd, err));
    size_t before = f->pending.len;
    strbuf_reset(&f->raw);
    batch_encode(&f->raw, b);
    if (f->raw.len > BLOCK_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "%u rows of %zu bytes are too large to spill",
                       b->n_sel, f->raw.len);
    block_write(&f->pending, strbuf_sv(&f->raw), f->compress);
    f->end += (int64_t)(f->pending.len - before);
    return f->pending.len >= WRITE_BYTES ? write_pending(f, err) : ERR_OK;
}

enum errc spill_flush(struct spill_file *f, struct err *err)
{
    return f->pending.len ? write_pending(f, err) : ERR_OK;
}

void spill_reset(struct spill_file *f)
{
    struct task *task = f->task;
    bool compress = f->compress;

    spill_release(f);
    *f = (struct spill_file){ .task = task, .fd = -1, .compress = compress };
}

void spill_release(struct spill_file *f)
{
    if (!f->task)
        return;
    if (f->fd >= 0)
        close(f->fd);
    strbuf_release(&f->raw);
    strbuf_release(&f->pending);
    *f = (struct spill_file){ .fd = -1 };
}

/* ---- reading ---- */

void spill_open(struct spill_reader *r, const struct spill_file *f,
                struct spill_extent part, const struct type *types, uint32_t n_columns)
{
    *r = (struct spill_reader){
        .file = f, .at = part.from, .to = part.to, .types = types, .n_columns = n_columns
    };
}

static enum errc read_at(const struct spill_file *f, int64_t at, char *to, size_t n,
                         struct err *err)
{
    while (n > 0) {
        ssize_t got = pread(f->fd, to, n, at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, ERR_CORRUPT, "a spill file cannot be read: %s",
                           got < 0 ? strerror(errno) : "it ends too early");
        to += got;
        at += got;
        n -= (size_t)got;
    }
    return ERR_OK;
}

static void fit(char **p, size_t *cap, size_t want)
{
    if (want <= *cap)
        return;
    free(*p);
    *cap = want + want / 4;
    *p = xmalloc(*cap);
}

static enum errc read_block(struct spill_reader *r, size_t *raw, struct err *err)
{
    char head[BLOCK_HEAD];
    size_t stored, used;

    TRY(read_at(r->file, r->at, head, BLOCK_HEAD, err));
    TRY(block_peek((struct sv){ head, BLOCK_HEAD }, raw, &stored, err));
    if ((int64_t)stored > r->to - r->at)
        return err_set(err, ERR_CORRUPT, "a spill file is damaged");
    fit(&r->stored, &r->stored_cap, BLOCK_HEAD + stored);
    fit(&r->raw, &r->raw_cap, *raw ? *raw : 1);
    TRY(read_at(r->file, r->at, r->stored, BLOCK_HEAD + stored, err));
    TRY(block_read((struct sv){ r->stored, BLOCK_HEAD + stored }, r->raw, &used, err));
    r->at += (int64_t)used;
    return ERR_OK;
}

enum next spill_read(struct spill_reader *r, struct batch *out, struct err *err)
{
    size_t raw = 0, used = 0;

    if (r->at >= r->to)
        return NEXT_END;
    if (read_block(r, &raw, err) != ERR_OK)
        return NEXT_FAIL;
    arena_reset(&r->arena);
    if (batch_decode(&r->arena, (struct sv){ r->raw, raw }, r->types, r->n_columns, out,
                     &used, err) != ERR_OK)
        return NEXT_FAIL;
    return NEXT_ITEM;
}

void spill_close(struct spill_reader *r)
{
    free(r->stored);
    free(r->raw);
    arena_release(&r->arena);
    *r = (struct spill_reader){ 0 };
}
