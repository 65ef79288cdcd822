/* Linear scaling: stochastic gradient descent with batches twice as large and twice the rate trains
 * as before, sample for sample (Goyal et al. 2017, arXiv:1706.02677). Both follow
 * d theta = -g dt + (lr Sigma/B)^(1/2) dW in the time t = lr x step, to first order in lr: of drift
 * and noise, time and lr/B, neither changes (Li, Malladi and Arora 2021, arXiv:2102.12470, who show
 * that it ends where lr is no longer small). At the same rate the time halves.
 *
 * The distance that is left is of the order of lr times the curvature that matters: on a quadratic
 * without noise, z = lr h, a step by the rule differs from two of the base by
 * 2 (ln(1 - 2z) - 2 ln(1 - z)) = -2 z^2 in ln L and one at the same rate by -2 ln(1 - z) = 2z: a
 * ratio of z, or 2R in the top direction at R of the edge of stability (tests/test_batch_rule.c).
 * By the square root, as Adam's rule has it, time is shorter by a root of 2, which leaves
 * 2 - sqrt(2) = 0.59 of the fixed rate's distance: the control that must fail.
 */
#include "report/laws/batch_rule.h"

static const char *const within[] = {"optimizer.batch-seed", "optimizer.batch", "steps",
                                     "optimizer.lr", NULL};
static const struct ub_batch_rule linear = {within, 2};

static bool scales(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "sgd") && !ub_run_on_all_samples(frame, row) &&
           ub_run_rate_is_constant(frame, row) && ub_run_measures(frame, row, "loss") &&
           ub_batch_rule_applies(&linear, frame, row);
}

static struct ub_datum ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_batch_rule_datum(&linear, frame, group);
}

const struct ub_law ub_law_linear_scaling = {
    .name = "linear-scaling",
    .strand = UB_HYPERPARAMETERS,
    .claim = "twice the batch with twice the rate trains alike, sample for sample",
    .formula =
        "D(2B, 2 eta; B, eta) <= D(2B, eta; B, eta)/5, D^2 = mean_s <ln L(s) - ln L'(s)>^2 at "
        "equal samples s",
    .quantity = "distance between loss curves, over that at the same rate",
    .citation = "Goyal et al. 2017, arXiv:1706.02677; Li, Malladi and Arora 2021, arXiv:2102.12470",
    .who = "stochastic gradient descent at one rate and two, batches of one size and twice that, "
           "over the same samples",
    .because = "errors of first order are a fifth at a tenth of the edge, in the fastest direction",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "optimizer.batch", .least = 2},
              {.axis = "optimizer.lr", .least = 2}},
    .applies = scales,
    .datum = ratio,
    .is = {UB_AT_MOST, .target = 0.2},
};
