/* symmetry.h - weights without a scale, as the observable `symmetry` finds them; shared by the laws
 * about them. */
#ifndef UB_LAWS_SYMMETRY_H
#define UB_LAWS_SYMMETRY_H

#include "report/laws/law.h"

/* A network with norms whose epsilon is nothing beside any variance: with the usual 1e-5 weights
 * have a scale after all (bench/observables/symmetry.c). */
bool ub_is_normed(const struct ub_frame *frame, size_t row);
/* Gradient descent without momentum, whole or stochastic (noether.c). */
bool ub_is_plain_descent(const struct ub_frame *frame, size_t row);

/* Of each weight by its index: whether it has no scale. Where none has (no norm: controls) all of
 * them count. `count`: weights that were measured. Caller frees. */
bool *ub_scale_free_weights(const struct ub_trace *trace, size_t *count);

/* Rotation (rotation.c): whether the law speaks of a run, the angle a step that it predicts, and
 * what the decay of a step is, whose inverse is the time that norms take. */
bool ub_run_turns(const struct ub_frame *frame, size_t row);
double ub_turn_predicted(const struct ub_frame *frame, size_t row);
double ub_turn_decay(const struct ub_frame *frame, size_t row);

#endif
