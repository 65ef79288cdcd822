/* powerlaw.c - the exponent of a ranked spectrum with an honest interval.
 *
 * The exponent is the least-squares slope of log value on log rank. Its interval allows for the
 * correlation of neighboring ranks (sorted values cannot jump, and eigenvalues repel): a bare
 * least-squares error would be several times too small. It is an autoregressive sieve bootstrap
 * (Buhlmann 1997, Bernoulli 3, doi:10.2307/3318584) of order one: residuals are modeled as
 * u_k = rho u_{k-1} + e_k with rho corrected for small-sample bias, new series are made from
 * resampled e_k, and each is refitted: the 95% quantile of |slope / its own autoregressive standard
 * error|, times the error of the real residuals, is the half-width `noise`. Dividing by each
 * series' own error lets the interval widen for rho being unknown when ranks are few and rho is
 * large.
 *
 * `departure` is the larger of |local slope - slope| at the range's two ends, the local slope being
 * that of the least-squares parabola. Added to `noise` it bounds a bias that the parabola shows, in
 * the manner of Armstrong and Kolesar (2018, doi:10.3982/ECTA14434): noise about the worst bias.
 *
 * The forms compared, all on log value with normal errors, r_k = residual of log value:
 *     power        log v = a - e log k                     2 coefficients
 *     exponential  log v = a - k/t                         2
 *     stretched    log v = a - (k/t)^b, 0.05 <= b <= 1     3
 *     log-normal   log v = a - e log k - c (log k)^2       3
 *     BIC = m log(sum r_k^2 / n) + p log m
 * with m = n (1 - rho)/(1 + rho), between 5 and n, the number of independent points among n
 * correlated ones; rho is that of the form with the least sum of squares. */
#include "bench/spectra/powerlaw.h"
#include "bench/spectra/powerlaw_models.h"
#include "bench/spectra/powerlaw_range.h"

#include <math.h>
#include <stdlib.h>

enum { REPLICATES = 999, LINE = 2 };

/* ---- the interval ---- */

/* weight[i] dotted with a series of residuals is their least-squares slope on log rank. */
static void slope_weights(int64_t n, int64_t first, double *weight)
{
    double mean = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        mean += log((double)(first + i)) / (double)n;
    for (int64_t i = 0; i < n; i++) {
        weight[i] = log((double)(first + i)) - mean;
        squares += weight[i] * weight[i];
    }
    for (int64_t i = 0; i < n; i++)
        weight[i] /= squares;
}

/* Standard error of the slope, from the residuals of a line: with u_k = rho u_{k-1} + e_k, the
 * variance of sum w_k u_k is var(u) (sum w_k^2 + 2 sum_k w_k sum_{j<k} rho^(k-j) w_j). */
static double slope_error(const double *residuals, const double *weight, int64_t n)
{
    const double rho = ub_lag_one(residuals, n, LINE);
    double innovation = 0, sum = 0, past = 0;
    for (int64_t i = 0; i < n; i++) {
        const double e = i ? residuals[i] - rho * residuals[i - 1] : 0;
        innovation += e * e;
        past = i ? rho * (past + weight[i - 1]) : 0;
        sum += weight[i] * (weight[i] + 2 * past);
    }
    const double variance = innovation / ((double)(n - LINE) * (1 - rho * rho));
    return sqrt(fmax(variance * sum, 0));
}

/* Centered innovations e_k of the residuals, n - 1 of them. */
static void innovations(const double *residuals, int64_t n, double rho, double *out)
{
    double mean = 0;
    for (int64_t i = 1; i < n; i++) {
        out[i - 1] = residuals[i] - rho * residuals[i - 1];
        mean += out[i - 1] / (double)(n - 1);
    }
    for (int64_t i = 0; i < n - 1; i++)
        out[i] -= mean;
}

/* A series of resampled innovations, less its own line; returns that line's slope. The first value
 * is scaled to the stationary deviation. `weight` is proportional to centered log rank. */
static double resample(struct ub_random *random, const double *shocks, double rho,
                       const double *weight, int64_t n, double *series)
{
    double slope = 0, mean = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const double shock = shocks[ub_random_below(random, n - 1)];
        series[i] = i ? rho * series[i - 1] + shock : shock / sqrt(1 - rho * rho);
        slope += weight[i] * series[i];
        mean += series[i] / (double)n;
        squares += weight[i] * weight[i];
    }
    for (int64_t i = 0; i < n; i++)
        series[i] -= mean + slope * weight[i] / squares;
    return slope;
}

static int compare_reals(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double half_width(const double *residuals, int64_t n, int64_t first, uint64_t seed)
{
    const double rho = ub_lag_one(residuals, n, LINE);
    struct ub_random random = ub_random_stream(seed, "power law");
    double *weight = ub_calloc((size_t)n, sizeof *weight);
    double *shocks = ub_calloc((size_t)n, sizeof *shocks);
    double *series = ub_calloc((size_t)n, sizeof *series);
    double ratio[REPLICATES];
    slope_weights(n, first, weight);
    innovations(residuals, n, rho, shocks);
    for (int r = 0; r < REPLICATES; r++) {
        const double slope = resample(&random, shocks, rho, weight, n, series);
        const double error = slope_error(series, weight, n);
        ratio[r] = error > 0 ? fabs(slope) / error : 0;
    }
    const double error = slope_error(residuals, weight, n);
    ub_free(series);
    ub_free(shocks);
    ub_free(weight);
    qsort(ratio, REPLICATES, sizeof *ratio, compare_reals);
    return error * ratio[(int)(0.95 * (REPLICATES + 1)) - 1];
}

/* How far from a line's slope that of a parabola is at the ends of the range, at most; both were
 * fitted to the same values, and their residuals' difference is a parabola, which three of its
 * points give. */
static double departure(const double *line, const double *parabola, int64_t n, int64_t first)
{
    double x[3], d[3];
    for (int i = 0; i < 3; i++) {
        const int64_t at = i * (n - 1) / 2;
        x[i] = log((double)(first + at));
        d[i] = line[at] - parabola[at];
    }
    const double left = (d[1] - d[0]) / (x[1] - x[0]), right = (d[2] - d[1]) / (x[2] - x[1]);
    const double curvature = (right - left) / (x[2] - x[0]);
    const double head = left - curvature * (x[1] - x[0]), tail = right + curvature * (x[2] - x[1]);
    return fmax(fabs(head), fabs(tail));
}

/* ---- the comparison ---- */

static void compare_forms(const double *residuals, const double *squares, int64_t n,
                          struct ub_powerlaw *fit)
{
    static const char *const names[UB_DECAYS] = {"power", "exponential", "stretched", "log-normal"};
    double bic[UB_DECAYS];
    int closest = 0, best = 0;
    for (int i = 1; i < UB_DECAYS; i++)
        if (squares[i] < squares[closest])
            closest = i;
    const double rho = ub_lag_one(residuals + closest * n, n, ub_decay_parameters(closest));
    const double m = fmax((double)n * fmin((1 - rho) / (1 + rho), 1), 5);
    for (int i = 0; i < UB_DECAYS; i++) {
        /* exact data: all below this is rounding, where the fewer coefficients win */
        const double variance = fmax(squares[i] / (double)n, 1e-24);
        bic[i] = m * log(variance) + ub_decay_parameters(i) * log(m);
        if (bic[i] < bic[best])
            best = i;
    }
    fit->bic_power = bic[UB_DECAY_POWER];
    fit->bic_exponential = bic[UB_DECAY_EXPONENTIAL];
    fit->bic_stretched = bic[UB_DECAY_STRETCHED];
    fit->bic_lognormal = bic[UB_DECAY_LOGNORMAL];
    fit->best = names[best];
}

/* ---- the fit ---- */

static struct ub_powerlaw no_fit(void)
{
    return (struct ub_powerlaw){.exponent = NAN,
                                .low = NAN,
                                .high = NAN,
                                .noise = NAN,
                                .departure = NAN,
                                .prefactor = NAN,
                                .r_squared = NAN,
                                .bic_power = NAN,
                                .bic_exponential = NAN,
                                .bic_stretched = NAN,
                                .bic_lognormal = NAN,
                                .best = "none"};
}

static void fit_power(const double *y, int64_t n, double squares, struct ub_powerlaw *fit)
{
    double *weight = ub_calloc((size_t)n, sizeof *weight);
    double slope = 0, mean = 0, mean_x = 0, total = 0;
    slope_weights(n, fit->first, weight);
    for (int64_t i = 0; i < n; i++) {
        slope += weight[i] * y[i];
        mean += y[i] / (double)n;
        mean_x += log((double)(fit->first + i)) / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        total += (y[i] - mean) * (y[i] - mean);
    ub_free(weight);
    fit->exponent = -slope;
    fit->prefactor = exp(mean - slope * mean_x);
    fit->r_squared = total > 0 ? 1 - squares / total : 1;
}

struct ub_powerlaw ub_powerlaw_fit(const double *values, int64_t n, int64_t first, int64_t last,
                                   uint64_t seed)
{
    struct ub_powerlaw fit = no_fit();
    if (!ub_powerlaw_range(values, n, &first, &last))
        return fit;
    fit.first = first;
    fit.last = last;
    const int64_t count = last - first + 1;
    double *y = ub_calloc((size_t)count, sizeof *y);
    double *residuals = ub_calloc((size_t)count, UB_DECAYS * sizeof *residuals);
    double squares[UB_DECAYS];
    for (int64_t i = 0; i < count; i++)
        y[i] = log(values[first - 1 + i]);
    ub_decay_fits(y, count, first, residuals, squares);
    fit_power(y, count, squares[UB_DECAY_POWER], &fit);
    const double *line = residuals + UB_DECAY_POWER * count;
    fit.noise = half_width(line, count, first, seed);
    fit.departure = departure(line, residuals + UB_DECAY_LOGNORMAL * count, count, first);
    fit.low = fit.exponent - (fit.noise + fit.departure);
    fit.high = fit.exponent + (fit.noise + fit.departure);
    compare_forms(residuals, squares, count, &fit);
    fit.valid = true;
    ub_free(residuals);
    ub_free(y);
    return fit;
}
