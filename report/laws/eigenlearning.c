/* Eigenlearning: the test error of kernel ridge regression follows from the kernel's eigenvalues
 * over the population and the target's coefficients, without a free parameter (Simon et al. 2021,
 * arXiv:2110.03922; Bordelon et al. 2020, arXiv:2002.02561; Canatar et al. 2021, arXiv:2006.13198).
 * The formulas stand in bench/spectra/eigenlearning.h; the observable predicted-risk evaluates them
 * for each run. Test error is the mean square, twice the loss.
 *
 * A group is one system at one number of samples; its datum the mean over seeds of measured over
 * predicted. The theory is of the mean over draws of the data: one draw scatters by 10% and more.
 */
#include "report/laws/group.h"

#include <math.h>

static bool is_predicted(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "predicted-risk") && ub_run_measures(frame, row, "loss");
}

static double ratio(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (frame->store->runs[row].status != UB_RUN_OK)
        return (double)NAN;
    return 2 * ub_frame_last(frame, row, "test-loss", 0) /
           ub_frame_last(frame, row, "predicted-risk", 0);
}

static struct ub_datum mean_ratio(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, ratio, NULL, "no test error or no prediction of it");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "predicted-risk", "test-loss", 2);
}

const struct ub_law ub_law_eigenlearning = {
    .name = "eigenlearning",
    .strand = UB_SOLVABLE,
    .claim = "the test error of kernel regression is what its eigenvalues and coefficients predict",
    .formula = "error = E0 (sum_i (1 - L_i)^2 v_i^2 + s^2), E0 = n/(n - sum_i L_i^2), L_i = "
               "l_i/(l_i + kappa), sum_i L_i + ridge/kappa = n",
    .quantity = "measured over predicted test error",
    .citation = "Simon et al. 2021, arXiv:2110.03922; Bordelon et al. 2020, arXiv:2002.02561",
    .who = "kernel regression: models linear in their parameters, solved or trained to the end",
    .because = "the theory's own error is of order 1/n, 4% at the least n of 25",
    .needs = {{.observable = "predicted-risk"},
              {.observable = "loss"},
              {.axis = "data-seed", .least = 8}},
    .applies = is_predicted,
    .datum = mean_ratio,
    .plane = plane,
    .is = {UB_EQUAL, .target = 1, .margin = 0.05},
};
