/* Gradient descent and gradient flow: after a fixed time, rate x steps, they are O(eta) apart, the
 * order of Euler's method (Hairer, Lubich and Wanner 2006; Barrett and Dherin 2021,
 * arXiv:2009.11162). Heavy ball follows the flow at 1/(1 - beta) times the speed: the control where
 * the law must fail. On a quadratic the flow is exp(-Ht): the one where it must hold. */
#include "report/laws/flow_order.h"
#include "report/laws/group.h"

bool ub_follows_flow(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           !ub_run_is(frame, row, "model.activation", "relu") &&
           !ub_run_is(frame, row, "model.pool", "max") &&
           ub_run_measures(frame, row, "flow-distance");
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "optimizer.lr", ub_run_last, "flow-distance");
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "learning rate",
                                          .y = "relative distance from the flow",
                                          .is_slope = true};

static struct ub_datum order(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_flow_order(frame, group, &trend);
}

const struct ub_law ub_law_gradient_flow = {
    .name = "gradient-flow",
    .strand = UB_LIMITS,
    .claim = "at a fixed time gradient descent is within O(rate) of gradient flow",
    .formula = "|theta_gd - theta_flow| / |theta_gd - theta(0)| ~ eta^1 at a fixed time eta t",
    .quantity = "slope of log distance from gradient flow on log rate",
    .citation = "Barrett and Dherin 2021, arXiv:2009.11162; Hairer, Lubich and Wanner 2006",
    .who = "gradient descent below its edge, on smooth models",
    .because =
        "the next order adds its own share of the distance, a fifth at the largest rate, less "
        "at the others",
    .within = ub_flow_within,
    .needs = {{.observable = "flow-distance"}, {.axis = "optimizer.lr", .least = 4}},
    .applies = ub_follows_flow,
    .datum = order,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
