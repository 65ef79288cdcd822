/* Transfer over depth: where residual branches are divided by the root of their number, the best
 * learning rate of gradient descent does not depend on the depth (Bordelon et al. 2023,
 * arXiv:2309.16620; Yang et al. 2023, arXiv:2310.02244). Without that factor the forward signal
 * grows with each branch, and the best rate falls: the control where the law must fail.
 *
 * The datum is the slope of log best rate on log depth (best_rate.h). Adam's rate would have to
 * fall as 1/sqrt(depth), too (Yang et al., table 1): the law speaks of gradient descent. */
#include "report/laws/best_rate.h"

static bool scales_branches(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.branch", "sqrt") &&
           ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_measures(frame, row, "loss");
}

static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_sweeps_rates(frame, group, "model.depth");
}

static struct ub_datum slope_of_best(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_best_rate_slope(frame, group, "model.depth",
                              "no optimum inside the rates at some depth", "too few depths");
}

static const char *const within[] = {"optimizer.lr", "model.depth", NULL};

const struct ub_law ub_law_depth_transfer = {
    .name = "depth-transfer",
    .strand = UB_LIMITS,
    .claim = "with residual branches over the root of their number the best learning rate does not "
             "depend on the depth",
    .formula = "d log eta_best / d log depth = 0",
    .quantity = "slope of log best learning rate on log depth",
    .citation = "Yang et al. 2023, arXiv:2310.02244; Bordelon et al. 2023, arXiv:2309.16620",
    .who =
        "residual networks with branches over sqrt(depth) under gradient descent, swept over five "
        "rates or more at each depth",
    .because = "0.25, half of the exponent of the factor that is in question",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "model.depth", .least = 3},
              {.axis = "optimizer.lr", .least = UB_LEAST_RATES}},
    .applies = scales_branches,
    .concerns = has_sweep,
    .datum = slope_of_best,
    .is = {UB_EQUAL, .target = 0, .margin = 0.25},
};
