/* Depth over width: at the start, over draws of the weights, log E|h|^4/(E|h|^2)^2 of the last
 * hidden layer's activations is the sum over hidden layers of log(1 + c/N_l), c = 2 for linear
 * layers, 5 for relu: exact at any width for normal weights without biases
 * (bench/observables/norm_kurtosis.c derives it; Hanin 2018, arXiv:1801.03744; Roberts, Yaida and
 * Hanin 2021, arXiv:2106.10165). So depth/width is the parameter of the expansion about infinite
 * width.
 *
 * The datum is the slope of the log against the sum over a group's widths and depths, through the
 * origin (both are 0 at infinite width) and weighed by the runs' own errors. Square orthogonal
 * matrices keep lengths: of linear layers only the first then scatters, whatever the depth, which
 * makes them the control where the law must fail. (mup is none: its hidden layers start as sp's.)
 */
#include "report/laws/group.h"

#include <math.h>

static bool draws_normals(const struct ub_frame *frame, size_t row)
{
    return ub_run_is(frame, row, "init", "he") || ub_run_is(frame, row, "init", "lecun") ||
           ub_run_is(frame, row, "init", "xavier-normal");
}

static bool is_homogeneous(const struct ub_frame *frame, size_t row)
{
    const bool relu = ub_run_is(frame, row, "model.activation", "relu");
    return (relu || ub_run_is(frame, row, "model", "deep-linear")) && draws_normals(frame, row) &&
           ub_run_measures(frame, row, "norm-kurtosis");
}

static double predicted_of(const struct ub_frame *frame, size_t row)
{
    const double c = ub_run_is(frame, row, "model", "deep-linear") ? 2 : 5;
    return ub_frame_number(frame, row, "model.depth") *
           log1p(c / ub_frame_number(frame, row, "model.width"));
}

/* Half a 95% interval, as the observable states it, in standard errors. */
static double error_of(const struct ub_frame *frame, size_t row, double *value)
{
    struct ub_series s = ub_frame_series(frame, row, "norm-kurtosis", 0);
    *value = s.count ? s.value[s.count - 1] : (double)NAN;
    const double error = s.count ? s.error[s.count - 1] / 1.96 : (double)NAN;
    ub_series_clear(&s);
    return error;
}

static struct ub_datum slope_in_sum(const struct ub_frame *frame, const struct ub_rows *group)
{
    double xx = 0, xy = 0, yy = 0;
    size_t n = 0;
    for (size_t i = 0; i < group->count; i++) {
        double y;
        const double x = predicted_of(frame, group->row[i]);
        const double error = error_of(frame, group->row[i], &y);
        if (!isfinite(x) || !isfinite(y) || !(error > 0))
            continue;
        xx += x * x / (error * error);
        xy += x * y / (error * error);
        yy += y * y / (error * error);
        n++;
    }
    if (n < 4)
        return (struct ub_datum){.why = "fewer than four runs of equal widths"};
    /* Errors are widened by what the runs scatter beyond them (Birge 1932). */
    const double slope = xy / xx, beyond = (yy - slope * xy) / ((double)n - 1);
    return (struct ub_datum){.value = slope, .se = sqrt(fmax(1, beyond) / xx), .df = (double)n - 1};
}

static const char *const within[] = {"model.width", "model.depth", NULL};

const struct ub_law ub_law_init_kurtosis = {
    .name = "init-kurtosis",
    .strand = UB_LIMITS,
    .claim = "over draws of the weights the length of activations scatters as depth/width says",
    .formula =
        "log(E|h|^4 / (E|h|^2)^2) = sum_l log(1 + c/N_l), c = 2 for linear layers, 5 for relu",
    .quantity = "slope of log kurtosis of the last hidden layer's length on sum log(1 + c/width)",
    .citation = "Hanin 2018, arXiv:1801.03744; Roberts, Yaida and Hanin 2021, arXiv:2106.10165",
    .who = "fully connected relu or linear models with normal weights and no bias at the start",
    .because = "2,000 draws give a run's log to about 5%, seven runs the slope to 2%",
    .within = within,
    .needs = {{.observable = "norm-kurtosis"},
              {.axis = "model.width", .least = 2},
              {.axis = "model.depth", .least = 2}},
    .applies = is_homogeneous,
    .datum = slope_in_sum,
    .is = {UB_EQUAL, .target = 1, .margin = 0.05},
};
