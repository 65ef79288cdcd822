/* study.h - a store with what is made of it once: its frame, its systems, the verdicts on all laws
 * that speak of any of its runs. Sections and digests are made from it. */
#ifndef UB_REPORT_STUDY_H
#define UB_REPORT_STUDY_H

#include "report/frame/names.h"
#include "report/laws/law.h"

struct study {
    const struct ub_store *store;
    struct ub_frame *frame;
    struct ub_groups systems; /* runs that differ in nothing but seeds and measurements */
    size_t *system_of;        /* one a run: its index among them */
    char **system_name;       /* one a system, for people: no two alike */
    size_t n_laws;
    struct ub_law_verdict **laws; /* on those that speak of any run, in the registry's order */
};

/* NULL when a run's spec, or a trace that a law asks for, cannot be read. */
struct study *study_new(const struct ub_store *store, struct ub_error *err);
void study_free(struct study *study);
/* Stands for the axes of a system. */
const struct ub_run_spec *system_spec(const struct study *study, size_t system);

#endif
