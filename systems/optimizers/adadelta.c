/* AdaDelta (entry by entry): gradients over the root of their mean square, times that of the last
 * changes,
 *
 *     v <- rho v + (1 - rho) g^2,   d = -sqrt(u + epsilon) / sqrt(v + epsilon) g,
 *     u <- rho u + (1 - rho) d^2,   theta <- theta + lr d,
 *
 * lr = 1 in the paper.
 *
 * Edge. With u and v held, gradient descent on P^-1 H with P = diag(sqrt(v + epsilon) /
 * sqrt(u + epsilon)): 2/lr. */
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate (1 in the paper), edge or relative"},
    {"rho", UB_OPTION_REAL, "0.95", 0, 0.99999999, NULL, "decay of both mean squares"},
    {"epsilon", UB_OPTION_REAL, "1e-6", 1e-30, 1, NULL, "added to both mean squares"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double rho = ub_call_real(o->call, "rho"), epsilon = ub_call_real(o->call, "epsilon");
    double *v = o->state, *u = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        v[i] = ub_mean_square(o, rho, v[i], grad[i]);
        const double d = sqrt((u[i] + epsilon) / (v[i] + epsilon)) * grad[i];
        u[i] = ub_mean_square(o, rho, u[i], d);
        theta[i] -= o->lr * d;
    }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const double rho = ub_call_real(o->call, "rho"), epsilon = ub_call_real(o->call, "epsilon");
    const double *u = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        const double v = ub_mean_square(o, rho, o->state[i], grad[i]);
        m->values[i] = sqrt((v + epsilon) / (u[i] + epsilon));
    }
}

const struct ub_optimizer_kind ub_optimizer_adadelta = {
    .name = "adadelta",
    .title = "Adadelta",
    .summary = "gradients in units of past changes",
    .citation = "Zeiler 2012, arXiv:1212.5701",
    .options = options,
    .state_vectors = 2,
    .step = step,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .edge_formula = "2/lr",
    .edge_citation = "as for RMSProp: Cohen et al. 2022, arXiv:2207.14484",
};
