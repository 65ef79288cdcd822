/* Edge of stochastic stability: stochastic gradient descent without momentum drives the batch
 * sharpness E[g_B' H_B g_B]/E|g_B|^2 to 2/lr and holds it there, while the full batch's largest
 * eigenvalue stays below (Andreyev and Beneventano 2024, arXiv:2412.20553). The observable is
 * batch-edge-ratio, the batch sharpness over 2/lr, which the law puts at 1 for every batch size.
 * With momentum the edge lies between 2(1 - beta)/lr and 2(1 + beta)/lr, depending on the batch
 * (arXiv:2604.14108): no one number is predicted and the law says nothing. Nor does it of the whole
 * training set as a batch, where edge-of-stability speaks.
 *
 * Where in a run the law speaks. Where the batch sharpness has risen to a level that it keeps to
 * the end (windows.h), found without asking how high that is: a run that levels off at 0.8 is an
 * exception. A single measurement is a Monte-Carlo estimate that scatters; medians of thirds of a
 * window are what flatness is asked of. The margin is that of edge-of-stability, twice the sampling
 * error of one measurement from 64 batches of 16 samples.
 *
 * Bias. None towards any level. Runs that start within 25% of their level, or reach it in the last
 * third, are not judged. */
#include "report/laws/windows.h"

#include <math.h>
#include <string.h>

static double option_of(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++) {
        double value;
        if (strcmp(call->keys[i], key) == 0 && ub_read_real(call->values[i], &value))
            return value;
    }
    return NAN;
}

static bool has_flag(const struct ub_call *call, const char *key)
{
    for (size_t i = 0; i < call->count; i++)
        if (strcmp(call->keys[i], key) == 0)
            return strcmp(call->values[i], "true") == 0;
    return false;
}

/* The training set's size, which a run that failed did not come to record: then as far as the
 * dataset's options tell; NAN when they do not. */
static double samples_of(const struct ub_run *run)
{
    static const char *const sizes[] = {"size", "samples"};
    struct ub_error err = {0};
    double samples = ub_run_fact(run, "samples");
    struct ub_call *call =
        isfinite(samples) ? NULL : ub_call_parse(run->spec.dataset, "dataset", &err);
    for (size_t k = 0; call && k < 2; k++) {
        const double value = option_of(call, sizes[k]);
        samples = value > 0 ? value : samples;
    }
    ub_call_free(call);
    return samples;
}

static bool small_batches_without_momentum(const struct ub_run *run)
{
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(run->spec.optimizer, "optimizer", &err);
    if (!call)
        return false;
    const double batch = option_of(call, "batch"), samples = samples_of(run);
    const bool applies = strcmp(call->name, "sgd") == 0 && batch > 0 && !(batch >= samples) &&
                         option_of(call, "beta") == 0 && !has_flag(call, "nesterov");
    ub_call_free(call);
    return applies;
}

static struct ub_window plateau(const struct ub_run *run, const struct ub_series *rho,
                                const struct ub_series *loss)
{
    (void)run;
    (void)loss; /* that of mini-batches is never at rest */
    if (rho->count == 0)
        return (struct ub_window){.why = "batch-edge-ratio was not measured"};
    return ub_settled(rho, rho->count);
}

static double one(const struct ub_run *run)
{
    (void)run;
    return 1.0;
}

static const char *const measures[] = {"batch-sharpness", NULL};

const struct ub_series_law ub_law_batch_sharpness = {
    .name = "batch-sharpness",
    .claim = "stochastic gradient descent holds the batch sharpness at 2/lr for every batch size",
    .citation = "Andreyev and Beneventano 2024, arXiv:2412.20553",
    .observable = "batch-edge-ratio",
    .measures = measures,
    .applies = small_batches_without_momentum,
    .window = plateau,
    .predict = one,
    .margin = 0.1,
    .least_systems = 6,
};
