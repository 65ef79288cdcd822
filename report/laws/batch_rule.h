/* batch_rule.h - what laws of settings that go with the batch size have in common: whether a batch
 * twice as large, with settings that a rule changes, trains as before, sample for sample.
 *
 * A triple of runs, of one start and one order of samples (the same for all batch sizes):
 *
 *     base     batch b, some settings
 *     fixed    batch 2b, the same settings
 *     ruled    batch 2b, another rate, and whatever else the rule changes
 *
 * all over the same number of samples. With l(s) the logarithm of the training loss after s
 * samples, the distance of two curves is
 *
 *     D^2 = mean over s of (E[l_a(s) - l_b(s)])^2,
 *
 * E over triples of the same settings (seeds and batch-seeds), from which the variance of the mean
 * over n triples is taken off: an estimate without bias, so that noise neither makes nor hides a
 * distance (it may be negative, and its root then is, too). The datum is D(ruled, base)/D(fixed,
 * base), its error the jackknife's over triples. A group of several bases has the ratio of sums of
 * D^2. */
#ifndef UB_LAWS_BATCH_RULE_H
#define UB_LAWS_BATCH_RULE_H

#include "report/laws/group.h"

/* `within`: the law's, which begins with optimizer.batch-seed, optimizer.batch and steps; all but
 * the first may differ within a triple, and those after the third are the settings that a rule
 * changes with the batch. `factor`: on the rate when the batch doubles, by which the ruled run is
 * told where several have another rate than the base: the nearest. */
struct ub_batch_rule {
    const char *const *within;
    double factor;
};

/* Whether the frame has a triple that the row is in. */
bool ub_batch_rule_applies(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                           size_t row);
struct ub_datum ub_batch_rule_datum(const struct ub_batch_rule *rule, const struct ub_frame *frame,
                                    const struct ub_rows *group);

#endif
