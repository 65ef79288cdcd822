#include "systems/objective.h"

double ub_objective(struct ub_optimizer *o, const double *theta, double *grad)
{
    double loss = ub_problem_gradient(ub_optimizer_problem(o), theta, grad);
    o->gradients++;
    if (o->l2 == 0)
        return loss;
    ub_add_scaled(o->size, o->l2, theta, grad);
    return loss + 0.5 * o->l2 * ub_dot(o->size, theta, theta);
}

double ub_dot(int64_t n, const double *x, const double *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void ub_add_scaled(int64_t n, double a, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}
