/* AdaGrad, diagonal (entry by entry): v <- v + g^2, theta <- theta - lr g / (sqrt(v) + epsilon).
 *
 * Edge. With P = diag(sqrt(v) + epsilon) held, gradient descent on P^-1 H: 2/lr. P only grows, and
 * with it the stability. (Cohen et al. 2022, arXiv:2207.14484.) */
#include "base/option_units.h"
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"epsilon", UB_OPTION_REAL | UB_OPTION_OF_GRADIENT, "1e-10", 0, 1, NULL,
     "added to the root of the sum of squares"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static double sum(const struct ub_optimizer *o, int64_t i, double g)
{
    return o->frozen ? o->state[i] : o->state[i] + g * g;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double epsilon = ub_call_real(o->call, "epsilon");
    for (int64_t i = 0; i < o->size; i++) {
        o->state[i] = sum(o, i, grad[i]);
        if (o->state[i] > 0 || epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= o->lr * grad[i] / (sqrt(o->state[i]) + epsilon);
    }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const double epsilon = ub_call_real(o->call, "epsilon");
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = sqrt(sum(o, i, grad[i])) + epsilon;
}

const struct ub_optimizer_kind ub_optimizer_adagrad = {
    .name = "adagrad",
    .title = "Adagrad",
    .summary = "gradients over the root of the sum of their squares",
    .citation = "Duchi, Hazan and Singer 2011, JMLR 12",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
