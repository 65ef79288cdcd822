/* statistics_systems.h - what verdicts over many systems of few runs each rest on.
 *
 *     struct ub_spread_prior prior = ub_spread_prior(variance, df, n);
 *     struct ub_spread s = ub_spread_moderated(&prior, variance[i], df[i]);
 *     // s.variance with s.df degrees of freedom: Student's t of system i
 */
#ifndef UB_STATISTICS_SYSTEMS_H
#define UB_STATISTICS_SYSTEMS_H

#include "base/base.h"

/* Where systems' variances come from: variance_i ~ scale F(df_i, df), as if each true one were
 * drawn from a scaled inverse chi squared with `df` degrees of freedom (Smyth 2004,
 * doi:10.2202/1544-6115.1027; the prior of limma). df = 0: nothing is known, each stands alone;
 * infinite: all are the same. */
struct ub_spread_prior {
    double scale, df;
    double pooled_df; /* of all systems together: no moderated variance claims more */
};

/* By the moments of log variances. Zeros are taken for 1e-5 of the median. Needs three variances
 * with df > 0; fewer give df = 0. */
struct ub_spread_prior ub_spread_prior(const double *variance, const double *df, size_t n);

struct ub_spread {
    double variance, df;
};
/* Posterior variance, its degrees of freedom the sum of both. With df = 0 it is the prior's alone;
 * NAN where that is unknown, too. */
struct ub_spread ub_spread_moderated(const struct ub_spread_prior *prior, double variance,
                                     double df);

#endif
