/* Gradient descent with momentum as an exponential moving average:
 *
 *     m <- beta m + (1 - beta) g,   theta <- theta - lr m.
 *
 * Edge. This is heavy-ball momentum with learning rate (1 - beta) lr (heavy_ball.c), so stable if
 * and only if 0 < s < 2(1 + beta)/((1 - beta) lr). (Cohen et al. 2022, arXiv:2207.14484,
 * section 2.) */
#include "systems/optimizers/edges.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta", UB_OPTION_REAL, "0.9", 0, 0.999999, NULL, "decay of the mean gradient"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double lr = o->lr, beta = ub_call_real(o->call, "beta");
    double *m = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = beta * m[i] + (1 - beta) * grad[i];
        theta[i] -= lr * m[i];
    }
}

static double threshold(const struct ub_optimizer *o)
{
    return ub_edge_ema(ub_call_real(o->call, "beta"), o->lr);
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return ub_edge_ema(ub_call_real(o->call, "beta"), 1) / sharpness;
}

const struct ub_optimizer_kind ub_optimizer_ema_momentum = {
    .name = "ema-momentum",
    .title = "EMA momentum",
    .summary = "gradient descent with momentum as a moving average",
    .citation = "Kingma and Ba 2014, arXiv:1412.6980, without second moments",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .geometry = UB_EUCLIDEAN,
    .threshold = threshold,
    .rate_for = rate_for,
    .edge_formula = "2(1 + beta)/((1 - beta) lr)",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
