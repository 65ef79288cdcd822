/* weights.h - the spectra of a model's weights as a table, a page and figures; for the command
 * that reads anyone's weights, without a store.
 *
 *     ub_weights_markdown(&weights, &out);
 *     ub_weights_write(&weights, "out", &err);   // weights.md, weights.csv, weights.png, .svg */
#ifndef UB_REPORT_WEIGHTS_H
#define UB_REPORT_WEIGHTS_H

#include "bench/spectra/weights.h"

struct ub_weight_row {
    char *name, *shape; /* "64x3x3x3", as in the file */
    char *order;        /* of the axes of kernels: "OIHW", "HWIO, given", "OIHW/4, either"; "-" */
    struct ub_weight weight; /* sides and slices; its entries are gone */
    struct ub_weight_spectrum spectrum;
};

struct ub_weights {
    const char *source, *version, *commit; /* file; what measured it: not owned */
    bool pooled;                           /* kernels as one matrix a position (weights.h) */
    size_t count;
    struct ub_weight_row *rows; /* in the file's order */
    struct ub_text skipped;     /* one or two sentences; empty when nothing was */
};
void ub_weight_row_clear(struct ub_weight_row *row);
void ub_weights_free(struct ub_weights *weights); /* what the rows hold, not the struct */

/* Heading, aligned table, what was skipped, what the columns mean. */
void ub_weights_markdown(const struct ub_weights *weights, struct ub_text *out);
/* Into a folder, made when absent: each file whole or not at all, weights.md last. Figures are
 * weights.png and .svg; weights-1, weights-2, ... when there are more matrices than a figure has
 * panels, 12. */
bool ub_weights_write(const struct ub_weights *weights, const char *folder, struct ub_error *err);

#endif
