#include "bench/observables/interpolant.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const double exactness = 1e-10;
enum { MOST_STEPS = 500, MOST_HALVINGS = 100 };

struct dual {
    int n, d;
    const double *X, *y;
    double square;                     /* 2 alpha^2 */
    double *nu, *trial, *step, *along; /* n, n, n, d: X'nu */
    double *scaled, *hessian;          /* n x d; n x n */
};

/* 2 alpha^2 sum cosh(X'nu) - y'nu; leaves X'nu in `along`. */
static double value_at(struct dual *p, const double *nu)
{
    double sum = 0;
    cblas_dgemv(CblasRowMajor, CblasTrans, p->n, p->d, 1, p->X, p->d, nu, 1, 0, p->along, 1);
    for (int i = 0; i < p->d; i++)
        sum += cosh(p->along[i]);
    return p->square * sum - cblas_ddot(p->n, p->y, 1, nu, 1);
}

/* w of `along`, and y - X w into `step`; its norm. */
static double miss(struct dual *p, double *w)
{
    for (int i = 0; i < p->d; i++)
        w[i] = p->square * sinh(p->along[i]);
    memcpy(p->step, p->y, (size_t)p->n * sizeof *p->step);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, p->n, p->d, -1, p->X, p->d, w, 1, 1, p->step, 1);
    return cblas_dnrm2(p->n, p->step, 1);
}

/* (X diag(2 alpha^2 cosh) X')^-1 (y - X w), in place of y - X w. */
static bool solve_step(struct dual *p)
{
    for (int r = 0; r < p->n; r++)
        for (int i = 0; i < p->d; i++)
            p->scaled[(size_t)r * (size_t)p->d + (size_t)i] =
                p->X[(size_t)r * (size_t)p->d + (size_t)i] * sqrt(p->square * cosh(p->along[i]));
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, p->n, p->d, 1, p->scaled, p->d, 0,
                p->hessian, p->n);
    return LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', p->n, 1, p->hessian, p->n, p->step, 1) == 0;
}

/* Goes on along `step`, halved until the value falls; false when it does not. */
static bool descend(struct dual *p, double *value)
{
    double length = 1;
    for (int k = 0; k < MOST_HALVINGS; k++, length /= 2) {
        for (int r = 0; r < p->n; r++)
            p->trial[r] = p->nu[r] + length * p->step[r];
        const double next = value_at(p, p->trial);
        if (next < *value) {
            memcpy(p->nu, p->trial, (size_t)p->n * sizeof *p->nu);
            *value = next;
            return true;
        }
    }
    return false;
}

/* At the end, where values differ by rounding alone, whole steps are taken as they are. */
static bool minimize(struct dual *p, double *w)
{
    const double wanted = exactness * cblas_dnrm2(p->n, p->y, 1);
    double value = value_at(p, p->nu), left = miss(p, w);
    for (int k = 0; k < MOST_STEPS && left > wanted; k++) {
        if (!solve_step(p))
            return false;
        if (!descend(p, &value))
            cblas_daxpy(p->n, 1, p->step, 1, p->nu, 1);
        value_at(p, p->nu);
        left = miss(p, w);
    }
    return left <= wanted;
}

bool ub_hyperbolic_interpolant(int64_t n, int64_t d, const double *X, const double *y, double alpha,
                               double *w)
{
    if (n > d || n < 1)
        return false;
    double *room = ub_calloc((size_t)(3 * n + d + n * d + n * n), sizeof *room);
    struct dual p = {.n = (int)n,
                     .d = (int)d,
                     .X = X,
                     .y = y,
                     .square = 2 * alpha * alpha,
                     .nu = room,
                     .trial = room + n,
                     .step = room + 2 * n,
                     .along = room + 3 * n,
                     .scaled = room + 3 * n + d,
                     .hessian = room + 3 * n + d + n * d};
    const bool good = minimize(&p, w);
    ub_free(room);
    return good;
}

bool ub_shortest_interpolant(int64_t n, int64_t d, const double *X, const double *y, double *w)
{
    if (n > d || n < 1)
        return false;
    double *gram = ub_calloc((size_t)(n * n), sizeof *gram);
    double *nu = ub_calloc((size_t)n, sizeof *nu);
    memcpy(nu, y, (size_t)n * sizeof *nu);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)n, (int)d, 1, X, (int)d, 0, gram,
                (int)n);
    const bool good =
        LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, 1, gram, (lapack_int)n, nu, 1) == 0;
    if (good)
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)n, (int)d, 1, X, (int)d, nu, 1, 0, w, 1);
    ub_free(gram);
    ub_free(nu);
    return good;
}
