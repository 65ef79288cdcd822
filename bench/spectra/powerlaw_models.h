/* powerlaw_models.h - the regressions behind powerlaw.c. Private to this folder. */
#ifndef UB_POWERLAW_MODELS_H
#define UB_POWERLAW_MODELS_H

#include "base/base.h"

enum { UB_DECAY_POWER, UB_DECAY_EXPONENTIAL, UB_DECAY_STRETCHED, UB_DECAY_LOGNORMAL, UB_DECAYS };

/* Fits y = log value at ranks first, first + 1, ... by least squares under each form of powerlaw.h:
 * residuals is UB_DECAYS x n, squares their sums of squares. */
void ub_decay_fits(const double *y, int64_t n, int64_t first, double *residuals,
                   double squares[UB_DECAYS]);

int ub_decay_parameters(int form); /* coefficients of each form */

/* Lag-one autocorrelation of residuals, corrected for the bias that fitting `parameters`
 * coefficients to n points brings; in [-0.5, 0.98]. */
double ub_lag_one(const double *residuals, int64_t n, int parameters);

#endif
