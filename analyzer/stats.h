/* Few numbers, honest answers: exact tests and intervals for runs of a job.
 *
 * Times of runs are compared as logarithms, for noise multiplies: a slow host makes
 * all of a run 5 % slower, not 5 seconds. All tests are exact permutation tests:
 * nothing is assumed of the shape of the noise, and ties count as what they are.
 * Definitions: docs/method.md, "Comparing runs". Samples need not be sorted; all
 * values must be finite. */
#ifndef ANALYZER_STATS_H
#define ANALYZER_STATS_H

#include "base/util.h"

/* Largest samples that are treated exactly; beyond, tests take the normal
 * approximation (ties and continuity corrected). */
#define STATS_EXACT_RUNS 200 /* both sides together */
#define STATS_EXACT_PAIRS 40

struct interval {
    double low, high; /* -INFINITY, INFINITY: so few values bound nothing */
};

double stats_median(const double *x, size_t n); /* n > 0 */
/* Half the width of a normal distribution's usual interval, from the median of the
 * distances to the median (x 1.4826); outliers do not move it. */
double stats_spread(const double *x, size_t n);
/* Square root of the variance with n - 1; 0 for fewer than two. */
double stats_deviation(const double *x, size_t n);
/* Of the standard normal distribution, 0 < p < 1. */
double stats_normal_quantile(double p);

/* Mann-Whitney: probability that labels dealt out at random put y as far from x as
 * they are, two-sided (twice the smaller tail, at most 1). n, m > 0. */
double stats_mann_whitney(const double *x, size_t n, const double *y, size_t m);
/* One-sided: that y is as much larger. */
double stats_mann_whitney_greater(const double *x, size_t n, const double *y, size_t m);
/* The smallest p that n against m values can give, two-sided. */
double stats_mann_whitney_least(size_t n, size_t m);

/* Pairs: d are differences. Probability that signs thrown at random give a mean as
 * far from 0, two-sided. n > 0. */
double stats_sign_flip(const double *d, size_t n);

/* Hodges-Lehmann: the median of all differences y - x; for pairs, of all means of
 * two of d (each with itself too). */
double stats_shift(const double *x, size_t n, const double *y, size_t m);
double stats_shift_pairs(const double *d, size_t n);
/* The shifts that the rank test does not reject at level alpha; holds the true one
 * with at least 1 - alpha. Pairs: by the signed-rank distribution. */
struct interval stats_shift_interval(const double *x, size_t n, const double *y, size_t m,
                                     double alpha);
struct interval stats_shift_pairs_interval(const double *d, size_t n, double alpha);

/* Holm: p values as they must be read when n were looked at, in place. */
void stats_holm(double *p, size_t n);

/* Runs a side to show a shift at level alpha, two-sided, four times of five, where
 * runs spread by `deviation`; at least 4, since fewer can show nothing. 0: never
 * (shift 0). */
size_t stats_runs_needed(double deviation, double shift, double alpha);

#endif
