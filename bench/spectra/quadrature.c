/* quadrature.c - stochastic Lanczos quadrature; see quadrature.h. */
#include "bench/spectra/krylov.h"
#include "bench/spectra/quadrature_rules.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { STEPS = 100, PROBES = 8 };
static const double CLOSED = 1e-10;     /* of the norm: a Krylov space with less left has closed */
static const double CANCELED = 0.70711; /* what must be left, or it is orthogonalized once more */

int64_t ub_quadrature_bytes(int64_t n, int64_t steps)
{
    const int64_t made = steps < n ? steps : n;
    return (int64_t)ub_krylov_bytes(n, made) + 3 * n * (int64_t)sizeof(double);
}

/* A group of probes, side by side. Vectors of probes still going are next to each other. */
struct group {
    int64_t n, steps, size;
    struct ub_krylov *space;    /* size: each probe's vectors */
    double *before, *now, *out; /* size x n: the last two vectors, and products with the last */
    double *alpha, *beta;       /* size x steps: the tridiagonals */
    double *work;               /* outliers */
    int64_t *going;             /* which probes are still going */
};

static void group_init(struct group *g, int64_t n, int64_t steps, int64_t size, int64_t outliers)
{
    const size_t row = (size_t)n * sizeof(double), rows = (size_t)size, m = (size_t)steps;
    *g = (struct group){.n = n, .steps = steps, .size = size};
    g->space = ub_calloc(rows, sizeof *g->space);
    for (int64_t p = 0; p < size; p++)
        g->space[p] = ub_krylov_new(n, steps);
    g->before = ub_alloc(rows * row);
    g->now = ub_alloc(rows * row);
    g->out = ub_alloc(rows * row);
    g->alpha = ub_calloc(rows * m, sizeof(double));
    g->beta = ub_calloc(rows * m, sizeof(double));
    g->work = ub_calloc((size_t)outliers + 1, sizeof(double));
    g->going = ub_calloc(rows, sizeof *g->going);
}

static void group_free(struct group *g)
{
    for (int64_t p = 0; p < g->size; p++)
        ub_krylov_free(&g->space[p]);
    ub_free(g->space);
    ub_free(g->before);
    ub_free(g->now);
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
        double *v = g->now + p * g->n;
        for (int64_t i = 0; i < g->n; i++)
            v[i] = ub_random_normal(random);
        for (int pass = 0; pass < 2; pass++)
            ub_project_out(g->n, o->outliers, o->vectors, 1, v, g->work);
        cblas_dscal((int)g->n, 1 / cblas_dnrm2((int)g->n, v, 1), v, 1);
        ub_krylov_add(&g->space[p], v);
        g->going[p] = p;
    }
}

/* Makes w, a product of q from which the two vectors of the recurrence have been taken, orthogonal
 * to the outliers (each time: the recurrence would amplify what rounding leaves of them) and, when
 * that is due, to the probe's vectors. Returns what is left of its length. */
static double reorthogonalize(const struct group *g, const struct ub_quadrature_options *o,
                              int64_t probe, double norm, double *q, double *w)
{
    const int n = (int)g->n;
    struct ub_krylov *space = &g->space[probe];
    const double *alpha = g->alpha + probe * g->steps, *beta = g->beta + probe * g->steps;
    double length = cblas_dnrm2(n, w, 1), before;
    bool due = ub_krylov_lost(space, alpha, beta, length, norm);
    do {
        before = length;
        ub_project_out(n, o->outliers, o->vectors, 1, w, g->work);
        if (due)
            ub_krylov_purge(space, q, w);
        if (due || o->outliers > 0)
            length = cblas_dnrm2(n, w, 1);
        due = true;
    } while (length < CANCELED * before && length > CLOSED * norm);
    return length;
}

/* One step of the recurrence of probe `p`, the i-th of those going, with its product. True if it
 * goes on: the next vector is then where the product was. */
static bool advance(const struct group *g, const struct ub_quadrature_options *o, int64_t i,
                    int64_t step, double *norm)
{
    const int64_t p = g->going[i];
    const int n = (int)g->n;
    double *alpha = g->alpha + p * g->steps, *beta = g->beta + p * g->steps;
    double *w = g->out + i * g->n;
    double *q = g->now + i * g->n;
    *norm = fmax(*norm, cblas_dnrm2(n, w, 1));
    alpha[step] = cblas_ddot(n, q, 1, w, 1);
    cblas_daxpy(n, -alpha[step], q, 1, w, 1);
    if (step > 0)
        cblas_daxpy(n, -beta[step - 1], g->before + i * g->n, 1, w, 1);
    const double length = reorthogonalize(g, o, p, *norm, q, w);
    if (!(length > CLOSED * *norm))
        return false; /* beta stays 0 */
    beta[step] = length;
    if (step + 1 == g->steps)
        return false;
    cblas_dscal(n, 1 / length, w, 1);
    ub_krylov_add(&g->space[p], w);
    return true;
}

/* The next vectors become the last, the last those before. */
static void turn(struct group *g)
{
    double *free = g->before;
    g->before = g->now;
    g->now = g->out;
    g->out = free;
}

static bool run(struct group *g, const struct ub_operator *a, const struct ub_quadrature_options *o,
                int64_t *count, int64_t *products)
{
    const int64_t n = g->n;
    const size_t bytes = (size_t)n * sizeof(double);
    int64_t going = g->size;
    double norm = 0;
    for (int64_t step = 0; going > 0; step++) {
        ub_operator_apply(a, going, g->now, g->out);
        *products += going;
        for (int64_t i = 0; i < going; i++)
            if (!isfinite(cblas_dnrm2((int)n, g->out + i * n, 1)))
                return false;
        int64_t kept = 0;
        for (int64_t i = 0; i < going; i++) {
            count[g->going[i]] = step + 1;
            if (!advance(g, o, i, step, &norm))
                continue;
            g->going[kept] = g->going[i];
            if (kept < i) {
                memcpy(g->now + kept * n, g->now + i * n, bytes);
                memcpy(g->out + kept * n, g->out + i * n, bytes);
            }
            kept++;
        }
        going = kept;
        turn(g);
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
