/* flow.h - the central flow of gradient descent as a workload; peer_flow.py integrates the same. */
#ifndef UB_PERF_FLOW_H
#define UB_PERF_FLOW_H

#include "base/base.h"

/* Prints the problem and where the flow starts, numbers exactly, a key and its values a line. */
bool perf_flow_describe(struct ub_error *err);
/* Integrates it and prints seconds a step (median of three), what it spent, and where it ends. */
bool perf_flow_time(struct ub_error *err);

#endif
