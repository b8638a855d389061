/* One SQL value outside a column: literals, settings of functions, partition values,
 * results as text. */
#ifndef ENGINE_COLUMN_VALUE_H
#define ENGINE_COLUMN_VALUE_H

#include "engine/column/vec.h"
#include "engine/column/zone.h"

struct value {
    struct type type;
    bool null;
    union {
        bool b;
        int64_t i;   /* all integral types, date, timestamps, intervals */
        double f;    /* double; float as the double of the same value */
        i128 dec;    /* unscaled */
        struct sv s; /* string, binary: borrowed, or in the plan's arena */
    } u;
};

struct value value_null(struct type t);
struct value value_bool(bool b);
struct value value_int(int32_t i);
struct value value_long(int64_t i);
struct value value_double(double f);
struct value value_string(struct sv s);
struct value value_decimal(i128 unscaled, int precision, int scale);

/* Equal as Spark's literals are: type and value, NULL equal to NULL, NaN to NaN. */
bool value_eq(const struct value *a, const struct value *b);
/* Order of two values of one type that are not NULL; NaN is largest, -0.0 equals 0.0. */
int value_cmp(const struct value *a, const struct value *b);
/* The value of a row; text still points into the batch. */
struct value value_at(const struct vec *v, uint32_t row);
/* Stores the value as row of a FLAT vec whose mask, where the value is NULL, exists. */
void value_store(struct vec *v, uint32_t row, const struct value *x);

/* As spark-sql prints results: decimals with all digits, intervals bare ("1-2",
 * "1 02:03:04.500000000"), else as value_print. */
void value_print_result(struct strbuf *out, const struct value *x,
                        const struct zone *zone);
/* As `CAST(x AS STRING)` gives it; NULL is "NULL". The zone matters for timestamps
 * only. */
void value_print(struct strbuf *out, const struct value *x, const struct zone *zone);

#endif
