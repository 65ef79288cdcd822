/* estimate.h - a number known from random samples, and how well. */
#ifndef UB_ESTIMATE_H
#define UB_ESTIMATE_H

#include "base/base.h"

struct ub_estimate {
    double value;
    double error;    /* standard error: the samples' deviation / sqrt(their number); NaN for one
                        sample; 0 when the value is exact */
    int64_t freedom; /* degrees of freedom of `error`: samples - 1; 0 when exact or one sample */
};

struct ub_estimate ub_estimate_mean(int64_t count, const double *samples);
struct ub_estimate ub_estimate_exact(double value);
/* Half the width of the interval value +- margin that covers the truth with probability `level`
 * (0.95, say): Student's t (Student 1908), which few samples need. NaN for one sample. */
double ub_estimate_margin(struct ub_estimate e, double level);

#endif
