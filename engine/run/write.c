/* Writing a query's rows as files: a task writes its partition's rows, the driver commits
 * all of it or nothing.
 *
 * Rows of partitioned tables come sorted by the partition's columns (the plan sees to
 * it), which stand behind the data's: a new file begins where they change, or where
 * spark.sql.files.maxRecordsPerFile says so. Without partitions task 0 writes a file even
 * of no rows, so that the result has a schema. */
#include "engine/exec/op.h"
#include "engine/run/query_run.h"
#include "base/map.h"
#include "engine/store/compress.h"
#include "engine/store/partition.h"

#include <stdlib.h>

struct writing {
    struct query_run *q;
    const struct phys *node, *child; /* child: the tree that tasks run */
    const struct write_job *job;
    struct commit *commit;
    const char *suffix;
    bool no_rows;         /* the query has no partitions: one file all the same */
    int64_t most_rows;    /* of one file; 0: no limit */
    pthread_mutex_t lock; /* of the commit: tasks end side by side */
    struct intern folders; /* of all tasks: what is common to them counts once */
    _Atomic int64_t files, bytes, rows;
};

struct task_files {
    struct writing *w;
    struct task *task;
    struct arena arena; /* of the file being written */
    struct writer *writer;
    int64_t rows; /* of it */
    uint32_t n_files;
    struct value *partition; /* of it */
    struct arena values;     /* partition's text */
    struct sv folder;
};

static struct sv write_option(const struct write_job *job, const char *key)
{
    for (uint32_t i = 0; i < job->n_options; i++)
        if (sv_eq_nocase(job->option_keys[i], sv(key)))
            return job->option_values[i];
    return (struct sv){ 0 };
}

/* ".snappy.parquet", ".csv.gz": the codec shows in the name, as Spark has it. */
static const char *file_suffix(struct query_run *q, const struct write_job *job)
{
    static const char *const words[] = {
        [COMPRESS_NONE] = "",    [COMPRESS_SNAPPY] = ".snappy",
        [COMPRESS_GZIP] = ".gz", [COMPRESS_ZSTD] = ".zstd",
        [COMPRESS_LZ4] = ".lz4", [COMPRESS_LZ4_HADOOP] = ".lz4",
    };
    bool columnar = job->format->columnar;
    struct sv codec = write_option(job, "compression");
    enum compression c = COMPRESS_NONE;
    struct strbuf text = { 0 };
    char *out;

    if (!codec.p)
        codec = columnar ? settings_text(q->settings, SET_PARQUET_CODEC) : SV("none");
    if (!compression_find(codec, &c))
        c = COMPRESS_NONE; /* the writer refuses it */
    if (columnar)
        strbuf_printf(&text, "%s%s", words[c], job->format->suffix);
    else
        strbuf_printf(&text, "%s%s", job->format->suffix, words[c]);
    out = query_alloc(q, text.len + 1);
    memcpy(out, text.p, text.len + 1);
    strbuf_release(&text);
    return out;
}

static enum errc open_file(struct task_files *f, struct err *err)
{
    const struct write_job *job = f->w->job;
    struct task *t = f->task;
    struct write_request *req;

    arena_reset(&f->arena);
    req = ARENA_NEW(&f->arena, struct write_request);
    *req = (struct write_request){
        .schema = &job->data,
        .settings = t->settings,
        .zone = t->eval.zone,
        .option_keys = job->option_keys,
        .option_values = job->option_values,
        .n_options = job->n_options,
        .path = commit_file(f->w->commit, &f->arena, (uint32_t)t->partition,
                            (uint32_t)t->attempt, f->folder, f->n_files, f->w->suffix),
    };
    TRY(job->format->create(&f->writer, &f->arena, req, err));
    f->n_files++;
    f->rows = 0;
    t->metrics.result_bytes += (int64_t)strlen(req->path); /* which the driver is told */
    return ERR_OK;
}

static enum errc close_file(struct task_files *f, struct err *err)
{
    struct writer *writer = f->writer;
    struct write_counts counts = { 0 };

    if (!writer)
        return ERR_OK;
    f->writer = NULL;
    TRY(f->w->job->format->finish(writer, &counts, err));
    f->task->metrics.output_bytes += counts.bytes;
    f->task->metrics.output_rows += f->rows;
    return ERR_OK;
}

/* --- old dates ------------------------------------------------------------------------
 *
 * Before 1582-10-15 days have other names in the hybrid calendar of older readers, and
 * before 1900 clocks other offsets: Spark 3 refuses to write these into Parquet until it
 * is told how. */

enum { FIRST_GREGORIAN_DAY = -141427 };
#define FIRST_SAFE_US INT64_C(-2208988800000000) /* 1900-01-01T00:00:00Z */

static bool has_old(const struct vec *v, const struct batch *b)
{
    bool date = v->type.id == TYPE_DATE;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (vec_is_null(v, row))
            continue;
        if (date ? *(const int32_t *)vec_at(v, row) < FIRST_GREGORIAN_DAY
                 : *(const int64_t *)vec_at(v, row) < FIRST_SAFE_US)
            return true;
    }
    return false;
}

static enum errc refuse_old(const struct task_files *f, const struct batch *b,
                            struct err *err)
{
    const struct settings *s = f->task->settings;
    const struct write_job *job = f->w->job;

    for (uint32_t c = 0; c < job->data.n && job->format->columnar; c++) {
        bool date = b->columns[c].type.id == TYPE_DATE;
        bool int96 = !date && settings_says(s, SET_PARQUET_TS_TYPE, "INT96");
        enum setting key = int96 ? SET_PARQUET_OLD_INT96 : SET_PARQUET_OLD_DATES;

        if ((!date && b->columns[c].type.id != TYPE_TIMESTAMP) ||
            settings_says(s, key, "CORRECTED") || !has_old(&b->columns[c], b))
            continue;
        return err_set(
            err, ERR_USAGE,
            "[TASK_WRITE_FAILED] Task failed while writing rows to file:%.*s: "
            "[INCONSISTENT_BEHAVIOR_CROSS_VERSION.WRITE_ANCIENT_DATETIME] writing dates "
            "before 1582-10-15 or timestamps before 1900-01-01T00:00:00Z into Parquet "
            "files can be dangerous, as older readers have another calendar. Set \"%s\" "
            "to \"CORRECTED\" to write them as they are.",
            SV_FMT(job->target), setting_key(key));
    }
    return ERR_OK;
}

/* The first n rows that count go to the open file, or as many as it may have. */
static enum errc add_rows(struct task_files *f, struct batch b, struct err *err)
{
    const uint32_t *sel = b.sel;
    uint32_t *all = NULL, left = b.n_sel, at = 0;

    b.n_columns = f->w->job->data.n;
    TRY(refuse_old(f, &b, err));
    while (left) {
        int64_t n = left;

        if (f->writer && f->w->most_rows && f->rows >= f->w->most_rows)
            TRY(close_file(f, err));
        if (!f->writer)
            TRY(open_file(f, err));
        if (f->w->most_rows)
            n = min_i64(n, f->w->most_rows - f->rows);
        if (n < left && !sel) { /* a part of rows without a selection */
            all = arena_array(&f->arena, b.n_rows, sizeof *all);
            for (uint32_t i = 0; i < b.n_rows; i++)
                all[i] = i;
            sel = all;
        }
        b.sel = sel ? sel + at : NULL;
        b.n_sel = (uint32_t)n;
        TRY(f->w->job->format->add(f->writer, &b, err));
        f->rows += n;
        at += (uint32_t)n;
        left -= (uint32_t)n;
    }
    return ERR_OK;
}

/* --- partitions ------------------------------------------------------------------- */

static bool same_folder(const struct task_files *f, const struct batch *b, uint32_t row)
{
    const struct write_job *job = f->w->job;

    if (!f->partition)
        return false;
    for (uint32_t i = 0; i < job->partition.n; i++) {
        struct value v = value_at(&b->columns[job->data.n + i], row);

        if (!value_eq(&v, &f->partition[i]))
            return false;
    }
    return true;
}

static enum errc next_folder(struct task_files *f, const struct batch *b, uint32_t row,
                             struct err *err)
{
    const struct write_job *job = f->w->job;
    struct strbuf folder = { 0 };

    TRY(close_file(f, err));
    arena_reset(&f->values);
    f->partition = arena_array(&f->values, job->partition.n, sizeof *f->partition);
    for (uint32_t i = 0; i < job->partition.n; i++) {
        struct value v = value_at(&b->columns[job->data.n + i], row);

        if (!v.null && type_is_text(v.type))
            v.u.s = arena_sv(&f->values, v.u.s);
        f->partition[i] = v;
        if (i)
            strbuf_addc(&folder, '/');
        partition_folder(&folder, job->partition.fields[i].name, &v);
    }
    f->folder = arena_sv(&f->values, strbuf_sv(&folder));
    strbuf_release(&folder);
    pthread_mutex_lock(&f->w->lock);
    (void)intern(&f->w->folders, f->folder);
    pthread_mutex_unlock(&f->w->lock);
    return ERR_OK;
}

static enum errc add_partitioned(struct task_files *f, const struct batch *b,
                                 struct err *err)
{
    uint32_t sel[BATCH_ROWS], i = 0;

    while (i < b->n_sel) {
        struct batch run = *b;

        if (!same_folder(f, b, batch_row(b, i)))
            TRY(next_folder(f, b, batch_row(b, i), err));
        run.n_sel = 0;
        run.sel = sel;
        while (i < b->n_sel && same_folder(f, b, batch_row(b, i)))
            sel[run.n_sel++] = batch_row(b, i++);
        TRY(add_rows(f, run, err));
    }
    return ERR_OK;
}

/* --- tasks ------------------------------------------------------------------------ */

static enum errc write_rows(struct task_files *f, struct op *op, struct err *err)
{
    bool folders = f->w->job->partition.n > 0;
    enum op_step step;
    struct batch b;

    if (!folders && f->task->partition == 0)
        TRY(open_file(f, err));
    while ((step = op_next(op, &b, err)) == OP_BATCH) {
        if (folders)
            TRY(add_partitioned(f, &b, err));
        else
            TRY(add_rows(f, b, err));
    }
    if (step == OP_FAIL)
        return err->code;
    return close_file(f, err);
}

static enum errc write_task(void *ctx, struct task *t, struct err *err)
{
    struct writing *w = ctx;
    struct task_files f = { .w = w, .task = t };
    int64_t begin_ms, begin_ns = op_now_ns();
    struct op *op;
    enum errc rc;

    if (w->no_rows) {
        rc = open_file(&f, err);
        if (rc == ERR_OK)
            rc = close_file(&f, err);
    } else {
        TRY(op_open(&op, w->child, t, err));
        rc = write_rows(&f, op, err);
        task_durations(t, w->child, begin_ns);
        op_close(op);
    }
    if (f.writer)
        w->job->format->abort(f.writer);
    arena_release(&f.arena);
    arena_release(&f.values);
    begin_ms = scheduler_now_ms(w->q->scheduler);
    pthread_mutex_lock(&w->lock);
    if (rc == ERR_OK)
        rc = commit_task(w->commit, (uint32_t)t->partition, (uint32_t)t->attempt, err);
    else
        commit_abort_task(w->commit, (uint32_t)t->partition, (uint32_t)t->attempt);
    pthread_mutex_unlock(&w->lock);
    if (rc == ERR_OK) {
        task_count(t, w->node, "task_commit_ms",
                   scheduler_now_ms(w->q->scheduler) - begin_ms);
        w->files += f.n_files;
        w->bytes += t->metrics.output_bytes;
        w->rows += t->metrics.output_rows;
    }
    return rc;
}

static void count_written(struct query_run *q, struct writing *w, int64_t job_commit_ms)
{
    static const char *const keys[] = { "files", "written_bytes", "rows",
                                        "dynamic_partitions", "job_commit_ms" };
    int64_t values[] = { w->files, w->bytes, w->rows, w->folders.n, job_commit_ms };

    driver_count(q, w->node, ARRAY_LEN(keys), keys, values);
}

/* The job is begun: its tasks, then the commit. */
static enum errc write_all(struct writing *w, struct err *err)
{
    struct query_run *q = w->q;
    uint32_t n = query_partitions(q, w->child);
    int64_t begin_ms;
    enum errc rc;

    w->no_rows = n == 0;
    if (w->no_rows && !w->job->partition.n)
        n = 1; /* a file without rows: the schema is to be read */
    rc = drive_job(q, w->child, NULL, NULL, n, write_task, w, err);
    begin_ms = scheduler_now_ms(q->scheduler);
    if (rc == ERR_OK)
        rc = w->job->folder.len ? commit_folder(w->commit, w->job->folder, err)
                                : commit_job(w->commit, w->job->dynamic, err);
    else
        commit_abort(w->commit);
    if (rc == ERR_OK)
        count_written(q, w, scheduler_now_ms(q->scheduler) - begin_ms);
    return rc;
}

enum errc drive_write(struct query_run *q, struct phys *root, struct err *err)
{
    struct phys *node = phys_write_of(root), *child = phys_write_rows(node);
    struct writing w = { .q = q, .node = node, .job = node->write };
    struct arena a = { 0 };
    enum errc rc;

    if (root->kind == PHYS_ADAPTIVE)
        TRY(drive_adaptive(q, root, &child, err));
    TRY(drive_ready(q, child, false, &child, err));
    w.child = child;
    w.suffix = file_suffix(q, w.job);
    w.most_rows = settings_int(q->settings, SET_MAX_RECORDS_PER_FILE);
    w.folders.arena = &a;
    rc = commit_begin(&w.commit, &a, w.job->target, w.job->overwrite, err);
    if (rc == ERR_OK) {
        pthread_mutex_init(&w.lock, NULL);
        rc = write_all(&w, err);
        pthread_mutex_destroy(&w.lock);
    }
    intern_release(&w.folders);
    arena_release(&a);
    return rc;
}
