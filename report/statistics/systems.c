/* Variances of few values each, shrunk towards each other. */
#include "report/statistics/systems.h"
#include "report/statistics/statistics.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>

/* ---- variances -------------------------------------------------------------------------- */

/* x with trigamma(x) = y > 0: Newton's method on 1/trigamma, which is close to linear and convex,
 * from below the root (Smyth 2004, appendix). */
static double inverse_trigamma(double y)
{
    if (y > 1e7)
        return 1.0 / sqrt(y);
    if (y < 1e-6)
        return 1.0 / y;
    double x = 0.5 + 1.0 / y;
    for (int i = 0; i < 50; i++) {
        const double value = gsl_sf_psi_1(x);
        const double step = value * (1.0 - value / y) / gsl_sf_psi_n(2, x);
        x += step;
        if (-step < 1e-10 * x)
            break;
    }
    return x;
}

/* log of variance over its scale has mean psi(df/2) - log(df/2). */
static double log_bias(double df)
{
    return gsl_sf_psi(0.5 * df) - log(0.5 * df);
}

/* Median of the variances that are known; what stands for those of zero hangs on it. */
static double typical(const double *variance, const double *df, size_t n)
{
    double *known = ub_calloc(n + 1, sizeof *known);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (df[i] > 0.0)
            known[m++] = variance[i];
    const double median = ub_median(known, m);
    ub_free(known);
    return median;
}

struct ub_spread_prior ub_spread_prior(const double *variance, const double *df, size_t n)
{
    const double floor = 1e-5 * typical(variance, df, n);
    struct ub_spread_prior prior = {0};
    double *e = ub_calloc(n + 1, sizeof *e), trigamma = 0.0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(df[i] > 0.0))
            continue;
        prior.pooled_df += df[i];
        e[m++] = log(fmax(variance[i], floor)) - log_bias(df[i]);
        trigamma += gsl_sf_psi_1(0.5 * df[i]);
    }
    if (m >= 3 && floor > 0.0) {
        const double mean = ub_mean(e, m), deviation = ub_deviation(e, m);
        const double excess = deviation * deviation - trigamma / (double)m;
        prior.df = excess > 0.0 ? 2.0 * inverse_trigamma(excess) : INFINITY;
        prior.scale = exp(mean + (isfinite(prior.df) ? log_bias(prior.df) : 0.0));
    }
    ub_free(e);
    return prior;
}

struct ub_spread ub_spread_moderated(const struct ub_spread_prior *prior, double variance,
                                     double df)
{
    if (!(df > 0.0) && !(prior->df > 0.0))
        return (struct ub_spread){(double)NAN, 0.0};
    const double all = fmin(df + prior->df, fmax(prior->pooled_df, df));
    if (isinf(prior->df))
        return (struct ub_spread){prior->scale, all};
    const double squares = (df > 0.0 ? df * variance : 0.0) + prior->df * prior->scale;
    return (struct ub_spread){squares / (df + prior->df), all};
}
