/* powerlaw.h - how a ranked spectrum decays: value_k = c k^-exponent, over a range chosen by a
 * stated rule, with an interval and the alternatives compared. */
#ifndef UB_POWERLAW_H
#define UB_POWERLAW_H

#include "base/base.h"

struct ub_powerlaw {
    double exponent, low, high; /* estimate and 95% interval */
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
 * The interval allows for correlation between neighboring ranks, not for the choice of the range;
 * it and the forms that the BICs compare are defined in powerlaw.c. */
struct ub_powerlaw ub_powerlaw_fit(const double *values, int64_t n, int64_t first, int64_t last,
                                   uint64_t seed);

#endif
