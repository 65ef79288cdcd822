/* Lazy training by scale: with the outputs alpha (f(theta) - f(theta_0)) and the learning rate
 * divided by alpha^2, which a rate relative to the edge at the start does by itself, the weights'
 * relative movement by a fixed time falls as 1/alpha as alpha grows: to move outputs by O(1)
 * weights need to move by O(1/alpha), and the model is its linearization around the start (Chizat,
 * Oyallon and Bach 2019, arXiv:1812.07956, theorem 2.2).
 *
 * Outputs start at 0, which is what `centered` is for: else the residual grows with alpha itself.
 * Below alpha = 1 training is rich instead (a two-layer homogeneous network's weights, of product
 * 1/alpha at the end, grow as alpha^-1/2): the control where the law must fail. */
#include "report/laws/group.h"

#include <math.h>

static const double large = 4; /* four starts' worth of output; a slope needs a decade above it */

static bool is_scaled_up(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.centered", "true") &&
           ub_run_is(frame, row, "loss", "mse") &&
           ub_frame_number(frame, row, "model.output-scale") >= large &&
           ub_run_measures(frame, row, "distance");
}

static double movement(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return frame->store->runs[row].status == UB_RUN_OK
               ? ub_frame_last(frame, row, "relative-distance", 0)
               : (double)NAN;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "model.output-scale", movement, NULL);
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "output scale alpha",
                                          .y = "relative movement of the weights",
                                          .is_slope = true};

static struct ub_datum slope_in_scale(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_trend_slope(frame, group, &trend, "too few scales");
}

static const char *const within[] = {"model.output-scale", NULL};

const struct ub_law ub_law_lazy_scale = {
    .name = "lazy-scale",
    .strand = UB_LIMITS,
    .claim = "weights move by 1/alpha of their size when outputs are scaled by a large alpha",
    .formula =
        "|theta(t) - theta(0)| / |theta(0)| ~ alpha^-1, outputs alpha (f(theta) - f(theta(0)))",
    .quantity = "slope of log relative movement of the weights on log output scale",
    .citation = "Chizat, Oyallon and Bach 2019, arXiv:1812.07956",
    .who = "models with centered outputs scaled by 4 or more, squared loss",
    .because = "0.1 is a fifth of the distance to the slope of rich training, -1/2",
    .within = within,
    .needs = {{.observable = "distance"}, {.axis = "model.output-scale", .least = 4}},
    .applies = is_scaled_up,
    .datum = slope_in_scale,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.1},
};
