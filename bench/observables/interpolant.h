/* interpolant.h - the solutions w (d) of X w = y, X (n, d) by rows with n < d, that training of
 * small networks is implicitly biased to. */
#ifndef UB_OBSERVABLES_INTERPOLANT_H
#define UB_OBSERVABLES_INTERPOLANT_H

#include "base/base.h"

/* The one that minimizes
 *
 *     Q(w) = alpha^2 sum_i q(w_i/alpha^2),   q(z) = 2 - sqrt(4 + z^2) + z asinh(z/2):
 *
 * the limit of gradient flow on w = u^2 - v^2 from u = v = alpha (Woodworth et al. 2020,
 * arXiv:2002.09277, theorem 1). As q'(z) = asinh(z/2), the minimizer is w = 2 alpha^2 sinh(X'nu)
 * with X w = y: nu minimizes the convex 2 alpha^2 sum_i cosh(x_i'nu) - y'nu, x_i the columns of X,
 * here by Newton's method with halved steps (alpha down to 1e-12). False when X w = y is not
 * reached to 1e-10 |y|: rows that depend on each other, or n > d. */
bool ub_hyperbolic_interpolant(int64_t n, int64_t d, const double *X, const double *y, double alpha,
                               double *w);
/* The shortest, X'(XX')^-1 y: its limit as alpha grows. */
bool ub_shortest_interpolant(int64_t n, int64_t d, const double *X, const double *y, double *w);

#endif
