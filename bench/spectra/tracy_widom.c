/* tracy_widom.c - the law of the largest eigenvalue of real noise (Tracy and Widom 1996), as a
 * Fredholm determinant: see random_matrix.h. */
#include "bench/spectra/random_matrix.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_airy.h>
#include <lapacke.h>
#include <math.h>

/* Ai(16) = 4e-20: the kernel beyond is below rounding. */
enum { NODES = 64 };
static const double lowest = -12, highest = 12, negligible = 16;

/* Determinant of an m x m matrix, which is overwritten. */
static double determinant(double *a, int m)
{
    lapack_int pivot[NODES];
    if (LAPACKE_dgetrf(LAPACK_ROW_MAJOR, m, m, a, m, pivot) < 0)
        return (double)NAN;
    double product = 1;
    for (int i = 0; i < m; i++)
        product *= pivot[i] == i + 1 ? a[i * m + i] : -a[i * m + i];
    return product;
}

double ub_tracy_widom_cdf(double s)
{
    if (isnan(s) || s >= highest)
        return isnan(s) ? s : 1;
    if (s <= lowest)
        return 0;
    double node[NODES], weight[NODES];
    double *a = ub_calloc((size_t)NODES * NODES, sizeof *a);
    gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(NODES);
    for (size_t i = 0; i < NODES; i++)
        gsl_integration_glfixed_point(0, negligible - s, i, &node[i], &weight[i], rule);
    gsl_integration_glfixed_table_free(rule);
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < NODES; j++) {
            const double kernel = gsl_sf_airy_Ai(node[i] + node[j] + s, GSL_PREC_DOUBLE);
            a[i * NODES + j] = (i == j) - sqrt(weight[i] * weight[j]) * kernel;
        }
    const double value = determinant(a, NODES);
    ub_free(a);
    return fmin(fmax(value, 0), 1);
}

double ub_tracy_widom_quantile(double probability)
{
    if (!(probability > 0 && probability < 1))
        return (double)NAN;
    double low = lowest, high = highest;
    while (high - low > 1e-12) {
        const double middle = (low + high) / 2;
        if (ub_tracy_widom_cdf(middle) < probability)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double ub_noise_edge(int64_t n, int64_t p, double variance, double level)
{
    const double a = sqrt((double)n - 1), b = sqrt((double)p);
    const double sigma = (a + b) * cbrt(1 / a + 1 / b);
    const double quantile = ub_tracy_widom_quantile(1 - level);
    return ((a + b) * (a + b) + sigma * quantile) * variance / (double)n;
}
