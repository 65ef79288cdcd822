/* linear_model.h - models whose outputs are linear in their parameters; private to this folder. */
#ifndef UB_OBSERVABLES_LINEAR_MODEL_H
#define UB_OBSERVABLES_LINEAR_MODEL_H

#include "bench/observables/observables.h"

/* The outputs' Jacobian on the training samples at the run's start: (samples x outputs) x
 * parameters, row-major. NULL where it is another at a second point, beyond rounding in f64. Caller
 * frees. */
double *ub_linear_features(const struct ub_moment *moment);
/* Bytes that it takes. */
int64_t ub_linear_features_bytes(const struct ub_problem *problem);

#endif
