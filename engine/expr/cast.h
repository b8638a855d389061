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

/* The kernel of EXPR_CAST: c->args[0] FLAT or CONST (rows of a DICT are unpacked with
 * eval_flat first), c->out FLAT of the target type with a mask wherever the argument has
 * one or cast_may_null() says so. Mode by c->expr and the settings of c->env. */
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

/* May the result be NULL where the argument is not (Spark's forceNullable)? */
bool cast_may_null(struct type from, struct type to);

#endif
