/* Casts and coercion against real Spark 3.5.9: the cases and their answers were written
 * by tests/unit/engine_values.py. What the loops over columns do is held against the
 * rules for single values. */
#include "engine/expr/cast.h"

#include "case_file.h"
#include "engine/column/decimal.h"
#include "engine/expr/func.h"

#include <math.h>

static struct type parse(struct sv text)
{
    struct type t = type_of(TYPE_NULL);
    struct err err = { 0 };

    if (type_parse(text, &t, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return t;
}

/* The text cast to the source type and on; the answer as text, absent for NULL. */
static struct sv answer(struct case_file *f, enum cast_mode mode, struct err *err)
{
    struct value text = value_string(f->field[2]), x, y, z;
    enum cast_mode shown = mode == CAST_ANSI ? CAST_ANSI : CAST_LEGACY;
    struct arena *a = &f->arena;

    assert_int_equal(
        cast_value(a, &text, parse(f->field[1]), CAST_LEGACY, &zone_utc, &x, err),
        ERR_OK);
    if (cast_value(a, &x, parse(f->field[3]), mode, &zone_utc, &y, err) != ERR_OK)
        return SV("ERROR");
    assert_int_equal(cast_value(a, &y, type_of(TYPE_STRING), shown, &zone_utc, &z, err),
                     ERR_OK);
    return z.null ? (struct sv){ 0 } : z.u.s;
}

static void casts_answer_as_spark(void **state)
{
    struct case_file f = { 0 };
    int wrong = 0;

    (void)state;
    while (case_file_next(&f, "tests/unit/engine_cast_cases.txt")) {
        enum cast_mode mode = sv_is(f.field[0], "legacy") ? CAST_LEGACY
                              : sv_is(f.field[0], "ansi") ? CAST_ANSI
                                                          : CAST_TRY;
        struct err err = { 0 };
        struct sv want = f.field[4], got = answer(&f, mode, &err);

        if (mode == CAST_ANSI && want.p && sv_starts(want, SV("ERROR ")))
            got = err.text[0] ? sv(err.text) : got, want = sv_from(want, 6);
        else if (want.p && sv_starts(want, SV("ERROR")))
            want = SV("ERROR");
        if (!got.p != !want.p || !sv_eq(got, want))
            wrong++, print_error("line %d: %s %s '%s' as %s: %s, not %s\n", f.line,
                                 f.field[0].p, f.field[1].p, f.field[2].p, f.field[3].p,
                                 got.p ? got.p : "NULL", want.p ? want.p : "NULL");
    }
    assert_int_equal(wrong, 0);
    assert_true(f.line > 3000);
    case_file_release(&f);
}

static void types_meet_as_in_spark(void **state)
{
    struct case_file f = { 0 };

    (void)state;
    while (case_file_next(&f, "tests/unit/engine_coerce_cases.txt")) {
        struct type a = parse(f.field[1]), b = parse(f.field[2]),
                    got = type_of(TYPE_NULL);
        struct sv want = f.field[3];
        bool known;

        if (sv_is(f.field[0], "union"))
            known = coerce_union(a, b, &got);
        else if (sv_is(f.field[0], "compare"))
            known = coerce_common(a, b, &got);
        else
            known = cast_possible(a, b);
        if (sv_is(f.field[0], "cast"))
            got = b;
        if (known != (want.p != NULL) || (known && !type_eq(got, parse(want))))
            fail_msg("%s of %s and %s: not %s", f.field[0].p, f.field[1].p, f.field[2].p,
                     want.p ? want.p : "none");
    }
    assert_int_equal(f.line, 1200);
    case_file_release(&f);
}

/* ---- columns ---- */

enum { ROWS = 300 };

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 11 ^ *seed << 40;
}

static void fill(struct arena *a, struct vec *v, uint64_t *seed)
{
    static const char *const texts[] = {
        "1", "2020-01-02", "x", "-17.5", "2021-03-04 05:06:07", "true", "1e3", "  9 "
    };

    for (uint32_t row = 0; row < ROWS; row++) {
        uint64_t r = next_random(seed);
        struct value x = { .type = v->type, .null = r % 5 == 0 };

        r = next_random(seed) >> (r % 60);
        x.u.i = (int64_t)(r % 2 ? r : 0 - r);
        if (v->type.id == TYPE_FLOAT || v->type.id == TYPE_DOUBLE)
            x.u.f = r % 11 == 0 ? (double)NAN : (double)(int64_t)r / 8;
        else if (v->type.id == TYPE_DECIMAL)
            x.u.dec = (i128)x.u.i * (int64_t)(r % 1000000 + 1) %
                      decimal_pow10[v->type.precision];
        else if (v->type.id == TYPE_STRING)
            x.u.s = sv(texts[r % ARRAY_LEN(texts)]);
        else if (v->type.id == TYPE_BOOLEAN)
            x.u.b = r % 2;
        else if (v->type.id == TYPE_DATE)
            x.u.i %= 3000000;
        value_store(v, row, &x);
    }
    (void)a;
}

/* Rows outside the selection stay as they were. */
static void check_column(const struct vec *in, const struct batch *b, struct type to,
                         enum cast_mode mode)
{
    struct arena a = { 0 };
    struct vec out = vec_flat(&a, to, ROWS, true);
    struct err err = { 0 };

    memset(out.data, 0x5a, ROWS * type_width(to));
    assert_int_equal(cast_rows(in, b, &out, mode, &zone_utc, &a, &err), ERR_OK);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct value x = value_at(in, row), want, got = value_at(&out, row);

        assert_int_equal(cast_value(&a, &x, to, mode, &zone_utc, &want, &err), ERR_OK);
        if (!value_eq(&want, &got))
            fail_msg("row %u: type %d to %d differs", row, in->type.id, to.id);
    }
    if (b->sel)
        assert_int_equal(*((const uint8_t *)out.data + type_width(to)), 0x5a);
    arena_release(&a);
}

static void columns_are_cast_as_their_values(void **state)
{
    struct type types[] = {
        type_of(TYPE_BOOLEAN), type_of(TYPE_BYTE),      type_of(TYPE_SHORT),
        type_of(TYPE_INT),     type_of(TYPE_LONG),      type_of(TYPE_FLOAT),
        type_of(TYPE_DOUBLE),  type_decimal(10, 2),     type_decimal(15, 2),
        type_decimal(18, 6),   type_decimal(38, 2),     type_decimal(38, 10),
        type_decimal(20, 0),   type_decimal(5, 0),      type_of(TYPE_STRING),
        type_of(TYPE_DATE),    type_of(TYPE_TIMESTAMP), type_of(TYPE_TIMESTAMP_NTZ),
    };
    uint32_t sel[ROWS / 2];
    struct batch all = { .n_rows = ROWS, .n_sel = ROWS };
    struct batch some = { .n_rows = ROWS, .n_sel = ROWS / 2, .sel = sel };
    struct arena a = { 0 };
    uint64_t seed = 3;

    (void)state;
    for (uint32_t i = 0; i < ROWS / 2; i++)
        sel[i] = i * 2;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct vec in = vec_flat(&a, types[i], ROWS, true);

        fill(&a, &in, &seed);
        for (size_t k = 0; k < ARRAY_LEN(types); k++) {
            if (!cast_possible(types[i], types[k]))
                continue;
            check_column(&in, &all, types[k], CAST_LEGACY);
            check_column(&in, &some, types[k], CAST_LEGACY);
            check_column(&in, &some, types[k], CAST_TRY);
        }
    }
    arena_release(&a);
}

static void constants_and_dictionaries_are_cast(void **state)
{
    struct arena a = { 0 };
    struct batch b = { .n_rows = 3, .n_sel = 3 };
    struct str text = str_make("12", 2);
    struct vec c = { .type = type_of(TYPE_STRING), .kind = VEC_CONST, .data = &text };
    struct vec out = vec_flat(&a, type_of(TYPE_INT), 3, true);
    struct vec dict = vec_flat(&a, type_of(TYPE_STRING), 2, false);
    uint32_t codes[] = { 1, 0, 1 };
    struct vec d = { .type = dict.type, .kind = VEC_DICT, .dict = &dict, .codes = codes };
    struct err err;

    (void)state;
    assert_int_equal(cast_rows(&c, &b, &out, CAST_LEGACY, &zone_utc, &a, &err), ERR_OK);
    for (uint32_t row = 0; row < 3; row++)
        assert_int_equal(value_at(&out, row).u.i, 12);
    ((struct str *)dict.data)[0] = str_make("x", 1);
    ((struct str *)dict.data)[1] = str_make("7", 1);
    assert_int_equal(cast_rows(&d, &b, &out, CAST_LEGACY, &zone_utc, &a, &err), ERR_OK);
    assert_int_equal(value_at(&out, 0).u.i, 7);
    assert_true(value_at(&out, 1).null);
    assert_int_equal(value_at(&out, 2).u.i, 7);
    arena_release(&a);
}

/* A value that may come out NULL has to say so in the type of its expression. */
static void what_may_be_null_is_known(void **state)
{
    struct case_file f = { 0 };

    (void)state;
    while (case_file_next(&f, "tests/unit/engine_cast_cases.txt")) {
        struct value text = value_string(f.field[2]), x;
        struct type from = parse(f.field[1]), to = parse(f.field[3]);
        struct err err;

        assert_int_equal(
            cast_value(&f.arena, &text, from, CAST_LEGACY, &zone_utc, &x, &err), ERR_OK);
        if (sv_is(f.field[0], "legacy") && !f.field[4].p && !x.null &&
            !cast_may_null(from, to))
            fail_msg("%s '%s' as %s is NULL", f.field[1].p, f.field[2].p, f.field[3].p);
    }
    assert_false(cast_may_null(type_of(TYPE_INT), type_of(TYPE_LONG)));
    assert_false(cast_may_null(type_decimal(15, 2), type_decimal(16, 2)));
    assert_true(cast_may_null(type_decimal(15, 2), type_decimal(15, 1)) == false);
    assert_true(cast_may_null(type_of(TYPE_LONG), type_decimal(19, 0)));
    case_file_release(&f);
}

/* Whatever the text, a cast answers, and what it answers is a text of the same value. */
static void odd_text_is_answered(void **state)
{
    static const char alphabet[] = "0123456789012345--::..TZ+eE InaifF'y\x7f\xc3";
    static const char *const names[] = {
        "boolean",
        "tinyint",
        "bigint",
        "float",
        "double",
        "decimal(38,18)",
        "decimal(5,2)",
        "date",
        "timestamp",
        "timestamp_ntz",
        "interval year to month",
        "interval day to second",
        "interval hour",
    };
    struct arena a = { 0 };
    uint64_t seed = 9;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        char bytes[48];
        size_t n = next_random(&seed) % sizeof bytes;
        struct type t = parse(sv(names[(size_t)i % ARRAY_LEN(names)]));
        struct value text, x, again;
        struct err err;

        for (size_t k = 0; k < n; k++)
            bytes[k] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        text = value_string((struct sv){ bytes, n });
        if (cast_value(&a, &text, t, CAST_LEGACY, &zone_utc, &x, &err) == ERR_OK &&
            !x.null) {
            assert_int_equal(cast_value(&a, &x, type_of(TYPE_STRING), CAST_LEGACY,
                                        &zone_utc, &text, &err),
                             ERR_OK);
            assert_int_equal(
                cast_value(&a, &text, t, CAST_LEGACY, &zone_utc, &again, &err), ERR_OK);
            if (!value_eq(&x, &again))
                fail_msg("\"%.*s\" as %s gives %s", (int)n, bytes,
                         names[(size_t)i % ARRAY_LEN(names)], text.u.s.p);
        }
        arena_reset(&a);
    }
    arena_release(&a);
}

static void results_print_as_spark_sql_shows_them(void **state)
{
    static const struct {
        const char *type, *text, *shown;
    } cases[] = {
        { "decimal(7,7)", "1e-7", "0.0000001" },
        { "interval year", "3", "3-0" },
        { "interval year to month", "-1-2", "-1-2" },
        { "interval day", "1", "1 00:00:00.000000000" },
        { "interval day to second", "-1 02:03:04.5", "-1 02:03:04.500000000" },
        { "double", "1e10", "1.0E10" },
        { "int", "x", "NULL" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value text = value_string(sv(cases[i].text)), x;
        struct strbuf out = { 0 };
        struct arena a = { 0 };
        struct err err;

        assert_int_equal(cast_value(&a, &text, parse(sv(cases[i].type)), CAST_LEGACY,
                                    &zone_utc, &x, &err),
                         ERR_OK);
        value_print_result(&out, &x, &zone_utc);
        assert_string_equal(out.p, cases[i].shown);
        strbuf_release(&out);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts_answer_as_spark),
        cmocka_unit_test(types_meet_as_in_spark),
        cmocka_unit_test(columns_are_cast_as_their_values),
        cmocka_unit_test(constants_and_dictionaries_are_cast),
        cmocka_unit_test(what_may_be_null_is_known),
        cmocka_unit_test(odd_text_is_answered),
        cmocka_unit_test(results_print_as_spark_sql_shows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
