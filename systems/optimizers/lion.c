/* Lion: signs of an interpolated momentum, with decoupled weight decay:
 *
 *     theta <- theta - lr (sign(beta1 m + (1 - beta1) g) + decay theta),
 *     m <- beta2 m + (1 - beta2) g.
 *
 * Under mup each tensor's learning rate has a factor of its own (parametrization.h).
 *
 * No edge is stated: a sign of averaged gradients is no linear map of them, so that neither the
 * linearised update nor the descent lemma (signsgd) gives a threshold; at
 * beta1 = 0 and decay = 0 it is signsgd. */
#include "base/option_units.h"
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate"},
    {"beta1", UB_OPTION_REAL, "0.9", 0, 0.999999, NULL, "share of the momentum in the step"},
    {"beta2", UB_OPTION_REAL, "0.99", 0, 0.999999, NULL, "decay of the momentum"},
    {"decay", UB_OPTION_REAL | UB_OPTION_OF_PER_RATE, "0", 0, 1e6, NULL, "weight decay"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double beta1 = ub_call_real(o->call, "beta1"), beta2 = ub_call_real(o->call, "beta2");
    const double decay = ub_call_real(o->call, "decay");
    double *m = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        const double mixed = beta1 * m[i] + (1 - beta1) * grad[i];
        const double rate = o->rates ? o->lr * o->rates[i] : o->lr;
        theta[i] -= rate * ((double)((mixed > 0) - (mixed < 0)) + decay * theta[i]);
        m[i] = beta2 * m[i] + (1 - beta2) * grad[i];
    }
}

const struct ub_optimizer_kind ub_optimizer_lion = {
    .name = "lion",
    .title = "Lion",
    .summary = "signs of an interpolated momentum",
    .citation = "Chen et al. 2023, arXiv:2302.06675",
    .options = options,
    .takes_rates = true,
    .state_vectors = 1,
    .step = step,
    .geometry = UB_UNMEASURED,
};
