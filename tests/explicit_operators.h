/* explicit_operators.h - operators that are symmetric matrices written out, their eigenvalues by
 * LAPACK, and all that a result of the eigenvalue tracker claims. */
#ifndef EXPLICIT_OPERATORS_H
#define EXPLICIT_OPERATORS_H

#include "tests/spectra_support.h"

struct dense {
    int64_t n, products, calls;
    double *a;
    bool broken; /* products are NaN */
};

static inline void apply_dense(void *context, int64_t count, const double *v, double *out)
{
    struct dense *d = context;
    const int64_t n = d->n;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < n; i++) {
            double sum = d->broken ? (double)NAN : 0;
            for (int64_t j = 0; j < n; j++)
                sum += d->a[i * n + j] * v[k * n + j];
            out[k * n + i] = sum;
        }
    d->products += count;
    d->calls++;
}

static inline struct dense new_dense(int64_t n)
{
    return (struct dense){.n = n, .a = ub_calloc((size_t)(n * n), sizeof(double))};
}

static inline struct ub_operator operator_of(struct dense *d)
{
    return (struct ub_operator){.n = d->n, .context = d, .apply = apply_dense};
}

/* A = Q diag(values) Q' with random orthogonal Q. */
static inline void rotate_spectrum(struct dense *d, const double *values, struct ub_random *random)
{
    ub_free(d->a);
    d->a = matrix_with_values(d->n, values, random);
}

static inline double *true_values(const struct dense *d) /* ascending */
{
    return dense_values(d->n, d->a, NULL);
}

/* All that a result claims: count, order, products, orthonormality, residuals recomputed with
 * the matrix, each residual an error bound, and convergence when asked for. */
static inline void check(const struct dense *d, const struct ub_eigen_result *r, double tolerance,
                         int64_t top)
{
    const int64_t n = d->n;
    double *truth = true_values(d);
    const double size = fmax(fabs(truth[0]), fabs(truth[n - 1])) + 1e-300;
    assert_int_equal(r->count, top < n ? top : n);
    double most = 0;
    for (int64_t i = 0; i < r->count; i++)
        most = fmax(most, fabs(r->value[i]));
    for (int64_t i = 0; i < r->count; i++) {
        const double *u = r->vectors + i * n;
        double squares = 0, nearest = INFINITY;
        for (int64_t a = 0; a < n; a++) {
            double sum = -r->value[i] * u[a];
            for (int64_t b = 0; b < n; b++)
                sum += d->a[a * n + b] * u[b];
            squares += sum * sum;
            nearest = fmin(nearest, fabs(truth[a] - r->value[i]));
        }
        assert_near(sqrt(squares), r->residual[i], 1e-12 * size);
        assert_true(nearest <= r->residual[i] + 1e-13 * size);
        if (r->converged)
            assert_true(r->residual[i] <= tolerance * most + 1e-13 * size);
        assert_true(i == 0 || r->value[i] <= r->value[i - 1]);
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0;
            for (int64_t a = 0; a < n; a++)
                dot += u[a] * r->vectors[j * n + a];
            assert_near(dot, i == j ? 1 : 0, 1e-12);
        }
    }
    ub_free(truth);
}

static inline void fill_symmetric(struct dense *d, struct ub_random *random)
{
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t j = 0; j <= i; j++)
            d->a[i * d->n + j] = d->a[j * d->n + i] = ub_random_normal(random);
}

#endif
