/* weights.h - the spectrum of a layer's weights and what it comes to: the eigenvalues of W'W, which
 * are W's squared singular values.
 *
 *     const struct ub_weight w = {.rows = 256, .columns = 784, .slices = 1, .entries = fc1};
 *     struct ub_weight_spectrum s;
 *     if (ub_weight_spectrum(&w, &s))
 *         printf("alpha %.2f [%.2f, %.2f]\n", s.tail.alpha, s.tail.low, s.tail.high);
 *     ub_weight_spectrum_free(&s); */
#ifndef UB_WEIGHTS_H
#define UB_WEIGHTS_H

#include "bench/spectra/scalars.h"
#include "bench/spectra/tail.h"

/* Several matrices as one layer: of a convolution (out x in x positions of the kernel), one at each
 * position. Their eigenvalues are pooled, as those of the block-diagonal matrix of all are. */
struct ub_weight {
    int64_t rows, columns, slices; /* >= 1; a matrix: slices = 1 */
    const double *entries;         /* rows x columns x slices, the last index fastest */
};

/* Eigenvalues are in units of 4^power: those of entries from 1e-300 to 1e300 are no doubles. So are
 * error, scalars.largest, scalars.trace, tail.xmin and noise_edge; all else is without units or, as
 * logarithms and alpha_hat, of the true values. power = 0 unless the largest entry is beyond
 * 2^250 or below 2^-250. */
struct ub_weight_spectrum {
    int power;
    int64_t count;  /* slices min(rows, columns) */
    double *values; /* squared singular values, descending */
    double error;   /* LAPACK's singular values are within about p eps sigma_1 of the true ones, p
                       the longer side, so each value within this, 2 p eps sigma_1^2 */
    struct ub_scalars scalars;
    struct ub_tail tail; /* of the density of the values above `error`; 100 replicates */
    double alpha_hat;    /* scalars.h; NAN without a valid tail */
    /* Against noise of the variance that the bulk has (random_matrix.h): the largest value of a
     * noise matrix exceeds the edge with probability 1%. NAN and -1 where there is no bulk. */
    double noise_edge;
    int64_t outliers; /* values above it */
};

/* False, and *out empty: an entry is not finite, a side is longer than INT_MAX, or LAPACK fails.
 * Memory: a copy of the entries, and LAPACK's work. */
bool ub_weight_spectrum(const struct ub_weight *weight, struct ub_weight_spectrum *out);
/* Brings all to power = 0; what is beyond doubles becomes infinite or 0. */
void ub_weight_spectrum_unscale(struct ub_weight_spectrum *spectrum);
void ub_weight_spectrum_free(struct ub_weight_spectrum *spectrum);

#endif
