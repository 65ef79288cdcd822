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

double ub_estimate_margin(struct ub_estimate e, double level)
{
    if (e.freedom == 0)
        return e.error; /* 0 or NaN */
    return e.error * gsl_cdf_tdist_Pinv((1 + level) / 2, (double)e.freedom);
}
