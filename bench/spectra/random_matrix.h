/* random_matrix.h - what the eigenvalues of pure noise look like, and which ones stand out of it.
 *
 * Convention: W is n x p with independent entries of mean 0 and variance v; the values are the p
 * eigenvalues of W'W/n; aspect q = p/n (above 1: a share 1 - 1/q of them is 0).
 *
 *     const double v = ub_mp_variance(values, p, q);           // from the bulk
 *     const double edge = ub_noise_edge(n, p, v, 0.01);        // 1% of noise matrices exceed it
 *     int64_t outliers = ub_count_above(values, p, edge); */
#ifndef UB_RANDOM_MATRIX_H
#define UB_RANDOM_MATRIX_H

#include "base/base.h"

/* ---- Marchenko-Pastur: n, p to infinity ---- */

/* Edges v (1 -+ sqrt q)^2. */
double ub_mp_lower(double aspect, double variance);
double ub_mp_upper(double aspect, double variance);
/* Density of the continuous part; it integrates to min(1, 1/aspect). */
double ub_mp_density(double x, double aspect, double variance);
/* Share of all p eigenvalues at or below x, those that are 0 (aspect > 1) included; closed form. */
double ub_mp_cdf(double x, double aspect, double variance);
double ub_mp_quantile(double share, double aspect, double variance);

/* The variance of the noise by median matching (Gavish and Donoho 2014, arXiv:1305.5870): median of
 * the values over the median of the law at variance 1. A few outliers hardly move it. `values`: all
 * p, in any order, or their min(n, p) largest, by `aspect`; NAN when there is none or the median is
 * not positive and finite. For aspect > 1 medians are of the values that are not 0. */
double ub_mp_variance(const double *values, int64_t count, double aspect);

/* ---- Tracy-Widom, beta = 1: fluctuations of the largest eigenvalue ---- */

/* F1(s) = det(1 - B) on (0, inf), B(x, y) = Ai(x + y + s) (Ferrari and Spohn 2005,
 * arXiv:math-ph/0505012), the determinant by Gauss-Legendre quadrature (Bornemann 2010,
 * arXiv:0804.2543). Error below 1e-13; 0 below s = -12, where F1 < 1e-31. */
double ub_tracy_widom_cdf(double s);
double ub_tracy_widom_quantile(double probability); /* in (0, 1), else NAN; error below 1e-10 */

/* What the largest eigenvalue of W'W/n exceeds with probability `level` when W is n x p noise
 * (Johnstone 2001, doi:10.1214/aos/1009210544): (mu + sigma F1^-1(1 - level)) v/n with
 * mu = (sqrt(n-1) + sqrt p)^2, sigma = (sqrt(n-1) + sqrt p)(1/sqrt(n-1) + 1/sqrt p)^(1/3).
 * n >= 2, p >= 1. */
double ub_noise_edge(int64_t n, int64_t p, double variance, double level);

/* Where population eigenvalue `spike` v > v puts the sample's, for a spike that is separate from
 * the bulk, spike > 1 + sqrt q (Baik, Ben Arous, Peche 2005, arXiv:math/0403022; Baik and
 * Silverstein 2006): v spike (1 + q/(spike - 1)); NAN for one that drowns in it. */
double ub_spike_place(double spike, double aspect, double variance);

/* ---- outliers ---- */

int64_t ub_count_above(const double *values, int64_t n, double edge);

/* The largest gap of log value among the leading `most` + 1 of descending positive values: `count`
 * values are before it, ratio = value[count] / value[count + 1] (ranks from 1). count 0: fewer than
 * 2 positive values. Every spectrum has a largest gap: judge by the ratio. */
struct ub_gap {
    int64_t count;
    double ratio;
};
struct ub_gap ub_largest_gap(const double *values, int64_t n, int64_t most);

/* Outliers in words of the number of classes C (Papyan 2020, arXiv:2008.11865): "none", "C - 1",
 * "C" (class means), "C^2" (with cross-class means), "C (C - 1)"; else "fewer than C - 1" or "more
 * than C". For C < 2: "no classes". */
const char *ub_outliers_in_classes(int64_t outliers, int64_t classes);

#endif
