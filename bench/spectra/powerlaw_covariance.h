/* powerlaw_covariance.h - the exponent of a population's spectrum from a sample covariance's.
 *
 * Eigenvalues of a sample covariance are spread about the population's, the more so the fewer
 * samples, and a line through their logarithms (powerlaw.h) has the wrong slope. Here the slope is
 * held against those of simulated covariances instead.
 *
 * Assumed: samples are independent and normal (or mix so many independent parts that their
 * eigenvalues behave so), and the population's eigenvalues are c k^-exponent at all ranks
 * k = 1..features; only ranks first..last of the sample's are looked at, but the samples' noise
 * there comes from all. Features with heavy tails make the interval too narrow. */
#ifndef UB_POWERLAW_COVARIANCE_H
#define UB_POWERLAW_COVARIANCE_H

#include "base/base.h"

struct ub_population {
    double exponent, low, high; /* estimate and 95% interval */
    int64_t first, last;        /* ranks used, from 1, inclusive */
    bool valid; /* false: fewer than 5 positive values in range, or no exponent in (0, 6) fits */
};

struct ub_sampling {
    int64_t features; /* of the population */
    int64_t freedom;  /* samples; less 1 where their mean was taken off */
    int64_t first;    /* 0: 1 */
    int64_t last;     /* 0: half of min(features, freedom), where sample eigenvalues are stablest */
    int64_t batches;  /* b: 40 b - 1 simulations; 0 = 1. More steady the ends, not the rate. */
};

/* values: n eigenvalues of the sample covariance, descending, n up to min(features, freedom). The
 * scale does not matter. The interval is Monte Carlo inversion of a test (Dufour 2006,
 * doi:10.1016/j.jeconom.2005.06.007): each simulation, with its random numbers held fixed, has one
 * exponent at which its slope equals the measured one; the b-th smallest and b-th largest of these
 * hold the truth with probability 95% exactly, however few simulations, where the assumptions
 * hold (and slopes rise with the exponent, which they do). The estimate is their median.
 * Cost: 80 b spectra of size m = min(features, freedom). Memory: (2 features + m) m doubles. */
struct ub_population ub_powerlaw_population(const double *values, int64_t n,
                                            const struct ub_sampling *sampling, uint64_t seed);

#endif
