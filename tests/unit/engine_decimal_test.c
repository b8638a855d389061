/* Decimal arithmetic against real Spark 3.5.9 (cases by tests/unit/engine_values.py), and
 * rounding, text and order by identities. */
#include "engine/column/decimal.h"

#include "case_file.h"

static struct type parse(struct sv text)
{
    struct type t = type_of(TYPE_NULL);
    struct err err = { 0 };

    if (type_parse(text, &t, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return t;
}

static enum decimal_op op_of(struct sv text)
{
    return text.len > 1       ? DEC_DIV
           : text.p[0] == '+' ? DEC_ADD
           : text.p[0] == '-' ? DEC_SUBTRACT
           : text.p[0] == '*' ? DEC_MULTIPLY
           : text.p[0] == '/' ? DEC_DIVIDE
                              : DEC_REMAINDER;
}

static bool compute(enum decimal_op op, i128 x, struct type a, i128 y, struct type b,
                    struct type r, i128 *out)
{
    int64_t whole = 0;
    bool ok;

    switch (op) {
    case DEC_ADD:
        return decimal_add(x, a, y, b, r, out);
    case DEC_SUBTRACT:
        return decimal_subtract(x, a, y, b, r, out);
    case DEC_MULTIPLY:
        return decimal_multiply(x, a, y, b, r, out);
    case DEC_DIVIDE:
        return decimal_divide(x, a, y, b, r, out);
    case DEC_REMAINDER:
        return decimal_remainder(x, a, y, b, r, out);
    case DEC_DIV:
        break;
    }
    ok = decimal_div(x, a, y, b, &whole);
    *out = whole;
    return ok;
}

static void arithmetic_is_that_of_spark(void **state)
{
    struct case_file f = { 0 };

    (void)state;
    while (case_file_next(&f, "tests/unit/engine_decimal_cases.txt")) {
        struct type a = parse(f.field[2]), b = parse(f.field[5]);
        enum decimal_op op = op_of(f.field[3]);
        struct type r = decimal_result(op, a, b, sv_is(f.field[0], "true"));
        struct sv want = f.field[7];
        char text[DECIMAL_TEXT + 1];
        i128 x, y, z = 0;

        assert_int_equal(decimal_parse(f.field[1], a, &x), DECIMAL_OK);
        assert_int_equal(decimal_parse(f.field[4], b, &y), DECIMAL_OK);
        if (op != DEC_DIV && !type_eq(r, parse(f.field[6])))
            fail_msg("line %d: type is decimal(%u,%u)", f.line, r.precision, r.scale);
        bool ok = compute(op, x, a, y, b, r, &z);
        text[ok ? decimal_format(text, z, op == DEC_DIV ? 0 : r.scale) : 0] = '\0';
        if (ok != (want.p != NULL) || (ok && !sv_is(want, text)))
            fail_msg("line %d: %s %s %s: %s, not %s", f.line, f.field[1].p, f.field[3].p,
                     f.field[4].p, ok ? text : "NULL", want.p ? want.p : "NULL");
    }
    assert_true(f.line > 1000);
    case_file_release(&f);
}

static void text_goes_in_and_out(void **state)
{
    static const struct {
        const char *text;
        int precision, scale;
        const char *plain, *java;
        enum decimal_text answer;
    } cases[] = {
        { "0", 10, 2, "0.00", "0.00", DECIMAL_OK },
        { "-0.005", 10, 2, "-0.01", "-0.01", DECIMAL_OK },
        { "0.0049999999999999999999999999999999999999999", 10, 2, "0.00", "0.00",
          DECIMAL_OK },
        { "0.005", 10, 2, "0.01", "0.01", DECIMAL_OK },
        { "1e-7", 10, 7, "0.0000001", "1E-7", DECIMAL_OK },
        { "12e-8", 10, 8, "0.00000012", "1.2E-7", DECIMAL_OK },
        { "-.5", 1, 1, "-0.5", "-0.5", DECIMAL_OK },
        { "+5.", 1, 0, "5", "5", DECIMAL_OK },
        { "0", 38, 18, "0.000000000000000000", "0E-18", DECIMAL_OK },
        { "99999999999999999999999999999999999999", 38, 0,
          "99999999999999999999999999999999999999",
          "99999999999999999999999999999999999999", DECIMAL_OK },
        { "99999999999999999999999999999999999999.5", 38, 0, "", "", DECIMAL_OVERFLOW },
        { "99999999999999999999999999999999999999.4", 38, 0,
          "99999999999999999999999999999999999999",
          "99999999999999999999999999999999999999", DECIMAL_OK },
        { "0000000000000000000000000000000000000000000001", 3, 0, "1", "1", DECIMAL_OK },
        { "9.995", 3, 2, "", "", DECIMAL_OVERFLOW },
        { "1e38", 38, 0, "", "", DECIMAL_OVERFLOW },
        { "1e999999999", 38, 0, "", "", DECIMAL_OVERFLOW },
        { "1e-999999999", 38, 0, "0", "0", DECIMAL_OK },
        { "0e999999999", 38, 0, "0", "0", DECIMAL_OK },
        { "1e99999999999999999999", 38, 0, "", "", DECIMAL_OVERFLOW },
        { "", 38, 0, "", "", DECIMAL_BAD },
        { ".", 38, 0, "", "", DECIMAL_BAD },
        { "1e", 38, 0, "", "", DECIMAL_BAD },
        { " 1", 38, 0, "", "", DECIMAL_BAD },
        { "1.2.3", 38, 0, "", "", DECIMAL_BAD },
        { "0x1", 38, 0, "", "", DECIMAL_BAD },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct type t = type_decimal(cases[i].precision, cases[i].scale);
        char text[DECIMAL_TEXT + 1] = "";
        i128 x = 77;

        if (decimal_parse(sv(cases[i].text), t, &x) != cases[i].answer)
            fail_msg("\"%s\"", cases[i].text);
        if (cases[i].answer != DECIMAL_OK) {
            assert_true(x == 77); /* untouched */
            continue;
        }
        text[decimal_format(text, x, t.scale)] = '\0';
        assert_string_equal(text, cases[i].plain);
        text[decimal_format_java(text, x, t.scale)] = '\0';
        assert_string_equal(text, cases[i].java);
    }
}

static void literals_have_the_type_they_are_written_in(void **state)
{
    static const struct {
        const char *text;
        int precision, scale;
    } cases[] = {
        { "1.50", 3, 2 }, { "0.05", 2, 2 }, { "1e3", 4, 0 },   { "0", 1, 0 },
        { "0.0", 1, 1 },  { "00.5", 1, 1 }, { "12e-1", 2, 1 }, { "1.5e-3", 4, 4 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct type t;
        i128 x;

        assert_int_equal(decimal_parse_literal(sv(cases[i].text), &x, &t), DECIMAL_OK);
        if (t.precision != cases[i].precision || t.scale != cases[i].scale)
            fail_msg("%s is decimal(%u,%u)", cases[i].text, t.precision, t.scale);
    }
}

static void rounding_has_its_modes(void **state)
{
    static const struct {
        int64_t x;
        int scale, to;
        int64_t up, even, floor, ceil, down;
    } cases[] = {
        { 25, 1, 0, 3, 2, 2, 3, 2 },
        { -25, 1, 0, -3, -2, -3, -2, -2 },
        { 35, 1, 0, 4, 4, 3, 4, 3 },
        { 1250, 2, 1, 125, 125, 125, 125, 125 },
        { 12345, 2, -1, 120, 120, 120, 130, 120 },
        { -12345, 2, -2, -100, -100, -200, -100, -100 },
        { 5, 0, 2, 500, 500, 500, 500, 500 },
        { 49, 1, -1, 0, 0, 0, 10, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int64_t want[] = { cases[i].up, cases[i].even, cases[i].floor,
                                 cases[i].ceil, cases[i].down };

        for (int how = ROUND_HALF_UP; how <= ROUND_DOWN; how++) {
            i128 y = 0;

            assert_true(decimal_round(cases[i].x, cases[i].scale, cases[i].to,
                                      (enum decimal_rounding)how, &y));
            if (y != want[how])
                fail_msg("case %zu, mode %d: %lld", i, how, (long long)y);
        }
    }
}

/* x/y of random lengths: the remainder and the quotient make the dividend again. */
static void division_takes_products_apart(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct type w = type_decimal(38, 0);
        i128 v[2], product, quotient, rest;

        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            v[k] = (i128)(int64_t)seed;
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            v[k] = v[k] * (int64_t)(seed >> 4) % decimal_pow10[1 + seed % 19];
        }
        assert_true(decimal_multiply(v[0], w, v[1], w, w, &product));
        assert_true(product == v[0] * v[1]);
        if (!v[1])
            continue;
        assert_true(decimal_divide(product, w, v[1], w, w, &quotient));
        assert_true(quotient == v[0]);
        assert_true(decimal_remainder(product, w, v[1], w, w, &rest));
        assert_true(rest == 0);
        assert_int_equal(decimal_cmp(v[0], 3, v[1], 3), v[0] < v[1] ? -1 : v[0] > v[1]);
        assert_int_equal(decimal_cmp(v[0], 38, v[0] * 100, 20),
                         v[0] < 0 ? 1 : -(v[0] > 0));
    }
}

static void nothing_is_divided_by_zero(void **state)
{
    struct type t = type_decimal(38, 10);
    int64_t whole;
    i128 x;

    (void)state;
    assert_false(decimal_divide(1, t, 0, t, t, &x));
    assert_false(decimal_remainder(1, t, 0, t, t, &x));
    assert_false(decimal_div(1, t, 0, t, &whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_that_of_spark),
        cmocka_unit_test(text_goes_in_and_out),
        cmocka_unit_test(literals_have_the_type_they_are_written_in),
        cmocka_unit_test(rounding_has_its_modes),
        cmocka_unit_test(division_takes_products_apart),
        cmocka_unit_test(nothing_is_divided_by_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
