/* Hessian outliers: training gives the Gauss-Newton matrix one outlier more for each class (Sagun
 * et al. 2017, arXiv:1706.04454; Papyan 2020, arXiv:2008.11865).
 *
 * Outliers are the eigenvalues before the largest ratio of neighbors, in the leading half of those
 * found. What the start shows already is subtracted, for there are outliers without any class
 * structure: while all outputs weigh the same, the readout's block is H (x) A, the hidden second
 * moment times the C x C curvature of the loss in the outputs, whose eigenvalues come C times (A =
 * 1/C under squared loss) or C - 1 times (A = (1 - 11'/C)/C under cross-entropy); a mean that
 * stands out in H is so many outliers. A run that does not train adds none: a control that must
 * fail. One that must hold has one hidden unit, f = a w'x: Gauss-Newton is (1/C) of the covariance
 * of (a (x) x, 1 (x) w'x). Where the inputs' second moment is about mu m m', m their mean's
 * direction, a start far from m has one eigenvalue that stands out, |a|^2 mu; gradient descent from
 * a small start brings w to m and keeps |a| = |w| (Du, Hu and Lee 2018, arXiv:1806.00900), where
 * there are C, all within a factor of two: |w|^2 mu C - 1 times and (|a|^2 + |w|^2) mu once.
 *
 * Groups hold one system on subsets of a dataset's classes; the datum is the slope of the number
 * added on the number of classes, on linear axes. */
#include "report/laws/group.h"
#include "report/statistics/axis.h"

#include <math.h>
#include <string.h>

static bool of_class_subset(const struct ub_frame *frame, size_t row)
{
    const char *classes = ub_frame_word(frame, row, "dataset.classes");
    return *classes && strcmp(classes, "none") != 0 &&
           ub_run_measures_with(frame, row, "spectrum", "operator", "gauss-newton");
}

/* NAN where it was not measured twice. */
static double outliers_added(const struct ub_frame *frame, size_t row)
{
    struct ub_series s = ub_frame_series(frame, row, "outliers.gauss-newton", 0);
    const bool known = s.count > 1 && frame->store->runs[row].status == UB_RUN_OK;
    const double added = known ? s.value[s.count - 1] - s.value[0] : (double)NAN;
    ub_series_clear(&s);
    return added;
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    const struct ub_column *seed = ub_frame_column(frame, "seed");
    for (size_t i = 0; i < group->count; i++)
        ub_trend_add(trend, (struct ub_axis_point){
                                ub_run_fact(&frame->store->runs[group->row[i]], "classes"),
                                outliers_added(frame, group->row[i]), seed->level[group->row[i]]});
}

static const struct ub_law_trend trend = {.points = points,
                                          .x = "classes",
                                          .y = "outliers added by training",
                                          .fit = UB_FIT_LINE,
                                          .is_slope = true};

static struct ub_datum added_per_class(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_trend t = {0};
    points(frame, group, &t);
    const struct ub_interval slope = ub_axis_line(t.point, t.count);
    ub_trend_clear(&t);
    return ub_datum_of(&slope, ub_group_why(frame, group, "too few numbers of classes"));
}

static const char *const within[] = {"dataset.classes", NULL};

const struct ub_law ub_law_hessian_outliers = {
    .name = "hessian-outliers",
    .strand = UB_UNIVERSAL,
    .claim = "training adds one outlier to Gauss-Newton for each class",
    .formula = "outliers(T) - outliers(0) = 1 x classes + constant",
    .quantity = "slope of outliers added on classes",
    .citation = "Sagun et al. 2017, arXiv:1706.04454; Papyan 2020, arXiv:2008.11865",
    .who = "classifiers of subsets of a dataset's classes",
    .because = "0.15 of a class is one outlier over the range of 2 to 10 classes",
    .within = within,
    .needs = {{.observable = "spectrum"}, {.axis = "dataset.classes", .least = 4}},
    .applies = of_class_subset,
    .datum = added_per_class,
    .trend = &trend,
    .is = {UB_EQUAL, .target = 1, .margin = 0.15},
};
