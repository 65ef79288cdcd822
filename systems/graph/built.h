/* built.h - names of what is compiled once for each real type and instruction set (CMakeLists.txt):
 * both are in them, ub_sum_v4_float. For those sources alone; all others have pick.c. */
#ifndef UB_BUILT_H
#define UB_BUILT_H

#include "systems/graph/kernels.h"

#define UB_BUILT__(name, isa, real) ub_##name##_##isa##_##real
#define UB_BUILT_(name, isa, real)  UB_BUILT__(name, isa, real)
#define UB_BUILT(name)              UB_BUILT_(name, UB_ISA, UB_REAL)

extern const struct ub_kernels UB_BUILT(kernels);

ub_multiply_kernel UB_BUILT(multiply); /* multiply.c */

ub_convolve_kernel UB_BUILT(convolve); /* direct.c */
ub_convolve_scratch_kernel UB_BUILT(convolve_scratch);

/* functions.c; in float alone */
ub_pointwise_kernel UB_BUILT(exp), UB_BUILT(tanh), UB_BUILT(erf), UB_BUILT(sigmoid),
    UB_BUILT(softplus);

ub_reduce_kernel UB_BUILT(sum), UB_BUILT(maximum); /* reduce.c */
ub_sum_part_kernel UB_BUILT(sum_part);
ub_sum_lanes_kernel UB_BUILT(sum_lanes);

#endif
