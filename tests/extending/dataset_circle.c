/* Points of norm 1 at equal angles; the target is the sine of a multiple of the angle. */
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {"points", UB_OPTION_INT, "16", 2, 1e6, NULL, "samples, at equal angles"},
    {"frequency", UB_OPTION_INT, "1", 1, 100, NULL, "multiple of the angle"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)seed, (void)folder;
    const int64_t n = ub_call_int(call, "points");
    d->task = UB_REGRESSION;
    d->rank = 1;
    d->shape[0] = d->features = 2;
    d->outputs = 1;
    if (!ub_split_new(d, n, call->name, &d->train, err))
        return false;
    for (int64_t i = 0; i < n; i++) {
        const double angle = 2 * M_PI * (double)i / (double)n;
        d->train.inputs[2 * i] = cos(angle);
        d->train.inputs[2 * i + 1] = sin(angle);
        d->train.targets[i] = sin((double)ub_call_int(call, "frequency") * angle);
    }
    return true;
}

const struct ub_dataset_source ub_dataset_circle = {
    .name = "circle",
    .summary = "regression of a sine on points of norm 1 at equal angles",
    .citation = "none",
    .options = options,
    .load = load,
};
