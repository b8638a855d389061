/* Rows on disk: batches written one after another to a file that has no name, read back
 * by extents. What is written is compressed as spark.shuffle.spill.compress says. */
#ifndef ENGINE_EXEC_SPILL_H
#define ENGINE_EXEC_SPILL_H

#include "engine/run/task.h"

struct spill_file { /* zeroed: none yet; the file is made by the first batch */
    struct task *task;
    int fd;      /* -1: not made */
    int64_t end; /* bytes written or pending */
    int64_t flushed;
    bool compress;
    struct strbuf raw, pending;
};

struct spill_extent {
    int64_t from, to;
};

/* A new file without a name in the task's folder for spills; *fd is the caller's. */
enum errc spill_temp_file(const struct task *task, int *fd, struct err *err) MUST_CHECK;

void spill_init(struct spill_file *f, struct task *task);
/* ERR_OUTPUT where the file cannot be written. */
enum errc spill_add(struct spill_file *f, const struct batch *b,
                    struct err *err) MUST_CHECK;
/* What was added is in the file: before reading. Counts the bytes for the task. */
enum errc spill_flush(struct spill_file *f, struct err *err) MUST_CHECK;
/* Drops all; the file is as new. */
void spill_reset(struct spill_file *f);
void spill_release(struct spill_file *f);

struct spill_reader {
    const struct spill_file *file;
    int64_t at, to;
    const struct type *types;
    uint32_t n_columns;
    struct arena arena; /* of the batch */
    char *stored, *raw;
    size_t stored_cap, raw_cap;
};

/* One batch after another from an extent; each is valid until the next call. */
void spill_open(struct spill_reader *r, const struct spill_file *f,
                struct spill_extent part, const struct type *types, uint32_t n_columns);
enum next spill_read(struct spill_reader *r, struct batch *out, struct err *err);
void spill_close(struct spill_reader *r);

#endif
