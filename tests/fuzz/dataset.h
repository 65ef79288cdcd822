/* dataset.h - what a dataset read from any file must be: for the targets of data files. */
#ifndef UB_FUZZ_DATASET_H
#define UB_FUZZ_DATASET_H

#include "datasets/datasets.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

static inline void check_split(const struct ub_dataset *d, const struct ub_split *split)
{
    for (int64_t i = 0; i < split->count * d->features; i++)
        fuzz_require(isfinite(split->inputs[i]), "inputs are finite");
    for (int64_t i = 0; i < split->count * ub_target_width(d); i++)
        fuzz_require(isfinite(split->targets[i]), "targets are finite");
    for (int64_t i = 0; split->labels && i < split->count * ub_positions(d); i++)
        fuzz_require(split->labels[i] >= -1 && split->labels[i] < d->outputs, "labels are classes");
}

/* Loads a call's dataset from fuzz_folder(). */
static inline void check_dataset(const char *call)
{
    struct ub_error err = {0};
    struct ub_dataset *d = ub_dataset_load(call, 0, fuzz_folder(), &err);
    fuzz_expect(d != NULL, &err);
    if (d) {
        fuzz_require(d->train.count > 0 && d->features > 0 && d->outputs > 0, "data are there");
        check_split(d, &d->train);
        check_split(d, &d->test);
    }
    ub_dataset_free(d);
}

#endif
