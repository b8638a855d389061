/* Error texts. See err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum errc err_set(struct err *err, enum errc code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return code;
}

void err_prefix(struct err *err, const char *fmt, ...)
{
    struct err made = { 0 };
    va_list ap;

    if (!err)
        return;
    va_start(ap, fmt);
    int n = vsnprintf(made.text, sizeof made.text, fmt, ap);
    va_end(ap);
    size_t at = n < 0 ? 0 : (size_t)n;
    if (at < sizeof made.text - 2) {
        made.text[at++] = ':';
        made.text[at++] = ' ';
        size_t rest = strnlen(err->text, sizeof made.text - 1 - at);
        memcpy(made.text + at, err->text, rest);
        made.text[at + rest] = '\0';
    }
    memcpy(err->text, made.text, sizeof err->text);
}

void die(const char *fmt, ...)
{
    va_list ap;

    fputs("spillway: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}
