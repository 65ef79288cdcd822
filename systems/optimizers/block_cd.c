/* Greedy block coordinate descent: the parameter tensor b whose gradient is longest moves, alone,
 *
 *     theta_b <- theta_b - lr g_b,   b = argmax |g_b|   (scaled=false: - lr g_b / |g_b|),
 *
 * the steepest descent in the norm sum_b |theta_b|, whose dual norm is max_b |g_b|.
 *
 * Edge (norm_family.h). Steps lie along single blocks, so S = max_b lambda_max(H_bb), at 2/lr
 * (scaled=false: S/max_b |g_b|). A convex function is largest over this ball at an extreme point,
 * so that S is the generalized sharpness where H is positive semidefinite. */
#include "systems/optimizers/norm_family.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"scaled", UB_OPTION_FLAG, "true", 0, 0, NULL, "steps as long as the gradient of the block"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    ub_norm_attach(o, "block");
    return true;
}

const struct ub_optimizer_kind ub_optimizer_block_cd = {
    .name = "block-cd",
    .title = "block coordinate descent",
    .summary = "greedy block coordinate descent: the tensor of longest gradient moves",
    .citation = "Nutini et al. 2015, arXiv:1506.00552; Islamov et al. 2026, arXiv:2603.05002",
    .options = options,
    .needs_problem = true,
    .step = ub_norm_step,
    .attach = attach,
    .detach = ub_norm_detach,
    .geometry = UB_IN_A_NORM,
    .ball = ub_norm_ball,
    .threshold = ub_edge_plain,
    .rate_for = ub_edge_plain_rate,
    .edge_formula = "2/lr on the generalized sharpness",
    .edge_citation = "Islamov et al. 2026, arXiv:2603.05002",
};
