/* suite.h - a YAML file that says which runs to make, expanded to a list of them.
 *
 *     name: quick
 *     description: Three optimizers at their edge on digits
 *     defaults:
 *       dataset: digits
 *       steps: 2000
 *     runs:
 *       - model: [deep-linear, {mlp: {widths: 64x64, activation: [tanh, relu]}}]
 *         loss: [mse, ce]
 *         optimizer: {gd: {lr: [{edge: 20}, {relative: 0.5}]}}
 *         seed: 0..4
 *         measure:
 *           loss: {every: 10}
 *           sharpness: {every: 10, top: 2}
 *           hessian-spectrum: {at: [0, end]}
 *         exclude:
 *           - {model: deep-linear, loss: ce}
 *         timeout: 120
 *
 * A list anywhere in a block but in `measure` is an axis: the block stands for the cartesian
 * product of its axes. A call is written as text ("mlp:widths=64x64") or as a map of one key; an
 * option's value {edge: 20} is edge(20). `seed` and the other whole numbers take ranges, both ends
 * included. `seed` feeds initial weights and probes; `data-seed` (default 0) the data. A block's
 * key replaces the one in `defaults`. `exclude` drops the cells that match every entry of one of
 * its maps: an entry names an axis and a name, a canonical text or a glob of one. Cells that expand
 * to the same spec are kept once. `control: {LAW: holds, LAW: fails}` marks a block's runs as
 * controls of laws (report/laws): runs on which the law must hold, by theorem, or must fail; they
 * test the instrument and never enter the law's verdict. Marks are no part of what a run is: with
 * other marks the same command asks for the same runs. A run of two blocks has the marks of both; a
 * block's `control` replaces that of `defaults` ({}: none). A block with `optional: true` is left
 * out, dataset by dataset, where the files that a dataset needs are not there.
 *
 * `include: [edge, parts/mine.yaml]` adds the runs of other suites, by name of a bundled one or by
 * path (from the folder of the file that says so), before the file's own, whose `runs` may then be
 * left out. Each file keeps its own `defaults`, and is read once however many include it; one that
 * comes to include itself is an error. What a run of several files is a control of, it is a control
 * of in all: a run that no law may count in one of them is not counted here either.
 *
 * `with` ties axes together: variables, whose values are put in the place of $(...) in the block
 * and in the defaults that it takes, a name or an expression (expression.h; to 12 digits),
 *
 *       - with: {w: [64, 128, 256], beta: [0, 0.9], lr: $(0.1 * (1 - beta))}
 *         model: {mlp: {widths: $(w)x$(w)}}
 *         optimizer: {sgd: {lr: $(lr), beta: $(beta)}}
 *         steps: $(4 * w)
 *         measure: {loss: {at: [0, $(2 * w), end]}}
 *
 * A map stands for all combinations of its variables, whose values may be made of those before; a
 * list of maps, [{w: 64, L: 2}, {w: 128, L: 3}], for each of them in turn: lists that are zipped.
 */
#ifndef UB_SUITE_H
#define UB_SUITE_H

#include "bench/suite/controls.h"

struct ub_suite_cell {
    struct ub_run_spec spec;
    double timeout;   /* seconds; 0 = none */
    char *control;    /* as in ub_expected; NULL: none */
    const char *path; /* of its block's file; the suite's */
    int line;         /* of its block */
    bool optional;
    bool absent; /* the files of its dataset are not there, so its id cannot be known */
};

struct ub_suite {
    char *name, *description, *path;
    size_t count;
    struct ub_suite_cell *cells;     /* included ones first, in file order, seeds fastest */
    size_t duplicates, excluded;     /* dropped cells */
    struct ub_control_laws controls; /* that some `control` names */
    size_t n_files;
    char **files; /* those whose runs these are: `path`, then what it includes, in the order read */
};

/* Every error has file and line, and a suggestion where a name is near another. */
struct ub_suite *ub_suite_read(const char *path, struct ub_error *err);
struct ub_suite *ub_suite_parse(const char *text, const char *path, struct ub_error *err);
void ub_suite_free(struct ub_suite *suite);

/* Drops the optional cells whose dataset's files are not in `data` (NULL: $UNIBENCH_DATA); returns
 * how many, and the names of those datasets, comma-separated, in *names (caller frees). */
size_t ub_suite_drop_absent(struct ub_suite *suite, const char *data, char **names);

/* Keeps the first of cells with one id, as a control of all that any of them is one of. Fails when
 * one law is to hold in one and to fail in another. */
bool ub_suite_drop_duplicates(struct ub_suite *suite, struct ub_error *err);

/* Path of a suite given by path or by the name of a bundled one. Caller frees. */
char *ub_suite_find(const char *name, struct ub_error *err);
/* Folder of the bundled suites: $UNIBENCH_SUITES, else the program's. Caller frees. */
char *ub_suite_folder(void);
/* Names of the bundled suites, sorted; caller frees each and the list. */
char **ub_suite_names(size_t *count);

/* Checks a call and stores its canonical text and label in the spec. `axis` is one of "dataset",
 * "model", "loss", "init", "optimizer"; `where` starts the message. */
bool ub_spec_set_call(struct ub_run_spec *spec, const char *axis, const char *text,
                      const char *where, struct ub_error *err);
/* Checks observables, and sets them sorted. The same observable twice is an error. */
bool ub_spec_set_measures(struct ub_run_spec *spec, const char *const *texts,
                          const char *const *where, size_t count, struct ub_error *err);

#endif
