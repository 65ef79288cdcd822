/* axis.h - facts over an axis of runs: slopes, where a curve is least, when it reaches a level, how
 * far curves are apart. Points come with the replicate (seed) that they belong to, for replicates
 * are what is independent. */
#ifndef UB_STATISTICS_AXIS_H
#define UB_STATISTICS_AXIS_H

#include "report/statistics/statistics.h"

struct ub_axis_point {
    double x, y;
    int replicate; /* >= 0 */
};

/* Slope of log y on log x. With three replicates or more that each have three points of different
 * x: the mean of their slopes with Student's interval over replicates. With fewer: one line with a
 * level a replicate, its error from the scatter about it (n - replicates - 1 degrees of freedom, so
 * curvature widens it). Points with x or y not above 0 are left out. NAN with fewer than three
 * different x. n: points used; n_effective: degrees of freedom + 1. */
struct ub_interval ub_axis_slope(const struct ub_axis_point *points, size_t n);

/* The same of y on x, on linear axes: all finite points are used. */
struct ub_interval ub_axis_line(const struct ub_axis_point *points, size_t n);

/* Exponent s of y = c x^s through the means of y at each x, which may be below 0 where noise is
 * larger than what is looked for: weighted least squares on the values themselves, the weights from
 * the scatter at each x (those of fewer than three points, or without scatter, are left out). Its
 * error is that of the fit, widened by chi squared where the means are farther from a power law
 * than their errors. |s| < 4; NAN with fewer than three different x, or an end of that range. n:
 * points; n_effective: means - 1. Replicates do not matter. */
struct ub_interval ub_axis_power(const struct ub_axis_point *points, size_t n);

/* How a number goes with another. */
enum ub_axis_fit {
    UB_FIT_POWER, /* ub_axis_slope */
    UB_FIT_LINE,  /* ub_axis_line */
    UB_FIT_MEANS, /* ub_axis_power */
    UB_FIT_NONE   /* no line */
};
/* What that fit's own line is at each of `count` x (> 0 but of a line), with its 95% interval
 * there, as the slope's is made: over the replicates' lines, from the scatter about one line, or by
 * the fit's information. NAN ends where no error is known. Returns false, `at` untouched, where
 * there is no line. Of a power law the estimate is a geometric mean, its se one of logarithms. */
bool ub_axis_band(const struct ub_axis_point *points, size_t n, enum ub_axis_fit fit,
                  const double *x, size_t count, struct ub_interval *at);
/* The same of UB_FIT_MEANS. */
bool ub_axis_power_band(const struct ub_axis_point *points, size_t n, const double *x, size_t count,
                        struct ub_interval *at);

/* Where y is least: the vertex of the parabola through the least mean of y (over replicates) and
 * its neighbors in x, y as log y and x as log2 x. Its error: the vertex of each replicate on its
 * own, Student's interval of their mean (n >= 2). `inside` is false, and the estimate NAN, when the
 * least mean stands at an end of the axis: then nobody knows where the optimum is. In log2 x. */
struct ub_interval ub_axis_minimum(const struct ub_axis_point *points, size_t n, bool *inside);

/* The x at which y, read from point to point in order, first is at `level` or beyond, coming from
 * the other side: linear in between. NAN when it never is, x[0] when it is at once. */
double ub_first_reach(const double *x, const double *y, size_t n, double level);

/* Share of the sum of squares that a grouping of x explains, and its 95% interval: eta squared as
 * the population's, from the noncentral F whose noncentrality lambda has the observed F at its
 * upper or lower tail (Smithson 2003, Confidence Intervals, ch. 4): lambda / (lambda + n). For
 * normal residuals of one size. The estimate is omega squared (Hays 1963), 0 at least. NAN when no
 * group has two members, or all are in one. */
struct ub_interval ub_share_explained(const double *x, const int *group, size_t n);

#endif
