/* Negative log-likelihood of a softmax over the outputs: log sum_k exp(z_k) - z_label. The
 * target's entries sum to 1, so -sum_k t_k log p_k is that. */
#include "systems/systems.h"

static bool fits(const struct ub_dataset *data, struct ub_error *err)
{
    if (data->task != UB_CLASSIFICATION)
        return ub_fail(err, UB_INPUT, "'%s' is a regression task; expected classification",
                       data->name ? data->name : "dataset");
    return true;
}

static ub_node build(struct ub_graph *g, ub_node output, ub_node target)
{
    const ub_node picked = ub_sum(g, ub_mul(g, target, output), UB_AXIS(1));
    return ub_sub(g, ub_log_sum_exp(g, output), picked);
}

const struct ub_loss ub_loss_ce = {
    .name = "ce",
    .title = "cross-entropy",
    .summary = "mean over samples of the softmax cross-entropy",
    .citation = "Bridle 1990, Neurocomputing F68",
    .softmax = true,
    .build = build,
    .fits = fits,
};
