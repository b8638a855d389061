/* UTF-8 of untrusted text. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/strbuf.h"

/* True where the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing
 * overlong, at most U+10FFFF). */
bool utf8_valid(struct sv text);
/* Length of the well-formed character at s.p, 0 where there is none. */
size_t utf8_char(struct sv s);
/* Code point of the well-formed character of n bytes at p. */
uint32_t utf8_code(const char *p, size_t n);
/* Adds code point c as UTF-8. */
void utf8_add(struct strbuf *out, uint32_t c);

/* Text fit for a terminal line or a label: broken bytes become U+FFFD, control
 * characters (C0, C1, DEL, bidirectional overrides, line and paragraph
 * separators) become a middle dot, and what is longer than max_chars characters
 * is cut in the middle with "~". max_chars 0: no cut. */
void utf8_clean(struct strbuf *out, struct sv text, size_t max_chars);
/* Columns a terminal needs for clean text (wcwidth; unknown ones count 1). */
size_t utf8_width(struct sv text);

#endif
