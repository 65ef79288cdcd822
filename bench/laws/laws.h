/* laws.h - claims about observables across systems: data only, no training, no statistics.
 *
 * A law is one file in this folder and one line in registry.c. The verdict over a store is drawn
 * in report/ (verdict.h) from what is stated here. */
#ifndef UB_LAWS_H
#define UB_LAWS_H

#include "bench/store.h"

/* Which stretch of a run's series the law speaks of. */
struct ub_window {
    size_t first, last; /* inclusive indices into the series */
    bool reached;       /* false: the run never came into the law's regime */
    const char *why;    /* when not reached: static text */
};

struct ub_law {
    const char *name, *claim, *citation;
    const char *observable; /* dimensionless series the law is about, e.g. "edge-ratio" */
    bool (*applies)(const struct ub_run *run);
    struct ub_window (*window)(const struct ub_run *run, const struct ub_series *series);
    double (*predict)(const struct ub_run *run);
    double margin; /* equivalence margin: |measured - predicted| below it counts as agreement */
    int64_t least_systems; /* fewer than this: undecided */
};
extern const struct ub_law *const ub_laws[]; /* NULL-terminated */
const struct ub_law *ub_law_find(const char *name);

#endif
