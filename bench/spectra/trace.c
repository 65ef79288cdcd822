/* trace.c - randomized traces; see trace.h. Matrices are row-major, vectors are rows. */
#include "bench/spectra/trace.h"
#include "bench/spectra/eigen_space.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { TOGETHER = 8 }; /* probes in one product */
/* A row that keeps less of its length than this lies in the span of the others: the operator's
 * rank is then below the number of test vectors, and their products span its range. */
static const double NEW_DIRECTION = 1e-10;

static double inner(int64_t n, const double *a, const double *b)
{
    return cblas_ddot((int)n, a, 1, b, 1);
}

static void draw(struct ub_random *random, int64_t count, double *v)
{
    for (int64_t i = 0; i < count; i++)
        v[i] = ub_random_normal(random);
}

static bool are_finite(int64_t count, const double *v)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

/* c (rows x columns) = a b', both with n columns. */
static void inner_products(int64_t rows, int64_t columns, int64_t n, const double *a,
                           const double *b, double *c)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)n, 1, a,
                (int)n, b, (int)n, 0, c, (int)columns);
}

static bool not_finite(struct ub_error *err)
{
    return ub_fail(err, UB_INPUT, "trace: a product is not finite");
}

static bool is_possible(const struct ub_operator *a, int64_t products, int64_t least,
                        struct ub_error *err)
{
    if (a->n >= 1 && a->n <= INT_MAX && products >= least)
        return true;
    return ub_fail(err, UB_INPUT,
                   "trace: %lld products with an operator of size %lld; expected %lld or more, and "
                   "size 1 to %d",
                   (long long)products, (long long)a->n, (long long)least, INT_MAX);
}

/* n products with the identity. */
static bool exact(const struct ub_operator *a, struct ub_estimate *trace,
                  struct ub_estimate *squares, struct ub_error *err)
{
    const int64_t n = a->n;
    double *unit = ub_calloc(TOGETHER, (size_t)n * sizeof(double)), sum = 0, square = 0;
    double *column = ub_calloc(TOGETHER, (size_t)n * sizeof(double));
    for (int64_t i = 0; i < n; i += TOGETHER) {
        const int64_t count = n - i < TOGETHER ? n - i : TOGETHER;
        for (int64_t k = 0; k < count; k++)
            unit[k * n + i + k] = 1;
        ub_operator_apply(a, count, unit, column);
        for (int64_t k = 0; k < count; k++) {
            unit[k * n + i + k] = 0;
            sum += column[k * n + i + k];
            square += inner(n, column + k * n, column + k * n);
        }
    }
    ub_free(unit);
    ub_free(column);
    if (trace)
        *trace = ub_estimate_exact(sum);
    if (squares)
        *squares = ub_estimate_exact(square);
    return (isfinite(sum) && isfinite(square)) || not_finite(err);
}

/* Samples of tr PAP and |AP|_F^2, P = I - U'U for `rank` orthonormal rows U: directions are
 * uniform on the sphere of P's range. `squared` may be NULL. */
static bool sample(const struct ub_operator *a, int64_t rank, const double *U, int64_t probes,
                   struct ub_random *random, double *sampled, double *squared)
{
    const int64_t n = a->n;
    double *v = ub_calloc(TOGETHER, (size_t)n * sizeof(double));
    double *av = ub_calloc(TOGETHER, (size_t)n * sizeof(double));
    double *work = ub_calloc(TOGETHER, (size_t)(rank + 1) * sizeof(double));
    bool finite = true;
    for (int64_t i = 0; i < probes; i += TOGETHER) {
        const int64_t count = probes - i < TOGETHER ? probes - i : TOGETHER;
        draw(random, count * n, v);
        ub_project_out(n, rank, U, count, v, work);
        ub_project_out(n, rank, U, count, v, work);
        ub_operator_apply(a, count, v, av);
        for (int64_t k = 0; k < count; k++) {
            const double *x = v + k * n, *ax = av + k * n;
            const double scale = (double)(n - rank) / inner(n, x, x);
            sampled[i + k] = scale * inner(n, x, ax);
            finite = finite && isfinite(inner(n, ax, ax));
            if (squared)
                squared[i + k] = scale * inner(n, ax, ax);
        }
    }
    ub_free(v);
    ub_free(av);
    ub_free(work);
    return finite;
}

bool ub_trace_hutchinson(const struct ub_operator *a, int64_t probes, uint64_t seed,
                         struct ub_estimate *trace, struct ub_estimate *squares,
                         struct ub_error *err)
{
    if (!is_possible(a, probes, 2, err))
        return false;
    if (probes >= a->n)
        return exact(a, trace, squares, err);
    struct ub_random random = ub_random_stream(seed, "hutchinson");
    double *sampled = ub_calloc(2 * (size_t)probes, sizeof *sampled), *squared = sampled + probes;
    const bool fine = sample(a, 0, NULL, probes, &random, sampled, squared);
    if (fine && trace)
        *trace = ub_estimate_mean(probes, sampled);
    if (fine && squares)
        *squares = ub_estimate_mean(probes, squared);
    ub_free(sampled);
    return fine || not_finite(err);
}

/* ---- sketches ---- */

/* Test vectors, their products, an orthonormal basis of those and its products. */
struct sketch {
    int64_t n, count, rank; /* rank < count: the basis holds A's whole range */
    double *test, *image;   /* count x n */
    struct ub_space space;  /* basis: rank x n */
    double *product;        /* rank x n: A times the basis */
    double *core;           /* rank x rank: basis product', = QAQ' */
    double trace;           /* of core */
};

static void sketch_free(struct sketch *s)
{
    ub_free(s->test);
    ub_free(s->image);
    ub_free(s->product);
    ub_free(s->core);
    ub_space_free(&s->space);
}

static bool sketch_init(struct sketch *s, const struct ub_operator *a, int64_t count,
                        struct ub_random *random)
{
    const int64_t n = a->n;
    const size_t rows = (size_t)count, row = (size_t)n * sizeof(double);
    *s = (struct sketch){.n = n, .count = count};
    s->test = ub_calloc(rows, row);
    s->image = ub_calloc(rows, row);
    s->product = ub_calloc(rows, row);
    s->core = ub_calloc(rows, rows * sizeof(double));
    ub_space_init(&s->space, n, count, false);
    draw(random, count * n, s->test);
    ub_operator_apply(a, count, s->test, s->image);
    if (!are_finite(count * n, s->image))
        return false;
    memcpy(s->space.basis, s->image, rows * row);
    s->rank = ub_space_orthonormalize(&s->space, count, NEW_DIRECTION, false);
    ub_operator_apply(a, s->rank, s->space.basis, s->product);
    if (!are_finite(s->rank * n, s->product))
        return false;
    if (s->rank > 0)
        inner_products(s->rank, s->rank, n, s->space.basis, s->product, s->core);
    for (int64_t i = 0; i < s->rank; i++)
        s->trace += s->core[i * s->rank + i];
    return true;
}

bool ub_trace_hutchpp(const struct ub_operator *a, int64_t products, uint64_t seed,
                      struct ub_estimate *trace, struct ub_error *err)
{
    if (!is_possible(a, products, 6, err))
        return false;
    if (products >= a->n)
        return exact(a, trace, NULL, err);
    struct ub_random random = ub_random_stream(seed, "hutch++");
    const int64_t third = products / 3, probes = products - 2 * third;
    struct sketch s;
    double *sampled = ub_calloc((size_t)probes, sizeof *sampled);
    bool fine = sketch_init(&s, a, third, &random);
    if (fine && s.rank < third) {
        *trace = ub_estimate_exact(s.trace);
    } else if (fine) {
        fine = sample(a, s.rank, s.space.basis, probes, &random, sampled, NULL);
        *trace = ub_estimate_mean(probes, sampled);
        trace->value += s.trace;
    }
    sketch_free(&s);
    ub_free(sampled);
    return fine || not_finite(err);
}

/* With the images Y = L Q (rows; L lower triangular), the span of all rows of Y but the i-th is
 * Q's without the unit vector s_i, column i of L^-1, scaled: into row i of `out` (m x m). */
static void left_out(const struct sketch *s, double *out)
{
    const int m = (int)s->count;
    double *lower = ub_calloc((size_t)m, (size_t)m * sizeof *lower);
    inner_products(m, m, s->n, s->image, s->space.basis, lower);
    for (int i = 0; i < m; i++)
        out[i * m + i] = 1;
    /* L' out = I: the rows of L^-T are the columns of L^-1. */
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, m, m, 1, lower, m,
                out, m);
    for (int i = 0; i < m; i++)
        cblas_dscal(m, 1 / cblas_dnrm2(m, out + (ptrdiff_t)i * m, 1), out + (ptrdiff_t)i * m, 1);
    ub_free(lower);
}

/* What samples are made of: m x m, and m. */
struct parts {
    int64_t m;
    double *left;       /* unit vectors s_i along which the basis loses the i-th test vector */
    double *core_left;  /* core times each */
    double *along;      /* test vectors' components along Q */
    double *core_along; /* core times each */
    double *cross;      /* test vectors' components along A Q */
    double *squares;    /* |w|^2 of each test vector */
    double *forms;      /* and w'Aw */
};

static void parts_free(struct parts *p)
{
    ub_free(p->left);
    ub_free(p->core_left);
    ub_free(p->along);
    ub_free(p->core_along);
    ub_free(p->cross);
    ub_free(p->squares);
    ub_free(p->forms);
}

static struct parts parts_new(const struct sketch *s)
{
    const int64_t m = s->count, n = s->n;
    const size_t row = (size_t)m * sizeof(double);
    struct parts p = {.m = m};
    p.left = ub_calloc((size_t)m, row);
    p.core_left = ub_calloc((size_t)m, row);
    p.along = ub_calloc((size_t)m, row);
    p.core_along = ub_calloc((size_t)m, row);
    p.cross = ub_calloc((size_t)m, row);
    p.squares = ub_calloc(1, row);
    p.forms = ub_calloc(1, row);
    for (int64_t i = 0; i < m; i++) {
        p.squares[i] = inner(n, s->test + i * n, s->test + i * n);
        p.forms[i] = inner(n, s->test + i * n, s->image + i * n);
    }
    left_out(s, p.left);
    inner_products(m, m, n, s->test, s->space.basis, p.along);
    inner_products(m, m, n, s->test, s->product, p.cross);
    inner_products(m, m, m, p.left, s->core, p.core_left);
    inner_products(m, m, m, p.along, s->core, p.core_along);
    return p;
}

/* Takes the unit vector u, of which core_u is the core's product, off x and core_x. */
static void take_off(int64_t m, const double *u, const double *core_u, double *x, double *core_x)
{
    const double along = inner(m, u, x);
    cblas_daxpy((int)m, -along, u, 1, x, 1);
    cblas_daxpy((int)m, -along, core_u, 1, core_x, 1);
}

/* The sample of test vector w = i. With P the projection on Q without s_i, and x = Q P w,
 *     tr PAP + scale (w - Pw)' A (w - Pw),   scale = (n - rank P) / |w - Pw|^2.
 * also >= 0: the sample had there been no test vector `also`. work: 4 m. */
static double sample_without(const struct sketch *s, const struct parts *p, int64_t i, int64_t also,
                             double *work)
{
    const int64_t m = p->m;
    const size_t row = (size_t)m * sizeof(double);
    const double *u = p->left + i * m, *core_u = p->core_left + i * m;
    double *x = work, *core_x = work + m, trace = s->trace - inner(m, u, core_u);
    memcpy(x, p->along + i * m, row);
    memcpy(core_x, p->core_along + i * m, row);
    take_off(m, u, core_u, x, core_x);
    if (also >= 0) {
        double *v = work + 2 * m, *core_v = work + 3 * m;
        memcpy(v, p->left + also * m, row);
        memcpy(core_v, p->core_left + also * m, row);
        for (int pass = 0; pass < 2; pass++)
            take_off(m, u, core_u, v, core_v);
        const double length = cblas_dnrm2((int)m, v, 1);
        cblas_dscal((int)m, 1 / length, v, 1);
        cblas_dscal((int)m, 1 / length, core_v, 1);
        trace -= inner(m, v, core_v);
        take_off(m, v, core_v, x, core_x);
    }
    const double rest = p->squares[i] - inner(m, x, x);
    const double quadratic = p->forms[i] - 2 * inner(m, x, p->cross + i * m) + inner(m, x, core_x);
    return trace + (double)(s->n - m + (also >= 0 ? 2 : 1)) / rest * quadratic;
}

/* Mean of the samples, and the jackknife: deviations of the m estimates without one test vector,
 * squared, summed, times (m - 1)/m; that is (m - 1) standard errors of their mean, squared. */
static struct ub_estimate leave_one_out(const struct sketch *s)
{
    const int64_t m = s->count;
    struct parts p = parts_new(s);
    double *work = ub_calloc(4, (size_t)m * sizeof(double));
    double *without = ub_calloc((size_t)m, sizeof(double)), value = 0;
    for (int64_t i = 0; i < m; i++) {
        value += sample_without(s, &p, i, -1, work) / (double)m;
        for (int64_t j = 0; j < m; j++)
            if (j != i)
                without[j] += sample_without(s, &p, i, j, work) / (double)(m - 1);
    }
    struct ub_estimate e = ub_estimate_mean(m, without);
    e.value = value;
    e.error *= (double)(m - 1);
    ub_free(without);
    ub_free(work);
    parts_free(&p);
    return e;
}

bool ub_trace_xtrace(const struct ub_operator *a, int64_t products, uint64_t seed,
                     struct ub_estimate *trace, struct ub_error *err)
{
    if (!is_possible(a, products, 4, err))
        return false;
    if (products >= a->n)
        return exact(a, trace, NULL, err);
    struct ub_random random = ub_random_stream(seed, "xtrace");
    const int64_t count = products / 2;
    struct sketch s;
    const bool fine = sketch_init(&s, a, count, &random);
    if (fine)
        *trace = s.rank < count ? ub_estimate_exact(s.trace) : leave_one_out(&s);
    sketch_free(&s);
    return fine || not_finite(err);
}
