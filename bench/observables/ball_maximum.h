/* ball_maximum.h - generalized sharpness: the largest d'Hd over the unit ball of a norm (Islamov et
 * al. 2026, arXiv:2603.05002); private to this folder.
 *
 *     struct ub_ball_maximum *m = ub_ball_maximum_new(ball);
 *     struct ub_ball_result r = ub_ball_maximize(m, &hessian, &effort);   // warm start next time
 *
 * Block and Euclidean norms are solved as eigenproblems: the top eigenvalue of the diagonal blocks
 * of H, with its residual as error. That is the maximum over directions in which greedy block
 * coordinate descent steps; over the whole ball, too, where H is positive semidefinite.
 *
 * Elsewhere the problem has many local maxima, and finding the best is NP-hard for the maximum
 * norm. Frank and Wolfe's method goes from d towards v, the oracle's answer to Hd, as far as d'Hd
 * grows (all the way where v - d is a direction of positive curvature, which makes it a power
 * iteration: Journee et al. 2010, JMLR 11), until the gap |Hd|_* - d'Hd, which bounds what is left
 * to first order, is small. It starts from `starts` random points of the ball and from the
 * maximizer of the last call. The value is attained, so a lower bound of the maximum; the spread
 * over the starts of this call is its error: of the best from the worst local maximum met. */
#ifndef UB_OBSERVABLES_BALL_MAXIMUM_H
#define UB_OBSERVABLES_BALL_MAXIMUM_H

#include "bench/spectra/operator.h"
#include "systems/ball.h"

struct ub_ball_effort {
    int64_t starts;   /* random ones, >= 1; the warm start comes on top */
    double tolerance; /* of the gap (eigenproblems: the residual) relative to the value */
    int64_t products; /* with H, in all */
};
struct ub_ball_result {
    double value, error;     /* NAN where a product was not finite */
    const double *direction; /* |d| <= 1; valid until the next call */
    int64_t products;
    bool converged;
};

struct ub_ball_maximum;
/* The ball must outlive it. Random starts come from the stream (0, "generalized-sharpness"). */
struct ub_ball_maximum *ub_ball_maximum_new(const struct ub_ball *ball);
void ub_ball_maximum_free(struct ub_ball_maximum *m);
struct ub_ball_result ub_ball_maximize(struct ub_ball_maximum *m, const struct ub_operator *h,
                                       const struct ub_ball_effort *effort);

#endif
