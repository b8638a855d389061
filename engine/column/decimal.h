/* Decimals: unscaled integers of up to 38 digits, with Spark's rules for result types.
 *
 * Values are i128 here; columns of precision <= 18 hold int64_t. "Fits" means: has no
 * more digits than the precision. Rounding is half up (away from zero) everywhere. */
#ifndef ENGINE_COLUMN_DECIMAL_H
#define ENGINE_COLUMN_DECIMAL_H

#include "engine/column/type.h"

/* 10^n, n 0..38. */
extern const i128 decimal_pow10[39];

/* |x| < 10^precision. */
static inline bool decimal_fits(i128 x, int precision)
{
    return x < decimal_pow10[precision] && x > -decimal_pow10[precision];
}

static inline u128 decimal_magnitude(i128 x)
{
    return x < 0 ? (u128)0 - (u128)x : (u128)x;
}

/* ---- result types (arguments are decimals) ---- */

enum decimal_op {
    DEC_ADD,
    DEC_SUBTRACT,
    DEC_MULTIPLY,
    DEC_DIVIDE,
    DEC_REMAINDER,
    DEC_DIV
};
/* allow_loss: spark.sql.decimalOperations.allowPrecisionLoss, true by default. The type
 * of DEC_DIV is that of the quotient before its cast to bigint. */
struct type decimal_result(enum decimal_op op, struct type a, struct type b,
                           bool allow_loss);
/* The type an integral type counts as: int is decimal(10,0), bigint decimal(20,0);
 * float decimal(14,7), double decimal(30,15). Others: itself. */
struct type decimal_for(struct type t);
/* Holds all values of both (DecimalPrecision.widerDecimalType, cut to 38 digits). */
struct type decimal_wider(struct type a, struct type b);

/* ---- arithmetic; false: more digits than the result type has (NULL), or by zero ---- */

/* Another scale, rounded half up, checked against the precision. */
bool decimal_rescale(i128 x, int from_scale, int to_precision, int to_scale, i128 *out);
/* Operands with their own types; the exact result rounded once to type r. */
bool decimal_add(i128 x, struct type a, i128 y, struct type b, struct type r, i128 *out);
bool decimal_subtract(i128 x, struct type a, i128 y, struct type b, struct type r,
                      i128 *out);
bool decimal_multiply(i128 x, struct type a, i128 y, struct type b, struct type r,
                      i128 *out);
bool decimal_divide(i128 x, struct type a, i128 y, struct type b, struct type r,
                    i128 *out);
/* Sign of the dividend. */
bool decimal_remainder(i128 x, struct type a, i128 y, struct type b, struct type r,
                       i128 *out);
/* Integral quotient towards zero, wrapped to 64 bits as Decimal.toLong does. */
bool decimal_div(i128 x, struct type a, i128 y, struct type b, int64_t *out);
int decimal_cmp(i128 x, int x_scale, i128 y, int y_scale);
/* Rounding modes of round(), bround(), floor(), ceil() to a scale that may be negative
 * (digits before the point become zeros); the result has scale max(to, 0). False: it
 * does not fit 38 digits. */
enum decimal_rounding {
    ROUND_HALF_UP,
    ROUND_HALF_EVEN,
    ROUND_FLOOR,
    ROUND_CEIL,
    ROUND_DOWN
};
bool decimal_round(i128 x, int scale, int to, enum decimal_rounding how, i128 *out);

/* ---- conversions ---- */

/* Plain text with all digits of the scale: "-0.050". At most DECIMAL_TEXT bytes; returns
 * how many. */
enum { DECIMAL_TEXT = 42 };
size_t decimal_format(char *to, i128 x, int scale);
/* As cast to string shows it, Java's BigDecimal.toString: "1E-7" where the exponent is
 * below -6, else plain. */
size_t decimal_format_java(char *to, i128 x, int scale);
/* A number with optional sign, point and exponent and nothing around it, rounded half up
 * to the type. Not a number: DECIMAL_BAD; too large: DECIMAL_OVERFLOW. */
enum decimal_text { DECIMAL_OK, DECIMAL_BAD, DECIMAL_OVERFLOW };
enum decimal_text decimal_parse(struct sv text, struct type t, i128 *out);
/* The literal's own type: digits and scale as written ("1.50" is decimal(3,2), "1e3"
 * decimal(4,0)). */
enum decimal_text decimal_parse_literal(struct sv text, i128 *out, struct type *t);
double decimal_to_double(i128 x, int scale);
/* By the shortest text of the double, as Spark does; NaN and infinities: false. */
bool decimal_from_double(double f, struct type t, i128 *out);
bool decimal_from_long(int64_t i, struct type t, i128 *out);
/* The integer part. False: not an int64. */
bool decimal_to_long(i128 x, int scale, int64_t *out);

#endif
