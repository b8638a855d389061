"""analyzer/stats.c against scipy on random samples, ties included.

    stats.py LIBRARY    a shared object of analyzer/stats.c; last line: "N passed, M failed"
"""
import ctypes, random, sys
import numpy as np
from scipy import stats

lib = ctypes.CDLL(sys.argv[1])
D, N = ctypes.c_double, ctypes.c_size_t


class Interval(ctypes.Structure):
    _fields_ = [("low", D), ("high", D)]


def function(name, result=D):
    f = getattr(lib, name)
    f.restype = result
    return f


def arr(x):
    return (D * len(x))(*x)


mann_whitney = function("stats_mann_whitney")
greater = function("stats_mann_whitney_greater")
sign_flip = function("stats_sign_flip")
shift = function("stats_shift")
shift_interval = function("stats_shift_interval", Interval)
quantile = function("stats_normal_quantile")
passed = failed = 0


def check(what, got, want):
    global passed, failed
    if abs(got - want) <= 1e-9 * max(1, abs(want)):
        passed += 1
    else:
        failed += 1
        print(f"{what}: {got!r}, scipy has {want!r}")


def sample(rng, n, ties):
    return [float(rng.randint(0, ties)) if ties else rng.lognormvariate(0, 0.2) for _ in range(n)]


def rank_sums(x, y):
    """p values by scipy's exact permutation of the ranks."""
    ranks = stats.rankdata(np.concatenate([x, y]))
    def total(a, b, axis):
        return np.sum(b, axis=axis)
    return [stats.permutation_test((ranks[: len(x)], ranks[len(x) :]), total, vectorized=True, n_resamples=np.inf,
                                   alternative=side).pvalue for side in ("two-sided", "greater")]


rng = random.Random(7)
for case in range(300):
    n, m, ties = rng.randint(1, 6), rng.randint(1, 6), rng.choice([0, 2, 5, 20])
    x, y = sample(rng, n, ties), sample(rng, m, ties)
    if n + m < 3 or n < 2 or m < 2:
        continue
    two, one = rank_sums(x, y)
    check(f"Mann-Whitney {x} {y}", mann_whitney(arr(x), N(n), arr(y), N(m)), two)
    check(f"one-sided {x} {y}", greater(arr(x), N(n), arr(y), N(m)), one)
for case in range(300):  # larger, without ties: scipy's own exact distribution
    n, m = rng.randint(2, 30), rng.randint(2, 30)
    x, y = sample(rng, n, 0), sample(rng, m, 0)
    want = stats.mannwhitneyu(x, y, method="exact", alternative="two-sided").pvalue
    check(f"Mann-Whitney of {n} and {m}", mann_whitney(arr(x), N(n), arr(y), N(m)), want)
for case in range(40):  # beyond what is exact
    x, y = sample(rng, 150, rng.choice([0, 9])), sample(rng, 120, 9)
    want = stats.mannwhitneyu(x, y, method="asymptotic").pvalue
    check("Mann-Whitney, normal", mann_whitney(arr(x), N(150), arr(y), N(120)), want)
for case in range(200):
    n = rng.randint(2, 12)
    d = [v - (3 if t else 1) for t in [rng.choice([0, 6])] for v in sample(rng, n, t)]
    if not any(d):
        continue
    want = stats.permutation_test((d,), lambda v, axis: np.abs(np.sum(v, axis=axis)), permutation_type="samples",
                                  vectorized=True, n_resamples=np.inf, alternative="greater").pvalue
    check(f"sign flip {d}", sign_flip(arr(d), N(n)), want)
for case in range(200):
    n, m, alpha = rng.randint(2, 20), rng.randint(2, 20), rng.choice([0.05, 0.1, 0.01])
    x, y = sample(rng, n, 0), sample(rng, m, 0)
    d = np.sort([b - a for a in x for b in y])
    check("Hodges-Lehmann", shift(arr(x), N(n), arr(y), N(m)), np.median(d))
    got = shift_interval(arr(x), N(n), arr(y), N(m), D(alpha))
    # the ends are where scipy's exact test of the shifted samples turns
    if np.isfinite(got.low):
        eps = 1e-9
        for end, inward in ((got.low, eps), (got.high, -eps)):
            p_in = stats.mannwhitneyu([a + end + inward for a in x], y, method="exact").pvalue
            p_out = stats.mannwhitneyu([a + end - inward for a in x], y, method="exact").pvalue
            check(f"interval of {n} and {m} at {alpha}", float(p_out <= alpha * (1 + 1e-9) < p_in * (1 + 1e-9)), 1.0)
    else:
        least = 2 * stats.mannwhitneyu(range(n), range(n, n + m), method="exact", alternative="less").pvalue
        check("no interval", float(least > alpha), 1.0)
for p in (1e-6, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999):
    check("normal quantile", quantile(D(p)), stats.norm.ppf(p))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
