/* The types of SQL values, as Spark 3.5 has them, and how a value lies in memory.
 *
 * A type is small and passed by value. Names and sizes are Spark's: type_print gives
 * "decimal(15,2)", "bigint", "timestamp" as EXPLAIN, DESCRIBE and the event log show
 * them. */
#ifndef ENGINE_COLUMN_TYPE_H
#define ENGINE_COLUMN_TYPE_H

#include "base/err.h"
#include "base/strbuf.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

enum type_id {
    TYPE_NULL, /* "void": the type of a bare NULL; values are always NULL (1 byte each) */
    TYPE_BOOLEAN, /* uint8_t 0 or 1 */
    TYPE_BYTE,    /* int8_t: tinyint */
    TYPE_SHORT,   /* int16_t: smallint */
    TYPE_INT,     /* int32_t */
    TYPE_LONG,    /* int64_t: bigint */
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_DECIMAL,        /* unscaled: int64_t where precision <= 18, else i128 */
    TYPE_STRING,         /* struct str, UTF-8 */
    TYPE_BINARY,         /* struct str */
    TYPE_DATE,           /* int32_t days since 1970-01-01, proleptic Gregorian */
    TYPE_TIMESTAMP,      /* int64_t microseconds since 1970-01-01 00:00 UTC */
    TYPE_TIMESTAMP_NTZ,  /* the same, without a zone */
    TYPE_INTERVAL_MONTH, /* int32_t months: interval year to month */
    TYPE_INTERVAL_DAY,   /* int64_t microseconds: interval day to second */
};

/* Units of the two interval types: which fields show. */
enum interval_unit {
    UNIT_YEAR,
    UNIT_MONTH,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND
};

struct type {
    uint8_t id;               /* enum type_id */
    uint8_t precision, scale; /* of a decimal, 1..38 and 0..precision; else 0 */
    uint8_t units;            /* of an interval: first << 4 | last; else 0 */
};

#define DECIMAL_MAX_PRECISION 38
#define DECIMAL_MAX_LONG 18 /* digits that fit an int64_t */

static inline struct type type_of(enum type_id id)
{
    return (struct type){ .id = (uint8_t)id };
}

static inline struct type type_decimal(int precision, int scale)
{
    return (struct type){ .id = TYPE_DECIMAL,
                          .precision = (uint8_t)precision,
                          .scale = (uint8_t)scale };
}

static inline struct type type_interval(enum interval_unit first, enum interval_unit last)
{
    return (struct type){ .id = first <= UNIT_MONTH ? TYPE_INTERVAL_MONTH
                                                    : TYPE_INTERVAL_DAY,
                          .units = (uint8_t)(first << 4 | last) };
}

bool type_eq(struct type a, struct type b);
/* Bytes of one value in a column: 1, 2, 4, 8 or 16. */
size_t type_width(struct type t);
/* A decimal held in an i128. */
static inline bool type_is_wide(struct type t)
{
    return t.id == TYPE_DECIMAL && t.precision > DECIMAL_MAX_LONG;
}
bool type_is_integral(struct type t); /* tinyint to bigint */
bool type_is_numeric(struct type t);  /* integral, float, double, decimal */
bool type_is_text(struct type t);     /* struct str: string or binary */
/* Spark's default size, for estimates (planner reference, section 2). */
int64_t type_default_bytes(struct type t);
/* Spark's catalog name: "int", "decimal(15,2)", "interval day to second". */
void type_print(struct strbuf *out, struct type t);
/* The inverse, case-blind, with the aliases of Spark's grammar ("integer", "long",
 * "real", "dec", "numeric", "char(n)" and "varchar(n)" as string). ERR_SYNTAX names the
 * text. */
enum errc type_parse(struct sv text, struct type *out, struct err *err) MUST_CHECK;

#endif
