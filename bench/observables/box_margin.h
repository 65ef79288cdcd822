/* box_margin.h - the largest margin that a direction of maximum norm 1 has; private to this folder.
 *
 *     gamma = max over |w_j| <= 1 of min_i c_i . w,
 *
 * a linear program. By duality gamma = min |sum_i lambda_i c_i|_1 over lambda >= 0 of sum 1: it is
 * 0 where no direction has a positive margin. */
#ifndef UB_OBSERVABLES_BOX_MARGIN_H
#define UB_OBSERVABLES_BOX_MARGIN_H

#include <stdbool.h>
#include <stdint.h>

/* Of m rows c (m x p). By GLPK's simplex method, its tolerance 1e-7 of the rows' scale; false where
 * it does not end. */
bool ub_box_margin(int64_t m, int64_t p, const double *c, double *gamma);

#endif
