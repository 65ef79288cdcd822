/* adam_family.h - what Adam and its variants share: moving averages m of g and v of g^2, and steps
 * of m over the root of v. State: m, v, then a variant's own. */
#ifndef UB_OPTIMIZERS_ADAM_FAMILY_H
#define UB_OPTIMIZERS_ADAM_FAMILY_H

#include "systems/optimizers/edges.h"

#define UB_ADAM_OPTIONS                                                                            \
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},             \
        {"beta1", UB_OPTION_REAL, "0.9", 0, 0.999999, NULL, "decay of the mean gradient"},         \
        {"beta2",                                                                                  \
         UB_OPTION_REAL,                                                                           \
         "0.999",                                                                                  \
         0,                                                                                        \
         0.99999999,                                                                               \
         NULL,                                                                                     \
         "decay of the mean squared gradient"},                                                    \
    {                                                                                              \
        "epsilon", UB_OPTION_REAL, "1e-8", 0, 1, NULL, "added to the root of the mean square"      \
    }

/* Options, and bias corrections 1/(1 - beta^t) at the step to come, t = 1 the first. */
struct ub_adam {
    double beta1, beta2, epsilon, first, second;
};
struct ub_adam ub_adam_read(const struct ub_optimizer *o);

/* Learning rate of a parameter, with its parametrization's factor. */
static inline double ub_adam_rate(const struct ub_optimizer *o, int64_t i)
{
    return o->rates ? o->lr * o->rates[i] : o->lr;
}

/* sqrt(v_hat) + epsilon for the step to come, over the parametrization's factor and `first`: the
 * P with which m is preconditioned. */
void ub_adam_metric(const struct ub_optimizer *o, const double *grad, struct ub_metric *m);

/* 2(1 + beta1)/((1 - beta1) lr), and the rate where that is `sharpness`. */
double ub_adam_threshold(const struct ub_optimizer *o);
double ub_adam_rate_for(const struct ub_optimizer *o, double sharpness);

#endif
