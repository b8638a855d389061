/* Deviation, variance, skewness, kurtosis, covariance, correlation.
 *
 * Moments about the running mean, updated and merged by the same formulas and in the same
 * order of operations as Spark's (Welford, Chan et al.), so that results agree to the
 * last bit where rows come in the same order. */
#include "engine/expr/agg_list.h"

#include <math.h>

struct moments {
    double n, avg, m2, m3, m4;
};

static enum errc bind_one(struct agg_bind *b, struct err *err)
{
    return agg_bind_sig(b, "d:d", err);
}

static enum errc bind_two(struct agg_bind *b, struct err *err)
{
    return agg_bind_sig(b, "dd:d", err);
}

static uint32_t name_doubles(uint32_t n, struct type *types, const char **names,
                             const char *const *given)
{
    for (uint32_t i = 0; i < n; i++) {
        types[i] = type_of(TYPE_DOUBLE);
        names[i] = given[i];
    }
    return n;
}

static const char *const moment_names[] = { "n", "avg", "m2", "m3", "m4" };

static uint32_t buffers_m2(const struct expr *e, struct type *types, const char **names)
{
    (void)e;
    return name_doubles(3, types, names, moment_names);
}

static uint32_t buffers_m3(const struct expr *e, struct type *types, const char **names)
{
    (void)e;
    return name_doubles(4, types, names, moment_names);
}

static uint32_t buffers_m4(const struct expr *e, struct type *types, const char **names)
{
    (void)e;
    return name_doubles(5, types, names, moment_names);
}

static size_t moments_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct moments);
}

static inline void moments_add(struct moments *s, double x)
{
    double n = s->n + 1.0;
    double delta = x - s->avg;
    double delta_n = delta / n;
    double avg = s->avg + delta_n;
    double m2 = s->m2 + delta * (delta - delta_n);
    double delta2 = delta * delta, delta_n2 = delta_n * delta_n;
    double m3 = s->m3 - 3.0 * delta_n * m2 + delta * (delta2 - delta_n2);
    double m4 = s->m4 - 4.0 * delta_n * m3 - 6.0 * delta_n2 * m2 +
                delta * (delta * delta2 - delta_n * delta_n2);

    *s = (struct moments){ n, avg, m2, m3, m4 };
}

static void moments_update(const struct agg_run *r, uint8_t **states,
                           const struct vec *args, const struct batch *b)
{
    (void)r;
    AGG_EACH(double, &args[0], b, moments_add((struct moments *)states[i], x));
}

static void moments_join(struct moments *l, const struct moments *r)
{
    double n1 = l->n, n2 = r->n, n = n1 + n2;
    double delta = r->avg - l->avg;
    double delta_n = n == 0.0 ? 0.0 : delta / n;
    double avg = l->avg + delta_n * n2;
    double m2 = l->m2 + r->m2 + delta * delta_n * n1 * n2;
    double m3 = l->m3 + r->m3 + delta_n * delta_n * delta * n1 * n2 * (n1 - n2) +
                3.0 * delta_n * (n1 * r->m2 - n2 * l->m2);
    double m4 =
        l->m4 + r->m4 +
        delta_n * delta_n * delta_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) +
        6.0 * delta_n * delta_n * (n1 * n1 * r->m2 + n2 * n2 * l->m2) +
        4.0 * delta_n * (n1 * r->m3 - n2 * l->m3);

    *l = (struct moments){ n, avg, m2, m3, m4 };
}

static uint32_t n_moments(const struct agg_run *r)
{
    struct type types[AGG_MAX_BUFFER];
    const char *names[AGG_MAX_BUFFER];

    return r->agg->buffers(r->expr, types, names);
}

static void moments_merge(const struct agg_run *r, uint8_t **states,
                          const struct vec *buffers, const struct batch *b)
{
    uint32_t n = n_moments(r);

    for (uint32_t i = 0; i < b->n_sel; i++) {
        double other[6] = { 0 };
        struct moments right;

        for (uint32_t k = 0; k < n; k++)
            other[k] = *(const double *)vec_at(&buffers[k], batch_row(b, i));
        memcpy(&right, other, sizeof right);
        moments_join((struct moments *)states[i], &right);
    }
}

/* The state is an array of doubles in the buffers' order. */
static void doubles_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                            struct vec *buffers)
{
    uint32_t columns = n_moments(r);

    for (uint32_t k = 0; k < columns; k++)
        for (uint32_t i = 0; i < n; i++)
            ((double *)buffers[k].data)[i] = ((const double *)states[i])[k];
}

typedef bool (*finish_fn)(const double *s, double *out);

static void finish(uint8_t *const *states, uint32_t n, struct vec *out, finish_fn fn)
{
    double *to = out->data;

    for (uint32_t i = 0; i < n; i++) {
        to[i] = 0;
        out->valid[i] = fn((const double *)states[i], &to[i]);
    }
}

/* Position in the state. */
enum { N, AVG, M2, M3, M4 };

static bool var_pop(const double *s, double *out)
{
    *out = s[M2] / s[N];
    return s[N] != 0;
}

static bool var_samp(const double *s, double *out)
{
    *out = s[M2] / (s[N] - 1.0);
    return s[N] > 1;
}

static bool stddev_pop(const double *s, double *out)
{
    *out = sqrt(s[M2] / s[N]);
    return s[N] != 0;
}

static bool stddev_samp(const double *s, double *out)
{
    *out = sqrt(s[M2] / (s[N] - 1.0));
    return s[N] > 1;
}

static bool skewness(const double *s, double *out)
{
    *out = sqrt(s[N]) * s[M3] / sqrt(s[M2] * s[M2] * s[M2]);
    return s[N] != 0 && s[M2] != 0;
}

static bool kurtosis(const double *s, double *out)
{
    *out = s[N] * s[M4] / (s[M2] * s[M2]) - 3.0;
    return s[N] != 0 && s[M2] != 0;
}

#define FINAL(fn)                                                                        \
    static void fn##_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,  \
                           struct vec *out)                                              \
    {                                                                                    \
        (void)r;                                                                         \
        finish(states, n, out, fn);                                                      \
    }
FINAL(var_pop)
FINAL(var_samp)
FINAL(stddev_pop)
FINAL(stddev_samp)
FINAL(skewness)
FINAL(kurtosis)

/* ---- two columns ---- */

struct joint {
    double n, x_avg, y_avg, ck, x_mk, y_mk;
};

static const char *const joint_names[] = { "n", "xAvg", "yAvg", "ck", "xMk", "yMk" };

static uint32_t buffers_covar(const struct expr *e, struct type *types,
                              const char **names)
{
    (void)e;
    return name_doubles(4, types, names, joint_names);
}

static uint32_t buffers_corr(const struct expr *e, struct type *types, const char **names)
{
    (void)e;
    return name_doubles(6, types, names, joint_names);
}

static size_t joint_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct joint);
}

static void joint_update(const struct agg_run *r, uint8_t **states,
                         const struct vec *args, const struct batch *b)
{
    (void)r;
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct joint *s = (struct joint *)states[i];

        if (agg_null_at(&args[0], row) || agg_null_at(&args[1], row))
            continue;
        double x = *(const double *)vec_at(&args[0], row);
        double y = *(const double *)vec_at(&args[1], row);
        double n = s->n + 1.0;
        double dx = x - s->x_avg, dy = y - s->y_avg;
        double x_avg = s->x_avg + dx / n, y_avg = s->y_avg + dy / n;

        *s = (struct joint){ n,
                             x_avg,
                             y_avg,
                             s->ck + dx * (y - y_avg),
                             s->x_mk + dx * (x - x_avg),
                             s->y_mk + dy * (y - y_avg) };
    }
}

static void joint_merge(const struct agg_run *r, uint8_t **states,
                        const struct vec *buffers, const struct batch *b)
{
    uint32_t columns = n_moments(r);

    for (uint32_t i = 0; i < b->n_sel; i++) {
        double o[6] = { 0 };
        struct joint *s = (struct joint *)states[i];

        for (uint32_t k = 0; k < columns; k++)
            o[k] = *(const double *)vec_at(&buffers[k], batch_row(b, i));
        double n1 = s->n, n2 = o[0], n = n1 + n2;
        double dx = o[1] - s->x_avg, dx_n = n == 0.0 ? 0.0 : dx / n;
        double dy = o[2] - s->y_avg, dy_n = n == 0.0 ? 0.0 : dy / n;

        *s = (struct joint){ n,
                             s->x_avg + dx_n * n2,
                             s->y_avg + dy_n * n2,
                             s->ck + o[3] + dx * dy_n * n1 * n2,
                             s->x_mk + o[4] + dx * dx_n * n1 * n2,
                             s->y_mk + o[5] + dy * dy_n * n1 * n2 };
    }
}

enum { X_AVG = 1, Y_AVG, CK, X_MK, Y_MK };

static bool covar_pop(const double *s, double *out)
{
    *out = s[CK] / s[N];
    return s[N] != 0;
}

static bool covar_samp(const double *s, double *out)
{
    *out = s[CK] / (s[N] - 1.0);
    return s[N] > 1;
}

static bool corr(const double *s, double *out)
{
    *out = s[CK] / sqrt(s[X_MK] * s[Y_MK]);
    return s[N] > 1;
}

/* regr_*(y, x): the first argument, here X_, is what depends on the second. */
static bool regr_sxx(const double *s, double *out)
{
    *out = s[Y_MK];
    return s[N] != 0;
}

static bool regr_syy(const double *s, double *out)
{
    *out = s[X_MK];
    return s[N] != 0;
}

static bool regr_sxy(const double *s, double *out)
{
    *out = s[CK];
    return s[N] != 0;
}

static bool regr_slope(const double *s, double *out)
{
    *out = s[CK] / s[Y_MK];
    return s[Y_MK] != 0;
}

static bool regr_intercept(const double *s, double *out)
{
    *out = s[X_AVG] - s[CK] / s[Y_MK] * s[Y_AVG];
    return s[Y_MK] != 0;
}

static bool regr_r2(const double *s, double *out)
{
    double r = s[CK] / sqrt(s[X_MK] * s[Y_MK]);

    *out = s[X_MK] == 0 ? 1.0 : r * r;
    return s[N] != 0 && s[Y_MK] != 0;
}

FINAL(covar_pop)
FINAL(covar_samp)
FINAL(corr)
FINAL(regr_sxx)
FINAL(regr_syy)
FINAL(regr_sxy)
FINAL(regr_slope)
FINAL(regr_intercept)
FINAL(regr_r2)

#define ONE(text, more, layout, fn, words)                                               \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = 1, .max_args = 1,                     \
        .duplicates_matter = true, .bind = bind_one, .buffers = layout,                  \
        .state_bytes = moments_bytes, .update = moments_update, .merge = moments_merge,  \
        .partial = doubles_partial, .final = fn##_final, .usage = words                  \
    }
#define TWO(text, layout, fn, words)                                                     \
    {                                                                                    \
        .name = text, .min_args = 2, .max_args = 2, .duplicates_matter = true,           \
        .bind = bind_two, .buffers = layout, .state_bytes = joint_bytes,                 \
        .update = joint_update, .merge = joint_merge, .partial = doubles_partial,        \
        .final = fn##_final, .usage = words                                              \
    }

/* Replaced before planning. */
#define AS(text, fn, words)                                                              \
    {                                                                                    \
        .name = text, .min_args = 2, .max_args = 2, .duplicates_matter = true,           \
        .bind = bind_##fn, .replace = as_##fn, .usage = words                            \
    }

static enum errc bind_regr_count(struct agg_bind *b, struct err *err)
{
    TRY(agg_bind_sig(b, "dd:l", err));
    for (uint32_t i = 0; i < 2; i++)
        b->want[i] = b->args[i]->type; /* only counted */
    b->nullable = false;
    return ERR_OK;
}

static enum errc bind_regr_avgx(struct agg_bind *b, struct err *err)
{
    return bind_two(b, err);
}

static enum errc bind_regr_avgy(struct agg_bind *b, struct err *err)
{
    return bind_two(b, err);
}

static struct expr *aggregate(struct arena *a, const struct settings *s, const char *name,
                              struct expr **args, uint32_t n, const struct expr *e)
{
    struct expr *out;
    struct err err;

    if (agg_call(a, s, agg_find(sv(name)), args, n, e->distinct, e->filter, &out, &err) !=
        ERR_OK)
        die("%s was bound, but: %s", e->agg->name, err.text);
    out->id = e->id;
    return out;
}

static struct expr *as_regr_count(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    return aggregate(a, s, "count", e->args, 2, e);
}

/* avg(IF(y IS NOT NULL AND x IS NOT NULL, one of them, NULL)) */
static struct expr *mean_of_pairs(struct arena *a, const struct settings *s,
                                  const struct expr *e, uint32_t which)
{
    struct type boolean = type_of(TYPE_BOOLEAN);
    struct expr *y = expr_call(a, func_of(FUNC_IS_NOT_NULL), boolean, 1, e->args[0]);
    struct expr *x = expr_call(a, func_of(FUNC_IS_NOT_NULL), boolean, 1, e->args[1]);
    struct expr *none = expr_literal(a, value_null(e->args[which]->type));
    struct expr *arg = expr_call(a, func_of(FUNC_IF), none->type, 3,
                                 expr_call(a, func_of(FUNC_AND), boolean, 2, y, x),
                                 e->args[which], none);

    return aggregate(a, s, "avg", &arg, 1, e);
}

static struct expr *as_regr_avgx(struct arena *a, const struct settings *s,
                                 const struct expr *e)
{
    return mean_of_pairs(a, s, e, 1);
}

static struct expr *as_regr_avgy(struct arena *a, const struct settings *s,
                                 const struct expr *e)
{
    return mean_of_pairs(a, s, e, 0);
}

const struct agg moment_aggs[] = {
    ONE("stddev_samp", "stddev std", buffers_m2, stddev_samp,
        "stddev_samp(expr) - The sample standard deviation."),
    ONE("stddev_pop", NULL, buffers_m2, stddev_pop,
        "stddev_pop(expr) - The population standard deviation."),
    ONE("var_samp", "variance", buffers_m2, var_samp,
        "var_samp(expr) - The sample variance."),
    ONE("var_pop", NULL, buffers_m2, var_pop, "var_pop(expr) - The population variance."),
    ONE("skewness", NULL, buffers_m3, skewness, "skewness(expr) - The skewness."),
    ONE("kurtosis", NULL, buffers_m4, kurtosis, "kurtosis(expr) - The excess kurtosis."),
    TWO("covar_pop", buffers_covar, covar_pop,
        "covar_pop(expr1, expr2) - The population covariance."),
    TWO("covar_samp", buffers_covar, covar_samp,
        "covar_samp(expr1, expr2) - The sample covariance."),
    TWO("corr", buffers_corr, corr,
        "corr(expr1, expr2) - Pearson's correlation coefficient."),
    TWO("regr_sxx", buffers_corr, regr_sxx, "regr_sxx(y, x) - Squared deviations of x."),
    TWO("regr_syy", buffers_corr, regr_syy, "regr_syy(y, x) - Squared deviations of y."),
    TWO("regr_sxy", buffers_corr, regr_sxy, "regr_sxy(y, x) - Products of deviations."),
    TWO("regr_slope", buffers_corr, regr_slope,
        "regr_slope(y, x) - The slope of the line through the pairs."),
    TWO("regr_intercept", buffers_corr, regr_intercept,
        "regr_intercept(y, x) - Where that line is at x = 0."),
    TWO("regr_r2", buffers_corr, regr_r2,
        "regr_r2(y, x) - How well that line fits: the correlation squared."),
    AS("regr_count", regr_count, "regr_count(y, x) - Pairs that are not NULL."),
    AS("regr_avgx", regr_avgx, "regr_avgx(y, x) - The mean of x."),
    AS("regr_avgy", regr_avgy, "regr_avgy(y, x) - The mean of y."),
    { 0 },
};
