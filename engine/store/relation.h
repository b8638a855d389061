/* Tables that are files: where they are, what columns they have, what is read of them.
 *
 * A relation is found once per query (listing, Hive partitions, schema) and does not
 * change. */
#ifndef ENGINE_STORE_RELATION_H
#define ENGINE_STORE_RELATION_H

#include "engine/column/value.h"

struct settings;
struct format;

struct field {
    struct sv name;
    struct type type;
    bool nullable;
};

struct schema {
    struct field *fields;
    uint32_t n;
};

struct data_file {
    struct sv path;
    int64_t bytes;
    int64_t modified_ms;
    struct value *partition; /* one per partition column */
};

struct relation {
    const struct format *format;
    struct sv name;   /* table's name, for plans; may be empty */
    struct sv *roots; /* paths as given, made absolute */
    uint32_t n_roots;
    struct schema data;      /* columns stored in the files */
    struct schema partition; /* columns that are folders; not in data */
    struct sv *option_keys, *option_values;
    uint32_t n_options;
    struct data_file *files; /* by path */
    uint32_t n_files;
    int64_t bytes; /* of all files */
    bool is_table; /* catalog table rather than a path or view: prints differently */
};

/* What a relation is opened from; all borrowed. */
struct relation_spec {
    struct sv format;
    const struct sv
        *paths; /* files, folders or patterns ("*"); "file:" in front is taken off */
    uint32_t n_paths;
    const struct sv *option_keys, *option_values;
    uint32_t n_options;
    const struct schema *data; /* declared columns, NULL: from the files. Those that are
                                  folders go over to `partition` */
    const struct schema
        *partition;  /* declared partition columns, NULL: from the folders */
    struct sv table; /* name of a catalog table, else absent; its folder may be missing */
};

/* Lists files (hidden names "_x", ".x" left out), finds partition folders "k=v" and types
 * their values, infers or takes the schema. ERR_OPEN: path does not exist, as Spark says
 * it; ERR_USAGE: no such format. */
enum errc relation_open(struct arena *a, const struct settings *s,
                        const struct relation_spec *spec, const struct relation **out,
                        struct err *err) MUST_CHECK;
/* The relation with only the files whose partition values `keep` says yes to (pruning).
 */
const struct relation *relation_keep(struct arena *a, const struct relation *r,
                                     bool (*keep)(void *ctx, const struct data_file *f),
                                     void *ctx);
/* How many partition folders the files are in. */
uint32_t relation_folders(const struct relation *r);
/* The folder of a file, without "/" at its end. */
struct sv relation_folder(struct sv path);
bool relation_option(const struct relation *r, const char *key,
                     struct sv *value); /* case-blind */

/* One piece of a file that one task reads. */
struct split {
    uint32_t file_ix;
    int64_t offset, length;
};

struct scan_partition {
    struct split *splits;
    uint32_t n;
};

/* Files to partitions by Spark's formula (planner reference, section 5). `cores`: default
 * parallelism. */
void relation_partitions(struct arena *a, const struct relation *r,
                         const struct settings *s, int32_t cores,
                         struct scan_partition **out, uint32_t *n);

#endif
