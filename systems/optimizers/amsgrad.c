/* AMSGrad (entry by entry), with the greatest v so far and no bias correction, as in its paper:
 *
 *     m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2,   w <- max(w, v),
 *     theta <- theta - lr m / (sqrt(w) + epsilon)
 *
 * (the paper has no epsilon; 0 is allowed).
 *
 * Edge. With P = diag(sqrt(w) + epsilon) held, ema-momentum on P^-1 H:
 * 2(1 + beta1)/((1 - beta1) lr), as for Adam. */
#include "systems/optimizers/adam_family.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_ADAM_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_adam a = ub_adam_read(o);
    double *m = o->state, *v = o->state + o->size, *w = v + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * grad[i];
        v[i] = ub_mean_square(o, a.beta2, v[i], grad[i]);
        w[i] = fmax(w[i], v[i]);
        if (w[i] > 0 || a.epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= ub_adam_rate(o, i) * m[i] / (sqrt(w[i]) + a.epsilon);
    }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const struct ub_adam a = ub_adam_read(o);
    const double *v = o->state + o->size, *w = v + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        const double greatest = fmax(w[i], ub_mean_square(o, a.beta2, v[i], grad[i]));
        m->values[i] = (sqrt(greatest) + a.epsilon) / (o->rates ? o->rates[i] : 1);
    }
}

const struct ub_optimizer_kind ub_optimizer_amsgrad = {
    .name = "amsgrad",
    .title = "AMSGrad",
    .summary = "Adam with the greatest mean square so far",
    .citation = "Reddi, Kale and Kumar 2018, arXiv:1904.09237",
    .options = options,
    .takes_rates = true,
    .state_vectors = 3,
    .step = step,
    .threshold = ub_adam_threshold,
    .rate_for = ub_adam_rate_for,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2(1 + beta1)/((1 - beta1) lr)",
    .edge_citation = "as for Adam: Cohen et al. 2022, arXiv:2207.14484",
};
