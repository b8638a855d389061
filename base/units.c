/* Printing and parsing of sizes, times and counts. See units.h. */
#include "base/units.h"

#include <ctype.h>
#include <inttypes.h>

static void scaled(struct strbuf *out, int64_t n, int64_t step, const char *const *names,
                   size_t n_names)
{
    double value = (double)n;
    double size = value < 0 ? -value : value;
    size_t i = 0;

    while (size >= (double)step && i + 1 < n_names) {
        size /= (double)step;
        value /= (double)step;
        i++;
    }
    if (i == 0)
        strbuf_printf(out, "%" PRId64 "%s", n, names[0]);
    else
        strbuf_printf(out, size >= 99.95 ? "%.0f%s" : "%.1f%s", value, names[i]);
}

void units_bytes(struct strbuf *out, int64_t bytes)
{
    static const char *const names[] = { " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };

    scaled(out, bytes, 1024, names, ARRAY_LEN(names));
}

void units_count(struct strbuf *out, int64_t n)
{
    static const char *const names[] = { "", "k", "M", "G", "T", "P", "E" };

    scaled(out, n, 1000, names, ARRAY_LEN(names));
}

void units_ms(struct strbuf *out, int64_t ms)
{
    uint64_t t = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

    if (ms < 0)
        strbuf_addc(out, '-');
    if (t < 1000)
        strbuf_printf(out, "%" PRIu64 "ms", t);
    else if (t < 60000 - 50)
        strbuf_printf(out, "%" PRIu64 ".%" PRIu64 "s", (t + 50) / 1000, (t + 50) % 1000 / 100);
    else if (t < 3600000 - 500)
        strbuf_printf(out, "%" PRIu64 "m%02" PRIu64 "s", (t + 500) / 60000,
                      (t + 500) % 60000 / 1000);
    else if (t < 48 * 3600000u)
        strbuf_printf(out, "%" PRIu64 "h%02" PRIu64 "m", (t + 30000) / 3600000,
                      (t + 30000) % 3600000 / 60000);
    else
        strbuf_printf(out, "%" PRIu64 "d%" PRIu64 "h", t / 86400000, t % 86400000 / 3600000);
}

void units_share(struct strbuf *out, double share)
{
    double pct = share * 100;

    strbuf_printf(out, pct < 9.95 && pct > 0 ? "%.1f%%" : "%.0f%%", pct);
}

/* A number as it is written: whole part exactly, and what follows the point. */
struct decimal {
    bool negative;
    int64_t whole;
    double fraction; /* of one, >= 0 */
};

/* Splits "12.5kb" into the number and the lower-cased unit. False also for whole parts
 * past int64: a size that cannot be said is none. */
static bool number_and_unit(struct sv text, struct decimal *number, char unit[8])
{
    struct decimal n = { 0 };
    size_t i = 0, digits = 0;
    double scale = 1;
    bool point = false;

    text = sv_trim(text);
    n.negative = text.len && text.p[0] == '-';
    for (i = n.negative; i < text.len; i++) {
        char c = text.p[i];

        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        digits++;
        if (point)
            n.fraction += (c - '0') / (scale *= 10);
        else if (__builtin_mul_overflow(n.whole, 10, &n.whole) ||
                 __builtin_add_overflow(n.whole, c - '0', &n.whole))
            return false;
    }
    struct sv rest = sv_trim(sv_from(text, i));
    if (digits == 0 || rest.len > 7)
        return false;
    for (size_t k = 0; k < rest.len; k++)
        unit[k] = (char)tolower((unsigned char)rest.p[k]);
    unit[rest.len] = '\0';
    *number = n;
    return true;
}

/* number * times / over, towards zero; one of the two is 1. False past int64. */
static bool scale_to_i64(struct decimal n, int64_t times, int64_t over, int64_t *out)
{
    int64_t whole;

    if (__builtin_mul_overflow(n.whole, times, &whole))
        return false;
    if (over == 1 && __builtin_add_overflow(whole, (int64_t)(n.fraction * (double)times), &whole))
        return false;
    whole /= over;
    *out = n.negative ? -whole : whole;
    return true;
}

bool units_parse_bytes(struct sv text, int64_t bare_unit, int64_t *bytes)
{
    static const char letters[] = "bkmgtp";
    struct decimal number;
    char unit[8];
    int64_t times = 1;

    if (!number_and_unit(text, &number, unit))
        return false;
    if (unit[0] == '\0')
        return scale_to_i64(number, bare_unit, 1, bytes);
    const char *at = strchr(letters, unit[0]);
    if (!at || !(unit[1] == '\0' || strcmp(unit + 1, "b") == 0 || strcmp(unit + 1, "ib") == 0) ||
        (unit[0] == 'b' && unit[1]))
        return false;
    for (; at > letters; at--)
        times *= 1024;
    return scale_to_i64(number, times, 1, bytes);
}

bool units_parse_ms(struct sv text, int64_t bare_ms, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t times, over;
    } units[] = { { "us", 1, 1000 },   { "ms", 1, 1 },      { "s", 1000, 1 },    { "m", 60000, 1 },
                  { "min", 60000, 1 }, { "h", 3600000, 1 }, { "d", 86400000, 1 } };
    struct decimal number;
    char unit[8];

    if (!number_and_unit(text, &number, unit))
        return false;
    if (unit[0] == '\0')
        return scale_to_i64(number, bare_ms, 1, ms);
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return scale_to_i64(number, units[i].times, units[i].over, ms);
    return false;
}

bool units_parse_bool(struct sv text, bool *value)
{
    text = sv_trim(text);
    if (text.len == 4 && sv_has_nocase(text, "true"))
        *value = true;
    else if (text.len == 5 && sv_has_nocase(text, "false"))
        *value = false;
    else
        return false;
    return true;
}
