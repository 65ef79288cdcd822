/* Implicit bias of diagonal networks: of all weights that fit the training samples, gradient flow
 * on w = u^2 - v^2 from u = v = alpha finds the minimizer of a potential between l1 and l2
 * (Woodworth et al. 2020, arXiv:2002.09277; bench/observables/implicit_bias.c).
 *
 * About the flow. Gradient descent in short steps follows it, and is a control; long steps (Even et
 * al. 2023, arXiv:2302.08982) and the noise of mini-batches (Pesme et al. 2021, arXiv:2106.09524)
 * end elsewhere: controls that must fail. */
#include "report/laws/group.h"

#include <math.h>

static const double fitted = 1e-4; /* a hundredth of the margin */

static bool is_flow(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "implicit-bias") &&
           ub_run_is(frame, row, "optimizer", "gradient-flow") &&
           ub_run_on_all_samples(frame, row) && ub_run_is(frame, row, "loss", "mse") &&
           ub_frame_number(frame, row, "model.depth") == 2 &&
           ub_frame_number(frame, row, "optimizer.l2") == 0;
}

static double distance_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_frame_last(frame, row, "implicit-residual", 0) <= fitted
               ? ub_frame_last(frame, row, "implicit-distance", 0)
               : (double)NAN;
}

static struct ub_datum distance(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, distance_of, NULL, "the samples are not fitted to 1e-4");
}

const struct ub_law ub_law_implicit_bias_diagonal = {
    .name = "implicit-bias-diagonal",
    .strand = UB_SOLVABLE,
    .claim = "a diagonal network ends at the solution that its start's potential prefers",
    .formula = "w(infinity) = argmin of the potential of alpha over {w: X w = y}; w = u^2 - v^2, "
               "u(0) = v(0) = alpha",
    .quantity = "relative distance of the weights to the potential's minimizer",
    .citation = "Woodworth et al. 2020, arXiv:2002.09277",
    .who = "diagonal networks of depth 2, more features than samples, by gradient flow",
    .because = "samples are fitted to 1e-4; 1e-2 leaves a hundredfold for what is ill-conditioned",
    .needs = {{.observable = "implicit-bias"}},
    .applies = is_flow,
    .datum = distance,
    .is = {UB_AT_MOST, .target = 0.01},
};
