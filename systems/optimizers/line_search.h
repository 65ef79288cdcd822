/* line_search.h - a step length by the strong Wolfe conditions. */
#ifndef UB_OPTIMIZERS_LINE_SEARCH_H
#define UB_OPTIMIZERS_LINE_SEARCH_H

#include "systems/systems.h"

/* The ray theta + a direction, and room for the point last looked at and the gradient there. */
struct ub_ray {
    struct ub_optimizer *optimizer;
    const double *theta, *direction;
    double *point, *grad;
};

/* A length a > 0 with f(a) <= f(0) + c1 a f'(0) and |f'(a)| <= c2 |f'(0)|, f the objective along
 * the ray: `value` and `slope` < 0 are f(0) and f'(0), and `first` is tried first. Where none is
 * found in 30 evaluations: the length of the least value below f(0), or 0. (Nocedal and Wright
 * 2006, Numerical Optimization, algorithms 3.5 and 3.6, with cubic interpolation.) */
double ub_line_search(const struct ub_ray *ray, double value, double slope, double first, double c1,
                      double c2);

#endif
