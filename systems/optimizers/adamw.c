/* Adam with decoupled weight decay:
 *
 *     theta <- theta - lr (m_hat / (sqrt(v_hat) + epsilon) + decay theta),
 *
 * m_hat and v_hat as Adam's (adam.c; the schedule multiplier of the paper is 1).
 *
 * Edge. With P held, q = (1 - beta1) lr s for an eigenvalue s of P^-1 H and a = 1 - lr decay,
 *     x_{t+1} = (a + beta1 - q) x_t - a beta1 x_{t-1}.
 * Jury's condition p(-1) = 1 + a + beta1 - q + a beta1 > 0 is q < (1 + a)(1 + beta1):
 *     s < (2/lr - decay)(1 + beta1)/(1 - beta1). */
#include "base/option_units.h"
#include "systems/optimizers/adam_family.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_ADAM_OPTIONS,
    {"decay", UB_OPTION_REAL | UB_OPTION_OF_PER_RATE, "0.01", 0, 1e6, NULL, "weight decay"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_adam a = ub_adam_read(o);
    const double decay = ub_call_real(o->call, "decay");
    double *m = o->state, *v = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        const double lr = ub_adam_rate(o, i);
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * grad[i];
        v[i] = ub_mean_square(o, a.beta2, v[i], grad[i]);
        theta[i] -= o->lr * decay * theta[i];
        if (v[i] > 0 || a.epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= lr * (a.first * m[i]) / (sqrt(a.second * v[i]) + a.epsilon);
    }
}

static double factor(const struct ub_optimizer *o)
{
    const double beta1 = ub_call_real(o->call, "beta1");
    return (1 + beta1) / (1 - beta1);
}

static double threshold(const struct ub_optimizer *o)
{
    return (2 / o->lr - ub_call_real(o->call, "decay")) * factor(o);
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return 2 / (sharpness / factor(o) + ub_call_real(o->call, "decay"));
}

const struct ub_optimizer_kind ub_optimizer_adamw = {
    .name = "adamw",
    .title = "AdamW",
    .summary = "Adam with decoupled weight decay",
    .citation = "Loshchilov and Hutter 2017, arXiv:1711.05101",
    .options = options,
    .takes_rates = true,
    .state_vectors = 2,
    .step = step,
    .threshold = threshold,
    .rate_for = rate_for,
    .geometry = UB_PRECONDITIONED,
    .metric = ub_adam_metric,
    .edge_formula = "(2/lr - decay)(1 + beta1)/(1 - beta1)",
    .edge_citation = "derived here, after Cohen et al. 2022, arXiv:2207.14484",
};
