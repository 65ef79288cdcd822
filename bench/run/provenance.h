/* provenance.h - what a run was made with: recorded in every run.yaml. */
#ifndef UB_PROVENANCE_H
#define UB_PROVENANCE_H

#include "bench/store/store.h"

struct ub_provenance {
    size_t count;
    struct ub_pair *pairs; /* unibench, commit, compiler, libraries, CPU, threads, system, date */
};
/* `threads` a run, `jobs` runs at once. */
struct ub_provenance ub_provenance_collect(int threads, int jobs);
void ub_provenance_clear(struct ub_provenance *p);
const char *ub_provenance_find(const struct ub_provenance *p, const char *name); /* NULL: absent */

#endif
