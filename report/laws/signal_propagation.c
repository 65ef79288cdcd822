/* Signal propagation: correlations of inputs follow, layer by layer, the scalar maps of infinite
 * width (Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232) up to
 * fluctuations of sqrt(L/N) at width N and depth L.
 *
 * A correlation c over N units has a standard deviation of (1 - c^2)/sqrt(N) at most. Linear
 * layers, which pass correlations on as they are, add one such step each, a random walk of L steps;
 * where the map contracts, fewer count. So the datum is the largest distance to the map, over pairs
 * of samples and layers, times sqrt(N/L), mean over seeds, and is at most 3, what the largest of
 * some dozens of normals is. (Without L the bound would be broken by depth alone: tanh at a gain of
 * 0.6 and six layers is at 3.1.)
 *
 * A width of 16 does not break this bound, which grows as the width falls. What breaks it is
 * training: weights that have learned features are no draws any more, the control where the law
 * must fail. */
#include "report/laws/group.h"

#include <math.h>

static bool follows_signals(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "signal") &&
           isfinite(ub_frame_number(frame, row, "model.width")) &&
           !(ub_run_last_step(frame, row, "correlation-error") > 0);
}

static double scaled_error(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    const double depth = ub_frame_number(frame, row, "model.depth"); /* of one layer: not said */
    return ub_frame_last(frame, row, "correlation-error", 0) *
           sqrt(ub_frame_number(frame, row, "model.width") / (isfinite(depth) ? depth : 1));
}

static struct ub_datum error_of(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, scaled_error, NULL, "no map of infinite width is known");
}

const struct ub_law ub_law_signal_propagation = {
    .name = "signal-propagation",
    .strand = UB_LIMITS,
    .claim = "correlations of inputs follow the maps of infinite width through the depth",
    .formula = "max |corr(h_l(a), h_l(b)) - c_l(a, b)| <= 3 sqrt(depth/width), c_l by the map of "
               "infinite width",
    .quantity = "sqrt(width/depth) x largest distance of a correlation from the map",
    .citation = "Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232",
    .who = "fully connected models at their start",
    .because = "three standard deviations of a correlation over that many units and layers",
    .needs = {{.observable = "signal"}},
    .applies = follows_signals,
    .datum = error_of,
    .is = {UB_AT_MOST, .target = 3},
};
