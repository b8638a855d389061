/* Folders named spillway-PID-XXXXXX. A process that was killed leaves its own behind: the
 * next one to come by takes it away. The folder is locked as long as it is in use. */
#include "engine/run/local_dir.h"

#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { YOUNG_S = 60 }; /* it may be made, but not locked yet */

/* Files of one folder and below; symbolic links are removed, not followed. */
static void empty_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) && (errno == EISDIR || errno == EPERM)) {
            empty_folder(fd, e->d_name);
            unlinkat(fd, e->d_name, AT_REMOVEDIR);
        }
    }
    closedir(dir);
}

/* Held by nobody: whoever made it is gone. Another process may look at the same time. */
static void remove_if_stale(int place, const char *name)
{
    struct stat st;
    int fd = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
        time(NULL) - st.st_mtime > YOUNG_S && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        empty_folder(place, name);
        unlinkat(place, name, AT_REMOVEDIR);
    }
    close(fd);
}

static void remove_stale(const char *place)
{
    DIR *dir = opendir(place);
    struct dirent *e;

    if (!dir)
        return;
    while ((e = readdir(dir))) {
        int pid, end = 0;

        if (sscanf(e->d_name, "spillway-%d-%n", &pid, &end) == 1 && end &&
            strlen(e->d_name) == (size_t)end + 6)
            remove_if_stale(dirfd(dir), e->d_name);
    }
    closedir(dir);
}

enum errc local_dir_make(struct sv places, struct local_dir *out, struct err *err)
{
    size_t comma = sv_find(places, SV(","));
    struct sv place =
        sv_trim((struct sv){ places.p, comma == SIZE_MAX ? places.len : comma });
    struct strbuf path = { 0 };
    enum errc rc = ERR_OK;

    strbuf_add(&path, place);
    remove_stale(path.p ? path.p : "");
    strbuf_printf(&path, "/spillway-%d-XXXXXX", (int)getpid());
    if (!mkdtemp(path.p)) {
        rc = err_set(err, ERR_OUTPUT, "spark.local.dir: %.*s: %s", SV_FMT(place),
                     strerror(errno));
    } else {
        out->path = strdup(path.p);
        if (!out->path)
            die("out of memory");
        out->lock = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (out->lock >= 0)
            (void)flock(out->lock, LOCK_EX | LOCK_NB);
    }
    strbuf_release(&path);
    return rc;
}

void local_dir_remove(struct local_dir *dir)
{
    if (!dir->path)
        return;
    empty_folder(AT_FDCWD, dir->path);
    rmdir(dir->path);
    if (dir->lock >= 0)
        close(dir->lock);
    free(dir->path);
    *dir = (struct local_dir){ 0 };
}
