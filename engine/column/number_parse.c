/* Numbers and booleans from text. */
#include "engine/column/number.h"

#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

struct sv number_trim(struct sv s)
{
    while (s.len && ((unsigned char)s.p[0] <= ' ' || s.p[0] == 127))
        s = sv_from(s, 1);
    while (s.len && ((unsigned char)s.p[s.len - 1] <= ' ' || s.p[s.len - 1] == 127))
        s.len--;
    return s;
}

bool long_parse(struct sv text, bool allow_fraction, int64_t *out)
{
    struct sv s = number_trim(text);
    bool negative = s.len && s.p[0] == '-';
    size_t i = negative || (s.len && s.p[0] == '+');
    int64_t x = 0; /* below zero throughout: the range there is larger by one */

    if (i == s.len)
        return false;
    for (; i < s.len && !(allow_fraction && s.p[i] == '.'); i++) {
        unsigned digit = (unsigned char)s.p[i] - '0';

        if (digit > 9 || __builtin_mul_overflow(x, 10, &x) ||
            __builtin_sub_overflow(x, (int64_t)digit, &x))
            return false;
    }
    for (i += i < s.len; i < s.len; i++)
        if (!isdigit((unsigned char)s.p[i]))
            return false;
    if (!negative && x == INT64_MIN)
        return false;
    *out = negative ? x : -x;
    return true;
}

static bool word_in(struct sv s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s.len == strlen(words[i]) && strncasecmp(s.p, words[i], s.len) == 0)
            return true;
    return false;
}

bool boolean_parse(struct sv text, bool *out)
{
    static const char *const yes[] = { "t", "true", "y", "yes", "1" };
    static const char *const no[] = { "f", "false", "n", "no", "0" };
    struct sv s = number_trim(text);

    if (word_in(s, yes, ARRAY_LEN(yes)))
        *out = true;
    else if (word_in(s, no, ARRAY_LEN(no)))
        *out = false;
    else
        return false;
    return true;
}

static size_t run_of(struct sv s, size_t i, int (*is)(int))
{
    size_t from = i;

    while (i < s.len && is((unsigned char)s.p[i]))
        i++;
    return i - from;
}

/* Digits with a point among them; at least one digit. */
static bool skip_mantissa(struct sv s, size_t *i, int (*is)(int))
{
    size_t whole = run_of(s, *i, is), fraction = 0;

    *i += whole;
    if (*i < s.len && s.p[*i] == '.') {
        fraction = run_of(s, ++*i, is);
        *i += fraction;
    }
    return whole + fraction > 0;
}

static bool skip_exponent(struct sv s, size_t *i)
{
    ++*i;
    if (*i < s.len && (s.p[*i] == '+' || s.p[*i] == '-'))
        ++*i;
    size_t n = run_of(s, *i, isdigit);
    *i += n;
    return n > 0;
}

/* Java's floating point literal; *end: without the letter of its type. */
static bool is_java_double(struct sv s, size_t *end)
{
    size_t i = s.len && (s.p[0] == '-' || s.p[0] == '+');
    bool hex = s.len >= i + 2 && s.p[i] == '0' && (s.p[i + 1] | 32) == 'x';

    if (hex) {
        i += 2;
        if (!skip_mantissa(s, &i, isxdigit) || i == s.len || (s.p[i] | 32) != 'p' ||
            !skip_exponent(s, &i))
            return false;
    } else if (!skip_mantissa(s, &i, isdigit) ||
               (i < s.len && (s.p[i] | 32) == 'e' && !skip_exponent(s, &i))) {
        return false;
    }
    *end = i;
    if (i < s.len && ((s.p[i] | 32) == 'f' || (s.p[i] | 32) == 'd'))
        i++;
    return i == s.len;
}

static bool special_double(struct sv s, double *out)
{
    static const char *const infinite[] = { "inf", "infinity" };
    static const char *const nan[] = { "nan" };
    bool negative = s.len && s.p[0] == '-', sign = negative || (s.len && s.p[0] == '+');
    struct sv word = sv_from(s, sign);

    if (word_in(word, infinite, 2))
        *out = negative ? -(double)INFINITY : (double)INFINITY;
    else if (word_in(word, nan, 1) && (!sign || sv_is(word, "NaN")))
        *out = (double)NAN;
    else
        return false;
    return true;
}

/* Small whole numbers and short decimals are exact without strtod: m / 10^k with both
 * below 2^53 and 10^22. */
static bool easy_double(struct sv s, double *out)
{
    static const double pow10[] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    bool negative = s.len && s.p[0] == '-';
    size_t i = negative, digits = 0, fraction = 0;
    int64_t m = 0;
    bool point = false;

    for (; i < s.len; i++) {
        unsigned digit = (unsigned char)s.p[i] - '0';

        if (digit <= 9) {
            m = m * 10 + (int64_t)digit;
            fraction += point;
            if (++digits > 15)
                return false;
        } else if (s.p[i] == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (!digits)
        return false;
    double x = (double)m / pow10[fraction];
    *out = negative ? -x : x;
    return true;
}

/* A copy with an end for strtod, in C's own locale; long ones are rare. */
static double convert(struct sv s, bool single)
{
    char buffer[128];
    char *copy = s.len < sizeof buffer ? buffer : xmalloc(s.len + 1);
    double x;

    memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    x = single ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    if (copy != buffer)
        free(copy);
    return x;
}

bool double_parse(struct sv text, double *out)
{
    struct sv s = number_trim(text);
    size_t end;

    if (easy_double(s, out) || special_double(s, out))
        return true;
    if (!is_java_double(s, &end))
        return false;
    *out = convert((struct sv){ s.p, end }, false);
    return true;
}

bool float_parse(struct sv text, float *out)
{
    struct sv s = number_trim(text);
    size_t end;
    double x;

    if (special_double(s, &x)) {
        *out = (float)x;
        return true;
    }
    if (!is_java_double(s, &end))
        return false;
    *out = (float)convert((struct sv){ s.p, end }, true);
    return true;
}
