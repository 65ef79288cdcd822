/* estimate.h - a number known from random samples, and how well. */
#ifndef UB_ESTIMATE_H
#define UB_ESTIMATE_H

#include "base/base.h"

/* A sum of squares, weighted: about sum x chi^2(freedom) / freedom (Satterthwaite 1946,
 * doi:10.2307/3002019). */
struct ub_squares {
    double sum, freedom;
};

struct ub_estimate {
    double value;
    double error;    /* standard error: the samples' deviation / sqrt(their number); NaN for one
                        sample; 0 when the value is exact */
    int64_t freedom; /* degrees of freedom of `error`: samples - 1; 0 when exact or one sample */
    /* Where the samples' own distribution is known, value = above.sum - below.sum + what is exact;
     * freedom 0: Student's (both), or no such part. */
    struct ub_squares above, below;
};

struct ub_estimate ub_estimate_mean(int64_t count, const double *samples);
struct ub_estimate ub_estimate_exact(double value);
/* Half the width of the interval value +- margin that covers the truth with probability `level`
 * (0.95, say): Student's t (Student 1908), which few samples need; NaN for one sample. For sums of
 * squares: the h at which sum (1 +- h) covers, of both parts the root of the sum of squares (Zou
 * and Donner 2008, doi:10.1002/sim.3095). Few squares are skewed, and h is far above 1 then: 3.4
 * for 5 of them. */
double ub_estimate_margin(struct ub_estimate e, double level);

#endif
