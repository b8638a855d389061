/* Datetime patterns: compiled to items, one for each run of a letter; see datetime.h.
 *
 * Parsing is strict: MM is two digits, M one or two, yyyy four and more. Numbers that
 * stand next to each other share the digits: the later ones take their width, the first
 * what is left. Where the strict reading fails a loose one is tried (any number of
 * digits, anything behind), only to tell NULL from what Spark calls an inconsistency
 * between its versions. */
#include "engine/expr/datetime.h"

#include <ctype.h>
#include <stdio.h>

enum item_kind { ITEM_TEXT, ITEM_FIELD, ITEM_OPEN, ITEM_CLOSE };

struct pattern_item {
    enum item_kind kind;
    char letter;
    int count;
    struct sv text;
};

static const char *const months[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };
static const char *const weekdays[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday" };

/* ---- compiling ---- */

static enum errc check_letter(char letter, int count, struct sv text, struct err *err)
{
    if (strchr("YWwuecAnNp", letter) || (strchr("MLEQqG", letter) && count > 4))
        return err_set(err, ERR_SYNTAX,
                       "[INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_"
                       "RECOGNITION] You may get a different result due to the upgrading "
                       "to Spark >= 3.0: Fail to recognize '%.*s' pattern in the "
                       "DateTimeFormatter.",
                       SV_FMT(text));
    if (!strchr("GyMLdDEaHkKhmsSqQVzOXxZ", letter))
        return err_set(err, ERR_SYNTAX, "Unknown pattern letter: %c", letter);
    return ERR_OK;
}

static size_t quoted(struct pattern *p, struct sv text, size_t at,
                     struct pattern_item *item)
{
    char *to = arena_bytes(&p->memory, text.len - at + 1);
    size_t n = 0, i = at + 1;

    item->kind = ITEM_TEXT;
    if (i < text.len && text.p[i] == '\'') { /* a quote itself */
        to[n++] = '\'';
        item->text = (struct sv){ to, n };
        return i + 1;
    }
    for (; i < text.len; i++) {
        if (text.p[i] == '\'') {
            if (i + 1 >= text.len || text.p[i + 1] != '\'')
                break;
            i++;
        }
        to[n++] = text.p[i];
    }
    item->text = (struct sv){ to, n };
    return i + 1;
}

enum errc pattern_compile(struct pattern *p, struct sv text, struct err *err)
{
    if (p->text.p && sv_eq(p->text, text))
        return ERR_OK;
    arena_reset(&p->memory);
    p->text = (struct sv){ 0 };
    struct sv own = arena_sv(&p->memory, text);
    p->items = arena_array(&p->memory, text.len + 1, sizeof *p->items);
    p->n = 0;
    for (size_t i = 0; i < own.len;) {
        struct pattern_item *item = &p->items[p->n++];
        char ch = own.p[i];
        size_t from = i;

        if (ch == '\'') {
            i = quoted(p, own, i, item);
        } else if (ch == '[' || ch == ']') {
            item->kind = ch == '[' ? ITEM_OPEN : ITEM_CLOSE;
            i++;
        } else if (isalpha((unsigned char)ch)) {
            while (i < own.len && own.p[i] == ch)
                i++;
            item->kind = ITEM_FIELD;
            item->letter = ch == 'L' ? 'M' : ch == 'q' ? 'Q' : ch;
            item->count = (int)(i - from);
            TRY(check_letter(ch, item->count, own, err));
        } else {
            item->kind = ITEM_TEXT;
            item->text = (struct sv){ own.p + i++, 1 };
        }
    }
    p->text = own;
    return ERR_OK;
}

void pattern_release(struct pattern *p)
{
    arena_release(&p->memory);
}

/* ---- formatting ---- */

struct moment {
    struct civil d;
    int64_t days, time_us; /* of the local day */
    int32_t offset_s;
};

static void add_padded(struct strbuf *out, int64_t x, int width)
{
    if (x < 0)
        strbuf_addc(out, '-');
    strbuf_printf(out, "%0*lld", width, (long long)(x < 0 ? -x : x));
}

/* Short names are the first three letters. */
static void add_name(struct strbuf *out, const char *name, int count)
{
    strbuf_add(out, (struct sv){ name, count < 4 ? 3 : strlen(name) });
}

static void add_offset(struct strbuf *out, const struct moment *m, char letter, int count)
{
    int32_t s = m->offset_s < 0 ? -m->offset_s : m->offset_s;
    char sign = m->offset_s < 0 ? '-' : '+';
    int hours = s / 3600, minutes = s / 60 % 60;

    if (m->offset_s == 0 && (letter == 'X' || (letter == 'Z' && count == 5))) {
        strbuf_addc(out, 'Z');
        return;
    }
    if (letter == 'O' || (letter == 'Z' && count == 4)) {
        strbuf_addz(out, "GMT");
        if (m->offset_s == 0)
            return;
        if (letter == 'O' && count == 1) {
            strbuf_printf(out, "%c%d", sign, hours);
            if (minutes)
                strbuf_printf(out, ":%02d", minutes);
            return;
        }
        strbuf_printf(out, "%c%02d:%02d", sign, hours, minutes);
        return;
    }
    bool colon = count == 3 || count == 5, short_form = letter != 'Z' && count == 1;
    if (letter == 'Z')
        colon = count == 5;
    strbuf_printf(out, "%c%02d", sign, hours);
    if (!short_form || minutes)
        strbuf_printf(out, "%s%02d", colon ? ":" : "", minutes);
}

static void add_year(struct strbuf *out, int64_t year, int count)
{
    if (count == 2) {
        add_padded(out, floor_mod(year, 100), 2);
        return;
    }
    if (year > 9999 && count == 4)
        strbuf_addc(out, '+');
    if (year <= 0) /* year of era */
        year = 1 - year;
    add_padded(out, year, count);
}

static void add_field(struct strbuf *out, const struct pattern_item *item,
                      const struct moment *m, struct sv zone_name)
{
    int count = item->count;
    int64_t hour = m->time_us / HOUR_US;

    switch (item->letter) {
    case 'G':
        strbuf_addz(out, count == 4 ? (m->d.year > 0 ? "Anno Domini" : "Before Christ")
                         : m->d.year > 0 ? "AD"
                                         : "BC");
        break;
    case 'y':
        add_year(out, m->d.year, count);
        break;
    case 'M':
        if (count < 3)
            add_padded(out, m->d.month, count);
        else
            add_name(out, months[m->d.month - 1], count);
        break;
    case 'd':
        add_padded(out, m->d.day, count);
        break;
    case 'D':
        add_padded(out, day_of_year(m->days), count);
        break;
    case 'E':
        add_name(out, weekdays[day_of_week_iso(m->days) - 1], count);
        break;
    case 'a':
        strbuf_addz(out, hour < 12 ? "AM" : "PM");
        break;
    case 'H':
        add_padded(out, hour, count);
        break;
    case 'k':
        add_padded(out, hour == 0 ? 24 : hour, count);
        break;
    case 'K':
        add_padded(out, hour % 12, count);
        break;
    case 'h':
        add_padded(out, hour % 12 == 0 ? 12 : hour % 12, count);
        break;
    case 'm':
        add_padded(out, m->time_us / MINUTE_US % 60, count);
        break;
    case 's':
        add_padded(out, m->time_us / SECOND_US % 60, count);
        break;
    case 'S': {
        char digits[16];

        snprintf(digits, sizeof digits, "%06d000", (int)(m->time_us % SECOND_US));
        strbuf_add(out, (struct sv){ digits, (size_t)(count < 9 ? count : 9) });
        break;
    }
    case 'Q':
        if (count < 3)
            add_padded(out, (m->d.month + 2) / 3, count);
        else if (count == 3)
            strbuf_printf(out, "Q%d", (m->d.month + 2) / 3);
        else
            strbuf_printf(out, "%d%s quarter", (m->d.month + 2) / 3,
                          m->d.month < 4    ? "st"
                          : m->d.month < 7  ? "nd"
                          : m->d.month < 10 ? "rd"
                                            : "th");
        break;
    case 'V':
    case 'z':
        strbuf_add(out, zone_name);
        break;
    default: /* the rest are offsets */
        add_offset(out, m, item->letter, count);
        break;
    }
}

void pattern_format(struct strbuf *out, const struct pattern *p, int64_t us,
                    const struct zone *zone, struct sv zone_name)
{
    int64_t local = zone_to_local_us(zone, us);
    struct moment m = { .days = floor_div(local, DAY_US),
                        .offset_s = (int32_t)((local - us) / SECOND_US) };

    m.time_us = local - m.days * DAY_US;
    m.d = civil_from_days(m.days);
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->items[i].kind == ITEM_TEXT)
            strbuf_add(out, p->items[i].text);
        else if (p->items[i].kind == ITEM_FIELD)
            add_field(out, &p->items[i], &m, zone_name);
    }
}

/* ---- parsing ---- */

struct reading {
    struct sv s;
    size_t at;
    bool loose;
    int64_t year, month, day, doy, hour, hour12, minute, second, us;
    int pm; /* -1: not said */
    bool has_offset;
    int64_t offset_s;
};

static bool is_number(const struct pattern_item *item)
{
    return item->kind == ITEM_FIELD && (strchr("ydDHkKhmsS", item->letter) ||
                                        (item->letter == 'M' && item->count < 3));
}

static bool fixed_width(const struct pattern_item *item)
{
    return is_number(item) && item->count >= 2;
}

/* Digits that the adjacent items behind need. */
static int reserved(const struct pattern *p, uint32_t i)
{
    int n = 0;

    for (i++; i < p->n && fixed_width(&p->items[i]); i++)
        n += p->items[i].count;
    return n;
}

static int digits_ahead(const struct reading *r)
{
    int n = 0;

    while (r->at + (size_t)n < r->s.len &&
           isdigit((unsigned char)r->s.p[r->at + (size_t)n]))
        n++;
    return n;
}

static bool read_number(struct reading *r, const struct pattern *p, uint32_t i,
                        int64_t *x)
{
    const struct pattern_item *item = &p->items[i];
    int least = item->count, most = item->count, there, keep = reserved(p, i);

    if (item->letter == 'y' && item->count != 2)
        most = 18;
    else if (item->count == 1)
        most = item->letter == 'D' ? 3 : item->letter == 'S' ? 1 : 2;
    if (item->letter == 'S')
        least = 1;
    if (r->loose && keep == 0 && item->letter != 'S') {
        least = 1;
        most = 18;
    }
    there = digits_ahead(r) - (least != most || r->loose ? keep : 0);
    if (there < least)
        return false;
    if (there > most)
        there = most;
    *x = 0;
    for (int k = 0; k < there; k++)
        *x = *x * 10 + (r->s.p[r->at + (size_t)k] - '0');
    if (item->letter == 'S') /* a fraction of a second, in microseconds */
        for (int k = there; k != 6; k < 6 ? k++ : k--)
            *x = k < 6 ? *x * 10 : *x / 10;
    r->at += (size_t)there;
    return true;
}

static bool read_name(struct reading *r, const char *const *names, int n, int count,
                      int64_t *x)
{
    for (int i = 0; i < n; i++) {
        size_t len = count < 4 ? 3 : strlen(names[i]);

        if (r->s.len - r->at >= len && strncasecmp(r->s.p + r->at, names[i], len) == 0) {
            r->at += len;
            *x = i + 1;
            return true;
        }
    }
    return false;
}

static bool take(struct reading *r, const char *word)
{
    size_t len = strlen(word);

    if (r->s.len - r->at < len || strncasecmp(r->s.p + r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool two_digits(struct reading *r, int64_t *x)
{
    if (digits_ahead(r) < 2)
        return false;
    *x = (r->s.p[r->at] - '0') * 10 + (r->s.p[r->at + 1] - '0');
    r->at += 2;
    return true;
}

/* "+02:00", "+0200", "+02", "Z", "UTC", "GMT", the latter with an offset behind. */
static bool read_offset(struct reading *r, const struct pattern_item *item)
{
    int64_t hours, minutes = 0;
    bool named = take(r, "UTC") || take(r, "GMT");

    r->has_offset = true;
    r->offset_s = 0;
    if (!named && item->letter != 'x' && take(r, "Z"))
        return true;
    if (r->at >= r->s.len || (r->s.p[r->at] != '+' && r->s.p[r->at] != '-'))
        return named;
    int sign = r->s.p[r->at++] == '-' ? -1 : 1;
    if (!two_digits(r, &hours))
        return false;
    (void)take(r, ":");
    if (digits_ahead(r) >= 2 && !two_digits(r, &minutes))
        return false;
    r->offset_s = sign * (hours * 3600 + minutes * 60);
    return hours <= 18 && minutes < 60;
}

static bool read_field(struct reading *r, const struct pattern *p, uint32_t i)
{
    const struct pattern_item *item = &p->items[i];
    int64_t x;

    switch (item->letter) {
    case 'y': {
        bool minus = item->count != 2 && take(r, "-");

        if (!minus && item->count == 4 && take(r, "+") && digits_ahead(r) < 5)
            return false;
        if (!read_number(r, p, i, &r->year))
            return false;
        if (item->count == 2)
            r->year += 2000;
        if (minus)
            r->year = -r->year;
        return true;
    }
    case 'M':
        if (item->count >= 3)
            return read_name(r, months, 12, item->count, &r->month);
        return read_number(r, p, i, &r->month);
    case 'd':
        return read_number(r, p, i, &r->day);
    case 'D':
        return read_number(r, p, i, &r->doy);
    case 'E':
        return read_name(r, weekdays, 7, item->count, &x);
    case 'a':
        r->pm = take(r, "PM");
        return r->pm || take(r, "AM");
    case 'H':
        return read_number(r, p, i, &r->hour) && r->hour < 24;
    case 'k':
        if (!read_number(r, p, i, &r->hour) || r->hour < 1 || r->hour > 24)
            return false;
        r->hour %= 24;
        return true;
    case 'h':
    case 'K':
        if (!read_number(r, p, i, &r->hour12) || r->hour12 > 12)
            return false;
        r->hour12 %= 12;
        return true;
    case 'm':
        return read_number(r, p, i, &r->minute) && r->minute < 60;
    case 's':
        return read_number(r, p, i, &r->second) && r->second < 60;
    case 'S':
        return read_number(r, p, i, &r->us);
    case 'G':
        return take(r, "AD");
    case 'Q':
        return read_number(r, p, i, &x);
    default: /* offsets and zones */
        return read_offset(r, item);
    }
}

static bool read_items(struct reading *r, const struct pattern *p)
{
    uint32_t optional = 0;
    size_t back = 0;

    for (uint32_t i = 0; i < p->n; i++) {
        const struct pattern_item *item = &p->items[i];
        bool ok = true;

        if (item->kind == ITEM_OPEN) {
            optional++;
            back = r->at;
        } else if (item->kind == ITEM_CLOSE) {
            optional -= optional > 0;
        } else if (item->kind == ITEM_TEXT) {
            ok = r->s.len - r->at >= item->text.len &&
                 strncasecmp(r->s.p + r->at, item->text.p, item->text.len) == 0;
            r->at += ok ? item->text.len : 0;
        } else {
            ok = read_field(r, p, i);
        }
        if (ok)
            continue;
        if (!optional)
            return false;
        r->at = back; /* the part in brackets is not there */
        while (i < p->n && p->items[i].kind != ITEM_CLOSE)
            i++;
        optional = 0;
    }
    return r->loose || r->at == r->s.len;
}

static bool resolve(const struct reading *r, const struct zone *zone, int64_t *us)
{
    int64_t hour = r->hour, days;

    if (r->hour < 0)
        hour = r->hour12 < 0 ? 0 : r->hour12 + (r->pm == 1 ? 12 : 0);
    if (r->month < 1 || r->month > 12 || r->day < 1 ||
        r->day > days_of_month(r->year, (int32_t)r->month) || r->year > 999999 ||
        r->year < -999999)
        return false;
    days = days_from_civil(r->year, r->month, r->day);
    if (r->doy > 0)
        days = days_from_civil(r->year, 1, 1) + r->doy - 1;
    int64_t local = days * DAY_US + hour * HOUR_US + r->minute * MINUTE_US +
                    r->second * SECOND_US + r->us;
    *us = r->has_offset ? local - r->offset_s * SECOND_US : zone_to_utc_us(zone, local);
    return true;
}

static bool parse_once(const struct pattern *p, struct sv text, const struct zone *zone,
                       bool loose, int64_t *us)
{
    struct reading r = { .s = text,
                         .loose = loose,
                         .year = 1970,
                         .month = 1,
                         .day = 1,
                         .hour = -1,
                         .hour12 = -1,
                         .pm = -1 };

    return read_items(&r, p) && resolve(&r, zone, us);
}

enum parsed pattern_parse(const struct pattern *p, struct sv text,
                          const struct zone *zone, int64_t *us)
{
    int64_t x;

    if (parse_once(p, text, zone, false, us))
        return PARSED;
    return parse_once(p, text, zone, true, &x) ? PARSED_LOOSELY : NOT_PARSED;
}
