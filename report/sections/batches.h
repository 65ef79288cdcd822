/* batches.h - systems on which batch sharpness was measured, and their edges; private to batches.c
 * and plots_batches*.c. */
#ifndef UB_SECTIONS_BATCHES_H
#define UB_SECTIONS_BATCHES_H

#include "report/sections/sections.h"

struct recipe {
    size_t system, row; /* of the study, and its first row that was measured */
    double beta;
    bool nesterov;
    double batch; /* the training set's size where the optimizer takes all of it */
    int rate;     /* orders rates as they were asked for: seeds of a relative one differ in lr */
    size_t line;  /* those that differ in the batch alone have the same */
};
/* Lines together, batches ascending in each. */
struct recipes {
    const struct study *study;
    size_t count;
    struct recipe *of;
    struct ub_rows rows; /* of each */
    struct ub_groups lines;
    size_t *at; /* one a row of the frame: the recipe whose row it is */
};
struct recipes recipes_of(const struct study *study);
void recipes_clear(struct recipes *recipes);

/* Whether a run, of any system, has batch sharpness and a rate to hold it against. */
bool batch_is_measured(const struct study *study, size_t row);

/* Edges over 2/lr of the smallest and of the largest batches; NAN where none is known. */
double small_edge(const struct recipe *recipe);
double large_edge(const struct recipe *recipe);

/* What of recipes differs from line to line, their beta and rate in any case: "beta=0 lr=0.4".
 * Caller frees. */
char *line_name(const struct recipes *recipes, size_t line);

/* Panels: recipes taken together, by their rows; the finest of the ways that makes at most `most`.
 * Lines with their batches apart or together; then by optimizer, batch (where apart) and momentum;
 * by optimizer; all. `*rung` counts them. */
struct ub_groups batch_panels(const struct recipes *recipes, bool batches_apart, size_t most,
                              size_t *rung);

/* Mean over seeds, and the least and greatest, of the median over the second half of a run, over
 * 2/lr; of all runs of the system that were asked for. */
struct level {
    size_t runs, lost; /* lost: diverged, failed, or not run */
    double mean, low, high;
};
struct level batch_level(const struct recipes *recipes, const struct recipe *recipe,
                         const char *observable);

/* plots_batches.c: against step. plots_batches_settled.c: where it settles. */
bool plot_batch_steps(const struct recipes *recipes, struct plates *plates, struct ub_error *err);
bool plot_batch_settled(const struct recipes *recipes, struct plates *plates, struct ub_error *err);

#endif
