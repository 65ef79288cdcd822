/* Adam, with bias correction and epsilon as in its paper:
 *
 *     m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2   (entry by entry)
 *     theta <- theta - lr m_hat / (sqrt(v_hat) + epsilon),
 *     m_hat = m / (1 - beta1^t),  v_hat = v / (1 - beta2^t).
 *
 * Under mup each tensor's learning rate has a factor of its own (parametrization.h). Its edge is
 * one of the preconditioned Hessian (Cohen et al. 2022, arXiv:2207.14484), which is not measured:
 * none is stated here. */
#include "systems/systems.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate"},
    {"beta1", UB_OPTION_REAL, "0.9", 0, 0.999999, NULL, "decay of the mean gradient"},
    {"beta2", UB_OPTION_REAL, "0.999", 0, 0.99999999, NULL, "decay of the mean squared gradient"},
    {"epsilon", UB_OPTION_REAL, "1e-8", 0, 1, NULL, "added to the root of the mean square"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double beta1 = ub_call_real(o->call, "beta1"), beta2 = ub_call_real(o->call, "beta2");
    const double epsilon = ub_call_real(o->call, "epsilon"), t = (double)o->steps + 1;
    const double first = 1 / (1 - pow(beta1, t)), second = 1 / (1 - pow(beta2, t));
    double *m = o->state, *v = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        const double lr = o->rates ? o->lr * o->rates[i] : o->lr;
        m[i] = beta1 * m[i] + (1 - beta1) * grad[i];
        v[i] = beta2 * v[i] + (1 - beta2) * grad[i] * grad[i];
        if (v[i] > 0 || epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= lr * (first * m[i]) / (sqrt(second * v[i]) + epsilon);
    }
}

const struct ub_optimizer_kind ub_optimizer_adam = {
    .name = "adam",
    .summary = "adaptive moments, bias-corrected",
    .citation = "Kingma and Ba 2014, arXiv:1412.6980",
    .options = options,
    .takes_rates = true,
    .state_vectors = 2,
    .step = step,
};
