/* spectra_support.h - matrices with known spectra for the tests of bench/spectra. All arrays are
 * the caller's, to be freed with ub_free. */
#ifndef UB_TEST_SPECTRA_SUPPORT_H
#define UB_TEST_SPECTRA_SUPPORT_H

#include "tests/support.h"

#include "bench/spectra/eigen.h"

static inline double *normal_numbers(int64_t count, struct ub_random *random)
{
    double *x = ub_calloc((size_t)count, sizeof *x);
    for (int64_t i = 0; i < count; i++)
        x[i] = ub_random_normal(random);
    return x;
}

static inline double *symmetric_matrix(int64_t n, struct ub_random *random)
{
    double *a = normal_numbers(n * n, random);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            a[j * n + i] = a[i * n + j];
    return a;
}

/* Q diag(values) Q' with Q a product of six random reflections I - 2 w w' / w'w. */
static inline double *matrix_with_values(int64_t n, const double *values, struct ub_random *random)
{
    double *a = ub_calloc((size_t)(n * n), sizeof *a);
    for (int64_t i = 0; i < n; i++)
        a[i * n + i] = values[i];
    for (int r = 0; r < 6; r++) {
        double *w = normal_numbers(n, random), length = 0;
        for (int64_t i = 0; i < n; i++)
            length += w[i] * w[i];
        for (int side = 0; side < 2; side++)
            for (int64_t i = 0; i < n; i++) {
                const int64_t along = side ? 1 : n, row = side ? n : 1;
                double dot = 0;
                for (int64_t j = 0; j < n; j++)
                    dot += a[i * row + j * along] * w[j];
                for (int64_t j = 0; j < n; j++)
                    a[i * row + j * along] -= 2 * dot / length * w[j];
            }
        ub_free(w);
    }
    return a;
}

/* LAPACK's eigenvalues, ascending; the eigenvectors as rows into `vectors` (n x n) if not NULL. */
static inline double *dense_values(int64_t n, const double *a, double *vectors)
{
    struct ub_error err = {0};
    double *copy = ub_calloc((size_t)(n * n), sizeof *copy);
    double *values = ub_calloc((size_t)n, sizeof *values);
    memcpy(copy, a, (size_t)(n * n) * sizeof(double));
    if (!ub_eigen_dense(n, copy, values, vectors != NULL, &err))
        fail_msg("%s", err.text);
    if (vectors)
        memcpy(vectors, copy, (size_t)(n * n) * sizeof(double));
    ub_free(copy);
    return values;
}

static inline double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

#endif
