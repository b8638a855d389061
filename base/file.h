/* Files that appear whole or not at all.
 *
 * A file_writer collects bytes in a temporary file beside the wanted one and puts it
 * in place on commit. "-" is stdout, which gets what was written as it comes; so do
 * pipes and devices, where nothing can be put in place. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/strbuf.h"

struct file_writer { /* zeroed: closed */
    bool open, ours; /* ours: fd is to be closed */
    int fd;
    int slot;   /* of the temporary's name, -1: writing to the place itself */
    char *path; /* where it goes; NULL: stdout */
    struct strbuf pending;
    bool reader_left; /* the pipe's other end was closed: the rest is dropped */
};

/* ERR_OUTPUT where it cannot be made; the text names the path. */
enum errc file_writer_open(struct file_writer *w, const char *path,
                           struct err *err) MUST_CHECK;
/* Buffered. A reader of a pipe that left is no error: see reader_left. */
enum errc file_writer_add(struct file_writer *w, struct sv bytes,
                          struct err *err) MUST_CHECK;
/* Hands the buffer to the system; for streams that somebody reads along. */
enum errc file_writer_flush(struct file_writer *w, struct err *err) MUST_CHECK;
/* Writes the rest and puts the file in place. The writer is closed either way. */
enum errc file_writer_commit(struct file_writer *w, struct err *err) MUST_CHECK;
/* Without commit: takes the temporary away. Nothing to do for a closed one. */
void file_writer_release(struct file_writer *w);

/* All of it at once. */
enum errc file_write(const char *path, struct sv bytes, struct err *err) MUST_CHECK;

/* Removes the temporaries of all open writers. Safe in a signal handler. */
void file_writers_abandon(void);

#endif
