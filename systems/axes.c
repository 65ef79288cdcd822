#include "systems/axes.h"
#include "systems/ball.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

/* ---- room ---- */

static void open_axis(struct ub_axis *axis, int64_t n, int64_t largest)
{
    *axis = (struct ub_axis){.n = n, .diagonal = n > largest};
    if (n == 0)
        return;
    axis->moment = ub_calloc((size_t)n, (size_t)(axis->diagonal ? 1 : n) * sizeof(double));
    axis->values = ub_calloc((size_t)n, sizeof(double));
    if (!axis->diagonal)
        axis->basis = ub_calloc((size_t)n, (size_t)n * sizeof(double));
    for (int64_t i = 0; !axis->diagonal && i < n; i++)
        axis->basis[i * n + i] = 1;
}

void ub_axes_open(struct ub_axes *a, const struct ub_layout *layout, int64_t largest, bool vectors)
{
    int64_t most = 0;
    a->count = layout->count;
    a->tensors = ub_calloc((size_t)a->count + 1, sizeof *a->tensors);
    for (int64_t i = 0; i < a->count; i++) {
        struct ub_tensor *t = &a->tensors[i];
        *t = (struct ub_tensor){.offset = layout->params[i].offset,
                                .vector = layout->params[i].rank < 2};
        ub_matrix_shape(&layout->params[i], &t->rows, &t->columns);
        open_axis(&t->left, t->vector && !vectors ? 0 : t->rows, largest);
        open_axis(&t->right, t->vector ? 0 : t->columns, largest);
        most = t->rows * t->columns > most ? t->rows * t->columns : most;
    }
    a->room = ub_calloc((size_t)most + 1, sizeof *a->room);
}

static int64_t axis_numbers(int64_t n, int64_t largest)
{
    return n > largest ? 2 * n : 2 * n * n + n;
}

int64_t ub_axes_bytes(const struct ub_layout *layout, int64_t largest, bool vectors)
{
    int64_t numbers = 0, most = 0;
    for (int64_t i = 0; i < layout->count; i++) {
        const bool vector = layout->params[i].rank < 2;
        int64_t rows, columns;
        ub_matrix_shape(&layout->params[i], &rows, &columns);
        numbers += axis_numbers(vector && !vectors ? 0 : rows, largest) +
                   axis_numbers(vector ? 0 : columns, largest);
        most = rows * columns > most ? rows * columns : most;
    }
    return (numbers + most) * (int64_t)sizeof(double);
}

void ub_axes_close(struct ub_axes *a)
{
    for (int64_t i = 0; i < a->count; i++) {
        struct ub_axis *axes[] = {&a->tensors[i].left, &a->tensors[i].right};
        for (int k = 0; k < 2; k++) {
            ub_free(axes[k]->moment);
            ub_free(axes[k]->values);
            ub_free(axes[k]->basis);
        }
    }
    ub_free(a->tensors);
    ub_free(a->room);
    *a = (struct ub_axes){0};
}

/* ---- moments ---- */

static void update_diagonal(struct ub_axis *axis, bool left, const struct ub_tensor *t, double keep,
                            double add, const double *g)
{
    for (int64_t i = 0; i < axis->n; i++)
        axis->moment[i] *= keep;
    for (int64_t i = 0; i < t->rows; i++)
        for (int64_t j = 0; j < t->columns; j++)
            axis->moment[left ? i : j] += add * g[i * t->columns + j] * g[i * t->columns + j];
}

static void update(struct ub_axis *axis, bool left, const struct ub_tensor *t, double keep,
                   double add, const double *g)
{
    const blasint n = (blasint)axis->n, k = (blasint)(left ? t->columns : t->rows);
    if (axis->diagonal)
        update_diagonal(axis, left, t, keep, add, g);
    else if (n > 0)
        cblas_dgemm(CblasRowMajor, left ? CblasNoTrans : CblasTrans,
                    left ? CblasTrans : CblasNoTrans, n, n, k, add, g, (blasint)t->columns, g,
                    (blasint)t->columns, keep, axis->moment, n);
}

void ub_axes_update(struct ub_axes *a, double keep, double add, const double *grad)
{
    for (int64_t i = 0; i < a->count; i++) {
        struct ub_tensor *t = &a->tensors[i];
        update(&t->left, true, t, keep, add, grad + t->offset);
        update(&t->right, false, t, keep, add, grad + t->offset);
    }
}

static void copy_moment(struct ub_axis *to, const struct ub_axis *from)
{
    if (from->n > 0)
        memcpy(to->moment, from->moment,
               (size_t)(from->n * (from->diagonal ? 1 : from->n)) * sizeof *to->moment);
}

void ub_axes_copy_moments(struct ub_axes *to, const struct ub_axes *from)
{
    for (int64_t i = 0; i < from->count; i++) {
        copy_moment(&to->tensors[i].left, &from->tensors[i].left);
        copy_moment(&to->tensors[i].right, &from->tensors[i].right);
    }
}

/* ---- bases ---- */

/* Largest first: orthogonal iteration keeps that order, and completes the basis where a moment is
 * singular. */
static void reverse(struct ub_axis *axis)
{
    const int64_t n = axis->n;
    for (int64_t i = 0, k = n - 1; i < k; i++, k--) {
        cblas_dswap(1, &axis->values[i], 1, &axis->values[k], 1);
        cblas_dswap((blasint)n, axis->basis + i * n, 1, axis->basis + k * n, 1);
    }
}

static void decompose(struct ub_axis *axis)
{
    const lapack_int n = (lapack_int)axis->n;
    if (n == 0)
        return;
    if (axis->diagonal) {
        memcpy(axis->values, axis->moment, (size_t)n * sizeof *axis->values);
        return;
    }
    memcpy(axis->basis, axis->moment, (size_t)n * (size_t)n * sizeof *axis->basis);
    /* Column-major eigenvectors are rows here; both triangles of the moment are the same. */
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, axis->basis, n, axis->values) != 0)
        for (lapack_int i = 0; i < n; i++)
            axis->values[i] = NAN;
    reverse(axis);
}

void ub_axes_decompose(struct ub_axes *a)
{
    for (int64_t i = 0; i < a->count; i++) {
        decompose(&a->tensors[i].left);
        decompose(&a->tensors[i].right);
    }
}

static void iterate(struct ub_axis *axis)
{
    const lapack_int n = (lapack_int)axis->n;
    if (n == 0 || axis->diagonal)
        return;
    double *product = ub_calloc((size_t)n, (size_t)n * sizeof *product);
    double *tau = ub_calloc((size_t)n, sizeof *tau);
    /* Rows are vectors: basis moment, as column-major its transpose, moment basis'. */
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, axis->basis, n, axis->moment,
                n, 0, product, n);
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n, n, product, n, tau) == 0 &&
        LAPACKE_dorgqr(LAPACK_COL_MAJOR, n, n, n, product, n, tau) == 0)
        memcpy(axis->basis, product, (size_t)n * (size_t)n * sizeof *product);
    ub_free(product);
    ub_free(tau);
}

void ub_axes_iterate(struct ub_axes *a)
{
    for (int64_t i = 0; i < a->count; i++) {
        iterate(&a->tensors[i].left);
        iterate(&a->tensors[i].right);
    }
}

void ub_tensor_rotate(const struct ub_axes *a, const struct ub_tensor *t, bool back,
                      const double *g, double *out)
{
    const blasint rows = (blasint)t->rows, columns = (blasint)t->columns;
    const size_t bytes = (size_t)(t->rows * t->columns) * sizeof *out;
    if (out != g)
        memcpy(out, g, bytes);
    if (t->left.basis) {
        cblas_dgemm(CblasRowMajor, back ? CblasTrans : CblasNoTrans, CblasNoTrans, rows, columns,
                    rows, 1, t->left.basis, rows, out, columns, 0, a->room, columns);
        memcpy(out, a->room, bytes);
    }
    if (t->right.basis) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, back ? CblasNoTrans : CblasTrans, rows, columns,
                    columns, 1, out, columns, t->right.basis, columns, 0, a->room, columns);
        memcpy(out, a->room, bytes);
    }
}
