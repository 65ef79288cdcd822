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
 * third, are not judged.
 *
 * Controls. With the whole set as the batch, on a quadratic loss and at the rate 1.96/lambda_max,
 * gradient descent is a power iteration: the gradient turns to the top direction, whose factor
 * 1 - lr lambda = -0.96 is the largest, and g'Hg/|g|^2 rises to lambda_max, 0.98 of 2/lr. Against a
 * threshold that is misstated by a fifth the same must fail. */
#include "report/laws/group.h"

#include <math.h>

/* A run that failed did not come to record its training set's size: then it is as the dataset's
 * options tell, and where they do not, the batch is taken to be less. */
static bool small_batches_without_momentum(const struct ub_frame *frame, size_t row)
{
    const double batch = ub_frame_number(frame, row, "optimizer.batch");
    const double samples = ub_frame_number(frame, row, "dataset.size");
    return ub_run_measures(frame, row, "batch-sharpness") &&
           ub_run_is(frame, row, "optimizer", "sgd") && batch > 0 &&
           !(samples > 0 && batch >= samples) &&
           ub_frame_number(frame, row, "optimizer.beta") == 0 &&
           !ub_run_is(frame, row, "optimizer.nesterov", "true");
}

/* The loss of mini-batches is never at rest. */
static struct ub_window plateau(const struct ub_frame *frame, size_t row,
                                const struct ub_series *rho, const struct ub_series *loss)
{
    (void)frame;
    (void)row;
    (void)loss;
    if (rho->count == 0)
        return (struct ub_window){.why = "batch-edge-ratio was not measured"};
    return ub_settled(rho, rho->count);
}

const struct ub_law ub_law_batch_sharpness = {
    .name = "batch-sharpness",
    .strand = UB_EMPIRICAL,
    .claim = "stochastic gradient descent holds the batch sharpness at 2/lr for every batch size",
    .formula = "E[g_B'H_B g_B] / E|g_B|^2 -> 2/eta",
    .quantity = "batch sharpness over 2/lr where it keeps a level",
    .citation = "Andreyev and Beneventano 2024, arXiv:2412.20553",
    .who = "stochastic gradient descent without momentum, batches below the whole training set",
    .because = "twice the sampling error of one measurement from 64 batches of 16 samples",
    .needs = {{.observable = "batch-sharpness"}},
    .applies = small_batches_without_momentum,
    .series = "batch-edge-ratio",
    .window = plateau,
    .moderate = true,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
