/* trend.h - how a number of runs goes with another, of laws whose datum is fitted to that: the
 * points of one group, from which the datum is made and which its figure shows with the fit and its
 * 95% band (report/sections/plots_trends.c).
 *
 *     static void points(const struct ub_frame *frame, const struct ub_rows *group,
 *                        struct ub_trend *trend)
 *     {
 *         ub_trend_axis(trend, frame, group, "model.width", ub_run_last, "kernel-drift");
 *     }
 *     static const struct ub_law_trend trend = {
 *         .points = points, .x = "width", .y = "relative change of the kernel", .is_slope = true};
 */
#ifndef UB_LAWS_TREND_H
#define UB_LAWS_TREND_H

#include "report/frame/frame.h"
#include "report/statistics/axis.h"

/* Zeroed before its first use. */
struct ub_trend {
    struct ub_axis_point *point; /* replicates: what is independent */
    size_t count, room;
    struct ub_axis_point *predicted; /* a curve that theory has without a fit, means at each x */
    size_t n_predicted, predicted_room;
};
void ub_trend_add(struct ub_trend *trend, struct ub_axis_point point);
void ub_trend_predict(struct ub_trend *trend, double x, double y);
/* A point a run, seeds as replicates. `number`: ub_run_number (group.h). */
void ub_trend_axis(struct ub_trend *trend, const struct ub_frame *frame,
                   const struct ub_rows *group, const char *axis,
                   double (*number)(const struct ub_frame *frame, size_t row, const void *context),
                   const void *context);
void ub_trend_clear(struct ub_trend *trend);

/* Of laws that say of curves that they are one in the right units: a run's, as measured and in
 * those units (report/sections/plots_curves.c). */
struct ub_law_curves {
    /* Both NULL's or both filled (steps: abscissas; cleared by the caller); false: it has none. */
    bool (*curve)(const struct ub_frame *frame, size_t row, struct ub_series *measured,
                  struct ub_series *scaled);
    const char *by;    /* the axis whose values are told apart: "model.width" */
    const char *x, *y; /* as measured */
    const char *scaled_x, *scaled_y;
};

/* What a law says of it. */
struct ub_law_trend {
    /* What a fit is made of; replicates that are independent have their own number. */
    void (*points)(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend);
    const char *x, *y; /* what they are, with their unit where they have one */
    enum ub_axis_fit fit;
    const char *values; /* what single points are, where they are not values of runs */
    bool is_slope;      /* the law's value is the fit's slope: its prediction is drawn beside it */
};

#endif
