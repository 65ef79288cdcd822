/* decay_time.h - the best weight decay of sweeps, as the time over which weights average: for the
 * law on it and its figure. */
#ifndef UB_LAWS_DECAY_TIME_H
#define UB_LAWS_DECAY_TIME_H

#include "report/laws/group.h"

/* 1/(rate x decay) in passes over the training set: batch / (samples x rate x decay). Of decay the
 * optimizer's own, decoupled where it has an option for that, else l2. NAN without a decay. */
double ub_run_decay_epochs(const struct ub_frame *frame, size_t row);
/* Axes in which the runs of one sweep differ. */
extern const char *const ub_decay_time_within[];

#endif
