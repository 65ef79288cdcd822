/* best_rate.h - how the best learning rate of sweeps goes with a size of the model: what laws of
 * transfer have in common.
 *
 * Best is the rate of least training loss at the end: for each seed and size the vertex of the
 * parabola through the least loss and its two neighbors, log of the loss over log2 of the rate
 * (report/statistics/axis.h). A run that diverged counts as the group's worst loss. */
#ifndef UB_LAWS_BEST_RATE_H
#define UB_LAWS_BEST_RATE_H

#include "report/laws/group.h"

enum { UB_LEAST_RATES = 5 };

/* Whether the group has so many rates at some seed and size. */
bool ub_sweeps_rates(const struct ub_frame *frame, const struct ub_rows *group, const char *axis);
/* Slope of log best rate on log `axis`, seeds as replicates; none where the least loss stands at an
 * end of the rates for some seed and size (`outside`; against the law where it is inside at others:
 * it has moved), or with fewer than three sizes (`few`). */
struct ub_datum ub_best_rate_slope(const struct ub_frame *frame, const struct ub_rows *group,
                                   const char *axis, const char *outside, const char *few);

#endif
