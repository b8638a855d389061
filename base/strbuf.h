/* Text that grows. A zeroed struct is empty; strbuf_release frees it. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/sv.h"

struct strbuf {
    char *p; /* NUL-terminated once anything was added; NULL when empty */
    size_t len, cap;
};

void strbuf_add(struct strbuf *b, struct sv text);
void strbuf_addz(struct strbuf *b, const char *text);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_fill(struct strbuf *b, char c, size_t n);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_reset(struct strbuf *b);
void strbuf_release(struct strbuf *b);
struct sv strbuf_sv(const struct strbuf *b);

#endif
