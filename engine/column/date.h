/* Calendar arithmetic on dates and timestamps: proleptic Gregorian, as java.time.
 *
 * Inline where rows flow. Years may be negative: 0 is 1 BC. */
#ifndef ENGINE_COLUMN_DATE_H
#define ENGINE_COLUMN_DATE_H

#include "base/strbuf.h"
#include "engine/column/zone.h"

#define DAY_US INT64_C(86400000000)
#define HOUR_US INT64_C(3600000000)
#define MINUTE_US INT64_C(60000000)
#define SECOND_US INT64_C(1000000)

struct civil {
    int32_t year, month, day; /* month and day from 1 */
};

static inline int64_t floor_div(int64_t a, int64_t b) /* b > 0 */
{
    return a / b - (a % b < 0);
}

static inline int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t m = a % b;

    return m < 0 ? m + b : m;
}

/* Any year, month 1..12; a day beyond the month's end runs on into the next one. The
 * year is taken to begin in March, so that leap days come last. */
static inline int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static inline struct civil civil_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;

    return (struct civil){ .year = (int32_t)(yoe + era * 400 + (month <= 2)),
                           .month = (int32_t)month,
                           .day = (int32_t)(doy - (153 * mp + 2) / 5 + 1) };
}

static inline bool year_is_leap(int64_t year)
{
    return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int32_t days_of_month(int64_t year, int32_t month)
{
    return month == 2 ? (year_is_leap(year) ? 29 : 28) : 30 + ((month + (month > 7)) & 1);
}

/* Monday 1 .. Sunday 7. */
static inline int32_t day_of_week_iso(int64_t days)
{
    return (int32_t)floor_mod(days + 3, 7) + 1;
}

static inline int32_t day_of_year(int64_t days)
{
    return (int32_t)(days - days_from_civil(civil_from_days(days).year, 1, 1)) + 1;
}

/* ISO 8601 week, and the year it belongs to in *year unless NULL. */
int32_t iso_week(int64_t days, int32_t *year);
/* The day kept, or the last one of the month: 31 January + 1 month is 28 February. */
int64_t date_add_months(int64_t days, int64_t months);

/* From UTC to what clocks in the zone show, and back. Plain for zone_utc. */
static inline int64_t zone_to_local_us(const struct zone *z, int64_t utc_us)
{
    return z == &zone_utc ? utc_us : utc_us + zone_offset_s(z, utc_us) * SECOND_US;
}

static inline int64_t zone_to_utc_us(const struct zone *z, int64_t local_us)
{
    return z == &zone_utc ? local_us
                          : local_us - zone_offset_of_local_s(z, local_us) * SECOND_US;
}

/* "2024-02-29", "+10000-01-01", "-0044-03-15" into at most DATE_TEXT bytes; returns how
 * many. */
enum { DATE_TEXT = 16, TIMESTAMP_TEXT = 40 };
size_t date_format(char *to, int64_t days);
/* "2024-02-29 12:34:56.789" of a local time; a fraction without zeros at its end. */
size_t timestamp_format(char *to, int64_t local_us);

/* What Spark's casts take from text, blanks around allowed: "2024", "2024-2", "2024-2-9"
 * and, behind the day, "T..." or " ..." of anything. False: not a date. */
bool date_parse(struct sv text, int32_t *days);
/* Date, or date and time with fraction (beyond microseconds cut) and zone, or a time
 * alone ("12:30", on `today`, a local day). The result is UTC; without a zone in the
 * text the time is one of `zone`. False: not a timestamp. */
#define TODAY INT64_MIN /* by the clock */
bool timestamp_parse(struct sv text, const struct zone *zone, int64_t today, int64_t *us);
/* The same for a timestamp without zone: a zone in the text is dropped where allow_zone,
 * refused otherwise; no time alone. */
bool timestamp_ntz_parse(struct sv text, bool allow_zone, int64_t *us);

#endif
