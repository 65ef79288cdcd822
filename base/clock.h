/* clock.h - how long things take. */
#ifndef UB_CLOCK_H
#define UB_CLOCK_H

double ub_seconds(void); /* of a clock that only goes forward; from where does not matter */

#endif
