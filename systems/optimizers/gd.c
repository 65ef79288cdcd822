/* Gradient descent: theta <- theta - lr g.
 *
 * Edge. On a quadratic with curvature s along an eigenvector, one step multiplies that component
 * by 1 - lr s, which stays within (-1, 1) if and only if 0 < s < 2/lr. (Cohen et al. 2021,
 * arXiv:2103.00065, section 2.) */
#include "systems/optimizers/edges.h"

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

static bool flow(const struct ub_optimizer *o, struct ub_flow_rule *rule, struct ub_error *err)
{
    (void)o, (void)err;
    *rule = (struct ub_flow_rule){.count = 0};
    return true;
}

static double momentum(const struct ub_optimizer *o)
{
    (void)o;
    return 0;
}

const struct ub_optimizer_kind ub_optimizer_gd = {
    .name = "gd",
    .summary = "gradient descent",
    .citation = "Cauchy 1847",
    .options = options,
    .state_vectors = 0,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .momentum = momentum,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .flow = flow,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065",
};
