/* powerlaw_range.h - which ranks of a spectrum a power law is fitted to. Private to this folder. */
#ifndef UB_POWERLAW_RANGE_H
#define UB_POWERLAW_RANGE_H

#include "base/base.h"

/* How many leading values are finite and above `floor`. */
int64_t ub_powerlaw_positive(const double *values, int64_t n, double floor);

/* Fills in whichever of *first and *last is 0, by the rule of powerlaw.h. False if fewer than 5
 * ranks are left. */
bool ub_powerlaw_range(const double *values, int64_t n, int64_t *first, int64_t *last);

#endif
