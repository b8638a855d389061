/* Time zones out of the system's TZif files (RFC 8536), and fixed offsets.
 *
 * A file gives moments at which the offset changes, and a rule in POSIX's TZ notation for
 * all time after the last of them ("CET-1CEST,M3.5.0,M10.5.0/3"). Looking up an instant
 * is a binary search; beyond the table the rule makes the two changes of that year. */
#include "engine/column/zone.h"

#include "engine/column/date.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One end of daylight saving in a rule. */
struct change {
    enum { CHANGE_JULIAN, CHANGE_DAY, CHANGE_MONTH } kind; /* "J60", "59", "M3.5.0" */
    int32_t day, month, week;
    int32_t at_s; /* local time of day, in the offset before */
};

struct rule {
    bool known, daylight;
    int32_t standard_s, daylight_s; /* east of UTC */
    struct change start, end;
};

struct zone {
    int32_t first_s; /* before the first change, or always */
    uint32_t n;
    const int64_t *at_s;     /* ascending moments of change */
    const int32_t *offset_s; /* from that moment on */
    struct rule rule;
};

const struct zone zone_utc;

/* ---- instants ---- */

/* The moment in UTC of a change in a year, its offset before it given. */
static int64_t change_at_s(const struct change *c, int64_t year, int32_t before_s)
{
    int64_t day;

    if (c->kind == CHANGE_MONTH) {
        int64_t first = days_from_civil(year, c->month, 1);
        int64_t weekday = floor_mod(first + 4, 7); /* Sunday 0 */

        day = first + floor_mod(c->day - weekday, 7) + 7 * (c->week - 1);
        if (day >= first + days_of_month(year, c->month))
            day -= 7; /* week 5 is the last one */
    } else {
        day = days_from_civil(year, 1, 1) + c->day;
        if (c->kind == CHANGE_JULIAN) /* 29 February is never counted */
            day += (year_is_leap(year) && c->day >= 60) - 1;
    }
    return day * 86400 + c->at_s - before_s;
}

static int32_t rule_offset_s(const struct rule *r, int64_t utc_s)
{
    if (!r->daylight)
        return r->standard_s;
    int64_t year = civil_from_days(floor_div(utc_s + r->standard_s, 86400)).year;
    int64_t start = change_at_s(&r->start, year, r->standard_s);
    int64_t end = change_at_s(&r->end, year, r->daylight_s);
    bool saving = start < end ? utc_s >= start && utc_s < end
                              : utc_s >= start || utc_s < end; /* south of the equator */

    return saving ? r->daylight_s : r->standard_s;
}

static int32_t offset_at_s(const struct zone *z, int64_t utc_s)
{
    uint32_t low = 0, high = z->n; /* the first change later than utc_s */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (z->at_s[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->n && z->rule.known)
        return rule_offset_s(&z->rule, utc_s);
    return low ? z->offset_s[low - 1] : z->first_s;
}

static bool is_fixed(const struct zone *z)
{
    return !z->n && !z->rule.known;
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_us)
{
    return is_fixed(z) ? z->first_s : offset_at_s(z, floor_div(utc_us, SECOND_US));
}

/* Offsets are less than a day: those a day before and after are the two candidates at any
 * change. Both of an overlap's fit, and the earlier one (in force before) is taken; none
 * of a gap's, and the one before moves the time forward by the gap. Two changes within
 * two days have not happened in any zone since 1900 but for a few hours of war time. */
int32_t zone_offset_of_local_s(const struct zone *z, int64_t local_us)
{
    int64_t local_s = floor_div(local_us, SECOND_US);

    if (is_fixed(z))
        return z->first_s;
    int32_t before = offset_at_s(z, local_s - 86400),
            after = offset_at_s(z, local_s + 86400);
    if (before == after || offset_at_s(z, local_s - before) == before)
        return before;
    if (offset_at_s(z, local_s - after) == after)
        return after;
    return before;
}

/* ---- rules ---- */

static bool rule_name(struct sv *s)
{
    size_t n = 0;

    if (s->len && s->p[0] == '<') {
        while (n < s->len && s->p[n] != '>')
            n++;
        if (n == s->len)
            return false;
        *s = sv_from(*s, n + 1);
        return true;
    }
    while (n < s->len && isalpha((unsigned char)s->p[n]))
        n++;
    *s = sv_from(*s, n);
    return n >= 3;
}

static bool rule_number(struct sv *s, int32_t *out)
{
    int32_t x = 0;
    size_t n = 0;

    while (n < s->len && n < 4 && isdigit((unsigned char)s->p[n]))
        x = x * 10 + (s->p[n++] - '0');
    *s = sv_from(*s, n);
    *out = x;
    return n > 0;
}

static bool rule_skip(struct sv *s, char c)
{
    if (!s->len || s->p[0] != c)
        return false;
    *s = sv_from(*s, 1);
    return true;
}

/* "[+-]h[h][:mm[:ss]]" in seconds. */
static bool rule_time(struct sv *s, int32_t *out)
{
    int32_t h, m = 0, sec = 0;
    bool negative = rule_skip(s, '-');

    if (!negative)
        rule_skip(s, '+');
    if (!rule_number(s, &h) || (rule_skip(s, ':') && !rule_number(s, &m)) ||
        (rule_skip(s, ':') && !rule_number(s, &sec)))
        return false;
    *out = h * 3600 + m * 60 + sec;
    if (negative)
        *out = -*out;
    return true;
}

static bool rule_change(struct sv *s, struct change *c)
{
    c->at_s = 2 * 3600;
    if (!rule_skip(s, ','))
        return false;
    if (rule_skip(s, 'M')) {
        c->kind = CHANGE_MONTH;
        if (!rule_number(s, &c->month) || !rule_skip(s, '.') ||
            !rule_number(s, &c->week) || !rule_skip(s, '.') || !rule_number(s, &c->day) ||
            c->month < 1 || c->month > 12 || c->week < 1 || c->week > 5 || c->day > 6)
            return false;
    } else {
        c->kind = rule_skip(s, 'J') ? CHANGE_JULIAN : CHANGE_DAY;
        if (!rule_number(s, &c->day) || c->day > 365)
            return false;
    }
    return !rule_skip(s, '/') || rule_time(s, &c->at_s);
}

static bool rule_parse(struct sv s, struct rule *r)
{
    int32_t west;

    *r = (struct rule){ 0 };
    if (!rule_name(&s) || !rule_time(&s, &west))
        return false;
    r->standard_s = -west;
    r->known = true;
    if (!s.len)
        return true;
    r->daylight = true;
    r->daylight_s = r->standard_s + 3600;
    if (!rule_name(&s))
        return false;
    if (s.len && s.p[0] != ',') {
        if (!rule_time(&s, &west))
            return false;
        r->daylight_s = -west;
    }
    return rule_change(&s, &r->start) && rule_change(&s, &r->end) && !s.len;
}

/* ---- files ---- */

static int64_t big_endian(const unsigned char *p, int bytes)
{
    uint64_t x = p[0] & 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < bytes; i++)
        x = x << 8 | p[i];
    return (int64_t)x;
}

struct tzif {
    const unsigned char *p;
    size_t len;
};

struct tzif_header {
    int64_t is_ut, is_std, leap, times, types, chars;
};

static bool read_header(const struct tzif *f, struct tzif_header *h)
{
    int64_t *const counts[] = { &h->is_ut, &h->is_std, &h->leap,
                                &h->times, &h->types,  &h->chars };

    if (f->len < 44 || memcmp(f->p, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        *counts[i] = big_endian(f->p + 20 + i * 4, 4);
        if (*counts[i] < 0 || *counts[i] > 1000000)
            return false;
    }
    return h->types > 0;
}

static size_t data_bytes(const struct tzif_header *h, int64_t time_bytes)
{
    return (size_t)(h->times * (time_bytes + 1) + h->types * 6 + h->chars +
                    h->leap * (time_bytes + 4) + h->is_std + h->is_ut);
}

static bool read_table(struct arena *a, const struct tzif *f, const struct tzif_header *h,
                       struct zone *z)
{
    size_t n = (size_t)h->times;
    const unsigned char *times = f->p + 44, *index = times + n * 8, *types = index + n;
    int64_t *at = arena_array(a, n + 1, sizeof *at);
    int32_t *offset = arena_array(a, n + 1, sizeof *offset);

    for (size_t i = 0; i < n; i++) {
        if (index[i] >= h->types)
            return false;
        at[i] = big_endian(times + i * 8, 8);
        offset[i] = (int32_t)big_endian(types + index[i] * 6, 4);
    }
    z->first_s = (int32_t)big_endian(types, 4);
    z->n = (uint32_t)n;
    z->at_s = at;
    z->offset_s = offset;
    return true;
}

/* The second, 64-bit part of the file and the rule at its end. */
static bool read_tzif(struct arena *a, struct tzif f, struct zone *z)
{
    struct tzif_header h;
    size_t skip;

    if (!read_header(&f, &h) || f.p[4] < '2')
        return false;
    skip = 44 + data_bytes(&h, 4);
    if (skip > f.len)
        return false;
    f = (struct tzif){ f.p + skip, f.len - skip };
    if (!read_header(&f, &h) || 44 + data_bytes(&h, 8) > f.len ||
        !read_table(a, &f, &h, z))
        return false;
    struct sv rule = { (const char *)f.p + 44 + data_bytes(&h, 8),
                       f.len - 44 - data_bytes(&h, 8) };
    rule = sv_trim(rule);
    return !rule.len || rule_parse(rule, &z->rule);
}

static bool read_file(struct arena *a, const char *path, struct zone *z)
{
    FILE *in = fopen(path, "rb");
    size_t room = 1 << 17;
    char *bytes;
    size_t n;

    if (!in)
        return false;
    bytes = arena_bytes(a, room);
    n = fread(bytes, 1, room, in);
    fclose(in);
    return read_tzif(a, (struct tzif){ (const unsigned char *)bytes, n }, z);
}

/* ---- names ---- */

/* "+2", "+02", "+02:00", "+0200", "+02:00:30"; at most 18 hours. */
static bool parse_offset(struct sv s, int32_t *out)
{
    int32_t part[3] = { 0, 0, 0 };
    int n = 0;
    bool negative = s.len && s.p[0] == '-';

    if (!s.len || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    for (size_t i = 1; i < s.len;) {
        size_t digits = 0;

        while (digits < 2 && i + digits < s.len &&
               isdigit((unsigned char)s.p[i + digits]))
            part[n] = part[n] * 10 + (s.p[i + digits++] - '0');
        i += digits;
        if (!digits || ++n > 3)
            return false;
        if (i < s.len && (s.p[i] == ':' ? ++i == s.len : n == 3))
            return false;
        if (n == 3 && i < s.len)
            return false;
    }
    *out = part[0] * 3600 + part[1] * 60 + part[2];
    if (!n || part[1] > 59 || part[2] > 59 || *out > 18 * 3600)
        return false;
    if (negative)
        *out = -*out;
    return true;
}

static bool is_region(struct sv name)
{
    if (!name.len || name.len > 100 || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.p[i]) && !strchr("_-+/", name.p[i]))
            return false;
    return !sv_has(name, "//");
}

/* Java's short names, where they are not files of their own or mean something else. */
static struct sv long_name(struct sv name)
{
    static const char *const names[][2] = {
        { "ACT", "Australia/Darwin" },
        { "AET", "Australia/Sydney" },
        { "AGT", "America/Argentina/Buenos_Aires" },
        { "ART", "Africa/Cairo" },
        { "AST", "America/Anchorage" },
        { "BET", "America/Sao_Paulo" },
        { "BST", "Asia/Dhaka" },
        { "CAT", "Africa/Harare" },
        { "CNT", "America/St_Johns" },
        { "CST", "America/Chicago" },
        { "CTT", "Asia/Shanghai" },
        { "EAT", "Africa/Addis_Ababa" },
        { "ECT", "Europe/Paris" },
        { "EST", "-05:00" },
        { "HST", "-10:00" },
        { "IET", "America/Indiana/Indianapolis" },
        { "IST", "Asia/Kolkata" },
        { "JST", "Asia/Tokyo" },
        { "MIT", "Pacific/Apia" },
        { "MST", "-07:00" },
        { "NET", "Asia/Yerevan" },
        { "NST", "Pacific/Auckland" },
        { "PLT", "Asia/Karachi" },
        { "PNT", "America/Phoenix" },
        { "PRT", "America/Puerto_Rico" },
        { "PST", "America/Los_Angeles" },
        { "SST", "Pacific/Guadalcanal" },
        { "VST", "Asia/Ho_Chi_Minh" },
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(name, names[i][0]))
            return sv(names[i][1]);
    return name;
}

static bool open_fixed(struct arena *a, struct sv name, const struct zone **out)
{
    static const char *const prefixes[] = { "GMT", "UTC", "UT" };
    int32_t offset;

    if (sv_is(name, "Z") || sv_is(name, "UTC") || sv_is(name, "GMT") ||
        sv_is(name, "UT")) {
        *out = &zone_utc;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (sv_starts(name, sv(prefixes[i]))) {
            name = sv_from(name, strlen(prefixes[i]));
            break;
        }
    }
    if (!parse_offset(name, &offset))
        return false;
    struct zone *z = ARENA_NEW(a, struct zone);
    z->first_s = offset;
    *out = offset ? z : &zone_utc;
    return true;
}

enum errc zone_open(struct arena *a, struct sv name, const struct zone **out,
                    struct err *err)
{
    struct zone *z;

    name = long_name(name);
    if (open_fixed(a, name, out))
        return ERR_OK;
    z = ARENA_NEW(a, struct zone);
    if (!is_region(name) ||
        !read_file(a, arena_printf(a, "/usr/share/zoneinfo/%.*s", SV_FMT(name)), z))
        return err_set(err, ERR_SYNTAX, "\"%.*s\" is no time zone", SV_FMT(name));
    *out = z;
    return ERR_OK;
}

const struct zone *zone_local(struct arena *a)
{
    const char *tz = getenv("TZ");
    const struct zone *found;
    struct zone *z = ARENA_NEW(a, struct zone);
    struct err err;

    if (tz && zone_open(a, sv(tz[0] == ':' ? tz + 1 : tz), &found, &err) == ERR_OK)
        return found;
    return !tz && read_file(a, "/etc/localtime", z) ? z : &zone_utc;
}
