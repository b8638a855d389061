/* Whole files: temporary, then rename. See file.h. */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10)

/* Names of temporaries that exist now, where a signal handler finds them. A slot is
 * taken by one writer at a time. */
#define SLOTS 8
static struct temporary {
    volatile sig_atomic_t used;
    char path[PATH_MAX];
} temporaries[SLOTS];

void file_writers_abandon(void)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (temporaries[i].used)
            (void)unlink(temporaries[i].path);
    }
}

static enum errc cannot_write(struct err *err, const char *path)
{
    return err_set(err, ERR_OUTPUT, "cannot write %s: %s",
                   path ? path : "standard output", strerror(errno));
}

/* Opens a new file beside path. False: errno says why. */
static bool temporary_open(struct file_writer *w)
{
    const char *slash = strrchr(w->path, '/');
    int dir_len = slash ? (int)(slash - w->path) + 1 : 0;
    const char *name = slash ? slash + 1 : w->path;

    for (int slot = 0; slot < SLOTS; slot++) {
        struct temporary *t = &temporaries[slot];

        if (t->used)
            continue;
        for (int attempt = 0; attempt < 100; attempt++) {
            /* 200: what is left of the 255 bytes of a name */
            int len = snprintf(t->path, sizeof t->path, "%.*s.%.200s.%ld-%d.tmp", dir_len,
                               w->path, name, (long)getpid(), slot * 100 + attempt);
            if (len < 0 || (size_t)len >= sizeof t->path) {
                errno = ENAMETOOLONG;
                return false;
            }
            w->fd = open(t->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (w->fd >= 0) {
                w->slot = slot;
                t->used = 1;
                return true;
            }
            if (errno != EEXIST)
                return false;
        }
        return false;
    }
    errno = EMFILE;
    return false;
}

enum errc file_writer_open(struct file_writer *w, const char *path, struct err *err)
{
    struct stat st;

    *w = (struct file_writer){ .fd = STDOUT_FILENO, .slot = -1 };
    if (!path || strcmp(path, "-") == 0) {
        w->open = true;
        return ERR_OK;
    }
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return err_set(err, ERR_OUTPUT, "cannot write %s: it is a folder", path);
    /* a link stays a link: what it points to is replaced */
    char *real = exists ? realpath(path, NULL) : NULL;
    w->path = real ? real : strcpy(xmalloc(strlen(path) + 1), path);
    w->ours = true;
    if (exists && !S_ISREG(st.st_mode)) {
        w->fd = open(w->path, O_WRONLY | O_CLOEXEC);
        w->open = w->fd >= 0;
    } else {
        w->open = temporary_open(w);
        if (w->open && exists)
            (void)fchmod(w->fd,
                         st.st_mode & 07777); /* as it was; not ours to insist on */
    }
    if (!w->open) {
        enum errc rc = cannot_write(err, path);

        free(w->path);
        *w = (struct file_writer){ 0 };
        return rc;
    }
    return ERR_OK;
}

enum errc file_writer_flush(struct file_writer *w, struct err *err)
{
    size_t done = 0;

    while (done < w->pending.len && !w->reader_left) {
        ssize_t n = write(w->fd, w->pending.p + done, w->pending.len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EPIPE)
            w->reader_left = true;
        else if (errno != EINTR)
            return cannot_write(err, w->path);
    }
    strbuf_reset(&w->pending);
    return ERR_OK;
}

enum errc file_writer_add(struct file_writer *w, struct sv bytes, struct err *err)
{
    if (w->reader_left)
        return ERR_OK;
    strbuf_add(&w->pending, bytes);
    return w->pending.len >= BUFFER_BYTES ? file_writer_flush(w, err) : ERR_OK;
}

enum errc file_writer_commit(struct file_writer *w, struct err *err)
{
    enum errc rc = file_writer_flush(w, err);

    if (rc == ERR_OK && w->ours) {
        /* network file systems report a full disk here */
        int closed = close(w->fd);

        w->ours = false;
        if (closed != 0) {
            rc = cannot_write(err, w->path);
        } else if (w->slot >= 0) {
            if (rename(temporaries[w->slot].path, w->path) == 0) {
                temporaries[w->slot].used = 0;
                w->slot = -1;
            } else {
                rc = cannot_write(err, w->path);
            }
        }
    }
    file_writer_release(w);
    return rc;
}

void file_writer_release(struct file_writer *w)
{
    if (w->ours)
        (void)close(w->fd);
    if (w->open && w->slot >= 0) {
        (void)unlink(temporaries[w->slot].path);
        temporaries[w->slot].used = 0;
    }
    free(w->path);
    strbuf_release(&w->pending);
    *w = (struct file_writer){ 0 };
}

enum errc file_write(const char *path, struct sv bytes, struct err *err)
{
    struct file_writer w;

    TRY(file_writer_open(&w, path, err));
    enum errc rc = file_writer_add(&w, bytes, err);
    if (rc != ERR_OK) {
        file_writer_release(&w);
        return rc;
    }
    return file_writer_commit(&w, err);
}
