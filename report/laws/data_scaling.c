/* Data scaling: test error falls as a power of the number of samples, n^-b, and kernel theory says
 * which (Spigler et al. 2019, arXiv:1905.10843; Bordelon et al. 2020, arXiv:2002.02561; Bahri et
 * al. 2021, arXiv:2102.06701). Of eigenvalues k^-alpha and squared coefficients k^-(alpha + 2
 * beta), which is the convention of the gaussian data here, the limit is
 *
 *     b = min(alpha + 2 beta - 1, 2 alpha),
 *
 * the power left in modes beyond the n-th, or what the learned ones miss, kappa^2 sum v^2/l^2 with
 * kappa ~ n^-alpha. With finitely many features and samples curves bend: the slope is held against
 * the slope that the exact sum has at the same n (predicted-risk), fitted in the same way, not
 * against b.
 *
 * A group is one system at all n; its datum the ratio of the slope of log test error on log n,
 * each draw of the data a point, to that of the prediction. Noise would add a floor: systems with
 * some are no part of it, so that the excess risk is all of the test error. */
#include "report/laws/group.h"

#include <math.h>

static bool has_no_floor(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "predicted-risk") &&
           ub_run_measures(frame, row, "excess-risk") &&
           ub_frame_number(frame, row, "dataset.noise") == 0;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "dataset.size", ub_run_last, "excess-risk");
    for (size_t i = 0; i < group->count; i++)
        ub_trend_predict(trend, ub_frame_number(frame, group->row[i], "dataset.size"),
                         ub_run_last(frame, group->row[i], "predicted-risk"));
}

static const struct ub_law_trend trend = {.points = points, .x = "samples", .y = "excess risk"};

static struct ub_datum ratio_of_slopes(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_datum d = ub_trend_slope(frame, group, &trend, "too few sizes");
    const struct ub_datum predicted = ub_group_slope(frame, group, "dataset.size", ub_run_last,
                                                     "predicted-risk", "no prediction");
    if (d.why || predicted.why)
        return d.why ? d : predicted;
    d.value /= predicted.value;
    d.se /= fabs(predicted.value);
    return d;
}

static const char *const within[] = {"dataset.size", NULL};

const struct ub_law ub_law_data_scaling = {
    .name = "data-scaling",
    .strand = UB_EMPIRICAL,
    .claim = "test error falls with samples as fast as kernel theory says",
    .formula =
        "error ~ n^-b, b as the exact sum has it at these n; b -> min(alpha + 2 beta - 1, 2 alpha)",
    .quantity = "slope of log test error on log samples, over the predicted one",
    .citation = "Bordelon et al. 2020, arXiv:2002.02561; Bahri et al. 2021, arXiv:2102.06701",
    .who = "kernel regression on data without noise whose population is known",
    .because = "a tenth of an exponent is what fits of published scaling laws are quoted to",
    .within = within,
    .needs = {{.observable = "predicted-risk"},
              {.observable = "excess-risk"},
              {.axis = "dataset.size", .least = 4}},
    .applies = has_no_floor,
    .datum = ratio_of_slopes,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
