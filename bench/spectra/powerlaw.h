/* powerlaw.h - how a ranked spectrum decays: value_k = c k^-exponent, over a range chosen by a
 * stated rule, with an interval and the alternatives compared. */
#ifndef UB_POWERLAW_H
#define UB_POWERLAW_H

#include "base/base.h"

struct ub_powerlaw {
    double exponent, low, high; /* estimate and 95% interval, exponent -+ (noise + departure) */
    double noise;     /* half-width if all that bends the line is noise, correlated along ranks */
    double departure; /* of the local slope at either end of the range from the exponent */
    double prefactor;
    int64_t first, last; /* ranks fitted, from 1, inclusive */
    double r_squared;    /* in log-log */
    double bic_power, bic_exponential, bic_stretched, bic_lognormal; /* smaller is better */
    const char *best; /* "power", "exponential", "stretched", "log-normal", "none" */
    bool valid;       /* false: fewer than 5 positive values in range */
};
/* values: descending. Ranks from the first value on that is not positive and finite are left out.
 * first or last 0 = choose it, by this rule: of the ranges that
 *   - hold values above 2^-23 of the first one (single precision's rounding),
 *   - hold 5 ranks or more, the last at least 3 times the first,
 *   - bend by at most 1/2: the bend is the spread (largest less smallest) of the least-squares
 *     slopes of log value on log rank over the three thirds of the log-rank axis, divided by the
 *     slope over the whole,
 * the one with the greatest log(last/first) (1 - bend); the earlier of equals. So a pure power law
 * keeps all its ranks; outliers at the head and a drop at the tail are left out. When every range
 * bends more (an exponential, say), all ranks are fitted, and `best` says that another form fits
 * better.
 *
 * The interval. `noise` alone holds the exponent in 95% of draws (92 to 97% with 50 ranks) when the
 * range was given and logarithms are a line and autoregressive noise. Measured spectra are seldom
 * that: noise mixes ranks, a floor flattens the tail, few samples steepen it, and the rule above
 * tolerates such bends up to a point. A bias like these is no larger than the spread of local
 * slopes over the range, so `departure`, from the parabola through all logarithms, is added: the
 * worst case, not a deviation. Intervals then cover 95 to 100% of planted exponents under sorted
 * noise and in covariances of more samples than features, 90 to 100% above a floor and with fewer
 * samples. They cover 50 to 90% where a dozen noisy ranks are left, or where the law holds nowhere
 * in the spectrum: covariances of fewer samples than features, exponents of 1 or less. With more
 * features these get worse (400 features, 200 samples, exponent 0.7: 25%).
 * tests/test_powerlaw_coverage.c prints the table. For covariances of known numbers of samples,
 * powerlaw_covariance.h has an interval at the nominal rate, and several times shorter.
 * The forms that the BICs compare are defined in powerlaw.c. */
struct ub_powerlaw ub_powerlaw_fit(const double *values, int64_t n, int64_t first, int64_t last,
                                   uint64_t seed);

#endif
