/* norm_family.h - descent over the unit ball of a norm without momentum: with d the ball's oracle,
 * <g, d> = |g|_* the dual norm,
 *
 *     theta <- theta - lr |g|_* d      steepest descent, `scaled`
 *     theta <- theta - lr d            steps of one length lr
 *
 * Edge. On a quadratic the first changes the loss by -lr |g|_*^2 (1 - (lr/2) d'Hd), and with
 * S = max d'Hd over the ball, the generalized sharpness, every step descends where S < 2/lr; above,
 * the steps ascend whose d comes near the maximizer. The second is the first with the rate
 * lr/|g|_*: S/|g|_* at 2/lr. (Islamov et al. 2026, arXiv:2603.05002.) */
#ifndef UB_OPTIMIZERS_NORM_FAMILY_H
#define UB_OPTIMIZERS_NORM_FAMILY_H

#include "systems/ball.h"
#include "systems/optimizers/edges.h"

struct ub_norm_own {
    struct ub_ball *ball;
    double *d;
};

/* Makes o->own, a struct ub_norm_own; radii are the factors on learning rates of Adam-like kinds.
 */
void ub_norm_attach(struct ub_optimizer *o, const char *ball);
void ub_norm_detach(struct ub_optimizer *o);

/* `scaled` is an option of the kind. */
void ub_norm_step(struct ub_optimizer *o, double *theta, const double *grad);
const struct ub_ball *ub_norm_ball(const struct ub_optimizer *o, const double *grad,
                                   double *factor);

#endif
