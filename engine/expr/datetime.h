/* Datetime patterns: "yyyy-MM-dd HH:mm:ss", to and from text, as Spark's formatters.
 *
 * Letters: G y M L d D E a H k K h m s S q Q V z O X x Z, text in quotes, [optional]. */
#ifndef ENGINE_EXPR_DATETIME_H
#define ENGINE_EXPR_DATETIME_H

#include "engine/column/date.h"

struct pattern_item;

struct pattern { /* zeroed: none compiled */
    struct arena memory;
    struct sv text; /* as compiled; absent: none */
    struct pattern_item *items;
    uint32_t n;
};

/* Keeps what is compiled already. ERR_SYNTAX: a letter that is not known, or one that
 * Spark 3 refuses because Spark 2 took it for something else. */
enum errc pattern_compile(struct pattern *p, struct sv text, struct err *err) MUST_CHECK;
void pattern_release(struct pattern *p);

/* zone_name: the session's zone as set, for V and z. */
void pattern_format(struct strbuf *out, const struct pattern *p, int64_t us,
                    const struct zone *zone, struct sv zone_name);

enum parsed {
    PARSED,
    NOT_PARSED,
    PARSED_LOOSELY, /* Spark 2 would have taken it: an error in Spark 3 */
};
/* Into *us, UTC; without a zone in the text it is a time of `zone`. */
enum parsed pattern_parse(const struct pattern *p, struct sv text,
                          const struct zone *zone, int64_t *us);

#endif
