/* The kernel's drift: in the NTK parametrization, at a fixed rate below the edge and after a fixed
 * time, the relative Frobenius change of the neural tangent kernel on fixed samples falls with the
 * width N (Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720, who prove
 * N^-1/2; Dyer and Gur-Ari 2020, arXiv:1909.11304, whose diagrams give N^-1 for smooth
 * activations).
 *
 * Relu's kernel is a sum over units of 1[h > 0] 1[h' > 0] a^2, which moves where pre-activations
 * change sign. They move by N^-1/2, along a a_j: a share N^-1/2 of the units, sqrt(N) of them,
 * cross zero, with a random readout as many up as down but for chance, so that the kernel, a mean
 * over N, moves by N^(1/4) / N = N^-3/4. With a readout that starts at zero a is N^-1/2 itself,
 * pre-activations move by 1/N, and the smooth N^-1 is left. So the prediction is -3/4 for relu with
 * a random readout, else -1.
 *
 * Where features are learned (mup, mean-field) the drift does not fall with the width: those are
 * the controls where the law must fail. */
#include "report/laws/group.h"

#include <math.h>

static bool is_lazy(const struct ub_frame *frame, size_t row)
{
    const bool scaled = ub_run_is(frame, row, "model.parametrization", "ntk") ||
                        ub_run_is(frame, row, "model.scaling", "ntk");
    return scaled && ub_run_measures(frame, row, "kernel-drift");
}

static double last_drift(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    return frame->store->runs[row].status == UB_RUN_OK
               ? ub_frame_last(frame, row, "kernel-drift", 0)
               : (double)NAN;
}

static bool crosses_kinks(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "model.activation", "relu") &&
           !ub_run_is(frame, row, "model.zero-readout", "true");
}

static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    ub_trend_axis(trend, frame, group, "model.width", last_drift, NULL);
}

static const struct ub_law_trend trend = {
    .points = points, .x = "width", .y = "relative change of the kernel", .is_slope = true};

static struct ub_datum slope_in_width(const struct ub_frame *frame, const struct ub_rows *group)
{
    struct ub_datum d = ub_trend_slope(frame, group, &trend, "too few widths");
    d.predicts = true;
    d.prediction = crosses_kinks(frame, group->row[0]) ? -0.75 : -1;
    return d;
}

static const char *const within[] = {"model.width", NULL};

const struct ub_law ub_law_ntk_drift = {
    .name = "ntk-drift",
    .strand = UB_LIMITS,
    .claim = "in the NTK parametrization the kernel's relative change falls as 1/width "
             "(relu with a random readout: width^-3/4)",
    .formula = "|K(t) - K(0)|_F / |K(0)|_F ~ width^-1; width^(-3/4) for relu with a random readout",
    .quantity = "slope of log kernel change on log width",
    .citation = "Jacot et al. 2018, arXiv:1806.07572; Lee et al. 2019, arXiv:1902.06720; Dyer and "
                "Gur-Ari 2020, arXiv:1909.11304",
    .who = "models with a width in the NTK parametrization, below their edge",
    .because = "0.15 tells 1 from the 1/2 that is proved, three times over",
    .within = within,
    .needs = {{.observable = "kernel-drift"}, {.axis = "model.width", .least = 4}},
    .applies = is_lazy,
    .datum = slope_in_width,
    .trend = &trend,
    .is = {UB_EQUAL, .target = -1, .margin = 0.15},
};
