/* NAdam: Adam with Nesterov's momentum, the momentum warmed up as mu_t = beta1 (1 -
 * 0.96^(t/250)/2),
 *
 *     m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2   (entry by entry)
 *     m_hat = mu_{t+1} m / (1 - mu_1...mu_{t+1}) + (1 - mu_t) g / (1 - mu_1...mu_t),
 *     theta <- theta - lr m_hat / (sqrt(v_hat) + epsilon),   v_hat = v / (1 - beta2^t).
 *
 * Edge, once the products are 0. With P = diag(sqrt(v_hat) + epsilon) held, q = lr s, M = lr m and
 * c = 1 - mu_t,
 *     M' = beta1 M + (1 - beta1) q x,   x' = x - mu_{t+1} M' - c q x,
 * a matrix of determinant beta1 (1 - c q) and trace 1 + beta1 - c q - mu_{t+1} (1 - beta1) q.
 * Jury's condition p(-1) = 1 + trace + determinant > 0 is s < 2(1 + beta1)/((c (1 + beta1) +
 * mu_{t+1} (1 - beta1)) lr), Nesterov's threshold at the rate (1 - beta1) lr when mu = beta1. The
 * momentum warms up over thousands of steps, and the threshold grows with it: at beta1 = 0.9
 * from 3.8/lr to 13.6/lr. */
#include "systems/optimizers/adam_family.h"

#include <math.h>

static const struct ub_option options[] = {
    UB_ADAM_OPTIONS,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static double momentum(double beta1, double t)
{
    return beta1 * (1 - 0.5 * pow(0.96, t / 250));
}

/* State: m, v, and a vector whose first entry is the product of momenta so far (less 1, so that it
 * starts at zero as all state does). */
static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const struct ub_adam a = ub_adam_read(o);
    const double t = (double)o->steps + 1;
    double *m = o->state, *v = o->state + o->size, *product = v + o->size;
    const double now = momentum(a.beta1, t), next = momentum(a.beta1, t + 1);
    const double up_to_now = (1 + *product) * now;
    *product = up_to_now - 1;
    for (int64_t i = 0; i < o->size; i++) {
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * grad[i];
        v[i] = ub_mean_square(o, a.beta2, v[i], grad[i]);
        const double mean =
            next * m[i] / (1 - up_to_now * next) + (1 - now) * grad[i] / (1 - up_to_now);
        if (v[i] > 0 || a.epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= ub_adam_rate(o, i) * mean / (sqrt(a.second * v[i]) + a.epsilon);
    }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    ub_adam_metric(o, grad, m);
    const double first = ub_adam_read(o).first;
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] *= first;
}

/* The threshold at lr = 1 for the step to come. */
static double edge(const struct ub_optimizer *o)
{
    const double beta1 = ub_call_real(o->call, "beta1"), t = (double)o->steps + 1;
    const double rest = 1 - momentum(beta1, t), next = momentum(beta1, t + 1);
    return 2 * (1 + beta1) / (rest * (1 + beta1) + next * (1 - beta1));
}

static double threshold(const struct ub_optimizer *o)
{
    return edge(o) / o->lr;
}

static double rate_for(const struct ub_optimizer *o, double sharpness)
{
    return edge(o) / sharpness;
}

const struct ub_optimizer_kind ub_optimizer_nadam = {
    .name = "nadam",
    .title = "NAdam",
    .summary = "Adam with Nesterov's momentum",
    .citation = "Dozat 2016, ICLR workshop",
    .options = options,
    .takes_rates = true,
    .state_vectors = 3,
    .step = step,
    .threshold = threshold,
    .rate_for = rate_for,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2(1 + beta1)/(((1 - mu_t)(1 + beta1) + mu_{t+1}(1 - beta1)) lr)",
    .edge_citation = "derived here, after Cohen et al. 2022, arXiv:2207.14484",
};
