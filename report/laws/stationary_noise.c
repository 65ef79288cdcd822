/* Stationary noise: far along, stochastic gradient descent on a linear model scatters about the
 * minimum with the excess loss that the exact recursion of second moments has at rest
 * (bench/observables/stationary_noise.c; Liu, Ziyin and Ueda 2021, arXiv:2012.03636; Mandt, Hoffman
 * and Blei 2017, arXiv:1704.04289). The continuous-time formula, lr tr(C)/4, is short of it at
 * large rates: the control that must fail.
 *
 * The datum is the mean of the excess over the second half of the run, over the prediction, a run;
 * then the mean over seeds. The half is set by time alone. */
#include "report/laws/group.h"

#include <math.h>

static bool draws_anew(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "stationary-noise") &&
           ub_run_is(frame, row, "optimizer", "sgd") &&
           ub_run_is(frame, row, "optimizer.replacement", "true") && ub_run_is_plain(frame, row) &&
           ub_frame_number(frame, row, "optimizer.beta") == 0;
}

static double ratio_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    struct ub_series excess = ub_frame_series(frame, row, "excess-loss", 0);
    const size_t half = excess.count / 2;
    const double mean = ub_mean(excess.value + half, excess.count - half);
    ub_series_clear(&excess);
    return mean / ub_frame_last(frame, row, "predicted-excess-loss", 0);
}

static struct ub_datum ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, ratio_of, NULL, "no stationary noise is predicted");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    const double predicted = ub_frame_last(frame, row, "predicted-excess-loss", 0);
    ub_plane_add(points, predicted, predicted * ratio_of(frame, row, NULL));
}

const struct ub_law ub_law_stationary_noise = {
    .name = "stationary-noise",
    .strand = UB_HYPERPARAMETERS,
    .claim =
        "at rest the excess loss of stochastic gradient descent is what its batches' noise says",
    .formula = "<L - L_min> = tr(H S)/2, S = fixed point of S - eta (H S + S H) + eta^2 ((1 - 1/B) "
               "H S H + (1/B) <(a'S a + r^2) a a'>)",
    .quantity = "mean excess loss of the second half over the prediction",
    .citation = "Liu, Ziyin and Ueda 2021, arXiv:2012.03636; Mandt et al. 2017, arXiv:1704.04289",
    .who = "linear models of one output under squared loss, batches drawn with replacement",
    .because =
        "at a tenth of the edge the continuous-time formula is a tenth short in the fastest mode",
    .needs = {{.observable = "stationary-noise"}},
    .applies = draws_anew,
    .datum = ratio,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
