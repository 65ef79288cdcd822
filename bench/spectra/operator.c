/* operator.c - operators made of others: one context serves all of them. */
#include "bench/spectra/operator.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IDENTITY_ROWS = 16 }; /* columns of the matrix asked for at a time */

struct composed {
    int64_t n;
    struct ub_operator a, b;
    struct ub_map map;
    double alpha, beta;
    int64_t first, rank;
    const double *array; /* a matrix, a diagonal, orthonormal rows */
    int64_t *products;
    double *work;
    size_t room; /* doubles */
};

static void need(bool agrees, const char *what)
{
    if (agrees)
        return;
    fprintf(stderr, "unibench: operator: %s\n", what);
    abort();
}

static double *scratch(struct composed *c, int64_t rows, int64_t length)
{
    const size_t size = (size_t)rows * (size_t)length;
    if (size > c->room) {
        ub_free(c->work);
        c->work = ub_alloc(size * sizeof(double));
        c->room = size;
    }
    return c->work;
}

static void release(void *context)
{
    struct composed *c = context;
    ub_free(c->work);
    ub_free(c);
}

static struct ub_operator made(struct composed start,
                               void (*apply)(void *, int64_t, const double *, double *))
{
    need(start.n > 0 && start.n <= INT_MAX, "size is not in 1, ..., 2^31 - 1");
    struct composed *c = ub_alloc(sizeof *c);
    *c = start;
    return (struct ub_operator){.n = start.n, .context = c, .apply = apply, .release = release};
}

void ub_operator_apply(const struct ub_operator *a, int64_t count, const double *V, double *AV)
{
    if (count > 0)
        a->apply(a->context, count, V, AV);
}

void ub_operator_free(struct ub_operator *a)
{
    if (a && a->release)
        a->release(a->context);
    if (a)
        *a = (struct ub_operator){0};
}

bool ub_operator_matrix(const struct ub_operator *a, double *matrix)
{
    const int64_t n = a->n, step = n < IDENTITY_ROWS ? n : IDENTITY_ROWS;
    double *unit = ub_calloc((size_t)step, (size_t)n * sizeof(double));
    bool finite = true;
    for (int64_t i = 0; i < n; i += step) {
        const int64_t count = n - i < step ? n - i : step;
        for (int64_t k = 0; k < count; k++)
            unit[k * n + i + k] = 1;
        a->apply(a->context, count, unit, matrix + i * n);
        for (int64_t k = 0; k < count; k++)
            unit[k * n + i + k] = 0;
    }
    ub_free(unit);
    for (int64_t i = 0; i < n * n; i++)
        finite = finite && isfinite(matrix[i]);
    return finite;
}

void ub_project_out(int64_t n, int64_t rank, const double *U, int64_t count, double *V,
                    double *work)
{
    if (rank == 0 || count == 0)
        return;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)rank, (int)n, 1, V,
                (int)n, U, (int)n, 0, work, (int)rank);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)n, (int)rank, -1, work,
                (int)rank, U, (int)n, 1, V, (int)n);
}

/* ---- leaves ---- */

static void apply_dense(void *context, int64_t count, const double *V, double *AV)
{
    const struct composed *c = context;
    const int n = (int)c->n;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, n, n, 1, V, n, c->array, n, 0,
                AV, n);
}

struct ub_operator ub_operator_dense(int64_t n, const double *matrix)
{
    return made((struct composed){.n = n, .array = matrix}, apply_dense);
}

static void multiply(const struct composed *c, int64_t count, const double *V, double *out)
{
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < c->n; i++)
            out[k * c->n + i] = c->array[i] * V[k * c->n + i];
}

static void apply_diagonal(void *context, int64_t count, const double *V, double *AV)
{
    multiply(context, count, V, AV);
}

struct ub_operator ub_operator_diagonal(int64_t n, const double *diagonal)
{
    return made((struct composed){.n = n, .array = diagonal}, apply_diagonal);
}

/* ---- compositions ---- */

static void apply_sum(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    double *other = scratch(c, count, c->n);
    ub_operator_apply(&c->a, count, V, AV);
    ub_operator_apply(&c->b, count, V, other);
    for (int64_t i = 0; i < count * c->n; i++)
        AV[i] = c->alpha * AV[i] + c->beta * other[i];
}

struct ub_operator ub_operator_sum(double alpha, const struct ub_operator *a, double beta,
                                   const struct ub_operator *b)
{
    need(a->n == b->n, "a sum of operators of different sizes");
    return made((struct composed){.n = a->n, .a = *a, .b = *b, .alpha = alpha, .beta = beta},
                apply_sum);
}

static void apply_shifted(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    ub_operator_apply(&c->a, count, V, AV);
    for (int64_t i = 0; i < count * c->n; i++)
        AV[i] = c->alpha * AV[i] + c->beta * V[i];
}

struct ub_operator ub_operator_shifted(double alpha, const struct ub_operator *a, double shift)
{
    return made((struct composed){.n = a->n, .a = *a, .alpha = alpha, .beta = shift},
                apply_shifted);
}

static void apply_block(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    const int64_t n = c->a.n;
    const size_t bytes = (size_t)c->n * sizeof(double);
    double *in = scratch(c, 2 * count, n), *out = in + count * n;
    memset(in, 0, (size_t)(count * n) * sizeof(double));
    for (int64_t k = 0; k < count; k++)
        memcpy(in + k * n + c->first, V + k * c->n, bytes);
    ub_operator_apply(&c->a, count, in, out);
    for (int64_t k = 0; k < count; k++)
        memcpy(AV + k * c->n, out + k * n + c->first, bytes);
}

struct ub_operator ub_operator_block(const struct ub_operator *a, int64_t first, int64_t count)
{
    need(first >= 0 && count > 0 && first + count <= a->n, "a block that leaves its operator");
    return made((struct composed){.n = count, .a = *a, .first = first}, apply_block);
}

static void apply_scaled(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    double *in = scratch(c, count, c->n);
    multiply(c, count, V, in);
    ub_operator_apply(&c->a, count, in, AV);
    multiply(c, count, AV, AV);
}

struct ub_operator ub_operator_scaled(const struct ub_operator *a, const double *diagonal)
{
    return made((struct composed){.n = a->n, .a = *a, .array = diagonal}, apply_scaled);
}

static void apply_deflated(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    double *in = scratch(c, count, c->n + c->rank), *work = in + count * c->n;
    memcpy(in, V, (size_t)(count * c->n) * sizeof(double));
    ub_project_out(c->n, c->rank, c->array, count, in, work);
    ub_operator_apply(&c->a, count, in, AV);
    ub_project_out(c->n, c->rank, c->array, count, AV, work);
}

struct ub_operator ub_operator_deflated(const struct ub_operator *a, int64_t rank, const double *U)
{
    need(rank >= 0 && rank <= a->n, "more deflated vectors than dimensions");
    return made((struct composed){.n = a->n, .a = *a, .rank = rank, .array = U}, apply_deflated);
}

static void apply_counted(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    *c->products += count;
    ub_operator_apply(&c->a, count, V, AV);
}

struct ub_operator ub_operator_counted(const struct ub_operator *a, int64_t *products)
{
    return made((struct composed){.n = a->n, .a = *a, .products = products}, apply_counted);
}

/* ---- rectangular ---- */

static void apply_outer(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    double *across = scratch(c, count, c->map.columns);
    c->map.apply_transpose(c->map.context, count, V, across);
    c->map.apply(c->map.context, count, across, AV);
}

static void apply_inner(void *context, int64_t count, const double *V, double *AV)
{
    struct composed *c = context;
    double *across = scratch(c, count, c->map.rows);
    c->map.apply(c->map.context, count, V, across);
    c->map.apply_transpose(c->map.context, count, across, AV);
}

struct ub_operator ub_operator_outer(const struct ub_map *a)
{
    return made((struct composed){.n = a->rows, .map = *a}, apply_outer);
}

struct ub_operator ub_operator_inner(const struct ub_map *a)
{
    return made((struct composed){.n = a->columns, .map = *a}, apply_inner);
}
