/* The families of functions and aggregates, and what their bind hooks share. For the
 * func*.c and agg*.c files only. */
#ifndef ENGINE_EXPR_FUNC_LIST_H
#define ENGINE_EXPR_FUNC_LIST_H

#include "engine/column/decimal.h"
#include "engine/expr/func.h"

extern const struct func arith_funcs[], compare_funcs[], bit_funcs[], math_funcs[],
    string_funcs[], search_funcs[], pattern_funcs[], format_funcs[], digest_funcs[],
    guard_funcs[], url_funcs[], moment_funcs[], date_funcs[], clock_funcs[], misc_funcs[], json_funcs[],
    window_funcs[];

/* A call in the place of one that was bound: it cannot be refused. */
struct expr *func_must_call(struct arena *a, const struct settings *s, enum func_id id,
                            struct expr **args, uint32_t n);
/* struct func.sig at work. */
enum errc func_bind_sig(struct func_bind *b, const char *sig, struct err *err);
/* One type for the arguments from..n-1, as results of CASE get one. */
enum errc func_unify(struct func_bind *b, uint32_t from, struct type *t, struct err *err);
/* `[DATATYPE_MISMATCH...]`: argument i has to be of `wanted` ("STRING"). */
enum errc func_refuse(const struct func_bind *b, uint32_t i, const char *wanted,
                      struct err *err);
/* struct func.fill as a literal. */
struct expr *func_filling(struct arena *a, const char *fill);
/* The operands of a binary operator do not go together. */
enum errc func_refuse_pair(const struct func_bind *b, struct err *err);
/* They go together, but not in this operator, which takes `wanted`. */
enum errc func_refuse_both(const struct func_bind *b, const char *wanted,
                           struct err *err);
/* Operands of arithmetic or of a comparison: *t is the type both are cast to, except that
 * decimals keep their own (want has it) and *t is then TYPE_DECIMAL. False: none. */
bool func_arith_types(struct func_bind *b, struct type *t);
bool func_compare_type(const struct settings *s, const struct expr *x,
                       const struct expr *y, struct type *t);
/* Dates, timestamps and intervals under + - * /: false where no operand is one. */
bool moments_bind_add(struct func_bind *b);
bool moments_bind_subtract(struct func_bind *b);
/* Where those said no: text beside an interval of days becomes a timestamp and text again
 * (b->done); anything else beside one, or beside a date, is refused as Spark does. */
enum errc moments_refuse(struct func_bind *b, bool subtract, struct err *err);
bool moments_bind_multiply(struct func_bind *b);
bool moments_bind_divide(struct func_bind *b);
/* Type of the literal argument as Spark counts it beside a decimal: 5 is decimal(1,0). */
struct type func_as_decimal(const struct expr *e);
/* A literal that is not NULL, through casts of one. */
bool func_literal(const struct expr *e, struct value *out);

#endif
