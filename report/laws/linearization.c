/* Wide networks train as their linearization: in the NTK parametrization the outputs of gradient
 * descent on squared loss are, after a fixed time below the edge, those of the model linearized
 * around its start up to an error that falls with the width N (Lee et al. 2019, arXiv:1902.06720,
 * who prove N^-1/2). The kernel's drift, 1/N for smooth activations (ntk_drift.c), drives the
 * error, so that it, too, falls as 1/N; relu's kinks leave a slower fall, of which only the proved
 * bound is known: it is no part of this law. Where features are learned (mup, mean-field) the error
 * stays: the control where the law must fail. */
#include "report/laws/group.h"

#include <math.h>

static bool is_lazy(const struct ub_frame *frame, size_t row)
{
    const bool scaled = ub_run_is(frame, row, "model.parametrization", "ntk") ||
                        ub_run_is(frame, row, "model.scaling", "ntk");
    return scaled && !ub_run_is(frame, row, "model.activation", "relu") &&
           ub_run_measures(frame, row, "linearization");
}

static double last_error(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return frame->store->runs[row].status == UB_RUN_OK
               ? ub_frame_last(frame, row, "linearization-error", 0)
               : (double)NAN;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "model.width", last_error, NULL);
}

static const struct ub_law_trend trend = {
    .points = points, .x = "width", .y = "relative distance of outputs", .is_slope = true};

static struct ub_datum slope_in_width(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_trend_slope(frame, group, &trend, "too few widths");
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_linearization = {
    .name = "linearization",
    .strand = UB_LIMITS,
    .claim =
        "in the NTK parametrization smooth networks train as their linearization up to 1/width",
    .formula = "|f(t) - f_lin(t)| / |f_lin(t) - f(0)| ~ width^-1, f_lin(t) = y + (1 - eta K/n)^t "
               "(f(0) - y)",
    .quantity = "slope of log relative distance from the linearized outputs on log width",
    .citation = "Lee et al. 2019, arXiv:1902.06720",
    .who = "smooth models with a width in the NTK parametrization, below their edge",
    .because = "0.15 tells 1 from the 1/2 that is proved, three times over",
    .within = within,
    .needs = {{.observable = "linearization"}, {.axis = "model.width", .least = 4}},
    .applies = is_lazy,
    .datum = slope_in_width,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.15},
};
