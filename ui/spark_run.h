/* A script on a real Spark: spark-sql as a child process, with its event log on. */
#ifndef UI_SPARK_RUN_H
#define UI_SPARK_RUN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"

#include <stdbool.h>

struct spark_call {
    const char *program; /* spark_find's */
    const char *script;  /* a file; NULL: sql */
    const char *sql;
    const char *name, *master; /* NULL: Spark's own choice */
    int executors, cores;      /* 0: not given */
    const char *memory;        /* NULL: not given */
    const char *const *confs;  /* "key=value" */
    size_t n_confs;
    const char *log_dir; /* absolute, and there */
    bool chatty;         /* its standard error is shown as it comes */
};

/* $SPARK_HOME, PATH, then a virtual environment with pyspark. ERR_OPEN: none. */
enum errc spark_find(struct arena *a, const char **program, struct err *err) MUST_CHECK;
/* Runs it to its end; rows go to standard output, or into *rows where it is not NULL. What
 * it says on standard error is in *said, without its log's lines, unless chatty. *code is
 * its exit status, or 128 + the signal that ended it. */
enum errc spark_run(const struct spark_call *call, struct strbuf *rows,
                    struct strbuf *said, int *code, struct err *err) MUST_CHECK;
/* Safe in a signal handler: asks the running one to end; at the second time it must. */
void spark_stop(void);
/* The log that appeared in the folder since `before` was taken. */
struct spark_logs {
    char **names;
    int n;
};
void spark_logs_note(struct spark_logs *before, const char *dir);
const char *spark_logs_new(const struct spark_logs *before, struct arena *a,
                           const char *dir); /* NULL: none */
void spark_logs_release(struct spark_logs *before);

#endif
