/* flow.h - the continuous motion that an optimizer at its edge follows on average, and the one that
 * it would follow if it never oscillated.
 *
 * Central flow (Cohen, Damian et al. 2024, arXiv:2410.24206) of theta <- theta - lr P^-1 g, time
 * counted in steps:
 *
 *     d theta/dt = -lr P^-1 (grad L + 1/2 grad <S, H>),  S = U X U',  X >= 0
 *
 * with L the objective, coupled decay l2/2 |theta|^2 included, and H its Hessian (curvature.h). S
 * is the covariance of the oscillation. Its directions U are the eigenvectors of P^-1 H at the
 * edge, u'Pu = 1, and X is what keeps their eigenvalues from rising above 2/lr: with
 *
 *     M = U'(H - (2/lr) P)U,   M + dM/dt tau <= 0,   <X, M + dM/dt tau> = 0
 *
 * over a step tau of the integration; dM/dt is linear in X, so this is a semidefinite
 * complementarity problem (semidefinite.h). The optimizer's kind says how P moves (struct
 * ub_flow_rule): it is the identity, or diag(sqrt(nu) + epsilon), where nu follows
 *
 *     d nu/dt = gamma (grad L^2 + diag(H S H) - nu),   or the sums over all entries.
 *
 * With X = 0 this is the flow without oscillation: gradient flow for gd. */
#ifndef UB_FLOW_H
#define UB_FLOW_H

#include "bench/spectra/eigen.h"
#include "systems/systems.h"

struct ub_flow_state {
    double excess;   /* <S, H>/2 less l2/2 tr S: what oscillation adds to the loss, on average */
    double variance; /* tr S */
    double residual; /* of the complementarity problem, relative */
    int64_t rank;    /* of S: directions that oscillate */
    int64_t thirds, products, gradients; /* spent so far */
};

struct ub_flow;
/* Starts at theta with the optimizer's state now. `top`: eigenvalues watched; `substeps` of
 * explicit Euler a step; `central` false: X = 0. Fails for optimizers that state no flow, and under
 * a schedule. The problem is used at any time, and kept
 * linearized nowhere. */
struct ub_flow *ub_flow_new(struct ub_problem *problem, const struct ub_optimizer *optimizer,
                            const double *theta, int64_t top, int64_t substeps, bool central,
                            struct ub_error *err);
void ub_flow_free(struct ub_flow *flow);
/* Goes on for so many steps of the optimizer. False when a number is not finite any more. */
bool ub_flow_advance(struct ub_flow *flow, int64_t steps);
const double *ub_flow_theta(const struct ub_flow *flow);
struct ub_flow_state ub_flow_state(const struct ub_flow *flow);
/* Top eigenvalue of P^-1 H on the flow. */
double ub_flow_sharpness(struct ub_flow *flow);

#endif
