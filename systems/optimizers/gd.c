/* Gradient descent: theta <- theta - lr g.
 *
 * Edge. On a quadratic with curvature s along an eigenvector, one step multiplies that component
 * by 1 - lr s, which stays within (-1, 1) if and only if 0 < s < 2/lr. (Cohen et al. 2021,
 * arXiv:2103.00065, section 2.) */
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double lr = o->lr;
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= lr * grad[i];
}

static double threshold(const struct ub_optimizer *o)
{
    return 2 / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    (void)o;
    return 2 / sharpness;
}

const struct ub_optimizer_kind ub_optimizer_gd = {
    .name = "gd",
    .summary = "gradient descent",
    .citation = "Cauchy 1847",
    .options = options,
    .state_vectors = 0,
    .step = step,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065",
};
