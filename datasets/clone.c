/* Gaussian clones: training inputs replaced, class by class, by normal ones of the same sample mean
 * and covariance (Refinetti, Ingrosso and Goldt 2023, arXiv:2211.11567). With X, n x d, the
 * centered inputs of a class, X = Q R: the clone is mean + U R, U uniform over orthonormal columns
 * whose sums are 0. That is a normal sample given its mean and covariance, which are then exactly
 * the data's: what knows the first two moments of each class alone cannot tell the two apart. */
#include "datasets/source.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Makes the columns of `a`, rows x columns and column-major, orthonormal; `r`: the upper triangle,
 * columns x columns and column-major, or NULL. */
static bool factor(double *a, int rows, int columns, double *r)
{
    double *tau = ub_calloc((size_t)columns, sizeof *tau);
    bool good = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, rows, columns, a, rows, tau) == 0;
    for (int j = 0; good && r && j < columns; j++)
        for (int i = 0; i <= j; i++)
            r[i + j * columns] = a[i + (int64_t)j * rows];
    good = good && LAPACKE_dorgqr(LAPACK_COL_MAJOR, rows, columns, columns, a, rows, tau) == 0;
    ub_free(tau);
    return good;
}

/* Columns less their means, which go to `mean` unless it is NULL. */
static void center(double *a, int rows, int columns, double *mean)
{
    for (int j = 0; j < columns; j++) {
        double *column = a + (size_t)j * (size_t)rows, sum = 0;
        for (int i = 0; i < rows; i++)
            sum += column[i] / rows;
        for (int i = 0; i < rows; i++)
            column[i] -= sum;
        if (mean)
            mean[j] = sum;
    }
}

/* The samples `member`, n of them. */
static bool clone_class(struct ub_dataset *d, const int64_t *member, int n,
                        struct ub_random *random)
{
    const int k = (int)d->features;
    const size_t size = (size_t)n * (size_t)k;
    double *x = ub_calloc(2 * size, sizeof *x), *u = x + size;
    double *r = ub_calloc((size_t)k, ((size_t)k + 1) * sizeof *r),
           *mean = r + (size_t)k * (size_t)k;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < k; j++)
            x[i + (int64_t)j * n] = d->train.inputs[member[i] * k + j];
    for (size_t i = 0; i < size; i++)
        u[i] = ub_random_normal(random);
    center(x, n, k, mean);
    center(u, n, k, NULL);
    const bool good = factor(x, n, k, r) && factor(u, n, k, NULL);
    for (int i = 0; good && i < n; i++)
        for (int j = 0; j < k; j++) {
            double sum = mean[j];
            for (int l = 0; l <= j; l++)
                sum += u[i + (int64_t)l * n] * r[l + j * k];
            d->train.inputs[member[i] * k + j] = sum;
        }
    ub_free(x);
    ub_free(r);
    return good;
}

bool ub_clone_classes(struct ub_dataset *d, uint64_t seed, const char *where, struct ub_error *err)
{
    if (d->task != UB_CLASSIFICATION || ub_positions(d) > 1 || d->tokens > 0)
        return ub_fail(err, UB_INPUT,
                       "%s: clone=gaussian of data without classes; expected a classification with "
                       "one label a sample",
                       where);
    struct ub_random random = ub_random_stream(seed, "data.clone");
    int64_t *member = ub_calloc((size_t)d->train.count + 1, sizeof *member);
    bool good = true;
    for (int64_t c = 0; good && c < d->outputs; c++) {
        int64_t n = 0;
        for (int64_t i = 0; i < d->train.count; i++)
            if (d->train.labels[i] == c)
                member[n++] = i;
        if (n > 0 && (n <= d->features || n > 1 << 20)) {
            good = ub_fail(err, UB_INPUT,
                           "%s: clone=gaussian of a class of %lld samples of %lld numbers; "
                           "expected more samples than numbers",
                           where, (long long)n, (long long)d->features);
            break;
        }
        if (n > 0 && !clone_class(d, member, (int)n, &random))
            good = ub_fail(err, UB_INTERNAL, "%s: clone=gaussian: LAPACK's QR failed", where);
    }
    ub_free(member);
    return good;
}
