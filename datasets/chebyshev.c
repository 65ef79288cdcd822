/* Fitting a Chebyshev polynomial (Cohen et al. 2021, arXiv:2103.00065, section on toy tasks): x
 * evenly spaced in [-1, 1], target T_k(x); for test, x uniform there. */
#include "base/option_units.h"
#include "datasets/source.h"

static double chebyshev(int64_t degree, double x)
{
    double before = 1, now = x; /* T_0, T_1; T_{k+1} = 2 x T_k - T_{k-1} */
    for (int64_t k = 1; k < degree; k++) {
        const double next = 2 * x * now - before;
        before = now;
        now = next;
    }
    return now;
}

static const struct ub_option options[] = {
    {.key = "degree",
     .kind = UB_OPTION_INT,
     .fallback = "4",
     .min = 1,
     .max = 20,
     .help = "degree of the polynomial"},
    {.key = "points",
     .kind = UB_OPTION_INT | UB_OPTION_OF_SAMPLES,
     .fallback = "20",
     .min = 2,
     .max = 1e6,
     .help = "samples, evenly spaced in [-1, 1]"},
    UB_TEST_SAMPLES_NONE,
    {.key = NULL},
};

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t degree = ub_call_int(call, "degree"), n = ub_call_int(call, "points");
    d->task = UB_REGRESSION;
    d->rank = 1;
    d->shape[0] = d->features = d->outputs = 1;
    d->noise = 0;
    if (!ub_split_new(d, n, call->name, &d->train, err) || !ub_split_new_test(d, call, 0, err))
        return false;
    for (int64_t i = 0; i < n; i++) {
        d->train.inputs[i] = 2 * (double)i / (double)(n - 1) - 1;
        d->train.targets[i] = chebyshev(degree, d->train.inputs[i]);
    }
    struct ub_random r = ub_random_stream(seed, "data.test");
    for (int64_t i = 0; i < d->test.count; i++) {
        d->test.inputs[i] = 2 * ub_random_uniform(&r) - 1;
        d->test.targets[i] = chebyshev(degree, d->test.inputs[i]);
    }
    return true;
}

const struct ub_dataset_source ub_dataset_chebyshev = {
    .name = "chebyshev",
    .title = "Chebyshev",
    .summary = "regression of a Chebyshev polynomial at evenly spaced points",
    .citation = "Cohen et al. 2021, arXiv:2103.00065",
    .options = options,
    .load = load,
};
