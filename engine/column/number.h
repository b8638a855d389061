/* Numbers as text, both ways, as Java and so Spark write and read them. */
#ifndef ENGINE_COLUMN_NUMBER_H
#define ENGINE_COLUMN_NUMBER_H

#include "base/sv.h"

/* Double.toString of Java 17: "0.1", "1.0E10", "NaN", "-Infinity". Not always the
 * shortest digits: see number.c. Into at most NUMBER_TEXT bytes; returns how many. */
enum { NUMBER_TEXT = 48 };
size_t double_format(char *to, double x);
size_t float_format(char *to, float x);
size_t long_format(char *to, int64_t x);

/* As CAST reads text; blanks and control characters around are allowed. False: none.
 * Doubles: Java's grammar ("1e3", ".5", "1d", "0x1p3") and "inf", "infinity", "nan" in
 * any case. */
bool double_parse(struct sv text, double *out);
bool float_parse(struct sv text, float *out);
/* An integer, whose fraction, where allowed, must be digits and is dropped: "1.9" is 1,
 * "." is 0, as Spark has it. */
bool long_parse(struct sv text, bool allow_fraction, int64_t *out);
/* "true", "t", "yes", "y", "1" and their opposites, in any case. */
bool boolean_parse(struct sv text, bool *out);
/* Without what Spark's casts trim: bytes up to the blank, and DEL. */
struct sv number_trim(struct sv text);

#endif
