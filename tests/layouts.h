/* layouts.h - dense quadratics f = x'Hx/2, and layouts for optimizers on them. */
#ifndef LAYOUTS_H
#define LAYOUTS_H

#include "support.h"
#include "tiny.h"

#include "bench/spectra/operator.h"
#include "systems/ball.h"

#include <lapacke.h>

/* C (rows x columns) = A (rows x inner) B (inner x columns), all row-major. */
static inline void dense_product(int64_t rows, int64_t inner, int64_t columns, const double *a,
                                 const double *b, double *c)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            c[i * columns + j] = 0;
            for (int64_t k = 0; k < inner; k++)
                c[i * columns + j] += a[i * inner + k] * b[k * columns + j];
        }
}

static inline void dense_transpose(int64_t rows, int64_t columns, const double *a, double *out)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            out[j * rows + i] = a[i * columns + j];
}

static inline double dense_form(int64_t n, const double *h, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            sum += x[i] * h[i * n + j] * x[j];
    return sum;
}

/* Symmetric eigenvalues, ascending; `a` becomes the eigenvectors as columns. */
static inline void dense_eigen(int64_t n, double *a, double *values)
{
    assert_int_equal(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, a, (lapack_int)n, values), 0);
}

static inline double dense_top(int64_t n, const double *h)
{
    double *copy = ub_calloc((size_t)(n * n), sizeof *copy);
    double *values = ub_calloc((size_t)n, sizeof *values);
    memcpy(copy, h, (size_t)(n * n) * sizeof *copy);
    dense_eigen(n, copy, values);
    const double top = values[n - 1];
    ub_free(copy);
    ub_free(values);
    return top;
}

/* out = a^power, a symmetric positive definite. */
static inline void dense_power(int64_t n, const double *a, double power, double *out)
{
    double *v = ub_calloc((size_t)(n * n), sizeof *v), *values = ub_calloc((size_t)n, sizeof *v);
    memcpy(v, a, (size_t)(n * n) * sizeof *v);
    dense_eigen(n, v, values);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            out[i * n + j] = 0;
            for (int64_t k = 0; k < n; k++)
                out[i * n + j] += v[i * n + k] * pow(values[k], power) * v[j * n + k];
        }
    ub_free(v);
    ub_free(values);
}

enum quadratic_kind { RANDOM, DIAGONAL, ILL_CONDITIONED, INDEFINITE, QUADRATIC_KINDS };

/* n x n: XX'/n, diag(1..n), X diag(10^(6i/n)) X'/n, and (X + X')/2 + 1/2. Free with ub_free. */
static inline double *quadratic_new(int64_t n, enum quadratic_kind kind)
{
    double *x = tiny_normals(n * n, "quadratic"), *h = ub_calloc((size_t)(n * n), sizeof *h);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            double *entry = &h[i * n + j];
            if (kind == DIAGONAL)
                *entry = i == j ? (double)(i + 1) : 0;
            else if (kind == INDEFINITE)
                *entry = (x[i * n + j] + x[j * n + i]) / 2 + 0.5;
            for (int64_t k = 0; k < n && (kind == RANDOM || kind == ILL_CONDITIONED); k++)
                *entry += x[i * n + k] * x[j * n + k] / (double)n *
                          (kind == RANDOM ? 1 : pow(10, 6.0 * (double)k / (double)n - 6));
        }
    ub_free(x);
    return h;
}

/* ---- a layout of all shapes ---- */

enum { TENSORS = 4, SIZE = 4 * 3 + 3 + 2 * 4 + 3 * 4 };

static struct ub_param params[TENSORS] = {
    {.name = "a.weight", .rank = 2, .shape = {4, 3}, .size = 12, .rate_scale = 0.5},
    {.name = "a.bias", .rank = 1, .shape = {3}, .offset = 12, .size = 3, .rate_scale = 2},
    {.name = "b.weight",
     .rank = 4,
     .shape = {2, 1, 2, 2},
     .offset = 15,
     .size = 8,
     .rate_scale = 1,
     .role = UB_ROLE_HIDDEN},
    {.name = "c.weight", .rank = 2, .shape = {3, 4}, .offset = 23, .size = 12, .rate_scale = 3},
};
static const struct ub_layout layout = {.count = TENSORS, .size = SIZE, .params = params};

static inline struct ub_optimizer *optimizer_on(const struct ub_layout *on, const char *text)
{
    struct ub_error err = {0};
    struct ub_optimizer *o = ub_optimizer_new(text, on->size, &err);
    if (!o)
        fail_msg("%s", err.text);
    /* As ub_optimizer_attach does with a problem. */
    o->layout = on;
    if (o->kind->takes_rates) {
        o->rates = ub_calloc((size_t)on->size, sizeof *o->rates);
        for (int64_t k = 0; k < on->count; k++)
            for (int64_t i = 0; i < on->params[k].size; i++)
                o->rates[on->params[k].offset + i] = on->params[k].rate_scale;
    }
    if (o->kind->attach)
        assert_true(o->kind->attach(o, &err));
    return o;
}

static inline struct ub_optimizer *optimizer(const char *text)
{
    return optimizer_on(&layout, text);
}

static inline void fill(struct ub_random *r, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = ub_random_normal(r);
}

/* Singular values of a tensor as a matrix, from the eigenvalues of its Gram matrix. */
static inline int64_t singular(const struct ub_param *p, const double *g, double *values)
{
    int64_t rows, columns;
    ub_matrix_shape(p, &rows, &columns);
    double back[16], gram[16];
    dense_transpose(rows, columns, g, back);
    if (rows < columns)
        dense_product(rows, columns, rows, g, back, gram);
    else
        dense_product(columns, rows, columns, back, g, gram);
    const int64_t k = rows < columns ? rows : columns;
    dense_eigen(k, gram, values);
    for (int64_t i = 0; i < k; i++)
        values[i] = sqrt(fmax(values[i], 0));
    return k;
}

static struct ub_param one_matrix = {
    .name = "w", .rank = 2, .shape = {4, 3}, .size = 12, .rate_scale = 1};
static const struct ub_layout matrix_layout = {.count = 1, .size = 12, .params = &one_matrix};

#endif
