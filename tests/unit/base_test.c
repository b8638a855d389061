/* base/: text, numbers with units, maps, arenas, UTF-8. */
#include "base/err.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/units.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_text(struct strbuf *made, const char *expected, int64_t input)
{
    if (!sv_is(strbuf_sv(made), expected))
        fail_msg("%lld printed as \"%s\", not \"%s\"", (long long)input, made->p, expected);
    strbuf_release(made);
}

static void bytes_are_printed_with_one_decimal(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = { { 0, "0 B" },
                  { 1023, "1023 B" },
                  { 1024, "1.0 KiB" },
                  { 1536, "1.5 KiB" },
                  { 200 * 1024, "200 KiB" },
                  { 5368709120, "5.0 GiB" },
                  { -2048, "-2.0 KiB" },
                  { INT64_MAX, "8.0 EiB" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };

        units_bytes(&out, cases[i].bytes);
        check_text(&out, cases[i].text, cases[i].bytes);
    }
}

static void times_change_unit_where_people_do(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = { { 0, "0ms" },          { 999, "999ms" },         { 1000, "1.0s" },
                  { 8249, "8.2s" },      { 59949, "59.9s" },       { 59950, "1m00s" },
                  { 250000, "4m10s" },   { 3599499, "59m59s" },    { 3599500, "1h00m" },
                  { 7080000, "1h58m" },  { 273600000, "3d4h" },    { -1500, "-1.5s" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };

        units_ms(&out, cases[i].ms);
        check_text(&out, cases[i].text, cases[i].ms);
    }
}

static void sizes_are_read_as_spark_does(void **state)
{
    static const struct {
        const char *text;
        int64_t bare, bytes;
    } good[] = { { "512", 1, 512 },
                 { "512", 1 << 20, 512 << 20 },
                 { "1g", 1, 1 << 30 },
                 { "64MB", 1, 64 << 20 },
                 { "64MiB", 1, 64 << 20 },
                 { "10b", 1 << 20, 10 },
                 { " 2K ", 1, 2048 },
                 { "-1", 1, -1 },
                 { "1.5g", 1, 3LL << 29 },
                 { "9223372036854775807", 1, INT64_MAX },
                 { "9223372036854775807b", 1 << 20, INT64_MAX },
                 { "-9223372036854775807b", 1, -INT64_MAX },
                 { "8191p", 1, INT64_C(8191) << 50 },
                 { "0.1k", 1, 102 },
                 { "3.14159265358979323846k", 1, 3216 } };
    static const char *const bad[] = { "", "g", "1x", "1 gg", "1bb", "ten", "1e3", "99999999999999999999",
                                       "9223372036854775808b", "9223372036854775807k",
                                       "8192p", "." };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t bytes = -77;

        if (!units_parse_bytes(sv(good[i].text), good[i].bare, &bytes) || bytes != good[i].bytes)
            fail_msg("\"%s\" read as %lld", good[i].text, (long long)bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t bytes = 77;

        if (units_parse_bytes(sv(bad[i]), 1, &bytes))
            fail_msg("\"%s\" was accepted as %lld", bad[i], (long long)bytes);
        assert_int_equal(bytes, 77); /* untouched on failure */
    }
}

static void durations_are_read_as_spark_does(void **state)
{
    static const struct {
        const char *text;
        int64_t bare, ms;
    } good[] = { { "3s", 1, 3000 },   { "100ms", 1, 100 }, { "2min", 1, 120000 },
                 { "1h", 1, 3600000 }, { "120", 1000, 120000 }, { "1d", 1, 86400000 },
                 { "1500us", 1, 1 },   { "1.5s", 1, 1500 },
                 { "9223372036854775807ms", 1, INT64_MAX },
                 { "9223372036854775807us", 1, INT64_C(9223372036854775) } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ms = -77;

        if (!units_parse_ms(sv(good[i].text), good[i].bare, &ms) || ms != good[i].ms)
            fail_msg("\"%s\" read as %lld ms", good[i].text, (long long)ms);
    }
    int64_t ms = 77;
    assert_false(units_parse_ms(SV("3 fortnights"), 1, &ms));
    assert_false(units_parse_ms(SV("9223372036854775807s"), 1, &ms));
    assert_false(units_parse_ms(SV("9223372036854775808ms"), 1, &ms));
    assert_int_equal(ms, 77);
}

static void whole_numbers_do_not_wrap(void **state)
{
    int64_t n = 77;

    (void)state;
    assert_true(sv_i64(SV("-9223372036854775808"), &n));
    assert_true(n == INT64_MIN);
    assert_true(sv_i64(SV("+12"), &n));
    assert_int_equal(n, 12);
    n = 77;
    assert_false(sv_i64(SV("9223372036854775808"), &n));
    assert_false(sv_i64(SV("12a"), &n));
    assert_false(sv_i64(SV("-"), &n));
    assert_false(sv_i64((struct sv){ 0 }, &n));
    assert_int_equal(n, 77);
}

static void broken_utf8_is_seen(void **state)
{
    static const char *const bad[] = { "\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                       "\xE2\x82", "abcdefgh\xFF", "\xF0\x80\x80\x80" };

    (void)state;
    assert_true(utf8_valid(SV("plain, gr\xC3\xBC\xC3\x9F, \xE2\x82\xAC, \xF0\x9F\x98\x80")));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (utf8_valid(sv(bad[i])))
            fail_msg("case %zu passed as UTF-8", i);
}

static void names_are_made_harmless(void **state)
{
    struct strbuf out = { 0 };

    (void)state;
    utf8_clean(&out, SV("a\x1B[31mb\n\xFF\xE2\x80\xAE"
                        "c"),
               0);
    assert_string_equal(out.p, "a\xC2\xB7[31mb\xC2\xB7\xEF\xBF\xBD\xC2\xB7"
                               "c");
    strbuf_reset(&out);
    utf8_clean(&out, SV("abcdefghijklmnopqrstuvwxyz"), 9);
    assert_string_equal(out.p, "abcd~wxyz");
    strbuf_reset(&out);
    utf8_clean(&out, SV("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F\xC3\xA4\xC3\xB6"), 4);
    assert_string_equal(out.p, "\xC3\xA4\xC3\xB6~\xC3\xB6");
    strbuf_release(&out);
}

static void maps_hold_what_was_put_last(void **state)
{
    struct map m = { 0 };

    (void)state;
    assert_true(map_get(&m, 5) == MAP_NONE);
    for (int64_t k = -3000; k < 3000; k++)
        map_put(&m, k * 1000003, (uint32_t)(k + 3000));
    for (int64_t k = -3000; k < 3000; k++)
        assert_true(map_get(&m, k * 1000003) == (uint32_t)(k + 3000));
    map_put(&m, 0, 9);
    assert_true(map_get(&m, 0) == 9);
    assert_true(map_get(&m, 17) == MAP_NONE);
    map_release(&m);
}

static void equal_text_is_interned_once(void **state)
{
    struct arena arena = { 0 };
    struct intern t = { .arena = &arena };
    struct sv first = intern(&t, SV("stage"));

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[32];

        snprintf(text, sizeof text, "name %d", i);
        intern(&t, sv(text));
    }
    assert_ptr_equal(intern(&t, SV("stage")).p, first.p);
    assert_true(intern(&t, (struct sv){ "a\0b", 3 }).len == 3);
    assert_null(intern(&t, (struct sv){ 0 }).p);
    assert_non_null(intern(&t, SV("")).p);
    intern_release(&t);
    arena_release(&arena);
}

static void arenas_give_zeroed_aligned_memory_again_after_reset(void **state)
{
    struct arena a = { 0 };

    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        for (size_t size = 1; size < 100000; size = size * 3 + 1) {
            unsigned char *p = arena_alloc(&a, size);

            assert_true((uintptr_t)p % _Alignof(max_align_t) == 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAA, size);
            arena_bytes(&a, 3);
        }
        arena_reset(&a);
    }
    arena_release(&a);
}

static void errors_gain_context_and_never_overflow(void **state)
{
    struct err err = { 0 };
    char long_text[2000];

    (void)state;
    assert_int_equal(err_set(&err, ERR_OPEN, "no such file"), ERR_OPEN);
    err_prefix(&err, "%s:%d", "a.log", 7);
    assert_string_equal(err.text, "a.log:7: no such file");
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    err_prefix(&err, "%s", long_text);
    assert_true(strlen(err.text) == sizeof err.text - 1);
}

static void sums_stay_at_the_end_of_the_range(void **state)
{
    (void)state;
    assert_true(add_sat(INT64_MAX, 1) == INT64_MAX);
    assert_true(add_sat(INT64_MIN, -1) == INT64_MIN);
    assert_true(sub_sat(0, INT64_MIN) == INT64_MAX);
    assert_true(sub_sat(INT64_MIN, 1) == INT64_MIN);
    assert_true(add_sat(2, -3) == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_printed_with_one_decimal),
        cmocka_unit_test(times_change_unit_where_people_do),
        cmocka_unit_test(sizes_are_read_as_spark_does),
        cmocka_unit_test(durations_are_read_as_spark_does),
        cmocka_unit_test(whole_numbers_do_not_wrap),
        cmocka_unit_test(broken_utf8_is_seen),
        cmocka_unit_test(names_are_made_harmless),
        cmocka_unit_test(maps_hold_what_was_put_last),
        cmocka_unit_test(equal_text_is_interned_once),
        cmocka_unit_test(arenas_give_zeroed_aligned_memory_again_after_reset),
        cmocka_unit_test(errors_gain_context_and_never_overflow),
        cmocka_unit_test(sums_stay_at_the_end_of_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
