/* Gradient descent with heavy-ball momentum, in the form of PyTorch's SGD:
 *
 *     v <- beta v + g,   theta <- theta - lr v.
 *
 * Edge. On a quadratic with curvature s, eliminating v gives
 *     x_{t+1} = (1 + beta - lr s) x_t - beta x_{t-1},
 * with characteristic polynomial p(z) = z^2 - (1 + beta - lr s) z + beta. Jury's conditions for
 * both roots to lie within the unit circle are p(1) = lr s > 0, p(-1) = 2 + 2 beta - lr s > 0 and
 * beta < 1: stable if and only if 0 < s < 2(1 + beta)/lr. (Cohen et al. 2021, arXiv:2103.00065,
 * appendix on momentum.) */
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta", UB_OPTION_REAL, "0.9", 0, 0.999999, NULL, "momentum"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double lr = o->lr, beta = ub_call_real(o->call, "beta");
    double *v = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        v[i] = beta * v[i] + grad[i];
        theta[i] -= lr * v[i];
    }
}

static double threshold(const struct ub_optimizer *o)
{
    return 2 * (1 + ub_call_real(o->call, "beta")) / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return 2 * (1 + ub_call_real(o->call, "beta")) / sharpness;
}

static double momentum(const struct ub_optimizer *o)
{
    return ub_call_real(o->call, "beta");
}

const struct ub_optimizer_kind ub_optimizer_heavy_ball = {
    .name = "heavy-ball",
    .title = "heavy ball",
    .summary = "gradient descent with heavy-ball momentum, v = beta v + g",
    .citation = "Polyak 1964, USSR Comput. Math. Math. Phys. 4",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .momentum = momentum,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "2(1 + beta)/lr",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065",
};
