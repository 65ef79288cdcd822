/* The Q of a Gaussian matrix's QR factorisation is uniform over orthonormal matrices once each
 * column's sign is fixed so that R has a positive diagonal (Mezzadri 2007, math-ph/0609050). */
#include "systems/orthogonal.h"

#include <lapacke.h>
#include <stdlib.h>

static void check(lapack_int info, const char *routine)
{
    if (info == 0)
        return;
    struct ub_error err = {0};
    ub_fail(&err, UB_INTERNAL, "%s failed with info %lld", routine, (long long)info);
    exit(ub_report(&err));
}

/* a is m x n, m >= n, column-major: replaced by its Q with signs fixed. */
static void orthonormalize(int64_t m, int64_t n, double *a)
{
    const lapack_int rows = (lapack_int)m, columns = (lapack_int)n;
    double *tau = ub_alloc((size_t)n * sizeof *tau);
    double *sign = ub_alloc((size_t)n * sizeof *sign);
    check(LAPACKE_dgeqrf(LAPACK_COL_MAJOR, rows, columns, a, rows, tau), "dgeqrf");
    for (int64_t j = 0; j < n; j++)
        sign[j] = a[j * m + j] < 0 ? -1 : 1;
    check(LAPACKE_dorgqr(LAPACK_COL_MAJOR, rows, columns, columns, a, rows, tau), "dorgqr");
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++)
            a[j * m + i] *= sign[j];
    ub_free(tau);
    ub_free(sign);
}

void ub_random_orthogonal(struct ub_random *r, int64_t rows, int64_t columns, double *out)
{
    for (int64_t i = 0; i < rows * columns; i++)
        out[i] = ub_random_normal(r);
    /* Row-major (rows, columns) is column-major (columns, rows): the wide case needs no copy. */
    if (rows < columns) {
        orthonormalize(columns, rows, out);
        return;
    }
    double *a = ub_alloc((size_t)(rows * columns) * sizeof *a);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            a[j * rows + i] = out[i * columns + j];
    orthonormalize(rows, columns, a);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            out[i * columns + j] = a[j * rows + i];
    ub_free(a);
}
