/* progress.h - how a sweep is going, on standard error: a bar where it is a terminal, else a plain
 * line for each finished run. */
#ifndef UB_PROGRESS_H
#define UB_PROGRESS_H

#include "bench/store/store.h"

struct ub_progress {
    bool terminal;
    size_t total, done, failed;
    double work;      /* of all runs, in any unit */
    double work_done; /* of finished runs */
    double started, drawn;
};
struct ub_progress ub_progress_start(size_t total, double work);
/* `partial`: work done by the runs in flight. Redraws at most five times a second. */
void ub_progress_update(struct ub_progress *p, double partial);
void ub_progress_run(struct ub_progress *p, const char *label, double work,
                     enum ub_run_status status, const char *message, double seconds);
void ub_progress_end(struct ub_progress *p); /* clears the bar */

/* "45s", "3m05s", "2h10m" in `out`. */
void ub_duration(double seconds, char out[16]);

#endif
