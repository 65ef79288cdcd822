/* Neural collapse: trained long past zero error, which is not asked for here, the last hidden
 * layer's features come to their class means, these to a simplex of equal norms and angles, the
 * readout to them, and the nearest class mean decides (Papyan, Han and Donoho 2020,
 * arXiv:2008.08186; with weight decay proved for features that are free: Zhu et al. 2021,
 * arXiv:2105.02375; Tirer and Bruna 2022, arXiv:2202.08087, for squared loss).
 *
 * Each of the five measures (bench/observables/neural_collapse.c) is 0 at collapse; the datum is
 * the largest of their ratios to the start, so that all must have fallen to a twentieth. A measure
 * that was 0 at the start and is so at the end has nothing to fall to, and counts as 0.
 *
 * Free features (a linear network of one hidden layer on inputs that only name their sample) are
 * where it holds by theorem; training cut short is where it fails. */
#include "report/laws/group.h"

#include <math.h>

static const char *const measures[] = {"collapse-within", "collapse-norms", "collapse-angles",
                                       "collapse-self-duality", "collapse-nearest"};

static bool measured(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "neural-collapse") &&
           ub_frame_number(frame, row, "optimizer.l2") > 0;
}

static double ratio_of(const struct ub_frame *frame, size_t row, const char *measure)
{
    struct ub_series s = ub_frame_series(frame, row, measure, 0);
    const double start = s.count > 1 ? s.value[0] : (double)NAN;
    const double end = s.count > 1 ? s.value[s.count - 1] : (double)NAN;
    ub_series_clear(&s);
    return end == 0 ? 0 : end / start;
}

static double least_fallen(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    double most = (double)NAN;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return most;
    for (size_t k = 0; k < sizeof measures / sizeof *measures; k++)
        most = isnan(most) || !(ratio_of(frame, row, measures[k]) <= most)
                   ? ratio_of(frame, row, measures[k])
                   : most;
    return most;
}

static struct ub_datum collapse(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, least_fallen, NULL,
                         "measured fewer than two times, or no classes");
}

const struct ub_law ub_law_neural_collapse = {
    .name = "neural-collapse",
    .strand = UB_UNIVERSAL,
    .claim = "trained to the end with weight decay, features collapse to class means that form a "
             "simplex "
             "parallel to the readout",
    .formula = "m_k(T)/m_k(0) -> 0 for tr(S_w S_b^+)/C, std/mean |mu_c|, <|cos + 1/(C - 1)|>, "
               "|W'/|W| - M/|M||, nearest mean",
    .quantity = "largest ratio to its start of the five measures of collapse",
    .citation = "Papyan, Han and Donoho 2020, arXiv:2008.08186; Zhu et al. 2021, arXiv:2105.02375",
    .who = "classifiers with a hidden layer, trained with weight decay",
    .because = "a twentieth of the start: scatter, norms and angles that are still there but small",
    .needs = {{.observable = "neural-collapse"}},
    .applies = measured,
    .datum = collapse,
    .is = {UB_AT_MOST, .target = 0.05},
};
