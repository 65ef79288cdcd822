/* Edge of stochastic stability: stochastic gradient descent without momentum drives the batch
 * sharpness E[g_B' H_B g_B]/E|g_B|^2 to 2/lr and holds it there, while the full batch's largest
 * eigenvalue stays below (Andreyev and Beneventano 2024, arXiv:2412.20553). The observable is
 * batch-edge-ratio, the batch sharpness over 2/lr, which the law puts at 1 for every batch size.
 * With momentum the edge lies between 2(1 - beta)/lr and 2(1 + beta)/lr, depending on the batch
 * (arXiv:2604.14108): no one number is predicted and the law says nothing. Nor does it of the whole
 * training set as a batch, where edge-of-stability speaks.
 *
 * Where in a run the law speaks. Each measurement is a Monte-Carlo estimate that scatters about the
 * batch sharpness, so that a single one above 1 does not say that a run has sharpened that far: the
 * window begins with the first five measurements in a row whose median is at least 1, and ends with
 * the run. Runs that start above must come below first, as in edge-of-stability. So the law is
 * about holding 2/lr, not about reaching it: a run that levels off below is counted as one that did
 * not reach the regime, and shown as such. The margin is that of edge-of-stability, twice the
 * sampling error of one measurement from 64 batches of 16 samples. */
#include "bench/laws/laws.h"

#include <math.h>
#include <string.h>

enum { LEAST_MEASUREMENTS = 10, RUNNING = 5 };

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

static bool small_batches_without_momentum(const struct ub_run *run)
{
    struct ub_error err = {0};
    struct ub_call *call = ub_call_parse(run->spec.optimizer, "optimizer", &err);
    if (!call)
        return false;
    const double batch = option_of(call, "batch");
    const bool applies = strcmp(call->name, "sgd") == 0 && batch > 0 &&
                         batch < ub_run_fact(run, "samples") && option_of(call, "beta") == 0 &&
                         !has_flag(call, "nesterov");
    ub_call_free(call);
    return applies;
}

/* Whether the median of RUNNING measurements from i on is at least 1; false at the series' end. */
static bool at_edge(const struct ub_series *rho, size_t i)
{
    int above = 0;
    if (i + RUNNING > rho->count)
        return false;
    for (size_t k = i; k < i + RUNNING; k++)
        above += rho->value[k] >= 1.0;
    return 2 * above > RUNNING;
}

static struct ub_window not_reached(const char *why)
{
    return (struct ub_window){.why = why};
}

static struct ub_window plateau(const struct ub_run *run, const struct ub_series *rho)
{
    if (rho->count == 0)
        return not_reached("batch-edge-ratio was not measured");
    if (run->status == UB_RUN_DIVERGED)
        return not_reached("diverged");
    size_t first = 0;
    while (first < rho->count && at_edge(rho, first))
        first++;
    while (first < rho->count && !at_edge(rho, first))
        first++;
    if (first == rho->count)
        return not_reached(at_edge(rho, 0) ? "started above 2/lr, did not come back to it"
                                           : "never sharpened to 2/lr");
    if (rho->count - first < LEAST_MEASUREMENTS)
        return not_reached("fewer than 10 measurements after reaching 2/lr");
    return (struct ub_window){.first = first, .last = rho->count - 1, .reached = true};
}

static double one(const struct ub_run *run)
{
    (void)run;
    return 1.0;
}

const struct ub_law ub_law_batch_sharpness = {
    .name = "batch-sharpness",
    .claim = "stochastic gradient descent holds the batch sharpness at 2/lr for every batch size",
    .citation = "Andreyev and Beneventano 2024, arXiv:2412.20553",
    .observable = "batch-edge-ratio",
    .applies = small_batches_without_momentum,
    .window = plateau,
    .predict = one,
    .margin = 0.1,
    .least_systems = 6,
};
