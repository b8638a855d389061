/* A script on a real Spark.
 *
 * spark-sql prints rows on standard output, separated by tabs, and mixes what it has to
 * say of errors with its log on standard error: the latter is kept in a file, and its
 * log's lines are left out of what a user is shown. */
#include "ui/spark_run.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- finding it ------------------------------------------------------------------- */

static const char *in_path(struct arena *a)
{
    const char *path = getenv("PATH");
    struct sv left = sv(path ? path : "");

    while (left.len) {
        size_t end = sv_find(left, SV(":"));
        struct sv dir = { left.p, end == SIZE_MAX ? left.len : end };
        const char *file = arena_printf(a, "%.*s/spark-sql", SV_FMT(dir));

        if (dir.len && access(file, X_OK) == 0)
            return file;
        left = sv_from(left, end == SIZE_MAX ? left.len : end + 1);
    }
    return NULL;
}

static const char *in_environment(struct arena *a, const char *root)
{
    const char *file = NULL;
    glob_t found = { 0 };

    if (glob(arena_printf(a, "%s/lib/python3*/site-packages/pyspark/bin/spark-sql", root),
             0, NULL, &found) == 0 &&
        access(found.gl_pathv[0], X_OK) == 0)
        file = arena_sv(a, sv(found.gl_pathv[0])).p;
    globfree(&found);
    return file;
}

enum errc spark_find(struct arena *a, const char **program, struct err *err)
{
    const char *home = getenv("SPARK_HOME"), *venv = getenv("VIRTUAL_ENV");

    if (home && *home) {
        *program = arena_printf(a, "%s/bin/spark-sql", home);
        if (access(*program, X_OK) == 0)
            return ERR_OK;
        return err_set(err, ERR_OPEN, "SPARK_HOME: %s: %s", *program, strerror(errno));
    }
    *program = in_path(a);
    if (!*program && venv && *venv)
        *program = in_environment(a, venv);
    if (*program)
        return ERR_OK;
    return err_set(err, ERR_OPEN,
                   "no Spark is here: spark-sql is neither in SPARK_HOME nor in PATH, and "
                   "VIRTUAL_ENV has no pyspark");
}

/* --- its arguments ---------------------------------------------------------------- */

struct words {
    struct arena arena;
    char **at;
    size_t n, cap;
};

static void add(struct words *w, const char *word)
{
    GROW(w->at, w->n, w->cap);
    w->at[w->n++] = (char *)(uintptr_t)word;
}

static void add_option(struct words *w, const char *option, const char *value)
{
    add(w, option);
    add(w, value);
}

static void add_conf(struct words *w, const char *key, const char *value)
{
    add_option(w, "--conf", arena_printf(&w->arena, "%s=%s", key, value));
}

/* Without a master, executors are those of a local cluster, in MiB as it wants them. */
static const char *master_of(struct words *w, const struct spark_call *c, int64_t mib)
{
    int cores = c->cores ? c->cores : 1;

    if (c->master)
        return c->master;
    if (c->executors)
        return arena_printf(&w->arena, "local-cluster[%d,%d,%lld]", c->executors, cores,
                            (long long)mib);
    return c->cores ? arena_printf(&w->arena, "local[%d]", c->cores) : "local[*]";
}

static int64_t memory_mib(const char *memory)
{
    char *end;
    long long n = memory ? strtoll(memory, &end, 10) : 1024;

    if (!memory)
        return n;
    return *end == 'g' || *end == 'G' ? n * 1024 : *end == 'k' || *end == 'K' ? n / 1024 : n;
}

/* What the user set comes behind our own words, and the log's place last. */
static void arguments(struct words *w, const struct spark_call *c)
{
    bool many = c->executors || c->master;

    add(w, c->program);
    add_option(w, "--master", master_of(w, c, memory_mib(c->memory)));
    if (c->name)
        add_option(w, "--name", c->name);
    if (c->executors)
        add_conf(w, "spark.executor.instances", arena_printf(&w->arena, "%d", c->executors));
    if (c->cores && many)
        add_conf(w, "spark.executor.cores", arena_printf(&w->arena, "%d", c->cores));
    if (c->memory)
        add_conf(w, many ? "spark.executor.memory" : "spark.driver.memory", c->memory);
    for (size_t i = 0; i < c->n_confs; i++)
        add_option(w, "--conf", c->confs[i]);
    add_conf(w, "spark.eventLog.enabled", "true");
    add_conf(w, "spark.eventLog.dir", arena_printf(&w->arena, "file://%s", c->log_dir));
    add_option(w, c->script ? "-f" : "-e", c->script ? c->script : c->sql);
    GROW(w->at, w->n, w->cap);
    w->at[w->n] = NULL;
}

/* --- running it ------------------------------------------------------------------- */

static volatile sig_atomic_t child_pid;
static volatile sig_atomic_t asked;

void spark_stop(void)
{
    if (child_pid > 0)
        kill((pid_t)child_pid, asked ? SIGKILL : SIGTERM);
    asked = 1;
}

static bool is_log_line(struct sv line)
{
    static const char *const begins[] = {
        "Setting default log level", "To adjust logging level", "Spark Web UI available",
        "Spark master:",             "Time taken:",             "[Stage",
    };

    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (sv_starts(line, sv(begins[i])))
            return true;
    /* "26/11/23 06:55:15 WARN ..." */
    return line.len > 17 && line.p[2] == '/' && line.p[5] == '/' && line.p[11] == ':' &&
           line.p[14] == ':';
}

static void read_said(FILE *f, struct strbuf *said)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    rewind(f);
    while ((n = getline(&line, &room, f)) > 0) {
        struct sv text = { line, (size_t)n };

        while (sv_find(text, SV("\r")) != SIZE_MAX) /* a progress bar */
            text = sv_from(text, sv_find(text, SV("\r")) + 1);
        if (sv_trim(text).len && !is_log_line(text))
            strbuf_add(said, text);
    }
    free(line);
}

static void read_rows(int fd, struct strbuf *rows)
{
    char piece[16384];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            strbuf_add(rows, (struct sv){ piece, (size_t)n });
}

static enum errc start(const struct spark_call *call, int out_fd, int err_fd,
                       struct err *err)
{
    posix_spawn_file_actions_t actions;
    struct words words = { 0 };
    pid_t pid;
    int failed;

    arguments(&words, call);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (out_fd >= 0)
        posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (err_fd >= 0)
        posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
    asked = 0;
    failed = posix_spawn(&pid, call->program, &actions, NULL, words.at, environ);
    if (!failed)
        child_pid = (sig_atomic_t)pid;
    posix_spawn_file_actions_destroy(&actions);
    free(words.at);
    arena_release(&words.arena);
    return failed ? err_set(err, ERR_OPEN, "%s: %s", call->program, strerror(failed))
                  : ERR_OK;
}

static int wait_for_it(void)
{
    int status;

    while (waitpid((pid_t)child_pid, &status, 0) < 0 && errno == EINTR)
        ;
    child_pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

enum errc spark_run(const struct spark_call *call, struct strbuf *rows,
                    struct strbuf *said, int *code, struct err *err)
{
    FILE *log = call->chatty ? NULL : tmpfile();
    int ends[2] = { -1, -1 };
    enum errc rc;

    if ((!call->chatty && !log) || (rows && pipe2(ends, O_CLOEXEC) != 0)) {
        if (log)
            fclose(log);
        return err_set(err, ERR_OUTPUT, "%s", strerror(errno));
    }
    fflush(stdout);
    rc = start(call, ends[1], log ? fileno(log) : -1, err);
    if (ends[1] >= 0)
        close(ends[1]);
    if (rc == ERR_OK) {
        if (rows)
            read_rows(ends[0], rows);
        *code = wait_for_it();
        if (log)
            read_said(log, said);
    }
    if (ends[0] >= 0)
        close(ends[0]);
    if (log)
        fclose(log);
    return rc;
}

/* --- its log ---------------------------------------------------------------------- */

void spark_logs_note(struct spark_logs *before, const char *dir)
{
    struct dirent **found = NULL;
    int n = scandir(dir, &found, NULL, NULL);

    before->n = 0;
    before->names = xcalloc((size_t)(n > 0 ? n : 0) + 1, sizeof(char *));
    for (int i = 0; i < n; i++) {
        before->names[before->n] = strdup(found[i]->d_name);
        if (!before->names[before->n++])
            die("out of memory");
        free(found[i]);
    }
    free(found);
}

static bool was_there(const struct spark_logs *before, const char *name)
{
    for (int i = 0; i < before->n; i++)
        if (strcmp(before->names[i], name) == 0)
            return true;
    return false;
}

const char *spark_logs_new(const struct spark_logs *before, struct arena *a,
                           const char *dir)
{
    struct timespec newest = { 0 };
    const char *best = NULL;
    DIR *d = opendir(dir);
    struct dirent *e;
    struct stat st;

    while (d && (e = readdir(d))) {
        const char *path = arena_printf(a, "%s/%s", dir, e->d_name);

        if (e->d_name[0] == '.' || was_there(before, e->d_name) || stat(path, &st) != 0)
            continue;
        if (best && (st.st_mtim.tv_sec < newest.tv_sec ||
                     (st.st_mtim.tv_sec == newest.tv_sec &&
                      st.st_mtim.tv_nsec < newest.tv_nsec)))
            continue;
        best = path;
        newest = st.st_mtim;
    }
    if (d)
        closedir(d);
    return best;
}

void spark_logs_release(struct spark_logs *before)
{
    for (int i = 0; i < before->n; i++)
        free(before->names[i]);
    free(before->names);
    *before = (struct spark_logs){ 0 };
}
