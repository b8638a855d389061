/* Loading a log in a test, and places of test data. For tests only. */
#ifndef TESTS_UNIT_LOAD_HELPER_H
#define TESTS_UNIT_LOAD_HELPER_H

#include "analyzer/load.h"
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SHARED_LOGS                                                                      \
    "../shared/logs" /* the corpus beside the repository, if it is there */

static inline bool file_is_there(const char *path)
{
    return access(path, R_OK) == 0;
}

/* Loads the ix-th log behind path; false with the reason in *err. *n_logs (may be
 * NULL) is how many there are. Release the application with app_release. */
static inline bool try_load(struct app *app, const char *path, size_t ix, int threads,
                            size_t *n_logs, struct err *err)
{
    struct log_list list = { 0 };
    struct arena arena = { 0 };
    struct load_options options = { .threads = threads };
    bool ok = false;

    if (log_list_find(&list, sv(path), &arena, err) == ERR_OK) {
        if (n_logs)
            *n_logs = list.n;
        if (ix < list.n)
            ok = app_load(app, &list.logs[ix], &options, err) == ERR_OK;
    }
    arena_release(&arena);
    return ok;
}

/* The one log behind path, or the test fails. */
static inline void must_load(struct app *app, const char *path)
{
    struct err err = { 0 };

    if (!try_load(app, path, 0, 0, NULL, &err))
        fail_msg("%s", err.text);
}

/* All of a file; free() it. NULL where it cannot be read. */
static inline char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0, cap = 0;
    char *text = NULL;

    if (!f)
        return NULL;
    do {
        if (n + 1 >= cap) {
            cap = cap ? cap * 2 : 1 << 16;
            text = realloc(text, cap);
        }
        size_t got = fread(text + n, 1, cap - n - 1, f);
        if (got == 0)
            break;
        n += got;
    } while (true);
    fclose(f);
    text[n] = '\0';
    if (len)
        *len = n;
    return text;
}

#endif
