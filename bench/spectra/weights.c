/* weights.c - singular values by LAPACK, and every number that weights.h makes of them. */
#include "bench/spectra/weights.h"
#include "bench/spectra/random_matrix.h"

#include <float.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* Within, sums of fourth powers of singular values neither overflow nor vanish. */
enum { LARGEST_POWER = 250 };
static const double chance = 0.01; /* of noise beyond its edge */

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static bool all_finite(int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* The power of two that brings the largest entry near 1; 0 where it is not far from it. */
static int power_of(int64_t n, const double *x)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(x[i]));
    const int power = largest > 0 ? ilogb(largest) : 0;
    return abs(power) > LARGEST_POWER ? power : 0;
}

/* Squared singular values of each slice over 4^power, one after the other. */
static bool square_singular_values(const struct ub_weight *w, int power, double *values)
{
    const int64_t size = w->rows * w->columns, n = w->rows < w->columns ? w->rows : w->columns;
    double *matrix = ub_calloc((size_t)size, sizeof *matrix), unused;
    lapack_int status = 0;
    for (int64_t s = 0; s < w->slices && status == 0; s++) {
        for (int64_t i = 0; i < size; i++)
            matrix[i] = power ? scalbn(w->entries[i * w->slices + s], -power)
                              : w->entries[i * w->slices + s];
        /* Column by column, W' is what W is row by row. */
        status =
            LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', (lapack_int)w->columns, (lapack_int)w->rows,
                           matrix, (lapack_int)w->columns, values + s * n, &unused, 1, &unused, 1);
    }
    ub_free(matrix);
    for (int64_t i = 0; i < n * w->slices; i++)
        values[i] *= values[i];
    return status == 0;
}

/* Each slice as N x p, N its longer side: values over N are those of W'W/N. No noise has so many
 * zeros that the median is one. */
static void hold_against_noise(int64_t longer, int64_t shorter, int64_t slices,
                               struct ub_weight_spectrum *out)
{
    const double aspect = (double)shorter / (double)longer;
    const double variance = ub_mp_variance(out->values, out->count, aspect) / (double)longer;
    out->noise_edge = (double)NAN;
    out->outliers = -1;
    if (longer < 2 || !(variance > 0) || !(out->values[out->count / 2] > out->error))
        return;
    /* the largest of several independent slices */
    const double level = -expm1(log1p(-chance) / (double)slices);
    out->noise_edge = (double)longer * ub_noise_edge(longer, shorter, variance, level);
    out->outliers = ub_count_above(out->values, out->count, out->noise_edge);
}

bool ub_weight_spectrum(const struct ub_weight *w, struct ub_weight_spectrum *out)
{
    enum { REPLICATES = 100 };
    const bool wide = w->rows < w->columns;
    const int64_t longer = wide ? w->columns : w->rows, shorter = wide ? w->rows : w->columns;
    *out = (struct ub_weight_spectrum){0};
    if (longer > INT_MAX || !all_finite(longer * shorter * w->slices, w->entries))
        return false;
    out->power = power_of(longer * shorter * w->slices, w->entries);
    out->count = shorter * w->slices;
    out->values = ub_calloc((size_t)out->count, sizeof *out->values);
    if (!square_singular_values(w, out->power, out->values) ||
        !all_finite(out->count, out->values)) {
        ub_weight_spectrum_free(out);
        return false;
    }
    qsort(out->values, (size_t)out->count, sizeof *out->values, descending);
    out->error = 2 * (double)longer * DBL_EPSILON * out->values[0];
    out->scalars = ub_spectrum_scalars(out->values, out->count);
    const int64_t known = ub_count_above(out->values, out->count, out->error);
    out->tail =
        ub_tail_fit(out->values, known, (struct ub_tail_options){.replicates = REPLICATES}, 0);
    out->alpha_hat =
        out->tail.valid ? ub_alpha_hat(out->values, out->count, out->tail.alpha) : (double)NAN;
    hold_against_noise(longer, shorter, w->slices, out);
    const double shift = 2 * out->power * log10(2); /* of logarithms of eigenvalues */
    out->scalars.log_norm += shift;
    out->scalars.log_spectral_norm += shift;
    out->alpha_hat += out->tail.alpha * shift;
    return true;
}

void ub_weight_spectrum_unscale(struct ub_weight_spectrum *s)
{
    double *const scaled[] = {&s->error, &s->scalars.largest, &s->scalars.trace, &s->tail.xmin,
                              &s->noise_edge};
    for (size_t i = 0; i < sizeof scaled / sizeof *scaled; i++)
        *scaled[i] = scalbn(*scaled[i], 2 * s->power);
    for (int64_t i = 0; i < s->count; i++)
        s->values[i] = scalbn(s->values[i], 2 * s->power);
    s->power = 0;
}

void ub_weight_spectrum_free(struct ub_weight_spectrum *spectrum)
{
    ub_free(spectrum->values);
    *spectrum = (struct ub_weight_spectrum){0};
}
