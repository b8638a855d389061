#include "engine/store/partition.h"

#include "engine/column/date.h"
#include "engine/expr/cast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char null_folder[] = "__HIVE_DEFAULT_PARTITION__";

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

static struct sv unescape(struct arena *a, struct sv s)
{
    char *out = arena_bytes(a, s.len);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '%' && i + 2 < s.len && hex(s.p[i + 1]) >= 0 &&
            hex(s.p[i + 2]) >= 0) {
            out[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
            i += 2;
        } else {
            out[n++] = s.p[i];
        }
    }
    return (struct sv){ out, n };
}

bool partition_parse(struct arena *a, struct sv name, struct sv *key, struct sv *value)
{
    size_t eq = sv_find(name, sv("="));

    if (eq == SIZE_MAX || eq == 0)
        return false;
    *key = unescape(a, (struct sv){ name.p, eq });
    *value = unescape(a, sv_from(name, eq + 1));
    return true;
}

/* What Hive and Spark escape in names of folders. */
static bool needs_escape(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f || (c && strchr("\"#%'*/:=?\\{[]^", c));
}

static void add_escaped(struct strbuf *out, struct sv s)
{
    for (size_t i = 0; i < s.len; i++)
        if (needs_escape(s.p[i]))
            strbuf_printf(out, "%%%02X", (unsigned char)s.p[i]);
        else
            strbuf_addc(out, s.p[i]);
}

void partition_folder(struct strbuf *out, struct sv key, const struct value *v)
{
    struct strbuf text = { 0 };

    add_escaped(out, key);
    strbuf_addc(out, '=');
    if (!v->null)
        value_print(&text, v, &zone_utc);
    if (text.len)
        add_escaped(out, strbuf_sv(&text));
    else
        strbuf_addz(out, null_folder);
    strbuf_release(&text);
}

/* ---- types of values ---- */

enum guess {
    GUESS_NULL,
    GUESS_INT,
    GUESS_LONG,
    GUESS_DECIMAL,
    GUESS_DOUBLE,
    GUESS_DATE,
    GUESS_TIMESTAMP,
    GUESS_STRING
};

static bool all_digits(struct sv s)
{
    size_t i = s.len > 0 && (s.p[0] == '-' || s.p[0] == '+');

    for (size_t k = i; k < s.len; k++)
        if (s.p[k] < '0' || s.p[k] > '9')
            return false;
    return s.len > i;
}

static bool is_double(struct sv s)
{
    char text[64], *end;

    if (s.len == 0 || s.len >= sizeof text || !strchr("+-.0123456789", s.p[0]))
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    strtod(text, &end);
    return *end == '\0' && !strpbrk(text, "xXpP");
}

/* Only full dates count: "2024" is a number. */
static bool is_date(struct sv s, bool *with_time)
{
    int64_t us;
    int32_t days;

    *with_time = s.len > 10;
    if (s.len < 8 || sv_find(s, sv("-")) == SIZE_MAX)
        return false;
    return *with_time ? timestamp_parse(s, &zone_utc, 0, &us) : date_parse(s, &days);
}

static enum guess guess_one(struct sv s)
{
    int64_t i;
    bool with_time;

    if (sv_is(s, null_folder))
        return GUESS_NULL;
    if (all_digits(s)) {
        if (sv_i64(s, &i))
            return i >= INT32_MIN && i <= INT32_MAX ? GUESS_INT : GUESS_LONG;
        return s.len <= DECIMAL_MAX_PRECISION ? GUESS_DECIMAL : GUESS_DOUBLE;
    }
    if (is_double(s))
        return GUESS_DOUBLE;
    if (is_date(s, &with_time))
        return with_time ? GUESS_TIMESTAMP : GUESS_DATE;
    return GUESS_STRING;
}

/* The widest type of a column; numbers with dates make text. */
static enum guess widest(enum guess a, enum guess b)
{
    enum guess low = a < b ? a : b, high = a < b ? b : a;

    if (low == GUESS_NULL || low == high)
        return high;
    if (high <= GUESS_DOUBLE || (low == GUESS_DATE && high == GUESS_TIMESTAMP))
        return high;
    return GUESS_STRING;
}

struct type partition_type(const struct sv *values, uint32_t n, bool infer)
{
    enum guess g = GUESS_NULL;

    for (uint32_t i = 0; infer && i < n; i++)
        g = widest(g, guess_one(values[i]));
    switch (g) {
    case GUESS_INT:
        return type_of(TYPE_INT);
    case GUESS_LONG:
        return type_of(TYPE_LONG);
    case GUESS_DECIMAL:
        return type_decimal(DECIMAL_MAX_PRECISION, 0);
    case GUESS_DOUBLE:
        return type_of(TYPE_DOUBLE);
    case GUESS_DATE:
        return type_of(TYPE_DATE);
    case GUESS_TIMESTAMP:
        return type_of(TYPE_TIMESTAMP);
    case GUESS_NULL: /* nothing but NULLs: Spark takes a string */
    case GUESS_STRING:
        break;
    }
    return type_of(TYPE_STRING);
}

struct value partition_value(struct arena *a, struct sv text, struct type t,
                             const struct zone *zone)
{
    struct value from = value_string(text), to;
    struct err err = { 0 };

    if (sv_is(text, null_folder) ||
        cast_value(a, &from, t, CAST_LEGACY, zone, &to, &err) != ERR_OK)
        return value_null(t);
    return to;
}
