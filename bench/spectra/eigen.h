/* eigen.h - eigenvalues of symmetric operators known only through their products.
 *
 *     struct ub_eigen_tracker *t = ub_eigen_tracker_new(n, 2);
 *     struct ub_eigen_result r = ub_eigen_track(t, &hessian, 1e-3, 200);   // warm start next time
 *     printf("%g +- %g in %lld products\n", r.value[0], r.residual[0], (long long)r.products);
 */
#ifndef UB_EIGEN_H
#define UB_EIGEN_H

#include "bench/spectra/operator.h"

struct ub_eigen_result {
    int64_t count;          /* eigenvalues found, largest first */
    const double *value;    /* owned by the tracker, valid until its next call */
    const double *residual; /* |A u - value u| for unit u: an eigenvalue lies within this */
    const double *vectors;  /* count x n, orthonormal */
    int64_t products;       /* operator-vector products spent */
    bool converged;         /* every residual <= tolerance * max |value| */
};

struct ub_eigen_tracker;
/* Follows the `top` largest (algebraic) eigenpairs of a slowly changing operator; all n of them
 * when top > n. Needs 5 top + 81 vectors of length n.  NULL unless 1 <= n <= INT_MAX and
 * top >= 1. Repeated eigenvalues: the first call sees all copies when top <= 8. Beyond, it sees 4
 * copies for sure, and all when it meets an invariant subspace (low rank, a tight tolerance). */
struct ub_eigen_tracker *ub_eigen_tracker_new(int64_t n, int64_t top);
void ub_eigen_tracker_free(struct ub_eigen_tracker *t);
/* Converged: every residual <= tolerance * max |value|, or at rounding level of the operator.
 * Otherwise the pairs are the best of max_products, or of fewer where residuals stay at the size of
 * the products' own errors (f32 under a loss near 0), with their residuals. A product that is not
 * finite ends the call with count 0; what was known before is kept for the next call. */
struct ub_eigen_result ub_eigen_track(struct ub_eigen_tracker *t, const struct ub_operator *a,
                                      double tolerance, int64_t max_products);

/* Dense symmetric eigenvalues (LAPACK), ascending; `a` (n x n) is overwritten, with the
 * eigenvectors as rows when `vectors`. */
bool ub_eigen_dense(int64_t n, double *a, double *values, bool vectors, struct ub_error *err);

#endif
