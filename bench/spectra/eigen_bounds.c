/* eigen_bounds.c - bounds of second order on the errors of Ritz values (eigen.h has the theorem).
 */
#include "bench/spectra/eigen.h"

#include <math.h>

/* The positive x with x (x + gap) = squares; INFINITY without a gap. */
static double second_order(double squares, double gap)
{
    return gap > 0 ? 2 * squares / (gap + sqrt(gap * gap + 4 * squares)) : (double)INFINITY;
}

/* Least bound of value[at] by the pairs first..k, k = at..count - 1; above[k + 1] is a bound on the
 * largest eigenvalue on the complement of pairs 0..k. */
static double least_bound(int64_t count, int64_t first, int64_t at, const double *value,
                          const double *residual, const double *above)
{
    double squares = 0, least = INFINITY;
    for (int64_t k = first; k < count; k++) {
        squares += residual[k] * residual[k];
        if (k >= at)
            least = fmin(least, second_order(squares, value[at] - above[k + 1]));
    }
    return least;
}

void ub_eigen_bounds(int64_t count, const double *value, const double *residual, double next,
                     double *bound)
{
    double *above = ub_calloc((size_t)count + 1, sizeof *above), squares = 0;
    above[count] = next;
    for (int64_t k = count - 1; k > 0; k--) {
        squares += residual[k] * residual[k];
        above[k] = fmin(fmax(value[k], next) + sqrt(squares),
                        value[k] + least_bound(count, k, k, value, residual, above));
    }
    for (int64_t i = 0; i < count; i++)
        bound[i] = fmin(residual[i], least_bound(count, 0, i, value, residual, above));
    ub_free(above);
}
