/* hard_margin.h - the largest margin that any direction has, and how gradient flow comes to it;
 * private to this folder. Constraints are rows c_i of which the margin is min_i c_i . w / |w|.
 *
 * The point of least norm z = sum_i lambda_i c_i of their convex hull (lambda >= 0 and of sum 1) is
 * the margin times the direction that has it; the margin is |z|, and 0 where no direction has a
 * positive one. Rows with lambda_i > 0 support it: c_i . z = |z|^2, the others' are larger.
 *
 * Gradient flow on mean_i of losses that come to exp(-c_i . w) tends to (Soudry et al. 2018,
 * arXiv:1710.10345, theorems 3 and 4)
 *
 *     w(t) = v ln t + u + o(1),   v = z/|z|^2 = sum_i a_i c_i,   exp(-c_i . u) = n a_i
 *
 * for the support's i, n the number of losses in the mean: it fixes u within the span of the
 * support. (For p rows a sample, a sum of exponentials, n is the number of samples.) */
#ifndef UB_OBSERVABLES_HARD_MARGIN_H
#define UB_OBSERVABLES_HARD_MARGIN_H

#include <stdbool.h>
#include <stdint.h>

struct ub_hard_margin {
    double margin; /* 0: none */
    int64_t count;
    double *lambda; /* count; NULL until solved */
    /* |v ln t + u|^2 = square (ln t)^2 + 2 cross ln t + offset, u within the support's span; NAN
     * where the support's rows are linearly dependent. */
    double square, cross, offset;
};

/* Of m rows with Gram matrix G (m x m), the mean being over n losses. By the active set method of
 * Lawson and Hanson 1974 (chapter 23) for non-negative least squares, which ends at the exact
 * solution; false where it did not in 100 m steps. */
bool ub_hard_margin_solve(int64_t m, const double *G, int64_t n, struct ub_hard_margin *out);
void ub_hard_margin_clear(struct ub_hard_margin *h);
double ub_hard_margin_norm(const struct ub_hard_margin *h, double time); /* |v ln t + u| */

#endif
