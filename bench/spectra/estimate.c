/* estimate.c - means of samples and Student's intervals. */
#include "bench/spectra/estimate.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

struct ub_estimate ub_estimate_mean(int64_t count, const double *samples)
{
    double mean = 0, squares = 0; /* Welford 1962: no cancellation */
    for (int64_t i = 0; i < count; i++) {
        const double off = samples[i] - mean;
        mean += off / (double)(i + 1);
        squares += off * (samples[i] - mean);
    }
    const double freedom = (double)(count - 1);
    return (struct ub_estimate){.value = count > 0 ? mean : NAN,
                                .error = count > 1 ? sqrt(squares / freedom / (double)count) : NAN,
                                .freedom = count > 1 ? count - 1 : 0};
}

struct ub_estimate ub_estimate_exact(double value)
{
    return (struct ub_estimate){.value = value};
}

/* Probability that S, chi^2 of `freedom` over it, has |S - 1| <= h S. */
static double covered(double h, double freedom)
{
    const double low = gsl_cdf_chisq_P(freedom / (1 + h), freedom);
    return h < 1 ? gsl_cdf_chisq_P(freedom / (1 - h), freedom) - low : 1 - low;
}

static double squares_margin(struct ub_squares s, double level)
{
    const double many = 1e6; /* normal then */
    if (!(s.freedom > 0) || !(s.sum > 0))
        return s.freedom > 0 ? s.sum : 0; /* 0 or NaN */
    if (s.freedom > many)
        return s.sum * sqrt(2 / s.freedom) * gsl_cdf_ugaussian_Pinv((1 + level) / 2);
    double low = 0, high = 1;
    while (covered(high, s.freedom) < level)
        high *= 2;
    while (high - low > 1e-6 * high) {
        const double middle = (low + high) / 2;
        if (covered(middle, s.freedom) < level)
            low = middle;
        else
            high = middle;
    }
    return s.sum * high;
}

double ub_estimate_margin(struct ub_estimate e, double level)
{
    if (e.above.freedom > 0 || e.below.freedom > 0)
        return hypot(squares_margin(e.above, level), squares_margin(e.below, level));
    if (e.freedom == 0)
        return e.error; /* 0 or NaN */
    return e.error * gsl_cdf_tdist_Pinv((1 + level) / 2, (double)e.freedom);
}
