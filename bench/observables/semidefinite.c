#include "bench/observables/semidefinite.h"
#include "bench/spectra/eigen.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 20000 };
static const double tolerance = 1e-10;

void ub_semidefinite_pack(int64_t k, const double *M, double *x)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            *x++ = M[i * k + j] * (i == j ? 1 : sqrt(2));
}

void ub_semidefinite_unpack(int64_t k, const double *x, double *M)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            M[i * k + j] = M[j * k + i] = *x++ / (i == j ? 1 : sqrt(2));
}

struct program {
    int64_t k, m;
    const double *A, *q;
    double bound; /* L: the largest row sum of |A|, at least its norm */
    double *matrix, *rebuilt, *values;
};

/* Drops the negative eigenvalues. False when they cannot be computed (numbers not finite). */
static bool project(const struct program *p, double *x)
{
    const int64_t k = p->k;
    struct ub_error err = {0};
    ub_semidefinite_unpack(k, x, p->matrix);
    if (!ub_eigen_dense(k, p->matrix, p->values, true, &err))
        return false;
    memset(p->rebuilt, 0, (size_t)(k * k) * sizeof *p->rebuilt);
    for (int64_t e = 0; e < k; e++)
        for (int64_t i = 0; i < k && p->values[e] > 0; i++)
            for (int64_t j = 0; j < k; j++)
                p->rebuilt[i * k + j] += p->values[e] * p->matrix[e * k + i] * p->matrix[e * k + j];
    ub_semidefinite_pack(k, p->rebuilt, x);
    return true;
}

/* out = [y - (Ay - q)/L]+. */
static bool descend(const struct program *p, const double *y, double *out)
{
    for (int64_t i = 0; i < p->m; i++) {
        double slope = -p->q[i];
        for (int64_t j = 0; j < p->m; j++)
            slope += p->A[i * p->m + j] * y[j];
        out[i] = y[i] - slope / p->bound;
    }
    return project(p, out);
}

static double distance(int64_t m, const double *x, const double *y)
{
    double sum = 0;
    for (int64_t i = 0; i < m; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

/* Momentum grows from step to step, and starts anew when it points uphill. */
static double iterate(const struct program *p, double *x, double *y, double *next)
{
    const int64_t m = p->m;
    double momentum = 1, residual = INFINITY, scale = 0;
    for (int64_t i = 0; i < m; i++)
        scale += p->q[i] * p->q[i];
    scale = sqrt(scale);
    if (scale == 0) {
        memset(x, 0, (size_t)m * sizeof *x);
        return 0;
    }
    memcpy(y, x, (size_t)m * sizeof *y);
    for (int t = 0; t < MOST_STEPS && residual > tolerance; t++) {
        if (!descend(p, y, next))
            return (double)NAN;
        double uphill = 0;
        for (int64_t i = 0; i < m; i++)
            uphill += (y[i] - next[i]) * (next[i] - x[i]);
        residual = p->bound * distance(m, y, next) / scale;
        const double later = uphill > 0 ? 1 : (1 + sqrt(1 + 4 * momentum * momentum)) / 2;
        const double push = uphill > 0 ? 0 : (momentum - 1) / later;
        for (int64_t i = 0; i < m; i++) {
            y[i] = next[i] + push * (next[i] - x[i]);
            x[i] = next[i];
        }
        momentum = later;
    }
    return descend(p, x, next) ? p->bound * distance(m, x, next) / scale : (double)NAN;
}

double ub_semidefinite_solve(int64_t k, const double *A, const double *q, double *x)
{
    struct program p = {.k = k, .m = ub_semidefinite_size(k), .A = A, .q = q};
    for (int64_t i = 0; i < p.m; i++) {
        double sum = 0;
        for (int64_t j = 0; j < p.m; j++)
            sum += fabs(A[i * p.m + j]);
        p.bound = fmax(p.bound, sum);
    }
    if (!(p.bound > 0 && isfinite(p.bound)))
        return (double)NAN;
    p.matrix = ub_calloc((size_t)(k * k), sizeof *p.matrix);
    p.rebuilt = ub_calloc((size_t)(k * k), sizeof *p.rebuilt);
    p.values = ub_calloc((size_t)k, sizeof *p.values);
    double *y = ub_calloc((size_t)p.m, sizeof *y), *next = ub_calloc((size_t)p.m, sizeof *next);
    const double residual = iterate(&p, x, y, next);
    ub_free(p.matrix);
    ub_free(p.rebuilt);
    ub_free(p.values);
    ub_free(y);
    ub_free(next);
    return residual;
}
