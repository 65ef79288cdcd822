/* axes.h - what is asked of a run, axis by axis: one table from which come the spec's text, its id
 * and its copies, the keys and defaults of suites, the columns of manifest.csv, runs.csv and the
 * report's frame.
 *
 *     for (size_t i = 0; i < UB_RUN_AXES; i++) {
 *         struct ub_text text = {0};
 *         ub_run_axis_text(&spec, &ub_run_axes[i], &text);     // "gd:lr=0.05"
 *         ...
 */
#ifndef UB_STORE_AXES_H
#define UB_STORE_AXES_H

#include "base/base.h"
#include "base/precision.h"

/* What determines a run's numbers. All texts are canonical calls. */
struct ub_run_spec {
    char *dataset, *model, *loss, *init, *optimizer;
    char *model_label, *dataset_label, *optimizer_label, *init_label; /* short forms for people */
    int64_t steps;
    uint64_t seed;      /* initial weights and probe vectors */
    uint64_t data_seed; /* generated values, subset and split: shared by runs to be compared */
    enum ub_precision precision;
    bool save_weights;
    size_t n_measures;
    char **measures; /* sorted */
    /* Contents of the data files it reads, in the order of reading: SHA-256, decompressed. None for
     * data that are generated or bundled, and in runs that earlier versions made. */
    size_t n_files;
    char **files;
};

enum ub_run_axis_kind {
    UB_AXIS_CALL,      /* char *: of the registry that has the axis' name */
    UB_AXIS_COUNT,     /* int64_t */
    UB_AXIS_SEED,      /* uint64_t */
    UB_AXIS_PRECISION, /* enum ub_precision */
    UB_AXIS_CHOICE     /* bool */
};
struct ub_run_axis {
    const char *name;
    enum ub_run_axis_kind kind;
    size_t field;         /* offset in struct ub_run_spec */
    size_t label;         /* offset of its short form there; 0: it has none */
    const char *fallback; /* of suites and commands that give none; NULL: they must */
    int64_t least, most;  /* of counts and seeds */
    const char *no, *yes; /* of choices */
    const char *expected; /* for messages */
    int nesting;          /* in suites: 0 varies slowest, UB_RUN_AXES - 1 fastest */
    const char *meaning;
};
enum { UB_RUN_AXES = 10 };
extern const struct ub_run_axis ub_run_axes[UB_RUN_AXES]; /* in the order of canonical texts */

const struct ub_run_axis *ub_run_axis_find(const char *name); /* or NULL */
/* The axis that suites nest at this place. */
const struct ub_run_axis *ub_run_axis_nested(int nesting);
/* Appends the value as in run.yaml; sets it from such a text, false when it is none. */
void ub_run_axis_text(const struct ub_run_spec *spec, const struct ub_run_axis *axis,
                      struct ub_text *out);
bool ub_run_axis_set(struct ub_run_spec *spec, const struct ub_run_axis *axis, const char *text);
/* Where a call's text and its short form are; NULL of axes that have none. */
char **ub_run_axis_call(struct ub_run_spec *spec, const struct ub_run_axis *axis);
char **ub_run_axis_label(struct ub_run_spec *spec, const struct ub_run_axis *axis);
/* "model-label": the column of its short form. */
enum { UB_LABEL_COLUMN = 32 };
const char *ub_label_column(const struct ub_run_axis *axis, char out[UB_LABEL_COLUMN]);

#endif
