/* Entropy floor: on text of known entropy the test loss tends to the entropy, and never below it
 * (Shannon 1948, Bell Syst. Tech. J. 27; for transformers on Markov chains Makkuva et al. 2024,
 * arXiv:2402.04161).
 *
 *     E[test loss] = H + E KL(text || model) >= H
 *
 * H is the entropy of the next token given what the sequence so far shows of it, averaged over
 * positions (datasets/markov.c): finite context is in it. Finite text is not: of P free numbers
 * fitted to T tokens the best estimate is above H by P/(2 T) (Wilks 1938; Akaike 1974), for the
 * suite's chains 0.003 to 0.004 nats; the margin leaves room for five times that.
 *
 * The datum is the test loss less the same test samples' cross-entropy under their true
 * probabilities (`test-entropy`): its mean is the divergence, too, but the sampling error of the
 * loss, deviation(log p)/sqrt(tokens), about 0.003 nats for 60,000 tokens, is the same in both and
 * drops out. What is left, about sqrt(2 KL/tokens), is below 0.001. So a datum below 0 would be one
 * below the entropy.
 *
 * The loss is that at the last step. Only texts with a test set of 1,000 sequences or more of its
 * own are spoken of. */
#include "report/laws/group.h"

#include <math.h>

static const double least_test = 1000;

static bool is_text_of_known_entropy(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "dataset", "markov") && ub_run_is(frame, row, "loss", "ce") &&
           ub_run_measures(frame, row, "loss") &&
           ub_frame_number(frame, row, "dataset.test-samples") >= least_test;
}

static double excess_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return ub_run_last(frame, row, "test-loss") -
           ub_run_fact(&frame->store->runs[row], "test-entropy");
}

static struct ub_datum excess(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, excess_of, NULL, "no test loss, or no entropy known");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_add(points, ub_run_fact(&frame->store->runs[row], "test-entropy"),
                 ub_run_last(frame, row, "test-loss"));
}

const struct ub_law ub_law_entropy_floor = {
    .name = "entropy-floor",
    .strand = UB_EMPIRICAL,
    .claim = "on text of known entropy the test loss comes to the entropy, and not below it",
    .formula = "0 <= test loss - entropy <= 0.02 nats",
    .quantity = "test loss less entropy in nats, at the end",
    .citation = "Shannon 1948, Bell Syst. Tech. J. 27; Makkuva et al. 2024, arXiv:2402.04161",
    .who = "models of text drawn from a Markov chain, under cross-entropy",
    .because = "a hundredth about 0.01: five times what the best estimate from so much text misses",
    .needs = {{.observable = "loss"}},
    .applies = is_text_of_known_entropy,
    .datum = excess,
    .plane = plane,
    .is = {UB_EQUAL, .target = 0.01, .margin = 0.01},
};
