/* Shares of a population: by counting, and of a normal one by its mean and spread. */
#include "report/statistics/share.h"
#include "report/statistics/meta.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

/* x with I_x(a, b) = probability, by bisection: gsl_cdf_beta_Pinv ends the program where its own
 * search does not converge. */
static double beta_quantile(double probability, double a, double b)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        if (gsl_cdf_beta_P(middle, a, b) < probability)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

double ub_share_low(size_t successes, size_t n, double confidence)
{
    if (successes == 0)
        return 0;
    return beta_quantile(1 - confidence, (double)successes, (double)(n - successes) + 1);
}

double ub_share_high(size_t successes, size_t n, double confidence)
{
    if (successes == n)
        return 1;
    return beta_quantile(confidence, (double)successes + 1, (double)(n - successes));
}

static double share_between(double mu, double tau, double low, double high)
{
    if (tau > 0)
        return fmax(0,
                    gsl_cdf_ugaussian_P((high - mu) / tau) - gsl_cdf_ugaussian_P((low - mu) / tau));
    return mu >= low && mu <= high;
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Both pivots at the midpoints of GRID equal shares of their distributions: no random numbers, and
 * a quantile right to about 1/GRID. */
double ub_share_normal_low(const double *estimate, const double *se, size_t n, double low,
                           double high, double confidence)
{
    enum { GRID = 120 };
    if (n < 2)
        return 0;
    const struct ub_studies s = ub_studies_of(estimate, se, n);
    double *share = ub_calloc(GRID, GRID * sizeof *share);
    for (int i = 0; i < GRID; i++) {
        const double q = gsl_cdf_chisq_Pinv((i + 0.5) / GRID, (double)(n - 1));
        const double tau_squared = ub_studies_spread(&s, q);
        double total;
        const double mean = ub_studies_mean(&s, tau_squared, &total);
        for (int k = 0; k < GRID; k++) {
            const double z = gsl_cdf_ugaussian_Pinv((k + 0.5) / GRID);
            share[i * GRID + k] =
                share_between(mean + z / sqrt(total), sqrt(tau_squared), low, high);
        }
    }
    qsort(share, (size_t)GRID * GRID, sizeof *share, compare_reals);
    const double bound = share[(size_t)((1 - confidence) * GRID * GRID)];
    ub_free(share);
    return bound;
}

size_t ub_share_draws(double share, double wanted, double confidence)
{
    enum { MOST = 1000000 };
    if (!(share > wanted))
        return 0;
    size_t few = 1, many = 2;
    while (many < MOST && ub_share_low((size_t)(share * (double)many), many, confidence) < wanted)
        many *= 2;
    while (many - few > 1) {
        const size_t middle = few + (many - few) / 2;
        if (ub_share_low((size_t)(share * (double)middle), middle, confidence) < wanted)
            few = middle;
        else
            many = middle;
    }
    return many;
}
