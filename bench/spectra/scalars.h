/* scalars.h - a spectrum in single numbers.
 *
 * values: eigenvalues of a positive semidefinite matrix in any order; for a weight matrix W, the
 * squares of its singular values, s = sum, m = largest. Values that are not positive count as 0.
 * When none is positive, as of a zero matrix, largest and trace are 0 and the others NAN; all are
 * NAN when one is not finite. */
#ifndef UB_SCALARS_H
#define UB_SCALARS_H

#include "base/base.h"

struct ub_scalars {
    double largest;             /* spectral norm of the matrix */
    double trace;               /* of W'W: the squared Frobenius norm of W */
    double stable_rank;         /* s/m (Rudelson and Vershynin 2007, arXiv:math/0503442) */
    double participation_ratio; /* s^2 / sum of squares: how many values carry the sum */
    double entropy_rank;        /* exp(-sum p log p), p = value/s (Roy and Vetterli 2007) */
    double log_norm;            /* log10 s */
    double log_spectral_norm;   /* log10 m */
};
struct ub_scalars ub_spectrum_scalars(const double *values, int64_t n);

/* Degrees of freedom of ridge regression, sum value/(value + ridge), ridge > 0 (Zhang 2005;
 * Hastie, Tibshirani, Friedman 2009, eq. 3.50). */
double ub_effective_dimension(const double *values, int64_t n, double ridge);

/* alpha-hat = alpha log10 m, and log10 sum value^alpha, which is near it (Martin, Peng, Mahoney
 * 2021, arXiv:2002.06716), alpha being the exponent of the density's tail (tail.h). Both move with
 * the scale of the values: WeightWatcher's are squared singular values, not divided by anything. */
double ub_alpha_hat(const double *values, int64_t n, double alpha);
double ub_log_alpha_norm(const double *values, int64_t n, double alpha);

#endif
