#include "systems/optimizers/adam_family.h"

#include <math.h>

struct ub_adam ub_adam_read(const struct ub_optimizer *o)
{
    struct ub_adam a = {.beta1 = ub_call_real(o->call, "beta1"),
                        .beta2 = ub_call_real(o->call, "beta2"),
                        .epsilon = ub_call_real(o->call, "epsilon")};
    const double t = (double)o->steps + 1;
    a.first = 1 / (1 - pow(a.beta1, t));
    a.second = 1 / (1 - pow(a.beta2, t));
    return a;
}

void ub_adam_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m)
{
    const struct ub_adam a = ub_adam_read(o);
    const double *v = o->state + o->size;
    for (int64_t i = 0; i < o->size; i++) {
        const double root = sqrt(a.second * ub_mean_square(o, a.beta2, v[i], grad[i]));
        m->values[i] = (root + a.epsilon) / (a.first * (o->rates ? o->rates[i] : 1));
    }
}

double ub_adam_threshold(const struct ub_optimizer *o)
{
    return ub_edge_ema(ub_call_real(o->call, "beta1"), o->lr);
}

double ub_adam_rate_for(const struct ub_optimizer *o, double sharpness)
{
    return ub_edge_ema(ub_call_real(o->call, "beta1"), 1) / sharpness;
}
