/* RMSProp with one mean square for all parameters, that of the gradient's norm:
 *
 *     v <- beta v + (1 - beta) |g|^2,   theta <- theta - lr g / sqrt(v).
 *
 * Edge. With v held, this is gradient descent with the rate lr / sqrt(v): H / sqrt(v) at 2/lr.
 * (Cohen, Damian et al. 2024, arXiv:2410.24206, section 4.) */
#include "systems/optimizers/edges.h"

#include <math.h>

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"beta", UB_OPTION_REAL, "0.99", 0, 0.99999999, NULL, "decay of the mean squared norm"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static double mean_square(const struct ub_optimizer *o, const double *grad)
{
    const double beta = ub_call_real(o->call, "beta");
    double norm = 0;
    for (int64_t i = 0; i < o->size; i++)
        norm += grad[i] * grad[i];
    return ub_mean_square(o, beta, o->state[0], sqrt(norm));
}

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    o->state[0] = mean_square(o, grad);
    if (!(o->state[0] > 0)) /* no gradient yet */
        return;
    const double rate = o->lr / sqrt(o->state[0]);
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= rate * grad[i];
}

static void metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const double root = sqrt(mean_square(o, grad));
    for (int64_t i = 0; i < o->size; i++)
        m->values[i] = root;
}

static bool flow(const struct ub_optimizer *o, struct ub_flow_rule *rule, struct ub_error *err)
{
    return ub_flow_of_mean_square(o, 1, ub_call_real(o->call, "beta"), 0, rule, err);
}

const struct ub_optimizer_kind ub_optimizer_scalar_rmsprop = {
    .name = "scalar-rmsprop",
    .title = "scalar RMSProp",
    .summary = "gradients over the root mean square of their norm",
    .citation = "Cohen, Damian et al. 2024, arXiv:2410.24206",
    .options = options,
    .state_vectors = 1, /* its first entry */
    .step = step,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .geometry = UB_PRECONDITIONED,
    .metric = metric,
    .flow = flow,
    .edge_formula = "2/lr",
    .edge_citation = "Cohen, Damian et al. 2024, arXiv:2410.24206",
};
