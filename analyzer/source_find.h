/* Inside of log_list_find: what its steps share.
 *
 *     source_find.c    folders, zips, paths
 *     source_parts.c   logs of several files: rolling directories, Databricks folders
 *     source_probe.c   is it a log? and pipes, of which only the beginning can be asked
 */
#ifndef ANALYZER_SOURCE_FIND_H
#define ANALYZER_SOURCE_FIND_H

#include "analyzer/source.h"

struct found {      /* a file, or a member of a zip */
    struct sv name; /* without folders */
    struct log_part part;
    int64_t mtime_ms;
    bool used; /* belongs to a log already, or is of no interest */
};

struct folder {     /* of the file system or of a zip: both are looked at alike */
    struct sv path; /* as the user would name it */
    struct sv name; /* the last component */
    struct found *files;
    size_t n, cap;
};

struct finder {
    struct log_list list;
    struct arena *arena;
    size_t n_seen;   /* files, or groups of files, that were judged */
    struct err last; /* why the last of them is no log */
};

/* ---- source_find.c -------------------------------------------------------------- */

struct log_input *finder_add_log(struct finder *f, struct sv path);
void finder_note(struct finder *f, struct log_input *log, const char *text);
void finder_missing(struct finder *f, struct log_input *log, const char *text);
void finder_skip(struct finder *f, struct sv path, const struct err *why);
void finder_skip_text(struct finder *f, struct sv path, const char *why);
/* folder, `between`, name; no second slash where the folder ends in one. */
struct sv finder_join(struct arena *a, struct sv folder, char between, struct sv name);
/* Adds the file to the parts, for which there is room. */
void finder_add_part(struct log_input *log, const struct found *file);
bool finder_strip(struct sv *name, struct sv suffix);

/* ---- source_parts.c ------------------------------------------------------------- */

/* events_<index>_<tail>[.compact][.inprogress] */
struct rolled {
    int64_t index;
    struct sv key; /* the tail up to its first dot: the same for all parts of a log */
    bool compact;
    bool unfinished; /* a compaction that was interrupted */
};

bool parts_rolled_name(struct sv name, struct rolled *out);
/* eventlog-YYYY-MM-DD--HH-MM, then nothing or a suffix */
bool parts_dated_name(struct sv name);
bool parts_is_rolling(const struct folder *dir);
/* Adds the logs of several files in the folder, and marks the files as used. */
void parts_take(struct finder *f, struct folder *dir);

/* ---- source_probe.c ------------------------------------------------------------- */

/* ERR_OK: the part shows an event, as source.h describes it. */
enum errc probe_part(const struct log_part *part, struct err *err) MUST_CHECK;

struct probe_pipe {            /* what the beginning of a pipe told */
    struct log_stream *stream; /* it is a log, or */
    struct sv spooled;         /* a zip, which now lies in the file of this path */
};

/* fd stays open where it is a log: it is the stream's. */
enum errc probe_pipe(struct probe_pipe *out, int fd, struct arena *arena,
                     struct err *err) MUST_CHECK;

#endif
