#include "systems/optimizers/edges.h"

double ub_edge_plain(const struct ub_optimizer *o)
{
    return 2 / o->lr;
}

double ub_edge_plain_rate(const struct ub_optimizer *o, double sharpness)
{
    (void)o;
    return 2 / sharpness;
}

double ub_edge_ema(double beta, double lr)
{
    return 2 * (1 + beta) / ((1 - beta) * lr);
}

bool ub_flow_of_mean_square(const struct ub_optimizer *o, int64_t count, double beta,
                            double epsilon, struct ub_flow_rule *rule, struct ub_error *err)
{
    *rule = (struct ub_flow_rule){
        .count = count, .nu = o->state, .gamma = (1 - beta) / beta, .epsilon = epsilon};
    return o->steps > 0 ||
           ub_fail(err, UB_INPUT,
                   "central flow of %s from step 0, where its mean square is 0; expected a later "
                   "start",
                   o->kind->name);
}
