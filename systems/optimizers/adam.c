/* Adam, with bias correction and epsilon as in its paper:
 *
 *     m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2   (entry by entry)
 *     theta <- theta - lr m_hat / (sqrt(v_hat) + epsilon),
 *     m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t).
 *
 * Under mup each tensor's learning rate has a factor of its own (parametrization.h).
 *
 * Edge. With P = (1 - beta1^t) diag(sqrt(v_hat) + epsilon) held this is ema-momentum on P^-1 H:
 * 2(1 + beta1)/((1 - beta1) lr), 38/lr at beta1 = 0.9. (Cohen et al. 2022, arXiv:2207.14484.) */
#include "systems/optimizers/adam_family.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_ADAM_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_adam a = ub_adam_read(o);
    double *m = o->state, *v = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * grad[i];
        v[i] = ub_mean_square(o, a.beta2, v[i], grad[i]);
        if (v[i] > 0 || a.epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= ub_adam_rate(o, i) * (a.first * m[i]) / (sqrt(a.second * v[i]) + a.epsilon);
    }
}

const struct ub_optimizer_kind ub_optimizer_adam = {
    .name = "adam",
    .title = "Adam",
    .summary = "adaptive moments, bias-corrected",
    .citation = "Kingma and Ba 2014, arXiv:1412.6980",
    .options = options,
    .takes_rates = true,
    .state_vectors = 2,
    .step = step,
    .threshold = ub_adam_threshold,
    .rate_for = ub_adam_rate_for,
    .geometry = UB_PRECONDITIONED,
    .metric = ub_adam_metric,
    .edge_formula = "2(1 + beta1)/((1 - beta1) lr)",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
