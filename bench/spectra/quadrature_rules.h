/* quadrature_rules.h - what the two files of stochastic Lanczos quadrature share. */
#ifndef UB_QUADRATURE_RULES_H
#define UB_QUADRATURE_RULES_H

#include "bench/spectra/quadrature.h"

/* The Gauss rule of a tridiagonal of size m, diagonal `node` and off-diagonal `beta` (m - 1 of
 * them; m numbers, overwritten): ascending nodes into `node`, weights that sum to `mass` into
 * `weight`. False when LAPACK fails. */
bool ub_gauss_rule(int64_t m, double *node, double *beta, double mass, double *weight);

#endif
