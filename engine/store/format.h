/* File formats: readers of splits into batches, writers of batches into files. */
#ifndef ENGINE_STORE_FORMAT_H
#define ENGINE_STORE_FORMAT_H

#include "engine/store/relation.h"

/* A filter that a reader may use to skip what cannot match (statistics, dictionary); the
 * plan's Filter stays above and repeats it. Prints as Spark's sources.Filter:
 * "EqualTo(a,1)". */
enum pushed_kind {
    PUSHED_EQ,
    PUSHED_EQ_NULL_SAFE,
    PUSHED_LT,
    PUSHED_LE,
    PUSHED_GT,
    PUSHED_GE,
    PUSHED_IN,
    PUSHED_IS_NULL,
    PUSHED_IS_NOT_NULL,
    PUSHED_STARTS_WITH,
    PUSHED_ENDS_WITH,
    PUSHED_CONTAINS,
    PUSHED_AND,
    PUSHED_OR,
    PUSHED_NOT,
};

struct pushed {
    enum pushed_kind kind;
    struct sv column;
    struct value *values; /* one, or IN's list */
    uint32_t n_values;
    struct pushed *left, *right; /* AND, OR; NOT: left */
};

void pushed_print(struct strbuf *out, const struct pushed *p);

/* What a reader counted; the scan operator turns them into task metrics. */
struct scan_counts {
    int64_t bytes_read; /* from the file system */
    int64_t rows_read;  /* put out, before filters */
    int64_t row_groups, row_groups_skipped;
};

struct reader; /* a format's own; begins with nothing in common */

struct scan_request {
    const struct relation *relation;
    const struct settings *settings;
    const struct zone *zone;
    const uint32_t *columns; /* positions in relation->data; partition columns are added
                                by the scan operator */
    uint32_t n_columns;
    const struct pushed *const *filters;
    uint32_t n_filters;
};

struct writer;

struct write_request {
    const struct schema *schema;
    const struct settings *settings;
    const struct zone *zone;
    const struct sv *option_keys, *option_values;
    uint32_t n_options;
    const char *path; /* of the new file */
};

struct write_counts {
    int64_t bytes, rows;
};

struct format {
    const char *name;  /* "parquet", "csv", "json" */
    const char *print; /* in plans: "parquet", "csv", "json"; scan node "Scan parquet",
                          format "Parquet" */
    const char *print_long;
    bool columnar;      /* a ColumnarToRow stands above its scan */
    const char *suffix; /* of written files, without codec: ".parquet" */
    /* May a file be cut? Compressed text may not. */
    bool (*splittable)(const struct relation *r, struct sv path);
    /* Schema of these files (Spark reads all columns as nullable). */
    enum errc (*infer)(struct arena *a, const struct settings *s,
                       const struct relation *r, struct schema *out, struct err *err);
    /* Filters that skip anything here; the others are not listed as PushedFilters. */
    bool (*can_push)(const struct pushed *p);
    enum errc (*open)(struct reader **out, struct arena *a,
                      const struct scan_request *req, const struct data_file *file,
                      int64_t offset, int64_t length, struct err *err);
    /* A batch of at most BATCH_ROWS; columns as requested. Valid until the next call. */
    enum next (*next)(struct reader *r, struct batch *out, struct err *err);
    void (*counts)(const struct reader *r, struct scan_counts *out); /* so far */
    void (*close)(struct reader *r);
    enum errc (*create)(struct writer **out, struct arena *a,
                        const struct write_request *req, struct err *err);
    enum errc (*add)(struct writer *w, const struct batch *b, struct err *err);
    int64_t (*written)(const struct writer *w); /* bytes so far, about: for size limits */
    enum errc (*finish)(struct writer *w, struct write_counts *out,
                        struct err *err); /* closes too */
    void (*abort)(struct writer *w);      /* takes the file away */
};

const struct format *format_find(struct sv name); /* case-blind; NULL: none */

/* A write job's commit: task files go to a hidden folder beside the target, and appear
 * with _SUCCESS when the job commits, or not at all (old data stays until then). `target`
 * is absolute; the arena outlives the commit. */
struct commit;
enum errc commit_begin(struct commit **out, struct arena *a, struct sv target,
                       bool overwrite, struct err *err) MUST_CHECK;
/* A path for a task attempt's file, [partition_folder/]part-TASK-ID-cFILE SUFFIX, whose
 * folders are made. */
const char *commit_file(struct commit *c, struct arena *a, uint32_t task,
                        uint32_t attempt, struct sv partition_folder, uint32_t file,
                        const char *suffix);
enum errc commit_task(struct commit *c, uint32_t task, uint32_t attempt,
                      struct err *err) MUST_CHECK;
void commit_abort_task(struct commit *c, uint32_t task, uint32_t attempt);
/* Dynamic overwrite replaces only the partitions written. */
enum errc commit_job(struct commit *c, bool dynamic, struct err *err) MUST_CHECK;
/* Overwrites this folder of the target ("y=2020/m=a") alone; all that was written is
 * below it. */
enum errc commit_folder(struct commit *c, struct sv folder, struct err *err) MUST_CHECK;
void commit_abort(struct commit *c);

#endif
