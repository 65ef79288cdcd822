/* dense.h - the matrices of a tiny problem written out from their definitions: derivatives by
 * differences of outputs and gradients, everything else by sums. */
#ifndef DENSE_H
#define DENSE_H

#include "kinds.h"
#include "support.h"

#include "bench/curvature/curvature.h"

#include <lapacke.h>

struct dense {
    const struct ub_dataset *data;
    struct ub_problem *problem;
    const char *model;
    bool softmax;
    int64_t n, items, k, z; /* parameters; items x outputs = all outputs */
    double *theta, *grad;
    double *outputs, *jacobian; /* z; z x n */
};

static inline double *dense_zeros(int64_t rows, int64_t columns)
{
    return ub_calloc((size_t)rows + 1, (size_t)columns * sizeof(double));
}

/* Fourth-order central differences of `f` (m numbers) along each parameter: m x n. */
static inline double *dense_differences(const struct dense *d, int64_t m,
                                        void (*f)(const struct dense *, const double *, double *))
{
    const double h = 1e-4, place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    double *at = dense_zeros(1, d->n), *y = dense_zeros(1, m), *out = dense_zeros(m, d->n);
    memcpy(at, d->theta, (size_t)d->n * sizeof *at);
    for (int64_t j = 0; j < d->n; j++) {
        for (int s = 0; s < 4; s++) {
            at[j] = d->theta[j] + place[s] * h;
            f(d, at, y);
            for (int64_t i = 0; i < m; i++)
                out[i * d->n + j] += weight[s] * y[i] / (12 * h);
        }
        at[j] = d->theta[j];
    }
    ub_free(at);
    ub_free(y);
    return out;
}

static inline void dense_outputs_at(const struct dense *d, const double *theta, double *y)
{
    ub_problem_outputs(d->problem, theta, y);
}

static inline void dense_gradient_at(const struct dense *d, const double *theta, double *y)
{
    ub_problem_gradient(d->problem, theta, y);
}

static inline struct dense dense_new(const struct ub_dataset *data, const char *model,
                                     const char *loss)
{
    struct dense d = {.data = data, .model = model, .softmax = strcmp(loss, "ce") == 0};
    d.problem = tiny_problem(data, model, loss);
    assert_non_null(d.problem);
    d.n = ub_problem_size(d.problem);
    d.k = data->outputs;
    d.items = data->train.count * ub_positions(data);
    d.z = d.items * d.k;
    d.theta = dense_zeros(1, d.n);
    d.grad = dense_zeros(1, d.n);
    d.outputs = dense_zeros(1, d.z);
    ub_problem_init(d.problem, 3, d.theta);
    ub_problem_gradient(d.problem, d.theta, d.grad);
    ub_problem_outputs(d.problem, d.theta, d.outputs);
    d.jacobian = dense_differences(&d, d.z, dense_outputs_at);
    return d;
}

static inline void dense_free(struct dense *d)
{
    ub_problem_free(d->problem);
    ub_free(d->theta);
    ub_free(d->grad);
    ub_free(d->outputs);
    ub_free(d->jacobian);
}

/* Weight of an item in the mean. */
static inline double dense_share(const struct dense *d, int64_t item)
{
    return kinds_share(d->data, item);
}

/* Gradient of an item's own loss: (n) */
static inline void dense_item_gradient(const struct dense *d, int64_t item, double *out)
{
    double *slope = dense_zeros(1, d->k);
    kinds_slope(d->data, d->softmax, d->outputs, item, slope);
    for (int64_t a = 0; a < d->n; a++) {
        out[a] = 0;
        for (int64_t j = 0; j < d->k; j++)
            out[a] += slope[j] * d->jacobian[(item * d->k + j) * d->n + a];
    }
    ub_free(slope);
}

/* Softmax of an item's outputs; all ones for mse. */
static inline void dense_weights(const struct dense *d, int64_t item, double *p)
{
    double total = 0;
    for (int64_t j = 0; j < d->k; j++)
        total += p[j] = d->softmax ? exp(d->outputs[item * d->k + j]) : 1;
    for (int64_t j = 0; d->softmax && j < d->k; j++)
        p[j] /= total;
}

/* J_i'(e_j - p_i), or J_i'e_j: (n) */
static inline void dense_delta(const struct dense *d, int64_t item, int64_t j, double *out)
{
    double *p = dense_zeros(1, d->k);
    dense_weights(d, item, p);
    for (int64_t a = 0; a < d->n; a++) {
        const double *column = d->jacobian + item * d->k * d->n + a;
        out[a] = column[j * d->n];
        for (int64_t l = 0; d->softmax && l < d->k; l++)
            out[a] -= p[l] * column[l * d->n];
    }
    ub_free(p);
}

static inline void dense_add_square(int64_t n, double weight, const double *x, double *A)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            A[i * n + j] += weight * x[i] * x[j];
}

/* sum share J_i' (diag p - pp') J_i, or J_i'J_i: by the loss' Hessian in the outputs. */
static inline double *dense_gauss_newton(const struct dense *d)
{
    double *G = dense_zeros(d->n, d->n), *p = dense_zeros(1, d->k);
    for (int64_t i = 0; i < d->items; i++) {
        const double *J = d->jacobian + i * d->k * d->n, share = dense_share(d, i);
        dense_weights(d, i, p);
        for (int64_t a = 0; a < d->k; a++)
            for (int64_t b = 0; b < d->k; b++) {
                const double m = (a == b ? p[a] : 0) - (d->softmax ? p[a] * p[b] : 0);
                for (int64_t r = 0; r < d->n; r++)
                    for (int64_t c = 0; c < d->n; c++)
                        G[r * d->n + c] += share * m * J[a * d->n + r] * J[b * d->n + c];
            }
    }
    ub_free(p);
    return G;
}

static inline double *dense_hessian_of(const struct dense *d)
{
    return dense_differences(d, d->n, dense_gradient_at);
}

static inline struct ub_matrix_point dense_point(const struct dense *d)
{
    return (struct ub_matrix_point){.problem = d->problem, .theta = d->theta};
}

/* A kind's matrix by its products; the test fails when it cannot be made. */
static inline double *dense_product(const struct dense *d, struct ub_matrix_choice choice,
                                    const struct ub_matrix_point *at, int64_t *size)
{
    struct ub_error err = {0};
    struct ub_matrix *m = ub_matrix_new(&choice, at, &err);
    if (!m)
        fail_msg("%s of %s: %s", choice.kind, d->model, err.text);
    double *A = dense_zeros(m->operator.n, m->operator.n);
    assert_true(ub_operator_matrix(&m->operator, A));
    assert_int_equal(m->products, m->operator.n);
    *size = m->operator.n;
    ub_matrix_free(m);
    return A;
}

/* Symmetric, and without negative eigenvalues where it says so, to rounding. */
static inline void dense_check_shape(const char *what, const char *kind, int64_t n, const double *A)
{
    double *copy = dense_zeros(n, n), *values = dense_zeros(1, n), most = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            copy[i * n + j] = (A[i * n + j] + A[j * n + i]) / 2;
            most = fmax(most, fabs(A[i * n + j]));
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            if (!(fabs(A[i * n + j] - A[j * n + i]) <= 1e-11 * most))
                fail_msg("%s of %s is not symmetric", kind, what);
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, copy, (lapack_int)n, values), 0);
    if (ub_matrix_find(kind)->semidefinite && !(values[0] >= -1e-11 * fabs(values[n - 1])))
        fail_msg("%s of %s has eigenvalue %g below %g", kind, what, values[0], values[n - 1]);
    ub_free(copy);
    ub_free(values);
}

static inline void dense_check(const struct dense *d, const char *kind, const double *expected,
                               int64_t n, double tolerance)
{
    int64_t size;
    const struct ub_matrix_point at = dense_point(d);
    double *A = dense_product(d, (struct ub_matrix_choice){.kind = kind}, &at, &size);
    assert_int_equal(size, n);
    dense_check_shape(d->model, kind, n, A);
    const double error = tiny_error(n * n, A, expected);
    if (!(error < tolerance))
        fail_msg("%s of %s: off by %.3g", kind, d->model, error);
    ub_free(A);
}

#endif
