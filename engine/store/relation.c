/* Finding a relation's files and columns, and cutting the files into tasks' shares. */
#include "engine/store/relation.h"

#include "base/mem.h"
#include "engine/run/settings.h"
#include "engine/store/format.h"
#include "engine/store/partition.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LEVELS = 64 };

/* ---- listing ---- */

struct found { /* a file, and the partition folders above it */
    struct data_file file;
    struct sv *keys, *values;
    uint32_t n;
};

struct listing {
    struct arena *a;
    struct found *found;
    uint32_t n, cap;
    struct sv keys[MAX_LEVELS], values[MAX_LEVELS];
    uint32_t depth;
};

static bool hidden(const char *name)
{
    return name[0] == '.' || (name[0] == '_' && !strchr(name, '='));
}

static void add_file(struct listing *l, const char *path, const struct stat *st)
{
    struct found *f;

    GROW(l->found, l->n, l->cap);
    f = &l->found[l->n++];
    *f = (struct found){ .n = l->depth };
    f->file = (struct data_file){ .path = arena_sv(l->a, sv(path)),
                                  .bytes = st->st_size,
                                  .modified_ms = (int64_t)st->st_mtim.tv_sec * 1000 +
                                                 st->st_mtim.tv_nsec / 1000000 };
    f->keys = arena_array(l->a, l->depth + 1, sizeof *f->keys);
    f->values = arena_array(l->a, l->depth + 1, sizeof *f->values);
    memcpy(f->keys, l->keys, l->depth * sizeof *f->keys);
    memcpy(f->values, l->values, l->depth * sizeof *f->values);
}

static enum errc list_folder(struct listing *l, const char *folder, int level,
                             struct err *err);

static enum errc list_entry(struct listing *l, const char *folder, const char *name,
                            int level, struct err *err)
{
    const char *path = arena_printf(l->a, "%s/%s", folder, name);
    struct sv key, value;
    struct stat st;
    enum errc rc;

    if (stat(path, &st) != 0)
        return errno == ENOENT ? ERR_OK /* gone since */
                               : err_set(err, ERR_OPEN, "%s: %s", path, strerror(errno));
    if (S_ISREG(st.st_mode)) {
        add_file(l, path, &st);
        return ERR_OK;
    }
    if (!S_ISDIR(st.st_mode))
        return ERR_OK;
    if (level >= MAX_LEVELS)
        return err_set(err, ERR_LIMIT, "%s: folders nested more than %d deep", path,
                       MAX_LEVELS);
    if (!partition_parse(l->a, sv(name), &key, &value))
        return list_folder(l, path, level + 1, err);
    l->keys[l->depth] = key;
    l->values[l->depth++] = value;
    rc = list_folder(l, path, level + 1, err);
    l->depth--;
    return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *e)
{
    return !hidden(e->d_name);
}

static enum errc list_folder(struct listing *l, const char *folder, int level,
                             struct err *err)
{
    struct dirent **entries = NULL;
    enum errc rc = ERR_OK;
    int n = scandir(folder, &entries, not_hidden, by_name);

    if (n < 0)
        return err_set(err, ERR_OPEN, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (rc == ERR_OK)
            rc = list_entry(l, folder, entries[i]->d_name, level, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* "file:///x" and "file:/x" are /x; relative paths begin at the working directory. */
static const char *absolute(struct arena *a, struct sv path)
{
    char cwd[PATH_MAX];

    if (sv_starts(path, sv("file://")))
        path = sv_from(path, 7);
    else if (sv_starts(path, sv("file:")))
        path = sv_from(path, 5);
    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    if (path.len > 0 && path.p[0] == '/')
        return arena_printf(a, "%.*s", (int)path.len, path.p);
    if (!getcwd(cwd, sizeof cwd))
        strcpy(cwd, ".");
    return arena_printf(a, "%s/%.*s", cwd, (int)path.len, path.p);
}

static enum errc list_root(struct listing *l, const char *root, bool may_lack,
                           struct err *err)
{
    struct stat st;

    if (stat(root, &st) != 0) {
        if (may_lack && errno == ENOENT)
            return ERR_OK;
        return err_set(err, ERR_OPEN, "[PATH_NOT_FOUND] Path does not exist: file:%s.",
                       root);
    }
    if (S_ISDIR(st.st_mode))
        return list_folder(l, root, 0, err);
    add_file(l, root, &st);
    return ERR_OK;
}

static enum errc list_path(struct listing *l, struct relation *r, struct sv path,
                           bool may_lack, struct err *err)
{
    const char *root = absolute(l->a, path);
    glob_t g;
    enum errc rc = ERR_OK;

    if (strpbrk(root, "*?[{") && access(root, F_OK) != 0) {
        if (glob(root, GLOB_BRACE, NULL, &g) != 0)
            return err_set(err, ERR_OPEN,
                           "[PATH_NOT_FOUND] Path does not exist: file:%s.", root);
        for (size_t i = 0; i < g.gl_pathc && rc == ERR_OK; i++)
            rc = list_root(l, g.gl_pathv[i], false, err);
        globfree(&g);
    } else {
        rc = list_root(l, root, may_lack, err);
    }
    r->roots[r->n_roots++] = sv(root);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return sv_cmp(((const struct found *)a)->file.path,
                  ((const struct found *)b)->file.path);
}

/* ---- columns ---- */

static uint32_t field_ix(const struct schema *s, struct sv name)
{
    for (uint32_t i = 0; s && i < s->n; i++)
        if (sv_eq_nocase(s->fields[i].name, name))
            return i;
    return UINT32_MAX;
}

/* All files must lie below the same keys: else it is not one table. */
static enum errc check_keys(const struct listing *l, struct err *err)
{
    for (uint32_t i = 1; i < l->n; i++) {
        const struct found *a = &l->found[0], *b = &l->found[i];
        bool same = a->n == b->n;

        for (uint32_t k = 0; same && k < a->n; k++)
            same = sv_eq_nocase(a->keys[k], b->keys[k]);
        if (!same)
            return err_set(
                err, ERR_OPEN,
                "[CONFLICTING_PARTITION_COLUMN_NAMES] Conflicting partition column names "
                "detected: %.*s and %.*s lie below different ones",
                (int)a->file.path.len, a->file.path.p, (int)b->file.path.len,
                b->file.path.p);
    }
    return ERR_OK;
}

static void find_partition_schema(struct relation *r, const struct settings *s,
                                  const struct relation_spec *spec,
                                  const struct listing *l)
{
    uint32_t n = l->n ? l->found[0].n : 0;
    struct sv *values = arena_array(l->a, l->n + 1, sizeof *values);

    if (spec->partition) {
        r->partition = *spec->partition;
        return;
    }
    r->partition.fields = arena_array(l->a, n + 1, sizeof *r->partition.fields);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t declared = field_ix(spec->data, l->found[0].keys[k]);
        struct type t;

        for (uint32_t i = 0; i < l->n; i++)
            values[i] = l->found[i].values[k];
        t = declared != UINT32_MAX
                ? spec->data->fields[declared].type
                : partition_type(values, l->n, settings_bool(s, SET_PARTITION_INFER));
        r->partition.fields[r->partition.n++] =
            (struct field){ .name = l->found[0].keys[k], .type = t, .nullable = true };
    }
}

static void take_files(struct relation *r, const struct settings *s,
                       const struct listing *l)
{
    const struct zone *zone = &zone_utc;
    struct err ignored = { 0 };

    if (settings_is_set(s, SET_TIME_ZONE))
        (void)(zone_open(l->a, settings_text(s, SET_TIME_ZONE), &zone, &ignored) ==
               ERR_OK);
    r->files = arena_array(l->a, l->n + 1, sizeof *r->files);
    for (uint32_t i = 0; i < l->n; i++) {
        struct data_file *f = &r->files[r->n_files++];

        *f = l->found[i].file;
        f->partition = arena_array(l->a, r->partition.n + 1, sizeof *f->partition);
        for (uint32_t k = 0; k < r->partition.n; k++) {
            struct type t = r->partition.fields[k].type;

            f->partition[k] = value_null(t);
            for (uint32_t j = 0; j < l->found[i].n; j++)
                if (sv_eq_nocase(l->found[i].keys[j], r->partition.fields[k].name))
                    f->partition[k] =
                        partition_value(l->a, l->found[i].values[j], t, zone);
        }
        r->bytes += f->bytes;
    }
}

/* Columns that are folders are not looked for in the files. */
static void drop_partition_columns(struct arena *a, struct relation *r)
{
    struct schema kept = { .fields = arena_array(a, r->data.n + 1, sizeof *kept.fields) };

    for (uint32_t i = 0; i < r->data.n; i++)
        if (field_ix(&r->partition, r->data.fields[i].name) == UINT32_MAX)
            kept.fields[kept.n++] = r->data.fields[i];
    r->data = kept;
}

enum errc relation_open(struct arena *a, const struct settings *s,
                        const struct relation_spec *spec, const struct relation **out,
                        struct err *err)
{
    struct relation *r = arena_alloc(a, sizeof *r);
    struct listing l = { .a = a };
    bool is_table = spec->table.p != NULL;
    enum errc rc = ERR_OK;

    r->format = format_find(spec->format);
    if (!r->format)
        return err_set(err, ERR_USAGE,
                       "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: %.*s. "
                       "Known here: parquet, csv, json.",
                       (int)spec->format.len, spec->format.p);
    r->name = spec->table;
    r->is_table = is_table;
    r->option_keys = (struct sv *)(uintptr_t)spec->option_keys;
    r->option_values = (struct sv *)(uintptr_t)spec->option_values;
    r->n_options = spec->n_options;
    r->roots = arena_array(a, spec->n_paths + 1, sizeof *r->roots);
    for (uint32_t i = 0; i < spec->n_paths && rc == ERR_OK; i++)
        rc = list_path(&l, r, spec->paths[i], is_table, err);
    if (rc == ERR_OK && !spec->partition)
        rc = check_keys(&l, err);
    if (rc == ERR_OK) {
        if (l.n)
            qsort(l.found, l.n, sizeof *l.found, by_path);
        find_partition_schema(r, s, spec, &l);
        take_files(r, s, &l);
        if (spec->data)
            r->data = *spec->data;
        else
            rc = r->format->infer(a, s, r, &r->data, err);
    }
    free(l.found);
    if (rc != ERR_OK)
        return rc;
    drop_partition_columns(a, r);
    *out = r;
    return ERR_OK;
}

const struct relation *relation_keep(struct arena *a, const struct relation *r,
                                     bool (*keep)(void *ctx, const struct data_file *f),
                                     void *ctx)
{
    struct relation *kept = arena_alloc(a, sizeof *kept);

    *kept = *r;
    kept->files = arena_array(a, r->n_files + 1, sizeof *kept->files);
    kept->n_files = 0;
    kept->bytes = 0;
    for (uint32_t i = 0; i < r->n_files; i++)
        if (keep(ctx, &r->files[i])) {
            kept->files[kept->n_files++] = r->files[i];
            kept->bytes += r->files[i].bytes;
        }
    return kept;
}

struct sv relation_folder(struct sv path)
{
    while (path.len && path.p[path.len - 1] != '/')
        path.len--;
    path.len -= path.len > 1;
    return path;
}

uint32_t relation_folders(const struct relation *r)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n_files; i++)
        n += i == 0 || !sv_eq(relation_folder(r->files[i].path),
                              relation_folder(r->files[i - 1].path));
    return n;
}

bool relation_option(const struct relation *r, const char *key, struct sv *value)
{
    for (uint32_t i = 0; i < r->n_options; i++)
        if (sv_eq_nocase(r->option_keys[i], sv(key))) {
            *value = r->option_values[i];
            return true;
        }
    return false;
}

/* ---- files to tasks ---- */

struct chunks {
    struct split *at;
    uint32_t n, cap;
};

/* Spark sorts stably by length only, largest first. */
static int by_length(const void *a, const void *b)
{
    const struct split *x = a, *y = b;

    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    if (x->file_ix != y->file_ix)
        return x->file_ix < y->file_ix ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void add_chunk(struct chunks *c, uint32_t file, int64_t offset, int64_t length)
{
    GROW(c->at, c->n, c->cap);
    c->at[c->n++] = (struct split){ .file_ix = file, .offset = offset, .length = length };
}

static void cut_files(struct chunks *c, const struct relation *r, int64_t max_split)
{
    for (uint32_t i = 0; i < r->n_files; i++) {
        int64_t len = r->files[i].bytes;

        if (!r->format->splittable(r, r->files[i].path))
            add_chunk(c, i, 0, len);
        else
            for (int64_t at = 0; at < len; at += max_split)
                add_chunk(c, i, at, len - at < max_split ? len - at : max_split);
    }
    if (c->n)
        qsort(c->at, c->n, sizeof *c->at, by_length);
}

/* Next fit: a chunk that would pass the size closes the partition. */
static uint32_t pack(struct arena *a, const struct chunks *c, int64_t size,
                     int64_t open_cost, struct scan_partition **out)
{
    struct scan_partition *parts = arena_array(a, c->n + 1, sizeof *parts);
    struct split *splits = arena_array(a, c->n + 1, sizeof *splits);
    uint32_t n = 0, first = 0;
    int64_t now = 0;

    if (c->n)
        memcpy(splits, c->at, c->n * sizeof *splits);
    for (uint32_t i = 0; i < c->n; i++) {
        if (i > first && add_sat(now, splits[i].length) > size) {
            parts[n++] =
                (struct scan_partition){ .splits = splits + first, .n = i - first };
            first = i;
            now = 0;
        }
        now = add_sat(now, add_sat(splits[i].length, open_cost));
    }
    if (c->n > first)
        parts[n++] =
            (struct scan_partition){ .splits = splits + first, .n = c->n - first };
    *out = parts;
    return n;
}

void relation_partitions(struct arena *a, const struct relation *r,
                         const struct settings *s, int32_t cores,
                         struct scan_partition **out, uint32_t *n)
{
    int64_t open_cost = settings_int(s, SET_OPEN_COST_BYTES), total = 0, max_split;
    int64_t min_parts = settings_is_set(s, SET_MIN_PARTITION_NUM)
                            ? settings_int(s, SET_MIN_PARTITION_NUM)
                            : cores;
    int64_t most = settings_is_set(s, SET_MAX_PARTITION_NUM)
                       ? settings_int(s, SET_MAX_PARTITION_NUM)
                       : 0;
    struct chunks c = { 0 };

    for (uint32_t i = 0; i < r->n_files; i++)
        total = add_sat(total, add_sat(r->files[i].bytes, open_cost));
    max_split = max_i64(open_cost, total / max_i64(1, min_parts));
    max_split = max_i64(1, min_i64(settings_int(s, SET_MAX_PARTITION_BYTES), max_split));
    cut_files(&c, r, max_split);
    *n = pack(a, &c, max_split, open_cost, out);
    if (most > 0 && *n > most) {
        int64_t all = 0;

        for (uint32_t i = 0; i < c.n; i++)
            all = add_sat(all, add_sat(c.at[i].length, open_cost));
        *n = pack(a, &c, all / most + (all % most != 0), open_cost, out);
    }
    free(c.at);
}
