/* Inputs that only name their sample: sample i's is the i-th unit vector, so that a first linear
 * layer has a column a sample to itself, its features, free of any data. A linear network of one
 * hidden layer on these is the unconstrained features model (Mixon, Parshall and Pi 2020,
 * arXiv:2011.11619; Zhu et al. 2021, arXiv:2105.02375). Classes are equally large, in order. */
#include "base/option_units.h"
#include "datasets/source.h"

static const struct ub_option options[] = {
    {"kinds", UB_OPTION_INT, "4", 2, 1000, NULL, "classes"},
    {"per-class", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "10", 1, 1e5, NULL,
     "samples of each class"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)seed, (void)folder;
    const int64_t each = ub_call_int(call, "per-class");
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->outputs = ub_call_int(call, "kinds");
    d->shape[0] = d->features = d->outputs * each;
    if (!ub_split_new(d, d->features, call->name, &d->train, err))
        return false;
    for (int64_t i = 0; i < d->features; i++) {
        d->train.inputs[i * d->features + i] = 1;
        ub_split_label(d, &d->train, i, (int32_t)(i / each));
    }
    return true;
}

const struct ub_dataset_source ub_dataset_free_features = {
    .name = "free-features",
    .title = "free features",
    .summary = "inputs that only name their sample: features of a linear layer are free",
    .citation = "Mixon, Parshall and Pi 2020, arXiv:2011.11619; Zhu et al. 2021, arXiv:2105.02375",
    .options = options,
    .load = load,
};
