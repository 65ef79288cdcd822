/* statistics.h - the estimates and tests that verdicts and comparisons rest on. Distribution
 * functions come from GSL. Every interval states its level and the n behind it.
 *
 *     struct ub_interval plateau = ub_series_mean(rho, n);   // oscillating, autocorrelated
 *     printf("%.3f [%.3f, %.3f]\n", plateau.estimate, plateau.low, plateau.high);
 *
 * Too few data give NAN, never an abort; an infinitely wide interval has NAN ends. */
#ifndef UB_STATISTICS_H
#define UB_STATISTICS_H

#include "base/base.h"

struct ub_interval {
    double estimate, low, high; /* 95% unless said otherwise */
    double se;
    double n_effective; /* independent samples whose interval is as well known: its degrees of
                           freedom and one */
    size_t n;
};

double ub_mean(const double *x, size_t n);               /* compensated; NAN for n = 0 */
double ub_deviation(const double *x, size_t n);          /* sample (n-1), Welford; NAN for n < 2 */
double ub_quantile(const double *x, size_t n, double q); /* type 7, x unsorted */
double ub_median(const double *x, size_t n);

/* Mean of an autocorrelated series, one of n >= 2 evenly spaced values, with an interval that
 * covers it in 90% of the cases or more where 95% is stated, even when the series is no longer than
 * the process remembers; ten points of such a one give an interval several deviations wide. Slower
 * processes it cannot see. Method, sources and measured coverage: statistics_series.c. The interval
 * is estimate +- t(0.975; n_effective - 1) se. A constant series has se 0. */
struct ub_interval ub_series_mean(const double *x, size_t n);

/* Mean of independent values with Student's interval (n >= 2). */
struct ub_interval ub_sample_mean(const double *x, size_t n);

struct ub_meta {             /* random-effects meta-analysis over systems */
    struct ub_interval mean; /* Hartung-Knapp-Sidik-Jonkman interval */
    double tau;              /* between-system standard deviation (Paule-Mandel) */
    /* Its 95% interval: Q profile (Viechtbauer 2007, doi:10.1002/sim.2514); n >= 2. */
    double tau_low, tau_high;
    double i_squared;
    double q, q_p; /* Cochran's Q, and its p when all systems are the same: chi squared, n - 1 */
    struct ub_interval prediction; /* where a new system's value is expected (n >= 3) */
};
struct ub_meta ub_random_effects(const double *estimate, const double *se, size_t n);

/* A value y of some system in some cluster, as an exponent of a network on a data set; x is the
 * cluster's: its points have the same x and x_se. */
struct ub_point {
    double x, x_se, y;
    int group, cluster; /* groups: kinds of systems, >= 0; clusters: >= 0 */
};
struct ub_slope {
    /* Of y on x within groups (each with its own level), corrected for errors in x by moments
     * (Fuller 1987, Measurement Error Models), points weighted by 1/(x_se^2 + (spread/10)^2), the
     * spread being that of x; 95% interval: jackknife over clusters, Student's t on their number
     * less two, of 4 or more. NAN where errors are half the spread of x or more. n: points that
     * are used, those of groups in more than one cluster. */
    struct ub_interval slope;
    double reliability; /* share of x's sum of squares within groups that is not error */
    /* Spearman's rank correlation over all points; 95% percentile interval of a bootstrap over
     * clusters (999 replicates; 4 clusters or more). */
    struct ub_interval spearman;
    size_t n_clusters;
};
struct ub_slope ub_slope_within(const struct ub_point *points, size_t n);

/* Quantile of Student's t: 0.975 gives the half-width of a 95% interval. df > 0. */
double ub_t_quantile(double probability, double df);
/* One-sided p of t or larger. */
double ub_t_upper_p(double t, double df);
/* Probability of t or smaller with a whole number of degrees of freedom, 1 or more, by the finite
 * sums of Abramowitz and Stegun 1964, 26.7.3 and 26.7.4: within 1e-14, absolutely, of the
 * incomplete beta function's, fifty times as fast. */
double ub_t_lower_p(double t, size_t df);

/* Two one-sided tests: p of "the mean lies within target +- margin" (Schuirmann 1987,
 * doi:10.1007/BF01068419). */
double ub_equivalence_p(double mean, double se, double df, double target, double margin);

/* Kendall's tau of x with its order, ties as neither (tau a; Kendall 1938,
 * doi:10.1093/biomet/30.1-2.81): of all pairs, the share that rises less the share that falls. A
 * pair no farther apart than bound[i] + bound[j] is a tie; bound = NULL: only equal values are. NAN
 * for n < 2. */
double ub_kendall(const double *x, const double *bound, size_t n);

/* Share of variance (eta squared, adjusted to omega squared, floored at 0) that grouping x by
 * `group` explains; NAN when no group has two members. */
double ub_variance_share(const double *x, const int *group, size_t n);

/* Median of independent values, whatever their distribution, with the interval between two of them
 * that holds it with 95% probability or more: order statistics (David and Nagaraja 2003, section
 * 7.1). Fewer than 6 values have NAN ends. */
struct ub_interval ub_median_interval(const double *x, size_t n);
/* Two-sided p of "the median is within +- margin": the sign test, of those beyond it on either side
 * (Dixon and Mood 1946, doi:10.1080/01621459.1946.10501898). */
double ub_sign_p(const double *x, size_t n, double margin);

/* Wilcoxon-Mann-Whitney, two-sided. Exact (ties included: midranks, all splits equally likely)
 * for up to 60 values in all; beyond, normal with tie and continuity correction. */
double ub_rank_sum_p(const double *a, size_t na, const double *b, size_t nb);
/* Welch's t test, two-sided; NAN unless both sides have two values. */
double ub_welch_p(const double *a, size_t na, const double *b, size_t nb);
/* Adjusted p values (Benjamini and Hochberg 1995); NANs stay NAN and do not count as tests. */
void ub_benjamini_hochberg(const double *p, size_t n, double *q);

/* The smallest true difference of two means that a two-sided 5% t test finds with 80% power, for
 * a spread `deviation` known from `df` degrees of freedom. */
double ub_detectable_difference(double deviation, double df, size_t na, size_t nb);

#endif
