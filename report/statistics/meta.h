/* statistics_meta.h - the parts of a random-effects analysis, for analyses built on it. */
#ifndef UB_STATISTICS_META_H
#define UB_STATISTICS_META_H

#include "report/statistics/statistics.h"

struct ub_studies {
    const double *estimate, *se;
    size_t n;
    double least_variance; /* stands for the zero of an exactly known estimate */
};
struct ub_studies ub_studies_of(const double *estimate, const double *se, size_t n);

double ub_studies_weight(const struct ub_studies *s, size_t i, double tau_squared);
double ub_studies_mean(const struct ub_studies *s, double tau_squared, double *total);
/* Cochran's Q with weights 1/(se^2 + tau^2): chi squared with n - 1 degrees of freedom at the true
 * tau^2, and falling in it. */
double ub_studies_q(const struct ub_studies *s, double tau_squared);
/* The tau^2 at which Q is `wanted`; 0 when Q is smaller at any. */
double ub_studies_spread(const struct ub_studies *s, double wanted);

#endif
