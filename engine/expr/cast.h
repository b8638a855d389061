/* CAST and TRY_CAST between all types, by Spark 3.5's rules, over batches.
 *
 * The default (ANSI off): what does not fit or does not parse is NULL, integers wrap.
 * With ANSI on it is an error with Spark's class, and with TRY_CAST always NULL. */
#ifndef ENGINE_EXPR_CAST_H
#define ENGINE_EXPR_CAST_H

#include "engine/column/number.h"
#include "engine/column/value.h"

struct eval_call;

enum cast_mode { CAST_LEGACY, CAST_ANSI, CAST_TRY };

/* The kernel of EXPR_CAST: argument of any kind, c->out FLAT of the target type with a
 * mask wherever the argument has one or cast_may_null() says so; it fills in the mask.
 * Mode by c->expr and the settings of c->env. */
enum errc cast_run(struct eval_call *c, struct err *err) MUST_CHECK;

/* The same on its own: rows of b that count from `in` (any kind) to `out` (FLAT, with a
 * mask as above). Bytes of new text go into `text`; text that stays as it is keeps
 * pointing into `in`. */
enum errc cast_rows(const struct vec *in, const struct batch *b, struct vec *out,
                    enum cast_mode mode, const struct zone *zone, struct arena *text,
                    struct err *err) MUST_CHECK;

/* One value; text in the arena. */
enum errc cast_value(struct arena *a, const struct value *x, struct type to,
                     enum cast_mode mode, const struct zone *zone, struct value *out,
                     struct err *err) MUST_CHECK;

/* How one value fares. The places that turn it into NULL or an error are in cast.c. */
enum cast_answer {
    CAST_OK,
    CAST_NULL,      /* no error in any mode: infinity to decimal */
    CAST_MALFORMED, /* CAST_INVALID_INPUT */
    CAST_OVERFLOW,  /* CAST_OVERFLOW */
    CAST_PRECISION, /* NUMERIC_VALUE_OUT_OF_RANGE of a decimal */
    CAST_RAISES,    /* an error in the default mode too: text that is no interval */
};

/* The rules (cast_value.c): x is not NULL; out's type is set, its value is filled in.
 * strict: as ANSI and TRY_CAST have it. Text in the arena. */
enum cast_answer cast_one(struct arena *a, const struct value *x, bool strict,
                          const struct zone *zone, struct value *out);
/* A value that is not NULL as text (cast_text.c). */
void cast_text(struct strbuf *out, const struct value *x, bool plain_decimals,
               const struct zone *zone);
/* The same into CAST_TEXT bytes, where the text has a bound: all but text and intervals,
 * for which it is false. */
enum { CAST_TEXT = 64 };
bool cast_format(char *to, size_t *n, const struct value *x, bool plain_decimals,
                 const struct zone *zone);
/* Text as an interval of the type; false: it is none. */
bool interval_parse(struct sv text, struct type t, int64_t *out);

/* May the result be NULL where the argument is not (Spark's forceNullable)? */
bool cast_may_null(struct type from, struct type to);

#endif
