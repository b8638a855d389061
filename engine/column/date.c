/* Dates and timestamps as text, both ways; months; ISO weeks.
 *
 * The parsers follow Spark's segment scan: digits are collected into year, month, day,
 * hour, minute, second, fraction; what separates them says which one comes next. */
#include "engine/column/date.h"

#include "engine/column/number.h"

#include <ctype.h>
#include <time.h>

/* ---- calendar ---- */

int32_t iso_week(int64_t days, int32_t *year)
{
    int64_t thursday = days - (day_of_week_iso(days) - 4); /* its year is the week's */

    if (year)
        *year = civil_from_days(thursday).year;
    return (day_of_year(thursday) - 1) / 7 + 1;
}

int64_t date_add_months(int64_t days, int64_t months)
{
    struct civil c = civil_from_days(days);
    int64_t total = (int64_t)c.year * 12 + c.month - 1 + months;
    int64_t year = floor_div(total, 12);
    int32_t month = (int32_t)floor_mod(total, 12) + 1;
    int32_t last = days_of_month(year, month);

    return days_from_civil(year, month, c.day < last ? c.day : last);
}

/* ---- to text ---- */

static char *put_padded(char *to, int64_t x, int width)
{
    for (int i = width - 1; i >= 0; i--, x /= 10)
        to[i] = (char)('0' + x % 10);
    return to + width;
}

/* At least four digits; a sign where negative or longer than four, as ISO has it. */
static char *put_year(char *to, int32_t year)
{
    int64_t y = year < 0 ? -(int64_t)year : year;
    int width = y > 999999 ? 7 : y > 99999 ? 6 : y > 9999 ? 5 : 4;

    if (year < 0)
        *to++ = '-';
    else if (width > 4)
        *to++ = '+';
    return put_padded(to, y, width);
}

static char *put_date(char *to, int64_t days)
{
    struct civil c = civil_from_days(days);

    to = put_year(to, c.year);
    *to++ = '-';
    to = put_padded(to, c.month, 2);
    *to++ = '-';
    return put_padded(to, c.day, 2);
}

size_t date_format(char *to, int64_t days)
{
    return (size_t)(put_date(to, days) - to);
}

size_t timestamp_format(char *to, int64_t local_us)
{
    int64_t days = floor_div(local_us, DAY_US), us = floor_mod(local_us, DAY_US);
    char *at = put_date(to, days);

    *at++ = ' ';
    at = put_padded(at, us / HOUR_US, 2);
    *at++ = ':';
    at = put_padded(at, us / MINUTE_US % 60, 2);
    *at++ = ':';
    at = put_padded(at, us / SECOND_US % 60, 2);
    if (us % SECOND_US) {
        *at++ = '.';
        at = put_padded(at, us % SECOND_US, 6);
        while (at[-1] == '0')
            at--;
    }
    return (size_t)(at - to);
}

/* ---- from text ---- */

static bool days_of(int64_t year, int64_t month, int64_t day, int64_t *out)
{
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, (int32_t)month))
        return false;
    *out = days_from_civil(year, month, day);
    return true;
}

/* Digits of one segment: years of dates take 4 to 7, months and days 1 or 2. */
static bool year_digits_fit(int digits)
{
    return digits >= 4 && digits <= 7;
}

static bool part_digits_fit(int digits)
{
    return digits == 1 || digits == 2;
}

/* "2024-02-29" and nothing else: what files hold. */
static bool parse_plain_date(struct sv text, int32_t *days)
{
    static const uint8_t at[8] = { 0, 1, 2, 3, 5, 6, 8, 9 };
    int32_t n[8], bad = 0;
    int64_t result;

    if (text.len != 10 || text.p[4] != '-' || text.p[7] != '-')
        return false;
    for (int i = 0; i < 8; i++) {
        n[i] = text.p[at[i]] - '0';
        bad |= n[i] > 9 || n[i] < 0;
    }
    if (bad || !days_of(n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3], n[4] * 10 + n[5],
                        n[6] * 10 + n[7], &result))
        return false;
    *days = (int32_t)result;
    return true;
}

bool date_parse(struct sv text, int32_t *days)
{
    int64_t part[3] = { 1, 1, 1 }, value = 0, result;
    int n = 0, digits = 0, sign = 1;
    size_t i = 0;
    struct sv s = number_trim(text);

    if (parse_plain_date(s, days))
        return true;
    if (!s.len)
        return false;
    if (s.p[0] == '-' || s.p[0] == '+')
        sign = s.p[i++] == '-' ? -1 : 1;
    for (; i < s.len && !(n == 2 && (s.p[i] == ' ' || s.p[i] == 'T')); i++) {
        char c = s.p[i];

        if (n < 2 && c == '-') {
            if (n == 0 ? !year_digits_fit(digits) : !part_digits_fit(digits))
                return false;
            part[n++] = value;
            value = digits = 0;
        } else if (isdigit((unsigned char)c) && digits < 8) {
            value = value * 10 + (c - '0');
            digits++;
        } else {
            return false;
        }
    }
    if (n == 0 ? !year_digits_fit(digits) : !part_digits_fit(digits))
        return false;
    part[n] = value;
    if (!days_of(sign * part[0], part[1], part[2], &result) || result > INT32_MAX ||
        result < INT32_MIN)
        return false;
    *days = (int32_t)result;
    return true;
}

/* What a timestamp's text holds. part: year, month, day, hour, minute, second, fraction
 * in microseconds. */
struct stamp {
    int64_t part[7];
    bool just_time; /* no date: "12:30", "T12:30" */
    struct sv zone; /* absent: none */
    int sign;
};

static bool stamp_digits_fit(int part, int digits)
{
    if (part == 0)
        return digits >= 4 && digits <= 6;
    return part == 6 || part_digits_fit(digits);
}

/* The scan: c ends the current part where it may; else it is a digit of it. */
struct stamp_scan {
    struct stamp *out;
    struct sv text;
    size_t at;
    int part, digits, fraction_digits;
    int64_t value;
};

static bool end_part(struct stamp_scan *s)
{
    if (!stamp_digits_fit(s->part, s->digits))
        return false;
    s->out->part[s->part++] = s->value;
    s->value = s->digits = 0;
    return true;
}

static void take_zone(struct stamp_scan *s)
{
    s->out->zone = sv_from(s->text, s->at);
    s->at = s->text.len;
}

static bool scan_separator(struct stamp_scan *s)
{
    char c = s->text.p[s->at];

    switch (s->part) {
    case 0:
        if (c == ':') { /* so far it was an hour */
            s->out->just_time = true;
            s->part = 3;
            return end_part(s);
        }
        if (c == 'T' && s->digits == 0 && s->at == 0) {
            s->out->just_time = true;
            s->part = 3;
            return true;
        }
        return c == '-' && end_part(s);
    case 1:
        return c == '-' && end_part(s);
    case 2:
        return (c == ' ' || c == 'T') && end_part(s);
    case 3:
    case 4:
        return c == ':' && end_part(s);
    case 5:
    case 6:
        if (s->part == 5 && c == '.')
            return end_part(s);
        if (!end_part(s))
            return false;
        take_zone(s);
        return true;
    default:
        return false;
    }
}

static void scan_digit(struct stamp_scan *s)
{
    int digit = s->text.p[s->at] - '0';

    if (s->part == 6) { /* beyond microseconds: cut */
        if (s->fraction_digits < 6) {
            s->value = s->value * 10 + digit;
            s->fraction_digits++;
        }
    } else if (s->value < 100000000) {
        s->value = s->value * 10 + digit;
    }
    s->digits++;
}

static bool scan_stamp(struct sv text, struct stamp *out)
{
    struct stamp_scan s = { .out = out, .text = number_trim(text) };

    *out = (struct stamp){ .part = { 1, 1, 1, 0, 0, 0, 0 }, .sign = 1 };
    if (!s.text.len)
        return false;
    if (s.text.p[0] == '-' || s.text.p[0] == '+') {
        out->sign = s.text.p[0] == '-' ? -1 : 1;
        s.at = 1;
    }
    while (s.at < s.text.len) {
        if (isdigit((unsigned char)s.text.p[s.at]))
            scan_digit(&s);
        else if (!scan_separator(&s))
            return false;
        s.at += s.at < s.text.len;
    }
    if (!out->zone.p && !end_part(&s))
        return false;
    for (; s.fraction_digits && s.fraction_digits < 6; s.fraction_digits++)
        out->part[6] *= 10;
    return true;
}

static bool stamp_local_us(const struct stamp *s, int64_t today, int64_t *us)
{
    const int64_t *p = s->part;
    int64_t days = today, day_us, sum;

    if (p[3] > 23 || p[4] > 59 || p[5] > 59)
        return false;
    if (!s->just_time && !days_of(s->sign * p[0], p[1], p[2], &days))
        return false;
    day_us = p[3] * HOUR_US + p[4] * MINUTE_US + p[5] * SECOND_US + p[6];
    /* one day towards zero first: the very first moments of int64 stay in reach */
    if (__builtin_mul_overflow(days < 0 ? days + 1 : days, DAY_US, &sum) ||
        __builtin_add_overflow(sum, days < 0 ? day_us - DAY_US : day_us, &sum))
        return false;
    *us = sum;
    return true;
}

bool timestamp_parse(struct sv text, const struct zone *zone, int64_t today, int64_t *us)
{
    struct arena scratch = { 0 };
    struct stamp s;
    struct err err;
    int64_t local;
    bool good;

    if (!scan_stamp(text, &s))
        return false;
    if (s.just_time && today == TODAY)
        today = floor_div(zone_to_local_us(zone, time(NULL) * SECOND_US), DAY_US);
    if (!stamp_local_us(&s, today, &local))
        return false;
    good = !s.zone.p || zone_open(&scratch, sv_trim(s.zone), &zone, &err) == ERR_OK;
    if (good)
        *us = zone_to_utc_us(zone, local);
    arena_release(&scratch);
    return good;
}

bool timestamp_ntz_parse(struct sv text, bool allow_zone, int64_t *us)
{
    struct arena scratch = { 0 };
    const struct zone *zone;
    struct stamp s;
    struct err err;
    bool good;

    if (!scan_stamp(text, &s) || s.just_time || (s.zone.p && !allow_zone))
        return false;
    good = !s.zone.p || zone_open(&scratch, sv_trim(s.zone), &zone, &err) == ERR_OK;
    arena_release(&scratch);
    return good && stamp_local_us(&s, 0, us);
}
