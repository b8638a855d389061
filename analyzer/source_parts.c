/* Logs of several files, by the names that Spark and Databricks give them:
 *
 *     eventlog_v2_<id>/appstatus_<id>[.inprogress]      empty; says running or finished
 *     eventlog_v2_<id>/events_<N>_<id>[.codec]          part N
 *     eventlog_v2_<id>/events_<N>_<id>[.codec].compact  replaces the parts up to N
 *     <folder>/eventlog-YYYY-MM-DD--HH-MM.gz            older parts
 *     <folder>/eventlog                                 the last part
 *
 * A copy of a rolling directory may have any name: then its files tell, and there may
 * be those of several applications. */
#include "analyzer/source_find.h"

#include <inttypes.h>
#include <stdlib.h>

/* A gap in the numbers of parts that is longer than this is listed as one entry. */
#define GAP_LISTED 16

bool parts_rolled_name(struct sv name, struct rolled *out)
{
    struct rolled r = { 0 };

    if (!sv_starts(name, SV("events_")))
        return false;
    bool in_progress = finder_strip(&name, SV(".inprogress"));
    r.compact = finder_strip(&name, SV(".compact"));
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

bool parts_is_rolling(const struct folder *dir)
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

/* The parts [from, to) are not there. */
static void add_missing(struct finder *f, struct log_input *log, int64_t from, int64_t to)
{
    if (to - from > GAP_LISTED) {
        finder_missing(f, log,
                       arena_printf(f->arena, "events_%" PRId64 " to events_%" PRId64,
                                    from, to - 1));
        return;
    }
    for (int64_t i = from; i < to; i++)
        finder_missing(f, log, arena_printf(f->arena, "events_%" PRId64, i));
}

/* The number of the last part that was compacted; -1: none was. */
static int64_t compacted_to(struct found *const *files, size_t n)
{
    int64_t to = -1;

    for (size_t i = 0; i < n; i++) {
        struct rolled r;

        if (parts_rolled_name(files[i]->name, &r) && r.compact && !r.unfinished)
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

    if (!parts_rolled_name(file->name, &r) || r.unfinished)
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
            finder_note(f, log,
                        arena_printf(f->arena, "%.*s: %s", SV_FMT(files[i]->name), why));
            continue;
        }
        if (index > due)
            add_missing(f, log, due, index);
        due = index + 1;
        finder_add_part(log, files[i]);
        if (files[i]->part.compact)
            finder_note(f, log,
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
        bool in_progress = finder_strip(&name, SV(".inprogress"));
        if (!parts_is_rolling(dir) && !sv_eq(sv_from(name, 10), key))
            continue;
        running = running || in_progress;
        finished = finished || !in_progress;
    }
    log->in_progress = running && !finished;
    if (!running && !finished)
        finder_note(f, log,
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
    finder_skip(f, log->path, &first);
    f->list.n--;
}

/* The rolling log that files[0 .. n) are the parts of. */
static void take_rolled(struct finder *f, const struct folder *dir, struct found **files,
                        size_t n, struct sv key, bool alone)
{
    struct log_input *log =
        finder_add_log(f, alone ? dir->path : finder_join(f->arena, dir->path, '/', key));

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
    bool one = parts_is_rolling(dir);
    bool first_log = true;

    for (size_t i = 0; i < dir->n; i++) {
        struct rolled first, r;
        size_t n = 0, n_left = 0;

        if (dir->files[i].used || !parts_rolled_name(dir->files[i].name, &first))
            continue;
        for (size_t j = i; j < dir->n; j++) {
            struct found *file = &dir->files[j];

            if (file->used || !parts_rolled_name(file->name, &r))
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
        finder_skip_text(f, dir->path, "a rolling log's folder without event files");
    }
    for (size_t i = 0; i < dir->n; i++)
        dir->files[i].used = true; /* nothing else there is a log */
}

bool parts_dated_name(struct sv name)
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
        if (parts_dated_name(dir->files[i].name))
            files[n++] = &dir->files[i];
        else if (sv_is(dir->files[i].name, "eventlog"))
            last = &dir->files[i];
    }
    if (!n)
        return; /* `eventlog` alone is a log like any other */
    struct log_input *log = finder_add_log(f, dir->path);
    log->rolling = true;
    log->parts = arena_array(f->arena, n + 1, sizeof *log->parts);
    qsort(files, n, sizeof *files, by_name);
    if (last)
        files[n++] = last;
    else
        finder_missing(f, log, "eventlog");
    for (size_t i = 0; i < n; i++) {
        files[i]->used = true;
        finder_add_part(log, files[i]);
    }
    keep_if_log(f);
}

void parts_take(struct finder *f, struct folder *dir)
{
    take_rolling(f, dir);
    take_dated(f, dir);
}
