/* study.h - a store with its traces read and its runs grouped into systems: what verdicts, tables
 * and figures are made from. */
#ifndef UB_REPORT_STUDY_H
#define UB_REPORT_STUDY_H

#include "report/laws/law.h"

struct study {
    const struct ub_store *store;
    struct ub_trace **traces; /* one a run; NULL where the run left none */
    size_t n_systems;
    size_t *system_of; /* one a run */
    size_t *first_of;  /* first run of each system */
    struct ub_frame *frame;
    size_t n_laws;
    struct ub_law_verdict **laws; /* on those that speak of any run, in the registry's order */
};

struct study *study_new(const struct ub_store *store, struct ub_error *err);
void study_free(struct study *study);

/* Same system: all of the spec is equal but seed, data seed, measurements and kept weights. */
bool same_system(const struct ub_run_spec *a, const struct ub_run_spec *b);
/* "digits mlp:widths=64x64 mse gd:lr=0.05 steps=1000": a run's label without its seeds and what was
 * measured and kept; different systems have different labels. Caller frees. */
char *system_label(const struct ub_run_spec *spec);

/* Short forms where the store has them. */
const char *dataset_label(const struct ub_run_spec *spec);
const char *model_label(const struct ub_run_spec *spec);
const char *optimizer_label(const struct ub_run_spec *spec);
/* The name of a call, without its options. Caller frees. */
char *call_name(const char *call);

bool has_series(const struct ub_trace *trace, const char *observable);
/* Last finite value of an observable; NAN when there is none. */
double last_value(const struct ub_trace *trace, const char *observable, int64_t index);

/* A small set of distinct texts in order of first appearance; it keeps copies. */
struct labels {
    size_t count;
    char **text;
};
size_t labels_add(struct labels *set, const char *text);        /* index of text, added when new */
size_t labels_find(const struct labels *set, const char *text); /* count when absent */
void labels_free(struct labels *set);

#endif
