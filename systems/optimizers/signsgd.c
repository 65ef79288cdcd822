/* Sign descent: theta <- theta - lr sign(g), entry by entry; an entry of 0 stays.
 *
 * Its edge is one of a sharpness in the maximum norm, which is not measured here: none is stated.
 */
#include "systems/systems.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void step(struct ub_optimizer *o, double *theta, const double *grad)
{
    for (int64_t i = 0; i < o->size; i++)
        theta[i] -= o->lr * (double)((grad[i] > 0) - (grad[i] < 0));
}

const struct ub_optimizer_kind ub_optimizer_signsgd = {
    .name = "signsgd",
    .summary = "steps along the signs of the gradient",
    .citation = "Bernstein et al. 2018, arXiv:1802.04434",
    .options = options,
    .step = step,
};
