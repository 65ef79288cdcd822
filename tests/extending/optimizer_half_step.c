/* Gradient descent that goes half as far: theta <- theta - (lr/2) g.
 *
 * Edge. On a quadratic of curvature s a step multiplies by 1 - lr s / 2: stable for s < 4/lr. */
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= 0.5 * o->lr * grad[i];
}

static double threshold(const struct ub_optimizer *o)
{
    return 4 / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    (void)o;
    return 4 / sharpness;
}

const struct ub_optimizer_kind ub_optimizer_half_step = {
    .name = "half-step",
    .summary = "gradient descent that goes half as far",
    .citation = "Cauchy 1847",
    .options = options,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "4/lr",
    .edge_citation = "above",
};
