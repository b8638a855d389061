/* Lines of a share of a text file.
 *
 * A line belongs to the split in which it begins, but for one that begins exactly at the
 * split's start: that is the split before's, which could not know (Hadoop's rule, so that
 * shares are Spark's). Files compressed as a whole (".gz", ".zst", by name) are read in
 * one piece. */
#ifndef ENGINE_STORE_TEXT_LINES_H
#define ENGINE_STORE_TEXT_LINES_H

#include "base/strbuf.h"
#include "base/util.h"
#include "engine/store/relation.h"

struct text_lines { /* zeroed: closed */
    int fd;
    const char *path;
    char *buf;
    size_t from, to, cap;
    int64_t at, end; /* file position of buf[from]; where the share ends */
    int64_t file_at; /* of the next byte to read */
    int64_t bytes_read;
    int64_t mark_bytes; /* of a byte-order mark in front of the first line */
    bool eof, whole;    /* whole: all of it is in buf */
};

enum { TEXT_MAX_LINE = 1 << 30 };

/* Is the file's name one of a compression that lines are read through? */
bool text_compressed(struct sv path);
enum errc text_lines_open(struct text_lines *t, struct arena *a,
                          const struct data_file *file, int64_t offset, int64_t length,
                          struct err *err) MUST_CHECK;
/* The next line, without its end ("\n", "\r\n"); stays until the next call. */
enum next text_lines_next(struct text_lines *t, struct sv *line, struct err *err);
/* All that is left as one text: for records of several lines. */
enum errc text_lines_rest(struct text_lines *t, struct sv *all,
                          struct err *err) MUST_CHECK;
void text_lines_close(struct text_lines *t);

#endif
