/* Size estimates: big numbers and Spark's formulas. */
#include "base/arena.h"
#include "engine/expr/func.h"
#include "engine/plan/stats.h"
#include "engine/run/settings.h"
#include "engine/store/relation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){ 0 };
    f.settings = settings_new(&f.arena);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    return 0;
}

static void assert_number(struct bignum x, const char *decimal)
{
    struct strbuf text = { 0 };

    bignum_print(&text, x);
    assert_string_equal(text.p, decimal);
    strbuf_release(&text);
}

static void big_numbers_pass_64_bits(void **state)
{
    struct bignum x = bignum_of(UINT64_MAX), y;

    (void)state;
    assert_number(bignum_of(0), "0");
    assert_number(bignum_add(x, bignum_of(1)), "18446744073709551616");
    y = bignum_mul(x, x);
    assert_number(y, "340282366920938463426481119284349108225");
    assert_number(bignum_div(y, UINT64_MAX), "18446744073709551615");
    assert_true(bignum_cmp(y, x) > 0);
    assert_true(bignum_cmp(x, y) < 0);
    assert_true(bignum_cmp(y, y) == 0);
}

static void the_largest_stays_the_largest(void **state)
{
    struct bignum x = bignum_of(UINT64_MAX), top;

    (void)state;
    for (int i = 0; i < 5; i++)
        x = bignum_mul(x, x);
    top = bignum_add(x, bignum_of(1));
    assert_true(bignum_cmp(x, top) == 0);
    assert_true(bignum_cmp(bignum_mul(x, bignum_of(2)), x) == 0);
}

/* ---- estimates ---- */

static struct plan *table(struct fixture *f, const char *name, int64_t bytes,
                          uint32_t n_longs)
{
    struct plan *p = plan_new(&f->arena, PLAN_RELATION, 0);
    struct relation *r = ARENA_NEW(&f->arena, struct relation);

    r->bytes = bytes;
    p->relation = r;
    p->resolved = true;
    p->output = exprs_new(&f->arena, n_longs);
    for (uint32_t i = 0; i < n_longs; i++)
        p->output.at[i] =
            expr_attribute(&f->arena, sv(arena_printf(&f->arena, "%s%u", name, i)),
                           type_of(TYPE_LONG), true, next_expr_id());
    return p;
}

static struct expr *equal(struct fixture *f, struct expr *x, struct expr *y)
{
    return expr_call(&f->arena, func_of(FUNC_EQ), type_of(TYPE_BOOLEAN), 2, x, y);
}

static void assert_bytes(struct fixture *f, struct plan *p, const char *decimal)
{
    assert_number(plan_estimate(&f->arena, p, f->settings).bytes, decimal);
}

static void filters_do_not_count_and_columns_do(void **state)
{
    struct fixture *f = *state;
    struct plan *t = table(f, "t", 1000, 3); /* 32 bytes a row */
    struct exprs one = { t->output.at, 1 };
    struct expr *same = equal(f, t->output.at[0], t->output.at[1]);

    assert_bytes(f, t, "1000");
    assert_bytes(f, plan_filter(&f->arena, same, t), "1000");
    assert_bytes(f, plan_project(&f->arena, one, t), "500");
    assert_bytes(f, plan_aggregate(&f->arena, one, one, t), "500");
    assert_bytes(f, plan_aggregate(&f->arena, (struct exprs){ 0 }, one, t), "16");
}

static void a_join_multiplies_but_for_unique_keys(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *t = table(f, "t", 1000, 2), *u = table(f, "u", 400, 2);
    struct exprs key = { u->output.at, 1 };
    struct plan *unique = plan_aggregate(a, key, u->output, u);
    struct expr *on_key = equal(f, t->output.at[0], u->output.at[0]);
    struct expr *on_other = equal(f, t->output.at[0], u->output.at[1]);

    assert_bytes(f, plan_join(a, JOIN_INNER, t, u, on_key), "400000");
    assert_bytes(f, plan_join(a, JOIN_INNER, t, unique, on_key), "1400");
    assert_bytes(f, plan_join(a, JOIN_LEFT, t, unique, on_key), "1400");
    assert_bytes(f, plan_join(a, JOIN_INNER, t, unique, on_other), "400000");
    assert_bytes(f, plan_join(a, JOIN_CROSS, t, unique, on_key), "400000");
    assert_bytes(f, plan_join(a, JOIN_SEMI, t, u, on_key), "1000");
    assert_bytes(f, plan_join(a, JOIN_ANTI, t, u, on_key), "1000");
}

static void a_renamed_key_is_still_unique(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    struct plan *t = table(f, "t", 1000, 1), *u = table(f, "u", 400, 1);
    struct plan *grouped = plan_aggregate(a, u->output, u->output, u);
    struct expr *alias = expr_alias(a, u->output.at[0], SV("k"), next_expr_id());
    struct exprs list = { &alias, 1 };
    struct plan *renamed = plan_project(a, list, grouped);
    struct expr *on = equal(f, t->output.at[0], expr_to_attribute(a, alias));

    assert_bytes(f, plan_join(a, JOIN_INNER, t, renamed, on), "1400");
}

static void ranges_and_empty_relations(void **state)
{
    struct fixture *f = *state;
    struct plan *r = plan_new(&f->arena, PLAN_RANGE, 0);

    r->range_end = 10;
    r->range_step = 3;
    r->output = table(f, "id", 0, 1)->output;
    assert_bytes(f, r, "32");
    r->range_start = INT64_MIN;
    r->range_end = INT64_MAX;
    r->range_step = 1;
    assert_bytes(f, r, "147573952589676412920");
    r->range_step = -1;
    assert_bytes(f, r, "0");
    assert_bytes(f, plan_empty(&f->arena, &r->output), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_numbers_pass_64_bits),
        cmocka_unit_test(the_largest_stays_the_largest),
        cmocka_unit_test_setup_teardown(filters_do_not_count_and_columns_do, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_join_multiplies_but_for_unique_keys, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_renamed_key_is_still_unique, setup, teardown),
        cmocka_unit_test_setup_teardown(ranges_and_empty_relations, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
