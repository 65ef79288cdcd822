/* trace.h - sharpness along training as a workload; peer.py does the same with SciPy's eigsh. */
#ifndef UB_PERF_TRACE_H
#define UB_PERF_TRACE_H

#include "base/base.h"

/* 1,500 steps of gradient descent at the edge on the small MLP on the digits, the two largest
 * eigenvalues of the Hessian every 10 steps, right to 1e-3 of the largest. Prints lines "WHAT
 * NUMBER": seconds of it all, of measuring and of products; the largest error, of the largest
 * eigenvalue; products a measurement. */
bool perf_trace_time(struct ub_error *err);

#endif
