/* share.h - which share of systems lies between two bounds: of a population of which some were
 * drawn. All bounds are one-sided, at the confidence given. */
#ifndef UB_STATISTICS_SHARE_H
#define UB_STATISTICS_SHARE_H

#include "report/statistics/statistics.h"

/* Of `successes` in `n` independent draws: Clopper and Pearson (1934, Biometrika 26:404), exact for
 * any population; 0 and 1 for n = 0. */
double ub_share_low(size_t successes, size_t n, double confidence);
double ub_share_high(size_t successes, size_t n, double confidence);

/* Lower bound of the share of N(mu, tau^2) that lies in [low, high] (ends may be infinite), where
 * n systems' values were drawn from it and measured with errors se: the tolerance bound of
 * random-effects models. mu and tau have the fiducial distribution that the pivots Q(tau^2) ~ chi
 * squared, n - 1, and (mean - mu)/se(tau^2) ~ N(0, 1) give (generalized confidence: Weerahandi
 * 1993, JASA 88:899; for tolerance intervals Krishnamoorthy and Mathew 2009, section 5). Sharper
 * than counting for few systems, and only as good as the normal shape. n >= 2, else 0. */
double ub_share_normal_low(const double *estimate, const double *se, size_t n, double low,
                           double high, double confidence);

/* The fewest draws of which the share `share` (as it was seen) would put ub_share_low above
 * `wanted`; 0 when none would. */
size_t ub_share_draws(double share, double wanted, double confidence);

#endif
