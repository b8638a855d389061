/* One JSON text, token by token, without a tree: what reading records of flat objects
 * needs. Single quotes are taken as double ones, as the source does by default. */
#ifndef ENGINE_STORE_JSON_SCAN_H
#define ENGINE_STORE_JSON_SCAN_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/sv.h"

#include <stdbool.h>

enum json_kind {
    JSON_BAD,
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_INTEGER,
    JSON_REAL,
    JSON_NO_NUMBER, /* NaN, Infinity, -Infinity: bare words that the source takes by default */
    JSON_TEXT,
    JSON_OBJECT,
    JSON_ARRAY
};

struct json_in {
    const char *p, *end;
    struct arena *text; /* for strings with escapes */
    bool control;       /* strings may have control characters as they are */
};

void json_scan_blanks(struct json_in *in);
/* A string's value at p (on its quote). p NULL: no string. */
struct sv json_scan_text(struct json_in *in);
/* The value at p: its kind; a string's value or the value's own bytes. Nested values are
 * checked and passed over. */
enum json_kind json_scan_value(struct json_in *in, struct sv *out);
/* Walks `{"key": value, ...}`: after json_scan_open_object, json_scan_next_key gives keys
 * until false; each value is read with json_scan_value. bad is set where the text is no
 * object. */
bool json_scan_open_object(struct json_in *in);
bool json_scan_next_key(struct json_in *in, bool *first, struct sv *key, bool *bad);
/* A good value as Jackson's generator writes what it read: without blanks, with the fewest
 * escapes, numbers with a point as doubles. */
void json_scan_compact(struct strbuf *out, struct sv value);

#endif
