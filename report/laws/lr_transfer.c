/* Transfer of the learning rate: under mup the best rate does not depend on the width (Yang et al.
 * 2022, arXiv:2203.03466, section 4); in the standard parametrization Adam's best rate falls as
 * 1/width (their figure 1), which makes it the control where the law must fail.
 *
 * The datum is the slope of log best rate on log width (best_rate.h). */
#include "report/laws/best_rate.h"

static bool under_mup(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.parametrization", "mup") &&
           ub_run_measures(frame, row, "loss");
}

/* Other suites' runs under mup have one or two rates. */
static bool has_sweep(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_sweeps_rates(frame, group, "model.width");
}

static struct ub_datum slope_of_best(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_best_rate_slope(frame, group, "model.width",
                              "no optimum inside the rates at some width", "too few widths");
}

static const char *const within[] = {"optimizer.lr", "model.width", NULL};

const struct ub_law ub_law_lr_transfer = {
    .name = "lr-transfer",
    .strand = UB_HYPERPARAMETERS,
    .claim = "under mup the best learning rate does not depend on the width",
    .formula = "argmin_eta L(T; eta, width) ~ width^0",
    .quantity = "slope of log best learning rate on log width",
    .citation = "Yang et al. 2022, arXiv:2203.03466",
    .who = "models with a width under mup, swept over five rates or more at each width",
    .because = "0.2 is a fifth of the slope that the standard parametrization has under Adam",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "model.width", .least = 3},
              {.axis = "optimizer.lr", .least = UB_LEAST_RATES}},
    .applies = under_mup,
    .concerns = has_sweep,
    .datum = slope_of_best,
    .is = {UB_EQUAL, .target = 0, .margin = 0.2},
};
