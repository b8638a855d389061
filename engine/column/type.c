/* Names, sizes and parsing of the SQL types. */
#include "engine/column/type.h"

#include <ctype.h>

static const struct {
    const char *name;
    uint8_t width, default_bytes;
} types[] = {
    [TYPE_NULL] = { "void", 1, 1 },
    [TYPE_BOOLEAN] = { "boolean", 1, 1 },
    [TYPE_BYTE] = { "tinyint", 1, 1 },
    [TYPE_SHORT] = { "smallint", 2, 2 },
    [TYPE_INT] = { "int", 4, 4 },
    [TYPE_LONG] = { "bigint", 8, 8 },
    [TYPE_FLOAT] = { "float", 4, 4 },
    [TYPE_DOUBLE] = { "double", 8, 8 },
    [TYPE_DECIMAL] = { "decimal", 8, 8 }, /* twice that where wide */
    [TYPE_STRING] = { "string", 16, 20 },
    [TYPE_BINARY] = { "binary", 16, 100 },
    [TYPE_DATE] = { "date", 4, 4 },
    [TYPE_TIMESTAMP] = { "timestamp", 8, 8 },
    [TYPE_TIMESTAMP_NTZ] = { "timestamp_ntz", 8, 8 },
    [TYPE_INTERVAL_MONTH] = { "interval", 4, 4 },
    [TYPE_INTERVAL_DAY] = { "interval", 8, 8 },
};

static const char *const unit_names[] = {
    [UNIT_YEAR] = "year", [UNIT_MONTH] = "month",   [UNIT_DAY] = "day",
    [UNIT_HOUR] = "hour", [UNIT_MINUTE] = "minute", [UNIT_SECOND] = "second",
};

bool type_eq(struct type a, struct type b)
{
    return a.id == b.id && a.precision == b.precision && a.scale == b.scale &&
           a.units == b.units;
}

size_t type_width(struct type t)
{
    return type_is_wide(t) ? sizeof(i128) : types[t.id].width;
}

bool type_is_integral(struct type t)
{
    return t.id >= TYPE_BYTE && t.id <= TYPE_LONG;
}

bool type_is_numeric(struct type t)
{
    return t.id >= TYPE_BYTE && t.id <= TYPE_DECIMAL;
}

bool type_is_text(struct type t)
{
    return t.id == TYPE_STRING || t.id == TYPE_BINARY;
}

int64_t type_default_bytes(struct type t)
{
    return type_is_wide(t) ? 16 : types[t.id].default_bytes;
}

static void print_units(struct strbuf *out, struct type t)
{
    unsigned first = t.units >> 4, last = t.units & 15;

    strbuf_printf(out, " %s", unit_names[first]);
    if (last != first)
        strbuf_printf(out, " to %s", unit_names[last]);
}

void type_print(struct strbuf *out, struct type t)
{
    strbuf_addz(out, types[t.id].name);
    if (t.id == TYPE_DECIMAL)
        strbuf_printf(out, "(%u,%u)", t.precision, t.scale);
    else if (t.id == TYPE_INTERVAL_MONTH || t.id == TYPE_INTERVAL_DAY)
        print_units(out, t);
}

/* ---- parsing: words, parentheses, numbers ---- */

struct scan {
    struct sv left;
    int64_t digits; /* a decimal's, as written */
};

static void skip_blanks(struct scan *s)
{
    while (s->left.len && isspace((unsigned char)s->left.p[0]))
        s->left = sv_from(s->left, 1);
}

static struct sv next_word(struct scan *s)
{
    size_t n = 0;

    skip_blanks(s);
    while (n < s->left.len &&
           (isalnum((unsigned char)s->left.p[n]) || s->left.p[n] == '_'))
        n++;
    struct sv word = { s->left.p, n };
    s->left = sv_from(s->left, n);
    return word;
}

static bool next_is(struct scan *s, char c)
{
    skip_blanks(s);
    if (!s->left.len || s->left.p[0] != c)
        return false;
    s->left = sv_from(s->left, 1);
    return true;
}

static bool word_is(struct sv word, const char *name)
{
    size_t n = strlen(name);

    if (word.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)word.p[i]) != name[i])
            return false;
    return true;
}

static const struct {
    const char *name;
    enum type_id id;
} names[] = {
    { "void", TYPE_NULL },
    { "null", TYPE_NULL },
    { "boolean", TYPE_BOOLEAN },
    { "tinyint", TYPE_BYTE },
    { "byte", TYPE_BYTE },
    { "smallint", TYPE_SHORT },
    { "short", TYPE_SHORT },
    { "int", TYPE_INT },
    { "integer", TYPE_INT },
    { "bigint", TYPE_LONG },
    { "long", TYPE_LONG },
    { "float", TYPE_FLOAT },
    { "real", TYPE_FLOAT },
    { "double", TYPE_DOUBLE },
    { "decimal", TYPE_DECIMAL },
    { "dec", TYPE_DECIMAL },
    { "numeric", TYPE_DECIMAL },
    { "string", TYPE_STRING },
    { "binary", TYPE_BINARY },
    { "date", TYPE_DATE },
    { "timestamp", TYPE_TIMESTAMP },
    { "timestamp_ltz", TYPE_TIMESTAMP },
    { "timestamp_ntz", TYPE_TIMESTAMP_NTZ },
};

/* "(a)" or "(a, b)" of small numbers; how many, 0 without a parenthesis, -1 malformed. */
static int parse_numbers(struct scan *s, int64_t *numbers)
{
    int n = 0;

    if (!next_is(s, '('))
        return 0;
    do {
        if (n == 2 || !sv_i64(next_word(s), &numbers[n]))
            return -1;
        n++;
    } while (next_is(s, ','));
    return next_is(s, ')') ? n : -1;
}

static bool parse_decimal(struct scan *s, struct type *out)
{
    int64_t numbers[2] = { 10, 0 }; /* "decimal" alone */
    int n = parse_numbers(s, numbers);

    s->digits = n < 0 ? 0 : numbers[0];
    if (n < 0 || numbers[0] < 1 || numbers[0] > DECIMAL_MAX_PRECISION || numbers[1] < 0 ||
        numbers[1] > numbers[0])
        return false;
    *out = type_decimal((int)numbers[0], (int)numbers[1]);
    return true;
}

static bool parse_unit(struct sv word, enum interval_unit *out)
{
    for (size_t i = 0; i < ARRAY_LEN(unit_names); i++) {
        if (word_is(word, unit_names[i])) {
            *out = (enum interval_unit)i;
            return true;
        }
    }
    return false;
}

static bool parse_interval(struct scan *s, struct type *out)
{
    enum interval_unit first, last;

    if (!parse_unit(next_word(s), &first))
        return false;
    last = first;
    skip_blanks(s);
    if (s->left.len && (!word_is(next_word(s), "to") || !parse_unit(next_word(s), &last)))
        return false;
    if (last < first || (first <= UNIT_MONTH) != (last <= UNIT_MONTH))
        return false;
    *out = type_interval(first, last);
    return true;
}

static bool parse_type(struct scan *s, struct type *out)
{
    struct sv word = next_word(s);
    int64_t length[2];

    if (word_is(word, "interval"))
        return parse_interval(s, out);
    if (word_is(word, "char") || word_is(word, "character") || word_is(word, "varchar")) {
        *out = type_of(TYPE_STRING);
        return parse_numbers(s, length) == 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!word_is(word, names[i].name))
            continue;
        if (names[i].id == TYPE_DECIMAL)
            return parse_decimal(s, out);
        *out = type_of(names[i].id);
        return true;
    }
    return false;
}

enum errc type_parse(struct sv text, struct type *out, struct err *err)
{
    struct scan s = { .left = text };
    struct type t;
    bool good = parse_type(&s, &t);

    skip_blanks(&s);
    if (!good && s.digits > DECIMAL_MAX_PRECISION)
        return err_set(err, ERR_SYNTAX,
                       "[DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION] Decimal precision %lld "
                       "exceeds max precision %d.",
                       (long long)s.digits, DECIMAL_MAX_PRECISION);
    if (!good || s.left.len)
        return err_set(err, ERR_SYNTAX,
                       "[UNSUPPORTED_DATATYPE] Unsupported data type \"%.*s\".",
                       SV_FMT(text));
    *out = t;
    return ERR_OK;
}
