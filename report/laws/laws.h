/* laws.h - claims about observables across systems: data only, no training, no statistics.
 *
 * A law is one file in this folder and one line in registry.c. The verdict over a store is drawn
 * in report/ (verdict.c) from what is stated here.
 *
 * Where in a run a law speaks must not hang on the level that it predicts: a window that begins
 * where the observable first comes to its prediction confirms it whatever the runs do. windows.h
 * finds where a series settles from its shape alone; a test asks that scaled copies of a series
 * have the windows of the original. */
#ifndef UB_LAWS_H
#define UB_LAWS_H

#include "bench/store/store.h"

/* How a series ends. */
enum ub_stay {
    UB_STAY_OUT,     /* not in the law's regime; `why` says which way */
    UB_STAY_SETTLED, /* it came to a level and keeps it: the law speaks of first..last */
    UB_STAY_RISING,  /* no level yet: first..last is its end, where it rises, past doubt */
    UB_STAY_FALLING, /* no level: it falls at its end, past doubt */
    UB_STAY_UNSTEADY /* no level, and nobody can tell which way it goes at its end */
};

/* Which stretch of a run's series the law speaks of. */
struct ub_window {
    size_t first, last; /* inclusive indices into the series; unless UB_STAY_OUT */
    enum ub_stay stay;
    bool reached;    /* it settled */
    const char *why; /* unless it settled: static text */
    double p;        /* rising or falling: one-sided, that it is not */
    bool excused;    /* falling, or rising beyond the prediction, is not against the law here */
};

struct ub_series_law {
    const char *name, *claim, *citation;
    const char *observable; /* dimensionless series the law is about, e.g. "edge-ratio" */
    const char *const
        *measures; /* that record it: runs asked for none are no business of the law */
    /* From the spec: a run that failed, or was never run, is one the law is asked about, too. */
    bool (*applies)(const struct ub_run *run);
    /* Of a run that did not diverge, fail or is still to be run. `loss`: its training loss, an
     * empty series where it was not measured. */
    struct ub_window (*window)(const struct ub_run *run, const struct ub_series *series,
                               const struct ub_series *loss);
    double (*predict)(const struct ub_run *run);
    double margin; /* equivalence margin: |measured - predicted| below it counts as agreement */
    int64_t least_systems; /* fewer than this: undecided */
};
extern const struct ub_series_law *const ub_series_laws[]; /* NULL-terminated */
const struct ub_series_law *ub_series_law_find(const char *name);

#endif
