/* Square root scaling: where the noise of batches is larger than the gradient, Adam with batches k
 * times as large trains as before, sample for sample, with the rate times sqrt(k), 1 - beta1 and
 * 1 - beta2 times k, and epsilon over sqrt(k) (Malladi et al. 2022, arXiv:2205.10287, definition
 * 4.3). There v is about Sigma/B, so that a step is lr sqrt(B) m/Sigma^(1/2): sqrt(k) of its own
 * accord, sqrt(k) by the rate, for k times the samples; averages over 1/(1 - beta) steps cover the
 * same samples.
 *
 * k is 2 here. With the same settings a step moves by sqrt(2) for twice the samples; by the linear
 * rule it moves by 2 sqrt(2): as far off on the other side, the control that must fail. */
#include "report/laws/batch_rule.h"

static const char *const within[] = {
    "optimizer.batch-seed", "optimizer.batch",   "steps", "optimizer.lr", "optimizer.beta1",
    "optimizer.beta2",      "optimizer.epsilon", NULL};
static const struct ub_batch_rule root = {within, 1.4142135623730951};

static bool scales(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "optimizer", "adam") && !ub_run_on_all_samples(frame, row) &&
           ub_run_rate_is_constant(frame, row) && ub_run_measures(frame, row, "loss") &&
           ub_batch_rule_applies(&root, frame, row);
}

static struct ub_datum ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_batch_rule_datum(&root, frame, group);
}

const struct ub_law ub_law_adam_sqrt = {
    .name = "adam-sqrt",
    .strand = UB_HYPERPARAMETERS,
    .claim = "twice the batch with Adam's rate by the root of 2, 1 - beta by 2 and epsilon by its "
             "inverse root trains alike, sample for sample",
    .formula =
        "D(2B, sqrt(2) eta, 1 - 2 (1 - beta), epsilon/sqrt(2); B, ...) <= D(2B, ...; B, ...)/5, "
        "D^2 = mean_s <ln L(s) - ln L'(s)>^2 at equal samples s",
    .quantity = "distance between loss curves, over that with the same settings",
    .citation = "Malladi et al. 2022, arXiv:2205.10287",
    .who = "Adam with batches of one size and twice that, over the same samples",
    .because = "as for linear-scaling: a fifth of what the batch size does by itself",
    .within = within,
    .needs = {{.observable = "loss"},
              {.axis = "optimizer.batch", .least = 2},
              {.axis = "optimizer.lr", .least = 2}},
    .applies = scales,
    .datum = ratio,
    .is = {UB_AT_MOST, .target = 0.2},
};
