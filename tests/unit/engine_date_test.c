/* Calendar and time zones. Zones are held against Python's (engine_zones.py, to be run again
 * where the system's zone files have changed). */
#include "engine/column/date.h"

#include "case_file.h"

static void days_count_on_from_each_other(void **state)
{
    struct civil c = civil_from_days(-1000000);
    int32_t week_year;

    (void)state;
    for (int64_t days = -1000000; days < 1000000; days++) {
        struct civil now = civil_from_days(days);

        if (now.year != c.year || now.month != c.month || now.day != c.day)
            fail_msg("day %lld", (long long)days);
        assert_true(days_from_civil(c.year, c.month, c.day) == days);
        if (c.day++ == days_of_month(c.year, c.month)) {
            c.day = 1;
            c.month = c.month % 12 + 1;
            c.year += c.month == 1;
        }
    }
    assert_int_equal(days_from_civil(1970, 1, 1), 0);
    assert_int_equal(day_of_week_iso(0), 4); /* a Thursday */
    assert_int_equal(day_of_year(days_from_civil(2020, 12, 31)), 366);
    assert_int_equal(iso_week(days_from_civil(2021, 1, 3), &week_year), 53);
    assert_int_equal(week_year, 2020);
    assert_int_equal(iso_week(days_from_civil(2018, 12, 31), &week_year), 1);
    assert_int_equal(week_year, 2019);
}

static void months_keep_to_their_ends(void **state)
{
    static const struct {
        const char *from;
        int64_t months;
        const char *to;
    } cases[] = {
        { "2020-01-31", 1, "2020-02-29" },   { "2019-01-31", 1, "2019-02-28" },
        { "2020-02-29", 12, "2021-02-28" },  { "2020-03-31", -1, "2020-02-29" },
        { "2020-01-15", -13, "2018-12-15" }, { "0001-01-01", -1, "0000-12-01" },
        { "2020-12-31", 0, "2020-12-31" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATE_TEXT + 1];
        int32_t days;

        assert_true(date_parse(sv(cases[i].from), &days));
        text[date_format(text, date_add_months(days, cases[i].months))] = '\0';
        assert_string_equal(text, cases[i].to);
    }
}

static void zones_have_the_offsets_of_the_system(void **state)
{
    struct case_file f = { 0 };
    struct arena a = { 0 };
    const struct zone *zone = NULL;
    char open[64] = "";

    (void)state;
    while (case_file_next(&f, "tests/unit/engine_zone_cases.txt")) {
        int64_t n[5];
        struct err err;

        if (!sv_is(f.field[0], open)) {
            assert_int_equal(zone_open(&a, f.field[0], &zone, &err), ERR_OK);
            snprintf(open, sizeof open, "%s", f.field[0].p);
        }
        for (int i = 1; i < 5; i++)
            assert_true(sv_i64(f.field[i], &n[i]));
        if (zone_offset_s(zone, n[1] * SECOND_US) != n[2])
            fail_msg("line %d: %s at %lld is %d, not %lld", f.line, open, (long long)n[1],
                     zone_offset_s(zone, n[1] * SECOND_US), (long long)n[2]);
        if (zone_offset_of_local_s(zone, n[3] * SECOND_US) != n[4])
            fail_msg("line %d: %s for local %lld is %d, not %lld", f.line, open,
                     (long long)n[3], zone_offset_of_local_s(zone, n[3] * SECOND_US),
                     (long long)n[4]);
    }
    assert_true(f.line > 1000);
    case_file_release(&f);
    arena_release(&a);
}

static void fixed_offsets_have_many_spellings(void **state)
{
    static const struct {
        const char *name;
        int32_t offset_s; /* -1: no zone */
    } cases[] = {
        { "Z", 0 },          { "UTC", 0 },
        { "GMT", 0 },        { "+02:00", 7200 },
        { "-0330", -12600 }, { "+1", 3600 },
        { "GMT+2", 7200 },   { "UTC-01:30", -5400 },
        { "UT+5", 18000 },   { "+18:00", 64800 },
        { "+18:01", -1 },    { "EST", -18000 },
        { "", -1 },          { "+", -1 },
        { "+1:", -1 },       { "+01:60", -1 },
        { "utc", -1 },       { "Nowhere/At", -1 },
        { "../passwd", -1 }, { "/etc/passwd", -1 },
        { "Europe", -1 },    { "+010203", 3723 },
        { "+01020304", -1 }, { "-1:2", -3720 },
    };
    struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct zone *zone = NULL;
        struct err err;
        bool found = zone_open(&a, sv(cases[i].name), &zone, &err) == ERR_OK;

        if (found != (cases[i].offset_s != -1) ||
            (found && zone_offset_s(zone, 0) != cases[i].offset_s))
            fail_msg("\"%s\": %d", cases[i].name, found ? zone_offset_s(zone, 0) : -1);
    }
    arena_release(&a);
}

static void local_times_become_instants(void **state)
{
    static const struct {
        const char *text;
        const char *utc;
    } cases[] = {
        { "2024-07-01 12:00:00", "2024-07-01 10:00:00" },
        { "2024-01-01 12:00:00", "2024-01-01 11:00:00" },
        { "2024-03-31 02:30:00",
          "2024-03-31 01:30:00" }, /* in the gap: 03:30 summer time */
        { "2024-10-27 02:30:00", "2024-10-27 00:30:00" }, /* twice: the first one */
        { "2050-07-01 00:00:00", "2050-06-30 22:00:00" }, /* by the rule */
        { "12:30", "2024-07-01 10:30:00" },               /* today */
        { "T12", "2024-07-01 10:00:00" },
    };
    struct arena a = { 0 };
    const struct zone *zone = NULL;
    struct err err;

    (void)state;
    assert_int_equal(zone_open(&a, SV("Europe/Berlin"), &zone, &err), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TIMESTAMP_TEXT + 1];
        int64_t us;

        assert_true(
            timestamp_parse(sv(cases[i].text), zone, days_from_civil(2024, 7, 1), &us));
        text[timestamp_format(text, us)] = '\0';
        if (strcmp(text, cases[i].utc) != 0)
            fail_msg("%s is %s", cases[i].text, text);
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_count_on_from_each_other),
        cmocka_unit_test(months_keep_to_their_ends),
        cmocka_unit_test(zones_have_the_offsets_of_the_system),
        cmocka_unit_test(fixed_offsets_have_many_spellings),
        cmocka_unit_test(local_times_become_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
