/* Numbers to text.
 *
 * Java before 19 writes doubles by a digit generation that stops within half a unit of
 * the last bit, but starts from estimates and has a short cut for whole numbers, so that
 * its text is not always the shortest one: 2.0E23 prints as 1.9999999999999998E23 and
 * whole numbers above 2^53 may have a digit too many. Spark's answers show these texts
 * and its decimals from doubles are made of them, so they are made the same way here:
 *
 *   x = b / s with b, s whole; m = half a unit of the last bit, at the same scale
 *   each step takes a digit off b / s and scales b and m by ten, until what is left of b
 *   is below m (low), or above s - m (high: the last digit goes up)
 *
 * In as many bits as Java takes where those are few, for their overflows show; else in
 * 128 bits where b, s and m fit, or in numbers of 40 words. */
#include "engine/column/number.h"

#include <math.h>

__extension__ typedef unsigned __int128 wide;

/* ---- big numbers, as long as a double needs ---- */

enum { BIG_WORDS = 40 };

struct big {
    uint32_t word[BIG_WORDS]; /* lowest first */
    int n;                    /* in use */
};

static struct big big_of(uint64_t x)
{
    struct big b = { .word = { (uint32_t)x, (uint32_t)(x >> 32) } };

    b.n = x >> 32 ? 2 : x ? 1 : 0;
    return b;
}

static void big_times(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;

    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->word[b->n++] = (uint32_t)carry;
}

static void big_times_pow5(struct big *b, int n)
{
    for (; n >= 13; n -= 13)
        big_times(b, 1220703125);
    for (; n; n--)
        big_times(b, 5);
}

static void big_shift(struct big *b, int bits)
{
    int words = bits / 32;

    if (bits % 32)
        big_times(b, (uint32_t)1 << bits % 32);
    if (!words || !b->n)
        return;
    memmove(b->word + words, b->word, (size_t)b->n * sizeof b->word[0]);
    memset(b->word, 0, (size_t)words * sizeof b->word[0]);
    b->n += words;
}

static int big_cmp(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

static void big_subtract(struct big *a, const struct big *b) /* a >= b */
{
    int64_t borrow = 0;

    for (int i = 0; i < a->n; i++) {
        borrow += (int64_t)a->word[i] - (i < b->n ? b->word[i] : 0);
        a->word[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->n && !a->word[a->n - 1])
        a->n--;
}

static struct big big_sum(const struct big *a, const struct big *b)
{
    struct big sum = { .n = a->n > b->n ? a->n : b->n };
    uint64_t carry = 0;

    for (int i = 0; i < sum.n; i++) {
        carry += (uint64_t)a->word[i] + b->word[i];
        sum.word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        sum.word[sum.n++] = (uint32_t)carry;
    return sum;
}

/* ---- digits of a double ---- */

struct digits {
    char digit[24];
    int n;
    int point; /* value = 0.d1d2... x 10^point */
};

/* The powers that b, s and m are made of. */
struct powers {
    uint64_t bits;
    int b2, b5, s2, s5, m2, m5;
    int java_bits; /* in what Java computes them: 32, 64, or more (0) */
};

enum { NOT_DONE = 0, LOW = 1, HIGH = 2 };

static void round_last_up(struct digits *d)
{
    int i = d->n - 1;

    while (i > 0 && d->digit[i] == '9')
        d->digit[i--] = '0';
    if (d->digit[i] == '9') {
        d->digit[0] = '1'; /* 9.99 to 10: the zeros behind stay */
        d->point++;
    } else {
        d->digit[i]++;
    }
}

/* left: of twice what remains against ten units, as cmp. */
static void finish_digits(struct digits *d, int stop, int left)
{
    if (stop == HIGH ||
        (stop == (HIGH | LOW) && (left > 0 || (left == 0 && (d->digit[d->n - 1] & 1)))))
        round_last_up(d);
}

/* What ends the loop, after the first digit: a text in E form has at least two. */
static int first_stop(struct digits *d, unsigned q, int stop, int exponent)
{
    if (q == 0 && !(stop & HIGH))
        exponent--;
    else
        d->digit[d->n++] = (char)('0' + q);
    d->point = exponent + 1;
    return exponent < -3 || exponent >= 8 ? NOT_DONE : stop;
}

static wide pow5_wide(int n)
{
    wide x = 1;

    while (n--)
        x *= 5;
    return x;
}

/* In 64 or 32 signed bits an exact end is not "high", and sums that wrap are small: that
 * shows in Java's texts, mostly of large floats. */
static int64_t java_wrap(uint64_t x, int bits)
{
    return bits == 32 ? (int64_t)(int32_t)(uint32_t)x : (int64_t)x;
}

static int narrow_stop(int64_t b, int64_t m, int64_t tens, int bits)
{
    if (m <= 0)
        return LOW | HIGH;
    int64_t sum = java_wrap((uint64_t)b + (uint64_t)m, bits);
    return (b < m ? LOW : 0) | (sum > tens ? HIGH : 0);
}

static void generate_narrow(const struct powers *p, int exponent, struct digits *d)
{
    int bits = p->java_bits;
    int64_t b = (int64_t)((p->bits * (uint64_t)pow5_wide(p->b5)) << p->b2);
    int64_t s = (int64_t)((uint64_t)pow5_wide(p->s5) << p->s2);
    int64_t m = (int64_t)((uint64_t)pow5_wide(p->m5) << p->m2), tens = s * 10;
    int64_t q = b / s;

    b = java_wrap((uint64_t)(b % s) * 10, bits);
    m = java_wrap((uint64_t)m * 10, bits);
    int stop = (b < m ? LOW : 0) |
               (java_wrap((uint64_t)b + (uint64_t)m, bits) > tens ? HIGH : 0);
    stop = first_stop(d, (unsigned)q, stop, exponent);
    while (!stop) {
        q = b / s;
        b = java_wrap((uint64_t)(b % s) * 10, bits);
        m = java_wrap((uint64_t)m * 10, bits);
        stop = narrow_stop(b, m, tens, bits);
        d->digit[d->n++] = (char)('0' + q);
    }
    int64_t left = java_wrap((uint64_t)b * 2 - (uint64_t)tens, bits);
    finish_digits(d, stop, left < 0 ? -1 : left > 0);
}

static int wide_stop(wide b, wide m, wide tens)
{
    return (b < m ? LOW : 0) | (b + m >= tens ? HIGH : 0);
}

static void generate_wide(const struct powers *p, int exponent, struct digits *d)
{
    wide b = (p->bits * pow5_wide(p->b5)) << p->b2, s = pow5_wide(p->s5) << p->s2;
    wide m = pow5_wide(p->m5) << p->m2, tens = s * 10;
    unsigned q = (unsigned)(b / s);

    b = b % s * 10;
    m *= 10;
    int stop = first_stop(d, q, wide_stop(b, m, tens), exponent);
    while (!stop) {
        q = (unsigned)(b / s);
        b = b % s * 10;
        m *= 10;
        stop = wide_stop(b, m, tens);
        d->digit[d->n++] = (char)('0' + q);
    }
    finish_digits(d, stop, b * 2 < tens ? -1 : b * 2 > tens);
}

static int big_stop(const struct big *b, const struct big *m, const struct big *tens)
{
    struct big sum = big_sum(b, m);

    return (big_cmp(b, m) < 0 ? LOW : 0) | (big_cmp(&sum, tens) >= 0 ? HIGH : 0);
}

static unsigned big_digit(struct big *b, const struct big *s)
{
    unsigned q = 0;

    for (; big_cmp(b, s) >= 0; q++)
        big_subtract(b, s);
    big_times(b, 10);
    return q;
}

static void generate_big(const struct powers *p, int exponent, struct digits *d)
{
    struct big b = big_of(p->bits), s = big_of(1), m = big_of(10), tens;

    big_times_pow5(&b, p->b5);
    big_shift(&b, p->b2);
    big_times_pow5(&s, p->s5);
    big_shift(&s, p->s2);
    big_times_pow5(&m, p->m5);
    big_shift(&m, p->m2);
    tens = s;
    big_times(&tens, 10);
    unsigned q = big_digit(&b, &s);
    int stop = first_stop(d, q, big_stop(&b, &m, &tens), exponent);
    while (!stop) {
        q = big_digit(&b, &s);
        big_times(&m, 10);
        stop = big_stop(&b, &m, &tens);
        d->digit[d->n++] = (char)('0' + q);
    }
    big_shift(&b, 1);
    finish_digits(d, stop, big_cmp(&b, &tens));
}

/* Whole numbers below 2^63: their digits, less those that the bits do not carry. */
static void whole_digits(uint64_t x, int insignificant, struct digits *d)
{
    char reversed[24];
    int n = 0;
    uint64_t unit = 1;

    d->point = 0;
    for (int i = 0; i < insignificant; i++)
        unit *= 10;
    if (insignificant) {
        x = x / unit + (x % unit >= unit / 2);
        d->point = insignificant;
    }
    for (; x % 10 == 0; x /= 10)
        d->point++;
    for (; x; x /= 10)
        reversed[n++] = (char)('0' + x % 10);
    d->point += n;
    for (int i = 0; i < n; i++)
        d->digit[i] = reversed[n - 1 - i];
    d->n = n;
}

static int bits_of_pow5(int n)
{
    return n ? (int)((n * 2322L) / 1000) + 1 : 0; /* exact for n up to 27 */
}

/* Decimal digits of 2^p, less one: how many of them a unit of 2^p leaves open. */
static int digits_open(int p)
{
    return p > 1 ? (int)(p * 30103L / 100000) : 0;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* bits: 53 of them, the first one set; x = bits x 2^(exp2 - 52). significant: how many of
 * the bits the format has. */
static void find_digits(uint64_t bits, int exp2, int significant, struct digits *d)
{
    int zeros = __builtin_ctzll(bits), used = 53 - zeros;
    int tiny = used - exp2 - 1 > 0 ? used - exp2 - 1 : 0; /* bits behind the point */

    d->n = 0;
    if (tiny == 0 && exp2 <= 62 && exp2 >= -21 && used < 64) {
        int open = exp2 > significant ? digits_open(exp2 - significant - 1) : 0;

        whole_digits(exp2 >= 52 ? bits << (exp2 - 52) : bits >> (52 - exp2), open, d);
        return;
    }
    double fraction = ldexp((double)bits, -52); /* 1 <= fraction < 2 */
    int exponent = (int)floor((fraction - 1.5) * 0.289529654 + 0.176091259 +
                              (double)exp2 * 0.301029995663981);
    struct powers p = { .bits = bits >> zeros };
    p.b5 = p.m5 = exponent < 0 ? -exponent : 0;
    p.s5 = exponent > 0 ? exponent : 0;
    p.b2 = p.b5 + tiny + exp2;
    p.s2 = p.s5 + tiny;
    p.m2 = p.b2 - significant;
    p.b2 -= used - 1;
    int common = least(p.b2, p.s2);
    p.b2 -= common;
    p.s2 -= common;
    p.m2 -= common;
    if (used == 1)
        p.m2--; /* below a power of two numbers lie twice as close */
    if (p.m2 < 0) {
        p.b2 -= p.m2;
        p.s2 -= p.m2;
        p.m2 = 0;
    }
    int b_bits = used + p.b2 + (p.b5 < 27 ? bits_of_pow5(p.b5) : p.b5 * 3);
    int tens_bits = p.s2 + 1 + (p.s5 + 1 < 27 ? bits_of_pow5(p.s5 + 1) : (p.s5 + 1) * 3);
    p.java_bits = b_bits < 32 && tens_bits < 32   ? 32
                  : b_bits < 64 && tens_bits < 64 ? 64
                                                  : 0;
    if (p.java_bits)
        generate_narrow(&p, exponent, d);
    else if (b_bits < 116 && tens_bits < 116)
        generate_wide(&p, exponent, d);
    else
        generate_big(&p, exponent, d);
}

static size_t put_digits(char *to, bool negative, const struct digits *d)
{
    size_t at = 0, n = (size_t)d->n;

    if (negative)
        to[at++] = '-';
    if (d->point > 0 && d->point < 8) {
        for (int i = 0; i < d->point; i++)
            to[at++] = i < d->n ? d->digit[i] : '0';
        to[at++] = '.';
        if (d->n <= d->point)
            to[at++] = '0';
        for (int i = d->point; i < d->n; i++)
            to[at++] = d->digit[i];
        return at;
    }
    if (d->point <= 0 && d->point > -3) {
        memcpy(to + at, "0.00", 4);
        at += 2 + (size_t)-d->point;
        memcpy(to + at, d->digit, n);
        return at + n;
    }
    to[at++] = d->digit[0];
    to[at++] = '.';
    if (n == 1)
        to[at++] = '0';
    memcpy(to + at, d->digit + 1, n - 1);
    at += n - 1;
    to[at++] = 'E';
    return at + long_format(to + at, d->point - 1);
}

static size_t put_text(char *to, const char *text)
{
    size_t n = strlen(text);

    memcpy(to, text, n);
    return n;
}

static size_t put_special(char *to, double x)
{
    if (isnan(x))
        return put_text(to, "NaN");
    if (isinf(x))
        return put_text(to, x < 0 ? "-Infinity" : "Infinity");
    return put_text(to, signbit(x) ? "-0.0" : "0.0");
}

size_t double_format(char *to, double x)
{
    struct digits d;
    uint64_t bits;
    int exp2, significant = 53;

    if (x == 0 || !isfinite(x))
        return put_special(to, x);
    memcpy(&bits, &x, sizeof bits);
    exp2 = (int)(bits >> 52 & 0x7ff);
    bits &= (UINT64_C(1) << 52) - 1;
    if (exp2 == 0) { /* subnormal: fewer bits */
        int shift = __builtin_clzll(bits) - 11;

        significant = 53 - shift;
        bits <<= shift;
        exp2 = 1 - shift;
    } else {
        bits |= UINT64_C(1) << 52;
    }
    find_digits(bits, exp2 - 1023, significant, &d);
    return put_digits(to, x < 0, &d);
}

size_t float_format(char *to, float x)
{
    struct digits d;
    uint32_t bits;
    int exp2, significant = 24;

    if (x == 0 || !isfinite(x))
        return put_special(to, (double)x);
    memcpy(&bits, &x, sizeof bits);
    exp2 = (int)(bits >> 23 & 0xff);
    bits &= (UINT32_C(1) << 23) - 1;
    if (exp2 == 0) {
        int shift = __builtin_clz(bits) - 8;

        significant = 24 - shift;
        bits <<= shift;
        exp2 = 1 - shift;
    } else {
        bits |= UINT32_C(1) << 23;
    }
    find_digits((uint64_t)bits << 29, exp2 - 127, significant, &d);
    return put_digits(to, x < 0, &d);
}

size_t long_format(char *to, int64_t x)
{
    uint64_t left = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    char reversed[20];
    size_t n = 0, at = 0;

    do {
        reversed[n++] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (x < 0)
        to[at++] = '-';
    while (n)
        to[at++] = reversed[--n];
    return at;
}
