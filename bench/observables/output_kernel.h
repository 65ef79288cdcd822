/* output_kernel.h - the kernel k(x, x') of models whose outputs are alike and independent, as one
 * output's: J J' = k (x) I on the samples of a problem. Private to this folder. */
#ifndef UB_OUTPUT_KERNEL_H
#define UB_OUTPUT_KERNEL_H

#include "systems/systems.h"

/* samples x samples at theta, by as many products with J' and J; caller frees. NULL with an error
 * when outputs differ or depend on one another, or targets have several positions. */
double *ub_output_kernel_new(struct ub_problem *p, const double *theta, struct ub_error *err);
/* c where J J' = c X X' (x) I, X the inputs, to 1e-5: a linear model of the inputs; else NAN. */
double ub_linear_kernel_factor(struct ub_problem *p, const double *theta);
int64_t ub_output_kernel_bytes(const struct ub_problem *p, int64_t samples);

#endif
