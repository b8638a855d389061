/* Finding logs: folders, rolling logs, zips, pipes. Each case builds its files in a
 * folder of its own. */
#include "analyzer/source.h"

#include "base/mem.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define EVENT "{\"Event\":\"SparkListenerLogStart\",\"Spark Version\":\"3.5.1\"}\n"

struct fixture {
    char dir[64];
    struct arena arena;
    struct log_list list;
    struct err err;
};

/* ---- files ---------------------------------------------------------------------- */

static const char *at(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->dir, name);
}

/* Makes the file and the folders above it. */
static void put(struct fixture *f, const char *name, struct sv bytes)
{
    char *path = (char *)(uintptr_t)at(f, name);

    for (char *p = path + strlen(f->dir) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        if (mkdir(path, 0700) != 0)
            assert_int_equal(errno, EEXIST);
        *p = '/';
    }
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    if (bytes.len)
        assert_int_equal(fwrite(bytes.p, 1, bytes.len, out), bytes.len);
    fclose(out);
}

static void put_log(struct fixture *f, const char *name)
{
    put(f, name, SV(EVENT));
}

/* Seconds; the order of logs in a searched folder. */
static void set_mtime(struct fixture *f, const char *name, time_t seconds)
{
    struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

    assert_int_equal(utimensat(AT_FDCWD, at(f, name), times, 0), 0);
}

static struct sv zstd_text(struct fixture *f, struct sv text)
{
    size_t cap = ZSTD_compressBound(text.len);
    char *buf = arena_bytes(&f->arena, cap);

    return (struct sv){ buf, ZSTD_compress(buf, cap, text.p, text.len, 1) };
}

static int fixture_new(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    strcpy(f->dir, "/tmp/spillway-source-XXXXXX");
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int fixture_free(void **state)
{
    struct fixture *f = *state;

    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* ---- what was found ------------------------------------------------------------- */

static enum errc find(struct fixture *f, const char *path)
{
    f->list = (struct log_list){ 0 };
    f->err = (struct err){ 0 };
    return log_list_find(&f->list, sv(path), &f->arena, &f->err);
}

/* Finds below the fixture's folder; "" is the folder. */
static void find_here(struct fixture *f, const char *name)
{
    if (find(f, *name ? at(f, name) : f->dir) != ERR_OK)
        fail_msg("%s: %s", name, f->err.text);
}

/* The name of a log or part without the fixture's folder. */
static struct sv short_name(const struct fixture *f, struct sv path)
{
    struct sv dir = sv(f->dir);

    return sv_starts(path, dir) ? sv_from(path, dir.len + 1) : path;
}

/* "log: part part; log: part" */
static const char *layout(struct fixture *f)
{
    struct strbuf out = { 0 };

    for (size_t i = 0; i < f->list.n; i++) {
        const struct log_input *log = &f->list.logs[i];

        strbuf_printf(&out, "%s%.*s:", i ? "; " : "", SV_FMT(short_name(f, log->path)));
        for (size_t j = 0; j < log->n_parts; j++) {
            struct sv name = short_name(f, log->parts[j].path);
            const char *slash = memrchr(name.p, '/', name.len);

            if (slash)
                name = sv_from(name, (size_t)(slash - name.p) + 1);
            strbuf_printf(&out, " %.*s", SV_FMT(name));
        }
    }
    const char *text = arena_printf(&f->arena, "%s", out.len ? out.p : "");
    strbuf_release(&out);
    return text;
}

static const char *joined(struct fixture *f, const struct sv *texts, size_t n)
{
    struct strbuf out = { 0 };

    for (size_t i = 0; i < n; i++)
        strbuf_printf(&out, "%s%.*s", i ? ", " : "", SV_FMT(short_name(f, texts[i])));
    const char *text = arena_printf(&f->arena, "%s", out.len ? out.p : "");
    strbuf_release(&out);
    return text;
}

/* All text of a log, part by part. */
static struct sv log_text(struct fixture *f, const struct log_input *log)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < log->n_parts; i++) {
        struct decoder *d = NULL;
        char buf[4096];
        size_t got;

        if (decoder_open(&d, &log->parts[i], &f->err) != ERR_OK)
            fail_msg("%.*s: %s", SV_FMT(log->parts[i].path), f->err.text);
        while (decoder_read(d, buf, sizeof buf, &got, &f->err) == NEXT_ITEM)
            strbuf_add(&text, (struct sv){ buf, got });
        decoder_close(d);
    }
    struct sv copy = arena_sv(&f->arena, strbuf_sv(&text));
    strbuf_release(&text);
    return copy;
}

static void assert_event(struct fixture *f)
{
    assert_int_equal(f->list.n, 1);
    assert_string_equal(log_text(f, &f->list.logs[0]).p, EVENT);
}

/* ---- rolling logs --------------------------------------------------------------- */

static void parts_of_a_rolling_log_are_put_in_order(void **state)
{
    static const struct {
        const char *name;
        const char *files[8]; /* in eventlog_v2_a */
        const char *layout, *missing;
        size_t n_notes;
        bool in_progress;
    } cases[] = {
        { "by number, not by name",
          { "appstatus_a", "events_10_a", "events_9_a.zstd", "events_8_a" },
          "events_8_a events_9_a.zstd events_10_a",
          "events_1, events_2, events_3, events_4, "
          "events_5, events_6, events_7",
          0,
          false },
        { "running",
          { "appstatus_a.inprogress", "events_1_a" },
          "events_1_a",
          "",
          0,
          true },
        { "finished wins",
          { "appstatus_a.inprogress", "appstatus_a", "events_1_a" },
          "events_1_a",
          "",
          0,
          false },
        { "no status", { "events_1_a" }, "events_1_a", "", 1, false },
        { "gap",
          { "appstatus_a", "events_1_a", "events_3_a", "events_6_a" },
          "events_1_a events_3_a events_6_a",
          "events_2, events_4, events_5",
          0,
          false },
        { "long gap",
          { "appstatus_a", "events_1_a", "events_100_a" },
          "events_1_a events_100_a",
          "events_2 to events_99",
          0,
          false },
        { "compacted",
          { "appstatus_a", "events_2_a.compact", "events_3_a" },
          "events_2_a.compact events_3_a",
          "",
          1,
          false },
        { "compacted, the parts still there",
          { "appstatus_a", "events_1_a", "events_2_a", "events_2_a.compact",
            "events_3_a" },
          "events_2_a.compact events_3_a",
          "",
          3,
          false },
        { "compacted twice",
          { "appstatus_a", "events_2_a.compact", "events_4_a.compact", "events_6_a" },
          "events_4_a.compact events_6_a",
          "events_5",
          2,
          false },
        { "compaction interrupted",
          { "appstatus_a", "events_1_a", "events_2_a", "events_2_a.compact.inprogress" },
          "events_1_a events_2_a",
          "",
          1,
          false },
        { "a number twice",
          { "appstatus_a", "events_1_a", "events_1_a.zstd" },
          "events_1_a",
          "",
          1,
          false },
        { "other files",
          { "appstatus_a", "events_1_a", "README", ".events_1_a.crc", "events_x" },
          "events_1_a",
          "",
          0,
          false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;
        const char *dir = arena_printf(&f->arena, "case%zu/eventlog_v2_a", i);

        for (size_t j = 0; j < ARRAY_LEN(cases[i].files) && cases[i].files[j]; j++) {
            const char *file = cases[i].files[j];

            put(f, arena_printf(&f->arena, "%s/%s", dir, file),
                sv_starts(sv(file), SV("appstatus")) ? SV("") : SV(EVENT));
        }
        find_here(f, dir);
        const struct log_input *log = &f->list.logs[0];
        const char *expected = arena_printf(&f->arena, "%s: %s", dir, cases[i].layout);
        const char *missing = joined(f, log->missing, log->n_missing);
        if (strcmp(layout(f), expected) != 0 || strcmp(missing, cases[i].missing) != 0 ||
            log->n_notes != cases[i].n_notes || log->in_progress != cases[i].in_progress)
            fail_msg("%s: %s; missing %s; notes %s", cases[i].name, layout(f), missing,
                     joined(f, log->notes, log->n_notes));
        assert_true(log->rolling);
        assert_false(f->list.searched);
        assert_int_equal(f->list.n_skipped, 0);
    }
}

static void a_rolling_log_is_known_by_its_files(void **state)
{
    struct fixture *f = *state;

    put_log(f, "copy/events_1_a.zstd");
    put_log(f, "copy/events_2_a.zstd");
    put(f, "copy/appstatus_a.inprogress", SV(""));
    find_here(f, "copy/");
    assert_string_equal(layout(f), "copy: events_1_a.zstd events_2_a.zstd");
    assert_true(f->list.logs[0].in_progress);
    assert_false(f->list.searched);

    put_log(f, "copy/events_1_b");
    find_here(f, "copy");
    assert_int_equal(f->list.n, 2); /* of two applications */
    assert_true(f->list.searched);
}

static void one_part_alone_is_read_with_a_note(void **state)
{
    struct fixture *f = *state;

    put_log(f, "eventlog_v2_a/events_1_a");
    put_log(f, "eventlog_v2_a/events_2_a");
    find_here(f, "eventlog_v2_a/events_2_a");
    assert_string_equal(layout(f), "eventlog_v2_a/events_2_a: events_2_a");
    assert_int_equal(f->list.logs[0].n_notes, 1);
    assert_int_equal(f->list.logs[0].parts[0].index, 2);
}

static void a_databricks_folder_is_one_log(void **state)
{
    struct fixture *f = *state;

    put_log(f, "dbx/eventlog");
    put_log(f, "dbx/eventlog-2021-06-15--15-00.gz");
    put_log(f, "dbx/eventlog-2021-06-15--09-00.gz");
    find_here(f, "dbx");
    assert_string_equal(layout(f), "dbx: eventlog-2021-06-15--09-00.gz "
                                   "eventlog-2021-06-15--15-00.gz eventlog");
    assert_int_equal(f->list.logs[0].n_missing, 0);
    assert_false(f->list.searched);

    find_here(f, "dbx/eventlog");
    assert_int_equal(f->list.logs[0].n_notes, 1);

    assert_int_equal(unlink(at(f, "dbx/eventlog")), 0);
    find_here(f, "dbx");
    assert_string_equal(joined(f, f->list.logs[0].missing, 1), "eventlog");
}

/* ---- folders -------------------------------------------------------------------- */

static void folders_are_searched_newest_first(void **state)
{
    struct fixture *f = *state;

    put_log(f, "my.app.log");
    put_log(f, "deep/er/x.json");
    put(f, "deep/a.b.zst", zstd_text(f, SV(EVENT)));
    put_log(f, "deep/eventlog_v2_r/events_1_r");
    set_mtime(f, "my.app.log", 100);
    set_mtime(f, "deep/er/x.json", 400);
    set_mtime(f, "deep/a.b.zst", 100);
    set_mtime(f, "deep/eventlog_v2_r/events_1_r", 300);
    find_here(f, "");
    assert_string_equal(layout(f),
                        "deep/er/x.json: x.json; deep/eventlog_v2_r: events_1_r; "
                        "deep/a.b.zst: a.b.zst; my.app.log: my.app.log");
    assert_true(f->list.searched);
    assert_int_equal(f->list.logs[0].mtime_ms, 400000);
}

static void what_is_no_log_is_named_with_the_reason(void **state)
{
    struct fixture *f = *state;
    static const char *const litter[] = { ".hidden", "app.crc", "appstatus_x",
                                          "_SUCCESS" };

    put_log(f, "app");
    put_log(f, "app.inprogress");
    put(f, "empty", SV(""));
    put(f, "labels.json", SV("{\"a\": 1}\n"));
    put(f, "notes.zst", zstd_text(f, SV("nothing here")));
    for (size_t i = 0; i < ARRAY_LEN(litter); i++)
        put_log(f, litter[i]);
    assert_int_equal(symlink("nowhere", at(f, "lost")), 0);
    find_here(f, "");
    assert_string_equal(layout(f), "app: app");
    assert_string_equal(
        joined(f, f->list.skipped, f->list.n_skipped),
        "lost: a symbolic link that leads nowhere, "
        "app.inprogress: the finished log of the same name lies beside it, "
        "empty: empty, labels.json: not a Spark event log, "
        "notes.zst: zstd data, but no Spark event log in it");
}

static void loops_and_pipes_in_folders_do_not_hang(void **state)
{
    struct fixture *f = *state;
    struct strbuf deep = { 0 };

    put_log(f, "d/app");
    assert_int_equal(symlink("..", at(f, "d/up")), 0);
    assert_int_equal(mkfifo(at(f, "d/pipe"), 0600), 0);
    for (int i = 0; i < 40; i++)
        strbuf_addz(&deep, "d/");
    strbuf_addz(&deep, "below");
    put_log(f, deep.p);
    strbuf_release(&deep);
    find_here(f, "d");
    assert_string_equal(layout(f), "d/app: app");
    assert_int_equal(f->list.n_skipped, 3);
}

static void logs_in_progress_are_known_by_name(void **state)
{
    struct fixture *f = *state;

    put(f, "app.zstd.inprogress", zstd_text(f, SV(EVENT)));
    find_here(f, "app.zstd.inprogress");
    assert_true(f->list.logs[0].in_progress);
    assert_event(f);
}

/* ---- what is no log, what is one all the same ----------------------------------- */

static void errors_say_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *bytes;
        size_t n;
        enum errc rc;
        const char *text;
    } cases[] = {
        { "missing", NULL, 0, ERR_OPEN, "No such file or directory" },
        { "file/below", NULL, 0, ERR_OPEN, "No such file or directory" },
        { "file", "text", 4, ERR_NOT_A_LOG, "not a Spark event log" },
        { "report.pdf", "%PDF-1.7\n{obj}\n", 15, ERR_NOT_A_LOG, "not a Spark event log" },
        { "empty", "", 0, ERR_NOT_A_LOG, "empty" },
        { "cut.lz4", "LZ4Block\x25", 9, ERR_CORRUPT,
          "damaged before the first event (byte 0: the header of the last LZ4 block is "
          "cut off)" },
        { "eventlog_v2_x/note", "x", 1, ERR_NOT_A_LOG, "not a Spark event log" },
        { "no.zip", "PK\3\4", 4, ERR_CORRUPT, "a zip archive without any whole member" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].bytes)
            put(f, cases[i].name, (struct sv){ cases[i].bytes, cases[i].n });
        enum errc rc = find(f, at(f, cases[i].name));
        const char *expected =
            arena_printf(&f->arena, "%s: %s", at(f, cases[i].name), cases[i].text);
        if (rc != cases[i].rc || strcmp(f->err.text, expected) != 0)
            fail_msg("%s: %d %s", cases[i].name, (int)rc, f->err.text);
    }
    put_log(f, "folder/.hidden");
    assert_int_equal(find(f, at(f, "folder")), ERR_NOT_A_LOG);
    assert_string_equal(strstr(f->err.text, ": ") + 2,
                        "no Spark event log in this folder (0 files looked at)");
    assert_int_equal(find(f, at(f, "eventlog_v2_x")), ERR_NOT_A_LOG);
    assert_string_equal(strstr(f->err.text, ": ") + 2,
                        "a rolling log's folder without event files");
}

static void a_damaged_beginning_hides_nothing(void **state)
{
    struct fixture *f = *state;
    struct strbuf text = { 0 };

    strbuf_addz(&text, "\xEF\xBB\xBF\n ten\"}]}\n");
    strbuf_fill(&text, '\0', 70000);
    strbuf_addz(&text, "\n" EVENT);
    put(f, "torn", strbuf_sv(&text));
    find_here(f, "torn");
    assert_int_equal(log_text(f, &f->list.logs[0]).len, text.len);
    strbuf_fill(&text, '\0', 2000000);
    put(f, "zeros", sv_from(strbuf_sv(&text), 71000));
    assert_int_equal(find(f, at(f, "zeros")), ERR_NOT_A_LOG);
    strbuf_release(&text);
}

static void plain_files_can_be_read_by_descriptor(void **state)
{
    struct fixture *f = *state;
    struct decoder *d = NULL;
    char text[sizeof EVENT] = "";

    put_log(f, "app");
    find_here(f, "app");
    assert_int_equal(decoder_open(&d, &f->list.logs[0].parts[0], &f->err), ERR_OK);
    assert_true(decoder_is_plain_file(d));
    assert_int_equal(decoder_codec(d), CODEC_NONE);
    assert_int_equal(f->list.logs[0].parts[0].size, sizeof EVENT - 1);
    assert_int_equal(pread(decoder_fd(d), text, sizeof text, 0), sizeof EVENT - 1);
    assert_string_equal(text, EVENT);
    decoder_close(d);
}

/* ---- zips ----------------------------------------------------------------------- */

struct zip_file {
    const char *name;
    struct sv bytes;
    bool deflate;
    bool streamed; /* lengths and checksum behind the bytes */
};

static void le(struct strbuf *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        strbuf_addc(out, (char)(v >> (8 * i)));
}

static struct sv deflated(struct fixture *f, struct sv bytes)
{
    z_stream z = { 0 };
    uLong cap = bytes.len + 100;
    char *buf = arena_bytes(&f->arena, cap);

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes.p;
    z.avail_in = (uInt)bytes.len;
    z.next_out = (Bytef *)buf;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return (struct sv){ buf, z.total_out };
}

/* The fields that local and central headers share. */
static void zip_fields(struct strbuf *out, const struct zip_file *file, struct sv stored,
                       bool lengths)
{
    uLong crc = crc32(0, (const Bytef *)file->bytes.p, (uInt)file->bytes.len);

    le(out, 20, 2);
    le(out, file->streamed ? 8 : 0, 2);
    le(out, file->deflate ? 8 : 0, 2);
    le(out, 0, 4); /* time and date */
    le(out, lengths ? crc : 0, 4);
    le(out, lengths ? stored.len : 0, 4);
    le(out, lengths ? file->bytes.len : 0, 4);
    le(out, strlen(file->name), 2);
}

/* zip64: offsets and lengths of the central directory stand in its own records. */
static void zip_end(struct strbuf *out, size_t central_at, size_t n, bool zip64)
{
    size_t end_at = out->len;

    if (zip64) {
        strbuf_addz(out, "PK\6\6");
        le(out, 44, 8);
        le(out, 45, 2);
        le(out, 45, 2);
        le(out, 0, 8); /* volumes */
        le(out, n, 8);
        le(out, n, 8);
        le(out, end_at - central_at, 8);
        le(out, central_at, 8);
        strbuf_addz(out, "PK\6\7");
        le(out, 0, 4);
        le(out, end_at, 8);
        le(out, 1, 4);
    }
    strbuf_addz(out, "PK\5\6");
    le(out, 0, 4);
    le(out, zip64 ? 0xFFFF : n, 2);
    le(out, zip64 ? 0xFFFF : n, 2);
    le(out, zip64 ? 0xFFFFFFFF : end_at - central_at, 4);
    le(out, zip64 ? 0xFFFFFFFF : central_at, 4);
    le(out, 5, 2);
    strbuf_addz(out, "hello"); /* a comment */
}

static struct sv zipped(struct fixture *f, const struct zip_file *files, size_t n,
                        bool zip64)
{
    struct strbuf out = { 0 }, central = { 0 };

    for (size_t i = 0; i < n; i++) {
        const struct zip_file *file = &files[i];
        struct sv stored = file->deflate ? deflated(f, file->bytes) : file->bytes;
        size_t header_at = out.len;

        strbuf_addz(&out, "PK\3\4");
        zip_fields(&out, file, stored, !file->streamed);
        le(&out, 0, 2);
        strbuf_addz(&out, file->name);
        strbuf_add(&out, stored);
        if (file->streamed) {
            strbuf_addz(&out, "PK\7\10");
            le(&out, crc32(0, (const Bytef *)file->bytes.p, (uInt)file->bytes.len), 4);
            le(&out, stored.len, 4);
            le(&out, file->bytes.len, 4);
        }
        strbuf_addz(&central, "PK\1\2");
        le(&central, 20, 2);
        zip_fields(&central, file, stored, true);
        le(&central, zip64 ? 12 : 0, 2);
        strbuf_fill(&central, '\0', 10); /* comment, volume, attributes */
        le(&central, zip64 ? 0xFFFFFFFF : header_at, 4);
        strbuf_addz(&central, file->name);
        if (zip64) {
            le(&central, 1, 2);
            le(&central, 8, 2);
            le(&central, header_at, 8);
        }
    }
    size_t central_at = out.len;
    strbuf_add(&out, strbuf_sv(&central));
    zip_end(&out, central_at, n, zip64);
    struct sv copy = arena_sv(&f->arena, strbuf_sv(&out));
    strbuf_release(&out);
    strbuf_release(&central);
    return copy;
}

/* An export as the History Server makes it: two attempts and a rolling log. */
static struct sv export_zip(struct fixture *f, bool zip64)
{
    const struct zip_file files[] = {
        { "app_2.zstd", zstd_text(f, SV(EVENT)), true, true },
        { "eventlog_v2_a/", SV(""), false, false },
        { "eventlog_v2_a/events_2_a", SV(EVENT), true, true },
        { "eventlog_v2_a/appstatus_a", SV(""), false, false },
        { "eventlog_v2_a/events_1_a.zstd", zstd_text(f, SV(EVENT)), false, false },
        { "app_1", SV(EVENT), false, false },
        { "../../etc/passwd", SV("root:x"), false, false },
    };

    return zipped(f, files, ARRAY_LEN(files), zip64);
}

static void assert_export(struct fixture *f, const char *zip)
{
    const char *slash = strrchr(zip, '/');
    const char *name = slash ? slash + 1 : zip;

    assert_string_equal(layout(f),
                        arena_printf(&f->arena,
                                     "%s!app_2.zstd: %s!app_2.zstd; "
                                     "%s!eventlog_v2_a: events_1_a.zstd events_2_a; "
                                     "%s!app_1: %s!app_1",
                                     zip, name, zip, zip, name));
    assert_string_equal(log_text(f, &f->list.logs[0]).p, EVENT);
    assert_string_equal(log_text(f, &f->list.logs[1]).p, EVENT EVENT);
    assert_string_equal(log_text(f, &f->list.logs[2]).p, EVENT);
    assert_int_equal(f->list.n_skipped, 1);
    assert_false(f->list.searched);
}

static void a_zip_lists_its_logs_in_order(void **state)
{
    struct fixture *f = *state;

    for (int zip64 = 0; zip64 < 2; zip64++) {
        put(f, "a.zip", export_zip(f, zip64));
        find_here(f, "a.zip");
        assert_export(f, "a.zip");
        assert_int_equal(f->list.logs[0].n_notes, 0);
    }
    find_here(f, "a.zip!app_1");
    assert_event(f);
    assert_int_equal(find(f, at(f, "a.zip!app_3")), ERR_OPEN);
}

static void a_zip_of_one_log_is_the_log(void **state)
{
    struct fixture *f = *state;
    struct zip_file file = { "app.zstd", zstd_text(f, SV(EVENT)), true, true };

    put(f, "one.zip", zipped(f, &file, 1, false));
    find_here(f, "one.zip");
    assert_string_equal(layout(f), "one.zip: one.zip!app.zstd");
    assert_event(f);
    find_here(f, "");
    assert_string_equal(layout(f), "one.zip!app.zstd: one.zip!app.zstd");
}

static void a_zip_without_its_end_is_read_from_the_front(void **state)
{
    struct fixture *f = *state;
    struct sv zip = export_zip(f, false);
    size_t central_at = sv_find(zip, SV("PK\1\2"));

    put(f, "a.zip", (struct sv){ zip.p, central_at });
    find_here(f, "a.zip");
    assert_export(f, "a.zip");
    assert_int_equal(f->list.logs[0].n_notes, 1);
}

static void zips_cut_or_damaged_anywhere_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct sv zip = export_zip(f, true);
    char *copy = arena_bytes(&f->arena, zip.len);

    for (size_t i = 0; i < 2 * zip.len; i++) {
        size_t place = i / 2;
        bool cut = i % 2;

        memcpy(copy, zip.p, zip.len);
        copy[place] = (char)(cut ? copy[place] : copy[place] ^ 0xFF);
        put(f, "a.zip", (struct sv){ copy, cut ? place : zip.len });
        if (find(f, at(f, "a.zip")) != ERR_OK)
            continue;
        for (size_t j = 0; j < f->list.n; j++) {
            struct decoder *d = NULL;
            char buf[4096];
            size_t got;

            if (decoder_open(&d, &f->list.logs[j].parts[0], &f->err) != ERR_OK)
                continue;
            while (decoder_read(d, buf, sizeof buf, &got, &f->err) == NEXT_ITEM)
                ;
            decoder_close(d);
        }
    }
}

static void damage_in_a_zip_is_told(void **state)
{
    struct fixture *f = *state;
    struct zip_file file = { "app", SV(EVENT EVENT), false, false };
    struct sv zip = zipped(f, &file, 1, false);
    struct decoder *d = NULL;
    char buf[4096];
    size_t got;

    ((char *)(uintptr_t)zip.p)[sv_find(zip, SV("3.5.1"))] = '4';
    put(f, "a.zip", zip);
    find_here(f, "a.zip");
    assert_int_equal(decoder_open(&d, &f->list.logs[0].parts[0], &f->err), ERR_OK);
    assert_int_equal(decoder_read(d, buf, sizeof buf, &got, &f->err), NEXT_ITEM);
    assert_int_equal(decoder_read(d, buf, sizeof buf, &got, &f->err), NEXT_END);
    assert_string_equal(decoder_damage(d)->text, "the zip member has a wrong checksum");
    assert_true(decoder_damage(d)->corrupt);
    decoder_close(d);
}

/* ---- pipes ---------------------------------------------------------------------- */

/* The path of a pipe out of which the bytes come, some at a time. */
static const char *pipe_of(struct fixture *f, struct sv bytes, pid_t *writer)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    *writer = fork();
    assert_true(*writer >= 0);
    if (*writer == 0) {
        close(fds[0]);
        for (size_t i = 0; i < bytes.len; i += 1000) {
            size_t left = bytes.len - i;

            if (write(fds[1], bytes.p + i, left < 1000 ? left : 1000) < 0)
                _exit(1);
        }
        _exit(0);
    }
    close(fds[1]);
    int fd = fcntl(fds[0], F_DUPFD, 20);
    close(fds[0]);
    return arena_printf(&f->arena, "/dev/fd/%d", fd);
}

static void pipe_end(const char *path, pid_t writer)
{
    close((int)strtol(path + strlen("/dev/fd/"), NULL, 10));
    waitpid(writer, NULL, 0);
}

static void pipes_are_read_once_from_the_start(void **state)
{
    struct fixture *f = *state;
    struct strbuf text = { 0 };

    for (int i = 0; i < 50000; i++)
        strbuf_addz(&text, EVENT);
    const struct sv stored[] = { strbuf_sv(&text), zstd_text(f, strbuf_sv(&text)) };
    for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
        struct decoder *again = NULL;
        pid_t writer;
        const char *path = pipe_of(f, stored[i], &writer);

        if (find(f, path) != ERR_OK)
            fail_msg("%s", f->err.text);
        assert_int_equal(f->list.logs[0].bytes, -1);
        struct sv all = log_text(f, &f->list.logs[0]);
        assert_true(sv_eq(all, strbuf_sv(&text)));
        assert_int_equal(decoder_open(&again, &f->list.logs[0].parts[0], &f->err),
                         ERR_OPEN);
        pipe_end(path, writer);
    }
    strbuf_release(&text);
}

static void a_zip_may_come_through_a_pipe(void **state)
{
    struct fixture *f = *state;
    pid_t writer;
    const char *path = pipe_of(f, export_zip(f, false), &writer);

    if (find(f, path) != ERR_OK)
        fail_msg("%s", f->err.text);
    assert_export(f, path);
    pipe_end(path, writer);
}

static void an_empty_pipe_is_no_log(void **state)
{
    struct fixture *f = *state;
    pid_t writer;
    const char *path = pipe_of(f, SV(""), &writer);

    assert_int_equal(find(f, path), ERR_NOT_A_LOG);
    assert_string_equal(f->err.text, arena_printf(&f->arena, "%s: empty", path));
    pipe_end(path, writer);
}

/* ---- real logs, where they lie beside the clone --------------------------------- */

static void real_logs_are_found_and_read_whole(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path;
        size_t n, bytes; /* logs; text of the first */
    } cases[] = {
        { "../shared/logs/real/databricks-3.4.1-nds-q88.zstd", 1, 142361502 },
        { "../shared/logs/real/databricks-rolling", 1, 10480446 + 951074 },
        { "../shared/logs/real/eventlog_v2_local-1623876083964", 1, 10480446 + 951074 },
        { "../shared/logs/real/attempts", 2, 0 },
        { "../shared/logs/labelled/healthy-cache", 1, 471649 },
        { "../shared/logs/labelled/healthy-scan", 1, 173667 },
    };

    if (access(cases[0].path, R_OK) != 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (find(f, cases[i].path) != ERR_OK)
            fail_msg("%s", f->err.text);
        assert_int_equal(f->list.n, cases[i].n);
        if (cases[i].bytes)
            assert_int_equal(log_text(f, &f->list.logs[0]).len, cases[i].bytes);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_of_a_rolling_log_are_put_in_order),
        TEST(a_rolling_log_is_known_by_its_files),
        TEST(one_part_alone_is_read_with_a_note),
        TEST(a_databricks_folder_is_one_log),
        TEST(folders_are_searched_newest_first),
        TEST(what_is_no_log_is_named_with_the_reason),
        TEST(loops_and_pipes_in_folders_do_not_hang),
        TEST(logs_in_progress_are_known_by_name),
        TEST(errors_say_what_is_wrong),
        TEST(a_damaged_beginning_hides_nothing),
        TEST(plain_files_can_be_read_by_descriptor),
        TEST(a_zip_lists_its_logs_in_order),
        TEST(a_zip_of_one_log_is_the_log),
        TEST(a_zip_without_its_end_is_read_from_the_front),
        TEST(zips_cut_or_damaged_anywhere_do_no_harm),
        TEST(damage_in_a_zip_is_told),
        TEST(pipes_are_read_once_from_the_start),
        TEST(a_zip_may_come_through_a_pipe),
        TEST(an_empty_pipe_is_no_log),
        TEST(real_logs_are_found_and_read_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
