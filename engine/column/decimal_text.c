/* Decimals as text, from text, from and to other numbers. */
#include "engine/column/decimal.h"

#include "engine/column/number.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#define E18 INT64_C(1000000000000000000)

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static size_t put_digits(char *to, u128 x)
{
    char digits[40];
    size_t n = 0;

    while (x > UINT64_MAX) {
        uint64_t low = (uint64_t)(x % (u128)E18);

        x /= (u128)E18;
        for (int i = 0; i < 18; i++, low /= 10)
            digits[n++] = (char)('0' + low % 10);
    }
    uint64_t rest = (uint64_t)x;
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    for (size_t i = 0; i < n; i++)
        to[i] = digits[n - 1 - i];
    return n;
}

size_t decimal_format(char *to, i128 x, int scale)
{
    char digits[40];
    size_t n = put_digits(digits, decimal_magnitude(x)), at = 0, s = (size_t)scale;

    if (x < 0)
        to[at++] = '-';
    if (n <= s) {
        to[at++] = '0';
        if (s) {
            to[at++] = '.';
            memset(to + at, '0', s - n);
            at += s - n;
        }
        memcpy(to + at, digits, n);
        return at + n;
    }
    memcpy(to + at, digits, n - s);
    at += n - s;
    if (s) {
        to[at++] = '.';
        memcpy(to + at, digits + n - s, s);
        at += s;
    }
    return at;
}

size_t decimal_format_java(char *to, i128 x, int scale)
{
    char digits[40];
    size_t n = put_digits(digits, decimal_magnitude(x)), at = 0;
    int exponent = (int)n - 1 - scale;

    if (scale == 0 || exponent >= -6)
        return decimal_format(to, x, scale);
    if (x < 0)
        to[at++] = '-';
    to[at++] = digits[0];
    if (n > 1) {
        to[at++] = '.';
        memcpy(to + at, digits + 1, n - 1);
        at += n - 1;
    }
    to[at++] = 'E';
    to[at++] = '-';
    return at + put_digits(to + at, (u128)(unsigned)-exponent);
}

/* A number as text: digits without leading zeros, of which `n`, and the power of ten of
 * the last one. Digits beyond what fits are counted, and known only to be zero or not. */
struct digits {
    bool negative;
    u128 value;      /* the first up to 38 digits */
    int n;           /* how many those are; 0 for zero */
    int64_t scale;   /* digits after the point, of value */
    int round_digit; /* the first digit left out, -1: none */
    bool more;       /* other digits left out, not all 0 */
    bool any;        /* at least one digit seen */
};

static void add_digit(struct digits *d, int digit, bool after_point)
{
    d->any = true;
    if (d->n == 38) {
        if (d->round_digit < 0)
            d->round_digit = digit;
        else if (digit)
            d->more = true;
        if (!after_point)
            d->scale--;
        return;
    }
    d->value = d->value * 10 + (unsigned)digit;
    if (d->value)
        d->n++;
    if (after_point)
        d->scale++;
}

static bool read_exponent(struct sv text, int64_t *out)
{
    int64_t e = 0;
    bool negative = false;
    size_t i = 0;

    if (text.len && (text.p[0] == '+' || text.p[0] == '-'))
        negative = text.p[i++] == '-';
    if (i == text.len)
        return false;
    for (; i < text.len; i++) {
        if (!isdigit((unsigned char)text.p[i]))
            return false;
        if (e < 1000000000)
            e = e * 10 + (text.p[i] - '0');
    }
    *out = negative ? -e : e;
    return true;
}

static bool read_digits(struct sv text, struct digits *d)
{
    size_t i = 0;
    bool point = false;
    int64_t exponent = 0;

    *d = (struct digits){ .round_digit = -1 };
    if (text.len && (text.p[0] == '+' || text.p[0] == '-'))
        d->negative = text.p[i++] == '-';
    for (; i < text.len; i++) {
        char c = text.p[i];

        if (isdigit((unsigned char)c)) {
            add_digit(d, c - '0', point);
        } else if (c == '.' && !point) {
            point = true;
        } else if (c == 'e' || c == 'E') {
            if (!read_exponent(sv_from(text, i + 1), &exponent))
                return false;
            break;
        } else {
            return false;
        }
    }
    d->scale -= exponent;
    return d->any;
}

/* At the scale, half up; the left-out digits count where nothing else is dropped. */
static enum decimal_text place_digits(const struct digits *d, int precision, int scale,
                                      i128 *out)
{
    int64_t down = d->scale - scale;
    u128 x = d->value;

    if (down > 0) {
        if (down > 38) {
            x = 0; /* below half a unit, for value < 10^38 */
        } else {
            u128 unit = (u128)decimal_pow10[down];
            u128 q = x / unit, r = x % unit;

            x = q + (r >= unit - r);
        }
    } else {
        if (down == 0 && d->round_digit >= 5)
            x++;
        if (down < 0 && x) {
            if (down < -38 || d->round_digit >= 0 || x >= (u128)decimal_pow10[38 + down])
                return DECIMAL_OVERFLOW;
            x *= (u128)decimal_pow10[-down];
        }
    }
    if (x >= (u128)decimal_pow10[precision])
        return DECIMAL_OVERFLOW;
    *out = d->negative ? -(i128)x : (i128)x;
    return DECIMAL_OK;
}

/* "-123.45" of at most 18 digits, none of which the scale drops: what files hold. */
static bool parse_short(struct sv text, struct type t, i128 *out)
{
    bool negative = text.len && text.p[0] == '-', point = false;
    size_t i = negative, digits = text.len - i;
    int behind = 0;
    uint64_t x = 0; /* 19 digits may come by before it shows that there is no point */

    if (digits > 19 || t.scale > DECIMAL_MAX_LONG)
        return false;
    for (; i < text.len; i++) {
        unsigned digit = (unsigned char)text.p[i] - '0';

        if (digit <= 9) {
            x = x * 10 + digit;
            behind += point;
        } else if (text.p[i] == '.' && !point) {
            point = true;
            digits--;
        } else {
            return false;
        }
    }
    if (digits < 1 || digits > 18 || behind > t.scale)
        return false;
    i128 y = (i128)(int64_t)x * (int64_t)decimal_pow10[t.scale - behind];
    if (!decimal_fits(y, t.precision))
        return false;
    *out = negative ? -y : y;
    return true;
}

enum decimal_text decimal_parse(struct sv text, struct type t, i128 *out)
{
    struct digits d;

    if (parse_short(text, t, out))
        return DECIMAL_OK;
    if (!read_digits(text, &d))
        return DECIMAL_BAD;
    return place_digits(&d, t.precision, t.scale, out);
}

enum decimal_text decimal_parse_literal(struct sv text, i128 *out, struct type *t)
{
    struct digits d;
    int scale, precision;
    enum decimal_text rc;

    if (!read_digits(text, &d))
        return DECIMAL_BAD;
    if (d.round_digit >= 0 || d.scale > 38 || d.scale < -38)
        return DECIMAL_OVERFLOW;
    scale = d.scale < 0 ? 0 : (int)d.scale;
    precision = d.scale < 0 ? d.n - (int)d.scale : larger(d.n, scale);
    if (precision > 38)
        return DECIMAL_OVERFLOW;
    rc = place_digits(&d, 38, scale, out);
    if (rc == DECIMAL_OK)
        *t = type_decimal(larger(precision, 1), scale);
    return rc;
}

/* ---- other numbers ---- */

double decimal_to_double(i128 x, int scale)
{
    /* exact numbers and one correctly rounded division */
    if (scale <= 22 && x >= -(INT64_C(1) << 53) && x <= INT64_C(1) << 53) {
        double unit = (double)decimal_pow10[scale]; /* exact up to 10^22 */

        return (double)(int64_t)x / unit;
    }
    char text[DECIMAL_TEXT + 1];
    text[decimal_format(text, x, scale)] = '\0';
    return strtod(text, NULL);
}

bool decimal_from_double(double f, struct type t, i128 *out)
{
    char text[NUMBER_TEXT];

    if (!isfinite(f))
        return false;
    return decimal_parse((struct sv){ text, double_format(text, f) }, t, out) ==
           DECIMAL_OK;
}

bool decimal_from_long(int64_t i, struct type t, i128 *out)
{
    return decimal_rescale(i, 0, t.precision, t.scale, out);
}

bool decimal_to_long(i128 x, int scale, int64_t *out)
{
    i128 whole = x / decimal_pow10[scale];

    if (whole < INT64_MIN || whole > INT64_MAX)
        return false;
    *out = (int64_t)whole;
    return true;
}
