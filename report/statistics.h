/* statistics.h - the estimates and tests that verdicts and comparisons rest on. Distribution
 * functions come from GSL. Every interval states its level and the n behind it. */
#ifndef UB_STATISTICS_H
#define UB_STATISTICS_H

#include "base/base.h"

struct ub_interval {
    double estimate, low, high; /* 95% unless said otherwise */
    double se;
    double n_effective; /* independent samples the data are worth */
    size_t n;
};

double ub_mean(const double *x, size_t n);               /* compensated */
double ub_deviation(const double *x, size_t n);          /* sample (n-1), Welford */
double ub_quantile(const double *x, size_t n, double q); /* type 7, x unsorted */
double ub_median(const double *x, size_t n);

/* Mean of an autocorrelated series: integrated autocorrelation time by Geyer's initial positive
 * sequence (Geyer 1992); t interval on n/tau effective samples. */
struct ub_interval ub_series_mean(const double *x, size_t n);

struct ub_meta {             /* random-effects meta-analysis over systems */
    struct ub_interval mean; /* Hartung-Knapp-Sidik-Jonkman interval */
    double tau;              /* between-system standard deviation (Paule-Mandel) */
    double i_squared;
    struct ub_interval prediction; /* where a new system's value is expected */
};
struct ub_meta ub_random_effects(const double *estimate, const double *se, size_t n);

/* Two one-sided tests: p of "the mean lies within target +- margin" (Schuirmann 1987). */
double ub_equivalence_p(double mean, double se, double df, double target, double margin);

/* Share of variance (eta squared, adjusted to omega squared, floored at 0) that grouping x by
 * `group` explains. */
double ub_variance_share(const double *x, const int *group, size_t n);

double ub_rank_sum_p(const double *a, size_t na, const double *b, size_t nb); /* two-sided, exact
                                                                               for small n */
double ub_welch_p(const double *a, size_t na, const double *b, size_t nb);
void ub_benjamini_hochberg(const double *p, size_t n, double *q);

#endif
