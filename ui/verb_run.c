/* spillway run: a SQL script on the built-in engine, its rows, and the analysis of the
 * event log it wrote. spillway explain: the plans of its statements. Both stop at the
 * first error. */
#include "base/file.h"
#include "ui/cli.h"
#include "ui/spark_run.h"
#include "ui/sql_run.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct run {
    const struct cli *cli;
    struct arena arena;
    struct sql_run *sql;
    struct strbuf out;
    char *own_log; /* a folder for the log nobody asked to keep; NULL: none */
    bool shown;    /* the line of progress */
    int64_t printed_ms;
};

/* --- signals ---------------------------------------------------------------------- */

static struct sql_run *volatile running;
static volatile sig_atomic_t signalled;

/* The first one ends the statement, and the run cleanly; the second one is for those who
 * cannot wait. */
static void on_signal(int number)
{
    if (signalled || !running) {
        file_writers_abandon();
        _exit(128 + number);
    }
    signalled = number;
    sql_run_cancel(running);
}

static void watch_signals(struct sql_run *sql)
{
    struct sigaction stop = { .sa_handler = on_signal };

    running = sql;
    sigemptyset(&stop.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
}

/* --- progress --------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wipe(struct run *r)
{
    if (r->shown)
        fputs("\r\033[K", stderr);
    r->shown = false;
}

static void stage_progress(void *ctx, int32_t stage_id, int32_t done, int32_t tasks)
{
    struct run *r = ctx;
    int64_t now = now_ms();

    if (now - r->printed_ms < 100)
        return;
    r->printed_ms = now;
    fprintf(stderr, "\r\033[Kstage %d  %d of %d tasks", (int)stage_id, (int)done,
            (int)tasks);
    fflush(stderr);
    r->shown = true;
}

static void stage_begun(void *ctx, int32_t stage_id, const char *name, int32_t tasks)
{
    (void)name;
    stage_progress(ctx, stage_id, 0, tasks);
}

static void stage_ended(void *ctx, int32_t stage_id, bool ok, int64_t ms)
{
    struct run *r = ctx;
    struct strbuf time = { 0 };

    if (!r->cli->verbose)
        return;
    units_ms(&time, ms);
    wipe(r);
    fprintf(stderr, "stage %d %s in %s\n", (int)stage_id, ok ? "done" : "failed", time.p);
    strbuf_release(&time);
}

/* --- what is run ------------------------------------------------------------------ */

static int read_all(const char *path, struct strbuf *text)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "re");
    char piece[8192];
    size_t n;
    int code = EXIT_DONE;

    if (!f) {
        cli_error("%s: %s", path, strerror(errno));
        return EXIT_INPUT;
    }
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        strbuf_add(text, (struct sv){ piece, n });
    if (ferror(f)) {
        cli_error("%s: %s", path, strerror(errno));
        code = EXIT_INPUT;
    }
    if (!standard)
        fclose(f);
    return code;
}

/* Lines under the first one are the script's, with a caret. */
static void say_lines(const char *text)
{
    fprintf(stderr, "spillway: %s\n", text);
}

static int check_script(const struct cli *cli)
{
    if (cli->n_inputs && cli->n_sql_texts) {
        cli_error("a script or -e, not both");
        return EXIT_USAGE;
    }
    if (!cli->n_inputs && !cli->n_sql_texts) {
        cli_error("%s needs a script, or -e and SQL", cli->verb->name);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int script_text(const struct cli *cli, const char *file, struct strbuf *text)
{
    for (size_t i = 0; i < cli->n_sql_texts; i++)
        strbuf_printf(text, "%s%s", i ? ";\n" : "", cli->sql_texts[i]);
    return file ? read_all(file, text) : EXIT_DONE;
}

static int read_script(struct run *r)
{
    const struct cli *cli = r->cli;
    const char *file = cli->n_inputs ? cli->inputs[0] : NULL;
    struct strbuf text = { 0 };
    struct err err = { 0 };
    int code = check_script(cli);

    if (code == EXIT_DONE)
        code = script_text(cli, file, &text);
    if (code == EXIT_DONE &&
        sql_run_parse(r->sql, strbuf_sv(&text), file, &err) != ERR_OK) {
        say_lines(err.text);
        code = EXIT_USAGE;
    }
    strbuf_release(&text);
    return code;
}

/* --- settings --------------------------------------------------------------------- */

static bool put(struct run *r, const char *key, const char *value)
{
    struct err err = { 0 };

    if (sql_run_set(r->sql, key, value, &err) == ERR_OK)
        return true;
    cli_error("%s", err.text);
    return false;
}

static bool put_pair(struct run *r, const char *pair)
{
    const char *equals = strchr(pair, '='); /* the parser saw to it */
    const char *key = arena_sv(&r->arena, (struct sv){ pair, (size_t)(equals - pair) }).p;
    struct sv near = sql_run_near(key);

    if (near.p)
        cli_note(r->cli, "--conf %s is not known here; did you mean %.*s?", key,
                 SV_FMT(near));
    return put(r, key, equals + 1);
}

/* The application is called as its script is, unless the user says otherwise. */
static bool name_script(struct run *r)
{
    const char *file = r->cli->n_inputs ? r->cli->inputs[0] : NULL;
    const char *slash = file ? strrchr(file, '/') : NULL;

    if (!file || strcmp(file, "-") == 0)
        return true;
    return put(r, "spark.app.name", slash ? slash + 1 : file);
}

/* Options beside --conf are short names of settings. */
static bool put_options(struct run *r)
{
    const struct cli *cli = r->cli;
    bool many = cli->executors > 0;
    char number[32];

    if (!name_script(r))
        return false;
    for (size_t i = 0; i < cli->n_confs; i++)
        if (!put_pair(r, cli->confs[i]))
            return false;
    if (many) {
        snprintf(number, sizeof number, "%d", cli->executors);
        if (!put(r, "spark.executor.instances", number))
            return false;
    }
    if (cli->master && !put(r, "spark.master", cli->master))
        return false;
    if (cli->cores) {
        many |= cli->master != NULL;
        snprintf(number, sizeof number, many ? "%d" : "local[%d]", cli->cores);
        if (!put(r, many ? "spark.executor.cores" : "spark.master", number))
            return false;
    }
    return !cli->memory ||
           put(r, many ? "spark.executor.memory" : "spark.driver.memory", cli->memory);
}

/* --- rows -------------------------------------------------------------------------- */

/* Rows appear as their statements end; in a file all at once, at the end. */
static bool is_shown(const struct cli *cli)
{
    return !cli->output || strcmp(cli->output, "-") == 0;
}

static int show(struct run *r)
{
    int code = r->out.len ? cli_write(r->cli, strbuf_sv(&r->out)) : EXIT_DONE;

    strbuf_reset(&r->out);
    return code;
}

/* --- the log ---------------------------------------------------------------------- */

static bool make_own_log(struct run *r)
{
    const char *tmp = getenv("TMPDIR");

    r->own_log = strdup(
        arena_printf(&r->arena, "%s/spillway-log-XXXXXX", tmp && *tmp ? tmp : "/tmp"));
    if (!r->own_log)
        die("out of memory");
    if (mkdtemp(r->own_log))
        return true;
    cli_error("%s: %s", r->own_log, strerror(errno));
    free(r->own_log);
    r->own_log = NULL;
    return false;
}

/* Where --event-log or the settings say; else, if it is to be analysed, in a folder that
 * goes away again. */
static bool choose_log(struct run *r, bool analyse)
{
    const char *dir = r->cli->event_log;

    if (!dir && sql_run_keeps_log(r->sql))
        return true;
    if (!dir && analyse) {
        if (!make_own_log(r))
            return false;
        dir = r->own_log;
    }
    return !dir || (put(r, "spark.eventLog.enabled", "true") &&
                    put(r, "spark.eventLog.dir", dir));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void drop_own_log(struct run *r)
{
    if (r->own_log)
        nftw(r->own_log, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(r->own_log);
    r->own_log = NULL;
}

/* Rows for a program are not followed by a report. */
static bool wants_analysis(const struct cli *cli)
{
    bool data = cli_format(cli) != FORMAT_TEXT && is_shown(cli);

    return !cli->quiet && !data;
}

static int analyse_log(const struct run *r, const char *path)
{
    struct cli cli = { .verb = &verbs_all[VERB_ANALYZE],
                       .inputs = &path,
                       .n_inputs = 1,
                       .color = r->cli->color,
                       .ascii = r->cli->ascii,
                       .width = r->cli->width,
                       .no_progress = true,
                       .verbose = r->cli->verbose,
                       .max_nodes = -1,
                       .layout_timeout_ms = -1 };

    putchar('\n');
    fflush(stdout);
    return verb_analyze(&cli);
}

static void say_strange_set(const struct run *r, uint32_t i)
{
    struct sv key, near;

    if (sql_run_strange_set(r->sql, i, &key, &near))
        cli_note(r->cli, "SET %.*s is not known here; did you mean %.*s?", SV_FMT(key),
                 SV_FMT(near));
}

/* --- the verbs -------------------------------------------------------------------- */

static int run_statements(struct run *r, enum sql_way way)
{
    enum format format = cli_format(r->cli);
    enum sql_rows rows = format == FORMAT_JSON  ? SQL_ROWS_JSON
                         : format == FORMAT_CSV ? SQL_ROWS_CSV
                                                : SQL_ROWS_TEXT;
    struct sql_hooks hooks = { .ctx = r };
    struct strbuf message = { 0 };
    struct err err = { 0 };
    int code = EXIT_DONE;
    enum errc rc;

    if (!r->cli->quiet && !r->cli->no_progress && isatty(STDERR_FILENO)) {
        hooks.begun = stage_begun;
        hooks.progress = stage_progress;
        hooks.ended = stage_ended;
    }
    rc = sql_run_open(r->sql, &hooks, &err);
    if (rc != ERR_OK) {
        cli_error("%s", err.text);
        return exit_of(rc);
    }
    watch_signals(r->sql);
    for (uint32_t i = 0; i < sql_run_statements(r->sql) && rc == ERR_OK &&
                         code == EXIT_DONE && !signalled;
         i++) {
        if (way == SQL_RUN)
            say_strange_set(r, i);
        rc = sql_run_statement(r->sql, i, way, rows, &r->out, &message);
        wipe(r);
        if (is_shown(r->cli))
            code = show(r);
    }
    if (signalled)
        cli_note(r->cli, "interrupted");
    else if (rc != ERR_OK)
        say_lines(message.p);
    strbuf_release(&message);
    return signalled ? 128 + signalled : exit_worse(code, exit_of(rc));
}

static int begin(struct run *r, const struct cli *cli)
{
    *r = (struct run){ .cli = cli, .sql = sql_run_new() };
    int code = read_script(r);

    return code == EXIT_DONE && !put_options(r) ? EXIT_USAGE : code;
}

static int end(struct run *r, int code)
{
    drop_own_log(r);
    sql_run_free(r->sql);
    strbuf_release(&r->out);
    arena_release(&r->arena);
    return code;
}

static int close_and_write(struct run *r, int code)
{
    running = NULL;
    sql_run_close(r->sql, signalled != 0);
    return exit_worse(code, show(r));
}

/* --- on a real Spark -------------------------------------------------------------- */

static void on_spark_signal(int number)
{
    signalled = number;
    spark_stop();
}

static int spark_log_dir(struct run *r, const char **dir)
{
    const char *wanted = r->cli->event_log;
    char *whole;

    if (!wanted && !make_own_log(r))
        return EXIT_OUTPUT;
    if (wanted && mkdir(wanted, 0777) != 0 && errno != EEXIST) {
        cli_error("%s: %s", wanted, strerror(errno));
        return EXIT_OUTPUT;
    }
    whole = realpath(wanted ? wanted : r->own_log, NULL);
    if (!whole) {
        cli_error("%s: %s", wanted ? wanted : r->own_log, strerror(errno));
        return EXIT_OUTPUT;
    }
    *dir = arena_sv(&r->arena, sv(whole)).p;
    free(whole);
    return EXIT_DONE;
}

/* A script from standard input is given as text. */
static int spark_script(struct run *r, struct spark_call *call)
{
    const struct cli *cli = r->cli;
    const char *file = cli->n_inputs ? cli->inputs[0] : NULL;
    const char *slash = file ? strrchr(file, '/') : NULL;
    struct strbuf text = { 0 };
    int code = check_script(cli);

    if (code != EXIT_DONE)
        return code;
    if (file && strcmp(file, "-") != 0) {
        call->script = file;
        call->name = slash ? slash + 1 : file;
        if (access(file, R_OK) == 0)
            return EXIT_DONE;
        cli_error("%s: %s", file, strerror(errno));
        return EXIT_INPUT;
    }
    code = script_text(cli, file, &text);
    call->sql = arena_sv(&r->arena, strbuf_sv(&text)).p;
    call->name = "spillway";
    strbuf_release(&text);
    return code;
}

static int spark_call(struct run *r, struct spark_call *call)
{
    struct sigaction stop = { .sa_handler = on_spark_signal };
    struct strbuf said = { 0 };
    struct err err = { 0 };
    int code = EXIT_DONE;
    enum errc rc;

    sigemptyset(&stop.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    rc = spark_run(call, is_shown(r->cli) ? NULL : &r->out, &said, &code, &err);
    if (rc != ERR_OK) {
        cli_error("%s", err.text);
        code = exit_of(rc);
    } else if (signalled) {
        cli_note(r->cli, "interrupted");
        code = 128 + signalled;
    } else if (code != EXIT_DONE) {
        fprintf(stderr, "%s", said.p ? said.p : "");
        cli_error("spark-sql ended with %d", code);
    }
    strbuf_release(&said);
    return exit_worse(code, show(r));
}

static int run_on_spark(const struct cli *cli)
{
    struct run r = { .cli = cli };
    struct spark_call call = { .master = cli->master,
                               .executors = cli->executors,
                               .cores = cli->cores,
                               .memory = cli->memory,
                               .confs = cli->confs,
                               .n_confs = cli->n_confs,
                               .chatty = cli->verbose };
    struct spark_logs before = { 0 };
    struct err err = { 0 };
    const char *log;
    int code;

    if (cli_format(cli) != FORMAT_TEXT) {
        cli_error("--engine spark prints rows as spark-sql does: text");
        return EXIT_USAGE;
    }
    code = spark_script(&r, &call);
    if (code == EXIT_DONE && spark_find(&r.arena, &call.program, &err) != ERR_OK) {
        cli_error("%s", err.text);
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE)
        code = spark_log_dir(&r, &call.log_dir);
    if (code != EXIT_DONE)
        return end(&r, code);
    spark_logs_note(&before, call.log_dir);
    code = spark_call(&r, &call);
    log = spark_logs_new(&before, &r.arena, call.log_dir);
    spark_logs_release(&before);
    if (log && !cli->quiet && !signalled)
        code = exit_worse(code, analyse_log(&r, log));
    if (log && !r.own_log)
        cli_note(cli, "event log: %s", log);
    return end(&r, code);
}

int verb_run(const struct cli *cli)
{
    struct run r;

    if (cli->on_spark)
        return run_on_spark(cli);
    int code = begin(&r, cli);
    bool analyse = wants_analysis(cli);
    const char *log;

    if (code == EXIT_DONE && !choose_log(&r, analyse))
        code = EXIT_OUTPUT;
    if (code != EXIT_DONE)
        return end(&r, code);
    code = close_and_write(&r, run_statements(&r, SQL_RUN));
    log = sql_run_log(r.sql);
    if (log && analyse && !signalled)
        code = exit_worse(code, analyse_log(&r, log));
    if (log && !r.own_log)
        cli_note(cli, "event log: %s%s", log, signalled ? ".inprogress" : "");
    return end(&r, code);
}

int verb_explain(const struct cli *cli)
{
    struct run r;
    int code = begin(&r, cli);

    if (code != EXIT_DONE)
        return end(&r, code);
    return end(&r,
               close_and_write(&r, run_statements(&r, cli->extended ? SQL_EXPLAIN_EXTENDED
                                                                    : SQL_EXPLAIN)));
}
