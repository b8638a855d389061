/* Finding logs behind a path.
 *
 * Folders of the file system and of a zip are looked at alike: as a list of files
 * with a name each. First the logs that consist of several files are taken out of it
 * (source_parts.c); what is left is looked into, one by one. A file `x.inprogress`
 * is a log that is being written, or whose writer was killed. */
#include "analyzer/source_find.h"

#include "analyzer/zip.h"

#include "base/map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32

/* ---- lists in the arena --------------------------------------------------------- */

/* Room for one more in a (pointer, count, capacity) triple that the arena holds. */
static void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 4;
    void *more = arena_array(a, *cap, size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

#define ARENA_GROW(a, items, n, cap)                                                     \
    ((items) = arena_grow((a), (items), (n), &(cap), sizeof *(items)))

struct log_input *finder_add_log(struct finder *f, struct sv path)
{
    struct log_list *l = &f->list;

    ARENA_GROW(f->arena, l->logs, l->n, l->cap);
    l->logs[l->n] = (struct log_input){ .path = path };
    return &l->logs[l->n++];
}

/* The capacity is the power of two that n has reached. */
static void add_text(struct finder *f, struct sv **texts, size_t *n, const char *text)
{
    if ((*n & (*n - 1)) == 0) {
        struct sv *more = arena_array(f->arena, *n ? *n * 2 : 1, sizeof *more);

        if (*n)
            memcpy(more, *texts, *n * sizeof *more);
        *texts = more;
    }
    (*texts)[*n] = sv(text);
    *n += 1;
}

void finder_note(struct finder *f, struct log_input *log, const char *text)
{
    add_text(f, &log->notes, &log->n_notes, text);
}

void finder_missing(struct finder *f, struct log_input *log, const char *text)
{
    add_text(f, &log->missing, &log->n_missing, text);
}

void finder_skip(struct finder *f, struct sv path, const struct err *why)
{
    struct log_list *l = &f->list;

    f->last = *why;
    ARENA_GROW(f->arena, l->skipped, l->n_skipped, l->cap_skipped);
    l->skipped[l->n_skipped++] =
        sv(arena_printf(f->arena, "%.*s: %s", SV_FMT(path), why->text));
}

void finder_skip_text(struct finder *f, struct sv path, const char *why)
{
    struct err err = { 0 };

    err_set(&err, ERR_NOT_A_LOG, "%s", why);
    finder_skip(f, path, &err);
}

struct sv finder_join(struct arena *a, struct sv folder, char between, struct sv name)
{
    size_t gap = between == '/' && sv_ends(folder, SV("/")) ? 0 : 1;
    char *p = arena_bytes(a, folder.len + gap + name.len + 1);

    memcpy(p, folder.p, folder.len);
    p[folder.len] = between;
    if (name.len)
        memcpy(p + folder.len + gap, name.p, name.len);
    p[folder.len + gap + name.len] = '\0';
    return (struct sv){ p, folder.len + gap + name.len };
}

bool finder_strip(struct sv *name, struct sv suffix)
{
    if (!sv_ends(*name, suffix))
        return false;
    name->len -= suffix.len;
    return true;
}

void finder_add_part(struct log_input *log, const struct found *file)
{
    log->parts[log->n_parts++] = file->part;
    log->mtime_ms = max_i64(log->mtime_ms, file->mtime_ms);
    if (file->part.size < 0 || log->bytes < 0)
        log->bytes = -1;
    else
        log->bytes = add_sat(log->bytes, file->part.size);
}

static struct sv last_name(struct sv path)
{
    const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

    return slash ? sv_from(path, (size_t)(slash - path.p) + 1) : path;
}

/* ---- a folder ------------------------------------------------------------------- */

static void take_zip(struct finder *f, const struct found *file);

/* Files that come with logs and are none; nobody needs to be told. */
static bool is_litter(struct sv name)
{
    return !name.len || name.p[0] == '.' || sv_ends(name, SV(".crc")) ||
           sv_starts(name, SV("appstatus_")) || sv_is(name, "_SUCCESS") ||
           sv_starts(name, SV("_started_")) || sv_starts(name, SV("_committed_"));
}

static bool has_name(const struct folder *dir, struct sv name)
{
    for (size_t i = 0; i < dir->n; i++) {
        if (sv_eq(dir->files[i].name, name))
            return true;
    }
    return false;
}

/* True if the file's first bytes are those of a zip. Errors come up in the probe. */
static bool is_zip(const struct found *file)
{
    unsigned char head[4];
    int fd;

    if (file->part.member || file->part.stream)
        return false;
    if ((fd = open(file->part.file.p, O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    ssize_t n = pread(fd, head, sizeof head, 0);
    close(fd);
    return n == sizeof head && zip_detect(head, sizeof head);
}

/* A log of one file, or a zip. */
static void take_single(struct finder *f, const struct folder *dir,
                        const struct found *file)
{
    struct sv name = file->name;
    struct err why = { 0 };
    struct rolled r;

    if (is_zip(file)) {
        take_zip(f, file);
        return;
    }
    f->n_seen++;
    bool in_progress = finder_strip(&name, SV(".inprogress"));
    if (in_progress && has_name(dir, name)) {
        finder_skip_text(f, file->part.path,
                         "the finished log of the same name lies beside it");
        return;
    }
    if (!file->part.stream && probe_part(&file->part, &why) != ERR_OK) {
        finder_skip(f, file->part.path, &why);
        return;
    }
    struct log_input *log = finder_add_log(f, file->part.path);
    log->in_progress = in_progress;
    log->parts = ARENA_NEW(f->arena, struct log_part);
    finder_add_part(log, file);
    if (!parts_rolled_name(file->name, &r))
        return;
    log->parts[0].index = r.index;
    log->parts[0].compact = r.compact;
    finder_note(f, log,
                arena_printf(f->arena,
                             "part %" PRId64 " of a rolling log, read alone: "
                             "give its folder to read all",
                             r.index));
}

static void take_folder(struct finder *f, struct folder *dir)
{
    parts_take(f, dir);
    for (size_t i = 0; i < dir->n; i++) {
        if (!dir->files[i].used && !is_litter(dir->files[i].name))
            take_single(f, dir, &dir->files[i]);
    }
}

/* ---- zip archives --------------------------------------------------------------- */

/* The folders of an archive, in the order in which they come up. */
struct zip_folders {
    struct folder *items;
    size_t n, cap;
    struct intern names; /* of folders; equal names are the same text */
    struct map by_name;  /* that text's address to the position in items */
};

static struct folder *zip_folder(struct zip_folders *z, struct sv zip, struct sv name,
                                 struct arena *arena)
{
    int64_t key = (int64_t)(intptr_t)intern(&z->names, name).p;
    uint32_t ix = map_get(&z->by_name, key);

    if (ix != MAP_NONE)
        return &z->items[ix];
    ARENA_GROW(arena, z->items, z->n, z->cap);
    map_put(&z->by_name, key, (uint32_t)z->n);
    z->items[z->n] = (struct folder){
        .path = name.len ? finder_join(arena, zip, '!', name) : zip,
        .name = last_name(name),
    };
    return &z->items[z->n++];
}

static void zip_add(struct zip_folders *z, const struct found *zip,
                    const struct zip_member *m, struct arena *arena)
{
    struct sv name = last_name(m->name);
    struct sv dir = { m->name.p, m->name.len - name.len };

    if (!name.len)
        return; /* an entry for the folder itself */
    if (dir.len)
        dir.len--; /* the slash */
    struct folder *in = zip_folder(z, zip->part.path, dir, arena);
    ARENA_GROW(arena, in->files, in->n, in->cap);
    in->files[in->n++] = (struct found){
        .name = name,
        .part = { .path = finder_join(arena, zip->part.path, '!', m->name),
                  .file = zip->part.file,
                  .member = m,
                  .size = m->stored_bytes },
        .mtime_ms = zip->mtime_ms,
    };
}

static int by_member(const void *a, const void *b)
{
    const struct zip_member *x = ((const struct log_input *)a)->parts[0].member;
    const struct zip_member *y = ((const struct log_input *)b)->parts[0].member;

    return x < y ? -1 : x > y;
}

static enum errc zip_index_of(struct zip_index *index, const struct found *file,
                              struct arena *arena, struct err *err)
{
    int fd = open(file->part.file.p, O_RDONLY | O_CLOEXEC);
    struct stat st;
    enum errc rc;

    if (fd < 0 || fstat(fd, &st) != 0)
        rc = err_set(err, ERR_OPEN, "%s", strerror(errno));
    else
        rc = zip_index_read(index, fd, st.st_size, arena, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* The logs of an archive, found folder by folder: in its order, with what it lacks. */
static void finish_zip(struct finder *f, struct log_input *logs, size_t n, bool recovered)
{
    qsort(logs, n, sizeof *logs, by_member);
    for (size_t i = 0; i < n && recovered; i++)
        finder_note(
            f, &logs[i],
            "the zip has no directory at its end (cut off?): its members were found "
            "by their own headers");
}

static void take_zip(struct finder *f, const struct found *file)
{
    struct zip_folders z = { .names.arena = f->arena };
    struct zip_index index = { 0 };
    size_t first = f->list.n, seen = f->n_seen;
    struct err why = { 0 };

    if (zip_index_of(&index, file, f->arena, &why) != ERR_OK) {
        f->n_seen++;
        finder_skip(f, file->part.path, &why);
        return;
    }
    for (size_t i = 0; i < index.n; i++)
        zip_add(&z, file, &index.members[i], f->arena);
    for (size_t i = 0; i < z.n; i++)
        take_folder(f, &z.items[i]);
    if (f->list.n > first)
        finish_zip(f, f->list.logs + first, f->list.n - first, index.recovered);
    if (f->n_seen == seen) {
        f->n_seen++;
        finder_skip_text(f, file->part.path, "a zip without an event log in it");
    }
    intern_release(&z.names);
    map_release(&z.by_name);
}

/* ---- the file system ------------------------------------------------------------ */

static int64_t mtime_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static int by_text(const void *a, const void *b)
{
    return sv_cmp(*(const struct sv *)a, *(const struct sv *)b);
}

/* The names in a folder, sorted, without hidden ones. */
static enum errc folder_names(struct sv path, struct arena *arena, struct sv **names,
                              size_t *n, struct err *err)
{
    DIR *dir = opendir(path.p);
    struct dirent *entry;
    size_t cap = 0;

    if (!dir)
        return err_set(err, ERR_OPEN, "%s", strerror(errno));
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        ARENA_GROW(arena, *names, *n, cap);
        (*names)[(*n)++] = arena_sv(arena, sv(entry->d_name));
    }
    closedir(dir);
    if (*n)
        qsort(*names, *n, sizeof **names, by_text);
    return ERR_OK;
}

static void add_file(struct finder *f, struct folder *dir, struct sv path,
                     const struct stat *st)
{
    ARENA_GROW(f->arena, dir->files, dir->n, dir->cap);
    dir->files[dir->n++] = (struct found){
        .name = last_name(path),
        .part = { .path = path, .file = path, .size = st->st_size },
        .mtime_ms = mtime_ms(st),
    };
}

/* Sorts one entry of a folder in. True: it is a folder to be searched in turn. */
static bool sort_entry(struct finder *f, struct folder *dir, struct sv path)
{
    struct stat st;

    if (lstat(path.p, &st) != 0) {
        finder_skip_text(f, path, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode))
        return true;
    if (S_ISLNK(st.st_mode) && stat(path.p, &st) != 0)
        finder_skip_text(f, path, "a symbolic link that leads nowhere");
    else if (S_ISDIR(st.st_mode))
        finder_skip_text(f, path, "a symbolic link to a folder is not followed");
    else if (S_ISREG(st.st_mode))
        add_file(f, dir, path, &st);
    else
        finder_skip_text(f, path, "not a regular file");
    return false;
}

static void search(struct finder *f, struct sv path, int depth)
{
    struct folder dir = { .path = path, .name = last_name(path) };
    struct sv *names = NULL, *below = NULL;
    size_t n = 0, n_below = 0;
    struct err why = { 0 };

    if (depth > DEPTH_MAX) {
        finder_skip_text(f, path, "too many folders deep");
        return;
    }
    if (folder_names(path, f->arena, &names, &n, &why) != ERR_OK) {
        f->n_seen++;
        finder_skip(f, path, &why);
        return;
    }
    below = arena_array(f->arena, n, sizeof *below);
    for (size_t i = 0; i < n; i++) {
        struct sv entry = finder_join(f->arena, path, '/', names[i]);

        if (sort_entry(f, &dir, entry))
            below[n_below++] = entry;
    }
    take_folder(f, &dir);
    if (parts_is_rolling(&dir))
        return;
    for (size_t i = 0; i < n_below; i++)
        search(f, below[i], depth + 1);
}

static int newest_first(const void *a, const void *b)
{
    const struct log_input *x = a, *y = b;

    if (x->mtime_ms != y->mtime_ms)
        return x->mtime_ms > y->mtime_ms ? -1 : 1;
    return sv_cmp(x->path, y->path);
}

static void find_folder(struct finder *f, struct sv path)
{
    struct log_list *l = &f->list;

    search(f, path, 0);
    if (l->n)
        qsort(l->logs, l->n, sizeof *l->logs, newest_first);
    l->searched = l->n != 1 || !l->logs[0].rolling || !sv_eq(l->logs[0].path, path);
}

/* A Databricks part has its siblings beside it. */
static void note_siblings(struct finder *f, struct log_input *log, struct sv path)
{
    struct sv name = last_name(path), *names = NULL;
    struct sv dir = { path.p, path.len - name.len };
    bool dated = parts_dated_name(name);
    size_t n = 0, n_parts = 0;

    if (!dated && !sv_is(name, "eventlog"))
        return;
    dir = dir.len ? arena_sv(f->arena, dir) : SV(".");
    if (folder_names(dir, f->arena, &names, &n, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < n; i++)
        n_parts += parts_dated_name(names[i]) || (dated && sv_is(names[i], "eventlog"));
    if (n_parts > dated)
        finder_note(
            f, log,
            "one part of a Databricks log, read alone: give its folder to read all");
}

/* A regular file, shown as `path`. */
static void find_file(struct finder *f, struct sv path, struct sv file,
                      const struct stat *st)
{
    struct folder none = { .path = path };
    struct found found = {
        .name = last_name(path),
        .part = { .path = path, .file = file, .size = st->st_size },
        .mtime_ms = mtime_ms(st),
    };

    take_single(f, &none, &found);
    if (f->list.n == 1 && !f->list.logs[0].parts[0].member)
        note_siblings(f, &f->list.logs[0], path);
}

/* ---- pipes ---------------------------------------------------------------------- */

static enum errc find_pipe(struct finder *f, struct sv path, int fd, struct err *err)
{
    struct folder none = { .path = path };
    struct found found = {
        .name = last_name(path),
        .part = { .path = path, .file = path, .size = -1 },
    };
    struct probe_pipe told = { 0 };
    struct stat st;
    enum errc rc = probe_pipe(&told, fd, f->arena, err);

    if (!told.stream && fd != STDIN_FILENO)
        close(fd);
    if (rc != ERR_OK)
        return rc;
    found.part.stream = told.stream;
    if (told.stream)
        take_single(f, &none, &found);
    else if (stat(told.spooled.p, &st) == 0)
        find_file(f, path, told.spooled, &st);
    else
        return err_set(err, ERR_OUTPUT, "%s: %s", told.spooled.p, strerror(errno));
    return ERR_OK;
}

/* `< file` can be read like the file, if it was not read from already. */
static enum errc find_stdin(struct finder *f, struct err *err)
{
    struct stat st;

    if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
        lseek(STDIN_FILENO, 0, SEEK_CUR) == 0 && access("/dev/fd/0", R_OK) == 0) {
        find_file(f, SV("-"), SV("/dev/fd/0"), &st);
        return ERR_OK;
    }
    return find_pipe(f, SV("-"), STDIN_FILENO, err);
}

/* ---- a path --------------------------------------------------------------------- */

static enum errc find_existing(struct finder *f, struct sv path, const struct stat *st,
                               struct err *err)
{
    if (S_ISDIR(st->st_mode)) {
        find_folder(f, path);
        return ERR_OK;
    }
    if (S_ISREG(st->st_mode)) {
        find_file(f, path, path, st);
        return ERR_OK;
    }
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_OPEN, "%s", strerror(errno));
    return find_pipe(f, path, fd, err);
}

/* "a.zip!name": the one log of that name. */
static enum errc find_in_zip(struct finder *f, struct sv path, struct err *err)
{
    struct log_list *l = &f->list;
    struct stat st;

    for (size_t at = 0; at < path.len; at++) {
        if (path.p[at] != '!')
            continue;
        struct sv zip = arena_sv(f->arena, (struct sv){ path.p, at });
        if (stat(zip.p, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        find_file(f, zip, zip, &st);
        for (size_t i = 0; i < l->n; i++) {
            if (!sv_eq(l->logs[i].path, path))
                continue;
            l->logs[0] = l->logs[i];
            l->n = 1;
            return ERR_OK;
        }
        return err_set(err, ERR_OPEN, "no such log in the zip");
    }
    return err_set(err, ERR_OPEN, "%s", strerror(ENOENT));
}

static enum errc find_any(struct finder *f, struct sv path, struct err *err)
{
    struct log_list *l = &f->list;
    struct stat st;

    if (sv_is(path, "-"))
        TRY(find_stdin(f, err));
    else if (stat(path.p, &st) == 0)
        TRY(find_existing(f, path, &st, err));
    else if (errno == ENOENT || errno == ENOTDIR)
        return find_in_zip(f, path, err);
    else
        return err_set(err, ERR_OPEN, "%s", strerror(errno));
    if (l->n == 1 && l->logs[0].parts[0].member && !l->searched)
        l->logs[0].path = path; /* the zip is the log */
    return ERR_OK;
}

/* Nothing was found: the one reason there is, or how much was looked at. */
static enum errc nothing_found(const struct finder *f, struct err *err)
{
    if (f->n_seen <= 1 && f->last.code != ERR_OK)
        return err_set(err, f->last.code, "%s", f->last.text);
    if (f->list.searched)
        return err_set(err, ERR_NOT_A_LOG,
                       "no Spark event log in this folder (%zu file%s "
                       "looked at)",
                       f->n_seen, f->n_seen == 1 ? "" : "s");
    return err_set(err, ERR_NOT_A_LOG, "no Spark event log in it");
}

enum errc log_list_find(struct log_list *list, struct sv path, struct arena *arena,
                        struct err *err)
{
    struct finder f = { .arena = arena };
    enum errc rc;

    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    path = arena_sv(arena, path);
    rc = find_any(&f, path, err);
    if (rc == ERR_OK && !f.list.n)
        rc = nothing_found(&f, err);
    if (rc != ERR_OK) {
        err_prefix(err, "%.*s", SV_FMT(path));
        return rc;
    }
    *list = f.list;
    return ERR_OK;
}
