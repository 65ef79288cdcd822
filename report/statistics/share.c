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

double ub_share_more_p(size_t successes, size_t n, double share)
{
    return successes ? gsl_cdf_beta_P(share, (double)successes, (double)(n - successes) + 1) : 1;
}

double ub_share_fewer_p(size_t successes, size_t n, double share)
{
    return successes < n ? gsl_cdf_beta_Q(share, (double)successes + 1, (double)(n - successes))
                         : 1;
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

/* Both pivots at the midpoints of GRID equal parts of their distributions: no random numbers, and
 * a quantile right to about 1/GRID. */
struct ub_shares ub_shares_normal(const double *estimate, const double *se, size_t n, double low,
                                  double high)
{
    enum { GRID = 120 };
    if (n < 2)
        return (struct ub_shares){0, NULL};
    const struct ub_studies s = ub_studies_of(estimate, se, n);
    struct ub_shares shares = {(size_t)GRID * GRID, ub_calloc(GRID, GRID * sizeof(double))};
    for (int i = 0; i < GRID; i++) {
        const double q = gsl_cdf_chisq_Pinv((i + 0.5) / GRID, (double)(n - 1));
        const double tau_squared = ub_studies_spread(&s, q);
        double total;
        const double mean = ub_studies_mean(&s, tau_squared, &total);
        for (int k = 0; k < GRID; k++) {
            const double z = gsl_cdf_ugaussian_Pinv((k + 0.5) / GRID);
            shares.share[i * GRID + k] =
                share_between(mean + z / sqrt(total), sqrt(tau_squared), low, high);
        }
    }
    qsort(shares.share, shares.count, sizeof *shares.share, compare_reals);
    return shares;
}

void ub_shares_clear(struct ub_shares *shares)
{
    ub_free(shares->share);
    *shares = (struct ub_shares){0, NULL};
}

double ub_shares_low(const struct ub_shares *shares, double confidence)
{
    return shares->count ? shares->share[(size_t)((1 - confidence) * (double)shares->count)] : 0;
}

double ub_shares_p(const struct ub_shares *shares, double share)
{
    size_t below = 0;
    while (below < shares->count && shares->share[below] < share)
        below++;
    return shares->count ? (double)below / (double)shares->count : 1;
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
