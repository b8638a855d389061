/* Finding logs behind a path.
 *
 * Folders of the file system and of a zip are looked at alike: as a list of files
 * with a name each (struct folder). What is left after the logs that consist of
 * several files - rolling directories, Databricks folders - is looked into, one by
 * one. The names, after Spark and Databricks:
 *
 *     eventlog_v2_<id>/appstatus_<id>[.inprogress]      empty; says running or finished
 *     eventlog_v2_<id>/events_<N>_<id>[.codec]          part N
 *     eventlog_v2_<id>/events_<N>_<id>[.codec].compact  replaces the parts up to N
 *     <folder>/eventlog-YYYY-MM-DD--HH-MM.gz            older parts
 *     <folder>/eventlog                                 the last part
 *     <id>[.codec][.inprogress]                         a whole log
 *
 * Pipes are the exception: what is read from one is gone. Its beginning is kept for
 * the decoder, and a zip, which is read from its end, is copied to a nameless file. */
#include "analyzer/source.h"

#include "analyzer/zip.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROBE_BYTES ((size_t)1 << 20)       /* decoded, where an event must show up */
#define PROBE_STEP ((size_t)64 << 10)       /* decoded at a time: most logs need one */
#define STREAM_PEEK_BYTES ((size_t)8 << 20) /* stored bytes of a pipe, for the same */
#define DEPTH_MAX 32
/* A gap in the numbers of parts that is longer than this is listed as one entry. */
#define GAP_LISTED 16

struct found {      /* a file, or a member of a zip */
    struct sv name; /* without folders */
    struct log_part part;
    int64_t mtime_ms;
    bool used; /* belongs to a log already, or is of no interest */
};

struct folder {
    struct sv path; /* as the user would name it */
    struct sv name; /* the last component */
    struct found *files;
    size_t n, cap;
};

struct finder {
    struct log_list list;
    struct arena *arena;
    size_t n_seen;   /* files or groups of files judged */
    struct err last; /* why the last of them is no log */
};

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

static struct log_input *add_log(struct finder *f, struct sv path)
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

static void add_note(struct finder *f, struct log_input *log, const char *text)
{
    add_text(f, &log->notes, &log->n_notes, text);
}

static void skip(struct finder *f, struct sv path, const struct err *why)
{
    struct log_list *l = &f->list;

    f->last = *why;
    ARENA_GROW(f->arena, l->skipped, l->n_skipped, l->cap_skipped);
    l->skipped[l->n_skipped++] =
        sv(arena_printf(f->arena, "%.*s: %s", SV_FMT(path), why->text));
}

static void skip_text(struct finder *f, struct sv path, const char *why)
{
    struct err err = { 0 };

    err_set(&err, ERR_NOT_A_LOG, "%s", why);
    skip(f, path, &err);
}

static struct sv join(struct arena *a, struct sv folder, char between, struct sv name)
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

static struct sv last_name(struct sv path)
{
    const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

    return slash ? sv_from(path, (size_t)(slash - path.p) + 1) : path;
}

/* ---- is it a log? --------------------------------------------------------------- */

/* A brace and later "Event". `from` is how much was searched before. */
static bool shows_event(struct sv text, size_t from)
{
    const char *brace = text.len ? memchr(text.p, '{', text.len) : NULL;
    size_t start = from > 8 ? from - 8 : 0;

    if (!brace)
        return false;
    if ((size_t)(brace - text.p) > start)
        start = (size_t)(brace - text.p);
    return sv_find(sv_from(text, start), SV("\"Event\"")) != SIZE_MAX;
}

static enum errc no_log(const struct decoder *d, size_t decoded, struct err *err)
{
    const struct decode_damage *damage = decoder_damage(d);
    enum codec codec = decoder_codec(d);

    if (damage->text[0] && decoded < PROBE_BYTES)
        return err_set(err, ERR_CORRUPT,
                       "damaged before the first event (byte %" PRId64 ": %s)",
                       damage->at_byte, damage->text);
    if (!decoded)
        return err_set(err, ERR_NOT_A_LOG, "empty");
    if (codec == CODEC_NONE)
        return err_set(err, ERR_NOT_A_LOG, "not a Spark event log");
    return err_set(err, ERR_NOT_A_LOG, "%s data, but no Spark event log in it",
                   codec_name(codec));
}

/* *decoded: how many bytes were looked at. */
static enum errc probe(struct decoder *d, size_t *decoded, struct err *err)
{
    char *text = NULL;
    enum next step = NEXT_ITEM;
    bool shown = false;
    size_t have = 0;

    while (!shown && have < PROBE_BYTES) {
        size_t got = 0;

        text = xrealloc(text, have + PROBE_STEP);
        step = decoder_read(d, text + have, PROBE_STEP, &got, err);
        if (step != NEXT_ITEM)
            break;
        shown = shows_event((struct sv){ text, have + got }, have);
        have += got;
    }
    free(text);
    *decoded = have;
    if (shown)
        return ERR_OK;
    return step == NEXT_FAIL ? ERR_OPEN : no_log(d, have, err);
}

static enum errc probe_part(const struct log_part *part, struct err *err)
{
    struct decoder *d = NULL;
    size_t decoded;
    enum errc rc = decoder_open(&d, part, err);

    if (rc == ERR_OK)
        rc = probe(d, &decoded, err);
    decoder_close(d);
    return rc;
}

/* ---- logs of several files ------------------------------------------------------ */

/* events_<index>_<tail>[.compact][.inprogress] */
struct rolled {
    int64_t index;
    struct sv key; /* the tail up to its first dot: the same for all parts of a log */
    bool compact;
    bool unfinished; /* a compaction that was interrupted */
};

static bool strip(struct sv *name, struct sv suffix)
{
    if (!sv_ends(*name, suffix))
        return false;
    name->len -= suffix.len;
    return true;
}

static bool rolled_name(struct sv name, struct rolled *out)
{
    struct rolled r = { 0 };

    if (!sv_starts(name, SV("events_")))
        return false;
    bool in_progress = strip(&name, SV(".inprogress"));
    r.compact = strip(&name, SV(".compact"));
    r.unfinished = r.compact && in_progress;
    struct sv rest = sv_from(name, 7);
    const char *under = rest.len ? memchr(rest.p, '_', rest.len) : NULL;
    struct sv digits = { rest.p, under ? (size_t)(under - rest.p) : 0 };
    if (!digits.len || digits.p[0] < '0' || digits.p[0] > '9' ||
        !sv_i64(digits, &r.index) || r.index == INT64_MAX)
        return false;
    r.key = sv_from(rest, digits.len + 1);
    const char *dot = r.key.len ? memchr(r.key.p, '.', r.key.len) : NULL;
    if (dot)
        r.key.len = (size_t)(dot - r.key.p);
    *out = r;
    return true;
}

static bool is_rolling_folder(const struct folder *dir)
{
    return sv_starts(dir->name, SV("eventlog_v2_"));
}

/* By number; a compacted part before the one it replaces; then by name. */
static int by_index(const void *a, const void *b)
{
    const struct found *x = *(const struct found *const *)a;
    const struct found *y = *(const struct found *const *)b;

    if (x->part.index != y->part.index)
        return x->part.index < y->part.index ? -1 : 1;
    if (x->part.compact != y->part.compact)
        return x->part.compact ? -1 : 1;
    return sv_cmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    const struct found *x = *(const struct found *const *)a;
    const struct found *y = *(const struct found *const *)b;

    return sv_cmp(x->name, y->name);
}

static void add_part(struct log_input *log, const struct found *file)
{
    log->parts[log->n_parts++] = file->part;
    log->mtime_ms = max_i64(log->mtime_ms, file->mtime_ms);
    if (file->part.size < 0 || log->bytes < 0)
        log->bytes = -1;
    else
        log->bytes = add_sat(log->bytes, file->part.size);
}

/* The parts [from, to) are not there. */
static void add_missing(struct finder *f, struct log_input *log, int64_t from, int64_t to)
{
    if (to - from > GAP_LISTED) {
        add_text(f, &log->missing, &log->n_missing,
                 arena_printf(f->arena, "events_%" PRId64 " to events_%" PRId64, from,
                              to - 1));
        return;
    }
    for (int64_t i = from; i < to; i++)
        add_text(f, &log->missing, &log->n_missing,
                 arena_printf(f->arena, "events_%" PRId64, i));
}

/* The number of the last part that was compacted; -1: none was. */
static int64_t compacted_to(struct found *const *files, size_t n)
{
    int64_t to = -1;

    for (size_t i = 0; i < n; i++) {
        struct rolled r;

        if (rolled_name(files[i]->name, &r) && r.compact && !r.unfinished)
            to = max_i64(to, r.index);
    }
    return to;
}

/* Why this file is no part of the log, or NULL. */
static const char *not_a_part(const struct log_input *log, const struct found *file,
                              int64_t compacted)
{
    const struct log_part *last = log->n_parts ? &log->parts[log->n_parts - 1] : NULL;
    struct rolled r;

    if (!rolled_name(file->name, &r) || r.unfinished)
        return "an interrupted compaction, left out";
    if (r.index < compacted || (r.index == compacted && !r.compact))
        return "left out: a compacted file covers it";
    if (last && last->index == r.index)
        return "left out: another file has this number";
    return NULL;
}

/* files are in order of their numbers. */
static void add_rolled_parts(struct finder *f, struct log_input *log,
                             struct found *const *files, size_t n)
{
    int64_t compacted = compacted_to(files, n);
    int64_t due = compacted < 0 ? 1 : compacted;

    log->parts = arena_array(f->arena, n, sizeof *log->parts);
    for (size_t i = 0; i < n; i++) {
        const char *why = not_a_part(log, files[i], compacted);
        int64_t index = files[i]->part.index;

        if (why) {
            add_note(f, log,
                     arena_printf(f->arena, "%.*s: %s", SV_FMT(files[i]->name), why));
            continue;
        }
        if (index > due)
            add_missing(f, log, due, index);
        due = index + 1;
        add_part(log, files[i]);
        if (files[i]->part.compact)
            add_note(f, log,
                     arena_printf(f->arena,
                                  "%.*s: compacted, events of finished jobs up to "
                                  "part %" PRId64 " may be gone",
                                  SV_FMT(files[i]->name), index));
    }
}

/* What the appstatus file says, by its name. `key`: only the one of this log; in a
 * folder named after its log every one counts. */
static void add_status(struct finder *f, struct log_input *log, const struct folder *dir,
                       struct sv key)
{
    bool running = false, finished = false;

    for (size_t i = 0; i < dir->n; i++) {
        struct sv name = dir->files[i].name;

        if (!sv_starts(name, SV("appstatus_")))
            continue;
        bool in_progress = strip(&name, SV(".inprogress"));
        if (!is_rolling_folder(dir) && !sv_eq(sv_from(name, 10), key))
            continue;
        running = running || in_progress;
        finished = finished || !in_progress;
    }
    log->in_progress = running && !finished;
    if (!running && !finished)
        add_note(f, log,
                 "no appstatus file: whether the application ended is not recorded");
}

/* Keeps the log that was added last if one of its parts can be read as one. */
static void keep_if_log(struct finder *f)
{
    struct log_input *log = &f->list.logs[f->list.n - 1];
    struct err why = { 0 }, first = { 0 };

    f->n_seen++;
    for (size_t i = 0; i < log->n_parts; i++) {
        if (probe_part(&log->parts[i], &why) == ERR_OK)
            return;
        if (first.code == ERR_OK)
            first = why;
    }
    if (first.code == ERR_OK)
        err_set(&first, ERR_NOT_A_LOG, "no parts");
    skip(f, log->path, &first);
    f->list.n--;
}

/* The rolling log that files[0 .. n) are the parts of. */
static void take_rolled(struct finder *f, const struct folder *dir, struct found **files,
                        size_t n, struct sv key, bool alone)
{
    struct log_input *log =
        add_log(f, alone ? dir->path : join(f->arena, dir->path, '/', key));

    log->rolling = true;
    qsort(files, n, sizeof *files, by_index);
    add_rolled_parts(f, log, files, n);
    add_status(f, log, dir, key);
    keep_if_log(f);
}

/* Rolling logs of a folder: one in a folder named for it, else one for each key. */
static void take_rolling(struct finder *f, struct folder *dir)
{
    struct found **files = arena_array(f->arena, dir->n, sizeof *files);
    bool one = is_rolling_folder(dir);
    bool first_log = true;

    for (size_t i = 0; i < dir->n; i++) {
        struct rolled first, r;
        size_t n = 0, n_left = 0;

        if (dir->files[i].used || !rolled_name(dir->files[i].name, &first))
            continue;
        for (size_t j = i; j < dir->n; j++) {
            struct found *file = &dir->files[j];

            if (file->used || !rolled_name(file->name, &r))
                continue;
            if (!one && !sv_eq(r.key, first.key)) {
                n_left++;
                continue;
            }
            file->used = true;
            file->part.index = r.index;
            file->part.compact = r.compact;
            files[n++] = file;
        }
        take_rolled(f, dir, files, n, first.key, first_log && !n_left);
        first_log = false;
    }
    if (!one)
        return;
    if (first_log) {
        f->n_seen++;
        skip_text(f, dir->path, "a rolling log's folder without event files");
    }
    for (size_t i = 0; i < dir->n; i++)
        dir->files[i].used = true; /* nothing else there is a log */
}

/* eventlog-YYYY-MM-DD--HH-MM, then nothing or a suffix */
static bool dated_name(struct sv name)
{
    static const char shape[] = "eventlog-0000-00-00--00-00";

    if (name.len < sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool digit = name.p[i] >= '0' && name.p[i] <= '9';

        if (shape[i] == '0' ? !digit : name.p[i] != shape[i])
            return false;
    }
    return name.len == sizeof shape - 1 || name.p[sizeof shape - 1] == '.';
}

/* The log of a Databricks folder: the dated parts, then `eventlog`. */
static void take_dated(struct finder *f, struct folder *dir)
{
    struct found **files = arena_array(f->arena, dir->n + 1, sizeof *files);
    struct found *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < dir->n; i++) {
        if (dated_name(dir->files[i].name))
            files[n++] = &dir->files[i];
        else if (sv_is(dir->files[i].name, "eventlog"))
            last = &dir->files[i];
    }
    if (!n)
        return; /* `eventlog` alone is a log like any other */
    struct log_input *log = add_log(f, dir->path);
    log->rolling = true;
    log->parts = arena_array(f->arena, n + 1, sizeof *log->parts);
    qsort(files, n, sizeof *files, by_name);
    if (last)
        files[n++] = last;
    else
        add_text(f, &log->missing, &log->n_missing, "eventlog");
    for (size_t i = 0; i < n; i++) {
        files[i]->used = true;
        add_part(log, files[i]);
    }
    keep_if_log(f);
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
    bool in_progress = strip(&name, SV(".inprogress"));
    if (in_progress && has_name(dir, name)) {
        skip_text(f, file->part.path, "the finished log of the same name lies beside it");
        return;
    }
    if (!file->part.stream && probe_part(&file->part, &why) != ERR_OK) {
        skip(f, file->part.path, &why);
        return;
    }
    struct log_input *log = add_log(f, file->part.path);
    log->in_progress = in_progress;
    log->parts = ARENA_NEW(f->arena, struct log_part);
    add_part(log, file);
    if (!rolled_name(file->name, &r))
        return;
    log->parts[0].index = r.index;
    log->parts[0].compact = r.compact;
    add_note(f, log,
             arena_printf(f->arena,
                          "part %" PRId64 " of a rolling log, read alone: "
                          "give its folder to read all",
                          r.index));
}

static void take_folder(struct finder *f, struct folder *dir)
{
    take_rolling(f, dir);
    take_dated(f, dir);
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
        .path = name.len ? join(arena, zip, '!', name) : zip,
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
        .part = { .path = join(arena, zip->part.path, '!', m->name),
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
        add_note(f, &logs[i],
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
        skip(f, file->part.path, &why);
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
        skip_text(f, file->part.path, "a zip without an event log in it");
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
        skip_text(f, path, strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode))
        return true;
    if (S_ISLNK(st.st_mode) && stat(path.p, &st) != 0)
        skip_text(f, path, "a symbolic link that leads nowhere");
    else if (S_ISDIR(st.st_mode))
        skip_text(f, path, "a symbolic link to a folder is not followed");
    else if (S_ISREG(st.st_mode))
        add_file(f, dir, path, &st);
    else
        skip_text(f, path, "not a regular file");
    return false;
}

static void search(struct finder *f, struct sv path, int depth)
{
    struct folder dir = { .path = path, .name = last_name(path) };
    struct sv *names = NULL, *below = NULL;
    size_t n = 0, n_below = 0;
    struct err why = { 0 };

    if (depth > DEPTH_MAX) {
        skip_text(f, path, "too many folders deep");
        return;
    }
    if (folder_names(path, f->arena, &names, &n, &why) != ERR_OK) {
        f->n_seen++;
        skip(f, path, &why);
        return;
    }
    below = arena_array(f->arena, n, sizeof *below);
    for (size_t i = 0; i < n; i++) {
        struct sv entry = join(f->arena, path, '/', names[i]);

        if (sort_entry(f, &dir, entry))
            below[n_below++] = entry;
    }
    take_folder(f, &dir);
    if (is_rolling_folder(&dir))
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
    bool dated = dated_name(name);
    size_t n = 0, n_parts = 0;

    if (!dated && !sv_is(name, "eventlog"))
        return;
    dir = dir.len ? arena_sv(f->arena, dir) : SV(".");
    if (folder_names(dir, f->arena, &names, &n, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < n; i++)
        n_parts += dated_name(names[i]) || (dated && sv_is(names[i], "eventlog"));
    if (n_parts > dated)
        add_note(f, log,
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

static ssize_t read_more(int fd, void *buf, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, buf, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static bool write_all(int fd, struct sv bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = sv_from(bytes, (size_t)n);
    }
    return true;
}

/* A file without a name; the system frees it when the program ends. */
static enum errc nameless_file(int *fd, struct arena *arena, struct err *err)
{
    const char *dir = getenv("TMPDIR");

    dir = dir && *dir ? dir : "/tmp";
    char *name = (char *)(uintptr_t)arena_printf(arena, "%s/spillway-XXXXXX", dir);
    *fd = mkostemp(name, O_CLOEXEC);
    if (*fd < 0)
        return err_set(err, ERR_OUTPUT, "a zip from a pipe needs room in %s: %s", dir,
                       strerror(errno));
    unlink(name);
    return ERR_OK;
}

/* The rest of the pipe behind `head` to a file that can be read from its end. The
 * file stays open: it has no other name than its number. */
static enum errc spool(struct finder *f, struct sv path, int from, struct sv head,
                       struct err *err)
{
    char *buf = xmalloc(PROBE_STEP);
    ssize_t n = 0;
    struct stat st;
    int to = -1;
    enum errc rc;

    if ((rc = nameless_file(&to, f->arena, err)) != ERR_OK)
        goto done;
    bool written = write_all(to, head);
    while (written && (n = read_more(from, buf, PROBE_STEP)) > 0)
        written = write_all(to, (struct sv){ buf, (size_t)n });
    if (!written || fstat(to, &st) != 0)
        rc = err_set(err, ERR_OUTPUT, "copying a zip from a pipe: %s", strerror(errno));
    else if (n < 0)
        rc = err_set(err, ERR_OPEN, "%s", strerror(errno));
    else
        find_file(f, path, sv(arena_printf(f->arena, "/dev/fd/%d", to)), &st);
    if (rc != ERR_OK)
        close(to);
done:
    free(buf);
    return rc;
}

/* Does what was read of a pipe show an event? *enough: more of it would not help. */
static enum errc probe_head(struct sv head, bool *enough, struct err *err)
{
    struct decoder *d = decoder_open_memory(head.p, head.len);
    size_t decoded = 0;
    enum errc rc = probe(d, &decoded, err);

    *enough = rc == ERR_OK || decoded >= PROBE_BYTES || decoder_damage(d)->corrupt;
    decoder_close(d);
    return rc;
}

/* Reads as much of the pipe as it takes to see that it is a log: little, for one that
 * is still being written must not wait for its end. */
static enum errc peek(int fd, struct strbuf *head, bool *zip, struct err *err)
{
    char *buf = xmalloc(PROBE_STEP);
    size_t next_look = 0;
    bool enough = false;
    enum errc rc = ERR_OK;

    while (!enough && !*zip) {
        ssize_t n = read_more(fd, buf, PROBE_STEP);

        if (n < 0) {
            rc = err_set(err, ERR_OPEN, "%s", strerror(errno));
            break;
        }
        strbuf_add(head, (struct sv){ buf, (size_t)n });
        *zip = zip_detect(head->p, head->len);
        bool last = n == 0 || head->len >= STREAM_PEEK_BYTES;
        if (*zip || (head->len < next_look && !last))
            continue;
        rc = probe_head(strbuf_sv(head), &enough, err);
        enough = enough || last;
        next_look =
            head->len < PROBE_STEP ? 0 : head->len * 2; /* it starts over each time */
    }
    free(buf);
    return *zip ? ERR_OK : rc;
}

static enum errc find_stream(struct finder *f, struct sv path, int fd, struct err *err)
{
    struct folder none = { .path = path };
    struct strbuf head = { 0 };
    bool zip = false;
    enum errc rc = peek(fd, &head, &zip, err);

    if (rc == ERR_OK && zip) {
        rc = spool(f, path, fd, strbuf_sv(&head), err);
    } else if (rc == ERR_OK) {
        struct found found = { .name = last_name(path),
                               .part = { .path = path, .size = -1 } };

        found.part.file = path;
        found.part.stream = ARENA_NEW(f->arena, struct log_stream);
        found.part.stream->fd = fd;
        found.part.stream->head = arena_sv(f->arena, strbuf_sv(&head));
        take_single(f, &none, &found);
    }
    if ((rc != ERR_OK || zip) && fd != STDIN_FILENO)
        close(fd);
    strbuf_release(&head);
    return rc;
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
    return find_stream(f, SV("-"), STDIN_FILENO, err);
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
    return find_stream(f, path, fd, err);
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
