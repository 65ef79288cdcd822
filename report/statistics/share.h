/* share.h - which share of systems lies between two bounds: of a population of which some were
 * drawn. All bounds are one-sided, at the confidence given. */
#ifndef UB_STATISTICS_SHARE_H
#define UB_STATISTICS_SHARE_H

#include "report/statistics/statistics.h"

/* Of `successes` in `n` independent draws: Clopper and Pearson (1934, Biometrika 26:404), exact for
 * any population; 0 and 1 for n = 0. */
double ub_share_low(size_t successes, size_t n, double confidence);
double ub_share_high(size_t successes, size_t n, double confidence);

/* Of so many successes or more, and of so many or fewer, where each draw is one with probability
 * `share`: p values whose bounds the above are. */
double ub_share_more_p(size_t successes, size_t n, double share);
double ub_share_fewer_p(size_t successes, size_t n, double share);

/* Of the share of N(mu, tau^2) that lies in [low, high] (ends may be infinite), where n systems'
 * values were drawn from it and measured with errors se: equally likely values in rising order, for
 * the tolerance bound of random-effects models. mu and tau have the fiducial distribution that the
 * pivots Q(tau^2) ~ chi squared, n - 1, and (mean - mu)/se(tau^2) ~ N(0, 1) give (generalized
 * confidence: Weerahandi 1993, JASA 88:899; for tolerance intervals Krishnamoorthy and Mathew 2009,
 * section 5). Sharper than counting for few systems, and only as good as the normal shape. None for
 * n < 2. */
struct ub_shares {
    size_t count;
    double *share;
};
struct ub_shares ub_shares_normal(const double *estimate, const double *se, size_t n, double low,
                                  double high);
void ub_shares_clear(struct ub_shares *shares);
/* The lower bound, and p of "the share is `share` or less"; 0 and 1 of none. */
double ub_shares_low(const struct ub_shares *shares, double confidence);
double ub_shares_p(const struct ub_shares *shares, double share);

/* The fewest draws of which the share `share` (as it was seen) would put ub_share_low above
 * `wanted`; 0 when none would. */
size_t ub_share_draws(double share, double wanted, double confidence);

#endif
