/* objective.h - for optimizers that look at more than the gradient they are given. */
#ifndef UB_OPTIMIZERS_OBJECTIVE_H
#define UB_OPTIMIZERS_OBJECTIVE_H

#include "systems/systems.h"

/* The loss plus l2/2 |theta|^2 over what the step is about (ub_optimizer_problem), and its
 * gradient; counted in o->gradients. */
double ub_objective(struct ub_optimizer *o, const double *theta, double *grad);

double ub_dot(int64_t n, const double *x, const double *y);
/* y <- y + a x */
void ub_add_scaled(int64_t n, double a, const double *x, double *y);

#endif
