/* start.h - weights from another run's file, to start from. */
#ifndef UB_START_H
#define UB_START_H

#include "systems/systems.h"

/* Gives a problem whose init is from-run the weights of the file that it names (ub_problem_give);
 * does nothing for others. Arrays are PREFIX.PARAMETER, PREFIX "init", "final" or "step100", beside
 * frozen.PARAMETER and multiplier.PARAMETER (train.h). Fails when there is no such file, when it
 * holds no weights of that step (it says which it holds), and when they are another model's: a
 * parameter missing, too many, of another shape, or of another parametrization. */
bool ub_start_read(struct ub_problem *p, struct ub_error *err);

#endif
