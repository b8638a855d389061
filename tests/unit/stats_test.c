/* analyzer/stats.c against values from tables and by hand; tests/interop/stats.py
 * holds it against scipy on random cases. */
#include "analyzer/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
        fail_msg("%.12g instead of %.12g", got, want);
}

static const double low[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const double high[] = { 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

static void few_runs_cannot_show_much(void **state)
{
    static const struct {
        size_t n, m;
        double p;
    } cases[] = {
        { 1, 1, 1 },         { 2, 2, 2.0 / 6 },  { 3, 3, 2.0 / 20 }, { 4, 4, 2.0 / 70 },
        { 5, 5, 2.0 / 252 }, { 2, 8, 2.0 / 45 }, { 3, 5, 2.0 / 56 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        near(stats_mann_whitney_least(cases[i].n, cases[i].m), cases[i].p);
        near(stats_mann_whitney(low, cases[i].n, high, cases[i].m), cases[i].p);
        near(stats_mann_whitney(high, cases[i].m, low, cases[i].n), cases[i].p);
    }
}

static void ties_take_the_mean_rank(void **state)
{
    static const double a[] = { 1, 2, 2, 3 }, b[] = { 2, 3, 3, 4 },
                        same[] = { 5, 5, 5, 5 };

    (void)state;
    near(stats_mann_whitney(same, 4, same, 4), 1);
    /* By hand: ranks 1 3 3 3 6 6 6 8; the four of a add up to 13, and 10 of the 70 sets
     * of four add up to no more: 1 3 3 3, and 1 3 3 6 in nine ways. */
    near(stats_mann_whitney(a, 4, b, 4), 20.0 / 70);
    near(stats_mann_whitney_greater(a, 4, b, 4), 10.0 / 70);
}

static void pairs_flip_their_signs(void **state)
{
    static const double up[] = { 1, 2, 3, 4, 5, 6 }, mixed[] = { 3, -1, 2 },
                        none[] = { 0, 0 };
    double many[40];

    (void)state;
    near(stats_sign_flip(up, 6), 2.0 / 64);
    near(stats_sign_flip(mixed, 3), 4.0 / 8); /* sums 6 4 2 0 0 -2 -4 -6; seen 4 */
    near(stats_sign_flip(none, 2), 1);
    for (int i = 0; i < 40; i++)
        many[i] = 1 + i % 3;
    near(stats_sign_flip(many, 40) * ldexp(1, 40), 2);
}

static void shifts_come_with_their_interval(void **state)
{
    static const double a[] = { 10, 11, 12, 13 }, b[] = { 20, 21, 22, 23 };
    static const double d[] = { 1, 2, 3, 4, 5, 6 };
    struct interval in = stats_shift_interval(a, 4, b, 4, 0.05);

    (void)state;
    near(stats_shift(a, 4, b, 4), 10);
    near(in.low, 7); /* U = 0 alone has 1/70 < 0.025: the outermost differences stay */
    near(in.high, 13);
    in = stats_shift_interval(a, 3, b, 3, 0.05);
    assert_true(isinf(in.low) && isinf(in.high));
    near(stats_shift_pairs(d, 6), 3.5);
    in = stats_shift_pairs_interval(d, 6, 0.05);
    near(in.low, 1);
    near(in.high, 6);
    in = stats_shift_pairs_interval(d, 5, 0.05);
    assert_true(isinf(in.low) && isinf(in.high));
}

static void many_looks_need_smaller_p(void **state)
{
    double p[] = { 0.01, 0.04, 0.03, 0.005 };

    (void)state;
    stats_holm(p, 4);
    near(p[0], 0.03);
    near(p[1], 0.06);
    near(p[2], 0.06);
    near(p[3], 0.02);
}

static void samples_are_summed_up(void **state)
{
    static const double x[] = { 3, 1, 2, 100 };

    (void)state;
    near(stats_median(x, 4), 2.5);
    near(stats_spread(x, 4), 1.482602218505602);
    near(stats_deviation(low, 8), sqrt(6));
    near(stats_normal_quantile(0.975), 1.959963984540054);
    near(stats_normal_quantile(0.5), 0);
    assert_int_equal(stats_runs_needed(0.01, 0.15, 0.05), 4);
    assert_int_equal(stats_runs_needed(0.1, 0.1, 0.05), 17); /* 2 (1.96 + 0.84)^2 pi/3 */
    assert_int_equal(stats_runs_needed(0.1, 0, 0.05), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_runs_cannot_show_much),
        cmocka_unit_test(ties_take_the_mean_rank),
        cmocka_unit_test(pairs_flip_their_signs),
        cmocka_unit_test(shifts_come_with_their_interval),
        cmocka_unit_test(many_looks_need_smaller_p),
        cmocka_unit_test(samples_are_summed_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
