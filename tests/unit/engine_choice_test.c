/* CASE, IF and COALESCE blend whole batches or go by single rows: both have to yield the
 * same for every row, whatever is NULL and however long a value is. */
#include "engine_expr.h"

enum { ROWS = BATCH_ROWS };

static const char *const names[] = { "i", "b", "d", "m", "t", "z", "y" };

static struct type type_at(uint32_t i)
{
    static const uint8_t ids[] = { TYPE_INT,    TYPE_BYTE,    TYPE_DOUBLE, TYPE_DECIMAL,
                                   TYPE_STRING, TYPE_BOOLEAN, TYPE_BOOLEAN };

    return ids[i] == TYPE_DECIMAL ? type_decimal(30, 2) : type_of((enum type_id)ids[i]);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Every fourth value is NULL, of the last column none. */
static struct batch make_batch(struct arena *a)
{
    struct batch b = { .n_rows = ROWS, .n_sel = ROWS, .n_columns = ARRAY_LEN(names) };
    uint32_t seed = 7;

    b.columns = arena_array(a, b.n_columns, sizeof *b.columns);
    for (uint32_t k = 0; k < b.n_columns; k++) {
        bool nulls = k + 1 < b.n_columns;

        b.columns[k] = vec_flat(a, type_at(k), ROWS, nulls);
        for (uint32_t row = 0; row < ROWS; row++) {
            struct value v = { .type = type_at(k),
                               .null = nulls && next(&seed) % 4 == 0 };
            uint32_t x = next(&seed) % 10;

            if (v.type.id == TYPE_STRING)
                v.u.s = sv(x < 5 ? "short" : "a text that is not kept inside");
            else if (v.type.id == TYPE_DOUBLE)
                v.u.f = x / 2.0;
            else if (v.type.id == TYPE_DECIMAL)
                v.u.dec = x;
            else if (v.type.id == TYPE_BOOLEAN)
                v.u.b = x % 2;
            else
                v.u.i = x;
            value_store(&b.columns[k], row, &v);
        }
    }
    return b;
}

static void compare(struct arena *a, const struct test_columns *t, const char *text,
                    const struct batch *all)
{
    struct eval_env env = { .zone = &zone_utc };
    struct err err = { 0 };
    struct expr *e;
    struct batch picked = *all;
    uint32_t *sel = arena_array(a, ROWS, sizeof *sel);
    struct vec whole, single;

    if (test_expr(a, t, text, &e, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.text);
    for (uint32_t i = 0; i < ROWS; i++)
        sel[i] = i;
    picked.sel = sel;
    struct eval *x = eval_new(a, e, &env), *y = eval_new(a, e, &env);
    for (int turn = 0; turn < 2; turn++) { /* again: what is left over does no harm */
        assert_int_equal(eval_run(x, all, &whole, &err), ERR_OK);
        assert_int_equal(eval_run(y, &picked, &single, &err), ERR_OK);
        for (uint32_t row = 0; row < ROWS; row++) {
            struct value u = value_at(&whole, row), v = value_at(&single, row);

            if (!value_eq(&u, &v))
                fail_msg("%s: row %u differs", text, row);
        }
    }
    eval_release(x);
    eval_release(y);
}

static void batches_and_rows_agree(void **state)
{
    static const char *const texts[] = {
        "CASE WHEN i > 5 THEN b END",
        "CASE WHEN i > 5 THEN i WHEN b > 5 THEN 77 ELSE b END",
        "CASE WHEN z THEN d WHEN y THEN 0.5D END",
        "CASE WHEN z THEN m WHEN i > 3 THEN cast(1 AS decimal(30,2)) ELSE m END",
        "CASE WHEN z THEN t WHEN i = 3 THEN 'x' WHEN i = 4 THEN t ELSE NULL END",
        "CASE WHEN z THEN t ELSE 'something that is a longer text' END",
        "CASE WHEN z THEN NULL WHEN y THEN i ELSE 3 END",
        "CASE WHEN NULL THEN 1 WHEN y THEN 2 END",
        "IF(z, y, NULL)",
        "IF(y, z, i > 2)",
        "IF(z, NULL, i)",
        "IF(i > 2, i + 1, i - b)",
        "coalesce(i, b)",
        "coalesce(i, b, 7)",
        "coalesce(z, y)",
        "coalesce(NULL, t, 'none')",
        "coalesce(m, cast(3 AS decimal(30,2)), m)",
        "coalesce(nullif(i, 3), nullif(b, 4), 9)",
        "coalesce(IF(z, d, NULL), CASE WHEN y THEN d ELSE 1.5D END)",
        "CASE WHEN coalesce(z, y) THEN IF(y, i, b) WHEN z THEN i ELSE b END + b",
    };
    struct arena a = { 0 };
    struct type types[ARRAY_LEN(names)];
    struct test_columns t = { names, types, ARRAY_LEN(names) };

    (void)state;
    for (uint32_t i = 0; i < t.n; i++)
        types[i] = type_at(i);
    struct batch b = make_batch(&a);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        compare(&a, &t, texts[i], &b);
    arena_release(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(batches_and_rows_agree) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
