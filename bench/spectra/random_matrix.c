/* random_matrix.c - the Marchenko-Pastur law, spikes and outliers; see tracy_widom.c for the edge.
 *
 * With x = v (1 + q - 2 sqrt q cos t), t in [0, pi], the law's distribution function has the closed
 * form used below: density dx = sin^2 t / (pi sqrt q (A - cos t)) dt with A = (1 + q)/(2 sqrt q),
 * and sin^2 t / (A - cos t) = A + cos t - (A^2 - 1)/(A - cos t), whose terms integrate to A t,
 * sin t and 2 sqrt(A^2 - 1) atan(sqrt((A + 1)/(A - 1)) tan(t/2)). */
#include "bench/spectra/random_matrix.h"

#include <math.h>
#include <stdlib.h>

double ub_mp_lower(double aspect, double variance)
{
    return variance * pow(1 - sqrt(aspect), 2);
}

double ub_mp_upper(double aspect, double variance)
{
    return variance * pow(1 + sqrt(aspect), 2);
}

double ub_mp_density(double x, double aspect, double variance)
{
    const double low = ub_mp_lower(aspect, variance), high = ub_mp_upper(aspect, variance);
    if (!(x > low && x < high))
        return 0;
    return sqrt((high - x) * (x - low)) / (2 * M_PI * variance * aspect * x);
}

double ub_mp_cdf(double x, double aspect, double variance)
{
    if (x < 0)
        return 0;
    const double zero = aspect > 1 ? 1 - 1 / aspect : 0, root = sqrt(aspect);
    if (x <= ub_mp_lower(aspect, variance))
        return zero;
    if (x >= ub_mp_upper(aspect, variance))
        return 1;
    const double a = (1 + aspect) / (2 * root), c = a - x / (2 * root * variance);
    const double t = acos(fmin(fmax(c, -1), 1));
    const double angle = atan2(sqrt(a + 1) * sin(t / 2), sqrt(fmax(a - 1, 0)) * cos(t / 2));
    const double bent = 2 * sqrt(fmax(a * a - 1, 0)) * angle;
    return zero + (a * t + sin(t) - bent) / (M_PI * root);
}

double ub_mp_quantile(double share, double aspect, double variance)
{
    double low = ub_mp_lower(aspect, variance), high = ub_mp_upper(aspect, variance);
    if (!(share >= 0 && share <= 1))
        return (double)NAN;
    if (aspect > 1 && share <= 1 - 1 / aspect)
        return 0;
    for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
        const double middle = (low + high) / 2;
        if (ub_mp_cdf(middle, aspect, variance) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ub_mp_variance(const double *values, int64_t count, double aspect)
{
    double *sorted = ub_calloc((size_t)count + 1, sizeof *sorted);
    for (int64_t i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_reals);
    int64_t skip = 0; /* with more columns than rows, the rest are 0 up to rounding */
    const double rounding = count > 0 ? 1e-13 * sorted[count - 1] : 0;
    while (aspect > 1 && skip < count && sorted[skip] <= rounding)
        skip++;
    const int64_t n = count - skip;
    const double *kept = sorted + skip;
    const double median = n < 1 ? (double)NAN : (kept[(n - 1) / 2] + kept[n / 2]) / 2;
    ub_free(sorted);
    /* W'W and WW' share their non-zero eigenvalues, and W'W/n = q WW'/p */
    const double inner = aspect > 1 ? 1 / aspect : aspect, scale = aspect > 1 ? aspect : 1;
    const double variance = median / (scale * ub_mp_quantile(0.5, inner, 1));
    return median > 0 && isfinite(variance) ? variance : (double)NAN;
}

double ub_spike_place(double spike, double aspect, double variance)
{
    if (!(spike > 1 + sqrt(aspect)))
        return (double)NAN;
    return variance * spike * (1 + aspect / (spike - 1));
}

int64_t ub_count_above(const double *values, int64_t n, double edge)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += values[i] > edge;
    return count;
}

struct ub_gap ub_largest_gap(const double *values, int64_t n, int64_t most)
{
    struct ub_gap gap = {0};
    for (int64_t k = 1; k <= most && k < n && values[k] > 0 && isfinite(values[k - 1]); k++)
        if (values[k - 1] / values[k] > gap.ratio)
            gap = (struct ub_gap){k, values[k - 1] / values[k]};
    return gap;
}

const char *ub_outliers_in_classes(int64_t outliers, int64_t classes)
{
    if (classes < 2)
        return "no classes";
    if (outliers == 0)
        return "none";
    if (outliers == classes - 1)
        return "C - 1";
    if (outliers == classes)
        return "C";
    if (outliers == classes * classes)
        return "C^2";
    if (outliers == classes * (classes - 1))
        return "C (C - 1)";
    return outliers < classes - 1 ? "fewer than C - 1" : "more than C";
}
