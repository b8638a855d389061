/* The statements of tests/sql (its README has the format): each file is a session, each
 * answer is real Spark's.
 *
 *     engine_statements_test              all files, what fails is compared with known.txt
 *     engine_statements_test NAME..       these files, and every failure in full
 *     engine_statements_test --learn      writes known.txt anew
 *
 * A file runs in a process of its own. Where a statement takes that down, it fails, and
 * the file is run again without it. */
#include "base/mem.h"
#include "engine/run/session.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SQL_DIR "tests/sql"
#define KNOWN_FILE SQL_DIR "/known.txt"

enum { MAX_FILES = 128, MAX_BLOCKS = 4096, SECONDS = 60 };
enum outcome { NOT_RUN, RUNNING, PASSED, FAILED, DIED };

struct block {
    bool ordered;
    struct sv statement; /* with ${DIR} in it */
    struct sv answer;    /* lines, each ended */
};

struct test_file {
    char name[64]; /* without ".test" */
    struct arena arena;
    struct block *blocks;
    uint32_t n;
    unsigned char *outcomes; /* shared with the child */
    char dir[96];            /* of the session; ${DIR} is a folder in it */
};

static struct test_file files[MAX_FILES];
static size_t n_files;
static bool in_full, learning;
static struct arena known_arena;
static struct sv *known;
static size_t n_known, cap_known;
static unsigned known_failed, known_passed;

/* --- files ------------------------------------------------------------------------ */

static struct sv read_whole(struct arena *a, const char *path)
{
    struct strbuf text = { 0 };
    char piece[8192];
    size_t n;
    FILE *f = fopen(path, "re");

    if (!f)
        return (struct sv){ 0 };
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        strbuf_add(&text, (struct sv){ piece, n });
    fclose(f);
    struct sv out = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return out;
}

static bool take_line(struct sv *left, struct sv *line)
{
    size_t end = sv_find(*left, SV("\n"));

    if (!left->len)
        return false;
    *line = (struct sv){ left->p, end == SIZE_MAX ? left->len : end };
    *left = sv_from(*left, end == SIZE_MAX ? left->len : end + 1);
    return true;
}

/* From the word on; the text ends with the answer. */
static struct block block_of(struct sv text)
{
    struct block b = { 0 };
    struct sv left = text, line;
    const char *from;

    (void)take_line(&left, &line);
    b.ordered = sv_is(line, "ordered");
    from = left.p;
    while (take_line(&left, &line) && !sv_is(line, "----"))
        b.statement = (struct sv){ from, (size_t)(line.p + line.len - from) };
    b.answer = left;
    return b;
}

static void read_blocks(struct test_file *f)
{
    struct sv left =
        read_whole(&f->arena, arena_printf(&f->arena, SQL_DIR "/%s.test", f->name));

    f->blocks = arena_array(&f->arena, MAX_BLOCKS, sizeof *f->blocks);
    while (left.len) {
        size_t end = sv_find(left, SV("\n\n"));
        struct sv text = { left.p, end == SIZE_MAX ? left.len : end + 1 };

        left = sv_from(left, end == SIZE_MAX ? left.len : end + 2);
        if (text.len && text.p[0] != '#' && text.p[0] != '\n' && f->n < MAX_BLOCKS)
            f->blocks[f->n++] = block_of(text);
    }
    f->outcomes = mmap(NULL, MAX_BLOCKS, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f->outcomes == MAP_FAILED)
        die("out of memory");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct test_file *)a)->name,
                  ((const struct test_file *)b)->name);
}

static void find_files(int argc, char **argv)
{
    DIR *dir = opendir(SQL_DIR);
    struct dirent *e;

    while (dir && (e = readdir(dir)) && n_files < MAX_FILES) {
        size_t len = strlen(e->d_name);
        bool wanted = argc <= 1;

        if (len < 6 || len > 60 || strcmp(e->d_name + len - 5, ".test") != 0)
            continue;
        for (int i = 1; i < argc; i++)
            wanted |= strncmp(argv[i], e->d_name, len - 5) == 0 && !argv[i][len - 5];
        if (wanted)
            memcpy(files[n_files++].name, e->d_name, len - 5);
    }
    if (dir)
        closedir(dir);
    qsort(files, n_files, sizeof *files, by_name);
    for (size_t i = 0; i < n_files; i++)
        read_blocks(&files[i]);
}

/* --- answers ---------------------------------------------------------------------- */

static void add_escaped(struct strbuf *out, struct sv text)
{
    if (!text.len)
        strbuf_addz(out, "\\e");
    for (size_t i = 0; i < text.len; i++)
        switch (text.p[i]) {
        case '\\':
            strbuf_addz(out, "\\\\");
            break;
        case '\t':
            strbuf_addz(out, "\\t");
            break;
        case '\n':
            strbuf_addz(out, "\\n");
            break;
        case '\r':
            strbuf_addz(out, "\\r");
            break;
        default:
            strbuf_addc(out, text.p[i]);
        }
}

static void add_value(struct strbuf *out, const struct value *v, const struct zone *zone)
{
    struct strbuf text = { 0 };

    if (v->null) {
        strbuf_addz(out, "\\N");
        return;
    }
    if (v->type.id == TYPE_BINARY)
        for (size_t i = 0; i < v->u.s.len; i++)
            strbuf_printf(&text, "%02X", (unsigned char)v->u.s.p[i]);
    else
        value_print(&text, v, zone);
    add_escaped(out, strbuf_sv(&text));
    strbuf_release(&text);
}

static void add_rows(struct strbuf *out, const struct result *r, const struct zone *zone)
{
    for (uint32_t b = 0; b < r->n_batches; b++)
        for (uint32_t i = 0; i < r->batches[b].n_sel; i++) {
            uint32_t row = batch_row(&r->batches[b], i);

            for (uint32_t c = 0; c < r->schema.n; c++) {
                struct value v = value_at(&r->batches[b].columns[c], row);

                if (c)
                    strbuf_addc(out, '\t');
                add_value(out, &v, zone);
            }
            strbuf_addc(out, '\n');
        }
}

static void add_result(struct strbuf *out, const struct result *r,
                       const struct zone *zone)
{
    if (!r->schema.n) {
        strbuf_addz(out, "ok\n");
        return;
    }
    for (uint32_t c = 0; c < r->schema.n; c++) {
        if (c)
            strbuf_addc(out, '\t');
        add_escaped(out, r->schema.fields[c].name);
        strbuf_addc(out, ':');
        type_print(out, r->schema.fields[c].type);
    }
    strbuf_addc(out, '\n');
    add_rows(out, r, zone);
}

static int by_text(const void *a, const void *b)
{
    return sv_cmp(*(const struct sv *)a, *(const struct sv *)b);
}

/* Lines but the first one in order of their bytes. */
static struct sv sorted(struct arena *a, struct sv text)
{
    struct sv *lines = arena_array(a, text.len + 1, sizeof *lines);
    struct strbuf out = { 0 };
    struct sv left = text, line, result;
    size_t n = 0;

    while (take_line(&left, &line))
        lines[n++] = line;
    if (n > 2)
        qsort(lines + 1, n - 1, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++) {
        strbuf_add(&out, lines[i]);
        strbuf_addc(&out, '\n');
    }
    result = arena_sv(a, strbuf_sv(&out));
    strbuf_release(&out);
    return result;
}

static struct sv replace(struct arena *a, struct sv text, struct sv from, struct sv to)
{
    struct strbuf out = { 0 };
    struct sv left = text, result;
    size_t at;

    while ((at = sv_find(left, from)) != SIZE_MAX) {
        strbuf_add(&out, (struct sv){ left.p, at });
        strbuf_add(&out, to);
        left = sv_from(left, at + from.len);
    }
    strbuf_add(&out, left);
    result = arena_sv(a, strbuf_sv(&out));
    strbuf_release(&out);
    return result;
}

/* Spark's class must be in the message in brackets; where it has none, any error will
 * do. */
static bool error_fits(struct sv expected, const struct err *err)
{
    char bracketed[256];

    if (sv_is(sv_trim(expected), "error"))
        return true;
    struct sv name = sv_trim(sv_from(expected, 6));
    snprintf(bracketed, sizeof bracketed, "[%.*s]", SV_FMT(name));
    return sv_find(sv(err->text), sv(bracketed)) != SIZE_MAX;
}

/* --- running ---------------------------------------------------------------------- */

struct turn {
    struct test_file *file;
    struct session *session;
    struct arena scripts; /* plans live as long as the session */
    struct arena arena;
    struct sv dir, data; /* ${DIR}, ${DATA} */
};

static enum errc answer_of(struct turn *t, struct sv statement, struct strbuf *got,
                           struct err *err)
{
    struct script *script = ARENA_NEW(&t->scripts, struct script);
    struct sv text = replace(&t->scripts, statement, SV("${DIR}"), t->dir);
    struct place at;

    text = replace(&t->scripts, text, SV("${DATA}"), t->data);
    TRY(sql_parse(&t->scripts, text, NULL, script, err));
    if (script->n != 1)
        return err_set(err, ERR_SYNTAX, "%u statements", script->n);
    struct result result;
    TRY(session_run(t->session, script, &script->statements[0], &result, &at, err));
    add_result(got, &result, session_zone(t->session));
    return ERR_OK;
}

/* Says on `report` what is wrong. */
static bool check(struct turn *t, const struct block *b, struct strbuf *report)
{
    struct strbuf got = { 0 };
    struct err err = { 0 };
    enum errc rc = answer_of(t, b->statement, &got, &err);
    bool wants_error = sv_starts(b->answer, SV("error")), good;

    if (rc != ERR_OK) {
        good = wants_error && error_fits(b->answer, &err);
        strbuf_printf(&got, "error: %s\n", err.text);
    } else {
        struct sv said = arena_sv(&t->arena, strbuf_sv(&got));

        said = replace(&t->arena, said, t->dir, SV("${DIR}"));
        said = replace(&t->arena, said, t->data, SV("${DATA}"));
        good = !wants_error && sv_eq(b->ordered ? said : sorted(&t->arena, said),
                                     b->ordered ? b->answer
                                                : sorted(&t->arena, b->answer));
    }
    if (!good)
        strbuf_printf(report, "%.*s\n---- expected\n%.*s---- got\n%.*s\n",
                      SV_FMT(b->statement), SV_FMT(b->answer), SV_FMT(strbuf_sv(&got)));
    strbuf_release(&got);
    return good;
}

static void put_setting(struct settings *s, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(s, sv(key), sv(value), &err) != ERR_OK)
        die("%s", err.text);
}

static void write_all(int fd, struct sv text)
{
    while (text.len) {
        ssize_t n = write(fd, text.p, text.len);

        if (n <= 0)
            return;
        text = sv_from(text, (size_t)n);
    }
}

/* In the child. A statement that took an earlier child down is left out. */
static void run_file(struct test_file *f, int report_fd)
{
    struct turn t = { .file = f };
    struct settings *settings = settings_new(&t.scripts);
    struct strbuf report = { 0 };
    struct err err = { 0 };

    char *here = realpath(SQL_DIR "/data", NULL);

    t.dir = sv(arena_printf(&t.scripts, "%s/files", f->dir));
    t.data = arena_sv(&t.scripts, sv(here ? here : ""));
    free(here);
    put_setting(settings, "spark.eventLog.enabled", "true");
    put_setting(settings, "spark.eventLog.dir", f->dir);
    put_setting(settings, "spark.master", "local[2]");
    put_setting(settings, "spark.sql.session.timeZone", "UTC");
    put_setting(settings, "spark.sql.shuffle.partitions", "4");
    put_setting(settings, "spark.local.dir", f->dir);
    put_setting(settings, "spark.sql.warehouse.dir",
                arena_printf(&t.scripts, "%s/warehouse", f->dir));
    if (session_open(&t.session, settings, NULL, &err) != ERR_OK)
        die("%s", err.text);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->outcomes[i] == DIED)
            continue;
        f->outcomes[i] = RUNNING;
        alarm(SECONDS);
        strbuf_reset(&report);
        f->outcomes[i] = check(&t, &f->blocks[i], &report) ? PASSED : FAILED;
        write_all(report_fd, strbuf_sv(&report));
        arena_reset(&t.arena);
    }
    session_close(t.session, false);
    strbuf_release(&report);
    arena_release(&t.arena);
    arena_release(&t.scripts);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static bool run_child(struct test_file *f, FILE *report)
{
    char files_dir[128];
    int status;
    pid_t child;

    snprintf(f->dir, sizeof f->dir, "/tmp/spillway-sql-XXXXXX");
    if (!mkdtemp(f->dir))
        die("%s: %s", f->dir, strerror(errno));
    snprintf(files_dir, sizeof files_dir, "%s/files", f->dir);
    mkdir(files_dir, 0700);
    rewind(report);
    if (ftruncate(fileno(report), 0) != 0)
        die("%s", strerror(errno));
    child = fork();
    if (child == 0) {
        run_file(f, fileno(report));
        exit(0);
    }
    if (child < 0)
        die("fork: %s", strerror(errno));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- known failures --------------------------------------------------------------- */

static struct sv known_line(struct arena *a, const struct test_file *f,
                            const struct block *b)
{
    struct strbuf line = { 0 };
    unsigned before = 0;
    struct sv out;

    for (const struct block *x = f->blocks; x < b; x++)
        before += sv_eq(x->statement, b->statement);
    strbuf_printf(&line, "%s\t", f->name);
    add_escaped(&line, b->statement);
    if (before) /* the same statement later, under other settings */
        strbuf_printf(&line, "\t%u", before + 1);
    out = arena_sv(a, strbuf_sv(&line));
    strbuf_release(&line);
    return out;
}

static void read_known(void)
{
    struct sv left = read_whole(&known_arena, KNOWN_FILE), line;

    while (take_line(&left, &line))
        if (line.len && line.p[0] != '#') {
            GROW(known, n_known, cap_known);
            known[n_known++] = line;
        }
}

static bool is_known(struct sv line)
{
    for (size_t i = 0; i < n_known; i++)
        if (sv_eq(known[i], line))
            return true;
    return false;
}

static void learn(void)
{
    FILE *out = fopen(KNOWN_FILE, "we");

    if (!out)
        die("%s: %s", KNOWN_FILE, strerror(errno));
    fputs("# Statements that do not yet answer as Spark does. The list may only shrink:\n"
          "# engine_statements_test --learn writes it anew.\n",
          out);
    for (size_t i = 0; i < n_files; i++)
        for (uint32_t k = 0; k < files[i].n; k++)
            if (files[i].outcomes[k] != PASSED) {
                struct sv line = known_line(&known_arena, &files[i], &files[i].blocks[k]);

                fprintf(out, "%.*s\n", SV_FMT(line));
            }
    fclose(out);
}

/* --- tests ------------------------------------------------------------------------ */

static unsigned count_unknown(struct test_file *f)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        struct sv line = known_line(&known_arena, f, &f->blocks[i]);
        bool listed = is_known(line), good = f->outcomes[i] == PASSED;

        if (good && listed)
            printf("now passes: %.*s\n", SV_FMT(line));
        known_passed += good && listed;
        known_failed += !good && listed;
        if (good || (listed && !in_full))
            continue;
        n++;
        if (f->outcomes[i] != FAILED)
            printf("%s: %.*s\n---- %s\n\n", f->name, SV_FMT(f->blocks[i].statement),
                   f->outcomes[i] == DIED ? "the process died" : "did not run");
        else if (!in_full)
            printf("%.*s\n", SV_FMT(line));
    }
    return n;
}

static void answers_are_sparks(void **state)
{
    struct test_file *f = *state;
    FILE *report = tmpfile();
    unsigned unknown;
    bool ended = false;

    if (!report)
        fail_msg("no temporary file");
    while (!ended) {
        bool died = false;

        ended = run_child(f, report);
        for (uint32_t i = 0; i < f->n && !ended; i++)
            if (f->outcomes[i] == RUNNING) {
                f->outcomes[i] = DIED;
                died = true;
            }
        if (!ended && !died)
            fail_msg("%s: the session does not open or close", f->name);
    }
    if (in_full) {
        char piece[4096];
        size_t n;

        rewind(report);
        while ((n = fread(piece, 1, sizeof piece, report)) > 0)
            fwrite(piece, 1, n, stdout);
    }
    fclose(report);
    unknown = count_unknown(f);
    if (unknown && !learning)
        fail_msg("%s: %u of %u statements fail", f->name, unknown, f->n);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[MAX_FILES] = { 0 };
    unsigned n_statements = 0;
    int failed;

    learning = argc == 2 && strcmp(argv[1], "--learn") == 0;
    in_full = argc > 1 && !learning;
    find_files(learning ? 1 : argc, argv);
    read_known();
    for (size_t i = 0; i < n_files; i++) {
        tests[i] = (struct CMUnitTest){ files[i].name, answers_are_sparks, NULL, NULL,
                                        &files[i] };
        n_statements += files[i].n;
    }
    failed = _cmocka_run_group_tests("statements", tests, n_files, NULL, NULL);
    printf("%u statements in %zu files; %u of the known failures remain, %u now pass\n",
           n_statements, n_files, known_failed, known_passed);
    if (learning)
        learn();
    return failed || n_files == 0;
}
