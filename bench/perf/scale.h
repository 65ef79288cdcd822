/* scale.h - stores of thousands of runs as a workload: what comparing and reporting them costs. */
#ifndef UB_PERF_SCALE_H
#define UB_PERF_SCALE_H

#include "base/base.h"

/* Fills FOLDER with a store of so many runs of made-up numbers, ten seeds a system, as a sweep over
 * models, optimizers and rates leaves it. */
bool perf_scale_store(const char *folder, const char *runs, struct ub_error *err);
/* Makes such stores of 1,000, 4,000 and 10,000 runs in FOLDER, one at a time, has `program`, a
 * unibench, compare each with itself and with a copy and report it, and prints seconds of the clock
 * and of the processors, and MiB at most. */
bool perf_scale_time(const char *program, const char *folder, struct ub_error *err);

#endif
