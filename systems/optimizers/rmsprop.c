/* RMSProp, without momentum (entry by entry):
 *
 *     v <- beta v + (1 - beta) g^2,   theta <- theta - lr g / (sqrt(v_hat) + epsilon),
 *
 * with v_hat = v, or v / (1 - beta^t) with bias-correction=true.
 *
 * Edge. With P = diag(sqrt(v_hat) + epsilon) held, this is gradient descent on P^-1 H: 2/lr. (Cohen
 * et al. 2022, arXiv:2207.14484; Cohen, Damian et al. 2024, arXiv:2410.24206, section 5.) */
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta", UB_OPTION_REAL, "0.99", 0, 0.99999999, NULL, "decay of the mean squared gradient"},
    {"epsilon", UB_OPTION_REAL, "1e-8", 0, 1, NULL, "added to the root of the mean square"},
    {"bias-correction", UB_OPTION_FLAG, "false", 0, 0, NULL, "divide v by 1 - beta^t"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

/* What multiplies v at the step to come. */
static double correction(const struct ub_optimizer *o, double beta)
{
    return ub_call_flag(o->call, "bias-correction") ? 1 / (1 - pow(beta, (double)o->steps + 1)) : 1;
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    const double beta = ub_call_real(o->call, "beta"), epsilon = ub_call_real(o->call, "epsilon");
    const double factor = correction(o, beta);
    double *v = o->state;
    for (int64_t i = 0; i < o->size; i++) {
        v[i] = ub_mean_square(o, beta, v[i], grad[i]);
        if (v[i] > 0 || epsilon > 0) /* a gradient that was always 0 moves nothing */
            theta[i] -= o->lr * grad[i] / (sqrt(factor * v[i]) + epsilon);
    }
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const double beta = ub_call_real(o->call, "beta"), epsilon = ub_call_real(o->call, "epsilon");
    const double factor = correction(o, beta);
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = sqrt(factor * ub_mean_square(o, beta, o->state[i], grad[i])) + epsilon;
}

static bool flow(const struct ub_optimizer *o, struct ub_flow_rule *rule, struct ub_error *err)
{
    if (ub_call_flag(o->call, "bias-correction"))
        return ub_fail(err, UB_INPUT,
                       "central flow of rmsprop with bias-correction=true; expected false");
    return ub_flow_of_mean_square(o, o->size, ub_call_real(o->call, "beta"),
                                  ub_call_real(o->call, "epsilon"), rule, err);
}

const struct ub_optimizer_kind ub_optimizer_rmsprop = {
    .name = "rmsprop",
    .summary = "gradients over the root of their mean square",
    .citation = "Tieleman and Hinton 2012, Coursera lecture 6.5",
    .options = options,
    .state_vectors = 1,
    .step = step,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .flow = flow,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen et al. 2022, arXiv:2207.14484",
};
