/* Where event logs come from: finding them, putting their parts in order, and
 * undoing their compression.
 *
 * A path given by the user becomes a list of logs (struct log_input). One log is
 * one attempt of one application: a file; a rolling directory; a Databricks
 * folder (dated .gz parts, then `eventlog`); a member or folder of members of a
 * zip; standard input ("-"). A directory that is none of these is searched
 * recursively. What a file is, is decided by its first bytes; the name only
 * tells the order of parts, `.inprogress` and `.compact`. */
#ifndef ANALYZER_SOURCE_H
#define ANALYZER_SOURCE_H

#include "base/arena.h"
#include "base/err.h"

enum codec {
    CODEC_NONE,
    CODEC_ZSTD,   /* standard frames, any number, skippable ones too */
    CODEC_LZ4,    /* lz4-java's LZ4Block framing; standard LZ4 frames as well */
    CODEC_SNAPPY, /* snappy-java's (xerial) framing */
    CODEC_LZF,    /* compress-lzf chunks */
    CODEC_GZIP,   /* any number of members */
};

/* By magic bytes; CODEC_NONE where none fits. */
enum codec codec_detect(const void *head, size_t len);
const char *codec_name(enum codec codec);

struct zip_member; /* analyzer/zip.h */

/* A pipe can be read only once: log_list_find has looked at its beginning, and
 * the first decoder_open takes the rest. */
struct log_stream {
    int fd;
    struct sv head; /* what was read already */
    bool taken;
};

/* One file or zip member that holds a part of a log. */
struct log_part {
    struct sv path; /* for messages: "dir/events_1_x.zstd", "a.zip!dir/events_1_x" */
    struct sv file; /* what to open, NUL-terminated; "-" is standard input */
    const struct zip_member *member; /* NULL: not in a zip */
    struct log_stream *stream;       /* NULL: a regular file */
    int64_t size;  /* stored bytes (in a zip: of the member), -1 unknown (pipe) */
    int64_t index; /* rolling index N of events_N_, 0 where there is none */
    bool compact;  /* made by compaction */
};

/* One log: the parts in reading order. */
struct log_input {
    struct sv path;         /* as the user would name it; of a log in a zip of several
                             * "a.zip!name", which log_list_find takes as well */
    struct log_part *parts; /* in reading order */
    size_t n_parts;
    bool rolling;       /* written in parts: a rolling directory or a Databricks folder */
    bool in_progress;   /* by the name: .inprogress, or appstatus_....inprogress */
    struct sv *missing; /* parts that should be there by their numbers: "events_3"; a long
                         * gap is one entry, "events_3 to events_90" */
    size_t n_missing;
    struct sv
        *notes; /* what else is odd: no appstatus file, parts a compact file covers */
    size_t n_notes;
    int64_t mtime_ms; /* newest part; in a zip that of the archive; 0 for a pipe */
    int64_t bytes;    /* stored bytes of all parts, -1 unknown */
};

struct log_list {
    struct log_input *logs; /* in the arena, as everything here */
    size_t n, cap;
    struct sv *skipped; /* "path: why" of what a folder or zip holds beside event logs;
                         * hidden files, checksums and markers are left out silently */
    size_t n_skipped, cap_skipped;
    bool searched; /* true: `path` was a folder that had to be searched */
};

/* Lists the logs behind path, newest first where a folder was searched, else one
 * (or, for a zip, one per attempt in the archive's order). Text is in the arena.
 *
 * A file counts as a log if among its first 1 MiB of decoded bytes there is a `{`
 * and later `"Event"`: a torn first line, a BOM or zeros in front hide nothing.
 * Symbolic links to folders are not followed, nor folders more than 32 deep.
 *
 * The text of an error names the path. ERR_OPEN: it cannot be read. ERR_NOT_A_LOG:
 * nothing there can be an event log (an empty file, a folder without logs, a zip
 * without entries that could be one). ERR_CORRUPT: compressed or zipped, but damaged
 * before the first event. ERR_OUTPUT: a zip from a pipe finds no room in TMPDIR. */
enum errc log_list_find(struct log_list *list, struct sv path, struct arena *arena,
                        struct err *err) MUST_CHECK;

/* The decoded bytes of one part, read front to back. */
struct decoder;

/* Damage that the decoder met; the bytes before it were delivered. */
struct decode_damage {
    bool truncated;  /* the stream ends inside a frame, block or member */
    bool corrupt;    /* a checksum or structure is wrong; nothing after it was read */
    int64_t at_byte; /* offset in the stored bytes (in a zip: of the unzipped member,
                      * unless the text says zip) */
    char text[160];  /* one line, empty when there was no damage */
};

/* Opens the part and detects its codec. *out is untouched on failure. Texts of errors
 * do not name the part: the caller puts part->path in front, here and in reading. */
enum errc decoder_open(struct decoder **out, const struct log_part *part,
                       struct err *err) MUST_CHECK;
/* The same over bytes that stay where they are until decoder_close. Never fails. */
struct decoder *decoder_open_memory(const void *stored, size_t size);
/* Up to size bytes into buf. NEXT_ITEM with *got > 0, NEXT_END at the end of what
 * can be read (damage included: ask decoder_damage), NEXT_FAIL on a read error.
 * Does not wait for a pipe while it has bytes to hand out. */
enum next decoder_read(struct decoder *d, void *buf, size_t size, size_t *got,
                       struct err *err) MUST_CHECK;
const struct decode_damage *decoder_damage(const struct decoder *d);
enum codec decoder_codec(const struct decoder *d);
/* Stored bytes consumed so far, for progress: comparable with part->size. */
int64_t decoder_consumed(const struct decoder *d);
/* True for an uncompressed regular file: then decoder_fd can be read with pread
 * by several threads. The file's size is part->size. */
bool decoder_is_plain_file(const struct decoder *d);
int decoder_fd(const struct decoder *d);
void decoder_close(struct decoder *d); /* NULL is fine */

#endif
