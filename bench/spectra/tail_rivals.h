/* tail_rivals.h - forms other than the power law, fitted to a tail. Private to this folder. */
#ifndef UB_TAIL_RIVALS_H
#define UB_TAIL_RIVALS_H

#include "bench/spectra/tail.h"

/* t = log(x/xmin) of m values, ascending; fills tail->rival and tail->best. */
void ub_tail_rivals(const double *t, int64_t m, struct ub_tail *tail);

#endif
