/* RMSProp, without momentum (entry by entry):
 *
 *     v <- beta v + (1 - beta) g^2,   theta <- theta - lr g / (sqrt(v_hat) + epsilon),
 *
 * with v_hat = v, or v / (1 - beta^t) with bias-correction=true.
 *
 * Edge. With P = diag(sqrt(v_hat) + epsilon) held, this is gradient descent on P^-1 H: 2/lr. (Cohen
 * et al. 2022, arXiv:2207.14484; Cohen, Damian et al. 2024, arXiv:2410.24206, section 5.)
 *
 * What this leaves out: P is not held. At the edge gradients oscillate, v follows their squares
 * within 1/(1 - beta) steps, and P is large just where and when the gradient is: a step is shorter
 * than the P of another time would make it. With the P of one step, sharpness therefore settles
 * above 2/lr: at lr = 0.001 on digits by 28%, 7%, 2% for beta = 0.9, 0.99, 0.999, about as
 * (1 - beta)^1/2; at lr = 0.0015 and beta = 0.99 by 7%, too. Two things add up. The largest
 * eigenvalue is convex in 1/P, so that P's scatter raises its mean (by 3% of the 7%). And what the
 * oscillation meets is the best linear fit of steps to gradients (statistical linearization; Booton
 * 1954, doi:10.1109/TCT.1954.6373354), entry by entry the mean of 1/P weighted by g^2,
 * sum_t g^2/P / sum_t g^2. With it, over 100, 200, 400 steps, sharpness is at 1.06, 1.02, 1.00 of
 * 2/lr (tests/test_rmsprop_edge.c). It is not what is recorded: it takes a window of steps, not a
 * point. The same is to be expected of every optimizer whose P follows its gradients; it was
 * measured for this one only. */
#include "base/option_units.h"
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta", UB_OPTION_REAL, "0.99", 0, 0.99999999, NULL, "decay of the mean squared gradient"},
    {"epsilon", UB_OPTION_REAL | UB_OPTION_OF_GRADIENT, "1e-8", 0, 1, NULL,
     "added to the root of the mean square"},
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
    .title = "RMSProp",
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
