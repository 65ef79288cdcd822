/* Linear regression in context: each sample is a task of its own, y = w . x with w and x normal.
 * A sequence of 2 pairs - 1 steps of dimension + 1 numbers: x_1, y_1, x_2, ..., x_pairs, where the
 * step of an x is (x, 0) and that of a y is (0, ..., 0, y). Asked for is y_pairs at the last step,
 * or with all=true each y at the step of its x (positions = pairs). w has variance 1/dimension, so
 * that y has variance 1. */
#include "base/option_units.h"
#include "datasets/source.h"

#include <math.h>

static const struct ub_option options[] = {
    {"pairs", UB_OPTION_INT, "10", 2, 2048, NULL, "pairs of x and y in a sequence"},
    {"dimension", UB_OPTION_INT, "5", 1, 10000, NULL, "numbers of an x"},
    {"samples", UB_OPTION_INT | UB_OPTION_OF_SAMPLES, "512", 1, 1e7, NULL,
     "sequences of each split"},
    UB_TEST_SAMPLES_SAME,
    {"noise", UB_OPTION_REAL | UB_OPTION_OF_OUTPUT, "0", 0, 1e6, NULL,
     "standard deviation of noise on y"},
    {"all", UB_OPTION_FLAG, "false", 0, 0, NULL, "ask for every y, not for the last only"},
    {NULL, UB_OPTION_FLAG, NULL, 0, 0, NULL, NULL},
};

static void draw(const struct ub_dataset *d, struct ub_split *split, const struct ub_call *call,
                 struct ub_random *r)
{
    const int64_t pairs = ub_call_int(call, "pairs"), n = ub_call_int(call, "dimension");
    const double noise = ub_call_real(call, "noise");
    const int64_t targets = ub_target_width(d);
    double *w = ub_calloc((size_t)n, sizeof *w);
    for (int64_t i = 0; i < split->count; i++) {
        double *step = split->inputs + i * d->features;
        for (int64_t k = 0; k < n; k++)
            w[k] = ub_random_normal(r) / sqrt((double)n);
        for (int64_t pair = 0; pair < pairs; pair++, step += 2 * (n + 1)) {
            double y = noise > 0 ? noise * ub_random_normal(r) : 0;
            for (int64_t k = 0; k < n; k++) {
                step[k] = ub_random_normal(r);
                y += w[k] * step[k];
            }
            if (pair + 1 < pairs)
                step[n + 1 + n] = y;
            if (targets == pairs || pair + 1 == pairs)
                split->targets[i * targets + (targets == pairs ? pair : 0)] = y;
        }
    }
    ub_free(w);
}

static bool load(struct ub_dataset *d, const struct ub_call *call, uint64_t seed,
                 const char *folder, struct ub_error *err)
{
    (void)folder;
    const int64_t pairs = ub_call_int(call, "pairs"), samples = ub_call_int(call, "samples");
    d->task = UB_REGRESSION;
    d->rank = 2;
    d->shape[0] = 2 * pairs - 1;
    d->shape[1] = ub_call_int(call, "dimension") + 1;
    d->features = d->shape[0] * d->shape[1];
    d->outputs = 1;
    d->positions = ub_call_flag(call, "all") ? pairs : 1;
    if (!ub_split_new(d, samples, call->name, &d->train, err) ||
        !ub_split_new_test(d, call, samples, err))
        return false;
    struct ub_random train = ub_random_stream(seed, "data.inputs");
    struct ub_random test = ub_random_stream(seed, "data.test");
    draw(d, &d->train, call, &train);
    draw(d, &d->test, call, &test);
    return true;
}

const struct ub_dataset_source ub_dataset_in_context_regression = {
    .name = "in-context-regression",
    .title = "in-context regression",
    .summary = "linear regression from the examples of a prompt",
    .citation = "Garg et al. 2022, arXiv:2208.01066",
    .options = options,
    .load = load,
};
