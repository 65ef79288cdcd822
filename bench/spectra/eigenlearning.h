/* eigenlearning.h - the test error of kernel ridge regression before it is trained: from the
 * kernel's eigenvalues over the population of inputs, and the target's coefficients.
 *
 * Of a kernel with eigenfunctions phi_i, E[phi_i phi_j] = [i = j], and eigenvalues l_i, and a
 * target sum_i v_i phi_i plus noise of variance s^2, n samples and a ridge delta added to the
 * kernel:
 *
 *     sum_i L_i + delta/kappa = n,  L_i = l_i/(l_i + kappa)     the learnabilities
 *     E0 = n/(n - sum_i L_i^2)                                  the overfitting coefficient
 *     test error = E0 (sum_i (1 - L_i)^2 v_i^2 + s^2)           mean square on fresh noisy targets
 *     train error = (delta/(n kappa))^2 test error
 *
 * (Simon, Dickens, Karkada and DeWeese 2021, arXiv:2110.03922; Bordelon, Canatar and Pehlevan 2020,
 * arXiv:2002.02561; Canatar, Bordelon and Pehlevan 2021, arXiv:2006.13198.) The theory takes
 * eigenfunctions for independent Gaussians and n for large: tests hold it against simulations.
 *
 * Of fewer modes than samples, M < n, and no ridge, kappa is 0 and all modes are learned: the
 * test error is s^2 n/(n - M). */
#ifndef UB_EIGENLEARNING_H
#define UB_EIGENLEARNING_H

#include <stdint.h>

struct ub_eigenlearning {
    double kappa, overfitting, test, train;
};
/* values: l_i, not positive counts as 0; squares: v_i^2. All NAN when there is no such predictor:
 * as many modes as samples without a ridge, where the error is infinite, or none at all. */
struct ub_eigenlearning ub_eigenlearning(const double *values, const double *squares, int64_t count,
                                         double samples, double ridge, double noise_variance);
double ub_learnability(double value, double kappa);

/* Excess risk of least squares, or of the interpolation of least norm, on isotropic Gaussian inputs
 * of p features, exact for any n and p: with signal r^2 = |w|^2 and noise variance s^2
 *
 *     s^2 p/(n - p - 1)                          for p < n - 1
 *     r^2 (1 - n/p) + s^2 n/(p - n - 1)          for p > n + 1
 *
 * and infinite between: s^2 E tr (X'X)^-1 or s^2 E tr (XX')^-1, each of an inverse Wishart matrix,
 * and what a random n-dimensional subspace leaves out. (Hastie, Montanari, Rosset and Tibshirani
 * 2019, arXiv:1903.08560, whose theorem 1 is the limit; Breiman and Freedman 1983, JASA 78; Belkin,
 * Hsu and Xu 2019, arXiv:1903.07571, theorem 1.) */
double ub_isotropic_excess(int64_t samples, int64_t features, double signal, double noise_variance);

#endif
