#include "bench/spectra/eigenlearning.h"

#include <math.h>
#include <stdbool.h>

double ub_learnability(double value, double kappa)
{
    return value > 0 ? value / (value + kappa) : 0;
}

/* sum_i L_i + delta/kappa, falling in kappa > 0. */
static double samples_for(const double *values, int64_t count, double ridge, double kappa)
{
    double sum = ridge / kappa;
    for (int64_t i = 0; i < count; i++)
        sum += ub_learnability(values[i], kappa);
    return sum;
}

/* By halving intervals of log kappa. At (sum l + delta)/n the sum is n at most. */
static double find_kappa(const double *values, int64_t count, double samples, double ridge)
{
    double sum = ridge;
    for (int64_t i = 0; i < count; i++)
        sum += fmax(values[i], 0);
    double high = log(sum / samples), low = high;
    do
        low -= 1;
    while (samples_for(values, count, ridge, exp(low)) < samples && low > high - 690);
    for (int k = 0; k < 100; k++) {
        const double middle = low + (high - low) / 2;
        if (samples_for(values, count, ridge, exp(middle)) < samples)
            high = middle;
        else
            low = middle;
    }
    return exp(low + (high - low) / 2);
}

struct ub_eigenlearning ub_eigenlearning(const double *values, const double *squares, int64_t count,
                                         double samples, double ridge, double noise_variance)
{
    int64_t modes = 0;
    for (int64_t i = 0; i < count; i++)
        modes += values[i] > 0;
    const bool all = ridge <= 0 && (double)modes < samples;
    if (modes == 0 || (ridge <= 0 && (double)modes == samples))
        return (struct ub_eigenlearning){NAN, NAN, NAN, NAN};
    const double kappa = all ? 0 : find_kappa(values, count, samples, ridge);
    double left = noise_variance, degrees = 0;
    for (int64_t i = 0; i < count; i++) {
        const double learned = ub_learnability(values[i], kappa);
        left += (1 - learned) * (1 - learned) * squares[i];
        degrees += learned * learned;
    }
    const double overfitting = samples / (samples - degrees), test = overfitting * left;
    /* Least squares of M < n modes fit with n - M degrees of freedom: sqrt(train/test) = 1 - M/n is
     * the limit of delta/(n kappa) = 1 - sum L/n for small delta. */
    const double share = 1 - (all ? (double)modes : samples - ridge / kappa) / samples;
    return (struct ub_eigenlearning){kappa, overfitting, test, share * share * test};
}

double ub_isotropic_excess(int64_t samples, int64_t features, double signal, double noise_variance)
{
    const double n = (double)samples, p = (double)features;
    if (p < n - 1)
        return noise_variance * p / (n - p - 1);
    if (p > n + 1)
        return signal * (1 - n / p) + noise_variance * n / (p - n - 1);
    return noise_variance > 0 ? INFINITY : signal * fmax(0, 1 - n / p);
}
