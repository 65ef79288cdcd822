/* eigen_dense.c - eigenvalues of a matrix in memory, by LAPACK's divide and conquer. */
#include "bench/spectra/eigen.h"

#include <lapacke.h>
#include <limits.h>
#include <math.h>

bool ub_eigen_dense(int64_t n, double *a, double *values, bool vectors, struct ub_error *err)
{
    if (n < 1 || n > INT_MAX)
        return ub_fail(err, UB_INPUT, "eigenvalues: matrix of size %lld; expected 1 to %d",
                       (long long)n, INT_MAX);
    for (int64_t i = 0; i < n * n; i++)
        if (!isfinite(a[i]))
            return ub_fail(err, UB_INPUT,
                           "eigenvalues: entry (%lld, %lld) is %g; expected finite numbers",
                           (long long)(i / n), (long long)(i % n), a[i]);
    /* Column-major on a symmetric matrix: eigenvector i comes out as row i. */
    const int failed =
        LAPACKE_dsyevd(LAPACK_COL_MAJOR, vectors ? 'V' : 'N', 'L', (int)n, a, (int)n, values);
    if (failed != 0)
        return ub_fail(err, UB_INTERNAL, "eigenvalues: LAPACK's dsyevd failed with code %d",
                       failed);
    return true;
}
