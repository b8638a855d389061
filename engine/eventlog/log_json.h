/* JSON as the event log has it: compact, keys in the order they are written. A comma goes
 * in front of whatever does not open an object or list. */
#ifndef ENGINE_EVENTLOG_LOG_JSON_H
#define ENGINE_EVENTLOG_LOG_JSON_H

#include "base/strbuf.h"

#define JS_RAW(b, literal) strbuf_add((b), SV(literal))

void js_comma(struct strbuf *b);
void js_int(struct strbuf *b, int64_t i); /* a bare number, no comma */
/* Quoted; broken UTF-8 becomes U+FFFD. Absent text is "". */
void js_text(struct strbuf *b, struct sv s);

/* "key": then nothing, or a value. */
void js_key(struct strbuf *b, const char *key);
void js_key_int(struct strbuf *b, const char *key, int64_t i);
void js_key_bool(struct strbuf *b, const char *key, bool x);
void js_key_text(struct strbuf *b, const char *key, struct sv s);
void js_key_textz(struct strbuf *b, const char *key, const char *s);

#endif
