#include "systems/optimizers/dominant.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

struct ub_dominant {
    struct ub_problem *problem;
    int n, top;
    bool found;
    double *basis, *next; /* 2 top x n: U, then what H U adds; and its rotation */
    double *product;      /* 2 top x n: H times basis */
    double *small;        /* (2 top)^2, then 2 top values */
};

struct ub_dominant *ub_dominant_new(struct ub_problem *problem, int64_t top, struct ub_error *err)
{
    const int64_t n = ub_problem_size(problem);
    if (2 * top > n) {
        ub_fail(err, UB_INPUT, "project-top=%lld of %lld parameters; expected half of them at most",
                (long long)top, (long long)n);
        return NULL;
    }
    struct ub_dominant *d = ub_calloc(1, sizeof *d);
    *d = (struct ub_dominant){.problem = problem, .n = (int)n, .top = (int)top};
    const size_t block = (size_t)(2 * top);
    d->basis = ub_calloc(block * (size_t)n, sizeof *d->basis);
    d->next = ub_calloc(block * (size_t)n, sizeof *d->next);
    d->product = ub_calloc(block * (size_t)n, sizeof *d->product);
    d->small = ub_calloc(block * (block + 1), sizeof *d->small);
    return d;
}

void ub_dominant_free(struct ub_dominant *d)
{
    if (!d)
        return;
    ub_free(d->basis);
    ub_free(d->next);
    ub_free(d->product);
    ub_free(d->small);
    ub_free(d);
}

int64_t ub_dominant_bytes(int64_t size, int64_t top)
{
    return (6 * top * size + 2 * top * (2 * top + 1)) * (int64_t)sizeof(double);
}

const double *ub_dominant_basis(const struct ub_dominant *d)
{
    return d->basis;
}

/* Orthonormal rows that span those of `basis`: as columns of a column-major matrix. */
static bool orthonormalize(struct ub_dominant *d)
{
    const int block = 2 * d->top;
    double *tau = d->small;
    return LAPACKE_dgeqrf(LAPACK_COL_MAJOR, d->n, block, d->basis, d->n, tau) == 0 &&
           LAPACKE_dorgqr(LAPACK_COL_MAJOR, d->n, block, block, d->basis, d->n, tau) == 0;
}

static bool all_finite(int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Rayleigh-Ritz on the rows of `basis`; the largest Ritz values' vectors come first. */
static bool project(struct ub_dominant *d, double *values)
{
    const int n = d->n, block = 2 * d->top;
    double *t = d->small, *ascending = t + (size_t)block * (size_t)block;
    ub_problem_hvp(d->problem, block, d->basis, d->product);
    if (!all_finite((int64_t)block * n, d->product))
        return false;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, block, block, n, 1, d->basis, n,
                d->product, n, 0, t, block);
    for (int i = 0; i < block; i++) /* products of f32 are not quite symmetric */
        for (int j = 0; j < i; j++)
            t[i * block + j] = t[j * block + i] = (t[i * block + j] + t[j * block + i]) / 2;
    if (LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'U', block, t, block, ascending) != 0)
        return false;
    for (int k = 0; k < d->top; k++) {
        const double *vector = t + (size_t)(block - 1 - k) * (size_t)block;
        cblas_dgemv(CblasRowMajor, CblasTrans, block, n, 1, d->basis, n, vector, 1, 0,
                    d->next + (size_t)k * (size_t)n, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, block, n, 1, d->product, n, vector, 1, 0,
                    d->next + (size_t)(d->top + k) * (size_t)n, 1);
        values[k] = ascending[block - 1 - k];
    }
    return true; /* `next` is the new U and H U, from products that are there */
}

/* From U and a guess of H U in `basis` to better ones in `next`. */
static bool improve(struct ub_dominant *d, double *values)
{
    if (!orthonormalize(d) || !project(d, values))
        return false;
    memcpy(d->basis, d->next, 2 * (size_t)d->top * (size_t)d->n * sizeof *d->basis);
    return true;
}

static void first_guess(struct ub_dominant *d)
{
    struct ub_random r = ub_random_stream(0, "dominant");
    for (int64_t i = 0; i < (int64_t)2 * d->top * d->n; i++)
        d->basis[i] = ub_random_normal(&r);
}

bool ub_dominant_follow(struct ub_dominant *d, const double *theta)
{
    enum { ROUNDS = 50 };
    const double settled = 1e-4;
    const size_t half = (size_t)d->top * (size_t)d->n;
    double *values = ub_calloc(2 * (size_t)d->top, sizeof *values), *last = values + d->top;
    bool good = true;
    ub_problem_linearize(d->problem, theta);
    if (!d->found)
        first_guess(d);
    else /* U of the last step, and what this step's H makes of it */
        ub_problem_hvp(d->problem, d->top, d->basis, d->basis + half);
    for (int round = 0; good && round < (d->found ? 1 : ROUNDS); round++) {
        good = improve(d, values);
        double moved = 0;
        for (int k = 0; k < d->top; k++)
            moved = fmax(moved, fabs(values[k] - last[k]));
        memcpy(last, values, (size_t)d->top * sizeof *last);
        if (moved <= settled * fabs(values[0]))
            break;
    }
    d->found = d->found || good;
    ub_free(values);
    return good;
}

/* along (top) <- U x */
static void along(const struct ub_dominant *d, const double *x, double *out)
{
    cblas_dgemv(CblasRowMajor, CblasNoTrans, d->top, d->n, 1, d->basis, d->n, x, 1, 0, out, 1);
}

void ub_dominant_remove(const struct ub_dominant *d, double *x)
{
    double *a = d->small;
    along(d, x, a);
    cblas_dgemv(CblasRowMajor, CblasTrans, d->top, d->n, -1, d->basis, d->n, a, 1, 1, x, 1);
}

void ub_dominant_keep(const struct ub_dominant *d, double *x)
{
    double *a = d->small;
    along(d, x, a);
    cblas_dgemv(CblasRowMajor, CblasTrans, d->top, d->n, 1, d->basis, d->n, a, 1, 0, x, 1);
}
