/* Writing JSON: compact, valid UTF-8 whatever the text, whole numbers exact.
 *
 * Commas are put in by the writer. Nothing is checked but nesting (assert). */
#ifndef UI_JSON_WRITER_H
#define UI_JSON_WRITER_H

#include "base/strbuf.h"

#define JSON_NONE INT64_MIN /* "the log does not say": APP_NONE */

struct json_writer {
    struct strbuf *out;
    bool comma; /* a value went before on this level */
    int depth;
};

void json_object(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w);
void json_array_end(struct json_writer *w);
/* The key is ours, of plain ASCII. */
void json_key(struct json_writer *w, const char *key);
/* A key from a log. */
void json_key_text(struct json_writer *w, struct sv key);

/* null for JSON_NONE. */
void json_int(struct json_writer *w, int64_t n);
/* The shortest text that reads back the same; null for NaN and infinities. */
void json_double(struct json_writer *w, double x);
/* As json_double, rounded to `digits` significant ones. */
void json_rounded(struct json_writer *w, double x, int digits);
void json_bool(struct json_writer *w, bool b);
void json_null(struct json_writer *w);
/* Broken bytes become U+FFFD. null where text.p is NULL. */
void json_text(struct json_writer *w, struct sv text);

/* Key and value at once. */
void json_put_int(struct json_writer *w, const char *key, int64_t n);
void json_put_bool(struct json_writer *w, const char *key, bool b);
void json_put_text(struct json_writer *w, const char *key, struct sv text);
void json_put_null(struct json_writer *w, const char *key);

#endif
