/* Parity of the first `order` of `bits` random signs: inputs +-1, the class is 1 where their
 * product is -1. The test set is drawn like the training set. */
#include "base/option_units.h"
#include "datasets/source.h"

static const struct ub_option options[] = {
    {"bits", UB_OPTION_INT, "40", 1, 1e5, NULL, "signs in an input"},
    {"order", UB_OPTION_INT, "3", 1, 1e5, NULL, "signs that the class is the parity of"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "1000", 1, 1e8, NULL,
     "samples of each split"},
    UB_TEST_SAMPLES_SAME,
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void draw(const struct ub_dataset *d, struct ub_split *split, int64_t order,
                 struct ub_random *r)
{
    for (int64_t i = 0; i < split->count; i++) {
        int32_t parity = 0;
        for (int64_t k = 0; k < d->features; k++) {
            const bool minus = ub_random_below(r, 2) == 1;
            split->inputs[i * d->features + k] = minus ? -1 : 1;
            if (k < order && minus)
                parity ^= 1;
        }
        ub_split_label(d, split, i, parity);
    }
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t order = ub_call_int(call, "order"), samples = ub_call_int(call, "samples");
    d->task = UB_CLASSIFICATION;
    d->rank = 1;
    d->shape[0] = d->features = ub_call_int(call, "bits");
    d->outputs = 2;
    if (order > d->features)
        return ub_fail(err, UB_INPUT, "%s: order=%lld of %lld bits; expected at most as many",
                       call->name, (long long)order, (long long)d->features);
    if (!ub_split_new(d, samples, call->name, &d->train, err) ||
        !ub_split_new_test(d, call, samples, err))
        return false;
    struct ub_random train = ub_random_stream(seed, "data.inputs");
    struct ub_random test = ub_random_stream(seed, "data.test");
    draw(d, &d->train, order, &train);
    draw(d, &d->test, order, &test);
    return true;
}

const struct ub_dataset_source ub_dataset_sparse_parity = {
    .name = "sparse-parity",
    .title = "sparse parity",
    .summary = "parity of a few of many random signs",
    .citation = "Barak et al. 2022, arXiv:2207.08799",
    .options = options,
    .load = load,
};
