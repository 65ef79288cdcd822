/* Gradient descent with Nesterov momentum, in the form of PyTorch's SGD(nesterov=True):
 *
 *     v <- beta v + g,   theta <- theta - lr (g + beta v).
 *
 * Edge. On a quadratic with curvature s and q = lr s, (x, lr v) is multiplied by
 *     [1 - q(1 + beta), -beta^2]
 *     [       q,           beta],
 * with trace (1 + beta)(1 - q) and determinant beta(1 - q), so that
 *     p(z) = z^2 - (1 + beta)(1 - q) z + beta(1 - q).
 * Jury's conditions: p(1) = q > 0; p(-1) = 1 + (1 + 2 beta)(1 - q) > 0; |beta(1 - q)| < 1. The
 * second, q < (2 + 2 beta)/(1 + 2 beta), binds first: there |1 - q| = 1/(1 + 2 beta). So stable if
 * and only if 0 < s < (2 + 2 beta)/(lr(1 + 2 beta)). (Cohen et al. 2021, arXiv:2103.00065,
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
        theta[i] -= lr * (grad[i] + beta * v[i]);
    }
}

/* The threshold at lr = 1; lr times threshold is the same for every lr. */
static double edge(const struct ub_optimizer *o)
{
    const double beta = ub_call_real(o->call, "beta");
    return (2 + 2 * beta) / (1 + 2 * beta);
}

static double threshold(const struct ub_optimizer *o)
{
    return edge(o) / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return edge(o) / sharpness;
}

const struct ub_optimizer_kind ub_optimizer_nesterov = {
    .name = "nesterov",
    .title = "Nesterov",
    .summary = "gradient descent with Nesterov momentum",
    .citation = "Nesterov 1983, Sov. Math. Dokl. 27; Sutskever et al. 2013, ICML",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "(2 + 2 beta)/(lr(1 + 2 beta))",
    .edge_citation = "Cohen et al. 2021, arXiv:2103.00065",
};
