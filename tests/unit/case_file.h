/* Files of cases: a case a line, fields separated by tabs, "\t", "\n", "\\" for
 * themselves, "\N" for an absent field. */
#ifndef TESTS_UNIT_CASE_FILE_H
#define TESTS_UNIT_CASE_FILE_H

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CASE_FIELDS = 8 };

struct case_file { /* zeroed; case_file_release at the end */
    struct arena arena;
    FILE *in;
    int line;
    int n;
    struct sv field[CASE_FIELDS]; /* NUL-terminated; absent for \N */
};

static struct sv case_unescape(struct arena *a, const char *p, size_t n)
{
    char *to = arena_bytes(a, n + 1);
    size_t len = 0;

    if (n == 2 && memcmp(p, "\\N", 2) == 0)
        return (struct sv){ 0 };
    for (size_t i = 0; i < n; i++) {
        char c = p[i];

        if (c == '\\' && i + 1 < n) {
            c = p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
        }
        to[len++] = c;
    }
    to[len] = '\0';
    return (struct sv){ to, len };
}

/* The next case's fields; false at the end. */
static bool case_file_next(struct case_file *f, const char *path)
{
    char *text = NULL;
    size_t room = 0;

    if (!f->in && !(f->in = fopen(path, "r")))
        fail_msg("%s cannot be opened: run tests at the top of the repository", path);
    ssize_t len = getline(&text, &room, f->in);
    if (len <= 0) {
        free(text);
        return false;
    }
    if (text[len - 1] == '\n')
        len--;
    arena_reset(&f->arena);
    f->n = 0;
    f->line++;
    for (ssize_t from = 0; from <= len && f->n < CASE_FIELDS;) {
        ssize_t to = from;

        while (to < len && text[to] != '\t')
            to++;
        f->field[f->n++] = case_unescape(&f->arena, text + from, (size_t)(to - from));
        from = to + 1;
    }
    free(text);
    return true;
}

static void case_file_release(struct case_file *f)
{
    if (f->in)
        fclose(f->in);
    arena_release(&f->arena);
}

#endif
