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
