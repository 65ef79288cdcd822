/* Moderated variances, tests beyond a margin, and shares that are nearly always 0 or 1. */
#include "report/statistics/moderated.h"

#include "report/statistics/statistics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>

/* ---- variances ----------------------------------------------------------------------------- */

/* y with trigamma(y) = x > 0. Newton's method on 1/trigamma, which is convex and nearly linear:
 * from below it climbs to the root without passing it (Smyth 2004, appendix). */
static double trigamma_inverse(double x)
{
    enum { STEPS = 60 };
    if (x > 1e7)
        return 1.0 / sqrt(x);
    if (x < 1e-6)
        return 1.0 / x;
    double y = 0.5 + 1.0 / x;
    for (int i = 0; i < STEPS; i++) {
        const double value = gsl_sf_psi_1(y);
        const double step = value * (1.0 - value / x) / gsl_sf_psi_n(2, y);
        y += step;
        if (fabs(step) < 1e-10 * y)
            break;
    }
    return y;
}

/* log(chi^2(d)/d) has mean psi(d/2) - log(d/2) and variance psi'(d/2). */
static double mean_of_log(double df)
{
    return gsl_sf_psi(df / 2.0) - log(df / 2.0);
}

static bool is_usable(double variance, double df)
{
    return variance > 0.0 && isfinite(variance) && df > 0.0;
}

/* Variance of the true log variances: what is beyond chance, at the upper end of its 95% interval.
 * A variance of n values of fourth cumulant k4 and variance m2 has variance (k4 + 2 m2^2)/n. */
static double excess_of(const double *e, size_t n, double noise, double noise_k4)
{
    static const double quantile = 1.6448536269514722;
    const double deviation = ub_deviation(e, n), m2 = fmax(deviation * deviation, noise);
    const double se = sqrt((noise_k4 + 2.0 * m2 * m2) / (double)n);
    return deviation * deviation - noise + quantile * se;
}

struct ub_variance_prior ub_variance_prior_fit(const double *variance, const double *df, size_t n)
{
    struct ub_variance_prior prior = {0};
    double *e = ub_calloc(n + 1, sizeof *e), noise = 0.0, noise_k4 = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (!is_usable(variance[i], df[i]))
            continue;
        e[prior.n++] = log(variance[i]) - mean_of_log(df[i]);
        noise += gsl_sf_psi_1(df[i] / 2.0);
        noise_k4 += gsl_sf_psi_n(3, df[i] / 2.0);
        prior.pooled_df += df[i];
    }
    if (prior.n >= 2) {
        const double count = (double)prior.n;
        const double excess = excess_of(e, prior.n, noise / count, noise_k4 / count);
        prior.df = excess > 0.0 ? 2.0 * trigamma_inverse(excess) : HUGE_VAL;
        prior.variance = exp(ub_mean(e, prior.n) + (excess > 0.0 ? mean_of_log(prior.df) : 0.0));
    }
    ub_free(e);
    return prior;
}

struct ub_variance ub_variance_moderated(const struct ub_variance_prior *prior, double variance,
                                         double df)
{
    const double own = isfinite(variance) && df > 0.0 ? df : 0.0;
    struct ub_variance v = {.value = NAN, .df = fmin(prior->df + own, prior->pooled_df)};
    if (prior->df + own <= 0.0)
        v.df = 0.0;
    else if (isinf(prior->df))
        v.value = prior->variance;
    else if (prior->df > 0.0)
        v.value =
            (prior->df * prior->variance + (own > 0.0 ? own * variance : 0.0)) / (prior->df + own);
    else
        v = (struct ub_variance){variance, own};
    return v;
}

/* ---- beyond a margin ------------------------------------------------------------------------ */

static double upper_p(double t, double df)
{
    return isinf(df) ? gsl_cdf_ugaussian_Q(t) : ub_t_upper_p(t, df);
}

/* The t that is exceeded with probability q < 1/2. Below one degree of freedom, where tails are so
 * long that approximations fail, by bisection of log t. */
static double upper_quantile(double q, double df)
{
    enum { STEPS = 100 };
    if (isinf(df))
        return gsl_cdf_ugaussian_Qinv(q);
    if (df >= 1.0)
        return ub_t_quantile(1.0 - q, df);
    double low = log(1e-6), high = log(1e300);
    for (int i = 0; i < STEPS; i++) {
        const double middle = 0.5 * (low + high);
        if (ub_t_upper_p(exp(middle), df) > q)
            low = middle;
        else
            high = middle;
    }
    return exp(low);
}

double ub_beyond_p(double difference, double se, double df, double margin)
{
    const double distance = fabs(difference);
    if (isnan(distance) || isnan(se) || !(df > 0.0))
        return NAN;
    if (!(se > 0.0))
        return distance > margin ? 0.0 : 1.0;
    return fmin(1.0, upper_p((distance - margin) / se, df) + upper_p((distance + margin) / se, df));
}

/* Where the far tail counts for nothing: t - margin/se is beyond its quantile. */
double ub_beyond_detectable(double se, double df, double margin, double level)
{
    if (isnan(se) || !(df > 0.0))
        return NAN;
    return margin + (upper_quantile(level / 2.0, df) + upper_quantile(0.2, df)) * se;
}

/* ---- shares ---------------------------------------------------------------------------------- */

static void binomial(double p, size_t n, double *out)
{
    for (size_t k = 0; k <= n; k++)
        out[k] = gsl_ran_binomial_pdf((unsigned)k, p, (unsigned)n);
}

/* P(shares at least so far apart | p) / (p (1 - p)); `work` has room for n_a + n_b + 2. */
static double tail_over_variance(double distance, size_t n_a, size_t n_b, double p, double *work)
{
    double *a = work, *b = work + n_a + 1, tail = 0.0;
    binomial(p, n_a, a);
    binomial(p, n_b, b);
    for (size_t i = 0; i <= n_a; i++)
        for (size_t k = 0; k <= n_b; k++)
            if (fabs((double)i / (double)n_a - (double)k / (double)n_b) > distance - 1e-9)
                tail += a[i] * b[k];
    return tail / (p * (1.0 - p));
}

double ub_split_p(size_t k_a, size_t n_a, size_t k_b, size_t n_b, double disagreement)
{
    enum { GRID = 50 }; /* a polynomial of low degree, symmetric about 1/2: smooth on this grid */
    if (n_a == 0 || n_b == 0 || isnan(disagreement))
        return NAN;
    const double distance = fabs((double)k_a / (double)n_a - (double)k_b / (double)n_b);
    if (!(distance > 0.0))
        return 1.0;
    double most = 0.0, *work = ub_calloc(n_a + n_b + 2, sizeof *work);
    for (int i = 1; i <= GRID; i++)
        most = fmax(most, tail_over_variance(distance, n_a, n_b, 0.5 * i / GRID, work));
    ub_free(work);
    return fmin(1.0, 0.5 * disagreement * most);
}
