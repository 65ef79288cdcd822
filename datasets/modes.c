#include "datasets/modes.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const double least_strength = 1e-6, least_variance = 1e-12;

static bool check(lapack_int info, const char *routine, struct ub_error *err)
{
    return info == 0 ||
           ub_fail(err, UB_INTERNAL, "%s failed with info %lld", routine, (long long)info);
}

/* ---- modes ---- */

/* Singular vectors as rows, of a row-major outputs x features matrix, which is destroyed. */
static bool decompose(struct ub_modes *m, double *a, struct ub_error *err)
{
    const int64_t rows = m->outputs, columns = m->features, most = m->count;
    double *u = ub_calloc((size_t)(rows * most) + 1, sizeof *u);
    const bool good = check(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)rows,
                                           (lapack_int)columns, a, (lapack_int)columns, m->strength,
                                           u, (lapack_int)most, m->right, (lapack_int)columns),
                            "dgesdd", err);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < most; k++)
            m->left[k * rows + i] = u[i * most + k];
    ub_free(u);
    return good;
}

bool ub_modes_of(const struct ub_dataset *d, struct ub_modes *out, struct ub_error *err)
{
    *out = (struct ub_modes){.outputs = d->outputs, .features = d->features};
    if (ub_positions(d) > 1 || d->tokens > 0)
        return ub_fail(err, UB_INPUT, "modes of sequences; expected vectors and one target each");
    const int64_t most = d->outputs < d->features ? d->outputs : d->features;
    const size_t n = (size_t)(d->outputs * d->features);
    double *a = ub_calloc(n + 1, sizeof *a);
    out->count = most;
    out->strength = ub_calloc((size_t)most + 1, sizeof *out->strength);
    out->left = ub_calloc((size_t)(most * d->outputs) + 1, sizeof *out->left);
    out->right = ub_calloc((size_t)(most * d->features) + 1, sizeof *out->right);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)d->outputs, (int)d->features,
                (int)d->train.count, 1 / (double)d->train.count, d->train.targets, (int)d->outputs,
                d->train.inputs, (int)d->features, 0, a, (int)d->features);
    const bool good = decompose(out, a, err);
    ub_free(a);
    while (out->count > 0 && !(out->strength[out->count - 1] > least_strength * out->strength[0]))
        out->count--;
    return good;
}

void ub_modes_clear(struct ub_modes *m)
{
    ub_free(m->strength);
    ub_free(m->left);
    ub_free(m->right);
    *m = (struct ub_modes){0};
}

/* ---- whitening ---- */

/* C^-1/2 of the training inputs, features x features; NULL on failure. */
static double *inverse_root(const struct ub_dataset *d, struct ub_error *err)
{
    const int n = (int)d->features;
    const size_t square = (size_t)n * (size_t)n;
    double *c = ub_calloc(square, sizeof *c), *v = ub_calloc(square, sizeof *v);
    double *value = ub_calloc((size_t)n, sizeof *value);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, (int)d->train.count,
                1 / (double)d->train.count, d->train.inputs, n, 0, c, n);
    const bool good =
        check(LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', n, c, n, value), "dsyevd", err);
    memcpy(v, c, square * sizeof *v); /* columns are eigenvectors */
    for (int k = 0; good && k < n; k++) {
        const bool none = !(value[k] > least_variance * value[n - 1]);
        for (int i = 0; i < n; i++)
            v[(size_t)i * (size_t)n + (size_t)k] *= none ? 0 : 1 / sqrt(value[k]);
    }
    double *root = good ? ub_calloc(square, sizeof *root) : NULL;
    if (good)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1, v, n, c, n, 0, root, n);
    ub_free(c);
    ub_free(v);
    ub_free(value);
    return root;
}

/* False when a number leaves the range of doubles. */
static bool transform(const struct ub_dataset *d, struct ub_split *split, const double *t)
{
    const int n = (int)d->features;
    const size_t size = (size_t)split->count * (size_t)n;
    double *out = ub_calloc(size + 1, sizeof *out);
    bool finite = true;
    if (split->count > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)split->count, n, n, 1,
                    split->inputs, n, t, n, 0, out, n);
    for (size_t i = 0; i < size; i++)
        finite = finite && isfinite(out[i]);
    ub_free(split->inputs);
    split->inputs = out;
    return finite;
}

bool ub_whiten(struct ub_dataset *d, const char *where, struct ub_error *err)
{
    if (d->features > UB_WHITEN_LIMIT)
        return ub_fail(err, UB_INPUT, "%s: scale=whiten of %lld features; expected at most %d",
                       where, (long long)d->features, (int)UB_WHITEN_LIMIT);
    double *t = inverse_root(d, err);
    if (!t)
        return false;
    const bool finite = transform(d, &d->train, t) && transform(d, &d->test, t);
    ub_free(t);
    return finite ||
           ub_fail(err, UB_INPUT,
                   "%s: scale=whiten overflows; expected inputs of magnitude below 1e150", where);
}
