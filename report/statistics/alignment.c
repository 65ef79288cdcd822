#include "report/statistics/alignment.h"

#include <math.h>

void ub_center_gram(double *gram, size_t n)
{
    double *row = ub_calloc(n, sizeof *row), all = 0;
    for (size_t i = 0; i < n; i++) {
        gram[i * n + i] = 0;
        for (size_t j = 0; j < n; j++)
            row[i] += gram[i * n + j];
        all += row[i];
    }
    const double m = (double)n, whole = all / ((m - 1) * (m - 2));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] += i == j ? 0 : whole - (row[i] + row[j]) / (m - 2);
    ub_free(row);
}

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n * n; i++)
        sum += a[i] * b[i];
    return sum;
}

double ub_cka(const double *a, const double *b, size_t n)
{
    const double norms = sqrt(product(a, a, n) * product(b, b, n));
    return norms > 0 ? product(a, b, n) / norms : (double)NAN;
}

double ub_cka_p(const double *a, const double *b, size_t n, size_t draws)
{
    struct ub_random random = ub_random_stream(0, "alignment.permutation");
    int64_t *name = ub_calloc(n, sizeof *name);
    const double here = product(a, b, n);
    size_t as_large = 1;
    for (size_t d = 0; d < draws; d++) {
        double sum = 0;
        ub_random_permutation(&random, (int64_t)n, name);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                sum += a[i * n + j] * b[name[i] * (int64_t)n + name[j]];
        as_large += sum >= here;
    }
    ub_free(name);
    return (double)as_large / (double)(draws + 1);
}

/* Over pairs without unit `out`; m: none is left out. */
static double mean_without(const double *pair, size_t m, size_t out)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < m; i++)
        for (size_t j = i + 1; j < m; j++) {
            if (i == out || j == out || !isfinite(pair[i * m + j]))
                continue;
            sum += pair[i * m + j];
            n++;
        }
    return n ? sum / (double)n : (double)NAN;
}

struct ub_interval ub_pair_mean(const double *pair, size_t m)
{
    struct ub_interval mean = {(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0, 0};
    if (m < 3)
        return mean;
    double *left = ub_calloc(m, sizeof *left), squares = 0;
    for (size_t k = 0; k < m; k++)
        left[k] = mean_without(pair, m, k);
    const double center = ub_mean(left, m);
    for (size_t k = 0; k < m; k++)
        squares += (left[k] - center) * (left[k] - center);
    ub_free(left);
    mean.estimate = mean_without(pair, m, m);
    mean.se = sqrt(squares * (double)(m - 1) / (double)m);
    mean.n = m;
    mean.n_effective = (double)m;
    const double half = ub_t_quantile(0.975, (double)m - 1) * mean.se;
    mean.low = mean.estimate - half;
    mean.high = mean.estimate + half;
    return mean;
}
