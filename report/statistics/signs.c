/* Medians by counting alone: no distribution is assumed. */
#include "report/statistics/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The r-th smallest and the r-th largest hold the median but with probability 2 P(B < r), where B
 * of n values are below it. */
struct ub_interval ub_median_interval(const double *x, size_t n)
{
    struct ub_interval m = {.estimate = ub_median(x, n),
                            .low = (double)NAN,
                            .high = (double)NAN,
                            .se = (double)NAN,
                            .n_effective = (double)n,
                            .n = n};
    size_t r = 0;
    while (r < n && gsl_cdf_binomial_P((unsigned)r, 0.5, (unsigned)n) <= 0.025)
        r++;
    if (r == 0)
        return m;
    double *sorted = ub_alloc(n * sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_reals);
    m.low = sorted[r - 1];
    m.high = sorted[n - r];
    ub_free(sorted);
    return m;
}

double ub_sign_p(const double *x, size_t n, double margin)
{
    size_t above = 0, below = 0;
    for (size_t i = 0; i < n; i++) {
        above += x[i] > margin;
        below += x[i] < -margin;
    }
    const size_t most = above > below ? above : below;
    if (most == 0)
        return n > 0 ? 1 : (double)NAN;
    return fmin(1, 2 * gsl_cdf_binomial_Q((unsigned)most - 1, 0.5, (unsigned)n));
}
