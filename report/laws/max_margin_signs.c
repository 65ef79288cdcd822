/* Max margin of signs: on separable samples steepest descent in a norm goes to the direction of
 * largest margin over that norm (Gunasekar et al. 2018, arXiv:1802.08246, theorem 5), which for
 * sign descent is the maximum norm (for several classes Fan, Schmidt and Thrampoulidis 2025,
 * arXiv:2502.04664); and so does Adam where its epsilon is nothing (Zhang, Zou and Cao 2024,
 * arXiv:2406.10650).
 *
 * Convergence is slow: of m rows the least margin falls short of gamma |w|_max by ln m and more,
 * and in f64 a probability of 1 - e^-37 is 1 to rounding, so that gradients end there. So the datum
 * is the slope of the least margin on |w|_max where gamma |w|_max is between 15 and 30, over gamma,
 * the largest margin that any direction has (bench/observables/max_norm_margin.c): what is left of
 * the loss's other terms there is e^-15 to e^-30 of the first. Steps of length eta turn about their
 * direction and cost eta |c|_1^2/(2 gamma) of it at most; the suite's are a hundredth. */
#include "report/laws/group.h"

#include <math.h>

static const double from = 15, until = 30;
enum { LEAST_TIMES = 5 };

static bool descends_by_signs(const struct ub_frame *frame, size_t row)
{
    const bool signs = ub_run_is(frame, row, "optimizer", "signsgd") &&
                       ub_run_is(frame, row, "optimizer.scaled", "false");
    const bool adam = ub_run_is(frame, row, "optimizer", "adam") &&
                      ub_frame_number(frame, row, "optimizer.epsilon") <= 1e-30;
    return ub_run_measures(frame, row, "max-norm-margin") && ub_run_is(frame, row, "loss", "ce") &&
           (signs || adam) && ub_run_on_all_samples(frame, row) && ub_run_is_plain(frame, row);
}

/* Slope of y = margin x norm on x = norm. */
static double slope_of(const struct ub_series *norm, const struct ub_series *margin, double hard)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0, k = 0; i < margin->count; i++) {
        while (k < norm->count && norm->step[k] < margin->step[i])
            k++;
        const double size = norm->value[k], least = margin->value[i] * size;
        if (!(hard * size >= from && hard * size <= until))
            continue;
        n++;
        x += size;
        y += least;
        xx += size * size;
        xy += size * least;
    }
    return n >= LEAST_TIMES ? (xy - x * y / n) / (xx - x * x / n) : (double)NAN;
}

/* Gradients fall as exp(-eta gamma t), Adam's root mean square as beta2^(t/2) at the fastest: where
 * that is slower its steps die out and signs are no more what sets them. */
static bool remembers(const struct ub_frame *frame, size_t row, double hard)
{
    return ub_run_is(frame, row, "optimizer", "adam") &&
           4 * ub_frame_number(frame, row, "optimizer.lr") * hard >
               -log(ub_frame_number(frame, row, "optimizer.beta2"));
}

static double share_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    const double hard = ub_run_last(frame, row, "max-norm-hard-margin");
    struct ub_series norm = ub_frame_series(frame, row, "max-norm", 0);
    struct ub_series margin = ub_frame_series(frame, row, "max-norm-margin", 0);
    const double slope = remembers(frame, row, hard) ? (double)NAN : slope_of(&norm, &margin, hard);
    ub_series_clear(&norm);
    ub_series_clear(&margin);
    return slope / hard;
}

static struct ub_datum share(const struct ub_frame *frame, const struct ub_rows *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (!(ub_run_last(frame, group->row[i], "max-norm-hard-margin") > 1e-9) &&
            frame->store->runs[group->row[i]].status == UB_RUN_OK)
            return (struct ub_datum){.why = "no direction separates the samples", .against = true};
    return ub_group_mean(frame, group, share_of, NULL,
                         "no five times at which the largest parameter x margin is 15 to 30, or "
                         "gradients fall faster than Adam forgets");
}

const struct ub_law ub_law_max_margin_signs = {
    .name = "max-margin-signs",
    .strand = UB_SOLVABLE,
    .claim = "on separable samples sign descent and Adam come to the largest margin over the "
             "maximum norm",
    .formula = "min_i c_i . w / max_j |w_j| -> max over |w_j| <= 1 of min_i c_i . w",
    .quantity = "slope of the margin on the largest parameter, over the largest that any direction "
                "has",
    .citation = "Gunasekar et al. 2018, arXiv:1802.08246; Zhang et al. 2024, arXiv:2406.10650",
    .who = "linear models under cross-entropy, by the signs of whole gradients or by Adam with no "
           "epsilon and a memory that is short beside 1/(rate x margin), at a constant rate",
    .because =
        "rows whose margin is a tenth above the least weigh e^-1.5 at 15: a tenth of the slope",
    .needs = {{.observable = "max-norm-margin"}},
    .applies = descends_by_signs,
    .datum = share,
    .is = {UB_EQUAL, .target = 1, .margin = 0.1},
};
