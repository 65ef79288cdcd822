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
    const char *best; /* "power", "exponential", "stretched", "log-normal" */
    bool valid;       /* false: fewer than 5 positive values in range */
};
/* values: descending. first/last 0 = choose: the rule is stated in powerlaw.c and README. */
struct ub_powerlaw ub_powerlaw_fit(const double *values, int64_t n, int64_t first, int64_t last,
                                   uint64_t seed);

#endif
