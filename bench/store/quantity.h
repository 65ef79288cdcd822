/* quantity.h - what a number of a store is: the rows of a trace, the facts of a run. Who writes one
 * declares it, and from the declaration alone come its column of runs.csv, how `compare` compares
 * it, the data dictionary and `unibench list`.
 *
 *     static const struct ub_quantity rows[] = {
 *         {.name = "exponent.LAYER",
 *          .index = ub_exponent_index,
 *          .units = "1",
 *          .meaning = "power law of the decay of the layer's covariance eigenvalues",
 *          .headline = true,
 *          .column = "",
 *          .compared = {UB_COMPARED_MEASURED, .floor = 0.05}},
 *         {.name = NULL},
 *     };
 *
 * At most one word of a name is in capitals: it stands for what differs, a layer's name or a law's.
 */
#ifndef UB_STORE_QUANTITY_H
#define UB_STORE_QUANTITY_H

#include "base/base.h"

enum ub_compared {
    UB_NOT_COMPARED,
    UB_COMPARED_EXACT,    /* set or computed before training: no spread */
    UB_COMPARED_MEASURED, /* a number with a spread */
    UB_COMPARED_SHARE     /* 0 or 1 a run */
};
enum ub_scale { UB_SCALE_LINEAR, UB_SCALE_LOG };

/* How two stores' values are held against each other (report/compare). */
struct ub_comparison {
    enum ub_compared kind;
    enum ub_scale scale;
    double floor; /* a difference to which nobody objects: on the log scale, relative */
    /* On the log scale, what is as good as zero: x is compared as asinh(x / (2 zero)), which is
     * log(x / zero) for x far above and x / (2 zero) below, so that zeros and negative values have
     * their place. */
    double zero;
    bool initial;      /* known before training: compared however a run ended */
    bool counted;      /* a share of samples: moves in steps, so that values are equal by chance */
    bool of_rate;      /* follows from the learning rate, which may follow from the seed */
    const char *given; /* suffix of the share that must be 1 for this to have a value; or NULL */
};

/* How it is best looked at. */
enum ub_figure_hint { UB_FIGURE_NONE, UB_FIGURE_OVER_STEPS, UB_FIGURE_OVER_INDEX };

struct ub_quantity {
    const char *name;    /* NULL ends a table */
    const char *index;   /* what it counts, or what each stands for; NULL: it is always 0 */
    const char *units;   /* "1": none */
    const char *meaning; /* a few words that go with any index */
    bool headline;       /* the one number to look at first; a fact: among the first columns */
    bool whole;          /* a whole number */
    enum ub_figure_hint figure; /* rows of traces */
    /* Of rows: their last finite value, at index 0, is in the column of runs.csv that has this
     * before the row's name ("final-"); NULL: in none. Facts have a column of their own name. */
    const char *column;
    struct ub_comparison compared;
};

/* Whether `name` is one that the quantity stands for; then *word and *length, unless NULL, are what
 * stands for its word in capitals (within `name`; length 0 where it has none). */
bool ub_quantity_fits(const struct ub_quantity *quantity, const char *name, const char **word,
                      size_t *length);
/* The first of a table that fits; NULL when none does. */
const struct ub_quantity *ub_quantity_find(const struct ub_quantity *table, const char *name);

/* What is recorded of every run: by training, and of the cost of what was measured. */
extern const struct ub_quantity ub_run_facts[];

#endif
