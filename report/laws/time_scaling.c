/* Loss over time of models that are linear in their parameters, under gradient descent on squared
 * loss (bench/observables/kernel_modes.c). Two laws:
 *
 *   time-scaling           L(t) = (1/2n) (sum_i (1 - eta mu_i)^(2t) c_i^2 + rest), over the modes
 * of the run's own data: exact, to rounding of f64 over many steps. time-scaling-exponent  With
 * population eigenvalues k^-alpha and a teacher k^-beta, k = 1..D, c_k^2 ~ k^-(alpha + 2 beta),
 * what is left at t is what lies beyond k(t) = (2 eta mu_1 t)^(1/alpha): L ~ t^-(alpha + 2 beta -
 * 1)/alpha (Velikanov and Yarotsky 2021, arXiv:2105.00507; Bordelon, Atanasov and Pehlevan 2024,
 *                          arXiv:2402.01092). Beyond D there is nothing, which is (k/D)^(alpha + 2
 *                          beta - 1) of the sum: the window is k(t) from 3 to where that is 2%.
 *
 * Windows are set by time and the data's exponents, by nothing measured but eta mu_1. */
#include "report/laws/group.h"

#include <math.h>

static const double first_mode = 3, missing = 0.02, least_stretch = 8;

static bool is_linear_descent(const struct ub_frame *frame, size_t row)
{
    return ub_run_measures(frame, row, "kernel-modes") &&
           ub_run_is(frame, row, "optimizer", "gd") && ub_run_on_all_samples(frame, row) &&
           ub_run_is_plain(frame, row) && ub_run_is(frame, row, "loss", "mse") &&
           ub_run_is(frame, row, "precision", "f64") &&
           (ub_run_is(frame, row, "model", "linear") ||
            ub_run_is(frame, row, "model", "random-features"));
}

/* ---- the sum ---- */

static double error_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    struct ub_series errors = ub_frame_series(frame, row, "kernel-loss-error", 0);
    double most = errors.count > 0 ? 0 : (double)NAN;
    for (size_t i = 0; i < errors.count; i++)
        most = errors.value[i] <= most ? most : errors.value[i]; /* NAN stays */
    ub_series_clear(&errors);
    return most;
}

static struct ub_datum error(const struct ub_frame *frame, const struct ub_rows *group)
{
    return ub_group_mean(frame, group, error_of, NULL, "no prediction was measured");
}

static void plane(const struct ub_frame *frame, size_t row, const struct ub_level *level,
                  struct ub_plane *points)
{
    (void)level;
    ub_plane_courses(points, frame, row, "kernel-loss-prediction", "loss", 1);
}

/* All of the loss, from its first step, beside the sum. */
static void points(const struct ub_frame *frame, const struct ub_rows *group,
                   struct ub_trend *trend)
{
    for (size_t i = 0; i < group->count; i++) {
        struct ub_series loss = ub_frame_series(frame, group->row[i], "loss", 0);
        struct ub_series sum = ub_frame_series(frame, group->row[i], "kernel-loss-prediction", 0);
        for (size_t k = 0; k < loss.count; k++)
            ub_trend_add(trend, (struct ub_axis_point){loss.step[k], loss.value[k], (int)i});
        for (size_t k = 0; k < sum.count; k++)
            ub_trend_predict(trend, sum.step[k], sum.value[k]);
        ub_series_clear(&loss);
        ub_series_clear(&sum);
    }
}

static const struct ub_law_trend sum_trend = {
    .points = points, .x = "step", .y = "loss", .fit = UB_FIT_NONE};

const struct ub_law ub_law_time_scaling = {
    .name = "time-scaling",
    .strand = UB_EMPIRICAL,
    .claim = "the loss of a linear model is the sum of its modes' decays",
    .formula = "L(t) = (1/2n) (sum_i (1 - eta mu_i)^(2t) c_i^2 + rest)",
    .quantity = "largest |loss - sum|/sum over steps",
    .citation = "Bordelon et al. 2024, arXiv:2402.01092; Velikanov and Yarotsky 2021, "
                "arXiv:2105.00507",
    .who = "models linear in their parameters, by gradient descent on squared loss in f64",
    .because = "rounding of f64, times the thousand by which the loss falls and more",
    .needs = {{.observable = "kernel-modes"}},
    .applies = is_linear_descent,
    .datum = error,
    .trend = &sum_trend,
    .plane = plane,
    .is = {UB_AT_MOST, .target = 1e-6},
};

/* ---- the exponent ---- */

static bool has_exponents(const struct ub_frame *frame, size_t row)
{
    return is_linear_descent(frame, row) && ub_run_is(frame, row, "dataset", "gaussian") &&
           ub_run_is(frame, row, "dataset.scale", "none") &&
           ub_frame_number(frame, row, "dataset.noise") == 0;
}

struct planted {
    double alpha, beta, features;
};

static struct planted planted_of(const struct ub_frame *frame, size_t row)
{
    return (struct planted){ub_frame_number(frame, row, "dataset.alpha"),
                            ub_frame_number(frame, row, "dataset.beta"),
                            ub_frame_number(frame, row, "dataset.features")};
}

/* The loss in the window; nothing where it is shorter than a factor 8. */
static void add_window(struct ub_trend *trend, const struct ub_frame *frame, size_t row,
                       int replicate)
{
    const struct planted p = planted_of(frame, row);
    const double step = ub_frame_number(frame, row, "kernel-modes.step");
    const double last_mode = p.features * pow(missing, 1 / (p.alpha + 2 * p.beta - 1));
    const double first = pow(first_mode, p.alpha) / (2 * step);
    const double last =
        fmin(pow(last_mode, p.alpha) / (2 * step), ub_frame_number(frame, row, "steps"));
    if (!(last >= least_stretch * first))
        return;
    struct ub_series loss = ub_frame_series(frame, row, "loss", 0);
    for (size_t i = 0; i < loss.count; i++)
        if ((double)loss.step[i] >= first && (double)loss.step[i] <= last)
            ub_trend_add(trend,
                         (struct ub_axis_point){(double)loss.step[i], loss.value[i], replicate});
    ub_series_clear(&loss);
}

static double slope_of(const struct ub_frame *frame, size_t row, const void *context)
{
    (void)context;
    struct ub_trend t = {0};
    add_window(&t, frame, row, 0);
    const double slope = ub_axis_slope(t.point, t.count).estimate;
    ub_trend_clear(&t);
    return slope;
}

static void points_in_window(const struct ub_frame *frame, const struct ub_rows *group,
                             struct ub_trend *trend)
{
    for (size_t i = 0; i < group->count; i++)
        if (frame->store->runs[group->row[i]].status == UB_RUN_OK)
            add_window(trend, frame, group->row[i], (int)i);
}

static const struct ub_law_trend window_trend = {
    .points = points_in_window, .x = "step", .y = "loss in its window", .is_slope = true};

static struct ub_datum slope(const struct ub_frame *frame, const struct ub_rows *group)
{
    const struct planted p = planted_of(frame, group->row[0]);
    struct ub_datum d = ub_group_mean(frame, group, slope_of, NULL,
                                      "the power law lasts less than a factor 8 of time");
    d.predicts = true;
    d.prediction = -(p.alpha + 2 * p.beta - 1) / p.alpha;
    return d;
}

const struct ub_law ub_law_time_scaling_exponent = {
    .name = "time-scaling-exponent",
    .strand = UB_EMPIRICAL,
    .claim = "on a power-law spectrum the loss falls as a power of time that the data set",
    .formula = "L(t) ~ t^-((alpha + 2 beta - 1)/alpha)",
    .quantity = "slope of log loss on log step",
    .citation = "Bordelon et al. 2024, arXiv:2402.01092; Velikanov and Yarotsky 2021, "
                "arXiv:2105.00507",
    .who = "linear models on gaussian data of known exponents, by gradient descent on squared loss",
    .because = "2% of the sum missing at the window's end tilts a line over a decade by 0.02",
    .needs = {{.observable = "kernel-modes"}, {.observable = "loss"}},
    .applies = has_exponents,
    .datum = slope,
    .trend = &window_trend,
    .is = {UB_EQUAL, .margin = 0.05},
};
