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
    bool converged;         /* all that was asked for */
};

/* How exact: both are shares of max |value|, 0 where not asked. `tolerance` bounds residuals, for
 * those who want the vectors. `accuracy` is of the values alone, whose errors are of second order
 * in the residuals (ub_eigen_bounds, with gaps from the Ritz values). Since an eigenvalue that no
 * direction has met may lie in a gap, residuals must be within twice the accuracy, too. (Of an MLP
 * at the edge of stability, top 1 and 2 each 5 to 10 steps: within 3 times it 1% of values were off
 * by more than the accuracy, by up to 0.3%; within 10 times, 12% by up to 2.4%, for 18% fewer
 * products.) Of more than 8 pairs, and in a tracker's first call, accuracy is asked of residuals.
 */
struct ub_eigen_goal {
    double tolerance, accuracy;
    int64_t products; /* at most */
};

struct ub_eigen_tracker;
/* Follows the `top` largest (algebraic) eigenpairs of a slowly changing operator; all n of them
 * when top > n. Needs 5 top + 83 vectors of length n.  NULL unless 1 <= n <= INT_MAX and
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
struct ub_eigen_result ub_eigen_track_to(struct ub_eigen_tracker *t, const struct ub_operator *a,
                                         const struct ub_eigen_goal *goal);

/* Bounds on how far the largest `count` eigenvalues lie above their Ritz values (largest first),
 * from the lengths of the residuals and `next`, the largest eigenvalue on the complement of these
 * Ritz vectors. With theta the Ritz values of the first k, E their residuals and |E| <= e, every
 * eigenvalue lambda_i with gap = theta_i - next > 0 has, x = lambda_i - theta_i,
 *
 *     0 <= x <= e^2 / (x + gap),   so   x <= 2 e^2 / (gap + sqrt(gap^2 + 4 e^2)),
 *
 * since replacing the operator on the complement by its largest eigenvalue makes none smaller
 * (Kato 1949, doi:10.1143/JPSJ.4.334; Temple 1928; in this form Li and Li 2005, Linear Algebra and
 * its Applications 395:183). The least over all k from i on, for k < count with the same bound on
 * what lies below; the residual itself, within which some eigenvalue lies, where no gap is open.
 * Repeated eigenvalues are fine: they fall on one side of a cut. */
void ub_eigen_bounds(int64_t count, const double *value, const double *residual, double next,
                     double *bound);

/* Dense symmetric eigenvalues (LAPACK), ascending; `a` (n x n) is overwritten, with the
 * eigenvectors as rows when `vectors`. */
bool ub_eigen_dense(int64_t n, double *a, double *values, bool vectors, struct ub_error *err);

#endif
