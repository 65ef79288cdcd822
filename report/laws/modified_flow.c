/* Implicit gradient regularization: after a fixed time, rate x steps, gradient descent is O(eta^2)
 * from the flow of L + (eta/4) |grad L|^2, one order nearer than from that of L (Barrett and Dherin
 * 2021, arXiv:2009.11162, by backward error analysis: Hairer, Lubich and Wanner 2006). Relu's loss
 * has kinks, across which the expansion does not hold. Heavy ball has another modified loss: the
 * control where the law must fail; a quadratic, where both flows are exponentials, the one where it
 * must hold. */
#include "report/laws/flow_order.h"
#include "report/laws/group.h"

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "optimizer.lr", ub_run_last, "modified-flow-distance");
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "learning rate",
                                          .y = "distance from the modified flow",
                                          .is_slope = true};

static struct ub_datum order(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_flow_order(frame, group, &trend);
}

const struct ub_law ub_law_modified_flow = {
    .name = "modified-flow",
    .strand = UB_LIMITS,
    .claim =
        "at a fixed time gradient descent is within O(rate^2) of the flow of its modified loss",
    .formula = "|theta_gd - theta_flow| / |theta_gd - theta(0)| ~ eta^2 at a fixed time eta t, of "
               "the flow of L + (eta/4) |grad L|^2",
    .quantity = "slope of log distance from the modified flow on log rate",
    .citation = "Barrett and Dherin 2021, arXiv:2009.11162; Hairer, Lubich and Wanner 2006",
    .who = "gradient descent below its edge, on smooth models",
    .because = "twice gradient-flow's margin, as for twice the order",
    .within = ub_flow_within,
    .needs = {{.observable = "flow-distance"}, {.axis = "optimizer.lr", .least = 4}},
    .applies = ub_follows_flow,
    .datum = order,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 2, .margin = 0.2},
};
