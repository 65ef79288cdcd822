/* Sum over outputs of sqrt(1 + residual^2) - 1: a square near zero, a line far from it. */
#include "systems/systems.h"

static bool fits(const struct ub_dataset *data, struct ub_error *err)
{
    (void)data, (void)err;
    return true;
}

static ub_node build(struct ub_graph *g, ub_node output, ub_node target)
{
    const ub_node residual = ub_sub(g, output, target);
    const ub_node root = ub_sqrt(g, ub_add(g, ub_mul(g, residual, residual), ub_scalar(g, 1)));
    return ub_sum(g, ub_sub(g, root, ub_scalar(g, 1)), UB_AXIS(1));
}

const struct ub_loss ub_loss_pseudo_huber = {
    .name = "pseudo-huber",
    .summary = "mean over samples of the sum of sqrt(1 + (output - target)^2) - 1",
    .citation = "Charbonnier et al. 1997, doi:10.1109/83.551699",
    .build = build,
    .fits = fits,
};
