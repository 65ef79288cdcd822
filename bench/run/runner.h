/* runner.h - many runs at once: worker processes, one run each at a time.
 *
 *     struct ub_sweep sweep = {.store = "out/quick", .cells = cells, .count = n, .jobs = 2,
 *                              .threads = 1, .packed = true, .record_failures = true};
 *     struct ub_sweep_result result;
 *     if (!ub_sweep_run(&sweep, &result, &err))          // the store cannot be written, ...
 *         return ub_report(&err);
 *     return result.interrupted ? UB_INTERRUPTED : UB_OK;
 *
 * What happens to a run happens to it alone: a crash, a hang or an error is recorded as the status
 * of that run, and the sweep goes on, the runs of its pack with another worker. The caller holds
 * the store's lock (ub_store_lock), and the workers hold it with him.
 *
 * A run's timeout is checked by its worker at each step, which keeps the trace up to there. A
 * worker that does not come to its next step is killed after a grace of 2 s + half the timeout;
 * nothing but its status is kept then.
 *
 * The first SIGINT, SIGTERM or SIGHUP stops the sweep: no run is started, those in flight give up
 * at their next step (or end, if they are about to), and leave nothing unfinished. The second, or
 * ten seconds, kills them; what they leave is removed. */
#ifndef UB_RUNNER_H
#define UB_RUNNER_H

#include "bench/suite/suite.h"

struct ub_sweep {
    const char *store, *data;  /* data: folder of data files or NULL */
    struct ub_contents *known; /* of data files (identity.h); may be NULL */
    const struct ub_suite_cell *const *cells;
    size_t count;
    int jobs, threads; /* runs at once; threads of each */
    bool packed; /* a worker goes on with runs that share data and programs with its first (pack.h)
                  */
    bool record_failures; /* false: the first failure ends the sweep with its error */
};

struct ub_sweep_result {
    size_t ended[UB_RUN_MISSING]; /* by status */
    bool interrupted;
    double seconds;
};

/* Makes the runs. False, with the workers gone, when the store cannot be written, a worker cannot
 * be started, or a run failed that is not to be recorded. */
bool ub_sweep_run(const struct ub_sweep *sweep, struct ub_sweep_result *result,
                  struct ub_error *err);

#endif
