/* names.h - short names of runs and systems for people, and sets of texts. Nothing is grouped by
 * them: ub_frame_group does that. */
#ifndef UB_FRAME_NAMES_H
#define UB_FRAME_NAMES_H

#include "bench/store/store.h"

/* "digits mlp:widths=64x64 mse gd:lr=0.05 steps=1000": a run's label without its seeds and what was
 * measured and kept; different systems have different labels. Caller frees. */
char *system_label(const struct ub_run_spec *spec);

/* Short forms where the store has them. */
const char *dataset_label(const struct ub_run_spec *spec);
const char *model_label(const struct ub_run_spec *spec);
const char *optimizer_label(const struct ub_run_spec *spec);

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
