/* waits.h - what a user waits for before a run's first step (ci/waits). */
#ifndef UB_PERF_WAITS_H
#define UB_PERF_WAITS_H

#include "base/base.h"

/* A line for each system of a suite (datasets, model, loss, init and precision; seeds and
 * optimizers share one), or of cases.h where `suite` is NULL:
 *
 *   DATA READY PROCESSOR NAME
 *
 * Milliseconds to load its data (0: a case's are made here), and then to make its problem and to
 * build and compile the programs of its gradient and of its products with the Hessian: on the
 * clock, and of processor time. Medians of three, each in a new process, as a worker does it. */
bool perf_starts(const char *suite, struct ub_error *err);

/* Seconds of all that `unibench run SUITE` does before its first worker starts: reading, hashes of
 * files, ids, and the check of every system, the estimate of its memory among it. */
bool perf_preflight(const char *suite, struct ub_error *err);

#endif
