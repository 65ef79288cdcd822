/* quadrature.c - stochastic Lanczos quadrature; see quadrature.h. */
#include "bench/spectra/quadrature_rules.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { STEPS = 100, PROBES = 8 };
static const double CLOSED = 1e-10;     /* of the norm: a Krylov space with less left has closed */
static const double CANCELED = 0.70711; /* what must be left, or it is orthogonalized once more */

/* A group of probes, side by side. */
struct group {
    int64_t n, steps, size;
    double *basis;        /* size x steps x n: each probe's Lanczos vectors */
    double *in, *out;     /* size x n: vectors of the probes still going, and their products */
    double *alpha, *beta; /* size x steps: the tridiagonals */
    double *work;         /* steps + outliers */
    int64_t *going;       /* which probes are still going */
};

static double *vector_of(const struct group *g, int64_t probe, int64_t step)
{
    return g->basis + (probe * g->steps + step) * g->n;
}

static void group_init(struct group *g, int64_t n, int64_t steps, int64_t size, int64_t outliers)
{
    const size_t row = (size_t)n * sizeof(double), rows = (size_t)size, m = (size_t)steps;
    *g = (struct group){.n = n, .steps = steps, .size = size};
    g->basis = ub_calloc(rows * m, row);
    g->in = ub_calloc(rows, row);
    g->out = ub_calloc(rows, row);
    g->alpha = ub_calloc(rows * m, sizeof(double));
    g->beta = ub_calloc(rows * m, sizeof(double));
    g->work = ub_calloc(m + (size_t)outliers, sizeof(double));
    g->going = ub_calloc(rows, sizeof *g->going);
}

static void group_free(struct group *g)
{
    ub_free(g->basis);
    ub_free(g->in);
    ub_free(g->out);
    ub_free(g->alpha);
    ub_free(g->beta);
    ub_free(g->work);
    ub_free(g->going);
}

/* Unit vectors of random direction orthogonal to the outliers. */
static void draw(struct group *g, const struct ub_quadrature_options *o, struct ub_random *random)
{
    for (int64_t p = 0; p < g->size; p++) {
        double *v = vector_of(g, p, 0);
        for (int64_t i = 0; i < g->n; i++)
            v[i] = ub_random_normal(random);
        for (int pass = 0; pass < 2; pass++)
            ub_project_out(g->n, o->outliers, o->vectors, 1, v, g->work);
        cblas_dscal((int)g->n, 1 / cblas_dnrm2((int)g->n, v, 1), v, 1);
        g->going[p] = p;
    }
}

/* Makes w orthogonal to the outliers (each time: the recurrence would amplify what rounding leaves
 * of them) and to the probe's vectors 0, ..., step, and returns what is left of its length. The two
 * vectors of the recurrence have been taken out before: that is the first pass. */
static double reorthogonalize(const struct group *g, const struct ub_quadrature_options *o,
                              int64_t probe, int64_t step, double *w)
{
    const int n = (int)g->n, rows = (int)step + 1;
    const double *basis = vector_of(g, probe, 0);
    double length = cblas_dnrm2(n, w, 1), before;
    do {
        before = length;
        ub_project_out(n, o->outliers, o->vectors, 1, w, g->work);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, n, 1, basis, n, w, 1, 0, g->work, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, -1, basis, n, g->work, 1, 1, w, 1);
        length = cblas_dnrm2(n, w, 1);
    } while (length < CANCELED * before && length > 0);
    return length;
}

/* One step of the recurrence of probe `p`, with the product `w` (overwritten). True if it goes on:
 * the next vector is then in place. */
static bool advance(const struct group *g, const struct ub_quadrature_options *o, int64_t p,
                    int64_t step, double *w, double *norm)
{
    const int n = (int)g->n;
    double *alpha = g->alpha + p * g->steps, *beta = g->beta + p * g->steps;
    const double *q = vector_of(g, p, step);
    *norm = fmax(*norm, cblas_dnrm2(n, w, 1));
    alpha[step] = cblas_ddot(n, q, 1, w, 1);
    cblas_daxpy(n, -alpha[step], q, 1, w, 1);
    if (step > 0)
        cblas_daxpy(n, -beta[step - 1], vector_of(g, p, step - 1), 1, w, 1);
    const double length = reorthogonalize(g, o, p, step, w);
    if (!(length > CLOSED * *norm))
        return false; /* beta stays 0 */
    beta[step] = length;
    if (step + 1 == g->steps)
        return false;
    double *next = vector_of(g, p, step + 1);
    memcpy(next, w, (size_t)n * sizeof *next);
    cblas_dscal(n, 1 / length, next, 1);
    return true;
}

static bool run(struct group *g, const struct ub_operator *a, const struct ub_quadrature_options *o,
                int64_t *count, int64_t *products)
{
    const int64_t n = g->n;
    int64_t going = g->size;
    double norm = 0;
    for (int64_t step = 0; going > 0; step++) {
        for (int64_t i = 0; i < going; i++)
            memcpy(g->in + i * n, vector_of(g, g->going[i], step), (size_t)n * sizeof(double));
        ub_operator_apply(a, going, g->in, g->out);
        *products += going;
        for (int64_t i = 0; i < going; i++)
            if (!isfinite(cblas_dnrm2((int)n, g->out + i * n, 1)))
                return false;
        int64_t kept = 0;
        for (int64_t i = 0; i < going; i++) {
            const int64_t p = g->going[i];
            count[p] = step + 1;
            if (advance(g, o, p, step, g->out + i * n, &norm))
                g->going[kept++] = p;
        }
        going = kept;
    }
    return true;
}

bool ub_gauss_rule(int64_t m, double *node, double *beta, double mass, double *weight)
{
    double *vectors = ub_calloc((size_t)m, (size_t)m * sizeof(double));
    const bool fine =
        LAPACKE_dstev(LAPACK_COL_MAJOR, 'V', (int)m, node, beta, vectors, (int)m) == 0;
    for (int64_t i = 0; i < m; i++) /* the first component of eigenvector i, squared */
        weight[i] = mass * vectors[i * m] * vectors[i * m];
    ub_free(vectors);
    return fine;
}

/* The rule of probe `p` of the group, `index` of all. */
static bool add_rule(struct ub_quadrature *q, const struct group *g, int64_t p, int64_t index)
{
    const int64_t m = q->count[index];
    const size_t bytes = (size_t)m * sizeof(double);
    double *node = q->node + index * q->steps, *weight = q->weight + index * q->steps;
    double *beta = q->beta + index * q->steps, *work = ub_calloc(1, bytes);
    memcpy(q->alpha + index * q->steps, g->alpha + p * g->steps, bytes);
    memcpy(beta, g->beta + p * g->steps, bytes);
    memcpy(node, g->alpha + p * g->steps, bytes);
    memcpy(work, beta, bytes);
    const double last = beta[m - 1], mass = 1 - (double)q->outliers / (double)q->n;
    const bool fine = ub_gauss_rule(m, node, work, mass, weight);
    q->low = fmin(q->low, node[0]);
    q->high = fmax(q->high, node[m - 1]);
    q->below = fmin(q->below, node[0] - last);
    q->above = fmax(q->above, node[m - 1] + last);
    ub_free(work);
    return fine;
}

static bool run_group(const struct ub_operator *a, const struct ub_quadrature_options *o,
                      struct ub_random *random, int64_t first, int64_t size,
                      struct ub_quadrature *q, struct ub_error *err)
{
    struct group g;
    group_init(&g, a->n, q->steps, size, o->outliers);
    draw(&g, o, random);
    bool fine = run(&g, a, o, q->count + first, &q->products);
    if (!fine)
        ub_fail(err, UB_INPUT, "spectral density: a product among the first %lld is not finite",
                (long long)q->products);
    for (int64_t p = 0; fine && p < size; p++)
        if (!add_rule(q, &g, p, first + p))
            fine = ub_fail(err, UB_INTERNAL, "spectral density: LAPACK's dstev failed");
    group_free(&g);
    return fine;
}

static void add_atoms(struct ub_quadrature *q, const double *value)
{
    q->low = q->below = INFINITY;
    q->high = q->above = -INFINITY;
    for (int64_t i = 0; i < q->outliers; i++) {
        q->atom[i] = value[i];
        q->low = q->below = fmin(q->low, value[i]);
        q->high = q->above = fmax(q->high, value[i]);
    }
}

bool ub_quadrature_new(const struct ub_operator *a, const struct ub_quadrature_options *options,
                       struct ub_quadrature *out, struct ub_error *err)
{
    const struct ub_quadrature_options *o = options;
    *out = (struct ub_quadrature){.n = a->n};
    if (a->n < 1 || a->n > INT_MAX || o->steps < 0 || o->probes < 0 || o->together < 0 ||
        o->outliers < 0 || o->outliers >= a->n)
        return ub_fail(err, UB_INPUT,
                       "spectral density: %lld steps, %lld probes, %lld outliers of an operator of "
                       "size %lld; expected size 1 to %d, fewer outliers, nothing negative",
                       (long long)o->steps, (long long)o->probes, (long long)o->outliers,
                       (long long)a->n, INT_MAX);
    const int64_t rest = a->n - o->outliers, steps = o->steps > 0 ? o->steps : STEPS;
    out->probes = o->probes > 0 ? o->probes : PROBES;
    out->steps = steps < rest ? steps : rest;
    out->outliers = o->outliers;
    const size_t rules = (size_t)out->probes * (size_t)out->steps;
    out->count = ub_calloc((size_t)out->probes, sizeof *out->count);
    out->node = ub_calloc(rules, sizeof(double));
    out->weight = ub_calloc(rules, sizeof(double));
    out->alpha = ub_calloc(rules, sizeof(double));
    out->beta = ub_calloc(rules, sizeof(double));
    out->atom = ub_calloc((size_t)out->outliers + 1, sizeof(double));
    add_atoms(out, o->value);
    struct ub_random random = ub_random_stream(o->seed, "quadrature");
    const int64_t together = o->together > 0 ? o->together : out->probes;
    bool fine = true;
    for (int64_t first = 0; fine && first < out->probes; first += together) {
        const int64_t left = out->probes - first;
        fine = run_group(a, o, &random, first, left < together ? left : together, out, err);
    }
    if (!fine)
        ub_quadrature_free(out);
    return fine;
}

void ub_quadrature_free(struct ub_quadrature *q)
{
    if (!q)
        return;
    ub_free(q->count);
    ub_free(q->node);
    ub_free(q->weight);
    ub_free(q->alpha);
    ub_free(q->beta);
    ub_free(q->atom);
    *q = (struct ub_quadrature){0};
}
