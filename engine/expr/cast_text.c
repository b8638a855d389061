/* Values as text, and intervals from text. */
#include "engine/expr/cast.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"

#include <ctype.h>

/* ---- intervals ---- */

static const struct {
    const char *name;
    int64_t us;
    int64_t most; /* where a larger field stands before it */
} fields[] = {
    [UNIT_YEAR] = { "YEAR", 0, 0 },
    [UNIT_MONTH] = { "MONTH", 0, 11 },
    [UNIT_DAY] = { "DAY", DAY_US, 0 },
    [UNIT_HOUR] = { "HOUR", HOUR_US, 23 },
    [UNIT_MINUTE] = { "MINUTE", MINUTE_US, 59 },
    [UNIT_SECOND] = { "SECOND", SECOND_US, 59 },
};

static void print_months(struct strbuf *out, int64_t months, unsigned first,
                         unsigned last)
{
    uint64_t m = months < 0 ? 0 - (uint64_t)months : (uint64_t)months;

    strbuf_addz(out, months < 0 ? "-" : "");
    if (first == UNIT_YEAR && last == UNIT_MONTH)
        strbuf_printf(out, "%llu-%llu", (unsigned long long)m / 12,
                      (unsigned long long)m % 12);
    else
        strbuf_printf(out, "%llu", (unsigned long long)(first == UNIT_YEAR ? m / 12 : m));
}

/* Days as they are, the rest in two digits; a fraction without zeros at its end. */
static void print_micros(struct strbuf *out, int64_t us, unsigned first, unsigned last)
{
    uint64_t left = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;

    strbuf_addz(out, us < 0 ? "-" : "");
    for (unsigned unit = first; unit <= last; unit++) {
        uint64_t n = left / (uint64_t)fields[unit].us;

        left -= n * (uint64_t)fields[unit].us;
        if (unit > first)
            strbuf_addc(out, unit == UNIT_HOUR ? ' ' : ':');
        strbuf_printf(out, unit == UNIT_DAY ? "%llu" : "%02llu", (unsigned long long)n);
    }
    if (last == UNIT_SECOND && left) {
        char fraction[8];
        int n = 6;

        for (int i = 5; i >= 0; i--, left /= 10)
            fraction[i] = (char)('0' + left % 10);
        while (fraction[n - 1] == '0')
            n--;
        strbuf_printf(out, ".%.*s", n, fraction);
    }
}

static void print_interval(struct strbuf *out, const struct value *x)
{
    unsigned first = x->type.units >> 4, last = x->type.units & 15;

    strbuf_addz(out, "INTERVAL '");
    if (x->type.id == TYPE_INTERVAL_MONTH)
        print_months(out, x->u.i, first, last);
    else
        print_micros(out, x->u.i, first, last);
    strbuf_printf(out, "' %s", fields[first].name);
    if (last != first)
        strbuf_printf(out, " TO %s", fields[last].name);
}

static bool take(struct sv *s, char c)
{
    if (!s->len || s->p[0] != c)
        return false;
    *s = sv_from(*s, 1);
    return true;
}

static bool take_number(struct sv *s, int64_t *out)
{
    int64_t x = 0;
    size_t n = 0;

    while (n < s->len && isdigit((unsigned char)s->p[n])) {
        if (__builtin_mul_overflow(x, 10, &x) ||
            __builtin_add_overflow(x, s->p[n] - '0', &x))
            return false;
        n++;
    }
    *s = sv_from(*s, n);
    *out = x;
    return n > 0;
}

/* A word and the blanks behind it, in any case. */
static bool take_word(struct sv *s, const char *word)
{
    size_t n = strlen(word);

    if (s->len < n || strncasecmp(s->p, word, n) != 0)
        return false;
    *s = sv_from(*s, n);
    while (take(s, ' '))
        ;
    return true;
}

static bool take_sign(struct sv *s)
{
    bool negative = take(s, '-');

    if (!negative)
        take(s, '+');
    return negative;
}

/* ".5" in microseconds: up to nine digits, of which six count. */
static bool take_fraction(struct sv *s, int64_t *us)
{
    int64_t unit = 100000;
    size_t n = 0;

    *us = 0;
    if (!take(s, '.'))
        return true;
    for (; n < s->len && isdigit((unsigned char)s->p[n]); n++, unit /= 10)
        *us += (s->p[n] - '0') * unit;
    *s = sv_from(*s, n);
    return n <= 9;
}

static bool parse_fields(struct sv *s, unsigned first, unsigned last, int64_t *out)
{
    int64_t total = 0, n, part;

    for (unsigned unit = first; unit <= last; unit++) {
        char between = unit == UNIT_MONTH ? '-' : unit == UNIT_HOUR ? ' ' : ':';
        int64_t size = unit == UNIT_YEAR ? 12 : unit == UNIT_MONTH ? 1 : fields[unit].us;

        if ((unit > first && !take(s, between)) || !take_number(s, &n) ||
            (unit > first && n > fields[unit].most) ||
            __builtin_mul_overflow(n, size, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
    }
    if (last == UNIT_SECOND &&
        (!take_fraction(s, &part) || __builtin_add_overflow(total, part, &total)))
        return false;
    *out = total;
    return true;
}

/* "1-2", or the whole literal: INTERVAL -'1-2' YEAR TO MONTH. */
bool interval_parse(struct sv text, struct type t, int64_t *out)
{
    unsigned first = t.units >> 4, last = t.units & 15;
    struct sv s = number_trim(text);
    bool literal = take_word(&s, "INTERVAL"), negative = take_sign(&s);
    int64_t x;

    if (literal && !take(&s, '\''))
        return false;
    if (literal)
        negative = take_sign(&s) != negative;
    if (!parse_fields(&s, first, last, &x))
        return false;
    if (literal) {
        if (!take(&s, '\'') || !take(&s, ' '))
            return false;
        while (take(&s, ' '))
            ;
        if (!take_word(&s, fields[first].name) ||
            (last != first &&
             (!take_word(&s, "TO") || !take_word(&s, fields[last].name))))
            return false;
    }
    if (s.len || (t.id == TYPE_INTERVAL_MONTH && x > INT32_MAX))
        return false;
    *out = negative ? -x : x;
    return true;
}

/* ---- all values ---- */

bool cast_format(char *to, size_t *n, const struct value *x, bool plain_decimals,
                 const struct zone *zone)
{
    switch ((enum type_id)x->type.id) {
    case TYPE_BOOLEAN:
        *n = x->u.b ? 4 : 5;
        memcpy(to, x->u.b ? "true" : "false", *n);
        return true;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
        *n = long_format(to, x->u.i);
        return true;
    case TYPE_FLOAT:
        *n = float_format(to, (float)x->u.f);
        return true;
    case TYPE_DOUBLE:
        *n = double_format(to, x->u.f);
        return true;
    case TYPE_DECIMAL:
        *n = plain_decimals ? decimal_format(to, x->u.dec, x->type.scale)
                            : decimal_format_java(to, x->u.dec, x->type.scale);
        return true;
    case TYPE_DATE:
        *n = date_format(to, x->u.i);
        return true;
    case TYPE_TIMESTAMP:
        *n = timestamp_format(to, zone_to_local_us(zone, x->u.i));
        return true;
    case TYPE_TIMESTAMP_NTZ:
        *n = timestamp_format(to, x->u.i);
        return true;
    case TYPE_NULL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        break;
    }
    return false;
}

void cast_text(struct strbuf *out, const struct value *x, bool plain_decimals,
               const struct zone *zone)
{
    char text[CAST_TEXT];
    size_t n;

    _Static_assert(sizeof text >= NUMBER_TEXT && sizeof text >= DECIMAL_TEXT &&
                       sizeof text >= TIMESTAMP_TEXT,
                   "room for any of them");
    if (cast_format(text, &n, x, plain_decimals, zone))
        strbuf_add(out, (struct sv){ text, n });
    else if (type_is_text(x->type))
        strbuf_add(out, x->u.s);
    else if (x->type.id == TYPE_NULL)
        strbuf_addz(out, "NULL");
    else
        print_interval(out, x);
}

void value_print(struct strbuf *out, const struct value *x, const struct zone *zone)
{
    if (x->null)
        strbuf_addz(out, "NULL");
    else
        cast_text(out, x, false, zone);
}

static void print_bare_interval(struct strbuf *out, const struct value *x)
{
    int64_t us = x->u.i;
    uint64_t left = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;

    if (x->type.id == TYPE_INTERVAL_MONTH) {
        print_months(out, us, UNIT_YEAR, UNIT_MONTH);
        return;
    }
    print_micros(out, us, UNIT_DAY, UNIT_MINUTE);
    left %= (uint64_t)MINUTE_US;
    strbuf_printf(out, ":%02u.%09u", (unsigned)(left / 1000000),
                  (unsigned)(left % 1000000) * 1000);
}

void value_print_result(struct strbuf *out, const struct value *x,
                        const struct zone *zone)
{
    if (x->null)
        strbuf_addz(out, "NULL");
    else if (x->type.id == TYPE_INTERVAL_MONTH || x->type.id == TYPE_INTERVAL_DAY)
        print_bare_interval(out, x);
    else
        cast_text(out, x, true, zone);
}
