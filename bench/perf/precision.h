/* precision.h - what precision bf16x3 gives on this machine: of f32 and bf16x3, on one thread, the
 * seconds of a case's gradient and Hessian-vector product (medians, both in turns), their errors
 * |x - x64| / |x64| beside f64, and the share of the gradient's products that is split. Rows of a
 * Markdown table. */
#ifndef UB_PERF_PRECISION_H
#define UB_PERF_PRECISION_H

#include "base/base.h"

bool perf_precision(const char *name, struct ub_error *err);

#endif
