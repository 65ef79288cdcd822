/* grokking.h - when a run's training and test accuracies come to a level, and its decay: for the
 * law and its figure. */
#ifndef UB_LAWS_GROKKING_H
#define UB_LAWS_GROKKING_H

#include "report/laws/group.h"

#define UB_GROKKED 0.9 /* of samples classified correctly */

/* The first step at which the observable ("accuracy", "test-accuracy") is at UB_GROKKED, linear
 * between measurements; NAN: never. */
double ub_grokked_step(const struct ub_frame *frame, size_t row, const char *observable);
/* Weight decay as the optimizer has it: decoupled where it has an option for that, else l2. */
double ub_run_decay(const struct ub_frame *frame, size_t row);
bool ub_may_grok(const struct ub_frame *frame, size_t row); /* whether the law speaks of it */

#endif
