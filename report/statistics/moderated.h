/* statistics_moderated.h - tests of many small samples at once, each helped by the others.
 *
 *     struct ub_variance_prior prior = ub_variance_prior_fit(variance, df, n);  // one a system
 *     struct ub_variance v = ub_variance_moderated(&prior, variance[i], df[i]);
 *     double p = ub_beyond_p(difference, sqrt(v.value * (1.0 / na + 1.0 / nb)), v.df, margin);
 *
 * Two or three seeds cannot tell a spread, and systems' spreads differ by orders of magnitude, so
 * neither each alone nor one pooled spread will do. The model (Smyth 2004,
 * doi:10.2202/1544-6115.1027):
 *
 *     system i's true variance   1/sigma_i^2 ~ chi^2(d0) / (d0 s0^2)     the prior
 *     what was seen of it        s_i^2 | sigma_i^2 ~ sigma_i^2 chi^2(d_i) / d_i
 *     moderated variance         (d0 s0^2 + d_i s_i^2) / (d0 + d_i)      with d0 + d_i degrees of
 * freedom
 *
 * d0 is how much the systems are alike: 0, each for itself; infinite, one variance for all. */
#ifndef UB_STATISTICS_MODERATED_H
#define UB_STATISTICS_MODERATED_H

#include "base/base.h"

struct ub_variance_prior {
    double df;        /* d0; HUGE_VAL: variances do not differ beyond chance; 0: nothing is known */
    double variance;  /* s0^2 */
    double pooled_df; /* of all the variances it was fitted to: no test may claim more */
    size_t n;         /* how many those were */
};
/* By the moments of log variances (Smyth 2004, section 6.2), but d0 at the lower end of its
 * one-sided 95% interval: from thirty systems of two seeds each the estimate itself is infinite as
 * often as not, and would have every system trust the others. Variances of 0, of no degrees of
 * freedom and NANs are left out; with fewer than two left d0 = 0. */
struct ub_variance_prior ub_variance_prior_fit(const double *variance, const double *df, size_t n);

struct ub_variance {
    double value, df; /* NAN and 0 when nothing is known */
};
/* `df` = 0: no variance of its own, the prior's stands for it. */
struct ub_variance ub_variance_moderated(const struct ub_variance_prior *prior, double variance,
                                         double df);

/* Two-sided p of "the true difference is at most `margin`, either way": Student's t of a difference
 * whose standard error is known from `df` degrees of freedom (HUGE_VAL: normal), largest at the
 * margin (McCarthy and Smyth 2009, doi:10.1093/bioinformatics/btp053). margin 0: the t test. */
double ub_beyond_p(double difference, double se, double df, double margin);
/* The smallest true difference for which p < level with 80% probability. */
double ub_beyond_detectable(double se, double df, double margin, double level);

/* Two-sided p of k_a of n_a against k_b of n_b, for shares that are 0 or 1 in most systems and
 * nobody knows how in the rest: an upper bound for every distribution of the share p over systems
 * that has two runs of one system disagree with probability `disagreement` = E[2 p (1 - p)]. With
 * f(p) = P(shares differ as much | p), E[f] <= E[p (1 - p)] max f(p) / (p (1 - p)): Markov's
 * inequality. Three against none of three: disagreement / 16. */
double ub_split_p(size_t k_a, size_t n_a, size_t k_b, size_t n_b, double disagreement);

#endif
