/* See stats.h.
 *
 * Mann-Whitney with ties. Values get ranks, equal ones the mean of theirs; doubled,
 * these are whole numbers. Under the null hypothesis any n of the n + m ranks could
 * have been x's. ways[k][s] is how many sets of k ranks have sum s, built a rank at a
 * time as change is counted in coins; tails of ways[n] are the p value. Counts are
 * doubles: exact to 2^53, beyond that to 15 digits, as good as the p that is asked for.
 *
 * Sign flips. There are 2^n sign patterns, too many from some thirty pairs on. All sums
 * of the first half and of the second are sorted instead; for each of the first, a
 * pointer into the second moves one way only. So 40 pairs take 2^20 steps.
 *
 * Intervals. The i-th smallest of the differences is the shift where the rank test's
 * statistic passes i, so its null distribution (without ties: they have probability 0
 * in what is measured) says how many to leave out at each end. */
#include "analyzer/stats.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define room(n, size) xmalloc(mem_product(n, size))

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double *copy_sorted(const double *x, size_t n)
{
    double *s = room(n + 1, sizeof *s);

    if (n)
        memcpy(s, x, n * sizeof *s);
    qsort(s, n, sizeof *s, by_value);
    return s;
}

static double middle(const double *sorted, size_t n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* --- what a sample is like ------------------------------------------------------- */

double stats_median(const double *x, size_t n)
{
    double *s = copy_sorted(x, n), m = middle(s, n);

    free(s);
    return m;
}

double stats_spread(const double *x, size_t n)
{
    double m = stats_median(x, n), *off = room(n + 1, sizeof *off);

    for (size_t i = 0; i < n; i++)
        off[i] = fabs(x[i] - m);
    double spread = 1.482602218505602 * stats_median(off, n);
    free(off);
    return spread;
}

double stats_deviation(const double *x, size_t n)
{
    double mean = 0, sum = 0;

    if (n < 2)
        return 0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

static double normal_tail(double z)
{
    return erfc(z / sqrt(2)) / 2;
}

/* By halving: it is asked for a few times a call, and needs no table of constants. */
double stats_normal_quantile(double p)
{
    double low = -40, high = 40;

    for (int i = 0; i < 200 && low < high; i++) {
        double z = (low + high) / 2;

        if (normal_tail(-z) < p)
            low = z;
        else
            high = z;
    }
    return (low + high) / 2;
}

/* --- Mann-Whitney ------------------------------------------------------------------ */

struct ranks {
    uint32_t *twice; /* doubled mid-ranks, x's first */
    size_t n, m;
    double ties; /* sum of t^3 - t over groups of equal values */
};

struct ranked {
    double v;
    size_t at;
};

static int by_ranked(const void *a, const void *b)
{
    return by_value(&((const struct ranked *)a)->v, &((const struct ranked *)b)->v);
}

static void rank(struct ranks *r, const double *x, size_t n, const double *y, size_t m)
{
    size_t all = n + m;
    struct ranked *v = room(all, sizeof *v);

    *r = (struct ranks){ .n = n, .m = m, .twice = room(all, sizeof *r->twice) };
    for (size_t i = 0; i < all; i++)
        v[i] = (struct ranked){ i < n ? x[i] : y[i - n], i };
    qsort(v, all, sizeof *v, by_ranked);
    for (size_t i = 0, end; i < all; i = end) {
        end = i + 1;
        while (end < all && v[end].v <= v[i].v)
            end++;
        double t = (double)(end - i);
        r->ties += t * t * t - t;
        for (size_t k = i; k < end; k++)
            r->twice[v[k].at] = (uint32_t)(i + 1 + end); /* ranks i+1 .. end */
    }
    free(v);
}

struct tails {
    double low, high; /* P(sum <= seen), P(sum >= seen) */
};

static struct tails exact_tails(const struct ranks *r, size_t seen)
{
    size_t all = r->n + r->m, top = 0;
    struct tails t = { 0 };
    double total = 0;

    for (size_t i = 0; i < all; i++)
        top += r->twice[i];
    size_t width = top + 1;
    double *ways = room((r->n + 1) * width, sizeof *ways);

    memset(ways, 0, (r->n + 1) * width * sizeof *ways);
    ways[0] = 1;
    for (size_t i = 0; i < all; i++)
        for (size_t k = i < r->n ? i + 1 : r->n; k > 0; k--) {
            const double *from = ways + (k - 1) * width;
            double *to = ways + k * width;

            for (size_t s = r->twice[i]; s < width; s++)
                to[s] += from[s - r->twice[i]];
        }
    const double *last = ways + r->n * width;
    for (size_t s = 0; s < width; s++) {
        total += last[s];
        t.low += s <= seen ? last[s] : 0;
        t.high += s >= seen ? last[s] : 0;
    }
    t.low /= total;
    t.high /= total;
    free(ways);
    return t;
}

static struct tails normal_tails(const struct ranks *r, size_t seen)
{
    double n = (double)r->n, m = (double)r->m, all = n + m;
    double mean = n * (all + 1) / 2, sum = (double)seen / 2;
    double var = n * m / 12 * (all + 1 - r->ties / (all * (all - 1)));

    if (var <= 0)
        return (struct tails){ 1, 1 };
    return (struct tails){ normal_tail(-(sum - mean + 0.5) / sqrt(var)),
                           normal_tail((sum - mean - 0.5) / sqrt(var)) };
}

static struct tails rank_tails(const double *x, size_t n, const double *y, size_t m)
{
    struct ranks r;
    size_t seen = 0;

    rank(&r, x, n, y, m);
    for (size_t i = 0; i < n; i++)
        seen += r.twice[i];
    struct tails t =
        n + m <= STATS_EXACT_RUNS ? exact_tails(&r, seen) : normal_tails(&r, seen);
    free(r.twice);
    return t;
}

double stats_mann_whitney(const double *x, size_t n, const double *y, size_t m)
{
    struct tails t = rank_tails(x, n, y, m);

    return fmin(1, 2 * fmin(t.low, t.high));
}

double stats_mann_whitney_greater(const double *x, size_t n, const double *y, size_t m)
{
    return rank_tails(x, n, y, m).low;
}

double stats_mann_whitney_least(size_t n, size_t m)
{
    double sets = 1;

    for (size_t i = 1; i <= n; i++)
        sets *= (double)(m + i) / (double)i;
    return fmin(1, 2 / sets);
}

/* --- pairs ------------------------------------------------------------------------ */

static double *all_sums(const double *d, size_t n, size_t *count)
{
    double *sums;

    *count = (size_t)1 << n;
    sums = room(*count, sizeof *sums);
    for (size_t bits = 0; bits < *count; bits++) {
        sums[bits] = 0;
        for (size_t i = 0; i < n; i++)
            sums[bits] += bits >> i & 1 ? d[i] : -d[i];
    }
    qsort(sums, *count, sizeof *sums, by_value);
    return sums;
}

double stats_sign_flip(const double *d, size_t n)
{
    double seen = 0, size = 0, squares = 0, hits = 0;
    size_t n_low, n_high, at = 0;

    for (size_t i = 0; i < n; i++) {
        seen += d[i];
        size += fabs(d[i]);
        squares += d[i] * d[i];
    }
    if (size <= 0)
        return 1;
    if (n > STATS_EXACT_PAIRS)
        return fmin(1, 2 * normal_tail(fabs(seen) / sqrt(squares)));
    double bound = fabs(seen) - 1e-12 * size; /* equal sums in another order are equal */
    double *low = all_sums(d, n / 2, &n_low);
    double *high = all_sums(d + n / 2, n - n / 2, &n_high);

    for (size_t i = n_low; i-- > 0;) { /* low falls, so what is needed of high rises */
        while (at < n_high && low[i] + high[at] < bound)
            at++;
        hits += (double)(n_high - at);
    }
    free(low);
    free(high);
    return fmin(1, 2 * hits / ((double)n_low * (double)n_high));
}

/* --- how much ----------------------------------------------------------------------- */

/* All y - x, sorted. */
static double *differences(const double *x, size_t n, const double *y, size_t m)
{
    double *d = room(n * m, sizeof *d);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            d[i * m + k] = y[k] - x[i];
    qsort(d, n * m, sizeof *d, by_value);
    return d;
}

static double *walsh_means(const double *d, size_t n, size_t *count)
{
    double *w = room(n * (n + 1) / 2, sizeof *w);

    *count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i; k < n; k++)
            w[(*count)++] = (d[i] + d[k]) / 2;
    qsort(w, *count, sizeof *w, by_value);
    return w;
}

double stats_shift(const double *x, size_t n, const double *y, size_t m)
{
    double *d = differences(x, n, y, m), shift = middle(d, n * m);

    free(d);
    return shift;
}

double stats_shift_pairs(const double *d, size_t n)
{
    size_t count;
    double *w = walsh_means(d, n, &count), shift = middle(w, count);

    free(w);
    return shift;
}

/* How many of the smallest values of the statistic have at most alpha / 2 together.
 * ways[s]: number of ways to get s, of `total`. */
static size_t left_out(const double *ways, size_t n, double total, double alpha)
{
    double sum = 0;
    size_t k = 0;

    while (k < n) {
        sum += ways[k];
        if (sum / total > alpha / 2 * (1 + 1e-12))
            break;
        k++;
    }
    return k;
}

/* U is how many pairs x, y have y below x: sums of ranks again, the least taken off. */
static size_t left_out_of_ranks(size_t n, size_t m, double alpha)
{
    size_t width = n * m + 1;
    double *ways = room((n + 1) * width, sizeof *ways), total = 1;

    memset(ways, 0, (n + 1) * width * sizeof *ways);
    ways[0] = 1;
    /* Rank i (from 0) taken as the k-th of x has i - (k - 1) of y below it. */
    for (size_t i = 0; i < n + m; i++)
        for (size_t k = i < n ? i + 1 : n; k > 0; k--)
            for (size_t s = i - (k - 1); s < width && i - (k - 1) <= m; s++)
                ways[k * width + s] += ways[(k - 1) * width + s - (i - (k - 1))];
    for (size_t i = 1; i <= n; i++)
        total *= (double)(m + i) / (double)i;
    size_t k = left_out(ways + n * width, width, total, alpha);
    free(ways);
    return k;
}

static size_t left_out_of_signs(size_t n, double alpha)
{
    size_t width = n * (n + 1) / 2 + 1;
    double *ways = room(width, sizeof *ways);

    memset(ways, 0, width * sizeof *ways);
    ways[0] = 1;
    for (size_t r = 1; r <= n; r++)
        for (size_t s = width; s-- > r;)
            ways[s] += ways[s - r];
    size_t k = left_out(ways, width, pow(2, (double)n), alpha);
    free(ways);
    return k;
}

/* Normal approximation of the same count, for large samples. */
static size_t left_out_about(double mean, double deviation, double alpha)
{
    double k = floor(mean + stats_normal_quantile(alpha / 2) * deviation);

    return k > 0 ? (size_t)k : 0;
}

/* Inner ends after k of the sorted values are left out on each side. */
static struct interval without(const double *sorted, size_t n, size_t k)
{
    if (k == 0 || 2 * k > n)
        return (struct interval){ -INFINITY, INFINITY };
    return (struct interval){ sorted[k - 1], sorted[n - k] };
}

struct interval stats_shift_interval(const double *x, size_t n, const double *y, size_t m,
                                     double alpha)
{
    double *d = differences(x, n, y, m), a = (double)n, b = (double)m;
    size_t k = n + m <= STATS_EXACT_RUNS
                   ? left_out_of_ranks(n, m, alpha)
                   : left_out_about(a * b / 2, sqrt(a * b * (a + b + 1) / 12), alpha);
    struct interval in = without(d, n * m, k);

    free(d);
    return in;
}

struct interval stats_shift_pairs_interval(const double *d, size_t n, double alpha)
{
    size_t count;
    double *w = walsh_means(d, n, &count), a = (double)n;
    size_t k = n <= STATS_EXACT_RUNS
                   ? left_out_of_signs(n, alpha)
                   : left_out_about(a * (a + 1) / 4, sqrt(a * (a + 1) * (2 * a + 1) / 24),
                                    alpha);
    struct interval in = without(w, count, k);

    free(w);
    return in;
}

/* --- several at once, and how many more ------------------------------------------------
 */

void stats_holm(double *p, size_t n)
{
    struct ranked *order = room(n + 1, sizeof *order);
    double least = 0;

    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){ p[i], i };
    qsort(order, n, sizeof *order, by_ranked);
    for (size_t i = 0; i < n; i++) {
        least = fmax(least, fmin(1, order[i].v * (double)(n - i)));
        p[order[i].at] = least;
    }
    free(order);
}

size_t stats_runs_needed(double deviation, double shift, double alpha)
{
    if (shift == 0 || !isfinite(shift))
        return 0;
    /* Ranks use 3/pi of what normal values tell. */
    double z = stats_normal_quantile(1 - alpha / 2) + stats_normal_quantile(0.8);
    double runs =
        ceil(2 * z * z * deviation * deviation / (shift * shift) * acos(-1) / 3);

    return runs < 4 ? 4 : runs < 1e6 ? (size_t)runs : 1000000;
}
