/* Descriptive statistics, and the mean of independent values. */
#include "report/statistics/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Neumaier's compensated sum: exact to rounding whatever the order of magnitudes. */
static double sum(const double *x, size_t n)
{
    double total = 0.0, lost = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double next = total + x[i];
        lost += fabs(total) >= fabs(x[i]) ? (total - next) + x[i] : (x[i] - next) + total;
        total = next;
    }
    return isfinite(lost) ? total + lost : total;
}

double ub_mean(const double *x, size_t n)
{
    return n ? sum(x, n) / (double)n : NAN;
}

double ub_deviation(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double delta = x[i] - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (x[i] - mean);
    }
    return sqrt(squares / (double)(n - 1));
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Hyndman and Fan (1996), type 7: linear between order statistics. */
double ub_quantile(const double *x, size_t n, double q)
{
    if (n == 0 || !(q >= 0.0 && q <= 1.0))
        return NAN;
    double *sorted = ub_alloc(n * sizeof *sorted);
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_reals);
    const double place = q * (double)(n - 1);
    const size_t below = (size_t)place;
    const size_t above = below + 1 < n ? below + 1 : below;
    const double value = sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
    ub_free(sorted);
    return value;
}

double ub_median(const double *x, size_t n)
{
    return ub_quantile(x, n, 0.5);
}

double ub_t_quantile(double probability, double df)
{
    return df > 0.0 ? gsl_cdf_tdist_Pinv(probability, df) : NAN;
}

double ub_t_upper_p(double t, double df)
{
    if (isnan(t) || !(df > 0.0))
        return NAN;
    if (isinf(t))
        return t > 0.0 ? 0.0 : 1.0;
    return gsl_cdf_tdist_Q(t, df);
}

/* With cosine^2 = df / (df + t^2): sum of cosine^(k + 2 i), each term (j - 1) / j of the one
 * before, up to j = df - 2. */
double ub_t_lower_p(double t, size_t df)
{
    const double square = t * t / (double)df, cosine2 = 1 / (1 + square);
    const double sine = copysign(sqrt(square / (1 + square)), t);
    double term = df % 2 ? sqrt(cosine2) : 1, sum = df > 1 ? term : 0;
    if (isinf(square)) /* t itself, or its square */
        return t > 0 ? 1 : 0;
    for (size_t j = df % 2 ? 3 : 2; j + 2 <= df; j += 2) {
        term *= cosine2 * (double)(j - 1) / (double)j;
        sum += term;
    }
    const double inside =
        df % 2 ? 2 / M_PI * (atan(t / sqrt((double)df)) + sine * sum) : sine * sum;
    return 0.5 + 0.5 * inside;
}

static struct ub_interval with_student_interval(struct ub_interval r, double df)
{
    const double half = r.se > 0.0 ? ub_t_quantile(0.975, df) * r.se : r.se;
    r.low = r.estimate - half;
    r.high = r.estimate + half;
    return r;
}

struct ub_interval ub_sample_mean(const double *x, size_t n)
{
    struct ub_interval r = {.estimate = ub_mean(x, n), .n = n, .n_effective = (double)n};
    r.se = ub_deviation(x, n) / sqrt((double)n);
    return with_student_interval(r, (double)n - 1.0);
}
