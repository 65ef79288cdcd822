/* Half the squared distance: its gradient in the output is the residual and its Hessian the
 * identity, so that the Gauss-Newton matrix is J'J/N. */
#include "systems/systems.h"

static bool fits(const struct ub_dataset *data, struct ub_error *err)
{
    (void)data, (void)err;
    return true;
}

static ub_node build(struct ub_graph *g, ub_node output, ub_node target)
{
    const ub_node residual = ub_sub(g, output, target);
    return ub_scale(g, ub_sum(g, ub_mul(g, residual, residual), UB_AXIS(1)), 0.5);
}

const struct ub_loss ub_loss_mse = {
    .name = "mse",
    .title = "MSE",
    .summary = "mean over samples of |output - target|^2 / 2, targets one-hot or values",
    .citation = "Cohen et al. 2021, arXiv:2103.00065",
    .build = build,
    .fits = fits,
};
