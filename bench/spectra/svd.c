/* svd.c - randomized singular value decomposition; see svd.h. */
#include "bench/spectra/svd.h"
#include "bench/spectra/eigen_space.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { OVERSAMPLE = 10, POWERS = 2, CHECKS = 6 };
static const double NEW_DIRECTION = 1e-14; /* what a sampled vector keeps, or it says nothing new */

struct sampling {
    const struct ub_map *a;
    struct ub_svd_options o;
    int64_t size;                /* vectors in the sample */
    struct ub_space left, right; /* orthonormal samples of A's range and of its transpose's */
    double *project;             /* size x columns: Q A */
    struct ub_svd *out;
    struct ub_random random;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool are_finite(int64_t count, const double *v)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return false;
    return true;
}

/* right's first `count` rows through A into left, orthonormalized; how many are left, or -1. */
static int64_t forward(struct sampling *s, int64_t count)
{
    s->a->apply(s->a->context, count, s->right.basis, s->left.basis);
    s->out->products += count;
    if (!are_finite(count * s->a->rows, s->left.basis))
        return -1;
    return ub_space_orthonormalize(&s->left, count, NEW_DIRECTION, false);
}

static bool backward(struct sampling *s, int64_t count, double *out)
{
    s->a->apply_transpose(s->a->context, count, s->left.basis, out);
    s->out->transposed += count;
    return are_finite(count * s->a->columns, out);
}

/* Orthonormal rows `left` that nearly span A's range: how many, or -1 if a product is not finite.
 * Orthonormalized after every product: else small singular values drown in rounding. */
static int64_t sample_range(struct sampling *s)
{
    for (int64_t i = 0; i < s->size * s->a->columns; i++)
        s->right.basis[i] = ub_random_normal(&s->random);
    int64_t count = forward(s, s->size);
    for (int64_t k = 0; k < s->o.powers && count > 0; k++) {
        if (!backward(s, count, s->right.basis))
            return -1;
        count = forward(s, ub_space_orthonormalize(&s->right, count, NEW_DIRECTION, false));
    }
    return count;
}

/* |A - Q'Q A| <= 10 sqrt(2 / pi) max |(I - Q'Q) A w|. */
static bool bound_range(struct sampling *s, int64_t count)
{
    const int64_t rows = s->a->rows, columns = s->a->columns;
    double *w = ub_calloc((size_t)columns, sizeof *w), *aw = ub_calloc((size_t)rows, sizeof *aw);
    double *work = ub_calloc((size_t)s->size, sizeof *work), longest = 0;
    bool finite = true;
    for (int64_t i = 0; finite && i < s->o.checks; i++) {
        for (int64_t j = 0; j < columns; j++)
            w[j] = ub_random_normal(&s->random);
        s->a->apply(s->a->context, 1, w, aw);
        s->out->products++;
        finite = are_finite(rows, aw);
        ub_project_out(rows, count, s->left.basis, 1, aw, work);
        longest = fmax(longest, cblas_dnrm2((int)rows, aw, 1));
    }
    s->out->range = 10 * sqrt(2 / M_PI) * longest;
    ub_free(w);
    ub_free(aw);
    ub_free(work);
    return finite;
}

/* Q A = U S V', so A is nearly (Q'U) S V'. */
static bool decompose(struct sampling *s, int64_t count)
{
    struct ub_svd *out = s->out;
    const int64_t columns = out->columns, rows = out->rows;
    const size_t square = (size_t)(count * count);
    double *values = ub_calloc((size_t)count, sizeof *values);
    double *u = ub_calloc(square, sizeof *u);
    double *vt = ub_calloc((size_t)(count * columns), sizeof *vt);
    /* count <= columns; row-major U (count x count), V' (count x columns) */
    const bool fine = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (int)count, (int)columns, s->project,
                                     (int)columns, values, u, (int)count, vt, (int)columns) == 0;
    out->count = smaller(s->o.count, count);
    memcpy(out->value, values, (size_t)out->count * sizeof *values);
    memcpy(out->right, vt, (size_t)(out->count * columns) * sizeof *vt);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out->count, (int)rows, (int)count, 1,
                u, (int)count, s->left.basis, (int)rows, 0, out->left, (int)rows);
    ub_free(values);
    ub_free(u);
    ub_free(vt);
    return fine;
}

static bool run(struct sampling *s, struct ub_error *err)
{
    struct ub_svd *out = s->out;
    const int64_t count = sample_range(s);
    if (count < 0 || !backward(s, count, s->project) || !bound_range(s, count))
        return ub_fail(err, UB_INPUT, "singular values: a product among %lld is not finite",
                       (long long)(out->products + out->transposed));
    out->count = 0;
    if (count > 0 && !decompose(s, count))
        return ub_fail(err, UB_INTERNAL, "singular values: LAPACK's dgesdd failed");
    for (int64_t i = 0; i < out->count; i++) /* A'A = A'Q'Q A + the rest's, of norm range^2 */
        out->error[i] = hypot(out->value[i], out->range) - out->value[i];
    return true;
}

static bool fill_options(const struct ub_map *a, struct ub_svd_options *o, struct ub_error *err)
{
    if (a->rows < 1 || a->columns < 1 || a->rows > INT_MAX || a->columns > INT_MAX ||
        o->count < 1 || o->oversample < -1 || o->powers < -1 || o->checks < 0)
        return ub_fail(err, UB_INPUT,
                       "singular values: %lld of a %lld x %lld operator; expected 1 or more, sizes "
                       "1 to %d and no negative option",
                       (long long)o->count, (long long)a->rows, (long long)a->columns, INT_MAX);
    o->count = smaller(o->count, smaller(a->rows, a->columns));
    o->oversample = o->oversample == 0 ? OVERSAMPLE : o->oversample < 0 ? 0 : o->oversample;
    o->powers = o->powers == 0 ? POWERS : o->powers < 0 ? 0 : o->powers;
    o->checks = o->checks == 0 ? CHECKS : o->checks;
    return true;
}

bool ub_svd_new(const struct ub_map *a, const struct ub_svd_options *options, struct ub_svd *out,
                struct ub_error *err)
{
    struct sampling s = {.a = a, .o = *options, .out = out};
    *out = (struct ub_svd){.rows = a->rows, .columns = a->columns};
    if (!fill_options(a, &s.o, err))
        return false;
    s.size = smaller(s.o.count + s.o.oversample, smaller(a->rows, a->columns));
    s.random = ub_random_stream(s.o.seed, "singular values");
    const size_t count = (size_t)s.o.count, rows = (size_t)a->rows, columns = (size_t)a->columns;
    out->value = ub_calloc(count, sizeof(double));
    out->error = ub_calloc(count, sizeof(double));
    out->left = ub_calloc(count, rows * sizeof(double));
    out->right = ub_calloc(count, columns * sizeof(double));
    ub_space_init(&s.left, a->rows, s.size, false);
    ub_space_init(&s.right, a->columns, s.size, false);
    s.project = ub_calloc((size_t)s.size, columns * sizeof(double));
    const bool fine = run(&s, err);
    ub_space_free(&s.left);
    ub_space_free(&s.right);
    ub_free(s.project);
    if (!fine)
        ub_svd_free(out);
    return fine;
}

void ub_svd_free(struct ub_svd *svd)
{
    if (!svd)
        return;
    ub_free(svd->value);
    ub_free(svd->error);
    ub_free(svd->left);
    ub_free(svd->right);
    *svd = (struct ub_svd){0};
}
