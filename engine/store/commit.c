/* A write that appears as a whole.
 *
 *     parent/.NAME-ID/task-T-A/[k=v/]part-...     while a task attempt writes
 *     parent/.NAME-ID/done/[k=v/]part-...         when the attempt has committed
 *     parent/NAME                                 when the job has: one rename, or an
 * exchange of the two folders where the old content is replaced
 *
 * Appending moves the new files in one by one, which is no single step; a failure on the
 * way takes back what was moved. Hidden folders of writers that died are found by their
 * names and harm nobody: listings leave them out. */
#include "engine/store/format.h"

#include "base/mem.h"
#include "base/util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct commit {
    struct arena *a;
    const char *target, *staging, *done;
    char id[37];
    bool overwrite;
};

static enum errc failed(const char *path, struct err *err)
{
    return err_set(err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
}

static void make_id(char out[37])
{
    unsigned char r[16];

    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
        die("no random bytes to be had");
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    snprintf(out, 37,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
             r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12],
             r[13], r[14], r[15]);
}

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* All folders of a path; the last one too where `whole`. */
static enum errc make_folders(struct arena *a, const char *path, bool whole,
                              struct err *err)
{
    char *p = arena_bytes(a, strlen(path) + 1);

    strcpy(p, path);
    for (char *slash = p + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(p, 0777) != 0 && errno != EEXIST)
            return failed(p, err);
        *slash = '/';
    }
    if (whole && mkdir(p, 0777) != 0 && errno != EEXIST)
        return failed(p, err);
    return ERR_OK;
}

enum errc commit_begin(struct commit **out, struct arena *a, struct sv target,
                       bool overwrite, struct err *err)
{
    struct commit *c = arena_alloc(a, sizeof *c);
    const char *name;
    char *folder;

    c->a = a;
    c->overwrite = overwrite;
    c->target = arena_printf(a, "%.*s", (int)target.len, target.p);
    name = strrchr(c->target, '/');
    if (!name || !name[1])
        return err_set(err, ERR_OUTPUT, "%s: is no place to write to", c->target);
    make_id(c->id);
    folder = arena_bytes(a, (size_t)(name - c->target) + 1);
    memcpy(folder, c->target, (size_t)(name - c->target));
    folder[name - c->target] = '\0';
    c->staging = arena_printf(a, "%s/.%s-%s", folder, name + 1, c->id);
    c->done = arena_printf(a, "%s/done", c->staging);
    TRY(make_folders(a, c->done, true, err));
    *out = c;
    return ERR_OK;
}

const char *commit_file(struct commit *c, struct arena *a, uint32_t task,
                        uint32_t attempt, struct sv partition_path, uint32_t file,
                        const char *suffix)
{
    const char *path = arena_printf(
        a, "%s/task-%u-%u/%.*s%spart-%05u-%s-c%03u%s", c->staging, task, attempt,
        (int)partition_path.len, partition_path.len ? partition_path.p : "",
        partition_path.len ? "/" : "", task, c->id, file, suffix);
    struct err ignored = { 0 };

    /* a failure shows when the file is opened */
    (void)(make_folders(a, path, false, &ignored) == ERR_OK);
    return path;
}

/* ---- moving trees ---- */

struct moved {
    char **to;
    uint32_t n, cap;
};

/* Every file below `from` to the same place below `to`. What arrived is noted. */
static enum errc move_tree(struct arena *a, const char *from, const char *to,
                           struct moved *m, struct err *err)
{
    DIR *d = opendir(from);
    enum errc rc = ERR_OK;
    struct dirent *e;

    if (!d)
        return errno == ENOENT ? ERR_OK : failed(from, err);
    if (mkdir(to, 0777) != 0 && errno != EEXIST)
        rc = failed(to, err);
    while (rc == ERR_OK && (e = readdir(d))) {
        const char *x, *y;
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        x = arena_printf(a, "%s/%s", from, e->d_name);
        y = arena_printf(a, "%s/%s", to, e->d_name);
        if (lstat(x, &st) != 0) {
            rc = failed(x, err);
        } else if (S_ISDIR(st.st_mode)) {
            rc = move_tree(a, x, y, m, err);
        } else if (rename(x, y) != 0) {
            rc = failed(y, err);
        } else if (m) {
            GROW(m->to, m->n, m->cap);
            m->to[m->n++] = (char *)(uintptr_t)y;
        }
    }
    closedir(d);
    return rc;
}

enum errc commit_task(struct commit *c, uint32_t task, uint32_t attempt, struct err *err)
{
    const char *from = arena_printf(c->a, "%s/task-%u-%u", c->staging, task, attempt);

    TRY(move_tree(c->a, from, c->done, NULL, err));
    remove_tree(from);
    return ERR_OK;
}

void commit_abort_task(struct commit *c, uint32_t task, uint32_t attempt)
{
    remove_tree(arena_printf(c->a, "%s/task-%u-%u", c->staging, task, attempt));
}

static enum errc mark_success(struct arena *a, const char *folder, struct err *err)
{
    const char *path = arena_printf(a, "%s/_SUCCESS", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return failed(path, err);
    close(fd);
    return ERR_OK;
}

/* The new folder takes the old one's place in one step where the system can do that. */
static enum errc exchange(const char *fresh, const char *target, struct err *err)
{
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, target, RENAME_NOREPLACE) == 0)
        return ERR_OK;
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, target, RENAME_EXCHANGE) == 0)
        return ERR_OK; /* the old content is in the staging folder now, and goes with it
                        */
    if (errno == EINVAL || errno == ENOSYS) { /* a file system without: two steps */
        char aside[4096];

        snprintf(aside, sizeof aside, "%s.old", fresh);
        if (rename(target, aside) == 0 && rename(fresh, target) == 0)
            return ERR_OK;
    }
    return failed(target, err);
}

static enum errc append(struct commit *c, struct err *err)
{
    struct moved m = { 0 };
    enum errc rc = make_folders(c->a, c->target, true, err);

    if (rc == ERR_OK)
        rc = move_tree(c->a, c->done, c->target, &m, err);
    for (uint32_t i = 0; rc != ERR_OK && i < m.n; i++)
        unlink(m.to[i]);
    free(m.to);
    return rc;
}

/* Each partition folder that was written replaces the one there; others stay. */
static enum errc replace_partitions(struct commit *c, const char *from, const char *to,
                                    struct err *err)
{
    DIR *d = opendir(from);
    enum errc rc = ERR_OK;
    struct dirent *e;

    if (!d)
        return errno == ENOENT ? ERR_OK : failed(from, err);
    if (mkdir(to, 0777) != 0 && errno != EEXIST)
        rc = failed(to, err);
    while (rc == ERR_OK && (e = readdir(d))) {
        const char *x = arena_printf(c->a, "%s/%s", from, e->d_name),
                   *y = arena_printf(c->a, "%s/%s", to, e->d_name);
        struct dirent **below = NULL;
        bool leaf = true;
        int n;

        if (e->d_name[0] == '.' || !strchr(e->d_name, '='))
            continue;
        n = scandir(x, &below, NULL, NULL);
        for (int i = 0; i < n; i++) {
            leaf = leaf && !(below[i]->d_name[0] != '.' && below[i]->d_type == DT_DIR);
            free(below[i]);
        }
        free(below);
        rc = leaf ? exchange(x, y, err) : replace_partitions(c, x, y, err);
    }
    closedir(d);
    return rc;
}

/* What was written to one folder of the target replaces what is there; nothing written,
 * nothing stays. */
static enum errc replace_folder(struct commit *c, struct sv folder, struct err *err)
{
    const char *from = arena_printf(c->a, "%s/%.*s", c->done, SV_FMT(folder));
    const char *to = arena_printf(c->a, "%s/%.*s", c->target, SV_FMT(folder));

    TRY(make_folders(c->a, to, false, err));
    if (access(from, F_OK) == 0)
        return exchange(from, to, err);
    remove_tree(to);
    return ERR_OK;
}

enum errc commit_folder(struct commit *c, struct sv folder, struct err *err)
{
    enum errc rc = replace_folder(c, folder, err);

    if (rc == ERR_OK)
        rc = mark_success(c->a, c->target, err);
    remove_tree(c->staging);
    return rc;
}

enum errc commit_job(struct commit *c, bool dynamic, struct err *err)
{
    enum errc rc;

    if (c->overwrite && !dynamic) {
        rc = mark_success(c->a, c->done, err);
        if (rc == ERR_OK)
            rc = exchange(c->done, c->target, err);
    } else {
        rc = c->overwrite ? replace_partitions(c, c->done, c->target, err)
                          : append(c, err);
        if (rc == ERR_OK)
            rc = mark_success(c->a, c->target, err);
    }
    remove_tree(c->staging);
    return rc;
}

void commit_abort(struct commit *c)
{
    remove_tree(c->staging);
}
