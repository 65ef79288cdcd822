/* Order, criticality, chaos: a small difference between inputs grows or fades by chi a layer,
 * chi = s_w^2 E phi'(u)^2 at the layer's variance of pre-activations: 1 is critical (Poole et al.
 * 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232).
 *
 * A group holds one system at several variances of weights (gains of the init). The datum is the
 * slope of the measured mean log growth a layer on the mean log chi that the maps give. */
#include "report/laws/group.h"
#include "report/statistics/axis.h"

#include <math.h>

static bool follows_signals(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "signal") &&
           !(ub_run_last_step(frame, row, "perturbation-growth") > 0); /* not of trained weights */
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    for (size_t i = 0; i < group->count; i++) {
        const size_t row = group->row[i]; /* the fit takes logs of both again */
        ub_trend_add(trend, (struct ub_axis_point){
                                exp(ub_frame_last(frame, row, "perturbation-growth-map", 0)),
                                exp(ub_frame_last(frame, row, "perturbation-growth", 0)),
                                seed->level[row]});
    }
}

static const struct ub_law_trend trend = {
    .points = points, .x = "chi of the theory", .y = "growth a layer, measured", .is_slope = true};

static struct ub_datum slope_on_chi(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    points(frame, group, &t);
    const struct ub_interval slope = ub_axis_slope(t.point, t.count);
    ub_trend_clear(&t);
    return ub_datum_of(&slope, "too few variances of weights");
}

static const char *const within[] = {"init.gain", NULL};

const struct ub_law ub_law_perturbation_growth = {
    .name = "perturbation-growth",
    .strand = UB_LIMITS,
    .claim = "small differences between inputs grow or fade by chi a layer",
    .formula = "log(|dh_l|^2 / |dh_{l-1}|^2) = log chi, chi = s_w^2 E phi'(u)^2",
    .quantity = "slope of mean log growth a layer on mean log chi",
    .citation = "Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232",
    .who = "fully connected models at several gains of their init",
    .because = "0.05 is some standard errors of a slope at width 256 over chi from 0.3 to 5",
    .within = within,
    .needs = {{.observable = "signal"}, {.axis = "init.gain", .least = 3}},
    .applies = follows_signals,
    .datum = slope_on_chi,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.05},
};
