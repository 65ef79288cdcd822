/* eigen_space.c - Rayleigh-Ritz on a growing subspace, with cblas and LAPACKE underneath. */
#include "bench/spectra/eigen_space.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { PANEL = 512 }; /* columns rotated at a time by a restart */
enum { SMALL_PRODUCT = 500000, LEAST_PANEL = 128, MOST_PANEL = 1024 }; /* of products */
static const double HALF = 0.5;

void ub_space_init(struct ub_space *s, int64_t n, int64_t room, bool images)
{
    const size_t rows = (size_t)room, row = (size_t)n * sizeof(double);
    *s = (struct ub_space){.n = n, .room = room};
    s->basis = ub_alloc(rows * row);
    s->image = images ? ub_alloc(rows * row) : NULL;
    s->projected = ub_calloc(rows, rows * sizeof(double));
    s->value = ub_calloc(rows, sizeof(double));
    s->rotation = ub_calloc(rows, rows * sizeof(double));
    s->work = ub_calloc(rows, (rows + PANEL) * sizeof(double));
}

void ub_space_free(struct ub_space *s)
{
    ub_free(s->basis);
    ub_free(s->image);
    ub_free(s->projected);
    ub_free(s->value);
    ub_free(s->rotation);
    ub_free(s->work);
    *s = (struct ub_space){0};
}

/* Panels keep few rows times many out of the path on which OpenBLAS first copies both into another
 * order, which costs more than such a product; and the many are read from memory once. */
static int64_t panel_of(int64_t few, int64_t many, int64_t n)
{
    const int64_t fit = SMALL_PRODUCT / (few * many + 1);
    return fit < LEAST_PANEL ? n : fit < MOST_PANEL ? fit : MOST_PANEL;
}

void ub_inner_products(int64_t rows, int64_t columns, int64_t n, const double *a, const double *b,
                       double *c)
{
    const int64_t width = panel_of(rows, columns, n);
    for (int64_t at = 0; at < n; at += width) {
        const int64_t inner = n - at < width ? n - at : width;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)inner, 1,
                    a + at, (int)n, b + at, (int)n, at > 0, c, (int)columns);
    }
}

void ub_combine(int64_t rows, int64_t columns, int64_t inner, double alpha, const double *a,
                int64_t lda, const double *b, double beta, double *c)
{
    const int64_t most = panel_of(rows, inner, columns);
    if (rows == 0 || inner == 0)
        return;
    for (int64_t at = 0; at < columns; at += most) {
        const int64_t width = columns - at < most ? columns - at : most;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)width, (int)inner,
                    alpha, a, (int)lda, b + at, (int)columns, beta, c + at, (int)columns);
    }
}

static void scale_row(const struct ub_space *s, int64_t row, double factor, bool carry)
{
    cblas_dscal((int)s->n, factor, s->basis + row * s->n, 1);
    if (carry)
        cblas_dscal((int)s->n, factor, s->image + row * s->n, 1);
}

static void copy_row(const struct ub_space *s, int64_t from, int64_t to, bool carry)
{
    if (from == to)
        return;
    const size_t bytes = (size_t)s->n * sizeof(double);
    memcpy(s->basis + to * s->n, s->basis + from * s->n, bytes);
    if (carry)
        memcpy(s->image + to * s->n, s->image + from * s->n, bytes);
}

/* Subtracts from row `row` its components along rows first..row-1. */
static void project_row(const struct ub_space *s, int64_t first, int64_t row, bool carry)
{
    const int n = (int)s->n, rows = (int)(row - first);
    if (rows == 0)
        return;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, n, 1, s->basis + first * n, n,
                s->basis + row * n, 1, 0, s->work, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, -1, s->basis + first * n, n, s->work, 1, 1,
                s->basis + row * n, 1);
    if (carry)
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, -1, s->image + first * n, n, s->work, 1, 1,
                    s->image + row * n, 1);
}

/* One pass of block Gram-Schmidt; see ub_space_orthonormalize_along. `along` may be NULL. What is
 * left of the unit row that shrinks most goes into *least. */
static int64_t gram_schmidt(struct ub_space *s, int64_t count, const double *along, double drop,
                            bool carry, double *least)
{
    const int64_t n = s->n, m = s->size;
    int64_t kept = 0;
    for (int64_t i = m; i < m + count; i++) { /* to unit length, so that `drop` is relative */
        const double length = cblas_dnrm2((int)n, s->basis + i * n, 1);
        if (!(length > 0) || !isfinite(length))
            continue;
        copy_row(s, i, m + kept, carry);
        for (int64_t j = 0; along && j < m; j++)
            s->work[kept * m + j] = along[(i - m) * m + j] / length;
        scale_row(s, m + kept++, 1 / length, carry);
    }
    count = kept;
    if (count > 0 && m > 0) {
        if (!along)
            ub_inner_products(count, m, n, s->basis + m * n, s->basis, s->work);
        ub_combine(count, n, m, -1, s->work, m, s->basis, 1, s->basis + m * n);
        if (carry)
            ub_combine(count, n, m, -1, s->work, m, s->image, 1, s->image + m * n);
    }
    kept = 0;
    *least = 1;
    for (int64_t i = m; i < m + count; i++) {
        copy_row(s, i, m + kept, carry);
        project_row(s, m, m + kept, carry);
        const double length = cblas_dnrm2((int)n, s->basis + (m + kept) * n, 1);
        *least = fmin(*least, length);
        if (length > drop)
            scale_row(s, m + kept++, 1 / length, carry);
    }
    return kept;
}

/* Classical Gram-Schmidt done twice is orthogonal to rounding (Giraud, Langou and Rozloznik 2005,
 * doi:10.1016/j.camwa.2005.08.009), and done once where no row has shrunk by half. A row that does
 * in the second pass was rounding error after the first. */
int64_t ub_space_orthonormalize_along(struct ub_space *s, int64_t count, const double *along,
                                      double drop, bool carry)
{
    double least;
    count = gram_schmidt(s, count, along, drop, carry, &least);
    return least > HALF ? count : gram_schmidt(s, count, NULL, HALF, carry, &least);
}

int64_t ub_space_orthonormalize(struct ub_space *s, int64_t count, double drop, bool carry)
{
    double least;
    count = gram_schmidt(s, count, NULL, drop, carry, &least);
    return gram_schmidt(s, count, NULL, HALF, carry, &least);
}

/* u' A v against v' A u for the last direction in the space and each of the new ones. */
static void compare_with_last(struct ub_space *s, int64_t count, int64_t size)
{
    const int64_t n = s->n, last = s->size - 1;
    for (int64_t i = 0; i < count; i++) {
        const double *v = s->basis + (s->size + i) * n;
        const double other = cblas_ddot((int)n, s->image + last * n, 1, v, 1);
        const double difference = s->work[i * size + last] - other;
        s->asymmetry += difference * difference;
    }
    s->pairs += count;
}

bool ub_space_extend(struct ub_space *s, int64_t count)
{
    const int64_t n = s->n, old = s->size, size = old + count;
    ub_inner_products(count, size, n, s->image + old * n, s->basis, s->work);
    for (int64_t i = 0; i < count * size; i++)
        if (!isfinite(s->work[i]))
            return false;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < size; j++) {
            double entry = s->work[i * size + j];
            if (j >= old) { /* within the new block both orders are there: take their mean */
                const double other = s->work[(j - old) * size + old + i];
                s->asymmetry += (entry - other) * (entry - other) / 2; /* each pair comes twice */
                entry = (entry + other) / 2;
            }
            s->projected[(old + i) * s->room + j] = s->projected[j * s->room + old + i] = entry;
        }
    if (s->image && old > 0)
        compare_with_last(s, count, size);
    s->size = size;
    s->pairs += count * (count - 1) / 2;
    return true;
}

double ub_space_noise(const struct ub_space *s)
{
    return s->pairs ? sqrt(s->asymmetry / (double)s->pairs * (double)s->n / 2) : 0;
}

bool ub_space_ritz(struct ub_space *s)
{
    const int64_t m = s->size;
    for (int64_t i = 0; i < m; i++)
        memcpy(s->work + i * m, s->projected + i * s->room, (size_t)m * sizeof(double));
    double *ascending = s->work + m * m;
    /* Column-major on a symmetric matrix: eigenvector i comes out as row i. */
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (int)m, s->work, (int)m, ascending) != 0)
        return false;
    for (int64_t i = 0; i < m; i++) {
        s->value[i] = ascending[m - 1 - i];
        memcpy(s->rotation + i * s->room, s->work + (m - 1 - i) * m, (size_t)m * sizeof(double));
    }
    s->norm = fmax(s->norm, fmax(fabs(s->value[0]), fabs(s->value[m - 1])));
    return true;
}

void ub_space_vectors(const struct ub_space *s, int64_t from, int64_t count, double *vectors)
{
    ub_combine(count, s->n, s->size, 1, s->rotation + from * s->room, s->room, s->basis, 0,
               vectors);
}

void ub_space_residuals(const struct ub_space *s, int64_t from, int64_t count, double *residuals)
{
    const int64_t m = s->size;
    ub_combine(count, s->n, m, 1, s->rotation + from * s->room, s->room, s->image, 0, residuals);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < m; j++)
            s->work[i * m + j] = s->value[from + i] * s->rotation[(from + i) * s->room + j];
    ub_combine(count, s->n, m, -1, s->work, m, s->basis, 1, residuals);
}

/* The first `keep` rows of rotation times `rows`, in place, a panel of columns at a time. */
static void rotate(struct ub_space *s, int64_t keep, double *rows)
{
    for (int64_t at = 0; at < s->n; at += PANEL) {
        const int64_t width = s->n - at < PANEL ? s->n - at : PANEL;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)keep, (int)width, (int)s->size,
                    1, s->rotation, (int)s->room, rows + at, (int)s->n, 0, s->work, (int)width);
        for (int64_t i = 0; i < keep; i++)
            memcpy(rows + i * s->n + at, s->work + i * width, (size_t)width * sizeof(double));
    }
}

void ub_space_restart(struct ub_space *s, int64_t keep)
{
    rotate(s, keep, s->basis);
    if (s->image)
        rotate(s, keep, s->image);
    s->size = keep;
    const size_t bytes = (size_t)s->room * (size_t)s->room * sizeof(double);
    memset(s->projected, 0, bytes);
    memset(s->rotation, 0, bytes);
    for (int64_t i = 0; i < keep; i++) {
        s->projected[i * s->room + i] = s->value[i];
        s->rotation[i * s->room + i] = 1;
    }
}
