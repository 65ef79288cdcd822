/* semidefinite.h - a small quadratic program over positive semidefinite matrices, which is the
 * semidefinite complementarity problem of central flows.
 *
 * Symmetric k x k matrices are vectors of k(k + 1)/2 numbers, row by row from the diagonal on,
 * entries off the diagonal times sqrt(2), so that dot products are those of matrices. */
#ifndef UB_SEMIDEFINITE_H
#define UB_SEMIDEFINITE_H

#include "base/base.h"

static inline int64_t ub_semidefinite_size(int64_t k)
{
    return k * (k + 1) / 2;
}

/* Minimizes x'Ax/2 - q'x over x >= 0 (semidefinite): equivalently x >= 0, Ax - q >= 0,
 * x'(Ax - q) = 0. A is m x m, m = ub_semidefinite_size(k), symmetric and positive semidefinite; x
 * holds a first guess and then the solution. Accelerated projected gradient with restarts (Beck and
 * Teboulle 2009, doi:10.1137/080716542; O'Donoghue and Candes 2012, arXiv:1204.3982). Returns the
 * residual, 0 at a solution: |x - [x - (Ax - q)/L]+| L over |q|, with L >= |A| and [.]+ the
 * projection. */
double ub_semidefinite_solve(int64_t k, const double *A, const double *q, double *x);

/* x of the matrix M (k x k, symmetric), and back. */
void ub_semidefinite_pack(int64_t k, const double *M, double *x);
void ub_semidefinite_unpack(int64_t k, const double *x, double *M);

#endif
