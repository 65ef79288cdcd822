#include "bench/spectra/scalars.h"

#include <math.h>

/* 0 when none is positive, NAN when one is not finite. */
static double largest_value(const double *values, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return (double)NAN;
        largest = fmax(largest, values[i]);
    }
    return largest;
}

/* Sums are taken of value/largest, which neither overflow nor vanish. */
struct ub_scalars ub_spectrum_scalars(const double *values, int64_t n)
{
    const double largest = largest_value(values, n);
    const double none = (double)NAN;
    double sum = 0, squares = 0, entropy = 0;
    if (!(largest > 0))
        return (struct ub_scalars){largest, largest, none, none, none, none, none};
    for (int64_t i = 0; i < n; i++) {
        const double share = fmax(values[i], 0) / largest;
        sum += share;
        squares += share * share;
        entropy -= share > 0 ? share * log(share) : 0;
    }
    return (struct ub_scalars){
        .largest = largest,
        .trace = sum * largest,
        .stable_rank = sum,
        .participation_ratio = sum * sum / squares,
        .entropy_rank = exp(entropy / sum + log(sum)),
        .log_norm = log10(sum) + log10(largest),
        .log_spectral_norm = log10(largest),
    };
}

double ub_effective_dimension(const double *values, int64_t n, double ridge)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i] > 0 ? values[i] / (values[i] + ridge) : 0 * values[i];
    return ridge > 0 ? sum : (double)NAN;
}

double ub_alpha_hat(const double *values, int64_t n, double alpha)
{
    const double largest = largest_value(values, n);
    return largest > 0 ? alpha * log10(largest) : (double)NAN;
}

double ub_log_alpha_norm(const double *values, int64_t n, double alpha)
{
    const double largest = largest_value(values, n);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i] > 0 ? pow(values[i] / largest, alpha) : 0;
    return largest > 0 ? log10(sum) + alpha * log10(largest) : (double)NAN;
}
