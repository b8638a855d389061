/* Growing text. See strbuf.h. */
#include "base/strbuf.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void room(struct strbuf *b, size_t more)
{
    if (more > SIZE_MAX / 2 - b->len)
        die("out of memory (%zu more bytes)", more);
    if (b->len + more + 1 <= b->cap)
        return;
    b->cap = b->cap * 2 > b->len + more + 1 ? b->cap * 2 : b->len + more + 1;
    b->p = xrealloc(b->p, b->cap);
}

void strbuf_add(struct strbuf *b, struct sv text)
{
    room(b, text.len);
    if (text.len)
        memcpy(b->p + b->len, text.p, text.len);
    b->len += text.len;
    b->p[b->len] = '\0';
}

void strbuf_addz(struct strbuf *b, const char *text)
{
    strbuf_add(b, sv(text));
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, (struct sv){ &c, 1 });
}

void strbuf_fill(struct strbuf *b, char c, size_t n)
{
    room(b, n);
    memset(b->p + b->len, c, n);
    b->len += n;
    b->p[b->len] = '\0';
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("text that cannot be formatted: %s", fmt);
    room(b, (size_t)n);
    vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
}

void strbuf_reset(struct strbuf *b)
{
    b->len = 0;
    if (b->p)
        b->p[0] = '\0';
}

void strbuf_release(struct strbuf *b)
{
    free(b->p);
    *b = (struct strbuf){ 0 };
}

struct sv strbuf_sv(const struct strbuf *b)
{
    return (struct sv){ b->p ? b->p : "", b->len };
}
