/* Linear modes: on whitened inputs and from a balanced, aligned start gradient descent on squared
 * loss brings up each singular mode of the covariance of inputs and targets on a course known in
 * closed form (Saxe, McClelland and Ganguli 2013, arXiv:1312.6120; formulas and how they are
 * solved: bench/observables/linear_modes.c).
 *
 * The course is gradient flow's, which steps of length eta lag behind by a known amount (fact
 * linear-modes.lag; 0.003 at eta s = 0.01, two layers and s/a0 = 100). Where that is beyond the
 * margin the steps are too long to tell. */
#include "report/laws/group.h"

#include <math.h>

static const double margin = 0.01;

static bool is_solved(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "linear-modes") && ub_run_is(frame, row, "loss", "mse") &&
           ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_is_plain(frame, row) && ub_run_is(frame, row, "model.activation", "") &&
           ub_run_is(frame, row, "init", "aligned") &&
           ub_run_is(frame, row, "dataset.scale", "whiten");
}

/* Largest error over modes and measured times. */
static double error_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    if (!(ub_frame_number(frame, row, "linear-modes.lag") <= margin))
        return (double)NAN;
    struct ub_series errors = ub_frame_series(frame, row, "mode-error", 0);
    double worst = errors.count > 0 ? 0 : (double)NAN;
    for (size_t i = 0; i < errors.count; i++)
        worst = errors.value[i] <= worst ? worst : errors.value[i]; /* NAN stays */
    ub_series_clear(&errors);
    return worst;
}

static struct ub_datum error(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, error_of, NULL,
                         "steps too long: they lag by more than 0.01");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "mode-prediction", "mode-strength", 1);
}

const struct ub_law ub_law_linear_modes = {
    .name = "linear-modes",
    .strand = UB_SOLVABLE,
    .claim = "each mode of a deep linear network grows on its closed-form course",
    .formula =
        "da/dt = L |a|^(2 - 2/L) (s - a); of two layers a(t) = s/(1 + (s/a0 - 1) exp(-2 s t))",
    .quantity = "largest |strength - theory| over modes and times, of the mode's final strength",
    .citation = "Saxe et al. 2013, arXiv:1312.6120",
    .who = "linear networks on whitened inputs, balanced and aligned at the start, by gradient "
           "descent in steps that lag behind its flow by at most 0.01",
    .because = "the lag of steps of a hundredth of the fastest mode's time is 0.003 to 0.01",
    .needs = {{.observable = "linear-modes"}},
    .applies = is_solved,
    .datum = error,
    .plane = plane,
    .is = {UB_AT_MOST, .target = 0.01},
};
