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

/* Splits "12.5kb" into the number and the lower-cased unit. */
static bool number_and_unit(struct sv text, double *number, char unit[8])
{
    size_t i = 0, digits = 0;
    double value = 0, scale = 1;
    bool fraction = false;

    text = sv_trim(text);
    bool negative = text.len && text.p[0] == '-';
    if (negative)
        i++;
    for (; i < text.len; i++) {
        char c = text.p[i];

        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            digits++;
            value = value * 10 + (c - '0');
            if (fraction)
                scale *= 10;
        } else {
            break;
        }
    }
    struct sv rest = sv_trim(sv_from(text, i));
    if (digits == 0 || digits > 18 || rest.len > 7)
        return false;
    for (size_t k = 0; k < rest.len; k++)
        unit[k] = (char)tolower((unsigned char)rest.p[k]);
    unit[rest.len] = '\0';
    *number = negative ? -value / scale : value / scale;
    return true;
}

static bool to_i64(double value, int64_t *out)
{
    if (!(value > -9.2e18 && value < 9.2e18))
        return false;
    *out = (int64_t)value;
    return true;
}

bool units_parse_bytes(struct sv text, int64_t bare_unit, int64_t *bytes)
{
    static const char letters[] = "bkmgtp";
    char unit[8];
    double number;
    int64_t exact;

    if (sv_i64(sv_trim(text), &exact) && !__builtin_mul_overflow(exact, bare_unit, &exact)) {
        *bytes = exact;
        return true;
    }
    if (!number_and_unit(text, &number, unit))
        return false;
    if (unit[0] == '\0')
        return to_i64(number * (double)bare_unit, bytes);
    const char *at = strchr(letters, unit[0]);
    if (!at || !(unit[1] == '\0' || strcmp(unit + 1, "b") == 0 || strcmp(unit + 1, "ib") == 0) ||
        (unit[0] == 'b' && unit[1]))
        return false;
    for (; at > letters; at--)
        number *= 1024;
    return to_i64(number, bytes);
}

bool units_parse_ms(struct sv text, int64_t bare_ms, int64_t *ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = { { "us", 0.001 }, { "ms", 1 },       { "s", 1e3 },    { "m", 6e4 },
                  { "min", 6e4 },  { "h", 3600e3 },   { "d", 86400e3 } };
    char unit[8];
    double number;

    if (!number_and_unit(text, &number, unit))
        return false;
    if (unit[0] == '\0')
        return to_i64(number * (double)bare_ms, ms);
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return to_i64(number * units[i].ms, ms);
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
