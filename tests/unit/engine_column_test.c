/* Types, texts, columns, single values. */
#include "engine/column/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void types_print_as_they_parse(void **state)
{
    static const struct {
        const char *text, *printed;
        size_t width;
        int64_t default_bytes;
    } cases[] = {
        { "void", "void", 1, 1 },
        { "Boolean", "boolean", 1, 1 },
        { "byte", "tinyint", 1, 1 },
        { "SMALLINT", "smallint", 2, 2 },
        { "integer", "int", 4, 4 },
        { "long", "bigint", 8, 8 },
        { "real", "float", 4, 4 },
        { "double", "double", 8, 8 },
        { "decimal", "decimal(10,0)", 8, 8 },
        { "dec(18)", "decimal(18,0)", 8, 8 },
        { " Numeric ( 19 , 4 ) ", "decimal(19,4)", 16, 16 },
        { "varchar(10)", "string", 16, 20 },
        { "binary", "binary", 16, 100 },
        { "date", "date", 4, 4 },
        { "timestamp_ltz", "timestamp", 8, 8 },
        { "timestamp_ntz", "timestamp_ntz", 8, 8 },
        { "interval year to month", "interval year to month", 4, 4 },
        { "INTERVAL DAY", "interval day", 8, 8 },
        { "interval hour  to second", "interval hour to second", 8, 8 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };
        struct err err = { 0 };
        struct type t, again;

        if (type_parse(sv(cases[i].text), &t, &err) != ERR_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        type_print(&out, t);
        assert_string_equal(out.p, cases[i].printed);
        assert_int_equal(type_width(t), cases[i].width);
        assert_int_equal(type_default_bytes(t), cases[i].default_bytes);
        assert_int_equal(type_parse(strbuf_sv(&out), &again, &err), ERR_OK);
        assert_true(type_eq(t, again));
        strbuf_release(&out);
    }
}

static void what_is_no_type_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "in",
        "int(3)",
        "decimal(39,0)",
        "decimal(3,4)",
        "varchar",
        "decimal(",
        "decimal(1,2,3)",
        "interval",
        "int int",
        "decimal()",
        "char(x)",
        "interval month to day",
        "interval second to day",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct type t = type_of(TYPE_DATE);
        struct err err = { 0 };

        if (type_parse(sv(bad[i]), &t, &err) != ERR_SYNTAX)
            fail_msg("\"%s\" was accepted", bad[i]);
        assert_int_equal(t.id, TYPE_DATE); /* untouched */
    }
}

static int sign(int x)
{
    return x < 0 ? -1 : x > 0;
}

/* Against the order of plain byte strings, with lengths around the borders. */
static void texts_compare_as_their_bytes(void **state)
{
    static const char *const texts[] = {
        "",
        "a",
        "ab",
        "abc",
        "abcd",
        "abcde",
        "abce",
        "b",
        "abcdefghijkl",
        "abcdefghijklm",
        "abcdefghijkln",
        "abcdefghijklmnopqrstuvwxyz",
        "abcdefghijklmnopqrstuvwxya",
        "\xc3\xa4hnlich",
        "\xff",
        "abcd\x01",
        "abcX",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            char copy[40];
            struct sv a = sv(texts[i]), b = sv(texts[k]);

            memcpy(copy, b.p, b.len); /* other addresses for equal bytes */
            struct str x = str_make(a.p, a.len), y = str_make(copy, b.len);
            if (sign(str_cmp(&x, &y)) != sign(sv_cmp(a, b)) ||
                str_eq(&x, &y) != sv_eq(a, b))
                fail_msg("%s <> %s: %d", texts[i], texts[k], str_cmp(&x, &y));
        }
    }
    struct str zero = str_make("a\0", 2), none = str_make("a", 1);
    assert_true(str_cmp(&none, &zero) < 0);
    assert_false(str_eq(&none, &zero));
}

static void kept_text_outlives_its_batch(void **state)
{
    struct arena a = { 0 };
    char long_text[] = "longer than twelve bytes", short_text[] = "short";
    volatile size_t long_len = sizeof long_text - 1; /* gcc warns of lengths it knows */
    struct str l = str_make(long_text, long_len);
    struct str s = str_make(short_text, sizeof short_text - 1);
    struct str kept_l = str_keep(&a, &l), kept_s = str_keep(&a, &s);

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    memset(short_text, 'x', sizeof short_text - 1);
    assert_true(sv_is(str_sv(&kept_l), "longer than twelve bytes"));
    assert_true(sv_is(str_sv(&kept_s), "short"));
    arena_release(&a);
}

static void columns_flatten_with_their_nulls(void **state)
{
    struct arena a = { 0 };
    struct vec dict = vec_flat(&a, type_of(TYPE_STRING), 3, true);
    uint32_t codes[4] = { 2, 1, 0, 99999999 }; /* the last row does not count */
    uint32_t sel[] = { 0, 1, 2 };
    uint8_t valid[4] = { 1, 1, 0, 1 };
    struct vec v = { .type = dict.type, .kind = VEC_DICT, .dict = &dict, .codes = codes };
    struct batch b = { .n_rows = 4, .n_sel = 3, .sel = sel };

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        ((struct str *)dict.data)[i] = str_make("zeroonetwo" + i * 3, 3);
    dict.valid[1] = 0;
    v.valid = valid;
    struct vec flat = vec_flatten(&a, &v, &b);
    for (uint32_t row = 0; row < 3; row++) {
        assert_int_equal(vec_is_null(&flat, row), vec_is_null(&v, row));
        assert_int_equal(vec_is_null(&flat, row), row > 0);
    }
    assert_true(str_eq(vec_at(&flat, 0), vec_at(&v, 0)));

    int16_t seven = 7;
    struct vec c = { .type = type_of(TYPE_SHORT), .kind = VEC_CONST, .data = &seven };
    flat = vec_flatten(&a, &c, &b);
    for (uint32_t row = 0; row < 4; row++)
        assert_int_equal(value_at(&flat, row).u.i, 7);
    assert_null(flat.valid);
    arena_release(&a);
}

static void values_go_in_and_out_of_columns(void **state)
{
    struct value values[] = {
        value_bool(true),
        value_int(INT32_MIN),
        value_long(INT64_MIN),
        value_double(-0.5),
        value_string(SV("text of more than twelve")),
        value_decimal(-12345, 18, 2),
        value_decimal((i128)INT64_MAX * -1000, 38, 10),
        { .type = type_of(TYPE_BYTE), .u.i = -128 },
        { .type = type_of(TYPE_SHORT), .u.i = -32768 },
        { .type = type_of(TYPE_FLOAT), .u.f = 1.5 },
        { .type = type_of(TYPE_DATE), .u.i = -1 },
        { .type = type_of(TYPE_TIMESTAMP), .u.i = -1 },
        { .type = type_interval(UNIT_YEAR, UNIT_MONTH), .u.i = -13 },
        { .type = type_interval(UNIT_DAY, UNIT_SECOND), .u.i = 1 },
    };
    struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct vec v = vec_flat(&a, values[i].type, 2, true);
        struct value null = value_null(values[i].type), back;

        value_store(&v, 1, &values[i]);
        value_store(&v, 0, &null);
        back = value_at(&v, 1);
        assert_true(value_eq(&back, &values[i]));
        assert_false(value_eq(&back, &null));
        back = value_at(&v, 0);
        assert_true(value_eq(&back, &null));
    }
    arena_release(&a);
}

static void nan_is_the_largest_value(void **state)
{
    struct value nan = value_double((double)__builtin_nanf("")),
                 inf = value_double((double)__builtin_inff());
    struct value minus = value_double(-0.0), plus = value_double(0.0);

    (void)state;
    assert_true(value_cmp(&nan, &inf) > 0);
    assert_true(value_cmp(&inf, &nan) < 0);
    assert_true(value_eq(&nan, &nan));
    assert_int_equal(value_cmp(&minus, &plus), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_print_as_they_parse),
        cmocka_unit_test(what_is_no_type_is_refused),
        cmocka_unit_test(texts_compare_as_their_bytes),
        cmocka_unit_test(kept_text_outlives_its_batch),
        cmocka_unit_test(columns_flatten_with_their_nulls),
        cmocka_unit_test(values_go_in_and_out_of_columns),
        cmocka_unit_test(nan_is_the_largest_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
