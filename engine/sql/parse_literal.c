/* Literals: numbers with their suffixes, DATE 'x' and its like, intervals.
 *
 * An interval has one of two types by its units, year to month or day to second, and the
 * fields that were written are part of it: INTERVAL '90' DAY is "interval day". Three
 * forms: INTERVAL 3 months 2 years (any count and order of units), INTERVAL '3 months',
 * and INTERVAL '1-2' YEAR TO MONTH. */
#include "engine/sql/parser.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static struct expr *literal(struct parser *p, struct value v, const struct token *first)
{
    struct expr *e = expr_literal(p->arena, v);

    e->place = place_from(p, first);
    p->height = 1;
    return e;
}

/* ---- numbers ---- */

bool at_number(const struct parser *p, uint32_t ahead)
{
    enum token_kind k = token_ahead(p, ahead)->kind;

    return k >= TOK_INTEGER && k <= TOK_BIG;
}

static enum errc out_of_range(struct parser *p, const struct token *t, struct sv text,
                              const char *type, const char *least, const char *most)
{
    return fail_at(p, t,
                   "[INVALID_NUMERIC_LITERAL_RANGE] Numeric literal %.*s is outside the "
                   "valid range for %s with minimum value of %s and maximum value of %s. "
                   "Please adjust the value accordingly.",
                   SV_FMT(text), type, least, most);
}

static enum errc parse_decimal(struct parser *p, const struct token *t, struct sv text,
                               struct value *out)
{
    struct type type;
    i128 unscaled;

    switch (decimal_parse_literal(text, &unscaled, &type)) {
    case DECIMAL_OK:
        *out = value_decimal(unscaled, type.precision, type.scale);
        return ERR_OK;
    case DECIMAL_OVERFLOW:
    case DECIMAL_BAD:
        break;
    }
    return fail_at(
        p, t,
        "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] %.*s has more digits than the "
        "maximum precision of %d.",
        SV_FMT(text), DECIMAL_MAX_PRECISION);
}

static enum errc parse_integer(struct parser *p, const struct token *t, struct sv text,
                               struct value *out)
{
    int64_t i;

    if (!sv_i64(text, &i))
        return parse_decimal(p, t, text, out);
    *out = i == (int32_t)i ? value_int((int32_t)i) : value_long(i);
    return ERR_OK;
}

static enum errc parse_small(struct parser *p, const struct token *t, struct sv text,
                             struct value *out)
{
    static const struct {
        enum token_kind kind;
        enum type_id type;
        const char *name, *least, *most;
        int64_t low, high;
    } kinds[] = {
        { TOK_LONG, TYPE_LONG, "bigint", "-9223372036854775808", "9223372036854775807",
          INT64_MIN, INT64_MAX },
        { TOK_SHORT, TYPE_SHORT, "smallint", "-32768", "32767", INT16_MIN, INT16_MAX },
        { TOK_BYTE, TYPE_BYTE, "tinyint", "-128", "127", INT8_MIN, INT8_MAX },
    };
    size_t k = t->kind == TOK_LONG ? 0 : t->kind == TOK_SHORT ? 1 : 2;
    int64_t i;

    if (!sv_i64(text, &i) || i < kinds[k].low || i > kinds[k].high)
        return out_of_range(p, t, text, kinds[k].name, kinds[k].least, kinds[k].most);
    *out = value_long(i);
    out->type = type_of(kinds[k].type);
    return ERR_OK;
}

static enum errc parse_real(struct parser *p, const struct token *t, struct sv text,
                            struct value *out)
{
    const char *z = arena_sv(p->arena, text).p;
    double f = strtod(z, NULL);

    if (t->kind == TOK_FLOAT) {
        float narrow = strtof(z, NULL);

        if (isinf(narrow))
            return out_of_range(p, t, text, "float", "-3.4028234663852886E+38",
                                "3.4028234663852886E+38");
        *out = value_double((double)narrow);
        out->type = type_of(TYPE_FLOAT);
        return ERR_OK;
    }
    if (isinf(f))
        return out_of_range(p, t, text, "double", "-1.7976931348623157E+308",
                            "1.7976931348623157E+308");
    *out = value_double(f);
    return ERR_OK;
}

/* minus: a sign was read just before, which is part of the literal. */
enum errc parse_number(struct parser *p, bool minus, struct expr **out)
{
    const struct token *t = &p->tokens[p->at];
    struct sv text = token_text(p, t);
    struct value v = { 0 };
    enum errc rc = ERR_OK;

    if (t->kind >= TOK_LONG)
        text.len -= t->kind == TOK_BIG ? 2 : 1;
    if (minus)
        text = sv(arena_printf(p->arena, "-%.*s", (int)text.len, text.p));
    switch ((int)t->kind) {
    case TOK_INTEGER:
        rc = parse_integer(p, t, text, &v);
        break;
    case TOK_LONG:
    case TOK_SHORT:
    case TOK_BYTE:
        rc = parse_small(p, t, text, &v);
        break;
    case TOK_EXPONENT:
    case TOK_FLOAT:
    case TOK_DOUBLE:
        rc = parse_real(p, t, text, &v);
        break;
    default:
        rc = parse_decimal(p, t, text, &v);
        break;
    }
    TRY(rc);
    p->at++;
    *out = literal(p, v, minus ? t - 1 : t);
    return ERR_OK;
}

/* ---- DATE 'x', TIMESTAMP 'x', X'x' ---- */

static enum errc bad_literal(struct parser *p, const struct token *first,
                             const char *type, struct sv text)
{
    return fail_at(p, first,
                   "[INVALID_TYPED_LITERAL] The value of the typed literal \"%s\" is "
                   "invalid: '%.*s'.",
                   type, SV_FMT(text));
}

static struct value value_of(enum type_id type, int64_t i)
{
    struct value v = value_long(i);

    v.type = type_of(type);
    return v;
}

/* DATE 'today' and the like: what they stand for, by functions. */
static struct expr *special_date(struct parser *p, struct sv text,
                                 const struct token *first)
{
    struct expr_list none = { 0 };
    struct expr *today, *one;

    if (sv_same_word(text, "epoch"))
        return literal(p, value_of(TYPE_DATE, 0), first);
    if (make_function(p, "current_date", first, &none, &today) != ERR_OK)
        return NULL;
    if (sv_same_word(text, "today") || sv_same_word(text, "now"))
        return today;
    one = literal(p, value_int(1), first);
    p->height = 2;
    if (sv_same_word(text, "yesterday"))
        return function2(p, "date_sub", first, today, one);
    if (sv_same_word(text, "tomorrow"))
        return function2(p, "date_add", first, today, one);
    return NULL;
}

static enum errc date_literal(struct parser *p, const struct token *first, struct sv text,
                              struct expr **out)
{
    int32_t days;

    if ((*out = special_date(p, sv_trim(text), first)))
        return ERR_OK;
    if (!date_parse(text, &days))
        return bad_literal(p, first, "DATE", text);
    *out = literal(p, value_of(TYPE_DATE, days), first);
    return ERR_OK;
}

/* Without a zone in the text the value waits for the session's: `name` keeps the text. */
static enum errc timestamp_literal(struct parser *p, const struct token *first,
                                   struct sv text, struct expr **out)
{
    struct sv trimmed = sv_trim(text);
    struct expr_list none = { 0 };
    int64_t us, on_next_day, plain;

    if (sv_same_word(trimmed, "now"))
        return make_function(p, "now", first, &none, out);
    if ((*out = special_date(p, trimmed, first))) {
        *out = expr_cast(p->arena, *out, type_of(TYPE_TIMESTAMP));
        return ERR_OK;
    }
    if (!timestamp_parse(text, &zone_utc, 0, &us) ||
        !timestamp_parse(text, &zone_utc, 1, &on_next_day) || us != on_next_day)
        return bad_literal(p, first, "TIMESTAMP", text); /* a time alone is none either */
    *out = literal(p, value_of(TYPE_TIMESTAMP, us), first);
    if (timestamp_ntz_parse(text, false, &plain))
        (*out)->name = text;
    return ERR_OK;
}

static enum errc ntz_literal(struct parser *p, const struct token *first, struct sv text,
                             struct expr **out)
{
    int64_t us;

    if (!timestamp_ntz_parse(text, true, &us))
        return bad_literal(p, first, "TIMESTAMP_NTZ", text);
    *out = literal(p, value_of(TYPE_TIMESTAMP_NTZ, us), first);
    return ERR_OK;
}

static int hex_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* An odd count of digits gets a zero in front. */
static enum errc binary_literal(struct parser *p, const struct token *first,
                                struct sv text, struct expr **out)
{
    size_t n = (text.len + 1) / 2, odd = text.len % 2;
    char *bytes = arena_alloc(p->arena, n + 1);
    struct value v = value_string((struct sv){ bytes, n });

    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_value(text.p[i]);

        if (digit < 0)
            return bad_literal(p, first, "X", text);
        bytes[(i + odd) / 2] = (char)((unsigned char)bytes[(i + odd) / 2] << 4 | digit);
    }
    v.type = type_of(TYPE_BINARY);
    *out = literal(p, v, first);
    return ERR_OK;
}

/* A word and a string behind it. */
enum errc parse_typed_text(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct sv text;

    TRY(parse_text(p, "a string", &text));
    if (token_is(p, first, "DATE"))
        return date_literal(p, first, text, out);
    if (token_is(p, first, "TIMESTAMP") || token_is(p, first, "TIMESTAMP_LTZ"))
        return timestamp_literal(p, first, text, out);
    if (token_is(p, first, "TIMESTAMP_NTZ"))
        return ntz_literal(p, first, text, out);
    if (token_is(p, first, "X"))
        return binary_literal(p, first, text, out);
    return fail_at(p, first,
                   "[UNSUPPORTED_TYPED_LITERAL] Literals of the type \"%.*s\" are not "
                   "supported. Supported types are \"DATE\", \"TIMESTAMP_NTZ\", "
                   "\"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\".",
                   SV_FMT(token_text(p, first)));
}

/* ---- intervals ---- */

/* The unit's field, how many of its base (months or microseconds) one is. */
static const struct unit {
    const char *name; /* without the plural's s */
    enum interval_unit field;
    int64_t base;
} units[] = {
    { "year", UNIT_YEAR, 12 },
    { "month", UNIT_MONTH, 1 },
    { "week", UNIT_DAY, 7 * DAY_US },
    { "day", UNIT_DAY, DAY_US },
    { "hour", UNIT_HOUR, HOUR_US },
    { "minute", UNIT_MINUTE, MINUTE_US },
    { "second", UNIT_SECOND, SECOND_US },
    { "millisecond", UNIT_SECOND, 1000 },
    { "microsecond", UNIT_SECOND, 1 },
};

static const struct unit *find_unit(struct sv word)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct sv one = word;

        if (sv_same_word(one, units[i].name))
            return &units[i];
        if (one.len && tolower((unsigned char)one.p[one.len - 1]) == 's') {
            one.len--;
            if (sv_same_word(one, units[i].name))
                return &units[i];
        }
    }
    return NULL;
}

/* Sums up; first and last are the fields seen. */
struct interval {
    bool any;
    enum interval_unit first, last;
    int64_t months, us;
    bool has_months, has_us;
};

/* "-12.345": a count of units; a fraction for seconds alone. False: not that, or too
 * large. Digits beyond microseconds are cut. */
static bool unit_amount(struct sv text, const struct unit *u, int64_t *out)
{
    bool minus = text.len && text.p[0] == '-';
    int64_t whole = 0, part = 0, scale = 100000;
    size_t point, n;

    if (text.len && (text.p[0] == '-' || text.p[0] == '+'))
        text = sv_from(text, 1);
    point = sv_find(text, SV("."));
    n = point == SIZE_MAX ? text.len : point;
    if (n &&
        !(isdigit((unsigned char)text.p[0]) && sv_i64((struct sv){ text.p, n }, &whole)))
        return false;
    if (!n && (point == SIZE_MAX || text.len < 2))
        return false;
    if (point != SIZE_MAX) {
        if (u->base != SECOND_US || text.len - point > 10)
            return false;
        for (size_t i = point + 1; i < text.len; i++, scale /= 10) {
            if (!isdigit((unsigned char)text.p[i]))
                return false;
            part += (text.p[i] - '0') * scale;
        }
    }
    if (__builtin_mul_overflow(whole, u->base, out) ||
        __builtin_add_overflow(*out, part, out))
        return false;
    if (minus)
        *out = -*out;
    return true;
}

static bool interval_add(struct interval *to, const struct unit *u, int64_t amount)
{
    bool months = u->field <= UNIT_MONTH;

    if (!to->any || u->field < to->first)
        to->first = u->field;
    if (!to->any || u->field > to->last)
        to->last = u->field;
    to->any = true;
    to->has_months |= months;
    to->has_us |= !months;
    return !__builtin_add_overflow(months ? to->months : to->us, amount,
                                   months ? &to->months : &to->us);
}

static enum errc finish_interval(struct parser *p, const struct token *first,
                                 const struct interval *i, struct expr **out)
{
    struct place all = place_from(p, first);
    struct sv text = { p->text.p + all.offset, all.length };
    struct value v;

    if (i->has_months && i->has_us)
        return fail_at(p, first, "Cannot mix year-month and day-time fields: %.*s",
                       SV_FMT(text));
    if (i->has_months && i->months != (int32_t)i->months)
        return fail_at(p, first, "an interval beyond the range of its type: %.*s",
                       SV_FMT(text));
    v = value_long(i->has_months ? i->months : i->us);
    v.type = type_interval(i->first, i->last);
    *out = literal(p, v, first);
    return ERR_OK;
}

static enum errc bad_interval(struct parser *p, const struct token *t, struct sv text)
{
    return fail_at(p, t, "Error parsing '%.*s' to interval", SV_FMT(text));
}

static struct sv next_word(struct sv *left)
{
    size_t n = 0;

    *left = sv_trim(*left);
    while (n < left->len && !isspace((unsigned char)left->p[n]))
        n++;
    struct sv word = { left->p, n };
    *left = sv_from(*left, n);
    return word;
}

/* INTERVAL '1 day -2 hours'; the word interval may stand in front inside, too. */
static enum errc text_interval(struct parser *p, const struct token *first,
                               struct sv text, struct expr **out)
{
    struct interval sum = { 0 };
    struct sv left = text, word = next_word(&left);

    if (sv_same_word(word, "interval"))
        word = next_word(&left);
    for (; word.len; word = next_word(&left)) {
        const struct unit *u;
        int64_t amount;

        if (word.len == 1 && (word.p[0] == '-' || word.p[0] == '+')) { /* "- 3 days" */
            struct sv number = next_word(&left);
            word = sv(arena_printf(p->arena, "%c%.*s", word.p[0], SV_FMT(number)));
        }
        u = find_unit(next_word(&left));
        if (!u || !unit_amount(word, u, &amount) || !interval_add(&sum, u, amount))
            return bad_literal(p, first, "INTERVAL", text);
    }
    if (!sum.any)
        return bad_literal(p, first, "INTERVAL", text);
    return finish_interval(p, first, &sum, out);
}

/* The fields of "d hh:mm:ss.f" from first to last, or "y-m". Which sign stands in front
 * of each but the first. */
static const char separators[] = {
    [UNIT_MONTH] = '-', [UNIT_HOUR] = ' ', [UNIT_MINUTE] = ':', [UNIT_SECOND] = ':'
};
static const int64_t field_base[] = {
    [UNIT_YEAR] = 12,      [UNIT_MONTH] = 1,          [UNIT_DAY] = DAY_US,
    [UNIT_HOUR] = HOUR_US, [UNIT_MINUTE] = MINUTE_US, [UNIT_SECOND] = SECOND_US
};
static const int64_t field_most[] = {
    [UNIT_MONTH] = 11, [UNIT_HOUR] = 23, [UNIT_MINUTE] = 59, [UNIT_SECOND] = 59
};

static bool range_value(struct sv text, enum interval_unit first, enum interval_unit last,
                        int64_t *sum)
{
    bool minus = false;

    text = sv_trim(text);
    if (text.len && (text.p[0] == '-' || text.p[0] == '+')) {
        minus = text.p[0] == '-';
        text = sv_from(text, 1);
    }
    *sum = 0;
    for (unsigned f = first; f <= (unsigned)last; f++) {
        struct unit unit = { "", (enum interval_unit)f, field_base[f] };
        size_t n = 0;
        int64_t amount;

        if (f != (unsigned)first) {
            if (!text.len || text.p[0] != separators[f])
                return false;
            text = sv_from(text, 1);
        }
        while (n < text.len && (isdigit((unsigned char)text.p[n]) || text.p[n] == '.'))
            n++;
        if (!unit_amount((struct sv){ text.p, n }, &unit, &amount) ||
            (f != (unsigned)first && amount / field_base[f] > field_most[f]) ||
            __builtin_add_overflow(*sum, amount, sum))
            return false;
        text = sv_from(text, n);
    }
    if (minus)
        *sum = -*sum;
    return text.len == 0;
}

static enum errc range_interval(struct parser *p, const struct token *first,
                                struct sv text, const struct unit *from,
                                struct expr **out)
{
    const struct token *t = &p->tokens[p->at];
    const struct unit *to = t->kind == TOK_WORD ? find_unit(token_text(p, t)) : NULL;
    struct interval i = { .any = true, .first = from->field };

    if (!to)
        return fail_expected(p, "a unit such as SECOND");
    if (to->field <= from->field ||
        (to->field <= UNIT_MONTH) != (from->field <= UNIT_MONTH))
        return fail_at(p, first, "Intervals FROM %s TO %s are not supported.", from->name,
                       to->name);
    p->at++;
    i.last = to->field;
    i.has_months = to->field <= UNIT_MONTH;
    i.has_us = !i.has_months;
    if (!range_value(text, from->field, to->field, i.has_months ? &i.months : &i.us))
        return fail_at(p, first,
                       "Interval string does not match the format of %s to %s: '%.*s'",
                       from->name, to->name, SV_FMT(text));
    return finish_interval(p, first, &i, out);
}

/* With a sign it takes a unit as well: interval + 1 is a sum. */
bool at_interval(const struct parser *p)
{
    uint32_t sign = ahead_is(p, 1, TOK_MINUS) || ahead_is(p, 1, TOK_PLUS);

    if (!at_word(p, KW_INTERVAL))
        return false;
    if (!ahead_is(p, 1 + sign, TOK_STRING) && !ahead_is(p, 1 + sign, TOK_INTEGER) &&
        !ahead_is(p, 1 + sign, TOK_DECIMAL))
        return false;
    return !sign ||
           (ahead_is(p, 3, TOK_WORD) && find_unit(token_text(p, token_ahead(p, 3))));
}

/* One count of INTERVAL 3 days -2 hours: its text, sign included. */
static enum errc interval_count(struct parser *p, struct sv *out)
{
    bool minus = take_token(p, TOK_MINUS);

    if (!minus)
        (void)take_token(p, TOK_PLUS);
    if (at_token(p, TOK_STRING)) {
        TRY(parse_text(p, "a number", out));
        *out = sv_trim(*out);
    } else if (at_token(p, TOK_INTEGER) || at_token(p, TOK_DECIMAL)) {
        *out = token_text(p, &p->tokens[p->at++]);
    } else {
        return fail_expected(p, "a number");
    }
    if (minus && out->len && out->p[0] == '-')
        *out = sv_from(*out, 1);
    else if (minus)
        *out = sv(arena_printf(p->arena, "-%.*s", SV_FMT(*out)));
    return ERR_OK;
}

enum errc parse_interval(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct interval sum = { 0 };

    do {
        bool text_alone = at_token(p, TOK_STRING);
        const struct unit *u;
        struct sv count;
        int64_t amount;

        TRY(interval_count(p, &count));
        u = at_token(p, TOK_WORD) ? find_unit(token_text(p, token_ahead(p, 0))) : NULL;
        if (!u && text_alone && !sum.any)
            return text_interval(p, first, count, out);
        if (!u)
            return fail_expected(p, "a unit of time such as DAY");
        p->at++;
        if (!sum.any && take_word(p, KW_TO))
            return range_interval(p, first, count, u, out);
        if (!unit_amount(count, u, &amount))
            return bad_interval(p, first, count);
        if (!interval_add(&sum, u, amount))
            return bad_interval(p, first, count);
    } while (at_number(p, 0) ||
             ((at_token(p, TOK_MINUS) || at_token(p, TOK_PLUS)) &&
              ahead_is(p, 1, TOK_INTEGER) && ahead_is(p, 2, TOK_WORD) &&
              find_unit(token_text(p, token_ahead(p, 2)))));
    return finish_interval(p, first, &sum, out);
}
