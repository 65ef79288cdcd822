/* flow_order.h - the order in the learning rate of a distance from a flow; shared by the laws about
 * gradient descent's flows. */
#ifndef UB_LAWS_FLOW_ORDER_H
#define UB_LAWS_FLOW_ORDER_H

#include "report/laws/law.h"

/* Plain gradient descent of a model without kinks, measured against its flow (gradient_flow.c). */
bool ub_follows_flow(const struct ub_frame *frame, size_t row);
/* Slope of the trend's points, last values over rates, over runs that end at one time, rate x
 * steps; rates and steps vary within the group. */
struct ub_datum ub_flow_order(const struct ub_frame *frame, const struct ub_rows *group,
                              const struct ub_law_trend *trend);
extern const char *const ub_flow_within[];

#endif
