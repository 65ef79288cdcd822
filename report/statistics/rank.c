/* Rank correlation with time. */
#include "report/statistics/statistics.h"

#include <math.h>

double ub_kendall(const double *x, const double *bound, size_t n)
{
    double sum = 0;
    if (n < 2)
        return (double)NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            const double rise = x[j] - x[i], least = bound ? bound[i] + bound[j] : 0;
            sum += fabs(rise) > least ? copysign(1, rise) : 0;
        }
    return sum / (0.5 * (double)n * ((double)n - 1));
}
