/* edges.h - thresholds that several optimizers share. Each is `factor`/lr on the top eigenvalue of
 * P^-1 H, derived for x_{t+1} = f(x_t) on a quadratic of curvature s with P frozen. */
#ifndef UB_OPTIMIZERS_EDGES_H
#define UB_OPTIMIZERS_EDGES_H

#include "systems/metric.h"

/* theta <- theta - lr P^-1 g: 2/lr, for 1 - lr s > -1. */
double ub_edge_plain(const struct ub_optimizer *o);
double ub_edge_plain_rate(const struct ub_optimizer *o, double sharpness);

/* m <- beta m + (1 - beta) g, theta <- theta - lr P^-1 m: heavy ball with the rate (1 - beta) lr,
 * so 2(1 + beta)/((1 - beta) lr) (heavy_ball.c; Cohen et al. 2022, arXiv:2207.14484). */
double ub_edge_ema(double beta, double lr);

/* A mean of squares: v <- beta v + (1 - beta) g^2, or v itself where `o` is frozen. */
static inline double ub_mean_square(const struct ub_optimizer *o, double beta, double v, double g)
{
    return o->frozen ? v : beta * v + (1 - beta) * g * g;
}

/* The flow rule of a P = diag(sqrt(nu) + epsilon) with nu o->state, `count` of it, averaged at
 * `beta`: gamma = (1 - beta)/beta, so that a step of implicit Euler, v <- (v + gamma g^2)/(1 +
 * gamma), is the optimizer's. Fails while nu is 0. (Cohen, Damian et al. 2024, arXiv:2410.24206.)
 */
bool ub_flow_of_mean_square(const struct ub_optimizer *o, int64_t count, double beta,
                            double epsilon, struct ub_flow_rule *rule, struct ub_error *err);

#endif
