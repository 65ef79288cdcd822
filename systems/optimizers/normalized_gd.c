/* Gradient descent with steps of one length: theta <- theta - lr g / |g|.
 *
 * Edge. With the norm held, gradient descent with the rate lr/|g|: H/|g| at 2/lr. (Arora, Li and
 * Panigrahi 2022, arXiv:2205.09745.) */
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "length of a step, edge(S) or relative(R)"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* State: the square of the last norm, in the first entry. */
static double square(const struct ub_optimizer *o, const double *grad)
{
    double sum = 0;
    for (int64_t i = 0; i < o->size; i++)
        sum += grad[i] * grad[i];
    return ub_mean_square(o, 0, o->state[0], sqrt(sum));
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    o->state[0] = square(o, grad);
    if (!(o->state[0] > 0)) /* at a stationary point */
        return;
    const double rate = o->lr / sqrt(o->state[0]);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= rate * grad[i];
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const double norm = sqrt(square(o, grad));
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = norm;
}

const struct ub_optimizer_kind ub_optimizer_normalized_gd = {
    .name = "normalized-gd",
    .title = "normalized GD",
    .summary = "gradient descent with steps of one length",
    .citation = "Shor 1985, Minimization Methods for Non-Differentiable Functions",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2/lr",
    .edge_citation = "Arora, Li and Panigrahi 2022, arXiv:2205.09745",
};
