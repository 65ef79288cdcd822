/* Spectral descent: with g_l = U_l S_l V_l' the gradient of matrix l,
 *
 *     theta_l <- theta_l - lr |g|_* U_l V_l',   |g|_* = sum_l tr S_l   (scaled=false: - lr U_l
 * V_l'),
 *
 * the steepest descent in the norm max_l |theta_l|_2, all matrices at once. A vector is a matrix of
 * one column: it moves along g/|g|. The factors are exact, by LAPACK's dgesdd; muon's are not.
 *
 * Edge (norm_family.h). S = max d'Hd over |d_l|_2 <= 1, at 2/lr; S/|g|_* if not scaled. */
#include "systems/optimizers/norm_family.h"

static const struct ub_option options[] = {
    {"lr", UB_OPTION_RATE, NULL, 0, 0, NULL, "learning rate, edge(S) or relative(R)"},
    {"scaled", UB_OPTION_FLAG, "true", 0, 0, NULL, "steps as long as the gradient's nuclear norms"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool attach(struct ub_optimizer *o, struct ub_error *err)
{
    (void)err;
    ub_norm_attach(o, "spectral");
    return true;
}

const struct ub_optimizer_kind ub_optimizer_spectral_gd = {
    .name = "spectral-gd",
    .title = "spectral descent",
    .summary = "steepest descent in the largest singular value of any matrix",
    .citation = "Carlson, Cevher and Carin 2015, AISTATS; Islamov et al. 2026, arXiv:2603.05002",
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
